//go:build linux

package e2e

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"sarangbang/internal/testkit/emulator"
)

// limitCase proves that limits are in force at the value that the file gives them: each is set to something small and reached.
type limitCase struct {
	keys   string // the limits that it proves, as a list
	limits string
	exempt bool
	env    []string
	prove  func(h *house)
}

// Limits whose effect cannot be seen from outside, or not in a test of seconds, and where they are tested instead.
var provenElsewhere = map[string]string{
	"commit_batch_lines": "internal/memjournal: how many records one commit takes",
	"outbox_wait":        "room: a journal that does not answer",
	"penalty_refused":    "TestWhoIsBannedIsToldAndThenPays",
	"keys":               "TestWhoIsBannedIsToldAndThenPays",
	"contact":            "TestWhoIsBannedIsToldAndThenPays",
	"penalty_crash":      "sshchat: a panic while a connection is set up",
	"write_stall":        "TestDeadPeerIsGivenUp",
}

var limitCases = []limitCase{
	{keys: "exempt", exempt: true, limits: "connections_per_address = 1\n", prove: func(h *house) {
		for range 3 {
			h.admits(h.ssh, "", true)
			h.admits(h.tcp, "", true)
		}
	}},
	{keys: "connections_total", exempt: true, limits: "connections_total = 2\n", prove: func(h *house) {
		for proto, address := range map[string]string{"ssh": h.ssh, "tcp": h.tcp} {
			h.admits(address, "", true)
			h.admits(address, "127.0.0.2", true)
			h.admits(address, "127.0.0.3", false)
			h.turnedAway(proto, "total", 1)
		}
	}},
	{keys: "connections_per_address", limits: "connections_per_address = 2\n", prove: func(h *house) {
		for proto, address := range map[string]string{"ssh": h.ssh, "tcp": h.tcp} {
			h.admits(address, "127.0.0.1", true)
			h.admits(address, "127.0.0.1", true)
			h.admits(address, "127.0.0.1", false)
			h.admits(address, "127.0.0.2", true)
			h.turnedAway(proto, "per_address", 1)
		}
	}},
	{
		keys: "connects_per_minute_per_address connects_burst_per_address", limits: "connects_burst_per_address = 2\nconnects_per_minute_per_address = 6\n",
		prove: func(h *house) {
			doors := map[string]string{"ssh": h.ssh, "tcp": h.tcp}
			for proto, address := range doors {
				h.admits(address, "", true)
				h.admits(address, "", true)
				h.admits(address, "", false)
				h.turnedAway(proto, "connect_rate", 1)
			}
			for proto, address := range doors {
				if !eventually(patience, func() bool { return h.knocks(address, "") }) {
					h.t.Errorf("%s: no connection any more, want one in 10 s", proto)
				}
			}
		},
	},
	{keys: "unauthenticated_full", limits: "unauthenticated_start = 2\nunauthenticated_full = 2\n", prove: func(h *house) {
		h.admits(h.ssh, "", true)
		h.admits(h.ssh, "", true)
		h.admits(h.ssh, "", false)
		h.turnedAway("ssh", "unauthenticated", 1)
	}},
	{
		keys: "unauthenticated_start unauthenticated_percent", limits: "unauthenticated_start = 1\nunauthenticated_percent = 100\n",
		prove: func(h *house) {
			h.guest(h.t, "kim") // does not count any more
			h.admits(h.ssh, "", true)
			for range 5 {
				h.admits(h.ssh, "", false)
			}
			h.turnedAway("ssh", "unauthenticated", 5)
		},
	},
	{keys: "unauthenticated_per_address", limits: "unauthenticated_per_address = 2\n", prove: func(h *house) {
		h.guest(h.t, "kim")
		h.admits(h.ssh, "", true)
		h.admits(h.ssh, "", true)
		h.admits(h.ssh, "", false)
		h.admits(h.ssh, "127.0.0.2", true)
		h.turnedAway("ssh", "unauthenticated_per_address", 1)
	}},
	{keys: "tcp_waiting_for_nick", limits: "tcp_waiting_for_nick = 2\n", prove: func(h *house) {
		h.join(h.t, "park")
		h.visit(h.t, login{})
		h.visit(h.t, login{})
		h.admits(h.tcp, "", false)
		h.turnedAway("tcp", "unauthenticated", 1)
	}},
	{keys: "handshakes_per_core handshake_wait", exempt: true, limits: "handshakes_per_core = 1\nhandshake_wait = \"0s\"\n", prove: func(h *house) {
		const name = `sarangbang_connections_refused_total{door="ssh",reason="handshake_wait"}`
		if !eventually(patience, func() bool { h.crowd(40); return h.metric(name) > 0 }) {
			h.t.Errorf("%s = 0 with 40 logins at once, want some refused", name)
		}
	}},
	{keys: "version_timeout", limits: "version_timeout = \"200ms\"\n", prove: func(h *house) {
		h.cutOff(connect(h.t, h.ssh, login{}), "version_timeout")
	}},
	{keys: "login_timeout", limits: "login_timeout = \"8s\"\n", prove: func(h *house) {
		conn := connect(h.t, h.ssh, login{})
		if _, err := io.WriteString(conn, "SSH-2.0-test\r\n"); err != nil {
			h.t.Fatal(err)
		}
		client, _ := h.dial(h.t, login{user: "kim"}) // logs in, and opens no session
		h.cutOff(conn, "login_timeout")
		_ = client.Wait() // its error is how it was closed
		h.turnedAway("ssh", "login_timeout", 2)
	}},
	{
		keys: "input_burst_bytes input_bytes_per_second", limits: "input_burst_bytes = 8192\ninput_bytes_per_second = 8192\n" + quick,
		prove: func(h *house) {
			p := h.pipe(h.t, login{user: "kim"})
			p.sees("kim joined")
			start := time.Now()
			p.keys(strings.Repeat(strings.Repeat("x", 1023)+"\n", 24) + "end\n")
			p.sees("[kim] end")
			if took := time.Since(start); took < time.Second {
				h.t.Errorf("24 KiB were read in %v, want about 2 s", took)
			}
		},
	},
	{keys: "auth_tries", limits: "auth_tries = 1\n", prove: func(h *house) {
		if _, _, err := h.tryDial(h.t, login{user: "kim", key: weakKey(h.t)}); err == nil || !strings.Contains(err.Error(), "too many authentication failures") {
			h.t.Errorf("after one key that is not accepted: %v, want too many authentication failures", err)
		}
	}},
	{keys: "penalty_auth_failure", limits: penalties("penalty_auth_failure") + "auth_tries = 1\n", prove: func(h *house) {
		kim := h.guest(h.t, "kim")
		if _, _, err := h.tryDial(h.t, login{user: "lee", key: liar{newKey(h.t)}}); err == nil {
			h.t.Error("one who lied got in")
		}
		h.pays("")
		kim.types("live sessions are left alone")
		kim.sees("[kim] live sessions")
	}},
	{keys: "penalty_no_auth", limits: penalties("penalty_no_auth"), prove: func(h *house) {
		h.offend("")
		h.pays("")
	}},
	{keys: "penalty_login_timeout", limits: penalties("penalty_login_timeout") + "login_timeout = \"200ms\"\n", prove: func(h *house) {
		h.cutOff(connect(h.t, h.ssh, login{}), "login_timeout")
		h.pays("")
	}},
	{keys: "penalty_max", limits: "penalty_no_auth = \"1h\"\npenalty_threshold = \"1s\"\npenalty_max = \"8s\"\n", prove: func(h *house) {
		h.offend("")
		h.pays("")
		if !eventually(patience, func() bool { return h.knocks(h.ssh, "") }) {
			h.t.Error("an hour's penalty does not end after 8 s")
		}
	}},
	{keys: "penalty_threshold", limits: "penalty_no_auth = \"1m\"\npenalty_threshold = \"90s\"\n", prove: func(h *house) {
		h.offend("")
		h.guest(h.t, "kim")
		h.offend("")
		h.pays("")
	}},
	{keys: "penalty_addresses", limits: penalties("penalty_no_auth") + "penalty_addresses = 1\n", prove: func(h *house) {
		h.offend("127.0.0.2")
		h.pays("127.0.0.2")
		for range 5 {
			h.offend("127.0.0.3")
		}
		h.admits(h.ssh, "127.0.0.3", true)
	}},
	{keys: "sessions_per_connection", limits: "sessions_per_connection = 2\n", prove: func(h *house) {
		client, _ := h.dial(h.t, login{user: "kim"})
		h.channels(client, 2, "sessions_per_connection")
	}},
	{keys: "session_opens_per_minute", limits: "session_opens_per_minute = 3\n", prove: func(h *house) {
		client, _ := h.dial(h.t, login{user: "kim"})
		h.channels(client, 3, "session_opens_per_minute")
	}},
	{keys: "refused_channels", limits: "refused_channels = 3\n", prove: func(h *house) {
		client, _ := h.dial(h.t, login{user: "kim"})
		session(h.t, client)
		for range 2 {
			if _, _, err := client.OpenChannel("x11", nil); !refusedChannel(err) {
				h.t.Fatalf("a channel of x11: %v, want a refusal", err)
			}
		}
		if _, _, err := client.OpenChannel("x11", nil); err == nil || refusedChannel(err) {
			h.t.Errorf("the third channel of x11: %v, want the connection closed", err)
		}
		h.turnedAway("ssh", "refused_channels", 1)
	}},
	{keys: "sessions_per_key", limits: "sessions_per_key = 1\n", prove: func(h *house) {
		key := newKey(h.t)
		h.enter(h.t, login{user: "kim", key: key})
		second := h.pipe(h.t, login{user: "kim", key: key})
		second.complains("You have one screen open with this key, and more are not possible.")
		second.ends(1)
		h.guest(h.t, "lee")
	}},
	{keys: "sessions_per_address", limits: "sessions_per_address = 1\n", prove: func(h *house) {
		h.guest(h.t, "kim")
		second := h.pipe(h.t, login{user: "lee"})
		second.complains("One session is open from your address, and more are not possible.")
		second.ends(1)
		third := h.pipe(h.t, login{user: "lee", from: "127.0.0.2"})
		third.sees("lee joined")
	}},
	{keys: "requests_per_second", limits: "requests_per_second = 3\n", prove: func(h *house) {
		client, _ := h.dial(h.t, login{user: "kim"})
		for n := 0; ; n++ {
			if _, _, err := client.SendRequest("keepalive@openssh.com", true, nil); err != nil {
				break
			} else if n == 100 {
				h.t.Fatal("100 requests were answered at once, want 3")
			}
		}
		h.turnedAway("ssh", "requests_per_second", 1)
	}},
	{keys: "env_vars", limits: "env_vars = 2\n", prove: func(h *house) {
		p := h.newPerson(h.t, login{user: "kim"})
		for i, want := range []bool{true, true, false} {
			if err := p.session.Setenv(fmt.Sprint("LC_", i), "x"); (err == nil) != want {
				h.t.Errorf("variable %d: %v, want %v", i+1, err, want)
			}
		}
	}},
	{keys: "env_bytes", limits: "env_bytes = 30\n", prove: func(h *house) {
		p := h.newPerson(h.t, login{user: "kim"})
		if err := p.session.Setenv("LC_ALL", strings.Repeat("x", 25)); err == nil {
			h.t.Error("31 bytes of variables are taken")
		}
		if err := p.session.Setenv("LC_ALL", strings.Repeat("x", 24)); err != nil {
			h.t.Errorf("30 bytes of variables: %v", err)
		}
	}},
	{keys: "term_name_bytes", limits: "term_name_bytes = 5\n", prove: func(h *house) {
		p := h.newPerson(h.t, login{user: "kim"})
		if err := p.session.RequestPty("xterm6", 24, 80, nil); err == nil {
			h.t.Error("a terminal with a name of 6 bytes is taken")
		}
		if err := p.session.RequestPty("xterm", 24, 80, nil); err != nil {
			h.t.Errorf("a terminal with a name of 5 bytes: %v", err)
		}
	}},
	{keys: "command_bytes", limits: "command_bytes = 16\n", prove: func(h *house) {
		if status, out, _ := h.command(h.t, login{user: "kim"}, "say "+strings.Repeat("x", 12)); status != 0 || out != "[kim] xxxxxxxxxxxx\n" {
			h.t.Errorf("a command of 16 bytes = %d, %q, want it done", status, out)
		}
		if status, _, _ := h.command(h.t, login{user: "kim"}, "say "+strings.Repeat("x", 13)); status != -1 {
			h.t.Errorf("a command of 17 bytes ended with status %d, want it refused", status)
		}
	}},
	{keys: "columns_max", limits: "columns_max = 30\n", prove: func(h *house) {
		h.wraps(80, 30)
	}},
	{keys: "columns_min", limits: "columns_min = 50\n", prove: func(h *house) {
		h.wraps(20, 50)
	}},
	{keys: "rows_max", limits: "rows_max = 5\n", prove: func(h *house) {
		h.drafts(24, 5)
	}},
	{keys: "rows_min", limits: "rows_min = 9\n", prove: func(h *house) {
		h.drafts(4, 9)
	}},
	{keys: "redraws_per_second", limits: "redraws_per_second = 1\n", prove: func(h *house) {
		p := h.guest(h.t, "kim")
		before := strings.Count(p.out.String(), "kim>")
		start := time.Now()
		pace := time.NewTicker(50 * time.Millisecond)
		defer pace.Stop()
		for i := range 20 {
			<-pace.C
			if err := p.session.WindowChange(40, 60+i); err != nil {
				h.t.Fatal(err)
			}
		}
		if !p.out.wait(patience, func(all string) bool { return strings.Count(all, "kim>") > before }) {
			h.t.Fatal("no new size is drawn")
		}
		redraws := strings.Count(p.out.String(), "kim>") - before
		if most := 1 + int(time.Since(start)/time.Second); redraws > most {
			h.t.Errorf("%d redraws for 20 sizes in %v, want at most %d", redraws, time.Since(start), most)
		}
	}},
	{keys: "nick_cells", limits: "nick_cells = 5\n", prove: func(h *house) {
		h.asksAgain("abcdef", "That nickname is 6 cells wide; at most 5 are possible.", "abcde")
		h.asksAgain("가나다", "That nickname is 6 cells wide; at most 5 are possible.", "가나")
	}},
	{keys: "nick_graphemes", limits: "nick_graphemes = 3\n", prove: func(h *house) {
		h.asksAgain("가나다라", "That nickname has 4 characters; at most 3 are possible.", "가나다")
	}},
	{keys: "nick_bytes", limits: "nick_bytes = 6\n", prove: func(h *house) {
		h.asksAgain("가나다", "That nickname has 9 bytes; at most 6 are possible.", "가나")
	}},
	{keys: "nick_timeout", limits: "nick_timeout = \"300ms\"\n", prove: func(h *house) {
		c := h.visit(h.t, login{})
		c.awaits("제때")
		p := h.knock(h.t, login{user: "kim"})
		p.sees("* No nickname was chosen in time, so the session ends.")
		p.ends(1)
		c.awaits("")
		c.read = len(c.in.String())
		c.reset()
	}},
	{keys: "nick_hold", exempt: true, limits: "nick_hold = \"1s\"\n", prove: func(h *house) {
		kim := h.register(h.t, "kim", newKey(h.t))
		kim.types("/account delete kim")
		kim.sees("* The account kim is erased.")
		kim.ends(0)
		if !eventually(patience, func() bool {
			status, _, _ := h.command(h.t, login{user: "kim"}, "say hello")
			return status == 0
		}) {
			h.t.Error("the nickname is not free again, want it after 1 s")
		}
	}},
	{keys: "resume_window", limits: "resume_window = \"1s\"\n", prove: func(h *house) {
		lee := h.guest(h.t, "lee")
		kim := h.register(h.t, "kim", newKey(h.t))
		kim.cut()
		lee.sees("* kim left.")
	}},
	{keys: "message_bytes", limits: "message_bytes = 10\n", prove: func(h *house) {
		p := h.guest(h.t, "kim")
		p.types(strings.Repeat("x", 11))
		p.sees("Not sent: your message has 11 bytes in 1 line; at most 10 bytes in 20 lines")
		p.keys("\x7f\r") // it stays in the line
		p.sees("[kim] " + strings.Repeat("x", 10))
	}},
	{keys: "message_lines", limits: "message_lines = 2\n", prove: func(h *house) {
		p := h.guest(h.t, "kim")
		p.pastes("a\nb\nc")
		p.sees("your message has 5 bytes in 3 lines; at most 4096 bytes in 2 lines")
		p.keys("\x03")
		p.pastes("first\nsecond")
		p.sees("[kim] first")
	}},
	{keys: "backlog_lines", limits: "backlog_lines = 2\n", exempt: true, prove: func(h *house) {
		speaker := h.pipe(h.t, login{user: "speaker"})
		speaker.keys("one\ntwo\nthree\n")
		speaker.sees("[speaker] three")
		p := h.guest(h.t, "kim")
		p.sees("[speaker] three")
		p.seesTimes(2, "[speaker] ")
	}},
	{keys: "paste_bytes", limits: "paste_bytes = 64\nmessage_bytes = 64\n", prove: func(h *house) {
		p := h.guest(h.t, "kim")
		p.keys("draft")
		p.keys("\x1b[200~" + strings.Repeat("x", 65) + "\x1b[201~")
		p.sees("Not taken: 65 bytes at once; at most 64 are possible.")
		p.keys("\r")
		p.sees("[kim] draft")
		q := h.pipe(h.t, login{user: "lee"})
		q.types(strings.Repeat("y", 65))
		q.complains("Not taken: 65 bytes at once; at most 64 are possible.")
	}},
	{keys: "escape_bytes", limits: "escape_bytes = 16\n", prove: func(h *house) {
		p := h.guest(h.t, "kim")
		p.keys("ab\x1b[" + strings.Repeat("0", 10) + "Dc\r") // the left arrow, at length
		p.sees("[kim] acb")
		p.keys("ab\x1b[" + strings.Repeat("0", 20) + "Dd\r")
		p.sees("[kim] abd")
	}},
	{keys: "combining_marks", limits: "combining_marks = 2\n", prove: func(h *house) {
		p := h.guest(h.t, "kim")
		q := h.pipe(h.t, login{user: "lee"})
		q.types("a" + strings.Repeat("\u0323", 9) + "b")
		p.sees("[lee] a\u0323\u0323b")
		q.sees("[lee] a\u0323\u0323b")
	}},
	{keys: "message_burst message_delay", limits: "message_burst = 3\nmessages_per_second = 1\nmessage_delay = \"0s\"\n", prove: func(h *house) {
		p := h.guest(h.t, "kim")
		start := time.Now()
		p.keys("one\rtwo\rthree\r" + strings.Repeat("x\r", 7))
		p.sees("[kim] three")
		p.sees("Not sent: you write faster than is allowed here.")
		if got, most := strings.Count(p.text(), "[kim] "), 3+int(time.Since(start)/time.Second); got > most {
			h.t.Errorf("%d of 10 messages went out in %v, want at most %d", got, time.Since(start), most)
		}
	}},
	{keys: "messages_per_second", limits: "message_burst = 1\nmessages_per_second = 2\nmessage_delay = \"10s\"\n", prove: func(h *house) {
		people := []*person{h.guest(h.t, "kim"), h.pipe(h.t, login{user: "lee"})}
		start := time.Now()
		for _, p := range people {
			for i := range 4 {
				p.types(fmt.Sprint("line ", i))
			}
		}
		for _, p := range people {
			p.sees("[" + p.nick + "] line 3")
			if took := time.Since(start); took < time.Second {
				h.t.Errorf("4 messages of %s went through in %v, want 1.5 s", p.nick, took)
			}
		}
	}},
	{keys: "refusals_per_10s", limits: "refusals_per_10s = 3\n", prove: func(h *house) {
		p := h.guest(h.t, "kim")
		for range 4 {
			p.types("/nope")
		}
		p.sees("* Too much of what you sent had to be refused, so the session ends.")
		p.ends(1)
	}},
	{keys: "nick_changes_per_minute", limits: "nick_changes_per_minute = 1\n", prove: func(h *house) {
		p := h.guest(h.t, "kim")
		p.types("/nick park")
		p.sees("* kim is now called park.")
		p.types("/nick choi")
		p.sees("* You changed your nickname too often. Try again in a minute.")
	}},
	{keys: "new_people_per_minute", limits: "new_people_per_minute = 1\n", prove: func(h *house) {
		h.guest(h.t, "park")
		h.guest(h.t, "choi")
		p := h.guest(h.t, "kim")
		p.types("/msg park hello")
		p.sees("hello")
		p.types("/msg choi hello")
		p.sees("* You wrote to many new people within a minute.")
		p.types("/msg park again")
		p.sees("again")
	}},
	{keys: "room_ring_lines", limits: "room_ring_lines = 4\n", exempt: true, prove: func(h *house) {
		reader := h.pipe(h.t, login{user: "reader"})
		reader.sees("reader joined")
		speaker := h.pipe(h.t, login{user: "speaker"})
		var lines strings.Builder
		for n := range 500 {
			fmt.Fprintf(&lines, "line %d\n", n)
		}
		speaker.keys(lines.String() + "end\n")
		reader.sees("[speaker] end")
		reader.sees("lines skipped, /catchup shows them.")
		reader.types("/catchup")
		reader.sees("* That was it.")
		seen := reader.text()
		for n := range 500 {
			if want := fmt.Sprintf("[speaker] line %d\n", n); !strings.Contains(seen, want) {
				h.t.Errorf("a slow reader who caught up has not seen line %d", n)
			}
		}
		reader.types("/catchup")
		reader.sees("* Nothing was skipped.")
	}},
	{keys: "joins_per_minute", limits: "joins_per_minute = 2\n", prove: func(h *house) {
		p := h.guest(h.t, "kim")
		for _, name := range []string{"one", "two"} {
			p.types("/join #" + name)
			p.sees("* #" + name + " · here: 1")
		}
		p.types("/join #three")
		p.sees("* You came into too many rooms in a minute.")
		p.types("still here")
		p.sees("[kim] still here")
	}},
	{keys: "rooms_total", limits: "rooms_total = 2\n", prove: func(h *house) {
		p := h.guest(h.t, "kim")
		p.types("/join #one")
		p.sees("* #one · here: 1")
		p.types("/join #two")
		p.sees("* There are 2 rooms, and no more can be made.")
		h.pipe(h.t, login{user: "two+lee"}).ends(1)
		h.pipe(h.t, login{user: "one+lee"}).sees("lee joined.")
	}},
	{keys: "rooms_per_person", limits: "rooms_per_person = 2\n", prove: func(h *house) {
		p := h.guest(h.t, "kim")
		p.types("/join #one")
		p.sees("* #one · here: 1")
		p.types("/join #two")
		p.sees("* You are in 2 rooms, and more are not possible at once.")
		p.types("/leave")
		p.sees("* You left #one.")
		p.types("/join #two")
		p.sees("* #two · here: 1")
	}},
	{keys: "room_keep", limits: "room_keep = \"1s\"\n", prove: func(h *house) {
		p := h.guest(h.t, "kim")
		p.types("/join #one")
		p.sees("* #one · here: 1")
		p.types("/leave")
		p.sees("* You left #one.")
		h.logs("did=closed", "room/one")
		p.types("/join #one") // another, of the same name
		p.sees("* #one · here: 1")
	}},
	{keys: "output_buffer_bytes", limits: "output_buffer_bytes = 4096\n", exempt: true, prove: func(h *house) {
		if missed := h.shoutAtTheDeaf(); missed == 0 {
			h.t.Error("nothing was skipped, want no more than 4096 bytes to be kept")
		}
	}},
	{keys: "output_buffer_bytes", limits: "output_buffer_bytes = 16777216\n", exempt: true, prove: func(h *house) {
		if missed := h.shoutAtTheDeaf(); missed != 0 {
			h.t.Errorf("%v lines were skipped, want room for all", missed)
		}
	}},
	{keys: "outbox_lines", limits: "outbox_lines = 2\n", exempt: true, prove: func(h *house) {
		p := h.guest(h.t, "kim")
		p.keys(strings.Repeat("x\r", 300))
		p.sees("Not sent: 2 of your messages wait to be saved.")
		q := h.pipe(h.t, login{user: "lee"})
		q.keys(strings.Repeat("y\n", 50))
		q.seesTimes(50, "[lee] y\n")
	}},
	{keys: "keepalive_interval", limits: "keepalive_interval = \"100ms\"\n", prove: func(h *house) {
		conn := connect(h.t, h.ssh, login{})
		c, chans, requests, err := ssh.NewClientConn(conn, h.ssh, login{user: "kim"}.config(h.t))
		if err != nil {
			h.t.Fatal(err)
		}
		asked := make(chan struct{}, 64)
		mine := make(chan *ssh.Request)
		go ssh.DiscardRequests(mine)
		go func() {
			defer close(mine)
			for r := range requests {
				if r.Type == "keepalive@openssh.com" {
					asked <- struct{}{}
				}
				mine <- r
			}
		}()
		client := ssh.NewClient(c, chans, nil)
		h.t.Cleanup(func() { _ = client.Close() })
		s, err := client.NewSession()
		if err == nil {
			_, err = s.StdinPipe()
		}
		if err == nil {
			err = s.Shell()
		}
		if err != nil {
			h.t.Fatal(err)
		}
		for n := range 3 {
			select {
			case <-asked:
			case <-time.After(patience):
				h.t.Fatalf("asked %d times, want it every 100 ms", n)
			}
		}
	}},
	{keys: "tcp_keepalive", limits: "tcp_keepalive = \"7s\"\n", prove: func(h *house) {
		c := h.join(h.t, "park")
		if !eventually(patience, func() bool { s := keepaliveTimer(h.t, c.conn); return 0 < s && s <= 7*time.Second }) {
			h.t.Errorf("the kernel asks the peer in %v, want at most 7 s", keepaliveTimer(h.t, c.conn))
		}
	}},
	{keys: "idle_timeout", limits: "idle_timeout = \"5s\"\n", prove: func(h *house) {
		c := h.join(h.t, "park")
		p := h.guest(h.t, "kim")
		p.sees("* You have been silent for too long, so the session ends.")
		p.ends(1)
		c.in.waitEnd(patience)
		c.read = len(c.in.String())
		c.reset()
	}},
	{keys: "shutdown_timeout", limits: "shutdown_timeout = \"100ms\"\n", exempt: true, prove: func(h *house) {
		_, _ = h.deafSocket(h.t)
		h.signal(syscall.SIGTERM)
		h.exits(5*time.Second, 0)
		h.logs("door did not close in time", "proto=ssh")
	}},
	{keys: "memory_shed_percent", limits: "memory_shed_percent = 10\n", env: []string{"GOMEMLIMIT=24MiB"}, prove: func(h *house) {
		h.admits(h.ssh, "", false)
		h.admits(h.tcp, "", false)
		h.turnedAway("ssh", "memory", 1)
		h.turnedAway("tcp", "memory", 1)
	}},
	{keys: "logged_bytes", limits: "logged_bytes = 10\n", prove: func(h *house) {
		h.command(h.t, login{user: "abcdefghijklmnop\x1b"}, "who")
		h.logs("user=abcdefghij… ")
	}},
	{
		keys: "log_lines_per_second_per_address", limits: "connections_per_address = 1\nlog_lines_per_second_per_address = 1\n",
		prove: func(h *house) {
			h.admits(h.tcp, "", true)
			for range 20 {
				h.admits(h.tcp, "", false)
			}
			h.becomes(`sarangbang_log_lines_withheld_total{door="tcp"}`, 10, 20)
		},
	},
	{
		keys: "log_lines_per_second_per_address", limits: "connections_per_address = 1\nlog_lines_per_second_per_address = 1000\n",
		prove: func(h *house) {
			h.admits(h.tcp, "", true)
			for range 20 {
				h.admits(h.tcp, "", false)
			}
			if !h.log.wait(patience, func(log string) bool { return strings.Count(log, "connection refused") == 20 }) {
				h.t.Errorf("log:\n%s\nwant a line for each of 20 connections", h.log)
			}
		},
	},
}

