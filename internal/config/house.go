package config

import (
	"slices"

	"sarangbang/internal/identity"
	"sarangbang/room"
)

// History is the [history] table of the TOML file: what is kept of what was said. Zero keeps for ever.
type History struct {
	KeepDays  int // lines and direct messages younger than so many days
	KeepLines int // the newest lines, of all rooms together, and the newest direct messages
}

// historyKeys are the rows of the [history] table.
func historyKeys() []key {
	return []key{
		number("history.keep_days", 0, 0, 36_500, func(s *Settings) *int { return &s.History.KeepDays },
			"lines and direct messages older than so many days are removed for good; 0 keeps them"),
		number("history.keep_lines", 0, 0, 1_000_000_000, func(s *Settings) *int { return &s.History.KeepLines },
			"more lines and direct messages than so many are kept by removing the oldest for good; 0 keeps them"),
	}
}

// Operators is the [operators] table of the TOML file.
type Operators struct {
	Keys []string // SHA256 fingerprints as room.Person has them, sorted, each once
}

// maxOperators bounds what is looked through whenever somebody comes in, and stands in one record.
const maxOperators = 100

// operatorKeys are the rows of the [operators] table.
func operatorKeys() []key {
	keys := list(identity.ParseFingerprint, func(t string) string { return t }, func(s *Settings) *[]string { return &s.Operators.Keys })
	return []key{{
		name: "operators.keys", byDefault: []any{}, live: true,
		accepts: `a list of at most 100 fingerprints as ssh-keygen -lf prints them, "SHA256:" and 43 characters`,
		doc:     "whoever proves one of these keys is an operator",
		access: access{
			set: func(s *Settings, value any) any {
				if given, ok := value.([]any); ok && len(given) > maxOperators {
					return value
				}
				if bad := keys.set(s, value); bad != nil {
					return bad
				}
				slices.Sort(s.Operators.Keys)
				s.Operators.Keys = slices.Compact(s.Operators.Keys)
				return nil
			},
			get: keys.get,
		},
	}}
}

// House is the [house] table of the TOML file.
type House struct {
	Contact room.Text // whom a banned person can ask; empty for nobody
}

var contactLimits = room.TextLimits{Bytes: 200, Lines: 1}

// houseKeys are the rows of the [house] table.
func houseKeys() []key {
	return []key{{
		name: "house.contact", byDefault: "", live: true,
		accepts: "one line of at most 200 bytes, without control characters",
		doc:     "whom a banned person can ask, such as an address for mail; nobody if it is empty",
		access: access{
			set: func(s *Settings, value any) any {
				given, ok := value.(string)
				contact, err := room.Clean(given, contactLimits)
				if !ok || err != nil || contact.String() != given || given != "" && contact.Empty() {
					return value
				}
				s.House.Contact = contact
				return nil
			},
			get: func(s *Settings) any { return s.House.Contact.String() },
		},
	}}
}
