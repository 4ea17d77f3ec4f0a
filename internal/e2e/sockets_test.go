//go:build linux

package e2e

import (
	"net"
	"sync/atomic"
	"syscall"
)

// smallReceiveBuffer makes a socket take little before its peer has to wait.
func smallReceiveBuffer(bytes int) func(network, address string, c syscall.RawConn) error {
	return func(_, _ string, c syscall.RawConn) error {
		var failed error
		err := c.Control(func(fd uintptr) {
			failed = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, bytes)
		})
		if err != nil {
			return err
		}
		return failed
	}
}

// frozenConn is a connection that, once it is frozen, is not read until it thaws.
type frozenConn struct {
	net.Conn
	frozen atomic.Bool
	thawed chan struct{}
}

func (c *frozenConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.frozen.Load() {
		<-c.thawed
	}
	return n, err
}
