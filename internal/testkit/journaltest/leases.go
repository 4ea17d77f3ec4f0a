package journaltest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"sarangbang/room"
)

// RunLeases runs the suite for leases, each case on leases of its own: open returns some of which none is held, and ends
// them by t.Cleanup.
func RunLeases(t *testing.T, open func(t testing.TB) room.Leases) {
	t.Helper()
	for _, c := range leaseCases() {
		t.Run(c.name, func(t *testing.T) { c.run(t, open) })
	}
}

// leaseCase is one promise of leases.
type leaseCase struct {
	name string
	test func(*leaseTest)
}

func leaseCases() []leaseCase {
	return []leaseCase{
		{"a name is held by one owner", holdNames},
		{"all names or none", holdAllOrNone},
		{"the same owner counts up", countUp},
		{"releasing twice is once", releaseOnce},
		{"an unknown lease is released without an error", releaseUnknown},
		{"of fifty claimants one wins", holdByOne},
		{"overlapping claims leave nothing behind", overlap},
		{"an ended context takes nothing", leaseContextsEnd},
	}
}

// leaseTest is one run of one case.
type leaseTest struct {
	testing.TB
	leases room.Leases
	ctx    context.Context // the lifetime of the case
}

func (c leaseCase) run(tb testing.TB, open func(testing.TB) room.Leases) {
	tb.Helper()
	ctx, cancel := context.WithCancel(tb.Context())
	tb.Cleanup(cancel)
	c.test(&leaseTest{TB: tb, leases: open(tb), ctx: ctx})
}

func (t *leaseTest) acquire(owner room.Owner, names ...string) room.Lease {
	t.Helper()
	l, err := t.leases.Acquire(t.ctx, names, owner)
	if err != nil {
		t.Fatalf("Acquire of %q for %s = %v, want no error", names, owner, err)
	}
	return l
}

func (t *leaseTest) refused(owner room.Owner, names ...string) {
	t.Helper()
	if _, err := t.leases.Acquire(t.ctx, names, owner); !errors.Is(err, room.ErrHeld) {
		t.Errorf("Acquire of %q for %s = %v, want %v", names, owner, err, room.ErrHeld)
	}
}

func (t *leaseTest) release(l room.Lease) {
	t.Helper()
	if err := t.leases.Release(t.ctx, l); err != nil {
		t.Errorf("Release of %q = %v, want no error", l.Names, err)
	}
}

func holdNames(t *leaseTest) {
	kim := t.acquire("kim", "nick/김", "skeleton/김")
	t.refused("lee", "nick/김")
	t.refused("lee", "skeleton/김")
	t.acquire("lee", "nick/이")
	t.release(kim)
	again := t.acquire("lee", "nick/김", "skeleton/김")
	t.refused("kim", "nick/김")
	t.release(again)
}

func holdAllOrNone(t *leaseTest) {
	t.acquire("kim", "b")
	t.refused("lee", "a", "b", "c")
	t.acquire("park", "a", "c") // so lee has neither
}

func countUp(t *leaseTest) {
	first := t.acquire("kim", "a", "b")
	second := t.acquire("kim", "a", "b")
	third := t.acquire("kim", "a")
	t.release(second)
	t.refused("lee", "b")
	t.release(first)
	t.acquire("lee", "b")
	t.refused("lee", "a")
	t.release(third)
	t.acquire("lee", "a")
}

func releaseOnce(t *leaseTest) {
	first, second := t.acquire("kim", "a"), t.acquire("kim", "a")
	t.release(first)
	t.release(first)
	t.refused("lee", "a") // the second lease was not touched
	t.release(second)
	lee := t.acquire("lee", "a")
	t.release(second)
	t.release(first)
	t.refused("kim", "a") // nor is somebody else's
	t.release(lee)
}

func releaseUnknown(t *leaseTest) {
	t.acquire("kim", "a")
	t.release(room.Lease{})
	t.release(room.Lease{ID: 1 << 60, Owner: "lee", Names: []string{"a"}})
	t.refused("lee", "a")
}

func holdByOne(t *leaseTest) {
	const claimants, rounds = 50, 20
	for round := range rounds {
		names := []string{fmt.Sprintf("nick/%d", round), fmt.Sprintf("skeleton/%d", round)}
		won := make([]error, claimants)
		var wg sync.WaitGroup
		start := make(chan struct{}) // or the first could be through before there is a second
		for i := range claimants {
			wg.Go(func() {
				<-start
				_, won[i] = t.leases.Acquire(t.ctx, names, room.Owner(fmt.Sprintf("owner-%d", i)))
			})
		}
		close(start)
		wg.Wait()
		wins := 0
		for i, err := range won {
			switch {
			case err == nil:
				wins++
			case !errors.Is(err, room.ErrHeld):
				t.Fatalf("Acquire of claimant %d = %v, want no error or %v", i, err, room.ErrHeld)
			}
		}
		if wins != 1 {
			t.Fatalf("%d of %d claimants won, want 1", wins, claimants)
		}
	}
}

func overlap(t *leaseTest) {
	const claimants, rounds = 8, 100
	all := []string{"a", "b", "c", "d"}
	var mu sync.Mutex
	inside := map[string]room.Owner{} // guarded by mu; who believes to hold a name
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range claimants {
		owner := room.Owner(fmt.Sprintf("owner-%d", i))
		names := []string{all[i%len(all)], all[(i+1)%len(all)]} // each overlaps with two others, in both orders
		wg.Go(func() {
			<-start
			for range rounds {
				l, err := t.leases.Acquire(t.ctx, names, owner)
				if errors.Is(err, room.ErrHeld) {
					continue
				}
				if err != nil {
					t.Errorf("Acquire = %v, want no error or %v", err, room.ErrHeld)
					return
				}
				mu.Lock()
				for _, n := range names {
					if other, taken := inside[n]; taken {
						t.Errorf("%s and %s hold %s at once", other, owner, n)
					}
					inside[n] = owner
				}
				mu.Unlock()
				mu.Lock()
				for _, n := range names {
					delete(inside, n)
				}
				mu.Unlock()
				if err := t.leases.Release(t.ctx, l); err != nil {
					t.Errorf("Release = %v, want no error", err)
				}
			}
		})
	}
	close(start)
	wg.Wait()
	t.acquire("last", all...)
}

func leaseContextsEnd(t *leaseTest) {
	cause := errors.New("the person hung up")
	ended, end := context.WithCancelCause(t.ctx)
	end(cause)
	if _, err := t.leases.Acquire(ended, []string{"a", "b"}, "kim"); !errors.Is(err, cause) {
		t.Errorf("Acquire with an ended context = %v, want %v", err, cause)
	}
	lee := t.acquire("lee", "a", "b") // so nothing was taken
	// Whether it was given back may be unknown; releasing again makes it so.
	_ = t.leases.Release(ended, lee)
	t.release(lee)
	t.acquire("kim", "a", "b")
}
