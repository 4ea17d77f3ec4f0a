package journaltest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"sarangbang/room"
)

var errImpatient = errors.New("nothing happened within the suite's patience")

// is says whether err is the wanted one; nil wants none.
func is(err, want error) bool {
	if want == nil {
		return err == nil
	}
	return errors.Is(err, want)
}

// record makes a record for a test.
func record(subject room.Subject, kind string) room.Record {
	return room.Record{ID: room.NewID(), Subject: subject, Kind: kind, Data: []byte(`{"text":"` + kind + `"}`)}
}

func records(n int) []room.Record {
	recs := make([]room.Record, n)
	for i := range recs {
		recs[i] = record(room.Lobby, fmt.Sprintf("kind-%d", i))
	}
	return recs
}

func expecting(r room.Record, s room.Seq) room.Record {
	r.Expect = &s
	return r
}

func ephemeral(r room.Record) room.Record {
	r.Ephemeral = true
	return r
}

// tail is a running Tail and what it has seen.
type tail struct {
	test *journalTest
	stop context.CancelFunc
	done chan struct{} // closed when Tail has returned

	mu   sync.Mutex
	seen []room.Committed // guarded by mu
	bell chan struct{}    // capacity 1
	err  error            // of Tail; read it after done
}

// errStopped is how a tail of the suite ends.
var errStopped = errors.New("tail stopped by the suite")

// tail starts a Tail, which is ended and waited for at the end of the case at the latest.
func (t *journalTest) tail(after room.Position) *tail {
	ctx, cancel := context.WithCancelCause(t.ctx)
	stop := func() { cancel(errStopped) }
	tl := &tail{test: t, stop: stop, done: make(chan struct{}), bell: make(chan struct{}, 1)}
	j := t.journal
	go func() {
		defer close(tl.done)
		tl.err = j.Tail(ctx, after, tl.take)
	}()
	t.Cleanup(func() {
		stop()
		<-tl.done
	})
	return tl
}

func (tl *tail) take(batch []room.Committed) error {
	tl.mu.Lock()
	defer tl.mu.Unlock()
	if len(batch) == 0 {
		return errors.New("fn was called with nothing")
	}
	tl.seen = append(tl.seen, batch...)
	select {
	case tl.bell <- struct{}{}:
	default:
	}
	return nil
}

// until waits for the record of an ID and returns what came up to it.
func (tl *tail) until(id room.ID) []room.Committed {
	tl.test.Helper()
	late := time.After(tl.test.Patience)
	for from := 0; ; {
		tl.mu.Lock()
		seen := slices.Clip(tl.seen) // it only grows
		tl.mu.Unlock()
		if i := slices.IndexFunc(seen[from:], func(c room.Committed) bool { return c.Record.ID == id }); i >= 0 {
			return slices.Clone(seen[:from+i+1])
		}
		from = len(seen)
		select {
		case <-tl.bell:
		case <-tl.done:
			tl.test.Fatalf("Tail ended with %v before record %s came; it gave %s", tl.err, id, places(seen))
		case <-late:
			tl.test.Fatalf("record %s did not come; Tail gave %s", id, places(seen))
		}
	}
}

// all commits one more record as a mark, waits for it, and returns what came before it: everything that was committed until
// now. So a lost record is seen at once, and a second copy of one too.
func (tl *tail) all() []room.Committed {
	tl.test.Helper()
	mark := record("room/mark", "mark")
	tl.test.append(mark)
	seen := tl.until(mark.ID)
	return seen[:len(seen)-1]
}

// everything tails the journal from the beginning of what is kept to its present end.
func (t *journalTest) everything() []room.Committed {
	t.Helper()
	tl := t.tail(room.Position{})
	defer tl.stop()
	return withoutMarks(tl.all())
}

func withoutMarks(seen []room.Committed) []room.Committed {
	return slices.DeleteFunc(seen, func(c room.Committed) bool { return c.Record.Kind == "mark" })
}

// places lists the places of records, for messages.
func places(seen []room.Committed) string {
	const most = 40
	var b strings.Builder
	for i, c := range seen {
		if i == most {
			fmt.Fprintf(&b, " … %d in all", len(seen))
			break
		}
		fmt.Fprintf(&b, " %d:%s", c.Seq, c.Record.Kind)
	}
	return "[" + strings.TrimSpace(b.String()) + "]"
}

// wantRecords reports every difference between what a tail gave and what was committed there.
func (t *journalTest) wantRecords(got []room.Committed, recs []room.Record, seqs []room.Seq) {
	t.Helper()
	if len(got) != len(recs) {
		t.Fatalf("tail gave %d records %s, want %d at %v", len(got), places(got), len(recs), seqs)
	}
	for i, r := range recs {
		if c := got[i]; c.Seq != seqs[i] || c.Record.ID != r.ID {
			t.Fatalf("record %d of the tail is %s at %d, want %s at %d", i, c.Record.Kind, c.Seq, r.Kind, seqs[i])
		}
	}
}

// wantGrowing reports places that do not grow.
func (t *journalTest) wantGrowing(seqs []room.Seq) {
	t.Helper()
	before := room.Seq(0)
	for _, s := range seqs {
		if s <= before {
			t.Fatalf("places %v do not grow from 1 on", seqs)
		}
		before = s
	}
}

// wantSameTail reports the first difference between two tails.
func (t *journalTest) wantSameTail(got, want []room.Committed) {
	t.Helper()
	for i := range min(len(got), len(want)) {
		if got[i].Seq != want[i].Seq || got[i].Record.ID != want[i].Record.ID {
			t.Fatalf("record %d of one tail is %s at %d, of another %s at %d",
				i, got[i].Record.Kind, got[i].Seq, want[i].Record.Kind, want[i].Seq)
		}
	}
	if len(got) != len(want) {
		t.Fatalf("one tail gave %d records, another %d", len(got), len(want))
	}
}
