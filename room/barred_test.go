package room_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"sarangbang/room"
)

// wanted is the simplest thing that could be right about bars: everything that is known of everybody, and every bar that stands.
type wanted struct {
	bars    map[room.ID]room.Bar
	inside  map[room.PersonID]map[room.Subject]map[room.ScreenID]bool
	screens map[room.PersonID]map[room.ScreenID][2]string // key and address
	names   map[room.PersonID][]string                    // worn now, or when they were put out
	keys    map[room.PersonID][]string                    // of accounts
	owned   map[room.PersonID][]string
	granted map[room.PersonID]bool
	chosen  []string
}

func (w *wanted) operator(p room.Person) bool {
	some := []string{p.Key}
	for _, s := range w.screens[p.ID] {
		some = append(some, s[0])
	}
	return w.granted[p.ID] && w.keys[p.ID] != nil ||
		slices.ContainsFunc(some, func(k string) bool { return k != "" && slices.Contains(w.chosen, k) })
}

// means says that a bar means somebody who comes with further names and from an address.
func (w *wanted) means(b room.Bar, p room.Person, names []string, addr string) bool {
	keys, addrs := append([]string{p.Key}, w.keys[p.ID]...), []string{addr}
	for _, s := range w.screens[p.ID] {
		keys, addrs = append(keys, s[0]), append(addrs, s[1])
	}
	names = append(slices.Clone(w.owned[p.ID]), names...)
	for _, n := range b.Target.Nets {
		for _, a := range addrs {
			if at, err := netip.ParseAddr(a); err == nil && n.Contains(at) {
				return true
			}
		}
	}
	return slices.Contains(b.Target.Persons, p.ID) ||
		slices.ContainsFunc(b.Target.Keys, func(k string) bool { return slices.Contains(keys, k) }) ||
		slices.ContainsFunc(b.Target.Names, func(n string) bool { return slices.Contains(names, n) })
}

// forbids returns a bar that must make a record void.
func (w *wanted) forbids(e *room.Event) *room.Bar {
	if e.From.ID == "" || w.operator(e.From) {
		return nil
	}
	speaks, names, addr := true, w.names[e.From.ID], ""
	switch b := e.Body.(type) {
	case room.Said, room.Emoted, room.Told, room.Announced:
	case room.Joined:
		speaks, addr = false, b.Addr
		names = append(slices.Clone(names), b.Names...)
		if len(w.inside[e.From.ID]) == 0 { // nothing of their last stay is left
			names = b.Names
		}
	case room.Renamed:
		speaks, names = false, b.Names
	default:
		return nil
	}
	for _, b := range w.bars {
		_, renames := e.Body.(room.Renamed)
		there := b.Where == room.HouseSubject || b.Where == e.Subject || renames && len(w.inside[e.From.ID][b.Where]) > 0
		over := !b.Until.IsZero() && !e.At.Before(b.Until)
		if there && !over && (speaks || !b.Mute) && w.means(b, e.From, names, addr) {
			return &b
		}
	}
	return nil
}

