package sqlitestore_test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"sarangbang/internal/sqlitestore"
	"sarangbang/room"
)

// do appends what somebody does in a room and returns the record's ID.
func (h *house) do(from room.Person, where room.Subject, b room.Body) room.ID {
	h.Helper()
	r := room.Encode(from, where, b)
	seqs, err := h.Append(h.Context(), r)
	if err != nil {
		h.Fatalf("Append of %T = %v, want no error", b, err)
	}
	if void, err := h.VoidOf(h.Context(), seqs[0]); void != "" || err != nil {
		h.Fatalf("%T is void: %q, %v; want it to have effect", b, void, err)
	}
	return r.ID
}

// void says why a line that somebody says now has no effect.
func (h *house) void(from room.Person, text string) room.Void {
	h.Helper()
	why, err := h.VoidOf(h.Context(), h.say(from, text))
	if err != nil {
		h.Fatalf("VoidOf = %v, want no error", err)
	}
	return why
}

// operator brings somebody in who has an account and may do everything.
func (h *house) operator(nick room.Nick) room.Person {
	h.Helper()
	h.Hurry()
	p := h.come(nick, "SHA256:"+string(nick))
	h.do(p, "", room.Registered{Names: names(nick)})
	h.do(room.Person{}, "", room.Appointed{Keys: []string{p.Key}})
	return p
}

func said(text string) room.Said { return room.Said{Text: room.Sentence(text)} }

// mute is a bar that silences somebody for a while.
func mute(whom room.Person, long time.Duration) room.Barred {
	return room.Barred{Bar: room.Bar{
		Mute: true, Target: room.Target{Persons: []room.PersonID{whom.ID}}, Label: string(whom.Nick), Until: time.Now().Add(long).UTC(),
	}}
}

// kept returns the charter as it is in the database.
func (h *house) kept() []room.Change {
	h.Helper()
	s, err := h.Snapshot(h.Context())
	if err != nil {
		h.Fatalf("Snapshot = %v, want no error", err)
	}
	return s.Charter
}

// quarrel is an evening with everything that is done to rooms and to keep order, by an operator and a rude guest.
func quarrel(h *house) (op, rude room.Person, lines []room.ID) {
	h.Helper()
	op, rude = h.operator("op"), h.come("rude", "")
	lee := h.come("lee", "SHA256:lee")
	h.do(lee, "", room.Registered{Names: names("lee")})
	garden, shed := room.SubjectOf("garden"), room.SubjectOf("shed")
	h.do(op, garden, room.Opened{Name: "garden", Names: []string{"garden"}})
	h.do(op, shed, room.Opened{Name: "shed", Names: []string{"shed"}})
	h.do(op, garden, room.Arranged{What: room.AspectTopic, Value: "flowers & <trees>"})
	h.do(op, garden, room.Arranged{What: room.AspectPrivate, Value: "on"})
	h.do(op, garden, room.Invited{Whom: lee})
	h.do(op, garden, room.Ranked{Whom: lee, Role: room.RoleModerator})
	h.do(op, room.HouseSubject, room.Ranked{Whom: lee, Role: room.RoleOperator})
	for i := range 3 {
		lines = append(lines, h.do(rude, room.Lobby, said(fmt.Sprintf("무례한 말 rude%d", i))))
	}
	h.do(op, room.Lobby, room.Withdrawn{Lines: lines[:2]})
	silence := h.do(op, room.Lobby, mute(rude, time.Hour))
	again := h.do(op, room.Lobby, mute(rude, time.Hour))
	h.do(op, room.Lobby, room.Lifted{Bars: []room.ID{silence}, Mute: true, Label: "rude"})
	h.do(op, "", room.Undone{Act: again, Kind: "muted"})
	h.do(op, room.HouseSubject, mute(room.Person{ID: "conn:other", Nick: "other"}, time.Hour))
	h.do(op, "", room.Announced{Text: room.Sentence("enough")})
	h.say(op, "that is all")
	return op, rude, lines
}

func TestWhatWasDecidedOutlivesTheProcess(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	op, rude, _ := quarrel(h)
	h.do(op, room.Lobby, mute(rude, time.Hour))
	want := h.kept()
	if len(want) < 8 {
		t.Fatalf("%d entries are kept, want those of rooms, bars, acts and operators", len(want))
	}
	h.reopen()
	if got := h.kept(); !reflect.DeepEqual(got, want) {
		t.Errorf("after a crash %q is kept, want %q", got, want)
	}
	h.come("rude", "")
	if why := h.void(rude, "anyway"); why != room.VoidMuted {
		t.Errorf("the line of somebody muted is void as %q after a crash, want %q", why, room.VoidMuted)
	}
}

