package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"sarangbang/internal/command"
	"sarangbang/internal/i18n"
	"sarangbang/internal/sqlitestore"
)

// audit prints what was done to rooms and to keep order.
func audit(ctx context.Context, j *job) error {
	q := sqlitestore.AuditQuery{}
	if name, given := j.flags["--room"]; given {
		subject, ok := sqlitestore.RoomNamed("#" + strings.TrimPrefix(name, "#"))
		if !ok {
			return j.misused("%q is no room such as '#lobby'", name)
		}
		q.Where = subject
	}
	var err error
	if q.Since, err = j.since(); err != nil {
		return err
	}
	out := bufio.NewWriterSize(j.stdout, 64<<10)
	var write func(sqlitestore.Deed) error
	switch format := j.flags["--format"]; format {
	case "", "text":
		write = func(d sqlitestore.Deed) error {
			_, err := out.WriteString(command.Recount(d.Event, d.Of, d.Undone, i18n.English, time.Local, nil) + "\n")
			return err
		}
	case "ndjson":
		lines := json.NewEncoder(out)
		lines.SetEscapeHTML(false)
		write = func(d sqlitestore.Deed) error { return lines.Encode(command.NewAuditLine(d.Event, d.Of, d.Undone)) }
	default:
		return j.misused("%q is no format, text and ndjson are", format)
	}
	for d, err := range sqlitestore.Audit(ctx, j.path, q) {
		if err != nil {
			_ = out.Flush() // the error is why the rest is missing
			return err
		}
		if err := write(d); err != nil {
			return fmt.Errorf("audit: not all could be written: %w", err)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("audit: not all could be written: %w", err)
	}
	return nil
}

// since reads the flag of that name; the zero time where it is not given.
func (j *job) since() (time.Time, error) {
	typed, given := j.flags["--since"]
	if !given {
		return time.Time{}, nil
	}
	since, ok := command.Moment(typed, time.Now())
	if exact, err := time.Parse(time.RFC3339, typed); err == nil {
		since, ok = exact, true
	}
	if !ok {
		return since, j.misused("%q is no time such as 2026-11-22, '2026-11-22 14:30', 12h or 7d", typed)
	}
	return since, nil
}
