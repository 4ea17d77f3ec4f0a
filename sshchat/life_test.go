package sshchat

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	gossh "golang.org/x/crypto/ssh"

	"sarangbang/internal/admission"
	"sarangbang/internal/session"
	"sarangbang/internal/testkit"
)

func TestTerminal(t *testing.T) {
	d := open(t, nil)
	own := newKey()
	x := d.session(t, d.login(t, holder("mina", own)))
	if err := x.RequestPty("xterm", 24, 200, nil); err != nil {
		t.Fatal(err)
	}
	if err := x.Shell(); err != nil {
		t.Fatal(err)
	}
	x.out.await(t, "hello mina key="+fingerprint(own)+"\r\n")
	io.WriteString(x.in, "abandoned\x03안녕\r")
	x.out.await(t, "said 안녕\r\n")
	io.WriteString(x.in, "\x04")
	if got := x.status(); got != 0 {
		t.Errorf("exit status after Ctrl-D = %d, want 0", got)
	}
	if got := x.out.String(); strings.Contains(got, "said abandoned") {
		t.Errorf("screen = %q, want the line that Ctrl-C cleared gone", got)
	}
}

func TestPanicInTheHouseEndsThatSessionOnly(t *testing.T) {
	d := open(t, func(o *setup) {
		o.house.console = func(ctx context.Context, v session.Visitor, c session.Console) session.End {
			if v.Env["LANG"] == "trap" {
				panic("trap")
			}
			return echo(ctx, v, c)
		}
		o.house.exec = func(context.Context, session.Visitor, string, io.Writer, io.Writer) int { panic("trap") }
	})
	c := d.login(t, guest("mina"))
	good := d.session(t, c)
	if err := good.Shell(); err != nil {
		t.Fatal(err)
	}
	good.out.await(t, "hello mina")
	for _, kind := range []string{"pipe", "terminal", "command"} {
		x := d.session(t, c)
		if err := x.Setenv("LANG", "trap"); err != nil {
			t.Fatal(err)
		}
		if kind == "terminal" {
			if err := x.RequestPty("xterm", 24, 80, nil); err != nil {
				t.Fatal(err)
			}
		}
		start := x.Shell
		if kind == "command" {
			start = func() error { return x.Start("who") }
		}
		if err := start(); err != nil {
			t.Fatal(err)
		}
		if got := x.status(); got != 1 {
			t.Errorf("exit status of a %s that panicked = %d, want 1", kind, got)
		}
	}
	good.say("still here")
	good.out.await(t, "said still here")
	if got := d.Stats(); got.Panics != 3 || got.Sessions != 1 {
		t.Errorf("stats = %+v, want 3 panics and 1 session", got)
	}
}

func TestSessionsOfOneKeyAndOneAddressAreCounted(t *testing.T) {
	own := newKey()
	for _, tc := range []struct {
		name   string
		change func(*setup)
		cfg    func() *gossh.ClientConfig
		fit    int
		want   string
	}{
		{"key", nil, func() *gossh.ClientConfig { return holder("mina", own) }, 8, "sorry: sessions_per_key 8\n"},
		{"address", func(o *setup) { o.lim.SessionsPerAddress = 10 }, func() *gossh.ClientConfig { return guest("mina") }, 10, "sorry: sessions_per_address 10\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := open(t, tc.change)
			var open []*client
			for range tc.fit {
				x := d.pipe(t, tc.cfg())
				x.out.await(t, "hello mina")
				open = append(open, x)
			}
			x := d.pipe(t, tc.cfg())
			if got := x.status(); got != 1 || x.err.String() != tc.want || x.out.String() != "" {
				t.Errorf("one more: exit status %d, stdout %q, stderr %q, want 1, nothing, %q", got, x.out, x.err, tc.want)
			}
			open[0].say("quit")
			if got := open[0].status(); got != 0 {
				t.Errorf("exit status = %d, want 0", got)
			}
			eventually(t, "a place is free", func() bool { return d.Stats().Sessions == tc.fit-1 })
			d.pipe(t, tc.cfg()).out.await(t, "hello mina")
		})
	}
	t.Run("exempt", func(t *testing.T) {
		d := open(t, func(o *setup) {
			o.lim.SessionsPerAddress, o.lim.SessionsPerKey = 1, 1
			o.gate.Exempt = exemptLoopback
		})
		for range 3 {
			d.pipe(t, holder("mina", own)).out.await(t, "hello mina")
		}
	})
}

