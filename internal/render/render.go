package render

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"sarangbang/internal/cells"
	"sarangbang/internal/i18n"
	"sarangbang/room"
)

// Mark is what each of the house's own lines starts with. A person's rows start with a bracket or the Gutter.
const Mark = "* "

// Gutter is what every row of a message after its first starts with. Text cannot come before it, so nobody can type it.
const Gutter = "¦ "

const gutterWidth = 2

// View is how one person sees.
type View struct {
	Lang    i18n.Lang
	Columns int      // cells in a row, at least 12; 0 leaves rows as long as they are
	Palette *Palette // nil for neither colours nor attributes
	// Words tells in words what colours would: that a line names the reader.
	Words bool
	// Bare leaves the Mark away, for the answer to a command over ssh: there is nobody else on that screen.
	Bare bool
	Me   room.PersonID // to tell which end of a direct message the reader is
	Nick room.Nick     // of the reader, to highlight where others name them; empty for nobody
	// Clock is the layout (of package time) of what stands before a person's line; empty for no time. Zone is where it is read.
	Clock string
	Zone  *time.Location
	Ruler cells.Ruler // measures for the screen that the rows are drawn on
	// Here is the room that is on the screen: what happened in another says in which. Empty: nothing says it. Rooms knows the names; nil
	// for those that stand in the subjects.
	Here  room.Subject
	Rooms Names
}

// SGR sequences that rows may hold beside those of the palette: attributes, which suit any ground.
const (
	sgrReset = "\x1b[0m"
	sgrHouse = "\x1b[2m"
	sgrNamed = "\x1b[7m"
	sgrPlain = "\x1b[27m" // ends sgrNamed
)

// Append appends the rows of e, each ended by LF, and returns the extended buffer. What is shown to nobody adds nothing.
func Append(dst []byte, e *room.Event, v View) []byte {
	switch b := e.Body.(type) {
	case room.Said:
		return appendSpoken(appendNamed(dst, v, e, b.Text), v, e, "["+string(e.From.Nick)+"] ", b.Text.String())
	case room.Emoted:
		return appendSpoken(appendNamed(dst, v, e, b.Text), v, e, "["+string(e.From.Nick)+"] ", "* "+b.Text.String())
	case room.Told:
		from, to := string(e.From.Nick), string(b.To.Nick)
		if e.From.ID == v.Me {
			from = v.Lang.Text(i18n.You)
		}
		if b.To.ID == v.Me {
			to = v.Lang.Text(i18n.You)
		}
		return appendSpoken(dst, v, e, "["+from+" → "+to+"] ", b.Text.String())
	case room.Notice:
		return appendHouse(dst, v, b.Text.String())
	case room.Joined, room.Parted, room.Renamed, room.Arranged, room.Invited, room.Ranked, room.Kicked, room.Barred, room.Lifted, room.Undone,
		room.Withdrawn, room.Removed, room.Announced:
		return appendDone(dst, v, e)
	case room.Registered, room.KeyAdded, room.KeyRemoved, room.Configured, room.Erased, room.Opened, room.Closed, room.Appointed, room.Absent,
		room.Unknown: // told to nobody
	}
	return dst
}

// appendDone draws what the house says of something that was done, and in which room if that is another.
func appendDone(dst []byte, v View, e *room.Event) []byte {
	text := Sentence(e, v)
	if text == "" {
		return dst
	}
	if where := v.elsewhere(e); where != "" && !tellsRoom(e, v) {
		text = where + " · " + text
	}
	return appendHouse(dst, v, text)
}

// appendNamed says before a line that it names the reader, where no colour will.
func appendNamed(dst []byte, v View, e *room.Event, text room.Text) []byte {
	if !v.Words || e.From.ID == v.Me {
		return dst
	}
	if from, _ := Mention(text.String(), string(v.Nick)); from < 0 {
		return dst
	}
	return appendHouse(dst, v, v.Lang.Text(i18n.MentionsYou, e.From.Nick))
}

