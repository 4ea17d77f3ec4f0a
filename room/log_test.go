package room_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sarangbang/room"
)

func event(s room.Seq) *room.Event { return &room.Event{Seq: s, Body: room.Said{}} }

// seqs lists the places of events.
func seqs(events []*room.Event) []room.Seq {
	out := make([]room.Seq, len(events))
	for i, e := range events {
		out[i] = e.Seq
	}
	return out
}

// upTo counts from a place to another.
func upTo(from, to room.Seq) (out []room.Seq) {
	for s := from; s <= to; s++ {
		out = append(out, s)
	}
	return out
}

const noBound = ^room.Seq(0)

func readAll(c *room.Cursor, bound room.Seq) (got []room.Seq, missed uint64) {
	buf := make([]*room.Event, 3)
	for {
		n, m := c.Read(buf, bound)
		got, missed = append(got, seqs(buf[:n])...), missed+m
		if n == 0 {
			return got, missed
		}
	}
}

func TestCursorReadsEverythingOnceInOrder(t *testing.T) {
	for _, size := range []int{7, 8, 9, 100, 1024} {
		l := room.NewLog(size)
		c := l.CursorAt(0, room.NewBell())
		var got, want []room.Seq
		for s := room.Seq(1); s <= 3000; s++ {
			l.Append(event(s))
			want = append(want, s)
			if s%7 == 0 { // before the smallest log forgets
				more, missed := readAll(c, noBound)
				if got = append(got, more...); missed != 0 {
					t.Fatalf("size %d: missed %d at %d, want 0", size, missed, s)
				}
			}
		}
		more, missed := readAll(c, noBound)
		if got = append(got, more...); !slices.Equal(got, want) || missed != 0 {
			t.Errorf("size %d: read %d events, missed %d; want %d in order, 0", size, len(got), missed, len(want))
		}
	}
}

func TestLogKeepsItsSize(t *testing.T) {
	for _, tt := range []struct{ size, keeps int }{{0, 1}, {1, 1}, {3, 3}, {8, 8}, {9, 9}, {1000, 1000}, {1024, 1024}} {
		l := room.NewLog(tt.size)
		for s := room.Seq(1); s <= 5000; s++ {
			l.Append(event(s))
		}
		c := l.CursorAt(0, room.NewBell())
		got, missed := readAll(c, noBound)
		if want := upTo(room.Seq(5000-tt.keeps+1), 5000); !slices.Equal(got, want) || missed != 0 {
			t.Errorf("size %d: a new reader gets %d events, missed %d; want the newest %d, 0", tt.size, len(got), missed, tt.keeps)
		}
	}
}

func TestSlowReaderIsToldAboutTheGap(t *testing.T) {
	l := room.NewLog(8)
	c := l.CursorAt(0, room.NewBell())
	for s := room.Seq(1); s <= 3; s++ {
		l.Append(event(s))
	}
	buf := make([]*room.Event, 2)
	if n, missed := c.Read(buf, noBound); n != 2 || missed != 0 {
		t.Fatalf("Read = %d, %d; want 2, 0", n, missed)
	}
	for s := room.Seq(4); s <= 20; s++ {
		l.Append(event(s))
	}
	// It had read up to 2; the log keeps 13 to 20.
	n, missed := c.Read(buf, noBound)
	if got := seqs(buf[:n]); !slices.Equal(got, []room.Seq{13, 14}) || missed != 10 {
		t.Errorf("Read = %v, missed %d; want [13 14], 10", got, missed)
	}
	if got, missed := readAll(c, noBound); !slices.Equal(got, upTo(15, 20)) || missed != 0 {
		t.Errorf("the rest = %v, missed %d; want 15 to 20, 0", got, missed)
	}
}

func TestCursorStopsAtTheBound(t *testing.T) {
	l := room.NewLog(8)
	c := l.CursorAt(0, room.NewBell())
	for _, s := range []room.Seq{2, 4, 6} {
		l.Append(event(s))
	}
	for _, tt := range []struct {
		bound room.Seq
		want  []room.Seq
	}{{1, nil}, {4, []room.Seq{2, 4}}, {5, nil}, {6, []room.Seq{6}}, {noBound, nil}} {
		if got, _ := readAll(c, tt.bound); !slices.Equal(got, tt.want) {
			t.Errorf("read up to %d = %v, want %v", tt.bound, got, tt.want)
		}
	}
}

func TestCursorIsPlacedBySeq(t *testing.T) {
	l := room.NewLog(8)
	for s := room.Seq(10); s <= 100; s += 10 { // 30 to 100 are kept
		l.Append(event(s))
	}
	for _, tt := range []struct {
		from room.Seq
		want []room.Seq
	}{
		{0, []room.Seq{30, 40, 50, 60, 70, 80, 90, 100}},
		{30, []room.Seq{30, 40, 50, 60, 70, 80, 90, 100}},
		{31, []room.Seq{40, 50, 60, 70, 80, 90, 100}},
		{100, []room.Seq{100}},
		{101, nil},
		{noBound, nil},
	} {
		c := l.CursorAt(tt.from, room.NewBell())
		if got, missed := readAll(c, noBound); !slices.Equal(got, tt.want) || missed != 0 {
			t.Errorf("a cursor at %d reads %v, missed %d; want %v, 0", tt.from, got, missed, tt.want)
		}
		c.Close()
	}
	empty := room.NewLog(8)
	c := empty.CursorAt(50, room.NewBell())
	empty.Append(event(60))
	if got, _ := readAll(c, noBound); !slices.Equal(got, []room.Seq{60}) {
		t.Errorf("a cursor in an empty log reads %v, want [60]", got)
	}
}

