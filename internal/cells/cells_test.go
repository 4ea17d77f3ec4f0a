package cells

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"sarangbang/room"
)

// parts writes every glyph of s as bytes:text:width, with ! where it is sure.
func parts(s string) string {
	var b strings.Builder
	for s != "" {
		g := First(s)
		fmt.Fprintf(&b, " %d:%+q:%d", g.Bytes, g.Text, g.Width)
		if g.Sure {
			b.WriteByte('!')
		}
		s = s[g.Bytes:]
	}
	return strings.TrimPrefix(b.String(), " ")
}

func TestGlyphs(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"nothing", "", ``},
		{"ASCII", "a b", `1:"a":1! 1:" ":1! 1:"b":1!`},
		{"Hangul", "한글a", `3:"\ud55c":2! 3:"\uae00":2! 1:"a":1!`},
		{"Hangul after ASCII", "a한", `1:"a":1! 3:"\ud55c":2!`},
		{"Hangul letters", "ㅋㅋ", `3:"\u314b":2! 3:"\u314b":2!`},
		{"kana, Han", "か漢", `3:"\u304b":2! 3:"\u6f22":2!`},
		{"Cyrillic is ambiguous", "я", `2:"\u044f":1`},
		{"Thai letter", "ก", `3:"\u0e01":1!`},
		{"Thai vowel of its own cell", "กำ", `3:"\u0e01":1 3:"\u0e33":1!`},
		{"half-width voice mark has its own cell", "ｶﾞ", `3:"\uff76":1 3:"\uff9e":1!`},
		{"Hebrew and Arabic stay", "אب", `2:"\u05d0":1! 2:"\u0628":1!`},
		{"prepended sign", "\u06001", `2:"\u0600":1 1:"1":1!`},

		{"syllable of jamo", "\u1112\u1161\u11ab", `9:"\u1112\u1161\u11ab":2`},
		{"jamo before a syllable", "\u1112한", `3:"\u1112":2 3:"\ud55c":2!`},
		{"jamo on a syllable", "하\u11ab", `6:"\ud558\u11ab":2`},
		{"chain of leading jamo", "\u1100\u1100\u1100", `3:"\u1100":2 3:"\u1100":2 3:"\u1100":2`},
		{"chain of vowels", "\u1100" + strings.Repeat("\u1161", 9), `30:"\u1100\u1161\u1161\u1161\u1161":2`},
		{"vowel without a leading jamo", "\u1161", `3:"\u25cc\u1161":2`},
		{"final after ASCII", "a\u11ab", `1:"a":1! 3:"\u25cc\u11ab":2`},

		{"mark", "e\u0301", `3:"e\u0301":1`},
		{"mark on Hangul", "가\u0301", `5:"\uac00\u0301":2`},
		{"voice mark", "か\u3099", `6:"\u304b\u3099":2`},
		{"four marks", "a" + strings.Repeat("\u0301", 4), `9:"a\u0301\u0301\u0301\u0301":1`},
		{"fifth mark", "a" + strings.Repeat("\u0301", 5) + "b", `11:"a\u0301\u0301\u0301\u0301":1 1:"b":1!`},
		{"500 marks", "a" + strings.Repeat("\u0301", 500) + "b", `1001:"a\u0301\u0301\u0301\u0301":1 1:"b":1!`},
		{"stray mark", "\u0301a", `2:"\u25cc\u0301":1 1:"a":1!`},
		{"stray marks", strings.Repeat("\u0301", 300), `600:"\u25cc\u0301\u0301\u0301\u0301":1`},
		{"spacing mark takes a cell", "का", `6:"\u0915\u093e":2`},
		{"Burmese vowel sign that is a cluster", "မာ", `3:"\u1019":1! 3:"\u102c":1`},
		{"conjunct", "क्ष", `9:"\u0915\u094d\u0937":2`},
		{"conjunct with joiner", "क्\u200dष", `12:"\u0915\u094d\u200d\u0937":2`},
		{"virama and non-joiner", "क्\u200c", `9:"\u0915\u094d\u200c":1`},
		{"endless conjunct", strings.Repeat("क्", 6), `24:"\u0915\u094d\u0915\u094d\u0915\u094d\u0915\u094d":2 12:"\u0915\u094d\u0915\u094d":2`},

		{"emoji", "👍", `4:"\U0001f44d":2`},
		{"skin tone", "👍🏽", `8:"\U0001f44d\U0001f3fd":2`},
		{"two skin tones", "👍🏽🏽", `8:"\U0001f44d\U0001f3fd":2 4:"\U0001f3fd":2`},
		{"skin tone on a letter", "a🏽", `1:"a":1 4:"\U0001f3fd":2`},
		{"family", "👨\u200d👩\u200d👧", `18:"\U0001f468\u200d\U0001f469\u200d\U0001f467":2`},
		{"kiss with tones", "👩🏻\u200d❤\ufe0f\u200d💋\u200d👩🏽", `35:"\U0001f469\U0001f3fb\u200d\u2764\ufe0f\u200d\U0001f48b\u200d\U0001f469\U0001f3fd":2`},
		{"chain of emoji", strings.TrimSuffix(strings.Repeat("👩\u200d", 6), "\u200d"), `28:"\U0001f469\u200d\U0001f469\u200d\U0001f469\u200d\U0001f469":2 11:"\U0001f469\u200d\U0001f469":2`},
		{"flag", "🇰🇷🇰", `8:"\U0001f1f0\U0001f1f7":2 4:"\U0001f1f0":2`},
		{"heart", "❤ ❤\ufe0f", `3:"\u2764":1 1:" ":1! 6:"\u2764\ufe0f":2`},
		{"selector twice", "❤\ufe0f\ufe0f", `9:"\u2764\ufe0f":2`},
		{"watch as text", "⌚\ufe0e", `6:"\u231a\ufe0e":2`},
		{"keycap", "1\ufe0f\u20e3", `7:"1\ufe0f\u20e3":2`},
		{"selector on a letter", "a\ufe0fb", `4:"a":1 1:"b":1!`},
		{"selector on a digit", "1\ufe0f", `4:"1":1`},
		{"Han variant", "漢\U000e0100", `7:"\u6f22":2`},
		{"joiner on letters", "a\u200db", `4:"a":1 1:"b":1!`},
		{"joiner at the end", "👍\u200d", `7:"\U0001f44d":2`},
		{"lone joiner, non-joiner, selector", "\u200d\u200c\ufe0f", `3:"":0 3:"":0 3:"":0`},
		{"newer than Go's tables", "\U0001fae9", `4:"\U0001fae9":2`},

		{"Braille blank", "\u2800", `3:" ":1!`},
		{"Hangul fillers", "\u3164\uffa0\u115f\u1160", `3:" ":1! 3:" ":1! 3:" ":1! 3:" ":1!`},
		{"filler as a vowel", "\u1100\u1160", `6:"\u1100":2`},

		{"C0, LF, tab, DEL", "\x00\n\t\x1b\x7f", `1:"":0 1:"":0 1:"":0 1:"":0 1:"":0`},
		{"CR LF", "\r\n", `1:"":0 1:"":0`},
		{"C1", "\u0085\u009b\u009d", `2:"":0 2:"":0 2:"":0`},
		{"bidi", "\u202e\u2066\u200e\u200f\u061c", `3:"":0 3:"":0 3:"":0 3:"":0 2:"":0`},
		{"separators", "\u2028\u2029", `3:"":0 3:"":0`},
		{"tag", "🏴\U000e0067\U000e007f", `12:"\U0001f3f4":2`},
		{"private use", "\ue000\U000f0000\U0010fffd", `3:"":0 4:"":0 4:"":0`},
		{"noncharacters", "\ufdd0\uffff\U0001fffe", `3:"":0 3:"":0 4:"":0`},
		{"zero-width space, BOM, soft hyphen, grapheme joiner", "\u200b\ufeff\u00ad\u034f", `3:"":0 3:"":0 2:"":0 2:"":0`},

		{"not UTF-8", "\xffa\xed\xa0\x80", `1:"\ufffd":1 1:"a":1! 1:"\ufffd":1 1:"\ufffd":1 1:"\ufffd":1`},
		{"bytes cut off after Hangul", "한\xea\xb8", `3:"\ud55c":2 1:"\ufffd":1 1:"\ufffd":1`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := parts(tt.in); got != tt.want {
				t.Errorf("glyphs of %+q\n got %s\nwant %s", tt.in, got, tt.want)
			}
		})
	}
}

