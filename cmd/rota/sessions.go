package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
	"github.com/rotaqueue/rota/executor/blob"
	execjob "github.com/rotaqueue/rota/executor/exec"
	"github.com/rotaqueue/rota/executor/pipeline"
	"github.com/rotaqueue/rota/executor/script"
	"github.com/rotaqueue/rota/executor/shell"
	"github.com/rotaqueue/rota/keeper"
	"github.com/rotaqueue/rota/node"
)

// session is a keeper's life, and the node that claims and finishes for it (P4).
type session struct {
	dir    string
	keeper *keeper.Remote
	node   *node.Node
	ending chan struct{} // closed when we end it, or leave it, ourselves
	lost   chan struct{} // closed when it is over, and nothing is left of it unless we left it
}

func (s *session) id() rota.SessionID { return s.keeper.Hello().Session }

// sessions are a data folder's: the first takes what is new, those behind it are older versions' and stay until what
// they run has ended (P13).
//
// The folders of the keepers are work/keepers/1 and so on. One whose keeper is dead is removed once the store knows what
// had been started there.
type sessions struct {
	d       *daemon
	work    string
	dead    []string                // folders of dead keepers, of which the store does not know yet
	started []rota.Try              // what those had started
	lost    map[rota.SessionID]bool // sessions that are known to be lost: their keepers take nothing new

	mu   sync.Mutex
	all  []*session
	told func(*node.Node) // what the nodes were told; nil: nothing
	over atomic.Bool      // they were told to leave or to drain: nothing new begins

	left atomic.Int64 // attempts that were left to their keepers
}

// connect takes over the keepers that live, ends what dead ones left before anything else (P11), and starts a keeper if
// there is none of this version. The sessions have no nodes yet.
func (ss *sessions) connect(ctx context.Context) ([]*session, error) {
	found, err := ss.find(ctx)
	if err != nil {
		return nil, err
	}
	var current *session
	var older []*session
	known := ss.d.source.known(ctx)
	for _, s := range slices.Backward(found) {
		switch {
		case len(s.keeper.Resumed()) > 0 && !known(s.id()):
			ss.d.log.Error("the store knows nothing of what a keeper runs, which is ended: the store is another one, or a copy made since", "session", s.id())
			ss.dead = append(ss.dead, s.dir)
			err = errors.Join(err, s.end())
		case current == nil && s.keeper.Hello().Version == rota.Version && !ss.lost[s.id()]:
			current = s
			current.keeper.Resize(ss.d.conf.Slots.Count())
		case len(s.keeper.Resumed()) > 0:
			older = append(older, s)
		default:
			ss.dead = append(ss.dead, s.dir)
			err = errors.Join(err, s.end())
		}
	}
	if err == nil && current == nil {
		current, err = ss.begin(ctx)
	}
	return append([]*session{current}, older...), err
}

// begin starts a keeper. One that is killed as it begins is followed by another, a few times.
func (ss *sessions) begin(ctx context.Context) (*session, error) {
	for tries := 1; ; tries++ {
		s := newSession(ss.nextDir())
		var err error
		s.keeper, err = startKeeper(ctx, keeper.Options{Dir: s.dir, Output: filepath.Join(ss.work, "output"), Slots: ss.d.conf.Slots.Count()})
		if !errors.Is(err, errKilled) || tries == 5 {
			return s, err
		}
		ss.d.log.Warn("the keeper was killed as it began; another is started")
		ss.dead = append(ss.dead, s.dir)
	}
}

func newSession(dir string) *session {
	return &session{dir: dir, ending: make(chan struct{}), lost: make(chan struct{})}
}

// find are the keepers that live. Of the dead ones it ends what they left.
func (ss *sessions) find(ctx context.Context) (found []*session, err error) {
	ss.dead, ss.started = nil, nil
	for _, dir := range ss.dirs() {
		k, err := dialKeeper(ctx, dir)
		switch {
		case errors.Is(err, keeper.ErrDead):
			tries, err := keeper.Recover(dir, ss.d.log)
			if err != nil {
				return found, err
			}
			ss.dead, ss.started = append(ss.dead, dir), append(ss.started, tries...)
		case err != nil:
			return found, err
		default:
			s := newSession(dir)
			s.keeper = k
			found = append(found, s)
			ss.d.log.Info("a keeper is taken over", "keeper", k.Hello().PID, "version", k.Hello().Version, "holds", len(k.Resumed()))
		}
	}
	return found, nil
}

