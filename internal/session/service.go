package session

import (
	"context"
	"iter"
	"log/slog"
	"maps"
	"net/netip"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"sarangbang/internal/command"
	"sarangbang/internal/i18n"
	"sarangbang/internal/identity"
	"sarangbang/internal/moderation"
	"sarangbang/internal/render"
	"sarangbang/room"
)

// Limits of a session; their names, defaults and reasons stand in docs/CONFIG.md.
type Limits struct {
	Message        room.TextLimits // message_bytes, message_lines
	BacklogLines   int             // backlog_lines
	OutboxLines    int             // outbox_lines
	RoomsTotal     int             // rooms_total
	RoomsPerPerson int             // rooms_per_person
	RefusalsPer10s int             // refusals_per_10s
	NickTimeout    time.Duration   // nick_timeout
	NickHold       time.Duration   // nick_hold
	IdleTimeout    time.Duration   // idle_timeout; 0 never
}

// Options of a service; all are required but Contact, Knocked and Words.
type Options struct {
	House   *room.House
	Names   identity.Rules
	Rates   *moderation.Rates
	Limits  Limits
	Lang    i18n.Lang                   // for people whose client names no language
	Keys    iter.Seq2[string, []string] // the key map of terminals: the slug of what keys do, and their names
	Contact func() string               // whom to ask about a ban of the house; empty for nobody named
	// Knocked is called when somebody whose key or address is banned comes to a door and is sent away; nil for nothing. It must not block.
	Knocked func(door string, from netip.Addr)
	Words   func() command.Words // the operator's own; nil for none
	Logger  *slog.Logger
}

// Service leads people through one house. Its methods may be called from any goroutine.
type Service struct {
	opt   Options
	drawn render.Shared
	codes *command.Codes
	delay room.Histogram // from an event's commit to its drawing, sampled once for each time a screen is drawn

	mu     sync.Mutex
	counts Stats // guarded by mu
}

// Stats are a service's figures.
type Stats struct {
	People   map[string]int    // listed in the house now, by the door that they came by
	Screens  map[string]int    // sessions that are in the house now, by door
	Refused  map[string]uint64 // what people were refused, by the sentence's key
	Gaps     uint64            // times that a reader was told about skipped lines
	Missed   uint64            // lines skipped in them
	Panics   map[string]uint64 // sessions ended by a fault of ours, by door
	Delivery room.Latencies
}

// New makes a service. It starts nothing.
func New(opt Options) *Service {
	if opt.Contact == nil {
		opt.Contact = func() string { return "" }
	}
	if opt.Knocked == nil {
		opt.Knocked = func(string, netip.Addr) {}
	}
	if opt.Words == nil {
		opt.Words = func() command.Words { return nil }
	}
	return &Service{opt: opt, codes: command.NewCodes(), counts: Stats{
		People: map[string]int{}, Screens: map[string]int{}, Refused: map[string]uint64{}, Panics: map[string]uint64{},
	}}
}

// Stats reads the figures.
func (s *Service) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.counts
	out.People, out.Screens = maps.Clone(out.People), maps.Clone(out.Screens)
	out.Refused, out.Panics = maps.Clone(out.Refused), maps.Clone(out.Panics)
	out.Delivery = s.delay.Read()
	return out
}

// count changes the figures.
func (s *Service) count(change func(*Stats)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.counts)
}

// Serve leads one person from the nickname to the end, on the caller's goroutine. It returns when everything that it started is
// over, the person has left the house and was told why; ending the connection is the door's part.
func (s *Service) Serve(ctx context.Context, v Visitor, m Manner, scr Screen) (end End) {
	return s.newSession(v, m, scr, nil, s.settings(v)).serve(ctx)
}

// ServeConsole is Serve for a console: with a terminal where it has columns, else as a plain stream of lines.
func (s *Service) ServeConsole(ctx context.Context, v Visitor, c Console) End {
	return s.onConsole(v, c).serve(ctx)
}

