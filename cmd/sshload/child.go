package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"sarangbang/cmd/sshload/internal/floor"
)

// child is a server that was started to be visited, and that ends with its starter.
type child struct {
	name  string
	cmd   *exec.Cmd
	addrs map[string]netip.AddrPort // by protocol: ssh, tcp, http
	dir   string                    // its data; "": it has none
	end   context.CancelFunc
	logs  sync.WaitGroup
}

const (
	startTimeout = 20 * time.Second // until a server listens
	endTimeout   = 15 * time.Second // for it to end by itself; it is killed then
)

// serverConfig lifts the limits that are counted by address, key and person: a crowd from one machine would be refused, rightly.
const serverConfig = "[limits]\nexempt = [\"127.0.0.0/8\"]\n"

// startServer starts the product with a folder of its own below dir. With one door it may have more connections there, as files are
// shared out among doors.
func startServer(ctx context.Context, program, dir string, doorOfTCP bool) (*child, error) {
	data, err := os.MkdirTemp(dir, "sshload-")
	if err != nil {
		return nil, err
	}
	c := &child{name: filepath.Base(program)}
	config := filepath.Join(data, "load.toml")
	c.dir = data
	if err := os.WriteFile(config, []byte(serverConfig), 0o600); err != nil { //nolint:gosec // in the folder that was made above
		return nil, errors.Join(err, c.clear())
	}
	const anyPort, none = "127.0.0.1:0", "off"
	protocols, tcp := []string{"ssh", "http"}, none
	if doorOfTCP {
		protocols, tcp = append(protocols, "tcp"), anyPort
	}
	env := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "SARANGBANG_") })
	err = c.start(ctx, env, protocols, listeningOfServer, program, "--ssh-addr", anyPort, "--tcp-addr", tcp, "--http-addr", anyPort,
		"--data-dir", filepath.Join(data, "data"), "--config", config, "--log-format", "json")
	if err != nil {
		return nil, errors.Join(err, c.clear())
	}
	return c, nil
}

// listeningOfServer reads a line of the product's log.
func listeningOfServer(line []byte) (protocol, addr string) {
	var l struct{ Msg, Proto, Addr string }
	if json.Unmarshal(line, &l) == nil && l.Msg == "listening" {
		return l.Proto, l.Addr
	}
	return "", ""
}

// startFloor starts this program as a floor.
func startFloor(ctx context.Context, kind floor.Kind, env ...string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	protocol := "ssh"
	if strings.HasPrefix(string(kind), "tcp") {
		protocol = "tcp"
	}
	c := &child{name: "floor " + string(kind)}
	err = c.start(ctx, append(os.Environ(), env...), []string{protocol}, func(line []byte) (string, string) {
		addr, ok := strings.CutPrefix(string(line), floorName)
		if !ok {
			return "", ""
		}
		return protocol, addr
	}, self, "floor", string(kind))
	if err != nil {
		return nil, err
	}
	return c, nil
}

