package sqlitestore

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sarangbang/room"
)

func TestSearchesTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(2)
		var mu sync.Mutex
		var noted []string // guarded by mu
		note := func(what string) {
			mu.Lock()
			defer mu.Unlock()
			noted = append(noted, what)
		}
		soFar := func() []string {
			mu.Lock()
			defer mu.Unlock()
			return slices.Clone(noted)
		}
		begun := time.Now()
		search := func(by string) {
			go func() {
				leave, err := q.enter(t.Context(), by)
				if err != nil {
					note(by + " " + err.Error())
					return
				}
				note(by)
				time.Sleep(time.Second)
				leave()
			}()
			synctest.Wait()
		}
		for range 10 {
			search("kim")
		}
		search("lee")
		search("park")
		order := soFar()
		if got := len(order); got != 2 || order[0] != "kim" || order[1] != "lee" {
			t.Errorf("at once %q search, want kim and lee: kim once", order)
		}
		time.Sleep(1500 * time.Millisecond)
		synctest.Wait()
		order = soFar()
		if got := len(order); got != 4 || order[2] == order[3] {
			t.Errorf("after one search each it is %q, want kim and park behind them", order)
		}
		time.Sleep(10*time.Second - time.Since(begun))
		synctest.Wait()
		order = soFar()
		refused := 0
		for _, by := range order {
			if by == "kim "+room.ErrSearchQueue.Error() {
				refused++
			}
		}
		if len(order) != 12 || refused < 5 {
			t.Errorf("in the end it is %q, want all of them, and those of kim refused that waited for %v", order, searchWait)
		}
		if q.free != 2 || len(q.inside) != 0 || len(q.waiting) != 0 {
			t.Errorf("the queue is %d free, %v inside, %d waiting; want it as it was", q.free, q.inside, len(q.waiting))
		}
	})
}

func TestAnEndedSearchLeavesTheQueue(t *testing.T) {
	q := newQueue(1)
	leave, err := q.enter(t.Context(), "kim")
	if err != nil {
		t.Fatal(err)
	}
	gone := errors.New("gone")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(gone)
	if _, err := q.enter(ctx, "lee"); !errors.Is(err, gone) {
		t.Errorf("enter = %v, want %v", err, gone)
	}
	leave()
	if q.free != 1 || len(q.waiting) != 0 {
		t.Errorf("the queue has %d free and %d waiting, want 1 and 0", q.free, len(q.waiting))
	}
}
