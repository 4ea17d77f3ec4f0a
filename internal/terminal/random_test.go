package terminal

import (
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/text/unicode/norm"
)

var (
	steps = flag.Int("steps", 20_000, "how many random steps TestRandomSteps takes")
	seed  = flag.Uint64("seed", 0, "the only seed to try, as a failure has named it; 0 for as many as the steps need")
)

// item is what the random person types at once and sees as one glyph. Its width
// and its class are written down here, not computed.
type item struct {
	text  string
	width int
	class class
}

var alphabet = []item{
	{"a", 1, letters},
	{"b", 1, letters},
	{"~", 1, sign},
	{" ", 1, space},
	{"가", 2, eastAsian},
	{"한", 2, eastAsian},
	{"글", 2, eastAsian},
	{"ㅋ", 2, eastAsian},
	{"か", 2, eastAsian},
	{"漢", 2, eastAsian},
	{"e\u0301", 1, letters},
	{"…", 1, sign},
	{"★", 1, sign},
	{"①", 1, letters},
	{"я", 1, letters},
	{"א", 1, letters},
	{"ش", 1, letters},
	{"👍", 2, sign},
	{"👍🏽", 2, sign},
	{"👨\u200d👩\u200d👧", 2, sign},
	{"🇰🇷", 2, sign},
	{"❤\ufe0f", 2, sign},
	{"\u1112\u1161\u11ab", 2, eastAsian},
	{"\u1140\u1161", 2, eastAsian},
	{"☺", 1, sign},
	{"☺\ufe0f", 2, sign},
	{"か\u3099", 2, eastAsian},
	{"א\u05b0", 1, letters},
	{"🏳\ufe0f\u200d🌈", 2, sign},
	// The emulator would put these together with what stands before them, so
	// they show that the terminal does not rely on that. Not for printed rows.
	{"\u0e33", 1, letters},
	{"\uff9e", 1, letters},
	// About these the two libraries disagree, so only what stands after them is
	// compared: the emulator's counts one cell for a keycap, and cuts the other
	// in two, of one cell each.
	{keycap, 2, letters},
	{conjunct, 2, letters},
}

const (
	keycap   = "1\ufe0f\u20e3"
	conjunct = "क्ष"
)

// disputed items are not printed, because no column is set after them there, and
// not wrapped by a size that changes.
func (i item) disputed() bool { return i.text == keycap || i.text == conjunct }

// ambiguous are the items that some screens give two cells.
const ambiguous = "e\u0301…★①я"

const unprintable = 4 // at the end of alphabet

var pastedBreak = item{"\n", 1, space}

// anything stands for a cell that is not compared.
const anything = "\x00"

// cells returns what a screen shows of it, by the cell.
func (i item) cells() []string {
	switch {
	case i.disputed():
		return []string{anything, anything}
	case i.text == "\n":
		return []string{lineBreak}
	}
	return []string{norm.NFC.String(i.text), ""}[:i.width]
}

type items []item

func (is items) String() string {
	var b strings.Builder
	for _, i := range is {
		b.WriteString(i.text)
	}
	return b.String()
}

func (is items) width() int {
	width := 0
	for _, i := range is {
		width += i.width
	}
	return width
}

// lay lays items out in rows, and says where the one at cur stands.
func (is items) lay(columns, cur int) (rows [][]string, x, y int) {
	var row []string
	for n, i := range is {
		if len(row)+i.width > columns {
			rows, row = append(rows, row), nil
		}
		if n == cur {
			x, y = len(row), len(rows)
		}
		row = append(row, i.cells()...)
	}
	rows = append(rows, row)
	if cur == len(is) {
		if x, y = len(row), len(rows)-1; x == columns {
			x, y = 0, y+1
		}
	}
	return rows, x, y
}

