package legacy

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sarangbang/internal/admission"
	"sarangbang/internal/i18n"
	"sarangbang/internal/identity"
	"sarangbang/internal/memjournal"
	"sarangbang/internal/moderation"
	"sarangbang/internal/session"
	"sarangbang/internal/testkit"
	"sarangbang/room"
)

// This file holds what the tests of the door share: a whole house behind it, and strict clients before it.

const (
	joinWords = "님이 입장 했습니다."
	partWords = " 님이 퇴장하셨습니다."
)

// house is a house with an open door.
type house struct {
	room   *room.House
	server *Server
	gate   *admission.Gate
	dial   func() (net.Conn, error)
	// settle waits until everything that can happen by itself has happened; nil where nobody can know that: on real sockets.
	settle func()
	log    *lockedBuffer
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer // guarded by mu
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// inMemory opens a house within a synctest bubble.
func inMemory(t *testing.T) *house {
	t.Helper()
	ln := testkit.NewListener("127.0.0.1:12000")
	h := open(t, ln, nil)
	h.dial = func() (net.Conn, error) { return ln.Dial("") }
	h.settle = func() {
		time.Sleep(100 * time.Millisecond) // of the bubble: for the pace
		synctest.Wait()
	}
	return h
}

// onLoopback opens a house on a real socket.
func onLoopback(t *testing.T) *house {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := open(t, ln, nil)
	h.dial = func() (net.Conn, error) { return net.Dial("tcp", ln.Addr().String()) }
	return h
}

// open opens the door of a house on ln, until the test ends. With other, that is behind the door instead.
func open(t *testing.T, ln net.Listener, other House) *house {
	t.Helper()
	h := &house{log: &lockedBuffer{}}
	logger := slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	journal := memjournal.New(memjournal.Options{})
	h.room = room.NewHouse(journal, memjournal.NewLeases(), room.Options{Logger: logger})
	behind := other
	if behind == nil {
		behind = session.New(session.Options{
			House: h.room, Names: identity.DefaultRules(), Lang: i18n.English, Logger: logger,
			Limits: session.Limits{
				Message: room.DefaultTextLimits, BacklogLines: 20, OutboxLines: 64, RefusalsPer10s: 40, NickTimeout: 10 * time.Minute,
			},
			Rates: moderation.NewRates(moderation.Limits{
				MessageBurst: 1000, MessagesPerSecond: 1000, NickChangesPerMinute: 5, NewPeoplePerMinute: 10,
			}),
		})
	}
	const many = 1 << 16
	h.gate = admission.NewGate(admission.Limits{
		Total: many, PerAddress: 64, ConnectsPerMinute: many, ConnectBurst: many,
		UnauthenticatedStart: 32, UnauthenticatedFull: 32, UnauthenticatedPerAddress: 32,
		LogLinesPerSecond: 1, Penalties: admission.Penalties{Addresses: 8}, MemoryShedPercent: 85,
	}, logger)
	h.server = New(Options{
		House: behind, Gate: h.gate, MessageBytes: 4096, OutputBytes: 64 << 10, WriteStall: 2 * time.Minute,
		Keepalive: time.Minute, Logger: logger,
	})

	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := h.room.Run(ctx); err != nil {
			t.Errorf("the house ended: %v", err)
		}
	})
	running.Go(func() {
		if err := h.server.Serve(ctx, ln); err != nil {
			t.Errorf("Serve = %v, want nil", err)
		}
	})
	t.Cleanup(func() {
		if err := h.server.Shutdown(context.Background()); err != nil {
			t.Errorf("Shutdown = %v, want nil", err)
		}
		stop()
		running.Wait()
		journal.Close()
	})
	return h
}

// somebody enters the room without a door, as people of other doors do.
func (h *house) somebody(t *testing.T, nick room.Nick) *room.Member {
	t.Helper()
	m, err := h.room.Enter(t.Context(), room.Claim{Nick: nick, Names: []string{string(nick)}}, room.Entry{Where: room.Lobby, Back: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Leave(room.EndingLeft) })
	return m
}

// client is a peer of the door that compares every byte.
type client struct {
	t    *testing.T
	h    *house
	nick string
	conn net.Conn
}

// connect comes to the door and takes in its prompt.
func (h *house) connect(t *testing.T) *client {
	t.Helper()
	conn, err := h.dial()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	c := &client{t: t, h: h, conn: conn}
	c.gets(promptText)
	return c
}

// join connects under a nickname. Everybody who is in sees it.
func (h *house) join(t *testing.T, nick string, others ...*client) *client {
	t.Helper()
	c := h.connect(t)
	if h.settle == nil { // others see a leave line a moment before the name is free
		until(t, "those who left are gone", func() bool { return h.gate.Stats().Open == len(others)+1 })
	}
	c.nick = nick
	c.sends(nick)
	everybody(append(others, c), "["+nick+"]"+joinWords)
	return c
}

// sends makes one segment of s.
func (c *client) sends(s string) {
	c.t.Helper()
	if _, err := io.WriteString(c.conn, s); err != nil {
		c.t.Fatalf("%s sends %q: %v", c.nick, s, err)
	}
}

// gets takes what the server has sent and compares it with want, byte for byte. Without framing there is nothing else to
// compare. In a bubble nothing more may come; on a real socket what comes too much spoils the next comparison.
func (c *client) gets(want string) {
	c.t.Helper()
	n := len(want)
	if c.h.settle != nil {
		c.h.settle()
		n = c.conn.(*testkit.Conn).Unread()
	}
	buf := make([]byte, n)
	c.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	n, err := io.ReadFull(c.conn, buf)
	c.conn.SetReadDeadline(time.Time{})
	if got := string(buf[:n]); got != want {
		c.t.Fatalf("%s got %q (%v), want %q", c.nick, got, err, want)
	}
}

// ends takes all that comes until the connection ends, compares it with want, and looks how it ended: with io.EOF after a
// FIN, with ECONNRESET after an RST.
func (c *client) ends(want string, how error) {
	c.t.Helper()
	c.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	got, err := io.ReadAll(c.conn)
	if err == nil {
		err = io.EOF
	}
	if string(got) != want || !errors.Is(err, how) {
		c.t.Fatalf("%s got %q, then %v; want %q, then %v", c.nick, got, err, want, how)
	}
}

func everybody(cs []*client, want string) {
	for _, c := range cs {
		c.t.Helper()
		c.gets(want)
	}
}

// until polls for what no other way of waiting is known for.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 10 s", what)
		}
		<-time.After(2 * time.Millisecond)
	}
}
