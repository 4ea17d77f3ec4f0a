package room_test

import (
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"sarangbang/room"
)

var (
	kim = room.Person{ID: "key:SHA256:kim/kim", Nick: "kim", Key: "SHA256:kim"}
	lee = room.Person{ID: "conn:lee", Nick: "이 <리>"}
)

// everyBody holds one of each kind that is journaled.
func everyBody() []room.Body {
	return []room.Body{
		room.Said{Text: room.Sentence("안녕 <b> & \"\\\n둘째 줄")},
		room.Emoted{Text: room.Sentence("waves")},
		room.Told{To: lee, Text: room.Sentence("psst")},
		room.Joined{Screen: "screen-1", Names: []string{"case:kim", "skel:kirn"}},
		room.Joined{Screen: "screen-2", Visit: true},
		room.Parted{Screen: "screen-1", Why: room.EndingIdle},
		room.Renamed{To: "kim2", Names: []string{"case:kim2", "skel:kirn2"}},
		room.Registered{Names: []string{"case:kim", "skel:kirn"}},
		room.KeyAdded{Key: "SHA256:other"},
		room.KeyRemoved{Key: "SHA256:other"},
		room.Configured{Name: "lang", Value: "ko"},
		room.Erased{Until: time.Unix(1_800_086_400, 0).UTC()},
		room.Joined{Screen: "screen-3", Names: []string{"case:kim"}, Addr: "2001:db8::1", Pass: "$hash$"},
		room.Opened{Name: "개발", Names: []string{"case:개발", "skel:개발"}},
		room.Closed{},
		room.Arranged{What: room.AspectTopic, Value: "주제 <of> the day"},
		room.Arranged{What: room.AspectPrivate},
		room.Invited{Whom: lee},
		room.Invited{Whom: kim, Out: true, Pass: "$hash$"},
		room.Ranked{Whom: lee, Role: room.RoleModerator},
		room.Ranked{Whom: kim},
		room.Appointed{Keys: []string{"SHA256:a", "SHA256:b"}},
		room.Kicked{Whom: lee, Reason: room.Sentence("그만 & out")},
		room.Barred{Bar: room.Bar{
			Mute: true, Target: everyTarget, Label: "lee", Reason: room.Sentence("loud"), Until: time.Unix(1_800_086_400, 0).UTC(),
		}},
		room.Barred{Bar: room.Bar{Target: room.Target{Persons: []room.PersonID{lee.ID}}, Label: "192.0.2.0/24"}},
		room.Lifted{Bars: []room.ID{{1, 2}}, Mute: true, Label: "lee"},
		room.Lifted{Bars: []room.ID{{1, 2}, {3, 4}, {5, 6}}, Label: "lee"},
		room.Undone{Act: room.ID{3, 4}, Kind: "banned"},
		room.Withdrawn{Lines: []room.ID{{5}, {6}}},
		room.Announced{Text: room.Sentence("tea at five")},
		room.Absent{Away: true, Text: room.Sentence("lunch")},
		room.Absent{},
	}
}

var everyTarget = room.Target{
	Persons: []room.PersonID{lee.ID, "key:SHA256:kim/kim"}, Keys: []string{"SHA256:kim"}, Names: []string{"case:kim"},
	Nets: []netip.Prefix{netip.MustParsePrefix("2001:db8::/64"), netip.MustParsePrefix("192.0.2.7/32")},
}

// byTheHouse holds what the house itself does.
func byTheHouse() []room.Body {
	return []room.Body{room.Closed{}, room.Appointed{}, room.Appointed{Keys: []string{"SHA256:a"}}}
}

func TestEveryBodySurvivesItsRecord(t *testing.T) {
	survives := func(from room.Person, body room.Body) {
		t.Helper()
		rec := room.Encode(from, room.Lobby, body)
		rec.At = time.Unix(1_800_000_000, 0)
		got, err := room.Decode(room.Committed{Seq: 7, Record: rec})
		if err != nil {
			t.Errorf("Decode of %T = %v, want no error", body, err)
			return
		}
		switch body.(type) {
		case room.Closed, room.Appointed: // whoever else it says
			from = room.Person{}
		default:
		}
		want := room.Event{Seq: 7, ID: rec.ID, Subject: rec.Subject, At: rec.At, From: from, Body: body}
		if !reflect.DeepEqual(*got, want) {
			t.Errorf("Decode of %T = %+v, want %+v", body, *got, want)
		}
	}
	for _, body := range everyBody() {
		survives(kim, body)
	}
	for _, body := range byTheHouse() {
		survives(room.Person{}, body)
	}
}

// A body that is added and not listed above would be tested by nothing.
// A record that lifts one bar is as it was when there was no other.
func TestOneLiftedBarIsWrittenAsOfOld(t *testing.T) {
	id := room.ID{1, 2}
	data := `{"from":{"id":"key:kim","nick":"kim"},"name":"` + id.String() + `","value":"lee","off":true}`
	want := room.Lifted{Bars: []room.ID{id}, Mute: true, Label: "lee"}
	e, err := room.Decode(room.Committed{Record: room.Record{ID: room.ID{9}, Subject: room.Lobby, Kind: "lifted", Data: []byte(data)}})
	if err != nil || !reflect.DeepEqual(e.Body, want) {
		t.Errorf("%s is read as %+v, %v; want %+v", data, e.Body, err, want)
	}
	if got := string(room.Encode(e.From, room.Lobby, want).Data); got != data {
		t.Errorf("it is written as %s, want %s", got, data)
	}
}

