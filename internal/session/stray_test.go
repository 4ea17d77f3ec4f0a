package session_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sarangbang/internal/session"
	"sarangbang/room"
)

const sec room.Subject = "room/sec"

// said wants what was said in a room, when nothing more can happen.
func (h *house) said(t *testing.T, where room.Subject, want ...string) {
	t.Helper()
	time.Sleep(time.Minute)
	var got []string
	for _, e := range h.room.Lines(where, 1000) {
		if b, ok := e.Body.(room.Said); ok {
			got = append(got, b.Text.String())
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("in %s was said %q, want %q", where, got, want)
	}
}

// back wants what was given back so far.
func (p *person) back(want ...string) {
	p.t.Helper()
	time.Sleep(time.Second)
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	if !slices.Equal(p.restored, want) {
		p.t.Errorf("given back %q, want %q", p.restored, want)
	}
}

// inSec brings somebody from the lobby into #sec, where somebody else is already, who puts them out.
func (h *house) inSec(t *testing.T, p *person, nick room.Nick) (op *room.Member, putOut func()) {
	t.Helper()
	p.enter("/join #sec")
	time.Sleep(time.Second)
	i := slices.IndexFunc(h.room.Members(sec), func(m room.Presence) bool { return m.Person.Nick == nick })
	if i < 0 {
		t.Fatalf("%s is not in #sec", nick)
	}
	who := h.room.Members(sec)[i].Person
	op = h.operator(t)
	return op, func() { does(t, op, sec, room.Kicked{Whom: who}) }
}

// Who is put out of one room and is in another still reads what it takes to come back, in their language, as who is put out of the last
// one does.
func TestWhoIsPutOutReadsTheWayBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		mem := h.terminal(t, "mem")
		op, putOut := h.inSec(t, mem, "mem")
		putOut()
		mem.sees("* op put mem out of the room.\n* You may come back.\n* #lobby · here: 2\n")
		mem.enter("/join #sec")
		mem.enter("/lang ko")
		mem.enter("/go 1") // it is not on the screen this time
		time.Sleep(time.Second)
		does(t, op, sec, room.Arranged{What: room.AspectPrivate, Value: "on"})
		putOut()
		mem.sees("* #sec · op 님이 mem 님을 방에서 내보냈습니다.\n* 다시 들어오려면 새로 초대를 받아야 합니다.\n")
	})
}

// What was said behind it is not lost for the sentence that is added.
func TestWayBackTakesNoPlaceFromALine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		mem := h.terminal(t, "mem")
		op, putOut := h.inSec(t, mem, "mem")
		mem.enter("/go 1")
		time.Sleep(time.Second)
		mem.setBehind(true)
		synctest.Wait()
		putOut()
		for _, text := range []string{"one", "two", "three"} {
			does(t, op, room.Lobby, room.Said{Text: room.Sentence(text)})
		}
		mem.setBehind(false)
		mem.sees("op put mem out of the room.\n* You may come back.\n[op] one\n[op] two\n[op] three\n")
	})
}

// Who is banned from one room and is in another reads whom to ask; who is made silent there is told when they speak.
func TestWhoIsBannedFromARoomReadsWhomToAsk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		mem := h.terminal(t, "mem")
		op, _ := h.inSec(t, mem, "mem")
		bar := room.Bar{Target: room.Target{Names: []string{"case:mem"}}, Label: "mem", Where: sec}
		does(t, op, sec, room.Barred{Bar: bar})
		mem.sees("* op keeps mem out of the room until somebody lifts it.\n* Ask op about it.\n* #lobby · here: 2\n")
		bar.Mute, bar.Where = true, room.Lobby
		does(t, op, room.Lobby, room.Barred{Bar: bar})
		mem.sees("* op keeps mem from speaking in the room until somebody lifts it.\n")
		if got := strings.Count(mem.screen(), "Ask op about it."); got != 1 {
			t.Errorf("mem reads %d times whom to ask, want once:\n%s", got, mem.screen())
		}
	})
}

func TestADraftIsNotSaidInTheRoomThatItsAuthorWasPutInto(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		mem := h.terminal(t, "mem")
		_, putOut := h.inSec(t, mem, "mem")
		putOut()
		mem.prompts("#lobby mem> ")
		time.Sleep(time.Minute)
		for _, draft := range []string{"the secret", "/me whispers the secret", "/topic the secret", "/room password the secret"} {
			mem.begun(2*time.Minute, draft)
		}
		mem.begun(2*time.Minute, "/join #dev") // which has nothing to do with the room that was on the screen
		mem.prompts("#dev mem> ")
		mem.enter("/go 1")
		mem.sees("* Not said: you were put out of #sec while you were writing this. It is in the line again, or in the history; Enter says it in #")
		mem.back("the secret", "/me whispers the secret", "/topic the secret", "/room password")
		mem.prompts("#lobby mem> ")
		h.said(t, room.Lobby)
		mem.begun(time.Second, "the secret")
		h.said(t, room.Lobby, "the secret")
	})
}