// alike compares rows of cells, of which the blank ones at an end may be missing.
func alike(got, want [][]string) bool {
	cell := func(rows [][]string, x, y int) string {
		if y >= len(rows) || x >= len(rows[y]) {
			return " "
		}
		return rows[y][x]
	}
	for y := range max(len(got), len(want)) {
		columns := 0
		for _, rows := range [][][]string{got, want} {
			if y < len(rows) {
				columns = max(columns, len(rows[y]))
			}
		}
		for x := range columns {
			if w := cell(want, x, y); w != anything && w != cell(got, x, y) {
				return false
			}
		}
	}
	return true
}

// text returns rows of cells for a person to read.
func text(rows [][]string) string {
	var b strings.Builder
	for _, row := range rows {
		b.WriteString(strings.TrimRight(strings.ReplaceAll(strings.Join(row, ""), anything, "?"), " ") + "\n")
	}
	return strings.TrimRight(b.String(), "\n")
}

// before is what undo must bring back.
type before struct {
	text  items
	cur   int
	typed int // how many items were typed there; 0 if something else was done
}

// person types at random. It knows what must be on the screen.
type person struct {
	*rand.Rand
	*rig
	seed          uint64
	alphabet      []item // as wide as on this screen
	columns, rows int
	prompt, text  items
	cur           int
	killed        items
	sent          []items
	back          int     // in the history
	left          items   // the draft left for the history
	prefix        string  // what entries looked at begin with
	looked        bool    // the last key was one that looks into the history
	from          int     // what Tab is told to complete from
	candidates    []items // and with what
	searching     bool
	label         string // of the search
	query         items
	undone        []before
	manner        manner // of the last key, and whether what it does
	joined        bool   // is undone together with what the last did
	printed       []items
	laid          [][]string // the first laidRows of them, laid out for so many columns
	laidRows      int
	laidFor       int
	scrolled      int // rows that have left the screen
	did           string
	step          int
	err           error // the first difference
}

func (p *person) some(n int, from []item) items {
	var is items
	for range n {
		is = append(is, from[p.IntN(len(from))])
	}
	return is
}

// fits keeps drafts so short that they are not windowed in the smallest screen,
// which has its own test.
func (p *person) fits(more items) bool {
	return p.text.width()+more.width() <= 36
}

// change does something to the text that can be undone.
func (p *person) change(m manner, f func()) {
	was := before{text: slices.Clone(p.text), cur: p.cur}
	p.joined = p.joined && m == p.manner
	p.manner = m
	f()
	if slices.Equal(p.text, was.text) {
		return
	}
	if !p.joined {
		p.undone = append(p.undone, was)
	}
	if m == typing {
		p.undone[len(p.undone)-1].typed += len(p.text) - len(was.text)
	}
	p.joined = m != alone
}

func (p *person) undo() {
	n := len(p.undone) - 1
	if n < 0 {
		return
	}
	u := &p.undone[n]
	i := u.cur + u.typed
	for i > u.cur && p.text[i-1].class == space {
		i--
	}
	for i > u.cur && p.text[i-1].class != space {
		i--
	}
	if i > u.cur { // one word of several
		p.text, p.cur = slices.Delete(p.text, i, u.cur+u.typed), i
		u.typed = i - u.cur
		return
	}
	p.text, p.cur, p.undone = u.text, u.cur, p.undone[:n]
}

func (p *person) insert(m manner, is items) {
	p.change(m, func() {
		p.text = slices.Insert(p.text, p.cur, is...)
		p.cur += len(is)
	})
}

func (p *person) cut(m manner, from, to int) items {
	is := slices.Clone(p.text[from:to])
	p.change(m, func() {
		p.text = slices.Delete(p.text, from, to)
		p.cur = from
	})
	return is
}

func (p *person) kill(from, to int) {
	if is := p.cut(alone, from, to); len(is) > 0 {
		p.killed = is
	}
}

func (p *person) move(to int) { p.change(alone, func() { p.cur = to }) }

