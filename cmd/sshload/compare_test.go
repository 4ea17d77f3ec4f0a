package main

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// compareFake runs the tool compare with the fake server that has the fault, and returns what it printed.
func compareFake(t *testing.T, fault, flags string) (status int, out, problems string) {
	t.Helper()
	return toolAtFake(t, "compare", fault, flags)
}

// toolAtFake runs a tool likewise. Nothing of the servers' data may be left.
func toolAtFake(t *testing.T, tool, fault, flags string) (status int, out, problems string) {
	t.Helper()
	server := fakeServer(t, fault)
	dir := t.TempDir()
	var stdout, stderr strings.Builder
	status = run(t.Context(), append([]string{tool, "--server", server, "--data", dir}, strings.Fields(flags)...), &stdout, &stderr)
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 0 {
		t.Errorf("%v is left of the server's data", left)
	}
	return status, stdout.String(), stderr.String()
}

// fakeServer is the program of the fake server that has the fault.
func fakeServer(t *testing.T, fault string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	server := filepath.Join(t.TempDir(), fault)
	if err := os.Symlink(self, server); err != nil {
		t.Fatal(err)
	}
	return server
}

func TestCompare(t *testing.T) {
	t.Parallel()
	status, out, problems := compareFake(t, "none", "--quick --json --only ^(steady|login)")
	var r comparisonReport
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("%v in %q, stderr %q", err, out, problems)
	}
	if status != exitGood || len(r.Faults) > 0 || r.Incomplete || len(r.Results) != 5 {
		t.Errorf("exit status %d, %d rows, faults %q, want %d and 5 rows without: %s", status, len(r.Results), r.Faults, exitGood, out)
	}
	if last := r.Results[4]; !last.Met || last.Is[0] != 0 || !strings.HasPrefix(last.What, "lost, doubled") {
		t.Errorf("the last row is %+v, want nothing lost", last)
	}
	for _, row := range r.Results {
		if len(row.Is) != 1 || len(row.Beside) != 1 {
			t.Errorf("%s: %v beside %v, want one of each", row.What, row.Is, row.Beside)
		}
		// p99 is there however little the servers used; of processor time there may be less than a tick.
		if strings.Contains(row.What, "p99 latency") && (row.Is[0] <= 0 || row.Beside[0] < slack) {
			t.Errorf("%s: %v beside %v, want figures", row.What, row.Is, row.Beside)
		}
	}
	for _, want := range []string{"steady, 100 people, round 1 of 1", "login, round 1 of 1"} {
		if !strings.Contains(problems, want) {
			t.Errorf("stderr = %q, want it to tell %q", problems, want)
		}
	}
}

func TestCompareFindsFaultsInTheServer(t *testing.T) {
	t.Parallel()
	status, out, problems := compareFake(t, "double", "--quick --only ^steady")
	if want := "1 doubled"; status != exitBad || !strings.Contains(out, want) || !strings.Contains(out, "NOT ALL WAS AS") ||
		!strings.Contains(out, " deliveries | 1 |") {
		t.Errorf("exit status %d, stdout %q, stderr %q, want %d and %q", status, out, problems, exitBad, want)
	}
}

func TestCompareSaysWhyAServerDoesNotStart(t *testing.T) {
	t.Parallel()
	status, out, problems := compareFake(t, "refuse", "--quick --only ^steady")
	if want := "the disk is on fire"; status != exitBad || !strings.Contains(out, want) {
		t.Errorf("exit status %d, stdout %q, stderr %q, want %d and %q", status, out, problems, exitBad, want)
	}
}

func TestCompareTakesNoMoreTimeThanItHas(t *testing.T) {
	t.Parallel()
	status, out, _ := compareFake(t, "none", "--quick --within 1ns")
	if status != exitBad || !strings.Contains(out, "INCOMPLETE: the time was over") || !strings.Contains(out, "* login: not measured: the time was over") ||
		strings.Contains(out, "| met |") || strings.Contains(out, "Nothing was lost") {
		t.Errorf("exit status %d, stdout %q, want %d, a word about the time, and nothing that was met", status, out, exitBad)
	}
}

// Whoever is interrupted must not go on with what is not there.
func TestAComparisonThatIsInterrupted(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{
		"compare --rounds 1 --only ^steady", "compare --quick --only ^(steady|login)", "sweep --rounds 1 --people 4 --sessions 2",
	} {
		t.Run(tool, func(t *testing.T) {
			t.Parallel()
			ctx, interrupt := context.WithCancel(t.Context())
			words := strings.Fields(tool)
			var stdout, stderr strings.Builder
			problems := writerFunc(func(p []byte) (int, error) {
				if bytes.Contains(p, []byte("round 1 of 1")) {
					interrupt()
				}
				return stderr.Write(p)
			})
			status := run(ctx, slices.Concat(words[:1], []string{"--server", fakeServer(t, "none"), "--data", t.TempDir()}, words[1:]), &stdout, problems)
			if status != exitBad || !strings.Contains(stdout.String(), "INCOMPLETE: it was interrupted") || strings.Contains(stdout.String(), "| met |") ||
				!strings.HasSuffix(stderr.String(), "sshload: it was interrupted before all was measured\n") {
				t.Errorf("exit status %d, stdout %q, stderr %q, want %d, and a word about it", status, stdout.String(), stderr.String(), exitBad)
			}
		})
	}
}

