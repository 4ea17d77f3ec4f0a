package room

import (
	"slices"
	"sync/atomic"
	"testing"
)

// This test is inside the package because a Reader is made by a House only, and here its logs and its bound are set by hand.

func putAt(l *Log, seqs ...Seq) {
	for _, s := range seqs {
		l.Append(&Event{Seq: s, Body: Said{}})
	}
}

func readSeqs(r *Reader, size int) (got []Seq, missed uint64) {
	buf := make([]*Event, size)
	n, missed := r.Read(buf)
	for _, e := range buf[:n] {
		got = append(got, e.Seq)
	}
	return got, missed
}

func wantRead(t *testing.T, r *Reader, size int, want []Seq, wantMissed uint64) {
	t.Helper()
	got, missed := readSeqs(r, size)
	if !slices.Equal(got, want) || missed != wantMissed {
		t.Errorf("Read = %v, missed %d; want %v, %d", got, missed, want, wantMissed)
	}
}

func TestReaderMergesLogsInOneOrder(t *testing.T) {
	var applied atomic.Uint64
	a, b := NewLog(64), NewLog(64)
	r := newReader(&applied, NewBell(), 0, a, b)
	var want []Seq
	for s := Seq(1); s <= 60; s++ { // bursts longer than what is read ahead, and single ones
		if s/20%2 == 0 || s%7 == 0 {
			putAt(a, s)
		} else {
			putAt(b, s)
		}
		want = append(want, s)
	}
	applied.Store(60)
	var got []Seq
	for {
		more, missed := readSeqs(r, 7)
		if len(more) == 0 {
			break
		}
		if got = append(got, more...); missed != 0 {
			t.Errorf("missed %d, want 0", missed)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("read %v, want %v", got, want)
	}
	if r.Seen() != 60 {
		t.Errorf("Seen = %d, want 60", r.Seen())
	}
}

func TestReaderWaitsForWhatMayStillComeBefore(t *testing.T) {
	var applied atomic.Uint64
	a, b := NewLog(8), NewLog(8)
	r := newReader(&applied, NewBell(), 0, a, b)
	applied.Store(1)
	putAt(a, 1, 4) // 4 is of a batch that is not applied whole: b may still get 2 and 3
	wantRead(t, r, 8, []Seq{1}, 0)
	wantRead(t, r, 8, nil, 0)
	if r.Seen() != 1 {
		t.Errorf("Seen = %d, want 1", r.Seen())
	}
	putAt(b, 2, 3)
	applied.Store(4)
	wantRead(t, r, 8, []Seq{2, 3, 4}, 0)
}

func TestReaderGivesWhatIsInTwoLogsOnce(t *testing.T) {
	var applied atomic.Uint64
	a, b := NewLog(8), NewLog(8)
	r := newReader(&applied, NewBell(), 0, a, b)
	putAt(a, 1, 2, 5)
	putAt(b, 2, 3, 5)
	applied.Store(5)
	wantRead(t, r, 3, []Seq{1, 2, 3}, 0)
	wantRead(t, r, 3, []Seq{5}, 0)
}

func TestReaderStartsAtItsPlace(t *testing.T) {
	var applied atomic.Uint64
	a, b := NewLog(8), NewLog(8)
	putAt(a, 1, 3, 5)
	putAt(b, 2, 4, 6)
	applied.Store(6)
	bell := NewBell()
	r := newReader(&applied, bell, 4, a, b)
	select {
	case <-bell:
	default:
		t.Error("the bell of a new reader is silent, want it rung: something may wait")
	}
	if r.Seen() != 3 {
		t.Errorf("Seen = %d, want 3", r.Seen())
	}
	wantRead(t, r, 8, []Seq{4, 5, 6}, 0)
	r.Close()
	a.Ring()
	b.Ring()
	select {
	case <-bell:
		t.Error("the bell of a closed reader rang")
	default:
	}
}

func TestReaderCountsWhatEveryLogForgot(t *testing.T) {
	var applied atomic.Uint64
	a, b := NewLog(8), NewLog(8)
	r := newReader(&applied, NewBell(), 0, a, b)
	for s := Seq(1); s <= 40; s += 2 {
		putAt(a, s)
		putAt(b, s+1)
	}
	applied.Store(40)
	got, missed := readSeqs(r, 64)
	if len(got) != 16 || got[0] != 25 || missed != 24 {
		t.Errorf("Read = %v, missed %d; want 25 to 40, 24", got, missed)
	}
	if r.Seen() != 40 {
		t.Errorf("Seen = %d, want 40", r.Seen())
	}
}

// A gap is told in its place: before the first event after it, never before one that was already on its way.
func TestReaderTellsAGapWhereItIs(t *testing.T) {
	var applied atomic.Uint64
	a, bell := NewLog(8), NewBell()
	r := newReader(&applied, bell, 0, a)
	<-bell
	putAt(a, 1, 2, 3, 4)
	applied.Store(4)
	wantRead(t, r, 2, []Seq{1, 2}, 0) // 3 and 4 are read ahead
	for s := Seq(5); s <= 20; s++ {
		putAt(a, s)
	}
	applied.Store(20)
	wantRead(t, r, 64, []Seq{3, 4}, 0)
	if r.Seen() != 4 {
		t.Errorf("Seen before the gap = %d, want 4", r.Seen())
	}
	select {
	case <-bell:
	default:
		t.Error("the bell is silent, want it rung: more waits although dst was not full")
	}
	wantRead(t, r, 64, []Seq{13, 14, 15, 16, 17, 18, 19, 20}, 8)
	wantRead(t, r, 64, nil, 0)
}

func BenchmarkReaderRead(b *testing.B) {
	var applied atomic.Uint64
	lobby, own := NewLog(1024), NewLog(1024)
	r := newReader(&applied, NewBell(), 0, lobby, own)
	buf := make([]*Event, 64)
	e := make([]Event, 64)
	next := Seq(0)
	b.ReportAllocs()
	for b.Loop() { // 64 events each time, one of them for this person alone
		for i := range e {
			next++
			e[i] = Event{Seq: next, Body: Said{}}
			if i == 32 {
				own.Append(&e[i])
			} else {
				lobby.Append(&e[i])
			}
		}
		applied.Store(uint64(next))
		if n, _ := r.Read(buf); n != len(buf) {
			b.Fatalf("Read = %d events, want %d", n, len(buf))
		}
	}
}

// What is forgotten of a room that is not on the screen is not skipped: whoever turns to it looks it up.
func TestReaderTellsOfGapsOnlyWhereItsPersonLooks(t *testing.T) {
	var applied atomic.Uint64
	own, lobby, dev := NewLog(8), NewLog(2), NewLog(2)
	r := newReader(&applied, NewBell(), 0, own)
	r.attach(lobby, "room/lobby", 0)
	r.attach(dev, "room/dev", 0)
	r.Look("room/lobby")
	putAt(dev, 1, 2, 3, 4, 5)
	putAt(lobby, 6)
	applied.Store(6)
	wantRead(t, r, 8, []Seq{4, 5, 6}, 0)
	if got := r.Behind(); !slices.Equal(got, []Subject{"room/dev"}) || len(r.Behind()) > 0 {
		t.Errorf("Behind = %v, want #dev, once", got)
	}
	putAt(lobby, 7, 8, 9)
	applied.Store(9)
	wantRead(t, r, 8, []Seq{8, 9}, 1)
	if got := r.Behind(); len(got) > 0 {
		t.Errorf("Behind = %v after a gap that was told, want none", got)
	}
	r.Look("room/dev")
	putAt(dev, 10, 11, 12)
	applied.Store(12)
	wantRead(t, r, 8, []Seq{11, 12}, 1)
}
