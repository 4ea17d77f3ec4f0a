package command

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"sarangbang/internal/i18n"
	"sarangbang/internal/identity"
	"sarangbang/room"
)

// This file holds the commands by which people move between rooms.

const (
	roomsInPage = 20
	topicBytes  = 200
)

// as is who asks.
func (c *Call) as() room.Person {
	if c.Me != nil {
		return c.Me.Person()
	}
	return c.Who
}

// readableRoom finds a room that the caller may read, by its name as it was typed; without one it is the room that they look at. The refusal
// does not say whether there is such a room.
func (c *Call) readableRoom(typed string) (room.Room, error) {
	where := c.room()
	if typed != "" {
		name, err := c.Names.ParseRoom(typed)
		if err != nil {
			return room.Room{}, fail(i18n.NoSuchRoom, shorten(typed))
		}
		where = room.SubjectOf(name.CaseKey())
	}
	if m, there := c.House.Room(where); there && c.House.Knows(c.as(), where) {
		return m, nil
	}
	if typed == "" {
		typed = "#" + strings.TrimPrefix(string(where), "room/")
	}
	return room.Room{}, fail(i18n.NoSuchRoom, shorten(typed))
}

// within fails where a command alone would have no effect that lasts.
func (c *Call) within() error {
	if c.Bare {
		return fail(i18n.RoomAlone)
	}
	return nil
}

// firstWord is the part of what stands behind /join that is no secret.
func firstWord(rest string) string {
	first, _ := cutWord(rest)
	return first
}

// cutWord takes the first word apart from what follows it.
func cutWord(rest string) (first, after string) {
	rest = strings.TrimSpace(rest)
	if end := strings.IndexAny(rest, " \t\n"); end >= 0 {
		return rest[:end], strings.TrimSpace(rest[end:])
	}
	return rest, ""
}

// join brings the caller's screen into a room, which is made if there is none of that name, and turns to it.
func join(ctx context.Context, c *Call) (Answer, error) {
	typed, password := cutWord(c.Rest)
	if typed == "" {
		row, _ := Find("join")
		return Answer{}, c.usage(row)
	}
	if err := c.within(); err != nil {
		return Answer{}, err
	}
	me := c.Me.Person()
	by, why := Door{House: c.House, Names: c.Names, Who: me, Total: c.Total}.To(typed)
	switch {
	case why != nil:
		return Answer{}, why
	case c.Me.In(by.Where):
		return c.turn(by.Where), nil
	case by.Open != nil && password != "":
		return Answer{}, fail(i18n.RoomNotYet, by.Open.Name)
	}
	if in := c.House.RoomsOf(me.ID); c.AtOnce > 0 && !c.Exempt && len(in) >= c.AtOnce && !slices.Contains(in, by.Where) {
		return Answer{}, fail(i18n.RoomsAtOnce, c.AtOnce)
	}
	if !c.Rates.Join(me.ID, c.Exempt) {
		return Answer{}, fail(i18n.JoinTooOften)
	}
	if err := c.unlock(ctx, &by, password); err != nil {
		return Answer{}, err
	}
	_, err := c.Me.Join(ctx, by)
	if refused, ok := errors.AsType[*room.RefusedError](err); ok && refused.Void != room.VoidRepeated {
		return Answer{}, Refusal(refused.Void, refused.Bar, c.House, by.Where, c.Me.Key(), c.zone(), c.Contact)
	} else if err != nil && !ok {
		return Answer{}, err
	}
	if _, has := c.Me.Account(); has && by.Pass != "" {
		// They need the password no more. If this cannot be, because there are too many already or the disk is full, they do.
		_, _ = c.House.Do(ctx, me, by.Where, room.Invited{Whom: me, Pass: by.Pass})
	}
	return Answer{Go: by.Where, Changed: Whereabouts(c.Me)}, nil
}

// unlock checks the password of a private room that does not let the caller in without it. Of a public one that has none it says so.
func (c *Call) unlock(ctx context.Context, by *room.Entry, password string) error {
	m, there := c.House.Room(by.Where)
	if password != "" && there && !m.Private && m.Password == "" {
		return fail(i18n.RoomNoPassword, "#"+string(m.Name))
	}
	if password == "" || !m.Private || m.Password == "" || c.House.Knows(c.Me.Person(), by.Where) {
		return nil
	}
	right, err := passes(ctx, m.Password, password)
	switch {
	case err != nil:
		return err
	case !right:
		return fail(i18n.RoomPassword, "#"+string(m.Name))
	}
	by.Pass = m.Password
	return nil
}

