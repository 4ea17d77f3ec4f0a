//go:build linux

package e2e

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"sarangbang/internal/testkit/historycheck"
)

// The rooms of TestNothingSeenIsLost beside the lobby: a public one, and a private one.
const (
	dev = "#dev"
	den = "#den"
)

// office is what somebody may do to keep order.
type office int

const (
	none   office = iota
	keeper        // owns the rooms
	warden        // is an operator of the house
)

// struckNote is what stands in the place of a line that was struck: whoever reads it is told of one line.
const struckNote = "A line that stood here was struck."

// Rows of those who keep order, and of those who are in several rooms.
var (
	turnRow  = regexp.MustCompile(`^\* (#\S+) · here: \d+$`)
	leftRow  = regexp.MustCompile(`^\* You left (#\S+)\.$`)
	doneRow  = regexp.MustCompile(`^\* (?:\S+ is out of #|\S+ is kept out of |\S+ may not speak in |\S+ may (?:come into|speak in) |That (?:ban|mute) of \S+ is lifted; |Done in #|\S+ is .* of #\S+ now\.|\S+ has no role in |One line is struck|Taken back: |\S+ is not invited into )`)
	staysRow = regexp.MustCompile(`^\* (?:You look at #|You are not in #|You are kept out of |#\S+ is (?:private|locked)\b|Somebody here has the nickname )`)
	wrongRow = regexp.MustCompile(`^\* line (\d+): `)
	idRow    = regexp.MustCompile(`^(?:\* )?([0-9a-f]{8}) [\d-]+ [\d:]+ (?:\[([^\]]+)\] (.*)|A line that stood here was struck\.)$`)
)

// errand is what somebody who keeps order has in hand.
type errand struct {
	office office
	deed   int // of the log, that has no outcome yet; -1 for none
	input  int // the number of its line
	ids    []string
	in     string // the room whose lines these are, by their IDs
	undo   int    // how many of the last deeds can be taken back
	bars   []historycheck.Deed
	deeds  int
}

// settledLocked takes in what became of going to another room, and says whether the row told nothing else: without a number, as in a
// terminal, a refusal would be taken for that of the line that is awaited.
func (v *stay) settledLocked(row string) (taken bool) {
	if v.moving == 0 {
		return false
	}
	m := wrongRow.FindStringSubmatch(row)
	refused := m != nil && m[1] == fmt.Sprint(v.moving) || v.door == byTerminal && refusalRow.MatchString(row)
	if refused || turnRow.MatchString(row) || leftRow.MatchString(row) || staysRow.MatchString(row) {
		v.moving = 0
		v.stale = v.stale || refused && v.door == byTerminal // it is back in the draft
	}
	return refused
}

// moved takes in rows about the reader's rooms, mu held.
func (v *stay) movedLocked(row string) {
	s := &v.log.Screens[v.screen]
	mark := func(m historycheck.Mark) { s.Marks = append(s.Marks, m) }
	if m := turnRow.FindStringSubmatch(row); m != nil {
		v.active = m[1]
		mark(historycheck.Mark{Kind: historycheck.Turn, Room: m[1]})
		return
	}
	if row == "* "+struckNote {
		mark(historycheck.Mark{Kind: historycheck.Gap, N: 1})
		return
	}
	if m := leftRow.FindStringSubmatch(row); m != nil {
		mark(historycheck.Mark{Kind: historycheck.Left, Room: m[1]})
		return
	}
	if strings.HasPrefix(row, "* ") && strings.Contains(row, v.name) &&
		(strings.Contains(row, " out of the ") || strings.Contains(row, " took back ") || strings.Contains(row, "keeps")) {
		v.outLocked()
	}
}

// outLocked notes that the reader may be out of rooms. Only the targets are ever put out of the lobby.
func (v *stay) outLocked() {
	s := &v.log.Screens[v.screen]
	for _, room := range []string{historycheck.Lobby, dev, den} {
		if room != historycheck.Lobby || v.target {
			s.Marks = append(s.Marks, historycheck.Mark{Kind: historycheck.Left, Room: room})
		}
	}
}

