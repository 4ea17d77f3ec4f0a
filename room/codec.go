package room

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// wire is the form of Data of every kind. Fields are only ever added; a program that does not know one ignores it.
type wire struct {
	From   wirePerson   `json:"from"`
	To     *wirePerson  `json:"to,omitempty"`
	Text   string       `json:"text,omitempty"`
	Nick   string       `json:"nick,omitempty"`
	Screen string       `json:"screen,omitempty"`
	Visit  bool         `json:"visit,omitempty"`
	Why    string       `json:"why,omitempty"`
	Names  []string     `json:"names,omitempty"`
	Key    string       `json:"key,omitempty"`
	Name   string       `json:"name,omitempty"`
	Value  string       `json:"value,omitempty"`
	Until  *time.Time   `json:"until,omitempty"`
	Addr   string       `json:"addr,omitempty"`
	Proof  string       `json:"proof,omitempty"` // the hash that a password was checked against
	Off    bool         `json:"off,omitempty"`   // the opposite of what the kind says
	IDs    []string     `json:"ids,omitempty"`
	People []wirePerson `json:"people,omitempty"`
	Target *wireTarget  `json:"target,omitempty"`
}

// wireTarget is whom a bar means.
type wireTarget struct {
	Persons []PersonID     `json:"persons,omitempty"`
	Keys    []string       `json:"keys,omitempty"`
	Names   []string       `json:"names,omitempty"`
	Nets    []netip.Prefix `json:"nets,omitempty"`
}

type wirePerson struct {
	ID   string `json:"id"`
	Nick string `json:"nick"`
	Key  string `json:"key,omitempty"`
}

func toWire(p Person) wirePerson { return wirePerson{string(p.ID), string(p.Nick), p.Key} }

func fromWire(w wirePerson) (Person, error) {
	nick, err := NewNick(w.Nick)
	return Person{ID: PersonID(w.ID), Nick: nick, Key: w.Key}, err
}

// Encode makes the record of what from does in the room where, with a new ID. A body whose subject is fixed by what it is
// (a direct message, a rename) ignores where. Notices and unknown kinds are not for the journal: Encode panics on them.
func Encode(from Person, where Subject, b Body) Record {
	r := Record{ID: NewID(), Subject: where}
	w := wire{From: toWire(from)}
	switch b := b.(type) {
	case Said:
		r.Kind, w.Text = "said", b.Text.s
	case Emoted:
		r.Kind, w.Text = "emoted", b.Text.s
	case Told:
		to := toWire(b.To)
		r.Kind, r.Subject, w.To, w.Text = "told", personSubject(b.To.ID), &to, b.Text.s
	case Joined:
		r.Kind, r.Ephemeral, w.Screen, w.Visit, w.Names = "joined", true, string(b.Screen), b.Visit, b.Names
		w.Addr, w.Proof = b.Addr, b.Pass
	case Parted:
		r.Kind, r.Ephemeral, w.Screen, w.Why = "parted", true, string(b.Screen), string(b.Why)
	case Renamed:
		r.Kind, r.Ephemeral, r.Subject, w.Nick, w.Names = "renamed", true, HouseSubject, string(b.To), b.Names
	case Registered:
		r.Kind, r.Subject, w.Names = "registered", accountSubject(from.ID), b.Names
	case KeyAdded:
		r.Kind, r.Subject, w.Key = "key_added", accountSubject(from.ID), b.Key
	case KeyRemoved:
		r.Kind, r.Subject, w.Key = "key_removed", accountSubject(from.ID), b.Key
	case Configured:
		r.Kind, r.Subject, w.Name, w.Value = "configured", accountSubject(from.ID), b.Name, b.Value
	case Erased:
		r.Kind, r.Subject, w.Until = "erased", accountSubject(from.ID), &b.Until
	case Opened, Closed, Arranged, Invited, Ranked, Appointed, Kicked, Barred, Lifted, Undone, Withdrawn, Announced, Absent:
		encodeOrder(&r, &w, b)
	case Removed, Notice, Unknown:
		panic(fmt.Sprintf("room: %T is not a record", b))
	}
	data, err := json.Marshal(w)
	if err != nil { // strings and a bool cannot fail
		panic(err)
	}
	r.Data = data
	return r
}

