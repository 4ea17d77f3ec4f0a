package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"slices"

	"sarangbang/room"
)

// This file writes a database anew beside the old one, for what cannot be done in its place: the records of the log get others in
// between.

// notInLog are the tables that hold what no log tells.
var notInLog = []string{"meta", "people", "names", "sqlite_sequence", "held", "striking", "places", "sightings", "withdrawn", "closing"}

// rewrite builds a database beside the one at path, which nobody has open, and puts it in its place, unless do fails. It returns where
// the old one is. The writer that do is given writes the new one, and reads the old one under the name old.
func rewrite(ctx context.Context, path, why string, do func(w *writer) error) (aside string, err error) {
	draft := path + ".new"
	defer discard(draft)
	discard(draft)
	if err := create(ctx, draft, steps); err != nil {
		return "", err
	}
	old, err := dsn(path, url.Values{"mode": {"rw"}})
	if err != nil {
		return "", err
	}
	// Whatever happens to the new one before it is complete, it is thrown away: no log on the disk is needed, and no fsync but the last.
	params := url.Values{"_pragma": {"journal_mode(MEMORY)", "synchronous(OFF)", "cache_size(-65536)"}}
	err = withConn(ctx, draft, params, func(conn *sql.Conn) (err error) {
		w := &writer{conn: conn, rules: room.NewRules(), people: map[room.PersonID]int64{}, names: map[room.Nick]int64{}}
		if err := w.do(ctx, `ATTACH ? AS old`, old); err != nil {
			return err
		}
		if err := w.q.prepare(ctx, conn); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, w.q.close()) }()
		return do(w)
	})
	if err == nil {
		err = scrubFile(ctx, draft)
	}
	if err == nil {
		err = syncFile(draft)
	}
	if err != nil {
		return "", sentence(ctx, path, err)
	}
	return putInPlace(ctx, draft, path, why)
}

// carryOver copies what does not follow from the log, but for the tables that are lost. The numbers of people and names are such: what
// is gone had some of them. Rows are read one by one from the table itself: SQLite would copy an index as it lies.
func (w *writer) carryOver(ctx context.Context, lost []string) error {
	if err := w.do(ctx, `DELETE FROM main.meta`); err != nil {
		return err
	}
	if err := w.do(ctx, `DELETE FROM main.sqlite_sequence`); err != nil {
		return err
	}
	for _, table := range notInLog {
		if slices.Contains(lost, table) {
			continue
		}
		if err := w.do(ctx, `INSERT OR IGNORE INTO main.`+table+` SELECT * FROM old.`+table+` NOT INDEXED WHERE true`); err != nil {
			return fmt.Errorf("copy %s: %w", table, err)
		}
	}
	return nil
}

// replayStep is how many records are read at once.
const replayStep = 1000

// replay files every record of the old log in the new one. Before each, it calls before, which may
// change the place.
func (w *writer) replay(ctx context.Context, before func(*entry) error) error {
	for next := room.Seq(0); ; {
		var step []entry
		err := each(ctx, w.conn, `SELECT `+logColumns+` FROM old.log WHERE seq >= ? ORDER BY seq LIMIT ?`, func(scan func(...any) error) error {
			e, err := scanEntry(scan)
			step = append(step, e)
			return err
		}, int64(next), replayStep)
		if err != nil {
			return err
		}
		for i := range step {
			e := &step[i]
			next = e.c.Seq + 1
			if err := before(e); err != nil {
				return err
			}
			if err := w.file(ctx, e); err != nil {
				return fmt.Errorf("file record %d: %w", e.c.Seq, err)
			}
		}
		if len(step) < replayStep {
			return nil
		}
	}
}

// file projects a record whose verdict is known.
func (w *writer) file(ctx context.Context, e *entry) error {
	if e.event != nil {
		e.event.Seq = e.c.Seq
	}
	e.index()
	if err := w.project(ctx, e); err != nil {
		return err
	}
	return w.retell(ctx, e)
}
