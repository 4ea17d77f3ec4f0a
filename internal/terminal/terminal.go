package terminal

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"sarangbang/internal/cells"
)

// Size of a screen in cells. A zero stands for the usual 80 × 24.
type Size struct{ Columns, Rows int }

// Span is a piece of the prompt with the SGR sequence that it is drawn in, ""
// for none.
type Span struct{ SGR, Text string }

// A Completer says what Tab may put into the draft in the place of the bytes
// from start to the cursor: the likeliest candidate first, a blank at its end
// where one goes with it. It is called by the owner, within Next, and must not
// call the terminal.
type Completer = func(draft string, cursor int) (start int, candidates []string)

// Limits bound what a client can make the terminal keep. A zero stands for the
// default.
type Limits struct {
	PasteBytes       int // of one paste, of one line and of the history: 65536
	EscapeBytes      int // of one escape sequence: 64
	OutputBytes      int // drawn and not sent: 65536
	ColumnsMin       int // 12
	ColumnsMax       int // 500
	RowsMin          int // 4
	RowsMax          int // 200
	RedrawsPerSecond int // after changes of size: 10
	HistoryLines     int // 100
}

func (l *Limits) setDefaults() {
	for _, v := range []struct {
		limit *int
		value int
	}{
		{&l.PasteBytes, 65536},
		{&l.EscapeBytes, 64},
		{&l.OutputBytes, 65536},
		{&l.ColumnsMin, 12},
		{&l.ColumnsMax, 500},
		{&l.RowsMin, 4},
		{&l.RowsMax, 200},
		{&l.RedrawsPerSecond, 10},
		{&l.HistoryLines, 100},
	} {
		if *v.limit <= 0 {
			*v.limit = v.value
		}
	}
}

func (l *Limits) clamp(s Size) Size {
	if s.Columns <= 0 {
		s.Columns = 80
	}
	if s.Rows <= 0 {
		s.Rows = 24
	}
	return Size{
		Columns: min(max(s.Columns, l.ColumnsMin), l.ColumnsMax),
		Rows:    min(max(s.Rows, l.RowsMin), l.RowsMax),
	}
}

// Options of a terminal. All may be left out.
type Options struct {
	Size    Size
	Resize  <-chan Size // sizes to come; of several the newest wins. It may be closed.
	Limits  Limits
	Plain   bool // as after SetPlain(true)
	Measure bool // ask the client how wide ambiguous characters are
	Writers *Writers
}

// Wait says what ends Next beside the person and the client.
type Wait struct {
	Bell  <-chan struct{}  // nil: do not listen
	Timer <-chan time.Time // nil: none
	Hold  bool             // leave what is typed where it is
}

// Kind says what ended Next.
type Kind uint8

// The kinds of Input.
const (
	Woken   Kind = iota // the bell, the timer, room for output again, or a new size
	Line                // a line was entered
	Leave               // Ctrl-D on an empty line
	Refused             // a paste or a line is longer than Limits.PasteBytes and was not taken
	Switch              // Alt and a digit; what is being typed is as it was
)

// Input is what ended Next.
type Input struct {
	Kind Kind
	// Text of Line: valid UTF-8 in NFC, possibly empty, without controls but
	// the LFs between the lines of a paste. It has not passed room.Clean.
	Text string
	// Begun, of Line, is when the first of Text was typed, or all of it recalled.
	Begun time.Time
	// Size and Limit of Refused, in bytes.
	Size, Limit int
	// Place of Switch, 1 to 9.
	Place int
}

// Terminal is one person's keyboard and screen. One goroutine, its owner, calls
// all its methods.
type Terminal struct {
	limits Limits

	x      *term.Terminal
	screen screen
	prompt [][]Span // its forms
	draft  draft
	past   history
	search search
	words  [2]string // before a query: search, not found

	candidates Completer
	completion completion

	plain  plain
	window int    // the first glyph shown of a draft that is higher than the screen
	typed  []byte // text not yet in the draft
	excess int    // bytes typed beyond the limit since the last key that is not text
	pasted pasted

	began  time.Time
	parser parser
	chunk  []byte // of input, lent by the reader
	parsed int    // bytes of it
	heard  time.Time
	rested time.Time // when the client has rested for as long as its keys took

	above []byte // rows to print
	note  string // the sequence of a notification to be sent

	color       bool
	last        key  // that was pressed
	deaf        bool // nobody has listened to the client since heard
	ended       bool // the client's input has
	entered     bool // Enter was pressed; x/term has not been told
	draftStale  bool // x/term has an older draft
	promptStale bool // x/term has an older prompt
	bell        bool
	told        bool // the owner knows that the client is behind, and waits for better
	closed      bool

	fetched      time.Time // when x/term last fetched the draft
	fetchedCells int

	resize  <-chan Size
	asked   Size // the newest size; zero if it is in force
	resized time.Time

	turn   turn
	timer  *time.Timer
	in     incoming
	reader sync.WaitGroup
	out    *outgoing
	err    error // of Close
}

