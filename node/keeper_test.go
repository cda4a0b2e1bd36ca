package node

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
)

// scripted is an executor.Keeper whose processes are a script's: how long each takes, what it writes, how it ends.
// It writes real output files where a real keeper does.
type scripted struct {
	dir    string
	slots  int
	script func(p executor.Process) play
	refuse error  // of the next Start
	onEnd  func() // the files are written, the end is not yet reported
	// measure is what Samples answers; it is called without the lock.
	measure func() []executor.Sample

	mu      sync.Mutex
	waiting []executor.Process
	running map[rota.Try]*actor
	ended   map[rota.Try]executor.Exit
	started []executor.Process // in order
	stops   []stop
	forgot  []rota.Try
	alive   map[rota.TaskID]int // attempts of a task that run
	overlap bool                // two of them at once (I4)
	leases  []rota.Elapsed
	trouble error // what Check answers
	checks  int

	idle  time.Duration // slots without a task, since the first start
	since time.Time

	out   chan []executor.Exit
	some  chan struct{}
	batch []executor.Exit
	done  chan struct{}
}

// play is what a process does.
type play struct {
	takes    time.Duration
	outcome  rota.Outcome // default: succeeded
	code     int
	stdout   string
	stderr   string
	leaves   map[string]string // files, by name
	deafTERM bool              // does not end on TERM
	broken   bool              // cannot be started, for a reason of ours
	instant  bool              // ends as soon as it starts
}

// actor is a process that runs.
type actor struct {
	executor.Process
	play
	started rota.Elapsed
	timer   *time.Timer
}

func elapsed() rota.Elapsed { return rota.Elapsed(time.Now().UnixNano()) }

func newScripted(dir string, slots int) *scripted {
	k := &scripted{dir: dir, slots: slots, running: map[rota.Try]*actor{}, ended: map[rota.Try]executor.Exit{},
		alive: map[rota.TaskID]int{}, out: make(chan []executor.Exit), some: make(chan struct{}, 1), done: make(chan struct{})}
	k.script = func(executor.Process) play { return play{takes: time.Second} }
	go k.deliver()
	return k
}

func (k *scripted) Start(ps []executor.Process) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.refuse; err != nil {
		k.refuse = nil
		return err
	}
	k.waiting = append(k.waiting, ps...)
	k.next()
	return nil
}

func (k *scripted) next() {
	k.count()
	for len(k.waiting) > 0 && len(k.running) < k.slots {
		p := k.waiting[0]
		k.waiting = k.waiting[1:]
		a := &actor{Process: p, play: k.script(p), started: elapsed()}
		k.started = append(k.started, p)
		if a.broken {
			k.report(executor.Exit{Try: p.Try, Outcome: rota.OutcomeReturned, Reason: "fork: no more processes"})
			continue
		}
		if a.instant {
			k.report(executor.Exit{Try: p.Try, Outcome: rota.OutcomeSucceeded, Spawned: true, Started: a.started, Ended: a.started})
			continue
		}
		k.running[p.Try] = a
		if k.alive[p.Task]++; k.alive[p.Task] > 1 {
			k.overlap = true
		}
		if a.stdout != "" {
			os.WriteFile(k.live(p.Try, rota.Stdout), []byte(a.stdout), 0o600)
		}
		outcome := a.outcome
		if outcome == "" {
			outcome = rota.OutcomeSucceeded
		}
		a.timer = time.AfterFunc(a.takes, func() { k.end(a, outcome) })
	}
	if k.since.IsZero() && len(k.running) > 0 {
		k.since = time.Now()
	}
}

// count adds up the time in which slots had nothing to do.
func (k *scripted) count() {
	if !k.since.IsZero() {
		k.idle += time.Since(k.since) * time.Duration(k.slots-len(k.running))
		k.since = time.Now()
	}
}

