package session

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"sarangbang/internal/command"
	"sarangbang/internal/i18n"
	"sarangbang/room"
)

// This file is a session's life in several rooms: one of them is on the screen, the others are counted.

// turnPause is how long one room stays on the screen at least: turning to another may cost a look at the disk.
const turnPause = 50 * time.Millisecond

// keptSwitching is how many unread lines of a room are shown when its reader turns to it; of more they are told the number.
const keptSwitching = 200

// keptCounting is how many of a room's newest lines are looked at to count those that are unread: of as many the prompt does not tell how
// many they are.
const keptCounting = 1000

// RoomVariable is by what a client may ask for a room, beside the name of its login.
const RoomVariable = "SARANGBANG_ROOM"

// login takes the name of a login apart; what a client asks for by RoomVariable is what it asks for with no room in that name.
func login(v Visitor) (user, want string) {
	want, user = splitLogin(v.User)
	if want == "" {
		want = v.Env[RoomVariable]
	}
	return user, want
}

// splitLogin takes the name of a login apart: the room that the person asks for, and their nickname. "#dev" asks for a room alone,
// "dev+kim" for both: no nickname and no room has these signs in it.
func splitLogin(user string) (where, nick string) {
	bare, signed := strings.CutPrefix(user, "#")
	where, nick, both := strings.Cut(bare, "+")
	switch {
	case both || signed:
		return where, nick
	default:
		return "", user
	}
}

// entry is how the person comes into the room that they asked for as they logged in. A failure says why there is no such way.
func (x *session) entry(visit bool) (room.Entry, *command.Failure) {
	by := room.Entry{Where: room.Lobby, Visit: visit, Back: true}
	switch {
	case x.want != "":
	case x.visitor.RoomLost:
		return by, &command.Failure{Say: i18n.RoomLost}
	default:
		return by, nil
	}
	by, why := command.Door{House: x.opt.House, Names: x.opt.Names, Who: x.asker(), Total: x.opt.Limits.RoomsTotal}.To(x.want)
	by.Visit, by.Back = visit, true
	return by, why
}

// asker is who the visitor is before they have come in, as far as their key tells.
func (x *session) asker() room.Person {
	a, has := x.opt.House.AccountOf(x.visitor.Key)
	if !has {
		return room.Person{Key: x.visitor.Key}
	}
	who := a.Person()
	who.Key = x.visitor.Key
	return who
}

// come brings the person in. Where the room that they asked for is closed to them and there is somebody to tell, they come into the
// lobby instead, and read why.
func (x *session) come(ctx context.Context, claim room.Claim, visit bool) (*room.Member, error) {
	if x.visitor.Remote.IsValid() {
		claim.Addr = x.visitor.Remote.Unmap().String()
	}
	by, why := x.entry(visit)
	if why == nil {
		me, err := x.opt.House.Enter(ctx, claim, by)
		refused, ok := errors.AsType[*room.RefusedError](err)
		if !ok {
			if room.Unsaved(err) {
				err = notIn
			}
			return me, err
		}
		why = x.refusal(refused, by.Where)
		out := refused.Bar != nil && refused.Bar.Where == room.HouseSubject && !refused.Bar.Mute // a mute keeps nobody out
		if out || by.Where == room.Lobby {
			return nil, &Cause{Ending: room.EndingBanned, Failure: why}
		}
	}
	if visit || x.manner.SilentNick { // what it says would be said in another room
		return nil, why
	}
	x.notices = append(x.notices, room.Sentence(why.Sentence(x.settings.Lang)))
	x.want, x.visitor.RoomLost = "", false
	return x.come(ctx, claim, visit)
}

// refusal puts into words why a room, or the house, does not let the person in.
func (x *session) refusal(e *room.RefusedError, where room.Subject) *command.Failure {
	return command.Refusal(e.Void, e.Bar, x.opt.House, where, x.visitor.Key, x.zone, x.opt.Contact())
}

