package historycheck

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// What can be wrong with a house in which order is kept, besides.
const (
	Unlisted Kind = "unlisted" // an acknowledged act is not in the audit
	Spoke    Kind = "spoke"    // a line stands behind the place of what kept its author from saying it
	Admitted Kind = "admitted" // somebody came in or spoke whom a bar, a lock or a closed door should have kept from it
	KeptOut  Kind = "kept out" // somebody was refused whom nothing keeps out
	Returned Kind = "returned" // a line that was struck is there again
	Withheld Kind = "withheld" // a line is struck, or found no more, and nobody did that
	Changed  Kind = "changed"  // a room is not as the order of what was done to it says
)

// CheckHouse returns what is wrong with a house: nothing if all is well. What [Check] finds is looked for in each room.
func CheckHouse(h *House) []Fault {
	c := &check{}
	for _, room := range h.rooms() {
		for _, f := range Check(h.log(room)) {
			c.say(f.Kind, "%s: %s", room, f.Say)
		}
	}
	p := &peace{check: c, house: h, lines: map[string]Entry{}, in: map[string]string{}, let: map[[2]string]time.Duration{}}
	for _, k := range h.Kept {
		for room, entries := range k.Rooms {
			for _, e := range entries {
				if _, known := p.lines[e.ID]; !known || e.Seq > 0 {
					p.lines[e.ID] = e
				}
				p.in[e.ID] = room
			}
		}
	}
	p.audits()
	if len(h.Audits) == 0 {
		return c.faults
	}
	p.deeds(h.Audits[len(h.Audits)-1].Records)
	p.replay()
	return c.faults
}

func (h *House) rooms() []string {
	rooms := map[string]bool{Lobby: true}
	for _, k := range h.Kept {
		for room := range k.Rooms {
			rooms[room] = true
		}
	}
	return slices.Sorted(maps.Keys(rooms))
}

// peace is one look at how order was kept.
type peace struct {
	*check
	house *House
	lines map[string]Entry  // by ID
	in    map[string]string // the room of a line, by its ID
	let   map[[2]string]time.Duration
}

// audits wants each audit to list each act once, in the order of their places, and to begin like the one before.
func (p *peace) audits() {
	var before []Record
	for n, a := range p.house.Audits {
		seen := map[string]bool{}
		last := uint64(0)
		for i := range a.Records {
			r := &a.Records[i]
			switch {
			case seen[r.ID]:
				p.say(Twice, "%s is listed twice %s", r, a.Name)
			case r.Seq <= last:
				p.say(Disorder, "%s is listed %s behind place %d", r, a.Name, last)
			}
			seen[r.ID], last = true, r.Seq
		}
		for i := range before {
			if i >= len(a.Records) || a.Records[i].ID != before[i].ID {
				if !seen[before[i].ID] {
					p.say(Vanished, "%s was listed %s, and is not %s", &before[i], p.house.Audits[n-1].Name, a.Name)
				} else {
					p.say(Rewritten, "%s does not stand %s where it stood %s", &before[i], a.Name, p.house.Audits[n-1].Name)
				}
				break
			}
		}
		before = a.Records
	}
}

// deeds wants what was done, and nothing else, to be listed: what was acknowledged once, what was refused never, and the rest once at
// most; and all that one person did in the order in which they did it.
func (p *peace) deeds(all []Record) {
	records, deeds := map[string][]*Record{}, map[string][]*Deed{}
	for i := range all {
		if r := &all[i]; r.Seq > p.given() && r.Kind != "opened" && r.Kind != "appointed" {
			records[r.By] = append(records[r.By], r)
		}
	}
	for i := range p.house.Deeds {
		d := &p.house.Deeds[i]
		deeds[d.By] = append(deeds[d.By], d)
		if records[d.By] == nil {
			records[d.By] = nil
		}
	}
	for _, by := range slices.Sorted(maps.Keys(records)) {
		p.match(records[by], deeds[by])
	}
}

