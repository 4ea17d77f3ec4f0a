//go:build linux

package e2e

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	namedTest    = regexp.MustCompile("`(Test[A-Za-z0-9]+)(?:/([a-z0-9_]+))?`")
	declaredTest = regexp.MustCompile(`(?m)^func (Test\w+)\(`)
)

// Every test that docs/COMPARISON.md names as a proof exists, and what it names within one is a file that this plays. Each row of ours
// names one.
func TestComparisonNamesTests(t *testing.T) {
	const page = "../../docs/COMPARISON.md"
	declared := map[string]bool{}
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		b, err := os.ReadFile(path)
		for _, m := range declaredTest.FindAllStringSubmatch(string(b), -1) {
			declared[m[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	played := map[string]string{"TestStories": "../../testdata/script/", "TestScreens": "testdata/screens/"}
	for line := range strings.Lines(string(b)) {
		cells := strings.Split(strings.TrimSpace(line), " | ")
		if len(cells) != 5 || strings.HasPrefix(line, "| |") {
			continue
		}
		named := namedTest.FindAllStringSubmatch(cells[4], -1)
		if len(named) == 0 {
			t.Errorf("%s: the row %q names no test", page, cells[0])
		}
		for _, m := range named {
			if !declared[m[1]] {
				t.Errorf("%s: there is no test %s", page, m[1])
			}
			if m[2] == "" {
				continue
			}
			if _, err := os.Stat(played[m[1]] + m[2] + ".txtar"); err != nil {
				t.Errorf("%s: %s plays no %s: %v", page, m[1], m[2], err)
			}
		}
	}
}
