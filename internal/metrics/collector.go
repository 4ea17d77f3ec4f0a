package metrics

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// A collector turns the figures of the moment into metrics, once for each scrape.
type collector struct {
	read  func() Stats
	descs map[string]*prometheus.Desc // by name without prefix
}

func newCollector(read func() Stats) *collector {
	c := &collector{read: read, descs: map[string]*prometheus.Desc{}}
	for _, d := range []struct {
		name, help string
		labels     []string
	}{
		{"people", "People in the house now, by the door they came in.", []string{"door"}},
		{"screens", "Screens of people now, by door.", []string{"door"}},
		{"rooms", "Rooms, with people in them or not.", nil},
		{"bars", "Bans and mutes in force, in the house and in rooms.", nil},
		{"connections", "Open connections, by door.", []string{"door"}},
		{"connections_unauthenticated", "Open connections of people not known yet, by door.", []string{"door"}},
		{"connections_admitted_total", "Connections let in, by door.", []string{"door"}},
		{"connections_refused_total", "Connections turned away, by door and reason.", []string{"door", "reason"}},
		{"log_lines_withheld_total", "Log lines withheld because one address caused too many, by door.", []string{"door"}},
		{"panics_recovered_total", "Panics that ended one connection or session, by door.", []string{"door"}},
		{"lines_total", "Messages that were committed and took effect.", nil},
		{"records_voided_total", "Committed records without effect, by reason.", []string{"reason"}},
		{"refusals_total", "What people wanted and did not get, by reason.", []string{"reason"}},
		{"journal_up", "Whether lines can be saved (1) or not (0).", nil},
		{"commit_seconds", "From a line's posting to its commit.", nil},
		{"delivery_seconds", "From a line's commit to a reader's screen.", nil},
		{"gaps_told_total", "Times that a reader was told about skipped lines.", nil},
		{"lines_missed_total", "Lines that readers were told they missed.", nil},
	} {
		c.descs[d.name] = prometheus.NewDesc("sarangbang_"+d.name, d.help, d.labels, nil)
	}
	return c
}

// Describe implements [prometheus.Collector].
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range c.descs {
		ch <- d
	}
}

// Collect implements [prometheus.Collector].
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	s := c.read()
	o := output{c.descs, ch}
	for name, d := range s.Doors {
		o.gauge("people", d.People, name)
		o.gauge("screens", d.Screens, name)
		o.gauge("connections", d.Connections, name)
		o.gauge("connections_unauthenticated", d.Unauthenticated, name)
		o.counter("connections_admitted_total", d.Admitted, name)
		for reason, n := range d.Refused {
			o.counter("connections_refused_total", n, name, reason)
		}
		o.counter("log_lines_withheld_total", d.Unlogged, name)
		o.counter("panics_recovered_total", d.Panics, name)
	}
	o.gauge("rooms", s.Rooms)
	o.gauge("bars", s.Bars)
	o.counter("lines_total", s.Lines)
	for reason, n := range s.Voided {
		o.counter("records_voided_total", n, reason)
	}
	for reason, n := range s.Refused {
		o.counter("refusals_total", n, reason)
	}
	if s.JournalDegraded == "" {
		o.gauge("journal_up", 1)
	} else {
		o.gauge("journal_up", 0)
	}
	o.histogram("commit_seconds", s.Commit)
	o.histogram("delivery_seconds", s.Delivery)
	o.counter("gaps_told_total", s.Gaps)
	o.counter("lines_missed_total", s.Missed)
}

// output sends the metrics of one scrape.
type output struct {
	descs map[string]*prometheus.Desc
	ch    chan<- prometheus.Metric
}

func (o output) gauge(name string, v int, labels ...string) {
	m, err := prometheus.NewConstMetric(o.descs[name], prometheus.GaugeValue, float64(v), valid(labels)...)
	o.send(name, m, err)
}

func (o output) counter(name string, v uint64, labels ...string) {
	m, err := prometheus.NewConstMetric(o.descs[name], prometheus.CounterValue, float64(v), valid(labels)...)
	o.send(name, m, err)
}

// histogram adds up what Prometheus wants cumulative. One without buckets is left out: nobody measures it.
func (o output) histogram(name string, h Histogram) {
	if len(h.Counts) != len(h.Bounds)+1 {
		return
	}
	buckets, total := make(map[float64]uint64, len(h.Bounds)), uint64(0)
	for i, n := range h.Counts {
		total += n
		if i < len(h.Bounds) {
			buckets[h.Bounds[i].Seconds()] = total
		}
	}
	m, err := prometheus.NewConstHistogram(o.descs[name], total, h.Sum.Seconds(), buckets)
	o.send(name, m, err)
}

// send reports a metric that cannot be made to whoever scrapes; all others still go out.
func (o output) send(name string, m prometheus.Metric, err error) {
	if err != nil {
		m = prometheus.NewInvalidMetric(o.descs[name], err)
	}
	o.ch <- m
}

// valid makes label values of what may hold an error's text.
func valid(labels []string) []string {
	for i, l := range labels {
		labels[i] = strings.ToValidUTF8(l, "\uFFFD")
	}
	return labels
}
