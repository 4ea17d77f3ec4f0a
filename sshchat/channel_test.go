package sshchat

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	gossh "golang.org/x/crypto/ssh"

	"sarangbang/internal/session"
	"sarangbang/internal/testkit"
)

func TestOnePacketWithAnOverflowingLengthEndsNothing(t *testing.T) {
	d := open(t, nil)
	x := d.session(t, d.login(t, guest("mallory")))
	for _, payload := range [][]byte{
		{0xff, 0xff, 0xff, 0xfc},
		append([]byte{0xff, 0xff, 0xff, 0xfc}, make([]byte, 40)...),
		{0, 0, 0, 5, 'x', 't', 'e', 'r', 'm'},
		{},
	} {
		if ok, err := x.SendRequest("pty-req", true, payload); ok || err != nil {
			t.Errorf("pty-req %x = %v, %v, want it refused", payload, ok, err)
		}
	}
	if err := x.RequestPty("xterm", 24, 80, nil); err != nil {
		t.Fatalf("a proper pty-req after that: %v", err)
	}
	if err := x.Shell(); err != nil {
		t.Fatal(err)
	}
	x.out.await(t, "hello mallory")
}

func TestMalformedRequestsAreRefused(t *testing.T) {
	d := open(t, nil)
	x := d.session(t, d.login(t, guest("mallory")))
	long := gossh.Marshal(struct{ S string }{strings.Repeat("x", 4097)})
	for _, r := range []struct {
		kind    string
		payload []byte
	}{
		{"exec", nil},
		{"exec", []byte{0xff, 0xff, 0xff, 0xff, 'x'}},
		{"exec", long},
		{"shell", long},
		{"env", []byte{0, 0, 0, 9, 'L'}},
		{"window-change", []byte{1, 2, 3}},
		{"signal", []byte{0, 0, 1, 0}},
		{"pty-req", gossh.Marshal(struct {
			Term       string
			C, R, W, H uint32
			Modes      string
		}{strings.Repeat("x", 65), 80, 24, 0, 0, ""})},
	} {
		if ok, err := x.SendRequest(r.kind, true, r.payload); ok || err != nil {
			t.Errorf("%s with %d bytes = %v, %v, want it refused", r.kind, len(r.payload), ok, err)
		}
	}
	if err := x.Shell(); err != nil {
		t.Errorf("shell after all that: %v", err)
	}
	if ok, _ := x.SendRequest("shell", true, nil); ok {
		t.Error("a second shell was accepted")
	}
	if ok, _ := x.SendRequest("env", true, gossh.Marshal(struct{ N, V string }{"LANG", "ko_KR.UTF-8"})); ok {
		t.Error("a variable was accepted after the start")
	}
}

func TestWhatIsNotServedIsRefused(t *testing.T) {
	d := open(t, func(o *setup) { o.lim.RequestsPerSecond = 200 })
	c := d.login(t, guest("mallory"))
	x := d.session(t, c)
	for _, kind := range []string{"subsystem", "auth-agent-req@openssh.com", "x11-req", "break", "eow@openssh.com", "xon-xoff"} {
		if ok, err := x.SendRequest(kind, true, gossh.Marshal(struct{ S string }{"sftp"})); ok || err != nil {
			t.Errorf("channel request %s = %v, %v, want it refused", kind, ok, err)
		}
	}
	for _, kind := range []string{"tcpip-forward", "streamlocal-forward@openssh.com", "keepalive@openssh.com", "hostkeys-prove-00@openssh.com"} {
		if ok, _, err := c.SendRequest(kind, true, gossh.Marshal(struct {
			Addr string
			Port uint32
		}{"0.0.0.0", 8080})); ok || err != nil {
			t.Errorf("global request %s = %v, %v, want it refused", kind, ok, err)
		}
	}
	for _, kind := range []string{"direct-tcpip", "direct-streamlocal@openssh.com", "x11", "auth-agent@openssh.com", "forwarded-tcpip", "tun@openssh.com"} {
		_, _, err := c.OpenChannel(kind, nil)
		if want := "ssh: rejected: unknown channel type"; err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("channel %s: %v, want %q", kind, err, want)
		}
	}
	if err := x.Shell(); err != nil {
		t.Fatal(err)
	}
	x.out.await(t, "hello mallory")
}

