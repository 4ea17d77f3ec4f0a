//go:build linux

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// originals cuts the original client and server out of the document that they were published in. Without the document there
// is nothing to test with.
func originals(t *testing.T) (client, server string) {
	t.Helper()
	need(t, "python3")
	place := os.Getenv("SARANGBANG_SEED")
	if place == "" {
		place = filepath.Join("..", "..", "..", "shared", "seed")
	}
	if info, err := os.Stat(place); err == nil && info.IsDir() {
		files, _ := filepath.Glob(filepath.Join(place, "*.txt"))
		if len(files) > 0 {
			place = files[0]
		}
	}
	document, err := os.ReadFile(place)
	if err != nil {
		t.Skipf("the document with the original programs is not here: %v", err)
	}
	return cell(t, string(document), "chat_client.py"), cell(t, string(document), "chat_server.py")
}

// cell returns the file of the code cell that begins with the name of a program.
func cell(t *testing.T, document, name string) string {
	t.Helper()
	_, code, found := strings.Cut(document, "'''\n"+name+"\n'''\n")
	if !found {
		t.Fatalf("no code cell of %s in the document", name)
	}
	for _, next := range []string{"\n## ", "\n### ", "\nIn ["} {
		code, _, _ = strings.Cut(code, next)
	}
	return writeFile(t, name, code+"\n")
}

func TestOriginalPrograms(t *testing.T) {
	t.Parallel()
	client, server := originals(t)
	var original map[string]string
	t.Run("the original server", func(t *testing.T) { original = rehearse(t, client, startOriginal(t, server)) })
	t.Run("connect to the original server", func(t *testing.T) { connectTo(t, startOriginal(t, server)) })
	h := openHouse(t, setup{exempt: true})
	t.Run("the same at the house", func(t *testing.T) {
		here := rehearse(t, client, h.tcp)
		for name, said := range original {
			if here[name] != said {
				t.Errorf("the client of %s printed\n%q\nwhere it printed with the original server\n%q", name, endOf(here[name], 300), endOf(said, 300))
			}
		}
	})
	t.Run("connect to the house", func(t *testing.T) { connectTo(t, h.tcp) })
	t.Run("with people of ssh", func(t *testing.T) { originalWithSSH(t, h, client) })
	t.Run("on a terminal", func(t *testing.T) { originalOnATerminal(t, h, client) })
	t.Run("end of the house", func(t *testing.T) { originalAtTheEnd(t, h, client) })
}

// originalAt is the command line of an original program, unchanged. Both know one port only, 12000, which may be anybody's on
// this machine, so the address that they give to the system is replaced: port 0 is a free one for the server.
func originalAt(path, address string) []string {
	const starter = `
import socket, socketserver, sys
host, port = sys.argv[2].rsplit(":", 1)
connect, serve = socket.socket.connect, socketserver.TCPServer.__init__
def connect_there(self, address):
    connect(self, (host, int(port)))
def serve_there(self, address, handler):
    serve(self, (host, int(port)), handler)
    print("listening on %s:%d;" % self.server_address, flush=True)
socket.socket.connect, socketserver.TCPServer.__init__ = connect_there, serve_there
exec(compile(open(sys.argv[1], encoding="utf-8").read(), sys.argv[1], "exec"))
`
	return []string{"-u", "-c", starter, path, address}
}

// startOriginal runs the original server, on loopback only.
func startOriginal(t *testing.T, path string) (address string) {
	t.Helper()
	r := run(t, "python3", originalAt(path, "127.0.0.1:0")...)
	r.says(";")
	_, address, _ = strings.Cut(r.out.String(), "listening on ")
	address, _, _ = strings.Cut(address, ";")
	return address
}

// rehearse lets two original clients join, talk, be refused and leave, and returns what each of them printed.
func rehearse(t *testing.T, client, address string) map[string]string {
	t.Helper()
	a := run(t, "python3", originalAt(client, address)...)
	a.says(prompt)
	a.types("김")
	a.says("[김]님이 입장 했습니다.")
	b := run(t, "python3", originalAt(client, address)...)
	b.says(prompt)
	b.types("김")
	b.says("이미 등록된 닉네임 입니다.")
	b.printsTimes(2, prompt)
	b.types("이")
	b.says("[이]님이 입장 했습니다.")
	a.says("[이]님이 입장 했습니다.")
	a.types("안녕하세요")
	a.says("[김] 안녕하세요")
	b.says("[김] 안녕하세요")
	b.types("  blanks /bye ")
	a.says("[이]   blanks /bye ")
	b.says("[이]   blanks /bye ")
	b.types("/bye")
	b.ends(0)
	a.says("[이] 님이 퇴장하셨습니다.")
	a.types("/bye")
	a.ends(0)
	said := map[string]string{}
	for name, r := range map[string]*running{"the first": a, "the second": b} {
		text := strings.ReplaceAll(r.out.String(), "입력: ", "") // printed by another thread, so anywhere
		text = strings.ReplaceAll(text, "\n\n", "\n")          // the refusal and the prompt come in one recv or in two
		said[name] = strings.TrimRight(text, "\n")             // it prints blank lines for as long as it lives behind a FIN
	}
	return said
}

