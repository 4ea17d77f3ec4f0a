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

// This file says who may call which command and where, and what a refusal tells; who may do what is decided by the table of package
// room alone. A command that keeps order is about the room that the caller looks at, or about the one that its first word names.

// place takes the room that a command is about from what stands behind it, if a room stands there.
func (c *Call) place() (where room.Subject, rest string, err error) {
	if !strings.HasPrefix(c.Rest, "#") {
		return c.room(), c.Rest, nil
	}
	end := strings.IndexAny(c.Rest, " \n")
	if end < 0 {
		end = len(c.Rest)
	}
	where, err = c.named(c.Rest[:end])
	return where, strings.TrimLeft(c.Rest[end:], " \n"), err
}

// named finds a room by its name. One that the caller may not learn of is not there; operators may learn of all.
func (c *Call) named(typed string) (room.Subject, error) {
	name, failure := Door{House: c.House, Names: c.Names}.parse(typed)
	if failure == nil {
		where, self := room.SubjectOf(name.CaseKey()), c.as()
		_, there := c.House.Room(where)
		if there && (c.House.Knows(self, where) || c.House.RoleIn(self, where) == room.RoleOperator) {
			return where, nil
		}
	}
	return "", fail(i18n.NoSuchRoom, shorten(typed))
}

// May says whether somebody may call the command in a room.
func (c Command) May(h *room.House, who room.Person, where room.Subject) bool {
	if c.Needs == "" {
		return true
	}
	_, may := h.May(who, c.Needs, where)
	return may
}

// allowed fails with what is missing, if the caller may not call the command about that room.
func (c Command) allowed(call *Call) error {
	if c.Needs == "" {
		return nil
	}
	where, _, err := call.place()
	if err != nil {
		return err
	}
	return call.must(c.Needs, where, "")
}

// must fails with the role that a deed takes, and with who has it, if the caller has it not; how is what the command was called with
// that takes so much.
func (c *Call) must(d room.Deed, where room.Subject, how string) error {
	needs, may := c.House.May(c.as(), d, where)
	if may {
		return nil
	}
	if where == room.Lobby && d == room.DeedPrivate {
		return fail(i18n.LobbyOpen)
	}
	what := c.Name
	if how != "" {
		what += " " + how
	}
	return c.missing(what, needs, where)
}

// missing tells which role something takes that the caller has typed, and who has it.
func (c *Call) missing(what string, needs room.Role, where room.Subject) *Failure {
	if !c.Bare {
		what = "/" + what
	}
	var ask any = ""
	switch able := c.able(needs, where); {
	case len(able) > 0:
		ask = nested{&Failure{Say: i18n.TakesAsk, Args: []any{strings.Join(able, ", ")}}}
	case c.Contact != "":
		ask = nested{&Failure{Say: i18n.TakesContact, Args: []any{c.Contact}}}
	}
	return &Failure{Say: i18n.Takes(needs.String()), Args: []any{what, nameOf(c.House, where), ask}}
}

// mostAsked is how many are named whom somebody can ask.
const mostAsked = 3

// able returns the nicknames of some who have a role in a room, each once, those who are there first.
func (c *Call) able(needs room.Role, where room.Subject) []string {
	var able []room.Person
	add := func(who room.Person) {
		known := slices.ContainsFunc(able, func(p room.Person) bool { return p.ID == who.ID })
		if len(able) < mostAsked && !known {
			able = append(able, who)
		}
	}
	for _, of := range []room.Subject{where, room.Lobby} {
		for _, m := range c.House.Members(of) {
			if m.Role == room.RoleOperator && needs == room.RoleOperator || of == where && m.Role >= needs {
				add(m.Person)
			}
		}
	}
	for _, a := range c.House.KeepersOf(where) {
		if c.House.RoleIn(a.Person(), where) >= needs {
			add(a.Person())
		}
	}
	return nicksOf(able)
}

// do commits something to keep order, and makes a failure of what keeps it from taking effect.
func (c *Call) do(ctx context.Context, where room.Subject, b room.Body) (room.Result, error) {
	r, err := c.House.Do(ctx, c.as(), where, b)
	if err == nil && r.Void != "" {
		err = Voided(r.Void, r.Bar, c.House, c.zone(), c.Contact)
	}
	return r, err
}

// in is the room, or the house, within a sentence.
func (c *Call) in(where room.Subject) any {
	if where == room.HouseSubject {
		return nested{&Failure{Say: i18n.ThisHouse}}
	}
	return nameOf(c.House, where)
}

// maxReason is how much of a reason there can be: it stands in sentences.
const maxReason = 400

