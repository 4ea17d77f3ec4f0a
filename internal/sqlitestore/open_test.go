package sqlitestore_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"sarangbang/internal/sqlitestore"
	"sarangbang/room"
)

// quiet are the options of a store whose log nobody reads.
var quiet = sqlitestore.Options{Logger: slog.New(slog.DiscardHandler)}

// furnished makes a database with some lines in it, ended cleanly.
func furnished(tb testing.TB, path string) {
	tb.Helper()
	s, err := sqlitestore.Open(path, quiet)
	if err != nil {
		tb.Fatalf("Open = %v, want no error", err)
	}
	h := &house{tb, s}
	kim := h.come("kim", "")
	for i := range 100 {
		h.say(kim, fmt.Sprintf("line %d", i))
	}
	if err := s.Close(); err != nil {
		tb.Fatalf("Close = %v, want no error", err)
	}
}

// execute runs statements in a database, which need not be the house's.
func execute(tb testing.TB, path string, statements ...string) {
	tb.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		tb.Fatalf("open %s: %v", path, err)
	}
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			tb.Fatalf("%s: %v", s, err)
		}
	}
	if err := db.Close(); err != nil {
		tb.Fatalf("close %s: %v", path, err)
	}
}

// change reads a file, changes it and writes it back.
func change(tb testing.TB, path string, how func(file []byte) []byte) {
	tb.Helper()
	file, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, how(file), 0o600)
	}
	if err != nil {
		tb.Fatalf("change %s: %v", path, err)
	}
}

// contents returns every file of a folder by its name.
func contents(tb testing.TB, folder string) map[string]string {
	tb.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		file, err := os.ReadFile(path)
		files[path] = string(file)
		return err
	})
	if err != nil {
		tb.Fatalf("read %s: %v", folder, err)
	}
	return files
}

func TestWhatMayNotBeOpenedIsRefusedAndStaysAsItIs(t *testing.T) {
	for _, c := range []struct {
		name string
		make func(t *testing.T, path string)
		want []string
	}{
		{"a folder", func(t *testing.T, path string) {
			t.Helper()
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}, []string{"is not a file", "backup"}},
		{"an empty file", func(t *testing.T, path string) {
			t.Helper()
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, []string{"cut off after 0 bytes", "backup"}},
		{"a text", func(t *testing.T, path string) {
			t.Helper()
			if err := os.WriteFile(path, bytes.Repeat([]byte("Dear diary, "), 100), 0o600); err != nil {
				t.Fatal(err)
			}
		}, []string{"not an SQLite database", "backup"}},
		{"the database of another program", func(t *testing.T, path string) {
			t.Helper()
			execute(t, path, `PRAGMA application_id = 1`, `CREATE TABLE meta (name TEXT, value TEXT)`)
		}, []string{"another program", "backup"}},
		{"a header that is cut off", func(t *testing.T, path string) {
			t.Helper()
			furnished(t, path)
			change(t, path, func(file []byte) []byte { return file[:60] })
		}, []string{"cut off after 60 bytes", "backup"}},
		{"a database that is cut off", func(t *testing.T, path string) {
			t.Helper()
			furnished(t, path)
			change(t, path, func(file []byte) []byte { return file[:len(file)/2] })
		}, []string{"cut off after", "backup"}},
		{"a page size of nonsense", func(t *testing.T, path string) {
			t.Helper()
			furnished(t, path)
			change(t, path, func(file []byte) []byte {
				binary.BigEndian.PutUint16(file[16:], 1234)
				return file
			})
		}, []string{"is damaged", "backup"}},
		{"a damaged first page", func(t *testing.T, path string) {
			t.Helper()
			furnished(t, path)
			change(t, path, func(file []byte) []byte {
				for i := 100; i < 4096; i++ {
					file[i] ^= 0x5a
				}
				return file
			})
		}, []string{"is damaged", "backup"}},
		{"a database without its tables", func(t *testing.T, path string) {
			t.Helper()
			furnished(t, path)
			execute(t, path, `DROP TABLE meta`)
		}, []string{"is damaged", "is missing", "backup"}},
		{"a database without its log", func(t *testing.T, path string) {
			t.Helper()
			furnished(t, path)
			execute(t, path, `DROP TABLE log`)
		}, []string{"is damaged", "is missing", "backup"}},
		{"no version", func(t *testing.T, path string) {
			t.Helper()
			furnished(t, path)
			execute(t, path, `PRAGMA user_version = 0`)
		}, []string{"no version", "backup"}},
		{"a folder in place of its log", func(t *testing.T, path string) {
			t.Helper()
			furnished(t, path)
			if err := os.MkdirAll(filepath.Join(path+"-wal", "full"), 0o700); err != nil {
				t.Fatal(err)
			}
		}, []string{"cannot be used", "beside it"}},
		{"a newer version", func(t *testing.T, path string) {
			t.Helper()
			furnished(t, path)
			execute(t, path, `PRAGMA user_version = 4321`)
		}, []string{"version 4321", "newer program"}},
		{"a newer version with something in its log", func(t *testing.T, path string) {
			t.Helper()
			h := newHouse(t)
			h.say(h.come("kim", ""), "hello")
			h.Crash(t, path)
			change(t, path, func(file []byte) []byte {
				binary.BigEndian.PutUint32(file[60:], 4321)
				return file
			})
		}, []string{"version 4321", "newer program"}},
		{"a newer version that is in its log only", func(t *testing.T, path string) {
			t.Helper()
			h := newHouse(t)
			h.Exec(t, `PRAGMA user_version = 4321`)
			h.Crash(t, path)
		}, []string{"version 4321", "newer program"}},
		{"a log whose database is gone", func(t *testing.T, path string) {
			t.Helper()
			h := newHouse(t)
			h.say(h.come("kim", ""), "hello")
			h.Crash(t, path)
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}, []string{"is gone", "-wal", "bring the database back"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := newPath(t)
			c.make(t, path)
			before := contents(t, filepath.Dir(path))
			s, err := sqlitestore.Open(path, quiet)
			if err == nil {
				_ = s.Close()
				t.Fatal("Open = no error, want one")
			}
			for _, part := range append(c.want, "database "+path+" ") {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("Open = %q, want a sentence with %q", err, part)
				}
			}
			after := contents(t, filepath.Dir(path))
			for name := range after {
				if _, was := before[name]; !was {
					t.Errorf("Open left %s behind", name)
				}
			}
			for name, file := range before {
				if after[name] != file {
					t.Errorf("Open changed %s", name)
				}
			}
		})
	}
}

