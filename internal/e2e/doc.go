// Package e2e holds the tests from outside: they build the program, run it, and talk to it over real sockets as people, scripts
// and attackers do. It has no code of its own and imports nothing of the house but the test helpers, the key loader and
// the old client's protocol, which stands here a second time on purpose.
//
// Stories of several people are txtar scripts in testdata/script at the root of the repository; the verbs are in
// script_test.go. What needs exact bytes, floods or figures of the process is Go. The tests with real programs (ssh, tmux, nc, python3)
// skip where one is missing; with SARANGBANG_REAL=1 they fail there, and the long tests run.
//
// SARANGBANG_RACE=1 builds the program with the race detector. SARANGBANG_SEED names the document with the original
// programs, or its folder; without it ../shared/seed beside the repository is looked for.
package e2e
