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
		most  int
		want  int
	}{
		{0, 50, 50},
		{4 << 20, 50, 50},
		{128 << 20, 50, 50},
		{256 << 20, 50, 25},
		{512 << 20, 50, 12},
		{8 << 30, 50, 10},
		{4 << 20, 200, 200},
		{32 << 20, 200, 200},
		{64 << 20, 200, 100},
		{512 << 20, 200, 12},
	} {
		if got := gcShare(tt.inUse, tt.most); got != tt.want {
			t.Errorf("with %d bytes in use garbage is collected at %d %%, want %d %%", tt.inUse, got, tt.want)
		}
	}
}

// collecting has garbage collected as a house does, until the test is over.
func collecting(t *testing.T) {
	t.Helper()
	before := debug.SetGCPercent(200)
	ctx, stop := context.WithCancel(t.Context())
	over := make(chan struct{})
	go func() {
		defer close(over)
		collectGarbage(ctx)
	}()
	t.Cleanup(func() {
		stop()
		<-over
		debug.SetGCPercent(before)
	})
}

// kept is what the test keeps in use.
var kept [][]byte

func TestShareFollowsWhatIsInUse(t *testing.T) {
	collecting(t)
	until := func(what string, collect bool, ok func(percent int) bool) {
		t.Helper()
		sample := []metrics.Sample{{Name: "/gc/gogc:percent"}}
		for end := time.Now().Add(20 * time.Second); ; {
			if collect {
				runtime.GC()
			}
			metrics.Read(sample)
			percent := int(sample[0].Value.Uint64())
			if ok(percent) {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("%s is not so after 20 s: the share is %d %%, %d bytes are in use", what, percent, inUse())
			}
			runtime.Gosched()
		}
	}
	is := func(want int) func(int) bool { return func(p int) bool { return p == want } }
	defer func() { kept = nil }()
	until("more right after a collection", true, is(gcHurried))
	until("50 % a second later", false, is(gcPercent))
	leave := make(chan struct{})
	defer close(leave)
	until("much more while people come", true, func(p int) bool {
		for range runtime.NumGoroutine()/4 + 1 { // and stay
			go func() { <-leave }()
		}
		return p == gcFilling
	})
	until("no more than before when nobody comes any more", true, is(gcHurried))
	for range 6 {
		kept = append(kept, make([]byte, 64<<20))
	}
	until("a smaller share in a large house", true, func(p int) bool { return p > 10 && p < 25 })
	kept = nil
	until("more in a small one again", true, is(gcHurried))
	until("50 % a second later again", false, is(gcPercent))
}

// After a flood what is free goes back to the system, which takes one collection more; after a lone collection there is none.
func TestMemoryGoesBackAfterAFlood(t *testing.T) {
	collecting(t)
	sample := make([]metrics.Sample, 1) // what waits here must not make garbage itself
	read := func(name string) uint64 {
		sample[0].Name = name
		metrics.Read(sample)
		return sample[0].Value.Uint64()
	}
	forced := func() uint64 { return read("/gc/cycles/forced:gc-cycles") }
	until := func(what string, ok func() bool) {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); !ok(); runtime.Gosched() {
			if time.Now().After(end) {
				t.Fatalf("%s is not so after 20 s", what)
			}
		}
	}
	until("a calm beginning", func() bool { return read("/gc/gogc:percent") == gcPercent })
	lone := forced()
	for range 2 { // what the first brought with it is over before the second is
		runtime.GC()
		until("hurry", func() bool { return read("/gc/gogc:percent") == gcHurried })
		until("calm", func() bool { return read("/gc/gogc:percent") == gcPercent })
	}
	if n := forced() - lone; n != 2 {
		t.Errorf("two lone collections were %d, want no others", n)
	}
	kept = [][]byte{make([]byte, 64<<20)}
	for range 100 { // some that come together are told as one
		runtime.GC()
	}
	kept = nil
	flood := forced()
	until("one more collection", func() bool { return forced() > flood })
	until("what is free is given back", func() bool { return read("/memory/classes/heap/free:bytes") < 32<<20 })
}
