package sqlitestore

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
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
	} {
		if got := matchText(c.words); got != c.want {
			t.Errorf("matchText(%q) = %q, want %q", c.words, got, c.want)
		}
	}
}

func TestQueriesAreBounded(t *testing.T) {
	for _, words := range []string{strings.Repeat("word ", 1000), strings.Repeat("가", 1000), strings.Repeat("가 ", 1000)} {
		if got := len(strings.Fields(strings.ReplaceAll(matchText(words), " AND ", " "))); got != maxTerms {
			t.Errorf("matchText of %d bytes has %d terms, want %d", len(words), got, maxTerms)
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
	if words := matchText(got); strings.ContainsRune(words, authorTag) {
		t.Errorf("matchText of a tag = %q, want nothing that finds it", words)
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
		match := matchText(text)
		if (match == "") != (words == "") {
			t.Fatalf("matchText(%q) = %q, and its words are %q", text, match, words)
		}
		if strings.Count(match, `"`)%2 != 0 || strings.ContainsAny(strings.ReplaceAll(match, " AND ", ""), "()^:-+AND") {
			t.Fatalf("matchText(%q) = %q, want quoted words only", text, match)
		}
	})
}
