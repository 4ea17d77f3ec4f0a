package legacy

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sarangbang/internal/testkit"
)

// recorder is a connection that notes each Write and when it came.
type recorder struct {
	net.Conn
	mu     sync.Mutex
	writes []written
}

type written struct {
	at   time.Time
	text string
}

func (r *recorder) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.writes = append(r.writes, written{time.Now(), string(p)})
	return len(p), nil
}

func (r *recorder) SetWriteDeadline(time.Time) error { return nil }

// recorded starts an output over a recorder; stop ends it and returns what was written.
func recorded(limit int) (out *output, stop func() []written) {
	r := &recorder{}
	out = newOutput(r, limit, time.Minute, func() {})
	done := make(chan struct{})
	go func() {
		defer close(done)
		out.run()
	}()
	return out, func() []written {
		out.finish(time.Hour)
		<-done
		return r.writes
	}
}

func TestOldClientsGetOneFrameAWriteAndNoMoreThanTheirRecvTakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out, stop := recorded(1 << 20)
		var want []string
		start := time.Now()
		for i := range 200 {
			if i%40 == 0 {
				time.Sleep(time.Duration(i) * time.Millisecond / 7) // so that bursts begin anywhere between two pauses
			}
			f := fmt.Sprintf("[kim] %03d %s", i, strings.Repeat("x", i*37%1000))
			want = append(want, f)
			out.send(frame{text: f})
		}
		writes := stop()
		total := 0
		for i, w := range writes {
			if i >= len(want) || w.text != want[i] {
				t.Fatalf("write %d is %q, want the frame %q alone", i, w.text, want[min(i, len(want)-1)])
			}
			total += len(w.text)
			sum := 0
			for j := i; j < len(writes) && writes[j].at.Sub(w.at) < 20*time.Millisecond; j++ {
				sum += len(writes[j].text)
			}
			if sum > 1024 {
				t.Errorf("in the 20 ms after write %d went %d bytes, want at most 1024", i, sum)
			}
		}
		if len(writes) != len(want) {
			t.Errorf("%d writes, want %d", len(writes), len(want))
		}
		// Frames of up to a kilobyte fill each burst at least by half.
		if took, most := time.Since(start), time.Duration(total/512+10)*20*time.Millisecond; took > most {
			t.Errorf("%d bytes took %v, want at most %v", total, took, most)
		}
	})
}

func TestSmallTalkGoesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out, stop := recorded(1 << 20)
		start := time.Now()
		for range 10 {
			out.send(frame{text: strings.Repeat("x", 100)})
		}
		for i, w := range stop() {
			if w.at != start {
				t.Errorf("frame %d waited for %v, want no wait", i, w.at.Sub(start))
			}
		}
	})
}

func TestLinePeersGetLinesTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out, stop := recorded(1 << 20)
		out.lines.Store(true)
		start := time.Now()
		out.send(frame{text: promptText, raw: true}, frame{text: "[kim] hi"}, frame{text: "[kim] there"})
		var long []frame
		for range 100 {
			long = append(long, frame{text: strings.Repeat("y", 1000)})
		}
		synctest.Wait()
		out.send(long...)
		writes := stop()
		if got, want := writes[0].text, promptText+"[kim] hi\r\n[kim] there\r\n"; got != want {
			t.Errorf("the first write is %q, want %q", got, want)
		}
		for _, w := range writes {
			if w.at != start || len(w.text) > bufferBytes {
				t.Errorf("a write of %d bytes after %v, want at most 16 KiB at once", len(w.text), w.at.Sub(start))
			}
		}
	})
}

func TestPeerIsBehindUntilHalfHasGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out, stop := recorded(10 << 10)
		var all []frame
		for range 10 {
			all = append(all, frame{text: strings.Repeat("x", 1024)})
		}
		out.send(all...) // at once: the writer is at work already
		if !out.behind() {
			t.Fatal("10 KiB wait and the peer is not behind")
		}
		start := time.Now()
		<-out.room
		// The first went at once, or is about to; of the others each takes its 20 ms.
		if got, want := time.Since(start), 4*20*time.Millisecond; got != want || out.behind() {
			t.Errorf("room again after %v, behind %v; want it after %v", got, out.behind(), want)
		}
		stop()
	})
}

func TestPeerThatTakesNothingStalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := testkit.Pipe()
		var stalledAt time.Time
		start := time.Now()
		out := newOutput(server, 64<<10, 2*time.Minute, func() { stalledAt = time.Now() })
		out.lines.Store(true)
		done := make(chan struct{})
		go func() {
			defer close(done)
			out.run()
		}()
		fill := func() {
			for !out.behind() {
				out.send(frame{text: strings.Repeat("x", 1000)})
				synctest.Wait()
			}
		}
		fill()
		time.Sleep(time.Minute)
		client.Read(make([]byte, 20<<10)) // alive after all
		synctest.Wait()
		fill()
		<-done
		if got, want := stalledAt.Sub(start), 3*time.Minute; got != want {
			t.Errorf("stalled after %v, want %v: 2 m after the last sign of life", got, want)
		}
		if out.send(frame{text: "x"}); out.behind() {
			t.Error("a dead peer counts as behind; nobody would ever be told that it is not any more")
		}
	})
}

func TestFinishGivesUpInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, server := testkit.Pipe()
		server.SetBuffer(10)
		stalled := false
		out := newOutput(server, 64<<10, time.Hour, func() { stalled = true })
		done := make(chan struct{})
		go func() {
			defer close(done)
			out.run()
		}()
		out.send(frame{text: strings.Repeat("x", 1000)})
		time.Sleep(time.Minute)
		start := time.Now()
		out.finish(2 * time.Second)
		<-done
		if got := time.Since(start); got != 2*time.Second || stalled {
			t.Errorf("gave up after %v, stalled %v; want 2s, false", got, stalled)
		}
	})
}

func TestBrokenConnectionDropsWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := testkit.Pipe()
		out := newOutput(server, 1<<10, time.Hour, func() { t.Error("stalled, want a plain end") })
		client.Reset()
		for range 4 {
			out.send(frame{text: strings.Repeat("x", 1000)})
		}
		out.run()
		if out.behind() || out.bytes != 0 {
			t.Errorf("behind %v with %d bytes, want neither", out.behind(), out.bytes)
		}
	})
}
