package sqlitestore_test

import (
	"errors"
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
	if err := sqlitestore.Rebuild(tb.Context(), path, quiet, func(_, _ room.Seq) {}); err != nil {
		tb.Fatalf("Rebuild = %v, want no error", err)
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
	for what, s := range spoilings {
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
		wantSame(t, what+": what was rebuilt", dump(t, path), want)
	}
}

func TestCheckFindsWhatCannotBeMended(t *testing.T) {
	for what, tt := range map[string]struct{ statement, want string }{
		"an unreadable record":       {`UPDATE log SET data = X'7B' WHERE line = 1`, "the log has 9 records that cannot be read, the first at place"},
		"a time that runs backwards": {`UPDATE log SET at = 5 WHERE seq = (SELECT max(seq) FROM log)`, "of an earlier time"},
		"no such verdict":            {`UPDATE log SET void = 'whatever' WHERE seq = (SELECT max(seq) FROM log)`, "without a verdict that makes sense"},
		"a missing index": {
			`PRAGMA writable_schema = 1; DELETE FROM sqlite_schema WHERE name = 'log_by_subject'`, "the file is damaged",
		},
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