// match goes through the deeds of one person with all places where it can be among the records.
func (p *peace) match(records []*Record, deeds []*Deed) {
	at := map[int]bool{0: true} // records that are explained
	for _, d := range deeds {
		next := map[int]bool{}
		for n := range at {
			if d.Outcome != Shown {
				next[n] = true
			}
			if n < len(records) && d.Outcome != Refused && d.is(records[n]) {
				next[n+1] = true
			}
		}
		if len(next) == 0 {
			furthest := slices.Max(slices.Collect(maps.Keys(at)))
			if p.again(records, furthest) {
				return
			}
			found := "nothing"
			if furthest < len(records) {
				found = records[furthest].String()
			}
			p.say(Unlisted, "%s: it is not listed, where it should stand is %s", d, found)
			return
		}
		at = next
	}
	if furthest := slices.Max(slices.Collect(maps.Keys(at))); furthest < len(records) && !p.again(records, furthest) {
		p.say(Forged, "%s is listed, and was not done, or not then", records[furthest])
	}
}

// again reports a record that is the same as the one before it.
func (p *peace) again(records []*Record, at int) bool {
	if at == 0 || at >= len(records) {
		return false
	}
	r, b := *records[at], *records[at-1]
	if r.Kind != b.Kind || r.Room != b.Room || r.Whom != b.Whom || r.What != b.What || r.Value != b.Value || r.Reason != b.Reason || !slices.Equal(r.Of, b.Of) {
		return false
	}
	p.say(Twice, "%s and %s were done once", &b, &r)
	return true
}

// is says that a record can have come of a deed.
func (d *Deed) is(r *Record) bool {
	if d.Kind != r.Kind || d.Reason != r.Reason || d.Off != r.Off || d.Kind != "undone" && d.Room != r.Room && (d.Kind != "lifted" || r.Room != "") {
		return false
	}
	switch d.Kind {
	case "undone":
		return true
	case "withdrawn":
		return slices.Equal(r.Of, []string{d.Line})
	case "arranged":
		return d.What == r.What && d.Value == r.Value
	case "ranked":
		return d.Whom == r.Whom && d.What == r.What
	default:
		return d.Whom == r.Whom
	}
}

// order is how a house is at one place of the one order.
type order struct {
	bars   []*Record          // in force unless they are over
	struck map[string]*Record // lines, and what struck them
	rooms  map[string]*chamber
	acts   map[string]*done
	undone map[string]bool
}

// chamber is how a room is.
type chamber struct {
	aspects map[string]string
	keepers []string // the owner first
	invited []string
	kicked  map[string]uint64 // the place at which somebody was put out last
}

func newChamber(keepers ...string) *chamber {
	return &chamber{aspects: map[string]string{}, keepers: keepers, kicked: map[string]uint64{}}
}

// done is an act that may be taken back.
type done struct {
	*Record
	back func() // nil for what cannot be
}

func (p *peace) begin() *order {
	return &order{struck: map[string]*Record{}, rooms: map[string]*chamber{}, acts: map[string]*done{}, undone: map[string]bool{}}
}

func (o *order) room(name string) *chamber {
	if o.rooms[name] == nil {
		o.rooms[name] = newChamber()
	}
	return o.rooms[name]
}

// knows says that somebody who is not in a room may know of it, and come into it but for bars.
func (o *order) knows(who, room string) bool {
	m := o.room(room)
	return m.aspects["private"] == "" || slices.Contains(m.keepers, who) || slices.Contains(m.invited, who)
}

// barred returns what keeps somebody out of a room, or from speaking there.
func (o *order) barred(who, room string, at time.Time, fromSpeaking bool) *Record {
	for _, b := range o.bars {
		if b.Whom == who && (b.Room == "" || b.Room == room) && (b.Until == nil || at.Before(*b.Until)) && (fromSpeaking || b.Kind == "banned") {
			return b
		}
	}
	return nil
}