func (p *person) set(is items) {
	p.change(alone, func() { p.text, p.cur = slices.Clone(is), len(is) })
}

// word returns where a move by a word ends, in steps of d.
func (p *person) word(d int) int {
	i := p.cur
	next := func() class { return p.text[i+(d-1)/2].class }
	more := func() bool { return d < 0 && i > 0 || d > 0 && i < len(p.text) }
	for more() && next() <= sign {
		i += d
	}
	if more() {
		for c := next(); more() && next() == c; {
			i += d
		}
	}
	return i
}

// send writes input, cut anywhere, and waits until nothing moves.
func (p *person) send(s string) {
	p.did = fmt.Sprintf("sent %+q", s)
	p.looked = false
	cut := p.IntN(len(s) + 1)
	if p.IntN(2) == 0 {
		cut = 0
	}
	for _, part := range []string{s[:cut], s[cut:]} {
		if part != "" {
			io.WriteString(p.keys, part)
		}
	}
	synctest.Wait()
}

// sendOne sends one of several sequences that mean the same.
func (p *person) sendOne(sequences ...string) { p.send(sequences[p.IntN(len(sequences))]) }

func (p *person) act() {
	switch op := p.IntN(49); {
	case op < 15:
		if is := p.some(1+p.IntN(4), p.alphabet); p.fits(is) {
			p.insert(typing, is)
			p.send(is.String())
		}
	case op < 18:
		for range 1 + p.IntN(3) {
			p.cut(erasing, max(p.cur-1, 0), p.cur)
			p.sendOne("\x7f", "\b")
		}
	case op < 19:
		p.cut(erasing, p.cur, min(p.cur+1, len(p.text)))
		p.send("\x1b[3~")
	case op < 22:
		p.move(max(p.cur-1, 0))
		p.sendOne("\x1b[D", "\x1bOD", "\x1b[1;2D", "\x02")
	case op < 24:
		p.move(min(p.cur+1, len(p.text)))
		p.sendOne("\x1b[C", "\x1bOC", "\x06")
	case op < 25:
		p.move(0)
		p.sendOne("\x1b[H", "\x1bOH", "\x1b[1~", "\x1b[7~", "\x01")
	case op < 26:
		p.move(len(p.text))
		p.sendOne("\x1b[F", "\x1bOF", "\x1b[4~", "\x1b[8~", "\x05")
	case op < 27:
		p.move(p.word(-1))
		p.sendOne("\x1b[1;5D", "\x1b[1;3D", "\x1b\x1b[D", "\x1bOd", "\x1bb")
	case op < 28:
		p.move(p.word(+1))
		p.sendOne("\x1b[1;5C", "\x1b[1;3C", "\x1b\x1bOC", "\x1bOc", "\x1bf")
	case op < 31:
		p.rare()
	case op < 32:
		p.look()
	case op < 34:
		is := p.some(1+p.IntN(3), p.alphabet)
		is = slices.Concat(is, items{pastedBreak}, p.some(1+p.IntN(3), p.alphabet))
		if p.fits(is) {
			p.insert(alone, is)
			p.send("\x1b[200~" + is.String() + "\r\n\x1b[201~")
		}
	case op < 39:
		p.say()
	case op < 41:
		p.prompt = p.some(1+p.IntN(6), p.alphabet[:10])
		p.did = fmt.Sprintf("prompt %q", p.prompt)
		p.do(func() { p.term.SetPrompt([]Span{{Text: p.prompt.String()}}) })
	case op < 42:
		if slices.ContainsFunc(p.text, item.disputed) {
			return
		}
		p.columns, p.rows = p.someSize()
		p.did = fmt.Sprintf("resized to %d×%d", p.columns, p.rows)
		p.resize(p.columns, p.rows)
		p.scrolled = -1      // as many as before, more or less: the emulator's own affair
		p.sleep(time.Second) // until the size may change again
	case op < 43:
		p.search()
	case op < 44:
		p.complete()
	case op < 46:
		p.switchRooms()
	default:
		p.see()
	}
}

