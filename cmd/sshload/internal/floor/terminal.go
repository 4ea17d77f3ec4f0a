package floor

import (
	"context"
	"errors"
	"fmt"
	"net"

	gliderlabs "github.com/gliderlabs/ssh"
	"golang.org/x/crypto/ssh"
	"golang.org/x/term"
)

// serveTerminal serves the kind Terminal: the least that has a terminal at all, as wide as its screen.
func serveTerminal(ctx context.Context, ln net.Listener) error {
	key, err := hostKey()
	if err != nil {
		return err
	}
	srv := &gliderlabs.Server{
		HostSigners:                []gliderlabs.Signer{key},
		PublicKeyHandler:           func(gliderlabs.Context, gliderlabs.PublicKey) bool { return true },
		KeyboardInteractiveHandler: func(gliderlabs.Context, ssh.KeyboardInteractiveChallenge) bool { return false },
		Handler:                    prompt,
	}
	release := context.AfterFunc(ctx, func() { _ = srv.Close() })
	defer release()
	if err := srv.Serve(ln); !errors.Is(err, gliderlabs.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
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
