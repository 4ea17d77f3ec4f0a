package room_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sarangbang/internal/memjournal"
	"sarangbang/internal/testkit"
	"sarangbang/room"
)

// stage is a house that runs, over a journal that can be made to fail.
type stage struct {
	*room.House
	t       testing.TB
	mem     *memjournal.Journal
	journal *testkit.FlakyJournal
	leases  *memjournal.Leases
	log     *safeBuffer
	close   func() // ends Run and waits for it
}

// safeBuffer is where a house logs to.
type safeBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func openHouse(tb testing.TB, opt room.Options) *stage {
	tb.Helper()
	mem := memjournal.New(memjournal.Options{})
	return openHouseOver(tb, opt, mem, testkit.Flaky(mem))
}

func openHouseOver(tb testing.TB, opt room.Options, mem *memjournal.Journal, j *testkit.FlakyJournal) *stage {
	tb.Helper()
	s := &stage{t: tb, mem: mem, journal: j, leases: memjournal.NewLeases(), log: &safeBuffer{}}
	opt.Logger = slog.New(slog.NewTextHandler(s.log, nil))
	s.House = room.NewHouse(j, s.leases, opt)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	s.close = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			tb.Errorf("Run = %v, want nil after its context ended", err)
		}
	})
	tb.Cleanup(s.close)
	return s
}

func guest(nick room.Nick) room.Claim { return room.Claim{Nick: nick, Names: namesOf(nick)} }

func keyed(nick room.Nick) room.Claim {
	return room.Claim{Key: "SHA256:" + string(nick), Nick: nick, Names: namesOf(nick)}
}

// namesOf gives a name two keys, as the nickname rules do.
func namesOf(nick room.Nick) []string {
	return []string{"case/" + strings.ToLower(string(nick)), "skeleton/" + strings.ToLower(string(nick))}
}

func (s *stage) enter(c room.Claim) *room.Member { return s.enterAs(c, false) }
func (s *stage) visit(c room.Claim) *room.Member { return s.enterAs(c, true) }

func (s *stage) enterAs(c room.Claim, visit bool) *room.Member {
	s.t.Helper()
	m, err := s.Enter(context.Background(), c, room.Entry{Where: room.Lobby, Back: true, Visit: visit})
	if err != nil {
		s.t.Fatalf("Enter as %s = %v, want no error", c.Nick, err)
	}
	return m
}

// say posts lines that must take effect.
func (s *stage) say(m *room.Member, lines ...string) []room.Result {
	s.t.Helper()
	bodies := make([]room.Body, len(lines))
	for i, l := range lines {
		bodies[i] = room.Said{Text: text(l)}
	}
	results, err := m.Post(context.Background(), room.Lobby, bodies...)
	if err != nil || len(results) != len(lines) {
		s.t.Fatalf("Post of %q = %v, %v; want no error", lines, results, err)
	}
	for i, r := range results {
		if r.Void != "" || !r.Shown || r.Seq == 0 {
			s.t.Errorf("Post of %q = %+v, want it shown", lines[i], r)
		}
	}
	return results
}

// row writes an event the way a screen would.
func row(e *room.Event) string {
	switch b := e.Body.(type) {
	case room.Said:
		return fmt.Sprintf("[%s] %s", e.From.Nick, b.Text)
	case room.Emoted:
		return fmt.Sprintf("* %s %s", e.From.Nick, b.Text)
	case room.Told:
		return fmt.Sprintf("[%s → %s] %s", e.From.Nick, b.To.Nick, b.Text)
	case room.Joined:
		return "+" + string(e.From.Nick)
	case room.Parted:
		return fmt.Sprintf("-%s (%s)", e.From.Nick, b.Why)
	case room.Renamed:
		return fmt.Sprintf("%s = %s", e.From.Nick, b.To)
	default:
	}
	return fmt.Sprintf("%T", e.Body)
}

// read takes everything that a screen can see now.
func read(m *room.Member) (events []*room.Event, missed uint64) {
	buf := make([]*room.Event, 64)
	for {
		n, gone := m.Reader().Read(buf)
		events, missed = append(events, buf[:n]...), missed+gone
		if n == 0 {
			return events, missed
		}
	}
}

func rows(events []*room.Event) []string {
	out := make([]string, len(events))
	for i, e := range events {
		out[i] = row(e)
	}
	return out
}

// sees takes everything that a screen can see now and compares it.
func (s *stage) sees(m *room.Member, want ...string) {
	s.t.Helper()
	events, missed := read(m)
	if got := rows(events); !slices.Equal(got, want) || missed != 0 {
		s.t.Errorf("%s sees %q and missed %d, want %q and 0", m.Person().Nick, got, missed, want)
	}
}

func (s *stage) members(want ...string) {
	s.t.Helper()
	var got []string
	for _, p := range s.Members(room.Lobby) {
		got = append(got, fmt.Sprintf("%s×%d", p.Person.Nick, p.Screens))
	}
	if !slices.Equal(got, want) {
		s.t.Errorf("members are %q, want %q", got, want)
	}
	if n := s.People(room.Lobby); n != len(want) {
		s.t.Errorf("People = %d, want %d", n, len(want))
	}
}

func TestPostReturnsWhenEverybodyCanSeeIt(t *testing.T) {
	s := openHouse(t, room.Options{})
	ann, bob := s.enter(guest("ann")), s.enter(guest("bob"))
	s.sees(ann, "+ann", "+bob")
	s.sees(bob, "+bob") // from their own entry on
	for i := range 100 {
		line := fmt.Sprint("line ", i)
		r := s.say(ann, line)
		s.sees(bob, "[ann] "+line) // without any waiting
		s.sees(ann, "[ann] "+line) // the author reads it from the log like everybody
		if got := bob.Reader().Seen(); got != r[0].Seq {
			t.Errorf("Seen = %d, want %d", got, r[0].Seq)
		}
	}
}

