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
	Addr  string   // where the connection comes from, without the port; empty where that is not known
}

// person is somebody with at least one screen in this process, or about to have one.
type person struct {
	id  PersonID
	log *Log // what is for them alone

	turn chan struct{} // capacity 1; held while a screen enters, leaves or renames: these wait for the journal

	screens int     // guarded by turn
	held    []Lease // guarded by turn; more than one only while a rename's outcome is unknown

	members []*Member     // guarded by House.mu; the screens that are in, and those that enter or leave
	back    chan struct{} // guarded by House.mu; closed when no leave waits any more; nil while none does
	put     int           // guarded by House.mu; how often they were put out of the house and no screen has left for it yet

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
	addr   string
	visit  bool
	first  Subject // the room that it entered by
	joined Seq
	reader *Reader
	leave  sync.Once
	end    sync.Once // of reading

	rooms     []stay                    // guarded by House.mu; where it is, in the order in which it came
	came      bool                      // guarded by House.mu; it was in a room
	cut       bool                      // guarded by House.mu; its connection is lost, and its leave waits
	dismissed atomic.Pointer[Dismissal] // why it must go; nil while it may stay

	typed atomic.Int64           // when its person last typed, in Unix nanoseconds
	lang  atomic.Pointer[string] // what its person reads

	reads   atomic.Bool // it moves the places of an account's owner
	views   []*view     // guarded by places.mu; of the rooms, and of the direct messages
	now     Subject     // guarded by places.mu; the room that is on the screen
	stopped bool        // guarded by places.mu; it reads no more
	sent    Seq         // guarded by places.mu; what was sent to this screen
	blind   bool        // guarded by places.mu; what was missed could not be shown to it

	out   map[Subject]Seq // guarded by places.mu; where its person was put out of rooms
	blank error           // why that is not known

	announced bool // its entry was told to the room
	parted    bool // its leaving was; set by Leave
}

// stay is that a screen is in a room.
type stay struct {
	room Subject
	at   Seq // of its entry
}

// A Dismissal says why a screen must go.
type Dismissal struct {
	Why   Ending
	Event *Event // what put it out; nil where that is its person's own doing
}

func (m *Member) dismiss(why *Dismissal) {
	if m.dismissed.CompareAndSwap(nil, why) {
		m.reader.Bell().Ring()
	}
}

// A RefusedError says why somebody is not let into the house, or into a room, or cannot have a nickname there.
type RefusedError struct {
	Void Void
	Bar  *Bar // that keeps them out, if one does
}

func (e *RefusedError) Error() string { return "refused: " + string(e.Void) }

// An Entry is how a screen comes into a room.
type Entry struct {
	Where Subject
	Open  *Opened // makes the room, if there is none of that name yet; nil to come only into one that there is
	Pass  string  // the hash that the room's password was checked against; empty for none
	Visit bool    // it is neither announced nor listed
	// Back says that the owner of an account comes back into a room where they were: they go on where they had read to. Who comes
	// anew begins at the entry.
	Back bool
}

// records are what an entry is made of.
func (n Entry) records(who Person, j Joined) []Record {
	joined := Encode(who, n.Where, j)
	if n.Open == nil {
		return []Record{joined}
	}
	return []Record{Encode(who, n.Where, *n.Open), joined}
}

// Enter brings a screen into a room of the house. The same proven key under the same name is the same person with one more screen. A
// visit is neither announced nor listed. Enter blocks until the entry is committed; when ctx ends first, nothing remains of
// it. ErrHeld: the name, or one that can be mistaken for it, is somebody else's. A *[RefusedError] says why the room, or the house, is
// closed to them.
func (h *House) Enter(ctx context.Context, claim Claim, by Entry) (*Member, error) {
	for {
		p := h.use(claim)
		m, err := h.enter(ctx, p, claim, by)
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
	p := &person{id: id, claim: claim, log: NewLog(h.opt.RingLines), turn: make(chan struct{}, 1), users: 1}
	h.people[id] = p
	if claim.Key != "" {
		note(h.keyed, claim.Key, p)
	}
	for _, n := range claim.Names {
		note(h.named, n, p)
	}
	return p
}

// note enters somebody in an index.
func note(index map[string][]*person, at string, p *person) { index[at] = append(index[at], p) }

// strike takes them out again.
func strike(index map[string][]*person, at string, p *person) {
	if others := slices.DeleteFunc(index[at], func(q *person) bool { return q == p }); len(others) > 0 {
		index[at] = others
	} else {
		delete(index, at)
	}
}

func (h *House) unuse(p *person) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if p.users--; p.users > 0 {
		return
	}
	delete(h.people, p.id)
	if key := p.claim.Key; key != "" {
		strike(h.keyed, key, p)
	}
	for _, n := range p.claim.Names {
		strike(h.named, n, p)
	}
}