// answeredLocked takes in rows about what the reader does to keep order.
func (v *stay) answeredLocked(row string) {
	if m := idRow.FindStringSubmatch(row); m != nil && m[2] != "" {
		v.ids = append(v.ids, m[1])
		if _, known := v.entries[m[1]]; !known {
			v.entries[m[1]] = historycheck.Entry{Line: historycheck.Line{Author: m[2], Text: m[3]}, ID: m[1]}
		}
	}
	if v.deed < 0 {
		return
	}
	d := &v.log.Deeds[v.deed]
	switch m := wrongRow.FindStringSubmatch(row); {
	case m != nil && m[1] == fmt.Sprint(v.input):
		d.Outcome = historycheck.Refused
	case m == nil && (doneRow.MatchString(row) || d.What == "topic" && strings.HasSuffix(row, "set the topic: "+d.Value)):
		d.Outcome = historycheck.Shown
		switch d.Kind {
		case "muted", "banned":
			v.bars = append(v.bars, *d)
		case "undone":
			v.undo--
		}
		if d.Kind != "undone" && d.Kind != "kicked" {
			v.undo++
		}
	default:
		return
	}
	d.Done = v.now()
	v.deed = -1
}

// keepsOrder does one thing to keep order.
func (v *stay) keepsOrder() {
	v.mu.Lock()
	d, line := v.thinks()
	if line == "" {
		v.mu.Unlock()
		return
	}
	v.typed++
	if d.Kind != "" {
		d.By, d.At = v.name, v.now()
		v.deed, v.input = len(v.log.Deeds), v.typed
		v.log.Deeds = append(v.log.Deeds, d)
	}
	v.mu.Unlock()
	v.writes(line + v.enter)
}

// thinks thinks of something to do: a command, and what the audit will call it if it changes anything.
func (v *stay) thinks() (d historycheck.Deed, line string) {
	pick := func(of ...string) string { return of[v.rng.IntN(len(of))] }
	rooms := []string{historycheck.Lobby, dev}
	if v.office == keeper {
		rooms = []string{dev, dev, den}
	}
	d.Room = pick(rooms...)
	d.Whom = pick("yun", "yun", "imp", "lee", "park", "kim", "visitor")
	target := d.Whom == "yun" || d.Whom == "imp"
	long := pick("1s", "1h")
	if d.Room == historycheck.Lobby && !target {
		long = "1s"
	}
	v.deeds++
	d.Reason = fmt.Sprint("act-", v.name, "-", v.deeds)
	value := ""
	switch n := v.rng.IntN(12); {
	case n == 0 && (d.Room != historycheck.Lobby || target):
		d.Kind, line = "kicked", fmt.Sprintf("/kick %s %s %s", d.Room, d.Whom, d.Reason)
	case n == 1:
		d.Kind, line = "muted", fmt.Sprintf("/mute %s %s %s %s", d.Room, d.Whom, long, d.Reason)
	case n == 2 && v.office == warden && target:
		d.Kind, line = pick("banned", "muted"), fmt.Sprintf(" %s %s --house %s", d.Whom, long, d.Reason)
		line = map[string]string{"banned": "/ban", "muted": "/mute"}[d.Kind] + line
		d.Room = ""
	case n == 3 && v.office == warden:
		d.Kind, d.Whom, d.Room, d.Value = "banned", "yun", "", v.prints["yun"]
		line = fmt.Sprintf("/ban %s %s %s", d.Value, long, d.Reason)
	case n <= 3 && (d.Room != historycheck.Lobby || target):
		d.Kind, line = "banned", fmt.Sprintf("/ban %s %s %s %s", d.Room, d.Whom, long, d.Reason)
	case n <= 5 && len(v.bars) > 0:
		b := v.bars[len(v.bars)-1]
		v.bars = v.bars[:len(v.bars)-1]
		d = historycheck.Deed{Kind: "lifted", Room: b.Room, Whom: b.Whom}
		if d.Room == "" { // the house's are lifted from any room, together with those of that room
			d.Room = historycheck.Lobby
		}
		label := b.Whom
		if b.Value != "" { // the bar means a key
			label = b.Value
		}
		line = map[string]string{"banned": "/unban ", "muted": "/unmute "}[b.Kind] + d.Room + " " + label
	case n <= 7 && v.undo > 0:
		d, line = historycheck.Deed{Kind: "undone"}, "/undo"
	case n == 8 && len(v.ids) > 0:
		d = historycheck.Deed{Kind: "withdrawn", Room: v.in, Line: v.ids[v.rng.IntN(len(v.ids))]}
		line = "/strike " + d.Room + " " + d.Line
		v.ids = nil
	case n <= 8:
		v.ids, v.in = nil, d.Room
		return historycheck.Deed{}, "/history 6 --ids in:" + d.Room
	case n == 9 && d.Room != historycheck.Lobby:
		value = pick("", "1.0"+fmt.Sprint(1+v.deeds%9)+"s")
		d = historycheck.Deed{Kind: "arranged", Room: d.Room, What: "slow", Value: value}
		line = "/slow " + d.Room + " " + value
		if value == "" {
			line += "off"
		}
	case n == 10 && d.Room == dev:
		d = historycheck.Deed{Kind: "arranged", Room: dev, What: "locked", Value: pick("", "on")}
		line = "/lock " + dev + " " + map[string]string{"": "off", "on": "on"}[d.Value]
	case n == 10 && d.Room == den:
		d = historycheck.Deed{Kind: "invited", Room: den, Whom: pick("lee", "park"), Off: v.rng.IntN(2) == 0}
		line = map[bool]string{true: "/uninvite ", false: "/invite "}[d.Off] + den + " " + d.Whom
	case v.office == keeper && v.rng.IntN(2) == 0:
		d = historycheck.Deed{Kind: "ranked", Room: dev, Whom: pick("lee", "park"), What: pick("moderator", "member")}
		line = fmt.Sprintf("/grant %s %s moderator", dev, d.Whom)
		if d.What == "member" {
			line = fmt.Sprintf("/revoke %s %s", dev, d.Whom)
		}
	case v.active != historycheck.Lobby && v.moving == 0:
		d = historycheck.Deed{Kind: "arranged", Room: v.active, What: "topic", Value: "about " + d.Reason}
		line = "/topic " + d.Value
	}
	return d, line
}

