package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// house is the least chat server that the crowd can visit, with a place to spoil what somebody gets to see.
type house struct {
	addr string

	// spoil, if set, says what becomes of the n-th row that is said, on the screen of a person, whose number it gets. Row 0 is the
	// probe before the run. It is called for one row at a time.
	spoil func(person, n int, row string) (rows []string, cut bool)

	// untold, if set, says whose arrivals a person is not told of. Everybody is told of their own.
	untold func(person, newcomer int) bool

	narrow bool // its sockets hold little, and what waits for one waits for all: a stuck reader freezes it
	room   int  // as many people as it takes; 0: any number

	deadline bool // it cuts everybody off soon after they have come

	mu     sync.Mutex
	guests []*guest
	came   int
}

type guest struct {
	nick string
	rows chan string // drawn by a goroutine of the guest's own
	conn net.Conn
	seen int // rows that were said
}

// openHouse opens a house for the time of a test.
func openHouse(t *testing.T, spoil func(person, n int, row string) ([]string, bool)) *house {
	t.Helper()
	return newHouse(t, &house{spoil: spoil})
}

// newHouse opens one with settings of its own.
func newHouse(t *testing.T, h *house) *house {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() { h.run(ln) })
	t.Cleanup(func() {
		_ = ln.Close()
		running.Wait()
	})
	h.addr = ln.Addr().String()
	return h
}

// run takes connections until ln is closed, and waits for their ends.
func (h *house) run(ln net.Listener) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		panic(err)
	}
	config := &ssh.ServerConfig{
		PublicKeyCallback: func(ssh.ConnMetadata, ssh.PublicKey) (*ssh.Permissions, error) { return &ssh.Permissions{}, nil },
	}
	config.AddHostKey(signer)
	var running sync.WaitGroup
	defer running.Wait()
	for {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		if h.narrow {
			_ = conn.(*net.TCPConn).SetWriteBuffer(4 << 10)
		}
		running.Go(func() { h.serve(conn, config) })
	}
}

// serve is one connection, until its client goes.
func (h *house) serve(conn net.Conn, config *ssh.ServerConfig) {
	defer conn.Close()
	c, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	for n := range channels {
		ch, asked, err := n.Accept()
		if err != nil {
			return
		}
		go func() {
			for r := range asked {
				_ = r.Reply(true, nil)
			}
		}()
		waiting := 1 << 16
		if h.narrow {
			waiting = 1
		}
		rows := make(chan string, waiting)
		g := &guest{nick: c.User(), rows: rows, conn: conn}
		h.mu.Lock()
		h.came++
		full := h.room > 0 && h.came > h.room
		h.mu.Unlock()
		if full {
			conn.Close()
			continue
		}
		var drawing sync.WaitGroup
		drawing.Go(func() {
			for row := range rows {
				_, _ = fmt.Fprintf(ch, "\r\x1b[K%s%s> ", row, g.nick)
			}
		})
		h.receive(g, ch)
		h.mu.Lock()
		close(g.rows)
		g.rows = nil
		h.mu.Unlock()
		drawing.Wait()
	}
}

// receive asks for the nickname and takes lines until the guest goes. Drafts are echoed behind the prompt.
func (h *house) receive(g *guest, ch ssh.Channel) {
	_, _ = fmt.Fprintf(ch, "* What shall we call you?\r\nnickname [%s]: ", g.nick)
	var draft []byte
	buf := make([]byte, 4096)
	for {
		n, err := ch.Read(buf)
		if err != nil {
			return
		}
		for _, c := range buf[:n] {
			if c != '\r' {
				draft = append(draft, c)
				continue
			}
			if len(draft) == 0 {
				h.mu.Lock()
				h.guests = append(h.guests, g)
				h.mu.Unlock()
				h.show("* "+g.nick+" joined.\r\n", g, false)
				if h.deadline {
					time.AfterFunc(200*time.Millisecond, func() { g.conn.Close() })
				}
				continue
			}
			h.draw(g, g.nick+"> "+string(draft)+"\r\n")
			h.show("\x1b[32m["+g.nick+"] \x1b[0m"+string(draft)+"\r\n", g, true)
			draft = draft[:0]
		}
	}
}

func (h *house) draw(g *guest, row string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	g.rows <- row
}

// person is the guest's number.
func (g *guest) person() (n int) {
	_, _ = fmt.Sscanf(g.nick[len(g.nick)-personDigits:], "%d", &n)
	return n
}

// show puts a row on all screens, of what somebody said, or of their arrival.
func (h *house) show(row string, by *guest, said bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, g := range h.guests {
		if g.rows == nil {
			continue
		}
		if !said && h.untold != nil && g != by && h.untold(g.person(), by.person()) {
			continue
		}
		rows := []string{row}
		if said && h.spoil != nil {
			var cut bool
			if rows, cut = h.spoil(g.person(), g.seen, row); cut {
				_ = g.conn.Close()
			}
			g.seen++
		}
		for _, r := range rows {
			g.rows <- r
		}
	}
}
