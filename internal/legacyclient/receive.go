package legacyclient

import (
	"errors"
	"net"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"sarangbang/room"
)

const (
	// maxRecv holds the longest message of the original server, a nickname and a text of 1,024 bytes each. Its own client takes
	// 1,024 and dies of the rest.
	maxRecv = 4 << 10
	// maxKept bounds what is kept of a message that seems to have no end.
	maxKept = 64 << 10
	// patience is how long the rest of a cut character is waited for.
	patience = time.Second
)

// receive hands each message to the owner until the connection ends or done is closed. A recv that ends within a character is
// the first part of a message only, and what comes next belongs to it.
func receive(conn net.Conn, messages chan<- string, done <-chan struct{}) {
	buf := make([]byte, maxRecv)
	var kept []byte
	for {
		by := time.Time{}
		if len(kept) > 0 {
			by = time.Now().Add(patience)
		}
		_ = conn.SetReadDeadline(by) // a connection that takes none fails at Read
		n, err := conn.Read(buf)
		kept = append(kept, buf[:n]...)
		if err == nil && unfinished(kept) && len(kept) < maxKept {
			continue
		}
		if len(kept) > 0 {
			select {
			case messages <- string(kept):
			case <-done:
				return
			}
			kept = kept[:0]
		}
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return
		}
	}
}

// unfinished reports whether b ends in the beginning of a character.
func unfinished(b []byte) bool {
	for n := 1; n < utf8.UTFMax && n <= len(b); n++ {
		if tail := b[len(b)-n:]; utf8.RuneStart(tail[0]) {
			return !utf8.FullRune(tail)
		}
	}
	return false
}

// rows makes what is shown of a message: nothing that could move the cursor, and no row but the first in the place where a
// nickname stands. The server's question is the one thing that may follow in the same message.
func rows(message string) []string {
	text := strings.TrimRight(room.Sentence(message).String(), "\n")
	out := strings.Split(text, "\n")
	for i, row := range out {
		if i > 0 && row != promptText {
			out[i] = "  " + row
		}
	}
	return out
}
