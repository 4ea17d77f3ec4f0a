// Package moderation keeps one person from drowning the others.
//
// It owns the rates of what people do in the house ([Rates]), counted by person over all of their screens and doors, and
// the window in which a session's refusals are counted ([Refusals]).
//
// It refuses to wait, to look at what people say, and to remember more people than its table holds; whoever asks it does
// the waiting and says the refusal.
//
// It starts no goroutine.
package moderation
