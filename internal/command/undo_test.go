package command_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sarangbang/room"
)

// What ends between the look and the deed is passed over, too.
func TestUndoPassesOverWhatEndsMeanwhile(t *testing.T) {
	p := newPeace(t)
	p.owner.getsPart("/slow 10s", "Done in #dev.")
	for i := range 60 {
		bar := room.Bar{Mute: true, Target: room.Target{Persons: []room.PersonID{p.rude.Person().ID}}, Label: "rude"}
		bar.Until = time.Now().Add(time.Duration(i) * 200 * time.Microsecond)
		if r, err := p.Do(t.Context(), p.owner.Person(), p.dev, room.Barred{Bar: bar}); err != nil || r.Void != "" {
			t.Fatalf("muted: %+v, %v", r, err)
		}
		got, err := p.owner.call("/undo")
		if err != nil {
			t.Fatalf("/undo of a mute that ends soon fails: %v", err)
		}
		if strings.Contains(got, "Taken back: #dev · olive made the room slow") {
			p.owner.getsPart("/slow 10s", "Done in #dev.")
		}
	}
}

// Whoever is here by several screens takes back an act by each, though all of them have looked at the same one.
func TestUndoBySeveralScreensAtOnce(t *testing.T) {
	p := newPeace(t)
	for _, typed := range []string{"/slow 10s", "/lock on", "/topic tea"} {
		p.mod.getsPart(typed)
	}
	before, release := p.flaky.Calls(), p.flaky.Hold()
	defer release()
	var wg sync.WaitGroup
	var said [3]string
	for i := range said {
		wg.Go(func() {
			got, err := p.mod.call("/undo")
			said[i] = fmt.Sprint(got, err)
		})
	}
	for end := time.Now().Add(20 * time.Second); p.flaky.Calls() < before+len(said); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d screens have something to commit, want %d", p.flaky.Calls()-before, len(said))
		}
	}
	release()
	wg.Wait()
	for _, what := range []string{"slow", "locked", "topic"} {
		if all := strings.Join(said[:], "\n"); strings.Count(all, "Taken back: #dev · mona ") != len(said) || !strings.Contains(all, what) {
			t.Errorf("the screens read\n%s\nwant each to take back one act, and one of them %s", all, what)
		}
	}
	if m, _ := p.Room(p.dev); m.Slow != 0 || m.Locked || !m.Topic.Text.Empty() {
		t.Errorf("the room is %+v, want nothing of it left", m)
	}
}

// A room is made public again for all that has happened since it was made private.
func TestUndoOfPrivateBehindAKick(t *testing.T) {
	p := newPeace(t)
	p.from("kim", "SHA256:kim", "192.0.2.21").goes(p.dev)
	p.owner.getsPart("/room private", "/undo takes it back")
	p.owner.getsPart("/kick kim wrong button", "kim is out of #dev.")
	p.owner.getsPart("/undo --dry-run", "/undo would take back: #dev · olive made the room private", "a kick does not go back: #dev · olive put kim out of the room.")
	p.owner.getsPart("/undo", "Taken back: #dev · olive made the room private")
	if m, _ := p.Room(p.dev); m.Private || len(m.Invited) > 0 {
		t.Errorf("the room is %+v, want it public and nobody invited", m)
	}
}

// Bars that are lifted together are one act: they are told once, listed once, and come back together as they were.
func TestBarsThatAreLiftedTogetherComeBackTogether(t *testing.T) {
	p := newPeace(t)
	p.mod.getsPart("/ban rude 7d spam", "rude is kept out of #dev until")
	p.also.getsPart("/ban rude 8d more spam", "rude is kept out of #dev until")
	p.op.getsPart("/ban rude --house 1h shouting", "rude is kept out of this house until")
	all := func() []room.Bar { return append(p.Bars(p.dev), p.Bars(room.HouseSubject)...) }
	before := all()

	p.mod.getsPart("/unban rude --dry-run", "* This would lift that ban of rude; another would still keep them out of this house until ", "* Nothing was done.\n")
	p.mod.getsPart("/unban rude", "* That ban of rude is lifted; another still keeps them out of this house until ")
	if got := all(); len(got) != 1 || got[0].Where != room.HouseSubject {
		t.Errorf("in force is %+v, want the house's ban alone", got)
	}
	p.mod.getsPart("/undo --dry-run", "/undo would take back: #dev · mona lets come in again: rude.")
	p.mod.getsPart("/undo", "Taken back: #dev · mona lets come in again: rude.")
	if got := all(); !slices.EqualFunc(got, before, sameBar) {
		t.Errorf("in force is %+v, want what was there before: %+v", got, before)
	}

	acts := strings.Count(p.op.getsPart("/audit 100"), "\n")
	p.op.gets("/unban rude", "* rude may come into #dev again.\n* rude may come into this house again.\n")
	if got := all(); len(got) > 0 {
		t.Errorf("in force is %+v, want nothing", got)
	}
	if got := strings.Count(p.op.getsPart("/audit 100"), "\n"); got != acts+1 {
		t.Errorf("%d acts are listed after /unban, want one more than %d", got, acts)
	}
	p.op.getsPart("/undo", "Taken back: #dev · chief lets come in again: rude.")
	if got := all(); !slices.EqualFunc(got, before, sameBar) {
		t.Errorf("in force is %+v, want what was there before: %+v", got, before)
	}
}

// sameBar says that two bars are the same in every respect.
func sameBar(a, b room.Bar) bool { return reflect.DeepEqual(a, b) }

// Whoever wears another nickname than that of their account is one whom to ask.
func TestARefusalNamesEachKeeperOnce(t *testing.T) {
	p := newPeace(t)
	if err := p.owner.Rename(t.Context(), "olive2", []string{"case:olive2"}); err != nil {
		t.Fatal(err)
	}
	p.rude.fails("/ban #dev mona", "/ban takes a moderator of #dev. Ask olive2, mona, milo.")
	p.rude.fails("/grant #dev mona moderator", "/grant takes the owner of #dev. Ask olive2, chief.")
	p.owner.leave()
	p.rude.fails("/grant #dev mona moderator", "/grant takes the owner of #dev. Ask chief, olive.")
}

// However much was done since, what is taken back is named.
func TestWhatWasDoneBeforeMuchElseIsNamed(t *testing.T) {
	p := newPeace(t)
	p.mod.getsPart("/mute rude 1h spam", "may not speak")
	records := make([]room.Record, 1100)
	for i := range records {
		records[i] = room.Encode(p.owner.Person(), p.dev, room.Arranged{What: room.AspectLocked, Value: []string{"on", ""}[i%2]})
	}
	if _, err := p.store.Append(t.Context(), records...); err != nil {
		t.Fatal(err)
	}
	p.mod.getsPart("/undo", "Taken back: #dev · mona keeps rude from speaking in the room until ", "The reason: spam.")
	p.op.getsPart("/audit 1", "mona took this back: #dev · mona keeps rude from speaking in the room until ", "The reason: spam.")
}
