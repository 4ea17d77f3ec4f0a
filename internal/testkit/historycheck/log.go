package historycheck

import "time"

// A Line is something that a person said. Its text is what it is known by: no two lines of a log have the same.
type Line struct {
	Author string
	To     string // the reader of a direct message; empty for what is said to the room
	Text   string
}

// Outcome is what the author of a line learned of it.
type Outcome int

// What an author may learn.
const (
	Unknown Outcome = iota // nothing, for their screen ended first or told of a gap: it is there once or not at all
	Shown                  // it stood on their own screen: that is its acknowledgement
	Refused                // they were told that it was not saved: it is nowhere, unless they sent it again
)

// Send is one attempt to say something.
type Send struct {
	Line
	Screen  int           // by which screen, as an index into Log.Screens
	At      time.Duration // when it was sent, since the beginning of the log
	Outcome Outcome
	Done    time.Duration // when the author learned of the outcome, if they did
}

// MarkKind says what one mark on a screen was.
type MarkKind int

// What may stand on a screen.
const (
	Saw   MarkKind = iota // a line
	Gap                   // the house told that N lines, or other things that happened, were skipped here
	Again                 // what follows may have been on the reader's screen before: a newcomer's backlog, or what is repeated after a cut
	New                   // what follows cannot have been; a screen begins like that
	Turn                  // of a [House]: the room is on the screen from here on
	Left                  // of a [House]: the reader may be out of the room, and is owed nothing of it
)

// Mark is one thing that stood on a screen.
type Mark struct {
	Kind MarkKind
	Line Line          // of Saw
	N    int           // of Gap
	Room string        // of Turn and Left
	At   time.Duration // of Saw in a House: when, since the beginning of the log

	apart bool // a direct message that stood on another room's screen: what follows below may be older
}

// Screen is one session of a reader, from top to bottom.
type Screen struct {
	Name   string // for the report
	Reader string
	// Account says that the reader had one, at the latest when the screen ended. Whoever returns with an account is owed every line
	// since their last screen, and every direct message since their first, before which there must be none.
	Account bool
	Opened  time.Duration // of a House: when it was, since the beginning of the log
	Marks   []Mark
}

// History is what the house answered when it was asked for everything that was said to the room, oldest line first.
type History struct {
	Name  string // for the report
	Lines []Line
}

// Log is what was done to a house and what was seen of it.
type Log struct {
	Sends     []Send   // those of one screen in the order in which they were sent
	Screens   []Screen // those of one reader in the order in which they were opened
	Histories []History
}