// takeIn takes in what took effect.
func (w *wanted) takeIn(e *room.Event, v room.Verdict) {
	id := e.From.ID
	leave := func(where room.Subject, who room.PersonID, screens ...room.ScreenID) {
		for _, s := range screens {
			delete(w.inside[who][where], s)
		}
		if len(w.inside[who][where]) == 0 {
			delete(w.inside[who], where)
		}
		for s := range w.screens[who] {
			still := false
			for _, in := range w.inside[who] {
				still = still || in[s]
			}
			if !still {
				delete(w.screens[who], s)
			}
		}
	}
	expel := func(where room.Subject) {
		for _, p := range v.Out {
			for in, screens := range w.inside[p.ID] {
				if where == room.HouseSubject || where == in {
					for s := range screens {
						leave(in, p.ID, s)
					}
				}
			}
		}
	}
	switch b := e.Body.(type) {
	case room.Joined:
		if w.inside[id] == nil {
			w.inside[id], w.screens[id] = map[room.Subject]map[room.ScreenID]bool{}, map[room.ScreenID][2]string{}
		}
		if len(w.inside[id]) == 0 {
			w.names[id] = b.Names
		}
		if w.inside[id][e.Subject] == nil {
			w.inside[id][e.Subject] = map[room.ScreenID]bool{}
		}
		w.inside[id][e.Subject][b.Screen] = true
		if _, sits := w.screens[id][b.Screen]; !sits {
			w.screens[id][b.Screen] = [2]string{e.From.Key, b.Addr}
		}
	case room.Parted:
		leave(e.Subject, id, b.Screen)
	case room.Renamed:
		w.names[id] = b.Names
	case room.Registered:
		w.keys[id], w.owned[id] = []string{e.From.Key}, b.Names
	case room.KeyAdded:
		w.keys[id] = append(w.keys[id], b.Key)
	case room.KeyRemoved:
		w.keys[id] = slices.DeleteFunc(slices.Clone(w.keys[id]), func(k string) bool { return k == b.Key })
	case room.Erased:
		delete(w.keys, id)
		delete(w.owned, id)
		delete(w.granted, id)
	case room.Appointed:
		w.chosen = b.Keys
	case room.Ranked:
		if e.Subject == room.HouseSubject {
			w.granted[b.Whom.ID] = b.Role == room.RoleOperator
		}
	case room.Barred:
		bar := b.Bar
		bar.ID, bar.Where = e.ID, e.Subject
		w.bars[e.ID] = bar
		if !bar.Mute {
			expel(e.Subject)
		}
	case room.Lifted:
		for _, id := range b.Bars {
			if in := w.bars[id].Where; in == e.Subject || in == room.HouseSubject {
				delete(w.bars, id)
			}
		}
	case room.Undone:
		switch v.Act.Kind {
		case "muted", "banned":
			delete(w.bars, b.Act)
		case "lifted":
			for _, b := range v.Act.Bars() {
				w.bars[b.ID] = *b
				if !b.Mute {
					expel(b.Where)
				}
			}
		case "ranked":
			if v.Act.Where == room.HouseSubject {
				w.granted[v.Act.Of] = v.Act.Had
			}
		default:
		}
	case room.Kicked:
		expel(e.Subject)
	case room.Closed:
		for bar, b := range w.bars {
			if b.Where == e.Subject {
				delete(w.bars, bar)
			}
		}
	default:
	}
}

// After the record of a bar nothing of whom it means is shown any more, whatever they do and in whichever order it comes, and they are
// told which bar it was.
func TestNothingOfWhomABarMeansIsShown(t *testing.T) {
	byWhat := map[room.Void]int{}
	for seed := range uint64(40) {
		rules := room.NewRules()
		w := &wanted{
			map[room.ID]room.Bar{},
			map[room.PersonID]map[room.Subject]map[room.ScreenID]bool{},
			map[room.PersonID]map[room.ScreenID][2]string{},
			map[room.PersonID][]string{},
			map[room.PersonID][]string{},
			map[room.PersonID][]string{},
			map[room.PersonID]bool{},
			nil,
		}
		for _, e := range storyOf(seed, 500) {
			bar := w.forbids(e)
			v := rules.Apply(e)
			byWhat[v.Void]++
			switch {
			case bar != nil && v.Void == "":
				t.Fatalf("story %d, event %d, %+v of %s has an effect, want it void by %+v", seed, e.Seq, e.Body, e.From.ID, *bar)
			case bar != nil && len(w.inside[e.From.ID]) > 0 && v.Void != room.VoidBanned && v.Void != room.VoidMuted && v.Void != room.VoidTaken && v.Void != room.VoidNotMember:
				t.Fatalf("story %d, event %d, %+v: void %q, want it by %+v", seed, e.Seq, e.Body, v.Void, *bar)
			case (v.Void == room.VoidBanned || v.Void == room.VoidMuted) && (v.Bar == nil || v.Bar.Mute != (v.Void == room.VoidMuted)):
				t.Fatalf("story %d, event %d, %+v: void %q by %+v", seed, e.Seq, e.Body, v.Void, v.Bar)
			case bar == nil && v.Void == room.VoidBanned && speaksOrComes(e) && len(w.inside[e.From.ID]) > 0:
				t.Fatalf("story %d, event %d, %+v of %s: void by %+v, which does not mean them", seed, e.Seq, e.Body, e.From.ID, v.Bar)
			}
			if v.Void == "" {
				w.takeIn(e, v)
			}
		}
		for _, where := range places {
			for _, id := range rules.Inside(where) {
				if len(w.inside[id][where]) == 0 {
					t.Errorf("story %d: %s is in %s, want them out", seed, id, where)
				}
			}
		}
	}
	if byWhat[room.VoidBanned] < 100 || byWhat[room.VoidMuted] < 50 {
		t.Errorf("the stories came to %v, want many of whom a bar means", byWhat)
	}
}

