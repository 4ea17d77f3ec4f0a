package room

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A charter is what the house has decided and must not forget: its rooms, who has which role, whom it keeps out or silent, and what was
// done to keep order lately. It belongs to the rules. What it holds is replaced, never changed: it is handed out.
type charter struct {
	rooms     map[Subject]*Room
	named     map[string]Subject // which room has a name, by everything that is unique about it
	bars      map[ID]*Bar
	acts      map[ID]*Act // of the last UndoFor
	appointed []string    // fingerprints of the operators whom the configuration names
	granted   map[PersonID]bool
}

// A Room is what the house keeps of one of its rooms.
type Room struct {
	Subject Subject
	Name    Nick     // without its sign
	Names   []string // everything about the name that must be unique
	Opened  Seq      // nothing before this place belongs to the room
	Since   time.Time
	// Keepers are people with accounts: the first of them who still has one is the owner, the others are moderators, in the order in
	// which they came to be that. So a room whose owner's account ends is passed on by itself.
	Keepers  []PersonID
	Invited  []Person
	Topic    Topic
	Private  bool
	Locked   bool
	Slow     time.Duration
	Password string // its hash
}

// Topic is what a room is about.
type Topic struct {
	Text Text
	By   Person
	At   time.Time
}

// An Act is something that was done to keep order.
type Act struct {
	ID     ID
	Seq    Seq
	Kind   string // of its record
	By     Person
	At     time.Time
	Where  Subject
	Undone bool
	// What undoes it: what was arranged about the room, before and after; the bar that was set or lifted, and those lifted with it; whom it
	// was done to, and that they were an operator before; the lines.
	What        Aspect          `json:",omitempty"`
	Was, Became json.RawMessage `json:",omitempty"`
	Bar         *Bar            `json:",omitempty"`
	With        []*Bar          `json:",omitempty"`
	Of          PersonID        `json:",omitempty"`
	Had         bool            `json:",omitempty"`
	Lines       []ID            `json:",omitempty"`
}

// actOf begins the act of a record.
func actOf(e *Event, kind string) *Act {
	return &Act{ID: e.ID, Seq: e.Seq, Kind: kind, By: e.From, At: e.At, Where: e.Subject}
}

// Bars returns the bars that the act set or lifted.
func (a *Act) Bars() []*Bar {
	if a.Bar == nil {
		return nil
	}
	return append([]*Bar{a.Bar}, a.With...)
}

// UndoFor is how long an act can be undone.
const UndoFor = 24 * time.Hour

// Bounds of the charter. What is beyond them is refused.
const (
	MaxRooms   = 100_000 // far more than the operator's rooms_total
	MaxBars    = 2_000   // that have not ended
	MaxKeepers = 64      // of a room
	MaxInvited = 256     // into a room
)

func newCharter() charter {
	return charter{
		rooms: map[Subject]*Room{Lobby: {Subject: Lobby, Name: "lobby"}},
		named: map[string]Subject{}, bars: map[ID]*Bar{}, acts: map[ID]*Act{}, granted: map[PersonID]bool{},
	}
}

// clone returns a copy of a room that may be changed.
func (m *Room) clone() *Room {
	c := *m
	c.Keepers, c.Invited = slices.Clone(m.Keepers), slices.Clone(m.Invited)
	return &c
}

// invited says that somebody may come into a private room.
func (m *Room) invites(p Person) bool {
	return slices.ContainsFunc(m.Invited, func(q Person) bool { return q.ID == p.ID || q.Key != "" && q.Key == p.Key })
}

// Aspects that are no setting of their own, but what Invited and Ranked change.
const (
	aspectInvited Aspect = "invited"
	aspectKeepers Aspect = "keepers"
)

// access is who comes into a room: making it private invites those who are inside.
type access struct {
	Private *bool
	Invited *[]Person
}

// welcome invites people of whom it will be known that it is they, as far as there is room for them.
func (m *Room) welcome(inside []Person) {
	for _, p := range inside {
		if p.Key != "" && !m.invites(p) && !slices.Contains(m.Keepers, p.ID) && len(m.Invited) < MaxInvited {
			m.Invited = append(m.Invited, p)
		}
	}
}

