package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // the driver

	"sarangbang/room"
)

// A step brings the database from one version of its form to the next, in a transaction of its own.
type step func(ctx context.Context, conn *sql.Conn) error

// steps are all there ever were, in order: the first makes version 1 of an empty database. A step that has been released is never
// changed.
var steps = []step{makeTables, addOrder, narrowActs}

// makeTables makes version 1.
//
// The log has everything that happened and must not be forgotten, in the order in which it did. What was shown to people as a line
// has line = 1, so that one index finds the lines of a room without looking at anything else, and the newest record of a subject by
// looking twice. At never runs backwards, so the place of a time is found by halving, without an index.
//
// What the rules made of a record stands beside it, since they cannot be asked again: who was there is not in the log.
func makeTables(ctx context.Context, conn *sql.Conn) error {
	return script(ctx, conn,
		`CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID`,
		`CREATE TABLE log (
			seq     INTEGER PRIMARY KEY,
			id      BLOB NOT NULL UNIQUE,
			subject TEXT NOT NULL,
			kind    TEXT NOT NULL,
			at      INTEGER NOT NULL, -- nanoseconds since 1970
			data    BLOB NOT NULL,    -- as it was given
			line    INTEGER NOT NULL, -- 1 if it was shown as what somebody said or did
			void    TEXT NOT NULL,    -- why it has no effect; empty if it has
			nick    TEXT,             -- the author's as of this place, where that is not the one in data
			to_nick TEXT,             -- likewise the receiver's
			who     INTEGER           -- the author's number in people; null for people without a key
		) STRICT`,
		`CREATE INDEX log_by_subject ON log (subject, line)`,
		`CREATE INDEX log_by_author ON log (who) WHERE who IS NOT NULL`,
		`CREATE TABLE people (no INTEGER PRIMARY KEY, person TEXT NOT NULL UNIQUE) STRICT`,
		// The case keys of the nicknames that something was said under. The index of words knows them by number only, so that it
		// holds no name that must be forgotten.
		`CREATE TABLE names (no INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE) STRICT`,
		// The words of the lines, found by the line's seq. The text itself is in the log only. To this tokenizer every character
		// outside of ASCII is part of a word, so what a word is, is decided by indexText alone.
		`CREATE VIRTUAL TABLE words USING fts5 (body, content='', contentless_delete=1, tokenize='ascii')`,
		// What is dropped is merged away by the writer, bit by bit. FTS5 would do it all at once, while somebody waits for their line.
		`INSERT INTO words (words, rank) VALUES ('deletemerge', 0)`,
		`CREATE TABLE accounts (person TEXT PRIMARY KEY, nick TEXT NOT NULL, since INTEGER NOT NULL) STRICT, WITHOUT ROWID`,
		`CREATE TABLE account_names (person TEXT NOT NULL, place INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (person, place))
			STRICT, WITHOUT ROWID`,
		`CREATE TABLE account_keys (person TEXT NOT NULL, place INTEGER NOT NULL, key TEXT NOT NULL, PRIMARY KEY (person, place))
			STRICT, WITHOUT ROWID`,
		`CREATE TABLE settings (person TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (person, name))
			STRICT, WITHOUT ROWID`,
		`CREATE TABLE held (name TEXT PRIMARY KEY, until INTEGER NOT NULL) STRICT, WITHOUT ROWID`,
		`CREATE TABLE striking (person TEXT PRIMARY KEY, before INTEGER NOT NULL) STRICT, WITHOUT ROWID`,
		`CREATE TABLE places (
			account TEXT NOT NULL, of TEXT NOT NULL, seen INTEGER NOT NULL, sent INTEGER NOT NULL, open INTEGER NOT NULL,
			PRIMARY KEY (account, of)
		) STRICT, WITHOUT ROWID`,
		`INSERT INTO meta VALUES ('epoch', '`+room.NewID().String()+`'), ('reserved', 0)`,
	)
}

