//go:build linux

package e2e

import (
	"regexp"
	"strings"
	"testing"
)

// hostile are texts made to look like a line of the person called victim, or of the house, or to spoil the screen. None begins
// with something that could be a nickname by itself.
var hostile = map[string]string{
	"return":             "#\r[victim] forged",
	"new line":           "#\n[victim] forged",
	"escapes":            "#\x1b[1G\x1b[2K[victim] forged\x1b[1A\x1b]0;title\x07\x1bP\x1b\\",
	"cursor up":          "\x1b[A\r\x1b[2K* victim left.",
	"C1":                 "#\u009b1G\u009b2K[victim] forged\u0085[victim] forged\u009d0;t\u009c\u0090",
	"raw C1":             "#\x9b1G[victim] forged\x85[victim] forged",
	"backspaces":         "#\b\b\b\b\b\b\b\b\b\b\b\b[victim] forged\x7f\x7f",
	"bidi":               "\u202e\u2066degrof ]mitciv[\u2069\u202c\u200f\u061c",
	"separators":         "#\u2028[victim] forged\u2029* victim left.\v[victim] forged\f[victim] forged",
	"tags and invisible": "#\U000e0041\u200b\ufeff\u00ad\u2060\u180e[victim] forged",
	"marks":              "#" + strings.Repeat("\u0301", 500) + "[victim] forged",
	"marks alone":        strings.Repeat("\u0338", 500) + "[victim] forged",
	"blanks":             strings.Repeat(" ", 94) + "[victim] forged" + strings.Repeat("\u3000", 60) + "[victim] forged",
	"fillers":            strings.Repeat("\u3164", 50) + "[victim] forged" + strings.Repeat("\u2800", 100) + "* victim left.",
	"no-break":           strings.Repeat("\u00a0", 94) + "[victim] forged",
	"conjoining jamo":    strings.Repeat("\u1100", 60) + "[victim] forged" + strings.Repeat("\u1161", 60) + "[victim] forged",
	"joined emoji":       strings.Repeat("👨\u200d👩\u200d👧\u200d👦", 40) + "[victim] forged",
	"flags and tones":    strings.Repeat("🇰🇷", 50) + "👍🏽👍🏽[victim] forged",
	"widths":             strings.Repeat("…★①", 40) + "[victim] forged" + strings.Repeat("1️⃣", 40),
	"lone joiners":       "#" + strings.Repeat("\u200d\ufe0f", 100) + "[victim] forged",
	"not UTF-8":          "#\xff\xfe\xc0\x80\xed\xa0\x80[victim] forged",
	"noncharacters":      "#\ufdd0\ufdd2\ufdd3\U000f0000\U0010ffff[victim] forged",
	"mark of the house":  "* victim left.",
	"gutter":             "¦ [victim] forged",
	"long":               strings.Repeat("[victim] forged ", 60),
	"tabs":               "\t\t\t\t\t\t\t\t\t\t\t\t[victim] forged",
}

