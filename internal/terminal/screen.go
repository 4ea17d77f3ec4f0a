package terminal

import (
	"bytes"
	"slices"
	"strconv"
	"unicode/utf8"
)

const (
	// keptInks is how many inks outlive a line; manyInks is when they are given
	// up amid one. A screen has at most 500 × 200 cells, so that from manyInks
	// on there are private runes for every cell anew.
	keptInks = 64
	// keptRows is how many rows keep their memory when nothing is in them.
	keptRows = 2
	// keptImage is how many bytes the image of the prompt and the draft may take.
	keptImage = 4 << 10
	manyInks  = 0x110000 - cellInk - 500*200
)

// ink is what a cell shows where that is not one rune of a certain width in the
// terminal's own colours.
type ink struct {
	sgr, text string
	sure      bool // its width is certain
	apart     bool // it could be drawn as a part of what stands before it
}

// inks gives inks numbers.
type inks struct {
	list  []ink
	index map[ink]rune
}

func (k *inks) len() int { return len(k.list) }

func (k *inks) reset() { k.list, k.index = nil, nil }

// cell returns the rune that stands for i in a cell.
func (k *inks) cell(i ink) rune {
	if r, n := utf8.DecodeRuneInString(i.text); i.sgr == "" && i.sure && !i.apart && n == len(i.text) {
		return r
	}
	r, ok := k.index[i]
	if !ok {
		if k.index == nil {
			k.index = map[ink]rune{}
		}
		r = cellInk + rune(len(k.list))
		k.list = append(k.list, i)
		k.index[i] = r
	}
	return r
}

// screen is what x/term draws on, and what the client's terminal shows: the
// prompt, the draft, and nothing of what stands above. Row 0 is the prompt's
// first. What is sent is the difference between the two.
type screen struct {
	columns, rows int
	promptCells   int
	inks          inks

	want  [][]rune // as x/term has drawn it
	x, y  int      // x/term's cursor
	stale bool     // want may differ from real

	real  [][]rune // as the client has it; only these rows exist there
	realX int      // the client's cursor, -1 where the column is not known
	realY int
	sgr   string
	image []byte // draws want where nothing is, "" if that is not known

	out []byte // what is to be sent
}

const (
	bracketsOn  = "\x1b[?2004h"
	bracketsOff = "\x1b[?2004l"
	wrapOn      = "\x1b[?7h"
	wrapOff     = "\x1b[?7l"
	sgrOff      = "\x1b[0m"
	eraseRight  = "\x1b[K"
	saveCursor  = "\x1b7"
	goToSaved   = "\x1b8"
)

func newScreen(size Size) screen {
	return screen{
		columns: size.Columns,
		rows:    size.Rows,
		real:    make([][]rune, 1),
		realX:   -1,
		stale:   true,
		out:     []byte(bracketsOn),
	}
}

// open makes room to draw, which sendTo gives up.
func (s *screen) open() {
	if s.out == nil {
		s.out = takeBuffer()
	}
}

// draw takes x/term's output: runes, CR, LF, and CSI A, B, C, D and K.
func (s *screen) draw(p []byte) {
	if len(p) == 0 {
		return
	}
	s.stale, s.image = true, s.image[:0]
	for len(p) > 0 {
		if p[0] == 0x1b && len(p) > 2 {
			n, i := 0, 2
			for i < len(p)-1 && '0' <= p[i] && p[i] <= '9' {
				n = n*10 + int(p[i]-'0')
				i++
			}
			s.control(p[i], max(n, 1))
			p = p[i+1:]
			continue
		}
		r, n := utf8.DecodeRune(p)
		p = p[n:]
		switch r {
		case cellRestart:
			s.restart()
		case '\r':
			s.x = 0
		case '\n':
			s.y++
		default:
			s.put(r)
		}
	}
}

func (s *screen) control(final byte, n int) {
	switch final {
	case 'A':
		s.y = max(0, s.y-n)
	case 'B':
		s.y += n
	case 'C':
		s.x += n
	case 'D':
		s.x = max(0, s.x-n)
	case 'K':
		if s.y < len(s.want) && s.x < len(s.want[s.y]) {
			s.want[s.y] = s.want[s.y][:s.x]
		}
	}
}

func (s *screen) put(r rune) {
	for len(s.want) <= s.y {
		s.want = appendRow(s.want)
	}
	row := s.want[s.y]
	for len(row) <= s.x {
		row = append(row, ' ')
	}
	row[s.x] = r
	s.want[s.y] = row
	s.x++
}

