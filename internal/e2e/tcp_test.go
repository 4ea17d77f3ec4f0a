//go:build linux

package e2e

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"
)

// The words of the old protocol, a second time: the program's own could change with it.
const (
	prompt = "채팅 닉네임을 입력하세요.: "
	taken  = "이미 등록된 닉네임 입니다.\n"
)

func joined(nick string) string { return "[" + nick + "]님이 입장 했습니다." }
func left(nick string) string   { return "[" + nick + "] 님이 퇴장하셨습니다." }

// oldClient is as strict as the original: it receives 1,024 bytes at a time and dies of anything that is not UTF-8 by itself. Its
// tests account for every byte that it gets.
type oldClient struct {
	t     testing.TB
	house *house
	nick  string
	conn  *net.TCPConn
	in    *transcript
	lined bool // a newer client, which reads lines and not recvs
	read  int  // bytes of in that the test has accounted for
}

// visit opens a connection to the TCP door and receives the prompt.
func (h *house) visit(tb testing.TB, l login) *oldClient {
	tb.Helper()
	c := h.dialTCP(tb, l)
	go c.receive()
	c.reads(prompt)
	return c
}

func (h *house) dialTCP(tb testing.TB, l login) *oldClient {
	tb.Helper()
	return &oldClient{t: tb, house: h, nick: l.user, conn: connect(tb, h.tcp, l), in: &transcript{}}
}

// join comes in by the TCP door.
func (h *house) join(tb testing.TB, nick string) *oldClient {
	tb.Helper()
	c := h.visit(tb, login{user: nick})
	c.sends(nick)
	c.reads(joined(nick))
	return c
}

// joinLined comes in by the TCP door as nc and scripts do.
func (h *house) joinLined(tb testing.TB, nick string) *oldClient {
	tb.Helper()
	c := h.dialTCP(tb, login{user: nick})
	c.lined = true
	go c.receive()
	c.reads(prompt)
	c.sends(nick + "\n")
	c.awaits(joined(nick) + "\r\n")
	return c
}

// receive is the original's thread. It forgives one thing that the original dies of and no server can prevent: a recv which is
// full because so much had come before it that it holds parts of several frames.
func (c *oldClient) receive() {
	const size = 1024
	var buf [size]byte
	var cut []byte // the beginning of a character at the end of a full recv
	for {
		n, err := c.conn.Read(buf[:])
		text := append(cut, buf[:n]...)
		cut = nil
		if n == size {
			if whole := len(text) - unfinished(text); whole < len(text) {
				text, cut = text[:whole], append(cut, text[whole:]...)
			}
		}
		if !c.lined && !utf8.Valid(text) {
			err = fmt.Errorf("a recv of %d bytes that is not UTF-8 by itself: %q", n, text)
		}
		_, _ = c.in.Write(text)
		if err != nil {
			c.in.end(err)
			return
		}
	}
}

// unfinished returns how many bytes at the end of a text are the beginning of a character.
func unfinished(text []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(text); n++ {
		if tail := text[len(text)-n:]; utf8.RuneStart(tail[0]) && !utf8.FullRune(tail) {
			return n
		}
	}
	return 0
}

// sends sends bytes with one call.
func (c *oldClient) sends(s string) {
	c.t.Helper()
	if _, err := io.WriteString(c.conn, s); err != nil {
		c.t.Fatalf("%s sends %q: %v", c.nick, s, err)
	}
}

// says sends a message and waits until it is back, so that the next one is another.
func (c *oldClient) says(text string) {
	c.t.Helper()
	c.sends(text)
	c.reads("[" + c.nick + "] " + text)
}

// reads wants exactly this next, and waits for it.
func (c *oldClient) reads(want ...string) {
	c.t.Helper()
	all := strings.Join(want, "")
	ok := c.in.wait(patience, func(in string) bool { return len(in)-c.read >= len(all) })
	got := c.in.String()[c.read:]
	if !ok || !strings.HasPrefix(got, all) {
		over, err := c.in.ended()
		c.house.blame()
		c.t.Fatalf("%s received %q, want %q next (over: %v, %v)", c.nick, cutTo(got, 3000), all, over, err)
	}
	c.read += len(all)
}

// awaits waits until want comes and passes over what came before it.
func (c *oldClient) awaits(want string) {
	c.t.Helper()
	c.awaitsWithin(patience, want)
}

func (c *oldClient) awaitsWithin(d time.Duration, want string) {
	c.t.Helper()
	at := -1
	if !c.in.wait(d, func(in string) bool { at = strings.Index(in[c.read:], want); return at >= 0 }) {
		over, err := c.in.ended()
		c.house.blame()
		c.t.Fatalf("%s received %q, want %q in it (over: %v, %v)", c.nick, endOf(c.in.String()[c.read:], 1500), want, over, err)
	}
	c.read += at + len(want)
}

// readsNothing wants that nothing has come which the test has not accounted for.
func (c *oldClient) readsNothing() {
	c.t.Helper()
	if got := c.in.String()[c.read:]; got != "" {
		c.t.Errorf("%s received %q, want nothing more", c.nick, got)
	}
}

// closed wants the house to end the connection by FIN, with nothing before it.
func (c *oldClient) closed() {
	c.t.Helper()
	c.endsWith(io.EOF, "FIN")
}

// reset wants the house to end the connection by RST, with nothing before it.
func (c *oldClient) reset() {
	c.t.Helper()
	c.endsWith(syscall.ECONNRESET, "RST")
}

func (c *oldClient) endsWith(want error, name string) {
	c.t.Helper()
	if !c.in.waitEnd(patience) {
		c.house.blame()
		c.t.Fatalf("the connection of %s stays open, want %s", c.nick, name)
	}
	if _, err := c.in.ended(); !errors.Is(err, want) {
		c.t.Errorf("the connection of %s ended with %v, want %s", c.nick, err, name)
	}
	c.readsNothing()
}

// finish says that nothing more will be sent; receiving goes on.
func (c *oldClient) finish() { _ = c.conn.CloseWrite() }

// leaves closes without a word.
func (c *oldClient) leaves() { _ = c.conn.Close() }

// cut ends the connection by RST.
func (c *oldClient) cut() {
	_ = c.conn.SetLinger(0)
	_ = c.conn.Close()
}