func TestDatabaseIsMadeForThisUserOnly(t *testing.T) {
	path := newPath(t)
	if err := os.WriteFile(path+".new", []byte("left by a start that was killed"), 0o600); err != nil {
		t.Fatal(err)
	}
	h := &house{t, openStore(t, path)}
	h.say(h.come("kim", ""), "hello")
	files := contents(t, filepath.Dir(path))
	for name := range files {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != 0o600 {
			t.Errorf("%s has mode %04o, want 0600", name, got)
		}
	}
	if len(files) != 3 { // the database, its log, and the index of that
		t.Errorf("the folder holds %d files, want 3", len(files))
	}
}

func TestALinkIsFollowedOnce(t *testing.T) {
	h := newHouse(t)
	h.say(h.come("kim", ""), "hello")
	file := h.closed()
	path := newPath(t)
	if err := os.Symlink(file, path); err != nil {
		t.Fatal(err)
	}
	h = &house{t, openStore(t, path)}
	backup := filepath.Join(t.TempDir(), "backup")
	if _, err := sqlitestore.Backup(t.Context(), path, backup); err != nil {
		t.Fatalf("Backup = %v, want no error", err)
	}
	h.closed()
	if _, err := sqlitestore.Restore(t.Context(), path, backup); err != nil {
		t.Fatalf("Restore = %v, want no error", err)
	}
	wantFiles(t, filepath.Dir(path), filepath.Base(path))
	if to, err := os.Readlink(path); to != file || err != nil {
		t.Errorf("the link leads to %q, %v; want %q as before", to, err, file)
	}
	asideOf(t, file, "restore")
}

func TestALinkToNowhereIsRefused(t *testing.T) {
	path := newPath(t)
	if err := os.Symlink(filepath.Join(t.TempDir(), "gone"), path); err != nil {
		t.Fatal(err)
	}
	_, opened := sqlitestore.Open(path, quiet)
	_, checked := sqlitestore.Check(t.Context(), path, quiet)
	_, imported := sqlitestore.Import(t.Context(), path, strings.NewReader(""))
	_, rebuilt := sqlitestore.Rebuild(t.Context(), path, quiet, func(_, _ room.Seq) {})
	_, restored := sqlitestore.Restore(t.Context(), path, path)
	for doing, err := range map[string]error{
		"Open": opened, "Check": checked, "Import": imported, "Restore": restored, "Rebuild": rebuilt,
	} {
		if err == nil || !strings.Contains(err.Error(), path+" is a link that leads to no file") {
			t.Errorf("%s = %v, want a sentence about the link", doing, err)
		}
	}
	if info, err := os.Lstat(path); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("at %s is %v, %v; want the link as it was", path, info, err)
	}
}

