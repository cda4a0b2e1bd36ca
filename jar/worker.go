package jar

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/clock"
	"github.com/rotaqueue/rota/crash/at"
)

// Worker is a worker's part in a jar: its directory, which is its alone, and what it knows of the jobs that wait. It is
// for one goroutine.
type Worker struct {
	jar     Jar
	life    Life
	name    string
	dir     string
	shelves []*shelf
	held    map[string]bool // names in the directory that are jobs of ours
	from    string          // what the mark says
	marked  bool            // there is one
	elapsed func() rota.Elapsed
}

// Register makes a worker's directory. Its name is that of the node and the number of the process; a number is added
// when an earlier worker had the same, whose directory stays as it is. scratch is the folder in which it has the folder
// for its jobs' scratch folders; empty: that is in its directory.
func (j Jar) Register(l Life, scratch string) (*Worker, error) {
	w := &Worker{jar: j, life: l, held: map[string]bool{}, elapsed: clock.Elapsed}
	if err := w.makeDir(); err != nil {
		return nil, rota.Errorf(rota.ErrUnavailable, "make a worker's directory: %v", err)
	}
	if err := w.probe(); err != nil {
		return nil, errors.Join(err, os.Remove(w.dir))
	}
	w.life.Keeper, w.life.Scratch = filepath.Join(w.dir, keeperDir), filepath.Join(w.dir, scratchDir)
	if scratch != "" {
		w.life.Scratch = filepath.Join(scratch, w.name)
	}
	if err := w.life.write(w.dir); err != nil {
		return nil, rota.Errorf(rota.ErrUnavailable, "worker's directory: %v", err)
	}
	for _, c := range Order(l.Node, l.Categories) {
		w.shelves = append(w.shelves, &shelf{dir: j.folder(c), category: c})
	}
	return w, nil
}

