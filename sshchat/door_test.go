package sshchat

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	gossh "golang.org/x/crypto/ssh"

	"sarangbang/internal/admission"
	"sarangbang/internal/session"
	"sarangbang/internal/terminal"
	"sarangbang/internal/testkit"
)

// house is a House of functions. Without any it says who has come and repeats what they say, until "quit".
type house struct {
	console func(context.Context, session.Visitor, session.Console) session.End
	exec    func(ctx context.Context, v session.Visitor, command string, stdout, stderr io.Writer) int
}

func (h house) ServeConsole(ctx context.Context, v session.Visitor, c session.Console) session.End {
	if h.console != nil {
		return h.console(ctx, v, c)
	}
	return echo(ctx, v, c)
}

func (h house) Exec(ctx context.Context, v session.Visitor, command string, stdout, stderr io.Writer) int {
	if h.exec != nil {
		return h.exec(ctx, v, command, stdout, stderr)
	}
	fmt.Fprintf(stdout, "ran %s\n", command)
	return 0
}

func (house) Sorry(_ session.Visitor, limit string, n int) string {
	return fmt.Sprintf("sorry: %s %d", limit, n)
}

func echo(ctx context.Context, v session.Visitor, c session.Console) session.End {
	c.SetPrompt([]session.Span{{Text: "> "}})
	_ = c.Print(fmt.Appendf(nil, "hello %s key=%s\n", v.User, v.Key))
	for {
		in, err := c.Next(ctx, session.Wait{})
		if cause, ok := errors.AsType[*session.Cause](err); ok {
			_ = c.Print(fmt.Appendf(nil, "bye: %s\n", cause.Ending))
			return session.End{Why: cause.Ending, Status: 1}
		}
		switch {
		case err != nil || in.Kind == session.Leave || in.Text == "quit":
			return session.End{}
		case in.Kind == session.Line:
			_ = c.Print([]byte("said " + in.Text + "\n"))
		case in.Kind == session.TooLong:
			_ = c.Complain(fmt.Appendf(nil, "too long: %d of %d\n", in.Size, in.Limit))
		}
	}
}

func defaultLimits() Limits {
	return Limits{
		HandshakesPerCore: 4, HandshakeWait: 5 * time.Second, VersionTimeout: 10 * time.Second, LoginTimeout: 30 * time.Second,
		AuthTries: 6, InputBurstBytes: 512 << 10, InputBytesPerSecond: 64 << 10,
		SessionsPerConnection: 4, SessionOpensPerMinute: 20, RefusedChannels: 50, SessionsPerKey: 8, SessionsPerAddress: 64,
		RequestsPerSecond: 64, EnvVars: 32, EnvBytes: 4096, TermNameBytes: 64, CommandBytes: 4096,
		Terminal:   terminal.Limits{PasteBytes: 64 << 10, OutputBytes: 64 << 10},
		WriteStall: 2 * time.Minute, KeepaliveInterval: 30 * time.Second, LoggedBytes: 64,
	}
}

// openGate lets everybody in.
func openGate() admission.Limits {
	const many = 1 << 20
	return admission.Limits{
		Total: many, PerAddress: many, ConnectsPerMinute: many, ConnectBurst: many,
		UnauthenticatedStart: many, UnauthenticatedFull: many, UnauthenticatedPerAddress: many,
		Penalties:         admission.Penalties{Addresses: many, Threshold: time.Hour, Max: time.Hour},
		LogLinesPerSecond: many,
	}
}

// setup is what a test changes before the door opens.
type setup struct {
	house house
	lim   Limits
	gate  admission.Limits
	keys  []gossh.Signer
}

// door is a door that stands open until the test ends.
type door struct {
	*Server
	gate    *admission.Gate
	log     *logBuffer
	connect func() (net.Conn, error)
	served  chan error
}

// open opens a door on a socket of loopback.
func open(t *testing.T, change func(*setup)) *door {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return openOn(t, ln, func() (net.Conn, error) { return net.Dial("tcp", ln.Addr().String()) }, change)
}

// openInMemory opens a door on a listener in memory, for a synctest bubble.
func openInMemory(t *testing.T, change func(*setup)) *door {
	t.Helper()
	ln := testkit.NewListener("127.0.0.1:2222")
	return openOn(t, ln, func() (net.Conn, error) {
		nc, err := ln.Dial("")
		if err == nil {
			// A Write that waits would hold a mutex of the library, and time stands still in a bubble while another one wants it.
			nc.SetBuffer(64 << 20)
		}
		return nc, err
	}, change)
}

