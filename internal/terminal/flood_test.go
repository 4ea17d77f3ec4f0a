package terminal

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Keys that take long must not keep the owner from anything else, nor a
// processor from anyone else. What comes after them stays in order.
func TestCostlyKeysArePaced(t *testing.T) {
	const keys, cost = 1000, time.Millisecond // time is the bubble's
	run(t, Options{}, func(r *rig) {
		var (
			tabs                  int
			worked, longest, turn time.Duration
			last                  time.Time
		)
		r.term.SetCompleter(func(string, int) (int, []string) {
			if tabs++; time.Since(last) > 0 {
				turn = 0
			}
			time.Sleep(cost)
			last = time.Now()
			turn, worked = turn+cost, worked+cost
			longest = max(longest, turn)
			return 0, nil
		})
		began := time.Now()
		r.press(strings.Repeat("x\t\b\t", keys/2) + "the end")
		time.Sleep(100 * time.Millisecond)
		r.bell <- struct{}{}
		rang := time.Now()
		for len(r.bell) > 0 {
			time.Sleep(cost)
		}
		if got := time.Since(rang); got > 2*turnTime {
			r.Errorf("the bell was heard after %v, want %v at most", got, 2*turnTime)
		}
		time.Sleep(3 * keys * cost)
		synctest.Wait()
		r.drafts("the end")
		if tabs != keys {
			r.Errorf("%d keys, want %d", tabs, keys)
		}
		if got := last.Sub(began); got < 2*worked-2*turnTime || got > 3*worked {
			r.Errorf("%v of work took %v, want about twice as long", worked, got)
		}
		if longest > 3*turnTime {
			r.Errorf("%v of work without a rest, want %v at most", longest, 3*turnTime)
		}
	})
}

// A flood of the dearest keys in the longest draft is left as soon as the owner
// must go.
func TestFloodOfKillsEndsWithTheContext(t *testing.T) {
	const limit = 200 * time.Millisecond // of processor time
	in, keys := io.Pipe()
	term := New(duplex{in, &countWriter{}}, Options{})
	defer func() { keys.Close(); term.Close(time.Second); term.Wait() }()
	text := strings.Repeat("한", 21_000)
	ctx, cancel := context.WithCancel(t.Context())
	bell := make(chan struct{})
	next := func() {
		t.Helper()
		before := processorTime()
		_, err := term.Next(ctx, Wait{Bell: bell})
		if used := processorTime() - before; used > limit {
			t.Fatalf("a turn took %v of a processor, want %v at most", used, limit)
		}
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	go io.WriteString(keys, "\x1b[200~"+text+"\x1b[201~"+strings.Repeat("\x0b\x19\x01", 50_000))
	go func() {
		for {
			select {
			case bell <- struct{}{}:
			case <-ctx.Done():
				return
			}
		}
	}()
	for len(term.Draft()) < len(text) || term.chunk == nil {
		next()
	}
	for turns := 0; turns < 5; {
		before := term.parsed
		if next(); term.parsed != before {
			turns++
		}
	}
	if term.chunk == nil {
		t.Error("the flood was over, want it going on")
	}
	cancel()
	next()
}
