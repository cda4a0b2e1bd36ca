package keeper

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/rotaqueue/rota"
)

// scratchMark begins the entry of the environment by which a process of ours is known.
const scratchMark = "ROTA_SCRATCH_DIR="

// recover ends what an earlier keeper of the folder left running.
func (k *Local) recover(path string) (life, error) {
	life, err := readJournal(path)
	if errors.Is(err, fs.ErrNotExist) {
		return life, nil
	}
	if err != nil {
		return life, err
	}
	if life.boot != boot() || len(life.runs) == 0 {
		return life, nil // the machine has started anew, and nothing of it lives
	}
	return life, k.endLeft(life)
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
