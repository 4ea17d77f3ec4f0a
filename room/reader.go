package room

import "sync/atomic"

// A Reader is one screen's view of the house: a cursor in every log that concerns it, read as one sequence in the one order.
// It belongs to one goroutine.
type Reader struct {
	applied *atomic.Uint64 // of the house
	bell    Bell
	ahead   []cursorAhead
	seen    Seq
	gap     uint64 // events that were forgotten between the last one handed out and the next
}

// cursorAhead is a cursor and what was read from it and not yet handed out, since another log's events come first.
type cursorAhead struct {
	cursor *Cursor
	buf    []*Event // buf[0] is next
	store  [readAhead]*Event
}

// readAhead is how many events are taken from a log at once.
const readAhead = 16

func newReader(applied *atomic.Uint64, bell Bell, from Seq, logs ...*Log) *Reader {
	r := &Reader{applied: applied, bell: bell, ahead: make([]cursorAhead, len(logs))}
	for i, l := range logs {
		r.ahead[i].cursor = l.CursorAt(from, bell)
	}
	if from > 0 {
		r.seen = from - 1
	}
	bell.Ring() // something may have come before the bell hung
	return r
}

// skip moves on to the first event whose Seq is at least to. It is for a reader that nobody has read from yet.
func (r *Reader) skip(to Seq) {
	for i := range r.ahead {
		r.ahead[i].cursor.skip(to)
	}
	r.seen = max(r.seen, to-1)
}

// Bell rings when there may be something to read.
func (r *Reader) Bell() Bell { return r.bell }

// Read fills dst with the next events, in order, and says how many before dst[0] had been forgotten when this reader came for
// them. After a full dst there may be more: call again. A Read ends where a gap begins, too, and then rings the bell itself.
func (r *Reader) Read(dst []*Event) (n int, missed uint64) {
	upTo := Seq(r.applied.Load()) // every log holds all its events up to here, so none can still come in before
	missed, r.gap = r.gap, 0
	for n < len(dst) {
		var next *cursorAhead
		for i := range r.ahead {
			a := &r.ahead[i]
			if len(a.buf) == 0 {
				got, gone := a.cursor.Read(a.store[:], upTo)
				a.buf = a.store[:got]
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

// Seen returns the place up to which everything that concerns this reader has been read or told as missed.
func (r *Reader) Seen() Seq { return r.seen }

// Close takes the reader's bell from its logs.
func (r *Reader) Close() {
	for i := range r.ahead {
		r.ahead[i].cursor.Close()
	}
}
