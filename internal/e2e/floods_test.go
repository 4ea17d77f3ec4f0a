//go:build linux

package e2e

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// session opens a session channel with nothing asked for on it.
func session(tb testing.TB, c *ssh.Client) ssh.Channel {
	tb.Helper()
	ch, requests, err := c.OpenChannel("session", nil)
	if err != nil {
		tb.Fatalf("open a session: %v", err)
	}
	go ssh.DiscardRequests(requests)
	return ch
}

type ptyRequest struct {
	Term                   string
	Cols, Rows, Wide, Tall uint32
	Modes                  string
}

// chats proves that the house still does what it is for.
func (h *house) chats(tb testing.TB) {
	tb.Helper()
	p := h.pipe(tb, login{user: "prober"})
	p.types("still here")
	p.sees("[prober] still here\n")
	p.stdin.Close()
	p.ends(0)
}

// One packet, after any login, ended the whole process of a server that leaves this to the SSH library.
func TestMalformedTerminalRequests(t *testing.T) {
	t.Parallel()
	h := openHouse(t, setup{exempt: true})
	overflow := func(n uint32) []byte {
		return append(binary.BigEndian.AppendUint32(nil, n), "xterm padding that is long enough"...)
	}
	for name, payload := range map[string][]byte{
		"length that overflows": overflow(0xfffffffc), "another": overflow(0xffffffff), "beyond the end": overflow(1000), "just beyond": overflow(30),
		"nothing": nil, "short": {0, 0}, "no sizes": append([]byte{0, 0, 0, 5}, "xterm"...),
		"long name": ssh.Marshal(ptyRequest{Term: strings.Repeat("x", 65), Cols: 80, Rows: 24}),
	} {
		client, _ := h.dial(t, login{user: "kim"})
		ch := session(t, client)
		if ok, err := ch.SendRequest("pty-req", true, payload); ok || err != nil && !errors.Is(err, io.EOF) {
			t.Errorf("%s: pty-req = %v, %v, want a refusal", name, ok, err)
		}
		client.Close()
	}
	for _, size := range []uint32{0, 1, 1 << 20, 1<<32 - 1} {
		p := h.newPerson(t, login{user: "kim"})
		out, err := p.session.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		go func() { io.Copy(p.out, out); p.out.end(nil) }()
		if ok, err := p.session.SendRequest("pty-req", true, ssh.Marshal(ptyRequest{Term: "xterm", Cols: size, Rows: size})); !ok || err != nil {
			t.Errorf("a terminal of %d cells = %v, %v, want it served", size, ok, err)
		}
		if err := p.session.Shell(); err != nil {
			t.Fatal(err)
		}
		p.sees("* This is ")
		p.hangUp()
	}
	h.chats(t)
}

func TestEnvironmentFlood(t *testing.T) {
	t.Parallel()
	h := openHouse(t, setup{exempt: true})
	client, _ := h.dial(t, login{user: "kim"})
	ch := session(t, client)
	before := h.resident()
	type env struct{ Name, Value string }
	accepted := 0
	set := func(name, value string) bool {
		ok, err := ch.SendRequest("env", true, ssh.Marshal(env{name, value}))
		if err != nil {
			t.Fatalf("env %s: %v", name, err)
		}
		if ok {
			accepted++
		}
		return ok
	}
	if !set("LANG", "ko_KR.UTF-8") {
		t.Error("LANG is refused, want it taken")
	}
	for _, name := range []string{"LD_PRELOAD", "PATH", "A", "", "SSH_AUTH_SOCK", "LANG=x", strings.Repeat("L", 300)} {
		if set(name, "x") {
			t.Errorf("the variable %q is taken, want it refused", name)
		}
	}
	pace := time.NewTicker(time.Second / 40) // below the 64 requests a second for which a connection is closed
	defer pace.Stop()
	for i := range 60 {
		set(fmt.Sprint("LC_", i), strings.Repeat("x", 100))
		set("LANG", strings.Repeat("y", 30<<10))
		<-pace.C
		<-pace.C
	}
	if accepted > 32 {
		t.Errorf("%d variables are taken, want at most 32", accepted)
	}
	if grown := h.resident() - before; !raced && grown > 8<<20 {
		t.Errorf("the house grew by %d KiB, want no more than 4 KiB of variables to be kept", grown>>10)
	}
	h.chats(t)
}

