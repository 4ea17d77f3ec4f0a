package moderation

import "time"

// window is the time in which refusals are counted.
const window = 10 * time.Second

// Refusals count what one session was refused of late. It belongs to one goroutine.
type Refusals struct {
	most  int
	times []time.Time // of the last so many refusals, as a ring once it is full
	next  int         // where the oldest of a full ring stands
}

// NewRefusals returns a count that so many refusals in 10 s do not exceed.
func NewRefusals(most int) *Refusals { return &Refusals{most: most} }

// Add counts one refusal, and reports whether there have been more than allowed within 10 s: the session is to end.
func (r *Refusals) Add() bool {
	now := time.Now()
	if len(r.times) < r.most {
		r.times = append(r.times, now)
		return false
	}
	if r.most <= 0 {
		return true
	}
	oldest := r.times[r.next]
	r.times[r.next] = now
	r.next = (r.next + 1) % r.most
	return now.Sub(oldest) < window
}
