package main

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"sarangbang/cmd/sshload/internal/floor"
)

// lab starts servers to be visited, each anew, and notes what disturbed that. The tools compare and sweep are run in it.
type lab struct {
	server string // the product's program
	dir    string // where its data goes
	rounds int
	within time.Duration
	json   bool

	stderr   io.Writer
	start    time.Time
	origin   origin
	bad      []string // what was wrong with what people got to see
	judged   int64    // deliveries by the product
	faults   totals   // in them
	over     error    // why something of what was to be done was not; nil: all was
	disquiet disquiet // the worst of all visits
}

// Why not all was measured.
var (
	errLate        = errors.New("the time was over before all was measured")
	errInterrupted = errors.New("it was interrupted before all was measured")
)

// origin says where figures come from.
type origin struct {
	Command    string `json:"command"`
	Commit     string `json:"commit"` // of the product, as its build says; with a + if there was more in it
	Date       string `json:"date"`
	Go         string `json:"go"`
	System     string `json:"system"`
	Model      string `json:"cpu"`
	Processors int    `json:"processors"`
}

// disquiet is what others did to the machine in a visit, in percent of all its processors.
type disquiet struct {
	Others float64 `json:"others_percent"` // used by neither the server nor the generator
	Stolen float64 `json:"stolen_percent"`
}

// restless says that a figure was not taken in quiet: a tenth of two processors is more than all that a machine does by itself.
func (d disquiet) restless() bool { return d.Others+d.Stolen > 10 }

func (d disquiet) worse(e disquiet) disquiet {
	return disquiet{max(d.Others, e.Others), max(d.Stolen, e.Stolen)}
}

func (d disquiet) String() string { return fmt.Sprintf("%.0f %% / %.0f %%", d.Others, d.Stolen) }

// newFlags has the flags that the tools of a lab have.
func (l *lab) newFlags(tool string, rounds int) *flag.FlagSet {
	f := flag.NewFlagSet("sshload "+tool, flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&l.server, "server", "./sarangbang", "`PROGRAM` to measure")
	f.StringVar(&l.dir, "data", os.TempDir(), "`DIR` for its data, on a disk as it will have; a folder in it is made and removed")
	f.IntVar(&l.rounds, "rounds", rounds, "how often everything is run, the server and what it is compared with in turns")
	f.DurationVar(&l.within, "within", 10*time.Minute, "begin nothing that would take longer than this, counted from the start")
	f.BoolVar(&l.json, "json", false, "print the figures as JSON")
	return f
}

// parse reads the flags. flag.ErrHelp says that help was asked for and given.
func (l *lab) parse(f *flag.FlagSet, args []string, stderr io.Writer) error {
	err := f.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		f.SetOutput(stderr)
		f.Usage()
		return err
	}
	switch {
	case err != nil:
	case f.NArg() > 0:
		err = fmt.Errorf("%s takes flags only, not %q", strings.TrimPrefix(f.Name(), "sshload "), f.Arg(0))
	case l.rounds < 1 || l.rounds > 100:
		err = fmt.Errorf("--rounds is %d; it must be from 1 to 100", l.rounds)
	case l.within <= 0 || l.within > longestTest:
		err = fmt.Errorf("--within is %v; it must be at most %v", l.within, longestTest)
	}
	return err
}

// open notes where and when the figures are taken, and what with.
func (l *lab) open(command string, stderr io.Writer) error {
	if _, err := os.Stat(l.server); err != nil {
		return err
	}
	switch dir, err := os.Stat(l.dir); {
	case err != nil:
		return fmt.Errorf("--data: %w", err)
	case !dir.IsDir():
		return fmt.Errorf("--data: %s is no folder", l.dir)
	}
	l.stderr, l.start = stderr, time.Now()
	l.origin = origin{
		Command: command, Commit: commitOf(l.server), Date: l.start.UTC().Format(time.DateOnly), Go: runtime.Version(),
		System: runtime.GOOS + "/" + runtime.GOARCH, Model: openProcfs().cpu(), Processors: runtime.NumCPU(),
	}
	return nil
}

// commitOf is the commit that a program was built of, as far as its build says.
func commitOf(program string) string {
	const unknown, digits = "unknown", 7
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return unknown
	}
	setting := func(key string) string {
		i := slices.IndexFunc(info.Settings, func(s debug.BuildSetting) bool { return s.Key == key })
		if i < 0 {
			return ""
		}
		return info.Settings[i].Value
	}
	commit := setting("vcs.revision")
	if len(commit) < digits {
		return unknown
	}
	commit = commit[:digits]
	if setting("vcs.modified") == "true" {
		commit += "+"
	}
	return commit
}

