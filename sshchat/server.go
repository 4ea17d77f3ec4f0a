package sshchat

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/gliderlabs/ssh"
	gossh "golang.org/x/crypto/ssh"

	"sarangbang/internal/admission"
	"sarangbang/internal/session"
	"sarangbang/internal/terminal"
)

// House is what stands behind the door. Its methods run on a goroutine of their session; a panic ends that session only.
// The context that they get ends with a [session.Cause] when the session has to: by [session.Shutdown], [session.Stalled] or
// [session.Hangup]. They then say what is left to say and return at once.
type House interface {
	// ServeConsole leads a person through the house, with a terminal or, where the console has no columns, through a pipe. It
	// returns when the person has left; the screen is taken down after that.
	ServeConsole(ctx context.Context, v session.Visitor, c session.Console) session.End
	// Exec runs one command and returns the exit status. Its writers block while the client reads nothing, until ctx ends.
	Exec(ctx context.Context, v session.Visitor, command string, stdout, stderr io.Writer) int
	// Sorry says, in the visitor's language, why there is no session for them: limit names the [Limits] field that was reached, as
	// [TooManyOfKey] or [TooManyOfAddress], and n is its value. The sentence has no line end.
	Sorry(v session.Visitor, limit string, n int) string
}

// The limits that Sorry has a sentence for, under their names in the configuration.
const (
	TooManyOfKey     = "sessions_per_key"
	TooManyOfAddress = "sessions_per_address"
)

// Limits are the bounds of the door, under the names of the configuration in camel case; all are in force as they stand.
// Those marked E are lifted for exempt addresses.
type Limits struct {
	FDReserve int // descriptors left for others; with fewer, connections wait to be accepted

	HandshakesPerCore int           // key exchanges that compute at once
	HandshakeWait     time.Duration // for a place among them
	VersionTimeout    time.Duration // from accept to the end of the client's version line
	LoginTimeout      time.Duration // from accept to the first session
	AuthTries         int           // failed attempts to authenticate

	InputBurstBytes, InputBytesPerSecond int // E: what one connection may send; the rest is read later

	SessionsPerConnection int
	SessionOpensPerMinute int // of one connection
	RefusedChannels       int // of one connection, before it is closed
	SessionsPerKey        int // E
	SessionsPerAddress    int // E
	RequestsPerSecond     int // of one connection, window changes apart, before it is closed

	EnvVars, EnvBytes int // of one session
	TermNameBytes     int
	CommandBytes      int
	// Terminal bounds the screens. PasteBytes and OutputBytes hold for sessions without a terminal, too: for a line and for what
	// waits to be sent.
	Terminal terminal.Limits

	WriteStall        time.Duration // without a sign of life from a peer that owes one
	KeepaliveInterval time.Duration

	LoggedBytes int // of a string that a client chose
}

// Options make a server. All are required.
type Options struct {
	House    House
	HostKeys []gossh.Signer  // as hostkeys.Load returns them
	Gate     *admission.Gate // of this door alone
	Limits   Limits
	Logger   *slog.Logger
}

// Stats are the figures of the door, beside those of its gate.
type Stats struct {
	Connections int               // open now, logged in or not
	Sessions    int               // running now
	Refused     map[string]uint64 // what was refused or closed, by the limit's name
	Panics      uint64            // recovered
	// Abandoned counts connections whose peer broke the protocol in a way that the SSH library leaves goroutines behind for.
	Abandoned uint64
}

// closeGrace is how long a connection lives on after its sessions were told to end: enough to say farewell, and all that a
// writer stuck on a dead screen can be waited for. Only the end of the connection frees such a writer.
const closeGrace = time.Second

// Server is the SSH door. Its methods may be called from any goroutine.
type Server struct {
	house  House
	gate   *admission.Gate
	limits Limits
	log    *slog.Logger
	slots  *admission.Slots
	keys   []ssh.Signer

	writers *terminal.Writers

	mu        sync.Mutex // guards all below
	closing   bool
	stop      map[*context.CancelFunc]struct{} // ends each Serve
	conns     map[*conn]struct{}
	empty     chan struct{} // closed when closing and the last connection is gone
	byKey     map[string]int
	byAddress map[netip.Prefix]int
	stats     Stats
}

// New makes a server. It starts nothing.
func New(o Options) *Server {
	s := &Server{
		house:     o.House,
		gate:      o.Gate,
		limits:    o.Limits,
		log:       o.Logger,
		slots:     admission.NewSlots(o.Limits.HandshakesPerCore*runtime.GOMAXPROCS(0), o.Limits.HandshakeWait),
		writers:   terminal.NewWriters(),
		stop:      map[*context.CancelFunc]struct{}{},
		conns:     map[*conn]struct{}{},
		empty:     make(chan struct{}),
		byKey:     map[string]int{},
		byAddress: map[netip.Prefix]int{},
		stats:     Stats{Refused: map[string]uint64{}},
	}
	for _, k := range o.HostKeys {
		s.keys = append(s.keys, k)
	}
	return s
}

