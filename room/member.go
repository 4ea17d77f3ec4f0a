package room

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A Claim is the wish to be somebody: a name that has passed the house's rules for names.
type Claim struct {
	Key   string   // SHA256 fingerprint of the proven key, empty for none
	Nick  Nick     // as it is shown
	Names []string // everything that must be unique about the name, such as its case key and its skeleton
}

// person is somebody with at least one screen in this process, or about to have one.
type person struct {
	id  PersonID
	log *Log // what is for them alone

	turn chan struct{} // capacity 1; held while a screen enters, leaves or renames: these wait for the journal

	screens int     // guarded by turn
	held    []Lease // guarded by turn; more than one only while a rename's outcome is unknown

	members   map[*Member]bool // guarded by House.mu; the screens that are in, and those that enter or leave
	lingering int              // guarded by House.mu; screens that were cut, whose leave waits
	back      chan struct{}    // guarded by House.mu; closed when the person is back; nil while nothing waits for that

	claim Claim    // written holding both turn and House.mu, so either is enough to read it
	next  []string // likewise; the names that a rename will give or, if its outcome is unknown, may have given
	users int      // guarded by House.mu; calls and members that use this entry
	// Guarded by House.mu: closed when the names of the claim are free. The room reads of a leave or a rename a moment before
	// that; who takes the name at once has to wait for it, not to be refused. Nil while the person keeps them.
	vacant chan struct{}
}

// owner holds the person's names. It is not the key: who is here under two names must not wear one of them twice.
func (p *person) owner() Owner { return Owner(p.id) }

// wears says whether the names are, or may be by now, this person's.
func (p *person) wears(names []string) bool {
	return slices.Equal(p.claim.Names, names) || p.next != nil && slices.Equal(p.next, names)
}

func (p *person) snapshot() Person { return Person{ID: p.id, Nick: p.claim.Nick, Key: p.claim.Key} }

