package command

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"sarangbang/internal/i18n"
)

// This file reads how long something is to last, as people write it.

const (
	// maxLasting is the longest that anybody counts; for longer there is "forever".
	maxLasting = 10 * 365 * day
	minSlow    = time.Second
	maxSlow    = time.Hour
	day        = 24 * time.Hour
	week       = 7 * day
)

// units are the words for lengths of time that stand during a number, and spans are whole ones.
var (
	units = map[string]time.Duration{
		"s": time.Second, "sec": time.Second, "secs": time.Second, "second": time.Second, "seconds": time.Second, "초": time.Second,
		"m": time.Minute, "min": time.Minute, "mins": time.Minute, "minute": time.Minute, "minutes": time.Minute, "분": time.Minute,
		"h": time.Hour, "hr": time.Hour, "hrs": time.Hour, "hour": time.Hour, "hours": time.Hour, "시간": time.Hour,
		"d": day, "day": day, "days": day, "일": day,
		"w": week, "week": week, "weeks": week, "주": week, "주일": week,
	}
	spans = map[string]time.Duration{"하루": day, "이틀": 2 * day, "사흘": 3 * day, "일주일": week, "한시간": time.Hour}
)

// Words for a bar that ends when it is lifted, for one of a unit, and for how long, which stands before a time or behind it.
var (
	forever = []string{"forever", "영원히"}
	single  = []string{"a", "an", "one", "한"}
)

const (
	lastsFor = "for"
	during   = "동안"
)

// lasting reads a whole text as a length of time. It is false for what is none, and for more than maxLasting.
func lasting(text string) (time.Duration, bool) {
	words := strings.Fields(strings.ToLower(text))
	d, n := howLong(words)
	return d, n > 0 && n == len(words) && d <= maxLasting
}

// howLong reads a length of time from the beginning of words in lower case, and returns how many of them that took: 2h, 1h30m, 2 hours,
// 1 day and 6 hours, 2시간 30분 동안. It takes none where there is no such length. Of more than maxLasting it says no more than that.
func howLong(words []string) (d time.Duration, n int) {
	for n < len(words) {
		at := n
		if n > 0 && words[n] == "and" {
			at++
		}
		more, took := span(words[at:])
		if took == 0 {
			break
		}
		d, n = min(d+more, maxLasting+1), at+took
	}
	if n > 0 && n < len(words) && words[n] == during {
		n++
	}
	return d, n
}

// span reads one number with its unit, in one word or two, or what Go writes for a length of time.
func span(words []string) (d time.Duration, n int) {
	if len(words) == 0 {
		return 0, 0
	}
	first := strings.TrimSuffix(words[0], during)
	if whole := spans[first]; whole > 0 {
		return whole, 1
	}
	if d, err := time.ParseDuration(first); err == nil && numbered(first) && d > 0 {
		return min(d, maxLasting+1), 1
	}
	number := first[:len(first)-len(strings.TrimLeft(first, "0123456789"))]
	unit, n := first[len(number):], 1
	if slices.Contains(single, first) {
		number, unit = "1", ""
	}
	if unit == "" && len(words) > 1 {
		unit, n = strings.TrimSuffix(words[1], during), 2
	}
	each, known := units[unit]
	count, err := strconv.ParseUint(number, 10, 32)
	switch {
	case !known || err != nil || count == 0:
		return 0, 0
	case count > uint64(maxLasting/each):
		return maxLasting + 1, n
	}
	return time.Duration(count) * each, n
}

// numbered says that a word begins with a digit.
func numbered(word string) bool { return word != "" && '0' <= word[0] && word[0] <= '9' }

// untilWhen takes from the beginning of rest until when a bar is to last, if that stands there. What looks like a time and is none is
// refused: taken for a reason, it would leave a time that nobody meant.
func untilWhen(rest string, otherwise time.Duration, now time.Time) (until time.Time, after string, err error) {
	words, lower := strings.Fields(rest), strings.Fields(strings.ToLower(rest))
	if len(words) > 1 && lower[0] == lastsFor {
		words, lower = words[1:], lower[1:]
		if lower[0] == "ever" {
			lower[0] = forever[0]
		}
	}
	switch {
	case len(words) > 0 && slices.Contains(forever, lower[0]):
		return time.Time{}, strings.Join(words[1:], " "), nil
	case !timely(lower):
		return now.Add(otherwise), rest, nil
	}
	d, n := howLong(lower)
	if n == 0 || d > maxLasting {
		return time.Time{}, rest, fail(i18n.BarLasting, shorten(strings.Join(words[:min(2, len(words))], " ")))
	}
	return now.Add(d), strings.Join(words[n:], " "), nil
}

// timely says that words in lower case begin like a length of time: with a digit, or with any word and a unit, such as "two hours" and
// "half an hour".
func timely(words []string) bool {
	if _, n := span(words); n > 0 || len(words) > 0 && numbered(words[0]) {
		return true
	}
	for i, word := range words[:min(3, len(words))] {
		unit := strings.TrimSuffix(word, during)
		if i > 0 && (word == during || len(unit) > 1 && units[unit] > 0) {
			return true
		}
		if i > 0 && !slices.Contains(single, word) {
			break
		}
	}
	return false
}
