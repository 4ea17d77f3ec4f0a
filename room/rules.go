package room

import (
	"cmp"
	"net/netip"
	"slices"
	"time"
)

// Rules are what the house makes of its records: who is in which room, and whether a record takes effect. They are a
// deterministic function of the log: the same records in the same order give the same verdicts on every node and in every
// replay, so they use no clock but the record's own At, no chance and no setting that could differ. They belong to one
// goroutine at a time.
type Rules struct {
	halls map[Subject]*hall
	nicks map[PersonID]*standing

	accounts map[PersonID]*Account
	owners   map[string]PersonID  // of every name that an account owns
	keys     map[string]PersonID  // whose account a proven key opens, by its fingerprint
	held     map[string]time.Time // names of erased accounts, and until when nobody may wear them

	// ousted are the bars that put people out of the house a moment ago: what they had sent by then is void for that reason, though
	// nobody knows any more what they were called or where they came from.
	ousted map[PersonID]*Bar

	charter
	changes []Change // of the charter, since Changes was called

	replaying bool // what is applied took effect once; it is not judged again

	trying bool
	undo   []func() // what takes back the changes since Attempt, in order
}

// standing is a person who is in at least one room.
type standing struct {
	nick    Nick
	names   []string    // of the nickname
	screens int         // over all rooms, visits too
	seats   []seat      // one for each screen; replaced, never changed
	where   []*presence // one for each room; likewise
	bars    []*Bar      // that hit the person
	away    *Absent
	erased  bool
}

// seat is one screen of a person.
type seat struct {
	of    ScreenID
	key   string
	addr  netip.Addr // invalid for not known
	rooms int        // that it is in
}

// hall is who is in a room.
type hall struct {
	members map[PersonID]*presence
	listed  int                    // members with a listed screen
	spoke   map[PersonID]time.Time // when people last spoke in it, while it is slow
	said    bool                   // something was said in it, for all that is known
}

func newHall() *hall {
	return &hall{members: map[PersonID]*presence{}, spoke: map[PersonID]time.Time{}}
}

// presence is a person in one room.
type presence struct {
	room   Subject
	person Person
	since  time.Time
	order  Seq        // of the join: members are listed as they came
	listed []ScreenID // replaced, never changed
	visits []ScreenID // likewise
}

// has says that a screen is in the room, listed or not.
func (p *presence) has(s ScreenID) bool {
	return slices.Contains(p.listed, s) || slices.Contains(p.visits, s)
}

// without returns the screens but one.
func without(screens []ScreenID, one ScreenID) []ScreenID {
	return slices.DeleteFunc(slices.Clone(screens), func(s ScreenID) bool { return s == one })
}

// Verdict says what became of a committed record.
type Verdict struct {
	Shown bool // put into the logs it concerns; a record may take effect without being shown: a second screen
	Void  Void // why it has no effect at all; empty if it has
	// From is the author as of this place: a line that was on its way while its author was renamed carries the new name, so that
	// it cannot speak under one that is somebody else's by now.
	From Person
	// To is the receiver of a direct message as of this place, for the same reason.
	To Person
	// Kept says that the receiver is not here now, and reads it on their return.
	Kept bool
	// Out are the people whom the record put out of its room or, where that is the house, out of all rooms.
	Out []Person
	// Left are those of them who were listed in the lobby until then.
	Left []Person
	// Rooms are those that are told of a record whose subject is not one room.
	Rooms []Subject
	// Bar is the one that made a record void.
	Bar *Bar
	// Act is what the record takes back, or has struck or lifted.
	Act *Act
}

// Void is the reason why a record has no effect, told to its author.
type Void string

