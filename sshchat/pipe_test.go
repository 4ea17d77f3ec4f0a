package sshchat

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sarangbang/internal/session"
)

func TestPipeGivesEveryLineThenTheEnd(t *testing.T) {
	d := open(t, func(o *setup) { o.lim.Terminal.PasteBytes = 10 })
	x := d.pipe(t, guest("mina"))
	fmt.Fprintf(x.in, "one\r\ntwo\n\n%s\n%s\r\n\xff\xfe\r\r\nunfinished", strings.Repeat("x", 11), strings.Repeat("y", 10))
	x.in.Close()
	if got := x.status(); got != 0 {
		t.Errorf("exit status = %d, want 0", got)
	}
	if got, want := x.out.String(), "hello mina key=\nsaid one\nsaid two\nsaid \nsaid yyyyyyyyyy\nsaid \xff\xfe\r\nsaid unfinished\n"; got != want {
		t.Errorf("stdout = %q, want %q", got, want)
	}
	if got, want := x.err.String(), "too long: 11 of 10\n"; got != want {
		t.Errorf("stderr = %q, want %q", got, want)
	}
}

func TestSplitter(t *testing.T) {
	const limit = 4
	line := func(s string) session.Input { return session.Input{Kind: session.Line, Text: s} }
	long := func(n int) session.Input { return session.Input{Kind: session.TooLong, Size: n, Limit: limit} }
	for _, tc := range []struct {
		in   string
		want []session.Input
	}{
		{"", nil},
		{"\n", []session.Input{line("")}},
		{"a", []session.Input{line("a")}},
		{"a\nb", []session.Input{line("a"), line("b")}},
		{"a\r\n\r\n", []session.Input{line("a"), line("")}},
		{"a\rb\n", []session.Input{line("a\rb")}},
		{"1234\n", []session.Input{line("1234")}},
		{"1234\r\n", []session.Input{line("1234")}},
		{"12345\na\n", []session.Input{long(5), line("a")}},
		{"12345\r\n", []session.Input{long(5)}},
		{"1234\r\r\n", []session.Input{long(5)}},
		{strings.Repeat("x", 100_000), []session.Input{long(100_000)}},
		{"한\n", []session.Input{line("한")}},
		{"한\xed\x95\n", []session.Input{long(5)}},
	} {
		for _, chunk := range []int{1, 2, 3, 1 << 20} {
			var got []session.Input
			s := splitter{limit: limit}
			keep := func(in session.Input) bool { got = append(got, in); return true }
			for p := range slices.Chunk([]byte(tc.in), chunk) {
				s.feed(p, keep)
				if len(s.line) > limit+1 {
					t.Fatalf("%.20q: %d bytes are kept of a line, want at most %d", tc.in, len(s.line), limit+1)
				}
			}
			s.finish(keep)
			if !slices.Equal(got, tc.want) {
				t.Errorf("%.20q in pieces of %d = %v, want %v", tc.in, chunk, got, tc.want)
			}
		}
	}
}

// counter is an endless input that counts what was taken of it.
type counter struct{ n atomic.Int64 }

func (c *counter) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = "0123456\n"[i%8]
	}
	c.n.Add(int64(len(p)))
	return len(p), nil
}

func TestPipeIsReadNoFasterThanItsLinesAreTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var in counter
		p := newPipe(newOutlet(io.Discard, io.Discard, false, 1<<16), nil, nil)
		go p.read(&in, 1<<16)
		timer := make(chan time.Time, 1)
		timer <- time.Time{}
		if got, err := p.Next(t.Context(), session.Wait{Timer: timer, Hold: true}); got.Kind != session.Woken || err != nil {
			t.Errorf("Next while lines are held = %v, %v, want Woken", got, err)
		}
		for range 5 {
			if got, err := p.Next(t.Context(), session.Wait{}); got.Text != "0123456" || err != nil {
				t.Errorf("Next = %v, %v, want a line", got, err)
			}
		}
		synctest.Wait()
		if got := in.n.Load(); got > 4<<10 {
			t.Errorf("%d bytes were read for 5 lines of 8, want 4096 at most", got)
		}
		close(p.quit)
	})
}

