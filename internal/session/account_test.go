package session_test

import (
	"bytes"
	"context"
	"maps"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sarangbang/internal/session"
	"sarangbang/room"
)

// owner lets somebody in whose key is to own their nickname, and registers it.
func (h *house) owner(t *testing.T, nick string) *person {
	t.Helper()
	p := h.person(t, 200, session.Visitor{User: nick, Key: "SHA256:" + nick, Term: "xterm"})
	p.enter("")
	p.enter("/register")
	p.sees("The nickname " + nick + " is yours.")
	return p
}

// complaints returns what went to standard error.
func (p *person) complaints() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.complain.String()
}

func TestTheOwnerOfANicknameComesStraightIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		kim := h.owner(t, "kim")
		kim.enter("/bye")
		kim.ends(room.EndingLeft, 0)

		kim = h.person(t, 200, session.Visitor{User: "somebody", Key: "SHA256:kim", Term: "xterm"})
		kim.sees("* Welcome back, kim.")
		kim.seesNot("nickname")
		kim.enter("hello")
		kim.sees("[kim] hello\n")

		second := h.person(t, 200, session.Visitor{User: "", Key: "SHA256:kim", Term: "xterm"})
		second.sees("* You are here already as kim; this is one more screen of yours.")

		pipe := h.person(t, 0, session.Visitor{User: "other", Key: "SHA256:kim"})
		pipe.enter("from a pipe")
		close(pipe.in)
		pipe.ends(room.EndingLeft, 0)
		kim.sees("[kim] from a pipe\n")

		var out, errs bytes.Buffer
		status := h.Exec(context.Background(), session.Visitor{User: "other", Key: "SHA256:kim", Session: "e"}, "say alone", &out, &errs)
		if out.String() != "[kim] alone\n" || errs.Len() > 0 || status != 0 {
			t.Errorf("say alone: %q, %q, %d; want it said by kim", &out, &errs, status)
		}
	})
}

func TestNobodyElseGetsANicknameThatIsOwned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		kim := h.owner(t, "kim")
		for _, away := range []bool{false, true} {
			if away {
				kim.enter("/bye")
				kim.ends(room.EndingLeft, 0)
			}
			for _, key := range []string{"", "SHA256:other"} {
				for _, name := range []string{"kim", "KIM", "kіm"} { // the last has a Cyrillic і
					p := h.person(t, 200, session.Visitor{User: name, Key: key, Term: "xterm"})
					p.sees("* The nickname " + name + ", or one that can be mistaken for it, belongs to somebody's key. Choose another. (that is the name you logged in with)")
					p.enter(name)
					p.enter("lee")
					p.sees("Welcome, lee.")
					if got := strings.Count(p.screen(), "belongs to somebody's key"); got != 2 {
						t.Errorf("told %d times in\n%s\nwant it at the login and at the question", got, p.screen())
					}
					p.enter("/nick kim")
					p.sees("The nickname kim, or one that can be mistaken for it, belongs to somebody's key.")
					p.enter("/bye")
					p.ends(room.EndingLeft, 0)
					pipe := h.person(t, 0, session.Visitor{User: name, Key: key})
					pipe.ends(room.EndingLost, 1)
					if got := pipe.complaints(); !strings.Contains(got, "belongs to somebody's key.") {
						t.Errorf("a pipe as %s is told %q", name, got)
					}
				}
			}
		}
	})
}

func TestNobodyGetsTheNicknameOfAnErasedAccountForADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limits()
		l.NickHold = 24 * time.Hour
		h := newHouse(t, l)
		kim := h.owner(t, "kim")
		kim.enter("/account delete kim")
		kim.sees("* The account kim is erased.")
		kim.ends(room.EndingLeft, 0)
		for _, key := range []string{"", "SHA256:kim"} {
			p := h.person(t, 200, session.Visitor{User: "kim", Key: key, Term: "xterm", Env: map[string]string{"TZ": "UTC"}})
			p.sees("belonged to an account that was erased. It is free again at 2000-01-02 00:00. Choose another.")
			p.cancel(nil)
			<-p.end
		}
		time.Sleep(24 * time.Hour)
		again := h.terminal(t, "kim")
		again.sees("Welcome, kim.")
	})
}

func TestSettingsFollowTheAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		kim := h.person(t, 200, session.Visitor{User: "kim", Key: "SHA256:kim", Term: "xterm"})
		kim.enter("")
		kim.enter("/time short") // before there is an account to keep it
		kim.enter("/register")
		kim.enter("/lang ko")
		kim.enter("/plain on")
		kim.enter("/bye")
		kim.ends(room.EndingLeft, 0)
		a, ok := h.room.AccountOf("SHA256:kim")
		if want := map[string]string{"time": "short", "lang": "ko", "plain": "on"}; !ok || !maps.Equal(a.Settings, want) {
			t.Fatalf("kept with the account: %v, want %v", a.Settings, want)
		}
		// Another version of the program has left what this one does not know.
		for name, value := range map[string]string{"hat": "red", "bell": "loudly"} {
			if void, err := h.room.Act(context.Background(), a.Person(), room.Configured{Name: name, Value: value}); err != nil || void != "" {
				t.Fatal(void, err)
			}
		}
		kim = h.person(t, 200, session.Visitor{User: "x", Key: "SHA256:kim", Term: "xterm", Env: map[string]string{"LANG": "en_US.UTF-8"}})
		kim.sees("kim 님, 다시 오셨군요.")
		kim.enter("/time")
		kim.sees("시각 표시: short")
		kim.enter("/bell")
		kim.sees("알림음: mentions")
		kim.mu.Lock()
		plain := kim.plain
		kim.mu.Unlock()
		if !plain {
			t.Error("plain mode does not follow")
		}
		if log := h.log.String(); !strings.Contains(log, "name=hat value=red") || !strings.Contains(log, "name=bell value=loudly") {
			t.Errorf("log:\n%s\nwant what was ignored", log)
		}
		// What the client asks for comes first, and a client without colour stays without.
		other := h.person(t, 200, session.Visitor{User: "x", Key: "SHA256:kim", Term: "xterm", Env: map[string]string{"SARANGBANG_LANG": "en"}})
		other.sees("You are here already as kim")

		var out, errs bytes.Buffer
		if status := h.Exec(context.Background(), session.Visitor{User: "x", Key: "SHA256:kim", Session: "e"}, "whoami", &out, &errs); status != 0 || !strings.HasPrefix(out.String(), "지금 닉네임은 kim 입니다.\n") {
			t.Errorf("whoami alone: %q, %q, %d; want it in Korean", &out, &errs, status)
		}
	})
}

func TestASettingThatCannotBeKeptHoldsAllTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		kim := h.owner(t, "kim")
		h.journal.Suspend("disk full")
		kim.enter("/time short")
		time.Sleep(2 * time.Minute)
		kim.sees("* Times are set to short.\n")
		kim.sees("This holds for this session only")
	})
}

func TestAMessageForSomebodyWhoIsAwayIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		kim := h.owner(t, "kim")
		lee := h.terminal(t, "lee")
		lee.enter("/msg kim one")
		lee.sees("[you → kim] one\n")
		kim.enter("/bye")
		kim.ends(room.EndingLeft, 0)
		lee.enter("/msg KIM two")
		lee.sees("[you → kim] two\n* kept: kim reads it on their return.\n")
		lee.enter("/reply three")
		lee.sees("[you → kim] three\n* kept: kim reads it on their return.\n")
		lee.enter("/msg nobody four")
		lee.sees("Nobody here is called nobody.")

		var out, errs bytes.Buffer
		status := h.Exec(context.Background(), session.Visitor{User: "park", Session: "e"}, "msg kim five", &out, &errs)
		if out.String() != "[you → kim] five\n" || errs.String() != "kept: kim reads it on their return.\n" || status != 0 {
			t.Errorf("msg alone: %q, %q, %d; want the line, and that it is kept", &out, &errs, status)
		}
	})
}

func TestTheEndOfAnAccountEndsItsOtherScreens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		kim := h.owner(t, "kim")
		other := h.person(t, 80, session.Visitor{User: "kim", Key: "SHA256:kim", Term: "xterm", Session: "other"})
		other.sees("one more screen")
		kim.enter("/account delete kim")
		kim.sees("erased")
		kim.ends(room.EndingLeft, 0)
		other.sees("The account was erased, so this session ends.")
		other.ends(room.EndingErased, 1)
		if n := h.room.People(room.Lobby); n != 0 {
			t.Errorf("%d people are here, want none", n)
		}
	})
}

// code asks for what adds a further key to the account.
func (p *person) code() string {
	p.t.Helper()
	p.enter("/key add")
	p.sees("shares your account.")
	all := regexp.MustCompile(`/key add ([A-Z2-7]{4}-[A-Z2-7]{4})`).FindAllStringSubmatch(p.screen(), -1)
	return all[len(all)-1][1]
}

