package command

import (
	"context"
	"strings"

	"sarangbang/internal/i18n"
)

// lang tells or changes the language of this screen.
func lang(_ context.Context, c *Call) (Answer, error) {
	if c.Rest == "" {
		return c.say(i18n.LangIs), nil
	}
	l, ok := i18n.Parse(strings.TrimSpace(c.Rest))
	if !ok {
		return Answer{}, fail(i18n.LangUnknown, shorten(c.Rest))
	}
	c.Lang = l
	a := c.say(i18n.LangIs)
	a.Lang = l
	return a, nil
}

// bye leaves.
func bye(context.Context, *Call) (Answer, error) { return Answer{Leave: true}, nil }
