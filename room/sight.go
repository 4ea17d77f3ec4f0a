package room

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// A Sighting is that somebody was here, by an address, at a time: what a bar by that address would have hit.
type Sighting struct {
	Person Person
	Names  []string // of the nickname
	Addr   netip.Addr
	At     time.Time // the last time
}

const (
	// SightedFor is how long it is known who was here.
	SightedFor = 24 * time.Hour
	// maxSights is how many sightings are kept; the oldest go first.
	maxSights = 20_000
)

// sights are the sightings of the last day. They belong to the house.
type sights struct {
	of      map[PersonID][]Sighting // one for each address
	by      map[string][]PersonID   // whom a key was seen as; there may be somebody left who has no sighting by it any more
	n       int
	changed map[PersonID]bool // since they were saved; nil where nothing saves them
}

func newSights() sights { return sights{of: map[PersonID][]Sighting{}, by: map[string][]PersonID{}} }

// see notes that somebody came.
func (s *sights) see(e *Event, b Joined) {
	if addr, err := netip.ParseAddr(b.Addr); err == nil {
		s.put(Sighting{Person: e.From, Names: b.Names, Addr: addr, At: e.At})
	}
}

// leave notes that somebody was here by an address until now.
func (s *sights) leave(id PersonID, addr string, now time.Time) {
	for i := range s.of[id] {
		if seen := &s.of[id][i]; seen.Addr.String() == addr {
			seen.At = now
			s.note(id)
		}
	}
}

func (s *sights) note(id PersonID) {
	if s.changed != nil {
		s.changed[id] = true
	}
}

// age forgets what is older than a day.
func (s *sights) age(now time.Time) {
	had := s.n
	for id, some := range s.of {
		kept := slices.DeleteFunc(some, func(seen Sighting) bool { return now.Sub(seen.At) > SightedFor })
		if gone := len(some) - len(kept); gone > 0 {
			s.n -= gone
			s.note(id)
			if s.of[id] = kept; len(kept) == 0 {
				delete(s.of, id)
			}
		}
	}
	if s.n < had {
		s.index()
	}
}

func (s *sights) put(seen Sighting) {
	id := seen.Person.ID
	s.note(id)
	for i, old := range s.of[id] {
		if old.Addr == seen.Addr {
			s.of[id][i] = seen
			s.known(seen.Person)
			return
		}
	}
	if s.n >= maxSights {
		s.prune(seen.At, maxSights*9/10)
	}
	s.of[id] = append(s.of[id], seen)
	s.n++
	s.known(seen.Person)
}

// known notes whom a key was seen as.
func (s *sights) known(who Person) {
	if who.Key != "" && !slices.Contains(s.by[who.Key], who.ID) {
		s.by[who.Key] = append(s.by[who.Key], who.ID)
	}
}

// index finds out anew whom each key was seen as.
func (s *sights) index() {
	clear(s.by)
	for _, some := range s.of {
		for i := range some {
			s.known(some[i].Person)
		}
	}
}

// prune forgets what is older than a day, and the oldest beyond a number.
func (s *sights) prune(now time.Time, most int) {
	var all []Sighting
	for _, some := range s.of {
		all = append(all, some...)
	}
	slices.SortFunc(all, func(a, b Sighting) int { return b.At.Compare(a.At) }) // the newest first
	clear(s.of)
	s.n = 0
	for _, seen := range all {
		if s.n < most && now.Sub(seen.At) <= SightedFor {
			s.of[seen.Person.ID] = append(s.of[seen.Person.ID], seen)
			s.n++
		}
	}
	s.index()
}

// forget takes all sightings of somebody away.
func (s *sights) forget(id PersonID) {
	if had := len(s.of[id]); had > 0 {
		delete(s.of, id)
		s.n -= had
		s.note(id)
		s.index()
	}
}

// saveSights saves the sightings that changed. It is called now and then: what a crash loses of them is little.
func (h *House) saveSights(ctx context.Context) {
	h.mu.Lock()
	h.sights.age(time.Now())
	people := map[PersonID][]Sighting{}
	for id := range h.sights.changed {
		people[id] = slices.Clone(h.sights.of[id])
	}
	clear(h.sights.changed)
	h.mu.Unlock()
	if len(people) == 0 {
		return
	}
	if err := h.archive.SaveSightings(ctx, people, time.Now().Add(-SightedFor)); err != nil {
		h.mu.Lock()
		defer h.mu.Unlock()
		for id := range people {
			h.sights.changed[id] = true
		}
	}
}

