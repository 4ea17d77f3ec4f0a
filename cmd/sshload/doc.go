// Command sshload is a crowd of people for a chat server: it counts what they get to see and what that costs.
//
//	sshload fanout --addr 127.0.0.1:2222 --people 100 --senders 10 --window 8
//
// It owns the people (their connections by SSH, with a terminal or without one, or by the old protocol; their typing, the rows on
// their screens), the account of what each of them saw, and the figures of the processes from /proc. Every line that is said
// carries a token, and a reader's raw stream is searched for rows that begin with `[nick] ` and such a token: no screen is
// emulated, so that the crowd costs little beside the server. sshload floor is the least server that the same crowd can visit, in a
// process of its own, so that every figure has one beside it that was taken in the same minute. sshload compare does that: it starts
// the product and the floors in turns, each time anew, and prints medians beside the targets, and what disturbed each. sshload sweep
// does so with ever more people, for the charts of docs/PERFORMANCE.md.
//
// It refuses to go anywhere but to the loopback without --i-own-this-server, to measure before everybody is in and has seen one
// and the same line, to call a run good in which a line or an arrival was lost, a line doubled, damaged or out of order, or a person
// cut off, and a target met of what was not measured: then it exits with 1. It never runs for longer than --timeout, and ends only what it has started.
//
// Each person has one goroutine that reads, besides those of the SSH library; each sender has one that types, each place of a guest
// one that comes and goes; one draws the progress line. All have ended when a mode returns.
package main