// quick lifts the rate of messages where it would be in the way.
const quick = "message_burst = 1000\n"

// penalties lets one offence cost an hour, and all others nothing.
func penalties(which string) string {
	text := "penalty_threshold = \"1s\"\npenalty_max = \"2h\"\n"
	for _, p := range []string{"penalty_auth_failure", "penalty_no_auth", "penalty_login_timeout", "penalty_refused", "penalty_crash"} {
		cost := "0s"
		if p == which {
			cost = "1h"
		}
		text += p + " = " + strconv.Quote(cost) + "\n"
	}
	return text
}

func TestLimitsAreInForce(t *testing.T) {
	t.Parallel()
	for _, c := range limitCases {
		t.Run(c.keys, func(t *testing.T) {
			t.Parallel()
			c.prove(openHouse(t, setup{limits: c.limits, exempt: c.exempt, env: c.env}))
		})
	}
}

// A limit that nobody wired is a promise that is not kept.
func TestEveryLimitIsProven(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/CONFIG.md")
	if err != nil {
		t.Fatal(err)
	}
	// TestFilesKeptBack, TestFullDisk, TestOldLinesGoFromAHouse
	proven := []string{"fd_reserve", "disk_reserve_bytes", "keep_days", "keep_lines"}
	for _, c := range limitCases {
		proven = append(proven, strings.Fields(c.keys)...)
	}
	_, table, _ := strings.Cut(string(page), "## Limits")
	rows := regexp.MustCompile("(?m)^\\| `([a-z0-9_]+)` \\|").FindAllStringSubmatch(table, -1)
	if len(rows) < 60 {
		t.Errorf("found %d limits in docs/CONFIG.md, want all of them", len(rows))
	}
	for _, row := range rows {
		if _, elsewhere := provenElsewhere[row[1]]; !elsewhere && !slices.Contains(proven, row[1]) {
			t.Errorf("no test reaches the limit %s", row[1])
		}
	}
}

