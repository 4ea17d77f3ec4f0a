package identity

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

func TestNamesThatMayBeWorn(t *testing.T) {
	for _, name := range []string{
		"kim", "Kim", "nick name", "x", "7", "a1", "0x1F", "o'neil", "jean-luc", "a_b", "a.b", "kim!", "(kim)", "a:b", "a*b",
		"김철수", "kim철수", "철수 kim", "金철수", "나무",
		"\u1100\u1175\u11B7\u110E\u1165\u11AF\u1109\u116E", // 김철수, as a Mac sends it
		"東京", "東京kim", "ノエル", "かなカナ漢字kim", "カ・タ", "ㄅㄆ漢a",
		"tiếng việt", "e\u0323\u0302", "café", "cafe\u0301", "Ærøskøbing", "Łódź", "Straße", "İstanbul", "l·l",
		"Привет", "сосо", "αβγ", "ᾧδε", "\u03C9\u0314\u0342\u0345\u03B4\u03B5", "հայ", "ქართული",
		"שלום", "שלום כהן", "שלום1", "محمد", "مُحَمَّد", "นที", "मोहन", "ᏣᎳᎩ",
		"★kim★", "♡kim", "♪a",
		"guest", "guest 5", "ali", "homer", "adminus", "lobbyist", "4dmin", "ad-minus", "me-too", "나라", "나-무", "손님", "손님 여러분",
		"丁一", "工藤", "乙女", "カー", "一郎", "エマ",
		"aaaaaaaaaaaaaaaaaaaa", "가나다라마바사아자차",
	} {
		got, err := DefaultRules().Parse(name)
		if err != nil {
			t.Errorf("Parse(%q) = %v, want it accepted", name, err)
			continue
		}
		if got.String() != name {
			t.Errorf("Parse(%q).String() = %q, want it as typed", name, got)
		}
	}
}