func windowSize(columns, rows uint32) []byte {
	return gossh.Marshal(struct{ Columns, Rows, Width, Height uint32 }{columns, rows, 0, 0})
}

// columns reports each width that its console has. It is busy before it looks for the second one.
func columns(widths chan int, busy <-chan struct{}) func(context.Context, session.Visitor, session.Console) session.End {
	return func(ctx context.Context, _ session.Visitor, c session.Console) session.End {
		for {
			widths <- c.Columns()
			<-busy
			in, err := c.Next(ctx, session.Wait{})
			if err != nil || in.Kind == session.Leave {
				return session.End{}
			}
		}
	}
}

func TestWindowChangesNeverBlockAndTheNewestWins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		widths, busy := make(chan int, 1000), make(chan struct{})
		d := openInMemory(t, func(o *setup) { o.house.console = columns(widths, busy) })
		c := d.login(t, guest("mina"))
		x := d.session(t, c)
		if err := x.RequestPty("xterm", 24, 80, nil); err != nil {
			t.Fatal(err)
		}
		flood := func(last uint32) {
			t.Helper()
			for i := range uint32(100) {
				if _, err := x.SendRequest("window-change", false, windowSize(last-99+i, 30)); err != nil {
					t.Fatal(err)
				}
			}
			if _, _, err := c.SendRequest("keepalive@openssh.com", true, nil); err != nil {
				t.Fatalf("the connection is stuck: %v", err)
			}
		}
		flood(120)
		if err := x.Shell(); err != nil {
			t.Fatal(err)
		}
		if got := <-widths; got != 120 {
			t.Errorf("columns at the start = %d, want the newest, 120", got)
		}
		flood(240)
		close(busy)
		time.Sleep(time.Second)
		synctest.Wait()
		got := 0
		for len(widths) > 0 {
			got = <-widths
		}
		if got != 240 {
			t.Errorf("columns after the flood = %d, want the newest, 240", got)
		}
	})
}

func TestSizesAreMadeUsable(t *testing.T) {
	widths, busy := make(chan int, 10), make(chan struct{})
	close(busy)
	d := open(t, func(o *setup) { o.house.console = columns(widths, busy) })
	c := d.login(t, guest("mina"))
	for _, tc := range []struct{ columns, want int }{{0, 80}, {1, 12}, {100, 100}, {1<<32 - 1, 500}} {
		x := d.session(t, c)
		if err := x.RequestPty("xterm", 1<<32-1, tc.columns, nil); err != nil {
			t.Fatal(err)
		}
		if err := x.Shell(); err != nil {
			t.Fatal(err)
		}
		if got := <-widths; got != tc.want {
			t.Errorf("columns for %d = %d, want %d", tc.columns, got, tc.want)
		}
	}
}

func TestEnvironmentIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		visitors := make(chan session.Visitor, 1)
		d := openInMemory(t, func(o *setup) {
			o.house.console = func(_ context.Context, v session.Visitor, _ session.Console) session.End {
				visitors <- v
				return session.End{}
			}
		})
		x := d.session(t, d.login(t, guest("mina")))
		set := func(name, value string) bool {
			t.Helper()
			time.Sleep(20 * time.Millisecond) // below the rate of requests
			ok, err := x.SendRequest("env", true, gossh.Marshal(struct{ N, V string }{name, value}))
			if err != nil {
				t.Fatal(err)
			}
			return ok
		}
		for _, tc := range []struct {
			name string
			want bool
		}{
			{"LANG", true},
			{"LC_ALL", true},
			{"TZ", true},
			{"NO_COLOR", true},
			{"COLORTERM", true},
			{"TERM", true},
			{"SARANGBANG_THEME", true},
			{"PATH", false},
			{"LD_PRELOAD", false},
			{"", false},
			{"lang", false},
		} {
			if got := set(tc.name, "ko"); got != tc.want {
				t.Errorf("env %q accepted = %v, want %v", tc.name, got, tc.want)
			}
		}
		if set("LC_BIG", strings.Repeat("x", 4096)) {
			t.Error("a variable beyond env_bytes was accepted")
		}
		for i := range 100 {
			set(fmt.Sprintf("LC_%d", i), "x")
		}
		if err := x.Shell(); err != nil {
			t.Fatal(err)
		}
		v := <-visitors
		if len(v.Env) != 32 || v.Env["LANG"] != "ko" {
			t.Errorf("env = %d variables with LANG=%q, want 32 with LANG=ko", len(v.Env), v.Env["LANG"])
		}
	})
}

