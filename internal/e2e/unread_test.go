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
