package sqlitestore

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"syscall"

	sqlite3 "modernc.org/sqlite/lib"
)

// This file looks at the database from outside, before SQLite does: SQLite would take an empty file for a new database, and
// what it opens it may write to.

// applicationID stands in the header of every database of the house: "Srbg".
const applicationID = 0x53726267

// The header of an SQLite database (sqlite.org/fileformat2.html, section 1.3).
const (
	headerSize = 100
	magic      = "SQLite format 3\x00"
)

// refusal is why a file is not opened.
type refusal struct {
	path, why string
	inside    bool // it is about what is in a database of ours, which may be mended
}

func (r *refusal) Error() string {
	if r.inside {
		return fmt.Sprintf("database %s %s: run sarangbang doctor, which says whether it can be mended, or bring a backup back with "+
			"sarangbang restore FILE", r.path, r.why)
	}
	return fmt.Sprintf("database %s %s: bring a backup back with sarangbang restore FILE, or move it away, and %[1]s-wal with it if that is there, "+
		"to start with an empty one", r.path, r.why)
}

func refused(path, why string) error { return &refusal{path: path, why: why} }

// unsound makes the sentence for a database with which SQLite does not get on, without its words, which are not for operators.
func unsound(path string, err error) error {
	switch code := codeOf(err); {
	case code == sqlite3.SQLITE_CORRUPT_VTAB:
		return fmt.Errorf("database %s has a damaged search index: run sarangbang doctor --rebuild", path)
	case code&0xff == sqlite3.SQLITE_CORRUPT, code&0xff == sqlite3.SQLITE_NOTADB:
		return &refusal{path, "is damaged", true}
	case code == sqlite3.SQLITE_ERROR, code == 0:
		return &refusal{path, "is damaged: what must be in it is missing", true}
	}
	return unusable(path, err)
}

// newer makes the sentence for a database of a newer program.
func newer(path string, found, known int) error {
	return fmt.Errorf("database %s has version %d of its form, and this program knows none above %d: "+
		"run the newer program, or bring back the copy that it made before it changed the form", path, found, known)
}

// unreadable makes the sentence for a file that the operating system does not let us have.
func unreadable(path string, err error) error {
	return fmt.Errorf("database %s cannot be opened (%w): let this user read and write it and its folder", path, reason(err))
}

// resolve returns where the database at path really is, if that is a link: what stands beside a database is beside the file itself,
// and a link that is renamed or replaced is no longer one. A link that leads nowhere is refused: nobody means an empty house by it.
func resolve(path string) (string, error) {
	info, err := os.Lstat(path)
	if err != nil || info.Mode()&fs.ModeSymlink == 0 {
		return path, nil //nolint:nilerr // inspect looks at what is there
	}
	file, err := filepath.EvalSymlinks(path)
	if _, known := errors.AsType[*fs.PathError](err); err != nil && !known { // it gave up
		err = syscall.ELOOP
	}
	if err != nil {
		return "", fmt.Errorf("database %s is a link that leads to no file (%w): bring back what it leads to, such as a disk that is not mounted, "+
			"or take the link away to start with an empty one", path, reason(err))
	}
	return file, nil
}

// inspect says whether there is a database at path. An error means that what is there must not be opened.
func inspect(path string, known int) (found bool, err error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		// SQLite would delete the log of a database that is gone, and with it what was committed last.
		if _, err := os.Stat(path + "-wal"); err == nil {
			return false, fmt.Errorf("database %s is gone, and %s-wal, which belongs to it, is still there: "+
				"bring the database back, or move that away too to start with an empty one", path, path)
		}
		return false, nil
	case err != nil:
		return false, unreadable(path, err)
	case !info.Mode().IsRegular():
		return false, refused(path, "is not a file")
	}
	header, err := readHeader(path)
	if err != nil {
		return false, err
	}
	switch {
	case len(header) < headerSize:
		return false, refused(path, fmt.Sprintf("is cut off after %d bytes", len(header)))
	case !bytes.HasPrefix(header, []byte(magic)):
		return false, refused(path, "is not an SQLite database")
	case binary.BigEndian.Uint32(header[68:]) != applicationID:
		return false, refused(path, "belongs to another program")
	}
	if version := int(int32(binary.BigEndian.Uint32(header[60:]))); version > known {
		return false, newer(path, version, known)
	}
	page := sizeOfPages(header)
	if page < 512 || page&(page-1) != 0 {
		return false, refused(path, "is damaged: its page size makes no sense")
	}
	// A log beside it may hold the pages that are missing: a crash while they were carried over. The size is taken last: they may have
	// been carried over since the header was read.
	if hasLog(path) {
		return true, nil
	}
	if info, err = os.Stat(path); err != nil {
		return false, unreadable(path, err)
	}
	if pages := int64(binary.BigEndian.Uint32(header[28:])); info.Size() < pages*page {
		return false, refused(path, fmt.Sprintf("is cut off after %d of %d bytes", info.Size(), pages*page))
	}
	return true, nil
}

// sizeOfPages returns the size that stands in the header.
func sizeOfPages(header []byte) int64 {
	page := int64(binary.BigEndian.Uint16(header[16:]))
	if page == 1 {
		page = 65536
	}
	return page
}

// readHeader returns the first bytes of the file, fewer if it has fewer. It must not be called while SQLite has the file open:
// closing any descriptor of a file ends all POSIX locks that the process holds on it.
func readHeader(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0) //nolint:gosec // the path is the operator's own; read and write, as SQLite will want
	if err != nil {
		return nil, unreadable(path, err)
	}
	defer func() { _ = f.Close() }() // nothing was written
	header := make([]byte, headerSize)
	n, err := io.ReadFull(f, header)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, unreadable(path, err)
	}
	return header[:n], nil
}

// hasLog says that something which was committed may stand beside the database, not in it.
func hasLog(path string) bool {
	for _, suffix := range []string{"-wal", "-journal"} {
		if info, err := os.Stat(path + suffix); err == nil && info.Size() > 0 {
			return true
		}
	}
	return false
}

// carried carries the log beside the database over and empties it. It says whether that was possible: it is not as long as somebody
// else reads what was before, which SQLite tells in its answer, not as an error.
func carried(ctx context.Context, conn *sql.Conn) (bool, error) {
	var busy, held, done int
	err := conn.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &held, &done)
	return err == nil && busy == 0, err
}

// dsn names a database for the driver. The path is escaped: a folder may be called "what?#%".
func dsn(path string, params url.Values) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	u := url.URL{Scheme: "file", OmitHost: true, Path: abs, RawQuery: params.Encode()}
	return u.String(), nil
}

// syncFile makes a file and its entry in the folder durable.
func syncFile(path string) error {
	if err := flush(path); err != nil {
		return err
	}
	return syncFolder(path)
}

// syncFolder makes the entry of a file durable.
func syncFolder(path string) error { return flush(filepath.Dir(path)) }

func flush(path string) error {
	f, err := os.Open(path) //nolint:gosec // the path is the operator's own
	if err != nil {
		return err
	}
	err = f.Sync()
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}
