package admission

import (
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// roomy are limits that stop nobody; each test tightens the one it is about.
func roomy() Limits {
	return Limits{
		Total: 1 << 20, PerAddress: 1 << 20, ConnectsPerMinute: 60000, ConnectBurst: 1 << 20,
		UnauthenticatedStart: 1 << 20, UnauthenticatedPercent: 30, UnauthenticatedFull: 1 << 20, UnauthenticatedPerAddress: 1 << 20,
		Penalties: Penalties{
			AuthFailure: 5 * time.Second, NoAuth: time.Second, LoginTimeout: time.Second, Refused: 10 * time.Second,
			Crash: 90 * time.Second, Threshold: 15 * time.Second, Max: 10 * time.Minute, Addresses: 1 << 16,
		},
		LogLinesPerSecond: 1, MemoryShedPercent: 85,
	}
}

func newGate(l Limits) *Gate {
	g := NewGate(l, slog.New(slog.DiscardHandler))
	g.memory = func() (uint64, uint64, bool) { return 0, 0, false }
	return g
}

func addr(s string) net.Addr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(s), 40000))
}

// admit counts how many of n connections get in.
func admit(g *Gate, from net.Addr, n int) (tickets []*Ticket, last Reason) {
	for range n {
		t, reason := g.Admit(from)
		if t != nil {
			tickets = append(tickets, t)
		} else {
			last = reason
		}
	}
	return tickets, last
}

func TestEachLimitRefusesWithItsReason(t *testing.T) {
	tests := []struct {
		name     string
		limit    func(*Limits)
		tries    int
		admitted int
		reason   Reason
		lifted   bool // for exempt addresses
	}{
		{"total", func(l *Limits) { l.Total = 7 }, 10, 7, TotalFull, false},
		{"per address", func(l *Limits) { l.PerAddress = 5 }, 10, 5, AddressFull, true},
		{"connect rate", func(l *Limits) { l.ConnectsPerMinute, l.ConnectBurst = 30, 6 }, 10, 6, ConnectRate, true},
		{"unauthenticated per address", func(l *Limits) { l.UnauthenticatedPerAddress = 4 }, 10, 4, AddressUnauthenticated, true},
		{"unauthenticated, nothing drawn", func(l *Limits) { l.UnauthenticatedStart, l.UnauthenticatedFull = 3, 3 }, 10, 3, Unauthenticated, false},
		{"zero admits nobody", func(l *Limits) { l.Total = 0 }, 3, 0, TotalFull, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := roomy()
				tt.limit(&l)
				g := newGate(l)
				tickets, reason := admit(g, addr("10.0.0.1"), tt.tries)
				if len(tickets) != tt.admitted || reason != tt.reason {
					t.Errorf("admitted %d of %d, refused for %q; want %d, %q", len(tickets), tt.tries, reason, tt.admitted, tt.reason)
				}
				if got, want := g.Stats().Refused[tt.reason], uint64(tt.tries-tt.admitted); got != want {
					t.Errorf("counted %d refusals for %q, want %d", got, tt.reason, want)
				}

				l.Exempt = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
				tickets, _ = admit(newGate(l), addr("10.0.0.1"), tt.tries)
				want := tt.admitted
				if tt.lifted {
					want = tt.tries
				}
				if len(tickets) != want {
					t.Errorf("exempt: admitted %d of %d, want %d", len(tickets), tt.tries, want)
				}
				for _, ticket := range tickets {
					if !ticket.Exempt() {
						t.Error("ticket of an exempt address does not say so")
					}
				}
			})
		})
	}
}

func TestPlacesComeBack(t *testing.T) {
	l := roomy()
	l.PerAddress, l.UnauthenticatedPerAddress, l.Total = 3, 2, 3
	g := newGate(l)
	from := addr("10.0.0.1")

	tickets, reason := admit(g, from, 3)
	if len(tickets) != 2 || reason != AddressUnauthenticated {
		t.Fatalf("admitted %d, refused for %q; want 2, %q", len(tickets), reason, AddressUnauthenticated)
	}
	for range 2 { // once or twice is the same
		tickets[0].Authenticated()
	}
	more, reason := admit(g, from, 2)
	if len(more) != 1 || reason != TotalFull {
		t.Fatalf("after one authenticated: admitted %d, refused for %q; want 1, %q", len(more), reason, TotalFull)
	}
	for _, ticket := range append(tickets, more...) {
		for range 2 {
			ticket.Release()
		}
		ticket.Authenticated()
	}
	if s := g.Stats(); s.Open != 0 || s.Unauthenticated != 0 || s.Admitted != 3 {
		t.Errorf("after all have gone: open %d, unauthenticated %d, admitted %d; want 0, 0, 3", s.Open, s.Unauthenticated, s.Admitted)
	}
	if n := len(g.addresses); n != 0 {
		t.Errorf("%d addresses are still counted, want 0", n)
	}
}