// Preview is what a bar would do.
type Preview struct {
	Void Void // why it would have no effect
	Bar  *Bar // that keeps its author from it, if one does
	Here []Person
	// Lately are those whom it would have hit in the last day and who are not here now, the last first.
	Lately []Sighting
	// Shared are the people beside one another behind the addresses that it means, those whom it spares too: how many there are.
	Shared int
}

// Preview tells what a bar would do if it were set now, by whom it names as its author.
func (h *House) Preview(bar Bar) Preview {
	h.mu.RLock()
	defer h.mu.RUnlock()
	p := Preview{Void: h.rules.judge(&bar)}
	now := time.Now()
	if p.Bar = h.rules.barred(&Event{Subject: bar.Where, At: now, From: bar.By, Body: Barred{Bar: bar}}); p.Bar != nil {
		p.Void = VoidBanned // before all else, as of a record
	}
	p.Here, _ = h.rules.struckBy(&bar)
	behind := map[string]bool{}
	byAddress := Target{Nets: bar.Target.Nets}
	for id, s := range h.rules.nicks {
		if byAddress.Hits(h.rules.seeker(Person{ID: id}, nil)) {
			behind[h.rules.told(Person{ID: id, Nick: s.nick})] = true
		}
	}
	for id, some := range h.sights.of {
		for _, seen := range some {
			who := h.rules.seeker(seen.Person, &Joined{Names: seen.Names, Addr: seen.Addr.String()})
			if now.Sub(seen.At) > SightedFor || !bar.Target.Hits(who) {
				continue
			}
			if byAddress.Hits(who) {
				behind[h.rules.told(seen.Person)] = true
			}
			here := slices.ContainsFunc(p.Here, func(q Person) bool { return q.ID == id })
			if !here && h.rules.topRole(seen.Person, bar.Where) < RoleOperator {
				p.Lately = append(p.Lately, seen)
			}
		}
	}
	p.Shared = len(behind)
	slices.SortFunc(p.Lately, func(a, b Sighting) int {
		if c := b.At.Compare(a.At); c != 0 {
			return c
		}
		return strings.Compare(string(a.Person.ID)+a.Addr.String(), string(b.Person.ID)+b.Addr.String())
	})
	return p
}

// told is by what people are told apart whom an address means: who they are or, for a guest without a key, who is somebody else at every
// visit, what they are called.
func (r *Rules) told(who Person) string {
	s := r.nicks[who.ID]
	if s != nil {
		who.Nick = s.nick
	}
	if r.accounts[who.ID] != nil || who.Key != "" || s != nil && slices.ContainsFunc(s.seats, func(at seat) bool { return at.key != "" }) {
		return "id:" + string(who.ID)
	}
	return "nick:" + string(who.Nick)
}

// Inhabited says that somebody is in the house who comes from an address.
func (h *House) Inhabited(addr netip.Addr) bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	for _, s := range h.rules.nicks {
		if slices.ContainsFunc(s.seats, func(at seat) bool { return at.addr == addr.Unmap() }) {
			return true
		}
	}
	return false
}

// Trusted says that an operator was here by an address in the last day.
func (h *House) Trusted(addr netip.Addr) bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	for _, some := range h.sights.of {
		for _, seen := range some {
			if seen.Addr == addr.Unmap() && time.Since(seen.At) <= SightedFor && h.rules.topRole(seen.Person, HouseSubject) == RoleOperator {
				return true
			}
		}
	}
	return false
}

// Sightings returns where somebody was seen in the last day, the last first.
func (h *House) Sightings(match func(Sighting) bool) []Sighting {
	h.mu.RLock()
	defer h.mu.RUnlock()
	var found []Sighting
	for _, some := range h.sights.of {
		for _, seen := range some {
			if time.Since(seen.At) <= SightedFor && match(seen) {
				found = append(found, seen)
			}
		}
	}
	slices.SortFunc(found, func(a, b Sighting) int { return b.At.Compare(a.At) })
	return found
}

// Seen says that somebody with that key was here in the last day.
func (h *House) Seen(key string) bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	for _, id := range h.sights.by[key] {
		if slices.ContainsFunc(h.sights.of[id], func(s Sighting) bool { return s.Person.Key == key && time.Since(s.At) <= SightedFor }) {
			return true
		}
	}
	return false
}
