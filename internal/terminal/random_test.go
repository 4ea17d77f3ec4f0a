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
	steps = flag.Int("steps", 6000, "how many random steps TestRandomSteps takes")
	seed  = flag.Uint64("seed", 0, "the only seed to try, as a failure has named it; 0 for as many as the steps need")
)

// item is what the random person types at once and sees as one glyph. Its width
// is written down here, not computed.
type item struct {
	text  string
	width int
}

// Left out: keycaps, which the emulator's library counts as one cell where most
// terminals, and cells, count two; and Indic conjuncts, which it cuts in two, so
// that a narrower screen wraps them elsewhere.
var alphabet = []item{
	{"a", 1},
	{"b", 1},
	{"~", 1},
	{" ", 1},
	{"가", 2},
	{"한", 2},
	{"글", 2},
	{"ㅋ", 2},
	{"か", 2},
	{"漢", 2},
	{"e\u0301", 1},
	{"…", 1},
	{"★", 1},
	{"①", 1},
	{"я", 1},
	{"א", 1},
	{"ش", 1},
	{"👍", 2},
	{"👍🏽", 2},
	{"👨\u200d👩\u200d👧", 2},
	{"🇰🇷", 2},
	{"❤\ufe0f", 2},
	{"\u1112\u1161\u11ab", 2},
	{"\u1140\u1161", 2},
	// The emulator would put these together with what stands before them, so
	// they show that the terminal does not rely on that. Not for printed rows.
	{"\u0e33", 1},
	{"\uff9e", 1},
}

const unprintable = 2 // at the end of alphabet

var pastedBreak = item{"\n", 1}

func (i item) shown() string { return strings.ReplaceAll(norm.NFC.String(i.text), "\n", lineBreak) }

type items []item

func (is items) String() string {
	var b strings.Builder
	for _, i := range is {
		b.WriteString(i.text)
	}
	return b.String()
}

// lay lays items out in rows, and says where the one at cur stands.
func (is items) lay(columns, cur int) (rows []string, x, y int) {
	row, used := "", 0
	for n, i := range is {
		if used+i.width > columns {
			rows, row, used = append(rows, strings.TrimRight(row, " ")), "", 0
		}
		if n == cur {
			x, y = used, len(rows)
		}
		row += i.shown()
		used += i.width
	}
	rows = append(rows, strings.TrimRight(row, " "))
	if cur == len(is) {
		if x, y = used, len(rows)-1; x == columns {
			x, y = 0, y+1
		}
	}
	return rows, x, y
}

// person types at random. It knows what must be on the screen.
type person struct {
	*rand.Rand
	*rig
	columns, rows int
	prompt, text  items
	cur           int
	killed        items
	sent          []items
	back          int   // in the history
	left          items // the draft left for the history
	printed       []items
	did           string
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
	width := 0
	for _, i := range slices.Concat(p.text, more) {
		width += i.width
	}
	return width <= 36
}

func (p *person) insert(is items) {
	p.text = slices.Insert(p.text, p.cur, is...)
	p.cur += len(is)
}

func (p *person) cut(from, to int) items {
	is := slices.Clone(p.text[from:to])
	p.text = slices.Delete(p.text, from, to)
	p.cur = from
	return is
}

func (p *person) kill(from, to int) {
	if from < to {
		p.killed = p.cut(from, to)
	}
}