func TestMarksAreAsManyAsChosen(t *testing.T) {
	defer SetMarks(4)
	for _, n := range []int{1, 2, 64} {
		SetMarks(n)
		for _, m := range []string{"\u0301", "\u3099", "\U0001e8d0"} { // of 2, 3 and 4 bytes
			in := "a" + strings.Repeat(m, 100)
			want := Glyph{Bytes: len(in), Text: "a" + strings.Repeat(m, n), Width: 1}
			if got := First(in + "b"); got != want {
				t.Errorf("with %d marks First(a and 100 × %+q) = %+v, want %+v", n, m, got, want)
			}
		}
		if g := First("\u1112\u1161\u11ab"); g.Text != "\u1112\u1161\u11ab" {
			t.Errorf("with %d marks a syllable of three letters is %+q, want it whole", n, g.Text)
		}
	}
}

func TestWidthIsTheSumOfTheGlyphs(t *testing.T) {
	for s, want := range map[string]int{
		"": 0, "abc": 3, "한글 abc": 8, "e\u0301é": 2, "👨\u200d👩\u200d👧!": 3, "a\x1b[31mb": 6, "\u3164": 1,
	} {
		if got := Width(s); got != want {
			t.Errorf("Width(%+q) = %d, want %d", s, got, want)
		}
	}
}

