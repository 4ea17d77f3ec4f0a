package room

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Options of a house. Zero values are replaced by defaults.
type Options struct {
	RingLines  int           // events that a room keeps in memory for its readers; 1024
	CommitWait time.Duration // how long a record is tried while the journal is unavailable; 60 s
	// ResumeWindow is how long the leave of an account's owner waits for their return after their connection was cut; 0 not at all.
	ResumeWindow time.Duration
	KeptFromOne  int           // direct messages of one person that are kept for somebody who is not here; 20
	KeptForOne   int           // and those of everybody; 200, of which people without an account can fill half
	RoomKeep     time.Duration // how long an empty room that nobody owns is kept; 0 for ever
	Logger       *slog.Logger  // required
}

// House is the whole of what people share: the rooms, who is in them, and the one way for a line from its author to
// everybody's eyes. All methods may be called from any goroutine.
type House struct {
	journal Journal
	leases  Leases
	opt     Options
	closed  chan struct{} // closed when Run ends: nothing will be applied any more

	archive Archive        // nil for none; set before Run
	after   Position       // from where Run applies; set before Run
	places  places         // how far people with accounts have read
	errands sync.WaitGroup // leaves that wait, or that could not be recorded yet; they end with closed

	reports    chan *Event   // acts on their way to the log
	unreported atomic.Uint64 // acts that found no place there

	applied atomic.Uint64 // the last Seq whose events are in their logs
	state   atomic.Pointer[State]
	counts  counts

	mu     sync.RWMutex
	rules  *Rules               // guarded by mu; written by Run's goroutine only
	rooms  map[Subject]*Log     // guarded by mu
	people map[PersonID]*person // guarded by mu; everybody with a screen here, or about to have one
	keyed  map[string][]*person // guarded by mu; those of people who proved a key, by its fingerprint
	named  map[string][]*person // guarded by mu; those whose claim has a name, by it: mostly one
	over   bool                 // guarded by mu; no errand may begin any more
	sights sights               // guarded by mu; who was here lately

	waitingMu sync.Mutex
	waiting   map[ID]awaited // guarded by waitingMu; records given to the journal whose verdict somebody waits for
}

// NewHouse makes a house over a journal and its leases, which stay the caller's. It does nothing until Run.
func NewHouse(j Journal, l Leases, opt Options) *House {
	if opt.RingLines == 0 {
		opt.RingLines = 1024
	}
	if opt.CommitWait == 0 {
		opt.CommitWait = time.Minute
	}
	if opt.KeptFromOne == 0 {
		opt.KeptFromOne = 20
	}
	if opt.KeptForOne == 0 {
		opt.KeptForOne = 200
	}
	h := &House{
		journal: j, leases: l, opt: opt, closed: make(chan struct{}),
		rules: NewRules(), rooms: map[Subject]*Log{Lobby: NewLog(opt.RingLines)},
		people: map[PersonID]*person{}, keyed: map[string][]*person{}, named: map[string][]*person{}, waiting: map[ID]awaited{}, places: newPlaces(), sights: newSights(),
		reports: make(chan *Event, keptReports),
	}
	h.state.Store(&State{Reason: "not started yet"})
	return h
}

// ErrClosed says that the house has stopped.
var ErrClosed = errors.New("house is closed")

// Run applies what the journal commits until ctx ends (nil) or the journal fails for good. It is called once; when it has
// returned, every waiting call of the house fails with ErrClosed.
func (h *House) Run(ctx context.Context) error {
	defer h.errands.Wait()
	defer func() {
		h.mu.Lock()
		h.over = true
		h.mu.Unlock()
		close(h.closed)
	}()
	ctx, stop := context.WithCancel(ctx)
	var watch sync.WaitGroup
	defer watch.Wait()
	defer stop()
	watch.Go(func() { h.watch(ctx) })
	watch.Go(func() { h.savePlaces(ctx) })
	watch.Go(func() { h.closeRooms(ctx) })
	watch.Go(func() { h.tellOperator(ctx) })
	err := h.journal.Tail(ctx, h.after, h.apply)
	if ctx.Err() != nil {
		return nil //nolint:nilerr // the end of ctx is the ordinary end
	}
	return err
}

