package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"time"

	"sarangbang/room"
)

// This file answers from what is on disk; see [room.Archive]. It reads in short queries on connections of its own, so that neither a
// commit nor another reader waits for one that goes through a hundred thousand lines.

var _ room.Archive = (*Store)(nil)

// personSubject is the subject of the direct messages to a person.
func personSubject(id room.PersonID) room.Subject { return room.Subject("person/" + string(id)) }

// Snapshot implements [room.Archive].
func (s *Store) Snapshot(ctx context.Context) (room.Snapshot, error) {
	conn, release, err := s.reader(ctx, s.reads)
	if err != nil {
		return room.Snapshot{}, s.readFault(ctx, err)
	}
	defer release()
	snapshot, err := readSnapshot(ctx, conn)
	if err != nil {
		return room.Snapshot{}, s.readFault(ctx, err)
	}
	snapshot.At, err = s.Head(ctx)
	return snapshot, err
}

// Lines implements [room.Archive].
func (s *Store) Lines(ctx context.Context, q room.LineQuery) ([]*room.Event, error) {
	before, err := s.before(ctx, q.Before, q.Until)
	if err != nil {
		return nil, err
	}
	return s.events(ctx, s.reads, `SELECT `+lineColumns+` FROM log
		WHERE subject = ? AND line = 1 AND seq >= ? AND seq < ? ORDER BY seq LIMIT ?`, string(q.Room), int64(q.From), before, q.N)
}

// Back implements [room.Archive].
func (s *Store) Back(ctx context.Context, q room.LineQuery) (from room.Seq, n int, err error) {
	before, err := s.before(ctx, q.Before, q.Until)
	if err != nil {
		return 0, 0, err
	}
	err = s.readRow(ctx, s.reads, `SELECT coalesce(min(seq), 0), count(*) FROM (
		SELECT seq FROM log WHERE subject = ? AND line = 1 AND seq >= ? AND seq < ? ORDER BY seq DESC LIMIT ?)`,
		[]any{string(q.Room), int64(q.From), before, q.N}, &from, &n)
	if err != nil {
		return 0, 0, s.readFault(ctx, err)
	}
	return from, n, nil
}

// Search implements [room.Archive].
func (s *Store) Search(ctx context.Context, q room.SearchQuery) ([]*room.Event, error) {
	match, err := matchText(q.Words)
	if err != nil {
		return nil, err
	}
	if match == "" && q.Author == "" {
		return nil, room.ErrNoWords
	}
	leave, err := s.searching.enter(ctx, q.By)
	if err != nil {
		return nil, err
	}
	defer leave()
	ctx, cancel := context.WithTimeoutCause(ctx, searchTime, room.ErrSearchLong)
	defer cancel()
	return s.search(ctx, q, match)
}

// searchTime bounds one search. In a million lines hardly any takes a tenth of it.
const searchTime = 2 * time.Second

// search is Search when its turn has come.
func (s *Store) search(ctx context.Context, q room.SearchQuery, match string) ([]*room.Event, error) {
	if q.Author != "" {
		author, err := s.author(ctx, q.Author)
		if err != nil || author == "" {
			return nil, err
		}
		match = and(match, quoted(authorTag, author))
	}
	match = and(match, quoted(roomTag, string(q.Room)))
	before, err := s.before(ctx, q.Before, time.Time{})
	if err != nil {
		return nil, err
	}
	from, err := s.from(ctx, q.From, q.Since)
	if err != nil {
		return nil, err
	}
	return s.events(ctx, s.searches, searchQuery, match, from, before, string(q.Room), q.N)
}

// searchQuery asks the index, which answers from the newest on, for as long as lines are wanted. CROSS makes that the order: the
// planner may prefer to go through all lines of the room, and ask the index about each of them.
const searchQuery = `SELECT ` + lineColumns + ` FROM words CROSS JOIN log ON seq = words.rowid
	WHERE words MATCH ? AND words.rowid >= ? AND words.rowid < ? AND subject = ? AND line = 1
	ORDER BY words.rowid DESC LIMIT ?`

// author returns the number under which the index knows a name; empty if nothing was said under it.
func (s *Store) author(ctx context.Context, name string) (no string, err error) {
	err = s.readRow(ctx, s.searches, `SELECT no FROM names WHERE name = ?`, []any{name}, &no)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", s.readFault(ctx, err)
	}
	return no, nil
}

// Told implements [room.Archive].
func (s *Store) Told(ctx context.Context, to room.PersonID, after, upTo room.Seq, n int) ([]*room.Event, error) {
	return s.events(ctx, s.reads, `SELECT `+lineColumns+` FROM log
		WHERE subject = ? AND line = 1 AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?`,
		string(personSubject(to)), int64(after), place(upTo), n)
}

