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

// drawNext draws the first of some events, on a terminal together with those behind it that one notice can tell of, and returns the rest.
// Without a terminal each keeps its row: programs read those.
func (s *consoleScreen) drawNext(rows []byte, events []*room.Event) (drawn []byte, rest []*room.Event) {
	if s.term != nil {
		if n := s.together(events); n >= mergeFrom {
			return render.AppendTogether(rows, events[:n], s.view), events[n:]
		}
	}
	return s.drawn.Append(rows, events[0], s.view), events[1:]
}

// together counts the events at the beginning that one notice can tell of. A day that begins among them ends it: it is marked.
func (s *consoleScreen) together(events []*room.Event) int {
	n := render.Together(events[:min(len(events), mergeUpTo)], s.view)
	for n > 1 && s.dayOf(events[n-1].At) != s.dayOf(events[0].At) {
		n--
	}
	return n
}
