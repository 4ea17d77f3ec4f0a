//go:build linux

package e2e

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// pair opens a house in which A and B are by the TCP door, as the cases of the protocol begin.
func pair(t *testing.T) (h *house, a, b *oldClient) {
	t.Helper()
	h = openHouse(t, setup{exempt: true})
	a = h.join(t, "A")
	b = h.join(t, "B")
	a.reads(joined("B"))
	return h, a, b
}

// both want A and B to receive exactly this next.
func both(a, b *oldClient, want ...string) {
	a.t.Helper()
	a.reads(want...)
	b.reads(want...)
}

// What C sends and what comes of it. Each case begins with C at the prompt unless nick is set; every connection is C's own.
func TestOldProtocol(t *testing.T) {
	t.Parallel()
	h, a, b := pair(t)
	for _, c := range []struct {
		name string
		nick string   // C is in under this name before
		send []string // one send each; the next is sent when the last one's answer is there
		got  []string // by C, after each send; "" for none
		all  []string // by A and B, in all
		end  string   // "fin": the house closes; "leave": C then leaves, which A and B see
	}{
		{name: "join", send: []string{"kim"}, got: []string{joined("kim")}, all: []string{joined("kim"), left("kim")}, end: "leave"},
		{name: "taken, then free", send: []string{"A", "B", "lee"}, got: []string{taken + prompt, taken + prompt, joined("lee")}, all: []string{joined("lee"), left("lee")}, end: "leave"},
		{name: "confusable", send: []string{"a", "lee"}, got: []string{taken + prompt, joined("lee")}, all: []string{joined("lee"), left("lee")}, end: "leave"},
		{name: "newline at the prompt", send: []string{"\n"}, got: []string{prompt}},
		{name: "blanks at the prompt", send: []string{"  ", "\r\n"}, got: []string{prompt, prompt}},
		{name: "bye at the prompt", send: []string{"/bye"}, got: []string{""}, end: "fin"},
		{name: "bye and newline at the prompt", send: []string{"/bye\n"}, got: []string{""}, end: "fin"},
		{name: "message", nick: "kim", send: []string{"안녕"}, got: []string{"[kim] 안녕"}, all: []string{joined("kim"), "[kim] 안녕", left("kim")}, end: "leave"},
		{
			name: "text as it was typed", nick: "kim",
			send: []string{"  ", " a  b ", "\u1112\u1161\u11ab", "👨\u200d👩\u200d👧", "❤\ufe0f", "e\u0301", "\ufeffx"},
			got:  []string{"[kim]   ", "[kim]  a  b ", "[kim] \u1112\u1161\u11ab", "[kim] 👨\u200d👩\u200d👧", "[kim] ❤\ufe0f", "[kim] e\u0301", "[kim] x"},
			all:  []string{joined("kim"), "[kim]   ", "[kim]  a  b ", "[kim] \u1112\u1161\u11ab", "[kim] 👨\u200d👩\u200d👧", "[kim] ❤\ufe0f", "[kim] e\u0301", "[kim] x", left("kim")},
			end:  "leave",
		},
		{name: "leave", nick: "kim", send: []string{"/bye"}, got: []string{""}, all: []string{joined("kim"), left("kim")}, end: "fin"},
		{
			name: "nothing else is a command", nick: "kim",
			send: []string{"/BYE", "/bye ", " /bye", "/byebye", "/help", "hello /bye", "//x"},
			got:  []string{"[kim] /BYE", "[kim] /bye ", "[kim]  /bye", "[kim] /byebye", "[kim] /help", "[kim] hello /bye", "[kim] //x"},
			all:  []string{joined("kim"), "[kim] /BYE", "[kim] /bye ", "[kim]  /bye", "[kim] /byebye", "[kim] /help", "[kim] hello /bye", "[kim] //x", left("kim")},
			end:  "leave",
		},
		{name: "one segment is one message", nick: "kim", send: []string{"hello/bye"}, got: []string{"[kim] hello/bye"}, all: []string{joined("kim"), "[kim] hello/bye", left("kim")}, end: "leave"},
		{name: "two segments are two", nick: "kim", send: []string{"/b", "ye"}, got: []string{"[kim] /b", "[kim] ye"}, all: []string{joined("kim"), "[kim] /b", "[kim] ye", left("kim")}, end: "leave"},
		{
			name: "no control passes", nick: "kim",
			send: []string{"a\x1b[2J\x07\x00b\x7f\u009b\u202ec", "a\tb"}, got: []string{"[kim] a[2Jbc", "[kim] a b"},
			all: []string{joined("kim"), "[kim] a[2Jbc", "[kim] a b", left("kim")}, end: "leave",
		},
		{
			name: "no line can be forged", nick: "kim",
			send: []string{"x\u2028[A] forged\v[B] forged\f\u0085y"}, got: []string{"[kim] x[kim] [A] forged[kim] [B] forged[kim] y"},
			all: []string{joined("kim"), "[kim] x", "[kim] [A] forged", "[kim] [B] forged", "[kim] y", left("kim")}, end: "leave",
		},
		{
			name: "no line can be forged by LF", nick: "kim",
			send: []string{"x\n[A] forged\n"}, got: []string{"[kim] x\r\n[kim] [A] forged\r\n"},
			all: []string{joined("kim"), "[kim] x", "[kim] [A] forged", left("kim")}, end: "leave",
		},
		{
			name: "no line can be forged by CR", nick: "kim",
			send: []string{"x\r[A] forged"}, got: []string{"[kim] x[kim] [A] forged"},
			all: []string{joined("kim"), "[kim] x", "[kim] [A] forged", left("kim")}, end: "leave",
		},
		{
			name: "bytes that are no text", nick: "kim",
			send: []string{"a\xff\xfeb\xc0", "ok"}, got: []string{"[kim] a\ufffd\ufffdb\ufffd", "[kim] ok"},
			all: []string{joined("kim"), "[kim] a\ufffd\ufffdb\ufffd", "[kim] ok", left("kim")}, end: "leave",
		},
		{
			name: "telnet", nick: "kim",
			send: []string{"\xff\xfd\x03\xff\xfb\x18hi"}, got: []string{"[kim] hi"},
			all: []string{joined("kim"), "[kim] hi", left("kim")}, end: "leave",
		},
		{
			name: "lines", send: []string{"kim\nhello\r\n\n\r\nbye now\n/bye\n"},
			got: []string{joined("kim") + "\r\n[kim] hello\r\n[kim] bye now\r\n"},
			all: []string{joined("kim"), "[kim] hello", "[kim] bye now", left("kim")}, end: "fin",
		},
		{name: "line mode of names", send: []string{"kim\r\n", "/bye\r\n"}, got: []string{joined("kim") + "\r\n", ""}, all: []string{joined("kim"), left("kim")}, end: "fin"},
		{name: "name and text in one segment are a name", send: []string{"kim hello"}, got: []string{joined("kim hello")}, all: []string{joined("kim hello"), left("kim hello")}, end: "leave"},
		{
			name: "half a character, then the rest", nick: "kim",
			send: []string{"가\xeb\x82"}, got: []string{"[kim] 가"}, // the rest follows below, in TestCharacterInTwoSegments
			all: []string{joined("kim"), "[kim] 가", "[kim] \ufffd", left("kim")}, end: "leave",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			a.t, b.t = t, t
			p := h.visit(t, login{user: c.nick})
			if c.nick != "" {
				p.sends(c.nick)
				p.reads(joined(c.nick))
			}
			for i, s := range c.send {
				p.sends(s)
				p.reads(c.got[i])
			}
			switch c.end {
			case "fin":
				p.closed()
			case "leave":
				p.leaves()
			default:
				p.readsNothing()
				p.leaves()
			}
			both(a, b, c.all...)
		})
	}
	a.t, b.t = t, t
	a.says("end") // nothing is left over that nobody has accounted for
	b.reads("[A] end")
	a.readsNothing()
	b.readsNothing()
}

