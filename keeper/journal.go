package keeper

import (
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
)

// journal tells the next keeper of the folder what this one started, should this one end without notice. It is a file
// of lines, each written in one piece. The first names the boot, the session of processes and the folder; the others
// tell of a slot, which has one attempt at a time:
//
//	life BOOT SESSION FOLDER
//	try SLOT TASK ATTEMPT BEFORE
//	start SLOT PID AFTER
//	end SLOT TASK ATTEMPT OUTCOME CODE SIGNAL
//	done TASK ATTEMPT
//
// BEFORE and AFTER are readings of the elapsed clock between which the process was made. A try without a start is one
// that was never made, or whose keeper was killed before it could say so. What is done had ended when the journal was
// written anew, and was not yet forgotten. Nothing is forced to the disk: when the machine goes, so does all that the
// journal speaks of.
type journal struct {
	path string
	log  *slog.Logger
	head string

	mu     sync.Mutex
	file   *os.File
	size   int
	limit  int                   // of the size, after which the journal is written anew
	runs   map[int]birth         // by slot: what was tried and has not ended
	done   map[rota.Try]struct{} // started, ended, and not forgotten
	line   []byte
	failed bool // the latest write; it is told once
}

// birth is the start of a process.
type birth struct {
	rota.Try
	slot   int
	before rota.Elapsed
	pid    int // 0: not known
	after  rota.Elapsed
}

// journalLimit is the size at which the journal is written anew, with nothing in it but what runs and what is not
// forgotten.
const journalLimit = 1 << 20

func newJournal(path, dir string, log *slog.Logger) (*journal, error) {
	session, err := unix.Getsid(0)
	if err != nil {
		return nil, err
	}
	head := fmt.Sprintf("life %s %d %q\n", boot(), session, dir)
	j := &journal{path: path, log: log, head: head, runs: map[int]birth{}, done: map[rota.Try]struct{}{}}
	return j, j.renew()
}

// try says that a process is about to be made.
func (j *journal) try(b birth) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.runs[b.slot] = b
	j.write(b.try(j.line[:0]))
}

func (b birth) try(to []byte) []byte {
	return line(to, "try", int64(b.slot), int64(b.Task), int64(b.Attempt), int64(b.before))
}

// start says which process was made.
func (j *journal) start(b birth) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.runs[b.slot] = b
	j.write(b.start(j.line[:0]))
}

func (b birth) start(to []byte) []byte {
	return line(to, "start", int64(b.slot), int64(b.pid), int64(b.after))
}

// end says how a process ended; nothing is left of it.
func (j *journal) end(slot int, e executor.Exit) {
	code := int64(-1)
	if e.Code != nil {
		code = int64(*e.Code)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	delete(j.runs, slot)
	j.done[e.Try] = struct{}{}
	to := line(j.line[:0], "end", int64(slot), int64(e.Task), int64(e.Attempt))
	j.write(line(append(append(to[:len(to)-1], ' '), e.Outcome...), "", code, int64(e.Signal)))
	if j.size > j.limit {
		j.told(j.renew())
	}
}

func line(to []byte, word string, numbers ...int64) []byte {
	to = append(to, word...)
	for _, n := range numbers {
		to = strconv.AppendInt(append(to, ' '), n, 10)
	}
	return append(to, '\n')
}

func (j *journal) write(line []byte) {
	j.line = line
	n, err := j.file.Write(line)
	j.size += n
	j.told(err)
}

func (j *journal) told(err error) {
	if err != nil && !j.failed {
		j.log.Error("the journal cannot be written: what runs would outlive a crash of the node", "file", j.path, "error", err)
	}
	j.failed = err != nil
}

// renew puts a journal in the place of the old that speaks only of what runs.
func (j *journal) renew() error {
	text := []byte(j.head)
	for _, b := range j.runs {
		if text = b.try(text); b.pid != 0 {
			text = b.start(text)
		}
	}
	for try := range j.done {
		text = line(text, "done", int64(try.Task), int64(try.Attempt))
	}
	fresh := j.path + ".new"
	f, err := os.OpenFile(fresh, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	if _, err = f.Write(text); err == nil {
		err = os.Rename(fresh, j.path)
	}
	if err != nil {
		_ = f.Close()
		return err
	}
	if j.file != nil {
		_ = j.file.Close()
	}
	j.file, j.size, j.limit = f, len(text), max(journalLimit, 2*len(text))
	return nil
}

// forget says that the ends of attempts are recorded.
func (j *journal) forget(tries []rota.Try) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, try := range tries {
		delete(j.done, try)
	}
}

// close is for when nothing runs.
func (j *journal) close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.file.Close()
}
