package sqlitestore

import (
	"context"
	"database/sql"
	"errors"

	"sarangbang/internal/identity"
	"sarangbang/room"
)

// entry is a record on its way into the log.
type entry struct {
	c       room.Committed
	expect  *room.Seq
	event   *room.Event // nil if the data is damaged
	words   []byte      // of a line, for the index
	fresh   bool        // it was not known before
	verdict room.Verdict
}

// project writes a record into the log and all that follows from it into the read models: the one function that does. It needs the
// transaction in which the rules have judged it.
func (w *writer) project(ctx context.Context, e *entry) error {
	r := &e.c.Record
	row, err := w.rowOf(ctx, e)
	if err != nil {
		return err
	}
	_, err = w.q.insert.ExecContext(ctx, int64(e.c.Seq), r.ID[:], string(r.Subject), r.Kind, r.At.UnixNano(), r.Data,
		row.line, string(e.verdict.Void), row.nick, row.toNick, row.who)
	if err != nil || e.event == nil || e.verdict.Void != "" {
		return err
	}
	switch b := e.event.Body.(type) {
	case room.Said, room.Emoted:
		if !row.line {
			return nil
		}
		body := tag(e.words, roomTag, string(r.Subject))
		body = tag(body, authorTag, w.authorKey(e.verdict.From.Nick))
		_, err = w.q.index.ExecContext(ctx, int64(e.c.Seq), string(body))
		return err
	case room.Registered, room.KeyAdded, room.KeyRemoved, room.Configured, room.Erased:
		_ = b
	default: // nothing follows from it, or not yet
	}
	return nil
}

// row is what stands in the log beside the record itself.
type row struct {
	line         bool
	nick, toNick any // string, or nil
	who          any // int64, or nil
}

func (w *writer) rowOf(ctx context.Context, e *entry) (r row, err error) {
	if e.event == nil {
		return r, nil
	}
	from := e.verdict.From
	switch b := e.event.Body.(type) {
	case room.Said, room.Emoted:
		r.line = e.verdict.Shown
	case room.Told:
		r.line = e.verdict.Shown
		if r.line && e.verdict.To.Nick != b.To.Nick {
			r.toNick = string(e.verdict.To.Nick)
		}
	default:
	}
	if from.Nick != e.event.From.Nick {
		r.nick = string(from.Nick)
	}
	if r.line && from.Key != "" {
		r.who, err = w.personNo(ctx, from.ID)
	}
	return r, err
}

// personNo returns the number of a person.
func (w *writer) personNo(ctx context.Context, id room.PersonID) (no int64, err error) {
	if no, known := w.people[id]; known {
		return no, nil
	}
	err = w.q.numbered.QueryRowContext(ctx, string(id)).Scan(&no)
	if errors.Is(err, sql.ErrNoRows) {
		err = w.q.number.QueryRowContext(ctx, string(id)).Scan(&no)
	}
	if err != nil {
		return 0, err
	}
	if len(w.people) >= keepNames {
		clear(w.people)
	}
	w.people[id] = no
	return no, nil
}

// keepNames bounds what the writer knows by heart of the people who speak.
const keepNames = 4096

// anyName lets every name pass that could be worn under some limits: this one is worn.
var anyName = identity.Rules{MaxBytes: 1 << 10, MaxGraphemes: 1 << 10, MaxCells: 1 << 10, AllowEmoji: true}

// authorKey returns the key under which the lines of a name are found; empty for a name that has none.
func (w *writer) authorKey(nick room.Nick) string {
	key, known := w.authors[nick]
	if known {
		return key
	}
	if name, err := anyName.Parse(string(nick)); err == nil {
		key = name.Keys()[0]
	}
	if len(w.authors) >= keepNames {
		clear(w.authors)
	}
	w.authors[nick] = key
	return key
}