// Kept implements [room.Archive].
func (s *Store) Kept(ctx context.Context, from, to room.PersonID, after room.Seq) (sender, all int, err error) {
	err = s.readRow(ctx, s.reads, `SELECT count(*) FILTER (WHERE json_extract(CAST(data AS TEXT), '$.from.id') = ?), count(*)
		FROM log WHERE subject = ? AND line = 1 AND seq > ?`, []any{string(from), string(personSubject(to)), int64(after)}, &sender, &all)
	if err != nil {
		return 0, 0, s.readFault(ctx, err)
	}
	return sender, all, nil
}

// Places implements [room.Archive].
func (s *Store) Places(ctx context.Context, account room.PersonID) (places []room.Place, err error) {
	conn, release, err := s.reader(ctx, s.reads)
	if err != nil {
		return nil, s.readFault(ctx, err)
	}
	defer release()
	err = each(ctx, conn, `SELECT of, seen, sent, open FROM places WHERE account = ?`, func(scan func(...any) error) error {
		p := room.Place{Account: account}
		err := scan(&p.Of, &p.Seen, &p.Sent, &p.Open)
		places = append(places, p)
		return err
	}, string(account))
	if err != nil {
		return nil, s.readFault(ctx, err)
	}
	return places, nil
}

// SavePlaces implements [room.Archive]. The places of somebody who has no account are not kept.
func (s *Store) SavePlaces(ctx context.Context, places []room.Place) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return s.submit(ctx, &request{done: make(chan struct{}), save: func(ctx context.Context, conn *sql.Conn) error {
		for _, p := range places {
			_, err := conn.ExecContext(ctx, `INSERT INTO places (account, of, seen, sent, open)
				SELECT ?1, ?2, ?3, ?4, ?5 WHERE EXISTS (SELECT 1 FROM accounts WHERE person = ?1)
				ON CONFLICT (account, of) DO UPDATE SET seen = excluded.seen, sent = excluded.sent, open = excluded.open`,
				string(p.Account), string(p.Of), int64(p.Seen), int64(p.Sent), p.Open)
			if err != nil {
				return err
			}
		}
		return nil
	}})
}

// Holdings implements [room.Archive].
func (s *Store) Holdings(ctx context.Context, who room.PersonID) (h room.Holdings, err error) {
	err = s.readRow(ctx, s.reads, `SELECT
			count(*) FILTER (WHERE kind <> 'told'), count(*) FILTER (WHERE kind = 'told'), coalesce(sum(length(data)), 0)
		FROM log WHERE who = (SELECT no FROM people WHERE person = ?) AND line = 1`, []any{string(who)}, &h.Lines, &h.Sent, &h.Bytes)
	if err != nil {
		return room.Holdings{}, s.readFault(ctx, err)
	}
	var bytes int64
	err = s.readRow(ctx, s.reads, `SELECT count(*), coalesce(sum(length(data)), 0) FROM log WHERE subject = ? AND line = 1`,
		[]any{string(personSubject(who))}, &h.Received, &bytes)
	if err != nil {
		return room.Holdings{}, s.readFault(ctx, err)
	}
	h.Bytes += bytes
	return h, nil
}

// lineColumns are what events reads.
const lineColumns = recordColumns + `, nick, to_nick`

// events reads events as everybody saw them.
func (s *Store) events(ctx context.Context, db *sql.DB, query string, args ...any) ([]*room.Event, error) {
	conn, release, err := s.reader(ctx, db)
	if err != nil {
		return nil, s.readFault(ctx, err)
	}
	defer release()
	erased, err := beingErased(ctx, conn)
	if err != nil {
		return nil, s.readFault(ctx, err)
	}
	var events []*room.Event
	err = each(ctx, conn, query, func(scan func(...any) error) error {
		var c room.Committed
		var nick, toNick sql.NullString
		if err := scanRecord(scan, &c, &nick, &toNick); err != nil {
			return err
		}
		event, err := room.Decode(c)
		if err != nil {
			s.log.Error("line unreadable", "seq", uint64(c.Seq), "err", err)
			return nil
		}
		if nick.Valid {
			event.From.Nick = room.Nick(nick.String)
		}
		if c.Record.Kind == removedKind {
			event.Body = room.Removed{}
		}
		if told, ok := event.Body.(room.Told); ok && toNick.Valid {
			told.To.Nick = room.Nick(toNick.String)
			event.Body = told
		}
		erased.mask(event)
		events = append(events, event)
		return nil
	}, args...)
	if err != nil {
		return nil, s.readFault(ctx, err)
	}
	return events, nil
}

// place makes a place what SQLite takes: the highest that there can be for one that is higher.
func place(seq room.Seq) int64 { return int64(min(seq, math.MaxInt64)) }

