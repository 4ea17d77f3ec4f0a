// Package legacy is the plain-TCP door: the protocol of an old chat whose clients cannot be changed any more.
//
// That protocol has no framing. What one recv of at most 1,024 bytes returns is a message, in both directions, and a client
// dies of a character that is cut in two. So this package owns everything that has to do with the bytes of a connection: how
// reads become messages ([decoder]), how events become frames that an old client survives ([frames], [output]), and how a
// connection ends. A peer that sends a line feed cannot be such a client and is served line by line from then on.
//
// It refuses to know who may have which nickname, what may be said and how fast: that is the [House]'s. It knows no command
// but "/bye". It never stops reading: an unread message would run together with the next one.
//
// Goroutines: each connection has three, the owner (which runs the session), a reader and a writer; the owner waits for the
// other two and [Server.Shutdown] for all owners. [Server.Serve] accepts on its caller's goroutine.
package legacy
