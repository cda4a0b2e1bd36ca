package jar

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

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
