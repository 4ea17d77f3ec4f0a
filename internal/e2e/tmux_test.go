//go:build linux

package e2e

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rivo/uniseg"
)

// tmux is one server of tmux for the whole run, and the one client that controls it (tmux(1), CONTROL MODE): to run the program
// for each question would take longer than the answers, and the client is told when a pane has drawn something.
type tmux struct {
	server, client *exec.Cmd
	stdin          io.WriteCloser

	mu      sync.Mutex
	waiting []chan answer    // for the answers to what was asked, guarded by mu like all below
	panes   map[string]*pane // by the IDs of tmux
	opened  int
	gone    bool
}

// answer is what tmux says to a command.
type answer struct {
	text   string
	failed bool
}

// theTmux is started by the first test that needs it, and ended by TestMain.
var (
	theTmux  = sync.OnceValues(startTmux)
	stopTmux = func() {}
)

func startTmux() (*tmux, error) {
	dir := filepath.Dir(program)
	t := &tmux{panes: map[string]*pane{}}
	program := func(args ...string) *exec.Cmd {
		cmd := exec.Command("tmux", append([]string{"-u", "-S", filepath.Join(dir, "tmux"), "-f", "/dev/null"}, args...)...)
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "LC_ALL=C.UTF-8", "TERM=xterm-256color", "SHELL=/bin/sh"}
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		return cmd
	}
	t.server = program("-D")
	if err := t.server.Start(); err != nil {
		return nil, fmt.Errorf("start tmux: %w", err)
	}
	stopTmux = t.stop
	if !eventually(patience, func() bool { return program("show-options", "-g").Run() == nil }) {
		return nil, errors.New("tmux does not answer")
	}
	t.client = program("-C", "new-session", "-s", "house", "cat")
	var err error
	if t.stdin, err = t.client.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := t.client.StdoutPipe()
	if err == nil {
		err = t.client.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("control tmux: %w", err)
	}
	attached := make(chan struct{})
	go t.listen(bufio.NewReader(out), attached)
	<-attached // until then the client has no size; it is closed if tmux goes
	if a := t.ask("set-option -g default-terminal tmux-256color")[0]; a.failed {
		t.stop()
		return nil, fmt.Errorf("configure tmux: %s", a.text)
	}
	return t, nil
}

// stop ends the server, and so everything in it.
func (t *tmux) stop() {
	_ = t.server.Process.Kill()
	_ = t.server.Wait()
	if t.client != nil {
		_ = t.client.Wait()
	}
}

// ask gives commands, with no others between them, and returns the answers.
func (t *tmux) ask(commands ...string) []answer {
	t.mu.Lock()
	answers := make([]answer, len(commands))
	pending := make([]chan answer, len(commands))
	for i := range pending {
		pending[i] = make(chan answer, 1)
	}
	_, err := io.WriteString(t.stdin, strings.Join(commands, "\n")+"\n")
	if err == nil && !t.gone {
		t.waiting = append(t.waiting, pending...)
	} else {
		for _, p := range pending {
			p <- answer{text: "tmux has gone", failed: true}
		}
	}
	t.mu.Unlock()
	for i := range answers {
		answers[i] = <-pending[i]
	}
	return answers
}

// listen reads what the server says: answers between %begin and %end or %error, and notifications. It closes attached when the
// client has its session, or never will.
func (t *tmux) listen(in *bufio.Reader, attached chan<- struct{}) {
	attach := sync.OnceFunc(func() { close(attached) })
	defer attach()
	var text strings.Builder
	end := "" // what ends the answer that is being read: its number
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			break
		}
		word, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		switch {
		case end == "" && word == "%begin":
			end = rest
			text.Reset()
		case end != "" && (word == "%end" || word == "%error") && rest == end:
			if strings.HasSuffix(end, " 1") { // not by the command line
				t.answered(answer{text.String(), word == "%error"})
			}
			end = ""
		case end != "":
			text.WriteString(line)
		case word == "%session-changed":
			attach()
		case word == "%output":
			id, drawn, _ := strings.Cut(rest, " ")
			t.drew(id, drawn)
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.gone = true
	for _, w := range t.waiting {
		w <- answer{text: "tmux has gone", failed: true}
	}
}

func (t *tmux) answered(a answer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.waiting[0] <- a
	t.waiting = t.waiting[1:]
}

// drew notes that a pane has drawn something, in which controls are written in octal.
func (t *tmux) drew(id, what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.panes[id]
	if p == nil {
		return
	}
	p.rung += strings.Count(what, `\007`)
	select {
	case p.changed <- struct{}{}:
	default:
	}
}