// wanders goes to another room, or out of one.
func (v *stay) wanders() {
	to := []string{historycheck.Lobby, dev, dev, den}[v.rng.IntN(4)]
	if v.office == keeper && v.rng.IntN(2) == 0 { // whoever else is there is there by invitation
		to = den
	}
	if v.rng.IntN(5) == 0 && to != historycheck.Lobby {
		v.types("/leave " + to)
		return
	}
	v.types("/join " + to)
}

// founds makes the rooms, before anything else happens.
func (e *endurance) founds() {
	e.t.Helper()
	for _, r := range e.people {
		if r.key == nil {
			continue
		}
		p := e.house.pipe(e.t, login{user: r.name, key: r.key})
		p.types("/register")
		p.sees("is yours")
		if r.office == keeper {
			p.types("/join " + dev)
			p.sees(dev + " · here: ")
			p.types("/join " + den)
			p.sees(den + " · here: ")
			p.types("/room private")
			p.sees("Done in " + den)
			p.types("/leave " + den)
			p.sees("You left " + den)
			p.types("/leave " + dev)
			p.sees("You left " + dev)
		}
		p.leaves()
		r.owner = true
		e.owners = append(e.owners, r.name)
	}
	e.log.Audits = []historycheck.Audit{e.audit("at the beginning")}
}

// as is how one of the people logs in, into a room or not.
func (e *endurance) as(name, room string) login {
	l := login{user: name}
	if room != "" && room != historycheck.Lobby {
		l.user = strings.TrimPrefix(room, "#") + "+" + name
	}
	for _, r := range e.people {
		if r.name == name {
			l.key = r.key
		}
	}
	return l
}

