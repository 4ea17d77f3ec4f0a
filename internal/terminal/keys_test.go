package terminal

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// Each sequence of the key map is the key that its row says, wherever the client
// cuts it.
func TestKeyMapIsWhatTheParserKnows(t *testing.T) {
	slugs, names := map[string]bool{}, map[string]bool{}
	for _, row := range keyMap {
		if slugs[row.slug] {
			t.Errorf("slug %q stands twice", row.slug)
		}
		slugs[row.slug] = true
		for _, c := range row.chords {
			if names[c.name] {
				t.Errorf("%s stands twice", c.name)
			}
			names[c.name] = true
			for s := range strings.SplitSeq(c.bytes, "|") {
				var got []key
				p := parser{limit: 64, emit: func(k key, _ rune) { got = append(got, k) }}
				for _, b := range []byte(s) {
					p.feed(b)
				}
				if p.patience() > 0 {
					p.expire()
				}
				if !slices.Equal(got, []key{row.key}) {
					t.Errorf("%s, %q: keys %v, want %v", c.name, s, got, row.key)
				}
			}
		}
	}
	if got, want := fmt.Sprint(Keys()[5]), "{start [Home Ctrl-A]}"; got != want {
		t.Errorf("a row of Keys is %s, want %s", got, want)
	}
}

func TestWordsAreOfOneScript(t *testing.T) {
	const text = "東京 ab한글 cd, カナかな éè…한"
	for keys, want := range map[string]string{
		"\x1bb|":                         "東京 ab한글 cd, カナかな éè…|한",
		"\x1bb\x1bb|":                    "東京 ab한글 cd, カナかな |éè…한",
		"\x1bb\x1bb\x1bb|":               "東京 ab한글 cd, |カナかな éè…한",
		"\x1bb\x1bb\x1bb\x1bb|":          "東京 ab한글 |cd, カナかな éè…한",
		"\x1bb\x1bb\x1bb\x1bb\x1bb|":     "東京 ab|한글 cd, カナかな éè…한",
		"\x01\x1bf|":                     "東京| ab한글 cd, カナかな éè…한",
		"\x01\x1bf\x1bf|":                "東京 ab|한글 cd, カナかな éè…한",
		"\x01\x1bf\x1bf\x1bf\x1bf|":      "東京 ab한글 cd|, カナかな éè…한",
		"\x01\x1bf\x1bf\x1bd|":           "東京 ab| cd, カナかな éè…한",
		"\x01\x1bf\x1bf\x1bf\x1b\x7f|":   "東京 ab| cd, カナかな éè…한",
		"\x01\x1bd\x1b[3;5~|\x05\x1b\b|": "|한글 cd, カナかな éè…|",
	} {
		run(t, Options{}, func(r *rig) {
			r.press(text + keys)
			r.drafts(want)
		})
	}
	for text, want := range map[string]string{"a コーヒー": "a |コーヒー", "a ｺｰﾋｰ": "a |ｺｰﾋｰ", "ーあ": "|ーあ"} {
		run(t, Options{}, func(r *rig) {
			r.press(text + "\x1bb|")
			r.drafts(want)
		})
	}
}

func TestShiftSequencesWithModifiers(t *testing.T) {
	for keys, want := range map[string]string{
		"\x1bO5D": "ab |cd", "\x1bO1;5D": "ab |cd", "\x1bO2D": "ab c|d", "\x1bO2P": "ab cd|", "\x1bO200~": "ab cd|",
		"\x1bO5\x1b[D": "ab c|d",
	} {
		run(t, Options{}, func(r *rig) {
			r.press("ab cd" + keys)
			r.press("|")
			r.drafts(want)
		})
	}
}

func TestUndo(t *testing.T) {
	for _, tt := range []struct{ name, keys, want string }{
		{"nothing", "\x1f\x1f|", "|"},
		{"typing goes word by word", "one two  셋 \x1f|", "one two  |"},
		{"to its beginning", "one two\x1f\x1f\x1f|", "|"},
		{"and no further than where it began", "one\x02\x06 two\x1f\x1f\x1f|", "|"},
		{"which may be amid a word", "one\x02\x06two\x1f|", "one|"},
		{"in the middle", "ac\x02b\x1f|", "a|c"},
		{"composing takes nothing with it", "ae\x02\x06\u0301\x1f|", "ae|"},
		{"a run of Backspace", "한글 ab\x7f\x7f\x7f\x1f|", "한글 ab|"},
		{"Backspace and Delete", "abcd\x02\x02\x7f\x1b[3~\x7f\x1f|", "ab|cd"},
		{"two runs", "abcd\x7f\x02\x7f\x1f\x1f|", "abcd|"},
		{"Ctrl-W", "ab cd\x17\x17\x1f|", "ab |"},
		{"Ctrl-U", "한글 ab\x02\x15\x1f|", "한글 a|b"},
		{"Ctrl-T", "한글a\x02\x14\x1f|", "한글|a"},
		{"Ctrl-Y", "ab\x15\x19\x19\x1f|", "ab|"},
		{"Ctrl-C", "한글 ab\x02\x03\x1f|", "한글 a|b"},
		{"a paste, whole", "ab\x1b[200~one two\nthree\x1b[201~\x1f|", "ab|"},
		{"a line of the history", "mine\x02\x1b[A\x1f|", "min|e"},
		{"what follows is new", "one two\x1fthree four\x1f\x1f\x1f|", "|"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			run(t, Options{}, func(r *rig) {
				r.do(func() { r.term.Remember("earlier") })
				for _, b := range []byte(tt.keys) { // the chunks do not matter
					r.press(string([]byte{b}))
				}
				r.drafts(tt.want)
			})
			run(t, Options{}, func(r *rig) {
				r.do(func() { r.term.Remember("earlier") })
				r.press(tt.keys)
				r.drafts(tt.want)
			})
		})
	}
	run(t, Options{}, func(r *rig) {
		r.press("said\r\x1f")
		r.drafts("")
	})
}

