package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// Streams of a small run: everybody sees the lines of two senders, turn by turn.
const testPeople, testSenders, testLines = 5, 2, 40

// testStreams returns what each person's terminal gets, row by row.
func testStreams(s script) [][]string {
	streams := make([][]string, testPeople)
	for p := range streams {
		streams[p] = append(streams[p], "* "+s.nick(p)+" joined.\r\n")
		for i := range testLines {
			l := line{sender: i % testSenders, number: i / testSenders, due: time.Duration(i) * time.Millisecond}
			row := "\r\x1b[K[" + s.nick(l.sender) + "] " + string(s.append(nil, l)) + "\r\n" + s.nick(p) + "> "
			streams[p] = append(streams[p], row)
		}
	}
	return streams
}

// account reads streams into ledgers, in parts that end anywhere, and judges them.
func account(t *testing.T, s script, streams [][]string, cut int) (*tally, []*ledger, []faults) {
	t.Helper()
	a := newTally(s, testPeople, testSenders, 0)
	for i := range a.said {
		a.said[i].Store(testLines / testSenders)
	}
	ledgers := make([]*ledger, len(streams))
	for p, rows := range streams {
		l := &ledger{tally: a, self: p}
		ledgers[p] = l
		var scanner rowScanner
		for part := range slices.Chunk([]byte(strings.Join(rows, "")), cut) {
			scanner.feed(part, func(row []byte) {
				if l.take(row, time.Second) {
					a.arrive(1)
				}
			})
		}
	}
	a.finish()
	return a, ledgers, a.judge(ledgers)
}

func TestPlantedFaultsAreFound(t *testing.T) {
	const victim = 0 // a sender, and the first of all: nobody's order is agreed on just because it came first
	s := scriptOf("4711", 100)
	for _, c := range []struct {
		name  string
		plant func(rows []string) []string
		want  faults
	}{
		{"nothing", func(rows []string) []string { return rows }, faults{}},
		{"a lost line", func(rows []string) []string { return slices.Delete(rows, 7, 8) }, faults{Lost: 1}},
		{"the last line lost", func(rows []string) []string { return rows[:testLines] }, faults{Lost: 1}},
		{"a doubled line", func(rows []string) []string { return slices.Insert(rows, 9, rows[8]) }, faults{Doubled: 1}},
		{"an old line again", func(rows []string) []string { return append(rows, rows[3]) }, faults{Doubled: 1}},
		{"two lines exchanged", func(rows []string) []string {
			rows[10], rows[11] = rows[11], rows[10]
			return rows
		}, faults{OutOfOrder: 1}},
		{"one sender's lines exchanged", func(rows []string) []string {
			rows[10], rows[12] = rows[12], rows[10]
			return rows
		}, faults{OutOfOrder: 2}},
		{"a late line", func(rows []string) []string {
			return append(slices.Delete(slices.Clone(rows), 5, 6), rows[5])
		}, faults{OutOfOrder: 1}},
		{"a stalled stream", func(rows []string) []string { return rows[:21] }, faults{Lost: 20}},
		{"nothing at all", func([]string) []string { return nil }, faults{Lost: testLines}},
		{"a torn line", func(rows []string) []string {
			rows[4] = strings.Replace(rows[4], "fox", "\r\nx", 1)
			return rows
		}, faults{Lost: 1, Damaged: 1}},
		{"a draft that looks like a line", func(rows []string) []string {
			return slices.Insert(rows, 4, "\r"+s.nick(victim)+"> "+string(s.append(nil, line{}))+"\r\n")
		}, faults{}},
		{"a line that nobody said", func(rows []string) []string {
			row := "[" + s.nick(1) + "] " + string(s.append(nil, line{sender: 1, number: testLines}))
			return slices.Insert(rows, 4, "\r"+row+"\r\n")
		}, faults{Damaged: 1}},
		{"a line of somebody who says nothing", func(rows []string) []string {
			row := "[" + s.nick(3) + "] " + string(s.append(nil, line{sender: 3}))
			return slices.Insert(rows, 4, "\r"+row+"\r\n")
		}, faults{Damaged: 1}},
		{"several", func(rows []string) []string {
			rows = slices.Delete(rows, 7, 8)
			rows = slices.Insert(rows, 9, rows[8])
			rows[20], rows[21] = rows[21], rows[20]
			return rows
		}, faults{Lost: 1, Doubled: 1, OutOfOrder: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			streams := testStreams(s)
			streams[victim] = c.plant(streams[victim])
			for _, cut := range []int{1, 7, 1 << 20} {
				a, _, got := account(t, s, streams, cut)
				for p, f := range got {
					want := faults{}
					if p == victim {
						want = c.want
					}
					if f != want {
						t.Errorf("in parts of %d bytes, person %d: %+v, want %+v", cut, p, f, want)
					}
				}
				select {
				case <-a.complete:
					if c.want.Lost > 0 {
						t.Error("complete, though a line is missing")
					}
				default:
					if c.want.Lost == 0 {
						t.Error("not complete, though everybody has everything")
					}
				}
			}
		})
	}
}

