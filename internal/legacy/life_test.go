package legacy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"sarangbang/internal/session"
	"sarangbang/internal/testkit"
	"sarangbang/room"
)

func TestPeopleOfOtherDoorsLookLikeAnyOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := inMemory(t)
		a := h.join(t, "lee")
		m := h.somebody(t, "김 사랑")
		a.gets("[김 사랑]" + joinWords)
		post := func(want string, bodies ...room.Body) {
			t.Helper()
			if _, err := m.Post(t.Context(), room.Lobby, bodies...); err != nil {
				t.Fatal(err)
			}
			a.gets(want)
		}
		lee := h.room.Members(room.Lobby)[0].Person
		post("[김 사랑] 안녕[김 사랑] * 손을 흔든다[김 사랑 → 나] 쉿",
			room.Said{Text: text(t, "안녕")}, room.Emoted{Text: text(t, "손을 흔든다")}, room.Told{To: lee, Text: text(t, "쉿")})
		post("[김 사랑] 하나[김 사랑] 둘", room.Said{Text: text(t, "하나\n둘")})
		long := strings.Repeat("가", 1333)
		var want strings.Builder
		for rest := []rune(long); len(rest) > 0; {
			n := min(len(rest), (1024-len("[김 사랑] "))/3)
			want.WriteString("[김 사랑] " + string(rest[:n]))
			rest = rest[n:]
		}
		post(want.String(), room.Said{Text: text(t, long)})
		if err := m.Rename(t.Context(), "박", []string{"박"}); err != nil {
			t.Fatal(err)
		}
		a.gets("[김 사랑]" + partWords + "[박]" + joinWords)
		m.Leave(room.EndingLeft)
		a.gets("[박]" + partWords)
	})
}

func TestReadsOneAfterTheOtherAreMessagesWhateverTheHouseWaitsFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hold := make(chan struct{})
		p := &peek{enter: true, hold: hold}
		conn := p.open(t)
		const sent = maxReads + 6
		for i := range sent {
			fmt.Fprintf(conn, "line %d", i)
			synctest.Wait()
		}
		if got := p.inputs(); len(got) != 1 || got[0].Kind != session.Overrun || got[0].Size != 1 || got[0].Limit != maxReads {
			t.Errorf("while all is held the session got %+v, want to be told at once that 1 was refused", got)
		}
		time.Sleep(2 * time.Second)
		close(hold)
		synctest.Wait()
		got := p.inputs()
		if len(got) != 2+maxReads || got[1].Kind != session.Overrun || got[1].Size != sent-maxReads-1 {
			t.Fatalf("the session got %d things, the second %+v; want %d, the second %d more refused", len(got), got[1], 2+maxReads, sent-maxReads-1)
		}
		for i, in := range got[2:] {
			if want := fmt.Sprintf("line %d", i); in.Text != want {
				t.Errorf("message %d is %q, want %q", i, in.Text, want)
			}
		}
	})
}

func TestFloodIsReadSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &peek{enter: true, hold: make(chan struct{})}
		conn := p.open(t)
		stop := time.AfterFunc(10*time.Second, func() { conn.Close() })
		defer stop.Stop()
		start, sent := time.Now(), 0
		for {
			n, err := conn.Write(make([]byte, 1024))
			if sent += n; err != nil {
				break
			}
		}
		most := testkit.DefaultBuffer + 1024*(512+200*11)
		if sent > most || sent < most/2 {
			t.Errorf("%d bytes were taken in %v, want about %d", sent, time.Since(start), most)
		}
	})
}

// peek is a house that lets everybody in and notes what the door gives it.
type peek struct {
	enter bool
	hold  chan struct{} // input is held until it is closed

	mu  sync.Mutex
	got []session.Input // guarded by mu
}

func (p *peek) Serve(ctx context.Context, _ session.Visitor, _ session.Manner, s session.Screen) session.End {
	if p.enter {
		s.Enter("kim")
	}
	for {
		w := session.Wait{Hold: !closed(p.hold)}
		if w.Hold {
			w.Bell = p.hold
		}
		in, err := s.Next(ctx, w)
		if err != nil {
			return session.End{}
		}
		if in.Kind != session.Woken {
			p.mu.Lock()
			p.got = append(p.got, in)
			p.mu.Unlock()
		}
	}
}