// The reasons.
const (
	VoidNotMember  Void = "not_member"    // the author is not in the room
	VoidGone       Void = "gone"          // the receiver of a direct message is not here
	VoidNoSuchRoom Void = "no_room"       // the subject is not a room that people can be in
	VoidRepeated   Void = "repeated"      // a screen that joined already, or left already
	VoidUnknown    Void = "unknown"       // a kind that only a newer program knows
	VoidUnreadable Void = "unreadable"    // damaged data
	VoidTaken      Void = "taken"         // the name or the key is somebody else's
	VoidNoAccount  Void = "no_account"    // the author has no account
	VoidLastKey    Void = "last_key"      // an account without a key would be nobody's
	VoidKeys       Void = "too_many_keys" // the account has MaxKeys already
	VoidFull       Void = "full"          // so much is kept for the receiver that no more is taken; found before it is posted
	VoidNotAllowed Void = "not_allowed"   // the author has not the role that it takes
	VoidProtected  Void = "protected"     // it is done to somebody whose role is not below the author's
	VoidBanned     Void = "banned"        // the author is kept out, of the room or of the house
	VoidMuted      Void = "muted"         // the author may not speak
	VoidSlow       Void = "slow"          // the author spoke in the room a moment ago
	VoidLocked     Void = "locked"        // only people with accounts come in
	VoidPrivate    Void = "private"       // only people who are invited come in
	VoidNobody     Void = "nobody"        // whom it is done to is not there
	VoidNoAct      Void = "no_act"        // what it takes back was not done, or long ago, or by somebody else
	VoidFinal      Void = "final"         // what it takes back cannot be taken back
	VoidChanged    Void = "changed"       // what it takes back has been changed since
	VoidNoChange   Void = "no_change"     // it is so already
	VoidTooMany    Void = "too_many"      // there are as many of the kind as there can be
	VoidInUse      Void = "in_use"        // a room that is not empty, or that somebody owns, does not end
)

// Voids lists every reason.
func Voids() []Void {
	return []Void{
		VoidNotMember, VoidGone, VoidNoSuchRoom, VoidRepeated, VoidUnknown, VoidUnreadable, VoidTaken, VoidNoAccount, VoidLastKey,
		VoidKeys, VoidFull, VoidNotAllowed, VoidProtected, VoidBanned, VoidMuted, VoidSlow, VoidLocked, VoidPrivate, VoidNobody, VoidNoAct,
		VoidFinal, VoidChanged, VoidNoChange, VoidTooMany, VoidInUse,
	}
}

// NewRules returns the rules of an empty house.
func NewRules() *Rules {
	return &Rules{
		halls: map[Subject]*hall{Lobby: newHall()}, nicks: map[PersonID]*standing{},
		accounts: map[PersonID]*Account{}, owners: map[string]PersonID{}, keys: map[string]PersonID{}, held: map[string]time.Time{},
		ousted: map[PersonID]*Bar{}, charter: newCharter(),
	}
}

// Attempt begins to note what Apply changes, so that Undo can take it back: for a journal that applies the rules before its
// commit is certain. Keep or Undo ends it.
func (r *Rules) Attempt() { r.trying = true }

// Keep makes what was applied since Attempt final.
func (r *Rules) Keep() {
	clear(r.undo)
	r.undo, r.trying = r.undo[:0], false
}

// Undo takes back what was applied since Attempt.
func (r *Rules) Undo() {
	for _, u := range slices.Backward(r.undo) {
		u()
	}
	r.changes = nil
	r.Keep()
}

// set, put and drop are how rules change: they note how to take it back.
func set[T any](r *Rules, p *T, v T) {
	if r.trying {
		old := *p
		r.undo = append(r.undo, func() { *p = old })
	}
	*p = v
}

func put[K comparable, V any](r *Rules, m map[K]V, k K, v V) {
	r.note(func() func() {
		old, had := m[k]
		return func() {
			if had {
				m[k] = old
			} else {
				delete(m, k)
			}
		}
	})
	m[k] = v
}

func drop[K comparable, V any](r *Rules, m map[K]V, k K) {
	if old, had := m[k]; had {
		r.note(func() func() { return func() { m[k] = old } })
		delete(m, k)
	}
}

func (r *Rules) note(back func() func()) {
	if r.trying {
		r.undo = append(r.undo, back())
	}
}

