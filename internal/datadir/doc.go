// Package datadir owns the data folder: it makes it, knows where things lie in it, and sees to it that only one process
// at a time works in it. Two houses on one database would each number their lines from the same place.
//
// The guard is flock(2) on a file in the folder: the kernel drops it with the process that holds it, however that ends,
// so there is never a stale lock to remove by hand. The package deletes nothing, and starts no goroutines.
package datadir
