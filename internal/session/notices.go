package session

import (
	"sarangbang/internal/render"
	"sarangbang/room"
)

const (
	// mergeFrom is how many arrivals, or departures, right behind each other become one notice: fewer are easy to read row by row.
	mergeFrom = 5
	// mergeUpTo bounds how many nicknames stand in one notice; further ones begin another.
	mergeUpTo = 50
)

// drawNext draws the first of some events together with those behind it that can be drawn at once, and returns the rest: what was said on
// one day, and on a terminal also those of whom one notice can tell. Without a terminal each keeps its row: programs read those.
func (s *consoleScreen) drawNext(rows []byte, events []*room.Event) (drawn []byte, rest []*room.Event) {
	if rows, n := s.drawn.AppendSaid(rows, s.ofOneDay(events), s.view, &s.name); n > 0 {
		return rows, events[n:]
	}
	if s.term != nil {
		if n := s.together(events); n >= mergeFrom {
			return s.drawn.AppendTogether(rows, events[:n], s.view), events[n:]
		}
	}
	return s.drawn.Append(rows, events[0], s.view), events[1:]
}

// together counts the events at the beginning that one notice can tell of.
func (s *consoleScreen) together(events []*room.Event) int {
	return render.Together(s.ofOneDay(events[:min(len(events), mergeUpTo)]), s.view)
}

// ofOneDay returns the events up to the first of another day than the one before: that is marked. Without a terminal no day is.
func (s *consoleScreen) ofOneDay(events []*room.Event) []*room.Event {
	if s.term == nil {
		return events
	}
	n := 1
	for n < len(events) && (events[n].At.IsZero() || s.day.has(events[n].At)) {
		n++
	}
	return events[:n]
}
