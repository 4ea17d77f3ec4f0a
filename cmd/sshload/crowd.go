package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// loginsAtOnce is half of what makes a server with OpenSSH's habits drop newcomers at random.
const loginsAtOnce = 32

// lookEvery is how often a run is looked at, for whether it still moves.
const lookEvery = 250 * time.Millisecond

// clock is the time since the start of the run, which is set before anything is measured.
type clock struct{ start atomic.Pointer[time.Time] }

func (c *clock) begin() {
	now := time.Now()
	c.start.Store(&now)
}

func (c *clock) now() time.Duration {
	if start := c.start.Load(); start != nil {
		return time.Since(*start)
	}
	return 0
}

// crowd is a room full of people, and what they do in a run.
type crowd struct {
	options *options
	tally   *tally
	clock   *clock
	meter   *meter
	stays   bool         // people come into the room, and do not stop at the question for a nickname
	watches bool         // they count who comes after them
	people  []*person    // those who came in
	inside  atomic.Int64 // so many
	guests  atomic.Int64 // those who have come and gone
	late    atomic.Int64 // the most that a line was said after it was due, in nanoseconds
	entered latencies    // how long people took to come in
}

// Why a run ended early.
var (
	errOver    = errors.New("the time for saying lines is over")
	errTimeout = errors.New("--timeout is over")
)

// newCrowd is a crowd of which nobody has come yet. end takes away its progress line, sends everybody home and waits for them.
func newCrowd(o *options, stderr io.Writer) (c *crowd, end func(), err error) {
	m, err := newMeter(openProcfs(), o)
	if err != nil {
		return nil, nil, err
	}
	c = &crowd{
		options: o, clock: &clock{}, meter: m, stays: true,
		tally: newTally(newScript(max(o.bytes, shortestLine)), o.people-o.stuck, o.senders, o.window),
	}
	progress := startProgress(stderr, c.status)
	return c, func() {
		c.leave()
		progress.stop()
	}, nil
}

// newPerson is one who has not come yet. The last ones are those who will be stuck.
func (c *crowd) newPerson(number int) *person {
	p := newPerson(number, c.tally, c.clock, c.options.door)
	p.stays = c.stays
	if c.watches {
		p.arrivals = newArrivals(c.tally.script, c.options.door)
	}
	if number >= c.tally.people && number < c.options.people {
		p.ledger.aside = true
		if c.options.socket {
			p.socket = newGate()
		} else {
			p.screen = newGate()
		}
	}
	return p
}

// enter brings everybody in, loginsAtOnce at a time. The first error ends it.
func (c *crowd) enter(ctx context.Context) error {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	numbers := make(chan int)
	in := make([]*person, c.options.people)
	took := make([]time.Duration, c.options.people)
	var doors sync.WaitGroup
	for range min(loginsAtOnce, c.options.people) {
		doors.Go(func() {
			for n := range numbers {
				p, start := c.newPerson(n), time.Now()
				if err := p.enter(ctx, c.options.addr.String()); err != nil {
					err = fmt.Errorf("person %d did not come in: %w", n, err)
					if errors.Is(err, syscall.ECONNREFUSED) {
						err = fmt.Errorf("nothing listens at %v: %w", c.options.addr, err)
					}
					fail(err)
					return
				}
				in[n], took[n] = p, time.Since(start)
				p.place = c.inside.Add(1)
			}
		})
	}
	for n := range c.options.people {
		select {
		case numbers <- n:
		case <-ctx.Done():
		}
	}
	close(numbers)
	doors.Wait()
	for n, p := range in {
		if p != nil {
			c.people = append(c.people, p)
			c.entered.add(took[n])
		}
	}
	return context.Cause(ctx)
}

