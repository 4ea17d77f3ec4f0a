package journaltest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sarangbang/internal/memjournal"
	"sarangbang/room"
)

// The suite is worth what it catches. Each test here breaks one promise of a sound implementation and wants the case of
// that promise to fail.

// recorder takes the failures of a case instead of a *testing.T.
type recorder struct {
	testing.TB

	mu       sync.Mutex
	failures []string
	cleanups []func()
}

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

func (r *recorder) Error(args ...any) { r.Errorf("%s", fmt.Sprint(args...)) }

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }

// recordFailures runs a case and returns what it complained about.
func recordFailures(t *testing.T, run func(testing.TB)) []string {
	t.Helper()
	r := &recorder{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			for _, f := range slices.Backward(r.cleanups) {
				f()
			}
		}()
		run(r)
	}()
	<-done
	return r.failures
}

// broken is a sound journal of which some calls are replaced.
type broken struct {
	*memjournal.Journal
	append func(ctx context.Context, recs []room.Record) ([]room.Seq, error)
	tail   func(ctx context.Context, after room.Position, fn func([]room.Committed) error) error
	head   func(ctx context.Context) (room.Position, error)
	status <-chan room.State
	gone   atomic.Bool // its process is dead
}

func (b *broken) Append(ctx context.Context, recs ...room.Record) ([]room.Seq, error) {
	if b.gone.Load() {
		return nil, errors.New("its process is dead")
	}
	if b.append != nil {
		return b.append(ctx, recs)
	}
	return b.Journal.Append(ctx, recs...)
}

func (b *broken) Tail(ctx context.Context, after room.Position, fn func([]room.Committed) error) error {
	if b.tail != nil {
		return b.tail(ctx, after, fn)
	}
	return b.Journal.Tail(ctx, after, fn)
}

func (b *broken) Head(ctx context.Context) (room.Position, error) {
	if b.head != nil {
		return b.head(ctx)
	}
	return b.Journal.Head(ctx)
}

func (b *broken) Status() <-chan room.State {
	if b.status != nil {
		return b.status
	}
	return b.Journal.Status()
}

// mapTail makes a Tail that changes what fn is given.
func (b *broken) mapTail(change func([]room.Committed) []room.Committed) {
	b.tail = func(ctx context.Context, after room.Position, fn func([]room.Committed) error) error {
		return b.Journal.Tail(ctx, after, func(batch []room.Committed) error {
			if batch = change(slices.Clone(batch)); len(batch) == 0 {
				return nil
			}
			return fn(batch)
		})
	}
}

func harnessOf(breakIt func(*broken)) Harness {
	return Harness{
		Open: func(tb testing.TB) room.Journal {
			tb.Helper()
			b := &broken{Journal: memjournal.New(memjournal.Options{})}
			breakIt(b)
			tb.Cleanup(b.Close)
			return b
		},
		Suspend: func(_ testing.TB, j room.Journal) func() {
			b := j.(*broken)
			b.Suspend("the test says so")
			return b.Resume
		},
		Patience: time.Second, // some of the broken ones end with it
	}
}

// surviving is a harness whose journal outlives a crash, as one on disk does: the memory of the old one is the disk of the new.
// reopen says what the new process makes of the disk.
func surviving(breakIt func(*broken), reopen func(disk *memjournal.Journal) *broken) Harness {
	h := harnessOf(breakIt)
	h.Reopen = func(_ testing.TB, j room.Journal) room.Journal {
		old := j.(*broken)
		old.gone.Store(true)
		return reopen(old.Journal)
	}
	return h
}

