package terminal

import (
	"testing"
	"time"

	"sarangbang/internal/cells"
)

func TestAmbiguousWidthIsMeasured(t *testing.T) {
	type step struct {
		after time.Duration
		bytes string
	}
	for _, tt := range []struct {
		name  string
		steps []step
		wide  bool
	}{
		{"wide", []step{{0, "\x1b[7;3R"}}, true},
		{"narrow", []step{{0, "\x1b[7;2R"}}, false},
		{"nonsense", []step{{0, "\x1b[7;80R"}}, false},
		{"amid typing", []step{{0, "ab\x1b[7;3Rcd"}}, true},
		{"just in time, in parts", []step{{100 * time.Millisecond, "\x1b[7"}, {100 * time.Millisecond, ";"}, {90 * time.Millisecond, "3R"}}, true},
		{"too late", []step{{310 * time.Millisecond, "\x1b[7;3R"}}, false},
		{"much too late, in parts", []step{{4 * time.Second, "\x1b[7"}, {4 * time.Second, ";"}, {4 * time.Second, "3R"}}, false},
		{"after an hour", []step{{time.Hour, "\x1b[7;3R"}}, false},
		{"a second report", []step{{0, "\x1b[7;2R"}, {0, "\x1b[7;3R"}}, false},
		{"of another kind", []step{{0, "\x1b[?7;3R\x1bOR"}}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			run(t, Options{Measure: true}, func(r *rig) {
				r.inputs = nil
				for _, s := range tt.steps {
					time.Sleep(s.after)
					r.press(s.bytes)
				}
				want := cells.Ruler{Wide: tt.wide}
				if got := r.term.Ruler(); got != want {
					t.Errorf("Ruler() = %v, want %v", got, want)
				}
				if woken := len(r.inputs) > 0; woken != tt.wide {
					t.Errorf("the owner was woken: %v, want %v", woken, tt.wide)
				}
				draft := ""
				if tt.name == "amid typing" {
					draft = "abcd"
				}
				r.drafts(draft)
				r.sleep(20 * time.Second)
				r.drafts(draft)
			})
		})
	}
	run(t, Options{}, func(r *rig) { // who was not asked says nothing
		r.press("\x1b[7;3R")
		if got := r.term.Ruler(); got != (cells.Ruler{}) {
			t.Errorf("Ruler() = %v for an answer to nothing", got)
		}
	})
}

func TestOnlyReportsAreWaitedForLong(t *testing.T) {
	for keys, want := range map[string]time.Duration{
		"\x1b": escPatience, "\x1b[": sequencePatience, "\x1bO": sequencePatience, "\x1b[?1": sequencePatience,
		"\x1b[1": reportPatience, "\x1b[1;3": reportPatience,
	} {
		run(t, Options{Measure: true}, func(r *rig) {
			if r.press(keys); r.term.parser.patience() != want {
				r.Errorf("%q is waited for %v, want %v", keys, r.term.parser.patience(), want)
			}
		})
	}
}

func TestWideScreenIsDrawnAnew(t *testing.T) {
	run(t, Options{Size: Size{20, 5}, Measure: true}, func(r *rig) {
		r.do(func() { r.term.SetPrompt([]Span{{Text: "★> "}}) })
		r.press("①я…x\x02")
		r.sees("★> ①я…x", 6)
		r.screen.Wide = true // as if it had been so all the time: the rows were drawn cell by cell
		r.press("\x1b[1;3R")
		r.sees("★> ①я…x", 10)
		r.press("é★★★★")
		r.sees("★> ①я…é★★★★\nx", 0)
		if r.press("\x1b"); r.term.parser.patience() != escPatience {
			r.Errorf("Esc waits for %v once the client has answered, want %v", r.term.parser.patience(), escPatience)
		}
	})
}

// Whoever is sent away at once finds no answer of their terminal in their shell.
func TestTheAnswerIsAwaitedByWhoEndsAtOnce(t *testing.T) {
	for _, tt := range []struct {
		name   string
		after  time.Duration
		answer string
		want   time.Duration
	}{
		{"an answer", 100 * time.Millisecond, "\x1b[7;2R", 100 * time.Millisecond},
		{"behind what was typed", 50 * time.Millisecond, "abc\x1b[7;2R", 50 * time.Millisecond},
		{"none", time.Hour, "", probeTime},
	} {
		t.Run(tt.name, func(t *testing.T) {
			run(t, Options{Measure: true}, func(r *rig) {
				begun := time.Now()
				time.AfterFunc(tt.after, func() { _, _ = r.keys.Write([]byte(tt.answer)) })
				var got time.Duration
				r.do(func() {
					_ = r.term.Close(time.Second)
					got = time.Since(begun)
				})
				r.sleep(time.Second)
				if got != tt.want {
					t.Errorf("closed after %v, want %v", got, tt.want)
				}
			})
		})
	}
}