// send writes input, cut anywhere, and waits until nothing moves.
func (p *person) send(s string) {
	p.did = fmt.Sprintf("sent %+q", s)
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

func (p *person) step() {
	switch op := p.IntN(40); {
	case op < 15:
		if is := p.some(1+p.IntN(4), alphabet); p.fits(is) {
			p.insert(is)
			p.send(is.String())
		}
	case op < 18:
		p.cut(max(p.cur-1, 0), p.cur)
		p.send("\x7f")
	case op < 19:
		p.cut(p.cur, min(p.cur+1, len(p.text)))
		p.send("\x1b[3~")
	case op < 22:
		p.cur = max(p.cur-1, 0)
		p.send([]string{"\x1b[D", "\x1bOD", "\x02"}[p.IntN(3)])
	case op < 24:
		p.cur = min(p.cur+1, len(p.text))
		p.send([]string{"\x1b[C", "\x1bOC", "\x06"}[p.IntN(3)])
	case op < 25:
		p.cur = 0
		p.send([]string{"\x1b[H", "\x1bOH", "\x1b[1~", "\x1b[7~", "\x01"}[p.IntN(5)])
	case op < 26:
		p.cur = len(p.text)
		p.send([]string{"\x1b[F", "\x1bOF", "\x1b[4~", "\x1b[8~", "\x05"}[p.IntN(5)])
	case op < 27:
		p.rare()
	case op < 29:
		is := p.some(1+p.IntN(3), alphabet)
		is = slices.Concat(is, items{pastedBreak}, p.some(1+p.IntN(3), alphabet))
		if p.fits(is) {
			p.insert(is)
			p.send("\x1b[200~" + is.String() + "\r\n\x1b[201~")
		}
	case op < 34:
		p.say()
	case op < 36:
		p.prompt = p.some(1+p.IntN(6), alphabet[:10])
		p.did = fmt.Sprintf("prompt %q", p.prompt)
		p.do(func() { p.term.SetPrompt([]Span{{Text: p.prompt.String()}}) })
	case op < 37:
		p.columns, p.rows = 12+p.IntN(50), 6+p.IntN(20)
		p.did = fmt.Sprintf("resized to %d×%d", p.columns, p.rows)
		p.resize(p.columns, p.rows)
		p.sleep(time.Second) // until the size may change again
	default:
		p.see()
	}
}

// rare presses a key that takes much away or brings much back.
func (p *person) rare() {
	switch p.IntN(7) {
	case 0:
		p.kill(p.cur, len(p.text))
		p.send("\x0b")
	case 1:
		p.kill(0, p.cur)
		p.send("\x15")
	case 2:
		from := p.cur
		for from > 0 && strings.TrimSpace(p.text[from-1].text) == "" {
			from--
		}
		for from > 0 && strings.TrimSpace(p.text[from-1].text) != "" {
			from--
		}
		p.kill(from, p.cur)
		p.send("\x17")
	case 3:
		if p.fits(p.killed) {
			p.insert(p.killed)
			p.send("\x19")
		}
	case 4:
		p.text, p.cur, p.back = nil, 0, 0
		p.send("\x03")
	case 5:
		if p.back < len(p.sent) {
			if p.back == 0 {
				p.left = p.text
			}
			p.back++
			p.text = slices.Clone(p.sent[len(p.sent)-p.back])
			p.cur = len(p.text)
		}
		p.send([]string{"\x1b[A", "\x10"}[p.IntN(2)])
	case 6:
		if p.back > 0 {
			p.back--
			p.text = p.left
			if p.back > 0 {
				p.text = p.sent[len(p.sent)-p.back]
			}
			p.text = slices.Clone(p.text)
			p.cur = len(p.text)
		}
		p.send([]string{"\x1b[B", "\x0e"}[p.IntN(2)])
	}
}

// say presses Enter, and keeps what was sent in the history.
func (p *person) say() {
	p.inputs = nil
	p.send([]string{"\r", "\r\n"}[p.IntN(2)])
	want := norm.NFC.String(p.text.String())
	if got := p.said(); len(got) != 1 || got[0] != want {
		p.Fatalf("said %q, want %q", got, want)
	}
	p.do(func() { p.term.Remember(want) })
	if n := len(p.sent); want != "" && (n == 0 || norm.NFC.String(p.sent[n-1].String()) != want) {
		p.sent = append(p.sent, p.text)
	}
	p.text, p.cur, p.back = nil, 0, 0
}

// see prints a block of rows as wide as the screen allows.
func (p *person) see() {
	block := ""
	for range 1 + p.IntN(4) {
		var row items
		for used := 0; ; {
			i := alphabet[p.IntN(len(alphabet)-unprintable)]
			if used += i.width; used > p.columns || p.IntN(30) == 0 {
				break
			}
			row = append(row, item{norm.NFC.String(i.text), i.width})
		}
		p.printed = append(p.printed, row)
		block += row.String() + []string{"\n", "\r\n"}[p.IntN(2)]
	}
	p.did = fmt.Sprintf("printed %q", block)
	p.print(block)
}

// check compares everything that can be seen with what must be.
func (p *person) check() error {
	var want []string
	for _, row := range p.printed {
		for len(row) > 0 && row[len(row)-1].text == " " {
			row = row[:len(row)-1] // terminals do not wrap blanks at the end
		}
		rows, _, _ := row.lay(p.columns, -1)
		want = append(want, rows...)
	}
	prompt := slices.Clone(p.prompt)
	for width := 0; ; prompt = prompt[:len(prompt)-1] {
		width = 0
		for _, i := range prompt {
			width += i.width
		}
		if width <= p.columns/2 {
			break
		}
	}
	rows, x, y := slices.Concat(prompt, p.text).lay(p.columns, len(prompt)+p.cur)
	y += len(want)
	want = append(want, rows...)

	back := p.screen.Scrollback()
	got := slices.Concat(back, p.screen.Screen())
	for len(got) > 0 && got[len(got)-1] == "" {
		got = got[:len(got)-1]
	}
	for len(want) > 0 && want[len(want)-1] == "" {
		want = want[:len(want)-1]
	}
	gotX, gotY := p.screen.Cursor()
	gotY += len(back)
	if !slices.Equal(got, want) || gotX != x || gotY != y {
		return fmt.Errorf("after it %s\n got cursor %d,%d\n%s\nwant cursor %d,%d\n%s", p.did,
			gotX, gotY, strings.Join(got, "\n"), x, y, strings.Join(want, "\n"))
	}
	return p.screen.Err()
}

// A person types, pastes, moves, looks back in the history and changes the size
// of the screen while rows arrive. After every step the screen, its scrollback
// and the cursor are what a layout by hand says.
func TestRandomSteps(t *testing.T) {
	const each = 150
	first, persons := uint64(1), *steps/each
	if *seed != 0 {
		first, persons = *seed, 1
	}
	for n := range uint64(max(persons, 1)) {
		s := first + n
		synctest.Test(t, func(t *testing.T) {
			p := &person{Rand: rand.New(rand.NewPCG(s, 0)), prompt: items{{">", 1}, {" ", 1}}}
			p.columns, p.rows = 12+p.IntN(50), 6+p.IntN(20)
			p.rig = newRig(t, Options{Size: Size{p.columns, p.rows}})
			defer p.close()
			for step := range each {
				p.step()
				if err := p.check(); err != nil {
					t.Fatalf("-seed %d, step %d, %d×%d: %v", s, step, p.columns, p.rows, err)
				}
			}
		})
	}
}
