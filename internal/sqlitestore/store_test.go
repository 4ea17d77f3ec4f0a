package sqlitestore_test

import (
	"context"
	"database/sql"
	"log/slog"
	"path/filepath"
	"testing"

	"sarangbang/internal/sqlitestore"
	"sarangbang/internal/testkit/journaltest"
	"sarangbang/room"
)

func TestJournalConforms(t *testing.T) {
	journaltest.Run(t, journaltest.Harness{
		Open: func(tb testing.TB) room.Journal {
			tb.Helper()
			return openStore(tb, newPath(tb))
		},
		Reopen: func(tb testing.TB, j room.Journal) room.Journal {
			tb.Helper()
			left := newPath(tb)
			j.(*sqlitestore.Store).Crash(tb, left)
			return openStore(tb, left)
		},
		Suspend: func(tb testing.TB, j room.Journal) (mend func()) {
			tb.Helper()
			s := j.(*sqlitestore.Store)
			release := lock(tb, s.Path())
			s.Probe()
			return func() {
				release()
				s.Probe()
			}
		},
	})
}

// newPath is where a test may have a database.
func newPath(tb testing.TB) string {
	tb.Helper()
	return filepath.Join(tb.TempDir(), "house.db")
}

// openStore opens the store at path and ends it with the test.
func openStore(tb testing.TB, path string) *sqlitestore.Store {
	tb.Helper()
	s, err := sqlitestore.Open(path, sqlitestore.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		tb.Fatalf("Open = %v, want no error", err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Errorf("Close = %v, want no error", err)
		}
	})
	return s
}

// lock keeps everybody else from writing to the database until release is called.
func lock(tb testing.TB, path string) (release func()) {
	tb.Helper()
	ctx := context.Background()
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(60000)")
	if err != nil {
		tb.Fatalf("open a second connection: %v", err)
	}
	conn, err := db.Conn(ctx)
	if err == nil {
		_, err = conn.ExecContext(ctx, `BEGIN IMMEDIATE`)
	}
	if err != nil {
		tb.Fatalf("lock the database: %v", err)
	}
	return func() {
		if _, err := conn.ExecContext(ctx, `ROLLBACK`); err != nil {
			tb.Errorf("unlock the database: %v", err)
		}
		_ = conn.Close()
		_ = db.Close()
	}
}

func TestTimeNeverRunsBackwardsAcrossStarts(t *testing.T) {
	h := newHouse(t)
	kim := h.come("kim", "")
	h.say(kim, "before")
	path := h.Path()
	if err := h.Close(); err != nil {
		t.Fatalf("Close = %v, want no error", err)
	}
	execute(t, path, `UPDATE log SET at = at + 3600000000000`) // the clock was an hour ahead
	h.Store = openStore(t, path)
	h.come("kim", "")
	h.say(kim, "after")
	events, err := h.Lines(t.Context(), room.LineQuery{Room: room.Lobby, N: 10})
	if err != nil || len(events) != 2 {
		t.Fatalf("Lines = %q, %v; want 2", told(events), err)
	}
	if events[1].At.Before(events[0].At) {
		t.Errorf("a line is of %v, and the one before it of %v", events[1].At, events[0].At)
	}
}
