package room

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
)

// This file is the rules' part that keeps order: who may do what to whom, and what comes of it.

// barred returns the bar that makes a record void, of several the one that holds the longest; nil for none. Operators cannot be barred. Who is barred may still leave.
func (r *Rules) barred(e *Event) *Bar {
	if len(r.bars) == 0 || e.From.ID == "" {
		return nil
	}
	var candidates []*Bar
	switch b := e.Body.(type) {
	case Parted:
		return nil
	case Joined:
		candidates = r.hitting(r.seeker(e.From, &b))
	case Renamed: // the old name is given away
		who := r.seeker(e.From, nil)
		who.Names = b.Names
		candidates = r.hitting(who)
	default:
		if s := r.nicks[e.From.ID]; s != nil {
			candidates = s.bars
		} else {
			candidates = r.hitting(r.seeker(e.From, nil))
		}
	}
	_, joins := e.Body.(Joined) // from elsewhere, maybe
	if bar := r.ousted[e.From.ID]; bar != nil && r.bars[bar.ID] != nil && !joins {
		candidates = append(slices.Clip(candidates), bar)
	}
	var last *Bar
	for _, bar := range candidates {
		if !bar.over(e.At) && r.concerned(bar, e) && bar.outlasts(last) {
			last = bar
		}
	}
	if last != nil && r.topRole(e.From, e.Subject) == RoleOperator {
		return nil
	}
	return last
}

// concerned says that a bar which hits the author of a record makes it void.
func (r *Rules) concerned(b *Bar, e *Event) bool {
	if _, renames := e.Body.(Renamed); renames { // they would be in a room under a name that is kept out of it
		return b.Where == HouseSubject || r.at(b.Where, e.From.ID) != nil // and a name can say much, too
	}
	if b.Where != HouseSubject && b.Where != e.Subject {
		return false
	}
	switch body := e.Body.(type) {
	case KeyAdded, KeyRemoved, Configured, Erased: // an account stays its owner's, and the operator's to end
		return false
	case Said, Emoted, Told, Announced, Opened:
		return true
	case Arranged:
		return !b.Mute || body.What == AspectTopic
	case Absent:
		return !b.Mute || !body.Text.Empty()
	default:
		return !b.Mute
	}
}

// seeker returns somebody as bars see them; join is how they come in, if they do.
func (r *Rules) seeker(who Person, join *Joined) Seeker {
	s := Seeker{Person: who.ID, Keys: []string{who.Key}}
	if a := r.accounts[who.ID]; a != nil {
		s.Keys = append(s.Keys, a.Keys...)
		s.Names = append(s.Names, a.Names...)
	}
	if here := r.nicks[who.ID]; here != nil {
		s.Names = append(s.Names, here.names...)
		for _, at := range here.seats {
			s.Keys = append(s.Keys, at.key)
			if at.addr.IsValid() {
				s.Addrs = append(s.Addrs, at.addr)
			}
		}
	}
	if join != nil {
		s.Names = append(s.Names, join.Names...)
		if a, err := netip.ParseAddr(join.Addr); err == nil {
			s.Addrs = append(s.Addrs, a)
		}
	}
	return s
}

// extendBars has the bars that mean the owner of an account mean a key that comes to it, too: it would else open the way that they close,
// once the account is gone.
func (r *Rules) extendBars(a *Account, key string) {
	for _, b := range r.bars {
		if (Target{Persons: b.Target.Persons, Keys: b.Target.Keys}).Hits(Seeker{Person: a.ID, Keys: a.Keys}) {
			more := *b
			more.Target.Keys = append(slices.Clip(b.Target.Keys), key)
			r.putBar(&more)
		}
	}
}

