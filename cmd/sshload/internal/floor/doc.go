// Package floor serves the least chats there are: what a delivery, a login and a session cost when nothing is done but what the
// library needs. A figure of a real server means something beside theirs, taken by the same crowd in the same minute.
//
// It owns their connections. It refuses to be a product: no history, no limits but one on what waits for a client, no checks of
// names or text, and no place but where its caller listens.
//
// Goroutines: one accepts; each connection has those of its library, one that reads what its person types, and in the kinds that
// have a room one that writes. All have ended when [Serve] returns, but for those of [Terminal], whose library does not wait for
// them: they end soon after.
package floor