func TestReadersAreWoken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openHouse(t, room.Options{})
		ann, bob := s.enter(guest("ann")), s.enter(guest("bob"))
		read(bob)
		<-bob.Reader().Bell()
		woken := make(chan struct{})
		go func() {
			<-bob.Reader().Bell()
			close(woken)
		}()
		synctest.Wait()
		select {
		case <-woken:
			t.Fatal("the bell rang for nothing")
		default:
		}
		s.say(ann, "hi")
		<-woken
		s.sees(bob, "[ann] hi")
	})
}

func TestNothingIsShownBeforeItIsCommitted(t *testing.T) {
	for _, tt := range []struct {
		name string
		hold func(*stage) (release func())
	}{
		{"a slow commit", func(s *stage) func() { return s.journal.Hold() }},
		{"a journal that takes nothing", func(s *stage) func() {
			s.mem.Suspend("the disk is full")
			return s.mem.Resume
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := openHouse(t, room.Options{})
				ann, bob := s.enter(guest("ann")), s.enter(guest("bob"))
				read(ann)
				read(bob)
				release := tt.hold(s)
				posted := make(chan error, 1)
				go func() {
					_, err := ann.Post(context.Background(), room.Lobby, room.Said{Text: text("hi")})
					posted <- err
				}()
				time.Sleep(time.Second)
				synctest.Wait()
				s.sees(bob)
				s.sees(ann) // nor does its author see it
				if lines := s.Lines(room.Lobby, 10); len(lines) != 0 {
					t.Errorf("the room's lines are %q, want none", rows(lines))
				}
				select {
				case err := <-posted:
					t.Errorf("Post returned %v before the commit", err)
				default:
				}
				release()
				if err := <-posted; err != nil {
					t.Errorf("Post = %v, want no error", err)
				}
				s.sees(bob, "[ann] hi")
				s.sees(ann, "[ann] hi")
			})
		})
	}
}

func TestRetriesNeverDouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, tt := range []struct{ before, after int }{{0, 1}, {0, 5}, {3, 0}, {2, 2}} {
			s := openHouse(t, room.Options{})
			ann, bob := s.enter(guest("ann")), s.enter(guest("bob"))
			read(ann)
			read(bob)
			s.journal.FailBefore(tt.before)
			s.journal.FailAfter(tt.after)
			got := s.say(ann, "one", "two")
			s.say(ann, "three")
			s.sees(bob, "[ann] one", "[ann] two", "[ann] three")
			s.sees(ann, "[ann] one", "[ann] two", "[ann] three")
			if lines := s.Lines(room.Lobby, 10); len(lines) != 3 || lines[0].Seq != got[0].Seq || lines[1].Seq != got[1].Seq {
				t.Errorf("%+v: the room holds %v, Post said %+v", tt, seqs(lines), got)
			}
			s.close()
		}
	})
}

// The same when the house hears of the commit long after its answer was lost.
func TestRetriesNeverDoubleBehindALateTail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := memjournal.New(memjournal.Options{})
		late := &lateTail{Journal: mem, begin: make(chan struct{})}
		s := openHouseOver(t, room.Options{}, mem, testkit.Flaky(late))
		ann := s.enter(guest("ann"))
		read(ann)
		late.wait = true
		s.journal.FailAfter(5)
		begun, calls := time.Now(), s.journal.Calls()
		var posting sync.WaitGroup
		posting.Go(func() { s.say(ann, "one", "two") })
		time.Sleep(time.Minute / 2)
		close(late.begin)
		posting.Wait()
		s.sees(ann, "[ann] one", "[ann] two")
		if got := s.journal.Calls() - calls; got != 6 {
			t.Errorf("Append was called %d times, want 6: five answers were lost", got)
		}
		if took := time.Since(begun); took != time.Minute/2 {
			t.Errorf("Post took %v, want it to return as soon as the tail goes on, after 30s", took)
		}
	})
}

func TestALostAnswerIsNotWaitedForOnceTheLineIsVisible(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openHouse(t, room.Options{})
		ann := s.enter(guest("ann"))
		s.journal.FailAfter(1000)
		begun := time.Now()
		s.say(ann, "one")
		if took := time.Since(begun); took != 0 {
			t.Errorf("Post took %v, want it to return at once", took)
		}
		s.journal.FailAfter(0)
	})
}

func TestPostGivesUpInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openHouse(t, room.Options{CommitWait: 10 * time.Second})
		ann := s.enter(guest("ann"))
		read(ann)
		s.mem.Suspend("the disk is full")
		begun := time.Now()
		_, err := ann.Post(context.Background(), room.Lobby, room.Said{Text: text("hi")})
		if took := time.Since(begun); !errors.Is(err, room.ErrUnavailable) || took != 10*time.Second {
			t.Errorf("Post = %v after %v, want %v after 10s", err, took, room.ErrUnavailable)
		}
		cause := errors.New("hung up")
		ctx, cancel := context.WithCancelCause(context.Background())
		go func() {
			time.Sleep(time.Second)
			cancel(cause)
		}()
		begun = time.Now()
		_, err = ann.Post(ctx, room.Lobby, room.Said{Text: text("hi")})
		if took := time.Since(begun); !errors.Is(err, cause) || took != time.Second {
			t.Errorf("Post = %v after %v, want %v after 1s", err, took, cause)
		}
		s.mem.Resume()
		s.sees(ann)
		s.say(ann, "again")
		s.sees(ann, "[ann] again")
	})
}

func TestPostOfNothingReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openHouse(t, room.Options{})
		ann := s.enter(guest("ann"))
		begun := time.Now()
		if results, err := ann.Post(context.Background(), room.Lobby); len(results) != 0 || err != nil || time.Since(begun) != 0 {
			t.Errorf("Post of nothing = %v, %v after %v; want nothing at once", results, err, time.Since(begun))
		}
	})
}

