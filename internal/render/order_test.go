package render_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sarangbang/internal/i18n"
	"sarangbang/internal/render"
	"sarangbang/room"
)

// called is a house where every room has that name.
type called room.Nick

func (c called) Room(room.Subject) (room.Room, bool) { return room.Room{Name: room.Nick(c)}, true }

var lee = room.Person{ID: "p3", Nick: "lee"}

func TestWhatWasDoneIsSaid(t *testing.T) {
	until := time.Date(2026, 11, 23, 18, 0, 0, 0, time.UTC)
	bar := func(b room.Bar, out ...room.Person) room.Barred { return room.Barred{Bar: b, Out: out} }
	many := make([]room.Person, 11)
	for i := range many {
		many[i] = room.Person{Nick: room.Nick(fmt.Sprintf("p%02d", i))}
	}
	for _, c := range []struct {
		where  room.Subject
		body   room.Body
		en, ko string
	}{
		{room.Lobby, room.Arranged{What: room.AspectTopic, Value: "tea"}, "kim set the topic: tea", "kim 님이 주제를 정했습니다: tea"},
		{room.Lobby, room.Arranged{What: room.AspectTopic}, "kim took the topic away.", "kim 님이 주제를 지웠습니다."},
		{
			room.Lobby,
			room.Arranged{What: room.AspectPrivate, Value: "on"},
			"kim made the room private: only people who are invited come in.",
			"kim 님이 방을 비공개로 바꾸었습니다. 초대받은 사람만 들어올 수 있습니다.",
		},
		{room.Lobby, room.Arranged{What: room.AspectPrivate}, "kim made the room public.", "kim 님이 방을 공개로 바꾸었습니다."},
		{
			room.Lobby,
			room.Arranged{What: room.AspectLocked, Value: "on"},
			"kim locked the room: only people with an account come in.",
			"kim 님이 방을 잠갔습니다. 계정이 있는 사람만 들어올 수 있습니다.",
		},
		{room.Lobby, room.Arranged{What: room.AspectLocked}, "kim unlocked the room.", "kim 님이 방을 열었습니다."},
		{
			room.Lobby,
			room.Arranged{What: room.AspectSlow, Value: "10s"},
			"kim made the room slow: each person may speak once in 10 seconds.",
			"kim 님이 천천히 말하기를 켰습니다. 한 사람이 10초에 한 번 말할 수 있습니다.",
		},
		{
			room.Lobby,
			room.Arranged{What: room.AspectSlow, Value: "1m0s"},
			"kim made the room slow: each person may speak once in one minute.",
			"kim 님이 천천히 말하기를 켰습니다. 한 사람이 1분에 한 번 말할 수 있습니다.",
		},
		{room.Lobby, room.Arranged{What: room.AspectSlow}, "kim made the room as fast as before.", "kim 님이 천천히 말하기를 껐습니다."},
		{room.Lobby, room.Arranged{What: room.AspectPassword, Value: "$hash$"}, "kim changed the password of the room.", "kim 님이 방 비밀번호를 바꾸었습니다."},
		{room.Lobby, room.Arranged{What: room.AspectPassword}, "kim took the password of the room away.", "kim 님이 방 비밀번호를 없앴습니다."},
		{room.Lobby, room.Arranged{What: "newer", Value: "x"}, "", ""},
		{room.Lobby, room.Invited{Whom: lee}, "kim invited lee.", "kim 님이 lee 님을 초대했습니다."},
		{
			"room/dev",
			room.Invited{Whom: haneul},
			"kim invites you into #Dev. /join #Dev takes you there.",
			"kim 님이 #Dev 방에 초대했습니다. 들어가려면 /join #Dev",
		},
		{room.Lobby, room.Invited{Whom: lee, Out: true}, "kim took back the invitation of lee.", "kim 님이 lee 님의 초대를 거두었습니다."},
		{"room/dev", room.Ranked{Whom: lee, Role: room.RoleOwner}, "kim made lee the owner of the room.", "kim 님이 lee 님을 방 주인으로 정했습니다."},
		{
			room.Lobby,
			room.Ranked{Whom: lee, Role: room.RoleModerator},
			"kim made lee a moderator of the room.",
			"kim 님이 lee 님을 이 방의 관리자로 정했습니다.",
		},
		{room.Lobby, room.Ranked{Whom: lee, Role: room.RoleMember}, "kim took from lee the role in the room.", "kim 님이 lee 님의 방 역할을 거두었습니다."},
		{
			room.HouseSubject,
			room.Ranked{Whom: lee, Role: room.RoleOperator},
			"kim made lee an operator of the house.",
			"kim 님이 lee 님을 이 집의 운영자로 정했습니다.",
		},
		{
			room.HouseSubject,
			room.Ranked{Whom: lee, Role: room.RoleMember},
			"kim took from lee the role of an operator.",
			"kim 님이 lee 님의 운영자 역할을 거두었습니다.",
		},
		{
			room.Lobby,
			room.Kicked{Whom: lee, Reason: text("be nice\nplease")},
			"kim put lee out of the room. The reason: be nice please.",
			"kim 님이 lee 님을 방에서 내보냈습니다. 이유: be nice please.",
		},
		{room.Lobby, room.Kicked{Whom: lee}, "kim put lee out of the room.", "kim 님이 lee 님을 방에서 내보냈습니다."},
		{
			room.Lobby, bar(room.Bar{Where: room.Lobby, Label: "lee", Until: until, Reason: text("spam")}, lee),
			"kim keeps lee out of the room until 2026-11-24 03:00. The reason: spam.",
			"kim 님이 방에 들어오지 못하게 했습니다: lee (2026-11-24 03:00 까지). 이유: spam.",
		},
		{
			room.Lobby, bar(room.Bar{Where: room.Lobby, Label: "old name", Mute: true}), "kim keeps old name from speaking in the room until somebody lifts it.",
			"kim 님이 방에서 말하지 못하게 했습니다: old name (누군가 풀어 줄 때까지).",
		},
		{
			room.HouseSubject, bar(room.Bar{Where: room.HouseSubject, Label: "192.0.2.0/24"}, lee, haneul),
			"kim keeps lee, 하늘 바다 out of the house until somebody lifts it.",
			"kim 님이 이 집에 들어오지 못하게 했습니다: lee, 하늘 바다 (누군가 풀어 줄 때까지).",
		},
		{
			room.HouseSubject, bar(room.Bar{Where: room.HouseSubject, Label: "2001:db8::1", Mute: true}),
			"kim keeps somebody from speaking in the house until somebody lifts it.",
			"kim 님이 이 집에서 말하지 못하게 했습니다: 어떤 사람 (누군가 풀어 줄 때까지).",
		},
		{
			room.HouseSubject, bar(room.Bar{Where: room.HouseSubject, Label: "192.0.2.7"}, many...),
			"kim keeps p00, p01, p02, p03, p04, p05, p06, p07 and 3 more out of the house until somebody lifts it.",
			"kim 님이 이 집에 들어오지 못하게 했습니다: p00, p01, p02, p03, p04, p05, p06, p07 외 3명 (누군가 풀어 줄 때까지).",
		},
		{room.Lobby, room.Lifted{Label: "lee"}, "kim lets come in again: lee.", "kim 님이 다시 들어올 수 있게 했습니다: lee."},
		{room.Lobby, room.Lifted{Label: "192.0.2.7, lee, SHA256:abc"}, "kim lets come in again: lee.", "kim 님이 다시 들어올 수 있게 했습니다: lee."},
		{room.Lobby, room.Lifted{Label: "SHA256:abc", Mute: true}, "kim lets speak again: somebody.", "kim 님이 다시 말할 수 있게 했습니다: 어떤 사람."},
		{room.Lobby, room.Undone{Kind: "lifted"}, "kim took back that a ban or a mute was lifted.", "kim 님이 되돌렸습니다: 차단이나 말하기 금지를 푼 일."},
		{
			room.HouseSubject,
			room.Undone{Kind: "lifted", Out: []room.Person{lee}},
			"kim took back that a ban or a mute was lifted (lee).",
			"kim 님이 되돌렸습니다: 차단이나 말하기 금지를 푼 일 (lee).",
		},
		{room.Lobby, room.Undone{Kind: "newer"}, "kim took back something.", "kim 님이 되돌렸습니다: 한 일."},
		{room.Lobby, room.Withdrawn{Lines: make([]room.ID, 1)}, "One line was struck by kim.", "kim 님이 1줄을 지웠습니다."},
		{room.Lobby, room.Withdrawn{Lines: make([]room.ID, 2)}, "2 lines were struck by kim.", "kim 님이 2줄을 지웠습니다."},
		{room.Lobby, room.Removed{}, "A line that stood here was struck.", "여기 있던 줄은 지워졌습니다."},
		{
			room.HouseSubject,
			room.Announced{Text: text("tea\n* lee left.")},
			"Announcement by kim: tea\nAnnouncement by kim: * lee left.",
			"kim 님의 공지: tea\nkim 님의 공지: * lee left.",
		},
		{room.Lobby, room.Opened{Name: "dev"}, "", ""},
		{room.Lobby, room.Closed{}, "", ""},
		{room.Lobby, room.Absent{Away: true, Text: text("lunch")}, "", ""},
		{room.HouseSubject, room.Appointed{Keys: []string{"SHA256:abc"}}, "", ""},
		{room.Lobby, room.Said{Text: text("hi")}, "", ""},
	} {
		e := &room.Event{Seq: 1, Subject: c.where, From: kim, Body: c.body}
		for lang, want := range map[i18n.Lang]string{i18n.English: c.en, i18n.Korean: c.ko} {
			v := render.View{Lang: lang, Me: haneul.ID, Zone: time.FixedZone("KST", 9*3600), Rooms: called("Dev")}
			got := render.Sentence(e, v)
			if got != want {
				t.Errorf("%T %+v in %s: %q, want %q", c.body, c.body, lang, got, want)
			}
			if _, said := c.body.(room.Said); said {
				continue
			}
			rows := string(render.Append(nil, e, v))
			for row := range strings.Lines(rows) {
				if !strings.HasPrefix(row, render.Mark) {
					t.Errorf("%T in %s: row %q, want it to start with the mark", c.body, lang, row)
				}
			}
			if (rows == "") != (want == "") {
				t.Errorf("%T in %s is drawn as %q, want rows of %q", c.body, lang, rows, want)
			}
		}
	}
}

