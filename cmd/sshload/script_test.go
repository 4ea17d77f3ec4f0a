package main

import (
	"strings"
	"testing"
	"time"
)

func TestALineIsRecognisedAsItWasSaid(t *testing.T) {
	for _, size := range []int{shortestLine, 100, longestLine} {
		s := scriptOf("4711", size)
		for _, want := range []line{
			{},
			{sender: 7, number: 123, due: 4567 * time.Microsecond},
			{sender: mostPeople - 1, number: mostLines - 1, due: longestTest},
		} {
			text := s.append(nil, want)
			if len(text) != size {
				t.Errorf("%+v: text has %d bytes, want %d", want, len(text), size)
			}
			got, m := s.parse([]byte("[" + s.nick(want.sender) + "] " + string(text)))
			if m != whole || got != want {
				t.Errorf("parse(%q) = %+v, mark %d, want %+v, mark %d", text, got, m, want, whole)
			}
		}
	}
}

func TestNicknamesAreNoBeginningsOfEachOther(t *testing.T) {
	s := newScript(100)
	if a, b := s.nick(1), s.nick(mostPeople-1); len(a) != len(b) || len(a) > 20 {
		t.Errorf("nicknames %q and %q, want one length of at most 20", a, b)
	}
}

func TestWhatIsNoWholeLine(t *testing.T) {
	s := scriptOf("4711", 100)
	row := "[" + s.nick(3) + "] " + string(s.append(nil, line{sender: 3, number: 5}))
	for _, c := range []struct {
		name, row string
		want      mark
	}{
		{"as it was said", row, whole},
		{"behind a prompt", s.nick(3) + "> " + row[len(s.nick(3))+3:], foreign},
		{"a notice", "* " + row, foreign},
		{"a blank before it", " " + row, foreign},
		{"another run", strings.ReplaceAll(row, "4711", "4712"), foreign},
		{"what somebody else said", "[kim] " + row, foreign},
		{"the probe", "[" + s.nick(0) + "] " + s.probe(before), foreign},
		{"another's nickname", strings.Replace(row, "00003]", "00004]", 1), damaged},
		{"cut off", row[:len(row)-1], damaged},
		{"cut off in the token", row[:26], foreign},
		{"too long", row + "x", damaged},
		{"one other byte", strings.Replace(row, "quick", "quack", 1), damaged},
		{"another end", row[:len(row)-1] + "!", damaged},
		{"a number that is none", strings.Replace(row, "4711.3.5.", "4711.3.99999999999.", 1), foreign},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, got := s.parse([]byte(c.row)); got != c.want {
				t.Errorf("parse(%q): mark %d, want %d", c.row, got, c.want)
			}
		})
	}
}