// audit asks the operator's tool for all acts.
func (e *endurance) audit(name string) historycheck.Audit {
	e.t.Helper()
	a := historycheck.Audit{Name: name}
	e.tool(func(row string) {
		var l struct {
			ID, Room, By, Kind, Whom, What, Value, Reason string
			Seq                                           uint64
			At                                            time.Time
			Until                                         *time.Time
			Off, Undone                                   bool
			Of                                            []string
		}
		if err := json.Unmarshal([]byte(row), &l); err != nil {
			e.t.Fatalf("the audit has a row %q: %v", row, err)
		}
		for i := range l.Of {
			l.Of[i] = shortID(l.Of[i])
		}
		r := historycheck.Record{
			ID: shortID(l.ID), Kind: l.Kind, Room: l.Room, By: l.By, Whom: e.person(l.Whom), What: l.What, Value: l.Value, Reason: l.Reason,
			Seq: l.Seq, At: l.At, Until: l.Until, Of: l.Of, Off: l.Off, Undone: l.Undone,
		}
		a.Records = append(a.Records, r)
	}, "audit", "--format=ndjson")
	return a
}

// person is whom a bar means, by a key too; bars that were lifted together may mean one person by both.
func (e *endurance) person(label string) string {
	var people []string
	for one := range strings.SplitSeq(label, ", ") {
		for name, key := range e.prints {
			if key == one {
				one = name
			}
		}
		people = append(people, one)
	}
	return strings.Join(slices.Compact(people), ", ")
}

// shortID is as much of an ID as people are shown.
func shortID(id string) string { return id[:8] }

// tool runs a tool beside the house, and hands its rows on.
func (e *endurance) tool(row func(string), args ...string) {
	e.t.Helper()
	status, out, errs := runProgram(e.t, patience, append(args, "--data-dir", e.dir)...)
	if status != 0 {
		e.t.Fatalf("sarangbang %q ends with status %d: %s", args, status, errs)
	}
	for line := range strings.Lines(out) {
		row(strings.TrimSuffix(line, "\n"))
	}
}

// kept asks for everything that was said, and for its places.
func (e *endurance) kept(name string) historycheck.Kept {
	e.t.Helper()
	type place struct {
		seq uint64
		at  time.Time
	}
	places, exported := map[string]place{}, map[string]int{}
	e.tool(func(row string) {
		var l struct {
			ID, Room string
			Seq      uint64
			At       time.Time
		}
		if err := json.Unmarshal([]byte(row), &l); err != nil {
			e.t.Fatalf("the export has a row %q: %v", row, err)
		}
		places[shortID(l.ID)] = place{l.Seq, l.At}
		exported[l.Room]++
	}, "export", "--format=ndjson", "--private")
	k := historycheck.Kept{Name: name, Rooms: map[string][]historycheck.Entry{}}
	for _, room := range []string{historycheck.Lobby, dev, den} {
		status, out, errs := e.house.command(e.t, e.as("duri", ""), "history 100000 --ids in:"+room)
		if status != 0 {
			e.t.Fatalf("the history of %s ends with status %d: %s", room, status, errs)
		}
		for row := range strings.Lines(out) {
			m := idRow.FindStringSubmatch(strings.TrimSuffix(row, "\n"))
			if m == nil {
				if row != "Nothing was said here.\n" {
					e.t.Errorf("the history of %s has a row %q, which is no line of anybody", room, row)
				}
				continue
			}
			entry := historycheck.Entry{Line: historycheck.Line{Author: m[2], Text: m[3]}, ID: m[1], Struck: m[2] == ""}
			if at, told := places[m[1]]; told {
				entry.Seq, entry.At = at.seq, at.at
				exported[room]--
			} else if !entry.Struck {
				e.t.Errorf("%s stands in the history of %s and not in the export", entry, room)
			}
			if before, known := e.entries[m[1]]; known && entry.Struck {
				entry = before
				entry.Struck = true
			}
			e.entries[m[1]] = entry
			k.Rooms[room] = append(k.Rooms[room], entry)
		}
	}
	for room, n := range exported {
		if n != 0 {
			e.t.Errorf("%d lines of %s are exported and do not stand in the history", n, room)
		}
	}
	return k
}

// Rows of an answer about a room.
var (
	aboutRow = regexp.MustCompile(`^(topic|kept by|invited): (.*)$`)
	slowRow  = regexp.MustCompile(`^#\S+ is slow: each person may speak once in (\S+)\.$`)
	barRow   = regexp.MustCompile(`^\d+\. (\S+): (kept out of|may not speak in) (#\S+|this house)`)
	roleRow  = regexp.MustCompile(`(\S+) \((the owner|a moderator)\)`)
)

