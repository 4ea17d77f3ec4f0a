package terminal

import (
	"testing"
)

func TestTypingIsDrawn(t *testing.T) {
	run(t, Options{}, func(r *rig) {
		r.sees(">", 2)
		r.press("안녕")
		r.sees("> 안녕", 6)
		r.press("\x1b[D\x1b[D.")
		r.sees("> .안녕", 3)
		r.print("hello\n")
		r.sees("hello\n> .안녕", 3)
		r.says(".안녕")
		r.sees("hello\n>", 2)
	})
}
