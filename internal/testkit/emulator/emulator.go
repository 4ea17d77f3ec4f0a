package emulator

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
	"golang.org/x/text/width"
)

// Terminal is a screen with its scrollback. It may be used by several
// goroutines at once: one that writes, others that look.
type Terminal struct {
	// Apart makes the terminal draw every code point for itself, as those do
	// that know no clusters: a family of four takes eight cells. To be set
	// before the first Write.
	Apart bool
	// Narrow makes the terminal leave a glyph as wide as its first code point,
	// whatever joins it: a keycap takes one cell. To be set before the first
	// Write.
	Narrow bool
	// Wide makes the terminal give two cells to what Unicode calls ambiguous
	// (UAX #11). To be set before the first Write.
	Wide bool
	// Answer gets what the terminal answers to what it is asked, during Write.
	// Nil for a terminal that says nothing. To be set before the first Write.
	Answer func(string)

	mu         sync.Mutex // guards all below
	cols, rows int
	screen     []row
	scrollback []row
	x, y       int
	pending    bool // the cursor has drawn the last column and not moved on
	savedX     int
	savedY     int
	nowrap     bool
	brackets   bool
	sgr        string
	bells      int
	notes      []string
	joins      *cell // the glyph just drawn, to which a mark may still be added
	rest       []byte
	err        error
}

type row struct {
	cells []cell
	// wraps is how many of the cells belong to a line that the next row goes
	// on with, 0 if the line ends here.
	wraps int
}

// cell is one column. The right half of a wide glyph has no text.
type cell struct {
	text string
	sgr  string
}

var blank = cell{text: " "}

func newRow(cols int) row {
	return row{cells: slices.Repeat([]cell{blank}, cols)}
}

// New returns an empty terminal with the cursor in its upper left corner.
func New(cols, rows int) *Terminal {
	t := &Terminal{cols: cols, rows: rows}
	for range rows {
		t.screen = append(t.screen, newRow(cols))
	}
	return t
}

// Screen returns the rows of the screen without the blanks at their ends.
func (t *Terminal) Screen() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return texts(t.screen)
}

// Scrollback returns the rows that have left the screen at the top, oldest first.
func (t *Terminal) Scrollback() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return texts(t.scrollback)
}

func texts(rows []row) []string {
	out := make([]string, len(rows))
	for i, r := range rows {
		out[i] = r.text()
	}
	return out
}

func (r row) text() string {
	var b strings.Builder
	for _, c := range r.cells {
		b.WriteString(c.text)
	}
	return strings.TrimRight(b.String(), " ")
}

// Cells returns the rows of the scrollback and the screen as they are: a text for
// each column, "" for the right half of a wide glyph.
func (t *Terminal) Cells() [][]string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out [][]string
	for _, r := range append(slices.Clone(t.scrollback), t.screen...) {
		row := make([]string, len(r.cells))
		for x, c := range r.cells {
			row[x] = c.text
		}
		out = append(out, row)
	}
	return out
}

// Cursor returns the column and the row of the cursor, from 0.
func (t *Terminal) Cursor() (x, y int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.x, t.y
}

// Style returns the SGR sequences in force when the cell at x, y was drawn, ""
// for none.
func (t *Terminal) Style(x, y int) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.screen[y].cells[x].sgr
}

// Bells returns how often the terminal has rung.
func (t *Terminal) Bells() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.bells
}

// Notes returns what the terminal was asked to show outside its window, by OSC 9
// or OSC 777: what stands behind the number.
func (t *Terminal) Notes() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.notes)
}

// Modes returns whether long rows wrap by themselves and whether pastes come in
// brackets.
func (t *Terminal) Modes() (autowrap, brackets bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.nowrap, t.brackets
}

// Err returns the first thing that the terminal did not understand, or that
// terminals are known to draw differently.
func (t *Terminal) Err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

func (t *Terminal) fail(format string, args ...any) {
	if t.err == nil {
		t.err = fmt.Errorf(format, args...)
	}
}

