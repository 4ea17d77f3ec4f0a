package sqlitestore

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"slices"

	sqlite3 "modernc.org/sqlite/lib"

	"sarangbang/room"
)

// Rebuilt is what became of a database that was made anew.
type Rebuilt struct {
	Aside string   // the name under which it is kept as it was
	Lost  []string // the tables that could not be read and that no log tells of
}

// Rebuild makes the index, the accounts, and what is kept of rooms and order of the database at path anew from its log, all or nothing,
// while nobody else has it open. It tells now and then up to which of the places in the log it has come. What the log does not tell
// stays: how far people have read, who was here lately, what is set aside of struck lines, the names that an erased account still holds,
// and the numbers of names, so that of a sound database nothing becomes another.
func Rebuild(ctx context.Context, path string, opt Options, told func(done, last room.Seq)) (done Rebuilt, err error) {
	if path, err = resolve(path); err != nil {
		return done, err
	}
	found, err := inspect(path, len(steps))
	if err != nil {
		return done, err
	}
	if !found {
		return done, missing(path)
	}
	version, err := versionOf(ctx, path)
	if err == nil && version > len(steps) {
		return done, newer(path, version, len(steps))
	}
	if err == nil && version < len(steps) {
		err = ready(ctx, path, opt.Logger, steps)
	}
	if err != nil {
		return done, sentence(ctx, path, err)
	}
	done.Aside, err = rewrite(ctx, path, "rebuild", func(w *writer) error {
		return w.rebuild(ctx, path, &done, told)
	})
	return done, err
}

// versionOf reads the version of a database of which nothing else is known to be sound.
func versionOf(ctx context.Context, path string) (version int, err error) {
	err = withConn(ctx, path, url.Values{"mode": {"rw"}}, func(conn *sql.Conn) error {
		return conn.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&version)
	})
	if err == nil && version < 1 {
		err = refused(path, "is damaged: it has no version")
	}
	return version, err
}

// rebuild finds out what can be read, and makes the rest. Once SQLite has met damage in a transaction, it writes nothing more in it.
func (w *writer) rebuild(ctx context.Context, path string, done *Rebuilt, told func(done, last room.Seq)) error {
	amiss, err := logDamage(ctx, w.conn, "old")
	if damaged(err) || amiss != "" {
		return logLost(path)
	}
	if err != nil {
		return err
	}
	var lost []string
	for _, table := range notInLog {
		err := each(ctx, w.conn, `SELECT * FROM old.`+table+` NOT INDEXED`, func(func(...any) error) error { return nil })
		switch {
		case damaged(err):
			lost = append(lost, table)
			if !slices.Contains([]string{"people", "names", "sqlite_sequence"}, table) { // which come again as the log is read
				done.Lost = append(done.Lost, table)
			}
		case err != nil:
			return err
		}
	}
	err = inTransaction(ctx, w.conn, func() error {
		if err := w.carryOver(ctx, lost); err != nil {
			return err
		}
		return w.remake(ctx, told)
	})
	if damaged(err) {
		return logLost(path)
	}
	return err
}

// remake replays the log with the verdicts that stand in it: who was there when they were given, it does not tell.
func (w *writer) remake(ctx context.Context, told func(done, last room.Seq)) error {
	var last room.Seq
	if err := w.conn.QueryRowContext(ctx, `SELECT coalesce(max(seq), 0) FROM old.log`).Scan(&last); err != nil {
		return err
	}
	if _, _, err := standing(ctx, w.conn); err != nil { // of the new one: what was carried over makes no sense
		if err := w.healMeta(ctx, last); err != nil {
			return err
		}
	}
	return w.replay(ctx, func(e *entry) error {
		told(e.c.Seq, last)
		return nil
	})
}

func logLost(path string) error {
	return fmt.Errorf("the log of the database %s is itself damaged, and nothing is changed: bring a backup back with sarangbang restore FILE", path)
}

// healMeta gives a database an epoch of its own, and places behind all that can have been given out.
func (w *writer) healMeta(ctx context.Context, last room.Seq) error {
	if err := w.do(ctx, `DELETE FROM meta`); err != nil {
		return err
	}
	return w.do(ctx, `INSERT INTO meta VALUES ('epoch', ?), ('reserved', ?)`, room.NewID().String(), int64(last)+2*reserveBlock)
}

// damaged says that an error is about what a database holds.
func damaged(err error) bool {
	switch codeOf(err) & 0xff {
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH:
		return true
	}
	return false
}
