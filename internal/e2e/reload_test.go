//go:build linux

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// write replaces a file as an operator's editor does.
func write(tb testing.TB, path, content string) {
	tb.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		tb.Fatal(err)
	}
}

// hangsUp sends SIGHUP and waits until the house has looked at everything again.
func (h *house) hangsUp(tb testing.TB) {
	tb.Helper()
	const looked = `msg="settings and greeting looked at again"`
	before := strings.Count(h.log.String(), looked)
	h.signal(syscall.SIGHUP)
	if !h.log.wait(patience, func(log string) bool { return strings.Count(log, looked) > before }) {
		tb.Fatalf("the house does not look at its files again; its log:\n%s", h.log)
	}
}

// SIGHUP reads settings and greeting again: what can change does and is named in the log, what cannot waits, and a bad file changes
// nothing and says why.
func TestHangupReadsEverythingAgain(t *testing.T) {
	t.Parallel()
	dir := newDataDir(t)
	file, motd := filepath.Join(t.TempDir(), "house.toml"), filepath.Join(dir, "greeting", "motd.en.txt")
	write(t, file, "")
	write(t, motd, "Tea at five.\n")
	h := openHouse(t, setup{dir: dir, args: []string{"--config", file}})
	key := newKey(t)
	h.logs("greeting read", "motd.en.txt")
	kim := h.enter(t, login{user: "kim", key: key})
	kim.sees("* Tea at five.")

	operator := ssh.FingerprintSHA256(key.PublicKey())
	write(t, motd, "Tea at six.\n")
	write(t, file, "log_level = \"debug\"\n[operators]\nkeys = [\""+operator+"\"]\n[limits]\nidle_timeout = \"1h\"\n")
	h.hangsUp(t)
	h.logs("setting changed", "key=log_level", "info", "debug")
	h.logs("setting changed", "key=operators.keys", operator)
	h.logs("waits for the next start", "key=limits.idle_timeout")
	h.logs("msg=act", "did=appointed", "keys=1")
	lee := h.enter(t, login{user: "lee", key: newKey(t)})
	lee.sees("* Tea at six.")
	h.logs("level=DEBUG")
	if n := strings.Count(h.log.String(), "msg=\"setting changed"); n != 3 {
		t.Errorf("%d settings changed, want 3", n)
	}

	write(t, motd, "\xff\xfe")
	write(t, file, "loglevel = \"info\"\n")
	h.hangsUp(t)
	h.logs("settings not read", "loglevel", "log_level")
	h.logs("greeting not read", "motd.en.txt", "UTF-8")
	park := h.enter(t, login{user: "park", key: newKey(t)})
	park.sees("* Tea at six.")
	kim.types("still here")
	park.sees("[kim] still here")

	h.signal(syscall.SIGTERM)
	h.exits(5*time.Second, 0)
	h = startHouse(t, setup{dir: dir, args: []string{"--config", file}})
	h.exits(2*time.Second, 1)
	write(t, file, "")
	h = openHouse(t, setup{dir: dir, args: []string{"--config", file}})
	h.logs("greeting not read", "motd.en.txt") // people can come all the same
	h.logs("msg=act", "did=appointed", "keys=0")
	h.enter(t, login{user: "kim", key: key}).seesNot("Tea")
	h.signal(syscall.SIGTERM) // here, as the log may have errors in it
	h.exits(5*time.Second, 0)
}
