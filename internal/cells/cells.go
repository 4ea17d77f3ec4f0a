package cells

import (
	"sync/atomic"
	"unicode/utf8"

	"github.com/clipperhouse/displaywidth"
)

const (
	// jamoPerBase is how many vowels and final consonants are drawn on a leading
	// one. They are letters, not marks, but can be heaped up like these.
	jamoPerBase = 4
	// basesPerGlyph: the longest emoji in use joins four people. Chains beyond
	// that are cut into several glyphs, because terminals that know no clusters
	// draw every link: two cells by count would be sixty on their screens.
	basesPerGlyph = 4
	// maxCluster bounds what is segmented at once, so that a text that is one
	// endless cluster costs no more per byte than any other. It holds four
	// bases with four marks each, and joiners, twice over; where more marks
	// are drawn it grows by as much.
	maxCluster = 256
)

// marksPerBase is the limit combining_marks. It is the one state of this
// package.
var marksPerBase atomic.Int64

func init() { SetMarks(4) }

// SetMarks chooses how many combining marks are drawn on one base: 4 unless it
// is called. It holds for the whole process, so that whoever measures counts
// like whoever draws, and may be called from any goroutine.
func SetMarks(n int) { marksPerBase.Store(int64(n)) }

// Glyph is what First found at the start of a text: one place of the cursor.
type Glyph struct {
	Bytes int    // how many bytes of the text it stands for, never 0 for a text that is not empty
	Text  string // what is written to a screen for it; "" = nothing is drawn
	Width int    // cells that Text takes: 0 if Text is "", else 1 or 2
	// Sure: every terminal gives Text this width. After a glyph that is not
	// sure, the column must be set anew before anything else is drawn, and
	// autowrap must be off.
	Sure bool
}

// A Ruler measures text for one screen. What was measured by one and is drawn by
// another does not fit, so whoever draws for a screen has its Ruler from there.
// The zero Ruler is right for most, and for what is the same for everybody.
type Ruler struct {
	// Wide: the screen gives two cells to what Unicode calls ambiguous (UAX #11).
	Wide bool
}

// First is Ruler.First for most screens.
func First(s string) Glyph { return Ruler{}.First(s) }

// Width is Ruler.Width for most screens.
func Width(s string) int { return Ruler{}.Width(s) }

// First returns the first glyph of s. For s == "" it is the zero Glyph. Bytes
// that are not UTF-8 are one U+FFFD each. First allocates only where Text
// differs from the bytes that it stands for, and for emoji with selectors.
func (u Ruler) First(s string) Glyph {
	if s == "" {
		return Glyph{}
	}
	if c := s[0]; c < utf8.RuneSelf && (len(s) == 1 || s[1] < utf8.RuneSelf) {
		if c < ' ' || c == 0x7f {
			return Glyph{Bytes: 1}
		}
		return Glyph{Bytes: 1, Text: s[:1], Width: 1, Sure: true}
	}
	r, n := utf8.DecodeRuneInString(s)
	if w := plain(r); w > 0 {
		if next, _ := utf8.DecodeRuneInString(s[n:]); n == len(s) || plain(next) > 0 {
			return Glyph{Bytes: n, Text: s[:n], Width: w, Sure: true}
		}
	}
	switch {
	case r == utf8.RuneError && n == 1:
		return Glyph{Bytes: 1, Text: "\uFFFD", Width: u.rune(utf8.RuneError)}
	case blank(r):
		return Glyph{Bytes: n, Text: " ", Width: 1, Sure: true}
	case undrawn(r), joiner(r):
		return Glyph{Bytes: n}
	case r == '\u25cc':
		// A vowel or a final consonant that stands on nothing is drawn on a circle, which UAX #29 does not take as its base. What
		// was drawn must measure the same when it is read again.
		if next, _ := utf8.DecodeRuneInString(s[n:]); conjoining(next) {
			g := u.First(s[n:])
			g.Bytes += n
			return g
		}
	}
	return u.cluster(s)
}

// Width returns how many cells s takes: the sum of the widths of its glyphs.
func (u Ruler) Width(s string) int {
	w := 0
	for s != "" {
		if c := s[0]; ' ' <= c && c < 0x7f && (len(s) == 1 || s[1] < utf8.RuneSelf) {
			w, s = w+1, s[1:]
			continue
		}
		g := u.First(s)
		w, s = w+g.Width, s[g.Bytes:]
	}
	return w
}

// rune returns the width of a character alone.
func (u Ruler) rune(r rune) int {
	if u.Wide && r == utf8.RuneError {
		return 2 // which is ambiguous, too; displaywidth does not know
	}
	return displaywidth.Options{EastAsianWidth: u.Wide}.Rune(r)
}

