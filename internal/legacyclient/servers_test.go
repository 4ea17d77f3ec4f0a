package legacyclient

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sarangbang/internal/admission"
	"sarangbang/internal/i18n"
	"sarangbang/internal/identity"
	"sarangbang/internal/legacy"
	"sarangbang/internal/memjournal"
	"sarangbang/internal/moderation"
	"sarangbang/internal/session"
	"sarangbang/internal/testkit"
	"sarangbang/room"
)

// openHouse opens a house in the test's bubble, with the rates that people have.
func openHouse(t *testing.T) *testkit.Listener {
	t.Helper()
	logger := slog.New(slog.DiscardHandler)
	journal := memjournal.New(memjournal.Options{})
	house := room.NewHouse(journal, memjournal.NewLeases(), room.Options{Logger: logger})
	const many = 1 << 16
	server := legacy.New(legacy.Options{
		House: session.New(session.Options{
			House: house, Names: identity.DefaultRules(), Lang: i18n.English, Logger: logger,
			Limits: session.Limits{
				Message: room.DefaultTextLimits, OutboxLines: 64, RefusalsPer10s: 40, NickTimeout: 10 * time.Minute,
			},
			Rates: moderation.NewRates(moderation.Limits{MessageBurst: 8, MessagesPerSecond: 2}),
		}),
		Gate: admission.NewGate(admission.Limits{
			Total: many, PerAddress: many, ConnectsPerMinute: many, ConnectBurst: many, UnauthenticatedStart: many,
			UnauthenticatedFull: many, UnauthenticatedPerAddress: many, LogLinesPerSecond: 1, MemoryShedPercent: 85,
		}, logger),
		MessageBytes: 4096, OutputBytes: 64 << 10, WriteStall: 2 * time.Minute, Logger: logger,
	})
	ln := testkit.NewListener("127.0.0.1:12000")
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = house.Run(ctx) })
	running.Go(func() { _ = server.Serve(ctx, ln) })
	t.Cleanup(func() {
		_ = server.Shutdown(context.Background())
		stop()
		running.Wait()
		journal.Close()
	})
	return ln
}

func TestPipeLosesNothingAtThisHouse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, err := openHouse(t).Dial("")
		if err != nil {
			t.Fatal(err)
		}
		var input, want strings.Builder
		input.WriteString("kim\n")
		for i := range 100 {
			fmt.Fprintf(&input, "line %d %s\n", i, strings.Repeat("나", 3*i))
			fmt.Fprintf(&want, "[kim] line %d %s\n", i, strings.Repeat("나", 3*i))
		}
		var out, errs buffer
		status := talk(t.Context(), conn, strings.NewReader(input.String()), &screen{out: &out, err: &errs})
		got := strings.ReplaceAll(out.take(), "입력: \n", "")
		if want := promptText + "\n[kim]님이 입장 했습니다.\n" + want.String(); got != want || status != 0 {
			t.Errorf("status %d, stderr %q, stdout:\n%s\nwant 0, nothing and:\n%s", status, errs.take(), got, want)
		}
	})
}

// TestOriginalServer talks with the server that the protocol comes from, cut out of the document that it is printed in. Where
// that document or Python is not to be had, there is nothing to test.
func TestOriginalServer(t *testing.T) {
	addr := startOriginal(t)
	if addr == "" {
		return
	}
	var out, errs buffer
	long := strings.Repeat("나", 500) // as one message it would kill the session there
	status := Run(t.Context(), addr, strings.NewReader("kim\nhello\n"+long+"\nlast\n"), &out, &errs, false)
	got := strings.ReplaceAll(out.take(), "입력: \n", "")
	want := promptText + "\n[kim]님이 입장 했습니다.\n[kim] hello\n[kim] " + long[:339*3] + "\n[kim] " + long[339*3:] + "\n[kim] last\n"
	if got != want || status != 0 {
		t.Errorf("status %d, stderr %q, stdout:\n%s\nwant 0, nothing and:\n%s", status, errs.take(), got, want)
	}

	// A name that is taken is asked for again.
	holder, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Close()
	io.ReadFull(holder, make([]byte, len(promptText)))
	io.WriteString(holder, "park")
	io.ReadFull(holder, make([]byte, len("[park]"+joinWords)))
	status = Run(t.Context(), addr, strings.NewReader("park\nlee\nhello\n"), &out, &errs, false)
	got = strings.ReplaceAll(out.take(), "입력: \n", "")
	if !strings.Contains(got, "이미 등록된 닉네임 입니다.\n") || !strings.HasSuffix(got, "[lee]님이 입장 했습니다.\n[lee] hello\n") || status != 0 {
		t.Errorf("status %d, stderr %q, stdout:\n%s\nwant a refusal, then [lee] saying hello", status, errs.take(), got)
	}
	io.WriteString(holder, "/bye")
}

// startOriginal runs the original server on a free port until the test ends. It returns "" if there is none.
func startOriginal(t *testing.T) string {
	t.Helper()
	seed := os.Getenv("SARANGBANG_SEED")
	if seed == "" {
		seed = filepath.Join("..", "..", "..", "shared", "seed")
	}
	files, _ := filepath.Glob(filepath.Join(seed, "*"))
	python, err := exec.LookPath("python3")
	if len(files) == 0 || err != nil {
		t.Logf("no original server at %s, or no python3 (%v)", seed, err)
		return ""
	}
	document, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	_, source, ok := strings.Cut(string(document), "'''\nchat_server.py\n'''\n")
	source, _, ended := strings.Cut(source, "\n## ")
	if !ok || !ended {
		t.Fatalf("%s holds no server", files[0])
	}
	source, _, _ = strings.Cut(source, "\nserver.serve_forever()")
	const anyPort = `ChatServer(("127.0.0.1", 0)`
	source = regexp.MustCompile(`ChatServer\(\("", \d+\)`).ReplaceAllLiteralString(source, anyPort)
	source += "\nprint(server.server_address[1], flush=True)\nserver.daemon_threads = True\nserver.serve_forever()\n"

	cmd := exec.Command(python, "-c", source)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	first := make(chan string, 1)
	var reading sync.WaitGroup
	reading.Go(func() {
		lines := bufio.NewScanner(stdout)
		for lines.Scan() {
			select {
			case first <- lines.Text():
			default:
			}
		}
	})
	t.Cleanup(func() {
		cmd.Process.Kill()
		reading.Wait()
		cmd.Wait()
		if t.Failed() {
			t.Logf("the original server says: %s", &complaints)
		}
	})
	select {
	case port := <-first:
		return net.JoinHostPort("127.0.0.1", port)
	case <-time.After(20 * time.Second):
		t.Fatal("the original server does not start")
		return ""
	}
}
