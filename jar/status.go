package jar

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rotaqueue/rota"
)

// Status is a summary of a jar: what waits, runs and has ended, and who works.
type Status struct {
	Home       string           `json:"home"`
	WorkerHome string           `json:"worker_home"`
	Unclaimed  int              `json:"unclaimed"`
	Claimed    int              `json:"claimed"`
	Completed  int              `json:"completed"`
	Limbo      int              `json:"limbo"`
	StopAll    bool             `json:"stop_all,omitempty"`
	PauseAll   bool             `json:"pause_all,omitempty"`
	Categories []CategoryStatus `json:"categories" doc:"those with jobs; the one without a name last"`
	Workers    []WorkerStatus   `json:"workers" doc:"but those that have ended and hold nothing"`
	Stranded   []Stranded       `json:"stranded"`
}

// CategoryStatus is what waits in one category.
type CategoryStatus struct {
	Name       string          `json:"name"`
	Jobs       int             `json:"jobs"`
	Priorities []PriorityCount `json:"priorities" doc:"the highest first"`
	Oldest     time.Time       `json:"oldest,omitzero"`
	Others     int             `json:"others,omitempty" doc:"files that are not executable, and so no jobs"`
}

// PriorityCount is how many jobs have a priority.
type PriorityCount struct {
	Priority int `json:"priority"`
	Jobs     int `json:"jobs"`
}

// WorkerStatus is one worker.
type WorkerStatus struct {
	Name       string    `json:"name"`
	Node       string    `json:"node"`
	State      string    `json:"state" doc:"waiting, working, paused, stopped, dead, or unknown"`
	Told       string    `json:"told,omitempty" doc:"stop or pause, when it has not come to it yet"`
	Jobs       []string  `json:"jobs,omitempty" doc:"what it holds"`
	Categories []string  `json:"categories,omitempty"`
	Rota       bool      `json:"rota,omitempty" doc:"it is a Rota node that serves the jar"`
	Seen       time.Time `json:"seen,omitzero" doc:"when it last said what it does, by the clock of the jar's file system"`
}

// Stranded is a job that a dead worker holds.
type Stranded struct {
	Worker string `json:"worker"`
	Job    string `json:"job"`
}

// What a worker is that does not say so itself.
const (
	stateDead    = "dead"
	stateUnknown = "unknown" // it is of another node, and has said nothing for long
)

// Status looks at all of the jar. Of workers of other nodes it knows what they said last; here is this process.
func (j Jar) Status(here Life) (Status, error) {
	s := Status{Home: j.Home, WorkerHome: j.WorkerHome, Categories: []CategoryStatus{}, Workers: []WorkerStatus{}, Stranded: []Stranded{},
		StopAll: isThere(filepath.Join(j.WorkerHome, stopAllFile)), PauseAll: isThere(filepath.Join(j.WorkerHome, pauseAllFile))}
	if err := s.count(j); err != nil {
		return s, rota.Errorf(rota.ErrUnavailable, "look at the jar: %v", err)
	}
	workers, err := j.workerNames()
	if err != nil {
		return s, err
	}
	for _, name := range workers {
		w, err := j.statusOf(name, here)
		if err != nil {
			return s, rota.Errorf(rota.ErrUnavailable, "look at %s: %v", name, err)
		}
		if w.State == stateDead && !w.Rota {
			for _, job := range w.Jobs {
				s.Stranded = append(s.Stranded, Stranded{name, job})
			}
		}
		if len(w.Jobs) > 0 || w.State != Stopped && w.State != stateDead {
			s.Workers = append(s.Workers, w)
		}
	}
	return s, nil
}

