package sqlitestore

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"slices"
	"syscall"
	"time"

	sqlite3 "modernc.org/sqlite/lib"

	"sarangbang/room"
)

// writer is the one that writes: it takes what waits, commits it, answers, and takes what came meanwhile. There is no timer: a
// batch grows while the one before it is on its way to the disk. It belongs to its goroutine.
//
//  1. A record MUST NOT be in the feed before its transaction is on disk.
//  2. The rules MUST be as the log is: what they made of a transaction that failed is taken back.
//  3. A place MUST NOT be given out beyond what is reserved on disk.
type writer struct {
	store *Store
	log   *slog.Logger
	batch int

	db   *sql.DB
	conn *sql.Conn
	q    statements

	rules    *room.Rules
	at       int64    // of the newest record, in nanoseconds
	next     room.Seq // the place of the next record
	reserved room.Seq // the last place that may be given out
	careful  bool     // every record is looked for before it is taken for new; else the database may find that it is not
	fleeting fleeting // the ephemeral records that are recognised when they come again
	people   map[room.PersonID]int64
	names    map[room.Nick]int64

	disk     disk
	degraded string      // why not all is saved; empty if it is
	owed     int         // bytes that a probe has to write before all is well again
	probe    *time.Timer // runs while degraded
	look     *time.Timer // fires when it is time to look at the disk

	striking bool // an erased account may not be forgotten altogether
	trimmer  trimmer
	putOff   error // why forgetting and letting go wait for the next look for what is old

	commits int // since the size of the log beside the database was last looked at
	most    int // pages that the log may have
	full    int // pages at which it is emptied next
}

// reserveBlock is how many places are reserved at once. While the disk is full people come and go on what is left of a block, half
// of one at least.
const reserveBlock = 1 << 20

// probePause is the wait before a store that cannot write tries again by itself.
const probePause = time.Second

// A probe writes as much as what could not be saved would have, or it would find room where that has none: of a record these are the
// data and what the index makes of it, and pages here and there; and at times the index merges many pages of its own.
const (
	leastProbe  = 256 * pageSize
	mostProbe   = 16 << 20
	recordPages = 4
)

// probeName is in meta while a probe is written.
const probeName = "probe"

// lookEvery is the wait between two looks at the disk while nobody writes: what nobody tries to save must not hide that it is full.
const lookEvery = 2 * time.Second

// busyWait is how long a transaction waits for another process. Whoever waits longer asks again.
const busyWait = 100 * time.Millisecond

// cacheKiB bounds the pages that the writer keeps. It fills with whatever is said, so that the house grows by it; what is not in it
// is read from the system's own cache.
const cacheKiB = 2048

// openWriter opens the connection for writing and reads how far the log has come.
func openWriter(ctx context.Context, s *Store, opt Options) (*writer, error) {
	w := &writer{
		store: s, log: opt.Logger, batch: cmp.Or(opt.BatchLines, 512), rules: room.NewRules(), fleeting: newFleeting(),
		people: map[room.PersonID]int64{}, names: map[room.Nick]int64{},
		probe: time.NewTimer(time.Hour), look: time.NewTimer(0), striking: true, trimmer: newTrimmer(opt.Keep), most: emptyPages, full: emptyPages,
	}
	w.probe.Stop()
	if err := w.open(ctx, opt); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

// open does what openWriter may have to close again.
func (w *writer) open(ctx context.Context, opt Options) (err error) {
	if w.db, err = open(w.store.path, url.Values{"_pragma": {
		"journal_mode(WAL)", "synchronous(FULL)", fmt.Sprintf("busy_timeout(%d)", busyWait.Milliseconds()),
		"wal_autocheckpoint(0)", fmt.Sprintf("journal_size_limit(%d)", emptyPages*pageSize), fmt.Sprintf("cache_size(-%d)", cacheKiB), "secure_delete(FAST)",
	}}); err != nil {
		return err
	}
	if w.conn, err = w.db.Conn(ctx); err != nil {
		return err
	}
	if err := w.q.prepare(ctx, w.conn); err != nil {
		return err
	}
	if w.disk, err = newDisk(w.store.path, opt.DiskReserve); err != nil {
		return err
	}
	if err := w.remember(ctx); err != nil { // before anything is written
		return err
	}
	return w.recover(ctx)
}

// recover goes on where the log ends.
func (w *writer) recover(ctx context.Context) error {
	s := w.store
	epoch, reserved, err := standing(ctx, w.conn)
	if err != nil {
		return err
	}
	s.epoch = epoch
	var last room.Seq
	err = w.conn.QueryRowContext(ctx, `SELECT seq, at FROM log ORDER BY seq DESC LIMIT 1`).Scan(&last, &w.at)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("read its end: %w", err)
	}
	w.next = max(last, reserved) + 1
	w.reserved = w.next + reserveBlock
	if _, err := w.q.setMeta.ExecContext(ctx, "reserved", int64(w.reserved)); err != nil {
		return fmt.Errorf("reserve places: %w", err)
	}
	if err := w.do(ctx, `DELETE FROM meta WHERE name = ?`, probeName); err != nil {
		return fmt.Errorf("drop a probe: %w", err)
	}
	if err := w.do(ctx, `DELETE FROM held WHERE until <= ?`, w.at); err != nil {
		return fmt.Errorf("drop what is held no longer: %w", err)
	}
	if err := w.do(ctx, `UPDATE places SET sent = max(sent, ?), open = 0 WHERE open <> 0`, int64(last)); err != nil {
		return fmt.Errorf("close the places of those who were reading: %w", err)
	}
	s.feed.begin(last, w.next)
	return nil
}

