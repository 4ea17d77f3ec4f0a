package render_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"sarangbang/internal/cells"
	"sarangbang/internal/i18n"
	"sarangbang/internal/render"
	"sarangbang/room"
)

// Whoever sees an event, and whoever has seen it before them: the rows are those that are drawn for them alone.
func TestSharedDrawsWhatEachPersonWouldDraw(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(n int) int { return random.IntN(n) }
	all := events()
	for i, s := range []string{"kim, look", "하늘 바다: 안녕", "nobody is named", "Kim and 하늘 바다\nand KIM"} {
		all = append(all, &room.Event{
			Seq: room.Seq(len(all) + i), At: time.Unix(int64(i)*86_000, 0), From: []room.Person{kim, haneul}[i%2], Body: room.Said{Text: text(s)},
		})
	}
	palettes := []*render.Palette{
		nil, nil, render.PaletteFor(render.AnyGround, render.Colors256), render.PaletteFor(render.LightGround, render.Colors16),
	}
	var shared render.Shared
	for n := range 20_000 {
		me := []room.Person{kim, haneul, {ID: "p3", Nick: "lee"}, {}}[pick(4)]
		v := render.View{
			Lang: i18n.Langs()[pick(2)], Columns: []int{0, 12, 20, 40, 80, 200}[pick(6)], Palette: palettes[pick(4)], Words: pick(3) == 0, Bare: pick(8) == 0,
			Me: me.ID, Nick: me.Nick, Zone: []*time.Location{time.UTC, time.FixedZone("KST", 9*3600)}[pick(2)],
			Clock: []string{"", "15:04"}[pick(2)], Ruler: cells.Ruler{Wide: pick(4) == 0},
			Here: []room.Subject{"", room.Lobby, "room/dev"}[pick(3)], Rooms: []render.Names{nil, called("Salon")}[pick(2)],
		}
		e := all[pick(len(all))]
		if pick(50) == 0 { // it was struck: another event stands in its place
			struck := *e
			struck.From, struck.Body = kim, room.Said{Text: text("struck, " + string(kim.Nick))}
			e = &struck
		}
		got, want := string(shared.Append([]byte("x"), e, v)), string(render.Append([]byte("x"), e, v))
		if got != want {
			t.Fatalf("step %d, view %+v, event %+v:\n%q, want\n%q", n, v, e, got, want)
		}
	}
}

// Whoever reads several events at once, from wherever on, and whatever was struck among them since somebody else did.
func TestSharedPagesAreWhatEachPersonWouldDraw(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	pick := func(n int) int { return random.IntN(n) }
	people := []room.Person{kim, haneul, {ID: "p3", Nick: "lee"}, {}}
	line := func(seq int) *room.Event {
		e := &room.Event{Seq: room.Seq(seq), At: time.Unix(int64(seq)*40_000, 0), From: people[pick(3)], Subject: room.Lobby}
		words := text([]string{"hello", "KIM, look", "하늘 바다님", "nothing much", "a line that is much longer than twenty cells"}[pick(5)])
		switch pick(12) {
		case 0:
			e.Body = room.Joined{}
		case 1:
			e.Body = room.Emoted{Text: words}
		case 2:
			e.Subject, e.Body = "room/dev", room.Said{Text: words}
		default:
			e.Body = room.Said{Text: words}
		}
		return e
	}
	var shared render.Shared
	var all []*room.Event
	most := 0
	for step := range 20_000 {
		if len(all) > 40 {
			all = all[20:]
		}
		all = append(all, line(step+1))
		if pick(10) == 0 {
			struck := *all[pick(len(all))]
			struck.From = room.Struck
			all[int(struck.Seq-all[0].Seq)] = &struck
		}
		me := people[pick(4)]
		v := render.View{
			Lang: i18n.English, Columns: []int{0, 20, 80}[pick(3)], Me: me.ID, Nick: me.Nick, Words: pick(3) == 0,
			Palette: []*render.Palette{nil, render.PaletteFor(render.AnyGround, render.Colors256)}[pick(2)],
			Clock:   []string{"", "15:04"}[pick(2)], Zone: []*time.Location{time.UTC, time.FixedZone("KST", 9*3600)}[pick(2)],
			Here: []room.Subject{"", room.Lobby}[pick(2)],
		}
		name := render.NameOf(v.Nick)
		events := all[len(all)-1-pick(min(len(all), 8)):]
		n := 0
		for range 3 { // the second who asks makes it, the third finds it
			var got []byte
			got, n = shared.AppendSaid([]byte("x"), events, v, &name)
			want := []byte("x")
			for _, e := range events[:n] {
				want = render.Append(want, e, v)
			}
			if string(got) != string(want) {
				t.Fatalf("step %d, view %+v, %d events:\n%q, want\n%q", step, v, n, got, want)
			}
		}
		most = max(most, n)
		if n < len(events) {
			e := events[n]
			_, joined := e.Body.(room.Joined)
			row := string(render.Append(nil, e, render.View{Lang: i18n.English, Nick: v.Nick, Me: v.Me, Words: true}))
			if !joined && !strings.Contains(row, "mentions you") && (v.Here == "" || v.Here == e.Subject) {
				t.Fatalf("step %d, view %+v: drawn up to %d, which nothing keeps from being drawn: %+v", step, v, n, e)
			}
		}
	}
	if most != 8 {
		t.Errorf("%d events were drawn at once at most, want 8", most)
	}
}

