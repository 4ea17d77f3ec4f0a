package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// options of a mode. Those that a mode has no flag for stay zero.
type options struct {
	addr     netip.AddrPort
	door     door
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

	stuck  int           // people who stop reading for a while
	socket bool          // they stop reading the socket, and not only what the SSH library has read
	guests int           // people who come and go, so many at once
	stay   time.Duration // for this long
	lineTo bool          // at the end one line is said to all
}

// Bounds of the flags.
const (
	mostPeople  = 10_000
	mostWindow  = 64 // what a session of the server takes before it refuses aloud
	mostLines   = 10_000_000
	longestTest = time.Hour
)

// flags reads the flags of a mode and holds their bounds.
type flags struct {
	*flag.FlagSet
	o      *options
	checks []func() error
	set    map[string]bool // those that were given
}

// number is a flag from least to most.
func (f *flags) number(p *int, name string, usual, least, most int, what string) {
	f.IntVar(p, name, usual, what)
	f.checks = append(f.checks, func() error {
		if *p < least || *p > most {
			return fmt.Errorf("--%s is %d; it must be from %d to %d", name, *p, least, most)
		}
		return nil
	})
}

// optional is a flag that has no value unless it is given.
func (f *flags) optional(p *int, name string, least, most int, what string) {
	f.IntVar(p, name, 0, what)
	f.checks = append(f.checks, func() error {
		if f.set[name] && (*p < least || *p > most) {
			return fmt.Errorf("--%s is %d; it must be from %d to %d", name, *p, least, most)
		}
		return nil
	})
}

func (f *flags) float(p *float64, name string, usual, least, most float64, what string) {
	f.Float64Var(p, name, usual, what)
	f.checks = append(f.checks, func() error {
		if (f.set[name] || usual != 0) && (math.IsNaN(*p) || *p < least || *p > most) {
			return fmt.Errorf("--%s is %v; it must be from %v to %.0f", name, *p, least, most)
		}
		return nil
	})
}

func (f *flags) span(p *time.Duration, name string, usual time.Duration, what string) {
	const least = 100 * time.Millisecond
	f.DurationVar(p, name, usual, what)
	f.checks = append(f.checks, func() error {
		if *p < least || *p > longestTest {
			return fmt.Errorf("--%s is %v; it must be from %v to %v", name, *p, least, longestTest)
		}
		return nil
	})
}

// newFlags has the flags that all modes have.
func newFlags(mode string) *flags {
	f := &flags{FlagSet: flag.NewFlagSet("sshload "+mode, flag.ContinueOnError), o: &options{}, set: map[string]bool{}}
	f.SetOutput(io.Discard)
	o := f.o
	f.number(&o.people, "people", 100, 1, mostPeople, "how many come")
	f.optional(&o.pid, "pid", 1, 1<<30, "process of the server, for its processor time and memory (default: found by its port on the loopback)")
	f.span(&o.timeout, "timeout", 5*time.Minute, "give up after so long, logins and all")
	f.BoolVar(&o.json, "json", false, "print the figures as JSON")
	return f
}

// talk has the flags of modes in which something is said.
func (f *flags) talk(senders, bytes int) {
	f.number(&f.o.senders, "senders", senders, 1, mostPeople, "how many of them say something; by default no more than there are")
	f.number(&f.o.bytes, "bytes", bytes, shortestLine, longestLine, "length of a line; by default no more than the door takes")
	f.span(&f.o.stall, "stall", 10*time.Second, "give up once nothing has arrived anywhere for so long")
}

// closedLoop has the flag of closed loops.
func (f *flags) closedLoop() {
	f.IntVar(&f.o.window, "window", 8, "closed loop: `LINES` that a sender keeps in flight, each until everybody has it")
}

// openLoop has the flag of open loops. Zero is none.
func (f *flags) openLoop(usual float64) {
	f.float(&f.o.rate, "rate", usual, 0.1, 1e6, "open loop: `LINES` a second from all senders together, on a clock")
}

// parse reads the flags. The error is a sentence; flag.ErrHelp says that help was asked for and given.
func (f *flags) parse(args []string, stderr io.Writer) (*options, error) {
	addr := f.String("addr", "127.0.0.1:2222", "`HOST:PORT` of the door")
	owned := f.Bool("i-own-this-server", false, "go beyond the loopback")
	way := f.String("door", string(terminalDoor), fmt.Sprintf("how people come, one of %v", doors))
	err := f.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		f.SetOutput(stderr)
		f.Usage()
		return nil, err
	}
	if err == nil && f.NArg() > 0 {
		err = fmt.Errorf("%s takes flags only, not %q", strings.TrimPrefix(f.Name(), "sshload "), f.Arg(0))
	}
	if err != nil {
		return nil, err
	}
	f.Visit(func(g *flag.Flag) { f.set[g.Name] = true })
	for _, check := range f.checks {
		if err := check(); err != nil {
			return nil, err
		}
	}
	f.o.door = door(*way)
	if !slices.Contains(doors, f.o.door) {
		return nil, fmt.Errorf("--door is %q; it must be one of %v", *way, doors)
	}
	if err := f.agree(); err != nil {
		return nil, err
	}
	f.o.addr, err = parseAddr(*addr, *owned)
	return f.o, err
}

// agree holds the flags against each other.
func (f *flags) agree() error {
	o := f.o
	between := func(name string, value, least, most int) error {
		if value < least || value > most {
			return fmt.Errorf("--%s is %d; it must be from %d to %d", name, value, least, most)
		}
		return nil
	}
	if f.set["rate"] && f.set["window"] {
		return errors.New("--window is for a closed loop and --rate for an open one: give one of them")
	}
	if f.set["lines"] && f.set["duration"] {
		return errors.New("--lines and --duration both say when to stop: give one of them")
	}
	if f.set["lines"] {
		o.duration = 0
	}
	if !f.set["senders"] {
		o.senders = min(o.senders, o.people-o.stuck)
		if f.set["lines"] {
			o.senders = min(o.senders, max(o.lines, 1))
		}
	}
	if !f.set["bytes"] {
		o.bytes = min(o.bytes, o.door.longest())
	}
	if f.Lookup("senders") != nil {
		err := cmp.Or(
			between("people", o.people, 2, mostPeople),
			between("bytes", o.bytes, shortestLine, o.door.longest()),
			between("stuck", o.stuck, 0, o.people-1),
			between("senders", o.senders, 1, o.people-o.stuck),
		)
		if err != nil {
			return err
		}
	}
	if f.set["lines"] {
		if err := between("lines", o.lines, o.senders, mostLines); err != nil {
			return err
		}
	}
	switch {
	case o.rate > 0:
		o.window = 0
	case f.Lookup("window") == nil:
	case o.door == tcpDoor && !f.set["window"]:
		o.window = 1
	default:
		most := mostWindow
		if o.door == tcpDoor {
			most = 1 // what is sent at once would be one message there
		}
		return between("window", o.window, 1, most)
	}
	if o.stuck > 0 && !o.socket && !o.door.ssh() {
		return errors.New("--how channel is for the doors of SSH: elsewhere there is only the socket to stop reading")
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
