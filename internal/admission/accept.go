package admission

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"time"

	"golang.org/x/time/rate"
)

const (
	backOffMin = 5 * time.Millisecond
	backOffMax = time.Second
)

// Accept calls handle with each connection of ln, one after the other, until ctx ends or ln is closed; it closes ln. Handle
// owns its connection and returns at once: it refuses it, or starts a goroutine for it.
//
// Nothing else ends the loop. A server that stops accepting over one error (no descriptors, no memory, a peer gone before
// its turn) stays up, deaf. So it waits after an error, 5 ms at first and up to a second when errors go on. It also waits
// while the process has fewer than reserve descriptors left, so that the database, the logs and the metrics have theirs; the
// kernel's queue holds those who knock meanwhile.
func Accept(ctx context.Context, ln net.Listener, log *slog.Logger, reserve int, handle func(net.Conn)) {
	l := loop{
		log: log, reserve: reserve, descriptors: Descriptors,
		complain: rate.Sometimes{First: 1, Interval: time.Second},
	}
	l.run(ctx, ln, handle)
}

type loop struct {
	log         *slog.Logger
	reserve     int
	descriptors func() (used, limit int, ok bool)
	complain    rate.Sometimes

	credit  int       // connections to accept before descriptors are counted again
	counted time.Time // when they were
}

func (l *loop) run(ctx context.Context, ln net.Listener, handle func(net.Conn)) {
	defer context.AfterFunc(ctx, func() { _ = ln.Close() })() // the loop's own Close reports nothing that anybody could use
	defer func() { _ = ln.Close() }()
	delay := backOffMin
	for l.waitForDescriptors(ctx) {
		conn, err := ln.Accept()
		switch {
		case err == nil:
			delay = backOffMin
			handle(conn)
		case ctx.Err() != nil || errors.Is(err, net.ErrClosed):
			return
		default:
			l.complain.Do(func() { l.log.Warn("accepting connections fails", "err", err) })
			pause(ctx, delay)
			delay = min(2*delay, backOffMax)
		}
	}
}

// waitForDescriptors returns when there is one to spare, or false when ctx ends. Counting them for each connection would
// cost more than accepting it; so it counts once a second at most, and earlier when half of what was to spare has gone: the
// other half is for the other door.
func (l *loop) waitForDescriptors(ctx context.Context) bool {
	for delay := backOffMin; ctx.Err() == nil; delay = min(2*delay, backOffMax) {
		if l.credit > 0 && time.Since(l.counted) < time.Second {
			l.credit--
			return true
		}
		used, limit, ok := l.descriptors()
		l.counted = time.Now()
		spare := limit - used - l.reserve
		if !ok || spare > 0 {
			l.credit = spare / 2
			return true
		}
		l.complain.Do(func() { l.log.Warn("no descriptors to spare, connections wait", "open", used, "limit", limit) })
		pause(ctx, delay)
	}
	return false
}

// pause waits for so long, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
