//go:build linux

package e2e

import (
	"database/sql"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	_ "modernc.org/sqlite" // to look at the database beside the house
)

// look asks the database of the running house for one number.
func (h *house) look(query string) (n int64) {
	h.t.Helper()
	u := url.URL{Scheme: "file", OmitHost: true, Path: filepath.Join(h.dir, "sarangbang.db"), RawQuery: "mode=ro&_pragma=busy_timeout(5000)"}
	db, err := sql.Open("sqlite", u.String())
	if err == nil {
		err = db.QueryRow(query).Scan(&n)
		_ = db.Close() // nothing was written
	}
	if err != nil {
		h.t.Fatalf("%s: %v", query, err)
	}
	return n
}

// remembers waits until the house has it on disk that the owner of an account has seen everything that was said.
func (h *house) remembers(nick string) {
	h.t.Helper()
	unseen := `SELECT (SELECT coalesce(max(seq), 0) FROM log WHERE line = 1) - coalesce(min(seen), 0)
		FROM places JOIN accounts ON account = person WHERE nick = '` + nick + `'`
	if !eventually(patience, func() bool { return h.look(unseen) <= 0 }) {
		h.t.Fatalf("the house does not know that %s has seen everything", nick)
	}
}

// comeback is what somebody is shown on their return.
type comeback struct {
	skipped      int
	later        string   // the command that shows them on another screen
	again, fresh []string // what they may have seen already, and what is new
	live         []string // what comes after that
}

var (
	skippedRow = regexp.MustCompile(`^\* While you were away .* (\S+) older lines? (?:is|are) skipped[,.] /catchup shows (?:it|them)(?: now, and (/history .*) at any time)?\.$`)
	freshRow   = regexp.MustCompile(`^\* New since your last visit, (\S+) lines?:$`)
	nothingRow = regexp.MustCompile(`^\* Nothing was said in #\S+ since your last visit\.$`)
	timed      = regexp.MustCompile(`^\d\d:\d\d `)
	kept       = regexp.MustCompile(`^(?:\d{4}-\d\d-\d\d )?\d\d:\d\d (\[.* → you\] )`) // a direct message with its time, on a pipe with its day
)

// returned waits for all that somebody is shown on their return, and takes it apart. Nothing of what people said may stand before it.
func (p *person) returned() comeback {
	p.t.Helper()
	var c comeback
	whole := func(string) bool {
		var ok bool
		c, ok = readComeback(p.text())
		return ok
	}
	if !p.out.wait(patience, whole) {
		p.house.blame()
		p.t.Fatalf("%s sees\n%s\nwant what was missed (errors: %q)", p.nick, p.shown(), p.errs)
	}
	return c
}

func readComeback(text string) (c comeback, whole bool) {
	into := &c.live
	left := 0 // rows of the new ones to come
	for row := range strings.Lines(text) {
		row = kept.ReplaceAllString(strings.TrimSuffix(row, "\n"), "$1")
		said := strings.HasPrefix(row, "[")
		switch m := []string(nil); {
		case whole && left == 0 && said:
			c.live = append(c.live, row)
		case said:
			*into = append(*into, row)
			left--
		case againRow.MatchString(row):
			into = &c.again
		case nothingRow.MatchString(row):
			whole, left = true, 0
		default:
			if m = skippedRow.FindStringSubmatch(row); m != nil {
				c.skipped, c.later = count(m[1]), m[2]
			} else if m = freshRow.FindStringSubmatch(row); m != nil {
				into, whole, left = &c.fresh, true, count(m[1])
			}
		}
	}
	return c, whole && left == 0
}

// count is a number as sentences have it.
func count(word string) int {
	if word == "one" {
		return 1
	}
	n, _ := strconv.Atoi(word)
	return n
}

// wants compares what somebody was shown on their return with what they had seen, the newest of which may be shown again unless they
// have answered for it, and what they had not.
func (c comeback) wants(tb testing.TB, seen, missed []string) {
	tb.Helper()
	if n := len(seen) - len(c.again); n < 0 || !slices.Equal(c.again, seen[n:]) {
		tb.Errorf("may have been seen: %q, want no more than the newest of %q", c.again, seen)
	}
	if !slices.Equal(c.fresh, missed) {
		tb.Errorf("new: %q, want %q", c.fresh, missed)
	}
}

