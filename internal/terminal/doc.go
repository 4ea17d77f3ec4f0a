// Package terminal is the keyboard and the screen of one person who came in with
// a terminal: golang.org/x/term's Terminal, unforked and made exact by the cell.
// It owns the line being typed, its history, its completion, the prompt and what
// is on the screen below the last printed row.
//
// # How it works
//
// x/term keeps ReadLine, the prompt, the line on the screen, its wrapping and
// its cursor. It counts a rune as a cell and edits by runes, so it never gets to
// see what a person types:
//
//	bytes → reader → parser → draft ┐ one key: "fetch the line"
//	                                ▼
//	                  x/term (a rune for every cell)
//	                                ▼
//	screen (a grid of cells) → difference → writer → bytes
//
// The parser makes keys of bytes, the draft is edited by grapheme. After each
// change x/term gets one key, asks for the line through AutoCompleteCallback and
// is given one rune per cell; noncharacters and private runes, which nobody can
// type, stand for the right half of a wide glyph and for whatever is more than
// one rune. What x/term then writes is drawn into a grid, and when nothing is
// left to do, the difference between the grid and the real screen goes out with
// absolute columns. Half-drawn states never reach the wire. Rows that are
// printed are set above the grid as they are: text in them cannot be mistaken
// for a cell.
//
// x/term calls Read without holding its lock, so Read is where this package
// waits for everything: input, the caller's bell and timer, a new size, room for
// output. A wake-up is a private error out of Read, after which x/term goes on
// where it was.
//
// What the keys do is one table, from which the parser's tables are made and
// people are told ([Keys]).
//
// In plain mode nothing of x/term's drawing is used: rows and what is typed are
// appended to the screen, and no sequence is sent ([Terminal.SetPlain]).
//
// How wide the client draws ambiguous characters is asked once
// (Options.Measure). Who renders rows measures them with [Terminal.Ruler].
//
// # Who owns what
//
// One goroutine, the owner, calls every method. [Terminal.Next] is the only one
// that waits. Nothing here is drawn except within Next and Close.
//
// [New] starts the reader, which waits in Read of the connection. The writer
// sends what Next has drawn, in pieces of at most 4 KiB, and is the only one to
// call Write; it is there while there is something to send, lent by the
// [Writers] that a server's terminals share. [Terminal.Close] asks
// both to end, but it cannot pull them out of a Read or a Write: the owner closes
// the connection after Close, and may then call [Terminal.Wait] to know that both
// are gone.
//
// Buffers are lent from one pool while something is in them, so that a session
// in which nothing happens has none.
//
// While the client is behind, nothing is drawn, no input is read and nothing
// grows; the newest state is drawn once when it has caught up.
//
// # What it refuses
//
// It interprets no command and knows no room; what Tab proposes comes from a
// [Completer]. It does not clean printed rows.
// It takes in no code point that a text may not hold (cells.Kept), no more than
// Limits.PasteBytes in a line, and hands on no control but the LF of a paste.
package terminal