func TestSuiteCatchesBrokenJournals(t *testing.T) {
	sound := func(*broken) {}
	whole := func(disk *memjournal.Journal) *broken {
		b := &broken{Journal: disk}
		guarded(b)
		return b
	}
	for _, tt := range []struct {
		name    string
		want    string // the case that must fail; empty for none
		harness Harness
	}{
		{"sound, dies with its process", "", harnessOf(sound)},
		{"sound, survives", "", surviving(guarded, whole)},
		{"reverses a batch", "places grow in the order of committing", harnessOf(reversesBatches)},
		{"swaps neighbours in a tail", "places grow in the order of committing", harnessOf(swapsInTail)},
		{"splits a batch", "the records of one Append are adjacent", harnessOf(splitsBatches)},
		{"drops one in fifty", "fifty posters share one order", harnessOf(dropsOneInFifty)},
		{"doubles one in fifty", "fifty posters share one order", harnessOf(doublesOneInFifty)},
		{"gives a place twice", "places grow in the order of committing", harnessOf(halvesPlaces)},
		{"keeps the caller's bytes", "a record comes back as it was given", harnessOf(keepsCallersBytes)},
		{"stamps what it was given", "At never runs backwards", harnessOf(stampsWhatItWasGiven)},
		{"forgets IDs", "a retry returns the first place", harnessOf(forgetsIDs)},
		{"forgets IDs amid many", "concurrent retries return one place", harnessOf(forgetsIDs)},
		{"forgets IDs within a call", "a record twice in one Append has one place", harnessOf(forgetsIDsWithinACall)},
		{"measures retries", "a retry is not measured against its Expect again", harnessOf(measuresRetries)},
		{"ignores Expect 0", "Expect 0 means none yet", harnessOf(ignoresExpect)},
		{"ignores Expect", "Expect names the newest record of its subject", harnessOf(ignoresExpect)},
		{"lets everybody win", "of many who expect none one wins", harnessOf(ignoresExpect)},
		{"counts ephemeral records", "Expect does not count ephemeral records", harnessOf(countsEphemeral)},
		{"commits half of a conflict", "a conflict writes nothing of the batch", harnessOf(splitsBatches)},
		{"hides ephemeral records", "ephemeral records are numbered and tailed", harnessOf(hidesEphemeral)},
		{"begins one late", "a tail starts at any place", harnessOf(beginsOneLate)},
		{"tails only what is new", "a tail that starts amid posting misses nothing", harnessOf(tailsOnlyNew)},
		{"forgets what the second tail saw", "tails are alike", harnessOf(starvesSecondTail)},
		{"waits for its tails", "a slow tail holds nobody up", harnessOf(waitsForTails)},
		{"swallows errors of fn", "an error of fn ends its tail", harnessOf(swallowsErrors)},
		{"takes any epoch", "a place of another history is refused", harnessOf(takesAnyEpoch)},
		{"acknowledges before the commit", "what Append returned for is committed", harnessOf(acknowledgesEarly)},
		{"answers an old head", "Head is the newest place", harnessOf(answersOldHead)},
		{"ignores its context", "ended contexts end every call", harnessOf(ignoresContext)},
		{"acknowledges while unavailable", "an unavailable journal says so", harnessOf(acknowledgesUnavailable)},
		{"doubles after an outage", "retries through outages double nothing", harnessOf(forgetsIDsInOutages)},
		{"is silent about its state", "Status tells what changed", harnessOf(func(b *broken) { b.status = make(chan room.State) })},
		{"shares its epoch", "a crash loses nothing acknowledged and reuses no place", harnessOf(sharesEpoch)},
		{"uses places again", "a crash loses nothing acknowledged and reuses no place", surviving(guarded, renumbers)},
		{"loses the newest", "a crash amid posting loses nothing acknowledged", surviving(guarded, losesNewest)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel() // some end only with the suite's patience
			if tt.want == "" {
				tt.harness.Patience = time.Minute // a busy machine is no fault of a sound one
			}
			ran := false
			for _, c := range journalCases() {
				if tt.want != "" && c.name != tt.want {
					continue
				}
				ran = true
				got := recordFailures(t, func(tb testing.TB) {
					tb.Helper()
					tt.harness.run(tb, c)
				})
				if failed := len(got) > 0; failed != (tt.want != "") {
					t.Errorf("case %q failed = %v, want %v: %q", c.name, failed, tt.want != "", got)
				}
			}
			if !ran {
				t.Errorf("no case is called %q", tt.want)
			}
		})
	}
}

