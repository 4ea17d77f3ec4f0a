package sqlitestore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"sarangbang/internal/sqlitestore"
	"sarangbang/room"
)

// story fills a house with all that can be in one: accounts with keys and settings, one that was erased, lines of people with and
// without a key, renamed ones, struck ones and void ones, direct messages, and how far somebody has read.
func story(h *house) {
	h.Helper()
	kim, lee, gone, guest := h.come("kim", "SHA256:kim"), h.come("lee", "SHA256:lee"), h.come("gone", "SHA256:gone"), h.come("guest", "")
	for _, p := range []room.Person{kim, lee, gone} {
		h.post(p, room.Registered{Names: names(p.Nick)})
		h.post(p, room.KeyAdded{Key: p.Key + "-second"})
		h.post(p, room.Configured{Name: "lang", Value: "ko"})
		h.say(p, "안녕하세요, this is "+string(p.Nick))
		h.tell(kim, p, "a letter to "+string(p.Nick))
	}
	h.post(lee, room.KeyRemoved{Key: "SHA256:lee"})
	lee.Key += "-second"
	h.post(lee, room.Configured{Name: "lang", Value: "en"})
	h.post(guest, room.Renamed{To: "visitor", Names: names("visitor")})
	h.post(guest, room.Emoted{Text: room.Sentence("waves\nwith both hands")})
	h.tell(lee, guest, "welcome")
	h.say(room.Person{ID: "conn:nobody", Nick: "nobody"}, "from outside")
	h.post(lee, room.Parted{Screen: "screen of lee"})
	h.tell(kim, lee, "for when you are back")
	if err := h.SavePlaces(h.Context(), []room.Place{{Account: lee.ID, Of: room.Lobby, Seen: 12, Sent: 14}}); err != nil {
		h.Fatalf("SavePlaces = %v, want no error", err)
	}
	h.post(gone, room.Erased{Until: time.Now().Add(time.Hour)})
	h.Forgotten(h)
	h.say(kim, "the last line")
}

// closed ends the store of a house and returns where its database is.
func (h *house) closed() (path string) {
	h.Helper()
	if err := h.Close(); err != nil {
		h.Fatalf("Close = %v, want no error", err)
	}
	return h.Path()
}

// sqlite runs statements on a database that nobody has open.
func sqlite(tb testing.TB, path string, do func(*sql.Conn) error) {
	tb.Helper()
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", OmitHost: true, Path: path}).String())
	if err != nil {
		tb.Fatalf("open %s: %v", path, err)
	}
	defer db.Close()
	conn, err := db.Conn(context.Background())
	if err != nil {
		tb.Fatalf("open %s: %v", path, err)
	}
	defer conn.Close()
	if err := do(conn); err != nil {
		tb.Fatalf("in %s: %v", path, err)
	}
}

// dump returns all that a database holds, but for the tables that left names. Of the search index it is what can be found, not how
// it lies on the pages.
func dump(tb testing.TB, path string, left ...string) []string {
	tb.Helper()
	var rows []string
	sqlite(tb, path, func(conn *sql.Conn) error {
		ctx := context.Background()
		if _, err := conn.ExecContext(ctx, `CREATE VIRTUAL TABLE temp.found USING fts5vocab(main, words, instance)`); err != nil {
			return err
		}
		tables, err := selected(conn, `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'words%'`)
		if err != nil {
			return err
		}
		for _, table := range append(tables, "found") {
			table = strings.TrimPrefix(table, "name=")
			if slices.Contains(left, table) {
				continue
			}
			found, err := selected(conn, `SELECT * FROM `+table)
			if err != nil {
				return err
			}
			for _, row := range found {
				rows = append(rows, table+": "+row)
			}
		}
		return nil
	})
	slices.Sort(rows)
	return rows
}

// selected returns what a query finds, as "column=value column=value".
func selected(conn *sql.Conn, query string) (rows []string, err error) {
	found, err := conn.QueryContext(context.Background(), query)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	columns, err := found.Columns()
	if err != nil {
		return nil, err
	}
	values := make([]any, len(columns))
	for i := range values {
		values[i] = new(any)
	}
	for found.Next() {
		if err := found.Scan(values...); err != nil {
			return nil, err
		}
		fields := make([]string, len(columns))
		for i, v := range values {
			fields[i] = fmt.Sprintf("%s=%v", columns[i], *v.(*any))
		}
		rows = append(rows, strings.Join(fields, " "))
	}
	return rows, found.Err()
}

