package session_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sarangbang/internal/session"
	"sarangbang/room"
)

// prompts wants a prompt, when nothing more can happen.
func (p *person) prompts(want string) {
	p.t.Helper()
	time.Sleep(time.Second)
	synctest.Wait()
	if got := p.prompt(); got != want {
		p.t.Errorf("prompt %q, want %q", got, want)
	}
}

func TestSeveralRoomsOnOneScreen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		kim, lee := h.terminal(t, "kim"), h.terminal(t, "lee")
		kim.enter("/join #dev")
		kim.sees("* #dev · here: 1\n")
		kim.seesNot("#dev · kim joined.")
		kim.prompts("#dev kim> ")
		kim.enter("only here")
		lee.enter("hi all")
		lee.enter("kim: hello")
		lee.seesNot("only here")
		kim.prompts("#dev kim [1 #lobby 2!]> ")
		kim.seesNot("hi all")
		kim.enter("/go 1")
		kim.sees("* #lobby · here: 2\n")
		kim.prompts("#lobby kim> ")
		kim.sees("[lee] hi all\n[lee] kim: hello\n")
		lee.enter("/join dev")
		lee.sees("* #dev · here: 2\n")
		lee.sees("[kim] only here\n") // what was said there before
		lee.enter("see you")
		kim.prompts("#lobby kim [2 #dev 1]> ")
		kim.enter("/leave #dev")
		kim.sees("* You left #dev.\n")
		kim.prompts("#lobby kim> ")
		lee.enter("/leave")
		lee.sees("* #lobby · here: 2\n")
		lee.sees("* You left #dev.\n")
		lee.seesNot("lee left.")
		lee.prompts("#lobby lee> ")
		lee.enter("/leave")
		lee.sees("#lobby is the only room that you are in. /bye leaves the house.")
	})
}

// What is said in a room right behind somebody's entry can reach their screen before the entry has its answer: it is read in that room, and
// in its order, not above what the screen shows on its way there.
func TestWhatIsSaidRightBehindAnEntryIsReadInItsRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const dev room.Subject = "room/dev"
		h := newHouse(t, limits())
		kim, lee := h.terminal(t, "kim"), h.terminal(t, "lee")
		lee.enter("/join #dev")
		lee.enter("before")
		lee.prompts("#dev lee> ")
		var me, other room.Person
		var screen room.ScreenID
		tail, stop := context.WithCancel(t.Context())
		_ = h.journal.Tail(tail, room.Position{}, func(batch []room.Committed) error {
			for _, c := range batch {
				e, err := room.Decode(c)
				if err != nil {
					t.Error(err)
					continue
				}
				j, joined := e.Body.(room.Joined)
				switch {
				case joined && e.From.Nick == "kim":
					me, screen = e.From, j.Screen
				case joined:
					other = e.From
				}
			}
			stop()
			return nil
		})
		join := room.Joined{Screen: screen, Names: []string{"kim"}}
		if _, err := h.journal.Append(t.Context(), room.Encode(me, dev, join), room.Encode(other, dev, room.Said{Text: room.Sentence("behind")})); err != nil {
			t.Fatal(err)
		}
		kim.prompts("#lobby kim [2 #dev 2]> ") // with what was said before: nothing but the house put them there
		kim.seesNot("behind")
		kim.enter("/go 2")
		kim.sees("* #dev · here: 2\n")
		kim.sees("[lee] behind\n")
	})
}

func TestAFurtherScreenIsInRoomsOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		kim := h.owner(t, "kim")
		kim.enter("/join #dev")
		kim.prompts("#dev kim> ")
		second := h.person(t, 200, session.Visitor{User: "kim", Key: "SHA256:kim", Term: "xterm"})
		second.enter("/join #dev") // which nobody is told: kim is there already
		second.prompts("#dev kim> ")
		second.enter("/leave")
		second.prompts("#lobby kim> ")
		kim.enter("still here")
		kim.sees("[kim] still here\n")
		second.seesNot("still here")
		second.enter("/join #dev")
		second.enter("/go 1")
		second.prompts("#lobby kim> ")
		kim.enter("meanwhile")
		second.prompts("#lobby kim> ") // their own lines are nothing unread
		second.seesNot("meanwhile")
		second.enter("/go 2")
		second.sees("[kim] meanwhile\n") // but were not on this screen
	})
}