func TestNicknamesThatTheOldDoorRefuses(t *testing.T) {
	t.Parallel()
	h, a, b := pair(t)
	p := h.visit(t, login{user: "C"})
	for _, name := range []string{
		"a\x1b[2Jb", "a]b", "[a", " a", "a ", "a  b", strings.Repeat("a", 65), strings.Repeat("가", 11), "#a", "a,b", "a+b", "a@b", "a/b", "*", "*a",
		"a→b", "\xff\xfe", "\xeb\x82x", "a\u200bb", "a\u202eb", "😀", "\u1112", "root", "가\u0301\u0301\u0301", "\u0000", "аdmin",
	} {
		before := p.read
		p.sends(name)
		p.awaits(".\n" + prompt)
		if said := p.in.String()[before:p.read]; !strings.HasSuffix(said, ".\n"+prompt) || strings.Count(said, "\n") != 1 || strings.Contains(said, "\x1b") {
			t.Errorf("nickname %q: %q, want one sentence and the prompt", name, said)
		}
	}
	for _, name := range []string{"\u00e0 la", "김 철수", "Ελένη", "محمد", "x1"} {
		q := h.visit(t, login{user: name})
		q.sends(name)
		q.reads(joined(name))
		both(a, b, joined(name))
		q.sends("/bye")
		q.closed()
		both(a, b, left(name))
	}
	p.sends("C")
	p.reads(joined("C"))
	both(a, b, joined("C"))
}