// hitting returns the bars that mean somebody, the oldest first.
func (r *Rules) hitting(who Seeker) []*Bar {
	var hit []*Bar
	for _, b := range r.bars {
		if b.Target.Hits(who) {
			hit = append(hit, b)
		}
	}
	slices.SortFunc(hit, func(a, b *Bar) int {
		if c := a.At.Compare(b.At); c != 0 {
			return c
		}
		return bytes.Compare(a.ID[:], b.ID[:])
	})
	return hit
}

// rebar finds out anew which bars hit somebody who is here.
func (r *Rules) rebar(id PersonID) {
	s := r.nicks[id]
	if s == nil || len(s.bars)+len(r.bars) == 0 {
		return
	}
	set(r, &s.bars, r.hitting(r.seeker(Person{ID: id}, nil)))
}

// rebarAll does so for everybody.
func (r *Rules) rebarAll() {
	for id := range r.nicks {
		r.rebar(id)
	}
}

// order applies what is done to rooms and to keep order.
func (r *Rules) order(e *Event) Verdict {
	void := func(why Void) Verdict { return Verdict{Void: why, From: e.From} }
	r.prune(e.At)
	switch b := e.Body.(type) {
	case Appointed:
		if e.From.ID != "" {
			return void(VoidNotAllowed)
		}
		r.appoint(b.Keys)
		return Verdict{From: e.From}
	case Closed:
		return void(r.close(e))
	case Opened: // by whoever is about to enter it
		return void(r.openAs(e, b))
	case Arranged:
		return r.arrange(e, b)
	case Invited:
		return r.invite(e, b)
	case Ranked:
		return r.rank(e, b)
	case Kicked:
		return r.kick(e, b)
	case Barred:
		return r.bar(e, b)
	case Lifted:
		return r.lift(e, b)
	case Undone:
		return r.takeBack(e, b)
	case Withdrawn:
		return r.withdraw(e, b)
	case Announced:
		if why := r.refused(e, DeedAnnounce); why != "" {
			return void(why)
		}
		return Verdict{Shown: true, From: e.From, Rooms: r.allRooms()}
	default:
		return void(VoidUnknown)
	}
}

// Replay takes in what a record that took effect once has left behind of accounts and of the charter. Who was here then is not known
// any more, so nothing is judged again.
func (r *Rules) Replay(e *Event) {
	r.replaying = true
	defer func() { r.replaying = false }()
	switch e.Body.(type) {
	case Registered, KeyAdded, KeyRemoved, Configured, Erased:
		r.account(e, e.From)
	case Opened, Closed, Arranged, Invited, Ranked, Appointed, Kicked, Barred, Lifted, Undone, Withdrawn:
		r.order(e)
	default: // nothing is left of it
	}
}

// withdraw strikes lines: of those that another act has struck already, nothing is left to take back.
func (r *Rules) withdraw(e *Event, b Withdrawn) Verdict {
	why := r.refused(e, DeedWithdraw)
	lines := slices.DeleteFunc(slices.Clone(b.Lines), func(line ID) bool { return r.withdrawn(e.Subject, line) })
	if why == "" && len(lines) == 0 {
		why = VoidNoChange
	}
	if why != "" {
		return Verdict{Void: why, From: e.From}
	}
	act := actOf(e, "withdrawn")
	act.Lines = lines
	r.putAct(act)
	return Verdict{Shown: true, From: e.From, Act: act}
}

// withdrawn says that a line of a room is struck by an act that nobody has taken back.
func (r *Rules) withdrawn(where Subject, line ID) bool {
	for _, a := range r.acts {
		if !a.Undone && a.Where == where && slices.Contains(a.Lines, line) {
			return true
		}
	}
	return false
}

// refused says why the author may not do something in the record's room.
func (r *Rules) refused(e *Event, d Deed) Void {
	switch {
	case e.Subject != HouseSubject && r.rooms[e.Subject] == nil:
		return VoidNoSuchRoom
	case !r.may(e.From, d, e.Subject):
		return VoidNotAllowed
	}
	return ""
}

func (r *Rules) appoint(keys []string) {
	set(r, &r.appointed, slices.Clone(keys))
	r.changed(keptAppointed, keys)
}

