package terminal

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/term"
)

// halfTyped is about 40 cells of a line that is being typed.
const halfTyped = "안녕하세요 여러분, half typed 40 ce"

// row takes 81 bytes and 60 cells, with its line break.
var row = []byte(strings.Repeat("가", 20) + strings.Repeat("x", 20) + "\n")

type countWriter struct{ writes, bytes int }

func (c *countWriter) Write(p []byte) (int, error) {
	c.writes++
	c.bytes += len(p)
	return len(p), nil
}

// bench is a terminal with a half-typed line on its screen, whose owner is the
// test.
type bench struct {
	*Terminal
	bell chan struct{}
}

func startBench(tb testing.TB, typed string) *bench {
	tb.Helper()
	return startBenchOn(tb, &countWriter{}, typed)
}

func startBenchOn(tb testing.TB, out io.Writer, typed string) *bench {
	tb.Helper()
	in, keys := io.Pipe()
	b := &bench{bell: make(chan struct{}, 1)}
	b.Terminal = New(duplex{in, out}, Options{})
	b.SetPrompt([]Span{{"\x1b[32m", "alice"}, {"", "> "}})
	go io.WriteString(keys, typed)
	for b.turn(); b.Draft() != typed || b.draftStale; {
		b.turn()
	}
	tb.Cleanup(func() { keys.Close(); b.Close(time.Second); b.Wait() })
	return b
}

// turn is one call of Next, and all that the writer has to do for it.
func (b *bench) turn() {
	b.bell <- struct{}{}
	if in, err := b.Next(context.Background(), Wait{Bell: b.bell}); err != nil || in.Kind != Woken {
		panic(fmt.Sprintf("Next: %v, %v, want Woken", in, err))
	}
	for b.out.pending() > 0 {
		runtime.Gosched()
	}
}

// draw is what Next does with printed rows, without its loop, the writer and the
// lending of buffers, of which the race detector throws away some.
func (b *bench) draw() {
	b.screen.open()
	b.screen.print(b.above)
	b.above, b.screen.out = b.above[:0], b.screen.out[:0]
}

func startPlain(tb testing.TB, out io.Writer, typed string) *term.Terminal {
	tb.Helper()
	in, keys := io.Pipe()
	t := term.NewTerminal(duplex{in, out}, "\x1b[32malice\x1b[0m> ")
	go func() {
		io.WriteString(keys, typed)
		keys.Close()
	}()
	if _, err := t.ReadLine(); !errors.Is(err, io.EOF) {
		tb.Fatal(err)
	}
	return t
}

// processorTime is what this process has used. On a busy machine it moves far
// less than the clock does.
func processorTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// perRun returns the processor time of one call of f.
func perRun(f func()) time.Duration {
	const runs = 10_000 // at least a millisecond, which is more than any clock's step
	start := processorTime()
	for range runs {
		f()
	}
	return (processorTime() - start) / runs
}

// A line that arrives over a quiet prompt is drawn without a look at the grid,
// and lines that arrive together cost little more than their bytes.
func TestArrivingLinesAreCheap(t *testing.T) {
	hundred := []byte(strings.Repeat(string(row), 100))
	for _, typed := range []string{"", halfTyped} {
		plain := startPlain(t, io.Discard, typed)
		b := startBench(t, typed)
		library := perRun(func() { _, _ = plain.Write(row) })
		drawn := perRun(func() { b.Print(row); b.draw() })
		if drawn > 2*library {
			t.Errorf("draft %q: a lone line costs %v, want at most 2 × the %v of plain x/term", typed, drawn, library)
		}
		lone := perRun(func() { b.Print(row); b.turn() })
		gathered := perRun(func() { b.Print(hundred); b.turn() }) / 100
		if gathered > lone/5 {
			t.Errorf("draft %q: each of 100 lines costs %v, want at most a fifth of the %v of a lone one", typed, gathered, lone)
		}
		if n := testing.AllocsPerRun(1000, func() { b.Print(hundred); b.turn() }) / 100; n > 0.05 {
			t.Errorf("draft %q: each of 100 lines allocates %v times, want never", typed, n)
		}
	}
}

