package sqlitestore

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"sarangbang/room"
)

func TestIndexText(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", ""},
		{"Hello, World!", "hello world"},
		{"안녕하세요", "안녕 녕하 하세 세요 요"},
		{"가", "가"},
		{"오늘 비", "오늘 늘 비"},
		{"go언어 2판", "go 언어 어 2 판"},
		{"東京タワー", "東京 京タ タワ ワー ー"},
		{"ㅋㅋ ㅠ", "ㅋㅋ ㅋ ㅠ"},
		{"don't_stop", "don t stop"},
		{"ΟΔΟΣ οδος", "ΟΔΟΣ ΟΔΟΣ"},
		{"Straße ÉCOLE", "straße École"},
		{"\u1112\u1161\u11ab\u1100\u1173\u11af", "한글 글"}, // as macOS sends it
		{"e\u0301cole", "École"},
		{"क्षत्रिय", "क्षत्रिय"},
		{"\u0301alone 😀 !?", "alone"},
		{"line\nbreak", "line break"},
	} {
		if got := strings.TrimSpace(string(indexText(c.text))); got != c.want {
			t.Errorf("indexText(%q) = %q, want %q", c.text, got, c.want)
		}
	}
}

func TestMatchText(t *testing.T) {
	for _, c := range []struct{ words, want string }{
		{"", ""},
		{"?! 😀", ""},
		{"Dead", `"dead"*`},
		{"가", `"가"*`},
		{"고양", `"고양"`},
		{"하세요", `"하세 세요"`},
		{"go 언어", `"go"* AND "언어"`},
		{`"quoted" OR -not*`, `"quoted"* AND "or"* AND "not"*`},
		// A letter is a word.
		{"a", `"a"`},
		{"a apple", `"a" AND "apple"*`},
		// Nothing is asked for twice.
		{strings.Repeat("a ", 2000), `"a"`},
		{"dead DEAD Dead", `"dead"*`},
		{"dead deadlock de", `"deadlock"*`},
		{"lock deadlock", `"lock"* AND "deadlock"*`},
		{"하 하세요 세요 하세 녕하", `"하세 세요" AND "녕하"`},
		{"요하 하세요 하하", `"요하" AND "하세 세요" AND "하하"`},
		{strings.Repeat("가나 ", 500) + "가", `"가나"`},
	} {
		if got, err := matchText(c.words); got != c.want || err != nil {
			t.Errorf("matchText(%.40q) = %q, %v; want %q", c.words, got, err, c.want)
		}
	}
}

func TestQueriesAreBounded(t *testing.T) {
	numbers := func(n int) (words string) {
		for i := range n {
			words += fmt.Sprintf("w%d.", i+100)
		}
		return words
	}
	for _, c := range []struct {
		words string
		terms int // 0: refused
	}{
		{numbers(room.MaxSearchWords), room.MaxSearchWords},
		{numbers(room.MaxSearchWords + 1), 0},
		{numbers(1000), 0},
		{strings.Repeat("가", room.MaxSearchWords), room.MaxSearchWords - 1}, // its pairs
		{strings.Repeat("가", room.MaxSearchWords+1), 0},
		{numbers(room.MaxSearchWords-2) + "가나", room.MaxSearchWords - 1},
		{numbers(room.MaxSearchWords-2) + "가나다", 0},
	} {
		match, err := matchText(c.words)
		if got := len(strings.Fields(strings.ReplaceAll(match, " AND ", " "))); got != c.terms {
			t.Errorf("matchText(%.40q), %d bytes, has %d terms, want %d", c.words, len(c.words), got, c.terms)
		}
		if errors.Is(err, room.ErrManyWords) != (c.terms == 0) {
			t.Errorf("matchText(%.40q), %d bytes = %v; %d terms wanted", c.words, len(c.words), err, c.terms)
		}
	}
}

func TestTagsAreWordsThatNobodyTypes(t *testing.T) {
	got := string(tag(nil, authorTag, "case:kim lee-9 사랑"))
	if strings.Count(got, " ") != 1 || !strings.HasSuffix(got, " ") {
		t.Errorf("tag = %q, want one word and a space", got)
	}
	for _, r := range got[:len(got)-1] {
		if r < utf8.RuneSelf && kindOf(r) == gap {
			t.Errorf("tag = %q, in which %q ends a word", got, r)
		}
	}
	if other := string(tag(nil, authorTag, "case:kim lee:9 사랑")); other == got {
		t.Errorf("two names have the tag %q", got)
	}
	if words, err := matchText(got); strings.ContainsRune(words, authorTag) || err != nil {
		t.Errorf("matchText of a tag = %q, %v; want nothing that finds it", words, err)
	}
}

func FuzzWords(f *testing.F) {
	for _, seed := range []string{
		"", "안녕하세요 hello", "\u1112\u1161\u11ab", "東京タワー", "a\u0301\u0302", `"*^:AND(`, "\xff\xfe", "İıſK", "ｶﾞ", "क्ष", "가\u0301나",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		words := string(indexText(text))
		if !utf8.ValidString(words) {
			t.Fatalf("indexText(%q) = %q, which is not UTF-8", text, words)
		}
		for word := range strings.FieldsSeq(words) {
			for _, r := range word {
				if !unicode.In(r, unicode.L, unicode.N, unicode.M) {
					t.Fatalf("indexText(%q) has the word %q with %q in it", text, word, r)
				}
			}
		}
		if again := string(indexText(norm.NFD.String(text))); again != words {
			t.Fatalf("indexText(%q) = %q, decomposed it is %q", text, words, again)
		}
		match, err := matchText(text)
		if err != nil {
			return
		}
		if (match == "") != (words == "") {
			t.Fatalf("matchText(%q) = %q, and its words are %q", text, match, words)
		}
		if strings.Count(match, `"`)%2 != 0 || strings.ContainsAny(strings.ReplaceAll(match, " AND ", ""), "()^:-+AND") {
			t.Fatalf("matchText(%q) = %q, want quoted words only", text, match)
		}
	})
}
