package session_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sarangbang/internal/command"
	"sarangbang/internal/session"
	"sarangbang/room"
)

// Every command that takes a role, for every role, in the room and outside, by each of the doors that have commands: it is refused exactly
// when the table of powers says so.
func TestEveryDoorRefusesWhatTheTableOfPowersSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		come := func(nick string, columns int, where string) *person {
			t.Helper()
			p := h.person(t, columns, session.Visitor{User: where + nick, Key: "SHA256:" + nick, Term: "xterm"})
			p.enter("")
			time.Sleep(time.Second)
			return p
		}
		does := func(p *person, line string) string {
			out, complain := p.said()
			p.enter(line)
			time.Sleep(time.Second) // in the bubble: all that comes of it has come
			outNow, complainNow := p.said()
			return outNow[len(out):] + complainNow[len(complain):]
		}
		roles := map[string]room.Role{
			"gus": room.RoleGuest, "mel": room.RoleMember, "mona": room.RoleModerator, "olive": room.RoleOwner, "chief": room.RoleOperator,
		}
		for _, nick := range []string{"olive", "mona", "mel", "chief"} {
			p := come(nick, 200, "")
			does(p, "/register")
			if nick == "olive" {
				does(p, "/join #dev")
			}
			does(p, "/bye")
		}
		if err := h.room.Appoint(t.Context(), []string{"SHA256:chief"}); err != nil {
			t.Fatal(err)
		}
		olive := come("olive", 200, "")
		does(olive, "/grant #dev mona moderator")
		does(olive, "/bye")

		check := func(nick, door, line, said string, needs room.Role) {
			t.Helper()
			refused := strings.Contains(said, " takes a moderator of ") || strings.Contains(said, " takes the owner of ") ||
				strings.Contains(said, " takes an operator of ")
			if want := roles[nick] < needs; refused != want {
				t.Errorf("%s, a %s, types %q by %s and reads %q; want it refused: %t", nick, roles[nick], line, door, said, want)
			}
		}
		for nick := range roles {
			for _, where := range []string{"", "dev+"} {
				about := map[string]string{"": " #dev", "dev+": ""}[where]
				terminal, pipe := come(nick, 200, where), come(nick, 0, where)
				for _, c := range command.Table() {
					if c.Needs == "" {
						continue
					}
					line := c.Name + about
					check(nick, "terminal", line, does(terminal, "/"+line), c.Needs.Needs())
					check(nick, "pipe", line, does(pipe, "/"+line), c.Needs.Needs())
					var out, errOut strings.Builder
					h.Exec(t.Context(), session.Visitor{User: where + nick, Key: "SHA256:" + nick, Session: "x"}, line, &out, &errOut)
					check(nick, "a command alone", line, errOut.String(), c.Needs.Needs())
				}
				does(terminal, "/bye")
				does(pipe, "/bye")
			}
		}
	})
}

// said is all that somebody was shown, and told on standard error.
func (p *person) said() (shown, complained string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String(), p.complain.String()
}

// A password that somebody types for a room stands neither in what they can bring back nor in the log.
func TestPasswordsOfRoomsStayNowhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		kim := h.person(t, 200, session.Visitor{User: "kim", Key: "SHA256:kim", Term: "xterm"})
		for _, line := range []string{"", "/register", "/join #den", "/room password open sesame", "/room #den password open sesame"} {
			kim.enter(line)
			time.Sleep(time.Second)
		}
		kim.sees("#den has a password now")
		kim.mu.Lock()
		kept := strings.Join(append(kim.remembered, kim.restored...), "\n")
		kim.mu.Unlock()
		if !strings.Contains(kept, "/room #den password") || strings.Contains(kept+h.log.String(), "sesame") {
			t.Errorf("kept are %q and the log %q, want no password", kept, h.log)
		}
	})
}
