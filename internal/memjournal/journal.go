package memjournal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"sarangbang/room"
)

// Options bound a [Journal]. Zero values are replaced by the defaults named here.
type Options struct {
	// Keep is how many records are kept at least, for tails and to recognise an ID that comes again: 65,536. A repeated ID older
	// than that is committed anew.
	Keep int
	// KeepBytes is how many bytes of Data are kept at most once every tail has them: 32 MiB. Long records leave the reach of a
	// later tail earlier than Keep says; their IDs stay known.
	KeepBytes int
	// Batch is how many records a tail is given at once at most: 256.
	Batch int
}

// ErrClosed says that the journal was closed: nothing more will ever be committed.
var ErrClosed = errors.New("journal is closed")

// Journal is a [room.Journal] in memory. Its methods may be called from any goroutine.
//
// Committing is a few hundred nanoseconds under one lock, so records need not be gathered: every Append is a commit. Places
// are dense and start at 1.
type Journal struct {
	epoch     string
	keep      uint64 // a power of two
	keepBytes int
	batch     int
	status    chan room.State // capacity 1; sent to under mu only, so that a send after a drain never blocks

	mu      sync.Mutex
	slots   []room.Committed // guarded by mu; a power of two; the record of Seq s is in slots[s%len]
	first   room.Seq         // guarded by mu; the oldest whose ID is known
	whole   room.Seq         // guarded by mu; the oldest whose Data is kept: at least first
	next    room.Seq         // guarded by mu; the place of the next record
	bytes   int              // guarded by mu; of Data from whole on
	at      time.Time        // guarded by mu; of the newest record
	places  map[room.ID]room.Seq
	last    map[room.Subject]room.Seq // guarded by mu, like places; the newest record of a subject that is not ephemeral
	tails   []*tail                   // guarded by mu
	suspend string                    // guarded by mu; why nothing is committed, empty if it is
	ended   bool                      // guarded by mu
}

// tail is somebody who reads what is committed.
type tail struct {
	bell room.Bell
	next room.Seq // guarded by Journal.mu; what it has not read yet
}

// lagBytes is how far a tail may fall behind before its records are dropped all the same: as many times KeepBytes.
const lagBytes = 8

// minSlots is what a journal starts with.
const minSlots = 64

// New makes an empty journal.
func New(opt Options) *Journal {
	if opt.Keep == 0 {
		opt.Keep = 65536
	}
	if opt.KeepBytes == 0 {
		opt.KeepBytes = 32 << 20
	}
	if opt.Batch == 0 {
		opt.Batch = 256
	}
	keep := uint64(1)
	for keep < uint64(opt.Keep) {
		keep *= 2
	}
	j := &Journal{
		epoch: room.NewID().String(), keep: keep, keepBytes: opt.KeepBytes, batch: opt.Batch,
		status: make(chan room.State, 1),
		slots:  make([]room.Committed, min(keep, minSlots)), first: 1, whole: 1, next: 1,
		places: map[room.ID]room.Seq{}, last: map[room.Subject]room.Seq{},
	}
	j.status <- room.State{Connected: true}
	return j
}

// Append implements [room.Journal]. It never waits.
//
// An Expect sees as far back as records are kept: a subject whose newest record is forgotten counts as having none. To
// remember every subject for ever would grow without bound, since each guest who gets a direct message is one; what must
// never be forgotten, such as an account, needs a disk.
func (j *Journal) Append(ctx context.Context, recs ...room.Record) ([]room.Seq, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	seqs := make([]room.Seq, len(recs))
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.ended:
		return nil, ErrClosed
	case j.suspend != "":
		return nil, fmt.Errorf("%w: %s", room.ErrUnavailable, j.suspend)
	}
	if err := j.placeLocked(recs, seqs); err != nil {
		return nil, err
	}
	begin := j.next
	if now := time.Now().Round(0); now.After(j.at) { // Round takes the monotonic reading off: At is wall time that never runs back
		j.at = now
	}
	for i, r := range recs {
		if seqs[i] == j.next { // a record known before, or twice in this call, has a lower place
			j.commitLocked(r)
		}
	}
	if j.next > begin {
		for _, t := range j.tails {
			t.bell.Ring()
		}
	}
	return seqs, nil
}

// placeLocked finds or reserves the place of each record; if an Expect does not hold, it reserves none.
func (j *Journal) placeLocked(recs []room.Record, seqs []room.Seq) error {
	next := j.next
	for i, r := range recs {
		if seq, known := j.places[r.ID]; known {
			seqs[i] = seq
			continue
		}
		if r.Expect != nil && *r.Expect != j.lastLocked(r.Subject, recs[:i], seqs) {
			for k, taken := range recs[:i] {
				if seqs[k] >= j.next {
					delete(j.places, taken.ID)
				}
			}
			return room.ErrConflict
		}
		j.places[r.ID], seqs[i] = next, next
		next++
	}
	return nil
}

// lastLocked returns the place of the newest kept record of a subject, the records before it in the same call included.
func (j *Journal) lastLocked(s room.Subject, before []room.Record, seqs []room.Seq) room.Seq {
	last := j.last[s]
	for i, r := range before {
		if r.Subject == s && !r.Ephemeral {
			last = max(last, seqs[i])
		}
	}
	return last
}

