package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	sqlite3 "modernc.org/sqlite/lib"

	"sarangbang/room"
)

// Backup writes a complete copy of the database at path, as of now, into the new file to, for this user only, and returns its size
// once it is on the disk. It works beside whoever writes the database and holds nobody up. What stands at to is never overwritten.
// If it fails, with a sentence, nothing is left behind.
func Backup(ctx context.Context, path, to string) (bytes int64, err error) {
	if !free(to) {
		return 0, inTheWay(to)
	}
	for _, suffix := range besides {
		if strings.HasSuffix(to, suffix) {
			return 0, fmt.Errorf("%s would be taken for a part of a database, by its name: name another file", to)
		}
	}
	sweep(filepath.Join(filepath.Dir(to), "*"+partMark+"*"))
	err = look(ctx, path, func(conn *sql.Conn, _ int) (given bool, err error) {
		bytes, err = backup(ctx, conn, to)
		return bytes > 0, err
	})
	if err != nil && bytes > 0 { // it cannot be trusted
		return 0, errors.Join(err, os.Remove(to))
	}
	return bytes, err
}

func backup(ctx context.Context, conn *sql.Conn, to string) (bytes int64, err error) {
	fail := func(err error) (int64, error) {
		switch code := codeOf(err) & 0xff; {
		case ctx.Err() != nil, code == sqlite3.SQLITE_CORRUPT, code == sqlite3.SQLITE_BUSY, unsettled(err):
			return 0, err // it is about the database
		}
		return 0, fmt.Errorf("backup %s cannot be written (%s): %s", to, reason(err).Error(), cure(err, "name a new file where this user can write and enough is free"))
	}
	f, err := os.CreateTemp(filepath.Dir(to), filepath.Base(to)+partMark+"*")
	if err != nil {
		return fail(err)
	}
	part := f.Name()
	defer discard(part)              // it has its other name by then, or is of no use
	defer func() { _ = f.Close() }() // not before SQLite is done with it; nothing was written by this
	if err := claim(f); err != nil {
		return fail(err)
	}
	abs, err := filepath.Abs(part) // SQLite would read file:x as something else
	if err != nil {
		return fail(err)
	}
	// To SQLite this is writing, which it does not do for a connection that only looks.
	if err := script(ctx, conn, `PRAGMA query_only = OFF`); err != nil {
		return fail(err)
	}
	if _, err := conn.ExecContext(ctx, `VACUUM INTO ?`, abs); err != nil {
		return fail(err)
	}
	info, err := os.Stat(part)
	if err == nil {
		err = scrubFile(ctx, part)
	}
	if err == nil {
		err = syncFile(part)
	}
	if err == nil {
		err = name(part, to)
	}
	if errors.Is(err, fs.ErrExist) {
		return 0, inTheWay(to)
	}
	if err == nil {
		err = syncFile(to)
	}
	if err != nil {
		return fail(err)
	}
	return info.Size(), nil
}

// partMark is in the name of a backup that is not complete. Behind it stand digits.
const partMark = ".sarangbang-part-"

// claim says that a file or folder is in use by this process, for sweep, until f is closed or the process ends.
func claim(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }

// sweep removes what a process that was killed has left behind: what matches a pattern, has nothing but digits and what SQLite puts
// beside a database behind its last hyphen, and is in use by nobody. Failing costs room, nothing else.
func sweep(pattern string) {
	found, _ := filepath.Glob(pattern) // the pattern is ours, and a folder that cannot be read has nothing to remove
	for _, name := range found {
		if number := name[strings.LastIndexByte(name, '-')+1:]; strings.Trim(number, "0123456789") != "" {
			continue
		}
		f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOFOLLOW, 0) //nolint:gosec // it matches the pattern
		if err != nil {
			continue
		}
		if claim(f) == nil {
			discard(name)
			_ = os.RemoveAll(name)
		}
		_ = f.Close() // nothing was written
	}
}

func inTheWay(to string) error {
	return fmt.Errorf("%s is there already, and is not overwritten: name a new file", to)
}

// name gives a file a further name, or where a disk knows only one for each file, another. It never takes a name that is in use.
func name(file, as string) error {
	err := os.Link(file, as)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	if !free(as) {
		return fs.ErrExist
	}
	return os.Rename(file, as)
}

