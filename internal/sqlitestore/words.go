package sqlitestore

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
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

// maxTerms bounds a query: of a longer one the beginning counts.
const maxTerms = 32

// matchText makes a query for the index: lines that hold all of the words. Empty: there is no word in it.
func matchText(words string) string {
	var terms []string
	eachRun(words, func(run string, pairs bool) {
		switch first, size := utf8.DecodeRuneInString(run); {
		case len(terms) == maxTerms:
		case !pairs:
			terms = append(terms, `"`+run+`"*`)
		case size == len(run):
			terms = append(terms, `"`+string(first)+`"*`)
		default:
			row := strings.Fields(string(indexText(run)))
			terms = append(terms, `"`+strings.Join(row[:min(len(row)-1, maxTerms)], " ")+`"`)
		}
	})
	return strings.Join(terms, " AND ")
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
