package cells

import (
	"unicode"

	"github.com/clipperhouse/displaywidth"
)

const (
	zwnj       = '\u200C'
	zwj        = '\u200D'
	textStyle  = '\uFE0E' // variation selector 15
	emojiStyle = '\uFE0F' // variation selector 16
	keycap     = '\u20E3'
)

// plain returns the width of a character that is one glyph wherever it stands
// between others of its kind, and that every terminal draws alike; else 0.
func plain(r rune) int {
	switch {
	case ' ' <= r && r < 0x7f:
		return 1
	case 0xAC00 <= r && r <= 0xD7A3, // Hangul syllables
		0x4E00 <= r && r <= 0x9FFF,                  // Han
		0x3041 <= r && r <= 0x3096,                  // Hiragana
		0x30A1 <= r && r <= 0x30FA,                  // Katakana
		0x3131 <= r && r <= 0x318E && r != '\u3164', // Hangul letters
		0xFF01 <= r && r <= 0xFF5E:                  // full-width ASCII
		return 2
	}
	return 0
}

// certain reports whether every terminal gives r, standing alone, the width
// that displaywidth gives it. Emoji, conjoining jamo and what East Asian fonts
// draw wide (UAX #11, ambiguous) differ; so may all that is newer than the
// tables of this program.
func certain(r rune) bool {
	if plain(r) > 0 {
		return true
	}
	narrow, wide := displaywidth.Options{}, displaywidth.Options{EastAsianWidth: true}
	return unicode.In(r, unicode.L, unicode.N, unicode.P, unicode.Sc, unicode.Sm) &&
		!jamo(r) && narrow.Rune(r) > 0 && narrow.Rune(r) == wide.Rune(r) && !pictograph(r)
}

// Kept reports whether a text may hold r at all: whether it is none of the code
// points that room.Clean drops. An editor takes nothing else in. LF and tab are
// not kept: what they become is decided where text is put together.
func Kept(r rune) bool {
	switch {
	case r < ' ', 0x7F <= r && r < 0xA0, // C0, DEL, C1
		0x202A <= r && r <= 0x202E, 0x2066 <= r && r <= 0x2069, r == 0x200E, r == 0x200F, r == 0x061C, // bidi controls
		0x2028 <= r && r <= 0x2029, 0xFFF9 <= r && r <= 0xFFFB, // separators, annotations
		0xD800 <= r && r <= 0xF8FF, 0xF0000 <= r, // surrogates, private use
		0xFDD0 <= r && r <= 0xFDEF, r&0xFFFE == 0xFFFE, // noncharacters
		0xE0000 <= r && r <= 0xE00FF, 0xE01F0 <= r && r <= 0xE0FFF, // tags and the rest of their block
		r == 0x00AD, r == 0x034F, r == 0x180E, r == 0x200B, r == 0xFEFF, // default-ignorable, from here on
		0x17B4 <= r && r <= 0x17B5, 0x2060 <= r && r <= 0x2065,
		0x206A <= r && r <= 0x206F, 0xFFF0 <= r && r <= 0xFFF8,
		0x1BCA0 <= r && r <= 0x1BCA3, 0x1D173 <= r && r <= 0x1D17A:
		return false
	}
	return true
}

// undrawn reports whether r is never drawn, whatever stands beside it: what no
// text may hold, and the selectors that belong to no emoji.
func undrawn(r rune) bool {
	return !Kept(r) || 0x180B <= r && r <= 0x180F || 0xFE00 <= r && r < textStyle || 0xE0100 <= r && r <= 0xE01EF
}

// blank reports whether r is a character that looks like a space.
func blank(r rune) bool {
	switch r {
	case '\u2800', '\u3164', '\uFFA0', '\u115F', '\u1160':
		return true
	}
	return false
}

// joiner reports whether r is drawn only where it shapes an emoji or an Indic
// cluster.
func joiner(r rune) bool {
	return r == zwnj || r == zwj || r == textStyle || r == emojiStyle
}

// mark reports whether r needs a base to stand on.
func mark(r rune) bool { return r >= 0x300 && unicode.Is(unicode.M, r) }

// stray reports whether r, which nothing stands before, needs a base. Not all
// that are called marks do: some Burmese vowels are clusters of their own.
func stray(r rune) bool {
	if !mark(r) {
		return conjoining(r)
	}
	pair := string([]rune{' ', r})
	g := displaywidth.StringGraphemes(pair)
	return g.Next() && len(g.Value()) == len(pair)
}

// jamo reports whether r is a letter that terminals may join into a syllable.
func jamo(r rune) bool {
	return 0x1100 <= r && r <= 0x11FF || 0xA960 <= r && r <= 0xA97C || conjoining(r)
}

// conjoining reports whether r is a medial vowel or a final consonant.
func conjoining(r rune) bool {
	return 0x1160 <= r && r <= 0x11FF || 0xD7B0 <= r && r <= 0xD7FF
}

// hangul reports whether a medial vowel or a final consonant can follow r.
func hangul(r rune) bool { return jamo(r) && !conjoining(r) || 0xAC00 <= r && r <= 0xD7A3 }

// tone reports whether r is a skin tone (UTS #51: Emoji_Modifier).
func tone(r rune) bool { return 0x1F3FB <= r && r <= 0x1F3FF }

// regional reports whether r is one half of a flag.
func regional(r rune) bool { return 0x1F1E6 <= r && r <= 0x1F1FF }

// keycapBase reports whether r can stand on a keycap.
func keycapBase(r rune) bool { return '0' <= r && r <= '9' || r == '#' || r == '*' }

// pictograph reports whether r is Extended_Pictographic (UTS #51). The tables
// of the segmentation know: GB11 of UAX #29 keeps nothing else together with a
// pictograph behind a joiner.
func pictograph(r rune) bool {
	if r < '\u203C' && r != '©' && r != '®' || plain(r) > 0 {
		return false
	}
	pair := string([]rune{r, zwj, '\u231A'})
	g := displaywidth.StringGraphemes(pair)
	return g.Next() && len(g.Value()) == len(pair)
}

// virama reports whether r may join the consonant before it with the one after
// it (canonical combining class 9, of the scripts that join).
func virama(r rune) bool {
	switch r {
	case 0x094D, 0x09CD, 0x0A4D, 0x0ACD, 0x0B4D, 0x0BCD, 0x0C4D, 0x0CCD, 0x0D4D, 0x0DCA, // India, Sri Lanka
		0x1039, 0x17D2, 0x1A60, 0x1B44, 0x1BAB, 0xA8C4, 0xA953, 0xA9C0, 0xAAF6, 0xABED, // South-East Asia
		0x11046, 0x110B9, 0x11133, 0x111C0, 0x11235, 0x1134D, 0x11442, 0x114C2, 0x115BF, 0x1163F, 0x116B6:
		return true
	}
	return false
}