func TestWhatRootMakesBelongsToTheOwnerOfTheFolder(t *testing.T) {
	path := newPath(t)
	want := uint32(os.Geteuid())
	if want == 0 { // nobody else can give a folder away
		want = 4711
		if err := os.Chown(filepath.Dir(path), int(want), -1); err != nil {
			t.Fatal(err)
		}
	}
	h := &house{t, openStore(t, path)}
	h.closed()
	later, err := sqlitestore.OpenWith(path, quiet, sqlitestore.Add(`CREATE TABLE more (a)`))
	if err != nil {
		t.Fatalf("Open of a newer program = %v, want no error", err)
	}
	h = &house{t, later}
	h.say(h.come("kim", ""), "hello")
	files := contents(t, filepath.Dir(path))
	if len(files) != 4 { // the database, its copy, its log, and the index of that
		t.Errorf("the folder holds %d files, want 4", len(files))
	}
	for name := range files {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Sys().(*syscall.Stat_t).Uid; got != want {
			t.Errorf("%s belongs to %d, want %d", name, got, want)
		}
	}
	h.closed()
}

func TestOpenNeedsItsFolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "missing", "house.db")
	_, err := sqlitestore.Open(path, quiet)
	if err == nil || !strings.Contains(err.Error(), path) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Open = %v, want a sentence with %s", err, path)
	}
}

func TestAFolderMayBeCalledAnything(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "what?#%41 사랑방&mode=memory")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "house.db")
	furnished(t, path)
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the database is not where it should be: %v", err)
	}
	h := &house{t, openStore(t, path)}
	h.lines("the first line", room.LineQuery{N: 1}, "kim: line 0")
}

func TestReadOnlyPlacesAreRefused(t *testing.T) {
	for _, c := range []struct {
		name         string
		folder, file os.FileMode // 0: there is no file
		want         string
	}{
		{"nothing can be made in the folder", 0o500, 0, "permission denied"},
		{"nothing can be made beside the database", 0o500, 0o600, "write it and its folder"},
		{"the database cannot be written", 0o700, 0o400, "permission denied"},
		{"the database cannot be read", 0o700, 0o200, "permission denied"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := newPath(t)
			if c.file != 0 {
				furnished(t, path)
			}
			before := contents(t, filepath.Dir(path))
			if err := os.Chmod(filepath.Dir(filepath.Dir(path)), 0o711); err != nil {
				t.Fatal(err)
			}
			restrict(t, filepath.Dir(path), c.folder)
			if c.file != 0 {
				restrict(t, path, c.file)
			}
			var err error
			asNobody(t, func() {
				var s *sqlitestore.Store
				if s, err = sqlitestore.Open(path, quiet); err == nil {
					_ = s.Close()
				}
			})
			if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Open = %v, want a sentence with %q and %q", err, path, c.want)
			}
			restrict(t, filepath.Dir(path), 0o700)
			if c.file != 0 {
				restrict(t, path, 0o600)
			}
			if after := contents(t, filepath.Dir(path)); len(after) != len(before) || after[path] != before[path] {
				t.Error("Open changed what was there")
			}
		})
	}
}

// restrict gives a file to whoever asNobody is, with a mode.
func restrict(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	err := os.Chmod(path, mode)
	if err == nil && os.Geteuid() == 0 {
		err = os.Chown(path, nobody, nobody)
	}
	if err != nil {
		t.Fatalf("restrict %s: %v", path, err)
	}
}

const nobody = 65534

// asNobody runs do, as far as files are concerned, as a user whom permissions stop: root passes them all.
func asNobody(t *testing.T, do func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		do()
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked, so that the thread ends with the goroutine
		for _, call := range []uintptr{syscall.SYS_SETFSGID, syscall.SYS_SETFSUID} {
			if _, _, errno := syscall.RawSyscall(call, nobody, 0, 0); errno != 0 {
				t.Errorf("become nobody: %v", errno)
				return
			}
		}
		do()
	}()
	<-done
}

