package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"
)

// What is asked for when somebody comes without a nickname of their own. By SSH the answer is Enter, which takes the name of the
// login; the old protocol has had no other question, and takes the answer as it is.
const nickPrompt = "nickname"

// joinTimeout bounds one person's way into the room.
const joinTimeout = 30 * time.Second

// readBytes is a read: as much as a busy server gathers in one packet, unless people are so many that it is too much.
func readBytes(people int) int { return max(2<<10, min(32<<10, 128<<20/max(people, 1))) }

// person is somebody in the room.
type person struct {
	number int
	nick   string
	door   door
	clock  *clock
	ledger *ledger
	probes [2]string // the rows that everybody must have seen before the run and after it
	stays  bool      // the person answers the question for a nickname, and so comes in
	socket *gate     // shut while the person does not read the socket; nil for who always does
	screen *gate     // shut while the person does not take what the SSH library has read; likewise

	place    int64     // among those who came in, by when they were told of it
	arrivals *arrivals // whom the person saw come in later; nil: nobody counts them

	link *link
	rows scanner
	buf  []byte

	asked   bool                   // for the nickname
	isIn    bool                   // joined is closed
	seen    int                    // of the probes
	lastRow atomic.Pointer[string] // before that, for whoever wants to know why somebody did not come in
	prompt  chan struct{}          // closed when the question for a nickname is on the screen
	joined  chan struct{}          // closed when the person's own arrival is
	probed  [2]chan struct{}       // closed when the probes are
	gone    chan struct{}          // closed when the stream has ended; the ledger is settled then
	broken  error                  // why it has
	leaving atomic.Bool            // the run is over: that is no fault
}

func newPerson(number int, t *tally, c *clock, d door) *person {
	s := t.script
	return &person{
		number: number, nick: s.nick(number), door: d, clock: c, stays: true,
		ledger: &ledger{tally: t, self: number},
		rows:   d.scanner(s),
		buf:    make([]byte, readBytes(t.people)),
		probes: [2]string{before: "[" + s.nick(0) + "] " + s.probe(before), after: "[" + s.nick(0) + "] " + s.probe(after)},
		prompt: make(chan struct{}), joined: make(chan struct{}), gone: make(chan struct{}),
		probed: [2]chan struct{}{make(chan struct{}), make(chan struct{})},
	}
}

// enter comes in by the person's door and waits until the person is in the room, or is asked for a nickname if that is as far as
// they go. An error says what kept the person out. Unless it fails, leave must be called.
func (p *person) enter(ctx context.Context, addr string) error {
	ctx, done := context.WithTimeout(ctx, joinTimeout)
	defer done()
	l, release, err := dial(ctx, addr, p.socket)
	if err != nil {
		return err
	}
	p.link = l
	if p.door.ssh() {
		err = l.login(addr, p.nick, p.door)
	}
	reading := err == nil
	if reading {
		go p.read()
		asked := p.prompt
		if p.stays {
			asked = nil
		}
		select {
		case <-p.joined:
		case <-asked: // ssh -T never is: who comes so is in
		case <-p.gone:
			err = fmt.Errorf("connection ended: %w", p.broken)
		case <-ctx.Done():
		}
	}
	if !release() {
		err = p.unseen(ctx)
	}
	if err == nil {
		return nil
	}
	l.close()
	if reading {
		<-p.gone
	}
	if row := p.lastRow.Load(); row != nil {
		return fmt.Errorf("%w; the last row was %q", err, *row)
	}
	return err
}

// unseen says why somebody did not come in before ctx ended.
func (p *person) unseen(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("not in the room within %v", joinTimeout)
	}
	return context.Cause(ctx)
}

// read takes in the person's stream until it ends.
func (p *person) read() {
	defer close(p.gone)
	for {
		if p.screen != nil {
			p.screen.wait()
		}
		n, err := p.link.screen.Read(p.buf)
		at, fresh := p.clock.now(), int64(0)
		p.rows.feed(p.buf[:n], func(row []byte) {
			if p.ledger.take(row, at) {
				fresh++
			} else {
				p.look(row)
			}
		})
		if fresh > 0 && !p.ledger.aside {
			p.ledger.tally.arrive(fresh)
		}
		if err == nil && !p.asked && !p.isIn {
			err = p.answer(n)
		}
		if err != nil {
			p.end(err)
			return
		}
	}
}

// answer answers the question for the nickname, if n bytes that have just come are it.
func (p *person) answer(n int) error {
	reply := p.door.end()
	if p.door.ssh() {
		if !bytes.Contains(p.rows.unfinished(), []byte(nickPrompt)) {
			return nil
		}
	} else {
		if n == 0 {
			return nil
		}
		reply = p.nick + reply
	}
	p.asked = true
	close(p.prompt)
	if !p.stays {
		return nil
	}
	_, err := io.WriteString(p.link.screen, reply)
	return err
}

// look looks at rows that are no lines of the run.
func (p *person) look(row []byte) {
	if !p.isIn {
		s := string(row)
		p.lastRow.Store(&s)
		if p.tells(row) {
			p.isIn = true
			close(p.joined)
		}
	}
	if p.isIn && p.arrivals != nil {
		p.arrivals.take(row)
	}
	if p.seen < len(p.probes) && string(row) == p.probes[p.seen] {
		close(p.probed[p.seen])
		p.seen++
	}
}

// tells says whether a row tells that the person is in. By SSH that is any notice with the name, also one about many people, or
// the rest of one; at the old protocol's door it is the one form of words, behind the question that has no end.
func (p *person) tells(row []byte) bool {
	if p.door.ssh() {
		return (startsWith(row, notice) || startsWith(row, gutter)) && bytes.Contains(row, []byte(p.nick))
	}
	return bytes.HasSuffix(row, []byte("["+p.nick+"]"+joinWords))
}

func (p *person) end(err error) {
	if errors.Is(err, io.EOF) {
		err = errors.New("the server ended the session")
	}
	p.broken = err
	if !p.leaving.Load() {
		p.ledger.cut = err
	}
}

// hasSeen says whether a probe is on the screen.
func (p *person) hasSeen(which int) bool {
	select {
	case <-p.probed[which]:
		return true
	default:
		return false
	}
}

// say types a line and Enter, in one packet.
func (p *person) say(text []byte) error {
	_, err := p.link.screen.Write(append(text, p.door.end()...))
	return err
}

// leave closes the connection. The person is gone soon after.
func (p *person) leave() {
	p.leaving.Store(true)
	p.resume()
	p.link.close()
}

// pause makes somebody who can be stuck so.
func (p *person) pause() {
	for _, g := range []*gate{p.socket, p.screen} {
		if g != nil {
			g.shut()
		}
	}
}

// resume ends that. It may be called again.
func (p *person) resume() {
	for _, g := range []*gate{p.socket, p.screen} {
		if g != nil {
			g.open()
		}
	}
}
