//go:build linux

package e2e

import (
	"fmt"
	"sync"
	"testing"
)

// People come, chat and go; afterwards the house is as it was before.
func TestNothingIsLeftOfThoseWhoLeft(t *testing.T) {
	t.Parallel()
	cycles := 80
	if thorough {
		cycles = 1000
	}
	h := openHouse(t, setup{exempt: true})
	round := func(n int) {
		name := fmt.Sprint("c", n)
		l := login{user: name, cols: 80, rows: 24}
		switch n % 5 {
		case 0: // a terminal that leaves
			p := h.enter(t, l)
			p.types("hello")
			p.sees("[" + name + "] hello")
			p.leaves()
			p.hangUp()
		case 1: // one that is cut
			p := h.enter(t, l)
			p.types("hello")
			p.sees("[" + name + "] hello")
			p.cut()
		case 2: // a pipe
			p := h.pipe(t, l)
			p.types("hello")
			p.stdin.Close()
			p.ends(0)
			p.sees("[" + name + "] hello")
			p.hangUp()
		case 3: // an old client
			c := h.join(t, name)
			c.sends("hello")
			c.awaits("[" + name + "] hello")
			c.sends("/bye")
			c.waitFIN()
			c.leaves()
		case 4: // one that is cut
			c := h.join(t, name)
			c.sends("hello")
			c.awaits("[" + name + "] hello")
			c.cut()
		}
	}
	rounds := func(from, n int) {
		var four sync.WaitGroup
		for w := range 4 {
			four.Go(func() {
				for i := w; i < n; i += 4 {
					round(from + i)
				}
			})
		}
		four.Wait()
	}
	empty := func() {
		t.Helper()
		for _, door := range []string{"ssh", "tcp"} {
			h.becomes(fmt.Sprintf("sarangbang_connections{door=%q}", door), 0, 0)
			h.becomes(fmt.Sprintf("sarangbang_screens{door=%q}", door), 0, 0)
			h.becomes(fmt.Sprintf("sarangbang_people{door=%q}", door), 0, 0)
		}
	}
	rounds(0, 20) // whatever is made once has been made
	empty()
	goroutines := h.metric("go_goroutines")
	files := h.files()
	rounds(20, cycles)
	empty()
	h.becomes("go_goroutines", 1, goroutines*1.05)
	if !eventually(patience, func() bool { return h.files() <= files }) {
		t.Errorf("%d descriptors are open after %d cycles, %d before", h.files(), cycles, files)
	}
	if status, out, _ := h.command(t, login{user: "last"}, "who"); status != 0 || out != "" {
		t.Errorf("who = %d, %q, want nobody", status, out)
	}
}