func TestRefusals(t *testing.T) {
	seen := map[Rule]bool{}
	for _, test := range []struct {
		typed      string
		rule       Rule
		bad        string
		suggestion string
	}{
		{"", RuleEmpty, "", ""},
		{" \t\u00a0\u3000\n", RuleEmpty, "", ""},
		{strings.Repeat("é", 33), RuleTooManyBytes, "", strings.Repeat("é", 20)},
		{strings.Repeat(" ", 64) + "kim", RuleTooManyBytes, "", "kim"},
		{strings.Repeat("a", 1<<20), RuleTooManyBytes, "", strings.Repeat("a", 20)},
		{strings.Repeat("\u0301", 1<<20), RuleTooManyBytes, "", ""},
		{strings.Repeat("\xff", 1<<20), RuleTooManyBytes, "", ""},

		{"a\xffb", RuleBrokenText, "\uFFFD", "ab"},
		{"kim\uFFFD", RuleBrokenText, "\uFFFD", "kim"},
		{"\xed\xa0\x80kim", RuleBrokenText, "\uFFFD", "kim"}, // a surrogate

		{"kim😀", RuleEmoji, "😀", "kim"},
		{"👩\u200d🚀kim", RuleEmoji, "👩\u200d🚀", "kim"},
		{"❤\uFE0Fkim", RuleEmoji, "❤\uFE0F", "kim"},
		{"kim🇰🇷", RuleEmoji, "🇰🇷", "kim"},
		{"kim\U0001FAE9", RuleEmoji, "\U0001FAE9", "kim"}, // newer than Go's tables
		{"1\u20E3", RuleEmoji, "\u20E3", "1"},
		{"😀", RuleEmoji, "😀", ""},

		{"a\x1b[2Jb", RuleControlCharacter, "\x1b", "a2Jb"},
		{"a\tb", RuleControlCharacter, "\t", "ab"},
		{"a\u009bb", RuleControlCharacter, "\u009b", "ab"},
		{"a\u2028b", RuleControlCharacter, "\u2028", "ab"},

		{"kim\u200b", RuleInvisibleCharacter, "\u200b", "kim"},
		{"kim\u034f", RuleInvisibleCharacter, "\u034f", "kim"},
		{"kim\ufe0f", RuleInvisibleCharacter, "\ufe0f", "kim"},
		{"kim\U000e0101", RuleInvisibleCharacter, "\U000e0101", "kim"},
		{"\u202ekim", RuleInvisibleCharacter, "\u202e", "kim"},
		{"k\u00adim", RuleInvisibleCharacter, "\u00ad", "kim"},
		{"a\u2800b", RuleInvisibleCharacter, "\u2800", "ab"},
		{"\u3164", RuleInvisibleCharacter, "\u3164", ""},
		{"\u115f\u1160", RuleInvisibleCharacter, "\u115f", ""},
		{"\uffa0a", RuleInvisibleCharacter, "\uffa0", "a"},
		{"kim\U000e0041", RuleInvisibleCharacter, "\U000e0041", "kim"},
		{"kim\U0001d159", RuleInvisibleCharacter, "\U0001d159", "kim"},
		{"علی\u200cرضا", RuleInvisibleCharacter, "\u200c", "علیرضا"},

		{"kim\ue000", RulePrivateCharacter, "\ue000", "kim"},
		{"kim\U0010fffd", RulePrivateCharacter, "\U0010fffd", "kim"},
		{"kim\u0378", RuleUnassignedCharacter, "\u0378", "kim"},
		{"kim\ufdd0", RuleUnassignedCharacter, "\ufdd0", "kim"},
		{"kim\U0001ccd6", RuleUnassignedCharacter, "\U0001ccd6", "kim"}, // of Unicode 16

		{"ㅋㅋ", RuleLoneJamo, "ㅋㅋ", ""},
		{"철수ㅋㅋ", RuleLoneJamo, "ㅋㅋ", "철수"},
		{"ㅠ철수ㅠ", RuleLoneJamo, "ㅠ", "철수"},
		{"김ㆍ철수", RuleLoneJamo, "ㆍ", "김철수"},
		{"\u1100", RuleLoneJamo, "\u1100", ""},
		{"kim\u1161", RuleLoneJamo, "\u1161", "kim"},
		{"ｶﾅ\uffbb", RuleLoneJamo, "\uffbb", "カナ"}, // half-width jamo
		{"ㅎㅏ", RuleNotCanonical, "", "하"},
		{"ㅅㅏ랑", RuleNotCanonical, "", "사랑"},

		{"김·철수", RuleMisplacedCharacter, "·", "김철수"},
		{"kim・", RuleMisplacedCharacter, "・", "kim"},
		{"٣۳", RuleMisplacedCharacter, "", ""}, // two kinds of Arabic digits

		{" kim", RuleStrayBlanks, "", "kim"},
		{"kim ", RuleStrayBlanks, "", "kim"},
		{"a  b", RuleStrayBlanks, "", "a b"},
		{"a\u00a0b", RuleStrayBlanks, "", "a b"},
		{"a\u3000b", RuleStrayBlanks, "", "a b"},

		{"ｋｉｍ", RuleNotCanonical, "", "kim"},
		{"𝔨𝔦𝔪", RuleNotCanonical, "", "kim"},
		{"①", RuleNotCanonical, "", "1"},
		{"ﬁn", RuleNotCanonical, "", "fin"},
		{"kim™", RuleNotCanonical, "", "kimTM"},
		{"＠ｋｉｍ", RuleNotCanonical, "", "kim"},
		{"ｓｅｒｖｅｒ", RuleNotCanonical, "", ""},
		{"น้ำ", RuleNotCanonical, "", "น้ํา"},

		{"kim+lee", RuleForbiddenCharacter, "+", "kimlee"},
		{"#kim", RuleForbiddenCharacter, "#", "kim"},
		{"@kim", RuleForbiddenCharacter, "@", "kim"},
		{"a,b", RuleForbiddenCharacter, ",", "ab"},
		{"a/b", RuleForbiddenCharacter, "/", "ab"},
		{"[kim]", RuleForbiddenCharacter, "[", "kim"},
		{"kim]", RuleForbiddenCharacter, "]", "kim"},
		{"kim → 나무", RuleForbiddenCharacter, "→", "kim 나무"},
		{"kim ⟶ 나무", RuleForbiddenCharacter, "⟶", "kim 나무"},
		{"a∕b", RuleForbiddenCharacter, "∕", "ab"},
		{"a‚b", RuleForbiddenCharacter, "‚", "ab"},
		{"⟦kim⟧", RuleForbiddenCharacter, "⟦", "kim"},
		{"kim❳ x", RuleForbiddenCharacter, "❳", "kim x"},
		{"kim〕x", RuleForbiddenCharacter, "〕", "kimx"},
		{"kim › lee", RuleForbiddenCharacter, "›", "kim lee"},
		{"a ¦ b", RuleForbiddenCharacter, "¦", "a b"},

		{"*", RuleForbiddenFirst, "*", ""},
		{"-kim", RuleForbiddenFirst, "-", "kim"},
		{"--kim", RuleForbiddenFirst, "-", "kim"},
		{"~kim", RuleForbiddenFirst, "~", "kim"},
		{"&kim", RuleForbiddenFirst, "&", "kim"},
		{"%kim", RuleForbiddenFirst, "%", "kim"},
		{"!kim", RuleForbiddenFirst, "!", "kim"},
		{".kim", RuleForbiddenFirst, ".", "kim"},
		{":kim", RuleForbiddenFirst, ":", "kim"},
		{"=kim", RuleForbiddenFirst, "=", "kim"},
		{"<kim>", RuleForbiddenFirst, "<", "kim>"},
		{">kim", RuleForbiddenFirst, ">", "kim"},
		{"*kim*", RuleForbiddenFirst, "*", "kim*"},
		{"‐kim", RuleForbiddenFirst, "‐", "kim"}, // U+2010
		{"∗kim", RuleForbiddenFirst, "∗", "kim"},

		{"\u0301kim", RuleStrayMark, "\u0301", "kim"},
		{"a \u0301b", RuleStrayMark, "\u0301", "a b"},
		{"★\u0301a", RuleStrayMark, "\u0301", "★a"},
		{"a\u0300\u0301\u0302", RuleTooManyMarks, "\u0302", "à\u0301"},
		{"á\u0302\u0303", RuleTooManyMarks, "\u0303", "á\u0302"},
		{"x\u0300\u0301\u0302\u0303\u0304\u0305", RuleTooManyMarks, "\u0302", "x\u0300\u0301"},

		{"𐌰𐌻𐌹𐌺", RuleHistoricLetter, "𐌰", ""},
		{"kim𓀀", RuleHistoricLetter, "𓀀", "kim"},
		{"___", RuleNoLetter, "", ""},
		{"♡", RuleNoLetter, "", ""},

		{"аlice", RuleMixedScripts, "", "alice"}, // Cyrillic а
		{"ѕеrvеr", RuleMixedScripts, "", ""},     // would be a reserved name
		{"kimα", RuleMixedScripts, "", "kima"},
		{"kimж", RuleMixedScripts, "", ""},
		{"ひらがな한글", RuleMixedScripts, "", ""},
		{"ㄅ한글", RuleMixedScripts, "", ""},
		{"abcשלום", RuleMixedScripts, "", ""},
		{"a\u0345", RuleMixedScripts, "", ""}, // a Greek mark

		{"1שלום", RuleMixedDirection, "", ""},
		{"שלום!", RuleMixedDirection, "", ""},
		{"١٢٣", RuleMixedDirection, "", ""},

		{"aaaaaaaaaaaaaaaaaaaaa", RuleTooManyGraphemes, "", "aaaaaaaaaaaaaaaaaaaa"},
		{"가나다라마바사아자차카", RuleTooManyCells, "", "가나다라마바사아자차"},
		{"가나다라마바사아자a차", RuleTooManyCells, "", "가나다라마바사아자a"},
		{"aaaaaaaaaaaaaaaaaaa bcd", RuleTooManyGraphemes, "", "aaaaaaaaaaaaaaaaaaa"},

		{"server", RuleReserved, "", ""},
	} {
		_, err := DefaultRules().Parse(test.typed)
		refusal := refused(t, err)
		shown := test.typed[:min(len(test.typed), 70)]
		seen[refusal.Rule] = true
		if refusal.Rule != test.rule || refusal.Bad != test.bad || refusal.Suggestion != test.suggestion {
			t.Errorf("Parse(%q) = %v, bad %+q, suggestion %q; want %v, %+q, %q",
				shown, refusal.Rule, refusal.Bad, refusal.Suggestion, test.rule, test.bad, test.suggestion)
		}
	}
	for _, rule := range AllRules() {
		if !seen[rule] && rule != RuleBlankInside { // a nickname may have them
			t.Errorf("no case for %v", rule)
		}
	}
}

