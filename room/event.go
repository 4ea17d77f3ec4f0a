package room

import "time"

// An Event is the decoded, immutable form of a committed record, or a notice that the program made for one screen. Events are
// shared by all readers: nobody changes one.
type Event struct {
	Seq     Seq // 0 for a notice
	ID      ID
	Subject Subject
	At      time.Time
	From    Person // the zero Person is the house itself
	Body    Body
}

// PersonID names a person: a proven key under a nickname, or one connection. It is not for people's eyes.
type PersonID string

// ScreenID names one session of a person within the house.
type ScreenID string

// Person is a snapshot of somebody at the moment of a record.
type Person struct {
	ID   PersonID
	Nick Nick
	Key  string // SHA256 fingerprint of the proven key, as ssh-keygen -lf prints it; empty where none was proven
}

// Body says what happened. The set is closed: a switch over it names every kind.
//
//sumtype:decl
type Body interface{ body() }

type (
	// Said is a message to a room.
	Said struct{ Text Text }
	// Emoted is what somebody does, told in the third person.
	Emoted struct{ Text Text }
	// Told is a direct message. Its subject is the receiver; its author sees it too.
	Told struct {
		To   Person
		Text Text
	}
	// Joined is one screen entering a room. Only the first listed screen of a person is announced.
	Joined struct {
		Screen ScreenID
		Visit  bool     // neither announced nor listed: one command over ssh
		Names  []string // of the claim: everything about the nickname that must be unique
		Addr   string   // where the screen's connection comes from, without the port; empty where that is not known. It is kept nowhere
		Pass   string   // the hash that the room's password was checked against; empty for none given
	}
	// Parted is one screen leaving a room. Only the last listed screen of a person is announced.
	Parted struct {
		Screen ScreenID
		Why    Ending
	}
	// Renamed is a new nickname, in every room where the person is. From holds the old one.
	Renamed struct {
		To    Nick
		Names []string // of the new claim
	}
	// Registered makes an account of a person who is here: the nickname is theirs, and the key that they proved opens it.
	Registered struct{ Names []string }
	// KeyAdded is a further key that opens the author's account, by its fingerprint.
	KeyAdded struct{ Key string }
	// KeyRemoved is a key that opens it no more.
	KeyRemoved struct{ Key string }
	// Configured is a setting that follows the account, under a name and in a form of the program's own; without a value it is none any more.
	Configured struct{ Name, Value string }
	// Erased is the end of an account: what was stored about it is overwritten, and nobody can wear the name until then.
	Erased struct{ Until time.Time }
	// Opened is a room that its author makes: the record's subject is the room's from now on. Names are all that must be unique about it.
	Opened struct {
		Name  Nick
		Names []string
	}
	// Closed is the end of a room that nobody owns and nobody came to for long. The house itself says so.
	Closed struct{}
	// Arranged gives a room another topic, or another way of letting people in and speak.
	Arranged struct {
		What  Aspect
		Value string // in the form that the aspect has; see its constant
		// Inside are the people in a room that is made private: they may come back. House.Do puts them in.
		Inside []Person
	}
	// Invited lets somebody into a private room for as long as it has an owner, or no more. Whoever knows the password lets themselves in:
	// then Pass is the hash that it was checked against.
	Invited struct {
		Whom Person
		Out  bool
		Pass string
	}
	// Ranked gives the owner of an account a role in the record's room, or in the house; RoleMember takes it away.
	Ranked struct {
		Whom Person
		Role Role
	}
	// Appointed is who the configuration says are operators, by the fingerprints of their keys. The house itself says so.
	Appointed struct{ Keys []string }
	// Kicked puts somebody out of a room. They may come back; into a private one when they are invited anew.
	Kicked struct {
		Whom   Person
		Reason Text
	}
	// Barred keeps people from speaking in a room or in the house, or out of it. Out are those whom it hit, as of its place, and Left those
	// of them who are listed in the lobby no more: a door with no words for this has some for that.
	Barred struct {
		Bar  Bar
		Out  []Person
		Left []Person
	}
	// Lifted ends bars before their time, those of the record's room and of the house. What they were and whom they meant is said for
	// people.
	Lifted struct {
		Bars  []ID
		Mute  bool
		Label string
	}
	// Undone takes back what another record did. Its kind is said for people. Where that had lifted a bar, Out and Left are as in Barred;
	// where it had set one of the house, Out are those whom it hits no more.
	Undone struct {
		Act  ID
		Kind string
		Out  []Person
		Left []Person
	}
	// Withdrawn strikes lines: they are shown to nobody any more, but for the place where they stood.
	Withdrawn struct{ Lines []ID }
	// Removed stands in the place of a line that was struck. It is no record.
	Removed struct{ line *Event }
	// Announced is said to everybody in the house by one of its operators.
	Announced struct{ Text Text }
	// Absent says that somebody is away, or back: an empty Text of somebody who is away says nothing further.
	Absent struct {
		Away bool
		Text Text
	}
	// Notice is the program talking to one screen: a warning, a refusal, the answer to a command. It is never journaled. Its
	// text is already in that person's language.
	Notice struct{ Text Text }
	// Unknown is a kind that only a newer program knows. It keeps its place and is shown to nobody.
	Unknown struct{ Kind string }
)

