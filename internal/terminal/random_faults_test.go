package terminal

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
)

// faulty changes what a client gets.
type faulty struct {
	io.Writer
	change func([]byte) []byte
}

func (f faulty) Write(p []byte) (int, error) {
	_, err := f.Writer.Write(f.change(p))
	return len(p), err
}

// onWire is a fault in the bytes that a client gets, from the first step on.
func onWire(change func(p *person) func([]byte) []byte) func(*person) {
	return func(p *person) {
		if p.step == 0 {
			p.gate.Writer = faulty{p.gate.Writer, change(p)}
		}
	}
}

var columnSet = regexp.MustCompile(`\x1b\[(\d+)G`)

// faults are what the random steps must notice.
var faults = map[string]func(*person){
	"a wide glyph is counted as one cell": func(p *person) {
		p.do(func() {
			d := &p.term.draft
			for i, g := range d.glyphs {
				if g.cells() == 2 {
					d.glyphs[i] = glyph(g.bytes()<<2 | 1)
					p.term.draftStale = true
					return
				}
			}
		})
	},
	"an erase is lost": onWire(func(*person) func([]byte) []byte {
		n := 0
		return func(b []byte) []byte {
			if n += bytes.Count(b, []byte(eraseRight)); n < 10 {
				return b
			}
			n = 0
			return bytes.Replace(b, []byte(eraseRight), nil, 1)
		}
	}),
	"the column is off by one after a new size": onWire(func(p *person) func([]byte) []byte {
		columns := p.columns
		return func(b []byte) []byte {
			at := columnSet.FindAllSubmatchIndex(b, -1)
			if columns == p.columns || len(at) == 0 {
				return b
			}
			columns = p.columns
			last := at[len(at)-1]
			n, _ := strconv.Atoi(string(b[last[2]:last[3]]))
			return fmt.Appendf(nil, "%s%d%s", b[:last[2]], n+1, b[last[3]:])
		}
	}),
	"a row that scrolls is lost": onWire(func(*person) func([]byte) []byte {
		return func(b []byte) []byte {
			from := bytes.Index(b, []byte(wrapOff))
			row := bytes.Index(b, []byte("\r\n"))
			if from < 0 || row < from {
				return b
			}
			return append(bytes.Clone(b[:from+len(wrapOff)]), b[row+2:]...)
		}
	}),
	"the prompt is stale": func(p *person) {
		if strings.HasPrefix(p.did, "prompt") {
			p.do(func() { p.term.SetPrompt([]Span{{Text: "> "}}) })
		}
	},
}

// The random steps find each of these soon, and the seed that they name finds it
// again.
func TestRandomStepsFindFaults(t *testing.T) {
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			walk := func(seed uint64) (err error) {
				synctest.Test(t, func(t *testing.T) {
					p := newPerson(t, seed)
					defer p.stop()
					err = p.walk(fault)
				})
				return err
			}
			for seed := uint64(1); seed <= 10; seed++ {
				err := walk(seed)
				if err == nil {
					continue
				}
				if want := fmt.Sprintf("-seed %d, step ", seed); !strings.HasPrefix(err.Error(), want) {
					t.Errorf("found as %q, want it to begin with %q", err, want)
				}
				if again := walk(seed); again == nil || again.Error() != err.Error() {
					t.Errorf("seed %d has found %v, and once more %v", seed, err, again)
				}
				return
			}
			t.Errorf("10 persons took %d steps each and found nothing", stepsEach)
		})
	}
}
