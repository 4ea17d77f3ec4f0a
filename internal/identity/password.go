package identity

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/secure/precis"
)

// The bounds of a password, in the form of RFC 8265.
const (
	MinPassword = 8   // characters: NIST SP 800-63B (revision 3), section 5.1.1.2, where each code point counts as one
	MaxPassword = 128 // bytes: all of the 64 ASCII characters that the same section wants possible, or 42 Hangul syllables
)

// What HashPassword refuses, for callers that say it in words.
var (
	ErrPasswordShort = errors.New("password has less than 8 characters")
	ErrPasswordLong  = errors.New("password has more than 128 bytes")
	ErrPasswordText  = errors.New("password holds characters that cannot be typed alike everywhere (RFC 8265, section 4.2)")
)

// How a password is hashed. A stored hash names its own rounds, so that more can be taken later.
const (
	hashName    = "pbkdf2-sha256"
	hashRounds  = 600_000        // OWASP Password Storage Cheat Sheet, PBKDF2-HMAC-SHA256
	leastRounds = 1_000          // RFC 8018, section 4.2
	mostRounds  = 4 * hashRounds // of a record from elsewhere: checking it takes four times as long as ours, not minutes
	saltBytes   = 16             // NIST SP 800-132, section 5.1
	keyBytes    = sha256.Size    // one block: more would cost us, and nobody who guesses
)

// HashPassword returns what to keep of a password: pbkdf2-sha256$ROUNDS$SALT$KEY, the last two in base64 without padding. Each
// call returns another one. The error is [ErrPasswordShort], [ErrPasswordLong] or [ErrPasswordText]. It keeps a processor busy for
// a tenth of a second or more: no lock may be held, and callers bound how often people make them wait.
func HashPassword(password string) (string, error) {
	opaque, err := opaqueString(password)
	if err != nil {
		return "", err
	}
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt) // crypto/rand never fails: it ends the program instead
	h := passwordHash{rounds: hashRounds, salt: salt}
	if h.key, err = h.derive(opaque); err != nil {
		return "", err
	}
	return h.String(), nil
}

// CheckPassword reports whether hash was made of password, however that was encoded when it was typed. What is no hash matches
// nothing. It takes as long as HashPassword, by the rounds of the hash up to four times as long, and next to nothing where one of
// the two is impossible.
func CheckPassword(hash, password string) bool {
	h, ok := parsePasswordHash(hash)
	if !ok {
		return false
	}
	opaque, err := opaqueString(password)
	if err != nil {
		return false
	}
	key, err := h.derive(opaque)
	return err == nil && subtle.ConstantTimeCompare(key, h.key) == 1
}

// opaqueString returns the password in the form of RFC 8265, in which it is the same from every keyboard: in NFC, with plain
// blanks.
func opaqueString(password string) (string, error) {
	const shrinks = 3 // the form takes a third of the bytes at the least: three jamo become a syllable, U+3000 a blank
	if len(password) > shrinks*MaxPassword {
		return "", ErrPasswordLong
	}
	if strings.ContainsRune(password, utf8.RuneError) { // or bytes that are no UTF-8: all broken text would be one password
		return "", ErrPasswordText
	}
	if password == "" {
		return "", ErrPasswordShort
	}
	opaque, err := precis.OpaqueString.String(password)
	switch {
	case err != nil:
		return "", ErrPasswordText
	case utf8.RuneCountInString(opaque) < MinPassword:
		return "", ErrPasswordShort
	case len(opaque) > MaxPassword:
		return "", ErrPasswordLong
	}
	return opaque, nil
}

type passwordHash struct {
	rounds    int
	salt, key []byte
}

// derive fails only where the machine forbids PBKDF2.
func (h passwordHash) derive(opaque string) ([]byte, error) {
	return pbkdf2.Key(sha256.New, opaque, h.salt, h.rounds, keyBytes)
}

func (h passwordHash) String() string {
	b64 := base64.RawStdEncoding
	return strings.Join([]string{hashName, strconv.Itoa(h.rounds), b64.EncodeToString(h.salt), b64.EncodeToString(h.key)}, "$")
}

// parsePasswordHash reads what String wrote, and nothing else.
func parsePasswordHash(s string) (h passwordHash, ok bool) {
	const longest = len(hashName) + len("$2400000$") + saltBytes*2 + len("$") + keyBytes*2
	if len(s) > longest {
		return h, false
	}
	fields := strings.Split(s, "$")
	if len(fields) != 4 {
		return h, false
	}
	h.rounds, _ = strconv.Atoi(fields[1]) // what is no number is too few
	h.salt, _ = base64.RawStdEncoding.DecodeString(fields[2])
	h.key, _ = base64.RawStdEncoding.DecodeString(fields[3])
	return h, leastRounds <= h.rounds && h.rounds <= mostRounds && len(h.salt) == saltBytes && len(h.key) == keyBytes &&
		h.String() == s
}
