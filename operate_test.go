package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"sarangbang/internal/config"
	"sarangbang/internal/datadir"
	"sarangbang/internal/identity"
	"sarangbang/internal/sqlitestore"
	"sarangbang/room"
)

// office is where an operator works: a data folder, and the program.
type office struct {
	*testing.T
	data string
}

// run runs the program with these arguments for the data folder.
func (o *office) run(args ...string) (status int, out, stderr string) {
	o.Helper()
	var stdout, said strings.Builder
	env := func(name string) string { return map[string]string{"SARANGBANG_DATA_DIR": o.data}[name] }
	status = run(args, env, nil, &stdout, &said)
	if n := strings.Count(said.String(), "\n"); n != status || status == 1 && !strings.HasPrefix(said.String(), "sarangbang: ") {
		o.Errorf("sarangbang %q = %d, stderr %q; want one sentence there, or none", args, status, &said)
	}
	return status, stdout.String(), said.String()
}

// does runs the program, which must succeed, and returns what it says.
func (o *office) does(args ...string) string {
	o.Helper()
	status, out, stderr := o.run(args...)
	if status != 0 {
		o.Fatalf("sarangbang %q = %d, %s; want 0", args, status, stderr)
	}
	return out
}

// refuses runs the program, which must fail with a sentence that has all of this in it.
func (o *office) refuses(args []string, want ...string) {
	o.Helper()
	begun := time.Now()
	status, out, stderr := o.run(args...)
	if took := time.Since(begun); took > 10*time.Second { // five times what is promised: other packages are tested beside this one
		o.Errorf("sarangbang %q took %v, want 2 s at most", args, took)
	}
	for _, w := range want {
		if status != 1 || out != "" || !strings.Contains(stderr, w) {
			o.Errorf("sarangbang %q = %d, stdout %q, stderr %q; want 1 and %q", args, status, out, stderr, w)
		}
	}
}

const (
	firstKey  = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	secondKey = "SHA256:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA"
	thirdKey  = "SHA256:CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCA"
)

// furnished makes a data folder in which two people have accounts and have talked.
func furnished(t *testing.T) *office {
	t.Helper()
	o := &office{t, filepath.Join(t.TempDir(), "data")}
	if err := os.Mkdir(o.data, 0o700); err != nil {
		t.Fatal(err)
	}
	store, err := sqlitestore.Open(datadir.Database(o.data), sqlitestore.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatalf("Open = %v, want no error", err)
	}
	post := func(from room.Person, b room.Body) {
		t.Helper()
		if _, err := store.Append(t.Context(), room.Encode(from, room.Lobby, b)); err != nil {
			t.Fatalf("Append = %v, want no error", err)
		}
	}
	for nick, key := range map[room.Nick]string{"Kim": firstKey, "박하늘": secondKey} {
		name, err := identity.DefaultRules().Parse(string(nick))
		if err != nil {
			t.Fatal(err)
		}
		p := room.Person{ID: room.PersonID("key:" + key), Nick: nick, Key: key}
		post(p, room.Joined{Screen: room.ScreenID(nick), Names: name.Keys()})
		post(p, room.Registered{Names: name.Keys()})
		if nick == "Kim" {
			post(p, room.Said{Text: room.Sentence("안녕 <all>\n[박하늘] hi")})
			post(p, room.Emoted{Text: room.Sentence("waves")})
			post(p, room.Told{To: p, Text: room.Sentence("a secret")})
			post(p, room.Configured{Name: "lang", Value: "ko"})
		}
	}
	if err := store.Close(); err != nil {
		t.Fatalf("Close = %v, want no error", err)
	}
	return o
}

