package i18n_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sarangbang/internal/i18n"
	"sarangbang/internal/identity"
	"sarangbang/internal/terminal"
	"sarangbang/room"
)

// catalog reads a language's file as it is: each sentence with all of its forms.
func catalog(t *testing.T, l i18n.Lang) map[string][]string {
	t.Helper()
	data, err := os.ReadFile(string(l) + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var raw map[string]any
	if err := json.Unmarshal(data, &raw); err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for k, v := range raw {
		switch v := v.(type) {
		case string:
			out[k] = []string{v}
		case map[string]any:
			out[k] = []string{v["one"].(string), v["other"].(string)}
		}
	}
	return out
}

// constants are the keys of keys.go, by the name of their constant.
func constants(t *testing.T) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "keys.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok && len(v.Values) == 1 {
			value, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			out[v.Names[0].Name] = value
		}
		return true
	})
	return out
}

// families are the keys that are made of a slug of another package.
func families() []string {
	var keys []string
	for _, r := range identity.AllRules() {
		keys = append(keys, string(i18n.NickRule(r.String())))
	}
	for _, b := range terminal.Keys() {
		keys = append(keys, string(i18n.TerminalKey(b.Slug)))
	}
	for _, v := range room.Voids() {
		keys = append(keys, string(i18n.Void(string(v))))
	}
	for _, r := range room.Roles() {
		keys = append(keys, string(i18n.Role(r.String())), string(i18n.For(r.String())))
		if r != room.RoleGuest { // what anybody may do takes nothing
			keys = append(keys, string(i18n.Takes(r.String())))
		}
	}
	return keys
}

func TestEveryKeyStandsInEveryCatalogAndNoOther(t *testing.T) {
	want := families()
	for _, key := range constants(t) {
		want = append(want, key)
	}
	for _, l := range i18n.Langs() {
		have := catalog(t, l)
		for _, key := range want {
			if forms, ok := have[key]; !ok || slices.Contains(forms, "") {
				t.Errorf("%s.json: %q is missing or empty", l, key)
			}
		}
		for key := range have {
			if !slices.Contains(want, key) {
				t.Errorf("%s.json: %q is no key", l, key)
			}
		}
	}
}

func TestCatalogsUseTheSameArguments(t *testing.T) {
	argument := regexp.MustCompile(`\{\d+\}`)
	used := func(forms []string) []string {
		found := argument.FindAllString(strings.Join(forms, " "), -1)
		slices.Sort(found)
		return slices.Compact(found)
	}
	en, ko := catalog(t, i18n.English), catalog(t, i18n.Korean)
	for key := range en {
		if a, b := used(en[key]), used(ko[key]); !slices.Equal(a, b) {
			t.Errorf("%s: English uses %v, Korean %v", key, a, b)
		}
	}
}

func TestEveryKeyIsUsed(t *testing.T) {
	used := map[string]bool{}
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok {
				if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Name == "i18n" {
					used[sel.Sel.Name] = true
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range constants(t) {
		if !used[name] {
			t.Errorf("i18n.%s is used nowhere", name)
		}
	}
}

func TestText(t *testing.T) {
	for _, c := range []struct {
		lang i18n.Lang
		key  i18n.Key
		args []any
		want string
	}{
		{i18n.English, i18n.Joined, []any{"kim"}, "kim joined."},
		{i18n.Korean, i18n.Joined, []any{"김철수"}, "김철수 님이 들어왔습니다."},
		{i18n.English, i18n.Missed, []any{1}, "One line was skipped, since you were reading too slowly."},
		{i18n.English, i18n.Missed, []any{uint64(37)}, "37 lines were skipped, since you were reading too slowly."},
		{i18n.English, i18n.Joined, []any{"{0}{1}"}, "{0}{1} joined."}, // what is filled in is not filled in again
	} {
		if got := c.lang.Text(c.key, c.args...); got != c.want {
			t.Errorf("%s %s %v = %q, want %q", c.lang, c.key, c.args, got, c.want)
		}
	}
}

func TestFromLocale(t *testing.T) {
	for _, c := range []struct {
		values []string
		want   i18n.Lang
	}{
		{[]string{"", "", "ko_KR.UTF-8"}, i18n.Korean},
		{[]string{"en_US.UTF-8", "", "ko_KR.UTF-8"}, i18n.English},
		{[]string{"", "ko", ""}, i18n.Korean},
		{[]string{"", "", "KO-kr"}, i18n.Korean},
		{[]string{"", "", ""}, i18n.English},
		{[]string{"", "", "C"}, i18n.English},
		{[]string{"", "", "de_DE@euro"}, i18n.English},
		{[]string{"", "", "korean"}, i18n.English},
		{[]string{"", "", "._@"}, i18n.English},
	} {
		if got := i18n.FromLocale(i18n.English, c.values...); got != c.want {
			t.Errorf("FromLocale(%q) = %s, want %s", c.values, got, c.want)
		}
	}
	if got := i18n.FromLocale(i18n.Korean, "", "", "fr_FR"); got != i18n.Korean {
		t.Errorf("a language that the house does not speak gives %s, want the default ko", got)
	}
}
