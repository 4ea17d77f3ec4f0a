package floor

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"

	"golang.org/x/crypto/ssh"
)

// Kind is what a floor does.
type Kind string

// The kinds. All take any key. Those with a room ask for a nickname, take the one that was logged in with or what is sent, tell
// everybody who came, and hand what one says to everybody.
const (
	SSHGather Kind = "ssh-gather" // a room on the SSH library: all that waits for somebody is one Write
	SSHLines  Kind = "ssh-lines"  // the same: every line is a Write of its own
	TCPGather Kind = "tcp-gather" // a room on bare TCP: all that waits for somebody is one Write
	TCPLines  Kind = "tcp-lines"  // the same: every line is a Write of its own
	Login     Kind = "login"      // a login by the SSH library, and a prompt
	Terminal  Kind = "terminal"   // a session of gliderlabs/ssh with the prompt of x/term, for oneself alone
)

// Kinds returns all of them.
func Kinds() []Kind { return []Kind{SSHGather, SSHLines, TCPGather, TCPLines, Login, Terminal} }

// Serve serves the connections of ln until ctx ends, and closes it and all of them. An error says that it could not serve.
func Serve(ctx context.Context, ln net.Listener, kind Kind) error {
	if !slices.Contains(Kinds(), kind) {
		return fmt.Errorf("there is no floor %q, only %v", kind, Kinds())
	}
	key, err := hostKey()
	if err != nil {
		return err
	}
	s := &server{room: &room{}, gathers: kind == SSHGather || kind == TCPGather}
	s.serve = s.serveSSH
	switch kind {
	case TCPGather, TCPLines:
		s.serve = s.serveTCP
	case Terminal:
		s.serve = terminals(key)
	case Login:
		s.room = nil
	default:
	}
	s.config = &ssh.ServerConfig{
		PublicKeyCallback: func(ssh.ConnMetadata, ssh.PublicKey) (*ssh.Permissions, error) { return &ssh.Permissions{}, nil },
	}
	s.config.AddHostKey(key)
	return s.run(ctx, ln)
}

func hostKey() (ssh.Signer, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	return ssh.NewSignerFromKey(key)
}

// server is a floor.
type server struct {
	room    *room // nil: there is none
	gathers bool
	serve   func(net.Conn)
	config  *ssh.ServerConfig

	mu     sync.Mutex
	conns  map[net.Conn]struct{} // guarded by mu; nil once it is over
	guests sync.WaitGroup
}

func (s *server) run(ctx context.Context, ln net.Listener) error {
	s.conns = map[net.Conn]struct{}{}
	release := context.AfterFunc(ctx, func() { _ = ln.Close() })
	defer release()
	defer s.guests.Wait()
	defer s.hangUp()
	for {
		conn, err := ln.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				_ = conn.Close()
			}
			return nil
		case err != nil:
			return fmt.Errorf("accept: %w", err)
		}
		s.mu.Lock()
		s.conns[conn] = struct{}{}
		s.mu.Unlock()
		s.guests.Go(func() {
			defer s.forget(conn)
			s.serve(conn)
		})
	}
}

func (s *server) forget(conn net.Conn) {
	_ = conn.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, conn)
}

// hangUp closes all connections.
func (s *server) hangUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for conn := range s.conns {
		_ = conn.Close()
	}
}

// stay is one guest's time at a floor with a room, until read has returned.
func (s *server) stay(g *guest, read func() error) {
	var writing sync.WaitGroup
	writing.Go(g.write)
	_ = read() // whatever ended it, the person is gone
	s.room.leave(g)
	g.end()
	_ = g.to.Close() // frees the writer
	writing.Wait()
}

// serveSSH is one connection by SSH, until its client goes.
func (s *server) serveSSH(conn net.Conn) {
	c, channels, requests, err := ssh.NewServerConn(conn, s.config)
	if err != nil {
		return
	}
	var sessions sync.WaitGroup
	defer sessions.Wait()
	sessions.Go(func() { ssh.DiscardRequests(requests) })
	for n := range channels {
		ch, asked, err := n.Accept()
		if err != nil {
			return
		}
		sessions.Go(func() { grant(asked) })
		sessions.Go(func() { s.session(c.User(), ch) })
	}
}

// grant grants whatever is asked for.
func grant(asked <-chan *ssh.Request) {
	for r := range asked {
		_ = r.Reply(true, nil) // the connection is gone then, and asked is closed
	}
}

// session is one session of a connection by SSH. Enter, or a line, ends what is typed.
func (s *server) session(nick string, ch ssh.Channel) {
	if _, err := io.WriteString(ch, "nickname ["+nick+"]: "); err != nil {
		return
	}
	if s.room == nil {
		_, _ = io.Copy(io.Discard, ch) // until the client goes
		return
	}
	g := newGuest(nick, ch, s.gathers, true)
	s.stay(g, func() error {
		in := false
		return lines(ch, func(text []byte) {
			switch {
			case !in:
				in = true
				_, _ = io.WriteString(ch, "\r\n") // ends the row of the question; a client that is gone is so to read, too
				s.room.enter(g, "* "+nick+" joined.\r\n")
			case len(text) > 0:
				s.room.say(g, text)
			}
		})
	})
}

// lines calls each for everything that ends with CR or LF.
func lines(r io.Reader, each func(text []byte)) error {
	var draft []byte
	buf := make([]byte, 4<<10)
	for {
		n, err := r.Read(buf)
		for _, c := range buf[:n] {
			if c != '\r' && c != '\n' {
				draft = append(draft, c)
				continue
			}
			each(draft)
			draft = draft[:0]
		}
		if err != nil {
			return err
		}
	}
}
