package room_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sarangbang/room"
)

// council is a scene in #dev, which ann owns and bob moderates; op runs the house.
func council(t *testing.T) *scene {
	t.Helper()
	s := newScene(t)
	for _, p := range []room.Person{op, ann, bob, eve} {
		s.join(p, room.Lobby, room.ScreenID(p.Nick), "")
		if p.Key != "" && p.ID != op.ID {
			s.does(p, room.HouseSubject, room.Registered{Names: caseOf(p.Nick)}, "")
		}
	}
	s.does(ann, dev, room.Opened{Name: "dev", Names: []string{"case:dev"}}, "")
	for _, p := range []room.Person{ann, bob, eve} {
		s.join(p, dev, room.ScreenID(p.Nick+" in dev"), "")
	}
	s.does(ann, dev, room.Ranked{Whom: bob, Role: room.RoleModerator}, "")
	return s
}

// silence is a mute of eve.
func silence(until time.Time) room.Barred {
	return room.Barred{Bar: room.Bar{Mute: true, Target: room.Target{Persons: []room.PersonID{eve.ID}}, Label: "eve", Until: until}}
}

// Whoever keeps order no more takes nothing back.
func TestUndoTakesTheRoleThatTheActTakes(t *testing.T) {
	for name, body := range map[string]room.Body{
		"mute":       silence(time.Time{}),
		"ban":        room.Barred{Bar: room.Bar{Target: room.Target{Names: caseOf("nobody")}, Label: "nobody"}},
		"slow":       room.Arranged{What: room.AspectSlow, Value: "10s"},
		"invitation": room.Invited{Whom: eve},
		"strike":     room.Withdrawn{Lines: []room.ID{room.NewID()}},
	} {
		t.Run("moderator/"+name, func(t *testing.T) {
			s := council(t)
			_, act := s.does(bob, dev, body, "")
			s.does(ann, dev, room.Ranked{Whom: bob, Role: room.RoleMember}, "")
			s.does(bob, "", room.Undone{Act: act}, room.VoidNotAllowed)
			s.does(ann, dev, room.Ranked{Whom: bob, Role: room.RoleModerator}, "")
			s.does(bob, "", room.Undone{Act: act}, "")
		})
	}
	t.Run("moderator/lifted", func(t *testing.T) {
		s := council(t)
		_, bar := s.does(ann, dev, silence(time.Time{}), "")
		_, act := s.does(bob, dev, room.Lifted{Bars: []room.ID{bar}}, "")
		s.does(ann, dev, room.Ranked{Whom: bob, Role: room.RoleMember}, "")
		s.does(bob, "", room.Undone{Act: act}, room.VoidNotAllowed)
	})
	for name, tt := range map[string]struct {
		where room.Subject
		body  room.Body
	}{
		"ban from the house": {room.HouseSubject, room.Barred{Bar: room.Bar{Target: room.Target{Names: caseOf("nobody")}, Label: "nobody"}}},
		"moderator":          {room.Lobby, room.Ranked{Whom: bob, Role: room.RoleModerator}},
		"owner":              {dev, room.Ranked{Whom: bob, Role: room.RoleOwner}},
		"operator":           {room.HouseSubject, room.Ranked{Whom: bob, Role: room.RoleOperator}},
	} {
		t.Run("operator/"+name, func(t *testing.T) {
			s := council(t)
			_, act := s.does(op, tt.where, tt.body, "")
			s.does(room.Person{}, "", room.Appointed{}, "")
			s.does(op, "", room.Undone{Act: act}, room.VoidNotAllowed)
			s.does(room.Person{}, "", room.Appointed{Keys: []string{op.Key}}, "")
			s.does(op, "", room.Undone{Act: act}, "")
		})
	}
}