// reason makes one line of why somebody does something; empty for nothing said.
func (c *Call) reason(typed string) (room.Text, error) {
	text, err := room.Clean(strings.Join(strings.Fields(typed), " "), room.TextLimits{Bytes: maxReason, Lines: 1})
	if _, long := errors.AsType[*room.TooLongError](err); long {
		return text, fail(i18n.ReasonLong, maxReason)
	}
	return text, err
}

// here finds somebody in the house by the nickname that they wear.
func (c *Call) here(nick string) (room.Person, bool) {
	n, ok := c.nickname(nick)
	if !ok {
		return room.Person{}, false
	}
	return c.House.Holder(n.Keys()[0])
}

// person finds somebody by a nickname: who wears it here, else who owns it.
func (c *Call) person(nick string) (room.Person, bool) {
	if who, ok := c.here(nick); ok {
		return who, true
	}
	if n, ok := c.nickname(nick); ok {
		if a, owned := c.House.Owner(n.Keys()[0]); owned {
			return a.Person(), true
		}
	}
	return room.Person{}, false
}

// whom takes a person from the beginning of what stands behind a command.
func (c *Call) whom(rest string, find func(nick string) (room.Person, bool)) (who room.Person, after string, err error) {
	if rest == "" {
		row, _ := Find(c.Name)
		return who, "", c.usage(row)
	}
	nick, after := cutNick(rest, func(nick string) bool { _, ok := find(nick); return ok })
	who, ok := find(nick)
	if !ok {
		return who, after, fail(i18n.NobodyCalled, shorten(nick))
	}
	return who, after, nil
}

// kick puts somebody out of a room.
func kick(ctx context.Context, c *Call) (Answer, error) {
	where, rest, err := c.place()
	if err != nil {
		return Answer{}, err
	}
	who, after, err := c.whom(rest, c.here)
	if err != nil {
		return Answer{}, err
	}
	reason, err := c.reason(after)
	if err != nil {
		return Answer{}, err
	}
	if c.With[dryRun] {
		return c.wouldKick(where, who, reason)
	}
	if _, err := c.do(ctx, where, room.Kicked{Whom: who, Reason: reason}); err != nil {
		return Answer{}, err
	}
	back := wayBack(c.House, who, where, ways{i18n.BackThey, i18n.BackTheyInvited, i18n.BackTheyPassword, i18n.BackTheyAccount})
	return lines(c.sentence(i18n.Kicked, who.Nick, nameOf(c.House, where), nested{back})), nil
}

// wouldKick says what /kick would do. A ban of the same person takes no less: it puts out those who can be kicked.
func (c *Call) wouldKick(where room.Subject, who room.Person, reason room.Text) (Answer, error) {
	target := room.Target{Persons: []room.PersonID{who.ID}}
	p := c.House.Preview(room.Bar{Where: where, Target: target, By: c.as(), At: time.Now()})
	switch {
	case p.Void != "":
		return Answer{}, Voided(p.Void, p.Bar, c.House, c.zone(), c.Contact)
	case c.outside(where):
		return lines(c.Lang.Text(i18n.WouldHitInside, nameOf(c.House, where)), c.Lang.Text(i18n.NothingDone)), nil
	case len(p.Here) == 0:
		return Answer{}, fail(i18n.Void(string(room.VoidNobody)))
	}
	return lines(c.sentence(i18n.WouldKick, who.Nick, nameOf(c.House, where), because(reason)), c.Lang.Text(i18n.NothingDone)), nil
}

// slow lets each person speak only now and then, or tells how often they may.
func slow(ctx context.Context, c *Call) (Answer, error) {
	where, rest, err := c.place()
	if err != nil {
		return Answer{}, err
	}
	value := ""
	switch word := strings.ToLower(strings.TrimSpace(rest)); word {
	case "":
		m, _ := c.House.Room(where)
		if m.Slow == 0 {
			return c.say(i18n.SlowOff, nameOf(c.House, where)), nil
		}
		return c.say(i18n.SlowIs, nameOf(c.House, where), m.Slow), nil
	case "off", "0", "0s":
	default:
		every, ok := lasting(word)
		if !ok || every < minSlow || every > maxSlow {
			return Answer{}, fail(i18n.SlowRange, shorten(word))
		}
		value = every.String()
	}
	if _, err := c.do(ctx, where, room.Arranged{What: room.AspectSlow, Value: value}); err != nil {
		return Answer{}, err
	}
	return c.say(i18n.Arranged, nameOf(c.House, where)), nil
}