// allRooms lists every room with somebody in it.
func (r *Rules) allRooms() []Subject {
	var rooms []Subject
	for where, in := range r.halls {
		if in.listed > 0 {
			rooms = append(rooms, where)
		}
	}
	slices.Sort(rooms)
	return rooms
}

func (r *Rules) openAs(e *Event, b Opened) Void {
	if r.rooms[e.Subject] != nil || len(b.Names) == 0 || !strings.HasPrefix(string(e.Subject), "room/") {
		return VoidTaken
	}
	for _, n := range b.Names {
		if _, taken := r.named[n]; taken {
			return VoidTaken
		}
	}
	if len(r.rooms) >= MaxRooms {
		return VoidTooMany
	}
	m := &Room{Subject: e.Subject, Name: b.Name, Names: b.Names, Opened: e.Seq, Since: e.At}
	if r.accounts[e.From.ID] != nil {
		m.Keepers = []PersonID{e.From.ID}
	}
	r.openRoom(m)
	return ""
}

func (r *Rules) close(e *Event) Void {
	m := r.rooms[e.Subject]
	switch {
	case e.From.ID != "":
		return VoidNotAllowed
	case m == nil:
		return VoidNoSuchRoom
	case r.replaying:
	case m.Subject == Lobby || r.ownerOf(m) != "" || len(r.halls[e.Subject].members) > 0:
		return VoidInUse
	}
	r.closeRoom(m)
	for id, b := range r.bars {
		if b.Where == e.Subject {
			r.dropBar(id)
		}
	}
	for id, a := range r.acts {
		if a.Where == e.Subject {
			drop(r, r.acts, id)
			r.changed(keptAct+id.String(), nil)
		}
	}
	r.rebarAll()
	return ""
}

// aspects are what can be arranged about a room, and what it takes.
var aspects = map[Aspect]Deed{
	AspectTopic: DeedTopic, AspectPrivate: DeedPrivate, AspectPassword: DeedPrivate, AspectLocked: DeedLock, AspectSlow: DeedSlow,
}

func (r *Rules) arrange(e *Event, b Arranged) Verdict {
	void := func(why Void) Verdict { return Verdict{Void: why, From: e.From} }
	deed, known := aspects[b.What]
	if !known {
		return void(VoidUnknown)
	}
	if why := r.refused(e, deed); why != "" {
		return void(why)
	}
	if !r.replaying && r.at(e.Subject, e.From.ID) == nil && r.roleIn(e.From, e.Subject) < RoleModerator {
		return void(VoidNotMember)
	}
	old := r.rooms[e.Subject]
	if old == nil || old.Subject == Lobby && (b.What == AspectPrivate || b.What == AspectPassword) {
		return void(VoidNoSuchRoom) // everybody comes into the lobby
	}
	m := old.clone()
	switch b.What {
	case AspectTopic:
		m.Topic = Topic{}
		if b.Value != "" {
			m.Topic = Topic{Text: Sentence(b.Value), By: e.From, At: e.At}
		}
		if m.Topic.Text == old.Topic.Text {
			return void(VoidNoChange)
		}
	case AspectPrivate:
		if m.Private = b.Value != ""; m.Private {
			m.welcome(b.Inside)
		}
	case AspectLocked:
		m.Locked = b.Value != ""
	case AspectSlow:
		m.Slow = slow(b.Value)
	case AspectPassword:
		m.Password = b.Value
	case aspectInvited, aspectKeepers: // no aspects that can be arranged
	}
	if !r.change(e, "arranged", b.What, "", old, m) {
		return void(VoidNoChange)
	}
	return Verdict{Shown: true, From: e.From}
}

