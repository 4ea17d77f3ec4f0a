package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

// from makes an environment of NAME=value pairs.
func from(pairs ...string) func(string) string {
	return func(name string) string {
		for _, p := range pairs {
			if value, ok := strings.CutPrefix(p, name+"="); ok {
				return value
			}
		}
		return ""
	}
}

// inFile writes a TOML file and returns its path.
func inFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "house.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func load(t *testing.T, text string) *Settings {
	t.Helper()
	s, err := Load([]string{"--config", inFile(t, text)}, from())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestDefaults(t *testing.T) {
	got, err := Load(nil, from())
	if err != nil {
		t.Fatal(err)
	}
	want := &Settings{
		SSHAddr: ":2222", TCPAddr: ":12000", HTTPAddr: "", DataDir: "data", Lang: "en", LogFormat: "text", LogLevel: slog.LevelInfo,
		Limits: Limits{
			Exempt:           []netip.Prefix{},
			ConnectionsTotal: 12000, ConnectionsPerAddress: 64, ConnectsPerMinutePerAddress: 30, ConnectsBurstPerAddress: 64,
			TCPWaitingForNick:    256,
			UnauthenticatedStart: 64, UnauthenticatedPercent: 30, UnauthenticatedFull: 256, UnauthenticatedPerAddress: 32,
			HandshakesPerCore: 4, HandshakeWait: 5 * time.Second, VersionTimeout: 10 * time.Second, LoginTimeout: 30 * time.Second,
			InputBurstBytes: 524288, InputBytesPerSecond: 65536, AuthTries: 6,
			PenaltyAuthFailure: 5 * time.Second, PenaltyNoAuth: time.Second, PenaltyLoginTimeout: time.Second,
			PenaltyRefused: 10 * time.Second, PenaltyCrash: 90 * time.Second, PenaltyThreshold: 15 * time.Second,
			PenaltyMax: 10 * time.Minute, PenaltyAddresses: 65536,
			SessionsPerConnection: 4, SessionOpensPerMinute: 20, RefusedChannels: 50, SessionsPerKey: 8, SessionsPerAddress: 64,
			RequestsPerSecond: 64, EnvVars: 32, EnvBytes: 4096, TermNameBytes: 64, CommandBytes: 4096,
			ColumnsMin: 12, ColumnsMax: 500, RowsMin: 4, RowsMax: 200, RedrawsPerSecond: 10,
			NickCells: 20, NickGraphemes: 20, NickBytes: 64, NickTimeout: 10 * time.Minute, NickHold: 24 * time.Hour, ResumeWindow: time.Minute,
			MessageBytes: 4096, MessageLines: 20, BacklogLines: 20, PasteBytes: 65536, EscapeBytes: 64, CombiningMarks: 4,
			MessageBurst: 8, MessagesPerSecond: 2, MessageDelay: 5 * time.Second, RefusalsPer10s: 40,
			NickChangesPerMinute: 5, JoinsPerMinute: 30, NewPeoplePerMinute: 10,
			RoomRingLines: 1024, OutputBufferBytes: 65536, OutboxLines: 64, OutboxWait: time.Minute, CommitBatchLines: 256, DiskReserveBytes: 32 << 20,
			RoomsTotal: 10_000, RoomsPerPerson: 20, RoomKeep: 24 * time.Hour,
			WriteStall: 2 * time.Minute, KeepaliveInterval: 30 * time.Second, TCPKeepalive: time.Minute, IdleTimeout: 0,
			ShutdownTimeout: 5 * time.Second, MemoryShedPercent: 85, FDReserve: 64, LoggedBytes: 64, LogLinesPerSecondPerAddress: 1,
			totalIsDefault: true,
		},
		Operators: Operators{Keys: []string{}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("settings = %+v\nwant %+v", got, want)
	}
}

func TestFlagBeatsEnvironmentBeatsFile(t *testing.T) {
	path := inFile(t, `
ssh_addr = "127.0.0.1:1"
tcp_addr = "127.0.0.1:1"
http_addr = "127.0.0.1:1"
lang = "ko"
log_level = "warn"
`)
	env := from("SARANGBANG_CONFIG="+path, "SARANGBANG_SSH_ADDR=127.0.0.1:2", "SARANGBANG_TCP_ADDR=off", "SARANGBANG_DATA_DIR=/srv/house")
	got, err := Load([]string{"serve", "--ssh-addr", "127.0.0.1:3", "-log-format=json"}, env)
	if err != nil {
		t.Fatal(err)
	}
	want := defaults()
	want.ConfigFile = path
	want.SSHAddr = "127.0.0.1:3"
	want.TCPAddr = ""
	want.HTTPAddr = "127.0.0.1:1"
	want.DataDir = "/srv/house"
	want.Lang, want.LogFormat, want.LogLevel = "ko", "json", slog.LevelWarn
	if !reflect.DeepEqual(got, want) {
		t.Errorf("settings = %+v\nwant %+v", got, want)
	}

	other := inFile(t, `lang = "en"`)
	got, err = Load([]string{"--config=" + other}, env)
	if err != nil {
		t.Fatal(err)
	}
	if got.ConfigFile != other || got.Lang != "en" {
		t.Errorf("with --config: file %q, lang %q; want the flag's file %q and its lang", got.ConfigFile, got.Lang, other)
	}
}

func TestLastOfSeveralFlagsCounts(t *testing.T) {
	s, err := Load([]string{"--lang", "ko", "--tcp-addr=off", "--lang=en", "--http-addr", "[::1]:9090"}, from())
	if err != nil {
		t.Fatal(err)
	}
	if s.Lang != "en" || s.TCPAddr != "" || s.HTTPAddr != "[::1]:9090" {
		t.Errorf("lang %q, tcp %q, http %q; want en, closed, [::1]:9090", s.Lang, s.TCPAddr, s.HTTPAddr)
	}
}

func TestProfilesAreForThisMachineAlone(t *testing.T) {
	for _, args := range [][]string{
		{"--pprof", "--http-addr", "127.0.0.1:9100"},
		{"--http-addr", "[::1]:0", "--pprof=true"},
		{"--http-addr=localhost:9100", "-pprof", "--lang", "ko"},
		{"--http-addr", "[::ffff:127.0.0.1]:9100", "--config", inFile(t, "pprof = true")},
	} {
		if s, err := Load(args, from()); err != nil || !s.Profiles {
			t.Errorf("Load(%q) = %+v, %v, want profiles", args, s, err)
		}
	}
	for _, addr := range []string{"off", ":9100", "0.0.0.0:9100", "[::]:9100", "192.168.0.1:9100", "example.org:9100", "localhost.example.org:1"} {
		want := fmt.Sprintf("--pprof does not work with --http-addr %q: it must be an address that only this machine reaches, such as 127.0.0.1:9100", addr)
		if _, err := Load([]string{"--pprof", "--http-addr", addr}, from()); err == nil || err.Error() != want {
			t.Errorf("Load = %v, want %s", err, want)
		}
		if s, err := Load([]string{"--pprof=false", "--http-addr", addr}, from()); err != nil || s.Profiles {
			t.Errorf("Load = %+v, %v, want no profiles with --http-addr %s", s, err, addr)
		}
	}
	if _, err := Load(nil, from("SARANGBANG_PPROF=true")); err == nil {
		t.Error("SARANGBANG_PPROF=true works without --http-addr, want a sentence")
	}
}

func TestHelpIsAskedForAnywhere(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"-h"}, {"serve", "-help"}, {"--lang", "ko", "-h", "--nonsense"}} {
		if _, err := Load(args, from()); !errors.Is(err, ErrHelp) {
			t.Errorf("Load(%q) = %v, want ErrHelp", args, err)
		}
	}
}