// A client that asks for too much is closed; the others do not notice.
func TestRequestFloods(t *testing.T) {
	t.Parallel()
	h := openHouse(t, setup{exempt: true})
	kim := h.guest(t, "kim")
	for name, flood := range map[string]func(c *ssh.Client, ch ssh.Channel) error{
		"env": func(_ *ssh.Client, ch ssh.Channel) error { _, err := ch.SendRequest("env", false, nil); return err },
		"signal": func(_ *ssh.Client, ch ssh.Channel) error {
			_, err := ch.SendRequest("signal", false, []byte("\x00\x00\x00\x03INT"))
			return err
		},
		"keepalive": func(c *ssh.Client, _ ssh.Channel) error {
			_, _, err := c.SendRequest("keepalive@openssh.com", false, nil)
			return err
		},
		"channels": func(c *ssh.Client, _ ssh.Channel) error {
			_, _, err := c.OpenChannel("x11", nil)
			if _, refused := errors.AsType[*ssh.OpenChannelError](err); refused {
				return nil
			}
			return err
		},
	} {
		client, _ := h.dial(t, login{user: "lee"})
		ch := session(t, client)
		late := time.AfterFunc(patience, func() { client.Close(); t.Errorf("%s: flooded for %v and was not closed", name, patience) })
		for flood(client, ch) == nil {
		}
		late.Stop()
		kim.types("after " + name)
		kim.sees("[kim] after " + name)
	}
	h.chats(t)
}

// Sizes change as often as a window is dragged: before the shell, after it, and without end. The newest wins, everything is answered.
func TestWindowChangeFlood(t *testing.T) {
	t.Parallel()
	h := openHouse(t, setup{exempt: true})
	p := h.newPerson(t, login{user: "kim"})
	out, err := p.session.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	go func() { io.Copy(p.out, out); p.out.end(nil) }()
	if err := p.session.RequestPty("dumb", 24, 80, nil); err != nil {
		t.Fatal(err)
	}
	for i := range 500 {
		if err := p.session.WindowChange(24, 40+i%40); err != nil {
			t.Fatalf("window-change %d before the shell: %v", i, err)
		}
	}
	if p.stdin, err = p.session.StdinPipe(); err == nil {
		err = p.session.Shell()
	}
	if err != nil {
		t.Fatalf("shell after 500 changes of size: %v", err)
	}
	p.sees("[kim]:")
	p.keys("\r")
	p.sees("kim joined")
	for i := range 20_000 {
		if err := p.session.WindowChange(24, 40+i%40); err != nil {
			t.Fatalf("window-change %d: %v", i, err)
		}
	}
	if _, _, err := p.client.SendRequest("keepalive@openssh.com", true, nil); err != nil {
		t.Errorf("the connection answers nothing any more: %v", err)
	}
	p.keys("through all of it\r")
	p.sees("[kim] through all of it")
	h.chats(t)
}

func TestManyChannelsOnOneConnection(t *testing.T) {
	t.Parallel()
	h := openHouse(t, setup{exempt: true, limits: "refused_channels = 200\n"})
	client, _ := h.dial(t, login{user: "kim"})
	open := 0
	for range 100 {
		ch, requests, err := client.OpenChannel("session", nil)
		if err == nil {
			open++
			go ssh.DiscardRequests(requests)
			go io.Copy(io.Discard, ch)
		} else if _, refused := errors.AsType[*ssh.OpenChannelError](err); !refused {
			t.Fatalf("the connection ended: %v", err)
		}
	}
	if open != 4 {
		t.Errorf("%d of 100 sessions were opened on one connection, want 4", open)
	}
	for _, kind := range []string{"direct-tcpip", "direct-streamlocal@openssh.com", "tun@openssh.com", "x11", "auth-agent@openssh.com", "forwarded-tcpip", ""} {
		if _, _, err := client.OpenChannel(kind, bytes.Repeat([]byte{0}, 32)); err == nil {
			t.Errorf("a channel of kind %q was opened, want it refused", kind)
		}
	}
	for _, kind := range []string{"tcpip-forward", "streamlocal-forward@openssh.com", "cancel-tcpip-forward", "no-more-sessions@openssh.com", "hostkeys-prove-00@openssh.com", "x"} {
		if ok, _, err := client.SendRequest(kind, true, []byte("\x00\x00\x00\x00\x00\x00\x00\x16")); ok || err != nil {
			t.Errorf("the request %q = %v, %v, want a refusal", kind, ok, err)
		}
	}
	h.chats(t)
}

