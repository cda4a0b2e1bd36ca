package jar

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/rotaqueue/rota"
)

// Recovery is what becomes of what dead workers of one node held.
type Recovery struct {
	Jar
	Here  Life     // this process, on the node
	Named []string // workers of whom the caller says that they are dead, wherever they were; none: all of the node
	// Clear ends what the keeper of a folder left running, and fails if something of it may still run.
	Clear func(folder string) error
}

// Recovered is what became of one job.
type Recovered struct {
	Worker    string `json:"worker"`
	Job       string `json:"job"`
	Category  string `json:"category,omitempty"`
	Completed bool   `json:"completed,omitempty" doc:"it had ended; else it was given back"`
}

// Run gives back what dead workers held, each job once, and completes what had ended. What of a worker's jobs may still
// run is left as it is, and so is what belongs to a worker of whom it cannot be known whether it lives: errors say so.
func (r Recovery) Run() (done []Recovered, err error) {
	workers, err := r.workerNames()
	if err != nil {
		return nil, err
	}
	for _, name := range r.Named {
		if !slices.Contains(workers, name) {
			err = errors.Join(err, rota.Errorf(rota.ErrNotFound, "%s: there is no worker of that name", name).WithFix("rota jar status"))
		}
	}
	for _, name := range workers {
		node, _, _ := ParseWorkerName(name)
		if len(r.Named) > 0 && !slices.Contains(r.Named, name) || len(r.Named) == 0 && node != r.Here.Node {
			continue
		}
		found, e := r.worker(name)
		done, err = append(done, found...), errors.Join(err, e)
	}
	return done, errors.Join(err, r.sweepLinks(workers))
}

// worker recovers what one worker held.
func (r Recovery) worker(name string) (done []Recovered, err error) {
	dir := filepath.Join(r.WorkerHome, name)
	jobs, err := jobsIn(dir)
	if err != nil {
		return nil, rota.Errorf(rota.ErrUnavailable, "recover %s: %v", name, err)
	}
	life, err := readLife(dir)
	if err != nil {
		return nil, rota.Errorf(rota.ErrUnavailable, "recover %s: %v", name, err)
	}
	if len(jobs) == 0 && !isThere(filepath.Join(dir, keeperDir)) {
		return nil, nil // nothing is left of it
	}
	if ok, err := r.mayTake(name, life, len(jobs)); !ok {
		return nil, err
	}
	if err := r.clear(name, dir, life); err != nil {
		return nil, rota.Errorf(rota.ErrConflict, "recover %s: %v", name, err)
	}
	for _, job := range jobs {
		c := claimOf(r.Jar, dir, job)
		ended := c.hasEnded()
		if ended {
			_, err = c.finish()
		} else {
			err = c.GiveBack()
		}
		if err != nil {
			return done, err
		}
		done = append(done, Recovered{name, job, c.Category, ended})
	}
	return done, nil
}

// mayTake reports whether a worker's jobs are to be recovered, and if not, why somebody is to be told.
func (r Recovery) mayTake(name string, life Life, jobs int) (ok bool, why error) {
	verdict, reason := life.judge(r.Here)
	named := slices.Contains(r.Named, name)
	switch {
	case verdict == Lives && named:
		return false, rota.Errorf(rota.ErrConflict, "%s: it lives, and runs what it has", name).WithFix("rota jar stop %s", name)
	case verdict == Lives:
		return false, nil
	case life.Holder != "" && !named:
		if jobs == 0 {
			return false, nil
		}
		return false, rota.Errorf(rota.ErrConflict, "%s: its %d jobs belong to a Rota node, which takes them back when it starts", name, jobs).
			WithFix("start the node, or, if it never will: rota jar recover %s", name)
	case verdict == Unknown && !named:
		if jobs == 0 {
			return false, nil
		}
		return false, rota.Errorf(rota.ErrConflict, "%s: whether it lives cannot be known here: %s", name, reason).
			WithFix("if you know that it is dead: rota jar recover %s", name)
	}
	return true, nil
}

// clear ends what the worker's keeper left. That its folder is gone does not say that nothing runs. What is removed is
// the worker's by its place or its name, whatever is written in its directory.
func (r Recovery) clear(name, dir string, life Life) error {
	if life.Keeper != "" {
		if err := r.Clear(life.Keeper); err != nil {
			return err
		}
	}
	left := []string{filepath.Join(dir, scratchDir), filepath.Join(dir, keeperDir)}
	if filepath.Base(life.Scratch) == name {
		left = append(left, life.Scratch)
	}
	for _, path := range left {
		if err := RemoveTree(path); err != nil {
			return err
		}
	}
	return nil
}

// claimOf is the claim of a job that was found in the directory of a worker.
func claimOf(j Jar, dir, job string) *Claim {
	key, category, there := readMark(dir, kept(job, kindClaim))
	if !there {
		_, category, _ = readMark(dir, markFile)
	}
	return &Claim{Name: job, Category: category, Priority: PriorityOf(job), key: key, jar: j, dir: dir, unsure: true}
}

// jobsIn are the names of the jobs in a worker's directory, sorted.
func jobsIn(dir string) ([]string, error) {
	names, err := namesIn(dir)
	jobs := slices.DeleteFunc(names, func(name string) bool {
		info, err := os.Lstat(filepath.Join(dir, name))
		return isReserved(name) || err != nil || !info.Mode().IsRegular()
	})
	slices.Sort(jobs)
	return jobs, err
}

// sweepLinks removes links to jobs that are not where they say, in directories of workers of this node: their workers
// died after the end.
func (r Recovery) sweepLinks(workers []string) error {
	names, err := namesIn(r.Claimed())
	if err != nil {
		return rota.Errorf(rota.ErrUnavailable, "links to claimed jobs: %v", err)
	}
	for _, name := range names {
		path := filepath.Join(r.Claimed(), name)
		to, err := os.Readlink(path)
		if err != nil {
			continue
		}
		worker := filepath.Base(filepath.Dir(to))
		if node, _, _ := ParseWorkerName(worker); node != r.Here.Node || !slices.Contains(workers, worker) {
			continue
		}
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if life, err := readLife(filepath.Join(r.WorkerHome, worker)); err != nil || !r.isDead(life) {
			continue
		}
		_ = os.Remove(path)
	}
	return nil
}

func (r Recovery) isDead(life Life) bool {
	verdict, _ := life.judge(r.Here)
	return verdict == Dead
}

// RemoveTree removes a folder, also one whose folders do not allow it.
func RemoveTree(path string) error {
	if os.RemoveAll(path) == nil {
		return nil
	}
	_ = filepath.WalkDir(path, func(p string, d fs.DirEntry, _ error) error {
		if d != nil && d.IsDir() {
			_ = os.Chmod(p, 0o700)
		}
		return nil
	})
	return os.RemoveAll(path)
}