func TestWrongArgumentsAndVariablesAreOneSentence(t *testing.T) {
	tests := []struct {
		args []string
		env  string
		want string
	}{
		{args: []string{"--ssh-adr", ":1"}, want: `unknown flag "--ssh-adr"; the nearest known one is --ssh-addr`},
		{args: []string{"-log_level=info"}, want: `unknown flag "--log_level"; the nearest known one is --log-level`},
		{args: []string{"--conf=x"}, want: `unknown flag "--conf"; the nearest known one is --config`},
		{args: []string{"--message-bytes", "9"}, want: "--message-bytes is not a flag: set limits.message_bytes in the file that --config names"},
		{args: []string{"--ssh-addr"}, want: "--ssh-addr needs a value"},
		{args: []string{"2222"}, want: `unexpected argument "2222": settings are flags, such as --ssh-addr :2222`},
		{args: []string{"--lang", "ko", "serve"}, want: `unexpected argument "serve": settings are flags, such as --ssh-addr :2222`},
		{args: []string{"--"}, want: `unexpected argument "--": settings are flags, such as --ssh-addr :2222`},
		{args: []string{"\x1b[31m\n"}, want: `unexpected argument "\x1b[31m\n": settings are flags, such as --ssh-addr :2222`},
		{args: []string{"--ssh-addr", "2222"}, want: `--ssh-addr "2222" does not work: it must be HOST:PORT, such as :2222 or 127.0.0.1:2222`},
		{args: []string{"--ssh-addr", "off"}, want: `--ssh-addr "off" does not work: it must be HOST:PORT`},
		{args: []string{"--ssh-addr", ":65536"}, want: `--ssh-addr ":65536" does not work`},
		{args: []string{"--ssh-addr", ":ssh"}, want: `--ssh-addr ":ssh" does not work`},
		{args: []string{"--ssh-addr", ":"}, want: `--ssh-addr ":" does not work`},
		{args: []string{"--ssh-addr", "::1:2222"}, want: `--ssh-addr "::1:2222" does not work`},
		{args: []string{"--ssh-addr", "a b:2222"}, want: `--ssh-addr "a b:2222" does not work`},
		{args: []string{"--ssh-addr", "http://localhost:2222"}, want: `--ssh-addr "http://localhost:2222" does not work`},
		{args: []string{"--tcp-addr="}, want: `--tcp-addr "" does not work: it must be HOST:PORT, such as :2222 or 127.0.0.1:2222, or "off"`},
		{args: []string{"--http-addr", "on"}, want: `--http-addr "on" does not work`},
		{args: []string{"--pprof=on"}, want: `--pprof "on" does not work: it must be true or false`},
		{args: []string{"--pprof", "true"}, want: `unexpected argument "true": settings are flags`},
		{args: []string{"--data-dir", ""}, want: `--data-dir "" does not work: it must be a path`},
		{args: []string{"--data-dir", "a\nb"}, want: `--data-dir "a\nb" does not work: it must be a path`},
		{args: []string{"--lang", "EN"}, want: `--lang "EN" does not work: it must be en or ko`},
		{args: []string{"--log-level", "info+2"}, want: `--log-level "info+2" does not work: it must be debug, info, warn or error`},
		{args: []string{"--log-format=xml"}, want: `--log-format "xml" does not work: it must be text or json`},
		{args: []string{"--config", "/nowhere/house.toml"}, want: "configuration file /nowhere/house.toml cannot be read: no such file or directory"},
		{args: []string{"--config", "/"}, want: "configuration file / cannot be read: is a directory"},
		{args: []string{"--lang", strings.Repeat("x", 1000)}, want: `--lang "` + strings.Repeat("x", 64) + `..." does not work`},
		{env: "SARANGBANG_LANG=fr", want: `SARANGBANG_LANG="fr" does not work: it must be en or ko`},
		{env: "SARANGBANG_CONFIG=/nowhere/house.toml", want: "configuration file /nowhere/house.toml cannot be read"},
		{args: []string{"--log-level", "info"}, env: "SARANGBANG_LOG_LEVEL=loud", want: `SARANGBANG_LOG_LEVEL="loud" does not work`},
	}
	for _, tt := range tests {
		_, err := Load(tt.args, from(tt.env))
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("Load(%q, %s) = %v, want %s", tt.args, tt.env, err, tt.want)
		}
	}
}

