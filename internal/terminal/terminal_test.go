package terminal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"sarangbang/internal/cells"
	"sarangbang/internal/testkit/emulator"
)

func TestRowsArriveAboveWhatIsTyped(t *testing.T) {
	run(t, Options{Size: Size{20, 6}}, func(r *rig) {
		r.sees(">", 2)
		r.press("안녕\x1b[D")
		r.print("one\n")
		r.print("two\r\n\x1b[31mthree\nfour") // SGR left open, the last row not ended
		r.sees("one\ntwo\nthree\nfour\n> 안녕", 4)
		if got := r.screen.Style(0, 3) + "|" + r.screen.Style(0, 4); got != "\x1b[31m|" {
			r.Errorf("styles of the last row and the prompt %q, want %q", got, "\x1b[31m|")
		}
		was := r.gate.writes
		r.do(func() {
			r.term.Print([]byte("five\n"))
			r.term.Print(nil)
			r.term.Print([]byte("six\n"))
		})
		if got := r.gate.writes - was; got != 1 {
			r.Errorf("two blocks took %d writes, want 1", got)
		}
		r.press("!")
		r.print("seven\n") // once more with everything drawn anew
		r.sees("one\ntwo\nthree\nfour\nfive\nsix\nseven\n> 안!녕", 5)
	})
}

// Wide rows must not wrap by themselves: the rest of one would begin in column
// 0, like another person's line.
func TestRowsNeverWrap(t *testing.T) {
	for _, apart := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, Options{Size: Size{20, 6}})
			r.screen.Apart = apart
			r.print(strings.Repeat("👩\u200d👩\u200d👦", 9) + "[bob] x\n" + strings.Repeat("y", 100) + "\nz\n")
			for y, row := range strings.Split(r.text(), "\n") {
				if y > 3 || strings.HasPrefix(row, "[") {
					t.Errorf("apart %v: row %d is %q", apart, y, row)
				}
			}
			r.press("ok")
			if got := r.screen.Screen()[3]; got != "> ok" {
				t.Errorf("apart %v: prompt row %q, want %q", apart, got, "> ok")
			}
			r.close()
		})
	}
}

// A terminal that draws every part of a family for itself is not confused for
// longer than the family is there.
func TestTerminalWithoutClusters(t *testing.T) {
	for columns := 12; columns < 40; columns++ {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, Options{Size: Size{columns, 10}})
			r.screen.Apart = true
			r.press("a👨\u200d👩\u200d👧b한\u1100\u1100\u1100\u1161")
			r.press("\x01")
			if x, y := r.screen.Cursor(); x != 2 || y != 0 {
				t.Errorf("%d columns: cursor %d,%d, want 2,0", columns, x, y)
			}
			r.press("\x0b")
			r.sees(">", 2)
			r.print("row\n")
			r.sees("row\n>", 2)
			r.close()
		})
	}
}

// A terminal that draws a keycap in one cell shows nothing old in the other.
func TestTerminalWithNarrowClusters(t *testing.T) {
	for _, glyph := range []string{"❤\ufe0f", "1\ufe0f\u20e3"} {
		for _, typed := range []string{"abc", "한글", "☎\ufe0fx"} {
			run(t, Options{Size: Size{20, 5}}, func(r *rig) {
				r.screen.Narrow = true
				shown := strings.ReplaceAll(typed, "\ufe0f", "\ufe0f ")
				r.press(typed)
				r.press("\x01" + glyph)
				r.sees("> "+glyph+" "+shown, 4)
				r.press("\x7f")
				r.sees("> "+shown, 2)
			})
		}
	}
}