// do takes in one act.
func (o *order) do(r *Record) {
	m := o.room(r.Room)
	a := &done{Record: r}
	o.acts[r.ID] = a
	switch r.Kind {
	case "opened":
		o.rooms[r.Room] = newChamber(r.By)
	case "arranged":
		was := m.aspects[r.What]
		m.aspects[r.What] = r.Value
		a.back = func() { m.aspects[r.What] = was }
	case "invited":
		at := slices.Index(m.invited, r.Whom)
		out := func() {
			m.invited = slices.DeleteFunc(slices.Clone(m.invited), func(who string) bool { return who == r.Whom })
		}
		out()
		if !r.Off {
			m.invited = append(m.invited, r.Whom)
		}
		a.back = func() { // whoever else was invited since then stays so
			if out(); at >= 0 && m.kicked[r.Whom] < r.Seq {
				m.invited = slices.Insert(m.invited, min(at, len(m.invited)), r.Whom)
			}
		}
	case "kicked": // out of a private room: it takes another invitation
		if m.aspects["private"] != "" {
			m.invited = slices.DeleteFunc(slices.Clone(m.invited), func(who string) bool { return who == r.Whom })
		}
		m.kicked[r.Whom] = r.Seq
	case "ranked":
		was := slices.Clone(m.keepers)
		m.keepers = slices.DeleteFunc(slices.Clone(m.keepers), func(who string) bool { return who == r.Whom })
		switch r.What {
		case "moderator":
			m.keepers = append(m.keepers, r.Whom)
		case "owner":
			m.keepers = append([]string{r.Whom}, m.keepers...)
		}
		a.back = func() { m.keepers = was }
	case "muted", "banned":
		o.bars = append(o.bars, r)
		a.back = func() { o.lift(r.ID) }
	case "lifted":
		var bars []*Record
		for _, id := range r.Of {
			if bar := o.lift(id); bar != nil {
				bars = append(bars, bar)
			}
		}
		a.back = func() { o.bars = append(o.bars, bars...) }
	case "withdrawn":
		struck := slices.DeleteFunc(slices.Clone(r.Of), func(line string) bool { return o.struck[line] != nil })
		for _, line := range struck {
			o.struck[line] = r
		}
		a.back = func() {
			for _, line := range struck {
				delete(o.struck, line)
			}
		}
	}
}

// lift ends a bar.
func (o *order) lift(id string) (bar *Record) {
	o.bars = slices.DeleteFunc(slices.Clone(o.bars), func(b *Record) bool {
		if b.ID == id {
			bar = b
		}
		return b.ID == id
	})
	return bar
}

// replay goes through the one order, and holds everything against how the house must be at each place.
func (p *peace) replay() {
	type line struct {
		Entry
		room string
	}
	var lines []line
	for id, e := range p.lines {
		if e.Seq > 0 {
			lines = append(lines, line{e, p.in[id]})
		}
	}
	slices.SortFunc(lines, func(a, b line) int { return int(a.Seq) - int(b.Seq) })
	last := p.house.Audits[len(p.house.Audits)-1].Records
	ends := map[int]int{} // how many audits end behind so many records
	for _, a := range p.house.Audits {
		ends[len(a.Records)]++
	}
	o, at, audits := p.begin(), 0, ends[0]
	for i := range last {
		r := &last[i]
		for ; at < len(lines) && lines[at].Seq < r.Seq; at++ {
			p.spoken(o, lines[at].Entry, lines[at].room)
		}
		p.act(o, r)
		for range ends[i+1] {
			audits++
			p.rest(o, audits)
		}
	}
	for ; at < len(lines); at++ {
		p.spoken(o, lines[at].Entry, lines[at].room)
	}
	for i := range last {
		if r := &last[i]; r.Undone != o.undone[r.ID] {
			p.say(Changed, "%s is listed as taken back: %v; it was: %v", r, r.Undone, o.undone[r.ID])
		}
	}
	p.stands(o)
	p.screens(last)
	for i := range p.house.States {
		p.state(o, &p.house.States[i])
	}
}

// act takes in a record.
func (p *peace) act(o *order, r *Record) {
	if r.Kind != "undone" {
		o.do(r)
		return
	}
	o.acts[r.ID] = &done{Record: r}
	for _, id := range r.Of {
		a := o.acts[id]
		switch {
		case a == nil || a.By != r.By || a.back == nil:
			p.say(Changed, "%s takes back %s, which is nothing that can be", r, id)
		case o.undone[id]:
			p.say(Changed, "%s takes back %s once more", r, a.Record)
		default:
			a.back()
			o.undone[id] = true
		}
	}
}

