package config

import (
	"log/slog"
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"sarangbang/room"
)

// liveNow are the keys that something in a running house takes a change of. A key that becomes live belongs here, and what
// takes it into the house.
var liveNow = []string{"log_level", "operators.keys", "house.contact"}

// alter gives a field another value than it has.
func alter(t *testing.T, field reflect.Value) {
	t.Helper()
	switch v := field.Addr().Interface().(type) {
	case *string:
		*v += "x"
	case *bool:
		*v = !*v
	case *int:
		*v++
	case *time.Duration:
		*v += time.Second
	case *slog.Level:
		*v = slog.LevelError
	case *[]string:
		*v = append(slices.Clone(*v), kimsKey)
	case *[]netip.Prefix:
		*v = append(slices.Clone(*v), netip.MustParsePrefix("10.0.0.0/8"))
	case *room.Text:
		*v = room.Sentence(v.String() + "x")
	default:
		t.Fatalf("there is no other value for a field of type %T", v)
	}
}

// fields calls do with the path of every exported field of settings, but for those that are tables.
func fields(v reflect.Value, path string, do func(path string, field reflect.Value)) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		switch {
		case !f.IsExported():
		case f.Type.Kind() == reflect.Struct && f.Type != reflect.TypeFor[room.Text]():
			fields(v.Field(i), path+f.Name+".", do)
		default:
			do(path+f.Name, v.Field(i))
		}
	}
}

// Every field of Settings must be seen by exactly one row, and every row must see a field: then no key can be forgotten.
func TestEveryKeyIsToldWhenItChanges(t *testing.T) {
	told := map[string]string{}
	after := defaults()
	fields(reflect.ValueOf(after).Elem(), "", func(path string, field reflect.Value) {
		if path == "ConfigFile" {
			return
		}
		before := *after
		alter(t, field)
		changes := Diff(&before, after)
		if len(changes) != 1 {
			t.Errorf("another %s gives the changes %v, want one", path, changes)
			return
		}
		c := changes[0]
		if was, is := told[c.Key]; is {
			t.Errorf("%s tells of %s and of %s", c.Key, was, path)
		}
		told[c.Key] = path
		if live := slices.Contains(liveNow, c.Key); c.Live != live {
			t.Errorf("%s takes effect at once: %v, want %v", c.Key, c.Live, live)
		}
	})
	for _, k := range append(settingKeys(), tableKeys()...) {
		if told[k.name] == "" {
			t.Errorf("no field of Settings changes %s", k.name)
		}
	}
	all := Diff(defaults(), after)
	if len(all) != len(told) {
		t.Errorf("all fields together give %d changes, want %d", len(all), len(told))
	}
}

func TestEveryKeyGivesBackWhatItTakes(t *testing.T) {
	for _, k := range append(settingKeys(), tableKeys()...) {
		if got := k.get(defaults()); !reflect.DeepEqual(got, k.byDefault) {
			t.Errorf("%s is %#v by default, want %#v", k.name, got, k.byDefault)
		}
		if bad := k.set(defaults(), k.get(defaults())); bad != nil {
			t.Errorf("%s does not take its own value: %v", k.name, bad)
		}
	}
}

func TestChangesAreWrittenAsInTheFile(t *testing.T) {
	old := load(t, "lang = \"ko\"\n[limits]\nauth_tries = 7\nexempt = [\"10.1.2.3\"]\n")
	loaded := load(t, `
lang = "ko"
tcp_addr = "off"
log_level = "debug"
[limits]
exempt = ["::1", "192.168.7.9/16"]
room_keep = "90m"
[operators]
keys = ["256 `+kimsKey+` kim (ED25519)"]
[house]
contact = "김 \"hana\" <hana@example.org>"
`)
	want := []Change{
		{"tcp_addr", `":12000"`, `"off"`, false},
		{"log_level", `"info"`, `"debug"`, true},
		{"limits.exempt", `["10.1.2.3/32"]`, `["::1/128", "192.168.0.0/16"]`, false},
		{"limits.auth_tries", `7`, `6`, false},
		{"limits.room_keep", `"24h"`, `"1h30m"`, false},
		{"operators.keys", `[]`, `["` + kimsKey + `"]`, true},
		{"house.contact", `""`, `"김 \"hana\" <hana@example.org>"`, true},
	}
	if got := Diff(old, loaded); !slices.Equal(got, want) {
		t.Errorf("changes = %+v\nwant %+v", got, want)
	}
}

func TestWhatIsWrittenOtherwiseIsNoChange(t *testing.T) {
	old := load(t, "[limits]\nroom_keep = \"24h\"\n[operators]\nkeys = [\""+kimsKey+"\", \""+leesKey+"\"]\n")
	loaded := load(t, "limits.room_keep = \"1440m\"\noperators = { keys = [\""+leesKey+"=\", \""+kimsKey+"\"] }\n")
	if got := Diff(old, loaded); got != nil {
		t.Errorf("changes = %+v, want none", got)
	}
}

func TestARunningHouseTakesOnlyWhatTakesEffect(t *testing.T) {
	old, loaded := defaults(), defaults()
	fields(reflect.ValueOf(loaded).Elem(), "", func(path string, field reflect.Value) {
		if path != "LogLevel" && path != "Operators.Keys" && path != "House.Contact" {
			alter(t, field)
		}
	})
	if got := Running(old, loaded); !reflect.DeepEqual(got, old) {
		t.Errorf("running = %+v\nwant %+v", got, old)
	}
	loaded.LogLevel, loaded.Operators.Keys, loaded.House.Contact = slog.LevelDebug, []string{kimsKey}, room.Sentence("kim")
	got := Running(old, loaded)
	if got.LogLevel != slog.LevelDebug || !slices.Equal(got.Operators.Keys, []string{kimsKey}) || got.House.Contact.String() != "kim" {
		t.Errorf("running = level %v, operators %q, contact %q; want the loaded ones", got.LogLevel, got.Operators.Keys, got.House.Contact)
	}
	if waiting := Diff(got, loaded); len(waiting) == 0 || slices.ContainsFunc(waiting, func(c Change) bool { return c.Live }) {
		t.Errorf("still waiting = %+v, want every key that does not take effect, and no other", waiting)
	}
	if !reflect.DeepEqual(old, defaults()) {
		t.Errorf("the old settings became %+v", old)
	}
}

func TestFlagsStillWinAtAReload(t *testing.T) {
	path := inFile(t, `log_level = "debug"`)
	args := []string{"--config", path, "--log-level", "warn"}
	s, err := Load(args, from())
	if err != nil {
		t.Fatal(err)
	}
	if changes := Diff(load(t, `log_level = "warn"`), s); len(changes) != 0 {
		t.Errorf("changes = %+v, want none: the flag beats the file", changes)
	}
}
