package terminal

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"sarangbang/internal/testkit/emulator"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a terminal with a person before it: an emulator for a screen, a
// keyboard, and an owner that notes what Next returns. It lives in a bubble.
type rig struct {
	*testing.T
	term   *Terminal
	screen *emulator.Terminal
	gate   *gate
	keys   *io.PipeWriter
	reads  int // from the keyboard
	turns  int // calls of Next that have returned
	sizes  chan Size
	tasks  chan func() // run by the owner, between two calls of Next
	bell   chan struct{}
	cancel context.CancelCauseFunc
	hold   bool
	inputs []Input
	err    error // what ended the owner
	done   chan struct{}
}

// gate is a connection's sending side, which can be shut.
type gate struct {
	io.Writer
	open   chan struct{} // closed while the client reads
	writes int
	bytes  int
	last   string // what was written last
}

func (g *gate) Write(p []byte) (int, error) {
	<-g.open
	g.writes++
	g.bytes += len(p)
	g.last = string(p)
	return g.Writer.Write(p)
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

type duplex struct {
	io.Reader
	io.Writer
}

// answers makes the client's terminal say where its cursor is.
func answers(r *rig) {
	r.screen.Answer = func(s string) { _, _ = io.WriteString(r.keys, s) }
}

// wide makes it give two cells to ambiguous characters, and say so.
func wide(r *rig) { r.screen.Wide = true; answers(r) }

// run runs f with a rig, and closes that in the end.
func run(t *testing.T, o Options, f func(r *rig), prepare ...func(*rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, o, prepare...)
		f(r)
		r.close()
	})
}

func newRig(t *testing.T, o Options, prepare ...func(*rig)) *rig {
	t.Helper()
	l := o.Limits
	l.setDefaults()
	size := l.clamp(o.Size)
	r := &rig{
		T:      t,
		screen: emulator.New(size.Columns, size.Rows),
		sizes:  make(chan Size, 1),
		tasks:  make(chan func(), 100),
		bell:   make(chan struct{}, 1),
		done:   make(chan struct{}),
	}
	r.gate = &gate{Writer: r.screen, open: make(chan struct{})}
	close(r.gate.open)
	var in *io.PipeReader
	in, r.keys = io.Pipe()
	o.Resize = r.sizes
	for _, f := range prepare {
		f(r)
	}
	r.term = New(duplex{readerFunc(func(p []byte) (int, error) {
		if r.reads++; len(p) == 0 {
			t.Error("Read with no room") // which returns at once, for ever
		}
		return in.Read(p)
	}), r.gate}, o)
	r.term.SetPrompt([]Span{{Text: "> "}})
	var ctx context.Context
	ctx, r.cancel = context.WithCancelCause(t.Context())
	go func() {
		defer close(r.done)
		for r.err == nil {
			for len(r.tasks) > 0 {
				(<-r.tasks)()
			}
			var in Input
			in, r.err = r.term.Next(ctx, Wait{Bell: r.bell, Hold: r.hold})
			r.turns++
			if r.err == nil && (in.Kind != Woken || len(r.tasks) == 0) { // not what do has caused
				r.inputs = append(r.inputs, in)
			}
		}
	}()
	synctest.Wait()
	return r
}

// do has the owner run f.
func (r *rig) do(f func()) {
	r.Helper()
	r.tasks <- f
	r.bell <- struct{}{}
	synctest.Wait()
}

// sleep lets time pass in the bubble. The owner is told, so that what the test
// has looked at before may change.
func (r *rig) sleep(d time.Duration) {
	r.Helper()
	r.do(func() {})
	time.Sleep(d)
	synctest.Wait()
}

// press sends input, as one read.
func (r *rig) press(keys string) {
	r.Helper()
	if _, err := io.WriteString(r.keys, keys); err != nil {
		r.Fatalf("send %q: %v", keys, err)
	}
	synctest.Wait()
}

// print prints rows.
func (r *rig) print(rows string) { r.Helper(); r.do(func() { r.term.Print([]byte(rows)) }) }

// shut stops the client from reading; open lets it go on.
func (r *rig) shut() { r.gate.open = make(chan struct{}) }
func (r *rig) open() { close(r.gate.open); synctest.Wait() }

// resize changes the size of the screen, and tells the terminal.
func (r *rig) resize(columns, rows int) {
	r.screen.Resize(columns, rows)
	r.sizes <- Size{columns, rows}
	synctest.Wait()
}

// said returns the lines entered since the last call, and drops the rest.
func (r *rig) said() []string {
	var lines []string
	for _, in := range r.inputs {
		if in.Kind == Line {
			lines = append(lines, in.Text)
		}
	}
	r.inputs = nil
	return lines
}

// events returns what Next has returned since the last call, but wake-ups.
func (r *rig) events() []Input {
	var all []Input
	for _, in := range r.inputs {
		if in.Kind != Woken {
			all = append(all, in)
		}
	}
	r.inputs = nil
	return all
}

// text returns the scrollback and the screen, without the empty rows below.
func (r *rig) text() string {
	return strings.TrimRight(strings.Join(append(r.screen.Scrollback(), r.screen.Screen()...), "\n"), "\n")
}

// sees checks the screen, and the cursor's column.
func (r *rig) sees(want string, column int) {
	r.Helper()
	if got := r.text(); got != want {
		r.Errorf("screen\n%s\nwant\n%s", got, want)
	}
	if x, _ := r.screen.Cursor(); x != column {
		r.Errorf("cursor in column %d, want %d", x, column)
	}
}

// drafts checks the draft.
func (r *rig) drafts(want string) {
	r.Helper()
	if got := r.term.Draft(); got != want {
		r.Errorf("draft %q, want %q", got, want)
	}
}

// says presses Enter and checks what is sent.
func (r *rig) says(want ...string) {
	r.Helper()
	r.press("\r")
	got := r.said()
	if strings.Join(got, "\x00") != strings.Join(want, "\x00") || len(got) != len(want) {
		r.Errorf("said %q, want %q", got, want)
	}
}

var errOver = errors.New("test is over")

func (r *rig) close() {
	r.Helper()
	r.stop()
	if err := r.screen.Err(); err != nil {
		r.Errorf("the client got what it does not know: %v", err)
	}
}

// stop ends everything, whatever the client got.
func (r *rig) stop() {
	r.cancel(errOver)
	select {
	case <-r.gate.open:
	default:
		close(r.gate.open)
	}
	<-r.done
	r.term.Close(time.Second)
	r.keys.Close()
	r.term.Wait()
}
