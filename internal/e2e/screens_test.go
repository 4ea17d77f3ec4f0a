//go:build linux

package e2e

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
	"golang.org/x/crypto/ssh"
)

// TestScreens plays testdata/screens. Each file there is a scenario: what kim, who sits at OpenSSH's client in tmux, types and
// what others say meanwhile, and what the screen shows then, row by row and with the cursor. It is played in English and Korean
// and on screens of 80, 40 and 20 columns, from an empty screen with nothing but the prompt.
//
// The file is a txtar archive. Before its frames stand a comment that says what it shows, and a line for each step:
//
//	widths 80 20          not all three; so also: langs ko
//	rows 6                of the screen, 10 if nothing is said
//	login lee             another name than kim; env NAME=VALUE for more variables
//	asked                 begin at the question for the nickname
//	masked                write hh:mm for times of day, and yyyy-mm-dd for today
//	fresh                 in a house where nobody has said anything, but for what the section "past" has for sarangbang import
//	operator lee          so, and lee or kim is an operator of it; greeted: and it has a greeting and rules
//	key                   kim comes with a key
//
//	type TEXT             as an input method commits it
//	press KEY ...         by the names that tmux has for keys
//	send TEXT             bytes, at once
//	paste TEXT            as terminals paste, in brackets
//	paste 9 times TEXT    so long
//	drop TEXT             as terminals without brackets do
//	resize +10 -2         columns and rows
//	WHO says TEXT         somebody who is here, and it is committed
//	WHO says 9 of TEXT    nine lines at once, with their numbers
//	lee hears TEXT        wait until kim's message has reached lee
//	lee types TEXT        a command; lee sees TEXT: wait for its answer
//	wiped                 the terminal empties its screen by itself
//	enters NICK           take it for a nickname, and begin with an empty screen as the others do
//	returns               come in again on a new screen, and do nothing there yet
//	sees TEXT             wait until it is on the screen, wherever rows break
//	highlights TEXT       wait until it stands there in reverse video
//	rings 2               wait until the bell has rung so often, and want it to be no more
//	shows FRAME           wait until the screen is that of the frame
//	unrolls FRAME         so, with all that has left the screen at its top
//	ends 0                wait for the end of the client
//
// Every TEXT may hold the escapes of a Go string. A frame's section has its name and, where frames differ, the widths and
// languages that it is for. ▌ stands before the cell of the cursor; blanks at the ends of rows and empty rows at the end of the
// screen are left out. Frames are written by -update, and read by whoever changes what they show.
//
// Here are, beside kim: lee, by a pipe; leo, 박하늘, 박하나, 이순신 and 김 철수, by the TCP door.
//
// Of each scenario one variant is played, of another width and language than of the next; with SARANGBANG_REAL=1 all are.
func TestScreens(t *testing.T) {
	t.Parallel()
	need(t, "ssh", "tmux")
	files, err := filepath.Glob("testdata/screens/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	lanes := 4
	if *update {
		lanes = 16 // which mostly wait; so -parallel 16
	}
	free := make(chan *lane, lanes)
	for range cap(free) {
		free <- openLane(t, setup{}, false)
	}
	for i, file := range files {
		s := readScenario(t, file)
		variants := s.variants()
		if !thorough && !*update {
			variants = variants[i%len(variants):][:1]
		}
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			if *update {
				t.Cleanup(func() { s.rewrite(t) })
			}
			for _, v := range variants {
				t.Run(v.String(), func(t *testing.T) {
					t.Parallel()
					shared := <-free
					defer func() { free <- shared }()
					l := shared
					if s.fresh {
						l = s.openLane(t)
					}
					s.play(t, l, v)
				})
			}
		})
	}
}

// scenario is one file of testdata/screens.
type scenario struct {
	name, file string
	archive    *txtar.Archive
	widths     []int
	langs      []string
	rows       int
	login      string
	env        string // more variables, with blanks before them
	asked      bool
	masked     bool
	fresh      bool
	operator   string
	greeted    bool
	key        string // the path of kim's
	past       string
	steps      []string

	mu    sync.Mutex                    // guards what is recorded
	shown map[string]map[variant]string // by the name of the frame
	names []string                      // of frames, in order
}