func refused(t *testing.T, err error) *Refusal {
	t.Helper()
	refusal, ok := errors.AsType[*Refusal](err)
	if !ok {
		t.Fatalf("error = %T %v, want a *Refusal", err, err)
	}
	return refusal
}

func TestReservedNamesAndWhatLooksLikeThem(t *testing.T) {
	rules := DefaultRules()
	names := []string{
		"adm1n", "ADM1N", "AdmIn", "admln", "adrnin", "ADRN1N", "r00t", "R0OT", "rnod", "m0d", "M0D", "5y5tem", "Sy5tern",
		"0p", "op", "OP", "ор", "Guest-4", "guest-", "GUE5T-x", "guest‐7", "guest–7", "1obby", "Iobby",
		"me", "Me", "you", "y0u", "everyone", "나", "\u1102\u1161", "사랑방", "서버", "손님-3", "모두",
		"adm丨n", "adm工n", "丨obby", "guestー7", "guest—7",
		"ro ot", "r.o.o.t", "a d m i n", "A_D-M.1 N", "server.", "server_", "server-", "server’", "_root", "’root’", "o’perator", "op.", "lob-by",
		"관 리 자", "운영자.", "나_", "gu est-4", "_guest-4", "손.님-3",
	}
	for _, word := range rules.Reserved {
		word = strings.TrimSuffix(word, "*")
		names = append(names, word, strings.ToUpper(word))
	}
	for _, name := range names {
		if _, err := rules.Parse(name); err == nil || refused(t, err).Rule != RuleReserved {
			t.Errorf("Parse(%q) = %v, want %v", name, err, RuleReserved)
		}
	}
	rules.Reserved = []string{"kiosk", "bot*", "my.house"}
	for name, want := range map[string]bool{"admin": false, "ki0sk": true, "kiosks": false, "bot": true, "B0tany": true, "b.otany": true, "robot": false, "my.house": true, "my-.house": true, "myhouse": false} {
		if _, err := rules.Parse(name); (err != nil) != want {
			t.Errorf("with other reserved names: Parse(%q) = %v, want refused = %t", name, err, want)
		}
	}
}

