//go:build linux

package e2e

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// While 5 MiB are said, three peers read nothing: one leaves the SSH channel's window shut, one the socket below it, one is at the
// old door. Nobody else waits for them, the house keeps nothing for them, and when they read again they are told what they missed.
func TestNobodyWaitsForAPeerThatNeverReads(t *testing.T) {
	// Not beside the others: it measures a delay.
	if testing.Short() {
		t.Skip("says 5 MiB")
	}
	const lines, size = 5 << 10, 1000
	h := openHouse(t, setup{exempt: true})
	speaker := h.pipe(t, login{user: "speaker"})
	speaker.sees("speaker joined")

	window := h.deafChannel(t)
	socket, thaw := h.deafSocket(t)
	old := h.dialTCP(t, login{user: "deaf-tcp", buffer: 4096}) // which the pace of the door fills at once
	old.sends("deaf-tcp")
	speaker.sees("deaf-tcp joined")
	reader := h.pipe(t, login{user: "reader"})
	reader.sees("reader joined")
	oldReader := h.joinLined(t, "old")

	before := h.resident()
	largest, slowest := before, time.Duration(0)
	filler := strings.Repeat("x", size)
	const burst = 64 // lines at once; then everybody must have them
	for n := 0; n < lines; n += burst {
		var b strings.Builder
		for i := range burst {
			fmt.Fprintf(&b, "%d %s\n", n+i, filler)
		}
		start := time.Now()
		speaker.keys(b.String())
		last := fmt.Sprintf("[speaker] %d ", n+burst-1)
		reader.sees(last)
		oldReader.awaits(last)
		slowest = max(slowest, time.Since(start))
		largest = max(largest, h.resident())
		for _, p := range []*person{speaker, reader} {
			p.seesNot("skipped")
			p.out.forget()
		}
		oldReader.in.forget()
		oldReader.read = 0
	}
	t.Logf("slowest burst %v, growth %.1f MiB", slowest, float64(largest-before)/(1<<20))
	// The readers' delay includes the time that the speaker's burst of 64 KiB takes to be said.
	if want := promised(2 * time.Second); !raced && slowest > want {
		t.Errorf("a reader had a burst of lines after %v, want within %v", slowest, want)
	}
	if grown := largest - before; !raced && grown > 16<<20 {
		t.Errorf("the house grew by %.1f MiB while 5 MiB were said, want less than 16", float64(grown)/(1<<20))
	}

	// Each of the deaf reads again, up to the newest line, and the lines that it saw and those that it was told of are all.
	newest := fmt.Sprintf("[speaker] %d ", lines-1)
	window.resume()
	window.person.sees(newest)
	checkGap(t, "the shut window", window.person.text(), lines, `\* (\d+) lines? skipped`)
	thaw()
	socket.sees(newest)
	checkGap(t, "the shut socket", socket.text(), lines, `\* (\d+) lines? skipped`)
	old.lined = true
	old.sends("\n") // to an old client so much would be sent for 20 s; this says that it is none
	go old.receive()
	old.awaits(newest)
	checkGap(t, "the old door", old.in.String(), lines, `\[\*\] 읽는 것이 늦어서 (\d+)줄을 건너뛰었습니다\.`)
}

// checkGap wants a reader to have seen lines in order and the number of the lines between them where some are missing.
func checkGap(t *testing.T, name, seen string, lines int, told string) {
	t.Helper()
	missed := 0
	for _, m := range regexp.MustCompile(told).FindAllStringSubmatch(seen, -1) {
		n, _ := strconv.Atoi(m[1])
		missed += n
	}
	last, shown := -1, 0
	for _, m := range regexp.MustCompile(`\[speaker\] (\d+) x`).FindAllStringSubmatch(seen, -1) {
		n, _ := strconv.Atoi(m[1])
		if n <= last {
			t.Errorf("%s: line %d after line %d", name, n, last)
		}
		last = n
		shown++
	}
	others := 4 // joins that may be among those that were skipped
	if missed == 0 || shown+missed < lines || shown+missed > lines+others {
		t.Errorf("%s: %d lines seen and %d told missing, want %d together, and some missing", name, shown, missed, lines)
	}
}

// deafChannel is somebody whose SSH client answers, but takes nothing out of the channel.
type deafChannel struct {
	person *person
	stdout io.Reader
}

