package room

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
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
	if err := h.rules.Restore(s); err != nil {
		return fmt.Errorf("restore what the house has decided: %w", err)
	}
	h.applied.Store(uint64(s.At.Seq))
	seen, err := a.Sightings(ctx)
	if err != nil {
		return fmt.Errorf("restore who was here lately: %w", err)
	}
	for i := range seen {
		h.sights.put(seen[i])
	}
	h.sights.changed = map[PersonID]bool{}
	for name, log := range h.rooms { // the others come back when somebody enters them
		from, n, err := a.Back(ctx, LineQuery{Room: name, N: h.opt.RingLines})
		if err != nil {
			return fmt.Errorf("restore %s: %w", name, err)
		}
		if n < h.opt.RingLines {
			log.setWhole()
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
	if l := h.log(room); l != nil {
		return l.Lines(before, n)
	}
	return nil
}

func (h *House) log(room Subject) *Log {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.rooms[room]
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
		q = h.within(q)
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

// Search returns the newest lines that match, newest first. It blocks on the disk, for some seconds at most; see [Archive] for its
// errors. ErrNoArchive: nothing can be searched.
func (h *House) Search(ctx context.Context, q SearchQuery) ([]*Event, error) {
	if h.archive == nil {
		return nil, ErrNoArchive
	}
	q.From = h.within(LineQuery{Room: q.Room, From: q.From}).From
	return h.archive.Search(ctx, q)
}

// A Span is a part of the order, From <= Seq < Before.
type Span struct{ From, Before Seq }

// Empty says that there is no place in it.
func (s Span) Empty() bool { return s.From >= s.Before }

// Between yields what concerned the member, oldest first: the lines of a room in one part of the order, and direct messages to them in
// another. It blocks on the disk. An error is the last thing yielded. ErrNoArchive: it is not known any more.
func (m *Member) Between(ctx context.Context, where Subject, lines, letters Span) iter.Seq2[*Event, error] {
	return func(yield func(*Event, error) bool) {
		h := m.house
		switch {
		case h.archive == nil:
			yield(nil, ErrNoArchive)
			return
		case lines.Empty() && letters.Empty():
			return
		}
		next, stop := iter.Pull2(h.told(ctx, m.person.id, letters))
		defer stop()
		told, err, some := next()
		toldBefore := func(place Seq) (more bool) {
			for some && (err != nil || told.Seq < place) {
				if !yield(told, err) || err != nil {
					return false
				}
				told, err, some = next()
			}
			return true
		}
		said := h.History(ctx, LineQuery{Room: where, From: lines.From, Before: lines.Before, N: maxBetween})
		if lines.Empty() {
			said = func(func(*Event, error) bool) {}
		}
		for e, err := range said {
			if err != nil {
				yield(nil, err)
				return
			}
			if !toldBefore(e.Seq) || !yield(e, nil) {
				return
			}
		}
		toldBefore(letters.Before)
	}
}

// told yields the direct messages to somebody in a part of the order, oldest first, page by page.
func (h *House) told(ctx context.Context, to PersonID, in Span) iter.Seq2[*Event, error] {
	return func(yield func(*Event, error) bool) {
		if in.Empty() {
			return
		}
		for after := max(in.From, 1) - 1; ; {
			page, err := h.archive.Told(ctx, to, after, in.Before-1, pageLines)
			if err != nil {
				yield(nil, err)
				return
			}
			if len(page) == 0 {
				return
			}
			for _, e := range page {
				if !yield(e, nil) {
					return
				}
			}
			after = page[len(page)-1].Seq
		}
	}
}

// maxBetween asks for all lines there are.
const maxBetween = math.MaxInt32

// Missed is what happened while the owner of an account was away, or while another room was on the screen.
type Missed struct {
	Skipped int      // lines and direct messages further back than what is given
	Lines   Span     // where these lines lie
	Letters Span     // and these direct messages
	Again   []*Event // the first of them, which may have been on the screen before the end of the last visit
	New     []*Event // which cannot have been
	Fresh   bool     // they were never in the room before: what was said there is no part of it
}

// Any says that there is something to catch up with.
func (m *Missed) Any() bool { return m.Skipped+len(m.Again)+len(m.New) > 0 }

// Missed returns what the member has to catch up with as they come into the house: at most the newest lines of the room that they came
// into, and the newest direct messages, that most says: false for somebody without an account, on their first visit, and for a further
// screen where the others have answered for everything. It blocks on the disk; where that fails, nothing is lost: the next visit begins
// at the same place.
func (m *Member) Missed(ctx context.Context, most int) (missed Missed, returned bool, err error) {
	if m.blank != nil {
		return missed, false, m.blank
	}
	lines, told := m.viewOf(m.first), m.viewOf(personSubject(m.person.id))
	if !lines.returns && !told.returns {
		return missed, false, nil
	}
	missed, err = m.unread(ctx, m.first, lines, &told, m.joined, most)
	missed.Fresh = !lines.returns
	return missed, !lines.further || missed.Any(), err
}

// MissedIn returns what was said in another of the member's rooms before a place and was not shown on this screen, at most the newest
// lines that most says. It blocks on the disk.
func (m *Member) MissedIn(ctx context.Context, where Subject, before Seq, most int) (Missed, error) {
	return m.unread(ctx, where, m.viewOf(where), nil, before, most)
}

// Unread returns the newest lines that MissedIn would return, those that it skips too: at most as many as most says, oldest first. It may
// wait for the disk.
func (m *Member) Unread(ctx context.Context, where Subject, before Seq, most int) ([]*Event, error) {
	return m.house.newest(ctx, LineQuery{Room: where, From: m.viewOf(where).shown + 1, Before: before, N: most})
}

// newest returns the newest lines that q asks for, oldest first: from memory, if that reaches back far enough. q.Before is required.
func (h *House) newest(ctx context.Context, q LineQuery) ([]*Event, error) {
	l := h.log(q.Room)
	kept := h.lines(q.Room, q.Before, q.N)
	lines := kept
	for len(lines) > 0 && lines[0].Seq < q.From {
		lines = lines[1:]
	}
	if len(lines) < len(kept) || len(kept) == q.N || h.archive == nil || l != nil && l.holdsAll() {
		return lines, nil
	}
	var found []*Event
	for e, err := range h.History(ctx, q) {
		if err != nil {
			return lines, err
		}
		found = append(found, e)
	}
	return found, nil
}

// viewOf returns how far the member's screen has shown something.
func (m *Member) viewOf(of Subject) view {
	ps := &m.house.places
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if v := m.view(of); v != nil {
		return *v
	}
	return view{shown: m.joined}
}

// unread looks up what lies behind what was shown: lines, and direct messages where those are asked for.
func (m *Member) unread(ctx context.Context, where Subject, lines view, told *view, before Seq, most int) (missed Missed, err error) {
	h := m.house
	if h.archive == nil {
		missed.New = h.remembered(LineQuery{Room: where, From: lines.shown + 1, Before: before, N: most})
		return missed, nil
	}
	defer func() {
		if err != nil {
			m.hasMissed()
		}
	}()
	q := LineQuery{Room: where, From: lines.shown + 1, Before: before, N: maxBetween}
	_, n, err := h.back(ctx, q)
	if err != nil {
		return missed, err
	}
	lineSpan, letterSpan, skipTold := Span{q.From, before}, Span{}, 0 // what is further back is only counted
	if told != nil {
		letterSpan = Span{told.shown + 1, before}
		_, all, err := h.archive.Kept(ctx, "", m.person.id, told.shown)
		if err != nil {
			return missed, err
		}
		skipTold = all - most
	}
	if n > most {
		q.N = most
		if lineSpan.From, _, err = h.back(ctx, q); err != nil {
			return missed, err
		}
		missed.Skipped, missed.Lines = n-most, Span{q.From, lineSpan.From}
	}
	for e, err := range m.Between(ctx, where, lineSpan, letterSpan) {
		if err != nil {
			return missed, err
		}
		was := lines.was
		if _, ok := e.Body.(Told); ok {
			if skipTold > 0 {
				skipTold--
				missed.Skipped, missed.Letters = missed.Skipped+1, Span{letterSpan.From, e.Seq + 1}
				continue
			}
			was = told.was
		}
		if e.Seq <= was.sent {
			missed.Again = append(missed.Again, e)
		} else {
			missed.New = append(missed.New, e)
		}
	}
	return missed, nil
}

// back is Archive.Back within the life of a room.
func (h *House) back(ctx context.Context, q LineQuery) (from Seq, n int, err error) {
	return h.archive.Back(ctx, h.within(q))
}

// within bounds a query to the life of the room: what was said in one of the same name before is not its.
func (h *House) within(q LineQuery) LineQuery {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if m := h.rules.rooms[q.Room]; m != nil {
		q.From = max(q.From, m.Opened)
	}
	return q
}
