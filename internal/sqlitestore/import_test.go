package sqlitestore_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"sarangbang/internal/sqlitestore"
	"sarangbang/room"
)

// exported returns an export as a program prints it, one line in JSON in each row.
func exported(tb testing.TB, path string, q sqlitestore.ExportQuery) []byte {
	tb.Helper()
	var out bytes.Buffer
	lines := json.NewEncoder(&out)
	for e, err := range sqlitestore.Export(tb.Context(), path, q) {
		if err == nil {
			err = lines.Encode(sqlitestore.NewLine(e))
		}
		if err != nil {
			tb.Fatalf("Export = %v, want no error", err)
		}
	}
	return out.Bytes()
}

func imported(tb testing.TB, path string, export []byte) sqlitestore.Imported {
	tb.Helper()
	done, err := sqlitestore.Import(tb.Context(), path, bytes.NewReader(export))
	if err != nil {
		tb.Fatalf("Import = %v, want no error", err)
	}
	return done
}

func TestExport(t *testing.T) {
	h := newHouse(t)
	story(h)
	all := []string{"kim: 안녕하세요, this is kim", "lee: 안녕하세요, this is lee", "—: 안녕하세요, this is gone", "* visitor waves\nwith both hands", "kim: the last line"}
	events, err := h.Lines(t.Context(), room.LineQuery{Room: room.Lobby, N: 100})
	h.want("Lines", events, err, all...)
	for what, tt := range map[string]struct {
		query sqlitestore.ExportQuery
		want  []string
	}{
		"all":            {sqlitestore.ExportQuery{}, all},
		"of a room":      {sqlitestore.ExportQuery{Room: room.Lobby, Direct: true}, all},
		"since a moment": {sqlitestore.ExportQuery{Since: events[2].At}, all[2:]},
		"since tomorrow": {sqlitestore.ExportQuery{Since: time.Now().Add(24 * time.Hour)}, []string{}},
		"direct messages too": {sqlitestore.ExportQuery{Direct: true}, []string{
			all[0], "kim → kim: a letter to kim", all[1], "kim → lee: a letter to lee", all[2], all[3],
			"lee → visitor: welcome", "kim → lee: for when you are back", all[4],
		}},
	} {
		var got []*room.Event
		for e, err := range sqlitestore.Export(t.Context(), h.Path(), tt.query) {
			if err != nil {
				t.Fatalf("%s: Export = %v, want no error", what, err)
			}
			got = append(got, e)
		}
		h.want(what, got, nil, tt.want...)
	}
	var none error
	for _, err := range sqlitestore.Export(t.Context(), h.Path(), sqlitestore.ExportQuery{Room: "room/none"}) {
		none = err
	}
	if none == nil || none.Error() != "nothing was ever said in #none" {
		t.Errorf("Export of a room that was never there = %v, want a sentence that says so", none)
	}
	n := 0
	for range sqlitestore.Export(t.Context(), h.Path(), sqlitestore.ExportQuery{}) {
		if n++; n == 2 {
			break
		}
	}
}

func TestExportOfMoreThanOneStep(t *testing.T) {
	h := newHouse(t)
	kim := h.come("kim", "")
	var recs []room.Record
	for i := range 2500 {
		recs = append(recs, room.Encode(kim, room.Lobby, room.Said{Text: room.Sentence(fmt.Sprint(i))}))
	}
	if _, err := h.Append(t.Context(), recs...); err != nil {
		t.Fatalf("Append = %v, want no error", err)
	}
	n := 0
	for e, err := range sqlitestore.Export(t.Context(), h.Path(), sqlitestore.ExportQuery{}) {
		if err != nil {
			t.Fatalf("Export = %v, want no error", err)
		}
		if got := told([]*room.Event{e})[0]; got != fmt.Sprintf("kim: %d", n) {
			t.Fatalf("line %d of the export is %q", n, got)
		}
		if n++; n%500 == 0 {
			h.say(kim, "said while it is exported")
		}
	}
	if n != 2500 {
		t.Errorf("the export has %d lines, want the 2500 that were there when it began", n)
	}
}

