package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"sarangbang/internal/config"
	"sarangbang/internal/datadir"
	"sarangbang/internal/i18n"
	"sarangbang/internal/render"
	"sarangbang/internal/sqlitestore"
	"sarangbang/room"
)

// This file is what an operator can do with the data of a house: beside the running house, or while it is stopped.

// tool is one subcommand.
type tool struct {
	usage string   // what follows the name of the program
	args  [2]int   // how many arguments at least, and at most
	flags []string // of its own; those that need a value end in =
	run   func(ctx context.Context, j *job) error
}

// job is one call of a tool.
type job struct {
	tool     tool
	settings *config.Settings
	path     string // of the database
	args     []string
	flags    map[string]string
	stdout   io.Writer
	stderr   io.Writer
}

// tools are all there are, by name.
func tools() map[string]tool {
	return map[string]tool{
		"backup": {usage: "backup FILE", args: [2]int{1, 1}, run: backup},
		"export": {
			usage: "export [--format ndjson|text] [--room '#lobby'] [--since TIME] [--direct] [--private]",
			flags: []string{"--format=", "--room=", "--since=", "--direct", "--private"}, run: export,
		},
		"audit": {
			usage: "audit [--format text|ndjson] [--room '#lobby'] [--since TIME]",
			flags: []string{"--format=", "--room=", "--since="}, run: audit,
		},
		"doctor":  {usage: "doctor [--rebuild]", flags: []string{"--rebuild"}, run: doctor},
		"restore": {usage: "restore FILE", args: [2]int{1, 1}, run: restore},
		"import":  {usage: "import FILE", args: [2]int{1, 1}, run: imports},
		"account": {
			usage: "account list|show NICK|delete NICK|key-add NICK FINGERPRINT|key-remove NICK FINGERPRINT",
			args:  [2]int{1, 3}, run: account,
		},
	}
}

// operate runs a tool.
func operate(ctx context.Context, name string, args []string, getenv func(string) string, stdout, stderr io.Writer) error {
	t := tools()[name]
	j := &job{tool: t, flags: map[string]string{}, stdout: stdout, stderr: stderr}
	settings, err := j.parse(args)
	if err != nil {
		return err
	}
	if j.settings, err = config.Load(settings, getenv); err != nil {
		return err
	}
	j.path = datadir.Database(j.settings.DataDir)
	err = t.run(ctx, j)
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("%s was interrupted before it was done", name)
	}
	return err
}

// parse takes the arguments apart and returns those that are settings of the house.
func (j *job) parse(args []string) (settings []string, err error) {
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		if arg == "--" { // what follows is no flag, whatever it looks like
			j.args = append(j.args, args...)
			break
		}
		bare := strings.TrimLeft(arg, "-")
		if bare == arg || bare == "" {
			j.args = append(j.args, arg)
			continue
		}
		name, value, joined := strings.Cut("--"+bare, "=")
		shared := name == "--data-dir" || name == "--config"
		switch {
		case name == "--help" || name == "--h":
			return nil, config.ErrHelp
		case slices.Contains(j.tool.flags, name) && !joined:
			j.flags[name] = "yes"
			continue
		case !shared && !slices.Contains(j.tool.flags, name+"="):
			return nil, j.misused("%q is none of its flags", arg)
		case !joined && len(args) == 0:
			return nil, j.misused("%s needs a value", name)
		case !joined:
			value, args = args[0], args[1:]
		}
		if shared {
			settings = append(settings, name+"="+value)
		} else {
			j.flags[name] = value
		}
	}
	switch n := len(j.args); {
	case slices.Contains(j.args, ""):
		return nil, j.misused("one of its arguments is empty")
	case n < j.tool.args[0]:
		return nil, j.misused("something is missing")
	case n > j.tool.args[1]:
		return nil, j.misused("%q is too much", j.args[j.tool.args[1]])
	}
	return settings, nil
}

// misused makes the sentence for arguments that do not work.
func (j *job) misused(format string, args ...any) error {
	name, _, _ := strings.Cut(j.tool.usage, " ")
	return fmt.Errorf("%s: %s; what works: sarangbang %s [--data-dir DIR] [--config FILE]", name, fmt.Sprintf(format, args...), j.tool.usage)
}

func (j *job) say(format string, args ...any) {
	_, _ = fmt.Fprintf(j.stdout, format+"\n", args...) // what was done is done, whether anybody reads it or not
}

// logger passes on what the store has to tell, such as a copy that it made. What goes wrong is said in the sentence with which the tool
// ends.
func (j *job) logger() *slog.Logger {
	return slog.New(tidings{newLogger(j.settings, j.settings.LogLevel, j.stderr).Handler()})
}

// tidings lets through what is not about faults.
type tidings struct{ slog.Handler }

