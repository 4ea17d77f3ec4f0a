package render_test

import (
	"fmt"
	"strings"
	"testing"

	"sarangbang/internal/cells"
	"sarangbang/internal/i18n"
	"sarangbang/internal/render"
	"sarangbang/room"
)

// crowd is the same done by n people, named p1, p2 and so on.
func crowd(n int, body room.Body) []*room.Event {
	events := make([]*room.Event, n)
	for i := range events {
		nick := fmt.Sprint("p", i+1)
		events[i] = &room.Event{Seq: room.Seq(i + 1), Subject: room.Lobby, From: room.Person{ID: room.PersonID(nick), Nick: room.Nick(nick)}, Body: body}
	}
	return events
}

func TestOneNoticeTellsOfMany(t *testing.T) {
	joined, left := room.Joined{Screen: "s"}, room.Parted{Screen: "s", Why: room.EndingLost}
	named := crowd(3, joined)
	for i, p := range []room.Person{kim, haneul, lee} {
		named[i].From = p
	}
	for _, c := range []struct {
		events  []*room.Event
		lang    i18n.Lang
		columns int
		want    string
	}{
		{crowd(5, joined), i18n.English, 80, "* p1, p2, p3, p4 and p5 joined.\n"},
		{crowd(5, left), i18n.English, 80, "* p1, p2, p3, p4 and p5 left.\n"},
		{crowd(5, joined), i18n.Korean, 80, "* p1, p2, p3, p4, p5 님이 들어왔습니다.\n"},
		{crowd(5, left), i18n.Korean, 80, "* p1, p2, p3, p4, p5 님이 나갔습니다.\n"},
		{crowd(2, joined), i18n.English, 80, "* p1 and p2 joined.\n"},
		{named, i18n.English, 20, "* kim, 하늘 바다 and\n¦ lee joined.\n"},
		{named, i18n.Korean, 20, "* kim, 하늘 바다, \n¦ lee 님이 \n¦ 들어왔습니다.\n"},
		{crowd(7, joined), i18n.English, 12, "* p1, p2, \n¦ p3, p4, \n¦ p5, p6 and\n¦ p7 joined.\n"},
		{crowd(5, joined), i18n.English, 0, "* p1, p2, p3, p4 and p5 joined.\n"},
	} {
		got := string(render.AppendTogether(nil, c.events, render.View{Lang: c.lang, Columns: c.columns, Me: "me"}))
		if got != c.want {
			t.Errorf("%s, %d columns: %q, want %q", c.lang, c.columns, got, c.want)
		}
	}
	v := render.View{Lang: i18n.English, Columns: 80, Palette: render.PaletteFor(render.AnyGround, render.Colors16)}
	if got, want := string(render.AppendTogether(nil, crowd(2, joined), v)), "\x1b[2m* p1 and p2 joined.\x1b[0m\n"; got != want {
		t.Errorf("with colours: %q, want %q", got, want)
	}
}

func TestRowsOfANoticeAboutManyKeepTheirPlace(t *testing.T) {
	events := crowd(50, room.Joined{})
	for i, e := range events {
		e.From.Nick = room.Nick([]string{"kim", "하늘 바다", "ノエル", "aVeryLongNicknameOfOneWord", "¦ * lee"}[i%5])
	}
	for _, columns := range []int{12, 20, 80} {
		checkRows(t, render.AppendTogether(nil, events, render.View{Lang: i18n.Korean, Columns: columns, Ruler: cells.Ruler{Wide: true}}), columns, render.Mark)
	}
}

