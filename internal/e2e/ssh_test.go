//go:build linux

package e2e

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"sarangbang/internal/testkit/emulator"
)

// login is how somebody comes in over SSH.
type login struct {
	user       string
	key        ssh.Signer // nil: a guest, let in without a question
	env        map[string]string
	term       string // "xterm-256color" if empty
	cols, rows int    // 100 × 40 if 0
	from       string // an address of loopback to come from; any if empty
	buffer     int    // receive buffer of the socket, in bytes; the system's if 0
	apart      bool   // the terminal draws every code point for itself
}

func newKey(tb testing.TB) ssh.Signer {
	tb.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	key, err := ssh.NewSignerFromKey(private)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

// connect opens a TCP connection to an address of the house.
func connect(tb testing.TB, address string, l login) *net.TCPConn {
	tb.Helper()
	d := net.Dialer{Timeout: patience}
	if l.from != "" {
		d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(l.from)}
	}
	if l.buffer > 0 {
		d.Control = smallReceiveBuffer(l.buffer)
	}
	conn, err := d.DialContext(context.Background(), "tcp", address)
	if err != nil {
		tb.Fatalf("connect to %s: %v", address, err)
	}
	tb.Cleanup(func() { _ = conn.Close() })
	return conn.(*net.TCPConn)
}

// config is how the login authenticates.
func (l login) config(tb testing.TB) *ssh.ClientConfig {
	tb.Helper()
	keys, err := keyring()
	if err != nil {
		tb.Fatal(err)
	}
	c := &ssh.ClientConfig{User: l.user, HostKeyCallback: ssh.FixedHostKey(keys.public), HostKeyAlgorithms: []string{ssh.KeyAlgoED25519}, Timeout: patience}
	if l.key != nil {
		c.Auth = append(c.Auth, ssh.PublicKeys(l.key))
	}
	c.Auth = append(c.Auth, ssh.KeyboardInteractive(func(_, _ string, questions []string, _ []bool) ([]string, error) {
		return make([]string, len(questions)), nil
	}))
	return c
}

// dial logs in and opens no session. The connection below is returned for those who mistreat it.
func (h *house) dial(tb testing.TB, l login) (*ssh.Client, *net.TCPConn) {
	tb.Helper()
	client, conn, err := h.tryDial(tb, l)
	if err != nil {
		tb.Fatalf("log in as %q: %v", l.user, err)
	}
	return client, conn
}

func (h *house) tryDial(tb testing.TB, l login) (*ssh.Client, *net.TCPConn, error) {
	tb.Helper()
	conn := connect(tb, h.ssh, l)
	_ = conn.SetDeadline(time.Now().Add(patience))
	c, chans, requests, err := ssh.NewClientConn(conn, h.ssh, l.config(tb))
	if err != nil {
		_ = conn.Close()
		return nil, nil, err
	}
	_ = conn.SetDeadline(time.Time{})
	client := ssh.NewClient(c, chans, requests)
	tb.Cleanup(func() { _ = client.Close() })
	return client, conn, nil
}

// person is somebody in a session of SSH.
type person struct {
	t        testing.TB
	house    *house
	nick     string
	client   *ssh.Client
	conn     *net.TCPConn
	session  *ssh.Session
	stdin    io.WriteCloser
	terminal *emulator.Terminal // nil without one
	out      *transcript        // all bytes of stdout
	errs     *transcript        // of stderr
	ended    chan error         // what the session's Wait returned
}

// knock opens a terminal, up to the question for the nickname.
func (h *house) knock(tb testing.TB, l login) *person {
	tb.Helper()
	if l.term == "" {
		l.term = "xterm-256color"
	}
	if l.cols == 0 {
		l.cols, l.rows = 100, 40
	}
	p := h.newPerson(tb, l)
	p.terminal = emulator.New(l.cols, l.rows)
	p.terminal.Apart = l.apart
	if err := p.session.RequestPty(l.term, l.rows, l.cols, ssh.TerminalModes{}); err != nil {
		tb.Fatalf("request a terminal: %v", err)
	}
	p.start(io.MultiWriter(p.terminal, p.out))
	tb.Cleanup(func() {
		if err := p.terminal.Err(); err != nil {
			tb.Errorf("%s was sent what terminals do not draw alike: %v", p.nick, err)
		}
	})
	return p
}

