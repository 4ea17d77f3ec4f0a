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

// who lists the people in the room: for a program one a line, for a person as one sentence.
func who(_ context.Context, c *Call) (Answer, error) {
	members := c.House.Members(room.Lobby)
	names := make([]string, len(members))
	for i, m := range members {
		names[i] = string(m.Person.Nick)
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
	return lines(texts...), nil
}

// namesInLine bounds one line of an answer, so that a full house is drawn piece by piece.
const namesInLine = 50

// whoami tells people what the house knows of them.
func whoami(_ context.Context, c *Call) (Answer, error) {
	me := c.Me.Person()
	out := []string{c.Lang.Text(i18n.WhoamiNick, me.Nick)}
	if me.Key != "" {
		out = append(out, c.Lang.Text(i18n.WhoamiKey, me.Key))
	} else {
		out = append(out, c.Lang.Text(i18n.WhoamiNoKey))
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
		mine := func(p room.Person) bool { return p.ID == c.Me.Person().ID }
		return Answer{}, NickFailure(wanted, refusal, c.Names, c.House, mine)
	}
	if err != nil {
		return Answer{}, err
	}
	if name.String() == string(c.Me.Person().Nick) {
		return Answer{}, fail(i18n.NickSame, name)
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

// listed says whether the caller is in the room, with this screen or another.
func (c *Call) listed() bool {
	me := c.Me.Person().ID
	return slices.ContainsFunc(c.House.Members(room.Lobby), func(m room.Presence) bool { return m.Person.ID == me })
}

// NickFailure says in a sentence which rule the typed nickname breaks, and what would work, unless somebody who is not mine wears
// that. A nickname that looks like theirs is taken.
func NickFailure(typed string, r *identity.Refusal, names identity.Rules, house *room.House, mine func(room.Person) bool) *Failure {
	f := &Failure{Say: i18n.NickRule(r.Rule.String()), Args: []any{r.Bad, r.Got, r.Limit}}
	name, err := names.Parse(r.Suggestion)
	switch {
	case err != nil:
	case !Free(name, house, mine):
		if looksAlike(r.Rule) {
			return &Failure{Say: i18n.NickTaken, Args: []any{shorten(typed)}}
		}
	default:
		return &Failure{Say: i18n.NickWouldWork, Args: []any{nested{f}, r.Suggestion}}
	}
	return f
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

// Free says whether nobody in the house wears the name, or one that can be mistaken for it, but who is mine.
func Free(name identity.Nickname, house *room.House, mine func(room.Person) bool) bool {
	for _, n := range name.Keys() {
		if holder, held := house.Holder(n); held && !mine(holder) {
			return false
		}
	}
	return true
}

// nested is a sentence within a sentence, put into words together with it.
type nested struct{ f *Failure }

// Sentence says a failure in a language.
func (f *Failure) Sentence(lang i18n.Lang) string {
	args := make([]any, len(f.Args))
	for i, a := range f.Args {
		if n, ok := a.(nested); ok {
			a = n.f.Sentence(lang)
		}
		args[i] = a
	}
	return lang.Text(f.Say, args...)
}
