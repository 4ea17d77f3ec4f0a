package main

import (
	"context"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// How much garbage may gather before it is collected: a share of what is in use, in percent, and some bytes besides. A house keeps little
// for long, so that a small share costs next to nothing once it is there, and makes it a third smaller. But while people come, a small
// share of little is collected after every few of them, which would be an eighth of what their logins cost.
const gcPercent, gcAllowance = 50, 16 << 20

// Twice a second it is looked whether the house is quiet. It is while less is allocated than half a login takes, and worth tidying up then
// if since the last time this share of what is in use was allocated, in percent, and some bytes besides.
const (
	quietEvery   = 500 * time.Millisecond
	quietBytes   = 32 << 10
	tidyPercent  = 25
	tidyLeftover = 1 << 20
)

// collectGarbage has it collected as it suits a house, until ctx ends: rarely while there is much to do, and once when that is over, so
// that what a crowd has left behind is given back to the machine.
func collectGarbage(ctx context.Context) {
	collected := make(chan struct{}, 1)
	collected <- struct{}{}
	tick := time.NewTicker(quietEvery)
	defer tick.Stop()
	last := readHeap()
	tidied := last
	for {
		select {
		case <-ctx.Done():
			return
		case <-collected:
			debug.SetGCPercent(readHeap().percent())
			tellCollection(collected)
		case <-tick.C:
			now := readHeap()
			if now.quietSince(last) && now.untidySince(tidied) {
				tidy()
				now = readHeap()
				tidied = now
			}
			last = now
		}
	}
}

// tidy gives back what can be. Each collection halves the stacks that are too big by now.
func tidy() {
	runtime.GC()
	runtime.GC()
	debug.FreeOSMemory()
}

// tellCollection sends to c after the next collection. The object must not be of a size for which the runtime promises nothing, so it
// holds a pointer.
func tellCollection(c chan<- struct{}) {
	runtime.AddCleanup(&struct{ _ *byte }{}, func(c chan<- struct{}) { c <- struct{}{} }, c)
}

// heap are figures of the runtime, in bytes.
type heap struct {
	live      uint64 // in use after the last collection
	scanned   uint64 // the stacks and variables of then, which the collector counts with them
	allocated uint64 // since the program began
}

func readHeap() heap {
	samples := []metrics.Sample{
		{Name: "/gc/heap/live:bytes"},
		{Name: "/gc/scan/stack:bytes"},
		{Name: "/gc/scan/globals:bytes"},
		{Name: "/gc/heap/allocs:bytes"},
	}
	metrics.Read(samples)
	v := func(i int) uint64 { return samples[i].Value.Uint64() }
	return heap{live: v(0), scanned: v(1) + v(2), allocated: v(3)}
}

// percent is the share after which the collector must begin, to leave room for the allowance as well. The runtime takes it of 4 MiB at
// least.
func (h heap) percent() int {
	return gcPercent + int(100*gcAllowance/max(h.live+h.scanned, 4<<20))
}

// quietSince says that next to nothing was allocated since then.
func (h heap) quietSince(then heap) bool { return h.allocated-then.allocated < quietBytes }

// untidySince says that so much was allocated since then that some of it will lie about.
func (h heap) untidySince(then heap) bool {
	return h.allocated-then.allocated > h.live/100*tidyPercent+tidyLeftover
}
