package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// Exit statuses.
const (
	exitGood  = 0
	exitBad   = 1 // something was lost, doubled, damaged, out of order, cut off or not measured, or the run did not come about
	exitUsage = 2
)

func main() {
	ctx, restore := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	status := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	restore()
	os.Exit(status)
}

// usage lists what there is.
func usage() string {
	var b strings.Builder
	b.WriteString("usage: sshload MODE [FLAGS]\n\nmodes:\n")
	for _, m := range modes {
		_, _ = fmt.Fprintf(&b, "  %-9s%s\n", m.name, m.what)
	}
	for _, t := range tools {
		_, _ = fmt.Fprintf(&b, "  %-9s%s\n", t.name, t.what)
	}
	b.WriteString("\nsshload MODE --help lists the flags.\n")
	return b.String()
}

// tool is what is no crowd.
type tool struct {
	name, what string
	run        func(ctx context.Context, args []string, stdout, stderr io.Writer) (status int, err error)
}

var tools = []tool{
	{"floor", "serve the least chat that there is, to have something to compare with", runFloor},
	{"compare", "run a server and the floors in turns, and print how they compare, beside the targets", runCompare},
	{"sweep", "run a server and the floors with ever more people, for the charts", runSweep},
}

// run is the program: figures go to stdout, everything else to stderr.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		_, _ = io.WriteString(stderr, usage())
		return exitUsage
	}
	status, err := exitUsage, fmt.Errorf("there is no mode %q\n%s", args[0], usage())
	switch args[0] {
	case "help", "-h", "--help":
		_, _ = io.WriteString(stdout, usage())
		return exitGood
	}
	for _, m := range modes {
		if m.name == args[0] {
			status, err = runMode(ctx, m, args[1:], stdout, stderr)
		}
	}
	for _, t := range tools {
		if t.name == args[0] {
			status, err = t.run(ctx, args[1:], stdout, stderr)
		}
	}
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitGood
	case err != nil:
		_, _ = fmt.Fprintln(stderr, "sshload:", err)
	}
	return status
}

// runMode is a mode of the crowd.
func runMode(ctx context.Context, m mode, args []string, stdout, stderr io.Writer) (int, error) {
	f := newFlags(m.name)
	m.flags(f)
	o, err := f.parse(args, stderr)
	if err != nil {
		return exitUsage, err
	}
	r, err := m.attend(ctx, o, stderr)
	if err != nil {
		return exitBad, err
	}
	write := r.writeTable
	if o.json {
		write = r.writeJSON
	}
	if err := write(stdout); err != nil || !r.good() {
		return exitBad, err
	}
	return exitGood, nil
}
