package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	if err := run(".."); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "charts:", err)
		os.Exit(1)
	}
}

// Where things lie, from the root of the repository.
const (
	measuredFile = "docs/performance.json"
	folder       = "docs/img"
)

// run draws all charts of the repository at root.
func run(root string) error {
	text, err := os.ReadFile(filepath.Join(root, measuredFile)) //nolint:gosec // of the repository
	if err != nil {
		return err
	}
	files, err := draw(text)
	if err != nil {
		return fmt.Errorf("%s: %w", measuredFile, err)
	}
	if err := os.MkdirAll(filepath.Join(root, folder), 0o750); err != nil {
		return err
	}
	for name, svg := range files {
		if err := os.WriteFile(filepath.Join(root, folder, name), svg, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// measured is what sshload sweep --json prints.
type measured struct {
	Command    string  `json:"command"`
	Commit     string  `json:"commit"`
	Date       string  `json:"date"`
	Go         string  `json:"go"`
	CPU        string  `json:"cpu"`
	Processors int     `json:"processors"`
	Lines      []point `json:"cpu_us_per_delivery"`
	Memory     []point `json:"rss_kib_per_session"`
	Disquiet   struct {
		Others float64 `json:"others_percent"`
		Stolen float64 `json:"stolen_percent"`
	} `json:"disquiet"`
}

// point is what one server did with so many people, by round.
type point struct {
	Server string    `json:"server"`
	People int       `json:"people"`
	Runs   []float64 `json:"runs"`
}

// draw makes the charts, by the names of their files.
func draw(text []byte) (map[string][]byte, error) {
	var m measured
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, err
	}
	if m.Command == "" || m.Commit == "" || m.Date == "" || m.Go == "" || m.CPU == "" || m.Processors == 0 {
		return nil, fmt.Errorf("figures without their command, commit, date, version of Go or machine: %+v", m)
	}
	rounds := 0
	for _, p := range slices.Concat(m.Lines, m.Memory) {
		if len(p.Runs) == 0 || p.People < 1 || slices.Min(p.Runs) <= 0 {
			return nil, fmt.Errorf("a point without figures: %+v", p)
		}
		rounds = max(rounds, len(p.Runs))
	}
	const product = "sarangbang"
	lines := []series{
		{name: product, look: own, points: of(m.Lines, product)},
		{name: "SSH floor, line by line", look: "floor2", points: of(m.Lines, "ssh-lines")},
		{name: "SSH floor, gathering", look: "floor", points: of(m.Lines, "ssh-gather")},
	}
	memory := []series{
		{name: product, look: own, points: of(m.Memory, product)},
		{name: "gliderlabs + x/term", look: "floor", points: of(m.Memory, "terminal")},
	}
	for _, s := range slices.Concat(lines, memory) {
		if len(s.points) == 0 {
			return nil, fmt.Errorf("there are no figures of %s", s.name)
		}
	}
	took := "median and range of 1 run"
	if rounds > 1 {
		took = fmt.Sprintf("medians and ranges of %d runs", rounds)
	}
	notes := []string{
		fmt.Sprintf("%s · commit %s, %s, %s, %d × %s, loopback", took, m.Commit, m.Date, m.Go, m.Processors, m.CPU),
		fmt.Sprintf("in the worst run others used %.0f %% of the machine, and %.0f %% was stolen", m.Disquiet.Others, m.Disquiet.Stolen),
		elsewhere,
	}
	return map[string][]byte{
		"cpu.svg": chart{
			title: "Server CPU for each delivered line, in µs", about: "closed loop, 10 senders, lines of 100 bytes, all people by SSH; both scales are logarithmic",
			x: "people in one room", log: true, series: append(lines, peersLines...),
			notes: notes,
		}.svg(),
		"memory.svg": chart{
			title: "Server memory for each idle session, in KiB", about: "resident, less the same server when it was empty; each by SSH with a terminal",
			x: "idle sessions in one process", series: append(memory, peersMemory...),
			notes: notes,
		}.svg(),
	}, nil
}

// of picks the points of one server, by people.
func of(points []point, server string) (picked []dot) {
	for _, p := range points {
		if p.Server == server {
			sorted := slices.Sorted(slices.Values(p.Runs))
			n := len(sorted)
			picked = append(picked, dot{float64(p.People), (sorted[(n-1)/2] + sorted[n/2]) / 2, sorted[0], sorted[n-1]})
		}
	}
	slices.SortFunc(picked, func(a, b dot) int { return int(a.x - b.x) })
	return picked
}

// escape makes text of XML.
var escape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;").Replace