func TestLimitsAreNamed(t *testing.T) {
	rules := Rules{MaxBytes: 12, MaxGraphemes: 4, MaxCells: 6}
	for _, test := range []struct {
		typed string
		want  Refusal
	}{
		{"abcdefghijklm", Refusal{Rule: RuleTooManyBytes, Suggestion: "abcd", Got: 13, Limit: 12}},
		{strings.Repeat("e\u0323\u0302", 3), Refusal{Rule: RuleTooManyBytes, Suggestion: strings.Repeat("e\u0323\u0302", 2), Got: 15, Limit: 12}},
		{"abcde", Refusal{Rule: RuleTooManyGraphemes, Suggestion: "abcd", Got: 5, Limit: 4}},
		{"가나다라", Refusal{Rule: RuleTooManyCells, Suggestion: "가나다", Got: 8, Limit: 6}},
		{"e\u0323\u0302e\u0323\u0302", Refusal{}}, // ten bytes, two graphemes
		{"abcd", Refusal{}},
		{"가나다", Refusal{}},
	} {
		_, err := rules.Parse(test.typed)
		if test.want == (Refusal{}) {
			if err != nil {
				t.Errorf("Parse(%q) = %v, want it accepted", test.typed, err)
			}
			continue
		}
		if got := *refused(t, err); got != test.want {
			t.Errorf("Parse(%q) = %+v, want %+v", test.typed, got, test.want)
		}
	}
}

func TestEmojiWhereTheyAreAllowed(t *testing.T) {
	rules := DefaultRules()
	rules.AllowEmoji = true
	for name, want := range map[string]Rule{
		"kim😀": 0, "kim♥": 0, "kim🇰🇷": 0,
		"😀":             RuleNoLetter,
		"👩\u200d🚀kim":   RuleInvisibleCharacter,
		"❤\uFE0Fkim":    RuleInvisibleCharacter,
		"a ➡ b":         RuleForbiddenCharacter,
		"kim\U0001FAEB": RuleUnassignedCharacter,
		"가나다라마바사아자차😀":   RuleTooManyCells,
	} {
		_, err := rules.Parse(name)
		if want == 0 && err != nil {
			t.Errorf("Parse(%q) = %v, want it accepted", name, err)
		}
		if want != 0 && refused(t, err).Rule != want {
			t.Errorf("Parse(%q) = %v, want %v", name, err, want)
		}
	}
}

func TestKeys(t *testing.T) {
	name, err := DefaultRules().Parse("KIM철수")
	if err != nil {
		t.Fatal(err)
	}
	// The skeleton is decomposed; capital I looks like l.
	if got, want := name.Keys(), []string{"case:kim철수", "skel:" + norm.NFD.String("klm철수")}; !slices.Equal(got, want) {
		t.Errorf("Keys() = %q, want %q", got, want)
	}
}

func TestSlugs(t *testing.T) {
	rules := AllRules()
	seen := map[string]bool{}
	for _, rule := range rules {
		slug := rule.String()
		if seen[slug] || slug == "" || strings.Trim(slug, "abcdefghijklmnopqrstuvwxyz-") != "" {
			t.Errorf("%d has the slug %q, want one of its own in lower case", int(rule), slug)
		}
		seen[slug] = true
	}
	if first, last := rules[0], rules[len(rules)-1]; first != RuleEmpty || last != RuleReserved {
		t.Errorf("AllRules() = %v … %v, want %v … %v", first, last, RuleEmpty, RuleReserved)
	}
	if got := Rule(0).String(); got != "rule-0" {
		t.Errorf("Rule(0).String() = %q, want rule-0", got)
	}
}

