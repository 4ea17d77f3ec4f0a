package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"
	"unicode"
)

// comparison is a run of the tool compare.
type comparison struct {
	lab

	quick bool
	only  *regexp.Regexp
	bench bool
	list  bool
}

// result is one row of the table, as --json prints it. Lists are by round.
type result struct {
	What     string   `json:"what"`
	Unit     string   `json:"unit"`
	Detail   string   `json:"detail,omitempty"` // of the last round
	Is       values   `json:"is"`
	Than     string   `json:"beside"`
	Beside   values   `json:"beside_values"`
	Ratio    float64  `json:"ratio"`  // of the medians; 0 if there is none
	Most     float64  `json:"target"` // 0: there is none
	Stretch  float64  `json:"stretch,omitempty"`
	Judged   bool     `json:"judged"` // there is a target, and what is needed to hold the figures against it
	Met      bool     `json:"met"`
	Weak     bool     `json:"weak,omitempty"` // a server used too little processor time for the figure to mean something
	Disquiet disquiet `json:"disquiet"`       // the worst of all its runs
}

// values are figures by round. One that was not had is NaN, and null in JSON, which has no NaN.
type values []float64

// had are those that were.
func (v values) had() []float64 { return slices.DeleteFunc(slices.Clone(v), math.IsNaN) }

// MarshalJSON implements [json.Marshaler].
func (v values) MarshalJSON() ([]byte, error) {
	all := make([]*float64, len(v))
	for i := range v {
		if !math.IsNaN(v[i]) {
			all[i] = &v[i]
		}
	}
	return json.Marshal(all)
}

// comparisonReport is what --json prints.
type comparisonReport struct {
	origin

	Results    []result `json:"results"`
	Faults     []string `json:"faults"` // visits in which somebody did not see what they should, or that did not come about
	Quick      bool     `json:"quick"`
	Seconds    float64  `json:"seconds"`
	Disquiet   disquiet `json:"disquiet"` // the worst of all runs
	Incomplete bool     `json:"incomplete"`
}

// runCompare is the tool compare.
func runCompare(ctx context.Context, args []string, stdout, stderr io.Writer) (int, error) {
	c, err := parseCompare(args, stderr)
	if err != nil {
		return exitUsage, err
	}
	if c.list {
		_, _ = io.WriteString(stdout, namesOfScenarios())
		return exitGood, nil
	}
	if err := c.open(commandOf("compare", args), stderr); err != nil {
		return exitUsage, err
	}
	if !c.quick {
		if err := c.listen(ctx); err != nil {
			return exitBad, err
		}
	}
	results := c.measure(ctx)
	write := c.writeTable
	switch {
	case c.json:
		write = c.writeJSON
	case c.bench:
		write = c.writeBench
	}
	err = write(stdout, results)
	switch {
	case err != nil:
		return exitBad, err
	case errors.Is(c.over, errInterrupted):
		return exitBad, c.over
	case len(c.bad) > 0:
		return exitBad, nil
	}
	return exitGood, nil
}

func parseCompare(args []string, stderr io.Writer) (*comparison, error) {
	c := &comparison{}
	f := c.newFlags("compare", 3)
	f.BoolVar(&c.quick, "quick", false, "few people, one short round: finds what is broken, and what is far off")
	only := f.String("only", "", "a `REGEXP` for the names of scenarios; --list lists them")
	f.BoolVar(&c.bench, "bench", false, "print the figures as Go's benchmarks do, for benchstat")
	f.BoolVar(&c.list, "list", false, "list the scenarios and end")
	err := c.parse(f, args, stderr)
	if err == nil {
		c.only, err = regexp.Compile(*only)
	}
	if err == nil && c.bench && c.json {
		err = errors.New("--json and --bench are two ways to print the figures: give one of them")
	}
	if err == nil && !slices.ContainsFunc(scenarios, c.includes) {
		err = fmt.Errorf("--only %q matches none of these:\n%s", *only, namesOfScenarios())
		if c.quick {
			err = fmt.Errorf("%w(--quick leaves some of them out)", err)
		}
	}
	return c, err
}

