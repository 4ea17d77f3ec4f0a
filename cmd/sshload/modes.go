package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// mode is one thing that a crowd can do.
type mode struct {
	name, what string
	flags      func(f *flags)
	run        func(ctx context.Context, c *crowd) (*report, error)
}

var modes = []mode{
	{"fanout", "people in one room: what each of them gets to see of what some of them say", func(f *flags) { fanoutFlags(f, 100) }, fanout},
	{"long", "the same with the longest lines that a door takes: what a line costs by its length", func(f *flags) { fanoutFlags(f, longestLine) }, fanout},
	{"connect", "people log in and go no further: what a login costs", func(*flags) {}, connect},
	{"join", "people come into one room until all have seen all who came after them: what that costs", func(*flags) {}, join},
	{"idle", "people come in and are silent: what memory a session takes at a server that nobody has visited yet", idleFlags, idle},
	{"slow", "some stop reading for a while: what the others notice, and what memory that takes", slowFlags, slow},
	{"churn", "people talk while guests come and go", churnFlags, churn},
}

// attend runs a mode.
func (m mode) attend(ctx context.Context, o *options, stderr io.Writer) (*report, error) {
	ctx, done := context.WithTimeoutCause(ctx, o.timeout, errTimeout)
	defer done()
	c, end, err := newCrowd(o, stderr)
	if err != nil {
		return nil, err
	}
	defer end()
	r, err := m.run(ctx, c)
	if err != nil {
		return nil, err
	}
	r.Mode = m.name
	return r, nil
}

func fanoutFlags(f *flags, bytes int) {
	f.talk(10, bytes)
	f.closedLoop()
	f.openLoop(0)
	f.optional(&f.o.lines, "lines", 1, mostLines, "stop after so many lines from all senders together")
	f.span(&f.o.duration, "duration", 10*time.Second, "stop saying lines after this time")
}

// fanout is the mode of this name, and what others do besides: beside runs while lines are said.
func fanout(ctx context.Context, c *crowd) (*report, error) {
	return c.converse(ctx, func(context.Context) {})
}

// converse brings everybody in, has them talk, and sends them home. beside runs meanwhile, until its context ends.
func (c *crowd) converse(ctx context.Context, beside func(context.Context)) (*report, error) {
	if err := c.enter(ctx); err != nil {
		return nil, err
	}
	if err := c.probe(ctx, before); err != nil {
		return nil, err
	}
	c.clock.begin()
	from := c.meter.read()
	besides, enough := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { beside(besides) })
	stalled, err := c.talk(ctx)
	to := c.meter.read()
	enough()
	running.Wait()
	if err == nil && !stalled {
		err = c.probe(ctx, after)
	}
	if err != nil {
		return nil, err
	}
	c.awaitStuck(ctx)
	c.leave()
	r := newReport(c)
	r.addTalk(c, stalled)
	r.addCosts(c, from, to)
	return r, nil
}

// connect is the mode of this name.
func connect(ctx context.Context, c *crowd) (*report, error) {
	c.stays = false
	return c.arrive(ctx, func(context.Context) error { return nil })
}

// join is the mode of this name.
func join(ctx context.Context, c *crowd) (*report, error) {
	c.watches = true
	return c.arrive(ctx, func(ctx context.Context) error { return c.probe(ctx, before) })
}

// arrive brings everybody in and counts what that costs, until settled returns.
func (c *crowd) arrive(ctx context.Context, settled func(context.Context) error) (*report, error) {
	from, start := c.meter.read(), time.Now()
	if err := c.enter(ctx); err != nil {
		return nil, err
	}
	if err := settled(ctx); err != nil {
		return nil, err
	}
	took := time.Since(start)
	to := c.meter.read()
	c.leave()
	r := newReport(c)
	r.Seconds = took.Seconds()
	r.Latency = latencyOf(&c.entered)
	r.addCosts(c, from, to)
	if r.Server != nil {
		r.Server.PerArrival = r.Server.CPUSeconds * 1e3 / float64(r.People)
	}
	r.addArrivals(c)
	return r, nil
}

func idleFlags(f *flags) {
	f.span(&f.o.duration, "duration", 10*time.Second, "how long they are silent")
	f.BoolVar(&f.o.lineTo, "line", false, "then one of them says a line to all")
}

