package legacyclient

import (
	"bytes"
	"context"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"sarangbang/internal/testkit"
)

// conversation is a client in a bubble, and both ends of it in the test's hands.
type conversation struct {
	t      *testing.T
	server *testkit.Conn
	stdin  *io.PipeWriter
	out    *buffer
	err    *buffer
	cancel context.CancelFunc
	status chan int
}

type buffer struct {
	mu  sync.Mutex
	buf bytes.Buffer // guarded by mu
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

// take returns what has come since the last time.
func (b *buffer) take() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer b.buf.Reset()
	return b.buf.String()
}

func begin(t *testing.T, tty bool) *conversation {
	t.Helper()
	conn, server := testkit.Pipe()
	r, w := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	c := &conversation{t: t, server: server, stdin: w, out: &buffer{}, err: &buffer{}, cancel: cancel, status: make(chan int, 1)}
	go func() { c.status <- talk(ctx, conn, r, &screen{out: c.out, err: c.err, tty: tty}) }()
	t.Cleanup(func() {
		server.Close()
		w.Close()
		cancel()
	})
	synctest.Wait()
	return c
}

// types types a line, and looks at what the server is sent within the pause between sends.
func (c *conversation) types(line, sent string) {
	c.t.Helper()
	if _, err := io.WriteString(c.stdin, line+"\n"); err != nil {
		c.t.Fatal(err)
	}
	c.passes(sendEvery)
	c.sends(sent)
}

func (c *conversation) passes(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// sends compares what the server has been sent since the last time.
func (c *conversation) sends(want string) {
	c.t.Helper()
	buf := make([]byte, c.server.Unread())
	io.ReadFull(c.server, buf)
	if string(buf) != want {
		c.t.Fatalf("the server is sent %q, want %q", buf, want)
	}
}

// gets has the server say something, all in one segment.
func (c *conversation) gets(message string) {
	c.t.Helper()
	if _, err := io.WriteString(c.server, message); err != nil {
		c.t.Fatal(err)
	}
	synctest.Wait()
}

// shows compares what has been printed since the last time.
func (c *conversation) shows(out, err string) {
	c.t.Helper()
	if got := c.out.take(); got != out {
		c.t.Fatalf("on stdout stands %q, want %q", got, out)
	}
	if got := c.err.take(); got != err {
		c.t.Fatalf("on stderr stands %q, want %q", got, err)
	}
}

func (c *conversation) ends(want int) {
	c.t.Helper()
	select {
	case got := <-c.status:
		if got != want {
			c.t.Fatalf("the status is %d, want %d; stderr: %q", got, want, c.err.take())
		}
	case <-time.After(time.Hour):
		c.t.Fatal("the client does not end")
	}
}

func TestTerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := begin(t, true)
		c.shows("", "입력: ")
		c.gets(promptText)
		c.shows("채팅 닉네임을 입력하세요.: \n", "\r\x1b[K입력: ")
		c.types("kim", "kim")
		c.shows("", "입력: ")
		c.gets("[kim]님이 입장 했습니다.")
		c.shows("[kim]님이 입장 했습니다.\n", "\r\x1b[K입력: ")
		c.types("", "")
		c.shows("", "입력: ")
		c.types("/help", "/help")
		c.types("a\xffb", "a\ufffdb") // would end the original server's session
		io.WriteString(c.stdin, strings.Repeat("x", 1019)+"\n")
		synctest.Wait()
		c.sends(strings.Repeat("x", 1018)) // so it comes back within 1,024 bytes
		c.passes(sendEvery)
		c.sends("x")
		c.shows("", "입력: 입력: 입력: ")
		c.types("/bye", "/bye")
		c.shows("", "")
		c.server.Close()
		c.ends(0)
		c.shows("", "")
	})
}

func TestTerminalLeavesByCtrlDAndCtrlC(t *testing.T) {
	for name, leave := range map[string]func(c *conversation){
		"Ctrl-D": func(c *conversation) { c.stdin.Close() },
		"Ctrl-C": func(c *conversation) { c.cancel() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := begin(t, true)
				c.gets(promptText)
				c.types("kim", "kim")
				io.WriteString(c.stdin, "x\n")
				synctest.Wait()
				c.sends("x")
				c.err.take()
				leave(c)
				synctest.Wait()
				c.sends("") // it would run into the line before
				c.passes(sendEvery)
				c.sends("/bye")
				if got := c.err.take(); got != "\n" {
					t.Errorf("on stderr stands %q, want the end of the prompt's line", got)
				}
				start := time.Now()
				c.ends(0) // a server that does not close is not waited for
				if got := time.Since(start); got != closeFor {
					t.Errorf("ended after %v, want %v", got, closeFor)
				}
			})
		})
	}
}

