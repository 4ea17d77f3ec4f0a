package room

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"
)

// This file is what the rest of the program asks about the house's rooms and its order, and how the house looks after them.

// Room returns what the house keeps of a room.
func (h *House) Room(where Subject) (Room, bool) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if m := h.rules.rooms[where]; m != nil {
		return *m.clone(), true
	}
	return Room{}, false
}

// Named returns the room that has one of the names: whoever asks for a name that can be mistaken for another is told of that one.
func (h *House) Named(names ...string) (Room, bool) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	for _, n := range names {
		if m := h.rules.rooms[h.rules.named[n]]; m != nil {
			return *m.clone(), true
		}
	}
	return Room{}, false
}

// Knows says whether somebody may learn of a room, and read what is said in it: everybody of a public one; of a private one those who
// are in it, who keep it, and who are invited.
func (h *House) Knows(who Person, where Subject) bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.rules.knows(who, where)
}

func (r *Rules) knows(who Person, where Subject) bool {
	m := r.rooms[where]
	if m == nil {
		return false
	}
	if !m.Private || r.at(where, who.ID) != nil {
		return true
	}
	return (r.keeps(who, m) || m.invites(who)) && !r.keptOut(who, where)
}

// keptOut says that a ban keeps somebody out of a room now.
func (r *Rules) keptOut(who Person, where Subject) bool {
	if len(r.bars) == 0 || r.topRole(who, where) == RoleOperator {
		return false
	}
	now := time.Now()
	return slices.ContainsFunc(r.hitting(r.seeker(who, nil)), func(b *Bar) bool { return !b.Mute && b.covers(where) && !b.over(now) })
}

// keeps says that somebody is the owner or a moderator of a room, whatever they are in the house.
func (r *Rules) keeps(who Person, m *Room) bool {
	return r.accounts[who.ID] != nil && slices.Contains(m.Keepers, who.ID)
}

// Rooms lists the rooms that somebody may learn of, in the order of their names, the lobby first.
func (h *House) Rooms(who Person) []Room {
	h.mu.RLock()
	defer h.mu.RUnlock()
	var rooms []Room
	for where, m := range h.rules.rooms {
		if h.rules.knows(who, where) {
			rooms = append(rooms, *m.clone())
		}
	}
	slices.SortFunc(rooms, func(a, b Room) int {
		switch {
		case a.Subject == Lobby:
			return -1
		case b.Subject == Lobby:
			return 1
		}
		return strings.Compare(string(a.Subject), string(b.Subject))
	})
	return rooms
}

// CountRooms counts all rooms.
func (h *House) CountRooms() int {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return len(h.rules.rooms)
}

// ClosedTo says why a room would not let somebody in who is outside of it and names no password: empty for no reason. Bars are another
// matter.
func (h *House) ClosedTo(who Person, where Subject) Void {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if m := h.rules.rooms[where]; m != nil {
		return h.rules.closedTo(m, Joined{}, who, false)
	}
	return VoidNoSuchRoom
}

// OwnerOf returns who owns a room: false for nobody.
func (h *House) OwnerOf(where Subject) (Account, bool) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if m := h.rules.rooms[where]; m != nil {
		if a := h.rules.accounts[h.rules.ownerOf(m)]; a != nil {
			return *a.clone(), true
		}
	}
	return Account{}, false
}

// KeepersOf returns who keeps a room: its owner first, where it has one, and then its moderators.
func (h *House) KeepersOf(where Subject) []Account {
	h.mu.RLock()
	defer h.mu.RUnlock()
	var keepers []Account
	if m := h.rules.rooms[where]; m != nil {
		for _, id := range m.Keepers {
			if a := h.rules.accounts[id]; a != nil {
				keepers = append(keepers, *a.clone())
			}
		}
	}
	return keepers
}

// RoleIn returns what somebody is in a room, or in the house.
func (h *House) RoleIn(who Person, where Subject) Role {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.rules.roleIn(who, where)
}

