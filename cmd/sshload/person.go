package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"
)

// A terminal that wraps no line of a run, at the most columns that the server draws for.
const columns, termRows = 500, 50

// What is asked for when somebody logs in without a nickname of their own; the answer is Enter, which takes the name of the
// login.
const nickPrompt = "nickname"

// joinTimeout bounds one person's way into the room.
const joinTimeout = 30 * time.Second

// readBytes is a read: as much as a busy server gathers in one packet.
const readBytes = 32 << 10

// person is somebody with a terminal in the room.
type person struct {
	number int
	nick   string
	clock  *clock
	ledger *ledger
	probes [2]string // the rows that everybody must have seen before the run and after it

	client *ssh.Client
	screen ssh.Channel
	rows   rowScanner

	asked   bool                   // for the nickname, and answered
	isIn    bool                   // joined is closed
	seen    int                    // of the probes
	lastRow atomic.Pointer[string] // before that, for whoever wants to know why somebody did not come in
	joined  chan struct{}          // closed when the person's own arrival is on the screen
	probed  [2]chan struct{}       // closed when the probes are
	gone    chan struct{}          // closed when the stream has ended; the ledger is settled then
	broken  error                  // why it has
	leaving atomic.Bool            // the run is over: that is no fault
}

func newPerson(number int, t *tally, c *clock) *person {
	s := t.script
	return &person{
		number: number, nick: s.nick(number), clock: c,
		ledger: &ledger{tally: t, self: number},
		probes: [2]string{before: "[" + s.nick(0) + "] " + s.probe(before), after: "[" + s.nick(0) + "] " + s.probe(after)},
		joined: make(chan struct{}), gone: make(chan struct{}),
		probed: [2]chan struct{}{make(chan struct{}), make(chan struct{})},
	}
}

// enter logs in, asks for a terminal and waits until the person is in the room. An error says what kept the person out.
// Unless it fails, leave must be called.
func (p *person) enter(ctx context.Context, addr string) error {
	ctx, done := context.WithTimeout(ctx, joinTimeout)
	defer done()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	release := context.AfterFunc(ctx, func() { _ = conn.Close() }) // frees whatever waits below
	err = p.login(conn, addr)
	if err == nil {
		go p.read()
		select {
		case <-p.joined:
		case <-p.gone:
			err = fmt.Errorf("connection ended: %w", p.broken)
		case <-ctx.Done():
		}
	}
	if !release() {
		err = p.unseen(ctx)
	}
	if err == nil {
		return nil
	}
	_ = conn.Close()
	if p.screen != nil {
		<-p.gone
	}
	if row := p.lastRow.Load(); row != nil {
		return fmt.Errorf("%w; the last row was %q", err, *row)
	}
	return err
}

// unseen says why somebody did not come in before ctx ended.
func (p *person) unseen(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("not in the room within %v", joinTimeout)
	}
	return context.Cause(ctx)
}

// login makes the SSH session: a key of the person's own, a terminal, a shell.
func (p *person) login(conn net.Conn, addr string) error {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		return err
	}
	config := &ssh.ClientConfig{
		// One cipher for every server, as it is part of what a delivery costs.
		Config:          ssh.Config{Ciphers: []string{ssh.CipherAES128GCM}},
		User:            p.nick,
		Auth:            []ssh.AuthMethod{ssh.PublicKeys(signer)},
		HostKeyCallback: ssh.InsecureIgnoreHostKey(), //nolint:gosec // nothing secret is said, to a server under test
	}
	c, channels, requests, err := ssh.NewClientConn(conn, addr, config)
	if err != nil {
		return err
	}
	p.client = ssh.NewClient(c, channels, requests)
	screen, answers, err := p.client.OpenChannel("session", nil)
	if err != nil {
		return err
	}
	go ssh.DiscardRequests(answers)
	if err := startShell(screen); err != nil {
		return err
	}
	p.screen = screen
	return nil
}

// startShell asks for what an interactive ssh asks for (RFC 4254, 6.2, 6.4 and 6.5).
func startShell(screen ssh.Channel) error {
	for _, v := range [][2]string{{"NO_COLOR", "1"}, {"LANG", "en_US.UTF-8"}} {
		variable := struct{ Name, Value string }{v[0], v[1]}
		if _, err := screen.SendRequest("env", false, ssh.Marshal(variable)); err != nil {
			return err
		}
	}
	pty := struct {
		Term                         string
		Columns, Rows, Width, Height uint32
		Modes                        string
	}{Term: "xterm-256color", Columns: columns, Rows: termRows, Modes: "\x00"}
	for _, r := range []struct {
		kind    string
		payload []byte
	}{{"pty-req", ssh.Marshal(pty)}, {"shell", nil}} {
		ok, err := screen.SendRequest(r.kind, true, r.payload)
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("%s was refused", r.kind)
		}
	}
	return nil
}

// read takes in the person's stream until it ends.
func (p *person) read() {
	defer close(p.gone)
	buf := make([]byte, readBytes)
	for {
		n, err := p.screen.Read(buf)
		at, fresh := p.clock.now(), int64(0)
		p.rows.feed(buf[:n], func(row []byte) {
			if p.ledger.take(row, at) {
				fresh++
			} else {
				p.notice(row)
			}
		})
		if fresh > 0 {
			p.ledger.tally.arrive(fresh)
		}
		if !p.isIn && !p.asked && bytes.Contains(p.rows.unfinished(), []byte(nickPrompt)) {
			p.asked = true
			if err := p.write("\r"); err != nil {
				p.end(err)
				return
			}
		}
		if err != nil {
			p.end(err)
			return
		}
	}
}

// notice looks at rows that are no lines of the run.
func (p *person) notice(row []byte) {
	if !p.isIn {
		s := string(row)
		p.lastRow.Store(&s)
		if startsWith(row, "* "+p.nick) {
			p.isIn = true
			close(p.joined)
		}
	}
	if p.seen < len(p.probes) && string(row) == p.probes[p.seen] {
		close(p.probed[p.seen])
		p.seen++
	}
}

func (p *person) end(err error) {
	if errors.Is(err, io.EOF) {
		err = errors.New("the server ended the session")
	}
	p.broken = err
	if !p.leaving.Load() {
		p.ledger.cut = err
	}
}

func (p *person) write(keys string) error {
	_, err := io.WriteString(p.screen, keys)
	return err
}

// say types a line and Enter, in one packet.
func (p *person) say(text []byte) error {
	_, err := p.screen.Write(append(text, '\r'))
	return err
}

// leave closes the connection. The person is gone soon after.
func (p *person) leave() {
	p.leaving.Store(true)
	_ = p.client.Close() // it may be closed already
}
