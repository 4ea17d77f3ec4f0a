package legacy

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// A decoder makes text of what a connection's reads return. It begins in message mode, where each read is a message; the
// first line feed switches it to line mode for good, because an old client can never send one.
type decoder struct {
	limit int    // bytes of an unfinished line that are kept before they go on as they are
	lines bool   // line mode
	kept  []byte // what is not whole yet: the beginning of a character or, in line mode, of a line
}

// A chunk is what one read, or one silence, made whole. In line mode it holds lines with their line feeds; after the last of
// them there may be a piece of a line that will not be waited for.
type chunk struct {
	text  string // not necessarily UTF-8
	lined bool   // of line mode
}

// read takes in the bytes of one read, which it may overwrite.
//
//  1. Nothing is lost: whatever is not in the chunk is kept for the next one. Telnet's negotiation is the one exception.
//  2. A chunk never ends within a character that is valid as far as it goes.
//  3. In message mode a chunk MUST NOT hold bytes of two reads, other than the rest of such a character.
func (d *decoder) read(p []byte) chunk {
	p = withoutTelnet(p)
	end := bytes.LastIndexByte(p, '\n') + 1 // of the last line
	d.lines = d.lines || end > 0
	b := append(d.kept, p...)
	whole := len(b) - unfinished(b)
	n := whole
	if d.lines {
		n = 0
		if end > 0 {
			n = len(b) - len(p) + end
		}
		for whole-n >= d.limit {
			n += cut(string(b[n:whole]), d.limit)
		}
	}
	c := chunk{text: string(b[:n]), lined: d.lines}
	d.kept = append(b[:0], b[n:]...)
	return c
}

// pending reports whether something is kept.
func (d *decoder) pending() bool { return len(d.kept) > 0 }

// expire gives up waiting for the rest of what is kept. A character without its end becomes U+FFFD.
func (d *decoder) expire() chunk {
	n := unfinished(d.kept)
	c := chunk{text: string(d.kept[:len(d.kept)-n]), lined: d.lines}
	if n > 0 {
		c.text += string(utf8.RuneError)
	}
	d.kept = d.kept[:0]
	return c
}

// unfinished returns how many bytes at the end of b are the beginning of a character, at most 3.
func unfinished(b []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(b); n++ {
		if tail := b[len(b)-n:]; utf8.RuneStart(tail[0]) {
			if utf8.FullRune(tail) {
				return 0
			}
			return n
		}
	}
	return 0
}

// Bytes of the telnet protocol (RFC 854).
const (
	telnetSE   = 240 // the end of a subnegotiation
	telnetNOP  = 241
	telnetGA   = 249
	telnetSB   = 250 // its beginning
	telnetWILL = 251
	telnetWONT = 252
	telnetDO   = 253
	telnetDONT = 254
	telnetIAC  = 255
)

// withoutTelnet removes telnet's commands, in place. None of their bytes can stand in UTF-8, so what looks like one is at
// worst damaged text; but a command is a command only if it is whole and its option is one that exists.
func withoutTelnet(p []byte) []byte {
	i := bytes.IndexByte(p, telnetIAC)
	if i < 0 {
		return p
	}
	out := p[:i]
	for i < len(p) {
		if n := telnetCommand(p[i:]); n > 0 {
			i += n
			continue
		}
		out = append(out, p[i])
		i++
	}
	return out
}

// telnetCommand returns the length of the command that p begins with, or 0.
func telnetCommand(p []byte) int {
	if len(p) < 2 || p[0] != telnetIAC {
		return 0
	}
	switch verb := p[1]; {
	case verb >= telnetNOP && verb <= telnetGA: // interrupt, are you there, …
		return 2
	case verb == telnetSB:
		if end := bytes.Index(p, []byte{telnetIAC, telnetSE}); end > 0 {
			return end + 2
		}
	case len(p) < 3 || verb < telnetWILL || verb == telnetIAC:
	case p[2] < ' ':
		return 3
	case verb == telnetWILL || verb == telnetDO: // the options up to NEW-ENVIRON (39); WONT and DONT would answer what nobody asked
		if p[2] <= 39 {
			return 3
		}
	}
	return 0
}

// nextLine takes the first line, without its end, from a chunk; in message mode the chunk is one line.
func (c *chunk) nextLine() string {
	if !c.lined {
		line := c.text
		c.text = ""
		return line
	}
	line, rest, _ := strings.Cut(c.text, "\n")
	c.text = rest
	return strings.TrimSuffix(line, "\r")
}

// nextPart takes the first message from a line: all that comes before something that a screen could break the line at, so
// that every row of a message has its author in front of it, and at most limit bytes. It may be empty.
func nextPart(line string, limit int) (part, rest string) {
	end := strings.IndexFunc(line, breaks)
	if end < 0 {
		end = len(line)
	}
	if end > limit {
		n := cut(line[:end], limit)
		return line[:n], line[n:]
	}
	_, size := utf8.DecodeRuneInString(line[end:])
	return line[:end], line[end+size:]
}

// breaks tells the line breaks of UAX #14 (classes BK, CR, LF, NL).
func breaks(r rune) bool {
	switch r {
	case '\n', '\r', '\v', '\f', '\u0085', '\u2028', '\u2029':
		return true
	}
	return false
}

// valid replaces each byte that is not UTF-8 by U+FFFD.
func valid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return string([]rune(s))
}

// messages counts what is to be said in a chunk.
func (c chunk) messages(limit int) int {
	n := 0
	for c.text != "" {
		for line := c.nextLine(); line != ""; {
			var part string
			if part, line = nextPart(line, limit); part != "" {
				n++
			}
		}
	}
	return n
}

// stranger reports whether what came at the prompt is the opening of another protocol: a TLS hello (RFC 8446, 5.1), an SSH
// version (RFC 4253, 4.2) or an HTTP request (RFC 9112, 3).
func stranger(answer string) bool {
	if strings.HasPrefix(answer, "\x16\x03") || strings.HasPrefix(answer, "SSH-") {
		return true
	}
	words := strings.Split(answer, " ")
	return len(words) == 3 && strings.HasPrefix(words[2], "HTTP/")
}
