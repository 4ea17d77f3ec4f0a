package testkit

import (
	"fmt"
	"net"
	"sync"
)

// Listener is a [net.Listener] in memory: Dial is the only way to it. Like [Pipe] it may be used inside a synctest bubble.
type Listener struct {
	addr   net.Addr
	queue  chan *Conn
	closed chan struct{}
	once   sync.Once

	mu    sync.Mutex
	ports uint16 // guarded by mu; given to callers that named no address
}

var _ net.Listener = (*Listener)(nil)

// NewListener returns a listener that calls itself by addr, such as "127.0.0.1:2222".
func NewListener(addr string) *Listener {
	return &Listener{addr: tcpAddr(addr), queue: make(chan *Conn, 64), closed: make(chan struct{}), ports: 40000}
}

// Dial connects from an address such as "10.0.0.7:4000", or from a port of loopback that nobody had before if from is empty.
// It waits only while 64 connections stand before it that nobody accepted.
func (l *Listener) Dial(from string) (*Conn, error) {
	if from == "" {
		l.mu.Lock()
		l.ports++
		from = fmt.Sprintf("127.0.0.1:%d", l.ports)
		l.mu.Unlock()
	}
	client, server := Pipe()
	client.SetAddrs(tcpAddr(from), l.addr)
	server.SetAddrs(l.addr, tcpAddr(from))
	select {
	case <-l.closed:
		return nil, net.ErrClosed
	default:
	}
	select {
	case l.queue <- server:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	select {
	case <-l.closed: // Close may have emptied the queue before
		server.Reset()
	default:
	}
	return client, nil
}

// Accept implements [net.Listener].
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case <-l.closed:
		return nil, net.ErrClosed
	default:
	}
	select {
	case c := <-l.queue:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close implements [net.Listener]. Connections that nobody accepted are reset.
func (l *Listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	for {
		select {
		case c := <-l.queue:
			c.Reset()
		default:
			return nil
		}
	}
}

// Addr implements [net.Listener].
func (l *Listener) Addr() net.Addr { return l.addr }
