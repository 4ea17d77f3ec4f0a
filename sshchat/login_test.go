package sshchat

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/gliderlabs/ssh"
	gossh "golang.org/x/crypto/ssh"

	"sarangbang/internal/admission"
	"sarangbang/internal/session"
	"sarangbang/internal/testkit"
)

func fingerprint(s gossh.Signer) string { return gossh.FingerprintSHA256(s.PublicKey()) }

// publicHalf offers a key whose private half it does not have.
type publicHalf struct{ key gossh.PublicKey }

func (p publicHalf) PublicKey() gossh.PublicKey { return p.key }

func (p publicHalf) Sign(rand io.Reader, data []byte) (*gossh.Signature, error) {
	return p.SignWithAlgorithm(rand, data, "")
}

func (p publicHalf) SignWithAlgorithm(io.Reader, []byte, string) (*gossh.Signature, error) {
	return nil, errors.New("no private key")
}

// forger signs with what is no signature.
type forger struct{ publicHalf }

func (f forger) SignWithAlgorithm(_ io.Reader, _ []byte, algorithm string) (*gossh.Signature, error) {
	if algorithm == "" {
		algorithm = f.key.Type()
	}
	return &gossh.Signature{Format: algorithm, Blob: make([]byte, 64)}, nil
}

func (f forger) Sign(rand io.Reader, data []byte) (*gossh.Signature, error) {
	return f.SignWithAlgorithm(rand, data, "")
}

// rsaOf is a public key of that size. Nobody has a private one.
func rsaOf(t *testing.T, bits int) gossh.PublicKey {
	t.Helper()
	n := new(big.Int).Lsh(big.NewInt(1), uint(bits-1))
	key, err := gossh.NewPublicKey(&rsa.PublicKey{N: n.SetBit(n, 0, 1), E: 65537})
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func certificate(t *testing.T) gossh.Signer {
	t.Helper()
	own := newKey()
	cert := &gossh.Certificate{Key: own.PublicKey(), CertType: gossh.UserCert, ValidBefore: gossh.CertTimeInfinity, ValidPrincipals: []string{"mina"}}
	if err := cert.SignCert(rand.Reader, newKey()); err != nil {
		t.Fatal(err)
	}
	s, err := gossh.NewCertSigner(cert, own)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestIdentityIsProvenOrNone(t *testing.T) {
	d := open(t, nil)
	own, other, victim := newKey(), newKey(), newKey()
	bigRSA, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ownRSA, err := gossh.NewSignerFromKey(bigRSA)
	if err != nil {
		t.Fatal(err)
	}
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ownECDSA, err := gossh.NewSignerFromKey(p256)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		cfg  *gossh.ClientConfig
		want string
	}{
		{"guest", guest("mina"), ""},
		{"own key", holder("mina", own), fingerprint(own)},
		{"own RSA key", holder("mina", ownRSA), fingerprint(ownRSA)},
		{"own ECDSA key", holder("mina", ownECDSA), fingerprint(ownECDSA)},
		{"the first of two keys", holder("mina", other, own), fingerprint(other)},
		{"another's key offered", holder("mina", publicHalf{victim.PublicKey()}), ""},
		{"another's key offered before the own", holder("mina", certificate(t), own), fingerprint(own)},
		{"certificate", holder("mina", certificate(t)), ""},
		{"RSA of 1024 bits", holder("mina", publicHalf{rsaOf(t, 1024)}), ""},
		{"RSA of 16384 bits", holder("mina", publicHalf{rsaOf(t, 16384)}), ""},
		{"five keys, the fifth fit", holder("mina", publicHalf{rsaOf(t, 1024)}, publicHalf{rsaOf(t, 1025)}, publicHalf{rsaOf(t, 1026)}, publicHalf{rsaOf(t, 1027)}, own), fingerprint(own)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			start := time.Now()
			x := d.pipe(t, tc.cfg)
			x.out.await(t, "hello mina key="+tc.want+"\n")
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("took %v, want no time", took)
			}
			x.say("quit")
			if got := x.status(); got != 0 {
				t.Errorf("exit status = %d, want 0", got)
			}
		})
	}
	t.Run("forged signature", func(t *testing.T) {
		if _, err := d.tryLogin(t, holder("mina", forger{publicHalf{victim.PublicKey()}}), nil); err == nil {
			t.Error("a forged signature was let in")
		}
	})
	t.Run("none", func(t *testing.T) {
		cfg := guest("mina")
		cfg.Auth = nil
		if _, err := d.tryLogin(t, cfg, nil); err == nil {
			t.Error("none was let in")
		}
	})
	t.Run("password", func(t *testing.T) {
		cfg := guest("root")
		cfg.Auth = []gossh.AuthMethod{gossh.Password("toor")}
		if _, err := d.tryLogin(t, cfg, nil); err == nil {
			t.Error("a password was let in")
		}
	})
	if got := d.log.String(); strings.Contains(got, "level=INFO") && strings.Contains(infoLines(got), "SHA256:") {
		t.Errorf("a key is in the log of the operator:\n%s", got)
	}
}