func TestWhatWasNotCommittedIsNotDecided(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	op, kim := h.operator("op"), h.come("kim", "")
	line := h.do(kim, room.Lobby, said("a line"))
	want := dump(t, h.Path(), "meta")
	release := lock(t, h.Path())
	for _, b := range []room.Body{mute(kim, time.Hour), room.Withdrawn{Lines: []room.ID{line}}} {
		if err := h.try(op, b); !errors.Is(err, room.ErrUnavailable) {
			t.Errorf("Append of %T = %v, want %v", b, err, room.ErrUnavailable)
		}
	}
	release()
	h.state(true)
	wantSame(t, "what failed", dump(t, h.Path(), "meta"), want)

	// What cannot be written after all is in no rule either.
	err := h.AppendBad(room.Encode(op, room.Lobby, mute(kim, time.Hour)), room.Encode(op, room.Lobby, room.Withdrawn{Lines: []room.ID{line}}))
	if !errors.Is(err, room.ErrNotSaved) {
		t.Errorf("Append of what cannot be saved = %v, want %v", err, room.ErrNotSaved)
	}
	wantSame(t, "what could not be written", upTo(dump(t, h.Path(), "meta"), 1<<62), upTo(slices.Clone(want), 1<<62))
	if why := h.void(kim, "not silent"); why != "" {
		t.Errorf("a line is void as %q after a mute that was not saved, want it to have effect", why)
	}
	h.do(op, room.Lobby, mute(kim, time.Hour))
	bars := slices.DeleteFunc(h.kept(), func(c room.Change) bool { return !strings.HasPrefix(c.Key, "bar:") })
	if len(bars) != 1 {
		t.Errorf("%d bars are kept, want 1", len(bars))
	}
	if why := h.void(kim, "silent"); why != room.VoidMuted {
		t.Errorf("a line is void as %q after a mute, want %q", why, room.VoidMuted)
	}
}

func TestRebuildKeepsWhatWasDecided(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	quarrel(h)
	path := h.closed()
	want := dump(t, path)
	if r, err := sqlitestore.Check(t.Context(), path, quiet); err != nil || len(r.Faults) > 0 {
		t.Fatalf("Check = %+v, %v; want no fault", r, err)
	}
	for what, spoiling := range map[string]string{
		"nothing":           `SELECT 1`,
		"no entry":          `DELETE FROM kept`,
		"no room":           `DELETE FROM kept WHERE key = 'room:room/garden'`,
		"a bar of nobody's": `INSERT INTO kept VALUES ('bar:00000000000000000000000000000000', CAST('{}' AS BLOB))`,
		"damaged":           `UPDATE kept SET value = CAST('x' AS BLOB)`,
	} {
		execute(t, path, spoiling)
		r, err := sqlitestore.Check(t.Context(), path, quiet)
		if err != nil || what != "nothing" && (len(r.Faults) != 1 || r.Faults[0].Mend != sqlitestore.ByRebuild || !strings.Contains(r.Faults[0].Text, "rooms and order")) {
			t.Errorf("%s: Check = %+v, %v; want one fault of what is kept", what, r, err)
		}
		if what == "damaged" {
			if s, err := sqlitestore.Open(path, quiet); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "doctor") {
				t.Errorf("Open of a damaged charter = %v, %v; want a sentence with %s that sends to doctor", s, err, path)
			}
		}
		rebuild(t, path)
		wantSame(t, what+": what was rebuilt", dump(t, path), want)
		if r, err := sqlitestore.Check(t.Context(), path, quiet); err != nil || len(r.Faults) > 0 {
			t.Errorf("%s: Check after Rebuild = %+v, %v; want no fault", what, r, err)
		}
	}
}

// Whoever was put out, and bars that ended since, are no fault.
func TestCheckKnowsWhatPasses(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	op, kim := h.operator("op"), h.come("kim", "")
	h.do(op, room.Lobby, mute(kim, 0))
	h.do(op, room.Lobby, mute(kim, time.Hour))
	h.do(op, room.Lobby, room.Kicked{Whom: kim})
	path := h.closed()
	if r, err := sqlitestore.Check(t.Context(), path, quiet); err != nil || len(r.Faults) > 0 {
		t.Errorf("Check = %+v, %v; want no fault", r, err)
	}
}

// upTo returns of a dump what stands in the log up to a place, in the index, and what is set aside.
func upTo(rows []string, seq room.Seq) []string {
	return slices.DeleteFunc(rows, func(row string) bool {
		var at room.Seq
		if _, err := fmt.Sscanf(row, "log: seq=%d ", &at); err == nil {
			return at > seq
		}
		return !slices.ContainsFunc([]string{"found:", "people:", "names:", "withdrawn:"}, func(table string) bool {
			return strings.HasPrefix(row, table)
		})
	})
}

