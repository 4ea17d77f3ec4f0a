//go:build linux

package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// What may be seen, by whom, on which way: the table from which docs/PRIVACY.md is made, and which is tried out on a real house.
type (
	// seen is one thing that somebody may see.
	seen struct {
		name, about string
		place       string   // the room that it is about
		who         []string // the columns; the nicknames of these are in lookers
		ways        [][]bool // a row for each of waysToSee
	}
	// looker is a column: somebody who looks.
	looker struct{ nick, title string }
)

// waysToSee are the rows, in the order in which they are tried.
var waysToSee = []string{
	"live view", "what was missed, on return", "kept messages, on return", "`/history`", "`/search`", "`/rooms`", "`/who #room`", "`/whois`",
	"`/audit`", "backlog, on coming in", "`sarangbang export`", "`export --direct --private`", "the log of the program", "the database file",
}

var lookers = []looker{
	{"olga", "owner or moderator"},
	{"ina", "inside"},
	{"vera", "invited, outside"},
	{"sam", "outside"},
	{"tim", "guest by TCP"},
	{"chief", "operator, outside"},
	{"file", "who has the data folder"},
	{"max", "who wrote it"},
	{"rosa", "who gets it"},
}

const yes, no = true, false

// inLobby, inRoom and ofDirect are who looks at what.
var (
	inLobby  = []string{"olga", "ina", "tim", "chief", "file"}
	inRoom   = []string{"olga", "ina", "vera", "sam", "tim", "chief", "file"}
	ofDirect = []string{"max", "rosa", "olga", "sam", "tim", "chief", "file"}
)