func reversed(recs []room.Record) []room.Record {
	recs = slices.Clone(recs)
	slices.Reverse(recs)
	return recs
}

func reversesBatches(b *broken) {
	b.append = func(ctx context.Context, recs []room.Record) ([]room.Seq, error) {
		seqs, err := b.Journal.Append(ctx, reversed(recs)...)
		slices.Reverse(seqs)
		return seqs, err
	}
}

func swapsInTail(b *broken) {
	b.mapTail(func(batch []room.Committed) []room.Committed {
		for i := 1; i < len(batch); i += 2 {
			batch[i-1], batch[i] = batch[i], batch[i-1]
		}
		return batch
	})
}

// splitsBatches commits the records of a call one by one.
func splitsBatches(b *broken) {
	b.append = func(ctx context.Context, recs []room.Record) ([]room.Seq, error) {
		var seqs []room.Seq
		for _, r := range recs {
			s, err := b.Journal.Append(ctx, r)
			if err != nil {
				return nil, err
			}
			seqs = append(seqs, s...)
			runtime.Gosched()
		}
		return seqs, nil
	}
}

func dropsOneInFifty(b *broken) {
	b.mapTail(func(batch []room.Committed) []room.Committed {
		return slices.DeleteFunc(batch, func(c room.Committed) bool { return c.Seq%50 == 0 })
	})
}

func doublesOneInFifty(b *broken) {
	b.mapTail(func(batch []room.Committed) []room.Committed {
		var out []room.Committed
		for _, c := range batch {
			if out = append(out, c); c.Seq%50 == 0 {
				out = append(out, c)
			}
		}
		return out
	})
}

func halvesPlaces(b *broken) {
	b.append = func(ctx context.Context, recs []room.Record) ([]room.Seq, error) {
		seqs, err := b.Journal.Append(ctx, recs...)
		for i := range seqs {
			seqs[i] = (seqs[i] + 1) / 2
		}
		return seqs, err
	}
	b.mapTail(func(batch []room.Committed) []room.Committed {
		for i := range batch {
			batch[i].Seq = (batch[i].Seq + 1) / 2
		}
		return batch
	})
}

func keepsCallersBytes(b *broken) {
	var mu sync.Mutex
	given := map[room.ID][]byte{}
	b.append = func(ctx context.Context, recs []room.Record) ([]room.Seq, error) {
		mu.Lock()
		for _, r := range recs {
			given[r.ID] = r.Data
		}
		mu.Unlock()
		return b.Journal.Append(ctx, recs...)
	}
	b.tail = func(ctx context.Context, after room.Position, fn func([]room.Committed) error) error {
		return b.Journal.Tail(ctx, after, func(batch []room.Committed) error {
			mu.Lock()
			for i, c := range batch {
				batch[i].Record.Data = bytes.Clone(given[c.Record.ID])
			}
			mu.Unlock()
			return fn(batch)
		})
	}
}

func stampsWhatItWasGiven(b *broken) {
	var mu sync.Mutex
	given := map[room.ID]time.Time{}
	b.append = func(ctx context.Context, recs []room.Record) ([]room.Seq, error) {
		mu.Lock()
		for _, r := range recs {
			given[r.ID] = r.At
		}
		mu.Unlock()
		return b.Journal.Append(ctx, recs...)
	}
	b.mapTail(func(batch []room.Committed) []room.Committed {
		mu.Lock()
		defer mu.Unlock()
		for i, c := range batch {
			batch[i].Record.At = given[c.Record.ID]
		}
		return batch
	})
}

