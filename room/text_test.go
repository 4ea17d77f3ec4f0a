package room_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"sarangbang/room"
)

var noLimits room.TextLimits

// Code points are written as numbers here: a source file that holds them could itself be misread.
func TestCleanDropsWhatMustNotReachAScreen(t *testing.T) {
	var c0 []rune
	for r := range rune(0x20) {
		if r != '\n' && r != '\t' {
			c0 = append(c0, r)
		}
	}
	span := func(from, to rune) (rs []rune) {
		for r := from; r <= to; r++ {
			rs = append(rs, r)
		}
		return rs
	}
	for _, tt := range []struct {
		class string
		runes []rune
	}{
		{"C0", c0},
		{"DEL and C1", span(0x7f, 0x9f)},
		{"noncharacters in the BMP", append(span(0xfdd0, 0xfdef), 0xfffe, 0xffff)},
		{"noncharacters beyond it", []rune{0x1fffe, 0x1ffff, 0x2fffe, 0x8ffff, 0xefffe}},
		{"private use", append(span(0xe000, 0xe010), 0xf8ff, 0xf0000, 0xffffd, 0x100000, 0x10fffd, 0x10ffff)},
		{"line and paragraph separators", []rune{0x2028, 0x2029}},
		{"bidi embeddings and overrides", span(0x202a, 0x202e)},
		{"bidi isolates", span(0x2066, 0x2069)},
		{"direction marks", []rune{0x200e, 0x200f, 0x61c}},
		{"interlinear annotation", span(0xfff9, 0xfffb)},
		{"tags", span(0xe0000, 0xe007f)},
		{"the rest of the tag block", append(span(0xe0080, 0xe00ff), span(0xe01f0, 0xe0fff)...)},
		{"zero width space", []rune{0x200b}},
		{"byte order mark", []rune{0xfeff}},
		{"soft hyphen", []rune{0xad}},
		{"grapheme joiner", []rune{0x34f}},
		{"invisible Khmer vowels", []rune{0x17b4, 0x17b5}},
		{"Mongolian vowel separator", []rune{0x180e}},
		{"word joiner and invisible operators", span(0x2060, 0x2065)},
		{"deprecated format controls", span(0x206a, 0x206f)},
		{"ignorable specials", span(0xfff0, 0xfff8)},
		{"shorthand format controls", span(0x1bca0, 0x1bca3)},
		{"musical format controls", span(0x1d173, 0x1d17a)},
	} {
		t.Run(tt.class, func(t *testing.T) {
			for _, r := range tt.runes {
				in := "a" + string(r) + "b"
				text, err := room.Clean(in, noLimits)
				if got := text.String(); got != "ab" || err != nil {
					t.Errorf("Clean with %U = %+q, %v; want %q", r, got, err, "ab")
				}
			}
		})
	}
}

func TestCleanChangesNothingElse(t *testing.T) {
	for _, tt := range []struct{ name, text string }{
		{"ASCII", "Hello, world! ~{}[]^`"},
		{"several lines", "one\ntwo\n\nfour\n"},
		{"blanks at both ends", "  indented \u00a0 \u3000 "},
		{"Hangul, composed", "\uc0ac\ub791\ubc29"},
		{"Hangul, decomposed", "\u1109\u1161\u1105\u1161\u11bc"},
		{"Hangul fillers", "\u115f\u1160\u3164\uffa0"},
		{"Japanese and Chinese", "日本語、中文。"},
		{"Hebrew", "\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd"},
		{"Arabic with its joiners", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"},
		{"combining marks", "e\u0301 a\u0323\u0302"},
		{"Devanagari with a joiner", "\u0915\u094d\u200d\u0937"},
		{"family emoji", "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"},
		{"skin tone", "\U0001f44d\U0001f3fd"},
		{"flags", "\U0001f1f0\U0001f1f7\U0001f1fa\U0001f1f8"},
		{"emoji and text selectors", "\u2764\ufe0f \u2764\ufe0e"},
		{"ideographic selector", "\u845b\U000e0100"},
		{"Mongolian selector", "\u1820\u180b"},
		{"an emoji newer than the tables", "\U0001fae9"},
		{"unassigned letters", "\u0378\U0001f8ff"},
		{"braille blank", "\u2800"},
		{"replacement character", "\ufffd"},
		{"object replacement", "\ufffc"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text, err := room.Clean(tt.text, noLimits)
			if got := text.String(); got != tt.text || err != nil {
				t.Errorf("Clean = %+q, %v; want %+q", got, err, tt.text)
			}
		})
	}
}

