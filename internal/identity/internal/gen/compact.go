package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// unicodeVersion is the version that the original files must name.
const unicodeVersion = "17.0.0"

const terms = "© Unicode, Inc., under the Unicode terms of use: https://www.unicode.org/terms_of_use.html"

// The compact copies: one value of the property and the code points that have it per line, `VALUE: 0041-005A 0061`.
const (
	confusablesFile = "confusables.txt"
	typesFile       = "identifier-type.txt"
	extensionsFile  = "script-extensions.txt"
	scriptsFile     = "scripts.txt"
	emojiFile       = "emoji.txt" // kept by hand
)

// property maps each value of a Unicode property to the code points that have it.
type property map[string][]rune

// compact makes the compact copies, by file name, from the original files in dir and from the tables of this Go.
func compact(dir fs.FS) (map[string][]byte, error) {
	confusables, err := readOriginal(dir, "confusables.txt")
	if err != nil {
		return nil, err
	}
	types, err := readOriginal(dir, "IdentifierType.txt")
	if err != nil {
		return nil, err
	}
	status, err := readOriginal(dir, "IdentifierStatus.txt")
	if err != nil {
		return nil, err
	}
	if err := checkStatus(types, status); err != nil {
		return nil, err
	}
	extensions, err := readOriginal(dir, "ScriptExtensions.txt")
	if err != nil {
		return nil, err
	}
	scripts := property{}
	for name, table := range unicode.Scripts {
		scripts[name] = runesOf(table)
	}
	return map[string][]byte{
		confusablesFile: write(confusables, "Unicode "+unicodeVersion+" confusables.txt (UTS #39): PROTOTYPE: code points that look like it"),
		typesFile:       write(types, "Unicode "+unicodeVersion+" IdentifierType.txt (UTS #39)"),
		extensionsFile:  write(extensions, "Unicode "+unicodeVersion+" ScriptExtensions.txt (UAX #24)"),
		scriptsFile:     write(scripts, "Unicode "+unicode.Version+" Script property (UAX #24), from the tables of Go's package unicode"),
	}, nil
}

// checkStatus checks that IdentifierStatus.txt says nothing that IdentifierType.txt does not say too, so that no copy of
// it need be kept.
func checkStatus(types, status property) error {
	allowed := append(slices.Clone(types["Recommended"]), types["Inclusion"]...)
	slices.Sort(allowed)
	if !slices.Equal(allowed, status["Allowed"]) {
		return fmt.Errorf("IdentifierStatus.txt: %d code points are Allowed, of the types Recommended and Inclusion are %d",
			len(status["Allowed"]), len(allowed))
	}
	return nil
}

// readOriginal reads a file of the Unicode Character Database: `0041..005A ; VALUE ; … # comment`.
func readOriginal(dir fs.FS, name string) (property, error) {
	content, err := fs.ReadFile(dir, name)
	if err != nil {
		return nil, err
	}
	// ScriptExtensions.txt names its version in the first line, the files of UTS #39 below.
	if !bytes.Contains(content, []byte("Version: "+unicodeVersion)) && !bytes.Contains(content, []byte("-"+unicodeVersion+".txt")) {
		return nil, fmt.Errorf("%s: not of Unicode %s", name, unicodeVersion)
	}
	p := property{}
	err = eachLine(content, func(line string) error {
		points, value, ok := strings.Cut(line, ";")
		if !ok {
			return fmt.Errorf("want two fields, got %q", line)
		}
		value, _, _ = strings.Cut(value, ";")
		value = strings.Join(strings.Fields(value), " ")
		low, high, _ := strings.Cut(strings.TrimSpace(points), "..")
		return p.add(value, low, high)
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	p.sort()
	return p, nil
}

// readCompact reads a file that write has made.
func readCompact(dir fs.FS, name string) (property, error) {
	content, err := fs.ReadFile(dir, name)
	if err != nil {
		return nil, err
	}
	p := property{}
	err = eachLine(content, func(line string) error {
		value, points, ok := strings.Cut(line, ":")
		if !ok {
			return fmt.Errorf("want a colon, got %q", line)
		}
		for span := range strings.FieldsSeq(points) {
			low, high, _ := strings.Cut(span, "-")
			if err := p.add(value, low, high); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	p.sort()
	return p, nil
}

// eachLine calls fn for each line of content without its comment, passing over the empty ones.
func eachLine(content []byte, fn func(line string) error) error {
	lines := bufio.NewScanner(bytes.NewReader(bytes.TrimPrefix(content, []byte("\uFEFF"))))
	for n := 1; lines.Scan(); n++ {
		line, _, _ := strings.Cut(lines.Text(), "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if err := fn(line); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	return lines.Err()
}

// write is the inverse of readCompact.
func write(p property, title string) []byte {
	const columns = 120
	var b bytes.Buffer
	fmt.Fprintf(&b, "# %s\n# %s\n# A compact copy, made by internal/gen -import; see README.md.\n", title, terms)
	for _, value := range slices.Sorted(maps.Keys(p)) {
		column := columns
		for span := range spans(p[value]) {
			text := fmt.Sprintf(" %04X", span.low)
			if span.high > span.low {
				text += fmt.Sprintf("-%04X", span.high)
			}
			if column+len(text) > columns {
				fmt.Fprintf(&b, "\n%s:", value)
				column = len(value) + 1
			}
			b.WriteString(text)
			column += len(text)
		}
	}
	b.WriteByte('\n')
	return b.Bytes()
}

func (p property) add(value, low, high string) error {
	first, err := parseRune(low)
	if err != nil {
		return err
	}
	last := first
	if high != "" {
		if last, err = parseRune(high); err != nil {
			return err
		}
	}
	for r := first; r <= last; r++ {
		p[value] = append(p[value], r)
	}
	return nil
}

func (p property) sort() {
	for _, runes := range p {
		slices.Sort(runes)
	}
}

func parseRune(hex string) (rune, error) {
	n, err := strconv.ParseUint(hex, 16, 32)
	if err != nil || n > unicode.MaxRune {
		return 0, fmt.Errorf("not a code point: %q", hex)
	}
	return rune(n), nil
}

func runesOf(table *unicode.RangeTable) []rune {
	var runes []rune
	for _, span := range table.R16 {
		for r := rune(span.Lo); r <= rune(span.Hi); r += rune(span.Stride) {
			runes = append(runes, r)
		}
	}
	for _, span := range table.R32 {
		for r := rune(span.Lo); r <= rune(span.Hi); r += rune(span.Stride) {
			runes = append(runes, r)
		}
	}
	return runes
}

type span struct{ low, high rune }

// spans yields the runs of neighbours in runes, which are sorted.
func spans(runes []rune) func(yield func(span) bool) {
	return func(yield func(span) bool) {
		for len(runes) > 0 {
			n := 1
			for n < len(runes) && runes[n] == runes[n-1]+1 {
				n++
			}
			if !yield(span{runes[0], runes[n-1]}) {
				return
			}
			runes = runes[n:]
		}
	}
}
