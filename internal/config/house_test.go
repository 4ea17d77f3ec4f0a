package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Fingerprints of keys that nobody has.
const (
	kimsKey = "SHA256:UaOTVe4A4UqIGMwIDst3ChL0T3zwwWf+symA4jy3kuU"
	leesKey = "SHA256:+lJEPurEyO/6yYpIToviYPOsBzvq9l2Qpn0UXnlWNA8"
)

func TestOperatorsAreASetOfFingerprints(t *testing.T) {
	tests := []struct {
		name, keys string
		want       []string
	}{
		{"nobody", `[]`, []string{}},
		{"as printed", `["` + kimsKey + `"]`, []string{kimsKey}},
		{"padded", `["` + kimsKey + `="]`, []string{kimsKey}},
		{"with blanks around", `[" ` + kimsKey + `\n"]`, []string{kimsKey}},
		{"whole line", `["256 ` + kimsKey + ` kim@home (laptop) (ED25519)\n"]`, []string{kimsKey}},
		{"whole line, no comment", `["4096 ` + kimsKey + ` no comment (RSA)"]`, []string{kimsKey}},
		{"whole line, empty comment", `["256 ` + kimsKey + `  (ED25519)"]`, []string{kimsKey}},
		{"comment like a fingerprint", `["256 ` + kimsKey + ` ` + leesKey + ` (ED25519)"]`, []string{kimsKey}},
		{"in any order, each once", `["` + kimsKey + `", "` + leesKey + `", "256 ` + kimsKey + ` again (ED25519)"]`, []string{leesKey, kimsKey}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := load(t, "[operators]\nkeys = "+tt.keys+"\n").Operators.Keys; !slices.Equal(got, tt.want) {
				t.Errorf("operators = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestWhatIsNoFingerprintIsNoOperator(t *testing.T) {
	for _, item := range []string{
		"", " ", "kim", "SHA256:", strings.TrimPrefix(kimsKey, "SHA256:"), "sha256:" + kimsKey[7:],
		kimsKey[:len(kimsKey)-1], kimsKey + "A", kimsKey + "==", kimsKey[:len(kimsKey)-1] + "V", // the last one has bits beyond the sum
		strings.Replace(kimsKey, "+", "-", 1), kimsKey + " kim", "256 " + kimsKey, kimsKey + " kim (ED25519)",
		"256 " + kimsKey + " kim ED25519", "many " + kimsKey + " kim (ED25519)",
		"256 " + kimsKey + " kim (ED25519)\n256 " + leesKey + " lee (ED25519)", // takes the second for nothing
		"256 MD5:08:b6:11:9c:01:c1:82:3f:45:3f:07:05:a2:de:af:64 kim (ECDSA)",
		"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE8uyVb0Gx1S2UYQXPFqSxgqZ3XU0oGvD5Hk1fH1eVbH kim@home",
	} {
		if bad := operatorKeys()[0].set(defaults(), []any{kimsKey, item}); bad != item {
			t.Errorf("operators.keys with %q: %v does not work, want %q named", item, bad, item)
		}
	}
	if bad := operatorKeys()[0].set(defaults(), []any{kimsKey, int64(5)}); bad != int64(5) {
		t.Errorf("operators.keys with 5: %v does not work, want 5 named", bad)
	}
}

func TestOperatorsAreAHundredAtMost(t *testing.T) {
	keys := make([]any, maxOperators+1)
	for i := range keys {
		keys[i] = fmt.Sprintf("SHA256:%03dA%s", i, strings.Repeat("A", 39))
	}
	s := defaults()
	if bad := operatorKeys()[0].set(s, keys[:maxOperators]); bad != nil || len(s.Operators.Keys) != maxOperators {
		t.Errorf("%d operators: %v does not work, %d taken; want all", maxOperators, bad, len(s.Operators.Keys))
	}
	if bad := operatorKeys()[0].set(s, keys); bad == nil {
		t.Errorf("%d operators are accepted, want at most %d", len(keys), maxOperators)
	}
}

func TestContactIsOneCleanLine(t *testing.T) {
	set := houseKeys()[0].set
	for _, contact := range []string{
		"", "kim", "김하나 <hana@example.org>", "می\u200cخواهم", "👩\u200d🚀 kim", "עזרה: kim@example.org", strings.Repeat("x", 200), strings.Repeat("김", 66),
	} {
		s := defaults()
		if bad := set(s, contact); bad != nil || s.House.Contact.String() != contact {
			t.Errorf("contact %q became %q, %v does not work; want it as it is", contact, s.House.Contact, bad)
		}
	}
	for _, contact := range []any{
		" ", "\u3164", "a\nb", "kim\n", "a\tb", "\x1b[31mkim", "kim\u202e", "kim\u200b", "\u2028", "\ufeffkim", "a\x00", "\x9b2J", "\xff",
		strings.Repeat("x", 201), strings.Repeat("김", 67), int64(5), true,
		[]any{"kim"},
		map[string]any{},
	} {
		s := defaults()
		if bad := set(s, contact); bad == nil {
			t.Errorf("contact %#v became %q, want it refused", contact, s.House.Contact)
		}
	}
}