var privacy = []seen{
	{"The lobby", "Everybody in the house is in it.", "#lobby", inLobby, [][]bool{
		{yes, yes, yes, yes, no}, // live view
		{yes, yes, no, yes, no},  // what was missed, on return
		{no, no, no, no, no},     // kept messages, on return
		{yes, yes, no, yes, no},  // `/history`
		{yes, yes, no, yes, no},  // `/search`
		{yes, yes, no, yes, no},  // `/rooms`
		{yes, yes, no, yes, no},  // `/who #room`
		{yes, yes, no, yes, no},  // `/whois`
		{no, no, no, no, no},     // `/audit`
		{yes, yes, no, yes, no},  // backlog, on coming in
		{no, no, no, no, yes},    // `sarangbang export`
		{no, no, no, no, yes},    // `export --direct --private`
		{no, no, no, no, no},     // the log of the program
		{no, no, no, no, yes},    // the database file
	}},
	{"A public room", "Everybody may go in.", "#cafe", inRoom, [][]bool{
		{yes, yes, no, no, no, no, no},    // live view
		{yes, yes, no, no, no, no, no},    // what was missed, on return
		{no, no, no, no, no, no, no},      // kept messages, on return
		{yes, yes, yes, yes, no, yes, no}, // `/history`
		{yes, yes, yes, yes, no, yes, no}, // `/search`
		{yes, yes, yes, yes, no, yes, no}, // `/rooms`
		{yes, yes, yes, yes, no, yes, no}, // `/who #room`
		{yes, yes, yes, yes, no, yes, no}, // `/whois`
		{no, no, no, no, no, no, no},      // `/audit`
		{yes, yes, yes, yes, no, yes, no}, // backlog, on coming in
		{no, no, no, no, no, no, yes},     // `sarangbang export`
		{no, no, no, no, no, no, yes},     // `export --direct --private`
		{no, no, no, no, no, no, no},      // the log of the program
		{no, no, no, no, no, no, yes},     // the database file
	}},
	{"A private room", "Only people who are invited or know its password go in.", "#attic", inRoom, [][]bool{
		{yes, yes, no, no, no, no, no},  // live view
		{yes, yes, no, no, no, no, no},  // what was missed, on return
		{no, no, no, no, no, no, no},    // kept messages, on return
		{yes, yes, yes, no, no, no, no}, // `/history`
		{yes, yes, yes, no, no, no, no}, // `/search`
		{yes, yes, yes, no, no, no, no}, // `/rooms`
		{yes, yes, yes, no, no, no, no}, // `/who #room`
		{yes, yes, yes, no, no, no, no}, // `/whois`
		{no, no, no, no, no, no, no},    // `/audit`
		{yes, yes, yes, no, no, no, no}, // backlog, on coming in
		{no, no, no, no, no, no, no},    // `sarangbang export`
		{no, no, no, no, no, no, yes},   // `export --direct --private`
		{no, no, no, no, no, no, no},    // the log of the program
		{no, no, no, no, no, no, yes},   // the database file
	}},
	{"A direct message", "It has two people.", "#lobby", ofDirect, [][]bool{
		{yes, yes, no, no, no, no, no}, // live view
		{no, yes, no, no, no, no, no},  // what was missed, on return
		{no, yes, no, no, no, no, no},  // kept messages, on return
		{no, no, no, no, no, no, no},   // `/history`
		{no, no, no, no, no, no, no},   // `/search`
		{no, no, no, no, no, no, no},   // `/rooms`
		{no, no, no, no, no, no, no},   // `/who #room`
		{no, no, no, no, no, no, no},   // `/whois`
		{no, no, no, no, no, no, no},   // `/audit`
		{no, no, no, no, no, no, no},   // backlog, on coming in
		{no, no, no, no, no, no, no},   // `sarangbang export`
		{no, no, no, no, no, no, yes},  // `export --direct --private`
		{no, no, no, no, no, no, no},   // the log of the program
		{no, no, no, no, no, no, yes},  // the database file
	}},
	{"A struck line", "In a public room, once it is struck.", "#cafe", inRoom, [][]bool{
		{yes, yes, no, no, no, no, no}, // live view
		{no, no, no, no, no, no, no},   // what was missed, on return
		{no, no, no, no, no, no, no},   // kept messages, on return
		{no, no, no, no, no, no, no},   // `/history`
		{no, no, no, no, no, no, no},   // `/search`
		{no, no, no, no, no, no, no},   // `/rooms`
		{no, no, no, no, no, no, no},   // `/who #room`
		{no, no, no, no, no, no, no},   // `/whois`
		{no, no, no, no, no, no, no},   // `/audit`
		{no, no, no, no, no, no, no},   // backlog, on coming in
		{no, no, no, no, no, no, no},   // `sarangbang export`
		{no, no, no, no, no, no, no},   // `export --direct --private`
		{no, no, no, no, no, no, no},   // the log of the program
		{no, no, no, no, no, no, yes},  // the database file
	}},
}

// What people say and what the topic is; neither may be a part of anything that the house says by itself.
const (
	saidWord  = "marmalade"
	topicWord = "teapot"
)

// The tables of docs/PRIVACY.md are those of this file; -update writes them anew.
func TestPrivacyPageIsTheTable(t *testing.T) {
	const path, begin, end = "../../docs/PRIVACY.md", "<!-- the table of internal/e2e/privacy_test.go -->\n", "<!-- until here -->\n"
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(b), begin)
	got, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s has not the marks %q and %q", path, begin, end)
	}
	var want strings.Builder
	for _, s := range privacy {
		s.page(&want)
	}
	switch {
	case got == want.String():
	case *update:
		if err := os.WriteFile(path, []byte(before+begin+want.String()+end+after), 0o600); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("%s says\n%s\nwant\n%s\n(-update writes it)", path, got, want.String())
	}
}

