// Package emulator is a small terminal for tests: it draws what a program sends
// into a grid and says what a person would see. It was written against the
// control functions' definitions, not against the program under test, and takes
// its widths from another library (rivo/uniseg), so that a mistake in
// internal/cells or internal/terminal shows as a difference.
//
// It knows the few sequences that the house sends and takes everything else for
// an error, see [Terminal.Err]: a test that reads a screen should look at that
// too. It behaves like tmux where terminals differ: wide glyphs never straddle
// the margin, the cursor stays on the last column until the next glyph is
// drawn, and a resize wraps rows anew.
//
// The package starts no goroutine.
package emulator
