package main

import (
	"encoding/json"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"sarangbang/internal/datadir"
	"sarangbang/internal/sqlitestore"
	"sarangbang/room"
)

// The whole of what was done to keep order can be printed beside a running house, with what was taken back.
func TestAuditBesideARunningHouse(t *testing.T) {
	o := furnished(t)
	store, err := sqlitestore.Open(datadir.Database(o.data), sqlitestore.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatalf("Open = %v, want no error", err)
	}
	defer func() { _ = store.Close() }() // it is only read
	kim := room.Person{ID: room.PersonID("key:" + firstKey), Nick: "Kim", Key: firstKey}
	dev := room.SubjectOf("dev")
	post := func(from room.Person, where room.Subject, b room.Body) room.ID {
		t.Helper()
		r := room.Encode(from, where, b)
		if _, err := store.Append(t.Context(), r); err != nil {
			t.Fatalf("Append of %T = %v, want no error", b, err)
		}
		return r.ID
	}
	post(room.Person{}, "", room.Appointed{Keys: []string{firstKey}})
	post(kim, room.Lobby, room.Joined{Screen: "again", Names: []string{"kim"}})
	post(kim, dev, room.Opened{Name: "dev", Names: []string{"dev"}})
	post(kim, dev, room.Arranged{What: room.AspectPassword, Value: "pbkdf2-sha256$1$a$b"})
	slow := post(kim, dev, room.Arranged{What: room.AspectSlow, Value: "10s"})
	post(kim, "", room.Undone{Act: slow, Kind: "arranged"})
	net := netip.MustParsePrefix("192.0.2.0/24")
	until := time.Date(2099, 1, 2, 3, 4, 0, 0, time.UTC)
	post(kim, room.HouseSubject, room.Barred{Bar: room.Bar{
		Target: room.Target{Nets: []netip.Prefix{net}}, Label: net.String(), Reason: room.Sentence("a nuisance"), Until: until,
	}})
	post(kim, room.Lobby, room.Barred{Bar: room.Bar{Target: room.Target{Keys: []string{firstKey}}, Label: "Kim"}}) // void

	rows := strings.Split(strings.TrimSpace(o.does("audit")), "\n")
	want := []string{
		"The configuration names 1 key of operators. [" + firstKey + "]", "#dev · Kim opened the room.", "#dev · Kim changed the password of the room.",
		"once in 10 seconds. (taken back)", "Kim took this back: #dev · Kim made the room slow: each person may speak once in 10 seconds. (", "[192.0.2.0/24]",
	}
	if len(rows) != len(want) {
		t.Fatalf("audit prints %d rows, want %d:\n%s", len(rows), len(want), strings.Join(rows, "\n"))
	}
	for i, row := range rows {
		if !strings.Contains(row, want[i]) || strings.Contains(row, "pbkdf2") {
			t.Errorf("row %d is %q, want %q in it, and no hash", i, row, want[i])
		}
	}
	var last map[string]any
	lines := strings.Split(strings.TrimSpace(o.does("audit", "--format=ndjson")), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil {
		t.Fatal(err)
	}
	for field, want := range map[string]any{
		"kind": "banned", "by": "Kim", "whom": "192.0.2.0/24", "reason": "a nuisance", "until": "2099-01-02T03:04:00Z", "room": nil, "undone": nil,
	} {
		if last[field] != want {
			t.Errorf("%s of the ban is %v, want %v", field, last[field], want)
		}
	}
	if !strings.Contains(lines[3], `"what":"slow","value":"10s","undone":true`) || strings.Contains(strings.Join(lines, ""), "pbkdf2") {
		t.Errorf("ndjson is\n%s\nwant the slow room taken back, and no hash", strings.Join(lines, "\n"))
	}
	if want := `"kind":"undone","what":"arranged","of":["` + slow.String() + `"],"act":{"id":"` + slow.String() + `",`; !strings.Contains(lines[4], want) {
		t.Errorf("ndjson of what took it back is\n%s\nwant %s", lines[4], want)
	}
	if want := `"room":"#dev","by":"Kim","kind":"arranged","what":"slow","value":"10s","undone":true}}`; !strings.HasSuffix(lines[4], want) {
		t.Errorf("ndjson of what took it back is\n%s\nwant it to end in %s", lines[4], want)
	}
	if got := strings.Count(o.does("audit", "--room", "#dev"), "\n"); got != 4 { // what was taken back of it, too
		t.Errorf("audit of #dev prints %d rows, want 4", got)
	}
	if got := o.does("audit", "--since", "2199-01-01"); got != "" {
		t.Errorf("audit of what was not yet is %q, want nothing", got)
	}
	if got := o.does("audit", "--room", "#lobby"); got != "" { // where everybody has been
		t.Errorf("audit of the lobby is %q, want nothing", got)
	}
	for _, tt := range []struct{ args, want string }{
		{"audit --room #nosuch", "nothing was ever said or done in #nosuch"},
		{"audit x", `"x" is too much; what works: sarangbang audit [--format text|ndjson]`},
		{"audit --format xml", `"xml" is no format, text and ndjson are`},
		{"audit --since whenever", `"whenever" is no time such as`},
		{"audit --room a/b", `"a/b" is no room such as '#lobby'`},
	} {
		o.refuses(strings.Fields(tt.args), tt.want)
	}
}

// doctor counts the rooms, whom they and the house keep out and silent now, and what was done.
func TestDoctorCountsWhatWasDone(t *testing.T) {
	o := furnished(t)
	store, err := sqlitestore.Open(datadir.Database(o.data), sqlitestore.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatalf("Open = %v, want no error", err)
	}
	defer func() { _ = store.Close() }() // it is only read
	kim, dev := room.Person{ID: room.PersonID("key:" + firstKey), Nick: "Kim", Key: firstKey}, room.SubjectOf("dev")
	keep := func(mute bool, nick string, until time.Time) room.Barred {
		return room.Barred{Bar: room.Bar{Mute: mute, Target: room.Target{Names: []string{"case:" + nick}}, Label: nick, Until: until}}
	}
	var last room.ID
	for _, b := range []room.Body{
		room.Opened{Name: "dev", Names: []string{"dev"}},
		room.Joined{Screen: "there", Names: []string{"kim"}},
		room.Arranged{What: room.AspectPrivate, Value: "on"},
		keep(false, "pest", time.Time{}),
		keep(false, "gone", time.Now().Add(-time.Minute)), // it has ended
		keep(true, "loud", time.Now().Add(time.Hour)),
		keep(true, "louder", time.Time{}),
		keep(true, "loudest", time.Time{}),
	} {
		r := room.Encode(kim, dev, b)
		if _, err := store.Append(t.Context(), r); err != nil {
			t.Fatalf("Append of %T = %v, want no error", b, err)
		}
		last = r.ID
	}
	if _, err := store.Append(t.Context(), room.Encode(kim, room.HouseSubject, room.Undone{Act: last, Kind: "muted"})); err != nil {
		t.Fatal(err)
	}
	const want = "\nrooms      2, 1 of them private\nbans       1, and 2 mutes\nacts       8, 1 of them taken back\n"
	if out := o.does("doctor"); !strings.Contains(out, want) {
		t.Errorf("doctor says %q, want %q in it", out, want)
	}
}
