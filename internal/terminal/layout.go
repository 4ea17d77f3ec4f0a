package terminal

import (
	"unicode/utf8"

	"sarangbang/internal/cells"
)

// What x/term gets to see, and nobody can type.
const (
	// keyFetch is the one key, beside Enter, that x/term ever gets. It falls
	// through to AutoCompleteCallback.
	keyFetch = '\uFDD3'
	// cellRight stands for the right half of a wide glyph.
	cellRight = '\uFDD0'
	// cellRestart is written through x/term to mark where it begins anew.
	cellRestart = '\uFDD2'
	// cellInk, and all after it, stand for what is not one certain rune in the
	// terminal's own colours: number cell-cellInk of the inks.
	cellInk = '\U000F0000'
)

// SGR of the marks in the draft, where colours are wanted.
const dim = "\x1b[2m"

// promptCells returns the prompt as x/term shall have it: a rune for a cell. It
// is never empty, because x/term takes a cursor at 0,0 for "nothing shown".
func (t *Terminal) promptCells() string {
	limit := t.screen.columns / 2
	var room [64]rune
	line := room[:0]
	prompt := t.promptForm()
	if t.search.on {
		prompt = []Span{{Text: t.searchPrompt(limit)}}
	}
clip:
	for _, span := range prompt {
		for s := span.Text; s != ""; {
			g := t.draft.ruler.First(s)
			s = s[g.Bytes:]
			if len(line)+g.Width > limit {
				break clip
			}
			line = t.appendGlyph(line, ink{sgr: span.SGR, text: g.Text, sure: g.Sure}, g.Width)
		}
	}
	if len(line) == 0 {
		line = append(line, '>')
	}
	t.screen.promptCells = len(line)
	return string(line)
}

// promptForm returns the form of the prompt that this screen has room for.
func (t *Terminal) promptForm() []Span {
	for _, form := range t.prompt {
		width := 0
		for _, span := range form {
			width += t.draft.ruler.Width(span.Text)
		}
		if width <= t.screen.columns/2 {
			return form
		}
	}
	if len(t.prompt) == 0 {
		return nil
	}
	return t.prompt[len(t.prompt)-1]
}

// appendGlyph appends the cells of a glyph, if it has any.
func (t *Terminal) appendGlyph(line []rune, i ink, width int) []rune {
	if width == 0 {
		return line
	}
	line = append(line, t.screen.inks.cell(i))
	if width == 2 {
		line = append(line, cellRight)
	}
	return line
}

// fetch is x/term's AutoCompleteCallback. It returns the draft, a rune for a
// cell, and the cursor as a byte offset in that.
func (t *Terminal) fetch(string, int, rune) (line string, pos int, ok bool) {
	l := layout{t: t, x: t.screen.promptCells, cursor: -1}
	// One row less than the screen has, so that a row of the chat stays. The
	// last cell is the cursor's.
	l.room = (t.screen.rows-1)*t.screen.columns - l.x - 1
	if l.fits() {
		t.window = 0
		l.put(0, len(t.draft.glyphs))
	} else {
		l.room -= 2 // for the marks at both ends
		from, to := l.slide(t.window)
		t.window = from
		if from > 0 {
			l.mark("<")
		}
		l.put(from, to)
		if to < len(t.draft.glyphs) {
			l.mark(">")
		}
	}
	if l.cursor < 0 {
		l.cursor = len(l.line)
	}
	t.fetchedCells = len(l.line)
	b := make([]byte, 0, len(l.line)+len(l.line)/2)
	for i, r := range l.line {
		if i == l.cursor {
			pos = len(b)
		}
		b = utf8.AppendRune(b, r)
	}
	if l.cursor == len(l.line) {
		pos = len(b)
	}
	return string(b), pos, true
}

// layout puts glyphs of the draft behind the prompt.
type layout struct {
	t      *Terminal
	room   int // cells
	x      int // column of the next cell
	line   []rune
	cursor int // index in line of the cursor's cell, -1 for the end
}

// fits reports whether the whole draft has room.
func (l *layout) fits() bool {
	to, _ := l.reach(0, l.x)
	return to == len(l.t.draft.glyphs)
}

// reach returns up to which glyph, from the given on, there is room when the
// first stands in column x, and how many cells they take.
func (l *layout) reach(from, x int) (to, used int) {
	columns := l.t.screen.columns
	x %= columns
	for to = from; to < len(l.t.draft.glyphs); to++ {
		w, pad := l.t.draft.glyphs[to].cells(), 0
		if w == 2 && x == columns-1 {
			pad = 1
		}
		if used+pad+w > l.room {
			break
		}
		used += pad + w
		x = (x + pad + w) % columns
	}
	return to, used
}

// slide returns which glyphs to show of a draft that has no room. The cursor is
// among them, with something before it. from is where the window began before:
// it stays there if it can, so that not all of the screen changes with each key.
func (l *layout) slide(from int) (int, int) {
	d := &l.t.draft
	from = min(from, d.at)
	to, used := l.reach(from, l.x+1)
	end := to == len(d.glyphs)
	if (from == 0 || from < d.at) && (d.at < to || end) && (from == 0 || !end || used >= l.room/2) {
		return from, to
	}
	from = d.at
	for used = 0; from > 0 && used < l.room/2; {
		from--
		used += d.glyphs[from].cells()
	}
	to, _ = l.reach(from, l.x+1)
	return from, to
}

// put appends the glyphs from..to.
func (l *layout) put(from, to int) {
	d := &l.t.draft
	p := d.pos
	for i := d.at; i > from; i-- {
		p -= d.glyphs[i-1].bytes()
	}
	for i := from; i < to; i++ {
		size, w := d.glyphs[i].bytes(), d.glyphs[i].cells()
		if w == 2 && l.x%l.t.screen.columns == l.t.screen.columns-1 {
			l.line = append(l.line, ' ')
			l.x++
		}
		if i == d.at {
			l.cursor = len(l.line)
		}
		if d.text[p] == '\n' {
			l.mark(lineBreak)
		} else {
			g := d.ruler.First(d.text[p:])
			shown := ink{text: g.Text, sure: g.Sure, apart: i == from && clings(d.text[p:])}
			l.line = l.t.appendGlyph(l.line, shown, w)
			l.x += w
		}
		p += size
	}
}

// mark appends a character of our own, one cell wide.
func (l *layout) mark(s string) {
	g := l.t.draft.ruler.First(s)
	shown := ink{text: g.Text, sure: g.Sure}
	if l.t.color {
		shown.sgr = dim
	}
	l.line = l.t.appendGlyph(l.line, shown, g.Width)
	l.x += g.Width
}

// clings reports whether a terminal could take the beginning of s for a part of
// what stands before it. Within the draft cells.First sees to that: the glyph
// before is not sure then.
func clings(s string) bool {
	return s[0] >= utf8.RuneSelf && !cells.First(" "+s[:cut(s, 2*utf8.UTFMax)]).Sure
}
