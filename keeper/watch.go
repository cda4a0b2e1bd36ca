package keeper

import (
	"log/slog"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/clock"
)

// watch is the life of one process group, from before its start until nothing of it is left.
//
// A group is signalled by the number of its leader, which is the group's for as long as the leader was not reaped or a
// member lives, and after that may become a stranger's. So whoever signals holds the lock, under which the leader is
// reaped, and after that nobody signals any more: where the rest of the group has its grace, the leader is left unreaped
// meanwhile. (Not so on systems where it cannot be known whether the group has others than a dead leader.)
type watch struct {
	mu     sync.Mutex
	pid    int // leader and number of the group; 0: not started yet
	reaped bool
	over   bool // nothing of it is left
	why    ending
	killed bool        // KILL was sent, or is to be
	timer  *time.Timer // of the timeout, then of the grace
	grace  time.Duration
}

// ending is why the keeper ends a process.
type ending uint8

const (
	unasked    ending = iota // it ends by itself
	expired                  // its timeout
	stopped                  // somebody asked
	unleased                 // its lease is over
	overMemory               // more memory than its limit
	overPIDs                 // more processes than its limit
)

// gone is how long the keeper waits for what it has killed. What is then still there hangs in the kernel, where it runs
// nothing of the job's any more.
const gone = 2 * time.Second

// begin says that the process runs.
func (w *watch) begin(pid int, timeout, grace time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pid, w.grace = pid, grace
	if w.why != unasked {
		w.act()
	} else if timeout > 0 {
		w.timer = time.AfterFunc(timeout, func() { w.end(expired, false) })
	}
}

// asked reports whether somebody wants it ended.
func (w *watch) asked() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.why != unasked
}

// end ends the group: TERM, the grace, KILL; or KILL now. The first reason stands. A process that has ended by itself
// is not ended again.
func (w *watch) end(why ending, now bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over || w.killed || (w.why != unasked && !now) {
		return
	}
	if w.why == unasked {
		if w.pid != 0 && (w.reaped || hasExited(w.pid)) {
			return
		}
		w.why = why
	}
	w.killed = now
	if w.pid != 0 {
		w.act()
	}
}

func (w *watch) act() {
	if w.timer != nil {
		w.timer.Stop()
	}
	if w.killed = w.killed || w.grace <= 0; w.killed {
		w.signal(unix.SIGKILL)
		return
	}
	w.signal(unix.SIGTERM)
	w.signal(unix.SIGCONT) // one that is stopped hears TERM when it goes on
	why := w.why
	w.timer = time.AfterFunc(w.grace, func() { w.end(why, true) })
}

func (w *watch) signal(sig syscall.Signal) {
	if !w.reaped || outlivesItsLeader(w.pid) {
		_ = unix.Kill(-w.pid, sig)
	}
}

// wait waits for the end of the leader and of what it leaves behind. A group that ended by itself or was killed is
// killed at once; one that was asked to end has the rest of its grace.
func (w *watch) wait(log *slog.Logger, try rota.Try, o *orphans) death {
	awaitExit(w.pid)
	var d death
	var usage unix.Rusage
	w.mu.Lock()
	if w.why == unasked {
		w.killed = true
	}
	if w.killed {
		w.signal(unix.SIGKILL)
	} else {
		w.awaitGrace(o)
	}
	for {
		if _, err := unix.Wait4(w.pid, &d.status, 0, &usage); err != unix.EINTR {
			break
		}
	}
	w.reaped = true
	reaped := clock.Elapsed()
	d.why, d.usage = w.why, used(&usage)
	w.mu.Unlock()
	if !w.awaitRest(o, reaped) {
		log.Error("killed, but processes remain", "task", try.Task, "attempt", try.Attempt, "group", w.pid)
	}
	w.mu.Lock()
	w.over = true
	d.killed = w.killed
	if w.timer != nil {
		w.timer.Stop()
	}
	w.mu.Unlock()
	return d
}

// awaitRest waits until nothing of the group runs. It polls: the members that outlive their leader are not ours to wait
// for, but those that came to us as orphans. Where their new parent is slow to reap them, only a look at each tells that
// they are dead; such looks are dear, and become rarer.
func (w *watch) awaitRest(o *orphans, reaped rota.Elapsed) bool {
	const first, rarest = 2 * time.Millisecond, 250 * time.Millisecond
	var waited, killed time.Duration
	look := first
	for pause := 50 * time.Microsecond; isLeft(w.pid, o); pause = min(2*pause, 10*time.Millisecond) {
		if waited >= look {
			if !isRunning(w.pid, reaped) {
				return true
			}
			look = waited + min(waited, rarest)
		}
		if killed > gone {
			return false
		}
		time.Sleep(pause)
		waited += pause
		w.mu.Lock()
		if w.killed || leaderStays {
			killed += pause
		}
		w.mu.Unlock()
	}
	return true
}

// isLeft reports whether a group whose leader was reaped has members, be they dead.
func isLeft(group int, o *orphans) bool {
	return unix.Kill(-group, 0) != unix.ESRCH && (o.reap() == 0 || unix.Kill(-group, 0) != unix.ESRCH)
}
