package room_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sarangbang/internal/memjournal"
	"sarangbang/internal/sqlitestore"
	"sarangbang/room"
)

// openRemembering opens a house over a database, which stays when it closes.
func openRemembering(tb testing.TB, path string, opt room.Options) *stage {
	tb.Helper()
	return openForgetful(tb, path, opt, &forgetful{})
}

// forgetful is a database that cannot save places for a while, or cannot be read.
type forgetful struct {
	*sqlitestore.Store
	full   atomic.Bool
	torn   atomic.Bool
	status chan room.State // what it says of itself; nil for what the database says
}

func (f *forgetful) SavePlaces(ctx context.Context, places []room.Place) error {
	if f.full.Load() {
		return room.ErrNotSaved
	}
	return f.Store.SavePlaces(ctx, places)
}

func (f *forgetful) Lines(ctx context.Context, q room.LineQuery) ([]*room.Event, error) {
	if f.torn.Load() {
		return nil, errors.New("torn")
	}
	return f.Store.Lines(ctx, q)
}

func (f *forgetful) Status() <-chan room.State {
	if f.status != nil {
		return f.status
	}
	return f.Store.Status()
}

func openForgetful(tb testing.TB, path string, opt room.Options, f *forgetful) *stage {
	tb.Helper()
	s := &stage{t: tb, log: &safeBuffer{}}
	opt.Logger = slog.New(slog.NewTextHandler(s.log, nil))
	store, err := sqlitestore.Open(path, sqlitestore.Options{Logger: opt.Logger})
	if err != nil {
		tb.Fatal(err)
	}
	f.Store = store
	s.House = room.NewHouse(f, memjournal.NewLeases(), opt)
	if err := s.Restore(context.Background(), f); err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	s.close = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			tb.Errorf("Run = %v, want nil after its context ended", err)
		}
		if err := store.Close(); err != nil {
			tb.Errorf("Close = %v, want no error", err)
		}
	})
	tb.Cleanup(s.close)
	return s
}

func database(tb testing.TB) string {
	tb.Helper()
	return filepath.Join(tb.TempDir(), "house.db")
}

// register makes an account of somebody.
func (s *stage) register(m *room.Member) {
	s.t.Helper()
	if void, err := m.Register(context.Background()); void != "" || err != nil {
		s.t.Fatalf("Register of %s = %q, %v; want an account", m.Person().Nick, void, err)
	}
}

// missed is what a member has to catch up with, as rows.
func (s *stage) missed(m *room.Member, most int) (skipped int, again, fresh []string) {
	s.t.Helper()
	got, returned, err := m.Missed(context.Background(), most)
	if err != nil || !returned {
		s.t.Fatalf("Missed of %s = %v, %v; want them to have returned", m.Person().Nick, returned, err)
	}
	return got.Skipped, rows(got.Again), rows(got.New)
}

func lastOf(results []room.Result) room.Seq { return results[len(results)-1].Seq }

func TestWhoReturnsIsShownWhatTheyMissed(t *testing.T) {
	s := openRemembering(t, database(t), room.Options{})
	lee, kim := s.enter(guest("lee")), s.enter(keyed("kim"))
	s.register(kim)
	kim.Confirmed(room.Lobby, lastOf(s.say(lee, "seen")))
	kim.Sent(lastOf(s.say(lee, "sent")))
	s.say(lee, "on its way")
	kim.Leave(room.EndingLost)
	s.say(lee, "one", "two")

	kim = s.enter(keyed("kim"))
	_, again, fresh := s.missed(kim, 10)
	if want := []string{"[lee] sent"}; !slices.Equal(again, want) {
		t.Errorf("may have been seen: %q, want %q", again, want)
	}
	if want := []string{"[lee] on its way", "[lee] one", "[lee] two"}; !slices.Equal(fresh, want) {
		t.Errorf("new: %q, want %q", fresh, want)
	}
	skipped, again, fresh := s.missed(kim, 2)
	if want := []string{"[lee] one", "[lee] two"}; skipped != 2 || len(again) > 0 || !slices.Equal(fresh, want) {
		t.Errorf("of the newest two: %d skipped, %q, %q; want 2, none and %q", skipped, again, fresh, want)
	}
}