// knocks connects, and reports whether the house says anything: it closes who is not let in without a word.
func (h *house) knocks(address, from string) bool {
	h.t.Helper()
	d := net.Dialer{Timeout: patience}
	if from != "" {
		d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(from)}
	}
	conn, err := d.DialContext(context.Background(), "tcp", address)
	if errors.Is(err, syscall.ECONNRESET) {
		return false // already
	}
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	n, err := conn.Read(make([]byte, 1))
	if errors.Is(err, os.ErrDeadlineExceeded) {
		h.t.Fatalf("%s neither speaks nor closes", address)
	}
	return n == 1
}

// admits wants a new connection to be let in, or not. It stays open.
func (h *house) admits(address, from string, want bool) {
	h.t.Helper()
	if got := h.knocks(address, from); got != want {
		h.blame()
		h.t.Errorf("a connection from %q is let in: %v, want %v", from, got, want)
	}
}

// turnedAway wants so many connections refused for that reason.
func (h *house) turnedAway(door, reason string, least float64) {
	h.t.Helper()
	h.becomes(fmt.Sprintf("sarangbang_connections_refused_total{door=%q,reason=%q}", door, reason), least, least+10)
}

// cutOff wants the house to close the connection for that reason.
func (h *house) cutOff(conn net.Conn, reason string) {
	h.t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
		h.t.Errorf("still open after %v, want %s", patience, reason)
	}
	h.turnedAway("ssh", reason, 1)
}

