package historycheck

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// noon is when nothing has happened yet.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// evening is the log of a moderator's evening in a perfect house: lee is banned and muted and let in again, lines are struck, one of
// them by mistake, #den is private, and the house was killed twice.
func evening() *House {
	h := &House{}
	seq, now := uint64(0), time.Duration(0)
	tick := func() (uint64, time.Time) {
		seq++
		now += time.Second
		return seq, noon.Add(now)
	}
	rooms := map[string][]Entry{}
	var records []Record
	screens := map[string]int{}
	comes := func(who string) {
		screens[who] = len(h.Screens)
		h.Screens = append(h.Screens, Screen{Name: "screen of " + who, Reader: who, Opened: now, Marks: []Mark{{Kind: Again}}})
	}
	mark := func(who string, m Mark) {
		s := &h.Screens[screens[who]]
		m.At = now
		s.Marks = append(s.Marks, m)
	}
	says := func(who, room, id string, readers ...string) {
		s, at := tick()
		l := Line{Author: who, Text: who + " says " + id}
		h.Sends = append(h.Sends, Send{Line: l, Screen: screens[who], At: now, Outcome: Shown, Done: now})
		rooms[room] = append(rooms[room], Entry{Line: l, ID: id, Seq: s, At: at})
		for _, r := range append(readers, who) {
			mark(r, Mark{Kind: Saw, Line: l})
		}
	}
	does := func(r Record) {
		r.Seq, r.At = tick()
		records = append(records, r)
		if r.Kind != "opened" {
			d := Deed{By: r.By, Kind: r.Kind, Room: r.Room, Whom: r.Whom, What: r.What, Value: r.Value, Reason: r.Reason, At: now, Done: now, Outcome: Shown}
			if r.Kind == "withdrawn" {
				d.Line = r.Of[0]
			}
			h.Deeds = append(h.Deeds, d)
		}
	}
	asked := func(name string) {
		k := Kept{Name: name, Rooms: map[string][]Entry{}}
		for room, all := range rooms {
			k.Rooms[room] = slices.Clone(all)
		}
		h.Kept = append(h.Kept, k)
		h.Audits = append(h.Audits, Audit{Name: name, Records: slices.Clone(records)})
	}
	strike := func(room, id string, struck bool) {
		for i := range rooms[room] {
			if rooms[room][i].ID == id {
				rooms[room][i].Struck = struck
			}
		}
	}
	undone := func(id string) {
		for i := range records {
			if records[i].ID == id {
				records[i].Undone = true
			}
		}
	}

	does(Record{ID: "open", Kind: "opened", Room: "#den", By: "kim"})
	does(Record{ID: "hide", Kind: "arranged", Room: "#den", By: "kim", What: "private", Value: "on"})
	h.Deeds = nil
	asked("at the beginning")
	comes("kim")
	comes("lee")
	comes("imp")
	says("lee", Lobby, "a", "kim", "imp")
	says("imp", Lobby, "b", "kim", "lee")
	mark("kim", Mark{Kind: Turn, Room: "#den"})
	says("kim", "#den", "secret")
	does(Record{ID: "mute", Kind: "muted", Room: Lobby, By: "kim", Whom: "imp", Reason: "1"})
	does(Record{ID: "unmute", Kind: "lifted", Room: Lobby, By: "kim", Whom: "imp", Of: []string{"mute"}})
	says("imp", Lobby, "c", "lee")
	does(Record{ID: "invite", Kind: "invited", Room: "#den", By: "kim", Whom: "imp"})
	does(Record{ID: "not", Kind: "undone", By: "kim", Of: []string{"invite"}})
	undone("invite")
	does(Record{ID: "slow", Kind: "arranged", Room: Lobby, By: "kim", What: "slow", Value: "10s"})
	does(Record{ID: "fast", Kind: "undone", By: "kim", Of: []string{"slow"}})
	undone("slow")
	does(Record{ID: "strike a", Kind: "withdrawn", Room: Lobby, By: "kim", Of: []string{"a"}})
	does(Record{ID: "strike b", Kind: "withdrawn", Room: Lobby, By: "kim", Of: []string{"b"}})
	does(Record{ID: "back b", Kind: "undone", By: "kim", Of: []string{"strike b"}})
	undone("strike b")
	strike(Lobby, "a", true)
	does(Record{ID: "ban", Kind: "banned", Room: Lobby, By: "kim", Whom: "lee", Reason: "2"})
	asked("after a kill")
	comes("imp")
	mark("imp", Mark{Kind: Gap, N: 1}) // the note
	for _, e := range rooms[Lobby][1:] {
		mark("imp", Mark{Kind: Saw, Line: e.Line})
	}
	says("imp", Lobby, "d")
	asked("at the end")
	h.States = []State{
		{Room: Lobby, Asked: noon.Add(now), Answered: noon.Add(now), Bars: []Bar{{Whom: "lee"}}},
		{Room: "#den", Asked: noon.Add(now), Answered: noon.Add(now), Private: true, Owner: "kim"},
	}
	h.Views = []View{
		{Name: "in the history", Reader: "imp", Room: "#den", After: 3},
		{Name: "by a search", Reader: "kim", Room: "#den", Of: "kim says secret", Shown: true, Lines: []Line{rooms["#den"][0].Line}, After: 3},
		{Name: "by a search", Reader: "imp", Room: Lobby, Of: "lee says a", Shown: true, After: 3},
	}
	h.Probes = []Probe{
		{Who: "lee", Room: Lobby, At: noon.Add(now), Done: noon.Add(now), After: 3},
		{Who: "imp", Room: "#den", At: noon.Add(now), Done: noon.Add(now), After: 3},
		{Who: "imp", Room: Lobby, At: noon.Add(now), Done: noon.Add(now), Said: true, After: 3},
	}
	return h
}