// banned says why the house does not let a visitor in at all, whatever they are called; nil if it does.
func (x *session) banned() error {
	seeker := room.Seeker{Keys: []string{x.visitor.Key}}
	who := room.Person{Key: x.visitor.Key}
	if x.visitor.Remote.IsValid() {
		seeker.Addrs = append(seeker.Addrs, x.visitor.Remote.Unmap())
	}
	if a, has := x.opt.House.AccountOf(x.visitor.Key); has {
		who.ID = a.ID
		seeker.Person, seeker.Keys, seeker.Names = a.ID, a.Keys, a.Names
	}
	bar, hit := x.opt.House.BarOn(who, seeker, room.HouseSubject, false)
	if !hit {
		return nil
	}
	x.log().Info("kept out", "bar", bar.ID.String(), "by", string(bar.By.Nick))
	x.opt.Knocked(x.manner.Door, x.visitor.Remote)
	return &Cause{Ending: room.EndingBanned, Failure: command.Barred(bar, x.opt.House, x.zone, x.opt.Contact())}
}

// rejoin brings the owner of an account back into the rooms where they were when they left, as far as those let them in, and recalls
// whom they ignore. A room that they asked for as they logged in is theirs from now on; one that is closed to them for good, or gone, is
// theirs no more.
//
//go:noinline
func (x *session) rejoin(ctx context.Context) {
	a, has := x.me.Account()
	x.recall(a)
	most := x.opt.Limits.RoomsPerPerson
	if most == 0 || x.visitor.Exempt {
		most = room.MaxRooms
	}
	if !has || !x.manner.Welcome {
		return
	}
	asked := x.me.First() != room.Lobby
	var gone []string
	for name := range strings.FieldsSeq(a.Settings[command.SettingRooms]) {
		where := room.SubjectOf(name)
		asked = asked && where != x.me.First()
		if _, there := x.opt.House.Room(where); !there {
			gone = append(gone, name)
			continue
		}
		if !x.me.In(where) && len(x.me.Rooms()) < most {
			_, err := x.me.Join(ctx, room.Entry{Where: where, Back: true})
			if room.Unsaved(err) {
				return
			}
			if refused, ok := errors.AsType[*room.RefusedError](err); ok {
				if refused.Bar == nil { // it takes an invitation, and is theirs no more
					gone = append(gone, name)
					continue
				}
				x.putOut = append(x.putOut, x.told(x.refusal(refused, where)))
			}
		}
	}
	a, _ = x.me.Account() // another screen of theirs may have come into rooms meanwhile
	kept := slices.DeleteFunc(strings.Fields(a.Settings[command.SettingRooms]), func(name string) bool { return slices.Contains(gone, name) })
	rooms := command.Change{Name: command.SettingRooms, Value: strings.Join(kept, " ")}
	if asked {
		rooms = command.Whereabouts(x.me)
	}
	if rooms.Value == a.Settings[rooms.Name] {
		return
	}
	if _, err := x.opt.House.Act(ctx, x.me.Person(), room.Configured{Name: rooms.Name, Value: rooms.Value}); err != nil {
		x.log().Warn("rooms not saved", "err", err)
	}
}

// findKicks notes what the person is to read of how they were put out of rooms while they were away.
func (x *session) findKicks(ctx context.Context) {
	for _, act := range x.me.PutOut() {
		found, err := x.opt.House.Audit(ctx, room.ActQuery{Where: act.Where, Before: act.Seq + 1, N: 1})
		if err != nil {
			x.log().Warn("why somebody was put out could not be read", "room", string(act.Where), "err", err)
			continue
		}
		for _, e := range found {
			if b, ok := e.Body.(room.Kicked); ok && e.ID == act.ID {
				x.putOut, x.putOutBy = append(x.putOut, x.told(command.KickedAway(e, b, x.me, x.opt.House))), e.Seq
			}
		}
	}
}