// rare presses a key that takes much away or brings much back.
func (p *person) rare() {
	switch p.IntN(11) {
	case 0:
		p.kill(p.cur, len(p.text))
		p.send("\x0b")
	case 1:
		p.kill(0, p.cur)
		p.send("\x15")
	case 2:
		from := p.cur
		for from > 0 && p.text[from-1].class == space {
			from--
		}
		for from > 0 && p.text[from-1].class != space {
			from--
		}
		p.kill(from, p.cur)
		p.send("\x17")
	case 3:
		if p.fits(p.killed) {
			p.insert(alone, p.killed)
			p.send("\x19")
		}
	case 4:
		p.set(nil)
		p.back = 0
		p.send("\x03")
	case 5:
		p.kill(p.word(-1), p.cur)
		p.sendOne("\x1b\x7f", "\x1b\b")
	case 6:
		at := p.cur
		p.kill(at, p.word(+1))
		p.sendOne("\x1bd", "\x1b[3;5~")
	case 7:
		p.change(alone, func() {
			if n := len(p.text); n >= 2 && p.cur > 0 {
				at := min(p.cur, n-1)
				p.text[at-1], p.text[at] = p.text[at], p.text[at-1]
				p.cur = at + 1
			}
		})
		p.send("\x14")
	default:
		p.manner, p.joined = alone, false
		p.undo()
		p.send("\x1f")
	}
}

// entry returns a line of the history.
func (p *person) entry(back int) items { return p.sent[len(p.sent)-back] }

// holds reports whether an entry begins with what is filtered by.
func (p *person) holds(back int) bool {
	return strings.HasPrefix(norm.NFC.String(p.entry(back).String()), p.prefix)
}

// look looks into the history.
func (p *person) look() {
	if p.IntN(2) == 0 {
		if !p.looked {
			p.prefix = norm.NFC.String(p.text[:p.cur].String())
			if !slices.ContainsFunc(p.olderThan(p.back), p.holds) {
				p.prefix = ""
			}
		}
		for _, n := range p.olderThan(p.back) {
			if p.holds(n) {
				if p.back == 0 {
					p.left = slices.Clone(p.text)
				}
				p.back = n
				p.set(p.entry(n))
				break
			}
		}
		p.sendOne("\x1b[A", "\x1bOA", "\x10")
	} else {
		if p.back > 0 {
			for p.back--; p.back > 0 && !p.holds(p.back); p.back-- {
			}
			if p.back > 0 {
				p.set(p.entry(p.back))
			} else {
				p.set(p.left)
			}
		}
		p.sendOne("\x1b[B", "\x1bOB", "\x0e")
	}
	p.looked = true
}

func (p *person) olderThan(back int) []int {
	var all []int
	for n := back + 1; n <= len(p.sent); n++ {
		all = append(all, n)
	}
	return all
}

