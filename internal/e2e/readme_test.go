//go:build linux

package e2e

import (
	"io"
	"net"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rivo/uniseg"
)

// The screens in README.md are real ones. -update captures them anew.
func TestReadmeShowsRealScreens(t *testing.T) {
	t.Parallel()
	need(t, "ssh", "tmux", "nc")
	const path, heading, fence = "../../README.md", "## What it looks like\n", "```\n"
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(b), heading)
	section, after, _ := strings.Cut(rest, "\n## ")
	parts := strings.Split(section, fence) // what stands between fences has an odd index
	if !ok || len(parts) != 9 {
		t.Fatalf("%s has %d blocks in the section %q, want four", path, len(parts)/2, heading)
	}
	for i, got := range map[int]string{1: twoDoors(t), 3: typingWhileOthersTalk(t), 5: comingBack(t), 7: severalRooms(t)} {
		if want := parts[i]; got != want && !*update {
			t.Errorf("the screens are\n%s\nwant what %s says\n%s", got, path, want)
		}
		parts[i] = got
	}
	if *update {
		if err := os.WriteFile(path, []byte(before+heading+strings.Join(parts, fence)+"\n## "+after), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// twoDoors is a conversation of kim, by ssh, and 박하늘, by nc.
func twoDoors(t *testing.T) string {
	t.Helper()
	const cols = 52
	h := openHouse(t, setup{exempt: true})
	host, port, err := net.SplitHostPort(h.tcp)
	if err != nil {
		t.Fatal(err)
	}
	kim := openPane(t, cols, 20, h.openSSH(t, "kim", "", "en_US.UTF-8"))
	kim.sees("nickname [kim]")
	kim.press("Enter")
	kim.sees("kim joined.\n#lobby kim>")
	above := strings.Count(kim.all(), "\n") - 2 // so that most rows say what those beside them say
	park := openPane(t, cols, 20, []string{"nc", host, port})
	says := func(p *pane, line string, wantKim, wantPark string) {
		t.Helper()
		p.types(line)
		p.press("Enter")
		kim.sees(wantKim)
		park.sees(wantPark)
	}
	park.sees(strings.TrimSpace(prompt))
	says(park, "박하늘", "* 박하늘 joined.", joined("박하늘"))
	says(kim, "hello! 안녕하세요", "[kim] hello!", "[kim] hello!")
	says(park, "안녕 kim, 아직 옛날 클라이언트를 씁니다", "[박하늘] 안녕", "[박하늘] 안녕")
	says(kim, "/me waves", "[kim] * waves", "[kim] * waves")
	says(kim, "/nick 김", "#lobby 김>", joined("김"))
	says(park, "/bye", "* 박하늘 left.", "/bye")
	says(kim, "/who", "One person is here: 김", "/bye")
	kim.sees("김\n#lobby 김>")
	return sideBySide(cols, kim.frame(false), strings.Repeat("\n", above)+park.all()+"\n")
}

// typingWhileOthersTalk is the same screen three times.
func typingWhileOthersTalk(t *testing.T) string {
	t.Helper()
	const cols = 38
	l := openLane(t, setup{}, false)
	kim := openPane(t, cols, 6, l.house.openSSH(t, "kim", "", "en_US.UTF-8"))
	p := &playing{scenario: &scenario{file: "README.md", login: "kim"}, t: t, v: variant{"en", cols}, lane: l, pane: kim}
	p.begin()
	l.says("lee", []string{"산책 갈 사람?"})
	p.step("sees 산책")
	frames := []string{"you type:\n"}
	capture := func(want, next string) {
		t.Helper()
		p.await(func() bool { return strings.HasSuffix(strings.TrimSuffix(kim.frame(false), "\n"), want) }, "a screen that ends in %q", want)
		frames[len(frames)-1] += kim.frame(false)
		if next != "" {
			frames = append(frames, next+"\n")
		}
	}
	kim.types("저요! 우리 다 같이 가요")
	kim.press("C-Left", "C-Left")
	capture("다 "+cursorMark+"같이 가요", "somebody talks:")
	l.says("박하늘", []string{"나도 가도 돼?"})
	l.says("박하나", []string{"비 온다는데"})
	p.step("sees 온다는데")
	capture("다 "+cursorMark+"같이 가요", "Ctrl-U, /msg 박, and Tab twice:")
	kim.press("C-e", "C-u")
	kim.types("/msg 박")
	kim.press("Tab", "Tab")
	p.step("sees 박하나  박하늘")
	capture("/msg 박하"+cursorMark, "")
	p.leave()
	return sideBySide(cols, frames...)
}

// comingBack is kim's screen before their connection fails and the one after it.
func comingBack(t *testing.T) string {
	t.Helper()
	const cols = 45
	h := openHouse(t, setup{exempt: true, dir: newDataDir(t)})
	path := keyFile(t)
	h.register(t, "kim", readKey(t, path)).leaves()
	lee := h.pipe(t, login{user: "lee"})
	lee.sees("lee joined")
	park := h.join(t, "박하늘")
	lee.sees("박하늘 joined")
	train := h.byTrain(t)
	before := openPane(t, cols, 3, train.openSSH(t, "kim", path, "en_US.UTF-8"))
	before.sees("kim joined.")
	lee.types("산책 갈 사람? 나는 3시부터 괜찮아요")
	before.sees("괜찮아요\n#lobby kim>")
	h.remembers("kim")
	train.toClient.frozen.Store(true)
	lee.types("그럼 3시에 정문 앞에서 만나요")
	lee.sees("만나요")
	if !eventually(patience, func() bool {
		return h.look(`SELECT (SELECT max(seq) FROM log WHERE line = 1) - min(sent) FROM places`) <= 0
	}) {
		t.Fatal("nothing is sent to a client that takes everything")
	}
	frames := []string{"before the tunnel:\n" + before.frame(false)}
	train.toClient.Close()
	lee.listsAway("kim")
	park.sends("저도 가요!")
	lee.sees("저도 가요!")
	lee.types("/msg kim 우산도 챙겨 와요")
	lee.sees("[you → kim] 우산도")
	lee.types("비가 조금 온대요")
	after := openPane(t, cols, 12, h.openSSH(t, "kim", path, "en_US.UTF-8"))
	after.sees("온대요\n#lobby kim>")
	frames = append(frames, "behind the tunnel, with ssh once more:\n"+letterTime.ReplaceAllString(after.frame(false), "14:05 ["))
	after.press("C-d")
	after.ends(0)
	return sideBySide(cols, frames...)
}

// severalRooms is kim's screen in one room, and when they have turned to another.
func severalRooms(t *testing.T) string {
	t.Helper()
	const cols = 52
	l := openLane(t, setup{}, false)
	kim := openPane(t, cols, 8, l.house.openSSH(t, "kim", "", "en_US.UTF-8"))
	p := &playing{scenario: &scenario{file: "README.md", login: "kim"}, t: t, v: variant{"en", cols}, lane: l, pane: kim}
	p.begin()
	for _, step := range []string{
		"type /join #dev", "press Enter", "sees #dev · here: 1", "lee types /join #dev", "lee sees here: 2", "sees lee joined.", "press M-1",
		"sees #lobby · here: 7", "press C-l", "lee says the build is green", "lee says kim: have a look",
	} {
		p.step(step)
	}
	l.lined["박하늘"].sends("누가 차 마실래요?\n") // which lee, who looks at another room, is not shown
	p.step("sees 마실래요?")
	frames := []string{"in the lobby, while #dev talks:\n", "Alt-2:\n"}
	for i, want := range []string{"#lobby kim [2 #dev 2!]> " + cursorMark, "have a look\n#dev kim> " + cursorMark} {
		if i == 1 {
			kim.press("M-2")
		}
		p.await(func() bool { return strings.HasSuffix(strings.TrimSuffix(kim.frame(false), "\n"), want) }, "a screen that ends in %q", want)
		frames[i] += kim.frame(false)
	}
	p.leave()
	return sideBySide(cols, frames...)
}

// railway is a house as it is reached by a train: through a connection that can fall silent.
type railway struct {
	*house
	toClient *frozenConn // is read for the client
}

// byTrain takes one client to the house.
func (h *house) byTrain(tb testing.TB) *railway {
	tb.Helper()
	station, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	h2 := *h
	h2.ssh = station.Addr().String()
	train := &railway{&h2, &frozenConn{Conn: connect(tb, h.ssh, login{}), thawed: make(chan struct{})}}
	client := make(chan net.Conn, 1)
	go func() {
		defer close(client)
		c, err := station.Accept()
		if err != nil { // the test is over
			return
		}
		client <- c
		go io.Copy(train.toClient, c)
		_, _ = io.Copy(c, train.toClient)
	}()
	tb.Cleanup(func() {
		station.Close()
		train.toClient.Close()
		close(train.toClient.thawed)
		for c := range client {
			c.Close()
		}
	})
	return train
}

// letterTime is the time before a direct message that was kept.
var letterTime = regexp.MustCompile(`(?m)^\d\d:\d\d \[`)

// sideBySide sets screens beside each other, all but the last filled up to their width.
func sideBySide(cols int, screens ...string) string {
	var rows []string
	for i, screen := range screens {
		for y, row := range strings.Split(strings.TrimSuffix(screen, "\n"), "\n") {
			if y == len(rows) {
				rows = append(rows, strings.Repeat(strings.Repeat(" ", cols)+"│ ", i))
			}
			rows[y] += row + strings.Repeat(" ", max(0, cols-uniseg.StringWidth(row))) + "│ "
		}
		for y := strings.Count(screen, "\n"); y < len(rows); y++ {
			rows[y] += strings.Repeat(" ", cols) + "│ "
		}
	}
	for y, row := range rows {
		rows[y] = strings.TrimRight(strings.TrimSuffix(row, "│ "), " ") + "\n"
	}
	return strings.Join(slices.Clip(rows), "")
}
