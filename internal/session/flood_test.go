package session_test

import (
	"fmt"
	"testing"
	"testing/synctest"

	"sarangbang/internal/session"
	"sarangbang/room"
)

// What comes while a screen takes nothing is drawn at once when it does again.
func TestWhoCameAndLeftMeanwhileIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		kim := h.terminal(t, "kim")
		pipe := h.person(t, 0, session.Visitor{User: "lee"})
		kim.sees("* kim joined.\n* lee joined.\n")
		pipe.sees("* lee joined.\n")
		meanwhile := func(what func()) {
			for _, p := range []*person{kim, pipe} {
				p.setBehind(true)
			}
			synctest.Wait()
			what()
			synctest.Wait()
			for _, p := range []*person{kim, pipe} {
				p.setBehind(false)
			}
		}
		var crowd [8]*person
		meanwhile(func() {
			for i := range crowd {
				crowd[i] = h.person(t, 0, session.Visitor{User: fmt.Sprint("p", i)})
				synctest.Wait()
			}
		})
		kim.sees("* lee joined.\n* p0, p1, p2, p3, p4, p5, p6 and p7 joined.\n")
		meanwhile(func() {
			for _, p := range crowd {
				close(p.in)
				p.ends(room.EndingLeft, 0)
			}
		})
		kim.sees("joined.\n* p0, p1, p2, p3, p4, p5, p6 and p7 left.\n")
		rows := ""
		for _, did := range []string{"joined", "left"} {
			for i := range crowd {
				rows += fmt.Sprintf("* p%d %s.\n", i, did)
			}
		}
		pipe.sees("* lee joined.\n" + rows)
	})
}
