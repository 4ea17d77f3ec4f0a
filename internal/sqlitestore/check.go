package sqlitestore

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
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

// This file looks over a database that may be in use: nothing here writes, and nothing here is waited for.

// Report is what Check found.
type Report struct {
	Version, Known int    // of its form, and the newest that this program knows
	Older          bool   // so is its form: only how it lies in the file was looked at, and nothing of what it holds was counted or compared
	SQLite         string // the version of the library
	Bytes, Beside  int64  // of the file, and of the log beside it
	Free           int64  // bytes left on its disk

	Lines, Told    int // what people said and did in rooms, and direct messages
	Accounts       int
	Oldest, Newest time.Time // of the lines; zero if there are none
	Aging          int       // lines and direct messages that the next trim removes
	Striking       int       // erased accounts whose lines still wait to lose their author

	Rooms, Private int // those that there are, and how many of them are private
	Bans, Mutes    int // in force, of rooms and of the house
	Acts, Undone   int // what was done to rooms and to keep order, and how much of it was taken back

	Faults []Fault
}

// A Fault is something that is not as it must be, in a sentence.
type Fault struct {
	Text string
	Mend Mend
}

// Mend says what helps against a fault.
type Mend int

// What helps.
const (
	ByRestore Mend = iota // the log itself is at fault
	ByRebuild             // something is at fault that follows from the log
	ByRoom                // the disk is too full
)

// Check looks whether everything in the database at path is as it must be: the file itself, the log, and whether what was made of
// the log agrees with it; and whether enough is free on its disk. It works beside whoever writes the database. An error, in a
// sentence, says that it could not be looked at at all.
func Check(ctx context.Context, path string, opt Options) (*Report, error) {
	r := &Report{Known: len(steps)}
	path, err := resolve(path)
	if err != nil {
		return r, err
	}
	err = look(ctx, path, func(conn *sql.Conn, _ int) (given bool, err error) {
		*r = Report{Known: len(steps)}
		return false, r.lookOver(ctx, conn, path, opt)
	})
	return r, err
}

// lookOver is Check of a database that is open.
func (r *Report) lookOver(ctx context.Context, conn *sql.Conn, path string, opt Options) error {
	if err := r.measure(path); err != nil {
		return err
	}
	if err := script(ctx, conn, `BEGIN`); err != nil { // one view of it all, whatever is written meanwhile
		return err
	}
	if err := r.check(ctx, conn); err != nil {
		return err
	}
	if uint64(r.Free) < opt.DiskReserve {
		r.fault(ByRoom, "only %d MiB are free on its disk, and %d are kept in reserve, so nothing is saved", r.Free>>20, opt.DiskReserve>>20)
	}
	if r.Older {
		return nil
	}
	var err error
	if r.Aging, err = opt.Keep.aging(ctx, conn, time.Now()); damaged(err) && len(r.Faults) > 0 {
		return nil // it is told already
	}
	return err
}

// measure looks at the files.
func (r *Report) measure(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	r.Bytes = info.Size()
	if info, err := os.Stat(path + "-wal"); err == nil {
		r.Beside = info.Size()
	}
	var fs syscall.Statfs_t
	if err := syscall.Statfs(path, &fs); err != nil {
		return err
	}
	r.Free = int64(fs.Bavail * uint64(fs.Bsize))
	return nil
}

// check looks at what the database holds.
func (r *Report) check(ctx context.Context, conn *sql.Conn) error {
	err := conn.QueryRowContext(ctx, `SELECT sqlite_version(), user_version FROM pragma_user_version`).Scan(&r.SQLite, &r.Version)
	if err != nil {
		return err
	}
	r.Older = r.Version < r.Known
	told, err := r.checkPages(ctx, conn)
	if err != nil || r.Older {
		return err
	}
	for _, part := range []struct {
		check func(context.Context, *sql.Conn) error
		mend  Mend
		what  string
	}{
		{r.checkForm, ByRebuild, "its form"},
		{readAsStart, ByRebuild, "what a start needs"},
		{r.count, ByRebuild, "the log or the accounts"},
		{r.checkLog, ByRebuild, "the log or the accounts"},
		{r.checkIndex, ByRebuild, "the search index"},
	} {
		err := part.check(ctx, conn)
		switch {
		case err == nil, told && damaged(err): // it is told already
		case damaged(err), codeOf(err) == 0 && ctx.Err() == nil:
			r.fault(part.mend, "%s cannot be read", part.what)
			told = true
		default:
			return err
		}
	}
	return nil
}

