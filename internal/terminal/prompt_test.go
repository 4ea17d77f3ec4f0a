package terminal

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func spans(texts ...string) []Span {
	var all []Span
	for _, s := range texts {
		all = append(all, Span{Text: s})
	}
	return all
}

// Each size of the screen gets the longest form of the prompt that leaves half a
// row to the line, in one redraw.
func TestPromptShrinksWithTheScreen(t *testing.T) {
	forms := [][]Span{spans("#사랑 ", "kim> "), spans("kim> "), spans("> ")}
	for _, plain := range []bool{false, true} {
		run(t, Options{Size: Size{22, 6}, Plain: plain}, func(r *rig) {
			r.do(func() { r.term.SetPrompt(forms...) })
			r.press("글")
			for _, c := range []struct {
				columns int
				want    string
			}{{22, "#사랑 kim> 글"}, {21, "kim> 글"}, {12, "kim> 글"}, {80, "#사랑 kim> 글"}, {22, "#사랑 kim> 글"}} {
				writes := r.gate.writes
				r.resize(c.columns, 6)
				r.sleep(time.Second)
				if plain { // which writes nothing anew because of a size
					r.press("\x03")
					r.press("글")
				} else if n := r.gate.writes - writes; n > 1 {
					r.Errorf("%d columns: %d writes, want 1", c.columns, n)
				}
				rows := strings.Split(r.text(), "\n")
				if got := rows[len(rows)-1]; got != c.want {
					r.Errorf("%d columns, plain %t: %q, want %q", c.columns, plain, got, c.want)
				}
			}
		})
	}
}

func TestLastFormOfThePromptIsClipped(t *testing.T) {
	run(t, Options{Size: Size{12, 4}}, func(r *rig) {
		r.do(func() { r.term.SetPrompt(spans("#lobby ", "kimchulsoo> "), spans("kimchulsoo> ")) })
		r.sees("kimchu", 6)
	})
}

func TestTheSamePromptIsNotSentAgain(t *testing.T) {
	run(t, Options{}, func(r *rig) {
		r.do(func() { r.term.SetPrompt(spans("#lobby ", "kim> "), spans("kim> ")) })
		was := r.gate.writes
		r.do(func() { r.term.SetPrompt(spans("#lobby ", "kim> "), spans("kim> ")) })
		if r.gate.writes != was {
			r.Errorf("sent %q, want nothing", r.gate.last)
		}
	})
}

// A line says when it was begun: when the first of it was typed, whatever was in
// the draft and gone again before.
func TestLineTellsWhenItWasBegun(t *testing.T) {
	run(t, Options{}, func(r *rig) {
		start := time.Now()
		begun := func(want time.Duration) {
			r.Helper()
			r.press("\r")
			got := r.events()
			if len(got) != 1 || got[0].Kind != Line || got[0].Begun.Sub(start) != want {
				r.Errorf("got %+v, want a line begun after %v", got, want)
			}
		}
		at := func(d time.Duration) { time.Sleep(time.Until(start.Add(d))); synctest.Wait() }
		at(time.Second)
		r.press("a")
		at(3 * time.Second)
		r.press("b")
		r.do(func() { r.term.Remember("abc") })
		at(4 * time.Second)
		begun(time.Second)

		at(5 * time.Second)
		r.press("given up")
		at(6 * time.Second)
		r.press("\x03new")
		at(7 * time.Second)
		begun(6 * time.Second)

		at(8 * time.Second)
		r.press("x")
		at(9 * time.Second)
		r.press("\x7f\x1b[A")
		at(10 * time.Second)
		begun(9 * time.Second)

		at(11 * time.Second)
		r.do(func() { r.term.Restore("given back") })
		at(12 * time.Second)
		begun(11 * time.Second)
	})
}

func TestNotificationIsSentOnceAndClean(t *testing.T) {
	run(t, Options{}, func(r *rig) {
		r.do(func() {
			r.term.Notify(9, "house", "first")
			r.term.Notify(9, "house", "kim; \x1b]0;x\a\u009c\x07 \xff\n민수 \u202eyou")
			r.term.Print([]byte("row\n"))
		})
		r.print("later\n")
		r.do(func() { r.term.Notify(777, "ho;use", "lee"+strings.Repeat("가", 100)) })
		want := []string{"house: kim ]0x 민수 you", "notify;house;lee" + strings.Repeat("가", 65)}
		if got := r.screen.Notes(); strings.Join(got, "|") != strings.Join(want, "|") {
			r.Errorf("notifications %q, want %q", got, want)
		}
		if got := r.screen.Bells(); got != 0 {
			r.Errorf("%d bells, want none", got)
		}
	})
}

func TestPlainModeSendsNoNotification(t *testing.T) {
	run(t, Options{Plain: true}, func(r *rig) {
		r.do(func() { r.term.Notify(9, "house", "kim") })
		r.do(func() { r.term.SetPlain(false) })
		if got := r.screen.Notes(); len(got) != 0 {
			r.Errorf("notifications %q, want none", got)
		}
	})
}
