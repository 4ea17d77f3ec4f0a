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