// crowd logs in so many times at once, and lets everybody go again.
func (h *house) crowd(n int) {
	h.t.Helper()
	config := login{user: "crowd"}.config(h.t)
	var all sync.WaitGroup
	for range n {
		conn := connect(h.t, h.ssh, login{})
		all.Go(func() {
			if c, _, _, err := ssh.NewClientConn(conn, h.ssh, config); err == nil {
				_ = c.Close()
			}
			_ = conn.Close()
		})
	}
	all.Wait()
}

// liar signs something else than it should.
type liar struct{ ssh.Signer }

func (l liar) Sign(random io.Reader, _ []byte) (*ssh.Signature, error) {
	return l.Signer.Sign(random, []byte("something else"))
}

// weakKey is a key that is too short to be accepted.
func weakKey(tb testing.TB) ssh.Signer {
	tb.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		tb.Fatal(err)
	}
	key, err := ssh.NewSignerFromKey(private)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

// offend connects and leaves without trying to log in.
func (h *house) offend(from string) {
	h.t.Helper()
	conn := connect(h.t, h.ssh, login{from: from})
	if _, err := bufio.NewReader(conn).ReadString('\n'); err != nil {
		h.t.Fatalf("no version line: %v", err)
	}
	_ = conn.Close()
	h.becomes(`sarangbang_connections_unauthenticated{door="ssh"}`, 0, 0)
}

