package session

import (
	"context"
	"slices"
	"strings"
	"testing"

	"sarangbang/internal/cells"
	"sarangbang/internal/command"
	"sarangbang/internal/i18n"
	"sarangbang/internal/render"
)

// textOf returns the form that a screen so wide shows.
func textOf(forms [][]Span, columns int) string {
	text := ""
	for _, form := range forms {
		text = ""
		for _, s := range form {
			text += s.Text
		}
		if 2*cells.Width(text) <= columns {
			break
		}
	}
	return text
}

func TestPromptOnScreensOfEveryWidth(t *testing.T) {
	two := []elsewhere{{1, "#lobby", 12, 0}, {3, "#ops", 5, 1}}
	many := []elsewhere{
		{1, "#lobby", 12, 0}, {2, "#go", 3, 0}, {3, "#ops", 5, 2}, {4, "#quiet", 0, 0}, {5, "#rust", 2345, 0}, {12, "#zig", 999, 0},
	}
	// widths are the narrowest screens that show what stands behind them.
	type widths []struct {
		from int
		want string
	}
	for _, c := range []struct {
		name, here, nick, state string
		others                  []elsewhere
		want                    widths
	}{
		{"one room", "#lobby", "kim", "", nil, widths{{12, "kim> "}, {24, "#lobby kim> "}}},
		{"one room, a longer name", "#lobby", "kimchulsoo", "", nil, widths{{12, "> "}, {24, "kimchulsoo> "}, {38, "#lobby kimchulsoo> "}}},
		{"nothing unread", "#dev", "kim", "", []elsewhere{{1, "#lobby", 0, 0}, {3, "#ops", 0, 0}}, widths{{12, "kim> "}, {20, "#dev kim> "}}},
		{"one line", "#dev", "kim", "", []elsewhere{{1, "#lobby", 1, 0}}, widths{
			{12, "[+1]> "}, {20, "kim [+1]> "}, {30, "#dev kim [+1]> "}, {32, "#dev kim [1:1]> "}, {46, "#dev kim [1 #lobby 1]> "},
		}},
		{"two rooms", "#dev", "kim", "", two, widths{
			{12, "> "},
			{16, "[+17!]> "},
			{24, "kim [+17!]> "},
			{34, "#dev kim [+17!]> "},
			{42, "#dev kim [3:5! +12]> "},
			{44, "#dev kim [1:12 3:5!]> "},
			{72, "#dev kim [1 #lobby 12] [3 #ops 5!]> "},
		}},
		{"named in both", "#dev", "kim", "", []elsewhere{{1, "#lobby", 12, 1}, {3, "#ops", 5, 5}}, widths{
			{12, "> "},
			{16, "[+17!]> "},
			{24, "kim [+17!]> "},
			{34, "#dev kim [+17!]> "},
			{46, "#dev kim [1:12! 3:5!]> "},
			{74, "#dev kim [1 #lobby 12!] [3 #ops 5!]> "},
		}},
		{"many rooms", "#dev", "kim", "", many, widths{
			{12, "> "},
			{20, "[+999+!]> "},
			{28, "kim [+999+!]> "},
			{38, "#dev kim [+999+!]> "},
			{46, "#dev kim [3:5! +999+]> "},
			{80, "#dev kim [1:12 2:3 3:5! 5:999+ 12:999]> "},
		}},
		{"wide characters", "#사랑", "민수", "", []elsewhere{{1, "#로비", 12, 0}, {2, "#개발", 5, 1}}, widths{
			{12, "> "},
			{16, "[+17!]> "},
			{26, "민수 [+17!]> "},
			{38, "#사랑 민수 [+17!]> "},
			{46, "#사랑 민수 [2:5! +12]> "},
			{48, "#사랑 민수 [1:12 2:5!]> "},
			{76, "#사랑 민수 [1 #로비 12] [2 #개발 5!]> "},
		}},
		{"a long nickname", "#dev", "아주긴이름의사람", "", two, widths{
			{12, "> "},
			{16, "[+17!]> "},
			{50, "아주긴이름의사람 [+17!]> "},
			{60, "#dev 아주긴이름의사람 [+17!]> "},
			{68, "#dev 아주긴이름의사람 [3:5! +12]> "},
			{70, "#dev 아주긴이름의사람 [1:12 3:5!]> "},
			{98, "#dev 아주긴이름의사람 [1 #lobby 12] [3 #ops 5!]> "},
		}},
		{"a line on its way", "#lobby", "kimchulsoo", "sending…", nil, widths{
			{12, "…> "}, {20, "sending…> "}, {42, "kimchulsoo sending…> "}, {56, "#lobby kimchulsoo sending…> "},
		}},
		{"and unread ones", "#dev", "kim", "보내는 중…", two, widths{
			{12, "…> "},
			{24, "보내는 중…> "},
			{32, "kim 보내는 중…> "},
			{42, "#dev kim 보내는 중…> "},
			{56, "#dev kim [+17!] 보내는 중…> "},
			{64, "#dev kim [3:5! +12] 보내는 중…> "},
			{66, "#dev kim [1:12 3:5!] 보내는 중…> "},
			{94, "#dev kim [1 #lobby 12] [3 #ops 5!] 보내는 중…> "},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			forms := promptForms(c.here, c.nick, c.state, c.others)
			want := ""
			for columns := 12; columns <= 120; columns++ {
				for _, w := range c.want {
					if w.from == columns {
						want = w.want
					}
				}
				if got := textOf(forms, columns); got != want {
					t.Errorf("%d columns: %q, want %q", columns, got, want)
				}
			}
			if !slices.IsSortedFunc(forms, func(a, b []Span) int { return cells.Width(b[0].Text) - cells.Width(a[0].Text) }) {
				t.Errorf("%q: a form comes before a longer one", forms)
			}
		})
	}
}

