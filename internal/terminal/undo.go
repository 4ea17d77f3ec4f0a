package terminal

import (
	"strings"
	"unicode"
)

// maxChanges is how many changes Ctrl-_ can take back. What they have removed is
// kept too, up to the limit of the draft in all.
const maxChanges = 100

// manner is how a change came about.
type manner uint8

const (
	alone      manner = iota // it is taken back by itself
	typing                   // it goes on with the typing before it, and is taken back word by word
	erasing                  // it goes on with the erasing before it
	completing               // it goes on with the completion before it
)

// change is what Ctrl-_ takes back.
type change struct {
	from    int    // bytes of the draft
	removed string // what stood there
	added   int    // how many bytes stand there now
	cursor  int    // where the cursor was
	manner  manner
}

// begin tells how the next changes come about. Those that go on with the last
// one are taken back with it.
func (d *draft) begin(m manner) {
	d.joined = d.joined && m == d.manner
	d.manner, d.origin = m, d.pos
}

// note remembers a change before it is made.
func (d *draft) note(from, to int, s string) {
	if d.text[from:to] == s {
		return
	}
	next := change{from: from, removed: d.text[from:to], added: len(s), cursor: d.origin, manner: d.manner}
	if d.joined && len(d.changes) > 0 {
		last := &d.changes[len(d.changes)-1]
		was := len(last.removed)
		if last.join(next) {
			d.remembered += len(last.removed) - was
			d.forget()
			return
		}
	}
	next.removed = strings.Clone(next.removed) // or the whole text would stay in memory
	d.changes = append(d.changes, next)
	d.remembered += len(next.removed)
	d.joined = d.manner != alone
	d.forget()
}

// join makes one change of two, if they touch.
func (c *change) join(next change) bool {
	end := next.from + len(next.removed) // in the text between the two
	switch {
	case next.from >= c.from && end <= c.from+c.added:
		c.added += next.added - len(next.removed)
	case end == c.from:
		c.from, c.removed, c.added = next.from, strings.Clone(next.removed)+c.removed, next.added+c.added
	case next.from == c.from+c.added:
		c.removed, c.added = c.removed+strings.Clone(next.removed), c.added+next.added
	default:
		return false
	}
	return true
}

// forget keeps what is remembered within its bounds.
func (d *draft) forget() {
	for len(d.changes) > maxChanges || d.remembered > d.limit {
		d.remembered -= len(d.changes[0].removed)
		d.changes[0].removed = ""
		d.changes = d.changes[1:]
	}
}

// undo takes the last change back; of typing the last word.
func (d *draft) undo() {
	if len(d.changes) == 0 {
		return
	}
	c := &d.changes[len(d.changes)-1]
	end := c.from + c.added
	if c.manner == typing && c.removed == "" {
		if n := lastWord(d.text[c.from:end]); n > 0 {
			d.seek(c.from + n)
			d.splice(c.from+n, end, "", c.from+n)
			c.added = n
			return
		}
	}
	d.seek(c.from)
	d.splice(c.from, end, c.removed, c.cursor)
	d.remembered -= len(c.removed)
	c.removed = ""
	d.changes = d.changes[:len(d.changes)-1]
}

// lastWord returns where the last word of s begins that stands after a blank, 0
// if there is none.
func lastWord(s string) int {
	word := strings.TrimRightFunc(s, unicode.IsSpace)
	return strings.LastIndexFunc(word, unicode.IsSpace) + 1
}
