package command_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sarangbang/internal/command"
	"sarangbang/internal/i18n"
	"sarangbang/internal/identity"
	"sarangbang/room"
)

// from brings somebody in by an address.
func (h *house) from(nick, key, addr string) *guest {
	h.t.Helper()
	g := h.comeFrom(nick, key, addr)
	g.env.Here, g.env.Contact = room.Lobby, "help@example.org"
	return g
}

// owned brings in somebody with an account.
func (h *house) owned(nick string) *guest {
	h.t.Helper()
	g := h.from(nick, "SHA256:"+nick, "198.51.100.1")
	if void, err := g.Register(h.t.Context()); void != "" || err != nil {
		h.t.Fatalf("Register of %s = %q, %v; want an account", nick, void, err)
	}
	return g
}

// operator brings in an operator of the house.
func (h *house) operator(nick string) *guest {
	h.t.Helper()
	g := h.owned(nick)
	if err := h.Appoint(h.t.Context(), []string{g.Key()}); err != nil {
		h.t.Fatal(err)
	}
	return g
}

// opens makes a room of the guest's, and turns to it.
func (g *guest) opens(name string) room.Subject {
	g.h.t.Helper()
	parsed, err := identity.DefaultRules().ParseRoom(name)
	if err != nil {
		g.h.t.Fatal(err)
	}
	where := room.SubjectOf(parsed.CaseKey())
	by := room.Entry{Where: where, Open: &room.Opened{Name: room.Nick(name), Names: parsed.Keys()}}
	if _, err := g.Join(g.h.t.Context(), by); err != nil {
		g.h.t.Fatalf("%s cannot open %s: %v", g.Person().Nick, name, err)
	}
	g.env.Here = where
	return where
}

// goes brings the guest into a room.
func (g *guest) goes(where room.Subject) *guest {
	g.h.t.Helper()
	if _, err := g.Join(g.h.t.Context(), room.Entry{Where: where}); err != nil {
		g.h.t.Fatalf("%s cannot come into %s: %v", g.Person().Nick, where, err)
	}
	g.env.Here = where
	return g
}

// speaks says something in the room where the guest is, and returns what became of it.
func (g *guest) speaks(text string) room.Void {
	g.h.t.Helper()
	results, err := g.Post(g.h.t.Context(), g.env.Here, room.Said{Text: room.Sentence(text)})
	if err != nil {
		g.h.t.Fatal(err)
	}
	return results[0].Void
}

// peace is a house with somebody of each role in #dev, and a guest who gives cause for it all.
type peace struct {
	*house
	dev                        room.Subject
	op, owner, mod, also, rude *guest
}

func newPeace(t *testing.T) *peace {
	t.Helper()
	h := newHouse(t)
	p := &peace{house: h, op: h.operator("chief"), owner: h.owned("olive"), mod: h.owned("mona"), also: h.owned("milo")}
	p.dev = p.owner.opens("dev")
	p.mod.goes(p.dev)
	p.also.goes(p.dev)
	p.op.goes(p.dev)
	p.rude = h.from("rude", "", "192.0.2.7").goes(p.dev)
	for _, nick := range []string{"mona", "milo"} {
		p.owner.getsPart("/grant "+nick+" moderator", nick+" is a moderator of #dev now.")
	}
	return p
}

func TestKick(t *testing.T) {
	p := newPeace(t)
	p.rude.fails("/kick mona", "/kick takes a moderator of #dev. Ask olive, mona, milo.")
	p.mod.getsPart("/kick rude loud\nand rude", "rude is out of #dev.")
	if p.rude.In(p.dev) {
		t.Error("the kicked are in the room, want them out")
	}
	p.rude.goes(p.dev)
	p.mod.fails("/kick nobody", "nobody")
	p.mod.fails("/kick", "/kick NICK [REASON]")
	p.mod.fails("/kick "+"rude "+strings.Repeat("x", 500), "at most 400 bytes")
	for _, who := range []string{"olive", "milo", "chief", "mona"} {
		p.mod.fails("/kick "+who, "role here is not below yours")
	}
	p.mod.fails("/undo", "Nothing of yours can be taken back. The last was: #dev · mona put rude out of the room. The reason: loud and rude.")
}

func TestMuteEndsByItselfOrByUnmute(t *testing.T) {
	p := newPeace(t)
	p.mod.getsPart("/mute rude", "rude may not speak in #dev until ", "It hit 1 here now: rude", "To take it back: /undo or /unmute rude")
	if void := p.rude.speaks("hello"); void != room.VoidMuted {
		t.Errorf("a muted line is %q, want %q", void, room.VoidMuted)
	}
	bar := p.Bars(p.dev)[0]
	if left := time.Until(bar.Until); left > 10*time.Minute || left < 9*time.Minute {
		t.Errorf("muted for %v, want ten minutes where nothing else is said", left)
	}
	p.mod.getsPart("/unmute rude", "rude may speak in #dev again.")
	if void := p.rude.speaks("hello"); void != "" {
		t.Errorf("a line after /unmute is %q, want it said", void)
	}
	p.mod.fails("/unmute rude", "No mute is meant by rude")
	p.op.getsPart("/mute --house rude 1h shouting", "rude may not speak in this house until", "The reason: shouting.")
	p.mod.fails("/unmute rude", "No mute is meant") // it is none of the room's
	p.op.getsPart("/unmute rude", "rude may speak in this house again.")
}

