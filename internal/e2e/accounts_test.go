//go:build linux

package e2e

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

var keyCode = regexp.MustCompile(`/key add ([A-Z2-7]{4}-[A-Z2-7]{4})`)

// thief has somebody's public key. The private half that it has, if any, is of another.
type thief struct {
	public ssh.PublicKey
	own    ssh.Signer
}

func (t thief) PublicKey() ssh.PublicKey { return t.public }

func (t thief) Sign(rand io.Reader, data []byte) (*ssh.Signature, error) {
	if t.own == nil {
		return nil, errors.New("no private key")
	}
	return t.own.Sign(rand, data)
}

// register comes in with a key and makes the nickname its own.
func (h *house) register(tb testing.TB, nick string, key ssh.Signer) *person {
	tb.Helper()
	p := h.enter(tb, login{user: nick, key: key})
	p.types("/register")
	p.sees("The nickname " + nick + " is yours.")
	return p
}

// A public key is known to everybody whom its owner ever logged in to.
func TestAKeyThatIsOnlyOfferedOwnsNothing(t *testing.T) {
	t.Parallel()
	h := openHouse(t, setup{exempt: true})
	key := newKey(t)
	kim := h.register(t, "kim", key)
	for _, user := range []string{"kim", "other"} {
		if client, _, err := h.tryDial(t, login{user: user, key: thief{key.PublicKey(), newKey(t)}}); err == nil {
			_ = client.Close()
			t.Errorf("a forged signature logs %s in, want the connection closed", user)
		}
		p := h.knock(t, login{user: user, key: thief{public: key.PublicKey()}})
		p.sees("nickname")
		p.types("kim")
		p.sees("belongs to somebody's key.")
		p.types(user + "2")
		p.sees("Welcome, " + user + "2.")
		p.types("/whoami")
		p.sees("You proved no key")
		p.leaves()
	}
	kim.seesNot("one more screen")
	kim.leaves()
}

func TestAccountsAndHistorySurviveARestart(t *testing.T) {
	t.Parallel()
	dir := newDataDir(t)
	key := newKey(t)
	h := openHouse(t, setup{exempt: true, dir: dir})
	kim := h.register(t, "kim", key)
	kim.types("still here tomorrow")
	kim.sees("[kim] still here tomorrow")
	kim.types("/lang ko")
	kim.sees("한국어로 보여 드립니다.")
	h.signal(syscall.SIGKILL)
	<-h.exited

	h = openHouse(t, setup{exempt: true, dir: dir})
	if status, _, complaint := h.command(t, login{user: "kim"}, "say hi"); status != 1 || !strings.Contains(complaint, "belongs to somebody's key") {
		t.Errorf("a stranger says something as kim: status %d, %q; want it refused", status, complaint)
	}
	kim = h.knock(t, login{user: "x", key: key})
	kim.sees("kim 님, 다시 오셨군요.")
	kim.leaves()
	if status, said, _ := h.command(t, login{user: "x"}, "history"); status != 0 || said != "[kim] still here tomorrow\n" {
		t.Errorf("history: status %d, %q; want what was said before the restart", status, said)
	}
	if status, found, _ := h.command(t, login{user: "x"}, "search tomor"); status != 0 || found != "[kim] still here tomorrow\n" {
		t.Errorf("search: status %d, %q; want what was said before the restart", status, found)
	}
}

func TestAKeyJoinsAnAccountByACode(t *testing.T) {
	t.Parallel()
	h := openHouse(t, setup{exempt: true})
	kim := h.register(t, "kim", newKey(t))
	kim.types("/key add")
	if !kim.out.wait(patience, func(all string) bool { return keyCode.MatchString(all) }) {
		t.Fatalf("no code in\n%s", kim.shown())
	}
	code := keyCode.FindStringSubmatch(kim.out.String())[1]
	second := newKey(t)
	other := h.enter(t, login{user: "laptop", key: second})
	other.types("/key add " + code)
	other.sees("This key opens the account kim from now on.")
	other.leaves()
	again := h.knock(t, login{user: "laptop", key: second})
	again.sees("You are here already as kim")
	kim.types("/key remove 2")
	kim.sees("opens your account no more.")
	again.sees("The key that you proved was taken from the account, so this session ends.")
	again.ends(1)
	late := h.enter(t, login{user: "laptop", key: second})
	late.leaves()
	kim.leaves()
}

func TestALongHistoryIsStreamed(t *testing.T) {
	t.Parallel()
	h := openHouse(t, setup{exempt: true})
	p := h.pipe(t, login{user: "kim"})
	const lines = 3000
	want := &strings.Builder{}
	go func() {
		for n := range lines {
			_, _ = io.WriteString(p.stdin, fmt.Sprint("line ", n)+"\n")
		}
		_ = p.stdin.Close()
	}()
	for n := range lines {
		want.WriteString("[kim] " + fmt.Sprint("line ", n) + "\n")
	}
	p.ends(0)
	if status, got, errs := h.command(t, login{user: "x"}, "history 100000"); status != 0 || got != want.String() || errs != "" {
		t.Errorf("history 100000: status %d, %d bytes, %q; want the %d bytes of all lines", status, len(got), errs, want.Len())
	}
	// Who takes nothing of it keeps nobody waiting, and is let go.
	slow := h.newPerson(t, login{user: "x", buffer: 4096})
	if _, err := slow.session.StdoutPipe(); err != nil {
		t.Fatal(err)
	}
	if err := slow.session.Start("history 100000"); err != nil {
		t.Fatal(err)
	}
	lee := h.guest(t, "lee")
	lee.types("hello")
	lee.seesWithin(promised(2*time.Second), "[lee] hello")
	slow.hangUp()
	lee.leaves()
}