// enter opens a terminal and comes in under the name of the login.
func (h *house) enter(tb testing.TB, l login) *person {
	tb.Helper()
	p := h.knock(tb, l)
	offered := func(string) bool {
		return strings.Contains(p.text(), "nickname [") || strings.Contains(p.text(), "닉네임 [")
	}
	if !p.out.wait(patience, offered) {
		h.blame()
		tb.Fatalf("%s sees\n%s\nwant to be offered the name of the login", l.user, p.shown())
	}
	p.keys("\r")
	p.prompted()
	return p
}

// terminal comes in by a wide terminal as a guest.
func (h *house) guest(tb testing.TB, nick string) *person {
	tb.Helper()
	return h.enter(tb, login{user: nick})
}

// pipe opens a session without a terminal.
func (h *house) pipe(tb testing.TB, l login) *person {
	tb.Helper()
	p := h.newPerson(tb, l)
	p.start(p.out)
	return p
}

func (h *house) newPerson(tb testing.TB, l login) *person {
	tb.Helper()
	client, conn := h.dial(tb, l)
	p := &person{t: tb, house: h, nick: l.user, client: client, conn: conn, out: &transcript{}, errs: &transcript{}, ended: make(chan error, 1)}
	p.open(l)
	return p
}

// open opens a session on the connection.
func (p *person) open(l login) {
	p.t.Helper()
	s, err := p.client.NewSession()
	if err != nil {
		p.t.Fatalf("open a session: %v", err)
	}
	for k, v := range l.env {
		_ = s.Setenv(k, v) // the house may refuse it
	}
	p.session = s
}

// start begins the shell, whose output goes to out.
func (p *person) start(out io.Writer) {
	p.t.Helper()
	p.session.Stdout, p.session.Stderr = out, p.errs
	var err error
	if p.stdin, err = p.session.StdinPipe(); err == nil {
		err = p.session.Shell()
	}
	if err != nil {
		p.t.Fatalf("start a shell: %v", err)
	}
	go func() {
		err := p.session.Wait()
		p.out.end(err)
		p.errs.end(err)
		p.ended <- err
	}()
}

// keys sends bytes as a keyboard or a pipe does.
func (p *person) keys(s string) {
	p.t.Helper()
	if _, err := io.WriteString(p.stdin, s); err != nil {
		p.t.Fatalf("%s types %q: %v", p.nick, s, err)
	}
}

// types types a line and ends it.
func (p *person) types(line string) {
	p.t.Helper()
	if p.terminal != nil {
		p.keys(line + "\r")
	} else {
		p.keys(line + "\n")
	}
}

// pastes sends text as a terminal sends a paste, and enters it.
func (p *person) pastes(text string) {
	p.t.Helper()
	p.keys("\x1b[200~" + strings.ReplaceAll(text, "\n", "\r") + "\x1b[201~\r")
}

// text is what the person has seen so far: all rows, or all bytes without a terminal.
func (p *person) text() string {
	if p.terminal == nil {
		return p.out.String()
	}
	return strings.Join(p.rows(), "\n")
}

// shown is the end of what the person has seen, for the report of a failure.
func (p *person) shown() string {
	rows := strings.Split(p.text(), "\n")
	rows = rows[max(0, len(rows)-30):]
	for i, r := range rows {
		rows[i] = cutTo(r, 110)
	}
	return strings.Join(rows, "\n")
}

// cutTo cuts a text that is too long for a report.
func cutTo(s string, n int) string {
	if len(s) > n {
		return s[:n] + "…"
	}
	return s
}

// endOf is the end of a text that is too long for a report.
func endOf(s string, n int) string {
	if len(s) > n {
		return "…" + s[len(s)-n:]
	}
	return s
}