// checking is held by whoever checks a password. That takes a processor for a tenth of a second: all of them together get one.
var checking = make(chan struct{}, 1)

// passes checks a password when its turn has come.
func passes(ctx context.Context, hash, password string) (bool, error) {
	select {
	case checking <- struct{}{}:
		defer func() { <-checking }()
		return identity.CheckPassword(hash, password), nil
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
}

// Whereabouts is the setting that keeps where a screen is, for its person's return.
func Whereabouts(me *room.Member) Change {
	var names []string
	for _, where := range me.Rooms() {
		names = append(names, strings.TrimPrefix(string(where), "room/"))
	}
	return Change{Name: SettingRooms, Value: strings.Join(names, " ")}
}

// turn goes to a room that the caller is in.
func (c *Call) turn(where room.Subject) Answer {
	if where == c.Here {
		return c.say(i18n.RoomHere, nameOf(c.House, where))
	}
	return Answer{Go: where}
}

// inside finds a room that the caller's screen is in, by its name as it was typed or by its place.
func (c *Call) inside(typed string) (room.Subject, error) {
	in := c.Me.Rooms()
	if n, err := strconv.Atoi(typed); err == nil && !slices.Contains(in, room.SubjectOf(typed)) {
		if n < 1 || n > len(c.Rooms) {
			return "", fail(i18n.RoomNoPlace, shorten(typed), len(c.Rooms))
		}
		return c.Rooms[n-1].Where, nil
	}
	if name, err := c.Names.ParseRoom(typed); err == nil && slices.Contains(in, room.SubjectOf(name.CaseKey())) {
		return room.SubjectOf(name.CaseKey()), nil
	}
	return "", fail(i18n.RoomNotIn, shorten("#"+strings.TrimPrefix(typed, "#")))
}

// leave takes the caller's screen out of a room: of the one that it shows, if none is named.
func leave(ctx context.Context, c *Call) (Answer, error) {
	if err := c.within(); err != nil {
		return Answer{}, err
	}
	where := c.room()
	if typed := strings.TrimSpace(c.Rest); typed != "" {
		named, err := c.inside(typed)
		if err != nil {
			return Answer{}, err
		}
		where = named
	}
	name := nameOf(c.House, where)
	if len(c.Me.Rooms()) == 1 {
		return Answer{}, fail(i18n.RoomOnly, name)
	}
	void, err := c.Me.Part(ctx, where)
	if void == room.VoidRepeated { // put out, or gone by another screen's doing
		return Answer{}, fail(i18n.RoomNotIn, name)
	}
	if err := refused(void, err); err != nil {
		return Answer{}, err
	}
	left := c.say(i18n.RoomLeft, name)
	left.Left, left.Changed = where, Whereabouts(c.Me)
	return left, nil
}

// goTo turns to another of the caller's rooms.
func goTo(_ context.Context, c *Call) (Answer, error) {
	if err := c.within(); err != nil {
		return Answer{}, err
	}
	typed := strings.TrimSpace(c.Rest)
	if typed == "" {
		row, _ := Find("go")
		return Answer{}, c.usage(row)
	}
	where, err := c.inside(typed)
	if err != nil {
		return Answer{}, err
	}
	return c.turn(where), nil
}

// listing is a room as /rooms shows it.
type listing struct {
	room.Room
	people int
	place  int // among the caller's rooms, from 1 on; 0 for none of them
}

// rooms lists the rooms that the caller may know of: their own by their places, then the others, the fullest first.
func rooms(ctx context.Context, c *Call) (Answer, error) {
	var all []listing
	for _, m := range c.House.Rooms(c.as()) {
		at := slices.IndexFunc(c.Rooms, func(v Visited) bool { return v.Where == m.Subject })
		all = append(all, listing{m, c.House.People(m.Subject), at + 1})
	}
	page, last := 1, (len(all)+roomsInPage-1)/roomsInPage
	typed := strings.TrimSpace(c.Rest)
	if typed != "" {
		n, err := strconv.Atoi(strings.TrimPrefix(typed, "page:"))
		if err != nil && !errors.Is(err, strconv.ErrRange) {
			row, _ := Find("rooms")
			return Answer{}, c.usage(row)
		}
		page = n
	}
	if page < 1 || page > last {
		return Answer{}, fail(i18n.RoomsNoPage, shorten(strings.TrimPrefix(typed, "page:")), last)
	}
	first := (page - 1) * roomsInPage
	if c.Bare { // a program gets all of them, in the order of their names, or the page that it asks for
		if typed != "" {
			all = all[first:min(first+roomsInPage, len(all))]
		}
		names := make([]string, len(all))
		for i, l := range all {
			names[i] = "#" + string(l.Name)
		}
		return lines(names...), nil
	}
	slices.SortStableFunc(all, func(a, b listing) int {
		switch {
		case a.place != 0 && b.place != 0:
			return cmp.Compare(a.place, b.place)
		case a.place != b.place:
			return cmp.Compare(b.place, a.place)
		}
		return cmp.Compare(b.people, a.people)
	})
	shown := all[first:min(first+roomsInPage, len(all))]
	a := Answer{Lines: func(yield func(*room.Event, error) bool) {
		for _, l := range shown {
			row, err := c.roomRow(ctx, l)
			if !yield(room.Note(room.Sentence(row)), err) || err != nil {
				return
			}
		}
	}}
	if page < last {
		a.Aside = c.Lang.Text(i18n.RoomsMore, page+1)
	}
	return a, nil
}

// roomRow is one room of the list. It waits for the disk.
func (c *Call) roomRow(ctx context.Context, l listing) (string, error) {
	row := []string{"#" + string(l.Name)}
	say := func(key i18n.Key, args ...any) { row = append(row, c.Lang.Text(key, args...)) }
	if l.place > 0 {
		row[0] = strconv.Itoa(l.place) + " " + row[0]
	}
	if l.Subject == c.Here && l.place > 0 {
		say(i18n.RoomsHere)
	}
	say(i18n.RoomsPeople, l.people)
	if l.Private {
		say(i18n.RoomsPrivate)
	}
	if l.Locked {
		say(i18n.RoomsLocked)
	}
	if l.Slow > 0 {
		say(i18n.RoomsSlow, c.span(l.Slow))
	}
	if l.place > 0 {
		v := c.Rooms[l.place-1]
		if v.Unread > 0 {
			say(i18n.RoomsUnread, v.Unread)
		}
		if v.Mentions > 0 {
			say(i18n.RoomsMentions, v.Mentions)
		}
	}
	for e, err := range c.House.History(ctx, room.LineQuery{Room: l.Subject, N: 1}) {
		if err != nil {
			return "", err
		}
		say(i18n.RoomsLast, c.span(time.Since(e.At)))
	}
	if !l.Topic.Text.Empty() {
		say(i18n.RoomTopic, l.Topic.Text)
	}
	return strings.Join(row, " · "), nil
}

// noTopic takes the topic away.
const noTopic = "-"

// topic tells what a room is about, or says it anew: everybody in it reads who did. Who does not look at the room is answered.
func topic(ctx context.Context, c *Call) (Answer, error) {
	where, typed, err := c.place()
	if err != nil {
		return Answer{}, err
	}
	switch typed = strings.TrimSpace(typed); typed {
	case "":
		return c.topicShown(where)
	case noTopic:
		typed = ""
	}
	text, err := oneLine(typed, topicBytes)
	if err != nil {
		return Answer{}, err
	}
	if _, may := c.House.May(c.Me.Person(), room.DeedTopic, where); !may {
		return Answer{}, fail(i18n.TopicNeeds, nameOf(c.House, where))
	}
	done, err := c.House.Do(ctx, c.Me.Person(), where, room.Arranged{What: room.AspectTopic, Value: text.String()})
	switch {
	case err == nil && done.Void == room.VoidNotMember: // of a room that nobody owns
		err = fail(i18n.RoomNotIn, nameOf(c.House, where))
	case err == nil && done.Void != "":
		err = Voided(done.Void, done.Bar, c.House, c.zone(), c.Contact)
	}
	if err != nil || where == c.room() && !c.Bare {
		return Answer{}, err
	}
	return c.say(i18n.Arranged, nameOf(c.House, where)), nil
}

// topicShown tells the topic of a room to whoever may read what is said there; operators may learn of more rooms.
func (c *Call) topicShown(where room.Subject) (Answer, error) {
	m, err := c.readableRoom("#" + strings.TrimPrefix(string(where), "room/"))
	switch {
	case err != nil:
		return Answer{}, err
	case m.Topic.Text.Empty():
		return c.say(i18n.TopicNone, "#"+string(m.Name)), nil
	}
	return c.say(i18n.TopicIs, m.Topic.Text, m.Topic.By.Nick, c.day(m.Topic.At)), nil
}

// oneLine makes a text of what may have one line and so many bytes.
func oneLine(typed string, most int) (room.Text, error) {
	text, err := room.Clean(typed, room.TextLimits{Bytes: most, Lines: 1})
	if long, ok := errors.AsType[*room.TooLongError](err); ok {
		return text, fail(i18n.OneLine, long.Lines, most, long.Bytes)
	}
	return text, err
}
