package room

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// listen says, for as long as the test lasts, when the bell of the last of n readers of a log rang, from the beginning on.
func listen(t *testing.T, l *Log, n int) func() []time.Duration {
	t.Helper()
	var bell Bell
	for range n {
		bell = NewBell()
		l.CursorAt(0, bell)
	}
	begun := time.Now()
	var rang []time.Duration
	stop := make(chan struct{})
	t.Cleanup(func() { close(stop) })
	go func() {
		for {
			select {
			case <-bell:
				rang = append(rang, time.Since(begun))
			case <-stop:
				return
			}
		}
	}()
	return func() []time.Duration {
		time.Sleep(2 * time.Second)
		synctest.Wait()
		return rang
	}
}

func TestRingsComeOneForAllThatCameMeanwhile(t *testing.T) {
	const ms = time.Millisecond
	for _, tt := range []struct {
		name    string
		readers int
		causes  map[time.Duration]pace
		want    []time.Duration
	}{
		{"a lone line", 1000, map[time.Duration]pace{0: linePace}, []time.Duration{0}},
		{"lines that keep coming", 1000, map[time.Duration]pace{0: linePace, 3 * ms: linePace, 11 * ms: linePace, 22 * ms: linePace}, []time.Duration{0, 20 * ms, 40 * ms}},
		{"lines that come slowly", 1000, map[time.Duration]pace{0: linePace, 20 * ms: linePace, 41 * ms: linePace}, []time.Duration{0, 20 * ms, 41 * ms}},
		{"few readers", 2, map[time.Duration]pace{0: linePace, ms / 2: linePace, 5 * ms: linePace}, []time.Duration{0, ms, 5 * ms}},
		{"many who come", 150, map[time.Duration]pace{0: noticePace, 50 * ms: noticePace, 100 * ms: noticePace, 170 * ms: noticePace}, []time.Duration{0, 150 * ms, 300 * ms}},
		{"very many who come", 5000, map[time.Duration]pace{0: noticePace, 10 * ms: noticePace, 900 * ms: noticePace}, []time.Duration{0, 1000 * ms}},
		{"who comes does not keep lines waiting", 1000, map[time.Duration]pace{0: noticePace, 5 * ms: noticePace, 10 * ms: linePace}, []time.Duration{0, 20 * ms}},
		{"lines tell who came", 1000, map[time.Duration]pace{0: noticePace, 5 * ms: noticePace, 30 * ms: linePace}, []time.Duration{0, 30 * ms}},
		{"a line does not wait for who came", 1000, map[time.Duration]pace{0: linePace, 5 * ms: linePace, 10 * ms: noticePace}, []time.Duration{0, 20 * ms}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := NewLog(16)
				heard := listen(t, l, tt.readers)
				for at, p := range tt.causes {
					time.AfterFunc(at, func() { l.ringSoon(p) })
				}
				if got := heard(); !slices.Equal(got, tt.want) {
					t.Errorf("%d readers are rung at %v, want %v", tt.readers, got, tt.want)
				}
			})
		})
	}
}

func TestOneBatchRingsAsSoonAsItsSoonest(t *testing.T) {
	a, b := NewLog(16), NewLog(16)
	var all []touch
	for _, e := range []struct {
		log *Log
		e   Body
	}{{a, Joined{}}, {b, Parted{}}, {a, Said{}}, {a, Renamed{}}} {
		all = touching(all, e.log, paceOf(&Event{Body: e.e}))
	}
	if want := []touch{{a, linePace}, {b, noticePace}}; !slices.Equal(all, want) {
		t.Errorf("touched are %v, want %v", all, want)
	}
}
