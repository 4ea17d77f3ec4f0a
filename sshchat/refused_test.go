package sshchat

import (
	"strings"
	"testing"
	"testing/synctest"

	"sarangbang/room"
)

// What is too long for a message is not sent, in whole or in part: it stays in the line, to be made shorter, and both sizes are
// told. The history holds what was said and nothing else.
func TestMessageBeyondTheLimitStaysInTheLine(t *testing.T) {
	const most = "; at most 4096 bytes in 20 lines are possible."
	for _, tc := range []struct{ name, paste, told, said string }{
		{"bytes", strings.Repeat("말", 1366), "* Not sent: your message has 4098 bytes in 1 line" + most, "[mina] 말말말"},
		{"lines", strings.Repeat("a\r", 21) + "b", "* Not sent: your message has 43 bytes in 22 lines" + most, "[mina] a\n¦ a\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, service := openHouse(t, room.Options{})
				d := openInMemory(t, func(o *setup) { o.house.console = service.ServeConsole })
				mina := sit(t, d, d.raw(t), "mina")
				sees := func(want string) {
					t.Helper()
					got := mina.shown()
					if unwrapped := strings.ReplaceAll(got, "\n¦ lines", " lines"); !strings.Contains(unwrapped, want) {
						t.Errorf("the screen is\n%s\nwant it to hold %q", got, want)
					}
				}
				mina.keys("\r")
				mina.keys("first\r")
				for range 2 { // twice: it is in the line each time, and only there
					mina.keys("\x15\x1b[200~" + tc.paste + "\x1b[201~")
					mina.keys("\r")
					sees(tc.told)
				}
				mina.keys("\x1b[A") // no line begins like this, so this is the last one of all
				sees("mina> first")
				mina.keys("\x1b[B") // and this the line that was left
				for range 5 {
					mina.keys("\x7f")
				}
				mina.keys("\r")
				if n := strings.Count(mina.out.String(), "Not sent"); n != 2 {
					t.Errorf("%d refusals, want 2", n)
				}
				sees(tc.said)
			})
		})
	}
}