func TestInputBeyondTheBudgetIsReadLater(t *testing.T) {
	for _, exempt := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			d := openInMemory(t, func(o *setup) {
				if exempt {
					o.gate.Exempt = exemptLoopback
				}
				o.house.console = func(ctx context.Context, _ session.Visitor, c session.Console) session.End {
					for {
						if _, err := c.Next(ctx, session.Wait{}); err != nil {
							return session.End{}
						}
					}
				}
			})
			x := d.pipe(t, guest("mina"))
			start := time.Now()
			line := strings.Repeat("x", 1023) + "\n"
			for range 2 << 10 { // 2 MiB: the burst, and 24 seconds' worth
				io.WriteString(x.in, line)
			}
			x.in.Close()
			if got := x.status(); got != 0 {
				t.Errorf("exit status = %d, want 0", got)
			}
			took := time.Since(start)
			if !exempt && (took < 23*time.Second || took > 30*time.Second) {
				t.Errorf("2 MiB took %v, want about 24s", took)
			}
			if exempt && took != 0 {
				t.Errorf("2 MiB of an exempt address took %v, want no wait", took)
			}
		})
	}
}

// A peer that changes keys without end pays with its input budget. A client that does so now and then notices nothing.
func TestRekeyingWorksWithinTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openInMemory(t, nil)
		cfg := guest("mina")
		cfg.RekeyThreshold = 16 << 10
		x := d.pipe(t, cfg)
		line := strings.Repeat("x", 1023)
		for range 256 {
			x.say(line)
		}
		x.in.Close()
		if got := x.status(); got != 0 || strings.Count(x.out.String(), line) != 256 {
			t.Errorf("exit status %d with %d lines, want 0 with 256", got, strings.Count(x.out.String(), line))
		}
	})
}

func TestPeersAreAskedForSignsOfLife(t *testing.T) {
	var causes chan error
	hear := func(o *setup) {
		causes = make(chan error, 1)
		o.house.console = func(ctx context.Context, v session.Visitor, c session.Console) session.End {
			_ = c.Print([]byte("hello\n"))
			for {
				if _, err := c.Next(ctx, session.Wait{}); err != nil {
					causes <- err
					return session.End{Status: 1}
				}
			}
		}
	}
	t.Run("a quiet one that answers stays", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			d := openInMemory(t, hear)
			x := d.pipe(t, guest("mina"))
			x.out.await(t, "hello")
			time.Sleep(24 * time.Hour)
			if len(causes) != 0 {
				t.Errorf("ended by %v, want it there after a day", <-causes)
			}
		})
	})
	t.Run("one that answers nothing is gone after write_stall", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			d := openInMemory(t, hear)
			// The library answers every request. So the connection is cut where the answers would pass.
			mute := make(chan struct{})
			c, err := d.tryLogin(t, guest("mina"), func(nc net.Conn) net.Conn { return mutedConn{nc, mute} })
			if err != nil {
				t.Fatal(err)
			}
			x := d.session(t, c)
			if err := x.Shell(); err != nil {
				t.Fatal(err)
			}
			x.out.await(t, "hello")
			time.Sleep(10*time.Minute + time.Second) // it answered twenty times
			start := time.Now()
			close(mute)
			if err := <-causes; !errors.Is(err, session.Stalled) {
				t.Errorf("ended by %v, want %v", err, session.Stalled)
			}
			if got, want := time.Since(start), 149*time.Second; got != want {
				t.Errorf("ended after %v, want %v", got, want)
			}
			time.Sleep(2 * time.Second)
			if got := d.Stats().Connections; got != 0 {
				t.Errorf("connections = %d, want 0", got)
			}
		})
	})
	t.Run("one that answers nothing but sends is there", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			d := openInMemory(t, hear)
			conn, chans, requests, err := gossh.NewClientConn(d.raw(t), "door", guest("mina"))
			if err != nil {
				t.Fatal(err)
			}
			go func() {
				for range requests { // not one is answered
				}
			}()
			none := make(chan *gossh.Request)
			close(none)
			x := d.session(t, gossh.NewClient(conn, chans, none))
			if err := x.Shell(); err != nil {
				t.Fatal(err)
			}
			x.out.await(t, "hello")
			for range 60 {
				time.Sleep(time.Minute)
				x.say("x")
			}
			if len(causes) != 0 {
				t.Errorf("ended by %v, want it there after an hour", <-causes)
			}
		})
	})
	t.Run("a shut window is no death", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			d := openInMemory(t, flood)
			x := d.session(t, d.login(t, guest("mina")))
			_, stuck := io.Pipe()
			x.Stdout = stuck
			if err := x.Shell(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Hour)
			if got := d.Stats().Sessions; got != 1 {
				t.Errorf("sessions = %d after an hour, want 1", got)
			}
			stuck.Close()
		})
	})
}

