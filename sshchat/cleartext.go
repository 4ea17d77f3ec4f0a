package sshchat

import (
	"encoding/binary"
	"errors"
)

// Message numbers of RFC 4253, section 12, and RFC 5656, section 4. The three key exchanges that are offered use the same two.
const (
	msgNewKeys       = 21
	msgExchangeInit  = 30
	msgExchangeReply = 31
)

// headBytes is the head of a packet in the clear: its length, the length of its padding, the type of its message (RFC 4253,
// section 6).
const (
	headBytes = 6
	typeAt    = headBytes - 1
)

// cleartext follows what a peer sends before its packets are encrypted: a version line, then packets up to NEWKEYS. The library
// reads the same bytes, after this has seen them.
type cleartext struct {
	line  int             // bytes of the version line so far; the library refuses more than 255
	named bool            // it is complete
	head  [headBytes]byte // of the packet under way
	have  int             // how much of the head is there
	rest  int64           // what follows the head and has not come yet
}

// seen is what has become complete.
type seen struct {
	version  bool // the version line
	exchange bool // a message that the server answers with a key exchange of its own: much to compute
	newKeys  bool // the last packet in the clear
}

var errNoVersion = errors.New("the peer does not speak SSH")

// feed takes the next bytes in. It refuses what cannot be an SSH client at the first byte that shows it: a client sends its
// version line before anything else, while the library would read on through a thousand lines.
func (t *cleartext) feed(p []byte) (seen, error) {
	var s seen
	for len(p) > 0 && !s.newKeys {
		switch {
		case !t.named:
			const start = "SSH-"
			if t.line < len(start) && p[0] != start[t.line] {
				return s, errNoVersion
			}
			t.line++
			t.named = p[0] == '\n'
			s.version = s.version || t.named
			p = p[1:]
		case t.have < headBytes:
			n := copy(t.head[t.have:], p)
			p = p[n:]
			if t.have += n; t.have == headBytes {
				// The length counts all behind itself. A wrong one is the library's to refuse; here it must only not run backwards.
				t.rest = max(0, int64(binary.BigEndian.Uint32(t.head[:]))-(headBytes-4))
				t.complete(&s)
			}
		default:
			n := min(t.rest, int64(len(p)))
			p = p[n:]
			t.rest -= n
			t.complete(&s)
		}
	}
	return s, nil
}

// complete notes a packet that has come to its end.
func (t *cleartext) complete(s *seen) {
	if t.rest > 0 {
		return
	}
	t.have = 0
	switch t.head[typeAt] {
	case msgExchangeInit:
		s.exchange = true
	case msgNewKeys:
		s.newKeys = true
	}
}
