//go:build !race

package docs_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// built is the binary that the pages are tried with, as README says to build it.
var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "rota-docs-")
	if err != nil {
		return "", err
	}
	out, err := exec.Command("go", "build", "-o", filepath.Join(dir, "rota"), "../cmd/rota").CombinedOutput()
	if err != nil {
		return dir, fmt.Errorf("go build: %w\n%s", err, out)
	}
	return dir, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, _ := built(); dir != "" {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

func binary(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("builds and runs the binary")
	}
	dir, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "rota")
}

// TestTour does all that README's tour says, in a fresh folder.
func TestTour(t *testing.T) {
	all := steps(t, "../README.md", "## A tour of five minutes")
	if len(all) < 10 {
		t.Fatalf("found %d steps of the tour", len(all))
	}
	follow(t, binary(t), all)
}

// TestAPIPage does all that the page on the API says.
func TestAPIPage(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("needs curl")
	}
	all := steps(t, "api.md", "## With curl")
	if len(all) < 4 {
		t.Fatalf("found %d steps of the page", len(all))
	}
	follow(t, binary(t), all)
}

// TestFirstCommand does README's first command in a tree as a clone has it: every file is checked, by a task each.
func TestFirstCommand(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs the binary")
	}
	all := steps(t, "../README.md", "# Rota")
	if len(all) == 0 || len(all[0].commands) != 1 || !strings.HasPrefix(all[0].commands[0], "go build") {
		t.Fatal("README does not begin with the command that builds Rota")
	}
	tree := clone(t)
	files, err := exec.Command("find", tree, "-name", "*.go").Output()
	if err != nil {
		t.Fatal(err)
	}
	want := bytes.Count(files, []byte("\n"))
	cmd := exec.CommandContext(t.Context(), "bash", "-c", all[0].commands[0])
	cmd.Dir = tree
	cmd.Env = append(os.Environ(), "ROTA_DATA="+filepath.Join(t.TempDir(), "data"))
	var talk bytes.Buffer
	cmd.Stdout, cmd.Stderr = &talk, &talk
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, talk.Bytes())
	}
	t.Cleanup(func() {
		endNodes(t, filepath.Dir(filepath.Dir(strings.TrimPrefix(cmd.Env[len(cmd.Env)-1], "ROTA_DATA="))))
	})
	m := regexp.MustCompile(`(?m)^1: ([\d,]+) tasks in .*: ([\d,]+) succeeded$`).FindStringSubmatch(talk.String())
	if m == nil {
		t.Fatalf("the summary is missing in:\n%s", talk.Bytes())
	}
	for _, n := range m[1:] {
		if got, _ := strconv.Atoi(strings.ReplaceAll(n, ",", "")); got != want {
			t.Errorf("%q, but find counts %d files", m[0], want)
		}
	}
}

// clone copies the files that git has, or would have, into a folder of its own.
func clone(t *testing.T) string {
	t.Helper()
	list := exec.Command("git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = ".."
	names, err := list.Output()
	if err != nil {
		t.Skip("needs a git checkout")
	}
	tree := t.TempDir()
	for name := range strings.SplitSeq(strings.TrimRight(string(names), "\x00"), "\x00") {
		if err := copyFile(filepath.Join("..", name), filepath.Join(tree, name)); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	return tree
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE, info.Mode().Perm())
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}
