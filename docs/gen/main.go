package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// text is one generated text: a whole file, or the block of a name within a file that people write.
type text struct {
	path  string // below docs/
	block string // empty: the whole file
	make  func() (string, error)
}

var texts = []text{
	{"states.svg", "", diagram},
	{"cli.md", "", commands},
	{"design.md", "moves", moves},
	{"api.md", "routes", routes},
	{"operations.md", "settings", settings},
	{"operations.md", "limits", limits},
	{"operations.md", "kinds", kinds},
}

func main() {
	for _, t := range texts {
		if err := t.write("../.."); err != nil {
			fmt.Fprintf(os.Stderr, "docs/gen: %s: %v\n", t.path, err)
			os.Exit(1)
		}
	}
}

func (t text) write(root string) error {
	want, have, err := t.compare(root)
	if err != nil || want == have {
		return err
	}
	return os.WriteFile(t.file(root), []byte(want), 0o644)
}

func (t text) file(root string) string { return filepath.Join(root, "docs", t.path) }

// compare is the file as it should be, and as it is.
func (t text) compare(root string) (want, have string, err error) {
	b, err := os.ReadFile(t.file(root))
	if err != nil && (t.block != "" || !os.IsNotExist(err)) {
		return "", "", err
	}
	have = string(b)
	if want, err = t.make(); err == nil && t.block != "" {
		want, err = replace(have, t.block, want)
	}
	return want, have, err
}