// Everything hostile, by every input of every door, on every kind of screen: no row begins like a line of the victim's or of the
// house's that neither of them said.
func TestNobodyCanForgeARow(t *testing.T) {
	t.Parallel()
	h := openHouse(t, setup{exempt: true})
	victim := h.pipe(t, login{user: "victim"})
	victim.sees("victim joined")
	screens := map[string]*person{
		"terminal":                         h.enter(t, login{user: "wide", cols: 100, rows: 40}),
		"narrow terminal":                  h.enter(t, login{user: "narrow", cols: 40, rows: 40}),
		"terminal without clusters":        h.enter(t, login{user: "apart", cols: 100, rows: 40, apart: true}),
		"narrow one without clusters":      h.enter(t, login{user: "na", cols: 20, rows: 40, apart: true}),
		"terminal without colours, Korean": h.enter(t, login{user: "dumb", term: "dumb", cols: 80, rows: 24, env: map[string]string{"LANG": "ko_KR.UTF-8"}}),
		"pipe":                             victim,
	}
	old := h.join(t, "old")
	lined := h.joinLined(t, "lined")

	ssh := h.guest(t, "mallory")
	pipe := h.pipe(t, login{user: "piper"})
	pipe.sees("piper joined")
	for name, text := range hostile {
		ssh.keys(text + "\r")
		ssh.pastes(text)
		ssh.types("/me " + text)
		ssh.types("/msg victim " + text)
		ssh.types("/msg wide " + text)
		ssh.types("/nick " + text)
		ssh.types("/" + text)
		ssh.types("/msg " + text)
		ssh.keys("\x03")
		ssh.types("/nick mallory") // one of these may have been a nickname
		ssh.types("ssh typed " + name + ";")
		ssh.sees("[mallory] ssh typed " + name + ";")
		pipe.keys(text + "\n/me " + text + "\n/msg wide " + text + "\n/msg old " + text + "\n/nick " + text + "\n")
		pipe.types("/nick piper")
		pipe.types("pipe typed " + name + ";")
		pipe.sees("[piper] pipe typed " + name + ";")
		tcp := h.join(t, "eve")
		tcp.sends(text)
		tcp.finish() // its text is a message of its own
		tcp.waitFIN()

		// Names: of the login, with and without a terminal, and of the old door; TERM and LANG.
		login := login{user: text, term: short(text, 64), env: map[string]string{"LANG": text, "LC_ALL": text}, cols: 100, rows: 40}
		knocking := h.knock(t, login)
		knocking.sees("nickname")
		knocking.types(text)
		knocking.sees("nickname")
		knocking.types("")
		knocking.sees("nickname:")
		screens["prompt of "+name] = knocking
		sorry := h.pipe(t, login)
		sorry.ends(1)
		checkRows(t, "errors of a pipe for "+name, strings.Split(sorry.errs.String(), "\n"))
		asking := h.visit(t, login)
		asking.sends(text)
		asking.awaits(prompt)
		knocking.keys("\x04")
	}
	victim.types("the end")
	old.awaits("[victim] the end")
	lined.awaits("[victim] the end\r\n")
	for name, p := range screens {
		if !strings.HasPrefix(name, "prompt") {
			p.sees("[victim] the end")
		}
		checkRows(t, name, p.rowsOrLines())
	}
	checkRows(t, "old door, lines", strings.Split(lined.in.String(), "\r\n"))
	for message := range strings.SplitSeq(old.in.String(), "\n") {
		if strings.ContainsFunc(message, func(r rune) bool { return r < ' ' || 0x7f <= r && r < 0xa0 }) {
			t.Errorf("the old door sent a control in %q", message)
		}
	}
	h.chats(t)
}

func short(s string, bytes int) string {
	if len(s) > bytes {
		s = s[:bytes]
	}
	return s
}

// rowsOrLines are what a person sees as rows.
func (p *person) rowsOrLines() []string {
	if p.terminal != nil {
		return p.rows()
	}
	return strings.Split(p.out.String(), "\n")
}

// forged rows are those that look as if the victim had said something, or the house something about the victim.
var forged = regexp.MustCompile(`^\s*(\[victim\] forged|\* victim left)`)

func checkRows(t *testing.T, screen string, rows []string) {
	t.Helper()
	for i, row := range rows {
		if forged.MatchString(row) {
			t.Errorf("%s: row %d is forged: %q\n(rows before it: %q)", screen, i, row, rows[max(0, i-3):i])
		}
		if strings.HasPrefix(row, "[victim] ") && !strings.HasPrefix(row, "[victim] the end") {
			t.Errorf("%s: row %d says what the victim did not: %q", screen, i, row)
		}
		if strings.ContainsFunc(row, func(r rune) bool { return r < ' ' && r != '\r' || 0x7f <= r && r < 0xa0 || 0x202a <= r && r <= 0x202e }) {
			t.Errorf("%s: row %d holds a control: %q", screen, i, row)
		}
	}
}
