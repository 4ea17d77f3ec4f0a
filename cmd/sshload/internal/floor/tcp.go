package floor

import (
	"bytes"
	"io"
	"net"
)

// The words of the old protocol that has no frames: what one read returns is a message, in both directions. Who sends a line feed
// speaks, and is spoken to, in lines.
const (
	nickPrompt = "채팅 닉네임을 입력하세요.: "
	joinWords  = "님이 입장 했습니다."
	readBytes  = 1024
)

// serveTCP is one connection by TCP, until its client goes.
func (s *server) serveTCP(conn net.Conn) {
	if _, err := io.WriteString(conn, nickPrompt); err != nil {
		return
	}
	buf := make([]byte, readBytes)
	n, err := conn.Read(buf)
	if err != nil {
		return
	}
	nick, rest, byLine := bytes.Cut(buf[:n], []byte("\n"))
	g := newGuest(string(nick), conn, s.gathers, byLine)
	s.stay(g, func() error {
		s.room.enter(g, "["+g.nick+"]"+joinWords+"\r\n")
		if byLine {
			return lines(io.MultiReader(bytes.NewReader(rest), conn), func(text []byte) {
				if len(text) > 0 {
					s.room.say(g, text)
				}
			})
		}
		for {
			n, err := conn.Read(buf)
			if err != nil {
				return err
			}
			s.room.say(g, buf[:n])
		}
	})
}
