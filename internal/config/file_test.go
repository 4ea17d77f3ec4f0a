package config

import (
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"sarangbang/internal/identity"
)

func TestLimitsAreReadFromTheFile(t *testing.T) {
	got := load(t, `
# a school of 300
ssh_addr = ":22"

[limits]
exempt = [
	"127.0.0.0/8",
	"10.1.2.3", # the load generator
	"2001:db8::1",
	"192.168.7.9/16",
	"::ffff:172.16.0.0/108",
	"::ffff:198.51.100.7",
]
connections_total = 300
idle_timeout = "1h30m"
`).Limits
	want := defaults().Limits
	want.ConnectionsTotal, want.totalIsDefault = 300, false
	want.IdleTimeout = 90 * time.Minute
	for _, p := range []string{"127.0.0.0/8", "10.1.2.3/32", "2001:db8::1/128", "192.168.0.0/16", "172.16.0.0/12", "198.51.100.7/32"} {
		want.Exempt = append(want.Exempt, netip.MustParsePrefix(p))
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("limits = %+v\nwant %+v", got, want)
	}
}

func TestHistoryIsATableOfItsOwn(t *testing.T) {
	s := defaults()
	if err := s.parseFile("house.toml", "[history]\nkeep_days = 30\nkeep_lines = 1000\n"); err != nil {
		t.Fatal(err)
	}
	if want := (History{KeepDays: 30, KeepLines: 1000}); s.History != want {
		t.Errorf("history = %+v, want %+v", s.History, want)
	}
}

func TestFilesThatWork(t *testing.T) {
	for _, text := range []string{
		"", "# nothing\n", "[limits]\n", "limits = {}\n", "limits.message_bytes = 80\n", `limits = { message_bytes = 80, exempt = [] }`,
		"\ufefflang = \"ko\"\r\n", `tcp_addr = "off"`, `"lang" = 'ko'`,
	} {
		if err := defaults().parseFile("house.toml", text); err != nil {
			t.Errorf("%q: %v, want it accepted", text, err)
		}
	}
}

