package room_test

import (
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
	}
}

func TestEveryBodySurvivesItsRecord(t *testing.T) {
	for _, body := range everyBody() {
		rec := room.Encode(kim, room.Lobby, body)
		rec.At = time.Unix(1_800_000_000, 0)
		got, err := room.Decode(room.Committed{Seq: 7, Record: rec})
		if err != nil {
			t.Errorf("Decode of %T = %v, want no error", body, err)
			continue
		}
		want := room.Event{Seq: 7, ID: rec.ID, Subject: rec.Subject, At: rec.At, From: kim, Body: body}
		if !reflect.DeepEqual(*got, want) {
			t.Errorf("Decode of %T = %+v, want %+v", body, *got, want)
		}
	}
}

func TestRecordsSayWhatTheyAreAbout(t *testing.T) {
	ephemeral := map[string]bool{
		"said": false, "emoted": false, "told": false, "joined": true, "parted": true, "renamed": true,
		"registered": false, "key_added": false, "key_removed": false, "configured": false, "erased": false,
	}
	seen := map[room.ID]bool{}
	for _, body := range everyBody() {
		rec := room.Encode(kim, room.Lobby, body)
		want := room.Lobby
		switch body.(type) {
		case room.Told:
			want = "person/conn:lee"
		case room.Renamed:
			want = room.HouseSubject
		case room.Registered, room.KeyAdded, room.KeyRemoved, room.Configured, room.Erased:
			want = room.Subject("account/" + kim.ID)
		case room.Said, room.Emoted, room.Joined, room.Parted, room.Notice, room.Unknown:
		default:
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
	for _, body := range []room.Body{room.Notice{}, room.Unknown{}} {
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
	} {
		rec := room.Record{ID: room.NewID(), Kind: tt.kind, Data: []byte(tt.data)}
		e, err := room.Decode(room.Committed{Record: rec})
		if err == nil || !strings.Contains(err.Error(), rec.ID.String()) || !strings.Contains(err.Error(), tt.kind) {
			t.Errorf("Decode of a %s record %s = %+v, %v; want an error that names it", tt.kind, tt.data, e, err)
		}
	}
}
