package sqlitestore_test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sarangbang/internal/sqlitestore"
	"sarangbang/room"
)

func rebuild(tb testing.TB, path string) {
	tb.Helper()
	done, err := sqlitestore.Rebuild(tb.Context(), path, quiet, func(_, _ room.Seq) {})
	if err != nil || done.Lost != nil || done.Aside != asideOf(tb, path, "rebuild") {
		tb.Fatalf("Rebuild = %+v, %v; want nothing lost, where the other is kept, no error", done, err)
	}
	if err := os.Remove(done.Aside); err != nil {
		tb.Fatal(err)
	}
}

func TestRebuildMakesTheSame(t *testing.T) {
	h := newHouse(t)
	story(h)
	path := h.closed()
	want := dump(t, path)
	rebuild(t, path)
	wantSame(t, "what was rebuilt", dump(t, path), want)
	wantFiles(t, filepath.Dir(path), "house.db")
}

// spoilings are what can be amiss in what follows from the log, with what Check says of it.
var spoilings = map[string]struct{ statement, want string }{
	"a line that is not indexed": {`DELETE FROM words WHERE rowid = (SELECT max(seq) FROM log WHERE line = 1)`, "the search index lacks 1 lines"},
	"no index":                   {`INSERT INTO words (words) VALUES ('delete-all')`, "the search index lacks 5 lines"},
	"an index of nothing":        {`INSERT INTO words (rowid, body) VALUES (9999, 'x')`, "the search index has 1 lines too many"},
	"an account that is lost":    {`DELETE FROM accounts WHERE nick = 'lee'`, "the account lee of the log is missing"},
	"a missing index":            {`DROP INDEX log_by_subject`, "the index log_by_subject is missing"},
	"pages that nobody has":      {`PRAGMA writable_schema = 1; DELETE FROM sqlite_schema WHERE name = 'log_by_author'`, "the index log_by_author is missing"},
	"a dropped table":            {`DROP TABLE account_keys`, "the table account_keys is missing"},
	"no index at all":            {`DROP TABLE words`, "the table words is missing"},
	"nobody's name":              {`DELETE FROM names`, "the search index knows nobody's name"},
	"no authors":                 {`DELETE FROM people`, "the authors of 15 records are missing"},
	"a damaged index":            {`UPDATE words_data SET block = X'00000004' WHERE id > 10`, "the search index is damaged"},
	"an account of nobody":       {`INSERT INTO accounts VALUES ('who', 'ghost', 1)`, "the account ghost is not as the log has it"},
	"a key that is lost":         {`DELETE FROM account_keys WHERE key = 'SHA256:kim'`, "the account kim is not as the log has it"},
	"a key too many":             {`INSERT INTO account_keys SELECT person, 9, 'SHA256:x' FROM accounts WHERE nick = 'kim'`, "the account kim is not as the log has it"},
	"another setting":            {`UPDATE settings SET value = 'xx'`, "the account lee is not as the log has it"},
	"another nickname":           {`UPDATE accounts SET nick = 'KIM' WHERE nick = 'kim'`, "the account KIM is not as the log has it"},
	"a name of two": {
		`INSERT INTO account_names SELECT a.person, 9, 'case:kim' FROM accounts a WHERE nick = 'lee'`, "the accounts kim and lee own the same name or key",
	},
}