// Who gave their own role away may have it back, unless another has decided about them since.
func TestWhoGaveTheirRoleAwayMayHaveItBack(t *testing.T) {
	s := council(t)
	_, act := s.does(ann, dev, room.Ranked{Whom: bob, Role: room.RoleOwner}, "")
	s.does(ann, "", room.Undone{Act: act}, "")
	_, act = s.does(ann, dev, room.Ranked{Whom: bob, Role: room.RoleOwner}, "")
	s.does(bob, dev, room.Ranked{Whom: ann, Role: room.RoleMember}, "")
	s.does(bob, dev, room.Ranked{Whom: ann, Role: room.RoleModerator}, "")
	s.does(ann, "", room.Undone{Act: act}, room.VoidNotAllowed)

	s.does(op, "house", room.Ranked{Whom: ann, Role: room.RoleOperator}, "")
	_, act = s.does(ann, "house", room.Ranked{Whom: ann, Role: room.RoleMember}, "")
	s.does(ann, "", room.Undone{Act: act}, "")
	_, act = s.does(ann, "house", room.Ranked{Whom: ann, Role: room.RoleMember}, "")
	s.does(op, "house", room.Ranked{Whom: ann, Role: room.RoleOperator}, "")
	s.does(op, "house", room.Ranked{Whom: ann, Role: room.RoleMember}, "")
	s.does(ann, "", room.Undone{Act: act}, room.VoidNotAllowed)
}

// What has ended by the time is passed over by the trial as by the act, whether anything was committed since or not.
func TestUndoPassesOverWhatHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openHouse(t, room.Options{})
		ann, bob := s.enter(keyed("ann")), s.enter(keyed("bob"))
		s.register(ann)
		s.joins(ann, dev)
		s.joins(bob, dev)
		bar := room.Bar{Mute: true, Target: room.Target{Persons: []room.PersonID{bob.Person().ID}}, Label: "bob", Until: time.Now().Add(time.Second)}
		s.orders(ann.Person(), dev, room.Arranged{What: room.AspectSlow, Value: "5s"})
		s.orders(ann.Person(), dev, room.Barred{Bar: bar})
		if act, passed, ok := s.Undoable(ann.Person()); !ok || act.Kind != "muted" || len(passed) > 0 {
			t.Errorf("Undoable = %+v, %+v, %v; want the mute", act, passed, ok)
		}
		time.Sleep(time.Second)
		act, passed, ok := s.Undoable(ann.Person())
		if !ok || act.Kind != "arranged" || len(passed) != 1 || passed[0].Kind != "muted" || passed[0].Why != room.VoidChanged {
			t.Errorf("Undoable = %+v, %+v, %v; want the slow room behind a mute that has ended", act, passed, ok)
		}
		s.orders(ann.Person(), room.HouseSubject, room.Undone{Act: act.ID, Kind: act.Kind})
		s.close()
	})
}

