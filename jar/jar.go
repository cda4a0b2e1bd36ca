// Package jar is the queue that is nothing but a folder: jobs are executable files, and whoever runs them agrees with
// the others by renaming. It knows the protocol of the folder alone, and touches the file system only.
//
// What it promises:
//   - A job is one file, which lies in one place at a time: in unclaimed (or a folder of it, its category), in the
//     directory of the worker that has it, or in completed. It goes from one to the next by a rename, which is whole or
//     not at all. In claimed is a link to it while it runs, made after the claim and removed after the end.
//   - Nobody claims what another has claimed, nor a file that may not be whole yet.
//   - A worker's directory is one worker's for ever: neither what another left there nor a number that is used again
//     means another one. What a dead worker held is given back once, or completed if it had ended, and only when
//     nothing of it can run any more.
//   - Nothing depends on locks, on notices of changes, or on clocks that agree. A rename whose answer was lost, as on a
//     network file system, is recognised by its effect.
//   - What a claim costs does not grow with what waits: a folder is read again when there is a reason to, and then no
//     more often than in a sixtieth of the time.
//
// How settings are read stands in settings.go and ini.go, names and order in name.go and order.go, what waits in shelf.go,
// claims in worker.go, claim.go and complete.go, who lives in life.go, what dead workers left in recover.go.
package jar

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/rotaqueue/rota"
)

// Jar is where a jar is.
type Jar struct {
	Home       string // unclaimed, claimed, completed and limbo are in it
	WorkerHome string // the workers' directories are in it; by default Home/workers
}

// At is the jar in a folder, with everything in its usual place.
func At(home string) Jar { return Jar{Home: home, WorkerHome: filepath.Join(home, "workers")} }

// The folders of a jar: jobs that wait, links to those that are claimed, those that have ended, and those that are not
// whole yet.
func (j Jar) Unclaimed() string { return filepath.Join(j.Home, "unclaimed") }
func (j Jar) Claimed() string   { return filepath.Join(j.Home, "claimed") }
func (j Jar) Completed() string { return filepath.Join(j.Home, "completed") }
func (j Jar) Limbo() string     { return filepath.Join(j.Home, "limbo") }

func (j Jar) folders() []string {
	return []string{j.Unclaimed(), j.Claimed(), j.Completed(), j.Limbo(), j.WorkerHome}
}

// Make makes the folders that are not there yet.
func (j Jar) Make() error {
	for _, dir := range j.folders() {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return rota.Errorf(rota.ErrUnavailable, "make the jar %s: %v", j.Home, err)
		}
	}
	return nil
}

// Check refuses a folder that is no jar. Workers' directories are made when the first worker is.
func (j Jar) Check() error {
	for _, dir := range j.folders()[:4] {
		info, err := os.Stat(dir)
		if errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
			return rota.Errorf(rota.ErrNotFound, "%s is no jar: there is no folder %s", j.Home, dir).WithFix("rota jar init %s makes one there", j.Home)
		}
		if err != nil {
			return rota.Errorf(rota.ErrUnavailable, "jar %s: %v", j.Home, err)
		}
	}
	return nil
}

// Is reports whether there is a jar in a folder.
func Is(home string) bool { return At(home).Check() == nil }

// folder is where the jobs of a category wait; those without one lie beside the categories' folders.
func (j Jar) folder(category string) string { return filepath.Join(j.Unclaimed(), category) }