// cluster returns the glyph at the start of s, whose first rune is drawn and
// has to be looked at together with what follows.
func (u Ruler) cluster(s string) Glyph {
	marks := int(marksPerBase.Load())
	most := max(maxCluster, maxCluster/4*marks)
	c := firstCluster(s, most)
	d := drawing{ruler: u, cluster: c, most: marks}
	end := 0
	for end < len(c) {
		r, n := utf8.DecodeRuneInString(c[end:])
		if n == 1 && r == utf8.RuneError || !d.add(r, end, end+n) {
			return d.glyph(end)
		}
		end += n
	}
	// Of a cluster that was cut short, what follows is taken along if it can
	// stand nowhere else. All its marks are long beyond the limit.
	for end < len(s) && len(c) > most-utf8.UTFMax {
		r, n := utf8.DecodeRuneInString(s[end:])
		if !mark(r) && !joiner(r) && !undrawn(r) {
			break
		}
		end += n
	}
	return d.glyph(end)
}

// firstCluster returns the first extended grapheme cluster of s, or its
// beginning if it is longer than most bytes.
func firstCluster(s string, most int) string {
	if len(s) > most {
		n := most
		for n > most-utf8.UTFMax+1 && !utf8.RuneStart(s[n]) {
			n--
		}
		s = s[:n]
	}
	g := displaywidth.StringGraphemes(s)
	g.Next()
	return g.Value()
}

// drawing collects what is drawn of one cluster, rune by rune. It may find that
// the cluster is more than one glyph: UAX #29 keeps together what terminals
// draw apart (a chain of jamo, a Thai vowel, half-width voice marks).
type drawing struct {
	ruler   Ruler
	cluster string
	own     []byte // what is drawn, where that is not the cluster's own bytes
	prev    rune   // the last rune drawn
	base    rune   // the last base drawn
	bases   int
	marks   int // on that base
	most    int // marks that a base may carry
	// width is the sum of the widths of all runes drawn: what a terminal that
	// knows no clusters uses, and, cut off at two, what the others use.
	width int
}

// add draws r, which stands in the cluster from..to, or passes over it. It
// reports false where a new glyph must begin.
func (d *drawing) add(r rune, from, to int) bool {
	switch {
	case from == 0 && stray(r):
		d.own = append(make([]byte, 0, len(d.cluster)+3), "\u25CC"...)
		d.base, d.bases, d.marks, d.width = '\u25CC', 1, 1, d.ruler.rune('\u25CC')
	case undrawn(r) || joiner(r) && !d.joins(r, to):
		d.skip(from)
		return true
	case joiner(r):
	case from > 0 && blank(r) && d.conjoins(to):
		return false // a place of its own: without it, what stands beside it would be another syllable
	case mark(r) || conjoining(r) && hangul(d.base):
		most := d.most
		if conjoining(r) {
			most = jamoPerBase
		}
		if d.marks++; d.marks > most || blank(r) {
			d.skip(from)
			return true
		}
	case tone(r) && (d.prev == emojiStyle || pictograph(d.prev)):
	case d.bases == 0 || d.extends(r):
		d.base, d.bases, d.marks = r, d.bases+1, 0
	default:
		return false
	}
	d.prev = r
	d.width += d.ruler.rune(r)
	if r == emojiStyle {
		d.width = 2
	}
	if d.own != nil {
		d.own = append(d.own, d.cluster[from:to]...)
	}
	return true
}

// skip notes that what stands at from is not drawn.
func (d *drawing) skip(from int) {
	if d.own == nil {
		d.own = append(make([]byte, 0, len(d.cluster)), d.cluster[:from]...)
	}
}

// conjoins reports whether a medial vowel or a final consonant stands at at.
func (d *drawing) conjoins(at int) bool {
	next, _ := utf8.DecodeRuneInString(d.cluster[at:])
	return conjoining(next)
}

// joins reports whether the joiner or selector r, which ends at to, is part of
// an emoji or an Indic cluster.
func (d *drawing) joins(r rune, to int) bool {
	next, _ := utf8.DecodeRuneInString(d.cluster[to:])
	switch r {
	case textStyle, emojiStyle:
		return pictograph(d.prev) || keycapBase(d.prev) && next == keycap
	case zwj:
		// Two pictographs are in one cluster only where GB11 of UAX #29
		// has joined them.
		return virama(d.prev) || d.bases < basesPerGlyph && pictograph(next)
	default:
		return virama(d.prev)
	}
}

// extends reports whether the base r belongs to the glyph begun before it.
func (d *drawing) extends(r rune) bool {
	if d.bases == basesPerGlyph {
		return false
	}
	return d.prev == zwj || virama(d.prev) || d.bases == 1 && regional(d.prev) && regional(r)
}

// glyph returns what was drawn; the text went on to end.
func (d *drawing) glyph(end int) Glyph {
	g := Glyph{Bytes: end, Text: string(d.own), Width: min(max(d.width, 1), 2)}
	if d.own == nil {
		g.Text = d.cluster[:min(end, len(d.cluster))]
		g.Sure = end == len(d.cluster) && utf8.RuneLen(d.base) == end && certain(d.base)
	}
	return g
}