// recall takes in whom the owner of an account ignores.
func (x *session) recall(a room.Account) {
	for name, value := range a.Settings {
		x.ignore(command.Change{Name: name, Value: value})
	}
}

// settleRooms takes in which rooms the screen is in by now, and turns to another if it is not in the one that is on the screen any more.
// They have left one by their own wish, if any; out of others they were put.
func (x *session) settleRooms(ctx context.Context, left room.Subject) error {
	in, goal := x.me.Rooms(), x.goal()
	if len(in) > 0 && goal != left && !slices.Contains(in, goal) {
		if err := x.strand(goal); err != nil {
			return err
		}
	}
	x.rooms = slices.DeleteFunc(x.rooms, func(v command.Visited) bool { return !slices.Contains(in, v.Where) })
	for _, where := range in {
		if x.visited(where) != nil {
			continue
		}
		m, _ := x.opt.House.Room(where)
		v := command.Visited{Where: where, Name: m.Name, Fresh: where != x.here}
		if where != x.here {
			x.countUnread(ctx, &v)
			v.Fresh = !v.Waits || !x.me.Reads()
		}
		x.rooms = append(x.rooms, v)
	}
	if x.visited(x.pending) == nil {
		x.pending = ""
	}
	if x.visited(x.here) == nil && len(x.rooms) > 0 {
		return x.turnTo(ctx, x.rooms[0].Where)
	}
	x.showRooms()
	return nil
}

// visited finds a room among those that the screen is in.
func (x *session) visited(where room.Subject) *command.Visited {
	for i := range x.rooms {
		if x.rooms[i].Where == where {
			return &x.rooms[i]
		}
	}
	return nil
}

// showRooms puts into the prompt where the person is, and what is unread elsewhere.
func (x *session) showRooms() {
	if x.console == nil {
		return
	}
	x.console.view.Here = x.here
	here := ""
	var others []elsewhere
	for i, v := range x.rooms {
		name := "#" + string(v.Name)
		if v.Where == x.here {
			here = name
			continue
		}
		others = append(others, elsewhere{place: i + 1, name: name, unread: v.Unread, mentions: v.Mentions})
	}
	x.console.setRooms(here, others)
}

// turnTo puts another room on the screen: what it is, and what was said in it since it was there last.
func (x *session) turnTo(ctx context.Context, where room.Subject) error {
	v := x.visited(where)
	if v == nil || where == x.here {
		return nil
	}
	defer x.me.Reader().Bell().Ring() // what is put together here is shown after a look at the input
	seen := x.me.Reader().Seen()
	x.reading.leave(x.here, seen)
	fresh := x.me.Shown(where)
	x.me.View(where, seen)
	x.here, x.turnedAt = where, time.Now()
	x.me.Reader().Look(where)
	unread, waits := v.Unread, v.Waits
	v.Unread, v.Mentions, v.Waits = 0, 0, false
	x.showRooms()
	m, _ := x.opt.House.Room(where)
	add := func(events ...*room.Event) { x.returning = append(x.returning, events...) }
	add(x.note(i18n.RoomNow, m.Name, len(x.opt.House.Members(where))))
	if m.Topic.Text.String() != "" {
		add(x.note(i18n.RoomTopic, m.Topic.Text))
	}
	if v.Fresh {
		v.Fresh = false
		backlog, err := x.me.Backlog(ctx, where, fresh, x.manner.Backlog)
		if err != nil {
			x.log().Error("backlog could not be read", "room", string(where), "err", err)
		}
		add(x.audible(backlog)...)
	}
	if unread == 0 && !waits {
		return nil
	}
	missed, err := x.me.MissedIn(ctx, where, seen+1, keptSwitching)
	if err != nil {
		x.log().Error("what is unread could not be read", "room", string(where), "err", err)
		add(x.note(i18n.ReturnUnreadable))
		return nil
	}
	if missed.Skipped > 0 {
		add(x.skipped(missed))
	}
	missed.Again, missed.New = x.audible(missed.Again), x.audible(missed.New)
	if len(missed.Again) > 0 {
		add(x.note(i18n.ReturnAgain))
		add(missed.Again...)
		add(x.note(i18n.ReturnNew, len(missed.New)))
	}
	add(missed.New...)
	return nil
}

