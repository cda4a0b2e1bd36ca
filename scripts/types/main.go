// Command types checks that packages and their tests compile for other platforms: it types all that they are made of from
// its source, in a tenth of the time that compiling it for each platform takes.
//
//	go run ./scripts/types linux/arm64,darwin/arm64 ./...
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "write GOOS/GOARCH,... PACKAGE...")
		os.Exit(2)
	}
	failed := false
	for platform := range strings.SplitSeq(os.Args[1], ",") {
		n, err := check(platform, os.Args[2:])
		fmt.Printf("%s: %d packages\n", platform, n)
		if err != nil {
			failed = true
			fmt.Println(err)
		}
	}
	if failed {
		os.Exit(1)
	}
}

// listed is a package as go list tells of it; behind each are those that it imports.
type listed struct {
	Dir, ImportPath   string
	GoFiles, CgoFiles []string
	ImportMap         map[string]string
	Module            *struct {
		Main      bool
		GoVersion string
	}
	Error *struct{ Err string }
}

// check types all packages for a platform, and says how many are our own. Of others' functions nothing but the head is looked at.
func check(platform string, pkgs []string) (n int, err error) {
	goos, arch, _ := strings.Cut(platform, "/")
	list := exec.Command("go", append([]string{"list", "-deps", "-test", "-json=Dir,ImportPath,GoFiles,CgoFiles,ImportMap,Module,Error"}, pkgs...)...)
	list.Env = append(os.Environ(), "GOOS="+goos, "GOARCH="+arch, "CGO_ENABLED=0")
	list.Stderr = os.Stderr
	out, err := list.Output()
	if err != nil {
		return 0, err
	}
	done := map[string]*types.Package{"unsafe": types.Unsafe}
	var wrong []error
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return n, err
		}
		switch {
		case p.Error != nil:
			wrong = append(wrong, errors.New(p.Error.Err))
		case p.ImportPath != "unsafe" && !strings.HasSuffix(p.ImportPath, ".test"): // the main programs of tests are made by the go command
			ours := p.Module != nil && p.Module.Main
			if ours {
				n++
			}
			err := p.check(done, arch, ours)
			wrong = append(wrong, err)
		}
	}
	return n, errors.Join(wrong...)
}

func (p *listed) check(done map[string]*types.Package, arch string, ours bool) error {
	files, fset, err := p.parse()
	if err != nil {
		return err
	}
	var wrong []error
	c := types.Config{IgnoreFuncBodies: !ours, FakeImportC: true, Sizes: types.SizesFor("gc", arch),
		Importer: importer(func(path string) (*types.Package, error) {
			if to, ok := p.ImportMap[path]; ok {
				path = to
			}
			if done[path] == nil {
				return nil, fmt.Errorf("%s is not there", path)
			}
			return done[path], nil
		}),
		Error: func(err error) {
			if ours { // the go command compiles what is others'
				wrong = append(wrong, err)
			}
		}}
	if p.Module != nil && p.Module.GoVersion != "" {
		c.GoVersion = "go" + p.Module.GoVersion
	}
	done[p.ImportPath], _ = c.Check(strings.Fields(p.ImportPath)[0], fset, files, nil) // of its errors Error is told
	return errors.Join(wrong...)
}

type importer func(path string) (*types.Package, error)

func (f importer) Import(path string) (*types.Package, error) { return f(path) }

func (p *listed) parse() ([]*ast.File, *token.FileSet, error) {
	names := append(p.GoFiles, p.CgoFiles...)
	files, failed := make([]*ast.File, len(names)), make([]error, len(names))
	fset := token.NewFileSet()
	var all sync.WaitGroup
	for i, name := range names {
		all.Go(func() {
			files[i], failed[i] = parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
		})
	}
	all.Wait()
	return files, fset, errors.Join(failed...)
}
