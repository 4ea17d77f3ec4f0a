package room

import "time"

// pace is how much later than its cause a ring may come, so that one wakes everybody for all that came meanwhile: never after a silence
// that was as long, and only where waking so many costs more than a little.
type pace struct {
	each time.Duration // for each reader: a wake-up, and a packet of its own, cost about 20 µs of a processor
	most time.Duration
}

// A log in which lines keep coming uses 4 % of a processor for waking its readers up, until it has 40 of them. A line then comes 20 ms
// after another at most: nobody sees that. Who comes and goes is read later, and a thousand who come at once tell it to each other.
var (
	linePace   = pace{500 * time.Microsecond, 20 * time.Millisecond}
	noticePace = pace{5 * time.Millisecond, 150 * time.Millisecond}
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

// touch is a log that a batch has put something into, and how soon its readers are to know.
type touch struct {
	log  *Log
	pace pace
}

// touching notes that a batch has put something into a log.
func touching(all []touch, l *Log, p pace) []touch {
	for i := range all {
		if all[i].log == l {
			if p.most < all[i].pace.most {
				all[i].pace = p
			}
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
	due := l.ringing.last.Add(min(p.most, time.Duration(len(l.readers))*p.each))
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
