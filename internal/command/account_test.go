package command_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sarangbang/internal/command"
	"sarangbang/room"
)

func TestRegister(t *testing.T) {
	h := newHouse(t)
	guest := h.come("guest", "")
	guest.fails("/register", "ssh-keygen -t ed25519")
	guest.fails("/key", "You have no account.")
	kim := h.come("kim", "SHA256:kim")
	other := h.come("other", "SHA256:kim")
	kim.getsPart("/register", "The nickname kim is yours.")
	kim.fails("/register", "You have an account already: kim.")
	other.fails("/register", "Your key opens the account kim already")
	kim.getsPart("/whoami", "Your account is kim.")
	kim.leave()
	again := h.come("kim", "SHA256:kim")
	again.fails("/register", "You have an account already: kim.")
	if a, ok := h.AccountOf("SHA256:kim"); !ok || a.Nick != "kim" {
		t.Errorf("the key opens %+v, %t; want kim", a, ok)
	}
}

func TestNobodyElseCanHaveANicknameThatIsOwned(t *testing.T) {
	h := newHouse(t)
	kim := h.come("kim", "SHA256:kim")
	kim.getsPart("/register", "yours")
	kim.leave()
	lee := h.come("lee", "SHA256:lee")
	for _, name := range []string{"kim", "KIM", "kіm", "ｋｉｍ"} { // the third has a Cyrillic і
		lee.fails("/nick "+name, "belongs to somebody's key")
	}
	kim = h.come("kim", "SHA256:kim")
	lee.fails("/nick kim", "belongs to somebody's key")
	kim.gets("/nick mok", "")
	lee.fails("/nick kim", "belongs to somebody's key")
	kim.gets("/nick KIM", "")
}

func TestErasingAnAccount(t *testing.T) {
	h := newHouse(t)
	lee := h.come("lee", "")
	lee.fails("/account delete lee", "You have no account.")
	kim := h.come("kim", "SHA256:kim")
	kim.getsPart("/register", "yours")
	kim.says("I was here")
	lee.says("so was I")
	kim.getsPart("/account delete", "under a struck name", "/account delete kim")
	kim.fails("/account delete lee", "Nothing was erased: lee is not the nickname of your account.")
	const minute = "2006-01-02 15:04"
	earliest := time.Now().Add(24 * time.Hour).UTC().Format(minute)
	a, err := run(t, kim.env, `/account delete "kim"`)
	if got := rows(t, a, kim.env, false); err != nil || !a.Leave || !strings.HasPrefix(got, "* The account kim is erased.") {
		t.Fatalf("/account delete kim = %q, leaves %t, %v; want it erased", got, a.Leave, err)
	}
	if a, ok := h.AccountOf("SHA256:kim"); ok {
		t.Errorf("the key still opens %+v", a)
	}
	deadline := time.Now().Add(10 * time.Second)
	for want := "[—] I was here\n[lee] so was I\n"; ; time.Sleep(10 * time.Millisecond) { // on disk it is done bit by bit
		got, err := lee.call("/history")
		if got == want && err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("history: %q, %v; want %q within 10 s", got, err, want)
		}
	}
	if got := h.Lines(room.Lobby, 9); len(got) != 2 || got[0].From != room.Struck || got[1].From.Nick != "lee" {
		t.Errorf("in memory are %+v, want kim's line without its author", got)
	}
	kim.leave()
	free := time.Now().Add(24 * time.Hour).UTC().Format(minute)
	for !strings.HasPrefix(earliest, free) { // a minute, an hour or a day may have begun meanwhile
		free = free[:len(free)-1]
	}
	for _, name := range []string{"kim", "KIM", "kіm"} {
		lee.fails("/nick "+name, "belonged to an account that was erased. It is free again at "+free)
	}
	back := h.come("kim2", "SHA256:kim")
	back.fails("/nick kim", "belonged to an account that was erased")
	back.getsPart("/register", "The nickname kim2 is yours.")
}

