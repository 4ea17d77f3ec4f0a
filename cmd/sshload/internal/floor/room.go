package floor

import (
	"io"
	"slices"
	"sync"
)

// room hands rows to everybody in it, in one order.
type room struct {
	mu     sync.Mutex
	guests []*guest // guarded by mu
}

func (r *room) enter(g *guest, notice string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.guests = append(r.guests, g)
	r.showLocked([]byte(notice))
}

func (r *room) leave(g *guest) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.guests = slices.DeleteFunc(r.guests, func(o *guest) bool { return o == g })
}

func (r *room) say(g *guest, text []byte) {
	row := make([]byte, 0, len(g.nick)+len(text)+len("[] \r\n"))
	row = append(row, '[')
	row = append(row, g.nick...)
	row = append(row, "] "...)
	row = append(row, text...)
	row = append(row, "\r\n"...)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.showLocked(row)
}

// showLocked hands everybody a row, which nobody changes any more.
func (r *room) showLocked(row []byte) {
	for _, g := range r.guests {
		g.put(row)
	}
}

// mostWaiting bounds what waits for a guest who does not read. Who has more is cut off.
const mostWaiting = 64 << 20

// guest is somebody in the room, and what waits to be written to them.
type guest struct {
	nick    string
	to      io.WriteCloser
	gathers bool
	rowEnds bool // of rows in what is written
	bell    chan struct{}

	mu      sync.Mutex
	rows    [][]byte // guarded by mu: what waits, if the guest does not gather
	pending []byte   // guarded by mu: what waits, if it does
	size    int      // guarded by mu: bytes of what waits
	over    bool     // guarded by mu: nothing is written any more
}

func newGuest(nick string, to io.WriteCloser, gathers, rowEnds bool) *guest {
	return &guest{nick: nick, to: to, gathers: gathers, rowEnds: rowEnds, bell: make(chan struct{}, 1)}
}

func (g *guest) put(row []byte) {
	if !g.rowEnds {
		row = row[:len(row)-len("\r\n")]
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.over {
		return
	}
	if g.gathers {
		g.pending = append(g.pending, row...)
	} else {
		g.rows = append(g.rows, row)
	}
	g.size += len(row)
	g.over = g.size > mostWaiting
	g.ring()
}

func (g *guest) ring() {
	select {
	case g.bell <- struct{}{}:
	default:
	}
}

// end lets the writer end.
func (g *guest) end() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.over = true
	g.ring()
}

// write writes what waits, as soon as something does, until it is over or nobody takes it.
func (g *guest) write() {
	defer func() { _ = g.to.Close() }() // it may be closed already
	var rows [][]byte
	var gathered []byte
	for range g.bell {
		g.mu.Lock()
		rows, g.rows = g.rows, rows[:0]
		gathered, g.pending = g.pending, gathered[:0]
		g.size = 0
		over := g.over
		g.mu.Unlock()
		if over {
			return
		}
		if len(gathered) > 0 {
			rows = append(rows, gathered)
		}
		for _, row := range rows {
			if _, err := g.to.Write(row); err != nil {
				return
			}
		}
		clear(rows)
	}
}