// What the page says beside the table: an operator from outside lets themselves into a private room by two ways, and then reads it; the
// room reads that at once, and /audit keeps it.
func TestPrivacyOfAnOperatorWhoLetsThemselvesIn(t *testing.T) {
	t.Parallel()
	const path = "../../docs/PRIVACY.md"
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for typed, c := range map[string]struct{ way, told string }{
		"/invite #attic boss":      {"`/invite #room NICK`", "boss invited boss"},
		"/grant #attic boss owner": {"`/grant #room NICK owner`", "boss made boss the owner of the room"},
	} {
		t.Run(strings.Fields(typed)[0], func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(string(page), c.way) {
				t.Errorf("%s does not name the way %s", path, c.way)
			}
			key := newKey(t)
			h := openHouse(t, setup{exempt: true, keys: []string{ssh.FingerprintSHA256(key.PublicKey())}})
			olga, boss := h.register(t, "olga", newKey(t)), h.register(t, "boss", key)
			olga.types("/join #attic")
			olga.sees("#attic olga>")
			olga.types("/room private")
			olga.types("we are " + saidWord)
			olga.sees("[olga] we are " + saidWord)
			boss.types(typed)
			olga.sees("* " + c.told + ".")
			boss.types("/join #attic")
			boss.sees("#attic boss>")
			boss.types("/history")
			boss.sees("[olga] we are " + saidWord)
			olga.types("/audit")
			olga.seesTimes(2, c.told)
		})
	}
}

// page writes the table as a section of the page.
func (s seen) page(b *strings.Builder) {
	fmt.Fprintf(b, "\n### %s\n\n%s\n\n| |", s.name, s.about)
	for _, who := range s.who {
		i := slices.IndexFunc(lookers, func(l looker) bool { return l.nick == who })
		fmt.Fprintf(b, " %s |", lookers[i].title)
	}
	b.WriteString("\n|---" + strings.Repeat("|---", len(s.who)) + "|\n")
	for i, row := range s.ways {
		fmt.Fprintf(b, "| %s |", waysToSee[i])
		for _, may := range row {
			b.WriteString(map[bool]string{true: " yes |", false: " – |"}[may])
		}
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
}

// Each cell of the table is so in a real house.
func TestPrivacyMatrix(t *testing.T) {
	t.Parallel()
	for _, s := range privacy {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			got := s.look(t)
			for i, way := range waysToSee {
				for j, who := range s.who {
					want := i < len(s.ways) && s.ways[i][j]
					if got[i][j] != want {
						t.Errorf("%s: %s sees it by %s: %v, want %v", s.name, who, way, got[i][j], want)
					}
				}
			}
			if t.Failed() {
				t.Logf("%s:\n%s", s.name, s.literal(got))
			}
		})
	}
}

// literal writes rows as they stand in the source.
func (s seen) literal(rows [][]bool) string {
	var b strings.Builder
	for i, row := range rows {
		words := make([]string, len(row))
		for j, v := range row {
			words[j] = map[bool]string{true: "yes", false: "no"}[v]
		}
		fmt.Fprintf(&b, "\t\t{%s}, // %s\n", strings.Join(words, ", "), waysToSee[i])
	}
	return b.String()
}

// look opens a house and lets everybody look.
func (s seen) look(t *testing.T) [][]bool {
	t.Helper()
	w := &watch{seen: s, t: t, keys: map[string]ssh.Signer{}, people: map[string]*person{}, rows: make([][]bool, len(waysToSee))}
	for i := range w.rows {
		w.rows[i] = make([]bool, len(s.who))
	}
	for _, l := range lookers {
		w.keys[l.nick] = newKey(t)
	}
	w.house = openHouse(t, setup{exempt: true, keys: []string{ssh.FingerprintSHA256(w.keys["chief"].PublicKey())}})
	w.furnish()
	w.live()
	w.away()
	w.ask()
	w.backlog()
	w.outside()
	return w.rows
}

// watch is everybody in a house, and what they saw.
type watch struct {
	seen

	t      *testing.T
	house  *house
	keys   map[string]ssh.Signer
	people map[string]*person
	tim    *oldClient
	rows   [][]bool
}

// sees notes what somebody saw.
func (w *watch) sees(who, way string, saw bool) {
	if j := slices.Index(w.who, who); j >= 0 {
		w.rows[slices.Index(waysToSee, way)][j] = saw
	}
}

func (w *watch) direct() bool { return w.name == "A direct message" }
func (w *watch) struck() bool { return w.name == "A struck line" }

// everybody is called by all who sit at SSH.
func (w *watch) everybody(f func(nick string)) {
	for _, l := range lookers {
		if l.nick != "tim" && l.nick != "file" {
			f(l.nick)
		}
	}
}

