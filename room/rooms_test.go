package room_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sarangbang/room"
)

const dev = room.Subject("room/dev")

// joins brings a screen into a room, which is made if there is none.
func (s *stage) joins(m *room.Member, where room.Subject) room.Seq {
	s.t.Helper()
	by := room.Entry{Where: where}
	if _, there := s.Room(where); !there {
		name := room.Nick(where[len("room/"):])
		by.Open = &room.Opened{Name: name, Names: []string{"case:" + string(name)}}
	}
	at, err := m.Join(context.Background(), by)
	if err != nil {
		s.t.Fatalf("Join of %s by %s = %v, want no error", where, m.Person().Nick, err)
	}
	return at
}

// sayIn posts a line in a room.
func (s *stage) sayIn(m *room.Member, where room.Subject, line string) room.Result {
	s.t.Helper()
	results, err := m.Post(context.Background(), where, room.Said{Text: text(line)})
	if err != nil || results[0].Void != "" {
		s.t.Fatalf("Post of %q in %s = %+v, %v; want it shown", line, where, results, err)
	}
	return results[0]
}

// orders commits what somebody does to keep order, which must have an effect.
func (s *stage) orders(by room.Person, where room.Subject, b room.Body) {
	s.t.Helper()
	if r, err := s.Do(context.Background(), by, where, b); err != nil || r.Void != "" {
		s.t.Fatalf("%T in %s = %+v, %v; want it done", b, where, r, err)
	}
}

// lines are what people said among events, with the rooms.
func lines(events []*room.Event) []string {
	var out []string
	for _, e := range events {
		if _, said := e.Body.(room.Said); said {
			out = append(out, fmt.Sprintf("%s %s", e.Subject, row(e)))
		}
	}
	return out
}

func wantLines(t *testing.T, m *room.Member, want ...string) {
	t.Helper()
	events, missed := read(m)
	if got := lines(events); !slices.Equal(got, want) || missed > 0 {
		t.Errorf("%s reads %q and misses %d, want %q and none", m.Person().Nick, got, missed, want)
	}
}

func TestAScreenReadsItsRoomsInOneOrder(t *testing.T) {
	s := openHouse(t, room.Options{})
	ann, bob := s.enter(keyed("ann")), s.enter(keyed("bob"))
	s.joins(ann, dev)
	s.sayIn(ann, dev, "before")
	s.joins(bob, dev)
	s.sayIn(ann, dev, "one")
	s.sayIn(ann, room.Lobby, "two")
	s.sayIn(bob, dev, "three")
	wantLines(t, bob, "room/dev [ann] one", "room/lobby [ann] two", "room/dev [bob] three")
	if void, err := bob.Part(context.Background(), dev); void != "" || err != nil {
		t.Fatalf("Part = %q, %v; want no error", void, err)
	}
	s.sayIn(ann, dev, "after")
	s.sayIn(ann, room.Lobby, "four")
	wantLines(t, bob, "room/lobby [ann] four")
	if got, want := bob.Rooms(), []room.Subject{room.Lobby}; !slices.Equal(got, want) {
		t.Errorf("bob is in %v, want %v", got, want)
	}
	s.joins(bob, dev) // before the end of the last stay is read, and after
	s.sayIn(ann, dev, "five")
	wantLines(t, bob, "room/dev [ann] five")
	if void, err := bob.Part(context.Background(), "room/none"); void != room.VoidRepeated || err != nil {
		t.Errorf("Part of another room = %q, %v; want %q", void, err, room.VoidRepeated)
	}
}

func TestAKickEndsWhatEachScreenReads(t *testing.T) {
	s := openHouse(t, room.Options{})
	ann := s.enter(keyed("ann"))
	s.register(ann)
	s.joins(ann, dev)
	first, second := s.enter(keyed("bob")), s.enter(keyed("bob"))
	only, err := s.Enter(context.Background(), keyed("bob"), room.Entry{Where: dev})
	if err != nil {
		t.Fatal(err)
	}
	s.joins(first, dev)
	s.joins(second, dev)
	s.sayIn(ann, dev, "hi")
	s.orders(ann.Person(), dev, room.Arranged{What: room.AspectPrivate, Value: "on"})
	s.orders(ann.Person(), dev, room.Kicked{Whom: first.Person()})
	s.sayIn(ann, dev, "among ourselves")
	s.sayIn(ann, room.Lobby, "hello")
	for _, m := range []*room.Member{first, second} {
		wantLines(t, m, "room/dev [ann] hi", "room/lobby [ann] hello")
		if m.In(dev) || m.Dismissed() != nil {
			t.Errorf("in #dev %v, dismissed %v; want neither", m.In(dev), m.Dismissed())
		}
		if void := s.triedIn(m, dev); void != room.VoidNotMember {
			t.Errorf("a line in #dev is void %q, want %q", void, room.VoidNotMember)
		}
	}
	wantLines(t, only, "room/dev [ann] hi")
	d := only.Dismissed()
	if d == nil || d.Why != room.EndingKicked || d.Event == nil {
		t.Errorf("the screen that was nowhere else is dismissed %+v, want %q by the kick", d, room.EndingKicked)
	}
	if _, err := first.Join(context.Background(), room.Entry{Where: dev}); err == nil {
		t.Error("who was put out of a private room comes in again, want them refused")
	}
	if s.Knows(first.Person(), dev) {
		t.Error("who was put out of a private room learns of it, want them not to")
	}
	if only.Leave(room.EndingKicked) {
		t.Error("a screen that was put out of a room has left the house, want its person to be there with others")
	}
	s.members("ann×1", "bob×2")
}

