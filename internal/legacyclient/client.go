package legacyclient

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"sarangbang/room"
)

// The words of the protocol that the client has to know, and its own.
const (
	promptText = "채팅 닉네임을 입력하세요.: " // asks for a nickname, each time
	joinWords  = "님이 입장 했습니다."      // after "[nick]": the nickname was accepted
	byeWord    = "/bye"
	inputText  = "입력: "
)

const (
	dialFor = 10 * time.Second
	// sendFor is how long a server may take nothing.
	sendFor = 10 * time.Second
	// sendEvery lies between two sends. Two that reach the server within one of its recvs are one message to it; it comes back
	// for the next one at once, unless the machine is busy. So a pipe waits for each of its lines to come back as well.
	sendEvery = 60 * time.Millisecond
	// answerFor is how long a pipe waits for the server's answer to a nickname, or for its line to come back.
	answerFor = 5 * time.Second
	// closeFor is how long the server may take to close after "/bye".
	closeFor = time.Second

	// maxFrame is the recv of the original client, which dies of a character that is cut in two. What we send comes back to
	// everybody with our nickname before it.
	maxFrame = 1024
	maxLine  = 1 << 20
)

// Run talks with the server at addr ("host:port") until the person leaves, by "/bye", by the end of stdin or by the end of ctx,
// or until the server closes the connection. It returns the exit status: 0 after a leave, 1 after anything else, which has
// then been said in a sentence on stderr; also 1 if lines of a pipe did not come back.
//
// With tty, stdin is a terminal that edits lines by itself; the prompt goes to stderr and is put back after each message.
// Without it, the prompt goes to stdout, and lines are sent only as fast as the server can tell them apart and takes them.
func Run(ctx context.Context, addr string, stdin io.Reader, stdout, stderr io.Writer, tty bool) int {
	screen := &screen{out: stdout, err: stderr, tty: tty}
	dialer := net.Dialer{Timeout: dialFor}
	conn, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		screen.complain("%s 서버에 연결하지 못했습니다. (cannot connect to %s)", addr, addr)
		return 1
	}
	return talk(ctx, conn, stdin, screen)
}

// talk is Run on a connection, which it closes.
func talk(ctx context.Context, conn net.Conn, stdin io.Reader, screen *screen) int {
	c := &client{
		conn: conn, screen: screen, patient: !screen.tty, answered: time.Now(),
		messages: make(chan string), lines: make(chan string),
	}
	done := make(chan struct{})
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(c.messages)
		receive(conn, c.messages, done)
	})
	defer reading.Wait()
	defer func() { _ = conn.Close() }() // everything has been sent
	defer close(done)
	go c.read(stdin, done)
	return c.run(ctx)
}

// client is one conversation. Its owner's goroutine alone uses it.
type client struct {
	conn     net.Conn
	screen   *screen
	messages chan string // closed at the end of the connection
	lines    chan string // closed at the end of input
	readErr  error       // why input ended; to be read once lines is closed

	queue   []string // to be sent: pieces of one line
	sent    time.Time
	leaving bool // nothing more will be typed
	bye     bool // the word has been sent
	broken  bool // input ended with readErr
	failed  bool // nothing can be sent any more

	nick string // in use, or proposed last
	in   bool   // under this nickname

	// A pipe is patient: it sends nothing before it knows what became of what it has sent. All below is for that.
	patient  bool
	asked    bool   // the server waits for a nickname
	out      string // what the line on the way will end with when it comes back; empty while none is
	lost     int    // lines that did not come back
	answered time.Time
}

// read makes lines of the input.
func (c *client) read(stdin io.Reader, done <-chan struct{}) {
	defer close(c.lines)
	s := bufio.NewScanner(stdin)
	s.Buffer(nil, maxLine)
	for s.Scan() {
		select {
		case c.lines <- s.Text():
		case <-done:
			return
		}
	}
	c.readErr = s.Err()
}

// run is the owner: it sends what may be sent, then waits for one thing.
func (c *client) run(ctx context.Context) int {
	c.screen.prompt()
	interrupted := ctx.Done()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		timer.Reset(c.send())
		lines := c.lines
		if c.leaving || len(c.queue) > 0 {
			lines = nil
		}
		select {
		case message, ok := <-c.messages:
			if !ok {
				return c.cutOff()
			}
			c.take(message)
		case line, ok := <-lines:
			c.typed(line, ok)
		case <-interrupted:
			interrupted = nil
			c.screen.leave()
			c.queue, c.leaving, c.patient = nil, true, false
		case <-timer.C:
			if (c.bye || c.failed) && time.Since(c.sent) >= closeFor {
				return c.cutOff()
			}
		}
	}
}

// typed takes in a line, or the end of input.
func (c *client) typed(line string, ok bool) {
	switch {
	case !ok:
		c.screen.leave()
		c.leaving, c.broken = true, c.readErr != nil
		return
	case line == byeWord:
		c.screen.entered()
		c.leaving = true
		return
	}
	c.screen.entered()
	c.queue = c.pieces(strings.ToValidUTF8(line, "\ufffd"))
	if len(c.queue) == 0 {
		c.screen.prompt()
	}
}