func TestTypedTextIsComposed(t *testing.T) {
	for _, tt := range []struct {
		name string
		keys []string
		want string
	}{
		{"at once", []string{"e\u0301\u1112\u1161\u11ab"}, "é한"},
		{"key by key", []string{"e", "\u0301", "\u1112", "\u1161", "\u11ab"}, "é한"},
		{"paste onto a letter", []string{"e", "\x1b[200~\u0301x\x1b[201~"}, "éx"},
		{"before a mark", []string{"\u0301", "\x01", "e"}, "é"},
		{"deleting what stood between", []string{"ex", "\u200d", "\x7f"}, "e"},
		{"family in parts, before an emoji", []string{"👍", "\x01", "👨\u200d", "👩", "\u200d👧"}, "👨\u200d👩\u200d👧👍"},
		{"flags in parts, before a flag", []string{"🇺🇸", "\x01", "🇰", "🇷"}, "🇰🇷🇺🇸"},
		{"compatibility letters stay", []string{"ﬁ①"}, "ﬁ①"},
	} {
		run(t, Options{}, func(r *rig) {
			for _, keys := range tt.keys {
				r.press(keys)
			}
			r.press("\r")
			if got := r.said(); len(got) != 1 || got[0] != tt.want {
				r.Errorf("%s: said %+q, want %+q", tt.name, got, tt.want)
			}
		})
	}
}

func TestTooLongPasteIsRefusedWhole(t *testing.T) {
	run(t, Options{Limits: Limits{PasteBytes: 1000}}, func(r *rig) {
		r.press("draft")
		r.press("\x1b[200~" + strings.Repeat("한", 300))
		r.press(strings.Repeat("한", 34))
		if got := len(r.term.pasted.text); got > 1000 {
			r.Errorf("of a paste that is too long %d bytes are kept", got)
		}
		r.press("\x1b[201~")
		if got, want := fmt.Sprint(r.events()), fmt.Sprint([]Input{{Kind: Refused, Size: 1002, Limit: 1000}}); got != want {
			r.Errorf("a paste of 1002 bytes: %s, want %s", got, want)
		}
		r.press("\x1b[200~" + strings.Repeat("한", 333) + "\x1b[201~")
		if got, want := fmt.Sprint(r.events()), fmt.Sprint([]Input{{Kind: Refused, Size: 1004, Limit: 1000}}); got != want {
			r.Errorf("a paste of 999 bytes after 5: %s, want %s", got, want)
		}
		r.says("draft")
		r.press("\x1b[200~" + strings.Repeat("한", 333) + "\x1b[201~")
		r.says(strings.Repeat("한", 333))
	})
}

func TestTooLongLineIsRefusedAndTheNextWorks(t *testing.T) {
	run(t, Options{Limits: Limits{PasteBytes: 1000}}, func(r *rig) {
		for range 5 {
			r.press(strings.Repeat("x", 250))
		}
		r.press(strings.Repeat("y", 100) + "\rnext\r")
		want := []Input{{Kind: Refused, Size: 1350, Limit: 1000}, {Kind: Line, Text: "next", Begun: time.Now()}}
		if got := r.events(); fmt.Sprint(got) != fmt.Sprint(want) {
			r.Errorf("a line of 1350 bytes and one of 4: %v, want %v", got, want)
		}
		// Without a newline the notice comes after a while, and the keys work.
		r.press(strings.Repeat("x", 400))
		r.press(strings.Repeat("x", 400))
		r.press(strings.Repeat("y", 201))
		r.sleep(3 * time.Second)
		if got, want := fmt.Sprint(r.events()), fmt.Sprint([]Input{{Kind: Refused, Size: 1001, Limit: 1000}}); got != want {
			r.Errorf("1001 bytes without an end: %s, want %s", got, want)
		}
		kept := r.term.Draft() // and what came of the last in one read with what fits
		if len(kept) > 1000 || strings.TrimRight(kept, "y") != strings.Repeat("x", 800) {
			r.Errorf("draft %q, want 800 times x and no more than has room", kept)
		}
		r.press("\x15ok")
		r.says("ok")
		r.press("\x19")
		r.press("\x19")
		if got, want := fmt.Sprint(r.events()), fmt.Sprint([]Input{{Kind: Refused, Size: 2 * len(kept), Limit: 1000}}); got != want {
			r.Errorf("Ctrl-Y beyond the limit: %s, want %s", got, want)
		}
	})
}

func TestRestoreNeverTouchesADraft(t *testing.T) {
	run(t, Options{}, func(r *rig) {
		var into []bool
		restore := func(s string) { r.do(func() { into = append(into, r.term.Restore(s)) }) }
		restore("one\ntwo\a\t\xff\u202e")
		r.sees("> one⏎two �", 11)
		restore("three")
		r.drafts("one\ntwo \ufffd")
		r.says("one\ntwo \ufffd")
		r.press("\x1b[A")
		r.drafts("three")
		if fmt.Sprint(into) != "[true false]" {
			r.Errorf("Restore: %v, want [true false]", into)
		}
	})
}

