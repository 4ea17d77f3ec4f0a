package session

import (
	"sync/atomic"
	"time"

	"sarangbang/internal/command"
	"sarangbang/internal/i18n"
	"sarangbang/room"
)

const (
	// probeAfter is how long it must have been quiet before a client is asked whether it has everything.
	probeAfter = time.Second
	// probeEvery is how often it is asked while lines keep coming.
	probeEvery = 10 * time.Second
	// keptReturning is how many lines of a room somebody who returns is shown at most, and how many direct messages.
	keptReturning = 500
)

// reading is how far the owner of an account has read, so that they miss nothing the next time: what was sent to a client is not
// seen yet, what came before an answer of the client is.
type reading struct {
	asked   room.Seq // up to where the last probe reaches
	askedAt time.Time
	open    atomic.Bool               // it is not answered yet
	left    map[room.Subject]room.Seq // rooms that the reader turned away from since, and up to where they were shown
}

// leave notes that a room which was shown up to a place is on the screen no more.
func (r *reading) leave(where room.Subject, shown room.Seq) {
	if r.left == nil {
		r.left = map[room.Subject]room.Seq{}
	}
	r.left[where] = shown
}

// probe asks the person's client, once what was shown so far is to be certain. It is called before more is shown.
func (x *session) probe() {
	at := x.probeDue()
	if at.IsZero() || time.Now().Before(at) {
		return
	}
	x.reading.askedAt = time.Now()
	if !x.console.Delivered() { // it is asked later: the answer would not be about what waits
		return
	}
	seen, here, me, open, left := x.me.Reader().Seen(), x.here, x.me, &x.reading.open, x.reading.left
	x.reading.asked, x.reading.left = seen, nil
	open.Store(true)
	x.console.Probe(func() {
		for where, upTo := range left {
			me.Confirmed(where, upTo)
		}
		me.Confirmed(here, seen)
		open.Store(false)
	})
}

// probeDue is when the client is to be asked: zero while there is nothing to ask for.
func (x *session) probeDue() time.Time {
	if x.console == nil || !x.me.Reads() || len(x.returning) > 0 || x.me.Reader().Seen() <= x.reading.asked || x.reading.open.Load() {
		return time.Time{}
	}
	quiet, often := x.lastShown.Add(probeAfter), x.reading.askedAt.Add(probeEvery)
	if again := x.reading.askedAt.Add(probeAfter); quiet.Before(again) {
		quiet = again
	}
	if often.Before(quiet) {
		return often
	}
	return quiet
}

// catchUp makes what somebody who returns is shown before anything else: what they missed, in order, below what they may have seen
// already.
func (x *session) catchUp(missed room.Missed) {
	add := func(events ...*room.Event) { x.returning = append(x.returning, events...) }
	if missed.Skipped > 0 {
		add(x.skipped(missed))
	}
	missed.Again, missed.New = x.audible(missed.Again), x.audible(missed.New)
	if len(missed.Again) > 0 {
		add(x.note(i18n.ReturnAgain))
		add(missed.Again...)
	}
	if len(missed.New) > 0 {
		add(x.note(i18n.ReturnNew, len(missed.New)))
		add(missed.New...)
	} else {
		add(x.note(i18n.ReturnNothing, x.roomName(x.here)))
	}
}

// skipped tells of what is left out of what somebody missed in the room that is on the screen: how to read it now, and when they come again.
func (x *session) skipped(missed room.Missed) *room.Event {
	x.keepGap(command.Gap{Where: x.here, Lines: missed.Lines, Letters: missed.Letters})
	m, _ := x.opt.House.Room(x.here)
	if again := command.Skipped(missed, m, x.zone); again != "" {
		return x.note(i18n.ReturnSkippedLines, missed.Skipped, again)
	}
	return x.note(i18n.ReturnSkipped, missed.Skipped)
}

// showReturning draws the next of it.
func (x *session) showReturning() error {
	kept := isTold(x.returning[0])
	n := 1
	for n < min(len(x.returning), showAtOnce) && isTold(x.returning[n]) == kept {
		n++
	}
	events := x.returning[:n]
	if x.returning = x.returning[n:]; len(x.returning) == 0 {
		x.returning = nil
	}
	for _, e := range events { // before it goes out: of a screen that fails on the way nobody knows how much was seen
		x.me.Sent(e.Seq)
	}
	x.me.Reader().Bell().Ring() // there is more, and what came meanwhile, after a look at the input
	x.lastShown = time.Now()
	if kept {
		x.talkWith(events[n-1].From)
	}
	if kept && x.console != nil { // a letter says when it was written
		return x.console.ShowAnswer(events, timesOf(x.settings))
	}
	return x.screen.Show(events)
}

// timesOf is how much of the time stands before what needs one.
func timesOf(s command.Settings) command.Times {
	if s.Times == command.TimesFull {
		return command.TimesFull
	}
	return command.TimesShort
}

func isTold(e *room.Event) bool {
	_, told := e.Body.(room.Told)
	return told
}
