package sqlitestore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"sarangbang/room"
)

// feed is what was committed lately, for those who follow the log.
type feed struct {
	mu     sync.Mutex
	recent []room.Committed // guarded by mu; what follows is
	first  room.Seq         // everything from here on is in recent; what is older is in the database only
	head   room.Seq         // of the newest
	bytes  int              // of Data in recent
	tails  []*tail
	ended  bool
}

// tail is somebody who follows.
type tail struct {
	bell room.Bell
	next room.Seq // guarded by feed.mu; what it has not read yet
	live bool     // guarded by feed.mu; it has reached the recent ones
}

const (
	// keepRecent is how many records stay in memory, and keepBytes how much Data, though every tail has read them.
	keepRecent = 256
	keepBytes  = 256 << 10
	// lagBytes is how much is kept for a tail that does not keep up: it would miss what is in no database.
	lagBytes = 64 << 20
	// tailBatch is how many records a tail is given at once at most.
	tailBatch = 256
)

// begin says where the log stands before anything is added.
func (f *feed) begin(head, next room.Seq) {
	f.head, f.first = head, next
}

// add puts the new records of a batch at the end and wakes the tails.
func (f *feed) add(batch []*request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	before := f.head
	for _, r := range batch {
		if r.err != nil {
			continue
		}
		for i := range r.entries {
			if e := &r.entries[i]; e.fresh {
				f.recent = append(f.recent, e.c)
				f.bytes += len(e.c.Record.Data)
				f.head = e.c.Seq
			}
		}
	}
	if f.head == before {
		return
	}
	f.boundLocked()
	for _, t := range f.tails {
		t.bell.Ring()
	}
}

// boundLocked drops the oldest records beyond what is to be kept, but nothing that a live tail has still to read, unless it is
// hopelessly behind.
func (f *feed) boundLocked() {
	unread := f.head + 1
	for _, t := range f.tails {
		if t.live {
			unread = min(unread, t.next)
		}
	}
	n := 0
	for len(f.recent)-n > keepRecent || f.bytes > keepBytes {
		c := &f.recent[n]
		if c.Seq >= unread && f.bytes <= lagBytes {
			break
		}
		f.bytes -= len(c.Record.Data)
		f.first = c.Seq + 1
		*c = room.Committed{}
		n++
	}
	f.recent = f.recent[n:]
}

func (f *feed) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = true
	for _, t := range f.tails {
		t.bell.Ring()
	}
}

func (f *feed) join(next room.Seq) *tail {
	f.mu.Lock()
	defer f.mu.Unlock()
	t := &tail{bell: room.NewBell(), next: next}
	f.tails = append(f.tails, t)
	return t
}

func (f *feed) part(gone *tail) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tails = slices.DeleteFunc(f.tails, func(t *tail) bool { return t == gone })
	f.boundLocked()
}

// read copies the next records of a tail into buf. While older says so, the tail has to read the records from next on and before
// that place from the database first.
func (f *feed) read(buf []room.Committed, t *tail) (n int, next, older room.Seq, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if t.next < f.first {
		if t.live {
			return 0, 0, 0, room.ErrTrimmed
		}
		return 0, t.next, f.first, nil
	}
	t.live = true
	at, _ := slices.BinarySearchFunc(f.recent, t.next, func(c room.Committed, s room.Seq) int { return cmp.Compare(c.Seq, s) })
	n = copy(buf, f.recent[at:])
	if n > 0 {
		t.next = buf[n-1].Seq + 1
		f.boundLocked()
	} else if f.ended {
		return 0, 0, 0, ErrClosed
	}
	return n, 0, 0, nil
}

// move says that a tail has read everything before a place.
func (f *feed) move(t *tail, next room.Seq) {
	f.mu.Lock()
	defer f.mu.Unlock()
	t.next = next
}

// Tail implements [room.Journal]. What is older than the last thousand records comes from the database, without the ephemeral
// ones. When the store is closed it returns [ErrClosed] after the last record. room.ErrTrimmed also says that fn took so long that
// ephemeral records had to be dropped before this tail got them.
func (s *Store) Tail(ctx context.Context, after room.Position, fn func([]room.Committed) error) error {
	if after != (room.Position{}) && after.Epoch != s.epoch {
		return fmt.Errorf("%w: it is of another history", room.ErrTrimmed)
	}
	t := s.feed.join(after.Seq + 1)
	defer s.feed.part(t)
	buf := make([]room.Committed, tailBatch)
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		n, next, older, err := s.feed.read(buf, t)
		if err == nil && older > 0 {
			if n, err = s.readLog(ctx, buf, next, older); err == nil {
				if next = older; n == len(buf) {
					next = buf[n-1].Seq + 1
				}
				s.feed.move(t, next)
			}
		}
		if err != nil {
			return err
		}
		if n > 0 {
			if err := fn(buf[:n]); err != nil {
				return err
			}
			continue
		}
		if older > 0 {
			continue
		}
		select {
		case <-t.bell:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// readLog reads the records from a place on and before another from the database, as many as buf holds.
func (s *Store) readLog(ctx context.Context, buf []room.Committed, from, before room.Seq) (n int, err error) {
	conn, release, err := s.reader(ctx, s.reads)
	if err != nil {
		return 0, s.readFault(ctx, err)
	}
	defer release()
	err = each(ctx, conn, `SELECT `+recordColumns+` FROM log WHERE seq >= ? AND seq < ? ORDER BY seq LIMIT ?`,
		func(scan func(...any) error) error {
			n++
			return scanRecord(scan, &buf[n-1])
		}, int64(from), int64(before), len(buf))
	if err != nil {
		return 0, s.readFault(ctx, err)
	}
	return n, nil
}

// readFault says why something could not be read.
func (s *Store) readFault(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	if closed {
		return ErrClosed
	}
	return fmt.Errorf("read the database: %w", sentence(ctx, s.path, err))
}

// Head implements [room.Journal]. It answers also when the store is closed. After a start it is the newest record on disk.
func (s *Store) Head(ctx context.Context) (room.Position, error) {
	if ctx.Err() != nil {
		return room.Position{}, context.Cause(ctx)
	}
	s.feed.mu.Lock()
	defer s.feed.mu.Unlock()
	return room.Position{Epoch: s.epoch, Seq: s.feed.head}, nil
}