func speaksOrComes(e *room.Event) bool {
	switch e.Body.(type) {
	case room.Said, room.Emoted, room.Joined, room.Renamed:
		return true
	default:
		return false
	}
}

// scene applies records one second after another.
type scene struct {
	t     *testing.T
	rules *room.Rules
	seq   room.Seq
	at    time.Time
}

func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{t: t, rules: room.NewRules(), at: time.Unix(1_800_000_000, 0)}
	s.does(room.Person{}, room.HouseSubject, room.Appointed{Keys: []string{"SHA256:op"}}, "")
	return s
}

// does applies one and wants that to become of it.
func (s *scene) does(who room.Person, where room.Subject, b room.Body, want room.Void) (room.Verdict, room.ID) {
	s.t.Helper()
	s.seq++
	s.at = s.at.Add(time.Second)
	rec := room.Encode(who, where, b)
	v := s.rules.Apply(&room.Event{Seq: s.seq, ID: rec.ID, Subject: rec.Subject, At: s.at, From: who, Body: b})
	if v.Void != want {
		s.t.Errorf("%T of %s in %s: void %q, want %q", b, who.Nick, where, v.Void, want)
	}
	return v, rec.ID
}

func (s *scene) join(who room.Person, where room.Subject, screen room.ScreenID, addr string) {
	s.t.Helper()
	s.does(who, where, room.Joined{Screen: screen, Names: caseOf(who.Nick), Addr: addr}, "")
}

var op, ann, bob, cho, dan, eve = cast[0], cast[1], cast[2], cast[3], cast[4], cast[5]

// Whoever is put out is told why what they had sent by then is not shown, whatever the bar knew them by.
func TestWhatWasSentBeforeABanIsVoidByIt(t *testing.T) {
	for name, target := range map[string]room.Target{
		"person":   {Persons: []room.PersonID{eve.ID}},
		"nickname": {Names: caseOf("eve")},
		"address":  {Nets: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.join(op, room.Lobby, "op", "")
			for _, screen := range []room.ScreenID{"1", "2", "3"} {
				s.join(eve, room.Lobby, screen, "192.0.2.9")
			}
			_, ban := s.does(op, room.HouseSubject, room.Barred{Bar: room.Bar{Target: target}}, "")
			for _, b := range []room.Body{
				room.Said{Text: text("hi")},
				room.Emoted{Text: text("waves")},
				room.Told{To: op, Text: text("psst")},
				room.Renamed{To: "eva", Names: caseOf("eva")},
				room.Absent{Away: true},
				room.Joined{Screen: "4", Names: caseOf("eve"), Addr: "192.0.2.9"},
			} {
				if v, _ := s.does(eve, room.Lobby, b, room.VoidBanned); v.Bar == nil || v.Bar.ID != ban {
					t.Errorf("%T: by %+v, want the bar %s", b, v.Bar, ban)
				}
			}
			s.does(eve, room.Lobby, room.Parted{Screen: "1"}, room.VoidRepeated)
			s.does(op, room.HouseSubject, room.Undone{Act: ban}, "")
			s.does(eve, room.Lobby, room.Said{Text: text("hi")}, room.VoidNotMember)
			s.join(eve, room.Lobby, "4", "192.0.2.9")
			s.does(eve, room.Lobby, room.Said{Text: text("hi")}, "")
		})
	}
}

