package main

import (
	"fmt"
	"math"
	"strings"

	"sarangbang/cmd/sshload/internal/floor"
)

// work is what a crowd does at a server.
type work struct {
	mode, flags string
}

func (w work) empty() bool { return w.mode == "" }

// scenario is some work at the product, and the same at what it is measured against, in turns.
type scenario struct {
	name    string
	product work
	beside  work       // nothing: only the product is visited
	floor   floor.Kind // who does it; "": the product does that, too
	quick   string     // flags that come behind the others with --quick; "": it is left out there
	once    bool       // takes long, and has a target that does not depend on chance: one round
	alone   bool       // the product has the SSH door only, so that it has more connections there
	figures []figure
	detail  func(product *outcome) string // what else belongs into the first row; nil: nothing
}

// limit says of a figure that it is measured against a number, and not beside something else.
const limit = "limit"

// figure is one row of the table: what was measured, beside what, and how many times as much it may be.
type figure struct {
	what, unit string
	than       string  // what it is measured against; "": nothing
	most       float64 // times; 0: there is no target
	stretch    float64 // times, if there is more to wish for; else 0
	of         func(product, beside *outcome) (is, than float64)
}

// cpu says that the figure is one of processor time.
func (f figure) cpu() bool { return strings.Contains(f.what, "CPU") }

// outcome is what a visit brought. Figures that were not had are NaN.
type outcome struct {
	report   *report
	commit   float64 // p99 of the product's commits, in milliseconds
	disquiet disquiet
}

// slack is what a line may take longer than on the floor and in the journal: gathering in busy rooms costs so much, in milliseconds.
const slack = 25

// perLine compares what the server uses for a delivered line.
func perLine(product, beside *outcome) (is, than float64) {
	return product.server(perDelivery), beside.server(perDelivery)
}

// server takes a figure of the server, if there are any.
func (o *outcome) server(of func(*serverCost) float64) float64 {
	if o == nil || o.report.Server == nil {
		return math.NaN()
	}
	return of(o.report.Server)
}

// idle says that there was a visit in which the server used less processor time than can be measured.
func (o *outcome) idle() bool { return o != nil && o.server(cpuSeconds) < leastCPU.Seconds() }

// perSession compares the memory of a session, in KiB.
func perSession(product, beside *outcome) (is, than float64) {
	perPerson := func(s *serverCost) float64 { return s.PerPerson / 1024 }
	return product.server(perPerson), beside.server(perPerson)
}

func perDelivery(s *serverCost) float64 { return s.PerDelivery }
func cpuSeconds(s *serverCost) float64  { return s.CPUSeconds }
func perArrival(s *serverCost) float64  { return s.PerArrival }

// against is a target that does not depend on what else was measured.
func against(limit float64, of func(*outcome) float64) func(product, beside *outcome) (is, than float64) {
	return func(product, _ *outcome) (float64, float64) { return of(product), limit }
}