func TestWrongFilesAreOneSentence(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"misspelt key", "\nssh_adr = \":1\"", `house.toml, line 2: unknown key "ssh_adr"; the nearest known one is ssh_addr`},
		{"flag's spelling", `log-level = "info"`, `house.toml, line 1: unknown key "log-level"; the nearest known one is log_level`},
		{"misspelt limit", "[limits]\n\nmesage_bytes = 4096\n", `house.toml, line 3: unknown key "limits.mesage_bytes"; the nearest known one is limits.message_bytes`},
		{"limit outside its table", "message_bytes = 4096\n", `house.toml, line 1: unknown key "message_bytes"; the nearest known one is limits.message_bytes`},
		{"setting inside the table", "[limits]\nlang = \"ko\"\n", `house.toml, line 2: unknown key "limits.lang"; the nearest known one is lang`},
		{"misspelt table", "[limit]\nmessage_bytes = 4096\n", `house.toml, line 1: unknown key "limit"; the nearest known one is limits`},
		{"limit of a later feature", "[limits]\nlink_bytes = 1024\n", `house.toml, line 2: unknown key "limits.link_bytes"; the nearest known one is limits.nick_bytes`},
		{"file names itself", `config = "x"`, `house.toml, line 1: config cannot stand in the file that it names`},
		{"limits is no table", `limits = 3`, `house.toml, line 1: limits = 3 does not work: it must be a table, [limits]`},
		{"history is no table", `history = 3`, `house.toml, line 1: history = 3 does not work: it must be a table, [history]`},
		{"limits is a list of tables", "[[limits]]\n", `house.toml, line 1: limits = [...] does not work: it must be a table, [limits]`},
		{"number in quotes", "[limits]\nmessage_bytes = \"80\"", `house.toml, line 2: limits.message_bytes = "80" does not work: it must be a whole number from 1 to 65536`},
		{"too small", "[limits]\nmessage_bytes = 0", `house.toml, line 2: limits.message_bytes = 0 does not work: it must be a whole number from 1 to 65536`},
		{"too large", "[limits]\nmessage_bytes = 9223372036854775807", `house.toml, line 2: limits.message_bytes = 9223372036854775807 does not work`},
		{"fraction", "[limits]\nmessages_per_second = 0.5", `house.toml, line 2: limits.messages_per_second = 0.5 does not work: it must be a whole number`},
		{"time without quotes", "[limits]\nlogin_timeout = 30", `house.toml, line 2: limits.login_timeout = 30 does not work: it must be a time in quotes, from "100ms" to "1h"`},
		{"time without unit", "[limits]\nlogin_timeout = \"30\"", `house.toml, line 2: limits.login_timeout = "30" does not work`},
		{"zero where it means nothing", "[limits]\nlogin_timeout = \"0s\"", `house.toml, line 2: limits.login_timeout = "0s" does not work`},
		{"list for a number", "[limits]\nauth_tries = [\n6]", `house.toml, line 2: limits.auth_tries = [...] does not work`},
		{"table for a string", "[lang]\nx = 1", `house.toml, line 1: lang = {...} does not work: it must be en or ko`},
		{"date for a string", "lang = 2026-11-23T00:00:00Z", `house.toml, line 1: lang = 2026-11-23T00:00:00Z does not work`},
		{"boolean for an address", "ssh_addr = true", `house.toml, line 1: ssh_addr = true does not work: it must be HOST:PORT`},
		{"closed SSH door", `ssh_addr = "off"`, `house.toml, line 1: ssh_addr = "off" does not work: it must be HOST:PORT`},
		{"one network without its list", "[limits]\nexempt = \"127.0.0.0/8\"", `house.toml, line 2: limits.exempt = "127.0.0.0/8" does not work: it must be a list of networks or addresses, such as ["127.0.0.0/8"]`},
		{"no network", "[limits]\nexempt = [\"127.0.0.1\", \"localhost\"]", `house.toml, line 2: limits.exempt = "localhost" does not work: it must be a list of networks`},
		{"network too long", "[limits]\nexempt = [\"10.0.0.0/33\"]", `house.toml, line 2: limits.exempt = "10.0.0.0/33" does not work`},
		{"address with a zone", "[limits]\nexempt = [\"fe80::1%eth0\"]", `house.toml, line 2: limits.exempt = "fe80::1%eth0" does not work`},
		{"more than all of IPv4", "[limits]\nexempt = [\"::ffff:0.0.0.0/64\"]", `house.toml, line 2: limits.exempt = "::ffff:0.0.0.0/64" does not work`},
		{"number as a network", "[limits]\nexempt = [10]", `house.toml, line 2: limits.exempt = 10 does not work`},
		{"room kept for ever", "[limits]\nroom_keep = \"0s\"", `house.toml, line 2: limits.room_keep = "0s" does not work: it must be a time in quotes, from "1s" to "8760h"`},
		{"one operator without the list", "[operators]\nkeys = \"" + kimsKey + "\"", `house.toml, line 2: operators.keys = "` + kimsKey + `" does not work: it must be a list of at most 100 fingerprints as ssh-keygen -lf prints them, "SHA256:" and 43 characters`},
		{"operator by nickname", "[operators]\nkeys = [\"" + kimsKey + "\", \"kim\"]", `house.toml, line 2: operators.keys = "kim" does not work: it must be a list`},
		{"house without its table", `house = "kim"`, `house.toml, line 1: house = "kim" does not work: it must be a table, [house]`},
		{"contact of two lines", "[house]\ncontact = \"kim\\nlee\"", `house.toml, line 2: house.contact = "kim\nlee" does not work: it must be one line of at most 200 bytes, without control characters`},
		{"crossed columns", "[limits]\ncolumns_min = 100\ncolumns_max = 80", `house.toml: limits.columns_min (100) is more than limits.columns_max (80): lower the first or raise the second`},
		{"crossed rows", "[limits]\nrows_max = 4\nrows_min = 5", `house.toml: limits.rows_min (5) is more than limits.rows_max (4)`},
		{"crossed thresholds", "[limits]\nunauthenticated_full = 8", `house.toml: limits.unauthenticated_start (64) is more than limits.unauthenticated_full (8)`},
		{"crossed penalties", "[limits]\npenalty_max = \"10s\"", `house.toml: limits.penalty_threshold (15s) is more than limits.penalty_max (10s)`},
		{"message that no line can hold", "[limits]\npaste_bytes = 4095", `house.toml: limits.message_bytes (4096) is more than limits.paste_bytes (4095)`},
		{"key given twice", "lang = \"en\"\nlang = \"ko\"", `house.toml, line 2: Key 'lang' has already been defined.`},
		{"key with a bidi override given twice", "\"\\u202e\" = 1\n\"\\u202e\" = 2", `house.toml, line 2: Key '"?"' has already been defined.`},
		{"no TOML", "lang: en\n", `house.toml, line 1: `},
		{"another file", "\x7fELF\x02\x01\x01", `house.toml, line 1: `},
		{"escape in a key", "\"\\u001b[31m\" = 1", `house.toml, line 1: unknown key "\x1b[31m"; the nearest known one is `},
		{"endless key", strings.Repeat("a", 10000) + " = 1", `house.toml, line 1: unknown key "` + strings.Repeat("a", 64) + `..."; the nearest known one is `},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := defaults().parseFile("house.toml", tt.text)
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("%v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestTheSameFileFailsWithTheSameSentence(t *testing.T) {
	const text, want = "zeta = 1\nmu = 1\nbeta = 1\nalpha = 1\n", "house.toml, line 4: unknown key \"alpha\""
	for range 20 {
		if err := defaults().parseFile("house.toml", text); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Fatalf("%v, want %s", err, want)
		}
	}
}

