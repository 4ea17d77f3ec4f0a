package room

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"
)

// saveEvery is how often the places that changed are saved together.
const saveEvery = time.Second

// sightsEvery is how many seconds lie between two times that sightings are saved.
const sightsEvery = 10

// places are how far people with accounts have read: those who are here, and those whose place is not saved yet.
type places struct {
	saving sync.Mutex // held while some are saved: what is older must not come behind what is newer
	failed bool       // guarded by saving; so was the last time

	mu sync.Mutex
	of map[PersonID]*place // guarded by mu
}

// place is one person's, over all their screens: for each room, and for their direct messages.
type place struct {
	marks   map[Subject]*shared
	readers int // screens that read now
}

// shared is how far somebody has read one thing, on all their screens.
type shared struct {
	mark
	viewers int  // screens that show it
	changed bool // since it was saved
}

// mark is how far somebody has read.
type mark struct {
	seen Seq // certainly: their client answered after it
	sent Seq // perhaps: it was sent to their client
}

// view is one thing that a screen reads.
type view struct {
	of    Subject
	shown Seq  // up to here it was shown, or is none of the person's business
	was   mark // how far they had read when the screen came
	// Whether something may have come since then that they have not read.
	returns bool
	// Another of their screens showed it then. Its connection may be dead without anybody knowing, so that what it has not answered
	// for is missed as well.
	further bool
}

func newPlaces() places { return places{of: map[PersonID]*place{}} }

// look begins to read a room at its entry.
func (m *Member) look(where Subject, joined Seq) {
	ps := &m.house.places
	ps.mu.Lock()
	defer ps.mu.Unlock()
	m.setView(view{of: where, shown: joined, was: mark{joined, joined}})
}

// setView replaces what the screen knows of one thing that it reads. It needs places.mu.
func (m *Member) setView(v view) {
	if old := m.view(v.of); old != nil {
		*old = v
		return
	}
	m.views = append(m.views, &v)
}

// view finds one thing that the screen reads; nil for none. It needs places.mu.
func (m *Member) view(of Subject) *view {
	for _, v := range m.views {
		if v.of == of {
			return v
		}
	}
	return nil
}

// startReading makes a member's screen one that moves its person's places, and notes how far they had certainly read before.
// Whoever has never had a place begins at from.
func (h *House) startReading(ctx context.Context, m *Member, from Seq) error {
	if h.archive == nil {
		return nil
	}
	var saved []Place
	looked := false
	for !h.places.begin(m, saved, looked, from) {
		rows, err := h.archive.Places(ctx, m.person.id)
		if err != nil {
			return err
		}
		saved, looked = rows, true
	}
	// Saved before anything is shown, so that a crash leaves it open: then nobody takes for new what was on the screen.
	h.saveChanged(ctx)
	return nil
}

// begin counts a reader in. It says false if the places have to be looked up first.
func (ps *places) begin(m *Member, saved []Place, looked bool, from Seq) bool {
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
		p = &place{marks: map[Subject]*shared{}}
		for _, row := range saved {
			p.marks[row.Of] = &shared{mark: mark{row.Seen, row.Sent}}
		}
		ps.of[m.person.id] = p
	}
	for _, of := range []Subject{personSubject(m.person.id), m.now} {
		s := p.markOf(of, from)
		v := view{of: of, shown: s.seen, was: s.mark, returns: s.seen < m.joined, further: s.viewers > 0}
		if of == m.now {
			v.shown = min(v.shown, m.joined)
		}
		m.setView(v)
		s.viewers++
		s.changed = true
	}
	for _, v := range m.views { // of who registers in several rooms: the others
		p.markOf(v.of, v.shown).changed = true
	}
	p.readers++
	m.reads.Store(true)
	return true
}

// markOf returns how far somebody has read something; whoever has read nothing of it yet begins at from.
func (p *place) markOf(of Subject, from Seq) *shared {
	s := p.marks[of]
	if s == nil {
		s = &shared{mark: mark{from, from}}
		p.marks[of] = s
	}
	return s
}

// enter takes in that a member who reads has come into one more room.
func (ps *places) enter(m *Member, where Subject, joined Seq, back bool) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	p := ps.of[m.person.id]
	if p == nil || !m.reads.Load() {
		return
	}
	s := p.markOf(where, joined)
	if !back && s.viewers == 0 {
		s.mark = mark{joined, joined}
	}
	m.setView(view{of: where, shown: min(s.seen, joined), was: s.mark, returns: s.seen < joined, further: s.viewers > 0})
	s.changed = true
}

