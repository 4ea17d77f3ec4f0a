package main

import (
	"context"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// How much garbage may gather before it is collected: a share of what is in use, in percent, but no more than so many bytes. A house keeps
// little for long, so that to collect more often costs next to nothing, and it is a third smaller. With ten thousand people in it, most of
// whom listen, half as much again would be 400 MiB; what comes of what they say and do fills 64 slowly enough.
//
// While many come at once, most of what is new stays, and each collection looks through all who are there already: at 50 % that was a
// tenth of a login. So from one collection on it may be more, until there was none for a second, and more still while the goroutines
// become more: as people come, not as they talk, or a house in which somebody does not read would grow by too much. What so many
// logins leave free between the sessions then goes back to the system. That takes a collection, the third at least since it was calm.
const (
	gcPercent   = 50
	gcHurried   = 100 // within gcCalm of a collection
	gcFilling   = 200 // so, and since the one before there are more goroutines by one in gcCrowd
	gcCrowd     = 8
	gcCalm      = time.Second
	gcFlood     = 2 // collections, each within gcCalm of the one before
	leastShare  = 10
	mostGarbage = 64 << 20
)

// collectGarbage has it collected by that until ctx ends: the share is set anew after each collection.
func collectGarbage(ctx context.Context) {
	collected, flood, goroutines := make(chan struct{}, 1), 0, runtime.NumGoroutine()
	calm := time.NewTimer(0)
	defer calm.Stop()
	tellCollection(collected)
	for {
		select {
		case <-collected:
			flood++
			now, most := runtime.NumGoroutine(), gcHurried
			if now > goroutines+goroutines/gcCrowd {
				most = gcFilling
			}
			goroutines = now
			debug.SetGCPercent(gcShare(inUse(), most))
			calm.Reset(gcCalm)
			tellCollection(collected)
		case <-calm.C:
			debug.SetGCPercent(gcShare(inUse(), gcPercent))
			if flood >= gcFlood {
				debug.FreeOSMemory()
			}
			flood = 0
		case <-ctx.Done():
			return
		}
	}
}

// tellCollection sends to c after the next collection. The object must not be of a size for which the runtime promises nothing, so it
// holds a pointer.
func tellCollection(c chan<- struct{}) {
	runtime.AddCleanup(&struct{ _ *byte }{}, func(c chan<- struct{}) { c <- struct{}{} }, c)
}

// inUse returns the bytes of which the runtime takes its share: those in use after the last collection, with the stacks and variables.
func inUse() uint64 {
	samples := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/stack:bytes"}, {Name: "/gc/scan/globals:bytes"}}
	metrics.Read(samples)
	sum := uint64(0)
	for i := range samples {
		sum += samples[i].Value.Uint64()
	}
	return sum
}

// gcShare is the share of so much, in percent, if it may be that at most.
func gcShare(inUse uint64, most int) int {
	return min(most, max(leastShare, int(100*mostGarbage/max(inUse, 1))))
}