// change puts a room in place of what it was, and notes how to undo that. It says false if nothing is another.
func (r *Rules) change(e *Event, kind string, what Aspect, of PersonID, old, m *Room) bool {
	was, became := old.read(what), m.read(what)
	if bytes.Equal(was, became) {
		return false
	}
	r.putRoom(m)
	act := actOf(e, kind)
	act.What, act.Of, act.Was, act.Became = what, of, was, became
	r.putAct(act)
	return true
}

func (r *Rules) invite(e *Event, b Invited) Verdict {
	void := func(why Void) Verdict { return Verdict{Void: why, From: e.From} }
	old := r.rooms[e.Subject]
	if old == nil {
		return void(VoidNoSuchRoom)
	}
	self := b.Whom.ID == e.From.ID && old.Password != "" && b.Pass == old.Password
	if !self && !r.may(e.From, DeedInvite, e.Subject) {
		return void(VoidNotAllowed)
	}
	m := old.clone()
	if b.Out {
		m.Invited = slices.DeleteFunc(m.Invited, func(p Person) bool {
			return p.ID == b.Whom.ID || p.Key != "" && p.Key == b.Whom.Key
		})
	} else if !m.invites(b.Whom) {
		if len(m.Invited) >= MaxInvited {
			return void(VoidTooMany)
		}
		m.Invited = append(m.Invited, b.Whom)
	}
	if !r.change(e, "invited", aspectInvited, b.Whom.ID, old, m) {
		return void(VoidNoChange)
	}
	if self { // nobody's act
		drop(r, r.acts, e.ID)
		r.changed(keptAct+e.ID.String(), nil)
	}
	return Verdict{From: e.From, To: b.Whom, Shown: !self}
}

func (r *Rules) rank(e *Event, b Ranked) Verdict {
	void := func(why Void) Verdict { return Verdict{Void: why, From: e.From} }
	deed := DeedPromote
	if e.Subject == HouseSubject {
		deed = DeedAppoint
	}
	if why := r.refused(e, deed); why != "" {
		return void(why)
	}
	if r.accounts[b.Whom.ID] == nil {
		return void(VoidNoAccount)
	}
	if e.Subject == HouseSubject {
		on := b.Role == RoleOperator
		if had := r.granted[b.Whom.ID]; had == on {
			return void(VoidNoChange)
		}
		act := actOf(e, "ranked")
		act.Of, act.Had = b.Whom.ID, !on
		r.putAct(act)
		r.grant(b.Whom.ID, on)
		return Verdict{From: e.From, To: b.Whom, Shown: true}
	}
	old := r.rooms[e.Subject]
	if e.Subject == Lobby && b.Role == RoleOwner {
		return void(VoidNotAllowed)
	}
	if !r.replaying && (b.Role > RoleOwner || r.roleIn(b.Whom, e.Subject) == RoleOwner && b.Whom.ID != e.From.ID && r.roleIn(e.From, e.Subject) < RoleOperator) {
		return void(VoidProtected)
	}
	m := old.clone()
	m.Keepers = slices.DeleteFunc(m.Keepers, func(id PersonID) bool { return id == b.Whom.ID || r.accounts[id] == nil })
	switch {
	case b.Role == RoleOwner && len(m.Keepers) >= MaxKeepers:
		return void(VoidTooMany)
	case b.Role == RoleOwner:
		m.Keepers = slices.Insert(m.Keepers, 0, b.Whom.ID)
	case b.Role == RoleModerator && len(old.Keepers) > 0 && r.ownerOf(old) == b.Whom.ID:
		return void(VoidNoChange)
	case b.Role == RoleModerator:
		if len(m.Keepers) == 0 && e.Subject != Lobby { // somebody has to own it
			m.Keepers = append(m.Keepers, b.Whom.ID)
			break
		}
		if len(m.Keepers) >= MaxKeepers {
			return void(VoidTooMany)
		}
		if slices.Contains(old.Keepers, b.Whom.ID) {
			return void(VoidNoChange)
		}
		m.Keepers = append(m.Keepers, b.Whom.ID)
	}
	if !r.change(e, "ranked", aspectKeepers, b.Whom.ID, old, m) {
		return void(VoidNoChange)
	}
	return Verdict{From: e.From, To: b.Whom, Shown: true}
}

