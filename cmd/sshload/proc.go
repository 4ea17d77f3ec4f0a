package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// procfs reads figures of processes where Linux shows them. Where there is no /proc every call fails.
type procfs struct{ fs.FS }

func openProcfs() procfs { return procfs{os.DirFS("/proc")} }

// tick is the unit of processor time in /proc: USER_HZ, 100 on every architecture that Go runs on.
const tick = 10 * time.Millisecond

// processCPU returns the user and system time that a process has used (proc(5), fields 14 and 15 of stat).
func (p procfs) processCPU(pid int) (time.Duration, error) {
	stat, err := fs.ReadFile(p.FS, path.Join(strconv.Itoa(pid), "stat"))
	if err != nil {
		return 0, err
	}
	_, rest, _ := bytes.Cut(stat[bytes.LastIndexByte(stat, ')')+1:], []byte(" ")) // the name before it may hold anything
	f := strings.Fields(string(rest))
	if len(f) < 13 {
		return 0, fmt.Errorf("stat of process %d: %d fields", pid, len(f))
	}
	return ticks(f[11], f[12])
}

// memory returns what a process holds in memory now, and the most it ever did, in bytes. It fails if the process has ended.
func (p procfs) memory(pid int) (now, peak int64, err error) {
	status, err := fs.ReadFile(p.FS, path.Join(strconv.Itoa(pid), "status"))
	if err != nil {
		return 0, 0, err
	}
	for row := range strings.Lines(string(status)) {
		f := strings.Fields(row)
		if len(f) < 2 {
			continue
		}
		n, _ := strconv.ParseInt(f[1], 10, 64) // of the two rows that are looked at it is a number
		switch f[0] {
		case "VmRSS:":
			now = n << 10
		case "VmHWM:":
			peak = n << 10
		}
	}
	if now == 0 {
		return 0, 0, fmt.Errorf("process %d has ended", pid)
	}
	return now, peak, nil
}

// machine is what all processors together have done since the start.
type machine struct{ busy, stolen, total time.Duration }

func (p procfs) machine() (machine, error) {
	stat, err := fs.ReadFile(p.FS, "stat")
	if err != nil {
		return machine{}, err
	}
	row, _, _ := strings.Cut(string(stat), "\n")
	f := strings.Fields(row)
	if len(f) < 9 || f[0] != "cpu" {
		return machine{}, fmt.Errorf("first row of /proc/stat: %q", row)
	}
	total, err := ticks(f[1:9]...) // guest time, which follows, is in user time already
	if err != nil {
		return machine{}, err
	}
	idle, err := ticks(f[4], f[5])
	if err != nil {
		return machine{}, err
	}
	stolen, err := ticks(f[8])
	return machine{busy: total - idle - stolen, stolen: stolen, total: total}, err
}

// load is the machine's load average over one minute.
func (p procfs) load() (float64, error) {
	b, err := fs.ReadFile(p.FS, "loadavg")
	if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(string(b), " ")
	return strconv.ParseFloat(first, 64)
}

// ticks adds up columns.
func ticks(columns ...string) (sum time.Duration, err error) {
	for _, c := range columns {
		n, err := strconv.ParseInt(c, 10, 64)
		if err != nil {
			return 0, err
		}
		sum += time.Duration(n) * tick
	}
	return sum, nil
}

// tables are those of TCP's connections, by IPv4 and IPv6, and the columns in them.
var tables = []string{"net/tcp", "net/tcp6"}

const (
	localColumn, remoteColumn, stateColumn, inodeColumn = 1, 2, 3, 9

	listenState = "0A"
)

// visited says that somebody is connected to a port of this machine, or was in the last minute: for so long the kernel remembers
// (TIME_WAIT).
func (p procfs) visited(port uint16) bool {
	at := fmt.Sprintf(":%04X", port)
	for _, table := range tables {
		b, _ := fs.ReadFile(p.FS, table) // what there is not, has nothing in it
		for row := range strings.Lines(string(b)) {
			f := strings.Fields(row)
			if len(f) > inodeColumn && f[stateColumn] != listenState && (strings.HasSuffix(f[localColumn], at) || strings.HasSuffix(f[remoteColumn], at)) {
				return true
			}
		}
	}
	return false
}

// listener finds the process that listens at a port of this machine.
func (p procfs) listener(at netip.AddrPort) (pid int, err error) {
	var sockets []string
	for _, table := range tables {
		b, err := fs.ReadFile(p.FS, table)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return 0, err
		}
		sockets = append(sockets, listening(string(b), at.Port())...)
	}
	links, err := fs.Glob(p.FS, "[0-9]*/fd/*")
	if err != nil {
		return 0, err
	}
	for _, l := range links {
		target, err := fs.ReadLink(p.FS, l)
		if err != nil || !slices.Contains(sockets, target) {
			continue // closed in between
		}
		owner, err := strconv.Atoi(l[:strings.IndexByte(l, '/')])
		if err != nil {
			return 0, err
		}
		if pid != 0 && pid != owner {
			return 0, fmt.Errorf("processes %d and %d both listen at port %d", pid, owner, at.Port())
		}
		pid = owner
	}
	if pid == 0 {
		return 0, fmt.Errorf("no process of ours listens at port %d", at.Port())
	}
	return pid, nil
}

// listening returns the sockets of a table that listen at the port, as /proc/PID/fd names them.
func listening(table string, port uint16) (sockets []string) {
	for row := range strings.Lines(table) {
		f := strings.Fields(row)
		if len(f) > inodeColumn && f[stateColumn] == listenState && strings.HasSuffix(f[localColumn], fmt.Sprintf(":%04X", port)) {
			sockets = append(sockets, "socket:["+f[inodeColumn]+"]")
		}
	}
	return sockets
}
