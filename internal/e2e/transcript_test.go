//go:build linux

package e2e

import (
	"sync"
	"time"
)

// patience is how long something may take that ought to come at once. It is long, for the machine may be busy with other
// things; whoever measures a delay sets a limit of their own.
const patience = 40 * time.Second

// transcript is what has come so far from something that runs by itself. It is written by one goroutine and read by others.
type transcript struct {
	mu      sync.Mutex
	buf     []byte        // guarded by mu, like all below
	over    bool          // nothing more comes
	err     error         // why; nil for a clean end
	changed chan struct{} // closed at the next change; nil while nobody waits
}

// Write implements [io.Writer].
func (r *transcript) Write(p []byte) (int, error) {
	r.update(func() { r.buf = append(r.buf, p...) })
	return len(p), nil
}

// end says that nothing more comes, and why.
func (r *transcript) end(err error) { r.update(func() { r.over, r.err = true, err }) }

// forget drops what has come so far, which would make looking at it ever slower, and returns it.
func (r *transcript) forget() (dropped string) {
	r.update(func() { dropped, r.buf = string(r.buf), nil })
	return dropped
}

func (r *transcript) update(change func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change()
	if r.changed != nil {
		close(r.changed)
		r.changed = nil
	}
}

func (r *transcript) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return string(r.buf)
}

// ended returns whether nothing more comes, and why.
func (r *transcript) ended() (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.over, r.err
}

// wait waits until ok of all that has come so far, and reports whether it came to that in time. It gives up early when nothing
// more comes.
func (r *transcript) wait(within time.Duration, ok func(all string) bool) bool {
	deadline := time.NewTimer(within)
	defer deadline.Stop()
	for {
		r.mu.Lock()
		all, over := string(r.buf), r.over
		if r.changed == nil {
			r.changed = make(chan struct{})
		}
		changed := r.changed
		r.mu.Unlock()
		if ok(all) {
			return true
		}
		if over {
			return false
		}
		select {
		case <-changed:
		case <-deadline.C:
			return false
		}
	}
}

// waitEnd waits until nothing more comes.
func (r *transcript) waitEnd(within time.Duration) bool {
	r.wait(within, func(string) bool { return false })
	over, _ := r.ended()
	return over
}

// eventually looks again and again whether something is so, where nothing tells of the change.
func eventually(within time.Duration, ok func() bool) bool {
	deadline := time.NewTimer(within)
	defer deadline.Stop()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for !ok() {
		select {
		case <-again.C:
		case <-deadline.C:
			return false
		}
	}
	return true
}
