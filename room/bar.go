package room

import (
	"net/netip"
	"slices"
	"time"
)

// A Bar keeps people from speaking, or out altogether, in one room or in the whole house: whoever it [Bar.Hits], until it ends. Its
// room is the subject of its record.
type Bar struct {
	ID     ID        // of the record that set it
	Mute   bool      // they may stay and read; else they are put out and kept out
	Target Target    // whom
	Label  string    // what people call the target: a nickname, "SHA256:…" or an address
	Reason Text      // told to those whom it hits, and to the room; empty for none
	Until  time.Time // zero for ever
	Where  Subject   // a room, or HouseSubject
	By     Person    // who set it
	At     time.Time // when
}

// A Target says whom a bar means: everybody whom any of its parts names.
type Target struct {
	Persons []PersonID
	Keys    []string       // fingerprints, as ssh-keygen -lf prints them
	Names   []string       // as in a [Claim]: case keys and skeletons
	Nets    []netip.Prefix // addresses
}

// Empty says that nobody is meant.
func (t Target) Empty() bool {
	return len(t.Persons)+len(t.Keys)+len(t.Names)+len(t.Nets) == 0
}

// A Seeker is somebody as bars see them.
type Seeker struct {
	Person PersonID // empty for nobody yet
	Keys   []string // that they proved, or that open their account
	Names  []string // that they wear
	Addrs  []netip.Addr
}

// Hits says that the target means the seeker.
func (t Target) Hits(s Seeker) bool {
	return s.Person != "" && slices.Contains(t.Persons, s.Person) || meet(t.Keys, s.Keys) || meet(t.Names, s.Names) ||
		slices.ContainsFunc(s.Addrs, func(a netip.Addr) bool {
			return slices.ContainsFunc(t.Nets, func(n netip.Prefix) bool { return n.Contains(a.Unmap()) })
		})
}

// meet says that the lists have something in common.
func meet(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return s != "" && slices.Contains(b, s) })
}

// over says that the bar has ended by then.
func (b *Bar) over(now time.Time) bool { return !b.Until.IsZero() && !now.Before(b.Until) }

// outlasts says that somebody whom both bars hit is to be told this one: it keeps them out and the other silent, or it ends later. Any
// outlasts none.
func (b *Bar) outlasts(other *Bar) bool {
	switch {
	case other == nil || b.Mute != other.Mute:
		return other == nil || other.Mute
	case b.Until.IsZero() || other.Until.IsZero():
		return !other.Until.IsZero()
	default:
		return b.Until.After(other.Until)
	}
}

// covers says that the bar holds in a room.
func (b *Bar) covers(where Subject) bool { return b.Where == HouseSubject || b.Where == where }
