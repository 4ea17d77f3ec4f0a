// Package session leads one person through the house, whatever door they came by: the nickname, what they read, what they
// say, the commands, and the end.
//
// One goroutine owns a session: the one that called [Service.Serve], [Service.ServeConsole] or [Service.Exec]. It alone touches
// the screen and the session's state. What a person posts goes through the session's outbox, whose goroutine exists only while
// there is something to send and is waited for; its result comes back to the owner. The answer of a command is read on a goroutine
// that ends with the answer. So typing never waits for the journal or the disk, and nothing here needs a lock.
//
// Every end is the end of the session's context, or of the person's input. The cause is a [Cause], told to the person in their
// language. A panic ends the session that it happened in, and no other.
//
// The package draws rows through internal/render for consoles; a door with a form of its own implements [Screen] itself. It
// knows no socket, no terminal and no key exchange.
package session
