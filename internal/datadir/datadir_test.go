package datadir

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

const holdVariable = "DATADIR_TEST_HOLD"

// TestMain lets the test binary be a second process: with holdVariable set it opens the folder it was started in, says
// so, and keeps it until its standard input ends.
func TestMain(m *testing.M) {
	if os.Getenv(holdVariable) == "" {
		os.Exit(m.Run())
	}
	if _, err := Open("."); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("held")
	io.Copy(io.Discard, os.Stdin)
}

// hold opens the folder in a process of its own, which ends with the test at the latest.
func hold(t *testing.T, path string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), holdVariable+"=yes")
	cmd.Dir = path
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := make([]byte, len("held\n"))
	if _, err := io.ReadFull(out, said); err != nil || string(said) != "held\n" {
		t.Fatalf("the other process said %q (%v), want %q", said, err, "held\n")
	}
	return cmd
}

func TestSecondProcessIsToldWhoHasTheFolder(t *testing.T) {
	path := t.TempDir()
	other := hold(t, path)
	d, err := Open(path)
	if err == nil {
		d.Close()
		t.Fatal("Open succeeded while another process has the folder")
	}
	for _, want := range []string{path, fmt.Sprintf("process %d:", other.Process.Pid), "--data-dir"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("refusal is %q, want it to contain %q", err, want)
		}
	}

	if err := other.Process.Kill(); err != nil { // SIGKILL: nothing in it runs any more
		t.Fatal(err)
	}
	other.Wait()
	// What an earlier holder wrote may be longer than what we have to say.
	if err := os.WriteFile(filepath.Join(path, "lock"), []byte("999999999999\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err = Open(path)
	if err != nil {
		t.Fatalf("Open after the other process was killed = %v, want the folder", err)
	}
	defer d.Close()
	if got, want := readFile(t, filepath.Join(path, "lock")), fmt.Sprintf("%d\n", os.Getpid()); got != want {
		t.Errorf("the lock file says %q, want the new holder, %q", got, want)
	}
}

func TestCloseGivesTheFolderBack(t *testing.T) {
	path := t.TempDir()
	first, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); err == nil || !strings.Contains(err.Error(), "in use by process") {
		t.Errorf("second Open = %v, want it refused as in use", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := Open(path)
	if err != nil {
		t.Fatalf("Open after Close = %v, want the folder", err)
	}
	second.Close()
}

func TestFolderIsMadeForItsUserOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "data")
	d, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for name, want := range map[string]fs.FileMode{"": fs.ModeDir | 0o700, "lock": 0o600} {
		info, err := os.Stat(filepath.Join(path, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode(); got != want {
			t.Errorf("mode of %q is %v, want %v", name, got, want)
		}
	}
	if got := d.Path(); got != path {
		t.Errorf("Path = %q, want %q", got, path)
	}
	if got, want := d.HostKeys(), filepath.Join(path, "hostkeys"); got != want {
		t.Errorf("HostKeys = %q, want %q", got, want)
	}
}

// A tool that root runs in the folder of another user must not lock that user out.
func TestTheLockBelongsToTheOwnerOfTheFolder(t *testing.T) {
	path := t.TempDir()
	want := [2]uint32{uint32(os.Geteuid()), uint32(os.Getegid())}
	if want[0] == 0 { // nobody else can give a folder away
		want = [2]uint32{4711, 4712}
		if err := os.Chown(path, 4711, 4712); err != nil {
			t.Fatal(err)
		}
	}
	d, err := Open(path)
	if err != nil {
		t.Fatalf("Open = %v, want no error", err)
	}
	defer d.Close()
	info, err := os.Stat(filepath.Join(path, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	if owner := info.Sys().(*syscall.Stat_t); owner.Uid != want[0] || owner.Gid != want[1] {
		t.Errorf("the lock belongs to %d:%d, want %d", owner.Uid, owner.Gid, want)
	}
}

func TestUnfitFolderIsRefused(t *testing.T) {
	tests := []struct {
		name string
		make func(path string) error
		want string
	}{
		{"a file in its place", func(path string) error { return os.WriteFile(path, nil, 0o600) }, "is not a folder"},
		{"a link to nothing", func(path string) error { return os.Symlink(path+"-gone", path) }, "cannot be made"},
		{"a link to itself", func(path string) error { return os.Symlink(path, path) }, "cannot be opened"},
		{"read-only", func(path string) error { return os.Mkdir(path, 0o500) }, "cannot be written (mode 0500)"},
		{"a folder in place of the lock", func(path string) error {
			return os.MkdirAll(filepath.Join(path, "lock"), 0o700)
		}, "cannot be locked"},
		{"a link in place of the lock", func(path string) error {
			if err := os.Mkdir(path, 0o700); err != nil {
				return err
			}
			return os.Symlink("elsewhere", filepath.Join(path, "lock"))
		}, "cannot be locked"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "data")
			if err := tt.make(path); err != nil {
				t.Fatal(err)
			}
			d, err := Open(path)
			if err == nil {
				d.Close()
				t.Fatal("Open succeeded, want a refusal")
			}
			if got := err.Error(); !strings.Contains(got, tt.want) || !strings.Contains(got, path) || strings.Contains(got, "\n") {
				t.Errorf("refusal is %q, want one line that contains %q and %q", got, tt.want, path)
			}
		})
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
