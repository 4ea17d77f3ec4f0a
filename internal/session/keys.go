package session

import (
	"context"
	"maps"
	"slices"

	"sarangbang/internal/command"
	"sarangbang/internal/i18n"
	"sarangbang/room"
)

// This file tells the owner of an account which keys open it: whoever got one in by a trick must not go unnoticed.

// ofKeys puts into words what happened to the keys of the person's account, on whichever screen that was done; nil for anything else.
func (x *session) ofKeys(e *room.Event) *room.Event {
	switch b := e.Body.(type) {
	case room.KeyAdded:
		return x.keyAdded(i18n.KeyIsNew, b.Key)
	case room.KeyRemoved:
		return x.note(i18n.KeyRemoved, b.Key)
	default:
		return nil
	}
}

// findKeys notes of which keys the person is to read that they were added while they were away. A pipe may have no reader.
func (x *session) findKeys() {
	if !x.manner.Welcome {
		return
	}
	a, _ := x.me.Account()
	for _, name := range slices.Sorted(maps.Keys(a.Settings)) {
		if key, ok := command.NewKey(name); ok && key != x.me.Key() { // whoever comes with it knows it, and may be the one who is to be noticed
			if told := x.keyAdded(i18n.ReturnKey, key); told != nil {
				x.putOut = append(x.putOut, told)
			}
		}
	}
}

// keyAdded tells of a key that was added and how to take it away; nil if it was taken away by now. Who was told of it on a terminal is
// not told again, unless they came with a key that somebody is to be told of themselves: it may be the same thief's.
func (x *session) keyAdded(say i18n.Key, key string) *room.Event {
	a, _ := x.me.Account()
	if _, unread := a.Settings[command.KeyNews(x.me.Key())]; x.manner.Welcome && !unread {
		told := room.Configured{Name: command.KeyNews(key)}
		x.out.add(job{call: &command.Call{}, free: true, run: func(ctx context.Context) (command.Answer, error) {
			if _, err := x.opt.House.Act(ctx, x.me.Person(), told); err != nil {
				x.log().Warn("that somebody was told of a key was not saved", "err", err)
			}
			return command.Answer{}, nil
		}})
	}
	n := slices.Index(a.Keys, key)
	if n < 0 {
		return nil
	}
	return x.note(say, key, n+1)
}