// pays wants nobody let in from the address. The penalty comes a moment after the end of a connection.
func (h *house) pays(from string) {
	h.t.Helper()
	if !eventually(patience, func() bool { return !h.knocks(h.ssh, from) }) {
		h.t.Errorf("connections from %q are still let in, want a penalty", from)
	}
	h.turnedAway("ssh", "penalty", 1)
}

func refusedChannel(err error) bool {
	_, refused := errors.AsType[*ssh.OpenChannelError](err)
	return refused
}

// channels wants so many sessions on one connection, and the next refused.
func (h *house) channels(client *ssh.Client, n int, reason string) {
	h.t.Helper()
	for range n {
		session(h.t, client)
	}
	if _, _, err := client.OpenChannel("session", nil); !refusedChannel(err) {
		h.t.Errorf("session %d on one connection: %v, want it refused", n+1, err)
	}
	h.turnedAway("ssh", reason, 1)
}

// sized comes in on a terminal of 100 × 40 cells that says it has another size.
func (h *house) sized(nick string, cols, rows int) *person {
	h.t.Helper()
	p := h.newPerson(h.t, login{user: nick})
	p.terminal = emulator.New(100, 40)
	if err := p.session.RequestPty("xterm", rows, cols, nil); err != nil {
		h.t.Fatal(err)
	}
	p.start(io.MultiWriter(p.terminal, p.out))
	p.sees("[" + nick + "]") // behind the prompt, or above it where that is narrow
	p.sees("nickname")
	p.keys("\r")
	p.prompted()
	return p
}

