//go:build linux

package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// soon is how long the program may take to say that it cannot run.
const soon = 2 * time.Second

// What keeps the house from running is one sentence on stderr, and status 1, at once.
func TestOneSentenceAndStatusOne(t *testing.T) {
	t.Parallel()
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	running := openHouse(t, setup{})

	data := func(change func(dir string)) []string {
		dir := newDataDir(t)
		change(filepath.Join(dir, "hostkeys", "ssh_host_ed25519_key"))
		return []string{"--data-dir", dir}
	}
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	file := func(content string) []string { return []string{"--config", writeFile(t, "bad.toml", content)} }
	untouched := newDataDir(t)
	key := filepath.Join(untouched, "hostkeys", "ssh_host_ed25519_key")
	must(os.WriteFile(key, []byte("garbage"), 0o600))

	for _, c := range []struct {
		name string
		args []string
		want string // in the sentence
	}{
		{"flag", []string{"--ssh-adr", ":2222"}, "--ssh-addr"},
		{"value", []string{"--lang", "fr"}, "en or ko"},
		{"address", []string{"--tcp-addr", "12000"}, "HOST:PORT"},
		{"argument", []string{"start"}, "unexpected argument"},
		{"limit as a flag", []string{"--message-bytes", "1"}, "limits.message_bytes"},
		{"missing value", []string{"--ssh-addr"}, "needs a value"},
		{"taken port", []string{"--ssh-addr", busy.Addr().String()}, busy.Addr().String()},
		{"taken port of the old door", []string{"--tcp-addr", busy.Addr().String()}, busy.Addr().String()},
		{"taken port of the operators", []string{"--http-addr", busy.Addr().String()}, busy.Addr().String()},
		{"profiles for everybody", []string{"--pprof", "--http-addr", ":0"}, "only this machine reaches"},
		{"profiles nowhere", []string{"--pprof"}, "--http-addr \"off\""},
		{"no such file", []string{"--config", "/nonexistent/house.toml"}, "/nonexistent/house.toml"},
		{"unknown key", file("shh_addr = \":1\"\n"), "the nearest known one is ssh_addr"},
		{"unknown limit", file("[limits]\nmesage_bytes = 1\n"), "the nearest known one is limits.message_bytes"},
		{"bad limit", file("[limits]\nwrite_stall = \"soon\"\n"), "line 2"},
		{"no TOML", file("= ="), "line 1"},
		{"total beyond the files", file("[limits]\nconnections_total = 900000\n"), "limits.connections_total"},
		{"garbage key", []string{"--data-dir", untouched}, key},
		{"empty key", data(func(k string) { must(os.Truncate(k, 0)) }), "ssh_host_ed25519_key"},
		{"readable key", data(func(k string) { must(os.Chmod(k, 0o644)) }), "chmod 600"},
		{"folder for a key", data(func(k string) { must(os.Remove(k)); must(os.Mkdir(k, 0o700)) }), "ssh_host_ed25519_key"},
		{"file for the folder", []string{"--data-dir", key}, key},
		{"second process", []string{"--data-dir", running.dir}, running.dir},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := append([]string{"--ssh-addr", "127.0.0.1:0", "--tcp-addr", "127.0.0.1:0"}, c.args...)
			if c.name != "second process" && !strings.Contains(strings.Join(args, " "), "--data-dir") {
				args = append([]string{"--data-dir", newDataDir(t)}, args...)
			}
			status, out, errs := runProgram(t, soon, args...)
			if status != 1 {
				t.Errorf("status %d, want 1; stderr:\n%s", status, errs)
			}
			if out != "" {
				t.Errorf("stdout %q, want nothing", out)
			}
			said := sentences(errs)
			if len(said) != 1 || !strings.Contains(said[0], c.want) {
				t.Errorf("stderr:\n%s\nwant one sentence with %q in it", errs, c.want)
			}
		})
	}
	if b, _ := os.ReadFile(key); string(b) != "garbage" {
		t.Errorf("the refused key file is now %q, want it untouched", b)
	}
	running.chats(t)
}

// sentences are the lines of stderr that are not lines of the log.
func sentences(errs string) (said []string) {
	for line := range strings.Lines(errs) {
		if !strings.HasPrefix(line, "time=") {
			said = append(said, strings.TrimSpace(line))
		}
	}
	return said
}

