//go:build linux

package e2e

import (
	"fmt"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
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

// farSide returns what the kernel keeps of the house's side of a connection: its queues (sent:received) and its timer, in
// hexadecimal, as in /proc/net/tcp; nothing if it has gone.
func farSide(tb testing.TB, client *net.TCPConn) (queues, timer string) {
	tb.Helper()
	b, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		tb.Fatal(err)
	}
	port := func(a net.Addr) string { return fmt.Sprintf(":%04X", a.(*net.TCPAddr).Port) }
	for line := range strings.Lines(string(b)) {
		// sl local remote state queues timer:when ...
		f := strings.Fields(line)
		if len(f) >= 6 && strings.HasSuffix(f[1], port(client.RemoteAddr())) && strings.HasSuffix(f[2], port(client.LocalAddr())) {
			return f[4], f[5]
		}
	}
	return "", ""
}

// isRead waits until the house has read all that was sent to it, so that what is sent next comes in a read of its own.
func (c *oldClient) isRead() {
	c.t.Helper()
	if !eventually(patience, func() bool { queues, _ := farSide(c.t, c.conn); return strings.HasSuffix(queues, ":00000000") }) {
		c.t.Fatalf("the house does not read what %s sends", c.nick)
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