// Of two moderators who act at once the order decides: who is put out of office first does nothing more.
func TestOfTwoModeratorsTheOrderDecides(t *testing.T) {
	s := newScene(t)
	for _, p := range []room.Person{op, ann, bob, eve} {
		s.join(p, room.Lobby, room.ScreenID(p.Nick), "")
		if p.ID == ann.ID || p.ID == bob.ID {
			s.does(p, room.HouseSubject, room.Registered{Names: caseOf(p.Nick)}, "")
			s.does(op, room.Lobby, room.Ranked{Whom: p, Role: room.RoleModerator}, "")
		}
	}
	ban := room.Barred{Bar: room.Bar{Target: room.Target{Persons: []room.PersonID{eve.ID}}}}
	first, _ := s.does(ann, room.Lobby, ban, "")
	second, _ := s.does(bob, room.Lobby, ban, "")
	if len(first.Out) != 1 || len(second.Out) != 0 {
		t.Errorf("the bans put out %v and then %v, want one person by the first", first.Out, second.Out)
	}
	s.does(bob, room.Lobby, room.Kicked{Whom: eve}, room.VoidNobody)
	s.does(ann, room.Lobby, room.Barred{Bar: room.Bar{Target: room.Target{Persons: []room.PersonID{bob.ID}}}}, room.VoidProtected)
	s.does(op, room.Lobby, room.Ranked{Whom: ann, Role: room.RoleMember}, "")
	s.does(ann, room.Lobby, room.Kicked{Whom: bob}, room.VoidNotAllowed)
	s.does(bob, room.Lobby, room.Kicked{Whom: ann}, "")
	s.does(ann, room.Lobby, room.Said{Text: text("what")}, room.VoidNotMember)
}

// Of several bars somebody is told the one that holds the longest, in whatever order they were set; a ban before a mute.
func TestTheBarThatEndsLastIsTold(t *testing.T) {
	in := func(d time.Duration) func(time.Time) time.Time {
		return func(now time.Time) time.Time { return now.Add(d) }
	}
	forever := func(time.Time) time.Time { return time.Time{} }
	type bar struct {
		reason string
		where  room.Subject
		mute   bool
		until  func(time.Time) time.Time
	}
	for name, c := range map[string]struct {
		bars []bar
		want string
	}{
		"bans":               {[]bar{{"a", dev, false, in(time.Hour)}, {"b", dev, false, in(3 * time.Hour)}, {"c", dev, false, in(2 * time.Hour)}}, "b"},
		"mutes":              {[]bar{{"a", dev, true, in(time.Hour)}, {"b", dev, true, in(2 * time.Hour)}}, "b"},
		"for ever":           {[]bar{{"a", dev, false, in(time.Hour)}, {"b", dev, false, forever}, {"c", dev, false, in(2 * time.Hour)}}, "b"},
		"two for ever":       {[]bar{{"a", dev, true, forever}, {"b", dev, true, forever}}, "a"},
		"of room and house":  {[]bar{{"a", room.HouseSubject, true, in(time.Hour)}, {"b", dev, true, in(2 * time.Hour)}}, "b"},
		"a ban before mutes": {[]bar{{"a", dev, true, forever}, {"b", dev, false, in(time.Hour)}, {"c", dev, true, forever}}, "b"},
	} {
		t.Run(name, func(t *testing.T) {
			s := openHouse(t, room.Options{})
			s.orders(room.Person{}, room.HouseSubject, room.Appointed{Keys: []string{"SHA256:op"}})
			op, eve := s.enter(keyed("op")), s.enter(guest("eve"))
			s.joins(op, dev)
			s.joins(eve, dev)
			target, mute := room.Target{Names: namesOf("eve")}, true
			for _, b := range c.bars {
				mute = mute && b.mute
				s.orders(op.Person(), b.where, room.Barred{Bar: room.Bar{
					Target: target, Label: "eve", Mute: b.mute, Reason: room.Sentence(b.reason), Until: b.until(time.Now()),
				}})
			}
			results, err := eve.Post(t.Context(), dev, room.Said{Text: text("hello")})
			if err != nil || results[0].Bar == nil || results[0].Bar.Reason.String() != c.want {
				t.Errorf("who speaks is told %+v, %v, want the bar %q", results, err, c.want)
			}
			if on, ok := s.BarOn(eve.Person(), room.Seeker{Names: namesOf("eve")}, dev, mute); !ok || on.Reason.String() != c.want {
				t.Errorf("who looks first is told %+v, want the bar %q", on, c.want)
			}
		})
	}
}