// wantSame compares two dumps.
func wantSame(tb testing.TB, what string, got, want []string) {
	tb.Helper()
	for _, row := range got {
		if !slices.Contains(want, row) {
			tb.Errorf("%s has too much: %.300s", what, row)
		}
	}
	for _, row := range want {
		if !slices.Contains(got, row) {
			tb.Errorf("%s lacks: %.300s", what, row)
		}
	}
}

// wantFiles says what a folder holds.
func wantFiles(tb testing.TB, folder string, want ...string) {
	tb.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		tb.Fatalf("read %s: %v", folder, err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if !slices.Equal(got, want) {
		tb.Errorf("%s holds %q, want %q", folder, got, want)
	}
}

func TestBackupBesideTheWriter(t *testing.T) {
	h := newHouse(t)
	story(h)
	kim := room.Person{ID: "key:SHA256:kim/case:kim", Nick: "kim", Key: "SHA256:kim"}
	folder := t.TempDir()
	said := 0
	for i := range 5 {
		ready, done := make(chan struct{}), make(chan error, 1)
		to := filepath.Join(folder, fmt.Sprint("backup", i))
		go func() {
			<-ready
			bytes, err := sqlitestore.Backup(context.Background(), h.Path(), to)
			if info, e := os.Stat(to); err == nil && (e != nil || info.Size() != bytes || info.Mode().Perm() != 0o600) {
				err = fmt.Errorf("it returned %d bytes, there is %v, %w", bytes, info, e)
			}
			done <- err
		}()
		close(ready)
		least := said
		for ended := false; !ended; {
			select {
			case err := <-done:
				if ended = true; err != nil {
					t.Fatalf("Backup = %v, want no error", err)
				}
			default:
				h.say(kim, fmt.Sprintf("line %06d", said))
				said++
			}
		}
		copied := &house{t, openStore(t, to)}
		events, err := copied.Lines(t.Context(), room.LineQuery{Room: room.Lobby, N: 1 << 20})
		if err != nil {
			t.Fatalf("Lines of the backup = %v, want no error", err)
		}
		lines := slices.DeleteFunc(told(events), func(l string) bool { return !strings.HasPrefix(l, "kim: line ") })
		if len(lines) < least || len(lines) > said {
			t.Errorf("backup %d holds %d lines, want %d to %d", i, len(lines), least, said)
		}
		for n, line := range lines {
			if want := fmt.Sprintf("kim: line %06d", n); line != want {
				t.Fatalf("line %d of the backup is %q, want %q", n, line, want)
			}
		}
		copied.finds(room.SearchQuery{Words: "안녕 lee"}, "lee: 안녕하세요, this is lee")
	}
}

func TestBackupIsTheSame(t *testing.T) {
	h := newHouse(t)
	story(h)
	to := filepath.Join(t.TempDir(), "what?#%.db")
	if _, err := sqlitestore.Backup(t.Context(), h.Path(), to); err != nil {
		t.Fatalf("Backup = %v, want no error", err)
	}
	path := h.closed()
	wantSame(t, "the backup", dump(t, to, "meta"), dump(t, path, "meta"))
	wantFiles(t, filepath.Dir(to), "what?#%.db")
	wantFiles(t, filepath.Dir(path), "house.db")
}

func TestBackupOverwritesNothing(t *testing.T) {
	h := newHouse(t)
	folder := t.TempDir()
	mine := filepath.Join(folder, "mine")
	if err := os.WriteFile(mine, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("nowhere", filepath.Join(folder, "link")); err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, tt := range []struct {
		ctx      context.Context
		from, to string
		want     string
	}{
		{t.Context(), h.Path(), mine, "is there already"},
		{t.Context(), h.Path(), filepath.Join(folder, "link"), "is there already"},
		{t.Context(), h.Path(), folder, "is there already"},
		{t.Context(), h.Path(), filepath.Join(folder, "x.db-wal"), "would be taken for a part of a database"},
		{t.Context(), h.Path(), filepath.Join(folder, "none", "x"), "cannot be written (no such file or directory)"},
		{t.Context(), filepath.Join(folder, "none.db"), filepath.Join(folder, "x"), "there is no database " + folder + "/none.db"},
		{t.Context(), mine, filepath.Join(folder, "x"), "is cut off after 4 bytes"},
		{ended, h.Path(), filepath.Join(folder, "x"), "interrupted"},
	} {
		if _, err := sqlitestore.Backup(tt.ctx, tt.from, tt.to); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Backup of %s to %s = %v, want a sentence with %q", tt.from, tt.to, err, tt.want)
		}
	}
	wantFiles(t, folder, "link", "mine")
	if text, err := os.ReadFile(mine); string(text) != "mine" || err != nil {
		t.Errorf("the file in the way holds %q, %v; want what it did", text, err)
	}
}

func TestBackupOntoAFullDiskLeavesNothing(t *testing.T) {
	if os.Getenv(childArgument) == "" { // the limit is of a whole process
		if out, err := child(t, "full").CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	signal.Ignore(syscall.SIGXFSZ)
	h := newHouse(t)
	story(h)
	path := h.closed()
	folder := t.TempDir()
	limitFiles(t, 65_536)
	if _, err := sqlitestore.Backup(t.Context(), path, filepath.Join(folder, "backup")); err == nil || !strings.Contains(err.Error(), "cannot be written") {
		t.Errorf("Backup onto a full disk = %v, want a sentence that says so", err)
	}
	wantFiles(t, folder)
}

// asideOf returns the one file that was put aside.
func asideOf(tb testing.TB, path, why string) string {
	tb.Helper()
	found, err := filepath.Glob(path + ".before-" + why + "-*Z")
	if err != nil || len(found) != 1 {
		tb.Fatalf("put aside are %q, %v; want one file", found, err)
	}
	return found[0]
}

func TestRestore(t *testing.T) {
	h := newHouse(t)
	story(h)
	backup := filepath.Join(t.TempDir(), "backup")
	if _, err := sqlitestore.Backup(t.Context(), h.Path(), backup); err != nil {
		t.Fatalf("Backup = %v, want no error", err)
	}
	before, err := h.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h.say(room.Person{ID: "key:SHA256:kim/case:kim", Nick: "kim", Key: "SHA256:kim"}, "since the backup")
	path := h.closed()
	present := dump(t, path)

	aside, err := sqlitestore.Restore(t.Context(), path, backup)
	if err != nil || aside != asideOf(t, path, "restore") {
		t.Fatalf("Restore = %q, %v; want where the present one is, no error", aside, err)
	}
	wantSame(t, "what was restored", dump(t, path, "meta"), dump(t, backup, "meta"))
	wantSame(t, "what was put aside", dump(t, aside), present)
	wantFiles(t, filepath.Dir(path), "house.db", filepath.Base(aside))
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("what was restored is %v, %v; want it for this user only", info, err)
	}
	again := &house{t, openStore(t, path)}
	if head, err := again.Head(t.Context()); head.Epoch == before.Epoch || head.Seq != before.Seq || err != nil {
		t.Errorf("Head = %+v, %v; want place %d of another epoch than %s", head, err, before.Seq, before.Epoch)
	}
}

func TestRestoreWhereThereIsNothing(t *testing.T) {
	h := newHouse(t)
	story(h)
	backup := h.closed()
	path := newPath(t)
	aside, err := sqlitestore.Restore(t.Context(), path, backup)
	if aside != "" || err != nil {
		t.Fatalf("Restore = %q, %v; want nothing put aside, no error", aside, err)
	}
	wantSame(t, "what was restored", dump(t, path, "meta"), dump(t, backup, "meta"))
	wantFiles(t, filepath.Dir(path), "house.db")
}

// A copy of a house that was killed has committed lines in the log beside it, as has the database that it replaces.
func TestRestoreTakesWhatStandsBeside(t *testing.T) {
	h, other := newHouse(t), newHouse(t)
	story(h)
	backup, path := newPath(t), newPath(t)
	h.Crash(t, backup)
	other.say(other.come("park", ""), "said in the other house")
	other.Crash(t, path)

	aside, err := sqlitestore.Restore(t.Context(), path, backup)
	if err != nil {
		t.Fatalf("Restore = %v, want no error", err)
	}
	wantFiles(t, filepath.Dir(path), "house.db", filepath.Base(aside))
	if _, err := os.Stat(backup + "-wal"); err != nil {
		t.Errorf("the log of the backup: %v, want it left alone", err)
	}
	restored := &house{t, openStore(t, path)}
	events, err := restored.Lines(t.Context(), room.LineQuery{Room: room.Lobby, N: 100})
	restored.want("Lines", events, err, "kim: 안녕하세요, this is kim", "lee: 안녕하세요, this is lee", "—: 안녕하세요, this is gone",
		"* visitor waves\nwith both hands", "kim: the last line")
	kept := &house{t, openStore(t, aside)}
	kept.lines("of what was put aside", room.LineQuery{}, "park: said in the other house")
}

// Whatever happens before the new database is in place, the old one is there with all that was committed.
func TestReplacingThatEndsHalfwayLosesNothing(t *testing.T) {
	h := newHouse(t)
	h.say(h.come("kim", ""), "the last line")
	path := newPath(t)
	h.Crash(t, path)
	draft := path + ".new"
	if err := os.Mkdir(draft, 0o700); err != nil { // so that it cannot be put in the place of a file
		t.Fatal(err)
	}
	if aside, err := sqlitestore.PutInPlace(t.Context(), draft, path, "test"); err == nil {
		t.Fatalf("PutInPlace of a folder = %q and no error, want one", aside)
	}
	kept := &house{t, openStore(t, path)}
	kept.lines("after that", room.LineQuery{}, "kim: the last line")
}

func TestRestoreRefusesWhatIsNotSound(t *testing.T) {
	h := newHouse(t)
	story(h)
	backup := filepath.Join(t.TempDir(), "backup")
	if _, err := sqlitestore.Backup(t.Context(), h.Path(), backup); err != nil {
		t.Fatalf("Backup = %v, want no error", err)
	}
	path := h.closed()
	whole, err := os.ReadFile(backup)
	if err != nil {
		t.Fatal(err)
	}
	present := dump(t, path)
	for what, tt := range map[string]struct {
		spoil func(file string) error
		want  string
	}{
		"nothing":            {os.Remove, "(no such file or directory)"},
		"an empty file":      {func(f string) error { return os.Truncate(f, 0) }, "is cut off after 0 bytes"},
		"half of it":         {func(f string) error { return os.Truncate(f, int64(len(whole)/2)) }, "is cut off after"},
		"other text":         {func(f string) error { return os.WriteFile(f, make([]byte, 4096), 0o600) }, "is not an SQLite database"},
		"a newer form":       {func(f string) error { execute(t, f, `PRAGMA user_version = 99`); return nil }, "run the newer program"},
		"of another program": {func(f string) error { execute(t, f, `PRAGMA application_id = 7`); return nil }, "belongs to another program"},
		"pages of zeros": {func(f string) error {
			spoilt := slices.Clone(whole)
			clear(spoilt[len(spoilt)/2 : len(spoilt)/2+8192])
			return os.WriteFile(f, spoilt, 0o600)
		}, "is damaged"},
		"an unreadable record": {func(f string) error { execute(t, f, `UPDATE log SET data = X'78' WHERE line = 1`); return nil }, "cannot be read"},
		"a folder": {func(f string) error {
			if err := os.Remove(f); err != nil {
				return err
			}
			return os.Mkdir(f, 0o700)
		}, "(not a file)"},
		"a pipe": {func(f string) error {
			if err := os.Remove(f); err != nil {
				return err
			}
			return syscall.Mkfifo(f, 0o600)
		}, "(not a file)"},
		"the database itself": {func(f string) error {
			if err := os.Remove(f); err != nil {
				return err
			}
			return os.Link(path, f)
		}, "is the database itself"},
	} {
		file := filepath.Join(t.TempDir(), "spoilt")
		err := os.WriteFile(file, whole, 0o600)
		if err == nil {
			err = tt.spoil(file)
		}
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		_, err = sqlitestore.Restore(t.Context(), path, file)
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), ".new") ||
			strings.Contains(err.Error(), "bring a backup back") {
			t.Errorf("Restore of %s = %v, want a sentence with %q", what, err, tt.want)
		}
	}
	wantSame(t, "the database", dump(t, path), present)
	wantFiles(t, filepath.Dir(path), "house.db")
}

