package doctor

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFolder(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	link := filepath.Join(dir, "link")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, "nothing"), link); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, data string
		level      Level
		words      []string
	}{
		{"to be made", filepath.Join(dir, "a", "b"), OK, []string{"not there yet", "can be made in " + dir}},
		{"a file", file, Fail, []string{"not a folder"}},
		{"below a file", filepath.Join(file, "a", "b"), Fail, []string{file + " is not a folder"}},
		{"a link to nothing", link, Fail, []string{"symbolic link to nothing"}},
		{"a name too long", filepath.Join(dir, strings.Repeat("x", 300)), Fail, []string{"file name too long"}},
		{"with a zero byte", "a\x00b", Fail, []string{"invalid argument"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			expect(t, checkFolder(t.Context(), Place{Data: c.data}), c.level, c.words...)
		})
	}
	if names := namesIn(t, dir); names != "file link" {
		t.Errorf("%q is in the folder: want nothing of ours", names)
	}
}

func TestFolderModes(t *testing.T) {
	for _, c := range []struct {
		mode  fs.FileMode
		level Level
		fix   string
	}{
		{0o700, OK, ""},
		{0o750, Warn, "chmod 700 "},
		{0o711, Warn, "chmod 700 "},
		{0o770, Fail, "chmod 700 "},
		{0o777, Fail, "chmod 700 "},
		{0o777 | fs.ModeSticky, Fail, "/rota"},
	} {
		t.Run(c.mode.String(), func(t *testing.T) {
			dir := t.TempDir()
			if err := os.Chmod(dir, c.mode); err != nil {
				t.Fatal(err)
			}
			f := checkFolder(t.Context(), Place{Data: dir})
			expect(t, f, c.level, dir)
			if !strings.Contains(f.Fix, c.fix) {
				t.Errorf("remedy %q: want %q in it", f.Fix, c.fix)
			}
		})
	}
}

func TestFolderOfAnotherUser(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	f := judgeFolder(dir, info, os.Geteuid()+12345)
	expect(t, f, Warn, "belongs to "+userName(os.Geteuid()))
}

func TestRelativeFolder(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.Chmod(".", 0o700); err != nil {
		t.Fatal(err)
	}
	expect(t, checkFolder(t.Context(), Place{Data: "."}), OK, "takes files")
	expect(t, checkFolder(t.Context(), Place{Data: "a"}), OK, "can be made")
}

func TestQuote(t *testing.T) {
	for path, want := range map[string]string{
		"/var/lib/rota": "/var/lib/rota",
		"/a b":          "'/a b'",
		"/it's":         `'/it'\''s'`,
		"/$HOME;x":      "'/$HOME;x'",
		"":              "''",
	} {
		if got := quote(path); got != want {
			t.Errorf("quote(%q) = %s, want %s", path, got, want)
		}
	}
}

func namesIn(t *testing.T, dir string) string {
	t.Helper()
	all, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range all {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}
