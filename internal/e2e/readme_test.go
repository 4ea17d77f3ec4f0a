//go:build linux

package e2e

import (
	"net"
	"os"
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
	if !ok || len(parts) != 5 {
		t.Fatalf("%s has %d blocks in the section %q, want two", path, len(parts)/2, heading)
	}
	for i, got := range map[int]string{1: twoDoors(t), 3: typingWhileOthersTalk(t)} {
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
	l := openLane(t, "")
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
