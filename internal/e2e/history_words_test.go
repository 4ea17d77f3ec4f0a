//go:build linux

package e2e

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"sarangbang/internal/testkit/historycheck"
)

// What stands on a screen, as far as TestNothingSeenIsLost has to understand it.
var (
	// A letter is a direct message; one that was kept says when it was written.
	chatRow   = regexp.MustCompile(`^\[([^\]→]+)\] (.*)$`)
	letterRow = regexp.MustCompile(`^(?:[\d: -]+ )?\[([^\]]+) → ([^\]]+)\] (.*)$`)
	gapRow    = regexp.MustCompile(`^(?:\* .*?(?i:\b(one|\d+)) (?:older )?lines? (?:(?:is|are|was|were) )?skipped|\[\*\] .*?(\d+)줄을 건너뛰었습니다)`)
	againRow  = regexp.MustCompile(`^\* You may have seen these before you left:$`)
	newRow    = regexp.MustCompile(`^\* (?:New since your last visit, .*:|Nothing was said in #\S+ since your last visit\.)$`)
	// What was not done, of what was typed: by the number of the line where a pipe is told of it.
	refusalRow = regexp.MustCompile(`^(?:\* (?:line (\d+): )?(?:Not saved|Not sent|Not said|Not delivered|Nobody here is called|You may read, but not speak )|\[\*\] (?:저장하지 못|보내지 않|말하지 못|.*말할 수 없습니다))`)
	// So many refusals at once that some were not told.
	untoldRow = regexp.MustCompile(`^\* (?:One notice was|\d+ notices were) skipped`)
	// Registered means that the nickname is the reader's from now on.
	registeredRow = regexp.MustCompile(`^\* (?:The nickname .* is yours\.|You have an account already)`)
)

// markOf reads one row of somebody's screen.
func markOf(row, me string) (m historycheck.Mark, ok bool) {
	if mm := gapRow.FindStringSubmatch(row); mm != nil {
		n, err := strconv.Atoi(mm[1] + mm[2])
		if err != nil { // it says one
			n = 1
		}
		return historycheck.Mark{Kind: historycheck.Gap, N: n}, true
	}
	switch {
	case againRow.MatchString(row):
		return historycheck.Mark{Kind: historycheck.Again}, true
	case newRow.MatchString(row), row == "* "+me+" joined.", row == joined(me):
		return historycheck.Mark{Kind: historycheck.New}, true
	}
	if l, ok := lineOf(row, me); ok {
		return historycheck.Mark{Kind: historycheck.Saw, Line: l}, true
	}
	return m, false
}

// lineOf reads a row in which somebody says something.
func lineOf(row, me string) (l historycheck.Line, ok bool) {
	if m := letterRow.FindStringSubmatch(row); m != nil {
		for i, who := range m[1:3] {
			if who == "you" || who == "나" {
				m[i+1] = me
			}
		}
		return historycheck.Line{Author: m[1], To: m[2], Text: m[3]}, true
	}
	m := chatRow.FindStringSubmatch(row)
	if m == nil || m[1] == "*" || row == left(m[1]) {
		return l, false
	}
	return historycheck.Line{Author: m[1], Text: m[2]}, true
}

func TestRowsAreReadAsTheyAreMeant(t *testing.T) {
	t.Parallel()
	saw := func(author, to, text string) historycheck.Mark {
		return historycheck.Mark{Kind: historycheck.Saw, Line: historycheck.Line{Author: author, To: to, Text: text}}
	}
	gap := func(n int) historycheck.Mark { return historycheck.Mark{Kind: historycheck.Gap, N: n} }
	for row, want := range map[string]historycheck.Mark{
		"[lee] 7 안녕 [x] y":                  saw("lee", "", "7 안녕 [x] y"),
		"[lee] * waves":                     saw("lee", "", "* waves"),
		"[lee → you] psst":                  saw("lee", "kim", "psst"),
		"[you → lee] psst":                  saw("kim", "lee", "psst"),
		"[lee → 나] psst":                    saw("lee", "kim", "psst"),
		"15:04 [lee → you] psst":            saw("lee", "kim", "psst"),
		"2026-11-23 15:04 [lee → you] psst": saw("lee", "kim", "psst"),
		"[lee → park] psst":                 saw("lee", "park", "psst"),
		"* kim joined.":                     {Kind: historycheck.New},
		"[kim]님이 입장 했습니다.":                  {Kind: historycheck.New},
		"[*] 읽는 것이 늦어서 9줄을 건너뛰었습니다.":                                                        gap(9),
		"* 37 lines were skipped, since you were reading too slowly.":                       gap(37),
		"* 37 lines skipped, /catchup shows them.":                                          gap(37),
		"* 1 line skipped, /catchup shows it.":                                              gap(1),
		"* One line was skipped, since you were reading too slowly.":                        gap(1),
		"* While you were away more was said than fits here: 12 older lines are skipped, …": gap(12),
		"* While you were away more was said than fits here: one older line is skipped, …":  gap(1),
		"* You may have seen these before you left:":                                        {Kind: historycheck.Again},
		"* New since your last visit, 3 lines:":                                             {Kind: historycheck.New},
		"* New since your last visit, one line:":                                            {Kind: historycheck.New},
		"* Nothing was said in #lobby since your last visit.":                               {Kind: historycheck.New},
	} {
		if got, ok := markOf(row, "kim"); !ok || got != want {
			t.Errorf("%q is read as %v, %v, want %v", row, got, ok, want)
		}
	}
	for _, row := range []string{"", "* lee joined.", "* lee left.", "[lee]님이 입장 했습니다.", "[lee] 님이 퇴장하셨습니다.", "[*] 환영합니다.", "#lobby kim>", "* Welcome, kim."} {
		if got, ok := markOf(row, "kim"); ok {
			t.Errorf("%q is read as %v, want nothing", row, got)
		}
	}
	for row, want := range map[string]string{
		"* line 12: Not saved, so nobody saw it: …": "12", "* Not sent: …": "", "[*] 저장하지 못해서 아무에게도 보이지 않았습니다.": "",
		"* line 7: Not said: you may not speak here now.": "7", "* You may read, but not speak in #dev until 2026-11-23 12:04.": "",
		"[*] 말하지 못했습니다: 지금은 여기서 말할 수 없습니다.": "", "[*] #lobby 방에서는 읽을 수만 있고 말할 수 없습니다.": "",
	} {
		if m := refusalRow.FindStringSubmatch(row); m == nil || m[1] != want {
			t.Errorf("%q is read as %q, want a refusal of line %q", row, m, want)
		}
	}
}

// smallTalk is what lines are made of, in many scripts.
var smallTalk = strings.Fields("사랑방 손님과 이야기를 나누어요 the kettle sings while rain 落ち葉 を踏む 音 приходит вечер 🍵 ok")
