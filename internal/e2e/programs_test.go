//go:build linux

package e2e

import (
	"crypto/ed25519"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/crypto/ssh"
)

// need ends the test where a program is missing that it cannot do without.
func need(tb testing.TB, names ...string) {
	tb.Helper()
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			if thorough {
				tb.Fatalf("%s is missing: %v", name, err)
			}
			tb.Skipf("%s is missing", name)
		}
	}
}

// running is a program that a person of a story uses.
type running struct {
	t     testing.TB
	name  string
	cmd   *exec.Cmd
	stdin io.WriteCloser
	out   *transcript
	errs  *transcript
	done  chan struct{}
}

// environment is that of a program in a story: nothing of the person who runs the tests.
func environment(tb testing.TB, more ...string) []string {
	tb.Helper()
	return append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + tb.TempDir(), "LC_ALL=C.UTF-8", "TERM=xterm-256color", "PYTHONUTF8=1"}, more...)
}

// run starts a program with pipes. It is killed with the test.
func run(tb testing.TB, name string, args ...string) *running {
	tb.Helper()
	r := &running{t: tb, name: name, out: &transcript{}, errs: &transcript{}}
	r.cmd = exec.Command(name, args...)
	r.cmd.Env = environment(tb)
	r.cmd.Stdout, r.cmd.Stderr = r.out, r.errs
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var err error
	if r.stdin, err = r.cmd.StdinPipe(); err != nil {
		tb.Fatal(err)
	}
	r.start()
	return r
}

// runOnTerminal starts a program on a terminal of its own, whose screen is in out.
func runOnTerminal(tb testing.TB, name string, args ...string) *running {
	tb.Helper()
	master, slave := openTerminal(tb)
	r := &running{t: tb, name: name, out: &transcript{}, errs: &transcript{}, stdin: master}
	r.cmd = exec.Command(name, args...)
	r.cmd.Env = environment(tb)
	r.cmd.Stdin, r.cmd.Stdout, r.cmd.Stderr = slave, slave, slave
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Pdeathsig: syscall.SIGKILL}
	r.start()
	_ = slave.Close()
	go func() {
		_, _ = io.Copy(r.out, master) // ends with EIO when the program does
		r.out.end(nil)
	}()
	return r
}

func (r *running) start() {
	r.t.Helper()
	if err := r.cmd.Start(); err != nil {
		r.t.Fatalf("start %s: %v", r.name, err)
	}
	r.done = make(chan struct{})
	go func() {
		_ = r.cmd.Wait() // the status says it all
		r.out.end(nil)
		r.errs.end(nil)
		close(r.done)
	}()
	r.t.Cleanup(func() {
		_ = r.cmd.Process.Kill()
		<-r.done
		if r.t.Failed() {
			r.t.Logf("%s said:\n%s\non standard error:\n%s", r.name, r.out, r.errs)
		}
	})
}

// openTerminal makes a pseudo-terminal (pts(4)).
func openTerminal(tb testing.TB) (master, slave *os.File) {
	tb.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = master.Close() })
	const unlock, number = 0x40045431, 0x80045430 // TIOCSPTLCK, TIOCGPTN
	var no, n int32
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, master.Fd(), unlock, uintptr(unsafe.Pointer(&no))); errno != 0 {
		tb.Fatal(errno)
	}
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, master.Fd(), number, uintptr(unsafe.Pointer(&n))); errno != 0 {
		tb.Fatal(errno)
	}
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		tb.Fatal(err)
	}
	return master, slave
}

// types writes a line to the program.
func (r *running) types(line string) {
	r.t.Helper()
	if _, err := io.WriteString(r.stdin, line+"\n"); err != nil {
		r.t.Fatalf("type %q to %s: %v", line, r.name, err)
	}
}

// says waits for the program to print something.
func (r *running) says(want string) {
	r.t.Helper()
	if !r.out.wait(patience, func(all string) bool { return strings.Contains(all, want) }) {
		r.t.Fatalf("%s printed\n%s\nwant %q (errors: %s)", r.name, cutTo(r.out.String(), 5000), want, r.errs)
	}
}

// ends waits for the end of the program; -1 is the status of one that was killed.
func (r *running) ends(status int) {
	r.t.Helper()
	select {
	case <-r.done:
	case <-time.After(patience):
		r.t.Fatalf("%s goes on, want status %d; it printed\n%s", r.name, status, r.out)
	}
	if got := r.cmd.ProcessState.ExitCode(); got != status {
		r.t.Errorf("%s ended with status %d, want %d; it printed\n%s\nerrors: %s", r.name, got, status, r.out, r.errs)
	}
}

// keyFile makes a key and the file that OpenSSH reads it from.
func keyFile(tb testing.TB) string {
	tb.Helper()
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		tb.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		tb.Fatal(err)
	}
	return writeFile(tb, "id_ed25519", string(pem.EncodeToMemory(block)))
}

// openSSH is the command line of OpenSSH's client for somebody.
func (h *house) openSSH(tb testing.TB, user, key, lang string) []string {
	tb.Helper()
	host, port, err := net.SplitHostPort(h.ssh)
	if err != nil {
		tb.Fatal(err)
	}
	args := []string{
		"ssh", "-F", "/dev/null", "-p", port, "-l", user, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=" + filepath.Join(tb.TempDir(), "known"),
		"-o", "LogLevel=ERROR", "-o", "SetEnv=LANG=" + lang, "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none",
	}
	if key != "" {
		args = append(args, "-i", key)
	} else {
		args = append(args, "-o", "PubkeyAuthentication=no")
	}
	return append(args, host)
}
