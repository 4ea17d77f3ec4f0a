package command

import (
	"slices"
	"strings"
)

// Complete proposes what may stand in the place of the bytes from start to the end of before, which is the line up to the cursor:
// commands, their choices, nicknames and, with their sign, rooms, in the order in which those are given. Case does not count. Only
// commands are proposed that may says yes to. Rooms is asked only where a room may stand; there may be thousands.
func Complete(before string, people []string, rooms func() []string, may func(Command) bool) (start int, candidates []string) {
	name, rest, isCommand := Parse(before)
	if start, ok := roomBegins(before); ok {
		return start, beginning(rooms(), before[start:])
	}
	if !isCommand {
		return completePerson(before, people)
	}
	if !strings.ContainsAny(before, " \n") {
		for _, c := range Table() {
			if !may(c) {
				continue
			}
			for _, n := range append([]string{c.Name}, c.Aliases...) {
				if begins(n, name) {
					candidates = append(candidates, "/"+n+" ")
					break // an alias only where the name itself does not begin so
				}
			}
		}
		return 0, candidates
	}
	c, ok := Find(name)
	if !ok {
		return completePerson(before, people)
	}
	if c.Needs != "" && strings.HasPrefix(rest, "#") { // it is about that room
		_, rest, _ = strings.Cut(rest, " ")
	}
	var words []string
	switch {
	case c.Choices != nil:
		words = c.Choices
	case c.Name == "help":
		for _, row := range Table() {
			if may(row) {
				words = append(words, row.Name)
			}
		}
	case c.People:
		words = people
	case c.Rooms && !strings.ContainsAny(rest, " \n"):
		return len(before) - len(rest), beginning(rooms(), "#"+rest)
	default:
		return completePerson(before, people)
	}
	return len(before) - len(rest), beginning(words, rest)
}

// roomBegins finds where the last word begins, if that has the sign of a room: alone, or behind the name of a filter.
func roomBegins(before string) (start int, ok bool) {
	start = strings.LastIndexAny(before, " \n") + 1
	if i := strings.Index(before[start:], ":#"); i >= 0 {
		start += i + 1
	}
	return start, strings.HasPrefix(before[start:], "#")
}

// beginning picks the words that begin so.
func beginning(words []string, typed string) (candidates []string) {
	for _, w := range words {
		if begins(w, typed) {
			candidates = append(candidates, w+" ")
		}
	}
	return candidates
}

// mostWords is how many words of a nickname may have been typed already.
const mostWords = 4

// completePerson looks for a nickname that begins as the last words do, as many of them as there can be.
func completePerson(before string, people []string) (start int, candidates []string) {
	starts := []int{}
	for i := len(before); i > 0 && len(starts) < mostWords; i-- {
		if blank := before[i-1] == ' ' || before[i-1] == '\n'; blank && i < len(before) {
			starts = append(starts, i)
		}
	}
	if len(starts) < mostWords && before != "" && before[0] != ' ' {
		starts = append(starts, 0)
	}
	for _, start := range slices.Backward(starts) {
		for _, p := range people {
			if begins(p, before[start:]) {
				candidates = append(candidates, p+" ")
			}
		}
		if candidates != nil {
			return start, candidates
		}
	}
	return len(before), nil
}

func begins(whole, beginning string) bool {
	return strings.HasPrefix(strings.ToLower(whole), strings.ToLower(beginning))
}