// Apply takes the next record of the order into account.
func (r *Rules) Apply(e *Event) Verdict {
	from := e.From
	if s := r.nicks[from.ID]; s != nil {
		from.Nick = s.nick
	}
	void := func(why Void) Verdict { return Verdict{Void: why, From: from} }
	if why := r.dismissed(e); why != "" {
		return void(why)
	}
	if bar := r.barred(e); bar != nil {
		why := VoidBanned
		if bar.Mute {
			why = VoidMuted
		}
		return Verdict{Void: why, From: from, Bar: bar}
	}
	switch b := e.Body.(type) {
	case Said, Emoted:
		return r.speak(e, from)
	case Told:
		return r.tell(b, from)
	case Joined:
		return r.join(e, b, from)
	case Parted:
		return r.part(e, b, from)
	case Renamed:
		return r.rename(e, b, from)
	case Absent:
		return r.absent(e, b, from)
	case Registered, KeyAdded, KeyRemoved, Configured, Erased:
		why := r.account(e, from)
		if why == "" {
			r.rebar(from.ID)
		}
		return void(why)
	case Opened, Closed, Arranged, Invited, Ranked, Appointed, Kicked, Barred, Lifted, Undone, Withdrawn, Announced:
		e := *e
		e.From = from
		return r.order(&e)
	case Removed, Notice, Unknown:
	}
	return void(VoidUnknown)
}

// dismissed says why somebody can do nothing any more but leave: the key that they proved opens the account no longer that they act
// for, or the account has been erased, and with it the person.
func (r *Rules) dismissed(e *Event) Void {
	if _, leaves := e.Body.(Parted); leaves {
		return ""
	}
	if s := r.nicks[e.From.ID]; s != nil && s.erased {
		return VoidNotMember
	}
	if a := r.accounts[e.From.ID]; a != nil && !slices.Contains(a.Keys, e.From.Key) {
		return VoidTaken
	}
	return ""
}

// spokeSlack is of how many people more than twice those who are in a slow room it is known when they spoke, before it is looked at who
// may speak again anyway.
const spokeSlack = 32

func (r *Rules) speak(e *Event, from Person) Verdict {
	in := r.halls[e.Subject]
	if in == nil || in.members[from.ID] == nil {
		return Verdict{Void: VoidNotMember, From: from}
	}
	if pause := r.rooms[e.Subject].Slow; pause > 0 && r.roleIn(from, e.Subject) < RoleModerator {
		if last, spoke := in.spoke[from.ID]; spoke && e.At.Sub(last) < pause {
			return Verdict{Void: VoidSlow, From: from}
		}
		put(r, in.spoke, from.ID, e.At)
		if len(in.spoke) > 2*len(in.members)+spokeSlack {
			for id, at := range in.spoke {
				if e.At.Sub(at) >= pause {
					drop(r, in.spoke, id)
				}
			}
		}
	}
	if !in.said {
		set(r, &in.said, true)
	}
	if s := r.nicks[from.ID]; s.away != nil { // who speaks is back
		set(r, &s.away, nil)
	}
	return Verdict{Shown: true, From: from}
}

func (r *Rules) tell(b Told, from Person) Verdict {
	shown := Verdict{Shown: true, From: from}
	switch {
	case r.nicks[from.ID] == nil:
		return Verdict{Void: VoidNotMember, From: from}
	case len(r.in(b.To.ID)) > 0:
		shown.To = b.To
		shown.To.Nick = r.nicks[b.To.ID].nick
		return shown
	case r.accounts[b.To.ID] != nil: // it is kept for them
		shown.To, shown.Kept = r.accounts[b.To.ID].Person(), true
		return shown
	}
	return Verdict{Void: VoidGone, From: from}
}

