package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"sarangbang/room"
)

// This file reads what a start reads, before it writes anything, and for doctor: what is damaged there keeps a house from running.

// standing returns the life of the journal that a database holds, and the last place that may be given out in it.
func standing(ctx context.Context, conn *sql.Conn) (epoch string, reserved room.Seq, err error) {
	err = conn.QueryRowContext(ctx, `SELECT e.value, r.value FROM main.meta AS e JOIN main.meta AS r
		WHERE e.name = 'epoch' AND typeof(e.value) = 'text' AND e.value <> ''
			AND r.name = 'reserved' AND typeof(r.value) = 'integer' AND r.value >= 0`).Scan(&epoch, &reserved)
	if errors.Is(err, sql.ErrNoRows) {
		err = errors.New("its epoch or the places that are reserved are missing")
	}
	return epoch, reserved, err
}

// linesOfStart is how many lines a house reads at a start.
const linesOfStart = 1024

// readAsStart reads what a start of a house reads of a database of the newest form.
func readAsStart(ctx context.Context, conn *sql.Conn) error {
	if _, _, err := standing(ctx, conn); err != nil {
		return err
	}
	if _, err := readSnapshot(ctx, conn); err != nil {
		return err
	}
	var q statements // each is checked against the tables that it needs
	if err := errors.Join(q.prepare(ctx, conn), q.close()); err != nil {
		return err
	}
	skip := func(func(...any) error) error { return nil } // they are read, and that is all
	for _, query := range []string{
		`SELECT min(seq) FROM log`,
		`SELECT * FROM places WHERE open <> 0`,
		`SELECT * FROM striking`,
		fmt.Sprintf(`SELECT * FROM log ORDER BY seq DESC LIMIT %d`, linesOfStart),
		fmt.Sprintf(`SELECT * FROM log WHERE subject = '%s' AND line = 1 ORDER BY seq DESC LIMIT %d`, room.Lobby, linesOfStart),
	} {
		if err := each(ctx, conn, query, skip); err != nil {
			return err
		}
	}
	return nil
}

// form returns the tables and indexes that a database has, with how they were made.
func form(ctx context.Context, conn *sql.Conn) (map[string]string, error) {
	found := map[string]string{}
	return found, each(ctx, conn, `SELECT type || ' ' || name, coalesce(sql, '') FROM main.sqlite_schema WHERE name NOT LIKE 'sqlite_%'`,
		func(scan func(...any) error) error {
			var name, made string
			err := scan(&name, &made)
			found[name] = made
			return err
		})
}

// newestForm is the form that this program makes.
func newestForm(ctx context.Context) (want map[string]string, err error) {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if err := climb(ctx, conn, 0, steps); err != nil {
		return nil, err
	}
	return form(ctx, conn)
}

// logDamage says what is amiss with how the log lies in a database; empty if nothing is. What is amiss with its indexes is not the log's.
func logDamage(ctx context.Context, conn *sql.Conn, schema string) (amiss string, err error) {
	var root int
	err = conn.QueryRowContext(ctx, `SELECT rootpage FROM `+schema+`.sqlite_schema WHERE type = 'table' AND name = 'log'`).Scan(&root)
	if errors.Is(err, sql.ErrNoRows) {
		return "it is missing", nil
	}
	if err != nil {
		return "", err
	}
	places := 0
	err = each(ctx, conn, `PRAGMA `+schema+`.integrity_check('log')`, func(scan func(...any) error) error {
		var row string
		err := scan(&row)
		for _, found := range findings(row) {
			if ofLog(found, root) {
				places++
			}
		}
		return err
	})
	switch {
	case err != nil && !damaged(err):
		return "", err
	case places > 0:
		return inPlaces(places), nil
	case err == nil:
		return "", nil
	}
	// It gives up where it finds no index at all. Then what is in the log has at least to be the same from both ends.
	var rows [2]int
	for i, order := range []string{"ASC", "DESC"} {
		err := each(ctx, conn, `SELECT * FROM `+schema+`.log NOT INDEXED ORDER BY seq `+order, func(func(...any) error) error {
			rows[i]++
			return nil
		})
		if damaged(err) {
			return "it cannot be read", nil
		}
		if err != nil {
			return "", err
		}
	}
	if rows[0] != rows[1] {
		return "records are missing", nil
	}
	return "", nil
}

// findings are what a row of an integrity check found, in SQLite's words: one to a line, below a heading, or that all is well.
func findings(row string) []string {
	return slices.DeleteFunc(strings.Split(row, "\n"), func(line string) bool { return line == "ok" || strings.HasPrefix(line, "*** ") })
}

func inPlaces(n int) string {
	if n == 1 {
		return "in one place"
	}
	return fmt.Sprintf("in %d places", n)
}

// ofLog says that what an integrity check found is amiss with the log itself.
func ofLog(found string, root int) bool {
	return strings.HasPrefix(found, fmt.Sprintf("Tree %d ", root)) || strings.Contains(found, " value in log.")
}