// Write draws p. It never fails; see Err. Sequences and characters may be cut
// anywhere between two Writes.
func (t *Terminal) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	b := append(t.rest, p...)
	for len(b) > 0 {
		n := t.step(b)
		if n == 0 {
			break
		}
		b = b[n:]
	}
	t.rest = slices.Clone(b)
	return len(p), nil
}

// step draws what b starts with and returns its length, 0 if it is unfinished.
func (t *Terminal) step(b []byte) int {
	switch c := b[0]; {
	case c == 0x1b:
		return t.escape(b)
	case c == '\r':
		t.goTo(0, t.y)
	case c == '\n':
		t.pending, t.joins = false, nil
		t.lineFeed()
	case c == '\a':
		t.bells++
	case c < ' ' || c == 0x7f:
		t.fail("control %#x", c)
	default:
		if !utf8.FullRune(b) {
			return 0
		}
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			t.fail("byte %#x, which is not UTF-8", c)
		} else if unicode.IsControl(r) {
			t.fail("control %U", r)
		} else {
			t.draw(r)
		}
		return n
	}
	return 1
}

func (t *Terminal) goTo(x, y int) {
	t.x, t.y = min(max(x, 0), t.cols-1), min(max(y, 0), t.rows-1)
	t.pending, t.joins = false, nil
}

func (t *Terminal) lineFeed() {
	if t.y < t.rows-1 {
		t.y++
		return
	}
	t.scrollback = append(t.scrollback, t.screen[0])
	t.screen = append(slices.Clone(t.screen[1:]), newRow(t.cols))
}

// draw puts r on the screen, as a part of the glyph before it where it belongs
// to that.
func (t *Terminal) draw(r rune) {
	if t.join(r) {
		return
	}
	w := t.width(string(r))
	switch {
	case 0x1F3FB <= r && r <= 0x1F3FF: // a skin tone that stands alone: uniseg says 0, terminals draw it
		w = 2
	case r == 0xFF9E || r == 0xFF9F: // a half-width voice mark likewise
		w = 1
	case w == 0:
		t.fail("%U, which takes no cell, has nothing to stand on", r)
		return
	}
	w = min(w, 2)
	if t.pending || t.x+w > t.cols {
		if t.nowrap {
			t.x = t.cols - w
		} else {
			t.screen[t.y].wraps = t.x
			if t.pending {
				t.screen[t.y].wraps = t.cols
			}
			t.lineFeed()
			t.x = 0
		}
		t.pending = false
	}
	for i := range w {
		t.clear(t.x + i)
	}
	cells := t.screen[t.y].cells
	cells[t.x] = cell{text: string(r), sgr: t.sgr}
	if w == 2 {
		cells[t.x+1] = cell{sgr: t.sgr}
	}
	t.joins = &cells[t.x]
	t.advance(w)
}

// width returns how many cells a cluster takes.
func (t *Terminal) width(cluster string) int {
	w := uniseg.StringWidth(cluster)
	if p, _ := width.LookupString(cluster); t.Wide && w == 1 && p.Kind() == width.EastAsianAmbiguous {
		return 2
	}
	return w
}

func (t *Terminal) advance(w int) {
	t.x += w
	if t.x >= t.cols {
		t.x, t.pending = t.cols-1, true
	}
}

// join adds r to the glyph just drawn, if both are one cluster.
func (t *Terminal) join(r rune) bool {
	if t.joins == nil || t.Apart && uniseg.StringWidth(string(r)) > 0 {
		return false
	}
	both := t.joins.text + string(r)
	if _, rest, _, _ := uniseg.FirstGraphemeClusterInString(both, -1); rest != "" {
		return false
	}
	was := min(t.width(t.joins.text), 2)
	t.joins.text = both
	if !t.Apart && !t.Narrow && was == 1 && uniseg.StringWidth(both) > 1 && !t.pending {
		keep := t.joins
		t.clear(t.x)
		t.screen[t.y].cells[t.x] = cell{sgr: keep.sgr}
		t.advance(1)
		t.joins = keep
	}
	return true
}

