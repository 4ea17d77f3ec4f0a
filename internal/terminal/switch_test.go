package terminal

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// Alt and a digit ends the turn and does nothing else: the line, the cursor in
// it, what has been typed of it, its undo, a search, a walk through the history
// and the screen stay as they are.
func TestAltAndADigitTouchNothing(t *testing.T) {
	for _, tt := range []struct{ name, before, after, want string }{
		{"an empty line", "", "ab|", "ab|"},
		{"a line", "한글 ab", "|", "한글 ab|"},
		{"amid a line", "한글 ab\x02\x02\x02", "|", "한글| ab"},
		{"amid a word", "one tw", "o\x1f|", "one |"},
		{"amid a cluster", "e", "\u0301\x7f|", "|"},
		{"a walk through the history", "한\x1b[A", "\x1b[A|", "한 하나|"},
		{"a search", "draft\x12하", "\x03|", "draft|"},
		{"a search, refined", "draft\x12하", "나\r|", "한 |하나"},
		{"before a sequence", "ab", "\x1b[D|", "a|b"},
		{"what was cut", "ab cd\x17", "\x19|", "ab cd|"},
	} {
		for _, plain := range []bool{false, true} {
			if plain && strings.Contains(tt.before, "\x12") { // there is no search
				continue
			}
			for _, together := range []bool{false, true} {
				run(t, Options{Plain: plain, Size: Size{40, 5}}, func(r *rig) {
					r.do(func() {
						r.term.Remember("한 하나")
						r.term.Remember("한 셋")
					})
					if together {
						r.press(tt.before + "\x1b3" + tt.after)
					} else {
						r.press(tt.before)
						r.sleep(time.Second)
						was, cursor, writes := r.term.Draft(), r.term.draft.pos, r.gate.writes
						r.press("\x1b3")
						if got := r.term.Draft(); got != was || r.term.draft.pos != cursor || r.gate.writes != writes {
							r.Errorf("%s: draft %q, cursor %d, %d writes; want %q, %d, none", tt.name, got, r.term.draft.pos, r.gate.writes-writes, was, cursor)
						}
						r.press(tt.after)
					}
					if got, want := fmt.Sprint(r.events()), fmt.Sprint([]Input{{Kind: Switch, Place: 3}}); got != want {
						r.Errorf("%s, plain %t, in one piece %t: %s, want %s", tt.name, plain, together, got, want)
					}
					r.drafts(tt.want)
				})
			}
		}
	}
}

func TestAltIsToldFromEscByTime(t *testing.T) {
	run(t, Options{}, func(r *rig) {
		places := func(name string, want ...int) {
			r.Helper()
			var got []int
			for _, in := range r.events() {
				if in.Kind == Switch {
					got = append(got, in.Place)
				}
			}
			if !slices.Equal(got, want) {
				r.Errorf("%s: places %v, want %v", name, got, want)
			}
		}
		r.press("\x1b1\x1b2\x1b3\x1b4\x1b5\x1b6\x1b7\x1b8\x1b9\x1b0")
		places("all digits", 1, 2, 3, 4, 5, 6, 7, 8, 9)
		r.press("\x1b")
		time.Sleep(escPatience / 2)
		r.press("7")
		places("soon after Esc", 7)
		r.drafts("")
		r.press("\x1b")
		r.sleep(2 * escPatience)
		r.press("7")
		places("late after Esc")
		r.drafts("7")
		r.press("\x1b[200~a\x1b5b\x1b[201~")
		places("in a paste")
		r.drafts("7ab")
		r.press("\x15\t")
	})
}

// A line that is longer than one may be is refused as it is without.
func TestAltAndADigitAmidATooLongLine(t *testing.T) {
	run(t, Options{Limits: Limits{PasteBytes: 10}}, func(r *rig) {
		for range 3 {
			r.press("123456")
		}
		r.press("\x1b4")
		r.press("7\r")
		want := []Input{{Kind: Switch, Place: 4}, {Kind: Refused, Size: 19, Limit: 10}}
		if got := r.events(); fmt.Sprint(got) != fmt.Sprint(want) {
			r.Errorf("got %v, want %v", got, want)
		}
	})
}

// What a room proposes is not offered in another.
func TestAltAndADigitAcceptACompletion(t *testing.T) {
	run(t, Options{}, func(r *rig) {
		here := []string{"하나", "하늘"}
		r.do(func() {
			r.term.SetCompleter(func(draft string, cursor int) (int, []string) { return names(here...)(draft, cursor) })
		})
		r.press("하")
		r.press("\t")
		here = []string{"하나로"}
		r.press("\x1b2")
		r.drafts("하나")
		r.press("\t")
		r.drafts("하나로")
	})
}

// A form of the prompt that is not the one on the screen makes no work.
func TestOnlyTheFormShownIsDrawnAnew(t *testing.T) {
	run(t, Options{Size: Size{20, 5}}, func(r *rig) {
		r.press("글")
		for _, c := range []struct {
			forms []string
			stale bool
			want  string
		}{
			{[]string{"#lobby kim> ", "kim> "}, true, "kim> 글"},
			{[]string{"#lobby kim [3:5!]> ", "#lobby kim> ", "kim> "}, false, "kim> 글"},
			{[]string{"kim [+5]> ", "kim> "}, true, "kim [+5]> 글"},
			{[]string{"kim [+6]> ", "kim> "}, true, "kim [+6]> 글"},
		} {
			r.do(func() {
				forms := make([][]Span, len(c.forms))
				for i, f := range c.forms {
					forms[i] = spans(f)
				}
				r.term.SetPrompt(forms...)
				if r.term.promptStale != c.stale {
					r.Errorf("%q: drawn anew %t, want %t", c.forms, r.term.promptStale, c.stale)
				}
			})
			if got := r.text(); got != c.want {
				r.Errorf("%q: screen %q, want %q", c.forms, got, c.want)
			}
		}
		r.resize(40, 5)
		r.sleep(time.Second)
		if got, want := r.text(), "kim [+6]> 글"; got != want {
			r.Errorf("screen %q, want %q", got, want)
		}
	})
}
