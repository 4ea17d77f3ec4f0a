package admission

import (
	"net/netip"
	"time"
)

// A table keeps something about each of a bounded number of addresses, for as long as it says anything. Its owner guards it.
type table[V any] struct {
	max     int
	create  func() V
	spent   func(v V, now time.Time) bool // v says nothing that a new one would not say
	entries map[netip.Prefix]V
}

func newTable[V any](size int, create func() V, spent func(V, time.Time) bool) *table[V] {
	return &table[V]{max: size, create: create, spent: spent, entries: map[netip.Prefix]V{}}
}

// at returns what is kept about an address, and begins to keep it. It is false when there is no place for another one.
func (t *table[V]) at(address netip.Prefix, now time.Time) (V, bool) {
	v, ok := t.entries[address]
	if ok {
		return v, true
	}
	t.sweep(now)
	if len(t.entries) >= t.max {
		return v, false
	}
	v = t.create()
	t.entries[address] = v
	return v, true
}

// sweep looks at a few entries, which the map picks at random, and drops the spent ones. Each newcomer removes more than
// itself on the average, so nobody ever has to walk the whole table.
func (t *table[V]) sweep(now time.Time) {
	looks := 8
	for address, v := range t.entries {
		if t.spent(v, now) {
			delete(t.entries, address)
		}
		if looks--; looks == 0 {
			return
		}
	}
}
