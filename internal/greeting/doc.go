// Package greeting owns the operator's own words to everybody: the message of the day and the rules of the house, in each
// language, from plain text files that the operator edits beside a running house.
//
// A file is taken whole or not at all: what is too long, no UTF-8 or no file is one sentence for the operator, and never half
// a text for people. It reads only the files that it names, writes none, decides neither when they are read nor to whom they
// are shown, and starts no goroutines.
package greeting
