package command

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"sarangbang/internal/i18n"
	"sarangbang/room"
)

// This file holds the commands by which people look somebody up.

// found is whom a nickname means.
type found struct {
	nick    string   // as it was typed
	names   []string // everything about it that is unique
	here    room.Presence
	isHere  bool
	account room.Account // that owns the nickname
	owned   bool
	as      room.Presence // of the account's owner, where they are here under another nickname
	isAs    bool
}

// id is who that is; empty for somebody who is not here and has no account.
func (f found) id() room.PersonID {
	switch {
	case f.isHere:
		return f.here.Person.ID
	case f.owned:
		return f.account.ID
	}
	return ""
}

// find looks up whom the nickname behind a command means: who wears it here, else who owns it.
func (c *Call) find(of string) (found, error) {
	typed := unquoted(strings.TrimSpace(c.Rest))
	if typed == "" {
		row, _ := Find(of)
		return found{}, c.usage(row)
	}
	n, ok := c.nickname(typed)
	if !ok {
		return found{}, fail(i18n.SearchNobody, shorten(typed))
	}
	f := found{nick: n.String(), names: n.Keys()}
	f.account, f.owned = c.House.Owner(f.names[0])
	if p, ok := c.House.Holder(f.names[0]); ok {
		f.here, f.isHere = c.House.Here(p.ID)
	}
	if f.owned && !f.isHere {
		f.as, f.isAs = c.House.Here(f.account.ID)
	}
	return f, nil
}

// whois tells what anybody may know of somebody: who is here, or who has an account.
func whois(ctx context.Context, c *Call) (Answer, error) {
	f, err := c.find("whois")
	if err != nil {
		return Answer{}, err
	}
	switch {
	case f.isHere:
		return lines(c.portrait(f)...), nil
	case f.isAs:
		f.here = f.as
		return lines(c.portrait(f)...), nil
	case !f.owned:
		return Answer{}, fail(i18n.WhoisNobody, f.nick)
	}
	last, err := c.lastSeen(ctx, f)
	if err != nil {
		return Answer{}, err
	}
	return lines(c.Lang.Text(i18n.WhoisAccount, f.account.Nick, c.day(f.account.Since)), last), nil
}

// portrait says what the caller may know of somebody who is here.
func (c *Call) portrait(f found) []string {
	p := f.here
	var out []string
	say := func(key i18n.Key, args ...any) { out = append(out, c.Lang.Text(key, args...)) }
	a, has := c.House.AccountOf(p.Person.Key)
	switch {
	case p.Account:
		say(i18n.WhoisAccount, p.Person.Nick, c.day(f.account.Since))
	case has:
		say(i18n.WhoisOther, p.Person.Nick, a.Nick, c.day(a.Since))
	case p.Person.Key != "":
		say(i18n.WhoisKey, p.Person.Nick)
	case p.Lang == "":
		say(i18n.WhoisTCP, p.Person.Nick)
	default:
		say(i18n.WhoisGuest, p.Person.Nick)
	}
	var names, roles []string
	since := time.Time{}
	for _, where := range c.House.RoomsOf(p.Person.ID) {
		if !c.House.Knows(c.as(), where) {
			continue
		}
		names = append(names, nameOf(c.House, where))
		for _, m := range c.House.Members(where) {
			if m.Person.ID != p.Person.ID {
				continue
			}
			if since.IsZero() || m.Since.Before(since) {
				since = m.Since
			}
			roles = append(roles, c.roleOf(m.Role, where)...)
		}
	}
	if names != nil {
		say(i18n.WhoisHere, c.day(since), strings.Join(names, ", "))
	} else {
		say(i18n.WhoisElsewhere)
	}
	if idle := c.idle(p); idle != "" {
		out = append(out, idle)
	}
	switch {
	case p.Absent != nil && p.Absent.Text.Empty():
		say(i18n.WhoisAway)
	case p.Absent != nil:
		say(i18n.WhoAbsentText, p.Absent.Text)
	}
	if p.Away {
		say(i18n.WhoisCut)
	}
	if p.Lang != "" {
		say(i18n.WhoisLang, p.Lang)
	}
	out = append(out, slices.Compact(roles)...)
	if _, may := c.House.May(c.as(), room.DeedAddresses, room.HouseSubject); may {
		looks := c.House.Looks(p.Person)
		slices.Sort(looks.Keys)
		for _, key := range slices.Compact(looks.Keys) {
			if key != "" {
				say(i18n.WhoisFingerprint, key)
			}
		}
		for _, addr := range looks.Addrs {
			say(i18n.WhoisAddress, addr)
		}
	}
	return out
}