// What happened in another room than the one on the screen says in which; what the house does belongs to none.
func TestAnotherRoomIsNamed(t *testing.T) {
	at := time.Date(2026, 11, 23, 9, 5, 0, 0, time.UTC)
	for _, c := range []struct {
		here, of room.Subject
		rooms    render.Names
		body     room.Body
		want     string
	}{
		{room.Lobby, "room/dev", called("Dev"), room.Kicked{Whom: lee}, "* #Dev · kim put lee out of the room.\n"},
		{room.Lobby, "room/dev", nil, room.Kicked{Whom: lee}, "* #dev · kim put lee out of the room.\n"},
		{"room/dev", "room/dev", called("Dev"), room.Kicked{Whom: lee}, "* kim put lee out of the room.\n"},
		{"", "room/dev", called("Dev"), room.Kicked{Whom: lee}, "* kim put lee out of the room.\n"},
		{room.Lobby, "room/dev", called("Dev"), room.Said{Text: text("hi")}, "09:05 #Dev [kim] hi\n"},
		{room.Lobby, "room/dev", called("Dev"), room.Invited{Whom: lee}, "* kim invites you into #Dev. /join #Dev takes you there.\n"},
		{room.Lobby, room.HouseSubject, called("Dev"), room.Renamed{To: "lee"}, "* kim is now called lee.\n"},
		{room.Lobby, "person/p3", called("Dev"), room.Told{To: lee, Text: text("hi")}, "09:05 [kim → you] hi\n"},
		{room.Lobby, "room/dev", called("Dev"), room.Notice{Text: text("hi")}, "* hi\n"},
	} {
		e := &room.Event{Seq: 1, At: at, Subject: c.of, From: kim, Body: c.body}
		v := render.View{Lang: i18n.English, Me: lee.ID, Clock: "15:04", Zone: time.UTC, Here: c.here, Rooms: c.rooms}
		if got := string(render.Append(nil, e, v)); got != c.want {
			t.Errorf("%T of %s on %q: %q, want %q", c.body, c.of, c.here, got, c.want)
		}
	}
}
