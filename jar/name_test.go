package jar

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestJ7TheExtensionIsThePriority(t *testing.T) {
	for name, want := range map[string]int{"job": 0, "job.15": 15, "job.-3": -3, "job.0": 0, "a.b.7": 7, "job.15.sh": 0, "job.": 0,
		"job.x": 0, "job.+5": 0, "job. 5": 0, "job.1e3": 0, "job.0x10": 0, "job.-": 0, "job.--1": 0, "job.007": 7, "job.٣": 0,
		"job.99999999999999999999": 0, "job~2.15": 15, ".15": 0, "2026.11": 11} {
		if got := PriorityOf(name); got != want {
			t.Errorf("%q: %d, want %d", name, got, want)
		}
	}
}

// FuzzName: a name for a job whose own is taken has the same priority, is another one, and is short enough to have files
// beside it.
func FuzzName(f *testing.F) {
	for _, name := range []string{"job", "job.15", "job.-3", "ü.7", strings.Repeat("ä", 200) + ".5", ".hidden", "~2.3", strings.Repeat("9", 300)} {
		f.Add(name, 2)
	}
	f.Fuzz(func(t *testing.T, name string, n int) {
		if !IsName(name) || strings.ContainsAny(name, "/\x00") || len(name) > 255 || n < 1 {
			return
		}
		v := variant(name, n)
		stem, ext := split(name)
		if len(v) > longest || !IsName(v) || filepath.Base(v) != v {
			t.Errorf("variant %d of %q: %q", n, name, v)
		}
		if ext != "" && len(ext) < 200 && PriorityOf(v) != PriorityOf(name) {
			t.Errorf("variant %d of %q has priority %d", n, name, PriorityOf(v))
		}
		if n > 1 && v == variant(name, n-1) {
			t.Errorf("variants %d and %d of %q are alike", n, n-1, name)
		}
		if utf8.ValidString(name) && !utf8.ValidString(v) {
			t.Errorf("variant of %q: %q is no text", name, v)
		}
		if n == 1 && len(name) <= longest && v != name {
			t.Errorf("%q (%q) becomes %q", name, stem, v)
		}
	})
}

func TestJ6UniqueNames(t *testing.T) {
	now := time.Date(2026, 11, 23, 14, 15, 16, 123456789, time.UTC)
	o := origin{login: "an a/b", host: "rain", pid: 77, n: 1}
	name := uniqueName(now, o, "test run.5", -3)
	if want := "20261123-141516-123456_an_a_b_test_run.5_rain-77-1.-3"; name != want {
		t.Errorf("%s, want %s", name, want)
	}
	if name := uniqueName(now, o, "v1.7", 0); PriorityOf(name) != 0 {
		t.Errorf("%s has priority %d: the identifier is taken for it", name, PriorityOf(name))
	}
	j := At(t.TempDir())
	seen := map[string]bool{}
	for range 1000 {
		path, err := j.UniqueName("x", 1)
		if err != nil || seen[path] || filepath.Dir(path) != j.Limbo() || !filepath.IsAbs(path) {
			t.Fatalf("%s: %v", path, err)
		}
		seen[path] = true
	}
	for _, id := range []string{"a/b", "a\nb", "\x00", "\xff", strings.Repeat("x", 65)} {
		if _, err := j.UniqueName(id, 0); err == nil {
			t.Errorf("identifier %q is taken", id)
		}
	}
}

func TestCategoriesAreFolders(t *testing.T) {
	for name, ok := range map[string]bool{"LINUX": true, "a.b-c d": true, "": false, ".": false, "..": false, ".x": false, "a/b": false, "a\n": false} {
		if err := CheckCategory(name); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestJ3Order(t *testing.T) {
	entries := []entry{{name: "d", priority: 0, age: 5}, {name: "c", priority: -1, age: 1}, {name: "b", priority: 0, age: 4},
		{name: "a", priority: 7, age: 9}, {name: "e", priority: 0, age: 4}}
	slices.SortFunc(entries, compare)
	var got []string
	for _, e := range entries {
		got = append(got, e.name)
	}
	if s := strings.Join(got, ""); s != "abedc" {
		t.Errorf("order %s", s)
	}
	if got := Order("rain", []string{"FAST", "LINUX", "FAST", "rain"}); !slices.Equal(got, []string{"rain", "FAST", "LINUX", ""}) {
		t.Errorf("categories %q", got)
	}
}

func TestWorkerNames(t *testing.T) {
	for name, want := range map[string][2]string{"rain.7": {"rain", "7"}, "a.b.12": {"a.b", "12"}, "rain.7-2": {"rain", "7-2"}} {
		if node, number, ok := ParseWorkerName(name); !ok || node != want[0] || number != want[1] {
			t.Errorf("%s: %s %s %v", name, node, number, ok)
		}
	}
	for _, name := range []string{"", "rain", ".7", "rain.", "rain.x", "rain.7-", "rain.-7", "rain.7-2-3", "rain.7x"} {
		if _, _, ok := ParseWorkerName(name); ok {
			t.Errorf("%q is taken for a worker's", name)
		}
	}
}

func TestJ6Script(t *testing.T) {
	text, err := Script([]string{"/bin/big", "in.tmp", "104.1", `"a  b"`})
	if err != nil || text != "#!/bin/sh -f\n/bin/big in.tmp 104.1 \"a  b\"\n" {
		t.Errorf("%q, %v", text, err)
	}
	if _, err := Script([]string{"", " "}); err == nil {
		t.Error("a blank command is taken")
	}
	for head, want := range map[string]bool{"": false, "#!/bin/sh\n": false, "echo\n": true, "\x7fELF\x00": false} {
		if got := NeedsShell([]byte(head)); got != want {
			t.Errorf("%q needs a shell: %v", head, got)
		}
	}
}
