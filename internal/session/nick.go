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
	if x.manner.SilentNick {
		return x.enterAs(ctx, x.visitor.User)
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

// proposal makes the first question of the name that the client logged in with.
func (x *session) proposal() Question {
	user := x.visitor.User
	if user == "" {
		return Question{}
	}
	name, refusal := x.parse(user)
	if refusal == nil && !x.free(name) {
		refusal = x.taken(user)
	}
	if refusal != nil {
		refusal.Why = room.Sentence(x.settings.Lang.Text(i18n.NickOfLogin, refusal.Why))
		return Question{Refused: refusal}
	}
	return Question{Offer: user}
}

// free says whether the visitor could have the name at this moment.
func (x *session) free(name identity.Nickname) bool {
	return command.Free(name, x.opt.House, x.mine)
}

// mine says whether somebody who is in the house is the visitor: they proved the same key.
func (x *session) mine(p room.Person) bool { return p.Key != "" && p.Key == x.visitor.Key }

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
	me, err := x.opt.House.Enter(ctx, room.Claim{Key: x.visitor.Key, Nick: nick, Names: name.Keys()}, visit)
	switch {
	case errors.Is(err, room.ErrHeld):
		return nil, x.taken(typed), nil
	case room.Unsaved(err):
		err = notIn
	}
	return me, nil, err
}

// parse holds a name against the rules for names.
func (x *session) parse(typed string) (identity.Nickname, *NickRefusal) {
	if strings.TrimSpace(typed) == "" {
		return identity.Nickname{}, x.refuseNick(NickRefusal{Blank: true}, &command.Failure{Say: i18n.NickBlank})
	}
	name, err := x.opt.Names.Parse(typed)
	if refusal, ok := errors.AsType[*identity.Refusal](err); ok {
		why := command.NickFailure(typed, refusal, x.opt.Names, x.opt.House, x.mine)
		return name, x.refuseNick(NickRefusal{Taken: why.Say == i18n.NickTaken}, why)
	}
	return name, nil
}

func (x *session) taken(typed string) *NickRefusal {
	return x.refuseNick(NickRefusal{Taken: true}, &command.Failure{Say: i18n.NickTaken, Args: []any{typed}})
}

// refuseNick puts a refusal into words and counts it.
func (x *session) refuseNick(r NickRefusal, why *command.Failure) *NickRefusal {
	x.count(func(c *Stats) { c.Refused[string(why.Say)]++ })
	r.Why = room.Sentence(why.Sentence(x.settings.Lang))
	return &r
}

// enterAs comes in under a name without asking, or says why that cannot be.
func (x *session) enterAs(ctx context.Context, user string) (*room.Member, error) {
	me, refusal, err := x.claim(ctx, user, false)
	if refusal == nil {
		return me, err
	}
	_ = x.screen.Refuse(room.Sentence(x.settings.Lang.Text(i18n.NickForPipe, refusal.Why)))
	return nil, errNoNick
}
