package sshchat

import (
	"context"
	"strings"
	"time"

	"github.com/gliderlabs/ssh"
	gossh "golang.org/x/crypto/ssh"

	"sarangbang/internal/session"
	"sarangbang/internal/terminal"
)

// channel is one session channel: what its client asked for so far, and then the session that runs on it.
//
// The library's own handling of requests stands behind this. It answers shell and exec, and starts the handler; it gets to see
// nothing else, because it does not survive the rest: a length in pty-req overflows and ends the process, a window-change that
// nobody takes blocks the connection, environments pile up without end, and agent forwarding is always granted.
type channel struct {
	gossh.Channel
	conn *conn
	ssh  *gossh.ServerConn

	ctx context.Context // of the session
	end context.CancelCauseFunc

	// What the client asked for, settled when the session starts. The terminal makes a usable size of any.
	env      map[string]string
	envBytes int
	roomLost bool // [session.Visitor.RoomLost]
	pty      bool
	term     string
	command  string // empty for a shell
	started  bool
	size     terminal.Size
	resized  chan terminal.Size // holds the newest one; only the request loop sends

	visitor session.Visitor // of the session's owner, from its start on
}

// openSession serves a session channel from open to close. The library calls it on a goroutine of its own.
func (c *conn) openSession(srv *ssh.Server, sc *gossh.ServerConn, nc gossh.NewChannel, ctx ssh.Context) {
	if !c.enter() {
		return
	}
	defer c.leave()
	c.guardChannel(func() { c.serveChannel(srv, sc, nc, ctx) })
}

// guardChannel runs what answers the requests of a channel.
func (c *conn) guardChannel(serve func()) {
	if !c.server.guard("channel", c.remote, serve) {
		_ = c.Close() // nobody answers them any more
	}
}

func (c *conn) serveChannel(srv *ssh.Server, sc *gossh.ServerConn, nc gossh.NewChannel, ctx ssh.Context) {
	limit := c.takeChannel()
	if limit != "" {
		c.rejectChannel(nc, gossh.ResourceShortage, limit)
		return
	}
	ch, requests, err := nc.Accept()
	if err != nil { // the connection is over
		c.giveChannel()
		return
	}
	f := &channel{Channel: ch, conn: c, ssh: sc, resized: make(chan terminal.Size, 1)}
	f.ctx, f.end = context.WithCancelCause(c.sessions)
	if start := f.prepare(requests); start != nil {
		f.begin(srv, start, ctx)
	}
	// The stack of this goroutine has grown by what was answered so far. What is still to come is little, and waited for as long as
	// the session is: that is done on a new one, which has the smallest stack there is.
	c.start(func() { c.guardChannel(func() { f.attend(requests) }) })
}

// prepare answers the requests before the one that starts a session, and returns that; nil when the channel is closed without.
func (f *channel) prepare(requests <-chan *gossh.Request) (start *gossh.Request) {
	c := f.conn
	// A channel on which nothing ever starts would keep what is sent to it for as long as the connection lives.
	idle := time.AfterFunc(c.server.limits.LoginTimeout, func() { c.shut("login_timeout") })
	defer idle.Stop()
	for r := range requests {
		if f.answer(r) {
			return r
		}
	}
	return nil
}

// attend answers the requests that come while a session is running, to the end of the channel.
func (f *channel) attend(requests <-chan *gossh.Request) {
	defer f.conn.giveChannel()
	defer f.end(session.Hangup)
	for r := range requests {
		f.answer(r)
	}
}

// answer deals with one request, or says that it starts the session: then the library answers it.
func (f *channel) answer(r *gossh.Request) (starts bool) {
	if r.Type != "window-change" {
		f.conn.spendRequest()
	}
	starts, ok := f.consider(r)
	if !starts {
		_ = r.Reply(ok, nil) // fails only with the connection
	}
	return starts
}

// takeChannel counts a session channel in, or names the limit that it would exceed.
func (c *conn) takeChannel() (limit string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.channels >= c.server.limits.SessionsPerConnection:
		return "sessions_per_connection"
	case !c.opens.Allow():
		return "session_opens_per_minute"
	}
	c.channels++
	return ""
}

func (c *conn) giveChannel() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.channels--
}

// refuseChannel answers a request for any other kind of channel: nothing is forwarded here.
func (c *conn) refuseChannel(nc gossh.NewChannel) {
	if !c.enter() {
		return
	}
	defer c.leave()
	c.rejectChannel(nc, gossh.UnknownChannelType, "channel_type")
}

func (c *conn) rejectChannel(nc gossh.NewChannel, reason gossh.RejectionReason, limit string) {
	c.server.refuse(limit)
	c.mu.Lock()
	c.refusals++
	enough := c.refusals >= c.server.limits.RefusedChannels
	c.mu.Unlock()
	if enough {
		c.shut("refused_channels")
		return
	}
	_ = nc.Reject(reason, limit) // fails only with the connection
}

// spendRequest counts a request, and ends a connection that makes too many. Who asked must go on taking requests until the
// library has noticed, or it never does.
func (c *conn) spendRequest() {
	if !c.requests.Allow() {
		c.shut("requests_per_second")
	}
}

