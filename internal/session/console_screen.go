package session

import (
	"context"
	"io"

	"sarangbang/internal/cells"
	"sarangbang/internal/i18n"
	"sarangbang/internal/render"
	"sarangbang/room"
)

// consoleScreen is the [Screen] that the session draws itself, on a console.
type consoleScreen struct {
	Console
	view    render.View
	nick    room.Nick
	sending bool
	buf     []byte // reused by every drawing
}

func newConsoleScreen(c Console, lang i18n.Lang, v Visitor) *consoleScreen {
	return &consoleScreen{Console: c, view: render.View{
		Lang:  lang,
		Color: c.Columns() > 0 && v.Env["NO_COLOR"] == "" && v.Term != "dumb",
	}}
}

// Ask prompts for a nickname. An answer is not remembered in the history.
func (s *consoleScreen) Ask(ctx context.Context, q Question) (string, error) {
	if q.Refused == nil {
		q.Refused = &NickRefusal{Why: room.Sentence(s.view.Lang.Text(i18n.AskIntro))}
	}
	if err := s.Show([]*room.Event{room.Note(q.Refused.Why)}); err != nil {
		return "", err
	}
	prompt := s.view.Lang.Text(i18n.AskNick)
	if q.Offer != "" {
		if offer := s.view.Lang.Text(i18n.AskNickOffer, q.Offer); s.roomFor(offer) {
			prompt = offer
		} else if err := s.Show([]*room.Event{s.note(i18n.AskOffer, q.Offer)}); err != nil {
			return "", err
		}
	}
	s.SetPrompt([]Span{{Text: prompt}})
	for {
		in, err := s.Next(ctx, Wait{})
		if err != nil {
			return "", err
		}
		switch in.Kind {
		case Line:
			return in.Text, nil
		case Leave:
			return "", io.EOF
		case TooLong, Overrun:
			text := room.Sentence(s.view.Lang.Text(i18n.PasteTooLong, in.Size, in.Limit))
			if err := s.Show([]*room.Event{room.Note(text)}); err != nil {
				return "", err
			}
		case Woken:
		}
	}
}

// Enter shows the nickname in the prompt.
func (s *consoleScreen) Enter(nick room.Nick) {
	s.nick = nick
	s.prompt()
}

func (s *consoleScreen) prompt() {
	parts := []Span{{Text: string(s.nick)}, {Text: "> "}}
	if !s.roomFor(string(s.nick) + "> ") {
		parts[0].Text = ""
	}
	if s.sending {
		parts = []Span{parts[0], {Text: s.view.Lang.Text(i18n.StatusSending)}, parts[1]}
	}
	s.SetPrompt(parts)
}

// roomFor says whether a prompt leaves half the row to what is typed: a terminal shows no more of it.
func (s *consoleScreen) roomFor(prompt string) bool { return 2*cells.Width(prompt) <= s.Columns() }

func (s *consoleScreen) note(key i18n.Key, args ...any) *room.Event {
	return room.Note(room.Sentence(s.view.Lang.Text(key, args...)))
}

// Show draws events.
func (s *consoleScreen) Show(events []*room.Event) error {
	s.view.Columns = s.Columns()
	s.buf = s.buf[:0]
	for _, e := range events {
		s.buf = render.Append(s.buf, e, s.view)
	}
	if len(s.buf) == 0 {
		return nil
	}
	return s.Print(s.buf)
}

// Refuse draws a notice where the console has its errors.
func (s *consoleScreen) Refuse(why room.Text) error {
	s.view.Columns = s.Columns()
	s.buf = render.Append(s.buf[:0], room.Note(why), s.view)
	return s.Complain(s.buf)
}

// Sending puts the state of the line into the prompt.
func (s *consoleScreen) Sending(now bool) {
	s.sending = now
	s.prompt()
}

// SetLang changes the language from the next row on.
func (s *consoleScreen) SetLang(l i18n.Lang) { s.view.Lang = l }
