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
		row(&b, code(k.flag()+" "+k.arg), code(k.variable()), name, byDefault, k.accepts, k.doc)
	}
	b.WriteString(`
## Limits

These are keys of the file's ` + "`[limits]`" + ` table. Times are strings (` + "`\"30s\"`, `\"2m\"`" + `), sizes are bytes. Addresses count as /32 (IPv4) or
/64 (IPv6). The limits marked "yes" do not hold for the addresses in ` + "`exempt`" + `: by default for nobody, not even for this machine.
A load test needs ` + "`exempt = [\"127.0.0.0/8\"]`" + `. Totals always hold.

| limit | default | what works | beyond it | exempt |
|---|---|---|---|---|
`)
	for _, k := range limitKeys() {
		mark := ""
		if k.exempted {
			mark = "yes"
		}
		row(&b, code(leaf(k.name)), code(written(k.byDefault)), k.accepts, k.doc, mark)
	}
	b.WriteString(`
## History

These are keys of the file's ` + "`[history]`" + ` table: what is kept of what was said. Accounts and their settings are always kept.

| key | default | what works | what it does |
|---|---|---|---|
`)
	for _, k := range historyKeys() {
		row(&b, code(leaf(k.name)), code(written(k.byDefault)), k.accepts, k.doc)
	}
	return b.String()
}

func row(b *strings.Builder, cells ...string) {
	fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
}

func code(t string) string { return "`" + t + "`" }

// written is a default as it would stand in the TOML file.
func written(value any) string {
	if t, ok := value.(string); ok {
		return fmt.Sprintf("%q", t)
	}
	return fmt.Sprint(value)
}
