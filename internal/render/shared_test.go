package render_test

import (
	"math/rand/v2"
	"slices"
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
