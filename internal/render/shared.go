package render

import (
	"bytes"
	"slices"
	"sync"

	"sarangbang/internal/cells"
	"sarangbang/room"
)

// Shared draws each event, and each row of events that many read at once, a single time for all who see them alike: in a full room that
// is nearly everybody. It keeps the newest only. Its methods may be called from any goroutine; the zero value is ready.
type Shared struct {
	slots   [sharedEvents]slot // an event's is found by its place in the house's order
	pages   [sharedPages]slot  // that of several by the place of the first, and their number
	spelled spelledSlots
}

const (
	// sharedEvents is for how many events drawings are kept: more than a wake-up draws, for readers of several speeds.
	sharedEvents = 256
	// sharedPages is the same for what is drawn at once: most readers are woken together, and find the same.
	sharedPages = 16
	// sharedViews bounds the drawings of one event. Who comes with yet another view draws for themselves.
	sharedViews = 8
	// sharedBytes bounds one drawing of an event, the longest line included, and of several.
	sharedBytes, sharedPageBytes = 8 << 10, 32 << 10
)

// slot holds the drawings of one event, or of some in a row.
type slot struct {
	mu       sync.Mutex // guards both
	events   []*room.Event
	drawings []drawing
}

// drawing is events in rows: as long as they are, or wrapped for the view's columns.
type drawing struct {
	view  View
	rows  []byte // never changed
	width int    // of the longest line, in cells
}

// Append is as the function of that name.
func (s *Shared) Append(dst []byte, e *room.Event, v View) []byte {
	name := NameOf(v.Nick)
	dst, _ = s.append(dst, e, v, &name)
	return dst
}

// append also says how wide the longest line is if the rows are shared, else 0.
func (s *Shared) append(dst []byte, e *room.Event, v View, name *Name) (drawn []byte, width int) {
	common, ok := s.common(e, v, name)
	if !ok {
		return Append(dst, e, v), 0
	}
	slot, key := &s.slots[uint64(e.Seq)%sharedEvents], [1]*room.Event{e}
	rows, width, ok := slot.find(key[:], common)
	if !ok {
		rows = Append(nil, e, common)
		width = widest(rows, v.Ruler)
		slot.add([]*room.Event{e}, drawing{common, rows, width}, sharedBytes)
	}
	if v.fits(width) {
		return append(dst, rows...), width
	}
	common.Columns = v.Columns
	if rows, _, ok = slot.find(key[:], common); !ok {
		rows = Append(nil, e, common)
		slot.add([]*room.Event{e}, drawing{common, rows, width}, sharedBytes)
	}
	return append(dst, rows...), width
}

// AppendTogether is as the function of that name.
func (s *Shared) AppendTogether(dst []byte, events []*room.Event, v View) []byte {
	common := v.seen()
	common.Here, common.Rooms = "", nil
	slot := &s.pages[(uint64(events[0].Seq)+uint64(len(events)))%sharedPages]
	if rows, _, ok := slot.find(events, common); ok {
		return append(dst, rows...)
	}
	begun := len(dst)
	dst = AppendTogether(dst, events, common)
	if slot.asked(events) {
		slot.add(slices.Clone(events), drawing{view: common, rows: slices.Clone(dst[begun:])}, sharedPageBytes)
	}
	return dst
}

// fits says that what is so wide is not wrapped.
func (v View) fits(width int) bool { return v.Columns == 0 || width <= v.Columns }

// AppendSaid draws, of events that all have a place in the order, as many from the first on as people said in the room on the screen
// without naming the reader, whose nickname name is; n is how many that are. It is what drawing them one by one gives.
func (s *Shared) AppendSaid(dst []byte, events []*room.Event, v View, name *Name) (drawn []byte, n int) {
	for n < len(events) && s.plain(events[n], v, name) {
		n++
	}
	events = events[:n]
	if n < 2 {
		for _, e := range events {
			dst, _ = s.append(dst, e, v, name)
		}
		return dst, n
	}
	common := v.unnamed()
	common.Columns, common.Here, common.Rooms = 0, "", nil
	slot := &s.pages[(uint64(events[0].Seq)+uint64(n))%sharedPages]
	if rows, width, ok := slot.find(events, common); ok && v.fits(width) {
		return append(dst, rows...), n
	}
	common.Columns = v.Columns
	if rows, _, ok := slot.find(events, common); ok {
		return append(dst, rows...), n
	}
	begun, widest, shared := len(dst), 0, true
	for _, e := range events {
		var width int
		dst, width = s.append(dst, e, v, name)
		widest, shared = max(widest, width), shared && width > 0
	}
	if shared && slot.asked(events) {
		if v.fits(widest) {
			common.Columns = 0
		}
		slot.add(slices.Clone(events), drawing{common, slices.Clone(dst[begun:]), widest}, sharedPageBytes)
	}
	return dst, n
}

