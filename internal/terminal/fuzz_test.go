package terminal

import (
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"sarangbang/internal/cells"
)

// ours is every control and every sequence that a terminal sends: breaks of rows
// and the bell, columns and rows of the cursor, erasing, autowrap, brackets, the
// question for the cursor, the reset of colours, and notifications.
var ours = regexp.MustCompile(`[\r\n\a]|\x1b(7|8|\[(\d*[ABG]|K|H|2J|\?7[hl]|\?2004[hl]|6n|0m))|\x1b\](9;|777;notify;)[^\x1b]*\x1b\\`)

// Whatever a client sends, the terminal does not panic; how often it reads,
// returns and writes is bounded by how much was sent; the draft stays within its
// limit and holds nothing that no text may hold; the client gets no sequence but
// ours, and none that an emulator does not know; and the next line works.
func FuzzInput(f *testing.F) {
	for _, s := range []string{
		"hello\r", "한글\x7f\x1b[D\x1b[3~\r", "\x1b[200~one\r\ntwo\x1b[201~\r", "\x1b[200~never ends",
		"\x1b[" + strings.Repeat("1", 300), "\x1b]52;c;AAAA\x1b\\x", "\x1bP1\x18\x1bOA\x1b[A\x1b[1;5C\x1b\x1b\x1b",
		strings.Repeat("\xff", 300), "\xed\x95", "e\u0301\u200d\u0301\ufe0f\u0e33\uff9e", "👨\u200d👩\x7f\u200d👧\x02🇰",
		"\x01\x0b\x19\x19\x15\x17\x10\x0e\x0c\x03\x04", "\u202e\u009b\ue000\ufdd3\U000f0000", "\x1b[1;2;3;4m\x1b[?1;2c\x1b[[A",
		"a\r\nb\n\rc", "\u1112\u1161\x01\u11ab\x05\u1161\u1161", "\t\x1b[Z\x00\x1f",
		"\x1b1a한\x1b\x1b2\x12\x1b9b\x1b3\r\x1b4", "one 한글 two\x14\x1f\x1f\x7f\x7f\x1f\r\x1b[A\x1f", "ab\r\x12a\x12\x12\x7f한\x1b\x12b\x03c\x12b\x1b[200~\n\x1b[201~\r\x1b[A",
	} {
		f.Add([]byte(s), uint8(10), uint8(len(s)/2))
	}
	f.Fuzz(func(t *testing.T, input []byte, columns, cut uint8) {
		synctest.Test(t, func(t *testing.T) {
			var rec record
			plain := columns%3 == 0
			r := newRig(t, Options{Size: Size{12 + int(columns)%100, 4 + int(columns)%20}, Limits: Limits{PasteBytes: 2000}, Measure: columns%2 == 0, Plain: plain}, rec.attach)
			at := min(int(cut), len(input))
			for _, part := range [][]byte{input[:at], input[at:]} {
				r.press(string(part))
				r.do(func() { r.term.Notify([]int{9, 777}[at%2], string(part), string(input)) })
				r.print("row\n")
				if d := r.term.Draft(); len(d) > 2000 || !utf8.ValidString(d) || strings.ContainsFunc(d, func(c rune) bool { return c != '\n' && !cells.Kept(c) }) {
					t.Errorf("draft %q", d)
				}
				d := &r.term.draft
				total := 0
				for i, g := range d.glyphs {
					if i == d.at && total != d.pos {
						t.Errorf("cursor before glyph %d at byte %d, which begins at %d of %q", d.at, d.pos, total, d.text)
					}
					if want := measure(d.text[total:], d.ruler); g != want {
						t.Errorf("glyph %d of %q is %d bytes and %d cells, want %d and %d", i, d.text, g.bytes(), g.cells(), want.bytes(), want.cells())
					}
					total += g.bytes()
				}
				if total != len(d.text) {
					t.Errorf("glyphs of %q cover %d bytes, want %d", d.text, total, len(d.text))
				}
			}
			r.sleep(10 * time.Second) // what is unfinished is given up
			for _, in := range r.inputs {
				if !norm.NFC.IsNormalString(in.Text) || strings.ContainsAny(in.Text, "\r\t\x1b\a") {
					t.Errorf("said %q", in.Text)
				}
			}
			r.press("\x03\x03") // the first may end a search
			r.inputs = nil
			r.press("ok\r")
			if got := r.said(); len(got) != 1 || got[0] != "ok" {
				t.Errorf("after %q the next line is %q, want %q", input, got, "ok")
			}
			if plain {
				rec.rows(t)
			} else if rest := ours.ReplaceAllString(rec.String(), ""); strings.ContainsFunc(rest, func(c rune) bool { return !cells.Kept(c) }) {
				t.Errorf("for %q the client got %q, which is not all ours", input, rec.String())
			}
			for what, got := range map[string]int{"reads": r.reads, "turns": r.turns, "writes": r.gate.writes} {
				if most := 2*len(input) + 20; got > most {
					t.Errorf("%d %s for %d bytes of input, want at most %d", got, what, len(input), most)
				}
			}
			r.close()
		})
	})
}
