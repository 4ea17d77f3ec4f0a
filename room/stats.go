package room

import (
	"maps"
	"sync"
	"sync/atomic"
	"time"
)

// LatencyBounds are the upper bounds of a [Histogram]'s buckets; one more bucket holds what is above.
var LatencyBounds = [...]time.Duration{
	500 * time.Microsecond, time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond,
	50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond, time.Second, 5 * time.Second,
}

// A Histogram counts durations. Its methods may be called from any goroutine.
type Histogram struct {
	buckets [len(LatencyBounds) + 1]atomic.Uint64
	nanos   atomic.Int64
}

// Observe counts one duration.
func (h *Histogram) Observe(d time.Duration) {
	i := 0
	for i < len(LatencyBounds) && d > LatencyBounds[i] {
		i++
	}
	h.buckets[i].Add(1)
	h.nanos.Add(int64(d))
}

// Latencies is a reading of a [Histogram]: how many fell in each bucket, and their sum.
type Latencies struct {
	Buckets [len(LatencyBounds) + 1]uint64
	Sum     time.Duration
}

// Read returns what was counted so far.
func (h *Histogram) Read() Latencies {
	l := Latencies{Sum: time.Duration(h.nanos.Load())}
	for i := range h.buckets {
		l.Buckets[i] = h.buckets[i].Load()
	}
	return l
}

// Stats are the figures of a house since it was made.
type Stats struct {
	Lines  uint64          // messages that took effect: said, emoted, told
	Voided map[Void]uint64 // records without effect, by reason
	People int             // listed in the lobby now
	Rooms  int             // that there are
	Bars   int             // that have not ended
	Commit Latencies       // from Append to its return
}

// counts are written by apply and read at any time.
type counts struct {
	lines  atomic.Uint64
	commit Histogram

	mu     sync.Mutex
	voided map[Void]uint64 // guarded by mu
}

func (c *counts) verdict(e *Event, v Verdict) {
	if v.Void != "" {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.voided == nil {
			c.voided = map[Void]uint64{}
		}
		c.voided[v.Void]++
		return
	}
	switch e.Body.(type) {
	case Said, Emoted, Told:
		c.lines.Add(1)
	default: // no line
	}
}

// Stats reads the house's figures.
func (h *House) Stats() Stats {
	h.counts.mu.Lock()
	voided := maps.Clone(h.counts.voided)
	h.counts.mu.Unlock()
	return Stats{
		Lines: h.counts.lines.Load(), Voided: voided, People: h.People(Lobby), Rooms: h.CountRooms(), Bars: h.countBars(), Commit: h.counts.commit.Read(),
	}
}

// countBars counts the bars that have not ended.
func (h *House) countBars() (n int) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	now := time.Now()
	for _, b := range h.rules.bars {
		if !b.over(now) {
			n++
		}
	}
	return n
}

// People counts who is listed in a room.
func (h *House) People(room Subject) int {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.rules.listedIn(room)
}
