package historycheck

import (
	"slices"
	"strings"
	"testing"
)

func TestHouseThatKeepsItsPromiseHasNoFaults(t *testing.T) {
	t.Parallel()
	for seed := range uint64(100) {
		for _, f := range Check(tell(seed)) {
			t.Errorf("seed %d: %v", seed, f)
		}
	}
}

// Each fault of a house, planted into a log without any, is found and named, and nothing else is.
func TestPlantedFaultsAreFound(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]struct {
		plant func(l *editor)
		want  []Kind
	}{
		"shown before committed": {func(e *editor) { e.unkeep(e.seenByOthers()) }, []Kind{Lost, Vanished}},
		"one in 500 dropped by the journal": {func(e *editor) {
			all := e.final().Lines
			for n := 499; n < len(all); n += 500 {
				e.unkeep(all[n])
			}
		}, []Kind{Lost, Vanished}},
		"one in 500 dropped on the way to the screens": {func(e *editor) {
			n := 0
			for i := range e.Screens {
				s := &e.Screens[i]
				s.Marks = slices.DeleteFunc(s.Marks, func(m Mark) bool {
					n++
					return n%500 == 0
				})
			}
		}, []Kind{Untold}},
		"a retry doubled": {func(e *editor) { e.double(e.seenByOthers()) }, []Kind{Twice}},
		"last batch lost at SIGTERM": {func(e *editor) {
			first := e.Histories[0].Lines
			for _, l := range first[len(first)-5:] {
				e.unkeep(l)
			}
		}, []Kind{Lost, Vanished}},
		"a line that only its author saw is lost": {func(e *editor) { e.unkeep(e.seenByAuthor()) }, []Kind{Lost}},
		"a line lost at a later restart": {func(e *editor) {
			h := e.final()
			h.Lines = h.Lines[1:]
		}, []Kind{Lost, Vanished}},
		"resume skips one": {func(e *editor) {
			s, at := e.returned(New)
			s.Marks = slices.Delete(s.Marks, at+1, at+2)
		}, []Kind{Skipped}},
		"resume skips one of those that may have been seen": {func(e *editor) {
			s, at := e.returned(Again)
			s.Marks = slices.Delete(s.Marks, at+2, at+3)
		}, []Kind{Untold}},
		"resume repeats one outside the marked part": {func(e *editor) {
			s, at := e.returned(Again)
			s.Marks = slices.Delete(s.Marks, at, at+1)
		}, []Kind{Repeated}},
		"resume repeats one inside and outside the marked part": {func(e *editor) {
			s, at := e.returned(Again)
			end := slices.IndexFunc(s.Marks, func(m Mark) bool { return m.Kind == New })
			s.Marks = slices.Insert(s.Marks, end+1, s.Marks[at+1])
		}, []Kind{Twice}},
		"a direct message leaked": {func(e *editor) {
			s, _ := e.find(func(s *Screen, _ int) bool { return s.Reader == "quiet" })
			s.Marks = append(s.Marks, Mark{Kind: Saw, Line: e.letter("kim")})
		}, []Kind{Leaked}},
		"a direct message said to the room": {func(e *editor) {
			l := e.letter("kim")
			s, at := e.find(func(s *Screen, at int) bool { return s.Marks[at].Line == l })
			s.Marks[at].Line.To = ""
		}, []Kind{Leaked}},
		"a direct message in the history": {func(e *editor) {
			h := e.final()
			h.Lines = append(h.Lines, e.letter("kim"))
		}, []Kind{Leaked}},
		"direct messages never delivered": {func(e *editor) {
			for i := range e.Screens {
				if s := &e.Screens[i]; s.Reader == "kim" {
					s.Marks = slices.DeleteFunc(s.Marks, func(m Mark) bool { return m.Line.To == "kim" })
				}
			}
		}, []Kind{Undelivered}},
		"no gap notice": {func(e *editor) {
			s, at := e.gap()
			s.Marks = slices.Delete(s.Marks, at, at+1)
		}, []Kind{Untold}},
		"a gap notice that tells of too few": {func(e *editor) {
			s, at := e.gap()
			s.Marks[at].N = 1
		}, []Kind{Untold}},
		"two lines of an author exchanged": {func(e *editor) {
			a, b := e.neighbours()
			e.everywhere(func(l *Line) {
				switch *l {
				case a:
					*l = b
				case b:
					*l = a
				}
			})
		}, []Kind{Reordered}},
		"two lines exchanged on one screen": {func(e *editor) {
			s, at := e.find(func(s *Screen, at int) bool {
				return at+4 < len(s.Marks) && !slices.ContainsFunc(s.Marks[at:at+4], func(m Mark) bool { return m.Kind != Saw || m.Line.To != "" })
			})
			s.Marks[at+1], s.Marks[at+2] = s.Marks[at+2], s.Marks[at+1]
		}, []Kind{Disorder, Untold}},
		"a history written anew": {func(e *editor) {
			h := e.Histories[0]
			slices.Reverse(h.Lines[:2])
		}, []Kind{Rewritten}},
		"a line that nobody sent": {func(e *editor) {
			h := e.final()
			h.Lines = append(h.Lines, Line{Author: "kim", Text: "not from me"})
		}, []Kind{Forged}},
		"a line under another name": {func(e *editor) {
			s, at := e.find(func(s *Screen, at int) bool {
				return at > 0 && s.Marks[at-1].Kind == Saw && s.Marks[at].Line.Author == "kim"
			})
			s.Marks[at].Line.Author = "lee"
		}, []Kind{Forged, Untold}},
		"a line that was refused and is there": {func(e *editor) {
			l := e.seenByOthers()
			for i := range e.Sends {
				if e.Sends[i].Line == l {
					e.Sends[i].Outcome = Refused
				}
			}
		}, []Kind{Unsaved}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := &editor{t, tell(1)}
			p.plant(e)
			faults := Check(e.Log)
			if got := kinds(faults); !slices.Equal(got, p.want) {
				t.Errorf("found %q, want %q; in detail %v", got, p.want, faults[:min(len(faults), 5)])
			}
			for _, f := range faults {
				if strings.Contains(f.Say, "%!") {
					t.Errorf("%q is no sentence", f.Say)
				}
			}
		})
	}
}

