package journaltest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"sarangbang/room"
)

func keepsRecords(t *journalTest) {
	said := record("room/사랑방", "said")
	said.Data = []byte(`{"text":"안녕하세요 \u0007 👨‍👩‍👧"}`)
	long := record("person/conn:1", "told")
	long.Data = bytes.Repeat([]byte("긴"), 24<<10/3)
	empty := record("house", "closed")
	empty.Data = nil
	gone := ephemeral(record(room.Lobby, "joined"))
	given := []room.Record{said, long, empty, gone}
	live := t.tail(room.Position{})

	mine := slices.Clone(given)
	for i := range mine {
		mine[i].Data = bytes.Clone(mine[i].Data)
	}
	seqs := t.append(mine...)
	for i := range mine { // what was given is the caller's again
		clear(mine[i].Data)
		mine[i] = room.Record{}
	}
	t.wantSameRecords(withoutMarks(live.all()), given, seqs) // may have been read before the caller's bytes changed
	kept, later := len(given)-1, t.everything()              // the ephemeral one may be gone by now
	t.wantSameRecords(later[:min(kept, len(later))], given[:kept], seqs[:kept])
}

// wantSameRecords is wantRecords for every field that the caller gave.
func (t *journalTest) wantSameRecords(got []room.Committed, want []room.Record, seqs []room.Seq) {
	t.Helper()
	t.wantRecords(got, want, seqs)
	for i, c := range got {
		g, w := c.Record, want[i]
		if g.Subject != w.Subject || g.Kind != w.Kind || g.Ephemeral != w.Ephemeral || !bytes.Equal(g.Data, w.Data) {
			t.Errorf("record %d came back as %s %s %v %.60q, want %s %s %v %.60q",
				i, g.Subject, g.Kind, g.Ephemeral, g.Data, w.Subject, w.Kind, w.Ephemeral, w.Data)
		}
	}
}

func numbersInOrder(t *journalTest) {
	recs := records(12)
	var seqs []room.Seq
	for i := 0; i < len(recs); i += 3 {
		seqs = append(seqs, t.append(recs[i:i+3]...)...)
	}
	t.wantGrowing(seqs)
	t.wantRecords(t.everything(), recs, seqs)
}

func keepsBatchesTogether(t *journalTest) {
	const posters, rounds, size = 8, 8, 5
	t.together(posters, func(who int) error {
		for round := range rounds {
			batch := records(size)
			for i := range batch {
				batch[i].Kind = fmt.Sprintf("%d/%d/%d", who, round, i)
			}
			if err := t.post(batch...); err != nil {
				return err
			}
		}
		return nil
	})
	got := t.everything()
	if len(got) != posters*rounds*size {
		t.Fatalf("tail gave %d records, want %d", len(got), posters*rounds*size)
	}
	for i := 0; i < len(got); i += size {
		var who, round int
		if _, err := fmt.Sscanf(got[i].Record.Kind, "%d/%d/0", &who, &round); err != nil {
			t.Fatalf("record %d is %s, want the first of a batch", i, got[i].Record.Kind)
		}
		for k := range size {
			if want := fmt.Sprintf("%d/%d/%d", who, round, k); got[i+k].Record.Kind != want {
				t.Fatalf("record %d is %s, want %s", i+k, got[i+k].Record.Kind, want)
			}
		}
	}
}

// posted is what one poster knows after its records were acknowledged.
type posted struct {
	recs []room.Record
	seqs []room.Seq
}

func ordersPosters(t *journalTest) {
	const posters, rounds = 50, 6
	tails := []*tail{t.tail(room.Position{}), t.tail(room.Position{}), t.tail(room.Position{})}
	by := make([]posted, posters)
	t.together(posters, func(who int) error {
		for round := range rounds {
			batch := records(1 + (who+round)%3)
			for i := range batch {
				batch[i].Kind = fmt.Sprintf("poster-%d", who)
			}
			seqs, err := t.postSeqs(batch...)
			if err != nil {
				return err
			}
			by[who].recs, by[who].seqs = append(by[who].recs, batch...), append(by[who].seqs, seqs...)
		}
		return nil
	})
	first := tails[0].all()
	t.wantOrder(withoutMarks(slices.Clone(first)), by)
	for _, other := range tails[1:] {
		t.wantSameTail(other.all()[:len(first)], first)
	}
	t.wantOrder(t.everything(), by)
}

