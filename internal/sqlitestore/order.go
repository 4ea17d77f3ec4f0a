package sqlitestore

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/netip"
	"strings"
	"time"

	"sarangbang/room"
)

// This file answers what people ask to keep order, and keeps who was here lately.

// Acts implements [room.Archive]. What was undone stands where that which was undone does.
func (s *Store) Acts(ctx context.Context, q room.ActQuery) ([]*room.Event, error) {
	before, err := s.before(ctx, q.Before, time.Time{})
	if err != nil {
		return nil, err
	}
	from, err := s.from(ctx, 0, q.Since)
	if err != nil {
		return nil, err
	}
	if q.Where == "" {
		return s.events(ctx, s.reads, actsQuery+` ORDER BY seq DESC LIMIT ?3`, from, before, q.N)
	}
	return s.events(ctx, s.reads, actsOfQuery, from, before, q.N, string(q.Where))
}

const (
	// actsQuery finds acts through an index that holds nothing else.
	actsQuery = `SELECT ` + lineColumns + ` FROM log INDEXED BY acts_by_subject
		WHERE ` + isAct3 + ` AND seq >= ?1 AND seq < ?2`
	// actsOfQuery merges those of a room, or of the house, with what is undone of them, which stands with the house.
	actsOfQuery = actsQuery + ` AND subject = ?4 AND kind <> 'undone'
		UNION ALL ` + actsQuery + ` AND subject = 'house' AND kind = 'undone' AND ` + undoneWhere + ` = ?4
		ORDER BY seq DESC LIMIT ?3`
	// undoneWhere is the subject of what a record undid.
	undoneWhere = `(SELECT act.subject FROM log AS act WHERE act.id = unhex(json_extract(CAST(log.data AS TEXT), '$.name')))`
)

// Find implements [room.Archive]. What is left of an ended room of the same name is not found.
func (s *Store) Find(ctx context.Context, in room.Subject, id string, n int) ([]*room.Event, error) {
	first, last, ok := idRange(id)
	if !ok {
		return nil, nil
	}
	return s.events(ctx, s.reads, findQuery, first, last, string(in), n)
}

// findQuery goes by the index of IDs: the signs keep the planner from going through all lines of the room.
const findQuery = `SELECT ` + lineColumns + ` FROM log
	WHERE id BETWEEN ?1 AND ?2 AND +subject = ?3 AND +line = 1 AND +seq >= coalesce((SELECT before FROM closing WHERE subject = ?3), 0)
	ORDER BY id LIMIT ?4`

// idRange returns the first and the last ID that begin so.
func idRange(begin string) (first, last []byte, ok bool) {
	missing := hex.EncodedLen(len(room.ID{})) - len(begin)
	if missing < 0 || begin == "" {
		return nil, nil, false
	}
	first, err := hex.DecodeString(begin + strings.Repeat("0", missing))
	if err != nil {
		return nil, nil, false
	}
	last, err = hex.DecodeString(begin + strings.Repeat("f", missing))
	return first, last, err == nil
}

// Sightings implements [room.Archive].
func (s *Store) Sightings(ctx context.Context) (seen []room.Sighting, err error) {
	conn, release, err := s.reader(ctx, s.reads)
	if err != nil {
		return nil, s.readFault(ctx, err)
	}
	defer release()
	err = each(ctx, conn, `SELECT person, nick, key, names, addr, at FROM sightings ORDER BY at, person, addr`, func(scan func(...any) error) error {
		var one room.Sighting
		var names, addr string
		var at int64
		if err := scan(&one.Person.ID, &one.Person.Nick, &one.Person.Key, &names, &addr, &at); err != nil {
			return err
		}
		one.At = time.Unix(0, at)
		where, err := netip.ParseAddr(addr)
		if err = errors.Join(err, json.Unmarshal([]byte(names), &one.Names)); err != nil { // it is of a day's use, and no reason not to start
			s.log.Error("sighting unreadable", "err", err)
			return nil
		}
		one.Addr = where
		seen = append(seen, one)
		return nil
	})
	if err != nil {
		return nil, s.readFault(ctx, err)
	}
	return seen, nil
}

// SaveSightings implements [room.Archive].
func (s *Store) SaveSightings(ctx context.Context, people map[room.PersonID][]room.Sighting, since time.Time) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return s.submit(ctx, &request{done: make(chan struct{}), save: func(ctx context.Context, conn *sql.Conn) error {
		return s.writer.withSecureDelete(ctx, func() error { return saveSightings(ctx, conn, people, since) })
	}})
}

func saveSightings(ctx context.Context, conn *sql.Conn, people map[room.PersonID][]room.Sighting, since time.Time) error {
	for id, seen := range people {
		if _, err := conn.ExecContext(ctx, `DELETE FROM sightings WHERE person = ?`, string(id)); err != nil {
			return err
		}
		for _, one := range seen {
			names, err := json.Marshal(one.Names)
			if err != nil {
				return err
			}
			_, err = conn.ExecContext(ctx, `INSERT INTO sightings (person, addr, nick, key, names, at) VALUES (?, ?, ?, ?, ?, ?)
				ON CONFLICT (person, addr) DO NOTHING`,
				string(id), one.Addr.String(), string(one.Person.Nick), one.Person.Key, string(names), one.At.UnixNano())
			if err != nil {
				return err
			}
		}
	}
	_, err := conn.ExecContext(ctx, `DELETE FROM sightings WHERE at < ?`, since.UnixNano())
	return err
}
