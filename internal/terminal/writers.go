package terminal

import "time"

// Writers are the goroutines that send what the terminals of one server have drawn. One is needed for nearly every flush, and the stack
// of a new one must grow before it can encrypt; so a writer that is done waits a moment for the next flush of any of them. A nil Writers
// keeps none.
type Writers struct {
	work chan *outgoing // to those that wait
	quit chan struct{}
}

// NewWriters starts nothing. Close ends those that wait.
func NewWriters() *Writers { return &Writers{make(chan *outgoing), make(chan struct{})} }

// Close lets nobody wait any more. It is called once; terminals that are still there go on.
func (w *Writers) Close() { close(w.quit) }

// writerRest is how long a writer waits for more. It has the stack of one who is busy until then.
const writerRest = time.Second

// start lets somebody call writeAll. It never waits.
func (w *Writers) start(o *outgoing) {
	if w == nil {
		go o.writeAll()
		return
	}
	select {
	case w.work <- o:
	default:
		go w.run(o)
	}
}

func (w *Writers) run(o *outgoing) {
	rest := time.NewTimer(writerRest)
	defer rest.Stop()
	for {
		o.writeAll()
		o = nil // its terminal may end now
		rest.Reset(writerRest)
		select {
		case o = <-w.work:
		case <-rest.C:
			return
		case <-w.quit:
			return
		}
	}
}
