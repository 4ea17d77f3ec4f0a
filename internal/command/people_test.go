package command_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"sarangbang/internal/command"
	"sarangbang/internal/i18n"
	"sarangbang/internal/identity"
	"sarangbang/room"
)

// comeFrom is come, from an address.
func (h *house) comeFrom(nick, key, addr string) *guest {
	h.t.Helper()
	name, err := identity.DefaultRules().Parse(nick)
	if err != nil {
		h.t.Fatal(err)
	}
	claim := room.Claim{Key: key, Nick: room.Nick(nick), Names: name.Keys(), Addr: addr}
	m, err := h.Enter(h.t.Context(), claim, room.Entry{Where: room.Lobby, Back: true})
	if err != nil {
		h.t.Fatalf("%s cannot come in: %v", nick, err)
	}
	g := h.guestOf(m)
	g.looks()
	return g
}

func TestWhoMarksWhoTheyAre(t *testing.T) {
	h := newHouse(t)
	boss, kim, lee := h.come("boss", "SHA256:boss"), h.owner("kim"), h.owner("lee")
	boss.becomesOperator()
	kim.does("/join #dev", "")
	lee.does("/join #dev", "")
	boss.does("/join #dev", "")
	park := h.come("park", "")
	park.does("/join #dev", "")
	if r, err := h.Do(t.Context(), kim.Person(), dev, room.Ranked{Whom: lee.Person(), Role: room.RoleModerator}); err != nil || r.Void != "" {
		t.Fatalf("rank: %q, %v", r.Void, err)
	}
	kim.Use("ko")
	lee.Use("en")
	park.does("/away lunch [till two]", "* You are away. The next line that you say ends it, or /away alone.\n")
	park.gets("/who", "* 4 people are here: kim+@@ [ko], lee+@, boss#, park [away: lunch [till two]]\n* + the nickname belongs to their key\n"+
		"* @ moderates the room\n* @@ owns the room\n* # is an operator of the house\n")
	park.does("/who #lobby", "* 4 people are here: boss#, kim+ [ko], lee+, park [away: lunch [till two]]\n* + the nickname belongs to their key\n"+
		"* # is an operator of the house\n")
	kim.env.Lang = i18n.Korean
	kim.getsPart("/who", "lee+@ [en]", "park [자리 비움: lunch [till two]]")
	bare := command.Env{House: h.House, Bare: true, Here: dev}
	if a, err := run(t, bare, "/who"); err != nil || rows(t, a, bare, false) != "kim\nlee\nboss\npark\n" {
		t.Errorf("who alone = %q, %v; want the names", rows(t, a, bare, false), err)
	}
}

func TestAwayAndBack(t *testing.T) {
	h := newHouse(t)
	kim, lee := h.come("kim", ""), h.come("lee", "")
	const gone, back = "* You are away. The next line that you say ends it, or /away alone.\n", "* You are back.\n"
	legend := "* [away] they said so, or their connection broke a moment ago\n"
	kim.does("/away", gone)
	lee.gets("/who", "* 2 people are here: kim [away], lee\n"+legend)
	kim.does("/away", back)
	lee.gets("/who", "* 2 people are here: kim, lee\n")
	kim.does("/away lunch", gone)
	kim.does("/away tea", gone)
	lee.gets("/who", "* 2 people are here: kim [away: tea], lee\n")
	kim.says("back again")
	lee.gets("/who", "* 2 people are here: kim, lee\n")
	kim.fails("/away "+strings.Repeat("x", 201), "That takes one line of at most 200 bytes; this is 201 bytes")
	kim.fails("/away two\nlines", "in 2 lines. Make it shorter.")
	if away := command.AwayOf(h.House, kim.Person()); away != nil {
		t.Errorf("kim is away: %+v, want them here", away)
	}
}

