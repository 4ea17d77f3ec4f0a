package main

import (
	"testing"
	"testing/synctest"
	"time"
)

// Who waits for the server before saying the next line would leave out the time in which it did not answer.
func TestALineIsDueWhenTheClockSaysHoweverLateItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &crowd{options: &options{rate: 10, senders: 2}, tally: newTally(scriptOf("4711", 100), 2, 2, 0), clock: &clock{}}
		c.clock.begin()
		for _, step := range []struct {
			line     line
			stall    time.Duration // of the sender, before
			due, now time.Duration
			late     time.Duration // at most, so far
		}{
			{line{sender: 0, number: 0}, 0, 0, 0, 0},
			{line{sender: 1, number: 0}, 0, 100 * time.Millisecond, 100 * time.Millisecond, 0},
			{line{sender: 0, number: 1}, 0, 200 * time.Millisecond, 200 * time.Millisecond, 0},
			{line{sender: 0, number: 2}, time.Second, 400 * time.Millisecond, 1200 * time.Millisecond, 800 * time.Millisecond},
			{line{sender: 0, number: 3}, 0, 600 * time.Millisecond, 1200 * time.Millisecond, 800 * time.Millisecond},
			{line{sender: 0, number: 7}, 0, 1400 * time.Millisecond, 1400 * time.Millisecond, 800 * time.Millisecond},
		} {
			time.Sleep(step.stall)
			due, err := c.turn(t.Context(), step.line)
			if now, late := c.clock.now(), time.Duration(c.late.Load()); err != nil || due != step.due || now != step.now || late != step.late {
				t.Errorf("%+v: due at %v, %v, said at %v, late by %v at most, want %v, %v, %v",
					step.line, due, err, now, late, step.due, step.now, step.late)
			}
		}
	})
}
