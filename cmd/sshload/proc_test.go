package main

import (
	"io/fs"
	"net/netip"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// testProc is a /proc with a server, 70, whose name is meant to confuse, and somebody else, 8.
func testProc() fstest.MapFS {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	link := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s), Mode: fs.ModeSymlink} }
	return fstest.MapFS{
		"70/stat":   file("70 (a) R 9 (b) S 1 70 70 0 -1 4194304 148 0 0 0 366 59 7 7 20 0 10 0 371287 1984737280 12242\n"),
		"70/status": file("Name:\ta) R 9 (b\nVmPeak:\t 900 kB\nVmHWM:\t   68 kB\nVmRSS:\t   42 kB\nThreads:\t10\n"),
		"70/fd/3":   link("socket:[4711]"),
		"8/fd/0":    link("pipe:[4711]"),
		"8/fd/4":    link("socket:[4712]"),
		"loadavg":   file("1.25 2.50 3.00 12/170 9285\n"),
		"stat":      file("cpu  1000 10 200 5000 300 4 6 50 9 9\ncpu0 1 2 3\n"),
		"net/tcp": file("  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n" +
			"   0: 0100007F:08AE 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 2 0 100 0 0 10 0\n" +
			"   1: 0100007F:08AE 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 4712 2 0 100 0 0 10 0\n" +
			"   2: 0100007F:08AF 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4712 2 0 100 0 0 10 0\n"),
	}
}

func TestFiguresOfProcesses(t *testing.T) {
	p := procfs{testProc()}
	if got, err := p.processCPU(70); got != 4250*time.Millisecond || err != nil {
		t.Errorf("processor time = %v, %v, want 4.25s", got, err)
	}
	if now, peak, err := p.memory(70); now != 42<<10 || peak != 68<<10 || err != nil {
		t.Errorf("memory = %d, %d, %v, want %d, %d", now, peak, err, 42<<10, 68<<10)
	}
	want := machine{busy: 12200 * time.Millisecond, stolen: 500 * time.Millisecond, total: 65700 * time.Millisecond}
	if got, err := p.machine(); got != want || err != nil {
		t.Errorf("machine = %+v, %v, want %+v", got, err, want)
	}
	if got, err := p.load(); got != 1.25 || err != nil {
		t.Errorf("load = %v, %v, want 1.25", got, err)
	}
	if _, err := p.processCPU(71); err == nil {
		t.Error("processor time of nobody, want an error")
	}
}

func TestTheServerIsFoundByItsPort(t *testing.T) {
	files := testProc()
	for port, want := range map[uint16]string{2222: "", 2223: "", 2224: "no process of ours"} {
		pid, err := procfs{files}.listener(netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port))
		if want == "" && (err != nil || pid != map[uint16]int{2222: 70, 2223: 8}[port]) {
			t.Errorf("port %d: process %d, %v", port, pid, err)
		}
		if want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("port %d: process %d, %v, want an error with %q", port, pid, err, want)
		}
	}
	for port, want := range map[uint16]bool{2222: true, 2223: false, 39321: true} {
		if got := (procfs{files}).visited(port); got != want {
			t.Errorf("port %d was visited: %v, want %v", port, got, want)
		}
	}
	files["9/fd/9"] = files["70/fd/3"]
	if pid, err := (procfs{files}).listener(netip.MustParseAddrPort("127.0.0.1:2222")); err == nil {
		t.Errorf("process %d, want an error: two share the socket", pid)
	}
}
