package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// comparison is a run of the tool compare.
type comparison struct {
	server string // the product's program
	dir    string // where its data goes
	rounds int
	quick  bool
	only   *regexp.Regexp
	within time.Duration
	json   bool
	list   bool

	stderr io.Writer
	start  time.Time
	bad    []string // what was wrong with what people got to see
}

// result is one row of the table, as --json prints it. Lists are by round.
type result struct {
	What    string    `json:"what"`
	Unit    string    `json:"unit"`
	Is      []float64 `json:"is"`
	Than    string    `json:"beside"`
	Beside  []float64 `json:"beside_values"`
	Ratio   float64   `json:"ratio"` // of the medians; 0 if there is none
	Most    float64   `json:"target"`
	Stretch float64   `json:"stretch,omitempty"`
	Met     bool      `json:"met"`
	Weak    bool      `json:"weak,omitempty"` // a server used too little processor time for the figure to mean something
}

// comparisonReport is what --json prints.
type comparisonReport struct {
	Results    []result       `json:"results"`
	Faults     []string       `json:"faults"` // visits in which somebody did not see what they should, or that did not come about
	Quick      bool           `json:"quick"`
	Seconds    float64        `json:"seconds"`
	Machine    machineDetails `json:"machine"` // of the whole run; the servers and the generator count as others
	Incomplete bool           `json:"incomplete"`
}

// runCompare is the tool compare.
func runCompare(ctx context.Context, args []string, stdout, stderr io.Writer) (int, error) {
	c, err := parseCompare(args, stderr)
	if err != nil {
		return exitUsage, err
	}
	if c.list {
		for _, s := range scenarios {
			_, _ = fmt.Fprintln(stdout, s.name)
		}
		return exitGood, nil
	}
	c.stderr, c.start = stderr, time.Now()
	proc := openProcfs()
	from, _ := proc.machine() // where there is no /proc nothing else can be had either, and the rows say so
	r := &comparisonReport{Quick: c.quick}
	for _, s := range scenarios {
		if c.quick && s.quick == "" || !c.only.MatchString(s.name) {
			continue
		}
		results, err := c.measure(ctx, s)
		r.Results = append(r.Results, results...)
		if errors.Is(err, errWithin) || ctx.Err() != nil {
			r.Incomplete = true
			break
		}
		if err != nil { // what was measured before, and what can be after, is worth minutes
			c.bad = append(c.bad, fmt.Sprintf("%s: %v", s.name, err))
		}
	}
	to, _ := proc.machine()
	load, _ := proc.load()
	r.Faults, r.Seconds = c.bad, time.Since(c.start).Seconds()
	r.Machine = machineDetails{Processors: runtime.NumCPU(), Load: load}
	if total := to.total - from.total; total > 0 {
		r.Machine.OthersPercent = 100 * float64(to.busy-from.busy) / float64(total)
		r.Machine.StolenPercent = 100 * float64(to.stolen-from.stolen) / float64(total)
	}
	write := r.writeTable
	if c.json {
		write = r.writeJSON
	}
	if err := write(stdout); err != nil || len(c.bad) > 0 {
		return exitBad, err
	}
	return exitGood, nil
}

func parseCompare(args []string, stderr io.Writer) (*comparison, error) {
	c := &comparison{}
	f := flag.NewFlagSet("sshload compare", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&c.server, "server", "./sarangbang", "`PROGRAM` to measure")
	f.StringVar(&c.dir, "data", os.TempDir(), "`DIR` for its data, on a disk as it will have; a folder in it is made and removed")
	f.IntVar(&c.rounds, "rounds", 3, "how often each scenario is run, the server and the floor in turns")
	f.BoolVar(&c.quick, "quick", false, "few people, one short round: finds what is broken, and what is far off")
	only := f.String("only", "", "a `REGEXP` for the names of scenarios; --list lists them")
	f.BoolVar(&c.list, "list", false, "list the scenarios and end")
	f.DurationVar(&c.within, "within", 10*time.Minute, "begin nothing more after this time")
	f.BoolVar(&c.json, "json", false, "print the figures as JSON")
	err := f.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		f.SetOutput(stderr)
		f.Usage()
		return nil, err
	}
	if err == nil {
		c.only, err = regexp.Compile(*only)
	}
	switch {
	case err != nil:
	case f.NArg() > 0:
		err = fmt.Errorf("compare takes flags only, not %q", f.Arg(0))
	case c.rounds < 1 || c.rounds > 100:
		err = fmt.Errorf("--rounds is %d; it must be from 1 to 100", c.rounds)
	case c.within <= 0 || c.within > longestTest:
		err = fmt.Errorf("--within is %v; it must be at most %v", c.within, longestTest)
	}
	if err == nil && !c.list {
		_, err = os.Stat(c.server)
	}
	return c, err
}

// errWithin says that the time for all is over.
var errWithin = errors.New("--within is over")

// measure runs a scenario, the product and what stands beside it in turns, and returns a row for each figure.
func (c *comparison) measure(ctx context.Context, s scenario) ([]result, error) {
	results := make([]result, len(s.figures))
	for i, f := range s.figures {
		results[i] = result{What: f.what, Unit: f.unit, Than: f.than, Most: f.most, Stretch: f.stretch}
	}
	rounds := c.rounds
	if s.once || c.quick {
		rounds = 1
	}
	for n := range rounds {
		if time.Since(c.start) > c.within {
			if n == 0 {
				return nil, errWithin
			}
			return finish(results), errWithin
		}
		_, _ = fmt.Fprintf(c.stderr, "%4.0f s: %s, round %d of %d\n", time.Since(c.start).Seconds(), s.name, n+1, rounds)
		product, beside, err := c.round(ctx, s)
		if err != nil && n > 0 {
			return finish(results), err
		}
		if err != nil {
			return nil, err
		}
		for i, f := range s.figures {
			is, than := f.of(product, beside)
			results[i].Weak = results[i].Weak || f.cpu() && (product.idle() || beside.idle())
			results[i].Is, results[i].Beside = append(results[i].Is, is), append(results[i].Beside, than)
		}
	}
	return finish(results), nil
}

