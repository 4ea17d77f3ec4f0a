package terminal

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// What plain x/term v0.47.0 does wrong, by the numbers of the list that the
// package was built against. Each test presses the keys that showed the fault.

func TestFault01WideGlyphsMoveByTwoCells(t *testing.T) {
	run(t, Options{}, func(r *rig) {
		r.press("한글\x1b[D")
		r.sees("> 한글", 4)
		r.press("\x7f")
		r.sees("> 글", 2)
		r.says("글")
	})
}

func TestFault02WideLineWrapsWhereTheTerminalDoes(t *testing.T) {
	run(t, Options{Size: Size{20, 10}}, func(r *rig) {
		r.press(strings.Repeat("한", 12))
		r.sees("> 한한한한한한한한한\n한한한", 6)
		r.print("hello\n")
		r.sees("hello\n> 한한한한한한한한한\n한한한", 6)
	})
}

func TestFault03BackspaceTakesTheWholeCluster(t *testing.T) {
	for _, cluster := range []string{"e\u0323\u0308", "👨\u200d👩\u200d👧", "🇰🇷", "❤\ufe0f", "क्ष", "\u1140\u1161"} {
		run(t, Options{}, func(r *rig) {
			r.press("a" + cluster + "\x7f")
			r.sees("> a", 3)
			r.says("a")
		})
	}
}

// The endless loop outlived the client: Read was called with no room left.
func TestFault04EndlessSequenceNeitherSpinsNorHides(t *testing.T) {
	run(t, Options{}, func(r *rig) {
		for range 100 {
			r.press("\x1b[" + strings.Repeat("1", 300))
		}
		r.keys.Close()
		<-r.done
		if !errors.Is(r.err, io.EOF) {
			r.Errorf("Next: %v, want io.EOF", r.err)
		}
	})
	run(t, Options{}, func(r *rig) {
		r.press("\x1b" + strings.Repeat("한", 85))
		r.says(strings.Repeat("한", 85))
	})
	for _, sequence := range []string{"[" + strings.Repeat("1", 300) + "m", "]52;c;" + strings.Repeat("A", 300) + "\a", "P" + strings.Repeat("A", 300) + "\x1b\\"} {
		run(t, Options{}, func(r *rig) {
			r.press("a\x1b" + sequence + "b")
			r.says("ab")
		})
	}
	run(t, Options{}, func(r *rig) {
		r.do(func() { r.term.Remember("earlier") })
		r.press("\x1b[" + strings.Repeat(";", 62) + "A")
		r.drafts("earlier")
		r.press("\x03\x1b[" + strings.Repeat(";", 64) + "A")
		r.drafts("") // longer than Limits.EscapeBytes: no key
		r.press("\x1b]" + strings.Repeat("A", 5000) + "ok")
		if got := r.term.Draft(); !strings.HasSuffix(got, "ok") || len(got) > 1000 {
			r.Errorf("after 5000 bytes of a sequence the draft is %d bytes, want less than 1000 and ok at the end", len(got))
		}
	})
	for _, open := range []string{"[1;2", "]0;", "P", "_", "O", ""} {
		run(t, Options{}, func(r *rig) {
			r.press("a\x1b" + open)
			r.sleep(2 * time.Second)
			r.press("B")
			r.says("aB")
		})
	}
}

func TestFault05BytesThatAreNotUTF8DoNotStall(t *testing.T) {
	run(t, Options{}, func(r *rig) {
		r.press("a\xffb")
		r.sees("> a\ufffdb", 5)
		r.says("a\ufffdb")
		r.press(strings.Repeat("\xff", 300))
		r.press("text")
		r.says(strings.Repeat("\ufffd", 300) + "text")
		r.press("a\xed\x95")
		r.sleep(2 * time.Second)
		r.press("\x9c")
		r.says("a\ufffd\ufffd")
		r.press("\xed")
		r.press("\x95\x9c")
		r.says("한")
		r.press("\xed\x95x\xf0\x9f\xed\x95\x9c")
		r.says("\ufffdx\ufffd한")
	})
}

