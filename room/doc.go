// Package room is the domain of the house: facts and the order they happened in.
//
// The house is one ordered log of records, and everybody is a reader of it. A person's line becomes a [Record]; the
// [Journal] commits and numbers it; the [Rules] say whether it takes effect; only then it is put, as an [Event], into the
// [Log] of every room or person that it concerns, and the bells of their readers are rung. Nobody is ever sent anything:
// a reader comes with its [Cursor] when it has time, and one that comes too late is told how many events it missed.
//
// The package owns the invariants of the product: what a [Text] may hold, that nothing is shown before it is committed,
// that everybody sees one order, and that a publisher waits for no reader. It imports the standard library only, draws
// nothing, knows no language, no door and no disk: those implement or call the interfaces declared here.
//
// Goroutines: [House.Run] tails the journal and watches its status until its context ends, and waits for both. Nothing else
// here starts one.
package room
