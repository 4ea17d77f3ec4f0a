package terminal

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"sarangbang/internal/cells"
)

// lineBreak is how a line break within the draft is shown: a message may have
// several lines, the draft is one.
const lineBreak = "⏎"

// glyph is one place of the cursor: how many bytes of the draft it covers and
// how many cells it takes (0 to 2), packed, since a draft may have 65,536.
type glyph uint32

func (g glyph) bytes() int { return int(g >> 2) }
func (g glyph) cells() int { return int(g & 3) }

// draft is the line being typed. Its text is NFC but for what editing has put
// side by side, which take mends.
type draft struct {
	text   string
	limit  int // bytes
	ruler  cells.Ruler
	glyphs []glyph // of the whole text
	at     int     // the cursor stands before this glyph
	pos    int     // which begins at this byte
	// ahead is how far before pos the next text goes. A glyph that was typed in
	// part can take what follows into it, and the cursor with it; the rest of it
	// still belongs where it was begun.
	ahead  int
	killed string    // what Ctrl-Y brings back
	begun  time.Time // when the text was empty last

	changes    []change // for undo, the newest last
	remembered int      // bytes that these have removed
	manner     manner   // of the changes that come
	joined     bool     // the next one goes on with the last
	origin     int      // where the cursor was before them
}

// measure returns the glyph at the start of s. What is never drawn belongs to
// the glyph before it, so that the cursor does not stop where nothing is seen.
func measure(s string, ruler cells.Ruler) glyph {
	g := ruler.First(s)
	n, width := g.Bytes, g.Width
	if s[0] == '\n' {
		width = ruler.Width(lineBreak)
	}
	for n < len(s) && s[n] != '\n' {
		hidden := ruler.First(s[n:])
		if hidden.Width > 0 {
			break
		}
		n += hidden.Bytes
	}
	return glyph(n<<2 | width)
}

// replace puts s in the place of the bytes from..to, as splice does, so that undo
// can take it back.
func (d *draft) replace(from, to int, s string, cursor int) {
	d.note(from, to, s)
	d.splice(from, to, s, cursor)
}

// splice puts s in the place of the bytes from..to and the cursor at the glyph
// that begins at cursor or next after it. from is not behind the cursor.
//
// Only glyphs near the change are measured again, so that a key costs the same
// in a long line as in a short one.
func (d *draft) splice(from, to int, s string, cursor int) {
	// A glyph may depend on the one after it, so begin two before the change.
	i, start := d.at, d.pos
	for again := 2; i > 0 && (start > from || again > 0); {
		if start <= from {
			again--
		}
		i--
		start -= d.glyphs[i].bytes()
	}
	if d.text == "" {
		d.begun = time.Now()
	}
	shift := len(s) - (to - from)
	d.text = d.text[:from] + s + d.text[to:]

	// Go on until a place is met where a glyph began before, too: from there
	// on nothing has changed, because a glyph depends on nothing before it.
	var room [16]glyph
	fresh := room[:0]
	j, old := i, start // a glyph of before, and where it began
	p := start
	for p < len(d.text) {
		for j < len(d.glyphs) && (old < to || old+shift < p) {
			old += d.glyphs[j].bytes()
			j++
		}
		if p >= from+len(s) && old >= to && old+shift == p {
			break
		}
		g := measure(d.text[p:], d.ruler)
		fresh = append(fresh, g)
		p += g.bytes()
	}
	if p >= len(d.text) {
		j = len(d.glyphs)
	}
	d.glyphs = slices.Replace(d.glyphs, i, j, fresh...)

	d.at, d.pos = i, start
	for d.pos < cursor {
		d.pos += d.glyphs[d.at].bytes()
		d.at++
	}
	d.ahead = d.pos - cursor
}

// normalBytes is how far from the cursor NFC is kept up while typing. What a
// person types as one character is far shorter.
const normalBytes = 128

