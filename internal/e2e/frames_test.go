//go:build linux

package e2e

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write the frames of testdata/screens and of README.md anew: what the screens show is what is wanted from then on")

// wanted returns a frame as it is for a variant.
func (s *scenario) wanted(name string, v variant) (string, error) {
	var found []string
	for _, f := range s.archive.Files {
		words := strings.Fields(f.Name)
		if words[0] == name && fits(words[1:], "80 40 20", strconv.Itoa(v.cols)) && fits(words[1:], "en ko", v.lang) {
			found = append(found, string(f.Data))
		}
	}
	if len(found) != 1 {
		return "", fmt.Errorf("%s has %d frames %q for %v, want one", s.file, len(found), name, v)
	}
	return found[0], nil
}

// fits says whether words name value, or none of its kind.
func fits(words []string, kind, value string) bool {
	named := slices.DeleteFunc(slices.Clone(words), func(w string) bool { return !slices.Contains(strings.Fields(kind), w) })
	return len(named) == 0 || slices.Contains(named, value)
}

var (
	timeOfDay = regexp.MustCompile(`\b\d\d:\d\d(:\d\d)?\b`)
	day       = regexp.MustCompile(`\b\d{4}-\d\d-\d\d\b`)
)

// mask takes out of a frame what depends on when it was drawn.
func mask(frame string) string {
	frame = timeOfDay.ReplaceAllStringFunc(frame, func(s string) string { return "hh:mm:ss"[:len(s)] })
	return day.ReplaceAllStringFunc(frame, func(s string) string {
		if at, err := time.Parse(time.DateOnly, s); err != nil || time.Since(at).Abs() > 48*time.Hour { // in any zone
			return s
		}
		return "yyyy-mm-dd"
	})
}

// shows waits for a frame.
func (p *playing) shows(name string, scrollback bool) {
	p.t.Helper()
	look := func() string {
		f := p.pane.frame(scrollback)
		if p.masked {
			return mask(f)
		}
		return f
	}
	if *update {
		p.record(name, look)
		return
	}
	want, err := p.wanted(name, p.v)
	if err != nil {
		p.t.Fatal(err)
	}
	var got string
	if !p.pane.eventually(func() bool { got = look(); return got == want }) {
		p.t.Errorf("%s: the screen is\n%s\nwant %s to be\n%s\n(where the house speaks differently now, -update writes the frames anew)", p.file, got, name, want)
	}
}

// record takes what the screen shows once it has not changed for a while for the frame.
func (p *playing) record(name string, look func() string) {
	p.t.Helper()
	const quiet = 500 * time.Millisecond
	var last string
	since := time.Now()
	p.pane.eventually(func() bool {
		if now := look(); now != last {
			last, since = now, time.Now()
		}
		return time.Since(since) > quiet
	})
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown[name] == nil {
		p.shown[name] = map[variant]string{}
		p.names = append(p.names, name)
	}
	p.shown[name][p.v] = last
}

// rewrite puts what was recorded into the file. Frames that are alike are one section, as far as widths and languages can say
// for which variants it is.
func (s *scenario) rewrite(tb testing.TB) {
	tb.Helper()
	if tb.Failed() {
		return
	}
	s.archive.Files = nil
	if s.past != "" {
		s.archive.Files = append(s.archive.Files, txtar.File{Name: "past", Data: []byte(s.past)})
	}
	add := func(name, frame string) {
		s.archive.Files = append(s.archive.Files, txtar.File{Name: name, Data: []byte(frame)})
	}
	for _, name := range s.names {
		shown := s.shown[name]
		if byLang := merge(s.langs, func(lang string) string {
			var all string
			for _, cols := range s.widths {
				all += shown[variant{lang, cols}] + "\x00"
			}
			return all
		}); len(byLang) > 1 {
			for _, lang := range s.langs {
				s.addWidths(add, name+" "+lang, shown, lang)
			}
		} else {
			s.addWidths(add, name, shown, s.langs[0])
		}
	}
	if err := os.WriteFile(s.file, txtar.Format(s.archive), 0o600); err != nil {
		tb.Error(err)
	}
}

func (s *scenario) addWidths(add func(name, frame string), name string, shown map[variant]string, lang string) {
	groups := merge(s.widths, func(cols int) string { return shown[variant{lang, cols}] })
	for _, g := range groups {
		if len(groups) > 1 {
			add(name+" "+strings.Trim(fmt.Sprint(g), "[]"), shown[variant{lang, g[0]}])
		} else {
			add(name, shown[variant{lang, g[0]}])
		}
	}
}

// merge groups what has the same value, in order.
func merge[T any](all []T, value func(T) string) [][]T {
	var groups [][]T
	for _, x := range all {
		if i := slices.IndexFunc(groups, func(g []T) bool { return value(g[0]) == value(x) }); i >= 0 {
			groups[i] = append(groups[i], x)
		} else {
			groups = append(groups, []T{x})
		}
	}
	return groups
}
