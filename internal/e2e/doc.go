// Package e2e holds the tests from outside: they build the program, run it, and talk to it over real sockets as people, scripts
// and attackers do. It has no code but tests, for Linux, which import nothing of the house but what makes host keys and the
// helpers of tests: the words of the old protocol stand here a second time on purpose.
//
// Stories of several people are txtar scripts in testdata/script at the root of the repository; their verbs are described at
// TestStories. What a person types at the real client and sees on the screen, row by row, are scenarios in testdata/screens,
// described at TestScreens. What needs exact bytes, floods or figures of the process is Go. Tests with real programs (ssh, tmux,
// nc, python3, strace) skip where one is missing; with SARANGBANG_REAL=1 that is a failure, and what takes long runs at full length.
//
// SARANGBANG_RACE=1 builds the program with the race detector. SARANGBANG_SEED names the document that the original client and
// server were published in, or its folder; by default that is ../shared/seed beside the repository.
//
// Everything that a test starts ends with it: programs are waited for, and killed by their own process ID if they do not end.
package e2e
