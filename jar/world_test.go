package jar

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

// world is a jar, and a clock for its workers that goes on when it is told to.
type world struct {
	testing.TB
	Jar
	now rota.Elapsed
}

func newWorld(t testing.TB) *world {
	w := &world{TB: t, Jar: At(t.TempDir()), now: 1}
	w.must(w.Make())
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// worker registers a worker of the test's own process.
func (w *world) worker(node string, categories ...string) *Worker {
	w.Helper()
	life := Here(node)
	life.Categories = categories
	return w.register(life)
}

func (w *world) register(life Life) *Worker {
	w.Helper()
	worker, err := w.Register(life, "")
	w.must(err)
	worker.elapsed = func() rota.Elapsed { w.now++; return w.now }
	return worker
}

// dead registers a worker whose process is no more: its number is ours, but ours began at another time.
func (w *world) dead(node string, categories ...string) *Worker {
	w.Helper()
	life := Here(node)
	life.Start--
	life.Categories = categories
	return w.register(life)
}

// put puts a job into a category by hand: into limbo, then by a rename.
func (w *world) put(category, name string) {
	w.Helper()
	limbo := filepath.Join(w.Limbo(), name)
	w.must(os.WriteFile(limbo, []byte("#!/bin/sh\n"), 0o755))
	w.must(os.MkdirAll(w.folder(category), 0o755))
	old := time.Unix(1_000_000_000+int64(w.now), 0)
	w.now++
	w.must(os.Chtimes(limbo, old, old))
	w.must(os.Rename(limbo, filepath.Join(w.folder(category), name)))
}

// claims are the names of what a worker claims until there is nothing, each after its category.
func (w *world) claims(worker *Worker) (names []string) {
	w.Helper()
	for {
		c := w.claim(worker)
		if c == nil {
			return names
		}
		names = append(names, c.Category+"/"+c.Name)
	}
}

func (w *world) claim(worker *Worker) *Claim {
	w.Helper()
	c, err := worker.Claim()
	w.must(err)
	if c != nil {
		c.Show()
	}
	return c
}

// tree is all files of the jar but those of workers that are not jobs, with what is in hidden ones.
func (w *world) tree() string {
	w.Helper()
	var lines []string
	w.must(filepath.WalkDir(w.Home, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, _ := filepath.Rel(w.Home, path)
		name := filepath.Base(path)
		switch {
		case isReserved(name) || name == markFile || strings.HasPrefix(name, codeFile):
			return nil
		case d.Type()&fs.ModeSymlink != 0:
			to, err := os.Readlink(path)
			rel += " -> " + to
			if err != nil {
				return err
			}
		case name[0] == '.':
			text, err := os.ReadFile(path)
			rel += fmt.Sprintf(" %q", text)
			if err != nil {
				return err
			}
		}
		lines = append(lines, rel)
		return nil
	}))
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func (w *world) wantTree(when string, lines ...string) {
	w.Helper()
	if got := w.tree(); got != strings.Join(lines, "\n") {
		w.Errorf("%s:\n%s\nwant:\n%s", when, got, strings.Join(lines, "\n"))
	}
}