// addOrder makes version 2, for rooms and for keeping order.
//
// A line that was struck stays a line of kind removed and without data, so that its place is where it was. What it held is set aside
// under its ID, for as long as that can be undone.
func addOrder(ctx context.Context, conn *sql.Conn) error {
	return script(ctx, conn,
		// What the rules want to be kept; see room.Change.
		`CREATE TABLE kept (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID`,
		`CREATE TABLE sightings (
			person TEXT NOT NULL, addr TEXT NOT NULL, nick TEXT NOT NULL, key TEXT NOT NULL,
			names TEXT NOT NULL, -- a list in JSON
			at INTEGER NOT NULL,
			PRIMARY KEY (person, addr)
		) STRICT, WITHOUT ROWID`,
		`CREATE TABLE withdrawn (
			id   BLOB PRIMARY KEY,
			at   INTEGER NOT NULL, -- of the strike
			kind TEXT NOT NULL,    -- this and what follows: as it stood in the log
			data BLOB NOT NULL,
			nick TEXT,
			who  INTEGER
		) STRICT, WITHOUT ROWID`,
		`CREATE INDEX withdrawn_by_author ON withdrawn (who) WHERE who IS NOT NULL`,
		// Rooms that ended, and the places before which their lines are let go.
		`CREATE TABLE closing (subject TEXT PRIMARY KEY, before INTEGER NOT NULL) STRICT, WITHOUT ROWID`,
		`CREATE INDEX acts_by_subject ON log (subject) WHERE void = '' AND kind IN `+actKinds2,
		`CREATE INDEX acts_by_author ON log (who) WHERE void = '' AND kind IN `+actKinds2,
	)
}

// narrowActs makes version 3. SQLite gathers the kinds in a table of its own each time that it asks whether a record is an act, which was
// a third of the cost of a line among others: of lines it is not asked any more.
func narrowActs(ctx context.Context, conn *sql.Conn) error {
	return script(ctx, conn,
		`DROP INDEX acts_by_subject`,
		`DROP INDEX acts_by_author`,
		`CREATE INDEX acts_by_subject ON log (subject) WHERE `+isAct3,
		`CREATE INDEX acts_by_author ON log (who) WHERE `+isAct3,
	)
}

// isAct3 holds for what was done to rooms and to keep order, as the indexes of version 3 have it: a query that uses one says the same.
// It is never changed.
const isAct3 = `line = 0 AND void = '' AND kind IN ` + actKinds2

// actKinds2 are the kinds of that. It is never changed.
const actKinds2 = `('opened', 'closed', 'arranged', 'invited', 'ranked', 'appointed', 'kicked', 'muted', 'banned', 'lifted', 'undone', 'withdrawn', 'announced')`

