package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"

	"sarangbang/cmd/sshload/internal/floor"
)

// floorName is what a floor says of where it listens, before the address.
const floorName = "listening at "

// runFloor is the tool floor.
func runFloor(ctx context.Context, args []string, stdout, stderr io.Writer) (int, error) {
	f := flag.NewFlagSet("sshload floor", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	addr := f.String("addr", "127.0.0.1:0", "where to listen, on the loopback; port 0 picks a free one")
	span := f.Duration("for", longestTest, "end by itself after this time")
	kind := floor.Kind("")
	if len(args) > 0 && slices.Contains(floor.Kinds(), floor.Kind(args[0])) {
		kind, args = floor.Kind(args[0]), args[1:]
	}
	err := f.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		_, _ = fmt.Fprintf(stderr, "usage: sshload floor KIND [FLAGS], where KIND is one of %v\n", floor.Kinds())
		f.SetOutput(stderr)
		f.PrintDefaults()
		return exitGood, nil
	}
	if err == nil && (kind == "" || f.NArg() > 0) {
		err = fmt.Errorf("floor takes one of %v and then flags", floor.Kinds())
	}
	if err == nil && (*span <= 0 || *span > longestTest) {
		err = fmt.Errorf("--for is %v; it must be at most %v", *span, longestTest)
	}
	at, problem := netip.ParseAddrPort(*addr)
	if err == nil && (problem != nil || !at.Addr().IsLoopback()) {
		err = fmt.Errorf("--addr is %q; a floor takes anybody, and so listens on the loopback only, such as at 127.0.0.1:2223", *addr)
	}
	if err != nil {
		return exitUsage, err
	}
	ctx, done := context.WithTimeout(ctx, *span)
	defer done()
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", at.String())
	if err != nil {
		return exitBad, err
	}
	if _, err := fmt.Fprintf(stdout, "%s%v\n", floorName, ln.Addr()); err != nil {
		_ = ln.Close()
		return exitBad, err
	}
	if err := floor.Serve(ctx, ln, kind); err != nil {
		return exitBad, err
	}
	return exitGood, nil
}
