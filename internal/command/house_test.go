package command_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sarangbang/internal/command"
	"sarangbang/internal/i18n"
	"sarangbang/internal/identity"
	"sarangbang/internal/memjournal"
	"sarangbang/internal/moderation"
	"sarangbang/internal/render"
	"sarangbang/internal/sqlitestore"
	"sarangbang/internal/testkit"
	"sarangbang/room"
)

// house is a house that remembers, for commands to look things up in.
type house struct {
	*room.House
	t     *testing.T
	store *sqlitestore.Store
	flaky *testkit.FlakyJournal // before the store
	codes *command.Codes
	rates *moderation.Rates
}

// newHouse starts a house; it ends with the test.
func newHouse(t *testing.T) *house {
	t.Helper()
	logger := slog.New(slog.DiscardHandler)
	store, err := sqlitestore.Open(filepath.Join(t.TempDir(), "test.db"), sqlitestore.Options{Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	flaky := testkit.Flaky(store)
	h := &house{t: t, store: store, flaky: flaky, codes: command.NewCodes()}
	h.House = room.NewHouse(flaky, memjournal.NewLeases(), room.Options{Logger: logger, ResumeWindow: time.Minute})
	h.rates = moderation.NewRates(moderation.Limits{MessageBurst: 8, MessagesPerSecond: 2, NickChangesPerMinute: 5, JoinsPerMinute: 5, NewPeoplePerMinute: 10})
	if err := h.Restore(t.Context(), store); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := h.Run(ctx); err != nil {
			t.Errorf("Run = %v, want nil", err)
		}
	})
	t.Cleanup(func() {
		stop()
		wg.Wait()
		if err := store.Close(); err != nil {
			t.Errorf("Close = %v, want nil", err)
		}
	})
	return h
}

// guest is one screen of somebody, and how they call commands.
type guest struct {
	*room.Member
	h   *house
	env command.Env
}

// come brings somebody in; without a key they are a guest.
func (h *house) come(nick, key string) *guest {
	h.t.Helper()
	name, err := identity.DefaultRules().Parse(nick)
	if err != nil {
		h.t.Fatal(err)
	}
	m, err := h.Enter(h.t.Context(), room.Claim{Key: key, Nick: room.Nick(nick), Names: name.Keys()}, room.Entry{Where: room.Lobby, Back: true})
	if err != nil {
		h.t.Fatalf("%s cannot come in: %v", nick, err)
	}
	return h.guestOf(m)
}

// guestOf is how somebody who is in calls commands.
func (h *house) guestOf(m *room.Member) *guest {
	g := &guest{Member: m, h: h}
	g.env = command.Env{
		House: h.House, Me: m, Settings: command.Settings{Lang: i18n.English, Times: command.TimesOff}, Zone: time.UTC,
		Names: identity.DefaultRules(), Rates: h.rates, Limits: room.DefaultTextLimits, Codes: h.codes, NickHold: 24 * time.Hour,
	}
	return g
}

// leave takes them out again.
func (g *guest) leave() { g.Leave(room.EndingLeft) }

// says posts to the room, and returns the last place.
func (g *guest) says(texts ...string) room.Seq {
	g.h.t.Helper()
	var last room.Seq
	for _, text := range texts {
		results, err := g.Post(g.h.t.Context(), room.Lobby, room.Said{Text: room.Sentence(text)})
		if err != nil || results[0].Void != "" {
			g.h.t.Fatalf("say %q: %v, %v", text, results, err)
		}
		last = results[0].Seq
	}
	return last
}

// call runs a command and returns its answer as rows, without times.
func (g *guest) call(line string) (string, error) {
	g.h.t.Helper()
	a, err := run(g.h.t, g.env, line)
	return rows(g.h.t, a, g.env, false), err
}

// says what the command fails with, and no answer.
func (g *guest) fails(line, want string) {
	g.h.t.Helper()
	got, err := g.call(line)
	if err == nil || !strings.Contains(err.Error(), want) || got != "" {
		g.h.t.Errorf("%s answers %q and fails with %v, want an error about %q", line, got, err, want)
	}
}

// gets wants the whole answer of a command.
func (g *guest) gets(line, want string) {
	g.h.t.Helper()
	if got, err := g.call(line); err != nil || got != want {
		g.h.t.Errorf("%s answers\n%s\nerr %v, want\n%s", line, got, err, want)
	}
}

// getsPart wants something in the answer of a command, and returns the answer.
func (g *guest) getsPart(line string, parts ...string) string {
	g.h.t.Helper()
	got, err := g.call(line)
	for _, part := range parts {
		if err != nil || !strings.Contains(got, part) {
			g.h.t.Errorf("%s answers\n%s\nerr %v, want it to contain %q", line, got, err, part)
		}
	}
	return got
}

// run calls one command.
func run(t *testing.T, env command.Env, line string) (command.Answer, error) {
	t.Helper()
	name, rest, _ := command.Parse(line)
	c, ok := command.Find(name)
	if !ok {
		t.Fatalf("no command %q", name)
	}
	return c.Do(t.Context(), &command.Call{Env: env, Name: name, Rest: rest})
}

// rows draws an answer as a console does, with its times if they are wanted.
func rows(t *testing.T, a command.Answer, env command.Env, timed bool) string {
	t.Helper()
	if a.Lines == nil {
		return ""
	}
	view := render.View{Lang: env.Lang, Bare: env.Bare, Zone: env.Zone}
	if env.Me != nil {
		view.Me = env.Me.Person().ID
	}
	if timed && a.Times == command.TimesFull {
		view.Clock = "2006-01-02 15:04:05"
	}
	var out []byte
	for e, err := range a.Lines {
		if err != nil {
			return string(out) + fmt.Sprintf("error: %v\n", err)
		}
		out = render.Append(out, e, view)
	}
	if a.Aside != "" {
		out = append(out, "aside: "+a.Aside+"\n"...)
	}
	return string(out)
}