// insert puts s before the cursor, composed with what stands there. It reports
// false, and changes nothing, if the line would become too long.
func (d *draft) insert(s string) bool {
	at := d.pos - d.ahead
	s = streamSafe(d.text[:at], s)
	from, to, behind := at, at, ""
	if !ascii(s) || at < len(d.text) && d.text[at] >= utf8.RuneSelf {
		before, after := d.text[:at], d.text[at:]
		before = before[cut(before, len(before)-normalBytes):]
		after = after[:cut(after, normalBytes)]
		if n := norm.NFC.LastBoundary([]byte(before)); n >= 0 {
			from -= len(before) - n
		}
		if n := norm.NFC.FirstBoundaryInString(after); n > 0 {
			to += n
		}
		head := d.text[from:at]
		behind = d.text[at:to]
		s = norm.NFC.String(head + s + behind)
		// What was composed with nothing has not changed.
		if rest, ok := strings.CutSuffix(s, behind); ok {
			s, to, behind = rest, at, ""
		}
		if rest, ok := strings.CutPrefix(s, head); ok {
			s, from = rest, at
		}
	}
	if len(d.text)+len(s)-(to-from) > d.limit {
		return false
	}
	d.replace(from, to, s, from+len(strings.TrimSuffix(s, behind)))
	return true
}

// maxMarks is how many marks and joiners may follow each other: no text needs
// more (UAX #15, Stream-Safe Text Format), and every key beside them would cost
// as much as there are.
const maxMarks = 30

func marking(r rune) bool {
	return r >= 0x300 && (unicode.Is(unicode.M, r) || r == '\u200C' || r == '\u200D')
}

// streamSafe returns s without marks beyond maxMarks in a row, when s follows
// before.
func streamSafe(before, s string) string {
	if ascii(s) {
		return s
	}
	run := 0
	for before != "" && run < maxMarks {
		r, n := utf8.DecodeLastRuneInString(before)
		if !marking(r) {
			break
		}
		before = before[:len(before)-n]
		run++
	}
	return strings.Map(func(r rune) rune {
		if !marking(r) {
			run = 0
			return r
		}
		if run++; run > maxMarks {
			return -1
		}
		return r
	}, s)
}

// cut returns the last place not after n, and not before 0, where s can be cut
// between two characters.
func cut(s string, n int) int {
	n = min(max(n, 0), len(s))
	for n > 0 && n < len(s) && !utf8.RuneStart(s[n]) {
		n--
	}
	return n
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// sanitize makes text that comes from elsewhere fit for a draft.
func sanitize(s string) string {
	return norm.NFC.String(strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || cells.Kept(r):
			return r
		case r == '\t':
			return ' '
		}
		return -1
	}, strings.ToValidUTF8(s, "\uFFFD")))
}

// set replaces the whole text and puts the cursor at its end.
func (d *draft) set(s string) {
	d.note(0, len(d.text), s)
	d.show(s, len(s))
}

// keptGlyphs is for how many glyphs an empty draft has room.
const keptGlyphs = 128

// show is set, with the cursor at the given byte, and nothing to undo.
func (d *draft) show(s string, cursor int) {
	d.text, d.glyphs, d.at, d.pos, d.ahead = "", d.glyphs[:0], 0, 0, 0
	if cap(d.glyphs) > keptGlyphs {
		d.glyphs = nil
	}
	d.splice(0, 0, s, cursor)
}

// take returns the text and leaves the draft empty, as if nothing had been.
func (d *draft) take() string {
	s := norm.NFC.String(d.text)
	d.show("", 0)
	d.changes, d.remembered, d.joined = nil, 0, false
	return s
}

// erase removes the bytes from..to.
func (d *draft) erase(from, to int) { d.replace(from, to, "", from) }

// kill removes the bytes from..to for Ctrl-Y to bring back.
func (d *draft) kill(from, to int) {
	if from < to {
		d.killed = d.text[from:to]
		d.erase(from, to)
	}
}

func (d *draft) left() {
	if d.at > 0 {
		d.at--
		d.pos -= d.glyphs[d.at].bytes()
	}
}

