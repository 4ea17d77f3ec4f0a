package sqlitestore

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"sarangbang/room"
)

// This file makes of text what can be looked up. Nobody types the spaces of Korean, Japanese and Chinese as a search would need
// them, and most Korean words have one or two syllables. So a run of these scripts is filed as all its pairs of neighbours and its
// last character alone: 안녕하세요 as 안녕 녕하 하세 세요 요. Whatever part of it is looked for, is then a row of pairs, or the
// beginning of one. In other scripts a word is a word.

// indexText returns the words of a text as the index takes them: in one case, composed (NFC), with a space behind each.
func indexText(text string) []byte {
	dst := make([]byte, 0, 2*len(text)+len(" "))
	eachRun(text, func(run string, pairs bool) {
		if !pairs {
			dst = append(append(dst, run...), ' ')
			return
		}
		for i, r := range run {
			next := i + utf8.RuneLen(r)
			_, size := utf8.DecodeRuneInString(run[next:])
			dst = append(append(dst, run[i:next+size]...), ' ')
		}
	})
	return dst
}

// run is a word, or a run of characters that are filed as pairs.
type run struct {
	text  string
	pairs bool
}

// implies says that whatever holds a run holds another too.
func (r run) implies(other run) bool {
	switch {
	case r == other || r.pairs != other.pairs:
		return false
	case r.pairs:
		return strings.Contains(r.text, other.text)
	}
	return !single(other.text) && strings.HasPrefix(r.text, other.text)
}

// matchText makes a query for the index: lines that hold all of the words. Each is asked for once, and not at all if another implies
// it: the index would go through its lines again. Empty: there is no word in it. room.ErrManyWords: there are too many.
func matchText(words string) (string, error) {
	var runs []run
	cost := 0
	eachRun(words, func(text string, pairs bool) {
		r := run{text, pairs}
		if cost > room.MaxSearchWords || slices.Contains(runs, r) {
			return
		}
		runs = append(runs, r)
		if cost++; pairs {
			cost += utf8.RuneCountInString(text) - 1
		}
	})
	if cost > room.MaxSearchWords {
		return "", room.ErrManyWords
	}
	var terms []string
	for _, r := range runs {
		if !slices.ContainsFunc(runs, func(other run) bool { return other.implies(r) }) {
			terms = append(terms, r.term())
		}
	}
	return strings.Join(terms, " AND "), nil
}

// term is what the index is asked for.
func (r run) term() string {
	switch alone := single(r.text); {
	case r.pairs && alone: // it begins a pair, or stands alone
		return `"` + r.text + `"*`
	case r.pairs:
		row := strings.Fields(string(indexText(r.text)))
		return `"` + strings.Join(row[:len(row)-1], " ") + `"`
	case alone: // a good part of all words begins with it
		return `"` + r.text + `"`
	}
	return `"` + r.text + `"*`
}

// single says that a run has one character.
func single(text string) bool {
	_, size := utf8.DecodeRuneInString(text)
	return size == len(text)
}

// eachRun calls do with every word of a text, and with every run of characters that are filed as pairs.
func eachRun(text string, do func(run string, pairs bool)) {
	text = strings.Map(fold, norm.NFC.String(text))
	start, kind := 0, gap
	for i, r := range text {
		k := kindOf(r)
		if k == kind || k == mark { // a mark belongs to what it stands on
			continue
		}
		if kind == word || kind == paired {
			do(text[start:i], kind == paired)
		}
		start, kind = i, k
	}
	if kind == word || kind == paired {
		do(text[start:], kind == paired)
	}
}

// fold makes characters that differ only in case one: the least of them, but small letters in ASCII. Lowering would keep σ and ς
// apart.
func fold(r rune) rune {
	if r >= 0x80 {
		for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
			r = min(r, next)
		}
	}
	if 'A' <= r && r <= 'Z' {
		r += 'a' - 'A'
	}
	return r
}

// kind is what a character is to the index.
type kind int

const (
	gap    kind = iota // between words
	word               // of a word
	paired             // of a run that is filed as pairs
	mark               // of whatever it stands on
)

func kindOf(r rune) kind {
	switch {
	case r < 0x80:
		if '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' {
			return word
		}
		return gap
	case unicode.In(r, unicode.Hangul, unicode.Han, unicode.Hiragana, unicode.Katakana), r == 'ー', r == 'ｰ':
		if unicode.IsLetter(r) || unicode.IsNumber(r) {
			return paired
		}
		return gap
	case unicode.IsLetter(r), unicode.IsNumber(r):
		return word
	case unicode.IsMark(r):
		return mark
	}
	return gap
}

// Beside its words a line has two that nobody can type, since a text holds no character for private use: the room that it was said
// in and the name that it was said under. So a search for what one person said looks at no other lines.
const (
	roomTag   = '\uE000'
	authorTag = '\uE001'
	escape    = '\uE100' // and the 127 behind it: characters that would end a word
)

// tag appends the word for a room or a name.
func tag(dst []byte, what rune, name string) []byte {
	dst = utf8.AppendRune(dst, what)
	for _, r := range name {
		if r < 0x80 && kindOf(r) == gap {
			r += escape
		}
		dst = utf8.AppendRune(dst, r)
	}
	return append(dst, ' ')
}
