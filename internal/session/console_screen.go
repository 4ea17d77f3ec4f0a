package session

import (
	"cmp"
	"context"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"sarangbang/internal/command"
	"sarangbang/internal/i18n"
	"sarangbang/internal/render"
	"sarangbang/room"
)

// consoleScreen is the [Screen] that the session draws itself, on a console.
type consoleScreen struct {
	Console
	term    Terminal     // the same, where it is one; else nil
	depth   render.Depth // of that terminal
	view    render.View
	here    string // the room, as the prompt shows it
	others  []elsewhere
	nick    room.Nick // empty until the person is in
	name    render.Name
	sending bool
	plain   bool
	stale   bool // the console has an older prompt
	day     day  // of the line that was drawn last
	drawn   *render.Shared
}

func newConsoleScreen(c Console, drawn *render.Shared, with command.Settings, v Visitor) *consoleScreen {
	s := &consoleScreen{Console: c, drawn: drawn, view: render.View{Zone: zone(v.Env["TZ"])}}
	if term, ok := c.(Terminal); ok && c.Columns() > 0 {
		s.term, s.depth = term, render.DepthOf(v.Term, v.Env["COLORTERM"])
		s.day = dayOf(time.Now(), s.view.Zone)
	}
	s.apply(with)
	return s
}

// zone finds the time zone of a client by its TZ, in the form of the tz database or in that of POSIX without summer time; the server's
// own where there is none.
func zone(tz string) *time.Location {
	name := strings.TrimPrefix(tz, ":")
	if name == "" {
		return time.Local
	}
	if loc, err := time.LoadLocation(name); err == nil { // refuses what is no name of a zone, and paths
		return loc
	}
	m := posixZone.FindStringSubmatch(name)
	if m == nil {
		return time.Local
	}
	west, _ := time.ParseDuration(m[1] + m[2] + "h" + cmp.Or(m[3], "0") + "m")
	if west.Abs() > 24*time.Hour {
		return time.Local
	}
	return time.FixedZone(name, -int(west.Seconds()))
}

// posixZone is a name and how far to the west of Greenwich: KST-9 is nine hours to the east. (POSIX.1-2017, Base Definitions, 8.3.)
var posixZone = regexp.MustCompile(`^[A-Za-z]{3,16}([+-]?)([0-9]{1,2})(?::([0-5][0-9]))?$`)

// clocks are the layouts of the time before a line.
var clocks = map[command.Times]string{command.TimesShort: "15:04", command.TimesFull: "2006-01-02 15:04:05"}

// clockOf is the layout of the time before a line that was looked up. Short times are of several days: where no days are drawn between
// the lines, they name theirs.
func clockOf(times command.Times, days bool) string {
	if times == command.TimesShort && !days {
		return "2006-01-02 15:04"
	}
	return clocks[times]
}

// palette chooses the colours.
func (s *consoleScreen) palette(with command.Settings) *render.Palette {
	ground, depth := render.AnyGround, s.depth
	switch with.Theme {
	case command.ThemeAuto:
	case command.ThemeDark:
		ground = render.DarkGround
	case command.ThemeLight:
		ground = render.LightGround
	case command.Theme16:
		depth = min(depth, render.Colors16)
	case command.ThemeNone:
		depth = render.NoColors
	}
	if with.Plain {
		depth = render.NoColors
	}
	return render.PaletteFor(ground, depth)
}

// apply draws by the settings from the next row on.
func (s *consoleScreen) apply(with command.Settings) {
	s.view.Lang, s.view.Clock, s.view.Palette = with.Lang, clocks[with.Times], s.palette(with)
	s.plain = with.Plain
	if s.stale {
		s.showPrompt()
	}
	if s.term != nil {
		s.view.Words = s.view.Palette == nil
		s.term.SetPlain(with.Plain)
		s.term.SetColor(!s.view.Words)
		s.term.SetWords(with.Lang.Text(i18n.SearchWord), with.Lang.Text(i18n.SearchNothing))
	}
}

// Ask prompts for a nickname. An answer is not remembered in the history.
func (s *consoleScreen) Ask(ctx context.Context, q Question) (string, error) {
	if q.Refused == nil {
		q.Refused = &NickRefusal{Why: room.Sentence(s.view.Lang.Text(i18n.AskIntro))}
	}
	if err := s.Show([]*room.Event{room.Note(q.Refused.Why)}); err != nil {
		return "", err
	}
	forms, offer := [][]Span{prompt(s.view.Lang.Text(i18n.AskNick))}, ""
	if q.Offer != "" {
		offer = s.view.Lang.Text(i18n.AskNickOffer, q.Offer)
		forms = slices.Insert(forms, 0, prompt(offer))
	}
	s.SetPrompt(forms...)
	for {
		if offer != "" && !s.roomFor(offer) { // on this screen, or since it has become narrower
			if err := s.Show([]*room.Event{s.note(i18n.AskOffer, q.Offer)}); err != nil {
				return "", err
			}
			offer = ""
		}
		in, err := s.Next(ctx, Wait{})
		if err != nil {
			return "", err
		}
		switch in.Kind {
		case Line:
			return in.Text, nil
		case Leave:
			return "", io.EOF
		case TooLong, Overrun:
			text := room.Sentence(s.view.Lang.Text(i18n.PasteTooLong, in.Size, in.Limit))
			if err := s.Show([]*room.Event{room.Note(text)}); err != nil {
				return "", err
			}
		case Woken, Switch: // there is nowhere to go yet
		}
	}
}