// checkPages looks at how everything lies in the file. It says whether it told of something.
func (r *Report) checkPages(ctx context.Context, conn *sql.Conn) (told bool, err error) {
	amiss, err := logDamage(ctx, conn, "main")
	if damaged(err) {
		amiss, err = "it cannot be read", nil
	}
	if err != nil {
		return false, err
	}
	if amiss != "" {
		r.fault(ByRestore, "the file is damaged where the log stands: %s", amiss)
	}
	places := 0
	index := false
	err = each(ctx, conn, `PRAGMA integrity_check`, func(scan func(...any) error) error {
		var row string
		err := scan(&row)
		if strings.Contains(strings.ToLower(row), "fts5") { // which is about the search index alone
			index = true
		} else {
			places += len(findings(row))
		}
		return err
	})
	if err != nil && !damaged(err) {
		return true, err
	}
	if index {
		r.fault(ByRebuild, "the search index is damaged")
	}
	if err != nil {
		places = max(places, 1) // where it gave up
	}
	if amiss == "" && places > 0 {
		r.fault(ByRebuild, "the file is damaged %s, but not where the log stands", inPlaces(places))
	}
	return amiss != "" || index || places > 0, nil
}

// checkForm compares the tables and indexes with those that must be there.
func (r *Report) checkForm(ctx context.Context, conn *sql.Conn) error {
	want, err := newestForm(ctx)
	if err != nil {
		return err
	}
	found, err := form(ctx, conn)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if made, there := found[name]; !there {
			r.fault(ByRebuild, "the %s is missing", name)
		} else if made != want[name] {
			r.fault(ByRebuild, "the %s is not as it was made", name)
		}
	}
	return nil
}

func (r *Report) fault(mend Mend, format string, args ...any) {
	r.Faults = append(r.Faults, Fault{fmt.Sprintf(format, args...), mend})
}