func TestOnlyTerminalShellAndCommandAreGranted(t *testing.T) {
	t.Parallel()
	h := openHouse(t, setup{exempt: true})
	client, _ := h.dial(t, login{user: "kim"})
	ch := session(t, client)
	type text struct{ S string }
	for _, kind := range []string{"subsystem", "auth-agent-req@openssh.com", "x11-req", "xon-xoff", "eow@openssh.com", ""} {
		if ok, err := ch.SendRequest(kind, true, ssh.Marshal(text{"sftp"})); ok || err != nil {
			t.Errorf("the request %q = %v, %v, want a refusal", kind, ok, err)
		}
	}
	if ok, err := ch.SendRequest("exec", true, ssh.Marshal(text{strings.Repeat("x", 5000)})); ok || err != nil {
		t.Errorf("a command of 5000 bytes = %v, %v, want a refusal", ok, err)
	}
	if ok, err := ch.SendRequest("shell", true, nil); !ok || err != nil {
		t.Fatalf("shell = %v, %v, want it granted", ok, err)
	}
	for _, kind := range []string{"shell", "exec"} {
		if ok, err := ch.SendRequest(kind, true, ssh.Marshal(text{"who"})); ok || err != nil {
			t.Errorf("a second %s = %v, %v, want a refusal", kind, ok, err)
		}
	}
	h.chats(t)
}

// Who does not get on with the login is closed in time; who does meanwhile does not wait.
func TestSlowHandshakes(t *testing.T) {
	t.Parallel()
	h := openHouse(t, setup{exempt: true, limits: "version_timeout = \"1s\"\nlogin_timeout = \"6s\"\n"})
	kim := h.guest(t, "kim")
	const early, late = 4 * time.Second, 12 * time.Second // before the other timer could have ended it, and in time for that
	type held struct {
		by   time.Duration
		over chan time.Duration
	}
	ends := map[string]held{}
	hold := func(name string, by time.Duration, f func(conn net.Conn)) {
		conn := connect(t, h.ssh, login{})
		over := make(chan time.Duration, 1)
		ends[name] = held{by, over}
		go f(conn)
		go func() {
			start := time.Now()
			io.Copy(io.Discard, conn)
			over <- time.Since(start)
		}()
	}
	drip := func(text string) func(net.Conn) {
		return func(conn net.Conn) {
			tick := time.NewTicker(300 * time.Millisecond)
			defer tick.Stop()
			for i := range text {
				<-tick.C
				if _, err := conn.Write([]byte(text[i : i+1])); err != nil {
					return
				}
			}
		}
	}
	hold("silent", early, func(net.Conn) {})
	hold("drip", early, drip("SSH-2.0-"+strings.Repeat("x", 200)))
	hold("version only", late, func(c net.Conn) { c.Write([]byte("SSH-2.0-x\r\n")) })
	hold("half a packet", late, func(c net.Conn) { c.Write([]byte("SSH-2.0-x\r\n\x00\x00\x01\x00\x08")) })
	hold("garbage", early, func(c net.Conn) { c.Write(bytes.Repeat([]byte("\xde\xad\xbe\xef"), 5000)) })
	client, _ := h.dial(t, login{user: "no session"}) // logged in, and that is all
	authenticated := make(chan time.Duration, 1)
	go func() {
		start := time.Now()
		_ = client.Wait() // its error is how the house closed
		authenticated <- time.Since(start)
	}()
	ends["no session"] = held{late, authenticated}
	h.chats(t)
	for name, end := range ends {
		select {
		case d := <-end.over:
			if d > end.by {
				t.Errorf("%s: closed after %v, want it within %v", name, d, end.by)
			}
		case <-time.After(patience):
			t.Errorf("%s: still open", name)
		}
	}
	kim.types("after the login's time") // its timer does not end a session
	kim.sees("[kim] after the login's time")
}