// appendRow appends an empty row, in the memory of an old one if there is one.
func appendRow(rows [][]rune) [][]rune {
	if len(rows) == cap(rows) {
		return append(rows, nil)
	}
	rows = rows[:len(rows)+1]
	rows[len(rows)-1] = rows[len(rows)-1][:0]
	return rows
}

// restart takes what x/term has drawn away: it begins again at 0,0.
func (s *screen) restart() {
	s.want, s.x, s.y = s.want[:0], 0, 0
	if cap(s.want) > keptRows {
		s.want = nil
	}
	s.stale, s.image = true, s.image[:0]
}

// print draws rows above the prompt, and what has changed below.
func (s *screen) print(rows []byte) {
	if len(rows) == 0 {
		s.paint()
		return
	}
	if !s.stale && len(s.image) > 0 {
		// Nothing has changed since the image was made: what real says
		// holds again once it is drawn.
		x, y := s.realX, s.realY
		s.wipe()
		s.appendRows(rows)
		s.out = append(s.out, s.image...)
		s.realX, s.realY = x, y
		return
	}
	s.erase()
	s.appendRows(rows)
	start := len(s.out)
	s.paint()
	if len(s.out)-start <= keptImage {
		s.image = append(s.image[:0], s.out[start:]...)
	}
}

// appendRows sends rows with autowrap off: a terminal that draws a glyph wider
// than it was counted would else begin a row with what a person wrote.
func (s *screen) appendRows(rows []byte) {
	styled := bytes.IndexByte(rows, 0x1b) >= 0
	s.out = append(s.out, wrapOff...)
	for len(rows) > 0 {
		n := bytes.IndexByte(rows, '\n')
		s.out = append(s.out, bytes.TrimSuffix(rows[:n], []byte("\r"))...)
		s.out = append(s.out, '\r', '\n')
		rows = rows[n+1:]
	}
	if styled {
		s.out = append(s.out, sgrOff...)
	}
	s.out = append(s.out, wrapOn...)
}

// leave draws rows for the last time and takes everything else away.
func (s *screen) leave(rows []byte) {
	s.erase()
	if len(rows) > 0 {
		s.appendRows(rows)
	}
	s.out = append(s.out, bracketsOff...)
}

// ring rings the bell.
func (s *screen) ring() { s.out = append(s.out, '\a') }

// clear empties the client's whole screen; the prompt goes to its top.
func (s *screen) clear() {
	s.wipe()
	s.out = append(s.out, "\x1b[H\x1b[2J"...)
	s.fresh()
}

// erase takes the prompt and the draft away; the cursor is where they began.
func (s *screen) erase() {
	s.wipe()
	s.fresh()
}

// wipe empties the rows, from below, and goes to 0,0. It does so row by row: of
// an erased screen tmux keeps a copy in its scrollback.
func (s *screen) wipe() {
	for y, row := range slices.Backward(s.real) {
		if len(row) > 0 {
			s.move(y, 0)
			s.out = append(s.out, eraseRight...)
		}
	}
	s.move(0, 0)
}

// fresh notes that the client's cursor is at the beginning of an empty row, and
// that this is row 0 now.
func (s *screen) fresh() {
	if cap(s.real) > keptRows {
		s.real = make([][]rune, 1)
	}
	s.real = s.real[:1]
	s.real[0] = s.real[0][:0]
	s.realX, s.realY = 0, 0
	s.stale = true
}

// resize empties the rows as they are after a change of size: most terminals
// have wrapped them anew, row by row, and some have given up what was below the
// cursor. x/term is made to draw everything again.
func (s *screen) resize(size Size) {
	up, total := 0, 0
	for y, row := range s.real {
		rows, at := wrapped(row, size.Columns, s.realX)
		if y < s.realY {
			up += rows
		} else if y == s.realY {
			up += at
		}
		total += rows
	}
	s.out = append(s.out, '\r')
	if up = min(up, size.Rows-1); up > 0 {
		s.number(up, 'A')
	}
	// The way back is not to be counted: where rows were given up, the cursor
	// has not moved down.
	s.out = append(s.out, saveCursor+eraseRight...)
	for range min(total, size.Rows) - 1 {
		s.number(1, 'B')
		s.out = append(s.out, eraseRight...)
	}
	s.out = append(s.out, goToSaved...)
	s.fresh()
	s.columns, s.rows = size.Columns, size.Rows
}

// wrapped returns how many rows of so many columns a row becomes, and in which
// of them its cell x is, or would be the last if there is no such cell.
func wrapped(row []rune, columns, x int) (rows, at int) {
	start := 0 // of the present row
	for i := range row {
		wide := i+1 < len(row) && row[i+1] == cellRight
		if i-start == columns || wide && i-start == columns-1 {
			rows++
			start = i
		}
		if i == x {
			at = rows
		}
	}
	if x >= len(row) || x < 0 {
		at = rows
	}
	return rows + 1, at
}

