package sshchat

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gliderlabs/ssh"
	gossh "golang.org/x/crypto/ssh"
	"golang.org/x/term"

	"sarangbang/internal/admission"
	"sarangbang/internal/i18n"
	"sarangbang/internal/identity"
	"sarangbang/internal/memjournal"
	"sarangbang/internal/moderation"
	"sarangbang/internal/session"
	"sarangbang/room"
)

// An idle session with a terminal may take 1.4 times the memory of one on the least server that has a terminal at all. Each
// server runs in a process of its own, which is this test's binary once more.

// mostMemory is how many times as much an idle session may take.
const mostMemory = 1.4

func TestIdleSessionTakesLittleMoreThanTheLibrary(t *testing.T) {
	const sessions = 300 // of 100 the ratio differs by 0.06 from run to run, of these by 0.01
	bare, door := idleSessions(t, "bare", sessions), idleSessions(t, "door", sessions)
	// What the kernel counts in pages says little of so few sessions; the benchmark says it of many.
	ratio := float64(door.Heap+door.Stacks) / float64(bare.Heap+bare.Stacks)
	t.Logf("%d B of heap and %d B of stacks, beside %d and %d: %.2f times as much", door.Heap, door.Stacks, bare.Heap, bare.Stacks, ratio)
	if ratio > mostMemory {
		t.Errorf("an idle session takes %.2f times as much as one of the library, want at most %v", ratio, mostMemory)
	}
}

func BenchmarkIdleSession(b *testing.B) {
	for _, kind := range []string{"bare", "door"} {
		b.Run(kind, func(b *testing.B) {
			var m memory
			for range b.N {
				m = idleSessions(b, kind, 500)
			}
			b.ReportMetric(float64(m.Resident)/1024, "KiB-resident")
			b.ReportMetric(float64(m.Heap)/1024, "KiB-heap")
			b.ReportMetric(float64(m.Stacks)/1024, "KiB-stacks")
			b.ReportMetric(float64(m.Goroutines), "goroutines")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// memory is what a server has, or a session, in bytes.
type memory struct{ Resident, Heap, Stacks, Goroutines int }

// idleSessions returns what each of n idle sessions takes in a server of that kind.
func idleSessions(tb testing.TB, kind string, n int) memory {
	tb.Helper()
	s := startServer(tb, kind)
	for i := range 20 { // what is made once is made by them
		s.come(tb, fmt.Sprint("first", i))
	}
	s.settle(tb, "Nobody else yet?")
	before := s.memory(tb)
	for i := range n {
		s.come(tb, fmt.Sprint("guest", i))
		// Nobody fills a house within one cycle of the collector, and what a login leaves behind would stand between sessions.
		if i%50 == 49 {
			s.memory(tb)
		}
	}
	s.settle(tb, "Is everybody here?")
	m := s.memory(tb)
	return memory{
		(m.Resident - before.Resident) / n, (m.Heap - before.Heap) / n, (m.Stacks - before.Stacks) / n,
		(m.Goroutines - before.Goroutines) / n,
	}
}

// server is one in a process of its own.
type server struct {
	kind, addr string
	in         io.Writer
	out        *bufio.Reader
	screens    []*awaiting
	keys       io.Writer // of the last
}

func startServer(tb testing.TB, kind string) *server {
	tb.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), serverEnv+"="+kind)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			tb.Errorf("the server ended with %v", err)
		}
	})
	s := &server{kind: kind, in: in, out: bufio.NewReader(out)}
	if s.addr, err = s.out.ReadString('\n'); err != nil {
		tb.Fatalf("the server says no address: %v", err)
	}
	s.addr = strings.TrimSpace(s.addr)
	return s
}

// memory asks the server.
func (s *server) memory(tb testing.TB) (m memory) {
	tb.Helper()
	fmt.Fprintln(s.in)
	answer, err := s.out.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(answer, &m)
	}
	if err != nil {
		tb.Fatalf("the server does not say what memory it has: %v", err)
	}
	return m
}

// come opens a session with a terminal, which stays until the end, and waits for its prompt.
func (s *server) come(tb testing.TB, name string) {
	tb.Helper()
	c, err := gossh.Dial("tcp", s.addr, guest(name))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { c.Close() })
	x, err := c.NewSession()
	if err != nil {
		tb.Fatal(err)
	}
	screen := &awaiting{}
	prompt := screen.await(name + ">")
	x.Stdout = screen
	keys, err := x.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := x.RequestPty("xterm-256color", 24, 80, nil); err != nil {
		tb.Fatal(err)
	}
	if err := x.Shell(); err != nil {
		tb.Fatal(err)
	}
	if s.kind == "door" {
		io.WriteString(keys, "\r") // takes the nickname that is offered
	}
	select {
	case <-prompt:
	case <-time.After(30 * time.Second):
		tb.Fatalf("%s has no prompt after 30 s", name)
	}
	s.screens, s.keys = append(s.screens, screen), keys
}