// variant is how a scenario is played.
type variant struct {
	lang string
	cols int
}

func (v variant) String() string { return fmt.Sprint(v.lang, " ", v.cols) }

func readScenario(tb testing.TB, file string) *scenario {
	tb.Helper()
	archive, err := txtar.ParseFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	s := &scenario{
		name: strings.TrimSuffix(filepath.Base(file), ".txtar"), file: file, archive: archive,
		widths: []int{80, 40, 20}, langs: []string{"en", "ko"}, rows: 10, login: "kim",
		shown: map[string]map[variant]string{},
	}
	if len(archive.Files) > 0 && archive.Files[0].Name == "past" {
		s.past, archive.Files = string(archive.Files[0].Data), archive.Files[1:]
	}
	for line := range strings.Lines(string(archive.Comment)) {
		line = strings.TrimRight(line, "\n")
		word, rest, _ := strings.Cut(line, " ")
		switch word {
		case "", "#":
		case "widths":
			s.widths = nil
			for w := range strings.FieldsSeq(rest) {
				s.widths = append(s.widths, number(tb, w))
			}
		case "langs":
			s.langs = strings.Fields(rest)
		case "rows":
			s.rows = number(tb, rest)
		case "login":
			s.login = rest
		case "env":
			s.env += " " + rest
		case "asked":
			s.asked = true
		case "fresh":
			s.fresh = true
		case "operator":
			s.fresh, s.operator = true, rest
		case "greeted":
			s.fresh, s.greeted = true, true
		case "key":
			s.key = keyFile(tb)
		case "masked":
			s.masked = true
		default:
			s.steps = append(s.steps, line)
		}
	}
	for _, f := range archive.Files {
		if name, _, _ := strings.Cut(f.Name, " "); !slices.Contains(s.steps, "shows "+name) && !slices.Contains(s.steps, "unrolls "+name) {
			tb.Fatalf("%s: no step shows the frame %s", file, f.Name)
		}
	}
	return s
}

func (s *scenario) variants() []variant {
	var all []variant
	for _, cols := range s.widths {
		for _, lang := range s.langs {
			all = append(all, variant{lang, cols})
		}
	}
	return all
}

// lane is a house with people in it, in which one scenario is played at a time: all its people see each other.
type lane struct {
	house *house
	lee   *person
	lined map[string]*oldClient
}

// openLane opens the house that a scenario wants for itself.
func (s *scenario) openLane(tb testing.TB) *lane {
	tb.Helper()
	set := setup{dir: newDataDir(tb)}
	if s.past != "" {
		if status, _, errs := runProgram(tb, 10*time.Second, "import", writeFile(tb, "past", s.past), "--data-dir", set.dir); status != 0 {
			tb.Fatalf("import ended with status %d: %s", status, errs)
		}
	}
	if s.greeted {
		for name, text := range map[string]string{
			"motd.en.txt": "Tea at five in the garden.\n", "motd.ko.txt": "다섯 시에 마당에서 차를 마셔요.\n",
			"rules.en.txt": "Be kind.\nNo advertising.\n", "rules.ko.txt": "서로 친절하게.\n광고는 안 돼요.\n",
		} {
			write(tb, filepath.Join(set.dir, "greeting", name), text)
		}
	}
	if s.operator == s.login {
		set.keys = append(set.keys, ssh.FingerprintSHA256(readKey(tb, s.key).PublicKey()))
	}
	return openLane(tb, set, s.operator == "lee")
}

// openLane opens a house with people in it.
func openLane(tb testing.TB, set setup, leeMay bool) *lane {
	tb.Helper()
	l := &lane{lined: map[string]*oldClient{}}
	key := newKey(tb)
	if leeMay {
		set.keys = append(set.keys, ssh.FingerprintSHA256(key.PublicKey()))
	}
	set.exempt = true
	l.house = openHouse(tb, set)
	l.lee = l.house.pipe(tb, login{user: "lee", key: key})
	l.lee.sees("* lee joined.")
	for _, nick := range []string{"leo", "박하늘", "박하나", "이순신", "김 철수"} {
		l.lined[nick] = l.house.joinLined(tb, nick)
		l.lee.sees("* " + nick + " joined.")
	}
	return l
}

