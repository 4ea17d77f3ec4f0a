package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"sarangbang/room"
)

// This file lets go of what is old, a little at a time while nobody waits: lines and direct messages beyond what is kept, what was said
// in rooms that ended, what was set aside of struck lines, and what was told to people who had no account to come back to. Accounts and
// all that belongs to them stay, and so does what was done to keep order.
//
// What goes is gone from the file, not only from sight: the connection zeroes what it frees, and the search index, which only marks
// what it drops, is made compact soon after the first lines went since the start, and then once a day: words outlive their line by a day
// of a running house at most, and by the time that it is stopped.

// Keep says how much of what people say is kept. A zero field keeps all.
type Keep struct {
	Days  int // lines and direct messages of so many days
	Lines int // the newest lines and direct messages, of all rooms and people together
}

const (
	// keepToldToGuests is how long a direct message is kept whose receiver has no account.
	keepToldToGuests = 24 * time.Hour
	// trimPause is the wait between two looks for what is to go; a look at a million lines takes a twentieth of a second.
	trimPause = time.Minute
	// settlePause is that wait while something that was removed still stands in the log beside the database.
	settlePause = 5 * time.Second
	// trimLines is how many records go in one transaction: whoever says something meanwhile waits for it.
	trimLines = 50
	// compactPause is the wait between two times that the search index is made compact, which writes all of it.
	compactPause = 24 * time.Hour
	// compactPages is how much of the index is written in one transaction, for the same reason.
	compactPages = 16
)

// staleWords is in meta while the search index may hold words of lines that went: how often some did. So a house that is ended, however
// that happens, goes on with it at its next start.
const staleWords = "stale words"

// noteStaleWords counts it up.
const noteStaleWords = `INSERT INTO meta VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1`

// trimmer is where the writer is with letting go. It belongs to the writer.
type trimmer struct {
	keep Keep
	due  *time.Timer // fires when it is time to look

	trimming bool     // there may be something to let go
	counted  bool     // how much that is
	before   room.Seq // everything before it is too old
	surplus  int      // so many of the oldest lines and direct messages are too many
	from     room.Seq // nothing before it is left to go
	trimmed  trimmed  // since trimming began

	compacting bool  // the search index holds words of lines that went
	begun      bool  // to make it compact
	stale      int64 // what stood in meta under staleWords when that began
	compacted  time.Time

	scrubbing bool // pages may hold what was removed, where nothing is kept

	unsettled bool // the log beside the database may hold what was removed
}

// trimmed is what went.
type trimmed struct {
	lines, told, emptied int
	ended                int // lines of rooms that ended
	struck               int // lines of which nothing is set aside any more
	newest               int64
}

func newTrimmer(keep Keep) trimmer {
	return trimmer{keep: keep, due: time.NewTimer(0), scrubbing: true, unsettled: true}
}

// excess returns the place before which everything is too old, and how many of the oldest lines and direct messages are too many.
func (k Keep) excess(ctx context.Context, conn *sql.Conn, now time.Time) (before room.Seq, surplus int, err error) {
	var first, last int64
	if err := conn.QueryRowContext(ctx, `SELECT (SELECT coalesce(min(seq), 0) FROM log), (SELECT coalesce(max(seq), 0) FROM log)`).Scan(&first, &last); err != nil {
		return 0, 0, err
	}
	if k.Days > 0 {
		place, err := firstAt(ctx, conn, now.AddDate(0, 0, -k.Days), last)
		if err != nil {
			return 0, 0, err
		}
		before = room.Seq(place)
	}
	if k.Lines > 0 && last-first >= int64(k.Lines) { // else there cannot be so many, and nothing has to be counted
		err = conn.QueryRowContext(ctx, `SELECT count(*) FROM log WHERE line = 1`).Scan(&surplus)
		surplus = max(0, surplus-k.Lines)
	}
	return before, surplus, err
}

// aging counts what the next look lets go.
func (k Keep) aging(ctx context.Context, conn *sql.Conn, now time.Time) (n int, err error) {
	before, surplus, err := k.excess(ctx, conn, now)
	if err == nil {
		err = conn.QueryRowContext(ctx, `SELECT count(*) FROM log WHERE line = 1 AND seq < ?`, int64(before)).Scan(&n)
	}
	n = max(n, surplus)
	if err == nil && n == 0 { // else they may be among those
		err = conn.QueryRowContext(ctx, `SELECT count(*) FROM closing JOIN log USING (subject) WHERE line = 1 AND seq < before`).Scan(&n)
	}
	return n, err
}

