package python

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestJ11Library runs the library's own tests with the real Python.
func TestJ11Library(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is missing: the library for Python is not tested; on Debian: apt-get install python3")
	}
	cases, err := filepath.Abs("../../jar/testdata/settings.json")
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	cmd := exec.Command(python, "-B", "-W", "error", "library_test.py")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "CASES=" + cases, "TMPDIR=" + t.TempDir()}
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(out), "... ok"); n < 10 {
		t.Errorf("only %d of its tests ran", n)
	}
}

// TestTheLibraryNeedsNothingElse: every module that it imports is its own or of the standard library.
func TestTheLibraryNeedsNothingElse(t *testing.T) {
	standard := " getpass itertools json os re shutil socket stat time "
	err := fs.WalkDir(Library, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(Library, path)
		for line := range strings.Lines(string(text)) {
			words := strings.Fields(line)
			if len(words) < 2 || words[0] != "import" && words[0] != "from" || line[0] == ' ' {
				continue
			}
			if module := words[1]; module[0] != '.' && !strings.Contains(standard, " "+module+" ") {
				t.Errorf("%s imports %s", path, module)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
