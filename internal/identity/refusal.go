package identity

import (
	"fmt"
	"strings"

	"golang.org/x/text/secure/precis"
	"golang.org/x/text/unicode/norm"

	"sarangbang/internal/cells"
)

// Rule says why a name was refused.
type Rule int

// The rules, in the order in which they are looked at.
const (
	RuleEmpty               Rule = iota + 1 // nothing, or blanks alone
	RuleTooManyBytes                        // longer than Rules.MaxBytes
	RuleBrokenText                          // not UTF-8, or with the mark of a text that was not
	RuleEmoji                               // an emoji, where the house does not allow them
	RuleControlCharacter                    // controls, line and paragraph separators
	RuleInvisibleCharacter                  // what shows nothing: zero-width, bidi controls, selectors, fillers
	RulePrivateCharacter                    // private use: it means something else on every machine
	RuleUnassignedCharacter                 // no character, or one that is newer than this program
	RuleLoneJamo                            // a Hangul letter that is part of no syllable
	RuleMisplacedCharacter                  // what PRECIS (RFC 8264) allows nowhere, or in another context
	RuleStrayBlanks                         // blanks at an end, two in a row, or blanks that are not U+0020
	RuleNotCanonical                        // a form of the name that has another spelling: full-width, ligatures, …
	RuleForbiddenCharacter                  // + # @ , / [ ] → and what looks like them, anywhere
	RuleForbiddenFirst                      // a first character that means something to a command line or a room
	RuleStrayMark                           // a mark that stands on no letter or number
	RuleTooManyMarks                        // more than two marks in a row
	RuleHistoricLetter                      // of a script or spelling that is out of use (UTS #39: Exclusion, Deprecated)
	RuleNoLetter                            // no letter and no number
	RuleMixedScripts                        // not "highly restrictive" (UTS #39, section 5.2)
	RuleMixedDirection                      // right-to-left letters in a name that breaks the Bidi Rule (RFC 5893)
	RuleTooManyGraphemes                    // more than Rules.MaxGraphemes
	RuleTooManyCells                        // wider than Rules.MaxCells
	RuleBlankInside                         // a blank in the name of a room
	RuleReserved                            // a reserved name, or one that looks like it
)

var slugs = [...]string{
	RuleEmpty:               "empty",
	RuleTooManyBytes:        "too-many-bytes",
	RuleBrokenText:          "broken-text",
	RuleEmoji:               "emoji",
	RuleControlCharacter:    "control-character",
	RuleInvisibleCharacter:  "invisible-character",
	RulePrivateCharacter:    "private-character",
	RuleUnassignedCharacter: "unassigned-character",
	RuleLoneJamo:            "lone-jamo",
	RuleMisplacedCharacter:  "misplaced-character",
	RuleStrayBlanks:         "stray-blanks",
	RuleNotCanonical:        "not-canonical",
	RuleForbiddenCharacter:  "forbidden-character",
	RuleForbiddenFirst:      "forbidden-first",
	RuleStrayMark:           "stray-mark",
	RuleTooManyMarks:        "too-many-marks",
	RuleHistoricLetter:      "historic-letter",
	RuleNoLetter:            "no-letter",
	RuleMixedScripts:        "mixed-scripts",
	RuleMixedDirection:      "mixed-direction",
	RuleTooManyGraphemes:    "too-many-graphemes",
	RuleTooManyCells:        "too-many-cells",
	RuleBlankInside:         "blank-inside",
	RuleReserved:            "reserved",
}

// String returns the rule's slug: lower case, with hyphens, and the same for ever, because catalogs and metrics use it.
func (r Rule) String() string {
	if r <= 0 || int(r) >= len(slugs) {
		return fmt.Sprintf("rule-%d", int(r))
	}
	return slugs[r]
}

// AllRules returns every rule once, in the order in which they are looked at.
func AllRules() []Rule {
	rules := make([]Rule, 0, len(slugs)-1)
	for r := RuleEmpty; int(r) < len(slugs); r++ {
		rules = append(rules, r)
	}
	return rules
}

// Refusal is the error of [Rules.Parse] and [Rules.ParseRoom]: why a name was refused, and what would do instead. People are told in their own
// language; Error is for logs and tests.
type Refusal struct {
	Rule Rule
	// Suggestion is a name that obeys the rules, "" if none suggests itself. Whether it is free is another question.
	Suggestion string
	// Got and Limit are set for the three limits of size.
	Got, Limit int
	// Bad is what must go, if that is one thing: a character, a cluster, or neighbouring jamo. It is as hostile as the name
	// was: a control character or an invisible one is named by its code point, never shown.
	Bad string
}

// Error names the rule and the offender, quoted.
func (e *Refusal) Error() string {
	switch {
	case e.Limit > 0:
		return fmt.Sprintf("name refused: %s: %d of at most %d", e.Rule, e.Got, e.Limit)
	case e.Bad != "":
		return fmt.Sprintf("name refused: %s: %+q", e.Rule, e.Bad)
	default:
		return "name refused: " + e.Rule.String()
	}
}

// maxMends bounds what a refusal costs: each mend is followed by a whole check.
const maxMends = 8

// suggest mends a name that check refused, one broken rule after the other, until it obeys them all.
func (r Rules) suggest(name string, refusal *Refusal, check func(string) (Nickname, *Refusal)) string {
	for range maxMends {
		if name = r.mend(name, refusal); name == "" {
			return ""
		}
		if _, refusal = check(name); refusal == nil {
			return name
		}
	}
	return ""
}

// mend removes the cause of the refusal, and perhaps nothing else; "" means that the name is beyond mending.
func (r Rules) mend(name string, refusal *Refusal) string {
	switch refusal.Rule {
	case RuleTooManyBytes, RuleTooManyGraphemes, RuleTooManyCells:
		return r.cut(name)
	case RuleBrokenText:
		return strings.ReplaceAll(strings.ToValidUTF8(name, ""), "\uFFFD", "")
	case RuleStrayBlanks, RuleNotCanonical:
		n, _ := precis.Nickname.String(name) // it was accepted by checkForm
		return n
	case RuleForbiddenFirst:
		return strings.TrimPrefix(norm.NFC.String(name), refusal.Bad)
	case RuleBlankInside:
		return strings.ReplaceAll(name, " ", "-")
	case RuleMixedScripts:
		return latinised(norm.NFC.String(name))
	default:
		if refusal.Bad == "" {
			return ""
		}
		return strings.ReplaceAll(norm.NFC.String(name), refusal.Bad, "")
	}
}

// cut returns the longest beginning of name, in whole clusters, that is within the limits of size. Blanks before it do not
// count; one at its end is left for the next mend.
func (r Rules) cut(name string) string {
	name = strings.TrimSpace(name)
	end, graphemes, width := 0, 0, 0
	for end < len(name) {
		g := cells.First(name[end:])
		graphemes, width = graphemes+1, width+g.Width
		if end+g.Bytes > r.MaxBytes || graphemes > r.MaxGraphemes || width > r.MaxCells {
			break
		}
		end += g.Bytes
	}
	return name[:end]
}

// latinised writes the Latin letter for each letter of another script that looks like one.
func latinised(name string) string {
	return strings.Map(func(r rune) rune {
		if traitOf(r).scripts().meets(latin) {
			return r
		}
		if p := prototypeOf(r); len(p) == 1 {
			return rune(p[0])
		}
		return r
	}, name)
}