func TestHugeFilesAreRefused(t *testing.T) {
	_, err := Load([]string{"--config", inFile(t, strings.Repeat("#", maxFileBytes+1))}, from())
	if err == nil || !strings.Contains(err.Error(), "is larger than 65536 bytes") {
		t.Errorf("Load = %v, want a file of %d bytes refused", err, maxFileBytes+1)
	}
	// The TOML parser is recursive: what the size allows must fit its stack.
	deep := "lang = " + strings.Repeat("[", maxFileBytes-8)
	if _, err := Load([]string{"--config", inFile(t, deep)}, from()); err == nil {
		t.Error("Load accepted a file of opening brackets")
	}
}

func TestAnEndlessFileIsNotReadToItsEnd(t *testing.T) {
	_, err := Load([]string{"--config", "/dev/zero"}, from())
	if err == nil || !strings.Contains(err.Error(), "is larger than") {
		t.Errorf("Load = %v, want it to stop at %d bytes", err, maxFileBytes)
	}
}

func TestAFailedFileIsReadAgainAsItIs(t *testing.T) {
	path := inFile(t, `lang = "fr"`)
	args := []string{"--config", path}
	if _, err := Load(args, from()); err == nil {
		t.Fatal("Load accepted lang fr")
	}
	if err := os.WriteFile(path, []byte(`lang = "ko"`), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Load(args, from())
	if err != nil || s.Lang != "ko" {
		t.Errorf("Load after the file was mended = %+v, %v; want lang ko", s, err)
	}
}

func TestConnectionsFitTheFiles(t *testing.T) {
	chosen := load(t, "[limits]\nconnections_total = 12000\n").Limits
	tests := []struct {
		name    string
		limits  Limits
		hard    uint64
		doors   int
		total   int
		warning string
		err     string
	}{
		{"enough", defaults().Limits, 24064, 2, 12000, "", ""},
		{"no limit", chosen, 1<<64 - 1, 2, 12000, "", ""},
		{"one door", chosen, 20000, 1, 12000, "", ""},
		{"default gives way", defaults().Limits, 20000, 2, 9968, "only 20000 files may be open, so each of 2 doors takes 9968 connections instead of 12000", ""},
		{"default gives way to the last", defaults().Limits, 66, 2, 1, "each of 2 doors takes 1 connections", ""},
		{"choice does not", chosen, 20000, 2, 12000, "", "limits.connections_total (12000) on each of 2 doors and limits.fd_reserve (64) need 24064 open files, but only 20000 are allowed: lower it to 9968,"},
		{"default of one door", defaults().Limits, 10064, 1, 10000, "so the only door takes 10000 connections instead of 12000", ""},
		{"one file short", chosen, 24063, 2, 12000, "", "lower it to 11999,"},
		{"room for nobody", defaults().Limits, 65, 2, 12000, "", "only 65 files may be open, which leaves no connection for each of 2 doors"},
		{"room for less than nobody", defaults().Limits, 10, 2, 12000, "", "only 10 files may be open"},
		{"no doors", defaults().Limits, 10, 0, 12000, "", "only 10 files may be open"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fit, warning, err := tt.limits.FitFiles(tt.hard, tt.doors)
			if fit.ConnectionsTotal != tt.total {
				t.Errorf("total = %d, want %d", fit.ConnectionsTotal, tt.total)
			}
			if (warning == "") != (tt.warning == "") || !strings.Contains(warning, tt.warning) {
				t.Errorf("warning = %q, want %q", warning, tt.warning)
			}
			if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("err = %v, want %q", err, tt.err)
			}
		})
	}
}