func TestFault06TypedReplacementCharacter(t *testing.T) {
	run(t, Options{}, func(r *rig) {
		r.press("a\ufffdb")
		r.says("a\ufffdb")
	})
}

func TestFault07BlockedClientBlocksNobody(t *testing.T) {
	run(t, Options{Limits: Limits{OutputBytes: 1000}}, func(r *rig) {
		r.shut()
		for n := range 200 {
			r.sleep(time.Second)
			r.do(func() {
				if !r.term.Behind() {
					r.term.Print([]byte(strings.Repeat("x", 70) + "\n"))
				}
				r.term.SetPrompt([]Span{{Text: fmt.Sprint(n, "> ")}})
				r.term.Bell()
			})
			r.sizes <- Size{40 + n%10, 20}
			synctest.Wait()
		}
		if got := r.term.out.pending() + len(r.term.above) + len(r.term.screen.out); got > 1200 {
			r.Errorf("%d bytes wait for the client, want at most 1000 and one row", got)
		}
	})
}

func TestFault08HistoryHoldsWhatItIsTold(t *testing.T) {
	run(t, Options{Limits: Limits{HistoryLines: 3, PasteBytes: 100}}, func(r *rig) {
		r.press("my nickname")
		r.says("my nickname")
		r.press("\x1b[A")
		r.sees(">", 2)
		for _, line := range []string{"one", "two", "three", "three", "four"} {
			r.do(func() { r.term.Remember(line) })
		}
		r.press("half\x1b[A")
		r.drafts("four")
		r.press("\x1b[A\x1b[A\x1b[A\x1b[A")
		r.drafts("two")
		r.press("\x1b[B\x10\x0e\x0e")
		r.drafts("four")
		r.press("\x1b[B\x1b[B!")
		r.says("half!")
		r.do(func() { r.term.Remember(strings.Repeat("x", 99)) })
		r.press("\x1b[A\x1b[A")
		r.drafts(strings.Repeat("x", 99))
	})
}

func TestFault09CtrlCClearsTheLineAndEndsNothing(t *testing.T) {
	run(t, Options{}, func(r *rig) {
		r.press("half\x03")
		r.sees(">", 2)
		r.press("\x03\x03line")
		r.says("line")
	})
}

func TestFault10TabIsNeverText(t *testing.T) {
	run(t, Options{}, func(r *rig) {
		r.press("a\tb\x1b[Zc")
		r.press("\x1b[200~d\te\x1b[201~")
		r.says("abcd e")
	})
}

func TestFault11PasteOfSeveralLinesIsOneLine(t *testing.T) {
	run(t, Options{}, func(r *rig) {
		r.press("say: \x1b[200~one\r\ntwo\rthree\n\nfour\a\b\x01\x00\x7f\u009b\x1b[A\x1b[31m!\r\n\x1b[201~")
		r.sees("> say: one⏎two⏎three⏎⏎four!", 27)
		r.says("say: one\ntwo\nthree\n\nfour!")
		r.press("one\ntwo\nthree\n") // a terminal without brackets
		if got, want := fmt.Sprint(r.said()), "[one two three]"; got != want {
			r.Errorf("said %s, want %s", got, want)
		}
	})
}

func TestFault12LostEndOfPasteHeals(t *testing.T) {
	run(t, Options{}, func(r *rig) {
		r.press("\x1b[200~pasted\nlines")
		r.press("\x03")
		r.sleep(1900 * time.Millisecond)
		r.sees(">", 2)
		r.sleep(200 * time.Millisecond)
		r.drafts("pasted\nlines")
		r.press("\x03")
		r.drafts("")
		r.press("\x04")
		if got := r.events(); len(got) != 1 || got[0].Kind != Leave {
			r.Errorf("Ctrl-D after a lost paste: %v, want Leave", got)
		}
	})
}

