package room

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"
)

// An Account is a nickname that belongs to keys. Its ID is that of the person who registered it, and stays: whoever proves one of
// the keys is that person.
type Account struct {
	ID       PersonID
	Nick     Nick
	Names    []string // everything about the nickname that must be unique
	Keys     []string // SHA256 fingerprints, in the order in which they were added
	Since    time.Time
	Settings map[string]string // that follow the account, by their names; nil for none
}

// MaxKeys is how many keys an account can have.
const MaxKeys = 16

// Person returns the account's owner under its own name.
func (a *Account) Person() Person { return Person{ID: a.ID, Nick: a.Nick, Key: a.Keys[0]} }

// Struck stands for the author of what was said under an account that is erased. No person has a nickname without a letter.
var Struck = Person{ID: "struck", Nick: "—"}

// clone returns a copy that may be changed, and handed out.
func (a *Account) clone() *Account {
	c := *a
	c.Names, c.Keys, c.Settings = slices.Clone(a.Names), slices.Clone(a.Keys), maps.Clone(a.Settings)
	return &c
}

// configure changes one setting; an empty value takes it away.
func (a *Account) configure(b Configured) {
	switch {
	case b.Value == "":
		delete(a.Settings, b.Name)
	case a.Settings == nil:
		a.Settings = map[string]string{b.Name: b.Value}
	default:
		a.Settings[b.Name] = b.Value
	}
}

// Holding is the name of an erased account that nobody may wear for a while.
type Holding struct {
	Name  string
	Until time.Time
}

// Snapshot is the part of the rules' state that outlives a process, as of a place in the log.
type Snapshot struct {
	At       Position
	Accounts []Account
	Held     []Holding
	Charter  []Change // everything that was kept of what [Rules.Changes] told
}

// Restore gives rules that nothing was applied to yet the state of a snapshot.
func (r *Rules) Restore(s Snapshot) error {
	for i := range s.Accounts {
		r.open(s.Accounts[i].clone())
	}
	for _, h := range s.Held {
		r.held[h.Name] = h.Until
	}
	if err := r.restore(s.Charter); err != nil {
		return err
	}
	for where := range r.rooms {
		if r.halls[where] == nil {
			r.halls[where] = newHall()
			r.halls[where].said = true
		}
	}
	return nil
}

// open puts an account into its places.
func (r *Rules) open(a *Account) {
	put(r, r.accounts, a.ID, a)
	for _, n := range a.Names {
		put(r, r.owners, n, a.ID)
	}
	for _, k := range a.Keys {
		put(r, r.keys, k, a.ID)
	}
}

// taken says that one of the names may not be worn by the person: an account of another owns it, or owned it lately.
func (r *Rules) taken(names []string, by PersonID, at time.Time) bool {
	for _, n := range names {
		if owner, owned := r.owners[n]; owned && owner != by {
			return true
		}
		if until, held := r.held[n]; held && at.Before(until) {
			return true
		}
	}
	return false
}

// account applies what happens to accounts. Accounts are replaced, never changed: they are handed out.
func (r *Rules) account(e *Event, from Person) Void {
	b, registers := e.Body.(Registered)
	if registers {
		return r.register(e, from, b)
	}
	old := r.accounts[from.ID]
	if old == nil {
		return VoidNoAccount
	}
	a := old.clone()
	switch b := e.Body.(type) {
	case KeyAdded:
		switch {
		case r.keys[b.Key] != "":
			return VoidTaken
		case len(a.Keys) >= MaxKeys:
			return VoidKeys
		}
		a.Keys = append(a.Keys, b.Key)
		put(r, r.keys, b.Key, a.ID)
		r.extendBars(old, b.Key)
	case KeyRemoved:
		i := slices.Index(a.Keys, b.Key)
		switch {
		case i < 0:
			return VoidRepeated
		case len(a.Keys) == 1:
			return VoidLastKey
		}
		a.Keys = slices.Delete(a.Keys, i, i+1)
		drop(r, r.keys, b.Key)
	case Configured:
		a.configure(b)
	case Erased:
		r.erase(old, b.Until, e.At)
		return ""
	default:
		return VoidUnknown
	}
	put(r, r.accounts, a.ID, a)
	return ""
}

