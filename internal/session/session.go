package session

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"sarangbang/internal/command"
	"sarangbang/internal/i18n"
	"sarangbang/internal/moderation"
	"sarangbang/room"
)

const (
	// showAtOnce is how many events are drawn between two looks at the person's input.
	showAtOnce = 64
	// keptSpeakers is of how many lines the authors are remembered, whom Tab proposes first.
	keptSpeakers = 64
	// keptGaps bounds how many gaps are kept for whoever wants to catch up.
	keptGaps = 16
	// keptAway is of how many people it is remembered that the person was told that they are away.
	keptAway = 64
	// keptNotices bounds what is kept for a screen that takes nothing.
	keptNotices = 32
	// wonderAfter is how long a line may be on its way before the person is told that it is.
	wonderAfter = 300 * time.Millisecond
	// burstPause is how long there must have been no line to ring for before the bell rings again.
	burstPause = 200 * time.Millisecond
	// behindPause is how often a screen that is behind is looked at again once the person's input is over.
	behindPause = 20 * time.Millisecond
)

// session is one person's life in the house. Its owner goroutine alone uses it.
type session struct {
	*Service
	visitor  Visitor
	manner   Manner
	screen   Screen
	console  *consoleScreen // the same screen where the session drew it itself, else nil
	settings command.Settings
	start    command.Settings // what they were at the beginning
	zone     *time.Location
	cancel   context.CancelFunc // of what was begun in the house

	want     string // the room that they asked for as they logged in; empty for the lobby
	me       *room.Member
	here     room.Subject      // the room that is on the screen
	rooms    []command.Visited // that the screen is in, by their places
	pending  room.Subject      // the room to turn to as soon as that can be; empty for none
	turnedAt time.Time         // when the screen turned to another room last
	ignored  []command.Ignoring
	toldAway map[room.PersonID]*room.Absent // of whom the person was told that they are away, and in what words
	out      outbox
	stray    stray
	posted   room.Seq    // the last of the person's own records that is shown to the room
	peer     room.Person // who last exchanged a direct message with the person
	turned   time.Time   // when that came to be another
	speakers []room.Nick // the authors of the lines that were read lately, from keptSpeakers on in a ring
	spoken   int         // how many lines that were

	putOut    []*room.Event // what was done to them while they were away, such as put out of rooms, or keeps them out; told as they come
	putOutBy  room.Seq      // the last of what did so
	returning []*room.Event // what was missed since the last visit, to be shown before anything else
	reading   reading

	notices []room.Text   // what was refused, to be told, oldest first
	gaps    []command.Gap // of the order that were told and not caught up with, oldest first
	lost    int           // of those, how many were dropped since the screen took none
	answers []*answer     // to be shown, oldest first
	readers sync.WaitGroup

	seen      bool // somebody with the same key was here lately
	counted   bool // more is unread in other rooms than the prompt says
	sending   bool // the prompt says that a line is on its way
	over      bool // no more input: what is on its way is finished, then the session ends
	gone      bool // and nobody is left to see it
	refused   int  // what was refused since the beginning
	refusals  *moderation.Refusals
	lines     int // of input so far
	lastShown time.Time
	lastInput time.Time
	rest      time.Time // until when a pipe of which something was refused is not read
	ringing   burst
	notifying burst
	timer     *time.Timer
}

// page is room for what is drawn between two looks at the person's input. It is lent: most people read little at a time, and
// what was shown shall not stay in memory for as long as they are here.
type page [showAtOnce]*room.Event

var pages = sync.Pool{New: func() any { return new(page) }}

func (p *page) giveBack() {
	clear(p[:])
	pages.Put(p)
}

// log is the logger of the session, made when there is something to log.
func (x *session) log() *slog.Logger {
	return x.opt.Logger.With("session", x.visitor.Session, "remote", x.visitor.Remote.String(), "door", x.manner.Door)
}

// burst is a run of events that follow each other so closely that a person is told of the first alone.
type burst struct{ last time.Time }

// begins says whether what happens now is the first of a burst.
func (b *burst) begins(now time.Time) bool {
	first := now.Sub(b.last) >= burstPause
	b.last = now
	return first
}