// does types a command and waits until it is through; it returns what was shown meanwhile.
func (w *watch) does(nick, line string) string {
	w.t.Helper()
	p := w.people[nick]
	before := len(p.rows())
	n := strings.Count(p.text(), "You are "+nick)
	p.types(line)
	p.types("/whoami")
	p.seesTimes(n+1, "You are "+nick)
	isPrompt := func(row string) bool { return promptRow.MatchString(row) }
	return strings.Join(slices.DeleteFunc(p.rows()[max(0, before-1):], isPrompt), "\n") // the last one was the prompt
}

// promptRow is a row that nobody but its reader has to see: it names the room that they are in.
var promptRow = regexp.MustCompile(`^(#\S+ )?\S+( \[.*\])?>`)

// come brings somebody in whom the house knows by their key.
func (w *watch) come(nick string) *person {
	w.t.Helper()
	p := w.house.knock(w.t, login{user: nick, key: w.keys[nick], cols: 160, rows: 50})
	p.sees("* " + nick + " joined.")
	return p
}

// furnish brings everybody in, with an account, and makes the room.
func (w *watch) furnish() {
	w.t.Helper()
	w.everybody(func(nick string) {
		w.people[nick] = w.house.enter(w.t, login{user: nick, key: w.keys[nick], cols: 160, rows: 50})
		w.does(nick, "/register")
	})
	w.tim = w.house.joinLined(w.t, "tim")
	if w.place == "#lobby" {
		w.does("chief", "/grant olga moderator")
	} else {
		w.does("olga", "/join "+w.place)
	}
	if w.place == "#attic" {
		w.does("olga", "/room private")
		for _, nick := range []string{"ina", "max", "vera"} {
			w.does("olga", "/invite "+nick)
		}
	}
	w.does("olga", "/topic "+topicWord)
	if w.place != "#lobby" {
		w.does("ina", "/join "+w.place)
		w.does("max", "/join "+w.place)
	}
}

// says has the line said, for those who are there.
func (w *watch) says(n int) {
	w.t.Helper()
	text := fmt.Sprint(saidWord, " ", n)
	if w.direct() {
		text = "/msg rosa " + text
	}
	w.does("max", text)
}

// strike has every line with the word struck.
func (w *watch) strike() {
	w.t.Helper()
	if !w.struck() {
		return
	}
	_, out, errs := w.house.command(w.t, login{user: "olga", key: w.keys["olga"]}, "history in:"+w.place+" --ids")
	for _, m := range regexp.MustCompile(`(?m)^([0-9a-f]{8}) .*`+saidWord).FindAllStringSubmatch(out, -1) {
		if status, _, errs := w.house.command(w.t, login{user: "olga", key: w.keys["olga"]}, "strike "+w.place+" "+m[1]); status != 0 {
			w.t.Fatalf("strike: %s", errs)
		}
	}
	if errs != "" {
		w.t.Fatalf("history --ids: %s", errs)
	}
}

// settle waits until everybody has read everything that was committed: an announcement stands behind it on every screen.
func (w *watch) settle(word string) {
	w.t.Helper()
	w.does("chief", "/announce "+word)
	w.everybody(func(nick string) { w.people[nick].sees(word) })
	w.tim.awaits(word)
}

func (w *watch) live() {
	w.t.Helper()
	w.says(1)
	w.settle("settled-1")
	w.everybody(func(nick string) { w.sees(nick, "live view", strings.Contains(w.people[nick].text(), saidWord+" 1")) })
	w.sees("tim", "live view", strings.Contains(w.tim.in.String(), saidWord+" 1"))
	w.strike()
}

// away has something said while everybody who looks is away, and lets them return.
func (w *watch) away() {
	w.t.Helper()
	w.everybody(func(nick string) {
		if nick != "max" {
			w.people[nick].leaves()
		}
	})
	w.says(2)
	w.strike()
	w.everybody(func(nick string) {
		if nick == "max" {
			w.people[nick].leaves()
		}
		w.people[nick] = w.come(nick)
		w.does(nick, "/go "+w.place)
	})
	w.settle("settled-2")
	w.everybody(func(nick string) {
		all := w.people[nick].text()
		w.sees(nick, "what was missed, on return", strings.Contains(all, saidWord+" 2"))
		w.sees(nick, "kept messages, on return", strings.Contains(all, "→ you] "+saidWord+" 2"))
	})
}

