package sqlitestore

import (
	"errors"
	"fmt"
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"sarangbang/room"
)

// A fault is why nothing can be written at all at present, as opposed to a record that cannot be.
type fault struct {
	answer error  // what an Append gets: room.ErrUnavailable or room.ErrNotSaved
	reason string // for the operator
	cause  error
}

func (f *fault) Error() string { return fmt.Sprintf("%v: %s", f.answer, f.reason) }

func (f *fault) Unwrap() []error { return []error{f.answer, f.cause} }

// judge finds out what an error of a transaction means. Nil: it is about one record, not about the disk.
func (s *Store) judge(err error) *fault {
	if f, ok := errors.AsType[*fault](err); ok {
		return f
	}
	if noRoom(err) {
		return &fault{room.ErrNotSaved, "no more can be written to " + s.path + ": its disk is full, or the size of files is limited", err}
	}
	switch codeOf(err) & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return &fault{room.ErrUnavailable, "another process has locked the database " + s.path, err}
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN:
		return &fault{room.ErrNotSaved, "the database " + s.path + " cannot be written", err}
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return &fault{room.ErrNotSaved, "the database " + s.path + " is damaged", err}
	case sqlite3.SQLITE_NOMEM:
		return &fault{room.ErrNotSaved, "no memory is left for the database", err}
	case sqlite3.SQLITE_IOERR:
		if unsure(err) {
			return &fault{room.ErrUnavailable, "the disk of " + s.path + " does not keep what is written", err}
		}
		return &fault{room.ErrNotSaved, "the disk of " + s.path + " fails", err}
	}
	return nil
}

// noRoom says that a file cannot grow. Where the system limits the size of files, SQLite tells of a write that failed, and no more.
func noRoom(err error) bool {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG) {
		return true
	}
	switch code := codeOf(err); code {
	case sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE:
		return true
	default:
		return code&0xff == sqlite3.SQLITE_FULL
	}
}

// unsure says that a commit may be found on disk after a crash although it failed: all of it was written when its fsync failed.
func unsure(err error) bool {
	code := codeOf(err)
	return code == sqlite3.SQLITE_IOERR_FSYNC || code == sqlite3.SQLITE_IOERR_DIR_FSYNC
}

// codeOf returns SQLite's extended result code, 0 if it is another error.
func codeOf(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code()
	}
	return 0
}

// reason is an operating system error without the call and the path around it, which the sentence names better, or what an error of
// SQLite means.
func reason(err error) error {
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno
	}
	if codeOf(err) != 0 {
		return errors.New(meaning(err))
	}
	return err
}

// meaning says what an error of SQLite means: its own words are for programmers.
func meaning(err error) string {
	if noRoom(err) {
		return "no space is left"
	}
	switch code := codeOf(err); code & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return "another process has locked it"
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN:
		return "it cannot be opened or written"
	case sqlite3.SQLITE_IOERR:
		return "its disk fails"
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return "it is damaged"
	default:
		return fmt.Sprintf("SQLite fails with code %d", code)
	}
}

// cure is what helps against an error of the operating system: room if that is what is missing, else what usually does.
func cure(err error, usual string) string {
	if noRoom(err) {
		return "make room on its disk, or lift the limit of the size of files"
	}
	return usual
}

// unusable makes the sentence for a database with which a start does not get on.
func unusable(path string, err error) error {
	if noRoom(err) { // a start reserves places before anybody comes in
		return fmt.Errorf("database %s cannot be used, since no space is left for it: make room on its disk, or lift the limit of the size of files", path)
	}
	advice := "see what sarangbang doctor says of it, or bring a backup back"
	switch codeOf(err) & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		advice = "end whatever else has it open"
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN:
		advice = "let this user read and write it and its folder, and what stands beside it, which must be files"
	case sqlite3.SQLITE_IOERR:
		advice = "look after the disk, and bring a backup back if need be"
	}
	return fmt.Errorf("database %s cannot be used (%w): %s", path, reason(err), advice)
}