// onConsole makes a session for a console. It is a function of its own, as newSession is, because what it needs on the stack
// would else be there for as long as the person is.
func (s *Service) onConsole(v Visitor, c Console) *session {
	m := Manner{Door: "ssh", Commands: true, Backlog: s.opt.Limits.BacklogLines}
	if c.Columns() > 0 {
		m.Welcome = true
	} else {
		m.Patient, m.Numbered, m.SilentNick = true, true, true
	}
	with := s.settings(v)
	scr := newConsoleScreen(c, &s.drawn, with, v)
	scr.view.Rooms = s.opt.House
	return s.newSession(v, m, scr, scr, with)
}

func (s *Service) newSession(v Visitor, m Manner, scr Screen, console *consoleScreen, with command.Settings) *session {
	user, want := login(v)
	v.User = user
	return &session{
		want: want, Service: s, visitor: v, manner: m, screen: scr, console: console, settings: with, start: with, zone: zone(v.Env["TZ"]),
		refusals: moderation.NewRefusals(s.opt.Limits.RefusalsPer10s),
	}
}

func (x *session) serve(ctx context.Context) (end End) {
	defer func() {
		if fault := recover(); fault != nil {
			end = x.fault(fault)
		}
	}()
	return x.live(ctx)
}

// Sorry says, in the visitor's language, why a door has no session for them: the limit of that name in the configuration is
// reached, at n.
func (s *Service) Sorry(v Visitor, limit string, n int) string {
	key := i18n.TooManySessions
	if limit == "sessions_per_key" {
		key = i18n.TooManyScreens
	}
	s.count(func(c *Stats) { c.Refused[string(key)]++ })
	return room.Sentence(s.lang(v).Text(key, n)).String()
}

// settings are what a visitor begins with: what their client asks for, as SARANGBANG_THEME=light does, else what they chose when they
// were here under their account, else what suits most. What a client cannot show is left alone.
func (s *Service) settings(v Visitor) command.Settings {
	with := command.Settings{
		Lang: s.lang(v), Theme: command.ThemeAuto, Times: command.TimesOff, Bell: command.BellMentions, Notify: command.NotifyOff,
	}
	if a, has := s.opt.House.AccountOf(v.Key); has {
		for name, value := range a.Settings {
			if !command.Kept(name) && !with.Set(name, value) { // another version of the program knew it
				s.opt.Logger.Warn("setting of an account ignored", "session", v.Session, "name", name, "value", value)
			}
		}
	}
	with.Plain = with.Plain || v.Plain()
	if v.Env["NO_COLOR"] != "" {
		with.Theme = command.ThemeNone
	}
	for name := range with.All() {
		with.Set(name, v.Env["SARANGBANG_"+strings.ToUpper(name)])
	}
	return with
}

// Sentence is what the house says of an event in the language of a POSIX locale and in the server's time zone, for doors that draw for
// themselves: empty for what it says nothing about, and for what a person said.
func Sentence(e *room.Event, locale string) room.Text {
	return room.Sentence(render.Sentence(e, render.View{Lang: i18n.FromLocale(i18n.English, locale), Zone: time.Local}))
}

// lang chooses a visitor's language.
func (s *Service) lang(v Visitor) i18n.Lang {
	return i18n.FromLocale(s.opt.Lang, v.Env["LC_ALL"], v.Env["LC_MESSAGES"], v.Env["LANG"])
}

// fault is what a panic becomes: logged with its stack, counted, told. The person has left the house already.
func (x *session) fault(fault any) (end End) {
	end = End{Why: room.EndingFault, Status: 1}
	x.log().Error("session ended by a fault", "panic", fault, "stack", string(debug.Stack()))
	x.count(func(c *Stats) { c.Panics[x.manner.Door]++ })
	defer func() { _ = recover() }() // the screen may be what is broken
	_ = x.screen.Refuse(room.Sentence(x.settings.Lang.Text(i18n.EndFault, x.visitor.Session)))
	return end
}
