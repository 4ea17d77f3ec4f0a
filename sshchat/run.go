package sshchat

import (
	"crypto/rand"
	"io"
	"log/slog"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gliderlabs/ssh"
	gossh "golang.org/x/crypto/ssh"

	"sarangbang/internal/session"
	"sarangbang/internal/terminal"
)

// failedStatus is the exit status of a session that could not be led to a proper end.
const failedStatus = 1

// handleSession leads one session from its start to its exit status. The library calls it on a goroutine of its own, which
// begin has counted in.
func handleSession(s ssh.Session) {
	f := s.Context().Value(channelKey{}).(*channel)
	defer f.conn.leave()
	status := failedStatus
	f.conn.server.guard("session", f.conn.remote, func() { status = f.run() })
	_ = s.Exit(status) // fails only with the connection
}

// run leads the session and returns its exit status.
func (f *channel) run() int {
	c := f.conn
	f.identify()
	leave, limit, n := c.server.seat(f.visitor.Key, c.ticket)
	if leave == nil {
		f.sorry(limit, n)
		return failedStatus
	}
	defer leave()
	c.admitted(f.ssh)
	defer c.unseat()

	f.logStart()
	start := time.Now()
	status := f.lead()
	f.logEnd(status, time.Since(start))
	return status
}

// sorry tells why there is no session.
func (f *channel) sorry(limit string, n int) {
	o := f.newOutlet()
	_ = o.put(stderr, []byte(f.conn.server.house.Sorry(f.visitor, limit, n)+"\n"))
	o.end(f.ctx)
}

// attrs is what stands in a log line of the session. A logger of its own would cost more than its few lines.
func (f *channel) attrs(more ...slog.Attr) []slog.Attr {
	return append([]slog.Attr{slog.String("session", f.visitor.Session), slog.String("remote", f.conn.remote)}, more...)
}

func (f *channel) logStart() {
	log := f.conn.server.log
	log.LogAttrs(f.ctx, slog.LevelInfo, "session started", f.attrs(
		slog.String("user", f.logged(f.visitor.User)), slog.String("client", f.logged(string(f.ssh.ClientVersion()))),
		slog.Bool("terminal", f.pty), slog.Bool("command", f.command != ""), slog.Bool("proven", f.visitor.Key != ""))...)
	log.LogAttrs(f.ctx, slog.LevelDebug, "key of the session", f.attrs(slog.String("key", f.visitor.Key))...)
}

func (f *channel) logEnd(status int, d time.Duration) {
	f.conn.server.log.LogAttrs(f.ctx, slog.LevelInfo, "session ended",
		f.attrs(slog.Int("status", status), slog.Duration("duration", d.Round(time.Millisecond)))...)
}

func (f *channel) lead() int {
	switch {
	case f.command != "":
		return f.leadCommand()
	case f.pty:
		return f.leadTerminal()
	default:
		return f.leadPipe()
	}
}

func (f *channel) leadTerminal() int {
	t := f.newTerminal()
	defer func() {
		_ = t.Close(closeGrace) // a client that does not take its last rows has been waited for
		f.conn.start(t.Wait)
	}()
	return f.conn.server.house.ServeConsole(f.ctx, f.visitor, &screen{t, f.probe}).Status
}

//go:noinline
func (f *channel) newTerminal() *terminal.Terminal {
	return terminal.New(f.Channel, terminal.Options{
		Size:    f.size,
		Resize:  f.resized,
		Limits:  f.conn.server.limits.Terminal,
		Measure: true,
		Plain:   f.visitor.Plain(),
		Writers: f.conn.server.writers,
	})
}

func (f *channel) leadPipe() int {
	o := f.newOutlet()
	defer o.end(f.ctx)
	p := newPipe(o, f.probe, f.conn.deaf)
	f.conn.start(func() { p.read(f.Channel, f.conn.server.limits.Terminal.PasteBytes) })
	defer close(p.quit)
	return f.conn.server.house.ServeConsole(f.ctx, f.visitor, p).Status
}

func (f *channel) leadCommand() int {
	o := f.newOutlet()
	defer o.end(f.ctx)
	// A command reads nothing. What its client sends all the same must not pile up.
	f.conn.start(func() { _, _ = io.Copy(io.Discard, f.Channel) })
	return f.conn.server.house.Exec(f.ctx, f.visitor, f.command, o.writer(f.ctx, stdout), o.writer(f.ctx, stderr))
}

// newOutlet returns a running outlet.
func (f *channel) newOutlet() *outlet {
	o := newOutlet(f.Channel, f.Stderr(), f.pty, f.conn.server.limits.Terminal.OutputBytes)
	f.conn.start(o.run)
	return o
}

// identify says who has come.
func (f *channel) identify() {
	v := &f.visitor
	*v = session.Visitor{
		Session:  strings.ToLower(rand.Text()[:8]),
		User:     f.ssh.User(), // the name at the end of the login; a client may have begun it with another
		Env:      f.env,
		RoomLost: f.roomLost,
		Exempt:   f.conn.ticket.Exempt(),
	}
	if at, err := netip.ParseAddrPort(f.conn.remote); err == nil {
		v.Remote = at.Addr().Unmap().WithZone("")
	}
	if f.pty {
		v.Term = f.term
	}
	if key := keyOf(f.ssh); key != nil {
		v.Key = gossh.FingerprintSHA256(key)
	}
}

// logged makes a log value of what a client chose: quoted where that matters, and short.
func (f *channel) logged(s string) string { return logged(s, f.conn.server.limits.LoggedBytes) }

func logged(s string, limit int) string {
	if len(s) > limit {
		cut := limit
		for cut > limit-utf8.UTFMax && cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut] + "…"
	}
	quoted := strconv.Quote(s)
	return quoted[1 : len(quoted)-1]
}