// scenarios are what make bench measures. The targets are those that the project has set itself.
var scenarios = []scenario{
	{
		name: "closed loop, 100 people", quick: "--people 20 --senders 4 --duration 1s",
		product: work{"fanout", "--people 100 --senders 10 --window 8 --duration 6s"},
		beside:  work{"fanout", "--people 100 --senders 10 --window 8 --duration 6s"}, floor: floor.SSHGather,
		figures: []figure{{"closed loop, 100 people: CPU per delivery", "µs", "gathering SSH floor", 2, 1.5, perLine}},
	},
	{
		name:    "closed loop, 1,000 people",
		product: work{"fanout", "--people 1000 --senders 10 --window 4 --duration 6s"},
		beside:  work{"fanout", "--people 1000 --senders 10 --window 4 --duration 6s"}, floor: floor.SSHGather,
		figures: []figure{{"closed loop, 1,000 people: CPU per delivery", "µs", "gathering SSH floor", 1.5, 0, perLine}},
	},
	{
		name: "steady, 100 people", quick: "--people 20 --rate 50 --duration 1s",
		product: work{"fanout", "--people 100 --senders 10 --rate 90 --duration 10s"},
		beside:  work{"fanout", "--people 100 --senders 10 --rate 90 --duration 10s"}, floor: floor.SSHLines,
		figures: []figure{
			{"steady 9,000/s, 100 people: CPU per delivery", "µs", "SSH floor by line", 1.3, 1.1, perLine},
			{"the same: p99 latency", "ms", "floor + 25 ms + commit p99", 1, 0, func(p, b *outcome) (is, than float64) {
				return p.report.Latency.P99, b.report.Latency.P99 + slack + p.commit
			}},
			{"the same: p99 of the journal's commits", "ms", "", 0, 0, against(0, func(o *outcome) float64 { return o.commit })},
		},
	},
	{
		name: "TCP by message", quick: "--people 20 --rate 50 --duration 1s",
		product: work{"fanout", "--door tcp --people 100 --senders 10 --rate 90 --duration 6s"},
		beside:  work{"fanout", "--door tcp --people 100 --senders 10 --rate 90 --duration 6s"}, floor: floor.TCPLines,
		figures: []figure{{"TCP by message, steady, 100 people: CPU per delivery", "µs", "TCP floor by line", 1.5, 0, perLine}},
	},
	{
		name: "TCP by line", quick: "--people 20 --senders 4 --duration 1s",
		product: work{"fanout", "--door tcp-lines --people 100 --senders 10 --window 8 --duration 5s"},
		beside:  work{"fanout", "--door tcp-lines --people 100 --senders 10 --window 8 --duration 5s"}, floor: floor.TCPGather,
		figures: []figure{{"TCP by line, closed loop, 100 people: CPU per delivery", "µs", "gathering TCP floor", 2, 0, perLine}},
	},
	{
		name: "idle", quick: "--people 20 --duration 1s",
		product: work{"idle", "--people 300 --duration 3s"},
		beside:  work{"idle", "--people 300 --duration 3s"}, floor: floor.Terminal,
		figures: []figure{{"memory of an idle session, both collected at 50 %", "KiB", "gliderlabs + x/term", 1.4, 0, perSession}},
	},
	{
		// What a login needs for a moment is not given back at once where many come.
		name:    "idle, 1,000 people",
		product: work{"idle", "--people 1000 --duration 3s"},
		beside:  work{"idle", "--people 1000 --duration 3s"}, floor: floor.Terminal,
		figures: []figure{{"memory of an idle session of 1,000 who came at once, both collected at 50 %", "KiB", "gliderlabs + x/term", 1.4, 0, perSession}},
	},
	{
		name: "login", quick: "--people 20",
		product: work{"connect", "--people 1000"},
		beside:  work{"connect", "--people 1000"}, floor: floor.Login,
		figures: []figure{{"login: CPU", "ms", "bare login", 1.2, 0, func(p, b *outcome) (is, than float64) {
			return p.server(perArrival), b.server(perArrival)
		}}},
	},
	{
		name: "joins", quick: "--people 20",
		product: work{"join", "--people 1000"},
		beside:  work{"connect", "--people 1000"}, floor: floor.Login,
		figures: []figure{{"1,000 join a room where all are: CPU", "s", "1,000 bare logins", 2, 0, func(p, b *outcome) (is, than float64) {
			return p.server(cpuSeconds), b.server(cpuSeconds)
		}}},
	},
	{
		name: "10,000 idle", once: true, alone: true,
		product: work{"idle", "--people 10000 --duration 2s --line --timeout 3m"},
		figures: []figure{
			{"10,000 idle, then a line to all: until the last has it", "s", limit, 1, 0, against(2, func(o *outcome) float64 {
				return o.report.LineToAll
			})},
			{"the same: memory at most", "MiB", limit, 1, 0, against(1024, func(o *outcome) float64 {
				return o.server(func(s *serverCost) float64 { return mebibytes(s.RSSPeak) })
			})},
		},
	},
	{
		name: "long lines", quick: "--people 5 --duration 1s",
		product: work{"long", "--people 20 --senders 4 --window 4 --duration 3s"},
		beside:  work{"long", "--people 20 --senders 4 --window 4 --bytes 1024 --duration 3s"},
		// Four times the text may cost four times as much, and what cannot be told from it.
		figures: []figure{{"lines of 4 KiB: CPU per delivery", "µs", "lines of 1 KiB", 4.4, 0, perLine}},
	},
	stuckScenario("channel"),
	stuckScenario("socket"),
	{
		name: "churn", quick: "--people 10 --duration 1s",
		product: work{"churn", "--people 50 --senders 10 --rate 90 --duration 5s"},
		figures: []figure{{"guests who fail, beside 50 people who talk", "", limit, 1, 0, against(0, func(o *outcome) float64 {
			return float64(o.report.Guests.Failed)
		})}},
	},
}

