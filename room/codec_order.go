package room

import (
	"errors"
	"fmt"
	"time"
)

// This file gives the records of rooms and of keeping order their form.

// encodeOrder is Encode's part for them.
func encodeOrder(r *Record, w *wire, b Body) {
	switch b := b.(type) {
	case Opened:
		r.Kind, w.Nick, w.Names = "opened", string(b.Name), b.Names
	case Closed:
		r.Kind = "closed"
	case Arranged:
		r.Kind, w.Name, w.Value = "arranged", string(b.What), b.Value
		for _, p := range b.Inside {
			w.People = append(w.People, toWire(p))
		}
	case Invited:
		whom := toWire(b.Whom)
		r.Kind, w.To, w.Off, w.Proof = "invited", &whom, b.Out, b.Pass
	case Ranked:
		whom := toWire(b.Whom)
		r.Kind, w.To, w.Name = "ranked", &whom, b.Role.String()
	case Appointed:
		r.Kind, r.Subject, w.Names = "appointed", HouseSubject, b.Keys
	case Kicked:
		whom := toWire(b.Whom)
		r.Kind, w.To, w.Text = "kicked", &whom, b.Reason.s
	case Barred:
		encodeBar(r, w, &b.Bar)
	case Lifted:
		r.Kind, w.Off, w.Value = "lifted", b.Mute, b.Label
		for i, id := range b.Bars { // of old there was one to a record
			if i == 0 {
				w.Name = id.String()
			} else {
				w.IDs = append(w.IDs, id.String())
			}
		}
	case Undone:
		r.Kind, r.Subject, w.Name = "undone", HouseSubject, b.Act.String()
		w.Value = b.Kind
	case Withdrawn:
		r.Kind = "withdrawn"
		for _, id := range b.Lines {
			w.IDs = append(w.IDs, id.String())
		}
	case Announced:
		r.Kind, r.Subject, w.Text = "announced", HouseSubject, b.Text.s
	case Absent:
		r.Kind, r.Ephemeral, r.Subject, w.Off, w.Text = "absent", true, HouseSubject, !b.Away, b.Text.s
	default: // Encode does it
	}
}

func encodeBar(r *Record, w *wire, b *Bar) {
	r.Kind, w.Name, w.Text = "banned", b.Label, b.Reason.s
	if b.Mute {
		r.Kind = "muted"
	}
	w.Target = &wireTarget{b.Target.Persons, b.Target.Keys, b.Target.Names, b.Target.Nets}
	if !b.Until.IsZero() {
		w.Until = &b.Until
	}
}

func decodeOpened(w wire) (Body, error) {
	name, err := NewNick(w.Nick)
	if err == nil && len(w.Names) == 0 {
		err = errors.New("a room without a name")
	}
	return Opened{Name: name, Names: w.Names}, err
}

func decodeArranged(w wire) (Body, error) {
	b := Arranged{What: Aspect(w.Name), Value: Sentence(w.Value).s}
	for _, inside := range w.People {
		p, err := fromWire(inside)
		if err != nil {
			return nil, err
		}
		b.Inside = append(b.Inside, p)
	}
	return b, nil
}

// whomOf returns the person whom a record is about.
func whomOf(w wire) (Person, error) {
	if w.To == nil {
		return Person{}, errors.New("it is about nobody")
	}
	return fromWire(*w.To)
}

func decodeLifted(w wire) (Body, error) {
	first, err := ParseID(w.Name)
	if err != nil {
		return nil, err
	}
	more, err := parseIDs(w.IDs)
	return Lifted{Bars: append([]ID{first}, more...), Mute: w.Off, Label: Sentence(w.Value).s}, err
}

func decodeUndone(w wire) (Body, error) {
	id, err := ParseID(w.Name)
	return Undone{Act: id, Kind: w.Value}, err
}

func decodeInvited(w wire) (Body, error) {
	whom, err := whomOf(w)
	return Invited{Whom: whom, Out: w.Off, Pass: w.Proof}, err
}

func decodeRanked(w wire) (Body, error) {
	whom, err := whomOf(w)
	role, known := roleNamed(w.Name)
	if err == nil && !known {
		err = fmt.Errorf("no role is called %q", w.Name)
	}
	return Ranked{Whom: whom, Role: role}, err
}

func decodeKicked(w wire) (Body, error) {
	whom, err := whomOf(w)
	return Kicked{Whom: whom, Reason: Sentence(w.Text)}, err
}

// decodeBar leaves out what stands beside the data of the record: who set it, where, and when. See barOf.
func decodeBar(w wire, mute bool) (Body, error) {
	if w.Target == nil {
		return nil, errors.New("a bar that means nobody")
	}
	t := Target{w.Target.Persons, w.Target.Keys, w.Target.Names, w.Target.Nets}
	b := Bar{Mute: mute, Target: t, Label: Sentence(w.Name).s, Reason: Sentence(w.Text)}
	if w.Until != nil {
		b.Until = *w.Until
	}
	return Barred{Bar: b}, nil
}

// barOf returns the whole of the bar that a record sets.
func barOf(e *Event, b Barred) *Bar {
	bar := b.Bar
	bar.ID, bar.Where, bar.By, bar.At = e.ID, e.Subject, e.From, e.At
	return &bar
}

func decodeWithdrawn(w wire) (Body, error) {
	lines, err := parseIDs(w.IDs)
	return Withdrawn{Lines: lines}, err
}

func parseIDs(of []string) ([]ID, error) {
	ids := make([]ID, len(of))
	for i, s := range of {
		id, err := ParseID(s)
		if err != nil {
			return nil, err
		}
		ids[i] = id
	}
	return ids, nil
}

// slow reads the value of [AspectSlow].
func slow(value string) time.Duration {
	d, err := time.ParseDuration(value)
	if err != nil || d < 0 {
		return 0
	}
	return d
}