// cpu is the name of the processors.
func (p procfs) cpu() string {
	const unknown = "unknown"
	info, err := fs.ReadFile(p.FS, "cpuinfo")
	if err != nil {
		return unknown
	}
	for row := range bytes.Lines(info) {
		if key, value, ok := strings.Cut(string(row), ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return unknown
}

// listen says how much of the machine others use now, for a second, before minutes are spent in their company.
func (l *lab) listen(ctx context.Context) error {
	proc := openProcfs()
	from, _ := proc.machine() // where there is no /proc nothing else can be had either, and the rows say so
	if pause(ctx, time.Second) != nil {
		return errInterrupted
	}
	to, _ := proc.machine()
	var d disquiet
	if total := to.total - from.total; total > 0 {
		d.Others = 100 * float64(to.busy-from.busy) / float64(total)
		d.Stolen = 100 * float64(to.stolen-from.stolen) / float64(total)
	}
	if d.restless() {
		_, _ = fmt.Fprintf(l.stderr, "The machine is not idle: others use %.0f %% of it, %.0f %% is stolen. What is measured now is weather.\n", d.Others, d.Stolen)
	}
	return nil
}

// fits says whether there is time for what took so long the last time; 0: nobody knows.
func (l *lab) fits(took time.Duration) bool {
	if time.Since(l.start)+took <= l.within {
		return true
	}
	l.over = errLate
	return false
}

// site is a server that can be visited: a floor, or the product if that is "".
type site struct {
	floor floor.Kind
	alone bool // the product has the SSH door only, so that it has more connections there
}

// visit starts a server, has a crowd do its work there, and ends it. more are flags that come behind the others.
func (l *lab) visit(ctx context.Context, name string, w work, more string, at site) (o *outcome, err error) {
	var server *child
	switch at.floor {
	case "":
		server, err = startServer(ctx, l.server, l.dir, !at.alone)
	case floor.Terminal:
		// The product has its garbage collected at 50 %; the floor that memory is compared with must not look big for what it has not
		// collected. The others are measured for their processor time, which that would cost them.
		server, err = startFloor(ctx, at.floor, "GOGC=50")
	default:
		server, err = startFloor(ctx, at.floor)
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, server.stop()) }()
	options, m, err := w.options(more, server)
	if err != nil {
		return nil, err
	}
	o = &outcome{commit: math.NaN()}
	if o.report, err = m.attend(ctx, options, l.stderr); err != nil {
		return nil, fmt.Errorf("%s at %s: %w", w.mode, server.name, err)
	}
	debug.FreeOSMemory() // what one crowd leaves behind must not be collected while the next is measured
	if !o.report.good() {
		l.bad = append(l.bad, fmt.Sprintf("%s at %s: %s", name, server.name, o.report.badness()))
	}
	o.disquiet = disquiet{o.report.Machine.OthersPercent, o.report.Machine.StolenPercent}
	l.disquiet = l.disquiet.worse(o.disquiet)
	if at.floor == "" {
		l.judged += o.report.Deliveries
		l.faults.join(o.report.Faults)
	}
	if at.floor == "" && options.senders > 0 {
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

// footer says what figures rest on.
func (l *lab) footer(b *strings.Builder) {
	if len(l.bad) == 0 {
		b.WriteString("Nothing was lost, doubled, damaged or out of order, and nobody was cut off.\n")
	} else {
		b.WriteString("NOT ALL WAS AS IT SHOULD BE:\n")
	}
	for _, f := range l.bad {
		b.WriteString("* " + f + "\n")
	}
	if l.over != nil {
		_, _ = fmt.Fprintf(b, "INCOMPLETE: %v.\n", l.over)
	}
	o := l.origin
	_, _ = fmt.Fprintf(b, "`%s`, commit %s, %s, %s, %s, %d × %s, loopback, %.0f s. In the worst run others used %.0f %% of the machine, and %.0f %% was stolen.\n",
		o.Command, o.Commit, o.Date, o.Go, o.System, o.Processors, o.Model, time.Since(l.start).Seconds(), l.disquiet.Others, l.disquiet.Stolen)
}

// commandOf is how a tool was called, without the paths of the machine that it ran on.
func commandOf(tool string, args []string) string {
	words := []string{"sshload", tool}
	for i, a := range args {
		name, value, joined := strings.Cut(a, "=")
		switch {
		case joined && filepath.IsAbs(value):
			a = name + "=" + filepath.Base(value)
		case filepath.IsAbs(a):
			a = filepath.Base(a)
		case i > 0 && strings.ContainsAny(a, " ()^$|,"):
			a = "'" + a + "'"
		}
		words = append(words, a)
	}
	return strings.Join(words, " ")
}