func TestAccountTellsWhatIsStored(t *testing.T) {
	h := newHouse(t)
	kim, lee := h.come("kim", "SHA256:kim"), h.come("lee", "")
	kim.says("one", "two")
	if _, err := lee.Post(t.Context(), room.Lobby, room.Told{To: kim.Person(), Text: room.Sentence("psst")}); err != nil {
		t.Fatal(err)
	}
	stored := regexp.MustCompile(`Stored of you: 2 lines said in rooms; direct messages: 0 by you, 1 to you; [1-9]\d+ bytes in all\.`)
	if got := kim.getsPart("/account", "You have no account."); !stored.MatchString(got) {
		t.Errorf("a guest's account:\n%swant %s", got, stored)
	}
	since := time.Now().UTC().Format(time.DateOnly)
	kim.getsPart("/register", "yours")
	if today := time.Now().UTC().Format(time.DateOnly); today != since {
		since = since[:len("2006-")] // a day has begun meanwhile
	}
	if void, err := h.Act(t.Context(), kim.Person(), room.Configured{Name: "bell", Value: "off"}); err != nil || void != "" {
		t.Fatal(void, err)
	}
	got := kim.getsPart("/account", "The nickname kim is yours since "+since, "1. SHA256:kim (the one you proved)",
		"Settings that follow you: bell=off", "/account delete erases the account.")
	if !stored.MatchString(got) {
		t.Errorf("an account:\n%swant %s", got, stored)
	}
	kim.fails("/account erase", "Use it like this: /account [delete]")
}

// code asks for a code.
func (g *guest) code() string {
	g.h.t.Helper()
	got := g.getsPart("/key add", "within 10 minutes")
	code := regexp.MustCompile(`/key add ([A-Z2-7]{4}-[A-Z2-7]{4})`).FindStringSubmatch(got)
	if code == nil {
		g.h.t.Fatalf("no code in\n%s", got)
	}
	return code[1]
}

func TestAFurtherKeyComesByACode(t *testing.T) {
	h := newHouse(t)
	kim := h.come("kim", "SHA256:one")
	kim.getsPart("/register", "yours")
	first, code := kim.code(), kim.code()
	keyless, second := h.come("guest", ""), h.come("kim2", "SHA256:two")
	keyless.fails("/key add "+code, "You proved no key")
	kim.fails("/key add "+code, "This key opens the account kim already.")
	second.fails("/key add "+first, "That is no code that works now.") // another was asked for meanwhile
	second.gets("/key add "+strings.ToLower(strings.ReplaceAll(code, "-", " ")), "* This key opens the account kim from now on. When you come in with it the next time, you are kim.\n")
	third := h.come("kim3", "SHA256:three")
	third.fails("/key add "+code, "That is no code that works now.") // it works once
	second.leave()
	again := h.come("kim", "SHA256:two")
	if got, want := again.Person().ID, kim.Person().ID; got != want {
		t.Errorf("with the second key they are %s, want %s", got, want)
	}
	again.gets("/key", "* 1. SHA256:one\n* 2. SHA256:two (the one you proved)\n")
	again.gets("/key list", "* 1. SHA256:one\n* 2. SHA256:two (the one you proved)\n")
}

