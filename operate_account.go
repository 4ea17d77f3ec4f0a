package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"sarangbang/internal/config"
	"sarangbang/internal/sqlitestore"
	"sarangbang/room"
)

// This file is the operator's hand in accounts. What is done here goes through the log, like what their owners do.

// account runs sarangbang account.
func account(ctx context.Context, j *job) error {
	words := map[string]int{"list": 1, "show": 2, "delete": 2, "key-add": 3, "key-remove": 3}
	what := j.args[0]
	switch n, known := words[what]; {
	case !known:
		return j.misused("%q is nothing that can be done with accounts", what)
	case len(j.args) < n:
		return j.misused("something is missing after %s", what)
	case len(j.args) > n:
		return j.misused("%q is too much", j.args[n])
	}
	if n := len(j.args); n == 3 && !isFingerprint(j.args[2]) {
		return j.misused("%q is no fingerprint as ssh-keygen -lf prints it, SHA256 and 43 letters", j.args[2])
	}
	if err := j.exists(); err != nil {
		return err
	}
	return j.stopped("account", func() error {
		store, err := sqlitestore.Open(j.path, storeOptions(j.settings.Limits, config.History{}, j.logger()))
		if err != nil {
			return err
		}
		b := books{job: j, store: store}
		_ = b.store.Forget(ctx) // what an earlier call could not end; if this cannot either, a later one will
		err = b.do(ctx, what)
		if closed := store.Close(); err == nil {
			err = closed
		}
		return err
	})
}

// isFingerprint recognises the SHA256 fingerprint of a key, as ssh-keygen -lf prints it.
func isFingerprint(s string) bool {
	sum, ok := strings.CutPrefix(s, "SHA256:")
	raw, err := base64.RawStdEncoding.Strict().DecodeString(sum)
	return ok && err == nil && len(raw) == 32
}

// books are the accounts of a stopped house.
type books struct {
	*job
	store *sqlitestore.Store
}

func (b *books) do(ctx context.Context, what string) error {
	s, err := b.store.Snapshot(ctx)
	if err != nil {
		return err
	}
	if what == "list" {
		if len(s.Accounts) == 0 {
			b.say("there are no accounts")
		}
		for _, a := range s.Accounts {
			b.say("%s  %2d %s  %s", a.Since.Format(minute), len(a.Keys), plural(len(a.Keys), "key ", "keys"), a.Nick)
		}
		return nil
	}
	a, err := b.named(s.Accounts, b.args[1])
	if err != nil {
		return err
	}
	switch what {
	case "show":
		return b.show(ctx, a)
	case "delete":
		until := time.Now().Add(b.settings.Limits.NickHold)
		if err := b.act(ctx, a, s.Accounts, room.Erased{Until: until}); err != nil {
			return err
		}
		if err := b.store.Forget(ctx); err != nil {
			return fmt.Errorf("the account %s is erased, and nobody can wear the nickname until %s; but some of its lines still carry its name, "+
				"and direct messages to it may still be there (%w): mend that, and start the house or call this again with any account, "+
				"either goes on with it", a.Nick, until.Format(minute), err)
		}
		b.say("the account %s is erased; its lines stay without a name, and nobody can wear the nickname until %s", a.Nick, until.Format(minute))
	case "key-add":
		if err := b.act(ctx, a, s.Accounts, room.KeyAdded{Key: b.args[2]}); err != nil {
			return err
		}
		b.say("the key opens the account %s", a.Nick)
	case "key-remove":
		if err := b.act(ctx, a, s.Accounts, room.KeyRemoved{Key: b.args[2]}); err != nil {
			return err
		}
		b.say("the key does not open the account %s any more", a.Nick)
	}
	return nil
}

const minute = "2006-01-02 15:04"

// named finds the account that owns a nickname, in whatever case it is typed.
func (b *books) named(all []room.Account, typed string) (room.Account, error) {
	key := "\x00" // which is nobody's
	if name, err := nickRules(b.settings.Limits).Parse(typed); err == nil {
		key = name.Keys()[0]
	}
	for _, a := range all {
		if string(a.Nick) == typed || slices.Contains(a.Names, key) {
			return a, nil
		}
	}
	return room.Account{}, fmt.Errorf("no account has the nickname %q; sarangbang account list shows all", typed)
}

func (b *books) show(ctx context.Context, a room.Account) error {
	stored, err := b.store.Holdings(ctx, a.ID)
	if err != nil {
		return err
	}
	b.say("nickname  %s", a.Nick)
	b.say("since     %s", a.Since.Format(minute))
	for _, k := range a.Keys {
		b.say("key       %s", k)
	}
	for _, name := range slices.Sorted(maps.Keys(a.Settings)) {
		b.say("setting   %s = %s", name, a.Settings[name])
	}
	b.say("stored    %d lines, %d direct messages sent and %d received, %s", stored.Lines, stored.Sent, stored.Received, size(stored.Bytes))
	return nil
}

// act records what is done with an account, and says why it could not be.
func (b *books) act(ctx context.Context, a room.Account, all []room.Account, body room.Body) error {
	seqs, err := b.store.Append(ctx, room.Encode(a.Person(), room.HouseSubject, body))
	if err != nil {
		return fmt.Errorf("the account %s is as it was: %w", a.Nick, err)
	}
	void, err := b.store.VoidOf(ctx, seqs[0])
	switch {
	case err != nil:
		return err
	case void == room.VoidTaken:
		i := slices.IndexFunc(all, func(o room.Account) bool { return slices.Contains(o.Keys, b.args[2]) })
		return fmt.Errorf("the key opens the account %s already: remove it there first", all[i].Nick)
	case void == room.VoidKeys:
		return fmt.Errorf("the account %s has %d keys, which is the most: remove one first", a.Nick, room.MaxKeys)
	case void == room.VoidRepeated:
		return fmt.Errorf("the account %s has no such key; sarangbang account show %s lists them", a.Nick, a.Nick)
	case void == room.VoidLastKey:
		return fmt.Errorf("the account %s has no other key: add one first, or delete the account", a.Nick)
	case void != "":
		return fmt.Errorf("the account %s is as it was: %s", a.Nick, void)
	}
	return nil
}

func plural(n int, one, more string) string {
	if n == 1 {
		return one
	}
	return more
}
