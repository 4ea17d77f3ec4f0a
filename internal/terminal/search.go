package terminal

import (
	"strings"

	"golang.org/x/text/unicode/norm"
)

// queryBytes bounds what is searched for.
const queryBytes = 256

// search is what Ctrl-R has begun: while it is on, the line shows what was found
// in the history, and what is typed goes into the query, which stands where the
// prompt does else.
type search struct {
	on      bool
	missing bool // no entry, or none further back, holds the query
	query   string
	text    string // the draft as it was, and the cursor in it
	cursor  int
}

// searchFor searches for query, beginning so many entries back.
func (t *Terminal) searchFor(query string, from int) {
	s := &t.search
	if !s.on {
		*s = search{on: true, text: t.draft.text, cursor: t.draft.pos}
		t.past.found = 0
	}
	s.query, s.missing = query, false
	t.promptStale = true
	if query == "" {
		t.past.found = 0
		t.draft.show(s.text, s.cursor)
		return
	}
	entry, at, ok := t.past.search(query, from)
	if s.missing = !ok; ok {
		t.draft.show(entry, at)
	}
}

// refine puts more behind the query. What was found stays, if it holds that, too.
func (t *Terminal) refine(more string) {
	if query := norm.NFC.String(t.search.query + more); len(query) <= queryBytes {
		t.searchFor(query, t.past.found)
	}
}

// pressInSearch does what a key does while history is searched. It reports false
// if the key ends the search, with the entry found in the draft, and means what
// it does else.
func (t *Terminal) pressInSearch(k key) bool {
	s := &t.search
	switch k {
	case keySearch:
		t.searchFor(s.query, t.past.found+1)
	case keyBackspace:
		query := ""
		for rest := s.query; rest != ""; {
			n := measure(rest, t.draft.ruler).bytes()
			if n == len(rest) {
				break
			}
			query, rest = s.query[:len(query)+n], rest[n:]
		}
		t.searchFor(query, 1)
	case keyPasteEnd:
		text, size := t.pasted.take()
		if size > t.limits.PasteBytes {
			t.refuse(size)
			return true
		}
		t.refine(text)
	case keyCancel, keyEscape:
		t.endSearch(false)
	case keyEnter:
		t.endSearch(true)
	case keyRedraw:
		t.screen.clear()
	case keyPasteStart:
	default:
		t.endSearch(true)
		return false
	}
	return true
}

// endSearch ends the search. The draft becomes what was found, or what it was.
func (t *Terminal) endSearch(take bool) {
	s := t.search
	t.search = search{}
	t.promptStale = true
	at := t.draft.pos
	t.draft.show(s.text, s.cursor)
	t.draft.begin(alone)
	if take && t.past.found > 0 {
		t.past.prefix = ""
		t.draft.set(t.past.look(t.past.found, s.text))
		t.draft.seek(at)
	}
	t.past.found = 0
}

// searchPrompt is what stands in the prompt's place. Where it has no room, its
// end is what is shown.
func (t *Terminal) searchPrompt(room int) string {
	label := t.words[0]
	if t.search.missing {
		label = t.words[1]
	}
	s := label + strings.ReplaceAll(t.search.query, "\n", lineBreak) + "> "
	for t.draft.ruler.Width(s) > room {
		s = s[t.draft.ruler.First(s).Bytes:]
	}
	return s
}