// A room that is not on the screen may say more than memory holds: nothing of it is skipped, since all of it can be read.
func TestManyLinesInARoomThatIsNotOnTheScreen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		kim := h.owner(t, "kim")
		kim.enter("/join #dev")
		kim.sees("* #dev · here: 1")
		kim.enter("/go 1")
		kim.prompts("#lobby kim> ")
		kim.setBehind(true)
		cho, err := h.room.Enter(t.Context(), room.Claim{Nick: "cho", Names: []string{"cho"}}, room.Entry{Where: room.SubjectOf("dev")})
		if err != nil {
			t.Fatal(err)
		}
		defer cho.Leave(room.EndingLeft)
		lines := make([]room.Body, 1_100)
		for i := range lines {
			lines[i] = room.Said{Text: room.Sentence("many")}
		}
		if _, err := cho.Post(t.Context(), room.SubjectOf("dev"), lines...); err != nil {
			t.Fatal(err)
		}
		kim.setBehind(false)
		kim.enter("/whoami") // which has it look again
		kim.prompts("#lobby kim [2 #dev 999+]> ")
		kim.seesNot("skipped")
	})
}

// What is counted anew is what is counted line by line: what others say whom one does not ignore.
func TestACountAnewCountsTheSameLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		kim := h.owner(t, "kim")
		kim.enter("/join #dev")
		kim.sees("* #dev · here: 1")
		enters := func(nick room.Nick) *room.Member {
			claim := room.Claim{Key: "SHA256:" + string(nick), Nick: nick, Names: []string{"case:" + string(nick)}}
			if a, has := h.room.AccountOf(claim.Key); has {
				claim.Names = a.Names
			}
			m, err := h.room.Enter(t.Context(), claim, room.Entry{Where: room.SubjectOf("dev")})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { m.Leave(room.EndingLeft) })
			return m
		}
		says := func(m *room.Member, line string, n int) {
			lines := slices.Repeat([]room.Body{room.Said{Text: room.Sentence(line)}}, n)
			if _, err := m.Post(t.Context(), room.SubjectOf("dev"), lines...); err != nil {
				t.Fatal(err)
			}
		}
		cho, lee := enters("cho"), enters("lee")
		kim.enter("/ignore lee")
		kim.sees("* You read nothing of lee any more")
		kim.enter("/go 1")
		kim.prompts("#lobby kim> ")
		kim.setBehind(true)
		says(lee, "noise, kim", 500)
		says(enters("kim"), "kim at another screen", 499)
		says(cho, "line", 100)
		says(cho, "kim: hello", 1)
		kim.setBehind(false)
		kim.enter("/whoami") // which has it look again
		kim.prompts("#lobby kim [2 #dev 101!]> ")
		kim.seesNot("skipped")
	})
}

func TestWhoeverComesBackIsInTheirRoomsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		kim := h.owner(t, "kim")
		kim.enter("/join #dev")
		kim.enter("/join #개발")
		kim.sees("* #개발 · here: 1\n")
		kim.enter("/leave #dev")
		kim.enter("/bye")
		kim.ends(room.EndingLeft, 0)
		kim = h.person(t, 200, session.Visitor{User: "kim", Key: "SHA256:kim", Term: "xterm"})
		kim.enter("/go 2")
		kim.prompts("#개발 kim> ")
		kim.enter("/go 3")
		kim.sees("You have no room 3; you are in 2.")
	})
}

func TestWhatIsTypedBehindASwitchIsSaidThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limits()
		l.OutboxLines = 200
		h := newHouse(t, l)
		for _, columns := range []int{200, 0} {
			p := h.person(t, columns, session.Visitor{User: "kim", Exempt: true})
			if columns > 0 {
				p.enter("")
			}
			for n := range 10 {
				p.enter("/join #dev")
				p.enter("in dev")
				p.in <- session.Input{Kind: session.Switch, Place: 1}
				p.enter("in the lobby")
				p.enter("/go 2")
				p.enter("in dev")
				if n%2 == 0 {
					p.enter("/leave")
				}
				p.enter("/go 1")
				p.enter("in the lobby")
			}
			time.Sleep(time.Minute)
			close(p.in)
			<-p.end
			for where, want := range map[room.Subject]string{room.Lobby: "in the lobby", "room/dev": "in dev"} {
				lines := h.room.Lines(where, 1000)
				for _, e := range lines {
					if said, ok := e.Body.(room.Said); ok && said.Text.String() != want {
						t.Errorf("%s: %q was said, want %q alone", where, said.Text, want)
					}
				}
				if len(lines) < 20 {
					t.Errorf("%s: %d lines, want 20 at least", where, len(lines))
				}
			}
		}
	})
}