// remember gives the rules what outlived the process before.
func (w *writer) remember(ctx context.Context) error {
	snapshot, err := readSnapshot(ctx, w.conn)
	if err == nil {
		err = w.rules.Restore(snapshot)
	}
	if err != nil {
		return fmt.Errorf("read its accounts and what was decided: %w", err)
	}
	return nil
}

// close closes the connection.
func (w *writer) close() error {
	err := w.q.close()
	if w.conn != nil {
		err = errors.Join(err, w.conn.Close())
	}
	if w.db != nil {
		err = errors.Join(err, w.db.Close())
	}
	return err
}

// run serves requests until the store is closed and none waits.
func (w *writer) run(ctx context.Context) {
	w.watch()
	w.forget(ctx)
	for {
		select {
		case <-w.store.wake:
		case <-w.probe.C:
			w.heal(ctx)
			continue
		case <-w.look.C:
			w.watch()
			continue
		case <-w.trimmer.due.C:
			w.lookForOld()
		}
		for {
			batch, closed := w.store.take(w.batch)
			if len(batch) > 0 {
				w.serve(ctx, batch)
				w.tidy(ctx, mustTidyPages)
				w.emptyLog(ctx)
				select {
				case <-w.probe.C: // it may be that somebody always waits
					w.heal(ctx)
				default:
				}
				continue
			}
			if closed {
				w.finish(ctx)
				return
			}
			break
		}
		w.tidy(ctx, tidyPages)
		w.emptyLog(ctx)
		w.forget(ctx)
		w.letGo(ctx)
	}
}

// forget goes on with forgetting an erased account while nobody waits.
func (w *writer) forget(ctx context.Context) {
	if !w.striking || w.degraded != "" {
		return
	}
	more, err := w.strike(ctx)
	if err == nil {
		if w.striking = more; more {
			w.store.ring()
		}
		return
	}
	w.log.Error("erased account not forgotten yet", "err", err)
	w.striking, w.putOff = false, err // until the next look for what is old: it would only fail again
	if f := w.store.judge(err); f != nil {
		w.degrade(f)
	}
}

// watch looks at the disk while nobody writes. What it finds is found to be over by heal.
func (w *writer) watch() {
	w.look.Reset(lookEvery)
	if w.degraded != "" {
		return
	}
	if err := w.disk.check(0); err != nil {
		w.degrade(w.store.judge(err))
	}
}

// finish leaves nothing but the one file behind. What fails here is done at the next start.
func (w *writer) finish(ctx context.Context) {
	w.probe.Stop()
	w.look.Stop()
	w.trimmer.due.Stop()
	w.store.gate.open()
	w.store.tell(room.State{Reason: "closed"})
	if w.degraded == "" { // the places that were not given out are not lost
		_, err := w.q.setMeta.ExecContext(ctx, "reserved", int64(w.next-1))
		if err == nil {
			err = script(ctx, w.conn, `PRAGMA wal_checkpoint(TRUNCATE)`)
		}
		if err != nil {
			w.log.Warn("database not tidied up", "err", err)
		}
	}
}

