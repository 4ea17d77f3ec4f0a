package room

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text is what a person said or is told: valid UTF-8 of one or more lines whose only control character is LF, without any
// code point that could move a cursor, hide, or turn the reading direction of what stands around it. [Clean] is its one
// constructor, so a Text cannot be dangerous; a string has been checked by nobody. The zero Text is empty.
type Text struct{ s string }

// String returns the text itself.
func (t Text) String() string { return t.s }

// MarshalText writes the text itself.
func (t Text) MarshalText() ([]byte, error) { return []byte(t.s), nil }

// UnmarshalText reads what MarshalText wrote, cleaned again.
func (t *Text) UnmarshalText(b []byte) error {
	*t = Sentence(string(b))
	return nil
}

// Empty says whether there is nothing to show: no code point that is not a blank.
func (t Text) Empty() bool { return strings.TrimFunc(t.s, blank) == "" }

// blank tells the code points that are drawn as nothing at all. U+2800 and the Hangul fillers are letters or symbols to
// Unicode, but empty cells to a reader; the joiners and selectors need a neighbour to be seen.
func blank(r rune) bool {
	switch r {
	case 0x2800, 0x3164, 0xFFA0, 0x115F, 0x1160, 0x200C, 0x200D:
		return true
	}
	return unicode.IsSpace(r) || unicode.Is(unicode.Variation_Selector, r)
}

// TextLimits bounds a text: bytes of UTF-8 and lines (one more than its LFs). Zero means no bound, for text that was
// bounded when it was first taken in.
type TextLimits struct{ Bytes, Lines int }

// DefaultTextLimits is what a message may be where nobody set anything else.
var DefaultTextLimits = TextLimits{Bytes: 4096, Lines: 20}

// A TooLongError says what was too long. Sizes are of the cleaned text; a limit of zero was not exceeded.
type TooLongError struct {
	Bytes, MaxBytes int
	Lines, MaxLines int
}

func (e *TooLongError) Error() string {
	return fmt.Sprintf("text of %d bytes and %d lines, at most %d bytes and %d lines are allowed", e.Bytes, e.Lines, e.MaxBytes, e.MaxLines)
}

// Clean makes a Text of s. It drops the code points that [dropped] lists, turns a tab into a space and every byte that is
// not UTF-8 into U+FFFD, and changes nothing else: it never normalises, trims or cuts. Text beyond max is refused whole
// with a *[TooLongError]. Clean is idempotent: the String of a Text is cleaned to itself.
func Clean(s string, limits TextLimits) (Text, error) {
	if !plain(s) {
		s = clean(s)
	}
	lines := 1 + strings.Count(s, "\n")
	if limits.Bytes > 0 && len(s) > limits.Bytes || limits.Lines > 0 && lines > limits.Lines {
		return Text{}, &TooLongError{Bytes: len(s), MaxBytes: limits.Bytes, Lines: lines, MaxLines: limits.Lines}
	}
	return Text{s}, nil
}

// Sentence is Clean for what the program itself says: never refused, since what it quotes is bounded where it came in.
func Sentence(s string) Text {
	t, _ := Clean(s, TextLimits{})
	return t
}

// plain says that s is printable ASCII and LF only, as most lines are.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c != '\n' && (c < 0x20 || c > 0x7e) {
			return false
		}
	}
	return true
}

func clean(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range s { // a byte that is not UTF-8 comes out as U+FFFD
		switch {
		case r == '\t':
			b.WriteByte(' ')
		case !dropped(r):
			b.WriteRune(r)
		}
	}
	return b.String()
}

// dropped lists what must not reach a screen, a log or another node (UAX #9, UAX #44 Default_Ignorable_Code_Point, TUS
// chapter 23). What Unicode has not assigned yet is not in it, unless its block is ignorable by default: with tables of any
// version the newest emoji are unassigned, and to eat them would be silent loss.
func dropped(r rune) bool {
	switch {
	case r < 0x20:
		return r != '\n'
	case r < 0x7f:
		return false
	case r < 0xa0: // DEL and C1, CSI among them
		return true
	case r == 0xad, r == 0x34f, r == 0x61c: // soft hyphen, grapheme joiner, Arabic letter mark
		return true
	case r == 0x17b4, r == 0x17b5, r == 0x180e: // invisible Khmer vowels, Mongolian vowel separator
		return true
	case r == 0x200b, r == 0x200e, r == 0x200f: // zero width space, direction marks; U+200C and U+200D join letters and emoji
		return true
	case r >= 0x2028 && r <= 0x202e: // separators, embeddings and overrides
		return true
	case r >= 0x2060 && r <= 0x206f: // word joiner, invisible operators, isolates, deprecated format controls
		return true
	case r >= 0xd800 && r <= 0xf8ff: // surrogates, private use
		return true
	case r >= 0xfdd0 && r <= 0xfdef, r&0xfffe == 0xfffe: // noncharacters
		return true
	case r == 0xfeff, r >= 0xfff0 && r <= 0xfffb: // byte order mark, ignorable specials, interlinear annotation
		return true
	case r >= 0x1bca0 && r <= 0x1bca3, r >= 0x1d173 && r <= 0x1d17a: // shorthand and musical format controls
		return true
	case r >= 0xe0000 && r <= 0xe0fff: // tags and the rest of the block; the selectors U+E0100..E01EF choose glyphs
		return r < 0xe0100 || r > 0xe01ef
	}
	return r >= 0xf0000 // private use planes
}

// Nick is a nickname in the form it is shown in. It has passed [NewNick], which guards what the rest of the house builds on;
// which names are allowed, and which can be mistaken for one another, is decided by whoever makes a [Claim].
type Nick string

// maxNickBytes bounds a nickname even where limits are set higher by hand: it stands in every line.
const maxNickBytes = 256

// NewNick checks that s can stand between brackets in front of a line: valid, clean, one line, not blank, without the
// brackets and the arrow that the forms of a line are made of, and not the mark of notices.
func NewNick(s string) (Nick, error) {
	t := Sentence(s)
	switch {
	case t.s != s || !utf8.ValidString(s):
		return "", fmt.Errorf("nickname %q holds characters that are never shown", s)
	case t.Empty() || len(s) > maxNickBytes:
		return "", fmt.Errorf("nickname of %d bytes, 1 to %d are possible", len(s), maxNickBytes)
	case strings.ContainsAny(s, "\n[]→") || s == "*":
		return "", fmt.Errorf("nickname %q holds a line break, a bracket, an arrow or is the mark of notices", s)
	}
	return Nick(s), nil
}