func TestEveryBodyHoldsEveryKind(t *testing.T) {
	held := map[string]bool{}
	for _, body := range everyBody() {
		held[room.Encode(kim, room.Lobby, body).Kind] = true
	}
	for _, kind := range room.Kinds() {
		if !held[kind] {
			t.Errorf("no %s among the bodies that are tested", kind)
		}
	}
	if len(held) != len(room.Kinds()) {
		t.Errorf("%d kinds are written, %d can be read", len(held), len(room.Kinds()))
	}
}

func TestRecordsSayWhatTheyAreAbout(t *testing.T) {
	ephemeral := map[string]bool{
		"said": false, "emoted": false, "told": false, "joined": true, "parted": true, "renamed": true,
		"registered": false, "key_added": false, "key_removed": false, "configured": false, "erased": false,
		"opened": false, "closed": false, "arranged": false, "invited": false, "ranked": false, "appointed": false, "kicked": false,
		"muted": false, "banned": false, "lifted": false, "undone": false, "withdrawn": false, "announced": false, "absent": true,
	}
	seen := map[room.ID]bool{}
	for _, body := range everyBody() {
		rec := room.Encode(kim, room.Lobby, body)
		want := room.Lobby
		switch body.(type) {
		case room.Told:
			want = "person/conn:lee"
		case room.Renamed, room.Appointed, room.Undone, room.Announced, room.Absent:
			want = room.HouseSubject
		case room.Registered, room.KeyAdded, room.KeyRemoved, room.Configured, room.Erased:
			want = room.Subject("account/" + kim.ID)
		default: // it is about the room where it is done
		}
		if rec.Subject != want {
			t.Errorf("subject of %T = %s, want %s", body, rec.Subject, want)
		}
		if e, known := ephemeral[rec.Kind]; !known || rec.Ephemeral != e {
			t.Errorf("%T: kind %q, ephemeral %v; want a known kind, %v", body, rec.Kind, rec.Ephemeral, e)
		}
		if rec.Expect != nil || !rec.At.IsZero() {
			t.Errorf("%T: Expect %v, At %v; want none", body, rec.Expect, rec.At)
		}
		if seen[rec.ID] {
			t.Errorf("%T has the ID of another record", body)
		}
		seen[rec.ID] = true
	}
}

func TestEncodeRefusesWhatIsNoRecord(t *testing.T) {
	for _, body := range []room.Body{room.Notice{}, room.Unknown{}, room.Removed{}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Encode of %T did not panic", body)
				}
			}()
			room.Encode(kim, room.Lobby, body)
		}()
	}
}

func TestDecodeKeepsAKindOfANewerProgram(t *testing.T) {
	rec := room.Record{ID: room.NewID(), Subject: room.Lobby, Kind: "painted", Data: []byte("\x00 not even JSON")}
	got, err := room.Decode(room.Committed{Seq: 9, Record: rec})
	if want := (room.Unknown{Kind: "painted"}); err != nil || got.Body != want || got.Seq != 9 || got.ID != rec.ID {
		t.Errorf("Decode = %+v, %v; want %+v at 9", got, err, want)
	}
}

func TestDecodeIgnoresFieldsOfANewerProgram(t *testing.T) {
	rec := room.Record{Kind: "said", Data: []byte(`{"from":{"id":"a","nick":"kim","mood":"fine"},"text":"hi","colour":{"r":1}}`)}
	got, err := room.Decode(room.Committed{Record: rec})
	if want := (room.Said{Text: room.Sentence("hi")}); err != nil || got.Body != want || got.From.Nick != "kim" {
		t.Errorf("Decode = %+v, %v; want %+v from kim", got, err, want)
	}
}

func TestDecodeChecksAgain(t *testing.T) {
	rec := room.Record{Kind: "said", Data: []byte(`{"from":{"id":"a","nick":"kim"},"text":"a\u001b[2J\u202eb\u0085"}`)}
	got, err := room.Decode(room.Committed{Record: rec})
	if err != nil {
		t.Fatalf("Decode = %v, want no error", err)
	}
	if text := got.Body.(room.Said).Text.String(); text != "a[2Jb" {
		t.Errorf("text = %+q, want %q", text, "a[2Jb")
	}
}

