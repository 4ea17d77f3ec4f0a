package identity

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestNamesOfRooms(t *testing.T) {
	for _, test := range []struct{ typed, shown, caseKey string }{
		{"dev", "dev", "dev"},
		{"#dev", "dev", "dev"},
		{"#Dev", "Dev", "dev"},
		{"#lobby", "lobby", "lobby"},
		{"LOBBY", "LOBBY", "lobby"},
		{"#사랑방", "사랑방", "사랑방"},
		{"\u1100\u1162\u1107\u1161\u11AF", "\u1100\u1162\u1107\u1161\u11AF", "개발"}, // as a Mac sends it
		{"#서버", "서버", "서버"},
		{"#server", "server", "server"},
		{"#guest-house", "guest-house", "guest-house"},
		{"#東京", "東京", "東京"},
		{"#Ærø", "Ærø", "ærø"},
		{"#Привет", "Привет", "привет"},
		{"שלום", "שלום", "שלום"},
		{"go-1.26", "go-1.26", "go-1.26"},
	} {
		got, err := DefaultRules().ParseRoom(test.typed)
		if err != nil {
			t.Errorf("ParseRoom(%q) = %v, want it accepted", test.typed, err)
			continue
		}
		if got.String() != test.shown || got.CaseKey() != test.caseKey {
			t.Errorf("ParseRoom(%q) is shown as %q with the case key %q, want %q, %q", test.typed, got, got.CaseKey(), test.shown, test.caseKey)
		}
	}
}

func TestNamesThatNoRoomCanHave(t *testing.T) {
	for _, test := range []struct {
		typed      string
		rule       Rule
		suggestion string
	}{
		{"", RuleEmpty, ""},
		{"#", RuleEmpty, ""},
		{"# ", RuleEmpty, ""},
		{"#two words", RuleBlankInside, "two-words"},
		{"a b c", RuleBlankInside, "a-b-c"},
		{"개발 이야기", RuleBlankInside, "개발-이야기"},
		{"a -b", RuleBlankInside, "a--b"},
		{"1 obby", RuleBlankInside, ""},
		{" dev", RuleStrayBlanks, "dev"},
		{"# dev", RuleStrayBlanks, "dev"},
		{"a  b", RuleStrayBlanks, "a-b"},
		{"a\u3000b", RuleStrayBlanks, "a-b"},
		{"##dev", RuleForbiddenCharacter, "dev"},
		{"＃개발", RuleNotCanonical, "개발"},
		{"dev+kim", RuleForbiddenCharacter, "devkim"},
		{"dev/kim", RuleForbiddenCharacter, "devkim"},
		{"#-dev", RuleForbiddenFirst, "dev"},
		{"#dеv", RuleMixedScripts, "dev"}, // Cyrillic е
		{"#dev\x1b[2J", RuleControlCharacter, "dev2J"},
		{"#" + strings.Repeat("a", 21), RuleTooManyGraphemes, strings.Repeat("a", 20)},
		{"#" + strings.Repeat("ab ", 1<<19), RuleTooManyBytes, "ab-ab-ab-ab-ab-ab-ab"},
		{"#1obby", RuleReserved, ""},
		{"#Iobby", RuleReserved, ""},
		{"로비", RuleReserved, ""},
	} {
		_, err := DefaultRules().ParseRoom(test.typed)
		shown := test.typed[:min(len(test.typed), 70)]
		if err == nil {
			t.Errorf("ParseRoom(%q) was accepted, want %v", shown, test.rule)
			continue
		}
		if got := refused(t, err); got.Rule != test.rule || got.Suggestion != test.suggestion {
			t.Errorf("ParseRoom(%q) = %v, suggestion %q; want %v, %q", shown, got.Rule, got.Suggestion, test.rule, test.suggestion)
		}
	}
}

