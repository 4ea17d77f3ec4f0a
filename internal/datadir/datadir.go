package datadir

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// A Dir is a data folder that belongs to this process until Close, or until the process ends.
type Dir struct {
	path string
	lock *os.File
}

// Open takes the folder for this process and makes it, for this user only, if it is missing. It never waits: the error
// is one sentence for the operator which names the folder and, when another process has it, that process.
func Open(path string) (*Dir, error) {
	if err := prepare(path); err != nil {
		return nil, err
	}
	name := filepath.Join(path, "lock")
	lock, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600) //nolint:gosec // the path is the operator's own
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		return nil, unwritable(path, fmt.Errorf("%s: %w", name, reason(err)))
	}
	if err != nil {
		return nil, fmt.Errorf("data folder %s cannot be locked with %s (%w): move that away", path, name, reason(err))
	}
	if err := take(lock); err != nil {
		holder := readPID(lock)
		_ = lock.Close() // nothing was written
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("data folder %s is in use by %s: end it, or choose another folder with --data-dir", path, holder)
		}
		return nil, fmt.Errorf("data folder %s cannot be locked (%w): choose one on a local disk with --data-dir", path, reason(err))
	}
	if err := errors.Join(adopt(lock, path), writePID(lock)); err != nil {
		_ = lock.Close() // the sentence below says what went wrong
		return nil, unwritable(path, fmt.Errorf("%s: %w", name, reason(err)))
	}
	return &Dir{path: path, lock: lock}, nil
}

// Path returns the folder as it was given to Open.
func (d *Dir) Path() string { return d.path }

// HostKeys returns the folder of the host keys. It need not be there yet.
func (d *Dir) HostKeys() string { return filepath.Join(d.path, "hostkeys") }

// Greeting returns the folder of the operator's words to everybody. It need not be there.
func (d *Dir) Greeting() string { return filepath.Join(d.path, "greeting") }

// Database returns the file of the database. It need not be there yet.
func (d *Dir) Database() string { return Database(d.path) }

// Database returns the file of the database in a folder, for whoever looks at it beside the process that has the folder.
func Database(path string) string { return filepath.Join(path, "sarangbang.db") }

// Close gives the folder back. Call it last: from then on another process may work in it.
func (d *Dir) Close() error {
	return d.lock.Close() // the kernel lets go of the lock with its last descriptor
}

// prepare makes the folder if it is missing. Root passes every check of the kernel, so the owner's own mode is looked at
// too: a folder that its owner closed on purpose stays closed.
func prepare(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(path, 0o700); err != nil {
			return fmt.Errorf("data folder %s cannot be made (%w): make it, or choose another with --data-dir", path, reason(err))
		}
		info, err = os.Stat(path)
	}
	if err != nil {
		return fmt.Errorf("data folder %s cannot be opened (%w): choose another with --data-dir", path, reason(err))
	}
	if !info.IsDir() {
		return fmt.Errorf("data folder %s is not a folder: move it away, or choose another with --data-dir", path)
	}
	if mine := int(info.Sys().(*syscall.Stat_t).Uid) == os.Geteuid(); mine && info.Mode().Perm()&0o700 != 0o700 {
		return unwritable(path, fmt.Errorf("mode %04o", info.Mode().Perm()))
	}
	return nil
}

func unwritable(path string, why error) error {
	if errors.Is(why, syscall.ENOSPC) || errors.Is(why, syscall.EDQUOT) || errors.Is(why, syscall.EFBIG) {
		return fmt.Errorf("data folder %s cannot be written (%w): make room on its disk", path, why)
	}
	return fmt.Errorf("data folder %s cannot be written (%w): let this user write there, or choose another with --data-dir", path, why)
}

// take locks the file or fails at once.
func take(lock *os.File) error {
	raw, err := lock.SyscallConn()
	if err != nil {
		return err
	}
	var locked error
	if err := raw.Control(func(fd uintptr) {
		locked = syscall.Flock(int(fd), syscall.LOCK_EX|syscall.LOCK_NB)
	}); err != nil {
		return err
	}
	return locked
}

// adopt gives a lock that root has made to the owner of the folder: the house that runs there may not be root, and has to open it.
func adopt(lock *os.File, folder string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(folder)
	if err != nil {
		return err
	}
	owner := info.Sys().(*syscall.Stat_t)
	return lock.Chown(int(owner.Uid), int(owner.Gid))
}

// writePID says who holds the lock. It is for people only: the lock itself is what counts.
func writePID(lock *os.File) error {
	line := strconv.Itoa(os.Getpid()) + "\n"
	if _, err := lock.WriteAt([]byte(line), 0); err != nil {
		return err
	}
	return lock.Truncate(int64(len(line)))
}

func readPID(lock *os.File) string {
	line, _ := io.ReadAll(io.LimitReader(lock, 32)) // without it the sentence is less exact, no more
	first, _, _ := strings.Cut(string(line), "\n")
	if pid, err := strconv.Atoi(first); err == nil && pid > 0 {
		return fmt.Sprintf("process %d", pid)
	}
	return "another process"
}

// reason is an operating system error without the call and path around it, which the sentence names better.
func reason(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}
