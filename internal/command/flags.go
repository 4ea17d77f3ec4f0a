package command

import (
	"slices"
	"strings"
	"unicode"

	"sarangbang/internal/i18n"
)

// This file reads flags: words with two dashes before them.

// flagOf reads a word as a flag. Phones make one dash of two.
func flagOf(word string) (name string, is bool) {
	for _, sign := range []string{"--", "—", "–"} {
		if name, is := strings.CutPrefix(word, sign); is && name != "" && 'a' <= name[0]|0x20 && name[0]|0x20 <= 'z' {
			return strings.ToLower(name), true
		}
	}
	return "", false
}

// isFlag says that a word is the flag of that name.
func isFlag(w word, name string) bool {
	flag, is := flagOf(w.text)
	return is && !w.quoted && flag == name
}

// minus is a dash that Unicode counts among the signs of mathematics.
const minus = '\u2212'

// dashed says that a word looks like a flag, by whichever dash a keyboard has made of two.
func dashed(word string) bool {
	name := strings.TrimLeftFunc(word, func(r rune) bool { return r == minus || unicode.Is(unicode.Pd, r) })
	return name != "" && name != word
}

// flags lists those of the command.
func (c Command) flags() string { return "--" + strings.Join(c.Flags, " --") }

// cutFlags takes the flags of the command out of what stands behind it, wherever they are: a dry run that is taken for a part of the
// reason would be none. Any other word with a dash before it is refused for the same reason; in double quotes it is text.
func (c Command) cutFlags(rest string) (bare string, with map[string]bool, err error) {
	var words []string
	with = map[string]bool{}
	rest = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		return r
	}, rest)
	for rest = strings.TrimLeft(rest, " "); rest != ""; rest = strings.TrimLeft(rest, " ") {
		text, quoted, after := cutQuoted(rest)
		whole := strings.TrimSuffix(rest, after)
		rest = after
		switch name, is := flagOf(text); {
		case quoted || !dashed(text):
			words = append(words, whole)
		case is && slices.Contains(c.Flags, name):
			with[name] = true
		case len(c.Flags) == 0:
			return "", nil, fail(i18n.NoFlags, shorten(text), c.Name)
		default:
			return "", nil, fail(i18n.NoFlag, shorten(text), c.flags())
		}
	}
	return strings.Join(words, " "), with, nil
}
