package terminal

import (
	"bytes"
	"strings"
	"time"

	"sarangbang/internal/cells"
)

const (
	// heldRows and heldTime are for how long rows wait for a line that is being
	// typed.
	heldRows = 20
	heldTime = 10 * time.Second
	// plainPause is how long a person must have pressed no key before a line is
	// written anew of which more has changed than its end.
	plainPause = 300 * time.Millisecond
)

// plain is a screen that only grows, for those who hear it and for terminals
// that can do no more: nothing is ever erased, moved or written twice at one
// place. What is typed at the end of the line is echoed. After any other change
// the line is written anew, in a row of its own, once there is a pause. Nothing
// of x/term's drawing is used then.
type plain struct {
	on     bool
	open   bool      // the row has been begun, with the prompt
	again  bool      // write the line anew at once
	flush  bool      // rows may not wait
	prompt string    // that was written last
	echoed string    // of the draft, in the open row
	held   time.Time // since when rows wait, zero if none do
}

// SetPlain chooses plain mode: no escape sequence is sent, nothing is written
// but at the end, and rows wait while a line is being typed. There is no search
// and no bracketed paste in it.
func (t *Terminal) SetPlain(on bool) {
	if on == t.plain.on {
		return
	}
	if t.search.on {
		t.endSearch(false)
	}
	if on {
		t.screen.erase()
		t.screen.inks.reset()
		t.screen.out = append(t.screen.out, bracketsOff...)
	} else {
		t.endRow()
		t.screen.fresh()
		t.screen.out = append(t.screen.out, bracketsOn...)
	}
	t.plain = plain{on: on}
	t.promptStale = true
}

// showPlain writes what has changed, as far as it may be written now.
func (t *Terminal) showPlain() {
	p := &t.plain
	t.draftStale = false
	t.writeHeld()
	prompt, text := t.promptText(), t.draft.text
	switch {
	case !p.open && (text != "" || prompt != p.prompt || p.again),
		p.open && text == "" && p.echoed == "" && prompt != p.prompt,
		p.open && !t.extends() && time.Until(t.rewriteAt()) <= 0:
		t.endRow()
		t.screen.out = append(t.screen.out, prompt...)
		t.echo()
		p.open, p.prompt = true, prompt
	case p.open && t.extends():
		t.echo()
	}
	p.again = false
}

// writeHeld writes the rows above the prompt if they have waited long enough.
func (t *Terminal) writeHeld() {
	p := &t.plain
	if len(t.above) == 0 {
		return
	}
	if p.held.IsZero() {
		p.held = time.Now()
	}
	if t.draft.text == "" || p.flush || time.Since(p.held) >= heldTime || bytes.Count(t.above, []byte{'\n'}) >= heldRows {
		t.endRow()
		t.screen.out = appendBare(t.screen.out, t.above)
		t.printed()
		p.held, p.flush = time.Time{}, false
	}
}

// extends reports whether what stands in the open row is the draft, up to some
// glyph of it.
func (t *Terminal) extends() bool {
	d, echoed := &t.draft, t.plain.echoed
	if t.plain.again || !strings.HasPrefix(d.text, echoed) {
		return false
	}
	n := len(d.text)
	for i := len(d.glyphs) - 1; n > len(echoed); i-- {
		n -= d.glyphs[i].bytes()
	}
	return n == len(echoed)
}

// echo writes what the open row has not got of the draft.
func (t *Terminal) echo() {
	for s := t.draft.text[len(t.plain.echoed):]; s != ""; {
		if s[0] == '\n' {
			t.screen.out, s = append(t.screen.out, lineBreak...), s[1:]
			continue
		}
		g := cells.First(s)
		t.screen.out, s = append(t.screen.out, g.Text...), s[g.Bytes:]
	}
	t.plain.echoed = t.draft.text
}

// endRow ends the open row.
func (t *Terminal) endRow() {
	if t.plain.open {
		t.screen.out = append(t.screen.out, '\r', '\n')
	}
	t.plain.open, t.plain.echoed = false, ""
}

// enterPlain makes the open row what is sent, and ends it.
func (t *Terminal) enterPlain() {
	if t.plain.open && !t.extends() {
		t.plain.again = true
	}
	held := t.above
	t.above = nil // they come after the line
	t.showPlain()
	t.above = held
	t.endRow()
}

// rewriteAt returns when a line may be written anew.
func (t *Terminal) rewriteAt() time.Time {
	if t.plain.again {
		return time.Time{}
	}
	return t.heard.Add(plainPause)
}

// plainDue returns when there is something to write by the clock, the zero time
// for never.
func (t *Terminal) plainDue() time.Time {
	var at time.Time
	if t.plain.open && !t.extends() {
		at = t.rewriteAt()
	}
	if held := t.plain.held; !held.IsZero() && (at.IsZero() || held.Add(heldTime).Before(at)) {
		at = held.Add(heldTime)
	}
	return at
}

// promptText returns the prompt without its colours.
func (t *Terminal) promptText() string {
	var b strings.Builder
	for _, span := range t.promptForm() {
		for s := span.Text; s != ""; {
			g := cells.First(s)
			b.WriteString(g.Text)
			s = s[g.Bytes:]
		}
	}
	return b.String()
}

// appendBare appends rows without their escape sequences, each ended by CR LF.
func appendBare(dst, rows []byte) []byte {
	for i := 0; i < len(rows); i++ {
		switch b := rows[i]; b {
		case 0x1b:
			for i += 2; i < len(rows) && (rows[i] < 0x40 || rows[i] > 0x7e); i++ {
			}
		case '\r':
		case '\n':
			dst = append(dst, '\r', '\n')
		default:
			dst = append(dst, b)
		}
	}
	return dst
}
