package command_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sarangbang/internal/command"
	"sarangbang/room"
)

func TestHistoryShowsTheLastLinesOldestFirst(t *testing.T) {
	h := newHouse(t)
	kim := h.come("kim", "")
	kim.gets("/history", "* There is nothing to show.\n")
	var all strings.Builder
	for n := range 60 {
		kim.says(fmt.Sprint("line ", n))
		fmt.Fprintf(&all, "[kim] line %d\n", n)
	}
	lines := strings.SplitAfter(all.String(), "\n")
	kim.gets("/history", strings.Join(lines[10:], ""))
	kim.gets("/history 3", strings.Join(lines[57:], ""))
	kim.gets("/history 100000", all.String())
	kim.gets("/history 2 before 0m", strings.Join(lines[58:], ""))
	kim.gets("/history before 1h", "* There is nothing to show.\n")
	kim.gets("/history before 2026-01-02 03:04", "* There is nothing to show.\n")
	tomorrow := time.Now().UTC().AddDate(0, 0, 1).Format(time.DateOnly)
	kim.gets("/history 1 before "+tomorrow, strings.Join(lines[59:], ""))
}

func TestHistoryTakesNothingElse(t *testing.T) {
	kim := newHouse(t).come("kim", "")
	usage := "Use it like this: /history [N] [before TIME]"
	for line, want := range map[string]string{
		"/history 0":                      "One line at least and 100000 at most can be shown.",
		"/history -5":                     "100000 at most",
		"/history 100001":                 "100000 at most",
		"/history 99999999999999999999":   "100000 at most",
		"/history many":                   usage,
		"/history 5 6":                    usage,
		"/history before":                 usage,
		"/history from:kim":               usage,
		"/history before soon":            "soon cannot be read as a time. Write it like 14:30, 2026-11-22, 2026-11-22 14:30 or 2h",
		"/history 5 before 2026-11-22 25": "2026-11-22 25 cannot be read as a time.",
		"/history time:maybe":             "time:maybe is not possible",
	} {
		kim.fails(line, want)
	}
}

func TestHistoryAloneIsPlain(t *testing.T) {
	h := newHouse(t)
	h.come("kim", "").says("hello")
	for line, want := range map[string]command.Times{
		"/history": command.TimesOff, "/history time:full": command.TimesFull, "/history time:short 5": command.TimesShort, "/history 5 time:OFF": command.TimesOff,
	} {
		env := command.Env{House: h.House, Bare: true}
		a, err := run(t, env, line)
		if got := rows(t, a, env, false); err != nil || a.Times != want || got != "[kim] hello\n" {
			t.Errorf("%s answers %q with times %q, err %v; want the line and times %q", line, got, a.Times, err, want)
		}
	}
	empty := command.Env{House: newHouse(t).House, Bare: true}
	if a, err := run(t, empty, "/history"); err != nil || rows(t, a, empty, false) != "" {
		t.Errorf("the history of an empty house is %q, err %v; want nothing", rows(t, a, empty, false), err)
	}
}

func TestHistoryHasTimesWhereSomebodyReadsIt(t *testing.T) {
	kim := newHouse(t).come("kim", "")
	kim.says("hello")
	for set, want := range map[command.Times]command.Times{
		command.TimesOff: command.TimesShort, command.TimesShort: command.TimesShort, command.TimesFull: command.TimesFull,
	} {
		kim.env.Times = set
		if a, err := run(t, kim.env, "/history"); err != nil || a.Times != want {
			t.Errorf("with /time %s the history has times %q, err %v; want %q", set, a.Times, err, want)
		}
	}
}

