package render_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sarangbang/internal/cells"
	"sarangbang/internal/i18n"
	"sarangbang/internal/render"
	"sarangbang/room"
)

var update = flag.Bool("update", false, "write the golden files anew")

var (
	kim    = room.Person{ID: "p1", Nick: "kim"}
	haneul = room.Person{ID: "p2", Nick: "하늘 바다", Key: "SHA256:xyz"}
)

func text(s string) room.Text { return room.Sentence(s) }

// events are one of each kind, with a long and a many-lined text.
func events() []*room.Event {
	long := "The quick brown fox jumps over the lazy dog, and 다람쥐 헌 쳇바퀴에 타고파 while https://example.org/a/very/long/path/that/fits/no/row goes on."
	bodies := []struct {
		from room.Person
		body room.Body
	}{
		{kim, room.Joined{Screen: "s"}},
		{haneul, room.Joined{Screen: "s"}},
		{kim, room.Said{Text: text("hello")}},
		{haneul, room.Said{Text: text("안녕하세요, 반갑습니다 👨‍👩‍👧‍👦 ❤️ e\u0301")}},
		{kim, room.Said{Text: text(long)}},
		{kim, room.Said{Text: text("first\n[하늘 바다] forged\n* kim left.\n\nlast")}},
		{haneul, room.Emoted{Text: text("waves")}},
		{kim, room.Told{To: haneul, Text: text("psst")}},
		{haneul, room.Told{To: kim, Text: text("응?")}},
		{kim, room.Renamed{To: "김"}},
		{kim, room.Parted{Screen: "s"}},
		{room.Person{}, room.Notice{Text: text("A notice of two lines,\nof which the second is long enough to be wrapped at least once in any golden file here.")}},
		{kim, room.Unknown{Kind: "reacted"}},
		{kim, room.Arranged{What: room.AspectTopic, Value: "모두의 방\n* lee left."}},
		{kim, room.Arranged{What: room.AspectSlow, Value: "1m30s"}},
		{haneul, room.Invited{Whom: kim}},
		{kim, room.Ranked{Whom: haneul, Role: room.RoleModerator}},
		{kim, room.Kicked{Whom: haneul, Reason: text("no shouting\n* lee left.")}},
		{kim, room.Barred{Bar: room.Bar{Label: "lee", Reason: text("spam"), Until: time.Unix(86_400, 0), Where: room.Lobby}}},
		{kim, room.Barred{Bar: room.Bar{Label: "10.0.0.0/8", Where: room.HouseSubject}, Out: []room.Person{haneul}}},
		{kim, room.Lifted{Label: "lee"}},
		{kim, room.Undone{Kind: "banned"}},
		{kim, room.Withdrawn{Lines: make([]room.ID, 3)}},
		{room.Person{}, room.Removed{}},
		{kim, room.Announced{Text: text("The house closes at ten.\n* lee left.")}},
	}
	out := make([]*room.Event, len(bodies))
	for i, b := range bodies {
		out[i] = &room.Event{Seq: room.Seq(i + 1), Subject: room.Lobby, At: time.Unix(0, 0), From: b.from, Body: b.body}
	}
	return out
}

func TestGoldenScreens(t *testing.T) {
	for _, lang := range i18n.Langs() {
		for _, columns := range []int{80, 40, 20, 0} {
			name := fmt.Sprintf("%s-%d", lang, columns)
			t.Run(name, func(t *testing.T) {
				v := render.View{Lang: lang, Columns: columns, Me: kim.ID, Zone: time.UTC}
				var got []byte
				for _, e := range events() {
					got = render.Append(got, e, v)
				}
				checkGolden(t, name, got)
			})
		}
	}
	for _, lang := range i18n.Langs() {
		t.Run(string(lang)+"-words", func(t *testing.T) {
			v := render.View{Lang: lang, Columns: 40, Me: kim.ID, Nick: kim.Nick, Words: true}
			var got []byte
			for i, body := range []room.Body{
				room.Said{Text: text("hi Kim님")}, room.Said{Text: text("kimchi")}, room.Emoted{Text: text("waves\nat kim")}, room.Told{To: kim, Text: text("kim?")},
			} {
				for _, from := range []room.Person{haneul, kim} {
					got = render.Append(got, &room.Event{Seq: room.Seq(i + 1), From: from, Body: body}, v)
				}
			}
			checkGolden(t, string(lang)+"-words", got)
		})
	}
	t.Run("colour", func(t *testing.T) {
		v := render.View{Lang: i18n.English, Columns: 40, Me: kim.ID, Zone: time.UTC, Palette: render.PaletteFor(render.AnyGround, render.Colors16)}
		var got []byte
		for _, e := range events() {
			got = render.Append(got, e, v)
		}
		checkGolden(t, "colour", []byte(strings.ReplaceAll(string(got), "\x1b", "␛")))
	})
}

func checkGolden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}

