package session

import (
	"sarangbang/internal/i18n"
	"sarangbang/room"
)

// A Cause is why the house ends a session: a context's cause, told to the person in their language. Doors cancel a session's
// context with one.
type Cause struct {
	Ending room.Ending
	Say    i18n.Key
	Args   []any
}

func (c *Cause) Error() string { return "session ended: " + string(c.Ending) }

// dismissals are the causes why the house itself dismisses a screen.
var dismissals = map[room.Ending]*Cause{
	room.EndingRevoked: {Ending: room.EndingRevoked, Say: i18n.EndRevoked},
	room.EndingErased:  {Ending: room.EndingErased, Say: i18n.EndErased},
}

// The causes that doors know.
var (
	Shutdown = &Cause{Ending: room.EndingShutdown, Say: i18n.EndShutdown}
	Stalled  = &Cause{Ending: room.EndingStalled, Say: i18n.EndStalled}
	Hangup   = &Cause{Ending: room.EndingLost, Say: i18n.EndHangup}
)
