// Package journaltest holds the conformance suites for the interfaces [room.Journal] and [room.Leases]. Every
// implementation passes them unchanged: what the house builds on is written down here, case by case.
//
// A test of an implementation calls [Run] or [RunLeases] with a harness that opens it. The suites wait for events, never for
// the clock, so that they suit a map as well as a cluster; only what fails takes time ([Harness].Patience).
//
// They start goroutines for posters and tails, and each case waits for its own.
package journaltest