// belongs says to which test the people of the lane belong at the moment.
func (l *lane) belongs(tb testing.TB) {
	tb.Helper()
	l.house.t, l.lee.t = tb, tb
	for _, c := range l.lined {
		c.t = tb
	}
}

// playing is a scenario that is being played.
type playing struct {
	*scenario
	t    *testing.T
	v    variant
	lane *lane
	pane *pane
	size struct{ cols, rows int }
}

// play plays the scenario, and leaves the lane as it was.
func (s *scenario) play(t *testing.T, l *lane, v variant) {
	t.Helper()
	defer l.belongs(l.house.t)
	l.belongs(t)
	l.lee.out.forget()
	p := &playing{scenario: s, t: t, v: v, lane: l}
	p.size.cols, p.size.rows = v.cols, s.rows
	p.comes()
	defer p.leave()
	p.begin()
	for _, step := range s.steps {
		p.step(step)
		if t.Failed() {
			t.Fatalf("%s: at %q", s.file, step)
		}
	}
}

// comes opens the screen.
func (p *playing) comes() {
	p.t.Helper()
	lang := map[string]string{"en": "en_US.UTF-8", "ko": "ko_KR.UTF-8"}[p.v.lang]
	p.pane = openPane(p.t, p.size.cols, p.size.rows, p.lane.house.openSSH(p.t, p.login, p.key, lang+p.env))
}

// begin comes in, up to an empty screen.
func (p *playing) begin() {
	p.t.Helper()
	asks := map[string]string{"en": "nickname", "ko": "닉네임"}[p.v.lang]
	p.await(func() bool {
		rows := strings.Split(strings.TrimSuffix(p.pane.frame(false), "\n"), "\n")
		return strings.HasPrefix(rows[len(rows)-1], asks)
	}, "to be asked for a %s", asks)
	if p.asked {
		return
	}
	p.enter(p.login)
}

// enter takes a nickname that is typed or offered, and comes in.
func (p *playing) enter(nick string) {
	p.t.Helper()
	p.pane.press("Enter")
	in := strings.ReplaceAll(map[string]string{"en": "* NAME joined.", "ko": "* NAME 님이 들어왔습니다."}[p.v.lang], "NAME", nick)
	p.await(func() bool { return strings.Contains(bare(p.pane.all()), bare(in)) }, "to see %q", in)
	p.pane.press("C-l")
	p.await(func() bool {
		f := p.pane.frame(false)
		return strings.Count(f, "\n") == 1 && strings.HasSuffix(f, "> "+cursorMark+"\n")
	}, "an empty screen")
	p.pane.asks("clear-history -t " + p.pane.target)
}

// leave leaves, however the scenario has ended, and waits until nobody sees kim any more.
func (p *playing) leave() {
	p.t.Helper()
	if _, ended := p.pane.status(); !ended {
		p.pane.press("C-c", "C-d")
		p.pane.ends(0)
	}
	p.pane.close()
	if !p.lane.house.log.wait(patience, func(log string) bool { return present(log) == len(p.lane.lined)+1 }) {
		p.t.Errorf("%d are still in, want %d", present(p.lane.house.log.String()), len(p.lane.lined)+1)
	}
}

// present returns how many people are in a house by its log.
func present(log string) int {
	return strings.Count(log, " msg=joined ") - strings.Count(log, " msg=left ")
}

// bare is what is said without how it is laid out in rows.
func bare(rows string) string {
	return strings.NewReplacer("\n¦ ", "", "\n", "", " ", "").Replace(rows)
}

func (p *playing) await(ok func() bool, want string, args ...any) {
	p.t.Helper()
	if !p.pane.eventually(ok) {
		p.t.Fatalf("%s: the screen is\n%s\nwant "+want, append([]any{p.file, p.pane.frame(true)}, args...)...)
	}
}

