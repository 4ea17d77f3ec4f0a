package sqlitestore_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"sarangbang/internal/sqlitestore"
	"sarangbang/room"
)

// Somebody who was erased is nobody at once, though thousands of their lines have to be written anew for that.
func TestAnErasedNameIsShownByNoLineFromThen(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	kim := h.come("kim", "SHA256:kim")
	h.post(kim, room.Registered{Names: names("kim")})
	for range 2_000 {
		h.say(kim, "hello")
	}
	h.post(kim, room.Erased{Until: time.Now()})
	events, err := h.Lines(t.Context(), room.LineQuery{Room: room.Lobby, N: 2_000})
	if err != nil || len(events) != 2_000 {
		t.Fatalf("Lines = %d lines, %v; want 2000", len(events), err)
	}
	for _, e := range events {
		if e.From != room.Struck {
			t.Fatalf("line %d is of %+v, want it of nobody", e.Seq, e.From)
		}
	}
	for e, err := range sqlitestore.Export(t.Context(), h.Path(), sqlitestore.ExportQuery{}) {
		if err != nil || e.From != room.Struck {
			t.Fatalf("Export yields %+v, %v; want it of nobody", e, err)
		}
	}
}

// A direct message that reached nobody is not kept: it names people who may want to be forgotten.
func TestADirectMessageThatReachedNobodyIsNotKept(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	lee := h.come("lee", "SHA256:lee")
	h.tell(lee, room.Person{ID: "key:SHA256:somebody/gone", Nick: "gone", Key: "SHA256:somebody"}, "are you there")
	wantFile(t, h.Path()+"-wal", nil, []string{"are you there", "SHA256:somebody"})
	wantFile(t, h.closed(), nil, []string{"are you there", "SHA256:somebody"})
}

func TestPrivateRoomsAreExportedOnlyIfAskedFor(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	op := h.operator("op")
	garden := room.SubjectOf("garden")
	h.do(op, garden, room.Opened{Name: "garden", Names: []string{"garden"}})
	if _, err := h.Append(t.Context(), room.Encode(op, garden, room.Joined{Screen: "gardener", Names: names("op")})); err != nil {
		t.Fatalf("Append of an entry = %v, want no error", err)
	}
	h.do(op, garden, said("among us"))
	h.say(op, "to all")
	h.do(op, garden, room.Arranged{What: room.AspectPrivate, Value: "on"})
	export := func(q sqlitestore.ExportQuery) (got []string, failed error) {
		for e, err := range sqlitestore.Export(t.Context(), h.Path(), q) {
			if err != nil {
				return got, err
			}
			got = append(got, e.Body.(room.Said).Text.String())
		}
		return got, nil
	}
	if got, err := export(sqlitestore.ExportQuery{}); strings.Join(got, ", ") != "to all" || err != nil {
		t.Errorf("Export = %q, %v; want what was said to all", got, err)
	}
	if got, err := export(sqlitestore.ExportQuery{Room: garden}); len(got) > 0 || err == nil || !strings.Contains(err.Error(), "--private") {
		t.Errorf("Export of the private room = %q, %v; want an error that says how", got, err)
	}
	if got, err := export(sqlitestore.ExportQuery{Private: true}); strings.Join(got, ", ") != "among us, to all" || err != nil {
		t.Errorf("Export of private rooms too = %q, %v", got, err)
	}
}

// In a room that is not there nobody would ever see a line, and one of that name before may have been private. That keeps no line of
// another room out.
func TestImportPassesOverWhatHasNoRoom(t *testing.T) {
	t.Parallel()
	id := 0
	line := func(at time.Time, where, text string) string {
		id++
		return fmt.Sprintf(`{"id":"%032x","seq":1,"at":%q,"room":%q,"nick":"kim","kind":"said","text":%q}`+"\n", id, at.Format(time.RFC3339Nano), where, text)
	}
	old := time.Date(2024, 5, 1, 10, 0, 0, 0, time.UTC)
	h := newHouse(t)
	op := h.operator("op")
	h.do(op, room.SubjectOf("garden"), room.Opened{Name: "garden", Names: []string{"garden"}})
	path := h.closed()
	export := []byte(line(old, "#dev", "of no room") + line(old, "#Garden", "before the room") + line(old, "#lobby", "of old") +
		line(old, "#dev", "of no room") + line(time.Now(), "#garden", "in the room"))
	want := sqlitestore.Imported{New: 2, Passed: []sqlitestore.Passed{{Room: "#dev", Lines: 2}, {Room: "#garden", Lines: 1, Early: true}}}
	done := imported(t, path, export)
	if want.Aside = asideOf(t, path, "import"); !reflect.DeepEqual(done, want) {
		t.Errorf("Import = %+v, want %+v", done, want)
	}
	want.New, want.Known, want.Aside = 0, 2, ""
	if done := imported(t, path, export); !reflect.DeepEqual(done, want) {
		t.Errorf("the same Import again = %+v, want %+v", done, want)
	}
	if got := string(exported(t, path, sqlitestore.ExportQuery{})); strings.Count(got, "\n") != 2 || !strings.Contains(got, "of old") || !strings.Contains(got, "in the room") {
		t.Errorf("what was imported is exported as %q, want the line of the lobby and that of the room", got)
	}
	if r, err := sqlitestore.Check(t.Context(), path, quiet); err != nil || len(r.Faults) > 0 {
		t.Errorf("Check = %+v, %v; want no fault", r, err)
	}
}