// Reads says that the member's person has an account, so that it is worth telling how far they have read.
func (m *Member) Reads() bool { return m.reads.Load() }

// View puts another of the member's rooms on the screen; everything that concerned it up to a place was shown of the one before. For
// the owner of an account it waits for the disk, for a second at most: a crash must find the room open, or what is shown of it now
// would be new to them once more.
func (m *Member) View(where Subject, shown Seq) {
	if m.turn(where, shown) {
		m.house.saveNow(context.Background())
	}
}

// turn does so, and says whether that is to be saved.
func (m *Member) turn(where Subject, shown Seq) bool {
	ps := &m.house.places
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if v := m.view(m.now); v != nil {
		v.shown = max(v.shown, shown)
	}
	p := ps.of[m.person.id]
	reads := p != nil && m.reads.Load() && !m.stopped
	if reads {
		p.count(m.now, -1)
		p.count(where, +1)
	}
	m.now = where
	return reads
}

// count changes how many screens show something.
func (p *place) count(of Subject, by int) {
	if s := p.marks[of]; s != nil {
		s.viewers += by
		s.changed = true
	}
}

// Shown returns the place up to which a room was shown on this screen.
func (m *Member) Shown(where Subject) Seq {
	ps := &m.house.places
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if v := m.view(where); v != nil {
		return v.shown
	}
	return 0
}

// goesOut notes that a screen's person was put out of a room at a place: what comes behind that the screen does not show, wherever in the
// order it gets to. It is called in that order, as is comesIn.
func (ps *places) goesOut(m *Member, where Subject, at Seq) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if m.out == nil {
		m.out = map[Subject]Seq{}
	}
	m.out[where] = at
}

// comesIn notes that a screen reads a room.
func (ps *places) comesIn(m *Member, where Subject) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	delete(m.out, where)
}

// reached is how far the screen has shown one thing when it has got to a place in the order. It needs places.mu.
func (m *Member) reached(of Subject, place Seq) Seq {
	if out, is := m.out[of]; is {
		return min(place, out)
	}
	return place
}

// Sent says that everything up to a place was given to the member's client: of the room that is on the screen, and of the direct
// messages. It changes nothing for a person without an account.
func (m *Member) Sent(upTo Seq) {
	m.move(m.Now(), upTo, func(s *shared, upTo Seq) { s.sent = max(s.sent, upTo) })
	ps := &m.house.places
	ps.mu.Lock()
	defer ps.mu.Unlock()
	m.sent = max(m.sent, upTo)
}

// reach returns up to where the screen was given what concerns it.
func (m *Member) reach() Seq {
	ps := &m.house.places
	ps.mu.Lock()
	defer ps.mu.Unlock()
	return max(m.sent, m.joined)
}

// Now returns the room that is on the screen.
func (m *Member) Now() Subject {
	ps := &m.house.places
	ps.mu.Lock()
	defer ps.mu.Unlock()
	return m.now
}

// Confirmed says that the member's client has answered after everything of a room, and of the direct messages, had been sent to it up to
// a place.
func (m *Member) Confirmed(where Subject, upTo Seq) {
	m.move(where, upTo, func(s *shared, upTo Seq) {
		s.sent = max(s.sent, upTo)
		if !m.blind {
			s.seen = max(s.seen, upTo)
		}
	})
}

// PutOut lists by what acts the member's person was put out of rooms before this screen came and has not been told, as far as it is from
// the last [UndoFor]: of each room the last one, the oldest first. [Member.ToldOut] says that they are told.
func (m *Member) PutOut() []Act {
	h := m.house
	since := h.places.toldOut(m)
	h.mu.RLock()
	defer h.mu.RUnlock()
	last := map[Subject]Act{}
	for _, a := range h.rules.acts {
		if a.Kind == "kicked" && a.Of == m.person.id && a.Seq > max(since, last[a.Where].Seq) && a.Seq < m.joined {
			last[a.Where] = *a
		}
	}
	return slices.SortedFunc(maps.Values(last), func(a, b Act) int { return cmp.Compare(a.Seq, b.Seq) })
}

// toldOut returns up to where a member's person knows how they were put out: what their client had answered for when the screen came they
// have read, whoever has no place has nothing to be told.
func (ps *places) toldOut(m *Member) Seq {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	p, v := ps.of[m.person.id], m.view(personSubject(m.person.id))
	if p == nil || v == nil {
		return m.joined
	}
	return max(v.was.seen, p.markOf(accountSubject(m.person.id), 0).seen)
}

