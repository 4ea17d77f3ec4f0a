package room

import (
	"context"
	"sync"
	"time"
)

// saveEvery is how often the places that changed are saved together.
const saveEvery = time.Second

// places are how far people with accounts have read: those who are here, and those whose place is not saved yet.
type places struct {
	saving sync.Mutex // held while some are saved: what is older must not come behind what is newer
	failed bool       // guarded by saving; so was the last time

	mu sync.Mutex
	of map[PersonID]*place // guarded by mu
}

// place is one person's, over all their screens.
type place struct {
	mark
	room    Subject
	readers int  // screens that read now
	changed bool // since it was saved
}

// mark is how far somebody has read.
type mark struct {
	seen Seq // certainly: their client answered after it
	sent Seq // perhaps: it was sent to their client
}

func newPlaces() places { return places{of: map[PersonID]*place{}} }

// startReading makes a member's screen one that moves its person's place, and notes how far they had certainly read before.
// Whoever has never had a place begins at from.
func (h *House) startReading(ctx context.Context, m *Member, from Seq) error {
	if h.archive == nil {
		return nil
	}
	saved, looked := mark{from, from}, false
	for !h.places.begin(m, saved, looked) {
		rows, err := h.archive.Places(ctx, m.person.id)
		if err != nil {
			return err
		}
		saved, looked = savedMark(rows, from), true
	}
	// Saved before anything is shown, so that a crash leaves it open: then nobody takes for new what was on the screen.
	h.saveChanged(ctx)
	return nil
}

// savedMark makes one of what was saved.
func savedMark(rows []Place, from Seq) mark {
	if len(rows) == 0 {
		return mark{from, from}
	}
	k := mark{rows[0].Seen, rows[0].Sent}
	for _, r := range rows {
		k.seen, k.sent = min(k.seen, r.Seen), max(k.sent, r.Sent)
	}
	return k
}

// begin counts a reader in. It says false if the place has to be looked up first.
func (ps *places) begin(m *Member, saved mark, looked bool) bool {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if m.stopped {
		return true
	}
	p := ps.of[m.person.id]
	if p == nil {
		if !looked {
			return false
		}
		p = &place{mark: saved, room: m.room}
		ps.of[m.person.id] = p
	}
	if p.seen < m.joined {
		was := p.mark
		m.back, m.further = &was, p.readers > 0
	}
	p.readers++
	p.changed = true
	m.reads.Store(true)
	return true
}

// Reads says that the member's person has an account, so that it is worth telling how far they have read.
func (m *Member) Reads() bool { return m.reads.Load() }

// Sent says that everything up to a place was given to the member's client. It changes nothing for a person without an account.
func (m *Member) Sent(upTo Seq) {
	m.move(func(p *place) { m.sent, p.sent = max(m.sent, upTo), max(p.sent, upTo) })
}

// Confirmed says that the member's client has answered after everything up to a place had been sent to it.
func (m *Member) Confirmed(upTo Seq) {
	m.move(func(p *place) {
		p.sent = max(p.sent, upTo)
		if !m.blind {
			p.seen = max(p.seen, upTo)
		}
	})
}

// hasMissed says that the member was not shown what came before them, so that whatever they answer for proves nothing.
func (m *Member) hasMissed() { m.move(func(*place) { m.blind = true }) }

// move changes the place of the member's person.
func (m *Member) move(change func(*place)) {
	if !m.reads.Load() {
		return
	}
	ps := &m.house.places
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if p := ps.of[m.person.id]; p != nil {
		was := p.mark
		change(p)
		p.changed = p.changed || p.mark != was
	}
}

// stopReading ends what startReading began, or keeps it from beginning.
func (m *Member) stopReading(why Ending) {
	ps := &m.house.places
	ps.mu.Lock()
	defer ps.mu.Unlock()
	m.stopped = true
	p := ps.of[m.person.id]
	if !m.reads.Swap(false) || p == nil {
		return
	}
	if why == EndingLeft && !m.blind { // they had their own look at the end; of another screen of theirs it says nothing
		p.seen = max(p.seen, m.sent)
	}
	p.readers--
	p.changed = true
}

// seenBy returns how far the owner of an account has certainly read.
func (h *House) seenBy(ctx context.Context, id PersonID) (Seq, error) {
	h.places.mu.Lock()
	p := h.places.of[id]
	if p != nil {
		defer h.places.mu.Unlock()
		return p.seen, nil
	}
	h.places.mu.Unlock()
	rows, err := h.archive.Places(ctx, id)
	return savedMark(rows, 0).seen, err
}

// savePlaces saves what changed every second, and at the end. What could not be saved is saved when the journal works again.
func (h *House) savePlaces(ctx context.Context) {
	if h.archive == nil {
		return
	}
	tick := time.NewTicker(saveEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			h.saveChanged(ctx)
		case <-ctx.Done():
			h.saveNow(context.WithoutCancel(ctx))
			return
		}
	}
}

// saveNow saves what changed, if that takes no longer than it may.
func (h *House) saveNow(ctx context.Context) {
	ctx, done := context.WithTimeout(ctx, saveEvery)
	defer done()
	h.saveChanged(ctx)
}

func (h *House) saveChanged(ctx context.Context) {
	h.places.saving.Lock()
	defer h.places.saving.Unlock()
	rows, saved := h.changedPlaces()
	if len(rows) == 0 {
		return
	}
	err := h.archive.SavePlaces(ctx, rows)
	again := h.places.failed
	h.places.failed = err != nil
	if err != nil {
		if !again { // a disk may be full for hours
			h.opt.Logger.Warn("how far people have read could not be saved", "people", len(saved), "err", err)
		}
		h.places.mu.Lock()
		defer h.places.mu.Unlock()
		for _, p := range saved {
			p.changed = true
		}
		return
	}
	h.places.mu.Lock()
	defer h.places.mu.Unlock()
	for id, p := range saved {
		if p.readers == 0 && !p.changed {
			delete(h.places.of, id)
		}
	}
}

// changedPlaces takes what is to be saved.
func (h *House) changedPlaces() (rows []Place, saved map[PersonID]*place) {
	h.places.mu.Lock()
	defer h.places.mu.Unlock()
	saved = map[PersonID]*place{}
	for id, p := range h.places.of {
		if !p.changed {
			continue
		}
		p.changed = false
		saved[id] = p
		for _, of := range []Subject{p.room, personSubject(id)} {
			rows = append(rows, Place{Account: id, Of: of, Seen: p.seen, Sent: p.sent, Open: p.readers > 0})
		}
	}
	return rows, saved
}
