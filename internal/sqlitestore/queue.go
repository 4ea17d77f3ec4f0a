package sqlitestore

import (
	"context"
	"slices"
	"sync"
	"time"

	"sarangbang/room"
)

// queue lets a few search at once, and everybody one search at a time; the others wait in a row. Its methods may be called from any
// goroutine.
type queue struct {
	mu      sync.Mutex
	free    int             // guarded by mu
	inside  map[string]bool // guarded by mu; who searches
	waiting []*turn         // guarded by mu; the one that came first stands first
}

type turn struct {
	by   string
	come chan struct{} // closed when it has
}

// searchWait bounds the wait for a search to begin.
const searchWait = 4 * time.Second

func newQueue(places int) queue { return queue{free: places, inside: map[string]bool{}} }

// enter waits until by may search, and returns what must be called behind it. room.ErrSearchQueue: the wait is too long.
func (q *queue) enter(ctx context.Context, by string) (leave func(), err error) {
	t := &turn{by, make(chan struct{})}
	leave = func() { q.leave(by) }
	q.mu.Lock()
	q.waiting = append(q.waiting, t)
	q.nextLocked()
	q.mu.Unlock()
	ctx, cancel := context.WithTimeoutCause(ctx, searchWait, room.ErrSearchQueue)
	defer cancel()
	select {
	case <-t.come:
		return leave, nil
	case <-ctx.Done():
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if i := slices.Index(q.waiting, t); i >= 0 {
		q.waiting = slices.Delete(q.waiting, i, i+1)
		return nil, context.Cause(ctx)
	}
	return leave, nil // it came at the same time
}

func (q *queue) leave(by string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.free++
	delete(q.inside, by)
	q.nextLocked()
}

// nextLocked lets in whoever may come in. Those whom nothing tells apart may all.
func (q *queue) nextLocked() {
	for i := 0; i < len(q.waiting) && q.free > 0; {
		t := q.waiting[i]
		if q.inside[t.by] {
			i++
			continue
		}
		q.free--
		if t.by != "" {
			q.inside[t.by] = true
		}
		q.waiting = slices.Delete(q.waiting, i, i+1)
		close(t.come)
	}
}
