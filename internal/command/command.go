package command

import (
	"context"
	"iter"
	"strings"
	"time"

	"sarangbang/internal/i18n"
	"sarangbang/internal/identity"
	"sarangbang/internal/moderation"
	"sarangbang/room"
)

// Command is one row of the table. Exactly one of Speak and Run is set.
type Command struct {
	Name    string // lower case, without its slash
	Aliases []string
	Usage   i18n.Key // what stands behind the name; empty for nothing but one of the Choices
	Help    i18n.Key // one line
	More    i18n.Key // further lines, for whoever asks about this command; empty for none
	Choices []string // what can stand behind the name, where that is one of a few words
	// Flags are those that can stand anywhere behind the name of a command that keeps order; of those an empty list has none. A command
	// with nil looks for no flags.
	Flags  []string
	People bool // a nickname can stand behind the name
	Rooms  bool // the name of a room can
	Screen bool // of no use without a terminal
	// Needs is what somebody must be allowed to do in a room to call it; empty for nothing. See package room for who may do what.
	Needs room.Deed
	// Public commands need no nickname when they are run alone over ssh.
	Public bool
	// Plain returns what stands behind the name without what nobody but the house may keep, such as a password; nil for all of it.
	Plain func(rest string) string
	// Speak makes what is to be posted. It is called on the session's own goroutine and must not block.
	Speak func(c *Call) (room.Body, error)
	// Run does what the command says, and may wait for the journal. Errors that a person can mend are a *Failure.
	Run func(ctx context.Context, c *Call) (Answer, error)
}

// Do calls Run for who may call the command, and saves the setting that it changed with the account of a caller who has one.
func (c Command) Do(ctx context.Context, call *Call) (Answer, error) {
	if c.Flags != nil {
		var err error
		if call.Rest, call.With, err = c.cutFlags(call.Rest); err != nil {
			return Answer{}, err
		}
	}
	if err := c.allowed(call); err != nil {
		return Answer{}, err
	}
	if c.alone() && strings.TrimSpace(call.Rest) != "" {
		return Answer{}, call.usage(c)
	}
	a, err := c.Run(ctx, call)
	if err == nil && a.Changed != (Change{}) {
		err = call.save(ctx, a.Changed)
	}
	return a, err
}

// Kept returns a line that calls the command, with what stands behind its name, as it may be kept and shown again.
func (c Command) Kept(line, rest string) string {
	if c.Plain == nil {
		return line
	}
	return strings.TrimSuffix(line, rest) + c.Plain(rest)
}

// Call is one use of a command.
type Call struct {
	Env
	Name string          // as it was typed
	Rest string          // what stood behind the name, without the blanks between; may hold LF
	With map[string]bool // the flags of the command, which stand in Rest no more; set by [Command.Do]
	// Turned says that Peer came to be that only after the person had begun to type this.
	Turned bool
}

// Env is what a command sees of the house and of the person who calls it.
type Env struct {
	House    *room.House
	Me       *room.Member // nil for a Public command run without a nickname
	Who      room.Person  // as whom a caller without a nickname looks up things: the owner of the account that their key opens
	Here     room.Subject // the room that the caller looks at, or asked for as they logged in; empty for the lobby
	Rooms    []Visited    // that the caller's screen is in, by their places
	Contact  string       // whom to ask when the house itself keeps somebody out; empty for nobody named
	Words    Words        // the operator's own; nil for none
	Ignored  []Ignoring
	Total    int            // the most rooms that there may be; 0 for no bound
	AtOnce   int            // the most that a person may be in at once
	Exempt   bool           // no limit that is counted by person holds for them
	Settings                // of the caller's screen
	Start    Settings       // what the screen had when it came
	Zone     *time.Location // where the caller reads times
	Terminal bool           // the caller has one
	// Keys is the key map of terminals: the slug of what keys do, and their names.
	Keys   iter.Seq2[string, []string]
	Bare   bool        // run alone over ssh: the answer is read by a program or a pipe
	Caller string      // what tells the caller from others before they have a nickname: a key or an address; may be empty
	Peer   room.Person // who last exchanged a direct message with them; zero for nobody
	Names  identity.Rules
	Rates  *moderation.Rates
	Limits room.TextLimits // of a message
	Gaps   []Gap           // that the caller was told of and has not caught up with, oldest first
	Codes  *Codes          // by which keys come to accounts
	// NickHold is for how long nobody can wear the nickname of an account that was erased.
	NickHold time.Duration
}

// Gap is what a screen was not shown: a part of the order of a room, and one of the direct messages.
type Gap struct {
	Where   room.Subject
	Lines   room.Span
	Letters room.Span
}

// Answer is what a command gives back. With an error it is what was done all the same.
type Answer struct {
	// Lines are notices and events, pulled at the speed of the person's own client; nil for none. They may wait for the disk. An
	// error is the last of them.
	Lines iter.Seq2[*room.Event, error]
	Times Times  // how much of the time stands before them; empty for what the screen is set to
	Aside string // a sentence behind them that is none of them: a program that reads them does not get it
	// CaughtUp is the place up to which the caller needs no gap any more.
	CaughtUp room.Seq
	Changed  Change       // a setting that is another from now on; zero for none
	Left     room.Subject // the room that the caller has left; empty for none
	Go       room.Subject // the room that the caller looks at from now on; empty for the same
	Leave    bool         // the session ends
}

// Words are what the operator says to everybody who comes, in their language; empty for nothing.
type Words interface {
	Motd(lang i18n.Lang) room.Text
	Rules(lang i18n.Lang) room.Text
}

// Visited is a room that a screen is in.
type Visited struct {
	Where    room.Subject
	Name     room.Nick
	Unread   int  // lines that were said there while another room was on the screen
	Mentions int  // of those, how many named the person
	Fresh    bool // its lines were never on this screen
	Waits    bool // something was said there since it was on this screen, by whomever
}

// Change is a new value of one of the settings.
type Change struct{ Name, Value string }

// Failure is why a command did nothing, as a sentence that says what would work.
type Failure struct {
	Say  i18n.Key
	Args []any
	Keep bool // the same words may have an effect when they are sent again
}

func (f *Failure) Error() string { return f.Sentence(i18n.English) }

func fail(key i18n.Key, args ...any) error { return &Failure{Say: key, Args: args} }

// say makes the answer of one sentence. It may have several lines.
func (c *Call) say(key i18n.Key, args ...any) Answer { return lines(c.Lang.Text(key, args...)) }

// lines makes an answer of texts, a notice for each.
func lines(texts ...string) Answer {
	return Answer{Lines: func(yield func(*room.Event, error) bool) {
		for _, t := range texts {
			if !yield(room.Note(room.Sentence(t)), nil) {
				return
			}
		}
	}}
}

// usage fails with the command's own usage.
func (c *Call) usage(of Command) error {
	return fail(i18n.UsageIs, synopsis{of, c.Bare})
}

// synopsis is put into words together with the sentence that it stands in.
type synopsis struct {
	of   Command
	bare bool // there a command has no slash
}

func (s synopsis) in(lang i18n.Lang) string {
	text := s.of.Synopsis(lang)
	if s.bare {
		return strings.TrimPrefix(text, "/")
	}
	return text
}

// Synopsis is the command with its slash and what stands behind it.
func (c Command) Synopsis(lang i18n.Lang) string {
	s := "/" + c.Name
	switch {
	case c.Usage != "":
		s += " " + lang.Text(c.Usage)
	case c.Choices != nil:
		s += " " + strings.Join(c.Choices, "|")
	}
	return s
}