func TestBanByNickname(t *testing.T) {
	p := newPeace(t)
	dry := p.mod.getsPart("/ban rude 7d spam —dry-run", "This would keep rude out of #dev until ", "The reason: spam.", "Hit now (1): rude (#dev)", "Nothing was done.")
	if strings.Contains(dry, "192.0.2") {
		t.Errorf("a moderator reads %q, want no address", dry)
	}
	p.op.getsPart("/ban rude --dry-run", "rude (#dev, #lobby, 192.0.2.7)"[:10])
	if len(p.Bars(p.dev)) > 0 || !p.rude.In(p.dev) {
		t.Error("a dry run banned somebody")
	}
	p.mod.fails("/ban rude spam --dryrun", "There is no --dryrun here.")
	if len(p.Bars(p.dev)) > 0 {
		t.Error("a mistyped flag banned somebody")
	}
	p.mod.getsPart("/ban rude 7d spam", "rude is kept out of #dev until", "It hit 1 here now: rude", "/undo or /unban rude")
	if p.rude.In(p.dev) || !p.rude.In(room.Lobby) {
		t.Errorf("the banned are in %v, want them out of #dev and in the lobby", p.rude.Rooms())
	}
	p.rude.leave()
	back := p.from("rude", "", "192.0.2.7")
	if _, err := back.Join(t.Context(), room.Entry{Where: p.dev}); err == nil {
		t.Error("who is banned by nickname comes back under it")
	}
	p.mod.getsPart("/bans", "1. rude: kept out of #dev until ", "By mona, ", "The reason: spam.")
	p.mod.fails("/unban 2", "No ban is meant by 2")
	p.mod.getsPart("/unban 1", "rude may come into #dev again.")
	p.mod.gets("/bans", "* Nobody is kept out or silent in #dev.\n")
	back.goes(p.dev)
}

// Whose ban ends while somebody lifts it is as free as they were to be.
func TestABanIsLiftedOnce(t *testing.T) {
	p := newPeace(t)
	for range 30 {
		p.mod.getsPart("/ban rude 7d spam", "rude is kept out of #dev until")
		p.mod.getsPart("/ban rude 8d spam", "rude is kept out of #dev until")
		var wg sync.WaitGroup
		for _, g := range []*guest{p.mod, p.op} {
			wg.Go(func() {
				got, err := g.call("/unban #dev rude")
				if none := err != nil && strings.Contains(err.Error(), "No ban is meant by rude"); !none && (err != nil || !strings.Contains(got, "rude may come into #dev again.")) {
					t.Errorf("two who lift a ban at once read %q, %v; want that it is lifted, or that there is none", got, err)
				}
			})
		}
		wg.Wait()
		if bars := p.Bars(p.dev); len(bars) > 0 {
			t.Fatalf("still in force: %v", bars)
		}
	}
}

func TestBanMeansWhoLeftAndWhoIsAway(t *testing.T) {
	p := newPeace(t)
	keyed := p.from("gone", "SHA256:gone", "192.0.2.8").goes(p.dev)
	keyed.leave()
	lost := p.owned("lost")
	lost.leave()
	p.mod.getsPart("/ban gone --dry-run", "Nobody here now is hit.", "Here in the last 24 hours and gone now (1): gone (")
	p.mod.getsPart("/ban gone", "gone is kept out of #dev")
	p.mod.getsPart("/ban lost forever", "lost is kept out of #dev until somebody lifts it.")
	for _, key := range []string{"SHA256:gone", "SHA256:lost"} {
		nick := map[string]string{"SHA256:gone": "other", "SHA256:lost": "lost"}[key]
		g := p.from(nick, key, "192.0.2.9")
		if _, err := g.Join(t.Context(), room.Entry{Where: p.dev}); err == nil {
			t.Errorf("%s comes in by the key %s, want it kept out", nick, key)
		}
	}
	p.mod.fails("/ban neverseen", "Nobody is called neverseen")
}

func TestBanByAddress(t *testing.T) {
	p := newPeace(t)
	p.mod.fails("/ban 192.0.2.7", "/ban ADDRESS takes an operator of this house. Ask chief.")
	p.mod.fails("/ban rude --address", "/ban --address takes an operator of this house. Ask chief.")
	p.mod.fails("/ban rude --house", "/ban --house takes an operator of this house.")
	p.mod.fails("/ban SHA256:"+strings.Repeat("A", 43), "takes an operator")
	class := []*guest{p.from("ana", "", "203.0.113.5"), p.from("ben", "", "203.0.113.5")}
	p.from("zoe", "", "203.0.113.5").leave()
	p.op.fails("/ban 203.0.113.5 1h nuisance", "Not done: 3 people come from there, among them ana, ben, zoe.")
	dry := p.op.getsPart("/ban 203.0.113.0/24 --dry-run", "Hit now (2): ana (#lobby, 203.0.113.5), ben (#lobby, 203.0.113.5)", "gone now (1): zoe (", "203.0.113.5)",
		"3 people share that address: it takes --shared.")
	if strings.Contains(dry, "chief") {
		t.Errorf("it would hit %s, want no operator", dry)
	}
	p.op.getsPart("/ban 203.0.113.5 1h nuisance --shared", "203.0.113.5 is kept out of this house until", "It hit 2 here now: ana, ben")
	for _, g := range class {
		if g.Dismissed() == nil {
			t.Errorf("%s stays, want them put out", g.Person().Nick)
		}
		g.leave()
	}
	p.mod.gets("/bans", "* Nobody is kept out or silent in #dev.\n") // of the house only operators read
	p.op.getsPart("/bans", "1. 203.0.113.5: kept out of this house")
	p.op.getsPart("/undo --dry-run", "/undo would take back: chief keeps somebody out of the house", "[203.0.113.5]")
	p.op.getsPart("/undo", "Taken back: chief keeps somebody out of the house")
	p.from("ana", "", "203.0.113.5")
	for _, as := range []string{"192.0.2.99", "192.0.2.99/32", "::ffff:192.0.2.99"} { // one address, however it was typed
		p.op.getsPart("/ban "+as+" 1h --dry-run", "This would keep 192.0.2.99 out of this house until ")
		p.op.getsPart("/ban "+as+" 1h", "192.0.2.99 is kept out of this house until ", "To take it back: /undo or /unban 192.0.2.99\n")
		p.op.getsPart("/unban "+as, "192.0.2.99 may come into this house again.")
	}
	p.op.fails("/ban 0.0.0.0/0", "too wide: at least /8")
	p.op.fails("/ban fe80::1%eth0", "leave away what stands behind the %")
	p.op.getsPart("/ban 2001:db8::7 --dry-run", "keep 2001:db8::/64 out of this house")
	p.op.getsPart("/ban rude --address", "rude (192.0.2.7) is kept out of this house")
	if bar := p.Bars(room.HouseSubject)[0]; len(bar.Target.Nets) != 1 || bar.Target.Nets[0].String() != "192.0.2.7/32" {
		t.Errorf("--address means %v, want 192.0.2.7/32", bar.Target.Nets)
	}
}