func TestWhoLeftByTheirOwnWishHasSeenEverything(t *testing.T) {
	s := openRemembering(t, database(t), room.Options{})
	lee, kim := s.enter(guest("lee")), s.enter(keyed("kim"))
	s.register(kim)
	kim.Sent(lastOf(s.say(lee, "sent")))
	kim.Leave(room.EndingLeft)
	s.say(lee, "one")
	_, again, fresh := s.missed(s.enter(keyed("kim")), 10)
	if want := []string{"[lee] one"}; len(again) > 0 || !slices.Equal(fresh, want) {
		t.Errorf("again %q, new %q; want none and %q", again, fresh, want)
	}
}

// Their account can be there before their screen has come to the lines of before it.
func TestWhoRegistersMissesNothingThatWasOnItsWay(t *testing.T) {
	s := openRemembering(t, database(t), room.Options{})
	lee, kim := s.enter(guest("lee")), s.enter(keyed("kim"))
	kim.Sent(lastOf(s.say(lee, "sent")))
	s.say(lee, "on its way")
	s.register(kim)
	kim.Leave(room.EndingLost)
	_, again, fresh := s.missed(s.enter(keyed("kim")), 10)
	if want := []string{"[lee] on its way"}; len(again) > 0 || !slices.Equal(fresh, want) {
		t.Errorf("again %q, new %q; want none and %q", again, fresh, want)
	}
}

// A pipe whose input has ended finishes what is on its way, and reads its messages on meanwhile, though it was put out of its room.
func TestWhoWasPutOutHasSeenNothingBehindThat(t *testing.T) {
	ends := map[string]func(kim *room.Member, last room.Seq){
		"by their own wish": func(kim *room.Member, last room.Seq) { kim.Sent(last); kim.Leave(room.EndingLeft) },
		"with an answer": func(kim *room.Member, last room.Seq) {
			kim.Confirmed(room.Lobby, last)
			kim.Leave(room.EndingKicked)
		},
		"with another room on the screen": func(kim *room.Member, last room.Seq) {
			kim.View(dev, last)
			kim.Leave(room.EndingLeft)
		},
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			s := openRemembering(t, database(t), room.Options{})
			s.orders(room.Person{}, room.HouseSubject, room.Appointed{Keys: []string{"SHA256:op"}})
			op, kim := s.enter(keyed("op")), s.enter(keyed("kim"))
			s.register(kim)
			s.orders(op.Person(), room.Lobby, room.Kicked{Whom: kim.Person()})
			end(kim, lastOf(s.say(op, "one", "two")))
			_, again, fresh := s.missed(s.enter(keyed("kim")), 10)
			if want := []string{"[op] one", "[op] two"}; len(again) > 0 || !slices.Equal(fresh, want) {
				t.Errorf("again %q, new %q; want none and %q", again, fresh, want)
			}
		})
	}
}

func TestWhoCameBackIntoARoomHasSeenItAgain(t *testing.T) {
	s := openRemembering(t, database(t), room.Options{})
	s.orders(room.Person{}, room.HouseSubject, room.Appointed{Keys: []string{"SHA256:op"}})
	op, kim := s.enter(keyed("op")), s.enter(keyed("kim"))
	s.register(kim)
	s.joins(kim, dev)
	s.orders(op.Person(), room.Lobby, room.Kicked{Whom: kim.Person()})
	s.joins(kim, room.Lobby)
	kim.Sent(lastOf(s.say(op, "one")))
	kim.Leave(room.EndingLeft)
	s.say(op, "two")
	_, again, fresh := s.missed(s.enter(keyed("kim")), 10)
	if want := []string{"[op] two"}; len(again) > 0 || !slices.Equal(fresh, want) {
		t.Errorf("again %q, new %q; want none and %q", again, fresh, want)
	}
}

