package identity

import (
	_ "embed"
	"fmt"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

//go:embed testdata/pairs.txt
var pairs string

func TestPairsOfNames(t *testing.T) {
	count := 0
	for i, line := range strings.Split(pairs, "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		count++
		var want, a, b string
		if _, err := fmt.Sscanf(line, "%s %q %q", &want, &a, &b); err != nil {
			t.Fatalf("testdata/pairs.txt:%d: %v", i+1, err)
		}
		if got := compare(a, b); got != want {
			t.Errorf("testdata/pairs.txt:%d: %q (%+q) and %q (%+q) are %q, want %q; skeletons %+q, %+q",
				i+1, a, a, b, b, got, want, skeleton(norm.NFKC.String(a)), skeleton(norm.NFKC.String(b)))
		}
	}
	if count < 200 {
		t.Errorf("%d pairs, want at least 200", count)
	}
}

// compare says in the words of testdata/pairs.txt what two names are to each other.
func compare(a, b string) string {
	a, b = norm.NFKC.String(a), norm.NFKC.String(b)
	sameCase, sameLook := caseKey(a) == caseKey(b), skeleton(a) == skeleton(b)
	switch {
	case sameCase && sameLook:
		return "one"
	case sameCase:
		return "case"
	case sameLook:
		return "alike"
	}
	return "two"
}

func TestSkeletonOfASkeletonIsItself(t *testing.T) {
	for r := range rune(unicode.MaxRune + 1) {
		if traitOf(r).scripts() == (scriptSet{}) || 0xAC00 <= r && r <= 0xD7A3 {
			continue
		}
		once := skeleton(string(r))
		if twice := skeleton(once); twice != once {
			t.Errorf("skeleton(%U) = %+q, and the skeleton of that = %+q", r, once, twice)
		}
	}
}

func TestCaseNeverChangesTheFold(t *testing.T) {
	for r := range rune(unicode.MaxRune + 1) {
		for _, other := range []rune{unicode.ToUpper(r), unicode.ToLower(r), unicode.ToTitle(r), fold(r)} {
			if fold(other) != fold(r) {
				t.Errorf("fold(%U) = %U, fold(%U) = %U, want the same", r, fold(r), other, fold(other))
			}
		}
	}
}

func TestEverySyllableIsANameOfItsOwn(t *testing.T) {
	seen := map[string]rune{}
	rules := DefaultRules()
	rules.Reserved = nil
	for r := rune(0xAC00); r <= 0xD7A3; r++ {
		name, err := rules.Parse(string(r))
		if err != nil {
			t.Fatalf("Parse(%q) = %v", r, err)
		}
		if other, ok := seen[name.Skeleton()]; ok {
			t.Errorf("%q and %q have one skeleton", r, other)
		}
		seen[name.Skeleton()] = r
	}
}