func (d *draft) right() {
	if d.at < len(d.glyphs) {
		d.pos += d.glyphs[d.at].bytes()
		d.at++
	}
}

// seek moves the cursor to the glyph that begins at a byte, or next after it.
func (d *draft) seek(at int) {
	for d.pos > at {
		d.left()
	}
	for d.pos < at {
		d.right()
	}
}

// class sorts glyphs for moves by words. A run of Han, kana or Hangul is a word,
// and another one than the Latin word that it touches.
type class uint8

const (
	space class = iota
	sign
	letters
	eastAsian
)

// classAt returns the class of the glyph that begins at byte i.
func (d *draft) classAt(i int) class {
	switch r, _ := utf8.DecodeRuneInString(d.text[i:]); {
	case unicode.IsSpace(r):
		return space
	case unicode.In(r, unicode.Han, unicode.Hangul, unicode.Hiragana, unicode.Katakana), r == 'ー', r == 'ｰ':
		return eastAsian
	case unicode.In(r, unicode.L, unicode.M, unicode.N), r == '_':
		return letters
	}
	return sign
}

// previous returns the class of the glyph before the cursor.
func (d *draft) previous() class { return d.classAt(d.pos - d.glyphs[d.at-1].bytes()) }

// wordLeft moves to the beginning of the word at or before the cursor.
func (d *draft) wordLeft() {
	for d.at > 0 && d.previous() <= sign {
		d.left()
	}
	if d.at > 0 {
		for c := d.previous(); d.at > 0 && d.previous() == c; {
			d.left()
		}
	}
}

// wordRight moves to the end of the word at or after the cursor.
func (d *draft) wordRight() {
	for d.at < len(d.glyphs) && d.classAt(d.pos) <= sign {
		d.right()
	}
	if d.at < len(d.glyphs) {
		for c := d.classAt(d.pos); d.at < len(d.glyphs) && d.classAt(d.pos) == c; {
			d.right()
		}
	}
}

// spaceLeft moves back over spaces, then to the space before the cursor.
func (d *draft) spaceLeft() {
	for d.at > 0 && d.previous() == space {
		d.left()
	}
	for d.at > 0 && d.previous() != space {
		d.left()
	}
}

// swap exchanges the glyphs before and at the cursor, at the end of the text the
// last two, and moves on.
func (d *draft) swap() {
	if len(d.glyphs) < 2 || d.at == 0 {
		return
	}
	if d.at == len(d.glyphs) {
		d.left()
	}
	middle, end := d.pos, d.pos+d.glyphs[d.at].bytes()
	d.left()
	d.replace(d.pos, end, d.text[middle:end]+d.text[d.pos:middle], end)
}

// press does what an editing key does to the text. Keys that need more than the
// text are the terminal's.
func (d *draft) press(k key) {
	was := d.pos
	d.ahead = 0
	if k == keyBackspace || k == keyDelete {
		d.begin(erasing)
	} else {
		d.begin(alone)
	}
	switch k {
	case keyLeft:
		d.left()
	case keyRight:
		d.right()
	case keyWordLeft:
		d.wordLeft()
	case keyWordRight:
		d.wordRight()
	case keyHome:
		d.at, d.pos = 0, 0
	case keyEnd:
		d.at, d.pos = len(d.glyphs), len(d.text)
	case keyBackspace:
		d.left()
		d.erase(d.pos, was)
	case keyDelete:
		d.right()
		d.erase(was, d.pos)
	case keyEraseWord:
		d.spaceLeft()
		d.kill(d.pos, was)
	case keyKillWordLeft:
		d.wordLeft()
		d.kill(d.pos, was)
	case keyKillWordRight:
		d.wordRight()
		d.kill(was, d.pos)
	case keyKillToStart:
		d.kill(0, was)
	case keyKillToEnd:
		d.kill(was, len(d.text))
	case keySwap:
		d.swap()
	case keyUndo:
		d.undo()
	case keyCancel:
		d.set("")
	default: // does nothing to the text
	}
}