func TestPlacesOutliveTheProcess(t *testing.T) {
	path := database(t)
	s := openRemembering(t, path, room.Options{})
	lee, kim, cho, may := s.enter(guest("lee")), s.enter(keyed("kim")), s.enter(keyed("cho")), s.enter(keyed("may"))
	s.register(kim)
	s.register(cho)
	s.register(may)
	upTo := lastOf(s.say(lee, "seen"))
	kim.Confirmed(room.Lobby, upTo)
	cho.Confirmed(room.Lobby, upTo)
	may.Confirmed(room.Lobby, upTo)
	cho.Leave(room.EndingLeft)
	s.say(lee, "perhaps")
	s.close() // kim reads still: nobody knows what was sent

	s = openRemembering(t, path, room.Options{})
	s.say(s.enter(guest("lee")), "after")
	_, again, fresh := s.missed(s.enter(keyed("kim")), 10)
	if wantAgain, wantNew := []string{"[lee] perhaps"}, []string{"[lee] after"}; !slices.Equal(again, wantAgain) || !slices.Equal(fresh, wantNew) {
		t.Errorf("who was reading at the end: again %q, new %q; want %q and %q", again, fresh, wantAgain, wantNew)
	}
	_, again, fresh = s.missed(s.enter(keyed("cho")), 10)
	if want := []string{"[lee] perhaps", "[lee] after"}; len(again) > 0 || !slices.Equal(fresh, want) {
		t.Errorf("who had left: again %q, new %q; want none and %q", again, fresh, want)
	}
	s.close()

	// Of what was said since that process ended nothing was sent to those who have not come back, however often it starts.
	s = openRemembering(t, path, room.Options{})
	_, again, fresh = s.missed(s.enter(keyed("may")), 10)
	if wantAgain, wantNew := []string{"[lee] perhaps"}, []string{"[lee] after"}; !slices.Equal(again, wantAgain) || !slices.Equal(fresh, wantNew) {
		t.Errorf("who was reading before the last start: again %q, new %q; want %q and %q", again, fresh, wantAgain, wantNew)
	}
}

// Whoever comes while the disk is full is not known to read. When there is space again that is made good before the house calls
// itself well, so that a crash right after it leaves nobody who takes for new what they have seen.
func TestPlacesAreSavedAsSoonAsTheDiskHasSpace(t *testing.T) {
	path := database(t)
	s := openRemembering(t, path, room.Options{})
	kim := s.enter(keyed("kim"))
	s.register(kim)
	kim.Leave(room.EndingLeft)
	s.close()

	f := &forgetful{status: make(chan room.State)}
	f.full.Store(true)
	s = openForgetful(t, path, room.Options{}, f)
	lee := s.enter(guest("lee"))
	kim = s.enter(keyed("kim"))
	kim.Sent(lastOf(s.say(lee, "seen, if the client lives")))
	f.full.Store(false)
	f.status <- room.State{Connected: true}
	f.status <- room.State{Connected: true} // is taken when the one before it has been dealt with
	f.full.Store(true)                      // nothing is saved any more: it is as good as killed
	s.close()

	s = openRemembering(t, path, room.Options{})
	_, again, fresh := s.missed(s.enter(keyed("kim")), 10)
	if want := []string{"[lee] seen, if the client lives"}; !slices.Equal(again, want) || len(fresh) > 0 {
		t.Errorf("again %q, new %q; want %q and none", again, fresh, want)
	}
}

// A room that somebody has just turned to is known to be on their screen before anything of it is.
func TestACrashBehindATurnMakesNothingNewThatWasShown(t *testing.T) {
	path := database(t)
	f := &forgetful{status: make(chan room.State)}
	s := openForgetful(t, path, room.Options{}, f)
	lee, kim := s.enter(guest("lee")), s.enter(keyed("kim"))
	s.register(kim)
	s.joins(kim, dev)
	kim.View(dev, kim.Joined())
	f.status <- room.State{Connected: true}
	f.status <- room.State{Connected: true} // by now it is saved that the lobby is not on the screen
	unread := lastOf(s.say(lee, "unread"))
	kim.View(room.Lobby, unread)
	f.full.Store(true) // nothing is saved any more: it is as good as killed
	kim.Sent(unread)
	s.close()

	s = openRemembering(t, path, room.Options{})
	_, again, fresh := s.missed(s.enter(keyed("kim")), 10)
	if want := []string{"[lee] unread"}; !slices.Equal(again, want) || len(fresh) > 0 {
		t.Errorf("again %q, new %q; want %q and none", again, fresh, want)
	}
}

func TestAFurtherScreenOfAnAccountDoesNotReturnWhereNothingIsMissed(t *testing.T) {
	s := openRemembering(t, database(t), room.Options{})
	kim := s.enter(keyed("kim"))
	if _, returned, err := kim.Missed(context.Background(), 10); returned || err != nil {
		t.Errorf("Missed without an account = %v, %v; want nothing to return to", returned, err)
	}
	s.register(kim)
	if _, returned, err := s.enter(keyed("kim")).Missed(context.Background(), 10); returned || err != nil {
		t.Errorf("Missed of a second screen = %v, %v; want nothing to return to", returned, err)
	}
}