// What a stuck reader may change. p99 of the others may be worse than in both phases around by what these differ, which is the
// noise, and by a little, in milliseconds, where they happen to be alike. Memory may be more by the channel's window, what waits to be
// drawn, and what the collector has not had yet, in MiB.
const (
	stuckSlack  = 5
	stuckMemory = 16
)

func stuckScenario(how string) scenario {
	return scenario{
		name: "stuck " + how, once: true,
		product: work{"slow", "--people 20 --rate 300 --bytes 1200 --duration 36s --how " + how},
		figures: []figure{
			{"one of 20 does not read the " + how + ": p99 of the others", "ms", "worse of before and after + their difference + 5 ms", 1, 0, func(p, _ *outcome) (is, than float64) {
				if p.report.doubt() != "" {
					return math.NaN(), math.NaN()
				}
				before, during, after := p.report.p99()
				return during, max(before, after) + math.Abs(before-after) + stuckSlack
			}},
			{"the same: more memory", "MiB", limit, 1, 0, func(p, _ *outcome) (is, than float64) {
				if p.report.doubt() != "" || p.report.Server == nil {
					return math.NaN(), stuckMemory
				}
				return max(0, mebibytes(p.report.Phases[1].RSS-p.report.Phases[0].RSS)), stuckMemory
			}},
		},
		detail: func(p *outcome) string {
			before, during, after := p.report.p99()
			s := fmt.Sprintf("%s ms before, %s ms during, %s ms after", short(before), short(during), short(after))
			if doubt := p.report.doubt(); doubt != "" {
				s += "; " + doubt
			}
			return s
		},
	}
}

// p99 is what those noticed who always read, in each phase, in milliseconds.
func (r *report) p99() (before, during, after float64) {
	return r.Phases[0].Latency.P99, r.Phases[1].Latency.P99, r.Phases[2].Latency.P99
}

// doubt says why it was not measured what somebody stuck does to others; "": it was.
func (r *report) doubt() string {
	for _, s := range r.Stuck {
		switch {
		case s.Offered < leastOffered:
			return fmt.Sprintf("only %.1f MiB were said meanwhile, which buffers may hold", mebibytes(s.Offered))
		case !s.CaughtUp:
			return s.Nick + " did not catch up"
		}
	}
	return ""
}

// find returns the mode, and its flags to be parsed; nil if there is none.
func (w work) find() (*flags, mode) {
	for _, m := range modes {
		if m.name == w.mode {
			f := newFlags(m.name)
			m.flags(f)
			return f, m
		}
	}
	return nil, mode{}
}

// options are those of the work at a server.
func (w work) options(quick string, c *child) (*options, mode, error) {
	f, m := w.find()
	o, err := f.parse(strings.Fields(w.flags+" "+quick), nil)
	if err != nil {
		return nil, mode{}, err
	}
	protocol := "tcp"
	if o.door.ssh() {
		protocol = "ssh"
	}
	o.addr, o.pid = c.addrs[protocol], c.cmd.Process.Pid
	return o, m, nil
}
