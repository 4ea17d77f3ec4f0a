//go:build linux

package e2e

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"sarangbang/internal/command"
	"sarangbang/room"
)

const moderating = "../../docs/MODERATING.md"

// deeds are how the page calls what not everybody may do.
var deeds = map[room.Deed]string{
	room.DeedOpen: "make a room", room.DeedTopic: "set a `/topic`", room.DeedInvite: "`/invite`", room.DeedKick: "`/kick`", room.DeedMute: "`/mute`",
	room.DeedBan: "`/ban`", room.DeedSlow: "`/slow`", room.DeedLock: "`/lock`", room.DeedWithdraw: "`/strike`", room.DeedAudit: "`/audit`, `/bans`",
	room.DeedPrivate: "`/room`", room.DeedPromote: "`/grant` a moderator or the owner", room.DeedAppoint: "`/grant` an operator",
	room.DeedHouseBan: "`/ban` or `/mute` in the whole house, or by a key", room.DeedAddresses: "see addresses, `/ban` by them",
	room.DeedAnnounce: "`/announce`",
}

// The table of the page is the one table of powers; -update writes it anew.
func TestModeratingShowsThePowers(t *testing.T) {
	const begin, end = "<!-- the table of package room -->\n", "<!-- until here -->\n"
	b, err := os.ReadFile(moderating)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(b), begin)
	got, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s has not the marks %q and %q", moderating, begin, end)
	}
	want := "\n| who | may |\n|---|---|\n"
	for _, role := range room.Roles() {
		var may []string
		for _, d := range slices.Sorted(maps.Keys(room.Deeds())) {
			if d.Needs() != role {
				continue
			}
			if deeds[d] == "" {
				t.Errorf("the page has no word for %q", d)
			}
			may = append(may, deeds[d])
		}
		if may != nil {
			want += fmt.Sprintf("| %s | %s |\n", role, strings.Join(may, ", "))
		}
	}
	want += "\n"
	switch {
	case got == want:
	case *update:
		if err := os.WriteFile(moderating, []byte(before+begin+want+end+after), 0o600); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("%s says\n%s\nwant\n%s\n(-update writes it)", moderating, got, want)
	}
}

// namedCommand is a command within a sentence.
var namedCommand = regexp.MustCompile("`/([a-z]+)")

// What the page tells to type works: every command that it names exists, and every example, in their order, is carried out in a real
// house by an operator, to whom everything is allowed.
func TestModeratingCanBeTyped(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(moderating)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range namedCommand.FindAllStringSubmatch(string(b), -1) {
		if _, there := command.Find(m[1]); !there {
			t.Errorf("%s names /%s, which there is not", moderating, m[1])
		}
	}
	key := newKey(t)
	h := openHouse(t, setup{exempt: true, keys: []string{ssh.FingerprintSHA256(key.PublicKey())}})
	chief := h.pipe(t, login{user: "chief", key: key})
	chief.types("/register")
	chief.types("/join #dev")
	chief.sees("* #dev · here: 1")
	h.register(t, "helper", newKey(t))
	for _, l := range []login{{user: "loud", key: newKey(t)}, {user: "pest", key: newKey(t)}, {user: "rude", from: "127.0.0.9"}, {user: "pupil", from: "127.0.0.9"}} {
		nick := l.user
		l.user = "dev+" + nick
		h.pipe(t, l).types("here I am")
		chief.sees("[" + nick + "] here I am")
	}
	line := regexp.MustCompile(`([0-9a-f]{8}) .*\[loud\] here`)
	examples := 0
	for block := range strings.SplitSeq(string(b), "```\n/") {
		lines, _, fenced := strings.Cut("/"+block, "\n```")
		if !fenced || strings.HasPrefix(block, "#") {
			continue
		}
		for typed := range strings.Lines(lines + "\n") {
			typed = strings.TrimSuffix(typed, "\n")
			if typed == "/strike ID" {
				typed = "/strike " + line.FindStringSubmatch(chief.text())[1]
			}
			examples++
			chief.types(typed)
			chief.types("/whoami")
			chief.seesTimes(examples, "You are chief.")
			if got := chief.errs.String(); got != "" {
				t.Fatalf("%s is answered by %q, want it to work", typed, got)
			}
		}
	}
	if examples < 20 {
		t.Errorf("%d examples, want all of them", examples)
	}
}
