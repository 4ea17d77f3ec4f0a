package sshchat

import (
	"net"
	"syscall"
	"testing"
	"time"
)

func TestSocketHasTheUserTimeoutAndNoDelay(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	accepted := make(chan net.Conn, 1)
	d := openOn(t, wrappedListener{ln, func(nc net.Conn) net.Conn {
		accepted <- nc
		return nc
	}}, func() (net.Conn, error) { return net.Dial("tcp", ln.Addr().String()) }, nil)
	d.pipe(t, guest("mina")).out.await(t, "hello mina")
	raw, err := (<-accepted).(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var timeout, noDelay int
	_ = raw.Control(func(fd uintptr) {
		timeout, _ = syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout)
		noDelay, _ = syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_NODELAY)
	})
	if timeout != int((2*time.Minute).Milliseconds()) || noDelay == 0 {
		t.Errorf("TCP_USER_TIMEOUT = %d ms, TCP_NODELAY = %d, want 120000 and 1", timeout, noDelay)
	}
}