// start starts a program and waits until it says where it listens for all protocols.
func (c *child) start(ctx context.Context, env, protocols []string, listening func(line []byte) (protocol, addr string), program string, args ...string) error {
	ctx, c.end = context.WithCancel(ctx)
	c.cmd = exec.CommandContext(ctx, program, args...) //nolint:gosec // the program that is to be measured, and this one
	c.cmd.Env = env
	c.cmd.SysProcAttr = endWithParent()
	c.cmd.Cancel = func() error { return c.cmd.Process.Signal(syscall.SIGTERM) }
	c.cmd.WaitDelay = endTimeout
	out, in, err := os.Pipe()
	if err != nil {
		return err
	}
	c.cmd.Stdout, c.cmd.Stderr = in, in
	err = c.cmd.Start()
	_ = in.Close() // the child has its own
	if err != nil {
		_ = out.Close()
		return fmt.Errorf("start %s: %w", c.name, err)
	}
	found := make(chan [2]string)
	var said lastLines
	c.logs.Go(func() {
		defer close(found)
		defer func() { _ = out.Close() }()
		left := slices.Clone(protocols)
		for rows := bufio.NewScanner(out); rows.Scan(); {
			if len(left) == 0 {
				continue // its log is nobody's from now on
			}
			said.add(rows.Text())
			protocol, addr := listening(rows.Bytes())
			if at := slices.Index(left, protocol); at >= 0 {
				left = slices.Delete(left, at, at+1)
				found <- [2]string{protocol, addr}
			}
		}
	})
	patience := time.NewTimer(startTimeout)
	defer patience.Stop()
	c.addrs = map[string]netip.AddrPort{}
	for len(c.addrs) < len(protocols) && err == nil {
		select {
		case f, ok := <-found:
			if !ok {
				err = errors.New("it ended at once")
				break
			}
			c.addrs[f[0]], err = netip.ParseAddrPort(f[1])
		case <-patience.C:
			err = fmt.Errorf("it does not listen after %v", startTimeout)
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
	}
	if err == nil {
		return nil
	}
	go func() {
		for range found { // what it still finds is of no use, but its log must be read to the end
		}
	}()
	_ = c.stop() // the error is about the start
	return fmt.Errorf("start %s: %w%s", c.name, err, said.String())
}

// stop ends the server, waits for it and removes its data. An error says that it did not end as it should.
func (c *child) stop() error {
	c.end()
	err := c.cmd.Wait()
	c.logs.Wait()
	switch {
	case errors.Is(err, context.Canceled):
		err = nil // it ended well, of our signal
	case err != nil:
		err = fmt.Errorf("%s ended badly: %w", c.name, err)
	}
	return errors.Join(err, c.clear())
}

// clear removes the server's data. It may be called again.
func (c *child) clear() error {
	if c.dir == "" {
		return nil
	}
	return os.RemoveAll(c.dir) //nolint:gosec // the folder that startServer made
}

// lastLines are a few lines that say why a program does not start.
type lastLines struct {
	mu    sync.Mutex
	lines []string // guarded by mu
}

func (l *lastLines) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line)
	if len(l.lines) > 5 {
		l.lines = l.lines[1:]
	}
}

func (l *lastLines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.lines) == 0 {
		return ""
	}
	return "; it said:\n" + strings.Join(l.lines, "\n")
}

// commitMetric counts how long commits took, in the product's figures for operators.
const commitMetric = `sarangbang_commit_seconds_bucket{le="`

// commitP99 asks the product how long 99 % of its commits took at most, in milliseconds, or NaN if there were none.
func (c *child) commitP99(ctx context.Context) (float64, error) {
	at := c.addrs["http"]
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+at.String()+"/metrics", nil) //nolint:gosec // of the child
	if err != nil {
		return 0, err
	}
	answer, err := http.DefaultClient.Do(request) //nolint:gosec // likewise
	if err != nil {
		return 0, fmt.Errorf("ask for the journal's figures: %w", err)
	}
	defer func() { _ = answer.Body.Close() }() // it was read
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, fmt.Errorf("ask for the journal's figures: %w", err)
	}
	return quantileOf(string(text), commitMetric, 0.99)
}

// quantileOf reads a quantile out of a histogram in the text format of Prometheus, in milliseconds. Within a bucket it takes values
// to lie evenly.
func quantileOf(text, metric string, q float64) (float64, error) {
	var bounds, counts []float64
	for row := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(row, metric)
		if !ok {
			continue
		}
		bound, count, _ := strings.Cut(strings.TrimSpace(rest), `"} `)
		b, err := strconv.ParseFloat(bound, 64) // +Inf is one
		if err != nil {
			return 0, err
		}
		n, err := strconv.ParseFloat(count, 64)
		if err != nil {
			return 0, err
		}
		bounds, counts = append(bounds, b*1e3), append(counts, n)
	}
	if len(counts) < 2 || counts[len(counts)-1] == 0 {
		return 0, fmt.Errorf("there is no histogram %s", metric)
	}
	wanted := q * counts[len(counts)-1]
	low, under := 0.0, 0.0
	for i, n := range counts[:len(counts)-1] {
		if n >= wanted {
			return low + (bounds[i]-low)*(wanted-under)/max(n-under, 1), nil
		}
		low, under = bounds[i], n
	}
	return low, nil // it is longer than that, but nobody counted how long
}
