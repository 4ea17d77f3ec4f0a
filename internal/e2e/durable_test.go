//go:build linux

package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// limitFiles sets how long the files of the running house may become: RLIMIT_FSIZE, see prlimit(2). It is a full disk that has room
// again whenever the test wants.
func (h *house) limitFiles(most uint64) {
	h.t.Helper()
	limit := struct{ soft, hard uint64 }{most, noLimit}
	const fileSize = 1
	_, _, errno := syscall.Syscall6(syscall.SYS_PRLIMIT64, uintptr(h.cmd.Process.Pid), fileSize, uintptr(unsafe.Pointer(&limit)), 0, 0, 0)
	if errno != 0 {
		h.t.Fatalf("limit the files of the house: %v", errno)
	}
}

const noLimit = ^uint64(0)

// ends stops a house whose log has errors in it, as it must.
func (h *house) ends() {
	h.t.Helper()
	h.signal(syscall.SIGTERM)
	h.exits(5*time.Second, 0)
}

// onDisk returns a program that is the house with a disk of its own, of so many MiB, for its data folder. Nobody else sees that disk,
// but through /proc.
func onDisk(tb testing.TB, mib int) string {
	tb.Helper()
	if out, err := exec.Command("unshare", "--mount", "mount", "-t", "tmpfs", "small", tb.TempDir()).CombinedOutput(); err != nil {
		tb.Skipf("a disk cannot be mounted: %v: %s", err, out)
	}
	const script = `#!/bin/sh
for data; do [ "$last" = --data-dir ] && break; last=$data; done
exec unshare --mount /bin/sh -ec '
	data=$1; shift
	cp -a "$data" "$data.first"
	mount -t tmpfs -o size=%dm,mode=700 small "$data"
	cp -a "$data.first/." "$data"
	exec %s "$@"' house "$data" "$@"
`
	path := writeFile(tb, "on-disk", fmt.Sprintf(script, mib, program))
	if err := os.Chmod(path, 0o700); err != nil {
		tb.Fatal(err)
	}
	return path
}

// ballast is a file on the house's own disk.
func (h *house) ballast() string {
	return filepath.Join("/proc", fmt.Sprint(h.cmd.Process.Pid), "root", h.dir, "ballast")
}

// fills writes a ballast of so many MiB, or as much as there is room for.
func (h *house) fills(mib int64) {
	h.t.Helper()
	f, err := os.Create(h.ballast())
	if err == nil {
		_, err = io.CopyN(f, zeros{}, mib<<20)
	}
	if err != nil && !errors.Is(err, syscall.ENOSPC) {
		h.t.Fatal(err)
	}
	_ = f.Close() // what counts is the space that it takes
}

func (h *house) empties() {
	h.t.Helper()
	if err := os.Remove(h.ballast()); err != nil {
		h.t.Fatal(err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// What cannot be saved is shown to nobody and given back, everything else goes on, and so does saving once there is room again.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		disk       int // MiB, 0 for that of the test
		limits     string
		fill, free func(h *house)
		reason     string
	}{
		"no file may be written": {
			fill: func(h *house) { h.limitFiles(0) }, free: func(h *house) { h.limitFiles(noLimit) }, reason: "disk",
		},
		"no file may grow": {
			fill: func(h *house) { h.limitFiles(sizeOf(h.t, filepath.Join(h.dir, "sarangbang.db-wal"))) },
			free: func(h *house) { h.limitFiles(noLimit) }, reason: "disk",
		},
		"there is room for less than a line": {
			fill: func(h *house) {
				const pages = 2 * (4096 + 24) // as they stand in the log beside the database
				h.limitFiles(sizeOf(h.t, filepath.Join(h.dir, "sarangbang.db-wal")) + pages)
			},
			free: func(h *house) { h.limitFiles(noLimit) }, reason: "disk",
		},
		"the disk is full": {
			disk: 24, limits: "disk_reserve_bytes = 0\n",
			fill: func(h *house) { h.fills(1 << 10) }, free: (*house).empties, reason: "is full",
		},
		"the reserve begins": {
			disk: 48, limits: "disk_reserve_bytes = 16777216\n",
			fill: func(h *house) { h.fills(36) }, free: (*house).empties, reason: "is full but for the reserve of 16 MiB",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := setup{exempt: true, limits: c.limits, dir: newDataDir(t)}
			if c.disk > 0 {
				s.program = onDisk(t, c.disk)
			}
			status, _, errs := runProgram(t, 10*time.Second, "import", writeFile(t, "past", past()), "--data-dir", s.dir)
			if status != 0 {
				t.Fatal(errs)
			}
			h := openHouse(t, s)
			h.hasNoRoom(t, c.fill, c.free, c.reason, c.disk > 0)
		})
	}
}

// past is an export of many lines: with them the database is longer than a log beside it that is not old, so that a limit of the
// size of files that lets that grow a little lets nothing be carried over.
func past() string {
	var rows strings.Builder
	for i := range 300 {
		fmt.Fprintf(&rows, `{"id":"%032x","seq":1,"at":"2024-05-01T10:00:00Z","room":"#lobby","nick":"old","kind":"said","text":"%d%s"}`+"\n", i+1, i, strings.Repeat(" of old", 300))
	}
	return rows.String()
}

