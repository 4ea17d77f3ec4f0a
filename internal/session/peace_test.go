package session_test

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sarangbang/internal/session"
	"sarangbang/room"
)

// operator comes in as somebody whom the configuration names.
func (h *house) operator(t *testing.T) *room.Member {
	t.Helper()
	const key = "SHA256:operator"
	if err := h.room.Appoint(t.Context(), []string{key}); err != nil {
		t.Fatal(err)
	}
	m, err := h.room.Enter(t.Context(), room.Claim{Key: key, Nick: "op", Names: []string{"case:op", "skel:op"}}, room.Entry{Where: room.Lobby})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Leave(room.EndingLeft) })
	return m
}

func does(t *testing.T, m *room.Member, where room.Subject, b room.Body) {
	t.Helper()
	results, err := m.Post(t.Context(), where, b)
	if err != nil || results[0].Void != "" {
		t.Fatalf("Post of %T = %+v, %v; want it to take effect", b, results, err)
	}
}

func TestWhoIsBannedIsToldAtEveryDoorBeforeAnythingElse(t *testing.T) {
	const why = "You are kept out of this house until 2000-01-02 09:00. The reason: spam. Whoever runs this house can tell you more.\n"
	const warum = "이 집에 들어올 수 없습니다 (2000-01-02 09:00 까지). 이유: spam. 자세한 것은 이 집을 운영하는 사람에게 물어보세요.\n"
	for name, target := range map[string]room.Target{
		"key":     {Keys: []string{"SHA256:lee"}},
		"account": {Persons: []room.PersonID{"key:SHA256:lee/case:lee"}},
		"address": {Nets: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // it is midnight of the first of January 2000
				h := newHouse(t, limits())
				lee := h.owner(t, "lee")
				lee.enter("/bye")
				lee.ends(room.EndingLeft, 0)
				until := time.Date(2000, 1, 2, 0, 0, 0, 0, time.UTC)
				bar := room.Bar{Target: target, Label: name, Reason: room.Sentence("spam"), Until: until}
				does(t, h.operator(t), room.HouseSubject, room.Barred{Bar: bar})

				visitor := func(lang string) session.Visitor {
					return session.Visitor{
						User: "no/good", Key: "SHA256:lee", Term: "xterm", Session: "s", Remote: netip.MustParseAddr("127.0.0.1"),
						Env: map[string]string{"TZ": "Asia/Seoul", "LANG": lang},
					}
				}
				for lang, want := range map[string]string{"en": why, "ko_KR.UTF-8": warum} {
					p := h.person(t, 200, visitor(lang))
					p.ends(room.EndingBanned, 1)
					if got := p.screen(); got != "* "+want {
						t.Errorf("a terminal shows %q, want %q", got, "* "+want)
					}
					p = h.person(t, 0, visitor(lang))
					p.ends(room.EndingBanned, 1)
					if got := p.complaints(); got != "* "+want || p.screen() != got && p.screen() != "" {
						t.Errorf("a pipe gets %q and on standard error %q, want nothing and %q", p.screen(), got, "* "+want)
					}
					for _, line := range []string{"who", "say hello", "nonsense"} {
						var out, errs bytes.Buffer
						status := h.Exec(t.Context(), visitor(lang), line, &out, &errs)
						if out.Len() > 0 || errs.String() != want || status != 1 {
							t.Errorf("%s: %q, %q, %d; want nothing, %q, 1", line, &out, &errs, status, want)
						}
					}
				}
				if got, want := h.knocks.String(), strings.Repeat("ssh 127.0.0.1\n", 10); got != want {
					t.Errorf("those who knocked: %q, want %q", got, want)
				}
				if name == "address" {
					return
				}
				p := h.person(t, 200, session.Visitor{User: "kim", Term: "xterm"})
				p.enter("")
				p.sees("Welcome, kim.")
			})
		})
	}
}

// Who may speak again in the house reads so, and so do those who read that they may not: nobody else, and of no address.
func TestTheEndOfAMuteOfTheHouseIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		op := h.operator(t)
		kim, lee := h.terminal(t, "kim"), h.terminal(t, "lee")
		lee.enter("/join #sec")
		lee.enter("/leave 1")
		time.Sleep(time.Second)
		for _, label := range []string{"kim", "192.0.2.7"} {
			bar := room.Bar{Mute: true, Target: room.Target{Names: []string{"case:kim"}}, Label: label}
			mute := func() room.Bar {
				does(t, op, room.HouseSubject, room.Barred{Bar: bar})
				kim.sees("* op keeps kim from speaking in the house until somebody lifts it.\n")
				return h.room.Bars(room.HouseSubject)[0]
			}
			does(t, op, room.HouseSubject, room.Lifted{Bars: []room.ID{mute().ID}, Mute: true, Label: label})
			mute()
			does(t, op, room.HouseSubject, room.Undone{Act: h.room.Acts(op.Person().ID)[0].ID, Kind: "muted"})
		}
		kim.sees("* op lets speak again: kim.\n* op keeps kim from speaking in the house until somebody lifts it.\n* op took back a mute (kim).\n")
		kim.sees("* op lets speak again: somebody.\n* op keeps kim from speaking in the house until somebody lifts it.\n* op took back a mute (kim).\n")
		for _, words := range []string{"192.0.2", "speak", "took back"} {
			lee.seesNot(words)
		}
		kim.seesNot("192.0.2")
	})
}

