package journaltest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"sarangbang/room"
)

func acknowledgesCommitted(t *journalTest) {
	before := room.Position{Epoch: t.head().Epoch}
	for range 5 {
		r := record(room.Lobby, "acknowledged")
		at := t.append(r)[0]
		if head := t.head(); head.Seq < at {
			t.Errorf("Head = %d after Append returned %d", head.Seq, at)
		}
		tl := t.tail(before) // nothing is committed meanwhile that could push it out
		t.wantRecords(tl.until(r.ID), []room.Record{r}, []room.Seq{at})
		tl.stop()
		before.Seq = at
	}
}

func contextsEnd(t *journalTest) {
	cause := errors.New("the person hung up")
	ended, end := context.WithCancelCause(t.ctx)
	end(cause)
	t.append(record(room.Lobby, "before"))

	_, err := t.journal.Append(ended, record(room.Lobby, "late"))
	t.want(err, cause, "Append with an ended context")
	_, err = t.journal.Head(ended)
	t.want(err, cause, "Head with an ended context")
	called := false
	err = t.journal.Tail(ended, room.Position{}, func([]room.Committed) error {
		called = true
		return nil
	})
	t.want(err, cause, "Tail with an ended context")
	if called {
		t.Error("Tail called fn with an ended context")
	}

	// One that waits for records.
	waiting, end := context.WithCancelCause(t.ctx)
	defer end(nil)
	calls := make(chan struct{}, 16)
	done := make(chan error, 1)
	go func() {
		done <- t.journal.Tail(waiting, room.Position{}, func([]room.Committed) error {
			calls <- struct{}{}
			return nil
		})
	}()
	select {
	case <-calls:
	case <-time.After(t.Patience):
		t.Errorf("Tail gave no record: %v", errImpatient)
	}
	end(cause)
	t.wantEnd(done, cause, "Tail whose context ended while it waited")

	// One that Append must not outlive while it waits for an unavailable journal.
	mend := t.Suspend(t, t.journal)
	posting, end := context.WithCancelCause(t.ctx)
	go func() {
		_, err := t.journal.Append(posting, record(room.Lobby, "late"))
		done <- err
	}()
	end(cause)
	select {
	case err := <-done:
		if !errors.Is(err, cause) && !errors.Is(err, room.ErrUnavailable) {
			t.Errorf("Append whose context ended = %v, want %v or %v", err, cause, room.ErrUnavailable)
		}
	case <-time.After(t.Patience):
		t.Errorf("Append outlived its context: %v", errImpatient)
	}
	mend()
	t.append(record(room.Lobby, "after"))
}

// wantEnd waits for the end of a call that runs beside the case.
func (t *journalTest) wantEnd(done <-chan error, want error, doing string) {
	t.Helper()
	select {
	case err := <-done:
		t.want(err, want, doing)
	case <-time.After(t.Patience):
		t.Fatalf("%s did not return: %v", doing, errImpatient)
	}
}

func tellsUnavailable(t *journalTest) {
	before := t.append(record(room.Lobby, "before"))
	batch := records(2)
	mend := t.Suspend(t, t.journal)
	for range 2 {
		ctx, cancel := t.patient()
		_, err := t.journal.Append(ctx, batch...)
		cancel()
		t.want(err, room.ErrUnavailable, "Append while unavailable")
	}
	mend()
	// The outcome was unknown; now it is: there is one copy of each.
	seqs := t.append(batch...)
	t.wantGrowing(append(before, seqs...))
	if again := t.append(batch...); !slices.Equal(again, seqs) {
		t.Errorf("places of the retry = %v, want %v", again, seqs)
	}
	if got := t.everything(); len(got) != 3 {
		t.Errorf("tail gave %s, want 3 records", places(got))
	}
}

// persist appends until the journal takes the records, as the house does.
func (t *journalTest) persist(recs ...room.Record) ([]room.Seq, error) {
	late := time.Now().Add(t.Patience)
	for {
		seqs, err := t.postSeqs(recs...)
		if !errors.Is(err, room.ErrUnavailable) || time.Now().After(late) {
			return seqs, err
		}
	}
}

func retriesThroughOutages(t *journalTest) {
	const posters, rounds = 8, 12
	live := t.tail(room.Position{})
	stop := make(chan struct{})
	var outages sync.WaitGroup
	outages.Go(func() {
		for {
			mend := t.Suspend(t, t.journal)
			mend()
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond): // let them post
			}
		}
	})
	by := make([]posted, posters)
	func() {
		defer outages.Wait()
		defer close(stop)
		t.together(posters, func(who int) error {
			for range rounds {
				batch := records(2)
				seqs, err := t.persist(batch...)
				if err != nil {
					return err
				}
				by[who].recs, by[who].seqs = append(by[who].recs, batch...), append(by[who].seqs, seqs...)
			}
			return nil
		})
	}()
	t.wantOrder(live.all(), by)
}

