package terminal

import (
	"fmt"
	"strings"
	"testing"
)

// names completes the word before the cursor with what begins with it.
func names(all ...string) Completer {
	return func(draft string, cursor int) (int, []string) {
		start := strings.LastIndexByte(draft[:cursor], ' ') + 1
		var found []string
		for _, s := range all {
			if strings.HasPrefix(s, draft[start:cursor]) {
				found = append(found, s)
			}
		}
		return start, found
	}
}

func TestTabCompletes(t *testing.T) {
	complete := names("한결 ", "하늘빛 ", "하늘 ", "\u00e9lan", "👨\u200d👩\u200d👧a", "👨b", "solo ")
	for _, tt := range []struct{ name, keys, want string }{
		{"nothing there", "x\t\t|", "x|"},
		{"one", "so\t|", "solo |"},
		{"one, then the next word", "so\tso\t|", "solo solo |"},
		{"amid a line", "a so b\x1b[D\x1b[D\t|", "a solo | b"},
		{"what all begin with", "하\t|", "하늘|"},
		{"and on from there", "하\t빛\t|", "하늘빛 |"},
		{"nothing more in common: the first", "하늘\t|", "하늘빛 |"},
		{"a second only lists", "하늘\t\t|", "하늘빛 |"},
		{"a third goes on", "하늘\t\t\t|", "하늘 |"},
		{"round to what was typed", "하늘\t\t\t\t|", "하늘|"},
		{"and again", "하늘\t\t\t\t\t|", "하늘빛 |"},
		{"Shift-Tab goes back", "하늘\t\t\t\x1b[Z|", "하늘빛 |"},
		{"to what was typed", "하늘\t\x1b[Z|", "하늘|"},
		{"Shift-Tab begins with the last", "하늘\x1b[Z|", "하늘 |"},
		{"another key accepts", "하늘\t\x02\t|", "하늘빛 | "},
		{"no half of a cluster", "👨\t|", "👨\u200d👩\u200d👧a|"},
		{"composed", "e\u0301\t|", "élan|"},
		{"undone at once", "하\t\t\t\t\x1f|", "하|"},
		{"each by itself", "so\tso\t\x1f|", "solo so|"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			run(t, Options{}, func(r *rig) {
				r.do(func() { r.term.SetCompleter(complete) })
				r.press(tt.keys)
				r.drafts(tt.want)
			})
		})
	}
}

func TestSecondTabListsInColumns(t *testing.T) {
	all := []string{"하나 ", "two", "👨\u200d👩\u200d👧셋", "e\u0301", "다섯다섯"}
	run(t, Options{Size: Size{24, 8}}, func(r *rig) {
		r.do(func() { r.term.SetCompleter(names(all...)) })
		r.press("\t\t")
		r.sees("  하나      two\n  👨\u200d👩\u200d👧셋      é\n  다섯다섯\n> 하나", 7)
		r.press("\t")
		r.sees("  하나      two\n  👨\u200d👩\u200d👧셋      é\n  다섯다섯\n> two", 5)
	})
	many := make([]string, 100)
	for i := range many {
		many[i] = fmt.Sprint("이름", i)
	}
	run(t, Options{Size: Size{18, 5}}, func(r *rig) {
		r.do(func() { r.term.SetCompleter(names(many...)) })
		r.press("\t\t")
		r.sees("  이름0   이름1\n  이름2   이름3\n  이름4   이름5\n  +94\n> 이름", 6)
	})
	run(t, Options{Size: Size{12, 5}}, func(r *rig) {
		r.do(func() { r.term.SetCompleter(names("한글한글한글", "한글\x1b[31m\n\u202e한")) })
		r.press("\t\t")
		r.sees("  한글한글한\n  한글[31m\n> 한글", 6)
		r.press("\t\t")
		r.drafts("한글[31m 한")
	})
}

func TestCompletionStaysWithinBounds(t *testing.T) {
	for _, start := range []int{-5, 100, 1} { // 1 is amid a character
		run(t, Options{Limits: Limits{PasteBytes: 10}}, func(r *rig) {
			r.do(func() {
				r.term.SetCompleter(func(string, int) (int, []string) { return start, []string{"long enough", "\xff", "\u200b"} })
			})
			r.press("한글\t")
			want := "\ufffd"
			if start == 100 {
				want = "한글\ufffd"
			}
			r.press("\t\t")
			r.drafts(want)
		})
	}
	run(t, Options{}, func(r *rig) {
		r.do(func() {
			r.term.SetCompleter(func(string, int) (int, []string) { return 0, []string{"found"} })
			r.term.Remember("earlier")
		})
		r.press("\x12ear\t") // a search is taken, then completed
		r.drafts("foundearlier")
	})
}
