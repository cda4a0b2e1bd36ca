package jar

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rotaqueue/rota"
)

func TestJ3TheOrderOfClaims(t *testing.T) {
	w := newWorld(t)
	for _, job := range []string{"/plain", "/urgent.5", "LINUX/b", "LINUX/a.-2", "LINUX/c.1", "FAST/z", "OTHER/x.99", "rain/own", "flower/theirs.9"} {
		category, name, _ := strings.Cut(job, "/")
		w.put(category, name)
	}
	w.put("LINUX", "a") // younger than b
	got := w.claims(w.worker("rain", "FAST", "LINUX"))
	want := []string{"rain/own", "FAST/z", "LINUX/c.1", "LINUX/b", "LINUX/a", "LINUX/a.-2", "/urgent.5", "/plain"}
	if !slices.Equal(got, want) {
		t.Errorf("claimed %q, want %q", got, want)
	}
	if got := w.claims(w.worker("flower")); !slices.Equal(got, []string{"flower/theirs.9"}) {
		t.Errorf("flower claimed %q", got)
	}
	if _, err := os.Stat(filepath.Join(w.folder("OTHER"), "x.99")); err != nil {
		t.Error("a category that nobody names was looked at")
	}
}

// TestJ3NewcomersAreSeen: one that comes while others wait is claimed in its place.
func TestJ3NewcomersAreSeen(t *testing.T) {
	w := newWorld(t)
	for i := range 5 {
		w.put("", fmt.Sprint("job", i))
	}
	worker := w.worker("rain")
	first := w.claim(worker)
	w.put("", "late.7")
	w.put("LINUX", "unseen")
	w.put("rain", "own")
	w.now += 1000 // reading takes a tick of this clock: far less than a sixtieth of what has passed since
	got := append([]string{first.Name}, w.claims(worker)...)
	if want := []string{"job0", "rain/own", "/late.7", "/job1", "/job2", "/job3", "/job4"}; !slices.Equal(got, want) {
		t.Errorf("claimed %q, want %q", got, want)
	}
}

// TestNoWorkerScansMoreThanItMust: with many jobs waiting and the folder changing all the time, it is read again no more
// often than in a sixtieth of the time.
func TestNoWorkerScansMoreThanItMust(t *testing.T) {
	w := newWorld(t)
	const jobs = 1000
	for i := range jobs {
		w.put("", fmt.Sprintf("job%04d", i))
	}
	worker := w.worker("rain")
	const tick = 50 // of the clock at each look at it: reading takes one, and so does a claim
	worker.elapsed = func() rota.Elapsed { w.now += tick; return w.now }
	s := worker.shelves[len(worker.shelves)-1]
	readings, last := 0, rota.Elapsed(0)
	for range jobs {
		if c := w.claim(worker); c == nil {
			t.Fatal("not all are claimed")
		} else if _, err := c.Complete(End{}); err != nil {
			t.Fatal(err)
		}
		if s.read != last {
			readings, last = readings+1, s.read
		}
	}
	if most := jobs/rest*2 + 2; readings > most || readings < 2 {
		t.Errorf("%d readings for %d claims, want at most %d", readings, jobs, most)
	}
}