// The present database may be better than a backup of which a part is amiss, so that is mended first, elsewhere.
func TestRestoreOfWhatWantsRebuilding(t *testing.T) {
	h := newHouse(t)
	story(h)
	backup, path := h.closed(), newPath(t)
	sound := dump(t, backup, "meta")
	execute(t, backup, `DELETE FROM words WHERE rowid = (SELECT max(rowid) FROM words_docsize AS words)`, `DELETE FROM account_keys`)
	aside, err := sqlitestore.Restore(t.Context(), path, backup)
	if err == nil || aside != "" {
		t.Fatalf("Restore = %q, %v; want an error", aside, err)
	}
	for _, want := range []string{"nothing is restored: backup " + backup + " is not sound: ", "the search index lacks 1 lines", "; the account ", "doctor --rebuild"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("Restore = %v, want %q in it", err, want)
		}
	}
	wantFiles(t, filepath.Dir(path))
	if _, err := sqlitestore.Rebuild(t.Context(), backup, quiet, func(_, _ room.Seq) {}); err != nil {
		t.Fatalf("Rebuild = %v, want no error", err)
	}
	if _, err := sqlitestore.Restore(t.Context(), path, backup); err != nil {
		t.Fatalf("Restore of what was mended = %v, want no error", err)
	}
	wantSame(t, "what was restored", dump(t, path, "meta"), sound)
}

