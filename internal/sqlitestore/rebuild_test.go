package sqlitestore_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"sarangbang/internal/sqlitestore"
	"sarangbang/room"
)

func TestRebuildMakesTheSameOfTheLog(t *testing.T) {
	h := newHouse(t)
	kim, lee := h.come("kim", "SHA256:kim"), h.come("lee", "SHA256:lee")
	h.post(kim, room.Registered{Names: names("kim")})
	h.post(kim, room.KeyAdded{Key: "SHA256:second"})
	h.post(kim, room.KeyRemoved{Key: "SHA256:kim"})
	kim.Key = "SHA256:second"
	h.post(kim, room.Configured{Name: "lang", Value: "ko"})
	h.post(lee, room.Registered{Names: names("lee")})
	h.say(kim, "고양이 하나")
	h.say(lee, "고양이 둘")
	h.say(room.Person{ID: "conn:ghost", Nick: "ghost"}, "고양이 셋") // void
	h.post(lee, room.Erased{Until: time.Now().Add(time.Hour)})
	h.post(kim, room.Renamed{To: "kim2", Names: names("kim2")})
	h.say(kim, "고양이 넷")
	h.Forgotten(t)
	if err := h.SavePlaces(t.Context(), []room.Place{{Account: kim.ID, Of: room.Lobby, Seen: 1, Sent: 2}}); err != nil {
		t.Fatalf("SavePlaces = %v, want no error", err)
	}
	before, err := h.Snapshot(t.Context())
	if err != nil {
		t.Fatalf("Snapshot = %v, want no error", err)
	}
	path := h.Path()
	if err := h.Close(); err != nil {
		t.Fatalf("Close = %v, want no error", err)
	}

	execute(t, path, `DELETE FROM accounts`, `DELETE FROM account_names`, `UPDATE account_keys SET key = 'damaged'`,
		`INSERT INTO settings VALUES ('nobody', 'lang', 'xx')`, `INSERT INTO words (words) VALUES ('delete-all')`,
		`UPDATE names SET name = 'damaged ' || no`)
	var done, last room.Seq
	made, err := sqlitestore.Rebuild(t.Context(), path, quiet, func(d, l room.Seq) { done, last = d, l })
	if err != nil || done == 0 || done > last || last != before.At.Seq {
		t.Fatalf("Rebuild = %v after %d of %d, want no error and all up to %d", err, done, last, before.At.Seq)
	}
	wantFiles(t, filepath.Dir(path), "house.db", filepath.Base(made.Aside))
	if err := os.Remove(made.Aside); err != nil {
		t.Fatal(err)
	}
	if files := contents(t, filepath.Dir(path)); len(files) != 1 {
		t.Errorf("Rebuild left %d files, want the database alone", len(files))
	}

	h.Store = openStore(t, path)
	after, err := h.Snapshot(t.Context())
	if err != nil || !reflect.DeepEqual(after, before) {
		t.Errorf("Snapshot = %+v, %v; want %+v", after, err, before)
	}
	h.finds(room.SearchQuery{Words: "고양"}, "kim2: 고양이 넷", "—: 고양이 둘", "kim: 고양이 하나")
	h.finds(room.SearchQuery{Words: "고양", Author: "case:kim2"}, "kim2: 고양이 넷")
	h.finds(room.SearchQuery{Words: "고양", Author: "case:lee"})
	if places, err := h.Places(t.Context(), kim.ID); len(places) != 1 || err != nil {
		t.Errorf("Places = %v, %v; want the one that was saved", places, err)
	}
	if seq := h.say(kim, "later"); seq <= before.At.Seq { // nobody is there after a start, but it has a place
		t.Errorf("the place of a record after Rebuild is %d, want it above %d", seq, before.At.Seq)
	}
}

func TestRebuildNeedsADatabase(t *testing.T) {
	path := newPath(t)
	_, err := sqlitestore.Rebuild(t.Context(), path, quiet, func(_, _ room.Seq) {})
	if err == nil || !strings.Contains(err.Error(), path) || len(contents(t, filepath.Dir(path))) != 0 {
		t.Errorf("Rebuild of nothing = %v, want a sentence with %s, and nothing made", err, path)
	}
}
