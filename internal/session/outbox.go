package session

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"sarangbang/internal/command"
	"sarangbang/room"
)

// batchLines is how many waiting lines one Append carries.
const batchLines = 64

// job is something that a person typed and that has to wait for the journal: a body to post, or a command to run.
type job struct {
	line  int          // which line of the input it was
	typed string       // to give back if it cannot be saved
	where room.Subject // the room that was on the screen; empty for the one that is when its turn comes
	body  room.Body
	call  *command.Call // of run
	run   func(context.Context) (command.Answer, error)
	free  bool      // a command that does the same wherever its caller is
	leads bool      // what is typed behind it belongs where it leads to
	due   time.Time // not before; zero for at once
}

// outcome is what became of the jobs that were sent together: one command, or some bodies.
type outcome struct {
	jobs    []job
	results []room.Result // one for each body
	answer  command.Answer
	err     error // nothing of it was done, as far as is known
}

// outbox carries a session's jobs out, in order, one batch at a time. Its fields belong to the session's owner; the goroutine that
// carries a batch hands the outcome over through done and rings the bell.
type outbox struct {
	bell  room.Bell
	queue []job
	since time.Time // when the batch that is out was sent; zero while none is
	out   int       // jobs in it
	runs  bool      // it is a command
	leads bool      // to another room
	done  chan outcome
	wg    sync.WaitGroup
}

func (o *outbox) add(j job) { o.queue = append(o.queue, j) }

// clear drops what was not sent yet.
func (o *outbox) clear() { o.queue = nil }

func (o *outbox) busy() bool { return !o.since.IsZero() }

func (o *outbox) idle() bool { return !o.busy() && len(o.queue) == 0 }

// waiting counts what is not done yet.
func (o *outbox) waiting() int { return len(o.queue) + o.out }

// holds says that input which can wait should: what was typed last has not had its turn, or a command is to be done first.
func (o *outbox) holds() bool {
	if len(o.queue) == 0 {
		return o.runs
	}
	last := o.queue[len(o.queue)-1]
	return last.run != nil || time.Now().Before(last.due)
}

// commanded says that a command is to be done before what is added now.
func (o *outbox) commanded() bool {
	return o.runs || slices.ContainsFunc(o.queue, func(j job) bool { return j.run != nil })
}

// leading says that what is added now belongs where a command that is to be done before leads to.
func (o *outbox) leading() bool {
	return o.leads || slices.ContainsFunc(o.queue, func(j job) bool { return j.leads })
}

// withdraw takes back what was not sent yet and does not belong where another command leads to. The news that something was refused stay.
func (o *outbox) withdraw() (back []job) {
	var stay []job
	led := o.leads
	for _, j := range o.queue {
		if led = led || j.leads; led || j.free || j.call != nil && j.call.Name == "" {
			stay = append(stay, j)
		} else {
			back = append(back, j)
		}
	}
	o.queue = stay
	return back
}

// due is when the next batch may be sent: zero while one is out, or nothing waits.
func (o *outbox) due() time.Time {
	if o.busy() || len(o.queue) == 0 {
		return time.Time{}
	}
	return o.queue[0].due
}

// start sends the next batch if none is out and one is due. A command sees the environment of this moment: what the one before it
// has changed.
func (o *outbox) start(ctx context.Context, me *room.Member, env func() command.Env) {
	now := time.Now()
	if o.busy() || len(o.queue) == 0 || now.Before(o.queue[0].due) {
		return
	}
	n := 1
	if o.queue[0].run == nil {
		for n < len(o.queue) && n < batchLines && o.queue[n].run == nil && o.queue[n].where == o.queue[0].where && !now.Before(o.queue[n].due) {
			n++
		}
	}
	if o.queue[0].where == "" { // it was typed behind a command that may have led to another room
		here := env().Here
		for i := 0; i < len(o.queue) && o.queue[i].run == nil; i++ {
			o.queue[i].where = here
		}
	}
	batch := o.queue[:n:n]
	o.queue = o.queue[n:]
	if len(o.queue) == 0 {
		o.queue = nil
	}
	if o.done == nil {
		o.done = make(chan outcome, 1)
	}
	o.leads = batch[0].leads
	if o.runs = batch[0].run != nil; o.runs {
		batch[0].call.Env = env()
	}
	o.since, o.out = now, n
	o.wg.Go(func() {
		o.done <- carry(ctx, me, batch)
		o.bell.Ring()
	})
}

// carry does the work of one batch. A panic becomes the owner's.
func carry(ctx context.Context, me *room.Member, batch []job) (out outcome) {
	out.jobs = batch
	defer func() {
		if fault := recover(); fault != nil {
			out.err = &faultError{fmt.Sprintf("%v\n%s", fault, debug.Stack())}
		}
	}()
	if run := batch[0].run; run != nil {
		out.answer, out.err = run(ctx)
		return out
	}
	bodies := make([]room.Body, len(batch))
	for i, j := range batch {
		bodies[i] = j.body
	}
	out.results, out.err = me.Post(ctx, batch[0].where, bodies...)
	return out
}

// faultError is a panic on its way from the outbox's goroutine to the owner.
type faultError struct{ stack string }

func (f *faultError) Error() string { return "panic: " + f.stack }

// take returns the outcome of the batch that was out, if it is back.
func (o *outbox) take() (outcome, bool) {
	select {
	case out := <-o.done:
		o.since, o.out, o.runs, o.leads = time.Time{}, 0, false, false
		if fault, ok := out.err.(*faultError); ok { //nolint:errorlint // never wrapped: carry has just made it
			panic(fault)
		}
		return out, true
	default:
		return outcome{}, false
	}
}

// wait waits for the batch that is out.
func (o *outbox) wait() { o.wg.Wait() }