// appendSpoken draws what a person said: head, the text's lines, all rows but the first behind the gutter.
func appendSpoken(dst []byte, v View, e *room.Event, head, text string) []byte {
	w := rows{dst: dst, columns: v.Columns, indent: Gutter, ruler: v.Ruler}
	if v.Clock != "" && !e.At.IsZero() {
		w.text(e.At.In(v.Zone).Format(v.Clock) + " ")
	}
	if where := v.elsewhere(e); where != "" {
		w.text(where + " ")
	}
	colors := v.Palette != nil
	if colors {
		w.dst = append(w.dst, v.Palette.of(e.From)...)
	}
	w.text(head)
	if colors {
		w.dst = append(w.dst, sgrReset...)
	}
	for i, line := range strings.Split(text, "\n") {
		if i > 0 {
			w.breakRow()
		}
		if colors && v.Nick != "" && e.From.ID != v.Me {
			w.named(line, string(v.Nick))
		} else {
			w.text(line)
		}
	}
	w.dst = append(w.dst, '\n')
	return w.dst
}

// named lays out a line and highlights a nickname in it.
func (w *rows) named(line, nick string) {
	for {
		from, to := Mention(line, nick)
		if from < 0 {
			w.text(line)
			return
		}
		w.text(line[:from])
		w.dst, w.lit = append(w.dst, sgrNamed...), true
		w.text(line[from:to])
		w.dst, w.lit = append(w.dst, sgrPlain...), false
		line = line[to:]
	}
}

// appendHouse draws what the house says; each of its lines has the mark.
func appendHouse(dst []byte, v View, text string) []byte {
	for line := range strings.SplitSeq(text, "\n") {
		w := rows{dst: dst, columns: v.Columns, indent: Gutter, ruler: v.Ruler, aligned: true}
		if v.Bare {
			w.indent = ""
		}
		if v.Palette != nil {
			w.dst = append(w.dst, sgrHouse...)
		}
		if !v.Bare {
			w.text(Mark)
		}
		w.text(line)
		if v.Palette != nil {
			w.dst = append(w.dst, sgrReset...)
		}
		dst = append(w.dst, '\n')
	}
	return dst
}

// rows lays text out in rows of at most columns cells.
type rows struct {
	dst     []byte
	columns int
	indent  string // what rows after the first start with
	ruler   cells.Ruler
	x       int  // cells used in the current row
	lit     bool // what is laid out is highlighted, but for the gutter
	aligned bool // blanks align columns, which end with the row: the next does not begin with what is left of them
}

// breakRow starts the next row.
func (w *rows) breakRow() {
	if w.lit {
		w.dst = append(w.dst, sgrPlain...)
	}
	w.dst = append(w.dst, '\n')
	w.dst = append(w.dst, w.indent...)
	if w.lit {
		w.dst = append(w.dst, sgrNamed...)
	}
	w.x = w.margin()
}

// text lays out one line. A word that does not fit goes to the next row if it fits there; one that is longer than a row is
// parted between its clusters. Blanks stay where they are, but one blank that a row has no cell left for is the break itself.
func (w *rows) text(s string) {
	for len(s) > 0 {
		word := s
		if i := strings.IndexByte(s, ' '); i == 0 {
			word = s[:1]
		} else if i > 0 {
			word = s[:i]
		}
		s = s[len(word):]
		if word == " " {
			if w.columns > 0 && w.x+1 > w.columns {
				w.breakRow()
				if w.aligned {
					s = strings.TrimLeft(s, " ")
				}
			} else {
				w.dst = append(w.dst, ' ')
				w.x++
			}
			continue
		}
		w.word(word)
	}
}

func (w *rows) word(s string) {
	simple, width := ascii(s), len(s) // as most words are
	if !simple {
		width = w.ruler.Width(s)
	}
	fits := w.columns == 0 || w.x+width <= w.columns
	if !fits && w.x > w.margin() && w.margin()+width <= w.columns && !w.breaksAnywhere(s) {
		w.breakRow()
		fits = true
	}
	if fits && simple {
		w.dst = append(w.dst, s...)
		w.x += width
		return
	}
	for len(s) > 0 {
		g := w.ruler.First(s)
		s = s[g.Bytes:]
		if w.columns > 0 && w.x+g.Width > w.columns {
			w.breakRow()
		}
		w.dst = append(w.dst, g.Text...)
		w.x += g.Width
	}
}

// margin is how many cells a row after the first has before its text.
func (w *rows) margin() int {
	if w.indent == "" {
		return 0
	}
	return gutterWidth
}

// ascii says that each byte of s is a printable ASCII character: drawn as it is.
func ascii(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// breaksAnywhere says that a word is of a script that is written without blanks, such as Han or kana; to keep it whole would
// leave ragged rows. Hangul has blanks between words, and reads better with its words whole.
func (w *rows) breaksAnywhere(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return w.ruler.First(s).Width == 2 && !unicode.Is(unicode.Hangul, r)
}