// watch keeps the journal's state and tells the operator when it changes.
func (h *House) watch(ctx context.Context) {
	for {
		select {
		case s := <-h.journal.Status():
			if s.Connected { // the house is not well again before that is saved which could not be meanwhile
				h.saveNow(ctx)
			}
			h.state.Store(&s)
			if s.Connected {
				h.opt.Logger.Info("journal connected")
			} else {
				h.opt.Logger.Error("journal degraded", "reason", s.Reason)
			}
		case l := <-h.leases.Lost():
			h.opt.Logger.Error("lease lost", "owner", string(l.Owner))
		case <-ctx.Done():
			return
		}
	}
}

// State tells how the journal fares, for whoever watches the house.
func (h *House) State() State { return *h.state.Load() }

// apply takes a committed batch into account: rules, logs, bells, and those who wait for a verdict. It is the one place
// where anything comes into a log.
//
//  1. An event MUST NOT be in a log before the rules have passed it.
//  2. applied MUST NOT move before all logs hold the batch: readers of several logs merge by it.
//  3. Bells ring once per batch and log at most, and only after 2; a moment later in a busy room, see ringSoon.
//  4. An author MUST get the verdict only after 2, so that "posted" means "whoever looks sees it".
func (h *House) apply(batch []Committed) error {
	events := h.decode(batch)
	verdicts := make([]Verdict, len(batch))
	var touched []touch
	h.mu.Lock()
	for i, e := range events {
		if e == nil {
			verdicts[i] = Verdict{Void: VoidUnreadable}
			continue
		}
		v := h.rules.Apply(e)
		verdicts[i] = v
		h.counts.verdict(e, v)
		if v.Void != "" {
			continue
		}
		e.From = v.From
		h.complete(e, v)
		h.report(e)
		h.comeLocked(e)
		if v.Shown || ofKeys(e) {
			for _, l := range h.logsLocked(e, v) {
				l.Append(e)
				touched = touching(touched, l, paceOf(e))
			}
		}
		h.goLocked(e, v)
		h.dismissLocked(e)
	}
	h.mu.Unlock()
	if n := len(batch); n > 0 {
		h.applied.Store(uint64(batch[n-1].Seq))
	}
	for _, t := range touched {
		t.log.ringSoon(t.pace)
	}
	h.settle(batch, verdicts)
	return nil
}

// ofKeys says that an event is about who else can be its author: it is for all their screens, and for nobody's eyes beside them.
func ofKeys(e *Event) bool {
	switch e.Body.(type) {
	case KeyAdded, KeyRemoved:
		return true
	default:
		return false
	}
}

// complete puts into an event what only the rules know.
func (h *House) complete(e *Event, v Verdict) {
	switch b := e.Body.(type) {
	case Told:
		e.Body = Told{To: v.To, Text: b.Text}
	case Barred:
		bar := *barOf(e, b)
		e.Body = Barred{Bar: bar, Out: v.Out, Left: v.Left}
	case Undone:
		b.Out, b.Left = v.Out, v.Left
		e.Body = b
	default: // it says all itself
	}
}

// comeLocked lets a screen read the room that it has entered, and makes the log of a new room.
func (h *House) comeLocked(e *Event) {
	switch b := e.Body.(type) {
	case Joined:
		h.sights.see(e, b)
		if m := h.screenLocked(e.From.ID, b.Screen); m != nil {
			m.rooms, m.came = append(m.rooms, stay{e.Subject, e.Seq}), true
			h.places.comesIn(m, e.Subject)
			m.reader.attach(h.logLocked(e.Subject), e.Subject, e.Seq)
		}
	case Opened:
		h.logLocked(e.Subject).setWhole()
	case Closed:
		delete(h.rooms, e.Subject)
	case Withdrawn:
		if l := h.rooms[e.Subject]; l != nil {
			l.withdraw(b.Lines)
		}
	default: // nobody comes
	}
}

// goLocked ends what screens read of rooms that they are not in any more, and lets go of a room's log that nobody reads.
func (h *House) goLocked(e *Event, v Verdict) {
	switch b := e.Body.(type) {
	case Parted:
		if m := h.screenLocked(e.From.ID, b.Screen); m != nil {
			h.outLocked(m, e.Subject, e)
		}
		h.restLocked(e.Subject)
	case Kicked:
		h.expelLocked(e, v.Out, EndingKicked)
	case Barred:
		if !b.Bar.Mute {
			h.expelLocked(e, v.Out, EndingBanned)
		}
	case Undone:
		if v.Act.Kind == "withdrawn" {
			if l := h.rooms[v.Act.Where]; l != nil {
				l.giveBack(v.Act.Lines)
			}
		}
		h.expelLocked(e, v.Out, EndingBanned)
	default: // nobody goes
	}
}

