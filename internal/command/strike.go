package command

import (
	"context"
	"iter"
	"slices"
	"strings"

	"sarangbang/internal/i18n"
	"sarangbang/room"
)

// This file shows lines with their IDs, and strikes them.

const (
	shownID   = 8  // digits of a line's ID that /history --ids shows: of 100,000 lines hardly two begin alike
	leastID   = 6  // digits that /strike takes
	mostLines = 50 // that can be struck at once; a record is a few KiB at most
)

// strike takes lines out of everything that people see.
func strike(ctx context.Context, c *Call) (Answer, error) {
	where, rest, err := c.place()
	if err != nil {
		return Answer{}, err
	}
	typed := strings.Fields(strings.ToLower(rest))
	switch {
	case len(typed) == 0:
		row, _ := Find("strike")
		return Answer{}, c.usage(row)
	case len(typed) > mostLines:
		return Answer{}, fail(i18n.StrikeMany, mostLines)
	}
	var struck []room.ID
	var rows []string
	for _, id := range typed {
		line, err := c.line(ctx, where, id)
		if err != nil {
			return Answer{}, err
		}
		if !slices.Contains(struck, line.ID) {
			struck, rows = append(struck, line.ID), append(rows, c.rowOf(line))
		}
	}
	if c.With[dryRun] {
		return lines(slices.Concat([]string{c.Lang.Text(i18n.WouldStrike, len(rows))}, rows, []string{c.Lang.Text(i18n.NothingDone)})...), nil
	}
	if _, err := c.do(ctx, where, room.Withdrawn{Lines: struck}); err != nil {
		return Answer{}, err
	}
	return c.say(i18n.StrikeDone, len(struck)), nil
}

// line finds the one line of a room whose ID begins so.
func (c *Call) line(ctx context.Context, where room.Subject, id string) (*room.Event, error) {
	if len(id) < leastID || strings.Trim(id, "0123456789abcdef") != "" {
		return nil, fail(i18n.StrikeID, shorten(id), leastID)
	}
	found, err := c.House.FindLines(ctx, where, id, 2)
	switch {
	case err != nil:
		return nil, err
	case len(found) == 0:
		return nil, fail(i18n.StrikeNone, shorten(id), nameOf(c.House, where))
	case len(found) > 1:
		return nil, fail(i18n.StrikeTwo, id)
	}
	if _, struck := found[0].Body.(room.Removed); struck {
		return nil, fail(i18n.StrikeAgain, id)
	}
	return found[0], nil
}

// withIDs shows each line in one row, with the beginning of its ID. What has several rows itself is joined: nobody can type a row that
// looks as if it had an ID.
func (c *Call) withIDs(all iter.Seq2[*room.Event, error]) iter.Seq2[*room.Event, error] {
	return func(yield func(*room.Event, error) bool) {
		for e, err := range all {
			if err != nil {
				yield(nil, err)
				return
			}
			row := c.rowOf(e)
			if row == "" {
				continue
			}
			if !yield(room.Note(room.Sentence(row)), nil) {
				return
			}
		}
	}
}

// rowOf is one line of a room as [Call.withIDs] shows it; empty for what is none.
func (c *Call) rowOf(e *room.Event) string {
	text := ""
	switch b := e.Body.(type) {
	case room.Said:
		text = "[" + string(e.From.Nick) + "] " + b.Text.String()
	case room.Emoted:
		text = "[" + string(e.From.Nick) + "] * " + b.Text.String()
	case room.Removed:
		text = c.Lang.Text(i18n.RemovedLine)
	default:
		return ""
	}
	return e.ID.String()[:shownID] + " " + c.day(e.At) + " " + strings.ReplaceAll(text, "\n", " / ")
}