// owner makes an account and leaves.
func (h *house) owner(tb testing.TB, nick string) ssh.Signer {
	tb.Helper()
	key := newKey(tb)
	h.register(tb, nick, key).leaves()
	return key
}

// However somebody with an account gets lost, or the house does, they come back to what they missed: all of it, in order, once.
func TestNobodyMissesAnything(t *testing.T) {
	t.Parallel()
	for name, gone := range map[string]struct {
		lost func(h *house, p *person) *house // the house that they come back to
		away bool                             // the room is told nothing of it
	}{
		"cut":            {func(h *house, p *person) *house { p.cut(); return h }, true},
		"hung up":        {func(h *house, p *person) *house { p.hangUp(); return h }, true},
		"left":           {func(h *house, p *person) *house { p.leaves(); return h }, false},
		"house killed":   {func(h *house, _ *person) *house { h.kill(); return h.again() }, false},
		"house restarts": {func(h *house, _ *person) *house { h.stop(); return h.again() }, false},
	} {
		for console, come := range map[string]func(*house, testing.TB, login) *person{"terminal": (*house).knock, "pipe": (*house).pipe} {
			t.Run(name+", "+console, func(t *testing.T) {
				t.Parallel()
				h := openHouse(t, setup{exempt: true, dir: newDataDir(t)})
				key := h.owner(t, "kim")
				lee := h.pipe(t, login{user: "lee"})
				lee.sees("lee joined")
				for round, answers := range []bool{true, false} {
					kim := come(h, t, login{user: "kim", key: key})
					kim.returned().wants(t, nil, nil)
					lee.sees("kim joined")
					seen := lee.says(fmt.Sprint("seen ", round), 3)
					kim.sees(seen[2])
					if answers { // so nothing is uncertain
						h.remembers("kim")
						seen = nil
					}

					before := h
					h = gone.lost(h, kim)
					switch {
					case h != before:
						lee = h.pipe(t, login{user: "lee"})
						lee.sees("lee joined")
					case gone.away:
						lee.listsAway("kim")
					default:
						lee.sees("kim left")
						seen = nil
					}
					missed := lee.says(fmt.Sprint("missed ", round), 2)
					lee.types("/msg kim psst")
					lee.sees("[you → kim] psst")
					missed = append(missed, "[lee → you] psst")
					missed = append(missed, lee.says(fmt.Sprint("missed, too, ", round), 2)...)

					kim = come(h, t, login{user: "kim", key: key})
					kim.returned().wants(t, seen, missed)
					lee.sees(kim.says(fmt.Sprint("here again ", round), 1)[0])
					if gone.away {
						lee.seesTimes(1, "kim joined")
						lee.seesNot("kim left")
					}
					lee.out.forget()
					kim.leaves()
					lee.sees("kim left")
					lee.out.forget()
				}
			})
		}
	}
}

// says says some lines, and returns them as everybody sees them.
func (p *person) says(what string, n int) (lines []string) {
	p.t.Helper()
	for i := range n {
		text := fmt.Sprintf("%s %d.", what, i)
		p.types(text)
		lines = append(lines, "["+p.nick+"] "+text)
	}
	p.sees(lines[n-1])
	return lines
}

// kill ends the house as a power cut does.
func (h *house) kill() {
	h.t.Helper()
	h.signal(syscall.SIGKILL)
	<-h.exited
}

// again opens a house that has ended.
func (h *house) again() *house {
	h.t.Helper()
	return openHouse(h.t, setup{exempt: true, dir: h.dir})
}

// listsAway waits until /who lists somebody as away.
func (p *person) listsAway(nick string) {
	p.t.Helper()
	if !eventually(patience, func() bool {
		before := strings.Count(p.text(), "people are here: ")
		p.types("/who")
		p.out.wait(patience, func(string) bool { return strings.Count(p.text(), "people are here: ") > before })
		return strings.Contains(p.text(), nick+"+ [away]")
	}) {
		p.t.Errorf("%s sees\n%s\nwant %s to be away", p.nick, p.shown(), nick)
	}
}

