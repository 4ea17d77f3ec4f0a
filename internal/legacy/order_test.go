package legacy

import (
	"errors"
	"io"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"sarangbang/internal/identity"
	"sarangbang/room"
)

const operatorsKey = "SHA256:operator"

// operator comes in as somebody whom the configuration names. They are in the lobby.
func (h *house) operator(t *testing.T) *room.Member {
	t.Helper()
	if err := h.room.Appoint(t.Context(), []string{operatorsKey}); err != nil {
		t.Fatal(err)
	}
	m, err := h.room.Enter(t.Context(), room.Claim{Key: operatorsKey, Nick: "op", Names: []string{"op"}}, room.Entry{Where: room.Lobby})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Leave(room.EndingLeft) })
	return m
}

// does commits something that must take effect.
func (h *house) does(t *testing.T, m *room.Member, where room.Subject, b room.Body) {
	t.Helper()
	results, err := m.Post(t.Context(), where, b)
	if err != nil || results[0].Void != "" {
		t.Fatalf("Post of %T = %+v, %v; want it to take effect", b, results, err)
	}
}

// anyAddress is where everybody comes from.
var anyAddress = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}

// namesOf are what the door claims for a nickname.
func namesOf(t *testing.T, nick string) []string {
	t.Helper()
	name, err := identity.DefaultRules().Parse(nick)
	if err != nil {
		t.Fatal(err)
	}
	return name.Keys()
}

func bannedByName(name string, where room.Subject) room.Barred {
	return room.Barred{Bar: room.Bar{Where: where, Target: room.Target{Names: []string{name, "case:" + name}}, Label: name, Reason: room.Sentence("도배")}}
}

func TestWhoIsPutOutIsToldAndOthersReadThatTheyLeft(t *testing.T) {
	const until = " (누군가 풀어 줄 때까지). 이유: 도배."
	for _, c := range []struct {
		name         string
		where        room.Subject
		body         func(lee room.Person) room.Body
		others, last string
	}{
		{
			"kicked", room.Lobby, func(lee room.Person) room.Body { return room.Kicked{Whom: lee, Reason: room.Sentence("도배")} },
			"[*] op 님이 lee 님을 방에서 내보냈습니다. 이유: 도배.", "[*] op 님이 방에서 내보냈습니다. 이유: 도배. 다시 들어올 수 있습니다.",
		},
		{
			"banned from the room", room.Lobby, func(room.Person) room.Body { return bannedByName("lee", room.Lobby) },
			"[*] op 님이 방에 들어오지 못하게 했습니다: lee" + until, "[*] #lobby 방에 들어갈 수 없습니다" + until + " op 님에게 물어보세요.",
		},
		{
			"banned from the house", room.HouseSubject, func(room.Person) room.Body { return bannedByName("lee", room.HouseSubject) },
			"[*] op 님이 이 집에 들어오지 못하게 했습니다: lee" + until,
			"[*] 이 집에 들어올 수 없습니다" + until + " 자세한 것은 이 집을 운영하는 사람에게 물어보세요.",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := inMemory(t)
				kim := h.join(t, "kim")
				lee := h.join(t, "lee", kim)
				op := h.operator(t)
				everybody([]*client{kim, lee}, "[op]"+joinWords)
				h.does(t, op, c.where, c.body(h.room.Members(room.Lobby)[1].Person))
				kim.gets(c.others + "[lee]" + partWords)
				got := lee.rest()
				if want := c.last; got != want && got != c.others+want { // the notice to all may come before the end, or not
					t.Errorf("lee got %q, want %q, and the notice to all before it or not", got, want)
				}
				kim.sends("hi")
				kim.gets("[kim] hi")
			})
		})
	}
}

// An old client that is put out gets the end that does not make it spin.
func TestWhoIsPutOutIsReset(t *testing.T) {
	h := onLoopback(t)
	lee := h.join(t, "lee")
	op := h.operator(t)
	lee.gets("[op]" + joinWords)
	h.does(t, op, room.Lobby, room.Kicked{Whom: h.room.Members(room.Lobby)[0].Person})
	lee.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	got, err := io.ReadAll(lee.conn)
	if want := "[*] op 님이 방에서 내보냈습니다. 다시 들어올 수 있습니다."; !strings.HasSuffix(string(got), want) || !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("got %q, then %v; want it to end in %q, then %v", got, err, want, syscall.ECONNRESET)
	}
}

// rest takes all that comes until the end.
func (c *client) rest() string {
	c.t.Helper()
	c.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	got, err := io.ReadAll(c.conn)
	if err != nil {
		c.t.Fatalf("%s got %q, then %v; want the end", c.nick, got, err)
	}
	return string(got)
}

