package render

import (
	"strings"

	"sarangbang/internal/i18n"
	"sarangbang/room"
)

// Together counts the events at the beginning that one notice may tell of: other people's arrivals in the room on the screen, or their
// departures, one right behind the other. It is 1 where the first stands alone, 0 of none. Why somebody left parts nothing, as no sentence
// says it.
func Together(events []*room.Event, v View) int {
	many := i18n.Key("")
	for i, e := range events {
		if i == 0 {
			many = severally(e)
		}
		if many == "" || severally(e) != many || e.Subject != events[0].Subject || v.elsewhere(e) != "" || e.From.ID == v.Me {
			return max(i, 1)
		}
	}
	return len(events)
}

// AppendTogether appends the notice of two events or more that go [Together]: every nickname, in their order.
func AppendTogether(dst []byte, events []*room.Event, v View) []byte {
	var nicks strings.Builder
	last, size := len(events)-1, 0
	for _, e := range events[:last] {
		size += len(", ") + len(e.From.Nick)
	}
	nicks.Grow(size)
	for i, e := range events[:last] {
		if i > 0 {
			nicks.WriteString(", ")
		}
		nicks.WriteString(string(e.From.Nick))
	}
	return appendHouse(dst, v, v.Lang.Text(severally(events[0]), nicks.String(), string(events[last].From.Nick)))
}

// severally is the sentence that says of several people what an event says of one; empty for none.
func severally(e *room.Event) i18n.Key {
	switch e.Body.(type) {
	case room.Joined:
		return i18n.JoinedMany
	case room.Parted:
		return i18n.LeftMany
	default:
		return ""
	}
}