// Whatever they type, operators keep themselves in.
func TestOperatorsAreNotLockedOut(t *testing.T) {
	p := newPeace(t)
	granted := p.owned("grant")
	p.op.getsPart("/grant grant operator", "grant is an operator of this house now.")
	p.op.getsPart("/ban 198.51.100.0/24 forever --shared", "kept out of this house")
	for _, g := range []*guest{p.op, granted} {
		if g.Dismissed() != nil {
			t.Errorf("%s was put out, want operators to stay", g.Person().Nick)
		}
		g.leave()
		again := p.from(string(g.Person().Nick), g.Key(), "198.51.100.1")
		if void := again.speaks("here"); void != "" {
			t.Errorf("%s says nothing: %q", g.Person().Nick, void)
		}
	}
	again := p.from("chief", p.op.Key(), "198.51.100.1")
	for _, line := range []string{"/ban chief", "/mute grant --house", "/ban " + p.op.Key(), "/kick grant", "/mute chief"} {
		again.fails(line, "")
	}
}

func TestUndoTakesBackTheLastActAndNamesIt(t *testing.T) {
	p := newPeace(t)
	p.rude.fails("/undo", "nothing of yours from the last 24 hours")
	p.mod.getsPart("/slow 10s", "Done in #dev.")
	p.mod.getsPart("/slow", "each person may speak once in 10s")
	p.mod.getsPart("/lock on", "Done in #dev.")
	p.mod.getsPart("/ban rude", "kept out")
	p.mod.getsPart("/undo --dry-run", "/undo would take back: #dev · mona keeps rude out of the room")
	if len(p.Bars(p.dev)) != 1 {
		t.Error("--dry-run took the ban back")
	}
	p.mod.getsPart("/undo", "Taken back: #dev · mona keeps rude out of the room")
	p.mod.getsPart("/undo", "Taken back: #dev · mona locked the room")
	p.mod.getsPart("/undo", "Taken back: #dev · mona made the room slow")
	p.mod.fails("/undo", "nothing of yours")
	if m, _ := p.Room(p.dev); m.Locked || m.Slow != 0 || len(p.Bars(p.dev)) > 0 {
		t.Errorf("after /undo the room is %+v, want it as before", m)
	}
	p.mod.fails("/slow 2h", "Write 1s to 1h")
	p.mod.fails("/undo --all", "There is no --all here. What works: --dry-run.")
}

func TestStrike(t *testing.T) {
	p := newPeace(t)
	p.rude.speaks("fine")
	p.rude.speaks("awful\n[chief] me too")
	listed := p.mod.getsPart("/history --ids", "[rude] fine\n", "[rude] awful / [chief] me too\n")
	rows := strings.Split(strings.TrimSpace(listed), "\n")
	id, _, _ := strings.Cut(strings.TrimPrefix(rows[len(rows)-1], "* "), " ")
	p.rude.fails("/strike "+id, "/strike takes a moderator of #dev.")
	p.mod.fails("/strike 12345", "at least 6 of the digits")
	p.mod.fails("/strike zzzzzz", "is no ID")
	p.mod.fails("/strike "+strings.Repeat("abcdef ", 51), "At most 50 lines")
	if id[:6] != "000000" {
		p.mod.fails("/strike 000000", "No line of #dev has the ID 000000")
	}
	p.mod.fails("/strike #lobby "+id, "/strike takes a moderator of #lobby.")
	p.mod.getsPart("/strike "+id+" "+id[:6], "One line is struck.")
	p.mod.fails("/strike "+id, "is struck already")
	listed = p.mod.getsPart("/history --ids", "[rude] fine\n", id)
	if strings.Contains(listed, "awful") {
		t.Errorf("the history is %q, want the line struck", listed)
	}
	p.mod.getsPart("/undo", "Taken back: #dev · One line was struck by mona.")
	p.mod.getsPart("/history --ids", "awful")
}

