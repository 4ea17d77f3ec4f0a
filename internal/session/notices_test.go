package session

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"sarangbang/internal/cells"
	"sarangbang/internal/command"
	"sarangbang/internal/i18n"
	"sarangbang/internal/render"
	"sarangbang/room"
)

// board is a console that keeps its rows, and a terminal where it is used as one.
type board struct {
	Terminal
	columns int
	rows    strings.Builder
}

func (b *board) Columns() int            { return b.columns }
func (b *board) SetPlain(bool)           {}
func (b *board) SetColor(bool)           {}
func (b *board) SetWords(string, string) {}
func (b *board) Ruler() cells.Ruler      { return cells.Ruler{} }
func (b *board) Print(rows []byte) error {
	b.rows.Write(rows)
	return nil
}

// noon is when the events of these tests begin.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// came and went are n people's arrivals and departures: p1, p2 and so on.
func came(n int) []*room.Event { return by(n, room.Joined{Screen: "s"}) }
func went(n int) []*room.Event { return by(n, room.Parted{Screen: "s", Why: room.EndingLeft}) }

func by(n int, body room.Body) []*room.Event {
	events := make([]*room.Event, n)
	for i := range events {
		nick := fmt.Sprint("p", i+1)
		events[i] = &room.Event{Subject: room.Lobby, At: noon, From: room.Person{ID: room.PersonID(nick), Nick: room.Nick(nick)}, Body: body}
	}
	return events
}

// show draws events at once on a new screen, whose person is called me, and returns the rows.
func show(t *testing.T, columns int, with command.Settings, groups ...[]*room.Event) string {
	t.Helper()
	var events []*room.Event
	for _, g := range groups {
		events = append(events, g...)
	}
	for i, e := range events {
		e.Seq = room.Seq(i + 1)
	}
	b := &board{columns: columns}
	s := newConsoleScreen(b, &render.Shared{}, with, Visitor{Term: "dumb", Env: map[string]string{"TZ": "UTC"}})
	s.view.Me, s.view.Here = "me", room.Lobby
	s.day = dayOf(noon, time.UTC)
	if err := s.Show(events); err != nil {
		t.Fatal(err)
	}
	return regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(b.rows.String(), "")
}

// apart are rows of their own for p1 to pn.
func apart(n int, did string) string {
	rows := ""
	for i := range n {
		rows += fmt.Sprintf("* p%d %s.\n", i+1, did)
	}
	return rows
}

func TestAFloodOfArrivalsIsOneNotice(t *testing.T) {
	own := came(1)
	own[0].From = room.Person{ID: "me", Nick: "kim"}
	said := by(1, room.Said{Text: room.Sentence("hello")})
	renamed := by(1, room.Renamed{To: "lee"})
	elsewhere := came(5)
	for _, e := range elsewhere {
		e.Subject = "room/dev"
	}
	fifty := "* p1"
	for i := range 48 {
		fifty += fmt.Sprint(", p", i+2)
	}
	fifty += " and p50 joined.\n"
	tomorrow := came(5)
	for _, e := range tomorrow {
		e.At = noon.Add(12 * time.Hour)
	}
	const five, fiveLeft = "* p1, p2, p3, p4 and p5 joined.\n", "* p1, p2, p3, p4 and p5 left.\n"
	all := func(groups ...[]*room.Event) [][]*room.Event { return groups }
	for _, c := range []struct {
		name   string
		events [][]*room.Event
		want   string
	}{
		{"one", all(came(1)), apart(1, "joined")},
		{"four", all(came(4)), apart(4, "joined")},
		{"five", all(came(5)), five},
		{"five who leave", all(went(5)), fiveLeft},
		{"four who leave", all(went(4)), apart(4, "left")},
		{"fifty-one", all(came(51)), fifty + "* p51 joined.\n"},
		{"fifty-five", all(came(55)), fifty + "* p51, p52, p53, p54 and p55 joined.\n"},
		{"arrivals, then departures", all(came(5), went(5)), five + fiveLeft},
		{"few of each", all(came(3), went(4), came(2)), apart(3, "joined") + apart(4, "left") + apart(2, "joined")},
		{"a line between", all(came(4), said, came(4)), apart(4, "joined") + "[p1] hello\n" + apart(4, "joined")},
		{"a line behind many", all(said, came(5), said), "[p1] hello\n" + five + "[p1] hello\n"},
		{"a new nickname between", all(came(4), renamed, came(4)), apart(4, "joined") + "* p1 is now called lee.\n" + apart(4, "joined")},
		{"one's own arrival before", all(own, came(5)), "* kim joined.\n" + five},
		{"one's own arrival between", all(came(4), own, came(5)), apart(4, "joined") + "* kim joined.\n" + five},
		{"one's own arrival last", all(came(5), own), five + "* kim joined.\n"},
		{"another room", all(elsewhere), strings.ReplaceAll(apart(5, "joined"), "* ", "* #dev · ")},
		{"a new day between few", all(came(4), tomorrow[:4]), apart(4, "joined") + "* 2026-11-24\n" + apart(4, "joined")},
		{"a new day between many", all(came(5), tomorrow), five + "* 2026-11-24\n" + five},
		{"nothing", nil, ""},
	} {
		if got := show(t, 1000, command.Settings{Lang: i18n.English}, c.events...); got != c.want {
			t.Errorf("%s:\n%swant\n%s", c.name, got, c.want)
		}
	}
}

func TestAFloodOfArrivalsOnOtherScreens(t *testing.T) {
	en, ko := command.Settings{Lang: i18n.English}, command.Settings{Lang: i18n.Korean}
	plain := command.Settings{Lang: i18n.English, Plain: true}
	timed := command.Settings{Lang: i18n.English, Times: command.TimesFull}
	for _, c := range []struct {
		name    string
		columns int
		with    command.Settings
		want    string
	}{
		{"Korean", 80, ko, "* p1, p2, p3, p4, p5 님이 들어왔습니다.\n"},
		{"narrow", 20, en, "* p1, p2, p3, p4 and\n¦ p5 joined.\n"},
		{"narrow and Korean", 20, ko, "* p1, p2, p3, p4, p5\n¦ 님이 들어왔습니다.\n"},
		{"plain, for whom each row is read out", 80, plain, "* p1, p2, p3, p4 and p5 joined.\n"},
		{"with times, which notices have none of", 80, timed, "* p1, p2, p3, p4 and p5 joined.\n"},
		{"without a terminal", 0, en, apart(5, "joined")},
		{"without a terminal, plain", 0, plain, apart(5, "joined")},
	} {
		if got := show(t, c.columns, c.with, came(5)); got != c.want {
			t.Errorf("%s:\n%swant\n%s", c.name, got, c.want)
		}
	}
}
