//go:build linux

package e2e

import (
	"regexp"
	"strings"
	"testing"
)

// A screen reader, and a terminal that can do nothing, get text and no escape sequence: not one byte of one, from the question for
// the nickname to the end, whatever the person and others do.
func TestPlainModeSendsNoEscape(t *testing.T) {
	t.Parallel()
	for name, l := range map[string]login{
		"TERM=dumb":          {user: "kim", term: "dumb"},
		"SARANGBANG_PLAIN=1": {user: "kim", env: map[string]string{"SARANGBANG_PLAIN": "1"}},
		"in Korean":          {user: "kim", term: "dumb", env: map[string]string{"LC_ALL": "ko_KR.UTF-8"}, cols: 20, rows: 5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := openHouse(t, setup{exempt: true})
			all := livesThrough(t, h, l, "/theme dark", "/notify osc9")
			if i := strings.IndexByte(all, 0x1b); i >= 0 {
				t.Errorf("an ESC was sent: %q", all[max(0, i-80):min(len(all), i+80)])
			}
			if i := strings.IndexAny(all, "\b\u009b\u009d\u0090"); i >= 0 {
				t.Errorf("a control was sent: %q", all[max(0, i-80):min(len(all), i+80)])
			}
		})
	}
}

// sgr is a sequence that chooses how text is drawn (ECMA-48, 8.3.117).
var sgr = regexp.MustCompile(`\x1b\[([0-9;:]*)m`)

// NO_COLOR keeps the editor and takes the colours.
func TestNoColorKeepsTheEditor(t *testing.T) {
	t.Parallel()
	for name, l := range map[string]login{
		"NO_COLOR": {user: "kim", env: map[string]string{"NO_COLOR": "1"}},
		"without":  {user: "kim"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := openHouse(t, setup{exempt: true})
			all := livesThrough(t, h, l)
			if !strings.HasPrefix(all, "\x1b[?2004h") || !strings.Contains(all, "\x1b[K") {
				t.Errorf("the session begins with %q, want brackets around pastes, and rows erased later: the editor", all[:min(len(all), 40)])
			}
			colored := ""
			for _, m := range sgr.FindAllStringSubmatch(all, -1) {
				if strings.Trim(m[1], "0") != "" {
					colored = m[0]
				}
			}
			if want := l.env == nil; (colored != "") != want {
				t.Errorf("SGR sequences: %q, want some: %v", colored, want)
			}
		})
	}
}

// livesThrough is a long session in which everything happens that draws something, with some commands more. It returns all bytes
// that were sent.
func livesThrough(t *testing.T, h *house, l login, commands ...string) string {
	t.Helper()
	lee := h.pipe(t, login{user: "lee", key: newKey(t)})
	lee.sees("* lee joined.")
	h.join(t, "박하늘")
	h.join(t, "박하나")

	p := h.knock(t, l)
	p.sees("kim]")
	p.types("lee") // taken
	p.pastes("a[b")
	p.keys("x\x7f\x03\r")
	lee.sees("* kim joined.")

	said := 0
	says := func(keys, want string) { // and waits until it is back
		t.Helper()
		p.keys(keys + "\r")
		lee.sees("[kim] " + want + "\n")
		said++
		p.sees("[kim] ")
	}
	says("안녕하세요", "안녕하세요")
	says("오\x1b[Dx\x7f\x1b[Cㅇ\x7f타\x1b[H\x1b[3~가\x1b[F", "가타")
	says("\x1b[A\x15\x19\x14\x1f\x0c끝\x17\x1b[Z새 글", "새 글")
	says("찾기\x12안녕\x12\x03\x15그만", "그만")
	says("\x1b[200~한 줄\r두 줄\x1b[31m\x1b[201~", "한 줄\n¦ 두 줄")
	says(strings.Repeat("긴 글 ", 60)+"끝", strings.Repeat("긴 글 ", 60)+"끝")
	says("박\t\t\t\t\x1b[Z\x15그래", "그래")
	says("\x1b\x1b[99;99~\x1bOP\x1b]0;x\x07\x1b[5;5R말", "말")

	commands = append(commands, "/help", "/help keys", "/help history", "/who", "/whoami", "/nope", "/me 손", "/msg lee 몰래", "/reply 또", "/history",
		"/search 안녕", "/time full", "/bell on", "/lang ko", "/lang en", "/plain", "/nick 김", "/nick kim")
	for _, c := range commands {
		p.types(c)
	}
	lee.types("/msg kim 비밀")
	lee.types("kim! \x1b[31mred\u009b2J\x07 👨\u200d👩\u200d👧 " + strings.Repeat("漢", 100))
	says("다음", "다음")
	for _, size := range [][2]int{{5, 30}, {40, 100}, {1, 1}, {24, 80}} {
		if err := p.session.WindowChange(size[0], size[1]); err != nil {
			t.Fatal(err)
		}
	}
	p.keys("기다리는 줄")
	lee.types(strings.Repeat("줄\n", 40) + "마지막 줄")
	p.sees("마지막 줄")
	p.keys("\r")
	lee.sees("[kim] 기다리는 줄\n")
	p.keys("\x1b[200~" + strings.Repeat("1\r", 30) + "\x1b[201~\r") // too many lines
	p.sees("30")
	p.keys("\x03\x04")
	p.ends(0)
	return p.out.String() + p.errs.String()
}
