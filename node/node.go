// Package node runs tasks: it claims them, has a keeper run them, renews its lease while they run, keeps what they
// wrote and finishes them; and it drains.
//
// One goroutine owns all state (loop.go): a reactor that is told what happened and answers what is to be done. What
// may block — calls of the service, reading files — runs beside it and comes back as a message. The package touches
// the node's part of the service and its own folder, nothing else: processes are the keeper's.
package node

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/clock"
	"github.com/rotaqueue/rota/executor"
	"github.com/rotaqueue/rota/keeper"
)

// Options say how a node works. Name and Dir are needed; the zero value of all else works.
type Options struct {
	Name      string           // unique in the cluster
	Key       string           // proves that the name is this node's; from its data folder
	Folder    string           // the data folder, for people
	Force     bool             // takes the name from another node that has it; see rota.Opening
	Session   rota.SessionID   // of the keeper's life; default: a random one
	Started   []rota.Try       // what dead keepers of the folder are known to have started; see rota.Opening
	Resumed   []keeper.Held    // what the keeper has from an earlier node of the same session
	Others    []rota.SessionID // of the folder's other keepers that live; see rota.Opening
	Opened    func()           // called once the session is open: the store knows of what was Started
	Draining  func()           // called once somebody has asked the service that the node drains, which it does; nil: nobody else need know
	Aside     bool             // the keeper is an older one, beside another that takes what is new: the node only ends what runs
	Taken     func() int       // how many slots are in use beside this node's own attempts; nil: none
	Slots     int              // how many attempts run at once; 0: none
	Queues    []string         // patterns, in order; none: all
	Labels    map[string]string
	Offers    rota.Resources // what tasks can need of it; the zero value offers nothing
	NoShell   bool           // it claims no jobs that a shell runs
	Dir       string         // the node's own folder; the keeper writes ended attempts' output to Dir/output
	Socket    string         // where jobs reach the server: their ROTA_SOCKET
	API       string         // where others reach the server that the node has in its process; empty: nowhere
	Transient bool           // lives as long as the command that started it (P27)

	RunAs RunAs // as whom jobs run
	// Wrap is put before each command, outside the queue's; ErrWrap reads the error output where the queue has none.
	Wrap, ErrWrap []string

	Limits rota.Allowance // what holds for attempts here where neither job nor queue says anything, and at most

	OutputCap int64     // bytes of each stream that the store keeps; default rota.OutputCap
	Retention Retention // of the full texts that stay in Dir/output
	BlobCache int64     // bytes of blobs that are run again without being fetched again; default 4 GiB

	TTL         time.Duration    // of the session's lease; default 30 s
	OnStoreLoss rota.OnStoreLoss // what becomes of attempts of jobs that do not say it; default: they run on (P8)
	StopGrace   time.Duration    // between TERM and KILL when the node is stopped; default 5 s, never more than the job's own

	Elapsed func() rota.Elapsed    // default: clock.Elapsed
	Now     func() time.Time       // the machine's time of day, which is compared with the store's; default: time.Now
	Machine func() rota.NodeSample // measures the machine; default: this one, and the file system of Dir
	Log     *slog.Logger           // default: slog.Default
}

// Retention says how long the full text of an output that the store keeps only in part stays on the node.
type Retention struct {
	Age   time.Duration // since it was written; default 7 days
	Bytes int64         // of all together, the oldest go first; default 1 GiB
}

// Node is one machine's part in running tasks. Run runs it once; the other methods may be called at any time, from
// anywhere.
type Node struct {
	opts      Options
	svc       rota.NodeService
	keeper    executor.Keeper
	executors map[string]executor.Executor
	leased    leased
	skew      skew
	users     users
	shows     shows
	elapsed   func() rota.Elapsed
	started   time.Time // for people
	log       *slog.Logger

	drain     chan struct{} // closed by Drain
	drainOnce sync.Once
	leave     chan struct{} // closed by Leave
	leaveOnce sync.Once
	events    chan event    // messages to the loop
	gone      chan struct{} // closed when the loop has ended
	calls     sync.WaitGroup
	keeping   chan struct{}               // one place for each large output that is being kept
	fetches   map[need]context.CancelFunc // the loop's
	cache     *cache
	sampler   sampler

	mu    sync.Mutex
	stats Stats
}

// event is a message to the loop: what happened, applied to the state by the one goroutine that owns it.
type event func(r *reactor, now rota.Elapsed)

// New makes a node; Run starts it. A rota.Service is a rota.NodeService.
func New(svc rota.NodeService, k executor.Keeper, executors []executor.Executor, opts Options) *Node {
	opts = opts.withDefaults()
	n := &Node{opts: opts, svc: svc, keeper: k, executors: map[string]executor.Executor{},
		elapsed: opts.Elapsed, started: time.Now(), log: opts.Log.With("node", opts.Name),
		drain: make(chan struct{}), leave: make(chan struct{}), events: make(chan event, 64), gone: make(chan struct{}),
		keeping: make(chan struct{}, keepsAtOnce), fetches: map[need]context.CancelFunc{},
		cache: newCache(filepath.Join(opts.Dir, "blobs"), opts.BlobCache)}
	for _, e := range executors {
		n.executors[e.Name()] = e
	}
	n.users.policy = opts.RunAs
	n.stats = Stats{Session: opts.Session, State: rota.NodeUp, Slots: opts.Slots, Held: len(opts.Resumed)}
	for _, e := range opts.Resumed {
		if e.State != keeper.Ended {
			n.stats.Running++ // others ask before it has begun
		}
	}
	return n
}

