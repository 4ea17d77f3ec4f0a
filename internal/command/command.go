package command

import (
	"context"
	"iter"

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
	House  *room.House
	Me     *room.Member // nil for a Public command run without a nickname
	Exempt bool         // no limit that is counted by person holds for them
	Lang   i18n.Lang
	Bare   bool        // run alone over ssh: the answer is read by a program or a pipe
	Peer   room.Person // who last exchanged a direct message with them; zero for nobody
	Names  identity.Rules
	Rates  *moderation.Rates
	Limits room.TextLimits // of a message
}

// Answer is what a command gives back.
type Answer struct {
	// Lines are notices and events, pulled at the speed of the person's own client; nil for none.
	Lines iter.Seq[*room.Event]
	Lang  i18n.Lang // the language from now on; empty for no change
	Leave bool      // the session ends
}

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
	return Answer{Lines: func(yield func(*room.Event) bool) {
		for _, t := range texts {
			if !yield(room.Note(room.Sentence(t))) {
				return
			}
		}
	}}
}

// usage fails with the command's own usage.
func (c *Call) usage(of Command) error {
	return fail(i18n.UsageIs, of.Synopsis(c.Lang))
}

// Synopsis is the command with its slash and what stands behind it.
func (c Command) Synopsis(lang i18n.Lang) string {
	s := "/" + c.Name
	if c.Usage != "" {
		s += " " + lang.Text(c.Usage)
	}
	return s
}
