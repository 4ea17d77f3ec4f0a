package terminal

import (
	"context"
	"io"
	"time"
	"unicode/utf8"
)

// wire is the terminal as x/term sees it: what it reads keys from and draws on.
type wire Terminal

// Write takes what x/term draws. It never reaches the client as it is.
func (w *wire) Write(p []byte) (int, error) {
	w.screen.draw(p)
	return len(p), nil
}

// Read gives x/term its next key, or takes it out of ReadLine. x/term calls it
// without its lock, so that Write, SetSize and SetPrompt of x/term may be called
// here. They are called nowhere else: their order is the order on the screen.
func (w *wire) Read(p []byte) (int, error) {
	t := (*Terminal)(w)
	behind := t.blocked()
	if !behind && !t.turn.wait.Hold {
		t.digest()
	}
	switch {
	case t.turn.over:
		return 0, errTurn
	case t.entered:
		return copy(p, "\r"), nil
	case !behind && t.sizeWaits(): // the client's screen has another size by now: what was drawn for this one would be torn
	case !behind && t.plain.on:
		t.screen.open()
		t.updateSize()
		t.showPlain()
		t.send()
	case !behind:
		t.screen.open()
		t.updateSize()
		t.update()
		if t.draftStale && time.Until(t.fetchAt()) <= 0 {
			t.draftStale, t.fetched = false, time.Now()
			return utf8.EncodeRune(p, keyFetch), nil
		}
		t.show()
	}
	if t.told && !t.blocked() {
		t.told, t.turn.woken = false, true
	}
	if t.turn.woken {
		t.wake()
	}
	return 0, errTurn // the turn is over, or there is nothing to do but wait
}

// blocked reports whether the client has so much to take that nothing more is
// drawn for it.
func (t *Terminal) blocked() bool { return t.out.pending() >= t.limits.OutputBytes }

// end makes Next return something to look at, fail an error, wake nothing but
// Woken, which is the zero Input.
func (t *Terminal) end(in Input)   { t.turn.over, t.turn.input = true, in }
func (t *Terminal) fail(err error) { t.turn.over, t.turn.err = true, err }
func (t *Terminal) wake()          { t.turn.over = true }

// refuse makes Next return Refused, for size bytes.
func (t *Terminal) refuse(size int) {
	t.excess = 0
	t.end(Input{Kind: Refused, Size: size, Limit: t.limits.PasteBytes})
}

// turnTime is how long keys are made into changes before everything else is
// looked at again. One key may take a millisecond in a draft of 65,536 bytes.
const turnTime = 5 * time.Millisecond

// digest makes keys of the input that is here, up to one that ends the turn, for
// no longer than turnTime. The rest of the chunk waits until digestAt.
func (t *Terminal) digest() {
	began := time.Now()
	t.parser.asked = t.parser.asked && began.Sub(t.began) < reportTime
	if t.chunk != nil && !began.Before(t.digestAt()) {
		t.feed(began)
	}
	if t.ended && t.chunk == nil && !t.entered && !t.turn.over {
		t.fail(io.EOF)
	}
}

// feed gives the chunk to the parser, and notes how long that took.
func (t *Terminal) feed(began time.Time) {
	now := began
	for t.parsed < len(t.chunk) && !t.entered && !t.turn.over && now.Sub(began) < turnTime {
		b := t.chunk[t.parsed]
		t.parsed++
		t.parser.feed(b)
		now = time.Now()
	}
	t.insertTyped()
	if t.parsed == len(t.chunk) {
		giveBuffer(t.chunk)
		t.chunk, t.parsed = nil, 0
	}
	if t.rested.Before(began) {
		t.rested = began
	}
	t.rested = t.rested.Add(2 * time.Since(began))
}

// digestAt returns when input may be used again. Whoever sends keys that take
// long gets half of a processor at most; turnTime of it may come at once, so that
// typing and pasting never wait.
func (t *Terminal) digestAt() time.Time { return t.rested.Add(-turnTime) }

// sizeWaits says that a new size is known and may not be put in force yet.
func (t *Terminal) sizeWaits() bool { return t.asked != (Size{}) && time.Until(t.resizeAt()) > 0 }

// updateSize puts a new size in force, if it may be.
func (t *Terminal) updateSize() {
	if t.asked != (Size{}) && time.Until(t.resizeAt()) <= 0 {
		t.applySize()
	}
}

// update tells x/term about a new prompt.
func (t *Terminal) update() {
	if t.screen.inks.len() > manyInks {
		t.forgetInks()
	}
	if t.promptStale {
		t.promptStale = false
		t.x.SetPrompt(t.promptCells())
		t.repaint()
	}
}

// repaint makes x/term begin anew on an empty grid, with its present prompt; the
// draft is fetched again.
func (t *Terminal) repaint() {
	_, _ = t.x.Write([]byte(string(cellRestart)))
	t.draftStale = true
}

