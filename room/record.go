package room

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"time"
)

// Seq is a place in the one order of the house. Places grow, are never used twice, restarts included, and need not be
// dense. 0 is before the first.
type Seq uint64

// ID names a record for ever. Whoever makes the record chooses it, so that the same record sent again is recognised.
type ID [16]byte

// NewID returns an ID that nobody else has chosen.
func NewID() ID {
	var id ID
	_, _ = rand.Read(id[:]) // crypto/rand never fails: it ends the program instead
	return id
}

// String returns the ID in hexadecimal.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// MarshalText writes what String does.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads it.
func (id *ID) UnmarshalText(b []byte) (err error) {
	*id, err = ParseID(string(b))
	return err
}

// ParseID reads what String wrote.
func ParseID(s string) (id ID, err error) {
	if len(s) == hex.EncodedLen(len(id)) {
		if _, err = hex.Decode(id[:], []byte(s)); err == nil {
			return id, nil
		}
	}
	return ID{}, fmt.Errorf("%q is no ID: 32 hexadecimal digits", s)
}

// Subject is what a record is about: one room, one person, or the house. Records of one subject can be asked for and
// expected (see [Record].Expect) apart from all others.
type Subject string

// HouseSubject is what concerns every room, such as a rename.
const HouseSubject Subject = "house"

// Lobby is the room where everybody starts and where the people of the plain-TCP door live.
const Lobby Subject = "room/lobby"

func personSubject(id PersonID) Subject { return Subject("person/" + string(id)) }

func accountSubject(id PersonID) Subject { return Subject("account/" + string(id)) }

// A Record is what the journal keeps. [Event] is its decoded form.
type Record struct {
	ID      ID
	Subject Subject
	Kind    string // what Data holds: "said", "joined", …
	// Expect is the Seq that the last kept record of Subject must have, 0 for none yet; nil expects nothing. Ephemeral
	// records are not counted. A retry whose ID is already committed is not measured against it again.
	Expect *Seq
	// Ephemeral records are numbered and tailed like the others but need not be kept: presence, which ends with the process.
	Ephemeral bool
	Data      []byte    // JSON; at most a few KiB
	At        time.Time // stamped by the journal when it commits; what Append is given is ignored
}

// Position is a place in one journal's life. A changed Epoch means that what was numbered before is another history.
type Position struct {
	Epoch string
	Seq   Seq
}