// turn is one call of Next.
type turn struct {
	ctx   context.Context
	wait  Wait
	over  bool
	woken bool
	input Input
	err   error
}

// errTurn takes x/term out of ReadLine with all its state kept, as the turn is
// over or has to wait.
var errTurn = errors.New("turn")

// noHistory stands in for the history of x/term, which would keep what was typed
// at every prompt and offer it at all others.
type noHistory struct{}

func (noHistory) Add(string)    {}
func (noHistory) Len() int      { return 0 }
func (noHistory) At(int) string { return "" }

// New returns a terminal on rw and starts its reader. It must be closed.
func New(rw io.ReadWriter, o Options) *Terminal {
	o.Limits.setDefaults()
	t := &Terminal{limits: o.Limits, resize: o.Resize, promptStale: true, words: [2]string{"search: ", "not found: "}}
	t.screen = newScreen(t.limits.clamp(o.Size))
	t.draft.limit = t.limits.PasteBytes
	t.past.lines, t.past.bytes = t.limits.HistoryLines, t.limits.PasteBytes
	t.pasted.limit = t.limits.PasteBytes
	t.parser.limit, t.parser.emit = t.limits.EscapeBytes, t.press
	t.x = term.NewTerminal((*wire)(t), t.promptCells())
	t.x.History = noHistory{}
	t.x.AutoCompleteCallback = t.fetch
	_ = t.x.SetSize(t.screen.columns, t.screen.rows) // writes nothing while nothing is shown
	if t.plain.on = o.Plain; o.Plain {
		t.screen.out = nil
	} else if o.Measure {
		t.ask()
	}
	t.out = newOutgoing(rw, t.limits.OutputBytes, o.Writers)
	t.in = newIncoming()
	t.reader.Go(func() { t.in.run(rw) })
	return t
}

// Next draws what has changed, waits, and returns the next thing that the owner
// must look at. The error is io.EOF when the client's input has ended (all that
// came before has been returned by then) or the client takes no more output, and
// context.Cause(ctx) when ctx ends. The owner may call Next again after any
// Input, at once or later; while it does not, nothing is read and nothing drawn.
func (t *Terminal) Next(ctx context.Context, w Wait) (Input, error) {
	switch {
	case ctx.Err() != nil:
		return Input{}, context.Cause(ctx)
	case t.closed:
		return Input{}, io.EOF
	}
	t.turn = turn{}
	t.turn.ctx, t.turn.wait = ctx, w //nolint:fatcontext // one turn's, and gone with it
	t.act()
	for !t.turn.over {
		// Outside of x/term: what stands on the stack here while nothing happens is
		// kept for each terminal.
		t.wait(t.blocked()) // it may be by what was shown a moment ago
		if !t.turn.over {
			t.act()
		}
	}
	return t.turn.input, t.turn.err
}

// act takes the keys that are here and shows what has changed.
func (t *Terminal) act() {
	_, err := t.x.ReadLine()
	switch {
	case err == nil:
		t.enter()
	case !errors.Is(err, errTurn):
		t.fail(err)
	}
}

// enter ends the turn with the line that was entered.
func (t *Terminal) enter() {
	begun := t.draft.begun
	t.end(Input{Kind: Line, Text: t.submit(), Begun: begun})
}

// submit returns the draft, which x/term has taken for entered, and begins a new
// one. The line leaves the screen: what was said comes back as a printed row.
func (t *Terminal) submit() string {
	t.entered = false
	if t.plain.on {
		t.enterPlain()
	}
	text := t.draft.take()
	t.past.rewind()
	t.completion = completion{}
	t.draftStale, t.window = false, 0 // x/term has an empty line, too
	t.screen.restart()
	if t.screen.inks.len() > keptInks {
		t.forgetInks()
	}
	return text
}

// Print shows rows above the prompt: whole rows, each ended by LF or CR LF, not
// wider than the screen (what is wider is cut off by the terminal at the margin)
// and clean of everything but SGR. They are sent by the next call of Next, all
// rows printed since the last in one piece. Print never waits; look at Behind
// before.
func (t *Terminal) Print(rows []byte) {
	if len(rows) == 0 {
		return
	}
	if t.above == nil {
		t.above = takeBuffer()
	}
	t.above = append(t.above, rows...)
	if rows[len(rows)-1] != '\n' {
		t.above = append(t.above, '\n')
	}
}

