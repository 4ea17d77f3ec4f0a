package command

import (
	"context"
	"errors"
	"slices"
	"strings"

	"sarangbang/internal/i18n"
	"sarangbang/internal/identity"
	"sarangbang/room"
)

// This file gives people roles, and rooms their doors.

// ranked takes who is to get a role, or to lose it, from what stands behind the command, and the word behind them.
func (c *Call) ranked() (where room.Subject, who room.Person, word string, err error) {
	where, rest, err := c.place()
	if err != nil {
		return where, who, "", err
	}
	who, word, err = c.whom(rest, c.person)
	return where, who, strings.ToLower(strings.TrimSpace(word)), err
}

// grant makes somebody with an account a moderator or the owner of a room, or an operator of the house.
func grant(ctx context.Context, c *Call) (Answer, error) {
	where, who, word, err := c.ranked()
	if err != nil {
		return Answer{}, err
	}
	role := map[string]room.Role{"moderator": room.RoleModerator, "owner": room.RoleOwner, "operator": room.RoleOperator}[word]
	in := where
	switch {
	case role == room.RoleGuest:
		row, _ := Find("grant")
		return Answer{}, c.usage(row)
	case role == room.RoleOperator:
		if err := c.must(room.DeedAppoint, where, "NICK operator"); err != nil {
			return Answer{}, err
		}
		in = room.HouseSubject
	case role == room.RoleOwner && where == room.Lobby:
		return Answer{}, fail(i18n.LobbyOwner)
	}
	return c.rank(ctx, in, who, role, i18n.Granted)
}

// revoke takes from somebody the role in a room or, if they have none there, that of an operator.
func revoke(ctx context.Context, c *Call) (Answer, error) {
	where, who, word, err := c.ranked()
	if err != nil {
		return Answer{}, err
	}
	if word != "" {
		row, _ := Find("revoke")
		return Answer{}, c.usage(row)
	}
	keeps := slices.ContainsFunc(c.House.KeepersOf(where), func(a room.Account) bool { return a.ID == who.ID })
	if !keeps && c.House.RoleIn(who, room.HouseSubject) == room.RoleOperator {
		if err := c.must(room.DeedAppoint, where, "OPERATOR"); err != nil {
			return Answer{}, err
		}
		where = room.HouseSubject
	}
	return c.rank(ctx, where, who, room.RoleMember, i18n.Revoked)
}

func (c *Call) rank(ctx context.Context, where room.Subject, who room.Person, role room.Role, done i18n.Key) (Answer, error) {
	r, err := c.House.Do(ctx, c.as(), where, room.Ranked{Whom: who, Role: role})
	switch {
	case err != nil:
		return Answer{}, err
	case r.Void == room.VoidNoAccount:
		return Answer{}, fail(i18n.GrantNoAccount, who.Nick)
	case r.Void == room.VoidNoChange && where == room.HouseSubject && role == room.RoleMember:
		return Answer{}, fail(i18n.RevokeConfigured, who.Nick)
	case r.Void != "":
		return Answer{}, Voided(r.Void, r.Bar, c.House, c.zone(), c.Contact)
	}
	word := nested{&Failure{Say: i18n.Role(role.String())}}
	return lines(c.sentence(done, who.Nick, word, c.in(where))), nil
}

// setRoom tells how a room is, or changes who comes in.
func setRoom(ctx context.Context, c *Call) (Answer, error) {
	where, rest, err := c.place()
	if err != nil {
		return Answer{}, err
	}
	word, words := cutWord(rest)
	if word != "" && where == room.Lobby {
		return Answer{}, fail(i18n.LobbyOpen)
	}
	b := room.Arranged{What: room.AspectPrivate}
	switch word = strings.ToLower(word); {
	case word == "":
		return c.roomShown(where), nil
	case word == "private" && words == "":
		b.Value = "on"
	case word == "public" && words == "":
	case word == "password" && strings.EqualFold(words, "off"):
		b.What = room.AspectPassword
	case word == "password" && words != "":
		b.What = room.AspectPassword
		if b.Value, err = passwordHash(words); err != nil {
			return Answer{}, err
		}
	default:
		row, _ := Find("room")
		return Answer{}, c.usage(row)
	}
	if _, err := c.do(ctx, where, b); err != nil {
		return Answer{}, err
	}
	if m, _ := c.House.Room(where); b.What == room.AspectPassword && b.Value != "" && !m.Private {
		return c.say(i18n.RoomPassPublic, nameOf(c.House, where)), nil
	}
	return c.say(i18n.Arranged, nameOf(c.House, where)), nil
}

