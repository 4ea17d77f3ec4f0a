package i18n

import (
	"embed"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Lang is a language of the catalogs.
type Lang string

// The languages.
const (
	English Lang = "en"
	Korean  Lang = "ko"
)

// Langs lists the languages, the one that others fall back to first.
func Langs() []Lang { return []Lang{English, Korean} }

// Parse recognises a language by its tag, in any case: "ko", "en".
func Parse(tag string) (Lang, bool) {
	for _, l := range Langs() {
		if strings.EqualFold(tag, string(l)) {
			return l, true
		}
	}
	return "", false
}

// FromLocale chooses by POSIX locale values in their order of precedence (POSIX.1-2017, 8.2: LC_ALL, LC_MESSAGES, LANG): the
// first that is not empty decides, so that "C" or a language that the house does not speak gives other.
func FromLocale(other Lang, values ...string) Lang {
	for _, v := range values {
		if v == "" {
			continue
		}
		tag := strings.FieldsFunc(v, func(r rune) bool { return r == '_' || r == '.' || r == '@' || r == '-' })
		if len(tag) > 0 {
			if l, ok := Parse(tag[0]); ok {
				return l
			}
		}
		return other
	}
	return other
}

//go:embed en.json ko.json
var files embed.FS

// entry is one sentence; one replaces other where the first argument is the number 1.
type entry struct{ one, other string }

func (e *entry) UnmarshalJSON(data []byte) error {
	if err := json.Unmarshal(data, &e.other); err == nil {
		return nil
	}
	var forms struct{ One, Other string }
	if err := json.Unmarshal(data, &forms); err != nil {
		return err
	}
	e.one, e.other = forms.One, forms.Other
	return nil
}

var catalogs = load()

// load reads the embedded catalogs. A test holds that they are well formed, so a fault here ends the program at once.
func load() map[Lang]map[Key]entry {
	all := map[Lang]map[Key]entry{}
	for _, l := range Langs() {
		data, err := files.ReadFile(string(l) + ".json")
		if err != nil {
			panic(err)
		}
		catalog := map[Key]entry{}
		if err := json.Unmarshal(data, &catalog); err != nil {
			panic(fmt.Errorf("%s.json: %w", l, err))
		}
		all[l] = catalog
	}
	return all
}

// Text says the sentence in the language, with {0}, {1}, … replaced by args. A number as the first argument chooses between
// the forms for one and for more, where a sentence has two.
func (l Lang) Text(key Key, args ...any) string {
	e, ok := catalogs[l][key]
	if !ok {
		return string(key) // a test holds that this cannot be seen
	}
	form := e.other
	if e.one != "" && len(args) > 0 && fmt.Sprint(args[0]) == "1" {
		form = e.one
	}
	return fill(form, args)
}

// lengthOf is about how long a form will be with its arguments.
func lengthOf(form string, args []any) int {
	n := len(form)
	for _, a := range args {
		if text, ok := a.(string); ok {
			n += len(text)
		}
	}
	return n
}

// fill replaces {n}. Braces that hold no number of an argument stand as they are.
func fill(form string, args []any) string {
	if len(args) == 0 {
		return form
	}
	var b strings.Builder
	b.Grow(lengthOf(form, args))
	for {
		before, rest, found := strings.Cut(form, "{")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		name, after, closed := strings.Cut(rest, "}")
		n, err := strconv.Atoi(name)
		if !closed || err != nil || n < 0 || n >= len(args) {
			b.WriteByte('{')
			form = rest
			continue
		}
		if text, ok := args[n].(string); ok { // most are
			b.WriteString(text)
		} else {
			fmt.Fprint(&b, args[n])
		}
		form = after
	}
}
