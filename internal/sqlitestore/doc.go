// Package sqlitestore keeps the house on disk, in one SQLite database: [Store] is the journal of a house that runs alone, and the
// archive of what was said in it.
//
// It owns the database file from its first byte: whether what stands there may be opened at all, the schema and its versions, the
// one connection that writes, and every read model (history, the search index, accounts, how far people have read). A record and
// all that follows from it are written in one transaction by one function, [writer.project], and nobody sees a record before that
// transaction is on disk. What is ephemeral is numbered and tailed, and touches no disk, so that people can come and go while the
// disk is full.
//
// What the rules want to be kept of rooms and order is written with the record that changes it. A line that is struck is set aside for
// as long as that can be undone, and what a room said goes when it ends; both go from the file, like everything else that is removed.
//
// Beside the store stands what an operator does with the file: [Backup], [Export] and [Check] while somebody has it open, [Restore],
// [Import] and [Rebuild] while nobody has. A database that takes the place of another never makes that one go away.
//
// It refuses a file that it did not make, one that is damaged, and one that a newer program wrote, before SQLite has touched them.
// It decides nothing about people: verdicts are those of [room.Rules]. It keeps no locks against a second process: the data folder
// has one.
//
// Access is by database/sql with one pinned connection for writing. The calls into the driver directly would save about a
// microsecond and a few allocations each, beside 30 µs that SQLite itself takes to file a line and 200 µs for the disk; not worth
// scanning rows by hand.
//
// Goroutines: [Open] starts the writer, which [Store.Close] ends and waits for. A tail runs on the goroutine that called it.
package sqlitestore