func TestCtrlLDrawsTheScreenAnew(t *testing.T) {
	run(t, Options{}, func(r *rig) {
		r.print("row\n")
		r.press("draft\x0c")
		r.sees("> draft", 7)
	})
}

func TestBellRingsOnce(t *testing.T) {
	run(t, Options{}, func(r *rig) {
		r.do(func() { r.term.Bell(); r.term.Bell(); r.term.Print([]byte("row\n")) })
		r.press("x")
		if got := r.screen.Bells(); got != 1 {
			r.Errorf("%d bells, want 1", got)
		}
	})
}

func TestMarksAreDimWhereColoursAreWanted(t *testing.T) {
	for _, color := range []bool{true, false} {
		run(t, Options{}, func(r *rig) {
			r.do(func() { r.term.SetColor(color) })
			r.press("\x1b[200~a\nb\x1b[201~")
			want := map[bool]string{true: "||\x1b[2m|", false: "|||"}[color]
			if got := r.screen.Style(0, 0) + "|" + r.screen.Style(2, 0) + "|" + r.screen.Style(3, 0) + "|" + r.screen.Style(4, 0); got != want {
				r.Errorf("color %v: styles %q, want %q", color, got, want)
			}
		})
	}
}

// A draft higher than the screen is shown around the cursor: prompt, one row of
// the chat and the cursor are always there, and no part of it is ever scrolled
// away.
func TestHighDraftIsWindowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rnd := rand.New(rand.NewPCG(7, 7))
		columns, rows := 14, 5
		r := newRig(t, Options{Size: Size{columns, rows}})
		defer r.close()
		printed := []string{}
		for n := range 400 {
			switch op := rnd.IntN(10); {
			case op < 4:
				s := strings.Repeat([]string{"한", "a", "👍🏽", " ", "漢b", "\n", "\n"}[rnd.IntN(7)], 1+rnd.IntN(9))
				r.press("\x1b[200~" + s + "x\x1b[201~")
			case op < 5:
				r.press(strings.Repeat("\x1b[D", rnd.IntN(30)))
			case op < 6:
				r.press(strings.Repeat("\x1b[C", rnd.IntN(30)))
			case op < 7:
				r.press([]string{"\x01", "\x05"}[rnd.IntN(2)])
			case op < 8:
				r.press(strings.Repeat("\x7f", rnd.IntN(12)))
			case op < 9:
				row := fmt.Sprint("row ", n)
				printed = append(printed, row)
				r.print(row + "\n")
			case n%100 > 90:
				r.press("\x03")
			}
			screen := r.screen.Screen()
			top := 0
			for top < len(screen) && !strings.HasPrefix(screen[top], ">") {
				top++
			}
			above := strings.Join(append(r.screen.Scrollback(), screen[:top]...), "\n")
			if want := strings.Join(printed, "\n"); above != want {
				t.Fatalf("step %d: above the prompt stands\n%s\nwant\n%s", n, above, want)
			}
			if len(printed) > 0 && top == 0 {
				t.Fatalf("step %d: no row of the chat is left on the screen:\n%s", n, strings.Join(screen, "\n"))
			}
			// What follows the cursor on the screen is what follows it in the draft.
			x, y := r.screen.Cursor()
			d := &r.term.draft
			if y < top || x < 2 && y == top {
				t.Fatalf("step %d: cursor %d,%d is not in the draft, which begins in row %d", n, x, y, top)
			}
			if shown := strings.Join(screen[top:], ""); r.term.window > 0 && d.at == len(d.glyphs) && cells.Width(shown) < columns*(rows-1)/3 {
				t.Fatalf("step %d: of a long draft only %q is shown", n, shown)
			}
			if after := []rune(strings.ReplaceAll(d.text[d.pos:], "\n", lineBreak)); len(after) > 0 {
				if at := []rune(cellsFrom(r.screen, x, y)); after[0] != ' ' && (len(at) == 0 || at[0] != after[0]) {
					t.Fatalf("step %d: at the cursor %d,%d stands %q, want %q", n, x, y, string(at), string(after[0]))
				}
			}
		}
	})
}

