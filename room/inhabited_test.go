package room_test

import (
	"net/netip"
	"testing"

	"sarangbang/room"
)

func TestAnAddressIsInhabitedWhileSomebodyIsHereByIt(t *testing.T) {
	s := openHouse(t, room.Options{})
	claim := guest("ann")
	claim.Addr = "192.0.2.7"
	ann, err := s.Enter(t.Context(), claim, room.Entry{Where: room.Lobby})
	if err != nil {
		t.Fatal(err)
	}
	here, mapped, next := netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("::ffff:192.0.2.7"), netip.MustParseAddr("192.0.2.8")
	if !s.Inhabited(here) || !s.Inhabited(mapped) || s.Inhabited(next) {
		t.Errorf("inhabited: %v, %v and %v, want the first two", s.Inhabited(here), s.Inhabited(mapped), s.Inhabited(next))
	}
	ann.Leave(room.EndingLeft)
	if s.Inhabited(here) {
		t.Error("inhabited by somebody who has left")
	}
}
