package legacy

import (
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// step is one thing that the newcomer C does, and the bytes that follow from it.
type step struct {
	after time.Duration // of silence
	sends string
	c     string // C gets
	all   string // the others get
	// ends is how the connection ends: io.EOF after a FIN, ECONNRESET after an RST.
	ends error
	// quiet says that nobody sees an effect, so that without a clock of its own a test could not know when to go on.
	quiet bool
}

func said(text string) step { return step{sends: text, c: "[kim] " + text, all: "[kim] " + text} }

func framed(n int, letter string) string { return strings.Repeat(letter, n) }

const (
	kimJoins  = "[kim]" + joinWords
	kimLeaves = "[kim]" + partWords
	sentence  = "..." // in the place of a refusal's sentence, whose words are others'
)

func enters(how string) step { return step{sends: how, c: kimJoins, all: kimJoins} }

// cases is what the old protocol promises: A and B are in, C connects.
var cases = []struct {
	name  string
	steps []step
}{
	{"joins", []step{enters("kim")}},
	{"taken, then another", []step{{sends: "lee", c: takenText + promptText}, {sends: "Lee", c: takenText + promptText}, enters("kim")}},
	{"closes at the prompt", nil},
	{"empty line at the prompt", []step{{sends: "\n", c: promptText}, {sends: " \r\n", c: promptText}}},
	{"a blank at the prompt", []step{{sends: " ", c: promptText}, enters("kim")}},
	{"/bye at the prompt", []step{{sends: "/bye", ends: io.EOF}}},
	{"/bye in a line at the prompt", []step{{sends: "/bye\r\n", ends: io.EOF}}},
	{"HTTP", []step{{sends: "GET / HTTP/1.1\r\nHost: x\r\n\r\n", ends: syscall.ECONNRESET}}},
	{"SSH", []step{{sends: "SSH-2.0-OpenSSH_9.2\r\n", ends: syscall.ECONNRESET}}},
	{"TLS", []step{{sends: "\x16\x03\x01\x00\xf1\x01\x00\x00\xed\x03\x03\n\n", ends: syscall.ECONNRESET}}},
	{"nickname that is not UTF-8", []step{{sends: "\xff\xfe", c: sentence + promptText}, {sends: "ki\x80m", c: sentence + promptText}}},
	{"nickname with an escape sequence", []step{{sends: "a\x1b[2Jb", c: sentence + promptText}}},
	{"nickname with a bracket", []step{{sends: "a]b", c: sentence + promptText}}},
	{"nickname with a blank before it", []step{{sends: " a", c: sentence + promptText}}},
	{"nickname that is too long", []step{{sends: framed(65, "a"), c: sentence + promptText}, enters("kim")}},
	{"nickname after telnet's negotiation", []step{{sends: "\xff\xfb\x1f\xff\xfb\x18kim\r\n", c: kimJoins + "\r\n", all: kimJoins}}},
	{"speaks", []step{enters("kim"), said("안녕"), said("  "), said("\u1112\u1161\u11ab"), said("👨‍👩‍👧‍👦 ❤\ufe0f")}},
	{"leaves", []step{enters("kim"), {sends: "/bye", all: kimLeaves, ends: io.EOF}}},
	{"other slashes", []step{enters("kim"), said("/BYE"), said("/help"), said("hello /bye"), said("/bye "), said("/me waves")}},
	{"a line and /bye in one segment", []step{enters("kim"), said("hello/bye")}},
	{"/bye in two segments", []step{enters("kim"), said("/b"), said("ye")}},
	{"nickname and line in one segment", []step{{sends: "kim hello there", c: "[kim hello there]" + joinWords, all: "[kim hello there]" + joinWords}}},
	{"1500 letters", []step{enters("kim"), {
		sends: framed(1500, "a"),
		c:     "[kim] " + framed(1018, "a") + "[kim] " + framed(6, "a") + "[kim] " + framed(476, "a"),
		all:   "[kim] " + framed(1018, "a") + "[kim] " + framed(6, "a") + "[kim] " + framed(476, "a"),
	}}},
	{"1200 bytes of Hangul", []step{enters("kim"), {
		sends: framed(400, "나"),
		c:     "[kim] " + framed(339, "나") + "[kim] " + framed(2, "나") + "[kim] " + framed(59, "나"),
		all:   "[kim] " + framed(339, "나") + "[kim] " + framed(2, "나") + "[kim] " + framed(59, "나"),
	}}},
	{"half a character, then the rest", []step{enters("kim"), {sends: "\xeb\x82", quiet: true}, {sends: "\x98", c: "[kim] 나", all: "[kim] 나"}}},
	{"half a character, and the rest too late", []step{
		enters("kim"),
		{sends: "\xeb", quiet: true},
		{after: 2 * time.Second, c: "[kim] \ufffd", all: "[kim] \ufffd"},
		{sends: "\x82\x98!", c: "[kim] \ufffd\ufffd!", all: "[kim] \ufffd\ufffd!"},
	}},
	{"bytes that are not UTF-8", []step{enters("kim"), {sends: "a\xffb", c: "[kim] a\ufffdb", all: "[kim] a\ufffdb"}, said("hello")}},
	{"a forged line", []step{enters("kim"), {sends: "x\n[lee] forged\n", c: "[kim] x\r\n[kim] [lee] forged\r\n", all: "[kim] x[kim] [lee] forged"}}},
	{"other breaks", []step{enters("kim"), {sends: "x\r[lee] y\u2028z", c: "[kim] x[kim] [lee] y[kim] z", all: "[kim] x[kim] [lee] y[kim] z"}}},
	{"controls", []step{enters("kim"), {sends: "\x1b[31mr\ae\x00d\u009b1m\u202e\tx", c: "[kim] [31mred1m x", all: "[kim] [31mred1m x"}}},
	{"a whole conversation in one segment", []step{{
		sends: "kim\nhello\nbye now\n/bye\n", ends: io.EOF,
		c:   kimJoins + "\r\n[kim] hello\r\n[kim] bye now\r\n",
		all: kimJoins + "[kim] hello[kim] bye now" + kimLeaves,
	}}},
	{"a line without its end", []step{
		{sends: "kim\nun", c: kimJoins + "\r\n", all: kimJoins, quiet: true},
		{after: 500 * time.Millisecond, sends: "finished", quiet: true},
		{after: 2 * time.Second, c: "[kim] unfinished\r\n", all: "[kim] unfinished"},
	}},
	{"empty lines", []step{{sends: "kim\n\n\r\n", c: kimJoins + "\r\n", all: kimJoins}, {sends: "x\n", c: "[kim] x\r\n", all: "[kim] x"}}},
	{"CR LF", []step{{sends: "kim\r\n", c: kimJoins + "\r\n", all: kimJoins}, {sends: "/bye\r\n", all: kimLeaves, ends: io.EOF}}},
	{"4,500 bytes in a line", []step{
		{sends: "kim\n", c: kimJoins + "\r\n", all: kimJoins},
		{
			sends: framed(4500, "x") + "\n",
			c: strings.Repeat("[kim] "+framed(1018, "x")+"\r\n", 4) + "[kim] " + framed(24, "x") + "\r\n" +
				"[kim] " + framed(404, "x") + "\r\n",
			all: strings.Repeat("[kim] "+framed(1018, "x"), 4) + "[kim] " + framed(24, "x") + "[kim] " + framed(404, "x"),
		},
	}},
}

// play has C do the steps before A and B.
func (h *house) play(t *testing.T, steps []step) {
	t.Helper()
	a := h.join(t, "lee")
	b := h.join(t, "park", a)
	c := h.connect(t)
	c.nick = "C"
	nick := "" // of C while C is in
	for _, s := range steps {
		time.Sleep(s.after)
		if s.sends != "" {
			c.sends(s.sends)
		}
		switch before, after, refused := strings.Cut(s.c, sentence); {
		case s.ends != nil:
			if h.settle != nil {
				h.settle()
				s.ends = io.EOF // connections in memory end in one way only
			}
			c.ends(s.c, s.ends)
		case refused:
			c.getsSentence(before, after)
		default:
			c.gets(s.c)
		}
		everybody([]*client{a, b}, s.all)
		if name, ok := strings.CutSuffix(s.all, "]"+joinWords); ok {
			nick = name[len("["):]
		} else if strings.HasSuffix(s.all, partWords) {
			nick = ""
		}
	}
	c.conn.Close()
	if nick != "" {
		everybody([]*client{a, b}, "["+nick+"]"+partWords)
	}
	// Whatever happened, the room goes on, and nobody has seen anything else.
	a.sends("still here")
	everybody([]*client{a, b}, "[lee] still here")
	h.join(t, "kim", a, b) // the name is free
}

// getsSentence is gets for a sentence in a line of its own between before and after.
func (c *client) getsSentence(before, after string) {
	c.t.Helper()
	got := ""
	for !strings.HasSuffix(got, after) {
		buf := make([]byte, 1024)
		c.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		n, err := c.conn.Read(buf)
		if err != nil {
			c.t.Fatalf("after %q: %v, want a sentence, then %q", got, err, after)
		}
		got += string(buf[:n])
	}
	middle, ok := strings.CutPrefix(strings.TrimSuffix(got, after), before)
	if line, rest, _ := strings.Cut(middle, "\n"); !ok || line == "" || rest != "" {
		c.t.Fatalf("got %q, want a sentence and LF between %q and %q", got, before, after)
	}
}

func TestProtocol(t *testing.T) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { inMemory(t).play(t, c.steps) })
		})
	}
}

func TestProtocolOverSockets(t *testing.T) {
	for _, c := range cases {
		for _, s := range c.steps {
			if s.quiet {
				c.steps = nil
			}
		}
		if c.steps == nil {
			continue
		}
		t.Run(c.name, func(t *testing.T) { onLoopback(t).play(t, c.steps) })
	}
}

func TestEveryWayOutIsOneLeaveLine(t *testing.T) {
	for name, leave := range map[string]func(c *net.TCPConn){
		"close":      func(c *net.TCPConn) { c.Close() },
		"half-close": func(c *net.TCPConn) { c.CloseWrite() },
		"RST": func(c *net.TCPConn) {
			c.SetLinger(0)
			c.Close()
		},
		"/bye, then RST": func(c *net.TCPConn) {
			io.WriteString(c, "/bye")
			c.SetLinger(0)
			c.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := onLoopback(t)
			a := h.join(t, "lee")
			for range 3 { // the name is free each time
				c := h.join(t, "kim", a)
				leave(c.conn.(*net.TCPConn))
				a.gets(kimLeaves)
				if name == "half-close" {
					c.ends("", io.EOF)
				}
			}
			a.sends("x")
			a.gets("[lee] x")
		})
	}
}
