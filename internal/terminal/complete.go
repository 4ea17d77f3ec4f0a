package terminal

import (
	"fmt"
	"strings"

	"sarangbang/internal/cells"
)

// completion is what Tab has begun and no other key has ended.
type completion struct {
	candidates []string // nil while there is none
	start, end int      // what is completed, bytes of the draft
	base       string   // what stands there when no candidate does
	shown      int      // which candidate does, -1 for none
	listed     bool
}

// tab does what Tab does, and with step -1 what Shift-Tab does.
func (t *Terminal) tab(step int) {
	c := &t.completion
	switch {
	case c.candidates == nil:
		t.propose(step)
	case step > 0 && !c.listed:
		c.listed = true
		t.list(c.candidates)
	default:
		n := len(c.candidates) + 1 // with the base
		c.shown = (c.shown+1+step+n)%n - 1
		if c.shown < 0 {
			t.putCompletion(c.base)
		} else {
			t.putCompletion(c.candidates[c.shown])
		}
	}
}

// propose begins a completion: with what all candidates begin with, if that is
// more than what was typed, else with the first of them. Of one candidate there
// is nothing to choose, so that the next Tab begins anew.
func (t *Terminal) propose(step int) {
	if t.candidates == nil {
		return
	}
	d := &t.draft
	start, candidates := t.candidates(d.text, d.pos)
	start = cut(d.text[:d.pos], start)
	c := completion{start: start, end: d.pos, base: d.text[start:d.pos], shown: -1}
	for _, s := range candidates {
		if s = strings.ReplaceAll(sanitize(s), "\n", " "); s != "" {
			c.candidates = append(c.candidates, s)
		}
	}
	if len(c.candidates) == 0 {
		return
	}
	d.begin(alone) // not one change with an earlier completion
	t.completion = c
	prefix := common(c.candidates)
	switch {
	case step < 0:
		t.tab(step)
	case len(prefix) > len(c.base):
		t.completion.base = prefix
		t.putCompletion(prefix)
	default:
		t.completion.shown = 0
		t.putCompletion(c.candidates[0])
	}
	if len(c.candidates) == 1 {
		t.completion = completion{}
	}
}

// putCompletion puts s where what is completed stands.
func (t *Terminal) putCompletion(s string) {
	c, d := &t.completion, &t.draft
	if len(d.text)-(c.end-c.start)+len(s) > d.limit {
		return
	}
	d.begin(completing)
	d.replace(c.start, c.end, s, c.start+len(s))
	c.end = c.start + len(s)
}

// common returns the glyphs that all of some texts begin with.
func common(texts []string) string {
	n := 0
	for first := texts[0]; n < len(first); {
		next := n + cells.First(first[n:]).Bytes
		for _, s := range texts[1:] {
			if !strings.HasPrefix(s, first[:next]) || cells.First(s[n:]).Bytes != next-n {
				return first[:n]
			}
		}
		n = next
	}
	return texts[0]
}

// listIndent stands before each row of a list: it begins like nothing that a
// person says and nothing that the house says.
const listIndent = "  "

// list prints candidates above the prompt, in columns. Where the screen has no
// room for all, it says how many are left.
func (t *Terminal) list(candidates []string) {
	room := t.screen.columns - len(listIndent)
	wide := 0
	for _, s := range candidates {
		wide = max(wide, t.draft.ruler.Width(strings.TrimRight(s, " ")))
	}
	wide = min(wide, room)
	perRow := max(1, (room+len(listIndent))/(wide+len(listIndent)))
	shown := min(len(candidates), perRow*(t.screen.rows-2))
	var rows []byte
	for i, s := range candidates[:shown] {
		rows = append(rows, listIndent...)
		used := 0
		for s = strings.TrimRight(s, " "); s != ""; {
			g := t.draft.ruler.First(s)
			if used+g.Width > wide {
				break
			}
			rows, used, s = append(rows, g.Text...), used+g.Width, s[g.Bytes:]
		}
		if i%perRow == perRow-1 || i == shown-1 {
			rows = append(rows, '\n')
		} else {
			rows = append(rows, strings.Repeat(" ", wide-used)...)
		}
	}
	if left := len(candidates) - shown; left > 0 {
		rows = fmt.Appendf(rows, "%s+%d\n", listIndent, left)
	}
	t.Print(rows)
	t.plain.flush = true
}