func TestAudit(t *testing.T) {
	p := newPeace(t)
	p.mod.getsPart("/mute rude 1h spam", "may not speak")
	p.mod.getsPart("/undo", "Taken back")
	p.op.getsPart("/ban 192.0.2.7 1h", "kept out of this house")
	p.owner.getsPart("/room private", "Done")
	p.owner.getsPart("/room password a good one", "Done")
	rows := p.mod.getsPart("/audit", "#dev · olive opened the room.", "olive made mona a moderator", "mona keeps rude from speaking in the room until ",
		"The reason: spam. (taken back)", "mona took this back: #dev · mona keeps rude from speaking in the room until ", "olive made the room private", "olive changed the password of the room.")
	if strings.Contains(rows, "192.0.2") || strings.Contains(rows, "pbkdf2") {
		t.Errorf("a moderator reads\n%s\nwant neither addresses nor hashes", rows)
	}
	rows = p.op.getsPart("/audit", "[192.0.2.7]", "#dev · olive changed the password", "The configuration names 1 key of operators. [SHA256:chief]")
	if strings.Contains(rows, "pbkdf2") {
		t.Errorf("an operator reads\n%s\nwant no hash", rows)
	}
	if got := strings.Count(p.op.getsPart("/audit #dev 2"), "\n"); got != 2 {
		t.Errorf("/audit #dev 2 has %d rows, want 2", got)
	}
	p.mod.fails("/audit 0", "1000 at most")
	p.mod.fails("/audit x", "/audit [#ROOM] [N]")
	p.rude.fails("/audit", "/audit takes a moderator")
	p.mod.fails("/audit #nowhere", "#nowhere")
}

func TestGrantAndRevoke(t *testing.T) {
	p := newPeace(t)
	p.mod.fails("/grant rude moderator", "/grant takes the owner of #dev. Ask olive")
	p.owner.fails("/grant rude moderator", "rude has no account")
	p.owner.fails("/grant mona", "/grant NICK ROLE")
	p.owner.fails("/grant mona operator", "/grant NICK operator takes an operator of this house. Ask chief.")
	p.owner.getsPart("/revoke mona", "mona has no role in #dev any more")
	p.mod.fails("/kick rude", "takes a moderator")
	p.owner.getsPart("/undo", "Taken back: #dev · olive took from mona the role in the room.")
	p.owner.getsPart("/grant mona owner", "mona is the owner of #dev now.")
	p.mod.fails("/revoke chief", "/revoke OPERATOR takes an operator")
	p.op.fails("/revoke chief", "by the configuration of the house")
	p.op.env.Here = room.Lobby
	p.op.fails("/grant mona owner", "Nobody owns the lobby.")
	p.op.getsPart("/grant mona moderator", "mona is a moderator of #lobby now.")
	p.mod.env.Here = room.Lobby
	p.mod.getsPart("/kick rude", "rude is out of #lobby")
	p.mod.fails("/grant milo moderator", "/grant takes an operator of this house. Ask chief.") // who keeps the lobby first does not own it
	p.op.getsPart("/grant mona operator", "mona is an operator of this house now.")
	p.op.env.Here = p.dev
	p.op.getsPart("/revoke olive", "olive has no role in #dev")
}

func TestPrivateRooms(t *testing.T) {
	p := newPeace(t)
	p.owner.getsPart("/room", "public: everybody may come in", "olive (the owner), mona (a moderator)")
	p.owner.getsPart("/room password open sesame", "has a password now, but everybody comes in")
	p.owner.getsPart("/room private", "Done in #dev.")
	p.owner.getsPart("/room", "private: only people who are invited come in", "it has a password")
	kid := p.from("kid", "", "192.0.2.10")
	kid.fails("/kick #dev rude", "#dev") // they may not learn of it
	p.mod.getsPart("/invite kid", "kid may come into #dev.")
	p.owner.getsPart("/room", "invited: ", "kid")
	kid.goes(p.dev)
	p.mod.getsPart("/uninvite kid", "kid is not invited into #dev any more.")
	if !kid.In(p.dev) {
		t.Error("who was inside is out, want them to stay")
	}
	p.owner.fails("/room password short", "at least 8 characters")
	p.owner.fails("/room private now", "/room [CHANGE]")
	p.owner.fails("/room #lobby private", "Everybody comes into the lobby: that cannot be changed.")
	p.op.fails("/room #lobby private", "Everybody comes into the lobby")
	m, _ := p.Room(p.dev)
	if !identity.CheckPassword(m.Password, "open sesame") {
		t.Error("the room's hash does not match its password")
	}
	p.owner.getsPart("/room password off", "Done in #dev.")
}

// What is typed behind /room password is kept in no history.
func TestPasswordsOfRoomsAreNotKept(t *testing.T) {
	for line, want := range map[string]string{
		"/room password open sesame":         "/room password",
		"/room  #dev  PASSWORD\nopen sesame": "/room  #dev PASSWORD",
		"/방 password x":                      "/방 password",
		"/room private":                      "/room private",
		"/room #dev public":                  "/room #dev public",
	} {
		name, rest, _ := command.Parse(line)
		c, _ := command.Find(name)
		if got := c.Kept(line, rest); got != want {
			t.Errorf("of %q is kept %q, want %q", line, got, want)
		}
	}
}

type words struct{}

func (words) Motd(i18n.Lang) room.Text  { return room.Sentence("be\nwelcome") }
func (words) Rules(i18n.Lang) room.Text { return room.Text{} }

