package legacy

import (
	"context"
	"io"
	"time"

	"sarangbang/internal/session"
	"sarangbang/room"
)

// screen is a connection as a session sees it. Its methods are called by the owner's goroutine.
type screen struct {
	typed   *typed
	out     *output
	draw    func(*room.Event) []string
	entered func() // called when the person is in

	nick     room.Nick // empty until the person is in
	left     bool      // the person went by their own wish, or has nothing more to say
	stranger bool      // no person of this protocol
}

var _ session.Screen = (*screen)(nil)

// Ask implements [session.Screen]. The answer is a whole read or line, as it came: whether it is a nickname, UTF-8 at all even,
// is decided by whoever asks. What is another protocol's opening is answered by nothing.
func (s *screen) Ask(ctx context.Context, q session.Question) (string, error) {
	s.ask(q.Refused)
	for {
		// Somebody who takes no answers gets no more of them: each one is room in the queue.
		if !s.out.behind() {
			switch line, ok := s.typed.nextLine(); {
			case !ok:
			case line == byeWord:
				s.left = true
				return "", io.EOF
			case stranger(line):
				s.stranger = true
				return "", io.EOF
			default:
				return line, nil
			}
			if err := s.typed.over(); err != nil {
				s.left = true
				return "", err
			}
		}
		select {
		case <-s.typed.bell:
		case <-s.out.room:
		case <-ctx.Done():
			return "", context.Cause(ctx)
		}
	}
}

// ask sends the prompt, and before it what was wrong with the last answer. To an empty one the prompt says enough.
func (s *screen) ask(refused *session.NickRefusal) {
	prompt := frame{text: promptText, raw: true}
	switch {
	case refused == nil, refused.Blank:
		s.out.send(prompt)
	case refused.Taken:
		s.out.send(frame{text: takenText, raw: true}, prompt)
	default:
		s.out.send(frame{text: refused.Why.String() + "\n", raw: true}, prompt)
	}
}

// Enter implements [session.Screen].
func (s *screen) Enter(nick room.Nick) {
	s.nick = nick
	s.entered()
}

// Next implements [session.Screen]. That messages were refused is told even while others are held.
func (s *screen) Next(ctx context.Context, w session.Wait) (session.Input, error) {
	for {
		if ctx.Err() != nil {
			return session.Input{}, context.Cause(ctx)
		}
		refused, again := s.typed.overrun()
		if refused > 0 {
			return session.Input{Kind: session.Overrun, Size: refused, Limit: maxReads}, nil
		}
		if !w.Hold {
			if in, err, ok := s.input(); ok {
				return in, err
			}
		}
		if woken, err := s.wait(ctx, w, again); woken || err != nil {
			return session.Input{Kind: session.Woken}, err
		}
	}
}

// input returns what the person did next, if there is anything.
func (s *screen) input() (in session.Input, err error, ok bool) {
	text, bye, ok := s.typed.nextMessage()
	switch {
	case bye:
		s.left = true
		return session.Input{Kind: session.Leave}, nil, true
	case ok:
		return session.Input{Kind: session.Line, Text: text}, nil, true
	}
	if err := s.typed.over(); err != nil {
		s.left = true
		return session.Input{}, err, true
	}
	return session.Input{}, nil, false
}

// wait returns when something may have changed; woken is true if that is the session's to look at. It waits for again at most,
// unless that is 0.
func (s *screen) wait(ctx context.Context, w session.Wait, again time.Duration) (woken bool, err error) {
	var early <-chan time.Time
	if again > 0 {
		t := time.NewTimer(again)
		defer t.Stop()
		early = t.C
	}
	select {
	case <-s.typed.bell:
	case <-early:
	case <-s.out.room:
		return true, nil
	case <-w.Bell:
		return true, nil
	case <-w.Timer:
		return true, nil
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
	return false, nil
}

// Show implements [session.Screen].
func (s *screen) Show(events []*room.Event) error {
	fs := takeFrames()
	for _, e := range events {
		for _, text := range s.draw(e) {
			if !s.ownLeave(e, text) {
				fs = append(fs, frame{text: text})
			}
		}
	}
	s.out.send(fs...)
	giveFrames(fs)
	return nil
}

// ownLeave says that a frame tells the person's own leaving, which the protocol tells to all who remain. The same words may be something
// that they said.
func (s *screen) ownLeave(e *room.Event, text string) bool {
	switch e.Body.(type) {
	case room.Kicked, room.Barred, room.Undone:
		return text == partedLine(string(s.nick))
	default:
		return false
	}
}

// Refuse implements [session.Screen].
func (s *screen) Refuse(why room.Text) error { return s.Show([]*room.Event{room.Note(why)}) }

// Restore implements [session.Screen]: an old client's line is gone once it is sent.
func (s *screen) Restore(string) {}

// Sending implements [session.Screen]: there is no place to say so.
func (s *screen) Sending(bool) {}

// Behind implements [session.Screen].
func (s *screen) Behind() bool { return s.out.behind() }
