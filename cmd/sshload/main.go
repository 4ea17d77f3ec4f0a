package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// Exit statuses.
const (
	exitGood  = 0
	exitBad   = 1 // something was lost, doubled, damaged, out of order or cut off, or the run did not come about
	exitUsage = 2
)

const usage = `usage: sshload MODE [FLAGS]

modes:
  fanout   people in one room: what each of them gets to see of what some of them say

sshload MODE --help lists the flags.
`

func main() {
	ctx, restore := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	status := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	restore()
	os.Exit(status)
}

// run is the program: figures go to stdout, everything else to stderr.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		_, _ = io.WriteString(stderr, usage)
		return exitUsage
	}
	switch args[0] {
	case "fanout":
		return runFanout(ctx, args[1:], stdout, stderr)
	case "help", "-h", "--help":
		_, _ = io.WriteString(stdout, usage)
		return exitGood
	}
	_, _ = fmt.Fprintf(stderr, "sshload: there is no mode %q\n%s", args[0], usage)
	return exitUsage
}

// runFanout is the mode fanout.
func runFanout(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parseFanout(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitGood
	case err != nil:
		_, _ = fmt.Fprintln(stderr, "sshload:", err)
		return exitUsage
	}
	r, err := fanout(ctx, o, stderr)
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "sshload:", err)
		return exitBad
	}
	write := r.writeTable
	if o.json {
		write = r.writeJSON
	}
	if err := write(stdout); err != nil {
		_, _ = fmt.Fprintln(stderr, "sshload:", err)
		return exitBad
	}
	if !r.good() {
		return exitBad
	}
	return exitGood
}
