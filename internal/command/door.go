package command

import (
	"encoding/json"
	"errors"
	"strings"
	"time"

	"sarangbang/internal/i18n"
	"sarangbang/internal/identity"
	"sarangbang/room"
)

// This file says how people come into rooms, and in words why they do not.

// Door finds the way into a room by its name.
type Door struct {
	House *room.House
	Names identity.Rules
	Who   room.Person // who wants to come in
	Total int         // the most rooms that there may be; 0 for no bound but the house's own
}

// To returns how somebody comes into the room of a name as it was typed: it is made if there is none. A failure says why there is no
// such way.
func (d Door) To(typed string) (room.Entry, *Failure) {
	name, failure := d.parse(typed)
	if failure != nil {
		return room.Entry{}, failure
	}
	where := room.SubjectOf(name.CaseKey())
	if _, there := d.House.Room(where); there {
		return room.Entry{Where: where}, nil
	}
	switch m, there := d.House.Named(name.Keys()...); {
	case there && !d.House.Knows(d.Who, m.Subject):
		return room.Entry{}, &Failure{Say: i18n.RoomTaken, Args: []any{shorten(typed)}}
	case there:
		return room.Entry{}, &Failure{Say: i18n.RoomLooksLike, Args: []any{shorten(typed), m.Name}}
	}
	if failure := d.full(); failure != nil {
		return room.Entry{}, failure
	}
	nick, err := room.NewNick(name.String())
	if err != nil {
		return room.Entry{}, &Failure{Say: i18n.NoSuchRoom, Args: []any{shorten(typed)}}
	}
	return room.Entry{Where: where, Open: &room.Opened{Name: nick, Names: name.Keys()}}, nil
}

// full says why the caller can make no further room; nil if they can. The last tenth is for people with accounts, whom guests cannot keep
// from making any.
func (d Door) full() *Failure {
	switch n := d.House.CountRooms(); {
	case d.Total == 0 || n < d.Total-d.Total/10:
		return nil
	case n >= d.Total:
		return &Failure{Say: i18n.RoomsFull, Args: []any{n}}
	case d.House.RoleIn(d.Who, room.HouseSubject) >= room.RoleMember:
		return nil
	case d.Who.Key == "": // they cannot /register
		return &Failure{Say: i18n.RoomsKeptKey, Args: []any{n, d.Total}}
	default:
		return &Failure{Say: i18n.RoomsKept, Args: []any{n, d.Total}}
	}
}

// parse reads the name of a room.
func (d Door) parse(typed string) (identity.RoomName, *Failure) {
	name, err := d.Names.ParseRoom(typed)
	r, refused := errors.AsType[*identity.Refusal](err)
	if !refused {
		return name, nil
	}
	f := broken(r, i18n.NounRoom)
	if r.Suggestion != "" {
		f = &Failure{Say: i18n.RoomWouldWork, Args: []any{nested{f}, r.Suggestion}}
	}
	return name, f
}

// Voided puts into words why what somebody did had no effect; bar is the one that kept them from it, if one did.
func Voided(void room.Void, bar *room.Bar, h *room.House, zone *time.Location, contact string) *Failure {
	if bar != nil {
		f := Barred(*bar, h, zone, contact)
		f.Keep = true // the words may be of use when it is over
		return f
	}
	return &Failure{Say: i18n.Void(string(void)), Keep: void == room.VoidSlow}
}

// Refusal puts into words why a room, or the house, does not let somebody in; key is what they proved, empty for none.
func Refusal(void room.Void, bar *room.Bar, h *room.House, where room.Subject, key string, zone *time.Location, contact string) *Failure {
	if bar != nil {
		return Barred(*bar, h, zone, contact)
	}
	name := nameOf(h, where)
	switch void {
	case room.VoidPrivate:
		return &Failure{Say: i18n.RoomIsPrivate, Args: []any{name}}
	case room.VoidLocked:
		if key == "" { // they cannot /register
			return &Failure{Say: i18n.RoomLockedKey, Args: []any{name}}
		}
		return &Failure{Say: i18n.RoomIsLocked, Args: []any{name}}
	default:
		return &Failure{Say: i18n.Void(string(void))}
	}
}

// Barred tells somebody what a bar keeps them from, why, until when, and whom to ask.
func Barred(b room.Bar, h *room.House, zone *time.Location, contact string) *Failure {
	key := i18n.BannedHere
	switch house := b.Where == room.HouseSubject; {
	case b.Mute && house:
		key = i18n.MutedHere
	case b.Mute:
		key = i18n.MutedInRoom
	case !house:
		key = i18n.BannedInRoom
	}
	until := &Failure{Say: i18n.UntilLifted}
	if !b.Until.IsZero() {
		until = &Failure{Say: i18n.UntilThen, Args: []any{b.Until.In(zone).Format(dayAndTime)}}
	}
	return &Failure{Say: key, Args: []any{nameOf(h, b.Where), nested{until}, because(b.Reason), nested{Ask(b, contact)}}}
}

