package main

import (
	"context"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"
)

func TestGarbageMayGatherByHalfAndTheAllowance(t *testing.T) {
	for _, tt := range []struct {
		live, scanned uint64
		want          int
	}{
		{0, 0, gcPercent + 400}, // before the first collection
		{3 << 20, 1 << 20, gcPercent + 400},
		{7 << 20, 1 << 20, gcPercent + 200},
		{24 << 20, 8 << 20, gcPercent + 50},
		{600 << 20, 200 << 20, gcPercent + 2},
		{4 << 30, 0, gcPercent},
	} {
		h := heap{live: tt.live, scanned: tt.scanned}
		if got := h.percent(); got != tt.want {
			t.Errorf("with %d bytes live and %d scanned the collector runs after %d %%, want %d %%", tt.live, tt.scanned, got, tt.want)
		}
	}
}

func TestWhatIsTidiedUpWhenItIsQuiet(t *testing.T) {
	tidied := heap{allocated: 100 << 20}
	for _, tt := range []struct {
		name          string
		last, now     heap
		quiet, untidy bool
	}{
		{"nothing happened", tidied, heap{live: 8 << 20, allocated: 100 << 20}, true, false},
		{"a crowd comes", tidied, heap{live: 8 << 20, allocated: 108 << 20}, false, true},
		{"and has come", heap{allocated: 108 << 20}, heap{live: 8 << 20, allocated: 108<<20 + 1<<10}, true, true},
		{"a little happened", heap{allocated: 102 << 20}, heap{live: 8 << 20, allocated: 102 << 20}, true, false},
		{"a bit in an empty house", heap{allocated: 101 << 20}, heap{live: 1 << 20, allocated: 101 << 20}, true, false},
	} {
		if got := tt.now.quietSince(tt.last); got != tt.quiet {
			t.Errorf("%s: quiet is %v, want %v", tt.name, got, tt.quiet)
		}
		if got := tt.now.untidySince(tidied); got != tt.untidy {
			t.Errorf("%s: untidy is %v, want %v", tt.name, got, tt.untidy)
		}
	}
}

// percentNow is what the collector goes by.
func percentNow() int {
	sample := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	metrics.Read(sample)
	return int(sample[0].Value.Uint64())
}

// kept is what the test keeps in use.
var kept [][]byte

// TestCollectorIsPacedAndQuietHouseTidy holds the two together, as they run: the share falls as more is in use, after each collection,
// and garbage goes once nothing is done.
func TestCollectorIsPacedAndQuietHouseTidy(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
	ctx, stop := context.WithCancel(t.Context())
	over := make(chan struct{})
	go func() {
		defer close(over)
		collectGarbage(ctx)
	}()
	defer func() { <-over }()
	defer stop()
	until := func(what string, ok func() bool) {
		t.Helper()
		look := time.NewTicker(20 * time.Millisecond) // seldom enough to be quiet
		defer look.Stop()
		for end := time.Now().Add(10 * time.Second); !ok(); <-look.C {
			if time.Now().After(end) {
				t.Fatalf("%s is not so after 10 s: the share is %d %%, the heap %+v", what, percentNow(), readHeap())
			}
		}
	}
	fill := func(bytes int) {
		for range bytes / (64 << 10) {
			kept = append(kept, make([]byte, 64<<10))
		}
	}
	// A collection that had begun before the last one was told is not told.
	share := func(least, most int) func() bool {
		return func() bool {
			runtime.GC()
			p := percentNow()
			return p > least && p <= most
		}
	}
	defer func() { kept = nil }()
	until("more than 50 % in a small house", share(gcPercent+50, gcPercent+400))
	fill(64 << 20)
	until("50 % and a quarter of that at most in a bigger one", share(gcPercent+10, gcPercent+25))
	fill(64 << 20)
	until("half as much besides in a house twice as big", share(gcPercent+5, gcPercent+13))

	kept = nil
	until("what was there is given back", func() bool { return readHeap().live < 16<<20 })
}
