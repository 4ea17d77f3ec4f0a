package sqlitestore

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"sarangbang/internal/identity"
	"sarangbang/room"
)

// Line is one line of an export, as JSON.
type Line struct {
	ID   string    `json:"id"`
	Seq  room.Seq  `json:"seq"` // where it stood; an import gives it a place of its own
	At   time.Time `json:"at"`
	Room string    `json:"room,omitempty"` // with its sign, "#lobby"; empty for a direct message
	Nick room.Nick `json:"nick"`           // as everybody saw it
	To   room.Nick `json:"to,omitempty"`   // the receiver of a direct message
	Kind string    `json:"kind"`           // said, emoted or told
	Text string    `json:"text"`
}

// NewLine makes the line of an event that Export yields.
func NewLine(e *room.Event) Line {
	l := Line{ID: e.ID.String(), Seq: e.Seq, At: e.At.UTC(), Nick: e.From.Nick}
	switch b := e.Body.(type) {
	case room.Said:
		l.Kind, l.Text = "said", b.Text.String()
	case room.Emoted:
		l.Kind, l.Text = "emoted", b.Text.String()
	case room.Told:
		l.Kind, l.To, l.Text = "told", b.To.Nick, b.Text.String()
		return l
	case room.Joined, room.Parted, room.Renamed, room.Registered, room.KeyAdded, room.KeyRemoved, room.Configured, room.Erased,
		room.Opened, room.Closed, room.Arranged, room.Invited, room.Ranked, room.Appointed, room.Kicked, room.Barred, room.Lifted,
		room.Undone, room.Withdrawn, room.Removed, room.Announced, room.Absent, room.Notice, room.Unknown:
		panic(fmt.Sprintf("sqlitestore: %T is no line", b))
	}
	l.Room = roomName(e.Subject)
	return l
}

// roomName writes the subject of a room with its sign.
func roomName(s room.Subject) string { return "#" + strings.TrimPrefix(string(s), "room/") }

// fits says whether a line has a room to be filed in: in one that is not there nobody would ever see it, and one of the same name before
// that may have been private.
func fits(rooms map[room.Subject]room.Room, rec room.Record) bool {
	m, there := rooms[rec.Subject]
	return there && !rec.At.Before(m.Since)
}

// RoomNamed returns the subject of a room that is written with its sign.
func RoomNamed(name string) (room.Subject, bool) {
	if !strings.HasPrefix(name, "#") {
		return "", false
	}
	parsed, err := anyName.ParseRoom(name)
	return room.SubjectOf(parsed.CaseKey()), err == nil
}

// Imported is what became of the lines of an import.
type Imported struct {
	New, Known int
	Told       int // direct messages, which are passed over: whose they are stands in no export
	Owned      int // new lines under a nickname that an account here has: whether its owner said them, no export tells
	Passed     []Passed
	Aside      string // the name under which the database is kept as it was; empty if nothing changed or there was none
}

// Passed is a room whose lines were passed over, all or some.
type Passed struct {
	Room  string // with its sign
	Lines int
	Early bool // the house has that room, and made it later than they were said; else it has none
}

// Import files lines of an export, one in JSON in each row, among those of the database at path, which nobody may have open: each
// behind what was said before it, in the order of their times and then of the export. A line whose ID is known is left out, so that
// the same import again changes nothing. What comes in belongs to a nickname, not to a key, and is nothing that anybody missed. Since
// later lines move up, the places are numbered anew, under a new epoch.
//
// A line of a room that the house has not, or made later, is passed over. It makes the database if there is none. All else or nothing is imported; an error is a sentence.
func Import(ctx context.Context, path string, lines io.Reader) (Imported, error) {
	path, err := resolve(path)
	if err != nil {
		return Imported{}, err
	}
	found, err := inspect(path, len(steps))
	if err != nil {
		return Imported{}, err
	}
	if !found {
		if err := create(ctx, path, steps); err != nil {
			return Imported{}, err
		}
	}
	if err := look(ctx, path, func(_ *sql.Conn, version int) (bool, error) { return false, current(path, version) }); err != nil {
		return Imported{}, err
	}
	m := merger{owned: map[room.Nick]bool{}}
	aside, err := rewrite(ctx, path, "import", func(w *writer) error {
		m.writer = w
		return inTransaction(ctx, w.conn, func() error {
			if err := w.carryOver(ctx, nil); err != nil {
				return err
			}
			return m.run(ctx, lines)
		})
	})
	if errors.Is(err, errNothingNew) {
		return m.done, nil
	}
	if err == nil {
		if m.done.Aside = aside; !found { // what was made above was empty
			err = os.Remove(aside)
			m.done.Aside = ""
		}
	}
	return m.done, err
}

// errNothingNew ends an import of what is known already.
var errNothingNew = errors.New("nothing new")

