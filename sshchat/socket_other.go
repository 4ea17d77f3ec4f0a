//go:build !linux

package sshchat

import (
	"net"
	"time"
)

// setUserTimeout does nothing: other systems have no such option. Keepalives find dead peers there.
func setUserTimeout(net.Conn, time.Duration) error { return nil }
