// Command charts draws the charts of docs/PERFORMANCE.md, docs/img/cpu.svg and docs/img/memory.svg, from docs/performance.json, which
// sshload sweep --json writes, and from what other servers were measured at elsewhere. From the root of the repository:
//
//	go run -C tools ./charts
//
// It owns how they look, and the figures of the others (peers.go). It refuses figures that do not say what they are of: by which
// command, commit, machine and day. The same data always gives the same bytes, so that a test holds the committed charts against
// them. It starts no goroutines.
package main
