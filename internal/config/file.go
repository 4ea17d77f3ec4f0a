package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"unicode"

	"github.com/BurntSushi/toml"
)

// maxFileBytes is far above what the table can fill, and keeps a file which is something else from filling the memory.
const maxFileBytes = 64 << 10

func (s *Settings) readFile(path string) error {
	f, err := os.Open(path) //nolint:gosec // the path is the operator's own
	if err != nil {
		return unreadable(path, err)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	_ = f.Close() // nothing was written
	if err != nil {
		return unreadable(path, err)
	}
	if len(text) > maxFileBytes {
		return fmt.Errorf("configuration file %s is larger than %d bytes: it cannot be the right one", path, maxFileBytes)
	}
	return s.parseFile(path, string(text))
}

func unreadable(path string, err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err // the sentence names the path already
	}
	return fmt.Errorf("configuration file %s cannot be read: %w", path, err)
}

// parseFile takes the settings in one TOML text; the path is for the sentences only.
func (s *Settings) parseFile(path, text string) error {
	err := s.decode(text)
	if err == nil {
		err = s.Limits.check()
	}
	fault, ok := errors.AsType[toml.ParseError](err)
	switch {
	case err == nil:
		return nil
	case ok && fault.Position.Line > 0:
		return fmt.Errorf("%s, line %d: %s", path, fault.Position.Line, oneLine(fault.Message))
	case ok:
		return fmt.Errorf("%s: %s", path, oneLine(fault.Message))
	default:
		return fmt.Errorf("%s: %s", path, oneLine(err.Error()))
	}
}

func (s *Settings) decode(text string) error {
	var top map[string]toml.Primitive
	file, err := toml.Decode(text, &top)
	if err != nil {
		return err
	}
	if err := s.decodeTable(file, "", settingKeys(), top); err != nil {
		return err
	}
	for _, t := range tables() {
		given, is := top[t.name]
		if !is {
			continue
		}
		var keys map[string]toml.Primitive
		if err := file.PrimitiveDecode(given, mustBeTable(t.name)); err != nil {
			return err
		}
		if err := file.PrimitiveDecode(given, &keys); err != nil {
			return err
		}
		if _, chosen := keys["connections_total"]; chosen && t.name == "limits" {
			s.Limits.totalIsDefault = false
		}
		if err := s.decodeTable(file, t.name+".", t.keys(), keys); err != nil {
			return err
		}
	}
	return nil
}

func isTable(name string) bool {
	return slices.ContainsFunc(tables(), func(t table) bool { return t.name == name })
}

// decodeTable hands the keys of one table to their rows, in alphabetical order, so that the same file always fails with
// the same sentence.
func (s *Settings) decodeTable(file toml.MetaData, prefix string, rows []key, table map[string]toml.Primitive) error {
	for _, name := range slices.Sorted(maps.Keys(table)) {
		name, value := prefix+name, table[name]
		if isTable(name) {
			continue
		}
		err := file.PrimitiveDecode(value, visit(func(value any) error {
			i := slices.IndexFunc(rows, func(k key) bool { return k.name == name })
			if i < 0 {
				return unknownKey(name)
			}
			if bad := rows[i].set(s, value); bad != nil {
				return fmt.Errorf("%s = %s does not work: it must be %s", name, show(bad), rows[i].accepts)
			}
			return nil
		}))
		if err != nil {
			return err
		}
	}
	return nil
}

// A visit is called with a value as TOML has it. What it returns gets the line of the value from the TOML library, which
// knows it but tells nobody else.
type visit func(value any) error

// UnmarshalTOML implements toml.Unmarshaler.
func (v visit) UnmarshalTOML(value any) error { return v(value) }

func mustBeTable(name string) visit {
	return func(value any) error {
		if _, ok := value.(map[string]any); !ok {
			return fmt.Errorf("%s = %s does not work: it must be a table, [%s]", name, show(value), name)
		}
		return nil
	}
}

func unknownKey(name string) error {
	if name == fileKey().name {
		return errors.New("config cannot stand in the file that it names")
	}
	var known []string
	for _, t := range tables() {
		known = append(known, t.name)
	}
	for _, k := range append(settingKeys(), tableKeys()...) {
		known = append(known, k.name)
	}
	return fmt.Errorf("unknown key %s; the nearest known one is %s", show(name), nearest(name, known))
}

// oneLine keeps a sentence a sentence: the TOML library quotes the file's own text in some of its messages.
func oneLine(t string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, t)
}
