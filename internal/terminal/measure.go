package terminal

import (
	"bytes"
	"time"
)

const (
	// probe is written once, and taken away. It is an ambiguous character.
	probe = "\r·\x1b[6n\r" + eraseRight
	// probeTime is how long an answer to it counts. What comes later is
	// dropped: the screen has been drawn for narrow characters by then.
	probeTime = 300 * time.Millisecond
	// reportTime is how long an answer may still come.
	reportTime = 10 * time.Second
)

// ask asks the client where its cursor is after an ambiguous character.
func (t *Terminal) ask() {
	t.screen.out = append(t.screen.out, probe...)
	t.began, t.parser.asked = time.Now(), true
}

// await takes in what comes until the answer to ask has, if that was a moment
// ago: else the shell of somebody who was sent away at once would read it.
func (t *Terminal) await() {
	left := time.Until(t.began.Add(probeTime))
	if !t.parser.asked || left <= 0 {
		return
	}
	over := time.NewTimer(left)
	defer over.Stop()
	var got []byte
	for {
		select {
		case chunk, more := <-t.in.chunks:
			got = append(got, chunk...)
			from := bytes.Index(got, []byte("\x1b["))
			if !more || from >= 0 && bytes.IndexByte(got[from:], 'R') > 0 || len(got) > maxAwaited {
				return
			}
		case <-over.C:
			return
		}
	}
}

// maxAwaited is how much is taken in for an answer.
const maxAwaited = 4096

// measured takes the answer.
func (t *Terminal) measured(column int) {
	if !t.parser.asked {
		return
	}
	t.parser.asked = false
	if column != 3 || time.Since(t.began) > probeTime {
		return
	}
	t.draft.ruler.Wide = true
	t.draft.show(t.draft.text, t.draft.pos)
	if !t.plain.on {
		t.screen.erase()
	}
	t.promptStale, t.turn.woken = true, true
}