// wraps wants a terminal that says it has told columns to be used as if it had want.
func (h *house) wraps(told, want int) {
	h.t.Helper()
	p := h.sized("kim", told, 24)
	h.pipe(h.t, login{user: "lee"}).types(strings.Repeat("x", 95) + "Z")
	p.sees("Z")
	if row := "[lee] " + strings.Repeat("x", want-6); !slices.Contains(p.rows(), row) {
		h.t.Errorf("kim sees\n%s\nwant a row %q", p.shown(), row)
	}
}

// drafts wants a terminal that says it has told rows to be used as if it had want: one row less is for what is typed, and
// more than that is shown in part.
func (h *house) drafts(told, want int) {
	h.t.Helper()
	p := h.sized("kim", 40, told)
	fits := strings.Repeat("z", (want-1)*40-len("#lobby kim> ")-2) + "y"
	p.keys(fits)
	p.sees("zy")
	if got := strings.Count(p.text(), "z"); got != len(fits)-1 {
		h.t.Errorf("of a draft of %d letters %d are shown, want all; screen:\n%s", len(fits), got+1, p.shown())
	}
	p.keys("x")
	p.sees("yx")
	if !strings.Contains(p.text(), "#lobby kim> <z") {
		h.t.Errorf("a draft of %d letters is shown whole, want a part; screen:\n%s", len(fits)+1, p.shown())
	}
}