func TestEnterOnceMoreSaysWhatWasHeldBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		mem := h.terminal(t, "mem")
		_, putOut := h.inSec(t, mem, "mem")
		putOut()
		mem.prompts("#lobby mem> ")
		mem.begun(10*time.Second, "a draft")
		mem.sees("Enter says it in #lobby.\n")
		mem.back("a draft")
		h.said(t, room.Lobby)
		mem.begun(time.Second, "a draft")
		mem.begun(time.Second, "another")
		mem.begun(0, "")
		h.said(t, room.Lobby, "a draft", "another")
	})
}

// Who is put out while they paste is held back to the last line, whenever the lines come in: some are out already and without effect, some
// wait, some were not read yet.
func TestLinesInFlightAreNotSaidInAnotherRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		mem := h.terminal(t, "mem")
		_, putOut := h.inSec(t, mem, "mem")
		time.Sleep(time.Minute)
		for i := range 12 {
			if i == 6 {
				putOut()
			}
			mem.begun(0, fmt.Sprintf("line %d", i))
			time.Sleep(100 * time.Millisecond)
		}
		mem.sees("Not said: you were put out of #sec")
		if said := len(h.room.Lines(sec, 100)); said+len(mem.restored) != 12 {
			t.Errorf("%d lines were said and %q given back, want each one of 12", said, mem.restored)
		}
		h.said(t, room.Lobby)
	})
}

func TestWhatWaitsWhenItsAuthorIsPutOutIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		mem := h.terminal(t, "mem")
		_, putOut := h.inSec(t, mem, "mem")
		time.Sleep(time.Minute)
		for i := range 11 { // the last ones wait for their turn
			mem.begun(0, fmt.Sprintf("line %d", i))
		}
		mem.begun(0, "/who")
		mem.begun(0, "behind a command")
		time.Sleep(100 * time.Millisecond)
		putOut()
		mem.sees("Not said: you were put out of #sec")
		mem.back("line 8", "line 9", "line 10", "behind a command")
		h.said(t, room.Lobby)
	})
}

func TestALineThatFindsItsAuthorPutOutIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		mem := h.terminal(t, "mem")
		_, putOut := h.inSec(t, mem, "mem")
		time.Sleep(time.Minute)
		mem.setBehind(true) // so that they cannot know
		putOut()
		mem.begun(0, "unaware")
		time.Sleep(time.Minute)
		mem.begun(10*time.Second, "still unaware")
		time.Sleep(time.Minute)
		mem.setBehind(false)
		mem.sees("Not said: you were put out of #sec while you were writing this. It is in the line again, or in the history; Enter says it in #lobby.\n")
		mem.back("unaware", "still unaware")
		h.said(t, room.Lobby)
	})
}

func TestAFloodOfLinesThatAreHeldBackEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limits()
		l.OutboxLines = 4
		h := newHouse(t, l)
		mem := h.terminal(t, "mem")
		_, putOut := h.inSec(t, mem, "mem")
		putOut()
		mem.prompts("#lobby mem> ")
		for i := range 5 {
			mem.begun(time.Minute, fmt.Sprintf("line %d", i))
		}
		mem.back("line 0", "line 1", "line 2", "line 3")
		if !slices.Contains(mem.remembered, "line 4") {
			t.Errorf("remembered %q, want line 4 in it", mem.remembered)
		}
		for i := range 50 {
			select {
			case mem.in <- session.Input{Kind: session.Line, Text: fmt.Sprintf("more %d", i), Begun: time.Now().Add(-time.Minute)}:
			case end := <-mem.end:
				if end.Why != room.EndingRefused {
					t.Errorf("ended %q, want %q", end.Why, room.EndingRefused)
				}
				h.said(t, room.Lobby)
				return
			}
		}
		t.Error("50 lines were held back, want the session to have ended")
	})
}

func TestLeavingByOnesOwnWishHoldsNothingBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		mem := h.terminal(t, "mem")
		h.inSec(t, mem, "mem")
		mem.enter("/leave")
		mem.begun(10*time.Second, "hello")
		mem.prompts("#lobby mem> ")
		mem.begun(time.Minute, "hello again")
		mem.back()
		h.said(t, room.Lobby, "hello", "hello again")
	})
}