func (Said) body()       {}
func (Emoted) body()     {}
func (Told) body()       {}
func (Joined) body()     {}
func (Parted) body()     {}
func (Renamed) body()    {}
func (Registered) body() {}
func (KeyAdded) body()   {}
func (KeyRemoved) body() {}
func (Configured) body() {}
func (Erased) body()     {}
func (Opened) body()     {}
func (Closed) body()     {}
func (Arranged) body()   {}
func (Invited) body()    {}
func (Ranked) body()     {}
func (Appointed) body()  {}
func (Kicked) body()     {}
func (Barred) body()     {}
func (Lifted) body()     {}
func (Undone) body()     {}
func (Withdrawn) body()  {}
func (Removed) body()    {}
func (Announced) body()  {}
func (Absent) body()     {}
func (Notice) body()     {}
func (Unknown) body()    {}

// An Aspect is one thing about a room that can be arranged. On and off are "on" and "".
type Aspect string

// The aspects, and the form of their values.
const (
	AspectTopic    Aspect = "topic"    // clean text of one line; empty for none
	AspectPrivate  Aspect = "private"  // "on": only who is invited comes in, and nobody else learns of the room
	AspectLocked   Aspect = "locked"   // "on": only who has an account comes in; everybody inside stays
	AspectSlow     Aspect = "slow"     // a time.Duration as text: each person may speak once in it; empty for none
	AspectPassword Aspect = "password" // the hash of the password that lets people into a private room; empty for none
)

// Note makes the event of a notice.
func Note(t Text) *Event { return &Event{Body: Notice{Text: t}} }

// Ending says in one word why a screen left, for the record; the person was told in a sentence.
type Ending string

// The ways to leave.
const (
	EndingLeft     Ending = "left"     // by a command, Ctrl-D or the end of a pipe
	EndingLost     Ending = "lost"     // the connection broke
	EndingStalled  Ending = "stalled"  // the peer had long been dead
	EndingIdle     Ending = "idle"     // nothing was typed for the time that the operator allows
	EndingRefused  Ending = "refused"  // too many refusals in a row
	EndingShutdown Ending = "shutdown" // the house closes
	EndingRevoked  Ending = "revoked"  // the key opens the account no more
	EndingErased   Ending = "erased"   // the account was erased
	EndingKicked   Ending = "kicked"   // put out of the only room they were in
	EndingBanned   Ending = "banned"   // kept out of the house
	EndingFault    Ending = "fault"    // a fault of ours ended the session
)