// May says whether somebody may do something in a room, or in the house, and which role it takes.
func (h *House) May(who Person, d Deed, where Subject) (needs Role, may bool) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.rules.needs(d, where), h.rules.may(who, d, where)
}

// Bars lists the bars of a room, or of the house, that have not ended, the newest first.
func (h *House) Bars(where Subject) []Bar {
	h.mu.RLock()
	defer h.mu.RUnlock()
	var bars []Bar
	now := time.Now()
	for _, b := range h.rules.bars {
		if b.Where == where && !b.over(now) {
			bars = append(bars, *b)
		}
	}
	slices.SortFunc(bars, func(a, b Bar) int { return b.At.Compare(a.At) })
	return bars
}

// BarOn returns the bar that keeps somebody out of a room or of the house, or silent there, of several the one that ends last: false for
// none.
func (h *House) BarOn(who Person, seeker Seeker, where Subject, mute bool) (Bar, bool) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if b := h.rules.barOn(who, seeker, where, mute, time.Now()); b != nil {
		return *b, true
	}
	return Bar{}, false
}

// barOn returns nil for none.
func (r *Rules) barOn(who Person, seeker Seeker, where Subject, mute bool, now time.Time) *Bar {
	if r.topRole(who, where) == RoleOperator {
		return nil
	}
	var last *Bar
	for _, b := range r.hitting(seeker) {
		if b.Mute == mute && b.covers(where) && !b.over(now) && b.outlasts(last) {
			last = b
		}
	}
	return last
}

// Acts returns what somebody did to keep order in the last [UndoFor] and has not taken back, the last first.
func (h *House) Acts(by PersonID) []Act {
	h.mu.RLock()
	defer h.mu.RUnlock()
	var acts []Act
	for _, a := range h.rules.actsOf(by) {
		acts = append(acts, *a)
	}
	return acts
}

// Audit returns the newest q.N records that q asks for of what was done to rooms and to keep order, newest first: of a room, what was
// done in its life. It waits for the disk. ErrNoArchive: it is not known any more.
func (h *House) Audit(ctx context.Context, q ActQuery) ([]*Event, error) {
	if h.archive == nil {
		return nil, ErrNoArchive
	}
	if m, there := h.Room(q.Where); there && m.Since.After(q.Since) {
		q.Since = m.Since
	}
	return h.archive.Acts(ctx, q)
}

// FindLines returns the lines of a room whose IDs begin so, struck ones too, at most n of them. It may wait for the disk.
func (h *House) FindLines(ctx context.Context, where Subject, id string, n int) ([]*Event, error) {
	if h.archive != nil {
		return h.archive.Find(ctx, where, id, n)
	}
	lines := slices.DeleteFunc(h.lines(where, ^Seq(0), h.opt.RingLines), func(e *Event) bool {
		return !strings.HasPrefix(e.ID.String(), id)
	})
	return lines[:min(n, len(lines))], nil
}

// Here returns somebody who is in the house, as a room where they are lists them.
func (h *House) Here(id PersonID) (Presence, bool) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	for _, where := range h.rules.in(id) {
		m := h.rules.describe(h.rules.at(where, id))
		h.describeLocked(&m)
		return m, true
	}
	return Presence{}, false
}

// RoomsOf returns the rooms where somebody is listed.
func (h *House) RoomsOf(id PersonID) []Subject {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.rules.in(id)
}

// Looks returns what bars would see of somebody who is here.
func (h *House) Looks(who Person) Seeker {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.rules.seeker(who, nil)
}

// Do commits what somebody does to a room or to keep order, and returns when it is in force. It blocks like [Member.Post].
func (h *House) Do(ctx context.Context, by Person, where Subject, b Body) (Result, error) {
	if a, ok := b.(Arranged); ok && a.What == AspectPrivate && a.Value != "" {
		for _, m := range h.Members(where) {
			a.Inside = append(a.Inside, m.Person)
		}
		b = a
	}
	results, err := h.post(ctx, Encode(by, where, b))
	return first(results), err
}

