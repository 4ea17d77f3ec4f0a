package main

import (
	"testing"
	"time"
)

func TestBucketsAreNarrowAndWithoutGap(t *testing.T) {
	last := 0
	for us := range int64(1 << 22) {
		d := time.Duration(us) * time.Microsecond
		b := bucketOf(d)
		if b != last && b != last+1 {
			t.Fatalf("bucketOf(%v) = %d after %d, want no gap", d, b, last)
		}
		last = b
		if end := endOf(b); end < d || float64(end-d) > float64(d)/32+1000 {
			t.Fatalf("endOf(bucketOf(%v)) = %v, want at most 1/32 more", d, end)
		}
	}
}

func TestQuantiles(t *testing.T) {
	var a, b latencies
	for i := range 1000 {
		one := &a
		if i%2 == 0 {
			one = &b
		}
		one.add(time.Duration(i+1) * time.Millisecond)
	}
	a.add(-time.Second) // clocks are read by different goroutines
	a.merge(&b)
	for _, c := range []struct {
		q           float64
		least, most time.Duration
	}{
		{0, 0, time.Microsecond},
		{0.5, 500 * time.Millisecond, 520 * time.Millisecond},
		{0.99, 989 * time.Millisecond, time.Second},
		{1, time.Second, time.Second},
	} {
		if got := a.quantile(c.q); got < c.least || got > c.most {
			t.Errorf("quantile(%v) = %v, want %v to %v", c.q, got, c.least, c.most)
		}
	}
	if got := a.n; got != 1001 {
		t.Errorf("%d counted, want 1001", got)
	}
}

func TestADayIsNotTooLong(t *testing.T) {
	var l latencies
	l.add(24 * time.Hour)
	if got, want := l.max, 24*time.Hour; got != want {
		t.Errorf("max = %v, want %v", got, want)
	}
	if got := l.quantile(0.5); got < 17*time.Minute {
		t.Errorf("median = %v, want the last bucket's end", got)
	}
	if got := new(latencies).quantile(0.99); got != 0 {
		t.Errorf("quantile of nothing = %v, want 0", got)
	}
}
