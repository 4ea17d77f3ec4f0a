package room_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"sarangbang/room"
)

// The people of the stories about order: an operator by configuration, three with accounts, and three without.
var cast = []room.Person{
	{ID: "id:op", Nick: "op", Key: "SHA256:op"},
	{ID: "id:ann", Nick: "ann", Key: "SHA256:ann"},
	{ID: "id:bob", Nick: "bob", Key: "SHA256:bob"},
	{ID: "id:cho", Nick: "cho", Key: "SHA256:cho"},
	{ID: "id:dan", Nick: "dan", Key: "SHA256:dan"},
	{ID: "conn:eve", Nick: "eve"},
	{ID: "conn:fay", Nick: "fay"},
}

var (
	places    = []room.Subject{room.Lobby, "room/dev", "room/attic"}
	addresses = []string{"192.0.2.1", "192.0.2.77", "2001:db8::1", ""}
	nets      = []string{"192.0.2.1/32", "192.0.2.0/24", "2001:db8::/64"}
)

func caseOf(nick room.Nick) []string { return []string{"case:" + string(nick)} }

// teller makes up a log in which most records make sense, as one record after the other is told.
type teller struct {
	rnd   *rand.Rand
	seq   room.Seq
	at    time.Time
	lines []room.ID // said lately
	bars  []room.ID // set lately
	acts  []room.ID // done lately
	by    map[room.ID]room.Person
	of    map[room.ID]room.Subject // whose bars these are
	due   []*room.Event            // a beginning that makes the rest worth while
}

func newTeller(seed uint64) *teller {
	s := &teller{
		rnd: rand.New(rand.NewPCG(seed, 21)), at: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		by: map[room.ID]room.Person{}, of: map[room.ID]room.Subject{},
	}
	first := func(from room.Person, where room.Subject, b room.Body) {
		s.due = append(s.due, &room.Event{From: from, Subject: where, Body: b})
	}
	first(room.Person{}, room.HouseSubject, room.Appointed{Keys: []string{"SHA256:op"}})
	for i, p := range cast {
		first(p, room.Lobby, room.Joined{Screen: s.screen(p), Names: caseOf(p.Nick), Addr: addresses[i%len(addresses)]})
		if p.Nick == "ann" || p.Nick == "bob" || p.Nick == "cho" {
			first(p, room.HouseSubject, room.Registered{Names: caseOf(p.Nick)})
		}
	}
	first(cast[1], "room/dev", room.Opened{Name: "dev", Names: []string{"case:dev"}})
	for _, p := range cast[1:5] {
		first(p, "room/dev", room.Joined{Screen: s.screen(p), Names: caseOf(p.Nick)})
	}
	first(cast[1], "room/dev", room.Ranked{Whom: cast[2], Role: room.RoleModerator})
	first(cast[0], room.Lobby, room.Ranked{Whom: cast[3], Role: room.RoleModerator})
	return s
}

func (s *teller) screen(p room.Person) room.ScreenID {
	return room.ScreenID(fmt.Sprintf("%s-%d", p.Nick, s.rnd.IntN(3)))
}

func (s *teller) person() room.Person { return cast[s.rnd.IntN(len(cast))] }

func (s *teller) one(of ...string) string { return of[s.rnd.IntN(len(of))] }

// lately picks one of the last IDs, or one that is nobody's.
func (s *teller) lately(ids []room.ID) room.ID {
	if len(ids) == 0 || s.rnd.IntN(20) == 0 {
		return room.ID{0xff}
	}
	return ids[max(0, len(ids)-1-s.rnd.IntN(6))]
}

// next tells what happens next.
func (s *teller) next() *room.Event {
	s.seq++
	s.at = s.at.Add(time.Duration(s.rnd.IntN(20)) * time.Second)
	if s.rnd.IntN(60) == 0 {
		s.at = s.at.Add(time.Duration(s.rnd.IntN(15)) * time.Hour)
	}
	var e *room.Event
	if len(s.due) > 0 {
		e, s.due = s.due[0], s.due[1:]
	} else {
		e = s.invent()
	}
	e.Seq, e.At = s.seq, s.at
	binary.BigEndian.PutUint64(e.ID[:], uint64(s.seq))
	s.note(e)
	// What it says of itself is what its record would.
	rec := room.Encode(e.From, e.Subject, e.Body)
	e.Subject = rec.Subject
	return e
}

// note remembers what others can be about.
func (s *teller) note(e *room.Event) {
	s.by[e.ID] = e.From
	s.of[e.ID] = e.Subject
	switch e.Body.(type) {
	case room.Said, room.Emoted:
		s.lines = append(s.lines, e.ID)
	case room.Barred:
		s.bars = append(s.bars, e.ID)
		s.acts = append(s.acts, e.ID)
	case room.Arranged, room.Ranked, room.Invited, room.Kicked, room.Lifted, room.Withdrawn:
		s.acts = append(s.acts, e.ID)
	default:
	}
}