func TestToolsSayWhatWorks(t *testing.T) {
	o := furnished(t)
	file := filepath.Join(t.TempDir(), "file")
	none := filepath.Join(t.TempDir(), "none")
	for _, tt := range []struct{ args, want string }{
		{"backup  --", "one of its arguments is empty; what works: sarangbang backup FILE [--data-dir DIR]"},
		{"import -- --data-dir", "there is no export --data-dir to read"},
		{"import " + filepath.Dir(none), "there is no export " + filepath.Dir(none) + " to read: name a file that sarangbang export"},
		{"backup", "something is missing; what works: sarangbang backup FILE [--data-dir DIR]"},
		{"backup a b", `"b" is too much; what works: sarangbang backup FILE`},
		{"backup --force x", `"--force" is none of its flags; what works: sarangbang backup FILE`},
		{"backup x --ssh-addr :1", `"--ssh-addr" is none of its flags`},
		{"backup x --data-dir", "--data-dir needs a value"},
		{"backup x --config " + none, "configuration file " + none},
		{"backup x --data-dir=" + none, "there is no database " + none},
		{"restore", "something is missing; what works: sarangbang restore FILE"},
		{"restore " + none, "there is no backup " + none},
		{"import", "something is missing; what works: sarangbang import FILE"},
		{"import " + none, "there is no export " + none},
		{"import --data-dir " + none + " " + none, "there is no export " + none},
		{"export x", `"x" is too much; what works: sarangbang export [--format ndjson|text]`},
		{"export --format xml", `"xml" is no format, ndjson and text are`},
		{"export --since whenever", `"whenever" is no time such as 2026-11-22`},
		{"export --room a/b", `"a/b" is no room such as '#lobby'`},
		{"export --room nowhere", "nothing was ever said in #nowhere"},
		{"export --direct=yes", `"--direct=yes" is none of its flags`},
		{"export --data-dir " + none, "there is no database " + none},
		{"doctor x", `"x" is too much; what works: sarangbang doctor [--rebuild]`},
		{"doctor --data-dir " + none, "there is no database " + none},
		{"doctor --rebuild --data-dir " + none, "there is no database " + none},
		{"account", "something is missing; what works: sarangbang account list|show NICK|"},
		{"account frobnicate", `"frobnicate" is nothing that can be done with accounts`},
		{"account list all", `"all" is too much`},
		{"account show", "something is missing after show"},
		{"account key-add Kim", "something is missing after key-add"},
		{"account key-add Kim MD5:aa", `"MD5:aa" is no fingerprint as ssh-keygen -lf prints it`},
		{"account key-add Kim SHA256:AAAA", `"SHA256:AAAA" is no fingerprint`},
		{"account show nobody", `no account has the nickname "nobody"; sarangbang account list shows all`},
		{"account list --data-dir " + none, "there is no database " + none},
	} {
		o.refuses(strings.Split(tt.args, " "), tt.want)
	}
	for _, leftover := range []string{none, file, "x"} {
		if _, err := os.Lstat(leftover); err == nil {
			t.Errorf("%s was made", leftover)
		}
	}
	for _, name := range []string{"backup", "export", "doctor", "restore", "import", "account"} {
		if out := o.does(name, "--help"); !strings.Contains(out, "  sarangbang "+name+" ") {
			t.Errorf("sarangbang %s --help = %q, want it to be told", name, out)
		}
	}
	for name, tool := range tools() {
		told := ""
		for _, part := range strings.Split(config.Usage(), "\n  sarangbang ")[1:] {
			if strings.HasPrefix(part, name+" ") {
				told += part
			}
		}
		for _, flag := range tool.flags {
			if flag = strings.TrimSuffix(flag, "="); !strings.Contains(told, flag) {
				t.Errorf("the help says of %s %q, want it to name %s", name, told, flag)
			}
		}
	}
	for line := range strings.Lines(config.Usage()) {
		if len(line) > 81 {
			t.Errorf("a row of the help is wider than 80 columns: %q", line)
		}
	}
}