func (k *scripted) end(a *actor, outcome rota.Outcome) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.running[a.Try] != a {
		return
	}
	a.timer.Stop()
	k.count()
	delete(k.running, a.Try)
	k.alive[a.Task]--
	code := a.code
	x := executor.Exit{Try: a.Try, Outcome: outcome, Code: &code, Spawned: true, Started: a.started, Ended: elapsed(),
		Output: map[rota.Stream]string{}, Written: sizes(a.stdout, a.stderr)}
	for s, text := range map[rota.Stream]string{rota.Stdout: a.stdout, rota.Stderr: a.stderr} {
		if text != "" {
			x.Output[s] = filepath.Join(k.dir, "output", textName(a.Try, s))
			if err := os.WriteFile(x.Output[s], []byte(text), 0o600); err != nil {
				panic(err)
			}
			os.Remove(k.live(a.Try, s))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(a.leaves)) {
		sum := sha256.Sum256([]byte(a.leaves[name]))
		copied := executor.Artifact{Name: name, Size: int64(len(a.leaves[name])), Sum: hex.EncodeToString(sum[:]),
			Path: filepath.Join(k.dir, "output", fmt.Sprintf("%d.%d.artifact-%d", int64(a.Task), a.Attempt, len(x.Artifacts)))}
		if err := os.WriteFile(copied.Path, []byte(a.leaves[name]), 0o600); err != nil {
			panic(err)
		}
		x.Artifacts = append(x.Artifacts, copied)
	}
	if k.onEnd != nil {
		k.onEnd()
	}
	k.report(x)
	k.next()
}

func sizes(stdout, stderr string) rota.Written {
	out, err := int64(len(stdout)), int64(len(stderr))
	return rota.Written{Stdout: &out, Stderr: &err}
}

func (k *scripted) report(x executor.Exit) {
	k.ended[x.Try] = x
	k.batch = append(k.batch, x)
	select {
	case k.some <- struct{}{}:
	default:
	}
}

func (k *scripted) deliver() {
	defer close(k.out)
	for {
		select {
		case <-k.some:
		case <-k.done:
			return
		}
		k.mu.Lock()
		batch := k.batch
		k.batch = nil
		k.mu.Unlock()
		select {
		case k.out <- batch:
		case <-k.done:
			return
		}
	}
}

func (k *scripted) Stop(try rota.Try, now bool) {
	k.mu.Lock()
	k.stops = append(k.stops, stop{try, now})
	a := k.running[try]
	i := slices.IndexFunc(k.waiting, func(p executor.Process) bool { return p.Try == try })
	if i >= 0 {
		k.waiting = slices.Delete(k.waiting, i, i+1)
		k.report(executor.Exit{Try: try, Outcome: rota.OutcomeReturned, Reason: "taken back"})
	}
	k.mu.Unlock()
	if a != nil && (now || !a.deafTERM) {
		k.end(a, rota.OutcomeEnded)
	}
}

func (k *scripted) Return(...rota.Try) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, p := range k.waiting {
		k.report(executor.Exit{Try: p.Try, Outcome: rota.OutcomeReturned, Reason: "taken back"})
	}
	k.waiting = nil
}

func (k *scripted) Exits() <-chan []executor.Exit { return k.out }

func (k *scripted) Held() []rota.Try {
	k.mu.Lock()
	defer k.mu.Unlock()
	var ts []rota.Try
	for _, p := range k.waiting {
		ts = append(ts, p.Try)
	}
	for t := range k.running {
		ts = append(ts, t)
	}
	for t := range k.ended {
		ts = append(ts, t)
	}
	return ts
}

func (k *scripted) Lease(until rota.Elapsed) {
	k.mu.Lock()
	k.leases = append(k.leases, until)
	var over []*actor
	for _, a := range k.running {
		if a.Tolerance >= 0 && until+rota.Elapsed(a.Tolerance) <= elapsed() {
			over = append(over, a)
		}
	}
	k.mu.Unlock()
	for _, a := range over {
		k.end(a, rota.OutcomeEnded)
	}
}

func (k *scripted) Samples() []executor.Sample {
	k.mu.Lock()
	measure := k.measure
	k.mu.Unlock()
	if measure == nil {
		return nil
	}
	return measure()
}

func (k *scripted) Check() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.checks++
	return k.trouble
}

func (k *scripted) Forget(ts []rota.Try) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, t := range ts {
		delete(k.ended, t)
		k.forgot = append(k.forgot, t)
	}
}

func (k *scripted) File(t rota.Try, s rota.Stream) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, ok := k.running[t]; !ok {
		return ""
	}
	return k.live(t, s)
}

func (k *scripted) live(t rota.Try, s rota.Stream) string {
	return filepath.Join(k.dir, "live."+textName(t, s))
}

func (k *scripted) Close() error {
	close(k.done)
	return nil
}

func (k *scripted) look(f func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	f()
}
