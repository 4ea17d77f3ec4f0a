package main

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// script is what is said in a run, and by whom: it writes lines and recognises them again.
type script struct {
	run   string // four digits: two runs on one server do not take each other's lines for their own
	size  int    // bytes of a line
	head  string // what the row of every person of this run begins with
	token string // and every text
}

// line is what a line's token says about it.
type line struct {
	sender int           // the person who said it
	number int           // among that person's lines, from 0
	due    time.Duration // since the start of the run
}

// mark says what a row is.
type mark uint8

const (
	foreign mark = iota // no line of this run
	damaged             // a line of this run that is not as it was said
	begun               // the first row of a line that is longer than a row
	whole
)

// Digits of a person's number and the bytes of a line: the least, which holds any token; what a row of columns cells takes
// without being wrapped; and the most, at the old protocol's door and at others.
const (
	personDigits   = 5
	shortestLine   = 48
	rowLine        = 440
	longestTCPLine = 1000
	longestLine    = 4096
)

// What a notice begins with, and a further row of a notice or a line.
const notice, gutter = "* ", "¦ "

// filler is what lines are filled up with: words, as people write them, since the cost of drawing a line depends on where it
// may be broken.
var filler = strings.Repeat("the quick brown fox jumps over the lazy dog and tells everybody in the room what it saw on the other side of the fence while "+
	"the dog sleeps on and dreams of a quiet evening by the fire with nothing to chase and nobody to bark at until the morning comes and "+
	"the whole story begins again with another fox and another fence and another dog that would much rather sleep than hear about it all "+
	"one more time from somebody who never grows tired of it, ", 10)

// newScript returns a script with a run of its own.
func newScript(size int) script {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails
	return scriptOf(fmt.Sprintf("%04d", binary.BigEndian.Uint32(b[:])%10000), size)
}

func scriptOf(run string, size int) script {
	return script{run: run, size: size, head: "[load-" + run + "-", token: run + "."}
}

// nick is the nickname of a person. All are of one length, so that none is the beginning of another.
func (s script) nick(person int) string {
	return fmt.Sprintf("load-%s-%0*d", s.run, personDigits, person)
}

// The probes: lines that are said before and after the run and do not count.
const before, after = 0, 1

var probeNames = [...]string{before: "before", after: "after"}

// probe is what a probe says.
func (s script) probe(which int) string { return s.token + probeNames[which] }

// append appends the text of a line.
func (s script) append(dst []byte, l line) []byte {
	from := len(dst)
	dst = append(dst, s.token...)
	dst = strconv.AppendInt(dst, int64(l.sender), 10)
	dst = append(dst, '.')
	dst = strconv.AppendInt(dst, int64(l.number), 10)
	dst = append(dst, '.')
	dst = strconv.AppendInt(dst, l.due.Microseconds(), 10)
	dst = append(dst, ' ')
	dst = append(dst, filler[:s.size-1-(len(dst)-from)]...)
	return append(dst, '.')
}

// parse says which line a row shows. The nickname in front of it must be the sender's, and every byte as it was said.
func (s script) parse(row []byte) (line, mark) {
	if !startsWith(row, s.head) {
		return line{}, foreign
	}
	nick, rest, ok := number(row[len(s.head):], ']')
	if !ok || len(rest) == 0 || rest[0] != ' ' {
		return line{}, foreign
	}
	text := rest[1:]
	if !startsWith(text, s.token) {
		return line{}, foreign
	}
	sender, rest, ok := number(text[len(s.token):], '.')
	if !ok {
		return line{}, foreign
	}
	count, rest, ok := number(rest, '.')
	if !ok {
		return line{}, foreign
	}
	due, rest, ok := number(rest, ' ')
	if !ok {
		return line{}, foreign
	}
	l := line{sender: sender, number: count, due: time.Duration(due) * time.Microsecond}
	last := len(rest) - 1
	if nick == sender && s.size > rowLine && len(text) < s.size && strings.HasPrefix(filler, string(rest)) {
		return l, begun
	}
	if nick != sender || len(text) != s.size || last < 0 || rest[last] != '.' || string(rest[:last]) != filler[:last] {
		return l, damaged
	}
	return l, whole
}

// tail returns what must still come of a line after its first row. Blanks at which a terminal breaks a line are nobody's.
func (s script) tail(l line, row []byte) string {
	return string(s.append(nil, l)[len(row)-len("["+s.nick(l.sender)+"] "):])
}

// resume takes a further row off a tail, unless it is none of it.
func resume(tail string, row []byte) (left string, ok bool) {
	body, ok := strings.CutPrefix(string(row), gutter)
	if !ok {
		return tail, false
	}
	return strings.CutPrefix(strings.TrimLeft(tail, " "), strings.Trim(body, " "))
}

// number takes a number of at most ten digits, and what ends it, from the front of p.
func number(p []byte, end byte) (n int, rest []byte, ok bool) {
	for i, c := range p {
		switch {
		case c == end:
			return n, p[i+1:], i > 0
		case c < '0' || c > '9' || i == 10:
			return 0, nil, false
		}
		n = n*10 + int(c-'0')
	}
	return 0, nil, false
}