func infoLines(log string) string {
	var b strings.Builder
	for line := range strings.Lines(log) {
		if !strings.Contains(line, "level=DEBUG") {
			b.WriteString(line)
		}
	}
	return b.String()
}

func TestFit(t *testing.T) {
	for bits, want := range map[int]bool{1024: false, 2047: false, 2048: true, 8192: true, 8193: false, 16384: false} {
		if got := fit(rsaOf(t, bits)) == nil; got != want {
			t.Errorf("RSA of %d bits fits = %v, want %v", bits, got, want)
		}
	}
	if err := fit(certificate(t).PublicKey()); !errors.Is(err, errCertificate) {
		t.Errorf("a certificate: %v, want %v", err, errCertificate)
	}
	if err := fit(newKey().PublicKey()); err != nil {
		t.Errorf("an ed25519 key: %v, want it to fit", err)
	}
}

func TestSixFailedAttemptsAreEnough(t *testing.T) {
	d := open(t, func(o *setup) { o.gate.Penalties.AuthFailure = time.Minute; o.gate.Penalties.Threshold = time.Minute })
	var keys []gossh.Signer
	for i := range 7 {
		keys = append(keys, publicHalf{rsaOf(t, 1024+i)})
	}
	_, err := d.tryLogin(t, holder("mallory", keys...), nil)
	if want := "too many authentication failures"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("seven keys that are refused: %v, want %q", err, want)
	}
	eventually(t, "the address pays", func() bool {
		ticket, why := d.gate.Admit(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if ticket != nil {
			ticket.Release()
		}
		return why == admission.Penalised
	})
}

// kexInit is RFC 4253, section 7.1.
type kexInit struct {
	Type                                 byte
	Cookie                               [16]byte
	KeyExchanges, HostKeys               []string
	CiphersIn, CiphersOut, MACIn, MACOut []string
	CompressionIn, CompressionOut        []string
	LanguagesIn, LanguagesOut            []string
	FirstFollows                         bool
	Reserved                             uint32
}

func readKexInit(t *testing.T, r io.Reader) (version string, k kexInit) {
	t.Helper()
	b := bufio.NewReader(r)
	version, err := b.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	var head [5]byte
	if _, err := io.ReadFull(b, head[:]); err != nil {
		t.Fatal(err)
	}
	packet := make([]byte, binary.BigEndian.Uint32(head[:])-1)
	if _, err := io.ReadFull(b, packet); err != nil {
		t.Fatal(err)
	}
	if err := gossh.Unmarshal(packet[:len(packet)-int(head[4])], &k); err != nil {
		t.Fatal(err)
	}
	return version, k
}