func TestHouseWhereOrderIsKeptHasNoFaults(t *testing.T) {
	t.Parallel()
	for _, f := range CheckHouse(evening()) {
		t.Error(f)
	}
}

// A bar that ends while somebody tries to speak keeps them out or does not.
func TestBarEndsWhileSomebodyTries(t *testing.T) {
	t.Parallel()
	for _, said := range []bool{false, true} {
		h := evening()
		records := h.Audits[len(h.Audits)-1].Records
		ends := h.Probes[0].At.Add(time.Second)
		for i := range records {
			if records[i].Whom == "lee" {
				records[i].Until = &ends
			}
		}
		h.Probes[0].Said = said
		h.Probes[0].Done = ends.Add(-time.Millisecond)
		want := map[bool][]Kind{true: {Admitted}}[said]
		if got := kinds(CheckHouse(h)); !slices.Equal(got, want) {
			t.Errorf("lee tries before the bar ends, and speaks: %v; found %q, want %q", said, got, want)
		}
		h.Probes[0].Done = ends
		if got := kinds(CheckHouse(h)); len(got) > 0 {
			t.Errorf("lee tries as the bar ends, and speaks: %v; found %q, want nothing", said, got)
		}
	}
}

// Bars that were lifted together come back together.
func TestLiftedBarsComeBackTogether(t *testing.T) {
	t.Parallel()
	h := evening()
	a := &h.Audits[len(h.Audits)-1]
	for i, r := range []Record{
		{ID: "longer", Kind: "banned", Whom: "lee", Reason: "3"},
		{ID: "unban", Kind: "lifted", Whom: "lee", Of: []string{"ban", "longer"}, Undone: true},
		{ID: "not so", Kind: "undone", Of: []string{"unban"}},
	} {
		r.By, r.Seq, r.At = "kim", uint64(100+i), noon.Add(time.Minute)
		if r.Kind != "undone" {
			r.Room = Lobby
		}
		a.Records = append(a.Records, r)
		h.Deeds = append(h.Deeds, Deed{By: r.By, Kind: r.Kind, Room: r.Room, Whom: r.Whom, Reason: r.Reason, Outcome: Shown})
	}
	h.States[0].Bars = []Bar{{Whom: "lee"}, {Whom: "lee"}}
	for _, f := range CheckHouse(h) {
		t.Error(f)
	}
	h.States[0].Bars = h.States[0].Bars[1:]
	if got := kinds(CheckHouse(h)); !slices.Equal(got, []Kind{Changed}) {
		t.Errorf("one of the bars comes back: found %q, want that the room is changed", got)
	}
	h.Deeds[len(h.Deeds)-2].Outcome = Refused
	if got := kinds(CheckHouse(h)); !slices.Equal(got, []Kind{Changed, Unlisted}) {
		t.Errorf("lifting them was refused: found %q, want what was done next in its place besides", got)
	}
}