func (r *Report) count(ctx context.Context, conn *sql.Conn) error {
	var oldest, newest sql.NullInt64
	err := conn.QueryRowContext(ctx, `SELECT count(*) FILTER (WHERE kind IN ('said', 'emoted')), count(*) FILTER (WHERE kind = 'told'), min(at), max(at)
		FROM log WHERE line = 1`).Scan(&r.Lines, &r.Told, &oldest, &newest)
	if err != nil {
		return err
	}
	if oldest.Valid {
		r.Oldest, r.Newest = time.Unix(0, oldest.Int64), time.Unix(0, newest.Int64)
	}
	err = conn.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM accounts), (SELECT count(*) FROM striking)`).Scan(&r.Accounts, &r.Striking)
	if err != nil {
		return err
	}
	return r.countOrder(ctx, conn)
}

// countOrder counts the rooms, and what keeps order in them. What of it cannot be read is told with what the log says of it.
func (r *Report) countOrder(ctx context.Context, conn *sql.Conn) error {
	now := time.Now()
	r.Rooms = 1 // the lobby, of which something may be kept or nothing
	err := each(ctx, conn, `SELECT key, value FROM kept`, func(scan func(...any) error) error {
		var key string
		var value []byte
		if err := scan(&key, &value); err != nil {
			return err
		}
		var m room.Room
		var b room.Bar
		switch kind, _, _ := strings.Cut(key, ":"); {
		case kind == "room" && json.Unmarshal(value, &m) == nil && m.Subject != room.Lobby:
			r.Rooms++
			if m.Private {
				r.Private++
			}
		case kind != "bar", json.Unmarshal(value, &b) != nil, !b.Until.IsZero() && !now.Before(b.Until):
		case b.Mute:
			r.Mutes++
		default:
			r.Bans++
		}
		return nil
	})
	if err != nil {
		return err
	}
	return conn.QueryRowContext(ctx, `SELECT count(*), count(*) FILTER (WHERE kind = 'undone') FROM log WHERE `+isAct3).
		Scan(&r.Acts, &r.Undone)
}

// checkLog reads the log through, and compares the accounts that follow from it with those that are there.
func (r *Report) checkLog(ctx context.Context, conn *sql.Conn) error {
	var order, unreadable, verdicts tally
	var at time.Time
	due, charter := accounts{}, newCharter()
	err := each(ctx, conn, `SELECT `+logColumns+` FROM log ORDER BY seq`, func(scan func(...any) error) error {
		e, err := scanEntry(scan)
		if err != nil {
			return err
		}
		if e.c.Record.At.Before(at) {
			order.note(e.c.Seq)
		}
		at = e.c.Record.At
		void := e.verdict.Void
		if void != "" && (e.verdict.Shown || !slices.Contains(room.Voids(), void)) {
			verdicts.note(e.c.Seq)
		}
		switch {
		case e.event != nil:
			due.apply(&e)
			charter.apply(&e)
		case void != room.VoidUnreadable && !bytes.Equal(e.c.Record.Data, []byte(blankData)):
			unreadable.note(e.c.Seq)
		}
		return nil
	})
	if err != nil {
		return err
	}
	order.tell(r, "of an earlier time than those before them")
	unreadable.tell(r, "that cannot be read")
	verdicts.tell(r, "without a verdict that makes sense")
	snapshot, err := readSnapshot(ctx, conn)
	if err != nil {
		return err
	}
	due.compare(r, snapshot.Accounts)
	charter.compare(r, snapshot, at)
	return nil
}

// tally counts records with one fault.
type tally struct {
	n     int
	first room.Seq
}

func (t *tally) note(seq room.Seq) {
	if t.n == 0 {
		t.first = seq
	}
	t.n++
}

func (t *tally) tell(r *Report, what string) {
	if t.n > 0 {
		r.fault(ByRestore, "the log has %d records %s, the first at place %d", t.n, what, t.first)
	}
}

// accounts are those that follow from a log.
type accounts map[room.PersonID]*room.Account

// apply takes a record with its verdict into account.
func (all accounts) apply(e *entry) {
	from := e.verdict.From
	if e.verdict.Void != "" {
		return
	}
	if b, ok := e.event.Body.(room.Registered); ok {
		all[from.ID] = &room.Account{ID: from.ID, Nick: from.Nick, Names: b.Names, Keys: []string{e.event.From.Key}, Since: e.event.At}
		return
	}
	a := all[from.ID]
	if a == nil {
		return
	}
	switch b := e.event.Body.(type) {
	case room.KeyAdded:
		a.Keys = append(a.Keys, b.Key)
	case room.KeyRemoved:
		a.Keys = slices.DeleteFunc(a.Keys, func(k string) bool { return k == b.Key })
	case room.Configured:
		switch {
		case b.Value == "":
			delete(a.Settings, b.Name)
		case a.Settings == nil:
			a.Settings = map[string]string{b.Name: b.Value}
		default:
			a.Settings[b.Name] = b.Value
		}
	default: // nothing of an account
	}
}

// compare tells how the accounts that are there differ from those that should be.
func (all accounts) compare(r *Report, found []room.Account) {
	owners := map[string]room.Nick{}
	for _, a := range found {
		for _, what := range slices.Concat(a.Names, a.Keys) {
			if other, owned := owners[what]; owned {
				r.fault(ByRebuild, "the accounts %s and %s own the same name or key", other, a.Nick)
			}
			owners[what] = a.Nick
		}
		due := all[a.ID]
		delete(all, a.ID)
		if due == nil || due.Nick != a.Nick || !due.Since.Equal(a.Since) || !slices.Equal(due.Names, a.Names) ||
			!slices.Equal(due.Keys, a.Keys) || !maps.Equal(due.Settings, a.Settings) {
			r.fault(ByRebuild, "the account %s is not as the log has it", a.Nick)
		}
	}
	for _, a := range all {
		r.fault(ByRebuild, "the account %s of the log is missing", a.Nick)
	}
}

// checkIndex compares the search index with the lines.
func (r *Report) checkIndex(ctx context.Context, conn *sql.Conn) error {
	const line = `log WHERE line = 1 AND kind IN ('said', 'emoted')`
	if err := r.checkFinding(ctx, conn); err != nil {
		return err
	}
	for _, half := range []struct{ query, text string }{
		{`SELECT count(*) FROM log WHERE who IS NOT NULL AND who NOT IN (SELECT no FROM people)`, "the authors of %d records are missing"},
		{`SELECT count(*) FROM ` + line + ` AND seq NOT IN (SELECT id FROM words_docsize)`, "the search index lacks %d lines"},
		{`SELECT count(*) FROM words_docsize WHERE id NOT IN (SELECT seq FROM ` + line + `)`, "the search index has %d lines too many"},
	} {
		var n int
		if err := conn.QueryRowContext(ctx, half.query).Scan(&n); err != nil {
			return err
		}
		if n > 0 {
			r.fault(ByRebuild, half.text, n)
		}
	}
	return nil
}

// findLines is how many lines are looked for in the search index.
const findLines = 500

// checkFinding looks some lines up by all their words, and whether there is any name to look for.
func (r *Report) checkFinding(ctx context.Context, conn *sql.Conn) error {
	var n, names int
	err := conn.QueryRowContext(ctx, `SELECT count(*), (SELECT count(*) FROM names) FROM log WHERE line = 1 AND kind IN ('said', 'emoted')`).Scan(&n, &names)
	if err != nil {
		return err
	}
	var lines []entry
	err = each(ctx, conn, `SELECT `+logColumns+` FROM (SELECT *, row_number() OVER (ORDER BY seq) AS nth FROM log WHERE line = 1 AND kind IN ('said', 'emoted'))
			WHERE nth % ? = 0`,
		func(scan func(...any) error) error {
			e, err := scanEntry(scan)
			lines = append(lines, e)
			return err
		}, max(1, n/findLines))
	if err != nil {
		return err
	}
	lost, nameless := 0, 0
	for i := range lines {
		e := &lines[i]
		if e.index(); e.event == nil || e.verdict.Void != "" {
			continue
		}
		if _, refused := anyName.Parse(string(e.verdict.From.Nick)); refused == nil && names == 0 {
			nameless++
		}
		terms := strings.Fields(string(tag(e.words, roomTag, string(e.event.Subject))))
		var found bool
		err := conn.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM words WHERE words MATCH ? AND rowid = ?)`,
			`"`+strings.Join(terms, `" AND "`)+`"`, int64(e.c.Seq)).Scan(&found)
		if err != nil {
			return err
		}
		if !found {
			lost++
		}
	}
	if lost > 0 {
		r.fault(ByRebuild, "the search index does not find %d of %d lines that were looked for", lost, len(lines))
	}
	if nameless > 0 {
		r.fault(ByRebuild, "the search index knows nobody's name")
	}
	return nil
}