func TestLineAsJSON(t *testing.T) {
	at := time.Date(2026, 11, 22, 14, 30, 0, 5, time.FixedZone("KST", 9*3600))
	person := room.Person{ID: "conn:1", Nick: "김", Key: "SHA256:secret"}
	for want, body := range map[string]room.Body{
		`"room":"#lobby","nick":"김","kind":"said","text":"a\n<b>"}`:  room.Said{Text: room.Sentence("a\n<b>")},
		`"room":"#lobby","nick":"김","kind":"emoted","text":"waves"}`: room.Emoted{Text: room.Sentence("waves")},
		`"nick":"김","to":"lee","kind":"told","text":"psst"}`:         room.Told{To: room.Person{ID: "x", Nick: "lee"}, Text: room.Sentence("psst")},
	} {
		e := &room.Event{Seq: 7, ID: room.ID{1, 2}, Subject: room.Lobby, At: at, From: person, Body: body}
		var out bytes.Buffer
		lines := json.NewEncoder(&out)
		lines.SetEscapeHTML(false)
		if err := lines.Encode(sqlitestore.NewLine(e)); err != nil {
			t.Fatal(err)
		}
		want = `{"id":"01020000000000000000000000000000","seq":7,"at":"2026-11-22T05:30:00.000000005Z",` + want + "\n"
		if out.String() != want {
			t.Errorf("%T is exported as %s, want %s", body, &out, want)
		}
	}
}

func TestImportIntoNothing(t *testing.T) {
	h := newHouse(t)
	story(h)
	export := exported(t, h.Path(), sqlitestore.ExportQuery{Direct: true})
	lines, err := h.Lines(t.Context(), room.LineQuery{Room: room.Lobby, N: 100})
	h.want("Lines", lines, err, told(lines)...)
	path := newPath(t)
	if done := imported(t, path, export); !reflect.DeepEqual(done, sqlitestore.Imported{New: 5, Told: 4}) {
		t.Errorf("Import = %+v, want 5 new lines and 4 direct messages that were passed over", done)
	}
	wantFiles(t, filepath.Dir(path), "house.db")
	before := dump(t, path)
	if done := imported(t, path, export); !reflect.DeepEqual(done, sqlitestore.Imported{Known: 5, Told: 4}) {
		t.Errorf("the second Import = %+v, want 5 known lines", done)
	}
	wantSame(t, "what was imported twice", dump(t, path), before)
	wantFiles(t, filepath.Dir(path), "house.db")
	if r, err := sqlitestore.Check(t.Context(), path, quiet); err != nil || len(r.Faults) > 0 {
		t.Errorf("Check = %+v, %v; want no fault", r, err)
	}

	other := &house{t, openStore(t, path)}
	got, err := other.Lines(t.Context(), room.LineQuery{Room: room.Lobby, N: 100})
	other.want("Lines of the other house", got, err, told(lines)...)
	for i := range got {
		if got[i].ID != lines[i].ID || !got[i].At.Equal(lines[i].At) {
			t.Errorf("line %d is %s at %s, want %s at %s", i, got[i].ID, got[i].At, lines[i].ID, lines[i].At)
		}
	}
	other.finds(room.SearchQuery{Words: "안녕", Author: "case:kim"}, "kim: 안녕하세요, this is kim")
	other.say(other.come("new", ""), "after the import")
	other.lines("and goes on", room.LineQuery{}, append(told(lines), "new: after the import")...)
}