func TestAmbiguousCharactersAreAsWideAsTheScreenSays(t *testing.T) {
	for s, want := range map[string][2]int{
		"★": {1, 2}, "я…①": {3, 6}, "é": {1, 2}, "e\u0301": {1, 1}, "я\u0301": {1, 2}, "\xff": {1, 2},
		"a한👍": {5, 5}, "❤": {1, 1}, "❤\ufe0f": {2, 2}, "\u0301": {1, 1}, "אب": {2, 2}, "1\ufe0f\u20e3": {2, 2}, "\u3164": {1, 1},
	} {
		if got := [2]int{Ruler{}.Width(s), Ruler{Wide: true}.Width(s)}; got != want {
			t.Errorf("Width(%+q) narrow and wide: %d, want %d", s, got, want)
		}
	}
	if g := (Ruler{Wide: true}).First("★a"); g.Sure || g.Bytes != 3 {
		t.Errorf("First(★a) on a wide screen is %+v, want 3 bytes, not sure", g)
	}
}

// The list stands in two packages, because neither may import the other.
func TestKeptIsWhatCleanKeeps(t *testing.T) {
	for r := rune(0); r <= utf8.MaxRune; r++ {
		if !utf8.ValidRune(r) || r == '\n' || r == '\t' {
			continue
		}
		if got, want := Kept(r), room.Sentence(string(r)).String() != ""; got != want {
			t.Errorf("Kept(%U) = %v, want %v as room.Clean has it", r, got, want)
		}
	}
}

func TestCommonTextCostsNoAllocation(t *testing.T) {
	s := "안녕 hello, c'est déjà 漢字 👍 e\u0301"
	if got := testing.AllocsPerRun(100, func() { Width(s) }); got != 0 {
		t.Errorf("Width(%q) allocates %v times, want 0", s, got)
	}
}