// Rows 1, 2, 3 and 7 of what the original breaks: whatever ends a connection ends one session, in one line, and frees the name.
func TestEveryEndOfAConnectionIsOneLeaveLine(t *testing.T) {
	t.Parallel()
	h, a, b := pair(t)
	for name, end := range map[string]func(*oldClient){
		"close":               (*oldClient).leaves,
		"reset":               (*oldClient).cut,
		"half close":          func(c *oldClient) { c.finish(); c.closed() },
		"text and half close": func(c *oldClient) { c.sends("x"); c.reads("[C] x"); c.finish(); c.closed() },
		"close while they speak": func(c *oldClient) {
			a.sends("to a closed one")
			c.leaves()
		},
		"reset while they speak": func(c *oldClient) {
			a.sends("to a reset one")
			c.cut()
		},
	} {
		c := h.join(t, "C")
		both(a, b, joined("C"))
		end(c)
		switch {
		case strings.HasPrefix(name, "text"):
			both(a, b, "[C] x")
		case strings.HasSuffix(name, "speak"):
			// Their order is the house's; each comes once. What A says next must not become one message with it.
			said := "[A] to a " + strings.Fields(name)[0]
			for _, p := range []*oldClient{a, b} {
				p.awaitsAll(left("C"), said)
			}
			a.sends("mark " + name)
			a.awaits("[A] mark " + name)
			b.awaits("[A] mark " + name)
			if got := strings.Count(b.in.String(), said); got != 1 {
				t.Errorf("%s: what was said meanwhile came %d times, want once", name, got)
			}
			continue
		}
		both(a, b, left("C"))
	}
	for range 3 { // a port scan
		c := h.dialTCP(t, login{})
		c.leaves()
		c = h.visit(t, login{})
		c.cut()
		c = h.visit(t, login{})
		c.finish()
		c.closed()
	}
	c := h.join(t, "C")
	both(a, b, joined("C"))
	c.says("still a room")
	both(a, b, "[C] still a room")
	h.logs("msg=left", "nick=C", "people=2")
}

// Rows 4 and 5: joining and leaving beside somebody who speaks.
func TestRoundsOfJoinAndByeBesideASpeaker(t *testing.T) {
	t.Parallel()
	h, a, b := pair(t)
	rounds := 40
	stop, spoken := make(chan struct{}), make(chan int, 1)
	go func() {
		n := 0
		for ; ; n++ {
			select {
			case <-stop:
				spoken <- n
				return
			default:
				a.conn.Write(fmt.Appendf(nil, "line %d", n))
				if !a.in.wait(patience, func(in string) bool { return strings.Contains(in, fmt.Sprintf("[A] line %d", n)) }) {
					spoken <- n
					return
				}
			}
		}
	}()
	for range rounds {
		c := h.visit(t, login{user: "C"})
		c.sends("C")
		c.awaits(joined("C"))
		c.sends("/bye")
		c.waitFIN()
	}
	close(stop)
	n := <-spoken
	b.awaits(fmt.Sprintf("[A] line %d", n-1))
	b.awaitsTimes(rounds, left("C"))
	in := b.in.String()
	at := 0
	for i := range n {
		line := fmt.Sprintf("[A] line %d", i)
		next := strings.Index(in[at:], line)
		if next < 0 {
			t.Fatalf("B received no %q after the line before it", line)
		}
		at += next + len(line)
	}
	if got := strings.Count(in, joined("C")); got != rounds {
		t.Errorf("B saw C join %d times, want %d", got, rounds)
	}
}

// awaitsAll waits until all of what is wanted has come, in whatever order, and passes over everything up to then.
func (c *oldClient) awaitsAll(want ...string) {
	c.t.Helper()
	all := func(in string) bool {
		return !slices.ContainsFunc(want, func(w string) bool { return !strings.Contains(in[c.read:], w) })
	}
	if !c.in.wait(patience, all) {
		c.house.blame()
		c.t.Fatalf("%s received %q, want %q in it", c.nick, endOf(c.in.String()[c.read:], 1500), want)
	}
	c.read = len(c.in.String())
}

