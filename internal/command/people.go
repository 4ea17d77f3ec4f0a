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

// who lists the people in a room: for a program one name a line, for a person as one sentence and what its marks mean.
func who(_ context.Context, c *Call) (Answer, error) {
	m, err := c.readableRoom(strings.TrimSpace(c.Rest))
	if err != nil {
		return Answer{}, err
	}
	members := c.House.Members(m.Subject)
	names := make([]string, len(members))
	marks := map[i18n.Key]bool{}
	for i, p := range members {
		names[i] = string(p.Person.Nick)
		if !c.Bare {
			names[i] = c.described(p, marks)
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
	for _, key := range []i18n.Key{i18n.WhoOwned, i18n.WhoModerator, i18n.WhoOwner, i18n.WhoOperator, i18n.WhoAwayMeans} {
		if marks[key] {
			texts = append(texts, c.Lang.Text(key))
		}
	}
	return lines(texts...), nil
}

// roleMarks are what stands behind the nickname of somebody with a role, and the sentence that says so. No nickname holds these.
var roleMarks = map[room.Role]struct {
	mark  string
	means i18n.Key
}{
	room.RoleModerator: {"@", i18n.WhoModerator},
	room.RoleOwner:     {"@@", i18n.WhoOwner},
	room.RoleOperator:  {"#", i18n.WhoOperator},
}

// described is somebody in the list: with marks, of which it notes what has to be explained, and what else is worth knowing of them.
func (c *Call) described(p room.Presence, marks map[i18n.Key]bool) string {
	name := string(p.Person.Nick)
	if p.Account {
		name += "+"
		marks[i18n.WhoOwned] = true
	}
	if role, has := roleMarks[p.Role]; has {
		name += role.mark
		marks[role.means] = true
	}
	if p.Away || p.Absent != nil && p.Absent.Text.Empty() {
		marks[i18n.WhoAwayMeans] = true
		name = c.Lang.Text(i18n.WhoAway, name)
	}
	var more []string
	if lang, known := i18n.Parse(p.Lang); known && lang != c.Lang { // their own language needs no telling
		more = append(more, p.Lang)
	}
	if idle := c.idle(p); idle != "" {
		more = append(more, idle)
	}
	if p.Absent != nil && !p.Absent.Text.Empty() {
		more = append(more, c.Lang.Text(i18n.WhoAbsentText, p.Absent.Text))
	}
	if more != nil {
		name += " [" + strings.Join(more, ", ") + "]"
	}
	return name
}

// idle says for how long somebody has typed nothing; empty for less than a minute, and where it is not known.
func (c *Call) idle(p room.Presence) string {
	if d := time.Since(p.Used); !p.Used.IsZero() && d >= time.Minute {
		return c.Lang.Text(i18n.WhoIdle, c.span(d))
	}
	return ""
}

// days is from how many hours on a length of time is told in days.
const days = 48

// span is a length of time in plain words.
func (c *Call) span(d time.Duration) string {
	switch hours := int(d / time.Hour); {
	case d < time.Minute:
		return c.Lang.Text(i18n.Seconds, max(1, int(d/time.Second)))
	case hours == 0:
		return c.Lang.Text(i18n.Minutes, int(d/time.Minute))
	case hours < days:
		return c.Lang.Text(i18n.Hours, hours)
	default:
		return c.Lang.Text(i18n.Days, hours/24)
	}
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
	if m, here := c.House.Here(me.ID); here && m.Screens > 1 {
		out = append(out, c.Lang.Text(i18n.WhoamiScreens, m.Screens))
	}
	return lines(out...), nil
}

// nick changes the nickname. Everybody, the person included, reads it as an event of the room.
func nick(ctx context.Context, c *Call) (Answer, error) {
	if c.Rest == "" {
		row, _ := Find("nick")
		return Answer{}, c.usage(row)
	}
	if !c.present() {
		return Answer{}, fail(i18n.NickNobody)
	}
	wanted := unquoted(c.Rest)
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
	err = c.Me.Rename(ctx, shown, name.Keys())
	refused, voided := errors.AsType[*room.RefusedError](err)
	switch {
	case voided:
		return Answer{}, Voided(refused.Void, refused.Bar, c.House, c.zone(), c.Contact)
	case errors.Is(err, room.ErrHeld):
		return Answer{}, fail(i18n.NickTaken, name)
	case room.Unsaved(err):
		return Answer{}, fail(i18n.NotSaved)
	}
	return Answer{}, err
}

// unquoted takes the double quotes away that a name with blanks may stand in.
func unquoted(name string) string {
	if n := len(name); n > 1 && name[0] == '"' && name[n-1] == '"' {
		return name[1 : n-1]
	}
	return name
}

// wearer is the caller, who wants another nickname.
func (c *Call) wearer() Wearer {
	me := c.Me.Person()
	return Wearer{House: c.House, Key: c.Me.Key(), Is: func(p room.Person) bool { return p.ID == me.ID }, Zone: c.zone()}
}

// present says whether the caller is in a room, with this screen or another.
func (c *Call) present() bool { return len(c.House.RoomsOf(c.Me.Person().ID)) > 0 }

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
	f := broken(r, i18n.NounNick)
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

// broken says which rule a name breaks; the noun is what the name is of.
func broken(r *identity.Refusal, noun i18n.Key) *Failure {
	return &Failure{Say: i18n.NickRule(r.Rule.String()), Args: []any{r.Bad, r.Got, r.Limit, nested{&Failure{Say: noun}}}}
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
