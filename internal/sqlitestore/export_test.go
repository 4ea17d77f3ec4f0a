package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"runtime"
	"slices"
	"testing"

	"sarangbang/room"
)

// Crash ends the store as a kill of its process would, amid a transaction, and copies what is on disk at that moment to another
// place. Nothing is acknowledged any more after the copy.
func (s *Store) Crash(tb testing.TB, to string) {
	tb.Helper()
	died := &fault{answer: room.ErrUnavailable, reason: "crashed", cause: errors.New("crashed")}
	_ = s.submit(context.Background(), &request{done: make(chan struct{}), save: func(context.Context, *sql.Conn) error {
		for _, suffix := range []string{"", "-wal"} {
			data, err := os.ReadFile(s.path + suffix)
			if err == nil {
				err = os.WriteFile(to+suffix, data, 0o600)
			}
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				tb.Errorf("copy %s%s: %v", s.path, suffix, err)
			}
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.closed = true
		for _, r := range s.waiting {
			r.err = died
			close(r.done)
		}
		s.waiting = nil
		return died
	}})
}

// Probe makes the writer try now whether it can write, and returns when it has.
func (s *Store) Probe() {
	_ = s.submit(context.Background(), &request{done: make(chan struct{}), save: func(context.Context, *sql.Conn) error { return nil }})
}

// Path returns where the database is.
func (s *Store) Path() string { return s.path }

