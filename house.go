package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"syscall"
	_ "time/tzdata" // the zones of clients, on servers that have none

	gossh "golang.org/x/crypto/ssh"
	"golang.org/x/sync/errgroup"

	"sarangbang/hostkeys"
	"sarangbang/internal/admission"
	"sarangbang/internal/cells"
	"sarangbang/internal/command"
	"sarangbang/internal/config"
	"sarangbang/internal/datadir"
	"sarangbang/internal/i18n"
	"sarangbang/internal/legacy"
	"sarangbang/internal/memjournal"
	"sarangbang/internal/metrics"
	"sarangbang/internal/moderation"
	"sarangbang/internal/session"
	"sarangbang/internal/sqlitestore"
	"sarangbang/internal/terminal"
	"sarangbang/room"
	"sarangbang/sshchat"
)

// This file puts the house together and runs it.

// house is everything that runs, put together by open.
type house struct {
	log              *slog.Logger
	now              *current
	limits           config.Limits
	store            *sqlitestore.Store
	room             *room.House
	service          *session.Service
	sshGate, tcpGate *admission.Gate
	ssh              *sshchat.Server
	tcp              *legacy.Server // nil while the door is closed
	doors            []door
}

// door is something that listens.
type door struct {
	proto    string
	ln       net.Listener
	serve    func(context.Context, net.Listener) error // until ctx ends or shutdown
	shutdown func(context.Context) error               // until everybody is gone or ctx ends
}

// open puts the house together, down to its open listeners. What it opened is closed again if it fails.
func open(now *current, dir *datadir.Dir, log *slog.Logger) (*house, error) {
	settings := now.settings
	doors := 1
	if settings.TCPAddr != "" {
		doors = 2
	}
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil {
		return nil, fmt.Errorf("read the limit of open files: %w", err)
	}
	limits, warning, err := settings.Limits.FitFiles(files.Cur, doors)
	if err != nil {
		return nil, err
	}
	cells.SetMarks(limits.CombiningMarks)
	keys, err := hostkeys.Load(dir.HostKeys())
	if err != nil {
		return nil, err
	}
	lang, _ := i18n.Parse(settings.Lang) // validated by config
	h := &house{log: log, limits: limits, now: now}
	if h.store, err = sqlitestore.Open(dir.Database(), storeOptions(limits, settings.History, log)); err != nil {
		return nil, err
	}
	h.room = room.NewHouse(h.store, memjournal.NewLeases(), roomOptions(limits, log))
	if err := h.room.Restore(context.Background(), h.store); err != nil {
		h.close()
		return nil, err
	}
	h.service = session.New(session.Options{
		House: h.room, Names: nickRules(limits), Rates: moderation.NewRates(rateLimits(limits)), Limits: sessionLimits(limits),
		Lang: lang, Keys: terminalKeys, Contact: func() string { return *now.contact.Load() }, Words: func() command.Words { return now.words.Get() },
		Knocked: h.knocked, Logger: log,
	})
	if err := h.openDoors(settings, keys); err != nil {
		for _, d := range h.doors {
			_ = d.ln.Close() // nobody has come by it
		}
		h.close()
		return nil, err
	}
	now.greet(log)
	if warning != "" { // not before: what keeps the house from running is one sentence, and nothing else
		log.Warn("limit lowered", "reason", warning)
	}
	return h, nil
}

// close ends what open began, but for the doors.
func (h *house) close() {
	if err := h.store.Close(); err != nil { // all that was promised is in its log, which the next start reads
		h.log.Warn("database not tidied up", "err", err)
	}
}

// openDoors opens the listeners of all doors, until one cannot be opened.
func (h *house) openDoors(settings *config.Settings, keys []gossh.Signer) error {
	if err := h.openSSH(settings.SSHAddr, keys); err != nil {
		return err
	}
	if settings.TCPAddr != "" {
		if err := h.openTCP(settings.TCPAddr); err != nil {
			return err
		}
	}
	if settings.HTTPAddr != "" {
		return h.openHTTP(settings.HTTPAddr, settings.Profiles)
	}
	return nil
}

func (h *house) openSSH(addr string, keys []gossh.Signer) error {
	h.sshGate = admission.NewGate(gateLimits(h.limits), h.log.With("door", "ssh"))
	h.ssh = sshchat.New(sshchat.Options{House: h.service, HostKeys: keys, Gate: h.sshGate, Limits: sshLimits(h.limits), Logger: h.log})
	return h.listen("ssh", addr, h.ssh.Serve, h.ssh.Shutdown)
}