func TestALineMayTakeSeveralRows(t *testing.T) {
	s := scriptOf("4711", 1000)
	wrapped := func(n, width int) (rows []string) {
		row := "[" + s.nick(1) + "] "
		for word := range strings.SplitAfterSeq(string(s.append(nil, line{sender: 1, number: n})), " ") {
			if len(row)+len(word) > width {
				rows, row = append(rows, row), gutter
			}
			row += word
		}
		return append(rows, row)
	}
	for _, c := range []struct {
		name  string
		rows  []string
		lines int
		want  int // damaged
	}{
		{"whole", slices.Concat(wrapped(0, 300), wrapped(1, 120)), 2, 0},
		{"not wrapped", slices.Concat(wrapped(0, 2000), wrapped(1, 300)), 2, 0},
		{"a row lost", slices.Concat(slices.Delete(wrapped(0, 300), 2, 3), wrapped(1, 300)), 1, 1},
		{"the first row lost", slices.Concat(wrapped(0, 300)[1:], wrapped(1, 300)), 1, 0},
		{"the last row lost", slices.Concat(wrapped(0, 1000)[:1], wrapped(1, 300)), 1, 1},
		{"a row doubled", slices.Concat(slices.Insert(wrapped(0, 300), 2, wrapped(0, 300)[1]), wrapped(1, 300)), 1, 1},
		{"a notice between", slices.Insert(wrapped(0, 300), 1, "* kim joined."), 0, 1},
		{"one other byte", []string{strings.Replace(wrapped(0, 600)[0], "fox", "fix", 1), wrapped(0, 600)[1]}, 0, 1},
	} {
		a := newTally(s, 2, 2, 0)
		a.said[1].Store(2)
		l := &ledger{tally: a}
		lines := 0
		for _, row := range c.rows {
			if l.take([]byte(row), time.Second) {
				lines++
			}
		}
		if lines != c.lines || l.damaged != c.want {
			t.Errorf("%s: %d lines, %d damaged, want %d, %d", c.name, lines, l.damaged, c.lines, c.want)
		}
	}
}

func TestWhoMayMissLinesHasNoVoteAboutTheirOrder(t *testing.T) {
	s := scriptOf("4711", 100)
	streams := testStreams(s)
	for p := 2; p < testPeople; p++ { // the most, and alike
		streams[p][10], streams[p][11] = streams[p][11], streams[p][10]
	}
	a, ledgers, _ := account(t, s, streams, 1<<20)
	for _, l := range ledgers[2:] {
		l.aside = true
	}
	for p, f := range a.judge(ledgers) {
		want := faults{}
		if p >= 2 {
			want.OutOfOrder = 1
		}
		if f != want {
			t.Errorf("person %d: %+v, want %+v", p, f, want)
		}
	}
}

func TestLatencyIsPartedByWhenLinesWereDue(t *testing.T) {
	s := scriptOf("4711", 100)
	a := newTally(s, 2, 2, 0)
	a.phase = 10 * time.Second
	a.said[1].Store(5)
	l := &ledger{tally: a}
	for n, due := range []time.Duration{0, 9999 * time.Millisecond, 10 * time.Second, 29 * time.Second, 31 * time.Second} {
		l.take([]byte("["+s.nick(1)+"] "+string(s.append(nil, line{sender: 1, number: n, due: due}))), due+time.Second)
	}
	for i, want := range []uint64{2, 1, 2} {
		if got := l.latency[i].n; got != want {
			t.Errorf("phase %d has %d lines, want %d", i, got, want)
		}
	}
	if all := l.latencies(); all.n != 5 || all.max != time.Second {
		t.Errorf("latency of %d lines, at most %v, want 5 and 1s", all.n, all.max)
	}
}

func TestLossOnAllScreensIsNoDisorder(t *testing.T) {
	s := scriptOf("4711", 100)
	streams := testStreams(s)
	for p := range streams {
		streams[p] = slices.Delete(streams[p], 3*p+2, 3*p+4)
	}
	_, _, got := account(t, s, streams, 1<<20)
	for p, f := range got {
		if want := (faults{Lost: 2}); f != want {
			t.Errorf("person %d: %+v, want %+v", p, f, want)
		}
	}
}

func TestACutStreamIsAFault(t *testing.T) {
	s := scriptOf("4711", 100)
	a, ledgers, _ := account(t, s, testStreams(s), 1<<20)
	ledgers[2].cut = errors.New("connection reset")
	got := fmt.Sprint(a.judge(ledgers))
	if want := fmt.Sprint([]faults{{}, {}, {Cut: "connection reset"}, {}, {}}); got != want {
		t.Errorf("faults = %v, want %v", got, want)
	}
}

func TestLatencyCountsFromTheDueTimeAndLeavesOwnLinesOut(t *testing.T) {
	s := scriptOf("4711", 100)
	_, ledgers, _ := account(t, s, testStreams(s), 1<<20)
	for p, want := range []uint64{testLines / 2, testLines / 2, testLines, testLines, testLines} {
		if got := ledgers[p].latency[0].n; got != want {
			t.Errorf("person %d: latency of %d lines, want %d", p, got, want)
		}
	}
	if got, want := ledgers[2].latency[0].max, time.Second; got != want {
		t.Errorf("latency of the line that was due at 0 = %v, want %v", got, want)
	}
	if got, want := ledgers[0].latency[0].max, time.Second-time.Millisecond; got != want {
		t.Errorf("latency of the first line of somebody else = %v, want %v", got, want)
	}
}

// A delivery must cost the generator little beside what it costs the best server.
func BenchmarkDelivery(b *testing.B) {
	s := scriptOf("4711", 100)
	a := newTally(s, testPeople, testSenders, 0)
	l := &ledger{tally: a, self: -1}
	var scanner rowScanner
	row := []byte("[" + s.nick(1) + "] " + string(s.append(nil, line{sender: 1, number: 5, due: time.Second})) + "\r\n")
	a.said[1].Store(6)
	b.ReportAllocs()
	b.SetBytes(int64(len(row)))
	for b.Loop() {
		scanner.feed(row, func(row []byte) { l.take(row, time.Second) })
	}
}
