package render

import (
	"hash/fnv"
	"strconv"
	"strings"
	"unicode"

	"sarangbang/room"
)

// Palette is what nicknames are coloured with. Each identity always gets the same of its colours.
type Palette struct {
	colors []string // SGR sequences (ECMA-48, 8.3.117)
}

// Ground is what colours have to be readable on.
type Ground uint8

// The grounds.
const (
	AnyGround Ground = iota
	DarkGround
	LightGround
)

// Depth is how many colours a terminal has.
type Depth uint8

// The depths.
const (
	NoColors Depth = iota
	Colors16
	Colors256
)

// DepthOf tells the depth by what a client says: its TERM, and COLORTERM if it sends that. Most do not; then it is no more than
// what nearly every terminal has.
func DepthOf(term, colorterm string) Depth {
	switch {
	case term == "dumb":
		return NoColors
	case colorterm == "truecolor", colorterm == "24bit":
		return Colors256
	}
	for _, sign := range []string{"256color", "-direct", "kitty", "ghostty", "alacritty", "foot", "wezterm"} {
		if strings.Contains(term, sign) {
			return Colors256
		}
	}
	return Colors16
}

// The colours of xterm's table of 256. In each palette the same place has the same hue. A test computes their contrast (WCAG 2,
// relative luminance): at least 4:1 on black and on white; 7:1 on black; 4.5:1 on white.
//
// Those of a table of 16 the person has chosen, or the terminal's makers have, so their contrast is only known for the tables of
// xterm and VGA: at least 3:1 and 2.5:1 on black and on white; 4.5:1 on black; 4.5:1 on white.
var palettes = map[Ground]map[Depth]*Palette{
	AnyGround: {
		Colors256: indexed(131, 130, 64, 28, 29, 30, 31, 27, 63, 129, 164, 161),
		Colors16:  named(1, 5, 9, 12, 13),
	},
	DarkGround: {
		Colors256: indexed(203, 209, 221, 155, 84, 80, 117, 111, 147, 177, 213, 204),
		Colors16:  named(2, 6, 9, 10, 11, 13, 14),
	},
	LightGround: {
		Colors256: indexed(124, 130, 58, 28, 29, 23, 24, 26, 57, 91, 127, 161),
		Colors16:  named(1, 4, 5, 12),
	},
}

// PaletteFor returns the palette for a ground, on a terminal of the depth: always the same, and nil for NoColors.
func PaletteFor(g Ground, d Depth) *Palette { return palettes[g][d] }

// indexed makes a palette of colours of the table of 256.
func indexed(colors ...int) *Palette {
	p := &Palette{}
	for _, c := range colors {
		p.colors = append(p.colors, "\x1b[38;5;"+strconv.Itoa(c)+"m")
	}
	return p
}

// named makes a palette of colours of the table of 16.
func named(colors ...int) *Palette {
	p := &Palette{}
	for _, c := range colors {
		if c += 30; c >= 38 {
			c += 52 // the bright ones
		}
		p.colors = append(p.colors, "\x1b["+strconv.Itoa(c)+"m")
	}
	return p
}

// of returns the colour of a person: the same for the same key, whatever they are called, and for every key of one account; without
// a key for the same nickname, in whatever case.
func (p *Palette) of(who room.Person) string {
	h := fnv.New32a()
	key := who.Key
	if id, ok := strings.CutPrefix(string(who.ID), "key:"); ok { // the key that they came with first, or registered with
		key, _, _ = strings.Cut(id, "/")
	}
	if key != "" {
		_, _ = h.Write([]byte(key))
	} else {
		_, _ = h.Write([]byte(strings.Map(fold, string(who.Nick))))
	}
	return p.colors[h.Sum32()%uint32(len(p.colors))]
}

// fold makes letters alike that differ in case or in width alone.
func fold(r rune) rune {
	if 0xFF01 <= r && r <= 0xFF5E { // the full-width forms of ASCII
		r -= 0xFF01 - '!'
	}
	return unicode.ToLower(unicode.ToUpper(r))
}