func (r *Rules) kick(e *Event, b Kicked) Verdict {
	void := func(why Void) Verdict { return Verdict{Void: why, From: e.From} }
	if why := r.refused(e, DeedKick); why != "" {
		return void(why)
	}
	act := actOf(e, "kicked")
	act.Of = b.Whom.ID
	p := r.at(e.Subject, b.Whom.ID)
	switch {
	case r.replaying:
		r.uninvite(e.Subject, b.Whom)
		r.putAct(act)
		return Verdict{}
	case p == nil:
		return void(VoidNobody)
	case !r.above(e.From, p.person, e.Subject):
		return void(VoidProtected)
	}
	out := p.person
	r.uninvite(e.Subject, out)
	r.putAct(act)
	listed := r.expel(e.Subject, out.ID)
	return Verdict{From: e.From, Out: []Person{out}, Shown: listed}
}

// uninvite takes somebody from the guests of a private room: whoever was put out of it needs another invitation.
func (r *Rules) uninvite(where Subject, who Person) {
	if old := r.rooms[where]; old != nil && old.Private && old.invites(who) {
		m := old.clone()
		m.Invited = slices.DeleteFunc(m.Invited, func(p Person) bool { return p.ID == who.ID || p.Key != "" && p.Key == who.Key })
		r.putRoom(m)
	}
}

// above says that somebody may act on another: their role is the higher one, whichever key the other is here by.
func (r *Rules) above(who, other Person, where Subject) bool {
	return r.roleIn(who, where) > r.topRole(other, where)
}

// deed returns what it takes to set or lift a bar.
func (b *Bar) deed() []Deed {
	var deeds []Deed
	switch {
	case b.Where == HouseSubject:
		deeds = []Deed{DeedHouseBan}
	case b.Mute:
		deeds = []Deed{DeedMute}
	default:
		deeds = []Deed{DeedBan}
	}
	if len(b.Target.Nets) > 0 {
		deeds = append(deeds, DeedAddresses)
	}
	return deeds
}

// judge says why somebody may not set a bar, empty for no reason.
func (r *Rules) judge(bar *Bar) Void {
	if bar.Where != HouseSubject && r.rooms[bar.Where] == nil {
		return VoidNoSuchRoom
	}
	for _, d := range bar.deed() {
		if !r.may(bar.By, d, bar.Where) {
			return VoidNotAllowed
		}
	}
	switch {
	case r.replaying:
		return ""
	case bar.Target.Empty():
		return VoidNobody
	case len(r.bars) >= MaxBars:
		return VoidTooMany
	}
	named := bar.Target // who stands behind an address is spared, not a reason
	named.Nets = nil
	for _, a := range r.accounts {
		if !named.Hits(Seeker{Person: a.ID, Keys: a.Keys, Names: a.Names}) {
			continue
		}
		for _, key := range a.Keys { // whichever they come with
			if !r.above(bar.By, Person{ID: a.ID, Nick: a.Nick, Key: key}, bar.Where) {
				return VoidProtected
			}
		}
	}
	for _, key := range named.Keys {
		if slices.Contains(r.appointed, key) {
			return VoidProtected
		}
	}
	for id, s := range r.nicks {
		who := Person{ID: id, Nick: s.nick}
		if named.Hits(r.seeker(who, nil)) && !r.above(bar.By, who, bar.Where) {
			return VoidProtected
		}
	}
	return ""
}

func (r *Rules) bar(e *Event, b Barred) Verdict {
	bar := barOf(e, b)
	if why := r.judge(bar); why != "" {
		return Verdict{Void: why, From: e.From}
	}
	v := Verdict{From: e.From, Shown: true}
	r.enforce(bar, &v)
	act := actOf(e, barKind(bar))
	act.Bar = bar
	r.putAct(act)
	return v
}

