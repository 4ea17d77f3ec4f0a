package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"time"
)

// options of the mode fanout.
type options struct {
	addr     netip.AddrPort
	people   int
	senders  int
	window   int     // lines of a sender in flight; 0 in an open loop
	rate     float64 // lines a second of all senders together; 0 in a closed loop
	lines    int     // of all senders together; 0: until duration is over
	duration time.Duration
	bytes    int
	pid      int // of the server; 0: not known
	stall    time.Duration
	timeout  time.Duration
	json     bool
}

// Bounds of the flags.
const (
	mostPeople  = 10_000
	mostWindow  = 64 // what a session of the server takes before it refuses aloud
	mostLines   = 10_000_000
	longestTest = time.Hour
)

// parseFanout reads the flags. The error is a sentence; flag.ErrHelp says that help was asked for and given.
func parseFanout(args []string, stderr io.Writer) (*options, error) {
	var o options
	f := flag.NewFlagSet("sshload fanout", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	addr := f.String("addr", "127.0.0.1:2222", "`HOST:PORT` of the SSH door")
	owned := f.Bool("i-own-this-server", false, "go beyond the loopback")
	f.IntVar(&o.people, "people", 100, "how many are in the room")
	f.IntVar(&o.senders, "senders", 10, "how many of them say something")
	f.IntVar(&o.window, "window", 8, "closed loop: `LINES` that a sender keeps in flight, each until everybody has it")
	f.Float64Var(&o.rate, "rate", 0, "open loop instead: `LINES` a second from all senders together, on a clock")
	f.IntVar(&o.lines, "lines", 0, "stop after so many lines from all senders together")
	f.DurationVar(&o.duration, "duration", 10*time.Second, "stop saying lines after this time")
	f.IntVar(&o.bytes, "bytes", 100, "length of a line")
	f.IntVar(&o.pid, "pid", 0, "process of the server, for its processor time and memory (default: found by its port on the loopback)")
	f.DurationVar(&o.stall, "stall", 10*time.Second, "give up once nothing has arrived anywhere for so long")
	f.DurationVar(&o.timeout, "timeout", 5*time.Minute, "give up after so long, logins and all")
	f.BoolVar(&o.json, "json", false, "print the figures as JSON")
	err := f.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		f.SetOutput(stderr)
		f.Usage()
		return nil, err
	}
	if err == nil && f.NArg() > 0 {
		err = fmt.Errorf("fanout takes flags only, not %q", f.Arg(0))
	}
	if err != nil {
		return nil, err
	}
	set := map[string]bool{}
	f.Visit(func(f *flag.Flag) { set[f.Name] = true })
	if set["rate"] && set["window"] {
		return nil, errors.New("--window is for a closed loop and --rate for an open one: give one of them")
	}
	if set["lines"] && set["duration"] {
		return nil, errors.New("--lines and --duration both say when to stop: give one of them")
	}
	if set["rate"] {
		o.window = 0
	}
	if set["lines"] {
		o.duration = 0
	}
	if err := o.check(set); err != nil {
		return nil, err
	}
	o.addr, err = parseAddr(*addr, *owned)
	return &o, err
}

// check holds the values against their bounds.
func (o *options) check(set map[string]bool) error {
	for _, v := range []struct {
		flag               string
		needed             bool
		value, least, most int
	}{
		{"people", true, o.people, 2, mostPeople},
		{"senders", true, o.senders, 1, o.people},
		{"window", !set["rate"], o.window, 1, mostWindow},
		{"lines", set["lines"], o.lines, o.senders, mostLines},
		{"bytes", true, o.bytes, shortestLine, longestLine},
		{"pid", set["pid"], o.pid, 1, 1 << 30},
	} {
		if v.needed && (v.value < v.least || v.value > v.most) {
			return fmt.Errorf("--%s is %d; it must be from %d to %d", v.flag, v.value, v.least, v.most)
		}
	}
	if set["rate"] && !(o.rate >= 0.1 && o.rate <= 1e6) { // so that NaN is refused too
		return fmt.Errorf("--rate is %v; it must be from 0.1 to 1000000", o.rate)
	}
	for _, v := range []struct {
		flag   string
		needed bool
		value  time.Duration
	}{{"duration", !set["lines"], o.duration}, {"stall", true, o.stall}, {"timeout", true, o.timeout}} {
		if v.needed && (v.value < 100*time.Millisecond || v.value > longestTest) {
			return fmt.Errorf("--%s is %v; it must be from 100ms to %v", v.flag, v.value, longestTest)
		}
	}
	return nil
}

// parseAddr reads where the server is. Names are not resolved, but for localhost: what a name stands for is somebody else's
// choice, and a load test must not hit a stranger.
func parseAddr(s string, owned bool) (netip.AddrPort, error) {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("--addr: %w", err)
	}
	if strings.EqualFold(host, "localhost") {
		host = "127.0.0.1"
	}
	at, err := netip.ParseAddrPort(net.JoinHostPort(host, port))
	switch {
	case err != nil:
		return at, fmt.Errorf("--addr: %q is no address and port, such as 127.0.0.1:2222 (names are not looked up)", s)
	case !at.Addr().Unmap().IsLoopback() && !owned:
		return at, fmt.Errorf("--addr: %v is not on the loopback; --i-own-this-server says that you may flood it", at.Addr())
	case at.Port() == 0:
		return at, errors.New("--addr: port 0 is no port")
	}
	return at, nil
}