// probe has a line said that does not count, and waits until everybody has it. Before the run all arrivals are over then, and
// after it all that the server had to send, though it were too much.
func (c *crowd) probe(ctx context.Context, which int) error {
	if err := c.people[0].say([]byte(c.tally.script.probe(which))); err != nil {
		return fmt.Errorf("say a line %s the run: %w", probeNames[which], err)
	}
	patience := time.NewTimer(joinTimeout)
	defer patience.Stop()
	for _, p := range c.people {
		if p.ledger.aside && which == after {
			continue // may have been cut off for being stuck
		}
		select {
		case <-p.probed[which]:
		case <-p.gone:
			return fmt.Errorf("person %d was cut off %s the run: %w", p.number, probeNames[which], p.broken)
		case <-patience.C:
			return fmt.Errorf("person %d has not seen the line %s the run within %v", p.number, probeNames[which], joinTimeout)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// talk is the run: the senders talk until they are through or the time is over, and then everybody gets the rest. It reports
// whether that stalled: nothing arrived anywhere for too long, or all are gone. The error says that the run was ended from outside.
func (c *crowd) talk(ctx context.Context) (stalled bool, err error) {
	talking, hush := context.WithCancelCause(ctx)
	defer hush(nil)
	var senders sync.WaitGroup
	for i := range c.options.senders {
		senders.Go(func() { c.speak(talking, c.people[i]) })
	}
	silent := make(chan struct{})
	go func() {
		defer close(silent)
		senders.Wait()
	}()
	defer func() {
		hush(errOver)
		if stalled || err != nil {
			c.disconnect() // frees a sender whose server takes nothing more
		}
		<-silent
	}()

	var over <-chan time.Time
	if c.options.duration > 0 {
		t := time.NewTimer(c.options.duration)
		defer t.Stop()
		over = t.C
	}
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	arrived, moved := int64(0), time.Now()
	for talked := silent; ; {
		select {
		case <-over:
			hush(errOver)
		case <-talked:
			talked = nil
			c.tally.finish()
		case <-c.tally.complete:
			return false, nil
		case <-look.C:
			if c.deserted() {
				return true, nil
			}
			if n := c.tally.arrived.Load(); n != arrived {
				arrived, moved = n, time.Now()
			} else if time.Since(moved) >= c.options.stall && c.overdue() {
				return true, nil
			}
		case <-ctx.Done():
			return false, context.Cause(ctx)
		}
	}
}

// deserted says that nobody who must get everything is connected any more.
func (c *crowd) deserted() bool {
	return !slices.ContainsFunc(c.people[:c.tally.people], func(p *person) bool {
		select {
		case <-p.gone:
			return false
		default:
			return true
		}
	})
}

// overdue says that a line was said which not everybody has.
func (c *crowd) overdue() bool {
	return c.tally.arrived.Load() < c.tally.lines()*int64(c.tally.people)
}

// speak is one sender's part of a run.
func (c *crowd) speak(ctx context.Context, p *person) {
	share := c.share(p.number)
	var text []byte
	for n := 0; c.options.lines == 0 || n < share; n++ {
		l := line{sender: p.number, number: n}
		var err error
		if l.due, err = c.turn(ctx, l); err != nil || ctx.Err() != nil {
			return
		}
		text = c.tally.script.append(text[:0], l)
		c.tally.said[p.number].Add(1)
		if p.say(text) != nil {
			return // its reader knows why the connection is gone
		}
	}
}

// share is how many of the run's lines are a sender's.
func (c *crowd) share(sender int) int {
	n := c.options.lines / c.options.senders
	if sender < c.options.lines%c.options.senders {
		n++
	}
	return n
}

// turn waits until a line may be said and returns when it was due: in a closed loop now, in an open one when the clock says,
// however late it is by then.
func (c *crowd) turn(ctx context.Context, l line) (time.Duration, error) {
	if w := c.tally.window; w != nil {
		err := w[l.sender].launch(ctx, l.number)
		return c.clock.now(), err
	}
	k := float64(l.number*c.options.senders + l.sender)
	due := time.Duration(k / c.options.rate * float64(time.Second)).Truncate(time.Microsecond)
	if wait := due - c.clock.now(); wait > 0 {
		t := time.NewTimer(wait)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	}
	c.noteLate(c.clock.now() - due)
	return due, nil
}

func (c *crowd) noteLate(d time.Duration) {
	for {
		old := c.late.Load()
		if int64(d) <= old || c.late.CompareAndSwap(old, int64(d)) {
			return
		}
	}
}

// disconnect closes all connections, before anybody is waited for, so that nobody has to watch the others leave one by one.
func (c *crowd) disconnect() {
	for _, p := range c.people {
		p.leave()
	}
}

// leave sends everybody home, and returns when all ledgers are settled. It may be called again.
func (c *crowd) leave() {
	c.disconnect()
	for _, p := range c.people {
		<-p.gone
	}
}

// status is the progress line.
func (c *crowd) status() string {
	in := c.inside.Load()
	if c.clock.start.Load() == nil {
		return fmt.Sprintf("%d of %d are in", in, c.options.people)
	}
	t := c.tally
	lines, arrived, at := t.lines(), t.arrived.Load(), c.clock.now()
	status := fmt.Sprintf("%4.0f s: %s lines said, %s delivered, %s/s", at.Seconds(), grouped(lines), grouped(arrived),
		grouped(int64(float64(arrived)/max(at.Seconds(), 0.001))))
	if n := c.guests.Load(); n > 0 {
		status += fmt.Sprintf(", %s guests have come and gone", grouped(n))
	}
	return status
}