// free says that nothing has a name, not even a link that leads nowhere.
func free(name string) bool {
	_, err := os.Lstat(name)
	return errors.Is(err, fs.ErrNotExist)
}

// Restore puts a backup in the place of the database at path, which nobody may have open. It looks the backup over first, as Check
// does, and puts none in place that is not sound: the present database may be the better one. What stood there is given another name,
// which it returns, empty if there was nothing; it is never deleted. The places of a restored database are numbered anew, so it has an
// epoch of its own.
//
// If it fails, with a sentence that says what may help, the database is as it was.
func Restore(ctx context.Context, path, backup string) (aside string, err error) {
	if path, err = resolve(path); err != nil {
		return "", err
	}
	draft := path + ".new"
	if err := sameFile(path, backup); err != nil {
		return "", err
	}
	defer discard(draft)
	if err := copyFiles(backup, draft); err != nil {
		return "", err
	}
	found, err := inspect(draft, len(steps))
	if err == nil && !found {
		err = fmt.Errorf("there is no backup %s", draft)
	}
	if err == nil {
		_, err = verify(ctx, draft, len(steps))
	}
	if err == nil {
		err = prepareRestored(ctx, draft, backup)
	}
	if r, ok := errors.AsType[*refusal](err); ok {
		way := "name another one"
		if r.inside {
			way += ", or " + wayToMend
		}
		return "", fmt.Errorf("nothing is restored: backup %s %s: %s", backup, r.why, way)
	}
	if err != nil { // it is the copy that was looked at, and the sentence is about what it was made of
		return "", fmt.Errorf("nothing is restored: %s", strings.ReplaceAll(err.Error(), draft, backup))
	}
	return putInPlace(ctx, draft, path, "restore")
}

// prepareRestored looks a copy of a backup over and makes it one file that can be put in place.
func prepareRestored(ctx context.Context, draft, backup string) error {
	err := withConn(ctx, draft, nil, func(conn *sql.Conn) error {
		r := &Report{Known: len(steps)}
		if err := r.check(ctx, conn); err != nil {
			return err
		}
		if err := r.unfit(backup); err != nil {
			return err
		}
		if _, err := conn.ExecContext(ctx, `UPDATE meta SET value = ? WHERE name = 'epoch'`, room.NewID().String()); err != nil {
			return err
		}
		_, err := carried(ctx, conn)
		return err
	})
	if err != nil {
		return sentence(ctx, draft, err)
	}
	if err := scrubFile(ctx, draft); err != nil { // it may be of an older program
		return err
	}
	return syncFile(draft)
}

// wayToMend is how a backup becomes one that can be restored, if its log is sound.
const wayToMend = "copy it into an empty folder as sarangbang.db, run sarangbang doctor --rebuild --data-dir FOLDER, and restore that file"

// unfit says what is wrong with a backup that was looked over, and what may still be made of it.
func (r *Report) unfit(backup string) error {
	if len(r.Faults) == 0 {
		return nil
	}
	var said []string
	way := wayToMend
	for _, f := range r.Faults {
		said = append(said, f.Text)
		if f.Mend != ByRebuild {
			way = "name another one; what can still be read of this one, sarangbang export --data-dir FOLDER prints, with a copy of it there as sarangbang.db"
		}
	}
	return fmt.Errorf("backup %s is not sound: %s; %s", backup, strings.Join(said, "; "), way)
}

func sameFile(path, backup string) error {
	a, err := os.Stat(path)
	if err != nil {
		return nil //nolint:nilerr // what is not there is not the same
	}
	if b, err := os.Stat(backup); err == nil && os.SameFile(a, b) {
		return fmt.Errorf("%s is the database itself: name a backup of it", backup)
	}
	return nil
}

// What may stand beside a database.
var besides = []string{"-wal", "-shm", "-journal"}

// discard removes a draft that did not come to be used, and all that SQLite may have left beside it.
func discard(draft string) {
	for _, suffix := range append([]string{""}, besides...) {
		_ = os.Remove(draft + suffix) // it is elsewhere by then, or was never there
	}
}

