package main

import (
	"os"
	"strings"
	"testing"
)

func TestWhatIsNotTheHouse(t *testing.T) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	for _, tt := range []struct {
		args        string
		status      int
		out, stderr string // beginnings; nothing where empty
	}{
		{"version", 0, "sarangbang " + version, ""},
		{"version extra", 1, "", "sarangbang: version takes nothing more"},
		{"--version", 0, "sarangbang " + version, ""},
		{"-version", 0, "sarangbang " + version, ""},
		{"help", 0, "sarangbang: a chat house", ""},
		{"--help", 0, "sarangbang: a chat house", ""},
		{"serve -h", 0, "sarangbang: a chat house", ""},
		{"connect --help", 0, "sarangbang: a chat house", ""},
		{"connect --lang ko", 1, "", "sarangbang: connect takes no flags"},
		{"connect a b", 1, "", "sarangbang: connect takes no flags, and one house"},
		{"conect", 1, "", "sarangbang: unexpected argument \"conect\""},
		{"connect 127.0.0.1:1", 1, "", "127.0.0.1:1 서버에 연결하지 못했습니다."},
		{"connect [::1]:x", 1, "", "[::1]:x 서버에 연결하지 못했습니다."},
	} {
		var out, stderr strings.Builder
		status := run(strings.Fields(tt.args), func(string) string { return "" }, null, &out, &stderr)
		if status != tt.status || !begins(out.String(), tt.out) || !begins(stderr.String(), tt.stderr) || strings.Count(stderr.String(), "\n") != tt.status {
			t.Errorf("sarangbang %s = %d, stdout %q, stderr %q; want %d, %q, %q", tt.args, status, &out, &stderr, tt.status, tt.out, tt.stderr)
		}
	}
}

func begins(s, want string) bool { return strings.HasPrefix(s, want) && (s == "") == (want == "") }
