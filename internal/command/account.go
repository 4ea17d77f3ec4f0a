package command

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"sarangbang/internal/i18n"
	"sarangbang/room"
)

// register makes the nickname the caller's own.
func register(ctx context.Context, c *Call) (Answer, error) {
	me := c.Me.Person()
	if me.Key == "" {
		return Answer{}, fail(i18n.RegisterNoKey)
	}
	if a, has := c.Me.Account(); has {
		return Answer{}, fail(i18n.RegisterAlready, a.Nick)
	}
	if a, has := c.House.AccountOf(me.Key); has {
		return Answer{}, fail(i18n.RegisterOther, a.Nick)
	}
	void, err := c.Me.Register(ctx)
	switch {
	case err != nil:
		return Answer{}, err
	case void == room.VoidNotMember:
		return Answer{}, fail(i18n.RegisterRenamed)
	case void == room.VoidTaken:
		return Answer{}, c.notYours(string(me.Nick))
	case void != "":
		return Answer{}, fail(i18n.Void(string(void)))
	}
	var changes []Change // made in this session, of which there was nothing yet to save them with
	for name, value := range c.All() {
		if s, _ := find(name); s.get(&c.Start) != value {
			changes = append(changes, Change{name, value})
		}
	}
	for _, who := range c.Ignored {
		change, err := who.change()
		if err != nil {
			return Answer{}, err
		}
		changes = append(changes, change)
	}
	if in := c.Me.Rooms(); len(in) != 1 || in[0] != room.Lobby { // where everybody comes anyway
		changes = append(changes, Whereabouts(c.Me))
	}
	return c.say(i18n.Registered, me.Nick), c.save(ctx, changes...)
}

// notYours says why a nickname that the caller wears cannot become their own.
func (c *Call) notYours(nick string) error {
	if n, err := c.Names.Parse(nick); err == nil {
		if f := c.wearer().Refused(n); f != nil {
			return f
		}
	}
	return fail(i18n.Void(string(room.VoidTaken)))
}

// account tells what is stored of the caller, or erases their account.
func account(ctx context.Context, c *Call) (Answer, error) {
	what, rest, _ := strings.Cut(strings.TrimSpace(c.Rest), " ")
	switch strings.ToLower(what) {
	case "":
		return accountShown(ctx, c)
	case "delete":
		return accountErased(ctx, c, strings.Trim(rest, ` "`))
	}
	row, _ := Find("account")
	return Answer{}, c.usage(row)
}

func accountShown(ctx context.Context, c *Call) (Answer, error) {
	var out []string
	say := func(key i18n.Key, args ...any) { out = append(out, c.Lang.Text(key, args...)) }
	a, has := c.Me.Account()
	if has {
		say(i18n.AccountIs, a.Nick, c.day(a.Since))
		out = append(out, c.keys(a)...)
		var settings []string
		for _, name := range slices.Sorted(maps.Keys(a.Settings)) {
			if !Kept(name) {
				settings = append(settings, name+"="+a.Settings[name])
			}
		}
		if settings != nil {
			say(i18n.AccountSettings, strings.Join(settings, ", "))
		}
		if in := strings.Fields(a.Settings[SettingRooms]); len(in) > 0 {
			say(i18n.AccountRooms, "#"+strings.Join(in, " #"))
		}
		if len(c.Ignored) > 0 {
			out = append(out, c.ignoring())
		}
	} else {
		say(i18n.AccountNone)
	}
	stored, err := c.Me.Holdings(ctx)
	switch {
	case errors.Is(err, room.ErrNoArchive):
		say(i18n.NoArchive)
	case err != nil:
		return Answer{}, err
	default:
		say(i18n.AccountHolds, stored.Lines, stored.Sent, stored.Received, stored.Bytes)
	}
	if has {
		say(i18n.AccountErasable)
	}
	return lines(out...), nil
}

// accountErased erases the account of a caller who has repeated its nickname. They leave then: nobody can wear the name now.
func accountErased(ctx context.Context, c *Call, typed string) (Answer, error) {
	a, has := c.Me.Account()
	if !has {
		return Answer{}, fail(i18n.AccountNone)
	}
	until := time.Now().Add(c.NickHold)
	if typed == "" {
		return c.say(i18n.AccountErase, a.Nick, c.day(until)), nil
	}
	if typed != string(a.Nick) {
		return Answer{}, fail(i18n.AccountNotErased, shorten(typed), a.Nick)
	}
	void, err := c.House.Act(ctx, c.Me.Person(), room.Erased{Until: until})
	if err := refused(void, err); err != nil {
		return Answer{}, err
	}
	said := c.say(i18n.AccountErased, a.Nick, c.day(until))
	said.Leave = true
	return said, nil
}