func TestFault13EverySizeIsPossible(t *testing.T) {
	for in, want := range map[Size]Size{
		{0, 0}: {80, 24}, {-1, -1}: {80, 24}, {1, 1}: {12, 4}, {1 << 30, 1 << 30}: {500, 200}, {40, 0}: {40, 24}, {100, 50}: {100, 50},
	} {
		run(t, Options{Size: in}, func(r *rig) {
			if got := r.term.Size(); got != want {
				r.Errorf("size %v becomes %v, want %v", in, got, want)
			}
			r.press("한글")
			r.sees("> 한글", 6)
			r.sizes <- in
			synctest.Wait()
			r.says("한글")
		})
	}
}

func TestFault14ColoursInThePromptTakeNoCells(t *testing.T) {
	run(t, Options{Size: Size{12, 6}}, func(r *rig) {
		r.do(func() { r.term.SetPrompt([]Span{{"\x1b[1;31m", "홍"}, {"", "> "}}) })
		r.press("123456789")
		r.sees("홍> 12345678\n9", 1)
		if got, want := r.screen.Style(0, 0)+"|"+r.screen.Style(2, 0), "\x1b[1;31m|"; got != want {
			r.Errorf("styles %q, want %q", got, want)
		}
		r.press("\x03")
		r.do(func() { r.term.SetPrompt([]Span{{"\x1b[1;31m", "홍"}}) })
		r.print("row\n")
		r.print("row\n")
		if got := r.screen.Style(0, 1); got != "" {
			r.Errorf("style of a row after the prompt %q, want none", got)
		}
	})
}

func TestFault15LongPromptIsClipped(t *testing.T) {
	run(t, Options{Size: Size{13, 5}}, func(r *rig) {
		r.do(func() { r.term.SetPrompt([]Span{{Text: "abc"}, {Text: strings.Repeat("한", 150)}}) })
		r.print("hello\n")
		r.sees("hello\nabc한", 5)
		r.do(func() { r.term.SetPrompt(nil) })
		r.sees("hello\n>", 1)
		r.do(func() { r.term.SetPrompt([]Span{{Text: "\u200b\n"}}) })
		r.sees("hello\n>", 1)
	})
}

func TestFault16NewPromptIsShownAtOnce(t *testing.T) {
	run(t, Options{}, func(r *rig) {
		r.press("half")
		r.do(func() { r.term.SetPrompt([]Span{{Text: "new> "}}) })
		r.sees("new> half", 9)
		was := r.gate.writes
		r.do(func() { r.term.SetPrompt([]Span{{Text: "new> "}}) })
		if r.gate.writes != was {
			r.Errorf("the same prompt again was sent: %q", r.gate.last)
		}
	})
}

func TestFault17CRLFInTwoReadsIsOneEnter(t *testing.T) {
	run(t, Options{}, func(r *rig) {
		r.press("one\r")
		r.press("\ntwo\r\n\r")
		r.press("\n\n")
		if got, want := fmt.Sprintf("%q", r.said()), `["one" "two" "" ""]`; got != want {
			r.Errorf("said %s, want %s", got, want)
		}
	})
}