func TestAPipeGoesIntoRooms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		lee := h.terminal(t, "lee")
		lee.enter("/join #dev")
		lee.sees("* #dev · here: 1\n")
		pipe := h.person(t, 0, session.Visitor{User: "kim"})
		pipe.enter("/join #dev")
		pipe.enter("from a pipe")
		close(pipe.in)
		pipe.ends(room.EndingLeft, 0)
		lee.sees("[kim] from a pipe\n")
	})
}

func TestRoomsAreReadAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		kim := h.owner(t, "kim")
		kim.enter("/join #dev")
		kim.sees("* #dev · here: 1\n")
		kim.enter("hello")
		kim.sees("[kim] hello\n")
		const none = "There is no room #dev that you may read. /rooms lists those that there are.\n"
		for _, private := range []bool{false, true} {
			if private {
				m, _ := h.room.Named("case:dev")
				by := room.Person{ID: m.Keepers[0], Nick: "kim", Key: "SHA256:kim"}
				if r, err := h.room.Do(t.Context(), by, m.Subject, room.Arranged{What: room.AspectPrivate, Value: "on"}); err != nil || r.Void != "" {
					t.Fatalf("make it private: %q, %v", r.Void, err)
				}
			}
			for _, c := range []struct{ user, key, line string }{
				{"", "", "history in:#dev"},
				{"#dev", "", "history"},
				{"dev+kim", "", "history"},
				{"", "SHA256:kim", "history in:#dev"},
				{"#dev", "SHA256:kim", "history"},
			} {
				var out, errs strings.Builder
				status := h.Exec(context.Background(), session.Visitor{User: c.user, Key: c.key, Session: "e"}, c.line, &out, &errs)
				wantOut, wantErr, want := "[kim] hello\n", "", 0
				if private && c.key == "" {
					wantOut, wantErr, want = "", none, 1
				}
				if out.String() != wantOut || errs.String() != wantErr || status != want {
					t.Errorf("private %t, %+v: %q, %q, %d; want %q, %q, %d", private, c, &out, &errs, status, wantOut, wantErr, want)
				}
			}
		}
	})
}

// A name that was mistyped is told to be none: a line said into a room of one's own is read by nobody.
func TestACommandAloneMakesNoRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		for _, line := range []string{"say hi", "me waves", "topic new", "history"} {
			var out, errs strings.Builder
			status := h.Exec(context.Background(), session.Visitor{User: "typo5+gg", Key: "SHA256:gg", Session: "e"}, line, &out, &errs)
			const none = "There is no room #typo5 that you may read. /rooms lists those that there are.\n"
			if status != 1 || out.String() != "" || errs.String() != none {
				t.Errorf("%s: %q, %q, %d; want %q and 1", line, &out, &errs, status, none)
			}
		}
		if n := h.room.CountRooms(); n != 1 {
			t.Errorf("there are %d rooms, want the lobby only", n)
		}
	})
}

