package admission

import (
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limits are the bounds of one door, as the configuration names them. All are in force as they stand: a zero count admits
// nobody. Those marked E are lifted for exempt addresses.
type Limits struct {
	Exempt []netip.Prefix // for whom the limits marked E do not hold

	Total                           int // open connections
	PerAddress                      int // E: of these, from one address
	ConnectsPerMinute, ConnectBurst int // E: connections that one address opens

	// Open connections of people who are not known yet. From Start on, Percent of the new ones are dropped at random, and
	// evenly more up to all of them at Full: whoever floods the door cannot shut it for good, because each place that falls
	// free is drawn for. With Start equal to Full nothing is drawn; the newest are refused.
	UnauthenticatedStart, UnauthenticatedPercent, UnauthenticatedFull int
	UnauthenticatedPerAddress                                         int // E: of these, from one address

	Penalties Penalties // E

	LogLinesPerSecond int // about one address
	MemoryShedPercent int // of the Go memory limit in real need: from there on nobody new; without a limit not in force
}

// Penalties say for how long an address pays for what it did. They add up and run out in real time.
type Penalties struct {
	AuthFailure, NoAuth, LoginTimeout, Refused, Crash time.Duration

	Threshold time.Duration // from this sum on, connects are refused until the sum has run out
	Max       time.Duration // of the sum
	Addresses int           // how many can be penalised at a time; newcomers beyond go unpenalised
}

// An Offence is what an address is penalised for.
type Offence int

// The offences.
const (
	AuthFailure  Offence = iota // failed to prove who they are
	NoAuth                      // left without trying to
	LoginTimeout                // had no session in time
	Refused                     // somebody banned knocked
	Crash                       // a panic while the connection was set up
)

func (p *Penalties) of(o Offence) time.Duration {
	switch o {
	case AuthFailure:
		return p.AuthFailure
	case NoAuth:
		return p.NoAuth
	case LoginTimeout:
		return p.LoginTimeout
	case Refused:
		return p.Refused
	case Crash:
		return p.Crash
	default:
		return 0
	}
}

// A Reason says why a connection was refused, in the words of logs and metrics.
type Reason string

// The reasons, in the order in which they are looked for.
const (
	Memory                 Reason = "memory"                      // the memory limit is near
	TotalFull              Reason = "total"                       // the door is full
	Penalised              Reason = "penalty"                     // the address pays for something
	AddressFull            Reason = "per_address"                 // the address has all its connections
	AddressUnauthenticated Reason = "unauthenticated_per_address" // too many of the address are not known yet
	Unauthenticated        Reason = "unauthenticated"             // too many are not known yet: drawn, or full
	ConnectRate            Reason = "connect_rate"                // the address connects too fast
)

// Stats are the figures of a gate.
type Stats struct {
	Open            int // connections now
	Unauthenticated int // of these, of people not known yet
	Admitted        uint64
	Refused         map[Reason]uint64
	Unlogged        uint64 // log lines withheld by [Gate.MayLog]
}

// trackedAddresses bounds each table of a gate but that of the penalties, which has a bound of its own.
const trackedAddresses = 1 << 16

// A Gate decides who may connect at one door. It never blocks, and its methods may be called from any goroutine.
type Gate struct {
	limits Limits
	log    *slog.Logger
	draw   func() float64 // from [0, 1)
	memory func() (need, limit uint64, ok bool)

	mu        sync.Mutex // guards all below
	stats     Stats
	addresses map[netip.Prefix]*counts // those with an open connection
	connects  *table[*rate.Limiter]
	lines     *table[*rate.Limiter]
	penalties *table[*penalty]
	short     bool      // of memory
	measured  time.Time // when short was found out
}

// counts are an address's open connections.
type counts struct{ open, unauthenticated int }

// A penalty is a sum that runs out in real time.
type penalty struct {
	until time.Time // when the sum is zero
	shut  bool      // the sum has reached the threshold; nobody is admitted until it is zero
}

// NewGate returns the gate of a door. Its limits have been validated; log names the door.
func NewGate(l Limits, log *slog.Logger) *Gate {
	limiters := func(r rate.Limit, burst int) *table[*rate.Limiter] {
		return newTable(trackedAddresses,
			func() *rate.Limiter { return rate.NewLimiter(r, burst) },
			func(l *rate.Limiter, now time.Time) bool { return l.TokensAt(now) >= float64(burst) })
	}
	return &Gate{
		limits:    l,
		log:       log,
		draw:      rand.Float64,
		memory:    memory,
		stats:     Stats{Refused: map[Reason]uint64{}},
		addresses: map[netip.Prefix]*counts{},
		connects:  limiters(rate.Limit(l.ConnectsPerMinute)/60, l.ConnectBurst),
		lines:     limiters(rate.Limit(l.LogLinesPerSecond), l.LogLinesPerSecond),
		penalties: newTable(l.Penalties.Addresses,
			func() *penalty { return &penalty{} },
			func(p *penalty, now time.Time) bool { return !now.Before(p.until) }),
	}
}

// Admit decides about a new connection from addr. An admitted one gets a ticket, whose holder calls Release when the
// connection is closed; a refused one gets nil and the reason, counted and logged already, and is to be closed at once,
// without a word. Only the admitted ones spend from the rate of connects.
func (g *Gate) Admit(addr net.Addr) (*Ticket, Reason) {
	ip, now := ip(addr), time.Now()
	address, exempt := counted(ip), g.exempt(ip)

	g.mu.Lock()
	reason := g.refusalLocked(address, exempt, now)
	if reason == "" {
		defer g.mu.Unlock()
		g.countLocked(address)
		return &Ticket{gate: g, address: address, exempt: exempt, unknown: true, open: true}, ""
	}
	g.stats.Refused[reason]++
	told := g.mayLogLocked(address, now)
	g.mu.Unlock()

	if told {
		g.log.Info("connection refused", "remote", addr, "reason", string(reason))
	}
	return nil, reason
}

func (g *Gate) exempt(ip netip.Addr) bool {
	for _, p := range g.limits.Exempt {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}

// refusalLocked returns why a connection cannot be admitted, or nothing. The rate is looked at last, because a look spends
// from it.
func (g *Gate) refusalLocked(address netip.Prefix, exempt bool, now time.Time) Reason {
	l, here := &g.limits, counts{}
	if c := g.addresses[address]; c != nil {
		here = *c
	}
	switch {
	case g.shortOfMemoryLocked(now):
		return Memory
	case g.stats.Open >= l.Total:
		return TotalFull
	case !exempt && g.penalisedLocked(address, now):
		return Penalised
	case !exempt && here.open >= l.PerAddress:
		return AddressFull
	case !exempt && here.unauthenticated >= l.UnauthenticatedPerAddress:
		return AddressUnauthenticated
	case g.drawnLocked():
		return Unauthenticated
	case !exempt && !allowed(g.connects, address, now, true):
		return ConnectRate
	default:
		return ""
	}
}

// shortOfMemoryLocked looks at most once a second: the runtime adds its figures up over all processors.
func (g *Gate) shortOfMemoryLocked(now time.Time) bool {
	if now.Sub(g.measured) < time.Second {
		return g.short
	}
	need, limit, ok := g.memory()
	g.short = ok && need >= limit/100*uint64(g.limits.MemoryShedPercent)
	g.measured = now
	return g.short
}

func (g *Gate) penalisedLocked(address netip.Prefix, now time.Time) bool {
	p, ok := g.penalties.entries[address]
	return ok && p.shut && now.Before(p.until)
}

// drawnLocked reports whether a new connection falls to the random early drop.
func (g *Gate) drawnLocked() bool {
	start, full := g.limits.UnauthenticatedStart, g.limits.UnauthenticatedFull
	switch n := g.stats.Unauthenticated; {
	case n >= full:
		return true
	case n < start:
		return false
	default:
		least := float64(g.limits.UnauthenticatedPercent) / 100
		return g.draw() < least+(1-least)*float64(n-start)/float64(full-start)
	}
}

// allowed takes one from an address's bucket. For an address that the table has no place for, the answer is unknown.
func allowed(t *table[*rate.Limiter], address netip.Prefix, now time.Time, unknown bool) bool {
	l, ok := t.at(address, now)
	if !ok {
		return unknown
	}
	return l.AllowN(now, 1)
}

func (g *Gate) countLocked(address netip.Prefix) {
	here := g.addresses[address]
	if here == nil {
		here = &counts{}
		g.addresses[address] = here
	}
	here.open++
	here.unauthenticated++
	g.stats.Open++
	g.stats.Unauthenticated++
	g.stats.Admitted++
}

// MayLog reports whether one more line about addr may be logged, and counts it. What may not is counted in [Stats].
func (g *Gate) MayLog(addr net.Addr) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.mayLogLocked(AddressOf(addr), time.Now())
}

func (g *Gate) mayLogLocked(address netip.Prefix, now time.Time) bool {
	may := allowed(g.lines, address, now, false)
	if !may {
		g.stats.Unlogged++
	}
	return may
}

// Penalize adds an offence to what addr has to pay for. Live connections are left alone.
func (g *Gate) Penalize(addr net.Addr, o Offence) {
	fine := g.limits.Penalties.of(o)
	if fine <= 0 {
		return
	}
	now := time.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	p, ok := g.penalties.at(AddressOf(addr), now)
	if !ok {
		return
	}
	if !now.Before(p.until) {
		*p = penalty{until: now}
	}
	sum := min(p.until.Sub(now)+fine, g.limits.Penalties.Max)
	p.until = now.Add(sum)
	p.shut = p.shut || sum >= g.limits.Penalties.Threshold
}

// Stats reads the gate's figures.
func (g *Gate) Stats() Stats {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.stats
	s.Refused = maps.Clone(s.Refused)
	return s
}

// A Ticket is one admitted connection's place in the counts. Its methods may be called from any goroutine, and more than once.
type Ticket struct {
	gate    *Gate
	address netip.Prefix
	exempt  bool

	// Guarded by the gate's lock: what the ticket still counts for.
	unknown, open bool
}

// Exempt reports whether limits that are counted by address, key or person are lifted for this connection.
func (t *Ticket) Exempt() bool { return t.exempt }

// Address returns what the connection's address counts as.
func (t *Ticket) Address() netip.Prefix { return t.address }

// Authenticated takes the connection out of the counts of people not known yet.
func (t *Ticket) Authenticated() {
	t.gate.mu.Lock()
	defer t.gate.mu.Unlock()
	t.authenticatedLocked()
}

func (t *Ticket) authenticatedLocked() {
	if !t.unknown {
		return
	}
	t.unknown = false
	t.gate.stats.Unauthenticated--
	t.gate.addresses[t.address].unauthenticated--
}

// Release takes the connection out of all counts.
func (t *Ticket) Release() {
	g := t.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	if !t.open {
		return
	}
	t.authenticatedLocked()
	t.open = false
	g.stats.Open--
	here := g.addresses[t.address]
	if here.open--; here.open == 0 {
		delete(g.addresses, t.address)
	}
}
