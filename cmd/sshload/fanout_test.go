package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// visit has people talk in a house, and returns the exit status and the figures.
func visit(t *testing.T, h *house, flags string) (int, report) {
	t.Helper()
	return attend(t, "fanout", h.addr, flags)
}

// attend runs a mode of the generator.
func attend(t *testing.T, mode, addr, flags string) (int, report) {
	t.Helper()
	var out, problems strings.Builder
	args := append([]string{mode, "--json", "--addr", addr, "--timeout", "1m"}, strings.Fields(flags)...)
	status := run(t.Context(), args, &out, &problems)
	if problems.Len() > 0 {
		t.Fatalf("stderr = %q, want nothing", problems.String())
	}
	var r report
	if err := json.Unmarshal([]byte(out.String()), &r); err != nil {
		t.Fatalf("%v in %s", err, out.String())
	}
	return status, r
}

func TestAGoodHouse(t *testing.T) {
	t.Parallel()
	for flags, want := range map[string]struct {
		lines int64
		loop  string
	}{
		"--people 6 --senders 3 --window 4 --lines 200":              {200, "closed"},
		"--people 3 --senders 3 --rate 400 --lines 100 --bytes 440":  {100, "open"},
		"--people 40 --senders 1 --window 1 --duration 300ms --json": {-1, "closed"},
	} {
		t.Run(flags, func(t *testing.T) {
			t.Parallel()
			status, r := visit(t, openHouse(t, nil), flags)
			if status != exitGood || r.Faults != (totals{}) || len(r.Faulty) > 0 || r.Stalled {
				t.Errorf("exit status %d, faults %+v of %+v, stalled %v, want none", status, r.Faults, r.Faulty, r.Stalled)
			}
			if want.lines >= 0 && r.Lines != want.lines || r.Lines == 0 || r.Deliveries != r.Lines*int64(r.People) || r.Loop != want.loop {
				t.Errorf("%d lines, %d deliveries, %s loop, want %+v", r.Lines, r.Deliveries, r.Loop, want)
			}
			if l := r.Latency; l.P50 <= 0 || l.P50 > l.P99 || l.P99 > l.Max {
				t.Errorf("latency = %+v, want it to rise", l)
			}
			if r.Server == nil || r.Server.RSSAfter == 0 {
				t.Errorf("server = %+v, %q, want this process", r.Server, r.Unknown)
			}
		})
	}
}

func TestAHouseWithFaults(t *testing.T) {
	t.Parallel()
	const victim = 1
	pass := func(row string) []string { return []string{row} }
	for name, c := range map[string]struct {
		spoil func() func(n int, row string) []string // for one house
		want  totals
		loops []string
	}{
		"lost": {func() func(int, string) []string {
			return func(n int, row string) []string {
				if n == 10 {
					return nil
				}
				return pass(row)
			}
		}, totals{Lost: 1}, []string{"--window 4 --stall 2s"}},
		"doubled": {func() func(int, string) []string {
			var last string
			return func(n int, row string) []string {
				switch n {
				case 40:
					last = row
				case 41: // the probe after the run: the second copy comes when everybody has everything
					return []string{last, row}
				}
				return pass(row)
			}
		}, totals{Doubled: 1}, []string{"--window 4", "--rate 400"}},
		"out of order": {func() func(int, string) []string {
			var held string
			return func(n int, row string) []string {
				switch n {
				case 10:
					held = row
					return nil
				case 11:
					return []string{row, held}
				}
				return pass(row)
			}
		}, totals{OutOfOrder: 1}, []string{"--window 4", "--rate 400"}},
		"damaged": {func() func(int, string) []string {
			return func(n int, row string) []string {
				if n == 10 {
					row = strings.Replace(row, "the quick", "the sick", 1)
				}
				return pass(row)
			}
		}, totals{Lost: 1, Damaged: 1}, []string{"--rate 400 --stall 2s"}},
		"stalled": {func() func(int, string) []string {
			return func(n int, row string) []string {
				if n > 10 {
					return nil
				}
				return pass(row)
			}
		}, totals{Lost: 30}, []string{"--rate 400 --stall 2s"}},
	} {
		for _, loop := range c.loops {
			t.Run(name+" "+loop, func(t *testing.T) {
				t.Parallel()
				spoil := c.spoil()
				h := openHouse(t, func(person, n int, row string) ([]string, bool) {
					if person != victim {
						return pass(row), false
					}
					return spoil(n, row), false
				})
				stall := strings.Contains(loop, "stall")
				status, r := visit(t, h, "--people 4 --senders 2 --lines 40 "+loop)
				if status != exitBad || r.Faults != c.want || r.Stalled != stall {
					t.Errorf("exit status %d, faults %+v, stalled %v, want %d, %+v, %v", status, r.Faults, r.Stalled, exitBad, c.want, stall)
				}
				if len(r.Faulty) != 1 || !strings.HasSuffix(r.Faulty[0].Nick, "-00001") {
					t.Errorf("faulty = %+v, want person %d alone", r.Faulty, victim)
				}
			})
		}
	}
}

