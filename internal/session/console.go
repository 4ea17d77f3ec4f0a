package session

import (
	"context"

	"sarangbang/internal/cells"
)

// A Console is what the SSH door has for a screen: a terminal, or a plain stream without one. It deals in rows of bytes that
// the renderer has drawn; the session makes a [Screen] of it. The owner goroutine alone calls its methods.
type Console interface {
	// Next is as in Screen.
	Next(ctx context.Context, w Wait) (Input, error)
	// Print sends whole rows, each ended by LF, above the prompt where there is one. It never waits for the client.
	Print(rows []byte) error
	// Complain sends rows that say what went wrong: standard error for a plain stream.
	Complain(rows []byte) error
	// SetPrompt replaces the prompt, by forms of it of which the longest comes first: a screen of any size shows the first that
	// leaves half a row to what is typed, else the last. Plain streams have none.
	SetPrompt(forms ...[]Span)
	// Restore puts text into an empty draft, else into the history.
	Restore(text string)
	// Remember puts a line into the history.
	Remember(text string)
	// Columns is the width to wrap rows at; 0 for a plain stream: rows are not wrapped and hold no escape sequence.
	Columns() int
	// Behind is as in Screen.
	Behind() bool
	// Delivered says that everything that was shown has gone out to the client.
	Delivered() bool
	// Probe asks the client for a sign of life, behind everything that has gone out, and calls answered on another goroutine when it
	// comes: not at all if none does.
	Probe(answered func())
}

// A Terminal is a console with a keyboard and a screen of its own.
type Terminal interface {
	Console
	// SetCompleter says what Tab proposes for the bytes from start to the cursor. It is called within Next.
	SetCompleter(propose func(draft string, cursor int) (start int, candidates []string))
	// SetWords sets what stands before what is searched for in the history, and what if nothing is found.
	SetWords(search, notFound string)
	// SetPlain chooses to only ever append to the screen, without escape sequences.
	SetPlain(on bool)
	// SetColor chooses whether what it draws by itself may be coloured.
	SetColor(on bool)
	// Ruler measures rows for this screen. It may change once, soon after the beginning.
	Ruler() cells.Ruler
	// Bell rings, when what was printed so far is drawn.
	Bell()
	// Notify asks for a notification outside the window, when what was printed so far is drawn: by OSC 9, or OSC 777 if osc is 777.
	Notify(osc int, title, text string)
}

// Span is a part of a prompt in one colour: an SGR sequence, or empty for the terminal's own.
type Span struct{ SGR, Text string }