// Decode makes the event of a committed record. Text and names are checked again, since the record may be old or come from
// another node. A kind that this program does not know becomes [Unknown]; an error means that the data is damaged.
func Decode(c Committed) (*Event, error) {
	r := c.Record
	e := &Event{Seq: c.Seq, ID: r.ID, Subject: r.Subject, At: r.At}
	body, known := decoders[r.Kind]
	if !known {
		e.Body = Unknown{Kind: r.Kind}
		return e, nil
	}
	var w wire
	err := json.Unmarshal(r.Data, &w)
	if house := r.Kind == "appointed" || r.Kind == "closed"; err == nil && !house { // these are done by the house itself
		e.From, err = fromWire(w.From)
	}
	if err == nil {
		e.Body, err = body(w)
	}
	if err != nil {
		return nil, fmt.Errorf("decode %s record %s: %w", r.Kind, r.ID, err)
	}
	return e, nil
}

// decoders turn a record's data into its body, by kind.
var decoders = map[string]func(wire) (Body, error){
	"said":    func(w wire) (Body, error) { return Said{Sentence(w.Text)}, nil },
	"emoted":  func(w wire) (Body, error) { return Emoted{Sentence(w.Text)}, nil },
	"told":    decodeTold,
	"joined":  func(w wire) (Body, error) { return Joined{ScreenID(w.Screen), w.Visit, w.Names, w.Addr, w.Proof}, nil },
	"parted":  func(w wire) (Body, error) { return Parted{ScreenID(w.Screen), Ending(w.Why)}, nil },
	"renamed": decodeRenamed,

	"registered":  decodeRegistered,
	"key_added":   func(w wire) (Body, error) { return KeyAdded{w.Key}, nil },
	"key_removed": func(w wire) (Body, error) { return KeyRemoved{w.Key}, nil },
	"configured":  func(w wire) (Body, error) { return Configured{w.Name, w.Value}, nil },
	"erased":      decodeErased,

	"opened":    decodeOpened,
	"closed":    func(wire) (Body, error) { return Closed{}, nil },
	"arranged":  decodeArranged,
	"invited":   decodeInvited,
	"ranked":    decodeRanked,
	"appointed": func(w wire) (Body, error) { return Appointed{w.Names}, nil },
	"kicked":    decodeKicked,
	"muted":     func(w wire) (Body, error) { return decodeBar(w, true) },
	"banned":    func(w wire) (Body, error) { return decodeBar(w, false) },
	"lifted":    decodeLifted,
	"undone":    decodeUndone,
	"withdrawn": decodeWithdrawn,
	"announced": func(w wire) (Body, error) { return Announced{Sentence(w.Text)}, nil },
	"absent":    func(w wire) (Body, error) { return Absent{!w.Off, Sentence(w.Text)}, nil },
}

func decodeTold(w wire) (Body, error) {
	if w.To == nil {
		return nil, fmt.Errorf("a direct message without a receiver")
	}
	to, err := fromWire(*w.To)
	return Told{To: to, Text: Sentence(w.Text)}, err
}

func decodeRenamed(w wire) (Body, error) {
	to, err := NewNick(w.Nick)
	return Renamed{To: to, Names: w.Names}, err
}

func decodeRegistered(w wire) (Body, error) {
	if w.From.Key == "" || len(w.Names) == 0 {
		return nil, errors.New("an account without a key or a name")
	}
	return Registered{Names: w.Names}, nil
}

func decodeErased(w wire) (Body, error) {
	if w.Until == nil {
		return nil, errors.New("an erased account whose name is never free")
	}
	return Erased{Until: *w.Until}, nil
}