// offering is a key of which only the public half is there.
type offering struct{ ssh.Signer }

func (offering) Sign(io.Reader, []byte) (*ssh.Signature, error) {
	return nil, errors.New("no private key")
}

// A key counts when it is proven. Whoever offers somebody else's is a guest at most.
func TestOfferedKeyIsNobody(t *testing.T) {
	t.Parallel()
	h := openHouse(t, setup{exempt: true})
	key := newKey(t)
	alice := h.enter(t, login{user: "alice", key: key})
	if _, out, _ := h.command(t, login{user: "alice", key: key}, "whoami"); !strings.Contains(out, "You proved the key SHA256:") {
		t.Errorf("whoami = %q, want the proven key", out)
	}

	conn := connect(t, h.ssh, login{})
	config := login{user: "alice"}.config(t)
	offered := false
	config.Auth = append([]ssh.AuthMethod{ssh.PublicKeysCallback(func() ([]ssh.Signer, error) { offered = true; return []ssh.Signer{offering{key}}, nil })}, config.Auth...)
	c, chans, requests, err := ssh.NewClientConn(conn, h.ssh, config)
	if err == nil {
		client := ssh.NewClient(c, chans, requests)
		defer client.Close()
		s, err := client.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		var errs strings.Builder
		s.Stderr = &errs
		if out, err := s.Output("whoami"); err == nil || !strings.Contains(errs.String(), "Somebody here has the nickname alice") {
			t.Errorf("with the public half of alice's key: whoami = %q, %v; want a guest who cannot have the name", out, err)
		}
	}
	if !offered {
		t.Error("the key was not offered, so this test shows nothing")
	}
	alice.types("/whoami")
	alice.sees("* You are alice.")
	alice.seesNot("screens open")
}

// Whoever shows nothing at all is not let in by "none"; a guest gets in without a question, and so does a client with many
// keys, of which the first is proven.
func TestWaysToLogIn(t *testing.T) {
	t.Parallel()
	h := openHouse(t, setup{exempt: true})
	try := func(methods ...ssh.AuthMethod) error {
		conn := connect(t, h.ssh, login{})
		config := login{user: "kim"}.config(t)
		config.Auth = methods
		c, _, _, err := ssh.NewClientConn(conn, h.ssh, config)
		if err == nil {
			c.Close()
		}
		return err
	}
	if try() == nil {
		t.Error("a client without any method is let in, want it refused")
	}
	if try(ssh.Password("secret")) == nil {
		t.Error("a password is taken, want it refused")
	}
	keys := make([]ssh.Signer, 5)
	for i := range keys {
		keys[i] = newKey(t)
	}
	if err := try(ssh.PublicKeys(keys...)); err != nil {
		t.Errorf("a client with five keys: %v, want it let in", err)
	}
	h.chats(t)
}

