package main

import (
	"bytes"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestTablesAreWhatTheSourcesGive(t *testing.T) {
	got, err := generate(os.DirFS("testdata"))
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("../../tables.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("tables.go is not what its sources give: run go generate ./internal/identity")
	}
}

// originals are files as Unicode writes them.
func originals() fstest.MapFS {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	return fstest.MapFS{
		"confusables.txt": file("\uFEFF# confusables.txt\n# Version: 17.0.0\n\n" +
			"006D ;\t0072 006E ;\tMA\t# ( m → rn ) LATIN SMALL LETTER M # \n" +
			"0430 ;\t0061 ;\tMA\t# ( а → a )\n0251 ;\t0061 ;\tMA\t#\n"),
		"IdentifierType.txt": file("# Version: 17.0.0\n\n0061..007A    ; Recommended   # 1.1 [26] LATIN\n0430 ; Recommended\n" +
			"00B7 ; Inclusion\n200B..200D ; Default_Ignorable\n10330..1034A ; Exclusion\n"),
		"IdentifierStatus.txt": file("# Version: 17.0.0\n\n0061..007A    ; Allowed # a\n00B7 ; Allowed\n0430 ; Allowed\n"),
		"ScriptExtensions.txt": file("# ScriptExtensions-17.0.0.txt\n\n30FC          ; Hira Kana # Lm\n00B7 ; Latn\n"),
	}
}

func TestCompactCopiesHoldWhatTheOriginalsDo(t *testing.T) {
	files, err := compact(originals())
	if err != nil {
		t.Fatal(err)
	}
	copies := fstest.MapFS{emojiFile: {Data: []byte("Emoji: 1F600-1F64F\n")}}
	for name, content := range files {
		copies[name] = &fstest.MapFile{Data: content}
	}
	for _, test := range []struct {
		file string
		want property
	}{
		{confusablesFile, property{"0072 006E": {'m'}, "0061": {0x251, 0x430}}},
		{extensionsFile, property{"Hira Kana": {0x30FC}, "Latn": {0xB7}}},
		{emojiFile, property{"Emoji": runesBetween(0x1F600, 0x1F64F)}},
		{typesFile, property{
			"Recommended":       append(runesBetween('a', 'z'), 0x430),
			"Inclusion":         {0xB7},
			"Default_Ignorable": {0x200B, 0x200C, 0x200D},
			"Exclusion":         runesBetween(0x10330, 0x1034A),
		}},
	} {
		got, err := readCompact(copies, test.file)
		if err != nil {
			t.Fatal(err)
		}
		if !maps.EqualFunc(got, test.want, slices.Equal[[]rune]) {
			t.Errorf("%s = %v, want %v", test.file, got, test.want)
		}
	}
	again, err := compact(originals())
	if err != nil || !maps.EqualFunc(files, again, bytes.Equal) {
		t.Errorf("a second import gave other files (error %v)", err)
	}
	if _, err := generate(copies); err != nil {
		t.Errorf("generate from the copies: %v", err)
	}
}

func runesBetween(low, high rune) []rune {
	var runes []rune
	for r := low; r <= high; r++ {
		runes = append(runes, r)
	}
	return runes
}

func TestImportRefusesWhatItWouldGetWrong(t *testing.T) {
	for name, test := range map[string]struct {
		file, old, new, want string
	}{
		"another version": {"confusables.txt", "17.0.0", "16.0.0", "not of Unicode 17.0.0"},
		"a status that the type does not imply": {
			"IdentifierStatus.txt", "00B7 ; Allowed", "", "27 code points are Allowed, of the types Recommended and Inclusion are 28",
		},
		"no code point": {"IdentifierType.txt", "00B7", "XYZ", `line 5: not a code point: "XYZ"`},
		"no value":      {"ScriptExtensions.txt", "00B7 ; Latn", "00B7", "want two fields"},
	} {
		t.Run(name, func(t *testing.T) {
			files := originals()
			text := strings.Replace(string(files[test.file].Data), test.old, test.new, 1)
			files[test.file] = &fstest.MapFile{Data: []byte(text)}
			_, err := compact(files)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error = %v, want one with %q", err, test.want)
			}
		})
	}
}

func TestUnknownScriptIsNamed(t *testing.T) {
	files := originals()
	files["ScriptExtensions.txt"] = &fstest.MapFile{Data: []byte("# Version: 17.0.0\n00B7 ; Latn Xxxx\n")}
	copies := fstest.MapFS{emojiFile: {}}
	compacted, err := compact(files)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range compacted {
		copies[name] = &fstest.MapFile{Data: content}
	}
	if _, err := generate(copies); err == nil || !strings.Contains(err.Error(), `unknown script "Xxxx"`) {
		t.Errorf("error = %v, want one that names the script", err)
	}
}
