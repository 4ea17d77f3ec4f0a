package historycheck

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// Kind names what is wrong.
type Kind string

// What can be wrong.
const (
	Lost        Kind = "lost"        // an acknowledged line is not in the history
	Vanished    Kind = "vanished"    // a line that stood on a screen, or in an earlier history, is not in the history
	Twice       Kind = "twice"       // a line stands twice in a history, or on one screen
	Forged      Kind = "forged"      // a line that nobody sent, or not under that name
	Unsaved     Kind = "unsaved"     // a line is there of which its author was told that it was not saved
	Reordered   Kind = "reordered"   // lines stand in another order than that in which they must have been said
	Rewritten   Kind = "rewritten"   // a history does not begin like the one before it
	Disorder    Kind = "disorder"    // a screen is not in the one order
	Untold      Kind = "untold"      // lines are missing on a screen, and the reader was told of fewer, or of none
	Skipped     Kind = "skipped"     // likewise, between two screens of somebody who is owed what was said meanwhile
	Repeated    Kind = "repeated"    // a line was shown again, and not below a mark that says so
	Leaked      Kind = "leaked"      // a direct message stands before other eyes than its two people's
	Undelivered Kind = "undelivered" // an acknowledged direct message was never shown to its receiver
)

// Fault is one thing that cannot have come about in a house that keeps its promise.
type Fault struct {
	Kind Kind
	Say  string
}

func (f Fault) String() string { return string(f.Kind) + ": " + f.Say }

// Check returns what is wrong with a log: nothing if all is well. The last history is the one order; where there is none, nothing
// was kept.
func Check(l *Log) []Fault {
	c := &check{lines: map[string]*line{}, readers: map[string]*reader{}}
	for i := range l.Sends {
		c.send(&l.Sends[i])
	}
	c.histories(l.Histories)
	c.acknowledged(l.Sends)
	c.said(l.Sends)
	c.read(l.Screens)
	c.delivered()
	return c.faults
}

// check is one run of Check.
type check struct {
	lines   map[string]*line // by their texts
	letters []*line          // those of them that are direct messages
	order   []*line          // of the last history
	readers map[string]*reader
	faults  []Fault
}

// line is what is known of one text.
type line struct {
	Line
	counts *Send // the last attempt to say it of which its author was not told that it failed; nil for none
	place  int   // in the one order; -1 for nowhere
	gone   bool  // that it is nowhere was reported

	// A direct message has no place of its own: it stands between places, as each screen shows.
	after, before    int    // the narrowest bounds
	belowOn, aboveOn string // the screens that gave them
}

func (l *line) String() string {
	if l.To != "" {
		return fmt.Sprintf("[%s → %s] %s", l.Author, l.To, l.Text)
	}
	return fmt.Sprintf("[%s] %s", l.Author, l.Text)
}

const nowhere = -1

func (c *check) say(k Kind, format string, args ...any) {
	c.faults = append(c.faults, Fault{k, fmt.Sprintf(format, args...)})
}

// send takes an attempt into account.
func (c *check) send(s *Send) {
	l := c.lines[s.Text]
	if l == nil {
		l = &line{Line: s.Line, place: nowhere, after: nowhere, before: math.MaxInt}
		c.lines[s.Text] = l
		if s.To != "" {
			c.letters = append(c.letters, l)
		}
	}
	if s.Outcome != Refused {
		l.counts = s
	}
}

// find returns what is known of a line that is there: nil, and a report, if it cannot be. Where says where it stands.
func (c *check) find(seen Line, where string) *line {
	l := c.lines[seen.Text]
	switch {
	case l == nil || l.Author != seen.Author:
		c.say(Forged, "%s stands %s, and nobody sent it", &line{Line: seen}, where)
		return nil
	case l.To != seen.To:
		c.say(Leaked, "%s stands %s as %s", l, where, &line{Line: seen})
		return nil
	case l.counts == nil:
		c.say(Unsaved, "%s stands %s, though %s was told that it was not saved", l, where, l.Author)
	}
	return l
}

// histories checks what was kept, and finds the one order.
func (c *check) histories(all []History) {
	var before []*line
	for n, h := range all {
		in := "in the history " + h.Name
		now, place := []*line{}, map[*line]int{}
		for _, seen := range h.Lines {
			if seen.To != "" {
				c.say(Leaked, "%s stands %s", &line{Line: seen}, in)
				continue
			}
			l := c.find(seen, in)
			if l == nil {
				continue
			}
			if _, twice := place[l]; twice {
				c.say(Twice, "%s stands twice %s", l, in)
				continue
			}
			place[l] = len(now)
			now = append(now, l)
		}
		if n > 0 {
			c.continues(all[n-1].Name, before, h.Name, place)
		}
		before = now
	}
	c.order = before
	for i, l := range c.order {
		l.place = i
	}
}

// continues wants a history to begin like the one before it.
func (c *check) continues(wasName string, was []*line, isName string, place map[*line]int) {
	at := 0
	for _, l := range was {
		switch p, there := place[l]; {
		case !there:
			c.say(Vanished, "%s stood in the history %s, and not in that %s", l, wasName, isName)
			l.gone = true
		case p != at:
			c.say(Rewritten, "%s stands at line %d of the history %s, where that %s has it at %d", l, p+1, isName, wasName, at+1)
			at = p + 1
		default:
			at++
		}
	}
}

// acknowledged wants every line that its author saw to be kept.
func (c *check) acknowledged(sends []Send) {
	for i := range sends {
		s := &sends[i]
		if l := c.lines[s.Text]; s.Outcome == Shown && s.To == "" && l.place == nowhere {
			c.say(Lost, "%s was acknowledged, and is not in the history", l)
		}
	}
}

// said wants every author's lines in the order in which they were sent, and everybody's behind what was acknowledged before.
func (c *check) said(sends []Send) {
	last := map[int]*line{} // by screen
	for i := range sends {
		s := &sends[i]
		l := c.lines[s.Text]
		if s != l.counts || l.place == nowhere {
			continue
		}
		if b := last[s.Screen]; b != nil && b.place > l.place {
			c.say(Reordered, "%s stands before %s, which %s sent earlier", l, b, l.Author)
		}
		last[s.Screen] = l
	}
	var first *line // of those that stand later, the one that was acknowledged first
	for _, l := range slices.Backward(c.order) {
		if l.counts == nil {
			continue
		}
		if first != nil && first.counts.Done < l.counts.At {
			c.say(Reordered, "%s stands before %s, which was acknowledged %v before that was sent", l, first, l.counts.At-first.counts.Done)
		}
		if l.counts.Outcome == Shown && (first == nil || l.counts.Done < first.counts.Done) {
			first = l
		}
	}
}

// sentAfter returns the place of the first line that was sent after a moment, the place behind the last for none.
func (c *check) sentAfter(t time.Duration) int {
	for i, l := range c.order {
		if l.counts != nil && l.counts.At > t {
			return i
		}
	}
	return len(c.order)
}
