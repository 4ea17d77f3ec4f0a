package sshchat

import (
	"bytes"
	"context"
	"errors"
	"io"

	"sarangbang/internal/session"
)

// pipe is the console of a session without a terminal: lines from standard input, rows on standard output.
type pipe struct {
	outlet *outlet
	lines  chan session.Input // closed at the end of input
	quit   chan struct{}      // closed when nobody takes lines any more
	lost   <-chan struct{}    // closed when the connection broke
	probe
}

var _ session.Console = (*pipe)(nil)

func newPipe(o *outlet, p probe, lost <-chan struct{}) *pipe {
	return &pipe{outlet: o, probe: p, lost: lost, lines: make(chan session.Input), quit: make(chan struct{})}
}

// read is the reader: it has one line in hand at most, so that a pipe is read as fast as its lines are taken, and otherwise
// waits in its client.
func (p *pipe) read(r io.Reader, limit int) {
	defer close(p.lines)
	split := splitter{limit: limit}
	give := func(in session.Input) bool {
		select {
		case p.lines <- in:
			return true
		case <-p.quit:
			return false
		}
	}
	buf := make([]byte, 4<<10)
	for {
		n, err := r.Read(buf)
		if !split.feed(buf[:n], give) {
			return
		}
		if err != nil {
			if errors.Is(p.over(), io.EOF) { // else it was cut off, and nobody knows what the line would have been
				split.finish(give)
			}
			return
		}
	}
}

// Next implements [session.Console].
func (p *pipe) Next(ctx context.Context, w session.Wait) (session.Input, error) {
	if ctx.Err() != nil {
		return session.Input{}, context.Cause(ctx)
	}
	lines := p.lines
	if w.Hold {
		lines = nil
	}
	select {
	case in, more := <-lines:
		if !more {
			return session.Input{}, p.over()
		}
		return in, nil
	case <-w.Bell:
	case <-w.Timer:
	case <-p.outlet.room:
	case <-ctx.Done():
		return session.Input{}, context.Cause(ctx)
	}
	return session.Input{Kind: session.Woken}, nil
}

// over says why there is no more input. The library ends the input of a channel a moment before it tells that the connection broke: who
// is cut off then must not be taken for somebody who was done, and has seen everything.
func (p *pipe) over() error {
	select {
	case <-p.lost:
		return session.Hangup
	default:
		return io.EOF
	}
}

// Print implements [session.Console].
func (p *pipe) Print(rows []byte) error { return p.outlet.put(stdout, rows) }

// Complain implements [session.Console].
func (p *pipe) Complain(rows []byte) error { return p.outlet.put(stderr, rows) }

// SetPrompt implements [session.Console]: there is none.
func (p *pipe) SetPrompt(...[]session.Span) {}

// Restore implements [session.Console]: what came through a pipe cannot be given back.
func (p *pipe) Restore(string) {}

// Remember implements [session.Console]: there is no history.
func (p *pipe) Remember(string) {}

// Columns implements [session.Console].
func (p *pipe) Columns() int { return 0 }

// Behind implements [session.Console].
func (p *pipe) Behind() bool { return p.outlet.behind() }

// Delivered implements [session.Console].
func (p *pipe) Delivered() bool { return p.outlet.delivered() }

// splitter makes lines of a stream. LF ends a line, and a CR before it belongs to the end. A line beyond the limit is refused
// whole: none of it is kept, and its size is known when it ends.
type splitter struct {
	limit int
	line  []byte // what there is of it, while it is within the limit
	size  int    // what there is of it
	cr    bool   // its last byte is a CR
}

// feed takes the next bytes and gives each line that is complete, until that returns false; feed then returns false, too.
func (s *splitter) feed(p []byte, give func(session.Input) bool) bool {
	for len(p) > 0 {
		part, rest, ends := bytes.Cut(p, []byte("\n"))
		s.add(part)
		if ends && !give(s.take()) {
			return false
		}
		p = rest
	}
	return true
}

// finish gives the last line, if it has no end of its own.
func (s *splitter) finish(give func(session.Input) bool) {
	if s.size > 0 {
		give(s.take())
	}
}

func (s *splitter) add(p []byte) {
	if len(p) == 0 {
		return
	}
	s.size += len(p)
	s.cr = p[len(p)-1] == '\r'
	if s.size <= s.limit+1 { // one more for a CR
		s.line = append(s.line, p...)
	} else {
		s.line = nil
	}
}

func (s *splitter) take() session.Input {
	size := s.size
	if s.cr {
		size--
	}
	in := session.Input{Kind: session.Line}
	if size > s.limit {
		in = session.Input{Kind: session.TooLong, Size: size, Limit: s.limit}
	} else {
		in.Text = string(s.line[:size])
	}
	if cap(s.line) > pieceBytes { // the next one is short again
		s.line = nil
	}
	s.line, s.size, s.cr = s.line[:0], 0, false
	return in
}