// take waits for the person's turn.
func (p *person) take(ctx context.Context) error {
	select {
	case p.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (p *person) give() { <-p.turn }

// A Member is one screen of a person in the house: what a session holds. Its methods may be called from any goroutine, its
// Reader belongs to one.
type Member struct {
	house  *House
	person *person
	screen ScreenID
	key    string // fingerprint that this screen proved
	room   Subject
	visit  bool
	joined Seq
	reader *Reader
	leave  sync.Once
	end    sync.Once // of reading

	dismissed atomic.Pointer[Ending] // why it must go; nil while it may stay

	reads atomic.Bool // it moves the place of an account's owner
	back  *mark       // how far they had read before, if something has come since
	// Another of their screens was open then. Its connection may be dead without anybody knowing, so that what it has not answered
	// for is missed as well.
	further bool
	stopped bool  // guarded by places.mu; it reads no more
	sent    Seq   // guarded by places.mu; what was sent to this screen
	blind   bool  // guarded by places.mu; what was missed could not be shown to it
	blank   error // why that is not known

	announced bool // its entry was told to the room
	parted    bool // its leaving was; set by Leave
}

// Enter brings a screen into the lobby. The same proven key under the same name is the same person with one more screen. A
// visit is neither announced nor listed. Enter blocks until the entry is committed; when ctx ends first, nothing remains of
// it. ErrHeld: the name, or one that can be mistaken for it, is somebody else's.
func (h *House) Enter(ctx context.Context, claim Claim, visit bool) (*Member, error) {
	for {
		p := h.use(claim)
		m, err := h.enter(ctx, p, claim, visit)
		if err != nil {
			h.unuse(p)
		}
		if !errors.Is(err, errMoved) {
			return m, err
		}
	}
}

// errMoved says that a person was renamed while a screen waited to enter under the former name.
var errMoved = errors.New("renamed meanwhile")

// use finds the person of a claim or makes one.
func (h *House) use(claim Claim) *person {
	h.mu.Lock()
	defer h.mu.Unlock()
	account := h.rules.accounts[h.rules.keys[claim.Key]]
	if account != nil && slices.Equal(account.Names, claim.Names) {
		if p := h.people[account.ID]; p != nil { // under whatever name by now
			p.users++
			return p
		}
	}
	for _, p := range h.keyed[claim.Key] {
		if p.wears(claim.Names) {
			p.users++
			return p
		}
	}
	id := PersonID("conn:" + NewID().String())
	switch {
	case account != nil && slices.Equal(account.Names, claim.Names):
		id = account.ID
	case claim.Key != "":
		id = PersonID("key:" + claim.Key + "/" + claim.Names[0])
		if h.people[id] != nil { // they are here under another name by now
			id += PersonID("/" + NewID().String())
		}
	}
	p := &person{id: id, claim: claim, log: NewLog(h.opt.RingLines), turn: make(chan struct{}, 1), users: 1, members: map[*Member]bool{}}
	h.people[id] = p
	if claim.Key != "" {
		h.keyed[claim.Key] = append(h.keyed[claim.Key], p)
	}
	return p
}

func (h *House) unuse(p *person) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if p.users--; p.users > 0 {
		return
	}
	delete(h.people, p.id)
	if key := p.claim.Key; key != "" {
		if same := slices.DeleteFunc(h.keyed[key], func(q *person) bool { return q == p }); len(same) > 0 {
			h.keyed[key] = same
		} else {
			delete(h.keyed, key)
		}
	}
}

func (h *House) enter(ctx context.Context, p *person, claim Claim, visit bool) (*Member, error) {
	if err := p.take(ctx); err != nil {
		return nil, err
	}
	defer p.give()
	switch {
	case p.screens == 0:
		lease, err := h.acquire(ctx, claim.Names, p.owner())
		if err != nil {
			return nil, err
		}
		p.held = append(p.held, lease)
		h.setClaim(p, claim, nil)
	case !p.wears(claim.Names) && !h.opens(claim.Key, p.id):
		return nil, errMoved
	}
	m := &Member{house: h, person: p, screen: ScreenID(NewID().String()), key: claim.Key, room: Lobby, visit: visit}
	h.mu.Lock()
	// The reader stands ready before the entry is posted: what comes right after it is then read, or counted as missed.
	m.reader = newReader(&h.applied, NewBell(), Seq(h.applied.Load()), h.rooms[m.room], p.log)
	p.members[m] = true
	h.mu.Unlock()
	// Whoever hangs up in the middle of this must not leave a ghost behind: the entry is finished, then taken back.
	detached := context.WithoutCancel(ctx)
	results, err := h.post(detached, Encode(m.author(), m.room, Joined{Screen: m.screen, Visit: visit, Names: p.claim.Names}))
	switch {
	case err != nil:
	case results[0].Void == VoidTaken, results[0].Void == VoidNotMember:
		err = ErrHeld
	case results[0].Void != "":
		err = errors.New("entry was void: " + string(results[0].Void))
	}
	if err != nil {
		m.reader.Close()
		m.forget()
		if p.screens == 0 {
			h.release(detached, p)
		}
		return nil, err
	}
	p.screens++
	m.joined, m.announced = results[0].Seq, results[0].Shown
	m.reader.skip(m.joined)
	if !visit {
		if h.opens(claim.Key, p.id) {
			m.blank = h.startReading(ctx, m, m.joined)
		}
		h.callBack(p)
	}
	if ctx.Err() != nil {
		m.reader.Close()
		h.part(detached, p, m, EndingLost)
		return nil, context.Cause(ctx)
	}
	return m, nil
}

// acquire takes names for owner. Names that somebody is about to give back are waited for.
func (h *House) acquire(ctx context.Context, names []string, owner Owner) (Lease, error) {
	for {
		vacant := h.vacant(names) // looked up first: what is free by now is had below
		lease, err := h.leases.Acquire(ctx, names, owner)
		if !errors.Is(err, ErrHeld) || vacant == nil {
			return lease, err
		}
		select {
		case <-vacant:
		case <-ctx.Done():
			return Lease{}, context.Cause(ctx)
		}
	}
}

// vacant returns what tells when somebody has given one of the names back, nil if nobody is about to.
func (h *House) vacant(names []string) <-chan struct{} {
	h.mu.RLock()
	defer h.mu.RUnlock()
	for _, p := range h.people {
		if p.vacant == nil {
			continue
		}
		for _, n := range names {
			if slices.Contains(p.claim.Names, n) {
				return p.vacant
			}
		}
	}
	return nil
}

// vacate says that the names of p's claim are about to be given back; done says that they are, or that they are kept after
// all. It needs the person's turn.
func (h *House) vacate(p *person) (done func()) {
	vacant := make(chan struct{})
	h.mu.Lock()
	defer h.mu.Unlock()
	p.vacant = vacant
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		p.vacant = nil
		close(vacant)
	}
}

