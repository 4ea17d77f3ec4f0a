package sshchat

import (
	"bytes"
	"context"
	"io"
	"sync"
	"time"
)

// pieceBytes bounds one Write: a channel keeps a buffer as large as its largest one for as long as it lives.
const pieceBytes = 4 << 10

// A stream is one of the two that a session writes to.
type stream int

const (
	stdout stream = iota
	stderr
)

// outlet sends what a session without a screen says, on both streams and in order, so that no session ever waits for its
// client. It is also the only place where more than one line waits for one.
type outlet struct {
	out, err io.Writer // of the writer's goroutine
	crlf     bool      // the client has a terminal, which no terminal driver serves
	limit    int

	mu      sync.Mutex // guards the next four
	pieces  []piece
	waiting int   // bytes put in and not yet taken by the client
	ended   bool  // nothing more is taken in
	broken  error // the client takes nothing more

	wake chan struct{} // there is something to send, or ended is set
	room chan struct{} // less than the limit waits again
	done chan struct{} // closed when the writer has ended
}

type piece struct {
	to   stream
	data []byte
}

// newOutlet returns an outlet whose writer the caller has to run.
func newOutlet(out, err io.Writer, crlf bool, limit int) *outlet {
	return &outlet{
		out: out, err: err, crlf: crlf, limit: limit,
		wake: make(chan struct{}, 1), room: make(chan struct{}, 1), done: make(chan struct{}),
	}
}

// poke leaves one token in c.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// put takes data in. It never waits and keeps nothing of p; the error is why the client takes nothing more.
func (o *outlet) put(to stream, p []byte) error {
	if o.crlf {
		p = bytes.ReplaceAll(p, []byte("\n"), []byte("\r\n"))
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.broken != nil:
		return o.broken
	case o.ended:
		return io.ErrClosedPipe
	}
	o.waiting += len(p)
	for len(p) > 0 {
		last := len(o.pieces) - 1
		if last < 0 || o.pieces[last].to != to || len(o.pieces[last].data) == pieceBytes {
			o.pieces = append(o.pieces, piece{to: to})
			last++
		}
		d := &o.pieces[last].data
		n := min(len(p), pieceBytes-len(*d))
		*d = append(*d, p[:n]...)
		p = p[n:]
	}
	poke(o.wake)
	return nil
}

// behind reports whether so much waits that nothing more should be put in. Room tells when that is over.
func (o *outlet) behind() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.waiting >= o.limit
}

// delivered reports whether the client's channel has taken all.
func (o *outlet) delivered() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.waiting == 0
}

// run is the writer. It ends when all is sent after end, or when the client takes nothing more.
func (o *outlet) run() {
	defer close(o.done)
	for range o.wake {
		for {
			p, more := o.next()
			if p.data == nil {
				if !more {
					return
				}
				break
			}
			w := o.out
			if p.to == stderr {
				w = o.err
			}
			_, err := w.Write(p.data)
			if !o.sent(len(p.data), err) {
				return
			}
		}
	}
}

func (o *outlet) next() (p piece, more bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.pieces) == 0 {
		return piece{}, !o.ended
	}
	p, o.pieces[0] = o.pieces[0], piece{}
	o.pieces = o.pieces[1:]
	return p, true
}

// sent notes what became of a piece, and reports whether there is a point in going on.
func (o *outlet) sent(n int, err error) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	before := o.waiting
	o.waiting -= n
	if err != nil {
		o.broken, o.pieces, o.waiting = err, nil, 0
		return false
	}
	if before >= o.limit && o.waiting < o.limit {
		poke(o.room)
	}
	return true
}

// end lets the writer send what waits and take nothing more in. It returns when that is done. A client that lives may take as
// long as it likes, for a pipe must lose nothing; once ctx has ended, it has the grace of a connection.
func (o *outlet) end(ctx context.Context) {
	o.mu.Lock()
	o.ended = true
	o.mu.Unlock()
	poke(o.wake)
	select {
	case <-o.done:
		return
	case <-ctx.Done():
	}
	grace := time.NewTimer(closeGrace)
	defer grace.Stop()
	select {
	case <-o.done:
	case <-grace.C:
	}
}

// writer returns a stream whose Write waits while too much is on the way, until ctx ends. All writers of an outlet belong to one
// goroutine.
func (o *outlet) writer(ctx context.Context, to stream) io.Writer {
	return outletWriter{ctx: ctx, outlet: o, to: to}
}

type outletWriter struct {
	ctx    context.Context
	outlet *outlet
	to     stream
}

func (w outletWriter) Write(p []byte) (int, error) {
	for w.outlet.behind() {
		select {
		case <-w.outlet.room:
		case <-w.outlet.done:
		case <-w.ctx.Done():
			return 0, context.Cause(w.ctx)
		}
	}
	if err := w.outlet.put(w.to, p); err != nil {
		return 0, err
	}
	return len(p), nil
}
