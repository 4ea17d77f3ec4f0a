package sshchat

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gliderlabs/ssh"
	gossh "golang.org/x/crypto/ssh"
	"golang.org/x/time/rate"

	"sarangbang/internal/admission"
	"sarangbang/internal/session"
)

// conn is one connection, from accept to the end of the last goroutine that it had. The SSH library reads and writes through
// it, so it sees every byte: the timers, the input budget and the handshake slot are here.
type conn struct {
	net.Conn
	server *Server
	ticket *admission.Ticket
	remote string // address and port, for logs

	life     context.Context // ends with the connection
	hangUp   context.CancelCauseFunc
	sessions context.Context // ends with life, or earlier when the sessions have to
	dismiss  context.CancelCauseFunc

	budget   *rate.Limiter // of what the peer sends; nil for none
	requests *rate.Limiter
	opens    *rate.Limiter

	clear     cleartext    // of the one goroutine that reads
	encrypted atomic.Bool  // the first key exchange is over
	slot      atomic.Bool  // a handshake slot is held
	heard     atomic.Int64 // when the peer last sent something, in nanoseconds since born
	born      time.Time
	deaf      chan struct{} // closed when a Read has failed, before the library knows
	deafOnce  sync.Once

	// Of the goroutine of serve, as the library calls back there while somebody logs in.
	library ssh.Context // nil before the library knows the connection
	tried   bool        // to authenticate in any way but "none"
	known   bool        // authenticated
	failure error       // what the library gave up for before that

	mu       sync.Mutex     // guards all below
	limit    string         // the one that ended the connection
	over     bool           // no goroutine begins any more
	running  sync.WaitGroup // Add only while not over
	channels int            // session channels open now
	refusals int            // channels refused so far
	seated   int            // sessions running
	version  *time.Timer    // until the client has said what it is, then nil
	login    *time.Timer    // until the first session, then nil
	alive    *time.Timer    // sends the next keepalive; nil before the first session
}

func newConn(ctx context.Context, s *Server, nc net.Conn, t *admission.Ticket) *conn {
	l := &s.limits
	c := &conn{
		Conn:     nc,
		server:   s,
		ticket:   t,
		remote:   nc.RemoteAddr().String(),
		requests: rate.NewLimiter(rate.Limit(l.RequestsPerSecond), l.RequestsPerSecond),
		opens:    rate.NewLimiter(rate.Limit(l.SessionOpensPerMinute)/60, l.SessionOpensPerMinute),
		born:     time.Now(),
		deaf:     make(chan struct{}),
	}
	if !t.Exempt() {
		c.budget = rate.NewLimiter(rate.Limit(l.InputBytesPerSecond), l.InputBurstBytes)
	}
	c.life, c.hangUp = context.WithCancelCause(ctx)
	c.sessions, c.dismiss = context.WithCancelCause(ctx)
	c.mu.Lock() // which keeps shut waiting until both timers are there
	defer c.mu.Unlock()
	c.version = time.AfterFunc(l.VersionTimeout, func() { c.shut("version_timeout") })
	c.login = time.AfterFunc(l.LoginTimeout, func() { c.shut("login_timeout") })
	return c
}

// serve lets the library do its work on the connection, and returns when everything that this began is over.
func (c *conn) serve() {
	if err := setUserTimeout(c.Conn, c.server.limits.WriteStall); err != nil {
		c.server.log.Debug("no user timeout for a socket", "remote", c.remote, "err", err)
	}
	// Key exchange and login happen on this goroutine, so a panic in them ends here.
	if !c.server.guard("connection", c.remote, func() { c.engine().HandleConn(c) }) {
		c.server.gate.Penalize(c.RemoteAddr(), admission.Crash)
	}
	_ = c.Close()
	c.mu.Lock()
	c.over = true
	if c.alive != nil {
		c.alive.Stop()
	}
	c.mu.Unlock()
	c.running.Wait()
	c.settle()
}

// enter counts a goroutine of the connection in, for leave to count it out, unless the connection is over.
func (c *conn) enter() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return false
	}
	c.running.Add(1)
	return true
}

func (c *conn) leave() { c.running.Done() }

