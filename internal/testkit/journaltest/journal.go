package journaltest

import (
	"context"
	"testing"
	"time"

	"sarangbang/room"
)

// Harness says how to get at one implementation of [room.Journal].
type Harness struct {
	// Open returns a new journal that holds nothing, and ends it by t.Cleanup.
	Open func(t testing.TB) room.Journal
	// Reopen ends j at once, as a crash of its process would, and opens what is left of it. It is nil for a journal that dies
	// with its process: then a new one must not be mistaken for it, so its Epoch must differ.
	Reopen func(t testing.TB, j room.Journal) room.Journal
	// Suspend makes j unavailable, as a full disk or a lost network does, until mend is called. Both return when j has noticed.
	Suspend func(t testing.TB, j room.Journal) (mend func())
	// Patience is how long the suite waits for what must happen before it calls it a failure; 10 s if zero.
	Patience time.Duration
}

// Run runs the suite for journals, each case on a journal of its own.
func Run(t *testing.T, h Harness) {
	t.Helper()
	for _, c := range journalCases() {
		t.Run(c.name, func(t *testing.T) { h.run(t, c) })
	}
}

// journalCase is one promise of a journal.
type journalCase struct {
	name string
	test func(*journalTest)
}

func journalCases() []journalCase {
	return []journalCase{
		{"a record comes back as it was given", keepsRecords},
		{"places grow in the order of committing", numbersInOrder},
		{"the records of one Append are adjacent", keepsBatchesTogether},
		{"fifty posters share one order", ordersPosters},
		{"an Append of nothing does nothing", appendsNothing},
		{"At never runs backwards", stampsTime},

		{"a retry returns the first place", recognisesRetries},
		{"concurrent retries return one place", recognisesConcurrentRetries},
		{"a record twice in one Append has one place", recognisesDuplicatesInOneAppend},
		{"a retry among new records keeps its place", recognisesRetriesAmongNew},
		{"a retry is not measured against its Expect again", retriesWithoutExpectation},

		{"Expect 0 means none yet", expectsNone},
		{"Expect names the newest record of its subject", expectsNewest},
		{"Expect does not count ephemeral records", expectsKeptRecords},
		{"a conflict writes nothing of the batch", conflictsWhole},
		{"of many who expect none one wins", conflictsAllButOne},

		{"ephemeral records are numbered and tailed", tailsEphemeral},
		{"a tail starts at any place", tailsFromAnyPlace},
		{"a tail that starts amid posting misses nothing", tailsAmidPosting},
		{"tails are alike", tailsAlike},
		{"a slow tail holds nobody up", tailsSlowly},
		{"an error of fn ends its tail", tailEndsWithItsError},
		{"a place of another history is refused", refusesForeignPlaces},

		{"what Append returned for is committed", acknowledgesCommitted},
		{"Head is the newest place", headIsNewest},
		{"ended contexts end every call", contextsEnd},
		{"an unavailable journal says so", tellsUnavailable},
		{"retries through outages double nothing", retriesThroughOutages},
		{"Status tells what changed", tellsStatus},
		{"a crash loses nothing acknowledged and reuses no place", survivesCrash},
		{"a crash amid posting loses nothing acknowledged", survivesCrashAmidPosting},
	}
}

// journalTest is one run of one case.
type journalTest struct {
	testing.TB
	Harness
	journal room.Journal
	ctx     context.Context // the lifetime of the case
}

func (h Harness) run(tb testing.TB, c journalCase) {
	tb.Helper()
	if h.Patience == 0 {
		h.Patience = 10 * time.Second
	}
	ctx, cancel := context.WithCancel(tb.Context())
	tb.Cleanup(cancel)
	c.test(&journalTest{TB: tb, Harness: h, journal: h.Open(tb), ctx: ctx})
}

// patient returns a context for a call that must succeed.
func (t *journalTest) patient() (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(t.ctx, t.Patience, errImpatient)
}

// append commits records that nothing should keep from it.
func (t *journalTest) append(recs ...room.Record) []room.Seq {
	t.Helper()
	ctx, cancel := t.patient()
	defer cancel()
	seqs, err := t.journal.Append(ctx, recs...)
	if err != nil || len(seqs) != len(recs) {
		t.Fatalf("Append of %d records = %d places, %v; want %d, nil", len(recs), len(seqs), err, len(recs))
	}
	return seqs
}

func (t *journalTest) head() room.Position {
	t.Helper()
	ctx, cancel := t.patient()
	defer cancel()
	p, err := t.journal.Head(ctx)
	if err != nil {
		t.Fatalf("Head = %v, want no error", err)
	}
	return p
}

// at is a place in the journal as it is now.
func (t *journalTest) at(s room.Seq) room.Position {
	t.Helper()
	return room.Position{Epoch: t.head().Epoch, Seq: s}
}

// want reports a call that did not end with the wanted error; nil wants none.
func (t *journalTest) want(err, want error, doing string) {
	t.Helper()
	if !is(err, want) {
		t.Errorf("%s = %v, want %v", doing, err, want)
	}
}