// Ask tells somebody whom a bar hits whom to ask about it.
func Ask(b room.Bar, contact string) *Failure {
	switch {
	case b.Where != room.HouseSubject:
		return &Failure{Say: i18n.AskKeeper, Args: []any{b.By.Nick}}
	case contact != "":
		return &Failure{Say: i18n.AskContact, Args: []any{contact}}
	default:
		return &Failure{Say: i18n.AskOperator}
	}
}

// KickedOut tells somebody who put them out of a room, why, and what it takes to come back; e is the event of it.
func KickedOut(e *room.Event, b room.Kicked, me room.Person, h *room.House) *Failure {
	return &Failure{Say: i18n.EndKicked, Args: []any{e.From.Nick, because(b.Reason), nested{WayBack(me, e.Subject, h)}}}
}

// KickedAway tells it to somebody who was away meanwhile, and may be in the room again.
func KickedAway(e *room.Event, b room.Kicked, me *room.Member, h *room.House) *Failure {
	back := WayBack(me.Person(), e.Subject, h)
	if me.In(e.Subject) {
		back = &Failure{Say: i18n.BackAgain}
	}
	return &Failure{Say: i18n.ReturnKicked, Args: []any{e.From.Nick, nameOf(h, e.Subject), because(b.Reason), nested{back}}}
}

// WayBack tells somebody what it takes to come into a room again that they were put out of.
func WayBack(me room.Person, where room.Subject, h *room.House) *Failure {
	return wayBack(h, me, where, ways{i18n.BackYou, i18n.BackYouInvited, i18n.BackYouPassword, i18n.BackYouAccount})
}

// ways are the sentences for how somebody comes into a room again.
type ways struct{ free, invited, password, account i18n.Key }

// wayBack says what it takes for somebody to come into a room again that they were put out of.
func wayBack(h *room.House, who room.Person, where room.Subject, say ways) *Failure {
	key := say.free
	switch h.ClosedTo(who, where) {
	case room.VoidPrivate:
		key = say.invited
		if m, _ := h.Room(where); m.Password != "" {
			key = say.password
		}
	case room.VoidLocked:
		key = say.account
	default:
	}
	return &Failure{Say: key}
}

// because is the sentence of a reason; nothing for none.
func because(reason room.Text) any {
	if reason.Empty() {
		return ""
	}
	return nested{&Failure{Say: i18n.Reason, Args: []any{reason}}}
}

// nameOf returns the name of a room as people write it; empty for the house.
func nameOf(h *room.House, where room.Subject) string {
	if m, there := h.Room(where); there {
		return "#" + string(m.Name)
	}
	return ""
}

// SettingRooms is the name under which an account keeps the rooms that its owner was in last, by their case keys with blanks between.
const SettingRooms = "rooms"

// settingIgnored begins the names of the settings under which an account keeps whom its owner ignores.
const settingIgnored = "ignored:"

// settingKey begins the names of the settings under which an account keeps which keys were added to it that its owner was not told of.
const settingKey = "key:"

// KeyNews is the name of the setting that keeps of a key that the owner of the account has to be told of it.
func KeyNews(key string) string { return settingKey + key }

// NewKey reads the name of such a setting: false for another one.
func NewKey(name string) (key string, ok bool) { return strings.CutPrefix(name, settingKey) }

// Ignoring is somebody whom a person does not want to read.
type Ignoring struct {
	ID   room.PersonID `json:"id"`
	Key  string        `json:"key,omitempty"`
	Nick room.Nick     `json:"nick"` // as they were called then
}

// passing says that nobody can meet that person again once they have left: they are known by one connection.
func (i Ignoring) passing() bool { return i.Key == "" }

// Ignores reads such a setting: false for another one.
func Ignores(c Change) (who Ignoring, ok bool) {
	id, ok := strings.CutPrefix(c.Name, settingIgnored)
	if ok && c.Value != "" {
		ok = json.Unmarshal([]byte(c.Value), &who) == nil
	}
	who.ID = room.PersonID(id)
	return who, ok
}

// Kept says that an account keeps something under that name which is no setting of the screen.
func Kept(name string) bool {
	return name == SettingRooms || strings.HasPrefix(name, settingIgnored) || strings.HasPrefix(name, settingKey)
}

// Ignored says that somebody is among those whom a person ignores: by who they are, not by their name.
func Ignored(all []Ignoring, who room.Person) bool {
	for _, i := range all {
		if i.ID == who.ID || i.Key != "" && i.Key == who.Key {
			return true
		}
	}
	return false
}
