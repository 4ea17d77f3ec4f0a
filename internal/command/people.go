package command

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"sarangbang/internal/i18n"
	"sarangbang/internal/identity"
	"sarangbang/room"
)

// who lists the people in the room: for a program one a line, for a person as one sentence and what its marks mean.
func who(_ context.Context, c *Call) (Answer, error) {
	members := c.House.Members(room.Lobby)
	names := make([]string, len(members))
	owned, away := false, false
	for i, m := range members {
		names[i] = string(m.Person.Nick)
		if c.Bare {
			continue
		}
		if m.Account { // no nickname holds what these marks are made of
			names[i], owned = names[i]+"+", true
		}
		if m.Away {
			names[i], away = c.Lang.Text(i18n.WhoAway, names[i]), true
		}
	}
	switch {
	case c.Bare:
		return lines(names...), nil
	case len(names) == 0:
		return c.say(i18n.WhoNobody), nil
	}
	var texts []string
	for some := range slices.Chunk(names, namesInLine) {
		texts = append(texts, strings.Join(some, ", "))
	}
	texts[0] = c.Lang.Text(i18n.WhoList, len(names), texts[0])
	if owned {
		texts = append(texts, c.Lang.Text(i18n.WhoOwned))
	}
	if away {
		texts = append(texts, c.Lang.Text(i18n.WhoAwayMeans))
	}
	return lines(texts...), nil
}

// namesInLine bounds one line of an answer, so that a full house is drawn piece by piece.
const namesInLine = 50

// whoami tells people what the house knows of them.
func whoami(_ context.Context, c *Call) (Answer, error) {
	me := c.Me.Person()
	out := []string{c.Lang.Text(i18n.WhoamiNick, me.Nick)}
	if key := c.Me.Key(); key != "" {
		out = append(out, c.Lang.Text(i18n.WhoamiKey, key))
	} else {
		out = append(out, c.Lang.Text(i18n.WhoamiNoKey))
	}
	if a, has := c.Me.Account(); has {
		out = append(out, c.Lang.Text(i18n.WhoamiAccount, a.Nick))
	}
	for _, m := range c.House.Members(room.Lobby) {
		if m.Person.ID == me.ID && m.Screens > 1 {
			out = append(out, c.Lang.Text(i18n.WhoamiScreens, m.Screens))
		}
	}
	return lines(out...), nil
}

// nick changes the nickname. Everybody, the person included, reads it as an event of the room.
func nick(ctx context.Context, c *Call) (Answer, error) {
	if c.Rest == "" {
		row, _ := Find("nick")
		return Answer{}, c.usage(row)
	}
	if !c.listed() {
		return Answer{}, fail(i18n.NickNobody)
	}
	wanted := c.Rest
	if n := len(wanted); n > 1 && wanted[0] == '"' && wanted[n-1] == '"' {
		wanted = wanted[1 : n-1]
	}
	name, err := c.Names.Parse(wanted)
	if refusal, ok := errors.AsType[*identity.Refusal](err); ok {
		return Answer{}, c.wearer().Broken(wanted, refusal, c.Names)
	}
	if err != nil {
		return Answer{}, err
	}
	if name.String() == string(c.Me.Person().Nick) {
		return Answer{}, fail(i18n.NickSame, name)
	}
	if f := c.wearer().Refused(name); f != nil {
		return Answer{}, f
	}
	shown, err := room.NewNick(name.String())
	if err != nil {
		return Answer{}, err
	}
	if !c.Rates.NickChange(c.Me.Person().ID, c.Exempt) {
		return Answer{}, fail(i18n.NickTooOften)
	}
	switch err = c.Me.Rename(ctx, shown, name.Keys()); {
	case errors.Is(err, room.ErrHeld):
		return Answer{}, fail(i18n.NickTaken, name)
	case room.Unsaved(err):
		return Answer{}, fail(i18n.NotSaved)
	}
	return Answer{}, err
}

// wearer is the caller, who wants another nickname.
func (c *Call) wearer() Wearer {
	me := c.Me.Person()
	return Wearer{House: c.House, Key: c.Me.Key(), Is: func(p room.Person) bool { return p.ID == me.ID }, Zone: c.zone()}
}

// listed says whether the caller is in the room, with this screen or another.
func (c *Call) listed() bool {
	me := c.Me.Person().ID
	return slices.ContainsFunc(c.House.Members(room.Lobby), func(m room.Presence) bool { return m.Person.ID == me })
}

// Wearer is somebody who wants a nickname.
type Wearer struct {
	House *room.House
	Key   string                 // that they proved; empty for none
	Is    func(room.Person) bool // whether somebody in the house is they
	Zone  *time.Location         // where they read times
}

// Refused says why they cannot have a name at this moment, nil for no reason: it, or one that can be mistaken for it, belongs to an
// account that their key does not open, belonged to one that was erased lately, or is worn by somebody else.
func (w Wearer) Refused(name identity.Nickname) *Failure {
	if a, owned := w.House.Owner(name.Keys()...); owned && !slices.Contains(a.Keys, w.Key) {
		return &Failure{Say: i18n.NickOwned, Args: []any{name}}
	}
	if until := w.House.HeldUntil(name.Keys()...); !until.IsZero() {
		return &Failure{Say: i18n.NickHeld, Args: []any{name, until.In(w.Zone).Format(dayAndTime)}}
	}
	for _, n := range name.Keys() {
		if holder, held := w.House.Holder(n); held && !w.Is(holder) {
			return &Failure{Say: i18n.NickTaken, Args: []any{name}}
		}
	}
	return nil
}

// Broken says in a sentence which rule the typed nickname breaks, and what would work, unless they cannot have that. A nickname that
// looks like one of somebody else is refused as that would be.
func (w Wearer) Broken(typed string, r *identity.Refusal, names identity.Rules) *Failure {
	f := &Failure{Say: i18n.NickRule(r.Rule.String()), Args: []any{r.Bad, r.Got, r.Limit}}
	name, err := names.Parse(r.Suggestion)
	if err != nil {
		return f
	}
	refused := w.Refused(name)
	switch {
	case refused == nil:
		return &Failure{Say: i18n.NickWouldWork, Args: []any{nested{f}, r.Suggestion}}
	case looksAlike(r.Rule):
		refused.Args[0] = shorten(typed)
		return refused
	}
	return f
}

// TakenSay says that a sentence is about a name that others have, have kept for them, or had.
func TakenSay(key i18n.Key) bool {
	return key == i18n.NickTaken || key == i18n.NickOwned || key == i18n.NickHeld
}

// looksAlike says that a name which breaks the rule looks like what is suggested instead.
func looksAlike(rule identity.Rule) bool {
	switch rule {
	case identity.RuleMixedScripts, identity.RuleNotCanonical, identity.RuleInvisibleCharacter, identity.RuleHistoricLetter:
		return true
	default:
		return false
	}
}

// nested is a sentence within a sentence, put into words together with it.
type nested struct{ f *Failure }

func (n nested) in(lang i18n.Lang) string { return n.f.Sentence(lang) }

// Sentence says a failure in a language.
func (f *Failure) Sentence(lang i18n.Lang) string {
	args := make([]any, len(f.Args))
	for i, a := range f.Args {
		if words, ok := a.(interface{ in(lang i18n.Lang) string }); ok {
			a = words.in(lang)
		}
		args[i] = a
	}
	return lang.Text(f.Say, args...)
}
