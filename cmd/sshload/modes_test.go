package main

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"sarangbang/cmd/sshload/internal/floor"
)

// openFloor serves a floor for the time of a test.
func openFloor(t *testing.T, kind floor.Kind) (addr string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := floor.Serve(ctx, ln, kind); err != nil {
			t.Errorf("floor %s: %v", kind, err)
		}
	})
	t.Cleanup(func() {
		end()
		serving.Wait()
	})
	return ln.Addr().String()
}

func TestTheFloorsDeliverAll(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind  floor.Kind
		flags string
	}{
		{floor.SSHGather, "--window 8"},
		{floor.SSHGather, "--rate 400"},
		{floor.SSHGather, "--door pipe --window 8"},
		{floor.SSHGather, "--window 2 --bytes 4096"},
		{floor.SSHLines, "--window 8"},
		{floor.SSHLines, "--door pipe --rate 400"},
		{floor.TCPGather, "--door tcp-lines --window 8"},
		{floor.TCPGather, "--door tcp-lines --window 2 --bytes 1000"},
		{floor.TCPLines, "--door tcp-lines --rate 400"},
		{floor.TCPLines, "--door tcp"},
		{floor.TCPLines, "--door tcp --bytes 1000"},
	} {
		t.Run(string(c.kind)+" "+c.flags, func(t *testing.T) {
			t.Parallel()
			const people, lines = 6, 200
			status, r := attend(t, "fanout", openFloor(t, c.kind), "--people 6 --senders 3 --lines 200 "+c.flags)
			if status != exitGood || r.Faults != (totals{}) || r.Stalled || r.Lines != lines || r.Deliveries != people*lines {
				t.Errorf("exit status %d, %d lines, %d deliveries, faults %+v, stalled %v, want all", status, r.Lines, r.Deliveries, r.Faults, r.Stalled)
			}
		})
	}
}

func TestPeopleWhoSayNothing(t *testing.T) {
	t.Parallel()
	house := func(t *testing.T) string { t.Helper(); return openHouse(t, nil).addr }
	on := func(kind floor.Kind) func(t *testing.T) string {
		return func(t *testing.T) string { t.Helper(); return openFloor(t, kind) }
	}
	for _, c := range []struct {
		name, mode, flags string
		server            func(t *testing.T) string
	}{
		{"log in", "connect", "", house},
		{"log in on the floor", "connect", "", on(floor.Login)},
		{"join", "join", "", house},
		{"join on the floor", "join", "", on(floor.SSHLines)},
		{"join by TCP", "join", "--door tcp", on(floor.TCPLines)},
		{"are silent", "idle", "--duration 200ms", on(floor.Terminal)},
		{"are silent until one says something", "idle", "--duration 200ms --line", house},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			status, r := attend(t, c.mode, c.server(t), "--people 8 "+c.flags)
			if status != exitGood || r.Faults != (totals{}) || r.Mode != c.mode || r.People != 8 {
				t.Errorf("exit status %d, mode %q, %d people, faults %+v, want 8 without", status, r.Mode, r.People, r.Faulty)
			}
			if l := r.Latency; l.P50 <= 0 || l.P50 > l.P99 || r.Seconds <= 0 || r.Server == nil {
				t.Errorf("latency %+v, %v s, server %+v, want figures", l, r.Seconds, r.Server)
			}
			if said := strings.Contains(c.flags, "--line"); said != (r.LineToAll > 0) {
				t.Errorf("a line reached all in %v s, want one: %v", r.LineToAll, said)
			}
		})
	}
}

