package legacy

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// decoded is what a connection's reads come to: the messages that are to be said, and whether the person took leave.
func decoded(limit int, reads ...string) (messages []string, bye bool) {
	d := decoder{limit: limit}
	t := newTyped(limit)
	take := func(c chunk) {
		t.put(c)
		for {
			text, leave, ok := t.nextMessage()
			if !ok {
				return
			}
			if leave {
				bye = true
			} else {
				messages = append(messages, text)
			}
		}
	}
	for _, r := range reads {
		take(d.read([]byte(r)))
	}
	take(d.expire())
	return messages, bye
}

func TestReadsBecomeMessages(t *testing.T) {
	for _, c := range []struct {
		name  string
		reads []string
		want  []string
		bye   bool
	}{
		{name: "one read is one message", reads: []string{"hello", "you"}, want: []string{"hello", "you"}},
		{name: "nothing is trimmed", reads: []string{"  a  ", " "}, want: []string{"  a  ", " "}},
		{name: "exactly the word leaves", reads: []string{"/bye"}, bye: true},
		{
			name: "anything else does not", reads: []string{"/BYE", "/bye ", " /bye", "hello /bye", "/b", "ye"},
			want: []string{"/BYE", "/bye ", " /bye", "hello /bye", "/b", "ye"},
		},
		{name: "two sends in one read", reads: []string{"hello/bye"}, want: []string{"hello/bye"}},
		{name: "a CR in message mode", reads: []string{"/bye\r"}, want: []string{"/bye"}},
		{name: "breaks part a message", reads: []string{"a\rb\vc\fd\u0085e\u2028f\u2029g"}, want: []string{"a", "b", "c", "d", "e", "f", "g"}},
		{name: "a split character", reads: []string{"\xea\xb0", "\x80"}, want: []string{"가"}},
		{name: "a character split over the end of a read", reads: []string{"나\xea", "\xb0\x80다"}, want: []string{"나", "가다"}},
		{name: "half a character at the end", reads: []string{"a\xed\x95"}, want: []string{"a", "\ufffd"}},
		{name: "bytes that are not UTF-8", reads: []string{"a\xff\xfeb\xed\x95c\x80"}, want: []string{"a\ufffd\ufffdb\ufffd\ufffdc\ufffd"}},
		{name: "telnet", reads: []string{"\xff\xfb\x1f\xff\xfd\x03a\xff\xf4\xff\xfd\x06b", "\xff\xfb\x01"}, want: []string{"ab"}},
		{name: "a telnet subnegotiation", reads: []string{"a\xff\xfa\x18\x00xterm\xff\xf0b"}, want: []string{"ab"}},
		{name: "not quite telnet", reads: []string{"\xff\xfdx\xff\xfe \xff\xfaz"}, want: []string{"\ufffd\ufffdx\ufffd\ufffd \ufffd\ufffdz"}},
		{name: "the end of a read is no telnet", reads: []string{"\xff\xfb", "a"}, want: []string{"\ufffd\ufffd", "a"}},

		{name: "lines", reads: []string{"a\nb\r\nc\n/bye\n"}, want: []string{"a", "b", "c"}, bye: true},
		{name: "line mode stays", reads: []string{"\n", "a", "b\n", "/b", "ye\n"}, want: []string{"ab"}, bye: true},
		{name: "empty lines are not said, blank ones are", reads: []string{"\n\r\n \n"}, want: []string{" "}},
		{name: "a line without its end", reads: []string{"a\nb"}, want: []string{"a", "b"}},
		{name: "the word without its end", reads: []string{"a\n/bye"}, want: []string{"a"}, bye: true},
		{name: "CR LF split over two reads", reads: []string{"a\nb\r", "\nc\n"}, want: []string{"a", "b", "c"}},
		{name: "a forged line", reads: []string{"x\n[kim] forged\n"}, want: []string{"x", "[kim] forged"}},
		{name: "the word after a break is no command", reads: []string{"x\r/bye\n"}, want: []string{"x", "/bye"}},
		{name: "what came in message mode stands alone", reads: []string{"hel", "lo\nx\n"}, want: []string{"hel", "lo", "x"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, bye := decoded(4096, c.reads...)
			if !slices.Equal(got, c.want) || bye != c.bye {
				t.Errorf("reads %q are messages %q, leave %v; want %q, %v", c.reads, got, bye, c.want, c.bye)
			}
		})
	}
}