func TestTheSameKeyUnderTheSameNameIsOnePerson(t *testing.T) {
	s := openHouse(t, room.Options{})
	bob := s.enter(guest("bob"))
	one := s.enter(keyed("kim"))
	two := s.enter(keyed("kim"))
	s.members("bob×1", "kim×2")
	if one.Person() != two.Person() {
		t.Errorf("the screens are of %+v and %+v, want one person", one.Person(), two.Person())
	}
	s.say(two, "hi")
	s.sees(bob, "+bob", "+kim", "[kim] hi")
	s.sees(one, "+kim", "[kim] hi")
	if !one.Announced() || two.Announced() {
		t.Errorf("Announced = %v and %v, want true and false", one.Announced(), two.Announced())
	}
	if one.Leave(room.EndingLost) {
		t.Error("Leave of the first of two screens says that it was announced, want not")
	}
	s.members("bob×1", "kim×1")
	if _, err := s.Enter(context.Background(), guest("kim"), room.Entry{Where: room.Lobby, Back: true}); !errors.Is(err, room.ErrHeld) {
		t.Errorf("Enter of another as kim = %v, want %v", err, room.ErrHeld)
	}
	if !two.Leave(room.EndingLeft) {
		t.Error("Leave of the last screen says that it was not announced, want so")
	}
	s.sees(bob, "-kim (left)")
	s.members("bob×1")
	again := s.enter(keyed("kim")) // a cut connection keeps nobody out
	s.sees(bob, "+kim")
	again.Leave(room.EndingLeft)
	s.enter(guest("kim"))
}

func TestTheSameKeyUnderAnotherNameIsAnotherPerson(t *testing.T) {
	s := openHouse(t, room.Options{})
	kim := s.enter(keyed("kim"))
	lee := s.enter(room.Claim{Key: kim.Person().Key, Nick: "lee", Names: namesOf("lee")})
	if kim.Person().ID == lee.Person().ID {
		t.Errorf("both are %s, want two persons", lee.Person().ID)
	}
	s.members("kim×1", "lee×1")
	// Neither can take the name that the other wears: the room would see two persons under it.
	if err := lee.Rename(context.Background(), "kim", namesOf("kim")); !errors.Is(err, room.ErrHeld) {
		t.Errorf("Rename to the name of one's other self = %v, want %v", err, room.ErrHeld)
	}
	s.members("kim×1", "lee×1")
	kim.Leave(room.EndingLeft)
	if err := lee.Rename(context.Background(), "kim", namesOf("kim")); err != nil {
		t.Errorf("Rename to a free name = %v, want no error", err)
	}
	s.members("kim×1")
	s.enter(keyed("kim")) // who is lee's second screen by now
	s.members("kim×2")
}

func TestNoNameIsHeldTwiceUnderAnyOfItsKeys(t *testing.T) {
	s := openHouse(t, room.Options{})
	s.enter(room.Claim{Nick: "kim", Names: []string{"case/kim", "skeleton/kim"}})
	ctx := context.Background()
	for _, names := range [][]string{{"case/kim", "skeleton/other"}, {"case/other", "skeleton/kim"}} {
		if _, err := s.Enter(ctx, room.Claim{Nick: "khn", Names: names}, room.Entry{Where: room.Lobby, Back: true}); !errors.Is(err, room.ErrHeld) {
			t.Errorf("Enter under %q = %v, want %v", names, err, room.ErrHeld)
		}
	}
	s.enter(room.Claim{Nick: "other", Names: []string{"case/other", "skeleton/other"}}) // nothing of the refused ones stayed
	s.members("kim×1", "other×1")
}

func TestOfTwentyWhoClaimOneNameOneWins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openHouse(t, room.Options{})
		for round := range 20 {
			won := make([]*room.Member, 20)
			var wg sync.WaitGroup
			for i := range won {
				wg.Go(func() {
					claim := guest("kim")
					if i%2 == 0 {
						claim.Key = fmt.Sprint("SHA256:", i)
					}
					m, err := s.Enter(context.Background(), claim, room.Entry{Where: room.Lobby, Back: true})
					if err != nil && !errors.Is(err, room.ErrHeld) {
						t.Errorf("Enter = %v, want no error or %v", err, room.ErrHeld)
					}
					won[i] = m
				})
			}
			wg.Wait()
			won = slices.DeleteFunc(won, func(m *room.Member) bool { return m == nil })
			if len(won) != 1 {
				t.Fatalf("round %d: %d of 20 won, want 1", round, len(won))
			}
			s.members("kim×1")
			won[0].Leave(room.EndingLeft) // so the name is free for the next round
			s.members()
		}
	})
}

func TestManyScreensOfOnePersonComeAndGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openHouse(t, room.Options{})
		bob := s.enter(guest("bob"))
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				for range 10 {
					m, err := s.Enter(context.Background(), keyed("kim"), room.Entry{Where: room.Lobby, Back: true})
					if err != nil {
						t.Errorf("Enter = %v, want no error", err)
						return
					}
					m.Leave(room.EndingLost)
				}
			})
		}
		wg.Wait()
		s.members("bob×1")
		events, _ := read(bob)
		here := false
		for _, r := range rows(events[1:]) { // joins and leaves of kim take turns
			if want := map[bool]string{false: "+kim", true: "-kim (lost)"}[here]; r != want {
				t.Fatalf("bob sees %q, want %q", r, want)
			}
			here = !here
		}
		if here {
			t.Error("kim's last leave was not told")
		}
	})
}

