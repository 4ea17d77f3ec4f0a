package command

import (
	"context"
	"encoding/json"
	"iter"
	"slices"
	"strings"

	"sarangbang/internal/i18n"
	"sarangbang/room"
)

// This file holds what people do for their own peace: they go away, and do not read somebody.

const (
	awayBytes  = 200
	maxIgnored = 100 // by one person; older programs and other hands may have saved more, which are kept
)

// away says that the caller is away, or back: without a text, the other of the two.
func away(ctx context.Context, c *Call) (Answer, error) {
	text, err := oneLine(strings.TrimSpace(c.Rest), awayBytes)
	if err != nil {
		return Answer{}, err
	}
	me := c.Me.Person()
	p, here := c.House.Here(me.ID)
	gone := !text.Empty() || !here || p.Absent == nil
	done, err := c.House.Do(ctx, me, room.HouseSubject, room.Absent{Away: gone, Text: text})
	switch {
	case err != nil:
		return Answer{}, err
	case done.Void != "":
		return Answer{}, Voided(done.Void, done.Bar, c.House, c.zone(), c.Contact)
	case gone:
		return c.say(i18n.AwayNow), nil
	}
	return c.say(i18n.AwayNoMore), nil
}

// AwayOf returns what somebody who is here said as they went away; nil if they did not.
func AwayOf(h *room.House, who room.Person) *room.Absent {
	p, _ := h.Here(who.ID)
	return p.Absent
}

// IsAway tells whoever sent them a direct message.
func IsAway(who room.Person, a room.Absent) *Failure {
	if a.Text.Empty() {
		return &Failure{Say: i18n.ToldAway, Args: []any{who.Nick}}
	}
	return &Failure{Say: i18n.ToldAwayText, Args: []any{who.Nick, a.Text}}
}

// ignore keeps what somebody says from the caller, whatever they are called; without a nickname it lists whom.
func ignore(_ context.Context, c *Call) (Answer, error) {
	if strings.TrimSpace(c.Rest) == "" {
		return lines(c.ignoring()), nil
	}
	f, err := c.find("ignore")
	if err != nil {
		return Answer{}, err
	}
	var whom room.Person
	switch {
	case f.isHere:
		whom = f.here.Person
	case f.owned:
		whom = f.account.Person()
	default:
		return Answer{}, fail(i18n.NobodyCalled, f.nick)
	}
	me := c.Me.Person()
	switch {
	case whom.ID == me.ID, whom.Key != "" && slices.Contains(c.House.Looks(me).Keys, whom.Key): // under another nickname, perhaps
		return Answer{}, fail(i18n.IgnoreSelf)
	case Ignored(c.Ignored, whom):
		return Answer{}, fail(i18n.IgnoredAlready, whom.Nick)
	case len(c.Ignored) >= maxIgnored:
		return Answer{}, fail(i18n.IgnoredTooMany, maxIgnored)
	}
	a := c.say(i18n.IgnoredNow, whom.Nick)
	a.Changed, err = Ignoring{ID: whom.ID, Key: whom.Key, Nick: whom.Nick}.change()
	return a, err
}

// change is the setting that [Ignores] reads.
func (i Ignoring) change() (Change, error) {
	value, err := json.Marshal(i)
	return Change{Name: settingIgnored + string(i.ID), Value: string(value)}, err
}

// ignoring says whom the caller ignores.
func (c *Call) ignoring() string {
	if len(c.Ignored) == 0 {
		return c.Lang.Text(i18n.IgnoredNobody)
	}
	names := make([]string, len(c.Ignored))
	for i, who := range c.Ignored {
		names[i] = string(who.Nick)
	}
	return c.Lang.Text(i18n.IgnoredList, len(names), strings.Join(names, ", "))
}

// unignore lets the caller read somebody again: who is called so now, or was when they were ignored.
func unignore(_ context.Context, c *Call) (Answer, error) {
	f, err := c.find("unignore")
	if err != nil {
		return Answer{}, err
	}
	for _, who := range c.Ignored {
		then, ok := c.nickname(string(who.Nick))
		same := ok && then.Keys()[0] == f.names[0]
		now := f.id() != "" && who.ID == f.id() || f.isHere && Ignored([]Ignoring{who}, f.here.Person)
		if same || now {
			a := c.say(i18n.IgnoredNoMore, who.Nick)
			a.Changed = Change{Name: settingIgnored + string(who.ID)}
			return a, nil
		}
	}
	return Answer{}, fail(i18n.IgnoredNot, f.nick)
}

// Audible says that somebody who ignores these people reads an event all the same: their words are left out, not what happened.
func Audible(ignored []Ignoring, e *room.Event) bool {
	switch e.Body.(type) {
	case room.Said, room.Emoted, room.Told:
		return !Ignored(ignored, e.From)
	default:
		return true
	}
}

// audible leaves out what people said whom the caller ignores.
func (c *Call) audible(lines iter.Seq2[*room.Event, error]) iter.Seq2[*room.Event, error] {
	if len(c.Ignored) == 0 {
		return lines
	}
	return func(yield func(*room.Event, error) bool) {
		for e, err := range lines {
			if (err != nil || Audible(c.Ignored, e)) && !yield(e, err) {
				return
			}
		}
	}
}
