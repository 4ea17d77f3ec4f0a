package terminal

import (
	"time"
	"unicode/utf8"

	"sarangbang/internal/cells"
)

// How long something unfinished may stay so without a further byte.
const (
	escPatience      = 100 * time.Millisecond // the Esc key, or the start of a sequence
	sequencePatience = time.Second            // a sequence or a character that was cut
	pastePatience    = 2 * time.Second        // a paste whose end was lost
	reportPatience   = 5 * time.Second        // what may be a report: the rest of it would look like text
)

// stringBytes is how long a string sequence (OSC, DCS and the like) may be
// before it is given up; a terminal's answers are far shorter.
const stringBytes = 4096

type state uint8

const (
	ground state = iota
	escape
	control       // CSI
	shift         // SS3
	sequence      // OSC, DCS, APC, PM or SOS: skipped to its end
	sequenceClose // ESC within one
)

// parser makes keys of bytes, one byte at a time. It remembers at most three
// bytes of an unfinished character and two numbers of an unfinished sequence,
// whatever the client sends.
type parser struct {
	emit  func(key, rune)
	limit int // bytes of a sequence that are looked at

	state   state
	length  int    // of the sequence
	numbers [2]int // parameters of a CSI sequence; more are ignored
	number  int    // which one is being read
	foreign bool   // not a sequence of ours: skip to its end
	meta    bool   // an ESC more stood before it, which some terminals send for Alt
	paste   bool   // between the brackets of a paste
	asked   bool   // the client may be about to report its cursor
	afterCR bool   // a LF now is the second half of a line break
	part    [utf8.UTFMax]byte
	partLen int
}

// patience returns how long to wait for the next byte before expire, 0 for ever.
func (p *parser) patience() time.Duration {
	switch {
	case p.asked && p.state == control && p.numbers[0] > 0 && !p.foreign:
		return reportPatience
	case p.state == escape:
		return escPatience
	case p.state != ground:
		return sequencePatience
	case p.paste:
		return pastePatience
	case p.partLen > 0:
		return sequencePatience
	}
	return 0
}

// expire gives up what is unfinished.
func (p *parser) expire() {
	switch {
	case p.state == escape:
		p.state = ground
		p.loneEscape()
	case p.state != ground:
		p.state = ground
	case p.paste:
		p.breakCharacter()
		p.paste = false
		p.emit(keyPasteEnd, 0)
	default:
		p.breakCharacter()
	}
}

// feed takes one byte and emits the keys that are complete with it.
func (p *parser) feed(b byte) {
	p.length++
	switch p.state {
	case ground:
		p.character(b)
	case escape:
		p.afterEscape(b)
	case control:
		p.inControl(b)
	case shift:
		p.inShift(b)
	case sequence:
		p.inSequence(b)
	case sequenceClose:
		p.state = escape
		if b == '\\' {
			p.state = ground
		} else {
			p.meta = false
			p.afterEscape(b)
		}
	}
}

// loneEscape emits the Esc key.
func (p *parser) loneEscape() {
	if !p.paste {
		p.emit(keyEscape, 0)
	}
}

func (p *parser) afterEscape(b byte) {
	p.state, p.length = ground, 0
	switch b {
	case 0x1b:
		p.state, p.meta = escape, true
	case '[':
		p.state, p.numbers, p.number, p.foreign = control, [2]int{}, 0, false
	case 'O':
		p.state, p.numbers, p.number, p.foreign = shift, [2]int{}, 0, false
	case ']', 'P', '_', '^', 'X':
		p.state = sequence
	default:
		switch {
		case b < 0x80 && altKeys[b] != keyNone:
			if !p.paste {
				p.emit(altKeys[b], rune(b))
			}
		case b < ' ' || b >= 0x80: // no key with Alt: the ESC stood alone
			p.loneEscape()
			p.character(b)
		}
	}
}

