package terminal

// history holds lines that were sent, and the draft that was left to look at
// them.
type history struct {
	lines, bytes int // at most so many, and so many bytes in all
	entries      []string
	size         int    // bytes of entries
	back         int    // how many entries back the person looks, 0 for the draft
	draft        string // while back > 0
}

func (h *history) add(s string) {
	if s == "" || len(s) > h.bytes || len(h.entries) > 0 && h.entries[len(h.entries)-1] == s {
		return
	}
	h.entries = append(h.entries, s)
	h.size += len(s)
	if h.back > 0 {
		h.back++ // the person goes on looking at the same entry
	}
	for len(h.entries) > h.lines || h.size > h.bytes {
		h.size -= len(h.entries[0])
		h.entries[0] = ""
		h.entries = h.entries[1:]
	}
	h.back = min(h.back, len(h.entries))
}

// older returns the entry before the one looked at; draft is what to come back
// to.
func (h *history) older(draft string) (string, bool) {
	if h.back == len(h.entries) {
		return "", false
	}
	if h.back == 0 {
		h.draft = draft
	}
	h.back++
	return h.entries[len(h.entries)-h.back], true
}

// newer returns the entry after the one looked at, and after the last the draft.
func (h *history) newer() (string, bool) {
	switch h.back {
	case 0:
		return "", false
	case 1:
		s := h.draft
		h.rewind()
		return s, true
	}
	h.back--
	return h.entries[len(h.entries)-h.back], true
}

// rewind goes back to the draft, and forgets the one that was kept.
func (h *history) rewind() { h.back, h.draft = 0, "" }