func TestHelpAndVersion(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"--help"}, {"serve", "--help"}, {"-h"}} {
		status, out, errs := runProgram(t, soon, args...)
		if status != 0 || errs != "" {
			t.Errorf("%q: status %d, stderr %q, want 0 and nothing", args, status, errs)
		}
		for _, want := range []string{"--ssh-addr", "--tcp-addr", "--http-addr", "--data-dir", "--config", "--lang", "--log-format", "--log-level", "connect", "version"} {
			if !strings.Contains(out, want) {
				t.Errorf("%q says nothing of %s:\n%s", args, want, out)
			}
		}
		for line := range strings.Lines(out) {
			if len(line) > 81 {
				t.Errorf("a line of help is longer than 80 columns: %q", line)
			}
		}
	}
	if status, out, _ := runProgram(t, soon, "version"); status != 0 || !regexp.MustCompile(`^sarangbang \d+\.\d+\.\d+ .*\n$`).MatchString(out) {
		t.Errorf("version = %d, %q, want a line with the version", status, out)
	}
}

// A flag beats the environment, which beats the file.
func TestPrecedenceOfSettings(t *testing.T) {
	t.Parallel()
	file := writeFile(t, "house.toml", "lang = \"ko\"\nlog_format = \"json\"\n")
	h := openHouse(t, setup{args: []string{"--config", file, "--log-format", "text"}, env: []string{"SARANGBANG_LANG=en", "SARANGBANG_LOG_FORMAT=json"}})
	p := h.knock(t, login{user: "kim"})
	p.sees("nickname [kim]:")
}

func TestJSONLog(t *testing.T) {
	t.Parallel()
	h := startHouse(t, setup{args: []string{"--log-format", "json"}})
	if !h.log.wait(patience, func(log string) bool { return strings.Count(log, `"msg":"listening"`) == 3 }) {
		t.Fatalf("log:\n%s\nwant three doors listening, as JSON", h.log)
	}
	h.stop()
}

// A second process on one data folder says so; the folder is free when its process has ended, however it ended.
func TestOneProcessForADataFolder(t *testing.T) {
	t.Parallel()
	h := openHouse(t, setup{})
	h.signal(syscall.SIGKILL)
	<-h.exited
	again := openHouse(t, setup{dir: h.dir})
	again.chats(t)
}

// Host keys are made once and are the same ever after.
func TestHostKeysOutliveARestart(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	read := func() string {
		b, err := os.ReadFile(filepath.Join(dir, "hostkeys", "ssh_host_ed25519_key"))
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(filepath.Join(dir, "hostkeys", "ssh_host_ed25519_key"))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the key has mode %v (%v), want 0600", info.Mode(), err)
		}
		return string(b)
	}
	h := openHouse(t, setup{dir: dir})
	first := read()
	h.stop()
	openHouse(t, setup{dir: dir}).stop()
	if read() != first {
		t.Error("the host key has changed with a restart")
	}
}

func TestHealthAndMetrics(t *testing.T) {
	t.Parallel()
	h := openHouse(t, setup{})
	var status int
	var body string
	if !eventually(patience, func() bool { status, body = h.get("/healthz"); return status == http.StatusOK }) {
		t.Errorf("/healthz = %d, %q, want 200", status, body)
	}
	kim := h.guest(t, "kim")
	park := h.join(t, "park")
	kim.types("hello")
	park.reads("[kim] hello")
	kim.types("/nope")
	kim.sees("There is no command")
	for name, want := range map[string]float64{
		`sarangbang_people{door="ssh"}`: 1, `sarangbang_people{door="tcp"}`: 1, `sarangbang_screens{door="ssh"}`: 1,
		`sarangbang_connections{door="tcp"}`: 1, `sarangbang_lines_total`: 1, `sarangbang_journal_up`: 1,
	} {
		h.becomes(name, want, want)
	}
	_, body = h.get("/metrics")
	for _, want := range []string{"sarangbang_refusals_total{reason=", "sarangbang_commit_seconds_count", "sarangbang_delivery_seconds_count", "sarangbang_lines_missed_total", "go_goroutines", "process_resident_memory_bytes"} {
		if !strings.Contains(body, want) {
			t.Errorf("/metrics has no %s:\n%s", want, body)
		}
	}
	if strings.Contains(body, "hello") || strings.Contains(h.log.String(), "hello") {
		t.Error("what people said is in the metrics or the log")
	}
	for _, path := range []string{"/", "/debug/pprof/"} {
		if status, _ = h.get(path); status != http.StatusNotFound {
			t.Errorf("%s = %d, want 404", path, status)
		}
	}
}

