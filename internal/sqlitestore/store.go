package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"net/url"
	"sync"

	"sarangbang/room"
)

// Options of a store. Zero values are replaced by the defaults named here.
type Options struct {
	// BatchLines is how many records are committed at once, unless one Append has more: 512. More make a commit longer, which
	// everybody waits for.
	BatchLines int
	// DiskReserve is how many bytes must stay free on the disk: less, and nothing is saved any more. Room is kept for tidying up,
	// and for whatever else runs on that machine. 0 keeps none.
	DiskReserve uint64
	Keep        Keep         // of what people say; the zero Keep keeps all
	Logger      *slog.Logger // required
}

// ErrClosed says that the store was closed: nothing more will ever be committed.
var ErrClosed = errors.New("database is closed")

// Store is a [room.Journal] on disk. Its methods may be called from any goroutine.
type Store struct {
	path  string
	epoch string
	feed  feed
	log   *slog.Logger
	reads *sql.DB // for looking up, whatever is being written
	// For searches, which may take long: history does not wait for them.
	searches  *sql.DB
	searching queue
	gate      gate            // of all who read
	status    chan room.State // capacity 1
	writer    *writer
	done      chan struct{} // closed when the writer has ended

	wake chan struct{} // capacity 1; rung when there is something in waiting, or closed is set
	mu   sync.Mutex
	// Guarded by mu. Every request gets its answer: what waits when closed is set is still served, nothing comes after it.
	waiting []*request
	closed  bool
}

// request is one call that waits for a commit.
type request struct {
	entries []entry
	save    func(ctx context.Context, conn *sql.Conn) error // what else is to be written; nil for nothing
	seqs    []room.Seq                                      // the answer
	err     error                                           // the answer
	done    chan struct{}                                   // closed when it is answered
}

// durable says whether the request needs the disk.
func (r *request) durable() bool {
	if r.save != nil {
		return true
	}
	for i := range r.entries {
		if !r.entries[i].c.Record.Ephemeral {
			return true
		}
	}
	return false
}

// Open opens the database at path or makes it, for this user only, in a folder that must be there. An older form is brought up to
// date, and a copy made before. What may not be opened, such as a damaged file, one of another program or one of a newer version of
// this one, is left exactly as it is: the error is a sentence that names the file and says what to do. Nobody else may have the
// database open for writing.
//
// Close ends the store.
func Open(path string, opt Options) (*Store, error) {
	return openWith(context.Background(), path, opt, steps)
}

func openWith(ctx context.Context, path string, opt Options, steps []step) (*Store, error) {
	path, err := resolve(path)
	if err != nil {
		return nil, err
	}
	sweepBeside(path)
	found, err := inspect(path, len(steps))
	if err == nil && !found {
		err = create(ctx, path, steps)
	}
	if err == nil {
		err = ready(ctx, path, opt.Logger, steps)
	}
	if err != nil {
		return nil, err
	}
	s := newStore(path, opt)
	if err := s.start(ctx, opt); err != nil {
		return nil, unusable(path, err)
	}
	return s, nil
}

// sweepBeside removes what a process that was killed has left beside the database at path, which nobody else may work at: one that was
// not complete, and folders for looking at it.
func sweepBeside(path string) {
	discard(path + ".new")
	sweep(path + lookMark + "*")
}

// ready sees to it that a database has the newest form.
func ready(ctx context.Context, path string, log *slog.Logger, steps []step) error {
	version, err := verify(ctx, path, len(steps))
	if err != nil {
		return err
	}
	return migrate(ctx, path, version, steps, func(copied string) {
		log.Info("database brought to a newer form, and copied before", "copy", copied)
	})
}

func newStore(path string, opt Options) *Store {
	return &Store{
		path: path, log: opt.Logger, status: make(chan room.State, 1), done: make(chan struct{}), wake: make(chan struct{}, 1),
		searching: newQueue(searchers),
	}
}

