package command_test

import (
	"strings"
	"testing"
	"time"

	"sarangbang/internal/command"
	"sarangbang/internal/i18n"
	"sarangbang/room"
)

// A ban of which nobody says how long it is to last lasts a day, to the minute.
func TestABanLastsADay(t *testing.T) {
	p := newPeace(t)
	p.mod.getsPart("/ban rude", "rude is kept out of #dev until ")
	bar := p.Bars(p.dev)[0]
	if got := bar.Until.Sub(bar.At).Round(time.Minute); got != 24*time.Hour {
		t.Errorf("banned for %v, want 24h", got)
	}
}

// Operators find the bars of the room and those of the house under one numbering, in the order in which they were set.
func TestBansAreNumberedAsTheyWereSet(t *testing.T) {
	p := newPeace(t)
	p.from("pest", "SHA256:pest", "192.0.2.8").goes(p.dev)
	p.mod.getsPart("/ban rude", "kept out of #dev")
	p.op.getsPart("/ban 192.0.2.77", "kept out of this house")
	p.mod.getsPart("/mute pest", "may not speak in #dev")
	p.mod.getsPart("/bans", "* 1. rude: kept out of #dev", "* 2. pest: ")
	p.op.getsPart("/bans", "* 1. rude: kept out of #dev", "* 2. 192.0.2.77: kept out of this house", "* 3. pest: ")
	p.op.getsPart("/unban 2 --dry-run", "192.0.2.77")
	p.op.getsPart("/unban 2", "192.0.2.77 may come into this house again.")
	p.op.getsPart("/bans", "* 1. rude: kept out of #dev", "* 2. pest: ")
}

// Who is silent and kept out is let in by /unban, and speaks by /unmute: neither does the work of the other.
func TestUnbanAndUnmuteLiftTheirOwn(t *testing.T) {
	p := newPeace(t)
	p.mod.getsPart("/mute rude 1h", "may not speak")
	p.mod.getsPart("/ban rude 1h", "kept out")
	p.mod.gets("/unmute rude", "* rude may speak in #dev again.\n")
	if bars := p.Bars(p.dev); len(bars) != 1 || bars[0].Mute {
		t.Errorf("after /unmute the bars are %+v, want the ban", bars)
	}
	p.mod.fails("/unmute rude", "No mute is meant by rude")
	p.mod.getsPart("/undo", "Taken back")
	p.mod.gets("/unban rude", "* rude may come into #dev again.\n")
	if bars := p.Bars(p.dev); len(bars) != 1 || !bars[0].Mute {
		t.Errorf("after /unban the bars are %+v, want the mute", bars)
	}
}

// Who lifts one of several bars reads that another holds, and of which place it is; so does who only tries.
func TestLiftingOneOfSeveralSaysWhatHolds(t *testing.T) {
	p := newPeace(t)
	kim := p.owned("kim").goes(p.dev)
	p.mod.getsPart("/ban kim 1h a", "kept out of #dev")
	p.mod.getsPart("/ban kim forever c", "kept out of #dev")
	p.mod.gets("/unban 1 --dry-run", "* This would lift that ban of kim; another would still keep them out of #dev until somebody lifts it.\n* Nothing was done.\n")
	p.mod.gets("/unban 1", "* That ban of kim is lifted; another still keeps them out of #dev until somebody lifts it.\n")
	p.mod.gets("/unban 1 --dry-run", "* This would let kim come into #dev again.\n* Nothing was done.\n")
	p.mod.gets("/unban 1", "* kim may come into #dev again.\n")

	kim.goes(p.dev)
	p.mod.getsPart("/mute kim 1h a", "may not speak in #dev")
	p.mod.getsPart("/mute kim 2h c", "may not speak in #dev")
	until := func(b room.Bar) string { return b.Until.UTC().Format("2006-01-02 15:04") }
	p.mod.gets("/unmute 1", "* That mute of kim is lifted; another still keeps them from speaking in #dev until "+until(p.Bars(p.dev)[0])+".\n")
	p.op.getsPart("/mute kim --house 3h b", "may not speak in this house")
	house := until(p.Bars(room.HouseSubject)[0])
	p.owner.gets("/unmute kim --dry-run", "* This would lift that mute of kim; another would still keep them from speaking in this house until "+house+".\n* Nothing was done.\n")
	p.owner.gets("/unmute kim", "* That mute of kim is lifted; another still keeps them from speaking in this house until "+house+".\n")
	if void := kim.speaks("hello"); void != room.VoidMuted {
		t.Errorf("kim speaks: %q, want %q", void, room.VoidMuted)
	}
	p.mod.getsPart("/mute kim 5h d", "may not speak in #dev")
	p.op.gets("/unmute 1 --dry-run", "* This would let kim speak in this house again.\n* Nothing was done.\n") // but not in #dev
	p.op.gets("/unmute kim", "* kim may speak in this house again.\n* kim may speak in #dev again.\n")
	if void := kim.speaks("hello"); void != "" {
		t.Errorf("kim speaks: %q, want it to take effect", void)
	}
}