// forgetInks begins with an empty table of inks, which nothing may refer to.
func (t *Terminal) forgetInks() {
	t.screen.erase()
	t.screen.inks.reset()
	t.promptStale = true
}

// resizeAt returns when the size may change again. Each change is a redraw of
// everything, and a client can ask for as many as it likes.
func (t *Terminal) resizeAt() time.Time {
	return t.resized.Add(time.Second / time.Duration(t.limits.RedrawsPerSecond))
}

const (
	// pacedCells is how long a line may be to be drawn with every key.
	pacedCells = 2000
	// cellTime is what a cell of a longer one must wait for the next time. To
	// draw it takes about a seventh of that, so that nobody keeps a processor
	// busy with keys pressed into 65,536 bytes on a screen of 500 × 200.
	cellTime = 500 * time.Nanosecond
)

// fetchAt returns when x/term may fetch the draft again.
func (t *Terminal) fetchAt() time.Time {
	if t.fetchedCells <= pacedCells {
		return t.fetched
	}
	return t.fetched.Add(time.Duration(t.fetchedCells) * cellTime)
}

func (t *Terminal) applySize() {
	size := t.asked
	t.asked = Size{}
	if size == (Size{Columns: t.screen.columns, Rows: t.screen.rows}) {
		return
	}
	t.resized = time.Now()
	t.turn.woken = true
	if t.plain.on {
		t.screen.columns, t.screen.rows = size.Columns, size.Rows
	} else {
		t.screen.resize(size)
	}
	_ = t.x.SetSize(size.Columns, size.Rows) // what it draws is taken away by repaint
	t.promptStale = true
}

// show sends what has changed on the screen.
func (t *Terminal) show() {
	t.screen.print(t.above)
	t.printed()
	t.send()
}

// printed forgets the rows above the prompt, which have been drawn.
func (t *Terminal) printed() {
	giveBuffer(t.above)
	t.above = nil
}

// send hands over what is to be sent, with the bell and a notification.
func (t *Terminal) send() {
	if t.bell {
		t.bell = false
		t.screen.ring()
	}
	if !t.plain.on {
		t.screen.out = append(t.screen.out, t.note...)
	}
	t.note = ""
	t.screen.sendTo(t.out)
}

// wait waits for whatever comes first.
//
//go:noinline
func (t *Terminal) wait(behind bool) {
	w := t.turn.wait
	var input <-chan []byte
	if !behind && !w.Hold && !t.ended && t.chunk == nil {
		input = t.in.chunks
	}
	if input == nil {
		t.deaf = true
	} else if t.deaf { // the client was not silent: nobody listened
		t.deaf, t.heard = false, time.Now()
	}
	select {
	case chunk, ok := <-input:
		t.hear(chunk, ok)
	case <-w.Bell:
		t.wake() // nothing is there to be drawn
	case <-w.Timer:
		t.wake()
	case size, ok := <-t.resize:
		if !ok {
			t.resize = nil
			break
		}
		t.asked = t.limits.clamp(size)
	case <-t.out.changed:
		if t.out.broken() {
			t.fail(io.EOF)
		}
	case <-t.alarm(input != nil, behind):
		t.alarmed(input)
	case <-t.turn.ctx.Done():
		t.fail(context.Cause(t.turn.ctx))
	}
}

// alarmed looks what is due, unless input has come at the same moment.
func (t *Terminal) alarmed(input <-chan []byte) {
	select {
	case chunk, ok := <-input:
		t.hear(chunk, ok)
	default:
		if input != nil {
			t.lostPatience()
		}
	}
}

// hear takes the next input.
func (t *Terminal) hear(chunk []byte, more bool) {
	t.heard = time.Now()
	t.chunk, t.ended = chunk, !more
}

// patience returns when the client has been silent for too long amid something,
// the zero time for never.
func (t *Terminal) patience() time.Time {
	wait := t.parser.patience()
	if wait == 0 && t.excess > 0 {
		wait = pastePatience
	}
	if wait == 0 {
		return time.Time{}
	}
	return t.heard.Add(wait)
}

// lostPatience gives up what the client has left unfinished for too long.
func (t *Terminal) lostPatience() {
	if at := t.patience(); at.IsZero() || time.Until(at) > 0 {
		return
	}
	if t.parser.patience() > 0 {
		t.parser.expire()
	} else {
		t.refuse(len(t.draft.text) + t.excess)
	}
}

