package command

import (
	"context"
	"slices"
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
	a.Change = func(s *Settings) { s.Lang = l }
	return a, nil
}

// plain tells or changes whether the screen is only ever added to.
func plain(_ context.Context, c *Call) (Answer, error) {
	if !c.Terminal {
		return Answer{}, fail(i18n.PlainNoTerminal)
	}
	on := c.Plain
	if c.Rest != "" {
		choice, err := c.choose("plain")
		if err != nil {
			return Answer{}, err
		}
		on = choice == "on"
	}
	key := i18n.PlainIsOff
	if on {
		key = i18n.PlainIsOn
	}
	a := c.say(key)
	a.Change = func(s *Settings) { s.Plain = on }
	return a, nil
}

// times tells or changes how much of the time stands before lines.
func times(_ context.Context, c *Call) (Answer, error) {
	if c.Rest == "" {
		return c.say(i18n.TimeIs, c.Times), nil
	}
	choice, err := c.choose("time")
	if err != nil {
		return Answer{}, err
	}
	a := c.say(i18n.TimeIs, choice)
	a.Change = func(s *Settings) { s.Times = Times(choice) }
	return a, nil
}

// bell tells or changes what the terminal's bell rings for.
func bell(_ context.Context, c *Call) (Answer, error) {
	if c.Rest == "" {
		return c.say(i18n.BellIs, c.Bell), nil
	}
	choice, err := c.choose("bell")
	if err != nil {
		return Answer{}, err
	}
	a := c.say(i18n.BellIs, choice)
	a.Change = func(s *Settings) { s.Bell = Bell(choice) }
	return a, nil
}

// choose takes the argument, which must be one of the command's choices.
func (c *Call) choose(of string) (string, error) {
	row, _ := Find(of)
	choice := strings.ToLower(strings.TrimSpace(c.Rest))
	if !slices.Contains(row.Choices, choice) {
		return "", c.usage(row)
	}
	return choice, nil
}

// bye leaves.
func bye(context.Context, *Call) (Answer, error) { return Answer{Leave: true}, nil }
