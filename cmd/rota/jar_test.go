package main_test

import (
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestJarManual walks the manual of the Job Jar with the real binary, section by section: its commands and what it says
// of files, in the order in which it says it, each stated effect checked (J1 to J12).
func TestJarManual(t *testing.T) {
	bin := t.TempDir()
	build(t, filepath.Join(bin, "rota"))
	testscript.Run(t, testscript.Params{
		Dir:                "testdata/jar",
		Setup:              func(env *testscript.Env) error { return setUpScript(env, bin) },
		Cmds:               scriptCommands,
		Condition:          scriptCondition,
		RequireUniqueNames: true,
	})
}

func makeJar(ts *testscript.TestScript, _ *script, _ bool, args []string) {
	ts.Check(ts.Exec("rota", "jar", "init", ts.MkAbs(args[0])))
}

func waitGlob(ts *testscript.TestScript, _ *script, _ bool, args []string) {
	if !until(func() bool {
		found, err := filepath.Glob(ts.MkAbs(args[0]))
		ts.Check(err)
		return len(found) > 0
	}, patience) {
		ts.Fatalf("no file %s comes", args[0])
	}
}
