package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"sarangbang/room"
)

// This file forgets people. An account goes at once, with the record that ends it; its lines, which may be hundreds of thousands, lose
// their author bit by bit while nobody waits. What was overwritten is gone from the file: the connection zeroes what it frees.

// blankData replaces what was stored of an erased account. It is no record's data.
const blankData = `{}`

// strikeLines is how many lines lose their author in one transaction.
const strikeLines = 200

// erase applies the end of an account.
func (w *writer) erase(ctx context.Context, e *entry, b room.Erased) error {
	who := string(e.verdict.From.ID)
	for _, s := range []struct {
		statement string
		args      []any
	}{
		{`PRAGMA secure_delete = ON`, nil},
		{`DELETE FROM held WHERE until <= ?`, []any{e.event.At.UnixNano()}},
		{
			`INSERT INTO held (name, until) SELECT name, ?2 FROM account_names WHERE person = ?1
				ON CONFLICT (name) DO UPDATE SET until = excluded.until`,
			[]any{who, b.Until.UnixNano()},
		},
		{`DELETE FROM names WHERE name IN (SELECT name FROM account_names WHERE person = ?)`, []any{who}},
		{`DELETE FROM accounts WHERE person = ?`, []any{who}},
		{`DELETE FROM account_names WHERE person = ?`, []any{who}},
		{`DELETE FROM account_keys WHERE person = ?`, []any{who}},
		{`DELETE FROM settings WHERE person = ?`, []any{who}},
		{`DELETE FROM places WHERE account = ?`, []any{who}},
		{ // how it came and what was changed, this end included
			`UPDATE log SET subject = ?2, data = ?3, nick = NULL, who = NULL WHERE subject = ?1 AND line = 0`,
			[]any{string(e.event.Subject), "account/" + string(room.Struck.Nick), []byte(blankData)},
		},
		{
			`INSERT INTO striking (person, before) VALUES (?, ?) ON CONFLICT (person) DO UPDATE SET before = excluded.before`,
			[]any{who, int64(e.c.Seq)},
		},
		{`PRAGMA secure_delete = FAST`, nil},
	} {
		if err := w.do(ctx, s.statement, s.args...); err != nil {
			return err
		}
	}
	w.unlearn()
	w.striking = true
	return nil
}

// strike takes the author from some more of the lines of an erased account, and empties the direct messages to it. It says whether
// there is more to do.
func (w *writer) strike(ctx context.Context) (more bool, err error) {
	var who string
	var before int64
	err = w.conn.QueryRowContext(ctx, `SELECT person, before FROM striking LIMIT 1`).Scan(&who, &before)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return true, err
	}
	lines, err := w.linesBy(ctx, who, before)
	if err != nil {
		return true, err
	}
	if err := w.do(ctx, `PRAGMA secure_delete = ON`); err != nil {
		return true, err
	}
	defer func() { _ = w.do(ctx, `PRAGMA secure_delete = FAST`) }() // it costs time, nothing else
	err = inTransaction(ctx, w.conn, func() error {
		for i := range lines {
			if err := w.strikeLine(ctx, &lines[i]); err != nil {
				return err
			}
		}
		if len(lines) < strikeLines {
			return w.strikeRest(ctx, who, before)
		}
		return nil
	})
	if err == nil && len(lines) < strikeLines {
		err = w.settle(ctx)
	}
	return true, err
}

// strikeRest ends the forgetting of a person who has no lines any more.
func (w *writer) strikeRest(ctx context.Context, who string, before int64) error {
	w.unlearn()
	err := w.do(ctx, `UPDATE log SET subject = ?3, data = ?4, nick = NULL, to_nick = NULL, who = NULL, line = 0
		WHERE seq IN (SELECT seq FROM log WHERE subject = ?1 AND (seq < ?2 OR void <> ''))`,
		string(personSubject(room.PersonID(who))), before, "person/"+string(room.Struck.Nick), []byte(blankData))
	if err == nil {
		err = w.do(ctx, `DELETE FROM people WHERE person = ? AND NOT EXISTS (SELECT 1 FROM log WHERE who = no)`, who)
	}
	if err == nil {
		err = w.do(ctx, `DELETE FROM striking WHERE person = ?`, who)
	}
	if err == nil {
		err = w.beginScrubbing(ctx)
	}
	return err
}

// authored is a record that names its author.
type authored struct {
	room.Committed
	line bool // it was shown
}

// linesBy returns the next records of a person to strike: lines, and what was not shown to anybody.
func (w *writer) linesBy(ctx context.Context, who string, before int64) (lines []authored, err error) {
	err = each(ctx, w.conn, `SELECT `+recordColumns+`, line FROM log WHERE who = (SELECT no FROM people WHERE person = ?) AND (seq < ? OR void <> '') LIMIT ?`,
		func(scan func(...any) error) error {
			var r authored
			err := scanRecord(scan, &r.Committed, &r.line)
			lines = append(lines, r)
			return err
		}, who, before, strikeLines)
	return lines, err
}

// strikeLine takes the author from a line. Of what was not shown nothing is left.
func (w *writer) strikeLine(ctx context.Context, c *authored) error {
	data := []byte(blankData)
	var event *room.Event
	if c.line {
		event, _ = room.Decode(c.Committed) // nil if it is damaged
	}
	if event != nil {
		data = room.Encode(room.Struck, c.Record.Subject, event.Body).Data
	}
	if err := w.do(ctx, `UPDATE log SET data = ?, nick = NULL, who = NULL WHERE seq = ?`, data, int64(c.Seq)); err != nil || event == nil {
		return err
	}
	text, ok := lineText(event.Body)
	if !ok {
		return nil
	}
	if err := w.do(ctx, `DELETE FROM words WHERE rowid = ?`, int64(c.Seq)); err != nil {
		return err
	}
	return w.fileWords(ctx, c.Seq, indexText(text.String()), c.Record.Subject, 0)
}

// recordColumns are what scanRecord reads.
const recordColumns = `seq, id, subject, kind, at, data`

func scanRecord(scan func(...any) error, c *room.Committed, more ...any) error {
	var id []byte
	var at int64
	*c = room.Committed{}
	if err := scan(append([]any{&c.Seq, &id, &c.Record.Subject, &c.Record.Kind, &at, &c.Record.Data}, more...)...); err != nil {
		return err
	}
	copy(c.Record.ID[:], id)
	c.Record.At = time.Unix(0, at)
	return nil
}
