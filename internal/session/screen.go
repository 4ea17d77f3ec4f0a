package session

import (
	"context"
	"net/netip"
	"strings"
	"time"

	"sarangbang/room"
)

// A Screen is how one person reads and writes, made by a door. The session's owner goroutine alone calls its methods; Next
// and Ask are the only ones that may block for long. An error from any of them ends the session; it is context.Cause(ctx)
// where ctx ended, and io.EOF where the person's input did.
type Screen interface {
	// Ask asks for a nickname and returns what was answered, as it was typed. It blocks until then.
	Ask(ctx context.Context, q Question) (string, error)
	// Enter tells the screen that the person is in, under this nickname, and again after each change of it.
	Enter(nick room.Nick)
	// Next waits for one thing that the owner must look at.
	Next(ctx context.Context, w Wait) (Input, error)
	// Show draws events, in order. It never waits for the person's client: what cannot be sent yet is held, and Behind says so.
	Show(events []*room.Event) error
	// Refuse tells why something that was typed had no effect.
	Refuse(why room.Text) error
	// Restore gives back the text of a line that could not be saved, where the screen has a place for it.
	Restore(text string)
	// Sending says whether a line has been on its way for longer than a person should wonder.
	Sending(now bool)
	// Behind says that so much waits for the client that nothing more should be shown. When that is over, Next returns Woken.
	Behind() bool
}

// Question asks for a nickname.
type Question struct {
	Offer string // what an empty answer takes; empty for no offer
	// Refused says why the last answer, or at first the name that the client proposed, could not be had; nil for no reason to
	// give.
	Refused *NickRefusal
}

// NickRefusal is why a nickname could not be had.
type NickRefusal struct {
	Taken bool      // it, or one that can be mistaken for it, is somebody else's
	Blank bool      // nothing was typed
	Why   room.Text // the same as a sentence in the person's language, with what would work
}

// Wait is what Next waits for beside the person's input.
type Wait struct {
	Bell  <-chan struct{}  // nil: do not listen
	Timer <-chan time.Time // nil: none
	Hold  bool             // leave what is typed where it is: the person's earlier lines are not through yet
}

// Kind tells what ended a wait.
type Kind uint8

// The kinds.
const (
	Woken   Kind = iota // the bell, the timer, or room for output again
	Line                // a line was entered
	Leave               // the person asked to go: Ctrl-D on an empty line, or the door's own word for it
	TooLong             // a paste or an unfinished line was refused whole before it became a line: Size over Limit bytes
	Overrun             // Size messages were refused since more than Limit waited
	Switch              // the person asked for their room in Place
)

// Input is what a wait ended with.
type Input struct {
	Kind        Kind
	Text        string    // of Line: as it was typed, not yet cleaned
	Begun       time.Time // of Line: when its typing began; zero where nobody knows
	Size, Limit int
	Place       int // of Switch: 1 to 9, whether there is a room or not
}

// Manner is how a door's people talk, where doors differ.
type Manner struct {
	Door     string // "ssh" or "tcp", for logs and figures
	Commands bool   // a line that begins with a slash is a command of the table
	// Patient input waits for the rate limit and the journal as long as it takes, since whoever wrote it cannot be asked to write
	// it again: a pipe, the old door. Other input is delayed for a while, then refused.
	Patient bool
	Welcome bool // greet, and say how to get help
	Backlog int  // lines from before the person came
	// Numbered input names its line in every refusal.
	Numbered bool
	// SilentNick takes the offered nickname or fails: nothing is asked.
	SilentNick bool
}

// Visitor is who a door lets in.
type Visitor struct {
	Session  string            // a short word that finds the session in the log
	Remote   netip.Addr        // where they come from
	Key      string            // SHA256 fingerprint of the key that was proven; empty for none
	User     string            // the name the client logged in with: a proposal for the nickname
	Env      map[string]string // LANG, LC_ALL, TZ and others, as far as the client sent them and the door allowed them
	Term     string            // terminal type; empty without one
	RoomLost bool              // the client's last word on RoomVariable was more than the door takes: nobody knows which room it asks for
	Exempt   bool              // no limit that is counted by person, key or address holds
}

// caller is what tells visitors apart: their key, else where they come from.
func (v Visitor) caller() string {
	if v.Key != "" || !v.Remote.IsValid() {
		return v.Key
	}
	return v.Remote.String()
}

// Plain says that the visitor's terminal can only be added to, or that they asked for that.
func (v Visitor) Plain() bool {
	switch strings.ToLower(v.Env["SARANGBANG_PLAIN"]) {
	case "", "0", "no", "off", "false":
		return v.Term == "dumb"
	}
	return true
}

// End is how a session ended.
type End struct {
	Why room.Ending
	// Status is the exit status for the client: 0 for a clean end, 1 if anything was refused that a pipe cannot repeat, or the
	// session was ended by the house.
	Status int
}
