package identity

import (
	"slices"
	"strings"
	"sync"

	"golang.org/x/text/secure/precis"
	"golang.org/x/text/unicode/norm"
)

// Nickname is a checked name. Only [Rules.Parse] makes one; the zero Nickname is nobody's. Two are == if they were typed
// alike; whether two people can have them at the same time is a matter of their Keys.
type Nickname struct {
	typed, caseKey, skeleton string
}

// String returns the name as it was typed: valid UTF-8, not always normalised.
func (n Nickname) String() string { return n.typed }

// CaseKey is equal for names that differ in case, in how they are encoded or in marks that cannot be seen, and in nothing
// else.
func (n Nickname) CaseKey() string { return n.caseKey }

// Skeleton is equal for names that look alike. It is for comparing, never for showing.
func (n Nickname) Skeleton() string { return n.skeleton }

// Keys returns what a lease of the name has to hold, all or nothing: the case key and the skeleton, each behind a prefix
// that tells it from the other. Names of which one key is equal must not be worn by two people.
func (n Nickname) Keys() []string { return []string{"case:" + n.caseKey, "skel:" + n.skeleton} }

// Rules are the limits and the choices of a house. Every limit holds as it stands; there is no value for "no limit", and
// the zero Rules refuse every name. They may be used by several goroutines.
type Rules struct {
	// A name is measured as it was typed: in bytes of UTF-8, in grapheme clusters and in cells of a terminal.
	MaxBytes, MaxGraphemes, MaxCells int
	// AllowEmoji lets in emoji of one code point. Joined ones, and selectors of a style, stay out as invisible characters.
	AllowEmoji bool
	// Reserved names are refused, and whatever looks like one of them, also with blanks and . _ - ’ between; one that ends in * stands
	// for all that begin with it.
	Reserved []string
}

// DefaultRules returns the rules of a house that has configured nothing. Each call returns a list of its own.
func DefaultRules() Rules {
	return Rules{
		MaxBytes:     64,
		MaxGraphemes: 20,
		MaxCells:     20,
		Reserved: []string{
			"server", "system", "admin", "administrator", "root", "op", "operator", "mod", "moderator", "guest-*",
			"sarangbang", "lobby", "house", "everyone", "me", "you",
			"서버", "시스템", "관리자", "운영자", "손님-*", "사랑방", "로비", "모두", "나",
		},
	}
}

// Parse checks what somebody typed as a nickname. The error is always a *[Refusal]. Time and memory are bounded, however
// long or hostile typed is.
func (r Rules) Parse(typed string) (Nickname, error) {
	name, refusal := r.check(typed)
	if refusal != nil {
		refusal.Suggestion = r.suggest(typed, refusal, r.check)
		return Nickname{}, refusal
	}
	return name, nil
}

// check is Parse without a suggestion.
func (r Rules) check(typed string) (Nickname, *Refusal) {
	if strings.TrimSpace(typed) == "" {
		return Nickname{}, &Refusal{Rule: RuleEmpty}
	}
	if len(typed) > r.MaxBytes {
		return Nickname{}, &Refusal{Rule: RuleTooManyBytes, Got: len(typed), Limit: r.MaxBytes}
	}
	nfc := norm.NFC.String(typed)
	if refusal := r.checkCharacters(nfc); refusal != nil {
		return Nickname{}, refusal
	}
	if refusal := checkForm(nfc); refusal != nil {
		return Nickname{}, refusal
	}
	if refusal := checkContent(nfc); refusal != nil {
		return Nickname{}, refusal
	}
	if refusal := r.checkSize(typed); refusal != nil {
		return Nickname{}, refusal
	}
	name := Nickname{typed: typed, caseKey: caseKey(nfc), skeleton: skeleton(nfc)}
	if r.reserved(name.skeleton) {
		return Nickname{}, &Refusal{Rule: RuleReserved}
	}
	return name, nil
}

// maxRounds: RFC 8266, section 2.1, applies its rules until nothing changes, at most three times more than once.
const maxRounds = 4

// caseKey returns the case key of an accepted name in NFC. RFC 8266 lowers the case; case is folded first, because
// lowering alone keeps σ and ς, or ı and I, apart; and then marks that cannot be seen go, because İ is i and its dot.
func caseKey(nfc string) string {
	key := nfc
	for range maxRounds {
		next, err := precis.Nickname.CompareKey(withoutHiddenMarks(norm.NFD.String(strings.Map(fold, key))))
		if err != nil || next == key {
			break
		}
		key = next
	}
	return key
}

// separators are what a name can be taken apart with and still be read as before, as they are in skeletons.
const separators = " ._-'"

// reserved reports whether a name with that skeleton looks like a reserved one. The separators that the reserved one holds itself
// count: guest-* is not for everybody whose name begins with guest.
func (r Rules) reserved(skel string) bool {
	skel = loose(skel)
	return slices.ContainsFunc(r.Reserved, func(word string) bool { return readsAs(skel, reservedKey(word)) })
}

// readsAs reports whether a loose skeleton, without the separators that key does not hold, is key, or begins with what stands before
// the * at its end. It makes no other string: each name is held against each reserved one.
func readsAs(skel, key string) bool {
	name, isPrefix := strings.CutSuffix(key, "*")
	left := name
	for _, r := range skel {
		if left == "" && isPrefix {
			return true
		}
		if strings.ContainsRune(separators, r) && !strings.ContainsRune(name, r) {
			continue
		}
		rest, same := strings.CutPrefix(left, string(r))
		if !same {
			return false
		}
		left = rest
	}
	return left == ""
}

// reservedKeys caches reservedKey, which would take longer than all else in Parse. Its keys come from Rules.Reserved and
// from nowhere else, so the configuration bounds it.
var reservedKeys sync.Map

// reservedKey returns the loose skeleton of a reserved word, with its * if it has one.
func reservedKey(word string) string {
	if key, ok := reservedKeys.Load(word); ok {
		return key.(string) //nolint:forcetypeassert // nothing else is stored
	}
	key := loose(skeleton(word))
	reservedKeys.Store(word, key)
	return key
}

// loose reads a skeleton as somebody does who does not look closely: m as rn, 5 as s, and i as l. Capital I and 1 are l in a
// skeleton already, so that without the last ADM1N would not be admin.
func loose(skel string) string { return looseReplacer.Replace(skel) }

var looseReplacer = strings.NewReplacer("m", "rn", "5", "s", "i", "l")
