//go:build linux

package e2e

import (
	"bufio"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// What the kernel was asked for, and when, says whether a line was on disk before anybody saw it: between the return of the read that
// brought it and the first write that took it to anybody, its author included, an fsync of the database's log began and succeeded.
func TestALineIsOnDiskBeforeAnybodySeesIt(t *testing.T) {
	t.Parallel()
	need(t, "strace")
	// Nothing but lines goes out to anybody: no keepalive, no prompt, no echo of what is typed.
	h := openHouse(t, setup{exempt: true, limits: "keepalive_interval = \"1h\"\n"})
	kim, lee := h.pipe(t, login{user: "kim", key: newKey(t)}), h.pipe(t, login{user: "lee"})
	kim.sees("kim joined")
	lee.sees("lee joined")
	old := make([]*oldClient, 6)
	for i := range old {
		old[i] = h.joinLined(t, fmt.Sprint("old", i))
	}
	for _, c := range old[:5] {
		c.awaits(joined("old5"))
	}
	lee.sees("old5 joined")
	kim.sees("old5 joined")
	trace := h.traced(t)

	// One line after another, by both doors. All is still when the next one comes, so whatever goes out then is of that line.
	everybody := func(line string) {
		t.Helper()
		kim.sees(line + "\n")
		lee.sees(line + "\n")
		for _, c := range old { // whoever talks at the same time comes before or after
			if !c.in.wait(patience, func(in string) bool { return strings.Contains(in, line+"\r\n") }) {
				t.Fatalf("%s received %q, want %q in it", c.nick, endOf(c.in.String(), 1500), line)
			}
		}
	}
	const alone = 5
	for i := range alone {
		old[0].sends(fmt.Sprintf("tcp %d.\n", i))
		everybody(fmt.Sprintf("[old0] tcp %d.", i))
		kim.types(fmt.Sprintf("ssh %d.", i))
		everybody(fmt.Sprintf("[kim] ssh %d.", i))
	}
	// And many at once.
	const together = 8
	for i := range together {
		for n, c := range old {
			c.sends(fmt.Sprintf("crowd %d of %d.\n", i, n))
		}
	}
	for n := range old {
		everybody(fmt.Sprintf("[old%d] crowd %d of %d.", n, together-1, n))
	}

	calls := trace()
	ports := map[string]string{portOf(kim.conn): "kim", portOf(lee.conn): "lee"}
	for _, c := range old {
		ports[portOf(c.conn)] = c.nick
	}
	said := &disclosures{t: t, calls: calls, ports: ports}
	for i := range alone {
		said.check(fmt.Sprintf("tcp %d.", i), said.arrival(fmt.Sprintf("tcp %d.", i)), "")
		text := fmt.Sprintf("ssh %d.", i)
		said.check(text, said.lastRead("kim", said.first(text)), "")
	}
	for i := range together {
		for n := range old {
			text := fmt.Sprintf("crowd %d of %d.", i, n)
			said.check(text, said.arrival(text), text) // of SSH nobody can tell what goes out
		}
	}
}

// call is a system call of the house.
type call struct {
	name, text   string // text: its arguments and its result
	began, ended int    // when, as a place in the order of all beginnings and ends
}

// never is a place behind all.
const never = math.MaxInt

var (
	wholeCall   = regexp.MustCompile(`^(\d+) +(\w+)\((.*)$`)
	resumedCall = regexp.MustCompile(`^(\d+) +<\.\.\. (\w+) resumed>(.*)$`)
)

// notOver stands behind a call while others go on.
const notOver = " <unfinished ...>"

// traced notes from now on what the house reads, writes and makes durable. What it returns ends that, and returns the calls.
func (h *house) traced(tb testing.TB) (end func() []call) {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "trace")
	pid := h.cmd.Process.Pid
	s := run(tb, "strace", "-f", "-yy", "-s", "100000", "-o", path, "-p", fmt.Sprint(pid),
		"-e", "trace=read,readv,recvfrom,recvmsg,recvmmsg,write,writev,sendto,sendmsg,sendmmsg,sendfile,splice,fsync,fdatasync,sync_file_range")
	if !s.errs.wait(patience, func(all string) bool { return strings.Contains(all, fmt.Sprintf("Process %d attached", pid)) }) {
		if reason := tracingForbidden(pid); reason != "" && strings.Contains(s.errs.String(), "not permitted") {
			tb.Skipf("strace may not attach: %s", reason)
		}
		tb.Fatalf("strace does not attach: %s", s.errs)
	}
	return func() []call {
		tb.Helper()
		if err := s.cmd.Process.Signal(syscall.SIGINT); err != nil {
			tb.Fatal(err)
		}
		<-s.done
		return readTrace(tb, path)
	}
}