// While somebody starts or ends, or was killed a moment ago, what stands beside the database may be there and gone again, or not be
// filled in yet. SQLite waits for up to ten seconds for that to end where it may write the shared memory (walTryBeginRead), and gives up
// at once where it may only read it. Of a start, that moment is a few calls of the system long; the rest is for a busy machine. What
// lasts is something else, and whoever asked should hear of it soon.
const (
	askAgainFor   = time.Second
	askAgainAfter = 10 * time.Millisecond
)

// look opens a database for reading, beside whoever else has it open. Its errors are sentences. What may be about a moment is asked
// again, with do from its beginning, unless do says that it has given something away already.
func look(ctx context.Context, path string, do func(conn *sql.Conn, version int) (given bool, err error)) error {
	path, err := resolve(path)
	if err != nil {
		return err
	}
	for begun := time.Now(); ; {
		given, err := lookOnce(ctx, path, do)
		if given || !momentary(err) || time.Since(begun) >= askAgainFor {
			return sentence(ctx, path, err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(askAgainAfter):
		}
	}
}

// momentary says that an error may be about a moment.
func momentary(err error) bool { return unsettled(err) || codeOf(err)&0xff == sqlite3.SQLITE_CANTOPEN }

// unsettled says that somebody else has yet to fill in the shared memory, which may be read only.
func unsettled(err error) bool {
	switch codeOf(err) {
	case sqlite3.SQLITE_READONLY_RECOVERY, sqlite3.SQLITE_READONLY_CANTLOCK, sqlite3.SQLITE_READONLY_CANTINIT:
		return true
	default:
		return false
	}
}

// lookOnce is look for the present moment. Its errors are sentences or SQLite's.
func lookOnce(ctx context.Context, path string, do func(conn *sql.Conn, version int) (given bool, err error)) (given bool, err error) {
	found, err := inspect(path, len(steps))
	if err != nil {
		return false, err
	}
	if !found {
		return false, missing(path)
	}
	before, err := os.Stat(path)
	if err != nil {
		return false, unreadable(path, err)
	}
	v, err := newView(path)
	if err != nil {
		return false, err
	}
	defer v.close()
	err = withConn(ctx, v.path, v.params, func(conn *sql.Conn) error {
		var version int
		if err := conn.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&version); err != nil {
			return err
		}
		if version < 1 {
			return refused(path, "is damaged: it has no version")
		}
		given, err = do(conn, version)
		return err
	})
	if err != nil || !v.alone {
		return given, err
	}
	if after, err := os.Stat(path); err != nil || after.Size() != before.Size() || !after.ModTime().Equal(before.ModTime()) {
		return given, fmt.Errorf("database %s changed while it was read: a house was started with it, so do this again", path)
	}
	return given, nil
}