func TestCleanTurnsTabsAndBrokenBytesIntoWhatCanBeShown(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"a\tb\t", "a b "},
		{"\xff", "\ufffd"},
		{"a\xc3", "a\ufffd"},
		{"\xed\xa0\x80", "\ufffd\ufffd\ufffd"}, // a surrogate in three bytes
		{"\xf4\x90\x80\x80", "\ufffd\ufffd\ufffd\ufffd"},
		{"\xe2\x28\xa1", "\ufffd(\ufffd"},
		{"\x9b31m", "\ufffd31m"}, // CSI as one byte
		{"a\r\nb\rc", "a\nbc"},
		{"\x1b[31mred\x1b]0;title\x07", "[31mred]0;title"},
		{"\u009b31m", "31m"}, // CSI in UTF-8
	} {
		text, err := room.Clean(tt.in, noLimits)
		if got := text.String(); got != tt.want || err != nil {
			t.Errorf("Clean(%+q) = %+q, %v; want %+q", tt.in, got, err, tt.want)
		}
	}
}

func TestCleanRefusesWhatIsTooLong(t *testing.T) {
	limits := room.TextLimits{Bytes: 10, Lines: 3}
	for _, tt := range []struct {
		in           string
		bytes, lines int // of the error; zero for none
	}{
		{"", 0, 0},
		{"0123456789", 0, 0},
		{"01234567890", 11, 1},
		{"a\nb\nc", 0, 0},
		{"a\nb\nc\n", 6, 4},
		{"0123456789\n\n\n\n", 14, 5},
		{"\u200b\u200b\u200b\u200b\u200b0123456789", 0, 0}, // the cleaned text counts
		{"\xff\xff\xff\xff", 12, 1},
		{"한글한글", 12, 1},
	} {
		text, err := room.Clean(tt.in, limits)
		var long *room.TooLongError
		switch {
		case tt.bytes == 0:
			if err != nil {
				t.Errorf("Clean(%+q) = %v, want no error", tt.in, err)
			}
		case !errors.As(err, &long):
			t.Errorf("Clean(%+q) = %v, want a TooLongError", tt.in, err)
		default:
			want := room.TooLongError{Bytes: tt.bytes, MaxBytes: 10, Lines: tt.lines, MaxLines: 3}
			if *long != want || text != (room.Text{}) {
				t.Errorf("Clean(%+q) = %+q, %+v; want nothing, %+v", tt.in, text, *long, want)
			}
		}
	}
}

func TestTextEmpty(t *testing.T) {
	for _, s := range []string{"", " ", "\n\n", "\t", "\u3000", "\u00a0", "\u2800", "\u3164", "\uffa0\u115f\u1160", "\u200d\u200c", "\ufe0f", "\u180b", "\U000e0100"} {
		if !room.Sentence(s).Empty() {
			t.Errorf("Empty of %+q = false, want true", s)
		}
	}
	for _, s := range []string{"a", " . ", "\u0301", "\ufffd", "\u2800x"} {
		if room.Sentence(s).Empty() {
			t.Errorf("Empty of %+q = true, want false", s)
		}
	}
}

func TestNewNick(t *testing.T) {
	for _, s := range []string{"kim", "사랑방", "a b", "O'Hara", "**", "\u05e9\u05dc\u05d5\u05dd", "\U0001fae9", strings.Repeat("x", 256)} {
		if got, err := room.NewNick(s); string(got) != s || err != nil {
			t.Errorf("NewNick(%+q) = %+q, %v; want it as it is", s, got, err)
		}
	}
	for _, s := range []string{
		"", " ", "\u3164", "\u200d", "*", "a\nb", "a\tb", "[kim]", "a]", "a[", "a → b", "\x1b[2J", "\u202ekim", "kim\u200b", "\xff", "a\xc3",
		"\ufeffkim", strings.Repeat("x", 257),
	} {
		if got, err := room.NewNick(s); err == nil {
			t.Errorf("NewNick(%+q) = %+q, want an error", s, got)
		}
	}
}

