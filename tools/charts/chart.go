package main

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// chart is a small picture of curves over a logarithmic number of people, readable on light and on dark pages.
type chart struct {
	title, about string
	x            string // what the axis counts
	log          bool   // the other axis is logarithmic, too
	series       []series
	notes        []string // below
}

// series is one curve.
type series struct {
	name, look string
	elsewhere  bool // measured by others
	points     []dot
}

// own is how the curve looks that the picture is about.
const own = "own"

// dot is a median and its range.
type dot struct{ x, y, low, high float64 }

// The picture, in pixels. Names of curves stand to the right of what is drawn.
const (
	width, height            = 760, 434
	left, right, top, bottom = 56, 186, 66, 340
	labelGap                 = 17 // between the base lines of two names
	notesAt                  = bottom + 54
)

// palette is the colours of one kind of page.
type palette struct{ page, edge, grid, text, small, own, floor, floor2, peer, peer2 string }

var (
	light = palette{"#fff", "#d1d9e0", "#d1d9e0", "#1f2328", "#59636e", "#0969da", "#1a7f37", "#9a6700", "#cf222e", "#8250df"}
	dark  = palette{"#0d1117", "#3d444d", "#2f353d", "#f0f6fc", "#9198a1", "#58a6ff", "#3fb950", "#d29922", "#ff7b72", "#bc8cff"}
)

// style is for both kinds of page: a picture in a page is asked which one its reader likes.
func style() string {
	return `
text{font:12px system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif}
.title{font-size:15px;font-weight:600}.small{font-size:11px}.strong{font-weight:600}
.curve{fill:none;stroke-width:2}.thick{stroke-width:3}.range{stroke-width:1.5}.dot{stroke-width:2}
.away{stroke-dasharray:5 4}.lead{stroke-width:1;stroke-dasharray:1 4}
` + light.rules() + "@media(prefers-color-scheme:dark){\n" + dark.rules() + "}\n"
}

func (p palette) rules() string {
	var b strings.Builder
	_, _ = fmt.Fprintf(&b, "text{fill:%s}.small{fill:%s}.page{fill:%s;stroke:%s}.grid{stroke:%s}.hollow{fill:%s}\n",
		p.text, p.small, p.page, p.edge, p.grid, p.page)
	for _, l := range []struct{ look, colour string }{{own, p.own}, {"floor", p.floor}, {"floor2", p.floor2}, {"peer", p.peer}, {"peer2", p.peer2}} {
		_, _ = fmt.Fprintf(&b, ".%s{stroke:%s}.%s-name,.%s-dot{fill:%s}\n", l.look, l.colour, l.look, l.look, l.colour)
	}
	return b.String()
}

// axis maps values to pixels.
type axis struct {
	from, to   float64 // values
	start, end float64 // pixels
	log        bool
	ticks      []float64
}

func (a axis) at(v float64) float64 {
	from, to := a.from, a.to
	if a.log {
		v, from, to = math.Log(v), math.Log(from), math.Log(to)
	}
	return a.start + (v-from)/(to-from)*(a.end-a.start)
}

// logarithmic is an axis around the values, with a tick at each 1, 3 (if few) of a decade.
func logarithmic(low, high, start, end float64) axis {
	a := axis{from: low, to: high, start: start, end: end, log: true}
	steps := []float64{1, 3}
	if high/low > 1000 {
		steps = steps[:1]
	}
	for decade := math.Floor(math.Log10(low)); decade <= math.Ceil(math.Log10(high)); decade++ {
		for _, s := range steps {
			if v := s * math.Pow(10, decade); v >= low*0.999 && v <= high*1.001 {
				a.ticks = append(a.ticks, v)
			}
		}
	}
	return a
}

// linear is an axis from nothing to a round value above the highest.
func linear(high, start, end float64) axis {
	step := math.Pow(10, math.Floor(math.Log10(high)))
	for _, part := range []float64{5, 4, 2} {
		if high/(step/part) <= 8 {
			step /= part
			break
		}
	}
	a := axis{start: start, end: end, to: math.Ceil(high/step) * step}
	for v := 0.0; v <= a.to+step/2; v += step {
		a.ticks = append(a.ticks, v)
	}
	return a
}

// axes are wide enough for all points.
func (c chart) axes() (x, y axis) {
	var xs, lows, highs []float64
	for _, s := range c.series {
		for _, p := range s.points {
			xs, lows, highs = append(xs, p.x), append(lows, p.low), append(highs, p.high)
		}
	}
	x = logarithmic(slices.Min(xs), slices.Max(xs), left+14, width-right)
	if !c.log {
		return x, linear(slices.Max(highs), bottom, top)
	}
	low := math.Pow(10, math.Floor(math.Log10(slices.Min(lows))))
	if slices.Min(lows) >= 3*low {
		low *= 3
	}
	return x, logarithmic(low, math.Pow(10, math.Ceil(math.Log10(slices.Max(highs)))), bottom, top)
}