// plain says that an event is something that was said in the room on the screen, and does not name the reader.
func (s *Shared) plain(e *room.Event, v View, name *Name) bool {
	text, spoken := said(e)
	return spoken && (v.Here == "" || v.Here == e.Subject) && (!v.marks(e) || !s.Names(e, text, name))
}

// said returns what somebody says or does in an event.
func said(e *room.Event) (text room.Text, spoken bool) {
	switch b := e.Body.(type) {
	case room.Said:
		return b.Text, true
	case room.Emoted:
		return b.Text, true
	default:
		return text, false
	}
}

func (s *slot) find(events []*room.Event, v View) (rows []byte, width int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if slices.Equal(s.events, events) {
		for i := range s.drawings {
			if d := &s.drawings[i]; d.view == v {
				return d.rows, d.width, true
			}
		}
	}
	return nil, 0, false
}

// asked says whether somebody has drawn the same events before, and notes it for the next: what one reader alone finds at once is not
// worth being kept.
func (s *slot) asked(events []*room.Event) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if slices.Equal(s.events, events) {
		return true
	}
	if s.events == nil || s.events[0].Seq <= events[0].Seq {
		clear(s.drawings)
		s.events, s.drawings = append(s.events[:0], events...), s.drawings[:0]
	}
	return false
}

func (s *slot) add(events []*room.Event, d drawing, most int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Equal(s.events, events) {
		if s.events != nil && s.events[0].Seq > events[0].Seq { // old ones, that somebody asked for again
			return
		}
		clear(s.drawings)
		s.events, s.drawings = events, s.drawings[:0]
	}
	if len(s.drawings) < sharedViews && len(d.rows) <= most {
		s.drawings = append(s.drawings, d)
	}
}

// common returns v without what makes no difference to how e is drawn: views that draw it alike become equal. It is false where
// everybody sees the event in their own way. The width is left out as well; it makes none where the longest line has room.
func (s *Shared) common(e *room.Event, v View, name *Name) (common View, ok bool) {
	v.Columns = 0
	if v.elsewhere(e) == "" {
		v.Here, v.Rooms = "", nil
	} else {
		v.Here = room.HouseSubject // wherever they are: not there
	}
	switch b := e.Body.(type) {
	case room.Said:
		return s.heard(e, b.Text, v, name), true
	case room.Emoted:
		return s.heard(e, b.Text, v, name), true
	case room.Joined, room.Parted, room.Renamed, room.Arranged, room.Ranked, room.Kicked, room.Lifted, room.Undone, room.Withdrawn, room.Removed,
		room.Announced:
		return v.seen(), true
	case room.Barred:
		zone := v.Zone
		if v = v.seen(); !b.Bar.Until.IsZero() {
			v.Zone = zone
		}
		return v, true
	case room.Invited:
		if b.Whom.ID != v.Me { // who reads how to come there
			return v.seen(), true
		}
	case room.Told, room.Notice, room.Registered, room.KeyAdded, room.KeyRemoved, room.Configured, room.Erased, room.Opened, room.Closed,
		room.Appointed, room.Absent, room.Unknown:
	}
	return View{}, false
}

// seen is common for what the house says to everybody alike.
func (v View) seen() View {
	v.Me, v.Nick, v.Words, v.Clock, v.Zone = "", "", false, "", nil
	return v
}

// heard is common for what a person said in a room.
func (s *Shared) heard(e *room.Event, text room.Text, v View, name *Name) View {
	if !v.marks(e) || !s.Names(e, text, name) {
		return v.unnamed()
	}
	if v.Me = ""; v.Clock == "" {
		v.Zone = nil
	}
	return v
}

// marks says that a line would be marked if it named the reader.
func (v View) marks(e *room.Event) bool { return (v.Palette != nil || v.Words) && e.From.ID != v.Me }

// unnamed is common for a line that does not name the reader.
func (v View) unnamed() View {
	if v.Clock == "" {
		v.Zone = nil
	}
	v.Me, v.Nick, v.Words = "", "", false
	return v
}

// widest returns how many cells the widest of some rows takes.
func widest(rows []byte, ruler cells.Ruler) int {
	width := 0
	for row := range bytes.Lines(rows) {
		text := make([]byte, 0, len(row))
		for i := 0; i < len(row)-1; i++ {
			if row[i] != 0x1b {
				text = append(text, row[i])
				continue
			}
			for row[i] != 'm' { // an SGR sequence
				i++
			}
		}
		width = max(width, ruler.Width(string(text)))
	}
	return width
}
