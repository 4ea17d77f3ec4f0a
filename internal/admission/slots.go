package admission

import (
	"context"
	"errors"
	"time"
)

// ErrBusy says that no slot became free in time.
var ErrBusy = errors.New("no free slot")

// Slots bound how many key exchanges compute at once, so that a flood of them leaves processors for those who chat. A slot
// is to be held while something computes, never while a peer is waited for: a silent peer would keep it from others.
// Its methods may be called from any goroutine.
type Slots struct {
	held chan struct{}
	wait time.Duration
}

// NewSlots returns n slots, for each of which people wait at most so long.
func NewSlots(n int, wait time.Duration) *Slots {
	return &Slots{held: make(chan struct{}, n), wait: wait}
}

// Acquire takes a slot, which the caller gives back with Release. It waits for one until ctx ends (the error is its cause)
// or the wait is over ([ErrBusy]).
func (s *Slots) Acquire(ctx context.Context) error {
	select {
	case s.held <- struct{}{}:
		return nil
	default:
	}
	late := time.NewTimer(s.wait)
	defer late.Stop()
	select {
	case s.held <- struct{}{}:
		return nil
	case <-late.C:
		return ErrBusy
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Release gives a slot back. Without a held one it panics: a count that is wrong once is wrong for ever.
func (s *Slots) Release() {
	select {
	case <-s.held:
	default:
		panic("admission: release of a slot that nobody holds")
	}
}