// expelLocked takes the screens of people out of the rooms that they were put out of.
func (h *House) expelLocked(e *Event, out []Person, why Ending) {
	for _, who := range out {
		p := h.people[who.ID]
		if p == nil {
			continue
		}
		dismissed := false
		for _, m := range p.members {
			for _, s := range slices.Clone(m.rooms) {
				if h.rules.at(s.room, who.ID) == nil {
					h.places.goesOut(m, s.room, e.Seq)
					h.outLocked(m, s.room, e)
				}
			}
			if len(m.rooms) == 0 && m.came {
				m.dismiss(&Dismissal{Why: why, Event: e})
				dismissed = dismissed || !m.visit
			}
		}
		if dismissed && len(h.rules.in(who.ID)) == 0 {
			p.put++
		}
	}
	for where := range h.rooms {
		h.restLocked(where)
	}
}

// outLocked ends what a screen reads of a room behind the event that took it out.
func (h *House) outLocked(m *Member, where Subject, e *Event) {
	h.sights.leave(m.person.id, m.addr, e.At)
	m.rooms = slices.DeleteFunc(m.rooms, func(s stay) bool { return s.room == where })
	if l := h.rooms[where]; l != nil {
		m.reader.detach(l, e.Seq)
	}
}

// restLocked lets go of the log of an empty room; the archive has its lines.
func (h *House) restLocked(where Subject) {
	if in := h.rules.halls[where]; where != Lobby && h.archive != nil && (in == nil || len(in.members) == 0) {
		delete(h.rooms, where)
	}
}

// screenLocked finds a screen that is here, or about to be.
func (h *House) screenLocked(id PersonID, screen ScreenID) *Member {
	if p := h.people[id]; p != nil {
		for _, m := range p.members {
			if m.screen == screen {
				return m
			}
		}
	}
	return nil
}

// logLocked returns the log of a room, or makes it.
func (h *House) logLocked(where Subject) *Log {
	l := h.rooms[where]
	if l == nil {
		l = NewLog(h.opt.RingLines)
		h.rooms[where] = l
	}
	return l
}

// dismissLocked ends the screens of an account that may stay no longer, and takes an erased one's name from what was said.
func (h *House) dismissLocked(e *Event) {
	why, key := EndingErased, ""
	switch b := e.Body.(type) {
	case Erased:
		for _, l := range h.rooms {
			l.strike(e.From.ID)
		}
		h.sights.forget(e.From.ID)
	case KeyRemoved:
		why, key = EndingRevoked, b.Key
	default:
		return
	}
	p := h.people[e.From.ID]
	if p == nil {
		return
	}
	for _, m := range p.members {
		if key == "" || m.key == key {
			m.dismiss(&Dismissal{Why: why})
		}
	}
	if why == EndingErased {
		p.callBackLocked() // nobody waits for their return
	}
}

// decode makes the events of a batch: nil for a record whose data is damaged.
func (h *House) decode(batch []Committed) []*Event {
	events := make([]*Event, len(batch))
	for i, c := range batch {
		e, err := Decode(c)
		if err != nil {
			h.opt.Logger.Error("record unreadable", "seq", uint64(c.Seq), "err", err)
			continue
		}
		events[i] = e
	}
	return events
}

// logsLocked returns where an event that somebody reads belongs.
func (h *House) logsLocked(e *Event, v Verdict) []*Log {
	var logs []*Log
	add := func(l *Log) {
		if l != nil && !slices.Contains(logs, l) {
			logs = append(logs, l)
		}
	}
	own := func(id PersonID) {
		if p := h.people[id]; p != nil {
			add(p.log)
		}
	}
	switch b := e.Body.(type) {
	case Told:
		own(b.To.ID)
		own(e.From.ID)
		return logs
	case KeyAdded, KeyRemoved:
		own(e.From.ID)
		return logs
	case Invited:
		own(b.Whom.ID)
	case Ranked:
		own(b.Whom.ID)
	case Barred: // whoever was put out is told, too
		for _, p := range b.Out {
			own(p.ID)
		}
	case Undone:
		for _, p := range b.Out {
			own(p.ID)
		}
	default:
	}
	if len(v.Rooms) == 0 {
		add(h.rooms[e.Subject])
	}
	for _, where := range v.Rooms {
		add(h.rooms[where])
	}
	return logs
}

