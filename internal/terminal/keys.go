package terminal

import (
	"strconv"
	"strings"
)

// key is what the parser makes of input bytes.
type key uint8

const (
	keyNone       key = iota
	keyText           // comes with a rune
	keyPasteStart     // of a paste in brackets
	keyPasteText      // within one; comes with a rune, LF for a line break
	keyPasteEnd
	keyReport // where the client's cursor is; comes with its column
	keyEnter
	keyLeft
	keyRight
	keyTab
	keyBackTab
	keyWordLeft
	keyWordRight
	keyHome
	keyEnd
	keyUp
	keyDown
	keySearch
	keyBackspace
	keyDelete
	keyEraseWord // back to a space
	keyKillWordLeft
	keyKillWordRight
	keyKillToStart
	keyKillToEnd
	keyYank
	keySwap
	keyUndo
	keyRedraw
	keySwitch // comes with the digit of the place
	keyEscape
	keyCancel     // Ctrl-C
	keyEndOfInput // Ctrl-D
)

// keyMap says what each key does, in the order in which people are told. What is
// not in it does nothing. In a sequence a second number stands for any that
// means Ctrl or Alt; with other modifiers a key is what it is alone. What CSI
// (ESC [) begins may begin with SS3 (ESC O), too.
var keyMap = []struct {
	key    key
	slug   string
	chords []chord
}{
	{keyEnter, "send", []chord{{"Enter", "\r|\n|\x1bOM"}}},
	{keyLeft, "left", []chord{{"←", "\x1b[D"}, {"Ctrl-B", "\x02"}}},
	{keyRight, "right", []chord{{"→", "\x1b[C"}, {"Ctrl-F", "\x06"}}},
	{keyWordLeft, "word-left", []chord{{"Ctrl-←", "\x1b[1;5D|\x1bOd"}, {"Alt-←", "\x1b[1;3D"}, {"Alt-B", "\x1bb|\x1bB"}}},
	{keyWordRight, "word-right", []chord{{"Ctrl-→", "\x1b[1;5C|\x1bOc"}, {"Alt-→", "\x1b[1;3C"}, {"Alt-F", "\x1bf|\x1bF"}}},
	{keyHome, "start", []chord{{"Home", "\x1b[H|\x1b[1~|\x1b[7~"}, {"Ctrl-A", "\x01"}}},
	{keyEnd, "end", []chord{{"End", "\x1b[F|\x1b[4~|\x1b[8~"}, {"Ctrl-E", "\x05"}}},
	{keyUp, "older", []chord{{"↑", "\x1b[A"}, {"Ctrl-P", "\x10"}}},
	{keyDown, "newer", []chord{{"↓", "\x1b[B"}, {"Ctrl-N", "\x0e"}}},
	{keySearch, "search", []chord{{"Ctrl-R", "\x12"}}},
	{keyTab, "complete", []chord{{"Tab", "\t"}}},
	{keyBackTab, "complete-back", []chord{{"Shift-Tab", "\x1b[Z"}}},
	{keyBackspace, "erase-left", []chord{{"Backspace", "\x7f"}, {"Ctrl-H", "\b"}}},
	{keyDelete, "erase-right", []chord{{"Delete", "\x1b[3~"}}},
	{keyEraseWord, "kill-to-blank", []chord{{"Ctrl-W", "\x17"}}},
	{keyKillWordLeft, "kill-word-left", []chord{{"Alt-Backspace", "\x1b\x7f|\x1b\b"}}},
	{keyKillWordRight, "kill-word-right", []chord{{"Alt-D", "\x1bd|\x1bD"}, {"Ctrl-Delete", "\x1b[3;5~"}}},
	{keyKillToStart, "kill-to-start", []chord{{"Ctrl-U", "\x15"}}},
	{keyKillToEnd, "kill-to-end", []chord{{"Ctrl-K", "\x0b"}}},
	{keyYank, "yank", []chord{{"Ctrl-Y", "\x19"}}},
	{keySwap, "swap", []chord{{"Ctrl-T", "\x14"}}},
	{keyUndo, "undo", []chord{{"Ctrl-_", "\x1f"}}},
	{keyRedraw, "redraw", []chord{{"Ctrl-L", "\x0c"}}},
	{keySwitch, "switch", []chord{{"Alt-1…9", "\x1b1|\x1b2|\x1b3|\x1b4|\x1b5|\x1b6|\x1b7|\x1b8|\x1b9"}}},
	{keyEscape, "escape", []chord{{"Esc", "\x1b"}}},
	{keyCancel, "cancel", []chord{{"Ctrl-C", "\x03"}}},
	{keyEndOfInput, "leave", []chord{{"Ctrl-D", "\x04"}}},
}

// chord is one way to press a key: what it is called, and what the terminals of
// the world send for it, between bars.
type chord struct{ name, bytes string }

// Binding is a row of the key map as people are told about it.
type Binding struct {
	Slug string   // names the sentence that says what the keys do
	Keys []string // their names, the usual one first
}

// Keys returns the key map. Each key stands in it once.
func Keys() []Binding {
	rows := make([]Binding, 0, len(keyMap))
	for _, row := range keyMap {
		b := Binding{Slug: row.slug}
		for _, c := range row.chords {
			b.Keys = append(b.Keys, c.name)
		}
		rows = append(rows, b)
	}
	return rows
}

// sequenceName is what tells an escape sequence from others.
type sequenceName struct {
	shift    bool // SS3, not CSI
	final    byte
	number   int  // the first one, where final is ~
	modified bool // with Ctrl or Alt
}

// The key map as the parser looks things up in it.
var (
	byteKeys     [128]key // by a byte alone
	altKeys      [128]key // by a byte after ESC
	sequenceKeys = map[sequenceName]key{}
)

func init() {
	for _, row := range keyMap {
		for _, c := range row.chords {
			for s := range strings.SplitSeq(c.bytes, "|") {
				switch len(s) {
				case 1:
					byteKeys[s[0]] = row.key
				case 2:
					altKeys[s[1]] = row.key
				default:
					sequenceKeys[nameOf(s)] = row.key
				}
			}
		}
	}
}

func nameOf(s string) sequenceName {
	first, _, modified := strings.Cut(s[2:len(s)-1], ";")
	n := sequenceName{shift: s[1] == 'O', final: s[len(s)-1], modified: modified}
	if n.final == '~' {
		n.number, _ = strconv.Atoi(first)
	}
	return n
}

// sequenceKey returns the key of a sequence. SS3 is as good as CSI, and where a
// modifier means nothing, the key does what it does without.
func sequenceKey(n sequenceName) key {
	k := sequenceKeys[n]
	if k == keyNone && n.shift {
		n.shift = false
		k = sequenceKeys[n]
	}
	if k == keyNone && n.modified {
		n.modified = false
		k = sequenceKeys[n]
	}
	return k
}

const pasteStartNumber, pasteEndNumber = 200, 201

// modified reports whether the modifiers that a sequence names hold Ctrl or Alt:
// they are one more than the sum of 1 for Shift, 2 for Alt, 4 for Ctrl, 8 for
// Meta.
func modified(parameter int) bool {
	const altOrCtrl = 2 | 4
	return parameter > 1 && (parameter-1)&altOrCtrl != 0
}