// recount counts anew what is unread in rooms of which memory has forgotten something before this reader came for it.
func (x *session) recount(ctx context.Context) {
	for _, where := range x.me.Reader().Behind() {
		v := x.visited(where)
		if v == nil {
			continue
		}
		v.Waits, x.counted = true, true
		x.countUnread(ctx, v)
	}
}

// countUnread looks up what is unread in a room that is not on the screen. What was counted there before stands at least.
func (x *session) countUnread(ctx context.Context, v *command.Visited) {
	lines, err := x.me.Unread(ctx, v.Where, x.me.Reader().Seen()+1, keptCounting)
	if err != nil {
		x.log().Warn("unread lines not counted", "room", string(v.Where), "err", err)
		return
	}
	found, me := command.Visited{}, x.me.Person()
	for _, e := range lines {
		x.countLine(&found, e, me)
	}
	v.Waits = v.Waits || found.Waits
	v.Unread, v.Mentions = max(v.Unread, found.Unread), max(v.Mentions, found.Mentions)
}

// countLine takes in a line of a room that is not on the screen, and says whether it is unread, and names the person. What they said
// themselves is not unread, and what somebody says whom they ignore is nothing at all.
func (x *session) countLine(v *command.Visited, e *room.Event, me room.Person) (unread, named bool) {
	text, said := spokenIn(e)
	if !said || !command.Audible(x.ignored, e) {
		return false, false
	}
	v.Waits = true
	if e.From.ID == me.ID {
		return false, false
	}
	v.Unread++
	if x.calling(e, text) == "" {
		return true, false
	}
	v.Mentions++
	return true, true
}

// sort takes in what happened in the rooms that are not on the screen, and returns the rest, with what the person can do about it, behind
// into: that can be more than the events were. The person may have come into a room, or out of one: by their own wish if that is what was
// left last.
func (x *session) sort(into, events []*room.Event) (shown []*room.Event, changed bool, left room.Subject) {
	me := x.me.Person()
	shown = into
	for _, e := range events {
		if x.moves(e, me.ID) {
			changed, left = true, ""
			if _, parted := e.Body.(room.Parted); parted {
				left = e.Subject
			}
		}
		if x.knows(e, me.ID) || !command.Audible(x.ignored, e) {
			continue
		}
		if told := x.ofKeys(e); told != nil {
			shown = append(shown, told)
			continue
		}
		v := x.visited(e.Subject)
		if _, said := spokenIn(e); said && v == nil && e.Subject != x.here {
			continue // they came into that room in this page: it is counted as they are settled there
		}
		if v == nil || v.Where == x.here || concerns(e, me.ID) {
			shown = append(shown, e)
			if helps := x.helps(e, me); helps != nil {
				shown = append(shown, x.told(helps))
			}
			continue
		}
		unread, named := x.countLine(v, e, me)
		x.counted = x.counted || unread
		if named {
			x.alert(x.settings.Bell != command.BellOff, x.settings.Lang.Text(i18n.NotifyMention, e.From.Nick))
		}
	}
	return shown, changed, left
}

// helps says what the person can do who was put out of a room and stays in the house: how to come back, or whom to ask. It is nil for any
// other event; who leaves the house by it is told as they go.
func (x *session) helps(e *room.Event, me room.Person) *command.Failure {
	if x.me.Dismissed() != nil {
		return nil
	}
	switch b := e.Body.(type) {
	case room.Kicked:
		if b.Whom.ID == me.ID {
			return command.WayBack(me, e.Subject, x.opt.House)
		}
	case room.Barred:
		if !b.Bar.Mute && concerns(e, me.ID) {
			return command.Ask(b.Bar, x.opt.Contact())
		}
	default: // it puts nobody out
	}
	return nil
}