// commitLocked puts a record into the next place.
func (j *Journal) commitLocked(r room.Record) {
	if held := uint64(j.next - j.first); held == uint64(len(j.slots)) {
		if held < j.keep {
			j.growLocked()
		} else {
			j.forgetLocked()
		}
	}
	r.Data = bytes.Clone(r.Data) // the caller may use its own again
	r.Expect, r.At = nil, j.at
	*j.slotLocked(j.next) = room.Committed{Seq: j.next, Record: r}
	if !r.Ephemeral {
		j.last[r.Subject] = j.next
	}
	j.bytes += len(r.Data)
	j.next++
	j.boundLocked()
}

// boundLocked drops the oldest Data beyond what is to be kept, but nothing that a tail has still to read, unless that tail is
// hopelessly behind.
func (j *Journal) boundLocked() {
	unread := j.next
	for _, t := range j.tails {
		unread = min(unread, t.next)
	}
	for j.bytes > j.keepBytes && (j.whole < unread || j.bytes > lagBytes*j.keepBytes) {
		j.stripLocked()
	}
}

func (j *Journal) slotLocked(s room.Seq) *room.Committed {
	return &j.slots[uint64(s)&uint64(len(j.slots)-1)]
}

func (j *Journal) growLocked() {
	grown := make([]room.Committed, 2*len(j.slots))
	for s := j.first; s < j.next; s++ {
		grown[uint64(s)&uint64(len(grown)-1)] = *j.slotLocked(s)
	}
	j.slots = grown
}

// forgetLocked gives the oldest slot free.
func (j *Journal) forgetLocked() {
	if j.whole == j.first {
		j.stripLocked()
	}
	c := j.slotLocked(j.first)
	delete(j.places, c.Record.ID)
	if j.last[c.Record.Subject] == c.Seq {
		delete(j.last, c.Record.Subject)
	}
	j.first++
}

// stripLocked drops the oldest Data that is kept.
func (j *Journal) stripLocked() {
	c := j.slotLocked(j.whole)
	j.bytes -= len(c.Record.Data)
	c.Record.Data = nil
	j.whole++
}

// Tail implements [room.Journal]. When the journal is closed it returns [ErrClosed] after the last record.
func (j *Journal) Tail(ctx context.Context, after room.Position, fn func([]room.Committed) error) error {
	t, err := j.join(after)
	if err != nil {
		return err
	}
	defer j.part(t)
	buf := make([]room.Committed, j.batch)
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		n, err := j.read(buf, t)
		if err != nil {
			return err
		}
		if n > 0 {
			if err := fn(buf[:n]); err != nil {
				return err
			}
			continue
		}
		select {
		case <-t.bell:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// join makes a tail that reads from behind a place.
func (j *Journal) join(after room.Position) (*tail, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	t := &tail{bell: room.NewBell(), next: after.Seq + 1}
	switch {
	case after == room.Position{}:
		t.next = j.whole
	case after.Epoch != j.epoch:
		return nil, fmt.Errorf("%w: it is of another history", room.ErrTrimmed)
	}
	j.tails = append(j.tails, t)
	return t, nil
}

func (j *Journal) part(gone *tail) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.tails = slices.DeleteFunc(j.tails, func(t *tail) bool { return t == gone })
	j.boundLocked()
}

// read copies the next records of a tail into buf.
func (j *Journal) read(buf []room.Committed, t *tail) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if t.next < j.whole {
		return 0, room.ErrTrimmed
	}
	n := 0
	for s := t.next; s < j.next && n < len(buf); s++ {
		buf[n] = *j.slotLocked(s)
		n++
	}
	t.next += room.Seq(n)
	j.boundLocked()
	if n == 0 && j.ended {
		return 0, ErrClosed
	}
	return n, nil
}

// Head implements [room.Journal]. It answers also while the journal is suspended or closed.
func (j *Journal) Head(ctx context.Context) (room.Position, error) {
	if ctx.Err() != nil {
		return room.Position{}, context.Cause(ctx)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return room.Position{Epoch: j.epoch, Seq: j.next - 1}, nil
}

// Status implements [room.Journal].
func (j *Journal) Status() <-chan room.State { return j.status }

// Suspend makes every Append fail with [room.ErrUnavailable], committing nothing, until Resume: for maintenance, and for
// tests of what people see meanwhile. Tails go on. The reason, which must not be empty, is for the operator.
func (j *Journal) Suspend(reason string) { j.setSuspended(reason) }

// Resume ends what Suspend began.
func (j *Journal) Resume() { j.setSuspended("") }

func (j *Journal) setSuspended(reason string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.ended || j.suspend == reason {
		return
	}
	j.suspend = reason
	j.tellLocked(room.State{Connected: reason == "", Reason: reason})
}

// Close ends the journal: Append fails with [ErrClosed], and tails end with it after the last record. A second call does
// nothing.
func (j *Journal) Close() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.ended {
		return
	}
	j.ended = true
	j.tellLocked(room.State{Reason: "closed"})
	for _, t := range j.tails {
		t.bell.Ring()
	}
}

// tellLocked replaces the state that nobody took.
func (j *Journal) tellLocked(s room.State) {
	select {
	case <-j.status:
	default:
	}
	j.status <- s
}
