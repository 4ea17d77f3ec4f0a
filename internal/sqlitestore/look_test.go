package sqlitestore_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"sarangbang/internal/sqlitestore"
	"sarangbang/room"
)

// A house beside which somebody looks is another process: within one, SQLite shares the memory without looking at the file.
type neighbour struct {
	testing.TB
	path string
	say  io.Writer
	hear *bufio.Reader
}

// Where in the shared memory locks and marks are (sqlite.org/walformat.html, section 2).
const (
	presence = 128 // locked by all who have it open
	marks    = 96  // how much was carried over, and up to where readers read
	endMarks = 120
)

// moments are states in which those who start or end leave what stands beside a database, each for less than a millisecond.
var moments = map[string]func(path string) error{
	"not filled in": func(path string) error { return os.WriteFile(path+"-shm", make([]byte, 3), 0o600) },
	"without a mark up to where to read": func(path string) error {
		file, err := os.ReadFile(path + "-shm")
		if err == nil {
			clear(file[marks:endMarks])
			copy(file[marks+8:endMarks], bytes.Repeat([]byte{0xff}, endMarks)) // the first is of those who read nothing of the log
			err = os.WriteFile(path+"-shm", file, 0o600)
		}
		return err
	},
	"gone before it is opened": func(path string) error { // SQLite follows no link there
		return errors.Join(os.Rename(path+"-shm", path+"-elsewhere"), os.Symlink(path+"-elsewhere", path+"-shm"))
	},
}

// ways are what looks at a database beside whoever has it open. They return how much they found.
var ways = map[string]func(ctx context.Context, path string) (int, error){
	"doctor": func(ctx context.Context, path string) (int, error) {
		r, err := sqlitestore.Check(ctx, path, quiet)
		for _, f := range r.Faults {
			err = errors.Join(err, errors.New(f.Text))
		}
		return r.Lines, err
	},
	"audit": func(ctx context.Context, path string) (n int, err error) {
		for _, err = range sqlitestore.Audit(ctx, path, sqlitestore.AuditQuery{}) {
			n++
		}
		return n, err
	},
	"export": func(ctx context.Context, path string) (n int, err error) {
		for _, err = range sqlitestore.Export(ctx, path, sqlitestore.ExportQuery{}) {
			n++
		}
		return n, err
	},
	"backup": func(ctx context.Context, path string) (int, error) {
		n, err := sqlitestore.Backup(ctx, path, path+".backup")
		return int(n), err
	},
}

// manyLines are more than what is read in one step.
const manyLines = 1500

// killed returns a folder with a database of so many lines, its log and its shared memory, as a kill leaves them.
func killed(t *testing.T, lines int) string {
	t.Helper()
	h := newHouse(t)
	op, _, _ := quarrel(h)
	var recs []room.Record
	for i := range lines {
		recs = append(recs, room.Encode(op, room.Lobby, said(fmt.Sprint("line ", i))))
	}
	if _, err := h.Append(t.Context(), recs...); err != nil {
		t.Fatalf("Append = %v, want no error", err)
	}
	folder := t.TempDir()
	copyBeside(t, h.Path(), filepath.Join(folder, "house.db"))
	return folder
}