// paint makes the client's screen what x/term has drawn.
func (s *screen) paint() {
	if !s.stale {
		return
	}
	s.stale = false
	for y := range max(len(s.want), len(s.real)) {
		var row []rune
		if y < len(s.want) {
			row = trimmed(s.want[y])
		}
		s.paintRow(y, row)
	}
	s.move(s.y, s.x)
}

// trimmed returns row without the blanks at its end.
func trimmed(row []rune) []rune {
	for len(row) > 0 && row[len(row)-1] == ' ' {
		row = row[:len(row)-1]
	}
	return row
}

// paintRow draws the cells in which row differs from row y of the client.
func (s *screen) paintRow(y int, row []rune) {
	var old []rune
	if y < len(s.real) {
		old = s.real[y]
	}
	from := 0
	for from < len(row) && from < len(old) && row[from] == old[from] {
		from++
	}
	if from == len(row) && from == len(old) {
		return
	}
	// Left halves that are equal have equal right halves, so from is never in
	// the middle of a glyph. to may be: what begins before it is drawn whole.
	to := len(row)
	for len(row) == len(old) && to > from && row[to-1] == old[to-1] {
		to--
	}
	s.paintCells(y, row, from, to)
	if len(old) > len(row) {
		s.move(y, len(row))
		s.out = append(s.out, eraseRight...)
	}
	if y < len(s.real) {
		s.real[y] = append(s.real[y][:0], row...)
	}
}

// paintCells draws the cells from..to of a row. After a glyph whose width is not
// certain the column is set anew, and until then autowrap is off. Setting the
// column also keeps apart what a terminal would put together. Two cells are made
// blank for a glyph of several runes: some terminals draw it in the first alone.
func (s *screen) paintCells(y int, row []rune, from, to int) {
	wrapping := true
	for x := from; x < to; x++ {
		r := row[x]
		if r == cellRight {
			continue
		}
		i := ink{sure: true}
		if r >= cellInk {
			i = s.inks.list[r-cellInk]
		}
		if i.apart {
			s.realX = -1
		}
		s.move(y, x)
		if !i.sure && wrapping {
			s.out = append(s.out, wrapOff...)
			wrapping = false
		}
		s.style(i.sgr)
		wide := x+1 < len(row) && row[x+1] == cellRight
		if _, n := utf8.DecodeRuneInString(i.text); wide && n < len(i.text) {
			s.out = append(s.out, "  "...)
			s.realX = -1
			s.move(y, x)
		}
		if r >= cellInk {
			s.out = append(s.out, i.text...)
		} else {
			s.out = utf8.AppendRune(s.out, r)
		}
		s.realX = x + 1
		if wide {
			s.realX++
		}
		if !i.sure || s.realX >= s.columns {
			s.realX = -1
		}
	}
	s.style("")
	if !wrapping {
		s.out = append(s.out, wrapOn...)
	}
}

func (s *screen) style(sgr string) {
	if sgr == s.sgr {
		return
	}
	if s.sgr != "" {
		s.out = append(s.out, sgrOff...)
	}
	s.out = append(s.out, sgr...)
	s.sgr = sgr
}

// move puts the client's cursor on a cell, and makes the row if there is none.
func (s *screen) move(y, x int) {
	if last := len(s.real) - 1; y > last {
		if s.realY < last {
			s.number(last-s.realY, 'B')
		}
		for range y - last {
			s.out = append(s.out, '\r', '\n')
			s.real = appendRow(s.real)
		}
		s.realY, s.realX = y, 0
	}
	if y < s.realY {
		s.number(s.realY-y, 'A')
	} else if y > s.realY {
		s.number(y-s.realY, 'B')
	}
	s.realY = y
	if x != s.realX {
		if x == 0 {
			s.out = append(s.out, '\r')
		} else {
			s.number(x+1, 'G')
		}
		s.realX = x
	}
}

// number appends the control sequence CSI n final.
func (s *screen) number(n int, final byte) {
	s.out = append(s.out, 0x1b, '[')
	if n != 1 {
		s.out = strconv.AppendInt(s.out, int64(n), 10)
	}
	s.out = append(s.out, final)
}

// sendTo hands over what is to be sent.
func (s *screen) sendTo(o *outgoing) {
	if len(s.out) > 0 {
		o.send(s.out)
	} else {
		giveBuffer(s.out)
	}
	s.out = nil
}