// What is sent to a house that takes nothing waits in the client, but for what SSH itself lets through: 2 MiB.
func TestHeldPipeWaitsInItsClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size = 32 << 20
		release, lines := make(chan struct{}), 0
		d := openInMemory(t, func(o *setup) {
			o.gate.Exempt = exemptLoopback
			o.house.console = func(ctx context.Context, _ session.Visitor, c session.Console) session.End {
				if _, err := c.Next(ctx, session.Wait{Hold: true, Bell: release}); err != nil {
					return session.End{Status: 1}
				}
				for {
					if _, err := c.Next(ctx, session.Wait{}); err != nil {
						return session.End{}
					}
					lines++
				}
			}
		})
		x := d.pipe(t, guest("mina"))
		line := []byte(strings.Repeat("x", 1023) + "\n")
		before := heap()
		sent := make(chan error)
		go func() {
			var err error
			for range size / len(line) {
				if err == nil {
					_, err = x.in.Write(line)
				}
			}
			x.in.Close()
			sent <- err
		}()
		time.Sleep(10 * time.Minute)
		if grown := heap() - before; grown > 8<<20 {
			t.Errorf("the heap grew by %d bytes, want about SSH's 2 MiB on each side", grown)
		}
		close(release)
		if err := <-sent; err != nil {
			t.Error(err)
		}
		if got := x.status(); got != 0 || lines != size/len(line) {
			t.Errorf("exit status = %d after %d lines, want 0 after %d", got, lines, size/len(line))
		}
	})
}

func TestNothingIsLostAtTheEndOfAPipe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const rows = 3000
		d := openInMemory(t, func(o *setup) {
			o.house.console = func(_ context.Context, _ session.Visitor, c session.Console) session.End {
				for i := range rows {
					_ = c.Print(fmt.Appendf(nil, "%01000d\n", i))
				}
				_ = c.Complain([]byte("one line was refused\n"))
				return session.End{Status: 1}
			}
		})
		x := d.session(t, d.login(t, guest("mina")))
		slow, feed := io.Pipe()
		x.Stdout = feed
		if err := x.Shell(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Minute) // the client is busy, and alive
		got := make(chan int)
		go func() {
			b, _ := io.ReadAll(slow)
			got <- bytes.Count(b, []byte("\n"))
		}()
		if status := x.status(); status != 1 {
			t.Errorf("exit status = %d, want 1", status)
		}
		feed.Close()
		if n := <-got; n != rows {
			t.Errorf("%d rows came, want %d", n, rows)
		}
		if got, want := x.err.String(), "one line was refused\n"; got != want {
			t.Errorf("stderr = %q, want %q", got, want)
		}
	})
}

func TestPipeTellsThatItIsBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow, feed := io.Pipe()
		o := newOutlet(feed, io.Discard, false, 20<<10)
		go o.run()
		p := newPipe(o, nil, nil)
		for !p.Behind() {
			if err := p.Print(make([]byte, 1000)); err != nil {
				t.Fatal(err)
			}
		}
		woken := make(chan session.Input)
		go func() {
			in, _ := p.Next(t.Context(), session.Wait{})
			woken <- in
		}()
		synctest.Wait()
		select {
		case <-woken:
			t.Error("woken while the client takes nothing")
		default:
		}
		go io.Copy(io.Discard, slow)
		if got := <-woken; got.Kind != session.Woken || p.Behind() {
			t.Errorf("Next = %v, behind = %v, want it woken with room again", got, p.Behind())
		}
		o.end(t.Context())
		slow.CloseWithError(io.ErrClosedPipe)
	})
}

// The end of the input and that of the connection look the same to whoever reads a channel.
func TestPipeKnowsABrokenConnectionFromTheEndOfTheInput(t *testing.T) {
	lost := make(chan struct{})
	next := func() (session.Input, error) {
		p := newPipe(newOutlet(io.Discard, io.Discard, false, 1<<16), nil, lost)
		go p.read(strings.NewReader("half a li"), 1<<16)
		defer close(p.quit)
		in, err := p.Next(t.Context(), session.Wait{})
		if err == nil && in.Kind == session.Line {
			_, err = p.Next(t.Context(), session.Wait{})
		}
		return in, err
	}
	if in, err := next(); in.Text != "half a li" || !errors.Is(err, io.EOF) {
		t.Errorf("at the end of the input: %v, %v; want its last line, then %v", in, err, io.EOF)
	}
	close(lost)
	if in, err := next(); in.Text != "" || !errors.Is(err, session.Hangup) {
		t.Errorf("when the connection broke: %v, %v; want no line and %v", in, err, session.Hangup)
	}
}

func TestOutletKeepsTheOrderOfBothStreams(t *testing.T) {
	var all bytes.Buffer
	mark := func(name string) io.Writer {
		return writerFunc(func(p []byte) (int, error) {
			if len(p) > pieceBytes {
				t.Errorf("a write of %d bytes, want %d at most", len(p), pieceBytes)
			}
			fmt.Fprintf(&all, "%s:%s;", name, p)
			return len(p), nil
		})
	}
	o := newOutlet(mark("out"), mark("err"), true, 1<<20)
	_ = o.put(stdout, []byte("a\n"))
	_ = o.put(stdout, []byte("b\n"))
	_ = o.put(stderr, []byte("c\n"))
	_ = o.put(stdout, []byte("d\n"))
	_ = o.put(stdout, make([]byte, 3*pieceBytes))
	go o.run()
	o.end(t.Context())
	if got, want := strings.ReplaceAll(all.String(), "\x00", ""), "out:a\r\nb\r\n;err:c\r\n;out:d\r\n;out:;out:;out:;"; got != want {
		t.Errorf("written = %q, want %q", got, want)
	}
	if err := o.put(stdout, []byte("late")); err == nil {
		t.Error("something was taken in after the end")
	}
}

