// Package keeper owns the processes of a node's attempts: it starts them in order as slots come free, ends those
// that run too long or are asked to end, keeps their output, and reports how each ended.
//
// What it promises:
//   - An attempt runs once however often it is handed over, and its end is remembered until it is forgotten (P10).
//   - Each attempt is a process group of its own. When its main process has ended, whatever is left of the group is
//     killed at once, before the end is reported; a success is exit 0 of the main process. An attempt that is made to
//     end gets TERM, its grace, and KILL, and in that grace also those of the group that outlive the main process.
//     Where control groups (cgroup v2) can be had, each slot has one, and whatever hid outside the process group
//     (setsid, a double fork) is killed by it. Elsewhere a keeper that is a process of its own (Options.Subreaper) follows it:
//     what lost its parents comes to it, and is killed with the attempt that it is seen to be of. What nothing tells of
//     ends with the last of the attempts that it can be of. A keeper that is neither does not follow it.
//   - Nobody else's process is ever signalled: a number is signalled only while something of ours that is not reaped keeps
//     others from having it.
//   - On Linux the main process dies with the keeper (P11), and the next keeper of the same folder ends the rest of the
//     group by the journal, and all that is in the slots' control groups, before it does anything else; it touches no process that it cannot prove to be its own.
//   - Limits of an attempt hold for all its processes together and end with it (D6): by control groups that are made for
//     it, of version 2 or 1; where there are none, memory and processes by a look each second, and CPUs not at all. One that
//     a system cannot hold in any way is refused there. What runs is measured each second.
//   - What fails for a reason of the job's own is told apart from what fails for ours (P7). After the latter the keeper
//     pauses, and tries the same attempt again before it gives it back.
//   - Past its lease nothing runs and nothing starts (P2).
//
// A Local lives in the process that made it. Serve gives it to daemons over a socket, one at a time; Remote is what a
// daemon has of it, and a daemon's end is then not the end of what runs (P4, P10).
//
// It may touch processes, control groups, its own folder, its socket and the files that attempts name, and neither Store nor Service.
//
// What starts stands in spawn.go and its neighbours, what watches in watch.go, what follows in orphans_linux.go, what limits in limits.go and its neighbours, what measures in meter.go, what remembers in journal.go, what goes
// over the socket in wire.go.
package keeper

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/clock"
	"github.com/rotaqueue/rota/executor"
)

// Options are what a keeper is made of.
type Options struct {
	Dir    string       // a folder of its own, made when missing: slots/ and the journal are in it
	Output string       // the folder of ended attempts' output, which keepers may share; default: Dir/output
	Slots  int          // how many attempts run at once; 0: none
	Log    *slog.Logger // nil: nothing is logged
	// NoGroups does without control groups, as where there are none: what an attempt leaves behind outside its process
	// group is not followed then, and limits of memory and processes are held by looking.
	NoGroups bool
	// Subreaper makes this process adopt what its attempts orphan (Linux), and reap it: every child of the main thread.
	// It is for a process that is the keeper's alone, and follows what leaves its process group where there are no control
	// groups. Such a one has its threads from the beginning: it lives on where no more can be had.
	Subreaper bool
}

// Local is a keeper within the process that made it: its attempts end when that process does (P11).
type Local struct {
	dir     string
	output  string
	slots   int
	alone   bool // this process is the keeper's alone
	log     *slog.Logger
	null    int // /dev/null, for attempts that read nothing
	groups  groups
	limiter *limiter
	orphans *orphans // nil: they do not come to us
	journal *journal
	reports *reports
	threads sync.WaitGroup // of the slots

	mu       sync.Mutex
	work     sync.Cond // told when something waits, a pause is over, or the keeper closes
	attempts map[rota.Try]*attempt
	waiting  []*attempt // in order; some may have been given back since
	made     int        // slots that have a thread; they are made as they are needed
	idle     int        // of those, how many have nothing to do
	running  int        // of those, how many have an attempt
	pause    pause
	lease    lease
	meter    meter
	closed   bool
	checked  map[string]error // users that attempts have run as, and whether what they become is what it should

	replaced atomic.Int64 // threads of slots, over the keeper's life
}

var _ executor.Keeper = (*Local)(nil)