// tracingForbidden says why nobody may attach to a process of ours; empty if it is allowed.
func tracingForbidden(pid int) string {
	if scope, err := os.ReadFile("/proc/sys/kernel/yama/ptrace_scope"); err == nil && strings.TrimSpace(string(scope)) != "0" && os.Getuid() != 0 {
		return "kernel.yama.ptrace_scope is " + strings.TrimSpace(string(scope))
	}
	runtime.LockOSThread() // who attaches is a thread
	defer runtime.UnlockOSThread()
	if err := syscall.PtraceAttach(pid); errors.Is(err, syscall.EPERM) {
		return "ptrace: " + err.Error()
	}
	return ""
}

// readTrace reads what strace wrote: a line when a call is over, or two if something else happened before it was.
func readTrace(tb testing.TB, path string) (calls []call) {
	tb.Helper()
	f, err := os.Open(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	open := map[string]int{} // by thread
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	for at := 0; lines.Scan(); at++ {
		if m := resumedCall.FindStringSubmatch(lines.Text()); m != nil {
			if i, ok := open[m[1]]; ok {
				calls[i].text += m[3]
				calls[i].ended = at
				delete(open, m[1])
			}
		} else if m := wholeCall.FindStringSubmatch(lines.Text()); m != nil {
			c := call{name: m[2], text: m[3], began: at, ended: at}
			if text, cut := strings.CutSuffix(m[3], notOver); cut {
				c.text, c.ended = text, never // unless it is resumed
				open[m[1]] = len(calls)
			}
			calls = append(calls, c)
		}
	}
	if err := lines.Err(); err != nil {
		tb.Fatal(err)
	}
	return calls
}

func portOf(c net.Conn) string { return c.LocalAddr().String() }

// disclosures finds in a trace what came from whom, and what went to whom.
type disclosures struct {
	t     *testing.T
	calls []call
	ports map[string]string // who is at the other end, by address
}

var (
	reads  = []string{"read", "readv", "recvfrom", "recvmsg", "recvmmsg"}
	writes = []string{"write", "writev", "sendto", "sendmsg", "sendmmsg", "sendfile", "splice"}
	syncs  = []string{"fsync", "fdatasync"}
	peer   = regexp.MustCompile(`^\d+<TCP:\[[^]]*->([^]]*)\]>`)
)

// with returns who is at the other end of a call's socket; empty for anything else.
func (d *disclosures) with(c *call) string {
	m := peer.FindStringSubmatch(c.text)
	if m == nil {
		return ""
	}
	return d.ports[m[1]]
}

// arrival returns when the read ended that brought a text.
func (d *disclosures) arrival(text string) int {
	d.t.Helper()
	for i := range d.calls {
		if c := &d.calls[i]; slices.Contains(reads, c.name) && d.with(c) != "" && strings.Contains(c.text, text) {
			return c.ended
		}
	}
	d.t.Fatalf("no read of %q in the trace of %d calls", text, len(d.calls))
	return 0
}

// first returns when the first write began that took a text to anybody.
func (d *disclosures) first(text string) int {
	d.t.Helper()
	for i := range d.calls {
		if c := &d.calls[i]; slices.Contains(writes, c.name) && d.with(c) != "" && strings.Contains(c.text, text) {
			return c.began
		}
	}
	d.t.Fatalf("no write of %q in the trace of %d calls", text, len(d.calls))
	return 0
}

// lastRead returns when the last read from somebody ended before a moment.
func (d *disclosures) lastRead(who string, before int) (ended int) {
	d.t.Helper()
	for i := range d.calls {
		c := &d.calls[i]
		if slices.Contains(reads, c.name) && c.ended < before && d.with(c) == who && !strings.Contains(c.text, " = -1 ") {
			ended = max(ended, c.ended)
		}
	}
	if ended == 0 {
		d.t.Fatalf("nothing was read from %s", who)
	}
	return ended
}

// check wants a line that came at a moment to be on disk before anything, or anything with the text in it, went out.
func (d *disclosures) check(line string, came int, text string) {
	d.t.Helper()
	shown, synced := never, never
	var to string
	for i := range d.calls {
		switch c := &d.calls[i]; {
		case c.began <= came:
		case slices.Contains(syncs, c.name):
			if strings.Contains(c.text, "sarangbang.db-wal>") && strings.HasSuffix(c.text, "= 0") {
				synced = min(synced, c.ended)
			}
		case slices.Contains(writes, c.name) && c.began < shown && strings.Contains(c.text, text):
			if who := d.with(c); who != "" {
				shown, to = c.began, who
			}
		}
	}
	switch {
	case shown == never:
		d.t.Errorf("%q went out to nobody", line)
	case synced == never:
		d.t.Errorf("%q went out to %s and no fsync after it came, want one before", line, to)
	case synced > shown:
		d.t.Errorf("%q was read at %d of the trace and went out to %s at %d, its fsync returned at %d; want that before it", line, came, to, shown, synced)
	}
}