func (c *oldClient) awaitsTimes(n int, what string) {
	c.t.Helper()
	if !c.in.wait(patience, func(in string) bool { return strings.Count(in, what) >= n }) {
		c.t.Fatalf("%s received %q %d times, want %d", c.nick, what, strings.Count(c.in.String(), what), n)
	}
}

// waitFIN waits for the end, whatever came before it.
func (c *oldClient) waitFIN() {
	c.t.Helper()
	if !c.in.waitEnd(patience) {
		c.t.Fatalf("the connection of %s stays open", c.nick)
	}
	c.read = len(c.in.String())
	c.closed()
}

// Row 9 and section 4: characters cut in two.
func TestCharacterInTwoSegments(t *testing.T) {
	t.Parallel()
	_, a, b := pair(t)
	a.sends("\xea\xb0")
	a.isRead()
	a.sends("\x80나")
	both(a, b, "[A] 가나")
	a.sends("\xea\xb0")
	both(a, b, "[A] \ufffd") // nobody finished it within a second
	a.sends("\x80나")
	both(a, b, "[A] \ufffd나")
	a.sends("\xea\xb0")
	a.finish()
	b.reads("[A] \ufffd", left("A"))
}

// Row 14 and section 2: long messages.
func TestNoFrameIsLongerThanOneRecv(t *testing.T) {
	t.Parallel()
	h, a, b := pair(t)
	piece := strings.Repeat("a", 1020)
	a.sends(strings.Repeat("a", 1024))
	both(a, b, "[A] "+piece, "[A] aaaa")
	a.sends(strings.Repeat("a", 1500)) // two reads, the first of which makes two frames
	both(a, b, "[A] "+piece, "[A] aaaa", "[A] "+strings.Repeat("a", 476))

	before := b.read
	a.sends(strings.Repeat("나", 400))
	b.awaitsRunes('나', 400, before)
	for frame := range strings.SplitSeq(b.in.String()[before+4:], "[A] ") {
		if len(frame)+4 > 1024 || strings.Trim(frame, "나") != "" {
			t.Errorf("a frame of %d bytes: %q, want whole characters in at most 1024", len(frame)+4, frame)
		}
	}
	b.read = len(b.in.String())

	// What somebody says by ssh is longer than any read of this door.
	kim := h.guest(t, "kim")
	kim.types(strings.Repeat("글", 1333))
	b.reads(joined("kim"))
	before = b.read
	b.awaitsRunes('글', 1333, before)
	for frame := range strings.SplitSeq(b.in.String()[before+6:], "[kim] ") {
		if len(frame)+6 > 1024 || strings.Trim(frame, "글") != "" {
			t.Errorf("a frame of %d bytes: %q, want whole characters in at most 1024", len(frame)+6, frame)
		}
	}
}

// awaitsRunes waits until n of one rune have come after a place.
func (c *oldClient) awaitsRunes(r rune, n, after int) {
	c.t.Helper()
	if !c.in.wait(patience, func(in string) bool { return strings.Count(in[after:], string(r)) >= n }) {
		c.t.Fatalf("%s received %q %d times, want %d", c.nick, r, strings.Count(c.in.String()[after:], string(r)), n)
	}
}

// Section 3: a line without its end.
func TestUnfinishedLine(t *testing.T) {
	t.Parallel()
	h, a, b := pair(t)
	c := h.visit(t, login{user: "C"})
	c.sends("C\nunfinished")
	c.reads(joined("C") + "\r\n")
	both(a, b, joined("C"), "[C] unfinished") // after a second
	c.reads("[C] unfinished\r\n")
	c.sends("the end")
	c.finish()
	both(a, b, "[C] the end", left("C"))
	c.reads("[C] the end\r\n")
	c.closed()
	// A line that becomes too long for one message is several.
	d := h.visit(t, login{user: "D"})
	d.sends("D\n")
	both(a, b, joined("D"))
	before := b.read
	go d.conn.Write([]byte(strings.Repeat("x", 10_000) + "\n"))
	b.awaitsRunes('x', 10_000, before)
}

// Row 10 of section 5: check and claim are one step.
func TestTwentyClaimOneName(t *testing.T) {
	t.Parallel()
	h := openHouse(t, setup{exempt: true})
	crowd := make([]*oldClient, 20)
	for i := range crowd {
		crowd[i] = h.visit(t, login{user: fmt.Sprint("claimant ", i)})
	}
	for _, c := range crowd {
		go c.conn.Write([]byte("kim"))
	}
	won := 0
	for _, c := range crowd {
		if !c.in.wait(patience, func(in string) bool {
			return strings.HasSuffix(in, taken+prompt) || strings.Contains(in, joined("kim"))
		}) {
			t.Fatalf("%s received %q, want an answer", c.nick, c.in)
		}
		if strings.Contains(c.in.String(), joined("kim")) {
			won++
		}
	}
	if won != 1 {
		t.Errorf("%d of 20 got the name, want one", won)
	}
}

