package command_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"sarangbang/internal/command"
)

func TestCutWords(t *testing.T) {
	for rest, want := range map[string][]string{
		"":                           nil,
		"  \n ":                      nil,
		"one  two\nthree":            {"|one", "|two", "|three"},
		"from:kim hello":             {"from|kim", "|hello"},
		"FROM:Kim":                   {"from|Kim"},
		`from:"lee min" hi`:          {"from|lee min", "|hi"},
		`"from:kim" hi`:              {"|from:kim", "|hi"},
		`"two words" one`:            {"|two words", "|one"},
		`"open quote`:                {`|"open`, "|quote"},
		`a"b c"`:                     {`|a"b`, `|c"`},
		"http://example.com/x 14:30": {"|http://example.com/x", "|14:30"},
		"note: this":                 {"|note:", "|this"},
		"누가:kim":                     {"|누가:kim"},
		":x":                         {"|:x"},
		"zone:":                      {"|zone:"},
		"since:2026-11-22T14:30 a":   {"since|2026-11-22T14:30", "|a"},
		`from:"" x`:                  {"from|", "|x"},
	} {
		if got := command.CutWords(rest); !slices.Equal(got, want) {
			t.Errorf("cutWords(%q) = %q, want %q", rest, got, want)
		}
	}
}

func FuzzCutWords(f *testing.F) {
	for _, s := range []string{`from:"a b" c`, `"`, `a:"`, "x:y z", ":", "\n", `""""`, "\xff:\xfe"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, rest string) {
		for _, w := range command.CutWords(rest) {
			filter, text, _ := strings.Cut(w, "|")
			if !strings.Contains(rest, text) || strings.ToLower(filter) != filter {
				t.Errorf("cutWords(%q) has %q, which was not typed", rest, w)
			}
		}
	})
}

func TestMoment(t *testing.T) {
	seoul, err := time.LoadLocation("Asia/Seoul")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 22, 14, 0, 0, 0, seoul)
	for typed, want := range map[string]string{
		"2026-11-20":          "2026-11-20 00:00:00",
		"2026-1-2":            "2026-01-02 00:00:00",
		"2026-11-20 9:05":     "2026-11-20 09:05:00",
		"2026-11-20T09:05":    "2026-11-20 09:05:00",
		"2026-11-20 23:59:58": "2026-11-20 23:59:58",
		"13:59":               "2026-11-22 13:59:00",
		"14:00":               "2026-11-22 14:00:00",
		"14:01":               "2026-11-21 14:01:00", // it has not been so late today
		"23:59:59":            "2026-11-21 23:59:59",
		"30m":                 "2026-11-22 13:30:00",
		"12h":                 "2026-11-22 02:00:00",
		"7d":                  "2026-11-15 14:00:00",
		"2w":                  "2026-11-08 14:00:00",
		"0d":                  "2026-11-22 14:00:00",
		"99999d":              "1753-02-07 14:00:00",
		"0001-01-01":          "1677-09-21 08:40:35", // 2^63 nanoseconds before 1970, as Seoul counted then
		"99999w":              "1677-09-21 08:40:35",
		"9999-12-31":          "2262-04-12 08:47:16",
		"":                    "", "d": "", "-3d": "", "3": "", "3y": "", "100000w": "", "99999999999999999999d": "", "25:00": "", "2026-13-01": "",
		"2026-02-30": "", "soon": "", "14:30 2026-11-22": "", "2026-11-22 ": "",
	} {
		got, ok := command.Moment(typed, now)
		if !ok {
			if want != "" {
				t.Errorf("Moment(%q) is none, want %s", typed, want)
			}
			continue
		}
		if said := got.In(seoul).Format("2006-01-02 15:04:05"); said != want {
			t.Errorf("Moment(%q) = %s, want %q", typed, said, want)
		}
	}
}