// wantOrder checks a tail against what its posters know: each record once, in its place, each poster's in their order.
func (t *journalTest) wantOrder(got []room.Committed, by []posted) {
	t.Helper()
	at := map[room.ID]room.Seq{}
	var all []room.Seq
	for _, c := range got {
		if s, twice := at[c.Record.ID]; twice {
			t.Fatalf("%s of %s is at %d and at %d", c.Record.ID, c.Record.Kind, s, c.Seq)
		}
		at[c.Record.ID] = c.Seq
		all = append(all, c.Seq)
	}
	t.wantGrowing(all)
	count := 0
	for who, p := range by {
		t.wantGrowing(p.seqs)
		for i, r := range p.recs {
			if at[r.ID] != p.seqs[i] {
				t.Fatalf("record %d of poster %d is at %d (0 is missing), want %d", i, who, at[r.ID], p.seqs[i])
			}
		}
		count += len(p.recs)
	}
	if len(got) != count {
		t.Fatalf("tail gave %d records, want %d", len(got), count)
	}
}

func appendsNothing(t *journalTest) {
	before := t.append(record(room.Lobby, "before"))
	t.append()
	if got := t.head().Seq; got != before[0] {
		t.Errorf("Head after an Append of nothing = %d, want %d", got, before[0])
	}
}

func stampsTime(t *journalTest) {
	begun := time.Now()
	recs := records(20)
	for i := range recs {
		recs[i].At = begun.Add(-time.Duration(i) * time.Hour)
	}
	for i := 0; i < len(recs); i += 2 {
		t.append(recs[i : i+2]...)
	}
	t.append(recs[0]) // a retry changes nothing
	got := t.everything()
	if len(got) != len(recs) {
		t.Fatalf("tail gave %d records, want %d", len(got), len(recs))
	}
	const skew = time.Minute // a journal on other machines has their clock
	before := begun.Add(-skew)
	for i, c := range got {
		if c.Record.At.Before(before) || c.Record.At.After(time.Now().Add(skew)) {
			t.Errorf("At of record %d is %v, want it from %v on and not in the future", i, c.Record.At, before)
		}
		before = c.Record.At
	}
}

func recognisesRetries(t *journalTest) {
	recs := records(3)
	first := t.append(recs...)
	t.append(record(room.Lobby, "between"))
	changed := slices.Clone(recs)
	changed[1].Data = []byte(`{"text":"other"}`)
	for range 3 {
		if again := t.append(changed...); !slices.Equal(again, first) {
			t.Errorf("places of a retry = %v, want %v", again, first)
		}
	}
	got := t.everything()
	if len(got) != 4 {
		t.Fatalf("tail gave %s, want 4 records", places(got))
	}
	if data := got[1].Record.Data; !bytes.Equal(data, recs[1].Data) {
		t.Errorf("a retry changed the data to %s, want %s", data, recs[1].Data)
	}
}

func recognisesConcurrentRetries(t *journalTest) {
	batch := records(2)
	all := make([][]room.Seq, 20)
	t.together(len(all), func(who int) (err error) {
		all[who], err = t.postSeqs(batch...)
		return err
	})
	for _, seqs := range all {
		if !slices.Equal(seqs, all[0]) {
			t.Errorf("places of one retry = %v, of another %v", seqs, all[0])
		}
	}
	t.wantRecords(t.everything(), batch, all[0])
}

func recognisesDuplicatesInOneAppend(t *journalTest) {
	a, b := record(room.Lobby, "a"), record(room.Lobby, "b")
	got := t.append(a, b, a, a, b)
	want := []room.Seq{got[0], got[1], got[0], got[0], got[1]}
	if !slices.Equal(got, want) {
		t.Errorf("places = %v, want %v", got, want)
	}
	t.wantRecords(t.everything(), []room.Record{a, b}, got[:2])
}