func TestErrorNamesTheRuleAndQuotesTheOffender(t *testing.T) {
	for typed, want := range map[string]string{
		"a\u202eb":              `name refused: invisible-character: "\u202e"`,
		"server":                "name refused: reserved",
		strings.Repeat("a", 21): "name refused: too-many-graphemes: 21 of at most 20",
	} {
		if _, err := DefaultRules().Parse(typed); err.Error() != want {
			t.Errorf("Parse(%q): %q, want %q", typed, err, want)
		}
	}
}

func FuzzNickname(f *testing.F) {
	for _, seed := range []string{
		"kim", "Kim Lee", "김철수", "kim철수", "ㅋㅋ", "ㅎㅏ", "\u1112\u1161\u11ab", "ｋｉｍ", "аlice", "İı", "Straße", "σας", "ǅ", "ŉ",
		"ᾳ", "i\u0307", "l·l", "カ・タ", "שלום כהן", "محمد1", "น้ำ", "e\u0323\u0302\u0303", "kim😀", "👩\u200d🚀", "\u2800", "\ue000", "\u0378",
		"[a]→*", "  a  b ", "a\xffb", "\x1b[2J", "guest-1", "ADM1N", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "\u00a8", "﷽", "㈜", "Ǆ", "ΐ", "ᾳ",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		rules := DefaultRules()
		name, err := rules.Parse(typed)
		if err != nil {
			suggestion := refused(t, err).Suggestion
			if suggestion == typed && typed != "" {
				t.Errorf("Parse(%+q) suggests what it refuses", typed)
			}
			if _, err := rules.Parse(suggestion); suggestion != "" && err != nil {
				t.Errorf("Parse(%+q) suggests %+q, which is refused: %v", typed, suggestion, err)
			}
			return
		}
		if name.String() != typed {
			t.Errorf("Parse(%+q).String() = %+q", typed, name)
		}
		if !utf8.ValidString(typed) || len(typed) > rules.MaxBytes || utf8.RuneCountInString(norm.NFC.String(typed)) > 3*rules.MaxGraphemes {
			t.Errorf("Parse(%+q) accepted what is no UTF-8 or too long", typed)
		}
		if strings.ContainsAny(typed, forbidden+"\x00\x1b\r\n\t\u202e\u200b\uFFFD") || strings.ContainsAny(typed[:1], forbiddenFirst+" ") {
			t.Errorf("Parse(%+q) accepted a forbidden character", typed)
		}
		if again := skeleton(name.Skeleton()); again != name.Skeleton() {
			t.Errorf("the skeleton of %+q is %+q, and that of it %+q", typed, name.Skeleton(), again)
		}
		nfc := norm.NFC.String(typed)
		for _, other := range []string{nfc, norm.NFD.String(typed)} {
			if o, err := rules.Parse(other); err == nil && !slices.Equal(o.Keys(), name.Keys()) {
				t.Errorf("keys of %+q = %+q, of %+q = %+q, want the same", typed, name.Keys(), other, o.Keys())
			}
		}
		for _, other := range []string{strings.ToUpper(nfc), strings.ToLower(nfc), strings.ToTitle(nfc)} {
			if o, err := rules.Parse(other); err == nil && o.CaseKey() != name.CaseKey() {
				t.Errorf("case key of %+q = %+q, of %+q = %+q, want the same", typed, name.CaseKey(), other, o.CaseKey())
			}
		}
		if len(name.Keys()) != 2 || name.CaseKey() == "" || name.Skeleton() == "" {
			t.Errorf("keys of %+q = %+q, want two that are not empty", typed, name.Keys())
		}
	})
}

func BenchmarkParse(b *testing.B) {
	rules := DefaultRules()
	for _, bench := range []struct{ name, typed string }{
		{"ascii", "kim"},
		{"longest", "nick name 1234567890"},
		{"hangul", "김철수"},
		{"hangul-and-latin", "kim철수"},
		{"vietnamese", "tiếng việt"},
		{"arabic", "محمد"},
		{"refused-and-mended", "аlice"},
		{"refused-whole", "ㅋㅋ"},
		{"hostile", strings.Repeat("😀[\u202e", 8)[:64]},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = rules.Parse(bench.typed)
			}
		})
	}
}
