package emulator

import (
	"strings"
	"testing"
)

func show(t *Terminal) string {
	return strings.TrimRight(strings.Join(append(t.Scrollback(), t.Screen()...), "|"), "|")
}

func TestDrawing(t *testing.T) {
	for _, tt := range []struct {
		name, in, want string
		x, y           int
	}{
		{"plain", "ab\r\nc", "ab|c", 1, 1},
		{"wide", "한글", "한글", 4, 0},
		{"wraps", "abcdefgh", "abcdef|gh", 2, 1},
		{"waits at the margin", "abcdef", "abcdef", 5, 0},
		{"wide glyph does not straddle", "abcde한", "abcde|한", 2, 1},
		{"no autowrap", "\x1b[?7labcdefgh\x1b[?7h", "abcdeh", 5, 0},
		{"scrolls", "1\r\n2\r\n3\r\n4", "1|2|3|4", 1, 2},
		{"marks join", "e\u0301x", "e\u0301x", 2, 0},
		{"families join", "👨\u200d👩\u200d👧x", "👨\u200d👩\u200d👧x", 3, 0},
		{"selector widens", "❤\ufe0fx", "❤\ufe0fx", 3, 0},
		{"nothing joins after a move", "🇰\x1b[3G🇷", "🇰🇷", 4, 0},
		{"half of a wide glyph is overwritten", "한글\x1b[2Gx", " x글", 2, 0},
		{"moves", "\x1b[3m\x1b[2B\x1b[3Gx\x1b[2A\ry\x1b[K", "y||  x", 1, 0},
		{"clear", "abc\x1b[2J\x1b[Hx", "x", 1, 0},
		{"saved cursor", "ab\x1b7cd\x1b8x", "abxd", 3, 0},
		{"cut sequences", "\x1b[\x1b", "", 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := New(6, 3)
			for _, b := range []byte(tt.in) { // one byte at a time: nothing may depend on the Writes
				e.Write([]byte{b})
			}
			if got := show(e); got != tt.want {
				t.Errorf("screen %q, want %q", got, tt.want)
			}
			if x, y := e.Cursor(); x != tt.x || y != tt.y {
				t.Errorf("cursor at %d,%d, want %d,%d", x, y, tt.x, tt.y)
			}
			if err := e.Err(); (err != nil) != (tt.name == "cut sequences") {
				t.Errorf("Err() = %v", err)
			}
		})
	}
}

func TestApart(t *testing.T) {
	e := New(20, 2)
	e.Apart = true
	e.Write([]byte("👨\u200d👩\u200d👧e\u0301"))
	if x, _ := e.Cursor(); x != 7 {
		t.Errorf("a family and a letter end at column %d, want 7", x)
	}
}

func TestNarrow(t *testing.T) {
	e := New(20, 2)
	e.Narrow = true
	e.Write([]byte("ab한\r1\ufe0f\u20e3"))
	if x, _ := e.Cursor(); x != 1 {
		t.Errorf("a keycap ends at column %d, want 1", x)
	}
	if got, want := show(e), "1\ufe0f\u20e3b한"; got != want {
		t.Errorf("screen %q, want %q", got, want)
	}
}

func TestWideTerminalThatAnswers(t *testing.T) {
	e := New(20, 2)
	e.Wide = true
	var said []string
	e.Answer = func(s string) { said = append(said, s) }
	e.Write([]byte("\x1b[6n\r\n·\x1b[6ne\u0301я\u0301한a❤\ufe0f\x1b[6n"))
	if got, want := strings.Join(said, ""), "\x1b[1;1R\x1b[2;3R\x1b[2;11R"; got != want {
		t.Errorf("answers %q, want %q", got, want)
	}
	if got, want := show(e), "|·e\u0301я\u0301한a❤\ufe0f"; got != want {
		t.Errorf("screen %q, want %q", got, want)
	}
}

func TestWhatIsNotKnownIsAnError(t *testing.T) {
	for _, in := range []string{"\x1b]0;t\a!", "\x1b]9;t\a!", "\x1b]777;notify;t\x1b\\", "\x1b]9;a;b\x1b\\", "\x1b[5n", "\x1b[?1049h", "\t", "\x9b", "\u0085", "\u0301", "\x1bc", "123456\x1b[K", "\x1b[1K", "\x1b[J", "\b"} {
		e := New(6, 3)
		e.Write([]byte(in))
		if e.Err() == nil {
			t.Errorf("Write(%q): no error, want one", in)
		}
	}
	e := New(6, 3)
	e.Write([]byte("a\x1b[1;31mb\x1b[0mc\x1b[?2004h\a\x1b[?7l\x1b]9;no"))
	e.Write([]byte("te\x1b"))
	e.Write([]byte("\\\x1b]777;notify;t;n\x1b\\"))
	if got, want := strings.Join(e.Notes(), "|"), "note|notify;t;n"; got != want {
		t.Errorf("notes %q, want %q", got, want)
	}
	if err := e.Err(); err != nil {
		t.Errorf("Err() = %v, want none", err)
	}
	if got, want := e.Style(1, 0)+e.Style(2, 0), "\x1b[1;31m"; got != want {
		t.Errorf("styles %q, want %q", got, want)
	}
	autowrap, brackets := e.Modes()
	if autowrap || !brackets || e.Bells() != 1 {
		t.Errorf("autowrap %v, brackets %v, bells %d, want false, true, 1", autowrap, brackets, e.Bells())
	}
}

func TestResize(t *testing.T) {
	e := New(6, 3)
	e.Write([]byte("abcdefgh\r\n한글한\r\nxy"))
	e.Resize(4, 3)
	if got, want := show(e), "abcd|efgh|한글|한|xy"; got != want {
		t.Errorf("narrower: %q, want %q", got, want)
	}
	if x, y := e.Cursor(); x != 2 || y != 2 {
		t.Errorf("narrower: cursor %d,%d, want 2,2", x, y)
	}
	e.Resize(3, 3)
	if got, want := show(e), "abc|def|gh|한|글|한|xy"; got != want {
		t.Errorf("very narrow: %q, want %q", got, want)
	}
	e.Resize(9, 5)
	if got, want := show(e), "abcdefgh|한글한|xy"; got != want {
		t.Errorf("wider: %q, want %q", got, want)
	}
	if x, y := e.Cursor(); x != 2 || y != 2 {
		t.Errorf("wider: cursor %d,%d, want 2,2", x, y)
	}
	e.Write([]byte("\x1b[2A"))
	e.Resize(9, 2)
	if got, want := strings.Join(e.Screen(), "|"), "abcdefgh|한글한"; got != want {
		t.Errorf("lower: %q, want %q", got, want)
	}
}
