package keeper

import (
	"log/slog"
	"os"
	"strconv"
	"sync"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
)

// journal tells the next keeper of the folder what this one started, should this one end without notice. It is a file
// of lines, each written in one piece; the first names the boot and the folder:
//
//	life BOOT FOLDER
//	start TASK ATTEMPT SLOT PID BEFORE AFTER
//	end TASK ATTEMPT OUTCOME CODE SIGNAL
//
// BEFORE and AFTER are readings of the elapsed clock between which the process was made. Nothing is forced to the disk:
// when the machine goes, so does all that the journal speaks of.
type journal struct {
	path string
	log  *slog.Logger
	head string

	mu     sync.Mutex
	file   *os.File
	size   int
	runs   map[rota.Try]birth // started and not ended
	line   []byte
	failed bool // the latest write; it is told once
}

// birth is the start of a process.
type birth struct {
	rota.Try
	slot   int
	pid    int
	before rota.Elapsed
	after  rota.Elapsed
}

// journalLimit is the size at which the journal is written anew, with nothing in it but what runs.
const journalLimit = 1 << 20

func newJournal(path, dir string, log *slog.Logger) (*journal, error) {
	j := &journal{path: path, log: log, head: "life " + boot() + " " + strconv.Quote(dir) + "\n", runs: map[rota.Try]birth{}}
	return j, j.renew()
}

// start says that a process was started. Should the keeper be killed before it can say so, the process dies with it and
// has hardly begun.
func (j *journal) start(b birth) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.runs[b.Try] = b
	j.write(b.line(j.line[:0]))
}

func (b birth) line(to []byte) []byte {
	to = append(to, "start"...)
	for _, n := range [...]int64{int64(b.Task), int64(b.Attempt), int64(b.slot), int64(b.pid), int64(b.before), int64(b.after)} {
		to = strconv.AppendInt(append(to, ' '), n, 10)
	}
	return append(to, '\n')
}

// end says how a process ended; nothing is left of it.
func (j *journal) end(e executor.Exit) {
	code := -1
	if e.Code != nil {
		code = *e.Code
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	delete(j.runs, e.Try)
	to := append(j.line[:0], "end "...)
	to = strconv.AppendInt(to, int64(e.Task), 10)
	to = strconv.AppendInt(append(to, ' '), int64(e.Attempt), 10)
	to = append(append(to, ' '), e.Outcome...)
	to = strconv.AppendInt(append(to, ' '), int64(code), 10)
	to = strconv.AppendInt(append(to, ' '), int64(e.Signal), 10)
	j.write(append(to, '\n'))
	if j.size > journalLimit {
		j.told(j.renew())
	}
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
		text = b.line(text)
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
	j.file, j.size = f, len(text)
	return nil
}

// close is for when nothing runs.
func (j *journal) close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.file.Close()
}
