package config

import "reflect"

// A Change is one key that differs between two settings.
type Change struct {
	Key      string // as in the TOML file, from its top: "lang", "limits.room_keep"
	Old, New string // as they would stand there
	Live     bool   // takes effect while the house runs; otherwise at the next start
}

// Diff lists the keys in which two settings differ, in the order of the reference page. The path of the file itself is none:
// arguments and environment do not change while a process runs.
func Diff(old, loaded *Settings) []Change {
	var changes []Change
	for _, k := range append(settingKeys(), tableKeys()...) {
		if was, is := k.get(old), k.get(loaded); !reflect.DeepEqual(was, is) {
			changes = append(changes, Change{Key: k.name, Old: written(was), New: written(is), Live: k.live})
		}
	}
	return changes
}

// Running returns what holds in a running house once its settings were loaded again: the old ones, but for the keys that take
// effect while it runs. A later Diff against it tells again of every change that still waits for the next start.
func Running(old, loaded *Settings) *Settings {
	s := *old
	for _, k := range append(settingKeys(), tableKeys()...) {
		if k.live {
			k.set(&s, k.get(loaded))
		}
	}
	return &s
}
