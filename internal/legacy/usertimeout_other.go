//go:build !linux

package legacy

import (
	"net"
	"time"
)

// setUserTimeout does nothing here: the deadline of writes and keepalives do.
func setUserTimeout(*net.TCPConn, time.Duration) error { return nil }
