package room

import (
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// Kinds lists the kinds that can be read.
func Kinds() []string { return slices.Sorted(maps.Keys(decoders)) }

// Dump writes down all that rules know, so that two of them can be compared.
func (r *Rules) Dump() string {
	type sat struct {
		Of        ScreenID
		Key, Addr string
		Rooms     int
	}
	type stood struct {
		Nick    Nick
		Names   []string
		Screens int
		Seats   []sat
		Where   []Subject
		Bars    []ID
		Away    *Absent
		Erased  bool
	}
	type stay struct {
		Person         Person
		Since          time.Time
		Order          Seq
		Listed, Visits []ScreenID
	}
	type inside struct {
		Members map[PersonID]stay
		Listed  int
		Spoke   map[PersonID]time.Time
	}
	d := struct {
		Nicks    map[PersonID]stood
		Halls    map[Subject]inside
		Accounts map[PersonID]*Account
		Owners   map[string]PersonID
		Keys     map[string]PersonID
		Held     map[string]time.Time
		Kept     map[string]json.RawMessage
		Changes  int
		Undo     int
		Ousted   map[PersonID]*Bar
	}{
		map[PersonID]stood{}, map[Subject]inside{}, r.accounts, r.owners, r.keys, r.held, r.Kept(), len(r.changes), len(r.undo), r.ousted,
	}
	for id, s := range r.nicks {
		out := stood{Nick: s.nick, Names: s.names, Screens: s.screens, Away: s.away, Erased: s.erased}
		for _, at := range s.seats {
			out.Seats = append(out.Seats, sat{at.of, at.key, at.addr.String(), at.rooms})
		}
		for _, p := range s.where {
			out.Where = append(out.Where, p.room)
		}
		for _, b := range s.bars {
			out.Bars = append(out.Bars, b.ID)
		}
		d.Nicks[id] = out
	}
	for where, in := range r.halls {
		members := map[PersonID]stay{}
		for id, p := range in.members {
			members[id] = stay{p.person, p.since, p.order, slices.Sorted(slices.Values(p.listed)), slices.Sorted(slices.Values(p.visits))}
		}
		d.Halls[where] = inside{members, in.listed, in.spoke}
	}
	b, err := json.MarshalIndent(d, "", " ")
	if err != nil {
		panic(err)
	}
	return string(b)
}

// Kept is what has to be kept of the charter, by its keys.
func (r *Rules) Kept() map[string]json.RawMessage {
	kept := map[string]json.RawMessage{}
	keep := func(key string, v any) {
		b, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		kept[key] = b
	}
	for where, m := range r.rooms {
		keep(keptRoom+string(where), m)
	}
	for id, b := range r.bars {
		keep(keptBar+id.String(), b)
	}
	for id, a := range r.acts {
		keep(keptAct+id.String(), a)
	}
	for id := range r.granted {
		keep(keptGranted+string(id), true)
	}
	if r.appointed != nil {
		keep(keptAppointed, r.appointed)
	}
	return kept
}

// Snapshot is what outlives the process of what rules know.
func (r *Rules) Snapshot() Snapshot {
	var s Snapshot
	for _, a := range r.accounts {
		s.Accounts = append(s.Accounts, *a.clone())
	}
	for name, until := range r.held {
		s.Held = append(s.Held, Holding{name, until})
	}
	for key, value := range r.Kept() {
		s.Charter = append(s.Charter, Change{key, value})
	}
	return s
}

// Inside lists who is in a room, visits too.
func (r *Rules) Inside(where Subject) []PersonID {
	if in := r.halls[where]; in != nil {
		return slices.Sorted(maps.Keys(in.members))
	}
	return nil
}

// Prune forgets what is over.
func (r *Rules) Prune(now time.Time) { r.prune(now) }

// Feed applies a record as the journal would, and returns what the rules make of it.
func (h *House) Feed(c Committed) Verdict {
	e, err := Decode(c)
	if err != nil {
		panic(err)
	}
	h.mu.Lock()
	h.rules.Attempt()
	v := h.rules.Apply(e)
	h.rules.Undo()
	h.mu.Unlock()
	if err := h.apply([]Committed{c}); err != nil {
		panic(err)
	}
	return v
}

// RulesDump writes down what the rules of the house know.
func (h *House) RulesDump() string {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.rules.Dump()
}

// KeptState is what the house keeps of its charter.
func (h *House) KeptState() map[string]json.RawMessage {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.rules.Kept()
}

// Holds says whether the log of a room is in memory.
func (h *House) Holds(where Subject) bool { return h.log(where) != nil }

// Spoke counts of how many it is known when they spoke in a slow room.
func (r *Rules) Spoke(where Subject) int { return len(r.halls[where].spoke) }

// Indexed counts what a house keeps of those who are here, by whatever it finds them.
func (h *House) Indexed() int {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return len(h.people) + len(h.keyed) + len(h.named)
}
