package legacy

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"sarangbang/internal/admission"
	"sarangbang/internal/session"
	"sarangbang/room"
)

const (
	// flushFor is how long the last words may take, behind what waits already.
	flushFor = 2 * time.Second
	// readTime lies between the last words and the RST, so that the client reads them first.
	readTime = 100 * time.Millisecond
	// closeFor is how long a peer that got a FIN may take to answer with its own. Closing at once would make an RST of it if
	// something of theirs is still on its way.
	closeFor = time.Second

	// sendBuffer of the kernel. By itself it grows to megabytes for a peer that reads nothing; what is not sent yet waits much
	// better in the room's log, where it costs nothing and is counted when it is missed.
	sendBuffer = 64 << 10
)

// manner is how people of this door talk. They have no commands, and a line that was sent cannot be given back.
var manner = session.Manner{Door: "tcp", Patient: true}

// visit is one connection from its first byte to its last.
type visit struct {
	server *Server
	conn   net.Conn
	ticket *admission.Ticket
	id     string
	log    *slog.Logger
	cancel context.CancelCauseFunc // ends the session

	typed  *typed
	out    *output
	screen *screen
	gone   chan struct{} // closed when nothing more can be read
}

func newVisit(s *Server, conn net.Conn, ticket *admission.Ticket, cancel context.CancelCauseFunc) *visit {
	id := strings.ToLower(rand.Text()[:8])
	v := &visit{
		server: s, conn: conn, ticket: ticket, id: id, cancel: cancel,
		log:   s.opt.Logger.With("session", id, "remote", conn.RemoteAddr().String()),
		typed: newTyped(s.opt.MessageBytes), gone: make(chan struct{}),
	}
	stalled := sync.OnceFunc(func() {
		s.counts.stalled.Add(1)
		cancel(session.Stalled)
	})
	v.out = newOutput(conn, s.opt.OutputBytes, s.opt.WriteStall, stalled)
	v.screen = &screen{typed: v.typed, out: v.out, draw: s.drawn.frames, entered: ticket.Authenticated}
	return v
}

// serve is the owner: it runs the session between a reader and a writer, then ends the connection as the protocol asks for.
func (v *visit) serve(ctx context.Context) {
	v.tune()
	reading, stop := context.WithCancel(context.WithoutCancel(ctx))
	var both sync.WaitGroup
	defer both.Wait()
	defer v.reset() // if it is still open
	defer stop()
	both.Go(func() { v.read(reading) })
	sent := make(chan struct{})
	both.Go(func() {
		defer close(sent)
		defer v.guard()
		v.out.run()
	})

	why := v.lead(ctx)
	v.out.finish(flushFor)
	<-sent
	v.log.Debug("connection ends", "why", string(why), "stranger", v.screen.stranger)
	switch {
	case v.screen.stranger:
		v.server.counts.strangers.Add(1)
	case v.screen.left:
		v.hangUp()
	default:
		v.wait(readTime)
	}
}

// lead gives the person to the house. A panic ends this visit and nothing else.
func (v *visit) lead(ctx context.Context) (why room.Ending) {
	why = room.EndingFault
	defer v.guard()
	return v.server.opt.House.Serve(ctx, v.visitor(), manner, v.screen).Why
}

func (v *visit) visitor() session.Visitor {
	return session.Visitor{
		Session: v.id,
		Remote:  address(v.conn.RemoteAddr()),
		Env:     map[string]string{"LANG": locale},
		Exempt:  v.ticket.Exempt(),
	}
}

// address returns the IP address; the zero Addr for a connection that has none.
func address(a net.Addr) netip.Addr {
	ap, _ := netip.ParseAddrPort(a.String())
	return ap.Addr().Unmap()
}

// read is the reader's goroutine.
func (v *visit) read(ctx context.Context) {
	defer close(v.gone)
	defer v.typed.end(io.EOF) // a broken connection too: what was typed before counts, and the way out is the same
	defer v.guard()
	r := reader{
		conn: v.conn, typed: v.typed, lines: &v.out.lines, exempt: v.ticket.Exempt(), decode: decoder{limit: v.typed.limit},
	}
	if err := r.run(ctx); timedOut(err) {
		v.out.stalled()
	}
}

// guard makes the end of the visit of a panic.
func (v *visit) guard() {
	fault := recover()
	if fault == nil {
		return
	}
	v.log.Error("connection ended by a fault", "panic", fault, "stack", string(debug.Stack()))
	v.server.counts.panics.Add(1)
	v.server.opt.Gate.Penalize(v.conn.RemoteAddr(), admission.Crash)
	v.cancel(session.Hangup)
	_ = v.conn.Close() // so that nobody waits for it
}

// tune sets the socket's options. What cannot be set is no reason to send somebody away, and a socket that is gone already is
// noticed at the first read.
func (v *visit) tune() {
	tcp, ok := v.conn.(*net.TCPConn)
	if !ok {
		return
	}
	idle := v.server.opt.Keepalive
	_ = tcp.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: idle, Interval: max(idle/3, time.Second), Count: 3})
	_ = tcp.SetWriteBuffer(sendBuffer)
	_ = setUserTimeout(tcp, v.server.opt.WriteStall)
}

// hangUp says that nothing more will come, and waits a moment for the peer to say the same.
func (v *visit) hangUp() {
	if c, ok := v.conn.(interface{ CloseWrite() error }); ok {
		_ = c.CloseWrite() // if it fails, the peer has gone further than that
		v.wait(closeFor)
	}
	_ = v.conn.Close() // nothing is left that could fail to be sent
}

// wait lets time pass, while the peer is there.
func (v *visit) wait(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-v.gone:
	}
}

// reset closes the connection by RST. An old client that gets a FIN for which it has not asked spins for ever.
func (v *visit) reset() { reset(v.conn) }

func reset(conn net.Conn) {
	if c, ok := conn.(interface{ SetLinger(int) error }); ok {
		_ = c.SetLinger(0) // fails only on what is closed
	}
	_ = conn.Close() // likewise
}