func TestWhoisTellsWhatTheAskerMayKnow(t *testing.T) {
	h := newHouse(t)
	boss := h.comeFrom("boss", "SHA256:boss", "192.0.2.9")
	boss.becomesOperator()
	kim := h.comeFrom("kim", "SHA256:kim", "192.0.2.1")
	if void, err := kim.Register(t.Context()); void != "" || err != nil {
		t.Fatal(void, err)
	}
	kim.does("/join #dev", "")
	kim.arranges(dev, room.AspectPrivate, "on")
	kim.does("/join #open", "")
	kim.Use("ko")
	lee, tcp, keyed := h.come("lee min", ""), h.come("telnet", ""), h.come("keyed", "SHA256:keyed")
	lee.Use("en")
	keyed.Use("en")
	boss.Use("en")
	times := regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d`)
	tells := func(g *guest, line, want string) {
		t.Helper()
		got, err := g.call(line)
		if got = times.ReplaceAllString(got, "THEN"); err != nil || got != want {
			t.Errorf("%s asks %s and reads\n%s\nerr %v, want\n%s", g.Person().Nick, line, got, err, want)
		}
	}
	about := "* kim: the nickname belongs to their key since THEN\n"
	tells(lee, "/whois KIM", about+"* here since THEN, in #lobby, #open\n* reads ko\n* owner of #open\n")
	tells(kim, `/whois "kim"`, about+"* here since THEN, in #dev, #lobby, #open\n* reads ko\n* owner of #dev\n* owner of #open\n")
	tells(boss, "/whois kim", about+"* here since THEN, in #lobby, #open\n* reads ko\n* owner of #open\n* key SHA256:kim\n* comes from 192.0.2.1\n")
	tells(kim, "/whois lee min", "* lee min: a guest without a key\n* here since THEN, in #lobby\n* reads en\n")
	tells(kim, "/whois telnet", "* telnet: a guest by the plain-TCP door\n* here since THEN, in #lobby\n")
	tells(kim, "/whois keyed", "* keyed: a guest who proved a key\n* here since THEN, in #lobby\n* reads en\n")
	tells(tcp, "/whois boss", "* boss: a guest who proved a key\n* here since THEN, in #lobby\n* reads en\n* operator of the house\n")
	kim.does("/away lunch", "* You are away. The next line that you say ends it, or /away alone.\n")
	kim.does("/leave #lobby", "* You left #lobby.\n")
	kim.does("/leave #open", "* You left #open.\n")
	tells(lee, "/whois kim", about+"* here now\n* away: lunch\n* reads ko\n") // nothing of where
	lee.fails("/whois nobody", "Nobody here is called nobody, and no account is.")
	lee.fails("/whois", "Use it like this: /whois NICK")
	lee.fails("/whois →", "Nobody can be called →")
	kim.leave()
	tells(lee, "/whois kim", about+"* kim was here last at THEN, one second ago.\n")
}

func TestSeen(t *testing.T) {
	h := newHouse(t)
	kim := h.private()
	lee := h.come("lee", "")
	lee.gets("/seen kim", "* kim is here now.\n")
	gone := h.comeFrom("gone", "", "192.0.2.7")
	gone.leave()
	if got := lee.getsPart("/seen GONE", "* GONE was here last at ", " ago.\n"); strings.Contains(got, "192.0.2") {
		t.Errorf("/seen tells where somebody came from: %q", got)
	}
	// Whoever has no address, as here, leaves no sighting: then it is their last line, where the asker may read it.
	old := h.come("old", "")
	old.says("first")
	old.does("/join #dev "+secret, "")
	old.saysIn(dev, "last words")
	old.leave()
	times := regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d`)
	for g, where := range map[*guest]string{kim: "#dev", lee: "#lobby"} {
		want := "* old was not here in the last day, and said something last at THEN in " + where + ".\n"
		got, err := g.call("/seen old")
		if got = times.ReplaceAllString(got, "THEN"); err != nil || got != want {
			t.Errorf("%s reads %q, %v; want %q", g.Person().Nick, got, err, want)
		}
	}
	lee.gets("/seen nobody", "* nobody was not here in the last day, and there is no line of theirs that you may read.\n")
	lee.fails("/seen", "Use it like this: /seen NICK")
	bare := command.Env{House: h.House, Bare: true, Names: identity.DefaultRules(), Settings: command.Settings{Lang: i18n.English}}
	if a, err := run(t, bare, "/seen old"); err != nil || !strings.Contains(rows(t, a, bare, false), " in #lobby.") {
		t.Errorf("seen alone = %q, %v; want what anybody may read", rows(t, a, bare, false), err)
	}
}

func TestIgnoringHoldsForThePerson(t *testing.T) {
	h := newHouse(t)
	kim, lee, guest := h.owner("kim"), h.come("lee", "SHA256:lee"), h.come("guest", "")
	kim.does("/ignore", "* You ignore nobody. /ignore NICK keeps what somebody says from your screen.\n")
	kim.does("/ignore LEE", "* You read nothing of lee any more, whatever they are called. They are not told. /unignore lee ends it.\n")
	kim.fails("/ignore lee", "You ignore lee already. /unignore lee ends it.")
	kim.fails("/ignore kim", "You cannot ignore yourself.")
	kim.fails("/ignore nobody", "Nobody here is called nobody.")
	kim.does("/ignore", "* You ignore one person: lee\n")
	kim.says("one")
	lee.says("two")
	if _, err := lee.Post(t.Context(), room.Lobby, room.Emoted{Text: room.Sentence("waves")}); err != nil {
		t.Fatal(err)
	}
	lee.gets("/nick bee", "")
	told := room.Told{To: kim.Person(), Text: room.Sentence("psst")}
	results, err := lee.Post(t.Context(), room.Lobby, room.Said{Text: room.Sentence("three")}, told)
	if err != nil {
		t.Fatal(err)
	}
	guest.says("four")
	kim.does("/history", "[kim] one\n[guest] four\n")
	kim.does("/search from:bee", "* Nothing was found: from:bee\n")
	all := room.Span{From: 1, Before: results[1].Seq + 9}
	kim.env.Gaps = []command.Gap{{Where: room.Lobby, Lines: all, Letters: all}}
	kim.does("/catchup", "* What was skipped:\n[kim] one\n[guest] four\n* That was it. Who came and went is not kept.\n")
	lee.leave()
	again := h.come("cee", "SHA256:lee") // under another name, by the same key
	again.says("five")
	kim.does("/history 1", "* There is nothing to show.\n")
	kim.fails("/unignore bee", "You do not ignore bee.")
	kim.does("/unignore cee", "* You read lee again.\n")
	kim.does("/history 1", "[cee] five\n")
}