// Who is put out of the house has left it, with however many screens: one of these tells that.
func TestWhoIsPutOutHasLeftOnce(t *testing.T) {
	s := openHouse(t, room.Options{})
	s.orders(room.Person{}, room.HouseSubject, room.Appointed{Keys: []string{"SHA256:op"}})
	op := s.enter(keyed("op"))
	for range 2 { // they may come again
		first, second := s.enter(keyed("bob")), s.enter(keyed("bob"))
		s.orders(op.Person(), room.Lobby, room.Kicked{Whom: first.Person()})
		told := 0
		for _, m := range []*room.Member{first, second} {
			if m.Leave(room.EndingKicked) {
				told++
			}
		}
		if told != 1 {
			t.Errorf("%d of the two screens have left the house, want one", told)
		}
	}
}

func (s *stage) triedIn(m *room.Member, where room.Subject) room.Void {
	s.t.Helper()
	results, err := m.Post(context.Background(), where, room.Said{Text: text("hi")})
	if err != nil {
		s.t.Fatal(err)
	}
	return results[0].Void
}

func TestAnEmptyRoomIsLetGoAndFilledAgain(t *testing.T) {
	s := openRemembering(t, database(t), room.Options{})
	ann := s.enter(keyed("ann"))
	s.register(ann)
	s.joins(ann, dev)
	s.sayIn(ann, dev, "long ago")
	if _, err := ann.Part(context.Background(), dev); err != nil {
		t.Fatal(err)
	}
	if s.Holds(dev) {
		t.Error("the log of an empty room is in memory, want it let go")
	}
	bob := s.enter(keyed("bob"))
	at := s.joins(bob, dev)
	backlog, err := bob.Backlog(context.Background(), dev, at, 10)
	if got, want := rows(backlog), []string{"[ann] long ago"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("backlog %q, err %v; want %q", got, err, want)
	}
	s.joins(ann, dev)
	s.sayIn(ann, dev, "back")
	wantLines(t, bob, "room/dev [ann] back")
}

func TestARoomThatNobodyOwnsEndsWhenItIsEmptyForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openHouse(t, room.Options{RoomKeep: time.Hour})
		guest, ann := s.enter(guest("gus")), s.enter(keyed("ann"))
		s.register(ann)
		s.joins(guest, dev)
		s.sayIn(guest, dev, "hello?")
		s.joins(ann, "room/hers")
		for _, m := range []*room.Member{guest, ann} {
			for _, where := range m.Rooms()[1:] {
				if _, err := m.Part(context.Background(), where); err != nil {
					t.Fatal(err)
				}
			}
		}
		exist := func(after time.Duration, want ...room.Subject) {
			t.Helper()
			time.Sleep(after)
			synctest.Wait()
			var got []room.Subject
			for _, m := range s.Rooms(ann.Person()) {
				got = append(got, m.Subject)
			}
			if !slices.Equal(got, want) {
				t.Errorf("the rooms are %v, want %v", got, want)
			}
		}
		exist(50*time.Minute, room.Lobby, dev, "room/hers")
		s.joins(guest, dev) // somebody comes by, for longer than it takes the house to look
		time.Sleep(150 * time.Second)
		if _, err := guest.Part(context.Background(), dev); err != nil {
			t.Fatal(err)
		}
		exist(50*time.Minute, room.Lobby, dev, "room/hers")
		exist(20*time.Minute, room.Lobby, "room/hers")
		s.does(ann, room.Erased{Until: time.Now()})
		exist(2*time.Hour, room.Lobby)
		s.joins(guest, dev) // the name is free
		if _, err := guest.Part(context.Background(), dev); err != nil {
			t.Fatal(err)
		}
		exist(time.Minute, room.Lobby) // nobody had said anything in it
		s.close()
	})
}

