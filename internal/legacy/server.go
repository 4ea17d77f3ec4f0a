package legacy

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"sarangbang/internal/admission"
	"sarangbang/internal/session"
	"sarangbang/room"
)

// House is where the door leads: it takes one person from the nickname to the end, on the caller's goroutine. It ends when
// ctx does, whose cause is a *[session.Cause], and has then shown the person why.
type House interface {
	Serve(ctx context.Context, v session.Visitor, m session.Manner, s session.Screen) session.End
}

// Options of a server; all are required and have been validated.
type Options struct {
	House House
	// Gate says who may connect. People without a nickname are those that it counts as unauthenticated, so its limits for these
	// are tcp_waiting_for_nick, as Start and Full.
	Gate         *admission.Gate
	MessageBytes int           // message_bytes: more of a line without an end is not waited for
	OutputBytes  int           // output_buffer_bytes: what may wait to be sent to one peer
	WriteStall   time.Duration // write_stall: a peer that takes nothing for so long is dead
	Keepalive    time.Duration // tcp_keepalive: silence after which the kernel asks whether the peer is there
	FDReserve    int           // fd_reserve
	Logger       *slog.Logger
}

// Server is the door.
type Server struct {
	opt    Options
	counts counts
	drawn  drawn

	mu      sync.Mutex
	visits  map[*visit]bool      // guarded by mu; grows only while not closing
	accepts []context.CancelFunc // guarded by mu; of each Serve
	closing bool                 // guarded by mu
	empty   chan struct{}        // closed when closing and the last visit is over
}

type counts struct{ strangers, stalled, panics atomic.Uint64 }

// Stats are the door's figures; those of its gate are read there.
type Stats struct {
	Strangers uint64 // connections that spoke another protocol
	Stalled   uint64 // ended since they took nothing
	Panics    uint64 // ended by a fault of ours
}

// New makes a server. It starts nothing.
func New(opt Options) *Server {
	return &Server{opt: opt, visits: map[*visit]bool{}, empty: make(chan struct{})}
}

// Stats reads the figures.
func (s *Server) Stats() Stats {
	return Stats{Strangers: s.counts.strangers.Load(), Stalled: s.counts.stalled.Load(), Panics: s.counts.panics.Load()}
}

// Serve accepts connections until ctx ends or Shutdown is called, closes ln and returns nil. People who are in stay until
// Shutdown.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	accepting, stop := context.WithCancel(ctx)
	defer stop()
	s.mu.Lock()
	s.accepts = append(s.accepts, stop)
	if s.closing {
		stop()
	}
	s.mu.Unlock()
	people := context.WithoutCancel(ctx)
	admission.Accept(accepting, ln, s.opt.Logger, s.opt.FDReserve, func(conn net.Conn) { s.receive(people, conn) })
	return nil
}

// receive lets a connection in or resets it.
func (s *Server) receive(ctx context.Context, conn net.Conn) {
	ticket, _ := s.opt.Gate.Admit(conn.RemoteAddr())
	if ticket == nil {
		reset(conn)
		return
	}
	ctx, cancel := context.WithCancelCause(ctx)
	v := newVisit(s, conn, ticket, cancel)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		cancel(nil)
		ticket.Release()
		v.reset()
		return
	}
	s.visits[v] = true
	go func() {
		defer s.forget(v)
		v.serve(ctx)
	}()
}

func (s *Server) forget(v *visit) {
	v.cancel(nil)
	v.ticket.Release()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.visits, v)
	if s.closing && len(s.visits) == 0 {
		close(s.empty)
	}
}

// Shutdown closes the door, has everybody told and sent away, and waits until all are gone. When ctx ends first, it resets what
// is left and returns the error of ctx.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	if !s.closing && len(s.visits) == 0 {
		close(s.empty)
	}
	s.closing = true
	for _, stop := range s.accepts {
		stop()
	}
	for v := range s.visits {
		v.cancel(session.Shutdown)
	}
	s.mu.Unlock()

	select {
	case <-s.empty:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for v := range s.visits {
		v.reset()
	}
	return context.Cause(ctx)
}

// drawn keeps the frames of the newest events: they are the same for everybody at this door, so that a line is drawn once and
// not for each reader. Its methods may be called from any goroutine.
type drawn struct {
	slots [256]atomic.Pointer[drawing]
}

type drawing struct {
	event  *room.Event
	frames []string
}

func (d *drawn) frames(e *room.Event) []string {
	if e.Seq == 0 { // a notice is one screen's
		return frames(e)
	}
	slot := &d.slots[uint64(e.Seq)%uint64(len(d.slots))]
	if kept := slot.Load(); kept != nil && kept.event == e {
		return kept.frames
	}
	fresh := &drawing{event: e, frames: frames(e)}
	slot.Store(fresh)
	return fresh.frames
}