// A connection may have been dead for long before anybody notices. Its owner does not wait for that.
func TestAFurtherScreenIsShownWhatTheOthersHaveNotAnsweredFor(t *testing.T) {
	path := database(t)
	s := openRemembering(t, path, room.Options{})
	lee, kim := s.enter(guest("lee")), s.enter(keyed("kim"))
	s.register(kim)
	kim.Confirmed(room.Lobby, lastOf(s.say(lee, "seen")))
	kim.Sent(lastOf(s.say(lee, "into the void")))
	s.say(lee, "not even that")

	second := s.enter(keyed("kim"))
	_, again, fresh := s.missed(second, 10)
	if want := []string{"[lee] into the void"}; !slices.Equal(again, want) {
		t.Errorf("may have been seen: %q, want %q", again, want)
	}
	if want := []string{"[lee] not even that"}; !slices.Equal(fresh, want) {
		t.Errorf("new: %q, want %q", fresh, want)
	}
	// That it leaves by its own wish says nothing of what only the dead one was sent.
	second.Sent(lastOf(s.say(lee, "for both")))
	kim.Sent(lastOf(s.say(lee, "for the dead one")))
	second.Leave(room.EndingLeft)
	_, again, fresh = s.missed(s.enter(keyed("kim")), 10)
	if want := []string{"[lee] for the dead one"}; !slices.Equal(again, want) || len(fresh) > 0 {
		t.Errorf("later: again %q, new %q; want %q and none", again, fresh, want)
	}
}

func TestAnAccountIsOnePersonWithEachOfItsKeys(t *testing.T) {
	path := database(t)
	s := openRemembering(t, path, room.Options{})
	kim := s.enter(keyed("kim"))
	id := kim.Person().ID
	s.register(kim)
	if void, err := s.Act(context.Background(), kim.Person(), room.KeyAdded{Key: "SHA256:laptop"}); void != "" || err != nil {
		t.Fatalf("KeyAdded = %q, %v; want it added", void, err)
	}
	laptop := keyed("kim")
	laptop.Key = "SHA256:laptop"
	if second := s.enter(laptop); second.Person().ID != id || second.Announced() {
		t.Errorf("with the other key: %s, announced %v; want %s as one more screen", second.Person().ID, second.Announced(), id)
	}
	s.close()

	s = openRemembering(t, path, room.Options{})
	for _, c := range []room.Claim{guest("kim"), {Key: "SHA256:thief", Nick: "kim", Names: namesOf("kim")}, {Nick: "kin", Names: []string{"case/kin", "skeleton/kim"}}} {
		if _, err := s.Enter(context.Background(), c, room.Entry{Where: room.Lobby, Back: true}); !errors.Is(err, room.ErrHeld) {
			t.Errorf("Enter as %+v = %v, want ErrHeld", c, err)
		}
	}
	if m := s.enter(laptop); m.Person().ID != id {
		t.Errorf("after a restart: %s, want %s", m.Person().ID, id)
	}
	if a, ok := s.AccountOf("SHA256:laptop"); !ok || a.Nick != "kim" || len(a.Keys) != 2 {
		t.Errorf("AccountOf = %+v, %v; want the one of kim with two keys", a, ok)
	}
	lee := s.enter(guest("lee"))
	if err := lee.Rename(context.Background(), "kim", namesOf("kim")); !errors.Is(err, room.ErrHeld) {
		t.Errorf("Rename to an owned name = %v, want ErrHeld", err)
	}
}

func TestAnErasedNameIsNobodysForAWhile(t *testing.T) {
	path := database(t)
	s := openRemembering(t, path, room.Options{})
	kim := s.enter(keyed("kim"))
	s.register(kim)
	until := time.Now().Add(time.Hour)
	if void, err := s.Act(context.Background(), kim.Person(), room.Erased{Until: until}); void != "" || err != nil {
		t.Fatalf("Erased = %q, %v; want it done", void, err)
	}
	kim.Leave(room.EndingLeft)
	s.close()
	s = openRemembering(t, path, room.Options{})
	for _, c := range []room.Claim{keyed("kim"), guest("kim")} {
		if _, err := s.Enter(context.Background(), c, room.Entry{Where: room.Lobby, Back: true}); !errors.Is(err, room.ErrHeld) {
			t.Errorf("Enter with key %q = %v, want ErrHeld", c.Key, err)
		}
	}
	if got := s.HeldUntil(namesOf("kim")...); !got.Equal(until) {
		t.Errorf("HeldUntil = %v, want %v", got, until)
	}
}