// A size may change at any moment, to any other: of a draft that is higher than
// the screen, what is around the cursor is shown, in a row less than there are.
func TestHighDraftOnScreensOfEverySize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rnd := rand.New(rand.NewPCG(3, 3))
		r := newRig(t, Options{})
		defer r.close()
		// No two places of the draft look alike.
		var b strings.Builder
		for n := range 3000 {
			b.WriteRune(rune(0xAC00 + n))
		}
		draft := b.String()
		r.print("row\n")
		r.press("\x1b[200~" + draft + "\x1b[201~")
		sizes := []Size{{20, 5}, {500, 200}, {12, 4}, {80, 24}, {500, 5}, {20, 200}, {37, 11}}
		for range 60 {
			size := sizes[rnd.IntN(len(sizes))]
			r.resize(size.Columns, size.Rows)
			r.sleep(time.Second)
			r.press(strings.Repeat([]string{"\x1b[D", "\x1b[C"}[rnd.IntN(2)], rnd.IntN(400)))
			r.sleep(time.Second)
			screen := r.screen.Screen()
			x, y := r.screen.Cursor()
			top := slices.IndexFunc(screen, func(row string) bool { return strings.HasPrefix(row, ">") })
			used := len(strings.Split(strings.TrimRight(strings.Join(screen, "\n"), "\n"), "\n"))
			if top < 0 || y < top || used-top > size.Rows-1 {
				t.Fatalf("%v: prompt in row %d, cursor in row %d, last row %d:\n%s", size, top, y, used-1, strings.Join(screen, "\n"))
			}
			d := &r.term.draft
			want := ""
			if d.at < len(d.glyphs) {
				want = d.text[d.pos : d.pos+d.glyphs[d.at].bytes()]
			}
			if got := strings.TrimSpace(r.screen.Cells()[len(r.screen.Scrollback())+y][x]); got != want {
				t.Fatalf("%v: at the cursor %d,%d stands %q, want %q", size, x, y, got, want)
			}
		}
		r.says(draft)
	})
}

func TestHugeDraftIsDrawnAtAPaceOfItsOwn(t *testing.T) {
	run(t, Options{Size: Size{500, 200}}, func(r *rig) {
		r.press("\x1b[200~" + strings.Repeat("x", 60_000) + "\x1b[201~")
		r.sleep(time.Second)
		was, start := r.gate.writes, time.Now()
		for range 1000 {
			r.press("y")
			r.sleep(time.Millisecond)
		}
		if got, most := r.gate.writes-was, 1+int(time.Since(start)/(60_000*cellTime)); got > most {
			r.Errorf("1000 keys in %v were drawn %d times, want at most %d", time.Since(start), got, most)
		}
		r.sleep(time.Second)
		if x, y := r.screen.Cursor(); r.screen.Screen()[y] != "yy" || x != (2+61_000)%500 {
			r.Errorf("at the end column %d of %q", x, r.screen.Screen()[y])
		}
		r.says(strings.Repeat("x", 60_000) + strings.Repeat("y", 1000))
	})
}

// Every distinct cluster on the screen has an entry in a table; the table does
// not grow with what has been typed.
func TestManyClustersAreForgotten(t *testing.T) {
	run(t, Options{}, func(r *rig) {
		next := 0
		distinct := func(n int) string {
			var b strings.Builder
			for range n {
				next++
				b.WriteRune(rune(0x4E00 + next%20_000))
				b.WriteRune(rune(0x0316 + next/20_000))
			}
			return b.String()
		}
		for range 50 { // lines
			r.press(distinct(20))
			r.press("\r")
		}
		if got := r.term.screen.inks.len(); got > 2*keptInks {
			r.Errorf("after 50 lines the table has %d entries, want at most %d", got, 2*keptInks)
		}
		for range 45 { // one line, of which all is shown and then deleted
			r.press(distinct(850))
			r.press("\x15")
		}
		if next < manyInks {
			r.Fatalf("%d clusters typed, want more than %d", next, manyInks)
		}
		if got := r.term.screen.inks.len(); got > manyInks {
			r.Errorf("after %d clusters the table has %d entries, want at most %d", next, got, manyInks)
		}
		r.do(func() { r.term.SetPrompt([]Span{{"\x1b[1m", "new> "}}) })
		text := norm.NFC.String(distinct(30))
		r.press(text)
		r.sees("new> "+text, 65)
	})
}