// before joins the two upper bounds of a query; 0 and the zero time are none.
func (s *Store) before(ctx context.Context, seq room.Seq, until time.Time) (int64, error) {
	before := int64(math.MaxInt64)
	if seq > 0 {
		before = place(seq)
	}
	if until.IsZero() {
		return before, nil
	}
	first, err := s.placeOf(ctx, until)
	return min(before, first), err
}

// from joins the two lower bounds of a query.
func (s *Store) from(ctx context.Context, seq room.Seq, since time.Time) (int64, error) {
	if since.IsZero() {
		return place(seq), nil
	}
	first, err := s.placeOf(ctx, since)
	return max(place(seq), first), err
}

// placeOf returns the place of the first record that was committed at a time or later.
func (s *Store) placeOf(ctx context.Context, t time.Time) (int64, error) {
	conn, release, err := s.reader(ctx, s.reads)
	if err != nil {
		return 0, s.readFault(ctx, err)
	}
	defer release()
	s.feed.mu.Lock()
	head := int64(s.feed.head)
	s.feed.mu.Unlock()
	first, err := firstAt(ctx, conn, t, head)
	if err != nil {
		return 0, s.readFault(ctx, err)
	}
	return first, nil
}

// firstAt returns the place of the first record that was committed at a time or later, up to the head of the log; the place behind that
// if there is none. Times never run backwards, so it is found by halving.
func firstAt(ctx context.Context, conn *sql.Conn, t time.Time, head int64) (int64, error) {
	stmt, err := conn.PrepareContext(ctx, `SELECT seq, at FROM log WHERE seq >= ? ORDER BY seq LIMIT 1`)
	if err != nil {
		return 0, err
	}
	defer func() { _ = stmt.Close() }() // nothing was written
	low, high := int64(0), head+1
	for low < high { // what is before low is too old, what is at high or behind is not
		middle := low + (high-low)/2
		var seq, at int64
		switch err := stmt.QueryRowContext(ctx, middle).Scan(&seq, &at); {
		case errors.Is(err, sql.ErrNoRows):
			high = middle
		case err != nil:
			return 0, err
		case at < t.UnixNano():
			low = seq + 1
		default:
			high = middle
		}
	}
	return low, nil
}

// and joins two queries to the index, of which one may be empty.
func and(a, b string) string {
	if a == "" {
		return b
	}
	return a + " AND " + b
}

// quoted is the query for a tag.
func quoted(what rune, name string) string {
	return `"` + string(tag(nil, what, name)) + `"`
}

// readSnapshot reads what the rules have to know.
func readSnapshot(ctx context.Context, conn *sql.Conn) (s room.Snapshot, err error) {
	byID := map[room.PersonID]*room.Account{}
	err = each(ctx, conn, `SELECT person, nick, since FROM accounts ORDER BY since, person`, func(scan func(...any) error) error {
		var a room.Account
		var since int64
		err := scan(&a.ID, &a.Nick, &since)
		a.Since = time.Unix(0, since)
		s.Accounts = append(s.Accounts, a)
		return err
	})
	if err != nil {
		return s, err
	}
	for i := range s.Accounts {
		byID[s.Accounts[i].ID] = &s.Accounts[i]
	}
	for _, part := range []struct {
		query string
		put   func(a *room.Account, name, value string)
	}{
		{`SELECT person, name, '' FROM account_names ORDER BY person, place`, func(a *room.Account, name, _ string) {
			a.Names = append(a.Names, name)
		}},
		{`SELECT person, key, '' FROM account_keys ORDER BY person, place`, func(a *room.Account, key, _ string) {
			a.Keys = append(a.Keys, key)
		}},
		{`SELECT person, name, value FROM settings`, func(a *room.Account, name, value string) {
			if a.Settings == nil {
				a.Settings = map[string]string{}
			}
			a.Settings[name] = value
		}},
	} {
		err := each(ctx, conn, part.query, func(scan func(...any) error) error {
			var id room.PersonID
			var name, value string
			if err := scan(&id, &name, &value); err != nil {
				return err
			}
			if a := byID[id]; a != nil {
				part.put(a, name, value)
			}
			return nil
		})
		if err != nil {
			return s, err
		}
	}
	err = each(ctx, conn, `SELECT name, until FROM held`, func(scan func(...any) error) error {
		var h room.Holding
		var until int64
		err := scan(&h.Name, &until)
		h.Until = time.Unix(0, until)
		s.Held = append(s.Held, h)
		return err
	})
	if err != nil {
		return s, err
	}
	return s, each(ctx, conn, `SELECT key, value FROM kept ORDER BY key`, func(scan func(...any) error) error {
		var c room.Change
		err := scan(&c.Key, &c.Value)
		s.Charter = append(s.Charter, c)
		return err
	})
}

// each calls do for every row of a query.
func each(ctx context.Context, conn *sql.Conn, query string, do func(scan func(...any) error) error, args ...any) error {
	rows, err := conn.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // read to the end, or failed already
	for rows.Next() {
		if err := do(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}