// spoken holds one line against the bars of its place.
func (p *peace) spoken(o *order, e Entry, room string) {
	if b := o.barred(e.Author, room, e.At, true); b != nil {
		p.say(Spoke, "%s stands in %s at %d, behind %s", e, room, e.Seq, b)
	}
}

// stands holds what is kept against what was struck.
func (p *peace) stands(o *order) {
	if len(p.house.Kept) == 0 {
		return
	}
	k := p.house.Kept[len(p.house.Kept)-1]
	kept := map[string]bool{}
	for room, entries := range k.Rooms {
		for _, e := range entries {
			kept[e.ID] = true
			by := o.struck[e.ID]
			switch {
			case by != nil && !e.Struck:
				p.say(Returned, "%s stands in %s %s, and was struck: %s", e, room, k.Name, by)
			case by == nil && e.Struck:
				p.say(Withheld, "%s is struck in %s %s, and nobody did that, or it was taken back", e, room, k.Name)
			}
		}
	}
	for line, r := range o.struck {
		if !kept[line] {
			p.say(Vanished, "no note stands %s where %s was struck", k.Name, r)
		}
	}
}

// rest holds what was asked and tried at rest, after so many audits, against how the house must be.
func (p *peace) rest(o *order, audits int) {
	for i := range p.house.Views {
		if v := &p.house.Views[i]; v.After == audits {
			p.view(o, v)
		}
	}
	for i := range p.house.Probes {
		if t := &p.house.Probes[i]; t.After == audits {
			p.probe(o, t)
		}
	}
}

// view holds what somebody was shown against what they may know and what was struck.
func (p *peace) view(o *order, v *View) {
	if !o.knows(v.Reader, v.Room) {
		for _, l := range v.Lines {
			p.say(Leaked, "[%s] %s of %s was shown to %s, who may not know of it, %s", l.Author, l.Text, v.Room, v.Reader, v.Name)
		}
		return
	}
	if b := o.barred(v.Reader, v.Room, time.Time{}, false); b != nil {
		return // whoever is kept out may be told that instead
	}
	struck, found := map[string]bool{}, map[string]bool{}
	for id, e := range p.lines {
		struck[e.Text] = o.struck[id] != nil
	}
	for _, l := range v.Lines {
		found[l.Text] = true
		if struck[l.Text] {
			p.say(Returned, "[%s] %s was shown to %s %s, and was struck", l.Author, l.Text, v.Reader, v.Name)
		}
	}
	if v.Of != "" && !struck[v.Of] && !found[v.Of] {
		p.say(Withheld, "%q stands in %s, and %s was not shown it %s", v.Of, v.Room, v.Reader, v.Name)
	}
}

// probe holds what somebody could do against what they may.
func (p *peace) probe(o *order, t *Probe) {
	m := o.room(t.Room)
	var why string
	// A bar can end meanwhile; none begins.
	first, last := o.barred(t.Who, t.Room, t.At, true), o.barred(t.Who, t.Room, t.Done, true)
	switch {
	case last != nil:
		why = last.String()
	case !o.knows(t.Who, t.Room):
		why = "it is private"
	case m.aspects["locked"] != "" && !t.Account:
		why = "it is locked"
	}
	switch {
	case why != "" && t.Said:
		p.say(Admitted, "%s spoke in %s at %v though %s", t.Who, t.Room, t.At.Format(time.TimeOnly), why)
	case why == "" && first == nil && !t.Said && m.aspects["slow"] == "":
		p.say(KeptOut, "%s could not speak in %s at %v: %s", t.Who, t.Room, t.At.Format(time.TimeOnly), t.Told)
	}
}