// An invitation that is taken back, or one that was, leaves those alone that came since.
func TestInvitationsAreTakenBackEachAlone(t *testing.T) {
	t.Parallel()
	h := evening()
	a := &h.Audits[len(h.Audits)-1]
	for i, r := range []Record{
		{ID: "ann", Kind: "invited", Whom: "ann", Undone: true},
		{ID: "bob", Kind: "invited", Whom: "bob"},
		{ID: "bob not", Kind: "invited", Whom: "bob", Off: true, Undone: true},
		{ID: "cho", Kind: "invited", Whom: "cho"},
		{ID: "ann not", Kind: "undone", Of: []string{"ann"}},
		{ID: "bob again", Kind: "undone", Of: []string{"bob not"}},
	} {
		r.By, r.Seq, r.At = "kim", uint64(100+i), noon.Add(time.Minute)
		if r.Kind != "undone" {
			r.Room = "#den"
		}
		a.Records = append(a.Records, r)
		h.Deeds = append(h.Deeds, Deed{By: r.By, Kind: r.Kind, Room: r.Room, Whom: r.Whom, Off: r.Off, Outcome: Shown})
	}
	h.States[1].Invited = []string{"cho", "bob"}
	for _, f := range CheckHouse(h) {
		t.Error(f)
	}
	for _, wrong := range [][]string{nil, {"bob"}, {"cho"}, {"ann", "cho", "bob"}} {
		h.States[1].Invited = wrong
		if got := kinds(CheckHouse(h)); !slices.Equal(got, []Kind{Changed}) {
			t.Errorf("invited are %q: found %q, want that the room is changed", wrong, got)
		}
	}
}

// Whoever was put out of a private room needs another invitation, also if that they were invited no more is taken back.
func TestWhoWasPutOutIsInvitedNoMore(t *testing.T) {
	t.Parallel()
	h := evening()
	a := &h.Audits[len(h.Audits)-1]
	for i, r := range []Record{
		{ID: "ann", Kind: "invited", Whom: "ann"},
		{ID: "bob", Kind: "invited", Whom: "bob"},
		{ID: "bob not", Kind: "invited", Whom: "bob", Off: true, Undone: true},
		{ID: "cho", Kind: "invited", Whom: "cho"},
		{ID: "ann out", Kind: "kicked", Whom: "ann"},
		{ID: "bob out", Kind: "kicked", Whom: "bob"},
		{ID: "bob again", Kind: "undone", Of: []string{"bob not"}},
	} {
		r.By, r.Seq, r.At = "kim", uint64(100+i), noon.Add(time.Minute)
		if r.Kind != "undone" {
			r.Room = "#den"
		}
		a.Records = append(a.Records, r)
		h.Deeds = append(h.Deeds, Deed{By: r.By, Kind: r.Kind, Room: r.Room, Whom: r.Whom, Off: r.Off, Outcome: Shown})
	}
	was := h.States[1].Invited
	h.States[1].Invited = slices.Concat(was, []string{"cho"})
	for _, f := range CheckHouse(h) {
		t.Error(f)
	}
	for _, wrong := range []string{"ann", "bob"} {
		h.States[1].Invited = slices.Concat(was, []string{wrong, "cho"})
		if got := kinds(CheckHouse(h)); !slices.Equal(got, []Kind{Changed}) {
			t.Errorf("%s is invited: found %q, want that the room is changed", wrong, got)
		}
	}
}