// Whether a line names somebody is told from its letters, and never wrongly that it does not.
func TestNamesIsMention(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	letters := []rune("aAbBkK\u212Aｋ가각나 .1é\u00C9ſsS")
	word := func(most int) string {
		var w []rune
		for range 1 + random.IntN(most) {
			w = append(w, letters[random.IntN(len(letters))])
		}
		return string(w)
	}
	var shared render.Shared
	named := 0
	for i := range 50_000 {
		e := &room.Event{Seq: room.Seq(i), Body: room.Said{Text: text(word(30))}}
		nick := word(4)
		line := e.Body.(room.Said).Text
		from, _ := render.Mention(line.String(), nick)
		name := render.NameOf(room.Nick(nick))
		if got, want := shared.Names(e, line, &name), from >= 0; got != want {
			t.Fatalf("%q names %q: %v, want %v", line, nick, got, want)
		}
		if from >= 0 {
			named++
		}
	}
	if named < 1000 {
		t.Errorf("%d lines named somebody, want more to compare", named)
	}
}

func TestEventIsDrawnOnceForAllWhoSeeItAlike(t *testing.T) {
	var shared render.Shared
	buf := make([]byte, 0, 1000)
	said := &room.Event{Seq: 7, From: kim, Body: room.Said{Text: text("hello, 하늘 바다")}}
	joined := &room.Event{Seq: 8, From: kim, Body: room.Joined{}}
	view := render.View{Lang: i18n.English, Columns: 80, Palette: render.PaletteFor(render.AnyGround, render.Colors256), Me: "p3", Nick: "lee"}
	for _, e := range []*room.Event{said, joined} {
		buf = shared.Append(buf[:0], e, view)
		for _, other := range []render.View{
			{Lang: i18n.English, Columns: 80, Palette: render.PaletteFor(render.AnyGround, render.Colors256), Me: "p4", Nick: "park"},
			{Lang: i18n.English, Columns: 40, Palette: render.PaletteFor(render.AnyGround, render.Colors256), Me: kim.ID, Nick: kim.Nick},
			{Lang: i18n.English, Palette: render.PaletteFor(render.AnyGround, render.Colors256), Zone: time.UTC},
		} {
			first := slices.Clone(buf)
			if n := testing.AllocsPerRun(10, func() { buf = shared.Append(buf[:0], e, other) }); n > 0 {
				t.Errorf("event %d is drawn again for %+v: %v allocations, want 0", e.Seq, other, n)
			}
			if string(buf) != string(first) {
				t.Errorf("event %d for %+v: %q, want %q", e.Seq, other, buf, first)
			}
		}
	}
	// What comes again from long ago takes no room from what is new.
	newer := &room.Event{Seq: joined.Seq + 256, From: kim, Body: room.Joined{}}
	shared.Append(buf[:0], newer, view)
	shared.Append(buf[:0], joined, view)
	if n := testing.AllocsPerRun(10, func() { buf = shared.Append(buf[:0], newer, view) }); n > 0 {
		t.Errorf("a newer event is drawn again after an older one: %v allocations, want 0", n)
	}
}

// The longest line, too, and where it is wrapped.
func TestLongLinesAreDrawnOnce(t *testing.T) {
	var shared render.Shared
	e := &room.Event{Seq: 7, From: kim, Body: room.Said{Text: text(strings.Repeat("long ", room.DefaultTextLimits.Bytes/5))}}
	for _, columns := range []int{0, 80, 500} {
		v := render.View{Lang: i18n.English, Columns: columns, Palette: render.PaletteFor(render.AnyGround, render.Colors256), Me: "p3", Nick: "lee"}
		buf := shared.Append(nil, e, v)
		v.Me, v.Nick = "p4", "park"
		if n := testing.AllocsPerRun(10, func() { buf = shared.Append(buf[:0], e, v) }); n > 0 {
			t.Errorf("in %d columns it is drawn again: %v allocations, want 0", columns, n)
		}
		if want := render.Append(nil, e, v); !slices.Equal(buf, want) {
			t.Errorf("in %d columns: %.200q, want %.200q", columns, buf, want)
		}
	}
}

// A page of 36 lines of 100 bytes, for each line.
func BenchmarkSharedPage(b *testing.B) {
	var shared render.Shared
	view := render.View{Lang: i18n.English, Columns: 500, Palette: render.PaletteFor(render.AnyGround, render.Colors256), Me: "p3", Nick: "lee"}
	name := render.NameOf(view.Nick)
	var events []*room.Event
	for i := range 36 {
		events = append(events, &room.Event{
			Seq: room.Seq(i), From: kim, Subject: room.Lobby,
			Body: room.Said{Text: text("The quick brown fox jumps over the lazy dog and goes on for a hundred bytes, or about so many here.")},
		})
	}
	for name, draw := range map[string]func([]byte) []byte{
		"at once": func(buf []byte) []byte { buf, _ = shared.AppendSaid(buf, events, view, &name); return buf },
		"by line": func(buf []byte) []byte {
			for _, e := range events {
				buf = shared.Append(buf, e, view)
			}
			return buf
		},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var buf []byte
			for b.Loop() {
				buf = draw(buf[:0])
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(events)), "ns/line")
		})
	}
}

func BenchmarkShared(b *testing.B) {
	var shared render.Shared
	view := render.View{Lang: i18n.English, Columns: 80, Palette: render.PaletteFor(render.AnyGround, render.Colors256), Me: "p3", Nick: "lee"}
	for _, e := range events()[:4] {
		for name, draw := range map[string]func([]byte, *room.Event, render.View) []byte{"shared": shared.Append, "alone": render.Append} {
			b.Run(name, func(b *testing.B) {
				b.ReportAllocs()
				var buf []byte
				for b.Loop() {
					buf = draw(buf[:0], e, view)
				}
			})
		}
	}
}