func TestFault18EscapeSwallowsNothingAndAllKeysWork(t *testing.T) {
	run(t, Options{}, func(r *rig) {
		r.press("\x1b한글b")
		r.says("한글b")
		r.press("a")
		r.press("\x1b")
		r.sleep(time.Second)
		r.press("b")
		r.says("ab")
	})
	for _, tt := range []struct{ keys, want string }{
		{"\x1bb|", "one two |한글"},
		{"\x1b[1;5D|", "one two |한글"},
		{"\x1b[1;3D|", "one two |한글"},
		{"\x1b[1;2D|", "one two 한|글"},
		{"\x1bOd|", "one two |한글"},
		{"\x1b\x1b[D|", "one two |한글"},
		{"\x1b\x1b[A\x1b\x1bOD\x1b[D|", "one two| 한글"},
		{"\x01\x1bf|", "one| two 한글"},
		{"\x1b[H\x1b[1;5C|", "one| two 한글"},
		{"\x1bOH\x1bOc|", "one| two 한글"},
		{"\x1b[1~|", "|one two 한글"},
		{"\x1b[7~|\x1b[4~.", "|one two 한글."},
		{"\x01|\x1b[8~.", "|one two 한글."},
		{"\x01|\x1bOF.", "|one two 한글."},
		{"\x02\x02\x06|", "one two 한|글"},
		{"\x1bOD|", "one two 한|글"},
		{"\x01\x1bd|", "| two 한글"},
		{"\x01\x1b[3;5~|", "| two 한글"},
		{"\x01\x1b[3~|", "|ne two 한글"},
		{"\x01\x04|", "|ne two 한글"},
		{"\x1b\x7f|", "one two |"},
		{"\x17\x17|", "one |"},
		{"\x15|\x19", "|one two 한글"},
		{"\x01\x0b|\x19", "|one two 한글"},
		{"\x02\x0b|\x19", "one two 한|글"},
		{"\x08|", "one two 한|"},
		{"\x14|", "one two 글한|"},
		{"\x01\x14|", "|one two 한글"},
		{"\x01\x06\x14|", "no|e two 한글"},
		{"\x17\x1f|", "one two 한글|"},
		{"\x1b[[A\x1b[15~\x1b[5~\x1b[?1;2c\x1b[0n\x1bx\x00|", "one two 한글|"},
	} {
		run(t, Options{}, func(r *rig) {
			r.press("one two 한글" + tt.keys)
			if got := r.term.Draft(); got != tt.want {
				r.Errorf("keys %q: draft %q, want %q", tt.keys, got, tt.want)
			}
		})
	}
}

func TestFault19InsertingBeforeALongLineIsCheap(t *testing.T) {
	run(t, Options{Size: Size{80, 24}}, func(r *rig) {
		r.press("\x1b[200~" + strings.Repeat("x", 4000) + "\x1b[201~")
		r.press("\x01")
		was := r.gate.bytes
		for range 95 {
			r.press("y")
		}
		if got := r.gate.bytes - was; got > 95*30 {
			r.Errorf("95 keys before 4,000 characters cost %d bytes, want at most %d", got, 95*30)
		}
		was = r.gate.bytes
		r.press(strings.Repeat("z", 95))
		if got := r.gate.bytes - was; got > 300 {
			r.Errorf("95 characters at once cost %d bytes, want at most 300", got)
		}
		r.says(strings.Repeat("y", 95) + strings.Repeat("z", 95) + strings.Repeat("x", 4000))
	})
	for _, size := range []Size{{80, 24}, {500, 200}, {12, 4}} {
		for _, one := range []string{"x", "한", "👍"} {
			for _, bracketed := range []bool{true, false} {
				run(t, Options{Size: size}, func(r *rig) {
					draft, paste := strings.Repeat(one, 4000), strings.Repeat("y"+one, 2000)
					r.do(func() { r.term.Restore(draft) })
					r.press("\x01")
					was := r.gate.bytes
					if bracketed {
						r.press("\x1b[200~" + paste + "\x1b[201~")
					} else {
						r.press(paste)
					}
					r.sleep(time.Second)
					if got := r.gate.bytes - was; got >= 64<<10 {
						r.Errorf("%v, %q, in brackets %v: 4,000 characters before 4,000 cost %d bytes, want less than 64 KiB", size, one, bracketed, got)
					}
					r.drafts(paste + draft)
				})
			}
		}
	}
}

func TestFault20DangerousCharactersCannotBeTyped(t *testing.T) {
	run(t, Options{}, func(r *rig) {
		bad := "\u009b\u009d\u0085\u202e\u200b\u2066\u2028\ufeff\u00ad\ue000\ufdd0\ufdd2\ufdd3\uffff\U000e0041\U000f0000\U0010fffd"
		r.press("a" + bad + "b\x1b[200~" + bad + "\x1b[201~c")
		r.says("abc")
	})
}

func TestFault21LongLineIsNotCut(t *testing.T) {
	run(t, Options{}, func(r *rig) {
		long := strings.Repeat("한글x", 6000)
		r.press(long)
		r.says(long)
		r.press("\x1b[200~" + long + "\x1b[201~")
		r.says(long)
	})
}