// field returns where a room has an aspect; nil for none.
func (m *Room) field(a Aspect) any {
	switch a {
	case AspectTopic:
		return &m.Topic
	case AspectPrivate:
		return &access{&m.Private, &m.Invited}
	case AspectLocked:
		return &m.Locked
	case AspectSlow:
		return &m.Slow
	case AspectPassword:
		return &m.Password
	case aspectInvited:
		return &m.Invited
	case aspectKeepers:
		return &m.Keepers
	}
	return nil
}

// read returns an aspect in a form that can be compared and put back.
func (m *Room) read(a Aspect) json.RawMessage {
	value, err := json.Marshal(m.field(a))
	if err != nil { // plain data cannot fail
		panic(err)
	}
	return value
}

// A Change is one entry of the charter as it is to be kept, under its key; a nil Value takes it away.
type Change struct {
	Key   string
	Value []byte // JSON
}

// Keys of what is kept.
const (
	keptRoom      = "room:"
	keptBar       = "bar:"
	keptAct       = "act:"
	keptGranted   = "operator:"
	keptAppointed = "operators"
)

// changed notes an entry that is to be kept, or no more.
func (r *Rules) changed(key string, v any) {
	if !r.trying {
		return
	}
	c := Change{Key: key}
	if v != nil {
		value, err := json.Marshal(v)
		if err != nil { // plain data cannot fail
			panic(err)
		}
		c.Value = value
	}
	r.changes = append(r.changes, c)
}

// Changes hands out what is to be kept of the charter since it was called last. Only what was applied since Attempt is noted.
func (r *Rules) Changes() []Change {
	c := r.changes
	r.changes = nil
	return c
}

func (r *Rules) putRoom(m *Room) {
	put(r, r.rooms, m.Subject, m)
	r.changed(keptRoom+string(m.Subject), m)
}

func (r *Rules) openRoom(m *Room) {
	r.putRoom(m)
	put(r, r.halls, m.Subject, newHall())
	for _, n := range m.Names {
		put(r, r.named, n, m.Subject)
	}
}

func (r *Rules) closeRoom(m *Room) {
	drop(r, r.rooms, m.Subject)
	drop(r, r.halls, m.Subject)
	for _, n := range m.Names {
		drop(r, r.named, n)
	}
	r.changed(keptRoom+string(m.Subject), nil)
}

func (r *Rules) putBar(b *Bar) {
	put(r, r.bars, b.ID, b)
	r.changed(keptBar+b.ID.String(), b)
}

func (r *Rules) dropBar(id ID) {
	drop(r, r.bars, id)
	r.changed(keptBar+id.String(), nil)
}

func (r *Rules) putAct(a *Act) {
	put(r, r.acts, a.ID, a)
	r.changed(keptAct+a.ID.String(), a)
}

func (r *Rules) grant(id PersonID, on bool) {
	if on {
		put(r, r.granted, id, true)
		r.changed(keptGranted+string(id), true)
		return
	}
	drop(r, r.granted, id)
	r.changed(keptGranted+string(id), nil)
}

// oustedFor is longer than anything can be on its way.
const oustedFor = time.Hour

// prune forgets bars that have ended and acts that nobody can undo any more.
func (r *Rules) prune(now time.Time) {
	for id, b := range r.bars {
		if b.over(now) {
			r.dropBar(id)
		}
	}
	for id, b := range r.ousted {
		if now.Sub(b.At) > oustedFor {
			drop(r, r.ousted, id)
		}
	}
	for id, a := range r.acts {
		if now.Sub(a.At) > UndoFor {
			drop(r, r.acts, id)
			r.changed(keptAct+id.String(), nil)
		}
	}
}

// restore takes in what was kept.
func (c *charter) restore(kept []Change) error {
	for _, k := range kept {
		if err := c.restoreOne(k); err != nil {
			return fmt.Errorf("%s: %w", k.Key, err)
		}
	}
	return nil
}