// count counts the jobs in the folders.
func (s *Status) count(j Jar) error {
	categories, err := j.Categories()
	if err != nil {
		return err
	}
	for _, name := range append(categories, "") {
		c, err := statusOfCategory(j.folder(name), name)
		if err != nil {
			return err
		}
		s.Unclaimed += c.Jobs
		if c.Jobs+c.Others > 0 {
			s.Categories = append(s.Categories, c)
		}
	}
	for _, f := range []struct {
		dir string
		n   *int
	}{{j.Claimed(), &s.Claimed}, {j.Completed(), &s.Completed}, {j.Limbo(), &s.Limbo}} {
		names, err := namesIn(f.dir)
		if err != nil {
			return err
		}
		*f.n = len(names)
	}
	return nil
}

// Categories are the categories that somebody has made, sorted.
func (j Jar) Categories() ([]string, error) {
	names, err := namesIn(j.Unclaimed())
	names = slices.DeleteFunc(names, func(name string) bool {
		info, err := os.Lstat(j.folder(name))
		return err != nil || !info.IsDir()
	})
	slices.Sort(names)
	return names, err
}

func statusOfCategory(dir, name string) (CategoryStatus, error) {
	c := CategoryStatus{Name: name, Priorities: []PriorityCount{}}
	files, err := namesIn(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return c, err
	}
	by := map[int]int{}
	for _, file := range files {
		path := filepath.Join(dir, file)
		info, err := os.Lstat(path)
		if err != nil || info.IsDir() {
			continue
		}
		if _, kind := lookAtPath(path); kind != isJob {
			c.Others++
			continue
		}
		c.Jobs++
		by[PriorityOf(file)]++
		if t := info.ModTime(); c.Oldest.IsZero() || t.Before(c.Oldest) {
			c.Oldest = t
		}
	}
	for p, n := range by {
		c.Priorities = append(c.Priorities, PriorityCount{p, n})
	}
	slices.SortFunc(c.Priorities, func(a, b PriorityCount) int { return b.Priority - a.Priority })
	return c, nil
}

// Beat is how often a worker says that it lives.
const Beat = 30 * time.Second

// statusOf is one worker as it can be seen from here.
func (j Jar) statusOf(name string, here Life) (w WorkerStatus, err error) {
	dir := filepath.Join(j.WorkerHome, name)
	life, err := readLife(dir)
	if err != nil {
		return w, err
	}
	w = WorkerStatus{Name: name, State: stateOf(dir), Categories: life.Categories, Rota: life.Holder != ""}
	w.Node, _, _ = ParseWorkerName(name)
	if info, err := os.Stat(filepath.Join(dir, stateFile)); err == nil {
		w.Seen = info.ModTime()
	}
	if w.State == Stopped {
		w.Jobs, err = jobsIn(dir)
		return w, err
	}
	verdict := Unknown
	if w.Node == here.Node {
		verdict, _ = life.judge(here)
	}
	switch {
	case verdict == Dead:
		w.State = stateDead
	case w.State == "" || verdict == Unknown && time.Since(w.Seen) > 4*Beat:
		w.State = stateUnknown
	}
	for file, word := range map[string]string{stopFile: "stop", pauseFile: "pause"} {
		if isThere(filepath.Join(dir, file)) && w.State != Paused && w.Told != "stop" {
			w.Told = word
		}
	}
	w.Jobs, err = jobsIn(dir)
	return w, err
}

// stateOf is the word that a worker last said; empty: none.
func stateOf(dir string) string {
	text, err := os.ReadFile(filepath.Join(dir, stateFile))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// Living counts the workers of a node that live.
func (j Jar) Living(here Life) (int, error) {
	workers, err := j.workerNames()
	if err != nil {
		return 0, err
	}
	n := 0
	for _, name := range workers {
		node, _, _ := ParseWorkerName(name)
		dir := filepath.Join(j.WorkerHome, name)
		if node != here.Node || stateOf(dir) == Stopped {
			continue
		}
		life, err := readLife(dir)
		if err != nil {
			return n, rota.Errorf(rota.ErrUnavailable, "look at %s: %v", name, err)
		}
		if verdict, _ := life.judge(here); verdict == Lives {
			n++
		}
	}
	return n, nil
}