func TestAStrikeAndItsUndoing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	op := h.operator("op")
	kim, lee := h.come("kim", "SHA256:kim"), h.come("lee", "")
	h.do(op, "room/shed", room.Opened{Name: "shed", Names: []string{"shed"}})
	for _, p := range []room.Person{op, kim} {
		h.post(p, room.Joined{Screen: "screen of " + room.ScreenID(p.Nick), Names: names(p.Nick)}) // void, they are there
		if _, err := h.Append(t.Context(), room.Encode(p, "room/shed", room.Joined{Screen: "screen of " + room.ScreenID(p.Nick), Names: names(p.Nick)})); err != nil {
			t.Fatalf("Append = %v, want no error", err)
		}
	}
	lines := []room.ID{
		h.do(kim, room.Lobby, said("고양이 one")),
		h.do(kim, room.Lobby, said(strings.Repeat("고양이 ", 500))),
	}
	h.post(lee, room.Renamed{To: "park", Names: names("park")})
	lines = append(lines, h.do(lee, room.Lobby, room.Emoted{Text: room.Sentence("고양이 two")})) // written as lee
	elsewhere := h.do(kim, "room/shed", said("고양이 elsewhere"))
	direct := h.do(kim, "", room.Told{To: op, Text: room.Sentence("고양이 direct")})
	h.say(lee, "something else")
	end := h.say(kim, "고양이 three")
	before, err := h.Holdings(t.Context(), kim.ID)
	if err != nil {
		t.Fatalf("Holdings = %v, want no error", err)
	}
	want := upTo(dump(t, h.Path()), end)

	for range 2 { // what was given back can be struck again
		strike := h.do(op, room.Lobby, room.Withdrawn{Lines: append([]room.ID{elsewhere, direct, room.NewID()}, lines...)})
		for range 2 {
			h.lines("after the strike", room.LineQuery{}, "room.Removed", "room.Removed", "room.Removed", "park: something else", "kim: 고양이 three")
			h.lines("elsewhere", room.LineQuery{Room: "room/shed"}, "kim: 고양이 elsewhere")
			h.finds(room.SearchQuery{Words: "고양"}, "kim: 고양이 three")
			h.finds(room.SearchQuery{Author: "case:park"}, "park: something else")
			letters, err := h.Told(t.Context(), op.ID, 0, end, 10)
			h.want("Told", letters, err, "kim → op: 고양이 direct")
			if _, n, err := h.Back(t.Context(), room.LineQuery{Room: room.Lobby, N: 10}); n != 5 || err != nil {
				t.Errorf("Back = %d lines, %v; want 5 with those that were struck", n, err)
			}
			found, err := h.Find(t.Context(), room.Lobby, lines[0].String()[:8], 10)
			if err != nil || len(found) != 1 || found[0].ID != lines[0] || found[0].Body != (room.Removed{}) || found[0].From != (room.Person{}) {
				t.Errorf("Find = %+v, %v; want the struck line, without its author", found, err)
			}
			if now, err := h.Holdings(t.Context(), kim.ID); now.Lines != before.Lines-2 || err != nil {
				t.Errorf("Holdings = %+v, %v; want %d lines", now, err, before.Lines-2)
			}
			rows := exported(t, h.Path(), sqlitestore.ExportQuery{Direct: true})
			if n := bytes.Count(rows, []byte("\n")); n != 4 {
				t.Errorf("the export has %d lines, want the 4 that were not struck:\n%s", n, rows)
			}
			if r, err := sqlitestore.Check(t.Context(), h.Path(), quiet); err != nil || len(r.Faults) > 0 || r.Lines != 3 {
				t.Errorf("Check = %+v, %v; want no fault, and 3 lines", r, err)
			}
			path := h.closed() // nothing of it is lost on the way
			rebuild(t, path)
			h.Store = openStore(t, path)
			h.come("op", op.Key)
		}
		h.do(op, "", room.Undone{Act: strike, Kind: "withdrawn"})
		wantSame(t, "what was undone", upTo(dump(t, h.Path()), end), want)
		h.finds(room.SearchQuery{Words: "고양", Author: "case:park"}, "* park 고양이 two")
	}
}

// A line that was struck goes with its words and its author, also when the house was down at that time, or its author was erased.
func TestWhatWasStruckIsGoneAfterADay(t *testing.T) {
	t.Parallel()
	for what, meanwhile := range map[string]func(h *house, kim room.Person){
		"nothing": func(*house, room.Person) {},
		"a start": func(h *house, _ room.Person) { h.reopen() },
		"an end": func(h *house, kim room.Person) {
			h.post(kim, room.Erased{Until: time.Now()})
			h.Forgotten(h)
		},
	} {
		h := newHouse(t)
		op := h.operator("op")
		kim := h.come("kim", "SHA256:fingerprint-of-kim")
		h.do(kim, "", room.Registered{Names: names("kim")})
		line := h.do(kim, room.Lobby, said("zeppelin "+strings.Repeat("balloon ", 600)))
		strike := h.do(op, room.Lobby, room.Withdrawn{Lines: []room.ID{line}})
		meanwhile(h, kim)
		h.Exec(t, fmt.Sprintf(`UPDATE withdrawn SET at = at - %d`, 23*time.Hour))
		h.LetGo(t)
		wantFile(t, carried(t, h), []string{"zeppelin"}, nil) // or this test shows nothing
		h.Exec(t, fmt.Sprintf(`UPDATE withdrawn SET at = at - %d`, time.Hour))
		h.LetGo(t)
		gone := []string{"zeppelin", "balloon"}
		wantFile(t, h.Path(), nil, gone)
		wantFile(t, h.Path()+"-wal", nil, gone)
		h.come("op", op.Key)
		h.post(op, room.Undone{Act: strike, Kind: "withdrawn"}) // too late
		h.lines(what, room.LineQuery{}, "room.Removed")
		path := h.closed()
		wantFile(t, path, nil, gone)
		if what == "an end" {
			wantFile(t, path, nil, []string{"fingerprint-of-kim"})
		}
		if r, err := sqlitestore.Check(t.Context(), path, quiet); err != nil || len(r.Faults) > 0 {
			t.Errorf("%s: Check = %+v, %v; want no fault", what, r, err)
		}
	}
}