// enforce puts a bar into force, and those out whom it keeps out. The verdict says whom it hits here and now, and where the house tells
// of it.
func (r *Rules) enforce(bar *Bar, v *Verdict) {
	hit, rooms := r.struckBy(bar)
	v.Rooms = union(v.Rooms, rooms)
	v.Out = union(v.Out, hit)
	r.putBar(bar)
	if !bar.Mute {
		for _, p := range hit {
			for _, where := range r.roomsOf(p.ID) {
				if bar.covers(where) {
					if r.expel(where, p.ID) && where == Lobby {
						v.Left = append(v.Left, p)
					}
				}
			}
			if r.nicks[p.ID] == nil {
				put(r, r.ousted, p.ID, bar)
			}
		}
	}
	r.rebarAll()
}

func barKind(b *Bar) string {
	if b.Mute {
		return "muted"
	}
	return "banned"
}

// struckBy returns who is in a place where the bar covers them, in the order of their nicknames, and the rooms where they are listed.
func (r *Rules) struckBy(bar *Bar) (hit []Person, rooms []Subject) {
	for id, s := range r.nicks {
		who := Person{ID: id, Nick: s.nick}
		if !bar.Target.Hits(r.seeker(who, nil)) || r.topRole(who, bar.Where) == RoleOperator {
			continue
		}
		inside := false
		for _, where := range r.roomsOf(id) {
			if !bar.covers(where) {
				continue
			}
			inside = true
			if len(r.at(where, id).listed) > 0 && !slices.Contains(rooms, where) {
				rooms = append(rooms, where)
			}
		}
		if inside {
			hit = append(hit, who)
		}
	}
	slices.SortFunc(hit, func(a, b Person) int {
		return strings.Compare(string(a.Nick)+string(a.ID), string(b.Nick)+string(b.ID))
	})
	slices.Sort(rooms)
	return hit, rooms
}

// union returns what is in one list or the other, once.
func union[T comparable](a, b []T) []T {
	if len(a) == 0 {
		return b
	}
	for _, v := range b {
		if !slices.Contains(a, v) {
			a = append(a, v)
		}
	}
	return a
}

// topRole returns the highest role that somebody has, by any of the keys that they are here by.
func (r *Rules) topRole(who Person, where Subject) Role {
	role := r.roleIn(who, where)
	if s := r.nicks[who.ID]; s != nil {
		for _, at := range s.seats {
			role = max(role, r.roleIn(Person{ID: who.ID, Key: at.key}, where))
		}
	}
	return role
}

// roomsOf returns the rooms where somebody has a screen, visits too.
func (r *Rules) roomsOf(id PersonID) []Subject {
	var rooms []Subject
	if s := r.nicks[id]; s != nil {
		for _, p := range s.where {
			rooms = append(rooms, p.room)
		}
	}
	slices.Sort(rooms)
	return rooms
}

// lift ends bars: of those of which it is asked, the ones that have not ended by then. Of a record of a room that
// room is told; of one of the house the rooms where those are whom its bars hit, as when they were set: who was kept out is in none.
func (r *Rules) lift(e *Event, b Lifted) Verdict {
	act := actOf(e, "lifted")
	for _, id := range b.Bars {
		switch bar := r.bars[id]; {
		case bar == nil || bar.Where != HouseSubject && bar.Where != e.Subject || slices.Contains(act.Bars(), bar): // it has ended
		case act.Bar == nil:
			act.Bar = bar
		default:
			act.With = append(act.With, bar)
		}
	}
	switch {
	case act.Bar == nil:
		return Verdict{Void: VoidNoAct, From: e.From}
	case !r.mayDo(e.From, act):
		return Verdict{Void: VoidNotAllowed, From: e.From}
	}
	for _, bar := range act.Bars() {
		r.dropBar(bar.ID)
	}
	r.putAct(act)
	r.rebarAll()
	v := Verdict{From: e.From, Shown: true, Act: act}
	if e.Subject == HouseSubject {
		for _, bar := range act.Bars() {
			_, rooms := r.struckBy(bar)
			v.Rooms = union(v.Rooms, rooms)
		}
		v.Shown = len(v.Rooms) > 0
	}
	return v
}

