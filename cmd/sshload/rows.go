package main

// rowScanner cuts the raw stream of a terminal into rows. It knows where column 0 is and nothing more of the screen: that is
// enough to tell a printed row from the prompt, and from what its owner types behind it.
type rowScanner struct {
	row    []byte // what stands in the current row since column 0, without escape sequences
	home   bool   // the cursor is back in column 0; the next text replaces the row
	astray bool   // the cursor went to a column that nobody knows: no row until it is back

	state scanState
	param int // the first parameter of the control sequence, so far
	more  bool
}

type scanState uint8

const (
	inText scanState = iota
	inEscape
	inControl     // ESC [ …
	inString      // ESC ] … and the like, up to BEL or ESC \
	inStringEnded // the same, after its ESC
)

// Control characters of the stream.
const (
	bel = 0x07
	esc = 0x1b
	del = 0x7f
)

// longestRow bounds what is kept of a row. Lines are shorter; the rest of a longer row is nobody's line.
const longestRow = 8192

// feed takes in the next part of the stream, however it was cut, and calls each for every row that ends in it. The row is
// valid only during the call.
func (s *rowScanner) feed(p []byte, each func(row []byte)) {
	for len(p) > 0 {
		if s.state == inText {
			n := printable(p)
			if n > 0 {
				s.text(p[:n])
				p = p[n:]
				continue
			}
		}
		c := p[0]
		p = p[1:]
		switch s.state {
		case inText:
			s.control(c, each)
		case inEscape:
			s.escape(c)
		case inControl:
			s.sequence(c)
		case inString:
			switch c {
			case bel:
				s.state = inText
			case esc:
				s.state = inStringEnded
			}
		case inStringEnded:
			s.state = inText
		}
	}
}

// unfinished is what was written into the row that has not ended yet: a prompt.
func (s *rowScanner) unfinished() []byte { return s.row }

// printable returns how many bytes p begins with that are no control characters.
func printable(p []byte) int {
	for i, c := range p {
		if c < ' ' || c == del {
			return i
		}
	}
	return len(p)
}

func (s *rowScanner) text(p []byte) {
	if s.home {
		s.row, s.home, s.astray = s.row[:0], false, false
	}
	if room := longestRow - len(s.row); room < len(p) {
		p = p[:room]
	}
	s.row = append(s.row, p...)
}

func (s *rowScanner) control(c byte, each func(row []byte)) {
	switch c {
	case '\r':
		s.home = true
	case '\n':
		if !s.astray {
			each(s.row)
		}
		s.row, s.home, s.astray = s.row[:0], false, false
	case esc:
		s.state = inEscape
	}
}

func (s *rowScanner) escape(c byte) {
	switch c {
	case '[':
		s.state, s.param, s.more = inControl, 0, false
	case ']', 'P', '_', '^', 'X':
		s.state = inString
	default:
		s.state = inText
	}
}

// sequence takes in one byte of a control sequence and acts at its end (ECMA-48, 5.4).
func (s *rowScanner) sequence(c byte) {
	switch {
	case c >= '0' && c <= '9':
		if !s.more && s.param < 1000 {
			s.param = s.param*10 + int(c-'0')
		}
		return
	case c == ';':
		s.more = true
		return
	case c < '@' || c > '~':
		return
	}
	s.state = inText
	switch c {
	case 'C', 'D', 'H', 'f', '@', 'P': // moves the cursor along the row, or what stands in it
		s.home, s.astray = false, true
	case 'A', 'B': // to another row, in the same column
		s.astray = s.astray || !s.home
	case 'G':
		s.home, s.astray = s.param <= 1, s.param > 1
	case 'K':
		if s.home {
			s.row = s.row[:0]
		}
	}
}

// startsWith says whether the row begins with prefix.
func startsWith(row []byte, prefix string) bool {
	return len(row) >= len(prefix) && string(row[:len(prefix)]) == prefix
}
