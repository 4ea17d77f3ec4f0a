package main

import (
	"slices"
	"strings"
	"testing"
)

// scan returns the rows of a stream that comes in the given parts.
func scan(parts ...string) (rows []string, unfinished string) {
	var s rowScanner
	for _, p := range parts {
		s.feed([]byte(p), func(row []byte) { rows = append(rows, string(row)) })
	}
	return rows, string(s.unfinished())
}

func TestRowsOfATerminal(t *testing.T) {
	for _, c := range []struct {
		name, stream string
		want         []string
	}{
		{"plain", "[kim] hello\r\n[lee] hi\r\n", []string{"[kim] hello", "[lee] hi"}},
		{"a pipe's", "[kim] hello\n", []string{"[kim] hello"}},
		{"colours around the nickname", "\x1b[36m[kim] \x1b[0mhello\r\n", []string{"[kim] hello"}},
		{"above a prompt", "kim> \x1b[6G\r\x1b[K\x1b[?7l[lee] hi\r\n\x1b[?7hkim> \x1b[6G", []string{"[lee] hi"}},
		{"a draft is no row", "kim> [lee] hi\r\x1b[K[kim] ok\r\n", []string{"[kim] ok"}},
		{"what is typed behind the prompt stays behind it", "kim> [lee] hi\r\n", []string{"kim> [lee] hi"}},
		{"text somewhere in a row", "\x1b[7G[lee] hi\r\n[kim] ok\r\n", []string{"[kim] ok"}},
		{"a cursor that went right", "\r\x1b[5C[lee] hi\r\n", nil},
		{"a cursor that went up amid a row", "kim> ok\x1b[A[lee] hi\r\n", nil},
		{"a cursor that went up to column 0", "kim> two\r\x1b[A\x1b[K[lee] hi\r\n", []string{"[lee] hi"}},
		{"column 1 by number", "kim> \x1b[1G[lee] hi\r\n", []string{"[lee] hi"}},
		{"an erased row", "[lee] hi\r\x1b[K\r\n", []string{""}},
		{"a title", "\x1b]0;[lee] hi\r\n\a[kim] ok\r\n\x1b]0;[lee] hi\r\n\x1b\\[kim] two\r\n", []string{"[kim] ok", "[kim] two"}},
		{"saved cursor", "\x1b7\x1b8[kim] ok\r\n", []string{"[kim] ok"}},
		{"Hangul", "[김] 안녕\r\n", []string{"[김] 안녕"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, _ := scan(c.stream); !slices.Equal(got, c.want) {
				t.Errorf("rows = %q, want %q", got, c.want)
			}
			for i := range c.stream {
				if got, _ := scan(c.stream[:i], c.stream[i:]); !slices.Equal(got, c.want) {
					t.Errorf("cut before byte %d: rows = %q, want %q", i, got, c.want)
				}
			}
			if got, _ := scan(strings.Split(c.stream, "")...); !slices.Equal(got, c.want) {
				t.Errorf("by characters: rows = %q, want %q", got, c.want)
			}
		})
	}
}

func TestThePromptIsTheUnfinishedRow(t *testing.T) {
	_, got := scan("* hello\r\n\x1b[?7hnickname [kim]:\x1b[17G")
	if want := "nickname [kim]:"; got != want {
		t.Errorf("unfinished row = %q, want %q", got, want)
	}
}

func TestARowWithoutEndIsNotKept(t *testing.T) {
	var s rowScanner
	for range 1000 {
		s.feed([]byte(strings.Repeat("x", 1000)), func([]byte) { t.Error("a row without its end was seen") })
	}
	if got := len(s.row); got != longestRow {
		t.Errorf("%d bytes kept, want %d", got, longestRow)
	}
}