// key lists the keys of the caller's account, adds one or takes one away.
func key(ctx context.Context, c *Call) (Answer, error) {
	what, rest, _ := strings.Cut(strings.TrimSpace(c.Rest), " ")
	rest = strings.TrimSpace(rest)
	switch strings.ToLower(what) {
	case "", "list":
		if rest != "" {
			break
		}
		a, err := c.owned()
		return lines(c.keys(a)...), err
	case "add":
		if rest != "" {
			return keyJoins(ctx, c, rest)
		}
		return keyInvited(c)
	case "remove":
		if rest != "" {
			return keyRemoved(ctx, c, rest)
		}
	}
	row, _ := Find("key")
	return Answer{}, c.usage(row)
}

// owned returns the caller's account.
func (c *Call) owned() (room.Account, error) {
	a, has := c.Me.Account()
	if !has {
		return a, fail(i18n.AccountNone)
	}
	return a, nil
}

// keys lists an account's keys, each with the number that /key remove takes.
func (c *Call) keys(a room.Account) []string {
	out := make([]string, len(a.Keys))
	for i, k := range a.Keys {
		form := i18n.KeyListed
		if k == c.Me.Key() {
			form = i18n.KeyProven
		}
		out[i] = c.Lang.Text(form, i+1, k)
	}
	return out
}

// keyInvited gives the owner a code to type under the key that is to be added.
func keyInvited(c *Call) (Answer, error) {
	a, err := c.owned()
	if err != nil {
		return Answer{}, err
	}
	if len(a.Keys) >= room.MaxKeys {
		return Answer{}, fail(i18n.Void(string(room.VoidKeys)))
	}
	owner := c.Me.Person()
	owner.Nick = a.Nick // whatever they are called just now
	return c.say(i18n.KeyCode, c.Codes.issue(owner), int(codeLife/time.Minute)), nil
}

// keyJoins adds the key that the caller proved to the account that a code is for.
func keyJoins(ctx context.Context, c *Call, typed string) (Answer, error) {
	me := c.Me.Person()
	if me.Key == "" {
		return Answer{}, fail(i18n.KeyNone)
	}
	if a, has := c.House.AccountOf(me.Key); has {
		return Answer{}, fail(i18n.KeyOpens, a.Nick)
	}
	code, ok, tired := c.Codes.redeem(typed, me.Key)
	switch {
	case tired:
		return Answer{}, fail(i18n.KeyTired)
	case !ok:
		return Answer{}, fail(i18n.KeyCodeWrong)
	}
	news := KeyNews(me.Key)
	void, err := c.House.Act(ctx, code.owner, room.KeyAdded{Key: me.Key}, room.Configured{Name: news, Value: "on"})
	if err != nil { // the disk may be full
		c.Codes.giveBack(code)
	}
	if void == room.VoidNoAccount || void == room.VoidTaken { // it was erased meanwhile, or the key that asked for the code taken away
		return Answer{}, fail(i18n.KeyCodeWrong)
	}
	if err := refused(void, err); err != nil {
		return Answer{}, err
	}
	return c.say(i18n.KeyAdded, code.owner.Nick), nil
}

// keyRemoved takes a key from the account: by its number in the list, or by the beginning of its fingerprint. All screens of its owner
// read it, this one too.
func keyRemoved(ctx context.Context, c *Call, which string) (Answer, error) {
	a, err := c.owned()
	if err != nil {
		return Answer{}, err
	}
	var found []string
	if n, err := strconv.Atoi(which); err == nil && n >= 1 && n <= len(a.Keys) {
		found = a.Keys[n-1 : n]
	} else {
		for _, k := range a.Keys {
			if strings.HasPrefix(k, which) || strings.HasPrefix(strings.TrimPrefix(k, "SHA256:"), which) {
				found = append(found, k)
			}
		}
	}
	switch {
	case len(found) == 0:
		return Answer{}, fail(i18n.KeyUnknown, shorten(which))
	case len(found) > 1:
		return Answer{}, fail(i18n.KeyAmbiguous, shorten(which))
	}
	void, err := c.House.Act(ctx, c.Me.Person(), room.KeyRemoved{Key: found[0]})
	if err := refused(void, err); err != nil {
		return Answer{}, err
	}
	if !c.Bare {
		return Answer{}, nil
	}
	return c.say(i18n.KeyRemoved, found[0]), nil
}

// refused makes an error of what became of a record.
func refused(void room.Void, err error) error {
	if err == nil && void != "" {
		err = fail(i18n.Void(string(void)))
	}
	return err
}