func TestAddressesCountAsSubscribers(t *testing.T) {
	tests := []struct {
		a, b string
		same bool
	}{
		{"10.0.0.1", "::ffff:10.0.0.1", true},
		{"10.0.0.1", "10.0.0.2", false},
		{"2001:db8::1", "2001:db8::ffff:1:2:3", true},
		{"2001:db8::1", "2001:db8:0:1::1", false},
		{"fe80::1%eth0", "fe80::1", true},
	}
	for _, tt := range tests {
		if got := AddressOf(addr(tt.a)) == AddressOf(addr(tt.b)); got != tt.same {
			t.Errorf("%s and %s count as one = %v, want %v", tt.a, tt.b, got, tt.same)
		}
	}
	pipe, _ := net.Pipe()
	defer pipe.Close()
	for _, a := range []net.Addr{nil, pipe.LocalAddr()} {
		if got := AddressOf(a); got != (netip.Prefix{}) {
			t.Errorf("AddressOf(%v) = %v, want the zero prefix", a, got)
		}
	}
}

func TestMappedAddressIsExemptAsIPv4(t *testing.T) {
	l := roomy()
	l.PerAddress, l.Exempt = 0, []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	if ticket, reason := newGate(l).Admit(addr("::ffff:127.0.0.1")); ticket == nil {
		t.Errorf("refused for %q, want admitted", reason)
	}
}

func TestEarlyDropRisesFromStartToFull(t *testing.T) {
	tests := []struct {
		waiting int
		drop    float64
	}{{0, 0}, {63, 0}, {64, 0.30}, {160, 0.65}, {255, 0.9963}, {256, 1}, {300, 1}}
	for _, tt := range tests {
		l := roomy()
		l.UnauthenticatedStart, l.UnauthenticatedFull = 64, 256
		g := newGate(l)
		random := rand.New(rand.NewPCG(1, 2))
		g.draw = random.Float64
		g.stats.Unauthenticated = tt.waiting

		const tries = 20000
		dropped := 0
		for range tries {
			g.mu.Lock()
			if g.drawnLocked() {
				dropped++
			}
			g.mu.Unlock()
		}
		if got := float64(dropped) / tries; math.Abs(got-tt.drop) > 0.015 {
			t.Errorf("with %d waiting %.3f are dropped, want %.3f", tt.waiting, got, tt.drop)
		}
	}
}

func TestConnectRateRefills(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := roomy()
		l.ConnectsPerMinute, l.ConnectBurst = 30, 4
		g := newGate(l)
		from := addr("10.0.0.1")
		if got, _ := admit(g, from, 10); len(got) != 4 {
			t.Fatalf("admitted %d at once, want 4", len(got))
		}
		if got, _ := admit(g, addr("10.0.0.2"), 1); len(got) != 1 {
			t.Error("another address pays for the first one's rate")
		}
		time.Sleep(10 * time.Second)
		if got, _ := admit(g, from, 10); len(got) != 5-1 {
			t.Errorf("admitted %d after 10 s, want 4: the burst is the most that is saved up", len(got))
		}
		time.Sleep(2 * time.Second)
		if got, _ := admit(g, from, 10); len(got) != 1 {
			t.Errorf("admitted %d after 2 s, want 1", len(got))
		}
	})
}

func TestRefusedConnectSpendsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := roomy()
		l.ConnectsPerMinute, l.ConnectBurst, l.PerAddress = 1, 3, 2
		g := newGate(l)
		tickets, _ := admit(g, addr("10.0.0.1"), 100)
		for _, ticket := range tickets {
			ticket.Release()
		}
		if got, _ := admit(g, addr("10.0.0.1"), 2); len(got) != 1 {
			t.Errorf("admitted %d more, want 1: two of the burst of 3 are spent, and none by those refused", len(got))
		}
	})
}

