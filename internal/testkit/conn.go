package testkit

import (
	"bytes"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
)

// DefaultBuffer is how many bytes of each direction a [Pipe] holds before its writer waits, about what a kernel does on
// loopback before it grows.
const DefaultBuffer = 64 << 10

// Pipe returns both ends of a connection in memory. Unlike [net.Pipe] it has buffers: SSH peers both write before they read.
// All waiting is on channels and timers, so it may be used inside a testing/synctest bubble. The ends call themselves by
// addresses of loopback, which SetAddrs changes.
func Pipe() (client, server *Conn) {
	up, down := newStream(DefaultBuffer), newStream(DefaultBuffer)
	client, server = &Conn{in: down, out: up}, &Conn{in: up, out: down}
	near, far := tcpAddr("127.0.0.1:40000"), tcpAddr("127.0.0.1:2222")
	client.SetAddrs(near, far)
	server.SetAddrs(far, near)
	return client, server
}

func tcpAddr(s string) net.Addr { return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(s)) }

// Conn is one end of a [Pipe]. Its methods may be called from any goroutine, as those of any [net.Conn].
type Conn struct {
	in, out *stream

	mu            sync.Mutex
	local, remote net.Addr // guarded by mu
}

var _ net.Conn = (*Conn)(nil)

// SetAddrs changes what this end calls itself and its peer. The other end does not notice.
func (c *Conn) SetAddrs(local, remote net.Addr) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.local, c.remote = local, remote
}

// SetBuffer changes how many bytes may be on the way from this end to the other.
func (c *Conn) SetBuffer(n int) {
	c.out.update(func() { c.out.limit = n })
}

// LocalAddr implements [net.Conn].
func (c *Conn) LocalAddr() net.Addr {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.local
}

// RemoteAddr implements [net.Conn].
func (c *Conn) RemoteAddr() net.Addr {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.remote
}

// Read implements [net.Conn]. Once the peer has closed, it gives what is on the way and then io.EOF; after a Reset it fails
// with ECONNRESET at once.
func (c *Conn) Read(p []byte) (int, error) { return c.in.read(p) }

// Write implements [net.Conn]. It waits while the buffer is full. Once the peer has closed, it fails with EPIPE.
func (c *Conn) Write(p []byte) (int, error) { return c.out.write(p) }

// Close implements [net.Conn]. What was written can still be read by the peer.
func (c *Conn) Close() error {
	c.out.update(func() { c.out.writerGone = true })
	c.in.update(func() { c.in.readerGone = true })
	return nil
}

// CloseWrite says that nothing more will be written, as a FIN does; reading goes on.
func (c *Conn) CloseWrite() error {
	c.out.update(func() { c.out.writerGone = true })
	return nil
}

// Reset closes the connection as an RST does: what is on the way is lost, and the peer's calls fail with ECONNRESET.
func (c *Conn) Reset() {
	for _, s := range []*stream{c.out, c.in} {
		s.update(func() {
			s.reset = true
			s.buf.Reset()
		})
	}
	_ = c.Close()
}

// Unread returns how many bytes the peer wrote that this end has not read yet.
func (c *Conn) Unread() int {
	c.in.mu.Lock()
	defer c.in.mu.Unlock()
	return c.in.buf.Len()
}

// SetDeadline implements [net.Conn].
func (c *Conn) SetDeadline(t time.Time) error {
	_ = c.SetReadDeadline(t)
	return c.SetWriteDeadline(t)
}

// SetReadDeadline implements [net.Conn]. It ends a Read that is waiting, too.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.in.update(func() { c.in.readBy = t })
	return nil
}

// SetWriteDeadline implements [net.Conn]. It ends a Write that is waiting, too.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	c.out.update(func() { c.out.writeBy = t })
	return nil
}

// stream is one direction of a connection.
type stream struct {
	mu         sync.Mutex
	buf        bytes.Buffer
	limit      int
	writing    bool // a Write is under way: others wait, so that the bytes of one call stay together
	writerGone bool
	readerGone bool
	reset      bool
	readBy     time.Time
	writeBy    time.Time
	changed    chan struct{} // closed at the next change; nil while nobody waits for one
}

func newStream(limit int) *stream { return &stream{limit: limit} }

// update changes the stream and wakes everybody who waits for a change.
func (s *stream) update(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
	s.wakeLocked()
}

func (s *stream) wakeLocked() {
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}

// waitLocked lets go of the lock until the stream changes or the deadline passes.
func (s *stream) waitLocked(by time.Time) {
	if s.changed == nil {
		s.changed = make(chan struct{})
	}
	changed := s.changed
	s.mu.Unlock()
	defer s.mu.Lock()
	if by.IsZero() {
		<-changed
		return
	}
	timer := time.NewTimer(time.Until(by))
	defer timer.Stop()
	select {
	case <-changed:
	case <-timer.C:
	}
}

func passed(by time.Time) bool { return !by.IsZero() && !time.Now().Before(by) }

func (s *stream) read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.readerGone:
			return 0, net.ErrClosed
		case s.reset:
			return 0, syscall.ECONNRESET
		case passed(s.readBy):
			return 0, os.ErrDeadlineExceeded
		case len(p) == 0:
			return 0, nil
		case s.buf.Len() > 0:
			s.wakeLocked() // a writer may go on
			return s.buf.Read(p)
		case s.writerGone:
			return 0, io.EOF
		}
		s.waitLocked(s.readBy)
	}
}

func (s *stream) write(p []byte) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.writing && s.writeErrLocked() == nil {
		s.waitLocked(s.writeBy)
	}
	if err := s.writeErrLocked(); err != nil {
		return 0, err
	}
	s.writing = true
	defer func() {
		s.writing = false
		s.wakeLocked()
	}()
	for n < len(p) {
		if err := s.writeErrLocked(); err != nil {
			return n, err
		}
		if free := s.limit - s.buf.Len(); free > 0 {
			part := p[n:min(len(p), n+free)]
			s.buf.Write(part)
			n += len(part)
			s.wakeLocked()
			continue
		}
		s.waitLocked(s.writeBy)
	}
	return n, nil
}

func (s *stream) writeErrLocked() error {
	switch {
	case s.writerGone:
		return net.ErrClosed
	case s.reset:
		return syscall.ECONNRESET
	case s.readerGone:
		return syscall.EPIPE
	case passed(s.writeBy):
		return os.ErrDeadlineExceeded
	}
	return nil
}
