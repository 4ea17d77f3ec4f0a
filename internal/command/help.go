package command

import (
	"context"
	"slices"
	"strings"

	"sarangbang/internal/cells"
	"sarangbang/internal/i18n"
)

// help lists what the caller may do in the room where they are, or tells about one command.
func help(_ context.Context, c *Call) (Answer, error) {
	if strings.TrimSpace(c.Rest) == "keys" {
		return helpKeys(c), nil
	}
	if c.Rest != "" {
		return helpOn(c, strings.ToLower(strings.TrimPrefix(strings.TrimSpace(c.Rest), "/")))
	}
	table := slices.DeleteFunc(Table(), func(row Command) bool { return !row.May(c.House, c.as(), c.room()) })
	wide := 0
	for _, row := range table {
		wide = max(wide, cells.Width(row.Synopsis(c.Lang)))
	}
	out := make([]string, 0, len(table)+2)
	for _, row := range table {
		synopsis := row.Synopsis(c.Lang)
		pad := strings.Repeat(" ", wide-cells.Width(synopsis)+2)
		out = append(out, synopsis+pad+c.Lang.Text(row.Help))
	}
	out = append(out, c.Lang.Text(i18n.HelpEscape), c.Lang.Text(i18n.HelpKeys))
	out = append(out, c.Lang.Text(i18n.HelpOfKeys))
	return lines(out...), nil
}

// helpKeys lists what the keys of the terminal do.
func helpKeys(c *Call) Answer {
	var names, does []string
	wide := 0
	for slug, keys := range c.Keys {
		name := strings.Join(keys, " ")
		names, does = append(names, name), append(does, c.Lang.Text(i18n.TerminalKey(slug)))
		wide = max(wide, cells.Width(name))
	}
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = name + strings.Repeat(" ", wide-cells.Width(name)+2) + does[i]
	}
	return lines(out...)
}

func helpOn(c *Call, name string) (Answer, error) {
	row, ok := Find(name)
	if !ok {
		if c.Bare {
			return Answer{}, UnknownAlone(name)
		}
		return Answer{}, Unknown(name)
	}
	out := []string{row.Synopsis(c.Lang) + "  " + c.Lang.Text(row.Help)}
	if row.More != "" {
		out = append(out, c.Lang.Text(row.More))
	}
	if len(row.Flags) > 0 {
		out = append(out, c.Lang.Text(i18n.HelpFlags, row.flags()))
	}
	if row.Needs != "" {
		out = append(out, c.Lang.Text(i18n.HelpNeeds, c.Lang.Text(i18n.Role(row.Needs.Needs().String()))))
	}
	if len(row.Aliases) > 0 {
		out = append(out, c.Lang.Text(i18n.HelpAliases, "/"+strings.Join(row.Aliases, " /")))
	}
	return lines(out...), nil
}

// Unknown is the failure for a name that is no command, with the nearest that is.
func Unknown(name string) *Failure {
	name = shorten(name)
	if near := Nearest(name); near != "" {
		return &Failure{Say: i18n.UnknownNear, Args: []any{name, near}}
	}
	return &Failure{Say: i18n.UnknownCommand, Args: []any{name}}
}

// UnknownAlone is Unknown for a command that was to be run alone, without its slash.
func UnknownAlone(name string) *Failure {
	name = shorten(name)
	if near := Nearest(name); near != "" {
		return &Failure{Say: i18n.UnknownAloneNear, Args: []any{name, near}}
	}
	return &Failure{Say: i18n.UnknownAlone, Args: []any{name}}
}

// shorten keeps a quoted name from filling the screen of whoever typed it, and from looking like a line of its own.
func shorten(name string) string {
	n := 0
	for i, r := range name {
		if n++; n > maxTyped || r == '\n' {
			return name[:i] + "…"
		}
	}
	return name
}