// search searches the history, checking every step but the last, which is
// checked like any other.
func (p *person) search() {
	text, cur, found := p.text, p.cur, 0
	p.searching, p.label, p.query = true, "search: ", nil
	find := func(from int) {
		p.label = "not found: "
		query := norm.NFC.String(p.query.String())
		for n := from; n <= len(p.sent); n++ {
			entry := norm.NFC.String(p.entry(n).String())
			if at := strings.Index(entry, query); at >= 0 {
				p.label, p.text, p.cur, found = "search: ", p.entry(n), 0, n
				for len(norm.NFC.String(p.text[:p.cur].String())) < at {
					p.cur++
				}
				return
			}
		}
	}
	p.manner, p.joined = alone, false
	p.send("\x12")
	p.check()
	more := p.some(1, p.alphabet)
	if len(p.sent) > 0 && p.IntN(4) > 0 {
		if line := p.entry(1 + p.IntN(len(p.sent))); !slices.Contains(line, pastedBreak) {
			i := p.IntN(len(line))
			more = slices.Clone(line[i:min(len(line), i+1+p.IntN(3))])
		}
	}
	p.query = more
	find(1)
	p.manner, p.looked = typing, false
	p.press(more.String()) // in one piece: what its beginning finds stays if there is no more
	p.check()
	for p.IntN(2) == 0 {
		find(found + 1)
		p.send("\x12")
		p.check()
		p.see()
		p.check()
		p.switchRooms()
		p.check()
	}
	p.searching = false
	entry, at := p.text, p.cur
	p.text, p.cur, p.manner = text, cur, alone
	take := func() {
		if found > 0 {
			if p.back == 0 {
				p.left = slices.Clone(text)
			}
			p.back, p.prefix = found, ""
			p.change(alone, func() { p.text, p.cur = slices.Clone(entry), at })
		}
	}
	switch p.IntN(4) {
	case 0:
		p.send("\x03")
	case 1:
		p.send("\x1b")
		p.sleep(time.Second)
	case 2:
		take()
		p.send("\r")
	case 3:
		take()
		p.move(0)
		p.send("\x01")
	}
}

// switchRooms presses Alt and a digit, which changes nothing that can be seen or
// undone.
func (p *person) switchRooms() {
	p.inputs = nil
	place, looked := 1+p.IntN(9), p.looked
	p.send(fmt.Sprint("\x1b", place))
	p.looked = looked
	if got := p.events(); len(got) != 1 || got[0] != (Input{Kind: Switch, Place: place}) {
		p.differs("got %v, want the place %d", got, place)
	}
}

// say presses Enter, and keeps what was sent in the history.
func (p *person) say() {
	p.inputs = nil
	p.send([]string{"\r", "\r\n"}[p.IntN(2)])
	want := norm.NFC.String(p.text.String())
	if got := p.said(); len(got) != 1 || got[0] != want {
		p.differs("said %q, want %q", got, want)
	}
	p.do(func() { p.term.Remember(want) })
	if n := len(p.sent); want != "" && (n == 0 || norm.NFC.String(p.sent[n-1].String()) != want) {
		p.sent = append(p.sent, p.text)
	}
	p.text, p.cur, p.back, p.undone, p.joined = nil, 0, 0, nil, false
}

// complete presses Tab a few times, checking every step but the last.
func (p *person) complete() {
	printable := p.alphabet[:len(p.alphabet)-unprintable]
	p.from = p.cur
	for p.from > 0 && slices.Contains(printable, p.text[p.from-1]) && p.IntN(5) > 0 {
		p.from--
	}
	typed := slices.Clone(p.text[p.from:p.cur])
	p.candidates = nil
	base := slices.Concat(typed, p.some(p.IntN(3), printable))
	for range p.IntN(5) {
		more := p.some(1+p.IntN(2), p.alphabet[:4])
		more[0] = p.alphabet[len(p.candidates)+4] // they have no more in common than base
		p.candidates = append(p.candidates, slices.Concat(base, more))
	}
	longest := items{}
	for _, c := range p.candidates {
		if c.width() > longest.width() {
			longest = c
		}
	}
	if !p.fits(longest) {
		return
	}
	if len(p.candidates) == 1 {
		base = p.candidates[0]
	}
	put := func(is items) {
		p.change(completing, func() {
			p.text = slices.Replace(p.text, p.from, p.cur, is...)
			p.cur = p.from + len(is)
		})
	}
	p.manner, p.joined = alone, false
	shown, listed := -1, false
	for presses := 0; ; presses++ {
		step := +1 - 2*(p.IntN(4)/3)
		switch {
		case presses == 0 && len(p.candidates) == 0:
		case presses == 0 && step > 0 && len(base) > len(typed):
			put(base)
		case presses == 0:
			base, shown = typed, 0
			if step < 0 {
				shown = len(p.candidates) - 1
			}
			put(p.candidates[shown])
		case step > 0 && !listed:
			listed = true
			p.seeList()
		default:
			if shown += step; shown < -1 {
				shown = len(p.candidates) - 1
			}
			if shown == len(p.candidates) {
				shown = -1
			}
			if shown < 0 {
				put(base)
			} else {
				put(p.candidates[shown])
			}
		}
		p.sendOne(map[int]string{+1: "\t", -1: "\x1b[Z"}[step])
		if len(p.candidates) < 2 || p.IntN(3) == 0 {
			break
		}
		p.check()
	}
	p.send("\x1b")
	p.manner, p.joined = alone, false
	p.sleep(time.Second)
}

