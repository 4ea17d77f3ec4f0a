package session_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sarangbang/internal/session"
	"sarangbang/room"
)

func TestHistoryOnAScreenAndAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		kim := h.person(t, 0, session.Visitor{User: "kim", Exempt: true})
		var want strings.Builder
		for n := range 200 {
			kim.enter(fmt.Sprint("line ", n))
			fmt.Fprintf(&want, "00:00 [kim] line %d\n", n)
		}
		close(kim.in)
		kim.ends(room.EndingLeft, 0)
		lee := h.person(t, 200, session.Visitor{User: "lee", Term: "xterm", Env: map[string]string{"TZ": "UTC"}})
		lee.enter("")
		lee.enter("/history 200")
		lee.sees(want.String())
		lee.enter("/history 2")
		time.Sleep(time.Second) // what is said on a terminal does not wait for answers
		lee.enter("live")
		lee.sees("00:00 [kim] line 199\n[lee] live\n")

		var out, errs bytes.Buffer
		status := h.Exec(context.Background(), session.Visitor{Session: "e"}, "history 150", &out, &errs)
		if got := strings.Count(out.String(), "\n"); got != 150 || !strings.HasPrefix(out.String(), "[kim] line 51\n") || errs.Len() > 0 || status != 0 {
			t.Errorf("history alone: %d lines, %q, %d; want the last 150, without times", got, &errs, status)
		}
		out.Reset()
		if status := h.Exec(context.Background(), session.Visitor{Session: "e", Env: map[string]string{"TZ": "Asia/Seoul"}}, "history 1 time:short", &out, &errs); out.String() != "2000-01-01 09:00 [lee] live\n" || status != 0 {
			t.Errorf("history with times: %q, %d; want the day and the time in Seoul", &out, status)
		}
	})
}

func TestShortTimesHaveADayWhereNoDaysAreDrawn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		kim := h.person(t, 200, session.Visitor{User: "kim", Term: "xterm", Env: map[string]string{"TZ": "UTC"}})
		kim.enter("")
		kim.enter("first")
		time.Sleep(24 * time.Hour)
		kim.enter("second")
		kim.enter("/history 2 time:short")
		kim.sees("* 2000-01-01\n00:00 [kim] first\n* 2000-01-02\n00:00 [kim] second\n")

		pipe := h.person(t, 0, session.Visitor{User: "lee", Env: map[string]string{"TZ": "UTC"}})
		const days = "2000-01-01 00:00 [kim] first\n2000-01-02 00:00 [kim] second\n"
		for _, line := range []string{"/history 2 time:short", "/history 2"} {
			before := pipe.screen()
			pipe.enter(line)
			pipe.sees(before + days)
		}
		var out, errs bytes.Buffer
		h.Exec(t.Context(), session.Visitor{Session: "e", Env: map[string]string{"TZ": "UTC"}}, "history 2 time:short", &out, &errs)
		if out.String() != days || errs.Len() > 0 {
			t.Errorf("history alone: %q, %q; want %q", &out, &errs, days)
		}
		pipe.enter("/time short")
		pipe.sees("Times are set to short.")
		kim.enter("live")
		pipe.sees("\n00:00 [kim] live\n")
	})
}

// brittle is an archive of a thousand lines whose disk breaks behind some of them, or stands still there.
type brittle struct {
	room.Archive // nothing else is asked

	broken  room.Seq      // the first line that cannot be read; 0 for none
	panics  bool          // it is worse than an error
	stuck   chan struct{} // if not nil, what reading that line waits for
	read    atomic.Int64  // lines that were read
	started bool
}

const brittleLines = 1000

func (b *brittle) Snapshot(context.Context) (room.Snapshot, error) { return room.Snapshot{}, nil }

func (b *brittle) Sightings(context.Context) ([]room.Sighting, error) { return nil, nil }

func (b *brittle) SaveSightings(context.Context, map[room.PersonID][]room.Sighting, time.Time) error {
	return nil
}

