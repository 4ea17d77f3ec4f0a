package session

import (
	"sarangbang/internal/command"
	"sarangbang/internal/i18n"
	"sarangbang/room"
)

// A Cause is why the house ends a session: a context's cause, told to the person in their language. Doors cancel a session's
// context with one.
type Cause struct {
	Ending  room.Ending
	Say     i18n.Key
	Args    []any
	Failure *command.Failure // in place of Say and Args, for what is put together of several sentences; nil for none
}

// in puts the cause into words.
func (c *Cause) in(lang i18n.Lang) string {
	if c.Failure != nil {
		return c.Failure.Sentence(lang)
	}
	return lang.Text(c.Say, c.Args...)
}

func (c *Cause) Error() string { return "session ended: " + string(c.Ending) }

// dismissal is the cause why the house itself dismisses the screen; nil while it may stay.
func (x *session) dismissal() *Cause {
	d := x.me.Dismissed()
	if d == nil {
		return nil
	}
	c := &Cause{Ending: d.Why}
	if d.Event == nil {
		c.Say = map[room.Ending]i18n.Key{room.EndingRevoked: i18n.EndRevoked, room.EndingErased: i18n.EndErased}[d.Why]
		return c
	}
	switch b := d.Event.Body.(type) {
	case room.Barred:
		c.Failure = command.Barred(b.Bar, x.opt.House, x.zone, x.opt.Contact())
	case room.Kicked:
		c.Failure = command.KickedOut(d.Event, b, x.me.Person(), x.opt.House)
	default: // a ban is in force again that had been lifted
		c.Say = i18n.EndBanned
	}
	return c
}

// The causes that doors know.
var (
	Shutdown = &Cause{Ending: room.EndingShutdown, Say: i18n.EndShutdown}
	Stalled  = &Cause{Ending: room.EndingStalled, Say: i18n.EndStalled}
	Hangup   = &Cause{Ending: room.EndingLost, Say: i18n.EndHangup}
)
