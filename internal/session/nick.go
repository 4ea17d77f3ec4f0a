package session

import (
	"context"
	"errors"
	"strings"

	"sarangbang/internal/command"
	"sarangbang/internal/i18n"
	"sarangbang/internal/identity"
	"sarangbang/room"
)

// errNoNick ends a session that cannot ask for another nickname; the person has been told why.
var errNoNick = errors.New("nickname could not be had")

// notIn ends a session whose entry could not be committed.
var notIn = &Cause{Ending: room.EndingLost, Say: i18n.EndNotIn}

// enter finds out what the person is to be called, and brings them in.
func (x *session) enter(ctx context.Context) (*room.Member, error) {
	if me, err := x.enterOwner(ctx, false); me != nil || err != nil {
		return me, err
	}
	if x.manner.SilentNick {
		return x.enterAs(ctx, x.visitor.User, false)
	}
	cause := &Cause{Ending: room.EndingIdle, Say: i18n.EndNickTimeout}
	asking, done := context.WithTimeoutCause(ctx, x.opt.Limits.NickTimeout, cause)
	defer done()
	q := x.proposal()
	for {
		typed, err := x.screen.Ask(asking, q)
		if err != nil {
			return nil, err
		}
		if typed == "" && q.Offer != "" {
			typed = q.Offer
		}
		me, refusal, err := x.claim(ctx, typed, false)
		if refusal == nil {
			return me, err
		}
		q.Refused = refusal
	}
}

// enterOwner brings in somebody whose key opens an account, under its nickname, whatever name they logged in with. Nil for anybody
// else.
func (x *session) enterOwner(ctx context.Context, visit bool) (*room.Member, error) {
	a, has := x.opt.House.AccountOf(x.visitor.Key)
	if !has {
		return nil, nil
	}
	me, err := x.come(ctx, room.Claim{Key: x.visitor.Key, Nick: a.Nick, Names: a.Names}, visit)
	if errors.Is(err, room.ErrHeld) { // the account ended, or the key was taken from it, just now
		return nil, nil
	}
	return me, err
}

// proposal makes the first question of the name that the client logged in with.
func (x *session) proposal() Question {
	user := x.visitor.User
	if user == "" {
		return Question{}
	}
	_, refusal := x.parse(user)
	if refusal != nil {
		refusal.Why = room.Sentence(x.settings.Lang.Text(i18n.NickOfLogin, refusal.Why))
		return Question{Refused: refusal}
	}
	return Question{Offer: user}
}

// wearer is the visitor, who wants a nickname. They are who proved the same key.
func (x *session) wearer() command.Wearer {
	mine := func(p room.Person) bool { return p.Key != "" && p.Key == x.visitor.Key }
	return command.Wearer{House: x.opt.House, Key: x.visitor.Key, Is: mine, Zone: x.zone}
}

// claim tries to come in under the name. A refusal is something to choose another for; an error is not.
func (x *session) claim(ctx context.Context, typed string, visit bool) (*room.Member, *NickRefusal, error) {
	name, refusal := x.parse(typed)
	if refusal != nil {
		return nil, refusal, nil
	}
	nick, err := room.NewNick(name.String())
	if err != nil {
		return nil, nil, err
	}
	me, err := x.come(ctx, room.Claim{Key: x.visitor.Key, Nick: nick, Names: name.Keys()}, visit)
	if errors.Is(err, room.ErrHeld) {
		return nil, x.refuseNick(&command.Failure{Say: i18n.NickTaken, Args: []any{typed}}), nil
	}
	return me, nil, err
}

// parse holds a name against the rules for names, and against the names of others.
func (x *session) parse(typed string) (identity.Nickname, *NickRefusal) {
	if strings.TrimSpace(typed) == "" {
		return identity.Nickname{}, x.refuseNick(&command.Failure{Say: i18n.NickBlank})
	}
	name, err := x.opt.Names.Parse(typed)
	if refusal, ok := errors.AsType[*identity.Refusal](err); ok {
		return name, x.refuseNick(x.wearer().Broken(typed, refusal, x.opt.Names))
	}
	if why := x.wearer().Refused(name); why != nil {
		return name, x.refuseNick(why)
	}
	return name, nil
}

// refuseNick puts a refusal into words and counts it.
func (x *session) refuseNick(why *command.Failure) *NickRefusal {
	x.count(func(c *Stats) { c.Refused[string(why.Say)]++ })
	return &NickRefusal{
		Taken: command.TakenSay(why.Say), Blank: why.Say == i18n.NickBlank,
		Why: room.Sentence(why.Sentence(x.settings.Lang)),
	}
}

// enterAs comes in under a name without asking, or says why that cannot be.
func (x *session) enterAs(ctx context.Context, user string, visit bool) (*room.Member, error) {
	me, refusal, err := x.claim(ctx, user, visit)
	if refusal == nil {
		return me, err
	}
	_ = x.screen.Refuse(room.Sentence(x.settings.Lang.Text(i18n.NickForPipe, refusal.Why)))
	return nil, errNoNick
}