func TestWhatStandsBehindARefusedChangeOfRoomIsGivenBack(t *testing.T) {
	const why = "* Not said: you wrote this for a room that you did not come into. It is in the line again, or in the history; Enter says it in #lobby.\n"
	for _, change := range []func(*person){
		func(p *person) { p.begun(0, "/join #no/good") },
		func(p *person) { p.begun(0, "/jion #sec") },
		func(p *person) { p.begun(0, "  /join #sec") },
		func(p *person) { p.begun(0, "/go 7") },
		func(p *person) { p.in <- session.Input{Kind: session.Switch, Place: 9} },
		func(p *person) { p.begun(0, "/who"); p.in <- session.Input{Kind: session.Switch, Place: 9} },
	} {
		synctest.Test(t, func(t *testing.T) {
			h := newHouse(t, limits())
			mem := h.terminal(t, "mem")
			change(mem)
			mem.begun(0, "one")
			mem.begun(0, "two")
			mem.sees(why)
			mem.begun(3*time.Second, "three") // begun before the refusal could be read
			time.Sleep(time.Second)
			synctest.Wait()
			mem.back(append(slices.DeleteFunc(slices.Clone(mem.restored), func(s string) bool { return !strings.Contains(s, "/") }), "one", "two", "three")...)
			h.said(t, room.Lobby)
			mem.begun(0, "four")
			mem.begun(0, "/join #no/good")
			mem.begun(0, "five")
			mem.begun(0, "/join #dev")
			mem.begun(0, "six")
			h.said(t, room.Lobby, "four")
			h.said(t, "room/dev", "six")
		})
	}
}

func TestAPipeIsRefusedWhatStandsBehindAFailedChangeOfRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		pipe := h.person(t, 0, session.Visitor{User: "kim"})
		for _, line := range []string{"one", "/join #no/good", "two", "/me three", "/go 9", "", "four", "/join #lobby", "five", "/go 2", "six", "/join #dev", "seven"} {
			pipe.enter(line)
		}
		close(pipe.in)
		pipe.ends(room.EndingLeft, 1)
		h.said(t, room.Lobby, "one", "five")
		h.said(t, "room/dev", "seven")
		const why = " Not said: you did not come into the room that this is meant for. What stands behind a /join or /go that works is said again.\n"
		for _, n := range []int{3, 4, 7, 11} {
			if want := fmt.Sprintf("line %d:%s", n, why); !strings.Contains(pipe.complaints(), want) {
				t.Errorf("standard error:\n%s\nwant it to contain %q", pipe.complaints(), want)
			}
		}
		if n := strings.Count(pipe.complaints(), why); n != 4 {
			t.Errorf("standard error:\n%s\nwant 4 lines of that, got %d", pipe.complaints(), n)
		}
	})
}

func TestAPipeSaysNothingElsewhereWhenItsReaderIsPutOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		pipe := h.person(t, 0, session.Visitor{User: "kim"})
		_, putOut := h.inSec(t, pipe, "kim")
		pipe.enter("in sec")
		time.Sleep(time.Minute)
		putOut()
		pipe.enter("secret")
		time.Sleep(time.Minute)
		pipe.enter("secret again")
		pipe.enter("/go #lobby")
		pipe.enter("hello")
		close(pipe.in)
		pipe.ends(room.EndingLeft, 1)
		h.said(t, room.Lobby, "hello")
		for _, n := range []int{3, 4} {
			want := fmt.Sprintf("line %d: Not said: you were put out of #sec, and this may be meant for that room.", n)
			if !strings.Contains(pipe.complaints(), want) {
				t.Errorf("standard error:\n%s\nwant it to contain %q", pipe.complaints(), want)
			}
		}
	})
}

func TestABlankBeforeACommandSaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		kim := h.terminal(t, "kim")
		for _, line := range []string{"  /join #sec hunter2", "\t/room password hunter2", "\ufeff/jion #sec hunter2", "\u3000/topic tea", " /usr/bin"} {
			kim.enter(line)
			kim.sees("* Not said: this begins with a blank before /. Take the blank away for the command, or begin with // to say it.\n")
		}
		kim.back("\u3000/topic tea", " /usr/bin")
		if len(kim.remembered) > 0 {
			t.Errorf("remembered %q, want nothing", kim.remembered)
		}
		kim.enter("//usr/bin")
		kim.enter("  // a remark")
		h.said(t, room.Lobby, "/usr/bin", "  // a remark")
	})
}

func TestAPipeIsToldThatItsRoomIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		op, _ := h.inSec(t, h.terminal(t, "kim"), "kim")
		does(t, op, sec, room.Arranged{What: room.AspectPrivate, Value: "on"})
		pipe := h.person(t, 0, session.Visitor{User: "sec+zed"})
		pipe.ends(room.EndingLost, 1)
		const want = "* #sec is private. Somebody who keeps it can /invite you, or give you its password: /join #sec PASSWORD. Nothing of the input was said.\n"
		if got := pipe.complaints(); got != want {
			t.Errorf("standard error %q, want %q", got, want)
		}
	})
}

func TestANicknameThatARoomKeepsOutIsRefusedWithItsSentence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		kim := h.terminal(t, "kim")
		op, _ := h.inSec(t, kim, "kim")
		does(t, op, sec, room.Barred{Bar: room.Bar{Target: room.Target{Names: []string{"case:bill"}}, Label: "bill", Where: sec}})
		kim.enter("/nick bill")
		kim.sees("You are kept out of #sec until somebody lifts it.")
		kim.seesNot("our fault")
		kim.prompts("#sec kim> ")
	})
}