func TestMotdRulesAndAnnouncements(t *testing.T) {
	p := newPeace(t)
	p.rude.gets("/motd", "* This house has no greeting.\n")
	p.rude.env.Words = words{}
	p.rude.gets("/motd", "* be\n* welcome\n")
	p.rude.gets("/rules", "* This house has written no rules down.\n")
	p.mod.fails("/announce hi", "/announce takes an operator of this house. Ask chief.")
	p.op.gets("/announce back at ten", "")
	p.op.fails("/announce", "/announce TEXT")
}

// doors are the ways by which commands are called.
var doors = map[string]func(*command.Env){
	"terminal": func(e *command.Env) { e.Terminal = true },
	"pipe":     func(*command.Env) {},
	"alone":    func(e *command.Env) { e.Bare = true },
}

// finer is what some words behind a command take beyond the command itself, by the deed.
var finer = map[room.Deed][]string{
	room.DeedHouseBan:  {"ban --house nobody", "mute nobody --house", "ban SHA256:" + strings.Repeat("A", 43), "mute SHA256:" + strings.Repeat("A", 43)},
	room.DeedAddresses: {"ban 192.0.2.99 --dry-run", "mute 192.0.2.99 --dry-run", "ban nobody --address", "mute nobody --address"},
	room.DeedAppoint:   {"grant guest operator"},
}

// elsewhere are deeds that no refusal of a command is about: everybody may open a room, and /topic has rules of its own.
var elsewhere = []room.Deed{room.DeedOpen, room.DeedTopic}

// Every command, for every role, in the room and outside, by every door: it is refused exactly when the table of powers says so, and the
// refusal says what is missing.
func TestEveryCommandIsRefusedExactlyByTheTableOfPowers(t *testing.T) {
	p := newPeace(t)
	type caller struct {
		*guest
		role   room.Role
		inside bool
	}
	away := p.owned("member")
	callers := []caller{
		{p.rude, room.RoleGuest, true},
		{p.from("guest", "", "192.0.2.11"), room.RoleGuest, false},
		{p.owned("inner").goes(p.dev), room.RoleMember, true},
		{away, room.RoleMember, false},
		{p.mod, room.RoleModerator, true},
		{p.also, room.RoleModerator, false},
		{p.owner, room.RoleOwner, true},
		{p.op, room.RoleOperator, true},
		{p.operatorToo("second"), room.RoleOperator, false},
	}
	if _, err := p.also.Part(t.Context(), p.dev); err != nil {
		t.Fatal(err)
	}
	lines := map[string][]room.Deed{}
	used := map[room.Deed]bool{}
	for _, c := range command.Table() {
		if c.Run != nil && !slices.Contains([]string{"bye", "account"}, c.Name) {
			line := c.Name
			if line == "undo" {
				line += " --dry-run" // or it takes the role of somebody back whose turn is still to come
			}
			lines[line] = []room.Deed{c.Needs}
			used[c.Needs] = true
		}
	}
	for deed, all := range finer {
		used[deed] = true
		for _, line := range all {
			name, _, _ := strings.Cut(line, " ")
			c, _ := command.Find(name)
			lines[line] = []room.Deed{c.Needs, deed}
		}
	}
	for deed := range room.Deeds() {
		if !used[deed] && !slices.Contains(elsewhere, deed) {
			t.Errorf("no command is for %q", deed)
		}
	}
	for _, who := range callers {
		if got := p.RoleIn(who.Person(), p.dev); got != who.role || who.In(p.dev) != who.inside {
			t.Fatalf("%s is %s, inside %t; want %s, %t", who.Person().Nick, got, who.In(p.dev), who.role, who.inside)
		}
		for door, as := range doors {
			for line, deeds := range lines {
				env := who.env
				as(&env)
				env.Here = p.dev
				name, rest, _ := command.Parse("/" + line)
				c, _ := command.Find(name)
				_, err := c.Do(t.Context(), &command.Call{Env: env, Name: name, Rest: rest})
				want := ""
				for _, d := range deeds {
					if d != "" && who.role < d.Needs() && want == "" {
						want = " takes " + env.Lang.Text(i18n.Role(d.Needs().String()))
					}
				}
				got := ""
				if err != nil {
					got = err.Error()
				}
				slash := map[bool]string{true: name, false: "/" + name}[env.Bare]
				switch refused := strings.Contains(got, " takes a moderator of ") || strings.Contains(got, " takes the owner of ") || strings.Contains(got, " takes an operator of "); {
				case refused != (want != ""):
					t.Errorf("%s %s by %s: %q; want it refused: %t", who.role, line, door, got, want != "")
				case refused && (!strings.HasPrefix(got, slash) || !strings.Contains(got, want) || !strings.Contains(got, " Ask ")):
					t.Errorf("%s %s by %s: %q; want it to begin with %q, and to say %q and whom to ask", who.role, line, door, got, slash, want)
				}
			}
		}
	}
}

// operatorToo brings in an operator beside the one that there is.
func (p *peace) operatorToo(nick string) *guest {
	p.t.Helper()
	g := p.owned(nick)
	p.op.getsPart("/grant "+nick+" operator", nick+" is an operator")
	return g
}