// serve commits a batch and answers its requests.
func (w *writer) serve(ctx context.Context, batch []*request) {
	err := w.attempt(ctx, batch)
	if codeOf(err) == sqlite3.SQLITE_CONSTRAINT_UNIQUE { // a record that comes again
		w.careful = true
		err = w.attempt(ctx, batch)
		w.careful = false
	}
	if err == nil {
		w.answer(batch)
		return
	}
	f := w.store.judge(err)
	switch {
	case f != nil:
		w.degrade(f)
		w.owe(batch)
		w.serveEphemeral(ctx, batch, f)
	case len(batch) == 1:
		w.log.Error("record not saved", "err", err)
		batch[0].err = fmt.Errorf("%w: %w", room.ErrNotSaved, err)
		close(batch[0].done)
	default: // one of them cannot be written; it must not take the others with it
		for i := range batch {
			w.serve(ctx, batch[i:i+1])
		}
	}
}

// serveEphemeral answers a batch while nothing can be written: who comes and goes needs no disk.
func (w *writer) serveEphemeral(ctx context.Context, batch []*request, f *fault) {
	var rest []*request
	left := int(w.reserved + 1 - w.next)
	for _, r := range batch {
		if !r.durable() && len(r.entries) <= left {
			left -= len(r.entries)
			rest = append(rest, r)
			continue
		}
		r.err = f
		close(r.done)
	}
	for _, r := range rest {
		_ = w.apply(ctx, r) // without a disk nothing can fail
	}
	w.answer(rest)
}

// attempt writes a batch: all of it or, with an error, nothing. A request whose Expect does not hold is none of the batch.
func (w *writer) attempt(ctx context.Context, batch []*request) error {
	records, durable := 0, false
	for _, r := range batch {
		records += len(r.entries)
		durable = durable || r.durable()
	}
	low := w.next+room.Seq(records)+reserveBlock/2 > w.reserved
	if !durable && !low {
		for _, r := range batch {
			_ = w.apply(ctx, r) // without a disk nothing can fail
		}
		return nil
	}
	if err := w.disk.check(0); err != nil {
		return err
	}
	first, at, reserved := w.next, w.at, w.reserved
	w.rules.Attempt()
	err := w.transact(ctx, batch, records, low)
	if err == nil {
		w.rules.Keep()
		w.commits++
		return nil
	}
	_, _ = w.q.rollback.ExecContext(ctx) // SQLite may have done it already; nothing else can be left open
	w.rules.Undo()
	for _, r := range batch {
		w.fleeting.forget(r)
	}
	w.unlearn()
	w.reserved = reserved
	if !unsure(err) { // else these places may be taken after a crash
		w.next, w.at = first, at
	}
	return err
}

// transact is attempt's transaction.
func (w *writer) transact(ctx context.Context, batch []*request, records int, low bool) error {
	if _, err := w.q.begin.ExecContext(ctx); err != nil {
		return err
	}
	if low {
		w.reserved = w.next + room.Seq(records) + reserveBlock
		if _, err := w.q.setMeta.ExecContext(ctx, "reserved", int64(w.reserved)); err != nil {
			return err
		}
	}
	for _, r := range batch {
		if err := w.apply(ctx, r); err != nil {
			return err
		}
	}
	_, err := w.q.commit.ExecContext(ctx)
	return err
}

// apply gives the records of a request their places and writes what follows from them.
func (w *writer) apply(ctx context.Context, r *request) error {
	r.err = nil
	if err := w.place(ctx, r); err != nil {
		if errors.Is(err, room.ErrConflict) {
			r.err = err
			return nil
		}
		return err
	}
	if now := time.Now().UnixNano(); now > w.at {
		w.at = now
	}
	for i := range r.entries {
		e := &r.entries[i]
		if !e.fresh {
			continue
		}
		e.c.Record.At = time.Unix(0, w.at)
		w.rule(e)
		if e.c.Record.Ephemeral {
			w.fleeting.note(e.c)
		} else if err := w.project(ctx, e); err != nil {
			return err
		}
		if err := w.enact(ctx, e); err != nil {
			return err
		}
	}
	w.next += room.Seq(w.freshIn(r))
	if r.save != nil {
		return r.save(ctx, w.conn)
	}
	return nil
}