// A room that is refused is not forgotten: the session would take the silence for the lobby. The client's last word counts.
func TestARoomThatIsNotTakenIsRemembered(t *testing.T) {
	type variable struct{ N, V string }
	const room = "SARANGBANG_ROOM"
	long := strings.Repeat("x", 4096)
	for name, c := range map[string]struct {
		sent []variable
		lost bool
		room string
	}{
		"none asked for":            {[]variable{{"LC_ALL", long}}, false, ""},
		"short":                     {[]variable{{"LC_ALL", long}, {room, "dev"}}, false, "dev"},
		"long":                      {[]variable{{room, long}}, true, ""},
		"behind much else":          {[]variable{{"LC_ALL", long[:4080]}, {room, "dev"}}, true, ""},
		"behind too many":           {[]variable{{"TZ", "a"}, {"TERM", "a"}, {"LANG", "a"}, {room, "dev"}}, true, ""},
		"long, and what there is":   {[]variable{{room, long}, {"LANG", "ko"}}, true, ""},
		"long, then short":          {[]variable{{room, long}, {room, "dev"}}, false, "dev"},
		"short, then long":          {[]variable{{room, "dev"}, {room, long}}, true, ""},
		"another that begins alike": {[]variable{{room + "S", long}}, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			visitors := make(chan session.Visitor, 1)
			d := open(t, func(o *setup) {
				o.lim.EnvVars = 3
				o.house.console = func(_ context.Context, v session.Visitor, _ session.Console) session.End {
					visitors <- v
					return session.End{}
				}
			})
			x := d.session(t, d.login(t, guest("mina")))
			for _, v := range c.sent {
				if _, err := x.SendRequest("env", false, gossh.Marshal(v)); err != nil { // as OpenSSH does
					t.Fatal(err)
				}
			}
			if err := x.Shell(); err != nil {
				t.Fatal(err)
			}
			if v := <-visitors; v.RoomLost != c.lost || v.Env[room] != c.room {
				t.Errorf("room lost %t, %s=%.10q; want %t, %q", v.RoomLost, room, v.Env[room], c.lost, c.room)
			}
		})
	}
}

func TestEnvironmentFloodEndsItsConnectionAndCostsNoMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openInMemory(t, nil)
		c, err := d.tryLogin(t, guest("mallory"), func(nc net.Conn) net.Conn {
			nc.(*testkit.Conn).SetBuffer(testkit.DefaultBuffer)
			return nc
		})
		if err != nil {
			t.Fatal(err)
		}
		x := d.session(t, c)
		payload := gossh.Marshal(struct{ N, V string }{"LC_ALL", strings.Repeat("x", 200<<10)})
		before := heap()
		sent := 0
		for ; sent < 2000 && err == nil; sent++ {
			_, err = x.SendRequest("env", false, bytes.Clone(payload))
		}
		if err == nil {
			t.Errorf("%d variables of 200 KiB were taken, want the connection closed", sent)
		}
		synctest.Wait()
		if grown := heap() - before; grown > 4<<20 {
			t.Errorf("the heap grew by %d bytes, want less than 4 MiB", grown)
		}
		if got := d.Stats(); got.Connections != 0 || got.Refused["env"] == 0 {
			t.Errorf("stats = %+v, want no connection, and env among the refused", got)
		}
	})
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestFourOfAHundredChannels(t *testing.T) {
	d := open(t, nil)
	c := d.login(t, guest("mallory"))
	accepted := 0
	for range 4 + 49 {
		switch _, err := c.NewSession(); {
		case err == nil:
			accepted++
		case !strings.Contains(err.Error(), "sessions_per_connection"):
			t.Errorf("refused with %v, want sessions_per_connection", err)
		}
	}
	if accepted != 4 {
		t.Errorf("accepted channels = %d, want 4", accepted)
	}
	go c.NewSession() // the library's client never hears what became of the last one
	eventually(t, "the connection is closed", func() bool { return d.Stats().Connections == 0 })
	if got := d.Stats().Refused; got["sessions_per_connection"] != 50 || got["refused_channels"] != 1 {
		t.Errorf("refused = %v, want 50 sessions_per_connection, then refused_channels", got)
	}
}

func TestSessionOpensAreCountedByTheMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openInMemory(t, nil)
		c := d.login(t, guest("mina"))
		run := func() error {
			s, err := c.NewSession()
			if err != nil {
				return err
			}
			defer s.Close()
			return s.Run("who")
		}
		for i := range 20 {
			if err := run(); err != nil {
				t.Fatalf("command %d: %v", i+1, err)
			}
			synctest.Wait()
		}
		if err := run(); err == nil || !strings.Contains(err.Error(), "session_opens_per_minute") {
			t.Errorf("the 21st within a minute: %v, want it refused for session_opens_per_minute", err)
		}
		time.Sleep(3 * time.Second)
		if err := run(); err != nil {
			t.Errorf("one 3 s later: %v", err)
		}
	})
}

func TestRequestFloodsEndTheConnection(t *testing.T) {
	for name, ask := range map[string]func(*gossh.Client, *client) error{
		"global":  func(c *gossh.Client, _ *client) error { _, _, err := c.SendRequest("x", false, nil); return err },
		"channel": func(_ *gossh.Client, x *client) error { _, err := x.SendRequest("x", false, nil); return err },
		"signal":  func(_ *gossh.Client, x *client) error { return x.Signal(gossh.SIGINT) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := openInMemory(t, nil)
				c := d.login(t, guest("mallory"))
				x := d.session(t, c)
				var err error
				asked := 0
				for ; err == nil && asked < 10000; asked++ {
					err = ask(c, x)
				}
				synctest.Wait() // all may have been on their way before the first was looked at
				if err = ask(c, x); err == nil || d.Stats().Connections != 0 {
					t.Errorf("after %d requests: %v, connections = %d, want an error and none", asked, err, d.Stats().Connections)
				}
			})
		})
	}
}

func TestSignals(t *testing.T) {
	d := open(t, nil)
	c := d.login(t, guest("mina"))
	for signal, want := range map[gossh.Signal]string{gossh.SIGTERM: "bye: lost", gossh.SIGHUP: "bye: lost", gossh.SIGINT: "", gossh.SIGKILL: "", gossh.SIGUSR1: ""} {
		x := d.session(t, c)
		if err := x.Shell(); err != nil {
			t.Fatal(err)
		}
		x.out.await(t, "hello mina")
		if err := x.Signal(signal); err != nil {
			t.Fatal(err)
		}
		status := 0
		if want == "" {
			x.say("still here")
			x.out.await(t, "said still here")
			x.say("quit")
		} else {
			x.out.await(t, want)
			status = 1
		}
		if got := x.status(); got != status {
			t.Errorf("exit status after %s = %d, want %d", signal, got, status)
		}
	}
}

func TestChannelWithoutASessionEndsItsConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openInMemory(t, nil)
		c := d.login(t, guest("mallory"))
		x := d.session(t, c)
		if err := x.Shell(); err != nil {
			t.Fatal(err)
		}
		if _, err := c.NewSession(); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		_ = c.Wait()
		if got := time.Since(start); got != 30*time.Second {
			t.Errorf("closed after %v, want 30s", got)
		}
	})
}
