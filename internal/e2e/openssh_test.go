//go:build linux

package e2e

import (
	"fmt"
	"net"
	"strings"
	"testing"
)

// A person with the real client in a real terminal, in both languages and three widths: comes in, types Korean while lines
// arrive, edits, resizes, and leaves.
func TestOpenSSHInTmux(t *testing.T) {
	t.Parallel()
	need(t, "ssh", "tmux")
	h := openHouse(t, setup{exempt: true})
	friend := h.pipe(t, login{user: "friend", key: newKey(t)})
	friend.sees("friend joined")
	old := h.join(t, "old")
	words := map[string][]string{ // the question, a greeting, and the last rows after coming in, by width
		"en": {"nickname [", "Welcome", "joined."},
		"ko": {"닉네임 [", "어서 오세요", "들어왔습니다."},
	}
	widths := []int{80, 40, 20}
	if !thorough {
		widths = []int{40}
	}
	for lang, w := range words {
		for _, cols := range widths {
			t.Run(fmt.Sprint(lang, " ", cols), func(t *testing.T) {
				locale := map[string]string{"en": "en_US.UTF-8", "ko": "ko_KR.UTF-8"}[lang]
				nick := fmt.Sprint(lang, cols)
				prompt := promptOf(nick, cols)
				at := len(prompt) + 1          // the column where the line begins
				here := fmt.Sprint(cols, lang) // in what is said, for the backlog has what was said to the others
				p := openPane(t, cols, 24, h.openSSH(t, nick, keyFile(t), locale))
				p.sees(w[0])
				p.press("Enter")
				p.sees(w[2])
				p.shows(at, prompt)
				friend.sees("* " + nick + " joined.")

				// A half typed line stays whole while others talk.
				p.types("안녕하세")
				p.shows(at+8, prompt+" 안녕하세")
				friend.types(here + " 1")
				old.sends(here + " 둘")
				p.sees("[old] " + here + " 둘")
				p.sees("[friend] " + here + " 1")
				p.shows(at+8, prompt+" 안녕하세")
				p.press("BSpace")
				p.types("하세요")
				p.press("Left", "Left", "BSpace", "End")
				p.shows(at+10, prompt+" 안녕하세요")
				p.press("Enter")
				p.shows(at, "["+nick+"] 안녕하세요", prompt)
				friend.sees("[" + nick + "] 안녕하세요\n")
				old.awaits("[" + nick + "] 안녕하세요")

				// History, a cleared line, and one that is longer than the screen is wide.
				p.types("미완")
				p.press("C-c")
				p.shows(at, prompt)
				p.press("Up")
				p.shows(at+10, prompt+" 안녕하세요")
				p.press("C-u")
				long := strings.Repeat("가나다라마바사아자차", 4)
				p.types(long)
				friend.types(here + " 2")
				p.sees("[friend] " + here + " 2")
				p.press("Enter")
				friend.sees("[" + nick + "] " + long + "\n")
				p.shows(at, rowsOf("["+nick+"] "+long, cols, prompt)...)

				// A window that changes its width keeps the line.
				p.types("줄")
				p.resize(cols+10, 20)
				friend.types(here + " 3")
				p.sees("[friend] " + here + " 3")
				prompt = promptOf(nick, cols+10)
				at = len(prompt) + 1
				p.shows(at+2, prompt+" 줄")
				p.resize(cols-4, 24)
				friend.types(here + " 4")
				p.sees("[friend] " + here + " 4")
				prompt = promptOf(nick, cols-4)
				at = len(prompt) + 1
				p.shows(at+2, prompt+" 줄")

				// Ctrl-D in a line deletes at most; on an empty one it leaves.
				p.press("C-d")
				p.shows(at+2, prompt+" 줄")
				p.press("C-c", "C-d")
				p.ends(0)
				friend.sees("* " + nick + " left.")
				old.awaits(left(nick))
			})
		}
	}
}

// promptOf is the prompt on a screen of so many columns, without the blank at its end: it leaves half the row to the line.
func promptOf(nick string, cols int) string {
	if wide := "#lobby " + nick + ">"; 2*(len(wide)+1) <= cols {
		return wide
	}
	return nick + ">"
}

// rowsOf wraps a text without blanks but one, of one cell a byte up to it and of wide letters after it, and adds a row.
func rowsOf(text string, cols int, last string) []string {
	head, wide, _ := strings.Cut(text, " ")
	rows, x := []string{head + " "}, len(head)+1
	for _, r := range wide {
		if x+2 > cols {
			rows, x = append(rows, "¦ "), 2
		}
		rows[len(rows)-1] += string(r)
		x += 2
	}
	return append(rows, last)
}

