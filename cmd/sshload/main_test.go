package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestMain makes this binary what compare starts, too: a floor, or a server that takes the product's flags.
func TestMain(m *testing.M) {
	ctx, restore := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer restore()
	switch {
	case len(os.Args) > 1 && os.Args[1] == "floor":
		os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
	case len(os.Args) > 1 && os.Args[1] == "--ssh-addr":
		serveFake(ctx)
	default:
		// Most of these tests wait for a server to be silent for long enough: more of them than there are processors can.
		if err := flag.Set("test.parallel", "6"); err != nil {
			panic(err)
		}
		os.Exit(m.Run())
	}
}

// serveFake is a server with the product's flags, log and figures, and a fake house behind its SSH door. The name that it is
// called by says what it does wrong.
func serveFake(ctx context.Context) {
	fault := filepath.Base(os.Args[0])
	if fault == "refuse" {
		fmt.Println("the disk is on fire")
		return
	}
	h := &house{spoil: func(person, n int, row string) ([]string, bool) {
		if fault == "double" && person == 1 && n == 5 {
			return []string{row, row}, false
		}
		return []string{row}, false
	}}
	listen := func(proto string) net.Listener {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			panic(err)
		}
		fmt.Printf("{\"level\":\"INFO\",\"msg\":\"listening\",\"proto\":%q,\"addr\":%q}\n", proto, ln.Addr())
		context.AfterFunc(ctx, func() { ln.Close() })
		return ln
	}
	figures := listen("http")
	go func() {
		_ = http.Serve(figures, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, testHistogram) }))
	}()
	if strings.Contains(strings.Join(os.Args, " "), "--tcp-addr 127.0.0.1:0") {
		listen("tcp")
	}
	go h.run(listen("ssh"))
	<-ctx.Done()
}

const testHistogram = `# HELP sarangbang_commit_seconds how long
sarangbang_commit_seconds_bucket{le="0.001"} 50
sarangbang_commit_seconds_bucket{le="0.01"} 98
sarangbang_commit_seconds_bucket{le="0.1"} 100
sarangbang_commit_seconds_bucket{le="+Inf"} 100
sarangbang_commit_seconds_sum 1
`
