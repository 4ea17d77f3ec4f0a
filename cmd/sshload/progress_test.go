package main

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestProgressIsDrawnAndTakenAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var screen strings.Builder
		quit := make(chan struct{})
		n := 0
		var drawing sync.WaitGroup
		drawing.Go(func() {
			drawProgress(&screen, func() string {
				n++
				return strings.Repeat("x", n)
			}, quit)
		})
		time.Sleep(2*progressEvery + progressEvery/2)
		close(quit)
		drawing.Wait()
		if got, want := screen.String(), "\r\x1b[Kx\r\x1b[Kxx\r\x1b[K"; got != want {
			t.Errorf("screen = %q, want %q", got, want)
		}
	})
}

func TestStatus(t *testing.T) {
	c := &crowd{options: &options{people: 100, senders: 2}, tally: newTally(scriptOf("4711", 100), 100, 2, 0), clock: &clock{}}
	c.inside.Store(7)
	if got, want := c.status(), "7 of 100 are in"; got != want {
		t.Errorf("status = %q, want %q", got, want)
	}
	c.clock.begin()
	c.tally.said[1].Store(1500)
	c.tally.arrive(120_000)
	if got, want := c.status(), "1,500 lines said, 120,000 delivered"; !strings.Contains(got, want) {
		t.Errorf("status = %q, want it to contain %q", got, want)
	}
}
