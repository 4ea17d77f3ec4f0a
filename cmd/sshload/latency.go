package main

import (
	"math/bits"
	"time"
)

// latencies counts how long lines took, in buckets of 3 % of their value, so that a run may be as long as it likes.
type latencies struct {
	buckets [26*32 + 32]uint32 // up to 2^30 µs
	n       uint64
	max     time.Duration
}

func (l *latencies) add(d time.Duration) {
	d = max(d, 0)
	l.buckets[bucketOf(d)]++
	l.n++
	l.max = max(l.max, d)
}

func (l *latencies) merge(o *latencies) {
	for i, n := range o.buckets {
		l.buckets[i] += n
	}
	l.n += o.n
	l.max = max(l.max, o.max)
}

// quantile returns what the share q of all lines did not exceed, rounded up to its bucket's end.
func (l *latencies) quantile(q float64) time.Duration {
	var n uint64
	for i, c := range l.buckets {
		if n += uint64(c); n > 0 && float64(n) >= q*float64(l.n) {
			return min(endOf(i), l.max)
		}
	}
	return l.max
}

// bucketOf: below 32 µs one for each, above it 32 for each power of two.
func bucketOf(d time.Duration) int {
	us := min(uint64(d.Microseconds()), 1<<30-1)
	if us < 32 {
		return int(us)
	}
	shift := bits.Len64(us) - 6
	return shift*32 + int(us>>shift)
}

// endOf returns the longest duration that bucketOf puts into bucket i.
func endOf(i int) time.Duration {
	if i < 64 {
		return time.Duration(i+1)*time.Microsecond - 1
	}
	shift := i/32 - 1
	return time.Duration((i-shift*32+1)<<shift)*time.Microsecond - 1
}
