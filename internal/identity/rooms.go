package identity

import "strings"

// RoomName is the checked name of a room. Only [Rules.ParseRoom] makes one; the zero RoomName is no room's.
type RoomName struct{ name Nickname }

// String returns the name as it was typed, without its #.
func (n RoomName) String() string { return n.name.typed }

// CaseKey is equal for names that differ in case or in how they are encoded, and in nothing else. It is not empty, valid UTF-8,
// and without blanks, controls and + / # @ , so that it can end a subject (room/dev) or the user name of ssh (dev+kim).
func (n RoomName) CaseKey() string { return n.name.caseKey }

// Keys returns what a room must have alone among the rooms, as [Nickname.Keys] does for people: the case key first, then the
// skeleton. They look like those of nicknames: rooms and people need a table each.
func (n RoomName) Keys() []string { return n.name.Keys() }

// lobbyKey is the case key of the room where everybody starts.
const lobbyKey = "lobby"

// lobbyWords are what the room where everybody starts is called in the languages of the house.
var lobbyWords = []string{lobbyKey, "로비"}

// ParseRoom checks what somebody typed as the name of a room: a nickname by the same rules, behind a # or not, but without
// blanks, which end a name on every command line. Reserved names are kept from people, who could pass for the house, not from
// rooms; the lobby alone keeps what looks like it. The error is always a *[Refusal], whose suggestion is without the #. Time and
// memory are bounded, however long or hostile typed is.
func (r Rules) ParseRoom(typed string) (RoomName, error) {
	bare := strings.TrimPrefix(typed, "#")
	name, refusal := r.checkRoom(bare)
	if refusal != nil {
		refusal.Suggestion = r.suggest(bare, refusal, r.checkRoom)
		return RoomName{}, refusal
	}
	return RoomName{name}, nil
}

// checkRoom is ParseRoom without a # and without a suggestion.
func (r Rules) checkRoom(bare string) (Nickname, *Refusal) {
	r.Reserved = nil
	name, refusal := r.check(bare)
	if refusal != nil {
		return Nickname{}, refusal
	}
	if strings.Contains(bare, " ") { // check let no other blank through
		return Nickname{}, &Refusal{Rule: RuleBlankInside, Bad: " "}
	}
	r.Reserved = lobbyWords
	if name.caseKey != lobbyKey && r.reserved(name.skeleton) {
		return Nickname{}, &Refusal{Rule: RuleReserved}
	}
	return name, nil
}
