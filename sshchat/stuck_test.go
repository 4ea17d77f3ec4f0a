package sshchat

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	gossh "golang.org/x/crypto/ssh"

	"sarangbang/internal/session"
	"sarangbang/internal/testkit/emulator"
	"sarangbang/room"
)

// tap is a client's connection that can be made to read nothing.
type tap struct {
	net.Conn
	open chan struct{} // closed while it reads
}

func (c *tap) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	<-c.open // what was read stays unseen, too
	return n, err
}

// counted counts how often a session waits for something to do.
type counted struct {
	session.Terminal
	waits atomic.Int64
}

func (c *counted) Next(ctx context.Context, w session.Wait) (session.Input, error) {
	c.waits.Add(1)
	return c.Terminal.Next(ctx, w)
}

// A client that reads nothing for a while costs nothing meanwhile: its session does not even wake up. Once it reads again, its prompt and its
// draft are drawn as they are then, the lines go on from its own place, and what the room has forgotten by then is told.
func TestStuckClientComesBackToTheNewestState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const ring, lines = 100, 1000
		house, service := openHouse(t, room.Options{RingLines: ring})
		terminal := &counted{}
		d := openInMemory(t, func(o *setup) {
			o.house.console = func(ctx context.Context, v session.Visitor, c session.Console) session.End {
				terminal.Terminal = c.(session.Terminal)
				return service.ServeConsole(ctx, v, terminal)
			}
			o.lim.Terminal.OutputBytes = 8 << 10
			o.lim.KeepaliveInterval = 24 * time.Hour // it would wait for a lock, and in a bubble that stops the clock
		})

		// Mina has a line half typed when her client stops reading.
		client := &tap{Conn: d.raw(t), open: make(chan struct{})}
		close(client.open)
		mina := sit(t, d, client, "mina")
		mina.keys("\r")
		mina.keys("half a 줄")
		ctx := t.Context()
		lee, err := house.Enter(ctx, room.Claim{Nick: "lee", Names: []string{"lee"}}, room.Entry{Where: room.Lobby, Back: true, Visit: true})
		if err != nil {
			t.Fatal(err)
		}
		defer lee.Leave(room.EndingLeft)
		filler := strings.Repeat("말", 60)
		said := 0
		say := func(n int) {
			t.Helper()
			for range n {
				said++
				if _, err := lee.Post(ctx, room.Lobby, room.Said{Text: room.Sentence(fmt.Sprintf("%d. %s", said, filler))}); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Second)
				synctest.Wait()
			}
		}
		say(5)
		client.open = make(chan struct{})
		say(lines / 2)
		waits := terminal.waits.Load()
		say(lines / 2)
		if n := terminal.waits.Load() - waits; n > 0 {
			t.Errorf("while the client read nothing, its session woke up %d times for %d lines", n, lines/2)
		}

		// Meanwhile she types on, and makes the window smaller.
		mina.keys("!")
		if _, err := mina.SendRequest("window-change", false, windowSize(60, 20)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		mina.screen.Resize(60, 20)
		stale := len(mina.out.String())
		close(client.open)
		time.Sleep(time.Minute)
		synctest.Wait()

		rows := mina.screen.Screen()
		if _, y := mina.screen.Cursor(); !strings.HasSuffix(rows[y], "mina> half a 줄!") {
			t.Errorf("row of the cursor %q, want it to end with the prompt and %q", rows[y], "half a 줄!")
		}
		fresh := mina.out.String()[stale:]
		if n := strings.Count(fresh, "half a 줄!"); n == 0 || n > 2+ring/showAtOnce {
			t.Errorf("the draft was drawn %d times, want once, and once more behind each of %d pages", n, 1+ring/showAtOnce)
		}
		checkLines(t, mina.shown(), said, ring)
		mina.keys("\r")
		if got := mina.shown(); !strings.Contains(got, "[mina] half a 줄!") {
			t.Errorf("after Enter the screen is\n%s\nwant it to hold the line", got)
		}
	})
}

// openHouse runs a house until the test ends.
func openHouse(t *testing.T, o room.Options) (*room.House, *session.Service) {
	t.Helper()
	house, service := realHouse(slog.New(slog.DiscardHandler), o)
	ctx, over := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- house.Run(ctx) }()
	t.Cleanup(func() {
		over()
		if err := <-ran; err != nil {
			t.Errorf("Run = %v, want nil", err)
		}
	})
	return house, service
}

// sitter is somebody before a screen of 80 × 24, in a bubble.
type sitter struct {
	*client
	screen *emulator.Terminal
}

// sit opens a session with a terminal over a connection.
func sit(t *testing.T, d *door, over net.Conn, name string) *sitter {
	t.Helper()
	c, chans, reqs, err := gossh.NewClientConn(over, "door", guest(name))
	if err != nil {
		t.Fatal(err)
	}
	s := &sitter{d.session(t, gossh.NewClient(c, chans, reqs)), emulator.New(80, 24)}
	s.Stdout = io.MultiWriter(s.screen, s.out)
	if err := s.RequestPty("xterm", 24, 80, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.Shell(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.screen.Err(); err != nil {
			t.Errorf("the client got what it does not know: %v", err)
		}
	})
	return s
}

// keys types, and waits until nothing moves.
func (s *sitter) keys(typed string) {
	s.t.Helper()
	if _, err := io.WriteString(s.in, typed); err != nil {
		s.t.Fatal(err)
	}
	time.Sleep(time.Second)
	synctest.Wait()
}

// shown is what stands on the screen, and what has left it at the top.
func (s *sitter) shown() string {
	return strings.Join(append(s.screen.Scrollback(), s.screen.Screen()...), "\n")
}

// showAtOnce is how many lines a session draws in one piece.
const showAtOnce = 64

var (
	numbered = regexp.MustCompile(`(?m)^\[lee\] (\d+)\.`)
	skipped  = regexp.MustCompile(`\* .*?(\d+).* skipped`)
)

// checkLines checks that a screen holds the lines up to the last one, each once and in order, but for one gap of which it tells.
func checkLines(t *testing.T, shown string, last, ring int) {
	t.Helper()
	gap, gaps := 0, skipped.FindAllStringSubmatch(shown, -1)
	if len(gaps) == 1 {
		gap, _ = strconv.Atoi(gaps[0][1])
	}
	if gap == 0 {
		t.Errorf("the gap is told as %q, want once", gaps)
	}
	want := 1
	for _, m := range numbered.FindAllStringSubmatch(shown, -1) {
		n, _ := strconv.Atoi(m[1])
		if n == want+gap && n > last-ring {
			want, gap = n, 0
		}
		if n != want {
			t.Fatalf("line %d stands where %d should", n, want)
		}
		want++
	}
	if want != last+1 || gap > 0 {
		t.Errorf("the last line is %d, %d not skipped, want %d and all that was told", want-1, gap, last)
	}
}