// state asks how a room is.
func (e *endurance) state(room string) historycheck.State {
	e.t.Helper()
	s := historycheck.State{Room: room}
	ask := func(command string) string {
		status, out, errs := e.house.command(e.t, e.as("hana", ""), command+" "+room)
		if status != 0 {
			e.t.Fatalf("%s %s ends with status %d: %s", command, room, status, errs)
		}
		return out
	}
	for row := range strings.Lines(ask("room")) {
		row = strings.TrimSuffix(row, "\n")
		m := aboutRow.FindStringSubmatch(row)
		switch {
		case m != nil && m[1] == "topic":
			s.Topic = m[2]
		case m != nil && m[1] == "invited":
			s.Invited = strings.Split(m[2], ", ")
		case m != nil:
			for _, who := range roleRow.FindAllStringSubmatch(m[2], -1) {
				if who[2] == "the owner" {
					s.Owner = who[1]
				} else {
					s.Moderators = append(s.Moderators, who[1])
				}
			}
		case strings.HasPrefix(row, "private: "):
			s.Private = true
		case strings.HasPrefix(row, room+" is locked"):
			s.Locked = true
		case slowRow.MatchString(row):
			s.Slow = slowRow.FindStringSubmatch(row)[1]
		}
	}
	s.Asked = time.Now()
	bans := ask("bans")
	s.Answered = time.Now()
	for row := range strings.Lines(bans) {
		if m := barRow.FindStringSubmatch(row); m != nil {
			s.Bars = append(s.Bars, historycheck.Bar{Whom: e.person(m[1]), Mute: m[2] != "kept out of", House: m[3] == "this house"})
		}
	}
	return s
}

// view asks for what was said, as one of the people, or looks for one text.
func (e *endurance) view(name, reader, room string, of historycheck.Line) historycheck.View {
	e.t.Helper()
	v := historycheck.View{Name: name, Reader: reader, Room: room, Of: of.Text, After: len(e.log.Audits)}
	command := "history 50 in:" + room
	if of.Text != "" {
		command = fmt.Sprintf("search %s in:%s", lastWord(of.Text), room)
	}
	status, out, _ := e.house.command(e.t, e.as(reader, ""), command)
	if v.Shown = status == 0; !v.Shown {
		return v
	}
	for row := range strings.Lines(out) {
		if l, ok := lineOf(strings.TrimPrefix(strings.TrimSuffix(row, "\n"), room+" "), ""); ok {
			v.Lines = append(v.Lines, l)
		}
	}
	return v
}

func lastWord(s string) string { return s[strings.LastIndexByte(s, ' ')+1:] }

// views asks for what was said, and for lines that were struck or are not, as people who may read it and as people who may not.
func (e *endurance) views(name string, k historycheck.Kept) (all []historycheck.View) {
	e.t.Helper()
	outsider := []string{"yun", "imp", "choi"}[e.rng.IntN(3)]
	all = append(all, e.view(name+" in the history", outsider, den, historycheck.Line{}), e.exported(name+" in the export"))
	for _, struck := range []bool{true, false} {
		for _, room := range []string{dev, den} {
			entries := slices.Clone(k.Rooms[room])
			entries = slices.DeleteFunc(entries, func(l historycheck.Entry) bool { return l.Struck != struck || l.Text == "" })
			if len(entries) == 0 {
				continue
			}
			l := entries[len(entries)-1-e.rng.IntN(min(len(entries), 5))].Line
			all = append(all, e.view(name+" by a search", "duri", room, l))
			if room == den {
				all = append(all, e.view(name+" by a search", outsider, room, l))
			}
		}
	}
	return all
}

