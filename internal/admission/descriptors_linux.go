package admission

import (
	"io"
	"os"
	"syscall"
)

// Descriptors returns how many files and connections the process has open and how many it may have; ok is false where that
// cannot be found out.
func Descriptors() (used, limit int, ok bool) {
	var r syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r); err != nil {
		return 0, 0, false
	}
	used, ok = openDescriptors()
	return used, int(min(r.Cur, 1<<30)), ok
}

// openDescriptors asks for the size of /proc/self/fd, which is their number since Linux 6.2. Before, it was 0, and they have
// to be listed.
func openDescriptors() (int, bool) {
	const path = "/proc/self/fd"
	if info, err := os.Stat(path); err == nil && info.Size() > 0 {
		return int(info.Size()), true
	}
	dir, err := os.Open(path)
	if err != nil {
		return 0, false
	}
	defer dir.Close()
	n := -1 // the one that reads the folder
	for {
		names, err := dir.Readdirnames(256)
		n += len(names)
		if err == io.EOF {
			return n, true
		}
		if err != nil {
			return 0, false
		}
	}
}
