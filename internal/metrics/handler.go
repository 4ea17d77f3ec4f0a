package metrics

import (
	"io"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Handler serves /metrics, made from what read returns at that moment and from the figures of the Go runtime and the process,
// and /healthz: 200 and "ok" while health returns nil, else 503 and its error, which is a sentence for operators. Both
// functions may be called from several goroutines at once; neither blocks.
func Handler(read func() Stats, health func() error) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		newCollector(read),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		ErrorHandling:       promhttp.ContinueOnError, // half of the figures are better than none on a bad day
		MaxRequestsInFlight: 4,
	}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		answer := "ok"
		header := w.Header()
		header.Set("Content-Type", "text/plain; charset=utf-8")
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Cache-Control", "no-store")
		if err := health(); err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			answer = err.Error()
		}
		_, _ = io.WriteString(w, answer+"\n") // a client that has gone needs no answer
	})
	return mux
}

// WithProfiles serves the profiles of the Go runtime at /debug/pprof/, and all else as h does. They name the functions of this
// program, and its arguments, to whoever asks, and measuring takes processor time: only for a server on the loopback. Who asks for them
// by another name than the loopback's is answered 403: it may be a page in a browser on this machine, of a site whose name was made to
// lead here.
func WithProfiles(h http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", h)
	for path, profile := range map[string]http.HandlerFunc{
		"": pprof.Index, "cmdline": pprof.Cmdline, "profile": pprof.Profile, "symbol": pprof.Symbol, "trace": pprof.Trace,
	} {
		mux.HandleFunc("GET /debug/pprof/"+path, func(w http.ResponseWriter, r *http.Request) {
			if !onLoopback(r.Host) {
				http.Error(w, "profiles are for localhost only: ask for 127.0.0.1", http.StatusForbidden)
				return
			}
			profile(w, r)
		})
	}
	return mux
}

// onLoopback says that a Host, RFC 9110, section 7.2, names the loopback.
func onLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && addr.Unmap().IsLoopback()
}
