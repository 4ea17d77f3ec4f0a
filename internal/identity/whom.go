package identity

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// The widest prefixes that ParsePrefix takes: what the largest networks of one organisation have. Whatever is wider is a slip of the
// finger, and would shut out a part of the world.
const (
	WidestIPv4 = 8  // the legacy blocks of the IANA IPv4 address space registry, and 10.0.0.0/8 (RFC 1918)
	WidestIPv6 = 19 // what the largest access providers hold, such as 2003::/19
)

// What one address counts as.
const (
	countedIPv4 = 32
	countedIPv6 = 64 // the least that one subscriber has (RFC 6177), who can take any address in it at any time
)

// What ParsePrefix refuses beside a [WidePrefix], for callers that say it in words.
var (
	ErrNoPrefix = errors.New("not an IP address, nor one with a slash and a number of bits")
	ErrZone     = errors.New("an address with a zone means something else on every machine")
)

// WidePrefix is the error of ParsePrefix for a prefix that holds too many addresses.
type WidePrefix struct {
	Prefix netip.Prefix // as it was typed, masked
	Widest int          // the fewest bits that are possible: WidestIPv4 or WidestIPv6
}

func (e *WidePrefix) Error() string {
	return fmt.Sprintf("%v is wider than a /%d and would hit people all over the world", e.Prefix, e.Widest)
}

// Prefix returns what an address counts as: its /32 for IPv4, also when mapped into IPv6, its /64 for IPv6, without zone. The
// zero Addr counts as the zero Prefix, which contains nothing.
func Prefix(addr netip.Addr) netip.Prefix {
	addr = addr.Unmap().WithZone("")
	bits := countedIPv6
	if addr.Is4() {
		bits = countedIPv4
	}
	p, _ := addr.Prefix(bits) // fails for the zero Addr only
	return p
}

// ParsePrefix reads whom an operator means by an IPv4 or IPv6 address, or by one with the number of its leading bits that matter
// (CIDR). A bare address is what [Prefix] makes of it, and nothing is narrower than that: nobody stays on one IPv6 address. IPv4 that
// is mapped into IPv6 is IPv4. The prefix is masked. The error is [ErrNoPrefix], [ErrZone] or a *[WidePrefix].
//
// A prefix contains no address of the other kind, nor one that is mapped: compare it with what Prefix made of an address.
func ParsePrefix(typed string) (netip.Prefix, error) {
	left, right, sized := strings.Cut(strings.TrimSpace(typed), "/")
	addr, err := netip.ParseAddr(left)
	switch {
	case err != nil:
		return netip.Prefix{}, ErrNoPrefix
	case addr.Zone() != "":
		return netip.Prefix{}, ErrZone
	case !sized:
		return Prefix(addr), nil
	}
	bits, err := strconv.Atoi(right)
	if err != nil || strconv.Itoa(bits) != right || bits < 0 || bits > addr.BitLen() {
		return netip.Prefix{}, ErrNoPrefix
	}
	if addr.Is4In6() {
		addr, bits = addr.Unmap(), max(0, bits-96)
	}
	widest, narrowest := WidestIPv6, countedIPv6
	if addr.Is4() {
		widest, narrowest = WidestIPv4, countedIPv4
	}
	p, _ := addr.Prefix(min(bits, narrowest)) // the bits are within bounds
	if bits < widest {
		return netip.Prefix{}, &WidePrefix{Prefix: p, Widest: widest}
	}
	return p, nil
}

// fingerprintKind is how the fingerprints start that OpenSSH prints unless it is asked for others.
const fingerprintKind = "SHA256:"

// ParseFingerprint reads the fingerprint of a key as ssh-keygen -lf prints it: the whole line, with the bits, the comment and the
// type, or the fingerprint alone, with base64 padding or without. It returns it as the record of a key holds it: SHA256: and 43
// characters without padding, of which every case counts.
func ParseFingerprint(typed string) (string, bool) {
	typed = strings.TrimSpace(typed)
	if bits, rest, isLine := strings.Cut(typed, " "); isLine {
		if _, err := strconv.ParseUint(bits, 10, 16); err != nil || !endsInType(rest) {
			return "", false
		}
		typed, _, _ = strings.Cut(rest, " ")
	}
	sum, ok := strings.CutPrefix(typed, fingerprintKind)
	sum = strings.TrimSuffix(sum, "=")
	// Decoders skip line breaks, so that what they read says little about what was typed.
	raw, err := base64.RawStdEncoding.Strict().DecodeString(sum)
	if !ok || err != nil || len(raw) != sha256.Size || len(sum) != base64.RawStdEncoding.EncodedLen(sha256.Size) {
		return "", false
	}
	return fingerprintKind + sum, true
}

// endsInType reports whether the line ends in the type of a key, (ED25519), and is the only one: where there are several, none is
// meant more than the others.
func endsInType(line string) bool {
	return strings.Contains(line, " (") && strings.HasSuffix(line, ")") && !strings.ContainsAny(line, "\r\n")
}
