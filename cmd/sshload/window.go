package main

import (
	"context"
	"sync/atomic"
)

// window holds one sender's lines in flight in a closed loop. A line is in flight until everybody has it.
type window struct {
	people int32
	slots  []atomic.Int32 // by number modulo lines: how many people do not have it yet
	bell   chan struct{}  // a slot has become free
}

func newWindow(lines, people int) *window {
	return &window{people: int32(people), slots: make([]atomic.Int32, lines), bell: make(chan struct{}, 1)}
}

// launch waits until line number may be said, and counts it as in flight. Only the sender calls it, with every number in turn.
func (w *window) launch(ctx context.Context, number int) error {
	slot := &w.slots[number%len(w.slots)]
	for slot.Load() > 0 {
		select {
		case <-w.bell:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	slot.Store(w.people)
	return nil
}

// landed says that one more person has the line. A reader calls it once for each line, so a slot cannot be taken for the next
// line before that.
func (w *window) landed(number int) {
	if w.slots[number%len(w.slots)].Add(-1) == 0 {
		select {
		case w.bell <- struct{}{}:
		default:
		}
	}
}
