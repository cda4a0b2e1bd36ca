package keeper

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
)

// left is how what an attempt left begins, by name; each copy has the size and the sum that are told. Large ones are not taken
// into memory: another test measures this process.
func (r *rig) left(e executor.Exit) map[string]string {
	r.Helper()
	all := map[string]string{}
	for _, a := range e.Artifacts {
		f, err := os.Open(a.Path)
		if err != nil {
			r.Error(err)
			continue
		}
		sum, text := sha256.New(), make([]byte, 100)
		n, _ := f.ReadAt(text, 0)
		size, err := io.Copy(sum, f)
		f.Close()
		if err != nil || size != a.Size || hex.EncodeToString(sum.Sum(nil)) != a.Sum {
			r.Errorf("%s is told with %d bytes and %s: %d, %v", a.Name, a.Size, a.Sum, size, err)
		}
		if filepath.Dir(a.Path) != filepath.Join(r.local.dir, "output") {
			r.Errorf("%s is kept as %s", a.Name, a.Path)
		}
		all[a.Name] = string(text[:n])
	}
	return all
}

func (r *rig) wantLeft(e executor.Exit, missed string, names ...string) {
	r.Helper()
	var got []string
	for name := range r.left(e) {
		got = append(got, name)
	}
	slices.Sort(got)
	if !slices.Equal(got, names) {
		r.Errorf("kept %q, want %q", got, names)
	}
	if !strings.Contains(e.Missed, missed) || missed == "" && e.Missed != "" {
		r.Errorf("missed: %q, want %q", e.Missed, missed)
	}
}

// TestC3WhatFitsIsKept: what is there when the attempt has ended, whether it succeeded or not, and before the folder is emptied.
func TestC3WhatFitsIsKept(t *testing.T) {
	r := newRig(t, 1)
	makes := "mkdir -p out/a/b .hidden; for f in top.txt out/x.txt out/y.bin out/a/z.txt out/a/b/deep.txt .hidden/h.txt 'out/w ä.txt'; do echo \"$f\" >\"$f\"; done; : >out/empty.txt; "
	for i, c := range []struct {
		patterns []string
		want     []string
	}{
		{[]string{"none", "out/none", "none/*", "top.txt/*"}, nil},
		{[]string{"top.txt"}, []string{"top.txt"}},
		{[]string{"out/*.txt", "out/x.*", "out"}, []string{"out/empty.txt", "out/w ä.txt", "out/x.txt"}},
		{[]string{"out/[xy].*"}, []string{"out/x.txt", "out/y.bin"}},
		{[]string{"*/*/z.txt"}, []string{"out/a/z.txt"}},
		{[]string{"**/z.txt", "**/*/**/deep.txt", "**/top.txt"}, []string{"out/a/b/deep.txt", "out/a/z.txt", "top.txt"}},
		{[]string{"out/a/**"}, []string{"out/a/b/deep.txt", "out/a/z.txt"}},
		{[]string{"*/h.txt"}, []string{".hidden/h.txt"}},
	} {
		p := sh(i+1, makes+"exit "+strconv.Itoa(i%2))
		p.Artifacts = c.patterns
		e := r.run(p)
		r.wantLeft(e, "", c.want...)
		for name, text := range r.left(e) {
			if text != name+"\n" && name != "out/empty.txt" {
				t.Errorf("%s has %q", name, text)
			}
		}
	}
	if e := r.run(sh(100, "ls; echo > top.txt")); e.Artifacts != nil || r.output(e, rota.Stdout) != "" {
		t.Errorf("one that names none: %+v", e)
	}
	dir := t.TempDir()
	p := sh(101, "echo > mine")
	p.Dir, p.Artifacts = dir, []string{"mine"}
	r.wantLeft(r.run(p), "", "mine")
	p = sh(102, "rm -rf \"$ROTA_SCRATCH_DIR\"")
	p.Artifacts = []string{"mine"}
	r.wantLeft(r.run(p), "")
}

