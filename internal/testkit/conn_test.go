package testkit_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"sarangbang/internal/testkit"

	"golang.org/x/crypto/ssh"
)

func TestPipeBuffersWhatNobodyReads(t *testing.T) {
	a, b := testkit.Pipe()
	want := bytes.Repeat([]byte("x"), testkit.DefaultBuffer)
	if n, err := a.Write(want); n != len(want) || err != nil {
		t.Fatalf("Write = %d, %v; want %d, nil", n, err, len(want))
	}
	if got := b.Unread(); got != len(want) {
		t.Errorf("Unread = %d, want %d", got, len(want))
	}
	got := make([]byte, len(want))
	if _, err := io.ReadFull(b, got); err != nil || !bytes.Equal(got, want) {
		t.Errorf("read back differs, err = %v", err)
	}
}

func TestPipeWriterWaitsForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := testkit.Pipe()
		a.SetBuffer(4)
		var wrote int
		var wg sync.WaitGroup
		wg.Go(func() { wrote, _ = a.Write([]byte("hello, world")) })
		synctest.Wait()
		if wrote != 0 || b.Unread() != 4 {
			t.Errorf("wrote %d with %d unread, want 0 with 4", wrote, b.Unread())
		}
		got := make([]byte, 12)
		if _, err := io.ReadFull(b, got); err != nil || string(got) != "hello, world" {
			t.Errorf("read %q, %v; want %q", got, err, "hello, world")
		}
		wg.Wait()
		if wrote != 12 {
			t.Errorf("wrote %d, want 12", wrote)
		}
	})
}

func TestPipeKeepsTheBytesOfOneWriteTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 50 {
			a, b := testkit.Pipe()
			a.SetBuffer(3)
			var wg sync.WaitGroup
			wg.Go(func() { _, _ = a.Write([]byte("aaaaaa")) })
			synctest.Wait()             // half of it is written
			a.SetBuffer(100)            // now there is room for both,
			_, _ = a.Write([]byte("b")) // and this one comes before the other goes on
			wg.Wait()
			got := make([]byte, 7)
			if _, err := io.ReadFull(b, got); err != nil || string(got) != "aaaaaab" {
				t.Fatalf("read %q, %v; want %q", got, err, "aaaaaab")
			}
		}
	})
}