// cut cuts a screen whose leave must wait.
func (s *stage) cut(m *room.Member) (left chan bool) {
	s.t.Helper()
	left = make(chan bool, 1)
	if !m.Cut(room.EndingLost, func(announced bool) { left <- announced }) {
		s.t.Fatal("Cut does not wait, want it to")
	}
	return left
}

func TestTheLeaveOfSomebodyWhoWasCutWaits(t *testing.T) {
	s := openRemembering(t, database(t), room.Options{ResumeWindow: time.Hour})
	lee, kim := s.enter(guest("lee")), s.enter(keyed("kim"))
	s.register(kim)
	s.sees(lee, "+lee", "+kim")
	left := s.cut(kim)
	away := func(want bool) {
		t.Helper()
		for _, m := range s.Members(room.Lobby) {
			if m.Person.Nick == "kim" && m.Away != want {
				t.Errorf("away = %v, want %v", m.Away, want)
			}
		}
	}
	away(true)
	s.say(lee, "are you there?")
	kim = s.enter(keyed("kim"))
	if announced := <-left; announced {
		t.Error("the leave of the old screen was told, want it to be nobody's business")
	}
	away(false)
	s.sees(lee, "[lee] are you there?")
	_, again, fresh := s.missed(kim, 10)
	if want := []string{"[lee] are you there?"}; len(again) > 0 || !slices.Equal(fresh, want) {
		t.Errorf("again %q, new %q; want none and %q", again, fresh, want)
	}
}

func TestTheLeaveComesWhenNobodyReturns(t *testing.T) {
	s := openRemembering(t, database(t), room.Options{ResumeWindow: time.Millisecond})
	lee, kim := s.enter(guest("lee")), s.enter(keyed("kim"))
	s.register(kim)
	if announced := <-s.cut(kim); !announced {
		t.Error("the leave was not told, want it told")
	}
	s.sees(lee, "+lee", "+kim", "-kim (lost)")
	if lee.Cut(room.EndingLost, func(bool) {}) {
		t.Error("the leave of a guest waits, want it at once")
	}
}

// What somebody was told of how they were put out is not told again, in this process or the next; of what they were not, each room once.
func TestHowSomebodyWasPutOutIsToldOnce(t *testing.T) {
	path := database(t)
	var s *stage
	var op, kim *room.Member
	begin := func() {
		s = openRemembering(t, path, room.Options{})
		s.orders(room.Person{}, room.HouseSubject, room.Appointed{Keys: []string{"SHA256:op"}})
		op, kim = s.enter(keyed("op")), s.enter(keyed("kim"))
	}
	kicked := func(where room.Subject) { s.orders(op.Person(), where, room.Kicked{Whom: kim.Person()}) }
	again := func(why room.Ending, want ...room.Subject) (last room.Seq) {
		t.Helper()
		kim.Leave(why)
		kim = s.enter(keyed("kim"))
		var got []room.Subject
		for _, act := range kim.PutOut() {
			got, last = append(got, act.Where), act.Seq
		}
		if !slices.Equal(got, want) {
			t.Errorf("kim is to be told of %q, want %q", got, want)
		}
		return last
	}
	begin()
	s.register(kim)
	for _, where := range []room.Subject{dev, "room/attic", dev} {
		s.joins(kim, where)
		kicked(where)
	}
	again(room.EndingLost, "room/attic", dev)
	kim.ToldOut(again(room.EndingLost, "room/attic", dev))
	again(room.EndingLost)
	kicked(room.Lobby) // the only room that they are in
	again(room.EndingLost, room.Lobby)
	kicked(room.Lobby)
	again(room.EndingKicked)
	kim.Leave(room.EndingLost)
	op.Leave(room.EndingLeft)
	s.close()
	begin()
	again(room.EndingLost)
}

