package room_test

import (
	"context"
	"log/slog"
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"sarangbang/internal/memjournal"
	"sarangbang/room"
)

// rehearsal is a house that is fed a story, and everybody who came in it.
type rehearsal struct {
	t     *testing.T
	house *room.House
	story *teller
	came  []room.Sighting
}

func rehearse(t *testing.T, seed uint64, n int) *rehearsal {
	t.Helper()
	h := room.NewHouse(memjournal.New(memjournal.Options{}), memjournal.NewLeases(), room.Options{Logger: slog.New(slog.DiscardHandler)})
	r := &rehearsal{t: t, house: h, story: newTeller(seed)}
	r.story.at = time.Now()
	for range n {
		r.feed(r.story.next())
	}
	return r
}

// feed tells the house of an event at its time.
func (r *rehearsal) feed(e *room.Event) room.Verdict {
	time.Sleep(time.Until(e.At))
	rec := room.Encode(e.From, e.Subject, e.Body)
	rec.ID, rec.At = e.ID, e.At
	c := room.Committed{Seq: e.Seq, Record: rec}
	if _, err := room.Decode(c); err != nil { // an account without a key
		return room.Verdict{Void: room.VoidUnreadable}
	}
	v := r.house.Feed(c)
	if v.Void != "" {
		return v
	}
	switch b := e.Body.(type) {
	case room.Joined:
		if at, err := netip.ParseAddr(b.Addr); err == nil {
			r.came = append(r.came, room.Sighting{Person: e.From, Names: b.Names, Addr: at, At: e.At})
		}
	case room.Erased:
		r.came = slices.DeleteFunc(r.came, func(s room.Sighting) bool { return s.Person.ID == e.From.ID })
	default:
	}
	return v
}

// wasHere says that somebody was seen by an address in the last day.
func (r *rehearsal) wasHere(s room.Sighting) bool {
	return slices.ContainsFunc(r.came, func(c room.Sighting) bool {
		return c.Person.ID == s.Person.ID && c.Addr == s.Addr && !s.At.Before(c.At) && time.Since(c.At) <= 24*time.Hour
	})
}

func TestADryRunTellsWhatTheActDoes(t *testing.T) {
	acts, lately := 0, 0
	for seed := range uint64(25) {
		synctest.Test(t, func(t *testing.T) {
			r := rehearse(t, seed, 120)
			for range 120 {
				e := r.story.next()
				b, bars := e.Body.(room.Barred)
				if !bars {
					r.feed(e)
					continue
				}
				time.Sleep(time.Until(e.At))
				bar := b.Bar
				bar.ID, bar.Where, bar.By, bar.At = e.ID, e.Subject, e.From, e.At
				before := r.house.RulesDump()
				p := r.house.Preview(bar)
				if r.house.RulesDump() != before {
					t.Fatalf("story %d: the dry run changed something", seed)
				}
				v := r.feed(e)
				if v.Void == room.VoidBanned || v.Void == room.VoidMuted || v.Void == room.VoidTaken || v.Void == room.VoidNotMember {
					continue // who is kept out, is erased or has lost the key does nothing
				}
				if v.Void == "" {
					acts++
				}
				if v.Void != p.Void || v.Void == "" && !reflect.DeepEqual(v.Out, p.Here) {
					t.Fatalf("story %d, event %d: %q hits %v, the dry run said %q and %v", seed, e.Seq, v.Void, v.Out, p.Void, p.Here)
				}
				r.checkLately(bar, p)
				lately += len(p.Lately)
			}
		})
	}
	if acts < 40 || lately < 40 {
		t.Errorf("%d acts and %d who would have been hit, want many", acts, lately)
	}
}

func (r *rehearsal) checkLately(bar room.Bar, p room.Preview) {
	r.t.Helper()
	isHere := func(id room.PersonID) bool {
		return slices.ContainsFunc(p.Here, func(q room.Person) bool { return q.ID == id })
	}
	for _, s := range p.Lately {
		if !r.wasHere(s) || isHere(s.Person.ID) || s.Person.ID == op.ID {
			r.t.Fatalf("%+v would have been hit, want somebody who was here, is not now, and is no operator", s)
		}
	}
	for _, c := range r.came { // by an address nobody is left out
		hit := slices.ContainsFunc(bar.Target.Nets, func(n netip.Prefix) bool { return n.Contains(c.Addr) })
		if !hit || isHere(c.Person.ID) || r.house.RoleIn(c.Person, bar.Where) == room.RoleOperator || time.Since(c.At) > 24*time.Hour {
			continue
		}
		_, there := r.house.Here(c.Person.ID)
		listed := slices.ContainsFunc(p.Lately, func(s room.Sighting) bool { return s.Person.ID == c.Person.ID && s.Addr == c.Addr })
		if !listed && !there { // who is here by another of their keys may be an operator
			r.t.Fatalf("%+v would not have been hit, want them among %+v", c, p.Lately)
		}
	}
}