// rows are those of the terminal, scrolled away or not, down to the last that is not empty.
func (p *person) rows() []string {
	rows := append(p.terminal.Scrollback(), p.terminal.Screen()...)
	for len(rows) > 0 && rows[len(rows)-1] == "" {
		rows = rows[:len(rows)-1]
	}
	return rows
}

// sees waits until the person sees want.
func (p *person) sees(want string) {
	p.t.Helper()
	p.seesWithin(patience, want)
}

func (p *person) seesWithin(d time.Duration, want string) {
	p.t.Helper()
	if !p.out.wait(d, func(string) bool { return strings.Contains(p.text(), want) }) {
		p.house.blame()
		p.t.Fatalf("%s sees\n%s\nwant to see %q (errors: %q)", p.nick, p.shown(), want, p.errs)
	}
}

// seesNot wants that the person has not seen something by now. What would have shown it must have been awaited before.
func (p *person) seesNot(not string) {
	p.t.Helper()
	if strings.Contains(p.text(), not) {
		p.t.Errorf("%s sees\n%s\nwant not to see %q", p.nick, p.shown(), not)
	}
}

// seesTimes waits until the person has seen want n times, and wants it to be no more.
func (p *person) seesTimes(n int, want string) {
	p.t.Helper()
	p.out.wait(patience, func(string) bool { return strings.Count(p.text(), want) >= n })
	if got := strings.Count(p.text(), want); got != n {
		p.house.blame()
		p.t.Fatalf("%s sees\n%s\nand %q %d times in it, want %d", p.nick, p.shown(), want, got, n)
	}
}

// prompted waits until the person is in and has the prompt.
func (p *person) prompted() {
	p.t.Helper()
	narrow, wide := "\n"+p.nick+">", "\n#lobby "+p.nick+">"
	if !p.out.wait(patience, func(string) bool { return strings.Contains(p.text(), narrow) || strings.Contains(p.text(), wide) }) {
		p.house.blame()
		p.t.Fatalf("%s sees\n%s\nwant the prompt (errors: %q)", p.nick, p.shown(), p.errs)
	}
}

// complains waits until standard error says want.
func (p *person) complains(want string) {
	p.t.Helper()
	if !p.errs.wait(patience, func(all string) bool { return strings.Contains(all, want) }) {
		p.house.blame()
		p.t.Fatalf("%s was told %q on standard error, want %q in it", p.nick, p.errs, want)
	}
}

// ends waits for the end of the session and wants the status; -1 for an end without one.
func (p *person) ends(status int) {
	p.t.Helper()
	select {
	case err := <-p.ended:
		p.ended <- err
		if got := exitStatus(err); got != status {
			p.house.blame()
			p.t.Errorf("the session of %s ended with %v, want status %d; screen:\n%s\nerrors: %q", p.nick, err, status, p.shown(), p.errs)
		}
	case <-time.After(patience):
		p.house.blame()
		p.t.Fatalf("the session of %s goes on, want it to end with status %d; screen:\n%s", p.nick, status, p.shown())
	}
}

// exitStatus returns the status that the client of an ended session was told, -1 for none.
func exitStatus(err error) int {
	if err == nil {
		return 0
	}
	if e, ok := errors.AsType[*ssh.ExitError](err); ok {
		return e.ExitStatus()
	}
	return -1
}

// leaves says goodbye.
func (p *person) leaves() {
	p.t.Helper()
	p.types("/bye")
	p.ends(0)
}

// hangUp closes the connection without a word.
func (p *person) hangUp() { _ = p.client.Close() }

// cut ends the connection by RST, as a failing network does.
func (p *person) cut() {
	_ = p.conn.SetLinger(0)
	_ = p.conn.Close()
}

// command runs one command over SSH.
func (h *house) command(tb testing.TB, l login, line string) (status int, stdout, stderr string) {
	tb.Helper()
	p := h.newPerson(tb, l)
	defer p.hangUp()
	var out, errs strings.Builder
	p.session.Stdout, p.session.Stderr = &out, &errs
	late := time.AfterFunc(patience, p.hangUp) // -1 is the status of a command that does not end
	defer late.Stop()
	return exitStatus(p.session.Run(line)), out.String(), errs.String()
}
