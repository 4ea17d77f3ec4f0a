package identity

import (
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/secure/bidirule"
	"golang.org/x/text/secure/precis"
	"golang.org/x/text/unicode/bidi"
	"golang.org/x/text/unicode/norm"

	"sarangbang/internal/cells"
)

// maxMarks are enough for Vietnamese, Thai and Hebrew names; more is decoration that covers the lines above and below.
const maxMarks = 2

// checkCharacters refuses what cannot be read, and emoji, wherever they stand.
func (r Rules) checkCharacters(nfc string) *Refusal {
	for i, c := range nfc {
		switch rule := r.ruleOf(c); rule {
		case 0:
		case RuleEmoji:
			return &Refusal{Rule: rule, Bad: nfc[i : i+cells.First(nfc[i:]).Bytes]}
		default:
			return &Refusal{Rule: rule, Bad: string(c)}
		}
	}
	return nil
}

// ruleOf returns the rule that c breaks by being in a name at all, 0 if none.
func (r Rules) ruleOf(c rune) Rule {
	if 0x20 <= c && c < 0x7F || 0xAC00 <= c && c <= 0xD7A3 {
		return 0
	}
	t := traitOf(c)
	switch {
	case !r.AllowEmoji && t&emoji != 0:
		return RuleEmoji
	case c == utf8.RuneError:
		return RuleBrokenText
	case unicode.In(c, unicode.Cc, unicode.Zl, unicode.Zp):
		return RuleControlCharacter
	case unicode.Is(unicode.Co, c):
		return RulePrivateCharacter
	// What looks like nothing although it is a symbol: the empty braille pattern, the object replacement character, the
	// null notehead.
	case t&ignorable != 0, unicode.Is(unicode.Cf, c), c == 0x2800, c == 0xFFFC, c == 0x1D159:
		return RuleInvisibleCharacter
	case t.scripts() == scriptSet{}:
		return RuleUnassignedCharacter
	}
	return 0
}

// checkForm refuses a name that is written otherwise than the Nickname profile of PRECIS (RFC 8266) writes it: with NFKC and
// with single blanks inside, repeated until nothing changes.
func checkForm(nfc string) *Refusal {
	n, err := precis.Nickname.String(nfc)
	switch {
	case err != nil:
		return misplaced(nfc)
	case n == nfc:
		return nil
	case n == strings.Join(strings.Fields(nfc), " "):
		return &Refusal{Rule: RuleStrayBlanks}
	}
	return &Refusal{Rule: RuleNotCanonical}
}

// misplaced finds what PRECIS refused in a name.
//
// A jamo by itself (ㅋㅋ) is refused because NFKC makes a conjoining one of it, which PRECIS forbids and terminals glue to
// its neighbour: ㅎㅏ is 하. Where all of them make whole syllables, PRECIS has nothing against them and these are suggested.
func misplaced(nfc string) *Refusal {
	if start := strings.IndexFunc(nfc, isJamo); start >= 0 {
		end := start
		for _, r := range nfc[start:] {
			if !isJamo(r) {
				break
			}
			end += utf8.RuneLen(r)
		}
		return &Refusal{Rule: RuleLoneJamo, Bad: nfc[start:end]}
	}
	for _, r := range nfc {
		if _, err := precis.Nickname.String("a" + string(r) + "a"); err != nil {
			return &Refusal{Rule: RuleMisplacedCharacter, Bad: string(r)}
		}
	}
	return &Refusal{Rule: RuleMisplacedCharacter}
}

// isJamo reports whether r is a letter of a Hangul syllable: conjoining, compatibility or half-width.
func isJamo(r rune) bool {
	return 0x1100 <= r && r <= 0x11FF || 0x3131 <= r && r <= 0x318E || 0xA960 <= r && r <= 0xA97F ||
		0xD7B0 <= r && r <= 0xD7FF || 0xFFA1 <= r && r <= 0xFFDC
}

// checkContent refuses what is well-formed and yet no name for a chat. n is in the form of RFC 8266.
func checkContent(n string) *Refusal {
	if refusal := checkSymbols(n); refusal != nil {
		return refusal
	}
	if refusal := checkMarks(n); refusal != nil {
		return refusal
	}
	if strings.IndexFunc(n, isLetterOrNumber) < 0 {
		return &Refusal{Rule: RuleNoLetter}
	}
	if mixesScripts(n) {
		return &Refusal{Rule: RuleMixedScripts}
	}
	if mixesDirections(n) {
		return &Refusal{Rule: RuleMixedDirection}
	}
	return nil
}

// The characters that have a meaning where names are shown or typed. [ ] and → frame names in what the TCP door sends.
const (
	forbidden      = "+#@,/[]→"
	forbiddenFirst = "@#/*~&+%!-.:=<>"
)

func checkSymbols(n string) *Refusal {
	for i, c := range n {
		looks := lookOf(c)
		switch {
		case strings.ContainsRune(forbidden, looks):
			return &Refusal{Rule: RuleForbiddenCharacter, Bad: string(c)}
		case i == 0 && strings.ContainsRune(forbiddenFirst, looks):
			return &Refusal{Rule: RuleForbiddenFirst, Bad: string(c)}
		case traitOf(c)&historic != 0 && (isLetterOrNumber(c) || unicode.IsMark(c)):
			return &Refusal{Rule: RuleHistoricLetter, Bad: string(c)}
		}
	}
	return nil
}