// Enter shows the nickname in the prompt.
func (s *consoleScreen) Enter(nick room.Nick) {
	s.nick, s.view.Nick, s.name = nick, nick, render.NameOf(nick)
	s.showPrompt()
}

// lineEntered says that the person has entered a line: a prompt that could not be replaced unheard is now. (It is no part of Next, which is
// on the stack of everybody who is idle.)
func (s *consoleScreen) lineEntered() {
	if s.stale {
		s.showPrompt()
	}
}

// setRooms says which room the person looks at, and which others they are in, in the order of their places: the screen keeps those.
// In plain mode each change of the prompt is a row more to be listened to, so that more of what is unread already is not told before
// the person has entered a line.
func (s *consoleScreen) setRooms(here string, others []elsewhere) {
	quiet := s.plain && here == s.here && slices.EqualFunc(others, s.others, elsewhere.looksLike)
	s.here, s.others = here, others
	switch {
	case s.nick == "":
	case quiet:
		s.stale = true
	default:
		s.showPrompt()
	}
}

// showPrompt shows where the person is, who they are, what is unread elsewhere, and that a line is on its way; on narrower screens less
// of it.
func (s *consoleScreen) showPrompt() {
	s.stale = false
	state := ""
	if s.sending {
		state = s.view.Lang.Text(i18n.StatusSending)
	}
	s.SetPrompt(promptForms(s.here, string(s.nick), state, s.others)...)
}

// roomFor says whether a prompt leaves half the row to what is typed: a terminal shows no more of it.
func (s *consoleScreen) roomFor(prompt string) bool {
	return s.term == nil || 2*s.term.Ruler().Width(prompt) <= s.Columns()
}

func (s *consoleScreen) note(key i18n.Key, args ...any) *room.Event {
	return room.Note(room.Sentence(s.view.Lang.Text(key, args...)))
}

// Show draws events.
func (s *consoleScreen) Show(events []*room.Event) error { return s.draw(events, true) }

// ShowAnswer draws what was looked up, with as much of the time as its command wants. The full time names the day itself.
func (s *consoleScreen) ShowAnswer(events []*room.Event, times command.Times) error {
	if times == "" {
		return s.Show(events)
	}
	live := s.view.Clock
	s.view.Clock = clockOf(times, s.term != nil)
	defer func() { s.view.Clock = live }()
	return s.draw(events, times != command.TimesFull)
}

func (s *consoleScreen) draw(events []*room.Event, days bool) error {
	s.view.Columns = s.Columns()
	if s.term != nil {
		s.view.Ruler = s.term.Ruler()
	}
	buf := drawingBuffers.Get().(*[]byte)
	rows := (*buf)[:0]
	for len(events) > 0 {
		if days {
			rows = s.separate(rows, events[0])
		}
		rows, events = s.drawNext(rows, events)
	}
	var err error
	if len(rows) > 0 {
		err = s.Print(rows)
	}
	if cap(rows) <= keptDrawing {
		*buf = rows
		drawingBuffers.Put(buf)
	}
	return err
}

// keptDrawing is how many bytes of rows a buffer may have room for to be lent again.
const keptDrawing = 64 << 10

// drawingBuffers are lent to whoever draws.
var drawingBuffers = sync.Pool{New: func() any { return new([]byte) }}

// separate draws the day where it is another than that of the line before.
func (s *consoleScreen) separate(rows []byte, e *room.Event) []byte {
	if s.term == nil || e.At.IsZero() {
		return rows
	}
	if s.day.has(e.At) {
		return rows
	}
	s.day = dayOf(e.At, s.view.Zone)
	date := e.At.In(s.view.Zone).Format(time.DateOnly)
	return render.Append(rows, room.Note(room.Sentence(date)), s.view)
}

// day is one by the calendar of a time zone: from its begin on, before its end.
type day struct{ begin, end time.Time }

func (d day) has(t time.Time) bool { return !t.Before(d.begin) && t.Before(d.end) }

func dayOf(t time.Time, zone *time.Location) day {
	year, month, date := t.In(zone).Date()
	return day{time.Date(year, month, date, 0, 0, 0, 0, zone), time.Date(year, month, date+1, 0, 0, 0, 0, zone)}
}

// Refuse draws a notice where the console has its errors.
func (s *consoleScreen) Refuse(why room.Text) error {
	s.view.Columns = s.Columns()
	return s.Complain(render.Append(nil, room.Note(why), s.view))
}

// Sending puts the state of the line into the prompt.
func (s *consoleScreen) Sending(now bool) {
	s.sending = now
	s.showPrompt()
}