func TestEndlessMarksAreDropped(t *testing.T) {
	run(t, Options{}, func(r *rig) {
		for range 10 {
			r.press("a" + strings.Repeat("\u0327", 20) + "b\x7f" + strings.Repeat("\u200d", 20) + "b\x7f" + strings.Repeat("\ufe0f", 20))
		}
		r.press("\r")
		for _, run := range strings.Split(r.said()[0], "a")[1:] {
			if got := utf8.RuneCountInString(run); got != 30 {
				r.Errorf("%d marks in a row, want 30", got)
			}
		}
	})
}

// cellsFrom returns what stands in a row from column x on.
func cellsFrom(e *emulator.Terminal, x, y int) string {
	row, column := e.Screen()[y], 0
	for row != "" {
		if column == x {
			return row
		}
		_, n := utf8.DecodeRuneInString(row)
		w := 1
		for strings.HasPrefix(row[n:], "\U0001f3fd") {
			n += 4
		}
		if strings.ContainsAny(row[:n], "한漢👍") {
			w = 2
		}
		row, column = row[n:], column+w
	}
	return ""
}

func TestNewestSizeWinsAndRedrawsArePaced(t *testing.T) {
	run(t, Options{}, func(r *rig) {
		r.press("한글")
		r.sleep(time.Second)
		was, start := r.gate.writes, time.Now()
		for n := range 50 {
			r.screen.Resize(30+n, 20)
			r.sizes <- Size{30 + n, 20}
			synctest.Wait()
			r.sleep(20 * time.Millisecond)
		}
		if got, most := r.gate.writes-was, 1+int(time.Since(start)/(100*time.Millisecond)); got > most {
			r.Errorf("50 sizes in %v were drawn %d times, want at most %d", time.Since(start), got, most)
		}
		r.sleep(time.Second)
		if got, want := r.term.Size(), (Size{79, 20}); got != want {
			r.Errorf("size %v, want %v", got, want)
		}
		woken := 0
		for _, in := range r.inputs {
			if in.Kind == Woken {
				woken++
			}
		}
		if woken < 2 {
			r.Errorf("Next told of %d sizes, want at least the first and the last", woken)
		}
		r.sees("> 한글", 6)
		close(r.sizes)
		synctest.Wait()
		r.says("한글")
	})
}

func TestClientThatIsBehind(t *testing.T) {
	run(t, Options{Size: Size{80, 10}, Limits: Limits{OutputBytes: 2000}}, func(r *rig) {
		r.shut()
		printed := 0
		for range 100 {
			r.do(func() {
				if !r.term.Behind() {
					printed++
					r.term.Print([]byte(strings.Repeat("x", 70) + "\n"))
				}
			})
		}
		if printed < 10 || printed > 40 {
			r.Errorf("%d rows of 71 bytes were taken before 2000 bytes waited", printed)
		}
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			io.WriteString(r.keys, "typed")
			io.WriteString(r.keys, " meanwhile")
		}()
		r.do(func() { r.term.SetPrompt([]Span{{Text: "new> "}}) })
		r.sizes <- Size{40, 10}
		synctest.Wait()
		select {
		case <-sent:
			r.Error("input was read while the client was behind")
		default:
		}
		r.drafts("")
		r.inputs = nil
		r.screen.Resize(40, 10)
		r.open()
		<-sent
		synctest.Wait()
		if len(r.inputs) == 0 || r.inputs[0].Kind != Woken {
			r.Errorf("after the client has caught up Next returned %v, want Woken", r.inputs)
		}
		screen := r.screen.Screen()
		if x, y := r.screen.Cursor(); screen[y] != "new> typed meanwhile" || x != 20 {
			r.Errorf("row of the cursor %q, column %d, want %q, 20", screen[y], x, "new> typed meanwhile")
		}
	})
}