// roleOf is the sentence for a role in a room; none for nobody in particular.
func (c *Call) roleOf(role room.Role, where room.Subject) []string {
	switch role {
	case room.RoleOperator:
		return []string{c.Lang.Text(i18n.WhoisOperator)}
	case room.RoleOwner:
		return []string{c.Lang.Text(i18n.WhoisOwner, nameOf(c.House, where))}
	case room.RoleModerator:
		return []string{c.Lang.Text(i18n.WhoisModerator, nameOf(c.House, where))}
	case room.RoleGuest, room.RoleMember:
	}
	return nil
}

// seen tells when somebody was here last, and no more than that.
func seen(ctx context.Context, c *Call) (Answer, error) {
	f, err := c.find("seen")
	if err != nil {
		return Answer{}, err
	}
	if f.isAs {
		return c.say(i18n.SeenAs, f.account.Nick, f.as.Person.Nick), nil
	}
	if f.isHere {
		if idle := c.idle(f.here); idle != "" {
			return c.say(i18n.SeenIdle, f.here.Person.Nick, idle), nil
		}
		return c.say(i18n.SeenHere, f.here.Person.Nick), nil
	}
	last, err := c.lastSeen(ctx, f)
	return lines(last), err
}

// seenRooms is in how many rooms a last line is looked for.
const seenRooms = 50

// lastSeen says when somebody who is not here was here last: by when they came or went in the last day, else by what they said last in a
// room that the caller may read. It waits for the disk.
func (c *Call) lastSeen(ctx context.Context, f found) (string, error) {
	sights := c.House.Sightings(func(s room.Sighting) bool {
		return f.owned && s.Person.ID == f.account.ID || slices.ContainsFunc(s.Names, func(n string) bool { return n == f.names[0] })
	})
	if len(sights) > 0 {
		at := sights[0].At
		return c.Lang.Text(i18n.SeenAt, f.nick, c.day(at), c.span(time.Since(at))), nil
	}
	e, err := c.lastLine(ctx, f.names[0])
	switch {
	case errors.Is(err, room.ErrSearchQueue):
		return "", &Failure{Say: i18n.SearchQueue, Keep: true}
	case errors.Is(err, room.ErrNoArchive), errors.Is(err, room.ErrSearchLong):
	case err != nil:
		return "", err
	}
	if e == nil {
		return c.Lang.Text(i18n.SeenNever, f.nick), nil
	}
	return c.Lang.Text(i18n.SeenSaid, f.nick, c.day(e.At), nameOf(c.House, e.Subject)), nil
}

// lastLine finds what was said last under a name in the rooms that the caller may read: theirs and the fullest, where there are many.
func (c *Call) lastLine(ctx context.Context, name string) (last *room.Event, err error) {
	rooms := c.House.Rooms(c.as())
	if len(rooms) > seenRooms {
		near := func(m room.Room) int {
			if m.Subject == room.Lobby || c.Me != nil && c.Me.In(m.Subject) {
				return 1 << 30
			}
			return c.House.People(m.Subject)
		}
		slices.SortStableFunc(rooms, func(a, b room.Room) int { return near(b) - near(a) })
		rooms = rooms[:seenRooms]
	}
	for _, m := range rooms {
		q := room.SearchQuery{Author: name, Room: m.Subject, N: 1, By: c.Caller}
		if last != nil {
			q.From = last.Seq
		}
		lines, err := c.House.Search(ctx, q)
		if err != nil {
			return last, err
		}
		if len(lines) > 0 {
			last = lines[0]
		}
	}
	return last, nil
}
