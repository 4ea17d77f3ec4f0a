package command_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"sarangbang/internal/command"
	"sarangbang/room"
)

// Every kind of act has its own noun for programs, and says whom it was about, what it made and which act or line it is about.
func TestAuditLinesSayWhatWasDone(t *testing.T) {
	kim, lee := room.Person{ID: "key:kim", Nick: "kim"}, room.Person{ID: "key:lee", Nick: "lee"}
	one, two := room.NewID(), room.NewID()
	at := time.Date(2026, 11, 23, 14, 5, 0, 0, time.FixedZone("KST", 9*60*60))
	why, until := room.Sentence("spam"), at.Add(time.Hour)
	mute := &room.Event{ID: two, At: at, From: kim, Subject: dev, Body: room.Barred{Bar: room.Bar{Mute: true, Label: "lee"}}}
	tests := []struct {
		body room.Body
		of   *room.Event
		want string // behind who did it
	}{
		{room.Opened{Name: "dev"}, nil, `"kind":"opened"`},
		{room.Closed{}, nil, `"kind":"closed"`},
		{room.Appointed{Keys: []string{"SHA256:a", "SHA256:b"}}, nil, `"kind":"appointed","whom":"SHA256:a SHA256:b"`},
		{room.Arranged{What: room.AspectSlow, Value: "10s"}, nil, `"kind":"arranged","what":"slow","value":"10s"`},
		{room.Arranged{What: room.AspectPassword, Value: "pbkdf2-sha256$1$a$b"}, nil, `"kind":"arranged","what":"password","value":"on"`},
		{room.Arranged{What: room.AspectPassword}, nil, `"kind":"arranged","what":"password"`},
		{room.Invited{Whom: lee}, nil, `"kind":"invited","whom":"lee"`},
		{room.Invited{Whom: lee, Out: true}, nil, `"kind":"invited","whom":"lee","off":true`},
		{room.Ranked{Whom: lee, Role: room.RoleModerator}, nil, `"kind":"ranked","whom":"lee","what":"moderator"`},
		{room.Kicked{Whom: lee, Reason: why}, nil, `"kind":"kicked","whom":"lee","reason":"spam"`},
		{room.Barred{Bar: room.Bar{Label: "lee", Reason: why, Until: until}}, nil, `"kind":"banned","whom":"lee","reason":"spam","until":"2026-11-23T06:05:00Z"`},
		{room.Barred{Bar: room.Bar{Mute: true, Label: "lee"}}, nil, `"kind":"muted","whom":"lee"`},
		{room.Lifted{Bars: []room.ID{one, two}, Label: "lee"}, nil, `"kind":"lifted","whom":"lee","of":["` + one.String() + `","` + two.String() + `"]`},
		{room.Undone{Act: two, Kind: "muted"}, nil, `"kind":"undone","what":"muted","of":["` + two.String() + `"]`},
		{
			room.Undone{Act: two, Kind: "muted"}, mute, `"kind":"undone","whom":"lee","what":"muted","of":["` + two.String() + `"],"act":{"id":"` + two.String() +
				`","seq":0,"at":"2026-11-23T05:05:00Z","room":"#dev","by":"kim","kind":"muted","whom":"lee","undone":true}`,
		},
		{room.Withdrawn{Lines: []room.ID{one, two}}, nil, `"kind":"withdrawn","of":["` + one.String() + `","` + two.String() + `"]`},
		{room.Announced{Text: why}, nil, `"kind":"announced","value":"spam"`},
	}
	for _, tt := range tests {
		e := &room.Event{ID: one, Seq: 7, At: at, From: kim, Subject: dev, Body: tt.body}
		if tt.of != nil {
			e.Subject = room.HouseSubject // of what it takes back the line has the room
		}
		got, err := json.Marshal(command.NewAuditLine(e, tt.of, false))
		if err != nil {
			t.Fatal(err)
		}
		want := `{"id":"` + one.String() + `","seq":7,"at":"2026-11-23T05:05:00Z","room":"#dev","by":"kim",` + tt.want + `}`
		if string(got) != want {
			t.Errorf("the line of %T is\n%s\nwant\n%s", tt.body, got, want)
		}
	}
}

// An operator reads of all that was done, or of one room; each act is one row, in the reader's zone, the newest last.
func TestAuditOfAllAndOfOneRoom(t *testing.T) {
	p := newPeace(t)
	p.op.env.Zone = time.FixedZone("far", 14*60*60)
	p.op.gets("/announce back at ten\nor later", "")
	p.mod.getsPart("/slow 10s", "Done in #dev.")
	all := p.op.getsPart("/audit", "The configuration names", "#dev · mona made the room slow", "back at ten / ", "or later")
	of := p.op.getsPart("/audit #dev", "#dev · mona made the room slow")
	if strings.Contains(of, "configuration") || strings.Contains(of, "back at ten") {
		t.Errorf("/audit #dev is\n%s\nwant nothing of the house in it", of)
	}
	rows := strings.Split(strings.TrimSpace(all), "\n")
	last := p.op.getsPart("/audit 1", "mona made the room slow")
	if got, want := rows[len(rows)-1], strings.TrimSpace(last); got != want {
		t.Errorf("the last row is %q, want the newest act, %q", got, want)
	}
	stamp := strings.TrimPrefix(last, "* ")[:len("2006-01-02 15:04")]
	at, err := time.ParseInLocation("2006-01-02 15:04", stamp, p.op.env.Zone)
	if ago := time.Since(at); err != nil || ago < -time.Minute || ago > 10*time.Minute {
		t.Errorf("the act was at %q, %v; want a moment ago where the reader is", stamp, err)
	}
}