func TestRoomsHaveTheLimitsOfNicknames(t *testing.T) {
	rules := Rules{MaxBytes: 12, MaxGraphemes: 4, MaxCells: 4}
	for typed, want := range map[string]Rule{"#abcd": 0, "abcde": RuleTooManyGraphemes, "가나다": RuleTooManyCells, "a😀b": RuleEmoji} {
		_, err := rules.ParseRoom(typed)
		if refusal, _ := errors.AsType[*Refusal](err); (refusal == nil) != (want == 0) || refusal != nil && refusal.Rule != want {
			t.Errorf("ParseRoom(%q) = %v, want %v", typed, err, want)
		}
	}
	rules.AllowEmoji = true
	if _, err := rules.ParseRoom("a😀b"); err != nil {
		t.Errorf("where emoji are allowed: ParseRoom = %v, want it accepted", err)
	}
}

func TestARoomHasTheKeysOfANicknameThatIsWrittenAlike(t *testing.T) {
	for _, typed := range []string{"dev", "Dev", "김철수", "Straße", "İstanbul", "go-1.26"} {
		name, err := DefaultRules().Parse(typed)
		if err != nil {
			t.Fatal(err)
		}
		in, err := DefaultRules().ParseRoom("#" + typed)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := in.Keys(), name.Keys(); !slices.Equal(got, want) || got[0] != "case:"+in.CaseKey() {
			t.Errorf("keys of #%s = %q, want %q", typed, got, want)
		}
	}
}

// For every code point: beside a letter, and wherever a rule for the whole name might miss it.
func TestCaseKeysFitInSubjectsAndUserNames(t *testing.T) {
	rules := DefaultRules()
	rules.AllowEmoji = true
	accepted := 0
	for r := range rune(unicode.MaxRune + 1) {
		if 0xAC00 < r && r <= 0xD7A3 || traitOf(r).scripts() == (scriptSet{}) {
			continue
		}
		for _, typed := range []string{"a" + string(r), string(r), "가" + string(r)} {
			name, refusal := rules.checkRoom(typed)
			if refusal != nil {
				continue
			}
			accepted++
			if key := name.CaseKey(); !fits(key) {
				t.Errorf("%+q has the case key %+q, which can end no subject or user name", typed, key)
			}
		}
	}
	if accepted < 100_000 {
		t.Errorf("%d names were accepted, want most of the letters of Unicode among them", accepted)
	}
}

// fits reports whether a case key can end a subject and begin the user name of ssh.
func fits(key string) bool {
	return key != "" && utf8.ValidString(key) && !strings.ContainsAny(key, "+/#@,[]") &&
		strings.IndexFunc(key, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) < 0
}

func FuzzRoom(f *testing.F) {
	for _, seed := range []string{
		"#dev", "##dev", "#", "# a", "a b", "＃개발 방", "ㅎㅏ ㅎㅏ", "1obby", "로비", "dev+kim", "İ ı", "שלום כהן", "a  b\u3000c", "#\xff", "Straße", "ΐ",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		rules := DefaultRules()
		name, err := rules.ParseRoom(typed)
		if err != nil {
			suggestion := refused(t, err).Suggestion
			if _, err := rules.ParseRoom(suggestion); suggestion != "" && err != nil {
				t.Errorf("ParseRoom(%+q) suggests %+q, which is refused: %v", typed, suggestion, err)
			}
			return
		}
		if name.String() != strings.TrimPrefix(typed, "#") {
			t.Errorf("ParseRoom(%+q).String() = %+q", typed, name)
		}
		if !fits(name.CaseKey()) || !fits(name.String()) {
			t.Errorf("ParseRoom(%+q) is shown as %+q, with the case key %+q", typed, name, name.CaseKey())
		}
		if again, err := rules.ParseRoom("#" + name.CaseKey()); err == nil && again.CaseKey() != name.CaseKey() {
			t.Errorf("the case key of %+q is %+q, and that of it %+q", typed, name.CaseKey(), again.CaseKey())
		}
	})
}