// mutedConn loses what is written to it once it is mute, as a cable does.
type mutedConn struct {
	net.Conn
	mute chan struct{}
}

func (c mutedConn) Write(p []byte) (int, error) {
	select {
	case <-c.mute:
		return len(p), nil
	default:
		return c.Conn.Write(p)
	}
}

// timedOutConn fails as a socket does whose peer has acknowledged nothing for the user timeout, when its deadline passes.
type timedOutConn struct{ net.Conn }

func (c timedOutConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ETIMEDOUT)}
	}
	return n, err
}

// wrappedListener hands out other connections than those that came.
type wrappedListener struct {
	net.Listener
	wrap func(net.Conn) net.Conn
}

func (l wrappedListener) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return l.wrap(nc), nil
}

func TestPeerThatTCPGivesUpHasStalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var far net.Conn
		mem := testkit.NewListener("127.0.0.1:2222")
		ln := wrappedListener{mem, func(nc net.Conn) net.Conn {
			far = nc
			return timedOutConn{nc}
		}}
		causes := make(chan error, 1)
		d := openOn(t, ln, func() (net.Conn, error) { return mem.Dial("") }, func(o *setup) {
			o.house.console = func(ctx context.Context, _ session.Visitor, c session.Console) session.End {
				_ = c.Print([]byte("hello\n"))
				<-ctx.Done()
				causes <- context.Cause(ctx)
				return session.End{Status: 1}
			}
		})
		d.pipe(t, guest("mina")).out.await(t, "hello")
		far.SetReadDeadline(time.Now())
		if err := <-causes; !errors.Is(err, session.Stalled) {
			t.Errorf("ended by %v, want %v", err, session.Stalled)
		}
	})
}

func TestNoGoroutineIsLeftAfterAThousandVisits(t *testing.T) {
	const visits, atOnce = 1000, 4
	d := open(t, nil)
	own := newKey()
	visit := func(t *testing.T) {
		t.Helper()
		x := d.pipe(t, holder("mina", own))
		x.say("hello")
		x.out.await(t, "said hello")
		x.in.Close()
		if got := x.status(); got != 0 {
			t.Errorf("exit status = %d, want 0", got)
		}
		x.conn.Close()
	}
	visit(t)
	eventually(t, "the first visit is over", func() bool { return d.Stats().Connections == 0 })
	before := runtime.NumGoroutine()
	t.Run("visits", func(t *testing.T) {
		for i := range atOnce {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				for range visits / atOnce {
					visit(t)
				}
			})
		}
	})
	eventually(t, fmt.Sprintf("%d goroutines as before", before), func() bool { return runtime.NumGoroutine() <= before })
}

func TestShutdownTellsEverybody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openInMemory(t, nil)
		pipe := d.pipe(t, guest("mina"))
		pipe.out.await(t, "hello")
		screen := d.session(t, d.login(t, guest("juno")))
		if err := screen.RequestPty("xterm", 24, 80, nil); err != nil {
			t.Fatal(err)
		}
		if err := screen.Shell(); err != nil {
			t.Fatal(err)
		}
		screen.out.await(t, "hello")
		silent := d.raw(t)
		idle := d.login(t, guest("idle"))
		start := time.Now()
		if err := d.Shutdown(t.Context()); err != nil {
			t.Errorf("Shutdown = %v, want nil", err)
		}
		if took := time.Since(start); took > closeGrace {
			t.Errorf("Shutdown took %v, want %v at most", took, closeGrace)
		}
		for _, x := range []*client{pipe, screen} {
			if got := x.status(); got != 1 || !strings.Contains(x.out.String(), "bye: shutdown") {
				t.Errorf("exit status %d after %q, want 1 after a farewell", got, x.out)
			}
		}
		_, _ = io.Copy(io.Discard, silent)
		_ = idle.Wait()
		if _, err := d.connect(); err == nil {
			t.Error("the door is still open")
		}
		late, far := testkit.Pipe()
		d.admit(t.Context(), far)
		if took := closedAfter(late); took != 0 {
			t.Errorf("a connection that came too late was closed after %v", took)
		}
	})
}

