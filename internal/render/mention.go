package render

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Mention finds the first place where a line names somebody: the nickname as a word of its own, in any case, or with what Korean
// puts right behind a name. from is -1 where it does not.
func Mention(line, nick string) (from, to int) {
	if nick == "" {
		return -1, -1
	}
	before := ' '
	for i, r := range line {
		if !wordRune(before) && len(line)-i >= len(nick) && strings.EqualFold(line[i:i+len(nick)], nick) && endsName(line[i+len(nick):], nick) {
			return i, i + len(nick)
		}
		before = r
	}
	return -1, -1
}

func wordRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) }

// particles are the syllables that may follow a Korean name without a blank.
const particles = "님씨아야이가은는을를도의에께랑과와만한보"

// endsName says whether a nickname ends where rest begins.
func endsName(rest, nick string) bool {
	r, _ := utf8.DecodeRuneInString(rest)
	if rest == "" || !wordRune(r) {
		return true
	}
	last, _ := utf8.DecodeLastRuneInString(nick)
	if unicode.Is(unicode.Hangul, last) {
		return strings.ContainsRune(particles, r)
	}
	return unicode.Is(unicode.Hangul, r)
}
