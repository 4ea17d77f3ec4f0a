package terminal

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

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

// startTyping returns a terminal with a half-typed line on its screen, and
// leaves nothing running that could disturb a measurement.
func startTyping(b *testing.B, typed string) *Terminal {
	b.Helper()
	in, keys := io.Pipe()
	t := New(duplex{in, io.Discard}, Options{})
	t.SetPrompt([]Span{{"\x1b[32m", "alice"}, {"", "> "}})
	go func() {
		io.WriteString(keys, typed)
		keys.Close()
	}()
	if _, err := t.Next(b.Context(), Wait{}); !errors.Is(err, io.EOF) {
		b.Fatal(err)
	}
	b.Cleanup(func() { t.Close(time.Second); t.Wait() })
	return t
}

func startPlain(b *testing.B, out io.Writer, typed string) *term.Terminal {
	b.Helper()
	in, keys := io.Pipe()
	t := term.NewTerminal(duplex{in, out}, "\x1b[32malice\x1b[0m> ")
	go func() {
		io.WriteString(keys, typed)
		keys.Close()
	}()
	if _, err := t.ReadLine(); !errors.Is(err, io.EOF) {
		b.Fatal(err)
	}
	return t
}

// flush is what Next does with printed rows before it waits, without the two
// goroutines' hand-over.
func flush(t *Terminal) int {
	t.screen.print(t.above)
	t.above = t.above[:0]
	n := len(t.screen.out)
	t.screen.out = t.screen.out[:0]
	return n
}

// A flush of one row and of a hundred, above a prompt and above a half-typed
// line, beside plain x/term doing the same. "changed" is the first flush after
// a key, which draws everything anew.
func BenchmarkFlush(b *testing.B) {
	for _, line := range []struct{ name, typed string }{{"prompt", ""}, {"typed", halfTyped}} {
		for _, rows := range []int{1, 100} {
			name := map[int]string{1: line.name + "/1", 100: line.name + "/100"}[rows]
			block := []byte(strings.Repeat(string(row), rows))
			b.Run(name+"/plain", func(b *testing.B) {
				out := &countWriter{}
				t := startPlain(b, out, line.typed)
				out.bytes, out.writes = 0, 0
				b.ReportAllocs()
				for b.Loop() {
					_, _ = t.Write(block)
				}
				b.ReportMetric(float64(out.bytes)/float64(b.N), "sent/op")
			})
			b.Run(name+"/terminal", func(b *testing.B) {
				t, sent := startTyping(b, line.typed), 0
				b.ReportAllocs()
				for b.Loop() {
					t.Print(block)
					sent += flush(t)
				}
				b.ReportMetric(float64(sent)/float64(b.N), "sent/op")
			})
			b.Run(name+"/changed", func(b *testing.B) {
				t := startTyping(b, line.typed)
				b.ReportAllocs()
				for b.Loop() {
					t.screen.stale = true
					t.Print(block)
					flush(t)
				}
			})
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