func TestProfilesOnDemand(t *testing.T) {
	t.Parallel()
	h := openHouse(t, setup{args: []string{"--pprof"}})
	if status, body := h.get("/debug/pprof/goroutine?debug=1"); status != http.StatusOK || !strings.Contains(body, "room.(*House).Run") {
		t.Errorf("goroutines = %d:\n%s\nwant 200, and the house among them", status, body)
	}
	if status, _ := h.get("/healthz"); status != http.StatusOK {
		t.Errorf("/healthz = %d, want 200", status)
	}
}

// The door can be closed, and the operators' is unless it is opened.
func TestDoorsThatAreOff(t *testing.T) {
	t.Parallel()
	h := startHouse(t, setup{args: []string{"--tcp-addr", "off", "--http-addr", "off"}})
	if !h.log.wait(patience, func(log string) bool { return strings.Contains(log, "proto=ssh") }) {
		t.Fatalf("log:\n%s", h.log)
	}
	h.ssh = listening.FindStringSubmatch(h.log.String())[2]
	h.chats(t)
	h.stop()
	if log := h.log.String(); strings.Contains(log, "proto=tcp") || strings.Contains(log, "proto=http") {
		t.Errorf("log:\n%s\nwant no other door", log)
	}
}

// Fifty people talk on both doors when the operator ends the house: everybody is told, and it is over within 5 seconds.
func TestShutdownInTraffic(t *testing.T) {
	t.Parallel()
	h := openHouse(t, setup{exempt: true})
	var people []*person
	var clients []*oldClient
	stop := make(chan struct{})
	defer close(stop)
	chatter := func(w io.Writer, text string) {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			case <-tick.C:
				if _, err := fmt.Fprintf(w, text, n); err != nil {
					return
				}
			}
		}
	}
	for i := range 25 {
		p := h.guest(t, fmt.Sprint("s", i))
		people = append(people, p)
		go chatter(p.stdin, "line %d\r")
		c := h.visit(t, login{user: fmt.Sprint("t", i)})
		c.sends(c.nick)
		c.awaits(joined(c.nick))
		clients = append(clients, c)
		if i%2 == 0 {
			go chatter(c.conn, "line %d")
		}
	}
	people[0].sees("[s24] line 5") // and of the old door the first line: two that it reads as one are one message
	people[0].sees("[t24] line 0")
	h.signal(syscall.SIGTERM)
	h.exits(5*time.Second, 0)
	for _, p := range people {
		p.sees("* The house is closing. Come back in a moment.")
	}
	for i, c := range clients {
		c.awaits("[*] 사랑방을 닫습니다. 잠시 뒤에 다시 오세요.")
		if i%2 != 0 { // whoever sends may be told of the RST there, and then reads an end like any other
			c.reset()
		}
	}
}

func TestSignals(t *testing.T) {
	t.Parallel()
	h := openHouse(t, setup{exempt: true})
	kim := h.guest(t, "kim")
	h.signal(syscall.SIGHUP)
	h.signal(syscall.SIGHUP)
	kim.types("after SIGHUP")
	kim.sees("[kim] after SIGHUP")
	h.stop()

	// Somebody who takes nothing keeps the house for two seconds after the first signal; the second ends it at once.
	h = openHouse(t, setup{exempt: true})
	old := h.dialTCP(t, login{user: "deaf"})
	old.sends("deaf")
	speaker := h.pipe(t, login{user: "speaker"})
	speaker.keys(strings.Repeat(strings.Repeat("x", 1000)+"\n", 1000) + "end\n")
	speaker.sees("[speaker] end\n")
	h.signal(syscall.SIGTERM)
	h.logs("msg=closing")
	h.signal(syscall.SIGTERM)
	h.exits(soon, -1)
}
