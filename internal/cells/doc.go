// Package cells is the one place that knows how text falls into the cells of a
// terminal: where one grapheme cluster ends and the next begins (UAX #29), what
// of it is drawn, and how many cells that takes. The editor, the renderer and
// the nickname rules all count by it, so a name that was measured when it was
// taken and a row that was measured when it was wrapped never differ.
//
// It decides what needs context: a joiner or a variation selector is drawn
// inside an emoji or an Indic cluster and nowhere else, a base carries
// no more marks than [SetMarks] says, a mark without a base stands on U+25CC,
// the characters that look like nothing are drawn as a space. What room.Clean
// drops is never drawn here either, because rows may be old or come from
// another node.
//
// It refuses to draw: no escape sequence is known here, wrapping is the
// caller's, and LF, like every control, is drawn as nothing.
//
// The package starts no goroutine. All it keeps is the number of marks.
package cells