func TestConnectionThatEndsIsSaid(t *testing.T) {
	for name, end := range map[string]func(*testkit.Conn){
		"FIN": func(c *testkit.Conn) { c.Close() }, "RST": func(c *testkit.Conn) { c.Reset() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := begin(t, true)
				c.gets("[*] 서버를 닫습니다.")
				c.err.take()
				end(c.server)
				c.ends(1)
				c.shows("[*] 서버를 닫습니다.\n", "\n서버가 연결을 끊었습니다. (the server closed the connection)\n")
			})
		})
	}
}

func TestLastWordsAreShownToWhoIsTyping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, server := testkit.Pipe()
		defer server.Close()
		r, w := io.Pipe()
		defer w.Close()
		out, errs, status := &buffer{}, &buffer{}, make(chan int)
		go func() { status <- talk(t.Context(), deafConn{conn}, r, &screen{out: out, err: errs, tty: true}) }()
		io.WriteString(w, "hello\n")
		io.WriteString(server, "[*] bye")
		server.Close()
		if got := <-status; got != 1 || out.take() != "[*] bye\n" || !strings.Contains(errs.take(), "서버가 연결을 끊었습니다") {
			t.Errorf("status %d, want 1, the last words and a sentence", got)
		}
	})
}

// deafConn is a connection that takes nothing any more.
type deafConn struct{ net.Conn }

func (deafConn) Write([]byte) (int, error) { return 0, syscall.EPIPE }

func TestMessagesAreShownWholeAndHarmless(t *testing.T) {
	long := "[lee] " + strings.Repeat("나", 341) + "!"
	for _, c := range []struct {
		name  string
		recvs []string
		want  string
	}{
		{"over 1,024 bytes", []string{long}, long + "\n"},
		{"a cut character", []string{long[:1001], long[1001:]}, long + "\n"},
		{"a cut character and a line in one segment", []string{"[lee] \xed\x95", "\x9c[park] x"}, "[lee] 한[park] x\n"},
		{"a character without its end", []string{"[lee] \xed"}, "[lee] \ufffd\n"},
		{"not UTF-8", []string{"[lee] a\xffb"}, "[lee] a\ufffdb\n"},
		{"controls", []string{"[lee] \x1b[2J\ax\u009b1m\u202ey\r"}, "[lee] [2Jx1my\n"},
		{"a forged line", []string{"[lee] x\n[kim] y"}, "[lee] x\n  [kim] y\n"},
		{"refusal and prompt in one", []string{"이미 등록된 닉네임 입니다.\n" + promptText}, "이미 등록된 닉네임 입니다.\n채팅 닉네임을 입력하세요.: \n"},
		{"refusal alone", []string{"이미 등록된 닉네임 입니다.\n"}, "이미 등록된 닉네임 입니다.\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := begin(t, true)
				for _, r := range c.recvs {
					v.gets(r)
				}
				v.passes(patience)
				if got := v.out.take(); got != c.want {
					t.Errorf("recvs %q are shown as %q, want %q", c.recvs, got, c.want)
				}
			})
		})
	}
}

func TestEndlessMessageIsNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := begin(t, true)
		half := strings.Repeat("\xed\x95\x9c", 1000) + "\xed\x95"
		c.gets(half)
		for range 30 {
			c.gets("\x9c" + half)
		}
		if got := len(c.out.take()); got < maxKept {
			t.Errorf("of %d bytes without a pause %d are shown, want at least %d", 31*len(half), got, maxKept)
		}
		c.passes(patience)
	})
}

func TestPipe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := begin(t, false)
		go func() {
			io.WriteString(c.stdin, "lee\nkim\nhello\n\n  \nbanana\na\n")
			c.stdin.Close()
		}()
		c.passes(time.Second)
		c.sends("") // the server has not asked yet
		c.gets(promptText)
		c.sends("lee")
		c.passes(time.Second)
		c.sends("") // it may be taken
		c.gets("이미 등록된 닉네임 입니다.\n")
		c.gets(promptText)
		c.sends("kim")
		c.passes(time.Second)
		c.gets("[kim]님이 입장 했습니다.")
		c.sends("hello")
		c.gets("[kim] hello")
		c.passes(sendEvery - 1)
		c.sends("") // it may not be reading again yet
		c.passes(1)
		for _, line := range []struct{ sent, back string }{
			{"  ", "[kim]   "}, {"banana", "[park] a[kim] banana"}, {"a", "[kim] a"},
		} {
			c.sends(line.sent)
			c.gets("[park] " + line.sent)
			c.passes(4 * time.Second)
			c.sends("") // it has not come back, so it may not have been read
			c.gets(line.back)
		}
		c.sends("/bye")
		c.server.Close()
		c.ends(0)
		c.shows("입력: \n"+promptText+"\n입력: \n이미 등록된 닉네임 입니다.\n"+promptText+"\n입력: \n[kim]님이 입장 했습니다.\n"+
			"입력: \n입력: \n[kim] hello\n입력: \n[park]   \n[kim]   \n입력: \n[park] banana\n[park] a[kim] banana\n입력: \n[park] a\n[kim] a\n", "")
	})
}

