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
	Usage   i18n.Key // what stands behind the name; empty for nothing
	Help    i18n.Key // one line
	More    i18n.Key // further lines, for whoever asks about this command; empty for none
	Choices []string // what can stand behind the name, where that is one of a few words
	People  bool     // a nickname can stand behind the name
	// Public commands need no nickname when they are run alone over ssh.
	Public bool
	// Speak makes what is to be posted. It is called on the session's own goroutine and must not block.
	Speak func(c *Call) (room.Body, error)
	// Run does what the command says, and may wait for the journal. Errors that a person can mend are a *Failure.
	Run func(ctx context.Context, c *Call) (Answer, error)
}

// Call is one use of a command.
type Call struct {
	Env
	Name string // as it was typed
	Rest string // what stood behind the name, without the blanks between; may hold LF
}

// Env is what a command sees of the house and of the person who calls it.
type Env struct {
	House    *room.House
	Me       *room.Member   // nil for a Public command run without a nickname
	Exempt   bool           // no limit that is counted by person holds for them
	Settings                // of the caller's screen
	Zone     *time.Location // where the caller reads times
	Terminal bool           // the caller has one
	// Keys is the key map of terminals: the slug of what keys do, and their names.
	Keys   iter.Seq2[string, []string]
	Bare   bool        // run alone over ssh: the answer is read by a program or a pipe
	Peer   room.Person // who last exchanged a direct message with them; zero for nobody
	Names  identity.Rules
	Rates  *moderation.Rates
	Limits room.TextLimits // of a message
	Gaps   []Gap           // that the caller was told of and has not caught up with, oldest first
	Codes  *Codes          // by which keys come to accounts
	// NickHold is for how long nobody can wear the nickname of an account that was erased.
	NickHold time.Duration
}

// Gap is a part of the order that a screen was not shown, From <= Seq < Before.
type Gap struct{ From, Before room.Seq }

// Answer is what a command gives back. With an error it is what was done all the same.
type Answer struct {
	// Lines are notices and events, pulled at the speed of the person's own client; nil for none. They may wait for the disk. An
	// error is the last of them.
	Lines iter.Seq2[*room.Event, error]
	Times Times  // how much of the time stands before them; empty for what the screen is set to
	Aside string // a sentence behind them that is none of them: a program that reads them does not get it
	// CaughtUp is the place up to which the caller needs no gap any more.
	CaughtUp room.Seq
	Change   func(*Settings) // what is different on the screen from now on; nil for nothing
	Leave    bool            // the session ends
}

// Settings are how one screen is drawn. They last as long as the session.
type Settings struct {
	Lang  i18n.Lang
	Plain bool // append only, for screen readers
	Times Times
	Bell  Bell
}

// Times says how much of the time stands before a line.
type Times string

// The choices of /time.
const (
	TimesOff   Times = "off"
	TimesShort Times = "short" // hours and minutes
	TimesFull  Times = "full"  // the day and seconds too
)

// Bell says what the terminal's bell rings for.
type Bell string

// The choices of /bell.
const (
	BellMentions Bell = "mentions" // a line that names the reader, or is for them alone
	BellOn       Bell = "on"       // every line of somebody else
	BellOff      Bell = "off"
)

// Failure is why a command did nothing, as a sentence that says what would work.
type Failure struct {
	Say  i18n.Key
	Args []any
}

func (f *Failure) Error() string { return i18n.English.Text(f.Say, f.Args...) }

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
	synopsis := of.Synopsis(c.Lang)
	if c.Bare { // there a command has no slash
		synopsis = strings.TrimPrefix(synopsis, "/")
	}
	return fail(i18n.UsageIs, synopsis)
}

// Synopsis is the command with its slash and what stands behind it.
func (c Command) Synopsis(lang i18n.Lang) string {
	s := "/" + c.Name
	if c.Usage != "" {
		s += " " + lang.Text(c.Usage)
	}
	return s
}
