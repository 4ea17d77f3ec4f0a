//go:build linux

package e2e

import (
	"flag"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/crypto/ssh"
)

// TestStories runs testdata/script at the root of the repository. Beside the verbs of package testscript a story has:
//
//	house [-exempt] [-lang=ko] [-operator=WHO] [LIMIT=VALUE ...]    open the house; each story has one
//	house stop                                      SIGTERM: it must end with status 0 within 5 seconds
//	house again                                     open it once more, as it was
//	house logs WORD ...                             wait for a line of the log with all the words
//	house tool STATUS COMMAND ...                   run the program on its data folder; its output is there for stdout and stderr
//	ssh [FLAGS] WHO USER                            somebody comes in by a terminal, under the name of the login
//	pipe [FLAGS] WHO USER                           without a terminal
//	tcp [-ask] WHO NICK                             by the TCP door, as the original client does
//	remote [FLAGS] STATUS WHO USER COMMAND ...      one command over ssh; its output is there for stdout and stderr
//	class [-from=ADDR] N                            as many guests without a key, p1, p2 and so on, the odd ones by the TCP door
//	class sees TEXT                                 all of them see it
//	class stays TEXT                                each of them says it with their nickname behind it, and the next one sees it
//
// FLAGS: -ask stops at the question for the nickname, -nokey comes without a key, -key=WHO with somebody else's,
// -locale=ko_KR.UTF-8 sends LANG, -cols=40 is the width of the terminal, -from=127.0.0.9 is where they come from.
//
// WHO is alice, bob, carol, dave or erin. From then on the name is a verb, with more verbs behind it:
//
//	types TEXT      a line and Enter           keys TEXT      no Enter
//	finds NAME RE   keep what the group of RE matches on the screen: $NAME is it from then on
//	pastes TEXT     as a terminal does         sends TEXT     bytes, by the TCP door
//	says TEXT       and wait until it is back  eof            the input is over
//	leaves          /bye, and the end of it    hangsup        close the connection
//	cut             end it by RST              ends STATUS    wait for the end of the session
//	closed, reset   wait for FIN or RST at the TCP door, with nothing before it
//	sees TEXT       wait until it is there     sees N TEXT    and N times, no more
//	seesnot TEXT    it is not there by now     complains TEXT wait for it on standard error
//	reads TEXT ...  exactly this comes next by the TCP door; sees TEXT passes over what comes before it
//
// Every TEXT may hold the escapes of a Go string. Nothing sleeps: before a seesnot stands a sees of something later.
func TestStories(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "../../testdata/script",
		Setup: func(env *testscript.Env) error {
			s := &stage{t: env.T().(testing.TB), people: map[string]*actor{}, keys: map[string]ssh.Signer{}}
			env.Defer(func() { s.over = true })
			env.Values[stageOf{}] = s
			return nil
		},
		Cmds:                verbs(),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}

// stageOf is what a script keeps its stage under.
type stageOf struct{}

// stage is where one story plays.
type stage struct {
	t      testing.TB
	over   bool // the script has ended
	house  *house
	set    setup // of the house
	people map[string]*actor
	keys   map[string]ssh.Signer
	class  []*actor
}

// key is somebody's; everybody has one through the whole story.
func (s *stage) key(t scriptT, who string) ssh.Signer {
	if s.keys[who] == nil {
		s.keys[who] = newKey(t)
	}
	return s.keys[who]
}

// actor is one person of a story: by ssh or by the TCP door.
type actor struct {
	*person
	tcp *oldClient
}

// scriptT is what the helpers know as their test. As long as the script runs, a failure names its line.
type scriptT struct {
	testing.TB
	stage  *stage
	script *testscript.TestScript
}

func (t scriptT) Errorf(format string, args ...any) {
	if t.stage.over {
		t.TB.Errorf(format, args...)
	} else {
		t.script.Fatalf(format, args...)
	}
}

func (t scriptT) Fatalf(format string, args ...any) {
	if t.stage.over {
		t.TB.Fatalf(format, args...)
	}
	t.script.Fatalf(format, args...)
}

func (t scriptT) Fatal(args ...any) { t.Fatalf("%s", fmt.Sprint(args...)) }

func (t scriptT) Logf(format string, args ...any) {
	if t.stage.over {
		t.TB.Logf(format, args...)
	} else {
		t.script.Logf(format, args...)
	}
}

type verb = func(ts *testscript.TestScript, neg bool, args []string)

