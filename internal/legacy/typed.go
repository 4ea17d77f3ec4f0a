package legacy

import (
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// maxRead is the size of the original server's recv: what is longer becomes several messages.
	maxRead = 1024
	// maxReads may wait. Committing and rate limits wait behind this queue, so that reading never does.
	maxReads = 64
	// patience is how long the rest of a character or of a line is waited for.
	patience = time.Second
	// overrunEvery is how often people are told that messages of theirs were refused.
	overrunEvery = time.Second

	// No person needs more reads than one every 5 ms, or than 512 ahead of that. A flood is read at that pace, so that it costs
	// the house next to nothing. Its messages may run together then, which is no loss: its queue has been full for long.
	readEvery = 5 * time.Millisecond
	readAhead = 512 * readEvery
)

// typed is what a person has sent and nobody has looked at yet. The reader's goroutine puts, the owner's takes.
type typed struct {
	limit int           // message_bytes
	bell  chan struct{} // rung when there is something new

	mu      sync.Mutex
	chunks  []chunk // guarded by mu; at most maxReads
	refused int     // guarded by mu; messages since the owner was told
	ended   error   // guarded by mu; why there will be no more

	// Of the owner alone.
	chunk chunk     // what is left of the one in hand
	line  string    // what is left of its line
	told  time.Time // when overrun last said something
}

func newTyped(limit int) *typed { return &typed{limit: limit, bell: make(chan struct{}, 1)} }

// put takes a chunk in, or refuses it when too many wait.
func (t *typed) put(c chunk) {
	if c.text == "" {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.chunks) < maxReads {
		t.chunks = append(t.chunks, c)
	} else {
		t.refused += c.messages(t.limit)
	}
	ring(t.bell)
}

// end says that nothing more comes.
func (t *typed) end(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = err
	ring(t.bell)
}

// nextLine returns the next line, or in message mode the next read, without what ended it.
func (t *typed) nextLine() (string, bool) {
	if t.chunk.text == "" {
		t.mu.Lock()
		defer t.mu.Unlock()
		if len(t.chunks) == 0 {
			return "", false
		}
		t.chunk = t.chunks[0]
		t.chunks = slices.Delete(t.chunks, 0, 1)
	}
	return t.chunk.nextLine(), true
}

// nextMessage returns the next thing to be said; bye is true for the word that takes leave, which stands alone.
func (t *typed) nextMessage() (text string, bye, ok bool) {
	for {
		for t.line != "" {
			if text, t.line = nextPart(t.line, t.limit); text != "" {
				return text, false, true
			}
		}
		line, ok := t.nextLine()
		switch {
		case !ok:
			return "", false, false
		case line == byeWord:
			return "", true, true
		}
		t.line = valid(line)
	}
}

// over returns why nothing more comes, once everything has been taken.
func (t *typed) over() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.chunk.text != "" || t.line != "" || len(t.chunks) > 0 {
		return nil
	}
	return t.ended
}

// overrun returns how many messages have been refused and not told, at most every so often. If there are some that it is too
// early for, again says in what time to ask again.
func (t *typed) overrun() (refused int, again time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.refused == 0 {
		return 0, 0
	}
	now := time.Now()
	if again = t.told.Add(overrunEvery).Sub(now); again > 0 {
		return 0, again
	}
	refused, t.refused, t.told = t.refused, 0, now
	return refused, 0
}

// A reader reads a connection until its end: at once, always.
type reader struct {
	conn   net.Conn
	typed  *typed
	lines  *atomic.Bool // set at the first line feed
	exempt bool         // from the pace of reads
	decode decoder
	due    time.Time // of the next read, if each took readEvery
}

// run returns why there is nothing more to read.
func (r *reader) run(ctx context.Context) error {
	var buf [maxRead]byte
	waiting := false
	for {
		if pending := r.decode.pending(); pending || waiting {
			waiting = pending
			by := time.Time{}
			if waiting {
				by = time.Now().Add(patience)
			}
			if err := r.conn.SetReadDeadline(by); err != nil {
				return err
			}
		}
		n, err := r.conn.Read(buf[:])
		if n > 0 {
			c := r.decode.read(buf[:n])
			r.lines.Store(r.decode.lines)
			r.typed.put(c)
		}
		switch {
		case err == nil:
			if err := r.pace(ctx); err != nil {
				return err
			}
		case errors.Is(err, os.ErrDeadlineExceeded):
			r.typed.put(r.decode.expire())
		default:
			r.typed.put(r.decode.expire())
			return err
		}
	}
}

// pace lets readAhead of reads pass at once, then one every readEvery.
func (r *reader) pace(ctx context.Context) error {
	if r.exempt {
		return nil
	}
	now := time.Now()
	if r.due.Before(now) {
		r.due = now
	}
	r.due = r.due.Add(readEvery)
	early := r.due.Sub(now) - readAhead
	if early <= 0 {
		return nil
	}
	t := time.NewTimer(early)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
