package sqlitestore

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"time"

	"sarangbang/room"
)

// AuditQuery says what of what was done is asked for. A zero field leaves nothing out.
type AuditQuery struct {
	Where room.Subject // a room, or room.HouseSubject
	Since time.Time    // what was committed at it or later
}

// A Deed is something that was done to a room or to keep order.
type Deed struct {
	Event  *room.Event
	Undone bool        // it was taken back since
	Of     *room.Event // what it took back itself; nil if nothing
}

// Audit yields what was done to rooms and to keep order, oldest first, as of the moment when it is called. It reads in short steps, beside
// whoever writes the database. An error, a sentence, is the last thing that it yields.
func Audit(ctx context.Context, path string, q AuditQuery) iter.Seq2[Deed, error] {
	return stream(ctx, path, func(conn *sql.Conn, yield func(Deed) bool) error { return auditAll(ctx, conn, q, yield) })
}

func auditAll(ctx context.Context, conn *sql.Conn, q AuditQuery, yield func(Deed) bool) error {
	var next, end int64
	var known bool
	err := conn.QueryRowContext(ctx, `SELECT coalesce(max(seq), 0), EXISTS (SELECT 1 FROM log WHERE subject = ?) FROM log`,
		string(q.Where)).Scan(&end, &known)
	if err != nil {
		return err
	}
	if q.Where != "" && q.Where != room.HouseSubject && q.Where != room.Lobby && !known {
		return fmt.Errorf("nothing was ever said or done in %s", roomName(q.Where))
	}
	if !q.Since.IsZero() {
		if next, err = firstAt(ctx, conn, q.Since, end); err != nil {
			return err
		}
	}
	undone, err := undoneActs(ctx, conn, end)
	if err != nil {
		return err
	}
	for {
		var step []entry
		err := each(ctx, conn, auditQuery, func(scan func(...any) error) error {
			e, err := scanEntry(scan)
			step = append(step, e)
			return err
		}, next, end, string(q.Where), exportStep)
		if err != nil {
			return err
		}
		for i := range step {
			e := &step[i]
			if e.event == nil {
				continue
			}
			d := Deed{Event: e.shown(), Undone: undone[e.event.ID]}
			if b, is := e.event.Body.(room.Undone); is {
				if d.Of, err = actOf(ctx, conn, b.Act); err != nil {
					return err
				}
			}
			if !yield(d) {
				return nil
			}
		}
		if len(step) < exportStep {
			return nil
		}
		next = int64(step[len(step)-1].c.Seq) + 1
	}
}

// auditQuery finds what is undone of a room with that room, though it stands with the house.
const auditQuery = `SELECT ` + logColumns + ` FROM log
	WHERE ` + isAct3 + ` AND seq >= ?1 AND seq <= ?2
		AND (?3 = '' OR subject = ?3 AND kind <> 'undone' OR kind = 'undone' AND ` + undoneWhere + ` = ?3)
	ORDER BY seq LIMIT ?4`

// actOf reads the act of an ID; nil if it is not there.
func actOf(ctx context.Context, conn *sql.Conn, id room.ID) (act *room.Event, err error) {
	err = each(ctx, conn, `SELECT `+logColumns+` FROM log WHERE id = ?`, func(scan func(...any) error) error {
		e, err := scanEntry(scan)
		if e.event != nil {
			act = e.shown()
		}
		return err
	}, id[:])
	return act, err
}

// undoneActs are the IDs of what was taken back.
func undoneActs(ctx context.Context, conn *sql.Conn, end int64) (map[room.ID]bool, error) {
	undone := map[room.ID]bool{}
	err := each(ctx, conn, `SELECT json_extract(CAST(data AS TEXT), '$.name') FROM log WHERE void = '' AND kind = 'undone' AND seq <= ?`,
		func(scan func(...any) error) error {
			var name string
			if err := scan(&name); err != nil {
				return err
			}
			id, err := room.ParseID(name)
			if err != nil {
				return fmt.Errorf("what was taken back: %w", err)
			}
			undone[id] = true
			return nil
		}, end)
	return undone, err
}
