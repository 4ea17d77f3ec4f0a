package command

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"sarangbang/internal/i18n"
	"sarangbang/internal/render"
	"sarangbang/room"
)

// This file tells what was done to rooms and to keep order.

const (
	auditLines    = 20
	maxAuditLines = 1000
)

// audit lists what was done in a room or, to operators who name none, everywhere.
func audit(ctx context.Context, c *Call) (Answer, error) {
	where, rest, err := c.place()
	if err != nil {
		return Answer{}, err
	}
	q := room.ActQuery{Where: where, N: auditLines}
	if _, may := c.House.May(c.as(), room.DeedHouseBan, where); may && !strings.HasPrefix(c.Rest, "#") {
		q.Where = ""
	}
	if rest != "" {
		n, err := strconv.Atoi(strings.TrimSpace(rest))
		if err != nil && !errors.Is(err, strconv.ErrRange) {
			row, _ := Find("audit")
			return Answer{}, c.usage(row)
		}
		if n < 1 || n > maxAuditLines {
			return Answer{}, fail(i18n.HistoryNumber, maxAuditLines)
		}
		q.N = n
	}
	acts, err := c.House.Audit(ctx, q)
	switch {
	case errors.Is(err, room.ErrNoArchive):
		return Answer{}, fail(i18n.NoArchive)
	case err != nil:
		return Answer{}, err
	case len(acts) == 0:
		return c.say(i18n.AuditNothing), nil
	}
	undone, of, err := c.undone(ctx, q.Where, acts)
	if err != nil {
		return Answer{}, err
	}
	slices.Reverse(acts)
	return Answer{Lines: func(yield func(*room.Event, error) bool) {
		for _, e := range acts {
			if !yield(room.Note(room.Sentence(Recount(e, of[e.ID], undone[e.ID], c.Lang, c.zone(), c.House))), nil) {
				return
			}
		}
	}}, nil
}

// undone returns which of some acts in a room, or anywhere, were taken back, and what those took back that did so, by their IDs. What
// was done elsewhere is not for everybody who reads of a room.
func (c *Call) undone(ctx context.Context, where room.Subject, acts []*room.Event) (undone map[room.ID]bool, of map[room.ID]*room.Event, err error) {
	undone, of = map[room.ID]bool{}, map[room.ID]*room.Event{}
	var first time.Time      // of those that take back
	for _, e := range acts { // the newest first
		if b, ok := e.Body.(room.Undone); ok {
			undone[b.Act], first = true, e.At
		}
	}
	if first.IsZero() {
		return undone, of, nil
	}
	byID := map[room.ID]*room.Event{}
	for q := (room.ActQuery{Where: where, Since: first.Add(-room.UndoFor), N: maxAuditLines}); len(byID) < len(undone); {
		older, err := c.House.Audit(ctx, q)
		if err != nil {
			return nil, nil, err
		}
		for _, e := range older {
			if undone[e.ID] {
				byID[e.ID] = e
			}
			q.Before = e.Seq
		}
		if len(older) < q.N {
			break
		}
	}
	for _, e := range acts {
		if b, ok := e.Body.(room.Undone); ok && byID[b.Act] != nil {
			of[e.ID] = byID[b.Act]
		}
	}
	return undone, of, nil
}

// Recount puts something that was done to keep order into one line: when, where, who, what, to whom, why and until when, and that it
// was undone; of is what it took back itself, nil if it is nothing or not known. It is for those who may read all of it: the addresses that
// a ban means stand in it.
func Recount(e, of *room.Event, undone bool, lang i18n.Lang, zone *time.Location, rooms render.Names) string {
	return e.At.In(zone).Format(dayAndTime) + " " + recount(e, of, undone, lang, zone, rooms)
}

func recount(e, of *room.Event, undone bool, lang i18n.Lang, zone *time.Location, rooms render.Names) string {
	whole, text, label := *e, "", ""
	switch b := e.Body.(type) {
	case room.Opened:
		text = lang.Text(i18n.DidOpen, e.From.Nick)
	case room.Closed:
		text = lang.Text(i18n.DidClose)
	case room.Appointed:
		text, label = lang.Text(i18n.DidAppoint, len(b.Keys)), strings.Join(b.Keys, ", ")
	case room.Barred:
		label = b.Bar.Label
		b.Bar.Where = e.Subject // a record says it beside its data
		whole.Body = b
	case room.Lifted:
		label = b.Label
	case room.Invited:
		if b.Whom.ID == e.From.ID && b.Pass != "" {
			text = lang.Text(i18n.DidPassword, e.From.Nick)
		}
	case room.Undone:
		if of != nil {
			text = lang.Text(i18n.DidUndoOf, e.From.Nick, recount(of, nil, false, lang, zone, rooms), of.At.In(zone).Format(dayAndTime))
		}
	default: // the sentence says all
	}
	if text == "" {
		text = render.Sentence(&whole, render.View{Lang: lang, Zone: zone, Rooms: rooms})
	}
	text = strings.ReplaceAll(text, "\n", " / ")
	if key, is := strings.CutPrefix(string(e.Subject), "room/"); is {
		if rooms != nil {
			if m, there := rooms.Room(e.Subject); there {
				key = string(m.Name)
			}
		}
		text = "#" + key + " · " + text
	}
	if label != "" && !strings.Contains(text, label) {
		text += " [" + label + "]"
	}
	if undone {
		text += " " + lang.Text(i18n.AuditUndone)
	}
	return text
}

