package terminal

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// record keeps what the client gets.
type record struct{ bytes.Buffer }

func (rec *record) attach(r *rig) { r.gate.Writer = io.MultiWriter(r.screen, rec) }

// rows returns the rows that the client got, and fails for all that is not text.
func (rec *record) rows(t *testing.T) []string {
	t.Helper()
	if i := strings.IndexAny(strings.ReplaceAll(rec.String(), "\r\n", ""), "\x1b\b\r\n\x7f"); i >= 0 {
		t.Errorf("the client got a control: %q", rec.String())
	}
	return strings.Split(rec.String(), "\r\n")
}

// runPlain runs f with a rig in plain mode. got checks what the client was sent.
func runPlain(t *testing.T, f func(r *rig, got func(want string))) {
	t.Helper()
	var rec record
	run(t, Options{Size: Size{40, 10}, Plain: true, Measure: true}, func(r *rig) {
		f(r, func(want string) {
			r.Helper()
			if got := strings.Join(rec.rows(r.T), "|"); got != want {
				r.Errorf("the client got\n%q, want\n%q", got, want)
			}
		})
	}, rec.attach)
}

func TestPlainOnlyAppends(t *testing.T) {
	runPlain(t, func(r *rig, got func(string)) {
		got("> ")
		r.press("한글")
		r.press(" e\u0301x")
		got("> 한글 éx")
		r.says("한글 éx")
		got("> 한글 éx|")
		r.print("\x1b[1;31m[lee]\x1b[0m 한글 éx\n")
		got("> 한글 éx|[lee] 한글 éx|")
		r.print("one\ntwo\n") // no prompt between rows while nobody types
		got("> 한글 éx|[lee] 한글 éx|one|two|")
		r.press("x")
		got("> 한글 éx|[lee] 한글 éx|one|two|> x")
	})
}

func TestPlainWritesAChangedLineAnewAfterAPause(t *testing.T) {
	runPlain(t, func(r *rig, got func(string)) {
		r.press("helo")
		r.press("\x7f")
		r.press("\x7f")
		r.press("llo")
		got("> helo")
		r.sleep(200 * time.Millisecond)
		got("> helo")
		r.sleep(200 * time.Millisecond)
		got("> helo|> hello")
		r.press("\x01y")
		r.press("\x05!")
		r.says("yhello!") // what is sent stands there, pause or not
		got("> helo|> hello|> yhello!|")
		r.press("one")
		r.press("\x15")
		r.sleep(time.Second)
		got("> helo|> hello|> yhello!|> one|> ")
		r.press("two")
		r.press("\x03")
		got("> helo|> hello|> yhello!|> one|> two|> ")
		r.press("a")
		r.press("\x0c")
		r.press("b\x12")
		got("> helo|> hello|> yhello!|> one|> two|> a|> a|> ab")
	})
	runPlain(t, func(r *rig, got func(string)) {
		r.press("👩")
		r.press("\u200d👧") // is one glyph with what stands there
		got("> 👩")
		r.sleep(time.Second)
		got("> 👩|> 👩\u200d👧")
	})
}

func TestPlainHoldsRowsWhileALineIsTyped(t *testing.T) {
	runPlain(t, func(r *rig, got func(string)) {
		r.press("ha")
		r.print("one\n")
		r.sleep(6 * time.Second)
		r.print("two\n")
		r.press("lf")
		r.sleep(3 * time.Second)
		got("> half")
		r.sleep(2 * time.Second)
		got("> half|one|two|> half")
		r.print("three\n")
		r.says("half")
		got("> half|one|two|> half|three|")
		r.press("x")
		want := "> half|one|two|> half|three|> x"
		for i := range 20 {
			got(want)
			r.print(fmt.Sprint(i, "\n"))
		}
		for i := range 20 {
			want += fmt.Sprint("|", i)
		}
		got(want + "|> x")
		r.print("last\n")
		r.press("\x7f") // nothing is being typed any more
		got(want + "|> x|last|")
	})
}