// pieces parts a line between characters, so that each piece comes back within one frame. Of an empty line there are none.
func (c *client) pieces(line string) []string {
	limit := maxFrame
	if c.in {
		limit -= len("[" + c.nick + "] ")
	}
	limit = max(limit, utf8.UTFMax)
	var out []string
	for len(line) > limit {
		n := limit
		for !utf8.RuneStart(line[n]) {
			n--
		}
		out, line = append(out, line[:n]), line[n:]
	}
	if line != "" {
		out = append(out, line)
	}
	return out
}

// send sends the next piece, or the word that takes leave, if it is time to. It returns how long to wait before it is to be
// called again, unless something happens.
func (c *client) send() time.Duration {
	switch {
	case c.bye || c.failed: // the server may still have something to say
		return closeFor - time.Since(c.sent)
	case len(c.queue) == 0 && !c.leaving:
		return time.Hour
	}
	if wait := max(sendEvery-time.Since(c.sent), c.unanswered()); wait > 0 {
		return wait
	}
	text := byeWord
	if len(c.queue) > 0 {
		text = c.queue[0]
		c.queue = c.queue[1:]
		c.expect(text)
	} else {
		c.bye = true
	}
	_ = c.conn.SetWriteDeadline(time.Now().Add(sendFor)) // a connection that takes none fails at Write
	_, err := io.WriteString(c.conn, text)
	c.sent = time.Now()
	if c.failed = err != nil; c.failed {
		c.queue, c.leaving = nil, true
	} else if len(c.queue) == 0 && !c.leaving {
		c.screen.prompt()
	}
	return 0
}

// unanswered returns how long to wait for the server's next answer before the next piece may go.
func (c *client) unanswered() time.Duration {
	if !c.patient {
		return 0
	}
	if c.in && c.out == "" || !c.in && c.asked {
		return 0
	}
	wait := answerFor - time.Since(c.answered)
	if wait <= 0 { // it will not come any more
		if c.out != "" {
			c.lost++
		}
		c.out, c.asked = "", true
	}
	return max(0, wait)
}

// expect notes what the server's answer to a piece will look like.
func (c *client) expect(piece string) {
	clean := room.Sentence(piece).String()
	c.answered = time.Now()
	switch {
	case !c.in:
		c.nick, c.asked = clean, false
		return
	case !c.patient:
		return
	}
	const enough = 64
	for n := len(clean) - enough; n > 0; n++ {
		if utf8.RuneStart(clean[n]) {
			clean = clean[n:]
			break
		}
	}
	c.out = clean
}

// take shows a message and looks for answers in it.
func (c *client) take(message string) {
	c.screen.show(rows(message))
	if strings.HasSuffix(message, promptText) {
		c.asked, c.answered = true, time.Now()
	}
	clean := room.Sentence(message).String()
	if !c.in {
		c.in = c.nick != "" && strings.Contains(clean, "["+c.nick+"]"+joinWords)
		return
	}
	_, own, said := strings.Cut(clean, "["+c.nick+"] ")
	if said && c.out != "" && strings.Contains(own, c.out) {
		c.out = ""
	}
}

// cutOff is the end of the connection, asked for or not.
func (c *client) cutOff() int {
	if c.bye {
		return c.status()
	}
	c.screen.leave()
	c.screen.complain("서버가 연결을 끊었습니다. (the server closed the connection)")
	return 1
}

// status is what is left to say after the leave.
func (c *client) status() int {
	switch {
	case c.broken:
		c.screen.complain("입력을 읽지 못했습니다. (cannot read the input: %v)", c.readErr)
	case c.patient && !c.in && c.nick != "":
		c.screen.complain("닉네임을 얻지 못해서 아무 말도 하지 못했습니다. (no nickname was accepted, so nothing was said)")
	case c.patient && c.lost > 0:
		c.screen.complain("%d줄이 돌아오지 않았습니다. (%d lines did not come back)", c.lost, c.lost)
	default:
		return 0
	}
	return 1
}

// screen is where messages and prompts go.
type screen struct {
	out, err io.Writer
	tty      bool
	prompted bool // the cursor stands behind a prompt
}

// prompt asks for the next line.
func (s *screen) prompt() {
	s.entered()
	w := s.err
	if !s.tty {
		w = s.out
	}
	_, _ = io.WriteString(w, inputText) // a screen that is gone is noticed by nobody
	s.prompted = true
}

// entered says that a line came from behind the prompt. A terminal has echoed its end already.
func (s *screen) entered() {
	if s.prompted && !s.tty {
		_, _ = io.WriteString(s.out, "\n")
	}
	s.prompted = false
}

// leave says that none will come any more.
func (s *screen) leave() {
	if s.prompted && s.tty {
		_, _ = io.WriteString(s.err, "\n")
	}
	s.entered()
}

// show prints a message above the prompt. What has been typed so far stays with the terminal, out of sight.
func (s *screen) show(rows []string) {
	again := s.prompted && s.tty
	if again {
		_, _ = io.WriteString(s.err, "\r\x1b[K")
	} else {
		s.entered()
	}
	for _, row := range rows {
		_, _ = fmt.Fprintln(s.out, row)
	}
	if again {
		_, _ = io.WriteString(s.err, inputText)
	}
}

// complain says a sentence on stderr.
func (s *screen) complain(format string, args ...any) {
	_, _ = fmt.Fprintf(s.err, format+"\n", args...)
}
