package room

import "time"

// How long the readers of a log are left alone for each of them, once they were woken: to wake one and to send it a packet costs some
// 25 µs of a processor, so that a room uses about 5 % of one for lines, and half of that for who comes and goes, as long as it has no
// more readers than fit into a pace (40, of lines): above that nobody waits longer, and it uses more.
const (
	lineShare   = 500 * time.Microsecond
	noticeShare = time.Millisecond
)

// pace is how much later than its cause a ring may come at most, so that one wakes everybody for all that came meanwhile. It never is
// after a silence of that length.
type pace time.Duration

// A line comes 20 ms after another at most: nobody sees that. Who comes and goes is read later, and a thousand who come at once tell it
// to each other.
const (
	linePace   = pace(20 * time.Millisecond)
	noticePace = pace(time.Second)
)

// paceOf is that of an event.
func paceOf(e *Event) pace {
	switch e.Body.(type) {
	case Joined, Parted, Renamed:
		return noticePace
	default:
		return linePace
	}
}

// after returns how long so many readers are left alone before such a ring.
func (p pace) after(readers int) time.Duration {
	share := lineShare
	if p == noticePace {
		share = noticeShare
	}
	return min(time.Duration(p), time.Duration(readers)*share)
}

// touch is a log that a batch has put something into, and how soon its readers are to know.
type touch struct {
	log  *Log
	pace pace
}

// touching notes that a batch has put something into a log.
func touching(all []touch, l *Log, p pace) []touch {
	for i := range all {
		if all[i].log == l {
			all[i].pace = min(all[i].pace, p)
			return all
		}
	}
	return append(all, touch{l, p})
}

// ringing is when a log rang last and will ring next.
type ringing struct {
	last  time.Time
	due   time.Time // zero for no ring on its way
	timer *time.Timer
}

// ringSoon wakes every reader: at once if nobody was woken a moment ago, else once that moment is over.
func (l *Log) ringSoon(p pace) {
	l.readersMu.Lock()
	defer l.readersMu.Unlock()
	now := time.Now()
	due := l.ringing.last.Add(p.after(len(l.readers)))
	switch {
	case !now.Before(due):
		l.ringLocked()
	case !l.ringing.due.IsZero() && !due.Before(l.ringing.due): // a ring is on its way
	default:
		l.ringing.due = due
		if l.ringing.timer == nil {
			l.ringing.timer = time.AfterFunc(due.Sub(now), l.ringIfDue)
		} else {
			l.ringing.timer.Reset(due.Sub(now))
		}
	}
}

// ringIfDue is run by the timer. Of a ring that was moved or that nobody needs any more it does nothing.
func (l *Log) ringIfDue() {
	l.readersMu.Lock()
	defer l.readersMu.Unlock()
	if due := l.ringing.due; !due.IsZero() && !time.Now().Before(due) {
		l.ringLocked()
	}
}
