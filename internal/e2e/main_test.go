//go:build linux

package e2e

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"sarangbang/hostkeys"
)

// program is the path of the house, as it was built for this run.
var program string

// raced says that the program runs with the race detector: no figure of its memory or CPU means anything then.
var raced = os.Getenv("SARANGBANG_RACE") == "1"

// thorough says that the long tests run, and that a program which is missing is a failure.
var thorough = os.Getenv("SARANGBANG_REAL") == "1"

// promised is the time that the house promises for something. Only a thorough run, which has the machine for itself, can hold it to
// that: in a run of everything other packages are built and tested beside it, and it gets five times as long.
func promised(d time.Duration) time.Duration {
	if thorough {
		return d
	}
	return 5 * d
}

func TestMain(m *testing.M) {
	// These tests wait much more than they compute, so twice as many run at a time as there are processors.
	_ = flag.Set("test.parallel", strconv.Itoa(2*runtime.GOMAXPROCS(0))) // -parallel on the command line wins
	dir, err := os.MkdirTemp("", "sarangbang-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := 1
	if err := build(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
	} else {
		code = m.Run()
		stopTmux()
	}
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

func build(dir string) error {
	program = filepath.Join(dir, "sarangbang")
	args := []string{"build", "-o", program}
	if raced {
		args = append(args, "-race")
	}
	cmd := exec.Command("go", append(args, ".")...)
	cmd.Dir = filepath.Join("..", "..")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build the program: %w\n%s", err, out)
	}
	return nil
}

// keyring makes the host keys that all houses share: an RSA key takes long to make.
var keyring = sync.OnceValues(func() (keys struct {
	dir    string
	public ssh.PublicKey
}, err error,
) {
	keys.dir = filepath.Join(filepath.Dir(program), "hostkeys")
	signers, err := hostkeys.Load(keys.dir)
	if err == nil {
		keys.public = signers[0].PublicKey()
	}
	return keys, err
})

// newDataDir returns a data folder of the test's own, with the shared host keys.
func newDataDir(tb testing.TB) string {
	tb.Helper()
	keys, err := keyring()
	if err != nil {
		tb.Fatalf("host keys: %v", err)
	}
	dir := filepath.Join(tb.TempDir(), "data")
	if err := os.Mkdir(dir, 0o700); err != nil {
		tb.Fatal(err)
	}
	copyDir(tb, keys.dir, filepath.Join(dir, "hostkeys"))
	return dir
}

func copyDir(tb testing.TB, from, to string) {
	tb.Helper()
	if err := os.Mkdir(to, 0o700); err != nil {
		tb.Fatal(err)
	}
	files, err := os.ReadDir(from)
	if err != nil {
		tb.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(from, f.Name()))
		if err == nil {
			err = os.WriteFile(filepath.Join(to, f.Name()), b, 0o600)
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
}
