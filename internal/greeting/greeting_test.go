package greeting_test

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"sarangbang/internal/greeting"
	"sarangbang/internal/i18n"
)

// folder makes a greeting folder with these files, and returns its path.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "greeting")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func load(t *testing.T, files map[string]string) greeting.Words {
	t.Helper()
	w, err := greeting.Load(folder(t, files))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestEachLanguageHasItsWordsOrThoseOfTheOther(t *testing.T) {
	tests := []struct {
		name                             string
		files                            map[string]string
		motdEn, motdKo, rulesEn, rulesKo string
	}{
		{name: "nothing to say"},
		{
			"all four",
			map[string]string{"motd.en.txt": "Hello\n", "motd.ko.txt": "안녕하세요\n", "rules.en.txt": "Be kind\n", "rules.ko.txt": "친절하게\n"},
			"Hello", "안녕하세요", "Be kind", "친절하게",
		},
		{"English only", map[string]string{"motd.en.txt": "Hello"}, "Hello", "Hello", "", ""},
		{"Korean only", map[string]string{"rules.ko.txt": "친절하게"}, "", "", "친절하게", "친절하게"},
		{"one each", map[string]string{"motd.ko.txt": "안녕하세요", "rules.en.txt": "Be kind"}, "안녕하세요", "안녕하세요", "Be kind", "Be kind"},
		{"blanks are nothing", map[string]string{"motd.en.txt": " \n\t\r\n\u3164\n", "motd.ko.txt": "안녕하세요", "rules.en.txt": ""}, "안녕하세요", "안녕하세요", "", ""},
		{"other files", map[string]string{"motd.txt": "x", "motd.en.txt~": "x", "MOTD.EN.TXT": "x", "rules.fr.txt": "\xff"}, "", "", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := load(t, tt.files)
			got := []string{w.Motd(i18n.English).String(), w.Motd(i18n.Korean).String(), w.Rules(i18n.English).String(), w.Rules(i18n.Korean).String()}
			if want := []string{tt.motdEn, tt.motdKo, tt.rulesEn, tt.rulesKo}; !slices.Equal(got, want) {
				t.Errorf("motd en, ko, rules en, ko = %q, want %q", got, want)
			}
		})
	}
}

func TestNoFolderIsNothingToSay(t *testing.T) {
	w, err := greeting.Load(filepath.Join(t.TempDir(), "greeting"))
	if err != nil || !w.Motd(i18n.English).Empty() || !w.Rules(i18n.Korean).Empty() {
		t.Errorf("words = %v, %v; want none, and no error", w, err)
	}
}

