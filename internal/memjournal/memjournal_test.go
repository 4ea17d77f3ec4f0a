package memjournal_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"sarangbang/internal/memjournal"
	"sarangbang/internal/testkit/journaltest"
	"sarangbang/room"
)

func TestJournalConforms(t *testing.T) {
	journaltest.Run(t, journaltest.Harness{
		Open: open,
		Suspend: func(_ testing.TB, j room.Journal) (mend func()) {
			m := j.(*memjournal.Journal)
			m.Suspend("the test says so")
			return m.Resume
		},
	})
}

func open(tb testing.TB) room.Journal {
	tb.Helper()
	j := memjournal.New(memjournal.Options{})
	tb.Cleanup(j.Close)
	return j
}

func TestLeasesConform(t *testing.T) {
	journaltest.RunLeases(t, func(testing.TB) room.Leases { return memjournal.NewLeases() })
}

func append1(t *testing.T, j *memjournal.Journal, r room.Record) room.Seq {
	t.Helper()
	seqs, err := j.Append(t.Context(), r)
	if err != nil {
		t.Fatalf("Append = %v, want no error", err)
	}
	return seqs[0]
}

func said(text string) room.Record {
	return room.Record{ID: room.NewID(), Subject: room.Lobby, Kind: "said", Data: []byte(text)}
}

var errEnough = errors.New("enough")

// firstAfter returns the place of the first record that a tail gives.
func firstAfter(t *testing.T, j *memjournal.Journal, after room.Position) (first room.Seq, err error) {
	t.Helper()
	err = j.Tail(t.Context(), after, func(batch []room.Committed) error {
		first = batch[0].Seq
		return errEnough
	})
	return first, err
}

func TestWhatIsNotKeptIsForgotten(t *testing.T) {
	j := memjournal.New(memjournal.Options{Keep: 4})
	recs := make([]room.Record, 10)
	for i := range recs {
		recs[i] = said("hi")
		append1(t, j, recs[i])
	}
	if first, err := firstAfter(t, j, room.Position{}); first != 7 || !errors.Is(err, errEnough) {
		t.Errorf("a tail from the beginning starts at %d (%v), want 7", first, err)
	}
	head, _ := j.Head(t.Context())
	if first, err := firstAfter(t, j, room.Position{Epoch: head.Epoch, Seq: 6}); first != 7 || !errors.Is(err, errEnough) {
		t.Errorf("a tail after 6 starts at %d (%v), want 7", first, err)
	}
	if _, err := firstAfter(t, j, room.Position{Epoch: head.Epoch, Seq: 5}); !errors.Is(err, room.ErrTrimmed) {
		t.Errorf("a tail after 5 = %v, want %v", err, room.ErrTrimmed)
	}
	if got := append1(t, j, recs[6]); got != 7 {
		t.Errorf("place of a kept ID = %d, want 7", got)
	}
	if got := append1(t, j, recs[5]); got != 11 {
		t.Errorf("place of a forgotten ID = %d, want a new one, 11", got)
	}
}

func TestTailThatFallsTooFarBehindIsTold(t *testing.T) {
	j := memjournal.New(memjournal.Options{Keep: 4, Batch: 2})
	append1(t, j, said("first"))
	err := j.Tail(t.Context(), room.Position{}, func([]room.Committed) error {
		for range 5 { // more than is kept comes while fn runs
			append1(t, j, said("more"))
		}
		return nil
	})
	if !errors.Is(err, room.ErrTrimmed) {
		t.Errorf("Tail = %v, want %v", err, room.ErrTrimmed)
	}
}

func TestForgottenSubjectCountsAsEmpty(t *testing.T) {
	j := memjournal.New(memjournal.Options{Keep: 2})
	none := room.Seq(0)
	claim := func() room.Record {
		return room.Record{ID: room.NewID(), Subject: "account/kim", Kind: "registered", Expect: &none}
	}
	append1(t, j, claim())
	if _, err := j.Append(t.Context(), claim()); !errors.Is(err, room.ErrConflict) {
		t.Errorf("Append while the subject is known = %v, want %v", err, room.ErrConflict)
	}
	append1(t, j, said("hi"))
	append1(t, j, said("hi"))
	append1(t, j, claim())
}