func (c chart) svg() []byte {
	var b bytes.Buffer
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(&b, format+"\n", args...) }
	p(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img">`, width, height, width, height)
	p(`<title>%s</title>`, escape(c.title))
	p(`<desc>%s. Made by tools/charts; do not edit.</desc>`, escape(c.about))
	p(`<style>%s</style>`, style())
	p(`<rect class="page" x=".5" y=".5" width="%d" height="%d" rx="6"/>`, width-1, height-1)
	p(`<text class="title" x="20" y="28">%s</text><text class="small" x="20" y="46">%s</text>`, escape(c.title), escape(c.about))
	x, y := c.axes()
	for _, v := range y.ticks {
		p(`<path class="grid" d="M%d %.1fH%d"/><text class="small" x="%d" y="%.1f" text-anchor="end">%s</text>`,
			left, y.at(v), width-right+8, left-8, y.at(v)+4, number(v))
	}
	for _, v := range x.ticks {
		p(`<path class="grid" d="M%.1f %dv5"/><text class="small" x="%.1f" y="%d" text-anchor="middle">%s</text>`,
			x.at(v), bottom, x.at(v), bottom+18, number(v))
	}
	p(`<text class="small" x="%d" y="%d" text-anchor="middle">%s</text>`, (left+width-right)/2, bottom+36, escape(c.x))
	p(`<path class="grid" d="M%d %dH%d"/>`, left, bottom, width-right+8)
	for _, s := range slices.Backward(c.series) { // the first, which the picture is about, lies above the others
		s.draw(p, x, y)
	}
	c.names(p, x, y)
	for i, n := range c.notes {
		p(`<text class="small" x="20" y="%d">%s</text>`, notesAt+15*i, escape(n))
	}
	p(`</svg>`)
	return b.Bytes()
}

// draw draws a curve with its ranges.
func (s series) draw(p func(string, ...any), x, y axis) {
	line, mark := "", s.look+"-dot"
	switch {
	case s.elsewhere:
		line, mark = " away", "hollow"
	case s.look == own:
		line = " thick"
	}
	if len(s.points) > 1 {
		var path strings.Builder
		for i, d := range s.points {
			_, _ = fmt.Fprintf(&path, "%c%.1f %.1f", "ML"[min(i, 1)], x.at(d.x), y.at(d.y))
		}
		p(`<path class="curve %s%s" d="%s"/>`, s.look, line, path.String())
	}
	for _, d := range s.points {
		if d.high > d.low {
			p(`<path class="range %s" d="M%.1f %.1fV%.1f"/>`, s.look, x.at(d.x), y.at(d.low), y.at(d.high))
		}
		p(`<circle class="dot %s %s" cx="%.1f" cy="%.1f" r="3.5"/>`, s.look, mark, x.at(d.x), y.at(d.y))
	}
}

// names writes the names of the curves beside their last points, and their last values.
func (c chart) names(p func(string, ...any), x, y axis) {
	at := make([]float64, len(c.series))
	for i, s := range c.series {
		at[i] = y.at(s.points[len(s.points)-1].y)
	}
	for i, to := range apart(at, labelGap, top, bottom) {
		s := c.series[i]
		last := s.points[len(s.points)-1]
		p(`<path class="lead %s" d="M%.1f %.1fL%d %.1f"/>`, s.look, x.at(last.x)+6, at[i], width-right+12, to)
		weight := ""
		if s.look == own {
			weight = " strong"
		}
		p(`<text class="%s-name%s" x="%d" y="%.1f">%s %s</text>`, s.look, weight, width-right+16, to+4, escape(s.name), figure(last.y))
	}
}

// apart moves places so far from each other that no two are nearer than gap, as little as may be, within from and to.
func apart(places []float64, gap, from, to float64) []float64 {
	order := make([]int, len(places))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case places[a] < places[b]:
			return -1
		case places[a] > places[b]:
			return 1
		}
		return 0
	})
	moved := slices.Clone(places)
	low := from
	for _, i := range order {
		moved[i] = max(moved[i], low)
		low = moved[i] + gap
	}
	high := to
	for _, i := range slices.Backward(order) {
		moved[i] = min(moved[i], high)
		high = moved[i] - gap
	}
	return moved
}

// number is a value of an axis, its thousands apart.
func number(v float64) string {
	s := strconv.FormatFloat(v, 'g', 4, 64)
	if v >= 1000 {
		n := int(math.Round(v))
		s = fmt.Sprintf("%d,%03d", n/1000, n%1000)
	}
	return s
}

// figure is a value with the digits that mean something.
func figure(v float64) string {
	digits := 0
	if v < 10 {
		digits = 1
	}
	return strconv.FormatFloat(v, 'f', digits, 64)
}
