package api

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rotaqueue/rota"
)

// shortTemp makes the system's temporary folder a short one of the test's own.
func shortTemp(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "r")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	t.Setenv("TMPDIR", dir)
	return dir
}

func longFolder(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), strings.Repeat("long", 25))
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

// reach asks the node of a data folder.
func reach(t *testing.T, dir string) error {
	t.Helper()
	path, err := SocketPath(dir)
	if err != nil {
		return err
	}
	c := Dial(path)
	defer c.Close()
	_, err = c.Status(t.Context())
	return err
}

func TestP26ALongPathFallsBackToAShortOne(t *testing.T) {
	tmp := shortTemp(t)
	dir := longFolder(t)
	ln, err := ListenUnix(dir)
	if err != nil {
		t.Fatal(err)
	}
	serve(t, &spy{}, Options{}, ln)
	path := ln.Addr().String()
	if !strings.HasPrefix(path, tmp) || len(path) > maxSocket {
		t.Errorf("the socket is at %s", path)
	}
	if record, err := os.ReadFile(filepath.Join(dir, "socket")); err != nil || string(record) != path+"\n" {
		t.Errorf("recorded %q, %v", record, err)
	}
	for file, want := range map[string]os.FileMode{filepath.Dir(path): 0o700, path: 0o600} {
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", file, info.Mode(), err)
		}
	}
	if err := reach(t, dir); err != nil {
		t.Error(err)
	}
	t.Setenv("TMPDIR", "/") // another shell of the user's may have another
	if err := reach(t, dir); err != nil {
		t.Error("with another TMPDIR:", err)
	}
}

func TestP26AShortPathIsInTheDataFolder(t *testing.T) {
	dir := shortTemp(t)
	for range 2 { // the second finds what the first left
		ln, err := ListenUnix(dir)
		if err != nil {
			t.Fatal(err)
		}
		if got := ln.Addr().String(); got != filepath.Join(dir, "rota.sock") {
			t.Errorf("the socket is at %s", got)
		}
		if _, err := os.Stat(filepath.Join(dir, "socket")); err == nil {
			t.Error("it is recorded")
		}
		ln.SetUnlinkOnClose(false) // as if the node had been killed
		ln.Close()
	}
	if err := os.WriteFile(filepath.Join(dir, "socket"), []byte("/nowhere\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ln, err := ListenUnix(dir)
	if err != nil {
		t.Fatal(err)
	}
	serve(t, &spy{}, Options{}, ln)
	if err := reach(t, dir); err != nil {
		t.Error("an earlier record misleads:", err)
	}
}

func TestP26AFolderOfOthersHoldsNoSocket(t *testing.T) {
	tmp := shortTemp(t)
	own, err := os.MkdirTemp(tmp, "x")
	if err != nil {
		t.Fatal(err)
	}
	dir := longFolder(t)
	ln, err := ListenUnix(dir)
	if err != nil {
		t.Fatal(err)
	}
	serve(t, &spy{}, Options{}, ln)
	folder := filepath.Dir(ln.Addr().String())
	for name, spoil := range map[string]func() error{
		"open to others": func() error { return os.Chmod(folder, 0o777) },
		"a link": func() error {
			return errors.Join(os.Chmod(folder, 0o700), os.Rename(folder, own+"/moved"), os.Symlink(own+"/moved", folder))
		},
	} {
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		if err := reach(t, dir); !errors.Is(err, rota.ErrDenied) {
			t.Errorf("%s: asked it: %v", name, err)
		}
		if _, err := ListenUnix(dir); !errors.Is(err, rota.ErrDenied) {
			t.Errorf("%s: listened there: %v", name, err)
		}
	}
}

func TestP26TwoLongPathsAreASentence(t *testing.T) {
	dir := longFolder(t)
	t.Setenv("TMPDIR", dir)
	if _, err := ListenUnix(dir); !errors.Is(err, rota.ErrInvalid) || rota.FixOf(err) == "" {
		t.Error(err)
	}
}

func TestNoNodeIsASentence(t *testing.T) {
	dir := shortTemp(t)
	check := func(what string) {
		t.Helper()
		if err := reach(t, dir); !errors.Is(err, rota.ErrUnavailable) || rota.FixOf(err) != "rota up" {
			t.Errorf("%s: %v, fix %q", what, err, rota.FixOf(err))
		}
	}
	check("no socket")
	ln, err := ListenUnix(dir)
	if err != nil {
		t.Fatal(err)
	}
	ln.SetUnlinkOnClose(false)
	ln.Close()
	check("a dead node's socket")
	if err := os.Remove(filepath.Join(dir, socketName)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, recordName), []byte("/tmp/rota-gone/x.sock\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	check("a record of a folder that is gone")
}
