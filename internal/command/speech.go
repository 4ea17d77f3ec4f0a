package command

import (
	"strings"

	"sarangbang/internal/i18n"
	"sarangbang/room"
)

// say says its rest as it stands, slashes too.
func say(c *Call) (room.Body, error) {
	t, err := c.text("say", c.Rest)
	return room.Said{Text: t}, err
}

// emote tells what the person does.
func emote(c *Call) (room.Body, error) {
	t, err := c.text("me", c.Rest)
	return room.Emoted{Text: t}, err
}

// tell makes a direct message to somebody who is here, or who reads it on their return: the owner of the nickname.
func tell(c *Call) (room.Body, error) {
	find := func(nick string) (room.Person, bool) {
		n, ok := c.nickname(nick)
		if !ok {
			return room.Person{}, false
		}
		if here, ok := c.House.Holder(n.Keys()[0]); ok {
			return here, true
		}
		owner, owned := c.House.Owner(n.Keys()[0])
		if !owned {
			return room.Person{}, false
		}
		return owner.Person(), true
	}
	nick, text := cutNick(c.Rest, func(nick string) bool { _, ok := find(nick); return ok })
	t, err := c.text("msg", text)
	if err != nil {
		return nil, err
	}
	to, ok := find(nick)
	if !ok {
		return nil, fail(i18n.NobodyCalled, shorten(nick))
	}
	return c.to(to, t)
}

// reply answers whoever last exchanged a direct message with the person.
func reply(c *Call) (room.Body, error) {
	switch {
	case c.Peer.ID == "":
		return nil, fail(i18n.NobodyToReply)
	case c.Turned:
		return nil, &Failure{Say: i18n.ReplyTurned, Args: []any{c.Peer.Nick}, Keep: true}
	}
	t, err := c.text("reply", c.Rest)
	if err != nil {
		return nil, err
	}
	return c.to(c.Peer, t)
}

func (c *Call) to(whom room.Person, t room.Text) (room.Body, error) {
	me := c.Me.Person().ID
	switch {
	case whom.ID == me:
		return nil, fail(i18n.ToYourself)
	case !c.Rates.DirectMessage(me, whom.ID, c.Exempt):
		return nil, fail(i18n.TooManyPeople)
	}
	return room.Told{To: whom, Text: t}, nil
}

// text makes a Text of what a command is to say.
func (c *Call) text(of, s string) (room.Text, error) {
	t, err := room.Clean(strings.TrimRight(s, "\n"), c.Limits)
	if err != nil {
		return t, err
	}
	if t.Empty() {
		row, _ := Find(of)
		return t, c.usage(row)
	}
	return t, nil
}
