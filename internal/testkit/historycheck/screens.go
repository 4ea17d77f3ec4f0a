package historycheck

// reader is somebody, over all their screens.
type reader struct {
	seen  map[string]string // the texts that they saw, and the name of the screen
	owner bool              // of an account, since an earlier screen
	at    int               // the furthest place that they saw
	told  int               // how many lines they were told were skipped behind the last that they saw
	spare int               // and how many more than were missing, over all: direct messages may be among those
}

// read checks every screen.
func (c *check) read(screens []Screen) {
	for i := range screens {
		s := &screens[i]
		r := c.readers[s.Reader]
		if r == nil {
			r = &reader{seen: map[string]string{}, at: nowhere}
			c.readers[s.Reader] = r
		}
		c.screen(s, r)
	}
	for _, l := range c.letters {
		if l.after >= l.before {
			c.say(Disorder, "%s stands below %s on %s, and above %s on %s", l, c.order[l.after], l.belowOn, c.order[l.before], l.aboveOn)
		}
	}
}

// screen reads one screen from top to bottom.
func (c *check) screen(s *Screen, r *reader) {
	v := view{check: c, screen: s, reader: r, here: map[string]bool{}, at: nowhere}
	if !s.Account {
		r.told = 0
	}
	for _, m := range s.Marks {
		switch m.Kind {
		case Again, New:
			v.again = m.Kind == Again
		case Gap:
			r.told += m.N
		case Saw:
			v.saw(m)
		case Turn, Left: // a log is of one room
		}
	}
	r.owner = r.owner || s.Account
}

// view is where the reading of one screen has got to.
type view struct {
	*check
	screen  *Screen
	reader  *reader
	again   bool            // in a part that may repeat
	here    map[string]bool // the texts so far
	at      int             // the place of the last line of the room
	letters []*line         // direct messages below it
}

func (v *view) saw(m Mark) {
	l := v.find(m.Line, "on "+v.screen.Name)
	if l == nil {
		return
	}
	earlier, known := v.reader.seen[l.Text]
	switch {
	case v.here[l.Text]:
		v.say(Twice, "%s stands twice on %s", l, v.screen.Name)
		return
	case known && !v.again:
		v.say(Repeated, "%s stands on %s, not as something that may have been seen, and stood on %s", l, v.screen.Name, earlier)
	case !known:
		v.reader.seen[l.Text] = v.screen.Name
	}
	v.here[l.Text] = true
	switch {
	case l.To != "":
		v.letter(l, m.apart)
	case l.place == nowhere:
		if !l.gone && (v.screen.Reader != l.Author || l.counts == nil || l.counts.Outcome != Shown) { // else it is lost
			l.gone = true
			v.say(Vanished, "%s stood on %s, and is not in the history", l, v.screen.Name)
		}
	default:
		v.line(l)
	}
}

// line takes in a line of the room.
func (v *view) line(l *line) {
	r, from, kind := v.reader, v.at, Untold
	if from == nowhere && v.screen.Account && r.owner {
		from, kind = min(r.at, l.place-1), Skipped
	}
	switch {
	case l.place < v.at:
		v.say(Disorder, "%s stands on %s below %s, which comes after it", l, v.screen.Name, v.order[v.at])
		return
	case from != nowhere:
		missing := l.place - from - 1
		if missing > r.told {
			v.say(kind, "before %s on %s %d lines are missing, from %s on, and %d were told of",
				l, v.screen.Name, missing, v.order[from+1], r.told)
		}
		r.spare += max(0, r.told-missing)
	}
	r.told = 0
	v.at, r.at = l.place, max(r.at, l.place)
	for _, letter := range v.letters {
		if l.place < letter.before {
			letter.before, letter.aboveOn = l.place, v.screen.Name
		}
	}
	v.letters = nil
}

// letter takes in a direct message.
func (v *view) letter(l *line, apart bool) {
	if who := v.screen.Reader; who != l.Author && who != l.To {
		v.say(Leaked, "%s stands on %s", l, v.screen.Name)
		return
	}
	if v.at > l.after {
		l.after, l.belowOn = v.at, v.screen.Name
	}
	if !apart {
		v.letters = append(v.letters, l)
	}
}

// delivered wants every acknowledged direct message to have been shown to its receiver, if that is somebody with an account who has
// read on since.
func (c *check) delivered() {
	missing := map[*reader]int{}
	for _, l := range c.letters {
		if c.owed(l) {
			missing[c.readers[l.To]]++
		}
	}
	for _, l := range c.letters {
		if r := c.readers[l.To]; r != nil && missing[r] > r.spare && c.owed(l) {
			c.say(Undelivered, "%s was acknowledged, and %s, who has read on, was never shown it", l, l.To)
		}
	}
}

// owed says that a direct message should have been shown by now.
func (c *check) owed(l *line) bool {
	r := c.readers[l.To]
	return r != nil && r.owner && l.counts != nil && l.counts.Outcome == Shown && r.seen[l.Text] == "" && c.sentAfter(l.counts.Done) <= r.at
}
