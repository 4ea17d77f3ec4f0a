package command_test

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sarangbang/internal/command"
	"sarangbang/internal/identity"
	"sarangbang/room"
)

// does calls a command as a session does: where it led, and what it changed, holds for the next.
func (g *guest) does(line, want string) {
	g.h.t.Helper()
	name, rest, _ := command.Parse(line)
	c, ok := command.Find(name)
	if !ok {
		g.h.t.Fatalf("no command %q", name)
	}
	g.looks()
	a, err := c.Do(g.h.t.Context(), &command.Call{Env: g.env, Name: name, Rest: rest})
	if got := rows(g.h.t, a, g.env, false); err != nil || got != want {
		g.h.t.Errorf("%s answers %q, err %v; want %q", line, got, err, want)
	}
	if a.Go != "" {
		g.env.Here = a.Go
	}
	if who, ok := command.Ignores(a.Changed); ok {
		g.env.Ignored = slices.DeleteFunc(slices.Clone(g.env.Ignored), func(i command.Ignoring) bool { return i.ID == who.ID })
		if a.Changed.Value != "" {
			g.env.Ignored = append(g.env.Ignored, who)
		}
	}
	g.looks()
}

// looks brings the environment to where the screen is.
func (g *guest) looks() {
	in := g.Rooms()
	if !slices.Contains(in, g.env.Here) && len(in) > 0 {
		g.env.Here = in[0]
	}
	g.env.Rooms = nil
	for _, where := range in {
		m, _ := g.h.Room(where)
		g.env.Rooms = append(g.env.Rooms, command.Visited{Where: where, Name: m.Name})
	}
}

// in wants the screen to be in these rooms, and to look at one of them.
func (g *guest) in(here string, all ...string) {
	g.h.t.Helper()
	var got []string
	for _, where := range g.Rooms() {
		got = append(got, strings.TrimPrefix(string(where), "room/"))
	}
	if !slices.Equal(got, all) || g.env.Here != room.Subject("room/"+here) {
		g.h.t.Errorf("%s is in %q and looks at %s; want %q, %s", g.Person().Nick, got, g.env.Here, all, here)
	}
}

// saysIn posts to a room.
func (g *guest) saysIn(where room.Subject, text string) {
	g.h.t.Helper()
	if results, err := g.Post(g.h.t.Context(), where, room.Said{Text: room.Sentence(text)}); err != nil || results[0].Void != "" {
		g.h.t.Fatalf("say %q in %s: %v, %v", text, where, results, err)
	}
}

// owner is somebody with an account.
func (h *house) owner(nick string) *guest {
	h.t.Helper()
	g := h.come(nick, "SHA256:"+nick)
	if void, err := g.Register(h.t.Context()); void != "" || err != nil {
		h.t.Fatalf("%s cannot register: %q, %v", nick, void, err)
	}
	return g
}

// arranges changes a room.
func (g *guest) arranges(where room.Subject, what room.Aspect, value string) {
	g.h.t.Helper()
	r, err := g.h.Do(g.h.t.Context(), g.Person(), where, room.Arranged{What: what, Value: value})
	if err != nil || r.Void != "" {
		g.h.t.Fatalf("%s is %q in %s: void %q, %v", what, value, where, r.Void, err)
	}
}

// becomesOperator makes somebody an operator by their key.
func (g *guest) becomesOperator() {
	g.h.t.Helper()
	if err := g.h.Appoint(g.h.t.Context(), []string{g.Key()}); err != nil {
		g.h.t.Fatal(err)
	}
}

const dev room.Subject = "room/dev"

const secret = "correct horse battery"

// private makes somebody with an account the owner of the private room #dev, with a password.
func (h *house) private() *guest {
	h.t.Helper()
	kim := h.owner("kim")
	kim.does("/join #dev", "")
	kim.arranges(dev, room.AspectPrivate, "on")
	kim.arranges(dev, room.AspectPassword, cheapHash(h.t))
	return kim
}

// cheapHash is a hash of the password that takes less time than those that are made outside of tests.
func cheapHash(t *testing.T) string {
	t.Helper()
	salt := []byte("salt of sixteen.")
	const rounds = 1000
	key, err := pbkdf2.Key(sha256.New, secret, salt, rounds, sha256.Size)
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("pbkdf2-sha256$%d$%s$%s", rounds, b64.EncodeToString(salt), b64.EncodeToString(key))
}