// What speaks another protocol is sent away without a word, and nobody hears of it.
func TestStrangersAtTheOldDoor(t *testing.T) {
	t.Parallel()
	h, a, b := pair(t)
	for _, hello := range []string{
		"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "SSH-2.0-OpenSSH_9.2p1 Debian\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "OPTIONS * HTTP/1.0\r\n\r\n",
	} {
		c := h.visit(t, login{user: hello[:3]})
		c.sends(hello)
		c.in.waitEnd(patience)
		if over, _ := c.in.ended(); !over {
			t.Errorf("%q: the connection stays open", hello)
		}
		c.readsNothing()
	}
	a.says("end")
	b.reads("[A] end")
	h.becomes(`sarangbang_connections_refused_total{door="tcp",reason="stranger"}`, 4, 4)
}

// Row 13: the end of the house at this door is text and RST, by either signal.
func TestOldClientsAreToldOfTheEnd(t *testing.T) {
	t.Parallel()
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		h, a, b := pair(t)
		atPrompt := h.visit(t, login{user: "nobody"})
		h.signal(s)
		for _, c := range []*oldClient{a, b} {
			c.awaits("[*] 사랑방을 닫습니다. 잠시 뒤에 다시 오세요.")
			c.reset()
		}
		atPrompt.in.waitEnd(patience)
		atPrompt.read = len(atPrompt.in.String())
		atPrompt.reset()
		h.exits(5*time.Second, 0)
	}
}

// Row 15: limits. The time for a nickname is 10 minutes unless the operator says otherwise.
func TestLimitsOfTheOldDoor(t *testing.T) {
	t.Parallel()
	h := openHouse(t, setup{limits: "connections_per_address = 3\nnick_timeout = \"10s\"\ntcp_waiting_for_nick = 4\n"})
	a := h.join(t, "A")
	c := h.visit(t, login{user: "C"})
	h.visit(t, login{user: "D"})
	h.refuses(t, login{user: "E"}) // a fourth of one address
	c.in.waitEnd(patience)
	c.read = len(prompt)
	c.reads("[*] 제때 닉네임을 고르지 않아서 세션을 끝냅니다. 언제든 다시 오세요.")
	c.reset()
	h.becomes(`sarangbang_connections{door="tcp"}`, 1, 2)
	f := h.visit(t, login{user: "F"}) // there is room again
	f.sends("F")
	a.reads(joined("F"))
	h.becomes(`sarangbang_connections_unauthenticated{door="tcp"}`, 0, 0) // D has gone, too
	for i := range 4 {
		h.visit(t, login{user: "waiting", from: fmt.Sprintf("127.0.1.%d", i+1)})
	}
	h.refuses(t, login{user: "G", from: "127.0.1.9"}) // a fifth without a nickname
	a.says("and the others talk")
	f.awaits("[A] and the others talk")
}

// refuses wants the TCP door to reset a connection at once; that may be before the client knows that it has one.
func (h *house) refuses(t *testing.T, l login) {
	t.Helper()
	d := net.Dialer{Timeout: patience}
	if l.from != "" {
		d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(l.from)}
	}
	conn, err := d.Dial("tcp", h.tcp)
	if errors.Is(err, syscall.ECONNRESET) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	c := &oldClient{t: t, house: h, nick: l.user, conn: conn.(*net.TCPConn), in: &transcript{}}
	defer c.leaves()
	go c.receive()
	c.reset()
}

// Section 5, rule 1, and section 8 of the page on the protocol: newer things at the old door.
func TestNewerThingsAtTheOldDoor(t *testing.T) {
	t.Parallel()
	h, a, b := pair(t)
	kim := h.guest(t, "kim")
	both(a, b, joined("kim"))
	kim.types("/me 손을 흔든다")
	both(a, b, "[kim] * 손을 흔든다")
	kim.pastes("하나\n\n둘")
	both(a, b, "[kim] 하나", "[kim] ", "[kim] 둘")
	kim.types("/msg A 너만")
	a.reads("[kim → 나] 너만")
	kim.pastes("/msg A 한 줄\n두 줄")
	a.reads("[kim → 나] 한 줄", "[kim → 나] 두 줄")
	kim.types("/nick 김")
	both(a, b, left("kim"), joined("김"))
	kim.types("/bye")
	both(a, b, left("김"))
}