func TestKeysAreTakenAway(t *testing.T) {
	h := newHouse(t)
	kim := h.come("kim", "SHA256:abc1")
	kim.getsPart("/register", "yours")
	for _, key := range []string{"SHA256:abd2", "SHA256:xyz3", "SHA256:4444"} {
		if void, err := h.Act(t.Context(), kim.Person(), room.KeyAdded{Key: key}); err != nil || void != "" {
			t.Fatal(void, err)
		}
	}
	kim.fails("/key remove", "Use it like this: /key [add|remove]")
	kim.fails("/key take", "Use it like this: /key [add|remove]")
	kim.fails("/key remove 9", "Your account has no key 9.")
	kim.fails("/key remove ab", "ab is the beginning of several keys.")
	kim.fails("/key remove SHA256:", "SHA256: is the beginning of several keys.")
	kim.gets("/key remove abd", "") // all of the owner's screens are told, by the house
	kim.env.Bare = true
	kim.fails("/key remove abd", "Your account has no key abd.")
	kim.getsPart("/key remove 44", "The key SHA256:4444 opens your account no more.")
	kim.getsPart("/key remove 2", "The key SHA256:xyz3 opens your account no more.")
	kim.fails("/key remove 1", "an account needs one key at least")
	kim.env.Bare = false
	kim.gets("/key", "* 1. SHA256:abc1 (the one you proved)\n")
	if _, ok := h.AccountOf("SHA256:xyz3"); ok {
		t.Error("a key that was taken away opens the account")
	}
}

func TestAnAccountTakesNoSeventeenthKey(t *testing.T) {
	h := newHouse(t)
	kim := h.come("kim", "SHA256:0")
	kim.getsPart("/register", "yours")
	code := kim.code()
	for n := 1; n < room.MaxKeys; n++ {
		if void, err := h.Act(t.Context(), kim.Person(), room.KeyAdded{Key: fmt.Sprint("SHA256:", n)}); err != nil || void != "" {
			t.Fatal(void, err)
		}
	}
	kim.fails("/key add", "an account can have 16 keys")
	h.come("lee", "SHA256:new").fails("/key add "+code, "an account can have 16 keys")
}

func TestCodesRunOutAndAreNotGuessed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		codes := command.NewCodes()
		kim, lee := room.Person{ID: "kim", Nick: "kim"}, room.Person{ID: "lee", Nick: "lee"}
		code := codes.Issue(kim)
		time.Sleep(10*time.Minute - time.Second)
		other := codes.Issue(lee)
		if code == other {
			t.Errorf("two codes are %s", code)
		}
		if owner, ok, _ := codes.Redeem(code, "SHA256:in time"); !ok || owner != kim {
			t.Errorf("a code after almost ten minutes is for %v, %t; want kim", owner, ok)
		}
		time.Sleep(10 * time.Minute)
		if owner, ok, tired := codes.Redeem(other, "SHA256:late"); ok || tired {
			t.Errorf("a code after ten minutes is for %v, %t, %t; want it to be worth nothing", owner, ok, tired)
		}
		code = codes.Issue(kim)
		for n := range 5 {
			if _, ok, tired := codes.Redeem("AAAA-AAA"+string(rune('A'+n)), "SHA256:guesser"); ok || tired {
				t.Errorf("guess %d: %t, tired %t; want it wrong", n, ok, tired)
			}
		}
		if _, ok, tired := codes.Redeem(code, "SHA256:guesser"); ok || !tired {
			t.Errorf("the right code after five wrong ones: %t, tired %t; want it refused", ok, tired)
		}
		for n := range 5000 { // more keys than are remembered
			codes.Redeem("wrong", fmt.Sprint("SHA256:", n))
		}
		if got := codes.Triers(); got > 4096 {
			t.Errorf("%d keys are remembered, want 4096 at most", got)
		}
		if _, ok, _ := codes.Redeem(code, "SHA256:honest"); !ok {
			t.Error("the code does not work under a key that was never wrong")
		}
		time.Sleep(10*time.Minute + time.Second)
		code = codes.Issue(kim)
		if _, ok, tired := codes.Redeem(code, "SHA256:guesser"); !ok || tired {
			t.Errorf("ten minutes later: %t, tired %t; want the code to work again", ok, tired)
		}
	})
}

