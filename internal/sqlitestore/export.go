package sqlitestore

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"iter"
	"time"

	"sarangbang/room"
)

// ExportQuery says what of a database is exported. A zero field leaves nothing out.
type ExportQuery struct {
	Room   room.Subject
	Since  time.Time // what was committed at it or later
	Direct bool      // direct messages too; they are in no room
	// Private rooms too, and those that have ended. Without it what is said in them is left out, and asking for one that is private is
	// an error.
	Private bool
	LeftOut *int // counts the lines that Private would not have left out; nil if nobody asks
}

// Export yields what people said, oldest first, as of the moment when it is called. It reads in short steps, so it may take as long as
// its reader likes, beside whoever writes the database. An error, a sentence, is the last thing that it yields.
func Export(ctx context.Context, path string, q ExportQuery) iter.Seq2[*room.Event, error] {
	return stream(ctx, path, func(conn *sql.Conn, yield func(*room.Event) bool) error { return export(ctx, conn, q, yield) })
}

// exportStep is how many records are read at once.
const exportStep = 1000

func export(ctx context.Context, conn *sql.Conn, q ExportQuery, yield func(*room.Event) bool) error {
	var next, end int64
	var known bool
	err := conn.QueryRowContext(ctx, `SELECT coalesce(max(seq), 0), EXISTS (SELECT 1 FROM log WHERE subject = ? AND line = 1) FROM log`,
		string(q.Room)).Scan(&end, &known)
	if err != nil {
		return err
	}
	if q.Room != "" && q.Room != room.Lobby && !known {
		return fmt.Errorf("nothing was ever said in %s", roomName(q.Room))
	}
	if !q.Since.IsZero() {
		if next, err = firstAt(ctx, conn, q.Since, end); err != nil {
			return err
		}
	}
	erased, err := beingErased(ctx, conn)
	if err != nil {
		return err
	}
	rooms, err := keptRooms(ctx, conn, "main")
	if err != nil {
		return err
	}
	// A room that is there no more may have been private, and so may one of the same name before this one.
	private := func(where room.Subject) bool { return !q.Private && rooms[where].Private }
	gone := func(c room.Committed) bool {
		m, there := rooms[c.Record.Subject]
		return !q.Private && c.Record.Kind != "told" && (!there || c.Seq < m.Opened)
	}
	if private(q.Room) {
		return fmt.Errorf("%s is private: with --private what is said there is exported, too", roomName(q.Room))
	}
	if q.LeftOut != nil {
		*q.LeftOut = 0 // nothing of what was read before was given away
	}
	for {
		var step []entry
		err := each(ctx, conn, `SELECT `+logColumns+` FROM log WHERE seq >= ?1 AND seq <= ?2 AND line = 1 AND kind <> 'removed'
				AND (?3 = '' OR subject = ?3) AND (?4 OR kind <> 'told') ORDER BY seq LIMIT ?5`,
			func(scan func(...any) error) error {
				e, err := scanEntry(scan)
				step = append(step, e)
				return err
			}, next, end, string(q.Room), q.Direct, exportStep)
		if err != nil {
			return err
		}
		for i := range step {
			e := &step[i]
			if e.event == nil {
				continue
			}
			if private(e.c.Record.Subject) || gone(e.c) {
				if q.LeftOut != nil {
					*q.LeftOut++
				}
				continue
			}
			line := e.shown()
			erased.mask(line)
			if !yield(line) {
				return nil
			}
		}
		if len(step) < exportStep {
			return nil
		}
		next = int64(step[len(step)-1].c.Seq) + 1
	}
}

// keptRooms returns the rooms of a database, which is attached to the connection under that name.
func keptRooms(ctx context.Context, conn *sql.Conn, database string) (rooms map[room.Subject]room.Room, err error) {
	rooms = map[room.Subject]room.Room{room.Lobby: {Subject: room.Lobby}}
	err = each(ctx, conn, `SELECT value FROM `+database+`.kept WHERE key >= 'room:' AND key < 'room;'`, func(scan func(...any) error) error {
		var value []byte
		var m room.Room
		if err := scan(&value); err != nil {
			return err
		}
		if err := json.Unmarshal(value, &m); err != nil {
			return fmt.Errorf("read what is kept of the rooms: %w", err)
		}
		rooms[m.Subject] = m
		return nil
	})
	return rooms, err
}

// logColumns are what scanEntry reads.
const logColumns = recordColumns + `, line, void, nick, to_nick`

// scanEntry reads a record with its verdict, as it was when it was filed.
func scanEntry(scan func(...any) error) (e entry, err error) {
	var nick, toNick sql.NullString
	if err := scanRecord(scan, &e.c, &e.verdict.Shown, &e.verdict.Void, &nick, &toNick); err != nil {
		return e, err
	}
	blank := bytes.Equal(e.c.Record.Data, []byte(blankData)) && e.c.Record.Kind != removedKind
	event, err := room.Decode(e.c)
	if err != nil || blank {
		return e, nil //nolint:nilerr // it keeps its place, and has no effect
	}
	e.event = event
	e.verdict.From = event.From
	if nick.Valid {
		e.verdict.From.Nick = room.Nick(nick.String)
	}
	if told, ok := event.Body.(room.Told); ok {
		e.verdict.To = told.To
		if toNick.Valid {
			e.verdict.To.Nick = room.Nick(toNick.String)
		}
	}
	return e, nil
}

// shown returns the event as everybody saw it.
func (e *entry) shown() *room.Event {
	event := *e.event
	event.From = e.verdict.From
	if told, ok := event.Body.(room.Told); ok {
		event.Body = room.Told{To: e.verdict.To, Text: told.Text}
	}
	return &event
}