// setClaim needs the person's turn.
func (h *House) setClaim(p *person, claim Claim, next []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p.claim, p.next = claim, next
}

// release gives all of a person's leases back. It needs the person's turn.
func (h *House) release(ctx context.Context, p *person) {
	for _, l := range p.held {
		h.giveBack(ctx, l)
	}
	p.held = nil
}

func (h *House) giveBack(ctx context.Context, l Lease) {
	if err := h.leases.Release(ctx, l); err != nil {
		h.opt.Logger.Error("release a lease", "err", err)
	}
}

// part takes a screen out of its room and, with a person's last one, gives the name free. It needs the person's turn.
func (h *House) part(ctx context.Context, p *person, m *Member, why Ending) {
	if p.screens == 1 {
		defer h.vacate(p)()
	}
	record := Encode(m.author(), m.room, Parted{Screen: m.screen, Why: why})
	results, err := h.post(ctx, record)
	for err != nil && !errors.Is(err, ErrClosed) { // until then they are here for everybody else
		h.opt.Logger.Error("leave not recorded, trying again", "nick", string(p.claim.Nick), "err", err)
		select {
		case <-time.After(leavePause):
			results, err = h.post(ctx, record)
		case <-h.closed:
			err = ErrClosed
		}
	}
	m.parted = err == nil && results[0].Shown
	m.forget()
	if p.screens--; p.screens == 0 {
		h.release(ctx, p)
	}
}

// leavePause is the wait before a leave that could not be recorded is tried again.
const leavePause = time.Second

// Leave takes the screen out of the house. With the person's last one the nickname is free when Leave returns. It blocks until
// that is committed, or the house has stopped, whatever became of the session, and says whether the room was told; a second call
// does nothing but say the same.
func (m *Member) Leave(why Ending) (announced bool) {
	m.leave.Do(func() {
		m.stop(why)
		_ = m.person.take(context.Background()) // whoever has the turn gives it back
		m.house.part(context.Background(), m.person, m, why)
		m.person.give()
		m.house.unuse(m.person)
	})
	return m.parted
}

// Cut is Leave for a connection that was lost. If the person has an account, the leave waits for ResumeWindow, and until then
// they are listed as away; when they come back before that, the room hears of neither. Cut then returns true at once, and calls
// told as soon as the leave is recorded, on a goroutine of its own: not at all if the house stops first. Else it does nothing and
// returns false.
func (m *Member) Cut(why Ending, told func(announced bool)) (waits bool) {
	h, p := m.house, m.person
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.over || h.opt.ResumeWindow <= 0 || m.visit || h.rules.accounts[p.id] == nil {
		return false
	}
	m.stop(why)
	p.lingering++
	if p.back == nil {
		p.back = make(chan struct{})
	}
	back := p.back
	h.errands.Go(func() {
		select {
		case <-time.After(h.opt.ResumeWindow):
		case <-back:
		case <-h.closed:
			return
		}
		announced := m.Leave(why)
		h.mu.Lock()
		p.lingering--
		h.mu.Unlock()
		told(announced)
	})
	return true
}

// stop ends what the screen reads. A second call does nothing.
func (m *Member) stop(why Ending) {
	m.end.Do(func() {
		m.reader.Close()
		m.stopReading(why)
	})
}

// author is the person as this screen acts for them: with the key that was proven here. It needs the person's turn or House.mu.
func (m *Member) author() Person {
	who := m.person.snapshot()
	who.Key = m.key
	return who
}

// forget takes the screen from those of its person.
func (m *Member) forget() {
	m.house.mu.Lock()
	defer m.house.mu.Unlock()
	delete(m.person.members, m)
}

// Dismissed says why the screen must go, since the account that it was open for is not its person's any more: nothing that it posts
// has an effect. Its reader's bell rings when that comes. Empty while it may stay.
func (m *Member) Dismissed() Ending {
	if why := m.dismissed.Load(); why != nil {
		return *why
	}
	return ""
}

// callBack ends the wait of screens that were cut: the person is here again.
func (h *House) callBack(p *person) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p.callBackLocked()
}

func (p *person) callBackLocked() {
	if p.back != nil {
		close(p.back)
		p.back = nil
	}
}