// forgetsIDs commits whatever comes as something new; in a tail it shows the ID that was given.
func forgetsIDs(b *broken) { forgetsIDsIf(b, func([]room.Record) bool { return true }) }

// forgetsIDsWithinACall knows only what was committed by an earlier call.
func forgetsIDsWithinACall(b *broken) {
	forgetsIDsIf(b, func(recs []room.Record) bool {
		seen := map[room.ID]bool{}
		for _, r := range recs {
			if seen[r.ID] {
				return true
			}
			seen[r.ID] = true
		}
		return false
	})
}

func forgetsIDsIf(b *broken, forget func([]room.Record) bool) {
	var mu sync.Mutex
	given := map[room.ID]room.ID{}
	b.append = func(ctx context.Context, recs []room.Record) ([]room.Seq, error) {
		if !forget(recs) {
			return b.Journal.Append(ctx, recs...)
		}
		recs = slices.Clone(recs)
		mu.Lock()
		for i, r := range recs {
			recs[i].ID = room.NewID()
			given[recs[i].ID] = r.ID
		}
		mu.Unlock()
		return b.Journal.Append(ctx, recs...)
	}
	b.mapTail(func(batch []room.Committed) []room.Committed {
		mu.Lock()
		defer mu.Unlock()
		for i, c := range batch {
			if id, renamed := given[c.Record.ID]; renamed {
				batch[i].Record.ID = id
			}
		}
		return batch
	})
}

// forgetsIDsInOutages commits although it says that it is unavailable, and does not know the record when it comes again.
func forgetsIDsInOutages(b *broken) {
	var mu sync.Mutex
	known := map[room.ID]bool{}
	forgetsIDsIf(b, func(recs []room.Record) bool { return recs[0].Kind != "mark" })
	inner := b.append
	b.append = func(ctx context.Context, recs []room.Record) ([]room.Seq, error) {
		seqs, err := inner(ctx, recs)
		mu.Lock()
		defer mu.Unlock()
		if first := recs[0]; err == nil && first.Kind != "mark" && !known[first.ID] {
			known[first.ID] = true
			return nil, room.ErrUnavailable
		}
		return seqs, err
	}
}

func measuresRetries(b *broken) {
	var mu sync.Mutex
	last := map[room.Subject]room.Seq{}
	b.append = func(ctx context.Context, recs []room.Record) ([]room.Seq, error) {
		mu.Lock()
		defer mu.Unlock()
		for _, r := range recs {
			if r.Expect != nil && *r.Expect != last[r.Subject] {
				return nil, room.ErrConflict
			}
		}
		seqs, err := b.Journal.Append(ctx, recs...)
		for i := range seqs {
			last[recs[i].Subject] = seqs[i]
		}
		return seqs, err
	}
}

func ignoresExpect(b *broken) {
	b.append = func(ctx context.Context, recs []room.Record) ([]room.Seq, error) {
		recs = slices.Clone(recs)
		for i := range recs {
			recs[i].Expect = nil
		}
		return b.Journal.Append(ctx, recs...)
	}
}

// countsEphemeral gives the journal behind it everything as if it were to be kept.
func countsEphemeral(b *broken) {
	b.append = func(ctx context.Context, recs []room.Record) ([]room.Seq, error) {
		recs = slices.Clone(recs)
		for i := range recs {
			recs[i].Ephemeral = false
		}
		return b.Journal.Append(ctx, recs...)
	}
}

func hidesEphemeral(b *broken) {
	b.mapTail(func(batch []room.Committed) []room.Committed {
		return slices.DeleteFunc(batch, func(c room.Committed) bool { return c.Record.Ephemeral })
	})
}

func beginsOneLate(b *broken) {
	b.tail = func(ctx context.Context, after room.Position, fn func([]room.Committed) error) error {
		if after.Seq > 0 {
			after.Seq++
		}
		return b.Journal.Tail(ctx, after, fn)
	}
}