func TestWordsAreCleaned(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"as it is", "\n  +---+\n  | a |\n\n  +---+", "\n  +---+\n  | a |\n\n  +---+"},
		{"blank lines at the end", "one\n\ntwo\n\n \n\t\n", "one\n\ntwo"},
		{"ends of lines of another system", "one\r\ntwo\r\n\r\n", "one\ntwo"},
		{"byte order mark", "\ufeffone", "one"},
		{"control characters", "\x1b[31mone\x07\x00\u009b2J\u202etwo\x7f", "[31mone2Jtwo"},
		{"tab", "one\ttwo", "one two"},
		{"full", strings.Repeat("x", 4096), strings.Repeat("x", 4096)},
		{"twenty lines", strings.Repeat("x\n", 20) + "\n\n", strings.TrimSuffix(strings.Repeat("x\n", 20), "\n")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := load(t, map[string]string{"motd.en.txt": tt.text}).Motd(i18n.English).String(); got != tt.want {
				t.Errorf("motd = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestAFileThatCannotBeTakenIsOneSentence(t *testing.T) {
	tests := []struct {
		name string
		put  func(path string) error // in the place of rules.ko.txt
		want string
	}{
		{"a byte too much", content(strings.Repeat("x", 4097)), " is larger than 4096 bytes: shorten it"},
		{"blank bytes too much", content(strings.Repeat("\n", 4097)), " is larger than 4096 bytes: shorten it"},
		{"a line too much", content(strings.Repeat("x\n", 21)), " has 21 lines: at most 20 work"},
		{"no UTF-8", content("one\n\xec\x95\x88\n\xb0\xa1\n"), ", line 3: this is not UTF-8: save the file as UTF-8"},
		{"a sign cut off", content("one\xec\x95"), ", line 1: this is not UTF-8: save the file as UTF-8"},
		{"folder", func(path string) error { return os.Mkdir(path, 0o700) }, " is not a regular file: put a text file in its place, or move it away"},
		{"pipe without a writer", func(path string) error { return syscall.Mkfifo(path, 0o600) }, " is not a regular file: put a text file in its place, or move it away"},
		{"device without end", func(path string) error { return os.Symlink("/dev/zero", path) }, " is not a regular file: put a text file in its place, or move it away"},
		{"link to itself", func(path string) error { return os.Symlink(path, path) }, " cannot be read (too many levels of symbolic links): let this user read it, or move it away"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := folder(t, map[string]string{"motd.en.txt": "Hello"})
			path := filepath.Join(dir, "rules.ko.txt")
			if err := tt.put(path); err != nil {
				t.Fatal(err)
			}
			w, err := greeting.Load(dir)
			if want := path + tt.want; err == nil || err.Error() != want {
				t.Errorf("%v\nwant %s", err, want)
			}
			if !w.Motd(i18n.English).Empty() {
				t.Errorf("motd = %q beside an error, want no words", w.Motd(i18n.English))
			}
		})
	}
}

func content(text string) func(string) error {
	return func(path string) error { return os.WriteFile(path, []byte(text), 0o600) }
}

func TestASocketIsNoText(t *testing.T) {
	t.Chdir(folder(t, nil)) // the path of a socket must be short
	l, err := net.Listen("unix", "motd.en.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := greeting.Load("."); err == nil || !strings.HasPrefix(err.Error(), "motd.en.txt cannot be read (") {
		t.Errorf("Load = %v, want a sentence about motd.en.txt", err)
	}
}

func TestAFileInThePlaceOfTheFolderIsOneSentence(t *testing.T) {
	path := filepath.Join(t.TempDir(), "greeting")
	if err := os.WriteFile(path, []byte("Hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	want := path + " is not a folder: move it away, or make it a folder with motd.en.txt, motd.ko.txt, rules.en.txt, rules.ko.txt"
	if _, err := greeting.Load(path); err == nil || err.Error() != want {
		t.Errorf("%v\nwant %s", err, want)
	}
}

func TestALinkToAFileIsFollowed(t *testing.T) {
	dir := folder(t, map[string]string{"words": "Hello"})
	if err := os.Symlink("words", filepath.Join(dir, "motd.en.txt")); err != nil {
		t.Fatal(err)
	}
	w, err := greeting.Load(dir)
	if err != nil || w.Motd(i18n.English).String() != "Hello" {
		t.Errorf("motd = %q, %v; want that of the file behind the link", w.Motd(i18n.English), err)
	}
}

func TestChangedFilesAreNamed(t *testing.T) {
	old := load(t, map[string]string{"motd.en.txt": "Hello", "motd.ko.txt": "안녕하세요", "rules.en.txt": "Be kind"})
	now := load(t, map[string]string{"motd.en.txt": "Hello\n\n", "motd.ko.txt": "어서 오세요", "rules.ko.txt": "친절하게"})
	if got, want := now.Changed(old), []string{"motd.ko.txt", "rules.en.txt", "rules.ko.txt"}; !slices.Equal(got, want) {
		t.Errorf("changed = %q, want %q", got, want)
	}
	if got := old.Changed(old); len(got) != 0 {
		t.Errorf("changed = %q, want nothing", got)
	}
	if got, want := old.Changed(greeting.Words{}), []string{"motd.en.txt", "motd.ko.txt", "rules.en.txt"}; !slices.Equal(got, want) {
		t.Errorf("changed = %q, want %q", got, want)
	}
}

func TestAHolderSwapsTheWordsUnderItsReaders(t *testing.T) {
	var h greeting.Holder
	if got := h.Get().Motd(i18n.Korean); !got.Empty() {
		t.Errorf("motd of an empty holder = %q, want none", got)
	}
	one := load(t, map[string]string{"motd.en.txt": "one", "rules.en.txt": "one"})
	two := load(t, map[string]string{"motd.en.txt": "two", "rules.en.txt": "two"})
	h.Set(one)
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for range 1000 {
				if w := h.Get(); w.Motd(i18n.English) != w.Rules(i18n.English) {
					t.Errorf("motd %q beside rules %q, want both of the same words", w.Motd(i18n.English), w.Rules(i18n.English))
				}
			}
		})
	}
	for range 1000 {
		h.Set(two)
		h.Set(one)
	}
	h.Set(two)
	readers.Wait()
	if got := h.Get().Motd(i18n.English).String(); got != "two" {
		t.Errorf("motd = %q, want two", got)
	}
}