func TestJoiningLeavingAndGoing(t *testing.T) {
	kim := newHouse(t).come("kim", "")
	kim.does("/join #Dev", "")
	kim.in("dev", "lobby", "dev")
	if m, there := kim.h.Room(dev); !there || m.Name != "Dev" || m.Keepers != nil {
		t.Errorf("the room is %+v, %t; want Dev, which is nobody's", m, there)
	}
	kim.does("/join dev", "* You look at #Dev already.\n")
	kim.does("/go 1", "")
	kim.in("lobby", "lobby", "dev")
	kim.does("/join #DEV", "")
	kim.in("dev", "lobby", "dev")
	kim.does("/go #lobby", "")
	kim.does("/go #lobby", "* You look at #lobby already.\n")
	kim.does("/leave #dev", "* You left #Dev.\n")
	kim.in("lobby", "lobby")
	kim.does("/join 개발", "")
	kim.does("/leave", "* You left #개발.\n")
	kim.in("lobby", "lobby")
	kim.does("/join #2", "") // a room may be called so
	kim.does("/go 2", "* You look at #2 already.\n")
	kim.does("/leave 1", "* You left #lobby.\n")
	kim.in("2", "2")
	for line, want := range map[string]string{
		"/leave":               "#2 is the only room that you are in. /bye leaves the house.",
		"/leave #dev":          "You are not in #dev. /rooms numbers",
		"/leave 7":             "You have no room 7; you are in 1.",
		"/go 0":                "You have no room 0; you are in 1.",
		"/go":                  "Use it like this: /go N|#ROOM",
		"/go #nowhere":         "You are not in #nowhere. /rooms numbers the rooms that you are in, /join goes into another.",
		"/go \x1b[2J":          "You are not in #",
		"/join":                "Use it like this: /join #ROOM [PASSWORD]",
		"/join #two/words":     "two",
		"/join #a😀":            "A room name can't hold an emoji",
		"/join #de v":          "There is no room #de yet, so there is no password: /join #de makes it.",
		"/join #1obby":         "",
		"/join #" + "deｖ":      "would work",
		"/join " + "#\u0001aa": "would work",
	} {
		kim.fails(line, want)
	}
	kim.env.Bare = true
	for _, line := range []string{"/join #dev", "/leave", "/go 1"} {
		kim.fails(line, "That would last no longer than this one command.")
	}
}

func TestARoomOfSomebodyWithAnAccountIsTheirs(t *testing.T) {
	kim := newHouse(t).owner("kim")
	kim.does("/join #dev", "")
	if a, owned := kim.h.OwnerOf(dev); !owned || a.Nick != "kim" {
		t.Errorf("#dev is of %+v, %t; want kim", a, owned)
	}
}

func TestJoiningHasItsBounds(t *testing.T) {
	h := newHouse(t)
	kim, lee := h.come("kim", ""), h.come("lee", "")
	kim.env.AtOnce = 3
	kim.does("/join #a1", "")
	kim.does("/join #a2", "")
	kim.fails("/join #a3", "You are in 3 rooms, and more are not possible at once. /leave one of them first.")
	kim.does("/join #a1", "") // where they are already
	kim.env.Exempt = true
	kim.does("/join #a3", "")
	kim.env.Exempt = false
	kim.in("a3", "lobby", "a1", "a2", "a3")

	for n := range 5 {
		lee.does(fmt.Sprintf("/join #b%d", n), "")
	}
	lee.fails("/join #b5", "You came into too many rooms in a minute.")
	lee.env.Total = h.CountRooms()
	lee.fails("/join #b6", "rooms, and no more can be made.")
	lee.env.Total, lee.env.Exempt = 0, true
	lee.does("/join #b5", "")
}

func TestWhereSomebodyWasIsKeptWithTheirAccount(t *testing.T) {
	h := newHouse(t)
	kim, lee := h.owner("kim"), h.come("lee", "")
	saved := func(want string) {
		t.Helper()
		a, _ := kim.Account()
		if got := a.Settings[command.SettingRooms]; got != want {
			t.Errorf("kept are %q, want %q", got, want)
		}
	}
	kim.does("/join #Dev", "")
	saved("lobby dev")
	kim.does("/join #개발", "")
	saved("lobby dev 개발")
	kim.does("/leave #lobby", "* You left #lobby.\n")
	saved("dev 개발")
	kim.getsPart("/account", "rooms that you come back into: #dev #개발\n")
	lee.does("/join #dev", "") // who has no account keeps nothing
}