// letGo does a little of what is to be done. It is called while nobody waits, and rings when there is more.
func (w *writer) letGo(ctx context.Context) {
	t := &w.trimmer
	if w.degraded != "" || !t.trimming && !t.compacting && !t.scrubbing {
		return
	}
	step := w.scrubSome
	switch {
	case t.trimming:
		step = w.trim
	case t.compacting:
		step = w.compact
	}
	w.commits = tidyEvery // so that the log beside the database is looked at: a step fills it like many commits
	err := w.do(ctx, `PRAGMA secure_delete = ON`)
	if err == nil {
		err = step(ctx)
		_ = w.do(ctx, `PRAGMA secure_delete = FAST`) // it costs time, nothing else
	}
	if err != nil {
		w.log.Error("old lines not removed", "err", err)
		if f := w.store.judge(err); f != nil {
			w.degrade(f)
		}
		t.trimming, t.compacting, t.scrubbing, w.putOff = false, false, false, err // until the next look
		return
	}
	if t.trimming || t.compacting || t.scrubbing {
		w.store.ring()
	}
}

// lookForOld begins to let go of what is old, and goes on with forgetting.
func (w *writer) lookForOld() {
	w.striking, w.trimmer.scrubbing, w.putOff = true, true, nil
	w.trimmer.trimming, w.trimmer.counted = true, false
	w.trimmer.due.Reset(trimPause)
}

// trim lets some of what is old go.
func (w *writer) trim(ctx context.Context) error {
	t := &w.trimmer
	if !t.counted {
		var err error
		if t.before, t.surplus, err = t.keep.excess(ctx, w.conn, time.Now()); err != nil {
			return err
		}
		t.counted = true
	}
	old, err := w.oldest(ctx)
	if err != nil {
		return err
	}
	aged := len(old) > 0
	if !aged {
		if old, err = w.ofEnded(ctx); err != nil {
			return err
		}
	}
	var guests []room.Seq
	if len(old) == 0 {
		if guests, err = w.toldToGuests(ctx); err != nil {
			return err
		}
		if len(guests) == 0 {
			return w.trimmedAll(ctx)
		}
	}
	err = inTransaction(ctx, w.conn, func() error {
		for i := range old {
			if err := w.remove(ctx, &old[i]); err != nil {
				return err
			}
		}
		for _, seq := range guests {
			if err := w.do(ctx, emptyTold+` WHERE seq = ?3`, string(struckReceiver), []byte(blankData), int64(seq)); err != nil {
				return err
			}
		}
		if len(old) == 0 {
			return nil
		}
		return w.do(ctx, noteStaleWords, staleWords)
	})
	if err == nil {
		t.trimmed.emptied += len(guests)
		t.went(old, aged)
	}
	return err
}

// remove takes a record out of the log, and all that hangs on it.
func (w *writer) remove(ctx context.Context, r *oldRecord) error {
	statements := []string{`DELETE FROM words WHERE rowid = ?`, `DELETE FROM log WHERE seq = ?`}
	if r.kind == removedKind {
		statements[0] = `DELETE FROM withdrawn WHERE id = (SELECT id FROM log WHERE seq = ?)`
	}
	for _, statement := range statements {
		if err := w.do(ctx, statement, int64(r.seq)); err != nil {
			return err
		}
	}
	return nil
}

// went notes what is gone: because of its age, or with its room.
func (t *trimmer) went(old []oldRecord, aged bool) {
	for _, r := range old {
		t.surplus -= r.line
		switch {
		case !aged:
			t.trimmed.ended++
			continue
		case r.kind == "told":
			t.trimmed.told++
		default:
			t.trimmed.lines++
		}
		t.trimmed.newest = r.at
		t.from = r.seq + 1
	}
}

