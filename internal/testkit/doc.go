// Package testkit holds what the tests of several packages share: connections in memory that work inside testing/synctest
// bubbles ([Pipe], [Listener]) and a journal that fails on demand ([FlakyJournal]). Its folders hold conformance suites and
// fake devices.
//
// Only tests import it. It knows nothing of doors or sessions, and starts no goroutine.
package testkit
