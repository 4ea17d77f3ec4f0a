// Command sarangbang is a chat house that people enter with ssh, and by the plain-TCP protocol of an older chat.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"

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
	ctx, restore := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer restore()
	context.AfterFunc(ctx, restore) // the second signal is not caught: it ends the program at once
	command := ""
	if len(args) > 0 {
		command = args[0]
	}
	switch command {
	case "version", "--version":
		_, _ = fmt.Fprintln(stdout, versionLine())
		return 0
	case "connect":
		return connect(ctx, args[1:], stdin, stdout, stderr)
	}
	settings, err := config.Load(args, getenv)
	if errors.Is(err, config.ErrHelp) {
		_, _ = io.WriteString(stdout, config.Usage())
		return 0
	}
	if err == nil {
		err = serve(ctx, settings, getenv, stderr)
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "sarangbang:", strings.ReplaceAll(err.Error(), "\n", " "))
		return 1
	}
	return 0
}

// connect talks to a house over the plain-TCP protocol.
func connect(ctx context.Context, args []string, stdin *os.File, stdout, stderr io.Writer) int {
	host := "127.0.0.1"
	if len(args) > 0 {
		host = args[0]
	}
	if _, _, err := net.SplitHostPort(host); err != nil {
		host = net.JoinHostPort(strings.Trim(host, "[]"), "12000")
	}
	info, err := stdin.Stat()
	return legacyclient.Run(ctx, host, stdin, stdout, stderr, err == nil && info.Mode()&os.ModeCharDevice != 0)
}

// serve runs the house until ctx ends.
func serve(ctx context.Context, settings *config.Settings, getenv func(string) string, stderr io.Writer) error {
	log := newLogger(settings, stderr)
	dir, err := datadir.Open(settings.DataDir)
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }() // the lock goes with the process anyway
	h, err := open(settings, dir, log)
	if err != nil {
		return err
	}
	defer h.journal.Close()
	limitMemory(os.DirFS("/"), getenv, log)
	return h.run(ctx)
}