// errListenerClosed says that somebody else closed the listener.
var errListenerClosed = errors.New("ssh door: the listener was closed")

// Serve lets people in by ln until ctx ends or Shutdown is called, then returns nil. It closes ln. Connections outlive it:
// Shutdown ends them.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	accept, stop := context.WithCancel(ctx)
	defer stop()
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		return ln.Close()
	}
	s.stop[&stop] = struct{}{}
	s.mu.Unlock()

	admission.Accept(accept, ln, s.log, s.limits.FDReserve, func(nc net.Conn) { s.admit(context.WithoutCancel(ctx), nc) })

	s.mu.Lock()
	delete(s.stop, &stop)
	s.mu.Unlock()
	if accept.Err() == nil {
		return errListenerClosed
	}
	return nil
}

// admit starts the life of a connection, or closes it without a word.
func (s *Server) admit(ctx context.Context, nc net.Conn) {
	ticket, _ := s.gate.Admit(nc.RemoteAddr())
	if ticket == nil {
		_ = nc.Close()
		return
	}
	c := newConn(ctx, s, nc, ticket)
	// One step: a connection is either in the list that Shutdown ends, or it never begins.
	s.mu.Lock()
	closing := s.closing
	if !closing {
		s.conns[c] = struct{}{}
	}
	s.mu.Unlock()
	if closing {
		_ = c.Close()
		return
	}
	go func() {
		defer s.forget(c)
		c.serve()
	}()
}

func (s *Server) forget(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	if s.closing && len(s.conns) == 0 {
		s.emptiedLocked()
	}
}

// emptiedLocked tells that the last connection has gone.
func (s *Server) emptiedLocked() {
	close(s.empty)
	s.writers.Close()
}

// Shutdown ends Serve, tells everybody, and closes what does not go by itself within a second. It returns when the last
// connection and all its goroutines are gone, or closes the rest and returns the cause of ctx.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	first := !s.closing
	s.closing = true
	stops, conns := slices.Collect(maps.Keys(s.stop)), slices.Collect(maps.Keys(s.conns))
	if first && len(conns) == 0 {
		s.emptiedLocked()
	}
	s.mu.Unlock()
	for _, stop := range stops {
		(*stop)()
	}
	for _, c := range conns { // nobody joins them from now on
		c.farewell(session.Shutdown)
	}
	select {
	case <-s.empty:
		return nil
	case <-ctx.Done():
	}
	for _, c := range conns {
		_ = c.Close()
	}
	return context.Cause(ctx)
}

// Stats reads the figures.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.stats
	out.Connections = len(s.conns)
	out.Refused = maps.Clone(out.Refused)
	return out
}

// refuse counts a refusal under the name of its limit.
func (s *Server) refuse(limit string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Refused[limit]++
}

// seat counts a session of a key and an address in, or names the limit that is reached and its value.
func (s *Server) seat(key string, t *admission.Ticket) (leave func(), limit string, n int) {
	l, at := &s.limits, t.Address()
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case t.Exempt():
	case key != "" && s.byKey[key] >= l.SessionsPerKey:
		s.stats.Refused[TooManyOfKey]++
		return nil, TooManyOfKey, l.SessionsPerKey
	case s.byAddress[at] >= l.SessionsPerAddress:
		s.stats.Refused[TooManyOfAddress]++
		return nil, TooManyOfAddress, l.SessionsPerAddress
	}
	s.stats.Sessions++
	s.byKey[key]++
	s.byAddress[at]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.stats.Sessions--
		take(s.byKey, key)
		take(s.byAddress, at)
	}, "", 0
}

// take counts one down, and forgets what counts nothing.
func take[K comparable](m map[K]int, k K) {
	if m[k]--; m[k] == 0 {
		delete(m, k)
	}
}

// abandon counts a connection that the library left goroutines behind for, and lets its address pay.
func (s *Server) abandon(c *conn) {
	s.gate.Penalize(c.RemoteAddr(), admission.Crash)
	if s.gate.MayLog(c.RemoteAddr()) {
		s.log.Warn("connection broke the protocol and left goroutines behind", "remote", c.remote)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Abandoned++
}

// guard runs f and reports whether it came back without a panic. One that it caught is logged with its stack and counted.
func (s *Server) guard(where, remote string, f func()) (ok bool) {
	defer func() {
		fault := recover()
		if fault == nil {
			return
		}
		s.log.Error("recovered from a panic", "where", where, "remote", remote, "panic", fault, "stack", string(debug.Stack()))
		s.mu.Lock()
		defer s.mu.Unlock()
		s.stats.Panics++
	}()
	f()
	return true
}