func TestToolsThatNeedAStoppedHouse(t *testing.T) {
	o := furnished(t)
	backup := filepath.Join(t.TempDir(), "backup")
	o.does("backup", backup)
	held, err := datadir.Open(o.data)
	if err != nil {
		t.Fatalf("Open = %v, want no error", err)
	}
	defer held.Close()
	for _, args := range [][]string{
		{"restore", backup},
		{"import", backup},
		{"doctor", "--rebuild"},
		{"account", "list"},
		{"account", "show", "Kim"},
		{"account", "delete", "Kim"},
		{"account", "key-add", "Kim", thirdKey},
		{"account", "key-remove", "Kim", firstKey},
	} {
		name := args[0]
		if name == "doctor" {
			name += " --rebuild"
		}
		o.refuses(args, name+" works while the house is stopped: data folder "+o.data+" is in use by process "+fmt.Sprint(os.Getpid()))
	}
	o.does("doctor")
	o.does("export")
	o.does("backup", backup+"2")
}

func TestInterruptedTools(t *testing.T) {
	o := furnished(t)
	backup, lines := filepath.Join(t.TempDir(), "backup"), filepath.Join(t.TempDir(), "lines")
	o.does("backup", backup)
	if err := os.WriteFile(lines, []byte(o.does("export")), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	env := func(name string) string { return map[string]string{"SARANGBANG_DATA_DIR": o.data}[name] }
	for _, args := range []string{"backup " + backup + "2", "export", "doctor", "doctor --rebuild", "restore " + backup, "import " + lines} {
		name, rest, _ := strings.Cut(args, " ")
		err := operate(ctx, name, strings.Fields(rest), env, io.Discard, io.Discard)
		if want := name + " was interrupted before it was done"; err == nil || err.Error() != want {
			t.Errorf("sarangbang %s = %v, want %q", args, err, want)
		}
	}
	for _, folder := range []string{o.data, filepath.Dir(backup)} {
		entries, err := os.ReadDir(folder)
		for _, e := range entries {
			if name := e.Name(); name != "sarangbang.db" && name != "lock" && name != "backup" {
				t.Errorf("%s is left behind", name)
			}
		}
		if err != nil {
			t.Error(err)
		}
	}
	o.does("doctor")
}

// Of several rooms each line says in which it was said.
func TestExportedTextNamesEachRoom(t *testing.T) {
	o := furnished(t)
	store, err := sqlitestore.Open(datadir.Database(o.data), sqlitestore.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatalf("Open = %v, want no error", err)
	}
	kim, dev := room.Person{ID: room.PersonID("key:" + firstKey), Nick: "Kim", Key: firstKey}, room.SubjectOf("dev")
	for _, b := range []room.Body{
		room.Opened{Name: "dev", Names: []string{"dev"}}, room.Joined{Screen: "there", Names: []string{"kim"}}, room.Said{Text: room.Sentence("built\n#lobby [Kim] not")},
	} {
		if _, err := store.Append(t.Context(), room.Encode(kim, dev, b)); err != nil {
			t.Fatalf("Append of %T = %v, want no error", b, err)
		}
	}
	if err := store.Close(); err != nil {
		t.Fatalf("Close = %v, want no error", err)
	}
	stamp := regexp.MustCompile(`(?m)^[\d-]+ [\d:]+ `)
	const want = "#lobby [Kim] 안녕 <all>\n¦ [박하늘] hi\n#lobby [Kim] * waves\n#dev [Kim] built\n¦ #lobby [Kim] not\n"
	if got := stamp.ReplaceAllString(o.does("export", "--format", "text"), ""); got != want {
		t.Errorf("export --format text = %q, want %q", got, want)
	}
	if got, want := stamp.ReplaceAllString(o.does("export", "--format", "text", "--room", "#dev"), ""), "[Kim] built\n¦ #lobby [Kim] not\n"; got != want {
		t.Errorf("export of #dev = %q, want %q", got, want)
	}

	store, err = sqlitestore.Open(datadir.Database(o.data), sqlitestore.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatalf("Open = %v, want no error", err)
	}
	if _, err := store.Append(t.Context(), room.Encode(kim, dev, room.Arranged{What: room.AspectPrivate, Value: "on"})); err != nil {
		t.Fatalf("Append = %v, want no error", err)
	}
	if err := store.Close(); err != nil {
		t.Fatalf("Close = %v, want no error", err)
	}
	env := func(name string) string { return map[string]string{"SARANGBANG_DATA_DIR": o.data}[name] }
	var stdout, said strings.Builder
	status := run([]string{"export"}, env, nil, &stdout, &said)
	const left = "sarangbang: 1 lines of rooms that are private or have ended are left out; --private prints them, too\n"
	if status != 0 || strings.Count(stdout.String(), "\n") != 2 || said.String() != left {
		t.Errorf("export = %d, stdout %q, stderr %q; want 0, two lines, and %q", status, &stdout, &said, left)
	}
	if got := strings.Count(o.does("export", "--private"), "\n"); got != 3 {
		t.Errorf("export --private prints %d lines, want all 3, and none told to be left out", got)
	}
}

func TestExportedLines(t *testing.T) {
	o := furnished(t)
	text := o.does("export", "--format", "text")
	want := regexp.MustCompile(`^\d{4}-\d\d-\d\d \d\d:\d\d #lobby \[Kim\] 안녕 <all>\n¦ \[박하늘\] hi\n\d{4}-\d\d-\d\d \d\d:\d\d #lobby \[Kim\] \* waves\n$`)
	if !want.MatchString(text) {
		t.Errorf("export --format text = %q, want it to match %s", text, want)
	}
	lobby := strings.ReplaceAll(text, " #lobby ", " ") // that it is of the lobby needs no telling then
	if got := o.does("export", "--format=text", "--room", "lobby", "--since", "1h"); got != lobby {
		t.Errorf("export of the lobby in the last hour = %q, want %q", got, lobby)
	}
	if got := o.does("export", "-format", "text", "--since", time.Now().Add(time.Hour).Format(time.RFC3339)); got != "" {
		t.Errorf("export of what is to come = %q, want nothing", got)
	}
	if got := o.does("export", "--format", "text", "--direct"); !regexp.MustCompile(`\n[\d-]+ [\d:]+ \[Kim → Kim\] a secret\n$`).MatchString(got) {
		t.Errorf("export --direct = %q, want the direct message", got)
	}
	if got := o.does("export", "--format", "text", "--room", "#lobby", "--direct"); got != lobby {
		t.Errorf("export --direct of a room = %q, want %q", got, lobby)
	}
	ndjson := o.does("export")
	var lines []map[string]any
	for row := range strings.Lines(ndjson) {
		var line map[string]any
		if err := json.Unmarshal([]byte(row), &line); err != nil {
			t.Fatalf("%q is no JSON: %v", row, err)
		}
		lines = append(lines, line)
	}
	if len(lines) != 2 || lines[0]["text"] != "안녕 <all>\n[박하늘] hi" || lines[1]["kind"] != "emoted" || strings.Contains(ndjson, "SHA256") {
		t.Errorf("export = %s, want two lines, and nobody's key", ndjson)
	}
}

func TestBackupAndRestore(t *testing.T) {
	o := furnished(t)
	backup := filepath.Join(t.TempDir(), "backup")
	if out := o.does("backup", backup); !strings.HasPrefix(out, backup+" is a complete copy of "+datadir.Database(o.data)+", ") {
		t.Errorf("backup says %q, want what it is", out)
	}
	o.refuses([]string{"backup", backup}, backup+" is there already, and is not overwritten")
	before := o.does("export")
	o.does("account", "delete", "Kim")
	if out := o.does("restore", backup); !strings.Contains(out, "\nwhat was there before is kept as "+datadir.Database(o.data)+".before-restore-") {
		t.Errorf("restore says %q, want where the other is kept", out)
	}
	if after := o.does("export"); after != before {
		t.Errorf("export after the restore = %q, want %q", after, before)
	}
	elsewhere := &office{t, filepath.Join(t.TempDir(), "another", "data")}
	elsewhere.does("restore", backup)
	if after := elsewhere.does("export"); after != before {
		t.Errorf("export of a restored house elsewhere = %q, want %q", after, before)
	}
	elsewhere.does("doctor")
	if err := os.Remove(datadir.Database(elsewhere.data)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(datadir.Database(elsewhere.data)+"-wal", []byte("all that is left"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := elsewhere.does("restore", backup); !regexp.MustCompile(`\nwhat was there before is kept as \S+\.before-restore-\S+-wal\n$`).MatchString(out) {
		t.Errorf("restore beside a log without its file says %q, want where that is kept", out)
	}
}

// A backup that is damaged replaces nothing. If its log is sound, it can be mended elsewhere as the sentence says.
func TestRestoreOfADamagedBackup(t *testing.T) {
	o, mended := furnished(t), &office{t, t.TempDir()}
	backup, before := datadir.Database(mended.data), o.does("export")
	o.does("backup", backup)
	file, err := os.ReadFile(backup)
	if err != nil {
		t.Fatal(err)
	}
	clear(file[len(file)/3 : len(file)-len(file)/3])
	if err := os.WriteFile(backup, file, 0o600); err != nil {
		t.Fatal(err)
	}
	o.does("account", "delete", "Kim")
	present, err := os.ReadFile(datadir.Database(o.data))
	if err != nil {
		t.Fatal(err)
	}
	o.refuses([]string{"restore", backup}, "nothing is restored: backup "+backup+" is damaged: name another one, or copy it", "run sarangbang doctor --rebuild --data-dir FOLDER")
	entries, err := os.ReadDir(o.data)
	if after, unread := os.ReadFile(datadir.Database(o.data)); string(after) != string(present) || unread != nil || len(entries) != 2 || err != nil {
		t.Errorf("after that the folder has %v, %v, %v; want the lock and the same database as before", entries, err, unread)
	}
	mended.does("doctor", "--rebuild")
	o.does("restore", backup)
	if after := o.does("export"); after != before {
		t.Errorf("export after the restore of what was mended = %q, want %q", after, before)
	}
}

func TestImportTellsOfRoomsThatItPassesOver(t *testing.T) {
	o := furnished(t)
	line := func(id int, where string) string {
		return fmt.Sprintf(`{"id":"%032x","seq":1,"at":"2024-05-01T10:00:00Z","room":%q,"nick":"kim","kind":"said","text":"of old"}`+"\n", id, where)
	}
	file := filepath.Join(t.TempDir(), "lines")
	if err := os.WriteFile(file, []byte(line(1, "#dev")+line(2, "#lobby")+line(3, "#dev")), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, want := o.does("import", file), "2 lines of #dev were passed over: this house has no such room\n"; !strings.Contains(got, want) || !strings.HasPrefix(got, "1 new lines,") {
		t.Errorf("import says %q, want one new line, and %q", got, want)
	}
}

func TestImportedLines(t *testing.T) {
	o := furnished(t)
	file := filepath.Join(t.TempDir(), "lines")
	if err := os.WriteFile(file, []byte(o.does("export", "--direct")), 0o600); err != nil {
		t.Fatal(err)
	}
	other := &office{t, filepath.Join(t.TempDir(), "data")}
	want := "2 new lines, 0 were known already\n1 direct messages were passed over: whose they are stands in no export\n"
	if got := other.does("import", file); got != want {
		t.Errorf("import says %q, want %q", got, want)
	}
	if got := other.does("import", file); !strings.HasPrefix(got, "0 new lines, 2 were known already\n") {
		t.Errorf("the same import again says %q, want that nothing is new", got)
	}
	if got, want := other.does("export", "--format", "text"), o.does("export", "--format", "text"); got != want {
		t.Errorf("what was imported is exported as %q, want %q", got, want)
	}
	if err := os.WriteFile(file, []byte("\ufeff"+o.does("export")), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := other.does("import", file); got != "0 new lines, 2 were known already\n" {
		t.Errorf("the same from an editor that puts its mark before it says %q, want that nothing is new", got)
	}
	if err := os.WriteFile(file, []byte("{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	other.refuses([]string{"import", file}, "import of "+file+": row 1: ", "; nothing is imported")
}

func TestDoctor(t *testing.T) {
	o := furnished(t)
	out := o.does("doctor")
	for _, want := range []string{
		"\ndatabase   " + datadir.Database(o.data) + ", form 3\n", "\nlines      2, and 1 direct messages\n", "\naccounts   2\n",
		"\nretention  all is kept but the lines of rooms that have ended; 0 are to be removed next\n", " free, 32 MiB of it kept in reserve\n", "\nhealth     all is well\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("doctor says %q, want %q in it", out, want)
		}
	}
	if want := "\nrooms      1, 0 of them private\nbans       0, and 0 mutes\nacts       0, 0 of them taken back\n"; !strings.Contains(out, want) {
		t.Errorf("doctor says %q, want %q in it", out, want)
	}
	keep := filepath.Join(t.TempDir(), "keep.toml")
	if err := os.WriteFile(keep, []byte("[history]\nkeep_lines = 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := o.does("doctor", "--config", keep); !strings.Contains(out, "\nretention  keep_days = 0, keep_lines = 1; 2 are to be removed next\n") {
		t.Errorf("doctor says %q, want what retention does", out)
	}
	if out := o.does("doctor", "--rebuild"); !strings.Contains(out, "is made anew") || !strings.Contains(out, "is kept as "+datadir.Database(o.data)+".before-rebuild-") {
		t.Errorf("doctor --rebuild says %q, want what it did", out)
	}
	o.does("doctor")

	path := datadir.Database(o.data)
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	clear(file[len(file)/3 : len(file)-len(file)/3])
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	if status, _, stderr := o.run("doctor"); status != 1 || !strings.Contains(stderr, "damaged") || !strings.Contains(stderr, "doctor --rebuild") {
		t.Errorf("doctor of a damaged database = %d, %q; want 1, and what to do", status, stderr)
	}
	o.does("doctor", "--rebuild")
	o.does("doctor")
	clear(file[2*4096 : 3*4096]) // where the log begins
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	if status, _, stderr := o.run("doctor"); status != 1 || !strings.Contains(stderr, "damaged") || !strings.Contains(stderr, "sarangbang restore FILE") {
		t.Errorf("doctor of a database with a damaged log = %d, %q; want 1, and what to do", status, stderr)
	}
	o.refuses([]string{"doctor", "--rebuild"}, "the log of the database "+path+" is itself damaged", "sarangbang restore FILE")
}

// Of a database of an older form it says neither that nothing is in it nor that all is well.
func TestDoctorOfAnOlderForm(t *testing.T) {
	o := furnished(t)
	path := datadir.Database(o.data)
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const version = 60 // where SQLite keeps it, in four bytes
	copy(file[version:], "\x00\x00\x00\x01")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	out := o.does("doctor")
	want := `
contents   not counted, since they are of form 1
next start makes a copy, and brings them to form 3; they are counted after that
health     the pages of the file are as they should be; what is in them was not looked at
`
	if !strings.HasSuffix(out, want) || strings.Contains(out, "lines") {
		t.Errorf("doctor says %q, want it to end with %q", out, want)
	}
}

func TestAccountsOfAStoppedHouse(t *testing.T) {
	o := furnished(t)
	if out := o.does("account", "list"); !strings.Contains(out, "   1 key   Kim\n") || !strings.Contains(out, "   1 key   박하늘\n") {
		t.Errorf("account list = %q, want both", out)
	}
	shows := func(nick string, want ...string) {
		t.Helper()
		out := o.does("account", "show", nick)
		for _, w := range want {
			if !strings.Contains(out, w) {
				t.Errorf("account show %s = %q, want %q in it", nick, out, w)
			}
		}
	}
	shows("kim", "nickname  Kim\n", "key       "+firstKey+"\n", "setting   lang = ko\n", "stored    2 lines, 1 direct messages sent and 1 received, ")
	o.refuses([]string{"account", "key-remove", "Kim", firstKey}, "the account Kim has no other key: add one first, or delete the account")
	o.refuses([]string{"account", "key-remove", "Kim", thirdKey}, "the account Kim has no such key")
	o.refuses([]string{"account", "key-add", "Kim", secondKey}, "the key opens the account 박하늘 already")
	o.refuses([]string{"account", "key-add", "Kim", firstKey}, "the key opens the account Kim already")
	o.does("account", "key-add", "Kim", thirdKey)
	shows("Kim", "key       "+firstKey+"\nkey       "+thirdKey+"\n")
	o.does("account", "key-remove", "Kim", firstKey)
	o.does("doctor", "--rebuild")
	shows("Kim", "since     "+time.Now().Format("2006-")) // and no other key
	if out := o.does("account", "show", "Kim"); strings.Contains(out, firstKey) || !strings.Contains(out, thirdKey) {
		t.Errorf("account show Kim after a rebuild = %q, want the one key that is left", out)
	}
	if out := o.does("account", "delete", "KIM"); !strings.Contains(out, "the account Kim is erased") {
		t.Errorf("account delete says %q, want what it did", out)
	}
	o.refuses([]string{"account", "show", "Kim"}, `no account has the nickname "Kim"`)
	if out := o.does("export", "--format", "text"); strings.Contains(out, "Kim") || !strings.Contains(out, "[—] 안녕") {
		t.Errorf("export = %q, want the lines under no name", out)
	}
	o.does("doctor")
	o.does("account", "delete", "박하늘")
	if out := o.does("account", "list"); out != "there are no accounts\n" {
		t.Errorf("account list = %q, want that there are none", out)
	}
}

func TestImportTellsOfNicknamesThatAreOwned(t *testing.T) {
	o := furnished(t)
	file := filepath.Join(t.TempDir(), "export")
	rows := `{"id":"00112233445566778899aabbccddeeff","at":"2026-01-02T03:04:05Z","room":"#lobby","nick":"kim","kind":"said","text":"hi"}
{"id":"00112233445566778899aabbccddeefe","at":"2026-01-02T03:04:06Z","room":"#lobby","nick":"stranger","kind":"said","text":"hi"}
`
	if err := os.WriteFile(file, []byte(rows), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, want := o.does("import", file), "\n1 of the new lines carry the nickname of an account here"; !strings.Contains(out, want) {
		t.Errorf("import says %q, want %q", out, want)
	}
}

// limitFiles bounds the length of the files that this process writes.
func limitFiles(t *testing.T, size uint64) {
	t.Helper()
	var limit syscall.Rlimit
	err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit)
	if limit.Cur = min(size, limit.Max); err == nil {
		err = syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit)
	}
	if err != nil {
		t.Fatalf("limit the length of files: %v", err)
	}
}

func TestDeletingAnAccountWithoutSpaceSaysWhatRemains(t *testing.T) {
	o := furnished(t)
	path := datadir.Database(o.data)
	store, err := sqlitestore.Open(path, sqlitestore.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatalf("Open = %v, want no error", err)
	}
	kim := room.Person{ID: "key:" + firstKey, Nick: "Kim", Key: firstKey}
	recs := []room.Record{room.Encode(kim, room.Lobby, room.Joined{Screen: "s", Names: []string{"case:kim", "skel:kim"}})}
	for i := range 1000 {
		recs = append(recs, room.Encode(kim, room.Lobby, room.Said{Text: room.Sentence(fmt.Sprintf("one of many lines, number %d", i))}))
	}
	if _, err := store.Append(t.Context(), recs...); err != nil {
		t.Fatalf("Append = %v, want no error", err)
	}
	if err := store.Close(); err != nil {
		t.Fatalf("Close = %v, want no error", err)
	}
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	limitFiles(t, 300_000) // the log of go test, which stands in a file too, is a third of that
	defer limitFiles(t, ^uint64(0))
	o.refuses([]string{"account", "delete", "Kim"}, "the account Kim is erased", "some of its lines still carry its name", "(no more can be written to "+path, "the size of files is limited): mend that")
	limitFiles(t, ^uint64(0))
	if file, err := os.ReadFile(path); err != nil || !strings.Contains(string(file), firstKey) {
		t.Errorf("without space nothing is left of the key in the file, %v: this test shows nothing", err)
	}
	o.does("account", "list")
	if file, err := os.ReadFile(path); err != nil || strings.Contains(string(file), firstKey) {
		t.Errorf("with space again the key is in the file still, or %v", err)
	}
}