// What nobody answered for was done or was not, at its place among what else that person did.
func TestActWithNoAnswerIsListedOnceOrNotAtAll(t *testing.T) {
	t.Parallel()
	h := evening()
	h.Deeds[1].Outcome = Unknown
	unlisted := Deed{By: "kim", Kind: "muted", Room: Lobby, Whom: "lee", Reason: "cut off"}
	h.Deeds = slices.Insert(h.Deeds, 2, unlisted)
	for _, f := range CheckHouse(h) {
		t.Error(f)
	}
	h.Deeds[2].Outcome = Shown
	if got := kinds(CheckHouse(h)); !slices.Equal(got, []Kind{Unlisted}) {
		t.Errorf("found %q, want an act that is not listed", got)
	}
}

// Each fault of a house that keeps order, planted into an evening without any, is found and named, and nothing else is.
func TestPlantedFaultsOfOrderAreFound(t *testing.T) {
	t.Parallel()
	final := func(h *House) map[string][]Entry { return h.Kept[len(h.Kept)-1].Rooms }
	record := func(h *House, id string) (a *Audit, at int) {
		a = &h.Audits[len(h.Audits)-1]
		return a, slices.IndexFunc(a.Records, func(r Record) bool { return r.ID == id })
	}
	// said puts a line into the lobby as if it had been committed there at a place.
	said := func(h *House, who string, seq uint64) {
		l := Line{Author: who, Text: who + " says more"}
		h.Sends = append(h.Sends, Send{Line: l, Screen: 1, At: time.Hour})
		final(h)[Lobby] = append(final(h)[Lobby], Entry{Line: l, ID: "more", Seq: seq, At: noon.Add(time.Minute)})
	}
	for name, p := range map[string]struct {
		plant func(h *House)
		want  []Kind
	}{
		"a ban lost at a restart": {func(h *House) {
			h.States[0].Bars = nil
			h.Probes[0].Said = true
		}, []Kind{Admitted, Changed}},
		"a ban not applied to a line in flight": {func(h *House) { said(h, "lee", 100) }, []Kind{Spoke}},
		"a mute for too long": {func(h *House) {
			h.Probes[2].Said = false
			h.States[0].Bars = append(h.States[0].Bars, Bar{Whom: "imp", Mute: true})
		}, []Kind{Changed, KeptOut}},
		"a struck line that comes back after a restart": {func(h *House) { final(h)[Lobby][0].Struck = false }, []Kind{Returned}},
		"a struck line that a search finds": {func(h *House) {
			h.Views[2].Lines = []Line{final(h)[Lobby][0].Line}
		}, []Kind{Returned}},
		"a struck line in a backlog": {func(h *House) {
			s := &h.Screens[len(h.Screens)-1]
			s.Marks[1] = Mark{Kind: Saw, Line: final(h)[Lobby][0].Line, At: s.Opened}
		}, []Kind{Returned}},
		"a strike that leaves no note": {func(h *House) {
			final(h)[Lobby] = final(h)[Lobby][1:]
		}, []Kind{Lost, Vanished}},
		"an undo that half restores: the line stays struck": {func(h *House) { final(h)[Lobby][1].Struck = true }, []Kind{Withheld}},
		"an undo that half restores: the room stays slow":   {func(h *House) { h.States[0].Slow = "10s" }, []Kind{Changed}},
		"an undo that is not listed with what it took back": {func(h *House) {
			a, at := record(h, "slow")
			a.Records[at].Undone = false
		}, []Kind{Changed}},
		"a private room's line leaked into another's search": {func(h *House) {
			h.Views[0].Lines = []Line{final(h)["#den"][0].Line}
		}, []Kind{Leaked}},
		"a private room's line on another's screen": {func(h *House) {
			s := &h.Screens[2]
			s.Marks = append(s.Marks, Mark{Kind: Turn, Room: "#den"}, Mark{Kind: Saw, Line: final(h)["#den"][0].Line})
		}, []Kind{Leaked}},
		"a door to a private room":                        {func(h *House) { h.Probes[1].Said = true }, []Kind{Admitted}},
		"a line that its own room's search does not find": {func(h *House) { h.Views[1].Lines = nil }, []Kind{Withheld}},
		"an act listed twice": {func(h *House) {
			a, at := record(h, "strike a")
			a.Records = slices.Insert(a.Records, at, a.Records[at])
		}, []Kind{Rewritten, Twice}},
		"an act done twice": {func(h *House) {
			a, at := record(h, "ban")
			again := a.Records[at]
			again.ID, again.Seq = "again", again.Seq+100
			a.Records = append(a.Records, again)
			h.States[0].Bars = append(h.States[0].Bars, Bar{Whom: "lee"})
		}, []Kind{Twice}},
		"an act lost at a restart": {func(h *House) {
			a, at := record(h, "ban")
			a.Records = slices.Delete(a.Records, at, at+1)
			h.States[0].Bars = nil
			h.Probes[0].Said = true
		}, []Kind{Unlisted, Vanished}},
		"two acts exchanged": {func(h *House) {
			a, at := record(h, "strike a")
			a.Records[at].Of, a.Records[at+1].Of = a.Records[at+1].Of, a.Records[at].Of
			a.Records[at].ID, a.Records[at+1].ID = a.Records[at+1].ID, a.Records[at].ID
			a.Records[at].Undone, a.Records[at+1].Undone = a.Records[at+1].Undone, a.Records[at].Undone
		}, []Kind{Rewritten, Unlisted}},
		"an act that was refused and is there": {func(h *House) { h.Deeds[len(h.Deeds)-1].Outcome = Refused }, []Kind{Forged}},
		"unread lines shown twice on turning": {func(h *House) {
			s := &h.Screens[0]
			s.Marks = append(s.Marks, Mark{Kind: Turn, Room: Lobby}, s.Marks[1])
		}, []Kind{Twice}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := evening()
			p.plant(h)
			faults := CheckHouse(h)
			for _, f := range faults {
				if strings.Contains(f.Say, "%!") {
					t.Errorf("%q is no sentence", f.Say)
				}
			}
			if got := kinds(faults); !slices.Equal(got, p.want) {
				t.Errorf("found %q, want %q; in detail %v", got, p.want, faults)
			}
		})
	}
}