// carried returns a file that holds all of a database.
func carried(tb testing.TB, h *house) (path string) {
	tb.Helper()
	path = newPath(tb)
	if _, err := sqlitestore.Backup(tb.Context(), h.Path(), path); err != nil {
		tb.Fatalf("Backup = %v, want no error", err)
	}
	return path
}

// The lines of somebody who was forgotten come back without them.
func TestAStrikeUndoneAfterItsAuthorWasErased(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	op := h.operator("op")
	kim, lee := h.come("kim", "SHA256:fingerprint-of-kim"), h.come("lee", "SHA256:lee")
	h.do(kim, "", room.Registered{Names: names("kim")})
	line := h.do(kim, room.Lobby, said("고양이"))
	strike := h.do(op, room.Lobby, room.Withdrawn{Lines: []room.ID{line}})
	h.post(kim, room.Erased{Until: time.Now()})
	h.Forgotten(t)
	park := h.come("park", "SHA256:park") // whoever is new gets no number that something set aside refers to
	h.say(park, "hello")
	h.say(lee, "hello")
	wantFile(t, carried(t, h), nil, []string{"fingerprint-of-kim"})
	h.do(op, "", room.Undone{Act: strike, Kind: "withdrawn"})
	h.lines("after the undoing", room.LineQuery{}, "—: 고양이", "park: hello", "lee: hello")
	h.finds(room.SearchQuery{Words: "고양"}, "—: 고양이")
	h.finds(room.SearchQuery{Words: "고양", Author: "case:kim"})
	wantFile(t, h.closed(), nil, []string{"fingerprint-of-kim"})
}

// Whoever said nothing else is still known while that may come back.
func TestAStrikeUndoneAfterOthersAreGone(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	op := h.operator("op")
	var lines, strikes []room.ID
	var people []room.Person
	for _, nick := range []room.Nick{"kim", "lee"} {
		p := h.come(nick, "SHA256:"+string(nick))
		line := h.do(p, room.Lobby, said("hello of "+string(nick)))
		people, lines = append(people, p), append(lines, line)
		strikes = append(strikes, h.do(op, room.Lobby, room.Withdrawn{Lines: []room.ID{line}}))
	}
	h.Exec(t, fmt.Sprintf(`UPDATE withdrawn SET at = at - %d WHERE id = x'%s'`, 25*time.Hour, lines[1]))
	h.LetGo(t)
	park := h.come("park", "SHA256:park")
	h.say(park, "hello")
	for _, strike := range strikes {
		h.do(op, "", room.Undone{Act: strike, Kind: "withdrawn"})
	}
	h.lines("what is left", room.LineQuery{}, "kim: hello of kim", "room.Removed", "park: hello")
	for i, p := range append(people, park) {
		if has, err := h.Holdings(t.Context(), p.ID); has.Lines != []int{1, 0, 1}[i] || err != nil {
			t.Errorf("Holdings of %s = %+v, %v; want %d lines", p.Nick, has, err, []int{1, 0, 1}[i])
		}
	}
}

func TestStruckLinesGrowOld(t *testing.T) {
	t.Parallel()
	h, _ := keeping(t, newPath(t), sqlitestore.Keep{Lines: 2})
	op := h.operator("op")
	var lines []room.ID
	for i := range 3 {
		lines = append(lines, h.do(op, room.Lobby, said(fmt.Sprint("zeppelin", i))))
	}
	h.do(op, room.Lobby, room.Withdrawn{Lines: lines[:2]})
	h.LetGo(t)
	h.lines("the newest two", room.LineQuery{}, "room.Removed", "op: zeppelin2")
	path := h.closed()
	wantFile(t, path, []string{"zeppelin1", "zeppelin2"}, []string{"zeppelin0"})
	if rows := dump(t, path); len(slices.DeleteFunc(rows, func(row string) bool { return !strings.HasPrefix(row, "withdrawn:") })) != 1 {
		t.Errorf("%q is set aside, want the one line that is left", rows)
	}
}