// merger files the records of the old log and the lines of an import in one order.
type merger struct {
	*writer
	done Imported

	queue  []entry // the next lines of the import, in order
	read   int     // how many of them have been in queue
	last   room.Seq
	shifts []shift
	owned  map[room.Nick]bool // whether an account has the nickname
}

// shift says by how much the places from one on have moved up.
type shift struct {
	from room.Seq // in the old log
	by   room.Seq
}

func (m *merger) run(ctx context.Context, lines io.Reader) error {
	if err := m.take(ctx, lines); err != nil {
		return err
	}
	if m.done.New == 0 {
		return errNothingNew
	}
	if err := m.do(ctx, `CREATE TEMP TABLE sorted AS SELECT * FROM incoming ORDER BY at, n`); err != nil {
		return err
	}
	var moved room.Seq
	err := m.replay(ctx, func(e *entry) error {
		n, err := m.fileBefore(ctx, e.c.Record.At)
		if n > 0 {
			moved += n
			m.shifts = append(m.shifts, shift{e.c.Seq, moved})
		}
		e.c.Seq += moved
		m.last = e.c.Seq
		return err
	})
	if err != nil {
		return err
	}
	if _, err := m.fileBefore(ctx, time.Unix(1<<40, 0)); err != nil { // the rest
		return err
	}
	return m.renumber(ctx)
}