// start opens the connections and starts the writer. What it opened is closed again if it fails.
func (s *Store) start(ctx context.Context, opt Options) (err error) {
	if s.reads, err = openForReading(s.path, readers); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.closeReaders())
		}
	}()
	if s.searches, err = openForReading(s.path, searchers); err != nil {
		return err
	}
	if s.writer, err = openWriter(ctx, s, opt); err != nil {
		return err
	}
	s.status <- room.State{Connected: true}
	go func() {
		defer close(s.done)
		s.writer.run(ctx)
	}()
	return nil
}

// How many look something up, or search, at once; more wait.
const (
	readers   = 4
	searchers = 2
)

func openForReading(path string, conns int) (*sql.DB, error) {
	db, err := open(path, url.Values{"mode": {"ro"}, "_pragma": {"query_only(1)", "busy_timeout(1000)", "cache_size(-4096)"}})
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db, nil
}

func (s *Store) closeReaders() error {
	var err error
	for _, db := range []*sql.DB{s.reads, s.searches} {
		if db != nil {
			err = errors.Join(err, db.Close())
		}
	}
	return err
}

// Append implements [room.Journal]. It returns when the records are on disk, fsync included; ephemeral ones when they are in the
// order.
func (s *Store) Append(ctx context.Context, recs ...room.Record) ([]room.Seq, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if len(recs) == 0 {
		return nil, nil
	}
	r := &request{entries: make([]entry, len(recs)), seqs: make([]room.Seq, len(recs)), done: make(chan struct{})}
	for i, rec := range recs {
		r.entries[i] = newEntry(rec)
	}
	if err := s.submit(ctx, r); err != nil {
		return nil, err
	}
	return r.seqs, nil
}

// submit hands a request to the writer and waits for its answer.
func (s *Store) submit(ctx context.Context, r *request) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return ErrClosed
	}
	s.waiting = append(s.waiting, r)
	s.mu.Unlock()
	s.ring()
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *Store) ring() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// take returns the oldest waiting requests with at most so many records together, one at least, and whether more may come.
func (s *Store) take(records int) (batch []*request, closed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for n < len(s.waiting) {
		if records -= len(s.waiting[n].entries); records < 0 && n > 0 {
			break
		}
		n++
	}
	batch, s.waiting = s.waiting[:n:n], s.waiting[n:]
	if len(s.waiting) == 0 {
		s.waiting = nil
	}
	return batch, s.closed
}

// Close commits what waits, carries everything over into the one file and ends the store: from then on Append fails with
// [ErrClosed], and tails end with it after the last record. It blocks for as long as the disk takes; what it returns is about
// tidying up, never about a record that was acknowledged. A second call does nothing.
func (s *Store) Close() error {
	s.mu.Lock()
	again := s.closed
	s.closed = true
	s.mu.Unlock()
	s.ring()
	<-s.done
	if again {
		return nil
	}
	s.feed.end()
	return errors.Join(s.closeReaders(), s.writer.close())
}

// Status implements [room.Journal].
func (s *Store) Status() <-chan room.State { return s.status }

// tell replaces the state that nobody took. Only the writer calls it.
func (s *Store) tell(state room.State) {
	select {
	case <-s.status:
	default:
	}
	s.status <- state
}

// newEntry prepares a record for the writer on the goroutine of whoever appends it: many can do that at once.
func newEntry(rec room.Record) entry {
	rec.Data = append(make([]byte, 0, len(rec.Data)), rec.Data...) // the caller may use its own again; never nil
	e := entry{expect: rec.Expect}
	if e.expect != nil {
		expected := *e.expect
		e.expect = &expected
	}
	rec.Expect = nil
	e.c.Record = rec
	e.prepare()
	return e
}

// prepare decodes the record. One that is damaged keeps its place, and has no effect.
func (e *entry) prepare() {
	event, err := room.Decode(e.c)
	if err != nil {
		return
	}
	e.event = event
	e.index()
}

// index makes the words of a line.
func (e *entry) index() {
	if e.event == nil {
		return
	}
	if text, ok := lineText(e.event.Body); ok {
		e.words = indexText(text.String())
	}
}

// lineText returns what was said or done in a room.
func lineText(b room.Body) (text room.Text, ok bool) {
	switch b := b.(type) {
	case room.Said:
		return b.Text, true
	case room.Emoted:
		return b.Text, true
	default:
		return text, false
	}
}
