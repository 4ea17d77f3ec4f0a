package metrics

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func figures() Stats {
	return Stats{
		Doors: map[string]Door{
			"ssh": {
				People: 3, Screens: 5, Connections: 7, Unauthenticated: 2, Admitted: 40, Unlogged: 6, Panics: 1,
				Refused: map[string]uint64{"total": 4, "penalty": 9},
			},
			"tcp": {People: 1, Screens: 1, Connections: 1, Admitted: 2},
		},
		Rooms:   4,
		Bars:    2,
		Lines:   120,
		Voided:  map[string]uint64{"gone": 2},
		Refused: map[string]uint64{"message_rate": 8},
		Commit: Histogram{
			Bounds: []time.Duration{time.Millisecond, 25 * time.Millisecond}, Counts: []uint64{5, 3, 2}, Sum: 1500 * time.Millisecond,
		},
		Delivery: Histogram{Bounds: []time.Duration{time.Second}, Counts: []uint64{1, 0}, Sum: 4 * time.Millisecond},
		Gaps:     2, Missed: 77,
	}
}

func get(t *testing.T, h http.Handler, method, path string) (int, http.Header, string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, path, nil))
	body, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Code, w.Result().Header, string(body)
}

// ours returns the metric lines that are not those of the runtime.
func ours(body string) string {
	var b strings.Builder
	for line := range strings.Lines(body) {
		if strings.HasPrefix(line, "sarangbang_") {
			b.WriteString(line)
		}
	}
	return b.String()
}

func TestMetricsSayTheFiguresOfTheMoment(t *testing.T) {
	s := figures()
	h := Handler(func() Stats { return s }, func() error { return nil })
	code, _, body := get(t, h, "GET", "/metrics")
	const want = `sarangbang_bars 2
sarangbang_commit_seconds_bucket{le="0.001"} 5
sarangbang_commit_seconds_bucket{le="0.025"} 8
sarangbang_commit_seconds_bucket{le="+Inf"} 10
sarangbang_commit_seconds_sum 1.5
sarangbang_commit_seconds_count 10
sarangbang_connections{door="ssh"} 7
sarangbang_connections{door="tcp"} 1
sarangbang_connections_admitted_total{door="ssh"} 40
sarangbang_connections_admitted_total{door="tcp"} 2
sarangbang_connections_refused_total{door="ssh",reason="penalty"} 9
sarangbang_connections_refused_total{door="ssh",reason="total"} 4
sarangbang_connections_unauthenticated{door="ssh"} 2
sarangbang_connections_unauthenticated{door="tcp"} 0
sarangbang_delivery_seconds_bucket{le="1"} 1
sarangbang_delivery_seconds_bucket{le="+Inf"} 1
sarangbang_delivery_seconds_sum 0.004
sarangbang_delivery_seconds_count 1
sarangbang_gaps_told_total 2
sarangbang_journal_up 1
sarangbang_lines_missed_total 77
sarangbang_lines_total 120
sarangbang_log_lines_withheld_total{door="ssh"} 6
sarangbang_log_lines_withheld_total{door="tcp"} 0
sarangbang_panics_recovered_total{door="ssh"} 1
sarangbang_panics_recovered_total{door="tcp"} 0
sarangbang_people{door="ssh"} 3
sarangbang_people{door="tcp"} 1
sarangbang_records_voided_total{reason="gone"} 2
sarangbang_refusals_total{reason="message_rate"} 8
sarangbang_rooms 4
sarangbang_screens{door="ssh"} 5
sarangbang_screens{door="tcp"} 1
`
	if got := ours(body); code != http.StatusOK || got != want {
		t.Errorf("status %d, metrics:\n%s\nwant 200 and:\n%s", code, got, want)
	}
	for _, want := range []string{"\ngo_goroutines ", "\nprocess_open_fds ", "# HELP sarangbang_lines_total ", "# TYPE sarangbang_lines_total counter"} {
		if !strings.Contains(body, want) {
			t.Errorf("metrics do not contain %q", want)
		}
	}

	s.Lines, s.JournalDegraded = 121, "the disk is full"
	_, _, body = get(t, h, "GET", "/metrics")
	for _, want := range []string{"\nsarangbang_lines_total 121\n", "\nsarangbang_journal_up 0\n"} {
		if !strings.Contains(body, want) {
			t.Errorf("a moment later the metrics do not contain %q", want)
		}
	}
}

func TestHouseWithoutFiguresHasMetrics(t *testing.T) {
	code, _, body := get(t, Handler(func() Stats { return Stats{} }, func() error { return nil }), "GET", "/metrics")
	if got := ours(body); code != http.StatusOK || !strings.Contains(got, "sarangbang_lines_total 0\n") || strings.Contains(got, "seconds") {
		t.Errorf("status %d, metrics:\n%s\nwant 200, lines 0 and no latencies", code, got)
	}
}

func TestOneBadFigureDoesNotHideTheOthers(t *testing.T) {
	s := figures()
	s.Voided = map[string]uint64{"a\xff": 1, "a\xfe": 2} // the same label twice
	s.Refused = map[string]uint64{"data\xff: no space\nleft": 1}
	code, _, body := get(t, Handler(func() Stats { return s }, func() error { return nil }), "GET", "/metrics")
	for _, want := range []string{"\nsarangbang_lines_total 120\n", `{reason="data` + "\uFFFD" + `: no space\nleft"} 1` + "\n"} {
		if code != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("status %d, want 200 and metrics that contain %q", code, want)
		}
	}
}

