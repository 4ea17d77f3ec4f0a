// Command gen writes the Unicode tables of package identity.
//
// Without flags, in the folder of that package, it reads the compact copies in internal/gen/testdata and writes tables.go:
// `go generate` does so. With -import DIR it first makes the compact copies anew from the original files in DIR; see the
// README beside them. It starts no goroutine.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	from := flag.String("import", "", "make the compact copies from the original Unicode files in this `folder`")
	data := flag.String("data", "internal/gen/testdata", "`folder` of the compact copies")
	out := flag.String("out", "tables.go", "`file` to write")
	flag.Parse()
	if err := run(*from, *data, *out); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(from, data, out string) error {
	if from != "" {
		files, err := compact(os.DirFS(from))
		if err != nil {
			return err
		}
		for name, content := range files {
			if err := os.WriteFile(filepath.Join(data, name), content, 0o644); err != nil { //nolint:gosec // sources, readable like any
				return err
			}
		}
	}
	source, err := generate(os.DirFS(data))
	if err != nil {
		return err
	}
	return os.WriteFile(out, source, 0o644) //nolint:gosec // a source file, readable like any
}