// screens holds what stood on screens against what was struck before they were opened, and against private rooms.
func (p *peace) screens(records []Record) {
	struck := map[string]*Deed{} // by text, by an act that nobody took back
	undone := map[string]bool{}
	for i := range records {
		if records[i].Undone {
			for _, line := range records[i].Of {
				undone[line] = true
			}
		}
	}
	for i := range p.house.Deeds {
		if d := &p.house.Deeds[i]; d.Kind == "withdrawn" && d.Outcome == Shown && !undone[d.Line] {
			struck[p.lines[d.Line].Text] = d
		}
	}
	room := map[string]string{}
	for id, e := range p.lines {
		room[e.Text] = p.in[id]
	}
	private := p.alwaysPrivate(records)
	for i := range p.house.Screens {
		s := &p.house.Screens[i]
		for _, m := range s.Marks {
			if m.Kind != Saw || m.Line.To != "" {
				continue
			}
			if d := struck[m.Line.Text]; d != nil && d.Done < s.Opened {
				p.say(Returned, "[%s] %s stands on %s, which was opened %v after it was struck", m.Line.Author, m.Line.Text, s.Name, s.Opened-d.Done)
			}
			if in := room[m.Line.Text]; private[in] && m.At < p.letIn(records, s.Reader, in) {
				p.say(Leaked, "[%s] %s of %s stands on %s", m.Line.Author, m.Line.Text, in, s.Name)
			}
		}
	}
}

// alwaysPrivate finds the rooms that have been private since the first audit.
func (p *peace) alwaysPrivate(records []Record) map[string]bool {
	private := map[string]bool{}
	for i := range records {
		r := &records[i]
		if r.Kind == "arranged" && r.What == "private" {
			_, again := private[r.Room]
			private[r.Room] = !again && r.Value != "" && !r.Undone && r.Seq <= p.given()
		}
	}
	return private
}

// given is the place up to which the acts are taken as given.
func (p *peace) given() uint64 {
	first := p.house.Audits[0].Records
	if len(first) == 0 {
		return 0
	}
	return first[len(first)-1].Seq
}

// letIn returns when somebody may first have been let into a private room.
func (p *peace) letIn(records []Record, who, room string) time.Duration {
	key := [2]string{who, room}
	if at, known := p.let[key]; known {
		return at
	}
	at := time.Duration(math.MaxInt64)
	for i := range records {
		r := &records[i]
		if r.Room == room && r.Seq <= p.given() && (r.Kind == "opened" && r.By == who || (r.Kind == "ranked" || r.Kind == "invited") && r.Whom == who) {
			at = 0
		}
	}
	for i := range p.house.Deeds {
		d := &p.house.Deeds[i]
		if (d.Kind == "invited" || d.Kind == "ranked") && d.Room == room && d.Whom == who && d.Outcome != Refused {
			at = min(at, d.At)
		}
	}
	p.let[key] = at
	return at
}

// state wants a room to be as what was done to it says.
func (p *peace) state(o *order, s *State) {
	m := o.room(s.Room)
	wrong := func(what string, got, want any) {
		if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
			p.say(Changed, "%s of %s is %s, and what was done says %s", what, s.Room, g, w)
		}
	}
	wrong("the topic", s.Topic, m.aspects["topic"])
	wrong("private", s.Private, m.aspects["private"] != "")
	wrong("locked", s.Locked, m.aspects["locked"] != "")
	wrong("slow", s.Slow, m.aspects["slow"])
	keepers := append([]string{""}, m.keepers...)
	if s.Room != Lobby && len(m.keepers) > 0 {
		keepers = m.keepers
	}
	wrong("the owner", s.Owner, keepers[0])
	wrong("who moderates", s.Moderators, keepers[1:])
	if s.Private {
		wrong("who is invited", s.Invited, m.invited)
	}
	var bars []Bar
	over := false // at about the time when it was asked for
	for _, b := range o.bars {
		if b.Room != "" && b.Room != s.Room {
			continue
		}
		if b.Until != nil && b.Until.Before(s.Answered.Add(time.Second)) {
			over = over || b.Until.After(s.Asked.Add(-time.Second))
			continue
		}
		bars = append(bars, Bar{b.Whom, b.Kind == "muted", b.Room == ""})
	}
	if !over {
		less := func(a, b Bar) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) }
		slices.SortFunc(bars, less)
		wrong("who is kept out or silent", slices.SortedFunc(slices.Values(s.Bars), less), bars)
	}
}