func tailsOnlyNew(b *broken) {
	b.tail = func(ctx context.Context, _ room.Position, fn func([]room.Committed) error) error {
		head, err := b.Journal.Head(ctx)
		if err != nil {
			return err
		}
		return b.Journal.Tail(ctx, head, fn)
	}
}

// starvesSecondTail has one buffer for all its tails: what one of them takes another does not get.
func starvesSecondTail(b *broken) {
	var mu sync.Mutex
	tails := 0
	b.tail = func(ctx context.Context, after room.Position, fn func([]room.Committed) error) error {
		mu.Lock()
		tails++
		second := tails == 2
		mu.Unlock()
		return b.Journal.Tail(ctx, after, func(batch []room.Committed) error {
			if second {
				batch = slices.DeleteFunc(slices.Clone(batch), func(c room.Committed) bool { return c.Seq%20 == 0 })
			}
			if len(batch) == 0 {
				return nil
			}
			return fn(batch)
		})
	}
}

// waitsForTails holds a lock over fn that committing needs too.
func waitsForTails(b *broken) {
	turn := make(chan struct{}, 1)
	b.tail = func(ctx context.Context, after room.Position, fn func([]room.Committed) error) error {
		return b.Journal.Tail(ctx, after, func(batch []room.Committed) error {
			turn <- struct{}{}
			defer func() { <-turn }()
			return fn(batch)
		})
	}
	b.append = func(ctx context.Context, recs []room.Record) ([]room.Seq, error) {
		select {
		case turn <- struct{}{}:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		defer func() { <-turn }()
		return b.Journal.Append(ctx, recs...)
	}
}

func swallowsErrors(b *broken) {
	b.tail = func(ctx context.Context, after room.Position, fn func([]room.Committed) error) error {
		return b.Journal.Tail(ctx, after, func(batch []room.Committed) error {
			_ = fn(batch)
			return nil
		})
	}
}

func takesAnyEpoch(b *broken) {
	b.tail = func(ctx context.Context, after room.Position, fn func([]room.Committed) error) error {
		head, err := b.Journal.Head(ctx)
		if err != nil {
			return err
		}
		if after.Epoch != "" {
			after.Epoch = head.Epoch
		}
		return b.Journal.Tail(ctx, after, fn)
	}
}

// acknowledgesEarly commits a call's records when the next call comes.
func acknowledgesEarly(b *broken) {
	var mu sync.Mutex
	var waiting []room.Record
	b.append = func(ctx context.Context, recs []room.Record) ([]room.Seq, error) {
		mu.Lock()
		defer mu.Unlock()
		if _, err := b.Journal.Append(ctx, waiting...); err != nil {
			return nil, err
		}
		waiting = slices.Clone(recs)
		head, err := b.Journal.Head(ctx)
		seqs := make([]room.Seq, len(recs))
		for i := range seqs {
			seqs[i] = head.Seq + room.Seq(i) + 1
		}
		return seqs, err
	}
}

func answersOldHead(b *broken) {
	b.head = func(ctx context.Context) (room.Position, error) {
		p, err := b.Journal.Head(ctx)
		p.Seq -= min(p.Seq, 1)
		return p, err
	}
}

func ignoresContext(b *broken) {
	b.append = func(ctx context.Context, recs []room.Record) ([]room.Seq, error) {
		return b.Journal.Append(context.WithoutCancel(ctx), recs...)
	}
}

// acknowledgesUnavailable says that all is well, and commits later.
func acknowledgesUnavailable(b *broken) {
	b.append = func(ctx context.Context, recs []room.Record) ([]room.Seq, error) {
		seqs, err := b.Journal.Append(ctx, recs...)
		if errors.Is(err, room.ErrUnavailable) {
			return make([]room.Seq, len(recs)), nil
		}
		return seqs, err
	}
}

func sharesEpoch(b *broken) {
	b.head = func(ctx context.Context) (room.Position, error) {
		p, err := b.Journal.Head(ctx)
		p.Epoch = "always the same"
		return p, err
	}
	takesAnyEpoch(b)
}

// guarded is sound; its epoch is of the disk, so that what reopens a damaged disk still claims to be the same history.
func guarded(b *broken) {
	sharesEpoch(b)
	open := b.tail
	b.tail = func(ctx context.Context, after room.Position, fn func([]room.Committed) error) error {
		if after.Epoch != "" && after.Epoch != "always the same" {
			return room.ErrTrimmed
		}
		return open(ctx, after, fn)
	}
}

// copied is what a process makes of a disk that holds only some of its records.
func copied(disk *memjournal.Journal, keep func(room.Committed) bool) *broken {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	head, _ := disk.Head(ctx)
	b := &broken{Journal: memjournal.New(memjournal.Options{})}
	guarded(b)
	_ = disk.Tail(ctx, room.Position{}, func(batch []room.Committed) error {
		for _, c := range batch {
			if keep(c) {
				_, _ = b.Journal.Append(ctx, c.Record)
			}
			if c.Seq >= head.Seq {
				cancel()
			}
		}
		return nil
	})
	return b
}

// renumbers goes on after the highest place on disk, where the ephemeral ones never were.
func renumbers(disk *memjournal.Journal) *broken {
	return copied(disk, func(c room.Committed) bool { return !c.Record.Ephemeral })
}

// losesNewest is what an acknowledgement before the fsync comes to.
func losesNewest(disk *memjournal.Journal) *broken {
	head, _ := disk.Head(context.Background())
	return copied(disk, func(c room.Committed) bool { return c.Seq+5 < head.Seq })
}

// brokenLeases is sound leases of which some calls are replaced.
type brokenLeases struct {
	*memjournal.Leases
	acquire func(ctx context.Context, names []string, owner room.Owner) (room.Lease, error)
	release func(ctx context.Context, l room.Lease) error
}

func (b *brokenLeases) Acquire(ctx context.Context, names []string, owner room.Owner) (room.Lease, error) {
	if b.acquire != nil {
		return b.acquire(ctx, names, owner)
	}
	return b.Leases.Acquire(ctx, names, owner)
}

func (b *brokenLeases) Release(ctx context.Context, l room.Lease) error {
	if b.release != nil {
		return b.release(ctx, l)
	}
	return b.Leases.Release(ctx, l)
}

func TestSuiteCatchesBrokenLeases(t *testing.T) {
	for _, tt := range []struct {
		name    string
		want    string // the case that must fail; empty for none
		breakIt func(*brokenLeases)
	}{
		{"sound", "", func(*brokenLeases) {}},
		{"lets all in", "a name is held by one owner", letsAllIn},
		{"takes names one by one", "all names or none", takesOneByOne},
		{"takes names one by one, and claims overlap", "overlapping claims leave nothing behind", takesOneByOne},
		{"refuses its own owner", "the same owner counts up", refusesOwner},
		{"releases all at once", "the same owner counts up", releasesAll},
		{"releases twice", "releasing twice is once", releasesTwice},
		{"releases by name", "an unknown lease is released without an error", releasesByName},
		{"looks, then takes", "of fifty claimants one wins", looksThenTakes},
		{"ignores its context", "an ended context takes nothing", ignoresLeaseContext},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ran := false
			for _, c := range leaseCases() {
				if tt.want != "" && c.name != tt.want {
					continue
				}
				ran = true
				got := recordFailures(t, func(tb testing.TB) {
					tb.Helper()
					c.run(tb, func(testing.TB) room.Leases {
						b := &brokenLeases{Leases: memjournal.NewLeases()}
						tt.breakIt(b)
						return b
					})
				})
				if failed := len(got) > 0; failed != (tt.want != "") {
					t.Errorf("case %q failed = %v, want %v: %q", c.name, failed, tt.want != "", got)
				}
			}
			if !ran {
				t.Errorf("no case is called %q", tt.want)
			}
		})
	}
}