func TestDecodeRefusesDamage(t *testing.T) {
	const from = `"from":{"id":"a","nick":"kim"}`
	for _, tt := range []struct{ kind, data string }{
		{"said", ``},
		{"said", `{`},
		{"said", `[]`},
		{"said", `{"text":"nobody said this"}`},
		{"said", `{"from":{"id":"a","nick":""},"text":"hi"}`},
		{"said", `{"from":{"id":"a","nick":"\u001b[2J"},"text":"hi"}`},
		{"said", `{"from":{"id":"a","nick":"a]\n[b"},"text":"hi"}`},
		{"said", `{` + from + `,"text":5}`},
		{"told", `{` + from + `,"text":"to nobody"}`},
		{"told", `{` + from + `,"to":{"id":"b","nick":"*"},"text":"hi"}`},
		{"renamed", `{` + from + `}`},
		{"renamed", `{` + from + `,"nick":"a\u202eb"}`},
		{"joined", `{` + from + `,"visit":"yes"}`},
		{"registered", `{` + from + `,"names":["a"]}`},
		{"erased", `{` + from + `}`},
		{"opened", `{` + from + `,"nick":"dev"}`},
		{"opened", `{` + from + `,"names":["case:dev"]}`},
		{"opened", `{` + from + `,"nick":"a\nb","names":["case:dev"]}`},
		{"closed", `[]`},
		{"arranged", `{"name":"topic","value":"nobody did"}`},
		{"invited", `{` + from + `}`},
		{"invited", `{` + from + `,"to":{"id":"b","nick":"*"}}`},
		{"ranked", `{` + from + `,"to":{"id":"b","nick":"bob"},"name":"king"}`},
		{"ranked", `{` + from + `,"name":"moderator"}`},
		{"appointed", `{"names":"SHA256:a"}`},
		{"kicked", `{` + from + `,"text":"nobody"}`},
		{"muted", `{` + from + `}`},
		{"banned", `{` + from + `,"target":{"nets":["192.0.2.1"]}}`},
		{"banned", `{` + from + `,"target":{"nets":["2001:db8::/129"]}}`},
		{"banned", `{` + from + `,"target":{},"until":"tomorrow"}`},
		{"lifted", `{` + from + `,"name":"12"}`},
		{"undone", `{` + from + `}`},
		{"withdrawn", `{` + from + `,"ids":["zz"]}`},
		{"announced", `{"text":"by nobody"}`},
	} {
		rec := room.Record{ID: room.NewID(), Kind: tt.kind, Data: []byte(tt.data)}
		e, err := room.Decode(room.Committed{Record: rec})
		if err == nil || !strings.Contains(err.Error(), rec.ID.String()) || !strings.Contains(err.Error(), tt.kind) {
			t.Errorf("Decode of a %s record %s = %+v, %v; want an error that names it", tt.kind, tt.data, e, err)
		}
	}
}

func TestTheWordsOfOrderAreCheckedAgain(t *testing.T) {
	const from = `"from":{"id":"a","nick":"kim"}`
	const foul, clean = `x\u001b[2J\u202ey`, "x[2Jy"
	for kind, data := range map[string]string{
		"arranged":  `"name":"topic","value":"` + foul + `"`,
		"kicked":    `"to":{"id":"b","nick":"bob"},"text":"` + foul + `"`,
		"banned":    `"target":{},"name":"` + foul + `","text":"` + foul + `"`,
		"lifted":    `"name":"00000000000000000000000000000000","value":"` + foul + `"`,
		"announced": `"text":"` + foul + `"`,
		"absent":    `"text":"` + foul + `"`,
	} {
		rec := room.Record{Kind: kind, Data: []byte(`{` + from + `,` + data + `}`)}
		got, err := room.Decode(room.Committed{Record: rec})
		if err != nil {
			t.Errorf("Decode of %s = %v, want no error", kind, err)
			continue
		}
		if shown := fmt.Sprintf("%+v", got.Body); !strings.Contains(shown, clean) || strings.ContainsAny(shown, "\x1b\u202e") {
			t.Errorf("%s holds %+q, want %q in it and nothing that moves a cursor", kind, shown, clean)
		}
	}
}

// FuzzDecode wants that no data stops the program, that what can be read can be written again, and that it is then the same.
func FuzzDecode(f *testing.F) {
	for _, body := range everyBody() {
		rec := room.Encode(kim, room.Lobby, body)
		f.Add(rec.Kind, rec.Data)
	}
	for _, kind := range room.Kinds() {
		f.Add(kind, []byte(`{"from":{"id":"a","nick":"kim"},"to":{"id":"","nick":"b"},"name":"x","target":null,"ids":[""]}`))
	}
	f.Fuzz(func(t *testing.T, kind string, data []byte) {
		e, err := room.Decode(room.Committed{Seq: 3, Record: room.Record{Kind: kind, Subject: room.Lobby, Data: data}})
		if err != nil {
			return
		}
		if _, unknown := e.Body.(room.Unknown); unknown {
			return
		}
		again := room.Encode(e.From, e.Subject, e.Body)
		e2, err := room.Decode(room.Committed{Seq: 3, Record: again})
		if err != nil {
			t.Fatalf("%s of %q cannot be read again: %v", kind, data, err)
		}
		if third := room.Encode(e2.From, e2.Subject, e2.Body); again.Kind != kind || string(third.Data) != string(again.Data) {
			t.Errorf("%s of %q: %s %s, then %s", kind, data, again.Kind, again.Data, third.Data)
		}
	})
}