// takeBack undoes an act.
func (r *Rules) takeBack(e *Event, b Undone) Verdict {
	a := r.acts[b.Act]
	if a == nil || a.Undone || a.By.ID != e.From.ID || e.At.Sub(a.At) > UndoFor {
		return Verdict{Void: VoidNoAct, From: e.From}
	}
	v := Verdict{From: e.From, Act: a}
	v.Void = r.reverse(a, e, &v)
	if v.Void != "" {
		return v
	}
	done := *a
	done.Undone = true
	r.putAct(&done)
	if a.Where != HouseSubject {
		v.Rooms = union(v.Rooms, []Subject{a.Where})
	}
	v.Shown = len(v.Rooms) > 0
	return v
}

// reverse puts back what an act changed.
func (r *Rules) reverse(a *Act, e *Event, v *Verdict) Void {
	if a.Where != HouseSubject && r.rooms[a.Where] == nil {
		return VoidChanged
	}
	switch {
	case a.Kind == "kicked":
		return VoidFinal
	case !r.mayUndo(e.From, a):
		return VoidNotAllowed
	case a.What != "":
		return r.restoreAspect(a)
	case a.Kind == "ranked":
		return r.restoreGrant(a)
	case a.Kind == "muted" || a.Kind == "banned":
		if r.bars[a.Bar.ID] == nil {
			return VoidChanged
		}
		r.dropBar(a.Bar.ID)
		r.rebarAll()
		if a.Where == HouseSubject {
			v.Out, v.Rooms = r.struckBy(a.Bar)
		}
	case a.Kind == "lifted":
		return r.barAgain(a, e, v)
	}
	return ""
}

// barAgain puts into force what an act had lifted: all of it but for what has ended since, or nothing.
func (r *Rules) barAgain(a *Act, e *Event, v *Verdict) Void {
	bars := slices.DeleteFunc(a.Bars(), func(b *Bar) bool { return b.over(e.At) })
	switch {
	case len(bars) == 0:
		return VoidChanged
	case len(r.bars)+len(bars) > MaxBars:
		return VoidTooMany
	}
	for _, b := range bars {
		again := *b
		again.By = e.From
		if why := r.judge(&again); why != "" {
			return why
		}
	}
	for _, b := range bars {
		r.enforce(b, v)
	}
	return ""
}

// takes returns what it takes to do an act, and so to undo it.
func (a *Act) takes() []Deed {
	switch a.Kind {
	case "kicked":
		return []Deed{DeedKick}
	case "invited":
		return []Deed{DeedInvite}
	case "withdrawn":
		return []Deed{DeedWithdraw}
	case "muted", "banned", "lifted":
		var deeds []Deed
		for _, b := range a.Bars() {
			deeds = append(deeds, b.deed()...)
		}
		return deeds
	case "ranked":
		if a.Where == HouseSubject {
			return []Deed{DeedAppoint}
		}
		return []Deed{DeedPromote}
	default:
		return []Deed{aspects[a.What]}
	}
}

// mayDo says that somebody may do an act.
func (r *Rules) mayDo(who Person, a *Act) bool {
	return !slices.ContainsFunc(a.takes(), func(d Deed) bool { return !r.may(who, d, a.Where) })
}

// mayUndo says that somebody may undo what they did: while they may do the like, or if it was a role of their own that they gave away. Who was
// given another since then, or lost it, has not.
func (r *Rules) mayUndo(who Person, a *Act) bool {
	return r.mayDo(who, a) || a.Kind == "ranked" && a.gaveAway(who.ID) && !r.doneSince(a, who.ID, "ranked")
}