// knows says that an event tells the person of their own way into a room, or out of one: the command for it, or what they are shown of the
// room that they turn to, tells that. Their entry into the house is shown.
func (x *session) knows(e *room.Event, me room.PersonID) bool {
	switch e.Body.(type) {
	case room.Joined:
		return e.From.ID == me && e.Seq > x.me.Joined()
	case room.Parted:
		return e.From.ID == me && !x.me.In(e.Subject)
	default:
		return false
	}
}

// moves says that an event may have brought the screen into a room, or out of one.
func (x *session) moves(e *room.Event, me room.PersonID) bool {
	switch b := e.Body.(type) {
	case room.Joined, room.Parted:
		return e.From.ID == me
	case room.Kicked:
		return b.Whom.ID == me
	case room.Barred:
		return slices.ContainsFunc(b.Out, func(p room.Person) bool { return p.ID == me })
	default:
		return false
	}
}

// concerns says that an event in a room which is not on the screen is to be shown all the same: it was done to the person, or is told
// to everybody in the house.
func concerns(e *room.Event, me room.PersonID) bool {
	switch b := e.Body.(type) {
	case room.Invited:
		return b.Whom.ID == me
	case room.Ranked:
		return b.Whom.ID == me
	case room.Kicked:
		return b.Whom.ID == me
	case room.Barred:
		return slices.ContainsFunc(b.Out, func(p room.Person) bool { return p.ID == me })
	case room.Said, room.Emoted:
		return false
	default:
		return e.Subject == room.HouseSubject
	}
}

func spokenIn(e *room.Event) (room.Text, bool) {
	switch b := e.Body.(type) {
	case room.Said:
		return b.Text, true
	case room.Emoted:
		return b.Text, true
	default:
		return room.Text{}, false
	}
}

// audible leaves out what people said whom the person ignores.
func (x *session) audible(events []*room.Event) []*room.Event {
	if len(x.ignored) == 0 {
		return events
	}
	return slices.DeleteFunc(slices.Clone(events), func(e *room.Event) bool { return !command.Audible(x.ignored, e) })
}

// ignore takes in that somebody is to be ignored, or no more.
func (x *session) ignore(c command.Change) {
	if who, ok := command.Ignores(c); ok {
		x.ignored = slices.DeleteFunc(slices.Clone(x.ignored), func(i command.Ignoring) bool { return i.ID == who.ID })
		if c.Value != "" {
			x.ignored = append(x.ignored, who)
		}
	}
}

// goal is the room that what the person does now is meant for: the one that they asked for, though it may not be on the screen yet.
func (x *session) goal() room.Subject {
	if x.pending != "" {
		return x.pending
	}
	return x.here
}

// goTo turns to the room at a place among those that the screen is in.
func (x *session) goTo(place int) error {
	if x.out.commanded() { // which may lead elsewhere: this comes behind it
		if n := x.waiting(); n >= x.opt.Limits.OutboxLines {
			return x.refuseLeading(x.lines, i18n.OutboxFull, n)
		}
		row, _ := command.Find("go")
		call := &command.Call{Name: row.Name, Rest: strconv.Itoa(place)}
		x.out.add(job{line: x.lines, call: call, leads: true, run: func(ctx context.Context) (command.Answer, error) { return row.Do(ctx, call) }})
		return nil
	}
	if place > len(x.rooms) {
		return x.refuseLeading(x.lines, i18n.RoomNoPlace, place, len(x.rooms))
	}
	x.arrived()
	x.pending = x.rooms[place-1].Where
	x.me.Reader().Bell().Ring()
	return nil
}