func TestRename(t *testing.T) {
	s := openHouse(t, room.Options{})
	ctx := context.Background()
	ann, bob := s.enter(guest("ann")), s.enter(guest("bob"))
	if err := ann.Rename(ctx, "bob", namesOf("bob")); !errors.Is(err, room.ErrHeld) {
		t.Errorf("Rename to a name that is worn = %v, want %v", err, room.ErrHeld)
	}
	if err := ann.Rename(ctx, "eve", namesOf("eve")); err != nil {
		t.Fatalf("Rename = %v, want no error", err)
	}
	s.say(ann, "hi")
	s.sees(bob, "+bob", "ann = eve", "[eve] hi")
	if got := ann.Person().Nick; got != "eve" {
		t.Errorf("Person is %s, want eve", got)
	}
	s.members("eve×1", "bob×1")
	free := s.enter(guest("ann")) // her old name is free
	free.Leave(room.EndingLeft)
	if _, err := s.Enter(ctx, guest("eve"), room.Entry{Where: room.Lobby, Back: true}); !errors.Is(err, room.ErrHeld) {
		t.Errorf("Enter under her new name = %v, want %v", err, room.ErrHeld)
	}
	if err := ann.Rename(ctx, "EVE", namesOf("EVE")); err != nil { // the same keys in another form
		t.Errorf("Rename to another form of one's own name = %v, want no error", err)
	}
	ann.Leave(room.EndingLeft)
	s.enter(guest("eve"))
}

// lateLeases give back only when they are told to.
type lateLeases struct {
	room.Leases
	goOn chan struct{}
}

func (l lateLeases) Release(ctx context.Context, lease room.Lease) error {
	<-l.goOn
	return l.Leases.Release(ctx, lease)
}

// The room reads of a leave before the leases are back: whoever takes the name at that moment gets it.
func TestNameIsFreeAtTheSightOfTheLeaveOrRename(t *testing.T) {
	for _, how := range []string{"leave", "rename"} {
		t.Run(how, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				mem := memjournal.New(memjournal.Options{})
				late := lateLeases{memjournal.NewLeases(), make(chan struct{})}
				h := room.NewHouse(mem, late, room.Options{Logger: slog.New(slog.DiscardHandler)})
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				go func() { _ = h.Run(ctx) }()
				ann, err := h.Enter(ctx, guest("ann"), room.Entry{Where: room.Lobby, Back: true})
				if err != nil {
					t.Fatal(err)
				}
				bob, err := h.Enter(ctx, guest("bob"), room.Entry{Where: room.Lobby, Back: true})
				if err != nil {
					t.Fatal(err)
				}
				go func() {
					if how == "leave" {
						ann.Leave(room.EndingLeft)
					} else if err := ann.Rename(ctx, "eve", namesOf("eve")); err != nil {
						t.Errorf("Rename = %v, want no error", err)
					}
				}()
				synctest.Wait()
				if events, _ := read(bob); len(events) != 2 {
					t.Fatalf("bob sees %q, want his entry and what ann did", rows(events))
				}
				if p, ok := h.Holder("case/ann"); ok {
					t.Errorf("Holder = %+v, want nobody at the sight of it", p)
				}
				entered := make(chan error, 1)
				go func() {
					_, err := h.Enter(ctx, guest("ann"), room.Entry{Where: room.Lobby, Back: true})
					entered <- err
				}()
				synctest.Wait()
				close(late.goOn)
				if err := <-entered; err != nil {
					t.Errorf("Enter under a name that is being given back = %v, want no error", err)
				}
				synctest.Wait()
				cancel()
			})
		})
	}
}

func TestRenameAfterLeavingHoldsNoName(t *testing.T) {
	s := openHouse(t, room.Options{})
	ann := s.enter(guest("ann"))
	ann.Leave(room.EndingLost)
	if err := ann.Rename(context.Background(), "eve", namesOf("eve")); err == nil {
		t.Error("Rename after Leave = nil, want an error")
	}
	s.enter(guest("eve"))
	s.members("eve×1")
}

func TestRenameOfUnknownOutcomeKeepsBothNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openHouse(t, room.Options{CommitWait: time.Second})
		ctx := context.Background()
		ann := s.enter(keyed("ann"))
		s.mem.Suspend("the disk is full")
		if err := ann.Rename(ctx, "eve", namesOf("eve")); !errors.Is(err, room.ErrUnavailable) {
			t.Errorf("Rename = %v, want %v", err, room.ErrUnavailable)
		}
		s.mem.Resume()
		for _, nick := range []room.Nick{"ann", "eve"} { // whichever name it is, she is not kept out
			second := s.enter(room.Claim{Key: ann.Person().Key, Nick: nick, Names: namesOf(nick)})
			if second.Person().ID != ann.Person().ID {
				t.Errorf("Enter as %s = %+v, want one more screen of %+v", nick, second.Person(), ann.Person())
			}
			second.Leave(room.EndingLeft)
		}
		for _, nick := range []room.Nick{"ann", "eve"} {
			if _, err := s.Enter(ctx, guest(nick), room.Entry{Where: room.Lobby, Back: true}); !errors.Is(err, room.ErrHeld) {
				t.Errorf("Enter as %s = %v, want %v", nick, err, room.ErrHeld)
			}
		}
		ann.Leave(room.EndingLeft)
		s.enter(guest("ann"))
		s.enter(guest("eve"))
	})
}