// A ban by key, by address or by another nickname goes on hitting whom a lifted one meant as well.
func TestWhatHoldsIsFoundByWhomItMeans(t *testing.T) {
	p := newPeace(t)
	const key = "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"
	p.from("pest", key, "192.0.2.8").goes(p.dev)
	for _, typed := range []string{"/ban " + key, "/ban pest --address"} {
		p.mod.getsPart("/ban #dev pest 1h", "kept out of #dev")
		p.op.getsPart(typed+" 2h", "kept out of this house")
		p.mod.getsPart("/unban #dev pest", "That ban of pest is lifted; another still keeps them out of this house until ")
		p.op.getsPart("/undo", "Taken back")
	}
	p.op.getsPart("/ban pest --address 2h", "kept out of this house")
	p.op.getsPart("/ban 192.0.2.0/24 1h --shared", "kept out of this house")
	p.op.getsPart("/unban pest", "That ban of pest is lifted; another still keeps them out of this house until ")
	p.op.gets("/unban 192.0.2.0/24", "* 192.0.2.0/24 may come into this house again.\n")
}

// Who is kept out is told whom to ask: who did it in a room, who runs the house for the house.
func TestWhoIsKeptOutIsToldWhomToAsk(t *testing.T) {
	p := newPeace(t)
	said := func(where room.Subject, contact string) string {
		bar := room.Bar{Where: where, Label: "rude", Reason: room.Sentence("spam"), By: p.mod.Person()}
		return command.Barred(bar, p.House, time.UTC, contact).Sentence(i18n.English)
	}
	for _, tt := range [][2]string{
		{said(room.HouseSubject, "help@example.org"), "You are kept out of this house until somebody lifts it. The reason: spam. Ask about it: help@example.org."},
		{said(room.HouseSubject, ""), "You are kept out of this house until somebody lifts it. The reason: spam. Whoever runs this house can tell you more."},
		{said(p.dev, "help@example.org"), "You are kept out of #dev until somebody lifts it. The reason: spam. Ask mona about it."},
	} {
		if got, want := tt[0], tt[1]; got != want {
			t.Errorf("they read %q, want %q", got, want)
		}
	}
}

// A refusal names first whoever could help and is there.
func TestARefusalNamesFirstWhoIsThere(t *testing.T) {
	p := newPeace(t)
	if _, err := p.owner.Part(t.Context(), p.dev); err != nil {
		t.Fatal(err)
	}
	p.rude.fails("/kick mona", "/kick takes a moderator of #dev. Ask mona, milo, chief.") // and olive, who owns it, is not there
}

// What is slower or faster than /slow can be is refused.
func TestSlowHasItsBounds(t *testing.T) {
	p := newPeace(t)
	for _, typed := range []string{"500ms", "999ms", "61m", "2h", "forever", "soon"} {
		p.mod.fails("/slow "+typed, typed+" does not work. Write 1s to 1h")
	}
	for _, typed := range []string{"1s", "1h"} {
		p.mod.getsPart("/slow "+typed, "Done in #dev.")
	}
}

// The last tenth of the rooms that there may be is for people with accounts.
func TestGuestsLeaveRoomsForAccounts(t *testing.T) {
	h := newHouse(t)
	lee, park, kim := h.come("lee", ""), h.come("park", "SHA256:park"), h.owner("kim")
	for _, g := range []*guest{lee, park, kim} {
		g.env.Total, g.env.Exempt = 10, true
	}
	for _, name := range []string{"r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9"} {
		lee.does("/join #"+name, "")
	}
	const kept = "There are 9 rooms; the rest of the 10 that there can be is kept for people with an account"
	lee.fails("/join #r10", kept+", and that takes an SSH key.")
	park.fails("/join #r10", kept+". /register makes you one.")
	kim.does("/join #r10", "")
	for _, g := range []*guest{lee, park, kim} {
		g.fails("/join #r11", "There are 10 rooms, and no more can be made.")
	}
}

