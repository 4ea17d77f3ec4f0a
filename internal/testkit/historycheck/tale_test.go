package historycheck

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// tale writes the log of a perfect house in which much happens.
type tale struct {
	rng   *rand.Rand
	log   Log
	now   time.Duration
	said  []committed
	lines int
}

// committed is a line in its place, and the attempt that it came of.
type committed struct {
	Line
	send int
}

// onlooker is somebody who says and sees things.
type onlooker struct {
	t      *tale
	name   string
	owner  bool // of an account: owed what is said while they are away
	screen int  // -1 while they are away
	opened int
	seen   int // how much of what was said has been on their screen
	sure   int // and how much of it certainly
}

func (t *tale) person(name string, owner bool) *onlooker {
	return &onlooker{t: t, name: name, owner: owner, screen: -1}
}

// visible says what of everything that was said a person may see.
func (o *onlooker) visible(l Line) bool { return l.To == "" || l.To == o.name || l.Author == o.name }

func (o *onlooker) mark(m Mark) {
	s := &o.t.log.Screens[o.screen]
	s.Marks = append(s.Marks, m)
}

// comes opens a screen. Owners see what they missed, what may be a repetition marked as such; others a backlog of 5 lines.
func (o *onlooker) comes() {
	t := o.t
	o.opened++
	o.screen = len(t.log.Screens)
	t.log.Screens = append(t.log.Screens, Screen{Name: fmt.Sprintf("%s's screen %d", o.name, o.opened), Reader: o.name, Account: o.owner})
	switch {
	case o.owner && o.opened > 1:
		if o.sure < o.seen {
			o.mark(Mark{Kind: Again})
		}
		seen := o.seen
		for o.seen = o.sure; o.seen < seen; {
			o.sees(1)
		}
		o.mark(Mark{Kind: New})
		o.sees(len(t.said))
	case len(t.said) > 0:
		o.mark(Mark{Kind: Again})
		for o.seen = max(0, len(t.said)-5); o.seen < len(t.said); o.seen++ {
			if l := t.said[o.seen].Line; l.To == "" {
				o.mark(Mark{Kind: Saw, Line: l})
			}
		}
		o.mark(Mark{Kind: New})
	}
	o.sure = o.seen
}

// sees reads on, n lines at most.
func (o *onlooker) sees(n int) {
	for ; n > 0 && o.seen < len(o.t.said); n, o.seen = n-1, o.seen+1 {
		c := o.t.said[o.seen]
		if !o.visible(c.Line) {
			continue
		}
		o.t.now += time.Millisecond
		o.mark(Mark{Kind: Saw, Line: c.Line})
		if s := &o.t.log.Sends[c.send]; s.Author == o.name && s.Outcome == Unknown {
			s.Outcome, s.Done = Shown, o.t.now
		}
	}
}

// lags skips n lines, and is told.
func (o *onlooker) lags(n int) {
	told := 0
	for ; n > 0 && o.seen < len(o.t.said); n, o.seen = n-1, o.seen+1 {
		if o.visible(o.t.said[o.seen].Line) {
			told++
		}
	}
	if told > 0 {
		o.mark(Mark{Kind: Gap, N: told})
	}
}

// goes ends the screen. What was on it at last is not certain to have been seen.
func (o *onlooker) goes() {
	o.screen, o.sure = -1, max(o.sure, o.seen-o.t.rng.IntN(4))
}

// says sends a line, which is committed unless the house has no room for it.
func (o *onlooker) says(to, text string, saved bool) {
	o.t.now += time.Millisecond
	s := Send{Line: Line{Author: o.name, To: to, Text: text}, Screen: o.screen, At: o.t.now}
	if saved {
		o.t.said = append(o.t.said, committed{s.Line, len(o.t.log.Sends)})
	} else {
		s.Outcome, s.Done = Refused, o.t.now
	}
	o.t.log.Sends = append(o.t.log.Sends, s)
}

func (t *tale) text() string {
	t.lines++
	return fmt.Sprint("line ", t.lines)
}

// asked is a restart: everybody is away, and the house tells its history.
func (t *tale) asked() {
	h := History{Name: fmt.Sprint("of restart ", len(t.log.Histories)+1)}
	for _, c := range t.said {
		if c.To == "" {
			h.Lines = append(h.Lines, c.Line)
		}
	}
	t.log.Histories = append(t.log.Histories, h)
}

// tell makes a log of some lives of a house.
func tell(seed uint64) *Log {
	t := &tale{rng: rand.New(rand.NewPCG(seed, 0))}
	people := []*onlooker{
		t.person("kim", true), t.person("lee", true), t.person("old", false), t.person("guest", false), t.person("quiet", true),
	}
	for range 4 {
		for range 400 {
			o := people[t.rng.IntN(len(people))]
			switch {
			case o.screen < 0:
				o.comes()
			case t.rng.IntN(40) == 0:
				o.goes()
			case t.rng.IntN(40) == 0:
				o.lags(1 + t.rng.IntN(30))
			case t.rng.IntN(20) == 0 && o.name != "kim" && people[0].opened > 0:
				o.says("kim", t.text(), true)
			case t.rng.IntN(20) == 0:
				text := t.text()
				o.says("", text, false)
				o.says("", text, true)
			case t.rng.IntN(40) == 0:
				o.says("", t.text(), false)
			case o.name != "quiet" && t.rng.IntN(2) == 0:
				o.says("", t.text(), true)
			default:
				o.sees(1 + t.rng.IntN(20))
			}
		}
		for _, o := range people {
			if o.screen >= 0 {
				o.goes()
			}
		}
		t.asked()
	}
	// At last everybody comes again, and sees everything.
	for _, o := range people {
		o.comes()
		if o.name == "lee" {
			o.says("", t.text(), true)
		}
	}
	for _, o := range people {
		o.sees(len(t.said))
	}
	t.asked()
	return &t.log
}
