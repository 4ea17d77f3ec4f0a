// Package memjournal keeps the journal and the leases of one process in memory: [Journal] and [Leases] implement the
// interfaces of package room for a house without a disk, and for tests.
//
// It owns the order, the numbers and the recognition of repeated records, for as many records as [Options] let it keep. What
// ends with the process is its limit: nothing is durable here, and every Journal is another history with an Epoch of its own.
//
// It starts no goroutine: records are committed by whoever appends them, and a tail runs on the goroutine that called it.
package memjournal