// forbidden is written apart from the code, from the classes that a text may not hold.
func forbidden(r rune) bool {
	for _, span := range [][2]rune{
		{0, 9},
		{0xb, 0x1f},
		{0x7f, 0x9f},
		{0xad, 0xad},
		{0x34f, 0x34f},
		{0x61c, 0x61c},
		{0x200b, 0x200b},
		{0x200e, 0x200f},
		{0x2028, 0x202e},
		{0x2060, 0x206f},
		{0xd800, 0xf8ff},
		{0xfdd0, 0xfdef},
		{0xfeff, 0xfeff},
		{0xfff0, 0xfffb},
		{0xfffe, 0xffff},
		{0xe0000, 0xe00ff},
		{0xe01f0, 0xe0fff},
		{0xf0000, 0x10ffff},
	} {
		if r >= span[0] && r <= span[1] {
			return true
		}
	}
	return r&0xffff >= 0xfffe
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{
		"hello", "한글 테스트", "a\tb\r\nc", "\x1b[2J\x1b]0;x\x07", "\xff\xfe\xed\xa0\x80", "\u202eabc\u202c", "\u200b\u200d\ufeff",
		"\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U000e0041\U000e007f", "\u009b31m", "\uffff\U0010ffff", strings.Repeat("e\u0301\u0301", 500),
		"[kim] hi", "*", "\ufffd", "\xf0\x9f", "\n\n\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		text, err := room.Clean(s, noLimits)
		if err != nil {
			t.Fatalf("Clean without limits = %v", err)
		}
		got := text.String()
		if !utf8.ValidString(got) {
			t.Fatalf("Clean(%+q) = %+q, which is not UTF-8", s, got)
		}
		for _, r := range got {
			if forbidden(r) {
				t.Fatalf("Clean(%+q) = %+q, which holds %U", s, got, r)
			}
		}
		if again := room.Sentence(got).String(); again != got {
			t.Fatalf("cleaned twice = %+q, once %+q", again, got)
		}
		// Nothing but what is listed goes.
		var want strings.Builder
		for _, r := range s {
			switch {
			case r == '\t':
				want.WriteByte(' ')
			case r == 0x17b4 || r == 0x17b5 || r == 0x180e || r >= 0x1bca0 && r <= 0x1bca3 || r >= 0x1d173 && r <= 0x1d17a:
			case !forbidden(r):
				want.WriteRune(r)
			}
		}
		if got != want.String() {
			t.Fatalf("Clean(%+q) = %+q, want %+q", s, got, want.String())
		}
		limits := room.TextLimits{Bytes: 64, Lines: 3}
		_, err = room.Clean(s, limits)
		if tooLong := len(got) > 64 || strings.Count(got, "\n") > 2; tooLong != (err != nil) {
			t.Fatalf("Clean of %d bytes, %d LF with limits = %v", len(got), strings.Count(got, "\n"), err)
		}
		if nick, err := room.NewNick(s); err == nil {
			if string(nick) != s || got != s || strings.ContainsAny(s, "\n[]→") || text.Empty() {
				t.Fatalf("NewNick(%+q) = %+q, want an error", s, nick)
			}
		}
	})
}

func BenchmarkClean(b *testing.B) {
	for _, bench := range []struct{ name, text string }{
		{"ascii", strings.Repeat("The quick brown fox. ", 5)[:100]},
		{"korean", strings.Repeat("안녕하세요 반갑습니다 ", 4)[:98]},
		{"hostile", strings.Repeat("\x1b[2J\u202e\u200b\xff\t\U000e0041", 6)},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(bench.text)))
			for b.Loop() {
				if _, err := room.Clean(bench.text, room.DefaultTextLimits); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