// live is the whole life: nickname, room, end.
func (x *session) live(ctx context.Context) End {
	err := x.banned()
	var me *room.Member
	if err == nil {
		x.seen = x.opt.House.Seen(x.visitor.Key) // not by this visit
		me, err = x.enter(ctx)
	}
	if errors.Is(err, io.EOF) { // they went without coming in
		return End{Why: room.EndingLeft}
	}
	if err == nil {
		x.me = me
		err = x.stay(ctx)
	}
	return x.farewell(err)
}

// stay is the time in the house. Whatever ends it, the person has left when it returns: first nobody sees them there any more,
// then they are told.
func (x *session) stay(ctx context.Context) (err error) {
	ctx, x.cancel = context.WithCancel(ctx)
	why := room.EndingFault // unless we come to know better
	defer func() { x.depart(why) }()
	x.arrive()
	x.rejoin(ctx)
	x.findKicks(ctx)
	x.findKeys()
	if err = x.settleRooms(ctx, ""); err == nil {
		err = x.greet(ctx)
	}
	if err == nil {
		err = x.loop(ctx)
	}
	why = ending(err)
	return err
}

func (x *session) arrive() {
	x.here = x.me.First()
	x.me.Reader().Look(x.here)
	x.use()
	x.count(func(c *Stats) { c.Screens[x.manner.Door]++ })
	if x.me.Announced() {
		x.count(func(c *Stats) { c.People[x.manner.Door]++ })
		x.log().Info("joined", "nick", string(x.me.Person().Nick), "people", x.opt.House.People(room.Lobby))
	}
	if x.console != nil {
		x.console.view.Me = x.me.Person().ID
		if x.console.term != nil {
			x.console.term.SetCompleter(x.propose)
		}
	}
	x.screen.Enter(x.me.Person().Nick)
}

// use notes that the person is at their screen, and what they read: of a door that speaks one language to everybody that is not known.
func (x *session) use() {
	lang := ""
	if x.manner.Commands {
		lang = string(x.settings.Lang)
	}
	x.me.Use(lang)
}

func (x *session) depart(why room.Ending) {
	x.cancel()
	x.out.wait() // nothing may be posted by somebody who has left
	nick := x.me.Person().Nick
	left := func(announced bool) {
		if announced {
			x.count(func(c *Stats) { c.People[x.manner.Door]-- })
			x.log().Info("left", "nick", string(nick), "why", string(why), "people", x.opt.House.People(room.Lobby))
		}
	}
	cut := why == room.EndingLost || why == room.EndingStalled
	if !cut || !x.me.Cut(why, left) {
		left(x.me.Leave(why))
	}
	x.readers.Wait()
	x.count(func(c *Stats) { c.Screens[x.manner.Door]-- })
}

// ending names the end that err was.
func ending(err error) room.Ending {
	if err == nil {
		return room.EndingLeft
	}
	if cause, ok := errors.AsType[*Cause](err); ok {
		return cause.Ending
	}
	return room.EndingLost
}

// farewell tells the person why the session ends, if it was not their own wish, and makes the exit status.
func (x *session) farewell(err error) End {
	end := End{Why: ending(err)}
	if err == nil {
		if x.manner.Patient && x.refused > 0 {
			end.Status = 1
		}
		return end
	}
	end.Status = 1
	if cause, ok := errors.AsType[*Cause](err); ok {
		_ = x.screen.Refuse(room.Sentence(cause.in(x.settings.Lang)))
	}
	if f, ok := errors.AsType[*command.Failure](err); ok { // the room that a pipe asked for is closed to it
		_ = x.screen.Refuse(room.Sentence(x.settings.Lang.Text(i18n.NothingSaid, f.Sentence(x.settings.Lang))))
	}
	return end
}