// A room that the door could not take is refused as one that cannot be: a person is told, and comes into the lobby, but a line that is
// meant for it must not be said there.
func TestARoomThatCannotBeAskedForIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		v   session.Visitor
		why string
	}{
		"cannot be": {
			session.Visitor{User: "kim", Env: map[string]string{session.RoomVariable: "#a/b"}},
			"A room name can't hold /. #ab would work.",
		},
		"lost": {
			session.Visitor{User: "kim", RoomLost: true},
			"The room that SARANGBANG_ROOM asks for was not taken: the name is too long, or your client sends too many variables.",
		},
		"lost, and the login asks for one that cannot be": {
			session.Visitor{User: "a/b+kim", RoomLost: true},
			"A room name can't hold /. #ab would work.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t, limits())
				pipe := h.person(t, 0, c.v)
				pipe.ends(room.EndingLost, 1)
				if got, want := pipe.complaints(), "* "+c.why+" Nothing of the input was said.\n"; got != want {
					t.Errorf("a pipe reads %q, want %q", got, want)
				}
				var out, errs strings.Builder
				status := h.Exec(context.Background(), c.v, "say hi", &out, &errs)
				if want := c.why + "\n"; status != 1 || out.String() != "" || errs.String() != want {
					t.Errorf("a command alone: %q, %q, %d; want %q and 1", &out, &errs, status, want)
				}
				c.v.Term = "xterm"
				kim := h.person(t, 200, c.v)
				kim.enter("")
				kim.sees("Welcome, kim. This is the lobby;")
				kim.sees(c.why)
				if got := kim.screen(); strings.Count(got, "SARANGBANG_ROOM")+strings.Count(got, "can't hold") != 1 {
					t.Errorf("screen:\n%s\nwant one sentence about a room", got)
				}
				kim.enter("hello")
				kim.sees("[kim] hello\n")
				if got := kim.screen(); strings.Contains(got, "hi\n") {
					t.Errorf("screen:\n%s\nwant nothing of what was meant for another room", got)
				}
			})
		})
	}
}

func TestTheRoomOfTheNameCountsBeforeOneThatIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		pipe := h.person(t, 0, session.Visitor{User: "dev+kim", RoomLost: true})
		synctest.Wait()
		if _, there := h.room.Room("room/dev"); !there {
			t.Errorf("there is no room #dev, want it (errors: %q)", pipe.complaints())
		}
		close(pipe.in)
		pipe.ends(room.EndingLeft, 0)
	})
}

func TestAPasswordIsNeitherRememberedNorGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limits()
		l.OutboxLines = 2
		h := newHouse(t, l)
		kim := h.terminal(t, "kim")
		for range 30 { // some are refused, and given back
			kim.enter("/join #dev sesame open")
		}
		kim.enter("/who sesame")
		time.Sleep(time.Minute)
		synctest.Wait()
		kim.mu.Lock()
		defer kim.mu.Unlock()
		if !slices.Contains(kim.remembered, "/join #dev") || !slices.Contains(kim.restored, "/join #dev") {
			t.Errorf("remembered %q, given back %q; want /join #dev in both", kim.remembered, kim.restored)
		}
		for _, line := range append(slices.Clone(kim.remembered), kim.restored...) {
			if strings.Contains(line, "sesame") && line != "/who sesame" {
				t.Errorf("kept is %q, want no password", line)
			}
		}
		if log := h.log.String(); strings.Contains(log, "sesame") {
			t.Errorf("log = %s\nwant no password", log)
		}
	})
}

func TestWhoIsIgnoredIsNotShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		kim, lee := h.owner(t, "kim"), h.owner(t, "lee")
		kim.enter("/join #dev")
		kim.enter("/go 1")
		kim.enter("/ignore lee")
		kim.sees("* You read nothing of lee any more")
		lee.enter("loud noise, kim")
		lee.enter("/me makes noise")
		lee.enter("/msg kim secret noise")
		lee.sees("[you → kim] secret noise\n") // nobody tells them
		lee.enter("/nick bee")
		lee.enter("noise again")
		kim.sees("* lee is now called bee.\n")
		kim.seesNot("noise")
		lee.enter("/join #dev")
		lee.enter("more noise, kim")
		kim.prompts("#lobby kim> ")
		kim.enter("/reply hello?")
		kim.sees("There is no direct message to answer yet.")
		kim.enter("/go 2")
		kim.sees("* #dev · here: 2\n")
		kim.enter("/history in:#lobby")
		kim.enter("/bye")
		kim.ends(room.EndingLeft, 0)
		if rung := kim.rung(); rung != 0 {
			t.Errorf("the bell rang %d times, want never", rung)
		}
		kim = h.person(t, 200, session.Visitor{User: "kim", Key: "SHA256:kim", Term: "xterm"})
		kim.sees("* Welcome back, kim.")
		kim.seesNot("noise")
		var out, errs strings.Builder
		h.Exec(context.Background(), session.Visitor{User: "kim", Key: "SHA256:kim", Session: "e"}, "history", &out, &errs)
		if got := out.String(); strings.Contains(got, "noise") {
			t.Errorf("history alone = %q, want nothing of whom they ignore", got)
		}
		kim.enter("/unignore bee")
		kim.sees("* You read lee again.\n")
		lee.enter("/go 1")
		lee.enter("hello again")
		kim.sees("[bee] hello again\n")
		kim.enter("/history 2")
		kim.sees("[bee] noise again\n")
	})
}

func TestWhoIsAwayIsToldOfOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		kim, lee := h.terminal(t, "kim"), h.terminal(t, "lee")
		told := func(want string, times int) {
			t.Helper()
			time.Sleep(2 * time.Second)
			if got := strings.Count(lee.screen(), want); got != times {
				t.Errorf("screen:\n%s\nwant %q %d times", lee.screen(), want, times)
			}
		}
		const lunch = "* kim is away: lunch. Your message is on their screen.\n"
		kim.enter("/away lunch")
		kim.sees("* You are away.")
		lee.enter("/msg kim one")
		lee.enter("/msg kim two")
		told(lunch, 1)
		kim.enter("back")
		lee.enter("/msg kim three")
		told(lunch, 1)
		kim.enter("/away")
		kim.sees("* You are away.")
		lee.enter("/msg kim four")
		told("* kim is away. Your message is on their screen.\n", 1)
		var out, errs strings.Builder
		if status := h.Exec(context.Background(), session.Visitor{User: "park", Session: "e"}, "msg kim hi", &out, &errs); status != 0 ||
			out.String() != "[you → kim] hi\n" || errs.String() != "kim is away. Your message is on their screen.\n" {
			t.Errorf("msg alone: %q, %q, %d", &out, &errs, status)
		}
	})
}

func TestTabCompletesRooms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		kim, lee := h.terminal(t, "kim"), h.terminal(t, "lee")
		lee.enter("/join #desk")
		kim.enter("/join #dev")
		kim.prompts("#dev kim> ")
		start, got := kim.propose("/join #de", len("/join #de"))
		if want := []string{"#dev ", "#desk "}; start != len("/join ") || !slices.Equal(got, want) {
			t.Errorf("Tab proposes %q at %d, want %q: those of the person first", got, start, want)
		}
	})
}

func TestWhatPeopleReadIsKnownAsSoonAsTheyCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		kim, lee := h.owner(t, "kim"), h.terminal(t, "lee")
		kim.enter("/bye")
		kim.ends(room.EndingLeft, 0)
		kim = h.person(t, 200, session.Visitor{User: "kim", Key: "SHA256:kim", Term: "xterm", Env: map[string]string{"LANG": "ko_KR.UTF-8"}})
		kim.sees("kim 님, 다시 오셨군요.")
		lee.enter("/who")
		lee.sees("* 2 people are here: lee, kim+ [ko]\n")
		time.Sleep(5 * time.Minute)
		lee.enter("/who")
		lee.sees("* 2 people are here: lee, kim+ [ko, idle for 5 minutes]\n")
		kim.enter("/lang en")
		kim.sees("The house speaks English to you. /lang ko: 한국어")
		lee.enter("/who")
		lee.sees("* 2 people are here: lee, kim+\n")
	})
}

func TestARoomThatIsClosedToSomebodyIsNoRoomOfTheirsAnyMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		op, lee := h.operator(t), h.terminal(t, "lee")
		lee.enter("/join #priv")
		lee.enter("/join #tea") // a room without anybody would be gone
		kim := h.owner(t, "kim")
		kim.enter("/join #priv")
		kim.enter("/join #tea")
		kim.prompts("#tea kim> ")
		kim.enter("/bye")
		kim.ends(room.EndingLeft, 0)
		does(t, op, "room/priv", room.Arranged{What: room.AspectPrivate, Value: "on"})
		bar := room.Bar{Target: room.Target{Keys: []string{"SHA256:kim"}}, Label: "kim", Until: time.Now().Add(time.Hour)}
		does(t, op, "room/tea", room.Barred{Bar: bar})

		for range 2 { // a ban ends by itself, so they are told of it each time
			kim = h.person(t, 200, session.Visitor{User: "kim", Key: "SHA256:kim", Term: "xterm"})
			kim.sees("You are kept out of #tea")
			kim.enter("/account")
			kim.sees("rooms that you come back into: #lobby #tea\n")
			kim.enter("/bye")
			kim.ends(room.EndingLeft, 0)
		}
	})
}