// Of a database that is gone its log may be all that is left.
func TestRestoreKeepsALogWithoutItsFile(t *testing.T) {
	h := newHouse(t)
	story(h)
	backup, path := h.closed(), newPath(t)
	if err := os.WriteFile(path+"-wal", []byte("the newest lines"), 0o600); err != nil {
		t.Fatal(err)
	}
	aside, err := sqlitestore.Restore(t.Context(), path, backup)
	if err != nil || !strings.HasSuffix(aside, "-wal") {
		t.Fatalf("Restore = %q, %v; want where the log is kept, no error", aside, err)
	}
	wantFiles(t, filepath.Dir(path), "house.db", filepath.Base(aside))
}

// The system lets nobody make a link to a file of another user that they cannot write. What fails then is taken back.
func TestReplacingTheFileOfAnotherUser(t *testing.T) {
	for what, tt := range map[string]struct {
		draft func(path string) error
		works bool
	}{
		"what can be put in place": {func(path string) error { return os.WriteFile(path, []byte("new"), 0o600) }, true},
		"what is not there":        {func(string) error { return nil }, false},
	} {
		folder := t.TempDir()
		path := filepath.Join(folder, "house.db")
		for _, suffix := range []string{"", "-wal", "-shm"} {
			if err := os.WriteFile(path+suffix, []byte("old"+suffix), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		draft := path + ".new"
		if err := errors.Join(tt.draft(draft), os.Chmod(filepath.Dir(folder), 0o711)); err != nil {
			t.Fatal(err)
		}
		restrict(t, folder, 0o700)
		if info, err := os.Stat(draft); err == nil {
			restrict(t, draft, info.Mode())
		}
		before := contents(t, folder)
		var err error
		asNobody(t, func() { _, err = sqlitestore.PutInPlace(t.Context(), draft, path, "test") })
		after := contents(t, folder)
		if !tt.works {
			if err == nil || !maps.Equal(before, after) {
				t.Errorf("%s: PutInPlace = %v, the folder has %q; want an error, and %q", what, err, after, before)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%s: PutInPlace = %v, want no error", what, err)
		}
		aside := asideOf(t, path, "test")
		want := map[string]string{path: "new", aside: "old", aside + "-wal": "old-wal", aside + "-shm": "old-shm"}
		if !maps.Equal(after, want) {
			t.Errorf("%s: the folder has %q, want %q", what, after, want)
		}
	}
}

// A process that was killed leaves behind what it was making. The next one takes it away, unless somebody is at it.
func TestLeftoversAreTakenAway(t *testing.T) {
	h := newHouse(t)
	h.say(h.come("kim", ""), "hello")
	path := h.closed()
	folder := filepath.Dir(path)
	make := func(names ...string) {
		t.Helper()
		for _, name := range names {
			if err := os.WriteFile(filepath.Join(folder, name), []byte("half of it"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	make("x.sarangbang-part-123", "x.sarangbang-part-123-journal", "y.sarangbang-part-456", "z.sarangbang-part-mine", "z.part-1")
	busy, err := os.Open(filepath.Join(folder, "y.sarangbang-part-456"))
	if err == nil {
		defer busy.Close()
		err = syscall.Flock(int(busy.Fd()), syscall.LOCK_EX)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sqlitestore.Backup(t.Context(), path, filepath.Join(folder, "backup")); err != nil {
		t.Fatalf("Backup = %v, want no error", err)
	}
	wantFiles(t, folder, "backup", "house.db", "y.sarangbang-part-456", "z.part-1", "z.sarangbang-part-mine")

	make("house.db.new", "house.db.new-journal")
	if err := os.MkdirAll(filepath.Join(folder, "house.db.look-77", "more"), 0o700); err != nil {
		t.Fatal(err)
	}
	h.Store = openStore(t, path)
	h.closed()
	wantFiles(t, folder, "backup", "house.db", "y.sarangbang-part-456", "z.part-1", "z.sarangbang-part-mine")
}
