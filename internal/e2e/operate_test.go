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

// tool runs one of the operator's tools for the data folder of a house, which must end with this status.
func (h *house) tool(tb testing.TB, status int, args ...string) (stdout, stderr string) {
	tb.Helper()
	got, stdout, stderr := runProgram(tb, 2*time.Second, append(args, "--data-dir", h.dir)...)
	if got != status || status != 0 && (!strings.HasPrefix(stderr, "sarangbang: ") || strings.Count(stderr, "\n") != 1) {
		tb.Errorf("sarangbang %q = %d, stderr %q; want %d", args, got, stderr, status)
	}
	return stdout, stderr
}

// spoken is what people said in the lobby, as the history shows it.
func (h *house) spoken(tb testing.TB) string {
	tb.Helper()
	status, out, errs := h.command(tb, login{user: "reader"}, "history 100000")
	if status != 0 {
		tb.Fatalf("history = %d, %q", status, errs)
	}
	var b strings.Builder
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, "[") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// An operator copies, reads and checks what a house has saved while people talk in it. What would change it under the people's feet
// is refused, and works once the house is gone, however it went.
func TestToolsBesideAHouse(t *testing.T) {
	t.Parallel()
	h := openHouse(t, setup{exempt: true})
	kim := h.register(t, "kim", newKey(t))
	kim.types("안녕하세요")
	kim.sees("[kim] 안녕하세요")
	lee := h.guest(t, "lee")
	lee.types("/msg kim only for you")
	kim.sees("only for you")
	folder := t.TempDir()
	backup, export := filepath.Join(folder, "backup"), filepath.Join(folder, "export")

	h.tool(t, 0, "backup", backup)
	kim.types("since the backup")
	kim.sees("[kim] since the backup")
	ndjson, _ := h.tool(t, 0, "export")
	if err := os.WriteFile(export, []byte(ndjson), 0o600); err != nil {
		t.Fatal(err)
	}
	if strings.Count(ndjson, "\n") != 2 || strings.Contains(ndjson, "only for you") {
		t.Errorf("export = %q, want the two lines of the lobby", ndjson)
	}
	if out, _ := h.tool(t, 0, "doctor"); !strings.Contains(out, "\nlines      2, and 1 direct messages\n") {
		t.Errorf("doctor = %q, want what is in it", out)
	}
	for _, args := range [][]string{{"restore", backup}, {"import", export}, {"doctor", "--rebuild"}, {"account", "list"}, {"account", "delete", "kim"}} {
		if _, said := h.tool(t, 1, args...); !strings.Contains(said, fmt.Sprintf("in use by process %d", h.cmd.Process.Pid)) {
			t.Errorf("sarangbang %q beside the house says %q, want who is in the way", args, said)
		}
	}
	want := "[kim] 안녕하세요\n[kim] since the backup\n"
	if got := h.spoken(t); got != want {
		t.Errorf("history = %q, want %q", got, want)
	}

	h.signal(syscall.SIGKILL)
	<-h.exited
	h.tool(t, 0, "doctor")
	h.tool(t, 0, "restore", backup)
	if out, _ := h.tool(t, 0, "import", export); !strings.HasPrefix(out, "1 new lines, 1 were known already\n") {
		t.Errorf("import says %q, want that one line is new", out)
	}
	h.tool(t, 0, "doctor", "--rebuild")
	if out, _ := h.tool(t, 0, "account", "list"); !strings.HasSuffix(out, "  kim\n") {
		t.Errorf("account list = %q, want kim", out)
	}
	again := openHouse(t, setup{exempt: true, dir: h.dir})
	if got := again.spoken(t); got != want {
		t.Errorf("history of the restored house = %q, want %q", got, want)
	}
	again.stop()
	again.tool(t, 0, "account", "delete", "kim")
	h = openHouse(t, setup{exempt: true, dir: h.dir})
	// What was imported belongs to a nickname, not to a key.
	if got, want := h.spoken(t), "[—] 안녕하세요\n[kim] since the backup\n"; got != want {
		t.Errorf("history after the end of the account = %q, want %q", got, want)
	}
	p := h.knock(t, login{user: "kim", key: newKey(t)})
	p.sees("belonged to an account that was erased")
	p.hangUp()
}

// Proves keep_lines and keep_days.
func TestOldLinesGoFromAHouse(t *testing.T) {
	t.Parallel()
	h := openHouse(t, setup{exempt: true})
	p := h.pipe(t, login{user: "kim"})
	for i := range 12 {
		p.types(fmt.Sprintf("line %d", i))
	}
	p.sees("[kim] line 11\n")
	h.stop()
	lastMonth := time.Now().AddDate(0, 0, -30).UTC().Format(time.RFC3339)
	old := fmt.Sprintf(`{"id":"00112233445566778899aabbccddeeff","at":%q,"room":"#lobby","nick":"lee","kind":"said","text":"long ago"}`, lastMonth)
	h.tool(t, 0, "import", writeFile(t, "old.ndjson", old+"\n"))
	house := h
	for _, keep := range []struct {
		config string
		gone   string
		first  int
	}{
		{"keep_days = 7", "lines=1", 0},
		{"keep_lines = 5", "lines=7", 7},
	} {
		config := writeFile(t, "keep.toml", "[limits]\n"+exempt+"[history]\n"+keep.config+"\n")
		house = openHouse(t, setup{dir: house.dir, args: []string{"--config", config}})
		house.logs(`msg="old lines removed"`, keep.gone, "direct=0")
		want := ""
		for i := keep.first; i < 12; i++ {
			want += fmt.Sprintf("[kim] line %d\n", i)
		}
		if !eventually(patience, func() bool { return house.spoken(t) == want }) {
			t.Errorf("history with %s = %q, want %q", keep.config, house.spoken(t), want)
		}
		house.stop()
	}
}
