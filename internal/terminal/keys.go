package terminal

// key is what the parser makes of input bytes.
type key uint8

const (
	keyNone       key = iota
	keyText           // comes with a rune
	keyPasteStart     // of a paste in brackets
	keyPasteText      // within one; comes with a rune, LF for a line break
	keyPasteEnd
	keyEnter
	keyBackspace
	keyDelete
	keyLeft
	keyRight
	keyWordLeft
	keyWordRight
	keyHome
	keyEnd
	keyUp
	keyDown
	keyEraseWord // back to a space
	keyKillWordLeft
	keyKillWordRight
	keyKillToStart
	keyKillToEnd
	keyYank
	keyRedraw
	keyCancel     // Ctrl-C
	keyEndOfInput // Ctrl-D
)

// The key map. What is not in it does nothing.
var (
	controlKeys = [128]key{
		1: keyHome, 2: keyLeft, 3: keyCancel, 4: keyEndOfInput, 5: keyEnd, 6: keyRight, // Ctrl-A to F
		8: keyBackspace, 0x7f: keyBackspace,
		'\n': keyEnter, '\r': keyEnter,
		11: keyKillToEnd, 12: keyRedraw, 14: keyDown, 16: keyUp, // Ctrl-K L N P
		21: keyKillToStart, 23: keyEraseWord, 25: keyYank, // Ctrl-U W Y
	}
	// altKeys follow ESC.
	altKeys = [128]key{
		'b': keyWordLeft, 'B': keyWordLeft, 'f': keyWordRight, 'F': keyWordRight,
		'd': keyKillWordRight, 'D': keyKillWordRight, 8: keyKillWordLeft, 0x7f: keyKillWordLeft,
	}
	// finalKeys end CSI and SS3 sequences.
	finalKeys = [128]key{
		'A': keyUp, 'B': keyDown, 'C': keyRight, 'D': keyLeft, 'H': keyHome, 'F': keyEnd,
	}
	// ss3Keys are those that only SS3 has: the Enter of the keypad, and
	// Ctrl-arrows as rxvt sends them.
	ss3Keys = [128]key{'M': keyEnter, 'c': keyWordRight, 'd': keyWordLeft}
	// numberKeys are those of CSI n ~.
	numberKeys = [...]key{1: keyHome, 3: keyDelete, 4: keyEnd, 7: keyHome, 8: keyEnd}
	// wordKeys are what keys become with Ctrl or Alt.
	wordKeys = [...]key{keyLeft: keyWordLeft, keyRight: keyWordRight, keyDelete: keyKillWordRight}
)

const pasteStartNumber, pasteEndNumber = 200, 201

// withModifiers returns what k is with the modifiers that a sequence names: one
// more than the sum of 1 for Shift, 2 for Alt, 4 for Ctrl, 8 for Meta.
func withModifiers(k key, parameter int) key {
	const altOrCtrl = 2 | 4
	if parameter > 1 && (parameter-1)&altOrCtrl != 0 && int(k) < len(wordKeys) && wordKeys[k] != keyNone {
		return wordKeys[k]
	}
	return k
}