// writerFunc is an [io.Writer].
type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestCompareFlagsThatCannotBe(t *testing.T) {
	for flags, want := range map[string]string{
		"--rounds 0":               "--rounds is 0",
		"--within 2h":              "--within is 2h0m0s",
		"--only (":                 "missing closing )",
		"now":                      `not "now"`,
		"--json --bench":           "give one of them",
		"--server /nothing/at/all": "no such file",
		"--data /nothing/at/all":   "no such file",
		"--data /dev/null":         "--data: /dev/null is no folder",
		"--only nosuchthing":       "matches none of these:\nclosed loop, 100 people\n",
		"--quick --only 10,000":    "(--quick leaves some",
	} {
		if status, _, problems := compareFake(t, "none", flags); status != exitUsage || !strings.Contains(problems, want) {
			t.Errorf("compare %s: exit status %d, stderr %q, want %d and %q", flags, status, problems, exitUsage, want)
		}
	}
	if status, names, _ := compareFake(t, "none", "--list"); status != exitGood || !strings.Contains(names, "10,000 idle\n") {
		t.Errorf("compare --list: exit status %d, stdout %q, want the names", status, names)
	}
}

// A row that cannot be run would be found after minutes only.
func TestAllScenariosCanBeRun(t *testing.T) {
	for _, s := range scenarios {
		for _, w := range []work{s.product, s.beside} {
			for _, quick := range []string{"", s.quick} {
				if w.empty() {
					continue
				}
				if f, m := w.find(); f == nil {
					t.Errorf("%s: there is no mode %q", s.name, w.mode)
				} else if _, err := f.parse(strings.Fields(w.flags+" "+quick), nil); err != nil {
					t.Errorf("%s: %s %s: %v", s.name, m.name, w.flags, err)
				}
			}
		}
		if (s.floor != "") && s.beside.empty() || len(s.figures) == 0 || s.name == "" {
			t.Errorf("%+v: a floor without work, or nothing to show", s)
		}
	}
}

func TestAStuckReaderIsJudgedByTheNoiseAround(t *testing.T) {
	const enough = leastOffered
	for _, c := range []struct {
		name                  string
		before, during, after float64
		stuck                 stuck
		grown                 int64 // bytes of memory
		verdict, memory       string
		detail                string
	}{
		{"unchanged", 10, 15, 10, stuck{Offered: enough, CaughtUp: true}, 16 << 20, "met", "met", "10 ms before, 15 ms during, 10 ms after |"},
		{"slower", 10, 15.1, 10, stuck{Offered: enough, CaughtUp: true}, 17 << 20, "**missed**", "**missed**", "10 ms after |"},
		{"slower than the noise", 10, 26, 15, stuck{Offered: enough, CaughtUp: true}, 0, "**missed**", "met", "15 ms after |"},
		{"within the noise", 10, 25, 15, stuck{Offered: enough, CaughtUp: true}, 0, "met", "met", "15 ms after |"},
		{"too little said", 10, 10, 10, stuck{Offered: enough - 1, CaughtUp: true}, 0, "not judged", "not judged", "after; only 2.5 MiB were said"},
		{"not caught up", 10, 10, 10, stuck{Nick: "kim", Offered: enough}, 0, "not judged", "not judged", "after; kim did not catch up |"},
	} {
		s := stuckScenario("channel")
		r := &report{Server: &serverCost{}, Stuck: []stuck{c.stuck}, Phases: []phase{
			{latency{P99: c.before}, 1 << 20}, {latency{P99: c.during}, 1<<20 + c.grown}, {latency{P99: c.after}, 1 << 20},
		}}
		var rows []string
		for _, f := range s.figures {
			is, than := f.of(&outcome{report: r}, nil)
			row := result{What: f.what, Detail: s.detail(&outcome{report: r}), Than: f.than, Most: f.most, Is: values{is}, Beside: values{than}}.judge(false)
			rows = append(rows, row.row())
		}
		if !strings.Contains(rows[0], "| "+c.verdict+" |") || !strings.Contains(rows[1], "| "+c.memory+" |") || !strings.Contains(rows[0], c.detail) {
			t.Errorf("%s: %q, want %q, %q and %q", c.name, rows, c.verdict, c.memory, c.detail)
		}
	}
}