func TestAScreenThatWaitsWhileItsPersonIsRenamedComesUnderItsOwnName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openHouse(t, room.Options{})
		kim := s.enter(keyed("kim"))
		release := s.journal.Hold()
		renamed := make(chan error, 1)
		go func() { renamed <- kim.Rename(context.Background(), "lee", namesOf("lee")) }()
		synctest.Wait()
		type entry struct {
			member *room.Member
			err    error
		}
		enter := func(c room.Claim) chan entry {
			entered := make(chan entry, 1)
			go func() {
				m, err := s.Enter(context.Background(), c, room.Entry{Where: room.Lobby, Back: true})
				entered <- entry{m, err}
			}()
			return entered
		}
		asKim := enter(keyed("kim"))
		asLee := enter(room.Claim{Key: "SHA256:kim", Nick: "lee", Names: namesOf("lee")})
		synctest.Wait()
		release()
		if err := <-renamed; err != nil {
			t.Fatalf("Rename = %v, want no error", err)
		}
		old, same := <-asKim, <-asLee
		if old.err != nil || old.member.Person().Nick != "kim" || old.member.Person().ID == kim.Person().ID {
			t.Errorf("Enter as kim = %+v, want another person than the one who is lee now", old)
		}
		if same.err != nil || same.member.Person() != kim.Person() {
			t.Errorf("Enter as lee = %+v, want one more screen of them", same)
		}
		s.members("lee×2", "kim×1")
	})
}

func TestRenamesUnderLoadKeepOneOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openHouse(t, room.Options{RingLines: 8192})
		watcher := s.enter(guest("watcher"))
		people := make([]*room.Member, 8)
		for i := range people {
			people[i] = s.enter(guest(room.Nick(fmt.Sprintf("p%d-0", i))))
		}
		other := s.enter(guest("other"))
		read(watcher)
		var wg sync.WaitGroup
		for i, m := range people {
			wg.Go(func() {
				for k := range 60 {
					s.say(m, fmt.Sprint(k))
				}
			})
			wg.Go(func() {
				for k := 1; k <= 20; k++ {
					nick := room.Nick(fmt.Sprintf("p%d-%d", i, k))
					if err := m.Rename(context.Background(), nick, namesOf(nick)); err != nil {
						t.Errorf("Rename = %v, want no error", err)
					}
				}
			})
		}
		wg.Wait()
		events, missed := read(watcher)
		if want := len(people) * 80; len(events) != want || missed != 0 {
			t.Fatalf("the watcher got %d events and missed %d, want %d and 0", len(events), missed, want)
		}
		worn := map[room.PersonID]room.Nick{}
		for i := range people {
			worn[people[i].Person().ID] = room.Nick(fmt.Sprintf("p%d-0", i))
		}
		lines := map[room.PersonID]int{}
		for _, e := range events {
			if e.From.Nick != worn[e.From.ID] {
				t.Fatalf("%s at %d, want it from %s", row(e), e.Seq, worn[e.From.ID])
			}
			switch b := e.Body.(type) {
			case room.Renamed:
				worn[e.From.ID] = b.To
			case room.Said:
				if want := fmt.Sprint(lines[e.From.ID]); b.Text.String() != want {
					t.Fatalf("%s at %d, want their line %s", row(e), e.Seq, want)
				}
				lines[e.From.ID]++
			default:
			}
		}
		same, _ := read(other)
		if !slices.Equal(seqs(same[1:]), seqs(events)) {
			t.Error("two readers saw two orders")
		}
	})
}

func TestLeaveIsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openHouse(t, room.Options{})
		bob := s.enter(guest("bob"))
		kim := s.enter(keyed("kim"))
		second := s.enter(keyed("kim"))
		read(bob)
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() { kim.Leave(room.EndingIdle) })
		}
		wg.Wait()
		s.members("bob×1", "kim×1") // the other screen stays
		s.sees(bob)
		bell := kim.Reader().Bell()
		select {
		case <-bell:
		default:
		}
		s.say(bob, "hi")
		select {
		case <-bell:
			t.Error("the bell of a screen that left still rings")
		default:
		}
		second.Leave(room.EndingStalled)
		second.Leave(room.EndingLeft)
		s.sees(bob, "[bob] hi", "-kim (stalled)")
	})
}

func TestEnterCancelledHalfWayLeavesNoGhost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openHouse(t, room.Options{})
		bob := s.enter(guest("bob"))
		read(bob)
		release := s.journal.Hold()
		cause := errors.New("hung up")
		ctx, cancel := context.WithCancelCause(context.Background())
		entered := make(chan error, 1)
		go func() {
			_, err := s.Enter(ctx, keyed("kim"), room.Entry{Where: room.Lobby, Back: true})
			entered <- err
		}()
		synctest.Wait()
		cancel(cause)
		synctest.Wait()
		release()
		if err := <-entered; !errors.Is(err, cause) {
			t.Errorf("Enter = %v, want %v", err, cause)
		}
		s.members("bob×1")
		s.sees(bob, "+kim", "-kim (lost)") // it was there for a moment
		s.enter(guest("kim"))              // and the name is free

		if _, err := s.Enter(ctx, guest("lee"), room.Entry{Where: room.Lobby, Back: true}); !errors.Is(err, cause) {
			t.Errorf("Enter with an ended context = %v, want %v", err, cause)
		}
		s.sees(bob, "+kim")
		s.enter(guest("lee"))
	})
}

func TestEnterThatCannotBeCommittedHoldsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openHouse(t, room.Options{CommitWait: time.Second})
		s.mem.Suspend("the disk is full")
		if _, err := s.Enter(context.Background(), guest("kim"), room.Entry{Where: room.Lobby, Back: true}); !errors.Is(err, room.ErrUnavailable) {
			t.Errorf("Enter = %v, want %v", err, room.ErrUnavailable)
		}
		s.mem.Resume()
		s.members()
		s.enter(guest("kim"))
	})
}