// trimmedAll ends a look for what is old.
func (w *writer) trimmedAll(ctx context.Context) error {
	t := &w.trimmer
	t.trimming = false
	if err := w.dropSetAside(ctx); err != nil {
		return err
	}
	went := t.trimmed
	t.trimmed = trimmed{}
	if !t.compacting && time.Since(t.compacted) >= compactPause {
		err := w.conn.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM meta WHERE name = ?)`, staleWords).Scan(&t.compacting)
		if err != nil {
			return err
		}
		t.begun = false
	}
	if went == (trimmed{}) {
		if t.unsettled {
			return w.settle(ctx)
		}
		return nil
	}
	if went.lines+went.told > 0 {
		w.log.Info("old lines removed", "lines", went.lines, "direct", went.told, "newest", time.Unix(0, went.newest).UTC().Format(time.RFC3339))
	}
	if went.emptied > 0 {
		w.log.Info("direct messages to guests emptied", "direct", went.emptied)
	}
	if went.ended > 0 {
		w.log.Info("lines of ended rooms removed", "lines", went.ended)
	}
	if went.struck > 0 {
		w.log.Info("struck lines gone for good", "lines", went.struck)
	}
	w.unlearn()
	if err := w.do(ctx, `DELETE FROM people WHERE `+unused); err != nil {
		return err
	}
	return w.settle(ctx)
}

// unused is true of people to whom nothing refers.
const unused = `NOT EXISTS (SELECT 1 FROM log WHERE who = no) AND NOT EXISTS (SELECT 1 FROM withdrawn WHERE who = no)`

// dropSetAside lets go of what was set aside and can no longer be put back, and of who was here too long ago.
func (w *writer) dropSetAside(ctx context.Context) error {
	now := time.Now()
	if err := w.do(ctx, `DELETE FROM sightings WHERE at < ?`, now.Add(-room.SightedFor).UnixNano()); err != nil {
		return err
	}
	gone, err := w.conn.ExecContext(ctx, `DELETE FROM withdrawn WHERE at < ?`, now.Add(-room.UndoFor).UnixNano())
	if err != nil {
		return err
	}
	n, err := gone.RowsAffected()
	if err != nil || n == 0 {
		return err
	}
	w.trimmer.trimmed.struck += int(n)
	return w.do(ctx, noteStaleWords, staleWords) // so that copies on split pages go with those of the words
}

// settle carries the log beside the database over, and empties it: what was removed stands in it still. As long as somebody reads what
// was before, it is tried again and again.
func (w *writer) settle(ctx context.Context) error {
	done, err := carried(ctx, w.conn)
	if w.trimmer.unsettled = !done; !done {
		w.trimmer.due.Reset(settlePause)
	}
	return err
}

// oldRecord is one that goes.
type oldRecord struct {
	seq  room.Seq
	at   int64
	kind string
	line int
}

// oldest returns the next records to remove: those that are too old, and the oldest as long as there are too many. What was typed
// but shown to nobody goes with what was said around it.
func (w *writer) oldest(ctx context.Context) (old []oldRecord, err error) {
	t := &w.trimmer
	if t.before <= t.from && t.surplus <= 0 {
		return nil, nil
	}
	surplus := t.surplus
	err = each(ctx, w.conn, `SELECT seq, at, kind, line FROM log
			WHERE seq >= ?1 AND (seq < ?2 OR ?3 > 0) AND kind IN ('said', 'emoted', 'told', 'removed') ORDER BY seq LIMIT ?4`,
		func(scan func(...any) error) error {
			var r oldRecord
			if err := scan(&r.seq, &r.at, &r.kind, &r.line); err != nil {
				return err
			}
			if r.seq < t.before || surplus > 0 {
				old = append(old, r)
			}
			surplus -= r.line
			return nil
		}, int64(t.from), int64(t.before), surplus, trimLines)
	return old, err
}

// ofEnded returns the next records to remove of a room that ended, and forgets rooms of which none is left.
func (w *writer) ofEnded(ctx context.Context) (old []oldRecord, err error) {
	for {
		var subject string
		var before int64
		err := w.conn.QueryRowContext(ctx, `SELECT subject, before FROM closing LIMIT 1`).Scan(&subject, &before)
		if errors.Is(err, sql.ErrNoRows) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		err = each(ctx, w.conn, `SELECT seq, at, kind, line FROM log
				WHERE subject = ? AND line IN (0, 1) AND seq < ? AND kind IN ('said', 'emoted', 'removed') LIMIT ?`,
			func(scan func(...any) error) error {
				var r oldRecord
				err := scan(&r.seq, &r.at, &r.kind, &r.line)
				old = append(old, r)
				return err
			}, subject, before, trimLines)
		if err != nil || len(old) > 0 {
			return old, err
		}
		err = inTransaction(ctx, w.conn, func() error {
			if err := w.do(ctx, `DELETE FROM places WHERE of = ? AND seen < ?`, subject, before); err != nil {
				return err
			}
			return w.do(ctx, `DELETE FROM closing WHERE subject = ?`, subject)
		})
		if err != nil {
			return nil, err
		}
	}
}

// struckReceiver is the subject of direct messages that were emptied.
var struckReceiver = personSubject(room.PersonID(room.Struck.Nick))

// emptyTold takes everything from a direct message but its place.
const emptyTold = `UPDATE log SET subject = ?1, data = ?2, line = 0, nick = NULL, to_nick = NULL, who = NULL`

// toldToGuests returns the next direct messages to empty. It goes from receiver to receiver through the index.
func (w *writer) toldToGuests(ctx context.Context) (seqs []room.Seq, err error) {
	err = each(ctx, w.conn, `WITH RECURSIVE receivers (subject) AS (
				SELECT min(subject) FROM log WHERE subject > 'person/' AND subject < 'person0'
				UNION ALL
				SELECT (SELECT min(log.subject) FROM log WHERE log.subject > receivers.subject AND log.subject < 'person0')
					FROM receivers WHERE receivers.subject IS NOT NULL
			)
			SELECT seq FROM receivers JOIN log USING (subject)
			WHERE receivers.subject <> ?1 AND substr(receivers.subject, ?2) NOT IN (SELECT person FROM accounts) AND at < ?3 LIMIT ?4`,
		func(scan func(...any) error) error {
			var seq room.Seq
			err := scan(&seq)
			seqs = append(seqs, seq)
			return err
		}, string(struckReceiver), len("person/")+1, time.Now().Add(-keepToldToGuests).UnixNano(), trimLines)
	return seqs, err
}

// compact merges a little more of the search index into one, which leaves out what was removed.
func (w *writer) compact(ctx context.Context) error {
	t := &w.trimmer
	pages := compactPages
	if !t.begun {
		pages = -pages // marks all of it to be merged
		err := w.conn.QueryRowContext(ctx, `SELECT coalesce(max(value), 0) FROM meta WHERE name = ?`, staleWords).Scan(&t.stale)
		if err != nil {
			return err
		}
	}
	var before, after int64
	if err := w.conn.QueryRowContext(ctx, `SELECT total_changes()`).Scan(&before); err != nil {
		return err
	}
	if err := w.do(ctx, `INSERT INTO words (words, rank) VALUES ('merge', ?)`, pages); err != nil {
		return err
	}
	if err := w.conn.QueryRowContext(ctx, `SELECT total_changes()`).Scan(&after); err != nil {
		return err
	}
	if t.begun = after-before >= 2; t.begun { // as FTS5 documents it: less means that nothing was left to do
		return nil
	}
	if err := w.forgetNames(ctx); err != nil {
		return err
	}
	// What went in the meantime waits for the next time.
	if err := w.do(ctx, `DELETE FROM meta WHERE name = ? AND value = ?`, staleWords, t.stale); err != nil {
		return err
	}
	t.compacting, t.compacted = false, time.Now()
	return w.beginScrubbing(ctx)
}

// forgetNames drops the nicknames under which nothing is left to be found.
func (w *writer) forgetNames(ctx context.Context) error {
	w.unlearn()
	if err := w.do(ctx, `CREATE VIRTUAL TABLE IF NOT EXISTS temp.terms USING fts5vocab (main, words, row)`); err != nil {
		return err
	}
	return w.do(ctx, `DELETE FROM names WHERE NOT EXISTS (SELECT 1 FROM terms WHERE term = char(?) || no)`, authorTag)
}

// forgetPause is the wait between two questions whether all is forgotten.
const forgetPause = 5 * time.Millisecond

// Forget waits until erased accounts are forgotten altogether, so that nothing of it is left to the next start. An error says why that
// has to wait, in words for an operator: the next start goes on with it.
func (s *Store) Forget(ctx context.Context) error {
	for more := true; more; {
		err := s.submit(ctx, &request{done: make(chan struct{}), save: func(ctx context.Context, conn *sql.Conn) error {
			switch w := s.writer; {
			case w.putOff != nil:
				return w.putOff
			case w.degraded != "": // nothing goes on until that is over
				return &fault{answer: room.ErrNotSaved, reason: w.degraded}
			}
			return conn.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM striking) OR EXISTS (SELECT 1 FROM meta WHERE name = ?)`, residue).Scan(&more)
		}})
		if f := s.judge(err); f != nil {
			return errors.New(f.reason)
		}
		if err != nil {
			return err
		}
		select {
		case <-time.After(forgetPause): // it is done while nobody waits for the writer
		case <-ctx.Done():
		}
	}
	return nil
}
