//go:build linux

package e2e

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// line is what the posters of TestEverybodySeesOneOrder say.
var line = regexp.MustCompile(`\[(p\d+)\] line (\d+) of (p\d+);`)

// Fifty people post over both doors at once, by terminal, pipe, old client and line peer; all read one and the same order, each
// line once.
func TestEverybodySeesOneOrder(t *testing.T) {
	t.Parallel()
	const posters, lines = 50, 12
	h := openHouse(t, setup{exempt: true})
	watcher := h.pipe(t, login{user: "watcher"})
	watcher.sees("watcher joined")

	type reader struct {
		name string
		in   *transcript
		all  func() string
	}
	readers := []reader{{"watcher", watcher.out, watcher.text}}
	post := make([]func(text string), posters)
	for i := range post {
		name := fmt.Sprint("p", i)
		switch i % 4 {
		case 0:
			p := h.enter(t, login{user: name, cols: 120, rows: 24})
			readers = append(readers, reader{name, p.out, p.text})
			post[i] = func(text string) { p.stdin.Write([]byte(text + "\r")) }
		case 1:
			p := h.pipe(t, login{user: name})
			p.sees(name + " joined")
			readers = append(readers, reader{name, p.out, p.text})
			post[i] = func(text string) { p.stdin.Write([]byte(text + "\n")) }
		case 2:
			c := h.join(t, name)
			readers = append(readers, reader{name, c.in, c.in.String})
			post[i] = func(text string) { // an old client's two lines must not share a segment
				c.conn.Write([]byte(text))
				c.in.wait(patience, func(in string) bool { return strings.Contains(in, "["+name+"] "+text) })
			}
		case 3:
			c := h.joinLined(t, name)
			readers = append(readers, reader{name, c.in, c.in.String})
			post[i] = func(text string) { c.conn.Write([]byte(text + "\n")) }
		}
	}
	var posting sync.WaitGroup
	for i := range post {
		posting.Go(func() {
			for n := range lines {
				post[i](fmt.Sprintf("line %d of p%d;", n, i))
			}
		})
	}
	posting.Wait()

	var want []string
	for _, r := range readers {
		if !r.in.wait(patience, func(string) bool { return len(line.FindAllString(r.all(), -1)) >= posters*lines }) {
			t.Fatalf("%s has %d lines, want %d", r.name, len(line.FindAllString(r.all(), -1)), posters*lines)
		}
		got := line.FindAllString(r.all(), -1)
		if want == nil {
			want = got
			checkPosters(t, got, lines)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s has another order or number of lines (%d) than %s (%d)", r.name, len(got), readers[0].name, len(want))
		}
	}
}

// checkPosters wants every author's lines complete, unmixed and in the order in which they were typed.
func checkPosters(t *testing.T, got []string, lines int) {
	t.Helper()
	next := map[string]int{}
	for _, l := range got {
		m := line.FindStringSubmatch(l)
		if m[1] != m[3] {
			t.Errorf("%q: said by another than wrote it", l)
		}
		if n := next[m[1]]; m[2] != fmt.Sprint(n) {
			t.Errorf("%q: want line %d of %s here", l, n, m[1])
		}
		next[m[1]]++
	}
	for who, n := range next {
		if n != lines {
			t.Errorf("%d lines of %s, want %d", n, who, lines)
		}
	}
}