func TestMention(t *testing.T) {
	for _, c := range []struct{ line, nick, want string }{
		{"kim", "kim", "kim"},
		{"hi KIM!", "kim", "hi |KIM"},
		{"@kim", "kim", "@|kim"},
		{"kim's hat", "kim", "kim"},
		{"kim,kim", "kim", "kim"},
		{"kimchi", "kim", ""},
		{"akim", "kim", ""},
		{"kim2", "kim", ""},
		{"2kim", "kim", ""},
		{"kim_lee", "kim", ""},
		{"kime\u0301", "kim", ""},
		{"kim\u0301", "kim", ""},
		{"akim kim", "kim", "akim |kim"},
		{"lee min here", "lee min", "lee min"},
		{"lee  min", "lee min", ""},
		{"ｋｉｍ 안녕", "kim", "ｋｉｍ"},
		{"xｋＩm", "kim", ""},
		{"KIM", "ｋｉｍ", "KIM"},
		{"ÅSE?", "åse", "ÅSE"},
		{"ⅷ Ⅷ", "Ⅷ", "ⅷ"},
		{"ΣΊΣΥΦΟΣ", "σίσυφος", "ΣΊΣΥΦΟΣ"},
		{"kim님 안녕", "kim", "kim"},
		{"안녕kim아", "kim", "안녕|kim"},
		{"민수야", "민수", "민수"},
		{"민수님안녕하세요", "민수", "민수"},
		{"저기 민수씨한테", "민수", "저기 |민수"},
		{"민수형이랑", "민수", "민수"},
		{"민준이가", "민준", "민준"},
		{"민준이한테는", "민준", "민준"},
		{"민수에게!", "민수", "민수"},
		{"민수네", "민수", "민수"},
		{"hi민수", "민수", "hi|민수"},
		{"민수2", "민수", ""},
		{"김민수", "민수", ""},
		{"민수진", "민수", ""},
		{"김치", "김", ""},
		{"김도균", "김", ""},
		{"김은", "김", "김"},
		{"김치 김이요", "김", "김치 |김"},
		{"田中さん", "田中", "田中"},
		{"[kim] kim", "kim", "[|kim"},
		{"", "kim", ""},
		{"x", "", ""},
		{strings.Repeat("k", 4000) + " kim", "kim", strings.Repeat("k", 4000) + " |kim"},
	} {
		got := ""
		if from, to := render.Mention(c.line, c.nick); from >= 0 {
			got = c.line[from:to]
			if from > 0 {
				got = c.line[:from] + "|" + got
			}
		}
		if got != c.want {
			t.Errorf("Mention(%.60q, %q) = %.60q, want %.60q", c.line, c.nick, got, c.want)
		}
	}
}

func TestMentionAndTimeAreDrawn(t *testing.T) {
	v := render.View{Lang: i18n.English, Columns: 80, Palette: render.PaletteFor(render.AnyGround, render.Colors16), Me: kim.ID, Nick: kim.Nick, Clock: "15:04", Zone: time.UTC}
	e := &room.Event{At: time.Date(2026, 11, 23, 9, 5, 0, 0, time.UTC), From: haneul, Body: room.Said{Text: text("hi kim and Kim")}}
	const want = "09:05 \x1b[95m[하늘 바다] \x1b[0mhi \x1b[7mkim\x1b[27m and \x1b[7mKim\x1b[27m\n"
	if got := string(render.Append(nil, e, v)); got != want {
		t.Errorf("rows = %q, want %q", got, want)
	}
}

func TestHighlightLeavesTheGutterAlone(t *testing.T) {
	v := render.View{Lang: i18n.English, Columns: 14, Palette: render.PaletteFor(render.AnyGround, render.Colors16), Nick: "lee min"}
	e := &room.Event{From: room.Person{ID: "k", Nick: "kim"}, Body: room.Said{Text: text("oh lee min")}}
	const want = "\x1b[31m[kim] \x1b[0moh \x1b[7mlee \x1b[27m\n¦ \x1b[7mmin\x1b[27m\n"
	if got := string(render.Append(nil, e, v)); got != want {
		t.Errorf("rows = %q, want %q", got, want)
	}
}

// hostile are texts that try to leave their place.
var hostile = []string{
	"x\n[kim] forged", "x\n* kim left.", strings.Repeat("\n", 19) + "y", "\x1b[2J\x1b[H[kim] forged", "\u009b2J", "a\u202eb\u2066c",
	"x\u2028[kim] forged", "x\r[kim] forged", "a" + strings.Repeat("\u0301", 500), strings.Repeat("\u1112\u1161\u11ab", 40),
	strings.Repeat("👨‍👩‍👧‍👦", 30), strings.Repeat("\u1160", 100) + "[kim] forged", strings.Repeat(" ", 79) + "[kim] forged",
	strings.Repeat("가", 200), strings.Repeat("x", 79) + "[kim] forged", "\ufdd0\U000f0000", "\xff\xfe", "⠀[kim] forged",
	strings.Repeat("\u200d", 50) + "[kim]", "🇰🇷🇰🇷🇰🇷🇰", "…★①" + strings.Repeat("★", 90), "\t\t\t[kim]",
}

