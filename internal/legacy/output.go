package legacy

import (
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// paceBytes may be sent to a peer in message mode before there is a pause of paceEvery: as much as its one recv can take,
	// and long enough for it to come back for more.
	paceBytes = maxFrame
	paceEvery = 20 * time.Millisecond

	// gatherBytes is about what is written to a line peer at once. More would make the time that one write may take depend on
	// how much waits.
	gatherBytes = 12 << 10
	// bufferBytes is for that and one frame more.
	bufferBytes = 16 << 10

	// framesLent is how many frames have room in a buffer.
	framesLent = 64

	// deadlines is into how many parts the time is cut that a write may take: its deadline is moved on once in a part.
	deadlines = 16
)

// frameBuffers and writeBuffers are lent while there is something in them: most people listen most of the time.
var (
	frameBuffers = sync.Pool{New: func() any { return new([framesLent]frame) }}
	writeBuffers = sync.Pool{New: func() any { return new([bufferBytes]byte) }}
)

func takeFrames() []frame { return frameBuffers.Get().(*[framesLent]frame)[:0] }

// giveFrames gives back what takeFrames has lent. What has outgrown it is left to the collector.
func giveFrames(fs []frame) {
	clear(fs)
	if cap(fs) == framesLent {
		frameBuffers.Put((*[framesLent]frame)(fs[:framesLent]))
	}
}

// An output is what waits to be sent on a connection, and the goroutine that sends it. Its owner never waits for the peer.
//
//  1. In message mode a frame MUST be a Write of its own: two in one segment are printed on one line.
//  2. In message mode no 20 ms MUST see more than 1,024 bytes: an old client that is a little late takes all that has come with
//     one recv of 1,024, across frames, and a cut character is its death.
//  3. A line peer's frames end in CRLF; they may share a Write and need no pace.
type output struct {
	conn    net.Conn
	limit   int           // bytes that may wait before the peer counts as behind
	stall   time.Duration // for how long a write may make no progress
	stalled func()        // called once when one did not
	lines   atomic.Bool   // line mode
	room    chan struct{} // rung when the peer is no longer behind
	wake    chan struct{} // rung when there is something to do

	mu      sync.Mutex
	pending []frame   // guarded by mu
	bytes   int       // guarded by mu: waiting, those taken by the writer included
	late    bool      // guarded by mu: behind, until half of limit is left
	over    bool      // guarded by mu: nothing more will come
	dead    bool      // guarded by mu: nothing can be sent any more
	by      time.Time // guarded by mu: when to give up; zero while not over

	// Of the writer alone.
	sent  int       // bytes in message mode since the last pause
	last  time.Time // when the last of them went
	armed time.Time // when the deadline of writes was moved on last
}

// frame is one piece of text for the peer.
type frame struct {
	text string
	raw  bool // of the dialogue about the nickname: has no line end but its own, in both modes
}

func (f frame) size() int { return len(f.text) }

func newOutput(conn net.Conn, limit int, stall time.Duration, stalled func()) *output {
	return &output{
		conn: conn, limit: limit, stall: stall, stalled: stalled,
		room: make(chan struct{}, 1), wake: make(chan struct{}, 1),
	}
}

func ring(bell chan struct{}) {
	select {
	case bell <- struct{}{}:
	default:
	}
}

// send puts frames into the queue.
func (o *output) send(fs ...frame) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.over || o.dead {
		return
	}
	for _, f := range fs {
		o.bytes += f.size()
	}
	if o.pending == nil {
		o.pending = takeFrames()
	}
	o.pending = append(o.pending, fs...)
	o.late = o.late || o.bytes >= o.limit
	ring(o.wake)
}

// behind reports whether so much waits that nothing more should be sent. When that is over, room rings.
func (o *output) behind() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.late
}

// finish says that nothing more will come, and how long what waits may take.
func (o *output) finish(within time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.over = true
	o.by = time.Now().Add(within)
	_ = o.conn.SetWriteDeadline(o.by) // for the write that may be under way
	ring(o.wake)
}

// run sends until the output is finished or the connection is dead.
func (o *output) run() {
	for {
		fs, more := o.take()
		if len(fs) > 0 {
			o.drain(fs)
			giveFrames(fs)
			continue
		}
		if !more {
			return
		}
		<-o.wake
	}
}

// take returns what waits; more is false when nothing will come any more.
func (o *output) take() (fs []frame, more bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	fs, o.pending = o.pending, nil
	return fs, !o.over && !o.dead
}

// drain sends frames, and gives up all that waits when that fails.
func (o *output) drain(fs []frame) {
	lent := writeBuffers.Get().(*[bufferBytes]byte)
	defer writeBuffers.Put(lent)
	for len(fs) > 0 {
		buf, n := lent[:0], 1
		if o.lines.Load() {
			buf, n = gather(buf, fs)
		} else {
			buf = append(buf, fs[0].text...)
			o.pace(len(buf))
		}
		if err := o.write(buf); err != nil {
			o.fail(err)
			return
		}
		o.written(fs[:n])
		fs = fs[n:]
	}
}

// gather fills a buffer for a line peer and says how many frames it holds.
func gather(buf []byte, fs []frame) (filled []byte, n int) {
	for _, f := range fs {
		buf = append(buf, f.text...)
		if !f.raw {
			buf = append(buf, "\r\n"...)
		}
		n++
		if len(buf) >= gatherBytes {
			break
		}
	}
	return buf, n
}

// pace waits until n more bytes may go. Small talk never waits: it waits only when all bytes since the last silence of
// paceEvery would be more than paceBytes, and such a silence is then made. So no paceEvery, wherever it begins, sees more.
func (o *output) pace(n int) {
	quiet := time.Since(o.last)
	if quiet < paceEvery && o.sent+n > paceBytes {
		timer := time.NewTimer(paceEvery - quiet)
		<-timer.C
		quiet = paceEvery
	}
	if quiet >= paceEvery {
		o.sent = 0
	}
	o.sent += n
}

func (o *output) write(p []byte) error {
	if err := o.arm(); err != nil {
		return err
	}
	_, err := o.conn.Write(p)
	o.last = time.Now()
	return err
}

// arm moves the deadline of writes on. Once the end is near, finish has set it.
func (o *output) arm() error {
	now := time.Now()
	if now.Sub(o.armed) < o.stall/deadlines {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.over {
		return nil
	}
	o.armed = now
	return o.conn.SetWriteDeadline(now.Add(o.stall))
}

// written takes frames out of the count.
func (o *output) written(fs []frame) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, f := range fs {
		o.bytes -= f.size()
	}
	if o.late && o.bytes <= o.limit/2 {
		o.late = false
		ring(o.room)
	}
}

// fail drops everything: a connection on which one write failed takes no other.
func (o *output) fail(err error) {
	o.mu.Lock()
	over := o.over
	o.dead, o.late, o.pending, o.bytes = true, false, nil, 0
	ring(o.room)
	o.mu.Unlock()
	if !over && timedOut(err) {
		o.stalled()
	}
}

// timedOut reports whether the peer took nothing for as long as it may: by the deadline of a write, or by TCP_USER_TIMEOUT
// or keepalives, whichever noticed first.
func timedOut(err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, syscall.ETIMEDOUT)
}