// passwordHash is what a room keeps of a password. It takes a tenth of a second, and no lock is held.
func passwordHash(words string) (string, error) {
	hash, err := identity.HashPassword(words)
	switch {
	case errors.Is(err, identity.ErrPasswordShort):
		return "", fail(i18n.PasswordShort, identity.MinPassword)
	case errors.Is(err, identity.ErrPasswordLong):
		return "", fail(i18n.PasswordLong, identity.MaxPassword)
	case errors.Is(err, identity.ErrPasswordText):
		return "", fail(i18n.PasswordText)
	}
	return hash, err
}

// withoutPassword is what of /room may be kept where others could read it.
func withoutPassword(rest string) string {
	words := strings.Fields(rest)
	for i, w := range words {
		if strings.EqualFold(w, "password") && i <= 1 {
			return strings.Join(words[:i+1], " ")
		}
	}
	return rest
}

// roomShown tells who keeps a room, and whom it lets in.
func (c *Call) roomShown(where room.Subject) Answer {
	m, _ := c.House.Room(where)
	out := []string{c.Lang.Text(i18n.RoomNow, m.Name, len(c.House.Members(where)))}
	say := func(on bool, key i18n.Key, args ...any) {
		if on {
			out = append(out, c.Lang.Text(key, args...))
		}
	}
	var keepers []string
	for _, a := range c.House.KeepersOf(where) {
		keepers = append(keepers, string(a.Nick)+" ("+c.Lang.Text(i18n.Role(c.keeps(a, where).String()))+")")
	}
	var invited []string
	for _, p := range m.Invited {
		invited = append(invited, string(p.Nick))
	}
	topic := m.Topic.Text
	say(topic.String() != "", i18n.RoomTopic, topic)
	say(keepers != nil, i18n.RoomKeepers, strings.Join(keepers, ", "))
	say(!m.Private, i18n.RoomIsPublicNow)
	say(m.Private, i18n.RoomIsPrivateNow)
	say(m.Password != "", i18n.RoomHasPassword)
	say(m.Private && invited != nil, i18n.RoomInvited, strings.Join(invited, ", "))
	say(m.Locked, i18n.LockIsOn, "#"+string(m.Name))
	say(m.Slow > 0, i18n.SlowIs, "#"+string(m.Name), m.Slow)
	return lines(out...)
}

// keeps is the role by which somebody keeps a room, whatever else they are.
func (c *Call) keeps(a room.Account, where room.Subject) room.Role {
	if owner, owned := c.House.OwnerOf(where); owned && owner.ID == a.ID {
		return room.RoleOwner
	}
	return room.RoleModerator
}

// invite lets somebody into a private room.
func invite(ctx context.Context, c *Call) (Answer, error) {
	where, rest, err := c.place()
	if err != nil {
		return Answer{}, err
	}
	who, more, err := c.whom(rest, c.person)
	if err != nil {
		return Answer{}, err
	}
	if more != "" {
		row, _ := Find("invite")
		return Answer{}, c.usage(row)
	}
	if _, err := c.do(ctx, where, room.Invited{Whom: who}); err != nil {
		return Answer{}, err
	}
	return c.say(i18n.InviteDone, who.Nick, nameOf(c.House, where)), nil
}

// uninvite takes an invitation back. Who is inside stays.
func uninvite(ctx context.Context, c *Call) (Answer, error) {
	where, rest, err := c.place()
	if err != nil {
		return Answer{}, err
	}
	m, _ := c.House.Room(where)
	who, more, err := c.whom(rest, func(nick string) (room.Person, bool) {
		n, ok := c.nickname(nick)
		for _, p := range m.Invited { // they may be called something else by now, or be nowhere
			if q, ok2 := c.nickname(string(p.Nick)); ok && ok2 && q.CaseKey() == n.CaseKey() {
				return p, true
			}
		}
		return c.person(nick)
	})
	if err != nil {
		return Answer{}, err
	}
	if more != "" {
		row, _ := Find("uninvite")
		return Answer{}, c.usage(row)
	}
	if _, err := c.do(ctx, where, room.Invited{Whom: who, Out: true}); err != nil {
		return Answer{}, err
	}
	return c.say(i18n.UninviteDone, who.Nick, nameOf(c.House, where)), nil
}
