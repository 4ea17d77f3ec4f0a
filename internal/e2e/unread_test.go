//go:build linux

package e2e

import "testing"

// What counts as unread in the rooms that somebody comes back to is what others said there since they left, and whom they ignore says
// nothing. A mark tells that one of these lines names them.
func TestWhatIsUnreadElsewhereOnReturn(t *testing.T) {
	t.Parallel()
	h := openHouse(t, setup{exempt: true, dir: newDataDir(t)})
	key := h.owner(t, "kim")
	lee, park := h.pipe(t, login{user: "dev+lee", key: newKey(t)}), h.pipe(t, login{user: "dev+park", key: newKey(t)})
	lee.sees("lee joined")
	park.sees("park joined")
	come := func() *person {
		kim := h.knock(t, login{user: "kim", key: key})
		kim.sees("* kim joined.")
		return kim
	}
	kim := come()
	kim.types("/ignore park")
	kim.sees("You read nothing of park any more")
	kim.types("/join #dev")
	lee.sees("kim joined")
	kim.sees("#dev kim>")
	lee.types("kim: read before")
	kim.sees("[lee] kim: read before")
	kim.types("last words of kim")
	kim.sees("[kim] last words of kim")
	kim.types("/go 1")
	kim.sees("#lobby kim>")
	kim.leaves()
	lee.sees("kim left")

	kim = come()
	kim.sees("\n#lobby kim>")
	kim.seesNot("#lobby kim [")
	kim.leaves()
	lee.seesTimes(2, "kim left")
	park.types("noise for kim")
	lee.sees("[park] noise for kim")
	for _, line := range []string{"kim: are you there?", "not today, then"} {
		lee.types(line)
		lee.sees("[lee] " + line)
	}

	kim = come()
	kim.sees("* Nothing was said in #lobby since your last visit.") // which is not to say: nothing anywhere
	kim.sees("#lobby kim [2 #dev 2!]>")
	kim.types("/go 2")
	kim.sees("[lee] not today, then\n")
	kim.seesNot("noise")
	kim.seesNot("read before")
}

// A room that somebody asked for as they logged in is one of theirs from then on, whatever becomes of the house.
func TestTheRoomOfALoginIsKept(t *testing.T) {
	t.Parallel()
	for name, by := range map[string]login{
		"dev+kim":         {user: "dev+kim"},
		"#dev":            {user: "#dev"},
		"SARANGBANG_ROOM": {user: "kim", env: map[string]string{"SARANGBANG_ROOM": "dev"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := openHouse(t, setup{exempt: true, dir: newDataDir(t)})
			key := h.owner(t, "kim")
			by.key = key
			kim := h.knock(t, by)
			kim.sees("#dev kim>")
			h.kill()
			h = h.again()
			kim = h.knock(t, login{user: "kim", key: key})
			kim.sees("#lobby kim")
			kim.types("/go 2")
			kim.sees("#dev kim>")
		})
	}
}

// Who is put out of rooms while their connection is cut reads of it once they are back, by whom, why and what it takes to come in again;
// who saw it as it happened does not.
func TestWhoWasPutOutWhileTheyWereCutOffIsTold(t *testing.T) {
	t.Parallel()
	h := openHouse(t, setup{exempt: true, dir: newDataDir(t)})
	key, mina := h.owner(t, "kim"), h.register(t, "mina", newKey(t))
	for _, room := range []string{"#attic", "#dev", "#cafe"} {
		mina.types("/join " + room)
		mina.sees(room + " mina>")
	}
	come := func() *person {
		kim := h.knock(t, login{user: "kim", key: key, cols: 160, rows: 50})
		kim.sees("* Nothing was said in #lobby since your last visit.\n")
		return kim
	}
	kim := come()
	for _, room := range []string{"#attic", "#dev", "#cafe"} {
		kim.types("/join " + room)
		kim.sees(room + " kim>")
	}
	kim.types("/go 1")
	kim.sees("\n#lobby kim")
	mina.types("/room #attic private")
	mina.sees("Done in #attic.")
	mina.types("/kick #dev kim seen as it happened")
	kim.sees("* #dev · mina put kim out of the room. The reason: seen as it happened.\n* You may come back.")
	kim.types("/join #dev")
	kim.sees("#dev kim")
	kim.types("/go 1")
	kim.leaves()

	kim = come()
	kim.seesNot("While you were away")
	kim.cut()
	mina.listsAway("kim") // or it would be put on the screen that is about to end
	mina.types("/kick #attic kim bye now")
	mina.sees("kim is out of #attic.")
	mina.types("/kick #dev kim")
	mina.sees("kim is out of #dev.")
	mina.types("/ban #cafe kim 1h spam")
	mina.sees("kim is kept out of #cafe until")
	kim = come()
	kim.sees("* While you were away mina put you out of #attic. The reason: bye now. To come back you need a new invitation.")
	kim.sees("* While you were away mina put you out of #dev. You are in it again.")
	kim.sees("* You are kept out of #cafe until ")
	kim.types("/account")
	kim.sees("rooms that you come back into: #lobby #cafe #dev\n") // the ban ends by itself
	kim.leaves()
	kim = come()
	kim.seesNot("While you were away")
	kim.sees("* You are kept out of #cafe until ") // it is one of their rooms, and the ban goes on
}

// Who reads how they are put out is not told again, were they in another room or not, and however they go then; who was away is told
// once.
func TestHowSomebodyWasPutOutIsToldOnce(t *testing.T) {
	t.Parallel()
	h := openHouse(t, setup{exempt: true, dir: newDataDir(t)})
	key, mina := h.owner(t, "kim"), h.register(t, "mina", newKey(t))
	mina.types("/join #dev")
	mina.sees("#dev mina>")
	come := func() *person {
		kim := h.knock(t, login{user: "dev+kim", key: key, cols: 160, rows: 50})
		kim.types("/whoami") // the answer comes behind all that they are told
		kim.sees("You are kim")
		return kim
	}
	kim := come()
	mina.types("/kick #dev kim seen at the end")
	kim.sees("mina has put you out of the room. The reason: seen at the end.")
	kim = come()
	kim.seesNot("While you were away")
	kim.types("/join #lobby")
	kim.sees("#lobby kim>")
	mina.types("/kick #dev kim seen elsewhere")
	kim.sees("The reason: seen elsewhere.\n* You may come back.")
	kim.cut() // before their client has answered for anything, maybe
	kim = come()
	kim.seesNot("While you were away")
	kim.cut()
	mina.listsAway("kim")
	mina.types("/kick #dev kim while away")
	mina.sees("The reason: while away.")
	for _, want := range []int{1, 0} {
		kim = come()
		kim.seesTimes(want, "While you were away")
		kim.cut()
	}
}