func TestOutletEndsWithItsClient(t *testing.T) {
	gone := errors.New("gone")
	o := newOutlet(writerFunc(func([]byte) (int, error) { return 0, gone }), io.Discard, false, 10)
	_ = o.put(stdout, []byte("a"))
	go o.run()
	<-o.done
	if err := o.put(stdout, []byte("b")); !errors.Is(err, gone) {
		t.Errorf("put after a failed write = %v, want %v", err, gone)
	}
	if _, err := o.writer(t.Context(), stderr).Write(make([]byte, 100)); !errors.Is(err, gone) {
		t.Errorf("write after a failed write = %v, want %v", err, gone)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestCommands(t *testing.T) {
	d := open(t, func(o *setup) {
		o.house.exec = func(_ context.Context, v session.Visitor, command string, stdout, stderr io.Writer) int {
			switch command {
			case "who":
				fmt.Fprintf(stdout, "%s\non %q\n", v.User, v.Term)
				return 0
			case "fail":
				fmt.Fprintln(stderr, "no")
				return 1
			}
			fmt.Fprintln(stderr, "unknown:", command)
			return 2
		}
	})
	c := d.login(t, guest("mina"))
	for _, tc := range []struct {
		command  string
		pty      bool
		out, err string
		status   int
	}{
		{"who", false, "mina\non \"\"\n", "", 0},
		{"who", true, "mina\r\non \"vt100\"\r\n", "", 0},
		{"fail", false, "", "no\n", 1},
		{"fail", true, "", "no\r\n", 1},
		{"dance  'all night'", false, "", "unknown: dance  'all night'\n", 2},
	} {
		x := d.session(t, c)
		if tc.pty {
			if err := x.RequestPty("vt100", 24, 80, nil); err != nil {
				t.Fatal(err)
			}
		}
		if err := x.Start(tc.command); err != nil {
			t.Fatal(err)
		}
		if got := x.status(); got != tc.status {
			t.Errorf("%s: exit status = %d, want %d", tc.command, got, tc.status)
		}
		if x.out.String() != tc.out || x.err.String() != tc.err {
			t.Errorf("%s: stdout %q, stderr %q, want %q, %q", tc.command, x.out, x.err, tc.out, tc.err)
		}
	}
}

func TestCommandThatWritesMuchWaitsForItsClientUntilItHasToEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		written, ended := 0, make(chan error, 1)
		d := openInMemory(t, func(o *setup) {
			o.house.exec = func(_ context.Context, _ session.Visitor, _ string, stdout, _ io.Writer) int {
				for {
					n, err := stdout.Write(make([]byte, 32<<10))
					written += n
					if err != nil {
						ended <- err
						return 1
					}
				}
			}
		})
		x := d.session(t, d.login(t, guest("mina")))
		_, stuck := io.Pipe()
		x.Stdout = stuck
		if err := x.Start("history 100000"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Minute)
		select {
		case err := <-ended:
			t.Fatalf("the command ended with %v, want it waiting", err)
		default:
		}
		if err := x.Signal("TERM"); err != nil {
			t.Fatal(err)
		}
		if err := <-ended; !errors.Is(err, session.Hangup) {
			t.Errorf("the end of the command: %v, want %v", err, session.Hangup)
		}
		time.Sleep(2 * closeGrace)
		if got := d.Stats().Sessions; got != 0 {
			t.Errorf("sessions = %d after its end, want 0", got)
		}
		if written > 3<<20 {
			t.Errorf("%d bytes were taken, want no more than SSH's window and one buffer", written)
		}
		stuck.Close()
	})
}

func TestInputOfACommandIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		d := openInMemory(t, func(o *setup) {
			o.house.exec = func(context.Context, session.Visitor, string, io.Writer, io.Writer) int {
				<-release
				return 0
			}
		})
		x := d.session(t, d.login(t, guest("mina")))
		if err := x.Start("who"); err != nil {
			t.Fatal(err)
		}
		if _, err := x.in.Write(make([]byte, 8<<20)); err != nil { // four times SSH's window
			t.Error(err)
		}
		close(release)
		if got := x.status(); got != 0 {
			t.Errorf("exit status = %d, want 0", got)
		}
	})
}
