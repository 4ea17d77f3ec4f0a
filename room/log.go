package room

import (
	"slices"
	"sort"
	"sync"
	"time"
)

// A Bell wakes one reader, for all the logs it reads. It has room for one ring: rings while it is awake merge.
type Bell chan struct{}

// NewBell returns a silent bell.
func NewBell() Bell { return make(Bell, 1) }

// Ring never blocks.
func (b Bell) Ring() {
	select {
	case b <- struct{}{}:
	default:
	}
}

// minLogSlots is what a log starts with: a person's log mostly stays empty.
const minLogSlots = 8

// A Log keeps the newest events of one room, or of one person, in the one order. It has slots of its own, found by Seq,
// since a room's events are only some of the house's. It grows on demand up to its size and then forgets the oldest. All
// methods may be called from any goroutine; none waits for a reader.
type Log struct {
	mu    sync.Mutex
	slots []*Event // guarded by mu; a power of two; the event of slot i is in slots[i%len]
	first uint64   // guarded by mu; the oldest slot that is kept
	next  uint64   // guarded by mu; the slot of the next event
	size  uint64   // the most that is kept
	whole bool     // guarded by mu; all that ever was is, or was, in it

	// The readers have a lock of their own, so that ringing ten thousand bells does not keep those that are awake from reading.
	readersMu sync.Mutex
	readers   []*Cursor // guarded by readersMu
	ringing   ringing   // guarded by readersMu
}

// NewLog makes an empty log that keeps the newest size events, and one at least.
func NewLog(size int) *Log { return &Log{size: uint64(max(size, 1))} }

// Append puts e, whose Seq is higher than every one before, at the end. It rings nobody: see [Log.Ring].
func (l *Log) Append(e *Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch held := l.next - l.first; held {
	case l.size:
		l.slots[l.first&uint64(len(l.slots)-1)] = nil
		l.first++
	case uint64(len(l.slots)):
		l.growLocked()
	}
	l.slots[l.next&uint64(len(l.slots)-1)] = e
	l.next++
}

func (l *Log) growLocked() {
	grown := make([]*Event, max(minLogSlots, 2*len(l.slots)))
	for i := l.first; i < l.next; i++ {
		grown[i&uint64(len(grown)-1)] = l.slotLocked(i)
	}
	l.slots = grown
}

func (l *Log) slotLocked(i uint64) *Event { return l.slots[i&uint64(len(l.slots)-1)] }

// strike takes the author from all that a person said or did here. Events are shared, so others stand in their places.
func (l *Log) strike(author PersonID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := l.first; i < l.next; i++ {
		e := l.slotLocked(i)
		if e.From.ID == author && spoken(e) {
			struck := *e
			struck.From = Struck
			l.slots[i&uint64(len(l.slots)-1)] = &struck
		}
	}
}

// spoken says that people said or did it in a room.
func spoken(e *Event) bool {
	switch e.Body.(type) {
	case Said, Emoted:
		return true
	default:
		return false
	}
}

// withdraw takes lines out; what stands in their places remembers them.
func (l *Log) withdraw(lines []ID) {
	l.replace(lines, func(e *Event) *Event {
		if !spoken(e) {
			return e
		}
		gone := *e
		gone.From, gone.Body = Person{}, Removed{line: e}
		return &gone
	})
}

// giveBack puts lines that were taken out back into their places.
func (l *Log) giveBack(lines []ID) {
	l.replace(lines, func(e *Event) *Event {
		if r, ok := e.Body.(Removed); ok && r.line != nil {
			return r.line
		}
		return e
	})
}

// replace puts something else in the places of lines.
func (l *Log) replace(lines []ID, by func(*Event) *Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := l.first; i < l.next; i++ {
		if e := l.slotLocked(i); slices.Contains(lines, e.ID) {
			l.slots[i&uint64(len(l.slots)-1)] = by(e)
		}
	}
}

// Ring wakes every reader.
func (l *Log) Ring() {
	l.readersMu.Lock()
	defer l.readersMu.Unlock()
	l.ringLocked()
}

func (l *Log) ringLocked() {
	l.ringing.last, l.ringing.due = time.Now(), time.Time{}
	for _, c := range l.readers {
		c.bell.Ring()
	}
}

// holdsAll says that nothing is older than what is kept.
func (l *Log) holdsAll() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.whole && l.first == 0
}

func (l *Log) setWhole() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.whole = true
}

// Lines returns, oldest first, the last n events before the place that people said or did, as far as they are kept.
func (l *Log) Lines(before Seq, n int) []*Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	var lines []*Event
	for i := l.next; i > l.first && len(lines) < n; i-- {
		e := l.slotLocked(i - 1)
		if _, removed := e.Body.(Removed); e.Seq < before && (removed || spoken(e)) {
			lines = append(lines, e)
		}
	}
	for i, j := 0, len(lines)-1; i < j; i, j = i+1, j-1 {
		lines[i], lines[j] = lines[j], lines[i]
	}
	return lines
}

// CursorAt places a reader before the first kept event whose Seq is at least from, and puts bell among those that
// [Log.Ring] rings. Events that came meanwhile do not ring it: read once after placing it. Close takes it away.
func (l *Log) CursorAt(from Seq, bell Bell) *Cursor {
	c := &Cursor{log: l, bell: bell}
	l.readersMu.Lock()
	c.place = len(l.readers)
	l.readers = append(l.readers, c)
	l.readersMu.Unlock()

	l.mu.Lock()
	defer l.mu.Unlock()
	c.at = l.findLocked(from)
	return c
}

// findLocked returns the slot of the first kept event whose Seq is at least from.
func (l *Log) findLocked(from Seq) uint64 {
	n := sort.Search(int(l.next-l.first), func(i int) bool { return l.slotLocked(l.first+uint64(i)).Seq >= from })
	return l.first + uint64(n)
}

// A Cursor is one reader's place in a log. It belongs to one goroutine.
type Cursor struct {
	log   *Log
	bell  Bell
	at    uint64 // the slot it reads next
	place int    // guarded by log.readersMu: its index in log.readers
}

// Read copies the next events whose Seq is at most upTo into dst and moves behind them. missed counts those that the log had
// forgotten before this reader came for them.
func (c *Cursor) Read(dst []*Event, upTo Seq) (n int, missed uint64) {
	l := c.log
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.at < l.first {
		missed = l.first - c.at
		c.at = l.first
	}
	for n < len(dst) && c.at < l.next {
		e := l.slotLocked(c.at)
		if e.Seq > upTo {
			break
		}
		dst[n] = e
		n++
		c.at++
	}
	return n, missed
}

// skip moves on to the first event whose Seq is at least to. If events of that kind may have been forgotten already, it stays,
// so that Read counts them as missed.
func (c *Cursor) skip(to Seq) {
	l := c.log
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.at >= l.first || l.slotLocked(l.first).Seq <= to {
		c.at = max(c.at, l.findLocked(to))
	}
}

// Close stops the log from ringing this reader's bell. A second call does nothing.
func (c *Cursor) Close() {
	l := c.log
	l.readersMu.Lock()
	defer l.readersMu.Unlock()
	if c.place < 0 {
		return
	}
	last := l.readers[len(l.readers)-1]
	l.readers[c.place], last.place = last, c.place
	l.readers[len(l.readers)-1] = nil
	l.readers = l.readers[:len(l.readers)-1]
	c.place = -1
}
