package jar

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/rotaqueue/rota"
)

// Key is what tells a claim from all others, whoever asks and however often: it is made of the first answer. It is for
// holders that hand the job on and may come back for it.
func (c *Claim) Key(fresh func() string) (string, error) {
	if c.key != "" {
		return c.key, nil
	}
	path, key := filepath.Join(c.dir, kept(c.Name, kindClaim)), fresh()
	err := os.Symlink(key+markOf(c.Category), path)
	if errors.Is(err, fs.ErrExist) {
		key, _, _ = readMark(c.dir, kept(c.Name, kindClaim))
		err = nil
	}
	if err != nil {
		return "", c.failed("keep the claim of", err)
	}
	c.key = key
	return key, nil
}

// HasEnded reports whether the exit code of the job is kept: Finish is all that is left to be done.
func (c *Claim) HasEnded() bool { return c.hasEnded() }

// Finish moves a job that has ended to the completed jar, as Complete does once the exit code is kept.
func (c *Claim) Finish() error {
	_, err := c.finish()
	return err
}

// Worker is the name of the worker whose directory the job is in, and Part a path in it for a part of what is to be kept
// beside the job.
func (c *Claim) Worker() string          { return filepath.Base(c.dir) }
func (c *Claim) Part(kind string) string { return filepath.Join(c.dir, kept(c.Name, "part."+kind)) }

// HeldBy are the jobs that the holder of a mark has claimed on a node in earlier lives, by worker and name.
func (j Jar) HeldBy(holder, node string) ([]*Claim, error) {
	workers, err := j.workerNames()
	if err != nil {
		return nil, err
	}
	var held []*Claim
	for _, name := range workers {
		dir := filepath.Join(j.WorkerHome, name)
		if of, _, _ := ParseWorkerName(name); of != node {
			continue
		}
		life, err := readLife(dir)
		if err == nil && life.Holder != holder {
			continue
		}
		var jobs []string
		if err == nil {
			jobs, err = jobsIn(dir)
		}
		if err != nil {
			return nil, rota.Errorf(rota.ErrUnavailable, "jobs of %s: %v", name, err)
		}
		for _, job := range jobs {
			held = append(held, claimOf(j, dir, job))
		}
	}
	return held, nil
}