func TestResultsAreOfMedians(t *testing.T) {
	for _, c := range []struct {
		is, beside []float64
		most       float64
		ratio      float64
		met        bool
	}{
		{[]float64{4, 100, 2}, []float64{2, 1, 50}, 2, 2, true},
		{[]float64{5, 5, 5}, []float64{2, 2, 2}, 2, 2.5, false},
		{[]float64{1, 3}, []float64{4}, 0.5, 0.5, true},
		{[]float64{0}, []float64{0}, 1, 0, true},
		{[]float64{1}, []float64{0}, 1, 0, false},
	} {
		r := result{Is: slices.Clone(c.is), Beside: c.beside, Most: c.most}.judge(false)
		if r.Ratio != c.ratio || r.Met != c.met || !r.Judged || !slices.Equal(r.Is, c.is) {
			t.Errorf("%v beside %v: ratio %v, met %v, want %v, %v", r.Is, c.beside, r.Ratio, r.Met, c.ratio, c.met)
		}
		if r = r.judge(true); r.Met || r.Judged {
			t.Errorf("%v beside %v in a quick run: %+v, want it not to be judged", r.Is, c.beside, r)
		}
	}
}

// A server whose process is not known has no figures.
func TestFiguresThatWereNotHad(t *testing.T) {
	nan := math.NaN()
	c := &comparison{lab: lab{judged: 1}}
	results := c.finish([]*trial{{results: []result{
		{What: "none", Unit: "µs", Is: values{nan}, Than: "floor", Beside: values{2}, Most: 2},
		{What: "none beside", Unit: "µs", Is: values{1}, Than: "floor", Beside: values{nan}, Most: 2},
		{What: "one of two", Unit: "µs", Is: values{nan, 3}, Than: "floor", Beside: values{2, 2}, Most: 2},
	}}})
	var b strings.Builder
	if err := c.writeTable(&b, results); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| none | – | floor | 2 µs | – | ≤ 2 × | not judged |", "| none beside | 1 µs | floor | – | – | ≤ 2 × | not judged |",
		"| one of two | 3 µs | floor | 2 µs (2–2) | 1.5 × | ≤ 2 × | met |",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("table lacks %q:\n%s", want, b.String())
		}
	}
	b.Reset()
	if err := c.writeJSON(&b, results); err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(strings.Fields(b.String()), ""), `"is":[null,3],"beside":"floor","beside_values":[2,2],"ratio":1.5`; !strings.Contains(got, want) {
		t.Errorf("JSON lacks %q:\n%s", want, b.String())
	}
	b.Reset()
	if err := c.writeBench(&b, results); err != nil || strings.Contains(b.String(), "NaN") {
		t.Errorf("figures for benchstat, %v:\n%s\nwant no NaN", err, b.String())
	}
}

func TestNothingDeliveredIsNotMet(t *testing.T) {
	for _, c := range []struct {
		judged, lost int64
		want         string
	}{
		{0, 0, "cut off: in 0 deliveries | 0 | limit | – | – | ≤ 0 | not judged |"},
		{5, 0, "cut off: in 5 deliveries | 0 | limit | – | – | ≤ 0 | met |"},
		{5, 1, "cut off: in 5 deliveries | 1 | limit | – | – | ≤ 0 | **missed** |"},
		{0, 1, "cut off: in 0 deliveries | 1 | limit | – | – | ≤ 0 | **missed** |"},
	} {
		r := (&comparison{lab: lab{judged: c.judged, faults: totals{Lost: c.lost}}}).harm()
		if got := r.row(); !strings.Contains(got, c.want) {
			t.Errorf("%d lost in %d deliveries: %q, want %q", c.lost, c.judged, got, c.want)
		}
	}
}

// some are rows of each kind, and what they are printed by.
func some() (*comparison, []result) {
	c := &comparison{lab: lab{bad: []string{"time at sarangbang: 1 lost"}, over: errLate, start: time.Now().Add(-61 * time.Second)}}
	c.disquiet = disquiet{Others: 20, Stolen: 3}
	c.origin = origin{Command: "sshload compare", Commit: "0123456+", Date: "2026-11-23", Go: "go1.26", System: "linux/amd64", Model: "EPYC", Processors: 2}
	var results []result
	for _, r := range []result{
		{What: "cost", Unit: "µs", Is: []float64{3.456, 4, 3}, Than: "SSH floor, by line", Beside: []float64{2, 2, 1.5}, Most: 2, Stretch: 1.5},
		{What: "time: all", Unit: "s", Is: []float64{2.5}, Than: limit, Beside: []float64{2}, Most: 1, Weak: true, Disquiet: c.disquiet},
		{What: "commits", Unit: "ms", Is: []float64{4}, Beside: []float64{0}},
		{What: "guests", Detail: "in 1,234 deliveries", Is: []float64{0}, Than: limit, Beside: []float64{0}, Most: 1},
	} {
		results = append(results, r.judge(false))
	}
	return c, results
}

