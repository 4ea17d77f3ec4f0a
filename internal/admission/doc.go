// Package admission decides who may connect before a byte of theirs is read.
//
// It owns the accept loop of a door ([Accept]) and the counts and penalties behind it ([Gate]: one for each door, so that
// a flood at one does not shut the other), and the places for key exchanges that may compute at once ([Slots]). Addresses
// count as /32 (IPv4, also when mapped into IPv6) or /64 (IPv6: the least that one subscriber has).
//
// It refuses to read or write on a connection, to wait while it decides, to look at what a live connection does, and to
// remember more addresses than its tables hold.
//
// It starts no goroutine. [Accept] runs on its caller's, and calls handle there.
package admission