// Whom a ban of the house puts out of another room was never here for an old client.
func TestWhoWasElsewhereDoesNotLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := inMemory(t)
		kim := h.join(t, "kim")
		op := h.operator(t)
		kim.gets("[op]" + joinWords)
		comes := func(nick room.Nick, where room.Subject, open *room.Opened) *room.Member {
			m, err := h.room.Enter(t.Context(), room.Claim{Nick: nick, Names: []string{string(nick)}, Addr: "192.0.2.7"}, room.Entry{Where: where, Open: open})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { m.Leave(room.EndingLeft) })
			return m
		}
		lee := comes("lee", room.Lobby, nil)
		kim.gets("[lee]" + joinWords)
		comes("park", "room/dev", &room.Opened{Name: "dev", Names: []string{"dev"}})
		bar := room.Barred{Bar: room.Bar{Target: room.Target{Names: []string{"lee", "park"}}, Label: "192.0.2.7"}}
		h.does(t, op, room.HouseSubject, bar)
		const banned = "[*] op 님이 이 집에 들어오지 못하게 했습니다: lee, park (누군가 풀어 줄 때까지)."
		kim.gets(banned + "[lee]" + partWords)

		bars := h.room.Bars(room.HouseSubject)
		h.does(t, op, room.HouseSubject, room.Lifted{Bars: []room.ID{bars[0].ID}, Label: "192.0.2.7"})
		kim.gets("")
		lee.Leave(room.EndingBanned)
		comes("lee", room.Lobby, nil)
		kim.gets("[lee]" + joinWords)
		h.does(t, op, room.HouseSubject, room.Undone{Act: h.room.Acts(op.Person().ID)[0].ID, Kind: "lifted"})
		kim.gets("[*] op 님이 되돌렸습니다: 차단이나 말하기 금지를 푼 일 (lee).[lee]" + partWords)
	})
}

func TestWhoMayNotSpeakIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := inMemory(t)
		lee := h.join(t, "lee")
		op := h.operator(t)
		lee.gets("[op]" + joinWords)
		mute := bannedByName("lee", room.Lobby)
		mute.Bar.Mute = true
		h.does(t, op, room.Lobby, mute)
		const until = " (누군가 풀어 줄 때까지). 이유: 도배."
		lee.gets("[*] op 님이 방에서 말하지 못하게 했습니다: lee" + until)
		lee.sends("hello")
		lee.gets("[*] #lobby 방에서는 읽을 수만 있고 말할 수 없습니다" + until + " op 님에게 물어보세요.")
		h.does(t, op, room.Lobby, room.Lifted{Bars: []room.ID{h.room.Bars(room.Lobby)[0].ID}, Mute: true, Label: "lee"})
		lee.gets("[*] op 님이 다시 말할 수 있게 했습니다: lee.")
		h.does(t, op, room.Lobby, room.Arranged{What: room.AspectSlow, Value: "1m0s"})
		lee.gets("[*] op 님이 천천히 말하기를 켰습니다. 한 사람이 1분에 한 번 말할 수 있습니다.")
		lee.sends("one")
		lee.gets("[lee] one")
		lee.sends("two")
		lee.gets("[*] 말하지 못했습니다: 지금 이 방은 천천히 말하는 중인데 방금 말했습니다. 조금 뒤에 다시 보내세요.")
		h.does(t, op, room.HouseSubject, room.Announced{Text: room.Sentence("곧 닫습니다\n[lee] 아니요")})
		lee.gets("[*] op 님의 공지: 곧 닫습니다[*] op 님의 공지: [lee] 아니요")
	})
}

func TestWhoIsKeptOutIsToldAtTheDoor(t *testing.T) {
	const until = " (누군가 풀어 줄 때까지). 이유: 도배. 자세한 것은 이 집을 운영하는 사람에게 물어보세요."
	t.Run("by address", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := inMemory(t)
			op := h.operator(t)
			bar := bannedByName("", room.HouseSubject)
			bar.Bar.Target = room.Target{Nets: anyAddress}
			h.does(t, op, room.HouseSubject, bar)
			conn, err := h.dial()
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { conn.Close() })
			c := &client{t: t, h: h, conn: conn}
			if got, want := c.rest(), "[*] 이 집에 들어올 수 없습니다"+until; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
			if got := h.gate.Stats().Refused; len(got) > 0 {
				t.Errorf("the gate refused %v, want nobody yet", got)
			}
		})
	})
	t.Run("by nickname", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := inMemory(t)
			op := h.operator(t)
			lee, err := h.room.Enter(t.Context(), room.Claim{Nick: "lee", Names: namesOf(t, "lee")}, room.Entry{Where: room.Lobby})
			if err != nil {
				t.Fatal(err)
			}
			bar := bannedByName("lee", room.HouseSubject)
			bar.Bar.Target.Names = namesOf(t, "lee")
			h.does(t, op, room.HouseSubject, bar)
			lee.Leave(room.EndingBanned)
			c := h.connect(t)
			c.sends("lee")
			if got, want := c.rest(), "[*] 이 집에 들어올 수 없습니다"+until; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	})
}