// The algorithms that are offered are the modern ones, and the strict key exchange is advertised.
func TestOfferedAlgorithms(t *testing.T) {
	t.Parallel()
	h := openHouse(t, setup{})
	conn := connect(t, h.ssh, login{})
	conn.Write([]byte("SSH-2.0-test\r\n"))
	conn.SetReadDeadline(time.Now().Add(patience))
	version, packet := readKexInit(t, conn)
	if version != "SSH-2.0-sarangbang" {
		t.Errorf("version = %q, want no more than the name", version)
	}
	var got struct {
		Cookie                                                     [16]byte `sshtype:"20"`
		Kex, HostKey, CipherIn, CipherOut, MACIn, MACOut, Zip, Zop []string
		Rest                                                       []byte `ssh:"rest"`
	}
	if err := ssh.Unmarshal(packet, &got); err != nil {
		t.Fatal(err)
	}
	for _, list := range []struct {
		name    string
		got     []string
		allowed string
	}{
		{"key exchanges", got.Kex, "mlkem768x25519-sha256 curve25519-sha256 curve25519-sha256@libssh.org ecdh-sha2-nistp256 kex-strict-s-v00@openssh.com"},
		{"host keys", got.HostKey, "ssh-ed25519 rsa-sha2-512 rsa-sha2-256"},
		{"ciphers", got.CipherOut, "chacha20-poly1305@openssh.com aes128-gcm@openssh.com aes256-gcm@openssh.com aes128-ctr aes192-ctr aes256-ctr"},
		{"MACs", got.MACOut, "hmac-sha2-256-etm@openssh.com hmac-sha2-512-etm@openssh.com"},
		{"compressions", got.Zop, "none"},
	} {
		for _, name := range list.got {
			if !strings.Contains(" "+list.allowed+" ", " "+name+" ") {
				t.Errorf("%s: %s is offered, want at most %s", list.name, name, list.allowed)
			}
		}
	}
	if !strings.Contains(strings.Join(got.Kex, " "), "kex-strict-s-v00@openssh.com") {
		t.Errorf("key exchanges = %q, want the strict one advertised", got.Kex)
	}
}

// readKexInit reads the version line and the first packet, which is not encrypted (RFC 4253, 4.2 and 6).
func readKexInit(t *testing.T, r io.Reader) (version string, payload []byte) {
	t.Helper()
	b := make([]byte, 1)
	for {
		if _, err := io.ReadFull(r, b); err != nil {
			t.Fatal(err)
		}
		if b[0] == '\n' {
			break
		}
		version += string(b)
	}
	var length struct {
		Packet  uint32
		Padding uint8
	}
	if err := binary.Read(r, binary.BigEndian, &length); err != nil {
		t.Fatal(err)
	}
	packet := make([]byte, length.Packet-1)
	if _, err := io.ReadFull(r, packet); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(version, "\r"), packet[:len(packet)-int(length.Padding)]
}

// An escape sequence without an end, then nothing more: the session is over and costs nothing.
func TestEndlessEscapeSequenceAndHangUp(t *testing.T) {
	t.Parallel()
	h := openHouse(t, setup{exempt: true})
	for _, keys := range []string{
		"\x1b[" + strings.Repeat("7", 300), "\x1b" + strings.Repeat("가", 300), "\x1b[" + strings.Repeat(";", 254), "\x1b]0;" + strings.Repeat("x", 9000),
		"\x1b[200~" + strings.Repeat("y", 70_000), "\x1bP" + strings.Repeat("\xff", 5000), strings.Repeat("\xff", 300),
	} {
		p := h.guest(t, "kim")
		p.keys(keys)
		p.cut()
		h.becomes(`sarangbang_screens{door="ssh"}`, 0, 0)
	}
	h.becomes(`sarangbang_connections{door="ssh"}`, 0, 0)
	before := h.cpu()
	idle := time.NewTimer(3 * time.Second)
	<-idle.C
	if used := h.cpu() - before; !raced && used > 300*time.Millisecond {
		t.Errorf("the house used %v of CPU in 3 s with nobody there, want next to none", used)
	}
}

// Bytes that are no text, and escapes that no key sends, swallow nothing of what is typed after them.
func TestTextAfterGarbageArrives(t *testing.T) {
	t.Parallel()
	h := openHouse(t, setup{exempt: true})
	p := h.guest(t, "kim")
	for i, garbage := range []string{
		strings.Repeat("\xff", 300), "\xea\xb0", "\x1b[" + strings.Repeat("9", 300) + "z", "\x1b[<0;0;0M", "\x00\x0e\x0f\x1c\x1d\x1e", "\x9b\x9d\x90", "\x1bO", "\x1b[1;2;3;4;5;6;7;8H",
	} {
		text := fmt.Sprint("text after garbage ", i)
		p.keys(garbage)
		p.keys("\x03") // whatever is left of it in the line
		p.types(text)
		p.sees("[kim] " + text)
	}
	q := h.pipe(t, login{user: "lee"})
	q.keys(strings.Repeat("\xff", 300) + "\n" + "hello\n")
	q.sees("[lee] hello\n")
}