func (b *brittle) Back(_ context.Context, q room.LineQuery) (room.Seq, int, error) {
	if !b.started { // the rings are filled with nothing
		b.started = true
		return 0, 0, nil
	}
	n := min(q.N, brittleLines)
	return brittleLines + 1 - room.Seq(n), n, nil
}

func (b *brittle) Lines(ctx context.Context, q room.LineQuery) ([]*room.Event, error) {
	var lines []*room.Event
	for seq := q.From; seq <= brittleLines && len(lines) < q.N; seq++ {
		if seq == b.broken {
			if b.stuck != nil {
				select {
				case <-b.stuck:
				case <-ctx.Done():
					return nil, context.Cause(ctx)
				}
			} else if len(lines) > 0 {
				break
			} else if b.panics {
				panic("built in")
			} else {
				return nil, errors.New("disk I/O error")
			}
		}
		lines = append(lines, &room.Event{
			Seq: seq, Subject: room.Lobby, At: time.Unix(0, 0), From: room.Person{ID: "old", Nick: "old"}, Body: room.Said{Text: room.Sentence(fmt.Sprint("line ", seq))},
		})
	}
	b.read.Add(int64(len(lines)))
	return lines, nil
}

func TestAnAnswerThatBreaksOffIsToldAtItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits(), &brittle{broken: 700})
		kim := h.terminal(t, "kim")
		kim.enter("/history 1000")
		kim.sees("[old] line 699\n* That did not work, and it is our fault. If you report it, name s-kim.\n")
		kim.enter("still here")
		kim.sees("[kim] still here\n")

		var out, errs bytes.Buffer
		status := h.Exec(context.Background(), session.Visitor{Session: "e"}, "history 1000", &out, &errs)
		if !strings.HasSuffix(out.String(), "[old] line 699\n") || errs.String() != "That did not work, and it is our fault. If you report it, name e.\n" || status != 1 {
			t.Errorf("history alone ends with %q, %q, %d; want all lines that could be read, the sentence and 1",
				out.String()[max(0, out.Len()-40):], &errs, status)
		}
		if log := h.log.String(); strings.Count(log, "disk I/O error") != 2 {
			t.Errorf("log:\n%s\nwant what broke, each time", log)
		}
	})
}

func TestAPanicInAnAnswerEndsTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits(), &brittle{broken: 700, panics: true})
		kim, lee := h.terminal(t, "kim"), h.terminal(t, "lee")
		kim.enter("/history 1000")
		kim.sees("* A fault of ours ended your session.")
		kim.ends(room.EndingFault, 1)
		lee.sees("* kim left.\n")
	})
}

func TestTypingNeverWaitsForTheDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &brittle{broken: 700, stuck: make(chan struct{})}
		h := newHouse(t, limits(), b)
		kim := h.terminal(t, "kim")
		kim.enter("/history 1000")
		kim.enter("meanwhile")
		kim.sees("[kim] meanwhile\n")
		kim.seesNot("[old] line 700\n")
		close(b.stuck)
		kim.sees("[old] line 1000\n")

		b.stuck = make(chan struct{})
		lee := h.terminal(t, "lee")
		lee.enter("/history 1000")
		time.Sleep(time.Second)
		lee.enter("/bye") // the answer is waited for, and never comes
		time.Sleep(time.Second)
		lee.cancel(session.Shutdown)
		lee.ends(room.EndingShutdown, 1)
	})
}

func TestNothingIsReadForAScreenThatTakesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &brittle{}
		h := newHouse(t, limits(), b)
		kim := h.terminal(t, "kim")
		kim.setBehind(true)
		kim.enter("/history 1000")
		time.Sleep(time.Minute)
		if got := b.read.Load(); got > 256 {
			t.Errorf("%d lines were read for a screen that takes none, want one page of the archive at most", got)
		}
		kim.setBehind(false)
		kim.sees("[old] line 1000\n")
		if got := b.read.Load(); got != brittleLines {
			t.Errorf("%d lines were read, want each once", got)
		}
	})
}