func (w *Worker) makeDir() error {
	if err := os.MkdirAll(w.jar.WorkerHome, 0o777); err != nil {
		return err
	}
	name := workerName(w.life.Node, w.life.PID)
	for n := 0; ; n++ {
		w.name = name
		if n > 0 {
			w.name += "-" + strconv.Itoa(n)
		}
		w.dir = filepath.Join(w.jar.WorkerHome, w.name)
		if err := os.Mkdir(w.dir, 0o777); !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
}

// probe tries whether a job can be moved to the worker's directory in one step.
func (w *Worker) probe() error {
	from, to := filepath.Join(w.jar.Limbo(), ".probe."+w.name), filepath.Join(w.dir, ".probe")
	if err := os.WriteFile(from, nil, 0o600); err != nil {
		return rota.Errorf(rota.ErrUnavailable, "try the jar %s: %v", w.jar.Home, err)
	}
	if err := rename(from, to); err != nil {
		return errors.Join(rota.Errorf(rota.ErrUnsupported, "worker's directory %s: no job can be moved there in one step: %v", w.dir, err).
			WithFix("put JJ_WORKER_HOME on the file system of JJ_HOME, or leave it out"), os.Remove(from))
	}
	return os.Remove(to)
}

// workerName is the name of a worker's directory.
func workerName(node string, pid int) string { return node + "." + strconv.Itoa(pid) }

// ParseWorkerName parts a directory's name into node and the worker's number, which may have a further number behind it.
func ParseWorkerName(name string) (node, number string, ok bool) {
	i := strings.LastIndexByte(name, '.')
	if i < 1 {
		return "", "", false
	}
	pid, life, again := strings.Cut(name[i+1:], "-")
	for _, digits := range []string{pid, cmp.Or(life, "0")} {
		if digits == "" || strings.Trim(digits, "0123456789") != "" || (again && life == "") {
			return "", "", false
		}
	}
	return name[:i], name[i+1:], true
}

// Name is the worker's name, Dir its directory, Life what it says of itself.
func (w *Worker) Name() string { return w.name }
func (w *Worker) Dir() string  { return w.dir }
func (w *Worker) Life() Life   { return w.life }
func (w *Worker) Jar() Jar     { return w.jar }

// Log is the file for what the worker has to say.
func (w *Worker) Log() string { return filepath.Join(w.dir, logFile) }

// The words for what a worker does.
const (
	Waiting = "waiting" // it has nothing to do
	Working = "working"
	Paused  = "paused"
	Stopped = "stopped" // it has ended
)

// Say tells others what the worker does, and that it lives.
func (w *Worker) Say(word string) error {
	return os.WriteFile(filepath.Join(w.dir, stateFile), []byte(word+"\n"), 0o666)
}

// Told is what a worker was told to do.
type Told int

const (
	GoOn Told = iota
	ToPause
	ToStop
)

// Told is what the worker is told by the files in its directory and beside it. Stopping goes before pausing.
func (w *Worker) Told() (Told, error) {
	if !isThere(filepath.Join(w.dir, lifeFile)) {
		return ToStop, rota.Errorf(rota.ErrNotFound, "worker's directory %s: it was removed, or emptied", w.dir)
	}
	for _, f := range []struct {
		path string
		told Told
	}{
		{filepath.Join(w.dir, stopFile), ToStop}, {filepath.Join(w.jar.WorkerHome, stopAllFile), ToStop},
		{filepath.Join(w.dir, pauseFile), ToPause}, {filepath.Join(w.jar.WorkerHome, pauseAllFile), ToPause},
	} {
		if isThere(f.path) {
			return f.told, nil
		}
	}
	return GoOn, nil
}

// Soon is when it is worth looking for a job again although nothing was to be had: a file then turns out to be whole. 0:
// no such file is there.
func (w *Worker) Soon() (at rota.Elapsed) {
	for _, s := range w.shelves {
		if end := s.soon(); end != 0 && (at == 0 || end < at) {
			at = end
		}
	}
	return at
}

// Claim claims the job that is next: of the first category that has one, the one with the highest priority, and of those
// the oldest. It is nil when there is none.
func (w *Worker) Claim() (*Claim, error) {
	for _, s := range w.shelves {
		if err := s.look(w.elapsed); err != nil {
			return nil, rota.Errorf(rota.ErrUnavailable, "jobs that wait: %v", err)
		}
		for e, more := s.next(); more; e, more = s.next() {
			c, gone, err := w.take(s, e)
			if err != nil {
				return nil, rota.Errorf(rota.ErrUnavailable, "claim %s: %v", e.name, err)
			}
			if c != nil {
				s.had()
				return c, nil
			}
			s.missed(gone)
		}
	}
	return nil, nil
}

// take moves a job to the worker's directory; nil when it is gone, or not ours to take.
func (w *Worker) take(s *shelf, e entry) (c *Claim, gone bool, err error) {
	if still, gone := s.isStill(e); !still {
		return nil, gone, nil
	}
	if err := w.mark(s.category); err != nil {
		return nil, false, err
	}
	name := w.freeName(e.name)
	at.Point("jar: before claim")
	err = move(filepath.Join(s.dir, e.name), filepath.Join(w.dir, name))
	switch {
	case errors.Is(err, fs.ErrNotExist), isNotOurs(err):
		return nil, !isNotOurs(err), nil
	case err != nil:
		return nil, false, err
	}
	at.Point("jar: moved")
	w.held[name] = true
	return &Claim{Name: name, Category: s.category, Priority: e.priority, jar: w.jar, dir: w.dir, shelf: s}, false, nil
}

// freeName is the name under which a job is the worker's.
func (w *Worker) freeName(name string) string {
	for n := 1; ; n++ {
		if v := variant(name, n); !isReserved(v) && !w.held[v] {
			return v
		}
	}
}

// Done forgets a claim that is none any more.
func (w *Worker) Done(c *Claim) { delete(w.held, c.Name) }

// mark writes down from which category the next job is taken, before it is: who finds it in the directory of a dead
// worker can then put it back there. A link is made whole or not at all, and before whatever comes after it.
func (w *Worker) mark(category string) error {
	if w.marked && w.from == category || !w.marked && category == "" {
		return nil
	}
	path := filepath.Join(w.dir, markFile)
	fresh := path + ".new"
	if err := os.Symlink(markOf(category), fresh); err != nil {
		return err
	}
	if err := rename(fresh, path); err != nil {
		return errors.Join(err, os.Remove(fresh))
	}
	w.from, w.marked = category, true
	return nil
}

// markFile is a link whose target is a key, a slash, and a category. This one's key is empty: it is for whatever job is
// there without a mark of its own.
const markFile = ".category"

func markOf(category string) string { return "/" + category }

func readMark(dir, file string) (key, category string, there bool) {
	target, err := os.Readlink(filepath.Join(dir, file))
	if err != nil {
		return "", "", false
	}
	key, category, _ = strings.Cut(target, "/")
	return key, category, true
}

func (w *Worker) String() string { return fmt.Sprintf("worker %s of %s", w.name, w.jar.Home) }
