package config

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
)

// Settings are what an operator can choose, checked.
type Settings struct {
	SSHAddr    string // host:port
	TCPAddr    string // host:port, or empty when the door is closed
	HTTPAddr   string // host:port, or empty when it is closed
	Profiles   bool   // served beside the rest at HTTPAddr, which is on the loopback then
	DataDir    string
	ConfigFile string     // empty when none was named
	Lang       string     // "en" or "ko"
	LogFormat  string     // "text" or "json"
	LogLevel   slog.Level // of debug, info, warn, error
	Limits     Limits
	History    History
	Operators  Operators
	House      House
}

// A table is one of the tables of the TOML file.
type table struct {
	name  string
	title string // over its part of the reference page
	about string // under the title
	keys  func() []key
}

func tables() []table {
	return []table{
		{
			name: "limits", title: "Limits", keys: limitKeys,
			about: "Times are strings (`\"30s\"`, `\"2m\"`), sizes are bytes. Addresses count as /32 (IPv4) or\n" +
				"/64 (IPv6). The limits marked \"yes\" do not hold for the addresses in `exempt`: by default for nobody, not even for this machine.\n" +
				"A load test needs `exempt = [\"127.0.0.0/8\"]`. Totals always hold.",
		},
		{
			name: "history", title: "History", keys: historyKeys,
			about: "They say what is kept of what was said. Accounts and their settings are always kept.",
		},
		{
			name: "operators", title: "Operators", keys: operatorKeys,
			about: "They say who may do everything in the house, whatever others grant or take away.",
		},
		{
			name: "house", title: "House", keys: houseKeys,
			about: "They say what people are told about the house.",
		},
	}
}

// tableKeys are the rows of all tables.
func tableKeys() []key {
	var keys []key
	for _, t := range tables() {
		keys = append(keys, t.keys()...)
	}
	return keys
}

// ErrHelp is what Load returns for --help: the caller prints Usage and is done.
var ErrHelp = errors.New("help was asked for")

// Load makes settings of the arguments after the program's name (a leading "serve" is passed over), the environment and
// the TOML file that one of them names. A flag beats the environment, which beats the file. An empty variable counts as
// unset; SARANGBANG_ variables which are not in the table are somebody else's.
//
// The error is one sentence for the operator: where the fault is, what it is, and what would work.
func Load(args []string, getenv func(string) string) (*Settings, error) {
	if len(args) > 0 && args[0] == "serve" {
		args = args[1:]
	}
	flags, err := parseFlags(args)
	if err != nil {
		return nil, err
	}
	s := defaults()
	if err := s.override(fileKey(), flags, getenv); err != nil {
		return nil, err
	}
	if s.ConfigFile != "" {
		if err := s.readFile(s.ConfigFile); err != nil {
			return nil, err
		}
	}
	for _, k := range settingKeys() {
		if err := s.override(k, flags, getenv); err != nil {
			return nil, err
		}
	}
	if s.Profiles && !isLoopback(s.HTTPAddr) {
		return nil, fmt.Errorf("--pprof does not work with --http-addr %q: it must be an address that only this machine reaches, such as 127.0.0.1:9100",
			clip(cmp.Or(s.HTTPAddr, "off")))
	}
	return s, nil
}

// defaults are the settings of a house that nobody has configured.
func defaults() *Settings {
	s := new(Settings)
	for _, k := range append(settingKeys(), tableKeys()...) {
		k.set(s, k.byDefault)
	}
	s.Limits.totalIsDefault = true
	return s
}

// override sets what the environment and then the flags say about one key. The weaker one is checked even where the
// stronger one wins: a mistake that waits until a flag is dropped is found by nobody.
func (s *Settings) override(k key, flags map[string]string, getenv func(string) string) error {
	if text := getenv(k.variable()); text != "" {
		if bad := k.set(s, text); bad != nil {
			return fmt.Errorf("%s=%s does not work: it must be %s", k.variable(), show(bad), k.accepts)
		}
	}
	if text, given := flags[k.flag()]; given {
		if bad := k.set(s, text); bad != nil {
			return fmt.Errorf("%s %s does not work: it must be %s", k.flag(), show(bad), k.accepts)
		}
	}
	return nil
}

