package testkit_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"sarangbang/internal/memjournal"
	"sarangbang/internal/testkit"
	"sarangbang/room"
)

func TestFlakyJournalFailsOnDemand(t *testing.T) {
	ctx := t.Context()
	inner := memjournal.New(memjournal.Options{})
	j := testkit.Flaky(inner)
	head := func() room.Seq {
		p, err := inner.Head(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return p.Seq
	}
	j.FailBefore(1)
	j.FailAfter(1)
	r := room.Record{ID: room.NewID(), Subject: room.Lobby}
	for _, want := range []struct {
		err  error
		head room.Seq
	}{{room.ErrUnavailable, 0}, {room.ErrUnavailable, 1}, {nil, 1}} {
		if _, err := j.Append(ctx, r); !errors.Is(err, want.err) || head() != want.head {
			t.Errorf("Append = %v with the head at %d; want %v at %d", err, head(), want.err, want.head)
		}
	}
	if got := j.Calls(); got != 3 {
		t.Errorf("Calls = %d, want 3", got)
	}
}

func TestFlakyJournalHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := testkit.Flaky(memjournal.New(memjournal.Options{}))
		release := j.Hold()
		done := make(chan error)
		go func() {
			_, err := j.Append(t.Context(), room.Record{ID: room.NewID()})
			done <- err
		}()
		synctest.Wait()
		select {
		case err := <-done:
			t.Fatalf("Append returned %v while held", err)
		default:
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := j.Append(gone, room.Record{ID: room.NewID()}); !errors.Is(err, context.Canceled) {
			t.Errorf("Append with an ended context = %v, want %v", err, context.Canceled)
		}
		release()
		release()
		if err := <-done; err != nil {
			t.Errorf("Append after release = %v, want nil", err)
		}
	})
}