// A Passed is an act that cannot be taken back now, and why.
type Passed struct {
	Act
	Why   Void
	Needs Role // of VoidNotAllowed: the lowest role that may
}

// Undoable returns the newest act of somebody that can be taken back now, and those that are newer and cannot be: what they did does not
// go back, has ended or was changed since, or takes a role that they have no more. It asks the rules, as the undoing will.
func (h *House) Undoable(by Person) (act Act, passed []Passed, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, a := range h.rules.actsOf(by.ID) {
		h.rules.Attempt()
		v := h.rules.order(&Event{From: by, Subject: HouseSubject, At: time.Now(), Body: Undone{Act: a.ID}})
		h.rules.Undo()
		if v.Void == "" {
			return *a, passed, true
		}
		p := Passed{Act: *a, Why: v.Void}
		if v.Void == VoidNotAllowed {
			for _, d := range a.takes() {
				p.Needs = max(p.Needs, h.rules.needs(d, a.Where))
			}
		}
		passed = append(passed, p)
	}
	return Act{}, passed, false
}

// actsOf lists what somebody did in the last [UndoFor] and has not taken back, the last first.
func (r *Rules) actsOf(by PersonID) []*Act {
	var acts []*Act
	for _, a := range r.acts {
		if a.By.ID == by && !a.Undone && time.Since(a.At) <= UndoFor {
			acts = append(acts, a)
		}
	}
	slices.SortFunc(acts, func(a, b *Act) int { // an older program kept no place of them
		return cmp.Or(cmp.Compare(b.Seq, a.Seq), b.At.Compare(a.At))
	})
	return acts
}

// Appoint makes those people operators whose keys the configuration names, and nobody else by it.
func (h *House) Appoint(ctx context.Context, keys []string) error {
	keys = slices.Compact(slices.Sorted(slices.Values(keys)))
	h.mu.RLock()
	same := slices.Equal(h.rules.appointed, keys)
	h.mu.RUnlock()
	if same {
		return nil
	}
	r, err := h.Do(ctx, Person{}, HouseSubject, Appointed{Keys: keys})
	if err == nil && r.Void != "" {
		err = errors.New("operators not appointed: " + string(r.Void))
	}
	return err
}

// closeEvery is how often the house looks for rooms that have been empty for too long.
const closeEvery = 10 * time.Second

// closeRooms ends rooms that nobody owns and that have been empty for RoomKeep, and such in which nothing was ever said as soon as it
// sees them, until ctx ends. After a start all of them count as just left, and as rooms where something was said.
func (h *House) closeRooms(ctx context.Context) {
	if h.opt.RoomKeep <= 0 {
		return
	}
	empty := map[Subject]time.Time{}
	tick := time.NewTicker(min(closeEvery, h.opt.RoomKeep))
	defer tick.Stop()
	for {
		now := time.Now()
		left := h.ownerless()
		maps.DeleteFunc(empty, func(where Subject, _ time.Time) bool { _, still := left[where]; return !still })
		for where, silent := range left {
			since, known := empty[where]
			switch {
			case !known && !silent:
				empty[where] = now
			case silent, now.Sub(since) >= h.opt.RoomKeep:
				if _, err := h.Do(ctx, Person{}, where, Closed{}); err != nil && ctx.Err() == nil {
					h.opt.Logger.Warn("empty room not closed", "room", string(where), "err", err)
				}
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// ownerless finds the empty rooms that nobody owns, and whether nothing was ever said in them: these need not be kept at all.
func (h *House) ownerless() map[Subject]bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	rooms := map[Subject]bool{}
	for where, m := range h.rules.rooms {
		if in := h.rules.halls[where]; where != Lobby && h.rules.ownerOf(m) == "" && len(in.members) == 0 {
			rooms[where] = !in.said && m.Topic.Text.Empty()
		}
	}
	return rooms
}
