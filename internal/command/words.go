package command

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"sarangbang/internal/i18n"
)

// This file reads the arguments of commands that look something up: words, filters such as since:7d, and times as people write them.

// word is one of what stands behind a command, or the text of a filter. What stands in double quotes is one word, and no filter.
type word struct {
	filter string // its name in lower case; empty for a plain word
	text   string
	quoted bool
}

// cutWords takes an argument apart at its blanks.
func cutWords(rest string) []word {
	var words []word
	for {
		rest = strings.TrimLeft(rest, " \n")
		if rest == "" {
			return words
		}
		var w word
		if name, value := cutFilter(rest); name != "" {
			w.filter, rest = name, value
		}
		w.text, w.quoted, rest = cutQuoted(rest)
		words = append(words, w)
	}
}

// cutFilter takes the name of a filter from the beginning: letters of ASCII and a colon. An address of the web begins so and is
// none, and neither is what has nothing behind its colon.
func cutFilter(rest string) (name, value string) {
	name, value, found := strings.Cut(rest, ":")
	letter := func(r rune) bool { return 'a' <= r && r <= 'z' }
	name = strings.ToLower(name)
	if !found || name == "" || strings.TrimFunc(name, letter) != "" || strings.HasPrefix(value, "//") || strings.TrimLeft(value, " \n") != value || value == "" {
		return "", rest
	}
	return name, value
}

// cutQuoted takes what stands in double quotes, or all up to the next blank.
func cutQuoted(rest string) (text string, quoted bool, after string) {
	if inside, ok := strings.CutPrefix(rest, `"`); ok {
		if text, after, closed := strings.Cut(inside, `"`); closed {
			return text, true, after
		}
	}
	end := strings.IndexAny(rest, " \n")
	if end < 0 {
		end = len(rest)
	}
	return rest[:end], false, rest[end:]
}

// Layouts of package time, with a day in each, and without. Months, days and hours may have one digit.
var (
	dayLayouts   = []string{"2006-1-2", "2006-1-2 15:04", "2006-1-2 15:04:05", "2006-1-2T15:04", "2006-1-2T15:04:05"}
	clockLayouts = []string{"15:04", "15:04:05"}
)

// Moment reads a time as people write it, in the zone of now: a day, a day and a time, a time alone, which is the last time that it
// was so late, or how long ago, such as 30m, 12h, 7d and 2w. What lies outside of the times that records can have, which are counted
// in nanoseconds, becomes the nearest of them: never the zero time.
func Moment(typed string, now time.Time) (time.Time, bool) {
	t, ok := moment(typed, now)
	switch first, last := time.Unix(0, math.MinInt64), time.Unix(0, math.MaxInt64); {
	case ok && t.Before(first):
		t = first.In(now.Location())
	case ok && t.After(last):
		t = last.In(now.Location())
	}
	return t, ok
}

func moment(typed string, now time.Time) (time.Time, bool) {
	if t, ok := ago(typed, now); ok {
		return t, true
	}
	for _, layout := range dayLayouts {
		if t, err := time.ParseInLocation(layout, typed, now.Location()); err == nil {
			return t, true
		}
	}
	for _, layout := range clockLayouts {
		c, err := time.Parse(layout, typed)
		if err != nil {
			continue
		}
		t := time.Date(now.Year(), now.Month(), now.Day(), c.Hour(), c.Minute(), c.Second(), 0, now.Location())
		if t.After(now) {
			t = time.Date(now.Year(), now.Month(), now.Day()-1, c.Hour(), c.Minute(), c.Second(), 0, now.Location())
		}
		return t, true
	}
	return time.Time{}, false
}

// maxAgo keeps a length of time from becoming more than package time can count with.
const maxAgo = 99_999

// ago reads how long ago: a number and its unit.
func ago(typed string, now time.Time) (time.Time, bool) {
	if typed == "" {
		return now, false
	}
	unit := typed[len(typed)-1]
	n, err := strconv.ParseUint(typed[:len(typed)-1], 10, 32)
	if err != nil || n > maxAgo {
		return now, false
	}
	switch unit {
	case 'm':
		return now.Add(-time.Duration(n) * time.Minute), true
	case 'h':
		return now.Add(-time.Duration(n) * time.Hour), true
	case 'd':
		return now.AddDate(0, 0, -int(n)), true
	case 'w':
		return now.AddDate(0, 0, -7*int(n)), true
	}
	return now, false
}

// now is the time where the caller is.
func (c *Call) now() time.Time { return time.Now().In(c.zone()) }

// zone is where the caller reads times.
func (c *Call) zone() *time.Location {
	if c.Zone == nil {
		return time.Local
	}
	return c.Zone
}

// timesFilter reads the filter that says how much of the time stands before lines.
func timesFilter(text string) (Times, error) {
	t := Times(strings.ToLower(text))
	if !slices.Contains([]Times{TimesOff, TimesShort, TimesFull}, t) {
		return "", fail(i18n.FilterTime, shorten(text))
	}
	return t, nil
}