// rule asks the rules.
func (w *writer) rule(e *entry) {
	if e.event == nil {
		e.verdict = room.Verdict{Void: room.VoidUnreadable}
		return
	}
	e.event.Seq, e.event.At = e.c.Seq, e.c.Record.At
	e.verdict = w.rules.Apply(e.event)
}

// place finds or makes the place of each record. With room.ErrConflict an Expect does not hold.
func (w *writer) place(ctx context.Context, r *request) error {
	next := w.next
	careful := w.careful || slices.ContainsFunc(r.entries, func(e entry) bool { return e.expect != nil })
	for i := range r.entries {
		e := &r.entries[i]
		e.fresh = false
		known, err := w.find(ctx, r.entries[:i], r.seqs, &e.c.Record, careful)
		if err != nil {
			return err
		}
		if known > 0 {
			r.seqs[i] = known
			continue
		}
		if e.expect != nil {
			last, err := w.last(ctx, r.entries[:i], e.c.Record.Subject)
			if err != nil {
				return err
			}
			if last != *e.expect {
				return room.ErrConflict
			}
		}
		e.fresh, e.c.Seq, r.seqs[i] = true, next, next
		next++
	}
	return nil
}

func (w *writer) freshIn(r *request) (n int) {
	for i := range r.entries {
		if r.entries[i].fresh {
			n++
		}
	}
	return n
}

// find returns the place of a record that is known: from the same call, or committed before. 0: it is new or, without care, may be:
// hardly any record comes twice, and the database refuses one that does.
func (w *writer) find(
	ctx context.Context, before []entry, seqs []room.Seq, rec *room.Record, careful bool,
) (seq room.Seq, err error) {
	for i := range before {
		if before[i].c.Record.ID == rec.ID {
			return seqs[i], nil
		}
	}
	if rec.Ephemeral {
		return w.fleeting.places[rec.ID], nil
	}
	if !careful {
		return 0, nil
	}
	err = w.q.find.QueryRowContext(ctx, rec.ID[:]).Scan(&seq)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return seq, err
}

// last returns the place of the newest kept record of a subject, those before it in the same call included.
func (w *writer) last(ctx context.Context, before []entry, s room.Subject) (seq room.Seq, err error) {
	for i := len(before) - 1; i >= 0; i-- {
		if e := &before[i]; e.fresh && !e.c.Record.Ephemeral && e.c.Record.Subject == s {
			return e.c.Seq, nil
		}
	}
	err = w.q.last.QueryRowContext(ctx, string(s)).Scan(&seq)
	return seq, err
}

// answer tells everybody what became of their request.
func (w *writer) answer(batch []*request) {
	w.store.feed.add(batch)
	for _, r := range batch {
		close(r.done)
	}
}

// degrade tells why something cannot be saved, and sees to it that it is found out when all can. Until then everybody may try.
func (w *writer) degrade(f *fault) {
	if w.degraded == "" {
		w.owed = leastProbe
		w.probe.Reset(probePause)
	}
	if w.degraded != f.reason {
		w.degraded = f.reason
		w.log.Error("database cannot save", "reason", f.reason, "err", f.cause)
		w.store.tell(room.State{Reason: f.reason})
	}
}

// owe has the next probe write as much as a batch would have.
func (w *writer) owe(batch []*request) {
	size := leastProbe
	for _, r := range batch {
		for i := range r.entries {
			size += recordPages*pageSize + 2*len(r.entries[i].c.Record.Data)
		}
	}
	w.owed = min(max(w.owed, size), mostProbe)
}