func (r *Rules) join(e *Event, b Joined, from Person) Verdict {
	in := r.halls[e.Subject]
	if in == nil {
		return Verdict{Void: VoidNoSuchRoom, From: from}
	}
	if r.taken(b.Names, from.ID, e.At) {
		return Verdict{Void: VoidTaken, From: from}
	}
	p := in.members[from.ID]
	if p != nil && p.has(b.Screen) {
		return Verdict{Void: VoidRepeated, From: from}
	}
	if why := r.closedTo(r.rooms[e.Subject], b, from, p != nil); why != "" {
		return Verdict{Void: why, From: from}
	}
	r.sit(b, from)
	if p == nil {
		p = &presence{room: e.Subject, person: from}
		put(r, in.members, from.ID, p)
		s := r.nicks[from.ID]
		set(r, &s.where, append(slices.Clip(s.where), p))
	}
	if b.Visit {
		set(r, &p.visits, append(slices.Clip(p.visits), b.Screen))
		return Verdict{From: from}
	}
	first := len(p.listed) == 0
	set(r, &p.listed, append(slices.Clip(p.listed), b.Screen))
	if first {
		set(r, &p.since, e.At)
		set(r, &p.order, e.Seq)
		set(r, &in.listed, in.listed+1)
	}
	return Verdict{Shown: first, From: from}
}

// closedTo says why a room does not let somebody in; inside says that they are in it already, on another screen.
func (r *Rules) closedTo(m *Room, b Joined, who Person, inside bool) Void {
	role := r.roleIn(who, m.Subject)
	switch {
	case inside || r.keeps(who, m):
		return ""
	case m.Private && !m.invites(who) && (m.Password == "" || b.Pass != m.Password):
		return VoidPrivate
	case m.Locked && role == RoleGuest && (!m.Private || !m.invites(who)):
		return VoidLocked
	}
	return ""
}

// sit takes in that a screen is in one more room.
func (r *Rules) sit(b Joined, who Person) {
	s := r.nicks[who.ID]
	if s == nil {
		s = &standing{nick: who.Nick, names: b.Names}
		put(r, r.nicks, who.ID, s)
		drop(r, r.ousted, who.ID)
	}
	set(r, &s.screens, s.screens+1)
	if s.count(r, b.Screen, +1) {
		return
	}
	addr, _ := netip.ParseAddr(b.Addr) // the zero Addr for none
	set(r, &s.seats, append(slices.Clip(s.seats), seat{of: b.Screen, key: who.Key, addr: addr, rooms: 1}))
	r.rebar(who.ID)
}

// rise takes in that a screen is in one room less.
func (r *Rules) rise(id PersonID, screen ScreenID) {
	s := r.nicks[id]
	if s.screens == 1 {
		drop(r, r.nicks, id)
		return
	}
	set(r, &s.screens, s.screens-1)
	seats := len(s.seats)
	if s.count(r, screen, -1); len(s.seats) < seats {
		r.rebar(id) // where it came from is nothing to them any more
	}
}

// count changes in how many rooms a screen is, and says whether there is such a screen.
func (s *standing) count(r *Rules, screen ScreenID, by int) bool {
	i := slices.IndexFunc(s.seats, func(at seat) bool { return at.of == screen })
	if i < 0 {
		return false
	}
	seats := slices.Clone(s.seats)
	if seats[i].rooms += by; seats[i].rooms == 0 {
		seats = slices.Delete(seats, i, i+1)
	}
	set(r, &s.seats, seats)
	return true
}

func (r *Rules) part(e *Event, b Parted, from Person) Verdict {
	p := r.at(e.Subject, from.ID)
	if p == nil || !p.has(b.Screen) {
		return Verdict{Void: VoidRepeated, From: from}
	}
	visit := slices.Contains(p.visits, b.Screen)
	set(r, &p.listed, without(p.listed, b.Screen))
	set(r, &p.visits, without(p.visits, b.Screen))
	last := !visit && len(p.listed) == 0
	in := r.halls[e.Subject]
	if last {
		set(r, &in.listed, in.listed-1)
	}
	if len(p.listed)+len(p.visits) == 0 {
		r.leaveHall(e.Subject, from.ID)
	}
	r.rise(from.ID, b.Screen)
	return Verdict{Shown: last, From: from}
}

