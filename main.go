// Command sarangbang is a chat house that people enter with ssh, and by the plain-TCP protocol of an older chat.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/term"

	"sarangbang/internal/config"
	"sarangbang/internal/datadir"
	"sarangbang/internal/legacyclient"
)

func main() {
	// A reader of our log that goes away, or a limit on the size of a file, must not end the house: writing fails instead.
	signal.Ignore(syscall.SIGPIPE, syscall.SIGXFSZ, syscall.SIGHUP)
	os.Exit(run(os.Args[1:], os.Getenv, os.Stdin, os.Stdout, os.Stderr))
}

// run is the program. Whatever keeps it from running is one sentence on stderr, and 1.
func run(args []string, getenv func(string) string, stdin *os.File, stdout, stderr io.Writer) int {
	signalled, restore := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer restore()
	// The second signal ends the program at once, as nothing catches it any more. So nobody is told of the first one before that.
	ctx, end := context.WithCancel(context.Background())
	defer end()
	context.AfterFunc(signalled, func() {
		restore()
		end()
	})
	command := ""
	if len(args) > 0 {
		command = args[0]
	}
	var status int
	var err error
	switch command {
	case "version", "--version", "-version":
		if len(args) > 1 {
			err = errors.New("version takes nothing more: sarangbang version")
			break
		}
		_, _ = fmt.Fprintln(stdout, versionLine())
	case "connect":
		status, err = connect(ctx, args[1:], stdin, stdout, stderr)
	case "backup", "export", "audit", "doctor", "restore", "import", "account":
		err = operate(ctx, command, args[1:], getenv, stdout, stderr)
	case "help":
		err = config.ErrHelp
	default:
		err = serve(ctx, args, getenv, stderr)
	}
	switch {
	case errors.Is(err, config.ErrHelp):
		_, _ = io.WriteString(stdout, config.Usage())
	case err != nil:
		_, _ = fmt.Fprintln(stderr, "sarangbang:", strings.ReplaceAll(err.Error(), "\n", " "))
		return 1
	}
	return status
}

// connect talks to a house over the plain-TCP protocol, and returns the exit status.
func connect(ctx context.Context, args []string, stdin *os.File, stdout, stderr io.Writer) (status int, err error) {
	host := "127.0.0.1"
	switch {
	case len(args) > 0 && slices.Contains([]string{"--help", "-help", "-h"}, args[0]):
		return 0, config.ErrHelp
	case len(args) > 1 || len(args) > 0 && strings.HasPrefix(args[0], "-"):
		return 0, errors.New("connect takes no flags, and one house: sarangbang connect [HOST[:12000]]")
	case len(args) > 0:
		host = args[0]
	}
	if _, _, err := net.SplitHostPort(host); err != nil {
		host = net.JoinHostPort(strings.Trim(host, "[]"), "12000")
	}
	return legacyclient.Run(ctx, host, stdin, stdout, stderr, term.IsTerminal(int(stdin.Fd()))), nil
}

// serve runs the house until ctx ends.
func serve(ctx context.Context, args []string, getenv func(string) string, stderr io.Writer) error {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP) // one that comes while the house is made waits
	defer signal.Stop(hangups)
	load := func() (*config.Settings, error) { return config.Load(args, getenv) }
	settings, err := load()
	if err != nil {
		return err
	}
	now := &current{load: load, hangups: hangups, level: new(slog.LevelVar)}
	now.holds(settings)
	log := newLogger(settings, now.level, stderr)
	dir, err := datadir.Open(settings.DataDir)
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }() // the lock goes with the process anyway
	now.folder = dir.Greeting()
	h, err := open(now, dir, log)
	if err != nil {
		return err
	}
	defer h.close()
	limitMemory(os.DirFS("/"), getenv, log)
	if getenv("GOGC") == "" { // else the operator has said it
		collecting, done := context.WithCancel(ctx)
		defer done()
		go collectGarbage(collecting)
	}
	return h.run(ctx)
}
