package jar

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

// world is a jar, and a clock for its workers that goes on when it is told to.
type world struct {
	testing.TB
	Jar
	now rota.Elapsed
}

func newWorld(t testing.TB) *world {
	w := &world{TB: t, Jar: At(t.TempDir()), now: 1}
	w.must(w.Make())
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// worker registers a worker of the test's own process.
func (w *world) worker(node string, categories ...string) *Worker {
	w.Helper()
	life := Here(node)
	life.Categories = categories
	return w.register(life)
}

func (w *world) register(life Life) *Worker {
	w.Helper()
	worker, err := w.Register(life, "")
	w.must(err)
	worker.elapsed = func() rota.Elapsed { w.now++; return w.now }
	return worker
}

// dead registers a worker whose process is no more: its number is ours, but ours began at another time.
func (w *world) dead(node string, categories ...string) *Worker {
	w.Helper()
	life := Here(node)
	life.Start--
	life.Categories = categories
	return w.register(life)
}

// put puts a job into a category by hand: into limbo, then by a rename.
func (w *world) put(category, name string) {
	w.Helper()
	limbo := filepath.Join(w.Limbo(), name)
	w.must(os.WriteFile(limbo, []byte("#!/bin/sh\n"), 0o755))
	w.must(os.MkdirAll(w.folder(category), 0o755))
	old := time.Unix(1_000_000_000+int64(w.now), 0)
	w.now++
	w.must(os.Chtimes(limbo, old, old))
	w.must(os.Rename(limbo, filepath.Join(w.folder(category), name)))
}

// claims are the names of what a worker claims until there is nothing, each after its category.
func (w *world) claims(worker *Worker) (names []string) {
	w.Helper()
	for {
		c := w.claim(worker)
		if c == nil {
			return names
		}
		names = append(names, c.Category+"/"+c.Name)
	}
}

func (w *world) claim(worker *Worker) *Claim {
	w.Helper()
	c, err := worker.Claim()
	w.must(err)
	if c != nil {
		c.Show()
	}
	return c
}

// tree is all files of the jar but those of workers that are not jobs, with what is in hidden ones.
func (w *world) tree() string {
	w.Helper()
	var lines []string
	w.must(filepath.WalkDir(w.Home, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, _ := filepath.Rel(w.Home, path)
		name := filepath.Base(path)
		switch {
		case isReserved(name) || name == markFile || strings.HasPrefix(name, codeFile):
			return nil
		case d.Type()&fs.ModeSymlink != 0:
			to, err := os.Readlink(path)
			rel += " -> " + to
			if err != nil {
				return err
			}
		case name[0] == '.':
			text, err := os.ReadFile(path)
			rel += fmt.Sprintf(" %q", text)
			if err != nil {
				return err
			}
		}
		lines = append(lines, rel)
		return nil
	}))
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func (w *world) wantTree(when string, lines ...string) {
	w.Helper()
	if got := w.tree(); got != strings.Join(lines, "\n") {
		w.Errorf("%s:\n%s\nwant:\n%s", when, got, strings.Join(lines, "\n"))
	}
}

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

func TestJ9AJobIsInOnePlace(t *testing.T) {
	w := newWorld(t)
	w.put("LINUX", "job.15")
	worker := w.worker("rain", "LINUX")
	name := worker.Name()
	w.wantTree("before", "unclaimed/LINUX/job.15")
	c := w.claim(worker)
	if c.Priority != 15 || c.Category != "LINUX" || c.Path() != filepath.Join(worker.Dir(), "job.15") {
		t.Errorf("%+v", c)
	}
	w.wantTree("claimed", "claimed/job.15 -> ../workers/"+name+"/job.15", "workers/"+name+"/job.15")
	if _, err := os.Stat(filepath.Join(w.Claimed(), "job.15")); err != nil {
		t.Errorf("the link leads nowhere: %v", err)
	}
	out := filepath.Join(t.TempDir(), "out")
	w.must(os.WriteFile(out, []byte("hello\n"), 0o600))
	done, err := c.Complete(End{Code: 3, Out: out, Note: "it took too long"})
	if err != nil || done != "job.15" {
		t.Errorf("%s, %v", done, err)
	}
	w.wantTree("completed", `completed/.job.15.err "rota: it took too long\n"`, `completed/.job.15.exit "3\n"`, `completed/.job.15.out "hello\n"`, "completed/job.15")
	if info, err := os.Stat(filepath.Join(w.Completed(), ".job.15.out")); err != nil || info.Mode().Perm()&0o044 == 0 {
		t.Errorf("others cannot read the output: %v, %v", info.Mode(), err)
	}
}

// TestJ9NamesThatAreTaken: nothing replaces another job, wherever it goes.
func TestJ9NamesThatAreTaken(t *testing.T) {
	w := newWorld(t)
	worker := w.worker("rain")
	other := w.worker("flower")
	w.put("", "job.3")
	first := w.claim(worker)
	w.put("", "job.3")
	second := w.claim(other)
	w.wantTree("claimed", "claimed/job.3 -> ../workers/"+worker.Name()+"/job.3", "claimed/job~2.3 -> ../workers/"+other.Name()+"/job.3",
		"workers/"+other.Name()+"/job.3", "workers/"+worker.Name()+"/job.3")
	for i, c := range []*Claim{second, first} {
		if _, err := c.Complete(End{Code: i}); err != nil {
			t.Fatal(err)
		}
	}
	w.wantTree("completed", `completed/.job.3.exit "0\n"`, `completed/.job~2.3.exit "1\n"`, "completed/job.3", "completed/job~2.3")
	// Given back where one of that name waits by now.
	w.put("", "again")
	c := w.claim(worker)
	w.put("", "again")
	w.must(c.GiveBack())
	// By somebody who keeps no exit codes.
	w.must(os.WriteFile(filepath.Join(w.Completed(), "foreign"), nil, 0o755))
	w.put("", "foreign.99")
	w.must(os.Rename(filepath.Join(w.Completed(), "foreign"), filepath.Join(w.Completed(), "foreign.99")))
	if done, err := w.claim(other).Complete(End{}); err != nil || done != "foreign~2.99" {
		t.Errorf("%s, %v", done, err)
	}
	w.wantTree("all", `completed/.foreign~2.99.exit "0\n"`, `completed/.job.3.exit "0\n"`, `completed/.job~2.3.exit "1\n"`, "completed/foreign.99", "completed/foreign~2.99",
		"completed/job.3", "completed/job~2.3", "unclaimed/again", "unclaimed/again~2")
}

// TestJ9NamesOfAWorkersOwnFiles: a job that is called like one of them harms nobody.
func TestJ9NamesOfAWorkersOwnFiles(t *testing.T) {
	w := newWorld(t)
	long := strings.Repeat("ä", 126) + ".-5" // 255 bytes
	for _, name := range []string{"STOP", "PAUSE", "worker", "state", "log", "keeper", "scratch", long} {
		w.put("", name)
	}
	worker := w.worker("rain")
	for range 8 {
		c := w.claim(worker)
		if c == nil {
			t.Fatal("not all are claimed")
		}
		if told, err := worker.Told(); told != GoOn || err != nil {
			t.Fatalf("%s: the worker is told %v, %v", c.Name, told, err)
		}
		if _, err := c.Complete(End{}); err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		worker.Done(c)
	}
	if s, err := w.Status(Here("rain")); err != nil || s.Completed != 8 || s.Unclaimed+s.Claimed != 0 {
		t.Errorf("%+v, %v", s, err)
	}
	if PriorityOf(variant(long, 1)) != -5 {
		t.Errorf("the long one's priority is lost")
	}
}

// TestWhatIsNoJobIsLeftAlone: hidden files, folders, links, and what cannot be run.
func TestWhatIsNoJobIsLeftAlone(t *testing.T) {
	w := newWorld(t)
	w.must(os.WriteFile(filepath.Join(w.Unclaimed(), "text"), nil, 0o644))
	w.must(os.WriteFile(filepath.Join(w.Unclaimed(), ".hidden"), nil, 0o755))
	w.must(os.Symlink("/bin/true", filepath.Join(w.Unclaimed(), "link")))
	w.must(os.MkdirAll(filepath.Join(w.folder("LINUX"), "folder"), 0o755))
	worker := w.worker("rain", "LINUX")
	if got := w.claims(worker); got != nil {
		t.Errorf("claimed %q", got)
	}
	// That does not change the folder; a worker that has seen it unchanged for long looks all the same.
	w.now += 2 * grain
	if got := w.claims(worker); got != nil {
		t.Errorf("claimed %q", got)
	}
	w.now += 2 * grain
	w.must(os.Chmod(filepath.Join(w.Unclaimed(), "text"), 0o755))
	if got := w.claims(worker); !slices.Equal(got, []string{"/text"}) {
		t.Errorf("made executable: claimed %q", got)
	}
}

// TestWhatIsPassedOverIsNotForgotten: jobs that are gone, or that are not the worker's to take, make it lose no other.
func TestWhatIsPassedOverIsNotForgotten(t *testing.T) {
	w := newWorld(t)
	for i := range 40 {
		w.put("", fmt.Sprintf("job%02d", i))
	}
	worker := w.worker("rain")
	s := worker.shelves[len(worker.shelves)-1]
	w.must(s.look(worker.elapsed))
	left := map[string]bool{}
	for i := range 40 { // others take all but a few, so that it leaps over those
		name := fmt.Sprintf("job%02d", i)
		if i%7 == 4 {
			left["/"+name] = true
			continue
		}
		w.must(os.Remove(filepath.Join(w.Unclaimed(), name)))
	}
	got := map[string]bool{}
	for range 40 {
		for _, name := range w.claims(worker) {
			got[name] = true
		}
		w.now += 2 * grain
	}
	if !maps.Equal(got, left) {
		t.Errorf("claimed %v, want %v", got, left)
	}
	// Misses of another kind do not make it leap.
	s = &shelf{leap: 8, waiting: []entry{{name: "a"}, {name: "b"}, {name: "c"}}}
	s.missed(false)
	if len(s.waiting) != 2 {
		t.Errorf("%+v", s)
	}
	s.missed(true)
	if len(s.waiting) != 0 {
		t.Errorf("%+v", s)
	}
}

func TestPathsForCron(t *testing.T) {
	for path, want := range map[string]string{"/shared/jar": "/shared/jar", "/a b/c": "'/a b/c'", "/it's": `'/it'\''s'`, "/50%": `'/50\%'`} {
		if got := forCron(path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

// TestNoHalfCopiedJobIsClaimed: a file that is copied to its place is not claimed while it is written, nor, where that
// cannot be known, until it has stayed as it is for a while; one that was renamed there is claimed at once.
func TestNoHalfCopiedJobIsClaimed(t *testing.T) {
	for _, knows := range []bool{true, false} {
		t.Run(fmt.Sprint("known ", knows), func(t *testing.T) {
			w := newWorld(t)
			path := filepath.Join(w.Unclaimed(), "copied")
			f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o755)
			w.must(err)
			if _, known := isClosed(path); knows && !known {
				t.Skip("this system does not tell whether somebody writes to a file")
			} else if !knows {
				was := isClosed
				isClosed = func(string) (closed, known bool) { return false, false }
				t.Cleanup(func() { isClosed = was })
			}
			worker := w.worker("rain")
			write := func(text string) {
				_, err := f.WriteString(text)
				w.must(err)
			}
			look := func(when string, want ...string) {
				t.Helper()
				if got := w.claims(worker); !slices.Equal(got, want) {
					t.Errorf("%s: claimed %q", when, got)
				}
			}
			write("#!/bin/sh\n")
			look("begun")
			w.now += settled / 2
			write("half\n")
			look("half")
			w.now += settled * 3 / 4
			look("not for long enough")
			if at := worker.Soon(); at < w.now || at > w.now+settled {
				t.Errorf("it is worth looking again at %d, and now is %d", at, w.now)
			}
			if knows {
				w.now += settled
				look("still open")
			}
			w.must(f.Close())
			w.now += settled
			w.put("", "moved")
			look("closed", "/moved", "/copied")
			if at := worker.Soon(); at != 0 {
				t.Errorf("nothing is in doubt, and it is worth looking again at %d", at)
			}
		})
	}
}

// TestAJobThatWasReplacedIsLookedAtAnew: what is known of a name is not believed of another file.
func TestAJobThatWasReplacedIsLookedAtAnew(t *testing.T) {
	was := isClosed
	isClosed = func(string) (closed, known bool) { return false, false }
	t.Cleanup(func() { isClosed = was })
	w := newWorld(t)
	w.put("", "a")
	w.put("", "b")
	worker := w.worker("rain")
	w.claim(worker)
	w.must(os.Remove(filepath.Join(w.Unclaimed(), "b")))
	w.must(os.WriteFile(filepath.Join(w.Unclaimed(), "b"), []byte("ha"), 0o755)) // half of another
	if c := w.claim(worker); c != nil {
		t.Errorf("claimed %s", c.Name)
	}
	w.claim(worker)
	w.now += settled
	if c := w.claim(worker); c == nil || c.Name != "b" {
		t.Errorf("claimed %v", c)
	}
}

// TestJ4TheFilesThatTell: stop goes before pause, whoever says it.
func TestJ4TheFilesThatTell(t *testing.T) {
	w := newWorld(t)
	worker := w.worker("rain")
	own, all := worker.Dir(), w.WorkerHome
	for _, c := range []struct {
		files []string
		want  Told
	}{
		{nil, GoOn}, {[]string{own + "/PAUSE"}, ToPause}, {[]string{all + "/PAUSE_ALL"}, ToPause}, {[]string{own + "/STOP"}, ToStop},
		{[]string{all + "/STOP_ALL"}, ToStop}, {[]string{own + "/PAUSE", all + "/STOP_ALL"}, ToStop}, {[]string{all + "/PAUSE_ALL", own + "/STOP"}, ToStop},
	} {
		for _, f := range c.files {
			w.must(os.WriteFile(f, nil, 0o644))
		}
		if told, err := worker.Told(); told != c.want || err != nil {
			t.Errorf("%q: %v, %v", c.files, told, err)
		}
		for _, f := range c.files {
			w.must(os.Remove(f))
		}
	}
	w.must(os.RemoveAll(own))
	if told, err := worker.Told(); told != ToStop || err == nil {
		t.Errorf("without its directory it is told %v, %v", told, err)
	}
}

func TestJ4Telling(t *testing.T) {
	w := newWorld(t)
	life := func(node string, pid int) Life { l := Here(node); l.PID = pid; return l }
	for _, l := range []Life{life("rain", 7), life("rain", 8), life("flower", 7), life("meadow.hill", 9), life("rain", 7)} {
		w.must(w.register(l).Say(Waiting))
	}
	ended := w.register(life("rain", 6))
	w.must(ended.Say(Stopped))
	told := func(names []string, err error) string { w.must(err); return strings.Join(names, " ") }
	if got := told(w.Jar.Stop("rain", "meadow.hill.9")); got != "rain.7 rain.7-1 rain.8 meadow.hill.9" {
		t.Errorf("stopped %s", got)
	}
	if got := told(w.Pause("all")); got != "flower.7 meadow.hill.9 rain.7 rain.7-1 rain.8" {
		t.Errorf("paused %s", got)
	}
	if isThere(filepath.Join(w.WorkerHome, pauseAllFile)) || isThere(filepath.Join(ended.Dir(), pauseFile)) {
		t.Error("workers that come later, or have ended, were told")
	}
	if got := told(w.Unpause("flower", "rain.7", "rain.7")); got != "flower.7 rain.7 rain.7-1" {
		t.Errorf("unpaused %s", got)
	}
	told(w.Unpause("all"))
	for _, name := range []string{"rain.7", "flower.7", "meadow.hill.9"} {
		if isThere(filepath.Join(w.WorkerHome, name, pauseFile)) {
			t.Errorf("%s is still paused", name)
		}
	}
	names, err := w.Jar.Stop("nobody", "flower.7")
	if !errors.Is(err, rota.ErrNotFound) || !slices.Equal(names, []string{"flower.7"}) {
		t.Errorf("stopped %q, %v", names, err)
	}
	if names, err := At(t.TempDir()).Stop("all"); err != nil || names != nil {
		t.Errorf("with no worker ever: %q, %v", names, err)
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

func TestJ8Status(t *testing.T) {
	w := newWorld(t)
	for _, job := range []string{"a.5", "b", "c.5", "d.-1"} {
		w.put("LINUX", job)
	}
	w.put("", "plain")
	w.put("rain", "r")
	w.must(os.WriteFile(filepath.Join(w.folder("LINUX"), "text"), nil, 0o644))
	w.must(os.WriteFile(filepath.Join(w.Limbo(), "half"), nil, 0o644))
	worker, other, gone := w.worker("rain", "LINUX"), w.worker("flower"), w.dead("rain")
	for _, each := range []*Worker{worker, gone} {
		w.claim(each)
	}
	w.must(worker.Say(Working))
	w.must(other.Say(Waiting))
	w.must(os.WriteFile(filepath.Join(worker.Dir(), stopFile), nil, 0o644))
	s, err := w.Status(Here("rain"))
	w.must(err)
	if s.Unclaimed != 4 || s.Claimed != 2 || s.Completed != 0 || s.Limbo != 1 || s.StopAll || s.PauseAll {
		t.Errorf("%+v", s)
	}
	if len(s.Categories) != 1 || s.Categories[0].Others != 1 || fmt.Sprint(s.Categories[0].Priorities) != "[{5 2} {0 1} {-1 1}]" {
		t.Errorf("categories %+v", s.Categories)
	}
	var workers []string
	for _, each := range s.Workers {
		workers = append(workers, fmt.Sprint(each.Name == worker.Name(), " ", each.State, " ", each.Told, " ", each.Jobs))
	}
	if got := strings.Join(workers, "; "); got != "false waiting  []; true working stop [r]; false dead  [plain]" {
		t.Errorf("workers %s", got)
	}
	if len(s.Stranded) != 1 || s.Stranded[0] != (Stranded{gone.Name(), "plain"}) {
		t.Errorf("stranded %v", s.Stranded)
	}
	w.must(os.WriteFile(filepath.Join(w.WorkerHome, stopAllFile), nil, 0o644))
	if s, err := w.Status(Here("flower")); err != nil || !s.StopAll || len(s.Stranded) != 0 {
		t.Errorf("from another node: %+v, %v", s, err)
	}
}
