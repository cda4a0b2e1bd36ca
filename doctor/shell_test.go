package doctor

import (
	"os"
	"path/filepath"
	"testing"
)

func TestShell(t *testing.T) {
	expect(t, tryShell(t.Context(), "/bin/sh"), OK, "/bin/sh runs")
	dir := t.TempDir()
	expect(t, tryShell(t.Context(), filepath.Join(dir, "sh")), Fail, "no such file")
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, []byte("#!/bin/sh\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	expect(t, tryShell(t.Context(), plain), Fail, "permission denied")
	broken := filepath.Join(dir, "broken")
	if err := os.WriteFile(broken, []byte("#!/bin/sh\nexit 7\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	expect(t, tryShell(t.Context(), broken), Fail, "exit status 7")
}
