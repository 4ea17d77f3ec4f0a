package greeting

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"unicode"
	"unicode/utf8"

	"sarangbang/internal/i18n"
	"sarangbang/room"
)

// limits bound each file, so that it fits on one screen: the bytes as they stand in it, the lines without blank ones at its end.
var limits = room.TextLimits{Bytes: 4096, Lines: 20}

// The names of the files, without language and ending.
const (
	motd  = "motd"
	rules = "rules"
)

// file is the name of a file in the folder: motd.en.txt.
func file(what string, lang i18n.Lang) string { return what + "." + string(lang) + ".txt" }

// files lists the names of all files that there can be.
func files() []string {
	var names []string
	for _, what := range []string{motd, rules} {
		for _, lang := range i18n.Langs() {
			names = append(names, file(what, lang))
		}
	}
	return names
}

// Words are what the operator has to say. They never change; the zero Words say nothing.
type Words struct {
	texts map[string]room.Text // by the name of the file; none is empty
}

// Motd returns the message of the day in a language, else in another one, else an empty Text.
func (w Words) Motd(lang i18n.Lang) room.Text { return w.text(motd, lang) }

// Rules returns the rules of the house in a language, else in another one, else an empty Text.
func (w Words) Rules(lang i18n.Lang) room.Text { return w.text(rules, lang) }

func (w Words) text(what string, lang i18n.Lang) room.Text {
	for _, l := range append([]i18n.Lang{lang}, i18n.Langs()...) {
		if t, ok := w.texts[file(what, l)]; ok {
			return t
		}
	}
	return room.Text{}
}

// Changed lists the names of the files whose text is not what it was.
func (w Words) Changed(old Words) []string {
	var names []string
	for _, name := range files() {
		if w.texts[name] != old.texts[name] {
			names = append(names, name)
		}
	}
	return names
}

// Load reads the files of a folder. No folder, no file and a file of blanks are nothing to say. Cleaning drops what
// [room.Clean] drops, and blank lines at the end.
//
// The error is one sentence for the operator about the first file that cannot be taken: which one, what is wrong and what would
// work. There are no words then: whoever has older ones keeps them.
func Load(dir string) (Words, error) {
	switch info, err := os.Stat(dir); {
	case errors.Is(err, fs.ErrNotExist):
		return Words{}, nil
	case err != nil:
		return Words{}, unreadable(dir, err)
	case !info.IsDir():
		return Words{}, fmt.Errorf("%s is not a folder: move it away, or make it a folder with %s", dir, strings.Join(files(), ", "))
	}
	words := Words{texts: map[string]room.Text{}}
	for _, name := range files() {
		text, err := read(filepath.Join(dir, name))
		if err != nil {
			return Words{}, err
		}
		if !text.Empty() {
			words.texts[name] = text
		}
	}
	return words, nil
}

// read takes the text of one file, which is empty if there is none.
func read(path string) (room.Text, error) {
	// Without O_NONBLOCK the opening of a pipe would wait for its writer.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) //nolint:gosec // the folder is the operator's own
	if errors.Is(err, fs.ErrNotExist) {
		return room.Text{}, nil
	}
	if err != nil {
		return room.Text{}, unreadable(path, err)
	}
	defer func() { _ = f.Close() }() // nothing was written
	info, err := f.Stat()
	if err != nil {
		return room.Text{}, unreadable(path, err)
	}
	if !info.Mode().IsRegular() {
		return room.Text{}, fmt.Errorf("%s is not a regular file: put a text file in its place, or move it away", path)
	}
	raw, err := io.ReadAll(io.LimitReader(f, int64(limits.Bytes)+1))
	if err != nil {
		return room.Text{}, unreadable(path, err)
	}
	return parse(path, raw)
}

// parse makes a Text of what stands in a file; the path is for the sentences only.
func parse(path string, raw []byte) (room.Text, error) {
	if len(raw) > limits.Bytes {
		return room.Text{}, fmt.Errorf("%s is larger than %d bytes: shorten it", path, limits.Bytes)
	}
	if !utf8.Valid(raw) {
		return room.Text{}, fmt.Errorf("%s, line %d: this is not UTF-8: save the file as UTF-8", path, faultyLine(raw))
	}
	cleaned := strings.TrimRightFunc(room.Sentence(string(raw)).String(), unicode.IsSpace)
	text, err := room.Clean(cleaned, limits)
	if long, ok := errors.AsType[*room.TooLongError](err); ok {
		return room.Text{}, fmt.Errorf("%s has %d lines: at most %d work", path, long.Lines, long.MaxLines)
	}
	return text, err
}

// faultyLine is the number of the line with the first byte that is not UTF-8.
func faultyLine(raw []byte) int {
	line := 1
	for len(raw) > 0 {
		r, n := utf8.DecodeRune(raw)
		if r == utf8.RuneError && n == 1 {
			break
		}
		if r == '\n' {
			line++
		}
		raw = raw[n:]
	}
	return line
}

func unreadable(path string, err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err // the sentence names the path already
	}
	return fmt.Errorf("%s cannot be read (%w): let this user read it, or move it away", path, err)
}

// A Holder has the words that hold now. The zero Holder has none to say. Its methods may be called from any goroutine and
// never block.
type Holder struct{ now atomic.Pointer[Words] }

// Get returns the words that hold now.
func (h *Holder) Get() Words {
	if w := h.now.Load(); w != nil {
		return *w
	}
	return Words{}
}

// Set lets other words hold from now on.
func (h *Holder) Set(w Words) { h.now.Store(&w) }