func (s *teller) invent() *room.Event {
	p, other := s.person(), s.person()
	where := places[s.rnd.IntN(len(places))]
	e := &room.Event{From: p, Subject: where}
	act := func(b room.Body) { // mostly by somebody who may
		if s.rnd.IntN(4) > 0 {
			e.From = cast[s.rnd.IntN(4)]
		}
		e.Body = b
	}
	switch n := s.rnd.IntN(40); {
	case n < 7:
		e.Body = room.Said{Text: text("hi")}
	case n < 8:
		e.Body = room.Emoted{Text: text("waves")}
	case n < 10:
		e.Body = room.Told{To: other, Text: text("psst")}
	case n < 16:
		e.Body = room.Joined{
			Screen: s.screen(p), Visit: s.rnd.IntN(6) == 0, Names: caseOf(p.Nick),
			Addr: addresses[s.rnd.IntN(len(addresses))], Pass: s.one("", "", "hash"),
		}
	case n < 18:
		e.Body = room.Parted{Screen: s.screen(p), Why: room.EndingLost}
	case n < 20:
		to := p.Nick + room.Nick(s.one("", "2"))
		if s.rnd.IntN(4) == 0 {
			to = "eve2"
		}
		e.Body = room.Renamed{To: to, Names: caseOf(to)}
	case n < 21:
		e.Body = room.Absent{Away: s.rnd.IntN(2) == 0, Text: text(s.one("", "lunch"))}
	case n < 22:
		e.Body = s.account(p)
	case n < 23:
		e.Body = room.Opened{Name: room.Nick(where[5:]), Names: []string{"case:" + string(where[5:])}}
	case n < 24 && s.rnd.IntN(3) == 0:
		e.From, e.Body = room.Person{}, room.Closed{}
	case n < 27:
		act(s.arranged())
	case n < 28:
		act(room.Invited{Whom: other, Out: s.rnd.IntN(3) == 0, Pass: s.one("", "hash")})
	case n < 29:
		if s.rnd.IntN(6) == 0 {
			e.Subject = room.HouseSubject
		}
		act(room.Ranked{Whom: other, Role: room.Roles()[s.rnd.IntN(5)]})
	case n < 31:
		act(room.Kicked{Whom: other, Reason: text("out")})
	case n < 34:
		if s.rnd.IntN(3) == 0 {
			e.Subject = room.HouseSubject
		}
		act(room.Barred{Bar: s.bar(other)})
	case n < 35:
		id := s.lately(s.bars)
		act(room.Lifted{Bars: []room.ID{id, s.lately(s.bars)}})
		if s.rnd.IntN(6) > 0 {
			e.Subject = s.of[id]
		}
	case n < 38:
		id := s.lately(s.acts)
		e.Body = room.Undone{Act: id}
		if s.rnd.IntN(8) > 0 && s.by[id].ID != "" {
			e.From = s.by[id]
		}
	case n < 39:
		act(room.Withdrawn{Lines: []room.ID{s.lately(s.lines), s.lately(s.lines)}})
	default:
		act(room.Announced{Text: text("tea")})
		if s.rnd.IntN(4) == 0 {
			e.From, e.Body = room.Person{}, room.Appointed{Keys: []string{"SHA256:op", s.one("SHA256:op2", "SHA256:cho")}}
		}
	}
	return e
}

func (s *teller) account(p room.Person) room.Body {
	key := s.one("SHA256:x", "SHA256:y", "SHA256:"+string(p.Nick))
	switch s.rnd.IntN(8) {
	case 0:
		return room.KeyAdded{Key: key}
	case 1:
		return room.KeyRemoved{Key: key}
	case 2:
		if s.rnd.IntN(3) == 0 {
			return room.Erased{Until: s.at.Add(time.Hour)}
		}
		return room.Configured{Name: "lang", Value: "ko"}
	default:
		return room.Registered{Names: caseOf(p.Nick)}
	}
}

func (s *teller) arranged() room.Body {
	switch s.rnd.IntN(5) {
	case 0:
		return room.Arranged{What: room.AspectTopic, Value: s.one("", "tea", "milk")}
	case 1:
		return room.Arranged{What: room.AspectPrivate, Value: s.one("", "on")}
	case 2:
		return room.Arranged{What: room.AspectLocked, Value: s.one("", "on")}
	case 3:
		return room.Arranged{What: room.AspectSlow, Value: s.one("", "10s", "1m")}
	default:
		return room.Arranged{What: room.AspectPassword, Value: s.one("", "hash", "other")}
	}
}

func (s *teller) bar(other room.Person) room.Bar {
	b := room.Bar{Mute: s.rnd.IntN(2) == 0, Label: string(other.Nick)}
	if s.rnd.IntN(3) > 0 {
		b.Until = s.at.Add(time.Duration(1+s.rnd.IntN(600)) * time.Second)
	}
	switch s.rnd.IntN(5) {
	case 0:
		b.Target.Nets = []netip.Prefix{netip.MustParsePrefix(nets[s.rnd.IntN(len(nets))])}
	case 1:
		b.Target.Names = caseOf(other.Nick + room.Nick(s.one("", "2")))
	case 2:
		if other.Key != "" {
			b.Target.Keys = []string{other.Key}
		}
	default:
		b.Target.Persons = []room.PersonID{other.ID}
	}
	return b
}

// storyOf tells n records.
func storyOf(seed uint64, n int) []*room.Event {
	s := newTeller(seed)
	log := make([]*room.Event, n)
	for i := range log {
		log[i] = s.next()
	}
	return log
}