func verbs() map[string]verb {
	all := map[string]verb{
		"house": play(theHouse), "ssh": play(bySSH), "pipe": play(bySSH), "tcp": play(byTCP), "remote": play(remote),
		"class": play(class),
	}
	for _, name := range []string{"alice", "bob", "carol", "dave", "erin"} {
		all[name] = play(func(t scriptT, s *stage, args []string) {
			a := s.people[name]
			if a == nil {
				t.Fatalf("%s is not here", name)
			}
			act(t, a, args)
		})
	}
	for name, v := range all {
		all[name] = func(ts *testscript.TestScript, neg bool, args []string) { v(ts, neg, append([]string{name}, args...)) }
	}
	return all
}

// play makes a verb. Its first argument is its own name.
func play(f func(t scriptT, s *stage, args []string)) verb {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg {
			ts.Fatalf("%s cannot be negated", args[0])
		}
		for i, a := range args {
			text, err := strconv.Unquote(`"` + strings.ReplaceAll(strings.ReplaceAll(a, `"`, `\"`), "\n", `\n`) + `"`)
			if err != nil {
				ts.Fatalf("%q: %v", a, err)
			}
			args[i] = text
		}
		s := ts.Value(stageOf{}).(*stage)
		f(scriptT{s.t, s, ts}, s, args)
	}
}

func theHouse(t scriptT, s *stage, args []string) {
	switch {
	case s.house == nil:
		var set setup
		for _, a := range args[1:] {
			if lang, ok := strings.CutPrefix(a, "-lang="); ok {
				set.args = append(set.args, "--lang", lang)
			} else if who, ok := strings.CutPrefix(a, "-operator="); ok {
				set.keys = append(set.keys, ssh.FingerprintSHA256(s.key(t, who).PublicKey()))
			} else if a == "-exempt" {
				set.exempt = true
			} else {
				set.limits += a + "\n"
			}
		}
		s.set = set
		s.house = openHouse(t, set)
	case len(args) == 2 && args[1] == "stop":
		s.house.signal(syscall.SIGTERM)
		s.house.exits(5*time.Second, 0)
	case len(args) == 2 && args[1] == "again":
		s.set.dir = s.house.dir
		s.house = openHouse(t, s.set)
	case len(args) > 3 && args[1] == "tool":
		out, errs := s.house.tool(t, number(t, args[2]), args[3:]...)
		_, _ = t.script.Stdout().Write([]byte(out))
		_, _ = t.script.Stderr().Write([]byte(errs))
	case len(args) > 2 && args[1] == "logs":
		s.house.logs(args[2:]...)
	default:
		t.Fatalf("house %q: no such verb", args[1:])
	}
}

// flags are those of a person who comes in.
type flags struct {
	ask, nokey  bool
	key, locale string
	from        string
	cols        int
}

func parse(t scriptT, args []string) (flags, []string) {
	t.Helper()
	var f flags
	set := flag.NewFlagSet(args[0], flag.ContinueOnError)
	set.BoolVar(&f.ask, "ask", false, "")
	set.BoolVar(&f.nokey, "nokey", false, "")
	set.StringVar(&f.key, "key", "", "")
	set.StringVar(&f.locale, "locale", "", "")
	set.StringVar(&f.from, "from", "", "")
	set.IntVar(&f.cols, "cols", 100, "")
	if err := set.Parse(args[1:]); err != nil {
		t.Fatalf("%s: %v", args[0], err)
	}
	return f, set.Args()
}

// login makes the login of somebody.
func (s *stage) login(t scriptT, f flags, who, user string) login {
	l := login{user: user, cols: f.cols, rows: 40, from: f.from}
	if f.locale != "" {
		l.env = map[string]string{"LANG": f.locale}
	}
	if f.key != "" {
		who = f.key
	}
	if !f.nokey {
		l.key = s.key(t, who)
	}
	return l
}

func bySSH(t scriptT, s *stage, args []string) {
	f, rest := parse(t, args)
	if len(rest) != 2 {
		t.Fatalf("usage: %s [FLAGS] WHO USER", args[0])
	}
	l := s.login(t, f, rest[0], rest[1])
	var p *person
	switch {
	case args[0] == "pipe":
		p = s.house.pipe(t, l)
	case f.ask:
		p = s.house.knock(t, l)
	default:
		p = s.house.enter(t, l)
	}
	s.people[rest[0]] = &actor{person: p}
}

func byTCP(t scriptT, s *stage, args []string) {
	f, rest := parse(t, args)
	if len(rest) != 2 {
		t.Fatalf("usage: tcp [-ask] WHO NICK")
	}
	a := &actor{tcp: s.house.visit(t, login{user: rest[1], from: f.from})}
	if !f.ask {
		a.tcp.sends(rest[1])
		a.tcp.reads(joined(rest[1]))
	}
	s.people[rest[0]] = a
}

