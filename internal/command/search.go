package command

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strconv"
	"strings"

	"sarangbang/internal/i18n"
	"sarangbang/internal/identity"
	"sarangbang/room"
)

const (
	pageLines = 20 // of a search
	maxPage   = 50 // of a search; who has read so many lines of it needs better words
)

// search shows the lines that hold some words, the newest first, a page at a time.
func search(ctx context.Context, c *Call) (Answer, error) {
	s := searching{query: room.SearchQuery{By: c.Caller}, page: 1, times: c.atLeast(TimesFull)}
	var words []string
	row, _ := Find("search")
	for _, w := range cutWords(c.Rest) {
		switch {
		case w.halfFilter():
			return Answer{}, c.usage(row)
		case w.filter == "":
			words = append(words, w.text)
		default:
			if err := s.filter(c, w); err != nil {
				return Answer{}, err
			}
		}
	}
	if len(words) == 0 && s.query.Author == "" { // all that somebody said can be asked for
		return Answer{}, c.usage(row)
	}
	m, err := c.readableRoom(s.of)
	if err != nil {
		return Answer{}, err
	}
	s.query.Room = m.Subject
	s.query.Words = strings.Join(words, " ")
	s.query.N = s.page*pageLines + 1 // one more, to see whether there is another page
	found, err := c.House.Search(ctx, s.query)
	switch {
	case errors.Is(err, room.ErrNoWords):
		return Answer{}, fail(i18n.SearchNoWords)
	case errors.Is(err, room.ErrManyWords):
		return Answer{}, fail(i18n.SearchManyWords, room.MaxSearchWords)
	case errors.Is(err, room.ErrSearchLong):
		return Answer{}, fail(i18n.SearchLong)
	case errors.Is(err, room.ErrSearchQueue):
		return Answer{}, &Failure{Say: i18n.SearchQueue, Keep: true}
	case err != nil:
		return Answer{}, err
	}
	first, last := (s.page-1)*pageLines, s.page*pageLines
	if len(found) <= first && s.page > 1 {
		return Answer{}, fail(i18n.SearchNoPage, s.page)
	}
	more := len(found) > last
	shown := slices.DeleteFunc(found[first:min(last, len(found))], func(e *room.Event) bool { return !Audible(c.Ignored, e) })
	switch {
	case len(shown) > 0 || more:
	case c.Bare: // whoever asks by a program learns it from the exit status
		return Answer{}, fail(i18n.SearchNoMatch, shorten(c.Rest))
	default:
		return c.say(i18n.SearchNoMatch, shorten(c.Rest)), nil
	}
	a := Answer{Lines: events(shown), Times: s.times}
	if more && s.page < maxPage {
		a.Aside = c.Lang.Text(i18n.SearchMore, s.page+1)
	}
	return a, nil
}

// searching is what somebody looks for.
type searching struct {
	query room.SearchQuery
	of    string // the room as it was typed; empty for the one that the caller looks at
	page  int
	times Times
}

// halfFilter says that nothing stands behind the name of a filter, as in "in: lobby".
func (w word) halfFilter() bool {
	if w.filter != "" {
		return w.text == ""
	}
	name, half := strings.CutSuffix(strings.ToLower(w.text), ":")
	return half && !w.quoted && slices.Contains([]string{"from", "in", "since", "page", "time"}, name)
}

// filter takes one filter in.
func (s *searching) filter(c *Call, w word) error {
	switch w.filter {
	case "from":
		key, err := c.author(w.text)
		s.query.Author = key
		return err
	case "in":
		s.of = w.text
	case "since":
		t, ok := Moment(w.text, c.now())
		if !ok {
			return fail(i18n.SearchSince, shorten(w.text))
		}
		s.query.Since = t
	case "page":
		n, err := strconv.Atoi(w.text)
		if err != nil || n < 1 || n > maxPage {
			return fail(i18n.SearchPage, maxPage)
		}
		s.page = n
	case "time":
		t, err := timesFilter(w.text)
		s.times = t
		return err
	default:
		return fail(i18n.SearchFilter, shorten(w.filter))
	}
	return nil
}

// author makes of a nickname what its lines are filed under.
func (c *Call) author(typed string) (string, error) {
	n, ok := c.nickname(typed)
	if !ok {
		return "", fail(i18n.SearchNobody, shorten(typed))
	}
	return n.Keys()[0], nil
}

// nickname reads a name, or what looks like one.
func (c *Call) nickname(typed string) (identity.Nickname, bool) {
	n, err := c.Names.Parse(typed)
	if refusal, ok := errors.AsType[*identity.Refusal](err); ok && refusal.Suggestion != "" {
		n, err = c.Names.Parse(refusal.Suggestion)
	}
	return n, err == nil
}

// events makes the lines of an answer.
func events(all []*room.Event) iter.Seq2[*room.Event, error] {
	return func(yield func(*room.Event, error) bool) {
		for _, e := range all {
			if !yield(e, nil) {
				return
			}
		}
	}
}