// seeList prints the candidates in columns.
func (p *person) seeList() {
	blank := item{" ", 1, space}
	trimmed := make([]items, len(p.candidates))
	wide := 0
	for i, c := range p.candidates {
		for len(c) > 0 && c[len(c)-1] == blank {
			c = c[:len(c)-1]
		}
		trimmed[i] = c
		wide = max(wide, c.width())
	}
	wide = min(wide, p.columns-2)
	perRow := p.columns / (wide + 2)
	shown := trimmed[:min(len(trimmed), perRow*(p.rows-2))]
	var row items
	for i, c := range shown {
		row = append(row, blank, blank)
		used := 0
		for _, g := range c {
			if used+g.width > wide {
				break
			}
			row = append(row, item{norm.NFC.String(g.text), g.width, g.class})
			used += g.width
		}
		for ; used < wide; used++ {
			row = append(row, blank)
		}
		if i%perRow == perRow-1 || i == len(shown)-1 {
			p.printed = append(p.printed, row)
			row = nil
		}
	}
	if left := len(trimmed) - len(shown); left > 0 {
		row = items{blank, blank}
		for _, c := range fmt.Sprint("+", left) {
			row = append(row, item{string(c), 1, sign})
		}
		p.printed = append(p.printed, row)
	}
}

// see prints a block of rows as wide as the screen allows.
func (p *person) see() {
	block := ""
	for range 1 + p.IntN(4) {
		var row items
		for used := 0; ; {
			i := p.alphabet[p.IntN(len(p.alphabet)-unprintable)]
			if used += i.width; used > p.columns || p.IntN(30) == 0 {
				break
			}
			row = append(row, item{norm.NFC.String(i.text), i.width, i.class})
		}
		p.printed = append(p.printed, row)
		block += row.String() + []string{"\n", "\r\n"}[p.IntN(2)]
	}
	p.did = fmt.Sprintf("printed %q", block)
	p.print(block)
}

// shownPrompt returns what has room of the prompt.
func (p *person) shownPrompt() items {
	prompt := p.prompt
	if p.searching {
		prompt = nil
		for _, c := range p.label {
			prompt = append(prompt, item{text: string(c), width: 1})
		}
		prompt = slices.Concat(prompt, p.query, items{{">", 1, sign}, {" ", 1, space}})
	}
	for prompt.width() > p.columns/2 {
		if p.searching {
			prompt = prompt[1:]
		} else {
			prompt = prompt[:len(prompt)-1]
		}
	}
	return prompt
}

// layPrinted returns all rows that were printed as they stand on a screen as wide
// as this.
func (p *person) layPrinted() [][]string {
	if p.laidFor != p.columns {
		p.laid, p.laidRows, p.laidFor = nil, 0, p.columns
	}
	for _, row := range p.printed[p.laidRows:] {
		for len(row) > 0 && row[len(row)-1].text == " " {
			row = row[:len(row)-1] // terminals do not wrap blanks at the end
		}
		rows, _, _ := row.lay(p.columns, -1)
		p.laid = append(p.laid, rows...)
	}
	p.laidRows = len(p.printed)
	return p.laid
}