func copyBeside(t *testing.T, from, to string) {
	t.Helper()
	for _, suffix := range []string{"", "-wal", "-shm"} {
		data, err := os.ReadFile(from + suffix)
		if err == nil {
			err = os.WriteFile(to+suffix, data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// beside starts a process that has a copy of the killed database open, and does nothing yet.
func beside(t *testing.T, folder string) *neighbour {
	t.Helper()
	n := &neighbour{TB: t, path: newPath(t)}
	copyBeside(t, filepath.Join(folder, "house.db"), n.path)
	cmd := child(t, n.path)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatalf("start a process: %v", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it waits for that
		_ = cmd.Wait()
	})
	n.say, n.hear = in, bufio.NewReader(out)
	return n
}

// turn makes it take the next step, and returns when that is done.
func (n *neighbour) turn() {
	n.Helper()
	if _, err := io.WriteString(n.say, "\n"); err != nil {
		n.Errorf("the other process: %v", err)
	}
	if said, err := n.hear.ReadString('\n'); said != "done\n" {
		n.Errorf("the other process says %q, %v; want that it is done", said, err)
	}
}

// leave puts everything into one of the moments, with the other process there.
func (n *neighbour) leave(moment func(path string) error) {
	n.Helper()
	if err := moment(n.path); err != nil {
		n.Fatal(err)
	}
	n.turn()
}

// start ends the moment: a house starts.
func (n *neighbour) start() {
	n.Helper()
	if info, err := os.Lstat(n.path + "-shm"); err == nil && info.Mode()&os.ModeSymlink != 0 {
		if err := os.Remove(n.path + "-shm"); err != nil {
			n.Error(err)
		}
	}
	n.turn()
}

// neighbourhood is what the other process does.
func neighbourhood(t *testing.T, path string) {
	t.Helper()
	in := bufio.NewReader(os.Stdin)
	for _, step := range []func() error{
		func() error {
			f, err := os.OpenFile(path+"-shm", os.O_RDWR, 0)
			if err != nil {
				return err
			}
			t.Cleanup(func() { _ = f.Close() }) // closing ends the lock
			return syscall.FcntlFlock(f.Fd(), syscall.F_SETLK, &syscall.Flock_t{Type: syscall.F_RDLCK, Start: presence, Len: 1})
		},
		func() error {
			s, err := sqlitestore.Open(path, quiet)
			if err == nil {
				t.Cleanup(func() { _ = s.Close() })
			}
			return err
		},
		func() error { return nil },
	} {
		if _, err := in.ReadString('\n'); err != nil {
			return
		}
		if err := step(); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println("done")
	}
}

// Somebody who looks at a house that is being started, or ended, asks again and is answered.
func TestLookingWaitsUntilAMomentIsOver(t *testing.T) {
	if path := os.Getenv(childArgument); path != "" {
		neighbourhood(t, path)
		return
	}
	folder := killed(t, 10)
	for what, moment := range moments {
		n := beside(t, folder)
		n.leave(moment)
		synctest.Test(t, func(t *testing.T) {
			const moment = 35 * time.Millisecond
			begun := time.Now()
			var all sync.WaitGroup
			for way, ask := range ways {
				all.Go(func() {
					found, err := ask(t.Context(), n.path)
					if waited := time.Since(begun); found == 0 || err != nil || waited < moment {
						t.Errorf("shared memory %s: %s found %d after %v, %v; want something once a house has started", what, way, found, waited, err)
					}
				})
			}
			time.Sleep(moment)
			n.start()
			all.Wait()
		})
	}
}

// What lasts is told in a sentence, and soon.
func TestLookingDoesNotWaitForWhatLasts(t *testing.T) {
	if path := os.Getenv(childArgument); path != "" {
		neighbourhood(t, path)
		return
	}
	folder := killed(t, 10)
	for what, moment := range moments {
		n := beside(t, folder)
		n.leave(moment)
		for way, ask := range ways {
			synctest.Test(t, func(t *testing.T) {
				begun := time.Now()
				_, err := ask(t.Context(), n.path)
				if waited := time.Since(begun); err == nil || waited > time.Second ||
					!strings.Contains(err.Error(), "database "+n.path+" cannot be used (it cannot be opened or written): let this user") {
					t.Errorf("shared memory %s: %s = %v after %v; want a sentence within a second", what, way, err, waited)
				}
			})
		}
	}
}

// Whoever was given lines gets none of them again.
func TestNothingIsGivenTwice(t *testing.T) {
	if path := os.Getenv(childArgument); path != "" {
		neighbourhood(t, path)
		return
	}
	n := beside(t, killed(t, manyLines))
	synctest.Test(t, func(t *testing.T) {
		seen, failed := map[room.Seq]int{}, false
		started := make(chan struct{})
		for e, err := range sqlitestore.Export(t.Context(), n.path, sqlitestore.ExportQuery{}) {
			if err != nil {
				failed = strings.Contains(err.Error(), "cannot be used")
				continue
			}
			if len(seen) == 0 { // nobody had it open so far, and between two steps nothing is held
				n.leave(moments["not filled in"])
				go func() {
					time.Sleep(35 * time.Millisecond)
					n.start()
					close(started)
				}()
			}
			if seen[e.Seq]++; seen[e.Seq] > 1 {
				t.Fatalf("the line at %d came twice", e.Seq)
			}
		}
		if len(seen) == 0 || len(seen) >= manyLines || !failed {
			t.Errorf("there came %d lines and a sentence: %v; want a part of them, and a sentence", len(seen), failed)
		}
		<-started
	})
}