// includes says whether a scenario is to be run.
func (c *comparison) includes(s scenario) bool {
	return (s.quick != "" || !c.quick) && c.only.MatchString(s.name)
}

// namesOfScenarios are all of them, one a line.
func namesOfScenarios() string {
	var b strings.Builder
	for _, s := range scenarios {
		b.WriteString(s.name + "\n")
	}
	return b.String()
}

// trial is a scenario in a comparison.
type trial struct {
	scenario

	results []result
	took    time.Duration // a round, at most
	failed  bool
}

// measure runs all scenarios once, and then again, so that what disturbs the machine for a minute does not hit one row only, and so
// that each row has a figure when the time is over. Within a round what is compared is visited one right after the other.
func (c *comparison) measure(ctx context.Context) []result {
	var trials []*trial
	for _, s := range scenarios {
		if c.includes(s) {
			trials = append(trials, &trial{scenario: s})
		}
	}
	rounds := c.rounds
	if c.quick {
		rounds = 1
	}
	for n := range rounds {
		for _, t := range trials {
			if t.failed || t.once && n > 0 || !c.fits(t.took) {
				continue
			}
			_, _ = fmt.Fprintf(c.stderr, "%4.0f s: %s, round %d of %d\n", time.Since(c.start).Seconds(), t.name, n+1, rounds)
			begun := time.Now()
			err := c.round(ctx, t)
			t.took = max(t.took, time.Since(begun))
			if ctx.Err() != nil {
				c.over = errInterrupted
				return c.finish(trials)
			}
			if err != nil { // what was measured before, and what can be after, is worth minutes
				t.failed = true
				c.bad = append(c.bad, fmt.Sprintf("%s: %v", t.name, err))
			}
		}
	}
	return c.finish(trials)
}

// round is one visit at the product and, if there is something beside it, one there.
func (c *comparison) round(ctx context.Context, t *trial) error {
	more := ""
	if c.quick {
		more = t.quick
	}
	product, err := c.visit(ctx, t.name, t.product, more, site{alone: t.alone})
	if err != nil {
		return err
	}
	var beside *outcome
	worst := product.disquiet
	if !t.beside.empty() {
		if beside, err = c.visit(ctx, t.name, t.beside, more, site{floor: t.floor}); err != nil {
			return err
		}
		worst = worst.worse(beside.disquiet)
	}
	if t.results == nil {
		for _, f := range t.figures {
			t.results = append(t.results, result{What: f.what, Unit: f.unit, Than: f.than, Most: f.most, Stretch: f.stretch})
		}
	}
	for i, f := range t.figures {
		r := &t.results[i]
		is, than := f.of(product, beside)
		r.Is, r.Beside = append(r.Is, is), append(r.Beside, than)
		r.Weak = r.Weak || f.cpu() && (product.idle() || beside.idle())
		r.Disquiet = r.Disquiet.worse(worst)
	}
	if t.detail != nil {
		t.results[0].Detail = t.detail(product)
	}
	return nil
}

// harm is the row of all that people did not get to see as they should, in all visits of the product.
func (c *comparison) harm() result {
	f := c.faults
	n := float64(f.Lost + f.Doubled + f.OutOfOrder + f.Damaged + f.Cut)
	return result{
		What: "lost, doubled, out of order, damaged, cut off", Detail: "in " + grouped(c.judged) + " deliveries",
		Is: values{n}, Than: limit, Beside: values{0}, Most: 1, Judged: n > 0 || c.judged > 0, Met: n == 0 && c.judged > 0, Disquiet: c.disquiet,
	}
}

// finish compares medians, and says what there are none of.
func (c *comparison) finish(trials []*trial) (results []result) {
	for _, t := range trials {
		if t.results == nil && !t.failed {
			c.bad = append(c.bad, fmt.Sprintf("%s: not measured: %v", t.name, c.over))
		}
		for _, r := range t.results {
			results = append(results, r.judge(c.quick))
		}
	}
	return append(results, c.harm())
}

