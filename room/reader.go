package room

import (
	"slices"
	"sync"
	"sync/atomic"
)

// A Reader is one screen's view of the house: a cursor in every log that concerns it, read as one sequence in the one order.
// It belongs to one goroutine, but for the logs that it reads: the house changes them in the order of its events.
type Reader struct {
	applied *atomic.Uint64 // of the house
	bell    Bell
	seen    Seq
	gap     uint64    // events that were forgotten between the last one handed out and the next
	here    Subject   // the room that its person looks at; empty for all
	behind  []Subject // other rooms of which events were forgotten

	mu     sync.Mutex
	ahead  []*cursorAhead // guarded by mu
	closed bool           // guarded by mu
}

// cursorAhead is a cursor and what was read from it and not yet handed out, since another log's events come first.
type cursorAhead struct {
	cursor *Cursor
	where  Subject            // the room whose log it is; empty for no room's
	until  Seq                // nothing behind it concerns the reader; 0 while all does
	empty  Seq                // nothing up to here is left in the log
	buf    []*Event           // buf[0] is next
	store  *[readAhead]*Event // of buf; lent while there is something in it, since most readers wait most of the time
}

var readStores = sync.Pool{New: func() any { return new([readAhead]*Event) }}

// fill takes the next events from the log, once it has been found empty only those behind that place.
func (a *cursorAhead) fill(upTo Seq) (missed uint64) {
	if a.empty >= upTo { // most logs are at most times, and a Read asks again for each event of the others
		return 0
	}
	wanted := upTo
	if a.until > 0 {
		upTo = min(upTo, a.until)
	}
	if a.store == nil {
		a.store = readStores.Get().(*[readAhead]*Event)
	}
	n, missed := a.cursor.Read(a.store[:], upTo)
	if a.buf = a.store[:n]; n == 0 {
		clear(a.store[:])
		readStores.Put(a.store)
		a.store, a.buf, a.empty = nil, nil, wanted
	}
	return missed
}

// readAhead is how many events are taken from a log at once.
const readAhead = 16

func newReader(applied *atomic.Uint64, bell Bell, from Seq, logs ...*Log) *Reader {
	r := &Reader{applied: applied, bell: bell}
	for _, l := range logs {
		r.attach(l, "", from)
	}
	if from > 0 {
		r.seen = from - 1
	}
	bell.Ring() // something may have come before the bell hung
	return r
}

// skip moves on to the first event whose Seq is at least to. It is for a reader that nobody has read from yet.
func (r *Reader) skip(to Seq) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range r.ahead {
		a.cursor.skip(to)
	}
	r.seen = max(r.seen, to-1)
}

// attach lets the reader read a log, too, from a place on that is behind everything that it has read; where is the room whose log it
// is, empty for no room's.
func (r *Reader) attach(l *Log, where Subject, from Seq) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.ahead = append(r.ahead, &cursorAhead{cursor: l.CursorAt(from, r.bell), where: where})
	}
}

// detach ends the reading of a log behind a place.
func (r *Reader) detach(l *Log, until Seq) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range r.ahead {
		if a.cursor.log == l && a.until == 0 {
			a.until = until
		}
	}
}

// Bell rings when there may be something to read.
func (r *Reader) Bell() Bell { return r.bell }

// Read fills dst with the next events, in order, and says how many before dst[0] had been forgotten when this reader came for
// them. After a full dst there may be more: call again. A Read ends where a gap begins, too, and then rings the bell itself.
func (r *Reader) Read(dst []*Event) (n int, missed uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	upTo := Seq(r.applied.Load()) // every log holds all its events up to here, so none can still come in before
	missed, r.gap = r.gap, 0
	for n < len(dst) {
		var next *cursorAhead
		for _, a := range r.ahead {
			if len(a.buf) == 0 {
				gone := r.told(a, a.fill(upTo))
				if n == 0 {
					missed += gone
				} else {
					r.gap += gone
				}
			}
			if len(a.buf) > 0 && (next == nil || a.buf[0].Seq < next.buf[0].Seq) {
				next = a
			}
		}
		if r.gap > 0 { // it stands before what follows, so that goes out with the next Read
			r.bell.Ring()
			return n, missed
		}
		if next == nil {
			r.seen = max(r.seen, upTo)
			r.dropLocked()
			return n, missed
		}
		e := next.buf[0]
		next.buf = next.buf[1:]
		if e.Seq <= r.seen { // in two of our logs: once is enough
			continue
		}
		dst[n] = e
		n++
		r.seen = e.Seq
	}
	return n, missed
}

// told returns how many of the events that were forgotten are to be told: of a room that its person does not look at, none is.
func (r *Reader) told(a *cursorAhead, gone uint64) uint64 {
	if gone == 0 || a.where == "" || r.here == "" || a.where == r.here {
		return gone
	}
	if !slices.Contains(r.behind, a.where) {
		r.behind = append(r.behind, a.where)
	}
	return 0
}

// Look says which room the person looks at from now on; empty for all of theirs at once. Of the others Read does not count what was
// forgotten, see [Reader.Behind].
func (r *Reader) Look(where Subject) { r.here = where }

// Behind returns the rooms that the person does not look at and of which events were forgotten since it was called last: whoever counts
// them has to count anew.
func (r *Reader) Behind() []Subject {
	behind := r.behind
	r.behind = nil
	return behind
}

// Seen returns the place up to which everything that concerns this reader has been read or told as missed.
func (r *Reader) Seen() Seq { return r.seen }

// Close takes the reader's bell from its logs.
func (r *Reader) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	for _, a := range r.ahead {
		a.cursor.Close()
	}
}

// dropLocked takes away the logs that are read to the end.
func (r *Reader) dropLocked() {
	r.ahead = slices.DeleteFunc(r.ahead, func(a *cursorAhead) bool {
		over := a.until > 0 && a.until <= r.seen
		if over {
			a.cursor.Close()
		}
		return over
	})
}
