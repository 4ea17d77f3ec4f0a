//go:build linux

package e2e

import (
	"strings"
	"testing"
)

// However many come at once: a terminal names each of them once, together or not, and whatever has no terminal has a row for each.
func TestWhoComesAtOnceIsNamedOnce(t *testing.T) {
	t.Parallel()
	h := openHouse(t, setup{exempt: true})
	kim, lee := h.guest(t, "kim"), h.pipe(t, login{user: "lee"})
	kim.sees("lee joined.")
	lee.sees("lee joined.")
	old := h.join(t, "park")
	kim.sees("park joined.")
	nicks := []string{"anna", "bert", "cleo", "dora", "emil", "finn", "gina", "hugo"}
	told := func(did string, kimSaw int) {
		t.Helper()
		for _, nick := range nicks {
			lee.sees("* " + nick + " " + did + ".\n")
			kim.sees(nick)
		}
		kim.types("all " + did)
		kim.sees("[kim] all " + did)
		for _, nick := range nicks {
			kim.seesTimes(kimSaw, nick)
			lee.seesTimes(1, "* "+nick+" "+did+".\n")
		}
	}
	var crowd []*oldClient
	for _, nick := range nicks {
		crowd = append(crowd, h.visit(t, login{user: nick}))
	}
	for _, c := range crowd {
		c.sends(c.nick)
	}
	told("joined", 1)
	for _, c := range crowd {
		c.leaves()
	}
	told("left", 2)
	old.awaits("all left")
	for _, nick := range nicks {
		for _, row := range []string{joined(nick), left(nick)} {
			if got := strings.Count(old.in.String(), row); got != 1 {
				t.Errorf("park received %q %d times, want 1", row, got)
			}
		}
	}
}