func script(ctx context.Context, conn *sql.Conn, statements ...string) error {
	for _, q := range statements {
		if _, err := conn.ExecContext(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

// create makes the database, complete or not at all: it is built beside its place.
func create(ctx context.Context, path string, steps []step) error {
	fail := func(err error) error {
		return fmt.Errorf("database %s cannot be made (%w): make room, or let this user write in its folder", path, reason(err))
	}
	draft := path + ".new"
	for _, leftover := range []string{draft, draft + "-journal"} { // of a start that did not get through
		if err := os.Remove(leftover); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fail(err)
		}
	}
	f, err := os.OpenFile(draft, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the path is the operator's own
	if err != nil {
		return fail(err)
	}
	defer func() { _ = os.Remove(draft) }() // it is elsewhere by then, or of no use
	if err := f.Close(); err != nil {
		return fail(err)
	}
	err = withConn(ctx, draft, nil, func(conn *sql.Conn) error {
		if err := script(ctx, conn, fmt.Sprintf(`PRAGMA application_id = %d`, applicationID)); err != nil {
			return err
		}
		return climb(ctx, conn, 0, steps)
	})
	if err != nil {
		return fail(err)
	}
	if err := adopt(draft, filepath.Dir(path)); err != nil {
		return fail(err)
	}
	if err := os.Rename(draft, path); err != nil {
		return fail(err)
	}
	if err := syncFile(path); err != nil {
		return fail(err)
	}
	return nil
}

// climb takes the steps from a version on.
func climb(ctx context.Context, conn *sql.Conn, version int, steps []step) error {
	for ; version < len(steps); version++ {
		if err := inTransaction(ctx, conn, func() error {
			if err := steps[version](ctx, conn); err != nil {
				return err
			}
			return script(ctx, conn, fmt.Sprintf(`PRAGMA user_version = %d`, version+1))
		}); err != nil {
			return fmt.Errorf("bring it from version %d to %d: %w", version, version+1, err)
		}
	}
	return nil
}

func inTransaction(ctx context.Context, conn *sql.Conn, do func() error) error {
	if err := script(ctx, conn, `BEGIN IMMEDIATE`); err != nil {
		return err
	}
	err := do()
	if err == nil {
		err = script(ctx, conn, `COMMIT`)
	}
	if err != nil {
		_ = script(ctx, conn, `ROLLBACK`) // SQLite may have done it already; nothing else can be left open
	}
	return err
}

// migrate brings an older database to the newest form. Before each step it makes a copy beside it.
func migrate(ctx context.Context, path string, version int, steps []step, told func(copied string)) error {
	for ; version < len(steps); version++ {
		copied := fmt.Sprintf("%s.v%d-%s", path, version, time.Now().UTC().Format("20060102T150405Z"))
		err := withConn(ctx, path, url.Values{"_pragma": {"synchronous(FULL)"}}, func(conn *sql.Conn) error {
			if err := copyTo(ctx, conn, path+".new", copied); err != nil {
				return fmt.Errorf("copy it to %s: %w", copied, reason(err))
			}
			if err := climb(ctx, conn, version, steps[:version+1]); err != nil {
				_ = os.Remove(copied) // it is the same as what is still there
				return err
			}
			told(copied)
			// The version goes into the file's own header, where an older program looks.
			_, err := carried(ctx, conn) // if somebody reads meanwhile, the writer does it
			return err
		})
		if err != nil {
			return fmt.Errorf("database %s stays as it was: %w", path, err)
		}
	}
	return nil
}

// copyTo writes a complete, compact copy of the database as of now into a new file, and makes it durable. Until it is complete it has
// the name of a draft.
func copyTo(ctx context.Context, conn *sql.Conn, draft, path string) error {
	defer discard(draft)                                                   // it has its other name by then, or half a copy is none
	f, err := os.OpenFile(draft, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the path is the operator's own
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	_, err = conn.ExecContext(ctx, `VACUUM INTO ?`, draft)
	if err == nil {
		err = scrubFile(ctx, draft)
	}
	if err == nil {
		err = adopt(draft, filepath.Dir(path))
	}
	if err == nil {
		err = syncFile(draft)
	}
	if err == nil {
		err = name(draft, path)
	}
	if err == nil {
		err = syncFolder(path)
	}
	return err
}

// withConn opens a database for do, and closes it again.
func withConn(ctx context.Context, path string, params url.Values, do func(*sql.Conn) error) (err error) {
	db, err := open(path, params)
	if err != nil {
		return err
	}
	defer func() {
		if closed := db.Close(); err == nil {
			err = closed
		}
	}()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() {
		if closed := conn.Close(); err == nil {
			err = closed
		}
	}()
	return do(conn)
}

func open(path string, params url.Values) (*sql.DB, error) {
	name, err := dsn(path, params)
	if err != nil {
		return nil, err
	}
	return sql.Open("sqlite", name)
}

// verify opens a database for reading, in a way that leaves no trace, and checks that it holds what its version must hold. It
// returns the version.
func verify(ctx context.Context, path string, known int) (version int, err error) {
	params := url.Values{"mode": {"ro"}, "_pragma": {"query_only(1)", "busy_timeout(1000)"}}
	shm := path + "-shm"
	if _, err := os.Stat(shm); errors.Is(err, os.ErrNotExist) {
		defer func() { _ = os.Remove(shm) }() // made for reading the log, and not taken away by a reader
	}
	if !hasLog(path) {
		params.Set("immutable", "1")
	}
	err = withConn(ctx, path, params, func(conn *sql.Conn) error {
		if err := conn.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&version); err != nil {
			return err
		}
		if version < 1 || version > known {
			return nil
		}
		if version < known {
			_, _, err := standing(ctx, conn)
			return err
		}
		return readAsStart(ctx, conn)
	})
	switch {
	case err != nil:
		return 0, unsound(path, err)
	case version < 1:
		return 0, refused(path, "is damaged: it has no version")
	case version > known:
		return 0, newer(path, version, known)
	}
	return version, nil
}