func TestARoomThatEndedIsForgotten(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	op := h.operator("op")
	owner := h.come("kim", "SHA256:kim")
	shed := room.SubjectOf("shed")
	open := func() {
		h.do(owner, shed, room.Opened{Name: "shed", Names: []string{"shed"}})
		if _, err := h.Append(t.Context(), room.Encode(owner, shed, room.Joined{Screen: "screen of kim", Names: names("kim")})); err != nil {
			t.Fatalf("Append = %v, want no error", err)
		}
	}
	open()
	const many = 60 // more than go at once
	var lines []room.ID
	for i := range many {
		lines = append(lines, h.do(owner, shed, said(fmt.Sprintf("zeppelin %d", i))))
	}
	h.do(op, shed, room.Withdrawn{Lines: lines[:2]})
	h.say(owner, "trumpet")
	if err := h.SavePlaces(t.Context(), []room.Place{{Account: op.ID, Of: shed, Seen: 20, Sent: 30}, {Account: op.ID, Of: room.Lobby, Seen: 20, Sent: 30}}); err != nil {
		t.Fatalf("SavePlaces = %v, want no error", err)
	}
	if _, err := h.Append(t.Context(), room.Encode(owner, shed, room.Parted{Screen: "screen of kim"})); err != nil {
		t.Fatalf("Append = %v, want no error", err)
	}
	h.do(room.Person{}, shed, room.Closed{})
	if found, err := h.Find(t.Context(), shed, lines[5].String()[:8], 10); len(found) > 0 || err != nil {
		t.Errorf("Find = %v, %v; want nothing of a room that ended", found, err)
	}
	open()
	opened, err := h.Head(t.Context())
	if err != nil {
		t.Fatalf("Head = %v, want no error", err)
	}
	again := h.do(owner, shed, said("zeppelin of the next"))
	h.finds(room.SearchQuery{Words: "zeppelin", Room: shed, From: opened.Seq}, "kim: zeppelin of the next")
	if r, err := sqlitestore.Check(t.Context(), h.Path(), quiet); err != nil || len(r.Faults) > 0 || r.Aging != many {
		t.Errorf("Check = %+v, %v; want no fault, and %d lines that go", r, err, many)
	}
	h.LetGo(t)
	h.lines("of the next room", room.LineQuery{Room: shed}, "kim: zeppelin of the next")
	h.lines("of the lobby", room.LineQuery{}, "kim: trumpet")
	h.finds(room.SearchQuery{Words: "zeppelin", Room: shed}, "kim: zeppelin of the next")
	if found, err := h.Find(t.Context(), shed, again.String(), 10); len(found) != 1 || err != nil {
		t.Errorf("Find = %v, %v; want the line of the next room", found, err)
	}
	places, err := h.Places(t.Context(), op.ID)
	if err != nil || len(places) != 1 || places[0].Of != room.Lobby {
		t.Errorf("Places = %+v, %v; want that of the lobby alone", places, err)
	}
	acts, err := h.Acts(t.Context(), room.ActQuery{Where: shed, N: 10})
	h.want("Acts", acts, err, "room.Opened", "room.Closed", "room.Withdrawn", "room.Opened")
	path := h.closed()
	wantFile(t, path, []string{"trumpet", "zeppelin of the next"}, []string{"zeppelin 1", "zeppelin 0"})
	if r, err := sqlitestore.Check(t.Context(), path, quiet); err != nil || len(r.Faults) > 0 {
		t.Errorf("Check = %+v, %v; want no fault", r, err)
	}
}

// What went with its room says nothing of what is older than that.
func TestAnEndedRoomAmongOldLines(t *testing.T) {
	t.Parallel()
	h, log := keeping(t, newPath(t), sqlitestore.Keep{Lines: 3})
	kim := h.operator("kim")
	h.say(kim, "one")
	h.say(kim, "two")
	const shed = room.Subject("room/shed")
	guest := h.come("guest", "")
	h.do(guest, shed, room.Opened{Name: "shed", Names: []string{"shed"}})
	if _, err := h.Append(t.Context(), room.Encode(guest, shed, room.Joined{Screen: "screen of guest", Names: names("guest")}),
		room.Encode(guest, shed, said("in the shed")), room.Encode(guest, shed, room.Parted{Screen: "screen of guest"})); err != nil {
		t.Fatalf("Append = %v, want no error", err)
	}
	h.do(room.Person{}, shed, room.Closed{})
	h.LetGo(t)
	h.lines("of the lobby", room.LineQuery{}, "kim: one", "kim: two")
	h.lines("of the shed", room.LineQuery{Room: shed})
	for _, text := range []string{"three", "four"} {
		h.say(kim, text)
	}
	h.LetGo(t)
	h.lines("of the lobby", room.LineQuery{}, "kim: two", "kim: three", "kim: four")
	h.closed()
	for _, want := range []string{`msg="lines of ended rooms removed" lines=1`, `msg="old lines removed" lines=1 direct=0`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log is %s, want %q", log, want)
		}
	}
}

