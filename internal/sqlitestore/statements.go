package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// statements are what the writer asks SQLite again and again, prepared once.
type statements struct {
	begin, commit, rollback *sql.Stmt
	logSize, tidy, empty    *sql.Stmt
	setMeta                 *sql.Stmt
	find, last              *sql.Stmt
	insert, index           *sql.Stmt
	person, newPerson       *sql.Stmt
	name, newName           *sql.Stmt
}

// prepare fails if the database does not hold what the statements need.
func (q *statements) prepare(ctx context.Context, conn *sql.Conn) error {
	for _, p := range []struct {
		to   **sql.Stmt
		text string
	}{
		{&q.begin, `BEGIN IMMEDIATE`},
		{&q.commit, `COMMIT`},
		{&q.rollback, `ROLLBACK`},
		{&q.logSize, `PRAGMA wal_checkpoint(NOOP)`},
		{&q.tidy, `PRAGMA wal_checkpoint(PASSIVE)`},
		{&q.empty, `PRAGMA wal_checkpoint(TRUNCATE)`},
		{&q.setMeta, `UPDATE meta SET value = ?2 WHERE name = ?1`},
		{&q.find, `SELECT seq FROM log WHERE id = ?`},
		// By line, since that is how the index goes on behind the subject.
		{&q.last, `SELECT max(
			coalesce((SELECT max(seq) FROM log WHERE subject = ?1 AND line = 0), 0),
			coalesce((SELECT max(seq) FROM log WHERE subject = ?1 AND line = 1), 0))`},
		{&q.insert, `INSERT INTO log (seq, id, subject, kind, at, data, line, void, nick, to_nick, who)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`},
		{&q.index, `INSERT INTO words (rowid, body) VALUES (?, ?)`},
		{&q.person, `SELECT no FROM people WHERE person = ?`},
		{&q.newPerson, `INSERT INTO people (person) VALUES (?) RETURNING no`},
		{&q.name, `SELECT no FROM names WHERE name = ?`},
		{&q.newName, `INSERT INTO names (name) VALUES (?) RETURNING no`},
	} {
		stmt, err := conn.PrepareContext(ctx, p.text) //nolint:sqlclosecheck // close closes them
		if err != nil {
			return fmt.Errorf("prepare %.40s: %w", p.text, err)
		}
		*p.to = stmt
	}
	return nil
}

func (q *statements) close() error {
	var err error
	for _, stmt := range []*sql.Stmt{
		q.begin, q.commit, q.rollback, q.logSize, q.tidy, q.empty, q.setMeta, q.find, q.last, q.insert, q.index,
		q.person, q.newPerson, q.name, q.newName,
	} {
		if stmt != nil {
			err = errors.Join(err, stmt.Close())
		}
	}
	return err
}
