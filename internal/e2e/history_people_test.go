//go:build linux

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"sarangbang/internal/testkit/emulator"
	"sarangbang/internal/testkit/historycheck"
)

// chronicle is what everybody writes down, together.
type chronicle struct {
	begun time.Time
	hush  atomic.Bool // nobody says anything

	mu      sync.Mutex
	log     historycheck.House // guarded by mu, like all below
	attempt map[string]int     // the newest, by text
	owners  []string           // who has an account
	other   map[int][]string   // what else stood on a screen
	wrong   []string           // what a log cannot tell

	prints  map[string]string             // fingerprints of keys, by whose they are
	entries map[string]historycheck.Entry // all that was ever kept, as it was before it was struck, by ID
}

func (c *chronicle) now() time.Duration { return time.Since(c.begun) }

// regular is somebody who comes to the house again and again, says things, and writes down what stands on their screens.
type regular struct {
	*chronicle
	name string
	door door
	key  ssh.Signer // nil for a guest
	errand
	target bool       // may be kept out of the lobby and of the house
	rng    *rand.Rand // of the person's own goroutine
	said   int

	// Guarded by chronicle.mu.
	again   []historycheck.Line // what was refused, to be said again
	owner   bool                // of an account
	acked   int                 // how many of their lines they were shown
	screens int
	here    *stay // nil while they are away
}

// door is the way somebody comes in.
type door int

const (
	byPipe door = iota
	byTerminal
	byLines // of the TCP door
)