// settle returns when nothing is left to be drawn: who comes is told to all the others, some time later and in pages, and as long as a
// page is drawn a session is not idle. What the last one says then comes behind all of that.
func (s *server) settle(tb testing.TB, words string) {
	tb.Helper()
	if s.kind == "bare" { // where nobody is told of others
		return
	}
	var heard []<-chan struct{}
	for _, screen := range s.screens {
		heard = append(heard, screen.await(words))
	}
	io.WriteString(s.keys, words+"\r")
	late := time.After(30 * time.Second)
	for i, h := range heard {
		select {
		case <-h:
		case <-late:
			tb.Fatalf("screen %d of %d does not show what was said last after 30 s", i, len(heard))
		}
	}
}

// awaiting is a screen that tells when something stands on it.
type awaiting struct {
	mu   sync.Mutex // guards all below
	want string
	seen chan struct{} // nil while nothing is awaited
	got  []byte        // since it is
}

// await returns a channel that is closed when want has been drawn from now on.
func (a *awaiting) await(want string) <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.want, a.seen = want, make(chan struct{})
	return a.seen
}

func (a *awaiting) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.seen == nil {
		return len(p), nil
	}
	if a.got = append(a.got, p...); bytes.Contains(a.got, []byte(a.want)) {
		close(a.seen)
		a.seen, a.got = nil, nil
	}
	return len(p), nil
}

// serverEnv makes this binary a server of that kind.
const serverEnv = "SSHCHAT_TEST_SERVER"

func TestMain(m *testing.M) {
	switch os.Getenv(serverEnv) {
	case "bare":
		serve(serveBare)
	case "door":
		serve(serveDoor)
	default:
		os.Exit(m.Run())
	}
}

// serve runs a server until its input ends, says where it listens, and after each line what memory it has.
func serve(run func(net.Listener)) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go run(ln)
	fmt.Println(ln.Addr())
	out := json.NewEncoder(os.Stdout)
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		if err := out.Encode(ownMemory()); err != nil {
			panic(err)
		}
	}
}

// ownMemory returns what this process has once all is given back that can be.
func ownMemory() memory {
	for range 3 { // a stack that is too large is halved by each
		runtime.GC()
	}
	debug.FreeOSMemory()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		panic(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(statm))[1])
	if err != nil {
		panic(err)
	}
	return memory{pages * os.Getpagesize(), int(stats.HeapAlloc), int(stats.StackInuse), runtime.NumGoroutine()}
}

// serveBare is the least that has a terminal: gliderlabs/ssh and the prompt of x/term, as wide as its screen.
func serveBare(ln net.Listener) {
	srv := &ssh.Server{
		HostSigners:                []ssh.Signer{hostKey},
		KeyboardInteractiveHandler: func(ssh.Context, gossh.KeyboardInteractiveChallenge) bool { return true },
		Handler: func(s ssh.Session) {
			t := term.NewTerminal(s, s.User()+"> ")
			_, sizes, _ := s.Pty()
			go func() {
				for size := range sizes {
					_ = t.SetSize(size.Width, size.Height)
				}
			}()
			for {
				line, err := t.ReadLine()
				if err != nil {
					return
				}
				fmt.Fprintf(t, "[%s] %s\n", s.User(), line)
			}
		},
	}
	_ = srv.Serve(ln)
}

// serveDoor is the product: the door, and behind it a house with all that a session of it needs.
func serveDoor(ln net.Listener) {
	log := slog.New(slog.DiscardHandler)
	house, service := realHouse(log, room.Options{})
	go func() { _ = house.Run(context.Background()) }()
	limits := defaultLimits()
	limits.SessionsPerAddress = 1 << 20
	s := New(Options{
		House: service, HostKeys: []gossh.Signer{hostKey}, Gate: admission.NewGate(openGate(), log), Limits: limits, Logger: log,
	})
	_ = s.Serve(context.Background(), ln)
}

// realHouse is a house with all that a session of it needs.
func realHouse(log *slog.Logger, o room.Options) (*room.House, *session.Service) {
	o.Logger = log
	// What a journal keeps is on disk elsewhere, and is no session's.
	house := room.NewHouse(memjournal.New(memjournal.Options{Keep: 64}), memjournal.NewLeases(), o)
	return house, session.New(session.Options{
		House: house, Names: identity.DefaultRules(), Lang: i18n.English, Logger: log,
		Keys: func(func(string, []string) bool) {},
		Limits: session.Limits{
			Message: room.DefaultTextLimits, BacklogLines: 20, OutboxLines: 64, RefusalsPer10s: 40, NickTimeout: 10 * time.Minute,
		},
		Rates: moderation.NewRates(moderation.Limits{
			MessageBurst: 8, MessagesPerSecond: 2, MessageDelay: 5 * time.Second, NickChangesPerMinute: 5, NewPeoplePerMinute: 10,
		}),
	})
}
