package terminal

import "strings"

// history holds lines that were sent, and the draft that was left to look at
// them.
type history struct {
	lines, bytes int // at most so many, and so many bytes in all
	entries      []string
	size         int    // bytes of entries
	back         int    // how many entries back the person looks, 0 for the draft
	draft        string // while back > 0
	prefix       string // what the entries that older and newer return begin with
	found        int    // how many entries back a search is, 0 for nowhere
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
	if h.found > 0 {
		h.found++
	}
	for len(h.entries) > h.lines || h.size > h.bytes {
		h.size -= len(h.entries[0])
		h.entries[0] = ""
		h.entries = h.entries[1:]
	}
	h.back = min(h.back, len(h.entries))
	h.found = min(h.found, len(h.entries))
}

func (h *history) entry(back int) string { return h.entries[len(h.entries)-back] }

// filter makes older and newer pass over entries that do not begin with prefix,
// if an older one than the one looked at does; else they return all.
func (h *history) filter(prefix string) {
	h.prefix = ""
	for n := h.back + 1; n <= len(h.entries); n++ {
		if strings.HasPrefix(h.entry(n), prefix) {
			h.prefix = strings.Clone(prefix) // the rest of its line need not stay
			return
		}
	}
}

// older returns the next entry before the one looked at; draft is what to come
// back to.
func (h *history) older(draft string) (string, bool) {
	for n := h.back + 1; n <= len(h.entries); n++ {
		if strings.HasPrefix(h.entry(n), h.prefix) {
			return h.look(n, draft), true
		}
	}
	return "", false
}

// look makes an entry the one looked at and returns it.
func (h *history) look(back int, draft string) string {
	if h.back == 0 {
		h.draft = draft
	}
	h.back = back
	return h.entry(back)
}

// newer returns the next entry after the one looked at, and after the last the
// draft.
func (h *history) newer() (string, bool) {
	if h.back == 0 {
		return "", false
	}
	for h.back--; h.back > 0; h.back-- {
		if s := h.entry(h.back); strings.HasPrefix(s, h.prefix) {
			return s, true
		}
	}
	s := h.draft
	h.rewind()
	return s, true
}

// search moves to the first entry from the given one on that holds query, and
// returns it and where in it.
func (h *history) search(query string, from int) (entry string, at int, ok bool) {
	for n := max(from, 1); n <= len(h.entries); n++ {
		if i := strings.Index(h.entry(n), query); i >= 0 {
			h.found = n
			return h.entry(n), i, true
		}
	}
	return "", 0, false
}

// rewind goes back to the draft, and forgets the one that was kept.
func (h *history) rewind() { h.back, h.draft, h.prefix = 0, "", "" }
