package jar

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rotaqueue/rota"
)

// Files beside the workers' directories, for all that are there and all that come.
const (
	stopAllFile  = "STOP_ALL"
	pauseAllFile = "PAUSE_ALL"
)

// All names all workers.
const All = "all"

// Stop tells workers to end between two jobs. targets are names of workers (NODE.PID), names of nodes, or All. It tells
// which workers it told: those that have ended are left out. Workers that come later are not affected.
func (j Jar) Stop(targets ...string) ([]string, error) { return j.tell(targets, touch(stopFile)) }

// Pause tells workers to claim nothing, as Stop tells them to end.
func (j Jar) Pause(targets ...string) ([]string, error) { return j.tell(targets, touch(pauseFile)) }

// Unpause takes back what Pause said. It is fine for workers that are not paused.
func (j Jar) Unpause(targets ...string) ([]string, error) {
	return j.tell(targets, func(dir string) error {
		err := os.Remove(filepath.Join(dir, pauseFile))
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
}

// StillPaused reports whether all workers stay paused, whatever each is told, and by which file.
func (j Jar) StillPaused() (path string, is bool) {
	path = filepath.Join(j.WorkerHome, pauseAllFile)
	return path, isThere(path)
}

func touch(name string) func(dir string) error {
	return func(dir string) error {
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE, 0o666)
		if err != nil {
			return err
		}
		return f.Close()
	}
}

func (j Jar) tell(targets []string, say func(dir string) error) (told []string, err error) {
	workers, err := j.workerNames()
	if err != nil {
		return nil, err
	}
	for _, target := range targets {
		meant := slices.DeleteFunc(slices.Clone(workers), func(name string) bool { return !isMeant(name, target) })
		if len(meant) == 0 && target != All {
			err = errors.Join(err, rota.Errorf(rota.ErrNotFound, "%s: there is neither a worker nor a node of that name", target).WithFix("rota jar status"))
		}
		for _, name := range meant {
			dir := filepath.Join(j.WorkerHome, name)
			if slices.Contains(told, name) || stateOf(dir) == Stopped {
				continue
			}
			if e := say(dir); e != nil {
				err = errors.Join(err, rota.Errorf(rota.ErrUnavailable, "tell %s: %v", name, e))
				continue
			}
			told = append(told, name)
		}
	}
	return told, err
}

// isMeant reports whether a target is a worker: by its name, with or without the number that tells it from earlier
// workers, by its node, or because all are.
func isMeant(name, target string) bool {
	node, number, _ := ParseWorkerName(name)
	pid, _, _ := strings.Cut(number, "-")
	return target == All || target == name || target == node || target == node+"."+pid
}

// workerNames are the workers' directories, sorted.
func (j Jar) workerNames() ([]string, error) {
	names, err := namesIn(j.WorkerHome)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, rota.Errorf(rota.ErrUnavailable, "workers: %v", err)
	}
	names = slices.DeleteFunc(names, func(name string) bool {
		_, _, ok := ParseWorkerName(name)
		return !ok
	})
	slices.Sort(names)
	return names, nil
}