// A client that is suspended takes everything and answers nothing, and its connection lives. Its owner need not wait for its end: they
// come back by another and miss nothing.
func TestSuspendedClient(t *testing.T) {
	t.Parallel()
	need(t, "ssh")
	for console, start := range map[string]func(tb testing.TB, name string, args ...string) *running{"pipe": run, "terminal": runOnTerminal} {
		t.Run(console, func(t *testing.T) {
			t.Parallel()
			h := openHouse(t, setup{exempt: true, dir: newDataDir(t)})
			path := keyFile(t)
			key := readKey(t, path)
			h.register(t, "kim", key).leaves()
			lee := h.pipe(t, login{user: "lee"})
			lee.sees("lee joined")
			line := h.openSSH(t, "kim", path, "en_US.UTF-8")
			ghost := start(t, line[0], line[1:]...) // without a terminal it asks for none
			lee.sees("kim joined")
			lee.says("seen", 2)
			ghost.says("seen 1.")
			h.remembers("kim")
			if err := ghost.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
			missed := lee.says("missed", 3)
			lee.types("/msg kim psst")
			lee.sees("[you → kim] psst")
			missed = append(missed, "[lee → you] psst")
			missed = append(missed, lee.says("missed, too,", 3)...)

			kim := h.pipe(t, login{user: "kim", key: key})
			kim.returned().wantsAll(t, missed)
			kim.sees(lee.says("live", 1)[0])
			kim.leaves()
			later := lee.says("later", 2)
			_ = ghost.cmd.Process.Kill()
			lee.listsAway("kim")
			kim = h.pipe(t, login{user: "kim", key: key})
			kim.returned().wantsAll(t, later)
			lee.sees(kim.says("back", 1)[0])
			lee.seesTimes(1, "kim joined")
			lee.seesNot("kim left")
		})
	}
}

func readKey(tb testing.TB, path string) ssh.Signer {
	tb.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	key, err := ssh.ParsePrivateKey(b)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

// wantsAll wants somebody to have been shown exactly these lines, whichever of them they may have seen already.
func (c comeback) wantsAll(tb testing.TB, missed []string) {
	tb.Helper()
	if got := slices.Concat(c.again, c.fresh); !slices.Equal(got, missed) {
		tb.Errorf("shown: %s, then as new: %s, want %s", cutTo(fmt.Sprintf("%q", c.again), 2000), cutTo(fmt.Sprintf("%q", c.fresh), 2000), cutTo(fmt.Sprintf("%q", missed), 2000))
	}
}

// Somebody is shown what they missed, more than their screen has taken when it stands still: whether the connection breaks then, or
// they come by another, they miss nothing of it.
func TestReturnOnAScreenThatStandsStill(t *testing.T) {
	t.Parallel()
	for name, another := range map[string]bool{"cut": false, "another": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := openHouse(t, setup{exempt: true, dir: newDataDir(t), limits: "output_buffer_bytes = 4096\n"})
			key := h.owner(t, "kim")
			// More than the window of an SSH channel (2 MiB) holds.
			var missed []string
			for i := range 5 {
				p := h.pipe(t, login{user: fmt.Sprint("p", i)})
				var all strings.Builder
				for n := range 100 {
					text := fmt.Sprintf("%d of %d %s", n, i, strings.Repeat("x", 4000))
					fmt.Fprintln(&all, text)
					missed = append(missed, "["+p.nick+"] "+text)
				}
				for n := range 20 {
					text := fmt.Sprintf("letter %d of %d %s", n, i, strings.Repeat("y", 3900))
					fmt.Fprintln(&all, "/msg kim "+text)
					missed = append(missed, "["+p.nick+" → you] "+text)
				}
				p.keys(all.String())
				_ = p.stdin.Close()
				p.ends(0)
			}
			still := h.newPerson(t, login{user: "kim", key: key})
			stdout, err := still.session.StdoutPipe()
			if err == nil {
				still.stdin, err = still.session.StdinPipe()
			}
			if err == nil {
				err = still.session.Shell()
			}
			if err != nil {
				t.Fatal(err)
			}
			first := make([]byte, 128<<10) // it has begun, and what the window lets through then is not all
			if _, err := io.ReadFull(stdout, first); err != nil {
				t.Fatal(err)
			}
			if !another {
				still.cut()
				h.pipe(t, login{user: "lee"}).listsAway("kim")
			}
			kim := h.pipe(t, login{user: "kim", key: key})
			back := kim.returned()
			back.wantsAll(t, missed)
			if sent := strings.Count(string(first), "\n[p"); len(back.again) < sent {
				t.Errorf("%d lines are marked as perhaps seen, want all %d that were read", len(back.again), sent)
			}
			if another {
				kim.leaves()
				go func() {
					_, _ = still.out.Write(first)
					_, err := io.Copy(still.out, stdout)
					still.out.end(err)
				}()
				still.returned().wantsAll(t, missed)
			}
		})
	}
}

