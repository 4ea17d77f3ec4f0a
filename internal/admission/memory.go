package admission

import (
	"math"
	"runtime/metrics"
)

// memory returns how many bytes the program cannot do without, and the Go memory limit (GOMEMLIMIT); ok is false while
// none is set.
//
// What counts against the limit is all that is mapped and not given back. Garbage is part of it and may fill half of the
// limit on a calm day, because the collector lets the heap double before it runs. So garbage and free pages are taken off
// again: the collector finds them by itself when the limit comes near, and people are sent away only when it cannot.
func memory() (need, limit uint64, ok bool) {
	samples := []metrics.Sample{
		{Name: "/gc/gomemlimit:bytes"},
		{Name: "/memory/classes/total:bytes"},
		{Name: "/memory/classes/heap/released:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/gc/heap/live:bytes"},
	}
	metrics.Read(samples)
	var v [6]uint64
	for i, s := range samples {
		if s.Value.Kind() != metrics.KindUint64 {
			return 0, 0, false
		}
		v[i] = s.Value.Uint64()
	}
	limit, total, released, free, objects, live := v[0], v[1], v[2], v[3], v[4], v[5]
	if limit == 0 || limit >= math.MaxInt64 {
		return 0, 0, false
	}
	garbage := objects - min(live, objects)
	return total - min(total, released+free+garbage), limit, true
}