func (h *house) openTCP(addr string) error {
	h.tcpGate = admission.NewGate(tcpGateLimits(h.limits), h.log.With("door", "tcp"))
	h.tcp = legacy.New(legacy.Options{
		House: h.service, Gate: h.tcpGate, MessageBytes: h.limits.MessageBytes, OutputBytes: h.limits.OutputBufferBytes,
		WriteStall: h.limits.WriteStall, Keepalive: h.limits.TCPKeepalive, FDReserve: h.limits.FDReserve, Logger: h.log,
	})
	return h.listen("tcp", addr, h.tcp.Serve, h.tcp.Shutdown)
}

func (h *house) openHTTP(addr string, profiles bool) error {
	health := func() error {
		if state := h.room.State(); !state.Connected {
			return errors.New("lines cannot be saved: " + state.Reason)
		}
		return nil
	}
	handler := metrics.Handler(h.stats, health)
	if profiles {
		handler = metrics.WithProfiles(handler)
	}
	s := metrics.NewServer(handler, h.log)
	serve := func(_ context.Context, ln net.Listener) error { return s.Serve(ln) }
	shutdown := func(ctx context.Context) error { s.Shutdown(ctx); return nil }
	return h.listen("http", addr, serve, shutdown)
}

// listen opens a door's port.
func (h *house) listen(proto, addr string, serve func(context.Context, net.Listener) error, shutdown func(context.Context) error) error {
	ln, err := new(net.ListenConfig).Listen(context.Background(), "tcp", addr)
	if err != nil {
		return fmt.Errorf("cannot open the %s door on %s: %w; choose another with --%s-addr", proto, addr, err, proto)
	}
	h.doors = append(h.doors, door{proto, ln, serve, shutdown})
	return nil
}

// run is the one run group: everything runs until ctx ends or a part fails. Then the doors close, the people are told and leave,
// and the journal is done last.
func (h *house) run(ctx context.Context) error {
	inside, leave := context.WithCancel(context.WithoutCancel(ctx))
	defer leave()
	group, over := errgroup.WithContext(ctx)
	group.Go(func() error { return h.room.Run(inside) })
	appointed := h.appoint(over) // before anybody comes in by a door
	group.Go(func() error {
		h.follow(over, appointed)
		return nil
	})
	for _, d := range h.doors {
		group.Go(func() error {
			h.log.Info("listening", "proto", d.proto, "addr", d.ln.Addr().String())
			return d.serve(inside, d.ln)
		})
	}
	group.Go(func() error {
		<-over.Done()
		h.shutdown(inside)
		leave()
		return nil
	})
	return group.Wait()
}

// knocked lets an address pay for somebody who is banned and came to a door, unless others are here by the same address: behind it is a
// school, or a home, and not somebody alone. Nor does one by which an operator came lately, who must not stand before a closed door.
func (h *house) knocked(door string, from netip.Addr) {
	if h.room.Inhabited(from) || h.room.Trusted(from) {
		return
	}
	gate := h.sshGate
	if door == "tcp" {
		gate = h.tcpGate
	}
	gate.Penalize(net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0)), admission.Refused)
}

// shutdown closes the doors at once and waits until everybody is gone, for shutdown_timeout.
func (h *house) shutdown(ctx context.Context) {
	h.log.Info("closing", "people", h.room.People(room.Lobby))
	ctx, done := context.WithTimeout(ctx, h.limits.ShutdownTimeout)
	defer done()
	var wg sync.WaitGroup
	for _, d := range h.doors {
		wg.Go(func() {
			if err := d.shutdown(ctx); err != nil {
				h.log.Warn("door did not close in time", "proto", d.proto, "err", err)
			}
		})
	}
	wg.Wait()
	h.log.Info("closed")
}

func newLogger(settings *config.Settings, level slog.Leveler, w io.Writer) *slog.Logger {
	opt := &slog.HandlerOptions{Level: level}
	if settings.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, opt))
	}
	return slog.New(slog.NewTextHandler(w, opt))
}

// terminalKeys tells the commands what the keys of a terminal do.
func terminalKeys(yield func(slug string, names []string) bool) {
	for _, b := range terminal.Keys() {
		if !yield(b.Slug, b.Keys) {
			return
		}
	}
}