// More than 500 lines are not shown at once: the newest are, with everything that was for one alone, and the others are there for whoever
// asks.
func TestLongAbsence(t *testing.T) {
	t.Parallel()
	h := openHouse(t, setup{exempt: true})
	key := h.owner(t, "kim")
	lee := h.pipe(t, login{user: "lee"})
	const lines, letter = 620, 10 // a direct message behind the tenth
	var typed strings.Builder
	var said []string
	for n := range lines {
		if n == letter {
			typed.WriteString("/msg kim psst\n")
		}
		fmt.Fprintf(&typed, "line %d.\n", n)
		said = append(said, fmt.Sprintf("[lee] line %d.", n))
	}
	lee.keys(typed.String())
	lee.sees(said[lines-1])

	kim := h.knock(t, login{user: "kim", key: key, cols: 200, rows: 40})
	back := kim.returned()
	if want := lines - 500; back.skipped != want {
		t.Errorf("%d lines are skipped, want %d", back.skipped, want)
	}
	back.wants(t, nil, append([]string{"[lee → you] psst"}, said[lines-500:]...))
	kim.types("/catchup")
	kim.sees("* That was it.")
	_, shown, _ := strings.Cut(kim.text(), "* What was skipped:\n")
	shown, _, _ = strings.Cut(shown, "* That was it.")
	want := said[:lines-500] // the letter was shown
	var got []string
	for row := range strings.Lines(shown) {
		got = append(got, timed.ReplaceAllString(strings.TrimSuffix(row, "\n"), ""))
	}
	if !slices.Equal(got, want) {
		t.Errorf("/catchup shows\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	kim.types("/catchup")
	kim.sees("* Nothing was skipped.")
	kim.leaves()

	status, again, _ := h.command(t, login{key: key, user: "kim"}, strings.TrimPrefix(back.later, "/"))
	if all := strings.Join(said, "\n"); status != 0 || !strings.HasPrefix(again, strings.Join(want, "\n")+"\n") || !strings.HasPrefix(all, strings.TrimSuffix(again, "\n")) {
		t.Errorf("%s alone: status %d and\n%s\nwant the %d lines that were skipped, and nothing of others before them", back.later, status, again, len(want))
	}
}

// A pipe that says nothing brings what was missed, once.
func TestFetchingWhatWasMissed(t *testing.T) {
	t.Parallel()
	h := openHouse(t, setup{exempt: true, dir: newDataDir(t)})
	key := h.owner(t, "kim")
	lee := h.pipe(t, login{user: "lee"})
	var missed []string
	for round := range 3 {
		fetched := h.pipe(t, login{user: "kim", key: key})
		_ = fetched.stdin.Close()
		fetched.ends(0)
		if back, whole := readComeback(fetched.text()); !whole {
			t.Errorf("ssh -T printed\n%s\nwant what was missed", fetched.shown())
		} else {
			back.wants(t, nil, missed)
		}
		missed = lee.says(fmt.Sprint("round ", round), 30)
	}
	// So it is if the connection broke before, and nobody was told.
	kim := h.pipe(t, login{user: "kim", key: key})
	kim.returned().wants(t, nil, missed)
	kim.cut()
	lee.listsAway("kim")
	missed = lee.says("at last", 3)
	for range 2 {
		fetched := h.pipe(t, login{user: "kim", key: key})
		_ = fetched.stdin.Close()
		fetched.ends(0)
		back, _ := readComeback(fetched.text())
		if !slices.Equal(back.fresh, missed) {
			t.Errorf("ssh -T printed\n%s\nwant %q as new", fetched.shown(), missed)
		}
		missed = nil
	}
}

// What somebody was sent before the house was killed is known then. What is said in the next life of the house is new to them however
// often it restarts before they come.
func TestOnlyWhatWasSentIsMarked(t *testing.T) {
	t.Parallel()
	h := openHouse(t, setup{exempt: true, dir: newDataDir(t)})
	key := h.owner(t, "kim")
	kim := h.pipe(t, login{user: "kim", key: key})
	lee := h.pipe(t, login{user: "lee"})
	seen := lee.says("seen", 3)
	kim.sees(seen[2])
	h.kill()
	var missed []string
	for life := range 2 {
		h = h.again()
		lee = h.pipe(t, login{user: "lee"})
		missed = append(missed, lee.says(fmt.Sprint("life ", life), 2)...)
		h.stop()
	}
	h = h.again()
	h.pipe(t, login{user: "kim", key: key}).returned().wants(t, seen, missed)
}

// Nothing is written for a line that is delivered. How far people have read is written for all together, once a second at most.
func TestDeliveringWritesNothing(t *testing.T) {
	t.Parallel()
	dir := newDataDir(t)
	openHouse(t, setup{dir: dir}).stop()
	db, err := sql.Open("sqlite", filepath.Join(dir, "sarangbang.db"))
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{
		`CREATE TABLE written (n INTEGER)`, `INSERT INTO written VALUES (0)`,
		`CREATE TRIGGER inserted AFTER INSERT ON places BEGIN UPDATE written SET n = n + 1; END`,
		`CREATE TRIGGER updated AFTER UPDATE ON places BEGIN UPDATE written SET n = n + 1; END`,
	} {
		if _, err := db.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	_ = db.Close() // nothing more is written
	h := openHouse(t, setup{dir: dir, exempt: true})
	const readers, lines = 10, 1000
	owners := make([]*person, readers)
	for i := range owners {
		nick := fmt.Sprint("owner", i)
		key := h.owner(t, nick)
		owners[i] = h.pipe(t, login{user: nick, key: key})
		owners[i].returned()
	}
	lee := h.pipe(t, login{user: "lee"})
	lee.sees("lee joined")
	const written = `SELECT n FROM written`
	begun, before := time.Now(), h.look(written)
	var all strings.Builder
	for n := range lines {
		fmt.Fprintf(&all, "line %d.\n", n)
	}
	lee.keys(all.String())
	for _, p := range owners {
		p.sees(fmt.Sprintf("line %d.", lines-1))
		p.seesNot("skipped")
	}
	h.remembers("owner0")
	rows, saves := h.look(written)-before, int64(time.Since(begun)/time.Second)+2
	t.Logf("%d rows in %v for %d lines on %d screens", rows, time.Since(begun), lines, readers)
	if most := 2 * readers * saves; rows == 0 || rows > most {
		t.Errorf("%d lines on %d screens wrote %d rows in %v, want %d at most and some", lines, readers, rows, time.Since(begun), most)
	}
}

// A message to somebody with an account who is not here is kept for them alone, and shown with its time when they come.
func TestMessagesAreKeptForTheirReceiver(t *testing.T) {
	t.Parallel()
	h := openHouse(t, setup{exempt: true, dir: newDataDir(t)})
	key := h.owner(t, "kim")
	lee, park := h.guest(t, "lee"), h.pipe(t, login{user: "park"})
	park.sees("park joined")
	old := h.joinLined(t, "old")
	lee.sees("old joined") // and park before; nothing comes between the lines that follow
	park.sees("old joined")
	const told = "* kept: kim reads it on their return."
	lee.types("/msg kim secret one")
	lee.sees("[you → kim] secret one\n" + told)
	park.types("/msg kim secret two")
	park.sees("[you → kim] secret two\n" + told)
	if status, out, errs := h.command(t, login{user: "choi"}, "msg kim secret three"); status != 0 || out != "[you → kim] secret three\n" || errs != told[2:]+"\n" {
		t.Errorf("ssh host msg = %d, %q, %q; want it kept", status, out, errs)
	}
	lee.types("/msg nobody secret")
	lee.sees("* Nobody here is called nobody.")

	// It is no business of anybody else, nor of what can be looked up.
	nowhere := func() {
		t.Helper()
		if got := h.history(t); strings.Contains(got, "secret") {
			t.Errorf("history = %q, want none of it", got)
		}
		for _, l := range []login{{user: "x"}, {user: "x", key: key}} {
			if status, out, _ := h.command(t, l, "search secret"); status != 1 || out != "" {
				t.Errorf("search = %d, %q; want it not found", status, out)
			}
		}
		status, out, _ := h.command(t, login{user: "x", key: key}, "search secret from:lee")
		if status != 1 || out != "" {
			t.Errorf("search = %d, %q; want it not found", status, out)
		}
	}
	nowhere()
	newcomer := h.guest(t, "newcomer")
	newcomer.types("marker")
	old.awaits("[newcomer] marker")
	lee.sees("[newcomer] marker")
	park.sees("[newcomer] marker")
	newcomer.sees("[newcomer] marker")
	newcomer.seesNot("secret")
	old.in.wait(0, func(in string) bool {
		if strings.Contains(in, "secret") {
			t.Errorf("the old door was sent %q, want none of it", in)
		}
		return true
	})
	lee.seesNot("secret two")
	park.seesNot("secret one")

	// So much of one sender, and so much of all people without an account.
	bound := func(l login, most int) {
		t.Helper()
		p := h.pipe(t, l)
		p.keys(strings.Repeat("/msg kim hoard\n", most+1))
		p.stdin.Close()
		p.ends(1)
		if got := strings.Count(p.text(), told); got != most {
			t.Errorf("%d messages of %s are kept, want %d", got, l.user, most)
		}
		p.complains(fmt.Sprintf("line %d: Not sent: so many messages wait for that person that no more are kept.", most+1))
	}
	const ofOne, ofGuests = 20, 100
	for i := range (ofGuests - 3) / ofOne {
		bound(login{user: fmt.Sprint("hoarder", i)}, ofOne)
	}
	bound(login{user: "last"}, (ofGuests-3)%ofOne)
	bound(login{user: "friend", key: h.owner(t, "friend")}, ofOne)

	// They outlast a restart, and the first look at them.
	h.kill()
	h = h.again()
	nowhere()
	kim := h.knock(t, login{user: "x", key: key})
	kim.sees("* Welcome back, kim.")
	back := kim.returned()
	var letters []string
	hoarded := 0
	for _, row := range slices.Concat(back.again, back.fresh) {
		if strings.HasSuffix(row, "hoard") {
			hoarded++
		} else if strings.Contains(row, "→") {
			letters = append(letters, row)
		}
	}
	want := []string{"[lee → you] secret one", "[park → you] secret two", "[choi → you] secret three"}
	if !slices.Equal(letters, want) || hoarded != ofGuests-3+ofOne {
		t.Errorf("shown on return: %q and %d others, want %q and %d", letters, hoarded, want, ofGuests-3+ofOne)
	}
	if !regexp.MustCompile(`(?m)^\d\d:\d\d \[lee → you\] secret one$`).MatchString(kim.text()) {
		t.Errorf("kim sees\n%s\nwant the message with its time", kim.shown())
	}
	kim.types("/reply thanks")
	kim.sees("[you → friend] thanks\n* kept: friend reads it on their return.")
	kim.leaves()
	nowhere()
	kim = h.knock(t, login{user: "x", key: key})
	kim.returned().wants(t, nil, nil)
}

// Whoever comes into a room for the first time is shown what was said there, whatever they have read elsewhere.
func TestTheFirstVisitToARoomHasItsBacklog(t *testing.T) {
	t.Parallel()
	h := openHouse(t, setup{exempt: true, dir: newDataDir(t)})
	key := h.owner(t, "kim")
	lee := h.pipe(t, login{user: "cafe+lee"})
	lee.types("coffee is ready")
	lee.sees("[lee] coffee is ready")
	lee.types("/msg kim come over")
	lee.sees("kept: kim reads it on their return.")
	kim := h.pipe(t, login{user: "cafe+kim", key: key})
	kim.sees("[lee] coffee is ready")
	kim.sees("[lee → you] come over")
	kim.types("on my way")
	kim.sees("[kim] on my way")
	if strings.Contains(kim.text(), "Nothing was said") {
		t.Errorf("the screen says that nothing was said:\n%s", kim.text())
	}
}