// parseFlags splits the arguments into flags and their values. Both --name=value and --name value work, but for a switch, whose
// value is joined to it or true. One dash is as good as two, and the last of several counts.
func parseFlags(args []string) (map[string]string, error) {
	flags := map[string]string{}
	for len(args) > 0 {
		arg, rest := args[0], args[1:]
		name, isFlag := strings.CutPrefix(arg, "-")
		if !isFlag || name == "" || name == "-" {
			return nil, fmt.Errorf("unexpected argument %s: settings are flags, such as --ssh-addr :2222", show(arg))
		}
		name, value, joined := strings.Cut("--"+strings.TrimPrefix(name, "-"), "=")
		if name == "--help" || name == "--h" {
			return nil, ErrHelp
		}
		if err := checkFlag(name); err != nil {
			return nil, err
		}
		if !joined && isSwitch(name) {
			value, joined = "true", true
		}
		if !joined {
			if len(rest) == 0 {
				return nil, fmt.Errorf("%s needs a value", name)
			}
			value, rest = rest[0], rest[1:]
		}
		flags[name], args = value, rest
	}
	return flags, nil
}

// isSwitch reports whether a flag may stand without a value.
func isSwitch(name string) bool {
	return slices.ContainsFunc(settingKeys(), func(k key) bool { return k.flag() == name && k.arg == "" })
}

func checkFlag(name string) error {
	known := []string{fileKey().flag()}
	for _, k := range settingKeys() {
		known = append(known, k.flag())
	}
	if slices.Contains(known, name) {
		return nil
	}
	for _, k := range tableKeys() {
		if k.flag() == name {
			return fmt.Errorf("%s is not a flag: set %s in the file that --config names", name, k.name)
		}
	}
	return fmt.Errorf("unknown flag %s; the nearest known one is %s", show(name), nearest(name, known))
}

// Usage is the help text. No row is wider than 80 columns.
func Usage() string {
	var b strings.Builder
	b.WriteString(`sarangbang: a chat house that people enter with ssh

Usage:
  sarangbang [serve] [FLAG VALUE]...   run the house
  sarangbang connect [HOST[:12000]]    talk to a house over plain TCP
  sarangbang version                   say which version this is

With --data-dir or --config, beside the running house:
  sarangbang backup FILE               copy the database into a new file
  sarangbang doctor                    check the database, say what is in it
  sarangbang export [FLAG VALUE]...    print what was said in rooms:
      --format ndjson|text, --room '#lobby', --since 7d; with --direct also
      direct messages, with --private rooms that are private or ended, too
  sarangbang audit [FLAG VALUE]...     print what was done to keep order:
      --format text|ndjson, --room '#lobby', --since 7d
and while it is stopped:
  sarangbang restore FILE              put a backup in the place of the database
  sarangbang import FILE               add the lines of an export
  sarangbang doctor --rebuild          make search index and accounts anew
  sarangbang account list              list the accounts
  sarangbang account show|delete NICK  show what is stored, or erase the account
  sarangbang account key-add|key-remove NICK FINGERPRINT

Flags of serve:
`)
	for _, k := range append([]key{fileKey()}, settingKeys()...) {
		fmt.Fprintf(&b, "  %-20s %s", k.form(), k.doc)
		if k.byDefault != nil {
			fmt.Fprintf(&b, " (%v)", k.byDefault)
		}
		b.WriteByte('\n')
	}
	b.WriteString(`
Each is also an environment variable (SARANGBANG_SSH_ADDR) and, but --config, a
key of the TOML file (ssh_addr). A flag beats the environment, which beats the
file, whose tables hold the rest, such as [limits]: see docs/CONFIG.md.
`)
	return b.String()
}
