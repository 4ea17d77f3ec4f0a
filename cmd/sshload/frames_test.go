package main

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestMessagesAreFoundInAStreamWithoutFrames(t *testing.T) {
	s := scriptOf("4711", 100)
	said := func(person, n int) string {
		return "[" + s.nick(person) + "] " + string(s.append(nil, line{sender: person, number: n, due: time.Second}))
	}
	join, part := "["+s.nick(2)+"]"+joinWords, "["+s.nick(2)+"]"+partWords
	probe := "[" + s.nick(0) + "] " + s.probe(before)
	for _, c := range []struct {
		name   string
		stream []string // as the rows that it consists of
		left   string
	}{
		{"nothing", nil, ""},
		{"the question, and coming in", []string{"채팅 닉네임을 입력하세요.: ", join}, ""},
		{"lines", []string{said(1, 0), said(2, 0), said(1, 1)}, ""},
		{"probes", []string{probe, said(1, 0), "[" + s.nick(0) + "] " + s.probe(after)}, ""},
		{"coming and going", []string{join, said(1, 0), part, join}, ""},
		{"strangers between", []string{said(1, 0), "[kim] hello[lee] there", said(1, 1), "[kim]" + joinWords, probe}, ""},
		{"a line cut short", []string{said(1, 0)[:60], said(2, 0)}, ""},
		{"one cut in its nickname", []string{said(1, 0)[:8], said(2, 0)}, ""},
		{"one whose end has not come", []string{said(1, 0)}, said(1, 1)[:99]},
	} {
		t.Run(c.name, func(t *testing.T) {
			stream := []byte(strings.Join(c.stream, "") + c.left)
			for _, cut := range []int{1, 7, 1 << 20} {
				f := &frameScanner{script: s}
				var got []string
				for part := range slices.Chunk(stream, cut) {
					f.feed(part, func(row []byte) { got = append(got, string(row)) })
				}
				if cut == 1<<20 && !slices.Equal(got, c.stream) || strings.Join(got, "") != strings.Join(c.stream, "") {
					t.Errorf("in parts of %d bytes: %q, want %q", cut, got, c.stream)
				}
				if got := string(f.unfinished()); got != c.left {
					t.Errorf("in parts of %d bytes: %q is left, want %q", cut, got, c.left)
				}
			}
		})
	}
}

func TestAStreamOfNothingButStrangersIsNotKept(t *testing.T) {
	f := &frameScanner{script: scriptOf("4711", 100)}
	for range 100 {
		f.feed([]byte(strings.Repeat("x", 1000)), func(row []byte) { t.Errorf("row %q, want none", row) })
	}
	if got := len(f.unfinished()); got > longestRow {
		t.Errorf("%d bytes are kept, want at most %d", got, longestRow)
	}
}