func TestRingWakesEveryReaderOnce(t *testing.T) {
	l := room.NewLog(8)
	var bells []room.Bell
	var cursors []*room.Cursor
	for range 5 {
		b := room.NewBell()
		bells, cursors = append(bells, b), append(cursors, l.CursorAt(0, b))
	}
	rung := func() (who []int) {
		for i, b := range bells {
			select {
			case <-b:
				who = append(who, i)
			default:
			}
		}
		return who
	}
	l.Append(event(1))
	if got := rung(); len(got) != 0 {
		t.Errorf("Append rang %v, want nobody", got)
	}
	l.Ring()
	l.Ring() // merges with the first
	if got := rung(); !slices.Equal(got, []int{0, 1, 2, 3, 4}) {
		t.Errorf("Ring rang %v, want all", got)
	}
	if got := rung(); len(got) != 0 {
		t.Errorf("bells %v rang twice", got)
	}
	cursors[1].Close()
	cursors[1].Close()
	cursors[4].Close()
	l.Ring()
	if got := rung(); !slices.Equal(got, []int{0, 2, 3}) {
		t.Errorf("after two were closed Ring rang %v, want [0 2 3]", got)
	}
	for _, i := range []int{3, 0, 2} {
		cursors[i].Close()
	}
	l.Ring()
	if got := rung(); len(got) != 0 {
		t.Errorf("after all were closed Ring rang %v, want nobody", got)
	}
}

func TestLinesAreTheNewestThatWereSaid(t *testing.T) {
	l := room.NewLog(8)
	add := func(s room.Seq, b room.Body) { l.Append(&room.Event{Seq: s, Body: b}) }
	add(1, room.Said{})
	add(2, room.Joined{})
	add(3, room.Emoted{})
	add(4, room.Renamed{})
	add(5, room.Said{})
	add(6, room.Parted{})
	add(7, room.Said{})
	for _, tt := range []struct {
		before room.Seq
		n      int
		want   []room.Seq
	}{
		{noBound, 0, nil},
		{noBound, 2, []room.Seq{5, 7}},
		{noBound, 50, []room.Seq{1, 3, 5, 7}},
		{7, 2, []room.Seq{3, 5}},
		{1, 5, nil},
	} {
		if got := seqs(l.Lines(tt.before, tt.n)); !slices.Equal(got, tt.want) && len(got)+len(tt.want) > 0 {
			t.Errorf("Lines(%d, %d) = %v, want %v", tt.before, tt.n, got, tt.want)
		}
	}
	add(8, room.Said{})
	add(9, room.Said{}) // 1 is forgotten
	if got := seqs(l.Lines(noBound, 50)); !slices.Equal(got, []room.Seq{3, 5, 7, 8, 9}) {
		t.Errorf("Lines of a full log = %v, want [3 5 7 8 9]", got)
	}
}

func TestSlowTerminalsHoldNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const events, pause = 200, time.Second
		l := room.NewLog(16)
		var wg sync.WaitGroup
		for i := range 4 {
			bell := room.NewBell()
			c := l.CursorAt(0, bell)
			wg.Go(func() {
				defer c.Close()
				buf := make([]*room.Event, 4)
				last, read, missed := room.Seq(0), 0, uint64(0)
				for last < events {
					<-bell
					for {
						n, m := c.Read(buf, noBound)
						if missed += m; n == 0 {
							break
						}
						for _, e := range buf[:n] {
							if e.Seq <= last {
								t.Errorf("reader %d got %d after %d", i, e.Seq, last)
							}
							last = e.Seq
							read++
							time.Sleep(pause)
						}
					}
				}
				if read+int(missed) != events || missed == 0 {
					t.Errorf("reader %d read %d and missed %d, want %d together and some missed", i, read, missed, events)
				}
			})
		}
		synctest.Wait()
		begun := time.Now()
		for s := room.Seq(1); s <= events; s++ {
			l.Append(event(s))
			l.Ring()
			if s%10 == 0 {
				time.Sleep(pause)
			}
		}
		if got, want := time.Since(begun), events/10*pause; got != want {
			t.Errorf("publishing took %v, want %v: readers held it up", got, want)
		}
		wg.Wait()
	})
}

func BenchmarkFanOut(b *testing.B) {
	for _, readers := range []int{1, 100, 10_000} {
		b.Run(fmt.Sprintf("cursors=%d", readers), func(b *testing.B) {
			l := room.NewLog(1024)
			var wg sync.WaitGroup
			stop := make(chan struct{})
			for range readers {
				bell := room.NewBell()
				c := l.CursorAt(0, bell)
				wg.Go(func() {
					defer c.Close()
					buf := make([]*room.Event, 64)
					for {
						select {
						case <-bell:
						case <-stop:
							return
						}
						for n := 1; n > 0; n, _ = c.Read(buf, noBound) {
						}
					}
				})
			}
			e := event(1)
			b.ReportAllocs()
			for b.Loop() {
				l.Append(e)
				l.Ring()
			}
			close(stop)
			wg.Wait()
		})
	}
}