func TestANameThatIsKeptOutOfARoomIsNotTakenInIt(t *testing.T) {
	s := newScene(t)
	s.join(op, room.Lobby, "op", "")
	s.join(bob, room.Lobby, "1", "")
	s.does(bob, "room/dev", room.Opened{Name: "dev", Names: []string{"case:dev"}}, "")
	s.join(bob, "room/dev", "1", "")
	s.does(op, "room/dev", room.Barred{Bar: room.Bar{Target: room.Target{Names: caseOf("troll")}}}, "")
	s.does(bob, room.HouseSubject, room.Renamed{To: "troll", Names: caseOf("troll")}, room.VoidBanned)
	s.does(bob, "room/dev", room.Parted{Screen: "1"}, "")
	s.does(bob, room.HouseSubject, room.Renamed{To: "troll", Names: caseOf("troll")}, "")
	s.does(bob, "room/dev", room.Joined{Screen: "1", Names: caseOf("troll")}, room.VoidBanned)
}

func TestAScreenThatLeftIsNoReasonForABar(t *testing.T) {
	s := newScene(t)
	s.join(op, room.Lobby, "op", "")
	s.join(bob, room.Lobby, "home", "198.51.100.1")
	s.join(bob, room.Lobby, "school", "192.0.2.9")
	school := room.Target{Nets: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}
	s.does(op, room.Lobby, room.Barred{Bar: room.Bar{Mute: true, Target: school}}, "")
	s.does(bob, room.Lobby, room.Said{Text: text("hi")}, room.VoidMuted)
	s.does(bob, room.Lobby, room.Parted{Screen: "school"}, "")
	s.does(bob, room.Lobby, room.Said{Text: text("hi")}, "")
}

// An operator is one with each of their screens and whichever of their keys the configuration names.
func TestABarSparesOperatorsByEachOfTheirKeys(t *testing.T) {
	s := newScene(t)
	restore(t, s.rules, room.Snapshot{Accounts: []room.Account{{
		ID: "id:kim", Nick: "kim", Names: caseOf("kim"), Keys: []string{"SHA256:laptop", "SHA256:op"},
	}}})
	laptop, desktop := room.Person{ID: "id:kim", Nick: "kim", Key: "SHA256:laptop"}, room.Person{ID: "id:kim", Nick: "kim", Key: "SHA256:op"}
	other := room.Person{ID: "id:other", Nick: "other", Key: "SHA256:other"}
	s.does(room.Person{}, room.HouseSubject, room.Appointed{Keys: []string{"SHA256:op", "SHA256:other"}}, "")
	for _, where := range []room.Subject{room.Lobby, room.HouseSubject} {
		s.does(other, where, room.Barred{Bar: room.Bar{Target: room.Target{Names: caseOf("kim")}}}, room.VoidProtected)
	}
	s.join(laptop, room.Lobby, "1", "192.0.2.9")
	s.join(desktop, room.Lobby, "2", "192.0.2.9")
	net := room.Target{Nets: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}
	s.does(other, room.Lobby, room.Barred{Bar: room.Bar{Target: net}}, "")
	s.does(laptop, room.Lobby, room.Said{Text: text("hi")}, "")
	s.does(desktop, room.Lobby, room.Said{Text: text("hi")}, "")
}