// heal finds out whether all can be saved again. That something could be, is no sign: it may have been less than what could not.
func (w *writer) heal(ctx context.Context) {
	err := w.disk.check(2 * w.owed) // in the log beside the database, and once more when that is carried over
	if err == nil {
		w.commits = tidyEvery
		w.tidy(ctx, 1) // what is carried over leaves room for more, without taking any
		err = w.tryToWrite(ctx)
	}
	if err == nil {
		w.degraded = ""
		w.store.ring() // what was put off goes on
		w.store.tell(room.State{Connected: true})
		return
	}
	f := w.store.judge(err)
	if f == nil {
		f = &fault{room.ErrNotSaved, "the database cannot be written", err}
	}
	w.degrade(f)
	w.probe.Reset(probePause)
}

// tryToWrite commits as much as is owed. What is taken back before it is committed might never be written, so it is deleted
// behind that; its pages are for what is said next.
func (w *writer) tryToWrite(ctx context.Context) error {
	err := w.do(ctx, `INSERT INTO meta VALUES (?, zeroblob(?)) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, probeName, w.owed)
	if err != nil {
		return err
	}
	return w.do(ctx, `DELETE FROM meta WHERE name = ?`, probeName)
}

// What is committed stands in a log beside the database until it is carried over. The writer does that when nobody waits and the
// log has grown to tidyPages; if there is no such moment, at mustTidyPages.
const (
	tidyPages     = 1000
	mustTidyPages = 16000
	tidyEvery     = 32 // commits between two looks
	// emptyPages is the size of the log at which readers are made to wait, so that it can begin anew.
	emptyPages = 16384
	pageSize   = 4096
)

func (w *writer) tidy(ctx context.Context, pages int) {
	if w.commits < tidyEvery {
		return
	}
	w.commits = 0
	var busy, held, done int
	err := w.q.logSize.QueryRowContext(ctx).Scan(&busy, &held, &done)
	if err == nil && held-done >= pages {
		err = w.q.tidy.QueryRowContext(ctx).Scan(&busy, &held, &done)
	}
	if err == nil && held >= w.full {
		w.store.gate.shut()
	}
	if err != nil && w.degraded == "" {
		w.log.Warn("database not tidied up", "err", err)
	}
}

// emptyLog empties the log beside the database when it has grown too long and the last of those who were reading is done. Nobody who
// writes waits for them. Where it fails, since another process reads, the log may grow by as much again before the next try.
func (w *writer) emptyLog(ctx context.Context) {
	if !w.store.gate.vacant() {
		return
	}
	defer w.store.gate.open()
	var busy, held, done int
	err := w.q.empty.QueryRowContext(ctx).Scan(&busy, &held, &done)
	if err == nil && busy == 0 {
		w.full = w.most
		return
	}
	w.full = held + w.most
	if err != nil && w.degraded == "" {
		w.log.Warn("database not tidied up", "err", err)
	}
}

// disk watches the space on the disk of the database, and that the database is still where it was.
type disk struct {
	path    string
	reserve uint64
	file    os.FileInfo
	looked  time.Time // when all was well last
}

// lookPause is how long a look at the disk holds good.
const lookPause = 250 * time.Millisecond

func newDisk(path string, reserve uint64) (disk, error) {
	info, err := os.Stat(path)
	return disk{path: path, reserve: reserve, file: info}, err
}

// check returns a *fault if nothing may be written, or not so many bytes more than is written at any time.
func (d *disk) check(more int) error {
	now := time.Now()
	if more == 0 && now.Sub(d.looked) < lookPause {
		return nil
	}
	if info, err := os.Stat(d.path); err != nil || !os.SameFile(info, d.file) {
		return &fault{room.ErrNotSaved, "the database " + d.path + " was moved or replaced while in use", err}
	}
	var fs syscall.Statfs_t
	if err := syscall.Statfs(d.path, &fs); err != nil {
		return &fault{room.ErrNotSaved, "the disk of " + d.path + " does not answer", err}
	}
	switch free := fs.Bavail * uint64(fs.Bsize); {
	case free < pageSize:
		return &fault{room.ErrNotSaved, "the disk of " + d.path + " is full", nil}
	case free < d.reserve+uint64(more) && free >= d.reserve:
		return &fault{room.ErrNotSaved, "the disk of " + d.path + " has no room yet for what could not be saved", nil}
	case free < d.reserve:
		return &fault{room.ErrNotSaved, fmt.Sprintf("the disk of %s is full but for the reserve of %d MiB", d.path, d.reserve>>20), nil}
	}
	d.looked = now
	return nil
}