// class is many people who sit behind one address.
func class(t scriptT, s *stage, args []string) {
	switch f, rest := parse(t, args); {
	case len(rest) == 1:
		for i := range number(t, rest[0]) {
			l := login{user: fmt.Sprint("p", i+1), from: f.from}
			a := &actor{}
			if i%2 == 1 {
				a.person = s.house.enter(t, l)
			} else {
				a.tcp = s.house.visit(t, l)
				a.tcp.sends(l.user)
				a.tcp.reads(joined(l.user))
			}
			s.class = append(s.class, a)
		}
	case len(rest) == 2 && rest[0] == "sees":
		for _, a := range s.class {
			act(t, a, []string{"class", "sees", rest[1]})
		}
	case len(rest) == 2 && rest[0] == "stays":
		for i, a := range s.class {
			text := fmt.Sprint(rest[1], " p", i+1)
			act(t, a, []string{"class", "types", text})
			next := s.class[(i+1)%len(s.class)]
			act(t, next, []string{"class", "sees", fmt.Sprintf("[p%d] %s", i+1, text)})
		}
	default:
		t.Fatalf("class %q: no such verb", rest)
	}
}

func remote(t scriptT, s *stage, args []string) {
	f, rest := parse(t, args)
	if len(rest) < 3 {
		t.Fatalf("usage: remote [FLAGS] STATUS WHO USER COMMAND ...")
	}
	status, out, errs := s.house.command(t, s.login(t, f, rest[1], rest[2]), strings.Join(rest[3:], " "))
	_, _ = t.script.Stdout().Write([]byte(out))
	_, _ = t.script.Stderr().Write([]byte(errs))
	if got := strconv.Itoa(status); got != rest[0] {
		t.Fatalf("%q ended with status %s, want %s\nstdout: %s\nstderr: %s", rest[3:], got, rest[0], out, errs)
	}
}

// act is what somebody does, or what they are to see.
func act(t scriptT, a *actor, args []string) {
	if len(args) < 2 {
		t.Fatalf("%s does what?", args[0])
	}
	what, rest := args[1], args[2:]
	text := strings.Join(rest, " ")
	if a.tcp != nil {
		actTCP(t, a.tcp, what, rest)
		return
	}
	switch p := a.person; what {
	case "types":
		p.types(text)
	case "finds":
		finds(t, p, rest)
	case "keys":
		p.keys(text)
	case "pastes":
		p.pastes(text)
	case "says":
		p.types(text)
		p.sees("[" + p.nick + "] " + text)
	case "eof":
		_ = p.stdin.Close()
	case "leaves":
		p.leaves()
	case "hangsup":
		p.hangUp()
	case "cut":
		p.cut()
	case "ends":
		p.ends(number(t, text))
	case "sees":
		if len(rest) == 2 {
			p.seesTimes(number(t, rest[0]), rest[1])
		} else {
			p.sees(text)
		}
	case "seesnot":
		p.seesNot(text)
	case "complains":
		p.complains(text)
	default:
		t.Fatalf("%s by ssh: no such verb", what)
	}
}

// finds keeps what somebody can read on their screen.
func finds(t scriptT, p *person, what []string) {
	if len(what) != 2 {
		t.Fatalf("usage: finds NAME REGEXP")
	}
	re := regexp.MustCompile("(?m)" + what[1])
	var m []string
	if !p.out.wait(patience, func(string) bool { m = re.FindStringSubmatch(p.text()); return len(m) == 2 }) {
		t.Fatalf("%s sees\n%s\nwant something that %s finds", p.nick, p.shown(), what[1])
	}
	t.script.Setenv(what[0], m[1])
}

func actTCP(t scriptT, c *oldClient, what string, rest []string) {
	text := strings.Join(rest, " ")
	switch what {
	case "sends", "types":
		c.sends(text)
	case "says":
		c.says(text)
	case "eof":
		c.finish()
	case "leaves":
		c.sends("/bye")
		c.waitFIN()
	case "hangsup":
		c.leaves()
	case "cut":
		c.cut()
	case "closed":
		c.closed()
	case "reset":
		c.reset()
	case "reads":
		c.reads(rest...)
	case "sees":
		c.awaits(text)
	case "seesnot":
		if in := c.in.String(); strings.Contains(in, text) {
			t.Fatalf("%s received\n%q\nwant nothing with %q in it", c.nick, in, text)
		}
	default:
		t.Fatalf("%s by TCP: no such verb", what)
	}
}

func number(tb testing.TB, s string) int {
	tb.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		tb.Fatalf("%q is no number", s)
	}
	return n
}