func closed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func (p *peek) inputs() []session.Input {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.got)
}

// open puts a door before the house and connects to it.
func (p *peek) open(t *testing.T) *testkit.Conn {
	t.Helper()
	ln := testkit.NewListener("127.0.0.1:12000")
	open(t, ln, p)
	conn, err := ln.Dial("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func TestShutdownTellsEverybodyAndResets(t *testing.T) {
	h := onLoopback(t)
	a := h.join(t, "lee")
	waiting := h.connect(t)
	done := make(chan error, 1)
	go func() { done <- h.server.Shutdown(t.Context()) }()
	for name, c := range map[string]*client{"somebody inside": a, "somebody at the prompt": waiting} {
		c.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		got, err := io.ReadAll(c.conn)
		if !strings.HasPrefix(string(got), "[*] ") || !utf8.Valid(got) || !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("%s got %q, then %v; want a notice, then %v", name, got, err, syscall.ECONNRESET)
		}
	}
	if err := <-done; err != nil {
		t.Errorf("Shutdown = %v, want nil", err)
	}
	if c, err := h.dial(); err == nil {
		c.Close()
		t.Error("the door is still open")
	}
}

func TestLastWordsHaveTimeToBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := inMemory(t)
		a := h.join(t, "lee")
		go func() { _ = h.server.Shutdown(t.Context()) }()
		synctest.Wait()
		if a.conn.(*testkit.Conn).Unread() == 0 {
			t.Fatal("no last words")
		}
		start := time.Now()
		if got, err := io.ReadAll(a.conn); err != nil || time.Since(start) != readTime {
			t.Errorf("%q and %v after %v, want the end after %v", got, err, time.Since(start), readTime)
		}
	})
}

func TestWhoGotAFinMayFinish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := inMemory(t)
		a := h.join(t, "lee")
		a.sends("/bye")
		a.ends("", io.EOF)
		time.Sleep(closeFor - time.Millisecond)
		a.sends("too late") // what is on its way would make an RST of the FIN
		time.Sleep(2 * time.Millisecond)
		if _, err := io.WriteString(a.conn, "x"); err == nil {
			t.Error("the connection is open for ever")
		}
	})
}

func TestWhatIsUnfinishedAtTheEndIsDelivered(t *testing.T) {
	h := onLoopback(t)
	a := h.join(t, "lee")
	for sent, want := range map[string]string{"kim\nunfinished": "unfinished", "kim\na\xed\x95": "a\ufffd"} {
		c := h.connect(t)
		c.sends(sent)
		c.conn.(*net.TCPConn).CloseWrite()
		c.ends(kimJoins+"\r\n[kim] "+want+"\r\n", io.EOF)
		a.gets(kimJoins + "[kim] " + want + kimLeaves)
	}
}

func TestWhoTakesNoAnswersAtThePromptGetsNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := inMemory(t)
		c := h.connect(t)
		for range maxReads + 10 {
			c.sends(strings.Repeat("\n", 1024))
			synctest.Wait()
		}
		h.server.mu.Lock()
		defer h.server.mu.Unlock()
		for v := range h.server.visits {
			if got, most := v.out.bytes, 64<<10+len(promptText); got > most {
				t.Errorf("%d bytes wait for somebody who reads nothing, want at most %d", got, most)
			}
		}
	})
}

// timedOutConn is a connection that the kernel has given up.
type timedOutConn struct{ net.Conn }

func (timedOutConn) Read([]byte) (int, error) {
	return 0, &net.OpError{Op: "read", Err: syscall.ETIMEDOUT}
}

