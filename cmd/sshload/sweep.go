package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"sarangbang/cmd/sshload/internal/floor"
)

// sweep is a run of the tool of this name: the product and its floors with ever more people. The charts are drawn of it.
type sweep struct {
	lab

	people   []int // in the runs in which something is said
	sessions []int // in the silent ones
	span     time.Duration
}

// point is what one server did with so many people, by round.
type point struct {
	Server   string    `json:"server"` // sarangbang or a floor.Kind
	People   int       `json:"people"`
	Runs     []float64 `json:"runs"`
	Disquiet disquiet  `json:"disquiet"` // the worst of them

	took time.Duration
}

// sweepReport is what --json prints.
type sweepReport struct {
	origin

	CPU        []*point `json:"cpu_us_per_delivery"` // in a closed loop
	Memory     []*point `json:"rss_kib_per_session"` // of idle sessions with a terminal, beside the same server when it was empty
	Faults     []string `json:"faults"`
	Seconds    float64  `json:"seconds"`
	Disquiet   disquiet `json:"disquiet"`
	Incomplete bool     `json:"incomplete"`
}

// The product's name in a point, and how many lines each of ten senders has in flight: fewer where so many people have to get each.
const (
	productName = "sarangbang"
	usualWindow = 8
	crowdWindow = 4
	crowdPeople = 1000
)

// runSweep is the tool sweep.
func runSweep(ctx context.Context, args []string, stdout, stderr io.Writer) (int, error) {
	s, err := parseSweep(args, stderr)
	if err != nil {
		return exitUsage, err
	}
	if err := s.open(commandOf("sweep", args), stderr); err != nil {
		return exitUsage, err
	}
	if err := s.listen(ctx); err != nil {
		return exitBad, err
	}
	r := s.measure(ctx)
	write := s.writeTable
	if s.json {
		write = s.writeJSON
	}
	if err := write(stdout, r); err != nil {
		return exitBad, err
	}
	if s.over != nil || len(s.bad) > 0 {
		return exitBad, s.over // charts of some of the figures would look like charts of all
	}
	return exitGood, nil
}

func parseSweep(args []string, stderr io.Writer) (*sweep, error) {
	s := &sweep{people: []int{10, 30, 100, 300, 1000}, sessions: []int{100, 300, 1000, 3000}}
	f := s.newFlags("sweep", 3)
	f.Func("people", "`NUMBERS` of people who talk (default 10,30,100,300,1000)", numbers(&s.people, 2))
	f.Func("sessions", "`NUMBERS` of people who are silent (default 100,300,1000,3000)", numbers(&s.sessions, 1))
	f.DurationVar(&s.span, "duration", 4*time.Second, "how long people talk in a run")
	err := s.parse(f, args, stderr)
	if least := 100 * time.Millisecond; err == nil && (s.span < least || s.span > longestTest) {
		err = fmt.Errorf("--duration is %v; it must be from %v to %v", s.span, least, longestTest)
	}
	return s, err
}

// numbers reads a list of how many people there are.
func numbers(list *[]int, least int) func(string) error {
	return func(s string) error {
		*list = nil
		for word := range strings.SplitSeq(s, ",") {
			n, err := strconv.Atoi(strings.TrimSpace(word))
			if err != nil || n < least || n > mostPeople {
				return fmt.Errorf("%q is no number from %d to %d", word, least, mostPeople)
			}
			*list = append(*list, n)
		}
		return nil
	}
}

// measure has each number of people at each server once, and then again.
func (s *sweep) measure(ctx context.Context) *sweepReport {
	r := &sweepReport{}
	points := func(list []int, floors ...floor.Kind) (all []*point) {
		for _, n := range list {
			for _, kind := range floors {
				all = append(all, &point{Server: nameOf(kind), People: n})
			}
		}
		return all
	}
	r.CPU = points(s.people, "", floor.SSHGather, floor.SSHLines)
	r.Memory = points(s.sessions, "", floor.Terminal)
	for n := range s.rounds {
		for _, p := range r.CPU {
			s.add(ctx, n, p, s.talk(p.People), func(c *serverCost) float64 { return c.PerDelivery })
		}
		for _, p := range r.Memory {
			silence := work{"idle", fmt.Sprintf("--people %d --duration 3s", p.People)}
			s.add(ctx, n, p, silence, func(c *serverCost) float64 { return c.PerPerson / 1024 })
		}
	}
	none := func(p *point) bool { return len(p.Runs) == 0 }
	r.CPU, r.Memory = slices.DeleteFunc(r.CPU, none), slices.DeleteFunc(r.Memory, none)
	if ctx.Err() != nil {
		s.over = errInterrupted
	}
	r.origin, r.Faults, r.Seconds = s.origin, s.bad, time.Since(s.start).Seconds()
	r.Disquiet, r.Incomplete = s.disquiet, s.over != nil
	return r
}

// talk is a closed loop of so many people.
func (s *sweep) talk(people int) work {
	window := usualWindow
	if people >= crowdPeople {
		window = crowdWindow
	}
	return work{"fanout", fmt.Sprintf("--people %d --senders %d --window %d --duration %v", people, min(people, 10), window, s.span)}
}

func nameOf(kind floor.Kind) string {
	if kind == "" {
		return productName
	}
	return string(kind)
}

// add makes one run and adds its figure to a point.
func (s *sweep) add(ctx context.Context, round int, p *point, w work, of func(*serverCost) float64) {
	if ctx.Err() != nil || !s.fits(p.took) {
		return
	}
	at := site{alone: true}
	if p.Server != productName {
		at.floor = floor.Kind(p.Server)
	}
	name := fmt.Sprintf("%d people, %s", p.People, w.mode)
	_, _ = fmt.Fprintf(s.stderr, "%4.0f s: %s at %s, round %d of %d\n", time.Since(s.start).Seconds(), name, p.Server, round+1, s.rounds)
	begun := time.Now()
	o, err := s.visit(ctx, name, w, "", at)
	p.took = max(p.took, time.Since(begun))
	switch {
	case ctx.Err() != nil: // what failed, failed for that
	case err != nil:
		s.bad = append(s.bad, fmt.Sprintf("%s: %v", name, err))
	case o.report.Server == nil:
		s.bad = append(s.bad, fmt.Sprintf("%s at %s: %s", name, p.Server, o.report.Unknown))
	default:
		p.Runs = append(p.Runs, of(o.report.Server))
		p.Disquiet = p.Disquiet.worse(o.disquiet)
	}
}

func (s *sweep) writeJSON(w io.Writer, r *sweepReport) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

func (s *sweep) writeTable(w io.Writer, r *sweepReport) error {
	var b strings.Builder
	b.WriteString("| what | people | server | | others / stolen |\n|---|--:|---|--:|--:|\n")
	rows := func(what, unit string, points []*point) {
		for _, p := range points {
			_, _ = fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", what, grouped(int64(p.People)), p.Server, spread(p.Runs, unit), p.Disquiet)
		}
	}
	rows("closed loop: CPU per delivery", "µs", r.CPU)
	rows("memory of an idle session", "KiB", r.Memory)
	b.WriteString("\nMedians (and ranges) of as many runs as there are rounds, each on a fresh server, in turns. ")
	s.footer(&b)
	_, err := io.WriteString(w, b.String())
	return err
}
