package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Two commits of which one was not measured are no comparison.
func TestAComparisonOfCommitsThatIsInterrupted(t *testing.T) {
	t.Parallel()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Fatalf("the script needs bash: %v", err)
	}
	text, err := os.ReadFile("../../tools/bench-compare.sh")
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	script, bin, dir := filepath.Join(root, "tools/bench-compare.sh"), filepath.Join(root, "bin"), filepath.Join(root, ".cache/compare")
	for name, text := range map[string]string{
		script:                   string(text),
		filepath.Join(bin, "go"): "#!/bin/sh\n# build -o FILE: a program that does not end by itself\nprintf '#!/bin/sh\\necho visiting >&2\\nexec sleep 60\\n' >\"$3\"\nchmod +x \"$3\"\n",
		filepath.Join(bin, "git"): "#!/bin/sh\ncase $1-$2 in\nworktree-add) mkdir -p \"$5\" ;;\nworktree-remove) rm -rf \"$4\" ;;\n" +
			"*) echo 0123456 ;;\nesac\n",
		filepath.Join(root, ".cache/bin/benchstat"): "#!/bin/sh\necho compared\n",
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), bash, script, "old", "new", "1", "-", "^steady")
	cmd.Env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	var stdout strings.Builder
	cmd.Stdout = &stdout
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var said []string
	for rows := bufio.NewScanner(stderr); rows.Scan(); {
		said = append(said, rows.Text())
		if rows.Text() == "visiting" {
			if _, err := os.Stat(filepath.Join(dir, "new")); err != nil {
				t.Errorf("while it runs: %v, want a tree of the new commit", err)
			}
			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
		}
	}
	err = cmd.Wait()
	if got, want := cmd.ProcessState.ExitCode(), 128+int(syscall.SIGTERM); got != want || stdout.Len() > 0 {
		t.Errorf("exit status %d (%v), stdout %q, want %d and no comparison", got, err, stdout.String(), want)
	}
	if all := strings.Join(said, "\n"); strings.Contains(all, "1 of 1: new") || !strings.HasSuffix(all, "It was interrupted: nothing is compared.") {
		t.Errorf("stderr = %q, want a word about it, and no visit of the new commit", all)
	}
	for _, side := range []string{"old", "new"} {
		if _, err := os.Stat(filepath.Join(dir, side)); !os.IsNotExist(err) {
			t.Errorf("the tree of the %s commit: %v, want it removed", side, err)
		}
	}
}