// judge holds the medians against each other. A quick run has no target: it is not what the rows say.
func (r result) judge(quick bool) result {
	is, than := median(r.Is), median(r.Beside)
	had := !math.IsNaN(is) && !math.IsNaN(than)
	if had && than > 0 {
		r.Ratio = is / than
	}
	r.Judged = had && r.Most > 0 && !quick
	r.Met = r.Judged && is <= r.Most*than
	return r
}

// median of the figures that were had; NaN: none was.
func median(figures values) float64 {
	sorted := slices.Sorted(slices.Values(figures.had()))
	n := len(sorted)
	if n == 0 {
		return math.NaN()
	}
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

func (c *comparison) writeJSON(w io.Writer, results []result) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(comparisonReport{
		origin: c.origin, Results: results, Faults: c.bad, Quick: c.quick, Seconds: time.Since(c.start).Seconds(),
		Disquiet: c.disquiet, Incomplete: c.over != nil,
	})
}

func (c *comparison) writeTable(w io.Writer, results []result) error {
	var b strings.Builder
	if c.quick {
		b.WriteString("Quick: fewer people and less time than the rows say.\n\n")
	}
	b.WriteString("| what | sarangbang | beside | | ratio | target | | others / stolen |\n|---|--:|---|--:|--:|--:|---|--:|\n")
	for _, r := range results {
		b.WriteString(r.row())
	}
	b.WriteString("\nMedians (and ranges) of as many runs as there are rounds, each on a fresh server, in turns. ")
	c.footer(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *result) row() string {
	what, beside, ratio := r.What, "–", "–"
	if r.Detail != "" {
		what += ": " + r.Detail
	}
	if r.Than != limit && r.Than != "" {
		beside = spread(r.Beside, r.Unit)
		if median(r.Beside) > 0 && !math.IsNaN(median(r.Is)) {
			ratio = short(r.Ratio) + " ×"
		}
	}
	target, verdict := "–", ""
	switch {
	case r.Most == 0:
	case r.Than == limit:
		target = "≤ " + strings.TrimSpace(short(r.Most*median(r.Beside))+" "+r.Unit)
	default:
		target = "≤ " + short(r.Most) + " ×"
		if r.Stretch > 0 {
			target += " (" + short(r.Stretch) + " ×)"
		}
	}
	switch {
	case r.Most == 0:
	case !r.Judged:
		verdict = "not judged"
	case r.Met:
		verdict = "met"
	default:
		verdict = "**missed**"
	}
	if r.Weak && r.Judged {
		verdict += ", but of too little CPU to mean something"
	}
	if r.Disquiet.restless() && (r.Judged || r.Most == 0) {
		verdict += ", disturbed"
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %s | %s |\n", what, spread(r.Is, r.Unit), r.Than, beside, ratio, target,
		strings.TrimPrefix(verdict, ", "), r.Disquiet)
}

// writeBench writes each run as a line of a Go benchmark. benchstat tells apart what differs in the lines before, so that they say
// nothing about the product: whoever compares two of them has a file for each.
func (c *comparison) writeBench(w io.Writer, results []result) error {
	var b strings.Builder
	_, _ = fmt.Fprintf(&b, "goos: %s\ngoarch: %s\ncpu: %s\n", runtime.GOOS, runtime.GOARCH, c.origin.Model)
	line := func(name, who string, value float64, unit string) {
		if !math.IsNaN(value) {
			_, _ = fmt.Fprintf(&b, "Benchmark%s/%s 1 %g %s\n", benchName(name), benchName(who), value, unit)
		}
	}
	for _, r := range results {
		unit := r.Unit
		if unit == "" {
			unit = "count"
		}
		for i, is := range r.Is {
			line(r.What, "sarangbang", is, unit)
			if r.Than != limit && r.Than != "" {
				line(r.What, r.Than, r.Beside[i], unit)
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// benchName makes one word of several. What it leaves out would part a name, or stand for something in it. benchstat passes over
// names that begin in lower case.
func benchName(s string) string {
	words := strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '+' })
	first := []rune(strings.Join(words, "_"))
	first[0] = unicode.ToUpper(first[0])
	return string(first)
}

// spread writes figures as their median and range, those that were had.
func spread(figures values, unit string) string {
	figures = figures.had()
	if len(figures) == 0 {
		return "–"
	}
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