func recognisesRetriesAmongNew(t *journalTest) {
	old, early, late := record(room.Lobby, "old"), record(room.Lobby, "early"), record(room.Lobby, "late")
	first := t.append(old)
	got := t.append(early, old, late)
	if got[1] != first[0] {
		t.Errorf("place of the retry = %d, want %d", got[1], first[0])
	}
	seqs := []room.Seq{first[0], got[0], got[2]}
	t.wantGrowing(seqs)
	t.wantRecords(t.everything(), []room.Record{old, early, late}, seqs)
}

func retriesWithoutExpectation(t *journalTest) {
	const subject = "account/kim"
	claim := expecting(record(subject, "registered"), 0)
	first := t.append(claim)
	key := expecting(record(subject, "key"), first[0])
	second := t.append(key)
	for _, retry := range []struct {
		rec  room.Record
		want room.Seq
	}{{claim, first[0]}, {key, second[0]}} {
		if got := t.append(retry.rec); got[0] != retry.want {
			t.Errorf("place of the retry of %s = %d, want %d", retry.rec.Kind, got[0], retry.want)
		}
	}
	if got := t.append(key, claim); !slices.Equal(got, []room.Seq{second[0], first[0]}) {
		t.Errorf("places of both retries = %v, want [%d %d]", got, second[0], first[0])
	}
}

// conflict calls Append with records of which an Expect does not hold.
func (t *journalTest) conflict(recs ...room.Record) {
	t.Helper()
	ctx, cancel := t.patient()
	defer cancel()
	seqs, err := t.journal.Append(ctx, recs...)
	if !errors.Is(err, room.ErrConflict) {
		t.Errorf("Append = %v, %v; want %v", seqs, err, room.ErrConflict)
	}
}

func expectsNone(t *journalTest) {
	t.append(record("account/lee", "registered")) // another subject does not count
	first := expecting(record("account/kim", "registered"), 0)
	seqs := t.append(first)
	t.conflict(expecting(record("account/kim", "registered"), 0))
	t.conflict(expecting(record("account/park", "registered"), 0), expecting(record("account/park", "registered"), 0))
	got := t.everything()
	if len(got) != 2 || got[1].Seq != seqs[0] || got[1].Record.ID != first.ID {
		t.Errorf("tail gave %s, want the two that were registered first", places(got))
	}
}

func expectsNewest(t *journalTest) {
	const subject = "room/lobby"
	a := t.append(record(subject, "a"))[0]
	t.append(record("room/other", "elsewhere"))
	b := t.append(expecting(record(subject, "b"), a))[0]
	t.conflict(expecting(record(subject, "stale"), a))
	t.conflict(expecting(record(subject, "none"), 0))
	t.conflict(expecting(record(subject, "future"), b+1000))
	c := t.append(expecting(record(subject, "c"), b))[0]
	t.wantGrowing([]room.Seq{a, b, c})
	if got := t.everything(); len(got) != 4 {
		t.Errorf("tail gave %s, want 4 records", places(got))
	}
}

func expectsKeptRecords(t *journalTest) {
	const subject = "room/quiet"
	t.append(ephemeral(record(subject, "joined")))
	first := t.append(expecting(record(subject, "said"), 0))
	t.append(ephemeral(record(subject, "parted")))
	t.append(expecting(record(subject, "said"), first[0]))
}

func conflictsWhole(t *journalTest) {
	known := record("account/kim", "registered")
	held := t.append(known)
	before, after := record(room.Lobby, "before"), record(room.Lobby, "after")
	mark := t.tail(room.Position{})
	t.conflict(known, before, expecting(record("account/kim", "registered"), 0), after)
	if got := t.head().Seq; got != held[0] {
		t.Errorf("Head after the conflict = %d, want %d", got, held[0])
	}
	if got := mark.all(); len(got) != 1 {
		t.Errorf("tail gave %s, want one record", places(got))
	}
	// What was known is known still, and nothing else of the batch is, so that it can still be committed.
	if again := t.append(known); again[0] != held[0] {
		t.Errorf("place of the retry = %d, want %d", again[0], held[0])
	}
	seqs := t.append(after, before)
	t.wantGrowing(append(held, seqs...))
	if got := t.everything(); len(got) != 3 {
		t.Errorf("tail gave %s, want 3 records", places(got))
	}
}