// Who keeps the room and the house, too, loses by /revoke what they are in the room, and only by another what they are in the house.
func TestRevokeTakesTheRoleInTheRoomFirst(t *testing.T) {
	p := newPeace(t)
	second := p.operatorToo("second").Person()
	p.owner.getsPart("/grant second moderator", "second is a moderator of #dev now.")
	p.op.getsPart("/revoke second", "second has no role in #dev any more")
	if role := p.RoleIn(second, room.HouseSubject); role != room.RoleOperator {
		t.Errorf("in the house they are a %s, want an operator still", role)
	}
	p.op.getsPart("/revoke second", "second has no role in this house any more")
	if role := p.RoleIn(second, room.HouseSubject); role != room.RoleMember {
		t.Errorf("in the house they are a %s, want a member", role)
	}
}

// Help lists exactly what the caller may do in the room where they are.
func TestHelpListsWhatTheCallerMayDo(t *testing.T) {
	p := newPeace(t)
	for _, g := range []*guest{p.rude, p.mod, p.owner, p.op} {
		for _, where := range []room.Subject{p.dev, room.Lobby} {
			g.env.Here = where
			shown, err := g.call("/help")
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range command.Table() {
				may := c.Needs == "" || p.RoleIn(g.Person(), where) >= c.Needs.Needs()
				if listed := strings.Contains(shown, "\n* /"+c.Name+" "); c.Name != "help" && listed != may {
					t.Errorf("/help of %s in %s lists /%s: %t, want %t", g.Person().Nick, where, c.Name, listed, may)
				}
			}
		}
	}
	p.rude.getsPart("/help ban", "/ban WHOM", "This takes a moderator.")
}

// What a dry run says is what the act then does: over random houses, by every kind of target, in rooms and in the house.
func TestDryRunIsWhatTheActDoes(t *testing.T) {
	for seed := range uint64(12) {
		h := newHouse(t)
		r := rand.New(rand.NewPCG(seed, 4))
		op := h.operator("chief")
		var rooms []room.Subject
		for i := range 3 {
			rooms = append(rooms, op.opens(fmt.Sprintf("room%d", i)))
		}
		var people []*guest
		keys := []string{"", "", "SHA256:one", "SHA256:two"}
		for i := range 14 {
			g := h.from(fmt.Sprintf("p%d", i), keys[r.IntN(len(keys))], fmt.Sprintf("192.0.%d.%d", r.IntN(2), r.IntN(3)))
			if r.IntN(3) == 0 && g.Key() != "" {
				_, _ = g.Register(t.Context())
			}
			for _, where := range rooms {
				if r.IntN(2) == 0 {
					_, _ = g.Join(t.Context(), room.Entry{Where: where})
				}
			}
			people = append(people, g)
		}
		for _, i := range r.Perm(len(people))[:4] {
			people[i].leave()
		}
		mod := h.owned("mona")
		for _, where := range rooms {
			op.getsPart("/grant #"+strings.TrimPrefix(string(where), "room/")+" mona moderator", "mona is a moderator")
		}
		authors := []*guest{op, op, mod, people[0]}
		for range 12 {
			some := append(people, mod)[r.IntN(len(people)+1)].Person()
			by := authors[r.IntN(len(authors))]
			targets := []room.Target{
				{Persons: []room.PersonID{some.ID}},
				{Keys: []string{keys[2+r.IntN(2)]}},
				{Names: []string{"case:" + string(some.Nick)}},
				{Nets: []netip.Prefix{netip.MustParsePrefix(fmt.Sprintf("192.0.%d.0/24", r.IntN(2)))}},
				{Nets: []netip.Prefix{netip.MustParsePrefix("192.0.0.1/32")}, Persons: []room.PersonID{some.ID}},
			}
			bar := room.Bar{
				Mute: r.IntN(2) == 0, Target: targets[r.IntN(len(targets))], Label: "them", By: by.Person(), At: time.Now(),
				Where: append(slices.Clone(rooms), room.Lobby, room.HouseSubject)[r.IntN(len(rooms)+2)],
			}
			p := h.Preview(bar)
			before := map[room.PersonID][]room.Subject{}
			for _, g := range people {
				before[g.Person().ID] = h.RoomsOf(g.Person().ID)
			}
			result, err := h.Do(t.Context(), by.Person(), bar.Where, room.Barred{Bar: bar})
			if err != nil {
				t.Fatal(err)
			}
			if result.Void != p.Void || p.Void == "" && !slices.Equal(result.Out, p.Here) {
				t.Errorf("seed %d: the act is %q and hits %v; its preview said %q and %v", seed, result.Void, result.Out, p.Void, p.Here)
			}
			for _, g := range people {
				id := g.Person().ID
				hit := slices.ContainsFunc(p.Here, func(q room.Person) bool { return q.ID == id })
				want := slices.DeleteFunc(slices.Clone(before[id]), func(where room.Subject) bool {
					return hit && p.Void == "" && !bar.Mute && (bar.Where == room.HouseSubject || bar.Where == where)
				})
				if got := h.RoomsOf(id); !slices.Equal(got, want) {
					t.Errorf("seed %d: %s is in %v after %+v, want %v", seed, g.Person().Nick, got, bar, want)
				}
			}
			if r.IntN(2) == 0 && p.Void == "" && by == op {
				op.getsPart("/undo", "Taken back")
			}
		}
	}
}