// differs notes that something is not as it must be, if it is the first thing.
func (p *person) differs(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf("-seed %d, step %d, %d×%d, after it %s: %w",
			p.seed, p.step, p.columns, p.rows, p.did, fmt.Errorf(format, args...))
	}
}

// check compares everything that can be seen with what must be.
func (p *person) check() {
	want := slices.Clone(p.layPrinted())
	printed := len(want)
	prompt := p.shownPrompt()
	rows, x, y := slices.Concat(prompt, p.text).lay(p.columns, len(prompt)+p.cur)
	y += printed
	want = append(want, rows...)

	// The screen scrolls when a row is needed below its last, and not before.
	got := p.screen.Cells()
	back := len(got) - p.rows
	if p.scrolled < 0 {
		p.scrolled = min(back, printed)
	}
	used := len(want)
	for used > y+1 && strings.Trim(strings.Join(want[used-1], ""), " ") == "" {
		used--
	}
	p.scrolled = max(p.scrolled, max(used, y+1)-p.rows)
	gotX, gotY := p.screen.Cursor()
	gotY += back
	if !alike(got, want) || gotX != x || gotY != y || back != p.scrolled {
		p.differs("\n got cursor %d,%d and %d rows scrolled away\n%s\nwant cursor %d,%d and %d rows\n%s",
			gotX, gotY, back, text(got), x, y, p.scrolled, text(want))
	}
	if err := p.screen.Err(); err != nil {
		p.differs("the client got what it does not know: %w", err)
	}
}

// stepsEach is how many steps a random person takes: -seed names a person, and
// nothing that came before.
const stepsEach = 150

// newPerson sits a random person before a terminal.
func newPerson(t *testing.T, seed uint64) *person {
	t.Helper()
	p := &person{Rand: rand.New(rand.NewPCG(seed, 0)), seed: seed, prompt: items{{">", 1, sign}, {" ", 1, space}}}
	p.columns, p.rows = p.someSize()
	p.alphabet = slices.Clone(alphabet)
	prepare := answers
	if seed%3 == 0 {
		prepare = wide
		for i := range p.alphabet {
			if strings.Contains(ambiguous, p.alphabet[i].text) {
				p.alphabet[i].width = 2
			}
		}
	}
	p.rig = newRig(t, Options{Size: Size{p.columns, p.rows}, Measure: true}, prepare)
	p.do(func() {
		p.term.SetCompleter(func(string, int) (int, []string) {
			all := make([]string, len(p.candidates))
			for i, c := range p.candidates {
				all[i] = c.String()
			}
			return len(norm.NFC.String(p.text[:p.from].String())), all
		})
	})
	return p
}

func (p *person) someSize() (columns, rows int) { return 12 + p.IntN(120-12+1), 5 + p.IntN(40-5+1) }

// walk takes the steps, and returns the first difference. After each step it lets
// a fault happen, if there is one.
func (p *person) walk(fault func(*person)) error {
	for p.step = range stepsEach {
		p.act()
		if fault != nil {
			fault(p)
		}
		p.check()
		if p.err != nil {
			return p.err
		}
	}
	return nil
}

// A person types, pastes, moves, looks back in the history and changes the size
// of the screen while rows arrive. After every step the screen, its scrollback
// and the cursor are what a layout by hand says.
func TestRandomSteps(t *testing.T) {
	first, persons := uint64(1), uint64(*steps+stepsEach-1)/stepsEach
	if *seed != 0 {
		first, persons = *seed, 1
	}
	const parts = 4
	for part := range uint64(parts) {
		t.Run(fmt.Sprint("part", part), func(t *testing.T) {
			t.Parallel()
			for n := part; n < persons; n += parts {
				synctest.Test(t, func(t *testing.T) {
					p := newPerson(t, first+n)
					defer p.close()
					if err := p.walk(nil); err != nil {
						t.Fatal(err)
					}
				})
			}
		})
	}
}
