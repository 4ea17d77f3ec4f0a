package metrics

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"sarangbang/internal/testkit"
)

// serve runs a server for h, whose Serve has returned nil when stop returns.
func serve(t *testing.T, h http.Handler) (ln *testkit.Listener, stop func(context.Context)) {
	t.Helper()
	ln = testkit.NewListener("127.0.0.1:9100")
	s := NewServer(h, slog.New(slog.DiscardHandler))
	served := make(chan error, 1)
	go func() { served <- s.Serve(ln) }()
	return ln, func(ctx context.Context) {
		s.Shutdown(ctx)
		if err := <-served; err != nil {
			t.Errorf("Serve = %v, want nil", err)
		}
	}
}

func dial(t *testing.T, ln *testkit.Listener, send string) *testkit.Conn {
	t.Helper()
	c, err := ln.Dial("")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, send); err != nil {
		t.Fatal(err)
	}
	return c
}

// answer reads one answer to a GET.
func answer(t *testing.T, c io.Reader) (int, string) {
	t.Helper()
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

const ask = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"

func healthy() http.Handler {
	return Handler(func() Stats { return Stats{} }, func() error { return nil })
}

func TestServerAnswersAndStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln, stop := serve(t, healthy())
		c := dial(t, ln, ask)
		if code, body := answer(t, c); code != http.StatusOK || body != "ok\n" {
			t.Errorf("answer = %d %q, want 200 ok", code, body)
		}
		stop(t.Context())
		if n, err := c.Read(make([]byte, 1)); err == nil {
			t.Errorf("after Shutdown an idle connection gives %d bytes, want an error", n)
		}
		if _, err := ln.Dial(""); err == nil {
			t.Error("after Shutdown the listener still takes connections")
		}
	})
}

func TestShutdownWaitsForNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		defer close(hang)
		ln, stop := serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hang }))
		silent, asking := dial(t, ln, ""), dial(t, ln, ask)
		synctest.Wait()
		start := time.Now()
		stop(t.Context())
		if got := time.Since(start); got > 2*time.Second {
			t.Errorf("Shutdown took %v, want about a second", got)
		}
		for _, c := range []io.Reader{silent, asking} {
			if _, err := c.Read(make([]byte, 1)); err == nil {
				t.Error("a connection is still open after Shutdown")
			}
		}
	})
}

func TestPeersThatHoldTheServerUpAreCut(t *testing.T) {
	tests := []struct {
		name, send string
		drip       string // then this, each second
		within     time.Duration
	}{
		{"silent", "", "", 5 * time.Second},
		{"half a request", "GET /healthz HTTP/1.1\r\nX:", "", 5 * time.Second},
		{"a header without end", "GET /healthz HTTP/1.1\r\n", "X: y\r\n", 6 * time.Second},
		{"a large header", "GET /healthz HTTP/1.1\r\nX: " + strings.Repeat("y", 64<<10), "", time.Second},
		{"idle after an answer", ask, "", 60 * time.Second},
		{"a body without end", "POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n", "z", 11 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ln, stop := serve(t, healthy())
				defer stop(t.Context())
				c := dial(t, ln, "")
				start, ended := time.Now(), make(chan time.Time, 1)
				go func() { // before sending: the server may hang up in the middle of it
					_, _ = io.Copy(io.Discard, c)
					ended <- time.Now()
				}()
				_, _ = io.WriteString(c, tt.send)
				for {
					select {
					case at := <-ended:
						if got := at.Sub(start); got > tt.within {
							t.Errorf("cut after %v, want within %v", got, tt.within)
						}
						c.Close()
						return
					case <-time.After(time.Second):
						_, _ = io.WriteString(c, tt.drip)
					}
					if time.Since(start) > 5*time.Minute {
						t.Fatal("never cut")
					}
				}
			})
		})
	}
}

func TestReaderThatNeverReadsIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone := make(chan time.Time, 1)
		ln, stop := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			for {
				if _, err := w.Write(make([]byte, 32<<10)); err != nil {
					gone <- time.Now()
					return
				}
			}
		}))
		defer stop(t.Context())
		start := time.Now()
		dial(t, ln, ask)
		if got := (<-gone).Sub(start); got > 30*time.Second {
			t.Errorf("writing to a peer that never reads ended after %v, want 30s at most", got)
		}
	})
}

func TestConnectionsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln, stop := serve(t, healthy())
		defer stop(t.Context())
		var held []*testkit.Conn
		for range maxConnections {
			c := dial(t, ln, ask)
			answer(t, c)
			held = append(held, c)
		}
		next := dial(t, ln, ask)
		synctest.Wait()
		if n := next.Unread(); n != 0 {
			t.Fatalf("with %d connections open the next one got %d bytes, want none yet", maxConnections, n)
		}
		held[0].Close()
		if code, body := answer(t, next); code != http.StatusOK {
			t.Errorf("when one has left the next one gets %d %q, want 200", code, body)
		}
	})
}

func TestShutdownOfAFullServerEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln, stop := serve(t, healthy())
		for range maxConnections + 1 {
			dial(t, ln, "")
		}
		synctest.Wait()
		stop(t.Context())
	})
}

// failing fails like a listener of a process without descriptors, for as long as it has failures.
type failing struct {
	*testkit.Listener
	failures int
}

func (l *failing) Accept() (net.Conn, error) {
	if l.failures > 0 {
		l.failures--
		return nil, &net.OpError{Op: "accept", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
	}
	return l.Listener.Accept()
}

func TestFailedAcceptsTakeNoPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewServer(healthy(), slog.New(slog.DiscardHandler))
		ln := &failing{testkit.NewListener("127.0.0.1:9100"), maxConnections}
		served := make(chan error, 1)
		go func() { served <- s.Serve(ln) }()
		if code, _ := answer(t, dial(t, ln.Listener, ask)); code != http.StatusOK {
			t.Errorf("after %d failed accepts: %d, want 200", maxConnections, code)
		}
		s.Shutdown(t.Context())
		if err := <-served; err != nil {
			t.Errorf("Serve = %v, want nil", err)
		}
	})
}

func TestServeReportsWhyItEnded(t *testing.T) {
	s := NewServer(healthy(), slog.New(slog.DiscardHandler))
	ln := testkit.NewListener("127.0.0.1:9100")
	ln.Close()
	if err := s.Serve(ln); err == nil {
		t.Error("Serve of a closed listener = nil, want an error")
	}
}

func TestPanickingHandlerIsLoggedAndEndsOneConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		s := NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/panic" {
				panic("broken")
			}
		}), slog.New(slog.NewTextHandler(&log, nil)))
		ln := testkit.NewListener("127.0.0.1:9100")
		served := make(chan error, 1)
		go func() { served <- s.Serve(ln) }()
		c := dial(t, ln, "GET /panic HTTP/1.1\r\nHost: x\r\n\r\n")
		if b, _ := io.ReadAll(c); len(b) != 0 {
			t.Errorf("answer to the request that panics = %q, want none", b)
		}
		if code, _ := answer(t, dial(t, ln, "GET /fine HTTP/1.1\r\nHost: x\r\n\r\n")); code != http.StatusOK {
			t.Errorf("the next request gets %d, want 200", code)
		}
		s.Shutdown(t.Context())
		<-served
		if !strings.Contains(log.String(), "level=WARN") || !strings.Contains(log.String(), "broken") {
			t.Errorf("log = %q, want a warning about the panic", log.String())
		}
	})
}