func letsAllIn(b *brokenLeases) {
	b.acquire = func(ctx context.Context, names []string, _ room.Owner) (room.Lease, error) {
		return b.Leases.Acquire(ctx, names, "everybody")
	}
}

func takesOneByOne(b *brokenLeases) {
	b.acquire = func(ctx context.Context, names []string, owner room.Owner) (l room.Lease, err error) {
		for _, n := range names {
			if l, err = b.Leases.Acquire(ctx, []string{n}, owner); err != nil {
				return l, err
			}
		}
		return l, nil
	}
}

func refusesOwner(b *brokenLeases) {
	b.acquire = func(ctx context.Context, names []string, owner room.Owner) (room.Lease, error) {
		return b.Leases.Acquire(ctx, names, owner+room.Owner(room.NewID().String()))
	}
}

// remembered keeps every lease by the name of its owner.
func remembered(b *brokenLeases, then func(ctx context.Context, l room.Lease, all []room.Lease) error) {
	var mu sync.Mutex
	all := map[room.Owner][]room.Lease{}
	b.acquire = func(ctx context.Context, names []string, owner room.Owner) (room.Lease, error) {
		l, err := b.Leases.Acquire(ctx, names, owner)
		if err == nil {
			mu.Lock()
			defer mu.Unlock()
			all[owner] = append(all[owner], l)
		}
		return l, err
	}
	b.release = func(ctx context.Context, l room.Lease) error {
		mu.Lock()
		defer mu.Unlock()
		return then(ctx, l, all[l.Owner])
	}
}