func (p *parser) inControl(b byte) {
	if p.length > p.limit {
		p.foreign = true
	}
	switch {
	case p.parameter(b):
	case b == '[' && p.length == 1: // function keys of the Linux console: one more letter comes
		p.foreign = true
	case 0x40 <= b && b <= 0x7e:
		p.state = ground
		p.final(sequenceName{final: b, modified: p.meta || modified(p.numbers[1])})
	case 0x20 <= b && b <= 0x3f:
		p.foreign = true
	case b == 0x1b:
		p.state, p.meta = escape, false
	default: // the sequence is broken
		p.state = ground
		p.character(b)
	}
}

// parameter takes b if it is part of a sequence's numbers.
func (p *parser) parameter(b byte) bool {
	switch {
	case '0' <= b && b <= '9':
		if n := &p.numbers[min(p.number, 1)]; p.number < 2 && *n < 10_000 {
			*n = *n*10 + int(b-'0')
		}
	case b == ';' || b == ':':
		p.number = min(p.number+1, 2)
	default:
		return false
	}
	return true
}

// inShift takes a letter, before which some terminals send the modifiers: ESC O
// 5 D, or ESC O 1 ; 5 D.
func (p *parser) inShift(b byte) {
	if p.parameter(b) {
		return
	}
	p.state = ground
	if b < ' ' || b >= 0x80 {
		p.character(b)
		return
	}
	p.final(sequenceName{shift: true, final: b, modified: p.meta || modified(p.numbers[min(p.number, 1)])})
}

// final emits the key of a sequence that has ended.
func (p *parser) final(n sequenceName) {
	if p.foreign {
		return
	}
	if n.final == '~' && !n.shift {
		n.number = p.numbers[0]
		switch {
		case n.number == pasteStartNumber && !p.paste:
			p.paste = true
			p.emit(keyPasteStart, 0)
			return
		case n.number == pasteEndNumber && p.paste:
			p.paste = false
			p.emit(keyPasteEnd, 0)
			return
		}
	}
	if n.final == 'R' && !n.shift {
		p.emit(keyReport, rune(p.numbers[1]))
		return
	}
	if k := sequenceKey(n); k != keyNone && !p.paste { // a key within a paste is data, and not ours to show
		p.emit(k, 0)
	}
}

func (p *parser) inSequence(b byte) {
	switch {
	case b == '\a' || b == 0x18 || b == 0x1a:
		p.state = ground
	case b == 0x1b:
		p.state = sequenceClose
	case b == '\r' || b == '\n' || p.length > stringBytes: // never swallow a person's line
		p.state = ground
		p.character(b)
	}
}

// character takes a byte that belongs to no sequence.
func (p *parser) character(b byte) {
	if b >= utf8.RuneSelf {
		if p.partLen > 0 && utf8.RuneStart(b) {
			p.breakCharacter()
		}
		p.part[p.partLen] = b
		p.partLen++
		if !utf8.FullRune(p.part[:p.partLen]) {
			return
		}
		r, n := utf8.DecodeRune(p.part[:p.partLen])
		if r == utf8.RuneError && n == 1 {
			p.breakCharacter()
			return
		}
		p.partLen = 0
		p.afterCR = false
		p.text(r)
		return
	}
	p.breakCharacter()
	afterCR := p.afterCR
	p.afterCR = b == '\r'
	switch {
	case b == 0x1b:
		p.state, p.meta = escape, false
	case b == '\n' && afterCR:
	case p.paste:
		switch b {
		case '\r', '\n':
			p.emit(keyPasteText, '\n')
		case '\t':
			p.emit(keyPasteText, ' ')
		default:
			p.text(rune(b))
		}
	case byteKeys[b] != keyNone:
		p.emit(byteKeys[b], 0)
	default:
		p.text(rune(b))
	}
}

// breakCharacter makes what there is of an unfinished character one U+FFFD.
func (p *parser) breakCharacter() {
	if p.partLen > 0 {
		p.partLen = 0
		p.afterCR = false
		p.text(utf8.RuneError)
	}
}

// text emits a typed or pasted character, unless no text may hold it.
func (p *parser) text(r rune) {
	switch {
	case !cells.Kept(r):
	case p.paste:
		p.emit(keyPasteText, r)
	default:
		p.emit(keyText, r)
	}
}