func TestOnlyKnownVariablesCount(t *testing.T) {
	_, err := Load(nil, from("SARANGBANG_SSH_ADR=nonsense", "SARANGBANG_MESSAGE_BYTES=nonsense", "SARANGBANG_LIMITS=nonsense", "SARANGBANG_LANG="))
	if err != nil {
		t.Errorf("Load = %v, want variables of others and empty ones passed over", err)
	}
}

func TestAddressesThatWork(t *testing.T) {
	for _, addr := range []string{":0", ":65535", "localhost:2222", "127.0.0.1:22", "[::]:2222", "[fe80::1%eth0]:2222", "host_1.example.org:1"} {
		s, err := Load([]string{"--ssh-addr", addr}, from())
		if err != nil {
			t.Errorf("Load = %v, want %q accepted", err, addr)
		} else if s.SSHAddr != addr {
			t.Errorf("SSHAddr = %q, want %q", s.SSHAddr, addr)
		}
	}
}

func TestUsageFitsATerminalAndNamesEveryFlag(t *testing.T) {
	text := Usage()
	for row := range strings.Lines(text) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(row, "\n")); n > 80 {
			t.Errorf("row of %d columns, want at most 80: %q", n, row)
		}
	}
	for _, want := range []string{
		"--ssh-addr ADDR", "--tcp-addr ADDR", "--http-addr ADDR", "--pprof ", "--data-dir DIR", "--config FILE", "--lang LANG",
		"--log-format FORMAT", "--log-level LEVEL", "connect", "version", "(:2222)", "(:12000)",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("usage lacks %q:\n%s", want, text)
		}
	}
}