func (o Options) withDefaults() Options {
	if o.Session == "" {
		o.Session = newSession()
	}
	if o.OutputCap == 0 {
		o.OutputCap = rota.OutputCap
	}
	if o.Retention.Age == 0 {
		o.Retention.Age = 7 * 24 * time.Hour
	}
	if o.Retention.Bytes == 0 {
		o.Retention.Bytes = 1 << 30
	}
	if o.BlobCache == 0 {
		o.BlobCache = 4 << 30
	}
	if o.TTL == 0 {
		o.TTL = 30 * time.Second
	}
	if o.StopGrace == 0 {
		o.StopGrace = 5 * time.Second
	}
	if o.Elapsed == nil {
		o.Elapsed = clock.Elapsed
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Machine == nil {
		dir := o.Dir
		o.Machine = func() rota.NodeSample { return machineOf(dir) }
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return o
}

func newSession() rota.SessionID {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return rota.SessionID(hex.EncodeToString(b[:]))
}

// Run opens the session and works until the node is drained (by Drain, or because the service says that somebody asked
// for it) or left, ctx ends or the session is lost.
//
// Told to leave, it gives back what has not started, records what has ended, and returns nil while the keeper goes on
// with what runs; if that is nothing, it closes the session. A node made later with the same keeper and session, and
// with what the keeper has as Resumed, goes on where it left off; so does one that comes after a node that was killed.
//
// Drained, it lets what runs end, closes the session and returns nil. When ctx ends it ends what runs (TERM, then
// KILL after StopGrace), reports it as lost through no fault of the job's, and does the same; it gives up, with an
// error, on a service that does not answer meanwhile. When the session is lost (ErrLeaseLost) it ends at once what does
// not tolerate that, leaves the rest to the keeper and returns the error; a node that is made for the same session later,
// Aside, lets it end and has it recorded (P3, P8). When the store is not durable (ErrBroken) it ends everything at once and
// returns the error. When the keeper is lost it records what had ended, and returns ErrKeeperLost: what ran is the caller's
// to end, and the store's to rescue when another session opens. The values of ctx, the principal among them, go with every
// call. What the keeper then still has is ended by its Close, which is the caller's business.
func (n *Node) Run(ctx context.Context) error {
	for _, dir := range []string{n.outputDir(), n.inputDir()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return rota.Errorf(rota.ErrInternal, "start node %s: %v", n.opts.Name, err)
		}
	}
	n.sweepInput()
	opened, err := n.open(ctx)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil // told to stop before it began
	case err != nil:
		return err
	}
	calls, cancel := context.WithCancel(context.WithoutCancel(ctx))
	n.calls.Go(func() { n.await(calls) })
	held, err := n.loop(ctx, calls, opened)
	close(n.gone)
	cancel()
	n.calls.Wait()
	if err != nil || held > 0 {
		return err
	}
	return n.closeSession(context.WithoutCancel(ctx))
}

// Drain makes the node stop claiming, give back what has not started, and end Run when the last attempt has ended.
// It does not wait.
func (n *Node) Drain() { n.drainOnce.Do(func() { close(n.drain) }) }

// Pause makes the node claim nothing, and Continue makes it go on. They do not wait.
func (n *Node) Pause()    { n.pause(true) }
func (n *Node) Continue() { n.pause(false) }

func (n *Node) pause(paused bool) {
	n.post(func(r *reactor, now rota.Elapsed) { r.pause(paused, now) })
}

// Leave makes the node stop claiming and end Run within a few seconds, without ending what runs. It does not wait.
func (n *Node) Leave() { n.leaveOnce.Do(func() { close(n.leave) }) }

// Busy is how many attempts the node holds: from their claim until their end is recorded.
func (n *Node) Busy() int { return n.Stats().Held }

// Stats is what the node does at the moment, and has done since it started.
func (n *Node) Stats() Stats {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.stats
}

// Stats are figures of a node for people.
type Stats struct {
	Session   rota.SessionID
	State     rota.NodeState
	Slots     int
	Held      int           // attempts from their claim until their end is recorded
	Running   int           // of those: in a slot
	Waiting   int           // of those: in the keeper, for a slot
	Finishing int           // of those: ended, and their end or output not yet recorded
	Mean      time.Duration // recent tasks' mean run, the younger weighing more; 0: none yet
	Claimed   int64         // tasks since the start
	Finished  int64
	Exchanges int64 // answered ones
}

func (n *Node) outputDir() string { return filepath.Join(n.opts.Dir, "output") }
func (n *Node) inputDir() string  { return filepath.Join(n.opts.Dir, "input") }

// post tells the loop something; false when it has ended and nobody listens.
func (n *Node) post(e event) bool {
	select {
	case n.events <- e:
		return true
	case <-n.gone:
		return false
	}
}
