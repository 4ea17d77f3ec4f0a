package main

import (
	"errors"
	"flag"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// parseMode reads the flags of a mode.
func parseMode(t *testing.T, name string, args []string, stderr io.Writer) (*options, error) {
	t.Helper()
	for _, m := range modes {
		if m.name == name {
			f := newFlags(name)
			m.flags(f)
			return f.parse(args, stderr)
		}
	}
	t.Fatalf("there is no mode %q", name)
	return nil, nil
}

func TestFlags(t *testing.T) {
	usual := options{
		addr: netip.MustParseAddrPort("127.0.0.1:2222"), door: terminalDoor, people: 100, senders: 10, window: 8, duration: 10 * time.Second, bytes: 100,
		stall: 10 * time.Second, timeout: 5 * time.Minute,
	}
	with := func(change func(o *options)) options {
		o := usual
		change(&o)
		return o
	}
	for _, c := range []struct {
		args string
		want options
	}{
		{"", usual},
		{"--door tcp", with(func(o *options) { o.door, o.window = tcpDoor, 1 })},
		{"--door tcp-lines --bytes 1000", with(func(o *options) { o.door, o.bytes = tcpLinesDoor, 1000 })},
		{"--people 5", with(func(o *options) { o.people, o.senders = 5, 5 })},
		{"--lines 4", with(func(o *options) { o.lines, o.duration, o.senders = 4, 0, 4 })},
		{"--rate 90", with(func(o *options) { o.rate, o.window = 90, 0 })},
		{"--lines 2000", with(func(o *options) { o.lines, o.duration = 2000, 0 })},
		{"--addr localhost:22 --json --pid 7", with(func(o *options) {
			o.addr, o.json, o.pid = netip.MustParseAddrPort("127.0.0.1:22"), true, 7
		})},
		{"--addr [::1]:22 --people 2 --senders 2", with(func(o *options) {
			o.addr, o.people, o.senders = netip.MustParseAddrPort("[::1]:22"), 2, 2
		})},
		{"--addr 192.0.2.1:22 --i-own-this-server", with(func(o *options) { o.addr = netip.MustParseAddrPort("192.0.2.1:22") })},
	} {
		got, err := parseMode(t, "fanout", strings.Fields(c.args), nil)
		if err != nil || *got != c.want {
			t.Errorf("fanout(%q) = %+v, %v, want %+v", c.args, got, err, c.want)
		}
	}
}

func TestLongLinesAreAsLongAsTheDoorTakes(t *testing.T) {
	for args, want := range map[string]int{
		"": longestLine, "--door pipe": longestLine, "--door tcp": longestTCPLine, "--door tcp-lines": longestTCPLine, "--bytes 1024": 1024,
	} {
		if o, err := parseMode(t, "long", strings.Fields(args), nil); err != nil || o.bytes != want {
			t.Errorf("long(%q) = %+v, %v, want lines of %d bytes", args, o, err, want)
		}
	}
}

func TestAllTalkWhoAreNotStuckIfTheyAreFew(t *testing.T) {
	if o, err := parseMode(t, "slow", strings.Fields("--people 6 --stuck 2"), nil); err != nil || o.senders != 4 {
		t.Errorf("slow --people 6 --stuck 2: %+v, %v, want 4 senders", o, err)
	}
}

func TestFlagsThatCannotBe(t *testing.T) {
	for args, want := range map[string]string{
		"--addr 192.0.2.1:22":          "not on the loopback; --i-own-this-server",
		"--addr [::ffff:192.0.2.1]:22": "not on the loopback",
		"--addr 0.0.0.0:22":            "not on the loopback",
		"--addr example.org:22":        "names are not looked up",
		"--addr 127.0.0.1":             "missing port",
		"--addr 127.0.0.1:0":           "port 0",
		"--addr 127.0.0.1:99999":       "no address and port",
		"--people 1":                   "--people is 1",
		"--people 5 --senders 6":       "--senders is 6; it must be from 1 to 5",
		"--senders 0":                  "--senders is 0",
		"--lines 0":                    "--lines is 0",
		"--people 100000":              "--people is 100000",
		"--window 0":                   "--window is 0",
		"--window 65":                  "it must be from 1 to 64",
		"--rate 0":                     "--rate is 0",
		"--rate NaN":                   "--rate is NaN",
		"--rate 9 --window 2":          "give one of them",
		"--lines 9 --senders 10":       "--lines is 9",
		"--lines 90 --duration 3s":     "give one of them",
		"--duration 0s":                "--duration is 0s",
		"--timeout 2h":                 "--timeout is 2h0m0s",
		"--bytes 20":                   "--bytes is 20",
		"--bytes 5000":                 "it must be from 48 to 4096",
		"--door tcp --bytes 1001":      "--bytes is 1001; it must be from 48 to 1000",
		"--door tcp --window 2":        "it must be from 1 to 1",
		"--door window":                "it must be one of [terminal pipe tcp tcp-lines]",
		"--pid 0":                      "--pid is 0",
		"--unheard-of":                 "not defined",
		"--people 10 now":              `not "now"`,
		"--stall 1ms":                  "--stall is 1ms",
	} {
		if _, err := parseMode(t, "fanout", strings.Fields(args), nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("fanout(%q) = %v, want an error with %q", args, err, want)
		}
	}
}

func TestHelp(t *testing.T) {
	var help strings.Builder
	if _, err := parseMode(t, "fanout", []string{"--help"}, &help); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("error = %v, want %v", err, flag.ErrHelp)
	}
	if !strings.Contains(help.String(), "i-own-this-server") {
		t.Errorf("help = %q, want all flags", help.String())
	}
	for _, c := range []struct {
		args []string
		want int
	}{{nil, exitUsage}, {[]string{"dance"}, exitUsage}, {[]string{"help"}, exitGood}, {[]string{"fanout", "--people", "x"}, exitUsage}} {
		var out, problems strings.Builder
		if got := run(t.Context(), c.args, &out, &problems); got != c.want {
			t.Errorf("run(%q) = %d, want %d", c.args, got, c.want)
		}
		if (out.Len() > 0) != (c.want == exitGood) || (problems.Len() > 0) != (c.want != exitGood) {
			t.Errorf("run(%q): stdout %q, stderr %q", c.args, out.String(), problems.String())
		}
	}
}
