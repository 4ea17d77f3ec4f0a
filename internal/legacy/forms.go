package legacy

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"sarangbang/internal/session"
	"sarangbang/room"
)

// The words of the old protocol. Clients compare none of them, but people and scripts have read them for years: not a byte
// may change.
const (
	promptText = "채팅 닉네임을 입력하세요.: "
	takenText  = "이미 등록된 닉네임 입니다.\n"
	byeWord    = "/bye"

	locale = "ko_KR.UTF-8" // of the protocol
)

// maxFrame is the size of an old client's recv. A frame that is longer, its prefix included, is cut by that recv, within a
// character if it so happens, and then the client is deaf for good.
const maxFrame = 1024

// frames draws an event: one frame for each line of it, or several where a line is long, each with the prefix that says whose
// it is. What the old protocol has no words for is said in its manner. The same for everybody, so it can be drawn once.
func frames(e *room.Event) []string {
	nick := string(e.From.Nick)
	switch b := e.Body.(type) {
	case room.Said:
		return split("["+nick+"] ", b.Text)
	case room.Emoted:
		return split("["+nick+"] * ", b.Text)
	case room.Told: // nobody at this door can send one, so whoever sees it is its receiver
		return split("["+nick+" → 나] ", b.Text)
	case room.Joined:
		return []string{joinedLine(nick)}
	case room.Parted:
		return []string{partedLine(nick)}
	case room.Renamed:
		return []string{partedLine(nick), joinedLine(string(b.To))}
	case room.Kicked:
		return append(notice(e), leaving(e.Subject, b.Whom)...)
	case room.Barred:
		return append(notice(e), leaving(room.Lobby, b.Left...)...)
	case room.Undone:
		return append(notice(e), leaving(room.Lobby, b.Left...)...)
	case room.Notice, room.Arranged, room.Ranked, room.Lifted, room.Withdrawn, room.Announced:
		return notice(e)
	case room.Invited: // into a room that nobody of this door can come into
	case room.Removed: // stands where lines are looked up, which nobody at this door can do
	case room.Registered, room.KeyAdded, room.KeyRemoved, room.Configured, room.Erased, room.Opened, room.Closed, room.Appointed, room.Absent,
		room.Unknown: // told to nobody
	}
	return nil
}

// notice is what the house says of an event, under the one nickname that nobody can have. What was done in another room than the one of
// this door is none of its people's business.
func notice(e *room.Event) []string {
	if e.Subject != room.Lobby && e.Subject != room.HouseSubject && e.Subject != "" {
		return nil
	}
	text := session.Sentence(e, locale)
	if text.Empty() {
		return nil
	}
	return split("[*] ", text)
}

// leaving are the frames by which an old client learns that people are not in its room any more.
func leaving(where room.Subject, people ...room.Person) []string {
	if where != room.Lobby {
		return nil
	}
	var lines []string
	for _, p := range people {
		lines = append(lines, partedLine(string(p.Nick)))
	}
	return lines
}

func joinedLine(nick string) string { return "[" + nick + "]님이 입장 했습니다." }
func partedLine(nick string) string { return "[" + nick + "] 님이 퇴장하셨습니다." }

// split puts the prefix before each line of text and before each piece of a line too long for one frame.
func split(prefix string, text room.Text) []string {
	var out []string
	for line := range strings.SplitSeq(text.String(), "\n") {
		for {
			n := cut(line, maxFrame-len(prefix))
			out = append(out, prefix+line[:n])
			if line = line[n:]; line == "" {
				break
			}
		}
	}
	return out
}

// cut returns how many bytes of s make a piece of at most limit bytes that ends between two characters, and not in front of
// something that is drawn together with what is before it, if that can be had for a few bytes. It is never 0 but for s == "".
func cut(s string, limit int) int {
	if len(s) <= limit {
		return len(s)
	}
	n := limit
	for !utf8.RuneStart(s[n]) && n > 0 && n > limit-utf8.UTFMax {
		n--
	}
	switch {
	case !utf8.RuneStart(s[n]): // not UTF-8
		return limit
	case n == 0: // the limit is smaller than the first character
		_, n = utf8.DecodeRuneInString(s)
		return n
	}
	const few = 64 // the longest emoji take 35 bytes
	for i := n; i > max(0, n-few); {
		before, size := utf8.DecodeLastRuneInString(s[:i])
		if after, _ := utf8.DecodeRuneInString(s[i:]); !joined(before, after) {
			return i
		}
		i -= size
	}
	return n
}

// joined reports whether two neighbours are drawn as one: the cases of UAX #29 that need no table of their own.
func joined(before, after rune) bool {
	const joiner = '\u200d'
	switch {
	case before == joiner, after == joiner, unicode.Is(unicode.M, after):
		return true
	case after >= 0x1160 && after <= 0x11ff: // vowels and finals of decomposed Hangul
		return true
	case after >= 0x1f3fb && after <= 0x1f3ff: // skin tones
		return true
	}
	return false
}
