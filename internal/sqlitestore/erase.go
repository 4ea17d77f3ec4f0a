package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"sarangbang/room"
)

// This file forgets people. An account goes at once, with the record that ends it, and what its owner did to keep order loses its author
// then; their lines, which may be hundreds of thousands, do so bit by bit while nobody waits. What was overwritten is gone from the file:
// the connection zeroes what it frees.
//
// What others did about them stays as it is, such as that they were put out of a room, and by whom: it is about keeping order, for which
// others answer, and a ban that ended with the account of whom it hits would be none.

// blankData replaces what was stored of an erased account. It is no record's data.
const blankData = `{}`

// namelessData replaces what was said or done in vain: data of nobody would be the house's own.
var namelessData = room.Encode(room.Struck, room.HouseSubject, room.Closed{}).Data

// strikeLines is how many lines lose their author in one transaction.
const strikeLines = 200

// erase applies the end of an account.
func (w *writer) erase(ctx context.Context, e *entry, b room.Erased) error {
	err := w.withSecureDelete(ctx, func() error {
		if err := w.eraseAccount(ctx, e, b); err != nil {
			return err
		}
		if err := w.strikeActs(ctx, e.verdict.From.ID); err != nil {
			return err
		}
		return w.keepCharter(ctx)
	})
	w.unlearn()
	w.striking, w.putOff = true, nil
	return err
}

// eraseAccount takes away all that is stored about an account but its lines.
func (w *writer) eraseAccount(ctx context.Context, e *entry, b room.Erased) error {
	who := string(e.verdict.From.ID)
	for _, s := range []struct {
		statement string
		args      []any
	}{
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
		{`DELETE FROM sightings WHERE person = ?`, []any{who}},
		{ // how it came and what was changed, this end included
			`UPDATE log SET subject = ?2, data = ?3, nick = NULL, who = NULL WHERE subject = ?1 AND line = 0`,
			[]any{string(e.event.Subject), "account/" + string(room.Struck.Nick), []byte(blankData)},
		},
		{
			`INSERT INTO striking (person, before) VALUES (?, ?) ON CONFLICT (person) DO UPDATE SET before = excluded.before`,
			[]any{who, int64(e.c.Seq)},
		},
	} {
		if err := w.do(ctx, s.statement, s.args...); err != nil {
			return err
		}
	}
	return nil
}

// strikeActs takes the author from all that somebody did to keep order. It is done at once, so that at any moment the log tells the same
// of who did something and who undid it.
func (w *writer) strikeActs(ctx context.Context, who room.PersonID) error {
	var acts []room.Committed
	err := each(ctx, w.conn, `SELECT `+recordColumns+` FROM log INDEXED BY acts_by_author
			WHERE `+isAct3+` AND who = (SELECT no FROM people WHERE person = ?)`,
		func(scan func(...any) error) error {
			var c room.Committed
			err := scanRecord(scan, &c)
			acts = append(acts, c)
			return err
		}, string(who))
	for i := range acts {
		if err == nil {
			err = w.putAuthor(ctx, `UPDATE log SET data = ?, nick = NULL, who = NULL WHERE id = ?`, acts[i])
		}
	}
	return err
}

// putAuthor writes a record without its author. One that is damaged loses all of it.
func (w *writer) putAuthor(ctx context.Context, statement string, c room.Committed) error {
	data := namelessData
	if event, err := room.Decode(c); err == nil {
		data = room.Encode(room.Struck, c.Record.Subject, event.Body).Data
	}
	return w.do(ctx, statement, data, c.Record.ID[:])
}

// erasures are the people whose lines lose their author bit by bit, and the places where their accounts ended.
type erasures map[room.PersonID]room.Seq

// beingErased returns them. It is called before lines are read, so that none of them is shown under a name that is gone.
func beingErased(ctx context.Context, conn *sql.Conn) (e erasures, err error) {
	err = each(ctx, conn, `SELECT person, before FROM striking`, func(scan func(...any) error) error {
		var who room.PersonID
		var before int64
		if err := scan(&who, &before); err != nil {
			return err
		}
		if e == nil {
			e = erasures{}
		}
		e[who] = room.Seq(before)
		return nil
	})
	return e, err
}

// mask takes the author from a line that will lose it in a moment.
func (e erasures) mask(line *room.Event) {
	if before, gone := e[line.From.ID]; gone && line.Seq < before {
		line.From = room.Struck
	}
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
	err = w.withSecureDelete(ctx, func() error {
		return inTransaction(ctx, w.conn, func() error {
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
		err = w.strikeSetAside(ctx, who, before)
	}
	if err == nil {
		err = w.do(ctx, `DELETE FROM people WHERE person = ? AND `+unused, who)
	}
	if err == nil {
		err = w.do(ctx, `DELETE FROM striking WHERE person = ?`, who)
	}
	if err == nil {
		err = w.beginScrubbing(ctx)
	}
	return err
}

// strikeSetAside takes the author from what is set aside of a person's struck lines.
func (w *writer) strikeSetAside(ctx context.Context, who string, before int64) error {
	var lines []room.Committed
	err := each(ctx, w.conn, `SELECT seq, id, subject, w.kind, log.at, w.data FROM withdrawn AS w JOIN log USING (id)
			WHERE w.who = (SELECT no FROM people WHERE person = ?) AND seq < ?`,
		func(scan func(...any) error) error {
			var c room.Committed
			err := scanRecord(scan, &c)
			lines = append(lines, c)
			return err
		}, who, before)
	for i := range lines {
		if err == nil {
			err = w.putAuthor(ctx, `UPDATE withdrawn SET data = ?, nick = NULL, who = NULL WHERE id = ?`, lines[i])
		}
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
	if c.Record.Kind != "told" { // which cannot be read without a receiver
		data = namelessData
	}
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
