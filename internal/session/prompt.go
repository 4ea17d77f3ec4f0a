package session

import (
	"slices"
	"strconv"
	"strings"
)

// elsewhere is a room that the person is in and does not look at.
type elsewhere struct {
	place    int    // its number among the person's rooms: Alt and that digit goes there
	name     string // as people write it, with the #
	unread   int    // lines since the person looked at it last
	mentions int    // how many of them name the person
}

// looksLike says that the two differ in nothing that a person who hears the screen wants to be told at once.
func (e elsewhere) looksLike(o elsewhere) bool {
	return e.place == o.place && (e.unread > 0) == (o.unread > 0) && (e.mentions > 0) == (o.mentions > 0)
}

// promptForms returns the prompt of somebody in a room, the longest form of it first. What is unread elsewhere gives up the names of
// those rooms first, then all but the sum; of the rest the room goes before the nickname. Names are there whole or not at all: a part
// of one could be another's. A state, if there is one, goes last of all.
func promptForms(here, nick, state string, others []elsewhere) [][]Span {
	var forms [][]Span
	form := func(parts ...string) {
		parts = slices.DeleteFunc(parts, func(s string) bool { return s == "" })
		forms = append(forms, prompt(strings.Join(parts, " ")+"> "))
	}
	counts := countForms(others)
	for _, c := range counts {
		form(here, nick, c, state)
	}
	switch {
	case state != "":
		form(here, nick, state)
		form(nick, state)
		form(state)
		form("…")
		return forms
	case len(counts) == 0:
		form(here, nick)
		form(nick)
	default:
		sum := counts[len(counts)-1]
		form(nick, sum)
		form(sum)
	}
	form()
	return forms
}

// countForms returns what is unread in other rooms, the longest form of it first; nothing if nothing is. A ! stands where the person
// was named. The form before the sum tells where that was, if it was not everywhere.
func countForms(others []elsewhere) []string {
	var named, numbered, calling []string
	all, rest, called := 0, 0, 0
	for _, o := range others {
		if o.unread == 0 {
			continue
		}
		all, called = all+o.unread, called+o.mentions
		place, count := strconv.Itoa(o.place), countOf(o.unread, o.mentions)
		named = append(named, "["+place+" "+o.name+" "+count+"]")
		numbered = append(numbered, place+":"+count)
		if o.mentions > 0 {
			calling = append(calling, place+":"+count)
		} else {
			rest += o.unread
		}
	}
	if all == 0 {
		return nil
	}
	forms := []string{strings.Join(named, " "), "[" + strings.Join(numbered, " ") + "]"}
	if called > 0 && rest > 0 {
		forms = append(forms, "["+strings.Join(calling, " ")+" +"+countOf(rest, 0)+"]")
	}
	return append(forms, "[+"+countOf(all, called)+"]")
}

// countOf writes a number of lines. Beyond countMost it does not matter how many they are.
func countOf(unread, mentions int) string {
	const countMost = 999
	s := strconv.Itoa(min(unread, countMost))
	if unread > countMost {
		s += "+"
	}
	if mentions > 0 {
		s += "!"
	}
	return s
}

// prompt is a form of the prompt.
func prompt(text string) []Span { return []Span{{Text: text}} }
