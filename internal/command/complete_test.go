package command_test

import (
	"slices"
	"testing"

	"sarangbang/internal/command"
)

func TestComplete(t *testing.T) {
	people := []string{"Lee", "kim", "lee min", "김 철수"}
	rooms := func() []string { return []string{"#lobby", "#Dev", "#devel", "#개발"} }
	for _, c := range []struct {
		before string
		start  int
		want   []string
	}{
		{"/wh", 0, []string{"/who ", "/whois ", "/whoami "}},
		{"/WHOA", 0, []string{"/whoami "}},
		{"/na", 0, []string{"/names ", "/name "}},
		{"/누", 0, []string{"/누구 "}},
		{"/time s", 6, []string{"short "}},
		{"/lang ", 6, []string{"en ", "ko "}},
		{"/help ni", 6, []string{"nick "}},
		{"/msg l", 5, []string{"Lee ", "lee min "}},
		{"/msg lee m", 5, []string{"lee min "}},
		{"/msg 김", 5, []string{"김 철수 "}},
		{"/me hugs ki", 9, []string{"kim "}},
		{"hi k", 3, []string{"kim "}},
		{"le", 0, []string{"Lee ", "lee min "}},
		{"oh lee mi", 3, []string{"lee min "}},
		{"", 0, nil},
		{"hi ", 3, nil},
		{"zzz", 3, nil},
		{"//wh", 4, nil},
		{"/join #d", 6, []string{"#Dev ", "#devel "}},
		{"/join d", 6, []string{"#Dev ", "#devel "}},
		{"/join #dev se", 13, nil},
		{"/leave #개", 7, []string{"#개발 "}},
		{"/go #L", 4, []string{"#lobby "}},
		{"/who #lo", 5, []string{"#lobby "}},
		{"/search hi in:#de", 14, []string{"#Dev ", "#devel "}},
		{"see #DEVE", 4, []string{"#devel "}},
		{"/kic", 0, []string{"/kick "}},
		{"/ba", 0, nil}, // who may not call it
		{"/help ba", 6, nil},
		{"/help ki", 6, []string{"kick "}},
		{"/kick #dev k", 11, []string{"kim "}},
		{"#", 0, []string{"#lobby ", "#Dev ", "#devel ", "#개발 "}},
	} {
		start, got := command.Complete(c.before, people, rooms, func(row command.Command) bool { return row.Needs == "" || row.Name == "kick" })
		if start != c.start || !slices.Equal(got, c.want) {
			t.Errorf("Complete(%q) = %d, %q; want %d, %q", c.before, start, got, c.start, c.want)
		}
	}
}
