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