// The real client without a terminal: exit statuses, standard error, commands.
func TestOpenSSHWithoutATerminal(t *testing.T) {
	t.Parallel()
	need(t, "ssh")
	h := openHouse(t, setup{exempt: true})
	kim := h.guest(t, "kim")
	key := keyFile(t)
	ssh := func(user string, input string, args ...string) *running {
		t.Helper()
		line := append(h.openSSH(t, user, key, "en_US.UTF-8"), args...)
		r := run(t, line[0], line[1:]...)
		fmt.Fprint(r.stdin, input)
		r.stdin.Close()
		return r
	}
	pipe := ssh("lee", "hello\n안녕\nlast without end", "-T")
	pipe.ends(0)
	if got, want := pipe.out.String(), "* lee joined.\n[lee] hello\n[lee] 안녕\n[lee] last without end\n"; got != want {
		t.Errorf("ssh -T printed %q, want %q", got, want)
	}
	kim.sees("[lee] last without end")
	kim.sees("* lee left.")

	bad := ssh("lee", "fine\n/nope\nfine\n", "-T")
	bad.ends(1)
	if got := bad.errs.String(); !strings.Contains(got, "line 2: There is no command /nope.") {
		t.Errorf("standard error = %q, want the refused line named", got)
	}
	taken := ssh("kim", "hello\n", "-T")
	taken.ends(1)
	if got := taken.errs.String(); !strings.Contains(got, "Somebody here has the nickname kim") {
		t.Errorf("standard error = %q, want the reason", got)
	}
	for _, c := range []struct {
		status    int
		out, errs string
		args      []string
	}{
		{0, "kim\n", "", []string{"who"}},
		{0, "[lee] hello 'you' there\n", "", []string{"say", "hello", "'you'", "there"}},
		{0, "kim\r\n", "", []string{"-tt", "who"}},
		{1, "", "Use it like this: say TEXT\n", []string{"say"}},
		{2, "", "There is no command ls.", []string{"ls"}},
		{1, "", "subsystem request failed", []string{"-s", "sftp"}},
	} {
		// Options stand before the host; the rest is the command.
		r := run(t, "ssh", append(append(h.openSSH(t, "lee", key, "en_US.UTF-8")[1:], nil...), c.args...)...)
		r.stdin.Close()
		r.ends(statusOf(c.status, c.args))
		if r.out.String() != c.out || !strings.Contains(r.errs.String(), c.errs) || c.errs == "" && r.errs.String() != "" {
			t.Errorf("ssh host %q printed %q and %q, want %q and %q", c.args, r.out, r.errs, c.out, c.errs)
		}
	}

	// A script that may not be asked anything needs a key.
	script := run(t, "ssh", append(h.openSSH(t, "lee", key, "en_US.UTF-8")[1:], "-o", "BatchMode=yes", "whoami")...)
	script.ends(0)
	if got := script.out.String(); !strings.Contains(got, "You proved the key SHA256:") {
		t.Errorf("whoami = %q, want the key", got)
	}
	run(t, "ssh", append(h.openSSH(t, "lee", "", "en_US.UTF-8")[1:], "-o", "BatchMode=yes", "whoami")...).ends(255)

	// A guest without a key, and one who is killed.
	guest := run(t, "ssh", append(h.openSSH(t, "guest", "", "ko_KR.UTF-8")[1:], "-T")...)
	guest.says("* guest 님이 들어왔습니다.\n")
	guest.types("나 왔어")
	kim.sees("[guest] 나 왔어")
	guest.cmd.Process.Kill()
	guest.ends(-1)
	kim.sees("* guest left.")
	kim.seesTimes(1, "* guest left.")
}

// The real client does not tell anybody that one of its variables was refused: the house says that it does not know the room.
func TestARoomThatIsTooLongToBeAskedForIsRefused(t *testing.T) {
	t.Parallel()
	need(t, "ssh")
	h := openHouse(t, setup{exempt: true})
	kim := h.guest(t, "kim")
	long, key := strings.Repeat("dev", 3000), keyFile(t)
	const why = "The room that SARANGBANG_ROOM asks for was not taken: the name is too long, or your client sends too many variables."
	for _, c := range []struct {
		arg, errs string
	}{
		{"-T", "* " + why + " Nothing of the input was said.\n"},
		{"say meant for another room", why + "\n"},
	} {
		line := h.openSSH(t, "lee", key, "en_US.UTF-8 SARANGBANG_ROOM="+long)
		r := run(t, line[0], append(line[1:], c.arg)...)
		fmt.Fprintln(r.stdin, "meant for another room")
		r.stdin.Close()
		r.ends(1)
		if r.out.String() != "" || r.errs.String() != c.errs {
			t.Errorf("ssh host %s printed %q and %q, want nothing and %q", c.arg, r.out, r.errs, c.errs)
		}
	}
	lee := h.enter(t, login{user: "lee", cols: 160, rows: 40, env: map[string]string{"SARANGBANG_ROOM": long}})
	lee.sees("* " + why + "\n")
	lee.types("hello")
	kim.sees("[lee] hello")
	kim.seesNot("meant for another room")
}

// statusOf is what OpenSSH makes of a status; a refused subsystem has one of its own.
func statusOf(status int, args []string) int {
	if args[0] == "-s" {
		return 255
	}
	return status
}

// netcat at the old door is a line peer from its first line on.
func TestNetcat(t *testing.T) {
	t.Parallel()
	need(t, "nc")
	h := openHouse(t, setup{exempt: true})
	kim := h.guest(t, "kim")
	host, port, err := net.SplitHostPort(h.tcp)
	if err != nil {
		t.Fatal(err)
	}
	nc := run(t, "nc", host, port)
	nc.says(prompt)
	nc.types("kim")
	nc.says(taken + prompt)
	nc.types("박")
	nc.says("[박]님이 입장 했습니다.\r\n")
	kim.sees("* 박 joined.")
	kim.types("안녕")
	nc.says("[kim] 안녕\r\n")
	nc.types("hello")
	nc.types("/help")
	kim.sees("[박] hello")
	kim.sees("[박] /help")
	nc.types("/bye")
	kim.sees("* 박 left.")
	nc.stdin.Close() // it does not end with its connection
	nc.ends(0)

	// A whole conversation from a file.
	piped := run(t, "nc", "-N", host, port)
	fmt.Fprint(piped.stdin, "이\nfirst\nsecond\nunfinished")
	piped.stdin.Close()
	piped.ends(0)
	if got, want := piped.out.String(), prompt+joined("이")+"\r\n[이] first\r\n[이] second\r\n[이] unfinished\r\n"; got != want {
		t.Errorf("nc printed %q, want %q", got, want)
	}
	kim.sees("[이] unfinished")
	kim.sees("* 이 left.")
}