// A nickname that is banned is known when it is given, and costs the address nothing: another may have worn it.
func TestBannedNicknameIsToldAndIsNoKnock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		op := h.operator(t)
		lee := h.terminal(t, "lee")
		does(t, op, room.HouseSubject, room.Barred{Bar: room.Bar{Target: room.Target{Names: []string{"case:lee"}}, Label: "lee"}})
		lee.ends(room.EndingBanned, 1)
		lee.sees("* You are kept out of this house until somebody lifts it. Whoever runs this house can tell you more.\n")
		again := h.terminal(t, "lee")
		again.ends(room.EndingBanned, 1)
		again.sees("* You are kept out of this house until somebody lifts it. Whoever runs this house can tell you more.\n")
		if got := h.knocks.String(); got != "" {
			t.Errorf("those who knocked: %q, want nobody", got)
		}
	})
}

// Who may speak nowhere makes no room by their login either: they come into the lobby, and read why.
func TestWhoIsMutedEverywhereIsToldAsTheyAskForANewRoom(t *testing.T) {
	const why = "You may read, but not speak in this house until somebody lifts it. The reason: spam. Whoever runs this house can tell you more.\n"
	for name, target := range map[string]room.Target{
		"key":     {Keys: []string{"SHA256:kim"}},
		"name":    {Names: []string{"case:kim", "kim"}},
		"address": {Nets: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t, limits())
				bar := room.Bar{Mute: true, Target: target, Label: name, Reason: room.Sentence("spam")}
				does(t, h.operator(t), room.HouseSubject, room.Barred{Bar: bar})
				kim := h.person(t, 200, session.Visitor{User: "dev+kim", Key: "SHA256:kim", Term: "xterm"})
				kim.enter("")
				kim.sees("Welcome, kim. This is the lobby;")
				kim.sees("* kim joined.\n")
				if got := kim.screen() + kim.complaints(); strings.Count(got, why) != 1 || strings.Contains(got, "There is no such room") {
					t.Errorf("screen:\n%s\nwant it to contain once %q, and nothing of no room", got, why)
				}
				kim.enter("/join #dev")
				kim.sees("You may read, but not speak")
				pipe := h.person(t, 0, session.Visitor{User: "dev+kim", Key: "SHA256:kim"})
				pipe.ends(room.EndingLost, 1)
				if got := pipe.complaints(); !strings.Contains(got, strings.TrimSuffix(why, "\n")) {
					t.Errorf("a pipe reads %q, want it to contain %q", got, why)
				}
				if _, there := h.room.Room("room/dev"); there {
					t.Error("there is a room #dev, want none")
				}
			})
		})
	}
}

func TestNewcomersAreOfferedAnAccountOnce(t *testing.T) {
	const where, help = "* Welcome, kim. This is the lobby; what you type is said to everyone here.\n", "* /help shows what you can do, /who who is here. /bye or Ctrl-D leaves.\n"
	const offer = "* Your key can make kim yours alone: /register.\n"
	for _, c := range []struct {
		name, key, motd, first, second string
	}{
		{"with a key", "SHA256:kim", "", where + help + offer, where + help},
		{"with a key, and words of the operator", "SHA256:kim", "Tea at five.", where + help + offer + "* Tea at five.\n", where + help + "* Tea at five.\n"},
		{"without a key", "", "", where + help, where + help},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t, limits())
				h.motd = c.motd
				visit := func(want string) {
					t.Helper()
					p := h.person(t, 200, session.Visitor{User: "kim", Key: c.key, Term: "xterm"})
					p.enter("")
					_, got, _ := strings.Cut(p.screen(), "* Welcome")
					if got, _, _ = strings.Cut("* Welcome"+got, "* kim joined."); got != want {
						t.Errorf("greeted with\n%swant\n%s", got, want)
					}
					p.enter("/bye")
					p.ends(room.EndingLeft, 0)
				}
				visit(c.first)
				visit(c.second)
				time.Sleep(25 * time.Hour)
				visit(c.first)
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		h.motd = "Tea at five."
		kim := h.owner(t, "kim")
		again := h.person(t, 200, session.Visitor{User: "kim", Key: "SHA256:kim", Term: "xterm"})
		again.sees("* You are here already as kim")
		again.seesNot("Tea at five.")
		kim.enter("/bye")
		again.enter("/bye")
		kim.ends(room.EndingLeft, 0)
		again.ends(room.EndingLeft, 0)
		time.Sleep(25 * time.Hour)
		kim = h.person(t, 200, session.Visitor{User: "#dev", Key: "SHA256:kim", Term: "xterm"})
		kim.sees("* Welcome back, kim. This is #dev; what you type is said to everyone here.\n" + help + "* Tea at five.\n")
		kim.seesNot("/register")
	})
}

func TestEventsOfOtherRoomsNameThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		op := h.operator(t)
		kim := h.person(t, 200, session.Visitor{User: "#Dev", Key: "SHA256:kim", Term: "xterm"})
		kim.enter("kim")
		kim.sees("Welcome, kim. This is #Dev;")
		who := h.room.Members("room/dev")[0].Person
		does(t, op, "room/dev", room.Arranged{What: room.AspectTopic, Value: "tea"})
		kim.sees("* op set the topic: tea\n")
		does(t, op, room.Lobby, room.Invited{Whom: who})
		kim.sees("* op invites you into #lobby. /join #lobby takes you there.\n")
		does(t, op, room.HouseSubject, room.Announced{Text: room.Sentence("closing")})
		kim.sees("* Announcement by op: closing\n")
		lee := h.owner(t, "lee")
		owner := h.room.Members(room.Lobby)[1].Person
		does(t, op, "room/dev", room.Ranked{Whom: owner, Role: room.RoleModerator})
		lee.sees("* #Dev · op made lee a moderator of the room.\n")
		kim.sees("* op made lee a moderator of the room.\n")
	})
}
