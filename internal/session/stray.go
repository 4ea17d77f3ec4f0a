package session

import (
	"context"
	"strings"
	"time"

	"sarangbang/internal/i18n"
	"sarangbang/room"
)

// This file keeps what a person wrote for one room from being said in another: they were put out of the room while they wrote, or they
// never came into it.

// strayPause is how long nothing must have been entered before what was held back is given back. What is entered sooner was on its way
// before the person could read why, and would run into the line that was given back.
const strayPause = 300 * time.Millisecond

// stray is that the person is in another room than what they write may be meant for.
type stray struct {
	on    bool         // until they go somewhere by their own wish
	told  bool         // they can read of it
	out   room.Subject // the room that they were put out of; empty for one that they did not come into
	until time.Time    // what was begun by then is held back; holds only when told
	held  []string     // to be given back
}

// strand notes that the person is not in the room that what they are writing is meant for: they were put out of it, or, if out is empty,
// did not come into it. What waits for its turn and was meant for that room is held back.
func (x *session) strand(out room.Subject) error {
	x.stray.on, x.stray.out, x.stray.told = true, out, false
	for _, j := range x.out.withdraw() {
		if err := x.hold(j); err != nil {
			return err
		}
	}
	return nil
}

// arrived notes that the person is where they wished to go.
func (x *session) arrived() { x.stray.on = false }

// strays says that a line, begun at a time if that is known, may be meant for a room that the person is not in. From a pipe all lines may.
func (x *session) strays(begun time.Time) bool {
	if len(x.stray.held) > 0 {
		x.stray.until = time.Now().Add(strayPause)
	}
	switch {
	case !x.stray.on || x.out.leading():
		return false
	case x.manner.Patient || !x.stray.told:
		return true
	case begun.IsZero():
		begun = time.Now()
	}
	return !begun.After(x.stray.until)
}

// hold keeps what was typed from being done, to be given back: a pipe is told at once. What is too much goes into the history alone, and
// counts as refused by itself: whoever floods is cut off.
func (x *session) hold(j job) error {
	switch {
	case x.manner.Patient && x.stray.out != "":
		return x.refuse(j.line, i18n.PipePutOut, x.roomName(x.stray.out))
	case x.manner.Patient:
		return x.refuse(j.line, i18n.PipeMissed)
	case len(x.stray.held) >= x.opt.Limits.OutboxLines:
		if x.console != nil {
			x.console.Remember(j.typed)
		}
		return x.tellStray(1)
	}
	x.stray.held = append(x.stray.held, j.typed)
	x.stray.until = time.Now().Add(strayPause)
	return nil
}

// strayTold notes that the person can read where they are.
func (x *session) strayTold() {
	if x.stray.on && !x.stray.told {
		x.stray.told, x.stray.until = true, time.Now()
		if len(x.stray.held) > 0 { // there may be more on its way
			x.stray.until = x.stray.until.Add(strayPause)
		}
	}
}

// giveBackDue is when what was held back is given back: zero for not now.
func (x *session) giveBackDue() time.Time {
	if len(x.stray.held) == 0 || !x.stray.told {
		return time.Time{}
	}
	return x.stray.until
}

// giveBack gives back what was held back, and says why, when the person has paused.
func (x *session) giveBack(ctx context.Context) error {
	due := x.giveBackDue()
	if len(x.stray.held) == 0 || !x.over && (due.IsZero() || time.Now().Before(due)) {
		return nil
	}
	if !x.me.In(x.here) { // memory has forgotten the event that says so
		if err := x.settleRooms(ctx, ""); err != nil {
			return err
		}
	}
	held := x.stray.held
	x.stray.held = nil
	for _, typed := range held {
		x.screen.Restore(typed)
	}
	return x.tellStray(len(held))
}

// tellStray tells why so many lines were held back.
func (x *session) tellStray(n int) error {
	key, args := i18n.RoomMissed, []any{x.roomName(x.goal())}
	if x.stray.out != "" {
		key, args = i18n.RoomPutOut, []any{x.roomName(x.stray.out), x.roomName(x.goal())}
	}
	return x.tell(x.lines, key, n, x.settings.Lang.Text(key, args...))
}

// roomName is how a room is called, with its sign; one that has ended, by its key.
func (x *session) roomName(where room.Subject) string {
	if m, there := x.opt.House.Room(where); there {
		return "#" + string(m.Name)
	}
	return "#" + strings.TrimPrefix(string(where), "room/")
}