func TestEndlessLineGoesOnInPieces(t *testing.T) {
	const limit = 100
	line := strings.Repeat("나", 500)
	var reads []string
	for rest := "\n" + line; rest != ""; {
		n := min(64, len(rest))
		reads, rest = append(reads, rest[:n]), rest[n:]
	}
	d := decoder{limit: limit}
	for _, r := range reads {
		d.read([]byte(r))
		if len(d.kept) >= limit+utf8.UTFMax {
			t.Fatalf("%d bytes are kept, want fewer than %d", len(d.kept), limit+utf8.UTFMax)
		}
	}
	got, _ := decoded(limit, reads...)
	if strings.Join(got, "") != line {
		t.Errorf("the pieces %q are not the line", got)
	}
	for i, m := range got {
		if len(m) > limit || i < len(got)-1 && len(m) < limit-2 {
			t.Errorf("piece %d of %d has %d bytes, want about %d", i, len(got), len(m), limit)
		}
	}
}

func TestMessagesAreCountedAsTheyWouldBeSaid(t *testing.T) {
	for text, want := range map[string]int{"a\n\nb\r\nc\vd\n": 4, "\n\n": 0, "a": 1, "abcdefghijk\n": 2} {
		if got := (chunk{text: text, lined: true}).messages(10); got != want {
			t.Errorf("messages in %q: %d, want %d", text, got, want)
		}
	}
}

func TestStrangersAreRecognised(t *testing.T) {
	for answer, want := range map[string]bool{
		"GET / HTTP/1.1": true, "PRI * HTTP/2.0": true, "OPTIONS rtsp://x RTSP/1.0": false,
		"SSH-2.0-OpenSSH_9.2": true, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03": true,
		"GET": false, "get well soon": false, "ssh": false, "": false, "김": false,
	} {
		if got := stranger(answer); got != want {
			t.Errorf("stranger(%q) = %v, want %v", answer, got, want)
		}
	}
}

func TestValidTextSurvivesAnySplitting(t *testing.T) {
	text := strings.Repeat("가나다 héllo 👨‍👩‍👧‍👦 ह\u093f\u0902 ", 200)
	random := rand.New(rand.NewPCG(1, 2))
	for range 30 {
		var reads []string
		for rest := text; rest != ""; {
			n := min(1+random.IntN(40), len(rest))
			reads, rest = append(reads, rest[:n]), rest[n:]
		}
		for _, first := range []string{"", "\n"} {
			messages, _ := decoded(4096, slices.Concat([]string{first}, reads)...)
			if got := strings.Join(messages, ""); got != text {
				t.Fatalf("reads %q came out as %q", reads, got)
			}
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("kim\nhello\nbye now\n/bye\n"), uint64(0))
	f.Add([]byte("한글\r\n\xed\x95"), uint64(0b1001))
	f.Add([]byte("\xff\xfd\x03\xff\xfa\x18\x00x\xff\xf0 a\u2028b\x80"), uint64(0x5555))
	f.Add(bytes.Repeat([]byte("\x80"), 99), uint64(1))
	f.Add([]byte("a\u0301\u0301👩‍👩‍👧"), ^uint64(0))
	f.Fuzz(func(t *testing.T, input []byte, cuts uint64) {
		const limit = 48
		var reads []string
		for rest := string(input); rest != ""; {
			n := 1
			for n < len(rest) && n < 32 && cuts>>(n%64)&1 == 0 {
				n++
			}
			cuts = cuts>>7 | cuts<<57
			reads, rest = append(reads, rest[:n]), rest[n:]
		}
		messages, bye := decoded(limit, reads...)
		total := 0
		for _, m := range messages {
			if m == "" || !utf8.ValidString(m) || len(m) > limit || strings.ContainsFunc(m, breaks) {
				t.Errorf("message %q is empty, not UTF-8, too long or has a break in it", m)
			}
			total += len(m)
		}
		if total > 3*len(input) {
			t.Errorf("%d bytes came of %d", total, len(input))
		}
		if !utf8.Valid(input) || bye {
			return
		}
		got := strings.Join(messages, "")
		want := strings.Map(func(r rune) rune {
			if breaks(r) {
				return -1
			}
			return r
		}, string(input))
		if got != want {
			t.Errorf("reads %q came out as %q, want %q", reads, got, want)
		}
	})
}
