package terminal

import (
	"strings"
	"testing"
	"time"
)

// Whoever is not listened to is not silent: what comes behind the pause belongs to what came before it.
func TestAPauseOfOursEndsNothingUnfinished(t *testing.T) {
	for _, tt := range []struct {
		name, before, behind, draft string
	}{
		{"paste", "\x1b[200~first ", "\nsecond\rthird\x1b[201~", "first \nsecond\nthird"},
		{"arrow", "ab\x1b", "[D", "ab"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for range 10 { // two things are due at once then, and either may be seen first
				run(t, Options{Limits: Limits{OutputBytes: 100}}, func(r *rig) {
					r.press(tt.before)
					r.shut()
					r.print(strings.Repeat("row row row row row\n", 20))
					go func() { _, _ = r.keys.Write([]byte(tt.behind)) }()
					r.sleep(10 * time.Second)
					r.open()
					r.sleep(5 * time.Second)
					if got := r.said(); len(got) > 0 {
						t.Errorf("said %q, want nothing", got)
					}
					if got := r.term.Draft(); got != tt.draft {
						t.Errorf("draft = %q, want %q", got, tt.draft)
					}
				})
			}
		})
	}
}

// A size that is known and waits for its turn is the client's already: nothing is drawn for the one before.
func TestNothingIsDrawnForASizeThatIsGone(t *testing.T) {
	run(t, Options{Size: Size{80, 24}}, func(r *rig) {
		r.press(strings.Repeat("x", 70))
		r.resize(60, 24)
		time.Sleep(20 * time.Millisecond)
		r.resize(40, 24)
		time.Sleep(20 * time.Millisecond)
		if got, want := r.term.Size(), (Size{40, 24}); got != want {
			t.Errorf("Size = %v, want %v: what is printed now is drawn for it", got, want)
		}
		r.press("\x01y")
		r.sleep(time.Second)
		r.sees("> y"+strings.Repeat("x", 37)+"\n"+strings.Repeat("x", 33), 3)
	})
}