// greet shows a newcomer where they are, and the last lines that were said there.
func (x *session) greet(ctx context.Context) error {
	missed, returned, err := x.me.Missed(ctx, keptReturning)
	var first []*room.Event
	if x.manner.Welcome {
		first = x.welcome(returned)
	}
	first = append(first, x.putOut...)
	x.putOut = nil
	switch {
	case err != nil:
		x.log().Error("what was missed could not be read", "err", err)
		first = append(first, x.note(i18n.ReturnUnreadable))
	case returned && !missed.Fresh:
		x.catchUp(missed)
	default:
		if missed.Any() {
			x.catchUp(missed)
		}
		backlog, err := x.me.Backlog(ctx, x.here, x.me.Joined(), x.manner.Backlog)
		if err != nil {
			x.log().Error("backlog could not be read", "err", err)
		}
		first = append(first, x.audible(backlog)...)
	}
	if len(first) == 0 {
		return nil
	}
	err = x.screen.Show(first)
	if err == nil && x.putOutBy > 0 {
		x.me.ToldOut(x.putOutBy)
	}
	return err
}

// loop is the session's heart: show what there is, send what waits, wait for one thing, look at it. It returns nil when the
// person has left by their own wish, io.EOF when the terminal is gone, and the cause of ctx.
func (x *session) loop(ctx context.Context) error {
	x.out.bell = x.me.Reader().Bell()
	x.timer = time.NewTimer(time.Hour)
	defer x.timer.Stop()
	x.lastInput = time.Now()
	for {
		over, err := x.turn(ctx)
		if over || err != nil {
			return err
		}
		// Most people are silent most of the time: what stands on the stack here is kept for each of them, so all but this is elsewhere.
		if x.over {
			err = x.linger(ctx)
		} else {
			err = x.heard(x.screen.Next(ctx, x.wait()))
		}
		if err != nil {
			return err
		}
	}
}

// turn is what the loop does before it waits. It says true when the session is over.
//
//go:noinline
func (x *session) turn(ctx context.Context) (over bool, err error) {
	if ctx.Err() != nil {
		return true, context.Cause(ctx)
	}
	if err := x.settle(ctx); err != nil {
		return true, err
	}
	if cause := x.dismissal(); cause != nil && !x.out.busy() && !x.over {
		return true, cause
	}
	x.probe()
	if err := x.giveBack(ctx); err != nil {
		return true, err
	}
	if err := x.show(ctx); err != nil {
		return true, err
	}
	if !x.manner.Patient || len(x.answers) == 0 { // a pipe's lines come behind the answers that it asked for before them
		x.out.start(ctx, x.me, x.env)
	}
	if x.finished() {
		if x.gone {
			return true, io.EOF
		}
		return true, nil
	}
	return false, nil
}

// heard takes in what the screen waited for.
//
//go:noinline
func (x *session) heard(in Input, err error) error {
	if errors.Is(err, io.EOF) {
		x.over, x.gone = true, !x.manner.Patient
		return nil
	}
	if err != nil {
		return err
	}
	return x.look(in)
}

