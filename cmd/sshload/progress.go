package main

import (
	"io"
	"os"
	"sync"
	"time"
)

const progressEvery = 500 * time.Millisecond

// progress is a line that tells somebody at a terminal how the run goes.
type progress struct {
	quit func()
	done sync.WaitGroup
}

// startProgress begins to draw status on w, unless w is no terminal. status is called from another goroutine.
func startProgress(w io.Writer, status func() string) *progress {
	quit := make(chan struct{})
	p := &progress{quit: sync.OnceFunc(func() { close(quit) })}
	if isTerminal(w) {
		p.done.Go(func() { drawProgress(w, status, quit) })
	}
	return p
}

// stop takes the line away. It may be called again.
func (p *progress) stop() {
	p.quit()
	p.done.Wait()
}

func drawProgress(w io.Writer, status func() string, quit <-chan struct{}) {
	const clear = "\r\x1b[K"
	t := time.NewTicker(progressEvery)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			_, _ = io.WriteString(w, clear+status())
		case <-quit:
			_, _ = io.WriteString(w, clear)
			return
		}
	}
}

// isTerminal says whether somebody may be looking.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && f.Name() != os.DevNull
}