func conflictsAllButOne(t *journalTest) {
	const claimants = 20
	var mu sync.Mutex
	won := 0
	t.together(claimants, func(int) error {
		switch err := t.post(expecting(record("account/kim", "registered"), 0)); {
		case errors.Is(err, room.ErrConflict):
			return nil
		case err != nil:
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		won++
		return nil
	})
	if won != 1 {
		t.Errorf("%d of %d claimants won, want 1", won, claimants)
	}
	if got := t.everything(); len(got) != 1 {
		t.Errorf("tail gave %s, want one record", places(got))
	}
}

func tailsEphemeral(t *journalTest) {
	live := t.tail(room.Position{})
	recs := records(9)
	for i := range recs {
		recs[i].Ephemeral = i%3 != 1
	}
	var seqs []room.Seq
	for _, r := range recs {
		seqs = append(seqs, t.append(r)...)
	}
	t.wantGrowing(seqs)
	t.wantRecords(live.all(), recs, seqs)
	if again := t.append(recs[0]); again[0] != seqs[0] {
		t.Errorf("place of the retry of an ephemeral record = %d, want %d", again[0], seqs[0])
	}
	// A later tail may miss the ephemeral ones, nothing else.
	kept := slices.DeleteFunc(t.everything(), func(c room.Committed) bool { return c.Record.Ephemeral })
	t.wantRecords(kept, []room.Record{recs[1], recs[4], recs[7]}, []room.Seq{seqs[1], seqs[4], seqs[7]})
}

func tailsFromAnyPlace(t *journalTest) {
	const n = 20
	recs := records(n)
	seqs := t.append(recs...)
	for i := range n + 1 {
		after := room.Seq(0)
		if i > 0 {
			after = seqs[i-1]
		}
		tl := t.tail(t.at(after))
		t.wantRecords(withoutMarks(tl.all()), recs[i:], seqs[i:])
		tl.stop()
	}
	t.wantRecords(t.everything(), recs, seqs)

	onlyNew := t.tail(t.head())
	fresh := record(room.Lobby, "fresh")
	at := t.append(fresh)
	t.wantRecords(onlyNew.all(), []room.Record{fresh}, at)
}

func tailsAmidPosting(t *journalTest) {
	const posters, tailCount, burst = 4, 20, 8
	turns := make(chan struct{}, tailCount*burst) // each is one batch: a free run would leave a journal in memory far behind
	errs := make(chan error, posters)
	for range posters {
		go func() {
			var err error
			for range turns {
				if err == nil {
					err = t.post(records(3)...)
				}
			}
			errs <- err
		}()
	}
	end := sync.OnceValue(func() (err error) {
		close(turns)
		for range posters {
			err = errors.Join(err, <-errs)
		}
		return err
	})
	defer func() { _ = end() }()
	var tails []*tail
	var froms []room.Seq
	for i := range tailCount {
		for range burst {
			turns <- struct{}{}
		}
		from := room.Position{}
		if i%2 == 1 {
			from = t.head()
		}
		tl := t.tail(from)
		tails, froms = append(tails, tl), append(froms, from.Seq)
		between := record(room.Lobby, "between")
		t.append(between)
		tl.until(between.ID)
	}
	if err := end(); err != nil {
		t.Fatalf("Append = %v, want no error", err)
	}
	last := record(room.Lobby, "last")
	t.append(last)
	whole := tails[0].until(last.ID)
	if want := tailCount*(burst*3+1) + 1; len(whole) != want {
		t.Fatalf("the first tail gave %d records, want %d", len(whole), want)
	}
	for i, tl := range tails {
		from := slices.IndexFunc(whole, func(c room.Committed) bool { return c.Seq > froms[i] })
		t.wantSameTail(tl.until(last.ID), whole[from:])
	}
}

func tailsAlike(t *journalTest) {
	tails := []*tail{t.tail(room.Position{}), t.tail(room.Position{})}
	recs := records(300)
	var seqs []room.Seq
	for i := 0; i < len(recs); i += 10 {
		if i == 150 {
			tails = append(tails, t.tail(room.Position{}))
		}
		seqs = append(seqs, t.append(recs[i:i+10]...)...)
	}
	for _, tl := range tails {
		t.wantRecords(withoutMarks(tl.all()), recs, seqs)
	}
}

func tailsSlowly(t *journalTest) {
	ctx, cancel := context.WithCancel(t.ctx)
	defer cancel()
	entered, leave := make(chan struct{}), make(chan struct{})
	letGo := sync.OnceFunc(func() { close(leave) })
	enter := sync.OnceFunc(func() { close(entered) })
	recs := records(600)
	var got []room.Committed
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = t.journal.Tail(ctx, room.Position{}, func(batch []room.Committed) error {
			enter()
			<-leave
			if got = append(got, batch...); got[len(got)-1].Record.ID == recs[len(recs)-1].ID {
				cancel()
			}
			return nil
		})
	}()
	defer func() {
		letGo()
		cancel()
		<-done
	}()
	seqs := t.append(recs[0])
	select {
	case <-entered:
	case <-time.After(t.Patience):
		t.Fatalf("fn was not called: %v", errImpatient)
	}
	quick := t.tail(room.Position{})
	for i := 1; i < len(recs); i += 50 { // the slow tail is in fn all the while
		seqs = append(seqs, t.append(recs[i:min(i+50, len(recs))]...)...)
	}
	t.wantRecords(quick.until(recs[len(recs)-1].ID), recs, seqs)
	letGo()
	select {
	case <-done:
	case <-time.After(t.Patience):
		t.Fatalf("the slow tail did not get the last record: %v", errImpatient)
	}
	t.wantRecords(got, recs, seqs)
}

