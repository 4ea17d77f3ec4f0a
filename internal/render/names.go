package render

import (
	"sync/atomic"
	"unicode/utf8"

	"sarangbang/room"
)

// Name is a nickname to be looked for in many lines.
type Name struct {
	nick    string
	letters letters
}

// NameOf makes it.
func NameOf(nick room.Nick) Name { return Name{string(nick), lettersOf(string(nick))} }

// letters is which letters, and which pairs of letters next to each other, a text may have in it, whatever their case and width: what
// has a nickname in it has all of the nickname's.
type letters [8]uint64

func lettersOf(text string) (all letters) {
	last := rune(-1)
	for _, r := range text {
		if r < utf8.RuneSelf {
			if 'A' <= r && r <= 'Z' {
				r += 'a' - 'A'
			}
		} else {
			r = fold(r)
		}
		all.add(uint64(r))
		if last >= 0 {
			all.add(uint64(last)<<21 | uint64(r))
		}
		last = r
	}
	return all
}

func (l *letters) add(n uint64) {
	n = n * 0x9E3779B97F4A7C15 >> 55 // Fibonacci hashing: Knuth, The Art of Computer Programming 3, 6.4
	l[n/64] |= 1 << (n % 64)
}

func (l *letters) have(others *letters) bool {
	for i := range l {
		if l[i]&others[i] != others[i] {
			return false
		}
	}
	return true
}

// spelled is what was found out about a line once for all readers.
type spelled struct {
	event   *room.Event
	letters letters
}

// Names says whether what somebody said names a reader, as [Mention] does; of most lines it knows without reading them again. text is
// the event's.
func (s *Shared) Names(e *room.Event, text room.Text, n *Name) bool {
	if n.nick == "" {
		return false
	}
	if sp := s.spelling(e, text); !sp.letters.have(&n.letters) {
		return false
	}
	from, _ := Mention(text.String(), n.nick)
	return from >= 0
}

func (s *Shared) spelling(e *room.Event, text room.Text) *spelled {
	kept := &s.spelled[uint64(e.Seq)%sharedEvents]
	sp := kept.Load()
	if sp == nil || sp.event != e {
		sp = &spelled{e, lettersOf(text.String())}
		kept.Store(sp)
	}
	return sp
}

// spelledSlots are those of a Shared.
type spelledSlots [sharedEvents]atomic.Pointer[spelled]