// asksAgain wants a nickname refused with the reason and another one taken, at both doors.
func (h *house) asksAgain(nick, why, better string) {
	h.t.Helper()
	p := h.knock(h.t, login{user: "x"})
	p.sees("nickname")
	p.types(nick)
	p.sees(why)
	p.types(better)
	p.sees(better + " joined.")
	p.leaves()
	c := h.visit(h.t, login{})
	c.sends(nick)
	c.awaits(prompt)
	c.sends(better)
	c.awaits(joined(better))
	c.leaves()
	h.becomes(`sarangbang_people{door="tcp"}`, 0, 0)
}

// shoutAtTheDeaf says more to somebody at the TCP door who reads nothing than the kernel keeps, and returns how many lines
// they missed in the end.
func (h *house) shoutAtTheDeaf() (missed float64) {
	h.t.Helper()
	deaf := h.dialTCP(h.t, login{user: "deaf", buffer: 4096})
	deaf.lined = true
	deaf.sends("deaf\n")
	h.becomes(`sarangbang_people{door="tcp"}`, 1, 1)
	speaker := h.pipe(h.t, login{user: "speaker"})
	for range 30 { // slowly enough for whoever keeps up
		speaker.keys(strings.Repeat(strings.Repeat("x", 500)+"\n", 100) + "end\n")
		speaker.sees("[speaker] end\n")
		speaker.out.forget()
	}
	speaker.keys("the last\n")
	speaker.sees("[speaker] the last\n")
	go deaf.receive()
	deaf.awaits("[speaker] the last\r\n")
	return h.metric("sarangbang_lines_missed_total")
}

