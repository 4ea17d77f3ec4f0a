package render

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"sarangbang/internal/i18n"
	"sarangbang/room"
)

// This file puts into words what was done to rooms and to keep order. Everybody in a room reads it, so that no address and no key
// stands in it; and as each row has the house's mark, nobody can say the like.

const (
	// namedAtOnce is how many of those whom a bar hit are named; of more the number is told.
	namedAtOnce = 8
	// untilLayout is how the end of a bar is written (of package time).
	untilLayout = "2006-01-02 15:04"
)

// Sentence returns what the house says of an event, in the view's language and zone: empty for what it says nothing about, and for
// what a person said. It is clean text, a line for each row.
func Sentence(e *room.Event, v View) string {
	say := v.Lang.Text
	by := string(e.From.Nick)
	switch b := e.Body.(type) {
	case room.Joined:
		return say(i18n.Joined, by)
	case room.Parted:
		return say(i18n.Left, by)
	case room.Renamed:
		return say(i18n.Renamed, by, b.To)
	case room.Arranged:
		return arranged(v, by, b)
	case room.Invited:
		return invited(e, v, by, b)
	case room.Ranked:
		return say(ranks[rank{b.Role, e.Subject == room.HouseSubject}], by, b.Whom.Nick)
	case room.Kicked:
		return say(i18n.DidKick, by, b.Whom.Nick, because(v, b.Reason))
	case room.Barred:
		return barred(v, by, b)
	case room.Lifted:
		key := i18n.DidUnban
		if b.Mute {
			key = i18n.DidUnmute
		}
		return say(key, by, names(v, nil, b.Label))
	case room.Undone:
		kind, known := kinds[b.Kind]
		if !known {
			kind = i18n.UndoneOther
		}
		what := say(kind)
		if len(b.Out) > 0 {
			what += " (" + names(v, b.Out, "") + ")"
		}
		return say(i18n.DidUndo, by, what)
	case room.Withdrawn:
		return say(i18n.DidWithdraw, len(b.Lines), by)
	case room.Removed:
		return say(i18n.RemovedLine)
	case room.Announced: // each line says whose it is, so that none can be taken for another sentence of the house
		lines := strings.Split(b.Text.String(), "\n")
		for i, line := range lines {
			lines[i] = say(i18n.Announcement, by, line)
		}
		return strings.Join(lines, "\n")
	case room.Notice:
		return b.Text.String()
	case room.Said, room.Emoted, room.Told: // a person's
	case room.Registered, room.KeyAdded, room.KeyRemoved, room.Configured, room.Erased, room.Opened, room.Closed, room.Appointed, room.Absent,
		room.Unknown: // told to nobody
	}
	return ""
}

// arranged says what is another about a room. Of a password it says no more than that.
func arranged(v View, by string, b room.Arranged) string {
	keys, known := aspects[b.What]
	if !known {
		return ""
	}
	if b.Value == "" {
		return v.Lang.Text(keys.off, by)
	}
	switch b.What {
	case room.AspectTopic:
		return v.Lang.Text(keys.on, by, oneLine(b.Value))
	case room.AspectSlow:
		every, err := time.ParseDuration(b.Value)
		if err != nil || every <= 0 {
			return v.Lang.Text(keys.off, by)
		}
		return v.Lang.Text(keys.on, by, span(v, every))
	case room.AspectPrivate, room.AspectLocked, room.AspectPassword:
	}
	return v.Lang.Text(keys.on, by)
}

// aspects are the sentences of what can be arranged.
var aspects = map[room.Aspect]struct{ on, off i18n.Key }{
	room.AspectTopic:    {i18n.TopicSet, i18n.TopicCleared},
	room.AspectPrivate:  {i18n.RoomMadePrivate, i18n.RoomMadePublic},
	room.AspectLocked:   {i18n.RoomLocked, i18n.RoomUnlocked},
	room.AspectSlow:     {i18n.RoomSlow, i18n.RoomFast},
	room.AspectPassword: {i18n.PasswordSet, i18n.PasswordCleared},
}

// span says how long something is, in whole seconds, minutes or hours.
func span(v View, d time.Duration) string {
	switch {
	case d%time.Hour == 0:
		return v.Lang.Text(i18n.Hours, int64(d/time.Hour))
	case d%time.Minute == 0:
		return v.Lang.Text(i18n.Minutes, int64(d/time.Minute))
	default:
		return v.Lang.Text(i18n.Seconds, int64((d+time.Second-1)/time.Second))
	}
}

// invited tells whom it concerns how to come there, and the room who may.
func invited(e *room.Event, v View, by string, b room.Invited) string {
	switch {
	case b.Out:
		return v.Lang.Text(i18n.DidUninvite, by, b.Whom.Nick)
	case b.Whom.ID == v.Me:
		return v.Lang.Text(i18n.DidInviteYou, by, v.roomName(e.Subject))
	default:
		return v.Lang.Text(i18n.DidInvite, by, b.Whom.Nick)
	}
}

