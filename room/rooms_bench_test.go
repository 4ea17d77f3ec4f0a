package room_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"

	"sarangbang/room"
)

// crowd fills a room with people.
func (s *stage) crowd(where room.Subject, n int) []*room.Member {
	s.t.Helper()
	people := make([]*room.Member, n)
	for i := range people {
		nick := room.Nick(fmt.Sprintf("%s-%d", where, i))
		by := room.Entry{Where: where}
		if _, there := s.Room(where); !there {
			by.Open = &room.Opened{Name: nick, Names: []string{"case:" + string(where)}}
		}
		m, err := s.Enter(context.Background(), guest(nick), by)
		if err != nil {
			s.t.Fatalf("Enter of %s = %v, want no error", nick, err)
		}
		people[i] = m
	}
	for _, m := range people {
		read(m)
	}
	return people
}

// deliver says one line in a room and lets everybody there read it.
func (s *stage) deliver(people []*room.Member, where room.Subject, buf []*room.Event) {
	s.sayIn(people[0], where, "a line of some words, as people say them")
	for _, m := range people {
		if n, _ := m.Reader().Read(buf); n != 1 {
			s.t.Fatalf("%s reads %d events, want the line", m.Person().Nick, n)
		}
	}
}

// BenchmarkRooms measures what a line costs for each of whom it reaches: in one room of ten people and in each of a thousand of them, and
// in a room of a thousand people with and without a busy neighbour.
func BenchmarkRooms(b *testing.B) {
	perDelivery := func(b *testing.B, deliveries int) {
		b.Helper()
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(deliveries), "ns/delivery")
	}
	buf := make([]*room.Event, 64)
	for _, tt := range []struct {
		name         string
		there, rooms int // of which people speak
	}{{"1×10", 1, 1}, {"1×10 beside 999 silent rooms of 10", 1000, 1}, {"1000×10", 1000, 1000}} {
		b.Run(tt.name, func(b *testing.B) {
			s, rooms := openHouse(b, room.Options{}), tt.rooms
			all := make([][]*room.Member, tt.there)
			for i := range all {
				all[i] = s.crowd(room.Subject(fmt.Sprint("room/", i)), 10)
			}
			n := 0
			for b.Loop() {
				s.deliver(all[n%rooms], room.Subject(fmt.Sprint("room/", n%rooms)), buf)
				n++
			}
			perDelivery(b, 10*n)
		})
	}
	for _, busy := range []int{0, 1} {
		b.Run([]string{"1×1000 alone", "1×1000 beside a busy room of 10"}[busy], func(b *testing.B) {
			s := openHouse(b, room.Options{})
			large, small := s.crowd("room/large", 1000), s.crowd("room/small", 10)
			n := 0
			for b.Loop() {
				s.deliver(large, "room/large", buf)
				for range busy * 10 { // ten lines there for each one here
					s.deliver(small, "room/small", buf)
				}
				n++
			}
			perDelivery(b, n*(1000+busy*100))
		})
	}
}

// Who is in many rooms is one screen with one reader: the house starts nothing for each.
func TestTwentyRoomsCostOneScreen(t *testing.T) {
	s := openHouse(t, room.Options{})
	m := s.enter(keyed("ann"))
	before := runtime.NumGoroutine()
	for i := range 20 {
		s.joins(m, room.Subject(fmt.Sprint("room/", i)))
	}
	if now := runtime.NumGoroutine(); now > before {
		t.Errorf("%d goroutines in twenty rooms, want the %d of one", now, before)
	}
	if n := len(m.Rooms()); n != 21 {
		t.Errorf("the screen is in %d rooms, want 21", n)
	}
}