// stream yields what read reads from a database; an error, a sentence, comes last.
func stream[T any](ctx context.Context, path string, read func(conn *sql.Conn, yield func(T) bool) error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		err := look(ctx, path, func(conn *sql.Conn, version int) (given bool, err error) {
			if err := current(path, version); err != nil {
				return false, err
			}
			err = read(conn, func(t T) bool {
				given = true
				return yield(t, nil)
			})
			return given, err
		})
		if err != nil {
			var none T
			yield(none, err)
		}
	}
}

// view is how a database is opened that must stay as it is to the last byte, together with all that stands beside it: of a damaged
// one it is the evidence.
type view struct {
	path   string
	params url.Values
	alone  bool   // nobody is expected to write: whoever does is not noticed by SQLite
	folder string // to be removed
	// claimed keeps others from removing the folder; nil if there is none.
	claimed *os.File
}

// lookMark is in the name of such a folder.
const lookMark = ".look-"

// newView finds out how to open a database. Where somebody has it open, or had when the process was killed, its shared memory stands
// beside it; SQLite may read that, and makes one of its own in memory if nobody keeps it up. A log without it has to be read from
// another folder, or SQLite would make the file.
func newView(path string) (v view, err error) {
	v = view{path: path, params: url.Values{"mode": {"ro"}, "_pragma": {"query_only(1)", "busy_timeout(5000)"}}}
	if exists(path+"-wal") && exists(path+"-shm") {
		v.params.Set("readonly_shm", "1")
		return v, nil
	}
	v.alone = true
	if !hasLog(path) {
		v.params.Set("immutable", "1")
		return v, nil
	}
	fail := func(err error) (view, error) {
		v.close()
		return v, fmt.Errorf("database %s cannot be read with what stands beside it (%w): let this user read both, and write in the folder", path, reason(err))
	}
	if v.folder, err = os.MkdirTemp(filepath.Dir(path), filepath.Base(path)+lookMark+"*"); err != nil {
		return fail(err)
	}
	if v.claimed, err = os.Open(v.folder); err == nil {
		err = claim(v.claimed)
	}
	if err != nil {
		return fail(err)
	}
	v.path = filepath.Join(v.folder, filepath.Base(path))
	for _, suffix := range []string{"", "-wal", "-journal"} {
		err := os.Link(path+suffix, v.path+suffix)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			err = copyFile(path+suffix, v.path+suffix) // a disk without links
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fail(err)
		}
	}
	return v, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func (v view) close() {
	if v.folder != "" {
		_ = os.RemoveAll(v.folder) // it holds links and copies only
	}
	if v.claimed != nil {
		_ = v.claimed.Close() // nothing was written
	}
}

// current refuses a database of an older form.
func current(path string, version int) error {
	if version < len(steps) {
		return fmt.Errorf("database %s has version %d of its form, and this needs %d: start the house once, it brings it up to date",
			path, version, len(steps))
	}
	return nil
}

func missing(path string) error {
	return fmt.Errorf("there is no database %s: name the data folder of a house that has run, with --data-dir", path)
}

// sentence makes one of what SQLite says; other errors are sentences already.
func sentence(ctx context.Context, path string, err error) error {
	code := codeOf(err) & 0xff
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return errors.New("interrupted")
	case code == sqlite3.SQLITE_CORRUPT, code == sqlite3.SQLITE_NOTADB:
		return unsound(path, err)
	case code != 0:
		return unusable(path, err)
	}
	return err
}

// VoidOf says why a record has no effect; empty if it has.
func (s *Store) VoidOf(ctx context.Context, seq room.Seq) (void room.Void, err error) {
	err = s.reads.QueryRowContext(ctx, `SELECT void FROM log WHERE seq = ?`, int64(seq)).Scan(&void)
	if err != nil {
		return "", s.readFault(ctx, err)
	}
	return void, nil
}