func TestAPasswordOpensAPrivateRoom(t *testing.T) {
	h := newHouse(t)
	h.private()
	lee, park := h.come("lee", ""), h.owner("park")
	lee.fails("/join #dev", "#dev is private.")
	lee.fails("/join #dev wrong password", "That is not the password of #dev.")
	lee.fails("/join #dev "+secret+"x", "That is not the password of #dev.")
	lee.does("/join #dev "+secret, "")
	lee.in("dev", "lobby", "dev")
	lee.does("/leave", "* You left #dev.\n")
	lee.fails("/join #dev", "#dev is private.")

	park.does("/join #dev  "+secret+" \n", "")
	park.does("/leave", "* You left #dev.\n")
	park.does("/join #dev", "") // whoever has an account needs it once
	m, _ := h.Room(dev)
	if len(m.Invited) != 1 || m.Invited[0].ID != park.Person().ID {
		t.Errorf("invited are %+v, want park alone", m.Invited)
	}
}

func TestPasswordsAreCheckedOneAtATime(t *testing.T) {
	h := newHouse(t)
	h.private()
	var wg sync.WaitGroup
	release := command.HoldChecks()
	for n := range 3 {
		g := h.come(fmt.Sprintf("guest%d", n), "")
		wg.Go(func() {
			if _, err := g.call("/join #dev " + secret); err != nil {
				t.Errorf("join = %v, want them in", err)
			}
		})
	}
	if in := h.People(dev); in != 1 {
		t.Errorf("%d are in while another check goes on, want the owner alone", in)
	}
	release()
	wg.Wait()
	if in := h.People(dev); in != 4 {
		t.Errorf("%d are in at the end, want 4", in)
	}
}

func TestAPasswordIsNotKept(t *testing.T) {
	for line, want := range map[string]string{
		"/join #dev sesame open": "/join #dev",
		"/j  #dev\tsesame":       "/j  #dev",
		"/join #dev\nsesame":     "/join #dev",
		"/join #dev":             "/join #dev",
		"/who #dev sesame":       "/who #dev sesame",
	} {
		name, rest, _ := command.Parse(line)
		c, _ := command.Find(name)
		if got := c.Kept(line, rest); got != want {
			t.Errorf("of %q is kept %q, want %q", line, got, want)
		}
	}
}

func TestWhoMayNotSpeakMakesNoRoom(t *testing.T) {
	h := newHouse(t)
	kim, lee := h.come("kim", "SHA256:kim"), h.come("lee", "")
	kim.becomesOperator()
	bar := room.Bar{Mute: true, Target: room.Target{Persons: []room.PersonID{lee.Person().ID}}, Reason: room.Sentence("noise")}
	if r, err := h.Do(t.Context(), kim.Person(), room.HouseSubject, room.Barred{Bar: bar}); err != nil || r.Void != "" {
		t.Fatalf("mute: %q, %v", r.Void, err)
	}
	lee.fails("/join #mine", "You may read, but not speak in this house")
	kim.does("/join #mine", "")
	lee.does("/join #mine", "")
}

func TestRoomsAreListed(t *testing.T) {
	h := newHouse(t)
	kim := h.private()
	lee, park := h.come("lee", ""), h.owner("park")
	park.does("/join #garden", "")
	lee.does("/join #garden", "")
	park.does("/topic roses", "")
	park.arranges("room/garden", room.AspectLocked, "on")
	park.arranges("room/garden", room.AspectSlow, (10 * time.Second).String())
	park.saysIn("room/garden", "hello")
	kim.looks()
	kim.env.Rooms[0].Unread, kim.env.Rooms[0].Mentions = 3, 1
	got, err := kim.call("/rooms")
	got = regexp.MustCompile(`(one second|\d+ seconds|one minute) ago`).ReplaceAllString(got, "so long ago")
	want := "* 1 #lobby · 3 people · 3 unread · one names you\n* 2 #dev · you look at it · one person · private\n" +
		"* #garden · 2 people · locked · slow: 10 seconds · last line so long ago · topic: roses\n"
	if err != nil || got != want {
		t.Errorf("/rooms answers\n%s\nerr %v, want\n%s", got, err, want)
	}
	lee.looks()
	if got := lee.getsPart("/rooms", "1 #lobby", "2 #garden"); strings.Contains(got, "dev") {
		t.Errorf("lee reads %q, which tells of a private room", got)
	}
	bare := command.Env{House: h.House, Bare: true, Who: kim.Person()}
	for who, want := range map[room.Person]string{kim.Person(): "#lobby\n#dev\n#garden\n", {}: "#lobby\n#garden\n"} {
		bare.Who = who
		a, err := run(t, bare, "/rooms")
		if got := rows(t, a, bare, false); err != nil || got != want {
			t.Errorf("alone %q gets %q, %v; want %q", who.Nick, got, err, want)
		}
	}
}

