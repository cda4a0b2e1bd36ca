package node

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"path/filepath"
	"slices"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
)

// reactor is the node's state, and what follows from what happens. It calls nothing that waits: what is to be done
// gathers in todo, which the loop carries out. Every method is told the time.
type reactor struct {
	opts    Options
	log     *slog.Logger
	prepare func(a *rota.Assignment, input string) (executor.Process, error)

	mode  mode
	cause error // why the session is lost

	held      map[rota.Try]*attempt
	at        [stages]int // how many attempts are in each stage
	materials map[need]*material
	cache     *cache
	early     map[rota.Try]rota.Ending // asked to end, and perhaps claimed by the exchange under way
	strays    map[rota.Try]bool        // given back, not yet recorded
	lone      *attempt                 // runs alone, or is about to

	seq    int64     // of the last exchange whose answer came
	flight *flight   // the exchange under way
	ready  []*finish // for the next one
	oldest rota.Elapsed
	mute   bool // lost, and the farewell failed: nothing more is sent
	lapsed bool // the session was lost before: what goes on in it is let end, and nothing is renewed
	// checked: what the store has as ours is what we hold. Of a session that is taken over, the first renewal tells;
	// before it nothing else is sent, and the session is not closed (P5, P8).
	checked bool

	paused  bool         // claims nothing until it is told to go on, here
	ordered bool         // likewise, through the service
	hungry  bool         // the next claim may find something
	lookAt  rota.Elapsed // when it may though nobody tells
	backlog bool         // the last claim found all it asked for
	pace    pace
	unable  inability

	renewAt  rota.Elapsed
	renewing bool
	unheard  pauses // after renewals without an answer

	killAt, giveUpAt rota.Elapsed // while stopping
	sweepAt          rota.Elapsed
	sweeping         bool
	left             int64 // bytes that stayed in the output folder since the last sweep

	wake  rota.Elapsed // when to decide again though nothing happens
	todo  actions
	stats Stats
}

// mode is how far the node has gone towards its end.
type mode int

const (
	up       mode = iota
	draining      // claims nothing, lets what runs end
	leaving       // claims nothing, and leaves what runs to the keeper
	stopping      // ends what runs
	lost          // the session is no longer ours: ends everything at once
)

const never = rota.Elapsed(math.MaxInt64)

// attempt is one that the node holds: from its claim until its end is recorded.
type attempt struct {
	rota.Assignment
	stage stage
	asked rota.Ending // somebody asked it to end, so strongly
	gone  bool        // the store no longer has it as ours
	over  bool        // it had ended when the node came: the keeper is about to tell how
	// leased: it ends with the lease, so that it does not outlive the session.
	leased  bool
	exit    executor.Exit
	uses    []need // what is counted in for it
	missing int    // of those, what is not there yet
}

// stage is where an attempt stands in the node.
type stage int

const (
	fetching stage = iota // waits for its job's input, or the blob that it runs
	apart                 // is to run alone, and waits for that
	inKeeper              // waits there for a slot, or runs
	reading               // has ended, and its output is looked at
	keeping               // has ended, and its output is being kept, which may take its time
	ended                 // its finish is gathered or under way
	stages
)

// actions are what the loop is to do.
type actions struct {
	start    []executor.Process
	stop     []stop
	returns  bool // the keeper shall return all that has not started
	exchange *rota.Exchange
	renew    *rota.Renewal
	check    bool // ask the keeper whether it could start anything
	collect  []executor.Exit
	fetch    []fetch
	unfetch  []need       // stop fetching
	unlink   []rota.JobID // the input of a job is not needed any more
	forget   []rota.Try
	unlease  bool     // the lease is over: the keeper shall end what does not tolerate that
	spent    []string // files to be removed
	sweep    bool
}

type stop struct {
	rota.Try
	now bool
}

func newReactor(opts Options, log *slog.Logger, now rota.Elapsed) *reactor {
	return &reactor{opts: opts, log: log, held: map[rota.Try]*attempt{}, materials: map[need]*material{}, cache: newCache(filepath.Join(opts.Dir, "blobs"), opts.BlobCache),
		early: map[rota.Try]rota.Ending{}, strays: map[rota.Try]bool{}, checked: true, hungry: true,
		unable: newInability(), lookAt: never,
		unheard: pauses{first: opts.TTL / 30, cap: opts.TTL / 3},
		renewAt: now + rota.Elapsed(opts.TTL/3), sweepAt: now, wake: never,
		stats: Stats{Session: opts.Session, Slots: opts.Slots}}
}