func TestAStalledHouse(t *testing.T) {
	t.Parallel()
	h := openHouse(t, func(_, n int, row string) ([]string, bool) {
		if n > 10 {
			return nil, false
		}
		return []string{row}, false
	})
	status, r := visit(t, h, "--people 4 --senders 2 --window 4 --duration 1m --stall 2s")
	if status != exitBad || !r.Stalled || r.Faults.Lost != 4*8 || r.Seconds > 30 {
		t.Errorf("exit status %d, stalled %v after %.1f s, faults %+v, want a stall, and both windows lost", status, r.Stalled, r.Seconds, r.Faults)
	}
}

func TestACutConnection(t *testing.T) {
	t.Parallel()
	h := openHouse(t, func(person, n int, row string) ([]string, bool) { return []string{row}, person == 2 && n == 10 })
	status, r := visit(t, h, "--people 4 --senders 2 --rate 400 --lines 40 --stall 2s")
	if status != exitBad || r.Faults.Cut != 1 || r.Faults.Lost == 0 || len(r.Faulty) != 1 || r.Faulty[0].Cut == "" {
		t.Errorf("exit status %d, faults %+v of %+v, want one person cut off", status, r.Faults, r.Faulty)
	}
}

// Who waits for somebody to be left waits for nothing.
func TestEverybodyIsCutOff(t *testing.T) {
	t.Parallel()
	h := openHouse(t, func(_, n int, row string) ([]string, bool) { return []string{row}, n == 10 })
	for _, loop := range []string{"--rate 400", "--window 4"} {
		start := time.Now()
		status, r := visit(t, h, "--people 4 --senders 2 --duration 50s --stall 50s "+loop)
		if status != exitBad || !r.Stalled || r.Faults.Cut != 4 {
			t.Errorf("exit status %d, stalled %v, faults %+v, want %d and all four cut off", status, r.Stalled, r.Faults, exitBad)
		}
		if took := time.Since(start); took > 30*time.Second {
			t.Errorf("the run ended after %v, want at once", took)
		}
	}
}

// Of a process that is gone there are no figures, and none of what is missing.
func TestAServerThatEndsDuringTheRun(t *testing.T) {
	for name, end := range map[string]func(files fstest.MapFS){
		"gone":           func(files fstest.MapFS) { delete(files, "70/stat"); delete(files, "70/status") },
		"not waited for": func(files fstest.MapFS) { files["70/status"] = &fstest.MapFile{Data: []byte("State:\tZ (zombie)\n")} },
	} {
		t.Run(name, func(t *testing.T) {
			files := testProc()
			m := &meter{proc: procfs{files}, server: 70}
			c := &crowd{options: &options{}, meter: m}
			from := m.read()
			end(files)
			to := m.read()
			to.machine.total += 10 * time.Second
			to.machine.busy += 5 * time.Second
			r := &report{Loop: "open", Deliveries: 1000}
			r.addCosts(c, from, to)
			var b strings.Builder
			if err := r.writeTable(&b); err != nil || r.Server != nil || !strings.Contains(b.String(), "server CPU   not known: it ended during the run\n") {
				t.Errorf("server %+v, %v:\n%s\nwant that it ended", r.Server, err, b.String())
			}
			if got := r.Machine.OthersPercent; got > 50 {
				t.Errorf("others used %v %%, want at most all that was used", got)
			}
		})
	}
}