// start runs f on a goroutine of the connection. Its caller runs on one, too.
func (c *conn) start(f func()) { c.running.Go(f) }

// shut ends a connection that went beyond a limit. It must do nothing else: anything more could wait for the very peer that it
// gives up.
func (c *conn) shut(limit string) {
	c.mu.Lock()
	first := c.limit == ""
	if first {
		c.limit = limit
	}
	c.mu.Unlock()
	if first {
		c.server.refuse(limit)
	}
	_ = c.Close()
}

// Close ends the connection and whatever waits for it. It implements [net.Conn]; the library calls it, too.
func (c *conn) Close() error {
	err := c.Conn.Close()
	c.hangUp(session.Hangup)
	c.dismiss(session.Hangup)
	c.yieldSlot()
	c.ticket.Release()
	c.mu.Lock()
	defer c.mu.Unlock()
	end(&c.version)
	end(&c.login)
	return err
}

// end stops a timer and forgets it.
func end(t **time.Timer) {
	if *t != nil {
		(*t).Stop()
		*t = nil
	}
}

// farewell ends the sessions with a cause, and the connection once they had time to tell.
func (c *conn) farewell(cause *session.Cause) {
	c.dismiss(cause)
	c.mu.Lock()
	waiting := c.seated > 0
	c.mu.Unlock()
	if !waiting {
		_ = c.Close()
		return
	}
	time.AfterFunc(closeGrace, func() { _ = c.Close() })
}

// Read implements [net.Conn] for the library. It keeps back what goes beyond the budget, and what a key exchange would compute
// on while too many others do.
func (c *conn) Read(p []byte) (int, error) {
	c.yieldSlot() // who asks for more does not compute
	if c.budget != nil {
		p = p[:min(len(p), c.budget.Burst())]
	}
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.heard.Store(int64(time.Since(c.born)))
		if refused := c.accept(p[:n]); refused != nil {
			n, err = 0, refused
		}
	}
	if err != nil {
		c.noteStall(err)
		c.deafOnce.Do(func() { close(c.deaf) })
	}
	return n, err
}

// accept looks at what the peer has sent, and waits until the library may have it.
func (c *conn) accept(p []byte) error {
	if !c.encrypted.Load() {
		seen, err := c.clear.feed(p)
		if err != nil {
			return err
		}
		if seen.version {
			c.named()
		}
		if seen.exchange {
			if err := c.takeSlot(); err != nil {
				return err
			}
		}
		if seen.newKeys {
			c.encrypted.Store(true)
		}
	}
	if c.budget == nil || c.budget.AllowN(time.Now(), len(p)) {
		return nil
	}
	return c.budget.WaitN(c.life, len(p))
}

// named marks that the client has said what it is.
func (c *conn) named() {
	c.mu.Lock()
	defer c.mu.Unlock()
	end(&c.version)
}

// Write implements [net.Conn] for the library.
func (c *conn) Write(p []byte) (int, error) {
	if len(p) > typeAt && p[typeAt] == msgExchangeReply {
		c.yieldSlot()
	}
	n, err := c.Conn.Write(p)
	if err != nil {
		c.noteStall(err)
	}
	return n, err
}

// SetDeadline does nothing: the library sets a zero one before each Read and Write, and the timers are ours.
func (c *conn) SetDeadline(time.Time) error { return nil }

// noteStall tells the sessions what ended them when TCP had to give the peer up.
func (c *conn) noteStall(err error) {
	if errors.Is(err, syscall.ETIMEDOUT) {
		c.dismiss(session.Stalled)
	}
}

// takeSlot waits for a place among the key exchanges that compute. The slot is given back when our reply goes out, and in any
// case before the connection waits for its peer again.
func (c *conn) takeSlot() error {
	if c.slot.Load() {
		return nil
	}
	if err := c.server.slots.Acquire(c.life); err != nil {
		if errors.Is(err, admission.ErrBusy) {
			c.shut("handshake_wait")
		}
		return err
	}
	c.slot.Store(true)
	if c.life.Err() != nil { // Close may have looked before
		c.yieldSlot()
	}
	return nil
}