// ask has everybody ask, at their screen and by a command alone, which must tell the same.
func (w *watch) ask() {
	w.t.Helper()
	name, member := w.place, "max"
	if w.direct() || w.struck() {
		name, member = saidWord, saidWord
	}
	for _, q := range []struct{ way, line, word string }{
		{"`/history`", "history in:" + w.place, saidWord},
		{"`/search`", "search from:max in:" + w.place, saidWord},
		{"`/rooms`", "rooms", name},
		{"`/who #room`", "who " + w.place, member},
		{"`/whois`", "whois max", name},
		{"`/audit`", "audit " + w.place, saidWord},
	} {
		w.everybody(func(nick string) {
			typed := strings.Contains(w.does(nick, "/"+q.line), q.word)
			_, out, errs := w.house.command(w.t, login{user: nick, key: w.keys[nick]}, q.line)
			if alone := strings.Contains(out+errs, q.word); alone != typed {
				w.t.Errorf("%s sees %q by %s: %v on the screen, %v alone:\n%s%s", nick, q.word, q.line, typed, alone, out, errs)
			}
			w.sees(nick, q.way, typed)
		})
	}
}

// answered waits until the house knows that everybody has read the direct messages to them: until then a further screen shows them again.
func (w *watch) answered() {
	w.t.Helper()
	const unseen = `SELECT count(*) FROM log JOIN places ON of = subject WHERE kind = 'told' AND seq > seen`
	if !eventually(patience, func() bool { return w.house.look(unseen) == 0 }) {
		w.t.Fatal("the house does not know that all direct messages were read")
	}
}

// backlog has everybody come into the room by one more screen.
func (w *watch) backlog() {
	w.t.Helper()
	w.answered()
	w.everybody(func(nick string) {
		p := w.house.knock(w.t, login{user: nick, key: w.keys[nick], cols: 160, rows: 50})
		p.nick, w.people[nick] = nick, p
		w.does(nick, "/join "+w.place) // if they are not there yet
	})
	w.settle("settled-3")
	w.everybody(func(nick string) {
		w.sees(nick, "backlog, on coming in", strings.Contains(w.people[nick].text(), saidWord))
	})
	again := w.house.joinLined(w.t, "tom")
	again.sends("/bye\n")
	if !again.in.waitEnd(patience) {
		w.t.Fatal("tom stays")
	}
	w.sees("tim", "backlog, on coming in", strings.Contains(again.in.String(), saidWord))
}

// outside looks at what is no screen: the tools, the log and the file. Of those who have no shell nobody has the tools.
func (w *watch) outside() {
	w.t.Helper()
	plain, _ := w.house.tool(w.t, 0, "export")
	all, _ := w.house.tool(w.t, 0, "export", "--direct", "--private")
	w.sees("file", "`sarangbang export`", strings.Contains(plain, saidWord))
	w.sees("file", "`export --direct --private`", strings.Contains(all, saidWord))
	w.everybody(func(nick string) {
		for _, line := range []string{"export", "export --direct --private", "audit --format ndjson"} {
			if _, out, errs := w.house.command(w.t, login{user: nick, key: w.keys[nick]}, line); strings.Contains(out+errs, saidWord) {
				w.t.Errorf("%s sees it by %q", nick, line)
			}
		}
	})
	for _, word := range []string{saidWord, topicWord} {
		if strings.Contains(w.house.log.String(), word) {
			w.t.Errorf("%q stands in the log of the program", word)
		}
	}
	var stored []byte
	for _, name := range []string{"sarangbang.db", "sarangbang.db-wal"} {
		b, err := os.ReadFile(filepath.Join(w.house.dir, name))
		if err != nil {
			w.t.Fatal(err)
		}
		stored = append(stored, b...)
	}
	w.sees("file", "the database file", bytes.Contains(stored, []byte(saidWord)))
}