// sshChannel returns the server's end of an SSH channel over a socket, whose
// client reads everything.
func sshChannel(tb testing.TB) io.Writer {
	tb.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer ln.Close()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		tb.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		tb.Fatal(err)
	}
	go func() {
		c, err := ssh.Dial("tcp", ln.Addr().String(), &ssh.ClientConfig{HostKeyCallback: ssh.InsecureIgnoreHostKey()})
		if err != nil {
			return // then Accept fails, or the handshake
		}
		if ch, _, err := c.OpenChannel("session", nil); err == nil {
			io.Copy(io.Discard, ch)
		}
	}()
	nc, err := ln.Accept()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { nc.Close() })
	config := &ssh.ServerConfig{NoClientAuth: true}
	config.AddHostKey(signer)
	_, channels, requests, err := ssh.NewServerConn(nc, config)
	if err != nil {
		tb.Fatal(err)
	}
	go ssh.DiscardRequests(requests)
	ch, requests, err := (<-channels).Accept()
	if err != nil {
		tb.Fatal(err)
	}
	go ssh.DiscardRequests(requests)
	return ch
}

// One row and a hundred, above a prompt and above a half-typed line: plain x/term,
// what is drawn for them, the same just after a key (which draws everything
// anew), and all that one call of Next and the writer do; then plain and whole
// with an SSH channel to write to, and its client in the same process.
func BenchmarkFlush(b *testing.B) {
	for _, line := range []struct{ name, typed string }{{"prompt", ""}, {"typed", halfTyped}} {
		for _, rows := range []struct {
			name  string
			block []byte
		}{{"1", row}, {"100", []byte(strings.Repeat(string(row), 100))}} {
			name := line.name + "/" + rows.name + "/"
			measure := func(what string, out *countWriter, f func()) {
				b.Run(name+what, func(b *testing.B) {
					writes, bytes := out.writes, out.bytes
					b.ReportAllocs()
					start := processorTime()
					for b.Loop() {
						f()
					}
					b.ReportMetric(float64(processorTime()-start)/float64(b.N), "cpu-ns/op")
					if n := out.writes - writes; n > 0 {
						b.ReportMetric(float64(n)/float64(b.N), "writes/op")
						b.ReportMetric(float64(out.bytes-bytes)/float64(b.N), "sent/op")
					}
				})
			}
			out := &countWriter{}
			plain := startPlain(b, out, line.typed)
			measure("plain", out, func() { _, _ = plain.Write(rows.block) })
			none := &countWriter{}
			t := startBench(b, line.typed)
			measure("drawn", none, func() { t.Print(rows.block); t.draw() })
			measure("changed", none, func() { t.screen.stale = true; t.Print(rows.block); t.draw() })
			out = &countWriter{}
			whole := startBenchOn(b, out, line.typed)
			measure("whole", out, func() { whole.Print(rows.block); whole.turn() })
			plain = startPlain(b, sshChannel(b), line.typed)
			measure("plain-ssh", none, func() { _, _ = plain.Write(rows.block) })
			whole = startBenchOn(b, sshChannel(b), line.typed)
			measure("whole-ssh", none, func() { whole.Print(rows.block); whole.turn() })
		}
	}
}

// One key typed, with all that x/term does about it.
func BenchmarkKey(b *testing.B) {
	for _, bb := range []struct{ name, typed string }{{"short", halfTyped}, {"long", strings.Repeat(halfTyped, 100)}, {"longest", strings.Repeat("👍", 16_000)}} {
		b.Run(bb.name, func(b *testing.B) {
			in, keys := io.Pipe()
			t := New(duplex{in, io.Discard}, Options{})
			b.Cleanup(func() { t.Close(time.Second); t.Wait() })
			go func() {
				io.WriteString(keys, bb.typed)
				for b.Loop() {
					io.WriteString(keys, "x")
					io.WriteString(keys, "\x7f")
				}
				keys.Close()
			}()
			if _, err := t.Next(b.Context(), Wait{}); !errors.Is(err, io.EOF) {
				b.Fatal(err)
			}
		})
	}
}
