package historycheck

import (
	"fmt"
	"time"
)

// Lobby is the room where everybody begins.
const Lobby = "#lobby"

// House is what was done to a house with several rooms and with people who keep order in it, and what was seen of it.
type House struct {
	Sends   []Send   // their screens are indexes of Screens; the house says which room a line came into
	Screens []Screen // of all rooms: [Turn] marks say which is on it, [Left] marks that the reader is out of one
	Kept    []Kept   // what the rooms hold after each restart, the last two or more
	Deeds   []Deed   // those of one person in the order in which they were done
	Audits  []Audit  // what the house lists after each restart; the first is taken as given
	States  []State  // how the rooms are then, with the last audit
	Views   []View
	Probes  []Probe
}

// Kept is the answer to "what was said?": for each room its lines, oldest first.
type Kept struct {
	Name  string
	Rooms map[string][]Entry
}

// Entry is one line as a room holds it.
type Entry struct {
	Line
	ID     string
	Seq    uint64 // its place in the one order; 0 where nobody was told
	At     time.Time
	Struck bool // only a note stands there: the line is what stood there before
}

func (e Entry) String() string { return fmt.Sprintf("[%s] %s (%s)", e.Author, e.Text, e.ID) }

// Deed is one attempt to keep order, or to change a room.
type Deed struct {
	By       string
	Kind     string // as the audit calls it
	Room     string // empty: the house
	Whom     string
	What     string // the aspect that is arranged, or the role that is given
	Value    string
	Reason   string
	Off      bool
	Line     string // the ID of the line that is struck
	At, Done time.Duration
	Outcome  Outcome
}

func (d *Deed) String() string {
	return fmt.Sprintf("%s %s by %s in %q: %s %s %s %s%s", d.Outcome, d.Kind, d.By, d.Room, d.Whom, d.What, d.Value, d.Reason, d.Line)
}

// Audit is what the house lists of what was done, oldest first.
type Audit struct {
	Name    string
	Records []Record
}

// Record is one act that an audit lists.
type Record struct {
	ID, Kind, Room, By, Whom, What, Value, Reason string
	Seq                                           uint64
	At                                            time.Time
	Until                                         *time.Time // of a bar; nil for ever
	Of                                            []string   // lines that were struck, or the act that was ended
	Off, Undone                                   bool
}

func (r *Record) String() string {
	return fmt.Sprintf("%s by %s at %d in %q (%s): %s %s %s %s", r.Kind, r.By, r.Seq, r.Room, r.ID, r.Whom, r.What, r.Value, r.Reason)
}

// State is how the house says that a room is.
type State struct {
	Room            string
	Asked, Answered time.Time // of Bars
	Topic           string
	Private, Locked bool
	Slow            string
	Owner           string
	Moderators      []string
	Invited         []string // of a private room
	Bars            []Bar    // that have not ended, the oldest first
}

// Bar is what keeps somebody out or silent.
type Bar struct {
	Whom  string
	Mute  bool
	House bool // not only in the room
}

// View is what somebody was shown who asked for what was said in a room, at a time when nobody was in the house.
type View struct {
	Name   string
	Reader string
	Room   string
	Of     string // the text that was looked for; empty for everything
	Shown  bool   // they were answered, not refused
	Lines  []Line
	After  int // by how many audits it was preceded
}

// Probe is an attempt to come into a room and say something there, at a time when nobody was in the house.
type Probe struct {
	Who     string
	Account bool
	Room    string
	At      time.Time // when it began
	Done    time.Time // when it was over
	Said    bool
	Told    string // why not
	After   int    // by how many audits it was preceded
}

// Outcomes as words.
func (o Outcome) String() string {
	return [...]string{Unknown: "unanswered", Shown: "acknowledged", Refused: "refused"}[o]
}

// log makes of one room a log of its own. Direct messages, and what is nowhere, belong to that of the lobby.
func (h *House) log(room string) *Log {
	l := &Log{}
	where := map[string]string{}
	for _, k := range h.Kept {
		for name, entries := range k.Rooms {
			for _, e := range entries {
				where[e.Text] = name
			}
		}
		history := History{Name: k.Name + " of " + room}
		for _, e := range k.Rooms[room] {
			history.Lines = append(history.Lines, e.Line)
		}
		l.Histories = append(l.Histories, history)
	}
	for _, s := range h.Sends {
		if in, kept := where[s.Text]; in == room || !kept && room == Lobby {
			l.Sends = append(l.Sends, s)
		}
	}
	for i := range h.Screens {
		l.Screens = append(l.Screens, part(&h.Screens[i], room)...)
	}
	return l
}

// part returns what stood on a screen of one room. Each stay in another room than the lobby, and in the lobby after somebody was put out
// of it, is a screen of its own: nobody is owed what is said while they are out of a room.
func part(s *Screen, room string) (all []Screen) {
	var p *Screen
	turns := 0
	begin := func() {
		all = append(all, Screen{Name: s.Name + " in " + room, Reader: s.Reader, Account: s.Account && room == Lobby && len(all) == 0})
		p = &all[len(all)-1]
		turns = 0
		if room != Lobby || len(all) > 1 {
			p.Marks = append(p.Marks, Mark{Kind: Again})
		}
	}
	begin()
	here, again := Lobby, false
	for _, m := range s.Marks {
		if m.Kind == Again || m.Kind == New {
			again = m.Kind == Again
		}
		switch {
		case m.Kind == Left:
			if m.Room == room {
				begin()
			}
		case m.Kind == Turn:
			here = m.Room
			if here != room {
				continue
			}
			if turns++; turns > 1 || room == Lobby && len(all) == 1 { // what they were shown, they were shown
				p.Marks = append(p.Marks, Mark{Kind: New})
			}
		case m.Kind == Gap:
			p.Marks = append(p.Marks, m)
		case m.Kind == Saw && m.Line.To != "":
			if room == Lobby {
				m.apart = here != room || again // they may have read it while they looked at another room
				p.Marks = append(p.Marks, m)
			}
		case here == room:
			p.Marks = append(p.Marks, m)
		}
	}
	return all
}