// gaveAway says that an act made somebody less than they were.
func (a *Act) gaveAway(id PersonID) bool {
	if a.Where == HouseSubject {
		return a.Of == id && a.Had
	}
	rank := func(keepers json.RawMessage) int { // 0 for none, 1 for a moderator, 2 for the owner
		var ids []PersonID
		switch err := json.Unmarshal(keepers, &ids); {
		case err != nil || !slices.Contains(ids, id):
			return 0
		case ids[0] == id:
			return 2
		}
		return 1
	}
	return rank(a.Was) > rank(a.Became)
}

// restoreAspect undoes what was arranged about a room.
func (r *Rules) restoreAspect(a *Act) Void {
	m := r.rooms[a.Where].clone()
	why := VoidChanged
	switch {
	case a.What == AspectPrivate || a.What == aspectInvited:
		why = r.restoreGuests(a, m)
	case bytes.Equal(m.read(a.What), a.Became):
		why = m.put(a.What, a.Was)
	}
	if why == "" {
		r.putRoom(m)
	}
	return why
}

// restoreGuests undoes in m who was let into it, or no more, and whether it is private. Others come and go meanwhile: who was put out,
// invited or uninvited since then is left as they are.
func (r *Rules) restoreGuests(a *Act, m *Room) Void {
	var was, became Room
	if was.put(a.What, a.Was) != "" || became.put(a.What, a.Became) != "" {
		return VoidUnreadable
	}
	changed := a.What == AspectPrivate
	if changed && m.Private != became.Private {
		return VoidChanged
	}
	if changed {
		m.Private = was.Private
	}
	let := func(p Person) bool {
		return slices.Contains(became.Invited, p) && !slices.Contains(was.Invited, p) && !r.doneSince(a, p.ID, "kicked", "invited")
	}
	guests := len(m.Invited)
	if m.Invited = slices.DeleteFunc(m.Invited, let); len(m.Invited) == 0 {
		m.Invited = was.Invited[:0:0] // the same nothing
	}
	changed = changed || len(m.Invited) < guests
	for i, p := range was.Invited {
		if became.invites(p) || m.invites(p) || r.doneSince(a, p.ID, "kicked", "invited") {
			continue
		}
		if len(m.Invited) >= MaxInvited {
			return VoidTooMany
		}
		m.Invited = slices.Insert(m.Invited, min(i, len(m.Invited)), p)
		changed = true
	}
	if !changed {
		return VoidChanged
	}
	return ""
}

func (r *Rules) restoreGrant(a *Act) Void {
	switch {
	case r.granted[a.Of] == a.Had:
		return VoidChanged
	case r.accounts[a.Of] == nil:
		return VoidNobody
	}
	r.grant(a.Of, a.Had)
	return ""
}

// doneSince says that something else of some kinds was done to somebody in the place of an act, behind it, and holds.
func (r *Rules) doneSince(a *Act, to PersonID, kinds ...string) bool {
	for _, b := range r.acts {
		if b.Seq > a.Seq && b.Of == to && b.Where == a.Where && !b.Undone && slices.Contains(kinds, b.Kind) {
			return true
		}
	}
	return false
}

// put gives a room an aspect that was read.
func (m *Room) put(a Aspect, value json.RawMessage) Void {
	switch a {
	case aspectInvited:
		m.Invited = nil
	case aspectKeepers:
		m.Keepers = nil
	case AspectTopic:
		m.Topic = Topic{}
	case AspectPrivate:
		m.Private, m.Invited = false, nil
	case AspectLocked, AspectSlow, AspectPassword: // values of JSON replace these whole
	}
	if err := json.Unmarshal(value, m.field(a)); err != nil {
		return VoidUnreadable
	}
	return ""
}

// SubjectOf returns the subject of the room whose name has that case key.
func SubjectOf(caseKey string) Subject { return Subject("room/" + caseKey) }
