package sqlitestore_test

import (
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

// In a room that is not there nobody would ever see a line.
func TestImportNeedsTheRooms(t *testing.T) {
	t.Parallel()
	line := `{"id":"0102030405060708090a0b0c0d0e0f10","seq":1,"at":"2024-05-01T10:00:00Z","room":"#Garden","nick":"kim","kind":"said","text":"hello"}` + "\n"
	h := newHouse(t)
	path := h.closed()
	if _, err := sqlitestore.Import(t.Context(), path, strings.NewReader(line)); err == nil || !strings.Contains(err.Error(), "no room #garden") {
		t.Errorf("Import = %v, want an error that names the room", err)
	}
	h = &house{t, openStore(t, path)}
	op := h.operator("op")
	h.do(op, room.SubjectOf("garden"), room.Opened{Name: "garden", Names: []string{"garden"}})
	path = h.closed()
	if _, err := sqlitestore.Import(t.Context(), path, strings.NewReader(line)); err == nil || !strings.Contains(err.Error(), "before this house made that room") {
		t.Errorf("Import of a line from before the room = %v, want an error that says so", err)
	}
	later := strings.Replace(line, "2024-05-01T10:00:00Z", time.Now().Add(-time.Millisecond).Format(time.RFC3339Nano), 1)
	done, err := sqlitestore.Import(t.Context(), path, strings.NewReader(later))
	if err != nil || done.New != 1 {
		t.Errorf("Import of a line of the room = %+v, %v; want it filed", done, err)
	}
}