// Whoever got a code by a trick does not have the account unnoticed.
func TestTheOwnerOfAnAccountReadsOfItsKeysOnAllScreens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		kim := h.owner(t, "kim")
		korean := h.person(t, 200, session.Visitor{User: "x", Key: "SHA256:kim", Term: "xterm", Env: map[string]string{"LANG": "ko_KR.UTF-8"}})
		pipe := h.person(t, 0, session.Visitor{User: "x", Key: "SHA256:kim"})
		synctest.Wait()
		thief := h.person(t, 200, session.Visitor{User: "thief", Key: "SHA256:thief", Term: "xterm"})
		thief.enter("")
		thief.enter("/key add " + kim.code())
		thief.sees("This key opens the account kim from now on.")
		const added = "* The key SHA256:thief opens your account from now on. If that was not you, /key remove 2 takes it away.\n"
		kim.sees(added)
		pipe.sees(added)
		korean.sees("이제 SHA256:thief 키로도 이 계정을 열 수 있습니다. 직접 하신 일이 아니라면 /key remove 2 로 빼세요.")
		thief.seesNot("your account")

		again := h.person(t, 200, session.Visitor{User: "thief", Key: "SHA256:thief", Term: "xterm"})
		again.sees("You are here already as kim")
		again.seesNot("SHA256:thief")
		const removed = "* The key SHA256:thief opens your account no more. What was open with it is closed.\n"
		kim.enter("/key remove 2")
		kim.sees(removed)
		pipe.sees(removed)
		korean.sees("SHA256:thief 키는 더는 이 계정을 열 수 없습니다.")
		again.ends(room.EndingRevoked, 1)
		thief.seesNot("no more")
		for _, screen := range []string{kim.screen(), pipe.screen()} {
			if n := strings.Count(screen, "SHA256:thief"); n != 2 {
				t.Errorf("told of the key %d times in\n%s\nwant it once for its coming and once for its going", n, screen)
			}
		}
	})
}

func TestTheOwnerOfAnAccountReadsOnTheirReturnOfAKeyThatWasAdded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		come := func(key string, columns int) *person {
			p := h.person(t, columns, session.Visitor{User: "x", Key: "SHA256:" + key, Term: "xterm"})
			synctest.Wait()
			return p
		}
		leave := func(p *person) {
			p.enter("/bye")
			p.ends(room.EndingLeft, 0)
		}
		kim := h.owner(t, "kim")
		code := kim.code()
		leave(kim)
		thief := come("thief", 200)
		thief.enter("")
		thief.enter("/key add " + code)
		thief.sees("This key opens the account kim from now on.")
		leave(thief)

		const added = "* While you were away the key SHA256:thief was added to your account. If that was not you, /key remove 2 takes it away.\n"
		for _, unread := range []*person{come("thief", 200), come("kim", 0)} { // nobody needs to read what comes out of a pipe
			unread.seesNot("SHA256:thief")
			leave(unread)
		}
		var out, errs bytes.Buffer
		status := h.Exec(context.Background(), session.Visitor{Key: "SHA256:kim", Session: "e"}, "account", &out, &errs)
		if got := out.String(); status != 0 || !strings.Contains(got, "2. SHA256:thief") || strings.Contains(got, "Settings") || strings.Contains(got, "come back into") {
			t.Errorf("account alone: %q, %q, %d; want the key, and neither settings nor rooms", got, &errs, status)
		}
		kim = come("kim", 200)
		kim.sees(added)
		leave(kim)
		kim = come("kim", 200)
		kim.sees("Welcome back")
		kim.seesNot("SHA256:thief")

		two := come("two", 200) // a thief takes a second key in before anybody has read of the first
		two.enter("")
		again := kim.code()
		leave(kim)
		three := come("three", 200)
		three.enter("y")
		three.enter("/key add " + again)
		three.sees("This key opens the account kim from now on.")
		leave(three)
		three = come("three", 200)
		two.enter("/key add " + three.code())
		three.sees("* The key SHA256:two opens your account from now on.")
		leave(three)
		leave(two)
		leave(come("two", 200))
		kim = come("kim", 200)
		for _, key := range []string{"SHA256:three", "SHA256:two"} {
			kim.sees("* While you were away the key " + key + " was added to your account.")
		}

		lost := come("lost", 200)
		lost.enter("")
		lost.enter("/key add " + kim.code())
		kim.sees("* The key SHA256:lost opens your account from now on.")
		leave(kim)
		kim = come("kim", 200)
		kim.seesNot("SHA256:lost") // told as it happened
	})
}