func TestPanicWhileReadingEndsOneRequest(t *testing.T) {
	h := Handler(func() Stats { panic("broken") }, func() error { return nil })
	if code, _, body := get(t, h, "GET", "/metrics"); !strings.Contains(body, "go_goroutines") {
		t.Errorf("status %d without the runtime's figures, want them", code)
	}
}

func TestHealthIsOKOrTheReason(t *testing.T) {
	var state error
	h := Handler(func() Stats { return Stats{} }, func() error { return state })
	for _, tt := range []struct {
		state error
		code  int
		body  string
	}{
		{nil, http.StatusOK, "ok\n"},
		{errors.New("lines cannot be saved: the disk is full"), http.StatusServiceUnavailable, "lines cannot be saved: the disk is full\n"},
		{nil, http.StatusOK, "ok\n"},
	} {
		state = tt.state
		code, header, body := get(t, h, "GET", "/healthz")
		if code != tt.code || body != tt.body {
			t.Errorf("with %v: %d %q, want %d %q", tt.state, code, body, tt.code, tt.body)
		}
		for key, want := range map[string]string{"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"} {
			if got := header.Get(key); got != want {
				t.Errorf("%s = %q, want %q", key, got, want)
			}
		}
	}
}

func TestNothingElseIsServed(t *testing.T) {
	h := Handler(func() Stats { return Stats{} }, func() error { return nil })
	for _, tt := range []struct {
		method, path string
		code         int
	}{
		{"GET", "/", http.StatusNotFound},
		{"GET", "/debug/pprof/", http.StatusNotFound},
		{"GET", "/metrics/x", http.StatusNotFound},
		{"POST", "/metrics", http.StatusMethodNotAllowed},
		{"DELETE", "/healthz", http.StatusMethodNotAllowed},
		{"HEAD", "/healthz", http.StatusOK},
	} {
		if code, _, _ := get(t, h, tt.method, tt.path); code != tt.code {
			t.Errorf("%s %s = %d, want %d", tt.method, tt.path, code, tt.code)
		}
	}
}

func TestProfilesAreServedBesideTheRest(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Host = "127.0.0.1:9100"
		WithProfiles(healthy()).ServeHTTP(w, r)
	})
	for _, tt := range []struct {
		method, path string
		code         int
		body         string
	}{
		{"GET", "/debug/pprof/", http.StatusOK, "goroutine?debug=1"},
		{"GET", "/debug/pprof/goroutine?debug=1", http.StatusOK, "goroutine profile: total"},
		{"GET", "/debug/pprof/cmdline", http.StatusOK, "metrics.test"},
		{"GET", "/debug/pprof/symbol", http.StatusOK, "num_symbols"},
		{"GET", "/debug/pprof/dance", http.StatusNotFound, ""},
		{"POST", "/debug/pprof/", http.StatusNotFound, ""},
		{"GET", "/debug/", http.StatusNotFound, ""},
		{"GET", "/healthz", http.StatusOK, "ok\n"},
		{"POST", "/metrics", http.StatusMethodNotAllowed, ""},
	} {
		if code, _, body := get(t, h, tt.method, tt.path); code != tt.code || !strings.Contains(body, tt.body) {
			t.Errorf("%s %s = %d %q, want %d and %q", tt.method, tt.path, code, body, tt.code, tt.body)
		}
	}
}

// A page of a foreign site, whose name leads here, could read the answers: by its name there are none.
func TestProfilesAreForWhoeverNamesTheLoopback(t *testing.T) {
	h := WithProfiles(healthy())
	for host, code := range map[string]int{
		"localhost": http.StatusOK, "localhost:9100": http.StatusOK, "127.0.0.1": http.StatusOK, "127.1.2.3:9100": http.StatusOK,
		"[::1]": http.StatusOK, "[::1]:9100": http.StatusOK, "[::ffff:127.0.0.1]:9100": http.StatusOK,
		"": http.StatusForbidden, "evil.example": http.StatusForbidden, "evil.example:9100": http.StatusForbidden,
		"localhost.evil.example": http.StatusForbidden, "127.0.0.1.evil.example:9100": http.StatusForbidden, "192.0.2.1": http.StatusForbidden,
	} {
		for _, path := range []string{"/debug/pprof/", "/debug/pprof/cmdline"} {
			w, r := httptest.NewRecorder(), httptest.NewRequest("GET", path, nil)
			if r.Host = host; host == "evil.example" {
				r.Header.Set("X-Forwarded-Host", "localhost")
			}
			if h.ServeHTTP(w, r); w.Code != code {
				t.Errorf("%s of %q = %d, want %d", path, host, w.Code, code)
			}
		}
	}
}

// What is measured over time takes longer than an answer of the server may otherwise.
func TestAProfileMayTakeItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln, stop := serve(t, WithProfiles(healthy()))
		defer stop(t.Context())
		start := time.Now()
		code, body := answer(t, dial(t, ln, "GET /debug/pprof/heap?seconds=60 HTTP/1.1\r\nHost: [::1]\r\n\r\n"))
		if took := time.Since(start); code != http.StatusOK || len(body) == 0 || took < time.Minute {
			t.Errorf("after %v: %d and %d bytes, want a profile of a minute", took, code, len(body))
		}
	})
}
