package session

import (
	"cmp"
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"sarangbang/internal/command"
	"sarangbang/internal/i18n"
	"sarangbang/internal/render"
	"sarangbang/room"
)

// Exit statuses of a command that was run alone.
const (
	statusDone    = 0
	statusFailed  = 1
	statusUnknown = 2
)

// Exec runs one command of the table, on the caller's goroutine, and returns the exit status: its answer goes to stdout, the
// sentence of a failure to stderr. A command that needs a nickname takes the name of the login, for a visit that is neither
// announced nor listed. Writing to stdout may block; the end of ctx must free it.
func (s *Service) Exec(ctx context.Context, v Visitor, line string, stdout, stderr io.Writer) (status int) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	with := s.settings(v)
	user, want := login(v)
	v.User = user
	x := &session{
		want: want, Service: s, visitor: v, manner: Manner{Door: "ssh"}, settings: with, start: with, zone: zone(v.Env["TZ"]),
	}
	scr := &pipeScreen{out: stdout, err: stderr, view: render.View{Lang: x.settings.Lang, Bare: true, Zone: x.zone, Rooms: s.opt.House}}
	x.screen = scr
	defer func() {
		if fault := recover(); fault != nil {
			status = x.fault(fault).Status
		}
	}()
	if err := x.exec(ctx, line, scr); err != nil {
		if !errors.Is(err, errNoNick) && !errors.Is(err, errGone) { // it has been told, or nobody would read it
			_, text := x.sentence(err)
			_ = scr.Refuse(room.Sentence(text))
		}
		if _, ok := errors.AsType[unknownError](err); ok {
			return statusUnknown
		}
		return statusFailed
	}
	return statusDone
}

// errGone says that nobody reads the answer any more.
var errGone = errors.New("the client takes no more of the answer")

// unknownError is a command that is not in the table.
type unknownError struct{ failure *command.Failure }

func (e unknownError) Error() string { return e.failure.Error() }
func (e unknownError) Unwrap() error { return e.failure }

func (x *session) exec(ctx context.Context, line string, scr *pipeScreen) error {
	if err := x.banned(); err != nil {
		return err
	}
	name, rest, isCommand := command.Parse("/" + strings.TrimPrefix(strings.TrimLeft(line, " "), "/"))
	c, ok := command.Find(name)
	if !ok || !isCommand {
		return unknownError{command.UnknownAlone(name)}
	}
	by, why := x.entry(true)
	if why != nil {
		return why
	}
	if by.Open != nil { // a command alone makes no room: its name may be mistyped
		return &command.Failure{Say: i18n.NoSuchRoom, Args: []any{"#" + strings.TrimPrefix(x.want, "#")}}
	}
	x.here = by.Where // and not of the view: a program that asks for lines of a room gets them as everybody there sees them
	if a, has := x.opt.House.AccountOf(x.visitor.Key); has {
		x.recall(a)
	}
	call := &command.Call{Env: x.env(), Name: name, Rest: rest}
	call.Bare = true
	call.Who = x.asker()
	if !c.Public {
		me, err := x.visit(ctx)
		if err != nil {
			return err
		}
		defer me.Leave(room.EndingLeft)
		x.me, call.Me = me, me
		scr.view.Me = me.Person().ID
	}
	if c.Speak != nil {
		return x.execSpeak(ctx, c, call, scr)
	}
	a, err := c.Do(ctx, call)
	if a.Lines != nil {
		scr.view.Clock = clockOf(a.Times, false)
		if failed := scr.answer(a); failed != nil {
			return failed
		}
	}
	return err
}

// visit comes in for one command: under the nickname that the person's key owns, else under the name of the login.
func (x *session) visit(ctx context.Context) (*room.Member, error) {
	if me, err := x.enterOwner(ctx, true); me != nil || err != nil {
		return me, err
	}
	return x.enterAs(ctx, x.visitor.User, true)
}

// execSpeak posts what a command says, as fast as the person may speak, and prints it as everybody sees it.
func (x *session) execSpeak(ctx context.Context, c command.Command, call *command.Call, scr *pipeScreen) error {
	body, err := c.Speak(call)
	if err != nil {
		return err
	}
	select {
	case <-time.After(x.opt.Rates.PipedMessage(x.me.Person().ID, x.visitor.Exempt).Wait):
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	results, err := x.me.Post(ctx, x.me.First(), body)
	if err != nil {
		return err
	}
	if void := results[0].Void; void != "" {
		return command.Voided(void, results[0].Bar, x.opt.House, x.zone, x.opt.Contact())
	}
	reader := x.me.Reader()
	var events [showAtOnce]*room.Event
	for {
		n, _ := reader.Read(events[:])
		for _, e := range events[:n] {
			if e.Seq != results[0].Seq {
				continue
			}
			if err := scr.Show([]*room.Event{e}); err != nil {
				return err
			}
			return x.execTold(body, results[0].Kept, scr)
		}
		if n == 0 { // so many lines came at once that ours is out of memory already; everybody was shown it all the same
			return nil
		}
	}
}

// execTold tells of a direct message that it is kept, or that its receiver is away.
func (x *session) execTold(body room.Body, kept bool, scr *pipeScreen) error {
	told, ok := body.(room.Told)
	if !ok {
		return nil
	}
	if kept {
		return scr.Refuse(room.Sentence(x.settings.Lang.Text(i18n.ToldKept, told.To.Nick)))
	}
	if away := command.AwayOf(x.opt.House, told.To); away != nil {
		return scr.Refuse(room.Sentence(command.IsAway(told.To, *away).Sentence(x.settings.Lang)))
	}
	return nil
}

// pipeScreen is where one command's answer and complaints go.
type pipeScreen struct {
	Screen // never asked: a command alone shows and refuses, nothing else
	out    io.Writer
	err    io.Writer
	view   render.View
}

// answer prints an answer, page by page.
func (p *pipeScreen) answer(a command.Answer) error {
	page := make([]*room.Event, 0, showAtOnce)
	for e, err := range a.Lines {
		if err == nil {
			page = append(page, e)
		}
		if err != nil || len(page) == cap(page) {
			if lost := p.Show(page); lost != nil || err != nil {
				return cmp.Or(lost, err)
			}
			page = page[:0]
		}
	}
	if err := p.Show(page); err != nil || a.Aside == "" {
		return err
	}
	return p.Refuse(room.Sentence(a.Aside))
}

func (p *pipeScreen) Show(events []*room.Event) error {
	var buf []byte
	for _, e := range events {
		buf = render.Append(buf, e, p.view)
	}
	if len(buf) == 0 {
		return nil
	}
	if _, err := p.out.Write(buf); err != nil {
		return errGone
	}
	return nil
}

func (p *pipeScreen) Refuse(why room.Text) error {
	_, err := p.err.Write(render.Append(nil, room.Note(why), p.view))
	return err
}