func tailEndsWithItsError(t *journalTest) {
	t.append(records(10)...)
	stop := errors.New("enough")
	calls := 0
	ctx, cancel := t.patient()
	defer cancel()
	err := t.journal.Tail(ctx, room.Position{}, func([]room.Committed) error {
		calls++
		return stop
	})
	t.want(err, stop, "Tail")
	if calls != 1 {
		t.Errorf("fn was called %d times, want 1", calls)
	}
}

func refusesForeignPlaces(t *journalTest) {
	t.append(records(3)...)
	ctx, cancel := t.patient()
	defer cancel()
	err := t.journal.Tail(ctx, room.Position{Epoch: "of another journal", Seq: 2}, func([]room.Committed) error {
		return errors.New("fn was called")
	})
	t.want(err, room.ErrTrimmed, "Tail after a place of another history")
}

func headIsNewest(t *journalTest) {
	empty := t.head()
	if empty.Seq != 0 || empty.Epoch == "" {
		t.Errorf("Head of an empty journal = %+v, want place 0 of a named epoch", empty)
	}
	for range 5 {
		seqs := t.append(records(2)...)
		if got, want := t.head(), (room.Position{Epoch: empty.Epoch, Seq: seqs[1]}); got != want {
			t.Errorf("Head = %+v, want %+v", got, want)
		}
	}
}

// together runs fn for each of n people at once and fails the case with the first error.
func (t *journalTest) together(n int, fn func(who int) error) {
	t.Helper()
	errs := make([]error, n)
	var wg sync.WaitGroup
	start := make(chan struct{})
	for who := range n {
		wg.Go(func() {
			<-start
			errs[who] = fn(who)
		})
	}
	close(start)
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatalf("of %d at once: %v", n, err)
	}
}

// postSeqs is append for goroutines that cannot end the case.
func (t *journalTest) postSeqs(recs ...room.Record) ([]room.Seq, error) {
	ctx, cancel := t.patient()
	defer cancel()
	seqs, err := t.journal.Append(ctx, recs...)
	if err == nil && len(seqs) != len(recs) {
		err = fmt.Errorf("Append of %d records gave %d places", len(recs), len(seqs))
	}
	return seqs, err
}

func (t *journalTest) post(recs ...room.Record) error {
	_, err := t.postSeqs(recs...)
	return err
}
