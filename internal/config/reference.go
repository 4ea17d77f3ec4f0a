package config

import (
	"fmt"
	"strings"
)

// Reference is the page about every setting and every limit, in Markdown. docs/CONFIG.md is made of it.
func Reference() string {
	var b strings.Builder
	b.WriteString(`# Settings

Made from the table in internal/config by ` + "`go generate`" + `; change it there.

A flag beats an environment variable, which beats the TOML file that ` + "`--config`" + ` names. The file is strict: a key that is
not on this page, a value of the wrong kind or one out of range is one sentence on stderr and exit status 1.

On SIGHUP a running house reads the file again, and the log says what changed; a file with a fault changes nothing, and the log
says why. A change of ` + liveKeys() + ` takes effect at once, any other at the next start.

| flag | environment | key in the file | default | what works | what it is |
|---|---|---|---|---|---|
`)
	for _, k := range append([]key{fileKey()}, settingKeys()...) {
		name, byDefault := code(k.name), "–"
		if k.byDefault == nil {
			name = "–"
		} else {
			byDefault = code(written(k.byDefault))
		}
		row(&b, code(k.form()), code(k.variable()), name, byDefault, k.accepts, k.doc)
	}
	for _, t := range tables() {
		fmt.Fprintf(&b, "\n## %s\n\nThese are keys of the file's `[%s]` table. %s\n\n", t.title, t.name, t.about)
		limits := t.name == "limits"
		if limits {
			b.WriteString("| limit | default | what works | beyond it | exempt |\n|---|---|---|---|---|\n")
		} else {
			b.WriteString("| key | default | what works | what it is |\n|---|---|---|---|\n")
		}
		for _, k := range t.keys() {
			cells := []string{code(leaf(k.name)), code(written(k.byDefault)), k.accepts, k.doc}
			switch {
			case k.exempted:
				cells = append(cells, "yes")
			case limits:
				cells = append(cells, "")
			}
			row(&b, cells...)
		}
	}
	return b.String()
}

func row(b *strings.Builder, cells ...string) {
	fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
}

func code(t string) string { return "`" + t + "`" }

// liveKeys names the keys that take effect while the house runs.
func liveKeys() string {
	var names []string
	for _, k := range append(settingKeys(), tableKeys()...) {
		if k.live {
			names = append(names, code(k.name))
		}
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// written is a value as it would stand in the TOML file.
func written(value any) string {
	switch v := value.(type) {
	case string:
		return fmt.Sprintf("%q", v)
	case []any:
		items := make([]string, len(v))
		for i, item := range v {
			items[i] = written(item)
		}
		return "[" + strings.Join(items, ", ") + "]"
	default:
		return fmt.Sprint(v)
	}
}