// live comes to the house, again and again, until ctx ends: the house must have gone by then.
func (r *regular) live(ctx context.Context, tb testing.TB, h *house) {
	tb.Helper()
	for ctx.Err() == nil {
		pause := time.Duration(20+r.rng.IntN(80)) * time.Millisecond
		if v, err := r.come(ctx, tb, h); err == nil {
			v.chat(ctx)
			v.leave()
		} else {
			pause *= 4
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// stay is one visit of a regular, by one connection.
type stay struct {
	*regular
	conn   *mutableConn
	stdin  io.WriteCloser
	enter  string // what ends a line
	ended  chan struct{}
	status int // once ended is closed, -1 for none

	// Guarded by chronicle.mu.
	screen  int         // in the log
	awaited []int       // attempts that have no outcome yet
	inputs  map[int]int // attempts, by the number of the line
	typed   int         // lines so far
	asked   bool        // for a nickname
	ready   bool        // lines are taken
	stale   bool        // what was refused stands in the draft again
	active  string      // the room on the screen
	moving  int         // the number of the line that goes to another room and has no answer yet; 0 for none
	unheard bool        // something was refused in another room than the lobby
	rows    int         // of the terminal that have been read
	lowest  string      // the row below them
}

// come connects.
func (r *regular) come(ctx context.Context, tb testing.TB, h *house) (*stay, error) {
	tb.Helper()
	address := h.ssh
	if r.door == byLines {
		address = h.tcp
	}
	conn, err := (&net.Dialer{Timeout: patience}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	v := &stay{
		regular: r, conn: newMutableConn(conn.(*net.TCPConn)), inputs: map[int]int{}, enter: "\n",
		ended: make(chan struct{}), status: -1, ready: r.door != byTerminal,
	}
	if r.door == byLines {
		v.open()
		v.stdin = halfConn{v.conn}
		go v.listen()
		_, err = io.WriteString(v.conn, r.name+v.enter)
	} else {
		err = v.session(tb)
	}
	if err != nil {
		_ = v.conn.Close()
		return nil, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.here = v // from now on its connection may fall silent: nobody waits for an answer
	return v, nil
}

// session comes in over SSH.
func (v *stay) session(tb testing.TB) error {
	tb.Helper()
	_ = v.conn.SetDeadline(time.Now().Add(patience))
	c, chans, requests, err := ssh.NewClientConn(v.conn, v.conn.RemoteAddr().String(), login{user: v.name, key: v.key}.config(tb))
	if err != nil {
		return err
	}
	_ = v.conn.SetDeadline(time.Time{})
	s, err := ssh.NewClient(c, chans, requests).NewSession()
	if err != nil {
		return err
	}
	s.Stdout, s.Stderr = &splitter{row: v.row}, &splitter{row: v.row}
	if v.door == byTerminal {
		v.enter = "\r"
		const cols, rows = 200, 24
		screen := emulator.New(cols, rows)
		s.Stdout = drawn{screen, v.drew}
		if err := s.RequestPty("xterm-256color", rows, cols, ssh.TerminalModes{}); err != nil {
			return err
		}
	}
	if v.stdin, err = s.StdinPipe(); err != nil {
		return err
	}
	v.open()
	if err := s.Shell(); err != nil {
		return err
	}
	go func() {
		v.status = exitStatus(s.Wait())
		v.drawnLast()
		close(v.ended)
	}()
	return nil
}

// standing says what somebody waits for, for whoever looks for the fault. It needs chronicle.mu.
func (r *regular) standing() string {
	v := r.here
	if v == nil {
		return r.name + " (not here)"
	}
	awaited := ""
	if len(v.awaited) > 0 {
		awaited = v.log.Sends[v.awaited[0]].Text
	}
	return fmt.Sprintf("%s (ready %t, asked %t, stale %t, moving %d, deed %d, waits for %q, lowest row %q, ended %t)",
		r.name, v.ready, v.asked, v.stale, v.moving, v.deed, awaited, v.lowest, v.over())
}

// listen reads lines of the TCP door until there are no more.
func (v *stay) listen() {
	_, _ = io.Copy(&splitter{row: v.row}, v.conn)
	close(v.ended)
}

// open puts the screen into the log, before anything can stand on it.
func (v *stay) open() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.screens++
	s := historycheck.Screen{Name: fmt.Sprintf("screen %d of %s", v.screens, v.name), Reader: v.name, Account: v.owner, Opened: v.now()}
	v.active, v.moving, v.deed, v.undo = historycheck.Lobby, 0, -1, 0
	s.Marks = append(s.Marks, historycheck.Mark{Kind: historycheck.Again}) // a backlog comes first, unless they are told otherwise
	v.screen = len(v.log.Screens)
	v.log.Screens = append(v.log.Screens, s)
}

// row takes in a row that will not change any more.
func (v *stay) row(row string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.rowLocked(row)
}

func (v *stay) rowLocked(row string) {
	s := &v.log.Screens[v.screen]
	row = strings.TrimPrefix(row, prompt) // the old protocol's has no line of its own
	v.answeredLocked(row)
	if v.settledLocked(row) {
		return
	}
	if m := refusalRow.FindStringSubmatch(row); m != nil {
		v.refusedLocked(m[1])
		return
	}
	m, ok := markOf(row, v.name)
	if !ok {
		v.other[v.screen] = append(v.other[v.screen], row)
		v.movedLocked(row)
		switch {
		case untoldRow.MatchString(row):
			v.awaited, v.deed, v.moving = nil, -1, 0
		case registeredRow.MatchString(row) && !v.owner:
			v.owner, s.Account = true, true
			v.owners = append(v.owners, v.name)
		}
		return
	}
	m.At = v.now()
	s.Marks = append(s.Marks, m)
	switch {
	case m.Kind == historycheck.Gap: // what is awaited may be among what was skipped, and that the reader was put out of a room
		v.awaited = nil
		v.outLocked()
	case m.Kind == historycheck.Saw && m.Line.Author == v.name:
		v.shownLocked(m.Line)
	}
}

// shownLocked takes an acknowledgement in.
func (v *stay) shownLocked(l historycheck.Line) {
	i, sent := v.attempt[l.Text]
	if !sent || v.log.Sends[i].Outcome != historycheck.Unknown {
		return
	}
	a := &v.log.Sends[i]
	a.Outcome, a.Done = historycheck.Shown, v.now()
	if a.Screen == v.screen {
		v.acked++
	}
	v.awaited = slices.DeleteFunc(v.awaited, func(w int) bool { return w == i })
}

// refusedLocked takes a refusal in: of the numbered line or, where lines have no numbers, of the one that is awaited.
func (v *stay) refusedLocked(number string) {
	if v.door == byTerminal {
		v.stale = true // it is back in the draft, also if it was taken for one of those that a gap swallowed
	}
	i := -1
	if n, err := strconv.Atoi(number); err == nil {
		if at, ok := v.inputs[n]; ok {
			i = at
		}
	} else if len(v.awaited) > 0 {
		i = v.awaited[0]
	}
	if i < 0 || v.log.Sends[i].Outcome != historycheck.Unknown {
		return
	}
	a := &v.log.Sends[i]
	a.Outcome, a.Done = historycheck.Refused, v.now()
	if a.To == "" {
		v.again = append(v.again, a.Line)
	}
	v.awaited = slices.DeleteFunc(v.awaited, func(w int) bool { return w == i })
	v.unheard = v.active != historycheck.Lobby
}

// drew looks at the terminal: every row above the last is there to stay.
func (v *stay) drew(screen *emulator.Terminal) {
	rows := (&person{terminal: screen}).rows()
	if len(rows) == 0 {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for ; v.rows < len(rows)-1; v.rows++ {
		v.rowLocked(rows[v.rows])
	}
	last := rows[len(rows)-1]
	v.asked = strings.HasPrefix(last, "nickname [")
	v.ready = strings.HasSuffix(last, v.name+">")
	if v.lowest = last; v.rows == len(rows) { // the prompt is gone, and what stands above it was read
		v.lowest = ""
	}
}

// drawnLast takes in the last row, too, now that no prompt comes below it, unless its end was cut off.
func (v *stay) drawnLast() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if m, ok := markOf(v.lowest, v.name); ok && m.Kind == historycheck.Saw {
		if _, whole := v.attempt[m.Line.Text]; whole {
			v.rowLocked(v.lowest)
		}
	}
}

// chat says things until the visit is over, or ctx ends: the house must have gone by then, so that everything it sent has come.
func (v *stay) chat(ctx context.Context) {
	for {
		pause := time.NewTimer(time.Duration(20+v.rng.IntN(130)) * time.Millisecond)
		select {
		case <-pause.C:
		case <-v.conn.muted:
			return
		case <-v.ended:
			return
		case <-ctx.Done():
			v.waits()
			return
		}
		if goes := v.act(); goes {
			v.waits()
			return
		}
	}
}

// waits waits for the end of the visit, unless its connection is mute.
func (v *stay) waits() {
	select {
	case <-v.ended:
	case <-v.conn.muted:
	}
}

// leave closes the connection, unless it is mute: then it stays, and nobody is there.
func (v *stay) leave() {
	v.mu.Lock()
	v.here = nil
	v.mu.Unlock()
	select {
	case <-v.conn.muted:
	default:
		_ = v.conn.Close()
		<-v.ended
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.door == byPipe && v.over() && v.status == 0 && len(v.awaited) > 0 {
		v.wrong = append(v.wrong, fmt.Sprintf("%s ended with status 0 and was not shown what became of %q",
			v.log.Screens[v.screen].Name, v.log.Sends[v.awaited[0]].Text))
	}
}

// over says that the visit has ended.
func (v *stay) over() bool {
	select {
	case <-v.ended:
		return true
	default:
		return false
	}
}

// act does one thing, and says whether it was to leave.
func (v *stay) act() (goes bool) {
	v.mu.Lock()
	asked, ready, stale, awaited, owner, unheard, moving := v.asked, v.ready, v.stale, len(v.awaited), v.owner, v.unheard, v.moving > 0
	busy := v.office == none || v.deed >= 0
	v.asked, v.stale, v.unheard = false, false, false
	v.mu.Unlock()
	switch {
	case asked:
		v.writes(v.enter)
	case stale:
		v.writes("\x03") // clears the line
	case !ready, awaited >= v.window(), moving && v.door == byTerminal, v.hush.Load():
	case v.key != nil && !owner:
		v.types("/register")
	case unheard:
		v.types("/join " + historycheck.Lobby)
	case v.rng.IntN(40) == 0 && (v.door == byPipe || awaited == 0):
		v.goes()
		return true
	case !busy && v.rng.IntN(3) > 0:
		v.keepsOrder()
	case v.door != byLines && v.rng.IntN(20) == 0:
		v.wanders()
	case v.rng.IntN(25) == 0 && v.door == byPipe:
		v.says(v.lines(40)...)
	default:
		v.says(v.lines(1)...)
	}
	return false
}

// window is how much may be on its way. Only a pipe is told which of several lines was refused.
func (v *stay) window() int {
	if v.door == byPipe {
		return 8
	}
	return 1
}

// goes leaves with a word. A pipe ends its input, whatever is still on its way. From then on the connection is left alone: whoever
// goes by their own wish is taken to have seen what was shown last.
func (v *stay) goes() {
	v.mu.Lock()
	v.here = nil
	v.mu.Unlock()
	if v.door == byPipe {
		_ = v.stdin.Close()
	} else {
		v.types("/bye")
	}
}

// lines thinks of n lines, or says again what was refused.
func (v *stay) lines(n int) []historycheck.Line {
	v.mu.Lock()
	defer v.mu.Unlock()
	if again := v.again; len(again) > 0 {
		again = again[:min(n, len(again))]
		v.again = v.again[len(again):]
		return again
	}
	lines := make([]historycheck.Line, n)
	for i := range lines {
		v.said++
		text := fmt.Sprint(v.name, " ", v.said)
		for range v.rng.IntN(12) {
			text += " " + smallTalk[v.rng.IntN(len(smallTalk))]
		}
		text += fmt.Sprintf(" %s%dz", v.name, v.said) // a word of its own to look for
		lines[i] = historycheck.Line{Author: v.name, Text: text}
		if v.door == byLines {
			continue
		}
		switch to := v.owners; {
		case len(to) > 0 && v.rng.IntN(12) == 0:
			if to := to[v.rng.IntN(len(to))]; to != v.name {
				lines[i].To = to
			}
		case v.rng.IntN(12) == 0:
			lines[i].Text = "* " + text
		}
	}
	return lines
}

// says sends lines.
func (v *stay) says(lines ...historycheck.Line) {
	var b strings.Builder
	v.mu.Lock()
	for _, l := range lines {
		v.typed++
		i := len(v.log.Sends)
		v.log.Sends = append(v.log.Sends, historycheck.Send{Line: l, Screen: v.screen, At: v.now()})
		v.attempt[l.Text], v.inputs[v.typed] = i, i
		v.awaited = append(v.awaited, i)
		action, acts := strings.CutPrefix(l.Text, "* ")
		switch {
		case l.To != "":
			b.WriteString("/msg " + l.To + " " + l.Text + v.enter)
		case acts:
			b.WriteString("/me " + action + v.enter)
		default:
			b.WriteString(l.Text + v.enter)
		}
	}
	v.mu.Unlock()
	v.writes(b.String())
}

// types types a command.
func (v *stay) types(command string) {
	v.mu.Lock()
	v.typed++
	if strings.HasPrefix(command, "/join ") || strings.HasPrefix(command, "/leave ") {
		v.moving = v.typed
	}
	v.mu.Unlock()
	v.writes(command + v.enter)
}

// writes sends bytes. If the connection has gone, that shows in another way.
func (v *stay) writes(s string) { _, _ = io.WriteString(v.stdin, s) }

// splitter gives the rows of what is written to it.
type splitter struct {
	row  func(string)
	rest []byte
}

func (s *splitter) Write(p []byte) (int, error) {
	s.rest = append(s.rest, p...)
	for {
		row, rest, whole := bytes.Cut(s.rest, []byte("\n"))
		if !whole {
			return len(p), nil
		}
		s.row(strings.TrimSuffix(string(row), "\r"))
		s.rest = rest
	}
}

// drawn is a terminal that is looked at whenever something is drawn.
type drawn struct {
	screen *emulator.Terminal
	look   func(*emulator.Terminal)
}

func (d drawn) Write(p []byte) (int, error) {
	n, err := d.screen.Write(p)
	d.look(d.screen)
	return n, err
}

// halfConn is a connection as one writes to it: its end is no end of reading.
type halfConn struct{ *mutableConn }

func (c halfConn) Close() error { return c.CloseWrite() }

// mutableConn is a connection that can fall silent, as one does when a network loses its packets: neither side is told.
type mutableConn struct {
	*net.TCPConn
	muted chan struct{} // closed when it falls silent
	mute  func()
	over  chan struct{} // closed when it ends
	close func()
}

func newMutableConn(c *net.TCPConn) *mutableConn {
	m := &mutableConn{TCPConn: c, muted: make(chan struct{}), over: make(chan struct{})}
	m.mute = sync.OnceFunc(func() { close(m.muted) })
	m.close = sync.OnceFunc(func() { close(m.over) })
	return m
}

func (c *mutableConn) silent() bool {
	select {
	case <-c.muted:
		return true
	default:
		return false
	}
}

// Read gives nothing of what comes once the connection is mute.
func (c *mutableConn) Read(p []byte) (int, error) {
	n, err := c.TCPConn.Read(p)
	if c.silent() {
		<-c.over
		return 0, net.ErrClosed
	}
	return n, err
}

// Write loses what is written then.
func (c *mutableConn) Write(p []byte) (int, error) {
	if c.silent() {
		return len(p), nil
	}
	return c.TCPConn.Write(p)
}

// Close ends it.
func (c *mutableConn) Close() error {
	c.close()
	return c.TCPConn.Close()
}

// cut ends it by RST, as a failing network does.
func (c *mutableConn) cut() {
	_ = c.SetLinger(0)
	_ = c.Close()
}