// lookOf returns what the symbol c looks like to somebody who knows the forbidden ones. Letters look like themselves:
// confusables.txt has ノ for a slash.
func lookOf(c rune) rune {
	switch {
	case c < 0x80:
		return c
	case unicode.Is(arrows, c):
		return '→'
	case unicode.Is(brackets, c), unicode.In(c, unicode.Ps, unicode.Pe):
		return '['
	case unicode.In(c, unicode.Pi, unicode.Pf) && (c < 0x2018 || c > 0x201F): // quotation marks in the shape of arrows
		return '→'
	case c == '¦': // the gutter of a message
		return '['
	case unicode.In(c, unicode.P, unicode.S, unicode.Lm):
		if p := prototypeOf(c); p != "" {
			if look, n := utf8.DecodeRuneInString(p); n == len(p) {
				return look
			}
		}
	}
	return c
}

// arrows are the blocks and parts of blocks that hold arrows. One of them between two names looks like the head of a
// direct message.
var arrows = &unicode.RangeTable{
	R16: []unicode.Range16{
		{0x2190, 0x21FF, 1},
		{0x2794, 0x2794, 1},
		{0x2798, 0x27AF, 1},
		{0x27B1, 0x27BE, 1},
		{0x27F0, 0x27FF, 1},
		{0x2900, 0x297F, 1},
		{0x2B00, 0x2B11, 1},
		{0x2B30, 0x2B4F, 1},
		{0x2B5A, 0x2BB9, 1},
		{0x2BEC, 0x2BEF, 1},
	},
	R32: []unicode.Range32{
		{0x1F800, 0x1F8FF, 1},
	},
}

// brackets are those beside Ps and Pe that pass for square ones.
var brackets = &unicode.RangeTable{
	R16: []unicode.Range16{
		{0x2045, 0x2046, 1},
		{0x2308, 0x230B, 1},
		{0x23A1, 0x23A6, 1},
		{0x27E6, 0x27E7, 1},
		{0x298B, 0x2990, 1},
		{0x2E55, 0x2E5C, 1},
		{0x301A, 0x301B, 1},
	},
}

// checkMarks bounds how many marks stand on a letter, and refuses those that stand on none: at the start of a name one
// would be drawn over whatever stands before the name. The marks of a composed letter count as soon as others follow, so
// that the bound is the same for á̂̃ however it is typed, and ᾧ passes.
func checkMarks(n string) *Refusal {
	run, based := 0, false
	for i, r := range n {
		switch {
		case r < 0x300 || !unicode.IsMark(r):
			run, based = marksOf(n[i:i+utf8.RuneLen(r)]), isLetterOrNumber(r)
			continue
		case !based:
			return &Refusal{Rule: RuleStrayMark, Bad: string(r)}
		case unicode.Is(unicode.Mc, r):
			run = 0
			continue
		}
		if run++; run > maxMarks {
			return &Refusal{Rule: RuleTooManyMarks, Bad: string(r)}
		}
	}
	return nil
}

// marksOf returns how many marks the letter is composed of.
func marksOf(letter string) int {
	marks := 0
	if len(letter) > 1 {
		for _, r := range string(norm.NFD.PropertiesString(letter).Decomposition()) {
			if unicode.In(r, unicode.Mn, unicode.Me) {
				marks++
			}
		}
	}
	return marks
}

func isLetterOrNumber(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }

// mixesScripts reports whether n is not highly restrictive: one script, or Latin with those of one East Asian language.
func mixesScripts(n string) bool {
	all := scriptSets[anyScript]
	withJapanese, withKorean, withBopomofo := true, true, true
	for _, r := range n {
		set := traitOf(r).scripts()
		isLatin := set.meets(latin)
		withJapanese = withJapanese && (isLatin || set.meets(japanese))
		withKorean = withKorean && (isLatin || set.meets(korean))
		withBopomofo = withBopomofo && (isLatin || set.meets(hanBopomofo))
		for i := range all {
			all[i] &= set[i]
		}
	}
	return all == scriptSet{} && !withJapanese && !withKorean && !withBopomofo
}

// mixesDirections reports whether n has right-to-left characters and breaks the Bidi Rule. That is a rule for labels of
// domains, which have no blanks: one blank stands for any neutral character here.
func mixesDirections(n string) bool {
	rightToLeft := strings.IndexFunc(n, func(r rune) bool {
		if r < 0x590 {
			return false
		}
		p, _ := bidi.LookupRune(r)
		return p.Class() == bidi.R || p.Class() == bidi.AL || p.Class() == bidi.AN
	})
	return rightToLeft >= 0 && !bidirule.ValidString(strings.ReplaceAll(n, " ", "_"))
}

func (r Rules) checkSize(typed string) *Refusal {
	graphemes, width := 0, 0
	for rest := typed; rest != ""; {
		g := cells.First(rest)
		graphemes, width, rest = graphemes+1, width+g.Width, rest[g.Bytes:]
	}
	switch {
	case graphemes > r.MaxGraphemes:
		return &Refusal{Rule: RuleTooManyGraphemes, Got: graphemes, Limit: r.MaxGraphemes}
	case width > r.MaxCells:
		return &Refusal{Rule: RuleTooManyCells, Got: width, Limit: r.MaxCells}
	}
	return nil
}

// trait is what the generated table says of a code point: an index in scriptSets, and flags.
type trait uint16

const (
	ignorable trait = 1 << 15 // Default_Ignorable
	historic  trait = 1 << 14 // Exclusion or Deprecated
	emoji     trait = 1 << 13

	flags = ignorable | historic | emoji
)

// anyScript is the index of the set that goes with every script.
const anyScript = 1

func traitOf(r rune) trait {
	i := sort.Search(len(traitFrom), func(i int) bool { return traitFrom[i] > uint32(r) })
	if i == 0 {
		return 0
	}
	return traits[i-1]
}

func (t trait) scripts() scriptSet { return scriptSets[t&^flags] }

func (s scriptSet) meets(other scriptSet) bool {
	for i := range s {
		if s[i]&other[i] != 0 {
			return true
		}
	}
	return false
}
