// Package sshchat is the SSH door: it turns a TCP connection into a proven or an unknown visitor with a screen or a pipe, and
// hands both to the house.
//
// It owns what happens before anybody is known (admission, timers, key exchange, login), who somebody is (the key whose owner
// has proven to hold it, and nothing else), what a client may ask for on its connection, and the end of it all, with an exit
// status. It refuses every kind of forwarding, every subsystem, certificates, and more than the limits allow; it knows no
// nickname, no room and no sentence.
//
// Five guards stand around github.com/gliderlabs/ssh, each for a fault of it that was measured:
//
//  1. Requests of a channel are answered here (channel.go). The library sees only the one that starts the session.
//  2. Identity comes from a signature that was verified, never from a key that was offered (auth.go).
//  3. Timers, input budget and handshake slots are in the connection that the library reads from (conn.go).
//  4. Every connection is in one list, from accept on, and Shutdown ends that list (server.go).
//  5. The accept loop is internal/admission's, and a panic ends the connection or the session that it happened in.
//
// Goroutines: a connection has one of ours, which accepts key exchange and login and waits for all others of the connection;
// one for each session channel, which answers its requests and is the library's; and one for each session, which owns it.
// A terminal adds its reader and, while there is something to send, its writer; a session without one adds both. Keepalives
// need two while they are on the way.
// Beside these the library runs four for each connection, which end with it.
package sshchat