func TestPipeDoesNotWaitForEver(t *testing.T) {
	for _, c := range []struct {
		name, input, answer, sent, said string
		within                          time.Duration
		status                          int
	}{
		{"a server that says nothing", "kim\nhello\n", "", "kimhello/bye", "닉네임을 얻지 못해서", 4 * answerFor, 1},
		{"no nickname", "kim\n", "이미 등록된 닉네임 입니다.\n" + promptText, "kim/bye", "닉네임을 얻지 못해서", 2 * answerFor, 1},
		{"a line that does not come back", "kim\nhello\n", "[kim]님이 입장 했습니다.", "kimhello/bye", "1줄", 3 * answerFor, 1},
		{"nothing to say", "", promptText, "/bye", "", answerFor, 0},
		{"/bye before the end", "kim\n/bye\nhello\n", "[kim]님이 입장 했습니다.", "kim/bye", "", 3 * answerFor, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := begin(t, false)
				go func() {
					io.WriteString(v.stdin, c.input)
					v.stdin.Close()
				}()
				start := time.Now()
				if c.answer != "" {
					v.gets(promptText)
					v.passes(sendEvery)
					v.gets(c.answer)
				}
				v.ends(c.status)
				v.sends(c.sent)
				if took := time.Since(start); took > c.within+closeFor {
					t.Errorf("it took %v, want at most %v", took, c.within+closeFor)
				}
				if said := v.err.take(); c.said == "" && said != "" || !strings.Contains(said, c.said) {
					t.Errorf("on stderr stands %q, want %q", said, c.said)
				}
			})
		})
	}
}

func TestLinesThatDoNotComeBackAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := begin(t, false)
		go func() {
			io.WriteString(c.stdin, "kim\n0\n1\n2\n3\n")
			c.stdin.Close()
		}()
		c.gets(promptText)
		c.passes(sendEvery)
		c.gets("[kim]님이 입장 했습니다.")
		c.passes(2*answerFor + time.Second)
		c.sends("kim012")
		c.gets("[kim] 2") // 0 and 1 were refused, it seems
		c.ends(1)
		if want, got := "3줄", c.err.take(); !strings.HasPrefix(got, want) {
			t.Errorf("on stderr stands %q, want it to begin with %q", got, want)
		}
	})
}

func TestPipeIsInterruptedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := begin(t, false)
		io.WriteString(c.stdin, "kim\n")
		synctest.Wait()
		c.cancel()
		synctest.Wait()
		c.sends("/bye")
		c.server.Close()
		c.ends(0)
	})
}

func TestLongLinesArePartedBetweenCharacters(t *testing.T) {
	for _, in := range []bool{false, true} {
		c := &client{nick: "김", in: in}
		line := "a" + strings.Repeat("나", 1000)
		pieces := c.pieces(line)
		if strings.Join(pieces, "") != line {
			t.Errorf("the pieces %q are not the line", pieces)
		}
		for _, p := range pieces {
			if in {
				p = "[김] " + p
			}
			if len(p) > 1024 || !utf8.ValidString(p) {
				t.Errorf("a piece comes back as %d bytes, valid UTF-8 %v; want at most 1024, true", len(p), utf8.ValidString(p))
			}
		}
	}
	if got := (&client{}).pieces(""); !slices.Equal(got, nil) {
		t.Errorf("an empty line is %q, want nothing", got)
	}
}

func TestInputThatCannotBeReadIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := begin(t, false)
		c.gets(promptText)
		c.stdin.CloseWithError(io.ErrUnexpectedEOF)
		c.ends(1)
		if got := c.err.take(); !strings.Contains(got, "unexpected EOF") {
			t.Errorf("on stderr stands %q, want why input ended", got)
		}
	})
}

func TestNoServerIsASentence(t *testing.T) {
	const addr = "127.0.0.1:1" // a port that was free a moment ago may be somebody else's by now
	var out, errs buffer
	if got := Run(t.Context(), addr, strings.NewReader(""), &out, &errs, false); got != 1 {
		t.Errorf("the status is %d, want 1", got)
	}
	if said := errs.take(); !strings.Contains(said, addr) || strings.Count(said, "\n") != 1 {
		t.Errorf("on stderr stands %q, want one sentence with the address", said)
	}
}
