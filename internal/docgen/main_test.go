package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestPagesAreUpToDate(t *testing.T) {
	for path, want := range pages() {
		got, err := os.ReadFile(filepath.Join("../..", path))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != want {
			t.Errorf("%s is not what the code says: run go generate ./internal/docgen", path)
		}
	}
}

// Whoever looks up what the log of the program says finds it: each message of a level that is logged by default.
func TestOperatingHasEveryMessageOfTheLog(t *testing.T) {
	page, err := os.ReadFile("../../docs/OPERATING.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "\n## What the log says\n")
	table, _, _ = strings.Cut(table, "\n## ")
	logged := regexp.MustCompile(`\b(?i:log|logger)(?:\(\))?\.(?:(?:Info|Warn|Error)\(|LogAttrs\([\w.]+, (?:level|slog\.Level(?:Info|Warn|Error)), )"([^"]+)"`)
	module := os.DirFS("../..")
	n := 0
	err = fs.WalkDir(module, ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && len(path) > 1 && path[0] == '.' {
			return fs.SkipDir
		}
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := fs.ReadFile(module, path)
		for _, m := range logged.FindAllSubmatch(source, -1) {
			if n++; !strings.Contains(table, "`"+string(m[1])+"`") {
				t.Errorf("%s logs %q, which does not stand in what OPERATING.md says of the log", path, m[1])
			}
		}
		return err
	})
	if err != nil || n < 50 {
		t.Errorf("%d messages were found, %v; want those of the whole program", n, err)
	}
}
