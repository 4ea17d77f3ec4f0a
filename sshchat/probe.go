package sshchat

// probe asks the client of a connection for a sign of life. Its answer comes when it has read everything that was sent before the
// request (RFC 4253 keeps the packets of a connection in order).
type probe func(answered func())

// Probe implements [session.Console].
func (p probe) Probe(answered func()) { p(answered) }

// probe is how the sessions of the connection ask. Each asks once at a time: a client that does not answer costs a goroutine for
// each of its sessions until the connection ends, no more.
func (f *channel) probe(answered func()) {
	f.conn.start(func() {
		if _, _, err := f.ssh.SendRequest("keepalive@openssh.com", true, nil); err == nil {
			answered()
		}
	})
}