// Forgotten waits until erased accounts are forgotten altogether.
func (s *Store) Forgotten(tb testing.TB) {
	tb.Helper()
	for more := true; more; {
		err := s.submit(context.Background(), &request{done: make(chan struct{}), save: func(ctx context.Context, conn *sql.Conn) error {
			return conn.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM striking) OR EXISTS (SELECT 1 FROM meta WHERE name = ?)`, residue).Scan(&more)
		}})
		if err != nil {
			tb.Fatalf("look for what is to be forgotten: %v", err)
		}
	}
}

// OpenWith is Open for a program that knows further versions of the form.
func OpenWith(path string, opt Options, more ...func(context.Context, *sql.Conn) error) (*Store, error) {
	all := slices.Clone(steps)
	for _, s := range more {
		all = append(all, s)
	}
	return openWith(context.Background(), path, opt, all)
}

// Add is a step that runs one statement.
func Add(statement string) func(context.Context, *sql.Conn) error {
	return func(ctx context.Context, conn *sql.Conn) error { return script(ctx, conn, statement) }
}

// MakeVersion1 makes a database as the first version of this program left it, of the lines of another one.
func MakeVersion1(tb testing.TB, path, from string) {
	tb.Helper()
	ctx := context.Background()
	err := create(ctx, path, steps[:1])
	if err == nil {
		err = withConn(ctx, path, nil, func(conn *sql.Conn) error {
			if _, err := conn.ExecContext(ctx, `ATTACH ? AS new`, from); err != nil {
				return err
			}
			for _, table := range []string{"log", "people", "names", "words_data", "words_idx", "words_docsize"} {
				if err := script(ctx, conn, `DELETE FROM main.`+table, `INSERT INTO main.`+table+` SELECT * FROM new.`+table); err != nil {
					return err
				}
			}
			return script(ctx, conn, `UPDATE main.meta SET value = (SELECT value FROM new.meta WHERE name = 'reserved') WHERE name = 'reserved'`)
		})
	}
	if err != nil {
		tb.Fatalf("make a database of version 1: %v", err)
	}
}

// MakeVersion2 makes of a database what the second version of this program would have left.
func MakeVersion2(tb testing.TB, path string) {
	tb.Helper()
	ctx := context.Background()
	err := withConn(ctx, path, nil, func(conn *sql.Conn) error {
		return script(ctx, conn, `DROP INDEX acts_by_subject`, `DROP INDEX acts_by_author`,
			`CREATE INDEX acts_by_subject ON log (subject) WHERE void = '' AND kind IN `+actKinds2,
			`CREATE INDEX acts_by_author ON log (who) WHERE void = '' AND kind IN `+actKinds2,
			`PRAGMA user_version = 2`)
	})
	if err != nil {
		tb.Fatalf("make a database of version 2: %v", err)
	}
}

// Gather keeps the writer busy until so many requests wait together, which start starts.
func (s *Store) Gather(requests int, start func()) {
	_ = s.submit(context.Background(), &request{done: make(chan struct{}), save: func(context.Context, *sql.Conn) error {
		start()
		s.AwaitWaiting(requests)
		return nil
	}})
}

// AwaitWaiting returns when so many requests wait for the writer.
func (s *Store) AwaitWaiting(requests int) {
	for waiting := 0; waiting < requests; runtime.Gosched() {
		s.mu.Lock()
		waiting = len(s.waiting)
		s.mu.Unlock()
	}
}

// Exec runs a statement as the writer does.
func (s *Store) Exec(tb testing.TB, statement string) {
	tb.Helper()
	err := s.submit(context.Background(), &request{done: make(chan struct{}), save: func(ctx context.Context, conn *sql.Conn) error {
		return script(ctx, conn, statement)
	}})
	if err != nil {
		tb.Fatalf("%s: %v", statement, err)
	}
}

// SubmitBad waits for a request that cannot be written.
func (s *Store) SubmitBad() error {
	return s.submit(context.Background(), &request{done: make(chan struct{}), save: func(context.Context, *sql.Conn) error {
		return errors.New("this one is bad")
	}})
}

// AppendBad waits for records that cannot be written, for a reason that shows only when all else of them is.
func (s *Store) AppendBad(recs ...room.Record) error {
	r := &request{seqs: make([]room.Seq, len(recs)), done: make(chan struct{}), save: func(context.Context, *sql.Conn) error {
		return errors.New("this one is bad")
	}}
	for _, rec := range recs {
		r.entries = append(r.entries, newEntry(rec))
	}
	return s.submit(context.Background(), r)
}

// Reserve leaves so many places until more are reserved.
func (s *Store) Reserve(places int) {
	_ = s.submit(context.Background(), &request{done: make(chan struct{}), save: func(context.Context, *sql.Conn) error {
		s.writer.reserved = s.writer.next - 1 + room.Seq(places)
		return nil
	}})
}

// Hurry makes the store not wait for the disk.
func (s *Store) Hurry() { _ = script(context.Background(), s.writer.conn, `PRAGMA synchronous = OFF`) }

// Queries whose plans are looked at.
const (
	ActsOfQuery = actsOfQuery
	FindQuery   = findQuery
)

// Plan returns how SQLite goes about a query.
func (s *Store) Plan(tb testing.TB, query string) (plan []string) {
	tb.Helper()
	conn, err := s.reads.Conn(context.Background())
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	err = each(context.Background(), conn, `EXPLAIN QUERY PLAN `+query, func(scan func(...any) error) error {
		var id, parent, unused int
		var detail string
		err := scan(&id, &parent, &unused, &detail)
		plan = append(plan, detail)
		return err
	}, 0, 0, 0, 0) // all that are explained have four arguments
	if err != nil {
		tb.Fatalf("explain %s: %v", query, err)
	}
	return plan
}

// SearchPlan returns how SQLite goes about a search.
func (s *Store) SearchPlan(tb testing.TB) (plan []string) {
	tb.Helper()
	conn, err := s.searches.Conn(context.Background())
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	err = each(context.Background(), conn, `EXPLAIN QUERY PLAN `+searchQuery, func(scan func(...any) error) error {
		var id, parent, unused int
		var detail string
		err := scan(&id, &parent, &unused, &detail)
		plan = append(plan, detail)
		return err
	}, "word", 0, 1<<40, "room", 20)
	if err != nil {
		tb.Fatalf("explain the search: %v", err)
	}
	return plan
}

// HoldSearches keeps the connections for searches until release is called.
func (s *Store) HoldSearches(tb testing.TB) (release func()) {
	tb.Helper()
	var held [searchers]*sql.Conn
	for i := range held {
		conn, err := s.searches.Conn(context.Background())
		if err != nil {
			tb.Fatal(err)
		}
		held[i] = conn
	}
	return func() {
		for _, conn := range held {
			_ = conn.Close()
		}
	}
}

// MostLog sets how many pages the log beside the database may have.
func (s *Store) MostLog(pages int) {
	_ = s.submit(context.Background(), &request{done: make(chan struct{}), save: func(context.Context, *sql.Conn) error {
		s.writer.most, s.writer.full = pages, pages
		return nil
	}})
}

// Read begins to read, as a search does that takes long, until release is called.
func (s *Store) Read(tb testing.TB) (release func()) {
	tb.Helper()
	conn, leave, err := s.reader(context.Background(), s.reads)
	if err == nil {
		err = script(context.Background(), conn, `BEGIN`)
	}
	var n int
	if err == nil {
		err = conn.QueryRowContext(context.Background(), `SELECT count(*) FROM meta`).Scan(&n)
	}
	if err != nil {
		tb.Error(err)
		return func() {}
	}
	return func() {
		_ = script(context.Background(), conn, `ROLLBACK`)
		leave()
	}
}

// Shut says that new readers have to wait.
func (s *Store) Shut() bool {
	s.gate.mu.Lock()
	defer s.gate.mu.Unlock()
	return s.gate.opened != nil
}