// What cannot be taken back does not stand before what can, and a trial says the same as the act.
func TestUndoPassesOverWhatDoesNotGoBack(t *testing.T) {
	p := newPeace(t)
	p.mod.getsPart("/slow 10s", "Done")
	p.mod.getsPart("/lock on", "Done")
	p.also.getsPart("/lock off", "Done")
	for range mostPassedByUndo {
		p.mod.getsPart("/kick rude", "rude is out")
		p.rude.goes(p.dev)
	}
	dry := p.mod.getsPart("/undo --dry-run", "/undo would take back: #dev · mona made the room slow", "Passed over, since a kick does not go back: #dev · mona put rude out of the room.",
		"Passed over, too: 1 more.")
	if m, _ := p.Room(p.dev); m.Slow == 0 {
		t.Error("--dry-run took something back")
	}
	done := p.mod.getsPart("/undo", "Taken back: #dev · mona made the room slow")
	if got := strings.Replace(done, "Taken back", "/undo would take back", 1); got != dry {
		t.Errorf("/undo does\n%s\nits trial said\n%s", done, dry)
	}
	if m, _ := p.Room(p.dev); m.Slow != 0 {
		t.Errorf("the room is slow by %v after /undo, want it as before", m.Slow)
	}
	p.mod.fails("/undo", "Nothing of yours can be taken back. The last was: #dev · mona put rude out of the room.")
	p.also.getsPart("/mute rude 1h", "may not speak")
	p.mod.getsPart("/unmute rude", "may speak")
	p.also.getsPart("/undo", "Taken back: #dev · milo unlocked the room.", "Passed over, since it has ended or was changed: #dev · milo keeps rude from speaking")
}

// mostPassedByUndo is how many acts /undo names that it passes over.
const mostPassedByUndo = 3

// Moderators may strike what anybody said in the room, those above them too.
func TestModeratorsStrikeLinesOfTheOwner(t *testing.T) {
	p := newPeace(t)
	for _, above := range []*guest{p.owner, p.op, p.also} {
		p.mod.getsPart("/strike "+p.spoken(above, "call 555 0100"), "One line is struck.")
		p.op.getsPart("/audit #dev 1", "One line was struck by mona.")
		for _, g := range []*guest{above, p.rude} {
			if got, err := g.call("/history"); err != nil || strings.Contains(got, "555 0100") {
				t.Errorf("%s still reads\n%s\nerr %v, want the line of %s struck", g.Person().Nick, got, err, above.Person().Nick)
			}
		}
	}
	p.rude.fails("/strike "+p.spoken(p.owner, "more"), "/strike takes a moderator of #dev.")
}

// What was taken back stands in the audit with its room and its person, and who came in by the password did not invite themselves.
func TestAuditNamesWhatWasTakenBackAndWhoKnewThePassword(t *testing.T) {
	p := newPeace(t)
	p.owner.getsPart("/revoke milo", "milo has no role")
	p.owner.getsPart("/undo", "Taken back")
	p.owner.getsPart("/audit", "olive took this back: #dev · olive took from milo the role in the room.")
	p.owner.getsPart("/audit 1", "olive took this back: #dev · olive took from milo the role in the room.") // which is not among the shown
	p.op.getsPart("/audit", "olive took this back: #dev · olive took from milo")
	p.owner.getsPart("/room private", "Done")
	p.owner.getsPart("/room password open sesame", "Done")
	evil := p.owned("evil")
	if _, err := evil.call("/join #dev open sesame"); err != nil {
		t.Fatal(err)
	}
	p.owner.getsPart("/audit", "#dev · evil came in by the password.")
}

// One guest who comes and goes is one guest.
func TestDryRunNamesEachOnce(t *testing.T) {
	p := newPeace(t)
	for range 3 {
		p.from("pest", "", "192.0.2.66").leave()
	}
	p.from("pest", "", "192.0.2.67").leave()
	dry := p.op.getsPart("/ban pest --house --dry-run", "gone now (1): pest (", "192.0.2.66", "192.0.2.67")
	if got := strings.Count(dry, "pest ("); got != 1 {
		t.Errorf("pest stands in it %d times, want once:\n%s", got, dry)
	}
	p.from("pest", "", "192.0.2.66")
	dry = p.op.getsPart("/ban 192.0.2.66 --dry-run", "Hit now (1): pest")
	if strings.Contains(dry, "gone now") || strings.Contains(dry, "people share") {
		t.Errorf("the answer is\n%s\nwant nobody but the one who is here", dry)
	}
	p.op.getsPart("/ban 192.0.2.66 1h", "It hit 1 here now: pest")
}

// A refusal says something that can be done by whoever reads it.
func TestALockedRoomTellsWhatHelps(t *testing.T) {
	p := newPeace(t)
	p.mod.getsPart("/lock on", "Done")
	p.from("keyless", "", "192.0.2.31").fails("/join #dev", "that takes an SSH key. ssh-keygen makes one; come in by ssh with it, and /register.")
	p.from("keyed", "SHA256:new", "192.0.2.32").fails("/join #dev", "only people with an account come in. /register makes you one.")
}