func TestARunThatDoesNotComeAbout(t *testing.T) {
	t.Parallel()
	h := openHouse(t, nil)
	over, end := context.WithCancel(t.Context())
	end()
	for name, c := range map[string]struct {
		ctx   context.Context
		flags string
		want  string
	}{
		"nobody listens": {t.Context(), "--addr 127.0.0.1:1 --pid 1", "sshload: nothing listens at 127.0.0.1:1: person "},
		"no such server": {t.Context(), "--pid 1073741824", "--pid: there is no process 1073741824"},
		"interrupted":    {over, "", "canceled"},
		"out of time":    {t.Context(), "--window 1 --duration 1m --timeout 1s", errTimeout.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out, problems strings.Builder
			args := append([]string{"fanout", "--addr", h.addr, "--people", "3", "--senders", "1"}, strings.Fields(c.flags)...)
			start := time.Now()
			status := run(c.ctx, args, &out, &problems)
			if status != exitBad || out.Len() > 0 || !strings.Contains(problems.String(), c.want) {
				t.Errorf("exit status %d, stdout %q, stderr %q, want %d and %q", status, out.String(), problems.String(), exitBad, c.want)
			}
			if took := time.Since(start); took > 30*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

func TestTheTable(t *testing.T) {
	r := &report{
		Addr: "127.0.0.1:2222", Loop: "open", Rate: 90, People: 100, Senders: 10, Bytes: 100, Lines: 900, Deliveries: 89_990, Seconds: 10,
		Stalled: true, Faults: totals{Lost: 10}, Latency: latency{1.5, 15.25, 30},
		Server:  &serverCost{PID: 7, CPUSeconds: 0.25, PerDelivery: 2.78, RSSBefore: 1 << 20, RSSAfter: 2 << 20, RSSPeak: 3 << 20},
		Machine: machineDetails{Processors: 2, OthersPercent: 12.4, Load: 1.25},
	}
	for i := range faultyShown + 2 {
		r.Faulty = append(r.Faulty, fault{fmt.Sprintf("nick%d", i), faults{Lost: 1, Cut: "reset"}})
	}
	var b strings.Builder
	if err := r.writeTable(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"open loop, 90 lines/s", "900 in 10.0 s, 90/s", "89,990, 8,999/s", "10 lost, 0 doubled", "given up", "nick9: 1 lost", "cut off: reset",
		"and 2 more people", "p50 1.5 ms, p99 15.2 ms, max 30.0 ms", "2.78 µs", "too little", "1.0 MiB, then 2.0 MiB", "load 1.25",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("table lacks %q:\n%s", want, b.String())
		}
	}
	if strings.Contains(b.String(), "nick10") {
		t.Errorf("table lists more than %d people:\n%s", faultyShown, b.String())
	}
	r.Server, r.Unknown = nil, "it runs elsewhere"
	b.Reset()
	if err := r.writeTable(&b); err != nil || !strings.Contains(b.String(), "not known: it runs elsewhere") {
		t.Errorf("table = %q, %v, want why the cost is not known", b.String(), err)
	}
}

func TestGrouped(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000", -100: "-100"} {
		if got := grouped(n); got != want {
			t.Errorf("grouped(%d) = %q, want %q", n, got, want)
		}
	}
}
