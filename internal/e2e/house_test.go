//go:build linux

package e2e

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// house is the program, running.
type house struct {
	t              testing.TB
	cmd            *exec.Cmd
	log            *transcript // its stderr
	out            *transcript // its stdout
	ssh, tcp, http string      // addresses
	dir            string      // data folder
	exited         chan struct{}
	status         int // once exited is closed
	blamed         bool
}

// setup is how a house differs from one that nobody has configured.
type setup struct {
	limits  string   // rows of the [limits] table
	keys    []string // fingerprints of operators
	exempt  bool     // limits by address, key or person are lifted for loopback
	args    []string // more flags, which win
	dir     string   // an own data folder
	env     []string
	program string // another than the one under test
}

const exempt = `exempt = ["127.0.0.0/8"]` + "\n"

var listening = regexp.MustCompile(`msg=listening proto=(ssh|tcp|http) addr=(\S+)`)

// openHouse starts a house and waits until all its doors are open. It is stopped with the test, which fails if it did not go
// quietly.
func openHouse(tb testing.TB, s setup) *house {
	tb.Helper()
	h := startHouse(tb, s)
	if !h.log.wait(patience, func(log string) bool { return len(listening.FindAllString(log, -1)) == 3 }) {
		tb.Fatalf("the house does not open its doors; its log:\n%s", h.log)
	}
	for _, m := range listening.FindAllStringSubmatch(h.log.String(), -1) {
		*map[string]*string{"ssh": &h.ssh, "tcp": &h.tcp, "http": &h.http}[m[1]] = m[2]
	}
	tb.Cleanup(func() { h.stop() })
	return h
}

// startHouse starts the program on free ports of loopback and waits for nothing.
func startHouse(tb testing.TB, s setup) *house {
	tb.Helper()
	h := &house{t: tb, dir: s.dir, log: &transcript{}, out: &transcript{}, exited: make(chan struct{})}
	if h.dir == "" {
		h.dir = newDataDir(tb)
	}
	if s.exempt {
		s.limits = exempt + s.limits
	}
	args := []string{"serve", "--ssh-addr", "127.0.0.1:0", "--tcp-addr", "127.0.0.1:0", "--http-addr", "127.0.0.1:0", "--data-dir", h.dir}
	if len(s.keys) > 0 {
		s.limits += fmt.Sprintf("[operators]\nkeys = [\"%s\"]\n", strings.Join(s.keys, `", "`))
	}
	if s.limits != "" {
		args = append(args, "--config", writeFile(tb, "house.toml", "[limits]\n"+s.limits))
	}
	path := program
	if s.program != "" {
		path = s.program
	}
	h.cmd = exec.Command(path, append(args, s.args...)...)
	h.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + tb.TempDir(), "GORACE=halt_on_error=1 atexit_sleep_ms=0"}, s.env...)
	h.cmd.Stdout, h.cmd.Stderr = h.out, h.log
	h.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // a test run that is killed leaves no house behind
	if err := h.cmd.Start(); err != nil {
		tb.Fatalf("start the house: %v", err)
	}
	go func() {
		_ = h.cmd.Wait() // the status says it all
		h.status = h.cmd.ProcessState.ExitCode()
		h.out.end(nil)
		h.log.end(nil)
		close(h.exited)
	}()
	tb.Cleanup(func() {
		_ = h.cmd.Process.Kill() // fails if it has gone, as it should have
		<-h.exited
		if tb.Failed() {
			h.blame()
		}
	})
	return h
}

func writeFile(tb testing.TB, name, content string) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

// blame shows the log of the house once.
func (h *house) blame() {
	if !h.blamed {
		h.blamed = true
		h.t.Logf("log of the house:\n%s", h.log)
	}
}

// signal sends a signal to the house.
func (h *house) signal(s syscall.Signal) {
	h.t.Helper()
	if err := h.cmd.Process.Signal(s); err != nil {
		h.t.Fatalf("signal the house: %v", err)
	}
}