// linger waits where the screen has no input to wait for any more.
func (x *session) linger(ctx context.Context) error {
	w := x.wait()
	select {
	case <-w.Bell:
	case <-w.Timer:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return x.look(Input{Kind: Woken})
}

// wait says what the session waits for.
func (x *session) wait() Wait {
	w := Wait{Bell: x.me.Reader().Bell(), Hold: x.over || x.manner.Patient && x.full()}
	until := x.out.due()
	sooner := func(t time.Time) {
		if until.IsZero() || t.Before(until) {
			until = t
		}
	}
	now := time.Now()
	if now.Before(x.rest) {
		sooner(x.rest)
	}
	if x.screen.Behind() && !x.out.busy() { // a screen that takes nothing need not hear that there is more
		w.Bell = nil
	}
	if x.pending != "" {
		sooner(x.turnedAt.Add(turnPause))
	}
	if at := x.probeDue(); !at.IsZero() {
		sooner(at)
	}
	if at := x.giveBackDue(); !at.IsZero() {
		sooner(at)
	}
	if x.out.busy() && !x.sending {
		sooner(x.out.since.Add(wonderAfter))
	}
	if idle := x.opt.Limits.IdleTimeout; idle > 0 {
		sooner(x.lastInput.Add(idle))
	}
	if x.over && x.screen.Behind() {
		sooner(now.Add(behindPause))
	}
	if !until.IsZero() {
		x.timer.Reset(max(0, until.Sub(now)))
		w.Timer = x.timer.C
	}
	return w
}

// full says that input which can wait should: what came of it so far has not had its turn, or is not shown.
func (x *session) full() bool {
	return x.out.holds() || x.waiting() >= x.opt.Limits.OutboxLines || len(x.notices) >= keptNotices || time.Now().Before(x.rest)
}

// look deals with one thing that the person did.
func (x *session) look(in Input) error {
	now := time.Now()
	limits := x.opt.Limits
	if in.Kind != Woken {
		x.lastInput = now
		x.use()
	} else if limits.IdleTimeout > 0 && now.Sub(x.lastInput) >= limits.IdleTimeout {
		return &Cause{Ending: room.EndingIdle, Say: i18n.EndIdle}
	}
	if wondering := x.out.busy() && now.Sub(x.out.since) >= wonderAfter; wondering != x.sending {
		x.sending = wondering
		x.screen.Sending(wondering)
	}
	switch in.Kind {
	case Woken:
	case Switch:
		return x.goTo(in.Place)
	case Line:
		x.lines++
		if x.console != nil {
			x.console.lineEntered()
		}
		return x.line(in)
	case TooLong:
		x.lines++
		return x.failedInTurn(job{line: x.lines}, &command.Failure{Say: i18n.PasteTooLong, Args: []any{in.Size, in.Limit}})
	case Overrun:
		return x.refuse(x.lines, i18n.Overrun, in.Size, in.Limit)
	case Leave:
		x.over = true
	}
	return nil
}

// line takes what was typed: a command, or something to say.
func (x *session) line(in Input) error {
	typed := in.Text
	if !x.manner.Commands {
		return x.say(typed, typed)
	}
	bare := command.Unblank(typed)
	name, rest, isCommand := command.Parse(bare)
	c, known := command.Find(name)
	if isCommand && !known { // it is likely to be this one
		c, _ = command.Find(command.Nearest(name))
	}
	j := job{line: x.lines, typed: typed, leads: isCommand && c.Leads(), free: isCommand && !c.Binds()}
	switch {
	case (!isCommand || c.Binds()) && strings.TrimSpace(typed) != "" && x.strays(in.Begun):
		if isCommand {
			j.typed = c.Kept(typed, rest)
		}
		return x.hold(j)
	case !isCommand:
		return x.say(typed, rest)
	case bare != typed:
		return x.failedInTurn(j, &command.Failure{Say: i18n.BlankSlash, Keep: c.Plain == nil})
	}
	j.typed = c.Kept(typed, rest)
	if x.console != nil {
		x.console.Remember(j.typed)
	}
	if !known {
		return x.failedInTurn(j, command.Unknown(name))
	}
	call := &command.Call{Env: x.env(), Name: name, Rest: rest, Turned: !in.Begun.IsZero() && in.Begun.Before(x.turned)}
	if c.Speak != nil {
		body, err := c.Speak(call)
		if err != nil {
			return x.failedInTurn(j, err)
		}
		j.body = body
	} else {
		j.call, j.run = call, func(ctx context.Context) (command.Answer, error) { return c.Do(ctx, call) }
	}
	return x.submit(j)
}

func (x *session) env() command.Env {
	return command.Env{
		House: x.opt.House, Me: x.me, Here: x.goal(), Rooms: slices.Clone(x.rooms), Ignored: x.ignored,
		Contact: x.opt.Contact(), Words: x.opt.Words(), Total: x.opt.Limits.RoomsTotal, AtOnce: x.opt.Limits.RoomsPerPerson, Exempt: x.visitor.Exempt, Settings: x.settings, Start: x.start, Zone: x.zone, Peer: x.peer, Gaps: x.gaps,
		Names: x.opt.Names, Rates: x.opt.Rates, Limits: x.opt.Limits.Message,
		Caller: x.visitor.caller(), Codes: x.codes, NickHold: x.opt.Limits.NickHold, Keys: x.opt.Keys, Terminal: x.console != nil && x.console.term != nil,
	}
}

// say says text to the room. Blank lines are not said.
func (x *session) say(typed, text string) error {
	clean, err := room.Clean(strings.TrimRight(text, "\n"), x.opt.Limits.Message)
	if err != nil {
		return x.failedInTurn(job{line: x.lines, typed: typed}, err)
	}
	if clean.Empty() && (clean.String() == "" || x.manner.Commands) {
		return nil
	}
	if x.console != nil {
		x.console.Remember(typed)
	}
	return x.submit(job{line: x.lines, typed: typed, body: room.Said{Text: clean}})
}

// submit puts a job into the outbox, as fast as the person may speak. Commands go at the same pace: an answer can cost more
// than a line.
func (x *session) submit(j job) error {
	if !x.out.commanded() {
		j.where = x.goal()
	}
	refuse := x.refuse
	if j.leads {
		refuse = x.refuseLeading
	}
	if n := x.waiting(); !x.manner.Patient && n >= x.opt.Limits.OutboxLines {
		x.screen.Restore(j.typed)
		return refuse(j.line, i18n.OutboxFull, n)
	}
	turn, ok := moderation.Turn{}, true
	if x.manner.Patient {
		turn = x.opt.Rates.PipedMessage(x.me.Person().ID, x.visitor.Exempt)
	} else {
		turn, ok = x.opt.Rates.Message(x.me.Person().ID, x.visitor.Exempt)
	}
	if !ok {
		x.screen.Restore(j.typed)
		return refuse(j.line, i18n.TooFast)
	}
	if turn.Wait > 0 {
		j.due = time.Now().Add(turn.Wait)
	}
	if told, ok := j.body.(room.Told); ok {
		x.peer = told.To // for a reply right behind it, typed before this is shown
	}
	x.out.add(j)
	return nil
}

// waiting counts what the person did and has not seen the end of.
func (x *session) waiting() int { return x.out.waiting() + len(x.answers) }

// settle takes in what became of the jobs that the outbox has done.
func (x *session) settle(ctx context.Context) error {
	o, ok := x.out.take()
	if !ok {
		return nil
	}
	if x.sending {
		x.sending = false
		x.screen.Sending(false)
	}
	var out room.Subject
	for i, j := range o.jobs {
		err := o.err
		if err == nil && j.body != nil {
			if r := o.results[i]; r.Void != "" && j.where != "" && !x.me.In(j.where) && len(x.me.Rooms()) > 0 {
				out, x.stray.out = j.where, j.where
				if err := x.hold(j); err != nil {
					return err
				}
			} else if r.Void != "" {
				err = command.Voided(r.Void, r.Bar, x.opt.House, x.zone, x.opt.Contact())
			} else {
				x.posted = max(x.posted, r.Seq)
				if told, ok := j.body.(room.Told); ok {
					x.afterTelling(ctx, told.To, r.Kept, j.line)
				}
			}
		}
		if err != nil {
			j.leads = j.leads && o.answer.Go == ""
			if err := x.failed(j, err); err != nil {
				return err
			}
		}
	}
	if out != "" {
		if err := x.strand(out); err != nil {
			return err
		}
	}
	return x.answered(ctx, o)
}

// afterTelling tells what there is to know of somebody who was sent a direct message: that it is kept for them or, once, that they are
// away.
func (x *session) afterTelling(ctx context.Context, to room.Person, kept bool, line int) {
	if kept {
		x.answer(ctx, x.remark(i18n.ToldKept, to.Nick), line)
		return
	}
	away := command.AwayOf(x.opt.House, to)
	if away == nil || x.toldAway[to.ID] == away {
		return
	}
	if x.toldAway == nil || len(x.toldAway) >= keptAway {
		x.toldAway = map[room.PersonID]*room.Absent{}
	}
	x.toldAway[to.ID] = away
	e := room.Note(room.Sentence(command.IsAway(to, *away).Sentence(x.settings.Lang)))
	x.answer(ctx, command.Answer{Lines: func(yield func(*room.Event, error) bool) { yield(e, nil) }}, line)
}

// failedInTurn is failed, after what was typed before has had its effect: that may be another language.
func (x *session) failedInTurn(j job, err error) error {
	if x.out.idle() || x.out.waiting() >= x.opt.Limits.OutboxLines {
		return x.failed(j, err)
	}
	j.call, j.run = &command.Call{}, func(context.Context) (command.Answer, error) { return command.Answer{}, err }
	x.out.add(j)
	return nil
}

// failed tells that something typed had no effect, and gives it back where the same words may work at another time or in
// another form.
func (x *session) failed(j job, err error) error {
	key, text := x.sentence(err)
	_, tooLong := errors.AsType[*room.TooLongError](err)
	f, failure := errors.AsType[*command.Failure](err)
	if tooLong || failure && f.Keep || room.Unsaved(err) {
		x.screen.Restore(j.typed)
	}
	if err := x.tell(j.line, key, 1, text); err != nil || !j.leads {
		return err
	}
	return x.strand("")
}

// sentence puts an error into words, and names it for the figures. What no person can mend gets a reference into the log.
func (x *session) sentence(err error) (i18n.Key, string) {
	say := func(key i18n.Key, args ...any) (i18n.Key, string) { return key, x.settings.Lang.Text(key, args...) }
	if f, ok := errors.AsType[*command.Failure](err); ok {
		return f.Say, f.Sentence(x.settings.Lang)
	}
	if long, ok := errors.AsType[*room.TooLongError](err); ok {
		return say(i18n.MessageTooLong, long.Lines, long.Bytes, long.MaxBytes, long.MaxLines)
	}
	if cause, ok := errors.AsType[*Cause](err); ok {
		return cause.Say, cause.in(x.settings.Lang)
	}
	switch {
	case room.Unsaved(err):
		return say(i18n.NotSaved)
	case errors.Is(err, room.ErrClosed):
		return say(i18n.Closed)
	case errors.Is(err, room.ErrNoArchive):
		return say(i18n.NoArchive)
	}
	x.log().Error("command failed", "err", err)
	return say(i18n.Fault, x.visitor.Session)
}

// refuse tells that something had no effect. The number of what was refused is 1 unless it is an Overrun's first argument.
func (x *session) refuse(line int, key i18n.Key, args ...any) error {
	n := 1
	if key == i18n.Overrun {
		n = args[0].(int)
	}
	return x.tell(line, key, n, x.settings.Lang.Text(key, args...))
}

// refuseLeading is refuse, of something that was to lead to another room.
func (x *session) refuseLeading(line int, key i18n.Key, args ...any) error {
	if err := x.refuse(line, key, args...); err != nil {
		return err
	}
	return x.strand("")
}

// tell queues the sentence about n things that were refused. Too many such sentences in a short time end the session.
func (x *session) tell(line int, key i18n.Key, n int, text string) error {
	if x.manner.Numbered {
		text = x.settings.Lang.Text(i18n.OfLine, line, text)
	}
	// A pipe is told of each line: it is not read on while so many wait, and of what is on its way the outbox bounds the number.
	if len(x.notices) >= keptNotices && !x.manner.Numbered {
		x.notices = x.notices[1:]
		x.lost++
	}
	x.notices = append(x.notices, room.Sentence(text))
	x.refused += n
	x.count(func(c *Stats) { c.Refused[string(key)] += uint64(n) })
	if x.visitor.Exempt {
		return nil
	}
	if x.manner.Numbered { // whoever filled a pipe cannot take a rest: it is read more slowly, and not cut off
		x.rest = time.Now().Add(x.opt.Rates.PipedMessage(x.me.Person().ID, false).Wait)
		return nil
	}
	if x.refusals.Add() { // what overran a queue together counts once: the person learns of it once
		return &Cause{Ending: room.EndingRefused, Say: i18n.EndRefusals}
	}
	return nil
}

func (x *session) note(key i18n.Key, args ...any) *room.Event {
	return room.Note(room.Sentence(x.settings.Lang.Text(key, args...)))
}

// told makes a notice of what is put together of several sentences.
func (x *session) told(f *command.Failure) *room.Event {
	return room.Note(room.Sentence(f.Sentence(x.settings.Lang)))
}

// remark makes the answer of one sentence.
func (x *session) remark(key i18n.Key, args ...any) command.Answer {
	e := x.note(key, args...)
	return command.Answer{Lines: func(yield func(*room.Event, error) bool) { yield(e, nil) }}
}

// show draws what there is to see, unless the screen is behind: then everything waits where it is.
func (x *session) show(ctx context.Context) error {
	if x.gone || x.screen.Behind() {
		return nil
	}
	if x.lost > 0 {
		x.notices = append([]room.Text{room.Sentence(x.settings.Lang.Text(i18n.NoticesLost, x.lost))}, x.notices...)
		x.lost = 0
	}
	for _, t := range x.notices {
		if err := x.screen.Refuse(t); err != nil {
			return err
		}
	}
	x.notices = nil
	x.strayTold()
	if len(x.returning) > 0 {
		return x.showReturning()
	}
	if x.pending != "" && time.Since(x.turnedAt) >= turnPause {
		where := x.pending
		x.pending = ""
		return x.turnTo(ctx, where)
	}
	if err := x.showEvents(ctx); err != nil {
		return err
	}
	return x.showAnswers()
}

func (x *session) showEvents(ctx context.Context) error {
	reader := x.me.Reader()
	page, sorted := pages.Get().(*page), pages.Get().(*page)
	defer page.giveBack()
	defer sorted.giveBack()
	gone := room.Span{From: reader.Seen() + 1}
	n, missed := reader.Read(page[:])
	if missed > 0 {
		if gone.Before = reader.Seen() + 1; n > 0 {
			gone.Before = page[0].Seq
		}
		if err := x.showGap(missed, command.Gap{Where: x.here, Lines: gone, Letters: gone}); err != nil {
			return err
		}
	}
	x.recount(ctx)
	if n == 0 {
		return nil
	}
	if n == len(page) {
		reader.Bell().Ring() // there may be more, after a look at the input
	}
	events, moved, left := x.sort(sorted[:0], page[:n])
	x.delay.Observe(time.Since(page[0].At))
	x.lastShown = time.Now()
	x.me.Sent(reader.Seen()) // before it goes out, as in showReturning
	if len(events) > 0 {
		if err := x.screen.Show(events); err != nil {
			return err
		}
		x.heed(events)
	}
	if moved {
		return x.settleRooms(ctx, left)
	}
	if x.counted {
		x.counted = false
		x.showRooms()
	}
	return nil
}

// showGap tells that lines were skipped, and keeps where they are for whoever wants to catch up.
func (x *session) showGap(missed uint64, gap command.Gap) error {
	x.count(func(c *Stats) { c.Gaps, c.Missed = c.Gaps+1, c.Missed+missed })
	if !x.manner.Commands {
		return x.screen.Show([]*room.Event{x.note(i18n.Missed, missed)})
	}
	x.keepGap(gap)
	return x.screen.Show([]*room.Event{x.note(i18n.MissedCatchup, missed)})
}

// keepGap keeps where something was skipped. Of too many in one room the oldest become one: what was shown between them is shown again,
// and nothing is left out.
func (x *session) keepGap(gap command.Gap) {
	x.gaps = append(slices.Clone(x.gaps), gap) // a command may be looking at the others
	if len(x.gaps) <= keptGaps {
		return
	}
	oldest := x.gaps[0]
	for i := range x.gaps[1:] {
		if next := &x.gaps[1+i]; next.Where == oldest.Where {
			next.Lines, next.Letters = join(oldest.Lines, next.Lines), join(oldest.Letters, next.Letters)
			break
		}
	}
	x.gaps = x.gaps[1:]
}

// join makes one part of two.
func join(a, b room.Span) room.Span {
	switch {
	case a.Empty():
		return b
	case b.Empty():
		return a
	}
	return room.Span{From: min(a.From, b.From), Before: max(a.Before, b.Before)}
}

// heed takes in what was shown: what it means to this person.
func (x *session) heed(events []*room.Event) {
	me, rings, note := x.me.Person(), false, ""
	for _, e := range events {
		mine, call := e.From.ID == me.ID, i18n.Key("")
		switch b := e.Body.(type) {
		case room.Renamed:
			if mine {
				x.screen.Enter(b.To)
			}
			continue
		case room.Kicked:
			if b.Whom.ID == me.ID {
				x.me.ToldOut(e.Seq)
			}
			continue
		case room.Told:
			call = i18n.NotifyDirect
			if mine {
				x.talkWith(b.To)
			} else {
				x.talkWith(e.From)
			}
		case room.Said:
			call = x.calling(e, b.Text)
		case room.Emoted:
			call = x.calling(e, b.Text)
		default:
			continue
		}
		if mine {
			continue
		}
		x.noteSpeaker(e.From.Nick)
		rings = rings || x.settings.Bell == command.BellOn || call != "" && x.settings.Bell == command.BellMentions
		if call != "" {
			note = x.settings.Lang.Text(call, e.From.Nick)
		}
	}
	x.alert(rings, note)
}

// calling is the sentence for a line that names the person; empty for one that does not, and where nothing could be called.
func (x *session) calling(e *room.Event, text room.Text) i18n.Key {
	if x.console == nil || !x.console.drawn.Names(e, text, &x.console.name) {
		return ""
	}
	return i18n.NotifyMention
}

// talkWith takes in that a direct message was exchanged.
func (x *session) talkWith(peer room.Person) {
	if peer.ID != x.peer.ID {
		x.turned = time.Now()
	}
	x.peer = peer
}

// notifications are the numbers of the sequences by which a terminal is asked for a notification.
var notifications = map[command.Notify]int{command.NotifyOSC9: 9, command.NotifyOSC777: 777}

// alert rings for what was shown, and notifies with a note that says who called the person, not what was said: others may see
// that screen.
func (x *session) alert(rings bool, note string) {
	if x.console == nil || x.console.term == nil {
		return
	}
	now := time.Now()
	if rings && x.ringing.begins(now) {
		x.console.term.Bell()
	}
	if osc := notifications[x.settings.Notify]; osc != 0 && note != "" && x.notifying.begins(now) {
		x.console.term.Notify(osc, "sarangbang", note)
	}
}

// noteSpeaker remembers who spoke.
func (x *session) noteSpeaker(nick room.Nick) {
	if len(x.speakers) < keptSpeakers {
		x.speakers = append(x.speakers, nick)
	} else {
		x.speakers[x.spoken%keptSpeakers] = nick
	}
	x.spoken++
}

// propose says what Tab may put before the cursor: commands, and people, those who spoke last first.
func (x *session) propose(draft string, cursor int) (start int, candidates []string) {
	people := make([]string, 0, len(x.speakers))
	here := map[room.Nick]bool{}
	for _, m := range x.opt.House.Members(x.here) {
		here[m.Person.Nick] = m.Person.ID != x.me.Person().ID
	}
	for i := range min(x.spoken, keptSpeakers) {
		if n := x.speakers[(x.spoken-1-i)%keptSpeakers]; here[n] {
			people = append(people, string(n))
			here[n] = false
		}
	}
	rest := len(people)
	for n, there := range here {
		if there {
			people = append(people, string(n))
		}
	}
	slices.Sort(people[rest:])
	me := x.me.Person()
	may := func(c command.Command) bool { return c.May(x.opt.House, me, x.here) }
	return command.Complete(draft[:cursor], people, x.proposeRooms, may)
}

// proposeRooms lists the rooms that Tab may put before the cursor, those of the person first.
func (x *session) proposeRooms() []string {
	var names []string
	for _, v := range x.rooms {
		names = append(names, "#"+string(v.Name))
	}
	for _, m := range x.opt.House.Rooms(x.me.Person()) {
		if x.visited(m.Subject) == nil {
			names = append(names, "#"+string(m.Name))
		}
	}
	return names
}

// finished says that the person's input is over and all that came of it is done, and shown if there is somebody to see it.
func (x *session) finished() bool {
	if !x.over || !x.out.idle() {
		return false
	}
	seen := x.me.Reader().Seen() >= x.posted && len(x.returning) == 0 && len(x.answers) == 0 && len(x.notices) == 0
	return x.gone || seen && (!x.manner.Patient || !x.screen.Behind())
}
