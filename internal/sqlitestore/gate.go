package sqlitestore

import (
	"context"
	"database/sql"
	"sync"
	"time"
)

// gate counts those who read, and keeps new ones out while it is shut. SQLite begins the log beside the database anew only at a moment
// when nobody reads from it; where reading overlaps there is none, and it would grow for ever. Its methods may be called from any
// goroutine.
type gate struct {
	mu     sync.Mutex
	inside int           // guarded by mu
	opened chan struct{} // guarded by mu; closed when it opens; nil while it is open
}

// gateWait bounds the wait at the gate. It is longer than what may be inside: whoever has waited for so long goes in all the same.
const gateWait = searchTime + time.Second

// enter waits until the gate is open.
func (g *gate) enter(ctx context.Context) error {
	g.mu.Lock()
	opened := g.opened
	if opened == nil {
		g.inside++
	}
	g.mu.Unlock()
	if opened == nil {
		return nil
	}
	patience := time.NewTimer(gateWait)
	defer patience.Stop()
	select {
	case <-opened:
	case <-patience.C:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	g.mu.Lock()
	g.inside++
	g.mu.Unlock()
	return nil
}

// leave says that this was the last one inside of a gate that is shut.
func (g *gate) leave() (awaited bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside--
	return g.inside == 0 && g.opened != nil
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.opened == nil {
		g.opened = make(chan struct{})
	}
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.opened != nil {
		close(g.opened)
		g.opened = nil
	}
}

// vacant says that the gate is shut and nobody inside.
func (g *gate) vacant() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.opened != nil && g.inside == 0
}

// reader returns a connection for reading, and what must be called when all is read. It may wait for the log beside the database to be
// emptied.
func (s *Store) reader(ctx context.Context, db *sql.DB) (conn *sql.Conn, release func(), err error) {
	if conn, err = db.Conn(ctx); err != nil {
		return nil, nil, err
	}
	if err = s.gate.enter(ctx); err != nil {
		_ = conn.Close() // nothing was read
		return nil, nil, err
	}
	return conn, func() {
		_ = conn.Close() // it goes back to the others
		if s.gate.leave() {
			s.ring()
		}
	}, nil
}

// readRow reads the one row of a query into dest; sql.ErrNoRows if there is none.
func (s *Store) readRow(ctx context.Context, db *sql.DB, query string, args []any, dest ...any) error {
	conn, release, err := s.reader(ctx, db)
	if err != nil {
		return err
	}
	defer release()
	return conn.QueryRowContext(ctx, query, args...).Scan(dest...)
}
