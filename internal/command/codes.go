package command

import (
	"crypto/rand"
	"crypto/subtle"
	"strings"
	"sync"
	"time"

	"sarangbang/room"
)

const (
	codeLife    = 10 * time.Minute
	codeLetters = 8               // of 32 each: 2^40 codes
	codeTries   = 5               // wrong ones of a key, within codeLife
	maxTriers   = 4096            // keys whose wrong tries are remembered
	codeGroup   = codeLetters / 2 // letters between hyphens
)

// Codes are the one-time codes by which a further key comes to an account: asked for under a key that opens it, typed under the new
// one. There is one at a time for an account. Its methods may be called from any goroutine.
type Codes struct {
	mu     sync.Mutex
	issued map[room.PersonID]issued // guarded by mu; by the owner of the account
	wrong  map[string]tries         // guarded by mu; by the fingerprint of the key that typed them
}

type issued struct {
	owner room.Person
	code  string
	until time.Time
}

type tries struct {
	n     int
	until time.Time
}

// NewCodes returns codes of which none is issued.
func NewCodes() *Codes {
	return &Codes{issued: map[room.PersonID]issued{}, wrong: map[string]tries{}}
}

// issue makes a code for the owner of an account, in place of the one before.
func (c *Codes) issue(owner room.Person) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	for id, i := range c.issued {
		if now.After(i.until) {
			delete(c.issued, id)
		}
	}
	code := rand.Text()[:codeLetters]
	c.issued[owner.ID] = issued{owner, code, now.Add(codeLife)}
	return code[:codeGroup] + "-" + code[codeGroup:]
}

// redeem takes a code from a key. It works once, unless it is given back. tired: the key has been wrong too often.
func (c *Codes) redeem(typed, key string) (code issued, ok, tired bool) {
	typed = strings.ToUpper(strings.NewReplacer("-", "", " ", "").Replace(typed))
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	t := c.wrong[key]
	if now.After(t.until) {
		t = tries{until: now.Add(codeLife)}
	}
	if t.n >= codeTries {
		return code, false, true
	}
	for id, i := range c.issued { // every one of them, so that the time it takes tells nothing
		if subtle.ConstantTimeCompare([]byte(i.code), []byte(typed)) == 1 && now.Before(i.until) {
			code, ok = i, true
			delete(c.issued, id)
		}
	}
	if !ok {
		t.n++
		c.noteWrongLocked(key, t, now)
	}
	return code, ok, false
}

// giveBack makes a code work again that had no effect, unless its owner has asked for another.
func (c *Codes) giveBack(code issued) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, another := c.issued[code.owner.ID]; !another {
		c.issued[code.owner.ID] = code
	}
}

// noteWrongLocked remembers what a key has tried. The full table forgets what is over, else some other key: a code is long enough
// that nobody finds it with as many keys as they can come with in its life.
func (c *Codes) noteWrongLocked(key string, t tries, now time.Time) {
	if len(c.wrong) >= maxTriers {
		for k, other := range c.wrong {
			if now.After(other.until) || len(c.wrong) >= maxTriers {
				delete(c.wrong, k)
			}
		}
	}
	c.wrong[key] = t
}
