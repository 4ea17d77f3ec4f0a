package session

import (
	"sarangbang/internal/i18n"
	"sarangbang/room"
)

// welcome says where the person is, how to get help and how to leave, offers an account to whoever can have one and is new, and
// passes on what the operator has to say today. Who is here on another screen already has read that.
func (x *session) welcome(returned bool) []*room.Event {
	me := x.me.Person()
	if !x.me.Announced() && !returned {
		return []*room.Event{x.note(i18n.WelcomeAgain, me.Nick), x.note(i18n.WelcomeHelp)}
	}
	_, owner := x.me.Account()
	hello := i18n.Welcome
	if owner {
		hello = i18n.WelcomeBack
	}
	lines := []*room.Event{x.note(hello, me.Nick, x.place()), x.note(i18n.WelcomeHelp)}
	if !owner && x.visitor.Key != "" && !x.seen {
		lines = append(lines, x.note(i18n.OfferRegister, me.Nick))
	}
	if words := x.opt.Words(); words != nil {
		if today := words.Motd(x.settings.Lang); !today.Empty() {
			lines = append(lines, room.Note(today))
		}
	}
	return lines
}

// place is how the room that the person is in is called.
func (x *session) place() string {
	if x.here == room.Lobby {
		return x.settings.Lang.Text(i18n.TheLobby)
	}
	return x.roomName(x.here)
}