func TestRoomsGoByPages(t *testing.T) {
	h := newHouse(t)
	kim, lee := h.come("kim", ""), h.come("lee", "")
	lee.env.Exempt = true
	for n := range 24 {
		lee.does(fmt.Sprintf("/join #r%02d", n), "")
	}
	kim.looks()
	first := kim.getsPart("/rooms", "* 1 #lobby · you look at it · 2 people\n* #r00 · one person\n", "* #r18 · one person\naside: There are more: /rooms 2\n")
	if got := strings.Count(first, "\n"); got != 21 {
		t.Errorf("the first page has %d rows, want 20 and one about the next", got)
	}
	if got := kim.getsPart("/rooms page:2", "* #r19 · one person\n", "* #r23 · one person\n"); strings.Count(got, "\n") != 5 {
		t.Errorf("the second page is %q, want 5 rooms", got)
	}
	kim.fails("/rooms 3", "There is no page 3: the last one is 2.")
	kim.fails("/rooms 0", "There is no page 0")
	kim.fails("/rooms all", "Use it like this: /rooms [PAGE]")
	kim.fails("/rooms page:", "Use it like this: /rooms [PAGE]")
	kim.fails("/rooms 99999999999999999999", "There is no page 99999999999999999999: the last one is 2.")
	kim.env.Bare = true // for a program it is no different, but that it gets all when it names no page
	kim.fails("/rooms 9999999999", "There is no page 9999999999: the last one is 2.")
	kim.fails("/rooms all", "Use it like this: rooms [PAGE]")
	kim.getsPart("/rooms", "#lobby\n#r00\n", "#r23\n")
	kim.gets("/rooms 2", "#r19\n#r20\n#r21\n#r22\n#r23\n")
}

func TestTopics(t *testing.T) {
	h := newHouse(t)
	kim, lee := h.owner("kim"), h.come("lee", "")
	kim.does("/join #dev", "")
	lee.does("/join #dev", "")
	lee.does("/topic", "* #dev has no topic. /topic TEXT gives it one.\n")
	kim.does("/topic  release on friday ", "")
	lee.getsPart("/topic", "* topic: release on friday (by kim, 20")
	lee.fails("/topic mine", "Only who keeps #dev sets its topic.")
	lee.does("/go #lobby", "")
	lee.fails("/topic mine", "Only who keeps #lobby sets its topic.")
	kim.fails("/topic two\nlines", "That takes one line of at most 200 bytes; this is 9 bytes in 2 lines.")
	kim.fails("/topic "+strings.Repeat("가", 67), "this is 201 bytes. Make")
	kim.does("/topic "+strings.Repeat("a", 200), "")
	kim.fails("/topic "+strings.Repeat("a", 200), "it is so already")
	kim.does("/topic -", "")
	lee.does("/go #dev", "")
	lee.does("/topic", "* #dev has no topic. /topic TEXT gives it one.\n")
	kim.does("/go #lobby", "")                                             // the topic of a room is not said in another
	kim.does("/topic #Dev fine", "* Done in #dev. /undo takes it back.\n") // nobody reads it here
	kim.getsPart("/topic #dev", "topic: fine (by kim,")
	kim.does("/topic", "* #lobby has no topic. /topic TEXT gives it one.\n")
	kim.does("/topic #dev #1 first", "* Done in #dev. /undo takes it back.\n")
	lee.getsPart("/topic", "topic: #1 first (by kim,")
	lee.fails("/topic #dev mine", "Only who keeps #dev sets its topic.")
	kim.does("/topic #dev -", "* Done in #dev. /undo takes it back.\n")
	kim.does("/topic #dev", "* #dev has no topic. /topic TEXT gives it one.\n")
	kim.fails("/topic #nosuch", "There is no room #nosuch that you may read.")
	kim.fails("/topic #nosuch tea", "There is no room #nosuch that you may read.")
	lee.does("/join #nobodys", "") // what nobody owns, everybody in it may arrange so
	lee.does("/topic ours", "")
	lee.getsPart("/topic", "topic: ours (by lee,")
	kim.fails("/topic #nobodys mine", "You are not in #nobodys.")
	kim.env.Bare, kim.env.Here = true, "room/dev" // a command alone shows no room
	kim.does("/topic #dev hello", "Done in #dev. /undo takes it back.\n")
}

