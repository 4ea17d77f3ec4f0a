package session

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"

	"sarangbang/internal/command"
	"sarangbang/room"
)

// answer is the answer of a command on its way to the screen, where it comes once the reader has seen everything up to its place. It
// is read on a goroutine of its own, two pages ahead at most: the disk may be slow, and typing never waits for it.
type answer struct {
	command.Answer
	after room.Seq
	line  int // of the input, where it was asked for
	pages chan answerPage

	failed bool // on the way
}

// answerPage is a part of an answer, and what it failed with, if that is the end of it.
type answerPage struct {
	events []*room.Event
	err    error
}

// answered takes in the answer of a command, which may have led into a room, or out of one.
func (x *session) answered(ctx context.Context, o outcome) error {
	a := o.answer
	if x.settings.Set(a.Changed.Name, a.Changed.Value) {
		x.use()
		if x.console != nil {
			x.console.apply(x.settings)
		}
	}
	x.ignore(a.Changed)
	if a.Go != "" {
		x.pending = a.Go
	}
	if o.jobs[0].leads && (o.err == nil || a.Go != "") {
		x.arrived()
	}
	if a.Lines != nil {
		x.answer(ctx, a, o.jobs[0].line)
	}
	if a.Leave {
		x.out.clear() // what was typed behind it is not said by somebody who has left
		x.over = true
	}
	if in := x.me.Rooms(); o.jobs[0].run != nil && !slices.EqualFunc(in, x.rooms, func(where room.Subject, v command.Visited) bool { return where == v.Where }) {
		return x.settleRooms(ctx, a.Left)
	}
	return nil
}

// answer begins to read an answer, to be shown behind everything that the person did before.
func (x *session) answer(ctx context.Context, a command.Answer, line int) {
	next := &answer{Answer: a, after: x.posted, line: line, pages: make(chan answerPage, 1)}
	x.answers = append(x.answers, next)
	bell := x.me.Reader().Bell()
	x.readers.Go(func() { next.read(ctx, bell) })
}

// read gathers the lines into pages and rings for each, and for the end. A panic becomes the owner's.
func (a *answer) read(ctx context.Context, bell room.Bell) {
	defer bell.Ring()
	defer close(a.pages)
	var p answerPage
	send := func() bool {
		select {
		case a.pages <- p:
			p.events = nil
			bell.Ring()
			return true
		case <-ctx.Done():
			return false
		}
	}
	defer func() {
		if fault := recover(); fault != nil {
			p.err = &faultError{fmt.Sprintf("%v\n%s", fault, debug.Stack())}
		}
		if len(p.events) > 0 || p.err != nil {
			send()
		}
	}()
	for e, err := range a.Lines {
		if p.err = err; err != nil {
			return
		}
		if p.events = append(p.events, e); len(p.events) == showAtOnce && !send() {
			return
		}
	}
	if a.Aside != "" {
		p.events = append(p.events, room.Note(room.Sentence(a.Aside)))
	}
}

// showAnswers draws the next page of the oldest answer, if its command was called before everything that has been shown.
func (x *session) showAnswers() error {
	reader := x.me.Reader()
	if len(x.answers) == 0 || reader.Seen() < x.answers[0].after {
		return nil
	}
	a := x.answers[0]
	select {
	case p, more := <-a.pages:
		reader.Bell().Ring() // there is another page, or answer, after a look at the input
		if !more {
			x.answers = x.answers[1:]
			if !a.failed {
				x.gaps = slices.DeleteFunc(slices.Clone(x.gaps), func(g command.Gap) bool { return max(g.Lines.Before, g.Letters.Before) <= a.CaughtUp })
			}
			return nil
		}
		return x.showPage(a, p)
	default: // it rings
		return nil
	}
}

func (x *session) showPage(a *answer, p answerPage) error {
	if fault, ok := p.err.(*faultError); ok { //nolint:errorlint // never wrapped: read has just made it
		panic(fault)
	}
	var err error
	if x.console != nil {
		err = x.console.ShowAnswer(p.events, a.Times)
	} else {
		err = x.screen.Show(p.events)
	}
	if err != nil || p.err == nil {
		return err
	}
	a.failed = true
	return x.failed(job{line: a.line}, p.err)
}