// The table is the documentation: a cell too many or an empty one would show only on the page.
func TestReferenceHasARowForEveryKey(t *testing.T) {
	var rows []string
	for line := range strings.Lines(Reference()) {
		if strings.HasPrefix(line, "|") {
			rows = append(rows, strings.TrimSpace(line))
		}
	}
	if got, want := len(rows), 2*(1+len(tables()))+1+len(settingKeys())+len(tableKeys()); got != want {
		t.Errorf("the tables have %d rows, want %d", got, want)
	}
	for _, k := range append(settingKeys(), tableKeys()...) {
		if k.doc == "" || k.accepts == "" {
			t.Errorf("%s lacks its meaning or what it accepts", k.name)
		}
	}
	for i, row := range rows {
		want := 7 // bars around six cells, then around five, then around four
		if i >= 2+1+len(settingKeys()) {
			want = 6
		}
		if i >= 4+1+len(settingKeys())+len(limitKeys()) {
			want = 5
		}
		if got := strings.Count(row, "|"); got != want {
			t.Errorf("row has %d bars, want %d: %s", got, want, row)
		}
	}
	for _, want := range []string{
		"| `--ssh-addr ADDR` | `SARANGBANG_SSH_ADDR` | `ssh_addr` | `\":2222\"` | HOST:PORT, such as :2222 or 127.0.0.1:2222 | SSH door; port 0 picks a free one |",
		"| `--pprof` | `SARANGBANG_PPROF` | `pprof` | `false` | true or false |",
		"| `message_bytes` | `4096` | a whole number from 1 to 65536 | refused whole, with both sizes named |  |",
		"| `nick_timeout` | `\"10m\"` | a time in quotes, from \"100ms\" to \"24h\" | told, session ends; on the TCP door reset |  |",
		"| `keys` | `[]` | a list of at most 100 fingerprints as ssh-keygen -lf prints them, \"SHA256:\" and 43 characters | whoever proves one of these keys is an operator |",
		"A change of `log_level`, `operators.keys` or `house.contact` takes effect at once, any other at the next start.",
		"| `sessions_per_key` | `8` | a whole number from 1 to 1000000 | a sentence, exit status 1 | yes |",
	} {
		if !strings.Contains(Reference(), want) {
			t.Errorf("the page lacks the row %s", want)
		}
	}
}

