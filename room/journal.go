package room

import (
	"context"
	"errors"
)

// Committed is a record in its place.
type Committed struct {
	Seq    Seq
	Record Record
}

// Journal is the one totally ordered, durable sequence of records of the house. All methods may be called from any
// goroutine. Every implementation passes the conformance suite in internal/testkit unchanged.
type Journal interface {
	// Append commits recs in order, adjacent where it can, after everything that was committed before, and returns their
	// places. It blocks until they are as durable as the journal makes them, or ctx ends. It is idempotent on each ID: for a
	// record that is already there it returns the first place and commits nothing. All or nothing is written.
	//
	// Errors: ErrUnavailable, the outcome is unknown, call again with the same IDs; ErrNotSaved, nothing was written, and to call
	// again at once will not help; ErrConflict, an Expect did not hold and nothing was written; the cause of ctx, outcome
	// unknown.
	Append(ctx context.Context, recs ...Record) ([]Seq, error)
	// Tail calls fn with every record after the position, in order, each once, gathered as they were committed, until ctx ends
	// or fn fails, and returns that error. Ephemeral records that are no longer kept are left out. fn must be quick: it does no
	// I/O, keeps no part of the slice, and never calls Append. Committing never waits for a Tail. ErrTrimmed: the journal no
	// longer holds the record after the position. The zero Position is the beginning of what is kept.
	Tail(ctx context.Context, after Position, fn func([]Committed) error) error
	// Head returns the place of the newest committed record.
	Head(ctx context.Context) (Position, error)
	// Status returns a channel that gives the state whenever it changes, the first one at once; a state that nobody took is
	// replaced by the newer one. It is for one reader and is never closed.
	Status() <-chan State
}

// State tells how a journal fares.
type State struct {
	Connected bool
	Reason    string // why not, for a person who runs the house
}

// What an Append or Tail can fail with, beside the end of its context.
var (
	ErrUnavailable = errors.New("journal unavailable, outcome unknown")
	ErrNotSaved    = errors.New("journal cannot save, nothing was written")
	ErrConflict    = errors.New("expected place does not hold")
	ErrTrimmed     = errors.New("journal no longer keeps that place")
)

// Unsaved says of an error that a record is not saved, as far as is known, and that the same may be tried again later.
func Unsaved(err error) bool { return errors.Is(err, ErrUnavailable) || errors.Is(err, ErrNotSaved) }

// Owner is who holds a lease: the same owner may hold the same names many times.
type Owner string

// Lease is names held by an owner, one time. It is given back once.
type Lease struct {
	ID    uint64
	Owner Owner
	Names []string
}

// ErrHeld says that another owner holds one of the names.
var ErrHeld = errors.New("name is held by another")

// Leases hold what exists only while somebody is there: the names of the people who are online. All methods may be called
// from any goroutine. Every implementation passes the conformance suite in internal/testkit unchanged.
type Leases interface {
	// Acquire takes all the names for owner or, if another owner holds any of them, none (ErrHeld). What the same owner holds
	// already is counted up, and given free when every lease on it has been released. ErrUnavailable: nothing was taken.
	Acquire(ctx context.Context, names []string, owner Owner) (Lease, error)
	// Release gives a lease back. One that is not held any more is no error.
	Release(ctx context.Context, l Lease) error
	// Lost gives every lease that the holder lost without releasing it. It is for one reader and is never closed.
	Lost() <-chan Lease
}