// ToldOut says that the member's person was told on this screen how they were put out of rooms up to a place, as it happened or on their
// return. Unlike of lines that is enough: their client need not answer, or who closes the window at once would read it each time.
func (m *Member) ToldOut(upTo Seq) {
	if !m.reads.Load() {
		return
	}
	ps := &m.house.places
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if p := ps.of[m.person.id]; p != nil {
		p.toldOut(m.person.id, upTo)
	}
}

// toldOut keeps it with what they have read, as what was done to their account.
func (p *place) toldOut(id PersonID, upTo Seq) {
	if s := p.markOf(accountSubject(id), 0); upTo > s.seen {
		s.mark, s.changed = mark{upTo, upTo}, true
	}
}

// hasMissed says that the member was not shown what came before them, so that whatever they answer for proves nothing.
func (m *Member) hasMissed() {
	ps := &m.house.places
	ps.mu.Lock()
	defer ps.mu.Unlock()
	m.blind = true
}

// move changes how far the member's person has read a room, and their direct messages, on a screen that has got to a place.
func (m *Member) move(where Subject, upTo Seq, change func(s *shared, upTo Seq)) {
	if !m.reads.Load() {
		return
	}
	ps := &m.house.places
	ps.mu.Lock()
	defer ps.mu.Unlock()
	p := ps.of[m.person.id]
	if p == nil {
		return
	}
	for _, of := range []Subject{where, personSubject(m.person.id)} {
		if s := p.marks[of]; s != nil {
			was := s.mark
			change(s, m.reached(of, upTo))
			s.changed = s.changed || s.mark != was
		}
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
	if d := m.dismissed.Load(); d != nil && why == EndingKicked { // that is the last thing that they read
		p.toldOut(m.person.id, d.Event.Seq)
	}
	for _, v := range m.views {
		s, shown := p.marks[v.of], v.shown
		if v.of == m.now || v.of == personSubject(m.person.id) {
			shown = m.sent
			p.count(v.of, -1)
		}
		if s == nil || why != EndingLeft || m.blind {
			continue
		}
		was := s.mark // they had their own look at the end; of another screen of theirs it says nothing
		s.seen = max(s.seen, m.reached(v.of, shown))
		s.sent = max(s.sent, s.seen)
		s.changed = s.changed || s.mark != was
	}
	p.readers--
}

// seenBy returns how far the owner of an account has certainly read their direct messages.
func (h *House) seenBy(ctx context.Context, id PersonID) (Seq, error) {
	h.places.mu.Lock()
	p := h.places.of[id]
	if p != nil {
		defer h.places.mu.Unlock()
		return p.markOf(personSubject(id), 0).seen, nil
	}
	h.places.mu.Unlock()
	rows, err := h.archive.Places(ctx, id)
	for _, row := range rows {
		if row.Of == personSubject(id) {
			return row.Seen, err
		}
	}
	return 0, err
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
		case now := <-tick.C:
			h.saveChanged(ctx)
			if now.Unix()%sightsEvery == 0 {
				h.saveSights(ctx)
			}
		case <-ctx.Done():
			h.saveNow(context.WithoutCancel(ctx))
			h.saveSights(context.WithoutCancel(ctx))
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
	if err != nil && !again { // a disk may be full for hours
		h.opt.Logger.Warn("how far people have read could not be saved", "places", len(saved), "err", err)
	}
	h.places.mu.Lock()
	defer h.places.mu.Unlock()
	for _, row := range rows {
		p := h.places.of[row.Account]
		if p == nil {
			continue
		}
		if err != nil {
			saved[row].changed = true
		} else if p.idle() {
			delete(h.places.of, row.Account)
		}
	}
}

// idle says that nobody reads and that all is saved.
func (p *place) idle() bool {
	for _, s := range p.marks {
		if s.changed {
			return false
		}
	}
	return p.readers == 0
}

// changedPlaces takes what is to be saved.
func (h *House) changedPlaces() (rows []Place, saved map[Place]*shared) {
	h.places.mu.Lock()
	defer h.places.mu.Unlock()
	saved = map[Place]*shared{}
	for id, p := range h.places.of {
		for of, s := range p.marks {
			if !s.changed {
				continue
			}
			s.changed = false
			row := Place{Account: id, Of: of, Seen: s.seen, Sent: s.sent, Open: s.viewers > 0}
			rows, saved[row] = append(rows, row), s
		}
	}
	return rows, saved
}