func TestCatchupShowsTheGapsAndNoMore(t *testing.T) {
	h := newHouse(t)
	kim, lee, park := h.come("kim", ""), h.come("lee", ""), h.come("park", "")
	park.gets("/catchup", "* Nothing was skipped. /history shows older lines.\n")
	one := kim.says("one")
	if _, err := lee.Post(t.Context(), room.Lobby, room.Told{To: park.Person(), Text: room.Sentence("psst")}, room.Told{To: kim.Person(), Text: room.Sentence("not you")}); err != nil {
		t.Fatal(err)
	}
	three := kim.says("two", "three")
	five := kim.says("four", "five")
	six := kim.says("six")
	both := func(from, before room.Seq) command.Gap {
		span := room.Span{From: from, Before: before}
		return command.Gap{Where: room.Lobby, Lines: span, Letters: span}
	}
	park.env.Gaps = []command.Gap{both(one, three), both(five, six)}
	park.gets("/catchup", "* What was skipped:\n[kim] one\n[lee → you] psst\n[kim] two\n[kim] five\n"+
		"* That was it. Who came and went is not kept.\n")
	if a, err := run(t, park.env, "/catchup"); err != nil || a.CaughtUp != six {
		t.Errorf("caught up to %d, err %v; want %d", a.CaughtUp, err, six)
	}
}

func TestHistoryBeforeTimesFarAway(t *testing.T) {
	kim := newHouse(t).come("kim", "")
	kim.says("one", "two")
	for before, want := range map[string]string{
		"0001-01-01": "",
		"1677-01-01": "",
		"99999w":     "",
		"9999-12-31": "[kim] one\n[kim] two\n",
		"2300-01-01": "[kim] one\n[kim] two\n",
	} {
		kim.env.Bare = true
		kim.gets("/history 5 before "+before, want)
	}
	kim.gets("/search one since:0001-01-01", "[kim] one\n")
}

func TestWhatWasSkippedCanBeReadLater(t *testing.T) {
	h := newHouse(t)
	kim := h.come("kim", "")
	zone := time.FixedZone("far", 12*60*60)
	kim.env.Zone = zone
	var want strings.Builder
	for n := range 30 {
		kim.says(fmt.Sprint("line ", n))
		fmt.Fprintf(&want, "[kim] line %d\n", n)
	}
	lobby, _ := h.Room(room.Lobby)
	all := h.Lines(room.Lobby, 30)
	missed := room.Missed{Skipped: 20, Lines: room.Span{From: 1, Before: all[20].Seq}, Again: all[20:22], New: all[22:]}
	line := command.Skipped(missed, lobby, zone)
	shown := 0 // of what is shown anyway, as much as was said in the same second
	for _, e := range all[20:] {
		if !e.At.After(all[20].At.Truncate(time.Second).Add(time.Second - 1)) {
			shown++
		}
	}
	kim.gets(line, strings.Join(strings.SplitAfter(want.String(), "\n")[:20+shown], ""))

	at := time.Date(2026, 11, 23, 23, 30, 7, 500, time.UTC)
	said := []*room.Event{{Subject: room.Lobby, At: at}, {Subject: room.Lobby, At: at.Add(time.Second)}}
	letter := []*room.Event{{Subject: "person/kim", At: at.Add(-time.Hour)}}
	dev := room.Room{Subject: "room/dev", Name: "Dev"}
	for _, c := range []struct {
		missed room.Missed
		of     room.Room
		want   string
	}{
		{room.Missed{Skipped: 7, Lines: missed.Lines, Again: letter, New: said}, lobby, "/history 8 before 2026-11-24 11:30:08"},
		{room.Missed{Skipped: 200_000, Lines: missed.Lines, Again: said}, lobby, "/history 100000 before 2026-11-24 11:30:08"},
		{room.Missed{Skipped: 1, Lines: missed.Lines, New: []*room.Event{{Subject: "room/dev", At: at}}}, dev, "/history 2 in:#Dev before 2026-11-24 11:30:08"},
		{room.Missed{Skipped: 7, Letters: missed.Lines, New: said}, lobby, ""},
	} {
		if got := command.Skipped(c.missed, c.of, zone); got != c.want {
			t.Errorf("Skipped(%+v) = %q, want %q", c.missed, got, c.want)
		}
	}
}
