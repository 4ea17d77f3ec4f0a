package main

import (
	"context"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// How much garbage may gather before it is collected: a share of what is in use, in percent, but no more than so many bytes. A house keeps
// little for long, so that to collect more often costs next to nothing, and it is a third smaller. With ten thousand people in it, most of
// whom listen, half as much again would be 400 MiB; what comes of what they say and do fills 64 slowly enough.
const (
	gcPercent   = 50
	leastShare  = 10
	mostGarbage = 64 << 20
)

// collectGarbage has it collected by that until ctx ends: the share is set anew after each collection.
func collectGarbage(ctx context.Context) {
	collected := make(chan struct{}, 1)
	for {
		debug.SetGCPercent(gcShare(inUse()))
		tellCollection(collected)
		select {
		case <-collected:
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

// gcShare is the share of so much, in percent.
func gcShare(inUse uint64) int {
	return min(gcPercent, max(leastShare, int(100*mostGarbage/max(inUse, 1))))
}
