package main

import "bytes"

// scanner cuts a stream into rows.
type scanner interface {
	// feed takes in the next part of the stream, however it was cut, and calls each for every row that ends in it. The row is
	// valid only during the call.
	feed(p []byte, each func(row []byte))
	// unfinished is what there is of the row that has not ended yet: a prompt.
	unfinished() []byte
}

// What the old protocol says when somebody comes and goes, behind the nickname in brackets.
const joinWords, partWords = "님이 입장 했습니다.", " 님이 퇴장하셨습니다."

// frameScanner finds the messages of a run in a stream that has no frames: each begins with a nickname of the run in brackets, and
// how long it is follows from what it is.
type frameScanner struct {
	script script
	stream []byte // what is not cut yet
}

func (f *frameScanner) unfinished() []byte { return f.stream }

func (f *frameScanner) feed(p []byte, each func(row []byte)) {
	f.stream = append(f.stream, p...)
	rest := f.stream
	for {
		n := f.first(rest)
		if n == 0 {
			break
		}
		each(rest[:n])
		rest = rest[n:]
	}
	f.stream = append(f.stream[:0], rest...)
	if more := len(f.stream) - longestRow; more > 0 {
		f.stream = append(f.stream[:0], f.stream[more:]...) // nobody's message is so long
	}
}

// first returns how long the first message is, or what stands before it; 0: its end has not come yet.
func (f *frameScanner) first(p []byte) int {
	head := []byte(f.script.head)
	from := bytes.Index(p, head)
	switch {
	case from > 0:
		return from
	case from < 0:
		return 0
	}
	n := f.length(p)
	// What was cut short ends where the next begins.
	if next := bytes.Index(p[1:], head); next >= 0 && (n == 0 || next+1 < n) {
		return next + 1
	}
	if n > len(p) {
		return 0
	}
	return n
}

// length returns how long the message is that p begins with; 0: that cannot be told yet.
func (f *frameScanner) length(p []byte) int {
	name := len(f.script.head) + personDigits + len("]")
	if len(p) < name {
		return 0
	}
	tail := string(p[name:])
	for _, words := range []string{joinWords, partWords, " " + f.script.probe(before), " " + f.script.probe(after)} {
		if len(tail) < len(words) && tail == words[:len(tail)] {
			return 0
		}
		if len(tail) >= len(words) && tail[:len(words)] == words {
			return name + len(words)
		}
	}
	return name + len(" ") + f.script.size
}
