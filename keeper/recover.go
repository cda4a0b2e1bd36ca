package keeper

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/rotaqueue/rota"
)

// scratchMark begins the entry of the environment by which a process of ours is known.
const scratchMark = "ROTA_SCRATCH_DIR="

// Recover ends what the dead keeper of a folder left running, and returns when it is dead (P11). It tells which
// attempts were started, or of which the journal does not say that they were not; those that were forgotten may be
// left out. Whoever calls it knows that the keeper is dead and that nobody else uses the folder (P26). The folder is
// left as it is: once the store knows what was started it can be removed.
func Recover(dir string, log *slog.Logger) ([]rota.Try, error) {
	tries, err := recoverFrom(dir, log)
	if err != nil {
		return nil, rota.Errorf(rota.ErrUnavailable, "keeper folder %s: %v", dir, err)
	}
	return tries, nil
}

func recoverFrom(dir string, log *slog.Logger) ([]rota.Try, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	life, err := readJournal(filepath.Join(dir, "journal"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if life.boot == boot() && len(life.runs) > 0 { // else the machine has started anew, and nothing of it lives
		if err := life.end(log); err != nil {
			return nil, err
		}
	}
	return life.tries(), errors.Join(removeGroups(dir), removeGuests(dir), removeHouse(secretHouse(dir)))
}

// life is what the journal of an earlier keeper tells.
type life struct {
	boot    string
	session int
	dir     string
	runs    map[int]birth // by slot: tried and not ended
	done    []rota.Try    // started and ended
}

// tries are the attempts that were started, or of which it is not said that they were not.
func (l life) tries() []rota.Try {
	tries := l.done
	for _, b := range l.runs {
		tries = append(tries, b.Try)
	}
	return tries
}

// readJournal reads what can be read: a line that was cut short says nothing.
func readJournal(path string) (life, error) {
	l := life{runs: map[int]birth{}}
	f, err := os.Open(path)
	if err != nil {
		return l, err
	}
	defer f.Close()
	lines := bufio.NewReader(f)
	for {
		line, err := lines.ReadString('\n')
		if errors.Is(err, io.EOF) {
			return l, nil
		}
		if err != nil {
			return l, err
		}
		l.read(line)
	}
}

func (l *life) read(line string) {
	word, rest, _ := strings.Cut(line, " ")
	var b birth
	switch word {
	case "life":
		_, _ = fmt.Sscanf(rest, "%s %d %q", &l.boot, &l.session, &l.dir)
	case "try":
		if n, _ := fmt.Sscan(rest, &b.slot, (*int64)(&b.Task), &b.Attempt, (*int64)(&b.before)); n == 4 {
			l.runs[b.slot] = b
		}
	case "start":
		n, _ := fmt.Sscan(rest, &b.slot, &b.pid, (*int64)(&b.after))
		if tried, ok := l.runs[b.slot]; ok && n == 3 && b.pid > 1 {
			tried.pid, tried.after = b.pid, b.after
			l.runs[b.slot] = tried
		}
	case "end":
		if n, _ := fmt.Sscan(rest, &b.slot, (*int64)(&b.Task), &b.Attempt); n == 3 {
			delete(l.runs, b.slot)
			l.done = append(l.done, b.Try)
		}
	case "done":
		if n, _ := fmt.Sscan(rest, (*int64)(&b.Task), &b.Attempt); n == 2 {
			l.done = append(l.done, b.Try)
		}
	}
}
