package command

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"sarangbang/internal/i18n"
	"sarangbang/room"
)

const (
	historyLines    = 50      // of /history without a number
	maxHistoryLines = 100_000 // of /history with one
)

// history shows older lines of the room, oldest first, as slowly as the caller reads them.
func history(ctx context.Context, c *Call) (Answer, error) {
	q := room.LineQuery{N: historyLines}
	of := ""
	times := c.atLeast(TimesShort)
	counted, ids := false, false
	var before []string
	for _, w := range cutWords(c.Rest) {
		switch {
		case w.filter == "time":
			t, err := timesFilter(w.text)
			if err != nil {
				return Answer{}, err
			}
			times = t
		case w.filter == "in":
			of = w.text
		case w.filter != "":
			return Answer{}, c.historyUsage()
		case isFlag(w, "ids"):
			ids = true
		case before != nil:
			before = append(before, w.text)
		case strings.EqualFold(w.text, "before"):
			before = []string{}
		case !counted:
			counted = true
			n, err := strconv.Atoi(w.text)
			if err != nil && !errors.Is(err, strconv.ErrRange) {
				return Answer{}, c.historyUsage()
			}
			if n < 1 || n > maxHistoryLines {
				return Answer{}, fail(i18n.HistoryNumber, maxHistoryLines)
			}
			q.N = n
		default:
			return Answer{}, c.historyUsage()
		}
	}
	if before != nil {
		if len(before) == 0 {
			return Answer{}, c.historyUsage()
		}
		typed := strings.Join(before, " ")
		until, ok := Moment(typed, c.now())
		if !ok {
			return Answer{}, fail(i18n.HistoryTime, shorten(typed))
		}
		q.Until = until
	}
	m, err := c.readableRoom(of)
	if err != nil {
		return Answer{}, err
	}
	q.Room = m.Subject
	a := Answer{Lines: c.audible(c.House.History(ctx, q)), Times: times}
	if ids {
		a.Lines = c.withIDs(a.Lines)
	}
	if !c.Bare {
		a.Lines = orElse(a.Lines, c.note(i18n.HistoryNothing))
	}
	return a, nil
}

func (c *Call) historyUsage() error {
	row, _ := Find("history")
	return c.usage(row)
}

// catchup shows what the caller was told to have been skipped.
func catchup(ctx context.Context, c *Call) (Answer, error) {
	if len(c.Gaps) == 0 {
		return c.say(i18n.CatchupNothing), nil
	}
	a := Answer{Times: c.atLeast(TimesShort)}
	for _, g := range c.Gaps {
		a.CaughtUp = max(a.CaughtUp, g.Lines.Before, g.Letters.Before)
	}
	a.Lines = func(yield func(*room.Event, error) bool) {
		if !yield(c.note(i18n.CatchupBegins), nil) {
			return
		}
		for _, g := range c.Gaps {
			for e, err := range c.audible(c.Me.Between(ctx, g.Where, c.readable(g), g.Letters)) {
				if !yield(e, err) || err != nil {
					return
				}
			}
		}
		yield(c.note(i18n.CatchupEnds), nil)
	}
	return a, nil
}

// readable is which lines of a gap the caller may still read: none of a private room that they were put out of.
func (c *Call) readable(g Gap) room.Span {
	if !c.House.Knows(c.as(), g.Where) {
		return room.Span{}
	}
	return g.Lines
}

// Skipped writes the call of /history that shows which lines of a room somebody who missed more was not shown, the newest of them where it
// cannot show all: what /catchup knows ends with the screen. It is empty where only direct messages were left out.
func Skipped(missed room.Missed, of room.Room, zone *time.Location) string {
	shown := slices.DeleteFunc(slices.Concat(missed.Again, missed.New), func(e *room.Event) bool { return e.Subject != of.Subject })
	if missed.Lines.Empty() || len(shown) == 0 {
		return ""
	}
	before := shown[0].At.Truncate(time.Second).Add(time.Second) // the last of them may be of the same second
	n := missed.Skipped
	for _, e := range shown {
		if e.At.Before(before) {
			n++
		}
	}
	in := ""
	if of.Subject != room.Lobby { // where they are at first when they come again
		in = "in:#" + string(of.Name) + " "
	}
	return fmt.Sprintf("/history %d %sbefore %s", min(n, maxHistoryLines), in, before.In(zone).Format(time.DateTime))
}

// room is the one that the caller looks at, or that everybody starts in.
func (c *Call) room() room.Subject {
	if c.Here == "" {
		return room.Lobby
	}
	return c.Here
}

// atLeast is how much of the time stands before lines of another day: what the caller's screen is set to if that is more, and
// nothing for a program, which reads lines as they are everywhere.
func (c *Call) atLeast(t Times) Times {
	switch {
	case c.Bare:
		return TimesOff
	case c.Times == TimesFull:
		return TimesFull
	}
	return t
}

func (c *Call) note(key i18n.Key, args ...any) *room.Event {
	return room.Note(room.Sentence(c.Lang.Text(key, args...)))
}

// orElse yields a notice where there is nothing else.
func orElse(lines iter.Seq2[*room.Event, error], nothing *room.Event) iter.Seq2[*room.Event, error] {
	return func(yield func(*room.Event, error) bool) {
		some := false
		for e, err := range lines {
			some = true
			if !yield(e, err) {
				return
			}
		}
		if !some {
			yield(nothing, nil)
		}
	}
}

// dayAndTime is how a sentence names a moment.
const dayAndTime = "2006-01-02 15:04"

// day names a moment where the caller is.
func (c *Call) day(t time.Time) string { return t.In(c.zone()).Format(dayAndTime) }
