package sshchat

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"sarangbang/internal/session"
)

// What was seen does not depend on how the bytes came, and what is kept is bounded.
func FuzzCleartext(f *testing.F) {
	f.Add([]byte("SSH-2.0-OpenSSH_9.2\r\n\x00\x00\x00\x0c\x0a\x15"))
	f.Add([]byte("SSH-2.0-x\n\x00\x00\x00\x02\x00\x1e\xff\xff\xff\xff\x00\x1e"))
	f.Add([]byte("SSH-2.0-x\n\x00\x00\x00\x00\x00\x1e\x00\x00\x00\x08\x04\x1e\x01\x02\x03\x04\x05\x06\x00\x00\x00\x06\x04\x15"))
	f.Add([]byte("GET / HTTP/1.1\r\n"))
	f.Add([]byte("SSH-" + strings.Repeat("x", 300)))
	f.Fuzz(func(t *testing.T, p []byte) {
		feed := func(size int) (all seen, failed bool) {
			var c cleartext
			for part := range slices.Chunk(p, size) {
				s, err := c.feed(part)
				all.version = all.version || s.version
				all.exchange = all.exchange || s.exchange
				if err != nil {
					return all, true
				}
				if s.newKeys {
					all.newKeys = true
					break
				}
			}
			return all, false
		}
		whole, failed := feed(max(1, len(p)))
		for _, size := range []int{1, 3} {
			if got, bad := feed(size); got != whole || bad != failed {
				t.Errorf("in pieces of %d: %+v, refused %v; at once: %+v, refused %v", size, got, bad, whole, failed)
			}
		}
	})
}

// Every byte of a pipe is in a line, or in the size of one that was refused.
func FuzzSplitter(f *testing.F) {
	f.Add([]byte("one\r\ntwo\n\nunfinished"), 3)
	f.Add([]byte("a line that is too long\r\n\r\r\n"), 1)
	f.Fuzz(func(t *testing.T, p []byte, size int) {
		const limit = 8
		if size < 1 {
			return
		}
		var got []byte
		s := splitter{limit: limit}
		keep := func(in session.Input) bool {
			switch {
			case in.Kind == session.TooLong && in.Size > limit:
				got = append(got, bytes.Repeat([]byte("?"), in.Size)...)
			case in.Kind == session.Line && len(in.Text) <= limit:
				got = append(got, in.Text...)
			default:
				t.Errorf("%+v, want a line within %d bytes or a longer one refused", in, limit)
			}
			got = append(got, '\n')
			return true
		}
		for part := range slices.Chunk(p, size) {
			s.feed(part, keep)
			if len(s.line) > limit+1 {
				t.Fatalf("%d bytes are kept of a line, want at most %d", len(s.line), limit+1)
			}
		}
		s.finish(keep)
		want := bytes.ReplaceAll(p, []byte("\r\n"), []byte("\n"))
		if rest := bytes.TrimSuffix(want, []byte("\r")); len(rest) < len(want) {
			want = append(slices.Clip(rest), '\n')
		} else if len(want) > 0 && want[len(want)-1] != '\n' {
			want = append(want, '\n')
		}
		if len(got) != len(want) {
			t.Errorf("%q came out of %q", got, p)
		}
	})
}
