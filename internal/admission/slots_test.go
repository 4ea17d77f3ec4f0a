package admission

import (
	"context"
	"errors"
	"math"
	"runtime"
	"runtime/debug"
	"testing"
	"testing/synctest"
	"time"
)

func TestSlotIsWaitedForOnlySoLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewSlots(2, 5*time.Second)
		for range 2 {
			if err := s.Acquire(t.Context()); err != nil {
				t.Fatalf("a free slot: %v", err)
			}
		}
		start := time.Now()
		if err := s.Acquire(t.Context()); !errors.Is(err, ErrBusy) || time.Since(start) != 5*time.Second {
			t.Errorf("no free slot: %v after %v, want %v after 5s", err, time.Since(start), ErrBusy)
		}

		gone := errors.New("hung up")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(gone) })
		if err := s.Acquire(ctx); !errors.Is(err, gone) {
			t.Errorf("peer gone while waiting: %v, want %v", err, gone)
		}

		time.AfterFunc(time.Second, s.Release)
		if err := s.Acquire(t.Context()); err != nil {
			t.Errorf("a slot given back while waiting: %v", err)
		}
		s.Release()
		s.Release()
		defer func() {
			if recover() == nil {
				t.Error("one release too many went unnoticed")
			}
		}()
		s.Release()
	})
}

func TestMemoryInNeedIsWhatTheCollectorCannotFree(t *testing.T) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(math.MaxInt64))
	if _, _, ok := memory(); ok {
		t.Error("without a memory limit there is one")
	}
	const limit = 1 << 40
	debug.SetMemoryLimit(limit)
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	need := func() uint64 {
		need, got, ok := memory()
		if !ok || got != limit {
			t.Fatalf("memory() = %d, %d, %v; want the limit %d", need, got, ok, uint64(limit))
		}
		return need
	}
	const size = 64 << 20
	runtime.GC()
	before := need()
	block := make([]byte, size)
	runtime.GC()
	held := need()
	runtime.KeepAlive(block)
	runtime.GC()
	after := need()
	_ = make([]byte, size)
	garbage := need() // not collected yet
	const noise = size / 4
	if held < before+size-noise || after > before+noise || garbage > before+noise {
		t.Errorf("need = %d, holding a block of %d: %d, after it: %d, with one to be collected: %d", before, size, held, after, garbage)
	}
}
