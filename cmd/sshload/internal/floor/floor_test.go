package floor

import (
	"bytes"
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAFloorEndsWithEverybodyIn(t *testing.T) {
	for _, kind := range Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			ctx, end := context.WithCancel(t.Context())
			served := make(chan error, 1)
			go func() { served <- Serve(ctx, ln, kind) }()
			conns := make([]net.Conn, 3)
			for i := range conns {
				if conns[i], err = net.Dial("tcp", ln.Addr().String()); err != nil {
					t.Fatal(err)
				}
				defer conns[i].Close()
				if _, err := conns[i].Read(make([]byte, 1)); err != nil { // the version, or the question
					t.Fatal(err)
				}
			}
			end()
			select {
			case err := <-served:
				if err != nil {
					t.Errorf("Serve = %v, want nil", err)
				}
			case <-time.After(30 * time.Second):
				t.Fatal("it still serves after 30 s")
			}
			for _, conn := range conns {
				_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
				if _, err := io.Copy(io.Discard, conn); err != nil && strings.Contains(err.Error(), "timeout") {
					t.Errorf("a connection is open yet: %v", err)
				}
			}
		})
	}
}

func TestThereAreNoOtherFloors(t *testing.T) {
	if err := Serve(t.Context(), nil, "dance"); err == nil || !strings.Contains(err.Error(), "dance") {
		t.Errorf("Serve = %v, want an error with the name", err)
	}
}

// sink takes what is written, piece by piece, while it is not held.
type sink struct {
	held   chan struct{}
	pieces []string
	closed bool
}

func (s *sink) Write(p []byte) (int, error) {
	<-s.held
	if s.closed {
		return 0, io.ErrClosedPipe
	}
	s.pieces = append(s.pieces, string(p))
	return len(p), nil
}

func (s *sink) Close() error { s.closed = true; return nil }

func TestWhatWaitsIsOneWriteOrOneForEachLine(t *testing.T) {
	for _, c := range []struct {
		gathers, rowEnds bool
		want             []string
	}{
		{true, true, []string{"a\r\n", "b\r\nc\r\nd\r\n"}},
		{false, true, []string{"a\r\n", "b\r\n", "c\r\n", "d\r\n"}},
		{false, false, []string{"a", "b", "c", "d"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &sink{held: make(chan struct{})}
			g := newGuest("kim", s, c.gathers, c.rowEnds)
			go g.write()
			g.put([]byte("a\r\n"))
			synctest.Wait() // it is being written
			for _, row := range []string{"b\r\n", "c\r\n", "d\r\n"} {
				g.put([]byte(row))
			}
			close(s.held)
			synctest.Wait()
			if got, want := strings.Join(s.pieces, "|"), strings.Join(c.want, "|"); got != want {
				t.Errorf("gathers %v: %q was written, want %q", c.gathers, got, want)
			}
			g.end()
			synctest.Wait()
			if !s.closed {
				t.Error("it is not closed at the end")
			}
		})
	}
}

func TestWhoNeverReadsIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sink{held: make(chan struct{})}
		g := newGuest("kim", s, false, true)
		go g.write()
		row := bytes.Repeat([]byte("x"), 1<<20)
		for range 2 * mostWaiting / len(row) {
			g.put(row)
		}
		g.mu.Lock()
		if g.size > mostWaiting+len(row) {
			t.Errorf("%d bytes wait, want at most %d", g.size, mostWaiting)
		}
		g.mu.Unlock()
		close(s.held)
		synctest.Wait()
		if !s.closed {
			t.Error("it is not closed")
		}
	})
}