func TestOfferedAlgorithms(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 3072)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := gossh.NewSignerFromKey(rsaKey)
	if err != nil {
		t.Fatal(err)
	}
	modern, err := gossh.NewSignerWithAlgorithms(signer.(gossh.AlgorithmSigner), []string{gossh.KeyAlgoRSASHA512, gossh.KeyAlgoRSASHA256})
	if err != nil {
		t.Fatal(err)
	}
	d := open(t, func(o *setup) { o.keys = append(o.keys, modern) })
	nc := d.raw(t)
	if _, err := io.WriteString(nc, "SSH-2.0-test\r\n"); err != nil {
		t.Fatal(err)
	}
	version, k := readKexInit(t, nc)
	if want := "SSH-2.0-sarangbang\r\n"; version != want {
		t.Errorf("version = %q, want %q", version, want)
	}
	for _, list := range []struct {
		name      string
		got, want []string
	}{
		{"key exchanges", k.KeyExchanges, []string{
			"mlkem768x25519-sha256", "curve25519-sha256", "curve25519-sha256@libssh.org", "ecdh-sha2-nistp256", "kex-strict-s-v00@openssh.com",
		}},
		{"host keys", k.HostKeys, []string{"ssh-ed25519", "rsa-sha2-256", "rsa-sha2-512"}},
		{"ciphers in", k.CiphersIn, []string{
			"chacha20-poly1305@openssh.com", "aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr", "aes192-ctr", "aes256-ctr",
		}},
		{"ciphers out", k.CiphersOut, k.CiphersIn},
		{"MACs in", k.MACIn, []string{"hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com"}},
		{"MACs out", k.MACOut, k.MACIn},
		{"compression", k.CompressionIn, []string{"none"}},
	} {
		if !slices.Equal(list.got, list.want) {
			t.Errorf("%s = %q, want %q", list.name, list.got, list.want)
		}
	}
	for _, old := range []gossh.Config{
		{KeyExchanges: []string{gossh.InsecureKeyExchangeDH14SHA1, gossh.KeyExchangeDH14SHA256, gossh.KeyExchangeECDHP521}},
		{MACs: []string{gossh.HMACSHA1}, Ciphers: []string{gossh.CipherAES128CTR}},
	} {
		cfg := guest("mina")
		cfg.Config = old
		if _, err := d.tryLogin(t, cfg, nil); err == nil || !strings.Contains(err.Error(), "no common algorithm") {
			t.Errorf("login with %+v: %v, want no common algorithm", old, err)
		}
	}
}

// closedAfter reads until the connection ends and returns how long that took.
func closedAfter(nc net.Conn) time.Duration {
	start := time.Now()
	_, _ = io.Copy(io.Discard, nc)
	return time.Since(start)
}

func TestUnfinishedLoginsAreClosedInTimeWhileOthersLogIn(t *testing.T) {
	drip := func(nc net.Conn) {
		for b := range strings.Repeat("x", 200) {
			time.Sleep(time.Second)
			if _, err := fmt.Fprintf(nc, "%c", "SSH-2.0-"[min(b, 7)]); err != nil {
				return
			}
		}
	}
	for _, tc := range []struct {
		name string
		do   func(nc net.Conn)
		want time.Duration
	}{
		{"silent", func(net.Conn) {}, 10 * time.Second},
		{"a byte a second", drip, 10 * time.Second},
		{"a version and no more", func(nc net.Conn) { io.WriteString(nc, "SSH-2.0-x\r\n") }, 30 * time.Second},
		{"half a packet", func(nc net.Conn) { io.WriteString(nc, "SSH-2.0-x\r\n\x00\x00\x04\x00\x05\x14") }, 30 * time.Second},
		{"HTTP", func(nc net.Conn) { io.WriteString(nc, "GET / HTTP/1.1\r\n\r\n") }, 0},
		{"TLS", func(nc net.Conn) { io.WriteString(nc, "\x16\x03\x01\x02\x00\x01") }, 0},
		{"a version line of 300 bytes", func(nc net.Conn) { io.WriteString(nc, "SSH-2.0-"+strings.Repeat("x", 300)) }, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := openInMemory(t, nil)
				ended := make(chan time.Duration)
				var doing sync.WaitGroup
				defer doing.Wait()
				for range 50 {
					nc := d.raw(t)
					doing.Go(func() { tc.do(nc) })
					go func() { ended <- closedAfter(nc) }()
				}
				start := time.Now()
				if tc.want > 0 {
					time.Sleep(5 * time.Second)
				}
				x := d.pipe(t, guest("mina"))
				x.out.await(t, "hello mina")
				if took := time.Since(start); took > 5*time.Second {
					t.Errorf("another one waited for %v", took-5*time.Second)
				}
				for range 50 {
					if got := <-ended; got != tc.want {
						t.Errorf("closed after %v, want %v", got, tc.want)
					}
				}
				x.say("still here")
				x.out.await(t, "said still here")
			})
		})
	}
}

func TestLoginWithoutASessionIsClosedInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openInMemory(t, nil)
		start := time.Now()
		c := d.login(t, guest("mallory"))
		_ = c.Wait()
		if got := time.Since(start); got != 30*time.Second {
			t.Errorf("closed after %v, want 30s", got)
		}
		if got := d.Stats().Refused["login_timeout"]; got != 1 {
			t.Errorf("refused for login_timeout = %d, want 1", got)
		}
	})
}

func TestASessionStopsTheLoginTimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openInMemory(t, nil)
		x := d.pipe(t, guest("mina"))
		x.out.await(t, "hello mina")
		time.Sleep(time.Hour)
		x.say("still here")
		x.out.await(t, "said still here")
	})
}

