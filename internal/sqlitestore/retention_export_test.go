package sqlitestore

import (
	"context"
	"database/sql"
	"testing"
)

// LetGo has the writer look for what is old now, and returns when all of it went.
func (s *Store) LetGo(tb testing.TB) {
	tb.Helper()
	for begun, busy := false, true; busy; begun = true {
		err := s.submit(context.Background(), &request{done: make(chan struct{}), save: func(context.Context, *sql.Conn) error {
			if !begun {
				s.writer.lookForOld()
			}
			busy = s.writer.trimmer.trimming || s.writer.trimmer.compacting || s.writer.trimmer.scrubbing
			return nil
		}})
		if err != nil {
			tb.Fatalf("ask whether all that is old went: %v", err)
		}
	}
}

// PutInPlace replaces a database.
var PutInPlace = putInPlace