func TestOtherRoomsAreReadByWhoMayKnowOfThem(t *testing.T) {
	h := newHouse(t)
	kim := h.private()
	lee := h.come("lee", "")
	lee.does("/join #open", "")
	lee.saysIn("room/open", "in the open")
	kim.saysIn(dev, "hidden word")
	kim.saysIn(room.Lobby, "common word")
	kim.does("/history in:#open", "[lee] in the open\n")
	kim.does("/history", "[kim] hidden word\n")
	kim.does("/history in:lobby 1", "[kim] common word\n")
	kim.does("/search word", "[kim] hidden word\n")
	kim.does("/search word in:#lobby", "[kim] common word\n")
	kim.does("/search in in:#OPEN", "[lee] in the open\n")
	kim.does("/who #open", "* One person is here: lee\n")
	alone := &guest{Member: lee.Member, h: h, env: command.Env{House: h.House, Names: identity.DefaultRules(), Bare: true}}
	for _, g := range []*guest{lee, alone} {
		for _, name := range []string{"#dev", "#nothing"} {
			for _, line := range []string{"/history in:" + name, "/search word in:" + name, "/who " + name} {
				g.fails(line, "There is no room "+name+" that you may read. /rooms lists those that there are.")
			}
			g.env.Here = room.Subject("room/" + name[1:])
			for _, line := range []string{"/history", "/search word", "/who"} { // as in ssh '#dev'@host history
				g.fails(line, "There is no room "+name+" that you may read.")
			}
			g.env.Here = ""
		}
	}
	invited := room.Invited{Whom: lee.Person()}
	if r, err := h.Do(t.Context(), kim.Person(), dev, invited); err != nil || r.Void != "" {
		t.Fatalf("invite: %q, %v", r.Void, err)
	}
	lee.gets("/history in:#dev", "[kim] hidden word\n")
	alone.env.Who = kim.Person()
	alone.gets("/history in:#dev", "[kim] hidden word\n")
	alone.env.Here = dev
	alone.gets("/search word", "[kim] hidden word\n")
}

func TestCatchupTellsNothingOfARoomThatIsClosedByNow(t *testing.T) {
	h := newHouse(t)
	kim, lee := h.private(), h.come("lee", "")
	lee.does("/join #dev "+secret, "")
	kim.saysIn(dev, "hidden")
	all := room.Span{From: 1, Before: 1000}
	lee.env.Gaps = []command.Gap{{Where: dev, Lines: all, Letters: all}}
	lee.getsPart("/catchup", "[kim] hidden\n")
	if _, err := h.Do(t.Context(), kim.Person(), dev, room.Kicked{Whom: lee.Person()}); err != nil {
		t.Fatal(err)
	}
	if got := lee.getsPart("/catchup", "What was skipped:"); strings.Contains(got, "hidden") {
		t.Errorf("after a kick /catchup shows %q, want nothing of the private room", got)
	}
}

func TestALookalikeOfAPrivateRoomIsNotNamed(t *testing.T) {
	h := newHouse(t)
	kim := h.owner("kim")
	kim.does("/join #ha11", "")
	lee := h.come("lee", "")
	lee.fails("/join #hall", "#hall can be mistaken for #ha11, which there is.")
	kim.arranges("room/ha11", room.AspectPrivate, "on")
	lee.fails("/join #hall", "#hall is taken, or can be mistaken for a room that there is. Choose another name.")
	kim.fails("/join #hall", "#hall can be mistaken for #ha11, which there is.")
}