func (h *House) enter(ctx context.Context, p *person, claim Claim, by Entry) (*Member, error) {
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
	m := &Member{
		house: h, person: p, screen: ScreenID(NewID().String()), key: claim.Key, addr: claim.Addr, visit: by.Visit,
		first: by.Where, now: by.Where,
	}
	m.typed.Store(time.Now().UnixNano())
	h.mu.Lock()
	// The reader stands ready before the entry is posted: what comes right after it is then read, or counted as missed.
	m.reader = newReader(&h.applied, NewBell(), Seq(h.applied.Load()), p.log)
	p.members = append(p.members, m)
	h.mu.Unlock()
	// Whoever hangs up in the middle of this must not leave a ghost behind: the entry is finished, then taken back.
	detached := context.WithoutCancel(ctx)
	result, err := h.let(detached, m, by)
	if refused, ok := errors.AsType[*RefusedError](err); ok && (refused.Void == VoidTaken || refused.Void == VoidNotMember) {
		err = ErrHeld
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
	m.joined, m.announced = result.Seq, result.Shown
	m.reader.skip(m.joined)
	m.look(by.Where, m.joined)
	if !by.Visit {
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

// let posts a screen's entry into a room, and returns what became of the Joined. It needs the person's turn.
func (h *House) let(ctx context.Context, m *Member, by Entry) (Result, error) {
	join := Joined{Screen: m.screen, Visit: m.visit, Names: m.person.claim.Names, Addr: m.addr, Pass: by.Pass}
	if by.Open != nil {
		if v := h.foresee(m.author(), by, join); v.Void != "" {
			return Result{}, &RefusedError{v.Void, v.Bar}
		}
	}
	results, err := h.post(ctx, by.records(m.author(), join)...)
	if err != nil {
		return Result{}, err
	}
	r := results[len(results)-1]
	if r.Void != "" {
		return r, &RefusedError{r.Void, r.Bar}
	}
	return r, nil
}

// foresee says what would become of an entry that makes a room if it were posted now. By what somebody is kept out their Joined tells,
// not their Opened: it has no address, which would else be stored with it for ever. What is decided after this has come after the room.
func (h *House) foresee(who Person, by Entry, join Joined) (v Verdict) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.rules.Attempt()
	defer h.rules.Undo()
	now := time.Now()
	for _, b := range []Body{*by.Open, join} {
		v = h.rules.Apply(&Event{Subject: by.Where, From: who, At: now, Body: b})
	}
	if v.Bar == nil { // who may speak nowhere makes no room, whatever they are muted by
		if bar := h.rules.barOn(who, h.rules.seeker(who, &join), HouseSubject, true, now); bar != nil {
			return Verdict{Void: VoidMuted, Bar: bar, From: who}
		}
	}
	return v
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
	for _, n := range names {
		for _, p := range h.named[n] {
			if p.vacant != nil {
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
	for _, n := range p.claim.Names {
		strike(h.named, n, p)
	}
	for _, n := range claim.Names {
		note(h.named, n, p)
	}
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

// farewells are the records of a screen's leaving, one for each room.
func (m *Member) farewells(why Ending) []Record {
	var records []Record
	for _, where := range m.Rooms() {
		records = append(records, Encode(m.author(), where, Parted{Screen: m.screen, Why: why}))
	}
	return records
}

// part takes a screen out of its rooms and, with a person's last one, gives the name free. It needs the person's turn.
func (h *House) part(ctx context.Context, p *person, m *Member, why Ending) {
	if p.screens == 1 {
		defer h.vacate(p)()
	}
	records := m.farewells(why)
	results, err := h.post(ctx, records...)
	for err != nil && !errors.Is(err, ErrClosed) { // until then they are here for everybody else
		h.opt.Logger.Error("leave not recorded, trying again", "nick", string(p.claim.Nick), "err", err)
		select {
		case <-time.After(leavePause):
			results, err = h.post(ctx, records...)
		case <-h.closed:
			err = ErrClosed
		}
	}
	m.parted = err == nil && slices.ContainsFunc(results, func(r Result) bool { return r.Shown })
	m.parted = m.forget() && err == nil || m.parted
	if p.screens--; p.screens == 0 {
		h.release(ctx, p)
	}
}

// leavePause is the wait before a leave that could not be recorded is tried again.
const leavePause = time.Second

// Leave takes the screen out of the house. With the person's last one the nickname is free when Leave returns. It blocks until
// that is committed, or the house has stopped, whatever became of the session, and says whether the room was told; a second call
// does nothing but say the same. Who ends the last screen that was not cut does not come back: then the others leave, too.
func (m *Member) Leave(why Ending) (announced bool) {
	m.leave.Do(func() {
		m.stop(why)
		_ = m.person.take(context.Background()) // whoever has the turn gives it back
		m.house.part(context.Background(), m.person, m, why)
		if !m.visit && why != EndingLost && why != EndingStalled {
			m.house.leaveAll(m.person)
		}
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
	m.cut = true
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
		told(m.Leave(why))
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

// forget takes the screen from those of its person, and says whether it is the one that leaves for all that were put out with it.
func (m *Member) forget() (last bool) {
	m.house.mu.Lock()
	defer m.house.mu.Unlock()
	m.person.members = slices.DeleteFunc(m.person.members, func(o *Member) bool { return o == m })
	if last = m.person.put > 0 && !m.visit && m.dismissed.Load() != nil; last {
		m.person.put--
	}
	return last
}

// Dismissed says why the screen must go: its person was put out of the last room that it was in, or the account that it was open for
// is not theirs any more. Nothing that it posts has an effect. Its reader's bell rings when that comes. Nil while it may stay.
func (m *Member) Dismissed() *Dismissal { return m.dismissed.Load() }

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

// leaveAll ends that wait, too, if none of the person's screens is left but those that were cut. It needs the person's turn, so that
// nobody is about to enter.
func (h *House) leaveAll(p *person) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if p.live() == 0 {
		p.callBackLocked()
	}
}

// Post commits what the person says or does in a room, or in the house, in order, and returns when everybody can see it: one result for
// each body. It blocks for CommitWait at most. ErrUnavailable: not saved, as far as is known; the same words may be posted again.
func (m *Member) Post(ctx context.Context, where Subject, bodies ...Body) ([]Result, error) {
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
		recs, of = append(recs, Encode(from, where, b)), append(of, i)
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
	p := h.people[id]
	return len(h.rules.in(id)) == 0 || p == nil || p.live() == 0
}

// live counts the person's screens that are listed and were not cut. It needs House.mu.
func (p *person) live() (n int) {
	for _, m := range p.members {
		if !m.visit && !m.cut && len(m.rooms) > 0 {
			n++
		}
	}
	return n
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
// one that can be mistaken for it, is somebody else's. A *[RefusedError] says why they cannot be called so.
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
		return &RefusedError{void, results[0].Bar}
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

// Rooms returns the rooms that the screen is in, in the order in which it came.
func (m *Member) Rooms() []Subject {
	m.house.mu.RLock()
	defer m.house.mu.RUnlock()
	rooms := make([]Subject, len(m.rooms))
	for i, s := range m.rooms {
		rooms[i] = s.room
	}
	return rooms
}

// In says whether the screen is in a room.
func (m *Member) In(where Subject) bool {
	m.house.mu.RLock()
	defer m.house.mu.RUnlock()
	return slices.ContainsFunc(m.rooms, func(s stay) bool { return s.room == where })
}

// First returns the room by which the screen came in.
func (m *Member) First() Subject { return m.first }

// Addr returns where the screen's connection comes from, empty for not known.
func (m *Member) Addr() string { return m.addr }

// Join brings the screen into one more room. It returns the place of the entry, when that is committed. A *[RefusedError] says why the
// room is closed to them.
func (m *Member) Join(ctx context.Context, by Entry) (Seq, error) {
	h, p := m.house, m.person
	if err := p.take(ctx); err != nil {
		return 0, err
	}
	defer p.give()
	result, err := h.let(context.WithoutCancel(ctx), m, by)
	if err != nil {
		return 0, err
	}
	m.look(by.Where, result.Seq)
	h.places.enter(m, by.Where, result.Seq, by.Back)
	return result.Seq, nil
}

// Part takes the screen out of one of its rooms. It returns when that is committed; VoidRepeated: it was not there.
func (m *Member) Part(ctx context.Context, where Subject) (Void, error) {
	results, err := m.house.post(ctx, Encode(m.Person(), where, Parted{Screen: m.screen, Why: EndingLeft}))
	return first(results).Void, err
}

// Use says that the person typed something just now, and what they read.
func (m *Member) Use(lang string) {
	m.typed.Store(time.Now().UnixNano())
	if l := m.lang.Load(); l == nil || *l != lang {
		m.lang.Store(&lang)
	}
}

// used returns when the person last typed, and what they read.
func (m *Member) used() (at time.Time, lang string) {
	if l := m.lang.Load(); l != nil {
		lang = *l
	}
	return time.Unix(0, m.typed.Load()), lang
}

// Reader returns the screen's view of the house, from its own entry on. It belongs to one goroutine; Leave closes it.
func (m *Member) Reader() *Reader { return m.reader }

// Joined returns the place of the screen's own entry into the house.
func (m *Member) Joined() Seq { return m.joined }

// Backlog returns the last n lines that were said in a room before a place, oldest first. It may wait for the disk.
func (m *Member) Backlog(ctx context.Context, where Subject, before Seq, n int) ([]*Event, error) {
	return m.house.newest(ctx, LineQuery{Room: where, Before: before, N: n})
}