// An import is sorted in among what is there: between lines, and behind those of the same moment. Who has read up to a place has
// read what came in before the next record.
func TestImportInBetween(t *testing.T) {
	h := newHouse(t)
	kim := h.come("kim", "SHA256:kim")
	h.post(kim, room.Registered{Names: names("kim")})
	var places []room.Seq
	for i := range 6 {
		places = append(places, h.say(kim, fmt.Sprint(i)))
	}
	h.tell(kim, kim, "a letter")
	export := exported(t, h.Path(), sqlitestore.ExportQuery{})
	for i := range 5 { // which is in no log
		h.come(room.Nick(fmt.Sprint("guest", i)), "")
	}
	head, err := h.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := h.SavePlaces(t.Context(), []room.Place{
		{Account: kim.ID, Of: room.Lobby, Seen: places[1], Sent: places[3]},
		{Account: kim.ID, Of: "person/x", Seen: places[5], Sent: head.Seq},
	}); err != nil {
		t.Fatalf("SavePlaces = %v, want no error", err)
	}
	path := h.closed()
	execute(t, path, fmt.Sprintf(`DELETE FROM log WHERE seq IN (%d, %d, %d)`, places[0], places[2], places[5]),
		fmt.Sprintf(`DELETE FROM words WHERE rowid IN (%d, %d, %d)`, places[0], places[2], places[5]))

	done := imported(t, path, export)
	if want := (sqlitestore.Imported{New: 3, Known: 3, Owned: 3, Aside: asideOf(t, path, "import")}); !reflect.DeepEqual(done, want) {
		t.Errorf("Import = %+v, want %+v", done, want)
	}
	if r, err := sqlitestore.Check(t.Context(), path, quiet); err != nil || len(r.Faults) > 0 {
		t.Errorf("Check = %+v, %v; want no fault", r, err)
	}
	again := &house{t, openStore(t, path)}
	again.lines("all of them", room.LineQuery{}, "kim: 0", "kim: 1", "kim: 2", "kim: 3", "kim: 4", "kim: 5")
	if now, err := again.Head(t.Context()); now.Epoch == head.Epoch || now.Seq != places[5]+1+3 || err != nil {
		t.Errorf("Head = %+v, %v; want place %d of another epoch than %s", now, err, places[5]+1+3, head.Epoch)
	}
	saved, err := again.Places(t.Context(), kim.ID)
	if err != nil || len(saved) != 2 {
		t.Fatalf("Places = %+v, %v; want two", saved, err)
	}
	slices.SortFunc(saved, func(a, b room.Place) int { return int(a.Seen) - int(b.Seen) })
	// Behind 1 there was 2, behind 3 nothing, behind 4 there was 5, and the letter.
	for i, want := range []struct{ seen, sent string }{{"kim: 2", "kim: 3"}, {"kim: 5", "kim → kim: a letter"}} {
		for what, place := range map[string]room.Seq{want.seen: saved[i].Seen, want.sent: saved[i].Sent} {
			events, err := again.Lines(t.Context(), room.LineQuery{Room: room.Lobby, Before: place + 1, N: 100})
			letters, e := again.Told(t.Context(), kim.ID, 0, place, 1)
			got := told(append(events, letters...))
			if err != nil || e != nil || len(got) == 0 || got[len(got)-1] != what {
				t.Errorf("up to place %d they have read %q, %v, %v; want up to %q", place, got, err, e, what)
			}
		}
	}
	if next := again.say(again.come("new", ""), "since"); next <= saved[1].Sent {
		t.Errorf("a new line has place %d, and they have read up to %d already", next, saved[1].Sent)
	}
}