func TestMessagesReachTheOwnerOfANickname(t *testing.T) {
	h := newHouse(t)
	kim, lee := h.come("kim", "SHA256:kim"), h.come("lee", "")
	kim.getsPart("/register", "yours")
	to := func(line string) (room.Person, error) {
		t.Helper()
		c, _ := command.Find("msg")
		body, err := c.Speak(&command.Call{Env: lee.env, Rest: line})
		if err != nil {
			return room.Person{}, err
		}
		return body.(room.Told).To, nil
	}
	owner := kim.Person().ID
	kim.gets("/nick mok", "")
	for _, name := range []string{"mok", "kim", "KIM"} { // under either name, since they are one person
		if got, err := to(name + " hi"); err != nil || got.ID != owner {
			t.Errorf("/msg %s goes to %+v, %v; want the owner of kim", name, got, err)
		}
	}
	kim.leave()
	if got, err := to("kim hi"); err != nil || got.ID != owner || got.Nick != "kim" {
		t.Errorf("/msg kim goes to %+v, %v while they are away; want the owner", got, err)
	}
	if _, err := to("mok hi"); err == nil {
		t.Error("/msg mok reaches somebody, want nobody to be called so")
	}
	kim = h.come("kim", "SHA256:kim")
	if results, err := lee.Post(t.Context(), room.Lobby, room.Told{To: kim.Person(), Text: room.Sentence("hi")}); err != nil || results[0].Kept {
		t.Errorf("told while here: %+v, %v; want it not kept", results, err)
	}
}

func TestWhoMarksWhoseNicknameIsTheirs(t *testing.T) {
	h := newHouse(t)
	kim := h.come("kim", "SHA256:kim")
	h.come("lee", "SHA256:lee")
	kim.gets("/who", "* 2 people are here: kim, lee\n")
	kim.getsPart("/register", "yours")
	kim.gets("/who", "* 2 people are here: kim+, lee\n* + the nickname belongs to their key\n")
	bare := kim.env
	bare.Bare = true
	if a, err := run(t, bare, "/who"); err != nil || rows(t, a, bare, false) != "kim\nlee\n" {
		t.Errorf("who alone = %q, %v; want the names", rows(t, a, bare, false), err)
	}
	kim.gets("/nick mok", "")
	kim.gets("/who", "* 2 people are here: mok, lee\n") // the name that they wear now is nobody's
}

func TestWhoTellsWhoseConnectionBroke(t *testing.T) {
	h := newHouse(t)
	lee, kim := h.come("lee", ""), h.come("kim", "SHA256:kim")
	kim.getsPart("/register", "yours")
	if !kim.Cut(room.EndingLost, func(bool) {}) {
		t.Fatal("the leave does not wait")
	}
	lee.gets("/who", "* 2 people are here: lee, kim+ [away]\n* + the nickname belongs to their key\n"+
		"* [away] they said so, or their connection broke a moment ago\n")
	bare := lee.env
	bare.Bare = true
	if a, err := run(t, bare, "/who"); err != nil || rows(t, a, bare, false) != "lee\nkim\n" {
		t.Errorf("who alone = %q, %v; want the names", rows(t, a, bare, false), err)
	}
	h.come("kim", "SHA256:kim")
	lee.gets("/who", "* 2 people are here: lee, kim+\n* + the nickname belongs to their key\n")
}

func TestACodeThatCouldNotBeSavedWorksAgain(t *testing.T) {
	h := newHouse(t)
	kim := h.come("kim", "SHA256:one")
	kim.getsPart("/register", "kim")
	code := kim.code()
	second := h.come("lee", "SHA256:two")
	c, _ := command.Find("key")
	gone, cancel := context.WithCancel(t.Context())
	cancel() // as good as a full disk
	if _, err := c.Run(gone, &command.Call{Env: second.env, Name: "key", Rest: "add " + code}); !errors.Is(err, context.Canceled) {
		t.Fatalf("/key add = %v, want %v", err, context.Canceled)
	}
	second.getsPart("/key add "+code, "This key opens the account kim from now on.")
}
