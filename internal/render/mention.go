package render

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Mention finds the first place where a line names somebody: the nickname as a word of its own, in any case and width, or with
// what Korean puts right behind a name. from is -1 where it does not.
func Mention(line, nick string) (from, to int) {
	if nick == "" {
		return -1, -1
	}
	// Every line is looked at for every reader, and most name nobody: so places are found first where the nickname may begin, by
	// the first byte of its first letter. Each search goes on only when its last find is passed, so that a line is read once for
	// each such byte, and not once for each place.
	starts, n := firstBytes(nick)
	next := [len(starts)]int{-1, -1, -1}
	for at := 0; ; at++ {
		found := len(line)
		for i, b := range starts[:n] {
			if next[i] < at {
				next[i] = len(line)
				if j := strings.IndexByte(line[at:], b); j >= 0 {
					next[i] = at + j
				}
			}
			found = min(found, next[i])
		}
		if at = found; at == len(line) {
			return -1, -1
		}
		to = at + beginsWith(line[at:], nick)
		if to > at && apart(line[:at], line[at:to]) && endsName(line[at:to], line[to:]) {
			return at, to
		}
	}
}

// firstBytes returns the bytes with which a nickname may begin in a line.
func firstBytes(nick string) (all [3]byte, n int) {
	first, _ := utf8.DecodeRuneInString(nick)
	lower := fold(first)
	all = [3]byte{string(lower)[0], string(unicode.ToUpper(lower))[0], 0xEF} // and that of all full-width forms
	switch {
	case lower < utf8.RuneSelf:
		return all, 3
	case all[0] == all[1]:
		return all, 1
	}
	return all, 2
}

// beginsWith returns how many bytes of s are the nickname, 0 if s does not begin with it.
func beginsWith(s, nick string) int {
	n := 0
	for _, want := range nick {
		r, size := utf8.DecodeRuneInString(s[n:])
		if size == 0 || r != want && fold(r) != fold(want) {
			return 0
		}
		n += size
	}
	return n
}

// script is what a run of letters is written in, as far as it tells words apart where no blanks do.
type script uint8

const (
	none   script = iota // not part of a word
	common               // part of a word in any script: digits, marks
	alphabetic
	hangul
	han
	kana
)

func scriptOf(r rune) script {
	switch {
	case 'a' <= r|0x20 && r|0x20 <= 'z':
		return alphabetic
	case r == '_', unicode.IsDigit(r), unicode.IsMark(r):
		return common
	case unicode.Is(unicode.Hangul, r):
		return hangul
	case unicode.Is(unicode.Han, r):
		return han
	case unicode.In(r, unicode.Hiragana, unicode.Katakana) || r == 'ー':
		return kana
	case unicode.IsLetter(r):
		return alphabetic
	}
	return none
}

// apart says that no word goes on from before to after.
func apart(before, after string) bool {
	if before == "" || after == "" {
		return true
	}
	last, _ := utf8.DecodeLastRuneInString(before)
	first, _ := utf8.DecodeRuneInString(after)
	a, b := scriptOf(last), scriptOf(first)
	return a == none || b == none || a != b && a != common && b != common
}

// endsName says whether a nickname ends where rest begins.
func endsName(nick, rest string) bool {
	if apart(nick, rest) {
		return true
	}
	last, _ := utf8.DecodeLastRuneInString(nick)
	return scriptOf(last) == hangul && addresses(rest)
}

// addresses says that the Hangul at the start of s is what may follow a name without a blank: a title, a particle, or both. What
// follows the title 님 is often written without a blank, too.
func addresses(s string) bool {
	end := strings.IndexFunc(s, func(r rune) bool { return scriptOf(r) != hangul })
	if end >= 0 {
		s = s[:end]
	}
	if strings.HasPrefix(s, "님") {
		return true
	}
	for _, title := range titles {
		if rest, ok := strings.CutPrefix(s, title); ok && (rest == "" || isParticle(rest)) {
			return true
		}
	}
	return isParticle(s)
}

// titles stand behind a name. 이 is none, but makes a name that ends in a consonant easier to say.
var titles = []string{"씨", "군", "양", "형", "누나", "언니", "오빠", "선배", "쌤", "선생", "들", "네", "이"}

func isParticle(s string) bool {
	_, found := slices.BinarySearch(particles, s)
	return found
}

// particles follow a name or a title, some of them one another.
var particles = slices.Sorted(slices.Values(strings.Fields(`
	가 이 께서 은 는 을 를 의 도 만 만은 만이 뿐 뿐만 까지 까지도 마저 조차 부터 보다 보다는 처럼 같이 만큼 밖에 대로
	에게 에게는 에게도 에게만 에게서 한테 한테는 한테도 한테만 한테서 께 께는 께도 더러 보고 에 로 으로 와 과 와는 과는 와도 과도 랑 이랑 랑은 이랑은 하고 하고는 하고도
	아 야 여 이여 나 이나 라도 이라도 라고 이라고 라는 이라는 라면 이라면 란 이란 든 이든 네 이네 인데 인가 인지 다 이다 요 이요
	예요 이에요 이예요 입니다 입니까 이니 니 지 이지 였 였어 이었어 `)))