func releasesAll(b *brokenLeases) {
	remembered(b, func(ctx context.Context, _ room.Lease, all []room.Lease) error {
		for _, l := range all {
			_ = b.Leases.Release(ctx, l)
		}
		return nil
	})
}

// releasesTwice counts down for a lease that was given back already.
func releasesTwice(b *brokenLeases) {
	gone := map[uint64]bool{}
	remembered(b, func(ctx context.Context, l room.Lease, all []room.Lease) error {
		for _, same := range all {
			if !gone[same.ID] {
				gone[same.ID] = true
				return b.Leases.Release(ctx, same)
			}
		}
		return nil
	})
}

func releasesByName(b *brokenLeases) {
	var mu sync.Mutex
	by := map[string]room.Lease{}
	b.acquire = func(ctx context.Context, names []string, owner room.Owner) (room.Lease, error) {
		l, err := b.Leases.Acquire(ctx, names, owner)
		if err == nil {
			mu.Lock()
			defer mu.Unlock()
			for _, n := range names {
				by[n] = l
			}
		}
		return l, err
	}
	b.release = func(ctx context.Context, l room.Lease) error {
		mu.Lock()
		defer mu.Unlock()
		for _, n := range l.Names {
			_ = b.Leases.Release(ctx, by[n])
		}
		return nil
	}
}

func looksThenTakes(b *brokenLeases) {
	var mu sync.Mutex
	held := map[string]bool{}
	b.acquire = func(_ context.Context, names []string, owner room.Owner) (room.Lease, error) {
		mu.Lock()
		taken := held[names[0]]
		mu.Unlock()
		if taken {
			return room.Lease{}, room.ErrHeld
		}
		runtime.Gosched()
		mu.Lock()
		defer mu.Unlock()
		for _, n := range names {
			held[n] = true
		}
		return room.Lease{Owner: owner, Names: names}, nil
	}
}

func ignoresLeaseContext(b *brokenLeases) {
	b.acquire = func(ctx context.Context, names []string, owner room.Owner) (room.Lease, error) {
		return b.Leases.Acquire(context.WithoutCancel(ctx), names, owner)
	}
}