// exported is what an export has of the private room, for which nobody has asked.
func (e *endurance) exported(name string) historycheck.View {
	e.t.Helper()
	v := historycheck.View{Name: name, Reader: "whoever has the export", Room: den, Shown: true, After: len(e.log.Audits)}
	e.tool(func(row string) {
		var l struct{ Room, Nick, Text string }
		if err := json.Unmarshal([]byte(row), &l); err != nil {
			e.t.Fatalf("the export has a row %q: %v", row, err)
		}
		if l.Room == den {
			v.Lines = append(v.Lines, historycheck.Line{Author: l.Nick, Text: l.Text})
		}
	}, "export", "--format=ndjson", "--since=5m")
	return v
}

// probe tries to come into a room and to say something there.
func (e *endurance) probe(who, room string) historycheck.Probe {
	e.t.Helper()
	e.probes++
	l := historycheck.Line{Author: who, Text: fmt.Sprintf("%s tries %s try%dz", who, room, e.probes)}
	login := e.as(who, room)
	p := historycheck.Probe{Who: who, Account: login.key != nil, Room: room, At: time.Now(), After: len(e.log.Audits)}
	s := historycheck.Send{Line: l, Screen: len(e.log.Screens), At: e.now(), Outcome: historycheck.Refused}
	e.attempt[l.Text] = len(e.log.Sends)
	status, _, errs := e.house.command(e.t, login, "say "+l.Text)
	if p.Said = status == 0; p.Said {
		s.Outcome = historycheck.Shown
	}
	p.Told, p.Done, s.Done = errs, time.Now(), e.now()
	e.log.Screens = append(e.log.Screens, historycheck.Screen{Name: l.Text, Reader: who, Account: login.key != nil, Opened: s.At})
	e.log.Sends = append(e.log.Sends, s)
	return p
}

func TestRowsAboutOrderAreReadAsTheyAreMeant(t *testing.T) {
	t.Parallel()
	for row, want := range map[string]bool{
		"* lee is out of #dev. They may come back; /ban would keep them out.":                       true,
		"* lee is kept out of #dev until 2026-11-23 12:54. The reason: act-hana-2.":                 true,
		"* SHA256:x is kept out of this house until 2026-11-23 12:54.":                              true,
		"* lee may not speak in #lobby until 2026-11-23 12:54. The reason: act-hana-3.":             true,
		"* lee may speak in #lobby again.":                                                          true,
		"* That ban of lee is lifted; another still keeps them out of #dev until 2026-11-23 12:54.": true,
		"* lee may come into #den. /uninvite takes it back.":                                        true,
		"* lee is not invited into #den any more. Who is inside stays; /kick puts them out.":        true,
		"* Done in #dev. /undo takes it back.":                                                      true,
		"* lee is a moderator of #dev now. /undo takes it back.":                                    true,
		"* lee has no role in #dev any more, and is a member. /undo takes it back.":                 true,
		"* One line is struck. /undo gives it back within 24 hours.":                                true,
		"* Taken back: #dev · hana keeps lee out of the room until 2026-11-23 12:54.":               true,
		"* hana put lee out of the room. The reason: act-hana-1.":                                   false,
		"* hana keeps lee out of the room until 2026-11-23 12:54. The reason: act-hana-2.":          false,
		"* hana lets speak again: lee.":                                                             false,
		"* One line was struck by hana.":                                                            false,
		"* lee invites you into #den. /join #den takes you there.":                                  false,
		"[lee] is out of #dev": false,
	} {
		if got := doneRow.MatchString(row); got != want {
			t.Errorf("%q is read as the answer to an act: %v, want %v", row, got, want)
		}
	}
	for row, want := range map[string][]string{
		"* 0469e919 2026-11-23 11:54 [lee] in dev":                       {"0469e919", "lee", "in dev"},
		"0469e919 2026-11-23 11:54 A line that stood here was struck.":   {"0469e919", "", ""},
		"[lee] 0469e919 2026-11-23 11:54 [lee] in dev":                   nil,
		"* 0469e919 2026-11-23 11:54 A line that stood here was struck.": {"0469e919", "", ""},
	} {
		var got []string
		if m := idRow.FindStringSubmatch(row); m != nil {
			got = m[1:]
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q is read as %q, want %q", row, got, want)
		}
	}
}

// fingerprint is how a ban means a key.
func fingerprint(key ssh.Signer) string { return ssh.FingerprintSHA256(key.PublicKey()) }