// clear blanks a cell and the other half of the glyph that it belongs to.
func (t *Terminal) clear(x int) {
	cells := t.screen[t.y].cells
	if cells[x].text == "" && x > 0 {
		cells[x-1] = blank
	}
	if x+1 < t.cols && cells[x+1].text == "" {
		cells[x+1] = blank
	}
	cells[x] = blank
}

// escape obeys the sequence at the start of b and returns its length, 0 if it is
// unfinished.
func (t *Terminal) escape(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '7':
		t.savedX, t.savedY = t.x, t.y
		return 2
	case '8':
		t.goTo(t.savedX, t.savedY)
		return 2
	case ']':
		return t.command(b)
	case '[':
	default:
		t.fail("sequence ESC %q", b[1])
		return 2
	}
	for i := 2; i < len(b); i++ {
		if c := b[i]; 0x40 <= c && c <= 0x7e {
			t.control(string(b[2:i]), c)
			return i + 1
		} else if c < 0x20 || c > 0x7e {
			t.fail("byte %#x within a sequence", c)
			return i
		}
	}
	return 0
}

// command obeys the OSC sequence at the start of b and returns its length, 0 if
// it is unfinished.
func (t *Terminal) command(b []byte) int {
	end := bytes.IndexFunc(b[2:], unicode.IsControl)
	if end < 0 || len(b) == 2+end+1 {
		return 0
	}
	body, closed := string(b[2:2+end]), string(b[2+end:2+end+2]) == "\x1b\\"
	number, note, _ := strings.Cut(body, ";")
	fields := map[string]int{"9": 1, "777": 3}[number]
	if !closed || !utf8.ValidString(body) || strings.Count(note, ";") != fields-1 {
		t.fail("sequence OSC %q", body)
	}
	t.notes = append(t.notes, note)
	return 2 + end + 2
}

// control obeys a CSI sequence.
func (t *Terminal) control(params string, final byte) {
	n, err := strconv.Atoi(params)
	if params == "" {
		n, err = 1, nil
	}
	mode := string(final)
	if strings.HasPrefix(params, "?") || final == 'm' {
		mode, err = params+mode, nil
	}
	if err != nil {
		t.fail("sequence CSI %q", params+string(final))
		return
	}
	switch mode {
	case "A":
		t.goTo(t.x, t.y-max(n, 1))
	case "B":
		t.goTo(t.x, t.y+max(n, 1))
	case "C":
		t.goTo(t.x+max(n, 1), t.y)
	case "D":
		t.goTo(t.x-max(n, 1), t.y)
	case "G":
		t.goTo(max(n, 1)-1, t.y)
	case "H":
		if params != "" {
			t.fail("sequence CSI %q", params+"H")
		}
		t.goTo(0, 0)
	case "J":
		if params != "2" {
			t.fail("sequence CSI %q", params+"J")
		}
		for i := range t.screen {
			t.screen[i] = newRow(t.cols)
		}
		t.joins = nil
	case "K":
		if params != "" {
			t.fail("sequence CSI %q", params+"K")
		}
		if t.pending {
			t.fail("erase while the cursor waits at the margin, where terminals differ")
		}
		for x := t.x; x < t.cols; x++ {
			t.clear(x)
		}
		t.screen[t.y].wraps = 0
		t.joins = nil
	case "?7h", "?7l":
		t.nowrap = final == 'l'
	case "?2004h", "?2004l":
		t.brackets = final == 'h'
	case "?25h", "?25l":
	case "n":
		if params != "6" {
			t.fail("sequence CSI %q", params+"n")
		} else if t.Answer != nil {
			t.Answer(fmt.Sprintf("\x1b[%d;%dR", t.y+1, t.x+1))
		}
	default:
		if final != 'm' || strings.Trim(params, "0123456789;") != "" {
			t.fail("sequence CSI %q", params+string(final))
			return
		}
		if params == "" || params == "0" {
			t.sgr = ""
		} else {
			t.sgr += "\x1b[" + params + "m"
		}
	}
}
