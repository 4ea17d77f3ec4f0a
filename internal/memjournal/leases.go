package memjournal

import (
	"context"
	"slices"
	"sync"

	"sarangbang/room"
)

// Leases is a [room.Leases] in memory. Its methods may be called from any goroutine and never wait. No lease is ever lost.
type Leases struct {
	lost chan room.Lease

	mu    sync.Mutex
	given uint64              // guarded by mu; the ID of the newest lease
	names map[string]hold     // guarded by mu
	open  map[uint64][]string // guarded by mu; the names of every lease that was not released, by its ID
}

// hold is how often an owner holds a name.
type hold struct {
	owner room.Owner
	times int
}

// NewLeases makes leases of which none is held.
func NewLeases() *Leases {
	return &Leases{lost: make(chan room.Lease), names: map[string]hold{}, open: map[uint64][]string{}}
}

// Acquire implements [room.Leases].
func (l *Leases) Acquire(ctx context.Context, names []string, owner room.Owner) (room.Lease, error) {
	if ctx.Err() != nil {
		return room.Lease{}, context.Cause(ctx)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, n := range names {
		if h, held := l.names[n]; held && h.owner != owner {
			return room.Lease{}, room.ErrHeld
		}
	}
	for _, n := range names {
		l.names[n] = hold{owner: owner, times: l.names[n].times + 1}
	}
	l.given++
	l.open[l.given] = slices.Clone(names) // what is given back is what was taken, whatever the caller does to the lease
	return room.Lease{ID: l.given, Owner: owner, Names: slices.Clone(names)}, nil
}

// Release implements [room.Leases]. It gives the lease back even when ctx has ended: it waits for nothing, and a name that
// stayed held would keep its owner out.
func (l *Leases) Release(_ context.Context, lease room.Lease) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, n := range l.open[lease.ID] {
		if h := l.names[n]; h.times > 1 {
			l.names[n] = hold{owner: h.owner, times: h.times - 1}
		} else {
			delete(l.names, n)
		}
	}
	delete(l.open, lease.ID)
	return nil
}

// Lost implements [room.Leases]. Nothing ever comes from it.
func (l *Leases) Lost() <-chan room.Lease { return l.lost }
