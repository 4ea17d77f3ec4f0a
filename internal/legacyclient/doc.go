// Package legacyclient is the client of the old plain-TCP chat: `sarangbang connect`. It works with this house and with the
// server that the protocol comes from.
//
// Neither side of that protocol frames anything: what one recv returns is a message. So this package owns the guesses that a
// client has to make (when a message is whole, when the next line may be sent without running into the one before) and the
// little that it knows of the server's words, to tell its own lines from others'. What it is sent it shows cleaned, each
// message on a line of its own.
//
// It refuses to edit lines (the terminal does), to interpret commands but "/bye", and to trust the server.
//
// Goroutines: [Run] works on its caller's and starts two, one that reads the connection and is waited for, and one that reads
// the standard input. That one ends with its input: a Read of a terminal cannot be called off, and the process ends then anyway.
package legacyclient
