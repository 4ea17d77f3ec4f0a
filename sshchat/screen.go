package sshchat

import (
	"context"

	"sarangbang/internal/session"
	"sarangbang/internal/terminal"
)

// screen is the console of a session with a terminal.
type screen struct {
	*terminal.Terminal
	probe
}

var _ session.Terminal = (*screen)(nil)

// Next implements [session.Console].
func (s *screen) Next(ctx context.Context, w session.Wait) (session.Input, error) {
	return heard(s.Terminal.Next(ctx, terminal.Wait(w)))
}

// heard is a function of its own, as what it needs would else be on the stack of everybody who is idle.
//
//go:noinline
func heard(in terminal.Input, err error) (session.Input, error) {
	return session.Input{Kind: kinds[in.Kind], Text: in.Text, Begun: in.Begun, Size: in.Size, Limit: in.Limit, Place: in.Place}, err
}

var kinds = map[terminal.Kind]session.Kind{
	terminal.Woken:   session.Woken,
	terminal.Line:    session.Line,
	terminal.Leave:   session.Leave,
	terminal.Refused: session.TooLong,
	terminal.Switch:  session.Switch,
}

// Print implements [session.Console].
func (s *screen) Print(rows []byte) error {
	s.Terminal.Print(rows)
	return nil
}

// Complain implements [session.Console]: there is one screen for everything.
func (s *screen) Complain(rows []byte) error { return s.Print(rows) }

// SetPrompt implements [session.Console].
func (s *screen) SetPrompt(forms ...[]session.Span) {
	all := make([][]terminal.Span, len(forms))
	for i, form := range forms {
		for _, p := range form {
			all[i] = append(all[i], terminal.Span(p))
		}
	}
	s.Terminal.SetPrompt(all...)
}

// Restore implements [session.Console].
func (s *screen) Restore(text string) { s.Terminal.Restore(text) }

// Columns implements [session.Console].
func (s *screen) Columns() int { return s.Size().Columns }
