package floor

import (
	"net"

	gliderlabs "github.com/gliderlabs/ssh"
	"golang.org/x/crypto/ssh"
	"golang.org/x/term"
)

// terminals returns what serves a connection of the kind Terminal: the least that has a terminal at all, as wide as its screen.
func terminals(key ssh.Signer) func(net.Conn) {
	srv := &gliderlabs.Server{
		HostSigners:      []gliderlabs.Signer{key},
		PublicKeyHandler: func(gliderlabs.Context, gliderlabs.PublicKey) bool { return true },
		ChannelHandlers:  map[string]gliderlabs.ChannelHandler{"session": gliderlabs.DefaultSessionHandler},
		Handler:          prompt,
	}
	return srv.HandleConn
}

// prompt is one session of the kind Terminal.
func prompt(s gliderlabs.Session) {
	t := term.NewTerminal(s, "nickname ["+s.User()+"]: ")
	_, sizes, _ := s.Pty()
	go func() {
		for size := range sizes {
			_ = t.SetSize(size.Width, size.Height) // there is no such size as it fails for
		}
	}()
	for in := false; ; {
		line, err := t.ReadLine()
		if err != nil {
			return
		}
		row := "[" + s.User() + "] " + line + "\n"
		if !in {
			in = true
			row = "* " + s.User() + " joined.\n"
			t.SetPrompt(s.User() + "> ")
		}
		if _, err := t.Write([]byte(row)); err != nil {
			return
		}
	}
}
