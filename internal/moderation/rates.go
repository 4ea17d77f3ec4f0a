package moderation

import (
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"sarangbang/room"
)

// Limits are the rates of one person, as the configuration names them.
type Limits struct {
	MessageBurst         int
	MessagesPerSecond    int
	MessageDelay         time.Duration // the longest that a typed message is held back
	NickChangesPerMinute int
	JoinsPerMinute       int // of rooms; entering the house is none
	NewPeoplePerMinute   int // first direct messages to somebody
}

const (
	maxPeople = 1 << 16   // remembered at a time
	memory    = time.Hour // for how long somebody is, after the last thing they did
	maxMet    = 32        // people with whom somebody has exchanged direct messages and who are not new to them
)

// Rates hold what each person has spent. A person is known by an ID that stays when the nickname changes, else a rename
// would buy a new burst. Exempt people spend nothing. The methods may be called from any goroutine and never block.
type Rates struct {
	limits Limits
	most   int // people remembered

	mu     sync.Mutex // guards people and what they point to
	people map[room.PersonID]*person
}

type person struct {
	messages, nicks, joins, newPeople *rate.Limiter
	met                               []room.PersonID // the last one met stands last
	seen                              time.Time
}

// NewRates returns rates of which nobody has spent anything. The limits have been validated.
func NewRates(l Limits) *Rates {
	return &Rates{limits: l, most: maxPeople, people: map[room.PersonID]*person{}}
}

// A Turn is the place of one message among those of its author.
type Turn struct {
	Wait time.Duration // for how long to hold the message back
	held *rate.Reservation
}

// Cancel gives the place back, for a message that will not be posted after all.
func (t Turn) Cancel() {
	if t.held != nil {
		t.held.Cancel()
	}
}

// Message takes the next free place for a message that somebody typed. It is false, and nothing is taken, if that is
// farther away than people are made to wait: the message is to be refused.
func (r *Rates) Message(id room.PersonID, exempt bool) (Turn, bool) {
	return r.turn(id, exempt, r.limits.MessageDelay)
}

// PipedMessage takes the next free place for a line of piped input, which just waits, however long.
func (r *Rates) PipedMessage(id room.PersonID, exempt bool) Turn {
	t, _ := r.turn(id, exempt, rate.InfDuration)
	return t
}

func (r *Rates) turn(id room.PersonID, exempt bool, longest time.Duration) (Turn, bool) {
	if exempt {
		return Turn{}, true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	held := r.personLocked(id, now).messages.ReserveN(now, 1)
	t := Turn{Wait: held.DelayFrom(now), held: held}
	if t.Wait > longest {
		held.CancelAt(now)
		return Turn{}, false
	}
	return t, true
}

// NickChange spends one change of nickname, and is false if there is none left.
func (r *Rates) NickChange(id room.PersonID, exempt bool) bool {
	return exempt || r.spend(id, func(p *person) *rate.Limiter { return p.nicks })
}

// Join spends one entry into a room, and is false if there is none left.
func (r *Rates) Join(id room.PersonID, exempt bool) bool {
	return exempt || r.spend(id, func(p *person) *rate.Limiter { return p.joins })
}

// spend takes one of what somebody may do in a minute, and is false if there is none left.
func (r *Rates) spend(id room.PersonID, of func(*person) *rate.Limiter) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	return of(r.personLocked(id, now)).AllowN(now, 1)
}

// DirectMessage is called before a direct message is posted. If its receiver is new to the author (neither has written to the
// other of late), it spends one new person, and is false if there is none left.
func (r *Rates) DirectMessage(from, to room.PersonID, exempt bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	author := r.personLocked(from, now)
	if !exempt && !slices.Contains(author.met, to) && !author.newPeople.AllowN(now, 1) {
		return false
	}
	author.meet(to)
	r.personLocked(to, now).meet(from) // an answer is never the first word
	return true
}

// meet makes id the last one met, and forgets the one met longest ago when there are too many.
func (p *person) meet(id room.PersonID) {
	if i := slices.Index(p.met, id); i >= 0 {
		p.met = slices.Delete(p.met, i, i+1)
	} else if len(p.met) == maxMet {
		p.met = slices.Delete(p.met, 0, 1)
	}
	p.met = append(p.met, id)
}

// personLocked returns what is kept about somebody. The full table takes the newcomer in the place of another who has been
// quiet for long: nobody is free of rates, and whoever is forgotten has long got everything back.
func (r *Rates) personLocked(id room.PersonID, now time.Time) *person {
	p := r.people[id]
	if p == nil {
		r.forgetLocked(now)
		p = &person{
			messages:  rate.NewLimiter(rate.Limit(r.limits.MessagesPerSecond), r.limits.MessageBurst),
			nicks:     perMinute(r.limits.NickChangesPerMinute),
			joins:     perMinute(r.limits.JoinsPerMinute),
			newPeople: perMinute(r.limits.NewPeoplePerMinute),
		}
		r.people[id] = p
	}
	p.seen = now
	return p
}

// forgetLocked looks at a few people, whom the map picks at random, and drops those out of memory; and the quietest of them
// when the table is full.
func (r *Rates) forgetLocked(now time.Time) {
	var quietest room.PersonID
	var since time.Time
	looks := 8
	for id, p := range r.people {
		if now.Sub(p.seen) > memory {
			delete(r.people, id)
		} else if since.IsZero() || p.seen.Before(since) {
			quietest, since = id, p.seen
		}
		if looks--; looks == 0 {
			break
		}
	}
	if len(r.people) >= r.most {
		delete(r.people, quietest)
	}
}

func perMinute(n int) *rate.Limiter { return rate.NewLimiter(rate.Limit(n)/60, n) }
