package command_test

import (
	"strings"
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