func TestTheTableOfAComparison(t *testing.T) {
	c, results := some()
	var b strings.Builder
	if err := c.writeTable(&b, results); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| cost | 3.46 µs (3–4) | SSH floor, by line | 2 µs (1.5–2) | 1.73 × | ≤ 2 × (1.5 ×) | met | 0 % / 0 % |\n",
		"| time: all | 2.5 s | limit | – | – | ≤ 2 s | **missed**, but of too little CPU to mean something, disturbed | 20 % / 3 % |\n",
		"| commits | 4 ms |  | – | – | – |  | 0 % / 0 % |\n",
		"| guests: in 1,234 deliveries | 0 | limit | – | – | ≤ 0 | met | 0 % / 0 % |\n",
		"* time at sarangbang: 1 lost\n", "INCOMPLETE: the time was over before all was measured.\n",
		"`sshload compare`, commit 0123456+, 2026-11-23, go1.26, linux/amd64, 2 × EPYC, loopback, 61 s. In the worst run others used 20 %",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("table lacks %q:\n%s", want, b.String())
		}
	}
}

func TestFiguresForBenchstat(t *testing.T) {
	c, results := some()
	var b strings.Builder
	if err := c.writeBench(&b, results); err != nil {
		t.Fatal(err)
	}
	const head, want = "cpu: EPYC\n", `BenchmarkCost/Sarangbang 1 3.456 µs
BenchmarkCost/SSH_floor_by_line 1 2 µs
BenchmarkCost/Sarangbang 1 4 µs
BenchmarkCost/SSH_floor_by_line 1 2 µs
BenchmarkCost/Sarangbang 1 3 µs
BenchmarkCost/SSH_floor_by_line 1 1.5 µs
BenchmarkTime_all/Sarangbang 1 2.5 s
BenchmarkCommits/Sarangbang 1 4 ms
BenchmarkGuests/Sarangbang 1 0 count
`
	if _, got, _ := strings.Cut(b.String(), head); got != want {
		t.Errorf("figures:\n%s\nwant %q and\n%s", b.String(), head, want)
	}
}

func TestACommandIsToldWithoutPaths(t *testing.T) {
	got := commandOf("compare", []string{"--server", "/a/b/sarangbang", "--data=/tmp/x", "--only", "^(a|b)", "--rounds", "3"})
	if want := "sshload compare --server sarangbang --data=x --only '^(a|b)' --rounds 3"; got != want {
		t.Errorf("command = %q, want %q", got, want)
	}
}

func TestTheCommitIsThatOfTheProgram(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, program := range []string{self, "/nothing/at/all"} { // a test knows none
		if got := commitOf(program); got != "unknown" {
			t.Errorf("commit of %s = %q, want unknown", program, got)
		}
	}
}

func TestTheQuantileOfAHistogram(t *testing.T) {
	for q, want := range map[float64]float64{0.25: 0.5, 0.5: 1, 0.98: 10, 0.99: 55, 1: 100} {
		if got, err := quantileOf(testHistogram, commitMetric, q); err != nil || got < want*0.999 || got > want*1.001 {
			t.Errorf("quantile %v = %v, %v, want %v", q, got, err, want)
		}
	}
	for _, text := range []string{"", "sarangbang_commit_seconds_bucket{le=\"x\"} 5\n", strings.ReplaceAll(testHistogram, "} ", "} x")} {
		if got, err := quantileOf(text, commitMetric, 0.5); err == nil {
			t.Errorf("quantile of %q = %v, want an error", text, got)
		}
	}
}

func TestFloorFlags(t *testing.T) {
	for args, want := range map[string]string{
		"":                              "floor takes one of",
		"dance":                         "floor takes one of",
		"login now":                     "floor takes one of",
		"login --addr 0.0.0.0:0":        "on the loopback only",
		"login --for 2h":                "--for is 2h0m0s",
		"login --addr 127.0.0.1:999999": "--addr",
	} {
		var out, problems strings.Builder
		if status := run(t.Context(), append([]string{"floor"}, strings.Fields(args)...), &out, &problems); status != exitUsage ||
			!strings.Contains(problems.String(), want) {
			t.Errorf("floor %s: exit status %d, stderr %q, want %d and %q", args, status, problems.String(), exitUsage, want)
		}
	}
	var out, problems strings.Builder
	start := time.Now()
	if status := run(t.Context(), []string{"floor", "login", "--for", "50ms"}, &out, &problems); status != exitGood ||
		!strings.HasPrefix(out.String(), floorName) || time.Since(start) > 30*time.Second {
		t.Errorf("exit status %d after %v, stdout %q, want it to end by itself", status, time.Since(start), out.String())
	}
}