// TestC3NoLinkLeadsOut: neither links nor anything else that is no file is kept, and nothing is waited for.
func TestC3NoLinkLeadsOut(t *testing.T) {
	r := newRig(t, 1)
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "secret"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for i, c := range []struct{ text, pattern, missed string }{
		{"ln -s " + outside + "/secret x", "x", `"x": is a link, or no file`},
		{"ln -s " + outside + "/secret x", "**", `"x": is a link, or no file`},
		{"ln -s " + outside + " x", "x/secret", ""},
		{"ln -s " + outside + " x", "**/secret", ""},
		{"mkdir y; ln -s .. y/up; echo > file", "y/up/file", ""},
		{"mkfifo x", "x", `"x": is a link, or no file`},
		{"rm -rf \"$ROTA_SCRATCH_DIR\"; ln -s " + outside + " \"$ROTA_SCRATCH_DIR\"", "secret", "working folder: "},
	} {
		p := sh(i+1, c.text)
		p.Artifacts = []string{c.pattern}
		r.wantLeft(r.run(p), c.missed)
	}
}

// TestC3WhatIsTooMuchIsToldAndNotKept: by number, by size, by depth, and by names that nobody could write down.
func TestC3WhatIsTooMuchIsToldAndNotKept(t *testing.T) {
	r := newRig(t, 1)
	p := sh(1, "i=0; while [ $i -lt 260 ]; do echo > f$i; i=$((i+1)); done")
	p.Artifacts = []string{"*"}
	e := r.run(p)
	if len(e.Artifacts) != rota.MaxArtifacts || !strings.Contains(e.Missed, "260 files are more than the 256 that may be kept") {
		t.Errorf("%d are kept; %s", len(e.Artifacts), e.Missed)
	}
	p = sh(2, "truncate -s 200M a; truncate -s 100M b; echo > c")
	p.Artifacts = []string{"*"}
	r.wantLeft(r.run(p), `"b": with it there would be more than the 256 MiB that may be kept`, "a", "c")
	p = sh(3, `i=0; while [ $i -lt 40 ]; do mkdir d; cd d; echo > f; i=$((i+1)); done`)
	p.Artifacts = []string{"**/f"}
	if e := r.run(p); len(e.Artifacts) != maxDeep || !strings.Contains(e.Missed, "too deep") {
		t.Errorf("%d are kept; %s", len(e.Artifacts), e.Missed)
	}
	p = sh(4, `echo > "$(printf 'a\nb')"; echo > "$(printf '\377')"; echo > good`)
	p.Artifacts = []string{"*"}
	r.wantLeft(r.run(p), `"a\nb": its name is too long, or no text; "\xff": its name`, "good")
	p = sh(5, "for i in 1 2 3 4 5; do ln -s x l$i; done")
	p.Artifacts = []string{"*"}
	if e := r.run(p); !strings.HasSuffix(e.Missed, `"l3": is a link, or no file; and 2 more`) {
		t.Errorf("%s", e.Missed)
	}
}

// TestC3AllOutputIsKept: as artifacts, whatever of it the store has.
func TestC3AllOutputIsKept(t *testing.T) {
	r := newRig(t, 1)
	p := sh(1, "seq 300000; echo wrong >&2; echo > file; echo > @stderr; exit 3")
	p.Artifacts = []string{"@stdout", "@stderr", "@stdout", "*"}
	e := r.run(p)
	r.wantLeft(e, `"@stderr": is the name of what was written to a stream`, "@stderr", "@stdout", "file")
	for _, a := range e.Artifacts {
		if text, err := os.ReadFile(e.Output[rota.Stdout]); err != nil || a.Name == "@stdout" && (a.Size != 1_988_895 || a.Size != int64(len(text))) {
			t.Errorf("%+v, of %d bytes that were written, %v", a, len(text), err)
		}
	}
	if got := r.left(e); got["@stderr"] != "wrong\n" || !strings.HasPrefix(got["@stdout"], "1\n2\n3\n") {
		t.Errorf("kept: %q", got)
	}
	p = sh(2, "exit 3")
	p.Artifacts = []string{"@stdout"}
	r.wantLeft(r.run(p), "")
	p = sh(3, "echo one")
	p.Out, p.Artifacts = "mine", []string{"@stdout", "mine"}
	r.wantLeft(r.run(p), `"@stdout": it goes to a file of the job's own`, "mine")
}