// flood is a house that says as much as it may.
func flood(o *setup) {
	line := strings.Repeat("x", 1000) + "\n"
	o.house.console = func(ctx context.Context, _ session.Visitor, c session.Console) session.End {
		for {
			for !c.Behind() {
				_ = c.Print([]byte(line))
			}
			if _, err := c.Next(ctx, session.Wait{}); err != nil {
				_ = c.Print([]byte("bye\n"))
				return session.End{Status: 1}
			}
		}
	}
	o.house.exec = func(_ context.Context, _ session.Visitor, _ string, stdout, _ io.Writer) int {
		for {
			if _, err := io.WriteString(stdout, line); err != nil {
				return 1
			}
		}
	}
}

// deafConn stops reading once it is deaf.
type deafConn struct {
	net.Conn
	deaf, over chan struct{}
}

func (c deafConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	select {
	case <-c.deaf:
		<-c.over
	default:
	}
	return n, err
}

func TestShutdownWaitsForNobodyWhoReadsNothing(t *testing.T) {
	for _, kind := range []string{"pipe", "terminal", "command"} {
		for _, what := range []string{"channel", "socket"} {
			t.Run(kind+" "+what, func(t *testing.T) {
				t.Parallel()
				d := open(t, flood)
				deaf, over := make(chan struct{}), make(chan struct{})
				_, never := io.Pipe()
				for range 2 {
					c, err := d.tryLogin(t, guest("stuck"), func(nc net.Conn) net.Conn { return deafConn{nc, deaf, over} })
					if err != nil {
						t.Fatal(err)
					}
					x := d.session(t, c)
					if kind == "terminal" {
						if err := x.RequestPty("xterm", 24, 80, nil); err != nil {
							t.Fatal(err)
						}
					}
					if what == "channel" {
						x.Stdout = never
					}
					if kind == "command" {
						err = x.Start("history")
					} else {
						err = x.Shell()
					}
					if err != nil {
						t.Fatal(err)
					}
				}
				if what == "socket" {
					close(deaf)
				}
				eventually(t, "two sessions run", func() bool { return d.Stats().Sessions == 2 })
				start := time.Now()
				if err := d.Shutdown(t.Context()); err != nil {
					t.Errorf("Shutdown = %v, want nil", err)
				}
				if took := time.Since(start); took > 10*closeGrace { // it ends at all: a busy machine may make it late
					t.Errorf("Shutdown took %v, want about %v", took, closeGrace)
				}
				close(over)
				never.Close()
			})
		}
	}
}

func TestShutdownGivesUpWhenItHasTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		d := openInMemory(t, func(o *setup) {
			o.house.console = func(context.Context, session.Visitor, session.Console) session.End {
				<-release
				return session.End{}
			}
		})
		d.pipe(t, guest("mina"))
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if err := d.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Shutdown = %v, want %v", err, context.DeadlineExceeded)
		}
		close(release)
		if err := d.Shutdown(t.Context()); err != nil {
			t.Errorf("a second Shutdown = %v, want nil", err)
		}
	})
}

func TestHangupIsNoticedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		causes := make(chan error, 2)
		d := openInMemory(t, func(o *setup) {
			o.house.console = func(ctx context.Context, _ session.Visitor, c session.Console) session.End {
				_ = c.Print([]byte("hello\n"))
				<-ctx.Done()
				causes <- context.Cause(ctx)
				return session.End{}
			}
		})
		c := d.login(t, guest("mina"))
		x := d.session(t, c)
		if err := x.Shell(); err != nil {
			t.Fatal(err)
		}
		x.out.await(t, "hello")
		other := d.session(t, c)
		if err := other.Shell(); err != nil {
			t.Fatal(err)
		}
		other.out.await(t, "hello")
		x.Close()
		if err := <-causes; !errors.Is(err, session.Hangup) {
			t.Errorf("a closed channel: %v, want %v", err, session.Hangup)
		}
		synctest.Wait()
		if got := d.Stats().Sessions; got != 1 {
			t.Errorf("sessions = %d, want the other one", got)
		}
		c.Close()
		if err := <-causes; !errors.Is(err, session.Hangup) {
			t.Errorf("a closed connection: %v, want %v", err, session.Hangup)
		}
	})
}

func TestRefusedConnectionsAreClosedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openInMemory(t, func(o *setup) { o.gate.PerAddress = 2 })
		first, second, third := d.raw(t), d.raw(t), d.raw(t)
		start := time.Now()
		if n, _ := third.Read(make([]byte, 1)); n != 0 || time.Since(start) != 0 {
			t.Errorf("the third of two connections got %d bytes after %v, want none at once", n, time.Since(start))
		}
		first.Close()
		second.Close()
		synctest.Wait()
		x := d.pipe(t, guest("mina"))
		x.out.await(t, "hello")
		if got := d.gate.Stats(); got.Open != 1 || got.Unauthenticated != 0 || got.Refused[admission.AddressFull] != 1 {
			t.Errorf("gate = %+v, want one open, known, and one refused", got)
		}
	})
}

func TestServeSaysWhenItsListenerIsClosed(t *testing.T) {
	ln := testkit.NewListener("127.0.0.1:2222")
	s := New(Options{Gate: admission.NewGate(openGate(), slog.New(slog.DiscardHandler)), Limits: defaultLimits(), Logger: slog.New(slog.DiscardHandler)})
	served := make(chan error)
	go func() { served <- s.Serve(t.Context(), ln) }()
	ln.Close()
	if err := <-served; !errors.Is(err, errListenerClosed) {
		t.Errorf("Serve = %v, want %v", err, errListenerClosed)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() { served <- s.Serve(ctx, testkit.NewListener("127.0.0.1:2222")) }()
	cancel()
	if err := <-served; err != nil {
		t.Errorf("Serve after its context = %v, want nil", err)
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Errorf("Shutdown of an empty door = %v, want nil", err)
	}
	if err := s.Serve(t.Context(), testkit.NewListener("127.0.0.1:2222")); err != nil {
		t.Errorf("Serve after Shutdown = %v, want nil", err)
	}
}

func TestAddressesPayForWhatTheyDid(t *testing.T) {
	offences := map[admission.Offence]func(*admission.Penalties) *time.Duration{
		admission.AuthFailure:  func(p *admission.Penalties) *time.Duration { return &p.AuthFailure },
		admission.NoAuth:       func(p *admission.Penalties) *time.Duration { return &p.NoAuth },
		admission.LoginTimeout: func(p *admission.Penalties) *time.Duration { return &p.LoginTimeout },
	}
	for _, tc := range []struct {
		name string
		do   func(*testing.T, *door)
		want admission.Offence // -1 for none
	}{
		{"silence", func(t *testing.T, d *door) {
			t.Helper()
			closedAfter(d.raw(t))
		}, admission.LoginTimeout},
		{"a login and no session", func(t *testing.T, d *door) {
			t.Helper()
			d.login(t, guest("mina")).Wait()
		}, admission.LoginTimeout},
		{"gone at once", func(t *testing.T, d *door) {
			t.Helper()
			d.raw(t).Close()
		}, admission.NoAuth},
		{"HTTP", func(t *testing.T, d *door) {
			t.Helper()
			io.WriteString(d.raw(t), "GET / HTTP/1.1\r\n")
		}, admission.NoAuth},
		{"no method", func(t *testing.T, d *door) {
			t.Helper()

			cfg := guest("mina")
			cfg.Auth = nil
			d.tryLogin(t, cfg, nil)
		}, admission.NoAuth},
		{"a key that is not fit", func(t *testing.T, d *door) {
			t.Helper()

			cfg := guest("mina")
			cfg.Auth = []gossh.AuthMethod{gossh.PublicKeys(publicHalf{rsaOf(t, 1024)})}
			d.tryLogin(t, cfg, nil)
		}, admission.AuthFailure},
		{"forged signature", func(t *testing.T, d *door) {
			t.Helper()

			cfg := guest("mina")
			cfg.Auth = []gossh.AuthMethod{gossh.PublicKeys(forger{publicHalf{newKey().PublicKey()}})}
			d.tryLogin(t, cfg, nil)
		}, admission.AuthFailure},
		{"a visit", func(t *testing.T, d *door) {
			t.Helper()

			x := d.pipe(t, guest("mina"))
			x.in.Close()
			x.status()
			x.conn.Close()
		}, -1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for offence, of := range offences {
				synctest.Test(t, func(t *testing.T) {
					d := openInMemory(t, func(o *setup) {
						o.gate.Penalties.Threshold = time.Minute
						*of(&o.gate.Penalties) = time.Minute
					})
					tc.do(t, d)
					time.Sleep(31 * time.Second)
					ticket, why := d.gate.Admit(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
					if paid := why == admission.Penalised; paid != (offence == tc.want) {
						t.Errorf("pays for %d = %v, want it to pay for %d", offence, paid, tc.want)
					}
					if ticket != nil {
						ticket.Release()
					}
				})
			}
		})
	}
}

// The last fault that lets one message block a connection for good was cured in v0.56.0 of golang.org/x/crypto.
func TestCryptoIsNewEnough(t *testing.T) {
	mod, err := os.ReadFile(filepath.Join("..", "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(mod), "golang.org/x/crypto v0.")
	var minor int
	if _, err := fmt.Sscan(strings.SplitN(after, ".", 2)[0], &minor); !found || err != nil || minor < 56 {
		t.Errorf("golang.org/x/crypto is v0.%d (%v), want v0.56.0 or later", minor, err)
	}
}

func TestOpenSSH(t *testing.T) {
	ssh, err := exec.LookPath("ssh")
	if err != nil {
		if os.Getenv("SARANGBANG_REAL") == "1" {
			t.Fatal("ssh is not there, and SARANGBANG_REAL=1 asks for it")
		}
		t.Skip("ssh is not there")
	}
	keygen, err := exec.LookPath("ssh-keygen")
	if err != nil {
		t.Fatal(err)
	}
	d := open(t, nil)
	nc := d.raw(t)
	host, port, _ := net.SplitHostPort(nc.RemoteAddr().String())
	nc.Close()
	dir := t.TempDir()
	own, victim := filepath.Join(dir, "own"), filepath.Join(dir, "victim")
	for _, key := range []string{own, victim} {
		if out, err := exec.CommandContext(t.Context(), keygen, "-q", "-t", "ed25519", "-N", "", "-f", key).CombinedOutput(); err != nil {
			t.Fatalf("ssh-keygen: %v: %s", err, out)
		}
	}
	if err := os.Remove(victim); err != nil { // only the public half is left
		t.Fatal(err)
	}
	public, err := os.ReadFile(own + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	key, _, _, _, err := gossh.ParseAuthorizedKey(public)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name     string
		args     []string
		in       string
		out, err string
		status   int
	}{
		{"guest", []string{"-T"}, "hi\n", "hello mina key=\nsaid hi\n", "", 0},
		{"own key", []string{"-T", "-i", own}, "hi", "hello mina key=" + gossh.FingerprintSHA256(key) + "\nsaid hi\n", "", 0},
		{"another's public key", []string{"-T", "-i", victim + ".pub"}, "", "hello mina key=\n", "", 0},
		{"batch mode with a key", []string{"-T", "-o", "BatchMode=yes", "-i", own}, "quit\n", "hello mina key=" + gossh.FingerprintSHA256(key) + "\n", "", 0},
		{"command", []string{"who"}, "", "ran who\n", "", 0},
		{"command with a terminal", []string{"-tt", "say", "hello"}, "", "ran say hello\r\n", "", 0},
		{"agent and forwarding asked for", []string{"-T", "-A", "-X"}, "quit\n", "hello mina key=\n", "", 0},
		{"subsystem", []string{"-s", "sftp"}, "", "", "subsystem request failed", 255},
	} {
		t.Run(tc.name, func(t *testing.T) {
			args := append([]string{
				"-F", "none", "-p", port, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
				"-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none", "-o", "IdentityFile=none", "-l", "mina",
			}, tc.args...)
			args = append(args[:len(args)-len(tc.args)], insertHost(tc.args, host)...)
			cmd := exec.CommandContext(t.Context(), ssh, args...)
			cmd.Stdin = strings.NewReader(tc.in)
			out, errs := &strings.Builder{}, &strings.Builder{}
			cmd.Stdout, cmd.Stderr = out, errs
			err := cmd.Run()
			if got := cmd.ProcessState.ExitCode(); got != tc.status {
				t.Errorf("exit status = %d (%v, %s), want %d", got, err, errs, tc.status)
			}
			if out.String() != tc.out || !strings.Contains(errs.String(), tc.err) {
				t.Errorf("stdout %q, stderr %q, want %q, %q", out, errs, tc.out, tc.err)
			}
		})
	}
}

// insertHost puts the host before the first word of args that is neither an option nor the value of one.
func insertHost(args []string, host string) []string {
	i := 0
	for ; i < len(args) && strings.HasPrefix(args[i], "-"); i++ {
		if args[i] == "-i" || args[i] == "-o" {
			i++
		}
	}
	return append(append(append([]string{}, args[:i]...), host), args[i:]...)
}
