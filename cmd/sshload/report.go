package main

import (
	"encoding/json"
	"io"
	"runtime"
	"time"
)

// report is the outcome of a run, as --json prints it.
type report struct {
	Mode    string  `json:"mode"`
	Addr    string  `json:"addr"`
	Door    door    `json:"door"`
	Loop    string  `json:"loop,omitempty"` // closed or open, if something was said
	People  int     `json:"people"`
	Senders int     `json:"senders,omitempty"`
	Window  int     `json:"window,omitempty"`
	Rate    float64 `json:"rate,omitempty"`
	Bytes   int     `json:"bytes,omitempty"`

	Lines      int64   `json:"lines,omitempty"`
	Deliveries int64   `json:"deliveries,omitempty"`
	Seconds    float64 `json:"seconds"` // from the first line said to the last one delivered, or of all arrivals, or of the silence
	Stalled    bool    `json:"stalled"` // nothing arrived anywhere any more, or nobody was left to whom it could
	Faults     totals  `json:"faults"`
	Faulty     []fault `json:"faulty,omitempty"` // the people with any

	Latency   latency      `json:"latency"` // of lines; where none are said of arrivals
	Phases    []phase      `json:"phases,omitempty"`
	Stuck     []stuck      `json:"stuck,omitempty"`
	Guests    *guestReport `json:"guests,omitempty"`
	LineToAll float64      `json:"line_to_all_seconds,omitempty"`

	Server    *serverCost    `json:"server"` // null if the process is not known, or has ended
	Unknown   string         `json:"server_unknown,omitempty"`
	Generator generatorCost  `json:"generator"`
	Machine   machineDetails `json:"machine"`
}

// totals are the faults of all people together.
type totals struct {
	Lost       int64 `json:"lost"` // of what was said; of others' arrivals where nothing is
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

func latencyOf(l *latencies) latency {
	return latency{P50: milliseconds(l.quantile(0.5)), P99: milliseconds(l.quantile(0.99)), Max: milliseconds(l.max)}
}

// phase is a third of a run: what the people notice who always read.
type phase struct {
	Latency latency `json:"latency"`
	RSS     int64   `json:"rss_bytes"` // of the server at its end; 0: not known
}

// stuck is what came of somebody who did not read for a phase. Lost lines are no fault there: nobody can be made to read.
type stuck struct {
	Nick     string `json:"nick"`
	Offered  int64  `json:"offered_bytes"` // what was said in the phase
	CaughtUp bool   `json:"caught_up"`     // and saw what was said at the end
	faults
}

// guestReport is how guests fared.
type guestReport struct {
	Came   int64  `json:"came"`
	Failed int64  `json:"failed"`
	Why    string `json:"why,omitempty"`
}

type serverCost struct {
	PID         int     `json:"pid"`
	CPUSeconds  float64 `json:"cpu_seconds"`
	PerDelivery float64 `json:"cpu_us_per_delivery,omitempty"`
	PerArrival  float64 `json:"cpu_ms_per_arrival,omitempty"`
	PerPerson   float64 `json:"rss_bytes_per_person,omitempty"`
	Warm        bool    `json:"warm,omitempty"` // somebody was at its port in the minute before, so that PerPerson may be too small
	RSSBefore   int64   `json:"rss_bytes_before"`
	RSSAfter    int64   `json:"rss_bytes_after"`
	RSSPeak     int64   `json:"rss_bytes_peak"`
}

type generatorCost struct {
	CPUSeconds  float64 `json:"cpu_seconds"`
	PerDelivery float64 `json:"cpu_us_per_delivery,omitempty"`
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

// newReport says what was asked for. The people must have left before more is added.
func newReport(c *crowd) *report {
	o := c.options
	r := &report{Addr: o.addr.String(), Door: o.door, People: o.people, Senders: o.senders, Window: o.window, Rate: o.rate, Bytes: o.bytes}
	switch {
	case o.senders == 0:
	case o.window == 0:
		r.Loop = "open"
	default:
		r.Loop = "closed"
	}
	return r
}

// addTalk draws the balance of what was said.
func (r *report) addTalk(c *crowd, stalled bool) {
	r.Lines, r.Deliveries, r.Stalled = c.tally.lines(), c.tally.arrived.Load(), stalled
	ledgers := make([]*ledger, len(c.people))
	var all latencies
	var last time.Duration
	for i, p := range c.people {
		ledgers[i] = p.ledger
		if !p.ledger.aside {
			one := p.ledger.latencies()
			all.merge(&one)
			last = max(last, p.ledger.last)
		}
	}
	r.Seconds, r.Latency = last.Seconds(), latencyOf(&all)
	for i, f := range c.tally.judge(ledgers) {
		p := c.people[i]
		if p.ledger.aside {
			r.Stuck = append(r.Stuck, stuck{Nick: p.nick, CaughtUp: p.hasSeen(after), faults: f})
			// What a stuck person missed is gone by right; what came twice, wrong or too late is not.
			f.Lost, f.Cut = 0, ""
		}
		if f.any() {
			r.Faults.add(f)
			r.Faulty = append(r.Faulty, fault{p.nick, f})
		}
	}
}

// addPhases adds what the people noticed who always read, by phase.
func (r *report) addPhases(c *crowd, resident []int64) {
	for i, rss := range resident {
		var all latencies
		for _, p := range c.people[:c.tally.people] {
			if p.ledger.latency != nil {
				all.merge(&p.ledger.latency[i])
			}
		}
		r.Phases = append(r.Phases, phase{Latency: latencyOf(&all), RSS: rss})
	}
	for i := range r.Stuck {
		r.Stuck[i].Offered = r.Lines * int64(r.Bytes) / phases
	}
}

// addArrivals adds who was cut off, where nothing was said, and who did not see others come in, if that was counted.
func (r *report) addArrivals(c *crowd) {
	lost := make([]int64, len(c.people))
	if c.watches {
		lost = c.unseen()
	}
	for i, p := range c.people {
		f := faults{Lost: lost[i]}
		if p.ledger.cut != nil {
			f.Cut = p.ledger.cut.Error()
		}
		if f.any() {
			r.Faults.add(f)
			r.Faulty = append(r.Faulty, fault{p.nick, f})
		}
	}
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

// join adds those of another run.
func (t *totals) join(o totals) {
	t.Lost += o.Lost
	t.Doubled += o.Doubled
	t.OutOfOrder += o.OutOfOrder
	t.Damaged += o.Damaged
	t.Cut += o.Cut
}

// addCosts adds what the server, the generator and others have used between two readings.
func (r *report) addCosts(c *crowd, from, to reading) {
	m := c.meter
	server, own := to.server-from.server, to.own-from.own
	switch {
	case m.server == 0:
		r.Unknown = m.why
	case from.ended || to.ended:
		r.Unknown, server = "it ended during the run", 0
	default:
		r.Server = &serverCost{
			PID: m.server, CPUSeconds: server.Seconds(), PerDelivery: r.perDelivery(server),
			RSSBefore: from.resident, RSSAfter: to.resident, RSSPeak: to.peak,
		}
	}
	r.Generator = generatorCost{
		CPUSeconds: own.Seconds(), PerDelivery: r.perDelivery(own), Latest: milliseconds(time.Duration(c.late.Load())),
	}
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

// good says that everybody saw every line, once, whole and in the one order, and that nobody was cut off or kept out.
func (r *report) good() bool {
	return !r.Stalled && r.Faults == totals{} && (r.Loop == "" || r.Deliveries > 0) && (r.Guests == nil || r.Guests.Failed == 0)
}

func (r *report) writeJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}