func TestPipeEndings(t *testing.T) {
	read := func(c net.Conn) error {
		_, err := c.Read(make([]byte, 8))
		return err
	}
	write := func(c net.Conn) error {
		_, err := c.Write([]byte("x"))
		return err
	}
	for _, tt := range []struct {
		name string
		end  func(a, b *testkit.Conn)
		op   func(a, b *testkit.Conn) error
		want error
	}{
		{"read after the peer closed", func(_, b *testkit.Conn) { b.Close() }, func(a, _ *testkit.Conn) error { return read(a) }, io.EOF},
		{"write after the peer closed", func(_, b *testkit.Conn) { b.Close() }, func(a, _ *testkit.Conn) error { return write(a) }, syscall.EPIPE},
		{"read after closing", func(a, _ *testkit.Conn) { a.Close() }, func(a, _ *testkit.Conn) error { return read(a) }, net.ErrClosed},
		{"write after closing", func(a, _ *testkit.Conn) { a.Close() }, func(a, _ *testkit.Conn) error { return write(a) }, net.ErrClosed},
		{"read after the peer's FIN", func(_, b *testkit.Conn) { b.CloseWrite() }, func(a, _ *testkit.Conn) error { return read(a) }, io.EOF},
		{"write after the peer's FIN", func(_, b *testkit.Conn) { b.CloseWrite() }, func(a, _ *testkit.Conn) error { return write(a) }, nil},
		{"write after an own FIN", func(a, _ *testkit.Conn) { a.CloseWrite() }, func(a, _ *testkit.Conn) error { return write(a) }, net.ErrClosed},
		{"read after a reset", func(_, b *testkit.Conn) { write(b); b.Reset() }, func(a, _ *testkit.Conn) error { return read(a) }, syscall.ECONNRESET},
		{"write after a reset", func(_, b *testkit.Conn) { b.Reset() }, func(a, _ *testkit.Conn) error { return write(a) }, syscall.ECONNRESET},
		{
			"read what was written before the close",
			func(_, b *testkit.Conn) { write(b); b.Close() },
			func(a, _ *testkit.Conn) error { return read(a) },
			nil,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, b := testkit.Pipe()
			tt.end(a, b)
			if got := tt.op(a, b); !errors.Is(got, tt.want) {
				t.Errorf("error = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestPipeCloseEndsWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := testkit.Pipe()
		a.SetBuffer(1)
		errs := make(chan error, 2)
		go func() {
			_, err := a.Write([]byte("xyz"))
			errs <- err
		}()
		go func() {
			_, err := a.Read(make([]byte, 1))
			errs <- err
		}()
		synctest.Wait()
		a.Close()
		for range 2 {
			if err := <-errs; !errors.Is(err, net.ErrClosed) {
				t.Errorf("error = %v, want %v", err, net.ErrClosed)
			}
		}
		_ = b.Close()
	})
}

func TestPipeDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := testkit.Pipe()
		a.SetBuffer(1)
		begun := time.Now()
		a.SetDeadline(begun.Add(time.Minute))
		if _, err := a.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begun) != time.Minute {
			t.Errorf("Read = %v after %v, want %v after 1m", err, time.Since(begun), os.ErrDeadlineExceeded)
		}
		if _, err := a.Write([]byte("x")); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Write = %v, want %v", err, os.ErrDeadlineExceeded)
		}
		a.SetDeadline(time.Time{})
		if n, err := a.Write([]byte("x")); n != 1 || err != nil {
			t.Errorf("Write without a deadline = %d, %v; want 1, nil", n, err)
		}
		// A deadline that comes while the write waits counts, too.
		begun = time.Now()
		go func() {
			time.Sleep(time.Second)
			a.SetWriteDeadline(time.Now().Add(time.Second))
		}()
		if n, err := a.Write([]byte("yz")); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begun) != 2*time.Second {
			t.Errorf("Write = %d, %v after %v; want 0, %v after 2s", n, err, time.Since(begun), os.ErrDeadlineExceeded)
		}
		_ = b.Close()
	})
}

func TestPipeCarriesSSHInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := testkit.NewListener("127.0.0.1:2222")
		defer l.Close()
		client, err := l.Dial("10.0.0.7:4000")
		if err != nil {
			t.Fatal(err)
		}
		server, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if got := server.RemoteAddr().String(); got != "10.0.0.7:4000" {
			t.Errorf("RemoteAddr = %s, want 10.0.0.7:4000", got)
		}
		var wg sync.WaitGroup
		defer wg.Wait()
		wg.Go(func() {
			conf := &ssh.ServerConfig{NoClientAuth: true}
			conf.AddHostKey(hostKey(t))
			conn, chans, reqs, err := ssh.NewServerConn(server, conf)
			if err != nil {
				t.Errorf("server handshake: %v", err)
				return
			}
			wg.Go(func() { ssh.DiscardRequests(reqs) })
			for c := range chans {
				_ = c.Reject(ssh.Prohibited, "only a test")
			}
			_ = conn.Wait()
		})
		conn, chans, reqs, err := ssh.NewClientConn(client, "house", &ssh.ClientConfig{User: "kim", HostKeyCallback: ssh.InsecureIgnoreHostKey()})
		if err != nil {
			t.Fatalf("client handshake: %v", err)
		}
		c := ssh.NewClient(conn, chans, reqs)
		if _, err := c.NewSession(); err == nil {
			t.Error("NewSession succeeded, want a rejection")
		}
		c.Close()
	})
}

func TestListenerClose(t *testing.T) {
	l := testkit.NewListener("127.0.0.1:2222")
	c, err := l.Dial("")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept = %v, want %v", err, net.ErrClosed)
	}
	if _, err := l.Dial(""); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Dial = %v, want %v", err, net.ErrClosed)
	}
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("Read of a connection that nobody accepted = %v, want %v", err, syscall.ECONNRESET)
	}
}

func hostKey(t *testing.T) ssh.Signer {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
