package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"net"
	"sync"

	"golang.org/x/crypto/ssh"
)

// door is how people come in, and what a line is there.
type door string

const (
	terminalDoor door = "terminal"  // SSH, with a terminal
	pipeDoor     door = "pipe"      // SSH, without one: ssh -T
	tcpDoor      door = "tcp"       // the old protocol: what one read returns is a message
	tcpLinesDoor door = "tcp-lines" // the same by line
)

var doors = []door{terminalDoor, pipeDoor, tcpDoor, tcpLinesDoor}

func (d door) ssh() bool { return d == terminalDoor || d == pipeDoor }

// end is what ends a line that is said.
func (d door) end() string {
	switch d {
	case terminalDoor:
		return "\r"
	case pipeDoor, tcpLinesDoor:
		return "\n"
	default:
		return ""
	}
}

// longest is how long a line may be. At the old protocol's door it must fit into 1,024 bytes with its nickname.
func (d door) longest() int {
	if d.ssh() {
		return longestLine
	}
	return longestTCPLine
}

// scanner returns what cuts the stream of this door into rows.
func (d door) scanner(s script) scanner {
	if d == tcpDoor {
		return &frameScanner{script: s}
	}
	return &rowScanner{}
}

// A terminal that wraps no line of the usual length, at the most columns that the server draws for.
const columns, termRows = 500, 50

// link is one person's way to the server.
type link struct {
	conn   net.Conn
	client *ssh.Client // nil at a door of TCP
	screen stream
}

// stream is where a person reads and types.
type stream interface {
	Read(p []byte) (int, error)
	Write(p []byte) (int, error)
}

func (l *link) close() {
	if l.client != nil {
		_ = l.client.Close() // it may be closed already
	}
	_ = l.conn.Close() // likewise
}

// narrow is the receive buffer of somebody who will stop reading the socket, in bytes: what the kernel takes in for them would
// otherwise hide it for seconds. With less than 16 KiB, whoever reads again waits 40 ms for every acknowledgement.
const narrow = 32 << 10

// dial connects to the server. If there is a gate, the socket is read only while that is open. release frees whatever waits for the
// server once ctx ends; it says whether that has not happened yet.
func dial(ctx context.Context, addr string, g *gate) (l *link, release func() bool, err error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, nil, err
	}
	if c, ok := conn.(*net.TCPConn); ok && g != nil {
		if err := c.SetReadBuffer(narrow); err != nil {
			_ = conn.Close()
			return nil, nil, err
		}
		conn = gatedConn{conn, g}
	}
	return &link{conn: conn, screen: conn}, context.AfterFunc(ctx, func() { _ = conn.Close() }), nil
}

// login makes the SSH session: a key of the person's own, a terminal if there is one, a shell.
func (l *link) login(addr, nick string, d door) error {
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
		Config: ssh.Config{Ciphers: []string{ssh.CipherAES128GCM}},
		User:   nick,
		Auth:   []ssh.AuthMethod{ssh.PublicKeys(signer)},
		// As OpenSSH has it. The library would take an RSA key first, which costs a server several times as much as all the rest.
		HostKeyAlgorithms: []string{ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoRSASHA256},
		HostKeyCallback:   ssh.InsecureIgnoreHostKey(), //nolint:gosec // nothing secret is said, to a server under test
	}
	c, channels, requests, err := ssh.NewClientConn(l.conn, addr, config)
	if err != nil {
		return err
	}
	l.client = ssh.NewClient(c, channels, requests)
	screen, answers, err := l.client.OpenChannel("session", nil)
	if err != nil {
		return err
	}
	go ssh.DiscardRequests(answers)
	l.screen = screen
	return startShell(screen, d)
}

// startShell asks for what ssh asks for (RFC 4254, 6.2, 6.4 and 6.5).
func startShell(screen ssh.Channel, d door) error {
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
	if d == terminalDoor {
		if err := ask(screen, "pty-req", ssh.Marshal(pty)); err != nil {
			return err
		}
	}
	return ask(screen, "shell", nil)
}

func ask(screen ssh.Channel, kind string, payload []byte) error {
	ok, err := screen.SendRequest(kind, true, payload)
	if err == nil && !ok {
		err = fmt.Errorf("%s was refused", kind)
	}
	return err
}

// gate is what its owner can shut, so that somebody waits.
type gate struct {
	mu   sync.Mutex
	flow chan struct{} // guarded by mu; closed while it is open
}

func newGate() *gate {
	g := &gate{flow: make(chan struct{})}
	close(g.flow)
	return g
}

// wait waits until the gate is open.
func (g *gate) wait() {
	g.mu.Lock()
	flow := g.flow
	g.mu.Unlock()
	<-flow
}

// shut shuts a gate that is open.
func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.flow = make(chan struct{})
}

// open may be called again.
func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-g.flow:
	default:
		close(g.flow)
	}
}

// gatedConn is read only while its gate is open. A read that has begun before takes what comes once more.
type gatedConn struct {
	net.Conn
	gate *gate
}

// Read implements [net.Conn].
func (c gatedConn) Read(p []byte) (int, error) {
	c.gate.wait()
	return c.Conn.Read(p)
}