func TestWhoKeepsAPrivateRoomComesIn(t *testing.T) {
	s := newScene(t)
	s.join(op, room.Lobby, "1", "")
	s.does(op, room.HouseSubject, room.Registered{Names: caseOf("op")}, "")
	s.does(op, "room/dev", room.Opened{Name: "dev", Names: []string{"case:dev"}}, "")
	s.does(op, "room/dev", room.Arranged{What: room.AspectPrivate, Value: "on"}, "")
	s.join(op, "room/dev", "1", "") // an operator, who owns it
	other := room.Person{ID: "id:other", Nick: "other", Key: "SHA256:other"}
	s.does(room.Person{}, room.HouseSubject, room.Appointed{Keys: []string{"SHA256:op", "SHA256:other"}}, "")
	s.does(other, "room/dev", room.Joined{Screen: "2", Names: caseOf("other")}, room.VoidPrivate) // an operator, who does not
}

// Who strikes lines of one room cannot keep another's moderators from striking theirs.
func TestALineIsStruckInItsOwnRoom(t *testing.T) {
	s := newScene(t)
	s.join(op, room.Lobby, "1", "")
	s.does(op, "room/dev", room.Opened{Name: "dev", Names: []string{"case:dev"}}, "")
	line := room.Withdrawn{Lines: []room.ID{{1}}}
	s.does(op, "room/dev", line, "")
	if v, _ := s.does(op, room.Lobby, line, ""); v.Act == nil || len(v.Act.Lines) != 1 {
		t.Errorf("the act is %+v, want it to strike the line", v.Act)
	}
	s.does(op, room.Lobby, line, room.VoidNoChange)
}

// Nobody fills the memory by speaking once in a slow room.
func TestASlowRoomForgetsWhoSpokeLongAgo(t *testing.T) {
	s := newScene(t)
	s.join(op, room.Lobby, "1", "")
	s.does(op, room.Lobby, room.Arranged{What: room.AspectSlow, Value: "10s"}, "")
	for i := range 500 {
		p := room.Person{ID: room.PersonID(rune('a' + i)), Nick: "guest"}
		s.join(p, room.Lobby, "s", "")
		s.does(p, room.Lobby, room.Said{Text: text("hi")}, "")
		s.does(p, room.Lobby, room.Said{Text: text("hi")}, room.VoidSlow)
		s.does(p, room.Lobby, room.Parted{Screen: "s"}, "")
	}
	if n := s.rules.Spoke(room.Lobby); n > 50 {
		t.Errorf("%d are remembered, want a few", n)
	}
}

func TestARoomHasSixtyFourKeepersAtMost(t *testing.T) {
	s := newScene(t)
	var accounts []room.Account
	for i := range room.MaxKeepers + 3 {
		id := room.PersonID(rune('a' + i))
		accounts = append(accounts, room.Account{ID: id, Nick: "n", Keys: []string{"SHA256:" + string(id)}})
	}
	restore(t, s.rules, room.Snapshot{Accounts: accounts})
	s.does(op, "room/dev", room.Opened{Name: "dev", Names: []string{"case:dev"}}, "")
	whom := func(i int) room.Person { return room.Person{ID: accounts[i].ID, Nick: "n"} }
	for i := range room.MaxKeepers {
		s.does(op, "room/dev", room.Ranked{Whom: whom(i), Role: room.RoleOwner}, "")
	}
	for _, role := range []room.Role{room.RoleOwner, room.RoleModerator} {
		s.does(op, "room/dev", room.Ranked{Whom: whom(room.MaxKeepers), Role: role}, room.VoidTooMany)
	}
	s.does(op, "room/dev", room.Ranked{Whom: whom(3), Role: room.RoleOwner}, "") // who is one already
}
