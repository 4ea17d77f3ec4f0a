package moderation

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sarangbang/room"
)

var limits = Limits{MessageBurst: 8, MessagesPerSecond: 2, MessageDelay: 5 * time.Second, NickChangesPerMinute: 5, JoinsPerMinute: 3, NewPeoplePerMinute: 10}

func TestTypedMessagesAreDelayedThenRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewRates(limits)
		for i := range 100 {
			turn, ok := r.Message("alice", false)
			// eight at once, then one each half second, up to 5 s ahead
			if want := i < 8+10; ok != want {
				t.Fatalf("message %d accepted = %v, want %v", i, ok, want)
			}
			if want := max(0, time.Duration(i-7)*500*time.Millisecond); ok && turn.Wait != want {
				t.Errorf("message %d waits %v, want %v", i, turn.Wait, want)
			}
		}
		if turn, ok := r.Message("bob", false); !ok || turn.Wait != 0 {
			t.Errorf("another person: %v, %v; want no wait", turn.Wait, ok)
		}
		if turn, ok := r.Message("alice", true); !ok || turn.Wait != 0 {
			t.Errorf("an exempt screen: %v, %v; want no wait", turn.Wait, ok)
		}
		time.Sleep(500 * time.Millisecond)
		if turn, ok := r.Message("alice", false); !ok || turn.Wait != 5*time.Second {
			t.Errorf("half a second later: %v, %v; want the one place that came free, in 5s: refusals spend nothing", turn.Wait, ok)
		}
		time.Sleep(time.Minute)
		for i := range 8 {
			if turn, ok := r.Message("alice", false); !ok || turn.Wait != 0 {
				t.Errorf("after a quiet minute message %d: %v, %v; want no wait", i, turn.Wait, ok)
			}
		}
	})
}

func TestPipedMessagesJustWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewRates(limits)
		start := time.Now()
		for range 108 {
			time.Sleep(r.PipedMessage("alice", false).Wait)
		}
		if got, want := time.Since(start), 50*time.Second; got != want {
			t.Errorf("108 lines took %v, want %v", got, want)
		}
		if got := r.PipedMessage("alice", true).Wait; got != 0 {
			t.Errorf("an exempt pipe waits %v, want 0s", got)
		}
	})
}

func TestCancelledTurnIsFreeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewRates(limits)
		for range 8 {
			r.Message("alice", false)
		}
		turn, _ := r.Message("alice", false)
		turn.Cancel()
		again, _ := r.Message("alice", false)
		if again.Wait != turn.Wait {
			t.Errorf("after a cancelled turn the next waits %v, want its %v", again.Wait, turn.Wait)
		}
		exempt, _ := r.Message("alice", true)
		exempt.Cancel() // holds nothing
	})
}

func TestNickChangesPerMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewRates(limits)
		changes := func(exempt bool) (n int) {
			for range 20 {
				if r.NickChange("alice", exempt) {
					n++
				}
			}
			return n
		}
		if got := changes(false); got != 5 {
			t.Errorf("%d changes at once, want 5", got)
		}
		if got := changes(true); got != 20 {
			t.Errorf("exempt: %d changes at once, want 20", got)
		}
		time.Sleep(12 * time.Second)
		if got := changes(false); got != 1 {
			t.Errorf("%d changes after 12 s, want 1", got)
		}
	})
}

func TestJoinsPerMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewRates(limits)
		joins := func(exempt bool) (n int) {
			for range 20 {
				if r.Join("alice", exempt) {
					n++
				}
			}
			return n
		}
		if got := joins(false); got != 3 {
			t.Errorf("%d joins at once, want 3", got)
		}
		if got := joins(true); got != 20 {
			t.Errorf("exempt: %d joins at once, want 20", got)
		}
		if !r.NickChange("alice", false) {
			t.Error("joins were taken from the changes of nickname")
		}
		time.Sleep(20 * time.Second)
		if got := joins(false); got != 1 {
			t.Errorf("%d joins after 20 s, want 1", got)
		}
	})
}

func TestOnlyFirstDirectMessagesAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewRates(limits)
		to := func(i int) room.PersonID { return room.PersonID(fmt.Sprintf("person %d", i)) }
		for i := range 12 {
			for range 3 {
				if got, want := r.DirectMessage("alice", to(i), false), i < 10; got != want {
					t.Errorf("message to person %d allowed = %v, want %v", i, got, want)
				}
			}
		}
		if !r.DirectMessage("alice", to(11), true) {
			t.Error("an exempt screen is refused")
		}
		r.DirectMessage("bob", "alice", false)
		if !r.DirectMessage("alice", "bob", false) {
			t.Error("an answer counts as a first message")
		}
		time.Sleep(6 * time.Second)
		if !r.DirectMessage("alice", to(10), false) || r.DirectMessage("alice", to(12), false) {
			t.Error("after 6 s: want one new person, no more")
		}
	})
}