func (c *charter) restoreOne(k Change) error {
	switch {
	case strings.HasPrefix(k.Key, keptRoom):
		m := new(Room)
		if err := json.Unmarshal(k.Value, m); err != nil {
			return err
		}
		c.rooms[m.Subject] = m
		for _, n := range m.Names {
			c.named[n] = m.Subject
		}
	case strings.HasPrefix(k.Key, keptBar):
		b := new(Bar)
		if err := json.Unmarshal(k.Value, b); err != nil {
			return err
		}
		c.bars[b.ID] = b
	case strings.HasPrefix(k.Key, keptAct):
		a := new(Act)
		if err := json.Unmarshal(k.Value, a); err != nil {
			return err
		}
		c.acts[a.ID] = a
	case strings.HasPrefix(k.Key, keptGranted):
		c.granted[PersonID(strings.TrimPrefix(k.Key, keptGranted))] = true
	case k.Key == keptAppointed:
		return json.Unmarshal(k.Value, &c.appointed)
	default:
		return errors.New("a newer program kept it")
	}
	return nil
}

// roleIn returns what somebody is in a room, or in the house.
func (r *Rules) roleIn(who Person, where Subject) Role {
	account := r.accounts[who.ID] != nil
	switch {
	case slices.Contains(r.appointed, who.Key) && who.Key != "", r.granted[who.ID] && account:
		return RoleOperator
	case !account:
		return RoleGuest
	}
	if m := r.rooms[where]; m != nil && slices.Contains(m.Keepers, who.ID) {
		if r.ownerOf(m) == who.ID {
			return RoleOwner
		}
		return RoleModerator
	}
	return RoleMember
}

// ownerOf returns who owns a room; empty for nobody. Nobody owns the lobby: who keeps it are moderators, all of them.
func (r *Rules) ownerOf(m *Room) PersonID {
	if m.Subject == Lobby {
		return ""
	}
	for _, id := range m.Keepers {
		if r.accounts[id] != nil {
			return id
		}
	}
	return ""
}

// needs returns the lowest role that may do something in a room.
func (r *Rules) needs(d Deed, where Subject) Role {
	m, least := r.rooms[where], d.Needs()
	switch {
	case m == nil:
	case d == DeedTopic && where != Lobby && r.ownerOf(m) == "":
		return RoleGuest // nobody else could ever
	case least == RoleOwner && r.ownerOf(m) == "":
		return RoleOperator // for want of an owner
	}
	return least
}

// may says whether somebody may do something.
func (r *Rules) may(who Person, d Deed, where Subject) bool {
	return r.replaying || r.roleIn(who, where) >= r.needs(d, where)
}

// speaksOf says that what an act would put back, or changed, names somebody.
func (a *Act) speaksOf(id PersonID) bool {
	name, err := json.Marshal(id)
	if err != nil { // a string cannot fail
		panic(err)
	}
	return bytes.Contains(a.Was, name) || bytes.Contains(a.Became, name)
}

// leaveCharter takes an erased account from the rooms that it kept or was invited to, and from what it did lately.
func (r *Rules) leaveCharter(id PersonID) {
	for _, m := range r.rooms {
		guest := slices.ContainsFunc(m.Invited, func(p Person) bool { return p.ID == id })
		if !guest && !slices.Contains(m.Keepers, id) && m.Topic.By.ID != id {
			continue
		}
		left := m.clone()
		left.Keepers = slices.DeleteFunc(left.Keepers, func(k PersonID) bool { return k == id })
		if left.Topic.By.ID == id {
			left.Topic.By = Struck
		}
		left.Invited = slices.DeleteFunc(left.Invited, func(p Person) bool { return p.ID == id })
		r.putRoom(left)
	}
	if r.granted[id] {
		r.grant(id, false)
	}
	for act, a := range r.acts {
		if a.By.ID == id || a.Of == id || a.speaksOf(id) {
			drop(r, r.acts, act)
			r.changed(keptAct+act.String(), nil)
		}
	}
	for _, b := range r.bars {
		if b.By.ID == id {
			nameless := *b
			nameless.By = Struck
			r.putBar(&nameless)
		}
	}
}