func TestReaderThatNeverReadsCostsNothingAndIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const ring, lines = 64, 5000
		s := openHouse(t, room.Options{RingLines: ring})
		ann, stuck, bob := s.enter(guest("ann")), s.enter(guest("stuck")), s.enter(guest("bob"))
		read(stuck) // "+stuck", "+bob"
		read(bob)
		began := time.Now()
		for i := range lines {
			s.say(ann, fmt.Sprint(i))
			if i%50 == 0 {
				if _, missed := read(bob); missed != 0 {
					t.Fatalf("bob, who reads, missed %d", missed)
				}
			}
		}
		if waited := time.Since(began); waited != 0 {
			t.Errorf("posting waited %v for a reader", waited)
		}
		events, missed := read(stuck)
		if len(events) != ring || missed != lines-ring {
			t.Errorf("stuck reads %d and missed %d, want %d and %d", len(events), missed, ring, lines-ring)
		}
		if got, want := row(events[len(events)-1]), fmt.Sprint("[ann] ", lines-1); got != want {
			t.Errorf("the newest is %q, want %q", got, want)
		}
	})
}

func TestMemoryIsBoundedWhileNobodyReads(t *testing.T) {
	s := openHouse(t, room.Options{})
	ann := s.enter(guest("ann"))
	s.enter(guest("stuck"))
	line := strings.Repeat("x", 4096)
	say := func(n int) {
		for range n {
			s.say(ann, line)
		}
	}
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	say(5 << 20 / len(line))
	if grown := int64(heap() - before); grown > 16<<20 {
		t.Errorf("5 MiB that nobody reads hold %d MiB, want less than 16", grown>>20)
	}
}

func TestFiftyPostersShareOneOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const posters, lines = 50, 20
		s := openHouse(t, room.Options{RingLines: 2048})
		members := make([]*room.Member, posters)
		for i := range members {
			members[i] = s.enter(guest(room.Nick(fmt.Sprintf("p%d", i))))
		}
		for _, m := range members {
			read(m)
		}
		got := make([][]*room.Event, posters)
		var wg sync.WaitGroup
		for i, m := range members {
			wg.Go(func() {
				for k := 0; k < lines; k += 2 {
					s.say(m, fmt.Sprint(k), fmt.Sprint(k+1))
				}
			})
			wg.Go(func() { // read while they post, woken by the bell alone
				buf := make([]*room.Event, 7)
				for len(got[i]) < posters*lines {
					n, missed := m.Reader().Read(buf)
					if missed > 0 {
						t.Errorf("reader %d missed %d", i, missed)
						return
					}
					if got[i] = append(got[i], buf[:n]...); n == 0 {
						<-m.Reader().Bell()
					}
				}
			})
		}
		wg.Wait()
		next := map[room.Nick]int{}
		for _, e := range got[0] {
			if want := fmt.Sprintf("[%s] %d", e.From.Nick, next[e.From.Nick]); row(e) != want {
				t.Fatalf("%q at %d, want %q", row(e), e.Seq, want)
			}
			next[e.From.Nick]++
		}
		for i := range got {
			if !slices.Equal(got[i], got[0]) {
				t.Errorf("reader %d saw another order than reader 0", i)
			}
			if more, _ := read(members[i]); len(more) != 0 {
				t.Errorf("reader %d saw %d more, want each line once", i, len(more))
			}
		}
	})
}

func TestDirectMessages(t *testing.T) {
	s := openHouse(t, room.Options{})
	ann, bob, eve := s.enter(guest("ann")), s.enter(keyed("bob")), s.enter(guest("eve"))
	bob2 := s.enter(keyed("bob"))
	for _, m := range []*room.Member{ann, bob, bob2, eve} {
		read(m)
	}
	tell := func(from, to *room.Member, words string) room.Result {
		t.Helper()
		r, err := from.Post(context.Background(), room.Lobby, room.Told{To: to.Person(), Text: text(words)})
		if err != nil {
			t.Fatalf("Post = %v, want no error", err)
		}
		return r[0]
	}
	s.say(ann, "before")
	tell(ann, bob, "psst")
	s.say(eve, "after")
	want := []string{"[ann] before", "[ann → bob] psst", "[eve] after"}
	s.sees(ann, want...) // the author, too, in the one order
	s.sees(bob, want...)
	s.sees(bob2, want...) // on every screen
	s.sees(eve, "[ann] before", "[eve] after")
	tell(ann, ann, "note")
	s.sees(ann, "[ann → ann] note") // once, although it is to and from her
	s.sees(bob)

	eve.Leave(room.EndingLeft)
	read(ann)
	if r := tell(ann, eve, "still there?"); r.Void != room.VoidGone || r.Shown {
		t.Errorf("a message to somebody who left = %+v, want void %s", r, room.VoidGone)
	}
	s.sees(ann)
}

func TestVisitsAreNeitherToldNorListed(t *testing.T) {
	s := openHouse(t, room.Options{})
	bob := s.enter(guest("bob"))
	v := s.visit(guest("kim"))
	s.members("bob×1")
	if v.Announced() {
		t.Error("Announced = true, want a visit to be silent")
	}
	s.say(v, "hello")
	s.sees(v, "[kim] hello")
	if _, err := s.Enter(context.Background(), guest("kim"), room.Entry{Where: room.Lobby, Back: true}); !errors.Is(err, room.ErrHeld) {
		t.Errorf("Enter under a visitor's name = %v, want %v", err, room.ErrHeld)
	}
	if v.Leave(room.EndingLeft) {
		t.Error("Leave of a visit says that it was announced, want not")
	}
	s.sees(bob, "+bob", "[kim] hello")
}