func (c *conn) yieldSlot() {
	if c.slot.CompareAndSwap(true, false) {
		c.server.slots.Release()
	}
}

// admitted marks the first session: the login is over, and from now on the peer is asked for signs of life.
func (c *conn) admitted(sc *gossh.ServerConn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	end(&c.login)
	c.seated++
	if c.alive == nil && !c.over {
		c.alive = time.AfterFunc(c.server.limits.KeepaliveInterval, func() { c.keepAlive(sc) })
	}
}

func (c *conn) unseat() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seated--
}

// keepAlive asks the peer for a sign of life and waits for it. It runs on a timer's goroutine, so that a quiet connection
// needs none.
func (c *conn) keepAlive(sc *gossh.ServerConn) {
	if !c.enter() {
		return
	}
	defer c.leave()
	answer := make(chan error, 1)
	c.start(func() {
		_, _, err := sc.SendRequest("keepalive@openssh.com", true, nil)
		answer <- err
	})
	stall := c.server.limits.WriteStall
	late := time.NewTimer(stall)
	defer late.Stop()
	for {
		select {
		case err := <-answer:
			if err == nil {
				c.keepAliveAgain()
			}
			return
		case <-late.C:
		}
		// What the peer sends while its answer is on the way is life enough: a big paste may stand before the answer, and is read
		// only as fast as the budget allows.
		quiet := time.Since(c.born) - time.Duration(c.heard.Load())
		if quiet >= stall {
			c.farewell(session.Stalled) // and that frees the request
		}
		late.Reset(max(stall-quiet, closeGrace))
	}
}

func (c *conn) keepAliveAgain() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.over {
		c.alive.Reset(c.server.limits.KeepaliveInterval)
	}
}

// settle draws the balance of a connection that is over: what its address has to pay for.
func (c *conn) settle() {
	if c.leftBehind() {
		c.server.abandon(c)
		return
	}
	c.mu.Lock()
	limit := c.limit
	c.mu.Unlock()
	switch {
	case limit == "version_timeout", limit == "login_timeout":
		c.pay(admission.LoginTimeout, limit)
	case c.known, limit != "":
	case c.tried:
		c.pay(admission.AuthFailure, "auth_failure")
	default:
		c.pay(admission.NoAuth, "no_auth")
	}
}

// pay lets the address pay for a connection that came to nothing. The operator is told, but for what port scans leave.
func (c *conn) pay(o admission.Offence, reason string) {
	gate, log := c.server.gate, c.server.log
	gate.Penalize(c.RemoteAddr(), o)
	level := slog.LevelInfo
	if o == admission.NoAuth {
		level = slog.LevelDebug
	}
	if !log.Enabled(c.life, level) || !gate.MayLog(c.RemoteAddr()) {
		return
	}
	attrs := []slog.Attr{slog.String("remote", c.remote), slog.String("reason", reason)}
	if c.failure != nil { // the peer has a part in its words
		attrs = append(attrs, slog.String("err", logged(c.failure.Error(), c.server.limits.LoggedBytes)))
	}
	log.LogAttrs(c.life, level, "connection without a session", attrs...)
}

// leftBehind reports whether goroutines of the library outlive the connection. Its reader hands packets on through a queue of
// 16. When the other side gave up over a packet that it could not accept, and more follow than the queue holds, the reader
// waits there for ever, and two more wait for it (x/crypto v0.58.0, handshake.go:251, with and without a login). Nothing outside
// the library can free them. So whoever does that is kept away for a while.
func (c *conn) leftBehind() bool {
	if c.library == nil {
		return false
	}
	gone := c.deaf // a reader that has failed goes, and the others with it
	if sc, ok := c.library.Value(ssh.ContextKeyConn).(*gossh.ServerConn); ok {
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = sc.Wait() // its error is how the connection ended, which nobody asks for
		}()
		gone = done
	} else if !c.encrypted.Load() || c.failure == nil || strings.HasPrefix(c.failure.Error(), "ssh: disconnect") {
		return false // the reader ends by itself
	}
	patience := time.NewTimer(closeGrace)
	defer patience.Stop()
	select {
	case <-gone:
		return false
	case <-patience.C:
		return true
	}
}