// Of lines whose IDs begin alike none is struck by that beginning.
func TestAnIDThatMeansTwoLinesStrikesNone(t *testing.T) {
	p := newPeace(t)
	for i, text := range []string{"one", "two"} {
		r := room.Encode(p.rude.Person(), p.dev, room.Said{Text: room.Sentence(text)})
		r.ID = room.ID{0xab, 0xcd, 0xef, 0x01, byte(i)}
		if _, err := p.store.Append(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	p.mod.fails("/strike abcdef01", "Several lines begin with abcdef01: write more of the ID.")
	p.mod.getsPart("/strike abcdef0101 --dry-run", "[rude] two")
}

// Operators who were not let into a private room learn from no dry run, and from nothing else, who is in it.
func TestDryRunsDoNotTellWhoIsInAPrivateRoom(t *testing.T) {
	p := newPeace(t)
	attic := p.owner.opens("attic")
	pest := p.from("pest", "SHA256:pest", "192.0.2.8").goes(attic)
	p.owner.getsPart("/room private", "Done")
	for _, typed := range []string{"/ban pest --house --dry-run", "/ban pest --address --dry-run", "/ban 192.0.2.8 --dry-run", "/mute pest --house --dry-run"} {
		if got := p.op.getsPart(typed, "Nothing was done."); strings.Contains(got, "attic") {
			t.Errorf("%s tells an operator outside\n%s\nwant nothing of #attic", typed, got)
		}
	}
	p.op.getsPart("/ban pest --house --dry-run", "Hit now (1): pest (#lobby, 192.0.2.8)")
	for _, nick := range []string{"pest", "rude"} { // one of them is inside
		p.op.getsPart("/ban #attic "+nick+" --dry-run", "Whom it would hit is not told: who is in #attic is only for people who were let in.\n* Nothing was done.\n")
		p.op.gets("/kick #attic "+nick+" --dry-run", "* Whom it would hit is not told: who is in #attic is only for people who were let in.\n* Nothing was done.\n")
		if got := p.op.getsPart("/ban #attic " + nick + " --dry-run"); strings.Contains(got, "Hit now") || strings.Contains(got, "24 hours") {
			t.Errorf("the dry run for %s tells\n%s\nwant nothing of who is in it", nick, got)
		}
	}
	p.op.fails("/topic #attic", "There is no room #attic that you may read.")
	p.owner.getsPart("/ban #attic pest --dry-run", "Hit now (1): pest (#attic)")
	for _, typed := range []string{"/whois pest", "/seen pest"} {
		if got, _ := p.op.call(typed); strings.Contains(got, "attic") {
			t.Errorf("%s tells %q, want nothing of #attic", typed, got)
		}
	}
	pest.leave()
	if got := p.op.getsPart("/seen pest", "pest"); strings.Contains(got, "attic") {
		t.Errorf("/seen tells %q, want nothing of #attic", got)
	}
}

// A ban of somebody with their address names that wherever an operator reads of it, and nowhere else.
func TestABanWithItsAddressNamesIt(t *testing.T) {
	p := newPeace(t)
	p.from("pest", "SHA256:pest", "2001:db8::7").leave()
	p.from("pest", "SHA256:pest", "192.0.2.8")
	const means = "pest (192.0.2.8, 2001:db8::/64)"
	p.op.getsPart("/ban pest --address 5m v6 --dry-run", "This would keep "+means+" out of this house until ")
	p.op.getsPart("/ban pest --address 5m v6", means+" is kept out of this house until ", "To take it back: /undo or /unban pest\n")
	p.op.getsPart("/ban 192.0.2.9", "* 192.0.2.9 is kept out of this house until ")
	p.op.getsPart("/bans", "* 1. "+means+": kept out of this house until ", "* 2. 192.0.2.9: kept out of this house until ")
	for _, g := range []*guest{p.mod, p.owner} {
		g.gets("/bans", "* Nobody is kept out or silent in #dev.\n")
		if got := g.getsPart("/audit"); strings.Contains(got, "192.0.2") || strings.Contains(got, "2001:db8") {
			t.Errorf("%s reads\n%s\nwant no address", g.Person().Nick, got)
		}
	}
}
