package keeper

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/rotaqueue/rota"
)

// scratchMark begins the entry of the environment by which a process of ours is known.
const scratchMark = "ROTA_SCRATCH_DIR="

// recover ends what an earlier keeper of the folder left running.
func (k *Local) recover(path string) error {
	life, err := readJournal(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if life.boot != boot() || len(life.runs) == 0 {
		return nil // the machine has started anew, and nothing of it lives
	}
	return k.endLeft(life)
}

// life is what the journal of an earlier keeper tells.
type life struct {
	boot string
	dir  string
	runs map[rota.Try]birth // started and not ended
}

// readJournal reads what can be read: a line that was cut short says nothing.
func readJournal(path string) (life, error) {
	l := life{runs: map[rota.Try]birth{}}
	f, err := os.Open(path)
	if err != nil {
		return l, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		kind, rest, _ := strings.Cut(lines.Text(), " ")
		var b birth
		switch kind {
		case "life":
			_, _ = fmt.Sscanf(rest, "%s %q", &l.boot, &l.dir)
		case "start":
			n, _ := fmt.Sscan(rest, (*int64)(&b.Task), &b.Attempt, &b.slot, &b.pid, (*int64)(&b.before), (*int64)(&b.after))
			if n == 6 && b.pid > 1 {
				l.runs[b.Try] = b
			}
		case "end":
			if n, _ := fmt.Sscan(rest, (*int64)(&b.Task), &b.Attempt); n == 2 {
				delete(l.runs, b.Try)
			}
		}
	}
	return l, lines.Err()
}
