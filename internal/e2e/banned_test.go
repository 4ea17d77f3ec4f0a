//go:build linux

package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// One nuisance comes back by each door, at an address of their own: they are told why, and then their address pays for it. Nobody else
// does.
func TestWhoIsBannedIsToldAndThenPays(t *testing.T) {
	t.Parallel()
	operator, nuisance := newKey(t), newKey(t)
	file := filepath.Join(t.TempDir(), "house.toml")
	write(t, file, "[operators]\nkeys = [\""+ssh.FingerprintSHA256(operator.PublicKey())+"\"]\n[house]\ncontact = \"house@example.org\"\n")
	h := openHouse(t, setup{args: []string{"--config", file}})
	mod := h.enter(t, login{user: "min", key: operator})
	kim := h.enter(t, login{user: "kim", key: newKey(t)})
	const there = "127.9.9.9"
	lee := h.enter(t, login{user: "lee", key: nuisance, from: there})
	kim.sees("* lee joined.")

	mod.types("/ban lee 1h --house no shouting")
	const why = "You are kept out of this house until "
	const ask = " The reason: no shouting. Ask about it: house@example.org."
	lee.sees(why)
	lee.sees("The reason: no shouting.")
	lee.ends(1)
	kim.sees("* min keeps lee out of the house until ")
	h.logs("msg=act", "by=min", "did=banned", "whom=lee")

	status, out, errs := h.command(t, login{user: "other", key: nuisance, from: there}, "who")
	if status != 1 || out != "" || !strings.HasPrefix(errs, why) || !strings.HasSuffix(errs, ask+"\n") {
		t.Errorf("who = %d, %q, %q; want 1, nothing and why they are kept out", status, out, errs)
	}
	h.logs("kept out", "remote="+there)
	again := h.pipe(t, login{user: "other", key: nuisance, from: there})
	again.complains(why)
	again.ends(1)
	h.pays(there)
	h.enter(t, login{user: "park", key: newKey(t)}).sees("Welcome, park.")
}