func (r *Rules) register(e *Event, from Person, b Registered) Void {
	s := r.nicks[from.ID]
	switch {
	case r.replaying:
	case s == nil || s.nick != e.From.Nick: // the names are of the nickname as it was when the record was made
		return VoidNotMember
	case r.accounts[from.ID] != nil:
		return VoidRepeated
	case r.taken(b.Names, from.ID, e.At) || r.keys[e.From.Key] != "":
		return VoidTaken
	}
	r.open(&Account{ID: from.ID, Nick: from.Nick, Names: b.Names, Keys: []string{e.From.Key}, Since: e.At})
	return ""
}

// erase ends an account.
func (r *Rules) erase(a *Account, until, now time.Time) {
	drop(r, r.accounts, a.ID)
	if s := r.nicks[a.ID]; s != nil {
		set(r, &s.erased, true)
	}
	for _, k := range a.Keys {
		drop(r, r.keys, k)
	}
	r.leaveCharter(a.ID)
	for name, free := range r.held {
		if !now.Before(free) {
			drop(r, r.held, name)
		}
	}
	for _, n := range a.Names {
		drop(r, r.owners, n)
		put(r, r.held, n, until)
	}
}

// AccountOf returns the account that a proven key opens.
func (h *House) AccountOf(key string) (Account, bool) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if a := h.rules.accounts[h.rules.keys[key]]; a != nil {
		return *a.clone(), true
	}
	return Account{}, false
}

// Owner returns the account that owns one of the names of a claim.
func (h *House) Owner(names ...string) (Account, bool) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	for _, n := range names {
		if a := h.rules.accounts[h.rules.owners[n]]; a != nil {
			return *a.clone(), true
		}
	}
	return Account{}, false
}

// HeldUntil says until when nobody may wear one of the names, since the account that owned it was erased: zero for no such wait.
func (h *House) HeldUntil(names ...string) time.Time {
	h.mu.RLock()
	defer h.mu.RUnlock()
	var until time.Time
	for _, n := range names {
		if t := h.rules.held[n]; t.After(until) && time.Now().Before(t) {
			until = t
		}
	}
	return until
}

// opens says that a key is one of the account that a person is the owner of.
func (h *House) opens(key string, id PersonID) bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return key != "" && h.rules.accounts[id] != nil && h.rules.keys[key] == id
}

// Account returns the member's account.
func (m *Member) Account() (Account, bool) {
	h := m.house
	h.mu.RLock()
	defer h.mu.RUnlock()
	if a := h.rules.accounts[m.person.id]; a != nil {
		return *a.clone(), true
	}
	return Account{}, false
}

// Register makes an account of the member: their nickname is theirs from now on, and the key that they proved opens it. It returns
// when that is committed; void says why it could not be: VoidTaken if their key opens an account already.
func (m *Member) Register(ctx context.Context) (void Void, err error) {
	h, p := m.house, m.person
	if err := p.take(ctx); err != nil {
		return "", err
	}
	defer p.give()
	detached := context.WithoutCancel(ctx)
	results, err := h.post(detached, Encode(m.author(), HouseSubject, Registered{Names: p.claim.Names}))
	if err != nil || results[0].Void != "" {
		return first(results).Void, err
	}
	h.mu.RLock()
	screens := slices.Clone(p.members)
	h.mu.RUnlock()
	for _, s := range screens {
		if !s.visit {
			err = errors.Join(err, h.startReading(detached, s, min(results[0].Seq, m.reach())))
		}
	}
	return "", err
}

// Act commits what the owner of an account does with it: a key, a setting, its end. It returns when that is committed; void says why
// it could not be, of several things the first.
func (h *House) Act(ctx context.Context, owner Person, bodies ...Body) (void Void, err error) {
	records := make([]Record, len(bodies))
	for i, b := range bodies {
		records[i] = Encode(owner, HouseSubject, b)
	}
	results, err := h.post(ctx, records...)
	return first(results).Void, err
}

func first(results []Result) Result {
	if len(results) == 0 {
		return Result{}
	}
	return results[0]
}

// Holdings counts what is stored of the member. It blocks on the disk.
func (m *Member) Holdings(ctx context.Context) (Holdings, error) {
	if m.house.archive == nil {
		return Holdings{}, ErrNoArchive
	}
	return m.house.archive.Holdings(ctx, m.person.id)
}
