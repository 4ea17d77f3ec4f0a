package room_test

import (
	"testing"
	"time"

	"sarangbang/room"
)

// Whoever is kept out still owns their account, and the operator of a stopped house can end it.
func TestABarLeavesAccountsAlone(t *testing.T) {
	at := time.Unix(1_000_000, 0)
	rules, ann, op := room.NewRules(), personOf("ann"), personOf("op")
	ann.Key, op.Key = "SHA256:a", "SHA256:op"
	restore(t, rules, room.Snapshot{Accounts: []room.Account{{ID: ann.ID, Nick: "ann", Names: []string{"case:ann"}, Keys: []string{"SHA256:a"}}}})
	for i, tt := range []struct {
		from room.Person
		body room.Body
		want room.Void
	}{
		{room.Person{}, room.Appointed{Keys: []string{"SHA256:op"}}, ""},
		{op, room.Barred{Bar: room.Bar{Target: room.Target{Keys: []string{"SHA256:a"}}, Label: "ann"}}, ""},
		{ann, room.Joined{Screen: "1", Names: []string{"case:ann"}}, room.VoidBanned},
		{ann, room.Configured{Name: "lang", Value: "ko"}, ""},
		{ann, room.KeyAdded{Key: "SHA256:b"}, ""},
		{ann, room.Erased{Until: at.Add(time.Hour)}, ""},
	} {
		e := &room.Event{Seq: room.Seq(i + 1), ID: room.NewID(), Subject: room.HouseSubject, At: at, From: tt.from, Body: tt.body}
		if _, joins := tt.body.(room.Joined); joins {
			e.Subject = room.Lobby
		}
		if v := rules.Apply(e); v.Void != tt.want {
			t.Errorf("step %d, %T: void %q, want %q", i, tt.body, v.Void, tt.want)
		}
	}
}

// Of a line that two moderators strike, the second has struck nothing.
func TestALineIsStruckOnce(t *testing.T) {
	rules, op := room.NewRules(), personOf("op")
	op.Key = "SHA256:op"
	a, b := room.NewID(), room.NewID()
	seq := room.Seq(0)
	apply := func(from room.Person, where room.Subject, body room.Body) (room.ID, room.Verdict) {
		seq++
		e := &room.Event{Seq: seq, ID: room.NewID(), Subject: where, At: time.Unix(1_000_000, 0), From: from, Body: body}
		return e.ID, rules.Apply(e)
	}
	apply(room.Person{}, room.HouseSubject, room.Appointed{Keys: []string{op.Key}})
	first, v := apply(op, room.Lobby, room.Withdrawn{Lines: []room.ID{a}})
	if v.Void != "" {
		t.Fatalf("the first strike: void %q", v.Void)
	}
	second, v := apply(op, room.Lobby, room.Withdrawn{Lines: []room.ID{a, b}})
	if v.Void != "" || len(v.Act.Lines) != 1 || v.Act.Lines[0] != b {
		t.Fatalf("the second strike: %+v, want it to strike %v alone", v, b)
	}
	if _, v := apply(op, room.Lobby, room.Withdrawn{Lines: []room.ID{b}}); v.Void != room.VoidNoChange {
		t.Errorf("the third strike: void %q, want %q", v.Void, room.VoidNoChange)
	}
	for _, act := range []room.ID{second, first} {
		if _, v := apply(op, room.HouseSubject, room.Undone{Act: act}); v.Void != "" || len(v.Act.Lines) != 1 {
			t.Errorf("undo of %v: %+v", act, v)
		}
	}
}