func TestConnectionThatTheKernelGaveUpHasStalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := inMemory(t)
		client, server := testkit.Pipe()
		defer client.Close()
		ctx, cancel := context.WithCancelCause(t.Context())
		ticket, _ := h.gate.Admit(server.RemoteAddr())
		v := newVisit(h.server, timedOutConn{server}, ticket, cancel)
		v.read(ctx)
		if cause := context.Cause(ctx); !errors.Is(cause, session.Stalled) || h.server.Stats().Stalled != 1 {
			t.Errorf("the session's cause is %v, %d stalls are counted; want %v, 1", cause, h.server.Stats().Stalled, session.Stalled)
		}
		ticket.Release()
	})
}

func TestShutdownResetsWhoIsLeftWhenItsTimeIsOver(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	stuck := make(chan struct{})
	h := open(t, ln, stuckHouse(stuck))
	defer close(stuck)
	conn, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	until(t, "somebody is inside", func() bool { return h.gate.Stats().Open == 1 })
	over := errors.New("time is over")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(over)
	if err := h.server.Shutdown(ctx); !errors.Is(err, over) {
		t.Errorf("Shutdown = %v, want %v", err, over)
	}
	conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("who was left got %v, want %v", err, syscall.ECONNRESET)
	}
}

// stuckHouse does not end when it should.
type stuckHouse chan struct{}

func (s stuckHouse) Serve(context.Context, session.Visitor, session.Manner, session.Screen) session.End {
	<-s
	return session.End{}
}

func TestPanicEndsOneVisitOnly(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := open(t, ln, faulty{})
	for range 2 {
		conn, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		if _, err := conn.Read(make([]byte, 1)); err == nil || errors.Is(err, net.ErrClosed) {
			t.Errorf("after a panic the connection gives %v, want its end", err)
		}
		conn.Close()
	}
	until(t, "all are gone", func() bool { return h.gate.Stats().Open == 0 })
	if got := h.server.Stats().Panics; got != 2 {
		t.Errorf("%d panics are counted, want 2", got)
	}
	if log := h.log.String(); !strings.Contains(log, "panic=on-purpose") || !strings.Contains(log, "life_test.go") {
		t.Errorf("the log has no stack of the panic:\n%s", log)
	}
}

type faulty struct{}

func (faulty) Serve(context.Context, session.Visitor, session.Manner, session.Screen) session.End {
	panic("on-purpose")
}

func TestTheNewestAreResetWhenTooManyHaveNoNickname(t *testing.T) {
	h := onLoopback(t)
	var last *client
	for range 32 {
		last = h.connect(t)
	}
	n := 0
	conn, err := h.dial() // may see the RST already
	if err == nil {
		defer conn.Close()
		conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		n, err = conn.Read(make([]byte, 64))
	}
	if n > 0 || !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("one too many got %d bytes, %v; want none, %v", n, err, syscall.ECONNRESET)
	}
	last.sends("kim")
	last.gets(kimJoins)
	h.connect(t)
}

func TestOneOfManyClaimantsWins(t *testing.T) {
	h := onLoopback(t)
	const claimants = 20
	var clients []*client
	for range claimants {
		clients = append(clients, h.connect(t))
	}
	for _, c := range clients {
		c.sends("kim")
	}
	won := 0
	for _, c := range clients {
		buf := make([]byte, len(kimJoins))
		c.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		if _, err := io.ReadFull(c.conn, buf); err != nil {
			t.Fatal(err)
		}
		if string(buf) == kimJoins {
			won++
		} else {
			c.gets((takenText + promptText)[len(buf):])
		}
	}
	if won != 1 {
		t.Errorf("%d of %d claimants have the name, want 1", won, claimants)
	}
}