// What visitors left behind is not what the next ones need.
func TestAServerThatHadVisitorsIsWarm(t *testing.T) {
	t.Parallel()
	addr := openHouse(t, nil).addr
	for openProcfs().visited(netip.MustParseAddrPort(addr).Port()) { // a house of an earlier test had the port
		addr = openHouse(t, nil).addr
	}
	for _, want := range []bool{false, true} {
		if _, r := attend(t, "idle", addr, "--people 2 --duration 200ms"); r.Server == nil || r.Server.Warm != want {
			t.Errorf("server = %+v, %q, want warm: %v", r.Server, r.Unknown, want)
		}
		conn, err := net.Dial("tcp", addr) // somebody who is still there
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	var b strings.Builder
	r := &report{Mode: "idle", Server: &serverCost{Warm: true}}
	if err := r.writeTable(&b); err != nil || !strings.Contains(b.String(), "its base was warm") {
		t.Errorf("table = %q, %v, want that the base was warm", b.String(), err)
	}
}

func TestACutWhileNobodySpeaks(t *testing.T) {
	t.Parallel()
	h := newHouse(t, &house{deadline: true})
	status, r := attend(t, "idle", h.addr, "--people 4 --duration 1s")
	if status != exitBad || r.Faults.Cut != 4 || len(r.Faulty) != 4 {
		t.Errorf("exit status %d, faults %+v, want %d and all cut off", status, r.Faults, exitBad)
	}
}

// Each reader of a good house gets everything whatever another does.
func TestAStuckReaderInAGoodHouse(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"channel", "socket"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			status, r := attend(t, "slow", openHouse(t, nil).addr, "--people 4 --senders 2 --rate 100 --duration 1500ms --how "+how)
			if status != exitGood || r.Faults != (totals{}) || len(r.Phases) != phases || len(r.Stuck) != 1 {
				t.Fatalf("exit status %d, faults %+v, phases %+v, stuck %+v, want none, three and one", status, r.Faults, r.Phases, r.Stuck)
			}
			if s := r.Stuck[0]; !s.CaughtUp || s.Lost > 0 || s.Cut != "" || !strings.HasSuffix(s.Nick, "-00003") || s.Offered == 0 {
				t.Errorf("stuck = %+v, want the last person, who caught up", s)
			}
			if r.Deliveries != 3*r.Lines {
				t.Errorf("%d deliveries of %d lines, want those of the three who read", r.Deliveries, r.Lines)
			}
		})
	}
}

func TestAStuckReaderFreezesABadHouse(t *testing.T) {
	t.Parallel()
	h := newHouse(t, &house{narrow: true})
	status, r := attend(t, "slow", h.addr, "--people 4 --senders 2 --rate 200 --bytes 440 --duration 4500ms --how socket")
	if len(r.Phases) != phases {
		t.Fatalf("exit status %d, phases %+v, want %d", status, r.Phases, phases)
	}
	if got := r.Phases[1].Latency.Max; got < 500 {
		t.Errorf("others waited for %v ms at most while one of them was stuck, want more than 500: %+v", got, r.Phases)
	}
}

func TestGuestsComeAndGo(t *testing.T) {
	t.Parallel()
	h := openHouse(t, nil)
	status, r := attend(t, "churn", h.addr, "--people 4 --senders 2 --rate 50 --guests 3 --stay 100ms --duration 1s")
	if status != exitGood || r.Faults != (totals{}) || r.Guests == nil || r.Guests.Came == 0 || r.Guests.Failed > 0 {
		t.Errorf("exit status %d, faults %+v, guests %+v, want %d and guests without", status, r.Faults, r.Guests, exitGood)
	}
	if r.Deliveries != 4*r.Lines {
		t.Errorf("%d deliveries of %d lines, want those of the four who stay", r.Deliveries, r.Lines)
	}
}

func TestGuestsWhoAreNotLetIn(t *testing.T) {
	t.Parallel()
	h := newHouse(t, &house{room: 4})
	status, r := attend(t, "churn", h.addr, "--people 4 --senders 2 --rate 50 --guests 1 --stay 100ms --duration 1s")
	if status != exitBad || r.Faults != (totals{}) || r.Guests == nil || r.Guests.Came > 0 || r.Guests.Failed == 0 || r.Guests.Why == "" {
		t.Errorf("exit status %d, faults %+v, guests %+v, want %d and guests who fail", status, r.Faults, r.Guests, exitBad)
	}
}