func TestWhomSomebodyIgnoresIsKeptWithTheirAccount(t *testing.T) {
	h := newHouse(t)
	kim, lee, guest := h.owner("kim"), h.owner("lee"), h.come("guest", "")
	kept := func() (all []command.Ignoring) {
		a, _ := kim.Account()
		for name, value := range a.Settings {
			if who, ok := command.Ignores(command.Change{Name: name, Value: value}); ok && value != "" {
				all = append(all, who)
			}
		}
		return all
	}
	kim.getsIgnoring("lee")
	kim.getsIgnoring("guest")
	if got := kept(); len(got) != 1 || got[0].Nick != "lee" || got[0].ID != lee.Person().ID {
		t.Errorf("kept are %+v, want lee: a guest without a key is gone for ever once they leave", got)
	}
	kim.does("/ignore", "* You ignore 2 people: lee, guest\n")
	kim.getsPart("/account", "You ignore 2 people: lee, guest")
	lee.gets("/nick other", "")
	kim.does("/unignore other", "* You read lee again.\n")
	kim.does("/unignore guest", "* You read guest again.\n")
	kim.fails("/unignore guest", "You do not ignore guest. /ignore lists whom you do.")
	if a, _ := kim.Account(); len(a.Settings) != 0 {
		t.Errorf("kept are %q, want nothing", a.Settings)
	}
	guest.does("/join #x1", "")
	for n := range 100 {
		kim.env.Ignored = append(kim.env.Ignored, command.Ignoring{ID: room.PersonID(fmt.Sprint(n)), Nick: "somebody"})
	}
	kim.fails("/ignore guest", "You ignore 100 people, and more are not possible. /unignore one of them first.")
}

// getsIgnoring ignores somebody.
func (g *guest) getsIgnoring(nick string) {
	g.h.t.Helper()
	g.does("/ignore "+nick, "* You read nothing of "+nick+" any more, whatever they are called. They are not told. /unignore "+nick+" ends it.\n")
}

func TestWhatAGuestChoseGoesWithTheirNewAccount(t *testing.T) {
	h := newHouse(t)
	kim, lee := h.come("kim", "SHA256:kim"), h.come("lee", "SHA256:lee")
	kim.getsIgnoring("lee")
	kim.does("/join #dev", "")
	kim.getsPart("/register", "The nickname kim is yours.")
	a, _ := kim.Account()
	if got := a.Settings[command.SettingRooms]; got != "lobby dev" {
		t.Errorf("kept are the rooms %q, want lobby dev", got)
	}
	if who, ok := command.Ignores(command.Change{Name: "ignored:" + string(lee.Person().ID), Value: a.Settings["ignored:"+string(lee.Person().ID)]}); !ok || who.Nick != "lee" {
		t.Errorf("kept is %+v, %t; want lee ignored", who, ok)
	}
}

func TestIdleTimeIsToldInPlainWords(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "one second", 59 * time.Second: "59 seconds", time.Minute: "one minute", 59 * time.Minute: "59 minutes", time.Hour: "one hour",
		47 * time.Hour: "47 hours", 48 * time.Hour: "2 days", 1000 * time.Hour: "41 days",
	} {
		if got := command.Span(i18n.English, d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}

// Another nickname hides nobody who has an account: by the one it says who they are, by the other that they are here.
func TestWhoGoesByAnotherNicknameIsFoundByBoth(t *testing.T) {
	h := newHouse(t)
	evil, lee := h.owned("evil"), h.come("lee", "")
	if _, err := evil.call("/nick ghosty"); err != nil {
		t.Fatal(err)
	}
	for _, nick := range []string{"evil", "ghosty", "EVIL"} {
		lee.getsPart("/whois "+nick, "* goes by ghosty now; their account is evil, since 20", "* here since 20", "in #lobby\n")
	}
	lee.gets("/seen evil", "* evil is here now, as ghosty.\n")
	lee.gets("/seen ghosty", "* ghosty is here now.\n")
	lee.env.Lang = i18n.Korean
	lee.gets("/seen evil", "* evil 님은 지금 ghosty 닉네임으로 들어와 있습니다.\n")
	lee.env.Lang = i18n.English
	evil.leave()
	lee.getsPart("/whois evil", "* evil: the nickname belongs to their key since 20")
	lee.getsPart("/seen evil", "* evil was here last at")
}
