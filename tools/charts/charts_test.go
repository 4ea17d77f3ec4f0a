package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

func TestTheChartsAreOfTheFigures(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, measuredFile))
	if err != nil {
		t.Fatal(err)
	}
	files, err := draw(text)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(root, folder, name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s/%s is not what is drawn of %s; run make charts", folder, name, measuredFile)
		}
	}
	there, err := os.ReadDir(filepath.Join(root, folder))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range there {
		if files[f.Name()] == nil {
			t.Errorf("%s/%s is drawn by nobody", folder, f.Name())
		}
	}
}

const sample = `{"command":"sshload sweep","commit":"0123456","date":"2026-11-23","go":"go1.26","cpu":"A <B> & C","processors":2,
"cpu_us_per_delivery":[{"server":"sarangbang","people":100,"runs":[3,4,5]},{"server":"sarangbang","people":10,"runs":[9,2,7]},
{"server":"ssh-gather","people":10,"runs":[3]},{"server":"ssh-lines","people":10,"runs":[3]}],
"rss_kib_per_session":[{"server":"sarangbang","people":100,"runs":[70]},{"server":"terminal","people":100,"runs":[69.9]}]}`

func TestAChartIsWellFormedAndSaysWhatItIsOf(t *testing.T) {
	files, err := draw([]byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	for name, svg := range files {
		d := xml.NewDecoder(bytes.NewReader(svg))
		var err error
		for err == nil {
			_, err = d.Token()
		}
		if !errors.Is(err, io.EOF) {
			t.Errorf("%s: %v", name, err)
		}
		for _, want := range []string{"commit 0123456, 2026-11-23", "A &lt;B&gt; &amp; C", "measured elsewhere", "medians and ranges of 3 runs", "sarangbang "} {
			if !strings.Contains(string(svg), want) {
				t.Errorf("%s lacks %q", name, want)
			}
		}
		if again, _ := draw([]byte(sample)); !bytes.Equal(again[name], svg) {
			t.Errorf("%s is another one the second time", name)
		}
	}
}

func TestPointsAreMediansInOrder(t *testing.T) {
	got := of([]point{{"a", 100, []float64{5, 1, 3}}, {"b", 1, []float64{1}}, {"a", 10, []float64{4, 2}}}, "a")
	if want := []dot{{10, 3, 2, 4}, {100, 3, 1, 5}}; !slices.Equal(got, want) {
		t.Errorf("points = %v, want %v", got, want)
	}
}

func TestFiguresOfUnknownOriginAreRefused(t *testing.T) {
	for _, cut := range []string{`"command":"sshload sweep",`, `"commit":"0123456",`, `"date":"2026-11-23",`, `"processors":2,`, `,"ssh-lines","people":10,"runs":[3]`} {
		text := strings.Replace(sample, cut, "", 1)
		if cut[0] == ',' {
			text = strings.Replace(sample, `{"server":"ssh-lines","people":10,"runs":[3]}`, `{"server":"ssh-lines","people":10,"runs":[]}`, 1)
		}
		if _, err := draw([]byte(text)); err == nil {
			t.Errorf("without %s: drawn, want an error", cut)
		}
	}
	if _, err := draw([]byte(strings.ReplaceAll(sample, "ssh-gather", "other"))); err == nil || !strings.Contains(err.Error(), "gathering") {
		t.Errorf("without a floor: %v, want an error that names it", err)
	}
}

func TestNamesDoNotOverlap(t *testing.T) {
	for _, places := range [][]float64{{100, 100, 100}, {100, 105, 90, 300}, {340, 339, 338}, {66, 60, 70}, {200}} {
		moved := apart(places, labelGap, top, bottom)
		sorted := slices.Sorted(slices.Values(moved))
		for i, v := range sorted {
			if v < top || v > bottom || i > 0 && v-sorted[i-1] < labelGap-0.001 {
				t.Errorf("%v becomes %v, want them %d apart and on the picture", places, moved, labelGap)
			}
		}
	}
	if got := apart([]float64{200, 300}, labelGap, top, bottom); !slices.Equal(got, []float64{200, 300}) {
		t.Errorf("far apart: %v, want them where they are", got)
	}
}

func TestAxes(t *testing.T) {
	y := linear(129, bottom, top)
	if y.at(0) != bottom || y.at(y.to) != top || y.to < 129 || len(y.ticks) < 4 || len(y.ticks) > 9 {
		t.Errorf("axis = %+v, want 0 below, 4 to 9 ticks, and room for 129", y)
	}
	x := logarithmic(10, 1000, 0, 100)
	if math.Abs(x.at(100)-50) > 1e-9 || !slices.Equal(x.ticks, []float64{10, 30, 100, 300, 1000}) {
		t.Errorf("100 of 10 to 1,000 at %v, ticks %v, want the middle and five", x.at(100), x.ticks)
	}
	for v, want := range map[float64]string{0.1: "0.1", 30: "30", 1000: "1,000", 10000: "10,000"} {
		if got := number(v); got != want {
			t.Errorf("number(%v) = %q, want %q", v, got, want)
		}
	}
}