// countOwned counts a line that came in if it was said under a nickname of an account.
func (m *merger) countOwned(ctx context.Context, e *entry) error {
	if e.event == nil {
		return nil
	}
	nick := e.event.From.Nick
	owned, known := m.owned[nick]
	if name, refused := anyName.Parse(string(nick)); !known && refused == nil {
		err := m.conn.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM old.account_names WHERE name = ?)`, name.Keys()[0]).Scan(&owned)
		if err != nil {
			return err
		}
		m.owned[nick] = owned
	}
	if owned {
		m.done.Owned++
	}
	return nil
}

// take reads the lines and keeps those that are new, in a table that goes with the connection.
func (m *merger) take(ctx context.Context, lines io.Reader) error {
	err := m.do(ctx, `CREATE TEMP TABLE incoming (n INTEGER PRIMARY KEY, at INTEGER, id BLOB UNIQUE, data BLOB, subject TEXT, kind TEXT)`)
	if err != nil {
		return err
	}
	insert, err := m.conn.PrepareContext(ctx, `INSERT INTO incoming (at, id, data, subject, kind)
		SELECT ?1, ?2, ?3, ?4, ?5 WHERE NOT EXISTS (SELECT 1 FROM old.log WHERE id = ?2) ON CONFLICT (id) DO NOTHING`)
	if err != nil {
		return err
	}
	defer func() { _ = insert.Close() }() // nothing of it is waited for
	known, err := m.conn.PrepareContext(ctx, `SELECT subject, kind, at, data, NULL FROM incoming WHERE id = ?1
		UNION ALL SELECT subject, kind, at, data, nick FROM old.log WHERE id = ?1`)
	if err != nil {
		return err
	}
	defer func() { _ = known.Close() }() // likewise
	rooms, err := keptRooms(ctx, m.conn, "old")
	if err != nil {
		return err
	}
	rows := bufio.NewScanner(lines)
	rows.Buffer(nil, maxLineBytes)
	now := time.Now()
	passed := map[room.Subject]int{}
	n := 0
	for rows.Scan() {
		row := rows.Bytes()
		if n++; n == 1 {
			row = bytes.TrimPrefix(row, []byte("\ufeff")) // an editor may have put its mark there
		}
		if len(bytes.TrimSpace(row)) == 0 {
			continue
		}
		rec, err := parseLine(row, now)
		if err != nil {
			return fmt.Errorf("row %d: %w; nothing is imported", n, err)
		}
		if rec.Kind == "told" {
			m.done.Told++
			continue
		}
		result, err := insert.ExecContext(ctx, rec.At.UnixNano(), rec.ID[:], rec.Data, string(rec.Subject), rec.Kind)
		if err != nil {
			return err
		}
		switch added, _ := result.RowsAffected(); {
		case added == 0:
			m.done.Known++
			if err := sameLine(ctx, known, rec); err != nil {
				return fmt.Errorf("row %d: %w; nothing is imported", n, err)
			}
		case fits(rooms, rec):
			m.done.New++
		default:
			passed[rec.Subject]++
			if err := m.do(ctx, `DELETE FROM incoming WHERE id = ?`, rec.ID[:]); err != nil {
				return err
			}
		}
	}
	for _, where := range slices.Sorted(maps.Keys(passed)) {
		_, there := rooms[where]
		m.done.Passed = append(m.done.Passed, Passed{Room: roomName(where), Lines: passed[where], Early: there})
	}
	if errors.Is(rows.Err(), bufio.ErrTooLong) {
		return fmt.Errorf("row %d: it is longer than %d bytes, so this is no export; nothing is imported", n+1, maxLineBytes)
	}
	return rows.Err()
}

// sameLine says that what is known under the ID of a line is that line. Its author may have been struck since, or all of it.
func sameLine(ctx context.Context, known *sql.Stmt, rec room.Record) error {
	var old room.Committed
	var at int64
	var shown sql.NullString
	err := known.QueryRowContext(ctx, rec.ID[:]).Scan(&old.Record.Subject, &old.Record.Kind, &at, &old.Record.Data, &shown)
	if err != nil {
		return err
	}
	was, err := room.Decode(old)
	if err != nil {
		return nil //nolint:nilerr // nothing is left of it, or it is damaged
	}
	is, err := room.Decode(room.Committed{Record: rec})
	if err != nil {
		return err
	}
	if shown.Valid {
		was.From.Nick = room.Nick(shown.String)
	}
	before, line := lineText(was.Body)
	after, _ := lineText(is.Body)
	author := was.From.Nick == is.From.Nick || was.From.Nick == room.Struck.Nick || is.From.Nick == room.Struck.Nick
	if line && (!author || old.Record.Kind != rec.Kind || old.Record.Subject != rec.Subject || at != rec.At.UnixNano() || before != after) {
		return fmt.Errorf("id %s is that of another line", rec.ID)
	}
	return nil
}

const (
	maxLineBytes = 1 << 20
	// maxTextBytes and maxTextLines are far above what can be said in any house, and keep one line from filling a screen for ever.
	maxTextBytes = 64 << 10
	maxTextLines = 1000
	// clockSkew is how far the clock of the house that exported may have been ahead.
	clockSkew = 5 * time.Minute
)

// importedName lets a name pass that a house may have let pass under some limits, but for those that stand for the reader or the house.
var importedName = func() identity.Rules {
	rules := anyName
	rules.Reserved = []string{"me", "you", "나", "server", "system", "서버", "시스템"}
	return rules
}()

// readLine takes a row apart. What encoding/json lets pass, and puts right without a word, is refused: broken text, and names of
// fields that are unknown, in another case or there twice.
func readLine(row []byte) (l Line, err error) {
	broken := func(err error) (Line, error) { return Line{}, fmt.Errorf("it is no JSON of an export (%w)", err) }
	if !utf8.Valid(row) {
		return broken(errors.New("it is not UTF-8"))
	}
	if loneSurrogate(row) {
		return broken(errors.New("half a character is escaped"))
	}
	fields := map[string]any{
		"id": &l.ID, "seq": &l.Seq, "at": &l.At, "room": &l.Room, "nick": &l.Nick, "to": &l.To, "kind": &l.Kind, "text": &l.Text,
	}
	in := json.NewDecoder(bytes.NewReader(row))
	if token, err := in.Token(); err != nil || token != json.Delim('{') {
		return broken(errors.New("an object is expected"))
	}
	for in.More() {
		token, err := in.Token()
		if err != nil {
			return broken(err)
		}
		name, _ := token.(string)
		field, known := fields[name]
		if !known {
			return broken(fmt.Errorf("%.64q is none of its fields, or there twice", name))
		}
		delete(fields, name)
		if err := in.Decode(field); err != nil {
			return broken(err)
		}
	}
	if _, err := in.Token(); err != nil {
		return broken(err)
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		return broken(errors.New("something follows it"))
	}
	return l, nil
}

// loneSurrogate says that JSON has one half of an escaped pair without the other.
func loneSurrogate(row []byte) bool {
	high := false // the escape before this was the first half
	for i := 0; i < len(row); i++ {
		var unit uint64
		size := 1
		if row[i] == '\\' && i+1 < len(row) {
			size = 2
			if row[i+1] == 'u' && i+6 <= len(row) {
				unit, _ = strconv.ParseUint(string(row[i+2:i+6]), 16, 16) // what is no number is no JSON, which the decoder says
				size = 6
			}
		}
		low := unit >= 0xdc00 && unit <= 0xdfff
		if low != high {
			return true
		}
		high = unit >= 0xd800 && unit <= 0xdbff
		i += size - 1
	}
	return high
}

// parseLine makes the record of one row. Of a direct message it has the kind only.
func parseLine(row []byte, now time.Time) (rec room.Record, err error) {
	l, err := readLine(row)
	if err != nil {
		return rec, err
	}
	if l.Kind == "told" {
		return room.Record{Kind: l.Kind}, nil
	}
	id, err := hex.DecodeString(l.ID)
	if err != nil || len(id) != len(rec.ID) || room.ID(id) == (room.ID{}) {
		return rec, fmt.Errorf("id %.64q is not %d hexadecimal digits, one of them not 0", l.ID, 2*len(rec.ID))
	}
	where, ok := RoomNamed(l.Room)
	if !ok {
		return rec, fmt.Errorf("room %.64q is not a name such as #lobby", l.Room)
	}
	from, err := importedAuthor(l.Nick)
	if err != nil {
		return rec, err
	}
	text, err := room.Clean(l.Text, room.TextLimits{Bytes: maxTextBytes, Lines: maxTextLines})
	if err != nil {
		return rec, err
	}
	if l.At.Before(time.Unix(0, 0)) || l.At.After(now.Add(clockSkew)) {
		return rec, fmt.Errorf("at %s is not between 1970 and now", l.At.Format(time.RFC3339))
	}
	switch l.Kind {
	case "said":
		rec = room.Encode(from, where, room.Said{Text: text})
	case "emoted":
		rec = room.Encode(from, where, room.Emoted{Text: text})
	default:
		return rec, fmt.Errorf("kind %.64q is none of said, emoted and told", l.Kind)
	}
	rec.ID, rec.At = room.ID(id), l.At
	return rec, nil
}

// importedAuthor makes the author of a line: a nickname that can be worn, or the name of those who were struck.
func importedAuthor(typed room.Nick) (from room.Person, err error) {
	if typed == room.Struck.Nick {
		return room.Struck, nil
	}
	nick, err := room.NewNick(string(typed))
	if err == nil {
		if _, refused := importedName.Parse(string(nick)); refused != nil {
			err = fmt.Errorf("nickname %.64q cannot be worn in any house", nick)
		}
	}
	return room.Person{ID: room.PersonID("imported:" + nick), Nick: nick}, err
}

// fileBefore files the lines of the import that are older than a record of the log, and returns how many there were.
func (m *merger) fileBefore(ctx context.Context, at time.Time) (n room.Seq, err error) {
	for {
		if len(m.queue) == 0 {
			if err := m.fill(ctx); err != nil || len(m.queue) == 0 {
				return n, err
			}
		}
		e := &m.queue[0]
		if !e.c.Record.At.Before(at) {
			return n, nil
		}
		m.last++
		e.c.Seq = m.last
		err := m.file(ctx, e)
		if err == nil {
			err = m.countOwned(ctx, e)
		}
		if err != nil {
			return n, err
		}
		m.queue = m.queue[1:]
		n++
	}
}

// fill reads the next lines of the import.
func (m *merger) fill(ctx context.Context) error {
	if m.read == m.done.New {
		return nil
	}
	err := each(ctx, m.conn, `SELECT 0, id, subject, kind, at, data, 1, '', NULL, NULL FROM sorted WHERE rowid > ? ORDER BY rowid LIMIT ?`,
		func(scan func(...any) error) error {
			e, err := scanEntry(scan)
			m.queue = append(m.queue, e)
			return err
		}, m.read, replayStep)
	m.read += len(m.queue)
	return err
}

// renumber moves up what refers to places.
func (m *merger) renumber(ctx context.Context) error {
	if err := m.do(ctx, `UPDATE meta SET value = max(value + ?, ?) WHERE name = 'reserved'`, m.done.New, int64(m.last)); err != nil {
		return err
	}
	if err := m.do(ctx, `UPDATE meta SET value = ? WHERE name = 'epoch'`, room.NewID().String()); err != nil {
		return err
	}
	for _, ref := range []struct{ table, column string }{{"places", "seen"}, {"places", "sent"}, {"striking", "before"}, {"closing", "before"}} {
		var old []room.Seq
		err := each(ctx, m.conn, `SELECT DISTINCT `+ref.column+` FROM old.`+ref.table, func(scan func(...any) error) error {
			var seq room.Seq
			err := scan(&seq)
			old = append(old, seq)
			return err
		})
		if err != nil {
			return err
		}
		slices.Sort(old)
		for _, seq := range slices.Backward(old) { // the highest first, so that no new one is an old one that is still to be moved
			by, err := m.shiftOf(ctx, seq)
			if err != nil {
				return err
			}
			err = m.do(ctx, `UPDATE `+ref.table+` SET `+ref.column+` = ? WHERE `+ref.column+` = ?`, int64(seq+by), int64(seq))
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// shiftOf returns by how much a place moves up that somebody has read to: by as much as the next record behind it, so that what came
// in between the two counts as read.
func (m *merger) shiftOf(ctx context.Context, seq room.Seq) (by room.Seq, err error) {
	var next room.Seq
	err = m.conn.QueryRowContext(ctx, `SELECT coalesce(min(seq), 0) FROM old.log WHERE seq > ?`, int64(seq)).Scan(&next)
	if err != nil || next == 0 {
		return room.Seq(m.done.New), err
	}
	for _, s := range m.shifts {
		if s.from <= next {
			by = s.by
		}
	}
	return by, nil
}
