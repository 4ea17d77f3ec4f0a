package main

import "bytes"

// joinedWords end a notice of one arrival or of many at the doors of SSH.
const joinedWords = "joined."

// arrivals are the people of a run whom one person saw come in, behind that person's own arrival. They belong to the goroutine that
// reads for the person until that has ended.
type arrivals struct {
	door door
	name string // what every nickname of the run begins with
	seen bitset // by number
	told []uint32
	open bool // told is of a notice whose last row has not come yet
}

func newArrivals(s script, d door) *arrivals {
	return &arrivals{door: d, name: s.head[1:]}
}

// take looks at a row that is no line of the run. A notice of many arrivals may take several rows: only the last one tells what they
// are about.
func (a *arrivals) take(row []byte) {
	end := joinWords
	if a.door.ssh() {
		end = joinedWords
		a.open = startsWith(row, notice) || a.open && startsWith(row, gutter)
		if startsWith(row, notice) {
			a.told = a.told[:0]
		}
	} else {
		a.open, a.told = true, a.told[:0]
	}
	if !a.open {
		return
	}
	for {
		_, rest, ok := bytes.Cut(row, []byte(a.name))
		if !ok {
			break
		}
		if n, ok := personNumber(rest); ok {
			a.told = append(a.told, n)
		}
		row = rest
	}
	if !bytes.HasSuffix(row, []byte(end)) {
		return
	}
	for _, n := range a.told {
		a.seen.add(n)
	}
	a.open = false
}

// personNumber reads the digits of a nickname.
func personNumber(p []byte) (n uint32, ok bool) {
	if len(p) < personDigits {
		return 0, false
	}
	for _, c := range p[:personDigits] {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + uint32(c-'0')
	}
	return n, true
}

// unseen counts, for each person, the arrivals that they should have seen and did not. Of two people the one who came first has seen
// the other; if neither has, it is put down to the one who was told earlier of being in. All must have left.
func (c *crowd) unseen() []int64 {
	lost := make([]int64, len(c.people))
	for i, p := range c.people {
		for j, q := range c.people[:i] {
			if p.arrivals.seen.has(uint32(q.number)) || q.arrivals.seen.has(uint32(p.number)) {
				continue
			}
			if p.place < q.place {
				lost[i]++
			} else {
				lost[j]++
			}
		}
	}
	return lost
}