func sizeOf(tb testing.TB, path string) uint64 {
	tb.Helper()
	info, err := os.Stat(path)
	if err != nil {
		tb.Fatal(err)
	}
	return uint64(info.Size())
}

// hasNoRoom is the story of a house that can save nothing for a while. If kim owns an account, how far they have read cannot be saved
// either; else there is nothing to save until somebody says something.
func (h *house) hasNoRoom(t *testing.T, fill, free func(*house), reason string, owner bool) {
	t.Helper()
	key := newKey(t)
	kim, lee, old := h.enter(t, login{user: "kim", key: key}), h.guest(t, "lee"), h.joinLined(t, "old")
	if owner {
		kim.types("/register")
		kim.sees("is yours")
	}
	kim.types("while there was room")
	old.awaits("[kim] while there was room")
	fill(h)
	// How much room there is is looked at now and then, so some lines may come through still.
	if !eventually(patience, func() bool {
		status, _, _ := h.command(t, login{user: "prober"}, "say does it work")
		return status != 0
	}) {
		t.Fatal("without any room lines are saved, want none to be")
	}
	before := h.history(t)
	connected := strings.Count(h.log.String(), "journal connected")

	// Nobody sees what is not saved, and everybody knows what became of it.
	const notSaved = "Not saved, so nobody saw it: the house cannot write at the moment. Try again."
	kim.types("one for all")
	kim.sees("* " + notSaved)
	kim.sees("#lobby kim> one for all")
	pipe := h.pipe(t, login{user: "piper"})
	pipe.sees("piper joined")
	pipe.keys("lost line\n/msg lee lost word\n")
	pipe.stdin.Close()
	pipe.complains("line 1: " + notSaved)
	pipe.complains("line 2: " + notSaved)
	pipe.ends(1)
	if status, out, errs := h.command(t, login{user: "sayer"}, "say lost as well"); status != 1 || out != "" || !strings.Contains(errs, notSaved) {
		t.Errorf("say = %d, %q, %q; want it refused with %q", status, out, errs, notSaved)
	}
	old.sends("lost, too\n")
	old.awaits("[*] 저장하지 못해서")
	if status, body := h.get("/healthz"); status != 503 || !strings.Contains(body, reason) {
		t.Errorf("/healthz = %d %q, want 503 with %q", status, body, reason)
	}

	// Reading, coming and going need no disk.
	if got := h.history(t); got != before {
		t.Errorf("history = %q, want %q", got, before)
	}
	if status, out, _ := h.command(t, login{user: "x"}, "search room"); status != 0 || out != "[kim] while there was room\n" {
		t.Errorf("search = %d, %q; want the line", status, out)
	}
	guest := h.guest(t, "guest")
	guest.sees("[kim] while there was room")
	lee.sees("* guest joined.")
	guest.types("/nick visitor")
	lee.sees("* guest is now called visitor.")
	guest.leaves()
	lee.sees("* visitor left.")
	visitor := h.join(t, "visitor")
	lee.sees("* visitor joined.")
	visitor.leaves()
	lee.seesTimes(2, "* visitor left.")
	if owner {
		second := h.knock(t, login{user: "other", key: key})
		second.sees("#lobby kim>")
		second.leaves()
	}

	// That there is room for something is no sign that all is well.
	if eventually(2500*time.Millisecond, func() bool { status, _ := h.get("/healthz"); return status != 503 }) {
		t.Error("/healthz is 200 while nothing can be saved, want 503 for as long")
	}
	kim.keys("\r")
	kim.seesTimes(2, "* "+notSaved)
	if n := strings.Count(h.log.String(), "journal connected") - connected; n > 0 {
		t.Errorf("the log says %d times that the journal is connected while nothing can be saved, want never:\n%s", n, h.log)
	}

	// With room it goes on by itself.
	free(h)
	if !eventually(patience, func() bool { status, _ := h.get("/healthz"); return status == 200 }) {
		status, body := h.get("/healthz")
		t.Fatalf("with room again: /healthz = %d %q, want 200", status, body)
	}
	kim.keys("\r")
	kim.sees("[kim] one for all")
	old.awaits("[kim] one for all")
	lee.seesTimes(1, "one for all")
	lee.seesNot("lost")
	want := before + "[kim] one for all\n"
	if got := h.history(t); got != want {
		t.Errorf("history = %q, want %q", got, want)
	}
	h.ends()
}

// history is all that was said.
func (h *house) history(tb testing.TB) string {
	tb.Helper()
	status, out, errs := h.command(tb, login{user: "historian"}, "history 100000")
	if status != 0 {
		tb.Fatalf("history = %d, %q", status, errs)
	}
	return out
}