// silentExchange is a client that has the server wait for it in the middle of a key exchange: the first guess was wrong and
// the right message never comes (RFC 4253, section 7).
func silentExchange(t *testing.T, nc net.Conn) {
	t.Helper()
	packet := func(payload []byte) []byte {
		padding := 4 + (8-(len(payload)+9)%8)%8
		p := binary.BigEndian.AppendUint32(nil, uint32(len(payload)+1+padding))
		return append(append(append(p, byte(padding)), payload...), make([]byte, padding)...)
	}
	k := kexInit{
		Type: 20, KeyExchanges: []string{"curve25519-sha256"}, HostKeys: []string{"ssh-ed25519"},
		CiphersIn: ciphers, CiphersOut: ciphers, MACIn: macs, MACOut: macs,
		CompressionIn: []string{"none"}, CompressionOut: []string{"none"}, FirstFollows: true,
	}
	out := []byte("SSH-2.0-silent\r\n")
	out = append(out, packet(gossh.Marshal(k))...)
	out = append(out, packet(gossh.Marshal(struct {
		Type byte
		Key  []byte
	}{msgExchangeInit, make([]byte, 32)}))...)
	if _, err := nc.Write(out); err != nil {
		t.Error(err)
	}
}

func TestHandshakeSlotIsNotHeldWhileAPeerIsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openInMemory(t, func(o *setup) { o.lim.HandshakesPerCore = 1 })
		for range 40 {
			nc := d.raw(t)
			go io.Copy(io.Discard, nc)
			silentExchange(t, nc)
		}
		synctest.Wait()
		start := time.Now()
		x := d.pipe(t, guest("mina"))
		x.out.await(t, "hello mina")
		if took := time.Since(start); took != 0 {
			t.Errorf("another one waited for %v", took)
		}
		if got := d.Stats().Refused["handshake_wait"]; got != 0 {
			t.Errorf("refused for handshake_wait = %d, want 0", got)
		}
	})
}

func TestHandshakesBeyondTheSlotsWaitAndAreThenClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openInMemory(t, nil)
		for range 4 * 64 { // more than there can be
			ctx, cancel := context.WithTimeout(context.Background(), time.Nanosecond)
			_ = d.slots.Acquire(ctx)
			cancel()
		}
		start := time.Now()
		if _, err := d.tryLogin(t, guest("mina"), nil); err == nil {
			t.Fatal("a key exchange was computed without a slot")
		}
		if got := time.Since(start); got != 5*time.Second {
			t.Errorf("closed after %v, want 5s", got)
		}
		if got := d.Stats().Refused["handshake_wait"]; got != 1 {
			t.Errorf("refused for handshake_wait = %d, want 1", got)
		}
		d.slots.Release()
		x := d.pipe(t, guest("mina"))
		x.out.await(t, "hello mina")
		d.pipe(t, guest("juno")).out.await(t, "hello juno") // the slot came back
	})
}

// trap is a host key that panics when it is armed.
type trap struct {
	gossh.Signer
	armed *atomic.Bool
}

func (k trap) PublicKey() gossh.PublicKey {
	if k.armed.Load() {
		panic("trap")
	}
	return k.Signer.PublicKey()
}

func TestPanicWhileAConnectionIsSetUpEndsThatConnection(t *testing.T) {
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	second, err := gossh.NewSignerFromKey(p256)
	if err != nil {
		t.Fatal(err)
	}
	var armed atomic.Bool
	d := open(t, func(o *setup) {
		o.keys = []gossh.Signer{trap{hostKey, &armed}, second}
		o.gate.Penalties.Crash, o.gate.Penalties.Threshold = time.Minute, time.Minute
	})
	x := d.pipe(t, guest("mina"))
	x.out.await(t, "hello mina")
	armed.Store(true)
	if _, err := d.tryLogin(t, guest("mallory"), nil); err == nil {
		t.Error("login over a connection whose setup panicked")
	}
	armed.Store(false)
	x.say("still here")
	x.out.await(t, "said still here")
	eventually(t, "one panic is counted, and the connection gone", func() bool {
		s := d.Stats()
		return s.Panics == 1 && s.Connections == 1
	})
	if _, why := d.gate.Admit(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}); why != admission.Penalised {
		t.Errorf("the next connection of the address is refused for %q, want %q", why, admission.Penalised)
	}
	if got := d.log.String(); !strings.Contains(got, "trap") || !strings.Contains(got, "goroutine") {
		t.Errorf("log = %s, want the panic with its stack", got)
	}
}