func TestPlainShowsANewPromptAndLists(t *testing.T) {
	runPlain(t, func(r *rig, got func(string)) {
		r.do(func() {
			r.term.SetCompleter(names("하나", "하늘"))
			r.term.SetPrompt([]Span{{"\x1b[1m", "lee"}, {"", "> "}})
		})
		got("> |lee> ")
		r.press("하")
		r.do(func() { r.term.SetPrompt([]Span{{Text: "kim> "}}) })
		got("> |lee> 하")
		r.print("held\n")
		r.press("\t")
		r.sleep(time.Second)
		r.press("\t")
		got("> |lee> 하나|held|  하나  하늘|kim> 하나")
		r.sizes <- Size{30, 8}
		synctest.Wait()
		r.sleep(time.Second)
		r.do(r.term.Bell)
		if r.screen.Bells() != 1 {
			r.Errorf("%d bells, want 1", r.screen.Bells())
		}
	})
	var rec record
	run(t, Options{Plain: true}, func(r *rig) {
		r.press("half")
		r.do(func() { r.term.Print([]byte("\x1b[2mheld\x1b[0m\n")) })
		r.do(func() { r.term.Close(time.Second) })
		if got, want := strings.Join(rec.rows(r.T), "|"), "> half|held|"; got != want {
			r.Errorf("after Close %q, want %q", got, want)
		}
	}, rec.attach)
}

func TestPlainCanBeSwitched(t *testing.T) {
	var rec record
	run(t, Options{Size: Size{20, 10}}, func(r *rig) {
		r.do(func() { r.term.Remember("earlier") })
		r.press("half\x12ear")
		rec.Reset()
		r.do(func() { r.term.SetPlain(true) })
		if got, want := rec.String(), "\r"+eraseRight+bracketsOff+"> half"; got != want {
			r.Errorf("plain mode begins with %q, want %q", got, want)
		}
		r.press("!")
		r.sees("> half!", 7)
		r.print("row\n")
		r.resize(30, 8)
		r.sleep(time.Second)
		rec.Reset()
		r.do(func() { r.term.SetPlain(false) })
		r.sees("> half!\nrow\n> half!", 7)
		if _, brackets := r.screen.Modes(); !brackets {
			r.Error("no bracketed paste after plain mode")
		}
		r.press("\x01x\x1b[200~a\nb\x1b[201~")
		r.sees("> half!\nrow\n> xa⏎bhalf!", 6)
		r.says("xa\nbhalf!")
		r.sees("> half!\nrow\n>", 2)
		for range 2 {
			r.do(func() { r.term.SetPlain(true); r.term.SetPlain(true); r.term.SetPlain(false) })
			r.sees("> half!\nrow\n>", 2)
		}
	}, rec.attach)
}

// Whatever is typed while rows arrive: each row comes once and in order, what is
// sent stands in one row before it is, and after a silence the last row is the
// draft.
func TestPlainRandomSteps(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			var rec record
			random := rand.New(rand.NewPCG(seed, 0))
			r := newRig(t, Options{Plain: true, Size: Size{500, 200}}, rec.attach)
			defer r.close()
			printed := 0
			for range 100 {
				switch op := random.IntN(12); {
				case op < 5:
					r.press(alphabet[random.IntN(len(alphabet))].text)
				case op < 7:
					keys := []string{"\x7f", "\x1b[D", "\x1b[3~", "\x01", "\x05", "\x17", "\x15", "\x19", "\x1f", "\x14", "\x1b[A", "\x12", "\x0c", "\x1b5"}
					r.press(keys[random.IntN(len(keys))])
				case op < 9:
					r.print(fmt.Sprintf("[row] %d\n", printed))
					printed++
				case op < 10:
					draft := strings.ReplaceAll(r.term.Draft(), "\n", lineBreak)
					r.press("\r")
					if rows := rec.rows(t); draft != "" && !slices.Contains(rows, "> "+draft) {
						t.Fatalf("seed %d: sent %q, which stands in no row of %q", seed, draft, rows)
					}
					r.do(func() { r.term.Remember(draft) })
				default:
					r.sleep(time.Duration(random.IntN(400)) * time.Millisecond)
				}
			}
			r.sleep(heldTime)
			rows := rec.rows(t)
			if last, want := rows[len(rows)-1], "> "+r.term.Draft(); last != want && last+r.term.Draft() != "" {
				t.Errorf("seed %d: the last row is %q, want %q", seed, last, want)
			}
			n := 0
			for _, row := range rows {
				if strings.HasPrefix(row, "[row]") {
					if want := fmt.Sprint("[row] ", n); row != want {
						t.Errorf("seed %d: %q, want %q", seed, row, want)
					}
					n++
				} else if row != "" && !strings.HasPrefix(row, "> ") {
					t.Errorf("seed %d: row %q begins with no prompt", seed, row)
				}
			}
			if n != printed {
				t.Errorf("seed %d: %d rows came of %d", seed, n, printed)
			}
		})
	}
}