// dirs are the keepers' folders, in the order in which they were made.
func (ss *sessions) dirs() []string {
	entries, _ := os.ReadDir(filepath.Join(ss.work, "keepers"))
	var numbers []int
	for _, e := range entries {
		if n, err := strconv.Atoi(e.Name()); err == nil {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	dirs := make([]string, len(numbers))
	for i, n := range numbers {
		dirs[i] = ss.dir(n)
	}
	return dirs
}

func (ss *sessions) dir(n int) string { return filepath.Join(ss.work, "keepers", strconv.Itoa(n)) }

func (ss *sessions) nextDir() string {
	last := 0
	if dirs := ss.dirs(); len(dirs) > 0 {
		last, _ = strconv.Atoi(filepath.Base(dirs[len(dirs)-1]))
	}
	return ss.dir(last + 1)
}

// employ makes a node for each session, and lets the sessions be seen.
func (ss *sessions) employ(all []*session) {
	d := ss.d
	labels, _ := d.conf.NodeLabels() // were checked
	offers, _ := d.conf.NodeOffers(node.Offers())
	for i, s := range all {
		o := node.Options{Name: d.conf.Name, Key: d.key, Folder: d.folder.path, Session: s.id(), Resumed: s.keeper.Resumed(), Slots: d.conf.Slots.Count(),
			Queues: rota.ServedQueues(d.conf.Name, d.conf.Queues), Labels: labels, Offers: offers, NoShell: !d.conf.RunsShell(),
			Dir: ss.work, Socket: d.jobSocket, Transient: d.opts.Transient,
			API: d.address, RunAs: runAs(d.conf, d.opts.Transient), Wrap: d.conf.Wrap, ErrWrap: d.conf.ErrWrap, Limits: d.conf.Limits.Rota(), OutputCap: int64(d.conf.OutputCap), BlobCache: int64(d.conf.BlobCache), TTL: d.conf.TTL.D(), OnStoreLoss: d.onStoreLoss, Log: d.log,
			Draining: func() { ss.end((*node.Node).Drain) }}
		if i == 0 {
			o.Started, o.Others, o.Taken, o.Opened, o.Force = ss.started, ids(all[1:]), ss.taken, ss.opened, d.opts.Force
		} else {
			o.Aside = true
		}
		s.node = node.New(d.service, s.keeper, []executor.Executor{execjob.Executor{}, shell.Executor{}, script.Executor{}, pipeline.Executor{}, blob.Executor{}}, o)
	}
	ss.mu.Lock()
	defer ss.mu.Unlock()
	ss.all = all
	if ss.told != nil {
		for _, s := range all {
			ss.told(s.node)
		}
	}
}

func ids(all []*session) []rota.SessionID {
	out := make([]rota.SessionID, len(all))
	for i, s := range all {
		out[i] = s.id()
	}
	return out
}

// opened is told that the store knows what dead keepers had started. The name is ours by now: if another node takes it
// by force later, it has it.
func (ss *sessions) opened() {
	ss.d.opts.Force = false
	ss.d.ready()
	for _, dir := range ss.dead {
		ss.remove(dir)
	}
	if ss.d.opened != nil {
		ss.d.opened()
	}
}

func (ss *sessions) remove(dir string) {
	if err := os.RemoveAll(dir); err != nil {
		ss.d.log.Error("the folder of a keeper that is no more stays", "err", err)
	}
}

// taken is how many slots older keepers use.
func (ss *sessions) taken() int {
	n := 0
	for _, s := range ss.list()[1:] {
		n += s.node.Stats().Running
	}
	return n
}

func (ss *sessions) list() []*session {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	return slices.Clone(ss.all)
}

// busy is how many attempts are held.
func (ss *sessions) busy() int {
	n := 0
	for _, s := range ss.list() {
		n += s.node.Busy()
	}
	return n
}

// Output reads running attempts' output.
func (ss *sessions) Output(ctx context.Context, q rota.OutputQuery) (out rota.Output, found bool, err error) {
	for _, s := range ss.list() {
		if out, found, err = s.node.Output(ctx, q); found || err != nil {
			return out, found, err
		}
	}
	return out, false, nil
}

// self is the node as it is now, from its own side.
func (ss *sessions) self() rota.Node {
	all := ss.list()
	n := all[0].node.Self()
	n.Running += ss.taken()
	return n
}

// end makes all nodes, and those that come, leave or drain.
func (ss *sessions) end(what func(*node.Node)) {
	ss.over.Store(true)
	ss.tell(what)
}

// tell tells all nodes something, and those that come.
func (ss *sessions) tell(what func(*node.Node)) {
	ss.mu.Lock()
	ss.told = what
	ss.mu.Unlock()
	for _, s := range ss.list() {
		what(s.node)
	}
}

// run works until the nodes have drained or left, or one fails. When a keeper is lost, what it ran is ended at once; when
// a session is, what does not tolerate that (P3, P8). Then all begins again with the keepers that live, and with another
// one for what is new.
func (ss *sessions) run(ctx context.Context) error {
	for {
		began := time.Now()
		err := ss.serve(ctx)
		switch {
		case ctx.Err() != nil || ss.d.opts.Transient:
			return err
		case errors.Is(err, node.ErrKeeperLost):
			ss.d.log.Error("a keeper died; what it ran is ended, and tried again", "err", err)
		case errors.Is(err, rota.ErrLeaseLost):
			ss.d.log.Error("the others took this node for lost; it begins anew", "err", err)
		default:
			return err
		}
		ss.left.Store(0)
		if time.Since(began) < again {
			select { // one that dies at once does so again
			case <-ctx.Done():
				return nil
			case <-time.After(again):
			}
		}
		all, err := ss.connectAgain(ctx)
		if err != nil || all == nil {
			return err
		}
		ss.employ(all)
	}
}

const (
	again      = time.Second
	againRarer = 30 * time.Second
)

// connectAgain is for a daemon whose keeper has died. Where no other one can be started, what keeps it from that is waited
// out: its doors are open meanwhile. It has none when the daemon is told to end before that.
func (ss *sessions) connectAgain(ctx context.Context) ([]*session, error) {
	look := time.NewTicker(again / 10)
	defer look.Stop()
	for pause := again; ; pause = min(2*pause, againRarer) {
		all, err := ss.connect(ctx)
		if !errors.Is(err, errNoKeeper) {
			return all, err
		}
		ss.d.log.Error("no keeper can be started, and nothing can run; trying again", "err", err, "in", pause)
		for next := time.Now().Add(pause); time.Now().Before(next); <-look.C {
			if ctx.Err() != nil || ss.over.Load() {
				return nil, nil
			}
		}
	}
}

// serve runs the nodes that there are. When one fails the others leave.
func (ss *sessions) serve(ctx context.Context) error {
	all := ss.list()
	errs := make([]error, len(all))
	var work sync.WaitGroup
	for i, s := range all {
		work.Go(func() {
			go s.watch(ss.d.log)
			errs[i] = s.node.Run(ctx)
			if errs[i] != nil {
				for _, other := range all {
					other.node.Leave()
				}
			}
			errs[i] = errors.Join(errs[i], ss.part(s, errs[i]))
		})
	}
	work.Wait()
	return errors.Join(errs...)
}

// watch ends what a keeper ran as soon as it dies (P11). A connection that is lost without that is made so.
func (s *session) watch(log *slog.Logger) {
	defer close(s.lost)
	select {
	case <-s.ending:
		return
	case <-s.keeper.Gone():
	}
	select {
	case <-s.ending:
		return
	default:
	}
	err := s.keeper.Kill()
	if err == nil {
		_, err = keeper.Recover(s.dir, log)
	}
	if err != nil {
		log.Error("what a dead keeper ran may go on until the node starts again", "err", err)
	}
}

// end ends a keeper. One that cannot be told, because it is just dying, is made sure of.
func (s *session) end() error {
	if s.keeper.End() == nil {
		return nil
	}
	return s.keeper.Kill()
}

// loses remembers that a session is lost.
func (ss *sessions) loses(s *session) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	if ss.lost == nil {
		ss.lost = map[rota.SessionID]bool{}
	}
	ss.lost[s.id()] = true
}

// part is the end of a session's node: its keeper is left, if there is something in it that is to go on, or ended.
func (ss *sessions) part(s *session, why error) error {
	if errors.Is(why, node.ErrKeeperLost) {
		<-s.lost
		return s.keeper.Close()
	}
	close(s.ending)
	if errors.Is(why, rota.ErrLeaseLost) {
		ss.loses(s)
	}
	if s.node.Busy() > 0 && !errors.Is(why, rota.ErrBroken) {
		ss.left.Add(int64(s.node.Busy()))
		return s.keeper.Close()
	}
	err := s.end()
	ss.remove(s.dir)
	ss.mu.Lock()
	defer ss.mu.Unlock()
	if ss.all[0] != s {
		ss.all = slices.DeleteFunc(slices.Clone(ss.all), func(o *session) bool { return o == s })
	}
	return err
}
