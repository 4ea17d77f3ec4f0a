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

// others stands in a sentence about many for all of them but the last. No nickname and no sentence has it.
const others = "\x00"

// AppendTogether appends the notice of two events or more that go [Together]: every nickname, in their order. The sentence is put together
// in one piece of memory: in a crowd, readers who came one after another seldom find the same events, so it is made for each of them.
func AppendTogether(dst []byte, events []*room.Event, v View) []byte {
	last := len(events) - 1
	before, after, _ := strings.Cut(v.Lang.Text(severally(events[0]), others, string(events[last].From.Nick)), others)
	size := len(before) + len(after)
	for _, e := range events[:last] {
		size += len(", ") + len(e.From.Nick)
	}
	var text strings.Builder
	text.Grow(size)
	text.WriteString(before)
	for i, e := range events[:last] {
		if i > 0 {
			text.WriteString(", ")
		}
		text.WriteString(string(e.From.Nick))
	}
	text.WriteString(after)
	return appendHouse(dst, v, text.String())
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
