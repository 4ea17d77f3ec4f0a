package render

import (
	"strings"

	"sarangbang/internal/i18n"
	"sarangbang/room"
)

// Together says that one notice may tell of both events: each somebody else's arrival in the room on the screen, or each a departure. Why
// somebody left parts nothing, as no sentence says it.
func Together(a, b *room.Event, v View) bool {
	many := severally(a)
	return many != "" && many == severally(b) && a.Subject == b.Subject && v.elsewhere(a) == "" && a.From.ID != v.Me && b.From.ID != v.Me
}

// AppendTogether appends the notice of two events or more, each of which goes [Together] with the first: every nickname, in their order.
func AppendTogether(dst []byte, events []*room.Event, v View) []byte {
	var nicks strings.Builder
	last := len(events) - 1
	nicks.Grow(16 * last)
	for i, e := range events[:last] {
		if i > 0 {
			nicks.WriteString(", ")
		}
		nicks.WriteString(string(e.From.Nick))
	}
	return appendHouse(dst, v, v.Lang.Text(severally(events[0]), nicks.String(), events[last].From.Nick))
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
