package command

import (
	"slices"
	"strings"
)

// Complete proposes what may stand in the place of the bytes from start to the end of before, which is the line up to the cursor:
// commands, their choices, and nicknames, in the order in which people are given. Case does not count.
func Complete(before string, people []string) (start int, candidates []string) {
	name, rest, isCommand := Parse(before)
	if !isCommand {
		return completePerson(before, people)
	}
	if !strings.ContainsAny(before, " \n") {
		for _, c := range Table() {
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
	var words []string
	switch {
	case c.Choices != nil:
		words = c.Choices
	case c.Name == "help":
		for _, row := range Table() {
			words = append(words, row.Name)
		}
	case c.People:
		words = people
	default:
		return completePerson(before, people)
	}
	start = len(before) - len(rest)
	for _, w := range words {
		if begins(w, rest) {
			candidates = append(candidates, w+" ")
		}
	}
	return start, candidates
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
