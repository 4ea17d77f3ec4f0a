package admission

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"
)

// fakeListener gives what arrives on its channels, until it is closed.
type fakeListener struct {
	conns  chan net.Conn
	errs   chan error
	closed chan struct{}
	once   sync.Once // it is closed from several goroutines
}

func newFakeListener() *fakeListener {
	return &fakeListener{conns: make(chan net.Conn), errs: make(chan error), closed: make(chan struct{})}
}

func (l *fakeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case err := <-l.errs:
		return nil, err
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *fakeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *fakeListener) Addr() net.Addr { return &net.TCPAddr{} }

func (l *fakeListener) isClosed() bool {
	select {
	case <-l.closed:
		return true
	default:
		return false
	}
}

func TestAcceptGoesOnAfterErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		ln, handled := newFakeListener(), 0
		var log strings.Builder
		done := make(chan struct{})
		go func() {
			defer close(done)
			Accept(ctx, ln, slog.New(slog.NewTextHandler(&log, nil)), 0, func(net.Conn) { handled++ })
		}()

		emfile := &net.OpError{Op: "accept", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
		start := time.Now()
		for range 12 {
			ln.errs <- emfile
		}
		ln.conns <- nil
		synctest.Wait()
		// 5+10+20+40+80+160+320+640 ms, then a second each
		if got, want := time.Since(start), 1275*time.Millisecond+4*time.Second; got != want {
			t.Errorf("12 errors held the loop for %v, want %v", got, want)
		}
		if handled != 1 {
			t.Errorf("%d connections were handled after the errors, want 1", handled)
		}
		if got := strings.Count(log.String(), "\n"); got < 1 || got > 6 {
			t.Errorf("%d lines in about 5 s, want at most one a second:\n%s", got, log.String())
		}

		start = time.Now()
		ln.errs <- errors.New("something else")
		ln.conns <- nil
		synctest.Wait()
		if got := time.Since(start); got != backOffMin {
			t.Errorf("an error after a good connection held the loop for %v, want %v", got, backOffMin)
		}

		cancel()
		<-done
		if !ln.isClosed() {
			t.Error("the listener is still open after the end")
		}
	})
}

func TestAcceptEndsWithItsListener(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done, accepted := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		Accept(t.Context(), ln, slog.New(slog.DiscardHandler), 0, func(c net.Conn) { c.Close(); close(accepted) })
	}()
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	<-accepted
	ln.Close()
	<-done
}

func TestAcceptWaitsForDescriptors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		ln := newFakeListener()
		var open, counts atomic.Int64
		open.Store(100)
		l := loop{
			log: slog.New(slog.DiscardHandler), reserve: 64, complain: rate.Sometimes{Interval: time.Second},
			descriptors: func() (int, int, bool) { counts.Add(1); return int(open.Load()), 200, true },
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			l.run(ctx, ln, func(net.Conn) { open.Add(1) })
		}()

		for range 36 { // as many as leave the reserve alone
			ln.conns <- nil
		}
		synctest.Wait()
		if got := counts.Load(); got > 10 {
			t.Errorf("descriptors were counted %d times for 36 connections, want a few", got)
		}
		select {
		case ln.conns <- nil:
			t.Fatalf("accepted with %d of 200 open, want to wait at a reserve of 64", open.Load())
		case <-time.After(10 * time.Second):
		}
		open.Add(-20)
		ln.conns <- nil
		synctest.Wait()
		if got := open.Load(); got != 117 {
			t.Errorf("%d are open, want 117", got)
		}
		cancel()
		<-done
	})
}

func TestEndedContextEndsTheWaitForDescriptors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		l := loop{log: slog.New(slog.DiscardHandler), descriptors: func() (int, int, bool) { return 10, 10, true }}
		done := make(chan struct{})
		go func() {
			defer close(done)
			l.run(ctx, newFakeListener(), func(net.Conn) { t.Error("accepted without a descriptor") })
		}()
		time.Sleep(time.Minute)
		cancel()
		<-done
	})
}

func TestDescriptorsAreCounted(t *testing.T) {
	before, limit, ok := Descriptors()
	if !ok {
		t.Fatal("not countable here")
	}
	if before < 3 || limit < before {
		t.Errorf("%d of %d open, want at least 3 and no more than the limit", before, limit)
	}
	const more = 20
	for range more {
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
	}
	if after, _, _ := Descriptors(); after != before+more {
		t.Errorf("%d open after %d more, want %d", after, more, before+more)
	}
}