// Result is what became of one posted record.
type Result struct {
	Seq  Seq
	Void Void // empty if it took effect
	// Shown says that an event stands in the logs under Seq.
	Shown bool
	// Kept says of a direct message that its receiver is not here, and reads it on their return.
	Kept bool
	// Bar is the one that made it void, if one did.
	Bar *Bar
	// Out are the people whom it put out, or kept from speaking.
	Out []Person
	// Act is what it took back, or has struck or lifted: of that which was asked for, some may have ended before.
	Act *Act
}

// posting is one call of post, waiting for its records to be applied.
type posting struct {
	results []Result      // guarded by House.waitingMu until done is closed
	left    int           // guarded by House.waitingMu
	done    chan struct{} // closed when every record has its result
}

// awaited is one record of a posting.
type awaited struct {
	posting *posting
	index   int
}

// settle hands out verdicts.
func (h *House) settle(batch []Committed, verdicts []Verdict) {
	h.waitingMu.Lock()
	defer h.waitingMu.Unlock()
	for i, c := range batch {
		w, ok := h.waiting[c.Record.ID]
		if !ok {
			continue
		}
		delete(h.waiting, c.Record.ID)
		v := verdicts[i]
		w.posting.results[w.index] = Result{Seq: c.Seq, Void: v.Void, Shown: v.Shown, Kept: v.Kept, Bar: v.Bar, Out: v.Out, Act: v.Act}
		if w.posting.left--; w.posting.left == 0 {
			close(w.posting.done)
		}
	}
}

// retryPause is the wait before records whose outcome is unknown are sent again under the same IDs.
const retryPause = 50 * time.Millisecond

// post commits records and waits until they are applied, for CommitWait at most. ErrUnavailable: it is not known whether
// they will be; ErrConflict: they will not.
func (h *House) post(ctx context.Context, recs ...Record) ([]Result, error) {
	if len(recs) == 0 {
		return nil, nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, h.opt.CommitWait, ErrUnavailable)
	defer cancel()
	p := &posting{results: make([]Result, len(recs)), left: len(recs), done: make(chan struct{})}
	h.waitingMu.Lock()
	for i, r := range recs {
		h.waiting[r.ID] = awaited{p, i}
	}
	h.waitingMu.Unlock()
	defer h.forget(recs)

	begun := time.Now()
	for {
		_, err := h.journal.Append(ctx, recs...)
		if err == nil {
			break
		}
		if !errors.Is(err, ErrUnavailable) || ctx.Err() != nil {
			return nil, err
		}
		select {
		case <-p.done: // it had been committed after all
			return p.results, nil
		case <-time.After(retryPause):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-h.closed:
			return nil, ErrClosed
		}
	}
	h.counts.commit.Observe(time.Since(begun))
	select {
	case <-p.done:
		return p.results, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-h.closed:
		return nil, ErrClosed
	}
}

// forget takes away what post registered and nobody settled.
func (h *House) forget(recs []Record) {
	h.waitingMu.Lock()
	defer h.waitingMu.Unlock()
	for _, r := range recs {
		delete(h.waiting, r.ID)
	}
}

// Members lists who is in a room, in the order in which they came. Visits are not listed.
func (h *House) Members(room Subject) []Presence {
	h.mu.RLock()
	defer h.mu.RUnlock()
	members := h.rules.members(room)
	for i := range members {
		h.describeLocked(&members[i])
	}
	return members
}

// describeLocked adds what only this process knows of somebody.
func (h *House) describeLocked(m *Presence) {
	p := h.people[m.Person.ID]
	if p == nil {
		return
	}
	m.Away = p.live() == 0
	for _, s := range p.members {
		if used, lang := s.used(); used.After(m.Used) {
			m.Used, m.Lang = used, lang
		}
	}
}

// Holder returns who is listed under a name of their claim, such as its case key. From the moment that a new name of theirs can be
// seen it is nobody.
func (h *House) Holder(name string) (Person, bool) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	for _, p := range h.named[name] {
		if s := h.rules.nicks[p.id]; s != nil && slices.Contains(s.names, name) && len(h.rules.in(p.id)) > 0 {
			return p.snapshot(), true
		}
	}
	return Person{}, false
}