// alarm returns a channel that delivers when something is due by the clock: an
// end to patience while input is read; unless the client is behind, a redraw in
// the size asked for, or of a long draft.
func (t *Terminal) alarm(reading, behind bool) <-chan time.Time {
	var at time.Time
	sooner := func(due time.Time) {
		if at.IsZero() || due.Before(at) {
			at = due
		}
	}
	if patience := t.patience(); reading && !patience.IsZero() {
		sooner(patience)
	}
	if t.chunk != nil && !behind && !t.turn.wait.Hold {
		sooner(t.digestAt())
	}
	sized := t.asked == (Size{})
	if !sized && !behind {
		sooner(t.resizeAt())
	}
	if t.draftStale && !behind && sized {
		sooner(t.fetchAt())
	}
	if due := t.plainDue(); t.plain.on && !behind && sized && !due.IsZero() {
		sooner(due)
	}
	if at.IsZero() {
		return nil
	}
	if t.timer == nil {
		t.timer = time.NewTimer(time.Until(at))
	} else {
		t.timer.Reset(time.Until(at))
	}
	return t.timer.C
}

// press takes a key from the parser.
func (t *Terminal) press(k key, r rune) {
	if k == keyText {
		t.typed = utf8.AppendRune(t.typed, r)
		return
	}
	if k == keyPasteText {
		t.pasted.add(r)
		return
	}
	if k == keyReport {
		t.measured(int(r))
		return
	}
	if k == keySwitch { // the line, what was typed of it a moment ago and a search stay as they are
		t.completion = completion{}
		t.end(Input{Kind: Switch, Place: int(r - '0')})
		return
	}
	t.insertTyped()
	if t.excess > 0 {
		t.refuse(len(t.draft.text) + t.excess)
		if k == keyEnter { // never sent in part
			t.replaceDraft("")
			k = keyNone
		}
	}
	t.draftStale = true
	last := t.last
	t.last = k
	if k != keyTab && k != keyBackTab {
		t.completion = completion{}
	}
	if t.search.on && t.pressInSearch(k) {
		return
	}
	if t.plain.on && (k == keyRedraw || k == keySearch || k == keyCancel) {
		t.plain.again = true
		if k != keyCancel {
			return
		}
	}
	switch k {
	case keyPasteEnd:
		t.insertPaste()
	case keyEnter:
		t.entered = true
	case keyUp:
		if last != keyUp && last != keyDown {
			t.past.filter(t.draft.text[:t.draft.pos])
		}
		if s, ok := t.past.older(t.draft.text); ok {
			t.replaceDraft(s)
		}
	case keyDown:
		if s, ok := t.past.newer(); ok {
			t.replaceDraft(s)
		}
	case keySearch:
		t.searchFor("", 1)
	case keyTab:
		t.tab(+1)
	case keyBackTab:
		t.tab(-1)
	case keyYank:
		t.insert(t.draft.killed)
	case keyRedraw:
		t.screen.clear()
	case keyCancel:
		t.past.rewind()
		t.draft.press(k)
	case keyEndOfInput:
		if t.draft.text == "" {
			t.end(Input{Kind: Leave})
			return
		}
		t.draft.press(keyDelete)
	default:
		t.draft.press(k)
	}
}

// replaceDraft puts a line of the history in the place of the draft.
func (t *Terminal) replaceDraft(s string) {
	t.draft.begin(alone)
	t.draft.set(s)
}

// insertTyped puts what was typed since the last key into the draft. Beyond the
// limit it is counted up to the next key and then refused with its size.
func (t *Terminal) insertTyped() {
	if len(t.typed) == 0 {
		return
	}
	t.last, t.completion = keyText, completion{}
	t.draft.begin(typing)
	switch {
	case t.search.on:
		t.refine(string(t.typed))
		t.draftStale = true
	case t.excess > 0 || !t.draft.insert(string(t.typed)):
		t.excess += len(t.typed)
	default:
		t.draftStale = true
	}
	if t.typed = t.typed[:0]; cap(t.typed) > keyBytes {
		t.typed = nil
	}
}

// insertPaste puts a paste into the draft, whole or not at all.
func (t *Terminal) insertPaste() {
	text, size := t.pasted.take()
	if size > t.limits.PasteBytes {
		t.refuse(size)
		return
	}
	t.insert(text)
}

func (t *Terminal) insert(s string) {
	t.draft.begin(alone)
	if !t.draft.insert(s) {
		t.refuse(len(t.draft.text) + len(s))
	}
}

// pasted collects a paste in brackets.
type pasted struct {
	text  []byte // nothing once size is beyond the limit
	size  int
	limit int
}

func (p *pasted) add(r rune) {
	if p.size += utf8.RuneLen(r); p.size > p.limit {
		p.text = nil
		return
	}
	p.text = utf8.AppendRune(p.text, r)
}

// take returns the paste without the line breaks at its end, which come with
// every whole line that is copied, and its size.
func (p *pasted) take() (string, int) {
	text, size := p.text, p.size
	p.text, p.size = nil, 0
	for len(text) > 0 && text[len(text)-1] == '\n' {
		text = text[:len(text)-1]
	}
	return string(text), size
}