func TestImportIsAllOrNothing(t *testing.T) {
	h := newHouse(t)
	story(h)
	good := exported(t, h.Path(), sqlitestore.ExportQuery{})
	path := h.closed()
	var fresh []byte
	for line := range bytes.Lines(good) { // the same with other IDs
		fresh = append(fresh, append([]byte(`{"id":"ffff`), line[len(`{"id":"ffff`):]...)...)
	}
	first, _, _ := bytes.Cut(fresh, []byte("\n"))
	row := func(old, with string) string { return strings.Replace(string(first), old, with, 1) }
	before := dump(t, path)
	for bad, want := range map[string]string{
		`{"id"`: "row 6: it is no JSON of an export", `[]`: "row 6: it is no JSON", "\x00": "row 6: it is no JSON",
		row(`"id":"ffff`, `"id":"gfff`):                         "row 6: id ",
		row(`"id":"ffff`, `"id":"ff`):                           "is not 32 hexadecimal digits",
		row(`"room":"#lobby"`, `"room":"lobby"`):                `room "lobby" is not a name such as #lobby`,
		row(`"room":"#lobby"`, `"room":"#a b"`):                 `room "#a b" is not a name`,
		row(`"nick":"kim"`, `"nick":"k[m"`):                     `nickname "k[m" holds`,
		row(`"nick":"kim"`, `"nick":""`):                        "nickname of 0 bytes",
		row(`"kind":"said"`, `"kind":"joined"`):                 `kind "joined" is none of`,
		row(`"at":"20`, `"at":"21`):                             "is not between 1970 and now",
		row(`"at":"20`, `"at":"10`):                             "is not between 1970 and now",
		row(`"text":"`, `"text":"`+strings.Repeat("x", 65_537)): "text of 655",
		row(`"text":"`, `"text":"`+strings.Repeat(`x\n`, 1000)): "text of 20",
		row(`"nick":"kim"`, `"nick":" a"`):                      `nickname " a" cannot be worn`,
		row(`"nick":"kim"`, `"nick":"@x"`):                      `nickname "@x" cannot be worn`,
		row(`"nick":"kim"`, `"nick":"/bye"`):                    `nickname "/bye" cannot be worn`,
		row(`"nick":"kim"`, `"nick":"나"`):                       `nickname "나" cannot be worn`,
		row(`"nick":"kim"`, `"nick":"——"`):                      `nickname "——" cannot be worn`,
		row(`"text":"`, "\"text\":\"\xff"):                      "row 6: it is no JSON of an export (it is not UTF-8)",
		row(`"text":"`, `"text":"\ud83d`):                       "half a character is escaped",
		row(`"text":"`, `"text":"\ude00`):                       "half a character is escaped",
		row(`"text":"`, `"text":"\ud83d\u0041`):                 "half a character is escaped",
		row(`"text":"`, `"Text":"a","text":"`):                  `"Text" is none of its fields`,
		row(`"text":"`, `"text":"a","text":"`):                  `"text" is none of its fields, or there twice`,
		string(first) + `{}`:                                    "something follows it",
		row(`said"`, `said","why":"x"`):                         `"why" is none of its fields`,
		row(`안녕`, `안녕!`):                                        "is that of another line",
		row(`"kind":"said"`, `"kind":"emoted"`):                 "is that of another line",
		strings.Replace(row(`안녕`, `안녕!`), "ffff", string(good[len(`{"id":"`):len(`{"id":"`)+4]), 1): "is that of another line",
		`{"id":"` + strings.Repeat("0", 32) + string(first[len(`{"id":"`)+32:]):                     "one of them not 0",
		row(`"nick":"kim"`, `"nick":"lee"`):                                                         "is that of another line",
		strings.Repeat("x", 2<<20):                                                                  "row 6: it is longer than",
	} {
		_, err := sqlitestore.Import(t.Context(), path, strings.NewReader(string(fresh)+bad+"\n"))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("Import of %.100q = %v, want a sentence with %q", bad, err, want)
		}
	}
	wantSame(t, "the database", dump(t, path), before)
	wantFiles(t, filepath.Dir(path), "house.db")
}

// Whatever a house has exported goes in again, with the author that was struck.
func TestWhatIsWrittenInOtherWaysIsTheSameLine(t *testing.T) {
	path := newPath(t)
	line := `{"id":"00112233445566778899aabbccddeeff","seq":7,"at":"2020-01-01T00:00:00Z","room":"#lobby","nick":"—","kind":"said","text":"\ud83d\ude00 \\ud83d"}`
	if done := imported(t, path, []byte(line+"\n"+strings.Replace(line, `\ud83d\ude00`, "😀", 1))); !reflect.DeepEqual(done, sqlitestore.Imported{New: 1, Known: 1}) {
		t.Errorf("Import = %+v, want one new line, and once more the same", done)
	}
	h := &house{t, openStore(t, path)}
	h.lines("what was imported", room.LineQuery{}, `—: 😀 \ud83d`)
}

// What comes out of a file is cleaned like what is typed.
func TestImportedTextIsClean(t *testing.T) {
	path := newPath(t)
	line := `{"id":"00112233445566778899aabbccddeeff","at":"2020-01-01T00:00:00Z","room":"#lobby","nick":"kim","kind":"said","text":"\u001b[2Ja\u202eb\n[lee] c"}`
	if done := imported(t, path, []byte("\n"+line+"\n\n"+line)); !reflect.DeepEqual(done, sqlitestore.Imported{New: 1, Known: 1}) {
		t.Errorf("Import = %+v, want one new line, and once more the same", done)
	}
	h := &house{t, openStore(t, path)}
	h.lines("what was imported", room.LineQuery{}, "kim: [2Jab\n[lee] c")
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}