// copyFiles copies a backup and the log that may stand beside it.
func copyFiles(backup, draft string) error {
	discard(draft)
	for _, suffix := range []string{"", "-wal"} {
		err := copyFile(backup+suffix, draft+suffix)
		if suffix != "" && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("backup %s cannot be copied into %s (%w): %s", backup, filepath.Dir(draft), reason(err),
				cure(err, "let this user read it, and write there"))
		}
	}
	return nil
}

func copyFile(from, to string) (err error) {
	in, err := os.OpenFile(from, os.O_RDONLY|syscall.O_NONBLOCK, 0) //nolint:gosec // the path is the operator's own; a pipe would be waited for
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // nothing was written
	if info, err := in.Stat(); err != nil || !info.Mode().IsRegular() {
		return errors.Join(errors.New("not a file"), err)
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // beside the operator's own database
	if err != nil {
		return err
	}
	defer func() {
		if closed := out.Close(); err == nil {
			err = closed
		}
	}()
	_, err = io.Copy(out, in)
	return err
}

// putInPlace puts a complete database, durable by now, in the place of the one at path, which nobody has open. That one is given
// another name first, with all that stands beside it: SQLite would take a log that is left there for one of the new database. What
// stands in its log is carried over before, so that whenever this ends, be it by a power cut, all of the one or of the other is in
// place. Only of one that is so damaged that SQLite does not open it the log goes before the file, to where both are kept.
//
// If it fails, all is under the names that it had, and there are no others.
func putInPlace(ctx context.Context, draft, path, why string) (aside string, err error) {
	if hasLog(path) {
		_ = withConn(ctx, path, url.Values{"mode": {"rw"}}, func(conn *sql.Conn) error { // its end takes the log away
			_, err := carried(ctx, conn)
			return err
		})
	}
	stamp := fmt.Sprintf("%s.before-%s-%s", path, why, time.Now().UTC().Format("20060102T150405.000Z"))
	undo, aside, err := exchange(draft, path, stamp)
	if err == nil {
		err = syncFolder(path)
	}
	if err != nil {
		for _, step := range slices.Backward(undo) {
			err = errors.Join(err, step())
		}
		return "", fmt.Errorf("database %s cannot be replaced (%w): %s", path, reason(err), cure(err, "let this user write in its folder"))
	}
	return aside, nil
}

// exchange does what putInPlace is for, and returns how each step of it is taken back.
func exchange(draft, path, stamp string) (undo []func() error, aside string, err error) {
	if err := adopt(draft, filepath.Dir(path)); err != nil {
		return nil, "", err
	}
	if !free(stamp) {
		return nil, "", fs.ErrExist
	}
	back := func(from, to string) { undo = append(undo, func() error { return os.Rename(from, to) }) }
	for _, suffix := range besides {
		if free(path + suffix) {
			continue
		}
		if err := os.Rename(path+suffix, stamp+suffix); err != nil {
			return undo, "", err
		}
		back(stamp+suffix, path+suffix)
		if aside == "" {
			aside = stamp + suffix
		}
	}
	if free(path) {
		return undo, aside, os.Rename(draft, path)
	}
	if os.Link(path, stamp) == nil { // so that there is one at every moment
		if err := os.Rename(draft, path); err != nil {
			return append(undo, func() error { return os.Remove(stamp) }), "", err
		}
		back(stamp, path)
		return undo, stamp, nil
	}
	// A disk without links, or the file of another user, to which the system lets nobody else make one. For a moment there is none.
	// Should that be the last, an empty log stands for it: no start takes the house for a new one.
	guard := path + "-wal"
	f, err := os.OpenFile(guard, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // beside the operator's own database
	if err != nil {
		return undo, "", err
	}
	_ = f.Close()                           // nothing was written
	defer func() { _ = os.Remove(guard) }() // empty, it does no harm
	if err := os.Rename(path, stamp); err != nil {
		return undo, "", err
	}
	back(stamp, path)
	return undo, stamp, os.Rename(draft, path)
}

// adopt gives a file that root has made to the owner of the folder: the house that runs there may not be root.
func adopt(file, folder string) error {
	info, err := os.Stat(folder)
	if err != nil || os.Geteuid() != 0 {
		return err
	}
	owner := info.Sys().(*syscall.Stat_t)
	return os.Chown(file, int(owner.Uid), int(owner.Gid))
}