// What is in the place of the database and is none, or cannot be used, keeps the house from starting, and stays as it is.
func TestUnusableDatabase(t *testing.T) {
	t.Parallel()
	used := newDataDir(t)
	h := openHouse(t, setup{dir: used, exempt: true})
	if status, _, errs := h.command(t, login{user: "kim"}, "say hello"); status != 0 {
		t.Fatal(errs)
	}
	h.stop()
	whole, err := os.ReadFile(filepath.Join(used, "sarangbang.db"))
	if err != nil {
		t.Fatal(err)
	}
	with := func(at int, bytes ...byte) []byte {
		b := slices.Clone(whole)
		copy(b[at:], bytes)
		return b
	}
	for name, c := range map[string]struct {
		data []byte
		mode os.FileMode // of the folder
		want string
	}{
		"empty":             {nil, 0o700, "is cut off after 0 bytes"},
		"text":              {[]byte(strings.Repeat("dear diary\n", 1000)), 0o700, "is not an SQLite database"},
		"cut off":           {whole[:len(whole)/2], 0o700, "is cut off after"},
		"another program's": {with(68, 0, 0, 0, 0), 0o700, "belongs to another program"},
		"newer":             {with(60, 0, 0, 1, 0), 0o700, "has version 256 of its form, and this program knows none above"},
		"damaged":           {with(4096, bytes.Repeat([]byte{0xa5}, len(whole)-4096)...), 0o700, "is damaged"},
		"folder read-only":  {whole, 0o500, "cannot be written"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := newDataDir(t)
			path := filepath.Join(dir, "sarangbang.db")
			if err := os.WriteFile(path, c.data, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(dir, c.mode); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = os.Chmod(dir, 0o700) }) // so that it can be removed
			before := contents(t, dir)
			refused := startHouse(t, setup{dir: dir})
			refused.exits(2*time.Second, 1)
			said := refused.log.String()
			if !strings.HasPrefix(said, "sarangbang: da") || strings.Count(said, "\n") != 1 || !strings.Contains(said, c.want) || !strings.Contains(said, dir) {
				t.Errorf("stderr is %q, want one sentence about %s with %q", said, dir, c.want)
			}
			if after := contents(t, dir); after != before {
				t.Errorf("what lies in the folder was changed: %d bytes in place of %d, want them to be as they were", len(after), len(before))
			}
		})
	}
}

// contents are the names and bytes of everything in a folder but the lock.
func contents(tb testing.TB, dir string) string {
	tb.Helper()
	var all strings.Builder
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || e.Name() == "lock" {
			return err
		}
		b, err := os.ReadFile(path)
		fmt.Fprintf(&all, "%s %d\n%s\n", path, len(b), b)
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return all.String()
}

// What anybody was shown before an operator's SIGTERM is there after it, once and in the same order. While the house runs, a second one
// does not start in its folder.
func TestRestartWithTraffic(t *testing.T) {
	t.Parallel()
	dir, said := newDataDir(t), ""
	for round := range 2 {
		h := openHouse(t, setup{dir: dir, exempt: true})
		if got := h.history(t); got != said {
			t.Fatalf("after a restart without anybody the history has changed: %q, want %q", endOf(got, 500), endOf(said, 500))
		}
		second := startHouse(t, setup{dir: dir})
		second.exits(2*time.Second, 1)
		if got := second.log.String(); !strings.Contains(got, fmt.Sprintf("is in use by process %d", h.cmd.Process.Pid)) || strings.Count(got, "\n") != 1 {
			t.Errorf("a second house says %q, want one sentence that names the first", got)
		}
		var talkers []*person
		var talk sync.WaitGroup
		for i := range 6 {
			p := h.pipe(t, login{user: fmt.Sprint("p", i)})
			p.sees(p.nick + " joined")
			talkers = append(talkers, p)
			talk.Go(func() { // each line is acknowledged before the next, until the house ends
				for n, more := 0, true; more; n++ {
					line := fmt.Sprintf("round %d, line %d.", round, n)
					_, _ = io.WriteString(p.stdin, line+"\n") // if that fails the session has ended
					more = p.out.wait(patience, func(all string) bool { return strings.Contains(all, "["+p.nick+"] "+line) })
				}
			})
		}
		for _, p := range talkers {
			p.sees(fmt.Sprintf("[%s] round %d, line 20.", p.nick, round))
		}
		h.stop()
		talk.Wait()

		h = openHouse(t, setup{dir: dir, exempt: true})
		before := said
		if said = h.history(t); !strings.HasPrefix(said, before) {
			t.Errorf("round %d: the history does not begin as it did before", round)
		}
		h.stop()
		for _, p := range talkers {
			shown := linesOf(p.text())
			if !strings.Contains(said, shown) || strings.Count(shown, "\n") < 21 {
				t.Errorf("round %d: %s was shown\n%s\nwant this in one piece in the history, which ends\n%s", round, p.nick, endOf(shown, 1000), endOf(said, 1000))
			}
		}
		seen := map[string]bool{}
		for line := range strings.Lines(said) {
			if seen[line] {
				t.Errorf("round %d: %q is there twice", round, line)
			}
			seen[line] = true
		}
	}
}

// linesOf leaves only what people said.
func linesOf(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "[") {
			b.WriteString(line)
		}
	}
	return b.String()
}
