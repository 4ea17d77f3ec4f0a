package command_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"sarangbang/internal/command"
	"sarangbang/room"
)

// A word with a dash is a flag of the command, or it is refused and nothing is done: as a reason it would do what was only to be tried.
func TestFlagsAreNeverReasons(t *testing.T) {
	p := newPeace(t)
	p.mod.getsPart("/kick rude too loud --dry-run", "This would put rude out of #dev. The reason: too loud.", "Nothing was done.")
	p.mod.getsPart("/kick --dry-run #dev rude", "This would put rude out of #dev.", "Nothing was done.")
	p.mod.fails("/kick milo --dry-run", "role here is not below yours")
	p.from("far", "", "192.0.2.30")
	p.mod.fails("/kick far --dry-run", "nobody there is meant")
	p.mod.getsPart("/strike --dry-run "+p.spoken(p.rude, "awful"), "This would strike one line:", "[rude] awful", "Nothing was done.")
	p.mod.getsPart("/mute rude 1m", "rude may not speak")
	p.mod.getsPart("/unmute rude --dry-run", "This would let rude speak in #dev again.", "Nothing was done.")
	for _, line := range []string{
		"/kick rude --house", "/kick rude loud -dry-run", "/kick rude\t--house", "/ban rude 1h spam -dry-run", "/ban rude 1h spam –house-", "/ban rude -1h",
		"/ban rude −1h", "/mute rude ‐dry-run", "/ban rude --dry-run=no", "/invite far --dry-run", "/uninvite far —dry-run", "/grant milo owner --dry-run",
		"/revoke milo --dry-run", "/lock on --dry-run", "/slow 10s --dry-run", "/unmute rude -n", "/strike -f 123456", "/undo -dry-run", "/ban rude ——dry-run",
	} {
		before := len(p.Acts(p.owner.Person().ID))
		p.owner.fails(line, "Nothing was done.")
		if after := len(p.Acts(p.owner.Person().ID)); after != before || !p.rude.In(p.dev) {
			t.Errorf("%q did something, want nothing done", line)
		}
	}
	p.owner.fails("/kick rude --house", "There is no --house here. What works: --dry-run.")
	p.owner.fails("/invite far --dry-run", "/invite takes no word with a dash before it.")
	p.owner.fails("/invite far rude", "/invite NICK")
	p.owner.fails("/uninvite far rude", "/uninvite NICK")
	if !p.rude.In(p.dev) || p.Bars(p.dev)[0].Label != "rude" || len(p.Bars(p.dev)) != 1 {
		t.Errorf("rude is in %v, bars %v; want them in #dev with the one mute", p.rude.Rooms(), p.Bars(p.dev))
	}
	p.mod.getsPart(`/kick rude wrote "--help me" - all day`, "rude is out of #dev.")
}

// Every command that keeps order says which flags it takes.
func TestCommandsThatKeepOrderKnowTheirFlags(t *testing.T) {
	free := []string{"announce", "room", "audit", "bans"} // texts and passwords, or what changes nothing
	for _, c := range command.Table() {
		keeps := c.Needs != "" && !slices.Contains(free, c.Name) || c.Name == "undo"
		if (c.Flags != nil) != keeps {
			t.Errorf("/%s looks for flags: %t, want %t", c.Name, c.Flags != nil, keeps)
		}
	}
}

// spoken says a line, and returns its ID.
func (p *peace) spoken(g *guest, text string) string {
	p.t.Helper()
	results, err := g.Post(p.t.Context(), p.dev, room.Said{Text: room.Sentence(text)})
	if err != nil || results[0].Void != "" {
		p.t.Fatalf("say %q: %v, %v", text, results, err)
	}
	rows := p.mod.getsPart("/history --ids", text)
	row := rows[:strings.Index(rows, text)]
	row = row[strings.LastIndex(row, "\n* ")+3:]
	id, _, _ := strings.Cut(row, " ")
	return id
}

// How long somebody is kept out is read as people say it, in two languages, or refused: never is it a reason.
func TestTimesAsPeopleWriteThem(t *testing.T) {
	p := newPeace(t)
	const hour, day = time.Hour, 24 * time.Hour
	for typed, want := range map[string]struct {
		lasts  time.Duration // 0 for ever
		reason string
	}{
		"for 2 hours":             {2 * hour, ""},
		"2 hours":                 {2 * hour, ""},
		"2 HOURS of spam":         {2 * hour, "of spam"},
		"2시간":                     {2 * hour, ""},
		"2 시간":                    {2 * hour, ""},
		"2 시간 동안 도배":              {2 * hour, "도배"},
		"30분 도배":                  {30 * time.Minute, "도배"},
		"2시간동안 욕":                 {2 * hour, "욕"},
		"하루 도배":                   {day, "도배"},
		"1h 30m spam":             {90 * time.Minute, "spam"},
		"1 day and 6 hours":       {30 * hour, ""},
		"for an hour":             {hour, ""},
		"one week pest":           {7 * day, "pest"},
		"2w":                      {14 * day, ""},
		"90min":                   {90 * time.Minute, ""},
		"7d 20 lines":             {7 * day, "20 lines"},
		"forever":                 {0, ""},
		"for ever":                {0, ""},
		"영원히":                     {0, ""},
		"for spamming the room":   {day, "for spamming the room"},
		"a pest":                  {day, "a pest"},
		"says so every other day": {day, "says so every other day"},
	} {
		got := p.mod.getsPart("/ban rude "+typed, "rude is kept out")
		bars := p.Bars(p.dev)
		if len(bars) != 1 {
			t.Fatalf("%q set %v", typed, bars)
		}
		lasts := bars[0].Until.Sub(bars[0].At).Round(time.Minute)
		if bars[0].Until.IsZero() {
			lasts = 0
		}
		if lasts != want.lasts || bars[0].Reason.String() != want.reason {
			t.Errorf("/ban rude %s lasts %v for the reason %q (%s), want %v for %q", typed, lasts, bars[0].Reason, got, want.lasts, want.reason)
		}
		p.mod.getsPart("/undo", "Taken back")
	}
	for _, typed := range []string{
		"for two hours", "two hours", "half an hour", "두 시간", "3 months", "20 lines of spam", "for 5", "1.2.3", "99999 weeks", "11000 days", "0h", "for 0 hours", "며칠 동안",
	} {
		p.mod.fails("/ban rude "+typed, "is no time. Write 10m, 12h, 7d, 2w, 2 hours or forever")
	}
	if bars := p.Bars(p.dev); len(bars) > 0 {
		t.Errorf("refused times set %v", bars)
	}
	p.mod.getsPart("/slow 10 seconds", "Done in #dev.")
	if m, _ := p.Room(p.dev); m.Slow != 10*time.Second {
		t.Errorf("/slow 10 seconds is %v, want 10s", m.Slow)
	}
}
