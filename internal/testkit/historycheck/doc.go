// Package historycheck decides whether a house kept its promise about what people saw: every line that somebody saw is kept, once,
// nothing is there that nobody sent, and everybody reads one order with gaps only where they were told of one.
//
// It works as Jepsen's checkers do. A test, whatever happens to the house meanwhile, writes down what was sent, what became of it,
// and what stood on every screen ([Log]); [Check] compares that with the history that the house answers with afterwards, and says in
// sentences what cannot have come about in a house that keeps its promise. [CheckHouse] does so for several rooms and those who keep
// order in them ([House]): it goes through the lines and the acts in the one order, and knows at each place who is barred, what is
// struck, who may know of a private room and how each room is. The package knows nothing of doors, screens or journals, imports
// nothing of the house, does no I/O and starts no goroutine.
package historycheck