// Whoever was told to print nothing is woken when that is over, however fast
// the client is.
func TestCatchingUpWakesTheOwner(t *testing.T) {
	for _, slow := range []bool{true, false} {
		run(t, Options{Limits: Limits{OutputBytes: 100}}, func(r *rig) {
			if slow {
				r.shut()
			}
			r.do(func() {
				r.inputs = nil
				for !r.term.Behind() {
					r.term.Print(row)
				}
			})
			if slow {
				if len(r.inputs) > 0 {
					r.Errorf("while the client was behind Next returned %v", r.inputs)
				}
				r.open()
			}
			if got, want := fmt.Sprint(r.inputs), fmt.Sprint([]Input{{Kind: Woken}}); got != want {
				r.Errorf("slow %v: Next returned %s, want %s", slow, got, want)
			}
			r.sees(strings.Repeat(string(row), 2)+">", 2)
		})
	}
}

func TestHoldLeavesInputWhereItIs(t *testing.T) {
	run(t, Options{}, func(r *rig) {
		r.do(func() { r.hold = true })
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			io.WriteString(r.keys, "one\r")
			io.WriteString(r.keys, "two\r")
			r.keys.Close()
		}()
		r.print("row\n")
		r.sees("row\n>", 2)
		if got := r.events(); len(got) != 0 {
			r.Errorf("on hold Next returned %v", got)
		}
		r.do(func() { r.hold = false })
		<-r.done
		<-sent
		if got, want := fmt.Sprint(r.said(), r.err), "[one two] EOF"; got != want {
			r.Errorf("then %s, want %s", got, want)
		}
	})
	// Also what was read together with what came before.
	synctest.Test(t, func(t *testing.T) {
		in, keys := io.Pipe()
		term := New(duplex{in, io.Discard}, Options{})
		go io.WriteString(keys, "one\rtwo\r")
		start := time.Now()
		var got []Input
		for _, hold := range []bool{false, true, false} {
			in, err := term.Next(t.Context(), Wait{Hold: hold, Timer: time.After(time.Second)})
			if err != nil {
				t.Errorf("Next: %v", err)
			}
			got = append(got, in)
		}
		if want := []Input{{Kind: Line, Text: "one", Begun: start}, {Kind: Woken}, {Kind: Line, Text: "two", Begun: start.Add(time.Second)}}; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("Next, on hold in between: %v, want %v", got, want)
		}
		term.Close(time.Second)
		keys.Close()
		term.Wait()
	})
}

func TestHangUpSendsNoHalfLine(t *testing.T) {
	run(t, Options{}, func(r *rig) {
		io.WriteString(r.keys, "whole\rhalf")
		r.keys.Close()
		<-r.done
		if got, want := fmt.Sprint(r.said(), r.err), "[whole] EOF"; got != want {
			r.Errorf("said %s, want %s", got, want)
		}
		if _, err := r.term.Next(r.Context(), Wait{}); !errors.Is(err, io.EOF) {
			r.Errorf("Next once more: %v, want io.EOF", err)
		}
	})
}

func TestNextEndsWithTheCauseOfItsContext(t *testing.T) {
	run(t, Options{}, func(r *rig) {
		r.cancel(errOver)
		<-r.done
		if !errors.Is(r.err, errOver) {
			r.Errorf("Next: %v, want %v", r.err, errOver)
		}
		ctx, cancel := context.WithCancelCause(r.Context())
		cancel(errOver)
		if _, err := r.term.Next(ctx, Wait{}); !errors.Is(err, errOver) {
			r.Errorf("Next with an ended context: %v, want %v", err, errOver)
		}
		timer := time.NewTimer(time.Minute)
		if in, err := r.term.Next(r.Context(), Wait{Timer: timer.C}); in.Kind != Woken || err != nil {
			r.Errorf("Next with a timer: %v, %v, want Woken", in, err)
		}
	})
}

// emptyReader returns nothing, without an error: a Read with no room did that to
// x/term for ever.
type emptyReader struct{ reads int }

func (e *emptyReader) Read([]byte) (int, error) { e.reads++; return 0, nil }

func TestReaderThatReturnsNothingIsTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reader := &emptyReader{}
		term := New(duplex{reader, io.Discard}, Options{})
		if _, err := term.Next(t.Context(), Wait{}); !errors.Is(err, io.EOF) {
			t.Errorf("Next: %v, want io.EOF", err)
		}
		term.Close(time.Second)
		term.Wait()
		if reader.reads > 200 {
			t.Errorf("%d reads, want at most 200", reader.reads)
		}
	})
}

func TestWriteErrorIsTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		far.Close()
		in, keys := io.Pipe()
		term := New(duplex{in, near}, Options{})
		if _, err := term.Next(t.Context(), Wait{}); !errors.Is(err, io.EOF) {
			t.Errorf("Next: %v, want io.EOF", err)
		}
		if err := term.Close(time.Second); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("Close: %v, want %v", err, io.ErrClosedPipe)
		}
		keys.Close()
		term.Wait()
	})
}

func TestCloseLeavesTheScreenAsItFoundIt(t *testing.T) {
	run(t, Options{}, func(r *rig) {
		if _, brackets := r.screen.Modes(); !brackets {
			r.Error("pastes come without brackets")
		}
		r.press("half a line, " + strings.Repeat("한", 50))
		r.cancel(errOver)
		<-r.done
		r.term.Print([]byte("bye\n"))
		for range 2 {
			if err := r.term.Close(time.Second); err != nil {
				r.Errorf("Close: %v", err)
			}
		}
		r.sees("bye", 0)
		if autowrap, brackets := r.screen.Modes(); !autowrap || brackets {
			r.Errorf("autowrap %v, brackets %v, want true, false", autowrap, brackets)
		}
		if _, err := r.term.Next(r.Context(), Wait{}); !errors.Is(err, io.EOF) {
			r.Errorf("Next after Close: %v, want io.EOF", err)
		}
	})
}

// The writer sits in a Write that does not return; the connection's end frees it.
func TestCloseGivesUpOnAStuckClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		term := New(near, Options{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		term.Print([]byte(strings.Repeat("x", 20_000) + "\n"))
		if _, err := term.Next(ctx, Wait{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Next: %v, want %v", err, context.DeadlineExceeded)
		}
		start := time.Now()
		err := term.Close(3 * time.Second)
		if !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != 3*time.Second {
			t.Errorf("Close: %v after %v, want %v after 3s", err, time.Since(start), os.ErrDeadlineExceeded)
		}
		if again := term.Close(time.Second); !errors.Is(again, os.ErrDeadlineExceeded) {
			t.Errorf("Close again: %v, want the same", again)
		}
		near.Close()
		far.Close()
		term.Wait()
	})
}

// pieces notes how large Writes are.
type pieces struct{ largest, total int }

func (p *pieces) Write(b []byte) (int, error) {
	p.largest, p.total = max(p.largest, len(b)), p.total+len(b)
	return len(b), nil
}

func TestOutputGoesInSmallPieces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, keys := io.Pipe()
		out := &pieces{}
		term := New(duplex{in, out}, Options{})
		term.Print([]byte(strings.Repeat(strings.Repeat("x", 79)+"\n", 500)))
		keys.Close()
		if _, err := term.Next(t.Context(), Wait{}); !errors.Is(err, io.EOF) {
			t.Errorf("Next: %v, want io.EOF", err)
		}
		if err := term.Close(time.Second); err != nil {
			t.Errorf("Close: %v", err)
		}
		term.Wait()
		if out.largest > 8192 || out.total < 40_000 {
			t.Errorf("%d bytes in pieces of up to %d, want at least 40000 and at most 8192", out.total, out.largest)
		}
	})
}

// What is said is what was typed, while rows arrive.
func TestWhatIsTypedIsWhatIsSaid(t *testing.T) {
	run(t, Options{Size: Size{33, 9}}, func(r *rig) {
		rnd := rand.New(rand.NewPCG(1, 2))
		for n := range 100 {
			var line strings.Builder
			for range 1 + rnd.IntN(60) {
				line.WriteString(alphabet[rnd.IntN(len(alphabet))].text)
			}
			want := line.String()
			for rest := want; rest != ""; {
				k := min(1+rnd.IntN(40), len(rest)) // cut anywhere
				r.press(rest[:k])
				rest = rest[k:]
				if rnd.IntN(3) == 0 {
					r.print(fmt.Sprintf("row %d\n", n))
				}
			}
			r.says(norm.NFC.String(want))
		}
	})
}
