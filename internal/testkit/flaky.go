package testkit

import (
	"context"
	"fmt"
	"sync"

	"sarangbang/room"
)

// FlakyJournal is a journal whose Append fails on demand with [room.ErrUnavailable], before or after the commit, and can be
// held up. Everything else goes to the journal behind it. Its methods may be called from any goroutine.
type FlakyJournal struct {
	room.Journal

	mu     sync.Mutex
	before int           // guarded by mu; calls yet to fail before the commit
	after  int           // guarded by mu; calls yet to fail after it
	calls  int           // guarded by mu
	gate   chan struct{} // guarded by mu; calls wait until it is closed; nil lets them through
}

// Flaky wraps a journal that so far works as it did.
func Flaky(j room.Journal) *FlakyJournal { return &FlakyJournal{Journal: j} }

// FailBefore makes the next n calls of Append fail without committing anything.
func (f *FlakyJournal) FailBefore(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.before = n
}

// FailAfter makes the next n calls of Append that commit fail all the same, as if the answer was lost.
func (f *FlakyJournal) FailAfter(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.after = n
}

// Hold makes every Append wait before the commit until release is called; a second call of release does nothing.
func (f *FlakyJournal) Hold() (release func()) {
	gate := make(chan struct{})
	f.mu.Lock()
	defer f.mu.Unlock()
	f.gate = gate
	return sync.OnceFunc(func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		close(gate)
		if f.gate == gate {
			f.gate = nil
		}
	})
}

// Calls returns how often Append was called so far.
func (f *FlakyJournal) Calls() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}

// Append implements [room.Journal].
func (f *FlakyJournal) Append(ctx context.Context, recs ...room.Record) ([]room.Seq, error) {
	f.mu.Lock()
	f.calls++
	gate := f.gate
	f.mu.Unlock()
	if gate != nil {
		select {
		case <-gate:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	if f.take(&f.before) {
		return nil, fmt.Errorf("%w: refused before the commit", room.ErrUnavailable)
	}
	seqs, err := f.Journal.Append(ctx, recs...)
	if err == nil && f.take(&f.after) {
		return nil, fmt.Errorf("%w: the answer was lost", room.ErrUnavailable)
	}
	return seqs, err
}

// take uses up one of the failures that are due.
func (f *FlakyJournal) take(due *int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if *due == 0 {
		return false
	}
	*due--
	return true
}
