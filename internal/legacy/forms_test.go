package legacy

import (
	"encoding/hex"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"sarangbang/room"
)

func text(t *testing.T, s string) room.Text {
	t.Helper()
	clean, err := room.Clean(s, room.TextLimits{})
	if err != nil {
		t.Fatal(err)
	}
	return clean
}

func TestWordsAreThoseOfTheOldServerByteForByte(t *testing.T) {
	kim := room.Person{Nick: "kim"}
	const nick = "6b696d"
	for _, c := range []struct{ name, got, want string }{
		{"prompt", promptText, "ecb184ed8c8520eb8b89eb84a4ec9e84ec9d8420ec9e85eba0a5ed9598ec84b8ec9a942e3a20"},
		{"taken", takenText, "ec9db4ebafb820eb93b1eba19deb909c20eb8b89eb84a4ec9e8420ec9e85eb8b88eb8ba42e0a"},
		{
			"joined", frames(&room.Event{From: kim, Body: room.Joined{}})[0],
			"5b" + nick + "5deb8b98ec9db420ec9e85ec9ea520ed9688ec8ab5eb8b88eb8ba42e",
		},
		{
			"parted", frames(&room.Event{From: kim, Body: room.Parted{}})[0],
			"5b" + nick + "5d20eb8b98ec9db420ed87b4ec9ea5ed9598ec85a8ec8ab5eb8b88eb8ba42e",
		},
	} {
		if got := hex.EncodeToString([]byte(c.got)); got != c.want {
			t.Errorf("%s is %s, want %s", c.name, got, c.want)
		}
	}
}

func TestEveryEventHasItsForm(t *testing.T) {
	kim := room.Person{Nick: "kim"}
	for _, c := range []struct {
		body room.Body
		want []string
	}{
		{room.Said{Text: text(t, "hi\n\n there")}, []string{"[kim] hi", "[kim] ", "[kim]  there"}},
		{room.Emoted{Text: text(t, "waves")}, []string{"[kim] * waves"}},
		{room.Told{To: room.Person{Nick: "lee"}, Text: text(t, "hey")}, []string{"[kim → 나] hey"}},
		{room.Renamed{To: "lee"}, []string{"[kim] 님이 퇴장하셨습니다.", "[lee]님이 입장 했습니다."}},
		{room.Notice{Text: text(t, "a\nb")}, []string{"[*] a", "[*] b"}},
		{room.Unknown{Kind: "later"}, nil},
	} {
		if got := frames(&room.Event{From: kim, Body: c.body}); !slices.Equal(got, c.want) {
			t.Errorf("%#v is drawn as %q, want %q", c.body, got, c.want)
		}
	}
}

// TestFramesHoldWholeCharacters draws random lines and looks at each frame as a client does whose recv is of 1,024 bytes.
func TestFramesHoldWholeCharacters(t *testing.T) {
	letters := []string{"a", " ", "나", "é", "e\u0301", "👨‍👩‍👧‍👦", "👍🏽", "한", "\u1112\u1161\u11ab", "❤\ufe0f", "日"}
	random := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		var b strings.Builder
		one := random.IntN(2 * len(letters)) // half of the lines are of one letter only
		for n := random.IntN(4096); b.Len() < n; {
			if one < len(letters) {
				b.WriteString(letters[one])
			} else {
				b.WriteString(letters[random.IntN(len(letters))])
			}
		}
		nick := room.Nick(strings.Repeat("김", 1+random.IntN(21)))
		said := b.String()
		prefix := "[" + string(nick) + "] "
		var again strings.Builder
		last := 'x'
		for i, f := range frames(&room.Event{From: room.Person{Nick: nick}, Body: room.Said{Text: text(t, said)}}) {
			rest, ok := strings.CutPrefix(f, prefix)
			if !ok || len(f) > 1024 || !utf8.ValidString(f) {
				t.Fatalf("frame %d is %q (%d bytes), want valid UTF-8 of at most 1024 bytes after %q", i, f, len(f), prefix)
			}
			if after, _ := utf8.DecodeRuneInString(rest); joined(last, after) {
				t.Fatalf("frame %d begins with %q, which belongs to the character before", i, rest[:min(8, len(rest))])
			}
			last, _ = utf8.DecodeLastRuneInString(rest)
			again.WriteString(rest)
		}
		if again.String() != said {
			t.Fatalf("%q came out as %q", said, again.String())
		}
	}
}

func TestWhatIsDrawnTogetherIsNotCut(t *testing.T) {
	for _, cluster := range []string{"👨‍👩‍👧‍👦", "👍🏽", "e\u0301\u0323", "\u1112\u1161\u11ab", "❤\ufe0f", "क्\u200dष"} {
		for within := 1; within < len(cluster); within++ {
			if got := cut(strings.Repeat("x", 99)+cluster+"x", 99+within); got > 99 {
				t.Errorf("%d bytes within %q the cut is at %d, want at most 99", within, cluster, got)
			}
		}
	}
}

func TestCutMakesHeadwayWhateverItIsGiven(t *testing.T) {
	for name, s := range map[string]string{
		"marks only": "a" + strings.Repeat("\u0301", 2000), "joiners only": strings.Repeat("\u200d", 2000), "not UTF-8": strings.Repeat("\x80", 5000),
		"cut characters": strings.Repeat("\xed\x95", 3000),
	} {
		for _, limit := range []int{1, 2, 3, 64, 1000} {
			pieces := 0
			for rest := s; rest != ""; pieces++ {
				n := cut(rest, limit)
				if n < 1 || n > max(limit, utf8.UTFMax) {
					t.Fatalf("%s: cut(%d bytes, %d) = %d", name, len(rest), limit, n)
				}
				rest = rest[n:]
			}
			if most := 1 + 2*len(s)/max(1, limit-2); pieces > most {
				t.Errorf("%s: %d bytes in pieces of %d: %d pieces, want at most %d", name, len(s), limit, pieces, most)
			}
		}
	}
}

func TestWhatIsDrawnForAllIsDrawnOnce(t *testing.T) {
	var d drawn
	e := &room.Event{Seq: 7, From: room.Person{Nick: "kim"}, Body: room.Said{Text: text(t, "hi")}}
	first := d.frames(e)
	if again := d.frames(e); &again[0] != &first[0] {
		t.Error("the same event was drawn twice")
	}
	other := &room.Event{Seq: 7 + room.Seq(len(d.slots)), From: room.Person{Nick: "lee"}, Body: room.Said{Text: text(t, "ho")}}
	if got := d.frames(other)[0]; got != "[lee] ho" {
		t.Errorf("another event in its slot is drawn as %q, want %q", got, "[lee] ho")
	}
	if got := d.frames(e)[0]; got != "[kim] hi" {
		t.Errorf("after that the first one is drawn as %q, want %q", got, "[kim] hi")
	}
}