// Whoever was put out of the lobby and comes back on the same screen is not owed what was said meanwhile.
func TestNobodyIsOwedWhatIsSaidWhileTheyAreOut(t *testing.T) {
	t.Parallel()
	for _, out := range []bool{false, true} {
		var h House
		kept := Kept{Name: "at the end", Rooms: map[string][]Entry{}}
		line := func(id string) Mark {
			l := Line{Author: "kim", Text: "kim says " + id}
			h.Sends = append(h.Sends, Send{Line: l, Outcome: Shown})
			kept.Rooms[Lobby] = append(kept.Rooms[Lobby], Entry{Line: l, ID: id, Seq: uint64(len(h.Sends))})
			return Mark{Kind: Saw, Line: l}
		}
		first, second, _, fourth := line("a"), line("b"), line("c"), line("d")
		lees := func(name string, marks ...Mark) {
			h.Screens = append(h.Screens, Screen{Name: name, Reader: "lee", Account: true, Marks: append([]Mark{{Kind: New}}, marks...)})
		}
		lees("the first screen", first)
		if out {
			lees("the second screen", second, Mark{Kind: Left, Room: Lobby}, Mark{Kind: Turn, Room: Lobby}, fourth)
		} else {
			lees("the second screen", second)
			lees("the third screen", fourth)
		}
		h.Kept = []Kept{kept}
		want := map[bool][]Kind{false: {Skipped}}[out]
		if got := kinds(CheckHouse(&h)); !slices.Equal(got, want) {
			t.Errorf("lee misses a line, put out meanwhile: %v; found %q, want %q", out, got, want)
		}
	}
}
