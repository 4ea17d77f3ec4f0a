package main

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

func TestALineIsInFlightUntilEverybodyHasIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const lines, people = 3, 2
		ctx, stop := context.WithCancelCause(t.Context())
		w := newWindow(lines, people)
		var said atomic.Int64
		var end error
		go func() {
			for n := 0; end == nil; n++ {
				if end = w.launch(ctx, n); end == nil {
					said.Add(1)
				}
			}
		}()
		step := func(what string, want int64) {
			t.Helper()
			synctest.Wait()
			if got := said.Load(); got != want {
				t.Errorf("%s: %d lines said, want %d", what, got, want)
			}
		}
		step("at first", 3)
		w.landed(0)
		step("one has the first", 3)
		w.landed(1)
		w.landed(1)
		step("all have the second, but not the first", 3)
		w.landed(0)
		step("all have the first, too", 5)
		w.landed(2)
		w.landed(2)
		step("all have the third", 6)
		stop(errOver)
		synctest.Wait()
		if !errors.Is(end, errOver) {
			t.Errorf("launch = %v, want %v", end, errOver)
		}
	})
}
