package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"strconv"

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
	subject, data := r.Subject, r.Data
	if r.Kind == "told" && e.verdict.Void != "" { // nobody reads it, and it names somebody who may want to be forgotten: its place remains
		subject, data = struckReceiver, []byte(blankData)
	}
	_, err = w.q.insert.ExecContext(ctx, int64(e.c.Seq), r.ID[:], string(subject), r.Kind, r.At.UnixNano(), data,
		row.line, string(e.verdict.Void), row.nick, row.toNick, row.who)
	if err != nil || e.event == nil || e.verdict.Void != "" {
		return err
	}
	return w.derive(ctx, e)
}

// derive writes what follows from a record that took effect.
func (w *writer) derive(ctx context.Context, e *entry) error {
	who := string(e.verdict.From.ID)
	switch b := e.event.Body.(type) {
	case room.Said, room.Emoted:
		author, err := w.authorNo(ctx, e.verdict.From.Nick)
		if err != nil {
			return err
		}
		return w.fileWords(ctx, e.c.Seq, e.words, e.event.Subject, author)
	case room.Registered:
		return w.register(ctx, e, b)
	case room.KeyAdded:
		return w.do(ctx, `INSERT INTO account_keys (person, place, key)
			SELECT ?1, coalesce(max(place), 0) + 1, ?2 FROM account_keys WHERE person = ?1`, who, b.Key)
	case room.KeyRemoved:
		return w.do(ctx, `DELETE FROM account_keys WHERE person = ? AND key = ?`, who, b.Key)
	case room.Configured:
		if b.Value == "" {
			return w.do(ctx, `DELETE FROM settings WHERE person = ? AND name = ?`, who, b.Name)
		}
		return w.do(ctx, `INSERT INTO settings (person, name, value) VALUES (?, ?, ?)
			ON CONFLICT (person, name) DO UPDATE SET value = excluded.value`, who, b.Name, b.Value)
	case room.Erased:
		return w.erase(ctx, e, b)
	default: // nothing follows from it but what the rules keep
	}
	return nil
}

// do is for statements that are too rare to be prepared.
func (w *writer) do(ctx context.Context, statement string, args ...any) error {
	_, err := w.conn.ExecContext(ctx, statement, args...)
	return err
}

// fileWords puts a line into the index. Author 0 is nobody who could be found.
func (w *writer) fileWords(ctx context.Context, seq room.Seq, words []byte, in room.Subject, author int64) error {
	words = tag(words, roomTag, string(in))
	if author > 0 {
		words = tag(words, authorTag, strconv.FormatInt(author, 10))
	}
	_, err := w.q.index.ExecContext(ctx, int64(seq), string(words))
	return err
}

func (w *writer) register(ctx context.Context, e *entry, b room.Registered) error {
	who := string(e.verdict.From.ID)
	err := w.do(ctx, `INSERT INTO accounts (person, nick, since) VALUES (?, ?, ?)`, who, string(e.verdict.From.Nick), e.event.At.UnixNano())
	if err != nil {
		return err
	}
	for i, name := range b.Names {
		if err := w.do(ctx, `INSERT INTO account_names (person, place, name) VALUES (?, ?, ?)`, who, i, name); err != nil {
			return err
		}
	}
	return w.do(ctx, `INSERT INTO account_keys (person, place, key) VALUES (?, 0, ?)`, who, e.event.From.Key)
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
		if r.line = e.verdict.Shown; r.line && e.verdict.To.Nick != b.To.Nick {
			r.toNick = string(e.verdict.To.Nick)
		}
	case room.Unknown:
		r.line = e.verdict.Shown // the place of a line that was struck
	default: // nobody reads it as a line
	}
	if from.Nick != e.event.From.Nick {
		r.nick = string(from.Nick)
	}
	if from.Key != "" { // whether anybody saw it or not: it names them
		r.who, err = w.personNo(ctx, from.ID)
	}
	return r, err
}

// personNo returns the number of a person in the table people.
func (w *writer) personNo(ctx context.Context, id room.PersonID) (no int64, err error) {
	if no, known := w.people[id]; known {
		return no, nil
	}
	no, err = number(ctx, w.q.person, w.q.newPerson, string(id))
	if err == nil {
		keep(w.people, id, no)
	}
	return no, err
}

// authorNo returns the number of a nickname's case key in the table names: 0 for a name that has none.
func (w *writer) authorNo(ctx context.Context, nick room.Nick) (no int64, err error) {
	if no, known := w.names[nick]; known {
		return no, nil
	}
	if name, refused := anyName.Parse(string(nick)); refused == nil {
		no, err = number(ctx, w.q.name, w.q.newName, name.Keys()[0])
	}
	if err == nil {
		keep(w.names, nick, no)
	}
	return no, err
}

// anyName lets every name pass that could be worn under some limits: this one is worn.
var anyName = identity.Rules{MaxBytes: 1 << 10, MaxGraphemes: 1 << 10, MaxCells: 1 << 10, AllowEmoji: true}

// number looks something up in a table of numbers, and gives it one if it has none.
func number(ctx context.Context, look, add *sql.Stmt, what string) (no int64, err error) {
	err = look.QueryRowContext(ctx, what).Scan(&no)
	if errors.Is(err, sql.ErrNoRows) {
		err = add.QueryRowContext(ctx, what).Scan(&no)
	}
	return no, err
}

// keep remembers a number, of a few thousand at most.
func keep[K comparable](known map[K]int64, k K, no int64) {
	if len(known) >= keepNumbers {
		clear(known)
	}
	known[k] = no
}

const keepNumbers = 4096

// unlearn forgets the numbers that are known by heart: some may not be in the database.
func (w *writer) unlearn() {
	clear(w.people)
	clear(w.names)
}
