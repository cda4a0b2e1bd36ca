package rota_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/rotaqueue/rota"

// layer is a row of the import table: which packages of ours a package may import, and which of the standard
// library's it must not. Tests are free to import what they test against.
type layer struct {
	imports []string // of ours, relative to the module; "*": any
	never   []string // neither these nor what lies below them
	pure    bool     // does not ask what time it is
}

var (
	noSystem = []string{"os", "net", "database/sql", "syscall", "golang.org/x/sys"}
	noSQL    = []string{"database/sql"}
	textOnly = []string{"net/url", "net/netip"} // values, whatever their path says
)

// layers is the import table of docs/design.md. "x/*" stands for every package directly below x.
var layers = map[string]layer{
	".":                   {imports: []string{"cron"}, never: noSystem, pure: true},
	"cron":                {never: noSystem, pure: true},
	"eligible":            {imports: []string{"."}, never: noSystem, pure: true},
	"eta":                 {never: noSystem, pure: true},
	"discipline":          {imports: []string{"."}, never: noSystem, pure: true},
	"store/sqlstore":      {imports: []string{".", "discipline", "eligible", "crash/at"}, never: []string{"net/http", "os/exec"}}, // net: errors of connections to a database
	"store/storetest":     {imports: []string{"."}, never: []string{"net", "os", "database/sql"}},
	"store/pgtest":        {},
	"objects/folder":      {imports: []string{"."}, never: []string{"net/http", "os/exec", "database/sql"}},
	"objects/s3":          {imports: []string{"."}, never: []string{"os", "os/exec", "database/sql"}},
	"objects/objectstest": {imports: []string{"."}, never: []string{"net", "os", "database/sql"}},
	"server":              {imports: []string{".", "cron", "discipline", "eligible", "eta", "clock"}, never: []string{"database/sql", "net/http", "os/exec"}},
	"servicetest":         {imports: []string{"."}, never: noSQL},
	"executor":            {imports: []string{"."}, never: noSQL},
	"executor/*":          {imports: []string{".", "executor"}, never: noSQL},
	"keeper":              {imports: []string{".", "executor", "clock", "cgroup", "crash/at"}, never: noSQL},
	"cgroup":              {never: []string{"net", "os/exec", "database/sql"}},
	"clock":               {imports: []string{"."}, never: []string{"net", "os/exec", "database/sql"}},
	"node":                {imports: []string{".", "executor", "keeper", "clock", "crash/at"}, never: noSQL},
	"jar":                 {imports: []string{".", "clock", "crash/at"}, never: []string{"net", "os/exec", "database/sql"}},
	"jar/worker":          {imports: []string{".", "jar", "executor", "clock", "crash/at"}, never: []string{"net", "os/exec", "database/sql"}},
	"jar/serve":           {imports: []string{".", "jar"}, never: []string{"net", "os/exec", "database/sql"}},
	"clients/python":      {never: []string{"net", "os", "database/sql"}},
	"courier":             {imports: []string{"."}, never: []string{"database/sql"}},
	"join":                {imports: []string{".", "api"}, never: []string{"os", "os/exec", "database/sql"}},
	"api":                 {imports: []string{"."}, never: []string{"database/sql", "os/exec"}},
	"web":                 {imports: []string{".", "cron", "discipline"}, never: []string{"database/sql", "os/exec"}},
	"config":              {imports: []string{"."}, never: noSQL},
	"cli":                 {imports: []string{".", "api", "config", "cron", "jar"}, never: noSQL},
	"measure":             {imports: []string{"*"}},
	"doctor":              {imports: []string{"cgroup"}, never: []string{"database/sql"}},
	"docs/gen":            {imports: []string{".", "api", "cli", "config"}, never: noSQL},
	"scripts/types":       {never: noSQL},
	"crash":               {imports: []string{"."}, never: []string{"net", "os/exec", "database/sql"}},
	"crash/at":            {never: []string{"net", "os/exec", "database/sql"}}, // nothing at all in a binary as it is shipped
	"crash/network":       {never: []string{"net/http", "database/sql"}},
	"crash/witness":       {imports: []string{".", "clock", "crash"}, never: []string{"net", "database/sql"}},
	"cmd/rota":            {imports: []string{"*"}},
}

func layerOf(pkg string) (layer, bool) {
	if l, ok := layers[pkg]; ok {
		return l, true
	}
	l, ok := layers[path.Dir(pkg)+"/*"]
	return l, ok
}

func TestImportTable(t *testing.T) {
	pkgs := parsePackages(t)
	for _, dir := range slices.Sorted(maps.Keys(pkgs)) {
		t.Run(dir, func(t *testing.T) {
			l, known := layerOf(dir)
			if !known {
				t.Fatalf("package %s is not in the import table: add it to layers in deps_test.go and to docs/design.md, with what it may import", dir)
			}
			for _, f := range pkgs[dir] {
				checkImports(t, dir, l, f)
				if l.pure {
					checkClock(t, f)
				}
			}
			if !hasPackageComment(pkgs[dir]) {
				t.Errorf("package %s has no package comment: say what it promises and what it may touch", dir)
			}
		})
	}
}

type sourceFile struct {
	name string
	*ast.File
	fset *token.FileSet
}

// parsePackages reads every non-test file of the module, for whatever platform it is, by folder.
func parsePackages(t *testing.T) map[string][]sourceFile {
	t.Helper()
	pkgs := map[string][]sourceFile{}
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && skipDir(name):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		dir := filepath.ToSlash(filepath.Dir(name))
		pkgs[dir] = append(pkgs[dir], sourceFile{name, f, fset})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(pkgs["."]) == 0 {
		t.Fatal("no files of the root package found: the test does not see the module")
	}
	return pkgs
}

func skipDir(name string) bool {
	base := filepath.Base(name)
	if base == "testdata" || base[0] == '.' || base[0] == '_' {
		return true
	}
	_, err := os.Stat(filepath.Join(name, "go.mod"))
	return err == nil // a module of its own
}

func checkImports(t *testing.T, dir string, l layer, f sourceFile) {
	t.Helper()
	for _, spec := range f.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		if ours, ok := ourPackage(p); ok {
			if !slices.Contains(l.imports, ours) && !slices.Contains(l.imports, "*") {
				t.Errorf("%s imports %s: %s may import of ours only %q", f.name, p, dir, l.imports)
			}
			continue
		}
		for _, n := range l.never {
			if slices.Contains(textOnly, p) {
				continue
			}
			if p == n || strings.HasPrefix(p, n+"/") {
				t.Errorf("%s imports %s: %s must not touch %s", f.name, p, dir, n)
			}
		}
	}
}

func ourPackage(importPath string) (string, bool) {
	if importPath == module {
		return ".", true
	}
	return strings.CutPrefix(importPath, module+"/")
}

// checkClock refuses every use of the wall clock, called or passed on.
func checkClock(t *testing.T, f sourceFile) {
	t.Helper()
	ast.Inspect(f.File, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		x, ok := sel.X.(*ast.Ident)
		if ok && x.Name == "time" && slices.Contains([]string{"Now", "Since", "Until", "Sleep", "After", "Tick"}, sel.Sel.Name) {
			t.Errorf("%s uses time.%s: this package holds values only and is told what time it is", f.fset.Position(sel.Pos()), sel.Sel.Name)
		}
		return true
	})
}

func hasPackageComment(files []sourceFile) bool {
	return slices.ContainsFunc(files, func(f sourceFile) bool {
		return f.Doc != nil && strings.TrimSpace(f.Doc.Text()) != ""
	})
}