// exits waits until the program has ended, and wants it to do so in time and with the status.
func (h *house) exits(within time.Duration, status int) {
	h.t.Helper()
	within = promised(within)
	select {
	case <-h.exited:
	case <-time.After(within):
		h.signal(syscall.SIGQUIT) // its goroutines go to the log
		<-h.exited
		h.t.Fatalf("the house still ran after %v, want it to end with status %d; log:\n%s", within, status, h.log)
	}
	if h.status != status {
		h.t.Errorf("the house ended with status %d, want %d; log:\n%s", h.status, status, h.log)
	}
}

// stop ends the house as an operator does: SIGTERM, and 5 seconds.
func (h *house) stop() {
	h.t.Helper()
	select {
	case <-h.exited:
		return
	default:
	}
	h.signal(syscall.SIGTERM)
	h.exits(5*time.Second, 0)
	for _, word := range []string{"level=ERROR", "panic", "DATA RACE"} {
		if log := h.log.String(); strings.Contains(log, word) {
			h.t.Errorf("the log has %q in it:\n%s", word, log)
		}
	}
}

// logs waits for a line of the log that contains all the words.
func (h *house) logs(words ...string) {
	h.t.Helper()
	found := h.log.wait(patience, func(log string) bool {
	lines:
		for line := range strings.Lines(log) {
			for _, w := range words {
				if !strings.Contains(line, w) {
					continue lines
				}
			}
			return true
		}
		return false
	})
	if !found {
		h.t.Errorf("log:\n%s\nwant a line with %q", h.log, words)
	}
}

// get asks the operators' door.
func (h *house) get(path string) (status int, body string) {
	h.t.Helper()
	client := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + h.http + path)
	if err != nil {
		h.t.Fatalf("GET %s: %v", path, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		h.t.Fatalf("GET %s: %v", path, err)
	}
	return resp.StatusCode, string(b)
}

// metric reads one figure from /metrics; 0 if it is not there.
func (h *house) metric(name string) float64 {
	h.t.Helper()
	_, body := h.get("/metrics")
	for line := range strings.Lines(body) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), name+" "); ok {
			v, err := strconv.ParseFloat(value, 64)
			if err != nil {
				h.t.Fatalf("%s: %v", line, err)
			}
			return v
		}
	}
	return 0
}

// becomes waits until a figure is in bounds.
func (h *house) becomes(name string, low, high float64) {
	h.t.Helper()
	var got float64
	if !eventually(patience, func() bool { got = h.metric(name); return low <= got && got <= high }) {
		h.t.Errorf("%s = %v, want %v to %v", name, got, low, high)
	}
}

// resident returns how much memory the house has, in bytes.
func (h *house) resident() int64 {
	h.t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", h.cmd.Process.Pid))
	if err != nil {
		h.t.Fatal(err)
	}
	m := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindSubmatch(b)
	if m == nil {
		h.t.Fatal("no VmRSS in /proc")
	}
	kib, _ := strconv.ParseInt(string(m[1]), 10, 64)
	return kib << 10
}

// cpu returns the CPU time that the house has used.
func (h *house) cpu() time.Duration {
	h.t.Helper()
	return cpuOf(h.t, h.cmd.Process.Pid)
}

// cpuOf returns the CPU time that a process has used.
func cpuOf(tb testing.TB, pid int) time.Duration {
	tb.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		tb.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	var ticks time.Duration
	for _, f := range strings.Fields(rest)[11:13] { // utime and stime, proc(5)
		n, err := strconv.Atoi(f)
		if err != nil {
			tb.Fatal(err)
		}
		ticks += time.Duration(n)
	}
	return ticks * time.Second / 100
}

// files returns how many descriptors the house has open.
func (h *house) files() int {
	h.t.Helper()
	fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", h.cmd.Process.Pid))
	if err != nil {
		h.t.Fatal(err)
	}
	return len(fds)
}

// runProgram runs the program to its end and returns its exit status and what it said.
func runProgram(tb testing.TB, within time.Duration, args ...string) (status int, stdout, stderr string) {
	tb.Helper()
	within = promised(within)
	var out, errs strings.Builder
	cmd := exec.Command(program, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + tb.TempDir()}
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	late := time.AfterFunc(within, func() { _ = cmd.Process.Kill() })
	err := cmd.Wait()
	if !late.Stop() {
		tb.Errorf("sarangbang %q ran for more than %v; stderr:\n%s", args, within, &errs)
	}
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		tb.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}
