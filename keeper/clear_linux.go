package keeper

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// clearMarked kills what carries the mark of a slot of the folder, and returns when it is dead.
func clearMarked(dir string, log *slog.Logger) error {
	mark := scratchMark + filepath.Join(dir, "slots") + "/"
	for waited := time.Duration(0); ; waited += 5 * time.Millisecond {
		left, unsure, err := marked(mark)
		switch {
		case err != nil:
			return err
		case len(left) == 0 && (!unsure || waited > gone): // one that is becoming another program has done so by then
			return nil
		case waited > gone:
			return fmt.Errorf("process %d was killed, and still runs", left[0].pid)
		}
		for _, p := range left {
			if waited == 0 {
				log.Info("ending what an earlier node left running", "process", p.pid)
			}
			signalTo(p.pid, unix.SIGKILL, p.isStill)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// marked are the processes that were started with a mark, and whether there are some that may have been.
func marked(mark string) (found []*process, unsure bool, err error) {
	all, err := running()
	if err != nil {
		return nil, false, err
	}
	for _, p := range all {
		env, known := p.environment()
		if strings.Contains("\x00"+env, "\x00"+mark) {
			found = append(found, p)
		}
		unsure = unsure || !known && !p.isKernels()
	}
	return found, unsure, nil
}

// isKernels reports whether it is a thread of the kernel, which has no environment.
func (p *process) isKernels() bool { return p.pid == kthreadd || p.parent == kthreadd }

const kthreadd = 2