func TestPenalties(t *testing.T) {
	from := addr("10.0.0.1")
	penalize := func(g *Gate, o Offence, n int) {
		for range n {
			g.Penalize(from, o)
		}
	}
	tests := []struct {
		name string
		do   func(*Gate)
		shut time.Duration // for how long the address is refused from then on
	}{
		{"below the threshold", func(g *Gate) { penalize(g, AuthFailure, 2) }, 0},
		{"at the threshold", func(g *Gate) { penalize(g, AuthFailure, 3) }, 15 * time.Second},
		{"all kinds add up", func(g *Gate) {
			penalize(g, Refused, 1)
			penalize(g, NoAuth, 2)
			penalize(g, LoginTimeout, 2)
			penalize(g, AuthFailure, 1)
		}, 19 * time.Second},
		{"a crash is enough", func(g *Gate) { penalize(g, Crash, 1) }, 90 * time.Second},
		{"the sum has an end", func(g *Gate) { penalize(g, Crash, 1000) }, 10 * time.Minute},
		{"the sum runs out", func(g *Gate) {
			penalize(g, AuthFailure, 2)
			time.Sleep(6 * time.Second) // 4 s are left
			penalize(g, AuthFailure, 2)
		}, 0},
		{"once shut, until the end", func(g *Gate) {
			penalize(g, Crash, 1)
			time.Sleep(80 * time.Second)
			penalize(g, NoAuth, 1)
		}, 11 * time.Second},
		{"what has run out is forgotten", func(g *Gate) {
			penalize(g, Crash, 1)
			time.Sleep(91 * time.Second)
			penalize(g, AuthFailure, 1)
		}, 0},
		{"no fine, no entry", func(g *Gate) { penalize(g, Offence(99), 5) }, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGate(roomy())
				tt.do(g)
				if tt.shut > 0 {
					time.Sleep(tt.shut - time.Millisecond)
					if ticket, reason := g.Admit(from); ticket != nil || reason != Penalised {
						t.Errorf("just before %v: reason %q, want %q", tt.shut, reason, Penalised)
					}
					if ticket, _ := g.Admit(addr("10.0.0.2")); ticket == nil {
						t.Error("another address pays, too")
					}
					time.Sleep(time.Millisecond)
				}
				if ticket, reason := g.Admit(from); ticket == nil {
					t.Errorf("after %v: refused for %q, want admitted", tt.shut, reason)
				}
			})
		})
	}
}

// Who is let in again after hours of knocking in vain need not wait for hours: what is refused at the door is no further offence.
func TestKnockingForLongShutsNoLongerThanAtFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, from := newGate(roomy()), addr("10.0.0.1")
		for begun := time.Now(); time.Since(begun) < 3*time.Hour; time.Sleep(100 * time.Millisecond) {
			if ticket, _ := g.Admit(from); ticket != nil {
				ticket.Release()
				g.Penalize(from, Refused)
			}
		}
		const most = 20 * time.Second // docs/MODERATING.md says so
		for lifted := time.Now(); ; time.Sleep(100 * time.Millisecond) {
			if _, reason := g.Admit(from); reason == "" {
				return
			}
			if waited := time.Since(lifted); waited > most {
				t.Fatalf("still shut out %v later, want no more than %v", waited, most)
			}
		}
	})
}

func TestExemptAddressIsNotPenalised(t *testing.T) {
	l := roomy()
	l.Exempt = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	g := newGate(l)
	g.Penalize(addr("10.0.0.1"), Crash)
	if ticket, reason := g.Admit(addr("10.0.0.1")); ticket == nil {
		t.Errorf("refused for %q, want admitted", reason)
	}
}

func TestFullPenaltyTableLetsNewcomersGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := roomy()
		l.Penalties.Addresses = 2
		g := newGate(l)
		for i := range 3 {
			g.Penalize(addr(fmt.Sprintf("10.0.0.%d", i)), Crash)
		}
		for i, want := range []Reason{Penalised, Penalised, ""} {
			if _, reason := g.Admit(addr(fmt.Sprintf("10.0.0.%d", i))); reason != want {
				t.Errorf("address %d: reason %q, want %q", i, reason, want)
			}
		}
		time.Sleep(2 * time.Minute)
		g.Penalize(addr("10.0.0.2"), Crash)
		if _, reason := g.Admit(addr("10.0.0.2")); reason != Penalised {
			t.Errorf("after the table's entries have run out: reason %q, want %q", reason, Penalised)
		}
	})
}

func TestTablesNeverGrowWithoutEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(roomy())
		const most = 4096
		g.connects.max = most
		from := func(i int) net.Addr { return addr(fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255)) }
		for i := range most + 100 {
			ticket, reason := g.Admit(from(i))
			if ticket == nil {
				t.Fatalf("address %d refused for %q, want admitted: no place in the table is no reason", i, reason)
			}
			ticket.Release()
		}
		if got := len(g.connects.entries); got > most {
			t.Errorf("%d addresses are rated, want at most %d", got, most)
		}
		time.Sleep(time.Minute) // every bucket is full again
		for i := range most / 4 {
			ticket, _ := g.Admit(from(1<<20 + i))
			ticket.Release()
			time.Sleep(time.Second)
		}
		if got := len(g.connects.entries); got > 64 {
			t.Errorf("%d addresses are rated after a quiet time, want a few", got)
		}
	})
}

func TestFloodIsLoggedOncePerSecondAndAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lines strings.Builder
		l := roomy()
		l.Total = 0
		g := NewGate(l, slog.New(slog.NewTextHandler(&lines, nil)))
		for range 3 {
			admit(g, addr("10.0.0.1"), 50)
			admit(g, addr("10.0.0.2"), 50)
			time.Sleep(time.Second)
		}
		if got := strings.Count(lines.String(), "\n"); got != 6 {
			t.Errorf("%d lines were logged, want 6:\n%s", got, lines.String())
		}
		if want := `msg="connection refused" remote=10.0.0.1:40000 reason=total`; !strings.Contains(lines.String(), want) {
			t.Errorf("log = %q, want it to contain %q", lines.String(), want)
		}
		if got := g.Stats().Unlogged; got != 294 {
			t.Errorf("%d lines were withheld, want 294", got)
		}
		if g.MayLog(addr("10.0.0.1")) != true || g.MayLog(addr("10.0.0.1")) != false {
			t.Error("MayLog does not share the bound of one line a second")
		}
	})
}

func TestLogSaysNothingOfAddressesItCannotCount(t *testing.T) {
	g := newGate(roomy())
	g.lines.max = 1
	for i, want := range []bool{true, false} {
		if got := g.MayLog(addr(fmt.Sprintf("10.0.0.%d", i))); got != want {
			t.Errorf("with room for one address, a line about address %d may be logged = %v, want %v", i, got, want)
		}
	}
}

func TestNobodyNewWhenMemoryIsShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(roomy())
		var need uint64
		reads := 0
		g.memory = func() (uint64, uint64, bool) { reads++; return need, 1000, true }
		for _, tt := range []struct {
			need uint64
			want Reason
		}{{849, ""}, {850, Memory}, {2000, Memory}, {100, ""}} {
			need = tt.need
			time.Sleep(time.Second)
			reads = 0
			for range 100 {
				if _, reason := g.Admit(addr("10.0.0.1")); reason != tt.want {
					t.Fatalf("need %d of 1000: reason %q, want %q", tt.need, reason, tt.want)
				}
			}
			if reads != 1 {
				t.Errorf("memory was read %d times within a second, want 1", reads)
			}
		}
	})
}

func TestConcurrentUseKeepsTheCounts(t *testing.T) {
	l := roomy()
	l.Total, l.PerAddress = 50, 20
	g := newGate(l)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			from := addr(fmt.Sprintf("10.0.0.%d", i%3))
			for range 2000 {
				ticket, _ := g.Admit(from)
				if s := g.Stats(); s.Open > l.Total || s.Unauthenticated > s.Open {
					t.Errorf("open %d of %d, unauthenticated %d", s.Open, l.Total, s.Unauthenticated)
				}
				g.Penalize(from, NoAuth)
				if ticket != nil {
					ticket.Authenticated()
					ticket.Release()
				}
			}
		})
	}
	wg.Wait()
	if s := g.Stats(); s.Open != 0 || s.Unauthenticated != 0 || len(g.addresses) != 0 {
		t.Errorf("in the end open %d, unauthenticated %d, addresses %d; want 0, 0, 0", s.Open, s.Unauthenticated, len(g.addresses))
	}
}

func BenchmarkAdmit(b *testing.B) {
	g := newGate(roomy())
	from := addr("10.0.0.1")
	for b.Loop() {
		if ticket, _ := g.Admit(from); ticket != nil {
			ticket.Release()
		}
	}
}

func BenchmarkAdmitFromManyAddresses(b *testing.B) {
	l := roomy()
	l.Total = 0
	g := newGate(l)
	i := uint64(0)
	for b.Loop() {
		i++
		var ip [16]byte
		ip[0], ip[1] = 0x20, 0x01
		for k := range 6 {
			ip[2+k] = byte(i >> (8 * k))
		}
		g.Admit(net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.AddrFrom16(ip), 1)))
	}
}