// keepaliveTimer returns when the kernel will next ask the peer on the house's side of a connection, 0 if it will not.
func keepaliveTimer(tb testing.TB, client *net.TCPConn) time.Duration {
	tb.Helper()
	_, timer := farSide(tb, client)
	if kind, when, _ := strings.Cut(timer, ":"); kind == "02" {
		ticks, err := strconv.ParseInt(when, 16, 64)
		if err != nil {
			tb.Fatalf("timer %q: %v", timer, err)
		}
		return time.Duration(ticks) * time.Second / 100
	}
	return 0
}

// Files that are kept back are not given to connections: they wait.
func TestFilesKeptBack(t *testing.T) {
	t.Parallel()
	h := openHouse(t, setup{
		program: fewFiles(t, 120), exempt: true, limits: "connections_total = 10\nfd_reserve = 100\n",
	})
	const crowd = 10
	served := make(chan net.Conn, crowd)
	for range crowd {
		conn := connect(t, h.tcp, login{})
		go func() {
			if _, err := conn.Read(make([]byte, 1)); err == nil {
				served <- conn
			}
		}()
	}
	h.logs("no descriptors to spare, connections wait")
	for n := range crowd { // those who wait have their turn when somebody leaves
		select {
		case conn := <-served:
			_ = conn.Close()
		case <-time.After(patience):
			t.Fatalf("%d of %d connections were served, want the others to be when there is room", n, crowd)
		}
	}
}

// A default total lowers itself to what the files allow, with a warning; what keeps the house from running is still one sentence.
func TestFewFiles(t *testing.T) {
	t.Parallel()
	program := fewFiles(t, 300)
	h := openHouse(t, setup{program: program})
	h.logs("level=WARN", "only 300 files may be open, so each of 2 doors takes 118 connections instead of 12000")
	h.chats(t)
	for name, s := range map[string]setup{
		"a total that was set": {program: program, limits: "connections_total = 200\n"},
		"a port that is taken": {program: program, args: []string{"--ssh-addr", h.ssh}},
	} {
		refused := startHouse(t, s)
		refused.exits(2*time.Second, 1)
		if said := refused.log.String(); strings.Count(said, "\n") != 1 || !strings.HasPrefix(said, "sarangbang: ") {
			t.Errorf("%s: stderr is %q, want one sentence", name, said)
		}
	}
}

// fewFiles returns a program that is the house with a hard limit of open files.
func fewFiles(tb testing.TB, n int) string {
	tb.Helper()
	path := writeFile(tb, "few", fmt.Sprintf("#!/bin/sh\nulimit -n %d\nexec %s \"$@\"\n", n, program))
	if err := os.Chmod(path, 0o700); err != nil {
		tb.Fatal(err)
	}
	return path
}
