package command

import (
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Parse takes a line apart. A line that begins with one slash is a command: its name, in lower case and without the slash, and
// the rest behind the blanks. Anything else is text; two slashes at its beginning stand for one.
func Parse(line string) (name, rest string, isCommand bool) {
	after, slash := strings.CutPrefix(line, "/")
	if !slash {
		return "", line, false
	}
	if strings.HasPrefix(after, "/") {
		return "", after, false
	}
	end := strings.IndexAny(after, " \n\t")
	if end < 0 {
		end = len(after)
	}
	return strings.ToLower(after[:end]), strings.TrimLeft(after[end:], " \t\n"), true
}

// Unblank returns a line without the blanks, and what is not seen, before the one slash of a command; any other line as it is.
// Somebody who typed such a blank meant the command, and the line may hold a password: it must not be said.
func Unblank(line string) string {
	bare := strings.TrimLeftFunc(line, func(r rune) bool { return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) })
	if _, _, isCommand := Parse(bare); isCommand {
		return bare
	}
	return line
}

// Leads says that a command takes whoever calls it elsewhere: what they type behind it belongs there.
func (c Command) Leads() bool { return c.Name == "join" || c.Name == "go" || c.Name == "bye" }

// Binds says that what a command does concerns the room where whoever calls it believes to be.
func (c Command) Binds() bool {
	switch c.Name {
	case "say", "me", "topic", "leave":
		return true
	}
	return c.Needs != ""
}

// alone says that what stands behind the name of a command means nothing, and is therefore refused. Who wants to leave leaves, whatever
// they say as they go.
func (c Command) alone() bool { return c.Usage == "" && c.Choices == nil && c.Name != "bye" }

// byName is [Table] by names and aliases, made when it is asked for first: every line that is said asks.
var byName struct {
	sync.Once
	commands map[string]Command
}

// Find looks a command up by its name or an alias, in lower case and without its slash.
func Find(name string) (Command, bool) {
	byName.Do(func() {
		byName.commands = map[string]Command{}
		for _, c := range Table() {
			for _, n := range append([]string{c.Name}, c.Aliases...) {
				byName.commands[n] = c
			}
		}
	})
	c, known := byName.commands[name]
	return c, known
}

// Nearest returns the command's name that a mistyped one most likely meant: one that it begins, else the one with the fewest
// letters to change, about a third of them at most. Empty if there is none.
func Nearest(name string) string {
	letters := utf8.RuneCountInString(name)
	best, bestCost := "", 2+letters/3 // too much already
	for _, c := range Table() {
		for _, n := range append([]string{c.Name}, c.Aliases...) {
			cost := distance(name, n)
			if len(name) > 1 && strings.HasPrefix(n, name) {
				cost = 0
			}
			if cost < bestCost && cost < letters { // something of it must be left
				best, bestCost = c.Name, cost
			}
		}
	}
	return best
}

// maxTyped is how much of a mistyped name is compared: a longer one resembles no command.
const maxTyped = 32

// distance counts the letters to insert, drop, replace or swap to make b of a (optimal string alignment).
func distance(a, b string) int {
	s, t := []rune(a), []rune(b)
	if len(s) > maxTyped || len(t) > maxTyped {
		return max(len(s), len(t))
	}
	rows := make([][]int, len(s)+1)
	for i := range rows {
		rows[i] = make([]int, len(t)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(s); i++ {
		for j := 1; j <= len(t); j++ {
			change := 1
			if s[i-1] == t[j-1] {
				change = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+change)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(s)][len(t)]
}

// maxNickWords bounds how many blank-separated words at the beginning of an argument are tried as one nickname.
const maxNickWords = 10

// cutNick takes the nickname at the beginning of rest apart from what follows it: the longest beginning of rest, up to a blank,
// that known says somebody is called; failing that what stands in double quotes, or the first word.
func cutNick(rest string, known func(nick string) bool) (nick, text string) {
	end, first := -1, -1
	for i, words := 0, 0; i <= len(rest) && words < maxNickWords; i++ {
		if i < len(rest) && rest[i] != ' ' && rest[i] != '\n' {
			continue
		}
		words++
		if first < 0 {
			first = i
		}
		if known(rest[:i]) {
			end = i
		}
	}
	if quoted, ok := strings.CutPrefix(rest, `"`); ok && end < 0 {
		if inside, after, closed := strings.Cut(quoted, `"`); closed {
			return inside, strings.TrimLeft(after, " \n")
		}
	}
	if end < 0 {
		end = max(first, 0)
	}
	return rest[:end], strings.TrimLeft(rest[end:], " \n")
}
