package command

import (
	"time"

	"sarangbang/internal/i18n"
	"sarangbang/room"
)

// What the tests look at from outside.
var CutNick = cutNick

// CutWords returns what cutWords makes, each word with its filter before it.
func CutWords(rest string) []string {
	var out []string
	for _, w := range cutWords(rest) {
		out = append(out, w.filter+"|"+w.text)
	}
	return out
}

// Issue is issue for the tests.
func (c *Codes) Issue(owner room.Person) string { return c.issue(owner) }

// Redeem is redeem for the tests.
func (c *Codes) Redeem(typed, key string) (owner room.Person, ok, tired bool) {
	code, ok, tired := c.redeem(typed, key)
	return code.owner, ok, tired
}

// Triers is how many keys have wrong tries.
func (c *Codes) Triers() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.wrong)
}

// HoldChecks keeps everybody from checking a password until release is called.
func HoldChecks() (release func()) {
	checking <- struct{}{}
	return func() { <-checking }
}

// Span is span for the tests.
func Span(lang i18n.Lang, d time.Duration) string {
	c := &Call{Env: Env{Settings: Settings{Lang: lang}}}
	return c.span(d)
}
