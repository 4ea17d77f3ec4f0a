package main

import (
	"io/fs"
	"log/slog"
	"path"
	"runtime/debug"
	"strconv"
	"strings"
)

// limitMemory makes the Go runtime keep within 90 % of what the machine grants this process, and so gives memory_shed_percent
// something to be a share of. What the operator said by GOMEMLIMIT stands.
func limitMemory(root fs.FS, getenv func(string) string, log *slog.Logger) {
	granted, limited := grantedMemory(root)
	if getenv("GOMEMLIMIT") != "" || !limited {
		return
	}
	limit := granted / 10 * 9
	debug.SetMemoryLimit(limit)
	log.Info("memory limited", "bytes", limit, "granted", granted)
}

// grantedMemory returns the smallest memory limit of the process's control groups, cgroups(7). The path that the kernel names
// may lie outside of what a container sees of the tree; its own group is then the root of the tree. So each group counts
// between the path and the root that is there.
func grantedMemory(root fs.FS) (bytes int64, limited bool) {
	groups, _ := fs.ReadFile(root, "proc/self/cgroup") // there is none on other systems
	for line := range strings.Lines(string(groups)) {
		// hierarchy:controllers:path
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) < 3 {
			continue
		}
		tree, file := "sys/fs/cgroup", "memory.max"
		switch {
		case strings.Contains(","+fields[1]+",", ",memory,"): // version 1
			tree, file = "sys/fs/cgroup/memory", "memory.limit_in_bytes"
		case fields[1] != "":
			continue
		}
		for dir := path.Clean("/" + fields[2]); ; dir = path.Dir(dir) {
			text, _ := fs.ReadFile(root, path.Join(tree, dir, file)) // likewise
			n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
			// Version 2 says "max" for none, version 1 the largest number of pages.
			if err == nil && n > 0 && n < 1<<60 && (!limited || n < bytes) {
				bytes, limited = n, true
			}
			if dir == "/" {
				break
			}
		}
	}
	return bytes, limited
}
