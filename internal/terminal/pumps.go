package terminal

import (
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// pieceBytes bounds one Write: of the largest that an SSH channel has seen it
	// keeps two buffers for as long as it lives. So the first quietBytes go out in
	// quietPieceBytes each. Few of those who are idle ever get more, and where much
	// is said that is soon over: then fewer and larger pieces cost less to send.
	pieceBytes      = 8 << 10
	quietPieceBytes = 512
	quietBytes      = 32 << 10
	// bufferBytes is the size of the buffers that are lent: a hundred rows have
	// room, and most pastes.
	bufferBytes = 16 << 10
	// keyBytes is how much a reader waits for with memory of its own: no key
	// sends more.
	keyBytes = 64
	// idleReads is how often in a row a Read may return nothing, without an
	// error, before it counts as one.
	idleReads = 100
)

// buffers are lent for as long as something is in them, so that a session in
// which nothing happens has none.
var buffers = sync.Pool{New: func() any { return new([bufferBytes]byte) }}

// takeBuffer borrows an empty buffer.
func takeBuffer() []byte { return buffers.Get().(*[bufferBytes]byte)[:0] }

// giveBuffer gives back what takeBuffer has lent, and nobody uses any more. What
// has outgrown its buffer, and what is none, is left to the collector.
func giveBuffer(b []byte) {
	if cap(b) == bufferBytes {
		buffers.Put((*[bufferBytes]byte)(b[:bufferBytes]))
	}
}

// incoming hands the client's bytes over, one chunk at a time, so that a client
// is read no faster than its input is used.
type incoming struct {
	// chunks is closed when the input has ended. Who takes a chunk gives it to
	// giveBuffer, and must have done with it before it takes the next.
	chunks chan []byte
	quit   chan struct{}
}

func newIncoming() incoming {
	return incoming{chunks: make(chan []byte), quit: make(chan struct{})}
}

func (in *incoming) stop() { close(in.quit) }

func (in *incoming) run(r io.Reader) {
	defer close(in.chunks)
	var keys [2][keyBytes]byte
	which, idle := 0, 0
	buf := keys[which][:]
	for {
		n, err := r.Read(buf)
		if n > 0 {
			idle = 0
			select {
			case in.chunks <- buf[:n]:
			case <-in.quit:
				return
			}
			if n == len(buf) { // there is more: a paste, or a program
				buf = takeBuffer()[:bufferBytes]
			} else {
				which = 1 - which // the owner has done with that one
				buf = keys[which][:]
			}
		} else if idle++; idle > idleReads {
			return
		}
		if err != nil {
			return
		}
	}
}

// outgoing is the only place where bytes wait for the client. Its writer exists
// only while there is something to send: most people listen most of the time,
// and a stack costs as much as all else here.
type outgoing struct {
	w       io.Writer
	limit   int      // from so many bytes on the client is behind
	crew    *Writers // of whom one calls writeAll
	writers sync.WaitGroup

	unsent atomic.Int64 // bytes that the client has not taken yet; changed under mu
	quiet  int          // of quietBytes, how many are still to be sent; of the writer

	mu      sync.Mutex // guards all below
	waiting []byte     // lent; nil if nothing waits
	running bool       // there is a writer
	closed  bool       // nothing more is taken
	err     error      // why the writer gave up

	// changed tells that the client is not behind any more and, once closed is
	// set, that the writer has ended. It is closed when err is set by a Write.
	changed chan struct{}
}

func newOutgoing(w io.Writer, limit int, crew *Writers) *outgoing {
	return &outgoing{w: w, limit: limit, crew: crew, quiet: quietBytes, changed: make(chan struct{}, 1)}
}

// pokeLocked tells the owner to look again.
func (o *outgoing) pokeLocked() {
	select {
	case o.changed <- struct{}{}:
	default:
	}
}

// send queues p, which was lent to the caller, for the client. It never waits.
func (o *outgoing) send(p []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		giveBuffer(p)
		return
	}
	o.unsent.Add(int64(len(p)))
	if o.waiting == nil {
		o.waiting = p
	} else {
		o.waiting = append(o.waiting, p...)
		giveBuffer(p)
	}
	if !o.running {
		o.running = true
		o.writers.Add(1)
		o.crew.start(o)
	}
}

// pending returns how many bytes the client has not taken yet.
func (o *outgoing) pending() int { return int(o.unsent.Load()) }

// broken reports whether the client takes nothing more.
func (o *outgoing) broken() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err != nil
}

// close lets the writer send what waits, but for no longer than timeout, and
// take nothing more. It returns nil if all was sent.
func (o *outgoing) close(timeout time.Duration) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	limit := time.NewTimer(timeout)
	defer limit.Stop()
	for late := false; o.running && !late; {
		o.mu.Unlock()
		select {
		case <-o.changed:
		case <-limit.C:
			late = true
		}
		o.mu.Lock()
	}
	left := o.pending()
	giveBuffer(o.waiting)
	o.waiting = nil
	if left > 0 && o.err == nil {
		o.err = fmt.Errorf("%d bytes not taken by the client: %w", left, os.ErrDeadlineExceeded)
	}
	return o.err
}

// writeAll is the writer.
func (o *outgoing) writeAll() {
	defer o.writers.Done()
	for p := o.take(); p != nil; p = o.take() {
		sent := o.write(p)
		giveBuffer(p)
		if !sent {
			return
		}
	}
}

// take returns all that waits, nil for nothing: then the writer ends.
func (o *outgoing) take() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	p := o.waiting
	o.waiting = nil
	if p == nil {
		o.running = false
		if o.closed && o.err == nil {
			o.pokeLocked()
		}
	}
	return p
}

// write sends p in pieces. It reports false if the rest must not be sent.
func (o *outgoing) write(p []byte) bool {
	for len(p) > 0 {
		n := o.piece(len(p))
		_, err := o.w.Write(p[:n])
		p = p[n:]
		if !o.sent(n, err) {
			return false
		}
	}
	return true
}

// piece returns how many of so many bytes the next Write takes.
func (o *outgoing) piece(n int) int {
	if o.quiet <= 0 {
		return min(n, pieceBytes)
	}
	n = min(n, quietPieceBytes)
	o.quiet -= n
	return n
}

// sent notes what became of a piece, and reports whether to go on.
func (o *outgoing) sent(n int, err error) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	left := o.pending() - n
	o.unsent.Store(int64(left))
	switch {
	case o.err != nil: // close has given up
		o.running = false
		return false
	case err != nil:
		giveBuffer(o.waiting)
		o.closed, o.waiting, o.running = true, nil, false
		o.unsent.Store(0)
		o.err = fmt.Errorf("write to the client: %w", err)
		close(o.changed)
		return false
	case left < o.limit && left+n >= o.limit:
		o.pokeLocked()
	}
	return true
}
