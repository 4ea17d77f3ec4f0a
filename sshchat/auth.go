package sshchat

import (
	"crypto/rsa"
	"errors"
	"fmt"
	"net"

	"github.com/gliderlabs/ssh"
	gossh "golang.org/x/crypto/ssh"
)

// What is offered. The library's own defaults still hold SHA-1 and finite-field groups: the first is broken, the second let a
// few kilobytes a second keep a processor busy.
var (
	keyExchanges = []string{gossh.KeyExchangeMLKEM768X25519, gossh.KeyExchangeCurve25519, gossh.KeyExchangeECDHP256}
	ciphers      = []string{
		gossh.CipherChaCha20Poly1305, gossh.CipherAES128GCM, gossh.CipherAES256GCM,
		gossh.CipherAES128CTR, gossh.CipherAES192CTR, gossh.CipherAES256CTR,
	}
	macs     = []string{gossh.HMACSHA256ETM, gossh.HMACSHA512ETM}
	userKeys = []string{
		gossh.KeyAlgoED25519, gossh.KeyAlgoSKED25519,
		gossh.KeyAlgoECDSA256, gossh.KeyAlgoECDSA384, gossh.KeyAlgoECDSA521, gossh.KeyAlgoSKECDSA256,
		gossh.KeyAlgoRSASHA256, gossh.KeyAlgoRSASHA512,
	}
)

// The sizes of RSA keys that people may have: what is smaller proves nothing, what is bigger costs much to verify.
const minRSABits, maxRSABits = 2048, 8192

// connKey is where the library's context has the connection that it is of.
type connKey struct{}

// What the library calls for the requests of all connections: a map for each would be there for as long as its connection.
var (
	channelHandlers = map[string]ssh.ChannelHandler{
		"session": func(srv *ssh.Server, sc *gossh.ServerConn, nc gossh.NewChannel, ctx ssh.Context) {
			ctx.Value(connKey{}).(*conn).openSession(srv, sc, nc, ctx)
		},
		"default": func(_ *ssh.Server, _ *gossh.ServerConn, nc gossh.NewChannel, ctx ssh.Context) {
			ctx.Value(connKey{}).(*conn).refuseChannel(nc)
		},
	}
	requestHandlers = map[string]ssh.RequestHandler{
		"default": func(ctx ssh.Context, _ *ssh.Server, _ *gossh.Request) (bool, []byte) {
			ctx.Value(connKey{}).(*conn).spendRequest()
			return false, nil // forwardings are not served, and the refusal of a keepalive is the answer that it wants
		},
	}
)

// engine makes the library's server for this one connection. One for all could not tell which connection a callback is about:
// ConnectionFailedCallback gets a wrapper that does not say.
func (c *conn) engine() *ssh.Server {
	return &ssh.Server{
		Version:     "sarangbang",
		HostSigners: c.server.keys,
		Handler:     handleSession,
		// Guests come by keyboard-interactive, with no question asked. With no handler at all the library would let everybody in by
		// "none", which clients try before they show a key. PublicKeyHandler must stay nil: it runs on keys that are only offered.
		KeyboardInteractiveHandler: func(ssh.Context, gossh.KeyboardInteractiveChallenge) bool { return true },
		ServerConfigCallback:       func(ssh.Context) *gossh.ServerConfig { return c.config() },
		ConnectionFailedCallback:   func(_ net.Conn, err error) { c.failure = err },
		ConnCallback: func(ctx ssh.Context, nc net.Conn) net.Conn {
			c.library = ctx
			ctx.SetValue(connKey{}, c)
			// Where there is one already, the library does not copy what its connection knows: six texts and a map twice as big.
			ctx.SetValue(ssh.ContextKeySessionID, "")
			return nc
		},
		ChannelHandlers: channelHandlers,
		RequestHandlers: requestHandlers,
	}
}

// proven is the key under which a connection's permissions hold the public key whose owner logged in.
type proven struct{}

// config is made anew for each connection, as the library adds the host keys to it.
//
// MUST: the key that somebody is known by comes from VerifiedPublicKeyCallback and from nowhere else. Whoever has seen a
// public key can offer it, and log in as a guest afterwards. And that callback refuses nobody: after an error the client
// would go on as a guest without a key, whom a ban does not meet.
func (c *conn) config() *gossh.ServerConfig {
	return &gossh.ServerConfig{
		Config:                  gossh.Config{KeyExchanges: keyExchanges, Ciphers: ciphers, MACs: macs},
		PublicKeyAuthAlgorithms: userKeys,
		MaxAuthTries:            c.server.limits.AuthTries,
		//nolint:gosec // G408: what it keeps is that somebody tried, not who
		PublicKeyCallback: func(_ gossh.ConnMetadata, key gossh.PublicKey) (*gossh.Permissions, error) {
			c.tried = true
			return &gossh.Permissions{}, fit(key)
		},
		VerifiedPublicKeyCallback: func(_ gossh.ConnMetadata, key gossh.PublicKey, _ *gossh.Permissions, _ string) (*gossh.Permissions, error) {
			return &gossh.Permissions{ExtraData: map[any]any{proven{}: key}}, nil
		},
		AuthLogCallback: func(_ gossh.ConnMetadata, method string, err error) {
			c.tried = c.tried || method != "none"
			if err == nil {
				c.known = true
				c.ticket.Authenticated()
			}
		},
	}
}

// keyOf returns the proven key of a connection, or nil for a guest.
func keyOf(sc *gossh.ServerConn) gossh.PublicKey {
	if sc.Permissions == nil {
		return nil
	}
	key, _ := sc.Permissions.ExtraData[proven{}].(gossh.PublicKey)
	return key
}

var errCertificate = errors.New("certificates are not accepted")

// fit says why a key cannot be used, when it is offered, so that the client goes on to its next one. Where a client signs
// with a key that it did not offer first, the library verifies the signature before it heeds this: 12 ms at most, for the
// 16,384 bits beyond which it parses no key.
func fit(key gossh.PublicKey) error {
	if _, ok := key.(*gossh.Certificate); ok {
		return errCertificate
	}
	crypto, ok := key.(gossh.CryptoPublicKey)
	if !ok {
		return nil // a security key
	}
	if public, ok := crypto.CryptoPublicKey().(*rsa.PublicKey); ok {
		if bits := public.N.BitLen(); bits < minRSABits || bits > maxRSABits {
			return fmt.Errorf("RSA key of %d bits, %d to %d are accepted", bits, minRSABits, maxRSABits)
		}
	}
	return nil
}