// quoted is text as an argument in a command line of tmux.
func quoted(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\' || r == '$':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\%03o`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// pane is a screen of tmux with one program on it.
type pane struct {
	t       testing.TB
	tmux    *tmux
	target  string
	changed chan struct{} // something was drawn since it was last looked at
	rung    int           // bells; guarded by tmux.mu
}

// outlives is a script for sh that runs the program that its arguments name, and says by the title of the screen with what status
// it has ended. So that comes after all that the program has written, and the screen stays. tmux throws away what it has not yet
// read when the program that it has started ends (github.com/tmux/tmux/issues/506), and can miss that end for good (3.3a).
const outlives = `"$@"; printf '\033]2;` + endedTitle + `%d\033\\' $?; exec sleep 1000`

const endedTitle = "ended with status "

// openPane runs a program on a screen of its own.
func openPane(tb testing.TB, cols, rows int, command []string) *pane {
	tb.Helper()
	server, err := theTmux()
	if err != nil {
		tb.Fatal(err)
	}
	server.mu.Lock()
	server.opened++
	name := fmt.Sprint("pane", server.opened)
	server.mu.Unlock()
	p := &pane{t: tb, tmux: server, target: "house:=" + name, changed: make(chan struct{}, 1)}
	line := "new-window -d -P -F '#{pane_id}' -n " + name
	for _, word := range append([]string{"sh", "-c", outlives, "sh"}, command...) {
		line += " " + quoted(word)
	}
	// A new window is as large as the client says that it is, and then keeps the size that it is given.
	answers := p.asks(fmt.Sprintf("refresh-client -C %dx%d", cols, rows), line, fmt.Sprintf("resize-window -t %s -x %d -y %d", p.target, cols, rows))
	id := strings.TrimSpace(answers[1])
	server.mu.Lock()
	server.panes[id] = p
	server.mu.Unlock()
	tb.Cleanup(func() {
		server.mu.Lock()
		delete(server.panes, id)
		server.mu.Unlock()
		p.close()
	})
	return p
}

// asks gives commands to tmux, each of which must succeed.
func (p *pane) asks(commands ...string) []string {
	p.t.Helper()
	var texts []string
	for i, a := range p.tmux.ask(commands...) {
		if a.failed {
			p.t.Fatalf("tmux %s: %s", commands[i], a.text)
		}
		texts = append(texts, a.text)
	}
	return texts
}

// close hangs up on the program, if it has not ended.
func (p *pane) close() { p.tmux.ask("kill-window -t " + p.target) }

// types sends text as if it were typed.
func (p *pane) types(text string) {
	p.t.Helper()
	p.asks("send-keys -t " + p.target + " -l " + quoted(text))
}

// press sends keys by their names.
func (p *pane) press(keys ...string) {
	p.t.Helper()
	p.asks("send-keys -t " + p.target + " " + strings.Join(keys, " "))
}

// sends sends bytes as they are.
func (p *pane) sends(bytes string) {
	p.t.Helper()
	p.asks(fmt.Sprintf("send-keys -t %s -H % x", p.target, bytes))
}

// pastes pastes text: as the program wants it, which is in brackets if it asked for these, or without them in any case.
func (p *pane) pastes(text string, brackets bool) {
	p.t.Helper()
	buffer, in := strings.TrimPrefix(p.target, "house:="), ""
	if brackets {
		in = " -p"
	}
	p.asks("set-buffer -b "+buffer+" "+quoted(text), "paste-buffer -d"+in+" -b "+buffer+" -t "+p.target)
}

// resize makes the screen another size. tmux tells the program of it up to a quarter of a second later.
func (p *pane) resize(cols, rows int) {
	p.t.Helper()
	p.asks(fmt.Sprintf("resize-window -t %s -x %d -y %d", p.target, cols, rows))
}

// wipe empties the screen, of which the program knows nothing.
func (p *pane) wipe() {
	p.t.Helper()
	p.asks("send-keys -R -t "+p.target, "clear-history -t "+p.target)
}

// bells returns how often the program has rung.
func (p *pane) bells() int {
	p.tmux.mu.Lock()
	defer p.tmux.mu.Unlock()
	return p.rung
}

// eventually waits until something is so that depends on what the program draws.
func (p *pane) eventually(ok func() bool) bool {
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	again := time.NewTicker(25 * time.Millisecond) // for what is so because nothing is drawn
	defer again.Stop()
	for !ok() {
		select {
		case <-p.changed:
		case <-again.C:
		case <-deadline.C:
			return false
		}
	}
	return true
}

// all is the scrollback and the screen, a line for each row.
func (p *pane) all() string {
	p.t.Helper()
	return strings.TrimRight(p.asks("capture-pane -p -S -2000 -t " + p.target)[0], "\n ")
}

// sees waits until the screen or its scrollback contains what is wanted.
func (p *pane) sees(want string) {
	p.t.Helper()
	var all string
	if !p.eventually(func() bool { all = p.all(); return strings.Contains(all, want) }) {
		p.t.Fatalf("tmux shows\n%s\nwant to see %q", all, want)
	}
}

// shows waits until the last rows are these and the cursor stands in the column.
func (p *pane) shows(column int, rows ...string) {
	p.t.Helper()
	want := strings.Join(rows, "\n")
	var all, cursor string
	ok := p.eventually(func() bool {
		all, cursor = p.all(), p.tells("cursor_x")
		return ("\n" + all)[max(0, len(all)-len(want)):] == "\n"+want && cursor == fmt.Sprint(column)
	})
	if !ok {
		p.t.Fatalf("tmux shows\n%s\nwith the cursor in column %s; want the last rows to be\n%s\nand the cursor in column %d", all, cursor, want, column)
	}
}

// status returns with what status the program has ended, if it has.
func (p *pane) status() (int, bool) {
	p.t.Helper()
	status, ended := strings.CutPrefix(p.tells("pane_title"), endedTitle)
	if !ended {
		return 0, false
	}
	return number(p.t, status), true
}

// ends waits for the end of the program. All that it has written is on the screen then.
func (p *pane) ends(want int) {
	p.t.Helper()
	var got int
	var ended bool
	if !p.eventually(func() bool { got, ended = p.status(); return ended }) {
		p.t.Errorf("the program goes on, want it to end with status %d; tmux shows\n%s", want, p.all())
	} else if got != want {
		p.t.Errorf("the program ended with status %d, want %d; tmux shows\n%s", got, want, p.all())
	}
}

// tells returns what tmux knows about the pane.
func (p *pane) tells(what string) string {
	p.t.Helper()
	return strings.TrimSpace(p.asks("display-message -p -t " + p.target + " '#{" + what + "}'")[0])
}

// cursorMark stands in a frame before the cell that the cursor is on. Nothing that is typed or said in a test holds it.
const cursorMark = "▌"

// frame is the screen, a line for each row down to the last that is not empty, with the cursor marked. With scrollback, so are
// the rows above.
func (p *pane) frame(scrollback bool) string {
	p.t.Helper()
	from := ""
	if scrollback {
		from = " -S -"
	}
	answers := p.asks("capture-pane -p"+from+" -t "+p.target, "display-message -p -t "+p.target+" '#{cursor_x} #{cursor_y} #{pane_height}'")
	rows := strings.Split(strings.TrimSuffix(answers[0], "\n"), "\n")
	var x, y, height int
	if _, err := fmt.Sscan(answers[1], &x, &y, &height); err != nil {
		p.t.Fatalf("cursor %q: %v", answers[1], err)
	}
	y += len(rows) - height
	for i := range rows {
		rows[i] = strings.TrimRight(rows[i], " ")
	}
	rows[y] = markCursor(rows[y], x)
	for rows[len(rows)-1] == "" {
		rows = rows[:len(rows)-1]
	}
	return strings.Join(rows, "\n") + "\n"
}

// tmuxWidths are the clusters of the scenarios which tmux (3.3a, in the locale C.UTF-8) draws in another number of cells than
// uniseg counts. Where it is not what the house counts either, the house sets the column anew behind them.
var tmuxWidths = map[string]int{
	"❤\ufe0f": 1, // the selector does not widen; the house counts two and leaves a cell empty
	"ｶﾞ":      2, // each code point for itself, like the house
	"ｷﾞ":      2,
	"ﾊﾟ":      2,
	"न्दी":    3, // the house counts two, so that the cursor stands on the third
}

// markCursor puts the mark into a row, before what stands in column x.
func markCursor(row string, x int) string {
	at, rest, state := 0, row, -1
	for rest != "" && at < x {
		var cluster string
		var width int
		cluster, rest, width, state = uniseg.FirstGraphemeClusterInString(rest, state)
		if w, ok := tmuxWidths[cluster]; ok {
			width = w
		}
		at += width
	}
	if at > x {
		return row + fmt.Sprintf(" (the cursor is in column %d, amid a glyph)", x)
	}
	return strings.TrimSuffix(row, rest) + strings.Repeat(" ", x-at) + cursorMark + rest
}

// TestPaneShowsAllThatWasWritten holds that a test sees the last words of a program, however fast it ends after them.
func TestPaneShowsAllThatWasWritten(t *testing.T) {
	t.Parallel()
	need(t, "tmux")
	for range 3 {
		p := openPane(t, 40, 5, []string{"sh", "-c", "seq 100000; exit 3"})
		p.ends(3)
		if all := p.all(); !strings.HasSuffix(all, "\n100000") {
			t.Errorf("the screen ends with %q, want 100000", all[max(0, len(all)-20):])
		}
	}
}