// Whoever is kept out of a private room reads nothing of it, invited or not; who was inside as it became private may come back.
func TestABanShutsAPrivateRoomToItsGuests(t *testing.T) {
	s := openHouse(t, room.Options{})
	ann, bob := s.enter(keyed("ann")), s.enter(keyed("bob"))
	s.register(ann)
	s.joins(ann, dev)
	s.joins(bob, dev)
	if r, err := s.Do(context.Background(), ann.Person(), dev, room.Arranged{What: room.AspectPrivate, Value: "on"}); err != nil || r.Void != "" {
		t.Fatalf("private: %+v, %v", r, err)
	}
	if _, err := bob.Part(context.Background(), dev); err != nil {
		t.Fatal(err)
	}
	if !s.Knows(bob.Person(), dev) {
		t.Error("who was inside as the room became private may not come back")
	}
	s.orders(ann.Person(), dev, room.Barred{Bar: room.Bar{Target: room.Target{Keys: []string{bob.Key()}}, Label: "bob"}})
	if s.Knows(bob.Person(), dev) {
		t.Error("who is banned from a private room learns of it all the same")
	}
}

func TestAMutedPersonTakesNoOtherName(t *testing.T) {
	s := openHouse(t, room.Options{})
	ann, bob := s.enter(keyed("ann")), s.enter(keyed("bob"))
	s.register(ann)
	s.joins(ann, dev)
	s.joins(bob, dev)
	s.orders(ann.Person(), dev, room.Barred{Bar: room.Bar{Mute: true, Target: room.Target{Keys: []string{bob.Key()}}, Label: "bob"}})
	if err := bob.Rename(context.Background(), "buy-now", []string{"case:buy-now"}); err == nil {
		t.Error("who may not speak says it by a name")
	}
	if _, err := bob.Part(context.Background(), dev); err != nil {
		t.Fatal(err)
	}
	if err := bob.Rename(context.Background(), "robert", []string{"case:robert"}); err != nil {
		t.Errorf("who is muted in a room that they left cannot take a name: %v", err)
	}
}

// A key that comes to an account is meant by the bars that mean the account, also when that is gone.
func TestABarGrowsWithTheKeysOfAnAccount(t *testing.T) {
	s := openHouse(t, room.Options{})
	ann, bob := s.enter(keyed("ann")), s.enter(keyed("bob"))
	s.register(ann)
	s.register(bob)
	s.joins(ann, dev)
	s.orders(ann.Person(), dev, room.Barred{Bar: room.Bar{Target: room.Target{Keys: []string{bob.Key()}}, Label: "bob"}})
	s.does(bob, room.KeyAdded{Key: "SHA256:another"})
	s.does(bob, room.Erased{Until: time.Now()})
	other, err := s.Enter(context.Background(), room.Claim{Key: "SHA256:another", Nick: "innocent", Names: namesOf("innocent")}, room.Entry{Where: room.Lobby})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Join(context.Background(), room.Entry{Where: dev}); err == nil {
		t.Error("the key that was added comes in")
	}
}

// What cannot be taken back stands in nobody's way.
func TestUndoPassesOverWhatCannotBeTakenBack(t *testing.T) {
	s := openHouse(t, room.Options{})
	ann, bob := s.enter(keyed("ann")), s.enter(keyed("bob"))
	s.register(ann)
	s.joins(ann, dev)
	s.joins(bob, dev)
	s.orders(ann.Person(), dev, room.Arranged{What: room.AspectSlow, Value: "10s"})
	s.orders(ann.Person(), dev, room.Kicked{Whom: bob.Person()})
	before := s.RulesDump()
	act, passed, ok := s.Undoable(ann.Person())
	if !ok || act.Kind != "arranged" || len(passed) != 1 || passed[0].Kind != "kicked" {
		t.Errorf("Undoable = %+v, %+v, %v; want the slow room behind a kick", act, passed, ok)
	}
	if after := s.RulesDump(); after != before {
		t.Error("looking for what can be undone has changed something")
	}
	if r, err := s.Do(context.Background(), ann.Person(), room.HouseSubject, room.Undone{Act: act.ID, Kind: act.Kind}); err != nil || r.Void != "" {
		t.Errorf("undone: %+v, %v", r, err)
	}
	if act, _, ok := s.Undoable(ann.Person()); ok {
		t.Errorf("Undoable = %+v, want nothing more", act)
	}
}

