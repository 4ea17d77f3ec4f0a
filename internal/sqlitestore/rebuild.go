package sqlitestore

import (
	"context"
	"errors"
	"fmt"

	"sarangbang/room"
)

// Rebuild makes the index, the accounts, and what is kept of rooms and order of the database at path anew from its log, all or nothing, while nobody else has it open.
// It tells now and then up to which of the places in the log it has come. What the log does not tell stays: how far people have read,
// the names that an erased account still holds, and the numbers of names, so that of a sound database nothing becomes another.
func Rebuild(ctx context.Context, path string, opt Options, told func(done, last room.Seq)) error {
	path, err := resolve(path)
	if err != nil {
		return err
	}
	found, err := inspect(path, len(steps))
	if err == nil && !found {
		err = fmt.Errorf("database %s is not there", path)
	}
	if err == nil {
		err = ready(ctx, path, opt.Logger, steps)
	}
	if err != nil {
		return err
	}
	s := newStore(path, opt)
	w, err := openWriter(ctx, s, opt, false)
	if err != nil {
		return unusable(path, err)
	}
	err = inTransaction(ctx, w.conn, func() error { return w.rebuild(ctx, told) })
	if err == nil {
		w.finish(ctx)
	}
	if err = errors.Join(err, w.close()); err != nil {
		return unusable(path, err)
	}
	return nil
}

// rebuild replays the log with the verdicts that stand in it: who was there when they were given, it does not tell.
func (w *writer) rebuild(ctx context.Context, told func(done, last room.Seq)) error {
	err := script(ctx, w.conn,
		`INSERT INTO words (words) VALUES ('delete-all')`, `DELETE FROM accounts`, `DELETE FROM account_names`,
		`DELETE FROM account_keys`, `DELETE FROM settings`, `DELETE FROM kept`)
	for next := room.Seq(0); err == nil; {
		var page []entry
		if page, err = w.effective(ctx, next); err != nil || len(page) == 0 {
			break
		}
		for i := range page {
			if e := &page[i]; e.event != nil && err == nil {
				if err = w.derive(ctx, e); err == nil {
					err = w.retell(ctx, e)
				}
			}
		}
		next = page[len(page)-1].c.Seq + 1
		told(next-1, w.store.feed.head)
	}
	return err
}

// effective returns the next records of the log that took effect, as they were judged.
func (w *writer) effective(ctx context.Context, from room.Seq) (page []entry, err error) {
	err = each(ctx, w.conn, `SELECT `+logColumns+` FROM log WHERE seq >= ? AND void = '' ORDER BY seq LIMIT 1000`,
		func(scan func(...any) error) error {
			e, err := scanEntry(scan)
			e.index()
			page = append(page, e)
			return err
		}, int64(from))
	return page, err
}