func (r *running) printsTimes(n int, what string) {
	r.t.Helper()
	if !r.out.wait(patience, func(all string) bool { return strings.Count(all, what) >= n }) {
		r.t.Fatalf("%s printed\n%s\nwant %q %d times", r.name, r.out, what, n)
	}
}

func originalWithSSH(t *testing.T, h *house, client string) {
	t.Helper()
	h.t = t
	kim := h.guest(t, "kim")
	park := run(t, "python3", originalAt(client, h.tcp)...)
	park.says(prompt)
	park.types("kim")
	park.says("이미 등록된 닉네임 입니다.")
	park.types("박")
	park.says("[박]님이 입장 했습니다.")
	kim.sees("* 박 joined.")
	kim.types("어서 오세요")
	park.says("[kim] 어서 오세요")
	park.types("고맙습니다")
	kim.sees("[박] 고맙습니다")
	kim.types("/me 손을 흔든다")
	park.says("[kim] * 손을 흔든다")

	// What made the original client deaf: more than one recv in one message.
	long := strings.Repeat("가나다라", 300)
	kim.types(long)
	kim.pastes(strings.Repeat("한 줄\n", 15) + "끝")
	park.says("[kim] 끝") // in a line with others, perhaps: the client was late
	kim.types("still there?")
	park.says("[kim] still there?")
	if got := strings.Count(park.out.String(), "가나다라"); got < 290 {
		t.Errorf("the client printed %d of the 300 parts of a long message", got)
	}
	park.types("yes")
	kim.sees("[박] yes")
	if park.errs.String() != "" {
		t.Errorf("the client complains: %s", park.errs)
	}
	park.types("/bye")
	park.ends(0)
	kim.sees("* 박 left.")
	// Killed without a word.
	park = run(t, "python3", originalAt(client, h.tcp)...)
	park.types("박")
	kim.seesTimes(2, "* 박 joined.")
	park.cmd.Process.Kill()
	park.ends(-1)
	kim.seesTimes(2, "* 박 left.")
	kim.leaves()
}

func originalOnATerminal(t *testing.T, h *house, client string) {
	t.Helper()
	h.t = t
	kim := h.guest(t, "kim")
	park := runOnTerminal(t, "python3", originalAt(client, h.tcp)...)
	park.says("입력: ")
	park.says(prompt)
	park.types("박")
	park.says("[박]님이 입장 했습니다.")
	kim.sees("* 박 joined.")
	kim.types("안녕")
	park.says("[kim] 안녕")
	park.types("네")
	kim.sees("[박] 네")
	park.says("[박] 네")
	park.types("/bye")
	park.ends(0)
	kim.sees("* 박 left.")
	kim.leaves()
}

// originalAtTheEnd is the end of the house for a client that spins for ever when it gets a FIN.
func originalAtTheEnd(t *testing.T, h *house, client string) {
	t.Helper()
	h.t = t
	park := run(t, "python3", originalAt(client, h.tcp)...)
	park.says(prompt)
	park.types("박")
	park.says("[박]님이 입장 했습니다.")
	h.signal(syscall.SIGTERM)
	h.exits(5*time.Second, 0)
	park.says("[*] 사랑방을 닫습니다. 잠시 뒤에 다시 오세요.")
	if !park.errs.wait(patience, func(all string) bool { return strings.Contains(all, "ConnectionResetError") }) {
		t.Errorf("the client's thread goes on: %s", park.errs)
	}
	// One that spins prints a blank line for each turn. A few may be on the way from the time before its thread ended.
	lines := strings.Count(park.out.String(), "\n")
	<-time.After(time.Second)
	if more := strings.Count(park.out.String(), "\n") - lines; more > 100 {
		t.Errorf("the client printed %d lines in 1 s, want it at rest", more)
	}
}

// connectTo uses the house's own client of the old protocol, by a pipe and on a terminal.
func connectTo(t *testing.T, address string) {
	t.Helper()
	pipe := run(t, program, "connect", address)
	fmt.Fprint(pipe.stdin, "choi\nhello\n\n안녕\n/bye\n")
	pipe.ends(0)
	for _, want := range []string{"[choi]님이 입장 했습니다.\n", "[choi] hello\n", "[choi] 안녕\n"} {
		if got := strings.Count(pipe.out.String(), want); got != 1 {
			t.Errorf("%q is printed %d times, want once:\n%s", want, got, pipe.out)
		}
	}
	if pipe.errs.String() != "" {
		t.Errorf("standard error = %q, want nothing", pipe.errs)
	}
	ended := run(t, program, "connect", address) // the end of input is a leave, too
	fmt.Fprint(ended.stdin, "choi\nbefore the end\n")
	ended.stdin.Close()
	ended.ends(0)
	ended.says("[choi] before the end\n")

	for name, end := range map[string]string{"the word": "/bye\n", "Ctrl-D": "\x04", "Ctrl-C": "\x03"} {
		jung := runOnTerminal(t, program, "connect", address)
		jung.says("입력: ")
		jung.says(prompt)
		jung.types("jung")
		jung.says("[jung]님이 입장 했습니다.")
		jung.types("한 줄")
		jung.says("[jung] 한 줄")
		fmt.Fprint(jung.stdin, end)
		jung.ends(0)
		if t.Failed() {
			t.Fatalf("leaving by %s", name)
		}
	}
}