// FuzzFile: whatever stands in the file, the answer is either settings within their ranges or one printable sentence.
func FuzzFile(f *testing.F) {
	for _, text := range []string{
		"", "ssh_addr = \":1\"\n[limits]\nmessage_bytes = 80\nlogin_timeout = \"3s\"\nexempt = [\"10.0.0.0/8\", \"::1\"]\n",
		"limits = {}", "[[limits]]", "limits.a.b = 1", "\"\" = 1", "[operators]\nkeys = [\"" + kimsKey + "\"]\n[house]\ncontact = \"김\"", "\"\\u202e\" = \"\\u0007\"", "lang = '''\nko'''", "[limits]\nexempt = [[]]",
		"[limits]\ncolumns_min = 500\n", "[limits.message_bytes]", "lang.x = 1\nlang = \"ko\"", "a = 1979-05-27", "a = nan", "x = \"\\\x1b\"",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 4<<10 { // the TOML library takes seconds for a key of a thousand tables
			return
		}
		s := defaults()
		err := s.parseFile("house.toml", text)
		again := defaults().parseFile("house.toml", text)
		if (err == nil) != (again == nil) || err != nil && err.Error() != again.Error() {
			t.Fatalf("the same file gave %v, then %v", err, again)
		}
		if err != nil {
			sentence := err.Error()
			if !strings.HasPrefix(sentence, "house.toml") || len(sentence) > 16<<10 {
				t.Errorf("%q, want a sentence that starts with the file's name", sentence)
			}
			if i := strings.IndexFunc(sentence, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
				t.Errorf("%q is not printable at %d", sentence, i)
			}
			return
		}
		limits := reflect.ValueOf(s.Limits)
		for i := range limits.NumField() {
			if v := limits.Field(i); v.CanInt() && v.Int() < 0 {
				t.Errorf("%s = %d, want none below 0", limits.Type().Field(i).Name, v.Int())
			}
		}
		for _, p := range s.Limits.Exempt {
			if !p.IsValid() || p != p.Masked() || p.Addr().Is4In6() {
				t.Errorf("exempt holds %v, want a plain network", p)
			}
		}
		if l := s.Limits; l.ColumnsMin < 12 || l.ColumnsMin > l.ColumnsMax || l.RowsMin < 4 || l.RowsMin > l.RowsMax || l.ConnectionsTotal < 1 {
			t.Errorf("limits = %+v, want each within its range", l)
		}
		for _, k := range s.Operators.Keys {
			if canonical, ok := identity.ParseFingerprint(k); !ok || canonical != k {
				t.Errorf("operators holds %q, want a fingerprint", k)
			}
		}
		if c := s.House.Contact.String(); len(c) > 200 || strings.Contains(c, "\n") {
			t.Errorf("contact = %q, want at most one short line", c)
		}
		if !isAddress(s.SSHAddr) || !isPath(s.DataDir) || !slices.Contains([]string{"en", "ko"}, s.Lang) {
			t.Errorf("settings = %+v, want each checked", s)
		}
	})
}

func TestNearestCountsTypingMistakes(t *testing.T) {
	for _, tt := range []struct {
		from, to string
		want     int
	}{{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"lang", "lang", 0}, {"lnag", "lang", 2}, {"abcx", "abc", 1}, {"kitten", "sitting", 3}, {"한글", "한국", 1}} {
		if got := distance(tt.from, tt.to); got != tt.want {
			t.Errorf("distance(%q, %q) = %d, want %d", tt.from, tt.to, got, tt.want)
		}
	}
}

func TestPathOfTheFileIsKeptAsGiven(t *testing.T) {
	path := inFile(t, "")
	t.Chdir(filepath.Dir(path))
	s, err := Load([]string{"--config", "house.toml"}, from())
	if err != nil || s.ConfigFile != "house.toml" {
		t.Errorf("ConfigFile = %v, %v; want it as given", s, err)
	}
}