// deck is a terminal that notes its prompts.
type deck struct {
	Terminal
	columns int
	prompts []string
	in      Input
}

func (d *deck) Columns() int                              { return d.columns }
func (d *deck) SetPlain(bool)                             {}
func (d *deck) SetColor(bool)                             {}
func (d *deck) SetWords(string, string)                   {}
func (d *deck) Next(context.Context, Wait) (Input, error) { return d.in, nil }
func (d *deck) SetPrompt(forms ...[]Span)                 { d.prompts = append(d.prompts, textOf(forms, d.columns)) }

// told checks which prompts were set since the last call.
func (d *deck) told(t *testing.T, when string, want ...string) {
	t.Helper()
	if strings.Join(d.prompts, "|") != strings.Join(want, "|") || len(d.prompts) != len(want) {
		t.Errorf("%s: prompts %q, want %q", when, d.prompts, want)
	}
	d.prompts = nil
}

func TestRoomsComeIntoThePrompt(t *testing.T) {
	d := &deck{columns: 80}
	s := newConsoleScreen(d, &render.Shared{}, command.Settings{Lang: i18n.English}, Visitor{Term: "xterm"})
	s.setRooms("#lobby", nil)
	d.told(t, "before the nickname is known")
	s.Enter("kim")
	d.told(t, "inside", "#lobby kim> ")
	s.setRooms("#dev", []elsewhere{{1, "#lobby", 0, 0}})
	d.told(t, "elsewhere", "#dev kim> ")
	for n := range 3 {
		s.setRooms("#dev", []elsewhere{{1, "#lobby", n + 1, n / 2}})
	}
	d.told(t, "with each line", "#dev kim [1 #lobby 1]> ", "#dev kim [1 #lobby 2]> ", "#dev kim [1 #lobby 3!]> ")
	s.Sending(true)
	s.Sending(false)
	s.Enter("lee")
	d.told(t, "whatever else changes", "#dev kim [1 #lobby 3!] sending…> ", "#dev kim [1 #lobby 3!]> ", "#dev lee [1 #lobby 3!]> ")
}

// Who hears the screen is not told of every line in other rooms.
func TestPlainPromptIsNotSetForEveryLine(t *testing.T) {
	d := &deck{columns: 80}
	with := command.Settings{Lang: i18n.English, Plain: true}
	s := newConsoleScreen(d, &render.Shared{}, with, Visitor{Term: "xterm"})
	s.Enter("kim")
	others := func(unread, mentions int) []elsewhere {
		return []elsewhere{{1, "#lobby", 0, 0}, {3, "#ops", unread, mentions}}
	}
	next := func(kind Kind) {
		d.in = Input{Kind: kind}
		if in, err := s.Next(t.Context(), Wait{}); in.Kind != kind || err != nil {
			t.Errorf("Next: %v, %v; want %v", in, err, kind)
		}
		if kind == Line {
			s.lineEntered()
		}
	}
	s.setRooms("#dev", others(0, 0))
	d.told(t, "in", "kim> ", "#dev kim> ")
	for n := range 5 {
		s.setRooms("#dev", others(n+1, 0))
		next(Woken)
		next(Switch)
	}
	d.told(t, "five lines", "#dev kim [3 #ops 1]> ")
	next(Line)
	d.told(t, "a line of theirs", "#dev kim [3 #ops 5]> ")
	next(Line)
	d.told(t, "and another")
	s.setRooms("#dev", others(6, 1))
	s.setRooms("#dev", others(7, 2))
	d.told(t, "named", "#dev kim [3 #ops 6!]> ")
	with.Plain = false
	s.apply(with)
	d.told(t, "not plain any more", "#dev kim [3 #ops 7!]> ")
	s.setRooms("#dev", others(8, 2))
	s.setRooms("#dev", others(0, 0))
	d.told(t, "each again", "#dev kim [3 #ops 8!]> ", "#dev kim> ")
}
