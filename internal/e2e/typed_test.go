//go:build linux

package e2e

import (
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
)

var seed = flag.Uint64("seed", 1, "of what TestWhatIsTypedIsWhatIsSaid types")

// typedGlyphs are what lines are made of: each is one place of the cursor, whatever stands beside it.
var typedGlyphs = strings.Split("a b C 7 ; - é ß я λ 가 힣 뷁 ㅋ ㅠ あ カ 漢 々 Ａ"+
	" e\u0301 x\u0323\u0302 \u1112\u1161\u11ab \u1100\u1173\u11af ん ★ ① … “ · 👍 👍🏽 🇰🇷 🇺🇸 ❤\ufe0f 1\ufe0f\u20e3 👩\u200d🚀 👨\u200d👩\u200d👧\u200d👦"+
	" ש ל م ب ที่ ไ हि", " ")

// typist makes up lines and the keys that type them, with mistakes that are taken back.
type typist struct {
	*rand.Rand
	line   []string // glyphs
	cursor int
	keys   []string
}

// edit does something to the line.
func (y *typist) edit() {
	switch n := y.IntN(100); {
	case n < 72:
		y.insert(y.glyph())
	case n < 82:
		y.press("\x7f", y.cursor > 0, func() { y.cursor--; y.remove() })
	case n < 85:
		y.press("\x1b[3~", y.cursor < len(y.line), y.remove)
	case n < 90:
		y.press("\x1b[D", y.cursor > 0, func() { y.cursor-- })
	case n < 94:
		y.press("\x1b[C", y.cursor < len(y.line), func() { y.cursor++ })
	case n < 95:
		y.press("\x01", true, func() { y.cursor = 0 })
	case n < 97:
		y.press("\x05", true, func() { y.cursor = len(y.line) })
	case n < 98 && y.cursor > 0: // cut and put back; with nothing to cut, what was cut before would come back
		y.press("\x15\x19", true, func() {})
	default:
		y.paste()
	}
}

// press presses a key, which has an effect if it can have one.
func (y *typist) press(key string, can bool, effect func()) {
	y.keys = append(y.keys, key)
	if can {
		effect()
	}
}

func (y *typist) glyph() string {
	if y.IntN(8) == 0 {
		return " "
	}
	return typedGlyphs[y.IntN(len(typedGlyphs))]
}

// insert types a glyph, a code point at a time.
func (y *typist) insert(glyph string) {
	y.keys = append(y.keys, strings.Split(glyph, "")...)
	y.line = slices.Insert(y.line, y.cursor, glyph)
	y.cursor++
}

func (y *typist) paste() {
	glyphs := []string{y.glyph(), y.glyph(), y.glyph()}
	y.keys = append(y.keys, "\x1b[200~"+strings.Join(glyphs, "")+"\x1b[201~")
	y.line = slices.Insert(y.line, y.cursor, glyphs...)
	y.cursor += len(glyphs)
}

func (y *typist) remove() { y.line = slices.Delete(y.line, y.cursor, y.cursor+1) }

// next returns the keys for a line up to Enter, and how the line is said.
func (y *typist) next() (keys []string, said string) {
	y.line, y.cursor, y.keys = nil, 0, nil
	for range 5 + y.IntN(60) {
		y.edit()
	}
	if strings.TrimSpace(strings.Join(y.line, "")) == "" { // would not be said
		y.insert("말")
	}
	y.keys = append(y.keys, "\r")
	return y.keys, norm.NFC.String(strings.Join(y.line, ""))
}

// What is typed is what is said: lines of all scripts, typed in small pieces with mistakes and moves, arrive byte by byte as they
// were meant, and in order, while three people talk.
func TestWhatIsTypedIsWhatIsSaid(t *testing.T) {
	t.Parallel()
	t.Run("by a client of Go", func(t *testing.T) {
		t.Parallel()
		h := openHouse(t, setup{exempt: true})
		saysWhatIsTyped(t, h, h.guest(t, "kim").stdin)
	})
	t.Run("by OpenSSH", func(t *testing.T) {
		t.Parallel()
		need(t, "ssh")
		h := openHouse(t, setup{exempt: true})
		line := h.openSSH(t, "kim", "", "en_US.UTF-8")
		kim := runOnTerminal(t, line[0], line[1:]...)
		kim.says("nickname [kim]")
		fmt.Fprint(kim.stdin, "\r")
		kim.says("kim joined.")
		saysWhatIsTyped(t, h, kim.stdin)
	})
}

func saysWhatIsTyped(t *testing.T, h *house, keyboard io.Writer) {
	t.Helper()
	const lines, others, perOther = 200, 3, 60
	t.Logf("-seed=%d", *seed)
	y := &typist{Rand: rand.New(rand.NewPCG(*seed, 0))}
	reader := h.pipe(t, login{user: "reader", key: newKey(t)})
	reader.sees("* reader joined.")
	var talkers []*person
	for i := range others {
		p := h.pipe(t, login{user: fmt.Sprint("talker", i), key: newKey(t)})
		reader.sees("* " + p.nick + " joined.")
		talkers = append(talkers, p)
	}

	var want []string
	talked := 0
	for i := range lines {
		keys, said := y.next()
		want = append(want, said)
		for len(keys) > 0 {
			n := min(1+y.IntN(8), len(keys))
			if _, err := io.WriteString(keyboard, strings.Join(keys[:n], "")); err != nil {
				t.Fatalf("line %d: %v", i, err)
			}
			keys = keys[n:]
			if y.IntN(8) == 0 && talked < others*perOther {
				talkers[talked%others].types(fmt.Sprintf("말 %d 👨\u200d👩\u200d👧 %s", talked/others, strings.Repeat("길게 ", y.IntN(40))))
				talked++
			}
		}
		if y.IntN(10) == 0 || i%20 == 0 { // more than 64 may not wait to be committed
			reader.sees("[kim] " + said + "\n")
		}
	}
	for ; talked < others*perOther; talked++ {
		talkers[talked%others].types(fmt.Sprintf("말 %d", talked/others))
	}
	reader.sees("[kim] " + want[lines-1] + "\n")
	for i := range others {
		reader.seesTimes(perOther, fmt.Sprintf("[talker%d] 말", i))
	}

	var got []string
	for line := range strings.Lines(reader.out.String()) {
		if said, ok := strings.CutPrefix(line, "[kim] "); ok {
			got = append(got, strings.TrimSuffix(said, "\n"))
		}
	}
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Fatalf("line %d arrived as %+q, want %+q", i, got[i], want[i])
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d lines arrived, want %d; the last is %q", len(got), len(want), got[len(got)-1])
	}
}
