package room

import (
	"cmp"
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

	trying bool
	undo   []func() // what takes back the changes since Attempt, in order
}

// standing is a person who is in at least one room.
type standing struct {
	nick    Nick
	screens int // over all rooms, visits too
	erased  bool
}

// hall is one room and who is in it.
type hall struct {
	members map[PersonID]*presence
	listed  int // members with a listed screen
}

// presence is a person in one room.
type presence struct {
	person Person
	since  time.Time
	order  Seq // of the join: members are listed as they came
	listed map[ScreenID]bool
	visits map[ScreenID]bool
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
)

// Voids lists every reason.
func Voids() []Void {
	return []Void{
		VoidNotMember, VoidGone, VoidNoSuchRoom, VoidRepeated, VoidUnknown, VoidUnreadable, VoidTaken, VoidNoAccount, VoidLastKey,
		VoidKeys, VoidFull,
	}
}

// NewRules returns the rules of an empty house.
func NewRules() *Rules {
	return &Rules{
		halls: map[Subject]*hall{Lobby: {members: map[PersonID]*presence{}}}, nicks: map[PersonID]*standing{},
		accounts: map[PersonID]*Account{}, owners: map[string]PersonID{}, keys: map[string]PersonID{}, held: map[string]time.Time{},
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
	if why := r.barred(e); why != "" {
		return void(why)
	}
	shown := Verdict{Shown: true, From: from}
	switch b := e.Body.(type) {
	case Said, Emoted:
		if r.at(e.Subject, from.ID) == nil {
			return void(VoidNotMember)
		}
		return shown
	case Told:
		switch {
		case r.nicks[from.ID] == nil:
			return void(VoidNotMember)
		case len(r.in(b.To.ID)) > 0:
			shown.To = b.To
			shown.To.Nick = r.nicks[b.To.ID].nick
			return shown
		case r.accounts[b.To.ID] != nil: // it is kept for them
			shown.To, shown.Kept = r.accounts[b.To.ID].Person(), true
			return shown
		}
		return void(VoidGone)
	case Joined:
		return r.join(e, b, from)
	case Parted:
		return r.part(e, b, from)
	case Renamed:
		return r.rename(e, b, from)
	case Registered, KeyAdded, KeyRemoved, Configured, Erased:
		return Verdict{Void: r.account(e, from), From: from}
	case Notice, Unknown:
	}
	return void(VoidUnknown)
}

// barred says why somebody can do nothing any more but leave: the key that they proved opens the account no longer that they act
// for, or the account has been erased, and with it the person.
func (r *Rules) barred(e *Event) Void {
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

func (r *Rules) join(e *Event, b Joined, from Person) Verdict {
	in := r.halls[e.Subject]
	if in == nil {
		return Verdict{Void: VoidNoSuchRoom, From: from}
	}
	if r.taken(b.Names, from.ID, e.At) {
		return Verdict{Void: VoidTaken, From: from}
	}
	p := in.members[from.ID]
	if p != nil && (p.listed[b.Screen] || p.visits[b.Screen]) {
		return Verdict{Void: VoidRepeated, From: from}
	}
	if p == nil {
		p = &presence{person: from, listed: map[ScreenID]bool{}, visits: map[ScreenID]bool{}}
		put(r, in.members, from.ID, p)
	}
	if s := r.nicks[from.ID]; s == nil {
		put(r, r.nicks, from.ID, &standing{nick: from.Nick, screens: 1})
	} else {
		set(r, &s.screens, s.screens+1)
	}
	if b.Visit {
		put(r, p.visits, b.Screen, true)
		return Verdict{From: from}
	}
	first := len(p.listed) == 0
	put(r, p.listed, b.Screen, true)
	if first {
		set(r, &p.since, e.At)
		set(r, &p.order, e.Seq)
		set(r, &in.listed, in.listed+1)
	}
	return Verdict{Shown: first, From: from}
}

func (r *Rules) part(e *Event, b Parted, from Person) Verdict {
	p := r.at(e.Subject, from.ID)
	if p == nil || !p.listed[b.Screen] && !p.visits[b.Screen] {
		return Verdict{Void: VoidRepeated, From: from}
	}
	visit := p.visits[b.Screen]
	drop(r, p.listed, b.Screen)
	drop(r, p.visits, b.Screen)
	last := !visit && len(p.listed) == 0
	in := r.halls[e.Subject]
	if last {
		set(r, &in.listed, in.listed-1)
	}
	if len(p.listed)+len(p.visits) == 0 {
		drop(r, in.members, from.ID)
	}
	if s := r.nicks[from.ID]; s.screens > 1 {
		set(r, &s.screens, s.screens-1)
	} else {
		drop(r, r.nicks, from.ID)
	}
	return Verdict{Shown: last, From: from}
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
	for _, in := range r.halls {
		if p := in.members[from.ID]; p != nil {
			set(r, &p.person.Nick, b.To)
		}
	}
	return Verdict{Shown: len(r.in(from.ID)) > 0, From: from}
}

// at finds a person in a room; nil if they are not in it.
func (r *Rules) at(room Subject, id PersonID) *presence {
	in := r.halls[room]
	if in == nil {
		return nil
	}
	return in.members[id]
}

// in returns the rooms where a person has a listed screen.
func (r *Rules) in(id PersonID) []Subject {
	var rooms []Subject
	for room := range r.halls {
		if p := r.at(room, id); p != nil && len(p.listed) > 0 {
			rooms = append(rooms, room)
		}
	}
	return rooms
}

// Presence is a person in a room, as /who lists them.
type Presence struct {
	Person  Person
	Since   time.Time // when the first of the screens joined
	Screens int
	Account bool // the nickname is theirs
	Away    bool // their connection was cut a moment ago, and may come back
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
		a := r.accounts[p.person.ID]
		out[i] = Presence{Person: p.person, Since: p.since, Screens: len(p.listed), Account: a != nil && a.Nick == p.person.Nick}
	}
	return out
}

// listedIn counts who is in a room.
func (r *Rules) listedIn(room Subject) int {
	in := r.halls[room]
	if in == nil {
		return 0
	}
	return in.listed
}