// take hands over what is to be done.
func (r *reactor) take() actions {
	todo := r.todo
	r.todo = actions{}
	return todo
}

// decide does what is due now, and says in wake when the next thing will be.
func (r *reactor) decide(now rota.Elapsed) {
	r.wake = never
	r.decideStop(now)
	r.decideLone(now)
	r.decideCheck(now)
	r.decideExchange(now)
	r.decideRenewal(now)
	r.decideSweep(now)
}

// due reports whether a time has come; if not, the loop wakes then.
func (r *reactor) due(at, now rota.Elapsed) bool {
	if now >= at {
		return true
	}
	r.wake = min(r.wake, at)
	return false
}

// enter puts an attempt into a stage; hold and release count it in and out.
func (r *reactor) enter(a *attempt, s stage) {
	r.at[a.stage]--
	a.stage = s
	r.at[s]++
}

func (r *reactor) hold(a *attempt, s stage) {
	a.stage = s
	r.at[s]++
	r.held[a.Try] = a
}

func (r *reactor) release(a *attempt) {
	r.at[a.stage]--
	delete(r.held, a.Try)
	if r.lone == a {
		r.lone = nil
	}
	r.releaseNeeds(a)
}

// in are the attempts in a stage, in the order of their ids.
func (r *reactor) in(s stage) []*attempt {
	var as []*attempt
	for _, a := range r.held {
		if a.stage == s {
			as = append(as, a)
		}
	}
	slices.SortFunc(as, func(a, b *attempt) int { return compareTries(a.Try, b.Try) })
	return as
}

// tries are all attempts held, in the order of their ids.
func (r *reactor) tries() []rota.Try {
	ts := make([]rota.Try, 0, len(r.held))
	for t := range r.held {
		ts = append(ts, t)
	}
	slices.SortFunc(ts, compareTries)
	return ts
}

func compareTries(a, b rota.Try) int {
	if a.Task != b.Task {
		return int(min(max(a.Task-b.Task, -1), 1))
	}
	return a.Attempt - b.Attempt
}

// done reports whether the loop ends, and with what.
func (r *reactor) done(now rota.Elapsed) (bool, error) {
	recorded := r.flight == nil && len(r.ready) == 0 && r.checked
	settled := recorded && len(r.held) == 0
	switch {
	case r.mode == leaving:
		running := r.at[inKeeper]
		return (recorded && len(r.held) == running && running <= r.opts.Slots) || now >= r.giveUpAt, nil
	case r.outlived():
		return recorded || now >= r.giveUpAt, fmt.Errorf("session %s of node %s is lost: %w", r.opts.Session, r.opts.Name, r.cause)
	case r.mode == up, !settled && (r.mode == draining || now < r.giveUpAt):
		return false, nil
	case r.mode == lost && errors.Is(r.cause, rota.ErrLeaseLost):
		return true, fmt.Errorf("session %s of node %s is lost, what it ran was ended: %w", r.opts.Session, r.opts.Name, r.cause)
	case r.mode == lost:
		return true, fmt.Errorf("node %s stops, what it ran was ended: %w", r.opts.Name, r.cause)
	case !settled:
		return true, rota.Errorf(rota.ErrUnavailable, "stop node %s: the server did not answer, the ends of %d attempts are not recorded",
			r.opts.Name, len(r.held)).WithFix("start the node again on the same folder: they are settled then")
	}
	return true, nil
}

// outlived reports whether the session is lost, and all that is left of it tolerates that: the keeper goes on with it.
func (r *reactor) outlived() bool {
	if r.mode != lost || r.lapsed || !errors.Is(r.cause, rota.ErrLeaseLost) || len(r.held) == 0 || r.at[inKeeper] > r.opts.Slots {
		return false
	}
	for _, a := range r.held {
		if a.stage != inKeeper || a.leased {
			return false
		}
	}
	return true
}

// figures are the state in numbers.
func (r *reactor) figures() Stats {
	s := r.stats
	s.State = r.state()
	s.Held = len(r.held)
	s.Running = min(r.at[inKeeper], r.opts.Slots)
	s.Waiting = r.at[inKeeper] - s.Running + r.at[fetching] + r.at[apart]
	s.Finishing = r.at[reading] + r.at[keeping] + r.at[ended]
	s.Mean = r.pace.mean
	return s
}

func (r *reactor) state() rota.NodeState {
	switch r.mode {
	case up:
		if r.isPaused() {
			return rota.NodePaused
		}
		if r.unable.is {
			return rota.NodeUnable
		}
		return rota.NodeUp
	case lost:
		return rota.NodeLost
	}
	return rota.NodeDraining
}
