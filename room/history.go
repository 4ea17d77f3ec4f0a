package room

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
)

// pageLines is how many lines are taken from the archive at once: what an answer needs no buffer for.
const pageLines = 256

// ErrNoArchive says that the house remembers no more than its rings hold.
var ErrNoArchive = errors.New("the house keeps no archive")

// Restore gives the house what an archive remembers: accounts, the newest lines of its rooms, and the place to go on from. It is
// called once, before Run and before anybody enters.
func (h *House) Restore(ctx context.Context, a Archive) error {
	s, err := a.Snapshot(ctx)
	if err != nil {
		return fmt.Errorf("restore the accounts: %w", err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.archive, h.after = a, s.At
	h.rules.Restore(s)
	h.applied.Store(uint64(s.At.Seq))
	for name, log := range h.rooms {
		from, n, err := a.Back(ctx, LineQuery{Room: name, N: h.opt.RingLines})
		if err != nil {
			return fmt.Errorf("restore %s: %w", name, err)
		}
		for n > 0 {
			lines, err := a.Lines(ctx, LineQuery{Room: name, From: from, N: pageLines})
			if err != nil {
				return fmt.Errorf("restore %s: %w", name, err)
			}
			if len(lines) == 0 {
				break
			}
			for _, e := range lines {
				log.Append(e)
			}
			from = lines[len(lines)-1].Seq + 1
		}
	}
	return nil
}

// Lines returns the last n lines that were said in a room, oldest first, as far as memory keeps them.
func (h *House) Lines(room Subject, n int) []*Event {
	return h.lines(room, ^Seq(0), n)
}

func (h *House) lines(room Subject, before Seq, n int) []*Event {
	h.mu.RLock()
	l := h.rooms[room]
	h.mu.RUnlock()
	if l == nil {
		return nil
	}
	return l.Lines(before, n)
}

// History yields the newest q.N lines that q asks for, oldest first, page by page from the archive: the caller may take as long as
// it likes. It blocks on the disk. An error is the last thing yielded. Without an archive it knows what the ring holds.
func (h *House) History(ctx context.Context, q LineQuery) iter.Seq2[*Event, error] {
	return func(yield func(*Event, error) bool) {
		if h.archive == nil {
			for _, e := range h.remembered(q) {
				if !yield(e, nil) {
					return
				}
			}
			return
		}
		from, n, err := h.archive.Back(ctx, q)
		if err != nil {
			yield(nil, err)
			return
		}
		if q.Before == 0 {
			q.Before = Seq(h.applied.Load()) + 1 // what comes while this is read is not asked for
		}
		for n > 0 {
			page := q
			page.From, page.N = from, min(n, pageLines)
			lines, err := h.archive.Lines(ctx, page)
			if err != nil {
				yield(nil, err)
				return
			}
			if len(lines) == 0 {
				return // trimmed meanwhile
			}
			for _, e := range lines {
				if !yield(e, nil) {
					return
				}
			}
			n -= len(lines)
			from = lines[len(lines)-1].Seq + 1
		}
	}
}

// remembered answers a query from the ring.
func (h *House) remembered(q LineQuery) []*Event {
	before := q.Before
	if before == 0 {
		before = ^Seq(0)
	}
	lines := slices.DeleteFunc(h.lines(q.Room, before, h.opt.RingLines), func(e *Event) bool {
		return e.Seq < q.From || !q.Until.IsZero() && !e.At.Before(q.Until)
	})
	return lines[max(0, len(lines)-q.N):]
}

// Search returns the newest lines that match, newest first. It blocks on the disk. ErrNoWords: q has nothing to look for.
// ErrNoArchive: nothing can be searched.
func (h *House) Search(ctx context.Context, q SearchQuery) ([]*Event, error) {
	if h.archive == nil {
		return nil, ErrNoArchive
	}
	return h.archive.Search(ctx, q)
}

// Between yields what concerned the member in places from <= Seq < before, oldest first: the lines of the room, and direct messages
// to them. It blocks on the disk. An error is the last thing yielded. ErrNoArchive: it is not known any more.
func (m *Member) Between(ctx context.Context, from, before Seq) iter.Seq2[*Event, error] {
	return func(yield func(*Event, error) bool) {
		h := m.house
		switch {
		case h.archive == nil:
			yield(nil, ErrNoArchive)
			return
		case from >= before:
			return
		}
		told, err := h.archive.Told(ctx, m.person.id, max(from, 1)-1, before-1, h.opt.KeptForOne)
		if err != nil {
			yield(nil, err)
			return
		}
		for e, err := range h.History(ctx, LineQuery{Room: m.room, From: from, Before: before, N: maxBetween}) {
			if err != nil {
				yield(nil, err)
				return
			}
			for len(told) > 0 && told[0].Seq < e.Seq {
				if !yield(told[0], nil) {
					return
				}
				told = told[1:]
			}
			if !yield(e, nil) {
				return
			}
		}
		for _, e := range told {
			if !yield(e, nil) {
				return
			}
		}
	}
}

// maxBetween bounds what one call of Between yields of a room.
const maxBetween = 100_000

// Missed is what happened while the owner of an account was away.
type Missed struct {
	Skipped int      // lines of the room further back than what is given
	From    Seq      // these lie from here on
	Before  Seq      // and before this place
	Again   []*Event // the first of them, which may have been on the screen before the end of the last visit
	New     []*Event // which cannot have been
}

// Missed returns what the member has to catch up with, at most the newest lines of the room that most says and all direct messages:
// false for somebody without an account, on their first visit, and for a further screen where the others have answered for
// everything. It blocks on the disk; where that fails, nothing is lost: the next visit begins at the same place.
func (m *Member) Missed(ctx context.Context, most int) (missed Missed, returned bool, err error) {
	if m.blank != nil {
		return missed, false, m.blank
	}
	if m.back == nil {
		return missed, false, nil
	}
	h := m.house
	q := LineQuery{Room: m.room, From: m.back.seen + 1, Before: m.joined, N: maxBetween}
	_, all, err := h.archive.Back(ctx, q)
	if err != nil {
		return missed, true, err
	}
	missed.From, missed.Skipped = q.From, max(0, all-most)
	skip := missed.Skipped
	for e, err := range m.Between(ctx, q.From, q.Before) {
		if err != nil {
			return missed, true, err
		}
		if _, told := e.Body.(Told); !told && skip > 0 {
			skip--
			missed.Before = e.Seq + 1
			continue
		}
		if e.Seq <= m.back.sent {
			missed.Again = append(missed.Again, e)
		} else {
			missed.New = append(missed.New, e)
		}
	}
	return missed, !m.further || missed.Skipped+len(missed.Again)+len(missed.New) > 0, nil
}
