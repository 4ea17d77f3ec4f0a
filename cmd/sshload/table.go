package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// faultyShown bounds how many people's faults a table lists.
const faultyShown = 10

// table is a report for people.
type table struct {
	strings.Builder
	r *report
}

func (r *report) writeTable(w io.Writer) error {
	t := &table{r: r}
	t.row(r.Mode, "%s", r.summary())
	if r.Loop == "" {
		t.arrivals()
	} else {
		t.talk()
	}
	t.faults()
	t.costs()
	_, err := io.WriteString(w, t.String())
	return err
}

func (t *table) row(label, format string, args ...any) {
	_, _ = fmt.Fprintf(t, "%-12s "+format+"\n", append([]any{label}, args...)...)
}

// summary says what was asked for.
func (r *report) summary() string {
	s := fmt.Sprintf("%d people, ", r.People)
	switch r.Loop {
	case "closed":
		s += fmt.Sprintf("%d senders, closed loop, %d lines of each sender in flight, %d bytes, ", r.Senders, r.Window, r.Bytes)
	case "open":
		s += fmt.Sprintf("%d senders, open loop, %v lines/s, %d bytes, ", r.Senders, r.Rate, r.Bytes)
	}
	return s + fmt.Sprintf("door %s, %s", r.Door, r.Addr)
}

func (t *table) arrivals() {
	r := t.r
	if r.Mode != "idle" {
		t.row("arrivals", "%d in %.1f s, %.0f/s", r.People, r.Seconds, float64(r.People)/max(r.Seconds, 1e-6))
	}
	t.row("one arrival", "p50 %.1f ms, p99 %.1f ms, max %.1f ms", r.Latency.P50, r.Latency.P99, r.Latency.Max)
	if r.LineToAll > 0 {
		t.row("line to all", "%.3f s until everybody had it", r.LineToAll)
	}
}

func (t *table) talk() {
	r := t.r
	seconds := max(r.Seconds, 1e-6)
	t.row("lines", "%s in %.1f s, %s/s", grouped(r.Lines), r.Seconds, grouped(int64(float64(r.Lines)/seconds)))
	t.row("deliveries", "%s, %s/s", grouped(r.Deliveries), grouped(int64(float64(r.Deliveries)/seconds)))
	since := ""
	if r.Loop == "open" {
		since = "from when a line was due; "
	}
	t.row("latency", "p50 %.1f ms, p99 %.1f ms, max %.1f ms (%sown lines left out)", r.Latency.P50, r.Latency.P99, r.Latency.Max, since)
	for i, p := range r.Phases {
		name := [phases]string{"all read", "some stuck", "all read again"}[i]
		t.row("", "%-14s p50 %.1f ms, p99 %.1f ms, max %.1f ms, server RSS %.1f MiB", name, p.Latency.P50, p.Latency.P99, p.Latency.Max, mebibytes(p.RSS))
	}
	for _, s := range r.Stuck {
		end := "did not catch up"
		if s.CaughtUp {
			end = "caught up"
		}
		t.row("stuck", "%s missed %s lines, %s%s", s.Nick, grouped(s.Lost), end, s.cutNote())
		if s.Offered < leastOffered {
			t.row("", "only %.1f MiB were said meanwhile, which buffers may hold: nothing was measured", mebibytes(s.Offered))
		}
	}
	if g := r.Guests; g != nil {
		t.row("guests", "%s came, stayed and went; %s failed", grouped(g.Came), grouped(g.Failed))
		if g.Why != "" {
			t.row("", "the last one: %s", g.Why)
		}
	}
}

// leastOffered is what must be said while somebody is stuck, for the buffers between to be full: a channel's window is 2 MiB.
const leastOffered = 5 << 19

func (t *table) faults() {
	r := t.r
	f := r.Faults
	t.row("faults", "%d lost, %d doubled, %d out of order, %d damaged, %d people cut off", f.Lost, f.Doubled, f.OutOfOrder, f.Damaged, f.Cut)
	if r.Stalled {
		t.row("", "nothing arrived any more, so the run was given up")
	}
	for i, p := range r.Faulty {
		if i == faultyShown {
			t.row("", "and %d more people", len(r.Faulty)-i)
			break
		}
		t.row("", "%s: %d lost, %d doubled, %d out of order, %d damaged%s", p.Nick, p.Lost, p.Doubled, p.OutOfOrder, p.Damaged, p.cutNote())
	}
}

func (t *table) costs() {
	r := t.r
	if s := r.Server; s != nil {
		note := ""
		if s.CPUSeconds < leastCPU.Seconds() && r.Mode != "idle" {
			note = "; too little to mean something"
		}
		cost := fmt.Sprintf("%.2f µs per delivered line", s.PerDelivery)
		switch {
		case s.PerArrival > 0:
			cost = fmt.Sprintf("%.2f ms per arrival", s.PerArrival)
		case r.Mode == "idle":
			cost = fmt.Sprintf("%.2f %% of a processor", 100*s.CPUSeconds/max(r.Seconds, 1e-6))
		}
		t.row("server CPU", "%s (%.2f s of process %d%s)", cost, s.CPUSeconds, s.PID, note)
		memory := fmt.Sprintf("%.1f MiB, then %.1f MiB, at most %.1f MiB", mebibytes(s.RSSBefore), mebibytes(s.RSSAfter), mebibytes(s.RSSPeak))
		if s.PerPerson != 0 {
			memory += fmt.Sprintf("; %.1f KiB per person", s.PerPerson/1024)
		}
		t.row("server RSS", "%s", memory)
		if s.Warm {
			t.row("", "somebody was at its port in the minute before: unless it was started after that, its base was warm, and the figure per person is too small")
		}
	} else {
		t.row("server CPU", "not known: %s", r.Unknown)
	}
	g := r.Generator
	own := fmt.Sprintf("%.2f s", g.CPUSeconds)
	if g.PerDelivery > 0 {
		own = fmt.Sprintf("%.2f µs per delivered line (%.2f s)", g.PerDelivery, g.CPUSeconds)
	}
	if r.Loop == "open" {
		own += fmt.Sprintf(", at most %.1f ms late", g.Latest)
	}
	t.row("generator", "%s", own)
	m := r.Machine
	t.row("machine", "%d processors, %.0f %% used by others, %.0f %% stolen, load %.2f", m.Processors, m.OthersPercent, m.StolenPercent, m.Load)
}

func (f faults) cutNote() string {
	if f.Cut == "" {
		return ""
	}
	return ", cut off: " + f.Cut
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1e3 }

func mebibytes(n int64) float64 { return float64(n) / (1 << 20) }

// grouped writes a number with its thousands apart.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