// Enabled implements [slog.Handler].
func (t tidings) Enabled(ctx context.Context, level slog.Level) bool {
	return level < slog.LevelWarn && t.Handler.Enabled(ctx, level)
}

// stopped does something with the data folder while no house runs in it; what it is called is for the sentence that it does not work.
func (j *job) stopped(what string, do func() error) error {
	dir, err := datadir.Open(j.settings.DataDir)
	if err != nil {
		return fmt.Errorf("%s works while the house is stopped: %w", what, err)
	}
	defer func() { _ = dir.Close() }() // the lock goes with the process anyway
	return do()
}

// exists refuses a data folder in which no house has run: most likely it is the wrong one, and none is made of it.
func (j *job) exists() error {
	if _, err := os.Lstat(j.path); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no database %s: name the data folder of a house that has run, with --data-dir", j.path)
	}
	return nil
}

func backup(ctx context.Context, j *job) error {
	n, err := sqlitestore.Backup(ctx, j.path, j.args[0])
	if err == nil {
		j.say("%s is a complete copy of %s, %s", j.args[0], j.path, size(n))
	}
	return err
}

func restore(ctx context.Context, j *job) error {
	if info, err := os.Stat(j.args[0]); err != nil || !info.Mode().IsRegular() {
		return fmt.Errorf("there is no backup %s to read: name a file that sarangbang backup has made", j.args[0])
	}
	return j.stopped("restore", func() error {
		aside, err := sqlitestore.Restore(ctx, j.path, j.args[0])
		if err != nil {
			return err
		}
		j.say("%s is what %s holds", j.path, j.args[0])
		if aside != "" {
			j.say("what was there before is kept as %s", aside)
		}
		return nil
	})
}

func imports(ctx context.Context, j *job) error {
	info, err := os.Stat(j.args[0])
	var file *os.File
	if err == nil && !info.IsDir() {
		file, err = os.Open(j.args[0])
	}
	if file == nil || err != nil {
		return fmt.Errorf("there is no export %s to read: name a file that sarangbang export --format ndjson has made", j.args[0])
	}
	defer func() { _ = file.Close() }() // nothing was written
	return j.stopped("import", func() error {
		done, err := sqlitestore.Import(ctx, j.path, file)
		if err != nil {
			return fmt.Errorf("import of %s: %w", j.args[0], err)
		}
		j.say("%d new lines, %d were known already", done.New, done.Known)
		if done.Owned > 0 {
			j.say("%d of the new lines carry the nickname of an account here; they do not belong to it", done.Owned)
		}
		if done.Told > 0 {
			j.say("%d direct messages were passed over: whose they are stands in no export", done.Told)
		}
		for _, p := range done.Passed {
			why := "this house has no such room"
			if p.Early {
				why = "they are from before this house made that room, and one of that name before it may have been private"
			}
			j.say("%d lines of %s were passed over: %s", p.Lines, p.Room, why)
		}
		if done.Aside != "" {
			j.say("the database as it was before is kept as %s", done.Aside)
		}
		return nil
	})
}