func openOn(t *testing.T, ln net.Listener, connect func() (net.Conn, error), change func(*setup)) *door {
	t.Helper()
	o := setup{lim: defaultLimits(), gate: openGate(), keys: []gossh.Signer{hostKey}}
	if change != nil {
		change(&o)
	}
	d := &door{log: &logBuffer{}, connect: connect, served: make(chan error, 1)}
	log := slog.New(slog.NewTextHandler(d.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	d.gate = admission.NewGate(o.gate, log)
	d.Server = New(Options{House: o.house, HostKeys: o.keys, Gate: d.gate, Limits: o.lim, Logger: log})
	go func() { d.served <- d.Serve(context.Background(), ln) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := d.Shutdown(ctx); err != nil {
			t.Errorf("shutdown at the end of the test: %v", err)
		}
		if err := <-d.served; err != nil {
			t.Errorf("Serve = %v, want nil after Shutdown", err)
		}
	})
	return d
}

// raw connects without speaking SSH.
func (d *door) raw(t *testing.T) net.Conn {
	t.Helper()
	nc, err := d.connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	return nc
}

func guest(user string) *gossh.ClientConfig {
	return &gossh.ClientConfig{
		User:            user,
		Auth:            []gossh.AuthMethod{gossh.KeyboardInteractive(noAnswers)},
		HostKeyCallback: gossh.InsecureIgnoreHostKey(),
		// The cheapest exchange: most tests are not about it.
		Config: gossh.Config{KeyExchanges: []string{gossh.KeyExchangeECDHP256}},
	}
}

func noAnswers(string, string, []string, []bool) ([]string, error) { return nil, nil }

func holder(user string, keys ...gossh.Signer) *gossh.ClientConfig {
	c := guest(user)
	c.Auth = []gossh.AuthMethod{gossh.PublicKeys(keys...), c.Auth[0]}
	return c
}

// login connects and logs in.
func (d *door) login(t *testing.T, cfg *gossh.ClientConfig) *gossh.Client {
	t.Helper()
	client, err := d.tryLogin(t, cfg, nil)
	if err != nil {
		t.Fatalf("login: %v", err)
	}
	return client
}

// tryLogin is login over a connection that wrap may change.
func (d *door) tryLogin(t *testing.T, cfg *gossh.ClientConfig, wrap func(net.Conn) net.Conn) (*gossh.Client, error) {
	t.Helper()
	nc := d.raw(t)
	if wrap != nil {
		nc = wrap(nc)
	}
	c, chans, reqs, err := gossh.NewClientConn(nc, "door", cfg)
	if err != nil {
		return nil, err
	}
	return gossh.NewClient(c, chans, reqs), nil
}

// client is one session of a client.
type client struct {
	t *testing.T
	*gossh.Session
	conn     *gossh.Client
	in       io.WriteCloser
	out, err *transcript
}

// session opens a session channel and leaves it at that.
func (d *door) session(t *testing.T, c *gossh.Client) *client {
	t.Helper()
	s, err := c.NewSession()
	if err != nil {
		t.Fatalf("open a session: %v", err)
	}
	x := &client{t: t, Session: s, conn: c, out: newTranscript(), err: newTranscript()}
	s.Stdout, s.Stderr = x.out, x.err
	if x.in, err = s.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	return x
}

// pipe logs in and starts a session without a terminal.
func (d *door) pipe(t *testing.T, cfg *gossh.ClientConfig) *client {
	t.Helper()
	x := d.session(t, d.login(t, cfg))
	if err := x.Shell(); err != nil {
		t.Fatalf("shell: %v", err)
	}
	return x
}

func (x *client) say(line string) {
	x.t.Helper()
	if _, err := io.WriteString(x.in, line+"\n"); err != nil {
		x.t.Errorf("say %q: %v", line, err)
	}
}

// status waits for the end of the session and returns its exit status, or -1 if none came.
func (x *client) status() int {
	err := x.Wait()
	if exit, ok := errors.AsType[*gossh.ExitError](err); ok {
		return exit.ExitStatus()
	}
	if err != nil {
		x.t.Logf("wait for the exit status: %v", err)
		return -1
	}
	return 0
}

// transcript keeps what came and lets a test wait for a part of it.
type transcript struct {
	mu      sync.Mutex
	buf     bytes.Buffer
	changed chan struct{}
}

func newTranscript() *transcript { return &transcript{changed: make(chan struct{})} }

func (tr *transcript) Write(p []byte) (int, error) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	close(tr.changed)
	tr.changed = make(chan struct{})
	return tr.buf.Write(p)
}

func (tr *transcript) String() string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return tr.buf.String()
}

// await waits until want is there.
func (tr *transcript) await(t *testing.T, want string) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	for {
		tr.mu.Lock()
		got, changed := tr.buf.String(), tr.changed
		tr.mu.Unlock()
		if strings.Contains(got, want) {
			return
		}
		select {
		case <-changed:
		case <-deadline:
			t.Fatalf("came %q, want it to hold %q", got, want)
		}
	}
}

// eventually waits until ok is true.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not so after 10 s: %s", what)
		}
	}
}

// logBuffer is a log that a test can read while it is written.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func newKey() gossh.Signer {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	s, err := gossh.NewSignerFromKey(key)
	if err != nil {
		panic(err)
	}
	return s
}

var hostKey = newKey()

var exemptLoopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
