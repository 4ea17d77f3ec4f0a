package command

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"time"

	"sarangbang/internal/i18n"
	"sarangbang/internal/identity"
	"sarangbang/room"
)

// This file finds out whom a bar is to mean.

// barring reads the bar that a caller wants.
func (c *Call) barring(mute bool) (b room.Bar, err error) {
	where, rest, err := c.place()
	if err != nil {
		return b, err
	}
	if rest == "" {
		row, _ := Find(c.Name)
		return b, c.usage(row)
	}
	b = room.Bar{Mute: mute, Where: where, By: c.as(), At: time.Now()}
	if c.With["house"] {
		b.Where = room.HouseSubject
		if err := c.must(room.DeedHouseBan, where, "--house"); err != nil {
			return b, err
		}
	}
	if rest, err = c.aim(&b, rest, c.With["address"]); err != nil {
		return b, err
	}
	otherwise := banFor
	if mute {
		otherwise = muteFor
	}
	if b.Until, rest, err = untilWhen(rest, otherwise, b.At); err != nil {
		return b, err
	}
	b.Reason, err = c.reason(rest)
	return b, err
}

// aim says whom a bar means by the beginning of rest, and returns what stands behind it. What is about keys or addresses holds for the
// whole house: it is no person of one room.
func (c *Call) aim(b *room.Bar, rest string, address bool) (after string, err error) {
	asked := b.Where
	word, after, _ := strings.Cut(rest, " ")
	if key, ok := identity.ParseFingerprint(word); ok {
		b.Label, b.Target.Keys, b.Where = key, []string{key}, room.HouseSubject
		return after, c.must(room.DeedHouseBan, asked, "SHA256:…")
	}
	net, err := identity.ParsePrefix(word)
	if wide, ok := errors.AsType[*identity.WidePrefix](err); ok {
		return after, fail(i18n.BarWide, wide.Prefix, wide.Widest)
	}
	if errors.Is(err, identity.ErrZone) {
		return after, fail(i18n.BarZone, shorten(word))
	}
	if err == nil {
		b.Label, b.Target.Nets, b.Where = called(net), []netip.Prefix{net}, room.HouseSubject
		return after, c.must(room.DeedAddresses, asked, "ADDRESS")
	}
	if address {
		b.Where = room.HouseSubject
		if err := c.must(room.DeedAddresses, asked, "--address"); err != nil {
			return after, err
		}
	}
	nick, after := cutNick(rest, func(nick string) bool { _, _, ok := c.target(nick); return ok })
	target, addrs, ok := c.target(nick)
	if !ok {
		return after, fail(i18n.BarNobody, shorten(nick))
	}
	b.Label, b.Target = nick, target
	if !address {
		return after, nil
	}
	for _, a := range addrs {
		if p := identity.Prefix(a); !slices.Contains(b.Target.Nets, p) {
			b.Target.Nets = append(b.Target.Nets, p)
		}
	}
	if len(b.Target.Nets) == 0 {
		return after, fail(i18n.BarNoAddress, nick)
	}
	return after, nil
}

// called is what people call a network: one address of IPv4 is called by that alone.
func called(net netip.Prefix) string {
	if net.Addr().Is4() && net.IsSingleIP() {
		return net.Addr().String()
	}
	return net.String()
}

// target finds everything about who wears a nickname: somebody who is here, or else whose it is, or else who wore it in the last day.
// The name itself is a part of it, so that nobody comes back under it with no key.
func (c *Call) target(nick string) (t room.Target, addrs []netip.Addr, ok bool) {
	n, ok := c.nickname(nick)
	if !ok {
		return t, nil, false
	}
	name := n.Keys()[0]
	who, found := c.person(nick)
	if found {
		looks := c.House.Looks(who)
		t.Persons, t.Keys, addrs = []room.PersonID{who.ID}, looks.Keys, looks.Addrs
	}
	seen := c.House.Sightings(func(s room.Sighting) bool {
		if found {
			return s.Person.ID == who.ID
		}
		return slices.Contains(s.Names, name)
	})
	for _, s := range seen {
		if !found { // who wore it, and whom they proved to be
			t.Persons, t.Keys = append(t.Persons, s.Person.ID), append(t.Keys, s.Person.Key)
		}
		if !slices.Contains(addrs, s.Addr) {
			addrs = append(addrs, s.Addr)
		}
	}
	t.Names = n.Keys()
	t.Keys = slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(t.Keys))), func(k string) bool { return k == "" })
	t.Persons = slices.Compact(slices.Sorted(slices.Values(t.Persons)))
	return t, addrs, found || len(seen) > 0
}

// fingerprintAndPrefix reads a key or an address; empty and invalid for what is none.
func fingerprintAndPrefix(typed string) (key string, net netip.Prefix) {
	key, _ = identity.ParseFingerprint(typed)
	net, err := identity.ParsePrefix(typed)
	if err != nil {
		net = netip.Prefix{}
	}
	return key, net
}