// Post commits what the person says or does, in order, and returns when everybody can see it: one result for each body. It
// blocks for CommitWait at most. ErrUnavailable: not saved, as far as is known; the same words may be posted again.
func (m *Member) Post(ctx context.Context, bodies ...Body) ([]Result, error) {
	from := m.Person()
	results := make([]Result, len(bodies))
	var recs []Record
	var of []int               // which body each record is
	told := map[PersonID]int{} // direct messages among them, by receiver
	for i, b := range bodies {
		full, err := m.house.full(ctx, from.ID, b, told)
		if err != nil {
			return nil, err
		}
		if full {
			results[i].Void = VoidFull
			continue
		}
		recs, of = append(recs, Encode(from, m.room, b)), append(of, i)
	}
	posted, err := m.house.post(ctx, recs...)
	if err != nil {
		return nil, err
	}
	for i, r := range posted {
		if t, ok := bodies[of[i]].(Told); ok && r.Void == "" {
			r.Kept = r.Kept || m.house.absent(t.To.ID)
		}
		results[of[i]] = r
	}
	return results, nil
}

func (h *House) hasAccount(id PersonID) bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.rules.accounts[id] != nil
}

// absent says that the owner of an account is not here, or that all their screens were cut a moment ago.
func (h *House) absent(id PersonID) bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if h.rules.accounts[id] == nil {
		return false
	}
	in := h.rules.at(Lobby, id)
	p := h.people[id]
	return in == nil || p == nil || p.lingering >= len(in.listed)
}

// full says that a direct message would have to be kept for somebody for whom enough is kept, together with those that are about to be
// posted. It counts this one among them.
func (h *House) full(ctx context.Context, from PersonID, b Body, posting map[PersonID]int) (bool, error) {
	told, ok := b.(Told)
	if !ok || h.archive == nil {
		return false, nil
	}
	if !h.absent(told.To.ID) {
		return false, nil
	}
	seen, err := h.seenBy(ctx, told.To.ID)
	if err != nil {
		return false, err
	}
	one, all, err := h.archive.Kept(ctx, from, told.To.ID, seen)
	n := posting[told.To.ID]
	posting[told.To.ID]++
	most := h.opt.KeptForOne
	if !h.hasAccount(from) { // whoever can be somebody else with each connection must not fill the box for all others
		most /= 2
	}
	return one+n >= h.opt.KeptFromOne || all+n >= most, err
}

// Rename gives the person, on all their screens, another nickname. It returns when everybody can see it. ErrHeld: the name, or
// one that can be mistaken for it, is somebody else's.
func (m *Member) Rename(ctx context.Context, nick Nick, names []string) error {
	h, p := m.house, m.person
	if err := p.take(ctx); err != nil {
		return err
	}
	defer p.give()
	lease, err := h.acquire(ctx, names, p.owner())
	if err != nil {
		return err
	}
	defer h.vacate(p)()
	h.setClaim(p, p.claim, names)
	detached := context.WithoutCancel(ctx)
	results, err := h.post(detached, Encode(m.author(), HouseSubject, Renamed{To: nick, Names: names}))
	if err != nil {
		// The record may still come into effect, so the name stays held until the person leaves.
		p.held = append(p.held, lease)
		return err
	}
	if void := results[0].Void; void != "" { // they have left
		h.setClaim(p, p.claim, nil)
		h.giveBack(detached, lease)
		if void == VoidTaken {
			return ErrHeld
		}
		return errors.New("rename was void: " + string(void))
	}
	h.release(detached, p)
	p.held = []Lease{lease}
	claim := p.claim
	claim.Nick, claim.Names = nick, names
	h.setClaim(p, claim, nil)
	return nil
}

// Person returns who the member is now.
func (m *Member) Person() Person {
	m.house.mu.RLock()
	defer m.house.mu.RUnlock()
	return m.author()
}

// Key returns the fingerprint of the key that was proven for this screen, empty for none: the owner of an account may prove another
// on each.
func (m *Member) Key() string { return m.key }

// Announced says whether the screen's entry was told to the room: a further screen of somebody and a visit are not.
func (m *Member) Announced() bool { return m.announced }

// Room returns the room the screen is in.
func (m *Member) Room() Subject { return m.room }

// Joined returns the place of the screen's own entry.
func (m *Member) Joined() Seq { return m.joined }

// Reader returns the screen's view of the house, from its own entry on. It belongs to one goroutine; Leave closes it.
func (m *Member) Reader() *Reader { return m.reader }

// Backlog returns the last n lines that were said in the room before the screen entered, oldest first.
func (m *Member) Backlog(n int) []*Event { return m.house.lines(m.room, m.joined, n) }
