package main

import (
	"context"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"
)

func TestGarbageIsAShareButNotMuch(t *testing.T) {
	for _, tt := range []struct {
		inUse uint64
		want  int
	}{{0, 50}, {4 << 20, 50}, {128 << 20, 50}, {256 << 20, 25}, {512 << 20, 12}, {8 << 30, 10}} {
		if got := gcShare(tt.inUse); got != tt.want {
			t.Errorf("with %d bytes in use garbage is collected at %d %%, want %d %%", tt.inUse, got, tt.want)
		}
	}
}

// kept is what the test keeps in use.
var kept [][]byte

func TestShareFollowsWhatIsInUse(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(200))
	ctx, stop := context.WithCancel(t.Context())
	over := make(chan struct{})
	go func() {
		defer close(over)
		collectGarbage(ctx)
	}()
	defer func() { <-over }()
	defer stop()
	until := func(what string, ok func(percent int) bool) {
		t.Helper()
		sample := []metrics.Sample{{Name: "/gc/gogc:percent"}}
		for end := time.Now().Add(10 * time.Second); ; {
			runtime.GC()
			metrics.Read(sample)
			percent := int(sample[0].Value.Uint64())
			if ok(percent) {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("%s is not so after 10 s: the share is %d %%, %d bytes are in use", what, percent, inUse())
			}
			runtime.Gosched()
		}
	}
	defer func() { kept = nil }()
	until("50 % in a small house", func(p int) bool { return p == gcPercent })
	for range 6 {
		kept = append(kept, make([]byte, 64<<20))
	}
	until("a smaller share in a large one", func(p int) bool { return p > 10 && p < 25 })
	kept = nil
	until("50 % in a small one again", func(p int) bool { return p == gcPercent })
}