func tellsStatus(t *journalTest) {
	state := func(want bool) room.State {
		t.Helper()
		late := time.After(t.Patience)
		for {
			select {
			case s := <-t.journal.Status():
				if s.Connected == want {
					return s
				}
			case <-late:
				t.Fatalf("Status did not tell Connected = %v: %v", want, errImpatient)
			}
		}
	}
	state(true) // the first one, at once
	mend := t.Suspend(t, t.journal)
	if s := state(false); s.Reason == "" {
		t.Error("Status gave no reason for being degraded")
	}
	mend()
	state(true)

	// What nobody took is replaced: whoever looks later sees how it is, not how it was.
	mend = t.Suspend(t, t.journal)
	mend()
	t.append(record(room.Lobby, "after"))
	state(true)
	select {
	case s := <-t.journal.Status():
		t.Errorf("Status gave %+v after the newest state, want nothing", s)
	default:
	}
}

// crash ends the journal and opens what is left of it. It says whether that is the same history.
func (t *journalTest) crash() (same bool) {
	t.Helper()
	before := t.head().Epoch
	if t.Reopen == nil {
		t.journal = t.Open(t)
	} else {
		t.journal = t.Reopen(t, t.journal)
	}
	same = t.head().Epoch == before
	if same && t.Reopen == nil {
		t.Fatalf("another journal has the epoch %s too", before)
	}
	return same
}

func survivesCrash(t *journalTest) {
	kept := records(5)
	kept[4] = expecting(kept[4], 0)
	kept[4].Subject = "account/kim"
	seqs := t.append(kept...)
	gone := []room.Record{ephemeral(record(room.Lobby, "joined")), ephemeral(record(room.Lobby, "parted"))}
	highest := slices.Max(t.append(gone...))
	for range 3 {
		if !t.crash() {
			// Another history: nothing is left, and nothing of the old one is known.
			if got := t.everything(); len(got) != 0 {
				t.Errorf("a journal of a new epoch gave %s, want nothing", places(got))
			}
			return
		}
		after := t.at(0)
		left := func(c room.Committed) bool {
			return c.Record.Ephemeral || c.Record.Kind == "mark" || c.Record.Kind == "later"
		}
		tl := t.tail(after)
		t.wantRecords(slices.DeleteFunc(tl.all(), left), kept, seqs)
		if again := t.append(kept...); !slices.Equal(again, seqs) {
			t.Errorf("places of a retry after the crash = %v, want %v", again, seqs)
		}
		t.conflict(expecting(record("account/kim", "registered"), 0))
		later := t.append(record(room.Lobby, "later"), ephemeral(record(room.Lobby, "joined")))
		if later[0] <= highest {
			t.Errorf("place after the crash = %d, want it above %d, which was used before", later[0], highest)
		}
		highest = later[1]
	}
}

func survivesCrashAmidPosting(t *journalTest) {
	const posters, most, acks = 8, 1000, 64 // most: a journal in memory would be far ahead before the crash comes
	var acked atomic.Int64
	enough := make(chan struct{})
	letEnd := sync.OnceFunc(func() { close(enough) })
	ctx, cancel := context.WithCancel(t.ctx)
	defer cancel()
	j := t.journal
	by := make([]posted, posters)
	var wg sync.WaitGroup
	for who := range by {
		wg.Go(func() {
			for range most {
				r := record(room.Lobby, "said")
				seqs, err := j.Append(ctx, r)
				if err != nil {
					letEnd()
					return // the crash
				}
				by[who].recs, by[who].seqs = append(by[who].recs, r), append(by[who].seqs, seqs...)
				if acked.Add(1) >= acks {
					letEnd()
				}
			}
		})
	}
	select {
	case <-enough:
	case <-time.After(t.Patience):
	}
	same := t.crash()
	cancel()
	wg.Wait()
	if n := acked.Load(); n < acks {
		t.Fatalf("%d records were acknowledged, want at least %d", n, acks)
	}
	if !same {
		return
	}
	at := map[room.ID]room.Seq{}
	for _, c := range t.everything() {
		at[c.Record.ID] = c.Seq
	}
	for who, p := range by {
		for i, r := range p.recs {
			if at[r.ID] != p.seqs[i] {
				t.Fatalf("acknowledged record %d of poster %d is at %d (0 is missing), want %d", i, who, at[r.ID], p.seqs[i])
			}
		}
	}
}