// stuckConn is a connection of the library whose goroutines never end.
type stuckConn struct {
	gossh.Conn
	never chan struct{}
}

func (c stuckConn) Wait() error { <-c.never; return nil }

type fakeContext struct {
	ssh.Context
	conn *gossh.ServerConn
}

func (c fakeContext) Value(key any) any {
	if key == ssh.ContextKeyConn && c.conn != nil {
		return c.conn
	}
	return nil
}

// A peer that goes on sending after something that the library cannot accept leaves three goroutines of it behind for ever.
// It cannot be cured here, but it must not be cheap.
func TestWhoLeavesGoroutinesBehindPays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openInMemory(t, func(o *setup) { o.gate.Penalties.Crash, o.gate.Penalties.Threshold = time.Minute, time.Minute })
		never := make(chan struct{})
		defer close(never)
		address := &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 1234}
		end := func(library ssh.Context, prepare func(*conn)) (abandoned uint64) {
			before := d.Stats().Abandoned
			_, far := testkit.Pipe()
			far.SetAddrs(far.LocalAddr(), address)
			ticket, _ := d.gate.Admit(address)
			c := newConn(t.Context(), d.Server, far, ticket)
			c.library = library
			prepare(c)
			_ = c.Close()
			c.settle()
			return d.Stats().Abandoned - before
		}
		broken := errors.New("ssh: unexpected message")
		for _, tc := range []struct {
			name    string
			library ssh.Context
			prepare func(*conn)
			want    uint64
		}{
			{"before anything", nil, func(*conn) {}, 0},
			{"in the first exchange", fakeContext{}, func(c *conn) { c.failure = broken }, 0},
			{"said goodbye", fakeContext{}, func(c *conn) { c.encrypted.Store(true); c.failure = errors.New("ssh: disconnect, reason 11: bye") }, 0},
			{"went", fakeContext{}, func(c *conn) { c.encrypted.Store(true); c.failure = broken; close(c.deaf) }, 0},
			{"broke the login", fakeContext{}, func(c *conn) { c.encrypted.Store(true); c.failure = broken }, 1},
			{"broke the connection", fakeContext{conn: &gossh.ServerConn{Conn: stuckConn{never: never}}}, func(*conn) {}, 1},
		} {
			if got := end(tc.library, tc.prepare); got != tc.want {
				t.Errorf("%s: abandoned = %d, want %d", tc.name, got, tc.want)
			}
			if _, why := d.gate.Admit(address); (why == admission.Penalised) != (tc.want == 1) {
				t.Errorf("%s: the next connection is refused for %q", tc.name, why)
			}
			time.Sleep(time.Hour)
		}
	})
}

func TestOddUserNamesEndNothing(t *testing.T) {
	users := make(chan string, 10)
	d := open(t, func(o *setup) {
		o.house.console = func(_ context.Context, v session.Visitor, _ session.Console) session.End {
			users <- v.User
			return session.End{}
		}
	})
	for _, user := range []string{"", "\x1b[31mred\x00\r\nlevel=ERROR", "\u202egnp.exe", strings.Repeat("한", 20000), "\xff\xfe"} {
		x := d.pipe(t, guest(user))
		if got := x.status(); got != 0 {
			t.Errorf("exit status for %.20q = %d, want 0", user, got)
		}
		if got := <-users; got != user {
			t.Errorf("user = %.20q, want %.20q", got, user)
		}
	}
	log := d.log.String()
	for line := range strings.Lines(log) {
		if len(line) > 600 || strings.ContainsAny(line, "\x1b\x00\r\u202e") || !utf8.ValidString(line) {
			t.Errorf("log line of %d bytes: %.200q, want it short and quoted", len(line), line)
		}
	}
	if !strings.Contains(log, "한한한…") {
		t.Errorf("log = %.2000s, want the long name cut between characters", log)
	}
}

func TestLogged(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{"mina", "mina"},
		{"", ""},
		{"a\nb", `a\nb`},
		{"12345678", "12345678"},
		{"123456789", "12345678…"},
		{"1234567한", "1234567…"},
		{"\xff\xff\xff\xff\xff\xff\xff\xff\xff", `\xff\xff\xff\xff\xff\xff\xff\xff…`},
	} {
		if got := logged(tc.in, 8); got != tc.want {
			t.Errorf("logged(%q) = %q, want %q", tc.in, got, tc.want)
		}
	}
}