// checkRows holds the promises of every row: none wider than the view, none that starts like a line of somebody else.
func checkRows(t *testing.T, rows []byte, columns int, head string) {
	t.Helper()
	for i, row := range strings.Split(strings.TrimSuffix(string(rows), "\n"), "\n") {
		if columns > 0 && cells.Width(row) > columns {
			t.Errorf("row %q has %d cells, want at most %d", row, cells.Width(row), columns)
		}
		if i == 0 && !strings.HasPrefix(row, head) {
			t.Errorf("first row %q, want it to start with %q", row, head)
		}
		if i > 0 && !strings.HasPrefix(row, render.Gutter) {
			t.Errorf("row %d %q, want it to start with the gutter", i, row)
		}
		if j := strings.IndexFunc(row, func(r rune) bool { return r < 0x20 || r >= 0x7f && r < 0xa0 }); j >= 0 {
			t.Errorf("row %q holds a control character at byte %d", row, j)
		}
	}
}

func TestNoTextLeavesItsPlace(t *testing.T) {
	for _, s := range hostile {
		for _, columns := range []int{0, 12, 20, 80} {
			rows := render.Append(nil, &room.Event{From: haneul, Body: room.Said{Text: text(s)}}, render.View{Lang: i18n.English, Columns: columns})
			head := "[하늘 바다] "
			if columns == 12 {
				head = "[하늘 바다]" // the blank behind it is where the row breaks
			}
			checkRows(t, rows, columns, head)
		}
	}
}

func TestWrappingLosesNothing(t *testing.T) {
	const said = "one two  three 가나다라 마바사 averyveryverylongword and more"
	for columns := 12; columns <= 90; columns++ {
		rows := string(render.Append(nil, &room.Event{From: kim, Body: room.Said{Text: text(said)}}, render.View{Lang: i18n.English, Columns: columns}))
		joined := strings.ReplaceAll(rows, "\n"+render.Gutter, "")
		without := func(s string) string { return strings.ReplaceAll(strings.TrimSuffix(s, "\n"), " ", "") }
		if got, want := without(joined), without("[kim] "+said); got != want {
			t.Errorf("%d columns: %q, want %q", columns, got, want)
		}
	}
}

// The blanks that align the columns of /help do not indent what a narrow screen has in the next row. What a person says keeps its own.
func TestColumnsOfTheHouseEndWithTheRow(t *testing.T) {
	const line = "/who                who is here"
	for _, c := range []struct {
		body room.Body
		want string
	}{
		{room.Notice{Text: text(line)}, "* /who\n¦ who is here\n"},
		{room.Said{Text: text(line)}, "[kim] /who\n¦      who is here\n"},
	} {
		rows := render.Append(nil, &room.Event{From: kim, Body: c.body}, render.View{Lang: i18n.English, Columns: 20})
		var got string
		for row := range strings.Lines(string(rows)) {
			got += strings.TrimRight(row, " \n") + "\n"
		}
		if got != c.want {
			t.Errorf("rows %q, want %q", got, c.want)
		}
	}
}

func FuzzRows(f *testing.F) {
	for _, s := range hostile {
		f.Add(s, 20)
	}
	f.Fuzz(func(t *testing.T, s string, columns int) {
		columns = 12 + max(columns, -columns)%100
		rows := render.Append(nil, &room.Event{From: kim, Body: room.Said{Text: text(s)}}, render.View{Lang: i18n.English, Columns: columns})
		checkRows(t, rows, columns, "[kim] ")
	})
}

func BenchmarkAppend(b *testing.B) {
	for name, s := range map[string]string{
		"ascii":  "The quick brown fox jumps over the lazy dog and goes on for a hundred bytes, or about so many here.",
		"hangul": strings.Repeat("다람쥐 헌 쳇바퀴에 ", 4),
		"4KiB":   strings.Repeat("word ", 819),
	} {
		b.Run(name, func(b *testing.B) {
			e := &room.Event{From: kim, Body: room.Said{Text: text(s)}}
			v := render.View{Lang: i18n.English, Columns: 80, Palette: render.PaletteFor(render.AnyGround, render.Colors256)}
			var buf []byte
			b.ReportAllocs()
			b.SetBytes(int64(len(s)))
			for b.Loop() {
				buf = render.Append(buf[:0], e, v)
			}
		})
	}
}

func BenchmarkMention(b *testing.B) {
	line := "The quick brown fox jumps over the lazy dog and goes on for a hundred bytes, or about so many here."
	for b.Loop() {
		if from, _ := render.Mention(line, "김철수"); from >= 0 {
			b.Fatal("found")
		}
		if from, _ := render.Mention(line, "person-17"); from >= 0 {
			b.Fatal("found")
		}
	}
}