func TestMessagesAreKeptForWhoIsAway(t *testing.T) {
	path := database(t)
	s := openRemembering(t, path, room.Options{KeptFromOne: 2, KeptForOne: 6})
	lee, kim := s.enter(guest("lee")), s.enter(keyed("kim"))
	s.register(kim)
	to := kim.Person()
	kim.Leave(room.EndingLeft)
	tell := func(from *room.Member, words string) room.Result {
		t.Helper()
		results, err := from.Post(context.Background(), room.Lobby, room.Told{To: to, Text: text(words)})
		if err != nil || len(results) != 1 {
			t.Fatalf("Post = %v, %v; want one result", results, err)
		}
		return results[0]
	}
	for i := range 2 {
		if r := tell(lee, fmt.Sprintf("psst %d", i)); !r.Kept || r.Void != "" {
			t.Errorf("message %d: %+v, want it kept", i, r)
		}
	}
	if r := tell(lee, "one too many"); r.Void != room.VoidFull {
		t.Errorf("third of one sender: %+v, want it void as %s", r, room.VoidFull)
	}
	cho := s.enter(guest("cho"))
	results, err := cho.Post(context.Background(), room.Lobby, room.Told{To: to, Text: text("me too")}, room.Told{To: to, Text: text("and me")})
	if err != nil || len(results) != 2 || !results[0].Kept || results[1].Void != room.VoidFull {
		t.Errorf("third and fourth in all, together: %+v, %v; want the fourth void as %s", results, err, room.VoidFull)
	}
	s.sees(cho, "+cho", "[cho → kim] me too")
	dan := s.enter(keyed("dan"))
	s.register(dan)
	if r := tell(dan, "there is room for me"); !r.Kept || r.Void != "" {
		t.Errorf("of somebody with an account, when guests have filled their half: %+v, want it kept", r)
	}
	s.close()

	s = openRemembering(t, path, room.Options{})
	kim = s.enter(keyed("kim"))
	_, again, fresh := s.missed(kim, 10)
	if want := []string{"[lee → kim] psst 0", "[lee → kim] psst 1", "[cho → kim] me too", "[dan → kim] there is room for me"}; len(again) > 0 || !slices.Equal(fresh, want) {
		t.Errorf("again %q, new %q; want none and %q", again, fresh, want)
	}
}

func TestHistoryReachesBeyondTheRing(t *testing.T) {
	path := database(t)
	s := openRemembering(t, path, room.Options{RingLines: 8})
	lee := s.enter(guest("lee"))
	var want []string
	for i := range 20 {
		var lines []string
		for k := range 50 {
			lines = append(lines, fmt.Sprintf("line %d", i*50+k))
			want = append(want, "[lee] "+lines[k])
		}
		s.say(lee, lines...)
	}
	read := func(q room.LineQuery) (got []string) {
		t.Helper()
		q.Room = room.Lobby
		for e, err := range s.History(context.Background(), q) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, row(e))
		}
		return got
	}
	if got := read(room.LineQuery{N: 700}); !slices.Equal(got, want[300:]) {
		t.Errorf("the last 700: %d lines, first %q; want %d from %q on", len(got), first(got), 700, want[300])
	}
	s.close()
	s = openRemembering(t, path, room.Options{RingLines: 8})
	if got := rows(s.Lines(room.Lobby, 20)); !slices.Equal(got, want[992:]) {
		t.Errorf("the ring after a restart: %q, want %q", got, want[992:])
	}
	if got := read(room.LineQuery{N: 5000}); !slices.Equal(got, want) {
		t.Errorf("all after a restart: %d lines, want %d", len(got), len(want))
	}
	if got := read(room.LineQuery{N: 3, Until: time.Now().Add(-time.Hour)}); len(got) > 0 {
		t.Errorf("before anything was said: %q, want nothing", got)
	}
}

func first(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	return lines[0]
}

// A leave that cannot be recorded is tried until it can: who is gone must not stay listed.
func TestALeaveOutlastsTheOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openHouse(t, room.Options{CommitWait: time.Second})
		kim := s.enter(guest("kim"))
		s.mem.Suspend("away")
		gone := make(chan bool, 1)
		go func() { gone <- kim.Leave(room.EndingLost) }()
		time.Sleep(time.Minute)
		s.members("kim×1")
		s.mem.Resume()
		if announced := <-gone; !announced {
			t.Error("the leave was not told, want it told")
		}
		s.members()
		s.enter(guest("kim"))
	})
}

// sickArchive saves no places while it is sick. It has nothing to tell.
type sickArchive struct {
	room.Archive
	sick atomic.Bool
}

func (*sickArchive) Snapshot(context.Context) (room.Snapshot, error) { return room.Snapshot{}, nil }