// SetPrompt replaces the prompt, by one or several forms of it, the longest
// first. On a screen of any size the first is drawn that takes at most half of
// its width, or else the last one, clipped to that; nothing is drawn anew if that
// is the form which stands there. A prompt is never empty: without any cell it is
// drawn as ">". The terminal keeps the forms; they must not be changed any more.
func (t *Terminal) SetPrompt(forms ...[]Span) {
	was := t.promptForm()
	t.prompt = forms
	t.promptStale = t.promptStale || !slices.Equal(was, t.promptForm())
}

// SetColor chooses whether the marks that the terminal itself puts into the line
// may have SGR; in the beginning they may not.
func (t *Terminal) SetColor(on bool) {
	t.draftStale = t.draftStale || on != t.color
	t.color = on
}

// SetWords chooses what stands before what is searched for in the history, and
// what stands there if nothing is found, in the language of the person; in the
// beginning "search: " and "not found: ".
func (t *Terminal) SetWords(search, notFound string) {
	t.words = [2]string{search, notFound}
	t.promptStale = t.promptStale || t.search.on
}

// SetCompleter chooses what Tab completes with; nil, as in the beginning, for
// nothing.
func (t *Terminal) SetCompleter(c Completer) { t.candidates, t.completion = c, completion{} }

// Restore gives text back: into the draft if that is empty (true), else into the
// history (false).
func (t *Terminal) Restore(text string) bool {
	text = sanitize(text)
	t.draft.begin(alone)
	if t.search.on || t.draft.text != "" || !t.draft.insert(text) {
		t.past.add(text)
		return false
	}
	t.last, t.completion = keyNone, completion{}
	t.draftStale = true
	return true
}

// Remember puts text into the history, which nothing enters by itself.
func (t *Terminal) Remember(text string) { t.past.add(sanitize(text)) }

// Draft returns what is being typed, or what a search of the history shows in
// its place.
func (t *Terminal) Draft() string { return t.draft.text }

// Ruler measures what is printed on this screen. It may change once, soon after
// New: Next returns Woken then.
func (t *Terminal) Ruler() cells.Ruler { return t.draft.ruler }

// Size returns the size that what is printed next is drawn for: the newest that
// is known, though it may not be in force yet.
func (t *Terminal) Size() Size {
	if t.asked != (Size{}) {
		return t.asked
	}
	return Size{Columns: t.screen.columns, Rows: t.screen.rows}
}

// Behind reports whether Limits.OutputBytes wait for the client, with what Next
// has still to draw. If so, nothing should be printed; Next will draw what there
// is and return Woken once there is room again.
func (t *Terminal) Behind() bool {
	behind := len(t.above)+t.out.pending() >= t.limits.OutputBytes
	t.told = t.told || behind
	return behind
}

// Delivered reports whether everything that was printed is drawn, and sent.
func (t *Terminal) Delivered() bool { return len(t.above)+t.out.pending() == 0 }

// Bell rings the client's bell with what is drawn next, once however often it
// was called.
func (t *Terminal) Bell() { t.bell = true }

// Notify asks the client to tell something outside its window, when what was
// printed so far is drawn: by OSC 9 (iTerm2) or, if osc is 777, by OSC 777 (urxvt).
// Of several calls before that the last one counts. The two words hold no more
// than a text may, no semicolon, and are cut after 200 bytes. In plain mode
// nothing is sent.
func (t *Terminal) Notify(osc int, title, text string) {
	title, text = noteText(title), noteText(text)
	t.note = "\x1b]9;" + title + ": " + text + "\x1b\\"
	if osc == 777 {
		t.note = "\x1b]777;notify;" + title + ";" + text + "\x1b\\"
	}
}

// noteBytes bounds what is shown outside the window.
const noteBytes = 200

// noteText makes s fit to stand in an OSC sequence.
func noteText(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == ';' || !cells.Kept(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	return s[:cut(s, noteBytes)]
}

// Close prints what waits, takes the prompt away, ends bracketed paste and gives
// the client up to timeout to take it all. It returns nil if it did. It asks the
// reader and the writer to end; they do as soon as the connection, which the
// owner closes next, lets go of them. A second Close does nothing and returns
// the same.
func (t *Terminal) Close(timeout time.Duration) error {
	if t.closed {
		return t.err
	}
	t.closed = true
	if t.plain.on {
		t.endRow()
		t.screen.out = appendBare(t.screen.out, t.above)
	} else {
		t.screen.leave(t.above)
	}
	t.printed()
	t.screen.sendTo(t.out)
	t.await()
	t.in.stop()
	t.err = t.out.close(timeout)
	return t.err
}

// Wait returns when the reader and the writer have ended. It blocks until the
// connection has been closed after Close.
func (t *Terminal) Wait() {
	t.reader.Wait()
	t.out.writers.Wait()
}
