package sqlitestore_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"sarangbang/room"
)

func TestTheLogIsEmptiedWhileReadingOverlaps(t *testing.T) {
	h := newHouse(t)
	kim := h.come("kim", "")
	const most = 200 // pages of 4 KiB
	h.MostLog(most)
	h.Hurry()
	text, said := strings.Repeat("words", 100), 0
	release := h.Read(t)
	var longest int64
	for range 30 {
		for range 40 {
			h.say(kim, text)
			said++
		}
		next := make(chan func(), 1)
		go func() { next <- h.Read(t) }()
		// The one before goes when the next one reads, unless that one is made to wait for it.
		for deadline := time.Now().Add(patience); len(next) == 0 && !h.Shut() && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond)
		}
		release()
		release = <-next
		if info, err := os.Stat(h.Path() + "-wal"); err == nil {
			longest = max(longest, info.Size())
		}
	}
	release()
	if longest > 4*most*4096 {
		t.Errorf("%d lines made the log beside the database %d KiB long, want %d at most", said, longest>>10, 4*most*4)
	}
	h.lines("the first line", room.LineQuery{From: 1, N: 1}, "kim: "+text)
}

func TestWhoWaitsAtTheGateMayGo(t *testing.T) {
	h := newHouse(t)
	kim := h.come("kim", "")
	h.MostLog(1)
	release := h.Read(t)
	for !h.Shut() {
		h.say(kim, "word")
	}
	gone := errors.New("gone")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 100*time.Millisecond, gone)
	defer cancel()
	if _, err := h.Lines(ctx, room.LineQuery{Room: room.Lobby, N: 1}); !errors.Is(err, gone) {
		t.Errorf("Lines = %v, want %v", err, gone)
	}
	h.lines("what was said", room.LineQuery{N: 1}, "kim: word") // it has waited long enough
	release()
}
