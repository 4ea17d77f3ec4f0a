package emulator

import "slices"

// Resize changes the size: first the height, where as in tmux rows below the
// cursor are given up before rows above it go to the scrollback, then the
// width, where rows that are too long are wrapped, rows that were wrapped are
// joined again, and the room comes from empty rows below the cursor before rows
// go to the scrollback.
func (t *Terminal) Resize(cols, rows int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.setRows(rows)
	if cols != t.cols {
		t.setCols(cols)
	}
	t.x = min(t.x, t.cols-1)
	t.savedX, t.savedY = min(t.savedX, cols-1), min(t.savedY, rows-1)
	t.pending, t.joins = false, nil
}

func (t *Terminal) setRows(rows int) {
	if less := t.rows - rows; less > 0 {
		below := min(less, t.rows-1-t.y)
		t.screen = t.screen[:t.rows-below]
		up := less - below
		t.scrollback = append(t.scrollback, t.screen[:up]...)
		t.screen = slices.Clone(t.screen[up:])
		t.y -= up
	} else {
		back := min(-less, len(t.scrollback))
		from := len(t.scrollback) - back
		t.screen = append(slices.Clone(t.scrollback[from:]), t.screen...)
		t.scrollback = t.scrollback[:from]
		t.y += back
		for len(t.screen) < rows {
			t.screen = append(t.screen, newRow(t.cols))
		}
	}
	t.rows = rows
}

func (t *Terminal) setCols(cols int) {
	all := append(slices.Clone(t.scrollback), t.screen...)
	at := len(t.scrollback) + t.y // the cursor's row
	var out []row
	newX, newAt := 0, 0
	var line []cell
	cursor := -1 // the cursor's place in line, -1 if it is in another
	for i, r := range all {
		used := trim(r.cells)
		if r.wraps > 0 {
			used = r.cells[:r.wraps]
		}
		if i == at {
			cursor = len(line) + min(t.x, len(used))
		}
		line = append(line, used...)
		if r.wraps > 0 && i+1 < len(all) {
			continue
		}
		first := len(out)
		out = append(out, wrap(line, cols)...)
		if cursor >= 0 {
			newX, newAt = cursor, first
			for ; newX >= out[newAt].wraps && out[newAt].wraps > 0; newAt++ {
				newX -= out[newAt].wraps
			}
		}
		line, cursor = nil, -1
	}
	for len(out) > t.rows && len(out) > newAt+1 && len(trim(out[len(out)-1].cells)) == 0 {
		out = out[:len(out)-1]
	}
	top := len(out) - t.rows
	t.scrollback, t.screen, t.cols = out[:max(top, 0):max(top, 0)], out[max(top, 0):], cols
	for len(t.screen) < t.rows {
		t.screen = append(t.screen, newRow(cols))
	}
	t.x, t.y = newX, newAt-max(top, 0)
	if t.y < 0 {
		t.x, t.y = 0, 0
	}
}

func trim(cells []cell) []cell {
	for len(cells) > 0 && cells[len(cells)-1].text == " " {
		cells = cells[:len(cells)-1]
	}
	return cells
}

// wrap lays a line out in rows of cols cells. A wide glyph is not divided.
func wrap(line []cell, cols int) []row {
	var out []row
	for {
		r := newRow(cols)
		n := min(cols, len(line))
		if n < len(line) {
			if line[n].text == "" {
				n--
			}
			r.wraps = n
		}
		copy(r.cells, line[:n])
		out = append(out, r)
		if line = line[n:]; len(line) == 0 {
			return out
		}
	}
}