// consider looks at one request and says what to answer, or that it starts the session.
func (f *channel) consider(r *gossh.Request) (starts, ok bool) {
	switch r.Type {
	case "pty-req":
		return false, f.wantPty(r.Payload)
	case "env":
		return false, f.wantEnv(r.Payload)
	case "window-change":
		return false, f.resize(r.Payload)
	case "signal":
		return false, f.signal(r.Payload)
	case "shell", "exec":
		ok := f.want(r)
		return ok, ok
	default: // subsystem, agent, x11, break and whatever may come
		f.conn.server.refuse("request")
		return false, false
	}
}

// wantPty is RFC 4254, section 6.2.
func (f *channel) wantPty(payload []byte) bool {
	var want struct {
		Term          string
		Columns, Rows uint32
		PixelsAndMore []byte `ssh:"rest"`
	}
	switch {
	case f.started || f.pty || gossh.Unmarshal(payload, &want) != nil:
		return false
	case len(want.Term) > f.conn.server.limits.TermNameBytes:
		f.conn.server.refuse("term_name_bytes")
		return false
	}
	f.pty, f.term, f.size = true, want.Term, terminal.Size{Columns: int(want.Columns), Rows: int(want.Rows)}
	return true
}

// wantEnv is RFC 4254, section 6.4. What is not known to mean something here is refused. Of that OpenSSH says nothing to anybody: a room
// that is refused must not be forgotten, or what is meant for it would be said in another one.
func (f *channel) wantEnv(payload []byte) bool {
	var want struct{ Name, Value string }
	if f.started || gossh.Unmarshal(payload, &want) != nil || !envAllowed(want.Name) {
		return false
	}
	l := &f.conn.server.limits
	bytes := f.envBytes + len(want.Name) + len(want.Value)
	tooMuch := len(f.env) >= l.EnvVars || bytes > l.EnvBytes
	if want.Name == session.RoomVariable {
		delete(f.env, want.Name) // what it asked for before it does not any more
		f.roomLost = tooMuch
	}
	if tooMuch {
		f.conn.server.refuse("env")
		return false
	}
	if f.env == nil {
		f.env = map[string]string{}
	}
	f.env[want.Name], f.envBytes = want.Value, bytes
	return true
}

func envAllowed(name string) bool {
	switch name {
	case "LANG", "TERM", "COLORTERM", "NO_COLOR", "TZ":
		return true
	}
	return strings.HasPrefix(name, "LC_") || strings.HasPrefix(name, "SARANGBANG_")
}

// resize is RFC 4254, section 6.7. Only the newest size is kept, and nobody is waited for.
func (f *channel) resize(payload []byte) bool {
	var want struct {
		Columns, Rows uint32
		Pixels        []byte `ssh:"rest"`
	}
	if !f.pty || gossh.Unmarshal(payload, &want) != nil {
		return false
	}
	newest := terminal.Size{Columns: int(want.Columns), Rows: int(want.Rows)}
	if !f.started {
		f.size = newest
		return true
	}
	select {
	case <-f.resized:
	default:
	}
	f.resized <- newest
	return true
}

// signal is RFC 4254, section 6.9. Two signals end a session; the others mean nothing here, INT above all: Ctrl-C never ends a
// session.
func (f *channel) signal(payload []byte) bool {
	var want struct{ Name string }
	if gossh.Unmarshal(payload, &want) != nil || want.Name != "TERM" && want.Name != "HUP" {
		return false
	}
	f.end(session.Hangup)
	return true
}

// want is RFC 4254, section 6.5: there is one session on a channel.
func (f *channel) want(r *gossh.Request) bool {
	var want struct{ Command string }
	limit := f.conn.server.limits.CommandBytes
	switch {
	case f.started:
		return false
	case len(r.Payload) > limit+4:
		f.conn.server.refuse("command_bytes")
		return false
	case r.Type == "exec" && gossh.Unmarshal(r.Payload, &want) != nil:
		return false
	}
	f.command = want.Command
	return true
}

// begin hands the one request that starts a session on to the library, which answers it and calls handleSession on a new
// goroutine. It returns when that is done, and with it all that the library does about requests.
func (f *channel) begin(srv *ssh.Server, r *gossh.Request, ctx ssh.Context) {
	f.started = true
	if !f.conn.enter() { // for handleSession
		return
	}
	requests := make(chan *gossh.Request, 1)
	requests <- r
	close(requests)
	ssh.DefaultSessionHandler(srv, f.ssh, accepted{f.Channel, requests}, channelContext{ctx, f})
}

// accepted is a channel that was accepted before, with requests that have come already.
type accepted struct {
	gossh.Channel
	requests <-chan *gossh.Request
}

func (a accepted) Accept() (gossh.Channel, <-chan *gossh.Request, error) {
	return a.Channel, a.requests, nil
}
func (a accepted) Reject(gossh.RejectionReason, string) error { return nil }
func (a accepted) ChannelType() string                        { return "session" }
func (a accepted) ExtraData() []byte                          { return nil }

// channelContext carries a channel to its handler. The library's own context is one for all sessions of a connection.
type channelContext struct {
	ssh.Context
	channel *channel
}

type channelKey struct{}

func (c channelContext) Value(key any) any {
	if key == (channelKey{}) {
		return c.channel
	}
	return c.Context.Value(key)
}