// recount says what an act of the caller was.
func (c *Call) recount(ctx context.Context, a room.Act) (string, error) {
	q := room.ActQuery{Where: a.Where, Since: a.At, N: maxAuditLines}
	if a.Seq > 0 {
		q.Before = a.Seq + 1
	}
	acts, err := c.House.Audit(ctx, q)
	if err != nil && !errors.Is(err, room.ErrNoArchive) {
		return "", err
	}
	_, operator := c.House.May(c.as(), room.DeedAddresses, room.HouseSubject)
	for _, e := range acts {
		if e.ID == a.ID {
			if !operator { // any more, if they were one then
				e = public(e)
			}
			return recount(e, nil, false, c.Lang, c.zone(), c.House), nil
		}
	}
	return c.Lang.Text(i18n.UndoOf, c.in(a.Where), c.day(a.At)), nil
}

// public leaves away from what was done what only operators may read: which addresses, and which keys, were barred.
func public(e *room.Event) *room.Event {
	open := *e
	switch b := e.Body.(type) {
	case room.Barred:
		b.Bar.Label = render.Public(b.Bar.Label)
		open.Body = b
	case room.Lifted:
		b.Label = render.Public(b.Label)
		open.Body = b
	default: // nothing
	}
	return &open
}

// AuditLine is one line of an audit for programs. Fields are only ever added.
type AuditLine struct {
	ID     string     `json:"id"`
	Seq    room.Seq   `json:"seq"`
	At     time.Time  `json:"at"`
	Room   string     `json:"room,omitempty"` // with its sign; empty for the house; of what was taken back, where that is known
	By     room.Nick  `json:"by,omitempty"`   // empty for the house itself
	Kind   string     `json:"kind"`
	Whom   string     `json:"whom,omitempty"` // a nickname, a key or an address
	What   string     `json:"what,omitempty"` // the aspect that was arranged, the role that was given, or the kind of what was undone
	Value  string     `json:"value,omitempty"`
	Reason string     `json:"reason,omitempty"`
	Until  *time.Time `json:"until,omitempty"` // nothing for ever
	Off    bool       `json:"off,omitempty"`   // an invitation that was taken back
	Of     []string   `json:"of,omitempty"`    // IDs of the lines that were struck, or of the act or the bars that were ended
	Undone bool       `json:"undone,omitempty"`
	Act    *AuditLine `json:"act,omitempty"` // what was taken back; nothing where it is not known
}

// NewAuditLine makes the line of something that was done; of is what it took back itself, nil if it is nothing or not known. Of a password it says no more than whether there is one.
func NewAuditLine(e, of *room.Event, undone bool) AuditLine {
	l := AuditLine{ID: e.ID.String(), Seq: e.Seq, At: e.At.UTC(), By: e.From.Nick, Undone: undone}
	if key, is := strings.CutPrefix(string(e.Subject), "room/"); is {
		l.Room = "#" + key
	}
	switch b := e.Body.(type) {
	case room.Opened:
		l.Kind = "opened"
	case room.Closed:
		l.Kind = "closed"
	case room.Appointed:
		l.Kind, l.Whom = "appointed", strings.Join(b.Keys, " ")
	case room.Arranged:
		l.Kind, l.What, l.Value = "arranged", string(b.What), b.Value
		if b.What == room.AspectPassword && b.Value != "" {
			l.Value = "on"
		}
	case room.Invited:
		l.Kind, l.Whom, l.Off = "invited", string(b.Whom.Nick), b.Out
	case room.Ranked:
		l.Kind, l.Whom, l.What = "ranked", string(b.Whom.Nick), b.Role.String()
	case room.Kicked:
		l.Kind, l.Whom, l.Reason = "kicked", string(b.Whom.Nick), b.Reason.String()
	case room.Barred:
		l.Kind, l.Whom, l.Reason = "banned", b.Bar.Label, b.Bar.Reason.String()
		if b.Bar.Mute {
			l.Kind = "muted"
		}
		if until := b.Bar.Until.UTC(); !b.Bar.Until.IsZero() {
			l.Until = &until
		}
	case room.Lifted:
		l.Kind, l.Whom, l.Of = "lifted", b.Label, hexOf(b.Bars)
	case room.Undone:
		l.Kind, l.What, l.Of = "undone", b.Kind, []string{b.Act.String()}
		if of != nil {
			act := NewAuditLine(of, nil, true)
			l.Act, l.Room, l.Whom = &act, act.Room, act.Whom
		}
	case room.Withdrawn:
		l.Kind, l.Of = "withdrawn", hexOf(b.Lines)
	case room.Announced:
		l.Kind, l.Value = "announced", b.Text.String()
	default: // nothing that an audit is about
	}
	return l
}

// hexOf are IDs as programs read them.
func hexOf(ids []room.ID) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = id.String()
	}
	return out
}
