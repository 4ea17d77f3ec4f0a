package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
	What     string    `json:"what"`
	Unit     string    `json:"unit"`
	Is       []float64 `json:"is"`
	Than     string    `json:"beside"`
	Beside   []float64 `json:"beside_values"`
	Ratio    float64   `json:"ratio"`  // of the medians; 0 if there is none
	Most     float64   `json:"target"` // 0: there is none
	Stretch  float64   `json:"stretch,omitempty"`
	Met      bool      `json:"met"`
	Weak     bool      `json:"weak,omitempty"` // a server used too little processor time for the figure to mean something
	Disquiet disquiet  `json:"disquiet"`       // the worst of all its runs
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
		for _, s := range scenarios {
			_, _ = fmt.Fprintln(stdout, s.name)
		}
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
	if err := write(stdout, results); err != nil || len(c.bad) > 0 {
		return exitBad, err
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
	return c, err
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
		if (s.quick != "" || !c.quick) && c.only.MatchString(s.name) {
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
				c.over = true
				return finish(trials)
			}
			if err != nil { // what was measured before, and what can be after, is worth minutes
				t.failed = true
				c.bad = append(c.bad, fmt.Sprintf("%s: %v", t.name, err))
			}
		}
	}
	return append(finish(trials), c.harm())
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
	return nil
}

// harmDetail comes before how many deliveries there were.
const harmDetail = ": in "

// harm is the row of all that people did not get to see as they should, in all visits of the product.
func (c *comparison) harm() result {
	f := c.faults
	n := float64(f.Lost + f.Doubled + f.OutOfOrder + f.Damaged + f.Cut)
	return result{
		What: fmt.Sprintf("lost, doubled, out of order, damaged, cut off%s%s deliveries", harmDetail, grouped(c.judged)),
		Is:   []float64{n}, Than: limit, Beside: []float64{0}, Most: 1, Met: n == 0, Disquiet: c.disquiet,
	}
}

// finish compares medians.
func finish(trials []*trial) (results []result) {
	for _, t := range trials {
		for _, r := range t.results {
			is, than := median(r.Is), median(r.Beside)
			if than > 0 {
				r.Ratio = is / than
			}
			r.Met = is <= r.Most*than
			results = append(results, r)
		}
	}
	return results
}

// median of figures of which there is at least one.
func median(figures []float64) float64 {
	sorted := slices.Sorted(slices.Values(figures))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

func (c *comparison) writeJSON(w io.Writer, results []result) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(comparisonReport{
		origin: c.origin, Results: results, Faults: c.bad, Quick: c.quick, Seconds: time.Since(c.start).Seconds(),
		Disquiet: c.disquiet, Incomplete: c.over,
	})
}

func (c *comparison) writeTable(w io.Writer, results []result) error {
	var b strings.Builder
	if c.quick {
		b.WriteString("Quick: fewer people and less time than the rows say.\n\n")
	}
	b.WriteString("| what | sarangbang | beside | | ratio | target | | others / stolen |\n|---|--:|---|--:|--:|--:|---|--:|\n")
	for _, r := range results {
		b.WriteString(r.row(c.quick))
	}
	b.WriteString("\nMedians (and ranges) of as many runs as there are rounds, each on a fresh server, in turns. ")
	c.footer(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *result) row(quick bool) string {
	beside, ratio := "–", "–"
	if r.Than != limit && r.Than != "" {
		beside, ratio = spread(r.Beside, r.Unit), short(r.Ratio)+" ×"
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
	case quick:
		verdict = "not judged"
	case r.Met:
		verdict = "met"
	default:
		verdict = "**missed**"
	}
	if r.Weak && !quick {
		verdict += ", but of too little CPU to mean something"
	}
	if r.Disquiet.restless() && !quick {
		verdict += ", disturbed"
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %s | %s |\n", r.What, spread(r.Is, r.Unit), r.Than, beside, ratio, target,
		strings.TrimPrefix(verdict, ", "), r.Disquiet)
}

// writeBench writes each run as a line of a Go benchmark. benchstat tells apart what differs in the lines before, so that they say
// nothing about the product: whoever compares two of them has a file for each.
func (c *comparison) writeBench(w io.Writer, results []result) error {
	var b strings.Builder
	_, _ = fmt.Fprintf(&b, "goos: %s\ngoarch: %s\ncpu: %s\n", runtime.GOOS, runtime.GOARCH, c.origin.Model)
	line := func(name, who string, value float64, unit string) {
		_, _ = fmt.Fprintf(&b, "Benchmark%s/%s 1 %g %s\n", benchName(name), benchName(who), value, unit)
	}
	for _, r := range results {
		r.What, _, _ = strings.Cut(r.What, harmDetail) // another number in each run would be another benchmark
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
