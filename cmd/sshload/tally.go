package main

import (
	"sync/atomic"
	"time"
)

// lineID numbers the lines of all senders through: number × senders + sender.
type lineID uint32

// tally is the account of a run: what was said, and what came of it on each screen.
type tally struct {
	script  script
	people  int            // who must get everything
	phase   time.Duration  // the run is parted into three of this length; 0: it is not
	said    []atomic.Int64 // by sender; counted before the line is on its way
	window  []*window      // by sender; nil in an open loop
	arrived atomic.Int64   // lines on screens, each once for each screen

	final    atomic.Bool // nothing more is said
	complete chan struct{}
	closed   atomic.Bool // complete is closed
}

func newTally(s script, people, senders, windowLines int) *tally {
	t := &tally{script: s, people: people, said: make([]atomic.Int64, senders), complete: make(chan struct{})}
	if windowLines > 0 {
		t.window = make([]*window, senders)
		for i := range t.window {
			t.window[i] = newWindow(windowLines, people)
		}
	}
	return t
}

// lines returns how many lines were said.
func (t *tally) lines() (n int64) {
	for i := range t.said {
		n += t.said[i].Load()
	}
	return n
}

// finish says that nothing more will be said: complete is closed once everybody has everything.
func (t *tally) finish() {
	t.final.Store(true)
	t.arrive(0)
}

func (t *tally) arrive(n int64) {
	now := t.arrived.Add(n)
	if t.final.Load() && now == t.lines()*int64(t.people) && t.closed.CompareAndSwap(false, true) {
		close(t.complete)
	}
}

// ledger is what one person saw. It belongs to the goroutine that reads for the person until that has ended.
type ledger struct {
	tally   *tally
	self    int  // the person's number
	aside   bool // the person may miss lines: nobody waits for them
	seen    bitset
	order   []lineID // as they came, each line once
	digest  uint64   // of order
	doubled int
	damaged int
	cut     error // why the person's stream ended before the run did
	last    time.Duration
	latency []latencies // without the person's own lines, by the phase in which they were due; nil: there are none

	opened line   // a line of which the first rows have come
	tail   string // what must still come of it; "": nothing
}

// phases of a run that is parted.
const phases = 3

// latencies returns those of the whole run.
func (l *ledger) latencies() (all latencies) {
	for i := range l.latency {
		all.merge(&l.latency[i])
	}
	return all
}

// take enters a row, read at the time since the start of the run, and says whether a line ended with it that is new to the person.
func (l *ledger) take(row []byte, at time.Duration) bool {
	if l.tail != "" {
		left, ok := resume(l.tail, row)
		l.tail = left
		switch {
		case ok && left == "":
			return l.enter(l.opened, at)
		case ok:
			return false
		}
		l.tail = ""
		l.damaged++
	}
	t := l.tally
	said, m := t.script.parse(row)
	switch {
	case m == foreign:
		return false
	case m == damaged || said.sender >= len(t.said) || int64(said.number) >= t.said[said.sender].Load():
		l.damaged++
		return false
	case m == begun:
		l.opened, l.tail = said, t.script.tail(said, row)
		return false
	}
	return l.enter(said, at)
}

// enter enters a line.
func (l *ledger) enter(said line, at time.Duration) bool {
	t := l.tally
	id := lineID(said.number*len(t.said) + said.sender)
	if !l.seen.add(uint32(id)) {
		l.doubled++
		return false
	}
	l.order = append(l.order, id)
	l.digest = (l.digest ^ uint64(id+1)) * 0x100000001b3 // FNV-1a, by lines
	l.last = at
	if said.sender != l.self {
		if l.latency == nil {
			l.latency = make([]latencies, phases)
		}
		phase := 0
		if t.phase > 0 {
			phase = min(int(said.due/t.phase), phases-1)
		}
		l.latency[phase].add(at - said.due)
	}
	if t.window != nil && !l.aside {
		t.window[said.sender].landed(said.number)
	}
	return true
}

// faults are what was wrong with one person's stream.
type faults struct {
	Lost       int64  `json:"lost"`
	Doubled    int64  `json:"doubled"`
	OutOfOrder int64  `json:"out_of_order"`
	Damaged    int64  `json:"damaged"`
	Cut        string `json:"cut,omitempty"`
}

func (f faults) any() bool { return f != faults{} }

// judge compares all ledgers, whose goroutines have ended, with what was said and with each other.
//
// The agreed order is the one that most people saw alike, and among those the longest: one stream that is out of order must
// not make all others look so.
func (t *tally) judge(ledgers []*ledger) []faults {
	type stream struct {
		digest uint64
		lines  int
	}
	votes := map[stream]int{}
	var agreed *ledger
	most := 0
	for _, l := range ledgers {
		if !l.aside {
			votes[stream{l.digest, len(l.order)}]++
		}
	}
	for _, l := range ledgers {
		if n := votes[stream{l.digest, len(l.order)}]; n > most || n > 0 && n == most && len(l.order) > len(agreed.order) {
			agreed, most = l, n
		}
	}
	place := make(map[lineID]int, len(agreed.order))
	for i, id := range agreed.order {
		place[id] = i
	}
	said := t.lines()
	all := make([]faults, len(ledgers))
	for i, l := range ledgers {
		all[i] = faults{Lost: said - int64(len(l.order)), Doubled: int64(l.doubled), Damaged: int64(l.damaged)}
		if l.cut != nil {
			all[i].Cut = l.cut.Error()
		}
		if l.digest != agreed.digest || len(l.order) != len(agreed.order) {
			all[i].OutOfOrder = outOfOrder(l.order, place)
		}
	}
	return all
}

// outOfOrder counts the lines that came behind one that the others saw later.
func outOfOrder(order []lineID, place map[lineID]int) (n int64) {
	furthest := -1
	for _, id := range order {
		at, ok := place[id]
		if !ok {
			continue // the others lost it, which is counted there
		}
		if at < furthest {
			n++
		}
		furthest = max(furthest, at)
	}
	return n
}

// bitset is a set of numbers: of lines, or of people.
type bitset []uint64

// has says whether n is in it.
func (b bitset) has(n uint32) bool {
	return int(n/64) < len(b) && b[n/64]&(1<<(n%64)) != 0
}

// add puts n in and says whether it was new.
func (b *bitset) add(n uint32) bool {
	word, bit := int(n/64), uint64(1)<<(n%64)
	for len(*b) <= word {
		*b = append(*b, 0)
	}
	fresh := (*b)[word]&bit == 0
	(*b)[word] |= bit
	return fresh
}
