package main

import (
	"fmt"
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
}

// newMeter finds the server's process. It fails if one was named that cannot be read.
func newMeter(proc procfs, o *options) (*meter, error) {
	m := &meter{proc: proc, server: o.pid}
	var err error
	switch {
	case o.pid != 0:
		if _, err = proc.processCPU(o.pid); err != nil {
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
	// What fails here has failed before for the same reason, or the process is gone, which everybody's stream says too.
	if m.server != 0 {
		r.server, _ = m.proc.processCPU(m.server)
		r.resident, r.peak, _ = m.proc.memory(m.server)
	}
	r.own, _ = m.proc.processCPU(os.Getpid())
	r.machine, _ = m.proc.machine()
	r.load, _ = m.proc.load()
	return r
}