func TestActs(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	op, rude, _ := quarrel(h)
	h.post(rude, mute(op, time.Hour)) // void
	garden := room.SubjectOf("garden")
	all := []string{
		"room.Announced", "room.Barred", "room.Undone", "room.Lifted", "room.Barred", "room.Barred", "room.Withdrawn", "room.Ranked",
		"room.Ranked", "room.Invited", "room.Arranged", "room.Arranged", "room.Opened", "room.Opened", "room.Appointed",
	}
	for range 2 {
		for what, tt := range map[string]struct {
			q    room.ActQuery
			want []string
		}{
			"all":          {room.ActQuery{N: 100}, all},
			"the newest":   {room.ActQuery{N: 2}, all[:2]},
			"of the lobby": {room.ActQuery{Where: room.Lobby, N: 100}, all[2:7]},
			"two of them":  {room.ActQuery{Where: room.Lobby, N: 2}, all[2:4]},
			"of a room":    {room.ActQuery{Where: garden, N: 100}, []string{"room.Ranked", "room.Invited", "room.Arranged", "room.Arranged", "room.Opened"}},
			"of the house": {room.ActQuery{Where: room.HouseSubject, N: 100}, []string{"room.Announced", "room.Barred", "room.Ranked", "room.Appointed"}},
			"of nothing":   {room.ActQuery{Where: "room/none", N: 100}, []string{}},
			"later":        {room.ActQuery{Since: time.Now().Add(time.Hour), N: 100}, []string{}},
		} {
			acts, err := h.Acts(t.Context(), tt.q)
			h.want("Acts "+what, acts, err, tt.want...)
		}
		acts, err := h.Acts(t.Context(), room.ActQuery{Where: room.Lobby, N: 3})
		if err != nil || len(acts) != 3 {
			t.Fatalf("Acts = %v, %v; want 3", acts, err)
		}
		before, err := h.Acts(t.Context(), room.ActQuery{Where: room.Lobby, Before: acts[2].Seq, N: 100})
		h.want("Acts before the third", before, err, all[5:7]...)
		since, err := h.Acts(t.Context(), room.ActQuery{Where: room.Lobby, Since: acts[1].At, N: 100})
		h.want("Acts since the second", since, err, all[2:4]...)
		h.reopen()
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	kim := h.come("kim", "")
	text := map[room.ID]string{}
	for i := range 40 {
		line := fmt.Sprintf("line %d", i)
		text[h.do(kim, room.Lobby, said(line))] = "kim: " + line
	}
	void := room.Encode(room.Person{ID: "conn:nobody", Nick: "nobody"}, room.Lobby, said("from outside"))
	if _, err := h.Append(t.Context(), void); err != nil {
		t.Fatalf("Append = %v, want no error", err)
	}
	ids := slices.SortedFunc(func(yield func(room.ID) bool) {
		for id := range text {
			if !yield(id) {
				return
			}
		}
	}, func(a, b room.ID) int { return bytes.Compare(a[:], b[:]) })
	for digits := 1; digits <= 32; digits++ {
		begin := ids[20].String()[:digits]
		var want []string
		for _, id := range ids {
			if strings.HasPrefix(id.String(), begin) {
				want = append(want, text[id])
			}
		}
		found, err := h.Find(t.Context(), room.Lobby, begin, 100)
		h.want("Find "+begin, found, err, want...)
		found, err = h.Find(t.Context(), room.Lobby, begin, 1)
		h.want("Find the first of "+begin, found, err, want[0])
	}
	for _, begin := range []string{"", "x", "%", ids[20].String() + "0", void.ID.String()} {
		found, err := h.Find(t.Context(), room.Lobby, begin, 100)
		h.want("Find "+begin, found, err)
	}
	found, err := h.Find(t.Context(), "room/none", ids[20].String(), 100)
	h.want("Find elsewhere", found, err)
}

// Neither what was done lately nor a line by its ID is looked for among all lines.
func TestOrderIsFoundByItsIndexes(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	quarrel(h)
	for what, tt := range map[string]struct{ query, want string }{
		"acts of a room": {sqlitestore.ActsOfQuery, "USING INDEX acts_by_subject (subject=? AND rowid>? AND rowid<?)"},
		"a line":         {sqlitestore.FindQuery, "SEARCH log USING INDEX sqlite_autoindex_log_1 (id>? AND id<?)"},
	} {
		plan := strings.Join(h.Plan(t, tt.query), "; ")
		if !strings.Contains(plan, tt.want) || strings.Contains(plan, "TEMP B-TREE") || strings.Contains(plan, "SCAN log") {
			t.Errorf("the plan of looking for %s is %q, want %q, and no sorting", what, plan, tt.want)
		}
	}
}

func TestSightings(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	now := time.Now().Round(0)
	kim, lee := room.Person{ID: "key:kim", Nick: "kim", Key: "SHA256:kim"}, room.Person{ID: "conn:lee", Nick: "lee"}
	saw := func(who room.Person, addr string, ago time.Duration) room.Sighting {
		return room.Sighting{Person: who, Names: names(who.Nick), Addr: netip.MustParseAddr(addr), At: now.Add(-ago)}
	}
	save := func(people map[room.PersonID][]room.Sighting) {
		t.Helper()
		if err := h.SaveSightings(t.Context(), people, now.Add(-room.SightedFor)); err != nil {
			t.Fatalf("SaveSightings = %v, want no error", err)
		}
	}
	wantSeen := func(doing string, want ...room.Sighting) {
		t.Helper()
		seen, err := h.Sightings(t.Context())
		if err != nil || len(seen) != len(want) || len(want) > 0 && !reflect.DeepEqual(seen, want) {
			t.Errorf("Sightings %s = %+v, %v; want %+v", doing, seen, err, want)
		}
	}
	wantSeen("of nobody")
	one, two, three := saw(kim, "192.0.2.7", 3*time.Hour), saw(kim, "2001:db8::7", 2*time.Hour), saw(lee, "192.0.2.7", time.Hour)
	save(map[room.PersonID][]room.Sighting{kim.ID: {one, two}, lee.ID: {three, saw(lee, "192.0.2.8", 25*time.Hour)}})
	for range 2 {
		wantSeen("of two", one, two, three)
		h.reopen()
	}
	four := saw(kim, "192.0.2.9", 0)
	save(map[room.PersonID][]room.Sighting{kim.ID: {four}})
	wantSeen("of one who came again", three, four)
	save(map[room.PersonID][]room.Sighting{lee.ID: nil})
	wantSeen("of one who was forgotten", four)
	h.Exec(t, fmt.Sprintf(`INSERT INTO sightings VALUES ('who', 'nowhere', 'who', '', '[]', %d)`, now.UnixNano()))
	wantSeen("but one that is damaged", four)
	h.Exec(t, fmt.Sprintf(`UPDATE sightings SET at = at - %d`, 25*time.Hour))
	h.LetGo(t)
	wantSeen("a day later")
}

func TestErasureOfSomebodyWhoKeptOrder(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	op, rude, lines := quarrel(h)
	h.do(op, room.Lobby, room.Kicked{Whom: rude})
	h.do(op, room.Lobby, room.Withdrawn{Lines: lines[2:]})
	h.post(op, room.Arranged{What: "shape", Value: "round"}) // void
	for range 300 {                                          // lines come after them
		h.say(op, "on and on")
	}
	seen := room.Sighting{Person: op, Addr: netip.MustParseAddr("192.0.2.7"), At: time.Now()}
	if err := h.SaveSightings(t.Context(), map[room.PersonID][]room.Sighting{op.ID: {seen}}, time.Time{}); err != nil {
		t.Fatalf("SaveSightings = %v, want no error", err)
	}
	before, err := h.Acts(t.Context(), room.ActQuery{N: 100})
	if err != nil {
		t.Fatalf("Acts = %v, want no error", err)
	}
	h.do(op, "", room.Erased{Until: time.Now()})
	after, err := h.Acts(t.Context(), room.ActQuery{N: 100}) // at once, though the lines are not done yet
	if err != nil || len(after) != len(before) {
		t.Fatalf("Acts = %d, %v; want the %d there were", len(after), err, len(before))
	}
	for i, e := range after {
		if before[i].From.ID == op.ID {
			before[i].From = room.Struck
		}
		if !reflect.DeepEqual(e, before[i]) {
			t.Errorf("act %d is %+v, want %+v", i, e, before[i])
		}
	}
	if seen, err := h.Sightings(t.Context()); len(seen) > 0 || err != nil {
		t.Errorf("Sightings = %v, %v; want none", seen, err)
	}
	h.Forgotten(t)
	path := h.closed()
	kept := dump(t, path, "log", "found", "meta", "people", "held")
	wantFile(t, path, []string{"무례한"}, []string{string(op.ID)})
	if r, err := sqlitestore.Check(t.Context(), path, quiet); err != nil || len(r.Faults) > 0 {
		t.Errorf("Check = %+v, %v; want no fault", r, err)
	}
	rebuild(t, path)
	if r, err := sqlitestore.Check(t.Context(), path, quiet); err != nil || len(r.Faults) > 0 {
		t.Errorf("Check after Rebuild = %+v, %v; want no fault, and %q", r, err, kept)
	}
}

// An import moves places, and what is struck, set aside, decided or ended moves with them.
func TestImportAmongWhatWasDecided(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	op, _, lines := quarrel(h)
	strike := h.do(op, room.Lobby, room.Withdrawn{Lines: lines[2:]})
	var charter []string // after the import, when every room begins one place further back
	for _, c := range h.kept() {
		charter = append(charter, movedUp(fmt.Sprintf("%s=%s", c.Key, c.Value)))
	}
	path := h.closed()
	moving := []string{"log", "meta", "found", "names", "sqlite_sequence", "kept"}
	want := dump(t, path, moving...)
	row := `{"id":"00000000000000000000000000000001","at":"2001-02-03T04:05:06Z","room":"#lobby","nick":"old","kind":"said","text":"from long ago"}`
	if got := imported(t, path, []byte(row+"\n")); got.New != 1 {
		t.Fatalf("Import = %+v, want one new line", got)
	}
	wantSame(t, "what was imported into", dump(t, path, moving...), want)
	if r, err := sqlitestore.Check(t.Context(), path, quiet); err != nil || len(r.Faults) > 0 {
		t.Errorf("Check = %+v, %v; want no fault", r, err)
	}
	h.Store = openStore(t, path)
	var got []string
	for _, c := range h.kept() {
		got = append(got, fmt.Sprintf("%s=%s", c.Key, c.Value))
	}
	wantSame(t, "the charter after the import", got, charter)
	h.come("op", op.Key)
	h.lines("after the import", room.LineQuery{}, "old: from long ago", "room.Removed", "room.Removed", "room.Removed", "op: that is all")
	h.do(op, "", room.Undone{Act: strike, Kind: "withdrawn"})
	h.lines("after the undoing", room.LineQuery{}, "old: from long ago", "room.Removed", "room.Removed", "rude: 무례한 말 rude2", "op: that is all")
}

func TestBackupOfWhatWasDecided(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	quarrel(h)
	copied := carried(t, h)
	path := h.closed()
	wantSame(t, "the backup", dump(t, copied, "meta"), dump(t, path, "meta"))
	if _, err := sqlitestore.Restore(t.Context(), path, copied); err != nil {
		t.Errorf("Restore = %v, want no error", err)
	}
	wantSame(t, "what was restored", dump(t, path, "meta"), dump(t, copied, "meta"))
}

func TestMigrationFromVersion1(t *testing.T) {
	t.Parallel()
	path, full := newPath(t), newPath(t)
	furnished(t, full)
	sqlitestore.MakeVersion1(t, path, full)
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := sqlitestore.Check(t.Context(), path, quiet); err != nil || !r.Older || r.Lines != 0 {
		t.Errorf("Check of version 1 = %+v, %v; want it told that it is of an older form, and nothing counted", r, err)
	}
	h := &house{t, openStore(t, path)}
	h.finds(room.SearchQuery{Words: "line", N: 1}, "kim: line 99")
	op, rude, _ := quarrel(h)
	h.do(op, room.Lobby, mute(rude, time.Hour))
	h.closed()
	if r, err := sqlitestore.Check(t.Context(), path, quiet); err != nil || len(r.Faults) > 0 || r.Version != 3 || r.Older || r.Lines == 0 {
		t.Errorf("Check = %+v, %v; want version 3 without a fault, and its lines counted", r, err)
	}
	copies, err := filepath.Glob(path + ".v1-*")
	if err != nil || len(copies) != 1 {
		t.Fatalf("beside the database there is %q, %v; want one copy of version 1", copies, err)
	}
	// A copy is compact, and else what there was.
	if err := os.WriteFile(path+".old", old, 0o600); err != nil {
		t.Fatal(err)
	}
	wantSame(t, "the copy of version 1", dump(t, copies[0]), dump(t, path+".old"))
}

func TestMigrationFromVersion2(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	quarrel(h)
	want, err := h.Acts(t.Context(), room.ActQuery{N: 100})
	if err != nil {
		t.Fatal(err)
	}
	path := h.closed()
	all := dump(t, path, "meta")
	sqlitestore.MakeVersion2(t, path)
	h.Store = openStore(t, path)
	if got, err := h.Acts(t.Context(), room.ActQuery{N: 100}); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Acts = %v, %v; want %v", got, err, want)
	}
	h.closed()
	if r, err := sqlitestore.Check(t.Context(), path, quiet); err != nil || len(r.Faults) > 0 || r.Version != 3 || r.Acts == 0 {
		t.Errorf("Check = %+v, %v; want version 3 without a fault, and its acts counted", r, err)
	}
	wantSame(t, "the database", dump(t, path, "meta"), all)
	sqlite(t, path, func(conn *sql.Conn) error { // what is asked first spares a line the rest
		narrow, err := selected(conn, `SELECT name FROM sqlite_schema WHERE type = 'index' AND sql LIKE '% WHERE line = 0 AND %'`)
		wantSame(t, "the indexes that pass over lines", narrow, []string{"name=acts_by_subject", "name=acts_by_author"})
		return err
	})
}

// movedUp moves the place where a room began, or something was done, by one.
func movedUp(row string) string {
	return placed.ReplaceAllStringFunc(row, func(place string) string {
		name, digits, _ := strings.Cut(place, ":")
		seq, err := strconv.Atoi(digits)
		if err != nil || seq == 0 {
			return place
		}
		return name + ":" + strconv.Itoa(seq+1)
	})
}

var placed = regexp.MustCompile(`"(Opened|Seq)":[0-9]+`)
