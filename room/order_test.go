package room_test

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"sarangbang/room"
)

func TestTheSameOrderGivesTheSameVerdicts(t *testing.T) {
	reasons := map[string]bool{}
	for seed := range uint64(25) {
		first, second := room.NewRules(), room.NewRules()
		for _, e := range storyOf(seed, 500) {
			v := first.Apply(e)
			if again := second.Apply(e); !reflect.DeepEqual(v, again) {
				t.Fatalf("story %d, event %d, %+v: %+v, in a replay %+v", seed, e.Seq, e.Body, v, again)
			}
			reasons[verdict(v)] = true
		}
		if a, b := first.Dump(), second.Dump(); a != b {
			t.Fatalf("story %d: two replays differ: %s", seed, difference(a, b))
		}
	}
	for _, never := range []room.Void{room.VoidUnknown, room.VoidUnreadable, room.VoidKeys, room.VoidFull, room.VoidTooMany} {
		reasons[string(never)] = true // no random story comes to these
	}
	for _, why := range room.Voids() {
		if !reasons[string(why)] {
			t.Errorf("no story comes to %s", why)
		}
	}
}

// difference shows the first lines that differ.
func difference(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return strings.Join(x[max(0, i-6):i+1], "\n") + "\n--- other\n" + y[i]
		}
	}
	return "one is longer"
}

func TestAnOrderThatIsUndoneLeavesNothingBehind(t *testing.T) {
	for seed := range uint64(25) {
		rnd := rand.New(rand.NewPCG(seed, 8))
		tried, plain := room.NewRules(), room.NewRules()
		other := storyOf(seed+1000, 300)
		log := storyOf(seed, 300)
		for i, e := range log {
			if rnd.IntN(4) == 0 {
				before := tried.Dump()
				tried.Attempt()
				from := rnd.IntN(len(other))
				some := other[from:min(from+rnd.IntN(20), len(other))]
				if rnd.IntN(2) == 0 { // what will be, or what makes no sense
					some = log[i:min(i+rnd.IntN(20), len(log))]
				}
				for _, o := range some {
					tried.Apply(o)
				}
				tried.Undo()
				if after := tried.Dump(); after != before {
					t.Fatalf("story %d, before event %d: what was undone left something behind: %s", seed, e.Seq, difference(before, after))
				}
				if c := tried.Changes(); len(c) > 0 {
					t.Fatalf("story %d: %d changes are to be kept of what was undone", seed, len(c))
				}
			}
			tried.Attempt()
			got := tried.Apply(e)
			tried.Keep()
			tried.Changes()
			if want := plain.Apply(e); !reflect.DeepEqual(got, want) {
				t.Fatalf("story %d, event %d, %+v: %+v after what was undone, want %+v", seed, e.Seq, e.Body, got, want)
			}
		}
	}
}

// keep takes changes in, as an archive does.
func keep(kept map[string]json.RawMessage, changes []room.Change) {
	for _, c := range changes {
		if c.Value == nil {
			delete(kept, c.Key)
		} else {
			kept[c.Key] = c.Value
		}
	}
}

func sameKept(t *testing.T, what string, got, want map[string]json.RawMessage) {
	t.Helper()
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if string(got[key]) != string(want[key]) {
			t.Errorf("%s: %s is %s, want %s", what, key, got[key], want[key])
		}
	}
	for _, key := range slices.Sorted(maps.Keys(got)) {
		if want[key] == nil {
			t.Errorf("%s: %s is %s, want it gone", what, key, got[key])
		}
	}
}

// What is kept is all that is decided: told of each change, and read back.
func TestWhatIsKeptIsAllThatWasDecided(t *testing.T) {
	for seed := range uint64(15) {
		rules, kept := room.NewRules(), map[string]json.RawMessage{}
		keep(kept, []room.Change{{Key: "room:" + string(room.Lobby), Value: rules.Kept()["room:"+string(room.Lobby)]}}) // there always
		for _, e := range storyOf(seed, 400) {
			rules.Attempt()
			rules.Apply(e)
			rules.Keep()
			keep(kept, rules.Changes())
			if e.Seq%50 != 0 {
				continue
			}
			sameKept(t, "what the changes told", kept, rules.Kept())
			restored := room.NewRules()
			restore(t, restored, rules.Snapshot())
			sameKept(t, "what was restored", restored.Kept(), rules.Kept())
			if t.Failed() {
				t.Fatalf("story %d, event %d", seed, e.Seq)
			}
		}
	}
}

// A log that is read again, without who was here, comes to the same decisions.
func TestWhatTookEffectOnceIsDecidedAgain(t *testing.T) {
	for seed := range uint64(15) {
		rules, again := room.NewRules(), room.NewRules()
		for _, e := range storyOf(seed, 400) {
			v := rules.Apply(e)
			if v.Void != "" {
				continue
			}
			shown := *e
			shown.From = v.From
			again.Replay(&shown)
			rules.Prune(e.At) // a record without effect may have done so already
			again.Prune(e.At)
			sameKept(t, "in the replay", again.Kept(), rules.Kept())
			if t.Failed() {
				t.Fatalf("story %d, event %d, %+v", seed, e.Seq, e.Body)
			}
		}
	}
}

// TestUndoRestoresExactly does one thing to a house, takes it back, and wants everything to be as before but for the two acts.
func TestUndoRestoresExactly(t *testing.T) {
	undone := map[string]int{}
	for seed := range uint64(60) {
		s, rules := newTeller(seed), room.NewRules()
		for range 250 {
			e := s.next()
			before := rules.Kept()
			v := rules.Apply(e)
			after := rules.Kept()
			var act room.Act
			if err := json.Unmarshal(after["act:"+e.ID.String()], &act); v.Void != "" || err != nil || act.Undone {
				continue
			}
			rules.Attempt()
			at := e.At.Add(time.Duration(s.rnd.IntN(30)) * time.Second)
			back := rules.Apply(&room.Event{
				Seq: e.Seq + 1, ID: room.ID{0xee}, Subject: room.HouseSubject, At: at, From: e.From, Body: room.Undone{Act: e.ID},
			})
			got := rules.Kept()
			rules.Undo()
			switch {
			case act.Kind == "kicked":
				if back.Void != room.VoidFinal {
					t.Errorf("a kick that is taken back: %q, want %q", back.Void, room.VoidFinal)
				}
				continue
			case back.Void != "": // a bar that ended, or a role that was given away
				continue
			}
			undone[act.Kind]++
			for _, kept := range []map[string]json.RawMessage{before, got} {
				for key, value := range kept { // acts are new; what is over goes by itself
					var bar room.Bar
					if strings.HasPrefix(key, "act:") || json.Unmarshal(value, &bar) == nil && !bar.Until.IsZero() && !at.Before(bar.Until) {
						delete(kept, key)
					}
				}
			}
			sameKept(t, act.Kind+" taken back", got, before)
			if t.Failed() {
				t.Fatalf("story %d, event %d, %+v", seed, e.Seq, e.Body)
			}
		}
	}
	for _, kind := range []string{"arranged", "invited", "ranked", "muted", "banned", "lifted", "withdrawn"} {
		if undone[kind] == 0 {
			t.Errorf("no story takes back what was %s: %v", kind, undone)
		}
	}
}