func TestWhatGoesTogether(t *testing.T) {
	at := func(where room.Subject, from room.Person, body room.Body) *room.Event {
		return &room.Event{Subject: where, From: from, Body: body}
	}
	v := render.View{Lang: i18n.English, Columns: 80, Me: kim.ID, Here: room.Lobby}
	came, left := at(room.Lobby, lee, room.Joined{}), at(room.Lobby, lee, room.Parted{Why: room.EndingLeft})
	for _, c := range []struct {
		name string
		a, b *room.Event
		want int
	}{
		{"two arrivals", came, at(room.Lobby, haneul, room.Joined{}), 2},
		{"two departures, whatever the reasons", left, at(room.Lobby, haneul, room.Parted{Why: room.EndingLost}), 2},
		{"an arrival and a departure", came, left, 1},
		{"one's own arrival first", at(room.Lobby, kim, room.Joined{}), came, 1},
		{"one's own arrival second", came, at(room.Lobby, kim, room.Joined{}), 1},
		{"one's own departure", left, at(room.Lobby, kim, room.Parted{}), 1},
		{"two rooms", came, at("room/dev", haneul, room.Joined{}), 1},
		{"a room that is not on the screen", at("room/dev", lee, room.Joined{}), at("room/dev", haneul, room.Joined{}), 1},
		{"a line", came, at(room.Lobby, haneul, room.Said{Text: text("hello")}), 1},
		{"two lines", at(room.Lobby, lee, room.Said{Text: text("hello")}), at(room.Lobby, haneul, room.Said{Text: text("hello")}), 1},
		{"a new nickname", came, at(room.Lobby, haneul, room.Renamed{To: "김"}), 1},
		{"two who were sent away", at(room.Lobby, lee, room.Kicked{Whom: haneul}), at(room.Lobby, lee, room.Kicked{Whom: haneul}), 1},
	} {
		if got := render.Together([]*room.Event{c.a, c.b}, v); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
	two := crowd(2, room.Joined{})
	two[1].Subject = "room/dev"
	if got := render.Together(two, render.View{Lang: i18n.English}); got != 1 {
		t.Errorf("two rooms on a screen of all: %d, want 1", got)
	}
	v.Me = "me"
	all := append(crowd(3, room.Joined{}), crowd(2, room.Parted{})...)
	for i, want := range []int{3, 2, 1, 2, 1, 0} {
		if got := render.Together(all[i:], v); got != want {
			t.Errorf("from event %d on: %d, want %d", i, got, want)
		}
	}
}

// Fifty arrivals in one notice, and each in a row of its own that others have drawn before: what a flood costs each screen.
func BenchmarkArrivals(b *testing.B) {
	events := crowd(50, room.Joined{})
	for i, e := range events {
		e.From.Nick = room.Nick(fmt.Sprintf("person-%03d", i))
	}
	var shared render.Shared
	v := render.View{Lang: i18n.English, Columns: 80, Palette: render.PaletteFor(render.AnyGround, render.Colors256), Me: "me", Here: room.Lobby}
	for name, draw := range map[string]func([]byte) []byte{
		"merged": func(dst []byte) []byte {
			return render.AppendTogether(dst, events[:render.Together(events, v)], v)
		},
		"single": func(dst []byte) []byte {
			for _, e := range events {
				dst = shared.Append(dst, e, v)
			}
			return dst
		},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var buf []byte
			for b.Loop() {
				buf = draw(buf[:0])
			}
			b.ReportMetric(float64(len(buf)), "bytes")
			b.ReportMetric(float64(strings.Count(string(buf), "\n")), "rows")
		})
	}
}

func TestNoticeOfManyIsDrawnOnce(t *testing.T) {
	var shared render.Shared
	events := crowd(50, room.Joined{})
	views := []render.View{
		{Lang: i18n.English, Columns: 80, Me: "a", Nick: "p1"},
		{Lang: i18n.English, Columns: 20, Me: "b"},
		{Lang: i18n.Korean, Columns: 80, Palette: render.PaletteFor(render.AnyGround, render.Colors16), Here: room.Lobby, Me: "c"},
	}
	for range 3 {
		for n := 5; n <= len(events); n += 15 {
			for _, v := range views {
				if got, want := string(shared.AppendTogether(nil, events[:n], v)), string(render.AppendTogether(nil, events[:n], v)); got != want {
					t.Fatalf("%d of them, view %+v: %q, want %q", n, v, got, want)
				}
			}
		}
	}
	buf := make([]byte, 0, 4096)
	v := views[0]
	v.Me = "somebody else"
	if n := testing.AllocsPerRun(10, func() { buf = shared.AppendTogether(buf[:0], events[:20], v) }); n > 0 {
		t.Errorf("the notice is drawn again: %v allocations, want 0", n)
	}
}

func TestANoticeAboutManyIsPutTogetherInOnePiece(t *testing.T) {
	v := render.View{Lang: i18n.Korean, Columns: 80}
	buf := make([]byte, 0, 4096)
	allocations := func(n int) float64 {
		events := crowd(n, room.Joined{})
		return testing.AllocsPerRun(100, func() { render.AppendTogether(buf, events, v) })
	}
	if few, many := allocations(2), allocations(50); many > few {
		t.Errorf("a notice about 50 people allocates %v times, one about 2 %v times, want no more", many, few)
	}
}