// lock lets only people with an account in, or tells whether it is so.
func lock(ctx context.Context, c *Call) (Answer, error) {
	where, rest, err := c.place()
	if err != nil {
		return Answer{}, err
	}
	value := ""
	switch strings.ToLower(strings.TrimSpace(rest)) {
	case "":
		m, _ := c.House.Room(where)
		if m.Locked {
			return c.say(i18n.LockIsOn, nameOf(c.House, where)), nil
		}
		return c.say(i18n.LockIsOff, nameOf(c.House, where)), nil
	case "on":
		value = "on"
	case "off":
	default:
		row, _ := Find("lock")
		return Answer{}, c.usage(row)
	}
	if _, err := c.do(ctx, where, room.Arranged{What: room.AspectLocked, Value: value}); err != nil {
		return Answer{}, err
	}
	return c.say(i18n.Arranged, nameOf(c.House, where)), nil
}

// announce says something to everybody in the house, the caller included.
func announce(ctx context.Context, c *Call) (Answer, error) {
	text, err := c.text("announce", c.Rest)
	if err != nil {
		return Answer{}, err
	}
	_, err = c.do(ctx, room.HouseSubject, room.Announced{Text: text})
	return Answer{}, err
}

// mostPassed is how many acts are named that /undo passes over.
const mostPassed = 3

// mostTries is how often /undo looks for an act: what it finds may end, or another screen take it back, before it does.
const mostTries = 10

// undo takes back the newest of what the caller did to keep order that can be taken back, and names what it passes over.
func undo(ctx context.Context, c *Call) (Answer, error) {
	if c.Rest != "" {
		row, _ := Find("undo")
		return Answer{}, c.usage(row)
	}
	for try := 1; ; try++ {
		a, void, err := c.undoNewest(ctx)
		if void != room.VoidChanged && void != room.VoidNoAct || try == mostTries {
			return a, err
		}
	}
}

// undoNewest says besides why what it found could not be taken back any more.
func (c *Call) undoNewest(ctx context.Context) (a Answer, void room.Void, err error) {
	act, passed, ok := c.House.Undoable(c.as())
	switch {
	case !ok && len(passed) == 0:
		return a, "", fail(i18n.Void(string(room.VoidNoAct)))
	case !ok:
		return a, "", c.passed(ctx, passed[0], i18n.UndoKick, i18n.UndoChanged, i18n.UndoRefused)
	}
	what, err := c.recount(ctx, act)
	if err != nil {
		return a, "", err
	}
	out := []string{c.Lang.Text(i18n.UndoDone, what)}
	if c.With[dryRun] {
		out[0] = c.Lang.Text(i18n.UndoWould, what)
	}
	for _, p := range passed[:min(mostPassed, len(passed))] {
		why := c.passed(ctx, p, i18n.PassedKick, i18n.PassedChanged, i18n.PassedDenied)
		f, ok := errors.AsType[*Failure](why)
		if !ok {
			return a, "", why
		}
		out = append(out, f.Sentence(c.Lang))
	}
	if more := len(passed) - mostPassed; more > 0 {
		out = append(out, c.Lang.Text(i18n.PassedMore, more))
	}
	if !c.With[dryRun] {
		if r, err := c.do(ctx, room.HouseSubject, room.Undone{Act: act.ID, Kind: act.Kind}); err != nil {
			return a, r.Void, err
		}
	}
	return lines(out...), "", nil
}

// passed says of an act why it cannot be taken back: a kick never can, anything else because of what came after it, or of what the caller
// is by now.
func (c *Call) passed(ctx context.Context, a room.Passed, kick, changed, refused i18n.Key) error {
	what, err := c.recount(ctx, a.Act)
	if err != nil {
		return err
	}
	switch a.Why {
	case room.VoidFinal:
		return fail(kick, what)
	case room.VoidChanged, room.VoidNoAct:
		return fail(changed, what)
	case room.VoidNotAllowed:
		return fail(refused, what, nested{c.missing(c.Name, a.Needs, a.Where)})
	default:
		return fail(refused, what, nested{Voided(a.Why, nil, c.House, c.zone(), c.Contact)})
	}
}

// motd and rules show what the operator says to everybody who comes.
func motd(_ context.Context, c *Call) (Answer, error) {
	if c.Words != nil {
		if t := c.Words.Motd(c.Lang); !t.Empty() {
			return lines(t.String()), nil
		}
	}
	return c.say(i18n.MotdNone), nil
}

func rules(_ context.Context, c *Call) (Answer, error) {
	if c.Words != nil {
		if t := c.Words.Rules(c.Lang); !t.Empty() {
			return lines(t.String()), nil
		}
	}
	return c.say(i18n.RulesNone), nil
}