// Who was put out comes back as anybody comes in, and both sides are told what that takes.
func TestAKickTellsTheWayBack(t *testing.T) {
	p := newPeace(t)
	told := func(they, you string) {
		t.Helper()
		p.rude.goes(p.dev)
		p.mod.gets("/kick rude", "* rude is out of #dev. "+they+"\n")
		kick := &room.Event{From: p.mod.Person(), Subject: p.dev}
		got := command.KickedOut(kick, room.Kicked{}, p.rude.Person(), p.House).Sentence(i18n.English)
		if want := "mona has put you out of the room. " + you; got != want {
			t.Errorf("the kicked read %q, want %q", got, want)
		}
	}
	if _, err := p.rude.Part(t.Context(), p.dev); err != nil {
		t.Fatal(err)
	}
	told("They may come back; /ban would keep them out.", "You may come back.")
	p.owner.getsPart("/room private", "Done")
	p.owner.getsPart("/invite rude", "rude may come into #dev.")
	told("To come back they need a new invitation: /invite.", "To come back you need a new invitation.")
	p.rude.fails("/join #dev", "#dev is private.")
	p.owner.getsPart("/room password open sesame", "Done")
	p.owner.getsPart("/invite rude", "rude may come into #dev.")
	told("To come back they need a new invitation, or the password.", "To come back you need a new invitation, or the password.")
	p.owner.getsPart("/room public", "Done")
	p.rude.goes(p.dev)
	p.owner.getsPart("/lock on", "Done")
	p.mod.gets("/kick rude", "* rude is out of #dev. To come back they need an account: the room is locked.\n")
	p.rude.fails("/join #dev", "only people with an account come in")
	p.owner.gets("/kick mona", "* mona is out of #dev. They may come back; /ban would keep them out.\n") // who keeps the room
	p.mod.goes(p.dev)
}

// A refusal names no owner where there is none: the lobby is everybody's, and a room that a guest made is nobody's.
func TestWhatNobodyOwnsTakesAnOperator(t *testing.T) {
	p := newPeace(t)
	for _, line := range []string{"/room #lobby private", "/room #lobby password open sesame", "/room #lobby public"} {
		for _, g := range []*guest{p.rude, p.mod, p.owner, p.op} {
			g.fails(line, "Everybody comes into the lobby: that cannot be changed.")
		}
	}
	p.owner.fails("/grant #lobby mona moderator", "/grant takes an operator of this house. Ask chief.")
	p.owner.fails("/revoke #lobby mona", "/revoke takes an operator of this house. Ask chief.")
	p.rude.opens("attic")
	p.rude.fails("/grant mona moderator", "/grant takes an operator of this house. Ask chief.")
	p.rude.fails("/room private", "/room takes an operator of this house. Ask chief.")
	p.rude.gets("/topic old boxes", "")                                                 // else nobody could ever
	p.op.getsPart("/grant #attic mona moderator", "mona is a moderator of #attic now.") // and so its owner
	p.rude.fails("/grant milo moderator", "/grant takes the owner of #attic. Ask mona.")
}

// A dismissed keeper takes nothing back, and is told what is missing.
func TestUndoTakesTheRoleStill(t *testing.T) {
	p := newPeace(t)
	p.mod.getsPart("/slow 10s", "Done in #dev.")
	p.mod.getsPart("/ban rude 1h spam", "kept out of #dev")
	p.owner.getsPart("/revoke mona", "mona has no role in #dev any more")
	p.mod.fails("/undo", "Nothing of yours can be taken back. The last was: #dev · mona keeps rude out of the room until ")
	p.mod.fails("/undo", "The reason: spam. /undo takes a moderator of #dev. Ask olive, milo, chief.")
	p.op.getsPart("/ban --house rude 1h spam", "kept out of this house")
	if err := p.Appoint(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	p.op.fails("/undo", "chief keeps rude out of the house until ")
	p.op.fails("/undo", "The reason: spam. /undo takes an operator of this house. Ask here: help@example.org.")
	if n := len(p.Bars(p.dev)) + len(p.Bars(room.HouseSubject)); n != 2 {
		t.Errorf("%d bans are in force, want both", n)
	}
	p.owner.opens("attic")
	p.owner.getsPart("/slow 10s", "Done in #attic.")
	p.owner.getsPart("/grant #dev mona owner", "mona is the owner of #dev now.")
	p.mod.getsPart("/revoke #dev olive", "olive has no role in #dev any more")
	p.owner.getsPart("/undo", "Taken back: #attic · olive made the room slow", "Passed over: #dev · olive made mona the owner of the room. /undo takes the owner of #dev. Ask mona")
}

// What an operator did by a key or an address is told to them as to everybody once they are none any more.
func TestUndoOfTheDismissedNamesNoKeyAndNoAddress(t *testing.T) {
	for _, tt := range []struct{ do, hidden string }{
		{"/ban SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU 1h spam", "47DEQpj8"},
		{"/ban 192.0.2.77 1h spam", "192.0.2"},
		{"/unban rest", "192.0.2"},
	} {
		p := newPeace(t)
		if tt.do == "/unban rest" {
			p.op.getsPart("/ban 192.0.2.77 1h spam", "kept out")
			p.op.getsPart("/ban 192.0.2.78 1h spam", "kept out")
			var ids []room.ID
			for _, b := range p.Bars(room.HouseSubject) {
				ids = append(ids, b.ID)
			}
			if r, err := p.Do(t.Context(), p.op.Person(), room.HouseSubject, room.Lifted{Bars: ids, Label: "192.0.2.77, 192.0.2.78"}); err != nil || r.Void != "" {
				t.Fatalf("lifted: %+v, %v", r, err)
			}
		} else {
			p.op.getsPart(tt.do, "kept out of this house")
		}
		p.op.getsPart("/undo --dry-run", tt.hidden)
		if err := p.Appoint(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		p.op.fails("/undo", "chief ")
		if _, err := p.op.call("/undo"); err == nil || strings.Contains(err.Error(), tt.hidden) || !strings.Contains(err.Error(), "somebody") {
			t.Errorf("after %s the dismissed read %v, want somebody, and no %s", tt.do, err, tt.hidden)
		}
	}
}