func TestPathsForCron(t *testing.T) {
	for path, want := range map[string]string{"/shared/jar": "/shared/jar", "/a b/c": "'/a b/c'", "/it's": `'/it'\''s'`, "/50%": `'/50\%'`} {
		if got := forCron(path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

// TestAWorkersDirectoryIsItsAlone: a number that is used again makes another directory, and a STOP in the old one stops
// nobody.
func TestAWorkersDirectoryIsItsAlone(t *testing.T) {
	w := newWorld(t)
	old := w.dead("rain")
	w.put("", "job")
	w.claim(old)
	w.must(os.WriteFile(filepath.Join(old.Dir(), stopFile), nil, 0o644))
	worker := w.worker("rain")
	if worker.Name() != old.Name()+"-1" {
		t.Errorf("names %s and %s", old.Name(), worker.Name())
	}
	if told, err := worker.Told(); told != GoOn || err != nil {
		t.Errorf("told %v, %v", told, err)
	}
	w.wantTree("the old one's job stays", "claimed/job -> ../workers/"+old.Name()+"/job", "workers/"+old.Name()+"/job")
}

// TestALostAnswerOfARename: what was renamed although the answer was an error is ours; what another has is not.
func TestALostAnswerOfARename(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	if err := os.WriteFile(b, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := move(a, b); err != nil {
		t.Errorf("done, and then asked for again: %v", err)
	}
	if err := move(a, filepath.Join(dir, "c")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("claimed by another: %v", err)
	}
	if err := os.WriteFile(a, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, rename := range []func(string, string) error{move, renameNew, renameIfFree} {
		if err := rename(a, b); !errors.Is(err, errTaken) {
			t.Errorf("onto another file: %v", err)
		}
	}
}

// TestManyClaimEachJobOnce: workers that claim from one jar at the same time never claim the same job, and none is left.
func TestManyClaimEachJobOnce(t *testing.T) {
	w := newWorld(t)
	const jobs = 2000
	for i := range jobs {
		w.put([]string{"", "A", "B"}[i%3], fmt.Sprintf("job%d.%d", i, i%7))
	}
	var mu sync.Mutex
	times := map[string]int{}
	var all sync.WaitGroup
	for range 8 {
		worker, err := w.Register(func() Life { l := Here("rain"); l.Categories = []string{"A", "B"}; return l }(), "")
		w.must(err)
		all.Go(func() {
			for {
				c, err := worker.Claim()
				if err != nil {
					t.Error(err)
				}
				if c == nil {
					return
				}
				if _, err := c.Complete(End{}); err != nil {
					t.Error(err)
				}
				worker.Done(c)
				mu.Lock()
				times[c.Name]++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	for name, n := range times {
		if n != 1 {
			t.Errorf("%s was claimed %d times", name, n)
		}
	}
	if s, err := w.Status(Here("rain")); err != nil || len(times) != jobs || s.Completed != jobs || s.Unclaimed+s.Claimed+s.Limbo+len(s.Stranded) != 0 {
		t.Errorf("%d claimed, %+v, %v", len(times), s, err)
	}
}

func TestJ6Submit(t *testing.T) {
	w := newWorld(t)
	file := filepath.Join(t.TempDir(), "prog")
	w.must(os.WriteFile(file, []byte("#!/bin/sh\necho\n"), 0o750))
	first, err := w.Submit(Submission{Text: "#!/bin/sh -f\ntrue\n", Priority: -3, ID: "test_run"})
	w.must(err)
	second, err := w.Submit(Submission{File: file, Category: "LINUX", Priority: 10})
	w.must(err)
	if !strings.Contains(first, "test_run") || PriorityOf(first) != -3 || PriorityOf(second) != 10 {
		t.Errorf("names %s and %s", first, second)
	}
	w.wantTree("submitted", "unclaimed/"+first, "unclaimed/LINUX/"+second)
	worker := w.worker("rain", "LINUX")
	for _, want := range []string{"#!/bin/sh\necho\n", "#!/bin/sh -f\ntrue\n"} {
		c := w.claim(worker) // at once: a job of ours is known to be whole
		if c == nil {
			t.Fatal("nothing can be claimed")
		}
		text, err := os.ReadFile(c.Path())
		if err != nil || string(text) != want {
			t.Errorf("%s has %q, %v", c.Name, text, err)
		}
		worker.Done(c)
	}
	w.must(os.Chmod(file, 0o644))
	for _, s := range []Submission{{File: file}, {File: "/does/not/exist"}, {File: t.TempDir()}, {Text: "x", Category: "a/b"}, {Text: "x", ID: "a/b"}} {
		if name, err := w.Submit(s); !errors.Is(err, rota.ErrInvalid) {
			t.Errorf("%+v: %s, %v", s, name, err)
		}
	}
	if left, err := os.ReadDir(w.Limbo()); err != nil || len(left) != 0 {
		t.Errorf("left in limbo: %v, %v", left, err)
	}
}