func TestVoidLinesAreShownToNobody(t *testing.T) {
	s := openHouse(t, room.Options{})
	ann, bob := s.enter(guest("ann")), s.enter(guest("bob"))
	read(bob)
	ann.Leave(room.EndingLeft)
	r, err := ann.Post(context.Background(), room.Lobby, room.Said{Text: text("from beyond")}, room.Emoted{Text: text("waves")})
	if err != nil || len(r) != 2 {
		t.Fatalf("Post = %v, %v; want two results", r, err)
	}
	for _, r := range r {
		if r.Void != room.VoidNotMember || r.Shown || r.Seq == 0 {
			t.Errorf("result = %+v, want void %s in its place", r, room.VoidNotMember)
		}
	}
	s.sees(bob, "-ann (left)")
	st := s.Stats()
	if st.Voided[room.VoidNotMember] != 2 || st.Lines != 0 || st.People != 1 {
		t.Errorf("Stats = %+v, want 2 voided, no lines, 1 person", st)
	}
	s.say(bob, "hi")
	if st := s.Stats(); st.Lines != 1 {
		t.Errorf("Lines = %d, want 1", st.Lines)
	}
}

func TestBacklogIsWhatWasSaidBeforeOneCame(t *testing.T) {
	s := openHouse(t, room.Options{})
	ann := s.enter(guest("ann"))
	s.say(ann, "1", "2", "3")
	s.enter(guest("bob")).Leave(room.EndingLeft) // coming and going is no line
	kim := s.enter(guest("kim"))
	if got, want := kim.Reader().Seen(), kim.Joined()-1; got != want {
		t.Errorf("Seen of a new reader = %d, want %d, right before its entry", got, want)
	}
	s.say(ann, "4")
	for _, tt := range []struct {
		n    int
		want []string
	}{{0, nil}, {2, []string{"[ann] 2", "[ann] 3"}}, {20, []string{"[ann] 1", "[ann] 2", "[ann] 3"}}} {
		if got := rows(backlog(t, kim, tt.n)); !slices.Equal(got, tt.want) && len(got)+len(tt.want) > 0 {
			t.Errorf("Backlog(%d) = %q, want %q", tt.n, got, tt.want)
		}
	}
	s.sees(kim, "+kim", "[ann] 4") // where the backlog ends, the reader begins
	if got := rows(s.Lines(room.Lobby, 2)); !slices.Equal(got, []string{"[ann] 3", "[ann] 4"}) {
		t.Errorf("Lines = %q, want the last two", got)
	}
	if got := s.Lines("room/attic", 5); got != nil {
		t.Errorf("Lines of no room = %v, want none", got)
	}
}

func TestHolderFindsWhoWearsAName(t *testing.T) {
	s := openHouse(t, room.Options{})
	ann := s.enter(guest("ann"))
	s.visit(guest("kim"))
	if p, ok := s.Holder("case/ann"); !ok || p != ann.Person() {
		t.Errorf("Holder = %+v, %v; want ann", p, ok)
	}
	for _, name := range []string{"case/kim", "case/nobody"} {
		if p, ok := s.Holder(name); ok {
			t.Errorf("Holder of %s = %+v, want nobody who is listed", name, p)
		}
	}
	if err := ann.Rename(context.Background(), "eve", namesOf("eve")); err != nil {
		t.Fatal(err)
	}
	if p, ok := s.Holder("case/eve"); !ok || p != ann.Person() {
		t.Errorf("Holder of the new name = %+v, %v; want who was ann", p, ok)
	}
	if p, ok := s.Holder("case/ann"); ok {
		t.Errorf("Holder of the former name = %+v, want nobody", p)
	}
}

func TestHouseForgetsWhoIsGone(t *testing.T) {
	s := openHouse(t, room.Options{})
	empty := s.Indexed()
	ann, kim := s.enter(guest("ann")), s.enter(keyed("kim"))
	if err := ann.Rename(context.Background(), "eve", namesOf("eve")); err != nil {
		t.Fatal(err)
	}
	if got, want := s.Indexed(), empty+7; got != want { // two people, a key, two names each
		t.Errorf("with two people there are %d entries, want %d", got, want)
	}
	ann.Leave(room.EndingLeft)
	kim.Leave(room.EndingLeft)
	if got := s.Indexed(); got != empty {
		t.Errorf("when they are gone there are %d entries, want %d", got, empty)
	}
}

func TestStateFollowsTheJournal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openHouse(t, room.Options{})
		synctest.Wait()
		if got := s.State(); !got.Connected {
			t.Errorf("State = %+v, want connected", got)
		}
		s.mem.Suspend("the disk is full")
		synctest.Wait()
		if got, want := s.State(), (room.State{Reason: "the disk is full"}); got != want {
			t.Errorf("State = %+v, want %+v", got, want)
		}
		s.mem.Resume()
		synctest.Wait()
		if got := s.State(); !got.Connected {
			t.Errorf("State = %+v, want connected", got)
		}
		if log := s.log.String(); strings.Count(log, "journal degraded") != 1 || !strings.Contains(log, "the disk is full") {
			t.Errorf("log = %q, want it to tell the operator once, with the reason", log)
		}
	})
}

func TestDamagedAndUnknownRecordsStopNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openHouse(t, room.Options{})
		ann := s.enter(guest("ann"))
		read(ann)
		_, err := s.mem.Append(context.Background(),
			room.Record{ID: room.NewID(), Subject: room.Lobby, Kind: "said", Data: []byte("{")},
			room.Record{ID: room.NewID(), Subject: room.Lobby, Kind: "painted", Data: []byte("\x00")},
		)
		if err != nil {
			t.Fatal(err)
		}
		s.say(ann, "still here")
		s.sees(ann, "[ann] still here")
		if log := s.log.String(); !strings.Contains(log, "record unreadable") || strings.Count(log, "level=ERROR") != 1 {
			t.Errorf("log = %q, want one error about the damaged record", log)
		}
		if got := s.Stats().Voided; got[room.VoidUnknown] != 1 {
			t.Errorf("Voided = %v, want 1 %s", got, room.VoidUnknown)
		}
	})
}

func TestAClosedHouseRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openHouse(t, room.Options{})
		ann := s.enter(guest("ann"))
		waiting := make(chan error, 1)
		s.mem.Suspend("the disk is full")
		go func() {
			_, err := ann.Post(context.Background(), room.Lobby, room.Said{Text: text("hi")})
			waiting <- err
		}()
		synctest.Wait()
		s.close()
		if err := <-waiting; !errors.Is(err, room.ErrClosed) {
			t.Errorf("Post that waited = %v, want %v", err, room.ErrClosed)
		}
		s.mem.Resume()
		begun := time.Now()
		if _, err := ann.Post(context.Background(), room.Lobby, room.Said{Text: text("hi")}); !errors.Is(err, room.ErrClosed) {
			t.Errorf("Post = %v, want %v", err, room.ErrClosed)
		}
		if _, err := s.Enter(context.Background(), guest("bob"), room.Entry{Where: room.Lobby, Back: true}); !errors.Is(err, room.ErrClosed) {
			t.Errorf("Enter = %v, want %v", err, room.ErrClosed)
		}
		ann.Leave(room.EndingShutdown)
		if took := time.Since(begun); took != 0 {
			t.Errorf("calls of a closed house took %v, want none to wait", took)
		}
	})
}

func TestRunFailsWithItsJournal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := memjournal.New(memjournal.Options{})
		h := room.NewHouse(mem, memjournal.NewLeases(), room.Options{Logger: slog.New(slog.DiscardHandler)})
		mem.Close()
		if err := h.Run(context.Background()); !errors.Is(err, memjournal.ErrClosed) {
			t.Errorf("Run = %v, want %v", err, memjournal.ErrClosed)
		}
	})
}

// lateTail is a journal whose tails begin late, so that much is applied in one batch.
type lateTail struct {
	room.Journal
	begin chan struct{}
	wait  bool
}

func (j *lateTail) Tail(ctx context.Context, after room.Position, fn func([]room.Committed) error) error {
	return j.Journal.Tail(ctx, after, func(batch []room.Committed) error {
		if j.wait {
			<-j.begin
		}
		return fn(batch)
	})
}

// What is lost between the entry and the moment when its reader is ready is counted like any other loss.
func TestWhoEntersInAFloodIsToldWhatTheyMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const ring, lines = 8, 100
		mem := memjournal.New(memjournal.Options{Batch: 1024})
		late := &lateTail{Journal: mem, begin: make(chan struct{})}
		s := openHouseOver(t, room.Options{RingLines: ring}, mem, testkit.Flaky(late))
		ann := s.enter(guest("ann"))
		late.wait = true
		var posting sync.WaitGroup
		posting.Go(func() { s.say(ann, "wakes the tail") })
		synctest.Wait() // the tail has that line and waits with it
		var kim *room.Member
		posting.Go(func() { kim = s.enter(guest("kim")) })
		synctest.Wait()
		posting.Go(func() {
			words := make([]string, lines)
			for i := range words {
				words[i] = fmt.Sprint(i)
			}
			s.say(ann, words...)
		})
		synctest.Wait()
		close(late.begin)
		posting.Wait()
		events, missed := read(kim)
		if got := row(events[len(events)-1]); got != fmt.Sprint("[ann] ", lines-1) {
			t.Errorf("the newest is %q, want the last line", got)
		}
		if total := uint64(len(events)) + missed; total < lines+1 {
			t.Errorf("kim reads %d and is told of %d missed; her entry and %d lines came", len(events), missed, lines)
		}
	})
}

func TestNothingIsLeftOfAThousandVisitors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the bubble fails if a goroutine remains
		s := openHouse(t, room.Options{})
		var wg sync.WaitGroup
		for i := range 50 {
			wg.Go(func() {
				for k := range 20 {
					claim := guest(room.Nick(fmt.Sprintf("p%d", i)))
					if k%2 == 0 {
						claim.Key = fmt.Sprint("SHA256:", i)
					}
					m, err := s.Enter(context.Background(), claim, room.Entry{Where: room.Lobby, Back: true, Visit: k%5 == 0})
					if err != nil {
						t.Errorf("Enter = %v, want no error", err)
						return
					}
					s.say(m, "hi")
					m.Leave(room.EndingLeft)
				}
			})
		}
		wg.Wait()
		s.members()
		if got := s.Stats().Lines; got != 1000 {
			t.Errorf("Lines = %d, want 1000", got)
		}
		for i := range 50 { // no name is held
			if _, err := s.leases.Acquire(context.Background(), namesOf(room.Nick(fmt.Sprintf("p%d", i))), "anybody"); err != nil {
				t.Errorf("Acquire of p%d = %v, want it free", i, err)
			}
		}
	})
}

func BenchmarkHousePost(b *testing.B) {
	for _, readers := range []int{1, 100} {
		b.Run(fmt.Sprintf("readers=%d", readers), func(b *testing.B) {
			s := openHouse(b, room.Options{})
			ann := s.enter(guest("ann"))
			var wg sync.WaitGroup
			stop := make(chan struct{})
			for i := range readers {
				m := s.enter(guest(room.Nick(fmt.Sprintf("reader%d", i))))
				wg.Go(func() {
					buf := make([]*room.Event, 64)
					for {
						select {
						case <-m.Reader().Bell():
						case <-stop:
							return
						}
						for n := 1; n > 0; n, _ = m.Reader().Read(buf) {
						}
					}
				})
			}
			line := room.Said{Text: text("안녕하세요, hello there")}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ann.Post(context.Background(), room.Lobby, line); err != nil {
					b.Fatal(err)
				}
			}
			close(stop)
			wg.Wait()
		})
	}
}

// backlog is what is shown of the lobby to somebody who has just come in.
func backlog(t *testing.T, m *room.Member, n int) []*room.Event {
	t.Helper()
	lines, err := m.Backlog(context.Background(), room.Lobby, m.Joined(), n)
	if err != nil {
		t.Fatalf("Backlog(%d): %v", n, err)
	}
	return lines
}
