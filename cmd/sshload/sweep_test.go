package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestSweep(t *testing.T) {
	t.Parallel()
	status, out, problems := toolAtFake(t, "sweep", "none", "--rounds 2 --people 4,8 --sessions 3 --duration 200ms --json")
	var r sweepReport
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("%v in %q, stderr %q", err, out, problems)
	}
	if status != exitGood || len(r.Faults) > 0 || r.Incomplete || len(r.CPU) != 6 || len(r.Memory) != 2 {
		t.Fatalf("exit status %d, want %d, 6 points of CPU and 2 of memory: %s", status, exitGood, out)
	}
	for _, p := range append(r.CPU, r.Memory...) {
		if len(p.Runs) != 2 {
			t.Errorf("%s with %d people: %v, want a figure of each round", p.Server, p.People, p.Runs)
		}
	}
	if p := r.Memory[1]; p.Server != "terminal" || p.People != 3 || p.Runs[0] <= 0 {
		t.Errorf("the last point is %+v, want memory of 3 sessions at the floor", p)
	}
	if !strings.HasPrefix(r.Command, "sshload sweep --server none --data ") || strings.Contains(r.Command, "/") {
		t.Errorf("command = %q, want it without paths", r.Command)
	}
	if r.Date == "" || r.Go == "" || r.Model == "" || r.Processors == 0 {
		t.Errorf("origin = %+v, want all of it", r.origin)
	}
}

func TestASweepFindsFaultsInTheServer(t *testing.T) {
	t.Parallel()
	status, out, problems := toolAtFake(t, "sweep", "double", "--rounds 1 --people 4 --sessions 2 --duration 200ms")
	if want := "1 doubled"; status != exitBad || !strings.Contains(out, want) || !strings.Contains(out, "| memory of an idle session | 2 | terminal |") {
		t.Errorf("exit status %d, stdout %q, stderr %q, want %d, %q, and the figures all the same", status, out, problems, exitBad, want)
	}
}

// What charts are drawn of must be whole.
func TestASweepWithoutTime(t *testing.T) {
	t.Parallel()
	status, out, problems := toolAtFake(t, "sweep", "none", "--rounds 1 --people 4 --sessions 2 --within 1ns --json")
	if want := "sshload: the time was over before all was measured\n"; status != exitBad || !strings.HasSuffix(problems, want) ||
		!strings.Contains(out, `"incomplete": true`) {
		t.Errorf("exit status %d, stdout %q, stderr %q, want %d and %q", status, out, problems, exitBad, want)
	}
}

func TestSweepFlagsThatCannotBe(t *testing.T) {
	for flags, want := range map[string]string{
		"--people 10,x":            `"x" is no number from 2`,
		"--people 1":               `"1" is no number from 2`,
		"--sessions 20000":         `"20000" is no number`,
		"--duration 1ms":           "--duration is 1ms",
		"--rounds 0":               "--rounds is 0",
		"now":                      `sweep takes flags only, not "now"`,
		"--server /nothing/at/all": "no such file",
	} {
		if status, _, problems := toolAtFake(t, "sweep", "none", flags); status != exitUsage || !strings.Contains(problems, want) {
			t.Errorf("sweep %s: exit status %d, stderr %q, want %d and %q", flags, status, problems, exitUsage, want)
		}
	}
}
