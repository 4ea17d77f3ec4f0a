// Package render draws events as rows of text: for one language, width and choice of colour. Events become rows here and
// nowhere else, but for the frames of the plain-TCP door, whose form is that protocol's own.
//
// The form is a promise. What a person said starts in column 0 with "[nickname] "; every further row of it starts with the
// [Gutter], the house's own lines with the [Mark]; so no text can start a row that looks like somebody else's. No row is
// wider than the view. [Shared] keeps drawings of the newest events, so that what many people see alike is drawn once; else the
// package keeps nothing, and it starts no goroutine.
package render
