package render_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"sarangbang/internal/i18n"
	"sarangbang/internal/render"
	"sarangbang/room"
)

type rgb [3]uint8

// luminance is WCAG 2's relative luminance.
func (c rgb) luminance() float64 {
	weights, sum := [3]float64{0.2126, 0.7152, 0.0722}, 0.0
	for i, v := range c {
		x := float64(v) / 255
		if x <= 0.03928 {
			x /= 12.92
		} else {
			x = math.Pow((x+0.055)/1.055, 2.4)
		}
		sum += weights[i] * x
	}
	return sum
}

// contrast is WCAG 2's contrast ratio.
func contrast(a, b rgb) float64 {
	x, y := a.luminance(), b.luminance()
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

var (
	black, white = rgb{}, rgb{255, 255, 255}

	// The first 16 colours as xterm has them, and as VGA had.
	xterm = [16]rgb{
		{0, 0, 0},
		{205, 0, 0},
		{0, 205, 0},
		{205, 205, 0},
		{0, 0, 238},
		{205, 0, 205},
		{0, 205, 205},
		{229, 229, 229},
		{127, 127, 127},
		{255, 0, 0},
		{0, 255, 0},
		{255, 255, 0},
		{92, 92, 255},
		{255, 0, 255},
		{0, 255, 255},
		{255, 255, 255},
	}
	vga = [16]rgb{
		{0, 0, 0},
		{170, 0, 0},
		{0, 170, 0},
		{170, 85, 0},
		{0, 0, 170},
		{170, 0, 170},
		{0, 170, 170},
		{170, 170, 170},
		{85, 85, 85},
		{255, 85, 85},
		{85, 255, 85},
		{255, 255, 85},
		{85, 85, 255},
		{255, 85, 255},
		{85, 255, 255},
		{255, 255, 255},
	}
)

// cube is a colour of xterm's 6 × 6 × 6.
func cube(n int) rgb {
	level := func(i int) uint8 {
		if i == 0 {
			return 0
		}
		return uint8(55 + 40*i)
	}
	n -= 16
	return rgb{level(n / 36), level(n / 6 % 6), level(n % 6)}
}

// color reads an SGR sequence of a palette.
func color(t *testing.T, sgr string, first16 [16]rgb) rgb {
	t.Helper()
	var n int
	if _, err := fmt.Sscanf(sgr, "\x1b[38;5;%dm", &n); err == nil && 16 <= n && n < 232 {
		return cube(n)
	}
	if _, err := fmt.Sscanf(sgr, "\x1b[%dm", &n); err == nil && 30 <= n && n <= 37 {
		return first16[n-30]
	}
	if _, err := fmt.Sscanf(sgr, "\x1b[%dm", &n); err == nil && 90 <= n && n <= 97 {
		return first16[n-90+8]
	}
	t.Fatalf("%q is no colour", sgr)
	return rgb{}
}

func TestPalettesAreReadable(t *testing.T) {
	for _, c := range []struct {
		name             string
		ground           render.Ground
		depth            render.Depth
		first16          [16]rgb
		onBlack, onWhite float64
		colors           int
	}{
		{"any, 256", render.AnyGround, render.Colors256, xterm, 4, 4, 12},
		{"dark, 256", render.DarkGround, render.Colors256, xterm, 7, 0, 12},
		{"light, 256", render.LightGround, render.Colors256, xterm, 0, 4.5, 12},
		{"any, 16 of xterm", render.AnyGround, render.Colors16, xterm, 3, 3, 5},
		{"any, 16 of VGA", render.AnyGround, render.Colors16, vga, 2.5, 2.5, 5},
		{"dark, 16 of xterm", render.DarkGround, render.Colors16, xterm, 4.5, 0, 7},
		{"dark, 16 of VGA", render.DarkGround, render.Colors16, vga, 4.5, 0, 7},
		{"light, 16 of xterm", render.LightGround, render.Colors16, xterm, 0, 4.5, 4},
		{"light, 16 of VGA", render.LightGround, render.Colors16, vga, 0, 4.5, 4},
	} {
		p := render.PaletteFor(c.ground, c.depth)
		seen := map[string]bool{}
		for _, sgr := range p.Colors() {
			seen[sgr] = true
			v := color(t, sgr, c.first16)
			if got := contrast(v, black); got < c.onBlack {
				t.Errorf("%s: %q has a contrast of %.2f on black, want at least %.1f", c.name, sgr, got, c.onBlack)
			}
			if got := contrast(v, white); got < c.onWhite {
				t.Errorf("%s: %q has a contrast of %.2f on white, want at least %.1f", c.name, sgr, got, c.onWhite)
			}
		}
		if len(seen) != c.colors || len(p.Colors()) != c.colors {
			t.Errorf("%s: %d colours of %d, want %d different ones", c.name, len(seen), len(p.Colors()), c.colors)
		}
	}
	if got := render.PaletteFor(render.DarkGround, render.NoColors); got != nil {
		t.Errorf("a terminal without colours gets %q, want none", got.Colors())
	}
}

func TestDepthIsToldByTheClient(t *testing.T) {
	for _, c := range []struct {
		term, colorterm string
		want            render.Depth
	}{
		{"xterm-256color", "", render.Colors256},
		{"tmux-256color", "", render.Colors256},
		{"xterm-kitty", "", render.Colors256},
		{"xterm-direct", "", render.Colors256},
		{"foot", "", render.Colors256},
		{"xterm", "", render.Colors16},
		{"xterm", "truecolor", render.Colors256},
		{"screen", "24bit", render.Colors256},
		{"linux", "yes", render.Colors16},
		{"", "", render.Colors16},
		{"dumb", "truecolor", render.NoColors},
	} {
		if got := render.DepthOf(c.term, c.colorterm); got != c.want {
			t.Errorf("DepthOf(%q, %q) = %d, want %d", c.term, c.colorterm, got, c.want)
		}
	}
}

// drawn is the colour that a person's line is drawn in.
func drawn(p room.Person) string {
	v := render.View{Lang: i18n.English, Palette: render.PaletteFor(render.AnyGround, render.Colors256)}
	rows := string(render.Append(nil, &room.Event{From: p, Body: room.Said{Text: text("x")}}, v))
	return rows[:strings.Index(rows, "["+string(p.Nick)+"] ")]
}

func TestColourBelongsToTheIdentity(t *testing.T) {
	for _, c := range []struct {
		name string
		a, b room.Person
	}{
		{"another session", room.Person{ID: "1", Nick: "kim"}, room.Person{ID: "2", Nick: "kim"}},
		{"another case", room.Person{ID: "1", Nick: "Kim"}, room.Person{ID: "2", Nick: "kIM"}},
		{"another nickname, same key", room.Person{ID: "1", Nick: "kim", Key: "SHA256:a"}, room.Person{ID: "2", Nick: "lee", Key: "SHA256:a"}},
	} {
		if a, b := drawn(c.a), drawn(c.b); a != b || a == "" {
			t.Errorf("%s: %q and %q, want the same colour", c.name, a, b)
		}
	}
	for i := range 20 {
		nick := fmt.Sprint("Åsa", i)
		a, b := room.Person{ID: "1", Nick: room.Nick(nick)}, room.Person{ID: "2", Nick: room.Nick(strings.ToUpper(nick))}
		if drawn(a) != drawn(b) {
			t.Errorf("%s and %s: %q and %q, want the same colour", a.Nick, b.Nick, drawn(a), drawn(b))
		}
	}
	used := map[string]int{}
	for i := range 1200 {
		used[drawn(room.Person{Nick: room.Nick(fmt.Sprint("person", i))})]++
	}
	for sgr, n := range used {
		if len(used) != 12 || n < 50 || n > 200 {
			t.Errorf("%d colours, %q for %d of 1200 people, want 12 and about 100", len(used), sgr, n)
		}
	}
}