func TestWhoTakesNothingIsEndedAndNobodyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := inMemory(t)
		a := h.join(t, "lee")
		stuck := h.join(t, "kim", a)
		m := h.somebody(t, "park")
		a.gets("[park]" + joinWords)
		start := time.Now()
		line := strings.Repeat("x", 900)
		got := ""
		for h.server.Stats().Stalled == 0 && time.Since(start) < time.Hour {
			if _, err := m.Post(t.Context(), room.Lobby, room.Said{Text: text(t, line)}); err != nil {
				t.Fatal(err)
			}
			h.settle()
			unread := make([]byte, a.conn.(*testkit.Conn).Unread())
			io.ReadFull(a.conn, unread)
			if got = string(unread); !strings.HasPrefix(got, "[park] "+line) {
				t.Fatalf("while somebody takes nothing, lee got %q after a line, want it at once", got)
			}
		}
		// It takes until all buffers are full, then the two minutes.
		if took := time.Since(start); took < 2*time.Minute || took > 3*time.Minute {
			t.Errorf("ended after %v, want it some time after 2 minutes", took)
		}
		if _, rest, _ := strings.Cut(got, line); rest != kimLeaves {
			a.gets(kimLeaves)
		}
		until := time.Now().Add(5 * time.Second)
		for h.gate.Stats().Open > 1 && time.Now().Before(until) {
			h.settle()
		}
		if got := h.gate.Stats().Open; got != 1 {
			t.Errorf("%d connections are open, want 1", got)
		}
		stuck.conn.Close()
	})
}

func TestUserTimeoutIsSet(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Log("only Linux has it")
		return
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	conn, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := setUserTimeout(conn.(*net.TCPConn), 4*time.Second); err != nil {
		t.Fatal(err)
	}
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) {
		if got, err := syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, 18); err != nil || got != 4000 {
			t.Errorf("TCP_USER_TIMEOUT is %d ms (%v), want 4000", got, err)
		}
	})
}

func TestNobodyIsLeftAfterAThousandVisits(t *testing.T) {
	h := onLoopback(t)
	a := h.join(t, "lee")
	until(t, "quiet", func() bool { return h.gate.Stats().Open == 1 })
	before := runtime.NumGoroutine()
	for i := range 1000 {
		c := h.connect(t)
		switch i % 4 {
		case 0: // a port scan
		case 1:
			c.sends("GET / HTTP/1.1\r\n\r\n")
		default:
			nick := fmt.Sprintf("kim%d", i)
			c.sends(nick)
			c.gets("[" + nick + "]" + joinWords)
			a.gets("[" + nick + "]" + joinWords)
			if i%4 == 2 {
				c.sends("/bye")
				c.ends("", io.EOF)
			} else {
				c.conn.(*net.TCPConn).SetLinger(0)
				c.conn.Close()
			}
			a.gets("[" + nick + "]" + partWords)
		}
		c.conn.Close()
	}
	until(t, "all others are gone", func() bool { return h.gate.Stats().Open == 1 })
	until(t, fmt.Sprintf("goroutines are %d again", before), func() bool { return runtime.NumGoroutine() <= before })
	if got := h.server.Stats().Strangers; got != 250 {
		t.Errorf("%d strangers are counted, want 250", got)
	}
}

func TestSpeakersLinesArriveInOrderBesideComingAndGoing(t *testing.T) {
	h := onLoopback(t)
	a := h.join(t, "lee")
	visit := func(nick string) {
		conn, err := h.dial()
		if err != nil {
			t.Error(err)
			return
		}
		io.ReadFull(conn, make([]byte, len(promptText)))
		io.WriteString(conn, nick)
		io.ReadFull(conn, make([]byte, len("["+nick+"]"+joinWords)))
		io.WriteString(conn, "/bye")
		conn.Close()
	}
	const lines = 200
	got := ""
	buf := make([]byte, 1024)
	for i := range lines {
		var wg sync.WaitGroup
		wg.Go(func() { visit(fmt.Sprintf("kim%d", i)) })
		line := fmt.Sprintf("line %d.", i)
		a.sends(line)
		for !strings.Contains(got, "[lee] "+line) {
			a.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
			n, err := a.conn.Read(buf)
			if err != nil {
				t.Fatalf("waiting for %q: %v", line, err)
			}
			got += string(buf[:n])
		}
		wg.Wait()
	}
	at := 0
	for i := range lines {
		line := fmt.Sprintf("[lee] line %d.", i)
		if n := strings.Count(got, line); n != 1 || strings.Index(got, line) < at {
			t.Errorf("%q stands %d times, at %d after %d", line, n, strings.Index(got, line), at)
		}
		at = strings.Index(got, line)
	}
}
