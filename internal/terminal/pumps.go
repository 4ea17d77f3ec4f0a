package terminal

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

const (
	// pieceBytes bounds one Write: an SSH channel keeps a buffer as large as the
	// largest it has seen for as long as it lives.
	pieceBytes = 8 << 10
	// keptBytes is how large a buffer may be to be kept while nothing happens.
	keptBytes  = 4 << 10
	chunkBytes = 512
	// idleReads is how often in a row a Read may return nothing, without an
	// error, before it counts as one.
	idleReads = 100
)

// incoming hands the client's bytes over, one chunk at a time, so that a client
// is read no faster than its input is used.
type incoming struct {
	chunks chan []byte // closed when the input has ended
	quit   chan struct{}
}

func newIncoming() incoming {
	return incoming{chunks: make(chan []byte), quit: make(chan struct{})}
}

func (in *incoming) stop() { close(in.quit) }

func (in *incoming) run(r io.Reader) {
	defer close(in.chunks)
	var bufs [2][chunkBytes]byte
	which, idle := 0, 0
	for {
		buf := bufs[which][:]
		n, err := r.Read(buf)
		if n > 0 {
			idle = 0
			select {
			case in.chunks <- buf[:n]: // the owner has done with the other one
				which = 1 - which
			case <-in.quit:
				return
			}
		} else if idle++; idle > idleReads {
			return
		}
		if err != nil {
			return
		}
	}
}

// outgoing is the only place where bytes wait for the client.
type outgoing struct {
	mu      sync.Mutex // guards the next five
	waiting []byte
	spare   []byte // an empty buffer to go on with
	flying  int    // bytes that the writer has in hand
	closed  bool   // nothing more is taken
	err     error  // why the writer gave up

	wake    chan struct{} // there is something to send, or closed is set
	drained chan struct{} // all that the writer had in hand is sent
	failed  chan struct{} // closed when err is set by a Write
	done    chan struct{} // closed when the writer has ended
}

func newOutgoing() *outgoing {
	return &outgoing{
		wake:    make(chan struct{}, 1),
		drained: make(chan struct{}, 1),
		failed:  make(chan struct{}),
		done:    make(chan struct{}),
	}
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// send queues p for the client. It never waits, and keeps nothing of p.
func (o *outgoing) send(p []byte) {
	o.mu.Lock()
	if !o.closed {
		if o.waiting == nil {
			o.waiting, o.spare = o.spare, nil
		}
		o.waiting = append(o.waiting, p...)
	}
	o.mu.Unlock()
	poke(o.wake)
}

// pending returns how many bytes the client has not taken yet.
func (o *outgoing) pending() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.waiting) + o.flying
}

// close lets the writer send what waits, but for no longer than timeout, and
// take nothing more. It returns nil if all was sent.
func (o *outgoing) close(timeout time.Duration) error {
	o.mu.Lock()
	o.closed = true
	o.mu.Unlock()
	poke(o.wake)
	limit := time.NewTimer(timeout)
	defer limit.Stop()
	select {
	case <-o.done:
	case <-limit.C:
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	left := len(o.waiting) + o.flying
	o.waiting = nil
	if left > 0 && o.err == nil {
		o.err = fmt.Errorf("%d bytes not taken by the client: %w", left, os.ErrDeadlineExceeded)
	}
	return o.err
}

// run is the writer.
func (o *outgoing) run(w io.Writer) {
	defer close(o.done)
	for range o.wake {
		for {
			p, more := o.take()
			if len(p) == 0 {
				if !more {
					return
				}
				break
			}
			if !o.write(w, p) {
				return
			}
			poke(o.drained)
		}
	}
}

// take returns all that waits, and whether there will be more.
func (o *outgoing) take() (p []byte, more bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	p, o.waiting, o.flying = o.waiting, nil, len(o.waiting)
	return p, !o.closed
}

// write sends p in pieces. It reports false if the rest must not be sent.
func (o *outgoing) write(w io.Writer, p []byte) bool {
	for rest := p; len(rest) > 0; {
		n := min(len(rest), pieceBytes)
		_, err := w.Write(rest[:n])
		rest = rest[n:]
		o.mu.Lock()
		o.flying = len(rest)
		if err != nil && o.err == nil {
			o.closed, o.waiting, o.flying = true, nil, 0
			o.err = fmt.Errorf("write to the client: %w", err)
			close(o.failed)
		}
		stop := o.err != nil
		o.mu.Unlock()
		if stop {
			return false
		}
	}
	if cap(p) <= keptBytes {
		o.mu.Lock()
		o.spare = p[:0]
		o.mu.Unlock()
	}
	return true
}
