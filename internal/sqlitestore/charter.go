package sqlitestore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"sarangbang/room"
)

// This file does what records about rooms and order ask for: it keeps what the rules want to be kept, takes struck lines out of reach
// and puts them back, and notes which rooms have ended.

// removedKind is the kind of a line that was struck. No record is appended under it that would be shown.
const removedKind = "removed"

// enact does what follows from a record at the moment when it takes effect, and never again: what a rebuild finds in the log is as it
// left it. It needs the transaction in which the rules have judged the record.
func (w *writer) enact(ctx context.Context, e *entry) error {
	if err := w.keepCharter(ctx); err != nil || e.event == nil || e.verdict.Void != "" {
		return err
	}
	switch b := e.event.Body.(type) {
	case room.Withdrawn:
		return w.withSecureDelete(ctx, func() error { return w.setAside(ctx, e, b.Lines) })
	case room.Undone:
		if act := e.verdict.Act; act != nil && act.Kind == "withdrawn" {
			return w.putBack(ctx, act)
		}
	case room.Closed:
		return w.do(ctx, `INSERT INTO closing (subject, before) VALUES (?, ?) ON CONFLICT (subject) DO UPDATE SET before = excluded.before`,
			string(e.event.Subject), int64(e.c.Seq))
	default: // the log has it
	}
	return nil
}

// keepCharter writes what the rules have changed of what they want to be kept.
func (w *writer) keepCharter(ctx context.Context) error {
	for _, c := range w.rules.Changes() {
		var err error
		if c.Value == nil {
			err = w.do(ctx, `DELETE FROM kept WHERE key = ?`, c.Key)
		} else {
			err = w.do(ctx, `INSERT INTO kept (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value`, c.Key, c.Value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// retell tells the rules of a record of the log that took effect once, and keeps what they want to be kept of it.
func (w *writer) retell(ctx context.Context, e *entry) error {
	if e.event == nil || e.verdict.Void != "" {
		return nil
	}
	w.rules.Attempt()
	defer w.rules.Keep()
	w.rules.Replay(e.shown())
	return w.keepCharter(ctx)
}

// withSecureDelete zeroes all that do frees: what is as long as a page would otherwise stay in the file.
func (w *writer) withSecureDelete(ctx context.Context, do func() error) error {
	if err := w.do(ctx, `PRAGMA secure_delete = ON`); err != nil {
		return err
	}
	defer func() { _ = w.do(ctx, `PRAGMA secure_delete = FAST`) }() // it costs time, nothing else
	return do()
}

// setAside takes what lines hold out of reach; their places stay. What is no line of the record's room is left alone.
func (w *writer) setAside(ctx context.Context, e *entry, lines []room.ID) error {
	struck := false
	for _, id := range lines {
		var seq int64
		err := w.conn.QueryRowContext(ctx, `SELECT seq FROM log WHERE id = ? AND subject = ? AND line = 1 AND kind IN ('said', 'emoted')`,
			id[:], string(e.event.Subject)).Scan(&seq)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err == nil {
			err = w.do(ctx, `INSERT INTO withdrawn (id, at, kind, data, nick, who) SELECT id, ?, kind, data, nick, who FROM log WHERE seq = ?`,
				e.event.At.UnixNano(), seq)
		}
		if err == nil {
			err = w.do(ctx, `UPDATE log SET kind = ?, data = ?, nick = NULL, who = NULL WHERE seq = ?`, removedKind, []byte(blankData), seq)
		}
		if err == nil {
			err = w.do(ctx, `DELETE FROM words WHERE rowid = ?`, seq)
		}
		if err != nil {
			return err
		}
		struck = true
	}
	if struck {
		return w.do(ctx, noteStaleWords, staleWords)
	}
	return nil
}

// putBack gives lines back what was set aside of them.
func (w *writer) putBack(ctx context.Context, act *room.Act) error {
	for _, id := range act.Lines {
		if err := w.putBackLine(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) putBackLine(ctx context.Context, id room.ID) error {
	var found []entry
	err := each(ctx, w.conn, `SELECT seq, id, subject, w.kind, log.at, w.data, line, void, w.nick, NULL
			FROM log JOIN withdrawn AS w USING (id) WHERE id = ?`,
		func(scan func(...any) error) error {
			e, err := scanEntry(scan)
			found = append(found, e)
			return err
		}, id[:])
	if err != nil || len(found) == 0 {
		return err
	}
	e := &found[0]
	err = w.do(ctx, `UPDATE log SET kind = w.kind, data = w.data, nick = w.nick, who = w.who FROM withdrawn AS w WHERE log.id = w.id AND log.id = ?`, id[:])
	if err == nil {
		err = w.do(ctx, `DELETE FROM withdrawn WHERE id = ?`, id[:])
	}
	if err != nil || e.event == nil {
		return err
	}
	e.index()
	if e.verdict.From.ID == room.Struck.ID {
		return w.fileWords(ctx, e.c.Seq, e.words, e.event.Subject, 0)
	}
	return w.derive(ctx, e)
}

// charter is what follows from a log of what is kept of rooms and order.
type charter struct {
	rules *room.Rules
	due   map[string][]byte
}

func newCharter() *charter { return &charter{rules: room.NewRules(), due: map[string][]byte{}} }

// apply takes a record with its verdict into account.
func (c *charter) apply(e *entry) {
	if e.verdict.Void != "" {
		return
	}
	c.rules.Attempt()
	defer c.rules.Keep()
	c.rules.Replay(e.shown())
	for _, changed := range c.rules.Changes() {
		if changed.Value == nil {
			delete(c.due, changed.Key)
		} else {
			c.due[changed.Key] = changed.Value
		}
	}
}

// compare tells whether something is kept that should not be, or is missing, at the time of the newest record. What is kept of a person
// who was forgotten since then may be in other words than the log has now. What can be undone is left out: for some of it the log does
// not tell enough, and in a day it is gone.
func (c *charter) compare(r *Report, found room.Snapshot, at time.Time) {
	if err := room.NewRules().Restore(found); err != nil {
		r.fault(ByRebuild, "what is kept of rooms and order cannot be read: %v", err)
		return
	}
	n := 0
	for _, kept := range found.Charter {
		if _, due := c.due[kept.Key]; !due && !passing(kept.Key, kept.Value, at) {
			n++
		}
		delete(c.due, kept.Key)
	}
	for key, value := range c.due {
		if !passing(key, value, at) {
			n++
		}
	}
	if n > 0 {
		r.fault(ByRebuild, "what is kept of rooms and order is not as the log has it, in %d cases", n)
	}
}

// passing says that something that is kept goes by itself: an act, since it cannot be undone for ever, or a bar that has ended.
func passing(key string, value []byte, at time.Time) bool {
	if strings.HasPrefix(key, "act:") {
		return true
	}
	var bar room.Bar // whatever else it is, has no end
	return json.Unmarshal(value, &bar) == nil && !bar.Until.IsZero() && !at.Before(bar.Until)
}
