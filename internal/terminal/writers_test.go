package terminal

import (
	"bytes"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// slowWriter takes a while for each Write.
type slowWriter struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (w *slowWriter) Write(p []byte) (int, error) {
	time.Sleep(10 * time.Millisecond)
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.all.Write(p)
}

func (w *slowWriter) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.all.String()
}

// As many writers work as there are terminals with something to send; they are there for the next, and not for ever.
func TestWritersWaitForMoreAndThenGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		writers := NewWriters()
		before := runtime.NumGoroutine()
		more := func() int { return runtime.NumGoroutine() - before }
		var out [3]slowWriter
		var terminals [3]*outgoing
		for i := range out {
			terminals[i] = newOutgoing(&out[i], 1<<16, writers)
		}
		send := func(which ...int) {
			for _, i := range which {
				terminals[i].send(append(takeBuffer(), "line\n"...))
			}
		}
		send(0, 1, 2)
		time.Sleep(15 * time.Millisecond)
		synctest.Wait()
		if got := more(); got != 3 {
			t.Errorf("%d writers are there for 3 terminals, want 3", got)
		}
		for range 5 { // one at a time: those that are there are enough
			send(0)
			send(1)
			time.Sleep(15 * time.Millisecond)
			synctest.Wait()
		}
		if got := more(); got != 3 {
			t.Errorf("%d writers are there after more was sent, want the same 3", got)
		}
		time.Sleep(2 * writerRest)
		synctest.Wait()
		if got := more(); got != 0 {
			t.Errorf("%d writers are there when nothing has been sent for long, want none", got)
		}
		for i, want := range []int{6, 6, 1} {
			if got := bytes.Count([]byte(out[i].String()), []byte("line\n")); got != want {
				t.Errorf("terminal %d was sent %d lines, want %d", i, got, want)
			}
		}
	})
}

// A client that takes nothing keeps one writer, and nobody else waits for it.
func TestStuckWriterKeepsNobodyWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		writers := NewWriters()
		shut := &gate{Writer: &bytes.Buffer{}, open: make(chan struct{})}
		var other slowWriter
		stuck, quick := newOutgoing(shut, 1<<16, writers), newOutgoing(&other, 1<<16, writers)
		stuck.send(append(takeBuffer(), "never\n"...))
		for range 3 {
			quick.send(append(takeBuffer(), "line\n"...))
			time.Sleep(15 * time.Millisecond)
			synctest.Wait()
		}
		if got, want := other.String(), "line\nline\nline\n"; got != want {
			t.Errorf("beside a stuck client %q was sent, want %q", got, want)
		}
		writers.Close()
		synctest.Wait()
		quick.send(append(takeBuffer(), "line\n"...)) // whoever is still there is served
		time.Sleep(15 * time.Millisecond)
		if got, want := other.String(), "line\nline\nline\nline\n"; got != want {
			t.Errorf("after Close %q was sent, want %q", got, want)
		}
		close(shut.open)
	})
}

// sizesWriter notes how long each Write was.
type sizesWriter []int

func (w *sizesWriter) Write(p []byte) (int, error) {
	*w = append(*w, len(p))
	return len(p), nil
}

// What somebody gets who is idle makes no channel keep large buffers; where much is sent it goes out in fewer pieces.
func TestTheFirstPiecesAreSmall(t *testing.T) {
	var sizes sizesWriter
	out := newOutgoing(&sizes, 1<<20, nil)
	const large = 10
	out.send(make([]byte, quietBytes+large*pieceBytes))
	out.writers.Wait()
	const small = quietBytes / quietPieceBytes
	if got := len(sizes); got != small+large {
		t.Fatalf("%d pieces were written, want %d small ones and %d large ones", got, small, large)
	}
	for i, got := range sizes {
		want := quietPieceBytes
		if i >= small {
			want = pieceBytes
		}
		if got != want {
			t.Errorf("piece %d has %d bytes, want %d", i, got, want)
		}
	}
}