func TestBytesAreBounded(t *testing.T) {
	j := memjournal.New(memjournal.Options{Keep: 1024, KeepBytes: 100})
	recs := make([]room.Record, 10)
	for i := range recs {
		recs[i] = said(strings.Repeat("x", 30))
		append1(t, j, recs[i])
	}
	if first, err := firstAfter(t, j, room.Position{}); first != 8 || !errors.Is(err, errEnough) {
		t.Errorf("a tail from the beginning starts at %d (%v), want 8: three of thirty bytes fit into a hundred", first, err)
	}
	if got := append1(t, j, recs[0]); got != 1 {
		t.Errorf("place of a repeated ID whose data is gone = %d, want 1", got)
	}
	append1(t, j, said(strings.Repeat("x", 101)))
	head, _ := j.Head(t.Context())
	if _, err := firstAfter(t, j, room.Position{Epoch: head.Epoch, Seq: head.Seq - 1}); !errors.Is(err, room.ErrTrimmed) {
		t.Errorf("a tail after what was too large to keep = %v, want %v", err, room.ErrTrimmed)
	}
}

func TestTailGivesBatches(t *testing.T) {
	j := memjournal.New(memjournal.Options{Batch: 4})
	for range 10 {
		append1(t, j, said("hi"))
	}
	var sizes []int
	err := j.Tail(t.Context(), room.Position{}, func(batch []room.Committed) error {
		if sizes = append(sizes, len(batch)); batch[len(batch)-1].Seq == 10 {
			return errEnough
		}
		return nil
	})
	if want := []int{4, 4, 2}; !slices.Equal(sizes, want) || !errors.Is(err, errEnough) {
		t.Errorf("batches of %v (%v), want %v", sizes, err, want)
	}
}

func TestCloseEndsTailsAfterTheLastRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := memjournal.New(memjournal.Options{})
		<-j.Status()
		append1(t, j, said("last"))
		var got int
		done := make(chan error)
		go func() {
			done <- j.Tail(t.Context(), room.Position{}, func(batch []room.Committed) error {
				got += len(batch)
				return nil
			})
		}()
		synctest.Wait()
		j.Close()
		j.Close()
		if err := <-done; !errors.Is(err, memjournal.ErrClosed) || got != 1 {
			t.Errorf("Tail = %v after %d records, want %v after 1", err, got, memjournal.ErrClosed)
		}
		if _, err := j.Append(t.Context(), said("late")); !errors.Is(err, memjournal.ErrClosed) {
			t.Errorf("Append = %v, want %v", err, memjournal.ErrClosed)
		}
		j.Resume() // has no effect any more
		if got, want := <-j.Status(), (room.State{Reason: "closed"}); got != want {
			t.Errorf("Status = %+v, want %+v", got, want)
		}
	})
}

func TestSuspendTellsWhy(t *testing.T) {
	j := memjournal.New(memjournal.Options{})
	j.Suspend("the disk is being changed")
	if got, want := <-j.Status(), (room.State{Reason: "the disk is being changed"}); got != want {
		t.Errorf("Status = %+v, want %+v", got, want)
	}
	_, err := j.Append(t.Context(), said("hi"))
	if !errors.Is(err, room.ErrUnavailable) || !strings.Contains(err.Error(), "the disk is being changed") {
		t.Errorf("Append = %v, want %v with the reason", err, room.ErrUnavailable)
	}
}

func TestTailThatEndedIsForgotten(t *testing.T) {
	j := memjournal.New(memjournal.Options{})
	append1(t, j, said("hi"))
	for range 3 {
		if _, err := firstAfter(t, j, room.Position{}); !errors.Is(err, errEnough) {
			t.Fatalf("Tail = %v, want %v", err, errEnough)
		}
	}
	if got := j.Tails(); got != 0 {
		t.Errorf("the journal wakes %d tails, want none", got)
	}
}

func TestTailThatIsBehindLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := memjournal.New(memjournal.Options{Keep: 1024, KeepBytes: 100})
		goOn := make(chan struct{})
		var seen []room.Seq
		done := make(chan error, 1)
		go func() {
			done <- j.Tail(t.Context(), room.Position{}, func(batch []room.Committed) error {
				<-goOn
				for _, c := range batch {
					if len(c.Record.Data) != 30 {
						t.Errorf("record %d has %d bytes of data, want 30", c.Seq, len(c.Record.Data))
					}
					seen = append(seen, c.Seq)
				}
				if len(seen) >= 21 {
					return errEnough
				}
				return nil
			})
		}()
		append1(t, j, said(strings.Repeat("x", 30)))
		synctest.Wait() // the tail has the first, and is stuck with it
		for range 20 {
			append1(t, j, said(strings.Repeat("x", 30)))
		}
		close(goOn)
		if err := <-done; !errors.Is(err, errEnough) || len(seen) != 21 || seen[20] != 21 {
			t.Errorf("tail saw %d records (%v), want all 21", len(seen), err)
		}
		if first, err := firstAfter(t, j, room.Position{}); first != 19 || !errors.Is(err, errEnough) {
			t.Errorf("a later tail starts at %d (%v), want 19: the bound holds again", first, err)
		}
	})
}