func TestUndoIsBounded(t *testing.T) {
	run(t, Options{Limits: Limits{PasteBytes: 1000}}, func(r *rig) {
		for range 500 {
			r.press("x\x02\x06")
		}
		if got := len(r.term.draft.changes); got != maxChanges {
			r.Errorf("%d changes are kept, want %d", got, maxChanges)
		}
		for range 500 {
			r.press("\x15\x19") // each removes 500 bytes
		}
		d := &r.term.draft
		total := 0
		for _, c := range d.changes {
			total += len(c.removed)
		}
		if total != d.remembered || total > 1000 {
			r.Errorf("%d bytes are kept for undo and counted as %d, want the same and at most 1000", total, d.remembered)
		}
	})
}

func TestUpLooksForWhatStandsBeforeTheCursor(t *testing.T) {
	for _, tt := range []struct{ name, keys, want string }{
		{"nothing stands there", "\x1b[A\x1b[A|", "한 셋|"},
		{"something does", "한\x1b[A|", "한 셋|"},
		{"further back", "한\x1b[A\x1b[A|", "한 하나|"},
		{"no further", "한\x1b[A\x1b[A\x1b[A\x1b[A|", "한 하나|"},
		{"down again", "한\x1b[A\x1b[A\x10\x1b[B|", "한 셋|"},
		{"down to the draft", "한 글\x02\x1b[A\x1b[A\x1b[B\x1b[B|", "한 글|"},
		{"the cursor at the start filters nothing", "한\x01\x1b[A|", "two|"},
		{"nothing begins so: all", "xyz\x1b[A\x1b[A|", "한 셋|"},
		{"typing filters anew", "\x1b[A\x1b[A\x15한 하\x1b[A|", "한 하나|"},
		{"so does a move", "\x1b[A\x01\x06\x1b[A|", "two too|"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			run(t, Options{}, func(r *rig) {
				r.do(func() {
					for _, line := range []string{"two too", "한 하나", "둘", "한 셋", "two"} {
						r.term.Remember(line)
					}
				})
				r.press(tt.keys)
				r.drafts(tt.want)
			})
		})
	}
}

func TestSearch(t *testing.T) {
	remember := func(r *rig) {
		r.do(func() {
			for _, line := range []string{"고양이 둘", "cat", "고양이 하나", "two\nlines"} {
				r.term.Remember(line)
			}
		})
	}
	run(t, Options{Size: Size{60, 5}}, func(r *rig) {
		remember(r)
		r.press("draft\x02\x12")
		r.sees("search: > draft", 14)
		r.press("이")
		r.sees("search: 이> 고양이 하나", 16)
		r.print("row\n")
		r.sees("row\nsearch: 이> 고양이 하나", 16)
		r.press("\x12")
		r.sees("row\nsearch: 이> 고양이 둘", 16)
		r.press("\x12")
		r.sees("row\nnot found: 이> 고양이 둘", 19)
		r.press(" 하")
		r.sees("row\nnot found: 이 하> 고양이 둘", 22)
		r.press("\x7f\x7f")
		r.sees("row\nsearch: 이> 고양이 하나", 16)
		r.press("\x7f")
		r.sees("row\nsearch: > draft", 14)
		r.press("하\x03")
		r.sees("row\n> draft", 6)
		r.press("\x12하")
		r.press("\x1b")
		r.sleep(time.Second)
		r.sees("row\n> draft", 6)
		r.press("\x12하\r")
		r.sees("row\n> 고양이 하나", 9)
		if got := r.said(); len(got) > 0 {
			r.Errorf("Enter in a search said %q, want nothing", got)
		}
		r.press("\x1b[B")
		r.drafts("two\nlines")
		r.press("\x1b[B")
		r.drafts("draft")
		r.press("\x12하\r\x1f")
		r.drafts("draft")
		r.press("\x12o\x1b[200~\nl\x1b[201~\x1b[C|")
		r.drafts("two|\nlines")
		r.press("\x12" + strings.Repeat("한", 100))
		r.press(strings.Repeat("x", 300) + "\x04")
		r.says("two|lines")
	})
	run(t, Options{Size: Size{20, 5}}, func(r *rig) {
		remember(r)
		r.do(func() { r.term.SetWords("찾기: ", "없음: ") })
		r.press("\x12")
		r.sees("찾기: >", 8)
		r.press("고양")
		r.sees("기: 고양> 고양이 하\n나", 10)
		r.press("x")
		r.sees(": 고양x> 고양이 하나", 9)
		r.do(func() { r.term.SetWords("s: ", "n: ") })
		r.sees("n: 고양x> 고양이 하\n나", 10)
		r.press("\x03\x12")
		r.do(func() {
			if r.term.Restore("back") {
				r.Error("text that was given back amid a search went into the draft")
			}
		})
		r.press("\x03\x1b[A")
		r.drafts("back")
	})
}