// A direct message has its place in the one order, too, though no history tells of it.
func TestDirectMessageInTwoPlacesIsFound(t *testing.T) {
	t.Parallel()
	a, b, letter := Line{Author: "lee", Text: "a"}, Line{Author: "lee", Text: "b"}, Line{Author: "lee", To: "kim", Text: "between"}
	screen := func(reader string, lines ...Line) Screen {
		s := Screen{Name: "the screen of " + reader, Reader: reader}
		for _, l := range lines {
			s.Marks = append(s.Marks, Mark{Line: l})
		}
		return s
	}
	l := &Log{
		Sends:     []Send{{Line: a}, {Line: letter}, {Line: b}},
		Screens:   []Screen{screen("lee", a, letter, b), screen("kim", a, letter, b)},
		Histories: []History{{Lines: []Line{a, b}}},
	}
	if got := Check(l); len(got) > 0 {
		t.Errorf("found %v, want nothing", got)
	}
	l.Screens[1] = screen("kim", a, b, letter)
	if got := Check(l); !slices.Equal(kinds(got), []Kind{Disorder}) {
		t.Errorf("found %v, want a disorder", got)
	}
}

// kinds returns each kind of fault once.
func kinds(faults []Fault) []Kind {
	var all []Kind
	for _, f := range faults {
		all = append(all, f.Kind)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// editor plants faults.
type editor struct {
	t *testing.T
	*Log
}

// find returns the first mark of the last screen that will do.
func (e *editor) find(ok func(s *Screen, at int) bool) (*Screen, int) {
	e.t.Helper()
	for i := range slices.Backward(e.Screens) {
		for at := range e.Screens[i].Marks {
			if ok(&e.Screens[i], at) {
				return &e.Screens[i], at
			}
		}
	}
	e.t.Fatal("the log has no place to plant this fault")
	return nil, 0
}

// returned finds where a part of a screen begins that at least three lines of the room follow, of somebody who has returned.
func (e *editor) returned(part MarkKind) (*Screen, int) {
	e.t.Helper()
	return e.find(func(s *Screen, at int) bool {
		if part == New && at > 0 || at+3 >= len(s.Marks) || s.Marks[at].Kind != part || s.Reader != "quiet" {
			return false
		}
		return !slices.ContainsFunc(s.Marks[at+1:at+4], func(m Mark) bool { return m.Kind != Saw || m.Line.To != "" })
	})
}

// gap finds a gap of more than one line, with lines of the room on both sides.
func (e *editor) gap() (*Screen, int) {
	e.t.Helper()
	return e.find(func(s *Screen, at int) bool {
		return 0 < at && at+1 < len(s.Marks) && s.Reader == "guest" && s.Marks[at].Kind == Gap && s.Marks[at].N > 2 &&
			s.Marks[at-1].Kind == Saw && s.Marks[at+1].Kind == Saw
	})
}

func (e *editor) final() *History { return &e.Histories[len(e.Histories)-1] }

// seenByOthers returns a line of kim that others have seen, of the last life but one.
func (e *editor) seenByOthers() Line {
	e.t.Helper()
	s, at := e.find(func(s *Screen, at int) bool {
		return s.Reader == "old" && s.Marks[at].Line.Author == "kim" && !slices.Contains(e.Histories[0].Lines, s.Marks[at].Line)
	})
	return s.Marks[at].Line
}

// seenByAuthor makes a line that nobody else has seen.
func (e *editor) seenByAuthor() Line {
	h := e.final()
	l := h.Lines[len(h.Lines)-1]
	for i := range e.Screens {
		if s := &e.Screens[i]; s.Reader != l.Author {
			s.Marks = slices.DeleteFunc(s.Marks, func(m Mark) bool { return m.Line == l })
		}
	}
	return l
}

// letter returns a direct message to somebody who has seen it.
func (e *editor) letter(to string) Line {
	e.t.Helper()
	s, at := e.find(func(s *Screen, at int) bool { return s.Reader == to && s.Marks[at].Line.To == to })
	return s.Marks[at].Line
}

// unkeep takes a line out of every history.
func (e *editor) unkeep(l Line) {
	for i := range e.Histories {
		h := &e.Histories[i]
		h.Lines = slices.DeleteFunc(slices.Clone(h.Lines), func(k Line) bool { return k == l })
	}
}

// double makes a line stand twice wherever it stands.
func (e *editor) double(l Line) {
	for i := range e.Histories {
		h := &e.Histories[i]
		if at := slices.Index(h.Lines, l); at >= 0 {
			h.Lines = slices.Insert(h.Lines, at, l)
		}
	}
	for i := range e.Screens {
		s := &e.Screens[i]
		if at := slices.IndexFunc(s.Marks, func(m Mark) bool { return m.Line == l }); at >= 0 {
			s.Marks = slices.Insert(s.Marks, at, s.Marks[at])
		}
	}
}

// neighbours returns two lines that one author sent one after the other.
func (e *editor) neighbours() (a, b Line) {
	e.t.Helper()
	for i := range e.Sends[1:] {
		s, next := &e.Sends[i], &e.Sends[i+1]
		if s.Screen == next.Screen && s.Outcome != Refused && next.Outcome != Refused && s.To == "" && next.To == "" {
			return s.Line, next.Line
		}
	}
	e.t.Fatal("nobody says two lines")
	return a, b
}

// everywhere changes lines wherever they stand, but not what was sent.
func (e *editor) everywhere(change func(l *Line)) {
	for i := range e.Histories {
		for n := range e.Histories[i].Lines {
			change(&e.Histories[i].Lines[n])
		}
	}
	for i := range e.Screens {
		for n := range e.Screens[i].Marks {
			change(&e.Screens[i].Marks[n].Line)
		}
	}
}