func (*sickArchive) Back(context.Context, room.LineQuery) (room.Seq, int, error) { return 0, 0, nil }

func (*sickArchive) Places(context.Context, room.PersonID) ([]room.Place, error) { return nil, nil }

func (*sickArchive) Sightings(context.Context) ([]room.Sighting, error) { return nil, nil }

func (*sickArchive) SaveSightings(context.Context, map[room.PersonID][]room.Sighting, time.Time) error {
	return nil
}

func (a *sickArchive) SavePlaces(context.Context, []room.Place) error {
	if a.sick.Load() {
		return room.ErrNotSaved
	}
	return nil
}

// A disk may be full for hours.
func TestThatPlacesAreNotSavedIsLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := memjournal.New(memjournal.Options{})
		s := &stage{t: t, log: &safeBuffer{}}
		s.House = room.NewHouse(mem, memjournal.NewLeases(), room.Options{Logger: slog.New(slog.NewTextHandler(s.log, nil))})
		a := &sickArchive{}
		a.sick.Store(true)
		if err := s.Restore(context.Background(), a); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(context.Background())
		var running sync.WaitGroup
		running.Go(func() { _ = s.Run(ctx) }) // nil: it ends with ctx
		defer running.Wait()
		defer stop()
		kim := s.enter(keyed("kim"))
		s.register(kim)
		logged := func(want int) {
			t.Helper()
			time.Sleep(time.Hour)
			synctest.Wait()
			if got := strings.Count(s.log.String(), "could not be saved"); got != want {
				t.Errorf("logged %d times, want %d:\n%s", got, want, s.log)
			}
		}
		logged(1)
		a.sick.Store(false)
		logged(1)
		a.sick.Store(true)
		kim.Sent(1 << 40)
		logged(2)
	})
}

// How many messages are kept for somebody is a bound for those who write to them while they are away, not for what they are shown.
func TestWhatWasSentInVainIsAllThere(t *testing.T) {
	s := openRemembering(t, database(t), room.Options{KeptFromOne: 2, KeptForOne: 6})
	lee, kim := s.enter(guest("lee")), s.enter(keyed("kim"))
	s.register(kim)
	to := kim.Person()
	var want []string
	for i := range 400 {
		words := fmt.Sprintf("letter %d", i)
		if _, err := lee.Post(context.Background(), room.Lobby, room.Told{To: to, Text: text(words)}); err != nil {
			t.Fatal(err)
		}
		want = append(want, "[lee → kim] "+words)
	}
	kim.Leave(room.EndingLost)
	s.say(lee, "and a line")
	want = append(want, "[lee] and a line")
	kim = s.enter(keyed("kim"))
	_, again, fresh := s.missed(kim, 500)
	if got := slices.Concat(again, fresh); !slices.Equal(got, want) {
		t.Errorf("%d rows, the first %q, want all %d", len(got), first(got), len(want))
	}
	skipped, again, fresh := s.missed(kim, 10)
	if got := slices.Concat(again, fresh); skipped != 390 || !slices.Equal(got, want[390:]) {
		t.Errorf("of the newest 10: %d skipped, %q; want 390 and %q", skipped, got, want[390:])
	}
}

// Somebody who could not be shown what they missed is shown it the next time, whatever they answered for meanwhile and however they went.
func TestWhatCannotBeReadIsNotMissed(t *testing.T) {
	f := &forgetful{}
	s := openForgetful(t, database(t), room.Options{}, f)
	lee, kim := s.enter(guest("lee")), s.enter(keyed("kim"))
	s.register(kim)
	kim.Leave(room.EndingLeft)
	s.say(lee, "missed")
	f.torn.Store(true)
	kim = s.enter(keyed("kim"))
	if _, _, err := kim.Missed(context.Background(), 10); err == nil {
		t.Fatal("Missed = no error, want one")
	}
	upTo := lastOf(s.say(lee, "live"))
	kim.Sent(upTo)
	kim.Confirmed(room.Lobby, upTo)
	kim.Leave(room.EndingLeft)
	f.torn.Store(false)
	_, again, fresh := s.missed(s.enter(keyed("kim")), 10)
	if got, want := slices.Concat(again, fresh), []string{"[lee] missed", "[lee] live"}; !slices.Equal(got, want) {
		t.Errorf("shown later: %q, want %q", got, want)
	}
}
