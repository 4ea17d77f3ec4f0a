package main

import (
	"fmt"
	"os"
	"path/filepath"

	"sarangbang/internal/command"
	"sarangbang/internal/config"
)

// pages are the generated pages, by their path from the root of the repository.
func pages() map[string]string {
	return map[string]string{
		"docs/COMMANDS.md": command.Reference(),
		"docs/CONFIG.md":   config.Reference(),
		"docs/TERMINAL.md": terminalPage(),
	}
}

func main() {
	for path, text := range pages() {
		if err := os.WriteFile(filepath.Join("../..", path), []byte(text), 0o644); err != nil { //nolint:gosec // a page for everybody
			fmt.Fprintln(os.Stderr, "docgen:", err)
			os.Exit(1)
		}
	}
}
