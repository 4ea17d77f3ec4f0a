package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// report is the outcome of a run, as --json prints it.
type report struct {
	Mode    string  `json:"mode"`
	Addr    string  `json:"addr"`
	Loop    string  `json:"loop"` // closed or open
	People  int     `json:"people"`
	Senders int     `json:"senders"`
	Window  int     `json:"window,omitempty"`
	Rate    float64 `json:"rate,omitempty"`
	Bytes   int     `json:"bytes"`

	Lines      int64   `json:"lines"`
	Deliveries int64   `json:"deliveries"`
	Seconds    float64 `json:"seconds"` // from the first line said to the last one delivered
	Stalled    bool    `json:"stalled"`
	Faults     totals  `json:"faults"`
	Faulty     []fault `json:"faulty,omitempty"` // the people with any

	Latency   latency        `json:"latency"`
	Server    *serverCost    `json:"server"` // null if the process is not known
	Unknown   string         `json:"server_unknown,omitempty"`
	Generator generatorCost  `json:"generator"`
	Machine   machineDetails `json:"machine"`
}

// totals are the faults of all people together.
type totals struct {
	Lost       int64 `json:"lost"`
	Doubled    int64 `json:"doubled"`
	OutOfOrder int64 `json:"out_of_order"`
	Damaged    int64 `json:"damaged"`
	Cut        int64 `json:"cut"`
}

// fault is one person's share of them.
type fault struct {
	Nick string `json:"nick"`
	faults
}

// latency is in milliseconds, without people's own lines.
type latency struct {
	P50 float64 `json:"p50_ms"`
	P99 float64 `json:"p99_ms"`
	Max float64 `json:"max_ms"`
}

type serverCost struct {
	PID         int     `json:"pid"`
	CPUSeconds  float64 `json:"cpu_seconds"`
	PerDelivery float64 `json:"cpu_us_per_delivery"`
	RSSBefore   int64   `json:"rss_bytes_before"`
	RSSAfter    int64   `json:"rss_bytes_after"`
	RSSPeak     int64   `json:"rss_bytes_peak"`
}

type generatorCost struct {
	CPUSeconds  float64 `json:"cpu_seconds"`
	PerDelivery float64 `json:"cpu_us_per_delivery"`
	Latest      float64 `json:"latest_ms"` // in an open loop, the most that a line was said after it was due
}

type machineDetails struct {
	Processors    int     `json:"processors"`
	OthersPercent float64 `json:"others_percent"` // of all processors, used by neither the server nor the generator
	StolenPercent float64 `json:"stolen_percent"`
	Load          float64 `json:"load"`
}

// leastCPU is what a server must have used for its figure to mean something: /proc counts in 10 ms.
const leastCPU = 500 * time.Millisecond

// newReport draws the balance of a run whose people have left.
func newReport(c *crowd, m *meter, stalled bool) *report {
	o := c.options
	r := &report{
		Mode: "fanout", Addr: o.addr.String(), Loop: "closed", People: o.people, Senders: o.senders, Window: o.window, Rate: o.rate,
		Bytes: o.bytes, Lines: c.tally.lines(), Deliveries: c.tally.arrived.Load(), Stalled: stalled, Unknown: m.why,
	}
	if o.window == 0 {
		r.Loop = "open"
	}
	ledgers := make([]*ledger, len(c.people))
	var all latencies
	var last time.Duration
	for i, p := range c.people {
		ledgers[i] = p.ledger
		all.merge(&p.ledger.latency)
		last = max(last, p.ledger.last)
	}
	r.Seconds = last.Seconds()
	r.Latency = latency{P50: milliseconds(all.quantile(0.5)), P99: milliseconds(all.quantile(0.99)), Max: milliseconds(all.max)}
	for i, f := range c.tally.judge(ledgers) {
		if f.any() {
			r.Faults.add(f)
			r.Faulty = append(r.Faulty, fault{c.people[i].nick, f})
		}
	}
	r.addCosts(m, time.Duration(c.late.Load()))
	return r
}

func (t *totals) add(f faults) {
	t.Lost += f.Lost
	t.Doubled += f.Doubled
	t.OutOfOrder += f.OutOfOrder
	t.Damaged += f.Damaged
	if f.Cut != "" {
		t.Cut++
	}
}