func TestCloseLeavesOneFileAndLosesNothing(t *testing.T) {
	path := newPath(t)
	s, err := sqlitestore.Open(path, quiet)
	if err != nil {
		t.Fatalf("Open = %v, want no error", err)
	}
	h := &house{t, s}
	kim := h.come("kim", "")
	answers := make(chan error, 20)
	s.Gather(cap(answers), func() {
		for range cap(answers) {
			go func() {
				_, err := s.Append(context.Background(), room.Encode(kim, room.Lobby, room.Said{Text: room.Sentence("waiting")}))
				answers <- err
			}()
		}
	})
	if err := s.Close(); err != nil {
		t.Errorf("Close = %v, want no error", err)
	}
	for range cap(answers) {
		if err := <-answers; err != nil {
			t.Errorf("Append that waited when Close was called = %v, want no error", err)
		}
	}
	head, err := s.Head(t.Context())
	if err != nil {
		t.Fatalf("Head = %v, want no error", err)
	}
	if _, err := s.Append(t.Context(), room.Encode(kim, room.Lobby, room.Said{Text: room.Sentence("late")})); !errors.Is(err, sqlitestore.ErrClosed) {
		t.Errorf("Append after Close = %v, want %v", err, sqlitestore.ErrClosed)
	}
	if err := s.Tail(t.Context(), head, func([]room.Committed) error { return nil }); !errors.Is(err, sqlitestore.ErrClosed) {
		t.Errorf("Tail after Close = %v, want %v", err, sqlitestore.ErrClosed)
	}
	if _, err := s.Lines(t.Context(), room.LineQuery{Room: room.Lobby, N: 1}); !errors.Is(err, sqlitestore.ErrClosed) {
		t.Errorf("Lines after Close = %v, want %v", err, sqlitestore.ErrClosed)
	}
	if err := s.Close(); err != nil {
		t.Errorf("a second Close = %v, want no error", err)
	}
	if files := contents(t, filepath.Dir(path)); len(files) != 1 {
		t.Errorf("Close left %d files, want the database alone", len(files))
	}

	h.Store = openStore(t, path)
	if _, n, err := h.Back(t.Context(), room.LineQuery{Room: room.Lobby, N: 100}); n != cap(answers) || err != nil {
		t.Errorf("after a start there are %d lines, %v; want %d", n, err, cap(answers))
	}
	if joined := h.post(kim, room.Joined{Screen: "s", Names: names("kim")}); joined != head.Seq+1 {
		t.Errorf("the first place after a clean end is %d, want %d", joined, head.Seq+1)
	}
}

func TestMigration(t *testing.T) {
	path := newPath(t)
	furnished(t, path)
	broken := func(context.Context, *sql.Conn) error { return errors.New("no way") }
	before := contents(t, filepath.Dir(path))
	_, err := sqlitestore.OpenWith(path, quiet, sqlitestore.Add("CREATE TABLE extra (n INTEGER)"), broken)
	if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "no way") {
		t.Fatalf("Open with a step that fails = %v, want it in a sentence with %s", err, path)
	}
	// The step before it holds, and there is the copy that was made before that one.
	copies := func() (names []string) {
		for name := range contents(t, filepath.Dir(path)) {
			if name != path {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		return names
	}
	made := copies()
	if len(made) != 1 || !strings.HasPrefix(made[0], path+".v3-") {
		t.Fatalf("beside the database there is %q, want one copy of version 3", made)
	}
	if info, err := os.Stat(made[0]); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the copy has mode %v, %v; want 0600", info.Mode(), err)
	}
	if header := before[path][:4]; !strings.HasPrefix(contents(t, filepath.Dir(path))[made[0]], header) {
		t.Error("the copy is no database")
	}

	// This program knows version 3 only, and leaves the newer one alone.
	if _, err := sqlitestore.Open(path, quiet); err == nil || !strings.Contains(err.Error(), "version 4") {
		t.Errorf("Open of version 4 = %v, want that this is newer", err)
	}
	s, err := sqlitestore.OpenWith(path, quiet,
		sqlitestore.Add("CREATE TABLE extra (n INTEGER)"), sqlitestore.Add("INSERT INTO extra VALUES (7)"))
	if err != nil {
		t.Fatalf("Open = %v, want no error", err)
	}
	h := &house{t, s}
	if _, n, err := h.Back(t.Context(), room.LineQuery{Room: room.Lobby, N: 1000}); n != 100 || err != nil {
		t.Errorf("after two steps there are %d lines, %v; want 100", n, err)
	}
	if err := s.Close(); err != nil {
		t.Fatalf("Close = %v, want no error", err)
	}
	if made = copies(); len(made) != 2 || !strings.HasPrefix(made[1], path+".v4-") {
		t.Errorf("beside the database there are %q, want copies of versions 3 and 4", made)
	}

	// The first copy is what this program had.
	h.Store = openStore(t, made[0])
	if _, n, err := h.Back(t.Context(), room.LineQuery{Room: room.Lobby, N: 1000}); n != 100 || err != nil {
		t.Errorf("the copy of version 3 has %d lines, %v; want 100", n, err)
	}
	h.finds(room.SearchQuery{Words: "line", N: 1}, "kim: line 99")
}