func export(ctx context.Context, j *job) error {
	leftOut := 0
	q := sqlitestore.ExportQuery{Direct: j.flags["--direct"] != "", Private: j.flags["--private"] != "", LeftOut: &leftOut}
	if name, given := j.flags["--room"]; given {
		subject, ok := sqlitestore.RoomNamed("#" + strings.TrimPrefix(name, "#"))
		if !ok {
			return j.misused("%q is no room such as '#lobby'", name)
		}
		q.Room = subject
	}
	var err error
	if q.Since, err = j.since(); err != nil {
		return err
	}
	out := bufio.NewWriterSize(j.stdout, 64<<10)
	var write func(*room.Event) error
	switch format := j.flags["--format"]; format {
	case "", "ndjson":
		lines := json.NewEncoder(out)
		lines.SetEscapeHTML(false)
		write = func(e *room.Event) error { return lines.Encode(sqlitestore.NewLine(e)) }
	case "text":
		var row []byte
		view := render.View{Lang: i18n.English, Clock: "2006-01-02 15:04", Zone: time.Local}
		if q.Room == "" {
			view.Here = room.HouseSubject // so that each line says in which room it was said
		}
		write = func(e *room.Event) error {
			row = render.Append(row[:0], e, view)
			_, err := out.Write(row)
			return err
		}
	default:
		return j.misused("%q is no format, ndjson and text are", format)
	}
	for e, err := range sqlitestore.Export(ctx, j.path, q) {
		if err != nil {
			_ = out.Flush() // the error is why the rest is missing
			return err
		}
		if err := write(e); err != nil {
			return fmt.Errorf("export: not all could be written: %w", err)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("export: not all could be written: %w", err)
	}
	if leftOut > 0 {
		_, _ = fmt.Fprintf(j.stderr, "sarangbang: %d lines of rooms that are private or have ended are left out; --private prints them, too\n", leftOut)
	}
	return nil
}

func doctor(ctx context.Context, j *job) error {
	if j.flags["--rebuild"] == "" {
		return examine(ctx, j)
	}
	if err := j.exists(); err != nil {
		return err
	}
	return j.stopped("doctor --rebuild", func() error {
		opt := storeOptions(j.settings.Limits, config.History{}, j.logger())
		done, err := sqlitestore.Rebuild(ctx, j.path, opt, func(_, _ room.Seq) {})
		if err != nil {
			return err
		}
		opt.DiskReserve = 0 // it is about what was made
		r, err := sqlitestore.Check(ctx, j.path, opt)
		if err == nil && len(r.Faults) > 0 {
			err = unsound(j.path, r.Faults)
		}
		if err != nil {
			return fmt.Errorf("it was made anew, and what was there before is kept as %s, but %w", done.Aside, err)
		}
		j.say("all but the log of %s is made anew from that", j.path)
		if len(done.Lost) > 0 {
			j.say("what the log does not tell is lost where it could not be read: %s", strings.Join(done.Lost, ", "))
		}
		j.say("the database as it was before is kept as %s", done.Aside)
		return nil
	})
}

// examine reports how the database is.
func examine(ctx context.Context, j *job) error {
	r, err := sqlitestore.Check(ctx, j.path, storeOptions(j.settings.Limits, j.settings.History, nil))
	if err != nil {
		return err
	}
	row := func(name, format string, args ...any) { j.say("%-11s%s", name, fmt.Sprintf(format, args...)) }
	row("program", "%s, SQLite %s", versionLine(), r.SQLite)
	row("database", "%s, form %d", j.path, r.Version)
	row("size", "%s, and %s beside it that is not carried over yet", size(r.Bytes), size(r.Beside))
	row("disk", "%s free, %s of it kept in reserve", size(r.Free), size(int64(j.settings.Limits.DiskReserveBytes)))
	if r.Older {
		row("contents", "not counted, since they are of form %d", r.Version)
		row("next start", "makes a copy, and brings them to form %d; they are counted after that", r.Known)
	} else {
		contents(row, r, keepOf(j.settings.History))
	}
	switch {
	case len(r.Faults) > 0:
		return unsound(j.path, r.Faults)
	case r.Older:
		row("health", "the pages of the file are as they should be; what is in them was not looked at")
	default:
		row("health", "all is well")
	}
	return nil
}

// contents reports what is in the database.
func contents(row func(name, format string, args ...any), r *sqlitestore.Report, keep sqlitestore.Keep) {
	row("lines", "%d, and %d direct messages", r.Lines, r.Told)
	if !r.Oldest.IsZero() {
		row("", "oldest %s, newest %s", r.Oldest.Format(time.DateTime), r.Newest.Format(time.DateTime))
	}
	row("accounts", "%d", r.Accounts)
	row("rooms", "%d, %d of them private", r.Rooms, r.Private)
	row("bans", "%d, and %d mutes", r.Bans, r.Mutes)
	row("acts", "%d, %d of them taken back", r.Acts, r.Undone)
	kept := "all is kept but the lines of rooms that have ended"
	if keep != (sqlitestore.Keep{}) {
		kept = fmt.Sprintf("keep_days = %d, keep_lines = %d", keep.Days, keep.Lines)
	}
	row("retention", "%s; %d are to be removed next", kept, r.Aging)
	if r.Striking > 0 {
		row("erased", "%d accounts whose lines the running house has still to take the name from", r.Striking)
	}
}

// unsound makes one sentence of all faults, with what mends them.
func unsound(path string, faults []sqlitestore.Fault) error {
	advice := [...]string{
		sqlitestore.ByRestore: "stop the house and bring a backup back with sarangbang restore FILE",
		sqlitestore.ByRebuild: "stop the house and run sarangbang doctor --rebuild",
		sqlitestore.ByRoom:    "make room",
	}
	var said []string
	gravest := sqlitestore.ByRoom
	for _, f := range faults {
		said = append(said, f.Text)
		gravest = min(gravest, f.Mend)
	}
	return fmt.Errorf("database %s is not as it should be: %s; %s", path, strings.Join(said, "; "), advice[gravest])
}

// size writes a size for people.
func size(n int64) string {
	for _, unit := range []string{"bytes", "KiB", "MiB"} {
		if n < 10_000 {
			return fmt.Sprintf("%d %s", n, unit)
		}
		n >>= 10
	}
	return fmt.Sprintf("%d GiB", n)
}