func (h *house) deafChannel(tb testing.TB) *deafChannel {
	tb.Helper()
	p := h.newPerson(tb, login{user: "deaf-channel"})
	stdout, err := p.session.StdoutPipe()
	if err == nil {
		p.stdin, err = p.session.StdinPipe() // none would be an end of input
	}
	if err == nil {
		err = p.session.Shell()
	}
	if err != nil {
		tb.Fatal(err)
	}
	return &deafChannel{p, stdout}
}

// resume reads from now on.
func (d *deafChannel) resume() {
	go func() {
		_, err := io.Copy(d.person.out, d.stdout)
		d.person.out.end(err)
	}()
}

// deafSocket is somebody on a terminal whose connection is not read, below SSH. What they see is kept as it comes: to draw
// thousands of lines takes long.
func (h *house) deafSocket(tb testing.TB) (p *person, thaw func()) {
	tb.Helper()
	tap := &frozenConn{thawed: make(chan struct{})}
	l := login{user: "deaf-socket", cols: 500, rows: 40}
	tap.Conn = connect(tb, h.ssh, l)
	c, chans, requests, err := ssh.NewClientConn(tap, h.ssh, l.config(tb))
	if err != nil {
		tb.Fatal(err)
	}
	p = &person{t: tb, house: h, nick: l.user, client: ssh.NewClient(c, chans, requests), out: &transcript{}, errs: &transcript{}, ended: make(chan error, 1)}
	tb.Cleanup(p.hangUp)
	p.open(l)
	if err := p.session.RequestPty("dumb", l.rows, l.cols, ssh.TerminalModes{}); err != nil {
		tb.Fatal(err)
	}
	p.start(p.out)
	p.sees("[deaf-socket]:")
	p.keys("\r")
	p.sees("* deaf-socket joined.")
	tap.frozen.Store(true)
	return p, func() { close(tap.thawed) }
}

// A peer that takes nothing at all is dead after write_stall: it is removed, the room is told, its connection is reset.
func TestDeadPeerIsGivenUp(t *testing.T) {
	t.Parallel()
	h := openHouse(t, setup{exempt: true, limits: "write_stall = \"4s\"\nkeepalive_interval = \"1s\"\n"})
	speaker := h.pipe(t, login{user: "speaker"})
	speaker.sees("speaker joined")
	h.deafSocket(t)
	old := h.dialTCP(t, login{user: "deaf-tcp", buffer: 4096}) // which the pace of the door fills at once
	old.sends("deaf-tcp")
	speaker.sees("deaf-tcp joined")
	window := h.deafChannel(t)
	speaker.sees("deaf-channel joined")

	// More is said than all buffers between the house and them hold, at the pace of the speaker, who must miss nothing.
	burst := strings.Repeat(strings.Repeat("y", 3000)+"\n", 16)
	left := regexp.MustCompile(`\* deaf-\w+ left\.`)
	var gone []string
	for n, start := 0, time.Now(); len(gone) < 2; n++ {
		if time.Since(start) > patience {
			t.Fatalf("after %v %q, want deaf-tcp and deaf-socket to have left", patience, gone)
		}
		last := fmt.Sprintf("burst %d\n", n)
		speaker.keys(burst + last)
		speaker.sees("[speaker] " + last)
		gone = append(gone, left.FindAllString(speaker.out.forget(), -1)...)
	}
	slices.Sort(gone)
	if want := []string{"* deaf-socket left.", "* deaf-tcp left."}; !slices.Equal(gone, want) {
		t.Errorf("the room was told %q, want %q", gone, want)
	}
	h.logs("msg=left", "nick=deaf-tcp", "why=stalled")
	h.logs("msg=left", "nick=deaf-socket", "why=stalled")
	// A shut window is not death: its client answers the keepalives.
	speaker.types("the end")
	window.resume()
	window.person.sees("[speaker] the end")
}

// More than output_buffer_bytes at once, for somebody who reads: it is all shown, and the line that is typed below it works.
func TestMuchAtOnceOnATerminal(t *testing.T) {
	t.Parallel()
	h := openHouse(t, setup{exempt: true})
	speaker := h.pipe(t, login{user: "speaker"})
	say := func(from, n int) {
		for i := range n {
			speaker.types(fmt.Sprint("line ", from+i, " ", strings.Repeat("z", 4000)))
		}
		speaker.sees(fmt.Sprint("[speaker] line ", from+n-1, " "))
	}
	say(0, 20) // the backlog of a newcomer
	kim := h.guest(t, "kim")
	kim.sees("[speaker] line 0 ")
	kim.sees("[speaker] line 19 ")
	say(20, 64) // what is drawn between two looks at the input
	kim.sees("[speaker] line 83 ")
	kim.types("still here")
	kim.sees("[kim] still here")
}
