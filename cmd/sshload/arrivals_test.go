package main

import (
	"slices"
	"strings"
	"testing"
)

func TestArrivalsAreReadFromNotices(t *testing.T) {
	s := scriptOf("4711", 100)
	n := s.nick
	for _, c := range []struct {
		name string
		door door
		rows []string
		want []uint32
	}{
		{"one", terminalDoor, []string{"* " + n(3) + " joined."}, []uint32{3}},
		{"two at once", pipeDoor, []string{"* " + n(3) + " and " + n(4) + " joined."}, []uint32{3, 4}},
		{"many, in several rows", terminalDoor, []string{"* " + n(1) + ", " + n(2) + ",", "¦ " + n(3) + " and", "¦ " + n(12345) + " joined."}, []uint32{1, 2, 3, 12345}},
		{"words in a row of their own", terminalDoor, []string{"* " + n(1) + " and " + n(2), "¦ joined."}, []uint32{1, 2}},
		{"strangers among them", terminalDoor, []string{"* kim, " + n(1) + " and lee joined."}, []uint32{1}},
		{"another run", terminalDoor, []string{"* load-4712-00001 joined."}, nil},
		{"people who leave", terminalDoor, []string{"* " + n(1) + " and", "¦ " + n(2) + " left."}, nil},
		{"people who are there", terminalDoor, []string{"* Here: " + n(1) + ", " + n(2) + "."}, nil},
		{"a notice without its end", terminalDoor, []string{"* " + n(1) + " and", "[kim] hello", "¦ " + n(2) + " joined."}, nil},
		{"one that begins anew", terminalDoor, []string{"* " + n(1) + " and", "* " + n(2) + " joined."}, []uint32{2}},
		{"what somebody says", terminalDoor, []string{"[kim] * " + n(1) + " joined."}, nil},
		{"half a nickname", terminalDoor, []string{"* load-4711-0 joined."}, nil},
		{"the old protocol", tcpDoor, []string{"[" + n(1) + "]" + joinWords, "[" + n(2) + "]" + partWords}, []uint32{1}},
		{"behind its question", tcpLinesDoor, []string{"채팅 닉네임을 입력하세요.: [" + n(1) + "]" + joinWords}, []uint32{1}},
	} {
		a := newArrivals(s, c.door)
		for _, row := range c.rows {
			a.take([]byte(row))
		}
		var got []uint32
		for i := range uint32(len(a.seen) * 64) {
			if a.seen.has(i) {
				got = append(got, i)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q tell of %v, want %v", c.name, c.rows, got, c.want)
		}
	}
}

// A house that is cheap because it tells less must not look good.
func TestArrivalsThatNobodyIsToldOf(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		untold func(person, newcomer int) bool
		want   int64
	}{
		"none is lost":                {func(int, int) bool { return false }, 0},
		"one does not see another":    {func(person, newcomer int) bool { return person+newcomer == 7 && person*newcomer == 0 }, 1},
		"nobody is told of anybody":   {func(int, int) bool { return true }, 8 * 7 / 2},
		"one does not see the others": {func(person, newcomer int) bool { return person == 0 || newcomer == 0 }, 7},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, &house{untold: c.untold})
			status, r := attend(t, "join", h.addr, "--people 8")
			if (status == exitGood) != (c.want == 0) || r.Faults != (totals{Lost: c.want}) {
				t.Errorf("exit status %d, faults %+v of %+v, want %d lost", status, r.Faults, r.Faulty, c.want)
			}
		})
	}
}

// A row of a notice must cost the generator little beside what it costs the best server.
func BenchmarkArrivals(b *testing.B) {
	s := scriptOf("4711", 100)
	names := make([]string, 25)
	for i := range names {
		names[i] = s.nick(i)
	}
	row := []byte("* " + strings.Join(names, ", ") + " joined.")
	a := newArrivals(s, terminalDoor)
	b.ReportAllocs()
	for b.Loop() {
		a.take(row)
	}
}