// step does what one line of the scenario says.
func (p *playing) step(line string) {
	p.t.Helper()
	verb, rest, _ := strings.Cut(line, " ")
	text, err := strconv.Unquote(`"` + strings.ReplaceAll(rest, `"`, `\"`) + `"`)
	if err != nil {
		p.t.Fatalf("%q: %v", line, err)
	}
	switch verb {
	case "type":
		p.pane.types(text)
	case "press":
		p.pane.press(strings.Fields(rest)...)
	case "send":
		p.pane.sends(text)
	case "paste":
		if n, what, ok := strings.Cut(text, " times "); ok {
			text = strings.Repeat(what, number(p.t, n))
		}
		p.pane.pastes(text, true)
	case "drop":
		p.pane.pastes(text, false)
	case "resize":
		p.resize(rest)
	case "sees":
		p.await(func() bool { return strings.Contains(bare(p.pane.all()), bare(text)) }, "to see %q", text)
	case "highlights":
		reverse := "\x1b[7m" + text
		p.await(func() bool {
			return strings.Contains(p.pane.asks("capture-pane -p -e -t " + p.pane.target)[0], reverse)
		}, "%q in reverse video", text)
	case "rings":
		want := number(p.t, rest)
		p.await(func() bool { return p.pane.bells() >= want }, "the bell to ring")
		if got := p.pane.bells(); got != want {
			p.t.Errorf("the bell has rung %d times, want %d", got, want)
		}
	case "shows", "unrolls":
		p.shows(rest, verb == "unrolls")
	case "wiped":
		p.pane.wipe()
	case "enters":
		p.enter(text)
	case "returns":
		p.comes()
	case "ends":
		p.pane.ends(number(p.t, rest))
	default:
		p.other(line, verb, text)
	}
}

// other does what a line says about somebody else than kim. Their names may hold blanks.
func (p *playing) other(line, who, text string) {
	p.t.Helper()
	if heard, ok := strings.CutPrefix(text, "hears "); ok && who == "lee" {
		p.lane.lee.sees("[" + p.login + "] " + heard + "\n")
		return
	}
	if typed, ok := strings.CutPrefix(text, "types "); ok && who == "lee" {
		p.lane.lee.types(typed)
		return
	}
	if seen, ok := strings.CutPrefix(text, "sees "); ok && who == "lee" {
		p.lane.lee.sees(seen)
		return
	}
	name, said, ok := strings.Cut(who+" "+text, " says ")
	if !ok || name != "lee" && p.lane.lined[name] == nil {
		p.t.Fatalf("%q: no such step", line)
	}
	lines := []string{said}
	if n, what, ok := strings.Cut(said, " of "); ok {
		lines = nil
		for i := range number(p.t, n) {
			lines = append(lines, fmt.Sprint(what, " ", i+1))
		}
	}
	p.lane.says(name, lines)
}

// says says lines as somebody, at once, and waits until they are committed: lee is shown what everybody says.
func (l *lane) says(name string, lines []string) {
	l.lee.t.Helper()
	said := func(all string) int {
		return strings.Count("\n"+all, "\n["+name+"] ") + strings.Count("\n"+all, "\n[you → ")
	}
	before := said(l.lee.out.String())
	if text := strings.Join(lines, "\n") + "\n"; name == "lee" {
		l.lee.keys(text)
	} else {
		l.lined[name].sends(text)
	}
	if !l.lee.out.wait(patience, func(all string) bool { return said(all) >= before+len(lines) }) {
		l.lee.t.Fatalf("lee sees\n%s\nand not what %s says: %q", l.lee.out, name, lines)
	}
}

func (p *playing) resize(by string) {
	p.t.Helper()
	var cols, rows int
	if _, err := fmt.Sscan(by, &cols, &rows); err != nil {
		p.t.Fatalf("resize %s: %v", by, err)
	}
	p.size.cols += cols
	p.size.rows += rows
	p.pane.resize(p.size.cols, p.size.rows)
}
