package room_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"sarangbang/room"
)

func TestWhoLeavesDoesNotWaitForAScreenThatWasCut(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(s *stage, kim *room.Member)
		want []string
	}{
		{"a clean end", func(_ *stage, kim *room.Member) { kim.Leave(room.EndingLeft) }, nil},
		{"put out by the house", func(_ *stage, kim *room.Member) { kim.Leave(room.EndingIdle) }, nil},
		{"cut as well", func(s *stage, kim *room.Member) { s.cut(kim) }, []string{"kim×2"}},
		{"a clean end of one of two", func(s *stage, kim *room.Member) {
			s.enter(keyed("kim"))
			kim.Leave(room.EndingLeft)
		}, []string{"kim×1"}},
		{"a visit that ends", func(s *stage, kim *room.Member) {
			s.cut(kim)
			s.visit(keyed("kim")).Leave(room.EndingLeft)
		}, []string{"kim×2"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := openRemembering(t, database(t), room.Options{ResumeWindow: time.Minute})
				old := s.enter(keyed("kim"))
				s.register(old)
				last := s.enter(keyed("kim"))
				s.cut(old)
				tt.end(s, last)
				synctest.Wait()
				s.members(tt.want...)
				for _, p := range s.Members(room.Lobby) {
					if away := len(tt.want) > 0 && tt.want[0] == "kim×2"; p.Away != away {
						t.Errorf("away %v, want %v", p.Away, away)
					}
				}
				s.close()
			})
		})
	}
}

// What is shown to who returns, and what they are told that they can catch up with, is all there is, each once.
func TestWhatIsCaughtUpWithWasNotShown(t *testing.T) {
	for seed := range uint64(20) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		s := openRemembering(t, database(t), room.Options{})
		lee, kim := s.enter(guest("lee")), s.enter(keyed("kim"))
		s.register(kim)
		var seen room.Seq
		want := map[string]bool{}
		for i := range 40 {
			line := fmt.Sprint("line ", i)
			b := room.Body(room.Said{Text: text(line)})
			row := "[lee] " + line
			if rnd.IntN(2) == 0 {
				b, row = room.Told{To: kim.Person(), Text: text(line)}, "[lee → kim] "+line
			}
			results, err := lee.Post(t.Context(), room.Lobby, b)
			if err != nil || results[0].Void != "" {
				t.Fatalf("Post = %+v, %v; want no error", results, err)
			}
			switch i {
			case 9: // the letters were seen further than the room: another one was on the screen for a while
				kim.Confirmed(room.Lobby, results[0].Seq)
				clear(want)
			case 15:
				kim.Confirmed("room/other", results[0].Seq)
				for row := range want {
					if row[:5] != "[lee]" {
						delete(want, row)
					}
				}
			default:
			}
			if seen = results[0].Seq; i > 9 && (i > 15 || row[:5] == "[lee]") {
				want[row] = true
			}
			if i == 30 {
				kim.Leave(room.EndingLost)
			}
		}
		kim = s.enter(keyed("kim"))
		missed, returned, err := kim.Missed(t.Context(), 1+rnd.IntN(20))
		if err != nil || !returned {
			t.Fatalf("story %d: Missed = %v, %v; want them to have returned", seed, returned, err)
		}
		got := append(rows(missed.Again), rows(missed.New)...)
		shown := len(got)
		for e, err := range kim.Between(t.Context(), room.Lobby, missed.Lines, missed.Letters) {
			if err != nil {
				t.Fatal(err)
			}
			if e.Seq > seen {
				t.Errorf("story %d: %s was said after all", seed, row(e))
			}
			got = append(got, row(e))
		}
		if n := len(got) - shown; n != missed.Skipped {
			t.Errorf("story %d: %d were skipped, %d can be caught up with", seed, missed.Skipped, n)
		}
		slices.Sort(got)
		var all []string
		for row := range want {
			all = append(all, row)
		}
		if slices.Sort(all); !slices.Equal(got, all) {
			t.Errorf("story %d: shown and caught up with %q, want %q", seed, got, all)
		}
		s.close()
	}
}
