package room_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"sarangbang/room"
)

var farAway = time.Now().AddDate(1, 0, 0)

// owners opens a house where kim has an account with two keys, and a screen with each.
func owners(t *testing.T) (s *stage, desktop, laptop *room.Member) {
	t.Helper()
	s = openRemembering(t, database(t), room.Options{})
	desktop = s.enter(keyed("kim"))
	s.register(desktop)
	s.does(desktop, room.KeyAdded{Key: "SHA256:laptop"})
	claim := keyed("kim")
	claim.Key = "SHA256:laptop"
	return s, desktop, s.enter(claim)
}

func (s *stage) does(m *room.Member, b room.Body) {
	s.t.Helper()
	if void, err := s.Act(context.Background(), m.Person(), b); void != "" || err != nil {
		s.t.Fatalf("%T = %q, %v; want it done", b, void, err)
	}
}

// tried is what becomes of what a screen posts.
func (s *stage) tried(m *room.Member, b room.Body) room.Void {
	s.t.Helper()
	results, err := m.Post(context.Background(), room.Lobby, b)
	if err != nil {
		s.t.Fatal(err)
	}
	return results[0].Void
}

func TestAKeyThatIsRemovedTakesItsScreensAlong(t *testing.T) {
	s, desktop, laptop := owners(t)
	s.does(desktop, room.KeyRemoved{Key: "SHA256:laptop"})
	if why := dismissed(laptop); why != room.EndingRevoked {
		t.Errorf("the screen with that key: dismissed %q, want %q", why, room.EndingRevoked)
	}
	if why := dismissed(desktop); why != "" {
		t.Errorf("the other screen: dismissed %q, want it to stay", why)
	}
	for _, b := range []room.Body{room.Said{Text: text("still kim")}, room.KeyAdded{Key: "SHA256:thief"}, room.KeyRemoved{Key: "SHA256:kim"}, room.Erased{}} {
		if void := s.tried(laptop, b); void != room.VoidTaken {
			t.Errorf("%T with that key: void %q, want %q", b, void, room.VoidTaken)
		}
	}
	claim := keyed("kim")
	claim.Key = "SHA256:laptop"
	if _, err := s.Enter(context.Background(), claim, room.Entry{Where: room.Lobby, Back: true}); !errors.Is(err, room.ErrHeld) {
		t.Errorf("Enter with that key = %v, want ErrHeld", err)
	}
	s.say(desktop, "mine")
	laptop.Leave(dismissed(laptop))
	s.members("kim×1")
}

func TestAnErasedAccountTakesItsScreensAlong(t *testing.T) {
	s, desktop, laptop := owners(t)
	lee := s.enter(guest("lee"))
	s.say(laptop, "before")
	s.does(desktop, room.Erased{Until: farAway})
	for _, m := range []*room.Member{desktop, laptop} {
		if why := dismissed(m); why != room.EndingErased {
			t.Errorf("dismissed %q, want %q", why, room.EndingErased)
		}
		if void := s.tried(m, room.Said{Text: text("after")}); void != room.VoidNotMember {
			t.Errorf("a line after the end: void %q, want %q", void, room.VoidNotMember)
		}
		if err := m.Rename(context.Background(), "other", namesOf("other")); err == nil {
			t.Error("a rename after the end is possible, want an error")
		}
		m.Leave(dismissed(m))
	}
	s.members("lee×1")
	if got, want := rows(s.Lines(room.Lobby, 10)), []string{"[—] before"}; !slices.Equal(got, want) {
		t.Errorf("lines = %q, want %q", got, want)
	}
	_ = lee
}

func TestRegisteringCountsForEveryScreenOfThePerson(t *testing.T) {
	s := openRemembering(t, database(t), room.Options{})
	lee, x, y := s.enter(guest("lee")), s.enter(keyed("kim")), s.enter(keyed("kim"))
	s.register(x)
	x.Leave(room.EndingLeft)
	seen := lastOf(s.say(lee, "seen on the other screen"))
	y.Sent(seen)
	y.Confirmed(room.Lobby, seen)
	y.Leave(room.EndingLost)
	s.say(lee, "new")
	_, again, fresh := s.missed(s.enter(keyed("kim")), 10)
	if want := []string{"[lee] new"}; len(again) > 0 || !slices.Equal(fresh, want) {
		t.Errorf("again %q, new %q; want none and %q", again, fresh, want)
	}
}

// dismissed is why a screen must go; empty while it may stay.
func dismissed(m *room.Member) room.Ending {
	if d := m.Dismissed(); d != nil {
		return d.Why
	}
	return ""
}
