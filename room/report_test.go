package room_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sarangbang/room"
)

// The log says who did what to whom and where, and nothing that somebody wrote.
func TestOperatorIsToldWhatIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openHouse(t, room.Options{})
		defer s.close()
		const secret = "something written"
		if err := s.Appoint(t.Context(), []string{"SHA256:op"}); err != nil {
			t.Fatal(err)
		}
		op := s.enter(keyed("op"))
		lee := s.enter(guest("lee"))
		do := func(where room.Subject, b room.Body) {
			t.Helper()
			if r, err := s.Do(context.Background(), op.Person(), where, b); err != nil || r.Void != "" {
				t.Fatalf("Do of %T = %+v, %v; want it to take effect", b, r, err)
			}
		}
		do(room.Lobby, room.Arranged{What: room.AspectTopic, Value: secret})
		do(room.Lobby, room.Kicked{Whom: lee.Person(), Reason: text(secret)})
		bar := room.Bar{Target: room.Target{Names: []string{"case/park"}}, Label: "park", Reason: text(secret), Until: time.Now().Add(time.Hour)}
		do(room.HouseSubject, room.Barred{Bar: bar})
		do(room.HouseSubject, room.Announced{Text: text(secret)})
		do(room.Lobby, room.Withdrawn{Lines: []room.ID{{1}, {2}}})
		s.say(op, secret)
		synctest.Wait()
		var got []string
		for line := range strings.Lines(s.log.String()) {
			if _, act, ok := strings.Cut(line, "msg=act "); ok {
				got = append(got, strings.TrimSpace(act))
			}
		}
		want := []string{
			`by="" where=house did=appointed keys=1`,
			`by=op where=room/lobby did=arranged what=topic on=true`,
			`by=op where=room/lobby did=kicked whom=lee`,
			`by=op where=house did=banned whom=park until=2000-01-01T01:00:00Z hit=0`,
			`by=op where=house did=announced`,
			`by=op where=room/lobby did=withdrawn lines=2`,
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("the log says\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if strings.Contains(s.log.String(), secret) {
			t.Errorf("the log holds what somebody wrote:\n%s", s.log)
		}
		if got := s.Stats(); got.Rooms != 1 || got.Bars != 1 {
			t.Errorf("%d rooms and %d bars, want 1 and 1", got.Rooms, got.Bars)
		}
		time.Sleep(2 * time.Hour)
		if got := s.Stats(); got.Bars != 0 {
			t.Errorf("%d bars when it has ended, want 0", got.Bars)
		}
	})
}
