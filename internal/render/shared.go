package render

import (
	"bytes"
	"sync"

	"sarangbang/internal/cells"
	"sarangbang/room"
)

// Shared draws each event once for all who see it alike: in a full room that is nearly everybody. It keeps the newest events
// only. Its methods may be called from any goroutine; the zero value is ready.
type Shared struct {
	slots [sharedEvents]slot // an event's is found by its place in the house's order
}

const (
	// sharedEvents is for how many events drawings are kept: more than a wake-up draws, for readers of several speeds.
	sharedEvents = 256
	// sharedViews bounds the drawings of one event. Who comes with yet another view draws for themselves.
	sharedViews = 8
	// sharedBytes bounds one drawing.
	sharedBytes = 4 << 10
)

// slot holds the drawings of one event.
type slot struct {
	mu       sync.Mutex // guards both
	event    *room.Event
	drawings []drawing
}

// drawing is an event in rows that are as long as they are.
type drawing struct {
	view  View
	rows  []byte // never changed
	width int    // of the widest row, in cells
}

// Append is as the function of that name.
func (s *Shared) Append(dst []byte, e *room.Event, v View) []byte {
	common, ok := v.common(e)
	if !ok {
		return Append(dst, e, v)
	}
	slot := &s.slots[uint64(e.Seq)%sharedEvents]
	rows, width, ok := slot.find(e, common)
	if !ok {
		rows = Append(nil, e, common)
		width = widest(rows, v.Ruler)
		slot.add(e, drawing{common, rows, width})
	}
	if v.Columns > 0 && width > v.Columns {
		return Append(dst, e, v)
	}
	return append(dst, rows...)
}

func (s *slot) find(e *room.Event, v View) (rows []byte, width int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.event == e {
		for i := range s.drawings {
			if d := &s.drawings[i]; d.view == v {
				return d.rows, d.width, true
			}
		}
	}
	return nil, 0, false
}

func (s *slot) add(e *room.Event, d drawing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.event != e {
		if s.event != nil && s.event.Seq > e.Seq { // an old one, that somebody asked for again
			return
		}
		clear(s.drawings)
		s.event, s.drawings = e, s.drawings[:0]
	}
	if len(s.drawings) < sharedViews && len(d.rows) <= sharedBytes {
		s.drawings = append(s.drawings, d)
	}
}

// common returns v without what makes no difference to how e is drawn: views that draw it alike become equal. It is false where
// everybody sees the event in their own way. The width is left out as well; it makes none where the widest row has room.
func (v View) common(e *room.Event) (common View, ok bool) {
	v.Columns = 0
	if v.elsewhere(e) == "" {
		v.Here, v.Rooms = "", nil
	} else {
		v.Here = room.HouseSubject // wherever they are: not there
	}
	switch b := e.Body.(type) {
	case room.Said:
		return v.heard(e, b.Text), true
	case room.Emoted:
		return v.heard(e, b.Text), true
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
func (v View) heard(e *room.Event, text room.Text) View {
	if v.Clock == "" {
		v.Zone = nil
	}
	named := (v.Palette != nil || v.Words) && v.Nick != "" && e.From.ID != v.Me
	if named {
		from, _ := Mention(text.String(), string(v.Nick))
		named = from >= 0
	}
	if v.Me = ""; !named {
		v.Nick, v.Words = "", false
	}
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