func TestARoomIsPassedOnWhenItsOwnersAccountEnds(t *testing.T) {
	s := openHouse(t, room.Options{})
	ann, bob, cho := s.enter(keyed("ann")), s.enter(keyed("bob")), s.enter(keyed("cho"))
	s.joins(bob, "room/other")
	for _, m := range []*room.Member{ann, bob, cho} {
		s.register(m)
	}
	s.joins(ann, dev)
	for _, m := range []*room.Member{bob, cho} {
		s.orders(ann.Person(), dev, room.Ranked{Whom: m.Person(), Role: room.RoleModerator})
	}
	for _, owner := range []*room.Member{ann, bob, cho} {
		if a, owned := s.OwnerOf(dev); !owned || a.ID != owner.Person().ID {
			t.Errorf("#dev is owned by %s, %v; want %s", a.Nick, owned, owner.Person().Nick)
		}
		s.does(owner, room.Erased{Until: farAway})
	}
	if a, owned := s.OwnerOf(dev); owned {
		t.Errorf("#dev is owned by %s, want nobody", a.Nick)
	}
}

// Each room has its own place, also after a crash.
func TestEachRoomHasItsOwnPlace(t *testing.T) {
	path := database(t)
	s := openRemembering(t, path, room.Options{})
	lee, kim := s.enter(keyed("lee")), s.enter(keyed("kim"))
	s.register(lee)
	s.register(kim)
	s.joins(lee, dev)
	s.joins(kim, dev)
	s.sayIn(lee, dev, "unread")
	seen := s.sayIn(lee, room.Lobby, "seen").Seq
	read(kim)
	kim.Sent(seen)
	kim.Confirmed(room.Lobby, seen)
	unread, err := kim.Unread(t.Context(), dev, seen+1, 10)
	if got, want := rows(unread), []string{"[lee] unread"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("unread in #dev: %q, err %v; want %q", got, err, want)
	}
	kim.Leave(room.EndingLost)
	s.sayIn(lee, dev, "later")
	s.sayIn(lee, room.Lobby, "new")
	s.close()

	s = openRemembering(t, path, room.Options{})
	kim = s.enter(keyed("kim"))
	_, again, fresh := s.missed(kim, 10)
	if want := []string{"[lee] new"}; len(again) > 0 || !slices.Equal(fresh, want) {
		t.Errorf("in the lobby %q and %q, want %q new", again, fresh, want)
	}
	at, err := kim.Join(t.Context(), room.Entry{Where: dev, Back: true})
	if err != nil {
		t.Fatal(err)
	}
	missed, err := kim.MissedIn(t.Context(), dev, at, 10)
	if got, want := rows(append(missed.Again, missed.New...)), []string{"[lee] unread", "[lee] later"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("in #dev %q, err %v; want %q", got, err, want)
	}
	kim.View(dev, at)
	if unread, err := kim.Unread(t.Context(), room.Lobby, at+1, 10); len(unread) != 0 || err != nil {
		t.Errorf("unread in the lobby, that was on the screen: %q, err %v; want none", rows(unread), err)
	}
}

// Whoever leaves by their own wish has seen what was on their screen, of the rooms that they turned away from, too.
func TestWhoTurnedAwayFromARoomAndLeftHasSeenIt(t *testing.T) {
	s := openRemembering(t, database(t), room.Options{})
	lee, kim := s.enter(keyed("lee")), s.enter(keyed("kim"))
	s.register(lee)
	s.joins(lee, dev)
	s.joins(kim, dev)
	s.register(kim) // in both rooms, of which the lobby is on the screen
	kim.View(dev, kim.Joined())
	shown := s.sayIn(lee, dev, "shown").Seq
	kim.Sent(shown)
	kim.View(room.Lobby, shown)
	s.sayIn(lee, dev, "unread")
	kim.Leave(room.EndingLeft)
	s.sayIn(lee, dev, "later")

	kim = s.enter(keyed("kim"))
	at, err := kim.Join(t.Context(), room.Entry{Where: dev, Back: true})
	if err != nil {
		t.Fatal(err)
	}
	unread, err := kim.Unread(t.Context(), dev, at, 10)
	if got, want := rows(unread), []string{"[lee] unread", "[lee] later"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("unread in #dev: %q, err %v; want %q", got, err, want)
	}
	unread, err = kim.Unread(t.Context(), dev, at, 1)
	if got, want := rows(unread), []string{"[lee] later"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("the newest that is unread in #dev: %q, err %v; want %q", got, err, want)
	}
}