// tellsRoom says that the sentence names the room itself.
func tellsRoom(e *room.Event, v View) bool {
	b, ok := e.Body.(room.Invited)
	return ok && !b.Out && b.Whom.ID == v.Me
}

// rank is a role in a room, or in the house.
type rank struct {
	role  room.Role
	house bool
}

var ranks = map[rank]i18n.Key{
	{room.RoleGuest, false}: i18n.RankNone, {room.RoleMember, false}: i18n.RankNone, {room.RoleModerator, false}: i18n.RankModerator,
	{room.RoleOwner, false}: i18n.RankOwner, {room.RoleOperator, false}: i18n.RankOperator,
	{room.RoleGuest, true}: i18n.RankNoOperator, {room.RoleMember, true}: i18n.RankNoOperator, {room.RoleModerator, true}: i18n.RankNoOperator,
	{room.RoleOwner, true}: i18n.RankNoOperator, {room.RoleOperator, true}: i18n.RankOperator,
}

// kinds are the words for what can be taken back.
var kinds = map[string]i18n.Key{
	"arranged": i18n.UndoneArranged, "invited": i18n.UndoneInvited, "ranked": i18n.UndoneRanked, "muted": i18n.UndoneMuted,
	"banned": i18n.UndoneBanned, "lifted": i18n.UndoneLifted, "withdrawn": i18n.UndoneWithdrawn,
}

func barred(v View, by string, b room.Barred) string {
	key := i18n.DidBan
	switch house := b.Bar.Where == room.HouseSubject; {
	case b.Bar.Mute && house:
		key = i18n.DidMuteHouse
	case b.Bar.Mute:
		key = i18n.DidMute
	case house:
		key = i18n.DidBanHouse
	}
	until := v.Lang.Text(i18n.UntilLifted)
	if !b.Bar.Until.IsZero() {
		until = v.Lang.Text(i18n.UntilThen, b.Bar.Until.In(v.zone()).Format(untilLayout))
	}
	return v.Lang.Text(key, by, names(v, b.Out, b.Bar.Label), until, because(v, b.Bar.Reason))
}

// because is the sentence of a reason; nothing for none.
func because(v View, reason room.Text) string {
	if reason.Empty() {
		return ""
	}
	return v.Lang.Text(i18n.Reason, oneLine(reason.String()))
}

// oneLine cleans what a person wrote, and keeps it from beginning a row that would have the house's mark.
func oneLine(s string) string { return strings.ReplaceAll(room.Sentence(s).String(), "\n", " ") }

// names names those whom a bar hit, else whom it means, if that is a nickname.
func names(v View, hit []room.Person, label string) string {
	if len(hit) == 0 {
		if label = Public(label); label == "" {
			return v.Lang.Text(i18n.Somebody)
		}
		return oneLine(label)
	}
	nicks := make([]string, 0, len(hit))
	for _, p := range hit {
		nicks = append(nicks, string(p.Nick))
	}
	slices.Sort(nicks)
	nicks = slices.Compact(nicks)
	if more := len(nicks) - namedAtOnce; more > 0 {
		return v.Lang.Text(i18n.AndOthers, strings.Join(nicks[:namedAtOnce], ", "), more)
	}
	return strings.Join(nicks, ", ")
}

// Public returns what everybody may read of the labels of one bar or of several, with commas between; empty for nothing.
func Public(labels string) string {
	return strings.Join(slices.DeleteFunc(strings.Split(labels, ", "), tellsMore), ", ")
}

// tellsMore says that a label is none that everybody may read: an address, a network or the fingerprint of a key.
func tellsMore(label string) bool {
	_, noAddr := netip.ParseAddr(label)
	_, noNet := netip.ParsePrefix(label)
	return noAddr == nil || noNet == nil || strings.ContainsAny(label, "/:")
}

// zone is where times are read.
func (v View) zone() *time.Location {
	if v.Zone == nil {
		return time.Local
	}
	return v.Zone
}

// A Names knows what rooms are called.
type Names interface {
	Room(where room.Subject) (room.Room, bool)
}

// roomName returns the name of a room as people write it: empty for what is none.
func (v View) roomName(where room.Subject) string {
	key, isRoom := strings.CutPrefix(string(where), "room/")
	if !isRoom {
		return ""
	}
	if v.Rooms != nil {
		if m, there := v.Rooms.Room(where); there {
			key = string(m.Name)
		}
	}
	return "#" + key
}

// elsewhere returns the name of the room that an event belongs to, where that is another than the one on the screen.
func (v View) elsewhere(e *room.Event) string {
	if v.Here == "" || v.Here == e.Subject {
		return ""
	}
	return v.roomName(e.Subject)
}
