// Package identity reads what people and operators type to name somebody or something: nicknames, rooms, passwords, addresses
// and keys. It knows what each may be and when two of them are one.
//
// It owns the rules of nicknames, for every door and for configuration: [Rules.Parse] makes a [Nickname] of what somebody
// typed or refuses it with the rule that was broken and, where there is one, a name that would do. And it owns the two keys
// of a name that must be unique in the whole house, among those online, owned and held alike: the case key (RFC 8266: what
// differs in case, width or form only is one name) and the skeleton (UTS #39: what looks alike is one name).
//
// The names of rooms follow the same rules ([Rules.ParseRoom]). Passwords of rooms are kept as slow salted hashes
// ([HashPassword]). [ParsePrefix] and [ParseFingerprint] read whom an operator means by an address or by a key.
//
// It refuses to change a name: a name is stored and shown as it was typed, or refused. It does not know who wears which
// name, holds no list but that of the reserved names, reads no input, and keeps no password.
//
// The Unicode tables in tables.go are generated; internal/gen/testdata/README.md says from what and how.
//
// The package starts no goroutine. Everything in it may be called by several at once.
package identity

//go:generate go run ./internal/gen