// Of a bar of an address or of a guest's name their entry alone tells; who is kept out by it leaves no room behind.
func TestWhoIsKeptOutMakesNoRoom(t *testing.T) {
	banned := netip.MustParsePrefix("192.0.2.0/24")
	op := keyed("op")
	for name, c := range map[string]struct {
		ban   room.Target
		claim room.Claim
		want  room.Void
	}{
		"address":                     {room.Target{Nets: []netip.Prefix{banned}}, room.Claim{Nick: "eve", Names: namesOf("eve"), Addr: "192.0.2.9"}, room.VoidBanned},
		"address of an account":       {room.Target{Nets: []netip.Prefix{banned}}, room.Claim{Key: "SHA256:ann", Nick: "ann", Names: namesOf("ann"), Addr: "192.0.2.9"}, room.VoidBanned},
		"address of a further screen": {room.Target{Nets: []netip.Prefix{banned}}, room.Claim{Key: "SHA256:kim", Nick: "kim", Names: namesOf("kim"), Addr: "192.0.2.9"}, room.VoidBanned},
		"name":                        {room.Target{Names: namesOf("eve")}, guest("eve"), room.VoidBanned},
		"nobody banned":               {room.Target{Names: namesOf("troll")}, guest("eve"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := openHouse(t, room.Options{})
			s.enter(keyed("kim"))
			ann := s.enter(keyed("ann"))
			s.register(ann)
			ann.Leave(room.EndingLeft)
			if err := s.Appoint(t.Context(), []string{op.Key}); err != nil {
				t.Fatal(err)
			}
			s.orders(s.enter(op).Person(), room.HouseSubject, room.Barred{Bar: room.Bar{Target: c.ban}})
			open := &room.Opened{Name: "dev", Names: []string{"case:dev"}}
			_, err := s.Enter(t.Context(), c.claim, room.Entry{Where: dev, Open: open})
			var got room.Void
			if refused, ok := errors.AsType[*room.RefusedError](err); ok {
				got = refused.Void
			}
			if _, there := s.Room(dev); got != c.want || there != (c.want == "") {
				t.Errorf("entry: %v, the room is there: %t; want %q and a room only for who came in", err, there, c.want)
			}
		})
	}
}

// Of whom a ban puts out nothing is read behind it, whatever three screens of theirs do meanwhile.
func TestABanAmongThreeScreensThatGoOn(t *testing.T) {
	for seed := range uint64(4) {
		s := openHouse(t, room.Options{RingLines: 1 << 14})
		s.orders(room.Person{}, room.HouseSubject, room.Appointed{Keys: []string{"SHA256:op"}})
		op, eve := s.enter(keyed("op")), s.enter(guest("eve"))
		s.joins(op, dev)
		s.joins(eve, dev)
		target := keyed("bob")
		target.Addr = "192.0.2.9"
		var busy sync.WaitGroup
		for i := range 3 {
			busy.Go(func() {
				rnd := rand.New(rand.NewPCG(seed, uint64(i)))
				m, err := s.Enter(context.Background(), target, room.Entry{Where: room.Lobby})
				if err != nil {
					return
				}
				for n := range 60 {
					switch rnd.IntN(6) {
					case 0:
						_, _ = m.Join(context.Background(), room.Entry{Where: dev})
					case 1:
						_, _ = m.Part(context.Background(), dev)
					case 2:
						_ = m.Rename(context.Background(), room.Nick(fmt.Sprint("bob", i, n)), namesOf(room.Nick(fmt.Sprint("bob", i, n))))
					case 3:
						_, _ = m.Post(context.Background(), dev, room.Told{To: eve.Person(), Text: text("psst")})
					default:
						_, _ = m.Post(context.Background(), room.Lobby, room.Said{Text: text("hi")}, room.Emoted{Text: text("waves")})
					}
					if n == 30 && i == 0 {
						s.orders(op.Person(), room.HouseSubject, room.Barred{Bar: room.Bar{Target: room.Target{Keys: []string{target.Key}}, Label: "bob"}})
					}
				}
				m.Leave(room.EndingBanned)
			})
		}
		busy.Wait()
		events, missed := read(eve)
		banned := slices.IndexFunc(events, func(e *room.Event) bool { _, bars := e.Body.(room.Barred); return bars })
		if banned < 0 || missed > 0 {
			t.Fatalf("the ban is event %d, %d missed; want it read", banned, missed)
		}
		for _, e := range events[banned+1:] {
			if e.From.Key == target.Key {
				t.Errorf("%s is shown behind the ban", row(e))
			}
		}
		if got := s.Members(room.Lobby); len(got) != 2 {
			t.Errorf("%d people are in the lobby, want the other two", len(got))
		}
		s.close()
	}
}
