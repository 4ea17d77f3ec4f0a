package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// meter reads what the server and others have used.
type meter struct {
	proc   procfs
	server int    // the process; 0 if it is not known
	why    string // it is not known
}

// reading is one look at the figures. Those that could not be had are zero.
type reading struct {
	server, own time.Duration // processor time
	machine     machine
	resident    int64 // bytes of the server in memory
	peak        int64
	load        float64
	ended       bool // the server's process is gone, and its figures with it
}

// newMeter finds the server's process. It fails if one was named that cannot be read.
func newMeter(proc procfs, o *options) (*meter, error) {
	m := &meter{proc: proc, server: o.pid}
	var err error
	switch {
	case o.pid != 0:
		_, err = proc.processCPU(o.pid)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("--pid: there is no process %d", o.pid)
		case err != nil:
			return nil, fmt.Errorf("read the processor time of process %d: %w", o.pid, err)
		}
	case !o.addr.Addr().Unmap().IsLoopback():
		m.why = "it runs on another machine"
	default:
		if m.server, err = proc.listener(o.addr); err != nil {
			m.why = err.Error() + "; --pid names it"
		}
	}
	return m, nil
}

func (m *meter) read() (r reading) {
	if m.server != 0 {
		var cpu, memory error
		r.server, cpu = m.proc.processCPU(m.server)
		r.resident, r.peak, memory = m.proc.memory(m.server)
		r.ended = cpu != nil || memory != nil // one that nobody has waited for yet has a time, but no memory
	}
	// What fails here has failed before, for the same reason.
	r.own, _ = m.proc.processCPU(os.Getpid())
	r.machine, _ = m.proc.machine()
	r.load, _ = m.proc.load()
	return r
}
