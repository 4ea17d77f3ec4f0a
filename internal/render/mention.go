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
	first, _ := utf8.DecodeRuneInString(nick)
	lower, upper := string(unicode.ToLower(first)), string(unicode.ToUpper(first))
	for from = 0; ; from++ {
		// Every line is looked at for every reader, and most name nobody: so places where the first byte stands are found first.
		step := strings.IndexByte(line[from:], lower[0])
		if upper[0] != lower[0] {
			if i := strings.IndexByte(line[from:], upper[0]); i >= 0 && (step < 0 || i < step) {
				step = i
			}
		}
		if step < 0 {
			return -1, -1
		}
		from += step
		to = from + len(nick)
		if to > len(line) {
			return -1, -1
		}
		before, _ := utf8.DecodeLastRuneInString(line[:from])
		if strings.EqualFold(line[from:to], nick) && (from == 0 || !wordRune(before)) && endsName(line[to:], nick) {
			return from, to
		}
	}
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