// New makes the keeper of a folder. It first does what Recover does for one that had the folder before, and empties
// the folders of the slots; output that was kept stays. Nobody else may use the folder meanwhile: its owner's lock sees
// to that (P26).
func New(o Options) (*Local, error) {
	if o.Slots < 0 {
		return nil, rota.Invalid("slots %d: from 0 on", o.Slots)
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, err
	}
	output := filepath.Join(dir, "output")
	if o.Output != "" {
		if output, err = filepath.Abs(o.Output); err != nil {
			return nil, err
		}
	}
	k := &Local{dir: dir, output: output, slots: o.Slots, alone: o.Subreaper, log: o.Log, reports: newReports(), attempts: map[rota.Try]*attempt{}}
	k.work.L = &k.mu
	if k.log == nil {
		k.log = slog.New(slog.DiscardHandler)
	}
	if err := k.prepare(o); err != nil {
		return nil, rota.Errorf(rota.ErrUnavailable, "keeper folder %s: %v", dir, err)
	}
	spareProcs()
	closeOnExec()
	go k.reports.deliver()
	return k, nil
}

// spareProcs lets more threads run Go code than there are CPUs, unless the environment says how many: one that forks
// holds its place meanwhile, and a tenth of all short commands a second was lost for want of another.
var spareProcs = sync.OnceFunc(func() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(2 * runtime.GOMAXPROCS(0))
	}
})

func (k *Local) prepare(o Options) error {
	if _, err := recoverFrom(k.dir, k.log); err != nil {
		return err
	}
	for _, dir := range []string{k.dir, k.output} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	if !o.NoGroups {
		var err error
		if k.groups, err = openGroups(k.dir); err != nil {
			k.log.Info("attempts are ended by process group: there are no control groups to be had", "reason", err)
		}
	}
	k.limiter = openLimiter(k.dir, k.groups, o.NoGroups, k.log)
	if err := removeAll(filepath.Join(k.dir, "slots"), k.dir); err != nil {
		return err
	}
	var err error
	k.lease.now = clock.Elapsed
	if k.lease.alarm, err = newAlarm(k.checkLease); err != nil {
		return err
	}
	if k.null, err = unix.Open(os.DevNull, unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
		return err
	}
	if k.journal, err = newJournal(filepath.Join(k.dir, "journal"), k.dir, k.log); err != nil {
		_ = unix.Close(k.null)
		return err
	}
	if o.Subreaper {
		if k.orphans, err = adopt(k.dir, k.log); err != nil {
			k.log.Info("what leaves its process group is not followed: orphans do not come to the keeper", "reason", err)
		}
		k.reserveThreads()
	}
	return nil
}

// Retire ends what runs, each with its grace, takes back what waits, and returns when nothing is left.
func (k *Local) Retire() {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for k.isRunning() {
		k.Return()
		for _, try := range k.Held() {
			k.Stop(try, false)
		}
		<-tick.C
	}
}

// Close kills everything that runs and returns when it is dead. What waits is dropped. Nothing is reported any more.
func (k *Local) Close() error {
	k.mu.Lock()
	if k.closed {
		k.mu.Unlock()
		return nil
	}
	k.closed = true
	k.waiting = nil
	k.pause.stop()
	k.lease.alarm.close()
	k.meter.stop()
	k.work.Broadcast()
	k.mu.Unlock()
	k.endAll(stopped)
	k.threads.Wait()
	k.reports.close()
	k.orphans.close()
	_ = unix.Close(k.null)
	if err := errors.Join(k.limiter.remove(), k.groups.remove()); err != nil {
		k.log.Warn("control groups not removed", "error", err)
	}
	if err := errors.Join(removeGuests(k.dir), removeHouse(secretHouse(k.dir))); err != nil {
		k.log.Warn("folders outside the keeper's are left", "error", err)
	}
	return k.journal.close()
}

func (k *Local) isClosed() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.closed
}

// endAll kills everything that runs.
func (k *Local) endAll(why ending) {
	k.mu.Lock()
	var running []*attempt
	for _, a := range k.attempts {
		if a.state == Running {
			running = append(running, a)
		}
	}
	k.mu.Unlock()
	for _, a := range running {
		a.watch.end(why, true)
	}
}