// Who changes from one address to another was by the first only as long as they were.
func TestASightingIsAsOldAsItsAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openHouse(t, room.Options{})
		claim := guest("ann")
		claim.Addr = "192.0.2.1"
		claim.Key = "SHA256:ann"
		s.enter(claim).Leave(room.EndingLeft)
		left := time.Now()
		time.Sleep(20 * time.Hour)
		claim.Addr = "198.51.100.7"
		m := s.enter(claim)
		time.Sleep(3 * time.Hour)
		m.Leave(room.EndingLeft)
		got := map[string]time.Time{}
		for _, seen := range s.Sightings(func(room.Sighting) bool { return true }) {
			got[seen.Addr.String()] = seen.At
		}
		want := map[string]time.Time{"192.0.2.1": left, "198.51.100.7": left.Add(23 * time.Hour)}
		if len(got) != 2 || !got["192.0.2.1"].Equal(left) || !got["198.51.100.7"].Equal(want["198.51.100.7"]) {
			t.Errorf("seen at %v, want %v", got, want)
		}
		s.close()
	})
}

// What is known of who was here is forgotten after a day, on the disk as well, though nobody comes any more.
func TestSightingsAreForgottenAfterADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &forgetful{}
		s := openForgetful(t, database(t), room.Options{}, f)
		claim := guest("ann")
		claim.Addr = "192.0.2.1"
		s.enter(claim).Leave(room.EndingLeft)
		for _, tt := range []struct {
			after time.Duration
			want  int
		}{{time.Minute, 1}, {24 * time.Hour, 0}} {
			time.Sleep(tt.after)
			synctest.Wait()
			saved, err := f.Sightings(context.Background())
			if got := len(s.Sightings(func(room.Sighting) bool { return true })); err != nil || len(saved) != tt.want || got != tt.want {
				t.Errorf("after %v: %d saved, err %v, %d known; want %d", tt.after, len(saved), err, got, tt.want)
			}
		}
		s.close()
	})
}

// Whether a key was seen is what a look through all sightings says, whatever people do and however long ago that was.
func TestAKeyIsSeenAsLongAsASightingHasIt(t *testing.T) {
	answers := map[bool]int{}
	for seed := range uint64(25) {
		synctest.Test(t, func(t *testing.T) {
			r := rehearse(t, seed, 0)
			keys := map[string]bool{"": true}
			for range 200 {
				e := r.story.next()
				keys[e.From.Key] = true
				r.feed(e)
				for key := range keys {
					got := r.house.Seen(key)
					want := key != "" && len(r.house.Sightings(func(s room.Sighting) bool { return s.Person.Key == key })) > 0
					if got != want {
						t.Fatalf("story %d, event %d: Seen(%q) = %v, want %v", seed, e.Seq, key, got, want)
					}
					answers[got]++
				}
			}
		})
	}
	if n := 25 * 200; answers[true] < n/10 || answers[false] < n+n/10 { // n are of nobody's key
		t.Errorf("%d were seen and %d not, want many of both", answers[true], answers[false])
	}
}

// Whoever comes by another of their keys is seen by that one.
func TestAnotherKeyOfTheSamePersonIsSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rehearse(t, 0, 0)
		for i, key := range []string{"SHA256:old", "SHA256:new"} {
			ann := room.Person{ID: "ann", Nick: "ann", Key: key}
			join := room.Joined{Screen: room.ScreenID(key), Names: caseOf("ann"), Addr: "192.0.2.1"}
			r.feed(&room.Event{ID: room.NewID(), Seq: room.Seq(i + 1), At: time.Now(), Subject: room.Lobby, From: ann, Body: join})
			if !r.house.Seen(key) {
				t.Errorf("Seen(%q) = false, want true", key)
			}
		}
		if r.house.Seen("SHA256:old") {
			t.Error("Seen(the old key) = true, want false: the sighting has the new one")
		}
	})
}