// A text that is one endless cluster costs no more per byte than any other:
// quadratic, each of these would take minutes.
func TestCostIsLinear(t *testing.T) {
	const n = 100_000
	for unit, want := range map[string]int{
		"\u1100": 2 * n, "\u0301": 1, "👩\u200d": 2 * n / basesPerGlyph, "क्": 2 * n / basesPerGlyph, "a\u200d": n,
	} {
		if got := Width(strings.Repeat(unit, n)); got != want {
			t.Errorf("%d times %+q: %d cells, want %d", n, unit, got, want)
		}
	}
}

func FuzzFirst(f *testing.F) {
	for _, s := range []string{"", "abc", "한글", "\u1112\u1161\u11ab\u11ab", "👨\u200d👩\u200d👧", "क्ष\u200d", "1\ufe0f\u20e3", "\xff\xed\xa0\x80", "a\u0301\u200d\u0301", "\U000e0067\ufe0f\u200c", "\u3164\u0301"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		total := 0
		for rest := s; rest != ""; {
			g := First(rest)
			if g.Bytes <= 0 || g.Bytes > len(rest) {
				t.Fatalf("First(%+q).Bytes = %d, want 1..%d", rest, g.Bytes, len(rest))
			}
			if (g.Text == "") != (g.Width == 0) || g.Width < 0 || g.Width > 2 {
				t.Fatalf("First(%+q) draws %+q in %d cells", rest, g.Text, g.Width)
			}
			if !utf8.ValidString(g.Text) {
				t.Fatalf("First(%+q) draws %+q, which is not UTF-8", rest, g.Text)
			}
			for _, r := range g.Text {
				if undrawn(r) || r == '\n' {
					t.Fatalf("First(%+q) draws %+q", rest, r)
				}
			}
			// What is drawn is, looked at again, the same glyph; only a vowel
			// or a final consonant on a circle is two.
			if again := First(g.Text); again.Bytes != len(g.Text) || again.Text != g.Text || again.Width != g.Width {
				if r, n := utf8.DecodeRuneInString(g.Text); r != '\u25cc' || !conjoining([]rune(g.Text[n:])[0]) {
					t.Fatalf("First(%+q) draws %+q, looked at again %+v", rest, g.Text, again)
				}
			}
			total += g.Width
			rest = rest[g.Bytes:]
		}
		if got := Width(s); got != total {
			t.Fatalf("Width(%+q) = %d, want %d", s, got, total)
		}
	})
}

func BenchmarkWidth(b *testing.B) {
	for _, bb := range []struct{ name, text string }{
		{"ascii", strings.Repeat("The quick brown fox. ", 4)},
		{"korean", strings.Repeat("다람쥐 헌 쳇바퀴에 타고파. ", 3)},
		{"latin", strings.Repeat("déjà vu, naïve façade ", 4)},
		{"emoji", strings.Repeat("👨\u200d👩\u200d👧 👍🏽 🇰🇷 ", 3)},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(bb.text)))
			for b.Loop() {
				Width(bb.text)
			}
		})
	}
}

func TestWhatIsDrawnMeasuresTheSame(t *testing.T) {
	for _, s := range []string{"\u11ab", "\u1161\u11ab", "a\u11abb", "\u25cc\u11ab", "\u0301", "\u25cc\u0301", "\ufffd\u11ab", "\u25cc", "\u25cc\u25cc\u11ab", "\u1112\u1160\u11ab"} {
		drawn := ""
		for rest := s; rest != ""; {
			g := First(rest)
			rest, drawn = rest[g.Bytes:], drawn+g.Text
		}
		if got, want := Width(drawn), Width(s); got != want {
			t.Errorf("%+q is drawn as %+q, of %d cells, want %d", s, drawn, got, want)
		}
	}
}