// round is one visit at the product and, if there is something beside it, one there.
func (c *comparison) round(ctx context.Context, s scenario) (product, beside *outcome, err error) {
	if product, err = c.visit(ctx, s, s.product, true); err == nil && !s.beside.empty() {
		beside, err = c.visit(ctx, s, s.beside, s.floor == "")
	}
	return product, beside, err
}

// visit starts a server, has a crowd do its work there, and ends it.
func (c *comparison) visit(ctx context.Context, s scenario, w work, product bool) (o *outcome, err error) {
	quick := ""
	if c.quick {
		quick = s.quick
	}
	var server *child
	if product {
		server, err = startServer(ctx, c.server, c.dir, !s.alone)
	} else {
		// The product has its garbage collected at 50 %; a floor must not look big for what it has not collected.
		server, err = startFloor(ctx, s.floor, "GOGC=50")
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, server.stop()) }()
	options, m, err := w.options(quick, server)
	if err != nil {
		return nil, err
	}
	o = &outcome{commit: math.NaN()}
	if o.report, err = m.attend(ctx, options, c.stderr); err != nil {
		return nil, fmt.Errorf("%s at %s: %w", w.mode, server.name, err)
	}
	debug.FreeOSMemory() // what one crowd leaves behind must not be collected while the next is measured
	if !o.report.good() {
		c.bad = append(c.bad, fmt.Sprintf("%s at %s: %s", s.name, server.name, o.report.badness()))
	}
	if product && options.senders > 0 {
		o.commit, err = server.commitP99(ctx)
	}
	return o, err
}

// badness says what was wrong, in a few words.
func (r *report) badness() string {
	f := r.Faults
	s := fmt.Sprintf("%d lost, %d doubled, %d out of order, %d damaged, %d people cut off", f.Lost, f.Doubled, f.OutOfOrder, f.Damaged, f.Cut)
	if r.Stalled {
		s += ", stalled"
	}
	if r.Guests != nil && r.Guests.Failed > 0 {
		s += fmt.Sprintf(", %d guests failed: %s", r.Guests.Failed, r.Guests.Why)
	}
	return s
}

// finish compares medians.
func finish(results []result) []result {
	for i := range results {
		r := &results[i]
		is, than := median(r.Is), median(r.Beside)
		if than > 0 {
			r.Ratio = is / than
		}
		r.Met = is <= r.Most*than
	}
	return results
}

// median of figures of which there is at least one.
func median(figures []float64) float64 {
	sorted := slices.Sorted(slices.Values(figures))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

func (r *comparisonReport) writeJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

func (r *comparisonReport) writeTable(w io.Writer) error {
	var b strings.Builder
	if r.Quick {
		b.WriteString("Quick: fewer people and less time than the rows say.\n\n")
	}
	b.WriteString("| what | sarangbang | beside | | ratio | target | |\n|---|--:|---|--:|--:|--:|---|\n")
	for _, row := range r.Results {
		ratio, target := "–", "≤ "+short(row.Most*median(row.Beside))+" "+row.Unit
		if row.Than != "limit" {
			ratio, target = short(row.Ratio)+" ×", "≤ "+short(row.Most)+" ×"
			if row.Stretch > 0 {
				target += " (" + short(row.Stretch) + " ×)"
			}
		}
		verdict := "**missed**"
		if row.Met {
			verdict = "met"
		}
		switch {
		case r.Quick:
			verdict = "not judged"
		case row.Weak:
			verdict += ", but of too little CPU to mean something"
		}
		beside := "–"
		if row.Than != "limit" {
			beside = spread(row.Beside, row.Unit)
		}
		_, _ = fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s |\n", row.What, spread(row.Is, row.Unit), row.Than, beside, ratio, target, verdict)
	}
	_, _ = fmt.Fprintf(&b, "\nMedians (and ranges) of as many runs as there are rounds, each on a fresh server, in turns. ")
	if len(r.Faults) == 0 {
		b.WriteString("Nothing was lost, doubled, damaged or out of order, and nobody was cut off.\n")
	} else {
		b.WriteString("NOT ALL WAS AS IT SHOULD BE:\n")
	}
	for _, f := range r.Faults {
		b.WriteString("* " + f + "\n")
	}
	if r.Incomplete {
		b.WriteString("The time was over before all was measured.\n")
	}
	m := r.Machine
	_, _ = fmt.Fprintf(&b, "%s, %s/%s, %d processors, %.0f s, load %.2f at the end, %.0f %% stolen.\n",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, m.Processors, r.Seconds, m.Load, m.StolenPercent)
	_, err := io.WriteString(w, b.String())
	return err
}

// spread writes figures as their median and range.
func spread(figures []float64, unit string) string {
	s := strings.TrimSpace(short(median(figures)) + " " + unit)
	if len(figures) > 1 {
		s += fmt.Sprintf(" (%s–%s)", short(slices.Min(figures)), short(slices.Max(figures)))
	}
	return s
}

// short writes a number with as many digits as mean something.
func short(x float64) string {
	digits := 0
	switch {
	case x < 10:
		digits = 2
	case x < 100:
		digits = 1
	}
	s := fmt.Sprintf("%.*f", digits, x)
	if digits > 0 {
		s = strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
	}
	return s
}