func (r *report) addCosts(m *meter, late time.Duration) {
	from, to := m.marks[before], m.marks[after]
	server, own := to.server-from.server, to.own-from.own
	if m.server != 0 {
		r.Server = &serverCost{
			PID: m.server, CPUSeconds: server.Seconds(), PerDelivery: r.perDelivery(server),
			RSSBefore: from.resident, RSSAfter: to.resident, RSSPeak: to.peak,
		}
	}
	r.Generator = generatorCost{CPUSeconds: own.Seconds(), PerDelivery: r.perDelivery(own), Latest: milliseconds(late)}
	r.Machine = machineDetails{Processors: runtime.NumCPU(), Load: to.load}
	if total := to.machine.total - from.machine.total; total > 0 {
		percent := func(d time.Duration) float64 { return 100 * float64(max(d, 0)) / float64(total) }
		r.Machine.OthersPercent = percent(to.machine.busy - from.machine.busy - server - own)
		r.Machine.StolenPercent = percent(to.machine.stolen - from.machine.stolen)
	}
}

func (r *report) perDelivery(d time.Duration) float64 {
	if r.Deliveries == 0 {
		return 0
	}
	return float64(d.Nanoseconds()) / 1e3 / float64(r.Deliveries)
}

// good says that everybody saw every line, once, whole and in the one order.
func (r *report) good() bool {
	return r.Deliveries > 0 && !r.Stalled && r.Faults == totals{}
}

func (r *report) writeJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// faultyShown bounds how many people's faults a table lists.
const faultyShown = 10

func (r *report) writeTable(w io.Writer) error {
	var b strings.Builder
	row := func(label, format string, args ...any) {
		_, _ = fmt.Fprintf(&b, "%-12s "+format+"\n", append([]any{label}, args...)...)
	}
	loop := fmt.Sprintf("closed loop, %d lines of each sender in flight", r.Window)
	if r.Loop == "open" {
		loop = fmt.Sprintf("open loop, %v lines/s", r.Rate)
	}
	row("fanout", "%d people, %d senders, %s, %d bytes, %s", r.People, r.Senders, loop, r.Bytes, r.Addr)
	seconds := max(r.Seconds, 1e-6)
	row("lines", "%s in %.1f s, %s/s", grouped(r.Lines), r.Seconds, grouped(int64(float64(r.Lines)/seconds)))
	row("deliveries", "%s, %s/s", grouped(r.Deliveries), grouped(int64(float64(r.Deliveries)/seconds)))
	f := r.Faults
	row("faults", "%d lost, %d doubled, %d out of order, %d damaged, %d people cut off", f.Lost, f.Doubled, f.OutOfOrder, f.Damaged, f.Cut)
	if r.Stalled {
		row("", "nothing arrived any more, so the run was given up")
	}
	for i, p := range r.Faulty {
		if i == faultyShown {
			row("", "and %d more people", len(r.Faulty)-i)
			break
		}
		row("", "%s: %d lost, %d doubled, %d out of order, %d damaged%s", p.Nick, p.Lost, p.Doubled, p.OutOfOrder, p.Damaged, p.cutNote())
	}
	row("latency", "p50 %.1f ms, p99 %.1f ms, max %.1f ms (own lines left out)", r.Latency.P50, r.Latency.P99, r.Latency.Max)
	r.writeCosts(row)
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *report) writeCosts(row func(label, format string, args ...any)) {
	if s := r.Server; s != nil {
		note := ""
		if s.CPUSeconds < leastCPU.Seconds() {
			note = "; too little to mean something"
		}
		row("server CPU", "%.2f µs per delivered line (%.2f s of process %d%s)", s.PerDelivery, s.CPUSeconds, s.PID, note)
		row("server RSS", "%.1f MiB, then %.1f MiB, at most %.1f MiB", mebibytes(s.RSSBefore), mebibytes(s.RSSAfter), mebibytes(s.RSSPeak))
	} else {
		row("server CPU", "not known: %s", r.Unknown)
	}
	g := r.Generator
	late := ""
	if r.Loop == "open" {
		late = fmt.Sprintf(", at most %.1f ms late", g.Latest)
	}
	row("generator", "%.2f µs per delivered line (%.2f s)%s", g.PerDelivery, g.CPUSeconds, late)
	m := r.Machine
	row("machine", "%d processors, %.0f %% used by others, %.0f %% stolen, load %.2f", m.Processors, m.OthersPercent, m.StolenPercent, m.Load)
}

func (f fault) cutNote() string {
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