func TestThoseMetLongestAgoAreNewAgain(t *testing.T) {
	l := limits
	l.NewPeoplePerMinute = 1 + maxMet
	synctest.Test(t, func(t *testing.T) {
		r := NewRates(l)
		to := func(i int) room.PersonID { return room.PersonID(fmt.Sprintf("person %d", i)) }
		for i := range maxMet {
			r.DirectMessage("alice", to(i), false)
		}
		r.DirectMessage("alice", to(0), false)      // the last one met
		r.DirectMessage("alice", to(maxMet), false) // pushes person 1 out
		if !r.DirectMessage("alice", to(0), false) {
			t.Error("someone just met is new")
		}
		if r.DirectMessage("alice", to(1), false) {
			t.Error("one met long ago, with nothing left to spend, is not new")
		}
		if got := len(r.people["alice"].met); got != maxMet {
			t.Errorf("%d people are remembered, want %d", got, maxMet)
		}
	})
}

func TestTableOfPeopleIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewRates(limits)
		const most = 4096
		r.most = most
		id := func(i int) room.PersonID { return room.PersonID(fmt.Sprint(i)) }
		for i := range most {
			r.Message(id(i), false)
		}
		time.Sleep(time.Minute)
		const busy = 50
		for i := range 8 * busy {
			r.Message(id(i%busy), false)
		}
		for i := range most / 8 {
			r.Message(id(most+i), false)
		}
		for i := range busy {
			if turn, _ := r.Message(id(i), false); turn.Wait == 0 {
				t.Fatalf("person %d, who has just spent their burst, was forgotten for a newcomer", i)
			}
		}
		for range 8 {
			r.Message("newcomer", false)
		}
		if turn, _ := r.Message("newcomer", false); turn.Wait == 0 {
			t.Error("with a full table a newcomer is free of rates")
		}
		if got := len(r.people); got > most {
			t.Errorf("%d people are remembered, want at most %d", got, most)
		}

		time.Sleep(memory + time.Second)
		for i := range most / 4 {
			r.Message(id(2*most+i), false)
			time.Sleep(4 * time.Second)
		}
		if got := len(r.people); got > most/2 {
			t.Errorf("%d people are remembered after a quiet time, want those of the last hour and a few", got)
		}
	})
}

func TestConcurrentScreensShareOneRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewRates(limits)
		var wg sync.WaitGroup
		var turns atomic.Int64
		var once sync.Once
		for range 8 {
			wg.Go(func() {
				for range 100 {
					if turn, ok := r.Message("alice", false); ok {
						turns.Add(1)
						if turn.Wait > 0 {
							once.Do(turn.Cancel)
						}
					}
					r.NickChange("alice", false)
					r.DirectMessage("alice", "bob", false)
				}
			})
		}
		wg.Wait()
		if got := turns.Load(); got < 18 || got > 19 {
			t.Errorf("8 screens got %d turns, want the 18 of one person and perhaps the one given back", got)
		}
	})
}

func TestRefusalsInTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewRefusals(40)
		for i := range 200 { // four a second never are more than 40 in 10 s
			if r.Add() {
				t.Fatalf("refusal %d, at four a second, ends the session", i)
			}
			time.Sleep(250 * time.Millisecond)
		}
		for i := range 41 {
			if r.Add() {
				if i == 0 {
					t.Error("the first quick refusal ends the session")
				}
				return
			}
		}
		t.Error("81 refusals within 20 s, 41 of them at once, do not end the session")
	})
}

func TestRefusalsCountExactly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewRefusals(3)
		for i, want := range []bool{false, false, false, true} {
			if got := r.Add(); got != want {
				t.Errorf("refusal %d is one too many = %v, want %v", i, got, want)
			}
		}
		time.Sleep(window)
		if r.Add() {
			t.Error("refusals older than the window still count")
		}
		if !NewRefusals(0).Add() {
			t.Error("with none allowed one is not too many")
		}
	})
}

func BenchmarkMessage(b *testing.B) {
	r := NewRates(limits)
	for b.Loop() {
		r.Message("alice", false)
	}
}