func TestRebuildMendsWhatCheckFinds(t *testing.T) {
	h := newHouse(t)
	story(h)
	path := h.closed()
	want := dump(t, path)
	r, err := sqlitestore.Check(t.Context(), path, quiet)
	if err != nil || len(r.Faults) > 0 {
		t.Fatalf("Check = %+v, %v; want no fault", r, err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for what, s := range spoilings {
		change(t, path, func([]byte) []byte { return whole })
		execute(t, path, s.statement)
		r, err := sqlitestore.Check(t.Context(), path, quiet)
		if err != nil {
			t.Fatalf("%s: Check = %v, want no error", what, err)
		}
		found := false
		for _, f := range r.Faults {
			found = found || f.Text == s.want
			if f.Mend != sqlitestore.ByRebuild {
				t.Errorf("%s: Check calls %q a fault that Rebuild does not mend", what, f.Text)
			}
		}
		if !found {
			t.Errorf("%s: Check found %v, want %q", what, r.Faults, s.want)
		}
		rebuild(t, path)
		if what != "nobody's name" { // which get other numbers
			wantSame(t, what+": what was rebuilt", dump(t, path), want)
		}
		if r, err := sqlitestore.Check(t.Context(), path, quiet); err != nil || len(r.Faults) > 0 {
			t.Errorf("%s: Check of what was rebuilt = %+v, %v; want no fault", what, r, err)
		}
	}
}

// Whatever is damaged but the log itself is made anew from it, and doctor says so. A start refuses what it cannot do without, and leaves
// every file as it is.
func TestASoundLogIsEnough(t *testing.T) {
	h := newHouse(t)
	story(h)
	path := h.closed()
	want := dump(t, path)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	roots := map[string]int{}
	sqlite(t, path, func(conn *sql.Conn) error {
		rows, err := selected(conn, `SELECT name, rootpage FROM sqlite_schema WHERE rootpage > 0`)
		for _, row := range rows {
			var name string
			var page int
			if _, err := fmt.Sscanf(row, "name=%s rootpage=%d", &name, &page); err != nil {
				return err
			}
			roots[name] = page
		}
		return err
	})
	for name, page := range roots {
		path := newPath(t)
		spoilt := slices.Clone(whole)
		clear(spoilt[(page-1)*4096 : page*4096])
		if err := os.WriteFile(path, spoilt, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := sqlitestore.Open(path, quiet)
		if err == nil {
			_ = s.Close()
		} else if !strings.Contains(err.Error(), "database "+path+" ") || strings.ContainsAny(err.Error(), "\n") {
			t.Errorf("%s: Open = %v, want a sentence that names the file", name, err)
		}
		if file, e := os.ReadFile(path); e != nil || err != nil && !bytes.Equal(file, spoilt) {
			t.Errorf("%s: Open = %v, and the file is another then (%v)", name, err, e)
		}
		if slices.Contains([]string{"meta", "log", "accounts", "account_names", "account_keys", "settings", "held", "places", "striking", "kept"}, name) && err == nil {
			t.Errorf("%s: Open = no error, want one", name)
		}
		if err := os.WriteFile(path, spoilt, 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := sqlitestore.Check(t.Context(), path, quiet)
		mend := sqlitestore.ByRebuild
		if name == "log" {
			mend = sqlitestore.ByRestore
		}
		for _, f := range r.Faults {
			if strings.Contains(f.Text, "***") || strings.Contains(f.Text, "Tree") || strings.Contains(f.Text, "page") {
				t.Errorf("%s: Check tells %q, want no words of SQLite's own", name, f.Text)
			}
		}
		if err != nil || len(r.Faults) == 0 || slices.MinFunc(r.Faults, func(a, b sqlitestore.Fault) int { return int(a.Mend) - int(b.Mend) }).Mend != mend {
			t.Errorf("%s: Check = %+v, %v; want faults that %d mends", name, r, err, mend)
		}
		done, err := sqlitestore.Rebuild(t.Context(), path, quiet, func(_, _ room.Seq) {})
		if name == "log" {
			if file, e := os.ReadFile(path); err == nil || !strings.Contains(err.Error(), "the log of the database "+path+" is itself damaged") || !bytes.Equal(file, spoilt) {
				t.Errorf("log: Rebuild = %v, and the file is there (%v); want a sentence, and the file as it was", err, e)
			}
			wantFiles(t, filepath.Dir(path), "house.db")
			continue
		}
		if err != nil {
			t.Errorf("%s: Rebuild = %v, want no error", name, err)
			continue
		}
		if r, err := sqlitestore.Check(t.Context(), path, quiet); err != nil || len(r.Faults) > 0 {
			t.Errorf("%s: Check of what was rebuilt = %+v, %v; want no fault", name, r, err)
		}
		switch told := slices.Contains([]string{"meta", "held", "striking", "places", "sightings", "withdrawn", "closing"}, name); {
		case told && !slices.Contains(done.Lost, name), !told && name != "names" && len(done.Lost) > 0:
			t.Errorf("%s: lost are %q", name, done.Lost)
		case !told && name != "names" && name != "people" && name != "sqlite_sequence":
			wantSame(t, name+": what was rebuilt", dump(t, path), want)
		}
		again := &house{t, openStore(t, path)}
		again.finds(room.SearchQuery{Words: "안녕 lee", Author: "case:lee"}, "lee: 안녕하세요, this is lee")
	}
}

// What a start refuses is no database in which all is well.
func TestCheckFindsWhatAStartRefuses(t *testing.T) {
	for _, statement := range []string{
		`DELETE FROM meta WHERE name = 'reserved'`, `UPDATE meta SET value = 'many' WHERE name = 'reserved'`,
		`UPDATE meta SET value = -1 WHERE name = 'reserved'`, `DELETE FROM meta WHERE name = 'epoch'`, `DROP TABLE meta`,
	} {
		h := newHouse(t)
		story(h)
		path := h.closed()
		execute(t, path, statement)
		before := contents(t, filepath.Dir(path))
		if _, err := sqlitestore.Open(path, quiet); err == nil || !strings.Contains(err.Error(), "database "+path+" is damaged") {
			t.Errorf("%s: Open = %v, want a sentence", statement, err)
		}
		if after := contents(t, filepath.Dir(path)); !maps.Equal(before, after) {
			t.Errorf("%s: Open changed what is there", statement)
		}
		if _, err := sqlitestore.Restore(t.Context(), newPath(t), path); err == nil || !strings.Contains(err.Error(), "nothing is restored") {
			t.Errorf("%s: Restore = %v, want a sentence", statement, err)
		}
		r, err := sqlitestore.Check(t.Context(), path, quiet)
		if err != nil || len(r.Faults) == 0 || r.Faults[0].Mend != sqlitestore.ByRebuild {
			t.Errorf("%s: Check = %+v, %v; want faults that Rebuild mends", statement, r, err)
		}
		if _, err := sqlitestore.Rebuild(t.Context(), path, quiet, func(_, _ room.Seq) {}); err != nil {
			t.Errorf("%s: Rebuild = %v, want no error", statement, err)
		}
		again := &house{t, openStore(t, path)}
		again.say(again.come("new", ""), "and on")
	}
}

// An index that leads to nothing has every line in it, and finds none.
func TestCheckLooksForLines(t *testing.T) {
	h := newHouse(t)
	kim := h.come("kim", "")
	var recs []room.Record
	for i := range 2000 {
		recs = append(recs, room.Encode(kim, room.Lobby, room.Said{Text: room.Sentence(fmt.Sprint("word", i*7919))}))
	}
	if _, err := h.Append(t.Context(), recs...); err != nil {
		t.Fatalf("Append = %v, want no error", err)
	}
	path := h.closed()
	execute(t, path, `DELETE FROM words_idx`)
	r, err := sqlitestore.Check(t.Context(), path, quiet)
	if err != nil || len(r.Faults) != 1 || r.Faults[0].Mend != sqlitestore.ByRebuild || !strings.Contains(r.Faults[0].Text, "does not find") {
		t.Errorf("Check = %+v, %v; want the one fault that lines are not found", r, err)
	}
	rebuild(t, path)
	if r, err := sqlitestore.Check(t.Context(), path, quiet); err != nil || len(r.Faults) > 0 {
		t.Errorf("Check of what was rebuilt = %+v, %v; want no fault", r, err)
	}
}

func TestCheckFindsWhatCannotBeMended(t *testing.T) {
	for what, tt := range map[string]struct{ statement, want string }{
		"an unreadable record":       {`UPDATE log SET data = X'7B' WHERE line = 1`, "the log has 9 records that cannot be read, the first at place"},
		"a time that runs backwards": {`UPDATE log SET at = 5 WHERE seq = (SELECT max(seq) FROM log)`, "of an earlier time"},
		"no such verdict":            {`UPDATE log SET void = 'whatever' WHERE seq = (SELECT max(seq) FROM log)`, "without a verdict that makes sense"},
	} {
		h := newHouse(t)
		story(h)
		path := h.closed()
		execute(t, path, tt.statement)
		r, err := sqlitestore.Check(t.Context(), path, quiet)
		if err != nil {
			t.Errorf("%s: Check = %v, want no error", what, err)
			continue
		}
		if len(r.Faults) == 0 || r.Faults[0].Mend != sqlitestore.ByRestore || !strings.Contains(r.Faults[0].Text, tt.want) {
			t.Errorf("%s: Check found %v, want %q", what, r.Faults, tt.want)
		}
	}
}

func TestCheckTellsOfAFullDisk(t *testing.T) {
	h := newHouse(t)
	r, err := sqlitestore.Check(t.Context(), h.Path(), sqlitestore.Options{DiskReserve: 1 << 62})
	if err != nil || len(r.Faults) != 1 || r.Faults[0].Mend != sqlitestore.ByRoom || !strings.HasPrefix(r.Faults[0].Text, "only ") {
		t.Errorf("Check = %+v, %v; want the one fault that too little is free", r, err)
	}
}

func TestCheckBesideTheWriter(t *testing.T) {
	h := newHouse(t)
	story(h)
	kim := room.Person{ID: "key:SHA256:kim/case:kim", Nick: "kim", Key: "SHA256:kim"}
	for i := range 10 {
		done := make(chan error, 1)
		go func() {
			r, err := sqlitestore.Check(t.Context(), h.Path(), quiet)
			if err == nil && (len(r.Faults) > 0 || r.Lines < 5+i || r.Told != 4 || r.Accounts != 2 || r.Oldest.IsZero() || r.Beside == 0) {
				err = errors.New("unexpected")
				t.Errorf("Check = %+v, want no fault, at least %d lines, 4 direct messages, 2 accounts", r, 5+i)
			}
			done <- err
		}()
		h.say(kim, "line")
		if err := <-done; err != nil {
			t.Fatalf("Check = %v, want no error", err)
		}
	}
}

func TestLookingLeavesEveryFileAsItIs(t *testing.T) {
	for _, c := range []struct {
		name   string
		memory bool // the file of shared memory is left too, as a kill leaves it
		broken bool
	}{{"killed", true, false}, {"killed and copied", false, false}, {"damaged", true, true}, {"damaged and copied", false, true}} {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t)
			story(h)
			path := newPath(t)
			for _, suffix := range []string{"", "-wal", "-shm"} {
				data, err := os.ReadFile(h.Path() + suffix)
				if err != nil {
					t.Fatal(err)
				}
				if suffix == "" && c.broken && len(data) > 8192 {
					clear(data[len(data)/2:])
				}
				if suffix == "-shm" && !c.memory {
					continue
				}
				if err := os.WriteFile(path+suffix, data, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			before := contents(t, filepath.Dir(path))
			r, err := sqlitestore.Check(t.Context(), path, sqlitestore.Options{})
			if !c.broken && (err != nil || len(r.Faults) > 0 || r.Lines == 0) {
				t.Errorf("Check = %+v, %v; want lines and no fault", r, err)
			}
			if _, err := sqlitestore.Backup(t.Context(), path, filepath.Join(t.TempDir(), "backup")); err != nil && !c.broken {
				t.Errorf("Backup = %v, want no error", err)
			}
			for _, err := range sqlitestore.Export(t.Context(), path, sqlitestore.ExportQuery{}) {
				if err != nil && !c.broken {
					t.Errorf("Export = %v, want no error", err)
				}
			}
			if after := contents(t, filepath.Dir(path)); !maps.Equal(before, after) {
				t.Errorf("the folder has %q, want %q, each as it was", slices.Sorted(maps.Keys(after)), slices.Sorted(maps.Keys(before)))
			}
		})
	}
}