// idle is the mode of this name.
func idle(ctx context.Context, c *crowd) (*report, error) {
	empty, warm := c.meter.read(), c.meter.proc.visited(c.options.addr.Port())
	if err := c.enter(ctx); err != nil {
		return nil, err
	}
	if err := pause(ctx, c.options.duration/2); err != nil { // for arrivals to be over, and memory to be given back
		return nil, err
	}
	from, start := c.meter.read(), time.Now()
	if err := pause(ctx, c.options.duration/2); err != nil {
		return nil, err
	}
	silent, to := time.Since(start), c.meter.read()
	r := newReport(c)
	r.Seconds = silent.Seconds()
	r.Latency = latencyOf(&c.entered)
	if c.options.lineTo {
		said := time.Now()
		if err := c.probe(ctx, before); err != nil {
			return nil, err
		}
		r.LineToAll = time.Since(said).Seconds()
	}
	c.leave()
	r.addCosts(c, from, to)
	if r.Server != nil {
		r.Server.RSSBefore, r.Server.Warm = empty.resident, warm
		r.Server.PerPerson = float64(to.resident-empty.resident) / float64(len(c.people))
	}
	r.addArrivals(c)
	return r, nil
}

// pause waits.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func slowFlags(f *flags) {
	f.talk(10, 400)
	f.openLoop(500)
	f.span(&f.o.duration, "duration", 45*time.Second, "of three phases together: all read, some do not, all read again")
	f.number(&f.o.stuck, "stuck", 1, 1, mostPeople-2, "how many stop reading, of all people")
	f.Func("how", "what they stop reading: the SSH `channel` (default) or the socket", func(s string) error {
		switch s {
		case "channel", "socket":
			f.o.socket = s == "socket"
			return nil
		}
		return errors.New("it must be channel or socket")
	})
}

// slow is the mode of this name.
func slow(ctx context.Context, c *crowd) (*report, error) {
	length := c.options.duration / phases
	c.tally.phase = length
	resident := make([]int64, 0, phases)
	r, err := c.converse(ctx, func(ctx context.Context) {
		for phase := range phases {
			for _, p := range c.people[c.tally.people:] {
				if phase == 1 {
					p.pause()
				} else {
					p.resume()
				}
			}
			// The last phase ends with the talk.
			_ = pause(ctx, time.Duration(phase+1)*length-c.clock.now())
			resident = append(resident, c.meter.read().resident)
		}
	})
	if err != nil {
		return nil, err
	}
	r.addPhases(c, resident)
	return r, nil
}

// awaitStuck gives those who were stuck the time to catch up with the others. Whoever was cut off for it never does.
func (c *crowd) awaitStuck(ctx context.Context) {
	ctx, done := context.WithTimeout(ctx, joinTimeout)
	defer done()
	for _, p := range c.people {
		if !p.ledger.aside {
			continue
		}
		select {
		case <-p.probed[after]:
		case <-p.gone:
		case <-ctx.Done():
		}
	}
}

func churnFlags(f *flags) {
	f.talk(4, 100)
	f.openLoop(90)
	f.span(&f.o.duration, "duration", 10*time.Second, "stop saying lines after this time")
	f.number(&f.o.guests, "guests", 4, 1, loginsAtOnce, "how many guests there are at once, who come, stay and go again and again")
	f.span(&f.o.stay, "stay", 200*time.Millisecond, "how long a guest stays")
}

// mostGuests is what the digits of a nickname have room for.
const mostGuests = 99_999 - mostPeople

// churn is the mode of this name.
func churn(ctx context.Context, c *crowd) (*report, error) {
	var mu sync.Mutex
	var came, failed int // guarded by mu
	var why error        // guarded by mu
	next := func() (int, bool) {
		mu.Lock()
		defer mu.Unlock()
		came++
		return c.options.people + came - 1, came <= mostGuests
	}
	r, err := c.converse(ctx, func(ctx context.Context) {
		var guests sync.WaitGroup
		for range c.options.guests {
			guests.Go(func() {
				for n, more := next(); more && ctx.Err() == nil; n, more = next() {
					if err := c.visit(ctx, n); err != nil && ctx.Err() == nil {
						mu.Lock()
						failed++
						why = err
						mu.Unlock()
						_ = pause(ctx, c.options.stay) // a server that refuses is not asked without end
					}
				}
			})
		}
		guests.Wait()
	})
	if err != nil {
		return nil, err
	}
	r.Guests = &guestReport{Came: c.guests.Load(), Failed: int64(failed)}
	if why != nil {
		r.Guests.Why = why.Error()
	}
	return r, nil
}

// visit is one guest's stay. What guests get to see is not judged.
func (c *crowd) visit(ctx context.Context, number int) error {
	p := c.newPerson(number)
	p.ledger.aside = true
	if err := p.enter(ctx, c.options.addr.String()); err != nil {
		return fmt.Errorf("guest %d did not come in: %w", number, err)
	}
	_ = pause(ctx, c.options.stay) // the run may end before
	p.leave()
	<-p.gone
	if p.ledger.cut != nil {
		return fmt.Errorf("guest %d was cut off: %w", number, p.ledger.cut)
	}
	c.guests.Add(1)
	return nil
}