// What an act changed about who may come in is taken back, and what was done about others since stays.
func TestUndoOfWhoMayComeInLeavesWhatCameSince(t *testing.T) {
	for _, tt := range []struct {
		name  string
		act   room.Body // ann's, in a room with bob and the keyed dan and cho inside, of whom cho keeps nothing
		since func(s *scene)
		want  room.Void
		in    string // who is invited then
	}{
		{"private", room.Arranged{What: room.AspectPrivate, Value: "on", Inside: []room.Person{cho, dan}}, nil, "", ""},
		{
			"private, then a kick",
			room.Arranged{What: room.AspectPrivate, Value: "on", Inside: []room.Person{cho, dan}},
			func(s *scene) { s.does(bob, dev, room.Kicked{Whom: dan}, "") }, "", "",
		},
		{
			"private, then an invitation",
			room.Arranged{What: room.AspectPrivate, Value: "on", Inside: []room.Person{cho}},
			func(s *scene) { s.does(bob, dev, room.Invited{Whom: dan}, "") }, "", "dan",
		},
		{
			"private, then a kick and another invitation",
			room.Arranged{What: room.AspectPrivate, Value: "on", Inside: []room.Person{cho, dan}},
			func(s *scene) {
				s.does(bob, dev, room.Kicked{Whom: dan}, "")
				s.does(bob, dev, room.Invited{Whom: dan}, "")
			}, "", "dan",
		},
		{
			"private, then public",
			room.Arranged{What: room.AspectPrivate, Value: "on", Inside: []room.Person{cho}},
			func(s *scene) { s.does(op, dev, room.Arranged{What: room.AspectPrivate}, "") }, room.VoidChanged, "cho",
		},
		{
			"invited, then another",
			room.Invited{Whom: cho},
			func(s *scene) { s.does(bob, dev, room.Invited{Whom: dan}, "") }, "", "dan",
		},
		{
			"invited, then uninvited",
			room.Invited{Whom: cho},
			func(s *scene) { s.does(bob, dev, room.Invited{Whom: cho, Out: true}, "") }, room.VoidChanged, "",
		},
		{
			"invited, then uninvited and invited by another",
			room.Invited{Whom: cho},
			func(s *scene) {
				s.does(bob, dev, room.Invited{Whom: cho, Out: true}, "")
				s.does(bob, dev, room.Invited{Whom: cho}, "")
			}, room.VoidChanged, "cho",
		},
		{"uninvited", room.Invited{Whom: op, Out: true}, nil, "", "op"},
		{
			"uninvited, then another invited",
			room.Invited{Whom: op, Out: true},
			func(s *scene) { s.does(bob, dev, room.Invited{Whom: dan}, "") }, "", "op dan",
		},
		{
			"uninvited, then invited by another",
			room.Invited{Whom: op, Out: true},
			func(s *scene) { s.does(bob, dev, room.Invited{Whom: op}, "") }, room.VoidChanged, "op",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := council(t)
			s.join(cho, dev, "cho in dev", "")
			s.join(dan, dev, "dan in dev", "")
			if b, is := tt.act.(room.Invited); is && b.Out {
				s.does(bob, dev, room.Invited{Whom: b.Whom}, "")
			}
			_, act := s.does(ann, dev, tt.act, "")
			if tt.since != nil {
				tt.since(s)
			}
			s.does(ann, "", room.Undone{Act: act}, tt.want)
			var m room.Room
			if err := json.Unmarshal(s.rules.Kept()["room:"+string(dev)], &m); err != nil {
				t.Fatal(err)
			}
			var in []string
			for _, p := range m.Invited {
				in = append(in, string(p.Nick))
			}
			if got := strings.Join(in, " "); got != tt.in || m.Private {
				t.Errorf("invited are %q, private %v; want %q, and a public room", got, m.Private, tt.in)
			}
		})
	}
}

// Bars are lifted together or not at all; what has ended is passed over, each way.
func TestBarsAreLiftedTogether(t *testing.T) {
	s := council(t)
	_, house := s.does(op, room.HouseSubject, silence(time.Time{}), "")
	_, other := s.does(op, room.Lobby, silence(time.Time{}), "")
	_, long := s.does(ann, dev, silence(time.Time{}), "")
	_, short := s.does(ann, dev, silence(s.at.Add(time.Hour)), "")
	bars := func(want ...room.ID) {
		t.Helper()
		kept := s.rules.Kept()
		for _, id := range []room.ID{house, other, long, short} {
			if got := kept["bar:"+id.String()] != nil; got != slices.Contains(want, id) {
				t.Errorf("%s is in force: %v, want %v", id, got, !got)
			}
		}
	}
	s.does(bob, dev, room.Lifted{Bars: []room.ID{long, short, house}}, room.VoidNotAllowed)
	bars(house, other, long, short)
	s.does(bob, dev, room.Lifted{Bars: []room.ID{other}}, room.VoidNoAct)
	v, act := s.does(op, dev, room.Lifted{Bars: []room.ID{long, house, short, other, long, {1}}}, "")
	if got := len(v.Act.Bars()); got != 3 {
		t.Errorf("%d bars are lifted, want 3", got)
	}
	bars(other)
	s.does(op, "", room.Undone{Act: act}, "")
	bars(house, other, long, short)

	_, act = s.does(bob, dev, room.Lifted{Bars: []room.ID{short, long}}, "")
	s.at = s.at.Add(time.Hour)
	s.does(bob, "", room.Undone{Act: act}, "")
	bars(house, other, long)
	s.does(bob, dev, room.Lifted{Bars: []room.ID{short, long}}, "")
	bars(house, other)
	s.does(bob, dev, room.Lifted{Bars: []room.ID{short, long}}, room.VoidNoAct)
}