// A row whose closure points to another field would pass unseen wherever the defaults agree.
func TestEveryLimitSetsItsOwnFieldOnly(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range limitKeys() {
		before, after := defaults(), defaults()
		var value any
		switch low, high := bounds(t, k); {
		case k.name == "limits.exempt":
			value = []any{"10.0.0.0/8"}
		case low == k.byDefault:
			value = high
		default:
			value = low
		}
		if bad := k.set(after, value); bad != nil {
			t.Errorf("%s does not accept its own bound %v", k.name, value)
			continue
		}
		was, is := reflect.ValueOf(before.Limits), reflect.ValueOf(after.Limits)
		var changed []string
		for i := range was.NumField() {
			if name := was.Type().Field(i).Name; fmt.Sprint(was.Field(i)) != fmt.Sprint(is.Field(i)) {
				changed = append(changed, name)
			}
		}
		want := camel(leaf(k.name))
		if len(changed) != 1 || changed[0] != want {
			t.Errorf("%s changes the fields %v, want only %s", k.name, changed, want)
		}
		seen[want] = true
	}
	for f := range reflect.TypeFor[Limits]().Fields() {
		if f.IsExported() && !seen[f.Name] {
			t.Errorf("field %s has no key", f.Name)
		}
	}
}

// camel is the field of a key: fd_reserve is FDReserve.
func camel(name string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(name, "_") {
		switch word {
		case "tcp", "fd":
			b.WriteString(strings.ToUpper(word))
		default:
			b.WriteString(string(unicode.ToUpper(rune(word[0]))) + word[1:])
		}
	}
	return b.String()
}

// bounds reads the least and the greatest value from what the key says about itself, so that the sentence is tested with
// the check. A list has none.
func bounds(t *testing.T, k key) (low, high any) {
	t.Helper()
	var m, n int64
	if _, err := fmt.Sscanf(k.accepts, "a whole number from %d to %d", &m, &n); err == nil {
		return m, n
	}
	var from, to string
	if _, err := fmt.Sscanf(k.accepts, "a time in quotes, from %q to %q", &from, &to); err == nil {
		return from, to
	}
	if k.name != "limits.exempt" {
		t.Errorf("%s accepts %q, want a range", k.name, k.accepts)
	}
	return nil, nil
}

func TestEveryLimitHoldsItsRange(t *testing.T) {
	for _, k := range limitKeys() {
		low, high := bounds(t, k)
		var below, above any
		switch low := low.(type) {
		case int64:
			below, above = low-1, high.(int64)+1
		case string:
			l, lowErr := time.ParseDuration(low)
			h, highErr := time.ParseDuration(high.(string))
			if lowErr != nil || highErr != nil {
				t.Errorf("%s: %v, %v", k.name, lowErr, highErr)
			}
			below, above = (l - 1).String(), (h + 1).String()
		default:
			continue
		}
		for _, value := range []any{low, high} {
			if bad := k.set(defaults(), value); bad != nil {
				t.Errorf("%s refuses %v, want it accepted: %s", k.name, value, k.accepts)
			}
		}
		for _, value := range []any{below, above, 1.5, true, "", "soon", []any{}, map[string]any{}} {
			if bad := k.set(defaults(), value); bad == nil {
				t.Errorf("%s accepts %#v, want it refused: %s", k.name, value, k.accepts)
			}
		}
	}
}