func (r *Rules) leaveHall(where Subject, id PersonID) {
	drop(r, r.halls[where].members, id)
	s := r.nicks[id]
	set(r, &s.where, slices.DeleteFunc(slices.Clone(s.where), func(p *presence) bool { return p.room == where }))
}

// expel takes all screens of a person out of a room, and says whether they were listed in it.
func (r *Rules) expel(where Subject, id PersonID) (listed bool) {
	in, p := r.halls[where], r.at(where, id)
	if p == nil {
		return false
	}
	if listed = len(p.listed) > 0; listed {
		set(r, &in.listed, in.listed-1)
	}
	r.leaveHall(where, id)
	for _, s := range slices.Concat(p.listed, p.visits) {
		r.rise(id, s)
	}
	return listed
}

func (r *Rules) rename(e *Event, b Renamed, from Person) Verdict {
	s := r.nicks[from.ID]
	switch {
	case s == nil:
		return Verdict{Void: VoidNotMember, From: from}
	case r.taken(b.Names, from.ID, e.At):
		return Verdict{Void: VoidTaken, From: from}
	}
	set(r, &s.nick, b.To)
	set(r, &s.names, b.Names)
	for _, p := range s.where {
		set(r, &p.person.Nick, b.To)
	}
	r.rebar(from.ID)
	rooms := r.in(from.ID)
	return Verdict{Shown: len(rooms) > 0, From: from, Rooms: rooms}
}

func (r *Rules) absent(_ *Event, b Absent, from Person) Verdict {
	s := r.nicks[from.ID]
	if s == nil {
		return Verdict{Void: VoidNotMember, From: from}
	}
	var away *Absent
	if b.Away {
		away = &b
	}
	set(r, &s.away, away)
	return Verdict{From: from}
}

// at finds a person in a room; nil if they are not in it.
func (r *Rules) at(room Subject, id PersonID) *presence {
	in := r.halls[room]
	if in == nil {
		return nil
	}
	return in.members[id]
}

// in returns the rooms where a person has a listed screen, in the order of their names.
func (r *Rules) in(id PersonID) []Subject {
	var rooms []Subject
	if s := r.nicks[id]; s != nil {
		for _, p := range s.where {
			if len(p.listed) > 0 {
				rooms = append(rooms, p.room)
			}
		}
	}
	slices.Sort(rooms)
	return rooms
}

// Presence is a person in a room, as /who lists them.
type Presence struct {
	Person  Person
	Since   time.Time // when the first of the screens joined
	Screens int
	Account bool // the nickname is theirs
	Role    Role
	Away    bool    // their connection was cut a moment ago, and may come back
	Absent  *Absent // they said that they are away; nil for not
	// Used is when they last typed anything, on any of their screens; zero where that is not known. Lang is what they read.
	Used time.Time
	Lang string
}

// members lists who is in a room, in the order in which they came.
func (r *Rules) members(room Subject) []Presence {
	in := r.halls[room]
	if in == nil {
		return nil
	}
	list := make([]*presence, 0, in.listed)
	for _, p := range in.members {
		if len(p.listed) > 0 {
			list = append(list, p)
		}
	}
	slices.SortFunc(list, func(a, b *presence) int { return cmp.Compare(a.order, b.order) })
	out := make([]Presence, len(list))
	for i, p := range list {
		out[i] = r.describe(p)
	}
	return out
}

// describe is somebody in a room as /who lists them.
func (r *Rules) describe(p *presence) Presence {
	a := r.accounts[p.person.ID]
	return Presence{
		Person: p.person, Since: p.since, Screens: len(p.listed), Account: a != nil && a.Nick == p.person.Nick,
		Role: r.topRole(p.person, p.room), Absent: r.nicks[p.person.ID].away,
	}
}

// listedIn counts who is in a room.
func (r *Rules) listedIn(room Subject) int {
	in := r.halls[room]
	if in == nil {
		return 0
	}
	return in.listed
}
