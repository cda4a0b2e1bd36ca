package node

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
)

func TestNamesOfTexts(t *testing.T) {
	try := rota.Try{Task: rota.Element(43, 17), Attempt: 12}
	name := textName(try, rota.Stderr)
	if got, s, ok := parseTextName(name); !ok || got != try || s != rota.Stderr {
		t.Errorf("%s is %v, %v, %v", name, got, s, ok)
	}
	for _, other := range []string{"", "journal", "1", "1.2", "1.2.log", "1.2.stdout.tmp", "x.2.stdout", "01.2.stdout", ".1.2.stdout", "1.+2.stdout"} {
		if _, _, ok := parseTextName(other); ok {
			t.Errorf("%q is taken for a text", other)
		}
	}
}

func TestNamesOfCopies(t *testing.T) {
	for name, want := range map[string]bool{"42.1.artifact-0": true, "42.1.artifact-255": true, "42.1.artifact-": false, "42.1.artifact-x": false,
		"x.1.artifact-0": false, "42.artifact-0": false, "42.1.artifact-0.tmp": false, "42.1.stdout": false} {
		if got, ok := parseCopyName(name); ok != want || ok && got != (rota.Try{Task: 42, Attempt: 1}) {
			t.Errorf("%s: %v, %v", name, got, ok)
		}
	}
}

func TestWhichTextsGo(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	file := func(name string, hours int, size int64) textFile {
		return textFile{name: name, size: size, written: now.Add(-time.Duration(hours) * time.Hour)}
	}
	files := []textFile{file("c", 3, 10), file("a", 30, 1), file("d", 1, 10), file("b", 10, 10)}
	for _, c := range []struct {
		what  string
		limit Retention
		want  string
	}{
		{"nothing", Retention{Age: 1000 * time.Hour, Bytes: 31}, ""},
		{"too old", Retention{Age: 9 * time.Hour, Bytes: 1000}, "ab"},
		{"too much", Retention{Age: 1000 * time.Hour, Bytes: 20}, "ab"},
		{"far too much", Retention{Age: 1000 * time.Hour, Bytes: 5}, "abcd"},
		{"both", Retention{Age: 20 * time.Hour, Bytes: 25}, "ab"},
	} {
		got := ""
		for _, f := range overdue(slices.Clone(files), c.limit, now) {
			got += f.name
		}
		if got != c.want {
			t.Errorf("%s: %q go, want %q", c.what, got, c.want)
		}
	}
}

func TestI12_TheOutputFolderStaysBounded(t *testing.T) {
	in(t, 1, func(w *world) {
		const size = 100_000 // over the cap, so it stays
		w.k.script = func(executor.Process) play { return play{takes: time.Second, stdout: letters(size)} }
		foreign := filepath.Join(w.dir, "output", "notes")
		w.after(time.Second)
		if err := os.WriteFile(foreign, make([]byte, 1<<20), 0o600); err != nil {
			t.Fatal(err)
		}
		w.m.submit(1, 100, rota.Spec{})
		w.after(5 * time.Minute)
		w.want(rota.Succeeded, 100)
		texts, err := w.n.texts()
		if err != nil || len(texts) < 9 || len(texts) > 13 {
			t.Errorf("%d texts left of 10 that may stay, %v", len(texts), err)
		}
		if _, err := os.Stat(foreign); err != nil {
			t.Error("a file that is no text was removed")
		}
	}, func(o *Options) { o.Retention.Bytes = 1_000_000; o.Retention.Age = 100 * 365 * 24 * time.Hour })
}

func TestOldTextsGoWhenTheNodeStarts(t *testing.T) {
	in(t, 1, func(w *world) {
		w.after(time.Second)
		if left := w.textsLeft(); len(left) != 0 {
			t.Errorf("left %v", left)
		}
	}, func(o *Options) {
		name := filepath.Join(o.Dir, "output", "1.1.stdout")
		os.MkdirAll(filepath.Dir(name), 0o700)
		os.WriteFile(name, []byte("x"), 0o600)
		old := time.Now().Add(-8 * 24 * time.Hour) // the bubble's clock begins in 2000
		os.Chtimes(name, old, old)
	})
}
