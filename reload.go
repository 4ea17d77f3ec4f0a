package main

import (
	"context"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"sarangbang/internal/config"
	"sarangbang/internal/greeting"
)

// This file is what of a running house can change: SIGHUP reads the settings and the operator's words again. What cannot be taken is
// named in the log, and what held before goes on.

// appointEvery is the wait before operators that could not be appointed are tried again.
const appointEvery = 10 * time.Second

// current is what holds now. Its goroutine alone uses what has no lock.
type current struct {
	settings *config.Settings
	load     func() (*config.Settings, error)
	hangups  <-chan os.Signal
	level    *slog.LevelVar
	folder   string // of the operator's words
	words    greeting.Holder
	contact  atomic.Pointer[string]
}

// holds makes the settings hold, as far as they can while the house runs.
func (c *current) holds(s *config.Settings) {
	c.settings = s
	c.level.Set(s.LogLevel)
	contact := s.House.Contact.String()
	c.contact.Store(&contact)
}

// greet reads the operator's words, and says in the log which of them are others now. What cannot be read changes nothing.
func (c *current) greet(log *slog.Logger) {
	words, err := greeting.Load(c.folder)
	if err != nil {
		log.Error("greeting not read, so the one before holds", "reason", err)
		return
	}
	for _, name := range words.Changed(c.words.Get()) {
		log.Info("greeting read", "file", name)
	}
	c.words.Set(words)
}

// follow reads everything again at each SIGHUP, until ctx ends. appointed says whether the operators are those of the settings.
func (h *house) follow(ctx context.Context, appointed bool) {
	retry := time.NewTicker(appointEvery)
	defer retry.Stop()
	for {
		select {
		case <-h.now.hangups:
			appointed = h.reload(ctx)
		case <-retry.C:
			if !appointed {
				appointed = h.appoint(ctx)
			}
		case <-ctx.Done():
			return
		}
	}
}

// reload reads settings and words again, and says whether the operators are those of the settings.
func (h *house) reload(ctx context.Context) (appointed bool) {
	loaded, err := h.now.load()
	if err != nil {
		h.log.Error("settings not read, so those before hold", "reason", err)
		loaded = h.now.settings
	}
	h.now.level.Set(min(h.now.settings.LogLevel, loaded.LogLevel)) // so that this is logged if one of the two levels lets it
	for _, c := range config.Diff(h.now.settings, loaded) {
		if c.Live {
			h.log.Info("setting changed", "key", c.Key, "old", c.Old, "new", c.New)
		} else {
			h.log.Warn("setting changed, waits for the next start", "key", c.Key, "old", c.Old, "new", c.New)
		}
	}
	h.now.greet(h.log)
	h.log.Info("settings and greeting looked at again")
	h.now.holds(config.Running(h.now.settings, loaded))
	return h.appoint(ctx)
}

// appoint makes those people operators whom the settings name. It blocks on the journal.
func (h *house) appoint(ctx context.Context) (done bool) {
	err := h.room.Appoint(ctx, h.now.settings.Operators.Keys)
	if err != nil && ctx.Err() == nil {
		h.log.Error("operators not appointed, so those before go on; it is tried again", "err", err)
	}
	return err == nil
}
